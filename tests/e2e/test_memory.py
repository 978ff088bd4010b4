# SPDX-License-Identifier: MIT
"""Every single allocation fails once: an error, never a crash, and the next run succeeds."""
import os
import re
import shutil
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "harness"))
from shelf_registry import Shelves  # noqa: E402

CLI = os.environ.get("VOLT_QEMU", str(HERE.parents[1] / "build/examples/volt-qemu/volt-qemu"))
NEVER_REACHED = 77
LEFT_BEHIND = 78
VM = """{"name": "a b", "user": "games", "rootfs": "/x", "tpm": true, "disks": [{"file": "/home/x y"}], "shares": [
    {"path": "/srv", "tag": "a", "driver": "virtiofs"}, {"path": "/tmp", "tag": "b", "writable": true}]}
"""


@pytest.fixture(scope="module")
def shim(tmp_path_factory):
    path = tmp_path_factory.mktemp("shim") / "fail_malloc.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", path, HERE.parent / "harness/fail_malloc.c"],
                   check=True)
    return path


@pytest.fixture
def profile(tmp_path):
    for name in ("bin/qemu-system-x86_64", "lib/one.so", "firmware/bios.bin"):
        path = tmp_path / "profile" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return tmp_path / "profile"


def run(*words, **options):
    return subprocess.run([CLI, *words], capture_output=True, text=True, check=False,
                          stdin=subprocess.DEVNULL, **options)


def in_turn(function, step, most=5000):
    """Number and result of each, or each so many, up to the last allocation."""
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        for first in range(1, most, 50 * step):
            numbers = range(first, first + 50 * step, step)
            for number, result in zip(numbers, pool.map(function, numbers)):
                if result.returncode == NEVER_REACHED:
                    return
                yield number, result
    raise AssertionError("there was no end")


class Attempts:
    """A command, each time with a store of its own, in which one allocation fails."""

    def __init__(self, shim, profile, directory, command):
        self.shim, self.profile, self.directory, self.command = shim, profile, directory, command
        (directory / "vm.json").write_text(VM)
        self.words = {"select": [], "ingest": ["--profile", "emulate-x86", profile],
                      "resolve": ["--profile", "emulate-x86"], "revisions": ["--sizes"],
                      "unit": ["--profile", "emulate-x86", "--vm", directory / "vm.json"]}[command]
        self.base = directory / "base"
        if command in ("resolve", "unit", "revisions"):
            assert self.ingest(self.base).returncode == 0

    def ingest(self, store):
        return run("--root", store, "ingest", "--profile", "emulate-x86", self.profile)

    def one(self, number):
        """What came of it, with the store as it is left."""
        store = self.directory / f"store-{number}"
        if self.base.exists():
            shutil.copytree(self.base, store, symlinks=True)
        where = [] if self.command == "select" else ["--root", store]
        result = run(*where, self.command, *self.words, env={
            **os.environ, "LD_PRELOAD": str(self.shim), "FAIL_MALLOC": str(number)})
        if list(store.glob("cas/tmp/*")):  # even clearing away can fail; the next build does it
            assert self.ingest(store).returncode == 0
            assert not list(store.glob("cas/tmp/*")), number
        if number % 20 == 1:
            assert run(*where, self.command, *self.words).returncode == 0, number
        shutil.rmtree(store, ignore_errors=True)
        return result


@pytest.mark.parametrize("command", ["select", "ingest", "resolve", "unit", "revisions"])
def test_every_allocation_can_fail(shim, profile, tmp_path, command, request):
    """Every fifth, without --extended: in the library itself, unit tests have each fail."""
    attempts = Attempts(shim, profile, tmp_path, command)
    failed = 0
    crashed = []
    for number, result in in_turn(attempts.one, 1 if request.config.getoption("--extended") else 5):
        if result.returncode in (-signal.SIGSEGV, -signal.SIGABRT):
            crashed.append(number)
            continue
        # jansson says that the document is broken where it has no memory for a string of it
        assert result.returncode in (0, 1) or re.search(r":\d+:\d+: ", result.stderr), (number, result)
        failed += result.returncode != 0
        assert result.returncode == 0 or result.stderr.startswith("volt-qemu: "), (number, result)
    assert failed > 5
    # jansson 2.14 itself crashes in json_loadb() (it frees what it has not initialised) when one of its allocations
    # fails: one for each document that is parsed, and nothing that its caller could prevent.
    # An ingest reads the manifest that it has written, to tell which revision is used from now on.
    # A resolve reads the manifest twice, as it looks for newer ones again before it switches the link;
    # then volt-qemu finds the revision, to tell where its manifest is. Revisions and their sizes are listed apart.
    documents = {"select": 0, "ingest": 2, "resolve": 3, "unit": 2, "revisions": 2}[command]
    assert len(crashed) <= documents, crashed


