# SPDX-License-Identifier: MIT
"""Every device that the library can give a VM: the real QEMU of each architecture starts with it, has
what was asked for, and says nothing."""
import contextlib
import fcntl
import json
import os
import re
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "harness"))
from library import INVALID, UNSUPPORTED, Refused  # noqa: E402
from machines import ARCHES, EACH_KIND, X86, Machines, open_files  # noqa: E402
from qmp import QemuFailed  # noqa: E402

NO_MSIX = ["mips", "mipsel", "mips64", "mips64el", "ppc", "s390x"]
PLAIN_IDE = ["mips", "mipsel", "mips64", "mips64el", "ppc"]
WITH_TPM = ["x86_64", "i386", "aarch64", "arm", "riscv64", "riscv32", "ppc64", "ppc64le"]
WITH_RAMFB = ["x86_64", "i386", "aarch64", "arm", "loongarch64"]
NICS = ["virtio", "e1000e", "e1000", "rtl8139", "vmxnet3", "pcnet", "ne2k_pci"]
DEADLINE = 60.0


@pytest.fixture(scope="module")
def machines(tmp_path_factory):
    directory = tmp_path_factory.mktemp("machines")
    yield Machines(directory)
    shutil.rmtree(directory)


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """Images to read, and to copy if they are to be written."""
    directory = tmp_path_factory.mktemp("images")
    for name, size in (("raw", 8), ("iso", 2)):
        with open(directory / name, "wb") as file:
            file.truncate(size << 20)
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", directory / "qcow2", "8M"], check=True)
    return directory


@pytest.fixture
def place():
    """A directory whose path is short enough for sockets."""
    with tempfile.TemporaryDirectory(prefix="vm-") as directory:
        yield Path(directory)


@pytest.fixture
def image(images, place):
    """Makes an image of its own."""
    def make(name, kind="raw"):
        return Path(shutil.copy(images / kind, place / name))
    return make


def device(qmp, name, key="type"):
    return qmp.execute("qom-get", path=f"/machine/peripheral/{name}", property=key)


def has_device(qmp, name):
    return any(d["name"] == name for d in qmp.execute("qom-list", path="/machine/peripheral"))


def monitor(qmp, line):
    return qmp.execute("human-monitor-command", **{"command-line": line})


def block_nodes(qmp):
    nodes = qmp.execute("query-named-block-nodes")
    return {node["node-name"]: node for node in nodes}


def chardevs(qmp):
    return {chardev["label"]: chardev["filename"] for chardev in qmp.execute("query-chardev")}


def refused(machines, arch, description, code, words):
    with pytest.raises(Refused, match=re.escape(words)) as raised:
        machines.build(arch, description)
    assert raised.value.code == code


# ---- disks ----

def expected_models(arch):
    bus = "ccw" if arch == "s390x" else "pci"
    models = {"virtio": f"virtio-blk-{bus}", "scsi": "scsi-hd"}
    if arch not in NO_MSIX:
        models["nvme"] = "nvme"
    if arch != "s390x":
        models["ide"] = "ide-hd"
        models["usb"] = "usb-storage"
    return models


@pytest.mark.parametrize("kind", ["raw", "qcow2"])
@pytest.mark.parametrize("arch", EACH_KIND)
def test_disks_on_every_bus(machines, image, arch, kind):
    models = expected_models(arch)
    disks = [{"file": str(image(bus, kind)), "format": kind, "bus": bus, "serial": f"{bus}, =1",
              "boot_order": i + 1} for i, bus in enumerate(models)]
    with machines.start(arch, {"disks": disks}) as qmp:
        nodes = block_nodes(qmp)
        for i, (bus, model) in enumerate(models.items()):
            assert device(qmp, f"drive{i}") == model
            assert device(qmp, f"drive{i}", "serial") == f"{bus}, =1"
            assert device(qmp, f"drive{i}", "bootindex") == i + 1
            assert bus == "usb" or device(qmp, f"drive{i}", "drive") == f"disk{i}"  # it gives that to a SCSI disk
            assert nodes[f"disk{i}"]["drv"] == kind
            assert nodes[f"disk{i}"]["file"] == disks[i]["file"]
            assert not nodes[f"disk{i}"]["ro"]


@pytest.mark.parametrize("arch", EACH_KIND)
def test_read_only_disks_and_drives_without_a_medium(machines, images, arch):
    buses = [bus for bus in expected_models(arch) if bus != "ide"]
    disks = [{"file": str(images / "raw"), "bus": bus, "read_only": True} for bus in buses]
    drives = ["scsi"] if arch == "s390x" else ["scsi", "ide", "usb"]
    for bus in drives:
        disks += [{"file": str(images / "iso"), "bus": bus, "cdrom": True}, {"bus": bus, "cdrom": True}]
    disks.append({"cdrom": True})
    has_ide = arch in X86 or arch in PLAIN_IDE
    with machines.start(arch, {"disks": disks}) as qmp:
        nodes = block_nodes(qmp)
        for i, disk in enumerate(disks):
            if disk.get("cdrom"):
                bus = disk.get("bus", "ide" if has_ide else "scsi")
                assert device(qmp, f"drive{i}") == ("ide-cd" if bus == "ide" else "scsi-cd")
            assert (f"disk{i}" in nodes) == ("file" in disk)
            assert "file" not in disk or nodes[f"disk{i}"]["ro"]


@pytest.mark.parametrize("arch", EACH_KIND)
@pytest.mark.parametrize("system", ["windows", "other"])
def test_the_devices_of_systems_without_virtio_drivers(machines, image, arch, system):
    vm = {"guest_os": system, "firmware": "bios", "disks": [{"file": str(image("c"))}, {"cdrom": True}],
          "nics": [{}]}
    with machines.start(arch, vm) as qmp:
        plain = {"x86_64": "e1000e", "i386": "e1000", "ppc": "rtl8139"}.get(
            arch, "pcnet" if "mips" in arch else None)
        virtio = "virtio-{}-ccw" if arch == "s390x" else "virtio-{}-pci"
        is_arm = arch in ("aarch64", "arm")
        assert device(qmp, "nic0") == (plain or virtio.format("net"))
        assert device(qmp, "drive0") == ("ide-hd" if plain else "nvme" if is_arm else virtio.format("blk"))
        assert device(qmp, "drive1") == ("ide-cd" if plain else "scsi-cd")
        assert has_device(qmp, "usb") == has_device(qmp, "usb-drive1") == is_arm
    if is_arm:
        with machines.start(arch, {**vm, "usb": False}) as qmp:
            assert device(qmp, "drive1") == "ide-cd"


