# SPDX-License-Identifier: MIT
"""Stores on real file systems: what is written through a tree shows; trees are made where links cannot be."""
import contextlib
import itertools
import json
import mmap
import os
import subprocess
import tempfile
from pathlib import Path

import pytest
from store_cli import (CLI, FILES, PROFILE, PROGRAM, assert_resolves, bad, build, good, good_json,
                       is_executable, leftovers, make_files, manifests, mounted, object_path, overlay_mounted,
                       resolve, run, snapshot, tree_faults)

if os.getuid() != 0:
    pytest.skip("needs root to mount file systems", allow_module_level=True)

OTHER_PROFILE = "kvm-linux"  # to resolve it takes no KVM
NOBODY = {"user": 65534, "group": 65534, "extra_groups": []}
SCRIPT = b"#!/bin/sh\necho both a program and a text\n"
# Two files of one content, of which one is executable: the tree needs two inodes of it.
TWINS = {"lib/twin": (SCRIPT, 0o755), "firmware/twin.txt": (SCRIPT, 0o644)}
MAKE_IMAGE = {"ext4": ["mkfs.ext4", "-q"], "xfs": ["mkfs.xfs", "-q"], "btrfs": ["mkfs.btrfs", "-q"]}


@contextlib.contextmanager
def loop_mounted(kind, directory, *options, size=320 << 20):
    """A file system of its own in a sparse file."""
    directory.mkdir(parents=True, exist_ok=True)
    image = directory / "image"
    with open(image, "wb") as file:
        file.truncate(size)
    subprocess.run([*MAKE_IMAGE[kind], *options, image], check=True, stdout=subprocess.DEVNULL)
    with mounted(directory / "mnt", "-o", "loop", image) as where:
        yield where


@pytest.fixture(scope="module", params=[
    "ext4", "xfs", "tmpfs", "overlay", pytest.param("btrfs", marks=pytest.mark.extended)])
def filesystem(request, tmp_path_factory):
    directory = tmp_path_factory.mktemp(request.param)
    if request.param == "tmpfs":
        context = mounted(directory / "mnt", "-t", "tmpfs", "-o", "size=64m", "none")
    elif request.param == "overlay":
        context = overlay_mounted(directory)
    else:
        context = loop_mounted(request.param, directory)
    with context as where:
        yield where


@pytest.fixture
def root(filesystem):
    """A root for one test; nothing is there yet."""
    return Path(tempfile.mkdtemp(dir=filesystem)) / "store"


@pytest.fixture
def profile(tmp_path):
    return make_files(tmp_path / "profile", {**FILES, **TWINS})


def placed(*words, **options):
    """{path: (how, message)} of the tree's files; words say where the store is."""
    resolved = json.loads(good(*words, "--json", "resolve", "--profile", PROFILE, "--files", **options))
    return {file["path"]: (file["how"], file.get("message")) for file in resolved["files"]}


# ---- what is written through a tree ----

def write(path):
    with open(path, "r+b") as file:
        file.write(b"?")


def write_far_behind(path):
    with open(path, "r+b") as file:
        file.seek(0, os.SEEK_END)
        file.write(b"?")


def write_mapped(path):
    """Through a mapping, without msync, that stays; the file's time must tell even so."""
    with open(path, "r+b") as file:
        mapping = mmap.mmap(file.fileno(), 0)
        mapping[0] = ord("?")
        KEPT.append(mapping)


