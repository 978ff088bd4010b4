# SPDX-License-Identifier: MIT
"""The wings of lib/: what lies where, and what may know of what."""
import os
import re
import shutil
import subprocess
from collections import namedtuple
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("BUILD_DIR", SOURCE / "build"))
OBJECTS = BUILD / "lib/libvoltqemu-internal.a.p"

# A file includes headers of its own wing and of lower floors; wings of one floor know nothing of each other.
FLOORS = {
    "util": 1, "base": 2, "choice": 3, "trust": 3, "content": 4, "store": 5, "transfer": 6,
    "remote": 7, "tree": 7, "vm": 7, "upkeep": 8, "qemu": 8, "command": 9, "run": 10, "unit": 10,
}

# The one file that includes a header of another project, or of a facility that only one file uses.
HOMES = {
    "jansson.h": "base/json.h",
    "nettle/eddsa.h": "trust/ed25519.c",
    "curl/curl.h": "remote/http.c",
    "nettle/": "base/digest.c",
    "dlfcn.h": "base/optional-library.c",
    "archive.h": "transfer/tar-archive.c",
    "archive_entry.h": "transfer/tar-archive.c",
    "lzma.h": "transfer/unpack-xz.c",
    "zlib.h": "transfer/unpack-gzip.c",
    "zstd.h": "transfer/unpack-zstd.c",
    "zstd_errors.h": "transfer/unpack-zstd.c",
}
# Everybody's: C, POSIX, Linux, and the public headers.
COMMON = re.compile(
    r"(arpa|linux|net|netinet|sys|volt-qemu)/[\w-]+\.h|(assert|dirent|elf|errno|fcntl|fnmatch|inttypes|limits|locale|"
    r"poll|pthread|pwd|sched|signal|spawn|std(arg|atomic|bool|def|int|io|lib)|string|time|unistd)\.h")
INCLUDE = re.compile(r'\s*#\s*include\s*(["<])([^">]+)[">]')

# One file needs another: "store/ref", "store/store", and where that is written.
Edge = namedtuple("Edge", "user used where")


def wing_of(name):
    return name.split("/")[0]


def on_floor(name):
    return f"{name} of {wing_of(name)}, floor {FLOORS[wing_of(name)]}"


def sources(root):
    return sorted(path for path in (root / "lib").rglob("*.[ch]"))


def name_of(path, root):
    """A .c file and its header are one: "store/ref"."""
    return path.relative_to(root / "lib").with_suffix("").as_posix()


def included(root):
    """All includes: the file, the place as "lib/store/manifest.c:3", whether it is of lib/, and the header."""
    for path in sources(root):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            match = INCLUDE.match(line)
            if match:
                yield path, f"{path.relative_to(root)}:{number}", match[1] == '"', match[2]


def edges(root):
    for path, where, is_own, header in included(root):
        user, used = name_of(path, root), header.removesuffix(".h")
        if is_own and user != used and {wing_of(user), wing_of(used)} <= FLOORS.keys():
            yield Edge(user, used, where)


# ---- what is wrong, one line for each ----

def misplaced(root):
    """Files outside the wings, those that are not built, and tests of what is no wing."""
    listed = re.findall(r"'([\w./-]+\.c)'", (root / "lib/meson.build").read_text())
    for path in sources(root):
        inside = path.relative_to(root / "lib")
        if len(inside.parts) != 2 or inside.parts[0] not in FLOORS:
            yield f"lib/{inside} is in no wing: there are {', '.join(FLOORS)}"
        if path.suffix == ".c" and listed.count(inside.as_posix()) != 1:
            yield f"lib/{inside} is listed {listed.count(inside.as_posix())} times in lib/meson.build"
    for path in sorted((root / "tests/unit").iterdir()):
        if path.is_dir() and path.name not in FLOORS:
            yield f"tests/unit/{path.name} is named after no wing: there are {', '.join(FLOORS)}"


