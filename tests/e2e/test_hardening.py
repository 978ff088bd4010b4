# SPDX-License-Identifier: MIT
"""A store that somebody meddled with, callers that stall, and limits: nothing is believed or waited for too long."""
import gzip
import hashlib
import io
import json
import os
import subprocess
import tarfile
import time
from pathlib import Path

import pytest

from store_cli import (CLI, FILES, PROFILE, PROGRAM, assert_resolves, bad, build, good, good_json, leftovers,
                       make_files, manifests, mounted, object_path, resolve, run, verify)

BIOS = "firmware/bios.bin"


@pytest.fixture
def root(tmp_path):
    build(tmp_path / "store", make_files(tmp_path / "profile"))
    return tmp_path / "store"


# ---- the cache ----

def record_of(root):
    (path,) = Path(root, "cas/cache").glob("verified-*")
    return path


def write_record(path, lines):
    text = "".join(line + "\n" for line in lines)
    path.write_text(text + f"end {hashlib.sha256(text.encode()).hexdigest()}\n")


def long_path(lines):
    fields = lines[-1].split(" ", 4)
    return lines[:-1] + [" ".join(fields[:4] + ["z/" * 2500 + "z"])]


def path_out_of_the_tree(lines):
    fields = lines[-1].split(" ", 4)
    return lines[:-1] + [" ".join(fields[:4] + ["z/../../../../../evil"])]


def fewer_lines(lines):
    return ["volt-verified 1 2", *lines[1:3]]


def not_in_order(lines):
    return [lines[0], *reversed(lines[1:])]


def odd_mode(lines):
    fields = lines[1].split(" ", 4)
    return [lines[0], " ".join([*fields[:2], "104755", *fields[3:]]), *lines[2:]]


def no_number(lines):
    return ["volt-verified 1 99999999999999999999", *lines[1:]]


@pytest.mark.parametrize("meddle", [long_path, path_out_of_the_tree, not_in_order, odd_mode, no_number],
                         ids=lambda function: function.__name__)
def test_a_record_that_no_store_writes_is_not_used(root, meddle):
    path = record_of(root)
    write_record(path, meddle(path.read_text().splitlines()[:-1]))
    assert_resolves(root)
    assert not leftovers(root)


def test_a_record_of_fewer_objects_does_not_hurt_a_copy(tmp_path, root):
    good("--root", root, "copy", PROFILE, "--to", tmp_path / "other")
    path = record_of(tmp_path / "other")
    write_record(path, fewer_lines(path.read_text().splitlines()[:-1]))
    good("--root", root, "copy", PROFILE, "--to", tmp_path / "other")
    assert_resolves(tmp_path / "other", "--verify")


def test_the_full_check_believes_no_record(root):
    """Two objects are exchanged in the record: the quick way can be led astray so, the full one cannot."""
    path = record_of(root)
    lines = path.read_text().splitlines()[:-1]
    a, b = (next(i for i, line in enumerate(lines) if line.endswith(name)) for name in (BIOS, "libone.so.1"))
    (*of_a, path_a), (*of_b, path_b) = lines[a].split(" "), lines[b].split(" ")
    lines[a], lines[b] = " ".join([*of_b, path_a]), " ".join([*of_a, path_b])
    write_record(path, lines)
    assert_resolves(root, "--verify")
    assert_resolves(root)


@pytest.mark.parametrize("name", ["../../../../etc/passwd", "kvm-linux-00000000", "emulate-x86-0000000"])
def test_the_newest_ref_is_one_of_the_profile(root, name):
    time.sleep(0.2)  # it is remembered once the refs have settled
    resolve(root)
    path = root / "cas/cache" / f"newest-{PROFILE}"
    write_record(path, [f"ref {name}" if line.startswith("ref ") else line
                        for line in path.read_text().splitlines()[:-1]])
    assert_resolves(root)


# ---- trees ----

