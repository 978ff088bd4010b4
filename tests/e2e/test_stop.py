# SPDX-License-Identifier: MIT
"""volt-qemu stop: the guest hears of its power button; whatever listens, an end in time."""
import contextlib
import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "harness"))
import power_guest  # noqa: E402

CLI = os.environ.get("VOLT_QEMU", str(HERE.parents[1] / "build/examples/volt-qemu/volt-qemu"))
QEMU = shutil.which("qemu-system-x86_64")
DEADLINE = 60  # seconds; a start takes 0.3 s on a quiet machine

needs_qemu = pytest.mark.skipif(not QEMU, reason="qemu-system-x86_64 is not installed")


@pytest.fixture(scope="module")
def guests(tmp_path_factory):
    directory = tmp_path_factory.mktemp("guests")
    return {deaf: power_guest.build(directory / f"guest-{deaf}", deaf) for deaf in (False, True)}


class Machine:
    """A running QEMU, its console and its socket."""

    def __init__(self, directory, kernel, *extra):
        self.socket = directory / "qmp.sock"
        self.process = subprocess.Popen(
            [QEMU, "-nodefaults", "-no-user-config", "-machine", "q35", "-accel", "tcg", "-m", "64",
             "-display", "none", "-chardev", "stdio,id=console", "-serial", "chardev:console",
             "-qmp", f"unix:{self.socket},server=on,wait=off", "-kernel", kernel, *extra],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()

    def wait_for(self, marker):
        for line in self.process.stdout:
            if marker in line:
                return
        raise AssertionError(f"no {marker} on the console")

    def wait_for_socket(self):
        deadline = time.monotonic() + DEADLINE
        while time.monotonic() < deadline:
            with contextlib.suppress(FileNotFoundError, ConnectionRefusedError):
                with socket.socket(socket.AF_UNIX) as connection:
                    connection.connect(str(self.socket))
                    connection.recv(1)
                    return
            time.sleep(0.02)
        raise AssertionError("QEMU opened no socket in time")

    def ended(self):
        """What else the guest said."""
        output, _ = self.process.communicate(timeout=DEADLINE)
        assert self.process.returncode == 0
        return output


def stop(path, *words):
    return subprocess.run([CLI, "stop", *words, path], capture_output=True, text=True, check=False,
                          stdin=subprocess.DEVNULL, timeout=2 * DEADLINE)


@needs_qemu
@pytest.mark.parametrize("extra", [[], ["-no-shutdown"], ["-no-reboot"]], ids=str)
def test_the_guest_switches_itself_off(guests, tmp_path, extra):
    with Machine(tmp_path, guests[False], *extra) as machine:
        machine.wait_for(power_guest.READY)
        result = stop(machine.socket)
        assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
        assert power_guest.SEEN in machine.ended()
    again = stop(machine.socket)
    assert again.returncode == 3 and "the VM is not running" in again.stderr


@needs_qemu
def test_a_deaf_guest_is_ended_after_the_timeout(guests, tmp_path):
    with Machine(tmp_path, guests[True]) as machine:
        machine.wait_for(power_guest.READY)
        started = time.monotonic()
        result = stop(machine.socket, "--timeout", "2")
        assert result.returncode == 1 and "did not switch itself off in 2 s" in result.stderr
        assert time.monotonic() - started >= 2
        assert power_guest.IGNORED in machine.ended()


@needs_qemu
def test_a_guest_that_does_not_run_is_ended_at_once(guests, tmp_path):
    with Machine(tmp_path, guests[False], "-S") as machine:
        machine.wait_for_socket()
        started = time.monotonic()
        result = stop(machine.socket, "--timeout", "1000")
        assert (result.returncode, result.stderr) == (0, "")
        assert time.monotonic() - started < DEADLINE
        assert machine.ended() == ""


@needs_qemu
def test_without_time_the_guest_is_not_asked(guests, tmp_path):
    with Machine(tmp_path, guests[False]) as machine:
        machine.wait_for(power_guest.READY)
        result = stop(machine.socket, "--timeout", "0", "--json")
        assert (result.returncode, result.stderr) == (0, "")
        assert json.loads(result.stdout) == {"socket": str(machine.socket), "end": "forced"}
        assert power_guest.SEEN not in machine.ended()


@needs_qemu
def test_a_socket_that_another_client_holds_is_reported(guests, tmp_path):
    with Machine(tmp_path, guests[False]) as machine:
        machine.wait_for(power_guest.READY)
        with socket.socket(socket.AF_UNIX) as other:
            other.connect(str(machine.socket))
            other.recv(1)
            result = stop(machine.socket, "--timeout", "1")
        assert result.returncode == 7 and "another client" in result.stderr
        assert machine.process.poll() is None


# ---- what is no QEMU ----

GREETING = b'{"QMP": {"version": {}, "capabilities": []}}\r\n'
OK = b'{"return": {}}\r\n'
RUNNING = b'{"return": {"status": "running", "running": true}}\r\n'


def serve(listener, log, answers, stay):
    """In a process of its own, as QEMU is: whose end is the end of the VM."""
    connection, _ = listener.accept()
    with connection, connection.makefile("rb") as lines, contextlib.suppress(OSError):
        for number, answer in enumerate(answers):
            if number > 0:
                log.write(lines.readline())
                log.flush()
            connection.sendall(answer)
        if stay:
            time.sleep(2 * DEADLINE)


@contextlib.contextmanager
def server(path, *answers, stay=False, lives=False):
    """Says the first answer at once, and each other one after a line that it got. It ends then, or
    stays connected, or hangs up and lives."""
    got = []
    log_path = Path(f"{path}.log")
    log_path.touch()
    ready, told = os.pipe()
    child = os.fork()
    if child == 0:
        with contextlib.suppress(BaseException), open(log_path, "wb") as log:
            listener = socket.socket(socket.AF_UNIX)
            listener.bind(str(path))
            listener.listen()
            os.write(told, b"x")
            serve(listener, log, answers, stay)
            listener.close()
            if lives:
                time.sleep(2 * DEADLINE)
        os._exit(0)
    os.read(ready, 1)
    try:
        yield got
    finally:
        os.close(ready)
        os.close(told)
        if stay or lives or not answers:
            os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        got += log_path.read_bytes().splitlines()


@pytest.mark.parametrize("said,message", [
    (b"220 ready\r\n", "qmp.sock:1"),
    (b"{}\r\n", "is no QEMU"),
    (b'"QMP"\r\n', "qmp.sock:1"),
    (b"\0\r\n", "qmp.sock:1"),
    (b'{"QMP": ' + b"[" * 100 + b"]" * 100 + b"}\r\n", "nested deeper"),
    (b"x" * (1 << 21), "is longer than 1048576 bytes"),
    (b"{\xff}\r\n", "qmp.sock:1"),
], ids=range(7))
def test_garbage_is_an_error(tmp_path, said, message):
    with server(tmp_path / "qmp.sock", said, stay=True):
        result = stop(tmp_path / "qmp.sock")
    assert result.returncode == 5 and message in result.stderr, result.stderr


def test_an_end_at_any_time_is_an_end(tmp_path):
    answers = [GREETING, OK, RUNNING, OK]
    for number in range(len(answers) + 1):
        path = tmp_path / f"{number}.sock"
        with server(path, *answers[:number]):
            result = stop(path)
        assert (result.returncode, result.stderr) == (0, ""), number


def test_who_merely_hangs_up_has_not_ended(tmp_path):
    with server(tmp_path / "qmp.sock", GREETING, OK, RUNNING, lives=True):
        started = time.monotonic()
        result = stop(tmp_path / "qmp.sock", "--timeout", "1")
    assert result.returncode == 1 and "has closed the connection" in result.stderr
    assert "goes on" in result.stderr
    assert time.monotonic() - started < DEADLINE


def test_events_may_come_at_any_time_and_in_pieces(tmp_path):
    path = tmp_path / "qmp.sock"
    event = b'{"event": "RESET", "data": {"guest": true}}\r\n'
    shutdown = b'{"event": "SHUTDOWN", "data": {"guest": true}}\r\n'
    with server(path, GREETING, event + OK, event * 1000 + RUNNING + event, OK + shutdown[:20],
                stay=False) as got:
        result = stop(path)
    assert (result.returncode, result.stderr) == (0, "")
    assert [json.loads(line)["execute"] for line in got] == [
        "qmp_capabilities", "query-status", "system_powerdown"]


def test_a_suspended_guest_is_woken_up(tmp_path):
    path = tmp_path / "qmp.sock"
    suspended = RUNNING.replace(b'"running",', b'"suspended",')
    with server(path, GREETING, OK, suspended, OK, OK) as got:
        assert stop(path).returncode == 0
    assert [json.loads(line)["execute"] for line in got] == [
        "qmp_capabilities", "query-status", "system_wakeup", "system_powerdown"]


def test_a_refusal_is_reported(tmp_path):
    path = tmp_path / "qmp.sock"
    with server(path, GREETING, b'{"error": {"class": "GenericError", "desc": "no way"}}\r\n'):
        result = stop(path)
    assert result.returncode == 1 and "refuses qmp_capabilities: no way" in result.stderr


def test_silence_is_waited_for_in_vain(tmp_path):
    with server(tmp_path / "qmp.sock", b"", stay=True):
        started = time.monotonic()
        result = stop(tmp_path / "qmp.sock")
    assert result.returncode == 7 and "does not answer" in result.stderr
    assert 9 < time.monotonic() - started < DEADLINE


def test_where_nobody_listens_no_vm_runs(tmp_path):
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / "dead"))
    for name in ("absent", "dead"):
        result = stop(tmp_path / name)
        assert result.returncode == 3, name
        assert "the VM is not running" in result.stderr and str(tmp_path / name) in result.stderr