@pytest.mark.parametrize("arch", EACH_KIND)
def test_devices_have_the_ids_that_the_vm_gives_them(machines, image, place, arch):
    """In the slots that they have without; a letter and 63 more is what QEMU takes as well."""
    longest = "Z" + "a_.-0" * 12 + "xyz"
    buses = [bus for bus in expected_models(arch) if bus != "ide"]
    ids = [longest, *(f"my.{bus}" for bus in buses[1:])]
    vm = {"disks": [{"file": str(image(f"{bus}.img")), "bus": bus, "id": name} for bus, name in zip(buses, ids)],
          "shares": [{"path": str(place), "tag": "t", "id": "home"}], "nics": [{"id": "lan"}, {}]}
    with machines.start(arch, vm) as qmp:
        models = [device(qmp, name) for name in (*ids, "home", "lan", "nic1")]
    for noun in ("disks", "shares", "nics"):
        for element in vm[noun]:
            element.pop("id", None)
    with machines.start(arch, vm) as qmp:
        names = [*(f"drive{i}" for i in range(len(ids))), "share0", "nic0", "nic1"]
        assert [device(qmp, name) for name in names] == models


def caching(inserted):
    return tuple(inserted["cache"][key] for key in ("writeback", "direct", "no-flush"))


def test_cache_modes_and_ways_of_input_and_output(machines, image):
    modes = {"writeback": (True, False, False), "none": (True, True, False),
             "writethrough": (False, False, False), "directsync": (False, True, False),
             "unsafe": (True, False, True)}
    disks, expected = [], []
    for mode, flags in modes.items():
        for aio in ("threads", "io_uring") + (("native",) if flags[1] else ()):
            for kind in ("raw", "qcow2"):
                disks.append({"file": str(image(f"{mode}-{aio}.{kind}", kind)), "format": kind,
                              "cache": mode, "aio": aio, "discard": True, "bus": "scsi"})
                expected.append(flags)
    with machines.start("x86_64", {"disks": disks}) as qmp:
        blocks = {block["device"] or block["qdev"]: block for block in qmp.execute("query-block")}
        for i, flags in enumerate(expected):
            assert caching(blocks[f"drive{i}"]["inserted"]) == flags, disks[i]


@pytest.mark.parametrize("aio, sign", [("native", "[aio]"), ("io_uring", "[io_uring]"), ("threads", None)])
def test_input_and_output_is_done_in_the_way_that_is_asked_for(machines, image, aio, sign):
    disk = {"file": str(image("disk")), "cache": "none", "aio": aio}
    with machines.start("x86_64", {"disks": [disk]}) as qmp:
        maps = Path(f"/proc/{qmp.process.pid}/maps").read_text()
        used = {s for s in ("[aio]", "[io_uring]") if s in maps or s in str(open_files(qmp.process))}
        assert used == ({sign} if sign else set())


@pytest.mark.parametrize("kind", ["raw", "qcow2"])
@pytest.mark.parametrize("discard", [True, False])
def test_what_is_discarded_is_given_back(machines, image, discard, kind):
    path = image("disk", kind)
    vm = {"disks": [{"file": str(path), "format": kind, "discard": discard}]}
    said = rb"(wrote|discard) .*"
    with machines.start("x86_64", vm, said=said) as qmp:
        drive = "/machine/peripheral/drive0/virtio-backend"
        monitor(qmp, f'qemu-io -d {drive} "write -P 1 0 4M"')
        before = path.stat().st_blocks
        monitor(qmp, f'qemu-io -d {drive} "discard 0 4M"')
        after = path.stat().st_blocks
    assert before >= 8192
    assert (after < before - 4096) == discard


@pytest.mark.parametrize("arch", ["x86_64", "aarch64", "s390x", "mips64el"])
def test_io_threads(machines, image, arch):
    disks = [{"file": str(image("a")), "iothread": "one"}, {"file": str(image("b")), "iothread": "one"},
             {"file": str(image("c")), "iothread": "two.x_y"}, {"file": str(image("d"))},
             {"file": str(image("e")), "bus": "scsi", "iothread": "one"},
             {"file": str(image("f")), "bus": "scsi", "iothread": "three"},
             {"file": str(image("g")), "bus": "scsi"},
             {"file": str(image("h")), "bus": "scsi", "iothread": "three"}]
    with machines.start(arch, {"disks": disks}) as qmp:
        threads = {thread["id"] for thread in qmp.execute("query-iothreads")}
        assert threads == {"iothread-one", "iothread-two.x_y", "iothread-three"}
        assert device(qmp, "drive1", "iothread") == "/objects/iothread-one"
        assert device(qmp, "drive2", "iothread") == "/objects/iothread-two.x_y"
        assert device(qmp, "drive3", "iothread") == ""
        for drive, controller in ((4, "scsi-one"), (5, "scsi-three"), (6, "scsi"), (7, "scsi-three")):
            assert f"/{controller}/" in device(qmp, f"drive{drive}", "parent_bus")
        assert device(qmp, "scsi-three", "iothread") == "/objects/iothread-three"
        assert device(qmp, "scsi", "iothread") == ""


@pytest.mark.parametrize("arch", ["x86_64", "s390x"])
def test_disks_by_descriptor(machines, image, images, arch):
    with contextlib.ExitStack() as stack:
        fds = []
        for path, flags in ((image("a"), os.O_RDWR), (image("b", "qcow2"), os.O_RDWR),
                            (images / "raw", os.O_RDONLY), (images / "iso", os.O_RDONLY)):
            fds.append(os.open(path, flags | os.O_CLOEXEC))
            stack.callback(os.close, fds[-1])
        disks = [{"fd": fds[0], "cache": "none", "aio": "native"},
                 {"fd": fds[1], "format": "qcow2", "discard": True},
                 {"fd": fds[2], "read_only": True, "bus": "scsi"}, {"fd": fds[3], "cdrom": True}]
        assert machines.build(arch, {"disks": disks}).fds == fds
        with machines.start(arch, {"disks": disks}) as qmp:
            nodes = block_nodes(qmp)
            sizes = [nodes[f"disk{i}"]["image"]["virtual-size"] >> 20 for i in range(4)]
            assert sizes == [8, 8, 8, 2]
            assert [nodes[f"disk{i}"]["file"] for i in range(4)] == [f"/dev/fdset/{fd}" for fd in fds]


def test_layers_are_opened_only_for_reading(machines, image, place, block_device):
    """Files, a device, a descriptor; a path that is no UTF-8; an external data file of each."""
    names = [os.fsencode(place) + b"/" + name for name in (b"a,\xff", b"b,=c", b"base")]
    shutil.copy(image("other"), names[2])
    data = [str(place / "top.data"), str(place / "layer.data")]
    for name, content in zip(names, data):
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-o", f"data_file={content}", name, "8M"], check=True)
    with contextlib.ExitStack() as stack:
        fd = os.open(image("by-descriptor"), os.O_RDONLY | os.O_CLOEXEC)
        stack.callback(os.close, fd)
        disks = [{"file": names[0], "format": "qcow2", "data_file": data[0], "cache": "none", "aio": "native",
                  "backing": [{"file": names[1], "format": "qcow2", "data_file": data[1]}, {"file": names[2]}]},
                 {"file": str(image("over-fd", "qcow2")), "format": "qcow2", "backing": [{"fd": fd}]},
                 {"file": str(image("over-device", "qcow2")), "format": "qcow2", "discard": True,
                  "backing": [{"file": block_device}]},
                 {"file": str(image("over-base", "qcow2")), "format": "qcow2", "backing": [{"file": names[2]}]}]
        command = machines.build("x86_64", {"disks": disks})
        assert command.fds == [fd]
        with machines.start("x86_64", {"disks": disks}) as qmp:
            nodes = block_nodes(qmp)
            layers = {name: node for name, node in nodes.items() if "-backing" in name}
            assert all(node["ro"] for node in layers.values()) and len(layers) == 7
            assert not any(nodes[f"disk{i}"]["ro"] for i in range(4))
            assert {caching(node) for name, node in nodes.items() if name.startswith("disk0")} == {(True, True, False)}
            opened = [os.fsencode(path) for path in open_files(qmp.process)]
            for path in (*names, *map(os.fsencode, data), os.fsencode(block_device)):
                assert path in opened
            drivers = {name: node["drv"] for name, node in nodes.items()}
            assert drivers["disk2-backing0"] == "raw" and drivers["disk0-data"] == "file"


