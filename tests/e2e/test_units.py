# SPDX-License-Identifier: MIT
"""Units with hostile names and paths, started by a real systemd: every argument arrives unchanged."""
import json
import os
import random
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "harness"))
import power_guest  # noqa: E402
from installed import copy_program  # noqa: E402
from made_profile import make_profile  # noqa: E402
from systemd_user import Dump, Unavailable, UserSystemd, build_dump_argv  # noqa: E402

CLI = os.environ.get("VOLT_QEMU", str(HERE.parents[1] / "build/examples/volt-qemu/volt-qemu"))
OUTPUT = "argv.out"

HOSTILE = [
    b"plain",
    b"two words",
    b"comma,comma,,equals=",
    b'quotes"and\'and`',
    b"back\\slash\\n\\x41",
    b"percent%%n%i%",
    b"dollar$HOME${X}$$",
    b"semi;colon ; and & | < >",
    b"#hash",
    b"-dash",
    b"@at:colon!bang+plus",
    b"*?[a]{b,c}~",
    "umlaut-\u00e4\u20ac\U0001f600".encode(),
    b"newline\nand\rreturn\tand tab",
    b"not\xff\xfeutf8\xc3",
    b"\x01\x1b[31m\x7f",
    "noncharacter\uffff".encode(),
    b" leading and trailing ",
    b"trailing\\",
]

# As a path, in the service of a system: there, files are bound by their names.
UNNAMEABLE = [name for name in HOSTILE if re.search(rb"[\x01-\x1f\x7f]|\xff|\xef\xbf\xbf", name)]


@pytest.fixture(scope="module")
def systemd():
    try:
        with UserSystemd() as manager:
            yield manager
    except Unavailable as reason:
        pytest.skip(f"no systemd user manager can run here: {reason}")


@pytest.fixture(scope="module")
def profile(systemd, tmp_path_factory):
    """A profile whose QEMU writes down how it was started, with libraries and loader of its own."""
    directory = tmp_path_factory.mktemp("profile")
    for name in ("bin", "lib", "lib/qemu", "firmware"):
        (directory / name).mkdir()
    program = directory / "bin/qemu-system-x86_64"
    source = HERE.parent / "harness/dump_argv.c"
    output = systemd.directory / OUTPUT
    subprocess.run([os.environ.get("CC", "cc"), "-D_GNU_SOURCE", f'-DDUMP_FILE="{output}"', "-o",
                    program, source], check=True)
    listing = subprocess.run(["ldd", program], check=True, capture_output=True, text=True).stdout
    for word in listing.split():
        if word.startswith("/"):
            shutil.copy(word, directory / "lib")
    (directory / "lib/qemu/module.so").write_bytes(b"module")
    (directory / "firmware/bios.bin").write_bytes(b"firmware")
    return directory


def volt(root, *words):
    return subprocess.run([CLI, "--root", root, *words], capture_output=True, check=False)


def make_store(systemd, profile, name):
    root = os.path.join(os.fsencode(systemd.directory), name)
    built = volt(root, "build", "--profile", "emulate-x86", profile)
    assert built.returncode == 0, built.stderr
    return root


def start(systemd, unit):
    result = systemd.run("volt-test.service", unit, output=OUTPUT)
    assert result.status == 0, (result.message, result.log)
    return Dump.parse(result.output)


def words_of(dump, skip):
    """The arguments behind the program's own."""
    return dump.argv[skip:]


def vm_words(name, extra, user=True):
    return [*(["--user-manager"] if user else []), "--profile", "emulate-x86", "--name", name, "--rootfs", b"/srv/" + name, "--kernel",
            b"/boot/" + name, "--append", b"x=" + name, "--", *extra]


