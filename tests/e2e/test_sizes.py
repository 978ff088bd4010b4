# SPDX-License-Identifier: MIT
"""What revisions take on disk, and share: beside what the files say."""
import json

import pytest
from store_cli import FILES, bad, build, good, good_json, make_files, manifests, object_path, resolve, run

COMMON = {"lib/libone.so.1", "lib/qemu/accel.so", "firmware/bios.bin", "firmware/empty.bin"}
HOLE = 16 << 20


@pytest.fixture
def root(tmp_path):
    """Two profiles with a program each, and one with holes; all else is common to them."""
    for name in ("emulate-x86", "kvm-linux"):
        make_files(tmp_path / name, {**FILES, "bin/qemu-system-x86_64": b"#!/bin/sh\necho " + name.encode() * 3000})
    with open(tmp_path / "kvm-linux/firmware/code.fd", "wb") as file:
        file.write(b"code" * 5000)
        file.truncate(HOLE)
    for name in ("emulate-x86", "kvm-linux"):
        build(tmp_path / "store", tmp_path / name, profile=name)
    return tmp_path / "store"


def room(root, ref, paths):
    return sum(object_path(root, path, ref=ref).stat().st_blocks * 512 for path in paths)


def test_two_profiles_share_what_is_the_same(root):
    refs = {ref.rpartition("-")[0]: ref for ref in manifests(root)}
    common = room(root, refs["kvm-linux"], COMMON)
    listed = {entry["name"]: entry["sizes"] for entry in good_json(root, "revisions", "--sizes")}
    assert set(listed) == set(refs.values()) and common > 0
    for name, other, own in (("emulate-x86", "kvm-linux", {"bin/qemu-system-x86_64"}),
                             ("kvm-linux", "emulate-x86", {"bin/qemu-system-x86_64", "firmware/code.fd"})):
        own_bytes = room(root, refs[name], own)
        assert listed[refs[name]] == {
            "bytes": common + own_bytes, "own_bytes": own_bytes, "shared_bytes": common, "missing": 0,
            "shared_with": [{"name": refs[other], "bytes": common}], "complete": True,
            "store_bytes": common + sum(entry["own_bytes"] for entry in listed.values())}
        assert own_bytes < HOLE
    assert "sizes" not in good_json(root, "revisions")[0]


def test_what_is_its_own_is_what_collecting_frees(root):
    """Also of a revision that has run: its tree is links."""
    resolve(root, profile="kvm-linux")
    ref, = (ref for ref in manifests(root) if ref.startswith("kvm-linux"))
    (listed,) = good_json(root, "revisions", "--sizes", "kvm-linux")
    good("--root", root, "rm", ref)
    assert sum(entry["bytes"] for entry in good_json(root, "gc")["removed"]
               if entry["kind"] == "object") == listed["sizes"]["own_bytes"]
    assert good_json(root, "revisions", "--sizes")[0]["sizes"]["shared_with"] == []


def test_people_get_a_table(root, tmp_path):
    for number in range(4):
        (tmp_path / "emulate-x86/lib/number").write_text(str(number))
        build(root, tmp_path / "emulate-x86")
    head, *rows, total = good("--root", root, "revisions", "--sizes").splitlines()
    assert head.split() == ["NAME", "SIZE", "OWN", "SHARED", "SHARED", "WITH"]
    assert [row.split()[0] for row in rows] == [entry["name"] for entry in good_json(root, "revisions")]
    assert all(row.endswith(" and 2 more") and row.count("iB)") == 3 for row in rows)
    assert total.startswith("All revisions of the store together: ") and total.endswith("iB")
    (row,) = good("--root", root, "revisions", "--sizes", "kvm-linux").splitlines()[1:-1]
    assert row.split() in [row.split() for row in rows]


def test_what_is_missing_or_broken_is_warned_of(root):
    first, second = sorted(manifests(root))
    object_path(root, "bin/qemu-system-x86_64", ref=first).unlink()
    result = run("--root", root, "revisions", "--sizes")
    assert result.returncode == 0 and f"{first} lacks 1 of its objects" in result.stderr
    (root / f"cas/refs/{second}.json").write_text("{")
    result = run("--root", root, "--json", "revisions", "--sizes")
    sizes = {entry["name"]: entry["sizes"] for entry in json.loads(result.stdout)}
    assert sizes[second] == {**dict.fromkeys(["bytes", "own_bytes", "shared_bytes", "missing"]), "shared_with": [],
                             "complete": False, "store_bytes": sizes[first]["bytes"]}
    assert sizes[first]["missing"] == 1 and "is broken" in result.stderr


def test_sizes_are_of_revisions(root):
    bad("--root", root, "uses", "--sizes", status=2)
    bad("--root", root, "revisions", "--sizes", "../x", status=5)
