# SPDX-License-Identifier: MIT
"""
File systems that are really full. Every operation runs with room for 0, 1, 2 ... blocks or inodes,
until it succeeds; without --extended 0, 2, 4 ...
"""
import contextlib
import os
import shutil
import subprocess

import pytest

from operations import FAILURES, OPERATIONS, check_after, check_clean, check_done, copy_of, has, leftovers, run
from points import Workers, note, told

NO_SPACE = "No space left on device"
MOST = 400  # blocks or inodes; that much is enough for each operation


@pytest.fixture
def step(request):
    return 1 if request.config.getoption("--extended") else 2


class SmallDisk:
    """What is left of it can be set."""

    def __init__(self, directory):
        self.directory = directory
        self.filler = directory / "filler"

    def empty(self):
        shutil.rmtree(self.filler, ignore_errors=True)
        self.filler.mkdir()

    def leave_blocks(self, count):
        """In the file system's own blocks. What they take themselves is only known when all is written."""
        with (self.filler / "large").open("ab", buffering=0) as file:
            for _ in range(10):
                os.fsync(file.fileno())
                status = os.statvfs(self.directory)
                size = (status.f_bavail - count) * status.f_frsize
                if size <= 0:
                    break
                with contextlib.suppress(OSError):
                    while size > 0:
                        size -= file.write(bytes(min(size, 1 << 14)))

    def leave_inodes(self, count):
        for number in range(os.statvfs(self.directory).f_ffree - count):
            (self.filler / str(number)).touch()


@contextlib.contextmanager
def mounted(directory, *options):
    directory.mkdir()
    subprocess.run(["mount", *options, directory], check=True)
    try:
        yield SmallDisk(directory)
    finally:
        subprocess.run(["umount", directory], check=True)


@contextlib.contextmanager
def small_ext4(directory, *options):
    image = directory.with_suffix(".img")
    with image.open("wb") as file:
        file.truncate(2 << 20)
    # Without a journal what is removed is free at once; without a reserve root is like everybody.
    subprocess.run(["mkfs.ext4", "-q", "-b", "1024", "-m", "0", "-O", "^has_journal", *options, image],
                   check=True)
    with mounted(directory, "-o", "loop", image) as small:
        yield small


@contextlib.contextmanager
def small_disk(kind, directory):
    made = {"tmpfs-size": lambda: mounted(directory, "-t", "tmpfs", "-o", "size=1m", "none"),
            "tmpfs-inodes": lambda: mounted(directory, "-t", "tmpfs", "-o", "nr_inodes=300", "none"),
            "ext4-blocks": lambda: small_ext4(directory, "-N", "1000"),
            "ext4-inodes": lambda: small_ext4(directory, "-N", "300")}
    with made[kind]() as small:
        yield small


def try_with(small, kind, operation, base, room):
    """Returns whether there was enough room."""
    point = small.directory / "point"
    small.empty()
    copy_of(base, point)
    operation.warm_up(point)
    if kind in ("tmpfs-size", "ext4-blocks"):
        small.leave_blocks(room)
    else:
        small.leave_inodes(room)
    result = run(*operation.words(point))
    where = f"{operation.needs} with room for {room}"
    root = point / operation.root
    if result.returncode == 0:
        check_done(operation, point, where)
    else:
        assert result.returncode in FAILURES and (operation.reports or not result.stdout), f"{where}: {told(result)}"
        assert result.stderr.startswith("volt-qemu: ") and result.stderr.count("\n") == 1, told(result)
        text = result.stderr + result.stdout
        assert NO_SPACE in text and str(point) in text, f"{where}: {told(result)}"
    assert not leftovers(root), f"{where}: left behind: {leftovers(root)}"
    if not operation.may_be_unclean:
        check_clean(root)
    small.empty()
    check_after(operation, point, where)
    operation.finish(point)
    shutil.rmtree(point)
    return result.returncode == 0


@pytest.mark.parametrize("name", ["build", *[pytest.param(name, marks=pytest.mark.extended) for name in (
    "build-new", "build-mend", "replace")], "import", "resolve", "copy", "repair"])
@pytest.mark.parametrize("kind", ["tmpfs-inodes", "ext4-blocks", *[
    pytest.param(kind, marks=pytest.mark.extended) for kind in ("tmpfs-size", "ext4-inodes")]])
def test_a_full_disk(tmp_path, disk, kind, name, step):
    if os.getuid() != 0:
        pytest.skip("needs root to mount small file systems")
    operation = OPERATIONS[name]()
    if not has(operation.needs):
        pytest.skip(f"this volt-qemu has no command {operation.needs}")
    with Workers(operation, disk) as workers, small_disk(kind, tmp_path / "small") as small:
        # Three times, since less may be enough by chance: a directory had room for one more name.
        tried = []
        while tried[-3:] != [True] * 3:
            assert len(tried) < MOST, "there was no end"
            tried.append(try_with(small, kind, operation, workers.base, step * len(tried)))
    note(f"{kind} {name} {len(tried)} points, {tried.count(False)} of them failed")
    assert not tried[0], "it was not full"
