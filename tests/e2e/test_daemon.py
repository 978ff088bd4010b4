# SPDX-License-Identifier: MIT
"""The example daemon: guests of a real QEMU are started with what they need, and shut down in order."""
import contextlib
import fcntl
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
SOURCE = HERE.parents[1]
sys.path.insert(0, str(HERE.parent / "harness"))
import power_guest  # noqa: E402
from made_profile import make_profile  # noqa: E402

BUILD = Path(os.environ.get("BUILD_DIR", SOURCE / "build"))
CLI = os.environ.get("VOLT_QEMU", str(BUILD / "examples/volt-qemu/volt-qemu"))
DAEMON = BUILD / "examples/daemon/volt-daemon"
DEADLINE = 60  # seconds; a guest is up in 0.5 s on a quiet machine


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    base = tmp_path_factory.mktemp("daemon")
    make_profile(base / "profile", "x86_64")
    for profile in ("emulate-x86", "kvm-linux"):  # whichever the host makes the daemon choose
        subprocess.run([CLI, "--root", base / "store", "build", "--profile", profile, base / "profile"], check=True)
    return base / "store"


@pytest.fixture(scope="module")
def kernel(tmp_path_factory):
    return power_guest.build(tmp_path_factory.mktemp("guest") / "kernel")


class Daemon:
    """A running daemon, its documents and what it says."""

    def __init__(self, directory, root, documents, **options):
        self.run, self.state = directory / "run", directory / "state"
        for made in (directory / "vms", self.state):
            made.mkdir(exist_ok=True)
        for name, text in documents.items():
            text = text.replace('"console": "file"',
                                f'"console": "file", "console_path": "{self.run}/{name}/console.log"')
            (directory / "vms" / f"{name}.json").write_text(text)
        self.output = directory / f"output-{len(list(directory.glob('output-*')))}"
        with open(self.output, "wb") as output:
            self.process = subprocess.Popen([DAEMON, root, directory / "vms", self.run, self.state], stdin=subprocess.DEVNULL,
                                            stdout=output, stderr=subprocess.STDOUT, **options)

    def said(self):
        return self.output.read_text()

    def pids(self):
        """Of the guests that were started or found again, by name."""
        told = re.findall(r"^(\S+): (?:started|found again), process (\d+)$", self.said(), re.M)
        return {name: int(pid) for name, pid in told}

    def wait_until(self, condition):
        deadline = time.monotonic() + DEADLINE
        while not condition():
            assert time.monotonic() < deadline and self.process.poll() is None, self.said()
            time.sleep(0.02)

    def console(self, name):
        with contextlib.suppress(FileNotFoundError):
            return (self.run / name / "console.log").read_text()
        return ""

    def wait_for_guests(self, *names):
        self.wait_until(lambda: all(power_guest.READY in self.console(name) for name in names))

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=2 * DEADLINE)


@contextlib.contextmanager
def running(*arguments, **options):
    daemon = Daemon(*arguments, **options)
    try:
        yield daemon
    finally:
        daemon.process.kill()
        daemon.process.wait()
        for pid in daemon.pids().values():
            if os.path.exists(f"/proc/{pid}") and str(daemon.run) in command_line(pid):
                os.kill(pid, signal.SIGKILL)


def command_line(pid):
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/cmdline").read_text(errors="replace")
    return ""


def document(name, kernel, more=""):
    return f'{{"name": "{name}", "memory": 64, "kernel": "{kernel}", "console": "file"{more}}}'


def test_guests_hear_of_their_power_button(root, kernel, tmp_path):
    documents = {name: document(name, kernel) for name in ("one", "two")}
    documents[".hidden"] = documents["one"]
    with running(tmp_path, root, documents) as daemon:
        daemon.wait_for_guests("one", "two")
        assert set(daemon.pids()) == {"one", "two"}
        started = time.monotonic()
        assert daemon.end() == 0, daemon.said()
        assert time.monotonic() - started < DEADLINE
        for name in ("one", "two"):
            assert power_guest.SEEN in daemon.console(name)
            assert f"{name}: ended with status 0\n" in daemon.said()
            assert not os.path.exists(f"/proc/{daemon.pids()[name]}")


