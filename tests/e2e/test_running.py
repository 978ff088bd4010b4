# SPDX-License-Identifier: MIT
"""A VM that runs is not started again, whoever tries, and is not disturbed by that."""
import contextlib
import json
import os
import re
import signal
import socket
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
DEADLINE = 60  # seconds; a guest is up in 0.5 s on a quiet machine
BUSY = 4


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    base = tmp_path_factory.mktemp("running")
    make_profile(base / "profile", "x86_64")
    subprocess.run([CLI, "--root", base / "store", "build", "--profile", "emulate-x86", base / "profile"],
                   check=True, stdout=subprocess.DEVNULL)
    return base / "store"


@pytest.fixture(scope="module")
def kernel(tmp_path_factory):
    return power_guest.build(tmp_path_factory.mktemp("guest") / "kernel")


class Vm:
    """A guest without disks, which nothing but its name would tell from another of its kind."""

    def __init__(self, directory, root, kernel, **keys):
        self.run_dir, self.qmp = directory / "run", directory / "run/qmp.sock"
        self.console = directory / "console.log"
        self.document = directory / "vm.json"
        self.document.write_text(json.dumps({
            "name": "web", "memory": 64, "kernel": str(kernel), "console": "file",
            "console_path": str(self.console), "runtime_dir": str(self.run_dir),
            "state_dir": str(directory / "state"), "qmp_socket": str(self.qmp), **keys}))
        self._words = ["--profile", "emulate-x86", "--vm", self.document]
        self._cli = [CLI, "--root", root]

    def volt(self, command, *words):
        return subprocess.run([*self._cli, command, *self._words, *words], capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=2 * DEADLINE, check=False)

    @contextlib.contextmanager
    def running(self, **options):
        process = subprocess.Popen([*self._cli, "run", *self._words], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, **options)
        try:
            deadline = time.monotonic() + DEADLINE
            while not self.console.exists() or power_guest.READY not in self.console.read_text():
                assert process.poll() is None, process.stderr.read()
                assert time.monotonic() < deadline, "the guest is not up in time"
                time.sleep(0.02)
            yield process
        finally:
            process.kill()
            process.communicate()


@pytest.fixture
def vm(tmp_path, root, kernel):
    return Vm(tmp_path, root, kernel)


def test_a_second_start_is_busy_and_the_first_vm_is_not_disturbed(vm):
    with vm.running() as process:
        before = os.stat(vm.qmp)
        for command in ("run", "prepare"):
            refused = vm.volt(command)
            assert refused.returncode == BUSY, refused
            assert "runs already" in refused.stderr and str(process.pid) in refused.stderr
        told = json.loads(vm.volt("run", "--json").stderr)["error"]
        assert told["reason"] == "runs-already" and told["details"]["process"] == str(process.pid)
        # without any of that, as from a saved command, or what "args" prints
        made = json.loads(vm.volt("args", "--json").stdout)
        by_hand = subprocess.run(made["argv"], env=dict(v.split("=", 1) for v in made["env"]), cwd=made["cwd"],
                                 capture_output=True, text=True, timeout=DEADLINE, check=False)
        assert by_hand.returncode == 1 and "PID file" in by_hand.stderr, by_hand
        after = os.stat(vm.qmp)
        assert (before.st_ino, before.st_ctime_ns) == (after.st_ino, after.st_ctime_ns)
        subprocess.run([CLI, "stop", "--timeout", "30", vm.qmp], check=True, timeout=2 * DEADLINE)
        assert process.wait(timeout=DEADLINE) == 0
    assert power_guest.SEEN in vm.console.read_text()
    assert vm.volt("prepare").returncode == 0


def test_a_vm_that_was_killed_can_be_started_again(vm):
    with vm.running() as process:
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert (vm.run_dir / "qemu.pid").exists()
    vm.console.unlink()
    with vm.running():
        pass


def test_several_starts_at_once_leave_one_vm(vm):
    """Whoever comes too late for the look at the lock is ended by QEMU."""
    many = [subprocess.Popen([*vm._cli, "run", *vm._words], stdin=subprocess.DEVNULL,
                             stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) for _ in range(4)]
    try:
        deadline = time.monotonic() + 2 * DEADLINE
        while sum(process.poll() is None for process in many) > 1 or not vm.console.exists() or \
                power_guest.READY not in vm.console.read_text():
            assert time.monotonic() < deadline, [process.poll() for process in many]
            time.sleep(0.02)
        assert vm.console.read_text().count(power_guest.READY) == 1
        alive = [process for process in many if process.poll() is None]
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(vm.qmp))
            peer = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
            assert int.from_bytes(peer[:4], sys.byteorder) == alive[0].pid
    finally:
        for process in many:
            process.kill()
            process.communicate()


@pytest.mark.parametrize("compat", ["0.10", "1.1"])
def test_images_name_no_files_that_the_vm_does_not(tmp_path, root, kernel, compat):
    """As qemu-img makes them."""
    image, secret = tmp_path / "image", tmp_path / "secret"
    secret.write_bytes(b"secret" * 1000)
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-o", f"compat={compat}", "-b", secret, "-F", "raw",
                    image], check=True)
    disk = {"file": str(image), "format": "qcow2"}
    refused = Vm(tmp_path, root, kernel, disks=[disk]).volt("prepare")
    assert refused.returncode == 1 and f'"{secret}"' in refused.stderr and "disks[0].backing" in refused.stderr
    named = Vm(tmp_path, root, kernel, disks=[{**disk, "backing": [{"file": str(secret)}]}])
    with named.running():
        pass
    if compat == "0.10":
        return
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-o", f"data_file={tmp_path}/data", image, "1M"],
                   check=True)
    refused = Vm(tmp_path, root, kernel, disks=[disk]).volt("run")
    assert refused.returncode == 1 and f'"{tmp_path}/data"' in refused.stderr, refused
    named.console.unlink()
    with Vm(tmp_path, root, kernel, disks=[{**disk, "data_file": f"{tmp_path}/data"}]).running():
        pass


def test_qemu_gets_nothing_of_the_callers(vm, tmp_path):
    """Neither descriptors that the VM does not name, nor its umask."""
    (tmp_path / "secret").write_text("")
    with open(tmp_path / "secret", encoding="utf-8") as secret:
        before = os.umask(0)
        try:
            with vm.running(pass_fds=[secret.fileno()]) as process:
                fds = f"/proc/{process.pid}/fd"
                opened = [os.readlink(f"{fds}/{fd}") for fd in os.listdir(fds)]
                assert str(tmp_path / "secret") not in opened
                assert not os.stat(vm.qmp).st_mode & 0o077
                assert not os.stat(vm.run_dir).st_mode & 0o077
                assert re.fullmatch(rf"{process.pid}\n", (vm.run_dir / "qemu.pid").read_text())
        finally:
            os.umask(before)
