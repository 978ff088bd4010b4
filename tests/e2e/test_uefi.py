# SPDX-License-Identifier: MIT
"""UEFI guests with TPM, USB and VNC, really booted: an application of our own tells what it sees."""
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest
from made_profile import make_profile

HERE = Path(__file__).resolve().parent
CLI = os.environ.get("VOLT_QEMU", str(HERE.parents[1] / "build/examples/volt-qemu/volt-qemu"))
DEADLINE = 120.0  # seconds; a boot takes 4 to 10 on a quiet machine
QEMU_TABLET = "0627:0001"
REPORT = re.compile(r"VOLT-EFI tpm=(\d) secureboot=(\d) boots=(\d) usb=([0-9a-f:,]*)")


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return tmp_path_factory.mktemp("uefi")


@pytest.fixture(scope="module")
def profile(base):
    return make_profile(base / "profile", "x86_64")


@pytest.fixture(scope="module")
def root(base, profile):
    directory = base / "store"
    volt(directory, "build", "--profile", "emulate-x86", profile)
    return directory


@pytest.fixture(scope="module")
def image(base):
    """A disk with a FAT file system, from which firmware boots \\EFI\\BOOT\\BOOTX64.EFI."""
    program, path = base / "BOOTX64.EFI", base / "disk.img"
    subprocess.run(["clang", "-target", "x86_64-unknown-windows", "-ffreestanding", "-mno-red-zone",
                    "-fno-stack-protector", "-O1", "-Wall", "-Wextra", "-Werror", "-c", "-o",
                    base / "efi_app.o", HERE.parent / "harness/efi_app.c"], check=True)
    subprocess.run(["lld-link", "-subsystem:efi_application", "-entry:efi_main", "-nodefaultlib",
                    f"-out:{program}", base / "efi_app.o"], check=True)
    subprocess.run(["mformat", "-C", "-i", path, "-f", "2880", "::"], check=True)
    subprocess.run(["mmd", "-i", path, "::/EFI", "::/EFI/BOOT"], check=True)
    subprocess.run(["mcopy", "-i", path, program, "::/EFI/BOOT/"], check=True)
    return path


def run_volt(root, *words):
    return subprocess.run([CLI, "--root", root, *words], capture_output=True, text=True, check=False,
                          stdin=subprocess.DEVNULL, errors="replace")


def volt(root, *words):
    run = run_volt(root, *words)
    assert run.returncode == 0, run.stderr
    return run.stdout


