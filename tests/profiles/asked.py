# SPDX-License-Identifier: MIT
"""What the library can ask a QEMU for: VMs with each key of the schema, with each of its values, in the company of
others that it needs, on every machine. A new key is among them at once; one that is a string needs a sample here."""
import functools
import itertools
import json
import sys
import tempfile
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(SOURCE / "tests/harness"))
from library import Refused, Runtime, VmFromJson, machines_of  # noqa: E402

SCHEMA = json.loads((SOURCE / "docs/vm.schema.json").read_text())["properties"]

# Of the strings: a value that the key can have. Paths need no entry, nor does what has a choice of words.
SAMPLES = {
    "name": "vm", "uuid": "6ba7b810-9dad-11d1-80b4-00c04fd430c8", "user": "1000", "hugepages": "2M", "append": "quiet",
    "cpu_model": "max", "disks.id": "a", "shares.id": "a", "nics.id": "a", "disks.fd_name": "a",
    "disks.backing.fd_name": "a", "disks.serial": "a", "disks.iothread": "a", "shares.tag": "a",
    "nics.mac": "52:54:00:00:00:01", "nics.forwards.host_address": "127.0.0.1", "nics.ifname": "a",
    "nics.fd_name": "a", "nics.vhost_fd_name": "a", "nics.bridge": "a", "qmp_fd_name": "a",
}
# Which QEMU it runs on is what is asked here, and not by these keys; arguments of one's own ask for anything, and where
# devices are for nothing but what these are.
NOT_ASKED = {"guest_arch", "profile", "mode", "machine", "extra_args", "cpu_features", "slots"}

# What a key may need beside it.
COMPANY = [
    {}, {"display": "vnc"}, {"display": "vnc", "vnc_port": 5900, "vnc_no_password": True},
    {"display": "vnc", "guest_os": "windows"}, {"usb": True},
    {"usb": False, "guest_os": "windows"}, {"guest_os": "other"}, {"kernel": "/k"}, {"rootfs": "/r", "kernel": "/k"},
    {"rootfs": "/r", "rootfs_driver": "virtiofs", "kernel": "/k"}, {"tpm": True}, {"firmware": "uefi"},
    {"firmware": "uefi", "secure_boot": True},
    {"console": "socket"}, {"console": "file", "console_path": "/run/a"}, {"memory": 1024, "cpus": 8},
]
ELEMENTS = {
    "disks": [{"file": "/a"}, {"file": "/a", "format": "qcow2"}, {"file": "/a", "cdrom": True}, {"cdrom": True},
              {"file": "/a", "cache": "none"}, {"file": "/a", "read_only": True}, {}],
    "disks.backing": [{"file": "/b"}, {"file": "/b", "format": "qcow2"}, {}],
    "shares": [{"path": "/a", "tag": "t"}, {"path": "/a", "tag": "t", "driver": "virtiofs"}],
    "nics": [{}, {"backend": "tap", "ifname": "a"}, {"backend": "tap", "ifname": "a", "vhost": False},
             {"backend": "bridge", "bridge": "a"}, {"backend": "tap"}],
    "nics.forwards": [{"host_port": 1, "guest_port": 1}],
}
UEFI_IMAGES = ["OVMF_CODE_4M.fd", "OVMF_CODE_4M.ms.fd", "OVMF_VARS_4M.fd", "OVMF_VARS_4M.ms.fd", "edk2-i386-code.fd",
               "edk2-i386-vars.fd", "edk2-i386-secure-code.fd", "AAVMF_CODE.fd", "AAVMF_CODE.ms.fd", "AAVMF_VARS.fd",
               "AAVMF_VARS.ms.fd", "AAVMF32_CODE.fd", "AAVMF32_VARS.fd", "RISCV_VIRT_CODE.fd", "RISCV_VIRT_VARS.fd",
               "edk2-loongarch64-code.fd", "edk2-loongarch64-vars.fd"]
OPTIONS = ("-device", "-object", "-netdev", "-chardev", "-fsdev", "-tpmdev", "-display", "-accel", "-machine")
MANY = {"disks": [{"file": f"/{i}"} for i in range(40)], "nics": [{} for _ in range(12)],
        "shares": [{"path": f"/{i}", "tag": f"{i}"} for i in range(6)], "rng": True}


