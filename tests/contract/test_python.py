# SPDX-License-Identifier: MIT
"""The Python binding: every key of a VM by its setter, every call of a store."""
import contextlib
import ctypes
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("BUILD_DIR", SOURCE / "build"))
ctypes.CDLL(str(BUILD / "lib/libvoltqemu.so.1"))  # the binding finds it under its SONAME
sys.path.insert(0, str(SOURCE / "examples/python"))
import voltqemu  # noqa: E402

# Something for each pattern that a string can have.
STRINGS = ["/a,b c/\u20ac", "\u20ac, =x", "x1", "2M", "6ba7b810-9dad-11d1-80b4-00c04fd430c8", "52:54:00:12:34:56",
           "127.0.0.1", "/x"]


def string_for(schema):
    return next(text for text in STRINGS if re.search(schema.get("pattern", ""), text))


def document_for(schema, number):
    """What a schema allows, with every key; odd numbers switch off what even ones switch on."""
    kind = schema["type"]
    if kind == "object" and "properties" in schema:
        return {key: document_for(value, number) for key, value in schema["properties"].items()}
    return {
        "object": lambda: {"avx": True, "x.y-z": False},
        "array": lambda: [document_for(schema["items"], number + i) for i in range(2)],
        "boolean": lambda: number % 2 == 0,
        "integer": lambda: schema["maximum"] - number,
        "string": lambda: schema["enum"][number % len(schema["enum"])] if "enum" in schema else string_for(schema),
    }[kind]()


def defaults_for(schema):
    return {key: None for key in schema["properties"] if key not in schema["required"]}


@pytest.mark.parametrize("number", range(3))
def test_every_key_by_its_setter_gives_the_document(number):
    document = document_for(voltqemu.schema(), number)
    assert len(document) > 50 and all(document[key] for key in ("disks", "shares", "nics", "extra_args"))
    by_setters = voltqemu.VM(**document)
    by_document = voltqemu.VM.from_json(json.dumps(document))
    assert json.loads(by_setters.to_json()) == document
    assert by_setters.to_json() == by_document.to_json()
    assert voltqemu.VM.from_json(by_setters.to_json()).to_json() == by_setters.to_json()


def test_none_is_the_default_of_every_key():
    schema = voltqemu.schema()
    vm = voltqemu.VM("x", **defaults_for(schema))
    vm.add_disk(**defaults_for(schema["properties"]["disks"]["items"]))
    vm.add_nic(**defaults_for(schema["properties"]["nics"]["items"]))
    vm.add_share("/a", "t", **defaults_for(schema["properties"]["shares"]["items"]))
    assert json.loads(vm.to_json()) == {
        "name": "x", "disks": [{}], "nics": [{}], "shares": [{"path": "/a", "tag": "t"}]}


def test_parts_are_described_by_keywords_and_later():
    vm = voltqemu.VM("web", cpu_features={"avx2": False})
    disk = vm.add_disk("/srv/x.qcow2", format="qcow2", boot_order=1)
    nic = vm.add_nic(mac="52:54:00:12:34:56")
    vm.add_nic("bridge", bridge="br0")
    vm.add_share(Path("/srv/data"), "data", writable=True)
    disk.set(cache="none", aio="native", read_only=False)
    nic.add_forward(2222, 22)
    nic.set(forwards=[{"host_port": 53, "guest_port": 5353, "protocol": "udp"}])
    vm.set(memory=512, cpu_features={"aes": True}, extra_args=["-d"])
    vm.set(extra_args=["x"], memory=1024)
    assert json.loads(vm.to_json()) == {
        "name": "web", "memory": 1024, "cpu_features": {"avx2": False, "aes": True}, "extra_args": ["-d", "x"],
        "disks": [{"file": "/srv/x.qcow2", "format": "qcow2", "boot_order": 1, "cache": "none", "aio": "native",
                   "read_only": False}],
        "nics": [{"mac": "52:54:00:12:34:56", "forwards": [
            {"host_port": 2222, "guest_port": 22}, {"protocol": "udp", "host_port": 53, "guest_port": 5353}]},
                 {"backend": "bridge", "bridge": "br0"}],
        "shares": [{"path": "/srv/data", "tag": "data", "writable": True}]}


def test_a_part_outlives_the_name_of_its_vm():
    disk = voltqemu.VM("x").add_disk("/a")
    disk.set(serial="s" * 20)


@pytest.mark.parametrize("values,error", [
    ({"memory": "512"}, TypeError), ({"memory": 1.5}, TypeError), ({"kernel": 7}, TypeError),
    ({"tpm": 1}, TypeError), ({"tpm": "no"}, TypeError), ({"sandbox": 0}, TypeError),
    ({"memory": -1}, ValueError), ({"cpus": (1 << 32) + 1}, ValueError), ({"kernel": "/a\0b"}, ValueError),
    ({"memori": 1}, TypeError), ({"disks": [{"fil": "/a"}]}, TypeError), ({"extra_args": [1]}, TypeError),
    ({"disks": [{"boot_order": "1"}]}, TypeError), ({"cpu_features": {"x": "on"}}, TypeError)], ids=str)