@pytest.fixture
def block_device(image):
    made = subprocess.run(["losetup", "--find", "--show", image("device")], capture_output=True,
                          text=True, check=False)
    if made.returncode != 0:
        pytest.skip(f"no loop device: {made.stderr.strip()}")
    path = made.stdout.strip()
    yield path
    subprocess.run(["losetup", "--detach", path], check=True)


def test_block_devices(machines, block_device, place):
    (place / "link").symlink_to(block_device)
    for disk, driver in (({"file": block_device}, "host_device"),
                         ({"file": str(place / "link"), "block_device": True}, "host_device"),
                         ({"file": block_device, "cache": "none", "aio": "native", "discard": True,
                           "bus": "nvme"}, "host_device"),
                         ({"file": block_device, "cdrom": True}, "host_device")):
        drive = "drive0" if disk.get("cdrom") or disk.get("bus") else \
            "/machine/peripheral/drive0/virtio-backend"
        with machines.start("x86_64", {"disks": [disk]}, said=rb"read 512/512 bytes .*") as qmp:
            drivers = {node["drv"] for node in qmp.execute("query-named-block-nodes")}
            assert drivers == {"raw", driver}
            monitor(qmp, f'qemu-io -d {drive} "read 0 512"')  # QEMU prints what it read


def test_boot_order_across_disks_and_network_devices(machines, image):
    vm = {"disks": [{"file": str(image("a")), "boot_order": 3}, {"file": str(image("b")), "boot_order": 1}],
          "nics": [{"boot_order": 2}, {"model": "e1000", "boot_order": 4}, {}]}
    for arch in ("x86_64", "i386", "aarch64", "ppc64", "s390x"):
        usable = {**vm, "nics": [vm["nics"][0]]} if arch == "s390x" else vm
        with machines.start(arch, usable) as qmp:
            order = [device(qmp, name, "bootindex") for name in ("drive0", "drive1", "nic0")]
            assert order == [3, 1, 2], arch


@pytest.mark.parametrize("arch, count", [("x86_64", 6), ("i386", 4), ("mips", 4), ("ppc", 4),
                                         ("aarch64", 6), ("ppc64", 6), ("loongarch64", 6)])
def test_all_places_for_ide_drives(machines, image, arch, count):
    disks = [{"file": str(image(str(i))), "bus": "ide", "cdrom": i % 2 == 1} for i in range(count)]
    with machines.start(arch, {"disks": disks}) as qmp:
        assert {device(qmp, f"drive{i}") for i in range(count)} == {"ide-hd", "ide-cd"}
    refused(machines, arch, {"disks": disks + [{"bus": "ide", "cdrom": True}]}, UNSUPPORTED,
            f"room for {count} IDE or SATA drives")


def test_many_scsi_disks(machines, images):
    disks = [{"file": str(images / "raw"), "bus": "scsi", "read_only": True} for _ in range(255)]
    with machines.start("x86_64", {"disks": disks + [{"bus": "scsi", "cdrom": True}]}) as qmp:
        assert device(qmp, "drive255", "scsi-id") == 255


@pytest.mark.parametrize("arch", ["x86_64", "aarch64"])
def test_all_places_for_usb_drives(machines, images, place, arch):
    """Beside tablet and keyboard; each has a port of its own, whatever else there is."""
    disks = [{"file": str(images / "raw"), "bus": "usb", "read_only": True} for _ in range(12)]
    vm = {"disks": disks + [{"bus": "usb", "cdrom": True}], "display": "vnc", "runtime_dir": str(place)}
    for display in ({}, {"display": "none"}):
        with machines.start(arch, {**vm, **display}) as qmp:
            assert [device(qmp, f"drive{i}", "port") for i in range(12)] == [str(i + 3) for i in range(12)]
            assert device(qmp, "usb-drive12", "port") == "15"
    refused(machines, arch, {"disks": [*vm["disks"], disks[0]]}, UNSUPPORTED, "room for 13 USB drives")


@pytest.mark.parametrize("arch", ["x86_64", "mips", "ppc64", "s390x"])
def test_every_disk_has_an_identity(machines, image, arch):
    disks = [{"file": str(image(bus)), "bus": bus} for bus in expected_models(arch)]
    disks += [{"file": str(image("iso", "iso")), "cdrom": True},
              {"file": str(image("named")), "bus": "scsi", "serial": "of its own"}]
    with machines.start(arch, {"disks": disks}) as qmp:
        for i, disk in enumerate(disks):
            identity = disk.get("serial", f"disk{i}")
            assert device(qmp, f"drive{i}", "serial") == identity
            if device(qmp, f"drive{i}").startswith("scsi-"):
                assert device(qmp, f"drive{i}", "device_id") == identity


MALTA = ["mips", "mipsel", "mips64", "mips64el"]
SLOTS = {"ppc": 19} | {arch: 32 for arch in MALTA}


@pytest.mark.parametrize("arch", SLOTS)
def test_the_pci_bus_is_full_where_the_library_says_so(machines, arch):
    """Where there are no bridges: test_pci.py has the others."""
    room = SLOTS[arch]
    nics = [{"model": "virtio" if i % 2 else "rtl8139"} for i in range(room - 1)]
    with machines.start(arch, {"nics": nics, "rng": True}) as qmp:
        assert has_device(qmp, f"nic{room - 2}")
    refused(machines, arch, {"nics": nics, "rng": True, "balloon": True}, UNSUPPORTED,
            f"has room for {room}")
    if arch in MALTA:  # where the library has put eight into each of four slots
        return
    with pytest.raises(QemuFailed, match="no slot"):
        with machines.start(arch, {"nics": nics, "rng": True,
                                   "extra_args": ["-device", "virtio-balloon-pci"]}):
            pass


