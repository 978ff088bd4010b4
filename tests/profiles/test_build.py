# SPDX-License-Identifier: MIT
"""examples/profiles/build: what it says of mistakes, before it does anything."""
import fcntl
import os
import subprocess

import pytest
from recipes import NAMES, RECIPES


def test_a_recipe_that_is_not_there_is_told_with_those_that_are():
    run = subprocess.run([RECIPES / "build", "--profile", "kvm-linus"], capture_output=True, text=True, check=False)
    assert run.returncode == 1 and run.stderr == (
        f"profiles/build: there is no profile kvm-linus: the recipes are {' '.join(NAMES)}\n")


@pytest.mark.parametrize("words, message", [
    (["--what"], "unknown option --what; see --help"),
    (["kvm-linux"], "unknown option kvm-linux; see --help"),
    (["--profile"], "--profile needs a value; see --help"),
    (["--jobs", "many"], "--jobs takes a number, not many"),
])
def test_a_mistake_in_the_options_is_told(words, message):
    run = subprocess.run([RECIPES / "build", *words], capture_output=True, text=True, check=False)
    assert run.returncode == 1 and run.stderr == f"profiles/build: {message}\n"


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="other hosts are others elsewhere")
@pytest.mark.parametrize("words, message", [
    (["--host", "riscv64"], "--host riscv64: for hosts of other architectures than this one's, x86_64, profiles can be "
     "made if that is aarch64; build this one there"),
    (["--host", "aarch64", "--static"], "--static is for hosts of this machine's architecture, x86_64, and no others"),
    (["--host", "aarch64", "--profile", "kvm-uefi"],
     "there is no recipe of kvm-uefi for hosts of the architecture aarch64"),
])
def test_hosts_that_profiles_cannot_be_made_for_are_told(words, message):
    run = subprocess.run([RECIPES / "build", *words], capture_output=True, text=True, check=False)
    assert run.returncode == 1 and run.stderr == f"profiles/build: {message}\n"


def lint(source, work):
    run = subprocess.run([RECIPES / "build", "--lint", "--profile", "kvm-linux", "--source", source, "--work", work],
                         capture_output=True, text=True, check=False)
    assert run.returncode == 1, run
    return run.stderr


def test_source_that_is_other_than_what_is_pinned_is_refused(tmp_path):
    name = "qemu_7.2+dfsg-7+deb12u18.dsc"
    (tmp_path / name).write_text("other")
    assert f"{name} is other than what the file sources has pinned" in lint(tmp_path, tmp_path / "work")


def test_a_directory_without_source_is_told(tmp_path):
    assert lint(tmp_path, tmp_path / "work") == (
        f"profiles/build: {tmp_path} has neither a source package qemu, a .dsc, nor the source itself, a configure and "
        "a VERSION\n")
    assert lint(tmp_path / "x", tmp_path / "work") == f"profiles/build: {tmp_path}/x is no directory\n"


def test_a_path_that_qemus_build_does_not_bear_is_told(tmp_path):
    assert "its path has other letters than" in lint(tmp_path, tmp_path / "with a blank")


def test_two_builds_do_not_work_in_one_directory(tmp_path):
    with open(tmp_path / "lock", "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert lint(tmp_path, tmp_path) == f"profiles/build: another build is at work in {tmp_path}\n"
