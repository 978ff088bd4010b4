# SPDX-License-Identifier: MIT
"""What a command says that it touches is what QEMU touches: a real QEMU under strace."""
import ctypes
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("BUILD_DIR", SOURCE / "build"))
CLI = os.environ.get("VOLT_QEMU", str(BUILD / "examples/volt-qemu/volt-qemu"))
ctypes.CDLL(str(BUILD / "lib/libvoltqemu.so.1"))
sys.path[:0] = [str(SOURCE / "examples/python"), str(SOURCE / "tests/harness")]
import power_guest  # noqa: E402
import voltqemu  # noqa: E402
from made_profile import make_profile  # noqa: E402

# What every program opens, whatever VM it runs.
OF_THE_SYSTEM = re.compile(r"/(proc|sys|usr|lib|lib64|etc)(/|$)|/$|/dev/(null|urandom)$")
OPENED = re.compile(r'^\d+ +(?:open|openat|openat2|creat)\((?:AT_FDCWD, )?"((?:[^"\\]|\\.)*)", (.*?)\) += (-?\d+)')
REACHED = re.compile(r'^\d+ +(connect|bind)\(\d+, \{sa_family=AF_UNIX, sun_path="((?:[^"\\]|\\.)*)"\}, \d+\) += 0')


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    base = tmp_path_factory.mktemp("touched")
    make_profile(base / "profile", "x86_64")
    for profile in ("emulate-x86", "kvm-uefi"):
        subprocess.run([CLI, "--root", base / "store", "ingest", "--profile", profile, base / "profile"], check=True,
                       stdout=subprocess.DEVNULL)
    return voltqemu.Store(base / "store")


@pytest.fixture
def place():
    """A directory whose path is short enough for sockets."""
    with tempfile.TemporaryDirectory(prefix="vm-") as directory:
        yield Path(directory)


def image(path, kind="raw"):
    subprocess.run(["qemu-img", "create", "-q", "-f", kind, path, "8M"], check=True)
    return str(path)


def connected(command, process):
    """QEMU needs a moment to listen."""
    for _ in range(600):
        try:
            return voltqemu.Monitor(command.socket("qmp"))
        except voltqemu.NotRunningError:
            assert process.poll() is None, process.stderr.read()
            time.sleep(0.1)
    raise AssertionError("nobody listens")


