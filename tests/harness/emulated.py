# SPDX-License-Identifier: MIT
"""Profiles for hosts of another architecture than this machine's: how their QEMU is started here."""
import json
import os
import shutil
from pathlib import Path


# System calls that no emulation of a processor hands on: what keys and values would come to.
WITHOUT_SECCOMP = {"sandbox": False}
NOT_HANDED_ON = {("disks.aio", "io_uring"), ("disks.aio", "native")}


def host_of(made):
    """The architecture of the hosts that a profile is for, which examples/profiles/build made."""
    return json.loads(Path(made, "share/build.json").read_text())["arch"]


def is_foreign(made):
    return host_of(made) != os.uname().machine


def can_run(made):
    return not is_foreign(made) or shutil.which(f"qemu-{host_of(made)}") is not None


def write_program(made, target, directory):
    """A program of this machine that is QEMU's for a target, by emulation of the processor. Returns its path."""
    emulator, made = shutil.which(f"qemu-{host_of(made)}"), Path(made)
    (loader,) = made.glob("lib/ld-linux*")
    path = Path(directory, f"qemu-system-{target}")
    path.write_text(f'#!/bin/sh\nexec {emulator} {loader} --inhibit-cache --library-path {made}/lib '
                    f'{made}/bin/qemu-system-{target} "$@"\n')
    path.chmod(0o755)
    return path
