# SPDX-License-Identifier: MIT
"""examples/profiles/build --check: which profiles are behind the archive, or behind their recipe."""
import hashlib
import json
import os
import subprocess
import sys
import time

import pytest
from archive import Apt
from recipes import RECIPES, bash

RECIPE = hashlib.sha256("".join(
    f"{line}\n" for line in bash("read_recipe kvm-linux; recipe_text kvm-linux")).encode()).hexdigest()
PINNED = next(line.split()[1] for line in (RECIPES / "sources").read_text().splitlines() if line.startswith("qemu "))
QEMU = {"qemu-system-data": ("2:8+b1", "qemu (2:8)")}


@pytest.fixture
def apt(tmp_path):
    return Apt(tmp_path)


@pytest.fixture
def check(tmp_path, apt):
    def run(*words):
        return subprocess.run([RECIPES / "build", "--check", "--work", tmp_path, *words], capture_output=True,
                              text=True, check=False, env=apt.environment)
    return run


@pytest.fixture
def write(tmp_path):
    """Writes what a profile was made of; returns the file."""
    def make(recipe=RECIPE, source="2:8", components=(), **packages):
        path = tmp_path / "made/kvm-linux/share/build.json"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps({
            "profile": "kvm-linux", "recipe": recipe, "source": {"version": source},
            "components": [{"package": name, "version": version, "files": []} for name, version in components],
            "packages": [{"name": name, "version": version, "files": [f"lib/{name}.so"]}
                         for name, version in packages.items()]}))
        return path
    return make


def behind(*words, **options):
    return subprocess.run([RECIPES / "behind", *words], capture_output=True, text=True, check=False, **options)


def test_what_is_as_new_as_the_archive_is_told(write, check, apt):
    apt.update({**QEMU, "libc6": "2.1", "zlib1g": "1.3"})
    write(libc6="2.1", zlib1g="1.4")
    run = check()
    assert (run.returncode, run.stdout, run.stderr) == (0, "kvm-linux: as the archive and its recipe are\n", ""), run


def test_each_package_that_is_older_is_told_with_its_files(write, check, apt):
    apt.update({**QEMU, "libc6": "2.1", "zlib1g": "1.3"})
    write(libc6="2.0", zlib1g="1.3")
    run = check()
    assert run.returncode == 3 and run.stdout.splitlines() == [
        "kvm-linux: behind", "   libc6 is 2.0, and the archive has 2.1: lib/libc6.so"]


def test_source_and_recipe_that_are_older_are_told(write, check, apt):
    apt.update(QEMU)
    write(recipe="0" * 64, source="1:1.0")
    run = check()
    assert run.returncode == 3 and run.stdout.splitlines() == [
        "kvm-linux: behind", "   its recipe is another one now", "   QEMU is 1:1.0, and the archive has 2:8",
        f"   QEMU is 1:1.0, and the recipes are for {PINNED}"]


def test_a_source_that_is_older_than_the_recipes_want_is_told(write, check, apt):
    """The archive has none that is newer."""
    apt.update({"qemu-system-data": ("1:1.0", "qemu")})
    write(source="1:1.0")
    run = check()
    assert run.returncode == 3
    assert run.stdout == f"kvm-linux: behind\n   QEMU is 1:1.0, and the recipes are for {PINNED}\n"


def test_what_was_compiled_of_another_source_is_compared_too(write, check, apt):
    apt.update({**QEMU, "libslirp0": ("99-1+b2", "libslirp (99-1)")})
    write(components=[("libslirp", "98-1")])
    run = check()
    assert run.returncode == 3
    assert run.stdout == "kvm-linux: behind\n   libslirp is 98-1, and the archive has 99-1\n"


@pytest.mark.parametrize("version, status, told", [
    ("1.0.5", 3, "behind"), ("8.0.5", 1, "cannot tell whether it is behind"),
    ("99.0.0", 0, "as the archive and its recipe are")])
def test_a_tree_of_source_is_compared_by_its_release(write, check, apt, version, status, told):
    """Without an epoch, it would be older than any package."""
    apt.update({"qemu-system-data": ("1:8.0+dfsg-1", "qemu")})
    write(source=version)
    run = check()
    assert run.returncode == status and run.stdout.startswith(f"kvm-linux: {told}\n")


# ---- what cannot be told ----


