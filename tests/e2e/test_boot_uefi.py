# SPDX-License-Identifier: MIT
"""Debian's kernel boots by UEFI firmware, and finds firmware, TPM, USB and secure boot as they were asked for.

What the firmware alone can tell is in test_uefi.py.
"""
import contextlib
import re
import socket
import subprocess
from pathlib import Path

import guests
import pytest
from boots import Vm, wait_until

DEADLINE = 180  # seconds; the longest boot takes 20 on a quiet machine
TABLET = ("0627:0001", "QEMU_USB_Tablet")
CONSOLES = {"x86_64": "ttyS0", "aarch64": "ttyAMA0", "arm": "ttyAMA0"}
PASSWORD = "s3cr,et"


@contextlib.contextmanager
def running(vm):
    with vm.swtpm(), vm.started() as started:
        yield started


@pytest.mark.parametrize("arch, tpm_driver, bits", [
    ("x86_64", "tpm_crb", "64"),
    # Debian's kernels for Arm have no driver of such a TPM.
    pytest.param("aarch64", None, "64", marks=pytest.mark.extended),
    pytest.param("arm", None, "32", marks=pytest.mark.extended),
])
def test_a_kernel_boots_by_uefi(arch, tpm_driver, bits, boot_store, guest_of, tmp_path):
    guest = guest_of(arch)
    vm = Vm(boot_store, arch, tmp_path, {
        "firmware": "uefi", "memory": 512, "cpus": 2, "kernel": str(guest.kernel),
        "initrd": str(guest.initrd), "rootfs": str(guest.rootfs), "tpm": True, "usb": True,
        "usb_tablet": True, "rng": True})
    vm.ask(f"efi,usb:1,rng:1,dmi{',tpm:1' if tpm_driver else ''}")
    with running(vm) as started:
        console = started.wait(DEADLINE)
    ready = console.ready()
    assert ready["root"] == "9p" and ready["cpus"] == "2"
    # Only where the firmware sees a TPM does the kernel have it measure something.
    console.require("EFI stub: Measured initrd data into PCR 9")
    assert [(e["bits"], e["secure_boot"]) for e in console.reports("efi")] == [(bits, "0")]
    assert [(u["id"], u["product"]) for u in console.reports("usb")] == [TABLET]
    assert [r["bytes"] for r in console.reports("rng")] == ["16"]
    if tpm_driver:
        assert [(t["version"], t["driver"]) for t in console.reports("tpm")] == [("2", tpm_driver)]
    argv = vm.argv()
    assert [d["uuid"] for d in console.reports("dmi")] == [argv[argv.index("-uuid") + 1]]


@pytest.mark.parametrize("arch, cdrom", [
    ("aarch64", False), pytest.param("aarch64", True, marks=pytest.mark.extended)])
def test_what_windows_on_arm_is_installed_on_and_from_is_booted(arch, cdrom, boot_store, guest_of, tmp_path):
    """Its firmware has no driver for every bus. A kernel that is an EFI program says that it runs."""
    loader, empty = tmp_path / "loader", tmp_path / "empty"
    for path in (loader, empty):
        with path.open("wb") as file:
            file.truncate(64 << 20)
    for words in (["mformat", "-F", "::"], ["mmd", "::/EFI", "::/EFI/BOOT"],
                  ["mcopy", guest_of(arch).kernel, "::/EFI/BOOT/BOOTAA64.EFI"]):
        subprocess.run([words[0], "-i", loader, *words[1:]], check=True, stdin=subprocess.DEVNULL)
    disks = [{"file": str(empty if cdrom else loader)}, {"file": str(loader if cdrom else empty), "cdrom": True}]
    vm = Vm(boot_store, arch, tmp_path, {"guest_os": "windows", "memory": 512, "disks": disks})
    with vm.started() as started:
        console = started.wait_for("EFI stub: Booting Linux Kernel", DEADLINE)
    console.require("/USB(" if cdrom else "/NVMe(")


