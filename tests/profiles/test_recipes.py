# SPDX-License-Identifier: MIT
"""Recipes say what they mean: without QEMU's source, and without a compiler."""
import json
import re
import subprocess

import pytest
import recipes
from recipes import HOSTS, LIBRARYS_OWN, NAMES, RECIPES, all_recipes

SPDX = {"BSD-2-Clause", "BSD-2-Clause-Patent", "BSD-3-Clause", "GPL-2.0-only", "GPL-2.0-or-later", "LGPL-2.1-only",
        "LGPL-2.1-or-later", "LGPL-3.0-only", "LGPL-3.0-or-later", "MIT", "OpenSSL", "Zlib"}


@pytest.fixture(params=all_recipes(), ids="-".join)
def recipe(request):
    return recipes.recipe(*request.param)


def test_each_profile_of_the_library_has_one():
    assert set(LIBRARYS_OWN) <= set(NAMES) == {name for name, host in all_recipes() if host == "x86_64"}
    assert {name for name, host in all_recipes() if host == "aarch64"} == {
        "kvm-linux", "emulate-x86", "emulate-foreign"}


def test_what_is_not_the_librarys_says_what_it_is(recipe):
    said = [word for word in ("description", "accel", "guests") if recipe.all(word)]
    assert said == ([] if recipe.name in LIBRARYS_OWN else ["description", "accel", "guests"])
    assert recipe.all("accel") in ([], [recipe.accel])


def test_nothing_is_said_twice(recipe):
    for word in ("target", "option", "package", "firmware", "machine", "program"):
        said = recipe.all(word)
        assert len(said) == len(set(said)), word
    names = [option.split("=")[0] for option in recipe.all("option")]
    assert len(names) == len(set(names))
    placed = [(line.split() + [""])[2] or line.split()[1].rsplit("/", 1)[1] for line in recipe.all("firmware")]
    assert len(placed) == len(set(placed))


def test_targets_have_devices_and_machines(recipe):
    files = {path.stem for path in (RECIPES / recipe.name / "devices").glob("*.mak")}
    assert files == {target for host in HOSTS for target in recipes.recipe(recipe.name, host).targets}
    assert {line.split()[0] for line in recipe.all("machine")} == set(recipe.targets)
    assert set(recipe.programs().values()) == set(recipe.targets)


def test_devices_are_symbols_of_kconfig_each_once(recipe):
    for target in recipe.targets:
        symbols = recipe.symbols(target)
        assert symbols and all(re.fullmatch(r"CONFIG_[A-Z0-9_]+=y", symbol) for symbol in symbols)
        assert len(symbols) == len(set(symbols)), target


def test_each_device_is_explained():
    """A comment stands before a symbol, or before a group of them."""
    for path in RECIPES.glob("**/*.mak"):
        commented = False
        for line in path.read_text().splitlines():
            if line.startswith("#"):
                commented = True
            elif not line:
                commented = False
            elif line.startswith("CONFIG_"):
                assert commented, (path, line)


def test_device_lists_are_of_devices_and_belong_to_a_mak():
    for path in RECIPES.glob("**/*.list"):
        assert path.with_suffix(".mak").exists(), path
        lines = path.read_text().splitlines()
        assert all(re.match(r"[A-Za-z0-9_.-]+( {1,}\S|$)", line) for line in lines), path
        names = [line.split()[0] for line in lines]
        assert len(names) == len(set(names)), path
        assert "as above" not in lines[0], path


def test_every_part_is_used():
    used = set()
    for name, host in all_recipes():
        used |= set(recipes.included_files(RECIPES / name / "recipe"))
        for target in recipes.recipe(name, host).targets:
            used |= set(recipes.recipe(name, host).device_files(target))
    parts = {path for path in (RECIPES / "parts").iterdir() if path.suffix != ".list"}
    assert parts - used == set()


def test_firmware_is_in_the_packages_that_are_named(recipe):
    for line in recipe.all("firmware"):
        package, path = line.split()[:2]
        listed = subprocess.run(["dpkg-query", "--listfiles", package], capture_output=True, text=True, check=False)
        if listed.returncode == 0:
            assert path in listed.stdout.splitlines(), line


def test_descriptors_of_uefi_firmware_name_images_that_are_there(recipe):
    """By the last part of their paths, in firmware/, where the library looks for them."""
    names = {line.split()[1].rsplit("/", 1)[1] for line in recipe.all("firmware")}
    for line in recipe.all("firmware"):
        path = RECIPES / line.split()[1]
        if path.suffix != ".json" or not path.exists():
            continue
        mapping = json.loads(path.read_text())["mapping"]
        for image in (mapping["executable"], mapping["nvram-template"]):
            assert image["filename"].rsplit("/", 1)[1] in names, line


def test_sources_are_pinned():
    lines = [line.split(" ") for line in (RECIPES / "sources").read_text().splitlines() if not line.startswith("#")]
    for name in ("qemu", "libslirp"):
        files = [line for line in lines if line[0] == name]
        assert len({version for _, version, _, _ in files}) == 1 and len(files) == 3
        assert sum(file.endswith(".dsc") for _, _, _, file in files) == 1
    assert all(re.fullmatch("[0-9a-f]{64}", digest) for _, _, digest, _ in lines)


def test_licenses_are_spdx_expressions():
    for line in (RECIPES / "licenses").read_text().splitlines():
        if not line.startswith("#"):
            words = set(line.split()[1:]) - {"AND", "OR"}
            assert words and words <= SPDX, line


@pytest.mark.parametrize("text, words", [
    ("nonsense x86_64\n", "has a word that is not known: nonsense"),
    ("include missing\n", "there is no such file"),
    ("on x86_64 nonsense 1\n", "has a word that is not known: nonsense"),
])
def test_a_recipe_that_is_wrong_is_told(tmp_path, text, words):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/recipe").write_text(text)
    script = f'recipes={tmp_path}; host=x86_64; fail() {{ echo "$*"; exit 1; }}; source {RECIPES}/recipe.sh; read_recipe mine'
    run = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False)
    assert run.returncode == 1 and words in run.stdout, run


def test_what_is_said_of_other_hosts_is_passed_over(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/recipe").write_text(
        "accel tcg\nguests x86_64\non aarch64 nonsense\non x86_64 option --one\non aarch64 include missing\n"
        "option --last-line-without-end")
    script = f'recipes={tmp_path}; host=x86_64; source {RECIPES}/recipe.sh; read_recipe mine; echo "${{options[@]}}"'
    run = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout, run.stderr) == (0, "--one --last-line-without-end\n", "")