def test_devices_of_s390x_have_numbers_of_their_own(machines, image, place):
    """Which stay when other devices come and go."""
    few = {"disks": [{"file": str(image("a"))}], "nics": [{}]}
    disks = [{"file": str(image(name)), **more} for name, more in
             {"b": {}, "c": {"bus": "scsi"}, "d": {"bus": "scsi", "iothread": "io"}}.items()]
    many = {"disks": few["disks"] + disks, "nics": [{} for _ in range(60)], "rng": True, "balloon": True,
            "display": "vnc", "runtime_dir": str(place), "guest_agent_socket": str(place / "agent"),
            "shares": [{"path": str(place), "tag": "t"}], "rootfs": str(place)}
    for vm in (few, many):
        with machines.start("s390x", vm) as qmp:
            names = [d["name"] for d in qmp.execute("qom-list", path="/machine/peripheral") if d["name"] != "type"]
            numbers = {name: device(qmp, name, "dev_id") for name in names if "scsi-" not in device(qmp, name)[:5]}
            assert numbers["drive0"] == "fe.0.3000" and numbers["nic0"] == "fe.0.2000", numbers
            assert all(number for number in numbers.values()), numbers
            assert len(set(numbers.values())) == len(numbers)
    assert numbers["nic59"] == "fe.0.203b" and numbers["scsi-io"] == "fe.0.4000" and numbers["drive1"] == "fe.0.3001"


# ---- shares ----

@pytest.mark.parametrize("arch", EACH_KIND)
def test_shares_over_9p(machines, place, arch):
    shares = []
    for model in ("none", "mapped-xattr", "mapped-file", "passthrough", None):
        for multidevs in ("remap", "forbid", "warn", None):
            path = place / f"{model}, {multidevs}"
            path.mkdir()
            share = {"path": str(path), "tag": f"{len(shares)}, ={multidevs}"}
            share.update({} if model is None else {"security_model": model})
            share.update({} if multidevs is None else {"multidevs": multidevs})
            shares.append(share)
            if len(shares) % 2:
                share["writable"] = True
    shares = shares[:min(SLOTS.get(arch, 20), 20) - 1]
    (place / "root").mkdir()
    vm = {"rootfs": str(place / "root"), "rootfs_writable": arch in X86, "shares": shares}
    with machines.start(arch, vm) as qmp:
        opened = open_files(qmp.process)
        assert device(qmp, "rootfs", "mount_tag") == "rootfs"
        for i, share in enumerate(shares):
            assert device(qmp, f"share{i}", "mount_tag") == share["tag"]
            assert device(qmp, f"share{i}", "fsdev") == f"share{i}"
            assert share["path"] in opened
        assert str(place / "root") in opened


def wait_for_socket(path, process):
    end = time.monotonic() + DEADLINE
    while not path.exists():
        assert process.poll() is None and time.monotonic() < end, process
        time.sleep(0.01)


@contextlib.contextmanager
def companion(path, *words):
    """A program that listens on a socket."""
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        try:
            wait_for_socket(path, process)
            yield process
        finally:
            process.kill()
            process.wait()


VIRTIOFSD = "/usr/lib/qemu/virtiofsd"


@pytest.mark.skipif(not os.access(VIRTIOFSD, os.X_OK) or os.geteuid() != 0,
                    reason="virtiofsd of QEMU 7.2 is not installed, or there is no root to run it")
@pytest.mark.parametrize("arch", ["x86_64", "aarch64", "riscv64"])
def test_shares_over_virtiofs(machines, place, arch):
    (place / "shared").mkdir()
    with contextlib.ExitStack() as stack:
        for name in ("virtiofsd-0.sock", "own,socket"):
            stack.enter_context(companion(place / name, VIRTIOFSD, f"--socket-path={place / name}",
                                          "-o", f"source={place / 'shared'}"))
        vm = {"rootfs": str(place / "shared"), "rootfs_driver": "virtiofs", "runtime_dir": str(place),
              "shares": [{"path": str(place / "shared"), "tag": "t,=" + "x" * 33, "driver": "virtiofs",
                          "socket": str(place / "own,socket")},
                         {"path": str(place / "shared"), "tag": "9p"}]}
        with machines.start(arch, vm) as qmp:
            assert device(qmp, "rootfs", "tag") == "rootfs"
            assert device(qmp, "share0", "tag") == "t,=" + "x" * 33
            assert "virtio-9p" in device(qmp, "share1")
            assert qmp.execute("query-memdev")[0]["share"]


def test_virtiofs_without_its_program_is_named_by_qemu(machines, place):
    vm = {"shares": [{"path": "/srv", "tag": "t", "driver": "virtiofs", "socket": str(place / "a,b")}]}
    with pytest.raises(QemuFailed, match="a,b"):
        with machines.start("x86_64", vm):
            pass


# ---- network ----

def models_of(arch):
    if arch == "s390x":
        return ["virtio"]
    return [model for model in NICS if arch not in NO_MSIX or model not in ("e1000e", "vmxnet3")]


@pytest.mark.parametrize("arch", EACH_KIND)
def test_network_devices_of_every_model(machines, arch):
    nics = [{"model": model} for model in models_of(arch)] + [{}, {"mac": "02:00:00:AB:cd:ef"}]
    with machines.start(arch, {"nics": nics}) as qmp:
        addresses = [device(qmp, f"nic{i}", "mac") for i in range(len(nics))]
        assert addresses[-1].lower() == "02:00:00:ab:cd:ef"
        assert len(set(addresses)) == len(nics)
        assert all(address.startswith("52:54:00:") for address in addresses[:-1])
        for i, nic in enumerate(nics[:-2]):
            model = device(qmp, f"nic{i}")
            assert model in (nic["model"], "virtio-net-pci", "virtio-net-ccw")
        assert device(qmp, f"nic{len(nics) - 2}").startswith("virtio-net-")
        again = [device(qmp, f"nic{i}", "mac") for i in range(len(nics))]
    assert addresses == again


@pytest.mark.parametrize("arch", [arch for arch in NO_MSIX if arch != "s390x"])
def test_network_devices_that_want_msix_are_refused(machines, arch):
    for model in ("e1000e", "vmxnet3"):
        refused(machines, arch, {"nics": [{"model": model}]}, UNSUPPORTED, "MSI-X")


@pytest.mark.parametrize("model", ["virtio", "e1000", "e1000e"])
@pytest.mark.parametrize("arch", X86)
def test_x86_boots_from_the_network_by_a_rom(machines, arch, model):
    with machines.start(arch, {"nics": [{"model": model, "boot_order": 1}, {"model": model}]}) as qmp:
        assert device(qmp, "nic0", "romfile") == f"efi-{model}.rom"
        assert device(qmp, "nic1", "romfile") == ""


def free_port(kind=socket.SOCK_STREAM):
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def listeners(protocol):
    """Address and port in the kernel's notation: the bytes of the address are turned around."""
    lines = Path(f"/proc/net/{protocol}").read_text().splitlines()[1:]
    return {line.split()[1] for line in lines}


def test_forwarded_ports_are_those_of_the_host_itself(machines):
    tcp, udp, world = free_port(), free_port(socket.SOCK_DGRAM), free_port()
    forwards = [{"host_port": tcp, "guest_port": 22},
                {"protocol": "udp", "host_port": udp, "guest_port": 53},
                {"protocol": "tcp", "host_address": "0.0.0.0", "host_port": world, "guest_port": 80}]
    nics = [{"forwards": forwards}, {"isolated": True}]
    with machines.start("x86_64", {"nics": nics}) as qmp:
        assert f"0100007F:{tcp:04X}" in listeners("tcp")
        assert f"0100007F:{udp:04X}" in listeners("udp")
        assert f"00000000:{world:04X}" in listeners("tcp")
        table = monitor(qmp, "info usernet")
        for line in (f"TCP.HOST_FORWARD. +[0-9]+ +127.0.0.1 +{tcp} +10.0.2.15 +22",
                     f"UDP.HOST_FORWARD. +[0-9]+ +127.0.0.1 +{udp} +10.0.2.15 +53",
                     f"TCP.HOST_FORWARD. +[0-9]+ +[*] +{world} +10.0.2.15 +80"):
            assert re.search(line, table), table
        network = monitor(qmp, "info network")
        assert "net0: index=0,type=user,net=10.0.2.0,restrict=off" in network
        assert "net1: index=0,type=user,net=10.0.2.0,restrict=on" in network


