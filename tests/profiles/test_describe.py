# SPDX-License-Identifier: MIT
"""examples/profiles/describe: what a profile says of itself, made from facts of a profile that is none."""
import hashlib
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from recipes import RECIPES

ZLIB = next(Path("/lib").glob("*-linux-gnu*/libz.so.1"))
PATCHES = [("no-trial.patch", "5" * 64), ("alone.patch", "6" * 64)]
BILL = "share/sbom.spdx.json"
CONTROL = """\
Package: {name}
Status: install ok installed
Source: {source}
Version: 1.2-3
Architecture: {arch}
Multi-Arch: {multi}
Maintainer: Nobody <nobody@example.org>
Description: a package

"""


class Made:
    """A profile directory, and the facts about it."""

    def __init__(self, directory):
        self.directory, self.source = directory / "made", directory / "source"
        self.source.mkdir()
        (self.source / "LICENSE").write_text("a licence")
        (self.source / "roms/opensbi").mkdir(parents=True)
        (self.source / "roms/opensbi/COPYING.BSD").write_text("another licence")
        self.facts = [
            "profile mine", "recipe " + "0" * 64, "arch x86_64", f"source {self.source}", "version 7", "release 1:7-1",
            "created 2026-01-01T00:00:00Z", "compiler gcc", f"file {'1' * 64} qemu.dsc",
            *(f"patch {digest} {name}" for name, digest in PATCHES)]
        self.add("bin/qemu-system-x86_64", b"a program")
        self.add("firmware/opensbi.bin", b"firmware", "compiled firmware/opensbi.bin roms/opensbi")
        self.add("lib/libz.so.1", ZLIB.read_bytes(), f"origin lib/libz.so.1 {ZLIB}")

    def add(self, name, content, *facts):
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        self.facts += facts

    def describe(self):
        (self.directory / "share").mkdir(exist_ok=True)
        return subprocess.run([RECIPES / "describe", self.directory], input="\n".join(self.facts) + "\n", text=True,
                              capture_output=True, check=False)

    def told(self, name="share/build.json"):
        run = self.describe()
        assert run.returncode == 0, run.stderr
        return json.loads((self.directory / name).read_text())

    def bill(self):
        return self.told(BILL)


@pytest.fixture
def made(tmp_path):
    return Made(tmp_path)


def related(bill, kind):
    """{(one, other)} of relationships, by the names of files and packages."""
    names = {thing["SPDXID"]: thing.get("fileName") or thing["name"] for thing in bill["packages"] + bill["files"]}
    names["SPDXRef-DOCUMENT"] = "document"
    return {(names[relation["spdxElementId"]], names[relation["relatedSpdxElement"]])
            for relation in bill["relationships"] if relation["relationshipType"] == kind}


def by_name(bill):
    return {package["name"]: package for package in bill["packages"]}


# ---- the bill of materials: rules of SPDX 2.3 ----


def test_only_a_package_that_was_analyzed_contains_files(made):
    """Clause 7.8: others contain none, have no verification code, and no licences from files."""
    bill = made.bill()
    assert related(bill, "CONTAINS") == {("profile-mine", file["fileName"]) for file in bill["files"]}
    for package in bill["packages"]:
        analyzed = package["name"] == "profile-mine"
        assert package["filesAnalyzed"] == analyzed
        assert ("packageVerificationCode" in package, "licenseInfoFromFiles" in package) == (analyzed, analyzed)


def test_its_verification_code_is_of_all_files_but_the_document(made):
    """Clause 7.9. They are looked at when it is there already, too."""
    made.bill()
    shutil.rmtree(made.directory / "share/licenses")
    code = by_name(made.bill())["profile-mine"]["packageVerificationCode"]
    digests = sorted(hashlib.sha1(path.read_bytes()).hexdigest() for path in made.directory.rglob("*")
                     if path.is_file() and path.name != "sbom.spdx.json")
    assert code == {"packageVerificationCodeValue": hashlib.sha1("".join(digests).encode()).hexdigest(),
                    "packageVerificationCodeExcludedFiles": [f"./{BILL}"]}


