# SPDX-License-Identifier: MIT
"""The Python package: every key of a VM, every call of a store, commands, and asyncio."""
import asyncio
import contextlib
import copy
import ctypes
import dataclasses
import io
import json
import logging
import os
import pickle
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("BUILD_DIR", SOURCE / "build"))
ctypes.CDLL(str(BUILD / "lib/libvoltqemu.so.1"))  # the package finds it under its SONAME
sys.path.insert(0, str(SOURCE / "examples/python"))
import voltqemu  # noqa: E402
from voltqemu import aio  # noqa: E402

# Something for each pattern that a string can have.
STRINGS = ["/a,b c/\u20ac", "\u20ac, =x", "x1", "2M", "6ba7b810-9dad-11d1-80b4-00c04fd430c8", "52:54:00:12:34:56",
           "127.0.0.1", "/x", "x86_64"]
VALUES = {"cpu_features": {"avx": True, "x.y-z": False, "hv-spinlocks": "0x1fff", "number": 7},
          "slots": {"drive0": "0x1f.0", "my.disk": "scsi:3", "nic0": 16}}


def string_for(schema, number):
    text = next(text for text in STRINGS if re.search(schema.get("pattern", ""), text))
    return f"x{number}" if text == "x1" else text  # what must be unique is


def document_for(schema, number, name=""):
    """What a schema allows, with every key; odd numbers switch off what even ones switch on."""
    kind = schema.get("type")
    if kind == "object" and "properties" in schema:
        return {key: document_for(value, number, key) for key, value in schema["properties"].items()}
    return {
        "object": lambda: dict(VALUES[name]),
        "array": lambda: [document_for(schema["items"], number + i) for i in range(2)],
        "boolean": lambda: number % 2 == 0,
        "integer": lambda: schema["maximum"] - number,
        "string": lambda: (schema["enum"][number % len(schema["enum"])] if "enum" in schema
                           else f"{name}{number}" if name == "id" else string_for(schema, number)),
    }[kind]()


def defaults_for(schema):
    return {key: None for key in schema["properties"] if key not in schema["required"]}


# ---- policies ----

@pytest.mark.usefixtures("revision")
def test_a_policy_has_every_key_and_denies(store):
    schema = voltqemu.policy_schema()
    document = document_for(schema, 0)
    policy = voltqemu.Policy(**document)
    assert policy.to_dict() == document and list(document) == list(schema["properties"])
    assert voltqemu.Policy.from_json(policy.to_json()).to_dict() == document
    for same in (pickle.loads(pickle.dumps(policy)), copy.copy(policy), copy.deepcopy(policy)):
        assert same.to_dict() == document and same == policy and hash(same) == hash(policy)
    assert policy != voltqemu.Policy()
    runtime, vm = resolve(store), voltqemu.VM("x", user="root", sandbox=False, extra_args=["-S"])
    for make in (voltqemu.Command, voltqemu.Units):
        with pytest.raises(voltqemu.DeniedError) as denied:
            make(runtime, vm, policy=voltqemu.Policy(users=["root"]))
        assert denied.value.reason == "policy-switch"
        assert denied.value.details["keys"] == "sandbox, extra_args"
        make(runtime, vm, policy=voltqemu.Policy(users=["root"], sandbox_off=True, extra_args=True))
    with pytest.raises(voltqemu.UnknownKeyError):
        voltqemu.Policy(read_path=["/"])
    with pytest.raises(TypeError):
        voltqemu.Command(runtime, vm, policy={})


# ---- signatures ----

def sign(directory, revision, name="key"):
    """A key of OpenSSL's, and a signature by it."""
    secret, public, signature = directory / f"{name}.pem", directory / f"{name}.pub", directory / f"{name}.sig"
    for words in (["genpkey", "-algorithm", "ed25519", "-out", secret],
                  ["pkey", "-in", secret, "-pubout", "-out", public],
                  ["pkeyutl", "-sign", "-rawin", "-inkey", secret, "-in", revision.path, "-out", signature]):
        subprocess.run(["openssl", *words], check=True, capture_output=True)
    return public, signature.read_bytes()


def test_signatures_are_kept_and_asked_for(tmp_path, store, revision):
    public, signature = sign(tmp_path, revision)
    other, _ = sign(tmp_path, revision, "other")
    trust = voltqemu.Trust([public.read_text()])
    ((kind, key_id, name),) = [(key.kind, key.id, key.name) for key in trust.keys]
    assert (kind, len(key_id), name) == ("openssl", 64, None)
    with pytest.raises(voltqemu.UntrustedError) as refused:
        store.verify(revision, trust)
    assert refused.value.reason == "unsigned" and refused.value.details["trusted"] == f"openssl {key_id}"
    store.add_signature(revision, signature)
    (kept,) = store.signatures("emulate-x86")
    assert (kept.bytes, kept.kind, kept.key, kept.fault) == (signature, "openssl", None, None)
    assert store.verify(revision, voltqemu.Trust(key_files=[other, public])) == 1
    with voltqemu.Store(tmp_path / "to", create=True, trust=voltqemu.Trust(key_files=[other])) as to:
        with pytest.raises(voltqemu.UntrustedError):
            store.copy_to(revision, to)
    store.export_layout(revision, tmp_path / "layout", "latest", call=voltqemu.Call(max_layers=3))
    with voltqemu.Store(tmp_path / "to", trust=trust) as to:
        to.import_layout(tmp_path / "layout", any_profile=True, trust=trust)
        assert to.resolve(chosen()).revision == revision.name
    store.remove_signature(revision, kept.digest)
    assert store.signatures(revision) == []
    with pytest.raises(voltqemu.InvalidError):
        store.add_signature(revision, b"mine")
    with pytest.raises(TypeError):
        store.add_signature(revision, "mine")
    with pytest.raises(TypeError):
        voltqemu.Trust(public.read_text())


def test_a_verifier_has_the_last_word(store, revision):
    store.add_signature(revision, b"mi\0ne", any_kind=True)
    seen = []

    def verifier(evidence):
        seen.append(evidence)
        return voltqemu.Verdict.TRUSTED

    assert store.verify(revision, voltqemu.Trust(verifier=verifier)) is None
    (evidence,) = seen
    assert evidence.manifest == Path(revision.path).read_bytes() and evidence.signatures == [b"mi\0ne"]
    assert (evidence.profile, evidence.digest, evidence.key, evidence.oci_digest) == (
        "emulate-x86", revision.digest, None, None)
    with pytest.warns(RuntimeWarning, match="no verdict"):
        def fails(_):
            raise ValueError("no verdict")
        with pytest.raises(voltqemu.UntrustedError) as refused:
            store.verify(revision, voltqemu.Trust(verifier=fails))
    assert refused.value.reason == "verifier-refuses"


# ---- VMs ----

@pytest.mark.usefixtures("revision")
@pytest.mark.parametrize("key,other,same", [("profile", "kvm-linux", "emulate-x86"),
                                            ("mode", "hybrid-kvm", "hybrid-emulated"),
                                            ("guest_arch", "aarch64", "x86_64")])
