# SPDX-License-Identifier: MIT
"""Many processes at once on one store: nobody fails, nobody sees half a thing, nothing is left behind."""
import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from store_cli import (CLI, FILES, PROFILE, PROGRAM, assert_resolves, build, good, good_json, leftovers,
                       make_files, manifests, resolve, run, sha256, tree_faults, verify)

WORKERS = 32
SECONDS = 25
CONTENTS = 6  # different contents of one profile

# Says where it runs from, and runs until its standard input ends, or it is told to.
GUEST = b'#!/bin/sh\necho running "$0"\nread -r line\nexit 0\n'


@pytest.fixture(scope="module")
def contents(tmp_path_factory):
    """Directories that share most of their files."""
    base = tmp_path_factory.mktemp("contents")
    directories = []
    for number in range(CONTENTS):
        files = {**FILES, PROGRAM: GUEST, f"lib/only-{number}.so": b"only in %d" % number,
                 "lib/version": b"version %d" % number, "lib/tool": (b"#!/bin/sh\n", 0o755),
                 f"firmware/tool-{number % 2}.txt": (b"#!/bin/sh\n", 0o644)}
        directories.append(make_files(base / str(number), files))
    return directories


@pytest.fixture
def archives(tmp_path, contents):
    """Exports of some of the contents, and a plain archive."""
    paths = []
    for number in (0, 1):
        store = tmp_path / f"source-{number}"
        ref = build(store, contents[number])["ref"]
        paths.append(tmp_path / f"{number}.tar")
        good("--root", store, "export", ref, "--output", paths[-1])
    paths.append(tmp_path / "plain.tar.gz")
    subprocess.run(["tar", "-czf", paths[-1], "-C", contents[2], "."], check=True)
    return paths


# ---- everything at once ----

class Failure(AssertionError):
    """Of a worker; it goes to the parent as text."""


def command(root, chance, *words):
    """Run a command of a worker, with some threads; it must succeed. Returns what it prints."""
    result = run("--root", root, "--json", "--threads", str(chance.randint(1, 3)), *words)
    if result.returncode != 0:
        raise Failure(f"{[str(word) for word in result.args[1:]]}: {result.returncode}: {result.stderr}")
    return json.loads(result.stdout)


def step_resolve(root, chance, *options):
    resolved = command(root, chance, "resolve", "--profile", PROFILE, *options)
    check_files(root, chance, resolved)


def check_files(root, chance, resolved):
    """
    Some files of the tree have the content that the manifest says. The lease ended with the process,
    so the ref and the tree may have been collected since; what is still there must be right.
    """
    with contextlib.suppress(FileNotFoundError):
        objects = json.loads((root / f"cas/refs/{resolved['ref']}.json").read_text())["objects"]
        for name in chance.sample(sorted(objects), 4):
            if sha256(Path(resolved["tree"], name)) != objects[name]:
                raise Failure(f"{resolved['tree']}/{name} has other content")


