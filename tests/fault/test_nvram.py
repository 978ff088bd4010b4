# SPDX-License-Identifier: MIT
"""Making, keeping and resetting a variable store: killed at every system call, and with every error."""
import errno
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from points import KILLED, NEVER_REACHED, note

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "harness"))
from firmware_tool import compile_tool  # noqa: E402

OLD_CODE, NEW_CODE = b"old code", b"new code"
OLD_VARS, NEW_VARS = b"old vars".ljust(100_000, b"\1"), b"new vars".ljust(100_000, b"\2")
WRITTEN = OLD_VARS[::-1]  # the old store, after a guest has written to it
FLAGS = {"create": 0, "keep": 1, "reset": 2}
ERRORS = ["ENOSPC", "EIO", "EMFILE", "ENOMEM", "EINTR"]


@pytest.fixture(scope="module")
def tool(tmp_path_factory):
    return compile_tool(tmp_path_factory.mktemp("tool"))


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def identity(code, template):
    return {"firmware": sha256(code), "template": sha256(template)}


OLD, NEW = identity(OLD_CODE, OLD_VARS), identity(NEW_CODE, NEW_VARS)


class Store:
    """A directory with a store of the old firmware, unless it is to be created, and the new firmware."""

    def __init__(self, directory, operation):
        self.directory, self.operation = directory, operation
        self.state = directory / "state"
        self.store, self.record = self.state / "nvram.fd", self.state / "nvram.fd.firmware"
        self.old = self.state / "nvram.fd.old"
        self.state.mkdir(parents=True)
        (directory / "CODE.fd").write_bytes(NEW_CODE)
        (directory / "VARS.fd").write_bytes(NEW_VARS)
        if operation != "create":
            self.store.write_bytes(WRITTEN)
            self.record.write_text(json.dumps(OLD))

    def words(self, tool, flags):
        return [str(word) for word in (tool, "prepare", self.store, self.directory / "CODE.fd",
                                       self.directory / "VARS.fd", flags)]

    def read_record(self):
        """Of the firmware; a record that was written says also whose variables these are."""
        record = json.loads(self.record.read_text())
        assert record.pop("vm", "vm") == "vm"
        return record

    def check(self, where):
        """What must hold at any time."""
        if self.store.exists():
            content, record = self.store.read_bytes(), self.read_record()
            allowed = {"create": [(NEW_VARS, NEW)], "keep": [(WRITTEN, OLD), (WRITTEN, NEW)],
                       "reset": [(WRITTEN, OLD), (NEW_VARS, NEW)]}[self.operation]
            assert (content, record) in allowed, where
        else:
            assert self.operation == "create" or self.old.exists(), where
        kept = [path.read_bytes() for path in (self.store, self.old) if path.exists()]
        assert self.operation == "create" or WRITTEN in kept, where

    def check_done(self, where):
        self.check(where)
        assert self.read_record() == NEW and self.store.exists(), where
        assert self.old.exists() == (self.operation == "reset"), where
        assert self.store.stat().st_mode & 0o777 == 0o600 or self.operation == "keep", where

    def check_next(self, tool, where):
        """The next call completes it or refuses what was not begun, and clears away."""
        result = subprocess.run(self.words(tool, 0), capture_output=True, text=True, check=False, timeout=30)
        if result.returncode == 0:
            self.check_done(where)
        else:
            assert self.operation != "create" and "changed: " in result.stderr, (where, result)
            assert self.store.read_bytes() == WRITTEN, where
        self.check(where)
        assert not list(self.state.glob(".*")), where


def points(injector, tool, disk, operation, how):
    """Yield the result of each point, what was hit, and the store."""
    for number in range(1, 1000):
        directory = disk / f"nvram-{operation}"
        store = Store(directory, operation)
        report = directory / "report"
        only = ["--only", directory] if how[-1] == "EINTR" else []
        result = subprocess.run([injector.program, "--after", directory, *only, "--report", report, *how,
                                 str(number), "--", *store.words(tool, FLAGS[operation])],
                                capture_output=True, text=True, check=False, timeout=30,
                                env={**os.environ, "LC_ALL": "C"})
        where = f"{operation}, {how}: {report.read_text().strip() if report.exists() else 'no report'}"
        if result.returncode == NEVER_REACHED:
            store.check_done(where)
            shutil.rmtree(directory)
            note(f"{' '.join(how)} nvram-{operation} {number - 1} points")
            return
        yield result, where, store
        shutil.rmtree(directory)
    raise AssertionError("there was no end")


@pytest.mark.parametrize("operation", FLAGS)
def test_it_can_be_killed_anywhere(injector, tool, disk, operation):
    for result, where, store in points(injector, tool, disk, operation, ["kill"]):
        assert result.returncode == KILLED, where
        store.check(where)
        store.check_next(tool, where)


@pytest.mark.parametrize("operation", FLAGS)
@pytest.mark.parametrize("error", ERRORS)
def test_any_call_can_fail(injector, tool, disk, operation, error):
    for result, where, store in points(injector, tool, disk, operation, ["error", error]):
        store.check(where)
        if result.returncode == 0:
            store.check_done(where)
        else:
            assert result.returncode == 1 and error != "EINTR", (where, result)
            assert result.stderr.startswith("firmware_tool: "), (where, result)
            reason = "out of memory" if error == "ENOMEM" else os.strerror(getattr(errno, error))
            assert reason in result.stderr, (where, result)
        store.check_next(tool, where)