def test_a_vm_runs_on_what_it_says_and_nothing_else(store, key, other, same):
    runtime, vm = resolve(store), voltqemu.VM("x", firmware="bios")
    assert voltqemu.Command(runtime, vm)
    vm[key] = other
    for make in (voltqemu.Command, voltqemu.Units):
        with pytest.raises(voltqemu.InvalidError) as refused:
            make(runtime, vm)
        assert refused.value.reason == "other-runtime"
        assert refused.value.details == {"key": key, "value": other, "profile": "emulate-x86"}
    vm[key] = same
    assert voltqemu.Command(runtime, vm)


@pytest.mark.parametrize("number", range(3))
def test_every_key_by_keyword_attribute_and_item_gives_the_document(number):
    document = document_for(voltqemu.schema(), number)
    assert len(document) > 50 and all(document[key] for key in ("disks", "shares", "nics", "extra_args"))
    by_keyword, by_attribute, by_item = voltqemu.VM(**document), voltqemu.VM("x"), voltqemu.VM("x")
    for key, value in document.items():
        setattr(by_attribute, key, value)
        by_item[key] = value
    by_document = voltqemu.VM.from_json(json.dumps(document))
    for vm in (by_keyword, by_attribute, by_item, by_document, by_document.copy()):
        assert vm.to_dict() == document and vm.to_json() == by_document.to_json()
        assert {key: plain(vm[key]) for key in document} == document
        assert {key: plain(getattr(vm, key)) for key in document} == document
    assert voltqemu.VM.from_json(by_keyword.to_json()).diff(by_document) == []


def plain(value):
    if isinstance(value, voltqemu.vm.Values):
        return dict(value)
    if isinstance(value, (voltqemu.vm.Elements, voltqemu.vm.Strings)):
        return [entry if isinstance(entry, str) else entry.to_dict() for entry in value]
    return value


def test_none_is_the_default_of_every_key():
    schema = voltqemu.schema()
    parts = schema["properties"]
    vm = voltqemu.VM("x", **{**defaults_for(schema), "disks": [defaults_for(parts["disks"]["items"])],
                             "nics": [defaults_for(parts["nics"]["items"])],
                             "shares": [{**defaults_for(parts["shares"]["items"]), "path": "/a", "tag": "t"}]})
    assert vm.to_dict() == {"name": "x", "disks": [{}], "nics": [{}], "shares": [{"path": "/a", "tag": "t"}]}
    for key in defaults_for(schema):
        setattr(vm, key, None)
    assert vm.to_dict() == {"name": "x"}
    assert vm.memory is None and vm.tpm is None and vm.kernel is None and len(vm.disks) == 0


def test_every_key_is_a_property_with_the_words_of_the_schema():
    def compare(kind, schema):
        for key, value in schema["properties"].items():
            assert value["description"] in getattr(kind, key).__doc__
        assert set(schema["properties"]) == {
            key for base in kind.__mro__ for key, value in vars(base).items()
            if isinstance(value, voltqemu._descriptors.Property)}

    parts = voltqemu.schema()["properties"]
    compare(voltqemu.VM, voltqemu.schema())
    compare(voltqemu.Disk, parts["disks"]["items"])
    compare(voltqemu.Share, parts["shares"]["items"])
    compare(voltqemu.Nic, parts["nics"]["items"])
    compare(voltqemu.Forward, parts["nics"]["items"]["properties"]["forwards"]["items"])


def test_parts_are_lists_of_views():
    vm = voltqemu.VM("web", nics=[{}])
    vm.disks.append({"file": "/srv/x.qcow2", "format": "qcow2"})
    disk = vm.disks[0]
    disk.cache, disk.read_only = "none", False
    disk["aio"] = "native"
    vm["disks[0].boot_order"] = 1
    vm["disks[1].file"] = b"/b"
    added = vm.disks.add(file=Path("/c"), serial="7")
    assert added.file == "/c" and vm.disks[-1].serial == "7" and len(vm.disks) == 3
    assert vm.disks == [{"file": "/srv/x.qcow2", "format": "qcow2", "cache": "none", "aio": "native",
                         "read_only": False, "boot_order": 1}, {"file": "/b"}, {"file": "/c", "serial": "7"}]
    del vm.disks[1]
    assert [disk.file for disk in vm.disks] == ["/srv/x.qcow2", "/c"]
    vm.disks.insert(0, {"file": "/0"})
    vm.disks[1] = {"file": "/1"}
    assert [disk.file for disk in vm.disks[:2]] == ["/0", "/1"] and "file" in vm.disks[0]
    assert vm.disks.pop() == {"file": "/c", "serial": "7"} and len(vm.disks) == 2
    assert "beyond the end" in repr(added)
    vm.disks.reverse()
    assert vm.to_dict()["disks"] == [{"file": "/1"}, {"file": "/0"}]
    del vm.disks[:]
    assert not vm.disks and "disks" not in vm
    vm.nics[0].forwards.add(host_port=2222, guest_port=22)
    vm["nics[0].forwards[1]"] = {"host_port": 53, "guest_port": 5353}
    vm.nics[0].forwards[1].protocol = "udp"
    assert vm["nics[0].forwards[1].protocol"] == "udp" and len(vm["nics[0]"].forwards) == 2
    vm.nics[0].forwards = vm.nics[0].forwards[1:]
    assert dict(vm) == {"name": "web", "nics": vm["nics"]} and vm.keys() == ["name", "nics"]
    assert vm.to_dict()["nics"] == [{"forwards": [{"host_port": 53, "guest_port": 5353, "protocol": "udp"}]}]


def test_strings_and_named_values():
    vm = voltqemu.VM("x", extra_args=["-d", b"\xff"], cpu_features={"avx2": False})
    vm.extra_args.append("x")
    vm.extra_args[0] = "-D"
    vm.cpu_features["aes"] = True
    vm["cpu_features.sse4.1"] = False
    vm.cpu_features["hv-spinlocks"] = "0x1fff"
    assert vm.extra_args == ["-D", "\udcff", "x"] and vm.extra_args[1:] == ["\udcff", "x"]
    assert vm.cpu_features == {"avx2": False, "aes": True, "sse4.1": False, "hv-spinlocks": "0x1fff"}
    assert vm["cpu_features.sse4.1"] is False and vm.to_dict()["extra_args"] == ["-D", "\udcff", "x"]
    del vm.extra_args[1], vm.cpu_features["avx2"]
    assert list(vm.extra_args) == ["-D", "x"] and len(vm.cpu_features) == 3
    vm.slots = {"nic0": "0x10"}
    vm.slots["drive0"] = 24
    vm["slots.my.disk"] = "scsi:3"
    assert vm.slots == {"nic0": "0x10", "drive0": 24, "my.disk": "scsi:3"} and vm["slots.drive0"] == 24
    del vm.slots["nic0"], vm["slots.my.disk"]
    assert vm.to_dict()["slots"] == {"drive0": 24} and vm.cpu_features["aes"] is True