def step_lease(root, chance):
    """Run from the tree: as long as the program lives, every file is there."""
    with subprocess.Popen([CLI, "--root", root, "run", "--profile", PROFILE, "--set", "firmware=bios"], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        line = process.stdout.readline().split()
        if line[:1] == ["running"]:
            tree = Path(line[1]).parents[1]
            check_leased(tree, chance)
        process.stdin.close()
        errors = process.stderr.read()
    if process.returncode != 0 or line[:1] != ["running"]:
        raise Failure(f"run: {process.returncode}: {line} {errors}")


def check_leased(tree, chance):
    """By what the tree's own stamp lists, since the ref may be gone by now."""
    lines = (tree / ".volt-tree").read_text().splitlines()
    listed = {line.rpartition(" ")[2] for line in lines if line.startswith("f ")}
    time.sleep(chance.random() / 10)
    missing = [name for name in listed if not (tree / name).is_file()]
    if missing or not listed:
        raise Failure(f"{tree}: {missing} went away while a program ran from it")


def work(root, number, contents, archives, end):
    chance = random.Random(number)
    steps = {
        "resolve": lambda: step_resolve(root, chance),
        "resolve --verify": lambda: step_resolve(root, chance, "--verify"),
        "resolve --trust": lambda: step_resolve(root, chance, "--trust"),
        "run": lambda: step_lease(root, chance),
        "build": lambda: command(root, chance, "build", "--profile", PROFILE, chance.choice(contents)),
        "import": lambda: command(root, chance, "import", "--profile", PROFILE, chance.choice(archives)),
        "gc": lambda: command(root, chance, "gc", "--keep", "2"),
        "verify": lambda: command(root, chance, "verify"),
    }
    names = ["resolve"] * 4 + ["resolve --verify", "resolve --trust", "run"] + ["build"] * 4 + [
        "import", "gc", "gc", "verify"]
    counts = dict.fromkeys(steps, 0)
    while time.monotonic() < end:
        name = chance.choice(names)
        steps[name]()
        counts[name] += 1
    return counts


def start_worker(*arguments):
    """A process of its own; its report comes through a pipe."""
    reader, writer = os.pipe()
    process = os.fork()
    if process == 0:
        os.close(reader)
        try:
            report = work(*arguments)
        except BaseException as error:  # pylint: disable=broad-except
            report = {"error": f"{type(error).__name__}: {error}"}
        with open(writer, "w", encoding="utf-8") as pipe:
            json.dump(report, pipe)
        os._exit(0)
    os.close(writer)
    return process, reader


def collect(workers):
    reports = []
    for process, reader in workers:
        with open(reader, encoding="utf-8") as pipe:
            reports.append(json.load(pipe))
        os.waitpid(process, 0)
    return reports


def test_everything_at_once(tmp_path, contents, archives):
    root = tmp_path / "store"
    build(root, contents[0])
    end = time.monotonic() + SECONDS
    reports = collect([start_worker(root, number, contents, archives, end) for number in range(WORKERS)])
    errors = [report["error"] for report in reports if "error" in report]
    assert not errors, f"{len(errors)} of {WORKERS}: " + "\n".join(errors[:5])
    total = {name: sum(report[name] for report in reports) for name in reports[0]}
    print(total, file=sys.stderr)
    assert all(count >= 10 for count in total.values()), total
    assert verify(root)["problems"] == []
    assert_resolves(root, "--verify")
    good("--root", root, "gc", "--keep", "1")
    assert not leftovers(root) and verify(root)["problems"] == []
    (ref,) = manifests(root)
    assert {path.name for path in (root / "cas/objects").iterdir()} == set(
        manifests(root)[ref]["objects"].values())


# ---- the same thing at the same time ----

def all_at_once(commands):
    """Start them all, then wait for all. Returns what they print."""
    started = [subprocess.Popen([CLI, *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True) for words in commands]
    outputs = []
    for process in started:
        output, errors = process.communicate(timeout=120)
        assert process.returncode == 0 and not errors, (process.args, errors)
        outputs.append(json.loads(output))
    return outputs


@pytest.mark.parametrize("options", [[], ["--verify"]], ids=["plain", "verify"])
def test_one_cold_tree_is_assembled_once(tmp_path, contents, options):
    root = tmp_path / "store"
    build(root, contents[0])
    words = ["--root", root, "--json", "resolve", "--profile", PROFILE, *options]
    trees = {resolved["tree"] for resolved in all_at_once([words] * 16)}
    (tree,) = trees
    inode = os.stat(tree).st_ino
    assert_resolves(root)
    assert os.stat(tree).st_ino == inode and not leftovers(root)


def test_a_damaged_tree_is_put_right_once(tmp_path, contents):
    root = tmp_path / "store"
    build(root, contents[0])
    for number in range(5):
        tree = Path(resolve(root)["tree"])
        (tree / "firmware/bios.bin").unlink()
        words = ["--root", root, "--json", "resolve", "--profile", PROFILE]
        all_at_once([words] * 12)
        assert not tree_faults(tree, list(manifests(root).values())[0]), number
    # One that was replaced while another process looked at it is still held by that, and goes with the next collection.
    good("--root", root, "gc")
    assert not leftovers(root)


def test_the_same_build_many_times(tmp_path, contents):
    """One content: one ref, or several of other times, but the same objects."""
    root = tmp_path / "store"
    words = ["--root", root, "--json", "build", "--profile", PROFILE, contents[0]]
    built = all_at_once([words] * 16)
    refs = manifests(root)
    assert {result["ref"] for result in built} == refs.keys()
    assert len({json.dumps(manifest["objects"], sort_keys=True) for manifest in refs.values()}) == 1
    assert verify(root)["problems"] == [] and not leftovers(root)
    assert_resolves(root)


def test_builds_and_imports_of_many_contents(tmp_path, contents, archives):
    root = tmp_path / "store"
    words = ["--root", root, "--json"]
    made = all_at_once([[*words, "build", "--profile", PROFILE, content] for content in contents] * 2 +
                       [[*words, "import", "--profile", PROFILE, archive] for archive in archives] * 2)
    assert {result["ref"] for result in made} == manifests(root).keys()
    assert verify(root)["problems"] == [] and not leftovers(root)
    for ref, manifest in manifests(root).items():
        assert not tree_faults(resolve(root, "--ref", ref)["tree"], manifest)


def test_gc_takes_nothing_from_a_build(tmp_path, contents):
    """Objects are there before the ref that needs them; a collection in between must not take them."""
    root = tmp_path / "store"
    for number in range(15):
        build_words = ["--root", root, "--json", "build", "--profile", PROFILE]
        all_at_once([[*build_words, contents[number % CONTENTS]]] +
                    ([["--root", root, "--json", "gc", "--keep", "1"]] * 3 if number else []) +
                    [[*build_words, contents[(number + 1) % CONTENTS]]])
        assert verify(root)["problems"] == []
        assert_resolves(root)


def test_gc_takes_no_stage_that_came_alive(tmp_path, contents):
    """It is locked a moment after it is made: a collection that looked in between must look again."""
    root = tmp_path / "store"
    build(root, contents[0])
    slow = ["strace", "-f", "-o", "/dev/null", "-e"]
    environment = {**os.environ, "ASAN_OPTIONS": "detect_leaks=0"}
    with subprocess.Popen([*slow, "inject=flock,syncfs,fsync:delay_enter=700000", CLI, "--root", root,
                           "build", "--profile", PROFILE, contents[1]], stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, env=environment) as builder:
        wait_for(lambda: list((root / "cas/tmp").iterdir()))
        subprocess.run([*slow, "inject=unlinkat:delay_enter=1000000:when=1", CLI, "--root", root, "gc"],
                       check=True, stdout=subprocess.DEVNULL, env=environment, timeout=60)
        errors = builder.stderr.read()
    assert builder.returncode == 0, errors
    assert_resolves(root)
    assert verify(root)["problems"] == [] and not leftovers(root)


def test_copies_between_two_stores_at_once(tmp_path, contents):
    """To and fro: no deadlock, no loss."""
    one, two = tmp_path / "one", tmp_path / "two"
    refs = {one: build(one, contents[0])["ref"], two: build(two, contents[1])["ref"]}
    for _ in range(5):
        all_at_once([["--root", source, "--json", "copy", refs[source], "--to", target]
                     for source, target in ((one, two), (two, one))] * 4)
    assert manifests(one).keys() == manifests(two).keys() == set(refs.values())
    for root in (one, two):
        assert verify(root)["problems"] == [] and not leftovers(root)


@pytest.mark.parametrize("call,what", [("openat", "{ref}.json"), ("flock", None), ("openat", "{digest}")])
def test_a_ref_that_goes_while_it_is_looked_for(tmp_path, contents, call, what):
    """A resolve is slow; meanwhile what was the newest is replaced and collected. It takes the new one."""
    root = tmp_path / "store"
    kept = build(root, contents[0])["ref"]
    resolve(root)
    good("--root", root, "pin", kept)
    old = build(root, contents[1])
    time.sleep(0.2)  # for what is remembered of a directory that was not changed lately
    only = ["-P", what.format(**old)] if what else []
    with subprocess.Popen(["strace", "-f", "-o", tmp_path / "log", *only, "-e",
                           f"inject={call}:delay_enter=1000000", CLI, "--root", root, "--json", "resolve",
                           "--profile", PROFILE], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"}) as slow:
        wait_for(lambda: (tmp_path / "log").exists() and call in (tmp_path / "log").read_text())
        new = build(root, contents[2])["ref"]
        resolve(root)
        gc(root, "--keep", "1")
        assert old["ref"] not in manifests(root), "the test is too slow for its own good"
        output, errors = slow.communicate()
    assert slow.returncode == 0 and "DELAYED" in (tmp_path / "log").read_text(), errors
    assert json.loads(output)["ref"] == new


@pytest.fixture
def large_archive(tmp_path):
    """An export as bytes, and the ref. It is more than what an import reads at once."""
    files = {**FILES, "firmware/large-1": os.urandom(4 << 20), "firmware/large-2": os.urandom(4 << 20)}
    ref = build(tmp_path / "source", make_files(tmp_path / "large", files))["ref"]
    return run("--root", tmp_path / "source", "export", ref, text=False).stdout, ref


@contextlib.contextmanager
def stalled_import(root, data):
    """An import from a pipe that has begun, and gets no more for now. Yields the process."""
    with subprocess.Popen([CLI, "--root", root, "--json", "import", "--any-profile", "-"], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdin.write(data[:len(data) // 2])
        process.stdin.flush()
        wait_for(lambda: [path for path in (root / "cas/tmp").rglob("*") if path.is_file()])
        try:
            yield process
        finally:
            process.kill()


def wait_for(condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it does not happen"
        time.sleep(0.02)


def test_a_stalled_import_keeps_nobody_waiting(tmp_path, contents, large_archive):
    """The network is slow: others resolve, assemble and build all the same."""
    root = tmp_path / "store"
    build(root, contents[3])
    with stalled_import(root, large_archive[0]) as process:
        assert_resolves(root)
        build(root, contents[4])
        assert_resolves(root, "--verify")
        assert verify(root)["problems"] == []
        assert process.poll() is None


def test_collection_waits_alone(tmp_path, contents, large_archive):
    """While a collection waits for a stalled import, nobody has to wait for the collection."""
    root = tmp_path / "store"
    build(root, contents[3])
    with stalled_import(root, large_archive[0]):
        with subprocess.Popen([CLI, "--root", root, "gc"], stdout=subprocess.DEVNULL) as collector:
            try:
                time.sleep(0.3)
                for words in (["resolve"], ["build", contents[4]], ["resolve", "--verify"]):
                    subprocess.run([CLI, "--root", root, words[0], "--profile", PROFILE, *words[1:]],
                                   check=True, timeout=10, stdout=subprocess.DEVNULL)
            finally:
                collector.terminate()
    assert verify(root)["problems"] == []


def test_an_import_goes_on_after_a_collection(tmp_path, contents, large_archive):
    """What it staged before the collection is still there."""
    root = tmp_path / "store"
    data, ref = large_archive
    build(root, contents[3])
    with stalled_import(root, data) as process:
        with subprocess.Popen([CLI, "--root", root, "gc"], stdout=subprocess.DEVNULL) as collector:
            time.sleep(0.3)
            process.stdin.write(data[len(data) // 2:])
            process.stdin.close()
            assert collector.wait(timeout=20) == 0
        assert json.loads(process.stdout.read())["ref"] == ref and process.wait() == 0
    assert not tree_faults(resolve(root, "--ref", ref)["tree"], manifests(root)[ref])
    assert verify(root)["problems"] == [] and not leftovers(root)


# ---- guests ----

@contextlib.contextmanager
def guest(root, *options):
    """A guest that runs until it is told to end. Yields (process, tree)."""
    with subprocess.Popen([CLI, "--root", root, "run", "--profile", PROFILE, "--set", "firmware=bios", *options],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            word, _, program = process.stdout.readline().strip().partition(" ")
            assert word == "running"
            yield process, Path(program).parents[1]
        finally:
            process.terminate()
            process.wait(timeout=20)


def make_generation(directory, number):
    return make_files(directory / f"generation-{number}",
                      {**FILES, PROGRAM: GUEST, "lib/generation": b"generation %d" % number})


def gc(root, *options):
    return good_json(root, "gc", *options)


def trees_of(root):
    return {path.name for path in (root / "qemu/trees").iterdir() if not path.name.startswith(".")}


def assert_whole(tree, generation):
    """Everything that a running guest could still open."""
    assert (tree / "lib/generation").read_bytes() == b"generation %d" % generation
    for name, content in {**FILES, PROGRAM: GUEST}.items():
        assert (tree / name).read_bytes() == content, name


def test_a_guest_keeps_its_tree(tmp_path):
    root = tmp_path / "store"
    first = build(root, make_generation(tmp_path, 0))["ref"]
    with guest(root) as (process, tree):
        for number in range(1, 5):
            build(root, make_generation(tmp_path, number))
            newest = assert_resolves(root)
            gc(root, "--keep", "1")
            assert process.poll() is None
            assert_whole(tree, 0)
            assert first in manifests(root) and newest["ref"] in manifests(root)
            assert len(manifests(root)) == 2
            assert verify(root)["problems"] == []
    gc(root, "--keep", "1")
    assert not tree.exists()
    assert list(manifests(root)) == [newest["ref"]]
    assert trees_of(root) == {newest["digest"]}


def test_two_generations_side_by_side(tmp_path):
    """Two run, a third is assembled; each keeps what it has, until it ends."""
    root = tmp_path / "store"
    build(root, make_generation(tmp_path, 1))
    with guest(root) as (_, one):
        build(root, make_generation(tmp_path, 2))
        with guest(root) as (_, two):
            assert one != two
            build(root, make_generation(tmp_path, 3))
            three = Path(assert_resolves(root)["tree"])
            gc(root, "--keep", "1")
            for tree, number in ((one, 1), (two, 2), (three, 3)):
                assert_whole(tree, number)
            assert len(manifests(root)) == 3
            assert os.path.samefile(root / "qemu" / PROFILE, three)
        gc(root, "--keep", "1")
        assert not two.exists() and trees_of(root) == {one.name, three.name}
        assert_whole(one, 1)
    removed = gc(root, "--keep", "1")["removed"]
    assert trees_of(root) == {three.name} and len(manifests(root)) == 1
    assert {entry["kind"] for entry in removed} >= {"revision", "tree", "object"}
    assert_whole(three, 3)
    assert verify(root)["problems"] == [] and not leftovers(root)


def test_the_ref_of_a_guest_can_go_but_not_its_tree(tmp_path):
    """A ref that an administrator deletes: the guest goes on, and verify has nothing to say."""
    root = tmp_path / "store"
    first = build(root, make_generation(tmp_path, 1))["ref"]
    with guest(root) as (_, tree):
        build(root, make_generation(tmp_path, 2))
        (root / f"cas/refs/{first}.json").unlink()
        gc(root, "--keep", "1")
        assert_whole(tree, 1)
        assert verify(root)["problems"] == []
        assert_resolves(root)
    gc(root)
    assert not tree.exists()


def test_a_guest_outlives_the_altered_tree(tmp_path):
    """Somebody alters the tree of a running guest: the next one gets a good one, the first goes on."""
    root = tmp_path / "store"
    build(root, make_generation(tmp_path, 1))
    with guest(root) as (process, tree):
        inode = tree.stat().st_ino
        (tree / "added").touch()
        assert_resolves(root)
        assert tree.stat().st_ino != inode
        gc(root, "--keep", "1")
        assert process.poll() is None
        with guest(root) as (_, second):
            assert second == tree
            assert_whole(second, 1)
        assert process.poll() is None
    gc(root)
    assert not leftovers(root)
    assert_resolves(root)


def test_the_child_of_a_guest_holds_the_lease(tmp_path):
    """QEMU may be replaced by its child; the tree stays until the last of them ends."""
    root = tmp_path / "store"
    script = b"#!/bin/sh\necho running \"$0\"\nsleep 60 >/dev/null 2>&1 & echo $! > \"$HOME/pid\"\n"
    files = {**FILES, PROGRAM: script.replace(b"$HOME", str(tmp_path).encode())}
    build(root, make_files(tmp_path / "one", files))
    result = run("--root", root, "run", "--profile", PROFILE, "--set", "firmware=bios")
    assert result.returncode == 0, result
    child = int((tmp_path / "pid").read_text())
    try:
        tree = Path(result.stdout.split()[1]).parents[1]
        build(root, make_generation(tmp_path, 2))
        resolve(root)
        gc(root, "--keep", "1")
        assert (tree / "firmware/bios.bin").read_bytes() == FILES["firmware/bios.bin"]
    finally:
        os.kill(child, signal.SIGKILL)
    wait_for(lambda: gc(root, "--keep", "1") and not tree.exists())


def test_guests_in_turn_while_everything_is_replaced(tmp_path):
    """Guests start and end while builds and collections go on: each starts, and finds its files."""
    root = tmp_path / "store"
    build(root, make_generation(tmp_path, 0))
    with contextlib.ExitStack() as stack:
        running = []
        for number in range(1, 13):
            running.append((stack.enter_context(guest(root)), number - 1))
            make = make_generation(tmp_path, number)
            all_at_once([["--root", root, "--json", "build", "--profile", PROFILE, make],
                         ["--root", root, "--json", "gc", "--keep", "1"],
                         ["--root", root, "--json", "resolve", "--profile", PROFILE]])
            if len(running) > 3:
                (process, _), _ = running.pop(0)
                process.terminate()
                process.wait(timeout=20)
            for (process, tree), generation in running:
                assert process.poll() is None
                assert_whole(tree, generation)
    newest = assert_resolves(root)
    gc(root, "--keep", "1")
    assert trees_of(root) == {newest["digest"]} and list(manifests(root)) == [newest["ref"]]
    assert verify(root)["problems"] == [] and not leftovers(root)
