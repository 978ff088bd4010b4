# SPDX-License-Identifier: MIT
"""Profiles for hosts of another architecture: where packages of it are unpacked, and how profiles tell of them."""
import json
import os
import subprocess

import pytest
from recipes import RECIPES

pytestmark = pytest.mark.skipif(os.uname().machine == "aarch64", reason="aarch64 is not another architecture here")
CONTROL = """\
Package: {name}
Source: {source}
Version: 1.2-3
Architecture: {arch}
Multi-Arch: {multi}
Maintainer: Nobody <nobody@example.org>
Description: a package
 that is {name}.
"""


@pytest.fixture
def archives(tmp_path):
    """Two packages: a library, with a link that begins at the root, and one that is for all architectures."""
    directory = tmp_path / "archives"
    directory.mkdir()
    for name, source, arch, multi in ("libone1", "one", "arm64", "same"), ("two-data", "two", "all", "foreign"):
        tree = tmp_path / name
        (tree / "DEBIAN").mkdir(parents=True)
        (tree / "DEBIAN/control").write_text(CONTROL.format(name=name, source=source, arch=arch, multi=multi))
        library = tree / "usr/lib/aarch64-linux-gnu" / f"{name}.so.1"
        library.parent.mkdir(parents=True)
        library.write_text(name)
        (library.parent / f"{name}.so").symlink_to(f"/usr/lib/aarch64-linux-gnu/{name}.so.1")
        (tree / "usr/share/doc" / name).mkdir(parents=True)
        (tree / "usr/share/doc" / name / "copyright").write_text(f"of {name}, see /usr/share/common-licenses/GPL-3\n")
        subprocess.run(["dpkg-deb", "--root-owner-group", "--build", tree, directory], check=True,
                       stdout=subprocess.DEVNULL)
    return directory


@pytest.fixture
def sysroot(tmp_path, archives):
    directory = tmp_path / "sysroot"
    directory.mkdir()
    script = f'source {RECIPES}/foreign.sh; foreign=arm64; sysroot=$2; unpack_packages "$1" "$2"'
    subprocess.run(["bash", "-euo", "pipefail", "-c", script, "bash", archives, directory], check=True)
    return directory


def test_links_stay_within(sysroot):
    for name in ("libone1", "two-data"):
        link = sysroot / "usr/lib/aarch64-linux-gnu" / f"{name}.so"
        assert link.resolve() == (sysroot / "usr/lib/aarch64-linux-gnu" / f"{name}.so.1").resolve()
        assert link.read_text() == name


def query(sysroot, *words):
    return subprocess.run(["dpkg-query", f"--admindir={sysroot}/var/lib/dpkg", *words], capture_output=True, text=True,
                          check=True).stdout


def test_it_is_told_which_package_has_a_file(sysroot):
    path = "/usr/lib/aarch64-linux-gnu"
    assert query(sysroot, "--search", f"{path}/libone1.so.1") == f"libone1:arm64: {path}/libone1.so.1\n"
    assert query(sysroot, "--search", f"{path}/two-data.so.1") == f"two-data: {path}/two-data.so.1\n"
    assert query(sysroot, "--show", "libone1:arm64") == "libone1:arm64\t1.2-3\n"


def test_a_profile_tells_of_packages_of_both_architectures(sysroot, tmp_path):
    """Each by the versions of where the file is from."""
    made, source = tmp_path / "made", tmp_path / "source"
    (made / "share").mkdir(parents=True)
    (made / "lib").mkdir()
    (made / "lib/libone1.so.1").write_text("libone1")
    source.mkdir()
    (source / "LICENSE").write_text("a licence")
    facts = ["profile mine", "recipe " + "0" * 64, "arch aarch64", f"source {source}", "version 7", "release 7-1",
             "created 2026-01-01T00:00:00Z", "compiler gcc", f"file {'0' * 64} a", f"sysroot {sysroot}",
             f"origin lib/libone1.so.1 {sysroot}/usr/lib/aarch64-linux-gnu/libone1.so.1",
             "origin firmware/dpkg /usr/bin/dpkg", "tool libone1:arm64", "tool dpkg"]
    subprocess.run([RECIPES / "describe", made], input="\n".join(facts) + "\n", text=True, check=True)
    told = json.loads((made / "share/build.json").read_text())
    installed = subprocess.run(["dpkg-query", "--show", "--showformat", "${Version}", "dpkg"], capture_output=True,
                               text=True, check=True).stdout
    assert [(package["name"], package["version"], package["arch"], package["source"], package["files"])
            for package in told["packages"]] == [
        ("dpkg", installed, told["packages"][0]["arch"], "dpkg", ["firmware/dpkg"]),
        ("libone1", "1.2-3", "arm64", "one", ["lib/libone1.so.1"])]
    assert told["toolchain"] == {"dpkg": installed, "libone1": "1.2-3"}
    licenses = {path.name: path.read_text() for path in (made / "share/licenses").iterdir()}
    assert licenses["libone1.txt"].startswith("of libone1") and {"GPL-3", "dpkg.txt", "qemu.txt"} <= set(licenses)
    bill = json.loads((made / "share/sbom.spdx.json").read_text())
    assert "pkg:deb/debian/libone1@1.2-3?arch=arm64" in json.dumps(bill)
