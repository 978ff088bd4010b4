# SPDX-License-Identifier: MIT
"""What the library exports, imports and promises, seen from outside."""
import os
import re
import subprocess
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("BUILD_DIR", SOURCE / "build"))
LIBRARY = BUILD / "lib/libvoltqemu.so.1.0.0"
HEADERS = sorted((SOURCE / "include/volt-qemu").glob("*.h")) + [BUILD / "include/volt-qemu/version.h"]
BASELINE = SOURCE / "tests/contract/libvoltqemu.so.1.abi"

# What a library in someone else's process must not call. pthread_create() it may, when its caller
# asked for threads; pthread_sigmask() it puts back, around a write to a pipe that may raise SIGPIPE.
FORBIDDEN = re.compile(
    r"^(_?exit|_Exit|abort|quick_exit|atexit|printf|__printf_chk|puts|putchar|perror|stdout|stderr|"
    r"fprintf|__fprintf_chk|fopen|getenv|secure_getenv|environ|__environ|setenv|putenv|unsetenv|"
    r"setlocale|chdir|fchdir|chroot|umask|signal|sigaction|sigprocmask|system|popen|"
    r"timegm|gmtime_r|localtime_r|tzset|fork|vfork|execv\w*|posix_spawn\w*|pthread_atfork|srand|strtok|localtime|"
    r"gmtime|strerror|readdir_r|lockf|json_set_alloc_funcs\w*|json_object_seed|OPENSSL_init\w*|EVP_\w+)$")

# What becomes a program of its own calls these between its birth and that program.
CHILDS_OWN = {"_exit", "execve", "sigaction", "chdir"}


def output_of(*words):
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


def without_comments(path):
    return re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.S)


def declared():
    names = set()
    for header in HEADERS:
        text = without_comments(header)
        names |= set(re.findall(r"\b(vqemu_\w+)\(", text))
    return names


def exported():
    lines = output_of("nm", "-D", "--defined-only", LIBRARY).splitlines()
    symbols = [line.split()[-1] for line in lines]
    return {s.split("@")[0]: s.split("@")[-1] for s in symbols if not s.startswith("LIBVOLTQEMU")}


def test_exports_map_and_headers_name_the_same_functions():
    mapped = set(re.findall(r"^\s+(vqemu_\w+);", (SOURCE / "abi.symbols").read_text(), re.M))
    assert set(exported()) == mapped == declared()


def test_every_symbol_has_a_version():
    assert set(exported().values()) == {"LIBVOLTQEMU_1.0"}


def test_imports_nothing_that_changes_the_process():
    lines = output_of("nm", "-D", "--undefined-only", LIBRARY).splitlines()
    imported = {line.split()[-1].split("@")[0] for line in lines}
    assert "malloc" in imported or "calloc" in imported  # the list is not empty by mistake
    assert {name for name in imported if FORBIDDEN.match(name)} <= CHILDS_OWN
    users = output_of("nm", "-A", "--undefined-only", BUILD / "lib/libvoltqemu-internal.a").splitlines()
    for line in users:
        member, symbol = Path(line.split(":")[-2]).name, line.split()[-1]
        assert symbol not in CHILDS_OWN or member == "qemu_child.c.o", line


def test_needs_only_jansson_nettle_and_libc():
    dynamic = output_of("readelf", "--dynamic", "--wide", LIBRARY)
    assert set(re.findall(r"NEEDED\).*\[(.*?)\.so", dynamic)) == {"libjansson", "libnettle", "libc"}
    assert re.findall(r"SONAME\).*\[(.*)\]", dynamic) == ["libvoltqemu.so.1"]
    assert "BIND_NOW" in dynamic and "TEXTREL" not in dynamic


def test_is_hardened():
    segments = output_of("readelf", "--program-headers", "--wide", LIBRARY)
    assert "GNU_RELRO" in segments
    stack = next(line for line in segments.splitlines() if "GNU_STACK" in line)
    assert " RW " in stack
    assert not re.search(r"LOAD.* RWE ", segments)


def test_has_no_writable_globals_of_its_own():
    """Apart from the error that is handed out when there is no memory, and a lock around the beginning of libcurl's,
    whose older versions have none."""
    lines = output_of("nm", "--defined-only", "--format=sysv", LIBRARY).splitlines()
    rows = [[field.strip() for field in line.split("|")] for line in lines if line.count("|") == 6]
    writable = {row[0] for row in rows if row[6] in (".data", ".bss") and row[3] == "OBJECT"}
    toolchain = re.compile(r"^(completed\.\d+|__TMC_END__|__dso_handle)$")
    ours = {name for name in writable if not toolchain.match(name)}
    assert ours == {"out_of_memory", "out_of_memory_message", "initialising"}


@pytest.mark.parametrize("header", HEADERS, ids=lambda path: path.name)
def test_everything_in_a_header_is_documented(header):
    text = header.read_text()
    code = re.sub(r"^#.*$", "", text, flags=re.M)
    for match in re.finditer(r"^[a-z][\w *]*?\b(vqemu_\w+)\(|^typedef .*?\b(vqemu_\w+)[;)]|^enum (\w+)",
                             code, re.M):
        name = next(group for group in match.groups() if group)
        before = code[:match.start()].rstrip()
        assert before.endswith("*/"), f"{name} has no comment"
        comment = before[before.rindex("/*"):]
        assert comment.startswith("/**") and "Since 1." in comment.replace("\n *", ""), name
    for constant in re.finditer(r"^    (VQEMU_\w+) = ", code, re.M):
        assert code[:constant.start()].rstrip().endswith("*/"), f"{constant.group(1)} has no comment"


@pytest.mark.parametrize("header", HEADERS, ids=lambda path: path.name)
def test_a_header_holds_only_what_every_language_can_use(header):
    text = without_comments(header)
    for pattern in (r"\.\.\.", r"va_list", r"FILE\s*\*", r"\binline\b", r"struct \w+\s*\{", r"\blong\b",
                    r"\bunsigned\b", r":\s*\d+;", r"#include <(jansson|nettle|archive)"):
        assert not re.search(pattern, text), f"{header.name}: {pattern}"


@pytest.mark.parametrize("compiler", ["gcc -std=c99", "gcc -std=c11", "clang -std=c99", "g++ -std=c++11",
                                      "clang++ -std=c++17"])
@pytest.mark.parametrize("header", HEADERS, ids=lambda path: path.name)
def test_a_header_compiles_alone(header, compiler, tmp_path):
    words = compiler.split()
    source = tmp_path / ("a.cc" if "++" in words[0] else "a.c")
    source.write_text(f"#include <volt-qemu/{header.name}>\nint main(void) {{ return 0; }}\n")
    result = subprocess.run(
        [*words, "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only", f"-I{SOURCE}/include",
         f"-I{BUILD}/include", source], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


def test_the_abi_is_that_of_the_baseline(tmp_path):
    """tests/contract/update-abi-baseline writes it anew when the ABI is meant to change."""
    current = tmp_path / "current.abi"
    subprocess.run([SOURCE / "tests/contract/update-abi-baseline", LIBRARY, current], check=True)
    result = subprocess.run(["abidiff", BASELINE, current], capture_output=True, text=True,
                            check=False)
    assert result.returncode == 0, result.stdout


def test_the_baseline_has_the_layout_of_no_handle():
    """A change within the library is none of the ABI."""
    structures = re.findall(r"<(?:class|union)-decl .*?>", BASELINE.read_text())
    assert structures and all('is-declaration-only="yes"' in line for line in structures)
