# SPDX-License-Identifier: MIT
"""What a guest boots from, where the VM says nothing of an order: the first disk of its list, whatever the buses."""
import contextlib
import shutil
import subprocess
import time

import boot_sector
import pytest
from machines import Machines

DEADLINE = 60  # seconds; a boot takes one on a quiet machine


@pytest.fixture(scope="module")
def machines(tmp_path_factory):
    directory = tmp_path_factory.mktemp("machines")
    yield Machines(directory)
    shutil.rmtree(directory)


@contextlib.contextmanager
def running(machines, directory, vm, arch="x86_64"):
    """Yields the process, and a function that gives what the console has said."""
    console = directory / "console"
    made = machines.build(arch, {"console": "file", "console_path": str(console),
                                     "runtime_dir": str(directory), "memory": 64, **vm})
    process = subprocess.Popen(made.argv, env=made.env, cwd=made.cwd, stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        yield process, lambda: console.read_text(errors="replace") if console.exists() else ""
    finally:
        process.kill()
        process.communicate()


def booted(machines, directory, vm):
    """What the guest says that it is booted from."""
    with running(machines, directory, vm) as (process, console):
        end = time.monotonic() + DEADLINE
        while "BOOTED" not in console() or not console().endswith("\n"):
            assert process.poll() is None, process.stdout.read()
            assert time.monotonic() < end, console()
            time.sleep(0.05)
        return console()


@pytest.mark.parametrize("machine", ["q35", "pc"])
@pytest.mark.parametrize("first, second", [
    ("virtio", "ide"), ("virtio", "scsi"), ("scsi", "ide"), ("nvme", "virtio"), ("ide", "virtio")])
def test_the_first_disk_is_booted(machines, tmp_path, machine, first, second):
    disks = [{"bus": bus, "file": boot_sector.disk(tmp_path / bus, bus)} for bus in (first, second)]
    assert booted(machines, tmp_path, {"machine": machine, "disks": disks}) == boot_sector.saying(first)


@pytest.mark.parametrize("machine", ["q35", "pc"])
@pytest.mark.parametrize("installed", [True, False])
def test_a_cdrom_is_booted_behind_the_disks(machines, tmp_path, machine, installed):
    """So that an installer is booted as long as the disks are empty."""
    cdrom = {"cdrom": True, "file": boot_sector.cdrom(tmp_path / "iso", "cdrom")}
    disks = [{"bus": bus, "file": boot_sector.disk(tmp_path / bus, bus if installed else "")}
             for bus in ("virtio", "scsi")]
    said = booted(machines, tmp_path, {"machine": machine, "disks": [cdrom, *disks]})
    assert said == boot_sector.saying("virtio" if installed else "cdrom")


def test_an_order_that_is_given_counts_alone(machines, tmp_path):
    disks = [{"bus": bus, "file": boot_sector.disk(tmp_path / bus, bus)} for bus in ("virtio", "scsi")]
    disks[1]["boot_order"] = 7
    assert booted(machines, tmp_path, {"disks": disks}) == boot_sector.saying("scsi")


@pytest.mark.parametrize("first, second", [("virtio", "ide"), ("ide", "virtio")])
def test_openbios_tries_disks_in_the_order_of_the_list(machines, tmp_path, first, second):
    """It names what it tries; there is nothing to boot on them."""
    names = {"virtio": "/scsi@", "ide": "/ata-3@"}
    disks = [{"bus": bus, "file": str(tmp_path / bus)} for bus in (first, second)]
    for disk in disks:
        with open(disk["file"], "wb") as file:
            file.truncate(1 << 20)
    with running(machines, tmp_path, {"disks": disks, "memory": 256}, "ppc") as (process, console):
        end = time.monotonic() + DEADLINE
        while not all(name in console() for name in names.values()):
            assert process.poll() is None, process.stdout.read()
            assert time.monotonic() < end, console()
            time.sleep(0.05)
        assert console().index(names[first]) < console().index(names[second])