def truncate(path):
    os.truncate(path, path.stat().st_size // 2)


def truncate_and_fill(path):
    """The same size, other content."""
    size = path.stat().st_size
    os.truncate(path, 0)
    os.truncate(path, size)


def make_writable(path):
    path.chmod(path.stat().st_mode | 0o222)


def make_setuid(path):
    path.chmod(0o4755)


def turn_executable(path):
    path.chmod(0o444 if is_executable(path) else 0o555)


def replace(path):
    other = path.with_name("other")
    other.write_bytes(b"?" + path.read_bytes()[1:])
    other.chmod(path.stat().st_mode)
    os.utime(other, (1, 1))
    os.replace(other, path)
    os.utime(path.parent, (1, 1))


def replace_by_symlink(path):
    path.unlink()
    path.symlink_to("/etc/passwd")


def replace_by_directory(path):
    path.unlink()
    path.mkdir()


def unlink(path):
    path.unlink()


def unlink_secretly(path):
    path.unlink()
    os.utime(path.parent, (1, 1))


def add_beside(path):
    (path.parent / "added").write_bytes(b"?")


def remove_directory(path):
    subprocess.run(["rm", "-r", path.parent], check=True)


KEPT = []
CONTENT_DAMAGES = [write, write_mapped, truncate, truncate_and_fill]
DAMAGES = [write_far_behind, make_writable, make_setuid, turn_executable, replace, replace_by_symlink,
           replace_by_directory, unlink, unlink_secretly, add_beside, remove_directory, *CONTENT_DAMAGES]


def resolve_or_refuse(root, *options):
    """A tree whose content is right, or a message that names what is damaged. Returns the message."""
    result = run("--root", root, "--json", "resolve", "--profile", PROFILE, *options)
    if result.returncode == 0:
        resolved = json.loads(result.stdout)
        faults = tree_faults(resolved["tree"], json.loads(Path(resolved["manifest"]).read_text()))
        assert not faults, faults
        return None
    assert result.returncode == 6 and not result.stdout and result.stderr.count("\n") == 1, result
    return result.stderr


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda function: function.__name__)
def test_damage_through_a_tree_is_seen(root, profile, damage):
    build(root, profile)
    for name in sorted({**FILES, **TWINS}):
        path = Path(assert_resolves(root)["tree"], name)
        if damage in CONTENT_DAMAGES and path.stat().st_size == 0:
            continue
        damage(path)
        message = resolve_or_refuse(root)
        if message:
            digest = manifests(root).popitem()[1]["objects"][name]
            assert digest in message and name in message and "damaged" in message, message
            build(root, profile)
        assert_resolves(root)
        if KEPT:  # this process holds the old tree still, which stays for it
            KEPT.pop().close()
            good("--root", root, "gc")
        assert not leftovers(root)
    KEPT.clear()


@pytest.mark.parametrize("damage", CONTENT_DAMAGES, ids=lambda function: function.__name__)
def test_damage_through_the_tree_of_another_profile_is_seen(root, profile, damage):
    """The trees of two profiles are links to the same objects."""
    for name in (PROFILE, OTHER_PROFILE):
        build(root, profile, profile=name)
        assert_resolves(root, profile=name)
    other = Path(resolve(root, profile=OTHER_PROFILE)["tree"])
    for name in ("lib/libone.so.1", "lib/twin", "firmware/twin.txt"):
        damage(other / name)
        message = resolve_or_refuse(root)
        assert message is None or name in message or "twin" in message, message
        build(root, profile)
        assert_resolves(root)
        assert_resolves(root, profile=OTHER_PROFILE)
    KEPT.clear()


@pytest.mark.parametrize("damage", [write, truncate, unlink, replace], ids=lambda f: f.__name__)
def test_damage_of_an_object_is_never_resolved(root, profile, damage):
    """Damaged where it lies, before there is a tree; a reader with an open tree is no help."""
    build(root, profile)
    for name in ("lib/libone.so.1", PROGRAM, "firmware/twin.txt"):
        path = object_path(root, name)
        damage(path)
        assert path.name in resolve_or_refuse(root)
        assert not list((root / "qemu/trees").glob("[0-9a-f]*"))
        build(root, profile)
    assert_resolves(root)


def test_a_good_tree_is_left_alone(root, profile):
    build(root, profile)
    tree = assert_resolves(root)["tree"]
    before = snapshot(tree)
    for options in ([], ["--verify"], ["--trust"], []):
        assert assert_resolves(root, *options)["tree"] == tree
    assert snapshot(tree) == before


