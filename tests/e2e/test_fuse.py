# SPDX-License-Identifier: MIT
"""Stores on real FUSE file systems: inode numbers of their own, no links, no rename over a directory."""
import contextlib
import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from boots import wait_until
from store_cli import CLI, PROFILE, PROGRAM, assert_resolves, bad, build, good, good_json, leftovers, make_files, verify

if os.getuid() != 0 or not os.path.exists("/dev/fuse"):
    pytest.skip("needs root and /dev/fuse to mount file systems", allow_module_level=True)

SFTP_SERVER = "/usr/lib/openssh/sftp-server"


@contextlib.contextmanager
def fuse_mounted(where, *command):
    where.mkdir()
    subprocess.run([*command, where], check=True, timeout=60)
    try:
        yield where
    finally:
        subprocess.run(["umount", where], check=True)


def sshfs(directory, where):
    """With the server of SFTP itself in place of a connection to it."""
    server = directory / "connect"
    server.write_text(f"#!/bin/sh\nexec {SFTP_SERVER}\n")
    server.chmod(0o755)
    (directory / "remote").mkdir()
    return fuse_mounted(where, "sshfs", "-o", f"ssh_command={server}", f"host:{directory}/remote")


def mergerfs(directory, where, inodes):
    for name in ("first", "second"):
        (directory / name).mkdir()
    return fuse_mounted(where, "mergerfs", "-o", f"inodecalc={inodes}", f"{directory}/first:{directory}/second")


def mergerfs_path_hash(directory, where):
    return mergerfs(directory, where, "path-hash")


def mergerfs_hybrid_hash(directory, where):
    return mergerfs(directory, where, "hybrid-hash")


def unionfs(directory, where):
    for name in ("upper", "lower"):
        (directory / name).mkdir()
    return fuse_mounted(where, "unionfs", "-o", "cow", f"{directory}/upper=RW:{directory}/lower=RO")


def bindfs(directory, where):
    (directory / "source").mkdir()
    return fuse_mounted(where, "bindfs", directory / "source")


@pytest.fixture(scope="module", params=[sshfs, mergerfs_path_hash, mergerfs_hybrid_hash, unionfs, bindfs],
                ids=lambda function: function.__name__)
def filesystem(request, tmp_path_factory):
    directory = tmp_path_factory.mktemp("fuse")
    with request.param(directory, directory / "mnt") as where:
        yield where


@pytest.fixture
def root(filesystem, request):
    return filesystem / request.node.originalname


@pytest.fixture
def profile(tmp_path):
    return make_files(tmp_path / "profile")


def forget_inodes():
    """What FUSE numbers itself, it numbers anew then."""
    Path("/proc/sys/vm/drop_caches").write_text("2")


def test_a_tree_is_used_again(root, profile):
    build(root, profile)
    tree = Path(assert_resolves(root)["tree"])
    made = (tree / ".volt-tree").stat().st_mtime_ns, tree.stat().st_ctime_ns
    for options in ([], ["--verify"], ["--trust"], []):
        assert assert_resolves(root, *options)["tree"] == str(tree)
        forget_inodes()
    assert made == ((tree / ".volt-tree").stat().st_mtime_ns, tree.stat().st_ctime_ns), "it was made anew"
    verify(root)
    assert not leftovers(root)


def test_an_altered_tree_is_replaced(root, profile):
    build(root, profile)
    tree = Path(assert_resolves(root)["tree"])
    (tree / "lib/added").write_bytes(b"?")
    assert_resolves(root)
    (tree / PROGRAM).unlink()
    assert_resolves(root)
    assert not (tree / "lib/added").exists() and not leftovers(root)


def test_the_newest_revision_is_used(root, profile):
    """Also where a file system counts whole seconds, and a revision comes soon after another."""
    for number in range(4):
        (profile / "firmware/bios.bin").write_bytes(b"version %d" % number)
        revision = build(root, profile)["revision"]
        time.sleep(0.3)
        for _ in range(2):
            assert assert_resolves(root)["revision"] == revision
    good("--root", root, "gc", "--keep", "1")
    assert len(list((root / "qemu/trees").glob("[0-9a-f]*"))) == 1
    assert_resolves(root)


def test_what_is_in_use_stays(root, profile):
    build(root, profile)
    tree = Path(assert_resolves(root)["tree"])
    program = subprocess.Popen(["sleep", "60"], cwd=tree)
    try:
        (profile / "firmware/bios.bin").write_bytes(b"another")
        build(root, profile)
        assert_resolves(root)
        kept = good_json(root, "gc", "--keep", "1")
        assert tree.exists() and any(str(program.pid) in json.dumps(entry) for entry in kept["kept"]), kept
    finally:
        program.kill()
        program.wait()
    good("--root", root, "gc", "--keep", "1")
    assert not tree.exists()


