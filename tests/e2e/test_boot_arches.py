# SPDX-License-Identifier: MIT
"""Debian's kernel of every architecture boots to user space, and finds the devices it is given."""
import json

import pytest
from boots import Vm

DEADLINES = {  # seconds; five times what a boot takes on a quiet machine
    "x86_64": 60, "i386": 60, "aarch64": 60, "arm": 60, "mipsel": 60, "mips64el": 60, "ppc64le": 90,
    "s390x": 60,
}
MACHINES = {"x86_64": "x86_64", "i386": "i686", "aarch64": "aarch64", "arm": "armv7l", "mipsel": "mips",
            "mips64el": "mips64", "ppc64le": "ppc64le", "s390x": "s390x"}
# The other kernels have no driver for it.
WATCHDOGS = {"x86_64": "i6300ESB_timer", "i386": "i6300ESB_timer", "aarch64": "i6300ESB_timer",
             "s390x": "z_Watchdog"}
SECTOR = 512


def is_pci(arch):
    return arch != "s390x"


def has_msix(arch):
    return arch not in ("mipsel", "mips64el", "s390x")


def image(directory, name, sectors):
    """A disk that says its name in its first sector."""
    path = directory / f"{name}.img"
    path.write_bytes(name.encode().ljust(sectors * SECTOR, b"\0"))
    return str(path)


def document(guest, **more):
    kernel = guest.vmlinux if guest.vmlinux.exists() else guest.kernel
    return {"memory": 512, "rootfs": str(guest.rootfs), "kernel": str(kernel),
            "initrd": str(guest.initrd), **more}


def without(report, *keys):
    return {key: value for key, value in report.items() if key not in keys}


@pytest.mark.parametrize("arch", MACHINES)
def test_a_guest_boots_and_finds_what_it_was_given(arch, boot_store, guest_of, tmp_path):
    """Root file system over 9p, a disk, a network that it can use, entropy, a share."""
    disk = image(tmp_path, "disk-of-" + arch, 2048)
    given = document(
        guest_of(arch), rng=True, disks=[{"file": disk, "serial": "ABC-1"}],
        nics=[{"backend": "user", "mac": "52:54:00:12:34:56"}],
        shares=[{"path": str(tmp_path), "tag": "second"}])
    vm = Vm(boot_store, arch, tmp_path, given).ask("disk:1,nic:1,rng:1,share,dhcp")
    console = vm.run(DEADLINES[arch])
    ready = console.require("hello from a directory of the host").ready()
    assert ready["machine"] == MACHINES[arch] and ready["root"] == "9p" and ready["cpus"] == "1"
    assert int(ready["memory"]) > 200_000
    disks = console.reports("disk")
    assert [without(d, "discard", "cache") for d in disks] == [
        {"name": "vda", "bus": "virtio", "size": str(2048 * SECTOR), "ro": "0", "serial": "ABC-1",
         "start": ("disk-of-" + arch)[:16].ljust(16, ".")}]
    assert [(n["mac"], n["driver"]) for n in console.reports("nic")] == [
        ("52:54:00:12:34:56", "virtio_net")]
    assert [d["address"] for d in console.reports("dhcp")] == ["10.0.2.15"]
    assert [(r["current"], r["bytes"]) for r in console.reports("rng")] == [("virtio_rng.0", "16")]
    assert sorted(s["tag"] for s in console.reports("share")) == ["rootfs", "second"]


def cpus_of(arch):
    return 1 if arch in ("mipsel", "mips64el") else 2


BUSES = ["virtio", "scsi", "nvme", "ide"]


def buses_of(arch):
    if arch == "s390x":
        return ["virtio", "scsi"]
    return BUSES if has_msix(arch) else ["virtio", "scsi", "ide"]


def assert_every_device_is_found(arch, store, guest, directory, **more):
    given = document(
        guest, cpus=cpus_of(arch), balloon=True, watchdog="poweroff", guest_agent_socket=str(directory / "ga"),
        display="vnc", vnc_socket=str(directory / "vnc"),
        disks=[{"file": image(directory, "on-" + bus, 2048 + i), "bus": bus, "serial": "S-" + bus}
               for i, bus in enumerate(buses_of(arch))]
        + [{"file": image(directory, "cdrom", 2048), "cdrom": True}], **more)
    vm = Vm(store, arch, directory, given)
    usb = f"usb:{1 if arch in ('x86_64', 'i386') else 2}" if is_pci(arch) else "input:2"
    watchdog = WATCHDOGS.get(arch)
    vm.ask(f"disk:{len(given['disks'])},port:1,{usb},virtio,{'watchdog:1' if watchdog else 'pci'}")
    console = vm.run(2 * DEADLINES[arch])
    assert console.ready()["cpus"] == str(cpus_of(arch))
    found = {(d["bus"], d["start"].rstrip("."), int(d["size"]) // SECTOR, d["ro"], d["serial"])
             for d in console.reports("disk") if not d["name"].startswith("sr")}
    assert found == {(bus, "on-" + bus, 2048 + i, "0", "S-" + bus)
                     for i, bus in enumerate(buses_of(arch))}
    assert [(d["start"].rstrip("."), d["ro"]) for d in console.reports("disk")
            if d["name"].startswith("sr")] == [("cdrom", "1")]
    if watchdog:
        assert [w["identity"] for w in console.reports("watchdog")] == [watchdog]
    else:
        assert "0x8086:0x25ab" in [p["id"] for p in console.reports("pci")]
    assert [p["name"] for p in console.reports("port")] == ["org.qemu.guest_agent.0"]
    assert "virtio_balloon" in [v["driver"] for v in console.reports("virtio")]
    return console


def test_every_device_of_an_x86_guest_is_found(boot_store, guest_of, tmp_path):
    console = assert_every_device_is_found("x86_64", boot_store, guest_of("x86_64"), tmp_path)
    assert [u["product"] for u in console.reports("usb")] == ["QEMU_USB_Tablet"]


@pytest.mark.extended
@pytest.mark.parametrize("arch", [arch for arch in MACHINES if arch != "x86_64"])
def test_every_device_is_found(arch, boot_store, guest_of, tmp_path):
    assert_every_device_is_found(arch, boot_store, guest_of(arch), tmp_path)


@pytest.mark.parametrize("arch, says", [
    ("riscv64", ["OpenSBI v", "Platform Name             : riscv-virtio,qemu"]),
    ("ppc", ["OpenBIOS 1.1"]),
    ("ppc64", ["SLOF", "Welcome to Open Firmware"]),
])
def test_firmware_speaks_on_the_console(arch, says, boot_store, tmp_path):
    """Where Debian has no kernel, and none is needed to see that machine and console belong together."""
    with Vm(boot_store, arch, tmp_path, {}).started() as running:
        for text in says:
            running.wait_for(text, 30)