def test_a_port_that_is_taken_is_named_by_qemu(machines):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(QemuFailed, match=f"tcp:127.0.0.1:{port}-:80"):
            with machines.start("x86_64", {"nics": [{"forwards": [{"host_port": port, "guest_port": 80}]}]}):
                pass


TUNSETIFF, IFF_TAP, IFF_NO_PI, IFF_VNET_HDR = 0x400454CA, 0x0002, 0x1000, 0x4000
needs_tap = pytest.mark.skipif(os.geteuid() != 0 or not os.path.exists("/dev/net/tun"),
                               reason="TAP devices need root and /dev/net/tun")


@contextlib.contextmanager
def tap_device(name):
    subprocess.run(["ip", "tuntap", "add", name, "mode", "tap", "vnet_hdr"], check=True)
    try:
        yield
    finally:
        subprocess.run(["ip", "tuntap", "del", name, "mode", "tap"], check=True)


@contextlib.contextmanager
def tap_descriptor(name):
    fd = os.open("/dev/net/tun", os.O_RDWR | os.O_CLOEXEC)
    try:
        fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TAP | IFF_NO_PI | IFF_VNET_HDR))
        yield fd
    finally:
        os.close(fd)


@needs_tap
@pytest.mark.parametrize("arch", ["x86_64", "aarch64", "s390x", "mips"])
def test_tap_devices_by_name_and_descriptor(machines, arch):
    with tap_device("vq,test=0"), tap_descriptor("vqtest1") as fd:
        nics = [{"backend": "tap", "ifname": "vq,test=0"}, {"backend": "tap", "fd": fd},
                {"backend": "user"}]
        if arch != "s390x":
            nics[1]["model"] = "rtl8139"
        with machines.start(arch, {"nics": nics}) as qmp:
            network = monitor(qmp, "info network")
            assert "net0: index=0,type=tap,ifname=vq,test=0,script=no,downscript=no" in network
            assert f"net1: index=0,type=tap,fd={fd}" in network
            assert "net2: index=0,type=user" in network
            assert open_files(qmp.process).count("/dev/net/tun") == 2


@needs_tap
def test_a_tap_device_that_is_missing_is_made_or_named(machines):
    """QEMU makes a device that is not there, which only root can; it goes away with QEMU."""
    with machines.start("x86_64", {"nics": [{"backend": "tap", "ifname": "vqtest2"}]}):
        assert Path("/sys/class/net/vqtest2").exists()
    assert not Path("/sys/class/net/vqtest2").exists()


def device_is_there_or_named(machines, arch, vm, path, words):
    """Where the host has a device node, the VM starts; otherwise QEMU names what is missing."""
    if os.path.exists(path):
        with machines.start(arch, vm):
            return
    with pytest.raises(QemuFailed, match=words):
        with machines.start(arch, vm):
            pass


@needs_tap
def test_vhost_net(machines):
    with tap_device("vqtest3"):
        nic = {"backend": "tap", "ifname": "vqtest3", "vhost": True}
        device_is_there_or_named(machines, "x86_64", {"nics": [nic]}, "/dev/vhost-net",
                                 "vhost char device|vhost-net")


@pytest.mark.parametrize("arch", ["x86_64", "aarch64", "s390x"])
def test_vsock(machines, arch):
    device_is_there_or_named(machines, arch, {"vsock_cid": 4000000000}, "/dev/vhost-vsock",
                             "vhost-vsock: failed to open vhost device")


@needs_tap
@pytest.mark.parametrize("sandbox", [True, False])
def test_a_bridge_by_the_setuid_helper_within_the_sandbox(machines, place, sandbox):
    """The helper reads /etc/qemu/bridge.conf, which the test has for itself in a mount namespace."""
    helper = "/usr/lib/qemu/qemu-bridge-helper"
    if not os.access(helper, os.X_OK):
        pytest.skip("QEMU's bridge helper is not installed")
    if subprocess.run(["ip", "link", "add", "vqbr0", "type", "bridge"], check=False,
                      stderr=subprocess.DEVNULL).returncode != 0:
        pytest.skip("the kernel has no bridges")
    (place / "bridge.conf").write_text("allow vqbr0\n")
    script = 'mkdir -p /etc/qemu && mount --bind "$0" /etc/qemu && exec "$@"'
    nics = [{"backend": "bridge", "bridge": "vqbr0", "helper": helper},
            {"backend": "bridge", "bridge": "vqbr0", "model": "e1000"}]
    try:
        with machines.start("x86_64", {"nics": nics, "sandbox": sandbox},
                            prefix=["unshare", "--mount", "sh", "-c", script, str(place)],
                            environment={"PATH": os.environ["PATH"]}) as qmp:
            assert monitor(qmp, "info network").count("helper=") == 2
            ports = os.listdir("/sys/class/net/vqbr0/brif")
            assert len(ports) == 2
    finally:
        subprocess.run(["ip", "link", "del", "vqbr0"], check=True)


# ---- machine ----

@pytest.mark.parametrize("arch, machine", [
    ("x86_64", "pc-q35-7.2"), ("x86_64", "pc-i440fx-7.2"), ("x86_64", "pc"), ("x86_64", "pc-q35-6.0"),
    ("i386", "pc-i440fx-7.2"), ("i386", "q35"), ("aarch64", "virt-7.2"), ("arm", "virt-7.2"),
    ("ppc64", "pseries-7.2"), ("ppc64le", "pseries-7.2"), ("s390x", "s390-ccw-virtio-7.2")])
def test_machine_types_with_their_version(machines, image, arch, machine):
    vm = {"machine": machine, "disks": [{"file": str(image("a"))}, {"cdrom": True}], "nics": [{}]}
    with machines.start(arch, vm) as qmp:
        name = qmp.execute("qom-get", path="/machine", property="type")
        assert name.startswith(machine) or machine in ("pc", "q35")


@pytest.mark.parametrize("arch, machine", [
    ("x86_64", "pc-q35-rhel9.4.0"), ("x86_64", "pc-q35-jammy"), ("x86_64", "pc-i440fx-noble-v2"),
    ("aarch64", "virt-rhel9.2.0"), ("ppc64le", "pseries-rhel9.0.0"), ("s390x", "s390-ccw-virtio-rhel9.4.0")])