def trace(command, log):
    """Run the command until QMP answers, and end it; returns the lines of strace."""
    words = ["strace", "-f", "-qq", "-s", "4096", "-e", "trace=open,openat,openat2,creat,connect,bind,execve",
             "-o", str(log), *command.argv]
    with subprocess.Popen(words, env=command.env, cwd=command.cwd, stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        try:
            with connected(command, process) as monitor:
                monitor.execute("query-status")
                monitor.execute("quit")
            process.wait(60)
        finally:
            process.kill()
        assert process.returncode == 0, process.stderr.read()
    return log.read_text(errors="surrogateescape").splitlines()


def unescaped(text):
    return os.fsdecode(text.encode().decode("unicode_escape").encode("latin-1"))


def opened(lines, command):
    """path -> (read, written)"""
    tree, found = command.runtime.tree, {}
    for match in filter(None, map(OPENED.match, lines)):
        path, flags, result = os.path.normpath(os.path.join(command.cwd, unescaped(match[1]))), match[2], int(match[3])
        if result < 0 or path.startswith(f"{tree}/") or OF_THE_SYSTEM.match(path) or "O_PATH" in flags:
            continue
        reads, writes = found.get(path, (False, False))
        found[path] = (reads or "O_WRONLY" not in flags, writes or "O_RDONLY" not in flags)
    return found


def is_within(path, files):
    return any(path == file or path.startswith(f"{file}/") for file in files)


def check_files(command, lines):
    said = {file.path: file for file in command.files}
    done = opened(lines, command)
    assert len(done) > 1, "strace has seen nothing"
    for path, (_, writes) in done.items():
        names = [name for name in said if is_within(path, [name])]
        assert names, f"{path} is not among the files"
        assert not writes or any(said[name].write for name in names), f"{path} is written"
    return said, done


def check_sockets(command, lines):
    said = {*command.sockets.values(), *(companion.socket for companion in command.companions)}
    done = {unescaped(match[2]) for match in filter(None, map(REACHED.match, lines))}
    assert done and done <= said, done - said


def start_swtpm(companion):
    """As its caller does: the listening socket is descriptor 3."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(companion.socket)
        listener.listen()
        return subprocess.Popen(
            ["bash", "-c", f'exec "$@" 3<&{listener.fileno()}', "bash", *companion.argv], cwd=companion.cwd,
            pass_fds=(listener.fileno(),), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


def test_every_file_and_socket_is_among_those_that_the_command_tells(store, place, tmp_path):
    kernel = power_guest.build(tmp_path / "kernel")
    for name in ("initrd", "password"):
        (place / name).write_text("secret12")
        (place / name).chmod(0o600)
    for name in ("shared", "written"):
        (place / name).mkdir()
    vm = voltqemu.VM(
        "touched", state_dir=place / "state", runtime_dir=place / "run", kernel=kernel, initrd=place / "initrd",
        disks=[{"file": image(place / "raw")}, {"file": image(place / "read"), "read_only": True},
               {"file": image(place / "qcow2", "qcow2"), "format": "qcow2"},
               {"file": image(place / "cd"), "cdrom": True}],
        shares=[{"path": str(place / "shared"), "tag": "a"},
                {"path": str(place / "written"), "tag": "b", "writable": True}],
        nics=[{"isolated": True}], rng=True, tpm=True, display="vnc", vnc_password_file=place / "password",
        console="file", console_log=place / "log", qmp_socket=place / "qmp", guest_agent_socket=place / "agent")
    command = voltqemu.Command(store.resolve(voltqemu.select(profile="emulate-x86")), vm)
    command.prepare()
    with start_swtpm(command.companions[0]) as swtpm:
        try:
            lines = trace(command, tmp_path / "log")
        finally:
            swtpm.kill()
    said, done = check_files(command, lines)
    check_sockets(command, lines)
    assert said["/usr/bin/swtpm"] == voltqemu.CommandFile("/usr/bin/swtpm", False, False, True)
    used = {"initrd", "raw", "read", "qcow2", "cd", "shared", "written", "password", "log"}
    assert {str(place / name) for name in used} | {str(kernel)} <= done.keys() and "/dev/urandom" in said
    assert [said[str(place / name)].write for name in ("raw", "read", "qcow2", "cd", "shared", "written")] == \
        [True, False, True, False, False, True]


def usable_kvm():
    return os.access("/dev/kvm", os.R_OK | os.W_OK)


@pytest.mark.skipif(not usable_kvm(), reason="no KVM")
def test_nodes_and_variables_are_among_them(store, place, tmp_path):
    vm = voltqemu.VM("touched", state_dir=place / "state", runtime_dir=place / "run", firmware="uefi", console="pty",
                     cpu_model="qemu64",
                     disks=[{"file": image(place / "raw")}], qmp_socket=place / "qmp", nics=[{"isolated": True}])
    command = voltqemu.Command(store.resolve(voltqemu.select(profile="kvm-uefi")), vm, paused=True)
    command.prepare()
    lines = trace(command, tmp_path / "log")
    said, done = check_files(command, lines)
    check_sockets(command, lines)
    assert {"/dev/kvm", str(place / "state/nvram.fd")} <= done.keys()
    assert said[str(place / "state/nvram.fd")].write and said["/dev/kvm"].write


@pytest.mark.skipif(not shutil.which("ip") or not os.access("/dev/net/tun", os.W_OK), reason="no TAP devices")
def test_tap_devices_and_their_helper_are_among_them(store, place, tmp_path):
    name = f"volt{os.getpid() % 100000}"
    vm = voltqemu.VM("touched", state_dir=place / "state", runtime_dir=place / "run", qmp_socket=place / "qmp",
                     kernel=power_guest.build(tmp_path / "kernel"), console="none",
                     nics=[{"backend": "tap", "ifname": name}])
    made = subprocess.run(["ip", "tuntap", "add", "dev", name, "mode", "tap"], check=False, capture_output=True)
    if made.returncode != 0:
        pytest.skip(f"no TAP devices: {made.stderr}")
    try:
        command = voltqemu.Command(store.resolve(voltqemu.select(profile="emulate-x86")), vm)
        command.prepare()
        lines = trace(command, tmp_path / "log")
    finally:
        subprocess.run(["ip", "link", "delete", name], check=False)
    _, done = check_files(command, lines)
    assert "/dev/net/tun" in done
