# SPDX-License-Identifier: MIT
"""Places that a completed VM gives its devices: the real QEMU of each kind of machine has each device there, also when
others were taken out of the VM."""
import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "harness"))
from machines import Machines  # noqa: E402

# Guest, machine, and how many devices of each list are more than its bus has room for.
CROWDED = [("x86_64", "q35", 40), ("x86_64", "pc", 40), ("aarch64", "virt", 40), ("ppc64", "pseries", 40),
           ("mips", "malta", 12), ("s390x", "s390-ccw-virtio", 40)]


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


def crowd(image, machine, disks):
    """Drives on all buses, the display's input devices, and whatever there is one of."""
    buses = ["scsi", "scsi"] + ([] if machine == "s390-ccw-virtio" else ["ide", "ide", "usb", "usb"])
    cds = [{"cdrom": True, "bus": bus} for bus in buses] + [{"cdrom": True, "bus": "scsi", "iothread": "io"}]
    return {"name": "vm", "machine": machine, "memory": 1024, "firmware": "bios", "display": "vnc",
            "disks": cds + [{"file": str(image), "read_only": True, "bus": "virtio"} for _ in range(disks)],
            "nics": [{}, {"id": "lan"}, {}], "shares": [{"path": "/usr/share", "tag": "s"}],
            "rng": True, "balloon": True, "watchdog": "reset"}


def started(machines, arch, vm):
    """A VM that stands still, with a directory of its own for sockets."""
    return machines.start(arch, {key: value for key, value in vm.items() if key != "runtime_dir"})


# ---- where QEMU has them ----

def value_of(qmp, device, name):
    return qmp.execute("qom-get", path=f"/machine/peripheral/{device}", property=name)


def bus_of(qmp, device):
    return value_of(qmp, device, "parent_bus").rsplit("/", 1)[1]


def place_on_pci(qmp, device):
    address, bus = value_of(qmp, device, "addr"), bus_of(qmp, device)
    slot = f"{address >> 3:#x}"
    if bus.startswith("bridge"):
        return f"{bus}:{slot}"
    return f"{slot}.{address & 7}" if address & 7 or value_of(qmp, device, "multifunction") else slot


def place_on_ide(qmp, device, machine):
    number = int(bus_of(qmp, device).rsplit(".", 1)[1])
    return f"ide:{2 * number + value_of(qmp, device, 'unit') if machine in ('pc', 'malta') else number}"


def place_in_qemu(qmp, device, wanted, machine):
    """As the document has it."""
    kind = str(wanted).split(":", maxsplit=1)[0]
    if kind == "scsi":
        return f"scsi:{value_of(qmp, device, 'scsi-id')}"
    if kind == "ide":
        return place_on_ide(qmp, device, machine)
    if kind == "usb":
        cd = f"usb-{device}"
        has_bridge = any(entry["name"] == cd for entry in qmp.execute("qom-list", path="/machine/peripheral"))
        return f"usb:{value_of(qmp, cd if has_bridge else device, 'port')}"
    return value_of(qmp, device, "devno") if kind.startswith("fe.") else place_on_pci(qmp, device)


def places_of(qmp, vm):
    return {device: place_in_qemu(qmp, device, wanted, vm["machine"]) for device, wanted in vm["slots"].items()}


def on_root_bus(qmp):
    """By query-pci: slot and function of each device that has an id."""
    return {device["qdev_id"]: (device["slot"], device["function"])
            for bus in qmp.execute("query-pci") for device in bus["devices"] if device["qdev_id"]}


def check_places(qmp, vm):
    assert places_of(qmp, vm) == vm["slots"]
    if vm["machine"] == "s390-ccw-virtio":
        return
    for device, (slot, function) in on_root_bus(qmp).items():
        assert vm["slots"][device] in (f"{slot:#x}", f"{slot:#x}.{function}"), device


@pytest.mark.parametrize("arch, machine, disks", CROWDED)
def test_devices_of_a_completed_vm_are_where_it_says(machines, image, arch, machine, disks):
    vm = machines.runtime(arch).complete(crowd(image, machine, disks))
    assert len(vm["slots"]) >= len(vm["disks"]) + len(vm["nics"]) + 1
    assert [nic["id"] for nic in vm["nics"]] == ["nic0", "lan", "nic2"]
    with started(machines, arch, vm) as qmp:
        check_places(qmp, vm)


def without(vm, *ids):
    """Neither the devices nor their places."""
    return {**vm, "disks": [disk for disk in vm["disks"] if disk["id"] not in ids],
            "nics": [nic for nic in vm["nics"] if nic["id"] not in ids],
            "slots": {device: place for device, place in vm["slots"].items() if device not in ids}}


def carries_others(vm, device):
    """On a Malta board, whether the guest finds others by it: the first of several functions."""
    slot, _, function = str(vm["slots"][device]).partition(".")
    others = [place for place in map(str, vm["slots"].values()) if place.startswith(f"{slot}.")]
    return vm["machine"] == "malta" and function == "0" and len(others) > 1


@pytest.mark.parametrize("arch, machine, disks", CROWDED)
def test_what_is_left_stays_where_it_was(machines, image, arch, machine, disks):
    """Also where the device beside the bridges is taken away, by which the guest finds them."""
    vm = machines.runtime(arch).complete(crowd(image, machine, disks))
    beside_bridges = next((device for device, place in vm["slots"].items() if place == "0x1f.0"), None)
    with_thread = next(disk["id"] for disk in vm["disks"] if "iothread" in disk)
    gone = {device for device in ("drive0", "drive9", "drive10", "lan") if not carries_others(vm, device)}
    if not carries_others(vm, "scsi-io"):
        gone |= {with_thread, "scsi-io"}
    assert len(gone) >= 3 and (machine != "virt" or beside_bridges in gone)
    rest = without(vm, *gone)
    with started(machines, arch, rest) as qmp:
        assert places_of(qmp, rest) == rest["slots"]
