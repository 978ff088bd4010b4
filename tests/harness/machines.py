# SPDX-License-Identifier: MIT
"""The real QEMU of every architecture, with no more firmware than it needs, and VMs that stand still."""
import contextlib
import os
import shutil
import tempfile
from pathlib import Path

import pytest

from library import Runtime, Vm
from made_profile import X86, emulating, purpose_built
from qmp import stopped_machine

FOREIGN = ["aarch64", "arm", "riscv64", "riscv32", "mips", "mipsel", "mips64", "mips64el", "ppc",
           "ppc64", "ppc64le", "s390x", "loongarch64"]
ARCHES = X86 + FOREIGN
# Debian 12 has no OpenSBI for riscv32, and QEMU does not start the machine without a firmware.
WITHOUT_FIRMWARE = {"riscv32": ["-bios", "none"]}

# Of these, only the keymap and vgabios-ramfb.bin are for guests that are not x86.
FIRMWARE = [
    "bios-256k.bin", "kvmvapic.bin", "linuxboot_dma.bin", "pvh.bin", "vgabios-stdvga.bin",
    "vgabios-virtio.bin", "vgabios-ramfb.bin", "efi-virtio.rom", "efi-e1000.rom", "efi-e1000e.rom",
    "opensbi-riscv64-generic-fw_dynamic.bin", "openbios-ppc", "slof.bin", "s390-ccw.img",
    "keymaps/en-us",
]
FIRMWARE_DIRECTORIES = ["/usr/share/qemu", "/usr/share/seabios", "/usr/lib/ipxe/qemu",
                        "/usr/lib/riscv64-linux-gnu/opensbi/generic", "/usr/share/slof"]
MODULES = "/usr/lib/x86_64-linux-gnu/qemu"


def mostly_extended(values, always):
    """Parameters, of which only those named run without --extended."""
    return [value if value in always else
            pytest.param(*(value if isinstance(value, tuple) else (value,)), marks=pytest.mark.extended)
            for value in values]


# Each program and board once: others differ from these in the order of bytes, or the width of words.
EACH_KIND = mostly_extended(ARCHES, ["x86_64", "aarch64", "arm", "riscv64", "mips64el", "ppc", "ppc64", "s390x",
                                     "loongarch64"])


def program_name(arch):
    return "qemu-system-" + arch.replace("ppc64le", "ppc64")


def find_program(name):
    """/usr/bin/qemu-system-i386 can be a script around the program."""
    for directory in ("/usr/libexec", "/usr/bin"):
        path = Path(directory, name)
        if path.exists() and path.read_bytes()[:4] == b"\x7fELF":
            return path
    raise AssertionError(f"{name} is not installed")


class Machines:
    """Copies of the programs: beside these QEMU finds none of the host's firmware and modules."""

    def __init__(self, directory):
        self._directory = directory
        self._runtimes = {}
        if not all(purpose_built(emulating(arch)) for arch in ARCHES):
            self._gather()

    def _gather(self):
        directory = self._directory
        for name in ("bin", "firmware/keymaps", "modules"):
            (directory / name).mkdir(parents=True)
        for name in FIRMWARE:
            source = next(Path(d, name) for d in FIRMWARE_DIRECTORIES if Path(d, name).exists())
            shutil.copy(source, directory / "firmware" / name)
        for pattern in ("accel-tcg-*.so", "hw-display-virtio-[gv]*.so", "hw-s390x-*.so"):
            for module in Path(MODULES).glob(pattern):
                if "-gl" not in module.name:
                    shutil.copy(module, directory / "modules")

    def runtime(self, arch):
        if arch not in self._runtimes:
            self._runtimes[arch] = Runtime(emulating(arch), arch, *self._paths(arch))
        return self._runtimes[arch]

    def _paths(self, arch):
        """Of the program, the firmware and the modules, if there are any."""
        directory = purpose_built(emulating(arch))
        if directory:
            return directory / "bin" / program_name(arch), directory / "firmware"
        binary = self._directory / "bin" / program_name(arch)
        if not binary.exists():
            shutil.copy(find_program(binary.name), binary)
        return binary, self._directory / "firmware", self._directory / "modules"

    def build(self, arch, description, vm=Vm):
        """The command of a description like that in JSON, to which a name is added. Nothing boots, so
        there need be no UEFI firmware."""
        runtime_dir = tempfile.mkdtemp(prefix="run-", dir=self._directory)  # QEMU locks a file in there
        description = {"name": "vm", "firmware": "bios", "runtime_dir": runtime_dir, **description}
        extra = [*description.get("extra_args", []), *WITHOUT_FIRMWARE.get(arch, [])]
        return self.runtime(arch).build(vm({**description, "extra_args": extra}))

    @contextlib.contextmanager
    def start(self, arch, description, vm=Vm, **options):
        """Yields the QMP connection of a VM that stands still; see stopped_machine()."""
        def make(extra):
            arguments = [*description.get("extra_args", []), *extra]
            made = self.build(arch, {**description, "extra_args": arguments}, vm)
            return made.argv, made.env, made.cwd
        fds = [fd for key, fd in _descriptors(description)]
        with stopped_machine(make, pass_fds=fds, **options) as qmp:
            yield qmp


def _descriptors(description):
    """The numbers that stand in a description."""
    for key, value in description.items():
        if key.endswith("fd"):
            yield key, value
        elif isinstance(value, list):
            for element in value:
                if isinstance(element, dict):
                    yield from _descriptors(element)


def open_files(process):
    """What the descriptors of a process lead to."""
    directory, paths = f"/proc/{process.pid}/fd", []
    for fd in os.listdir(directory):
        with contextlib.suppress(FileNotFoundError):  # it was closed meanwhile
            paths.append(os.readlink(f"{directory}/{fd}"))
    return paths