class Guest:
    """A VM of the library's, run until it ends, with its console in a file."""

    def __init__(self, root, directory, image, **keys):
        self.directory, self.root = directory, root
        document = {"name": "uefi, test", "guest_os": "linux", "firmware": "uefi", "memory": 256,
                    "state_dir": str(directory / "state"), "runtime_dir": str(directory / "run"),
                    "disks": [{"file": str(image), "boot_order": 1, "read_only": True}], **keys}
        self.file = directory / "vm.json"
        self.file.write_text(json.dumps(document))
        self.process = self.swtpm = None

    def words(self, *more):
        return ["--profile", "emulate-x86", "--vm", self.file, *more]

    def start(self, *more):
        with (self.directory / "console").open("wb") as console:
            self.process = subprocess.Popen([CLI, "--root", self.root, "run", *self.words(*more)],
                                            stdin=subprocess.DEVNULL, stdout=console,
                                            stderr=subprocess.STDOUT)

    def start_swtpm(self):
        volt(self.root, "prepare", *self.words())
        path = self.directory / "run/tpm.sock"
        self.swtpm = subprocess.Popen(["swtpm", "socket", "--tpm2", "--tpmstate",
                                       f"dir={self.directory / 'state/tpm'}", "--ctrl",
                                       f"type=unixio,path={path}", "--terminate"],
                                      stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(path.exists)

    @property
    def console(self):
        return (self.directory / "console").read_text(errors="replace")

    def report(self):
        self.process.wait(timeout=DEADLINE)
        found = REPORT.search(self.console)
        assert found, self.console[-3000:]
        return {"tpm": found[1], "secureboot": found[2], "boots": int(found[3]), "usb": found[4]}

    def end(self):
        for process in (self.process, self.swtpm):
            if process:
                process.send_signal(signal.SIGKILL)
                process.wait()


@pytest.fixture
def guest(root, tmp_path, image):
    guests = []

    def make(**keys):
        guests.append(Guest(root, tmp_path, image, **keys))
        return guests[-1]
    yield make
    for one in guests:
        one.end()


def wait_for(condition):
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline, "nothing happened in time"
        time.sleep(0.02)


def connect_vnc(path):
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(DEADLINE)
    wait_for(lambda: connection.connect_ex(str(path)) == 0)
    return connection


def test_a_guest_sees_tpm_and_tablet_and_answers_by_vnc(guest):
    desktop = guest(tpm=True, display="vnc")
    desktop.start_swtpm()
    desktop.start()
    with connect_vnc(desktop.directory / "run/vnc.sock") as vnc:
        assert vnc.recv(12) == b"RFB 003.008\n"
        vnc.sendall(b"RFB 003.008\n")
        assert vnc.recv(2) == b"\x01\x01"  # one kind of security: none
    report = desktop.report()
    assert report["tpm"] == "1" and QEMU_TABLET in report["usb"], report
    assert desktop.swtpm.wait(timeout=DEADLINE) == 0


def test_without_them_the_guest_sees_neither_and_variables_survive(guest):
    plain = guest()
    plain.start()
    assert plain.report() == {"tpm": "0", "secureboot": "0", "boots": 1, "usb": ""}
    plain.start()
    assert plain.report()["boots"] == 2


def test_a_vnc_password_is_asked_for(guest, tmp_path):
    (tmp_path / "password").write_text("secret")
    (tmp_path / "password").chmod(0o600)
    desktop = guest(display="vnc", vnc_password_file=str(tmp_path / "password"))
    desktop.start()
    with connect_vnc(desktop.directory / "run/vnc.sock") as vnc:
        assert vnc.recv(12) == b"RFB 003.008\n"
        vnc.sendall(b"RFB 003.008\n")
        assert vnc.recv(2) == b"\x01\x02"  # one kind of security: a password (RFC 6143, 7.1.2)
        vnc.sendall(b"\x02")
        assert len(vnc.recv(16)) == 16  # the challenge
        vnc.sendall(bytes(16))
        assert vnc.recv(4) == b"\0\0\0\x01"  # refused
    arguments = Path("/proc", str(desktop.process.pid), "cmdline").read_bytes()
    assert b"secret" not in arguments.replace(b"secret,id=vnc-password", b"").replace(b"-secret=", b"")


def test_secure_boot_refuses_what_is_not_signed(guest):
    secure = guest(secure_boot=True)
    secure.start()
    wait_for(lambda: "Access Denied" in secure.console or secure.process.poll() is not None)
    assert "Access Denied" in secure.console and not REPORT.search(secure.console), secure.console[-3000:]


def test_variables_of_other_firmware_are_refused_with_the_way_out(root, profile, guest, tmp_path, image):
    first = guest()
    first.start()
    assert first.report()["boots"] == 1
    old = json.loads(volt(root, "--json", "refs"))[0]["name"]
    changed = tmp_path / "changed"
    shutil.copytree(profile, changed)
    with (changed / "firmware/OVMF_CODE_4M.fd").open("r+b") as code:
        assert code.read(16) == bytes(16)  # firmware volumes begin with zeros, which nobody reads
        code.seek(0)
        code.write(b"another firmware")
    volt(root, "ingest", "--profile", "emulate-x86", changed)
    refused = run_volt(root, "run", *first.words())
    assert refused.returncode == 1 and not refused.stdout
    for words in ("nvram.fd", "--revision", "--keep-variables", "--reset-variables"):
        assert words in refused.stderr, refused.stderr
    first.start("--revision", old)
    assert first.report()["boots"] == 2
    volt(root, "prepare", *first.words("--keep-variables"))
    first.start()
    assert first.report()["boots"] == 3
    volt(root, "prepare", *first.words("--reset-variables"))
    assert (tmp_path / "state/nvram.fd.old").exists()
    first.start()
    assert first.report()["boots"] == 1