def test_a_part_outlives_the_name_of_its_vm():
    disk = voltqemu.VM("x", disks=[{"file": "/a"}]).disks[0]
    disk.serial = "s" * 20
    assert disk.file == "/a"


def test_a_change_is_made_whole_or_not_at_all():
    vm = voltqemu.VM("x", memory=512, kernel="/k")
    for changes in ({"memory": 1024, "kernel": "k"}, {"memory": 1024, "kernel": b"\xff"}, {"memory": 1, "memori": 1}):
        with pytest.raises(voltqemu.Error):
            vm.merge(changes)
    with pytest.raises(voltqemu.InvalidError):
        vm.disks = [{"file": "/a"}, {"file": b"b\xff"}]
    assert vm.to_dict() == {"name": "x", "memory": 512, "kernel": "/k"}
    vm.merge('{"memory": 1024, "kernel": null}')
    vm.update(cpus=2, initrd=b"/\xff")
    assert vm.to_dict() == {"name": "x", "memory": 1024, "cpus": 2, "initrd": "/\udcff"}


#: A value for each kind of key that it cannot have, and what must be raised.
WRONG = [
    ("memory", "512", TypeError), ("memory", 1.5, TypeError), ("memory", True, TypeError), ("memory", [1], TypeError),
    ("memory", {}, TypeError), ("memory", -1, "out-of-range"), ("memory", 1 << 40, "out-of-range"),
    ("memory", 1 << 63, "out-of-range"), ("memory", 1 << 64, "out-of-range"),
    ("tpm", 1, TypeError), ("tpm", "yes", TypeError),
    ("kernel", 7, TypeError), ("kernel", True, TypeError), ("kernel", ["/a"], TypeError), ("kernel", "/a\0b", "nul"),
    ("kernel", "\ud800", "not-encodable"), ("kernel", "vmlinuz", "relative-path"), ("firmware", "x", "not-a-choice"),
    ("extra_args", "x", TypeError), ("extra_args", [1], TypeError), ("extra_args", [None], TypeError),
    ("extra_args", {"a": "b"}, TypeError), ("extra_args", 7, TypeError), ("extra_args", {"a"}, TypeError),
    ("disks", "x", TypeError), ("disks", {"file": "/a"}, TypeError), ("disks", ["/a"], TypeError),
    ("disks", [None], TypeError), ("disks", True, TypeError), ("disks", [{"cache": 1}], TypeError),
    ("disks", [{"boot_order": "1"}], TypeError), ("disks", [{"backing": [7]}], TypeError),
    ("disks", [{"cache": "x"}], "not-a-choice"), ("disks", [{"x": 1}], "unknown-key"),
    ("disks", [{"boot_order": -1}], "out-of-range"),
    ("cpu_features", ["avx"], TypeError), ("cpu_features", {"avx": 1.5}, TypeError),
    ("cpu_features", {"avx": [1]}, TypeError), ("cpu_features", {1: True}, TypeError),
    ("cpu_features", {"avx": -1}, "out-of-range"),
    ("slots", "0x10", TypeError), ("slots", {"nic0": "10"}, "invalid"), ("slots", {"nic0": True}, "wrong-kind"),
    ("slots", {"nic0": 65536}, "out-of-range"), ("slots", {"nic 0": 1}, "invalid"),
]


@pytest.mark.parametrize("key, value, expected", WRONG)
def test_a_wrong_value_is_the_same_error_however_it_is_given(key, value, expected):
    vm = voltqemu.VM("x")
    for give in (lambda: voltqemu.VM("x", **{key: value}), lambda: vm.merge({key: value}),
                 lambda: vm.update(**{key: value}), lambda: setattr(vm, key, value), lambda: vm.__setitem__(key, value)):
        with pytest.raises(TypeError if expected is TypeError else voltqemu.Error, match=key) as raised:
            give()
        assert expected is TypeError or raised.value.reason == expected
    assert vm.to_dict() == {"name": "x"}


@pytest.mark.parametrize("key, value, expected", [
    ("cache", 1, TypeError), ("cache", "x", "not-a-choice"), ("boot_order", "1", TypeError),
    ("boot_order", -1, "out-of-range"), ("read_only", 1, TypeError), ("file", "/a\0b", "nul"),
    ("backing", [7], TypeError)])
def test_the_same_of_a_part(key, value, expected):
    vm = voltqemu.VM("x", disks=[{"file": "/a"}])
    for give in (lambda: setattr(vm.disks[0], key, value), lambda: vm.disks[0].__setitem__(key, value),
                 lambda: vm.__setitem__(f"disks[0].{key}", value), lambda: vm.disks.append({key: value}),
                 lambda: vm.disks.add(**{key: value}), lambda: vm.disks.__setitem__(0, {key: value})):
        with pytest.raises(TypeError if expected is TypeError else voltqemu.Error, match=key) as raised:
            give()
        assert expected is TypeError or raised.value.reason == expected
    assert vm.to_dict() == {"name": "x", "disks": [{"file": "/a"}]}


def test_lists_are_taken_from_whatever_gives_them():
    vm = voltqemu.VM("x", disks=({"file": f"/{name}"} for name in "ab"), extra_args=map(str, range(2)))
    other = voltqemu.VM("y", disks=iter(vm.disks), extra_args=vm.extra_args)
    other.disks.append(vm.disks[1])
    assert other.to_dict() == {"name": "y", "disks": [{"file": "/a"}, {"file": "/b"}, {"file": "/b"}],
                               "extra_args": ["0", "1"]}


def test_copies_are_apart():
    vm = voltqemu.VM("x", memory=512, disks=[{"file": "/a"}])
    copies = [vm.copy(), copy.copy(vm), copy.deepcopy(vm), pickle.loads(pickle.dumps(vm)), voltqemu.VM(**vm)]
    vm.memory = 1024
    vm.disks[0].cache = "none"
    for other in copies:
        assert other.to_dict() == {"name": "x", "memory": 512, "disks": [{"file": "/a"}]}
        changes = {change.key: (change.before, change.after) for change in other.diff(vm)}
        assert changes == {"memory": (512, 1024), "disks[0].cache": (None, "none")}


def test_what_the_library_refuses_is_an_error_with_its_facts():
    with pytest.raises(voltqemu.InvalidError, match="^kernel: ") as refused:
        voltqemu.VM("x").kernel = "k"
    assert (refused.value.code, refused.value.errno, refused.value.details["key"]) == (-2, 0, "kernel")
    with pytest.raises(voltqemu.UnknownKeyError, match=r"web.json: disks\[0\].x: ") as unknown:
        voltqemu.VM.from_json(b'{"name": "x",\n "disks": [{"x": 1}]}', "web.json")
    assert unknown.value.details["key"] == "disks[0].x" and isinstance(unknown.value, KeyError)
    with pytest.raises(voltqemu.MalformedError) as malformed:
        voltqemu.VM.from_json(b'{"name": "x",\n "disks": [}', "web.json")
    assert malformed.value.line == 2 and isinstance(malformed.value, ValueError)
    with pytest.raises(FileNotFoundError) as absent:
        voltqemu.VM.from_file("/nonexistent/vm.json")
    assert isinstance(absent.value, voltqemu.NotFoundError) and absent.value.reason
    again = pickle.loads(pickle.dumps(unknown.value))
    assert vars(again) == vars(unknown.value) and type(again) is type(unknown.value) and str(again)


