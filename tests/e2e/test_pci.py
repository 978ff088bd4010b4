# SPDX-License-Identifier: MIT
"""More PCI devices than a machine's own bus has room for, and ports that are left free: the real QEMU of each
architecture starts with them, has each where it was planned, and takes devices into the ports."""
import os
import shutil
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "harness"))
from machines import Machines, mostly_extended  # noqa: E402

ON_PCI_EXPRESS = [("x86_64", "q35"), ("i386", "q35"), ("aarch64", "virt"), ("arm", "virt"), ("riscv64", "virt"),
                  ("riscv32", "virt"), ("loongarch64", "virt")]
ON_PCI = [("x86_64", "pc"), ("i386", "pc"), ("ppc64", "pseries"), ("ppc64le", "pseries")]
BOARDS = [("x86_64", "q35"), ("aarch64", "virt"), ("x86_64", "pc"), ("ppc64le", "pseries")]  # all kinds of them
DISKS, NICS, SHARES = 40, 12, 6
DEADLINE = 60.0


@pytest.fixture(scope="module")
def machines(tmp_path_factory):
    directory = tmp_path_factory.mktemp("machines")
    yield Machines(directory)
    shutil.rmtree(directory)


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    path = tmp_path_factory.mktemp("images") / "raw"
    path.write_bytes(bytes(1 << 20))
    return path


def many_devices(image, machine, **keys):
    return {"machine": machine, "disks": [{"file": str(image), "read_only": True} for _ in range(DISKS)],
            "nics": [{} for _ in range(NICS)],
            "shares": [{"path": "/usr/share", "tag": f"t{i}"} for i in range(SHARES)], "rng": True, **keys}


def planned(argv):
    """Of each device that has an address: its id, the bus by its name, and slot and function as one number."""
    places = {}
    words = [os.fsdecode(word) for word in argv]
    for option, value in zip(words, words[1:]):
        if option == "-device" and ",addr=" in value:
            keys = dict(pair.split("=", 1) for pair in value.split(",")[1:])
            slot, _, function = keys["addr"].partition(".")
            places[keys["id"]] = (keys.get("bus"), int(slot, 16) << 3 | int(function or 0))
    return places


def place_of(qmp, device):
    path = f"/machine/peripheral/{device}"
    bus = qmp.execute("qom-get", path=path, property="parent_bus").rsplit("/", 1)[1]
    return bus, qmp.execute("qom-get", path=path, property="addr")


@pytest.mark.parametrize("arch, machine", mostly_extended(ON_PCI_EXPRESS + ON_PCI, BOARDS))
def test_all_are_where_they_were_planned(machines, image, arch, machine):
    vm = many_devices(image, machine, memory=1024)
    places = planned(machines.build(arch, vm).argv)
    behind = [device for device, (bus, _) in places.items() if bus]
    assert len(places) == DISKS + NICS + SHARES + 1 + 4 and len(behind) >= DISKS + NICS + SHARES + 1 - 32
    with machines.start(arch, vm) as qmp:
        for device, (bus, address) in places.items():
            assert place_of(qmp, device) == (bus or place_of(qmp, "bridge0")[0], address), device


def functions_of(buses):
    """All that firmware has found, those behind bridges too."""
    for bus in buses:
        for device in bus["devices"]:
            yield device
            yield from functions_of([device["pci_bridge"]] if "devices" in device.get("pci_bridge", {}) else [])


@pytest.mark.parametrize("machine", ["q35", "pc"])
def test_the_firmware_finds_those_behind_bridges(machines, image, machine):
    vm = many_devices(image, machine)
    places = planned(machines.build("x86_64", vm).argv)
    with machines.start("x86_64", vm) as qmp:
        qmp.execute("cont")
        deadline, found = time.monotonic() + DEADLINE, set()
        while not set(places) <= found and time.monotonic() < deadline:
            found = {device["qdev_id"] for device in functions_of(qmp.execute("query-pci"))}
            time.sleep(0.1)
        assert set(places) <= found


@pytest.mark.parametrize("arch, machine", mostly_extended(ON_PCI_EXPRESS, BOARDS))
@pytest.mark.parametrize("count", [1, 32])
def test_ports_take_devices(machines, image, arch, machine, count):
    vm = many_devices(image, machine, memory=1024, hotplug_slots=count)
    with machines.start(arch, vm) as qmp:
        for port in {0, count - 1}:
            qmp.execute("device_add", driver="virtio-rng-pci", id=f"added{port}", bus=f"port{port}")
            assert place_of(qmp, f"added{port}") == (f"port{port}", 0)


def has_window(bus):
    return bus["secondary"] and bus["memory_range"]["limit"] > bus["memory_range"]["base"]


def test_the_firmware_leaves_room_in_ports(machines):
    """What is plugged into a port while the guest runs has windows for its memory there."""
    with machines.start("x86_64", {"machine": "q35", "hotplug_slots": 3}) as qmp:
        qmp.execute("cont")
        deadline, ports = time.monotonic() + DEADLINE, []
        while len(ports) < 3 and time.monotonic() < deadline:
            ports = [device for device in functions_of(qmp.execute("query-pci"))
                     if device["qdev_id"].startswith("port") and has_window(device["pci_bridge"]["bus"])]
            time.sleep(0.1)
        assert len({port["pci_bridge"]["bus"]["secondary"] for port in ports}) == 3