def test_verify_sees_what_times_do_not_tell(root, profile):
    """Content is changed and the time set back, by root: only reading everything can tell."""
    build(root, profile)
    path = Path(assert_resolves(root)["tree"], "firmware/bios.bin")
    write(path)
    os.utime(path, (1, 1))
    bad("--root", root, "resolve", "--profile", PROFILE, "--verify",
        mentions=["firmware/bios.bin", "damaged", object_path(root, "firmware/bios.bin").name])
    build(root, profile)
    assert_resolves(root, "--verify")


def test_one_content_of_two_modes(root, profile):
    """The object keeps the mode it has; the other inode is beside it, once for all trees."""
    def modes():
        return {path.name: (path.stat().st_ino, path.stat().st_mode, path.stat().st_mtime_ns)
                for path in (root / "cas/objects").iterdir()}

    build(root, profile)
    before = modes()
    for order in (["lib/twin"], ["firmware/twin.txt"], ["lib/twin", "firmware/twin.txt"]):
        names = {PROGRAM: FILES[PROGRAM], **{name: TWINS[name] for name in order}}
        directory = profile.parent / "-".join(name[:3] for name in order)
        build(root, make_files(directory, names))
        tree = Path(assert_resolves(root)["tree"])
        assert all(is_executable(tree / name) == (name == "lib/twin") for name in order)
        assert {name: modes()[name] for name in before} == before
    (alt,) = (root / "cas/alt").iterdir()
    assert alt.name == object_path(root, "lib/twin", ref=build(root, profile)["ref"]).name
    assert is_executable(alt) != is_executable(root / "cas/objects" / alt.name)
    assert not leftovers(root)


@pytest.mark.parametrize("first,second", [(0o755, 0o644), (0o644, 0o755)])
def test_a_mode_conflict_of_two_profiles(root, tmp_path, first, second):
    for profile, mode in ((PROFILE, first), (OTHER_PROFILE, second), (PROFILE, first)):
        files = {PROGRAM: FILES[PROGRAM], "lib/tool": (SCRIPT, mode)}
        build(root, make_files(tmp_path / f"{profile}-{mode:o}", files), profile=profile)
        tree = Path(assert_resolves(root, profile=profile)["tree"])
        assert is_executable(tree / "lib/tool") == bool(mode & 0o111)
        digest = manifests(root).popitem()[1]["objects"]["lib/tool"]
        status = (root / "cas/objects" / digest).stat()
        assert status.st_mode & 0o7777 == (0o555 if first & 0o111 else 0o444) and status.st_mtime == 1


def test_how_files_were_placed(root, profile):
    """Links, but for empty files; the second inode of a content is a reflink where there are reflinks."""
    build(root, profile)
    files = placed("--root", root)
    for name in ("lib/libone.so.1", "firmware/bios.bin", PROGRAM):
        assert files[name][0] == "link", files
        assert os.path.samefile(resolve(root)["tree"] + "/" + name, object_path(root, name))
    assert files["firmware/empty.bin"][0] == "new" and files["firmware/empty.bin"][1]
    assert {files["lib/twin"][0], files["firmware/twin.txt"][0]} <= {"link", "reflink", "copy_file_range"}


# ---- where links cannot be ----

def separate(objects, trees):
    """The options of a store whose trees lie elsewhere."""
    return ["--objects", objects / "objects", "--refs", objects / "refs", "--trees", trees / "trees",
            "--links", trees / "links"]


def assert_good_tree(refs, *words, **options):
    resolved = json.loads(good(*words, "--json", "resolve", "--profile", PROFILE, **options))
    manifest = json.loads((refs / f"{resolved['ref']}.json").read_text())
    assert not tree_faults(resolved["tree"], manifest)
    return resolved