def test_every_code_has_a_class_of_its_own():
    header = (SOURCE / "include/volt-qemu/error.h").read_text()
    codes = {int(code) for code in re.findall(r"VQEMU_ERR_\w+ = (-\d+)", header)}
    assert codes == set(voltqemu.errors.BY_CODE) and len(codes) > 20
    assert issubclass(voltqemu.errors.BY_CODE[-1], MemoryError)


# ---- stores ----

PROGRAM = b"""#!/bin/sh
printf '%s\\n' "$@" "cwd $PWD"
env
for fd in "$FD" 0; do [ -e /dev/fd/$fd ] && readlink /proc/self/fd/$fd; done
ls /proc/self/fd
for fd in /proc/$$/fd/*; do echo "${fd##*/} $(readlink "$fd")"; done
"""


@pytest.fixture(name="profile")
def make_profile(tmp_path):
    directory = tmp_path / "profile"
    (directory / "bin").mkdir(parents=True)
    (directory / "firmware").mkdir()
    (directory / "firmware/bios.bin").write_bytes(b"firmware")
    (directory / "bin/qemu-system-x86_64").write_bytes(PROGRAM)
    return directory


@pytest.fixture(name="store")
def make_store(tmp_path):
    return voltqemu.Store(tmp_path / "store", create=True)


@pytest.fixture(name="revision")
def ingest(store, profile):
    return store.ingest(profile, "emulate-x86", created_at="2024-05-01T12:00:00Z", qemu_version="7.2").revision


def chosen():
    return voltqemu.select(voltqemu.Host("x86_64", "absent"), profile="emulate-x86")


def resolve(store, revision=None, **options):
    return store.resolve(chosen(), revision, **options)


def test_a_revision_tells_what_it_is(store, revision):
    assert revision.profile == "emulate-x86" and revision.name.startswith("emulate-x86-") and revision.error is None
    manifest = revision.manifest
    assert manifest.qemu_version == "7.2" and manifest.created_at == "2024-05-01T12:00:00Z"
    assert manifest.to_dict()["qemu_version"] == "7.2" and manifest.digest == revision.digest
    assert {entry.path for entry in manifest.objects} == {"bin/qemu-system-x86_64", "firmware/bios.bin"}
    assert manifest.find("firmware/bios.bin") in manifest.objects and manifest.find("x") is None
    assert (manifest.binary_count, manifest.firmware_count, manifest.library_count) == (1, 1, 0)
    assert voltqemu.Manifest.from_file(revision.path).digest == manifest.digest
    assert voltqemu.Manifest.from_json(manifest.to_json()).name == manifest.name
    assert len(revision.digest) == 64 and revision.path.endswith(f"{revision.name}.json")
    assert [r.name for r in store.revisions()] == [r.name for r in store.revisions("emulate-x86")] == [revision.name]
    assert store.find("emulate-x86").digest == store.find(revision.name).digest == revision.digest
    assert [found.name for found in store.profiles()] == ["emulate-x86"]
    assert store.revisions("kvm-linux") == []
    with pytest.raises(voltqemu.NoRevisionError) as missing:
        store.find("kvm-linux")
    assert missing.value.reason == "profile-not-in-store" and isinstance(missing.value, LookupError)
    Path(revision.path).write_text("broken")
    (broken,) = store.revisions()
    assert isinstance(broken.error, voltqemu.MalformedError) and broken.error.reason == "revision-broken"
    assert broken.error.details["revision"] == broken.name and broken.manifest is None and broken.digest is None


def test_what_never_changes_is_a_value(store, revision, profile, tmp_path):
    other = voltqemu.Store(tmp_path / "other", create=True)
    (profile / "firmware/bios.bin").write_text("newer")
    newer = store.ingest(profile, "emulate-x86").revision
    host = voltqemu.Host("x86_64", "absent")
    for one, same, another in (
            (revision, store.find(revision.name), newer), (revision, store.copy_to(revision, other).revision, newer),
            (revision.manifest, store.find(revision.name).manifest, newer.manifest),
            (revision.manifest, voltqemu.Manifest.from_json(revision.manifest.to_json()), newer.manifest),
            (chosen().profile, voltqemu.Profile("emulate-x86"), voltqemu.Profile("kvm-linux")),
            (host, voltqemu.Host("x86_64", "absent"), voltqemu.Host("aarch64", "absent")),
            (chosen(), chosen(), voltqemu.select(voltqemu.Host("x86_64"), profile="kvm-linux")),
            (voltqemu.GuestArch("x86_64"), voltqemu.GuestArch("x86_64"), voltqemu.GuestArch("aarch64"))):
        assert one == same and not one != same and hash(one) == hash(same) and one is not same
        assert one != another and one not in {another} and same in [one] and {one: 1}[same] == 1
        assert one != str(one) and one is not None and one != getattr(one, "name", 7)
        assert copy.copy(one) == copy.deepcopy(one) == one


def test_a_copy_of_a_value_is_closed_apart(store, revision, profile):
    copied = copy.copy(revision)
    copied.close()
    assert copied.closed and copied == copied and copied != revision and revision != copied and revision.name
    result = store.ingest(profile, "emulate-x86")
    assert dataclasses.asdict(result)["revision"] == result.revision == copy.deepcopy(result).revision
    assert store != voltqemu.Store(store.find(revision.name).path.rsplit("/cas/", 1)[0]) and store == store


def test_a_closure_tells_abilities(store, profile, tmp_path):
    closure = store.ingest(profile, "emulate-x86").closure
    assert [(entry.kind, entry.name) for entry in closure.problems] == [("program", "bin/qemu-system-x86_64")]  # a script
    assert closure.abilities == {"x86_64": dict.fromkeys(["display", "hyperv", "kvm", "nics", "storage", "tcg", "tpm", "usb"])}
    archive = tmp_path / "whole.tar"
    store.export(store.revisions("emulate-x86")[0], archive)
    other = voltqemu.Store(tmp_path / "whole", create=True)
    with pytest.raises(voltqemu.InvalidError) as caught:
        other.import_(archive, "emulate-x86", whole=True)
    assert caught.value.reason == "not-whole"
    assert not other.revisions()
    assert other.import_(archive, "emulate-x86").closure == closure
    with pytest.raises(voltqemu.InvalidError):
        store.ingest(profile, "emulate-x86", whole=True)


def test_an_ingest_tells_what_is_new(store, profile):
    first = store.ingest(profile, "emulate-x86")
    again = store.ingest(profile, "emulate-x86", created_at=first.revision.manifest.created_at)
    assert first.is_new and first.objects == first.new_objects == 2 and first.bytes == first.new_bytes > 8
    assert not again.is_new and (again.objects, again.new_objects, again.new_bytes) == (2, 0, 0)


