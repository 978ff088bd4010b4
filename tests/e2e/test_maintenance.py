# SPDX-License-Identifier: MIT
"""Keeping a store: collect, verify and repair, copy, pin; and what these say."""
import contextlib
import fcntl
import json
import os
import pty
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
from boots import wait_until
from store_cli import (CLI, FILES, PROFILE, PROGRAM, assert_resolves, bad, build, good, good_json,
                       kept_files, leftovers, make_files, manifests, mounted, object_path, resolve, run, sha256,
                       snapshot, tree_faults, verify)

BIOS = "firmware/bios.bin"
LIBRARY = "lib/libone.so.1"
MODULE = "lib/qemu/accel.so"
GUEST = b'#!/bin/sh\necho running "$0"\nread -r line\nexit 0\n'


@pytest.fixture
def profile(tmp_path):
    return make_files(tmp_path / "profile")


@pytest.fixture
def root(tmp_path, profile):
    build(tmp_path / "store", profile)
    return tmp_path / "store"


def add_generation(root, profile, number, size=0):
    """Build the profile with another file; returns the ref."""
    (profile / "lib/generation").write_bytes(b"%d" % number + os.urandom(size))
    return build(root, profile)["ref"]


def gc(root, *options):
    return good_json(root, "gc", *options)


def removed(report, kind):
    return {entry["name"] for entry in report["removed"] if entry["kind"] == kind}


def objects_of(root):
    return {path.name for path in (root / "cas/objects").iterdir()}


def needed_objects(root):
    return {digest for manifest in manifests(root).values() for digest in manifest["objects"].values()}


def disk_usage(directory):
    return int(subprocess.run(["du", "-s", "--block-size=1", directory], check=True, capture_output=True,
                              text=True).stdout.split()[0])


# ---- gc ----

def test_a_store_without_garbage(root):
    resolve(root)
    before = snapshot(root)
    for options in (["--dry-run"], [], ["--keep", "1"], ["--keep", "100"]):
        report = gc(root, *options)
        assert report["freed_bytes"] == 0 and report["removed"] == []
    assert snapshot(root) == before
    assert_resolves(root)


def test_a_dry_run_changes_nothing_and_tells_the_truth(root, profile):
    for number in range(3):
        add_generation(root, profile, number, 50000)
        resolve(root)
    (root / "cas/tmp/.volt-new-0123456789abcdef").mkdir()
    (root / "cas/tmp/.volt-new-0123456789abcdef/0").write_bytes(bytes(100000))
    before = snapshot(root)
    foretold = gc(root, "--dry-run", "--keep", "1")
    assert snapshot(root) == before
    assert {entry["kind"] for entry in foretold["removed"]} == {"revision", "tree", "object", "staging"}
    done = gc(root, "--keep", "1")
    assert sorted(map(str, done["removed"])) == sorted(map(str, foretold["removed"]))
    assert done["freed_bytes"] == foretold["freed_bytes"] == sum(e["bytes"] for e in done["removed"])
    assert gc(root, "--keep", "1")["removed"] == []


def test_freed_bytes_are_those_of_du(root, profile):
    for number in range(4):
        add_generation(root, profile, number, 1 << 20)
        resolve(root)
    before = disk_usage(root)
    freed = gc(root, "--keep", "1")["freed_bytes"]
    assert freed > 3 << 20
    assert abs(before - disk_usage(root) - freed) < 100000, (before, disk_usage(root), freed)


def test_objects_that_nobody_needs(root):
    """Of a ref that was deleted by hand."""
    (ref,) = manifests(root)
    objects = objects_of(root)
    (root / f"cas/refs/{ref}.json").unlink()
    assert removed(gc(root), "object") == objects
    assert not objects_of(root) and not manifests(root)


def test_keep(root, profile):
    refs = [*manifests(root)] + [add_generation(root, profile, number) for number in range(5)]
    resolve(root)
    assert removed(gc(root, "--keep", "4"), "revision") == set(refs[:2])
    assert removed(gc(root, "--keep", "4"), "revision") == set()
    assert removed(gc(root, "--keep", "1"), "revision") == set(refs[2:5])
    assert list(manifests(root)) == refs[5:]
    assert objects_of(root) == needed_objects(root)
    assert_resolves(root, "--verify")


def test_keep_counts_for_each_profile(root, profile):
    for other in ("kvm-linux", "emulate-x86"):
        for number in range(3):
            (profile / "lib/generation").write_bytes(b"%s %d" % (other.encode(), number))
            build(root, profile, profile=other)
    resolve(root)
    gc(root, "--keep", "2")
    names = [ref.rpartition("-")[0] for ref in manifests(root)]
    assert names.count("kvm-linux") == 2 and names.count("emulate-x86") == 2


def test_without_keep_no_ref_goes(root, profile):
    refs = {*manifests(root)} | {add_generation(root, profile, number) for number in range(3)}
    for ref in refs:
        resolve(root, "--revision", ref)
    assert removed(gc(root), "revision") == set()
    assert manifests(root).keys() == refs
    for ref in refs:
        assert not tree_faults(resolve(root, "--revision", ref)["tree"], manifests(root)[ref])


def test_a_pinned_ref_stays(root, profile):
    (first,) = manifests(root)
    tree = Path(resolve(root)["tree"])
    refs = [add_generation(root, profile, number) for number in range(3)]
    resolve(root)
    good("--root", root, "pin", first)
    assert {ref["name"] for ref in good_json(root, "revisions") if ref["pinned"]} == {first}
    assert removed(gc(root, "--keep", "1"), "revision") == set(refs[:2])
    assert manifests(root).keys() == {first, refs[2]}
    assert not tree_faults(tree, manifests(root)[first])
    good("--root", root, "unpin", first)
    assert not any(ref["pinned"] for ref in good_json(root, "revisions"))
    report = gc(root, "--keep", "1")
    assert removed(report, "revision") == {first} and removed(report, "tree") == {tree.name}
    assert not tree.exists()