def test_many_programs_with_long_names(tmp_path):
    """What a tree has is found at once, wherever it stands in the stamp."""
    files = {**FILES, **{f"bin/qemu-system-{'x' * 200}{i}": b"program" for i in range(120)}}
    build(tmp_path / "store", make_files(tmp_path / "p", files))
    for options in ([], [], ["--trust"], ["--verify"]):
        assert resolve(tmp_path / "store", *options)["lib_dir"]


def test_a_tree_is_not_deleted_under_a_process(root):
    """It has no lease, but its working directory is there; the tree is altered, and so replaced."""
    tree = Path(resolve(root)["tree"])
    with subprocess.Popen(["sleep", "60"], cwd=tree / "firmware") as process:
        try:
            (tree / "evil").touch()
            assert_resolves(root)
            good("--root", root, "gc")
            assert Path(f"/proc/{process.pid}/cwd/bios.bin").read_bytes() == FILES[BIOS]
        finally:
            process.kill()
    good("--root", root, "gc")
    assert not leftovers(root)


def test_damage_of_a_copied_object_is_named(tmp_path, root):
    if os.getuid() != 0:
        pytest.skip("needs root to mount a file system")
    path = object_path(root, BIOS)
    path.chmod(0o644)
    path.write_bytes(b"?" + path.read_bytes()[1:])
    path.chmod(0o444)
    os.utime(path, (1, 1))
    with mounted(tmp_path / "other", "-t", "tmpfs", "none"):
        words = ["--objects", root / "cas/objects", "--refs", root / "cas/refs", "--trees",
                 tmp_path / "other/trees"]
        bad(*words, "resolve", "--profile", PROFILE, mentions=[path.name, BIOS, "damaged", "--repair"])


def test_links_of_an_interrupted_take_over_go(root):
    """A real directory stands where the link belongs; killed while it is exchanged."""
    make_files(root / "qemu" / PROFILE, FILES)
    for _ in range(2):
        subprocess.run(["strace", "-o", "/dev/null", "-e", "inject=renameat2:signal=KILL:when=1", CLI, "--root",
                        root, "resolve", "--profile", PROFILE], stdout=subprocess.DEVNULL, check=False)
    assert_resolves(root)
    good("--root", root, "gc")
    assert {path.name for path in (root / "qemu").iterdir()} == {"trees", PROFILE, f"{PROFILE}.replaced"}
    assert not (root / "qemu" / f"{PROFILE}.replaced").is_symlink()


# ---- durability ----

def synced(root, *words):
    """The directories that a command syncs."""
    log = root.with_suffix(".strace")
    subprocess.run(["strace", "-f", "-y", "-e", "trace=fsync", "-o", log, CLI, "--root", root, *words],
                   check=True, stdout=subprocess.DEVNULL)
    return log.read_text()


def test_a_build_that_finds_its_ref_makes_it_durable(root, tmp_path):
    assert f"{root}/cas/refs>" in synced(root, "build", "--profile", PROFILE, tmp_path / "profile")


def test_objects_go_only_after_their_refs_are_surely_gone(root):
    next((root / "cas/refs").iterdir()).unlink()
    assert f"{root}/cas/refs>" in synced(root, "gc")
    assert not list((root / "cas/objects").iterdir())


# ---- archives ----

def archive_of(*entries):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for entry, content in entries:
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def file_entry(name, content=b"content"):
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    return entry, content


def link_entry(name, target):
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = tarfile.SYMTYPE, target
    return entry, b""


def test_thousands_of_links_in_a_row(tmp_path):
    links = [link_entry(f"lib/link-{i}", "../bin/qemu-system-x86_64") for i in range(2500)]
    data = archive_of(file_entry(PROGRAM), *links, file_entry("firmware/z"))
    (tmp_path / "a.tar").write_bytes(data)
    made = good_json(tmp_path / "store", "import", "--profile", PROFILE, tmp_path / "a.tar")
    assert made["objects"] == 2502