def test_each_file_tells_which_licences_were_found_in_it(made):
    """Clauses 8.6 and 7.14: none was looked for. What is concluded all the same is explained (8.5)."""
    bill = made.bill()
    concluded = {file["fileName"]: file["licenseConcluded"] for file in bill["files"]}
    assert concluded["./lib/libz.so.1"] == "Zlib" and concluded["./firmware/opensbi.bin"] == "BSD-2-Clause"
    assert by_name(bill)["profile-mine"]["licenseInfoFromFiles"] == ["NOASSERTION"]
    for file in bill["files"]:
        assert file["licenseInfoInFiles"] == ["NOASSERTION"]
        assert ("licenseComments" in file) == (file["licenseConcluded"] != "NOASSERTION")


def test_each_file_tells_where_it_is_from(made):
    """Clause 7.8.2: by relationships of the file to a package whose files are not told."""
    bill = made.bill()
    assert related(bill, "GENERATED_FROM") == {(f"./{name}", "source-qemu")
                                               for name in ("bin/qemu-system-x86_64", "firmware/opensbi.bin")}
    assert related(bill, "EXPANDED_FROM_ARCHIVE") == {("./lib/libz.so.1", "zlib1g")}
    assert related(bill, "DYNAMIC_LINK") == {("profile-mine", "zlib1g")}
    assert related(bill, "DESCRIBES") == {("document", "profile-mine")}


def test_its_identifiers_are_unique_and_known(made):
    """Clauses 7.2, 8.2 and 11.1."""
    made.facts += ["component libslirp 4.7.0-1", f"component-file libslirp {'2' * 64} slirp.dsc", "linked libc6"]
    bill = made.bill()
    identifiers = [thing["SPDXID"] for thing in bill["packages"] + bill["files"]]
    assert len(identifiers) == len(set(identifiers))
    assert all(re.fullmatch(r"SPDXRef-[A-Za-z0-9.-]+", identifier) for identifier in identifiers)
    known = {*identifiers, "SPDXRef-DOCUMENT"}
    assert all({relation["spdxElementId"], relation["relatedSpdxElement"]} <= known
               for relation in bill["relationships"])


def test_patches_are_told_with_their_digests(made):
    bill = made.bill()
    assert related(bill, "PATCH_FOR") == {(f"patch-{name}", "source-qemu") for name, _ in PATCHES}
    for name, digest in PATCHES:
        patch = by_name(bill)[f"patch-{name}"]
        assert patch["packageFileName"] == name
        assert patch["checksums"] == [{"algorithm": "SHA256", "checksumValue": digest}]


# ---- what was compiled of other sources ----


def test_components_are_told_with_their_licence(made, tmp_path):
    copyright_file = tmp_path / "copyright"
    copyright_file.write_text("of slirp, see /usr/share/common-licenses/GPL-3\n")
    made.facts += ["component libslirp 4.7.0-1", f"component-file libslirp {'2' * 64} slirp.dsc",
                   f"component-file libslirp {'3' * 64} slirp.tar", f"component-copyright libslirp {copyright_file}"]
    assert made.told()["components"] == [{"package": "libslirp", "version": "4.7.0-1", "files": [
        {"name": "slirp.dsc", "sha256": "2" * 64}, {"name": "slirp.tar", "sha256": "3" * 64}]}]
    licenses = made.directory / "share/licenses"
    assert (licenses / "libslirp.txt").read_text() == copyright_file.read_text() and (licenses / "GPL-3").exists()
    bill = json.loads((made.directory / BILL).read_text())
    source = by_name(bill)["source-libslirp"]
    assert (source["versionInfo"], source["licenseDeclared"]) == ("4.7.0-1", "BSD-3-Clause AND MIT")
    assert source["sourceInfo"] == f"slirp.dsc sha256 {'2' * 64}; slirp.tar sha256 {'3' * 64}"
    assert related(bill, "STATIC_LINK") == {("profile-mine", "source-libslirp")}