def test_an_export_is_imported_as_the_same_revision(store, revision, tmp_path):
    with open(tmp_path / "profile.tar", "wb") as archive:
        store.export(revision, archive)
    store.export(revision.name, tmp_path / "by-path.tar")
    assert (tmp_path / "by-path.tar").read_bytes() == (tmp_path / "profile.tar").read_bytes()
    other = voltqemu.Store(tmp_path / "other", create=True)
    with open(tmp_path / "profile.tar", "rb") as archive:
        assert other.import_(archive, "emulate-x86").revision.digest == revision.digest
    assert not other.import_(tmp_path / "by-path.tar", any_profile=True).is_new
    with open(tmp_path / "profile.tar", "rb") as archive, pytest.raises(voltqemu.Error, match="profile.tar"):
        archive.read(1)
        archive.seek(512)
        other.import_(archive)


def test_an_export_that_fails_leaves_no_file(store, revision, tmp_path):
    for path in (tmp_path / "store/cas/objects").rglob("*"):
        path.unlink()
    with pytest.raises(voltqemu.CorruptError):
        store.export(revision, tmp_path / "broken.tar")
    assert not (tmp_path / "broken.tar").exists()


@pytest.mark.parametrize("made", [str, os.fsencode, Path], ids=["str", "bytes", "path"])
def test_a_path_that_cannot_be_opened_is_an_error_with_the_path(store, revision, tmp_path, made):
    (tmp_path / "there.tar").write_text("")
    for kind, error, path, use in [
            (FileNotFoundError, voltqemu.NotFoundError, "none.tar", store.import_),
            (FileNotFoundError, voltqemu.NotFoundError, "none/x.tar", lambda path: store.export(revision, path)),
            (FileExistsError, voltqemu.ExistsError, "there.tar", lambda path: store.export(revision, path)),
            (OSError, voltqemu.SystemCallError, "there.tar/x", store.import_)]:
        path = tmp_path / path
        with pytest.raises(kind) as failed:
            use(made(path))
        problem = failed.value
        assert type(problem) is error and str(path) in str(problem)
        assert problem.details == {"path": str(path)} and problem.filename == str(path)
        assert problem.errno == problem.__cause__.errno
        assert problem.reason == ("not-found" if kind is FileNotFoundError else "system")
        assert repr(pickle.loads(pickle.dumps(problem))) == repr(problem)
    assert (tmp_path / "there.tar").read_text() == ""


def test_an_export_goes_through_a_pipe(store, revision, tmp_path):
    reading, writing = (os.fdopen(fd, mode) for fd, mode in zip(os.pipe(), ("rb", "wb")))
    with reading, writing:
        store.export(revision, writing)  # a small one, that a pipe can hold
        writing.close()
        other = voltqemu.Store(tmp_path / "other", create=True)
        assert other.import_(reading, digest=revision.digest).revision.name == revision.name


def test_a_copy_brings_what_is_missing(store, revision, tmp_path):
    other = voltqemu.Store(tmp_path / "other", create=True)
    copied = store.copy_to(revision.name, other)
    assert copied.revision.digest == revision.digest and copied.new_objects == 2 and copied.new_bytes > len(PROGRAM)
    assert store.copy_to(revision, other).new_objects == 0
    assert resolve(other).digest == revision.digest


def test_damage_is_found_and_repaired(store, revision, profile, tmp_path):
    tree = resolve(store).tree
    whole = store.check()
    assert whole.objects == 2 and whole.bytes > 0 and whole.ok and whole.problems == []
    (damaged,) = [path for path in (tmp_path / "store/cas/objects").rglob("*")
                  if path.is_file() and path.read_bytes() == b"firmware"]
    damaged.chmod(0o644)
    damaged.write_bytes(b"FIRMWARE")
    found = store.check(revision.name)
    problem = next(p for p in found.problems if p.kind == "damaged")
    assert found.unrepaired > 0 and not problem.repaired and problem.message
    assert problem.places == [voltqemu.CheckPlace(revision.name, "firmware/bios.bin")]
    repaired = store.check(repair=True, source=profile)
    assert repaired.ok and all(p.repaired for p in repaired.problems)
    assert Path(tree, "firmware/bios.bin").read_bytes() == b"firmware"


def test_users_are_told(store, tmp_path, revision):
    runtime = resolve(store)
    with subprocess.Popen(["sleep", "600"], pass_fds=[runtime.lease_fd]) as holder:
        uses = store.uses(revision)
        with pytest.raises(voltqemu.BusyError) as busy:
            store.remove(revision)
        for path in (tmp_path / "store/cas/objects").rglob("*"):
            path.unlink()
        problems = store.check(revision.name).problems
        holder.kill()
    assert busy.value.reason == "in-use" and busy.value.details["revision"] == revision.name
    assert any(use.pid == holder.pid and use.process_name == "sleep" and use.revision == revision.name for use in uses)
    assert voltqemu.CheckProcess(runtime.digest, holder.pid, "sleep") in problems[0].processes


def test_sizes_are_told(store, revision, profile):
    (profile / "firmware/new").write_text("new")
    newer = store.ingest(profile, "emulate-x86").revision
    sizes = store.sizes()
    new, old = sizes
    assert (new.revision, old.revision, len(sizes), sizes.complete) == (newer.name, revision.name, 2, True)
    assert new.own_bytes > 0 == old.own_bytes == old.missing and new.bytes == new.own_bytes + new.shared_bytes
    assert new.sharers == [voltqemu.Sharer(revision.name, old.bytes)] and sizes.total_bytes == new.bytes
    assert not store.sizes("kvm-linux").sizes
    Path(revision.path).write_text("{")
    sizes = store.sizes("emulate-x86")
    assert sizes.sizes[1] == voltqemu.Size(revision.name, None, None, None, None, []) and not sizes.complete
    with pytest.raises(voltqemu.InvalidError):
        store.sizes("../x")


def test_what_is_pinned_is_not_collected(store, revision, profile):
    (profile / "firmware/new").write_text("new")
    newer = store.ingest(profile, "emulate-x86").revision
    store.pin(revision.name)
    store.pin(revision, "unit:volt-web")
    assert {(pin.revision, pin.holder) for pin in store.pins()} == {
        (revision.name, None), (revision.name, "unit:volt-web")} and store.pins(newer) == []
    kept = store.collect(keep=1)
    assert kept.removed == [] and any(k.name == revision.name and "unit:volt-web" in k.message for k in kept.kept)
    store.unpin(revision, "unit:volt-web")
    store.unpin(revision)
    planned = store.collect(keep=1, dry_run=True)
    assert len(store.revisions()) == 2
    collected = store.collect(keep=1)
    assert collected == planned and ("revision", revision.name) in [(r.kind, r.name) for r in collected.removed]
    assert collected.freed_bytes == sum(r.bytes for r in collected.removed)
    assert [r.name for r in store.revisions()] == [newer.name]