def check_arrival(systemd, root, name, extra):
    unit = volt(root, "unit", *vm_words(name, extra))
    assert unit.returncode == 0, unit.stderr
    dump = start(systemd, unit.stdout)
    doubled = name.replace(b",", b",,")
    argv = dump.argv
    assert argv[0].startswith(root) and argv[0].endswith(b"/bin/qemu-system-x86_64")
    assert argv[argv.index(b"-name") + 1] == (b"guest=volt-" + doubled + b",process=volt-" + doubled +
                                            b",debug-threads=on")
    assert argv[argv.index(b"-kernel") + 1] == b"/boot/" + name
    assert argv[argv.index(b"-append") + 1] == b"x=" + name
    assert (b"local,id=rootfs,path=/srv/" + doubled +
            b",security_model=none,multidevs=remap,readonly=on") == argv[argv.index(b"-fsdev") + 1]
    assert argv[len(argv) - len(extra):] == extra
    environment = dict(variable.split(b"=", 1) for variable in dump.environ)
    modules = os.path.join(dump.directory, environment[b"QEMU_MODULE_DIR"])
    assert modules.startswith(root) and modules.endswith(b"/lib/qemu")
    assert not [key for key in environment if key.startswith(b"LD_")]
    return dump


@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
def test_arguments_arrive_byte_for_byte(systemd, profile, name):
    root = make_store(systemd, profile, b"plain-root")
    check_arrival(systemd, root, name, [name, b"", name + name])


@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
def test_paths_of_the_store_arrive_byte_for_byte(systemd, profile, name):
    root = make_store(systemd, profile, b"root-" + name)
    dump = check_arrival(systemd, root, b"vm", [name])
    plain = not any(byte in name for byte in b":;$")
    assert dump.directory == (b"/" if plain else os.path.dirname(os.path.dirname(dump.argv[0])))


def test_every_byte_arrives(systemd, profile):
    root = make_store(systemd, profile, b"plain-root")
    extra = [bytes([byte]) for byte in range(1, 256)]
    extra += [b"a" + bytes([byte]) + b"b" for byte in range(1, 256)]
    check_arrival(systemd, root, b"vm", extra)


def test_random_strings_arrive(systemd, profile):
    root = make_store(systemd, profile, b"plain-root")
    seed = random.SystemRandom().randrange(2**32)
    generator = random.Random(seed)
    for _ in range(20):
        extra = [bytes(generator.randrange(1, 256) for _ in range(generator.randrange(40)))
                 for _ in range(50)]
        name = bytes(generator.randrange(1, 256) for _ in range(generator.randrange(1, 60)))
        try:
            check_arrival(systemd, root, name, extra)
        except AssertionError as failure:
            raise AssertionError(f"seed {seed}") from failure


def test_json_of_args_is_what_arrives(systemd, profile):
    root = make_store(systemd, profile, b"plain-root")
    words = vm_words("umlaut-\u00e4 %$".encode(), [b"extra 'arg'"], user=False)
    listed = json.loads(volt(root, "--json", "args", *words).stdout)
    dump = start(systemd, volt(root, "unit", "--user-manager", *words).stdout)
    program = listed["argv"].index(os.fsdecode(dump.argv[0]))
    arguments = [os.fsencode(word) for word in listed["argv"][program:]]
    sockets = [number for number, word in enumerate(dump.argv)
               if b"id=qmp" in word or b"chardev=qmp" in word]
    assert len(sockets) == 4  # two sockets of QMP that only a unit has
    for number in reversed(sockets):
        del dump.argv[number - 1:number + 1]
    user_runtime = os.fsencode(os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}")
    assert [word.replace(user_runtime + b"/volt/", b"/run/volt/") for word in dump.argv] == arguments
    assert set(map(os.fsencode, listed["env"])) <= set(dump.environ)
    assert os.fsencode(listed["cwd"]) == dump.directory


def test_the_managers_loader_variables_do_not_reach_the_guest(profile):
    hostile = {"LD_LIBRARY_PATH": "/nowhere", "GLIBC_TUNABLES": "glibc.malloc.check=0"}
    try:
        with UserSystemd(environment=hostile) as manager:
            # A second manager has a directory of its own, and so needs a program of its own.
            shutil.copytree(profile, manager.directory / "profile")
            program = manager.directory / "profile/bin/qemu-system-x86_64"
            build_program(program, manager.directory / OUTPUT)
            root = make_store(manager, manager.directory / "profile", b"root")
            check_arrival(manager, root, b"vm", [])
    except Unavailable as reason:
        pytest.skip(f"no systemd user manager can run here: {reason}")