def unclear(root):
    for _, where, is_own, header in included(root):
        if is_own and not (wing_of(header) in FLOORS and (root / "lib" / header).is_file()):
            yield f'{where} includes "{header}", which is no file of lib/: name it with its wing'


def climbing(needs):
    for edge in needs:
        user, used = wing_of(edge.user), wing_of(edge.used)
        if user != used and FLOORS[used] >= FLOORS[user]:
            yield f"{edge.where} needs {on_floor(edge.used)}; it is {on_floor(edge.user)}"


def circles(needs):
    graph = {}
    for edge in needs:
        graph.setdefault(edge.user, {}).setdefault(edge.used, edge.where)
    done, found = set(), []

    def visit(name, chain):
        if name in chain:
            circle = chain[chain.index(name):] + [name]
            found.append("a circle: " + " -> ".join(
                f"{user} ({graph[user][used]})" for user, used in zip(circle, circle[1:])) + f" -> {name}")
        elif name not in done:
            for used in sorted(graph.get(name, ())):
                visit(used, chain + [name])
            done.add(name)

    for name in sorted(graph):
        visit(name, [])
    return found


def homeless(root):
    for path, where, is_own, header in included(root):
        if is_own or COMMON.fullmatch(header):
            continue
        home = next((HOMES[known] for known in HOMES if header == known or
                     known.endswith("/") and header.startswith(known)), None)
        if home is None:
            yield f"{where} includes <{header}>, which has no home yet: say in HOMES which one file includes it"
        elif path.relative_to(root / "lib").as_posix() != home:
            yield f"{where} includes <{header}>, whose home is {home}"


def calls(objects):
    """Whom the objects call, whatever header declares it; the places are functions."""
    defined, used = {}, {}
    # One nm for all: it may load a compiler's library each time.
    told = subprocess.run(["nm", "-A", *sorted(objects.glob("*.c.o"))], check=True, capture_output=True, text=True).stdout
    for path, symbol_line in (line.split(":", 1) for line in told.splitlines()):
        name = Path(path).name.removesuffix(".c.o").replace("_", "/", 1)
        kind, symbol = symbol_line.split()[-2:]
        if kind == "U":
            used.setdefault(name, []).append(symbol)
        elif kind in "TDBR":
            defined[symbol] = name
    return [Edge(user, defined[symbol], f"{symbol}() called in lib/{user}.c") for user, symbols in used.items()
            for symbol in symbols if symbol in defined and defined[symbol] != user]


def arguments_of(text, start):
    """The arguments of a call whose opening parenthesis is before start, as they are written."""
    found, depth, begin = [], 1, start
    pieces = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)\'|[(){}\[\],]')
    for piece in pieces.finditer(text, start):
        depth += {"(": 1, "{": 1, "[": 1, ")": -1, "}": -1, "]": -1}.get(piece[0], 0)
        if depth == 0 or depth == 1 and piece[0] == ",":
            found.append(" ".join(text[begin:piece.start()].split()))
            begin = piece.end()
        if depth == 0:
            return found
    return []


def calls_in(root, function):
    """All calls of a function in lib/: the place, and the arguments."""
    for path in sources(root):
        text = path.read_text()
        for match in re.finditer(rf"\b{function}\(", text):
            number = text.count("\n", 0, match.start()) + 1
            yield f"{path.relative_to(root)}:{number}", arguments_of(text, match.end())


def unnamed_details(root):
    """Details of errors by their constants, which headers and docs/errors.md tell."""
    constants = dict(re.findall(r'#define (VQEMU_DETAIL_\w+) "(\w+)"',
                                (SOURCE / "include/volt-qemu/error.h").read_text()))
    for where, arguments in calls_in(root, "error_because"):
        for name in arguments[3::2] if arguments[0] != "int code" else []:
            if name != "NULL" and name not in constants:
                yield f"{where} names the detail {name}: use a macro VQEMU_DETAIL_..., which <volt-qemu/error.h> has"
    for where, arguments in calls_in(root, "vqemu_error_detail"):
        if arguments[-1].startswith('"'):
            yield f"{where} asks for the detail {arguments[-1]}: use a macro VQEMU_DETAIL_..."


