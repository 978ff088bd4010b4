# SPDX-License-Identifier: MIT
"""Stores that came from elsewhere: in a lower layer of an overlay, which cannot rename its directories; copies."""
import json
import os
import subprocess
from pathlib import Path

import pytest
from store_cli import (PROFILE, PROGRAM, assert_resolves, bad, build, good, leftovers, make_files,
                       manifests, mounted, object_path, overlay_mounted, resolve, snapshot, tree_faults, verify)

if os.getuid() != 0:
    pytest.skip("needs root to mount file systems", allow_module_level=True)


@pytest.fixture
def profile(tmp_path):
    return make_files(tmp_path / "profile")


@pytest.fixture(params=["link", "copy"])
def lower(request, tmp_path, profile):
    """A store with a tree, as it was made, or copied as an image is: other inodes, the same times."""
    build(tmp_path / "made/store", profile)
    resolve(tmp_path / "made/store")
    if request.param == "link":
        return tmp_path / "made"
    subprocess.run(["cp", "-a", tmp_path / "made", tmp_path / "copied"], check=True)
    return tmp_path / "copied"


@pytest.fixture(params=["", ",redirect_dir=off"], ids=["default", "off"])
def root(request, tmp_path, lower):
    with overlay_mounted(tmp_path, lower=lower, options=request.param) as where:
        yield where / "store"


def write(path):
    with open(path, "r+b") as file:
        file.write(b"?")


def trees(root):
    return sorted(path.name for path in (root / "qemu/trees").iterdir())


def test_a_tree_of_the_lower_layer_is_used(root, lower):
    before = snapshot(lower)
    digest = resolve(root)["digest"]
    for options in ([], ["--verify"], ["--trust"]):
        assert assert_resolves(root, *options)["digest"] == digest
    assert trees(root) == [digest] and not leftovers(root)
    verify(root)
    assert snapshot(lower) == before


def test_an_altered_tree_of_the_lower_layer_is_replaced(root, profile):
    digest = resolve(root)["digest"]
    write(root / "qemu/trees" / digest / "firmware/bios.bin")
    build(root, profile)
    assert_resolves(root)
    (root / "qemu/trees" / digest / "lib/added").write_bytes(b"?")
    assert_resolves(root)
    assert trees(root) == [digest] and not leftovers(root)


def test_a_tree_of_the_lower_layer_is_collected(root, profile):
    old = resolve(root)
    (profile / "firmware/new.bin").write_bytes(b"new")
    build(root, profile)
    new = assert_resolves(root)
    good("--root", root, "gc", "--keep", "1")
    assert trees(root) == [new["digest"]] != [old["digest"]] and len(manifests(root)) == 1
    assert not leftovers(root)
    assert_resolves(root)


def test_a_revision_of_the_lower_layer_is_removed(root):
    resolved = resolve(root)
    good("--root", root, "rm", resolved["revision"])
    assert not trees(root) and not manifests(root) and not leftovers(root)


def test_repair_in_the_lower_layer(root, profile):
    """The tree of a revision is assembled anew, one without a revision is removed."""
    first = resolve(root)["digest"]
    (profile / "firmware/new.bin").write_bytes(b"new")
    build(root, profile)
    second = resolve(root)["digest"]
    for digest in (first, second):
        (root / "qemu/trees" / digest / PROGRAM).unlink()
    for path in (root / "cas/refs").glob(f"*-{first[:8]}.json"):
        path.unlink()
    (root / "qemu" / PROFILE).unlink()
    assert all(problem["repaired"] for problem in verify(root, "--repair")["problems"])
    assert trees(root) == [second]
    assert_resolves(root)


def test_an_altered_tree_of_the_lower_layer_that_is_in_use(tmp_path, profile):
    """It cannot be put aside for the process that runs from it, so it stays until that has ended."""
    build(tmp_path / "image/store", profile)
    resolve(tmp_path / "image/store")
    with overlay_mounted(tmp_path, lower=tmp_path / "image") as where:
        root = where / "store"
        tree = Path(resolve(root)["tree"])
        program = subprocess.Popen(["sleep", "60"], cwd=tree)
        try:
            (tree / "added").mkdir()
            message = bad("--root", root, "resolve", "--profile", PROFILE,
                          mentions=["in use by process", "sleep", tree])
            assert "cannot rename" in message and (tree / PROGRAM).exists()
        finally:
            program.kill()
            program.wait()
        assert_resolves(root)
        assert not (tree / "added").exists()


def test_a_real_directory_of_the_lower_layer_becomes_a_link(tmp_path, lower):
    link = lower / "store/qemu" / PROFILE
    link.unlink()
    make_files(link, {"bin/program": b"1", "share/deep/file": b"2"})
    (link / "to").symlink_to("bin/program")
    with overlay_mounted(tmp_path, lower=lower) as where:
        tree = assert_resolves(where / "store")["tree"]
        there = where / "store/qemu" / PROFILE
        assert there.is_symlink() and os.path.samefile(there, tree)
        aside = there.with_name(f"{PROFILE}.replaced")
        assert (aside / "share/deep/file").read_bytes() == b"2" and (aside / "to").read_bytes() == b"1"
        good("--root", where / "store", "gc")
        assert (aside / "bin/program").exists()