def test_the_fault_is_that_of_the_tar_and_not_of_the_gzip(tmp_path):
    data = bytearray(archive_of(file_entry(PROGRAM), file_entry(BIOS)))
    data[1024 + 130] ^= 1  # the size of the second entry
    (tmp_path / "a.tar.gz").write_bytes(gzip.compress(bytes(data)))
    message = bad("--root", tmp_path / "store", "import", "--profile", PROFILE, tmp_path / "a.tar.gz",
                  mentions=["a.tar.gz"])
    assert "gzip" not in message and "cut off" not in message


def test_an_export_that_was_unpacked_and_packed_again(tmp_path, root):
    good("--root", root, "export", PROFILE, "--output", tmp_path / "a.tar")
    (tmp_path / "x").mkdir()
    subprocess.run(["tar", "-C", tmp_path / "x", "-xf", tmp_path / "a.tar"], check=True)
    subprocess.run(["tar", "-C", tmp_path / "x", "-cf", tmp_path / "b.tar", "./.volt-manifest.json", "./bin",
                    "./lib", "./firmware"], check=True)
    assert good_json(tmp_path / "other", "import", "--any-profile", tmp_path / "b.tar")["ref"] in manifests(root)


# ---- limits, and who has to wait ----

def test_no_number_of_threads_is_too_large(root, tmp_path):
    good("--root", root, "--threads", "4000000000", "build", "--profile", PROFILE, tmp_path / "profile")
    good("--root", root, "--threads", "4000000000", "verify")


def test_tmp_and_objects_on_different_file_systems(tmp_path):
    if os.getuid() != 0:
        pytest.skip("needs root to mount a file system")
    with mounted(tmp_path / "store/cas/objects", "-t", "tmpfs", "-o", "mode=755", "none"):
        bad("--root", tmp_path / "store", "build", "--profile", PROFILE, make_files(tmp_path / "p"),
            mentions=["one file system"])


def test_a_stalled_export_stops_nobody_for_long(tmp_path, root):
    """Its reader does not read; a collection waits for it, and a resolve has to assemble."""
    large = make_files(tmp_path / "large", {**FILES, "firmware/large.bin": os.urandom(1 << 20)})
    build(root, large)
    with subprocess.Popen([CLI, "--root", root, "export", PROFILE], stdout=subprocess.PIPE) as export:
        time.sleep(0.2)
        with subprocess.Popen([CLI, "--root", root, "gc"], stdout=subprocess.DEVNULL) as collector:
            time.sleep(0.2)
            start = time.monotonic()
            resolve(root)
            assert time.monotonic() - start < 20  # a collection lets others pass after a second
            export.terminate()
            assert export.wait(timeout=20) == 7
            assert collector.wait(timeout=20) == 0


def test_repair_goes_on_after_what_it_cannot_read(tmp_path, root):
    if os.getuid() != 0:
        pytest.skip("needs root to become another user")
    for directory in [tmp_path, *list(tmp_path.parents)[:3]]:
        if directory != Path("/tmp"):
            directory.chmod(0o755)
    resolve(root)
    subprocess.run(["chown", "-R", "65534:65534", root], check=True)
    object_path(root, BIOS).chmod(0)
    object_path(root, "lib/libone.so.1").unlink()
    os.chown(object_path(root, BIOS), 0, 0)
    result = run("--root", root, "--json", "verify", "--repair", user=65534, group=65534, extra_groups=[])
    problems = {problem["digest"]: problem for problem in json.loads(result.stdout)["problems"]}
    assert result.returncode == 1 and problems[object_path(root, "lib/libone.so.1").name]["repaired"]
    assert not problems[object_path(root, BIOS).name]["repaired"]


def test_programs_from_an_archive_are_repaired_as_programs(tmp_path, root):
    good("--root", root, "export", PROFILE, "--output", tmp_path / "a.tar")
    path = object_path(root, PROGRAM)
    path.unlink()
    verify(root, "--repair", "--from", tmp_path / "a.tar")
    assert path.stat().st_mode & 0o777 == 0o555