def test_pin_errors(tmp_path, root):
    (ref,) = manifests(root)
    bad("--root", root, "pin", "emulate-x86-00000000", mentions=["emulate-x86-00000000"])
    bad("--root", root, "unpin", "emulate-x86-00000000", mentions=["emulate-x86-00000000"])
    good("--root", root, "unpin", ref)  # it stays unpinned
    assert not any(entry["pinned"] for entry in good_json(root, "revisions"))
    good("--root", root, "pin", ref)
    good("--root", root, "pin", ref)
    for name in ("../../../etc/passwd", "", "Emulate-x86", ref + ".json", "x/" + ref):
        for command in ("pin", "unpin"):
            result = run("--root", root, command, name)
            assert result.returncode in (3, 5) and result.stderr.startswith("volt-qemu: "), result
            assert name in result.stderr, result
    bad("--root", root, "--read-only", "pin", ref, mentions=["read-only"])
    bad("--root", tmp_path / "none", "pin", ref, mentions=[tmp_path / "none"])
    for command in ("pin", "unpin"):
        bad_usage("--root", root, command)
        bad_usage("--root", root, command, ref, ref)
    assert [entry["pinned"] for entry in good_json(root, "revisions")] == [True]
    assert not leftovers(root)


def test_each_holder_has_a_pin(root, profile):
    (first,) = manifests(root)
    newer = add_generation(root, profile, 1)
    resolve(root)
    good("--root", root, "pin", "--holder", "unit:volt-web", first)
    good("--root", root, "pin", "--holder", "unit:volt-db", first)
    good("--root", root, "unpin", "--holder", "unit:volt-db", first)
    report = gc(root, "--keep", "1")
    assert not removed(report, "revision")
    assert {kept["name"]: kept["message"] for kept in report["kept"]} == {
        first: "pinned by unit:volt-web", newer: "newest, linked"}
    assert "unit:volt-web" in good("--root", root, "revisions")
    (other,) = [entry for entry in good_json(root, "revisions") if entry["name"] == first]
    assert other["pinned"] and other["pinned_by"] == ["unit:volt-web"]
    assert good_json(root, "pins") == [{"revision": first, "holder": "unit:volt-web"}]
    text = good("--root", root, "gc", "--keep", "1")
    assert f"kept revision {first}: pinned by unit:volt-web" in text.splitlines()
    good("--root", root, "unpin", "--holder", "unit:volt-web", first)
    assert removed(gc(root, "--keep", "1"), "revision") == {first}
    bad("--root", root, "pin", "--holder", "web", newer, status=5)


def test_rolling_back(root, profile):
    (first,) = manifests(root)
    newer = add_generation(root, profile, 1)
    trees = {first: resolve(root, "--revision", first)["tree"], newer: resolve(root)["tree"]}
    assert good_json(root, "current", first) == {
        "profile": "emulate-x86", "revision": first, "ref": first, "set": True}
    assert resolve(root)["tree"] == trees[first] == os.path.realpath(root / "qemu/emulate-x86")
    assert {ref["name"] for ref in good_json(root, "revisions") if ref["current"]} == {first}
    assert not removed(gc(root, "--keep", "1"), "revision")
    bad("--root", root, "rm", first, mentions=[first, "volt-qemu current"], status=4)
    assert good_json(root, "current", "emulate-x86") == {
        "profile": "emulate-x86", "revision": newer, "ref": newer, "set": False}
    assert resolve(root)["tree"] == trees[newer] == os.path.realpath(root / "qemu/emulate-x86")
    good("--root", root, "current", first)
    (root / f"cas/refs/{first}.json").unlink()
    bad("--root", root, "resolve", "--profile", "emulate-x86", mentions=[first, "current/emulate-x86"])
    good("--root", root, "current", "emulate-x86")
    assert resolve(root)["tree"] == trees[newer]
    bad("--root", root, "current", "emulate-x86-00000000", mentions=["emulate-x86-00000000"])
    bad_usage("--root", root, "current")


def test_removing_a_ref(root, profile):
    (first,) = manifests(root)
    tree = Path(resolve(root)["tree"])
    newer = add_generation(root, profile, 1)
    with subprocess.Popen(["sleep", "60"], cwd=tree) as user:
        time.sleep(0.1)  # until it has called execve()
        bad("--root", root, "rm", first, mentions=[first, f"process {user.pid} (sleep)", "volt-qemu uses"], status=4)
        uses = json.loads(run("--root", root, "--json", "uses", first).stdout)["uses"]
        assert [(use["kind"], use["pid"], use["process_name"]) for use in uses if use["pid"]] == [
            ("process", user.pid, "sleep")]
        assert f"used by process {user.pid} (sleep)" in gc(root, "--keep", "1")["kept"][-1]["message"]
        user.kill()
    assert tree.exists() and manifests(root).keys() == {first, newer}
    assert good("--root", root, "rm", first) == f"removed {first}\n"
    assert not tree.exists() and manifests(root).keys() == {newer}
    bad("--root", root, "rm", first, mentions=[first])
    bad("--root", root, "--read-only", "rm", newer, mentions=["read-only"])
    bad_usage("--root", root, "rm")
    gc(root)
    assert_resolves(root)
    assert not leftovers(root)


def bad_usage(*words):
    result = run(*words)
    assert result.returncode == 2 and not result.stdout and result.stderr.startswith("volt-qemu: "), result


def test_gc_errors(tmp_path, root):
    for number in ("-1", "x", "", "99999999999999999999", "1.5"):
        bad_usage("--root", root, "gc", "--keep", number)
    bad_usage("--root", root, "gc", "what")
    bad("--root", root, "--read-only", "gc", mentions=["read-only"])
    bad("--root", tmp_path / "none", "gc", mentions=[tmp_path / "none"])
    assert not (tmp_path / "none").exists()
    assert_resolves(root)


def test_staging_of_the_dead_goes_that_of_the_living_stays(root):
    """Which is which, the lock tells: a process that is killed has none."""
    dead = [root / "cas/tmp/.volt-new-00000000000000aa", root / "qemu/trees/.volt-new-00000000000000bb"]
    alive = [root / "cas/tmp/.volt-new-00000000000000cc", root / "qemu/trees/.volt-new-00000000000000dd"]
    for path in (*dead, *alive):
        make_files(path, {"lib/x": bytes(100000)})
    locks = [os.open(path, os.O_RDONLY) for path in alive]
    for lock in locks:
        fcntl.flock(lock, fcntl.LOCK_EX)
    report = gc(root)
    assert not any(path.exists() for path in dead) and all(path.exists() for path in alive)
    assert {Path(name).name for name in removed(report, "staging")} == {path.name for path in dead}
    assert report["freed_bytes"] >= 200000
    for lock in locks:
        os.close(lock)
    gc(root)
    assert not any(path.exists() for path in alive) and not leftovers(root)