def test_without_lists_nothing_is_said_to_be_as_the_archive_is(write, check, apt):
    """apt offers what is installed, although it knows no archive."""
    apt.install({**QEMU, "libc6": "2.1"})
    write(libc6="2.1")
    run = check()
    assert run.returncode == 1 and run.stdout.splitlines() == [
        "kvm-linux: cannot tell whether it is behind",
        "   apt's lists do not have libc6, qemu (source); `apt-get update` reads the lists"]


def test_packages_that_the_archive_lacks_are_told(write, check, apt):
    apt.install({"libmine": "1"})
    apt.update({**QEMU, "libc6": "2.1"})
    write(libc6="2.1", libmine="1", libother="1", components=[("libslirp", "98-1"), ("edk2", "1")])
    run = check()
    assert run.returncode == 1 and run.stdout.splitlines() == [
        "kvm-linux: cannot tell whether it is behind",
        "   apt's lists do not have libmine, libother, libslirp (source), edk2 (source); "
        "`apt-get update` reads the lists"]


def test_what_is_behind_for_certain_counts_more(write, check, apt):
    apt.update({**QEMU, "libc6": "2.1"})
    write(libc6="2.0", libother="1")
    run = check()
    assert run.returncode == 3 and run.stdout.startswith("kvm-linux: behind\n")
    assert "libc6 is 2.0" in run.stdout and "do not have libother;" in run.stdout


def test_one_that_is_installed_and_newer_does_not_hide_the_archive(write, check, apt):
    apt.install({"libc6": "2.1"})
    apt.update({**QEMU, "libc6": "2.0"})
    write(libc6="2.1")
    assert check().returncode == 0


@pytest.mark.parametrize("days, told", [(3, False), (9, True)])
def test_lists_that_are_old_are_remarked(write, check, apt, days, told):
    """By the newest; it is no reason to fail."""
    apt.update(QEMU)
    for number, path in enumerate(apt.lists()):
        os.utime(path, times=(time.time() - (days + 30 * number) * 24 * 3600,) * 2)
    write()
    run = check()
    assert run.returncode == 0 and (f"{days} days old: `apt-get update`" in run.stderr) == told, run


def test_where_there_is_no_apt_that_is_said(write, tmp_path):
    path = write()
    run = subprocess.run([sys.executable, RECIPES / "behind", path, RECIPE], capture_output=True, text=True,
                         check=False, env={"PATH": str(tmp_path)})
    assert (run.returncode, run.stdout) == (1, "")
    assert run.stderr.startswith("profiles/behind: there is no apt-cache here") and run.stderr.count("\n") == 1


@pytest.mark.parametrize("content", [
    b"", b"\xff", b"[]", b"{}", b'{"profile": "x", "recipe": "0", "source": null, "packages": []}',
    b'{"profile": "x", "recipe": "0", "source": {"version": "1"}}',
    b'{"profile": "x", "recipe": "0", "source": {"version": 1}, "packages": []}',
    b'{"profile": "x", "recipe": "0", "source": {"version": "1"}, "packages": [{"name": "libc6"}]}', b"[" * 99999])
def test_a_damaged_document_is_told_by_its_name(write, apt, tmp_path, content):
    """And those behind it are looked at."""
    apt.update(QEMU)
    path, other = tmp_path / "damaged", write()
    path.write_bytes(content)
    run = behind(path, RECIPE, other, RECIPE, env=apt.environment)
    assert (run.returncode, run.stdout) == (1, "kvm-linux: as the archive and its recipe are\n")
    assert run.stderr.startswith(f"profiles/behind: {path} does not tell") and "Traceback" not in run.stderr


def test_a_document_of_before_there_were_components_is_read(write, apt):
    apt.update(QEMU)
    path = write()
    told = json.loads(path.read_text())
    del told["components"]
    path.write_text(json.dumps(told))
    assert behind(path, RECIPE, env=apt.environment).returncode == 0


@pytest.mark.parametrize("words", [[], ["build.json"]])
def test_how_it_is_called_is_told(words):
    run = behind(*words)
    assert (run.returncode, run.stdout) == (2, "") and run.stderr.startswith("Usage: ")


def test_where_nothing_was_made_nothing_is_told(check, tmp_path):
    run = check("--profile", "kvm-linux")
    assert run.returncode == 1 and run.stderr == (
        f"profiles/build: there is no profile that was made by this script in {tmp_path}: kvm-linux\n")