def pathless(root):
    """Failed system calls on files, whose path is a detail."""
    for where, arguments in calls_in(root, "error_system"):
        if len(arguments) > 2 and re.fullmatch(r'"(?!%s)[^"]* %s"', arguments[2]):
            yield f"{where} ends its message with what may be a path: error_system_at() makes it a detail as well"


def untold_events(root):
    """Words of the log, which docs/errors.md has with their levels."""
    rows = set(re.findall(r"^\| ([a-z-]+) \| (info|warning|debug) \|", (SOURCE / "docs/errors.md").read_text(), re.M))
    said = {(arguments[2].strip('"'), arguments[1].removeprefix("VQEMU_LOG_").lower()): where
            for where, arguments in calls_in(root, "call_log") if arguments[2].startswith('"')}
    said.update({(arguments[1].strip('"'), "warning"): where for where, arguments in calls_in(root, "call_log_problem")
                 if arguments[1].startswith('"')})
    for event, level in sorted(set(said) - rows):
        yield f"{said[event, level]} logs the event {event} ({level}), which docs/errors.md does not have"
    if root == SOURCE:
        for event, level in sorted(rows - set(said)):
            yield f"docs/errors.md has the event {event} ({level}), which nothing logs"


def faults(root):
    needs = list(edges(root))
    return [*misplaced(root), *unclear(root), *climbing(needs), *circles(needs), *homeless(root),
            *unnamed_details(root), *pathless(root), *untold_events(root)]


# ---- the house ----

def test_nothing_is_out_of_place():
    found = faults(SOURCE)
    assert not found, "\n".join(found)


def test_calls_hold_the_floors_and_go_round_no_circle():
    needs = calls(OBJECTS)
    assert len(needs) > 500
    found = [*climbing(needs), *circles(needs)]
    assert not found, "\n".join(found)


# ---- the checks find what is planted ----

@pytest.fixture
def copy(tmp_path):
    shutil.copytree(SOURCE / "lib", tmp_path / "lib")
    shutil.copytree(SOURCE / "tests/unit", tmp_path / "tests/unit")
    assert len(list(included(tmp_path))) > 500 and len(list(edges(tmp_path))) > 300
    return tmp_path


def plant(root, name, line):
    path = root / "lib" / name
    path.write_text(path.read_text() + line + "\n")
    return f"lib/{name}:{len(path.read_text().splitlines())}"


@pytest.mark.parametrize("name, header, floors", [
    ("base/error.c", "store/manifest.h", ("store/manifest of store, floor 5", "base/error of base, floor 2")),
    ("util/fd.h", "base/error.h", ("base/error of base, floor 2", "util/fd of util, floor 1")),
    ("tree/stamp.c", "vm/property.h", ("vm/property of vm, floor 7", "tree/stamp of tree, floor 7")),
    ("unit/quote.c", "run/monitor.h", ("run/monitor of run, floor 10", "unit/quote of unit, floor 10")),
])
def test_an_include_of_a_higher_or_a_sibling_wing_is_named(copy, name, header, floors):
    where = plant(copy, name, f'#include "{header}"')
    needs = f"{where} needs {floors[0]}; it is {floors[1]}"
    assert needs in faults(copy)


def test_a_circle_is_named_with_its_chain(copy):
    where = plant(copy, "util/fd.c", '#  include "util/dir.h"')
    found = faults(copy)
    assert len(found) == 1 and found[0].startswith("a circle: ")
    assert f"util/fd ({where}) -> util/dir" in found[0] and "util/dir (lib/util/dir.c:" in found[0]


def test_a_long_circle_is_found_through_headers(copy):
    where = plant(copy, "store/store.h", '#include "store/newest.h"')
    found = faults(copy)
    assert found and all(fault.startswith("a circle: ") for fault in found)
    assert any(where in fault for fault in found)