def test_machine_types_of_distributions_are_left_to_qemu(machines, arch, machine):
    """Debian's has none of them."""
    with pytest.raises(QemuFailed, match="unsupported machine type"):
        with machines.start(arch, {"machine": machine}):
            pass
    refused(machines, arch, {"machine": "vexpress-" + machine}, UNSUPPORTED, "have no machine")


@pytest.mark.parametrize("arch", EACH_KIND)
def test_a_guest_sleeps_only_if_it_may(machines, arch):
    """QEMU says nothing against properties of a device that is there."""
    if arch not in X86:
        return refused(machines, arch, {"suspend": True}, UNSUPPORTED, "suspend: the machine")
    for machine, sleep in (("q35", "ICH9-LPC"), ("pc", "PIIX4_PM")):
        for may in (True, False):
            with machines.start(arch, {"machine": machine, **({"suspend": True} if may else {})}) as qmp:
                paths = [f"/machine/unattached/{d['name']}" for d in qmp.execute("qom-list", path="/machine/unattached")
                         if d["type"] == f"child<{sleep}>"]
                off = [qmp.execute("qom-get", path=paths[0], property=f"disable_s{state}") for state in (3, 4)]
                assert off == ([0, 0] if may else [1, 1])
    return None


@pytest.mark.parametrize("arch", EACH_KIND)
def test_shared_memory(machines, arch):
    with machines.start(arch, {"memory_shared": True}) as qmp:
        memory, = qmp.execute("query-memdev")
        assert memory["share"]
        assert memory["size"] == qmp.execute("query-memory-size-summary")["base-memory"]
        assert any("memfd:memory-backend-memfd" in path for path in open_files(qmp.process))


@pytest.fixture
def hugepages():
    """Huge pages of 2 MiB: 256 MiB of them, which other runs of the tests wait for."""
    path = Path("/proc/sys/vm/nr_hugepages")
    if not path.exists() or "Hugepagesize:       2048 kB" not in Path("/proc/meminfo").read_text():
        pytest.skip("the kernel has no huge pages of 2 MiB")
    with path.open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        before = int(path.read_text())
        try:
            path.write_text(str(before + 128))
        except OSError as error:
            pytest.skip(f"huge pages cannot be reserved: {error}")
        try:
            got = int(path.read_text()) - before
            if got < 128:
                pytest.skip(f"the kernel finds only {got} huge pages of 2 MiB")
            yield
        finally:
            path.write_text(str(before))


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("arch", [arch for arch in ARCHES if arch != "loongarch64"])
def test_huge_pages(machines, hugepages, arch, shared):
    with machines.start(arch, {"hugepages": "2M", "memory_shared": shared}) as qmp:
        memory, = qmp.execute("query-memdev")
        assert memory["share"] == shared and memory["prealloc"]
        rollup = Path(f"/proc/{qmp.process.pid}/smaps_rollup").read_text()
        huge = sum(int(size) for size in re.findall(r"(?:Shared|Private)_Hugetlb: +(\d+) kB", rollup))
        assert huge >= 256 << 10


def test_huge_pages_that_are_not_there_are_named_by_qemu(machines):
    with pytest.raises(QemuFailed, match="backing store|memfd"):
        with machines.start("x86_64", {"memory": 900 << 10, "hugepages": "1G"}):
            pass


# Of a Malta board's default models there can be one.
MODELS = {arch: {"cpu_model": "34Kf"} for arch in MALTA}


@pytest.mark.parametrize("arch", EACH_KIND)
def test_topology(machines, arch):
    if arch == "ppc" or arch in MALTA:
        refused(machines, arch, {"cpu_cores": 2}, UNSUPPORTED, "cpus: 2 CPUs are too many")
    if arch == "ppc":
        return
    for vm in ({"cpu_sockets": 2, "cpu_cores": 2}, {"cpus": 4, "cpu_cores": 2}):
        with machines.start(arch, {**vm, **MODELS.get(arch, {})}) as qmp:
            topology = qmp.execute("qom-get", path="/machine", property="smp")
            assert [topology[key] for key in ("cpus", "sockets", "cores", "threads")] == [4, 2, 2, 1]


@pytest.mark.parametrize("arch", EACH_KIND)
def test_threads(machines, arch):
    """x86: emulated CPUs of the default model are AMD's, which have threads only by a feature that is
    not emulated: QEMU goes on, but says so."""
    if arch in ("ppc", "ppc64", "ppc64le", "s390x"):
        return refused(machines, arch, {"cpu_threads": 2}, UNSUPPORTED, ": ")
    said = rb"[^\n]*: warning: This family of AMD CPU doesn't support hyperthreading\(2\)\n.*"
    vm = {"cpu_threads": 2, **MODELS.get(arch, {})}
    with machines.start(arch, vm, said=said if arch in X86 else b"") as qmp:
        assert qmp.execute("qom-get", path="/machine", property="smp")["threads"] == 2
    if arch in X86:
        intel = "Nehalem" if arch == "x86_64" else "coreduo"
        with machines.start(arch, {"cpu_threads": 2, "cpu_model": intel}) as qmp:
            assert len(qmp.execute("query-cpus-fast")) == 2
    return None


@pytest.mark.parametrize("arch", X86)
def test_cpu_features(machines, arch):
    features = {"aes": True, "sse3": False, "xsave": True}
    model = "Nehalem" if arch == "x86_64" else "coreduo"
    with machines.start(arch, {"cpu_model": model, "cpu_features": features}) as qmp:
        cpu = qmp.execute("query-cpus-fast")[0]["qom-path"]
        for feature, on in features.items():
            assert qmp.execute("qom-get", path=cpu, property=feature) == on
    with machines.start(arch, {"cpu_features": {"sse4.1": False, "avx": False, "xsave": False}}) as qmp:
        cpu = qmp.execute("query-cpus-fast")[0]["qom-path"]
        assert not qmp.execute("qom-get", path=cpu, property="sse4.1")


@pytest.mark.parametrize("arch", X86)
def test_cpu_features_with_values(machines, arch):
    """As a number, and as text that QEMU reads; 0 is one as well."""
    features = {"level": 13, "xlevel": "0x80000008", "stepping": 0, "model-id": "a = b"}
    with machines.start(arch, {"cpu_features": features}) as qmp:
        cpu = qmp.execute("query-cpus-fast")[0]["qom-path"]
        values = [qmp.execute("qom-get", path=cpu, property=name) for name in features]
    assert values[:3] == [13, 0x80000008, 0] and values[3].rstrip("\0 ") == "a = b"


@pytest.mark.parametrize("arch, model", [("aarch64", "cortex-a57"), ("arm", "cortex-a15"), ("mips64el", "MIPS64R2-generic"),
                                         ("ppc64", "power8"), ("s390x", "qemu"), ("i386", "pentium3")])
def test_cpu_models(machines, arch, model):
    with machines.start(arch, {"cpu_model": model}) as qmp:
        assert model.lower() in qmp.execute("query-cpus-fast")[0]["qom-path"].lower() or \
            model.lower() in qmp.execute("qom-get", path=qmp.execute("query-cpus-fast")[0]["qom-path"],
                                         property="type").lower()