def test_trees_on_another_file_system(filesystem, tmp_path, profile):
    """Copies, and the message says why; damage to a copy is put right from the object."""
    objects = tmp_path / "cas"
    words = separate(objects, filesystem / "elsewhere")
    good(*words, "build", "--profile", PROFILE, profile)
    for name, (how, message) in placed(*words).items():
        if name == "firmware/empty.bin":
            assert how == "new"
        else:
            assert how in ("copy", "copy_file_range") and "file system" in message, (name, how, message)
    tree = Path(assert_good_tree(objects / "refs", *words)["tree"])
    assert os.path.samefile(filesystem / "elsewhere/links" / PROFILE, tree)
    for damage in DAMAGES:
        for name in ("lib/libone.so.1", "lib/twin"):
            damage(tree / name)
            tree = Path(assert_good_tree(objects / "refs", *words)["tree"])
    KEPT.clear()
    before = snapshot(tree)
    assert_good_tree(objects / "refs", *words, "--threads", "2")
    assert snapshot(tree) == before


def test_objects_on_another_file_system(filesystem, tmp_path, profile):
    objects = filesystem / "objects-here"
    words = separate(objects, tmp_path)
    good(*words, "build", "--profile", PROFILE, profile)
    assert_good_tree(objects / "refs", *words)
    assert all("file system" in message for how, message in placed(*words).values() if how != "new")


def test_an_object_with_as_many_links_as_can_be(tmp_path, profile):
    """ext4 allows 65,000; the next tree gets a copy."""
    with loop_mounted("ext4", tmp_path, "-N", "4096", size=64 << 20) as where:
        root = where / "store"
        build(root, profile)
        path = object_path(root, "lib/libone.so.1")
        (where / "links").mkdir()
        directory = os.open(where / "links", os.O_RDONLY | os.O_DIRECTORY)
        with pytest.raises(OSError, match="Too many links"):
            for number in range(70000):
                os.link(path, str(number), dst_dir_fd=directory)
        os.close(directory)
        assert path.stat().st_nlink == 65000
        tree = Path(assert_resolves(root)["tree"])
        assert not os.path.samefile(tree / "lib/libone.so.1", path)
        how, message = placed("--root", root)["lib/libone.so.1"]
        assert how in ("copy", "copy_file_range") and "links" in message
        assert placed("--root", root)["firmware/bios.bin"][0] == "link"
        write(tree / "lib/libone.so.1")
        assert_resolves(root)


def test_no_inodes_left(tmp_path, profile):
    """A build and an assembly that fail for it leave nothing; with inodes, they succeed."""
    with loop_mounted("ext4", tmp_path, "-N", "48", size=16 << 20) as where:
        root = where / "store"
        build(root, profile)
        fillers = []
        with pytest.raises(OSError, match="No space"):
            for number in itertools.count():
                fillers.append(where / str(number))
                fillers[-1].touch()
        (profile / "firmware/more.bin").write_bytes(b"more")
        bad("--root", root, "resolve", "--profile", PROFILE, mentions=["No space left", root])
        bad("--root", root, "build", "--profile", PROFILE, profile, mentions=["No space left", root])
        assert not leftovers(root) and len(manifests(root)) == 1
        assert not list((root / "qemu/trees").glob("[0-9a-f]*"))
        for filler in fillers[:-1]:
            filler.unlink()
        build(root, profile)
        assert_resolves(root)


def test_no_room_for_copies(tmp_path, profile):
    with mounted(tmp_path / "small", "-t", "tmpfs", "-o", "size=100k", "none") as small:
        words = separate(tmp_path / "cas", small)
        good(*words, "build", "--profile", PROFILE, profile)
        bad(*words, "resolve", "--profile", PROFILE, mentions=["No space left", "firmware/bios.bin", small])
        assert not [name for name in os.listdir(small / "trees") if not name.startswith(".volt-new-lock-")]
        subprocess.run(["mount", "-o", "remount,size=10m", small], check=True)
        assert_good_tree(tmp_path / "cas/refs", *words)