def test_qemu_gets_its_environment_directory_and_descriptors_and_nothing_else(root, kernel, tmp_path):
    with open(tmp_path / "disk.img", "w+b") as image, open(tmp_path / "stray", "w+b") as stray, \
            open(tmp_path / "named.img", "w+b") as named:
        image.truncate(1 << 20)
        named.truncate(1 << 20)
        disks = f'[{{"fd": {image.fileno()}}}, {{"fd_name": "data"}}]'
        documents = {"one": document("one", kernel, f', "disks": {disks}')}
        names = "other:" * (named.fileno() - 3) + "data"  # of the descriptors from 3 on
        with running(tmp_path, root, documents, pass_fds=[image.fileno(), stray.fileno(), named.fileno()],
                     env={"STRAY": "variable", "LISTEN_FDNAMES": names}) as daemon:
            daemon.wait_for_guests("one")
            pid = daemon.pids()["one"]
            process = Path(f"/proc/{pid}")
            planned = json.loads(subprocess.run(
                [CLI, "--root", root, "args", "--json", "--vm", tmp_path / "vms/one.json"],
                check=True, capture_output=True).stdout)
            assert (process / "environ").read_text().split("\0")[:-1] == planned["env"]
            assert os.readlink(process / "cwd") == planned["cwd"] != os.getcwd()
            opened = [os.readlink(link) for link in (process / "fd").iterdir()]
            assert os.readlink(process / "fd/0") == "/dev/null"
            assert {image.name, named.name} < set(opened) and stray.name not in opened
            assert [path for path in opened if re.fullmatch(rf"{root}/qemu/trees/[0-9a-f]*", path)]  # the lease
            assert not [path for path in opened if path.startswith((f"{root}/cas", str(tmp_path / "vms")))]
            assert os.getsid(pid) == pid and "\nUmask:\t0077\n" in (process / "status").read_text()
            assert daemon.end() == 0


def test_what_cannot_be_started_does_not_stop_others(root, kernel, tmp_path):
    documents = {
        "broken": '{"name": 1}',
        "closed": document("closed", kernel, ', "disks": [{"fd": 6}]'),
        "good": document("good", kernel),
        "no-profile": '{"name": "no-profile", "guest_os": "windows", "firmware": "bios", "machine": "virt"}',
    }
    with running(tmp_path, root, documents) as daemon:
        daemon.wait_for_guests("good")
        daemon.wait_until(lambda: "closed: ended with status 127" in daemon.said())
        assert "broken: " in daemon.said() and "broken.json: name: not a string" in daemon.said()
        assert "a descriptor that the VM names: Bad file descriptor" in daemon.said()
        assert "no-profile: " in daemon.said() and set(daemon.pids()) == {"closed", "good"}
        assert daemon.end() == 1
        assert power_guest.SEEN in daemon.console("good")


def test_a_guest_that_ends_is_told_and_the_last_ends_the_daemon(root, kernel, tmp_path):
    with running(tmp_path, root, {"one": document("one", kernel), "two": document("two", kernel)}) as daemon:
        daemon.wait_for_guests("one", "two")
        os.kill(daemon.pids()["one"], signal.SIGKILL)
        daemon.wait_until(lambda: "one: killed by signal 9\n" in daemon.said())
        stop = subprocess.run([CLI, "stop", daemon.run / "two/daemon.sock"], check=False, timeout=2 * DEADLINE)
        assert stop.returncode == 0
        assert daemon.process.wait(timeout=DEADLINE) == 1
        assert "two: ended with status 0\n" in daemon.said()


def test_the_end_can_come_while_guests_are_still_starting(root, kernel, tmp_path):
    with running(tmp_path, root, {"one": document("one", kernel)}) as daemon:
        daemon.wait_until(daemon.pids)
        daemon.end()
        assert re.search(r"^one: (ended|killed)", daemon.said(), re.M), daemon.said()