@pytest.mark.parametrize("arch", EACH_KIND)
def test_hyperv_needs_kvm_and_x86(machines, arch):
    refused(machines, arch, {"hyperv": True}, UNSUPPORTED, "hyperv: ")
    machines.build(arch, {"guest_os": "windows", "firmware": "bios"})
    machines.build(arch, {"hyperv": False})


@pytest.mark.parametrize("arch", X86)
def test_the_clock(machines, arch):
    """In a zone of its own, in which the hour is another one than that of UTC."""
    hours = {}
    for base in ("utc", "localtime"):
        with machines.start(arch, {"rtc": base}, environment={"TZ": "XXX-05:00"}) as qmp:
            hours[base] = qmp.execute("qom-get", path="/machine", property="rtc-time")["tm_hour"]
    assert (hours["localtime"] - hours["utc"]) % 24 in (5, 6)


@pytest.mark.parametrize("rtc", ["utc", "localtime"])
@pytest.mark.parametrize("arch", EACH_KIND)
def test_clocks_and_sandboxes_of_every_machine(machines, arch, rtc):
    vm = {"rtc": rtc, "sandbox": rtc == "utc", "reboot": rtc == "utc", "uuid": "6ba7b810-9dad-11d1-80b4-00c04fd430c8"}
    with machines.start(arch, vm) as qmp:
        status = Path(f"/proc/{qmp.process.pid}/status").read_text()
        assert ("Seccomp:\t2" in status) == (rtc == "utc")
        assert qmp.execute("query-uuid")["UUID"] == vm["uuid"]


# ---- console and control ----

@pytest.mark.parametrize("kind", ["stdio", "file", "socket", "pty", "none"])
@pytest.mark.parametrize("arch", ["x86_64", "aarch64", "mips", "ppc", "ppc64", "s390x", "loongarch64"])
def test_consoles(machines, place, arch, kind):
    path, log = place / "con,sole", place / "lo,g"
    vm = {"console": kind, "runtime_dir": str(place)}
    vm.update({"console_path": str(path)} if kind in ("file", "socket") else {})
    vm.update({"console_log": str(log)} if kind != "none" else {})
    log.write_text("before\n")
    said = rb"char device redirected to /dev/pts/\d+ \(label console\)\n" if kind == "pty" else b""
    with machines.start(arch, vm, said=said) as qmp:
        console = chardevs(qmp).get("console")
        if kind == "none":
            assert console is None
        elif kind == "socket":
            assert console.startswith("disconnected:unix:") and str(path) in console
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(str(path))
        elif kind == "pty":
            assert re.fullmatch(r"pty:/dev/pts/\d+", console)
        else:
            assert console.startswith(kind)
        assert str(log) in open_files(qmp.process) or kind == "none"
    assert log.read_text() == "before\n"
    assert kind != "file" or path.read_bytes() == b""


@pytest.mark.parametrize("arch", ["x86_64", "aarch64", "mips", "ppc", "ppc64", "s390x", "loongarch64"])
@pytest.mark.parametrize("asked_for", [None, True])
def test_a_monitor_behind_the_console_only_where_asked_for(machines, place, arch, asked_for):
    path = place / "console"
    vm = {"console": "socket", "console_path": str(path)}
    vm.update({} if asked_for is None else {"console_monitor": asked_for})
    with machines.start(arch, vm) as qmp:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(60)
            client.connect(str(path))
            client.sendall(b"\x01c\ninfo name\n")  # Ctrl-A C
            said = b""
            while asked_for and b"volt-" not in said:
                said += client.recv(4096)
            qmp.execute("query-status")  # whoever would have answered could have
            client.settimeout(0.3)
            with contextlib.suppress(TimeoutError):
                said += client.recv(4096)
        assert (b"(qemu)" in said) == bool(asked_for)
        assert chardevs(qmp)["console"].startswith("mux") == bool(asked_for)


@pytest.mark.parametrize("kind", ["stdio", "pty"])
def test_kinds_of_consoles_with_a_monitor(machines, kind):
    said = rb"char device redirected to /dev/pts/\d+ \(label console-base\)\n" if kind == "pty" else b""
    with machines.start("x86_64", {"console": kind, "console_monitor": True}, said=said) as qmp:
        assert chardevs(qmp)["console"].startswith("mux")


@pytest.mark.parametrize("kind, key, name", [("file", "state_dir", "console.log"),
                                             ("socket", "runtime_dir", "console.sock")])
def test_consoles_in_the_directories_of_the_vm(machines, place, kind, key, name):
    with machines.start("x86_64", {"console": kind, key: str(place)}):
        assert (place / name).exists()


@pytest.mark.parametrize("arch", EACH_KIND)
def test_control_sockets(machines, place, arch):
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(place / "passed"))
    listening.listen()
    names = ["q,mp=1", "age nt"]
    vm = {"qmp_socket": str(place / names[0]), "guest_agent_socket": str(place / names[1]),
          "qmp_fd": listening.fileno()}
    with listening, machines.start(arch, vm) as qmp:
        for name in ("q,mp=1", "passed"):
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(DEADLINE)
                client.connect(str(place / name))
                assert "QMP" in json.loads(client.makefile().readline())
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(place / "age nt"))
        ports = qmp.execute("qom-list", path="/machine/peripheral-anon")
        types = [qmp.execute("qom-get", path=f"/machine/peripheral-anon/{port['name']}", property="type")
                 for port in ports if port["name"] != "type"]
        assert types == ["virtserialport"]


def test_messages_and_threads_say_whose_they_are(machines, place):
    """When, of which VM; a thread for each CPU, by its name."""
    with machines.start("x86_64", {"name": "one, of=many", "cpus": 2}) as qmp:
        names = {Path(path, "comm").read_text() for path in Path(f"/proc/{qmp.process.pid}/task").iterdir()}
        assert any(name.startswith("CPU 0/") for name in names), names
    with pytest.raises(QemuFailed, match=r"\d{4}-\d\d-\d\dT\S+Z volt-one, of=many .*tpm.sock"):
        with machines.start("x86_64", {"name": "one, of=many", "tpm": True, "runtime_dir": str(place)}):
            pass


# ---- smaller devices ----

@pytest.mark.parametrize("action", ["reset", "shutdown", "poweroff", "pause", "inject-nmi", "none", "debug"])
def test_watchdog_actions(machines, action):
    with machines.start("x86_64", {"watchdog": action}) as qmp:
        assert device(qmp, "watchdog") == "i6300esb"


@pytest.mark.parametrize("arch", EACH_KIND)
def test_watchdog_entropy_and_balloon(machines, arch):
    with machines.start(arch, {"watchdog": "reset", "rng": True, "balloon": True}) as qmp:
        bus = "ccw" if arch == "s390x" else "pci"
        assert device(qmp, "watchdog") == ("diag288" if arch == "s390x" else "i6300esb")
        assert device(qmp, "rng-device") == f"virtio-rng-{bus}"
        assert device(qmp, "rng-device", "rng") == "/objects/rng"
        assert device(qmp, "balloon", "deflate-on-oom") and device(qmp, "balloon", "free-page-reporting")
        assert qmp.execute("query-balloon")["actual"] > 0
        assert "/dev/urandom" in open_files(qmp.process)


