# SPDX-License-Identifier: MIT
"""examples/profiles/build --check: which profiles are behind the archive, or behind their recipe."""
import hashlib
import json
import subprocess

import pytest
from recipes import RECIPES, bash

RECIPE = hashlib.sha256("".join(
    f"{line}\n" for line in bash("read_recipe kvm-linux; recipe_text kvm-linux")).encode()).hexdigest()


def installed(package):
    return subprocess.run(["dpkg-query", "--show", "--showformat", "${Version}", package], capture_output=True,
                          text=True, check=True).stdout


def check(work, *words):
    return subprocess.run([RECIPES / "build", "--check", "--work", work, *words], capture_output=True, text=True,
                          check=False)


@pytest.fixture
def write(tmp_path):
    """Writes what a profile was made of; returns the directory for --work."""
    def make(recipe=RECIPE, source="9:9", **packages):
        path = tmp_path / "made/kvm-linux/share/build.json"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps({
            "profile": "kvm-linux", "recipe": recipe, "source": {"version": source},
            "packages": [{"name": name, "version": version, "files": [f"lib/{name}.so"]}
                         for name, version in packages.items()]}))
        return tmp_path
    return make


def test_what_is_as_new_as_the_archive_is_told(write):
    run = check(write(libc6="9:9", zlib1g=installed("zlib1g")))
    assert (run.returncode, run.stdout) == (0, "kvm-linux: as the archive and its recipe are\n"), run


def test_each_package_that_is_older_is_told_with_its_files(write):
    run = check(write(libc6="2.0", zlib1g="9:9"))
    assert run.returncode == 3 and "zlib1g" not in run.stdout
    first, second = run.stdout.splitlines()
    assert first == "kvm-linux: behind"
    assert second.startswith("   libc6 is 2.0, and the archive has ") and second.endswith(": lib/libc6.so")


def test_source_and_recipe_that_are_older_are_told(write):
    run = check(write(recipe="0" * 64, source="1:1.0"))
    assert run.returncode == 3
    assert "its recipe is another one now" in run.stdout and "QEMU is 1:1.0, and the archive has 1:" in run.stdout


def test_where_nothing_was_made_nothing_is_told(tmp_path):
    run = check(tmp_path, "--profile", "kvm-linux")
    assert run.returncode == 1 and run.stderr == (
        f"profiles/build: there is no profile that was made by this script in {tmp_path}: kvm-linux\n")
