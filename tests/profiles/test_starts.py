# SPDX-License-Identifier: MIT
"""Each key of VMs in the compiled QEMUs, which stand still: they start with it, and say nothing. Those for KVM do so
without KVM as well, since no guest runs; what runs is booted in tests/e2e, by VOLT_PROFILES."""
import json
import os
import subprocess
import sys
from pathlib import Path

import asked
import pytest
import recipes
from asked import SOURCE

sys.path.insert(0, str(SOURCE / "tests/harness"))
import emulated  # noqa: E402
import power_guest  # noqa: E402
from library import Refused, Runtime, VmFromJson  # noqa: E402
from machines import mostly_extended  # noqa: E402
from made_profile import purpose_built  # noqa: E402
from qmp import QemuFailed, stopped_machine  # noqa: E402

MADE = [name for name in recipes.LIBRARYS_OWN if purpose_built(name) and emulated.can_run(purpose_built(name))]
PROFILES = [name for name in MADE if (purpose_built(name) / "bin/qemu-system-x86_64").exists()]
FOR_ARM = [name for name in MADE if name.startswith("kvm-") and emulated.host_of(purpose_built(name)) == "aarch64"]
NONE_FOR_ARM = [pytest.param(None, marks=[pytest.mark.extended, pytest.mark.skip(reason="no profile for aarch64 hosts was made")])]
# What takes more of the host than files: descriptors, network devices, other programs, memory, devices.
NEEDS_MORE = (
    "fd", "fd_name", "vhost_fd", "vhost_fd_name", "hugepages", "backend", "bridge", "helper", "ifname", "vhost",
    "driver", "rootfs_driver", "socket", "vsock_cid", "tpm", "tpm_socket", "tpm_state", "swtpm_program",
    "virtiofsd_program", "virtiofsd_root", "block_device", "hyperv", "qmp_fd", "qmp_fd_name", "secure_boot",
    "secure_boot_unguarded", "firmware", "nvram", "data_file")


class Place:
    """A directory with all files that the documents name, for guests of an architecture."""

    def __init__(self, directory, arch):
        self._directory = directory
        for name in ("run", "state", "r"):
            (directory / name).mkdir()
        if arch == "x86_64":
            power_guest.build(directory / "k")
        else:
            (directory / "k").write_bytes(bytes(4096))  # any bytes are an Image
        (directory / "initrd").write_bytes(b"initrd")
        (directory / "password").write_text("secret")
        (directory / "password").chmod(0o600)

    def path(self, key, text):
        """A file of this directory instead of one that a document names."""
        if key in ("kernel", "initrd"):
            return str(self._directory / ("k" if key == "kernel" else "initrd"))
        if key in ("rootfs", "path"):
            return str(self._directory / "r")
        if key == "vnc_password_file":
            return str(self._directory / "password")
        return f"{self._directory}/run/{text.strip('/').replace('/', '-')}"

    def document(self, value, key=None, container=None):
        if isinstance(value, dict):
            return {name: self.document(below, name, value) for name, below in value.items()}
        if isinstance(value, list):
            return [self.document(below, key, container) for below in value]
        if not (isinstance(value, str) and value.startswith("/")):
            return value
        path = self.path(key, value)
        if key == "file":
            path = self._image(path, container.get("format", "raw"))
        return path

    @staticmethod
    def _image(path, kind):
        path = f"{path}.{kind}"
        if not os.path.exists(path):
            subprocess.run(["qemu-img", "create", "-q", "-f", kind, path, "1M"], check=True)
        return path


def wanted():
    """One document for each key, value and machine, without those that need more."""
    seen = {}
    for key, value, document in asked.documents():
        text = json.dumps(document)
        if key.split(".")[-1] in NEEDS_MORE or any(f'"{name}"' in text for name in NEEDS_MORE):
            continue
        seen.setdefault((key, str(value)), []).append(document)
    return seen


def without_kvm(argv):
    """A command whose QEMU stands still without KVM: its processors are others."""
    words = [os.fsdecode(word) for word in argv]
    if words[words.index("-accel") + 1] == "kvm":
        words[words.index("-accel") + 1] = "qtest"
        words[words.index("-cpu") + 1] = "max" if "aarch64" in words[0] else "qemu64"
    return words


def start_with_each_key(name, arch, machine, directory):
    """Returns what failed, and the keys that a machine was started with."""
    place, made, failed, started = Place(directory, arch), purpose_built(name), {}, set()
    is_foreign = emulated.is_foreign(made)
    program = emulated.write_program(made, arch, directory) if is_foreign else made / f"bin/qemu-system-{arch}"
    own = {"runtime_dir": "/", "state_dir": "/"}
    if is_foreign:
        own.update(emulated.WITHOUT_SECCOMP)
    runtime = Runtime(name, arch, program, made / "firmware", host=emulated.host_of(made))
    for (key, value), documents in wanted().items():
        if is_foreign and (key, value) in emulated.NOT_HANDED_ON:
            continue
        for document in documents:
            text = asked.whole(machine, place.document({**document, **own}))
            try:
                command = runtime.build(VmFromJson(text.encode()))
            except Refused:
                continue
            words = without_kvm(command.argv)

            def with_more(extra, words=words, command=command):
                return [*words, *extra], command.env, command.cwd
            try:
                with stopped_machine(with_more, said=rb".*"):
                    started.add(key)
            except QemuFailed as reason:
                failed[key, value] = str(reason)
            break
    return failed, started


@pytest.mark.parametrize("machine", ["q35", pytest.param("pc", marks=pytest.mark.extended)])
@pytest.mark.parametrize("name", mostly_extended(PROFILES, ["kvm-linux"]))
def test_it_starts_with_each_key(name, machine, tmp_path):
    failed, started = start_with_each_key(name, "x86_64", machine, tmp_path)
    assert failed == {} and len(started) > 40


@pytest.mark.parametrize("name", FOR_ARM or NONE_FOR_ARM)
def test_one_for_arm_starts_with_each_key(name, tmp_path):
    failed, started = start_with_each_key(name, "aarch64", "virt", tmp_path)
    assert failed == {} and len(started) > 40