# ---- registries ----

class Travels:
    """Pulls into new stores, or pushes into new repositories, in which an allocation fails."""

    def __init__(self, shim, directory, command, only):
        self.command, self.directory = command, directory
        self.environment = {"LD_PRELOAD": str(shim), "PATH": os.environ["PATH"], "HOME": "/nonexistent", **only}
        assert run("--root", directory / "base", "ingest", "--profile", "emulate-x86", directory / "profile").returncode == 0
        assert run("--root", directory / "base", "export", "emulate-x86", "--layout", directory / "layout", "--tag",
                   "latest").returncode == 0
        self.shelves = Shelves(directory / "layout" if command == "pull" else None)
        self.registry = self.shelves.serve()

    def words(self, number):
        where = f"{self.registry.host}/{number}/emulate-x86"
        if self.command == "push":
            return ["--root", self.directory / "base", "push", "emulate-x86", where, "--plain-http"]
        return ["--root", self.directory / f"store-{number}", "pull", where, "--plain-http"]

    def check_after(self, number):
        """What came is whole, and so is all that the registry has a manifest of."""
        store = self.directory / f"store-{number}"
        if (store / "cas/objects").exists():
            assert run("--root", store, "verify").returncode == 0, number
        assert self.command == "pull" or not self.shelves[f"{number}/emulate-x86"].manifests or self.is_there(number)
        if number % 5 == 1:
            result = run(*self.words(number))
            assert result.returncode == 0, (number, result)
            assert not list(store.glob("cas/tmp/*")) and (self.command == "pull" or self.is_there(number)), number
        shutil.rmtree(store, ignore_errors=True)

    def is_there(self, number):
        shelf = self.shelves[f"{number}/emulate-x86"]
        blobs = {path.name for path in (self.directory / "layout/blobs/sha256").iterdir()}
        return blobs == {name.removeprefix("sha256:") for name in {*shelf.blobs, *shelf.manifests} if ":" in name}

    def one(self, number):
        result = run(*self.words(number), env={**self.environment, "FAIL_MALLOC": str(number)})
        self.check_after(number)
        return result


@pytest.fixture(name="travels")
def make_travels(shim, profile, tmp_path):
    assert profile.exists()
    made = []

    def make(command, **only):
        made.append(Travels(shim, tmp_path, command, only))
        return made[-1]
    yield make
    for travels in made:
        travels.registry.__exit__()


@pytest.mark.parametrize("command", ["pull", "push"])
def test_every_allocation_of_the_library_can_fail_on_the_way(travels, command, request):
    """It says so, and frees what it has. What jansson allocates is not counted."""
    step, failed = 1 if request.config.getoption("--extended") else 7, 0
    for number, result in in_turn(travels(command, FAIL_MALLOC_IN="libvoltqemu").one, step):
        assert result.returncode != LEFT_BEHIND, number
        assert result.returncode == 0 or (result.returncode == 1 and result.stderr == "volt-qemu: out of memory\n"), (
            number, result)
        failed += result.returncode
    assert failed > 15


@pytest.mark.parametrize("command", ["pull", "push"])
def test_every_allocation_can_fail_on_the_way(travels, command, request):
    """What libcurl cannot allocate may have it fail as if the network did, which is tried again. What other libraries
    print of their own, while they are loaded, nobody prevents."""
    step, crashed = 19 if request.config.getoption("--extended") else 401, []
    for number, result in in_turn(travels(command).one, step, 30000):
        if result.returncode in (-signal.SIGSEGV, -signal.SIGABRT):
            crashed.append(number)
        elif result.returncode != 0:
            last = result.stderr.splitlines()[-1]
            assert last.startswith("volt-qemu: ") and (
                result.returncode in (1, 9) or re.search(r":\d+:\d+: ", last)), (number, result)
    assert len(crashed) <= 3, crashed
