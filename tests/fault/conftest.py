# SPDX-License-Identifier: MIT
"""What all tests of faults share: the injector, and a disk of their own."""
import ctypes
import os
import subprocess
from pathlib import Path

import pytest

from points import Injector

HERE = Path(__file__).resolve().parent


@pytest.fixture(scope="session")
def injector(tmp_path_factory):
    program = tmp_path_factory.mktemp("inject") / "inject"
    subprocess.run(["cc", "-std=c11", "-O2", "-o", program, HERE.parent / "harness/inject.c"], check=True)
    return Injector(program)


@pytest.fixture(scope="session", autouse=True)
def own_mounts():
    """What is mounted here is for this process and its children only, and goes with it, even if killed."""
    if os.getuid() != 0:
        return
    new_mount_namespace = 0x20000
    if ctypes.CDLL(None, use_errno=True).unshare(new_mount_namespace) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)


@pytest.fixture(scope="session")
def disk(tmp_path_factory):
    """
    An ext4 whose image lies in memory: the calls that a real disk gets, without its waits.
    FAULT_FS=xfs or btrfs in the environment: that instead; they need xfsprogs or btrfs-progs.
    """
    directory = tmp_path_factory.mktemp("disk")
    if os.getuid() != 0:
        yield directory  # whatever is there: the calls are nearly the same
        return
    kind = os.environ.get("FAULT_FS", "ext4")
    shared = Path("/dev/shm")
    image = (shared if shared.is_dir() else directory.parent) / f"volt-faults-{os.getpid()}.img"
    try:
        with image.open("wb") as file:
            file.truncate(512 << 20)
        subprocess.run([f"mkfs.{kind}", "-q", image], check=True, stdout=subprocess.DEVNULL)
        subprocess.run(["mount", "-o", "loop", image, directory], check=True)
    finally:
        image.unlink()  # it stays as long as it is mounted
    yield directory
    subprocess.run(["umount", directory], check=True)