def test_a_daemon_that_was_killed_finds_its_guests_again(root, kernel, tmp_path):
    with running(tmp_path, root, {"one": document("one", kernel), "two": document("two", kernel)}) as first:
        first.wait_for_guests("one", "two")
        pids = first.pids()
        assert {path.name for path in first.state.iterdir()} == {"one.command", "two.command"}
        assert (first.state / "one.command").stat().st_mode & 0o777 == 0o600
        first.process.kill()
        first.process.wait()
        os.kill(pids["two"], signal.SIGKILL)
        while command_line(pids["two"]):
            time.sleep(0.02)
        (first.run / "two/console.log").unlink()
        with running(tmp_path, root, {}) as second:
            second.wait_until(lambda: len(second.pids()) == 2)
            assert f"one: found again, process {pids['one']}\n" in second.said()
            assert second.pids()["two"] != pids["two"] and "two: started" in second.said()
            second.wait_for_guests("two")
            # The lease is taken again: the profile's tree is used by the daemon, too.
            held = [os.readlink(link) for link in Path(f"/proc/{second.process.pid}/fd").iterdir()]
            assert [path for path in held if re.fullmatch(rf"{root}/qemu/trees/[0-9a-f]*", path)]
            assert second.end() == 0, second.said()
            assert "one: ended\n" in second.said() and "two: ended with status 0\n" in second.said()
            assert power_guest.SEEN in second.console("one")
            assert not list(second.state.iterdir()) and not command_line(pids["one"])


def test_a_guest_that_runs_without_a_note_is_not_started_twice(root, kernel, tmp_path):
    with running(tmp_path, root, {"one": document("one", kernel)}) as first:
        first.wait_for_guests("one")
        first.process.kill()
        first.process.wait()
        (first.state / "one.command").unlink()
        with running(tmp_path, root, {}) as second:
            assert second.process.wait(timeout=DEADLINE) == 1
            assert "one: " in second.said() and "started" not in second.said()
            assert command_line(first.pids()["one"])


def test_a_qemu_that_hears_nothing_is_killed(root, kernel, tmp_path):
    """A stopped process answers neither its monitor nor SIGTERM."""
    with running(tmp_path, root, {"one": document("one", kernel), "two": document("two", kernel)}) as daemon:
        daemon.wait_for_guests("one", "two")
        os.kill(daemon.pids()["one"], signal.SIGSTOP)
        daemon.process.send_signal(signal.SIGTERM)
        daemon.wait_until(lambda: "two: ended with status 0" in daemon.said())
        started = time.monotonic()
        assert daemon.end() == 1  # the second SIGTERM: without it, it takes half a minute
        assert time.monotonic() - started < 20
        assert "one: killed by signal 9\n" in daemon.said() and "one: cancelled" in daemon.said()


def test_what_is_being_started_is_given_up(root, kernel, tmp_path):
    """Who wants to use a store that somebody has for himself waits for it."""
    with open_directory(root / "cas/refs") as gate:
        fcntl.flock(gate, fcntl.LOCK_EX)
        (root / "qemu").rename(root / "aside")  # so that a tree must be assembled
        try:
            with running(tmp_path, root, {"one": document("one", kernel)}) as daemon:
                time.sleep(1)
                assert daemon.process.poll() is None
                started = time.monotonic()
                assert daemon.end() == 1 and time.monotonic() - started < 10
                assert "one: waiting for " in daemon.said() and "cancelled" in daemon.said()
        finally:
            shutil.rmtree(root / "qemu", ignore_errors=True)
            (root / "aside").rename(root / "qemu")


@contextlib.contextmanager
def open_directory(path):
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield fd
    finally:
        os.close(fd)


def test_wrong_usage(tmp_path):
    assert subprocess.run([DAEMON], capture_output=True, check=False).returncode == 2
    assert subprocess.run([DAEMON, tmp_path, tmp_path, tmp_path], capture_output=True, check=False).returncode == 1