def test_without_components_there_are_none(made):
    assert made.told()["components"] == []


def test_a_package_gave_nothing_of_what_was_compiled_instead(made):
    """Of glibc, here."""
    made.facts += ["linked libc6", "linked dpkg", "component glibc 2"]
    assert [package["name"] for package in made.told()["packages"] if not package["files"]] == ["dpkg"]


# ---- files that are not as their package has them ----


def install(root, path, sums, name="libone1", arch="arm64"):
    """A package with a file, in a root where / and /usr are one. sums: {name: MD5 sum}."""
    (root / "usr/lib").mkdir(parents=True, exist_ok=True)
    if not (root / "lib").exists():
        (root / "lib").symlink_to("usr/lib")
    info = root / "var/lib/dpkg/info"
    info.mkdir(parents=True, exist_ok=True)
    (info / "format").write_text("1\n")
    told = name if arch == "all" else f"{name}:{arch}"
    (info / f"{told}.list").write_text(f"/.\n{path}\n")
    if sums is not None:
        (info / f"{told}.md5sums").write_text("".join(f"{digest}  {file}\n" for file, digest in sums.items()))
    with open(root / "var/lib/dpkg/status", "a") as status:
        status.write(CONTROL.format(name=name, source="one", arch=arch, multi="no" if arch == "all" else "same"))


@pytest.fixture
def library(made, tmp_path):
    """A file of a package, which the profile has a copy of."""
    path = tmp_path / "root/usr/lib/libone.so.1.2"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"one")
    (path.parent / "libone.so.1").symlink_to("libone.so.1.2")
    made.add("lib/libone.so.1", b"one", f"sysroot {tmp_path}/root",
             f"origin lib/libone.so.1 {tmp_path}/root/lib/libone.so.1")
    return path


ONE, OTHER = (hashlib.md5(content).hexdigest() for content in (b"one", b"other"))


@pytest.mark.parametrize("name", ["lib/libone.so.1.2", "usr/lib/libone.so.1.2"])
@pytest.mark.parametrize("arch", ["arm64", "all"])
def test_a_file_that_was_changed_is_told(made, library, tmp_path, name, arch):
    install(tmp_path / "root", f"/{name}", {name: ONE}, arch=arch)
    assert made.describe().returncode == 0
    shutil.rmtree(made.directory / "share")
    library.write_bytes(b"other")
    run = made.describe()
    assert run.returncode == 1 and run.stderr == (
        f"describe: {tmp_path}/root/lib/libone.so.1, of which lib/libone.so.1 is a copy, is not as the package libone1 "
        "has it: reinstall it (apt-get install --reinstall libone1)\n")


@pytest.mark.parametrize("sums", [None, {}, {"usr/share/doc/one": OTHER}])
def test_where_there_is_no_sum_nothing_is_said(made, library, tmp_path, sums):
    install(tmp_path / "root", "/usr/lib/libone.so.1.2", sums)
    assert made.describe().returncode == 0


def test_a_file_is_of_the_package_that_has_its_content(made, library, tmp_path):
    """The link to it can be of another one, as those without a version are."""
    install(tmp_path / "root", "/usr/lib/libone.so.1", {}, name="libone-dev")
    install(tmp_path / "root", "/usr/lib/libone.so.1.2", {"usr/lib/libone.so.1.2": OTHER})
    run = made.describe()
    assert run.returncode == 1 and "as the package libone1 has it" in run.stderr


def test_the_same_facts_make_the_same_bytes(made, tmp_path):
    made.bill()
    first = {path.name: path.read_bytes() for path in (made.directory / "share").rglob("*") if path.is_file()}
    shutil.rmtree(made.directory / "share")
    shutil.move(made.directory, tmp_path / "elsewhere")
    made.directory = tmp_path / "elsewhere"
    made.bill()
    assert first == {path.name: path.read_bytes() for path in (made.directory / "share").rglob("*") if path.is_file()}