def build_program(program, output):
    program.unlink()
    subprocess.run([os.environ.get("CC", "cc"), "-D_GNU_SOURCE", f'-DDUMP_FILE="{output}"', "-o",
                    program, HERE.parent / "harness/dump_argv.c"], check=True)


@pytest.mark.parametrize("user", [False, True])
@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
def test_systemd_has_nothing_to_say(systemd, profile, name, user):
    """Without extra arguments, so that all restrictions are there."""
    root = make_store(systemd, profile, b"plain-root")
    words = ["--name", name, "--rootfs", b"/srv/" + name, "--kernel", b"/boot/" + name]
    words += ["--user-manager"] if user else ["--set", "user=games"]
    made = volt(root, "unit", "--profile", "emulate-x86", *words)
    if not user and name in UNNAMEABLE:
        assert made.returncode != 0 and b": a unit cannot name the path /" in made.stderr
        assert b"kernel: " in made.stderr or b"rootfs: " in made.stderr
        return
    verdict = UserSystemd.verify(made.stdout, user=user)
    assert verdict.good, verdict.stderr


# ---- the guest ----

@pytest.fixture(scope="module")
def real(systemd):
    """A store with Debian's QEMU, and the program, for the manager's user."""
    if not shutil.which("qemu-system-x86_64") or not shutil.which("swtpm"):
        pytest.skip("qemu-system-x86_64 or swtpm is not installed")
    profile = make_profile(systemd.directory / "real-profile", "x86_64")
    root = os.fsencode(systemd.directory / "real")
    built = volt(root, "build", "--profile", "emulate-x86", profile)
    assert built.returncode == 0, built.stderr
    return copy_program(CLI, systemd.directory), root


def start_guest(systemd, real, deaf):
    """Returns where the console goes."""
    program, root = real
    place = systemd.directory / f"guest-{deaf}"
    for name in ("", "run", "state"):
        (place / name).mkdir()
        os.chown(place / name, systemd.uid, systemd.uid)
    document = {"name": "web", "memory": 64, "append": "x", "tpm": True, "console": "file",
                "kernel": str(power_guest.build(place / "kernel", deaf)),
                "console_path": str(place / "console"), "runtime_dir": str(place / "run"),
                "state_dir": str(place / "state")}
    (place / "vm.json").write_text(json.dumps(document))
    made = subprocess.run([program, "--root", root, "--json", "unit", "--user-manager", "--profile",
                           "emulate-x86", "--vm", place / "vm.json"], check=True,
                          capture_output=True, text=True)
    for unit in json.loads(made.stdout)["units"]:
        text = unit["text"].replace("--timeout 90", "--timeout 3")
        systemd._write_unit(unit["name"], text.encode())
    systemd.systemctl("daemon-reload")
    started = systemd.systemctl("start", "volt-vm-web.service")
    assert started.returncode == 0, started.stderr + systemd.log
    return place / "console"


def wait_for(condition, systemd):
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, systemd.log
        time.sleep(0.05)


@pytest.mark.parametrize("deaf", [False, True])
def test_stopping_the_service_stops_the_guest(systemd, real, deaf):
    console = start_guest(systemd, real, deaf)
    wait_for(lambda: console.exists() and power_guest.READY in console.read_text(), systemd)
    units = ["volt-vm-web.service", "volt-vm-swtpm@web.service", "volt-vm-swtpm@web.socket"]
    assert [systemd.show(unit, "ActiveState")["ActiveState"] for unit in units] == ["active"] * 3
    started = time.monotonic()
    systemd.stop("volt-vm-web.service")
    assert (time.monotonic() - started >= 3) == deaf
    assert (power_guest.IGNORED if deaf else power_guest.SEEN) in console.read_text()
    for unit in units:
        wait_for(lambda: systemd.show(unit, "ActiveState")["ActiveState"] == "inactive", systemd)
        assert systemd.show(unit, "Result")["Result"] == "success"
    assert (console.parent / "state/tpm/tpm2-00.permall").exists()