def test_a_revision_is_taken_back_and_removed(store, revision, profile):
    (profile / "firmware/new").write_text("new")
    newer = store.ingest(profile, "emulate-x86").revision
    assert resolve(store).revision == newer.name and resolve(store, revision.name).revision == revision.name
    assert resolve(store).manifest_path == newer.path
    store.set_current(revision)
    assert resolve(store).revision == revision.name
    with pytest.raises(voltqemu.BusyError):
        store.remove(revision)
    store.set_current("emulate-x86")
    store.remove(revision.name)
    assert [r.name for r in store.revisions()] == [newer.name]


def test_a_profile_of_ones_own_is_like_the_others(store, profile):
    ingested = store.ingest(profile, "mine", accel="tcg", guests="x86_64", abilities="display", description="my own")
    manifest = ingested.revision.manifest
    assert (manifest.accel, manifest.guests, manifest.abilities) == ("tcg", ["x86_64"], {"display"})
    selection = voltqemu.select(voltqemu.Host("x86_64", "absent"), store=store, profile="mine")
    assert selection.profile.name == "mine" and store.resolve(selection).revision == ingested.revision.name


def test_a_store_can_be_only_read(store, revision, profile, tmp_path):
    reader = voltqemu.Store(tmp_path / "store", read_only=True)
    assert [r.name for r in reader.revisions()] == [revision.name]
    with pytest.raises(voltqemu.ReadOnlyError):
        reader.ingest(profile, "emulate-x86")
    with pytest.raises(voltqemu.NoStoreError) as missing:
        voltqemu.Store(tmp_path / "none")
    assert missing.value.details["path"].startswith(str(tmp_path / "none")) and isinstance(missing.value, OSError)


def test_a_store_by_descriptor(store, revision, tmp_path):
    descriptor = os.open(tmp_path / "store", os.O_RDONLY | os.O_DIRECTORY)
    by_descriptor = voltqemu.Store("the store", root_fd=descriptor)
    os.close(descriptor)
    assert [r.name for r in by_descriptor.revisions()] == [revision.name]
    assert resolve(by_descriptor).tree.startswith(str(tmp_path / "store"))


# ---- calls ----