def test_a_directory_in_place_of_an_object_of_the_lower_layer(tmp_path, profile):
    build(tmp_path / "image/store", profile)
    path = object_path(tmp_path / "image/store", "firmware/bios.bin")
    path.unlink()
    make_files(path, {"file": b"x"})
    with overlay_mounted(tmp_path, lower=tmp_path / "image") as where:
        build(where / "store", profile)
        assert_resolves(where / "store")


# ---- copies ----

def copy(store, where):
    subprocess.run(["cp", "-a", store, where], check=True)


def copy_without_times(store, where):
    subprocess.run(["cp", "-r", "--no-preserve=timestamps", store, where], check=True)


def copy_by_tar(store, where):
    where.mkdir()
    subprocess.run(f"tar c -C {store} . | tar x -C {where}", shell=True, check=True)


@pytest.fixture(params=[copy, copy_without_times, copy_by_tar], ids=lambda function: function.__name__)
def copied(request, tmp_path, profile):
    build(tmp_path / "store", profile)
    resolve(tmp_path / "store")
    request.param(tmp_path / "store", tmp_path / "copied")
    return tmp_path / "copied"


def assert_usable_read_only(root, *words):
    before = snapshot(root)
    tree = Path(resolve(root, *words)["tree"])
    for options in ([], ["--verify"], ["--trust"]):
        resolved = json.loads(good("--root", root, *words, "--json", "resolve", "--profile", PROFILE, *options))
        assert resolved["tree"] == str(tree)
        assert not tree_faults(tree, json.loads(Path(resolved["manifest"]).read_text()))
    good("--root", root, *words, "verify")
    assert snapshot(root) == before


def test_a_copy_that_cannot_be_written_to(copied, tmp_path):
    with mounted(tmp_path / "ro", "--bind", "-o", "ro", copied) as where:
        assert_usable_read_only(where)
    assert_usable_read_only(copied, "--read-only")


def test_a_copy_that_can_be_written_to(copied):
    verify(copied)
    before = snapshot(copied / "qemu")
    assert_resolves(copied, "--verify")
    assert snapshot(copied / "qemu") == before
    assert_resolves(copied)
    assert os.path.samefile(Path(resolve(copied)["tree"], PROGRAM), object_path(copied, PROGRAM))


def test_a_squashfs(tmp_path, profile):
    build(tmp_path / "store", profile)
    resolve(tmp_path / "store")
    subprocess.run(["mksquashfs", tmp_path / "store", tmp_path / "image", "-quiet", "-no-progress"], check=True)
    with mounted(tmp_path / "mnt", "-o", "loop,ro", "-t", "squashfs", tmp_path / "image") as where:
        assert_usable_read_only(where)


def add_file(tree):
    (tree / "lib/added").write_bytes(b"?")


def add_directory(tree):
    (tree / "more").mkdir()


def add_link(tree):
    (tree / "lib/libtwo.so").symlink_to("libone.so.1")


def remove(tree):
    (tree / "firmware/empty.bin").unlink()


def remove_stamp(tree):
    (tree / ".volt-tree").unlink()


def replace_directory_by_link(tree):
    (tree / "lib").rename(tree.parent / "lib")
    (tree / "lib").symlink_to("../lib")


def make_setuid(tree):
    (tree / PROGRAM).chmod(0o4555)


def make_writable(tree):
    (tree / "lib/libone.so.1").chmod(0o666)


def make_plain(tree):
    (tree / PROGRAM).chmod(0o444)


def open_directory(tree):
    (tree / "lib").chmod(0o777)


def alter(tree):
    path = tree / "firmware/bios.bin"
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(b"?" + content[1:])
    path.chmod(0o444)


@pytest.mark.parametrize("damage", [add_file, add_directory, add_link, remove, remove_stamp,
                                    replace_directory_by_link, make_setuid, make_writable, make_plain,
                                    open_directory, alter], ids=lambda function: function.__name__)
def test_a_copy_with_more_than_other_inodes(tmp_path, profile, damage):
    """Whatever else differs is told, by every way to look; where it can be written to, it is put right."""
    build(tmp_path / "store", profile)
    resolve(tmp_path / "store")
    root = tmp_path / "copied"
    copy(tmp_path / "store", root)
    tree = Path(resolve(root, "--read-only")["tree"])
    damage(tree)
    for options in ([], ["--verify"]):
        bad("--root", root, "--read-only", "resolve", "--profile", PROFILE, *options, mentions=[tree, "read-only"])
    (problem,) = verify(root, "--read-only", status=1)["problems"]
    assert problem["kind"] == "tree"
    assert_resolves(root, "--verify")
    verify(root)


def test_a_read_only_copy_without_rights(tmp_path, profile):
    """An ordinary user, who can assemble nothing there."""
    for path in (tmp_path, *list(tmp_path.parents)[:3]):
        if path != Path("/tmp"):
            path.chmod(0o755)
    build(tmp_path / "store", profile)
    resolve(tmp_path / "store")
    copy(tmp_path / "store", tmp_path / "copied")
    nobody = {"user": 65534, "group": 65534, "extra_groups": []}
    shown = json.loads(good("--root", tmp_path / "copied", "--json", "resolve", "--profile", PROFILE, **nobody))
    write(Path(shown["tree"], "firmware/bios.bin"))
    bad("--root", tmp_path / "copied", "resolve", "--profile", PROFILE, mentions=["Permission denied"], **nobody)