def test_what_is_no_socket_says_nothing_of_a_vm(tmp_path):
    (tmp_path / "file").write_text("")
    (tmp_path / "link").symlink_to("file")
    os.mkfifo(tmp_path / "fifo")
    for name in ("file", "link", "fifo", "."):
        result = stop(tmp_path / name)
        assert result.returncode == 5 and f"{tmp_path / name} is no socket of a VM" in result.stderr, result


def test_a_qemu_whose_socket_was_removed_still_runs(tmp_path):
    with open(tmp_path / "qemu.pid", "w") as pid_file:
        assert stop(tmp_path / "qmp.sock").returncode == 3
        fcntl.lockf(pid_file, fcntl.LOCK_EX)  # as QEMU does
        result = stop(tmp_path / "qmp.sock")
        assert result.returncode == 1 and "the VM is not running" not in result.stderr, result
        assert f"a QEMU, process {os.getpid()}, has locked {tmp_path}/qemu.pid, but nobody listens" in result.stderr
    assert stop(tmp_path / "qmp.sock").returncode == 3


def test_a_path_that_is_too_long_is_refused_with_its_length(tmp_path):
    path = "/" + "x" * 107
    result = stop(path)
    assert result.returncode == 5 and "has 108 bytes; Linux allows 107" in result.stderr
    assert "not running" in stop(path[:107]).stderr
    assert stop("").returncode == 5


def test_wrong_usage():
    assert subprocess.run([CLI, "stop"], capture_output=True, check=False).returncode == 2
    assert stop("x", "--timeout", "soon").returncode == 2
