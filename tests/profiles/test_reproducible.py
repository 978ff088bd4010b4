# SPDX-License-Identifier: MIT
"""Two who compile a profile have the same digest, wherever, whenever and as whom they do it."""
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from recipes import RECIPES

ORDINARY_USER = "nobody"


@pytest.fixture
def places():
    """Two directories, of which one has a longer name, and is of an ordinary user, if that can be had."""
    with tempfile.TemporaryDirectory(prefix="compiled-") as directory:
        os.chmod(directory, 0o755)
        one, other = Path(directory, "one"), Path(directory, "another-place", "with-a-longer-name")
        for place in (one, other):
            place.mkdir(parents=True)
        if os.geteuid() == 0:
            shutil.chown(other, ORDINARY_USER)
        yield one, other


def ordinary():
    """How to be somebody else, who must be able to read the recipes."""
    can = os.geteuid() == 0 and subprocess.run(
        ["test", "-x", RECIPES / "build"], user=ORDINARY_USER, extra_groups=[], check=False).returncode == 0
    return {"user": ORDINARY_USER, "extra_groups": []} if can else {}


def digest_of(work, source, environment, **options):
    run = subprocess.run([RECIPES / "build", "--profile", "kvm-linux", "--work", work, "--source", source],
                         env={**os.environ, **environment}, capture_output=True, text=True, check=False, **options)
    assert run.returncode == 0, run.stdout + run.stderr
    return re.search(r"digest ([0-9a-f]{64})", run.stdout).group(1)


@pytest.mark.extended
def test_two_builds_in_two_places_are_the_same(places):
    """Neither takes from a cache what the other compiled."""
    one, other = places
    first = digest_of(one, "pinned", {"CC": "gcc"}, umask=0o022)
    for path in [one, *one.glob("download/**/*"), one / "download"]:
        path.chmod(0o755)  # to be read by the other
    second = digest_of(other, one / "download", {
        "CC": "gcc", "TZ": "Asia/Kathmandu", "LANG": "de_DE.UTF-8", "LC_ALL": "de_DE.UTF-8", "CFLAGS": "-O0",
        "LDFLAGS": "-Wl,-O1", "SOURCE_DATE_EPOCH": "1", "HOME": "/nonexistent"}, umask=0o077, **ordinary())
    assert first == second


@pytest.mark.skipif(not shutil.which("ccache"), reason="no ccache here")
def test_a_cache_does_not_change_the_names_of_files(tmp_path):
    """One with a base_dir makes paths relative that the compiler is to map, and so other ones are in the programs."""
    (tmp_path / "include").mkdir()
    (tmp_path / "b").mkdir()
    (tmp_path / "include/name.h").write_text("static const char *const name = __FILE__;\n")
    (tmp_path / "a.c").write_text('#include "name.h"\nconst char *get(void) { return name; }\n')
    script = (f'source {RECIPES}/compile.sh; cd "$1/b" && clean ccache gcc "-I$1/include" "-ffile-prefix-map=$1/=" '
              '-c ../a.c -o a.o')
    environment = {**os.environ, "CCACHE_BASEDIR": str(tmp_path), "CCACHE_DIR": str(tmp_path / "cache")}
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache/ccache.conf").write_text(f"base_dir = {tmp_path}\n")
    subprocess.run(["bash", "-euc", script, "bash", tmp_path], env=environment, check=True)
    assert re.findall(rb"[ -~]*name\.h", (tmp_path / "b/a.o").read_bytes()) == [b"include/name.h"]
