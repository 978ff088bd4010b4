# SPDX-License-Identifier: MIT
"""Holes stay holes, and how large something may be is asked before it is read."""
import json
import os
import subprocess
from pathlib import Path

import pytest
from store_cli import (PROFILE, assert_resolves, bad, build, good, leftovers, make_files, manifests, mounted,
                       object_path, run, verify)

HOLE = 256 << 20
LARGE = "firmware/large.bin"
ROOM = 1 << 20  # what the large file may take on a disk


def write_large(path):
    """Data, a hole, data, a hole."""
    with open(path, "wb") as file:
        file.write(b"begin" * 1000)
        file.seek(HOLE // 2)
        file.write(b"middle" * 1000)
        file.truncate(HOLE)


def assert_sparse(path):
    status = path.stat()
    assert status.st_size == HOLE and status.st_blocks * 512 < ROOM, (path, status.st_blocks)


@pytest.fixture(scope="module")
def sparse_store(tmp_path_factory):
    """A store with a profile with a large file, which is only read."""
    directory = tmp_path_factory.mktemp("sparse")
    write_large(make_files(directory / "profile") / LARGE)
    return directory / "store", build(directory / "store", directory / "profile")["ref"], directory / "profile"


def test_an_ingest_keeps_holes(sparse_store):
    root, ref, _ = sparse_store
    assert_sparse(object_path(root, LARGE))
    assert verify(root)["problems"] == [] and ref in manifests(root)


@pytest.mark.parametrize("sparse", [[], ["--sparse"]])
def test_an_import_keeps_holes(tmp_path, sparse_store, sparse):
    """Also those that the archive has as zeros."""
    root, ref, profile = sparse_store
    with subprocess.Popen(["tar", *sparse, "-C", profile, "-c", "."], stdout=subprocess.PIPE) as packing:
        result = run("--root", tmp_path / "s", "import", "--profile", PROFILE, "-", stdin=packing.stdout)
    assert result.returncode == packing.returncode == 0, result
    assert_sparse(object_path(tmp_path / "s", LARGE))
    assert next(iter(manifests(tmp_path / "s").values()))["objects"] == manifests(root)[ref]["objects"]


def test_a_copy_and_a_tree_of_copies_keep_holes(tmp_path, sparse_store):
    root, ref, _ = sparse_store
    good("--root", root, "copy", ref, "--to", tmp_path / "copy")
    assert_sparse(object_path(tmp_path / "copy", LARGE))
    if os.getuid() != 0:
        return
    with mounted(tmp_path / "trees", "-t", "tmpfs", "-o", "mode=755", "none") as trees:
        words = ["--objects", root / "cas/objects", "--refs", root / "cas/refs", "--trees", trees]
        tree = Path(json.loads(good("--json", *words, "resolve", "--profile", PROFILE))["tree"])
        assert tree.is_relative_to(trees)
        assert_sparse(tree / LARGE)


@pytest.mark.parametrize("source", ["directory", "store", "archive"])
def test_a_repair_keeps_holes(tmp_path, sparse_store, source):
    root, ref, profile = sparse_store
    good("--root", root, "copy", ref, "--to", tmp_path / "copy")
    object_path(tmp_path / "copy", LARGE).unlink()
    if source == "archive":
        subprocess.run(["tar", "--sparse", "-C", profile, "-cf", tmp_path / "a.tar", "."], check=True)
    good("--root", tmp_path / "copy", "verify", "--repair", "--from",
         {"directory": profile, "store": root, "archive": tmp_path / "a.tar"}[source])
    assert_sparse(object_path(tmp_path / "copy", LARGE))


def test_small_files_have_no_holes(tmp_path):
    """Nor do zeros that a file system could not leave out."""
    profile = make_files(tmp_path / "profile")
    (profile / "firmware/zeros").write_bytes(bytes(5000))
    (profile / "firmware/more").write_bytes(bytes(100000) + b"x" + bytes(70000))
    build(tmp_path / "store", profile)
    tree = Path(assert_resolves(tmp_path / "store", "--verify")["tree"])
    for name in ("zeros", "more"):
        assert (tree / "firmware" / name).read_bytes() == (profile / "firmware" / name).read_bytes()


# ---- limits ----

def test_a_copy_does_not_take_an_object_of_any_size(tmp_path, root):
    """Half a terabyte that takes nothing on the disk of who offers it."""
    os.truncate(object_path(root, "firmware/bios.bin"), 500 << 30)
    (ref,) = manifests(root)
    bad("--root", root, "copy", ref, "--to", tmp_path / "copy",
        mentions=["too large", "firmware/bios.bin", 4 << 30, "--max-size"])
    assert not manifests(tmp_path / "copy") and not leftovers(tmp_path / "copy")


def test_a_copy_has_a_limit_of_all_objects_together(tmp_path, root):
    (ref,) = manifests(root)
    bad("--root", root, "copy", "--max-size", "150000", ref, "--to", tmp_path / "copy", mentions=["too large", "150000"])
    bad("--root", root, "copy", "--max-size", "165000", ref, "--to", tmp_path / "copy", mentions=["too large", "165000"])
    good("--root", root, "copy", "--max-size", "200000", ref, "--to", tmp_path / "copy")
    good("--root", root, "copy", "--max-size", "1", ref, "--to", tmp_path / "copy")  # nothing travels


def test_an_ingest_has_a_limit(tmp_path):
    profile = make_files(tmp_path / "profile")
    os.truncate(profile / "firmware/bios.bin", 5 << 30)
    bad("--root", tmp_path / "s", "ingest", "--profile", PROFILE, profile,
        mentions=["too large", profile, "firmware/bios.bin", 4 << 30, "--max-size"])
    assert not manifests(tmp_path / "s") and not leftovers(tmp_path / "s")


@pytest.mark.parametrize("source", ["directory", "store"])
def test_a_repair_passes_over_what_is_too_large(tmp_path, root, source):
    """And takes the good copy that is there as well."""
    (ref,) = manifests(root)
    other = tmp_path / "other"
    good("--root", root, "copy", ref, "--to", other)
    paths = {name: object_path(other, name) for name in ("firmware/bios.bin", "lib/libone.so.1")}
    for name in paths:
        object_path(root, name).unlink()
    os.truncate(paths["firmware/bios.bin"], 500 << 30)
    words = ["verify", "--repair", "--from", other if source == "store" else other / "cas/objects"]
    result = run("--root", root, *words, timeout=30)
    assert result.returncode == 1
    assert object_path(root, "lib/libone.so.1").exists() and not object_path(root, "firmware/bios.bin").exists()


@pytest.fixture
def root(tmp_path):
    build(tmp_path / "store", make_files(tmp_path / "profile"))
    return tmp_path / "store"