def values(name, property):
    """What a property is tried with."""
    if "enum" in property:
        return property["enum"]
    if property["type"] == "boolean":
        return [True, False]
    if property["type"] == "integer":
        least = max([1, property["minimum"], *(choice.get("minimum", 0) for choice in property.get("anyOf", []))])
        return [least, 4] if least < 4 else [least]
    if property.get("pattern", "").startswith("^/"):
        return [f"/{name.replace('.', '/')}"]
    assert name in SAMPLES, f"the new key {name} needs a value that it can have, in tests/profiles/asked.py"
    return [SAMPLES[name]]


def elements(noun, properties):
    """Elements of a list with each key of theirs, in each company: (key, value, element)."""
    for name, property in properties.items():
        full = f"{noun}.{name}"
        for company in ELEMENTS[noun]:
            if property["type"] == "array":
                for key, value, inner in elements(full, property["items"]["properties"]):
                    yield key, value, {**company, name: [inner]}
            else:
                for value in values(full, property):
                    yield full, value, {**company, name: value}


@functools.cache
def documents():
    """[(key, value, document)] of all keys but those that are not asked."""
    made = []
    for company in COMPANY:
        for name, property in SCHEMA.items():
            if name in NOT_ASKED:
                continue
            if property["type"] == "array":
                made += [(key, value, {**company, name: [element]})
                         for key, value, element in elements(name, property["items"]["properties"])]
            else:
                made += [(name, value, {**company, name: value}) for value in values(name, property)]
    return [*made, ("disks", "many", MANY)]


def whole(machine, document):
    """The text of a document for a machine."""
    return json.dumps({"name": "vm", "firmware": "bios", "machine": machine, "state_dir": "/state",
                       "runtime_dir": "/run/vm", **document})


class Asked:
    """What a profile was asked for, by option: {"-device": {"virtio-blk-pci", ...}}; and what was taken of the keys."""

    def __init__(self):
        self.things, self.taken, self.refused = {}, set(), {}

    def note(self, argv):
        words = [word.decode(errors="replace") for word in argv]
        for option, value in itertools.pairwise(words):
            if option in OPTIONS:
                self.things.setdefault(option, set()).add(thing_of(value))
            elif option == "-blockdev":
                self.things.setdefault(option, set()).update(drivers_of(value))

    def union(self, other):
        for option, things in other.things.items():
            self.things.setdefault(option, set()).update(things)
        self.taken |= other.taken


def thing_of(value):
    """The first word of "virtio-blk-pci,id=..." and of {"driver": ...}."""
    if value.startswith("{"):
        known = json.loads(value)
        return next(known[key] for key in ("driver", "qom-type", "type", "backend") if key in known)
    return value.split(",", 1)[0]


def drivers_of(value):
    """Of the blocks of a -blockdev, which can stand within each other."""
    def walk(node):
        if isinstance(node, dict):
            if "driver" in node:
                yield node["driver"]
            for below in node.values():
                yield from walk(below)
    return set(walk(json.loads(value))) if value.startswith("{") else {
        part.split("=", 1)[1] for part in value.split(",") if part.split("=", 1)[0].split(".")[-1] == "driver"}


@functools.cache
def firmware():
    """A directory with UEFI firmware for all who can have it, by its names."""
    directory = tempfile.TemporaryDirectory(prefix="firmware-")
    for name in UEFI_IMAGES:
        Path(directory.name, name).write_bytes(bytes(4096))
    return directory


@functools.cache
def asked_of(profile, arch, host="x86_64"):
    """What VMs of an architecture ask a profile for, on all of its machines."""
    runtime = Runtime(profile, arch, "/bin/qemu", firmware().name, host=host)
    asked = Asked()
    for machine in machines_of(arch):
        for key, value, document in documents():
            try:
                asked.note(runtime.build(VmFromJson(whole(machine, document).encode())).argv)
                asked.taken.add((key, str(value)))
            except Refused as reason:
                asked.refused[key, str(value)] = str(reason)
    return asked


def machine_options(profile, arch, host, machine):
    """What any VM has behind the name of a machine, but for what is about dumps of QEMU itself."""
    runtime = Runtime(profile, arch, "/bin/qemu", firmware().name, host=host)
    argv = [word.decode() for word in runtime.build(VmFromJson(whole(machine, {"kernel": "/k"}).encode())).argv]
    name, *options = argv[argv.index("-machine") + 1].split(",")
    assert name == machine
    return set(options) - {"dump-guest-core=off"}