@pytest.mark.parametrize("video", [None, "std", "virtio", "ramfb"])
@pytest.mark.parametrize("system", ["linux", "windows"])
@pytest.mark.parametrize("arch", EACH_KIND)
def test_displays(machines, place, arch, system, video):
    vm = {"guest_os": system, "firmware": "bios", "display": "vnc", "runtime_dir": str(place)}
    vm.update({"video": video} if video else {})
    if (video == "std" and arch == "s390x") or (video == "ramfb" and arch not in WITH_RAMFB):
        return refused(machines, arch, vm, UNSUPPORTED, "video: ")
    virtio = {"x86_64": "virtio-vga", "i386": "virtio-vga", "loongarch64": "virtio-vga",
              "s390x": "virtio-gpu-ccw"}.get(arch, "virtio-gpu-pci")
    plain = {"s390x": virtio, "aarch64": "ramfb", "arm": "ramfb"}.get(arch, "VGA")
    expected = {"std": "VGA", "virtio": virtio, "ramfb": "ramfb",
                None: virtio if system == "linux" else plain}[video]
    with machines.start(arch, vm) as qmp:
        assert device(qmp, "video") == expected
        assert qmp.execute("query-vnc")["family"] == "unix"
        assert greeting_of_vnc(place / "vnc.sock").startswith(b"RFB 003.")
        assert qmp.execute("query-mice")[0]["absolute"]
    return None


def greeting_of_vnc(path):
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(DEADLINE)
        client.connect(str(path))
        return client.recv(12)


def test_vnc_listens_where_it_should(machines, place):
    (place / "pass,word").write_text("se,cret")
    port = free_port()
    while port < 5900:
        port = free_port()
    vms = [{"vnc_port": port, "vnc_no_password": True}, {"vnc_port": port, "vnc_password_file": str(place / "pass,word")},
           {"vnc_socket": str(place / "own, socket=on"), "vnc_password_file": str(place / "pass,word")}]
    for vm in vms:
        with machines.start("x86_64", {"display": "vnc", **vm}) as qmp:
            server = qmp.execute("query-vnc")
            assert server["auth"] == ("vnc" if "vnc_password_file" in vm else "none")
            if "vnc_port" in vm:
                assert (server["host"], server["service"]) == ("127.0.0.1", str(port))
                assert f"0100007F:{port:04X}" in listeners("tcp")
            else:
                assert greeting_of_vnc(place / "own, socket=on").startswith(b"RFB 003.")


@pytest.mark.parametrize("display", [True, False])
@pytest.mark.parametrize("arch", EACH_KIND)
def test_usb(machines, place, arch, display):
    vm = {"display": "vnc", "runtime_dir": str(place)} if display else {"usb_tablet": True, "usb": True}
    if arch == "s390x":
        if not display:
            return refused(machines, arch, vm, UNSUPPORTED, "usb_tablet: ")
        with machines.start(arch, vm) as qmp:
            assert device(qmp, "tablet") == "virtio-tablet-ccw"
            return None
    with machines.start(arch, vm) as qmp:
        assert device(qmp, "usb") == "qemu-xhci"
        assert device(qmp, "tablet") == "usb-tablet"
        assert has_device(qmp, "keyboard") == (display and arch not in X86)
    if display:
        with machines.start(arch, {**vm, "usb": False}) as qmp:
            assert not has_device(qmp, "usb") and not has_device(qmp, "tablet")
        with machines.start(arch, {**vm, "usb_tablet": False}) as qmp:
            assert has_device(qmp, "usb") and not has_device(qmp, "tablet")
    return None


@pytest.mark.skipif(not shutil.which("swtpm"), reason="swtpm is not installed")
@pytest.mark.parametrize("arch", EACH_KIND)
def test_tpm(machines, place, arch):
    """swtpm has no escape for commas in its options."""
    vm = {"tpm": True, "tpm_socket": str(place / "t pm=1")}
    if arch not in WITH_TPM:
        return refused(machines, arch, vm, UNSUPPORTED, "tpm: the machine")
    (place / "state").mkdir()
    with companion(place / "t pm=1", "swtpm", "socket", "--tpm2", "--tpmstate", f"dir={place / 'state'}",
                   "--ctrl", f"type=unixio,path={place / 't pm=1'}", "--terminate"):
        with machines.start(arch, vm) as qmp:
            tpm, = qmp.execute("query-tpm")
            assert tpm["model"] == {"x86_64": "tpm-crb", "i386": "tpm-crb", "ppc64": "tpm-spapr",
                                    "ppc64le": "tpm-spapr"}.get(arch, "tpm-tis")
    return None


def test_a_missing_tpm_is_named_by_qemu(machines, place):
    with pytest.raises(QemuFailed, match="tpm.sock"):
        with machines.start("x86_64", {"tpm": True, "runtime_dir": str(place)}):
            pass


# ---- together ----

@pytest.mark.parametrize("arch", EACH_KIND)
def test_much_of_everything_at_once(machines, hugepages, image, images, place, arch):
    """What shares the PCI bus, memory, standard output, SCSI controllers and the boot order."""
    (place / "root").mkdir()
    has_usb = arch != "s390x"
    vm = {
        "name": "all, of=it", "memory": 0 if arch == "loongarch64" else 256, "memory_shared": True,
        "console_log": str(place / "log"), "runtime_dir": str(place),
        "qmp_socket": str(place / "qmp"), "guest_agent_socket": str(place / "agent"),
        "disks": [{"file": str(image("a")), "iothread": "io", "boot_order": 2},
                  {"file": str(image("b", "qcow2")), "format": "qcow2", "bus": "scsi", "iothread": "io"},
                  {"file": str(images / "iso"), "cdrom": True, "boot_order": 1},
                  {"cdrom": True, "bus": "scsi"}],
        "rootfs": str(place / "root"), "shares": [{"path": str(place), "tag": "all"}],
        "nics": [{"boot_order": 3}, {"isolated": True}],
        "display": "vnc", "rng": True, "watchdog": "reset",
    }
    if arch != "loongarch64":
        vm["hugepages"] = "2M"
    if arch != "ppc":
        vm.update({"cpus": 2, **MODELS.get(arch, {})})
    with machines.start(arch, vm) as qmp:
        assert qmp.execute("query-name")["name"] == "volt-all, of=it"
        assert qmp.execute("query-iothreads")[0]["id"] == "iothread-io"
        assert has_device(qmp, "usb") == has_usb
        assert qmp.execute("query-memdev")[0]["share"]
        assert chardevs(qmp)["console"].startswith("stdio")


@pytest.mark.parametrize("first, second", [
    ({"qmp_socket": "/tmp/vq"}, {"guest_agent_socket": "/tmp/vq"}),
    ({"nics": [{"boot_order": 1}]}, {"disks": [{"cdrom": True, "boot_order": 1}]}),
    ({"display": "vnc", "usb": False}, {"usb_tablet": True}),
])
def test_what_excludes_each_other_is_refused(machines, first, second):
    machines.build("x86_64", first)
    if second != {"usb_tablet": True}:
        machines.build("x86_64", second)
    refused(machines, "x86_64", {**first, **second}, INVALID, ": ")