def test_a_store_on_exfat(tmp_path, profile):
    """It has neither links nor modes: objects can be there, as on a stick that is carried about, but no trees."""
    image = tmp_path / "image"
    image.touch()
    os.truncate(image, 64 << 20)
    subprocess.run(["mkfs.exfat", image], check=True, stdout=subprocess.DEVNULL)
    device = subprocess.run(["losetup", "--find", "--show", image], check=True, capture_output=True,
                            text=True).stdout.strip()
    try:
        with fuse_mounted(tmp_path / "mnt", "mount.exfat-fuse", device) as where:
            root = where / "store"
            there = ["--root", root, "--allow-others"]
            bad("--root", root, "build", "--profile", PROFILE, profile, mentions=["all users may write", root])
            revision = json.loads(good(*there, "--json", "build", "--profile", PROFILE, profile))["revision"]
            assert revision in good(*there, "build", "--profile", PROFILE, profile)
            good(*there, "verify")
            bad(*there, "resolve", "--profile", PROFILE, mentions=["keeps no modes", root / "qemu/trees"])
            assert not leftovers(root)
            good(*there, "copy", "--to", tmp_path / "home", revision)
            assert_resolves(tmp_path / "home")
            words = ["--objects", root / "cas/objects", "--refs", root / "cas/refs", "--trees", tmp_path / "trees",
                     "--allow-others"]
            assert good(*words, "resolve", "--profile", PROFILE)
            (profile / "firmware/bios.bin").write_bytes(b"another")
            good(*there, "build", "--profile", PROFILE, profile)
            good(*there, "gc", "--keep", "1")
            good(*there, "verify")
    finally:
        subprocess.run(["losetup", "--detach", device], check=True)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_who_waits_for_a_server_that_hangs_can_be_ended(tmp_path, root_of_vm, number):
    """The kernel waits for the file system, whatever the deadline; signals end it all the same."""
    with hanging(tmp_path, root_of_vm) as where:
        with subprocess.Popen([CLI, "--root", where, "--timeout", "1", "resolve", "--profile", PROFILE],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as waiting:
            with pytest.raises(subprocess.TimeoutExpired):
                waiting.wait(timeout=3)
            waiting.send_signal(number)
            assert waiting.wait(timeout=30) != 0
    assert not leftovers(root_of_vm)


@contextlib.contextmanager
def hanging(tmp_path, directory):
    """A directory as a file system whose server has been stopped."""
    where = tmp_path / "hanging"
    where.mkdir()
    with subprocess.Popen(["bindfs", "-f", directory, where]) as server:
        try:
            wait_until(lambda: os.path.ismount(where), 60)
            os.kill(server.pid, signal.SIGSTOP)
            yield where
        finally:
            os.kill(server.pid, signal.SIGCONT)
            subprocess.run(["umount", where], check=True)


@pytest.mark.parametrize("umask", ["022", "077"])
def test_directories_of_a_vm_on_exfat(tmp_path, root_of_vm, umask):
    """It says that it takes a mode, and does not: logs and sockets would be open to all."""
    image = tmp_path / "image"
    image.touch()
    os.truncate(image, 64 << 20)
    subprocess.run(["mkfs.exfat", image], check=True, stdout=subprocess.DEVNULL)
    device = subprocess.run(["losetup", "--find", "--show", image], check=True, capture_output=True,
                            text=True).stdout.strip()
    (tmp_path / "disk").write_bytes(bytes(512))
    try:
        with fuse_mounted(tmp_path / "mnt", "mount.exfat-fuse", "-o", f"umask={umask}", device) as where:
            for words, key in ((["state_dir=" + str(where / "state"), "runtime_dir=" + str(tmp_path / "run")],
                                "console_path"),
                               (["state_dir=" + str(tmp_path / "state"), "runtime_dir=" + str(where / "run")],
                                "runtime_dir")):
                command = ["--root", root_of_vm, "prepare", "--profile", PROFILE, "--name", "vm", "--disk",
                           tmp_path / "disk", "--set", "console=file"]
                for word in words:
                    command += ["--set", word]
                if umask == "077":
                    good(*command)
                else:
                    for _ in range(2):  # nor is what the first left behind taken for good
                        bad(*command, mentions=[f"{key}: ", "keeps no modes", where])
    finally:
        subprocess.run(["losetup", "--detach", device], check=True)


@pytest.fixture
def root_of_vm(tmp_path, profile):
    build(tmp_path / "store", profile)
    return tmp_path / "store"