def test_what_would_reach_c_as_something_else_is_refused(values, error):
    with pytest.raises(error):
        voltqemu.VM("x", **values)


def test_what_the_library_refuses_is_an_error_with_its_name():
    with pytest.raises(voltqemu.VoltError, match="not an absolute path") as refused:
        voltqemu.VM("x", kernel="k")
    assert (refused.value.name, refused.value.code, refused.value.errno) == ("invalid", -2, 0)
    with pytest.raises(voltqemu.VoltError, match=r"web.json: disks\[0\].x: unknown key"):
        voltqemu.VM.from_json(b'{"name": "x", "disks": [{"x": 1}]}', "web.json")
    with pytest.raises(voltqemu.VoltError) as absent:
        voltqemu.VM.from_file("/nonexistent/vm.json")
    assert absent.value.name == "not-found"


def test_a_windows_guest_is_selected_for():
    assert voltqemu.VM("x", guest_os="windows").selection_os == "windows"
    assert voltqemu.VM("x", firmware="uefi").selection_os == "uefi"
    assert voltqemu.VM("x").selection_os == "linux"


# ---- stores ----

PROGRAM = b"""#!/bin/sh
printf '%s\\n' "$@" "cwd $PWD"
env
for fd in "$FD" 0; do [ -e /dev/fd/$fd ] && readlink /proc/self/fd/$fd; done
ls /proc/self/fd
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
    return voltqemu.Store(tmp_path / "store", create=True, threads=2)


@pytest.fixture(name="ref")
def build(store, profile):
    return store.build("emulate-x86", profile, created_at="2024-05-01T12:00:00Z", qemu_version="7.2")


def resolve(store, ref=None):
    host = voltqemu.Host.describe("x86_64", 2)
    return store.resolve(voltqemu.select_profile(host, "emulate-x86"), ref)


def test_a_ref_tells_what_it_is(store, ref):
    assert ref.profile == "emulate-x86" and ref.name.startswith("emulate-x86-") and ref.problem is None
    assert ref.manifest["qemu_version"] == "7.2" and ref.manifest["created_at"] == "2024-05-01T12:00:00Z"
    assert len(ref.digest) == 64 and ref.path.endswith(f"{ref.name}.json")
    assert [r.name for r in store.refs()] == [r.name for r in store.refs("emulate-x86")] == [ref.name]
    assert store.newest_ref("emulate-x86").digest == store.find_ref(ref.name).digest == ref.digest
    assert store.refs("kvm-linux") == []
    Path(ref.path).write_text("broken")
    (broken,) = store.refs()
    assert broken.problem and broken.manifest is None and broken.digest is None


def test_an_export_is_imported_as_the_same_ref(store, ref, tmp_path):
    with open(tmp_path / "profile.tar", "wb") as archive:
        store.export(ref, archive)
    other = voltqemu.Store(tmp_path / "other", create=True)
    with open(tmp_path / "profile.tar", "rb") as archive:
        assert other.import_(archive).digest == ref.digest
    with open(tmp_path / "profile.tar", "rb") as archive, pytest.raises(voltqemu.VoltError, match="profile.tar"):
        archive.seek(512)
        other.import_(archive)


def test_an_export_goes_through_a_pipe(store, ref, tmp_path):
    reading, writing = (os.fdopen(fd, mode) for fd, mode in zip(os.pipe(), ("rb", "wb")))
    with reading, writing:
        store.export(ref, writing)  # a small one, that a pipe can hold
        writing.close()
        assert voltqemu.Store(tmp_path / "other", create=True).import_(reading).name == ref.name


def test_a_copy_brings_what_is_missing(store, ref, tmp_path):
    other = voltqemu.Store(tmp_path / "other", create=True)
    copied = store.copy(ref, other)
    assert copied.ref.digest == ref.digest and copied.objects == 2 and copied.bytes > len(PROGRAM)
    assert store.copy(ref, other)[1:] == (0, 0)
    assert resolve(other).digest == ref.digest


def test_damage_is_found_and_repaired(store, ref, profile, tmp_path):
    tree = resolve(store).tree
    whole = store.check()
    assert whole.objects == 2 and whole.bytes > 0 and whole.left == 0 and whole.problems == []
    (damaged,) = [path for path in (tmp_path / "store/cas/objects").rglob("*")
                  if path.is_file() and path.read_bytes() == b"firmware"]
    damaged.chmod(0o644)
    damaged.write_bytes(b"FIRMWARE")
    found = store.check(ref.name)
    problem = next(p for p in found.problems if p.kind == "damaged")
    assert found.left > 0 and not problem.repaired and problem.message
    assert problem.uses == [voltqemu.Use(ref.name, "firmware/bios.bin")]
    repaired = store.check(repair=True, source=profile)
    assert repaired.left == 0 and all(p.repaired for p in repaired.problems)
    assert Path(tree, "firmware/bios.bin").read_bytes() == b"firmware"


def test_leases_are_told(store, tmp_path, ref):
    runtime = resolve(store)
    for path in (tmp_path / "store/cas/objects").rglob("*"):
        if path.is_file():
            path.unlink()
    with subprocess.Popen(["sleep", "600"], pass_fds=[runtime.lease_fd]) as holder:
        problems = store.check(ref.name).problems
        holder.kill()
    assert voltqemu.Lease(runtime.digest, holder.pid, "sleep") in problems[0].leases


def test_what_is_pinned_is_not_collected(store, ref, profile):
    (profile / "firmware/new").write_text("new")
    newer = store.build("emulate-x86", profile)
    store.pin(ref.name)
    assert store.is_pinned(ref.name) and not store.is_pinned(newer.name)
    assert store.collect(keep=1).removed == []
    store.unpin(ref.name)
    planned = store.collect(keep=1, dry_run=True)
    assert len(store.refs()) == 2
    collected = store.collect(keep=1)
    assert collected == planned and ("ref", ref.name) in [r[:2] for r in collected.removed]
    assert collected.freed_bytes == sum(r.bytes for r in collected.removed)
    assert [r.name for r in store.refs()] == [newer.name]


def test_progress_is_reported_can_cancel_and_can_raise(store, ref):
    seen = []
    store.check(progress=lambda *step: seen.append(step))
    assert {step for step, *_ in seen} == {"verify"} and seen[-1][2:] == (2, 2)
    with pytest.raises(voltqemu.VoltError) as cancelled:
        store.check(progress=lambda *step: True)
    assert cancelled.value.name == "cancelled"
    with pytest.raises(ZeroDivisionError):
        store.check(progress=lambda *step: 1 // 0)
    assert store.check(ref.name).left == 0


def test_a_store_can_be_only_read(store, ref, profile, tmp_path):
    reader = voltqemu.Store(tmp_path / "store", read_only=True)
    assert [r.name for r in reader.refs()] == [ref.name]
    with pytest.raises(voltqemu.VoltError) as refused:
        reader.build("emulate-x86", profile)
    assert refused.value.name == "read-only"
    with pytest.raises(voltqemu.VoltError, match="no store here"):
        voltqemu.Store(tmp_path / "none")


# ---- commands ----

def test_a_command_starts_with_what_it_needs_and_nothing_else(store, ref, tmp_path):
    image = os.open(tmp_path / "disk.img", os.O_RDWR | os.O_CREAT)
    with contextlib.closing(os.fdopen(image)):
        vm = voltqemu.VM(b"w\xff", disks=[{"fd": image}], state_dir=tmp_path / "state", console="file",
                         runtime_dir=os.fsencode(tmp_path) + b"/run\xff")
        command = voltqemu.Command(resolve(store, ref), vm)
        assert command.fds == [image] and command.state_dir == os.fsencode(tmp_path / "state")
        assert command.runtime_dir == os.fsencode(tmp_path) + b"/run\xff"
        command.prepare()
        assert os.path.isdir(command.runtime_dir)
        process = command.start(stdout=-1, stdin=-3)
        output = process.communicate(timeout=60)[0]
    lines = output.splitlines()
    assert process.returncode == 0 and lines[:len(command.argv) - 1] == command.argv[1:]
    assert b"cwd " + command.cwd in lines and b"%d" % image in lines
    with pytest.raises(voltqemu.VoltError) as refused:
        vm.to_json()
    assert refused.value.name == "unsupported"


def test_descriptors_are_from_3_up_or_none():
    for number in (0, 2, 1 << 31, -2):
        with pytest.raises((voltqemu.VoltError, ValueError), match=f"^(qmp_fd: )?{number} is no descriptor"):
            voltqemu.VM("x", qmp_fd=number)
    assert "qmp_fd" not in json.loads(voltqemu.VM("x", qmp_fd=None).to_json())


def test_a_command_is_text_and_json(store, ref):
    command = voltqemu.Command(resolve(store, ref), voltqemu.VM("web"))
    assert json.loads(command.to_json())["fingerprint"] == command.fingerprint
    assert command.path in command.to_shell() and command.argv[0] == command.path
    assert command.fds == []
    with pytest.raises(voltqemu.VoltError, match="cannot be both"):
        command.prepare(keep_variables=True, reset_variables=True)


def test_a_vm_that_does_not_run_cannot_be_shut_down(tmp_path):
    with pytest.raises(voltqemu.VoltError, match="not running") as refused:
        voltqemu.shutdown(tmp_path / "qmp.sock", timeout=1)
    assert refused.value.name == "not-found"


def test_without_a_descriptor_there_is_no_archive(store, ref):
    with pytest.raises(io.UnsupportedOperation):
        store.export(ref, io.BytesIO())