# ---- mount options ----

@contextlib.contextmanager
def bound(source, where, options):
    with mounted(where, "--bind", "-o", options, source):
        yield where


def test_a_read_only_store_with_a_tree(tmp_path, profile):
    build(tmp_path / "store", profile)
    resolve(tmp_path / "store")
    with bound(tmp_path / "store", tmp_path / "ro", "ro") as root:
        for words in ([], ["--read-only"]):
            for options in ([], ["--verify"], ["--trust"]):
                resolved = json.loads(good("--root", root, *words, "--json", "resolve", "--profile", PROFILE,
                                           *options))
                assert not tree_faults(resolved["tree"], json.loads(Path(resolved["manifest"]).read_text()))
        assert good("--root", root, "run", "--profile", PROFILE, "--set", "firmware=bios")


def test_a_read_only_store_without_a_tree(tmp_path, profile):
    build(tmp_path / "store", profile)
    before = snapshot(tmp_path / "store")
    with bound(tmp_path / "store", tmp_path / "ro", "ro") as root:
        for words in ([], ["--read-only"]):
            message = bad("--root", root, *words, "resolve", "--profile", PROFILE)
            assert "read-only" in message.lower() and str(root) in message, message
        message = bad("--root", root, "build", "--profile", PROFILE, profile)
        assert "read-only" in message.lower() and str(root) in message, message
    assert snapshot(tmp_path / "store") == before


def test_a_read_only_store_that_is_damaged(tmp_path, profile):
    """Nothing can be put right; what is wrong is said."""
    build(tmp_path / "store", profile)
    write(Path(resolve(tmp_path / "store")["tree"], "lib/libone.so.1"))
    with bound(tmp_path / "store", tmp_path / "ro", "ro") as root:
        for words in ([], ["--read-only"]):
            message = bad("--root", root, *words, "resolve", "--profile", PROFILE)
            assert "lib/libone.so.1" in message or "read-only" in message.lower(), message


def test_a_read_only_store_with_trees_elsewhere(tmp_path, profile):
    """Objects from a read-only mount, trees on a disk of the host's."""
    good(*separate(tmp_path / "cas", tmp_path), "build", "--profile", PROFILE, profile)
    with bound(tmp_path / "cas", tmp_path / "ro", "ro") as objects:
        assert_good_tree(objects / "refs", *separate(objects, tmp_path / "here"))


def test_trees_that_nobody_may_execute(tmp_path, profile):
    with mounted(tmp_path / "noexec", "-t", "tmpfs", "-o", "noexec,size=10m", "none") as where:
        words = separate(tmp_path / "cas", where)
        good(*words, "build", "--profile", PROFILE, profile)
        bad(*words, "resolve", "--profile", PROFILE, mentions=["noexec", where])
        bad(*words, "run", "--profile", PROFILE, "--set", "firmware=bios", mentions=["noexec", where])
        subprocess.run(["mount", "-o", "remount,exec", where], check=True)
        assert_good_tree(tmp_path / "cas/refs", *words)


def test_a_tree_that_nobody_may_execute_any_more(tmp_path, profile):
    build(tmp_path / "store", profile)
    resolve(tmp_path / "store")
    with bound(tmp_path / "store", tmp_path / "noexec", "noexec") as root:
        bad("--root", root, "resolve", "--profile", PROFILE, mentions=["noexec", root])


def test_trees_without_setuid(tmp_path, profile):
    with mounted(tmp_path / "nosuid", "-t", "tmpfs", "-o", "nosuid,nodev,size=10m", "none") as where:
        root = where / "store"
        build(root, profile)
        assert_resolves(root)
        assert good("--root", root, "run", "--profile", PROFILE, "--set", "firmware=bios")


