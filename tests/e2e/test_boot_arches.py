# SPDX-License-Identifier: MIT
"""Debian's kernel of every architecture boots to user space, and finds the devices it is given."""
import contextlib
import json
import socket
import subprocess
from pathlib import Path

import pytest
from boots import VIRTIOFSD, Vm, wait_until

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


def extended(*arches):
    return [pytest.param(arch, marks=pytest.mark.extended) for arch in arches]


# A guest of any is made of packages, and boots for seconds. These have PCI on a PC, PCI Express, and channels.
FAMILIES = ["x86_64", "aarch64", "s390x", *extended("i386", "arm", "mipsel", "mips64el", "ppc64le")]


@pytest.mark.parametrize("arch", FAMILIES)
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


@pytest.mark.parametrize("arch", ["aarch64", *extended("ppc64le")])
def test_a_guest_finds_what_is_behind_a_bridge_alone(arch, boot_store, guest_of, tmp_path):
    """Linux looks for functions of a slot only where there is the first of them."""
    given = document(guest_of(arch), nics=[{}], slots={"nic0": "bridge2:0x3"})
    console = Vm(boot_store, arch, tmp_path, given).ask("nic:1").run(DEADLINES[arch])
    assert [n["driver"] for n in console.reports("nic")] == ["virtio_net"]


def overlay(path, size, *options):
    subprocess.run(["qemu-img", "create", "-q", "-u", "-f", "qcow2", *options, path, str(size)], check=True)
    return str(path)


def test_a_guest_reads_only_the_layers_that_the_vm_names(boot_store, guest_of, tmp_path):
    """Images of a stranger, whose headers name files of the host; and one of the VM's own."""
    size = 2048 * SECTOR
    secret, base = image(tmp_path, "secret", 2048), image(tmp_path, "base", 2048)
    described = json.dumps({"driver": "raw", "file": {"driver": "file", "filename": secret}})
    hostile = [overlay(tmp_path / f"hostile-{i}", size, *options) for i, options in enumerate((
        ["-b", secret, "-F", "raw"], ["-b", "json:" + described, "-F", "raw"], ["-b", "secret.img", "-F", "raw"]))]
    unnamed = overlay(tmp_path / "unnamed", size, "-b", secret, "-F", "raw")
    content = bytearray(Path(unnamed).read_bytes())  # without a format, QEMU would guess it
    at = content.index(b"raw", 104)
    content[at - 8:at + 8] = bytes(16)
    Path(unnamed).write_bytes(content)
    middle = overlay(tmp_path / "middle", size, "-b", secret, "-F", "raw")
    top = overlay(tmp_path / "top", size, "-b", "/nowhere", "-F", "raw")
    disks = [{"file": file, "format": "qcow2"} for file in [*hostile, unnamed]] + [
        {"file": overlay(tmp_path / "over-hostile", size), "format": "qcow2",
         "backing": [{"file": hostile[0], "format": "qcow2"}]},
        {"file": top, "format": "qcow2", "backing": [{"file": middle, "format": "qcow2"}, {"file": base}]},
        {"file": hostile[0], "format": "qcow2", "cdrom": True}]
    disks[0]["read_only"] = True  # it is a layer of another
    vm = Vm(boot_store, "x86_64", tmp_path, document(guest_of("x86_64"), disks=disks)).ask(f"disk:{len(disks)}")
    assert "backing" in vm.run(DEADLINES["x86_64"]).text  # preparing refuses them
    console = vm.run(DEADLINES["x86_64"], prepared=False)
    assert {d["name"]: d["start"].rstrip(".") for d in console.reports("disk")} == {
        "vda": "", "vdb": "", "vdc": "", "vdd": "", "vde": "", "vdf": "base", "sr0": ""}


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


@pytest.mark.parametrize("arch", ["x86_64", *extended("i386", "aarch64", "arm")])
def test_a_guest_boots_from_virtiofs(arch, boot_store, guest_of, tmp_path):
    vm = Vm(boot_store, arch, tmp_path, document(guest_of(arch), rootfs_driver="virtiofs", virtiofsd_program=VIRTIOFSD))
    with vm.virtiofsd():
        console = vm.run(DEADLINES[arch])
    assert console.require("hello from a directory of the host").ready()["root"] == "virtiofs"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def talk(port):
    """Say something to a forwarded port until there is an answer; QEMU takes connections at once, and
    closes them again while nobody in the guest listens."""
    answer = b""

    def answered():
        nonlocal answer
        with contextlib.suppress(ConnectionError):
            with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
                connection.sendall(b"from-the-host\n")
                answer = connection.makefile("rb").readline()
        return answer
    wait_until(answered, 60)
    return answer