@pytest.mark.parametrize("name, header, home", [
    ("vm/property.h", "jansson.h", "base/json.h"), ("store/object.c", "nettle/sha1.h", "base/digest.c"),
    ("transfer/import.c", "lzma.h", "transfer/unpack-xz.c"), ("transfer/unpack-gzip.c", "dlfcn.h",
                                                                   "base/optional-library.c"),
])
def test_a_header_of_others_outside_its_home_is_named(copy, name, header, home):
    where = plant(copy, name, f"#include <{header}>")
    assert faults(copy) == [f"{where} includes <{header}>, whose home is {home}"]


def test_a_header_without_a_home_is_named(copy):
    where = plant(copy, "transfer/import.c", "#include <openssl/ssl.h>")
    found = faults(copy)
    assert len(found) == 1 and found[0].startswith(f"{where} includes <openssl/ssl.h>, which has no home yet")


@pytest.mark.parametrize("header", ["object.h", "../store/object.h", "store/no-such.h", "jansson.h"])
def test_an_include_without_a_wing_is_named(copy, header):
    where = plant(copy, "store/manifest.c", f'#include "{header}"')
    assert any(fault.startswith(f'{where} includes "{header}", which is no file of lib/') for fault in faults(copy))


@pytest.mark.parametrize("name", ["stray.c", "stray.h", "attic/stray.c", "store/deep/stray.c"])
def test_a_file_in_no_wing_is_named(copy, name):
    (copy / "lib" / name).parent.mkdir(parents=True, exist_ok=True)
    (copy / "lib" / name).write_text("")
    assert any(fault.startswith(f"lib/{name} is in no wing: ") for fault in faults(copy))


def test_a_file_that_is_not_built_is_named(copy):
    (copy / "lib/store/stray.c").write_text("")
    assert faults(copy) == ["lib/store/stray.c is listed 0 times in lib/meson.build"]


def test_tests_of_no_wing_are_named(copy):
    (copy / "tests/unit/attic").mkdir()
    assert any(fault.startswith("tests/unit/attic is named after no wing") for fault in faults(copy))


@pytest.mark.parametrize("line, fault", [
    ('int a = error_because(r, &e, "x (\\"", VQEMU_DETAIL_KEY, f(a, b), "path", p, NULL);', 'names the detail "path"'),
    ('int a = error_because(error_set(e, 1, 0, "%s, ", x), e, NULL, VQEMU_DETAIL_NONE, p, NULL);',
     "names the detail VQEMU_DETAIL_NONE"),
    ('const char *a = vqemu_error_detail(e, "key");', 'asks for the detail "key"'),
    ('int a = error_system(error, errno, "cannot open %s", path);', "ends its message"),
    ('void f(void) { call_log(call, VQEMU_LOG_WARNING, "no-such-event", about, "x"); }', "logs the event no-such-event"),
    ('void f(void) { call_log(call, VQEMU_LOG_INFO, "log-is-fifo", about, "x"); }', "logs the event log-is-fifo"),
])
def test_a_detail_without_a_constant_is_named(copy, line, fault):
    where = plant(copy, "store/pin.c", line)
    found = faults(copy)
    assert len(found) == 1 and found[0].startswith(f"{where} {fault}")


def test_a_call_upwards_or_round_a_circle_is_named(tmp_path):
    for name, text in {"base_error": "void up(void); void own(void) { up(); }",
                       "store_ref": "void own(void), other(void); void up(void) { own(); other(); }",
                       "store_newest": "void up(void); void other(void) { up(); }"}.items():
        subprocess.run(["cc", "-xc", "-c", "-o", tmp_path / f"{name}.c.o", "-"], check=True, text=True, input=text)
    needs = calls(tmp_path)
    assert list(climbing(needs)) == ["up() called in lib/base/error.c needs store/ref of store, floor 5; "
                                     "it is base/error of base, floor 2"]
    assert any("store/newest" in circle and "store/ref" in circle for circle in circles(needs))