def test_progress_is_reported_here_can_cancel_and_can_raise(store, revision):
    seen = []
    store.check(call=voltqemu.Call(progress=lambda step: seen.append((step, threading.current_thread()))))
    steps = [step for step, _ in seen]
    assert {step.step for step in steps} == {"verify"} and (steps[-1].done, steps[-1].total) == (2, 2)
    assert steps[-1].unit == "objects" and steps[-1].phase == steps[-1].phase_count == 1
    assert {thread for _, thread in seen} == {threading.current_thread()}
    call = voltqemu.Call(progress=lambda step: True)
    with pytest.raises(voltqemu.CancelledError):
        store.check(call=call)
    assert call.cancelled
    with pytest.raises(ZeroDivisionError):
        store.check(call=voltqemu.Call(progress=lambda step: 1 // 0))
    assert store.check(revision.name).ok


@pytest.mark.parametrize("thread", [False, True])
def test_a_cancelled_call_does_nothing(store, revision, thread):
    call = voltqemu.Call(threads=2)
    call.cancel()
    raised = []

    def work():
        with pytest.raises(voltqemu.CancelledError) as cancelled:
            store.check(revision, call=call)
        raised.append(cancelled.value.code)

    if thread:
        worker = threading.Thread(target=work)
        worker.start()
        worker.join()
    else:
        work()
    assert raised == [-9]


def test_what_is_worth_a_log_line_is_told(store, profile):
    revision = store.ingest(profile, "mine", accel="tcg", guests="x86_64").revision
    Path(revision.path).write_text("broken")
    seen = []
    store.profiles(call=voltqemu.Call(log=seen.append))
    assert [(event.level, event.event) for event in seen] == [(logging.WARNING, "revision-broken")]
    assert revision.name in seen[0].message
    with pytest.raises(ZeroDivisionError):
        store.profiles(call=voltqemu.Call(log=lambda event: 1 // 0))


@pytest.fixture(name="no_thread_is_left")
def count_threads():
    before = os.listdir("/proc/self/task")
    yield
    for _ in range(100):
        if set(os.listdir("/proc/self/task")) <= set(before):
            return
        time.sleep(0.05)
    pytest.fail("a thread is left")


@contextlib.contextmanager
def locked(store, tmp_path):
    """Another process holds the lock of the store: whoever needs it waits."""
    program = ("import fcntl, os, sys, time\n"
               "fd = os.open(sys.argv[1], os.O_RDONLY)\n"
               "fcntl.flock(fd, fcntl.LOCK_EX)\nprint('locked', flush=True)\ntime.sleep(600)\n")
    with subprocess.Popen([sys.executable, "-c", program, tmp_path / "store/cas/objects"], stdout=subprocess.PIPE) as holder:
        assert holder.stdout.readline()
        try:
            yield
        finally:
            holder.kill()


def test_waiting_has_an_end(store, profile, tmp_path):
    with locked(store, tmp_path):
        start = time.monotonic()
        with pytest.raises(TimeoutError):
            store.ingest(profile, "emulate-x86", call=voltqemu.Call(timeout=0.3))
        with pytest.raises(voltqemu.BusyError):
            store.ingest(profile, "emulate-x86", call=voltqemu.Call(lock_timeout=0.3))
        assert 0.5 < time.monotonic() - start < 10


@pytest.mark.usefixtures("no_thread_is_left")
def test_a_signal_ends_waiting(store, profile, tmp_path):
    with locked(store, tmp_path):
        start = time.monotonic()
        threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
        with pytest.raises(KeyboardInterrupt):
            store.ingest(profile, "emulate-x86")
        assert time.monotonic() - start < 10
    assert store.ingest(profile, "emulate-x86").is_new


@pytest.mark.usefixtures("no_thread_is_left")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # some come in a destructor
def test_many_signals_at_any_time_end_a_call_or_come_after_it(store, revision):
    """A handler can raise between any two instructions of the main thread; nothing may wait for ever."""
    def handler(*_):
        raise InterruptedError

    old = signal.signal(signal.SIGALRM, handler)
    ended = 0
    try:
        for i in range(300):
            try:
                signal.setitimer(signal.ITIMER_REAL, 0.0001 + i * 0.00001)
                store.check(call=voltqemu.Call(progress=lambda step: None))
                signal.setitimer(signal.ITIMER_REAL, 0)
            except InterruptedError:
                ended += 1
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)
    assert ended > 0 and store.check().ok


# ---- asyncio ----

@pytest.mark.usefixtures("no_thread_is_left")
def test_asyncio_runs_reports_and_cancels(store, profile, tmp_path):
    async def use():
        seen = []
        loop_thread = threading.current_thread()
        call = voltqemu.Call(progress=lambda step: seen.append(threading.current_thread()))
        ingested = await aio.run(store.ingest, profile, "emulate-x86", call=call)
        assert ingested.is_new and set(seen) == {loop_thread}
        runtime = await aio.run(store.resolve, chosen())
        process = await voltqemu.Command(runtime, voltqemu.VM("web", firmware="bios")).start_async(
            stdout=asyncio.subprocess.PIPE, stdin=asyncio.subprocess.DEVNULL)
        output, _ = await process.communicate()
        assert b"cwd /" in output and process.returncode == 0
        with locked(store, tmp_path):
            call = voltqemu.Call()
            task = asyncio.create_task(aio.run(store.ingest, profile, "emulate-x86", call=call))
            await asyncio.sleep(0.2)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert call.cancelled
        with pytest.raises(ZeroDivisionError):
            await aio.run(store.check, call=voltqemu.Call(progress=lambda step: 1 // 0))

    asyncio.run(use())


# ---- commands ----

def test_a_command_starts_with_what_it_needs_and_nothing_else(store, revision, tmp_path):
    image = os.open(tmp_path / "disk.img", os.O_RDWR | os.O_CREAT)
    with contextlib.closing(os.fdopen(image)):
        vm = voltqemu.VM(b"w\xff", disks=[{"fd": image}], state_dir=tmp_path / "state", console="file",
                         runtime_dir=os.fsencode(tmp_path) + b"/run\xff")
        command = voltqemu.Command(resolve(store, revision), vm)
        assert command.fds == {"disks[0].fd": image} and command.state_dir == str(tmp_path / "state")
        assert command.runtime_dir == f"{tmp_path}/run\udcff" and command.vm_name == vm.name == "w\udcff"
        command.prepare()
        assert os.path.isdir(command.runtime_dir)
        process = command.start(stdout=-1, stdin=-3)
        output = process.communicate(timeout=60)[0]
    lines = [os.fsdecode(line) for line in output.splitlines()]
    assert process.returncode == 0 and lines[:len(command.argv) - 1] == command.argv[1:]
    assert f"cwd {command.cwd}" in lines and str(image) in lines
    with pytest.raises(voltqemu.UnsupportedError):
        vm.to_json()
    assert vm.to_dict()["name"] == "w\udcff"


def test_descriptors_by_name_are_numbered_for_the_process(store, revision, tmp_path):
    vm = voltqemu.VM("web", disks=[{"fd_name": "root"}, {"fd_name": "data"}])
    command = voltqemu.Command(resolve(store, revision), vm)
    assert command.fds == {"disks[0].fd_name": 3, "disks[1].fd_name": 4}
    assert command.fd_names == {"root": 3, "data": 4}
    with open(tmp_path / "a", "w+b") as first, open(tmp_path / "b", "w+b") as second:
        for root, data in ((first, second), (second, first)):  # open files as well as numbers
            process = command.start({"root": root, "data": data.fileno()}, stdout=-1, stdin=-3)
            lines = process.communicate(timeout=60)[0].decode().splitlines()
            assert process.returncode == 0 and lines[:len(command.argv) - 1] == command.argv[1:]
            assert f"3 {root.name}" in lines and f"4 {data.name}" in lines and f"cwd {command.cwd}" in lines
            assert [line for line in lines if "/qemu/trees/" in line and line.split()[0].isdigit()]  # the lease
        for wrong in ({}, {"root": 5}, {"root": 5, "data": 6, "more": 7}, {"root": 5, "data": 5}):
            with pytest.raises(voltqemu.InvalidError, match="descriptor") as mismatch:
                command.start(fds=wrong)
            assert mismatch.value.reason == "descriptor-mismatch"
        with pytest.raises(voltqemu.InvalidError, match="two names"):
            command.start({"root": first, "data": first})


def test_descriptors_are_from_3_up_or_none():
    for number in (2, 1 << 31, -2):
        with pytest.raises(ValueError, match=f"qmp_fd.*{number}"):
            voltqemu.VM("x").qmp_fd = number
    assert voltqemu.VM("x", qmp_fd=None).to_dict() == {"name": "x"}


def test_a_command_tells_what_it_is(store, revision, tmp_path):
    vm = voltqemu.VM("web", qmp_socket="/run/q.sock", disks=[{"file": "/d", "read_only": True}], tpm=True,
                     firmware="bios", user="nobody")
    command = voltqemu.Command(resolve(store, revision), vm)
    assert command.to_dict()["argv"] == command.argv and command.path in command.to_shell()
    assert command.argv[0] == command.path and command.fds == {} and command.runtime.revision == revision.name
    assert (command.vm_name, command.user, command.socket("qmp")) == ("web", "nobody", "/run/q.sock")
    assert command.socket("vnc") is None and set(command.sockets) == {"qmp", "tpm"}
    assert voltqemu.CommandFile("/d", True, False) in command.files
    (companion,) = command.companions
    assert companion.kind == "swtpm" and companion.socket == command.socket("tpm") and companion.argv[0].endswith("swtpm")
    vm.kernel = "/k"
    other = voltqemu.Command(command.runtime, vm, paused=True)
    assert "-S" in other.argv and other.digest() != command.digest()
    assert other.digest("hardware") == command.digest("hardware") and len(command.digest()) == 64
    with pytest.raises(voltqemu.UsageError, match="cannot be both"):
        command.prepare(keep_variables=True, reset_variables=True)


def test_a_command_tells_where_its_arguments_come_from(store, revision):
    vm = voltqemu.VM("web", memory=512, disks=[{"file": "/d", "serial": "a,b"}], firmware="bios")
    command = voltqemu.Command(resolve(store, revision), vm)
    explained = command.explain()
    assert all(argument.get("key") or argument["message"] for argument in explained)
    words = [word for argument in explained for word in (argument.get("option"), argument.get("value")) if word]
    assert words == command.argv
    memory = next(argument for argument in explained if argument.get("option") == "-m")
    assert memory == {"index": command.argv.index("-m"), "option": "-m", "value": "512", "key": "memory"}
    device = next(argument for argument in explained if argument.get("value", "").startswith("virtio-blk"))
    assert {"name": "serial", "value": "a,b", "key": "disks[0].serial"} in device["settings"]
    with pytest.raises(voltqemu.UnsupportedError) as caught:
        voltqemu.Command.load(command.save()).explain()
    assert caught.value.reason == "loaded-command"


def test_commands_are_compared(store, revision):
    runtime = resolve(store, revision)
    command = voltqemu.Command(runtime, voltqemu.VM("web", memory=512, firmware="bios"))
    larger = voltqemu.Command(runtime, voltqemu.VM("web", memory=1024, firmware="bios"))
    assert command.diff(command) == {"same_command": True, "same_hardware": True, "changes": []}
    different = command.diff(larger)
    assert not different["same_command"] and not different["same_hardware"]
    assert {"option": "-m", "guest": True, "from": {"value": "512", "key": "memory"},
            "to": {"value": "1024", "key": "memory"}} in different["changes"]
    with pytest.raises(voltqemu.UnsupportedError) as caught:
        command.diff(voltqemu.Command.load(command.save()))
    assert caught.value.reason == "loaded-command"


def test_a_vm_is_completed(store, revision):
    runtime = resolve(store, revision)
    vm = voltqemu.VM("web", firmware="bios", nics=[{}])
    before = voltqemu.Command(runtime, vm)
    vm.complete(runtime)
    assert vm.nics[0].mac and vm.cpus == 1 and vm.machine == "q35"
    assert before.diff(voltqemu.Command(runtime, vm))["changes"] == []


def test_a_command_is_saved_and_loaded(store, revision):
    command = voltqemu.Command(resolve(store, revision), voltqemu.VM("web", firmware="bios"))
    saved = command.save()
    with voltqemu.Command.load(saved, "saved.json") as loaded:
        assert (loaded.argv, loaded.env, loaded.digest()) == (command.argv, command.env, command.digest())
        assert loaded.runtime.lease_fd >= 3
    assert loaded.closed
    with pytest.raises(voltqemu.Error, match="saved.json"):
        voltqemu.Command.load(saved[:-10], "saved.json")


def test_units_have_options(store, revision):
    vm = voltqemu.VM("web", user="root", firmware="bios", tpm=True)
    units = voltqemu.Units(resolve(store, revision), vm, name_prefix="my-", stop_timeout=7,
                           stop_command=["/usr/bin/stop", "it"])
    assert units[0].name.startswith("my-web") and len(units) == len(list(units)) > 1 and units[-1].text
    assert '"/usr/bin/stop" "it" "--timeout" "7"' in units[0].text.replace("'", '"') or "/usr/bin/stop" in units[0].text
    assert units.command.socket("stop")


def test_without_a_descriptor_there_is_no_archive(store, revision):
    with pytest.raises(io.UnsupportedOperation):
        store.export(revision, io.BytesIO())


# ---- monitors ----

MONITOR = """
import json, os, socket, sys, time
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
listener.listen()
print("listening", flush=True)
connection, _ = listener.accept()
file = connection.makefile("rwb", 0)
def say(what):
    file.write(json.dumps(what).encode() + b"\\r\\n")
say({"QMP": {"version": {"qemu": {"micro": 0, "minor": 2, "major": 7}}, "capabilities": []}})
for line in file:
    command = json.loads(line)
    name, answer = command["execute"], {}
    if "id" in command:
        answer["id"] = command["id"]
    if name == "query-status":
        say({"return": {"running": True, "status": "running"}, **answer})
    elif name == "make-events":
        say({"event": "BEFORE", "data": {"n": 1}})
        say({"return": {}, **answer})
        time.sleep(0.1)
        say({"event": "AFTER", "data": {"n": 2}})
    elif name in ("qmp_capabilities", "echo"):
        say({"return": command.get("arguments", {}), **answer})
    elif name in ("system_powerdown", "quit"):
        say({"return": {}, **answer})
        break
    else:
        say({"error": {"class": "CommandNotFound", "desc": "no such thing"}, **answer})
"""


@pytest.fixture(name="qmp")
def run_monitor(tmp_path):
    path = tmp_path / "qmp.sock"
    with subprocess.Popen([sys.executable, "-c", MONITOR, path], stdout=subprocess.PIPE) as process:
        assert process.stdout.readline()
        yield path, process
        process.kill()


def test_a_monitor_executes_and_tells_events(qmp):
    path, process = qmp
    with voltqemu.Monitor(path) as monitor:
        assert monitor.pid == process.pid and monitor.fileno() >= 3 and str(path) in repr(monitor)
        assert monitor.execute("query-status") == {"running": True, "status": "running"}
        assert monitor.execute("make-events") == {}
        assert monitor.execute("echo", {"a": ["\u20ac", 1]}) == {"a": ["\u20ac", 1]}
        with pytest.raises(voltqemu.DeniedError, match="no such thing") as denied:
            monitor.execute("nothing")
        assert denied.value.reason == "qmp-error" and denied.value.details["class"] == "CommandNotFound"
        assert [monitor.next_event(timeout=10)["event"] for _ in range(2)] == ["BEFORE", "AFTER"]
        with pytest.raises(TimeoutError) as late:
            monitor.next_event(timeout=0.2)
        assert late.value.reason == "no-event"
        assert monitor.shut_down(timeout=10) in (voltqemu.ShutdownEnd.POWERED_OFF, voltqemu.ShutdownEnd.GONE)
    with pytest.raises(voltqemu.NotRunningError):
        voltqemu.Monitor(path)


@pytest.mark.parametrize("connect", [
    voltqemu.Monitor, lambda path, **how: asyncio.run(aio.Monitor.connect(path, **how))], ids=["plain", "asyncio"])
def test_a_qemu_that_was_started_is_waited_for(tmp_path, connect):
    path = tmp_path / "qmp.sock"
    with pytest.raises(voltqemu.NotRunningError):
        connect(path)
    with pytest.raises(voltqemu.TimedOutError) as late:
        connect(path, wait=True, timeout=0.1)
    assert late.value.reason == "deadline"
    with subprocess.Popen([sys.executable, "-c", MONITOR, path], stdout=subprocess.DEVNULL) as process:
        try:
            monitor = connect(path, wait=True)
            assert monitor.pid == process.pid
            monitor.close()
        finally:
            process.kill()


def test_times_below_0_are_refused(qmp):
    monitor = voltqemu.Monitor(qmp[0])
    for use, key in ((lambda: monitor.shut_down(timeout=-1), "timeout"), (lambda: monitor.next_event(-1), "timeout"),
                     (lambda: voltqemu.Call(timeout=-0.5), "timeout"),
                     (lambda: voltqemu.Call(lock_timeout=-1), "lock_timeout")):
        with pytest.raises(voltqemu.InvalidError) as refused:
            use()
        assert refused.value.reason == "out-of-range" and refused.value.details["key"] == key
    assert monitor.execute("query-status")["running"]  # nothing was shut down


def test_threads_share_a_monitor(qmp):
    path, _ = qmp
    monitor = voltqemu.Monitor(path)
    seen = []
    listener = threading.Thread(target=lambda: seen.extend(event["event"] for event in monitor.events()))
    listener.start()
    for _ in range(3):
        assert monitor.execute("make-events") == {}
    monitor.execute("quit")
    listener.join(30)
    assert seen == ["BEFORE", "AFTER"] * 3


def test_events_come_by_asyncio(qmp):
    path, process = qmp

    async def use():
        async with await aio.Monitor.connect(path) as monitor:
            seen = []

            async def listen():
                async for event in monitor.events():
                    seen.append(event["event"])

            listener = asyncio.create_task(listen())
            for _ in range(3):
                assert await monitor.execute("make-events") == {}
            with pytest.raises(voltqemu.DeniedError):
                await monitor.execute("nothing")
            with pytest.raises(voltqemu.UsageError):
                async for _ in monitor.events():
                    pass
            assert await monitor.shut_down(timeout=10) is not None
            await asyncio.wait_for(listener, 30)
            assert seen == ["BEFORE", "AFTER"] * 3 and process.pid == monitor.pid
        assert monitor.closed

    asyncio.run(use())