def test_staging_of_a_killed_build(root, profile):
    """A real one, killed in the middle of writing."""
    (profile / "firmware/large.bin").write_bytes(os.urandom(3 << 20))
    subprocess.run(["strace", "-f", "-o", "/dev/null", "-e", "inject=renameat2:signal=KILL:when=1", CLI,
                    "--root", root, "ingest", "--profile", PROFILE, profile], check=False, capture_output=True,
                   env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"})
    assert leftovers(root)
    report = gc(root)
    assert report["freed_bytes"] >= 3 << 20 and removed(report, "staging")
    assert not leftovers(root) and objects_of(root) == needed_objects(root)


@pytest.mark.parametrize("call,points", [("unlinkat", (1, 2, 3, 5, 8, 13, 21)), ("renameat", (1, 2)),
                                         ("fsync", (1, 2))])
def test_a_killed_collection_leaves_a_whole_store(tmp_path, profile, call, points):
    for when in points:
        store = tmp_path / f"store-{when}"
        for number in range(3):
            newest = add_generation(store, profile, number)
            resolve(store)
        killed = subprocess.run(["strace", "-f", "-o", "/dev/null", "-e",
                                 f"inject={call}:signal=KILL:when={when}", CLI, "--root", store, "gc",
                                 "--keep", "1"], check=False, capture_output=True,
                                env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"})
        assert killed.returncode in (-signal.SIGKILL, 128 + signal.SIGKILL), killed
        assert verify(store)["problems"] == []
        assert assert_resolves(store)["ref"] == newest
        gc(store, "--keep", "1")
        assert list(manifests(store)) == [newest] and objects_of(store) == needed_objects(store)
        assert not leftovers(store)


def test_a_broken_ref_is_no_reason_to_lose_its_objects(root):
    """What it needs cannot be told, so nothing goes; with the ref mended, nothing is missing."""
    (ref,) = manifests(root)
    path = root / f"cas/refs/{ref}.json"
    text = path.read_text()
    before = objects_of(root)
    for broken in (text[:100], "", "{}", text.replace('"objects"', '"object"')):
        path.write_text(broken)
        for options in ([], ["--keep", "1"], ["--dry-run"]):
            bad("--root", root, "gc", *options, mentions=[path])
        assert objects_of(root) == before
    path.write_text(text)
    gc(root)
    assert_resolves(root, "--verify")


def test_what_is_not_the_stores_own_stays(root):
    """Notes of an administrator, files of other programs: not objects, not refs, not trees."""
    strangers = [root / "README", root / "cas/objects/README", root / "cas/objects/ABC",
                 root / "cas/refs/notes.txt", root / "qemu/trees/mine", root / "qemu/other",
                 root / "cas/tmp/mine"]
    for path in strangers:
        path.write_text("mine")
    gc(root, "--keep", "1")
    assert all(path.read_text() == "mine" for path in strangers)
    assert_resolves(root)


def test_garbage_of_odd_kinds(root):
    """Things that have an object's or a tree's name, but are neither: nothing needs them."""
    odd = [root / folder / (digit * 64)
           for folder in ("cas/objects", "cas/alt", "qemu/trees") for digit in "0123"]
    (root / "cas/alt").mkdir(exist_ok=True)
    for path in odd:
        {"0": path.mkdir, "1": lambda path=path: os.mkfifo(path), "2": path.touch,
         "3": lambda path=path: path.symlink_to("/etc/passwd")}[path.name[0]]()
    (odd[0] / "below").mkdir()
    (odd[0] / "below/file").write_text("x")
    gc(root)
    assert not [path for path in odd if os.path.lexists(path)]
    assert gc(root)["removed"] == []
    assert_resolves(root)


def test_a_tree_and_other_inodes_without_a_ref_go(root, profile):
    make_files(profile, {"lib/twin": (b"#!/bin/sh\n", 0o755), "lib/twin.txt": (b"#!/bin/sh\n", 0o644)})
    ref = build(root, profile)["ref"]
    tree = Path(resolve(root)["tree"])
    assert list((root / "cas/alt").iterdir())
    (root / f"cas/refs/{ref}.json").unlink()
    resolve(root)
    assert tree.name in removed(gc(root), "tree")
    assert not tree.exists() and not list((root / "cas/alt").iterdir())
    assert_resolves(root, "--verify")


def test_the_tree_in_use_by_link_stays(root, profile):
    """qemu/<profile> is how the reference system runs: what it points to is not collected."""
    first = Path(resolve(root)["tree"])
    add_generation(root, profile, 1)
    gc(root, "--keep", "1")
    assert os.path.samefile(root / "qemu" / PROFILE, first) and (first / PROGRAM).exists()


def test_gc_says_it_in_words(root, profile):
    for number in range(2):
        add_generation(root, profile, number, 100000)
        resolve(root)
    old = sorted(set(manifests(root)) - {resolve(root)["ref"]})
    text = good("--root", root, "gc", "--dry-run", "--keep", "1")
    assert all(ref in text for ref in old) and len(manifests(root)) == 3
    text = good("--root", root, "gc", "--keep", "1")
    assert all(ref in text for ref in old)


# ---- verify ----

def overwrite(path):
    """The same size and time, other content: nothing but reading it tells."""
    path.chmod(0o644)
    path.write_bytes(b"?" + path.read_bytes()[1:])
    path.chmod(0o444)
    os.utime(path, (1, 1))


def cut(path):
    os.truncate(path, path.stat().st_size // 2)


def empty(path):
    os.truncate(path, 0)


def lengthen(path):
    with open(path, "ab") as file:
        file.write(b"?")


def to_symlink(path):
    path.unlink()
    path.symlink_to("/etc/passwd")


def to_symlink_of_a_copy(path):
    """The content is right, but it is not in the store."""
    other = path.parents[2] / "elsewhere"
    shutil.copy(path, other)
    path.unlink()
    path.symlink_to(other)


def to_directory(path):
    path.unlink()
    path.mkdir()


def to_fifo(path):
    path.unlink()
    os.mkfifo(path)


def remove(path):
    path.unlink()


DAMAGES = [overwrite, cut, empty, lengthen, to_symlink, to_symlink_of_a_copy, to_directory, to_fifo, remove]
damages = pytest.mark.parametrize("damage", DAMAGES, ids=lambda function: function.__name__)


def the_problem(report, digest):
    (found,) = [problem for problem in report["problems"] if problem["digest"] == digest]
    return found


def test_a_good_store(root):
    resolve(root)
    before = snapshot(root)
    report = verify(root)
    assert report["problems"] == [] and report["objects"] == len(objects_of(root))
    assert report["bytes"] == sum(path.stat().st_size for path in (root / "cas/objects").iterdir())
    for words in ([], [PROFILE], [next(iter(manifests(root)))]):
        assert verify(root, *words)["problems"] == []
        assert verify(root, *words, "--repair")["problems"] == []
        assert good("--root", root, "verify", *words)
    assert snapshot(root) == before


@damages
def test_a_damaged_object_is_named(root, damage):
    (ref,) = manifests(root)
    path = object_path(root, BIOS)
    damage(path)
    report = verify(root, status=1)
    problem = the_problem(report, path.name)
    assert problem["places"] == [{"revision": ref, "ref": ref, "path": BIOS}]
    assert not problem["repaired"] and problem["leases"] == []
    assert path.name in problem["message"] and problem["kind"]
    missing = damage is remove
    assert ("missing" in problem["message"]) == missing
    result = run("--root", root, "verify")
    assert result.returncode == 1
    for text in (path.name, ref, BIOS):
        assert text in result.stdout + result.stderr, result
    assert "repair" in result.stdout + result.stderr, result


@damages
def test_damage_is_found_behind_a_tree(root, damage):
    """The tree is a link to the object, or keeps the inode that the object had."""
    resolve(root)
    path = object_path(root, LIBRARY)
    damage(path)
    problems = verify(root, status=1)["problems"]
    assert path.name in {problem["digest"] for problem in problems}


def test_all_uses_are_listed(root, profile):
    for other in ("kvm-linux", "kvm-uefi"):
        shutil.copy(profile / BIOS, profile / f"firmware/{other}.bin")
        build(root, profile, profile=other)
    path = object_path(root, BIOS, ref=next(iter(manifests(root))))
    overwrite(path)
    expected = {(ref, name) for ref, manifest in manifests(root).items()
                for name, digest in manifest["objects"].items() if digest == path.name}
    problem = the_problem(verify(root, status=1), path.name)
    assert {(use["ref"], use["path"]) for use in problem["places"]} == expected and len(expected) == 6


def test_several_problems_at_once(root):
    for name, damage in ((BIOS, overwrite), (LIBRARY, remove), (MODULE, to_fifo), (PROGRAM, cut)):
        damage(object_path(root, name))
    problems = verify(root, status=1)["problems"]
    damaged = {use["path"] for problem in problems for use in problem["places"]}
    assert damaged == {BIOS, LIBRARY, MODULE, PROGRAM}
    assert verify(root, "--threads", "2", status=1)["problems"] == problems


def test_a_part_of_the_store(root, profile):
    """Only what is asked for is read."""
    (old,) = manifests(root)
    new = add_generation(root, profile, 1)
    overwrite(object_path(root, "lib/generation", ref=new))
    assert verify(root, old)["problems"] == []
    for words in ([new], [PROFILE], []):
        assert len(verify(root, *words, status=1)["problems"]) == 1
    assert verify(root, old)["objects"] == len(set(manifests(root)[old]["objects"].values()))


def test_an_object_that_nobody_uses(root):
    """It is damaged all the same, and named; nobody uses it."""
    (ref,) = manifests(root)
    path = object_path(root, BIOS)
    (root / f"cas/refs/{ref}.json").unlink()
    overwrite(path)
    problem = the_problem(verify(root, status=1), path.name)
    assert problem["places"] == []


def test_a_broken_ref(root):
    (ref,) = manifests(root)
    path = root / f"cas/refs/{ref}.json"
    path.write_text(path.read_text()[:100])
    (problem,) = verify(root, status=1)["problems"]
    assert str(path) in problem["message"] or ref in problem["message"]
    result = run("--root", root, "verify", "--repair")
    assert result.returncode == 1 and ref in result.stdout + result.stderr
    assert path.exists()


def test_who_runs_from_a_damaged_object(tmp_path):
    """The guests that have it open are named by process id."""
    root = tmp_path / "store"
    build(root, make_files(tmp_path / "p", {**FILES, PROGRAM: GUEST}))
    with guest(root) as (process, tree):
        path = object_path(root, BIOS)
        overwrite(path)
        problem = the_problem(verify(root, status=1), path.name)
        (lease,) = problem["leases"]
        assert lease["pid"] == process.pid and tree.name in lease["tree"] and lease["process_name"]
        result = run("--root", root, "verify")
        assert str(process.pid) in result.stdout + result.stderr, result
    assert the_problem(verify(root, status=1), path.name)["leases"] == []


@contextlib.contextmanager
def guest(root):
    with subprocess.Popen([CLI, "--root", root, "run", "--profile", PROFILE, "--set", "firmware=bios"], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True) as process:
        try:
            word, _, program = process.stdout.readline().strip().partition(" ")
            assert word == "running"
            yield process, Path(program).parents[1]
        finally:
            process.kill()


def replace_in_tree(tree):
    (tree / BIOS).unlink()
    (tree / BIOS).write_bytes(b"other")


def remove_from_tree(tree):
    (tree / BIOS).unlink()


def add_to_tree(tree):
    (tree / "firmware/added").write_bytes(b"other")


def change_mode_in_tree(tree):
    """Of a copy: the empty file is not a link to its object."""
    (tree / "firmware/empty.bin").chmod(0o777)


def break_stamp(tree):
    (tree / ".volt-tree").unlink()


TREE_DAMAGES = [replace_in_tree, remove_from_tree, add_to_tree, change_mode_in_tree, break_stamp]
tree_damages = pytest.mark.parametrize("damage", TREE_DAMAGES, ids=lambda function: function.__name__)


@tree_damages
def test_an_altered_tree_is_named(root, damage):
    resolved = resolve(root)
    damage(Path(resolved["tree"]))
    (problem,) = verify(root, status=1)["problems"]
    assert problem["kind"] == "tree" and problem["digest"] == resolved["digest"]
    assert problem["places"] and problem["places"][0]["ref"] == resolved["ref"]
    assert resolved["tree"] in problem["message"]
    result = run("--root", root, "verify")
    assert result.returncode == 1 and resolved["ref"] in result.stdout + result.stderr


@tree_damages
def test_an_altered_tree_is_repaired(root, damage):
    resolved = resolve(root)
    damage(Path(resolved["tree"]))
    (problem,) = verify(root, "--repair")["problems"]
    assert problem["repaired"]
    assert verify(root)["problems"] == []
    assert_resolves(root, "--verify")
    assert not leftovers(root)


# ---- repair ----

def test_repair_with_nothing_tells_what_is_left(root):
    path = object_path(root, BIOS)
    overwrite(path)
    report = verify(root, "--repair", status=1)
    problem = the_problem(report, path.name)
    assert not problem["repaired"] and problem["places"]
    assert path.name in run("--root", root, "resolve", "--profile", PROFILE).stderr
    result = run("--root", root, "verify", "--repair")
    assert result.returncode == 1 and "--from" in result.stdout + result.stderr, result


def test_repair_from_the_tree(root):
    """The tree keeps the good inode when the object is lost: nothing else is needed."""
    tree = Path(resolve(root)["tree"])
    path = object_path(root, BIOS)
    path.unlink()
    problem = the_problem(verify(root, "--repair"), path.name)
    assert problem["repaired"] and sha256(path) == path.name
    assert verify(root)["problems"] == [] and not tree_faults(tree, list(manifests(root).values())[0])


def test_repair_from_the_other_inode(root, profile):
    """The same content as an executable is a good copy of a damaged one, and the other way round."""
    make_files(profile, {"lib/twin": (b"#!/bin/sh\n", 0o755), "lib/twin.txt": (b"#!/bin/sh\n", 0o644)})
    ref = build(root, profile)["ref"]
    resolve(root)
    path = object_path(root, "lib/twin", ref=ref)
    overwrite(path)
    assert the_problem(verify(root, "--repair"), path.name)["repaired"]
    assert verify(root)["problems"] == [] and sha256(path) == path.name
    (alt,) = (root / "cas/alt").iterdir()
    overwrite(alt)
    verify(root, status=1)
    verify(root, "--repair")
    assert verify(root)["problems"] == []
    assert_resolves(root, "--verify")


def source_of(kind, tmp_path, profile, root):
    """Something to repair from, made before the damage."""
    if kind == "directory":
        return profile
    if kind == "store":
        build(tmp_path / "other", profile)
        return tmp_path / "other"
    if kind == "export":
        good("--root", root, "export", PROFILE, "--output", tmp_path / "export.tar")
        return tmp_path / "export.tar"
    if kind == "tree":
        shutil.copytree(resolve(root)["tree"], tmp_path / "tree")
        return tmp_path / "tree"
    option, suffix = {"tar": ("", ""), "gzip": ("z", ".gz"), "xz": ("J", ".xz")}[kind]
    subprocess.run(["tar", f"-c{option}f", tmp_path / f"a.tar{suffix}", "-C", profile, "."], check=True)
    return tmp_path / f"a.tar{suffix}"


@pytest.mark.parametrize("kind", ["directory", "tree", "tar", "gzip", "xz", "export", "store"])
@damages
def test_repair_from(tmp_path, root, profile, kind, damage):
    source = source_of(kind, tmp_path, profile, root)
    before = snapshot(source)
    names = [BIOS, LIBRARY, PROGRAM, MODULE]
    paths = [object_path(root, name) for name in names]
    for path in paths:
        damage(path)
    problems = verify(root, "--repair", "--from", source)["problems"]
    assert {path.name for path in paths} <= {problem["digest"] for problem in problems}
    assert all(problem["repaired"] for problem in problems)
    for path in paths:
        assert path.is_file() and not path.is_symlink() and sha256(path) == path.name
        assert path.stat().st_mode & 0o777 in (0o444, 0o555) and path.stat().st_mtime == 1
    assert verify(root)["problems"] == [] and not leftovers(root)
    assert_resolves(root, "--verify")
    assert snapshot(source) == before


def test_from_alone_is_a_usage_error(tmp_path, root):
    bad_usage("--root", root, "verify", "--from", tmp_path)


@pytest.mark.parametrize("kind", ["directory", "tar", "store"])
def test_a_repair_that_is_partly_possible(tmp_path, root, profile, kind):
    """The source has other content for one of two: one is repaired, the other is still named."""
    damaged = [object_path(root, BIOS), object_path(root, LIBRARY)]
    (profile / LIBRARY).write_bytes(b"another version")
    source = source_of(kind, tmp_path, profile, root)
    for path in damaged:
        overwrite(path)
    report = verify(root, "--repair", "--from", source, status=1)
    assert the_problem(report, damaged[0].name)["repaired"]
    assert not the_problem(report, damaged[1].name)["repaired"]
    assert sha256(damaged[0]) == damaged[0].name
    report = verify(root, status=1)
    (problem,) = report["problems"]
    assert problem["digest"] == damaged[1].name and problem["places"][0]["path"] == LIBRARY
    (profile / LIBRARY).write_bytes(FILES[LIBRARY])
    verify(root, "--repair", "--from", profile)
    assert verify(root)["problems"] == []


def test_a_source_that_is_damaged_itself(tmp_path, root, profile):
    """A repair believes no source: what it takes has the right digest."""
    build(tmp_path / "other", profile)
    for store in (root, tmp_path / "other"):
        overwrite(object_path(store, BIOS))
    path = object_path(root, BIOS)
    report = verify(root, "--repair", "--from", tmp_path / "other", status=1)
    assert not the_problem(report, path.name)["repaired"]


def test_sources_that_are_none(tmp_path, root):
    overwrite(object_path(root, BIOS))
    (tmp_path / "text").write_text("not an archive\n" * 100)
    for source in (tmp_path / "missing", tmp_path / "text", Path("/dev/null")):
        result = run("--root", root, "verify", "--repair", "--from", source)
        assert result.returncode in (3, 5) and str(source) in result.stderr, result
    assert not leftovers(root)


def test_a_source_with_odd_things_in_it(root, profile):
    """Nothing but files is read: no pipe is waited for, no link followed out of the directory."""
    path = object_path(root, BIOS)
    shutil.copy(profile / BIOS, profile.parent / "outside")
    (profile / BIOS).unlink()
    os.mkfifo(profile / "lib/a-pipe")
    (profile / "lib/loop").symlink_to("loop")
    (profile / "lib/up").symlink_to("..")
    (profile / "lib/zero").symlink_to("/dev/zero")
    (profile / "lib/outside").symlink_to(profile.parent / "outside")
    (profile / "lib/\udcff\n").write_bytes(b"a name that no manifest could have")
    overwrite(path)
    overwrite(object_path(root, LIBRARY))
    report = verify(root, "--repair", "--from", profile, status=1)
    assert not the_problem(report, path.name)["repaired"]
    shutil.copy(profile.parent / "outside", profile / "lib/any name will do")
    assert the_problem(verify(root, "--repair", "--from", profile), path.name)["repaired"]
    assert verify(root)["problems"] == []


def test_repair_from_trees_that_are_copies(tmp_path, profile):
    """Trees on another file system are copies: they have what the objects have lost."""
    if os.getuid() != 0:
        pytest.skip("needs root to mount a file system")
    with mounted(tmp_path / "trees", "-t", "tmpfs", "-o", "size=10m,mode=755", "none") as trees:
        words = ["--objects", tmp_path / "s/cas/objects", "--refs", tmp_path / "s/cas/refs", "--trees", trees]
        good(*words, "ingest", "--profile", PROFILE, profile)
        good(*words, "resolve", "--profile", PROFILE)
        paths = [object_path(tmp_path / "s", name) for name in (BIOS, LIBRARY, PROGRAM)]
        for path, damage in zip(paths, (overwrite, remove, cut)):
            damage(path)
        assert run(*words, "verify").returncode == 1
        good(*words, "verify", "--repair")
        assert all(sha256(path) == path.name for path in paths)
        assert json.loads(good(*words, "--json", "verify"))["problems"] == []


def test_repair_while_a_guest_runs(tmp_path):
    """The object gets a new inode; the guest keeps the old one, in a tree that is replaced for the next."""
    root = tmp_path / "store"
    source = make_files(tmp_path / "p", {**FILES, PROGRAM: GUEST})
    build(root, source)
    with guest(root) as (process, tree):
        overwrite(object_path(root, BIOS))
        assert (tree / BIOS).read_bytes()[:1] == b"?"
        verify(root, "--repair", "--from", source)
        assert process.poll() is None
        assert_resolves(root, "--verify")
        assert verify(root)["problems"] == []
    gc(root)
    assert verify(root)["problems"] == [] and not leftovers(root)


def test_repair_needs_a_writable_store(root):
    overwrite(object_path(root, BIOS))
    bad("--root", root, "--read-only", "verify", "--repair", mentions=["read-only"])
    assert verify(root, status=1)["problems"]
    result = run("--root", root, "--read-only", "--json", "verify")
    assert result.returncode == 1 and json.loads(result.stdout)["problems"]


def test_build_again_repairs_too(root, profile):
    """As the messages say."""
    for name in (BIOS, LIBRARY):
        overwrite(object_path(root, name))
    message = bad("--root", root, "resolve", "--profile", PROFILE, "--verify", mentions=["damaged"])
    assert "ingest" in message or "repair" in message, message
    build(root, profile)
    assert verify(root)["problems"] == []


@pytest.mark.parametrize("mend", ["ingest", "import", "repair"])
def test_a_tree_that_has_the_damaged_inode_still(tmp_path, root, profile, mend):
    """A file rots on the disk; a good object takes its place, but the tree is a link to the old one."""
    good("--root", root, "export", PROFILE, "--output", tmp_path / "export.tar")
    tree = Path(resolve(root)["tree"])
    path = object_path(root, BIOS)
    overwrite(path)
    words = {"ingest": ["ingest", "--profile", PROFILE, profile], "import": ["import", "--any-profile", tmp_path / "export.tar"],
             "repair": ["verify", "--repair", "--from", profile]}[mend]
    good("--root", root, *words)
    assert sha256(path) == path.name
    if mend != "repair":
        assert sha256(tree / BIOS) != path.name
        (problem,) = verify(root, status=1)["problems"]
        assert problem["kind"] == "tree" and BIOS in problem["message"]
        verify(root, "--repair")
    assert verify(root)["problems"] == []
    assert sha256(tree / BIOS) == path.name
    assert_resolves(root, "--verify")


def test_verify_of_what_is_not_there(tmp_path, root):
    bad("--root", root, "verify", "kvm-linux", mentions=["kvm-linux"])
    bad("--root", root, "verify", "emulate-x86-00000000", mentions=["emulate-x86-00000000"])
    bad("--root", tmp_path / "none", "verify", mentions=[tmp_path / "none"])


# ---- copy ----

def copy(root, what, target):
    return good_json(root, "copy", what, "--to", target)


def test_copy_to_a_new_store(tmp_path, root):
    (ref,) = manifests(root)
    other = tmp_path / "deep/below/other"
    report = copy(root, ref, other)
    objects = set(manifests(root)[ref]["objects"].values())
    assert report["ref"] == ref and report["objects_copied"] == len(objects)
    assert report["bytes_copied"] == sum(path.stat().st_size for path in (other / "cas/objects").iterdir())
    assert (other / f"cas/refs/{ref}.json").read_bytes() == (root / f"cas/refs/{ref}.json").read_bytes()
    assert objects_of(other) == objects and verify(other)["problems"] == []
    assert assert_resolves(other)["digest"] == resolve(root)["digest"]
    assert not leftovers(other)


def test_only_what_is_missing_travels(tmp_path, root, profile):
    other = tmp_path / "other"
    (first,) = manifests(root)
    copy(root, first, other)
    inodes = {path.name: path.stat().st_ino for path in (other / "cas/objects").iterdir()}
    second = add_generation(root, profile, 1, 5000)
    report = copy(root, PROFILE, other)
    assert (report["ref"], report["objects_copied"], report["bytes_copied"]) == (second, 1, 5001)
    assert {path.name: path.stat().st_ino for path in (other / "cas/objects").iterdir()
            if path.name in inodes} == inodes
    report = copy(root, PROFILE, other)
    assert (report["ref"], report["objects_copied"], report["bytes_copied"]) == (second, 0, 0)
    assert manifests(other).keys() == {first, second}


def test_copies_are_independent(tmp_path, root):
    """No links between stores: damage in one is none of the other's."""
    other = tmp_path / "other"
    copy(root, PROFILE, other)
    for path in (other / "cas/objects").iterdir():
        assert path.stat().st_nlink == 1
    overwrite(object_path(other, BIOS))
    assert verify(root)["problems"] == []


def test_a_damaged_source_is_refused(tmp_path, root):
    other = tmp_path / "other"
    for damage in (overwrite, cut, remove):
        path = object_path(root, BIOS)
        content = path.read_bytes()
        damage(path)
        bad("--root", root, "copy", PROFILE, "--to", other, mentions=[path, BIOS])
        assert not manifests(other) and not leftovers(other)
        path.unlink(missing_ok=True)
        path.write_bytes(content)
    copy(root, PROFILE, other)
    assert verify(other)["problems"] == []


def scribble(path):
    """As overwrite(), but the time tells."""
    overwrite(path)
    os.utime(path)


@pytest.mark.parametrize("damage", [scribble, *DAMAGES[1:]], ids=lambda function: function.__name__)
def test_a_damaged_object_at_the_destination_is_replaced(tmp_path, root, damage):
    other = tmp_path / "other"
    copy(root, PROFILE, other)
    path = object_path(other, BIOS)
    damage(path)
    copy(root, PROFILE, other)
    assert sha256(path) == path.name and not path.is_symlink()
    assert verify(other)["problems"] == [] and not leftovers(other)
    assert_resolves(other)


def test_copy_to_itself(root):
    before = kept_files(root)
    result = run("--root", root, "--json", "copy", PROFILE, "--to", root)
    if result.returncode == 0:
        assert json.loads(result.stdout)["objects_copied"] == 0
    else:
        assert str(root) in result.stderr
    assert kept_files(root) == before


def test_copy_errors(tmp_path, root):
    bad("--root", root, "copy", "kvm-linux", "--to", tmp_path / "o", mentions=["kvm-linux"])
    bad("--root", root, "copy", "emulate-x86-00000000", "--to", tmp_path / "o",
        mentions=["emulate-x86-00000000"])
    bad_usage("--root", root, "copy", PROFILE)
    bad_usage("--root", root, "copy", "--to", tmp_path / "o")
    (tmp_path / "file").write_text("")
    bad("--root", root, "copy", PROFILE, "--to", tmp_path / "file", mentions=[tmp_path / "file"])
    bad("--root", tmp_path / "none", "copy", PROFILE, "--to", tmp_path / "o", mentions=[tmp_path / "none"])
    assert not (tmp_path / "none").exists() and not manifests(tmp_path / "o")


def test_copy_from_a_read_only_store(tmp_path, root):
    before = snapshot(root)
    good("--root", root, "--read-only", "copy", PROFILE, "--to", tmp_path / "other")
    assert snapshot(root) == before
    assert_resolves(tmp_path / "other")


NOBODY = {"user": 65534, "group": 65534, "extra_groups": []}


def test_what_an_ordinary_user_may_do(tmp_path, root):
    """Look at everything of a store of root's, and take things out; nothing that changes it."""
    if os.getuid() != 0:
        pytest.skip("needs root to become another user")
    (ref,) = manifests(root)
    resolve(root)
    (root / "cas/tmp/.volt-new-00000000000000aa").mkdir()  # garbage, for gc
    (root / "cas/tmp/.volt-new-00000000000000aa").chmod(0o755)
    for path in (tmp_path, *list(tmp_path.parents)[:3]):
        if path != Path("/tmp"):
            path.chmod(0o755)
    (tmp_path / "theirs").mkdir()
    os.chown(tmp_path / "theirs", 65534, 65534)
    before = snapshot(root)
    assert json.loads(good("--root", root, "--json", "verify", **NOBODY))["problems"] == []
    assert ref in good("--root", root, "revisions", **NOBODY)
    good("--root", root, "export", ref, "--output", tmp_path / "theirs/export.tar", **NOBODY)
    good("--root", root, "copy", ref, "--to", tmp_path / "theirs/copied", **NOBODY)
    good("--root", tmp_path / "theirs/imported", "import", "--any-profile", tmp_path / "theirs/export.tar", **NOBODY)
    for words in (["gc"], ["pin", ref], ["import", "--any-profile", tmp_path / "theirs/export.tar"]):
        bad("--root", root, *words, mentions=["Permission denied", root], **NOBODY)
    assert snapshot(root) == before
    for other in ("copied", "imported"):
        assert verify(tmp_path / "theirs" / other, "--allow-others")["problems"] == []
        assert_resolves(tmp_path / "theirs" / other, "--verify", "--allow-others")


def test_leftovers_that_cannot_be_looked_at_are_told(tmp_path, root):
    """Root's, in a store of another user: not removed, and not passed over either."""
    if os.getuid() != 0:
        pytest.skip("needs root to become another user")
    for path in (tmp_path, *list(tmp_path.parents)[:3]):
        if path != Path("/tmp"):
            path.chmod(0o755)
    subprocess.run(["chown", "-R", "65534:65534", root], check=True)
    mine, roots = root / "cas/tmp/.volt-new-00000000000000aa", root / "cas/tmp/.volt-new-00000000000000bb"
    for left in (mine, roots):
        left.mkdir(mode=0o700)
    os.chown(mine, 65534, 65534)
    result = run("--root", root, "gc", **NOBODY)
    assert result.returncode == 0, result
    assert str(roots.name) in result.stderr and "Permission denied" in result.stderr, result
    assert roots.exists() and not mine.exists()


def test_what_a_read_only_mount_allows(tmp_path, root):
    """The same; and the messages say why not."""
    if os.getuid() != 0:
        pytest.skip("needs root to mount")
    (ref,) = manifests(root)
    resolve(root)
    (root / "cas/tmp/.volt-new-00000000000000aa").mkdir()
    archive = tmp_path / "export.tar"
    with mounted(tmp_path / "ro", "--bind", "-o", "ro", root) as where:
        for option in ([], ["--read-only"]):
            assert json.loads(good("--root", where, *option, "--json", "verify"))["problems"] == []
            good("--root", where, *option, "export", ref, "--output", archive)
            good("--root", where, *option, "copy", ref, "--to", tmp_path / "copied")
            for words in (["gc"], ["pin", ref], ["import", "--any-profile", archive]):
                message = bad("--root", where, *option, *words)
                assert "read-only" in message.lower() and str(where) in message, message
    assert verify(tmp_path / "copied")["problems"] == []


def test_a_full_destination(tmp_path, root, profile):
    if os.getuid() != 0:
        pytest.skip("needs root to mount a small file system")
    (profile / "firmware/large.bin").write_bytes(os.urandom(3 << 20))
    build(root, profile)
    with mounted(tmp_path / "small", "-t", "tmpfs", "-o", "size=2m", "none") as small:
        bad("--root", root, "copy", PROFILE, "--to", small, mentions=["No space left", small])
        assert not manifests(small) and not leftovers(small)
        subprocess.run(["mount", "-o", "remount,size=20m", small], check=True)
        copy(root, PROFILE, small)
        assert_resolves(small, "--verify")


# ---- progress ----

def run_on_terminal(*words):
    """Standard error is a terminal, standard output is not. Returns what the terminal got."""
    terminal, program_side = pty.openpty()
    with subprocess.Popen([CLI, *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=program_side) as process:
        os.close(program_side)
        shown = b""
        with contextlib.suppress(OSError):
            while piece := os.read(terminal, 65536):
                shown += piece
        process.stdout.read()
    os.close(terminal)
    assert process.returncode == 0, shown
    return shown


@pytest.fixture
def large(tmp_path, profile):
    """Large enough that there is something to be seen."""
    for number in range(8):
        (profile / f"firmware/large-{number}.bin").write_bytes(os.urandom(4 << 20))
    build(tmp_path / "large", profile)
    good("--root", tmp_path / "large", "export", PROFILE, "--output", tmp_path / "large.tar")
    return tmp_path / "large"


def test_progress_is_for_terminals(tmp_path, large, profile):
    commands = {
        "ingest": ["--root", tmp_path / "1", "ingest", "--profile", PROFILE, profile],
        "import": ["--root", tmp_path / "2", "import", "--any-profile", tmp_path / "large.tar"],
        "verify": ["--root", large, "verify"],
        "resolve": ["--root", large, "resolve", "--profile", PROFILE, "--verify"],
        "copy": ["--root", large, "copy", PROFILE, "--to", tmp_path / "3"],
        "export": ["--root", large, "export", PROFILE, "--output", tmp_path / "again.tar"],
    }
    for name, words in commands.items():
        shown = run_on_terminal(*words)
        assert b"\r\x1b[K" in shown and b"%" in shown, (name, shown)
        assert shown.endswith(b"\r\x1b[K"), (name, shown)  # nothing stays on the line
    shutil.rmtree(tmp_path / "1")
    shutil.rmtree(tmp_path / "2")
    shutil.rmtree(tmp_path / "3")
    shutil.rmtree(large / "qemu/trees")
    for words in commands.values():
        good(*words)


@pytest.mark.parametrize("stalled", [False, True], ids=["flowing", "stalled"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def test_an_interrupted_import_says_so_and_leaves_nothing(tmp_path, large, number, stalled):
    """In the middle of it, while the pipe flows or while nothing comes."""
    data = (tmp_path / "large.tar").read_bytes()
    other = tmp_path / "other"
    with subprocess.Popen([CLI, "--root", other, "import", "--any-profile", "-"], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdin.write(data[:len(data) // 2])
        process.stdin.flush()
        end = time.monotonic() + 20
        while not list((other / "cas/tmp").glob("*")) and time.monotonic() < end:
            time.sleep(0.01)
        process.send_signal(number)
        with contextlib.suppress(BrokenPipeError):
            if not stalled:
                process.stdin.write(data[len(data) // 2:])
        try:
            process.wait(timeout=10)
        finally:
            process.kill()
            with contextlib.suppress(BrokenPipeError):
                process.stdin.close()
        errors = process.stderr.read().decode()
    assert process.returncode == 7, (process.returncode, errors)
    assert errors.startswith("volt-qemu: ") and errors.count("\n") == 1, errors
    assert not manifests(other) and not leftovers(other)


def catches(pid, number):
    """Before that, on a busy machine, the signal would end the program as it ends any other."""
    (line,) = [line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("SigCgt:")]
    return int(line.split()[1], 16) >> number - 1 & 1


@pytest.mark.parametrize("name", ["ingest", "import", "verify", "export", "copy", "gc", "cold resolve"])
def test_waiting_for_the_store_can_be_interrupted(tmp_path, root, profile, name):
    """Another process has the store for itself and does not let go: Ctrl-C ends the wait."""
    good("--root", root, "export", PROFILE, "--output", tmp_path / "export.tar")
    words = {"ingest": ["ingest", "--profile", PROFILE, profile], "import": ["import", "--any-profile", tmp_path / "export.tar"],
             "verify": ["verify"], "export": ["export", PROFILE, "--output", tmp_path / "again.tar"],
             "copy": ["copy", PROFILE, "--to", tmp_path / "other"], "gc": ["gc"],
             "cold resolve": ["resolve", "--profile", PROFILE]}[name]
    lock = os.open(root / "cas/objects", os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    with subprocess.Popen([CLI, "--root", root, *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True) as process:
        try:
            wait_until(lambda: catches(process.pid, signal.SIGINT), 60)
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(timeout=0.5)
            process.send_signal(signal.SIGINT)
            process.wait(timeout=60)
        finally:
            process.kill()
        errors = process.stderr.read()
    os.close(lock)
    assert process.returncode == 7 and errors.startswith("volt-qemu: ") and "cancelled" in errors, errors
    assert not leftovers(root)