def test_the_host_talks_to_a_guest_and_shuts_it_down(boot_store, guest_of, tmp_path):
    """A forwarded port, and the power button that "volt-qemu stop" presses."""
    port, qmp = free_port(), tmp_path / "qmp.sock"
    vm = Vm(boot_store, "x86_64", tmp_path, document(
        guest_of("x86_64"), qmp_socket=str(qmp),
        nics=[{"backend": "user", "forwards": [{"host_port": port, "guest_port": 7000}]}]))
    vm.ask("dhcp,served,powerbutton:1")
    with vm.started() as running:
        running.wait_for("REPORT waiting served", DEADLINES["x86_64"])
        assert talk(port) == b"from-the-guest\n"
        running.wait_for("REPORT waiting event", DEADLINES["x86_64"])
        boot_store.volt("stop", "--timeout", "60", qmp)
        console = running.wait(60)
    console.ready()
    assert [s["got"] for s in console.reports("served")] == ["from-the-host"]
    assert [p["pressed"] for p in console.reports("powerbutton")] == ["yes"]


@pytest.mark.extended
@pytest.mark.parametrize("arch, keys, disk_bus, nic_driver", [
    ("x86_64", {"machine": "pc"}, "virtio", "virtio_net"),
    ("x86_64", {"guest_os": "windows"}, "ide", "e1000e"),
    ("x86_64", {"guest_os": "other", "machine": "pc"}, "ide", "e1000"),
    ("i386", {"machine": "q35"}, "virtio", "virtio_net"),
    ("i386", {"guest_os": "windows"}, "ide", "e1000"),
    ("mipsel", {"guest_os": "other"}, "ide", "pcnet32"),
    ("mips64el", {"guest_os": "other"}, "ide", "pcnet32"),
    ("ppc64le", {"guest_os": "other"}, "virtio", "virtio_net"),
])
def test_what_a_guest_gets_by_its_system_works(arch, keys, disk_bus, nic_driver, boot_store, guest_of,
                                               tmp_path):
    """Devices that are chosen by operating system and machine; Linux has drivers for all of them."""
    vm = Vm(boot_store, arch, tmp_path, document(
        guest_of(arch), disks=[{"file": image(tmp_path, "disk", 2048)}], nics=[{}], firmware="bios",
        **keys)).ask("disk:1,nic:1,dhcp")
    console = vm.run(DEADLINES[arch])
    console.ready()
    assert [(d["bus"], d["start"].rstrip(".")) for d in console.reports("disk")] == [(disk_bus, "disk")]
    assert [n["driver"] for n in console.reports("nic")] == [nic_driver]
    assert [d["address"] for d in console.reports("dhcp")] == ["10.0.2.15"]


@pytest.mark.extended
@pytest.mark.parametrize("arch", ["arm", "aarch64", "i386", "ppc64le", "s390x"])
def test_the_default_command_line_boots(arch, boot_store, guest_of, tmp_path):
    """As packed, with the least memory that the library gives."""
    guest = guest_of(arch)
    vm = Vm(boot_store, arch, tmp_path, {"rootfs": str(guest.rootfs), "kernel": str(guest.kernel),
                                         "initrd": str(guest.initrd)})
    assert vm.run(DEADLINES[arch]).ready()["root"] == "9p"


@pytest.mark.parametrize("arch, says", [
    ("riscv64", ["OpenSBI v", "Platform Name             : riscv-virtio,qemu"]),
    ("ppc", ["OpenBIOS 1.1"]),
    ("ppc64", ["SLOF", "Welcome to Open Firmware"]),
])
def test_firmware_speaks_on_the_console(arch, says, boot_store, tmp_path):
    """Where Debian has no kernel, and none is needed to see that machine and console belong together."""
    firmware = {"firmware": "bios"}  # alone, with nothing to boot
    with Vm(boot_store, arch, tmp_path, firmware).started() as running:
        for text in says:
            running.wait_for(text, 30)