def test_a_store_in_the_lower_layer(tmp_path, profile):
    """An image brings the store; the tree is made above it, and is the same after the next start."""
    build(tmp_path / "image/store", profile)
    with loop_mounted("ext4", tmp_path / "disk", size=64 << 20) as disk:
        for _ in range(2):
            with overlay_mounted(disk, lower=tmp_path / "image") as where:
                assert_resolves(where / "store")
                assert_resolves(where / "store", "--verify")
                path = Path(resolve(where / "store")["tree"], "firmware/bios.bin")
                write(path)
                message = resolve_or_refuse(where / "store")
                assert message is None or "firmware/bios.bin" in message
                build(where / "store", profile)
                assert_resolves(where / "store")
    assert_resolves(tmp_path / "image/store", "--verify")


@pytest.mark.parametrize("kind", ["ext4", "xfs", "btrfs"])
def test_a_tree_is_good_after_a_remount(tmp_path, profile, kind):
    with loop_mounted(kind, tmp_path) as where:
        build(where / "store", profile)
        before = snapshot(resolve(where / "store")["tree"])
        for _ in range(2):
            subprocess.run(["umount", where], check=True)
            subprocess.run(["mount", "-o", "loop", tmp_path / "image", where], check=True)
            assert_resolves(where / "store")
            assert snapshot(resolve(where / "store")["tree"]) == before


# ---- ordinary users ----

def open_to_all(tmp_path):
    """pytest's directories are for their owner only."""
    for path in (tmp_path, *list(tmp_path.parents)[:3]):
        if path != Path("/tmp"):
            path.chmod(0o755)


def test_an_ordinary_user_has_a_store(tmp_path, profile):
    open_to_all(tmp_path)
    root = tmp_path / "theirs/store"
    root.parent.mkdir()
    os.chown(root.parent, 65534, 65534)
    good("--root", root, "build", "--profile", PROFILE, profile, **NOBODY)
    resolved = good_json(root, "resolve", "--profile", PROFILE, **NOBODY)
    assert not tree_faults(resolved["tree"], json.loads(Path(resolved["manifest"]).read_text()))
    assert os.path.samefile(resolved["tree"] + "/lib/libone.so.1", object_path(root, "lib/libone.so.1"))
    assert good("--root", root, "run", "--profile", PROFILE, "--set", "firmware=bios", **NOBODY)
    assert not leftovers(root)


def test_an_ordinary_user_with_objects_of_root(tmp_path, profile):
    """The kernel forbids links to what is another's; there are copies, and nothing of root's changes."""
    assert Path("/proc/sys/fs/protected_hardlinks").read_text().strip() == "1", "not what this test is about"
    open_to_all(tmp_path)
    root = tmp_path / "store"
    build(root, profile)
    for path in (root / "qemu", root / "qemu/trees"):
        os.chown(path, 65534, 65534)
    before = snapshot(root / "cas")
    for name, (how, message) in placed("--root", root, **NOBODY).items():
        if name != "firmware/empty.bin":
            assert how in ("copy", "copy_file_range", "reflink") and message, (name, how, message)
    resolved = good_json(root, "resolve", "--profile", PROFILE, **NOBODY)
    manifest = json.loads(Path(resolved["manifest"]).read_text())
    assert not tree_faults(resolved["tree"], manifest)
    assert Path(resolved["tree"]).stat().st_uid == 65534
    assert snapshot(root / "cas") == before
    for damage in (write, make_writable, unlink):
        damage(Path(resolved["tree"], "lib/libone.so.1"))
        again = good_json(root, "resolve", "--profile", PROFILE, **NOBODY)
        assert not tree_faults(again["tree"], manifest)
    assert snapshot(root / "cas") == before
    good("--root", root, "--allow-others", "resolve", "--profile", PROFILE)
    bad("--root", root, "resolve", "--profile", PROFILE, mentions=["user 65534", root / "qemu/trees"])
    os.chown(root / "qemu/trees", 0, 0)
    bad("--root", root, "resolve", "--profile", PROFILE, mentions=["user 65534", root / "qemu"])  # could exchange them
    os.chown(root / "qemu", 0, 0)
    assert Path(assert_resolves(root)["tree"]).stat().st_uid == 0