# ---- a disk as an installed system has it ----


def make_disk(path, guest, report):
    """A FAT file system with shim, GRUB and the kernel."""
    loaders = guests.make_loaders()
    configuration = path.with_suffix(".cfg")
    configuration.write_text(f"linux /vmlinuz console=ttyS0 panic=1 volt.report={report}\n"
                             "initrd /initrd.img\nboot\n")
    with path.open("wb") as file:
        file.truncate(64 << 20)

    def mtools(program, *words):
        subprocess.run([program, "-i", path, *words], check=True, stdin=subprocess.DEVNULL)
    mtools("mformat", "-F", "::")
    mtools("mmd", "::/EFI", "::/EFI/BOOT", "::/EFI/debian")
    for source, target in ((loaders / "shim.efi", "EFI/BOOT/BOOTX64.EFI"),
                           (loaders / "grub.efi", "EFI/BOOT/grubx64.efi"),
                           (configuration, "EFI/debian/grub.cfg"), (guest.kernel, "vmlinuz"),
                           (guest.initrd, "initrd.img")):
        mtools("mcopy", source, f"::/{target}")


def encrypt(challenge, password):
    """VNC's answer to a challenge: DES with the password as the key, the bits of each byte reversed
    (RFC 6143, 7.2.2). Triple DES with one key thrice is DES, which OpenSSL no longer likes alone."""
    key = bytes(int(f"{byte:08b}"[::-1], 2) for byte in password.encode()[:8].ljust(8, b"\0"))
    return subprocess.run(["openssl", "enc", "-des-ede3", "-nopad", "-K", (key * 3).hex()],
                          input=challenge, capture_output=True, check=True).stdout


def log_in_by_vnc(path, password):
    """Whether the VNC server at a Unix socket takes a password."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(DEADLINE)
        wait_until(lambda: connection.connect_ex(str(path)) == 0, DEADLINE)
        server = connection.makefile("rwb", buffering=0)
        assert server.read(12) == b"RFB 003.008\n"
        server.write(b"RFB 003.008\n")
        assert server.read(2) == b"\x01\x02"  # one kind of security: a password
        server.write(b"\x02")
        server.write(encrypt(server.read(16), password))
        return server.read(4) == bytes(4)


@pytest.mark.extended
def test_a_signed_system_boots_from_its_disk_by_secure_boot(boot_store, guest_of, tmp_path):
    """With everything that a desktop has: TPM, screen, tablet, disk, CD-ROM drive."""
    disk = tmp_path / "disk.img"
    make_disk(disk, guest_of("x86_64"), "efi,tpm:1,usb:1,disk:2")
    (tmp_path / "password").write_text(PASSWORD)
    (tmp_path / "password").chmod(0o600)
    vm = Vm(boot_store, "x86_64", tmp_path, {
        "firmware": "uefi", "secure_boot": True, "memory": 512, "tpm": True, "display": "vnc",
        "vnc_password_file": str(tmp_path / "password"),
        "disks": [{"file": str(disk), "boot_order": 1}, {"cdrom": True}]})
    with running(vm) as started:
        screen = Path(vm.document["runtime_dir"], "vnc.sock")
        assert not log_in_by_vnc(screen, "wrong")
        assert log_in_by_vnc(screen, PASSWORD)
        console = started.wait(DEADLINE)
    disk.unlink()  # large
    console.require("EFI stub: UEFI Secure Boot is enabled.")
    console.ready()
    assert [e["secure_boot"] for e in console.reports("efi")] == ["1"]
    assert [(t["version"], t["driver"]) for t in console.reports("tpm")] == [("2", "tpm_crb")]
    assert [(u["id"], u["product"]) for u in console.reports("usb")] == [TABLET]
    assert [re.sub(r"\d", "", d["name"]) for d in console.reports("disk")] == ["vda", "sr"]
