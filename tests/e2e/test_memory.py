# SPDX-License-Identifier: MIT
"""Every single allocation fails once: an error, never a crash, and the next run succeeds."""
import os
import re
import shutil
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
CLI = os.environ.get("VOLT_QEMU", str(HERE.parents[1] / "build/examples/volt-qemu/volt-qemu"))
NEVER_REACHED = 77
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

    def each(self, step):
        """Number and result of each, or each so many, up to the last allocation."""
        with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
            for first in range(1, 5000, 50 * step):
                numbers = range(first, first + 50 * step, step)
                for number, result in zip(numbers, pool.map(self.one, numbers)):
                    if result.returncode == NEVER_REACHED:
                        return
                    yield number, result
        raise AssertionError("there was no end")


@pytest.mark.parametrize("command", ["select", "ingest", "resolve", "unit", "revisions"])
def test_every_allocation_can_fail(shim, profile, tmp_path, command, request):
    """Every fifth, without --extended: in the library itself, unit tests have each fail."""
    attempts = Attempts(shim, profile, tmp_path, command)
    failed = 0
    crashed = []
    for number, result in attempts.each(1 if request.config.getoption("--extended") else 5):
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