def test_an_ordinary_user_with_a_tree_of_root(tmp_path, profile):
    """Who may not write can run what is there, and is told what is not."""
    open_to_all(tmp_path)
    root = tmp_path / "store"
    build(root, profile)
    message = bad("--root", root, "resolve", "--profile", PROFILE, **NOBODY)
    assert "Permission denied" in message and str(root / "qemu/trees") in message, message
    tree = resolve(root)["tree"]
    for words in ([], ["--read-only"]):
        assert json.loads(good("--root", root, *words, "--json", "resolve", "--profile", PROFILE,
                               **NOBODY))["tree"] == tree
    assert good("--root", root, "run", "--profile", PROFILE, "--set", "firmware=bios", **NOBODY)
    message = bad("--root", root, "build", "--profile", PROFILE, profile, **NOBODY)
    assert "Permission denied" in message and str(root / "cas") in message, message


def test_a_strict_umask(tmp_path, profile):
    """What is made with umask 077 can be used by all."""
    open_to_all(tmp_path)
    root = tmp_path / "store"
    for words in (["build", "--profile", PROFILE, profile], ["resolve", "--profile", PROFILE]):
        result = run("--root", root, *words, umask=0o077)
        assert result.returncode == 0, result
    tree = Path(resolve(root)["tree"])
    assert all(path.stat().st_mode & 0o444 == 0o444 for path in tree.rglob("*"))
    shown = subprocess.run([CLI, "--root", root, "resolve", "--profile", PROFILE], capture_output=True,
                           text=True, check=False, umask=0o077, **NOBODY)
    assert shown.returncode == 0 or "Permission denied" in shown.stderr, shown


# ---- without openat2() ----

def without_openat2(error, *words):
    """The command where a sandbox (RestrictSUIDSGID=) or an old kernel has no such call: the result."""
    command = [] if error is None else ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=openat2", "-e",
                                        f"inject=openat2:error={error}"]
    return subprocess.run([*command, CLI, *words], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("error", ["ENOSYS", "EPERM", "EACCES"])
def test_links_of_a_profile_without_openat2(tmp_path, profile, error):
    (profile / "lib/libone.so").symlink_to("libone.so.1")
    (profile / "lib/qemu/back.so").symlink_to("../../lib/libone.so")
    for words in (["build", "--profile", PROFILE, profile], ["resolve", "--profile", PROFILE], ["verify"],
                  ["gc"]):
        result = without_openat2(error, "--root", tmp_path / "store", *words)
        assert result.returncode == 0 and not result.stderr, result
    assert_resolves(tmp_path / "store", "--verify")
    (manifest,) = manifests(tmp_path / "store").values()
    assert len({manifest["objects"][name] for name in ("lib/libone.so", "lib/libone.so.1",
                                                       "lib/qemu/back.so")}) == 1


LINKS = {"/etc/passwd": "leaves the directory", "../../../x": "leaves the directory", "bad": "circle",
         "nowhere": "leads to nothing"}


@pytest.mark.parametrize("target", LINKS)
def test_bad_links_of_a_profile(tmp_path, profile, target):
    """The same words, however they are found out."""
    (profile / "lib/bad").symlink_to(target)
    results = [without_openat2(error, "--root", tmp_path / "store", "build", "--profile", PROFILE, profile)
               for error in (None, "ENOSYS", "EPERM")]
    assert len({(result.returncode, result.stderr) for result in results}) == 1, results
    assert results[0].returncode in {1, 3, 4, 5, 6, 7} and LINKS[target] in results[0].stderr
    assert f"{profile}/lib/bad is a symbolic link that" in results[0].stderr
