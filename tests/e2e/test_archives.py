# SPDX-License-Identifier: MIT
"""Import and export: hostile and odd archives, other programs' tar, and the way there and back."""
import fcntl
import hashlib
import io
import json
import os
import stat
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import pytest
from store_cli import (CLI, FILES, MANIFEST_IN_ARCHIVE, PROFILE, PROGRAM, assert_resolves, bad, build,
                       good, good_json, is_executable, kept_files, leftovers, make_files, manifests, mounted, object_path,
                       resolve, run, sha256, tree_faults, verify)

CASES = Path(__file__).resolve().parents[1] / "cases/archives"
NAMES = sorted(path.parent.name for path in CASES.glob("*/make"))
ODD_NAMES = ["firmware/a b", "firmware/'single' \"double\"", "firmware/größe-日本-😀", "firmware/-rf", "-rf",
             "firmware/$HOME *?[x]{y}", "firmware/ ", ".hidden", "firmware/...",
             "firmware/" + "d" * 80 + "/" + "n" * 30,
             "firmware/" + "d" * 200 + "/" + "n" * 200,
             "firmware/" + "ü" * 127, "/".join("abcdefghijklmnop"), "/".join(["n" * 204] * 5)]


@pytest.fixture
def profile(tmp_path):
    return make_files(tmp_path / "profile")


@pytest.fixture
def root(tmp_path, profile):
    build(tmp_path / "store", profile)
    return tmp_path / "store"


def make_archive(case, path):
    environment = {**os.environ, "PYTHONPATH": str(CASES), "PYTHONDONTWRITEBYTECODE": "1"}
    with open(path, "wb") as output:
        subprocess.run([sys.executable, CASES / case / "make"], stdout=output, check=True, env=environment)
    return path


def options_of(case):
    path = CASES / case / "options"
    return path.read_text().splitlines() if path.exists() else ["--profile", PROFILE]


def assert_nothing_stays(root):
    for directory in ("cas/objects", "cas/refs", "cas/tmp", "cas/alt", "qemu/trees"):
        assert not list((root / directory).glob("*")), directory
    assert not leftovers(root)
    if root.exists():
        assert verify(root)["problems"] == []


def assert_extracts_to(archive, tree, directory):
    """A tree has the files that GNU tar extracts, behind links too, and the same of them are executable."""
    directory.mkdir()
    packer = ["--zstd"] if archive.read_bytes()[1:4] == b"\x2a\x4d\x18" else []  # it knows no skippable frame
    subprocess.run(["tar", *packer, "-xf", archive, "-C", directory, "--no-same-owner"], check=True,
                   stderr=subprocess.PIPE)
    extracted = {path.relative_to(directory): path for path in directory.rglob("*") if path.is_file()}
    extracted.pop(Path(MANIFEST_IN_ARCHIVE), None)
    assembled = {path.relative_to(tree): path for path in tree.rglob("*") if not path.is_dir()}
    assembled.pop(Path(".volt-tree"))
    assert extracted.keys() == assembled.keys()
    for name, path in assembled.items():
        status = path.lstat()
        assert stat.S_ISREG(status.st_mode) and status.st_mode & 0o7000 == 0
        assert path.read_bytes() == extracted[name].read_bytes(), name
        expected = name.parts[0] == "bin" or bool(extracted[name].stat().st_mode & 0o111)
        assert is_executable(path) == expected, name


# ---- the cases ----

@pytest.mark.parametrize("case", NAMES)
def test_case(tmp_path, case):
    archive = make_archive(case, tmp_path / "archive")
    root = tmp_path / "store"
    fields = dict(line.partition(": ")[::2] for line in (CASES / case / "expected").read_text().splitlines())
    if "accepted" in fields:
        imported = good_json(root, "import", *options_of(case), archive)
        resolved = assert_resolves(root)
        assert resolved["ref"] == imported["ref"] and imported["profile"] == PROFILE
        assert_extracts_to(archive, Path(resolved["tree"]), tmp_path / "extracted")
        assert verify(root)["problems"] == [] and not leftovers(root)
    else:
        result = run("--root", root, "--json", "import", *options_of(case), archive)
        error = json.loads(result.stderr)["error"]
        assert str(archive) in error["message"] and error["details"]["path"] == str(archive), error
        said = error["message"].replace(str(archive), "")  # its path has words of the case
        assert fields["refused"] in said and fields.get("entry", "") in said, said
        assert error["reason"] not in (error["code"], "malformed", "invalid"), error
        assert_nothing_stays(root)


def objects_of(root, archive):
    ref = good_json(root, "import", "--profile", PROFILE, archive)["ref"]
    return manifests(root)[ref]["objects"]


@pytest.mark.parametrize("packer", ["gzip", "xz", "zstd"])
@pytest.mark.parametrize("zeros", [1, 512, 200000])
def test_zeros_behind_packed_data(tmp_path, packer, zeros):
    """As the last block of a tape has them, however many: gzip takes them, xz by fours, zstd not at all."""
    plain = make_archive("plain", tmp_path / "plain")
    packed = subprocess.run([packer, "-c", plain], stdout=subprocess.PIPE, check=True).stdout
    (tmp_path / "padded").write_bytes(packed + bytes(zeros))
    assert objects_of(tmp_path / "s", tmp_path / "padded") == objects_of(tmp_path / "t", plain)
    (tmp_path / "garbage").write_bytes(packed + bytes(zeros) + b"x")
    bad("--root", tmp_path / "u", "import", "--profile", PROFILE, tmp_path / "garbage",
        mentions=["data after the end"])
    assert_nothing_stays(tmp_path / "u")


def test_the_cases_are_reproducible(tmp_path):
    for case in NAMES[::15]:
        assert sha256(make_archive(case, tmp_path / "one")) == sha256(make_archive(case, tmp_path / "two"))


@pytest.mark.parametrize("case", ["truncated-in-data", "truncated-xz", "names-duplicate", "garbage"])
def test_a_refused_archive_changes_nothing_in_a_full_store(tmp_path, root, case):
    before = kept_files(root)
    bad("--root", root, "import", "--profile", PROFILE, make_archive(case, tmp_path / "archive"))
    assert kept_files(root) == before
    assert not leftovers(root) and verify(root)["problems"] == []
    assert_resolves(root)


def test_a_refused_pipe_is_called_standard_input(tmp_path):
    data = make_archive("name-dotdot", tmp_path / "archive").read_bytes()
    result = run("--root", tmp_path / "s", "import", "--profile", PROFILE, "-", text=False, input=data)
    assert result.returncode == 5 and not result.stdout
    assert b"standard input" in result.stderr and b"../outside" in result.stderr
    assert_nothing_stays(tmp_path / "s")


def test_an_archive_that_cannot_be_opened_is_named(tmp_path):
    bad("--root", tmp_path / "s", "import", "--profile", PROFILE, tmp_path / "missing.tar",
        mentions=[tmp_path / "missing.tar", "No such file"])
    bad("--root", tmp_path / "s", "import", "--profile", PROFILE, tmp_path,
        mentions=[tmp_path, "for directories there is volt-qemu ingest"])
    assert_nothing_stays(tmp_path / "s")


def test_a_usage_error_makes_no_store(tmp_path):
    for status, words in ((2, ["import"]), (5, ["import", "--profile", "nothing", "x"]),
                          (2, ["import", "--max-size", "x", "y"]), (2, ["export"])):
        result = run("--root", tmp_path / "s", *words)
        assert result.returncode == status and result.stderr.startswith("volt-qemu: "), result
    assert not (tmp_path / "s").exists()


# ---- export ----

def export(root, what, path):
    good("--root", root, "export", what, "--output", path)
    return path


def test_export_twice_gives_the_same_bytes(tmp_path, root):
    (ref,) = manifests(root)
    one = export(root, ref, tmp_path / "one.tar")
    os.utime(root / "cas/objects")
    two = export(root, PROFILE, tmp_path / "two.tar")
    to_stdout = run("--root", root, "export", ref, text=False)
    assert one.read_bytes() == two.read_bytes() == to_stdout.stdout and to_stdout.returncode == 0


def test_export_does_not_depend_on_the_store(tmp_path, root):
    """Not on owners, times, modes of objects, the umask, the order in directories, or the time of day."""
    (ref,) = manifests(root)
    copy = tmp_path / "copy"
    subprocess.run(["cp", "-r", "--no-preserve=all", root, copy], check=True, umask=0o022)
    for path in (copy / "cas/objects").iterdir():
        os.chown(path, 65534, 65534)
    one = export(root, ref, tmp_path / "one.tar")
    two = run("--root", copy, "export", ref, text=False, umask=0o77, env={**os.environ, "TZ": "Asia/Tokyo"})
    assert one.read_bytes() == two.stdout


@pytest.mark.parametrize("program", ["tar", "bsdtar"])
def test_other_programs_extract_an_export(tmp_path, root, program):
    (ref,) = manifests(root)
    archive = export(root, ref, tmp_path / "export.tar")
    directory = tmp_path / "extracted"
    directory.mkdir()
    result = subprocess.run([program, "-xf", archive, "-C", directory], capture_output=True, text=True,
                            check=False)
    assert result.returncode == 0 and not result.stderr, result
    assert json.loads((directory / MANIFEST_IN_ARCHIVE).read_text()) == manifests(root)[ref]
    (directory / MANIFEST_IN_ARCHIVE).unlink()
    assert not tree_faults(directory, manifests(root)[ref])


def test_python_reads_an_export(tmp_path, root):
    (ref,) = manifests(root)
    with tarfile.open(export(root, ref, tmp_path / "export.tar"), "r:") as archive:
        members = archive.getmembers()
        assert members[0].name == MANIFEST_IN_ARCHIVE
        files = [member for member in members[1:] if not member.isdir()]
        assert all(member.isfile() and member.uid == member.gid == 0 for member in files)
        assert {m.name: hashlib.sha256(archive.extractfile(m).read()).hexdigest()
                for m in files} == manifests(root)[ref]["objects"]
        assert [m.name for m in files] == sorted(FILES, key=os.fsencode)


def test_an_exported_manifest_is_the_ref(tmp_path, root):
    (ref,) = manifests(root)
    with tarfile.open(export(root, ref, tmp_path / "export.tar"), "r:") as archive:
        text = archive.extractfile(MANIFEST_IN_ARCHIVE).read()
    assert text == (root / f"cas/refs/{ref}.json").read_bytes()


def test_export_names_what_is_damaged(tmp_path, root):
    (ref,) = manifests(root)
    path = root / "cas/objects" / manifests(root)[ref]["objects"]["firmware/bios.bin"]
    path.chmod(0o644)
    path.write_bytes(b"Firmware" * 20000)
    output = tmp_path / "export.tar"
    bad("--root", root, "export", ref, "--output", output, mentions=[path, "firmware/bios.bin", "damaged"])
    assert not output.exists() and not list(tmp_path.glob(".*"))


def test_export_of_what_is_not_there(tmp_path, root):
    bad("--root", root, "export", "emulate-x86-00000000", "--output", tmp_path / "x",
        mentions=["emulate-x86-00000000"])
    bad("--root", root, "export", "kvm-linux", "--output", tmp_path / "x", mentions=["kvm-linux"])
    assert not (tmp_path / "x").exists()


def test_export_to_a_place_that_cannot_be_written(tmp_path, root):
    (ref,) = manifests(root)
    bad("--root", root, "export", ref, "--output", tmp_path / "none/x.tar", mentions=[tmp_path / "none"])
    with open("/dev/full", "wb") as full:
        result = run("--root", root, "export", ref, stdout=full)
    assert result.returncode == 1 and "No space left" in result.stderr, result


def test_a_full_disk(tmp_path, profile):
    """For an import and for an export: a message, and nothing half-made."""
    if os.getuid() != 0:
        pytest.skip("needs root to mount a small file system")
    (profile / "firmware/large.bin").write_bytes(os.urandom(3 << 20))
    build(tmp_path / "store", profile)
    archive = export(tmp_path / "store", PROFILE, tmp_path / "export.tar")
    with mounted(tmp_path / "small", "-t", "tmpfs", "-o", "size=2m", "none") as small:
        bad("--root", small / "store", "import", "--any-profile", archive,
            mentions=["No space left", small, "firmware/large.bin"])
        assert_nothing_stays(small / "store")
        bad("--root", tmp_path / "store", "export", PROFILE, "--output", small / "x.tar",
            mentions=["No space left", small / "x.tar"])
        assert os.listdir(small) == ["store"]
        subprocess.run(["mount", "-o", "remount,size=20m", small], check=True)
        good("--root", small / "store", "import", "--any-profile", archive)
        assert_resolves(small / "store", "--verify")


def test_an_export_replaces_a_file_whole(tmp_path, root):
    """What was there stays until the new one is complete; a device is written to, not replaced."""
    (ref,) = manifests(root)
    whole = export(root, ref, tmp_path / "one.tar").read_bytes()
    (tmp_path / "old.tar").write_bytes(b"older")
    object_path(root, "lib/libone.so.1").unlink()
    bad("--root", root, "export", ref, "--output", tmp_path / "old.tar", mentions=["lib/libone.so.1"])
    assert (tmp_path / "old.tar").read_bytes() == b"older"
    good("--root", root, "import", "--any-profile", tmp_path / "one.tar")
    assert export(root, ref, tmp_path / "old.tar").read_bytes() == whole
    good("--root", root, "export", ref, "--output", "/dev/null")
    assert not Path("/dev/null").is_file()


def test_what_a_dead_export_left_is_cleared_away(tmp_path, root):
    """Only that of the same archive, and not that of an export that is under way."""
    ref = build(root, tmp_path / "profile")["ref"]
    output, left = tmp_path / "a.tar", tmp_path / ".a.tar.0123456789abcdef.tmp"
    others = [tmp_path / name for name in (".a.tar.fedcba9876543210.tmp", ".b.tar.0123456789abcdef.tmp",
                                           ".a.tar.0123456789ABCDEF.tmp", ".a.tar.0123456789abcdef0.tmp")]
    for path in (left, *others):
        path.write_text("half")
    with others[0].open() as alive:
        fcntl.flock(alive, fcntl.LOCK_EX)
        export(root, ref, output)
    assert set(tmp_path.glob(".*.tmp")) == set(others)


# ---- there and back ----

@pytest.mark.parametrize("packer", [["cat"], ["gzip"], ["xz", "-0"], ["zstd"]], ids=lambda words: words[0])
def test_import_of_an_export_gives_the_same_ref(tmp_path, root, packer):
    (ref,) = manifests(root)
    archive = tmp_path / "export.tar"
    packed = subprocess.run(packer, input=export(root, ref, archive).read_bytes(), stdout=subprocess.PIPE,
                            check=True).stdout
    archive.write_bytes(packed)
    other = tmp_path / "other"
    imported = good_json(other, "import", "--any-profile", archive)
    assert imported["ref"] == ref and imported["profile"] == PROFILE
    assert (other / f"cas/refs/{ref}.json").read_bytes() == (root / f"cas/refs/{ref}.json").read_bytes()
    assert {path.name for path in (other / "cas/objects").iterdir()} == set(
        manifests(root)[ref]["objects"].values())
    assert assert_resolves(other)["digest"] == resolve(root)["digest"]
    again = export(other, ref, tmp_path / "again.tar")
    assert again.read_bytes() == export(root, ref, tmp_path / "first.tar").read_bytes()


def test_a_manifest_of_the_reference_system_there_and_back(tmp_path, root):
    """No modes, no profile, unknown keys, other layout: the text stays what it is, to the byte."""
    fields = {"name": PROFILE, "created_at": "2025-01-01T00:00:00+01:00", "x-vendor": {"a": [1, 2.5, None]},
              "objects": manifests(root).popitem()[1]["objects"]}
    text = json.dumps(fields, indent=7)
    ref = f"{PROFILE}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"
    (root / f"cas/refs/{ref}.json").write_text(text)
    archive = export(root, ref, tmp_path / "export.tar")
    other = tmp_path / "other"
    assert good_json(other, "import", "--any-profile", archive)["ref"] == ref
    assert (other / f"cas/refs/{ref}.json").read_text() == text
    for store in (root, other):
        tree = Path(resolve(store, "--ref", ref)["tree"])
        assert is_executable(tree / PROGRAM) and not is_executable(tree / "firmware/bios.bin")
    assert export(other, ref, tmp_path / "again.tar").read_bytes() == archive.read_bytes()


def test_import_of_what_is_there_already(tmp_path, root):
    (ref,) = manifests(root)
    archive = export(root, ref, tmp_path / "export.tar")
    imported = good_json(root, "import", "--any-profile", archive)
    assert imported["unchanged"] is True and imported["ref"] == ref
    assert list(manifests(root)) == [ref]


def test_import_of_an_export_under_another_profile_is_refused(tmp_path, root):
    (ref,) = manifests(root)
    archive = export(root, ref, tmp_path / "export.tar")
    bad("--root", tmp_path / "other", "import", "--profile", "kvm-linux", archive,
        mentions=["kvm-linux", PROFILE])
    assert_nothing_stays(tmp_path / "other")


def test_import_mends_what_is_damaged(tmp_path, root):
    """The archive has the content of an object that is damaged in the store: a good one takes its place."""
    (ref,) = manifests(root)
    archive = export(root, ref, tmp_path / "export.tar")
    path = root / "cas/objects" / manifests(root)[ref]["objects"]["lib/libone.so.1"]
    path.chmod(0o644)
    path.write_bytes(b"damaged")
    good("--root", root, "import", "--any-profile", archive)
    assert sha256(path) == path.name
    assert_resolves(root)


def test_import_from_a_pipe(tmp_path, root):
    (ref,) = manifests(root)
    data = run("--root", root, "export", ref, text=False).stdout
    other = tmp_path / "other"
    result = run("--root", other, "--json", "import", "--any-profile", "-", text=False, input=data)
    assert result.returncode == 0 and json.loads(result.stdout)["ref"] == ref, result
    assert_resolves(other)


def test_import_from_a_slow_pipe(tmp_path):
    """Bytes come as they come: one by one at first, then in odd pieces."""
    data = make_archive("packed-zstd", tmp_path / "archive").read_bytes()
    reader, writer = os.pipe()
    with subprocess.Popen([CLI, "--root", tmp_path / "s", "import", "--profile", PROFILE, "-"],
                          stdin=reader, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        os.close(reader)
        with open(writer, "wb", buffering=0) as pipe:
            for i in range(300):
                pipe.write(data[i:i + 1])
            for i in range(300, len(data), 777):
                pipe.write(data[i:i + 777])
        _, errors = process.communicate()
    assert process.returncode == 0, errors
    assert_resolves(tmp_path / "s")


def test_export_into_import(tmp_path, root):
    """The line that copies a profile to another host."""
    (ref,) = manifests(root)
    with subprocess.Popen([CLI, "--root", root, "export", ref], stdout=subprocess.PIPE) as exporting:
        result = run("--root", tmp_path / "other", "--json", "import", "--any-profile", "-", stdin=exporting.stdout)
    assert result.returncode == 0 and exporting.returncode == 0, result
    assert json.loads(result.stdout)["ref"] == ref


def test_names_of_all_kinds_there_and_back(tmp_path):
    profile = make_files(tmp_path / "profile",
                         {PROGRAM: FILES[PROGRAM], **{name: name.encode() for name in ODD_NAMES}})
    root = tmp_path / "store"
    ref = build(root, profile)["ref"]
    archive = export(root, ref, tmp_path / "export.tar")
    assert good_json(tmp_path / "other", "import", "--any-profile", archive)["ref"] == ref
    tree = Path(assert_resolves(tmp_path / "other")["tree"])
    assert all((tree / name).read_bytes() == name.encode() for name in ODD_NAMES)
    for program in ("tar", "bsdtar"):
        directory = tmp_path / program
        directory.mkdir()
        subprocess.run([program, "-xf", archive, "-C", directory], check=True,
                       env={**os.environ, "LC_ALL": "C.UTF-8"})
        (directory / MANIFEST_IN_ARCHIVE).unlink()
        assert not tree_faults(directory, manifests(root)[ref])
    with tarfile.open(archive) as opened:
        assert set(ODD_NAMES) <= set(opened.getnames())


NFD, NFC = "firmware/cafe\u0301.bin", "firmware/caf\u00e9.bin"
COMPOSED_ELSEWHERE = [NFD, NFC, "firmware/\u212a", "firmware/\u212b", "firmware/\u2126", "firmware/\u0958",
                      "firmware/\u1112\u1161\u11ab", "e\u0301/" + "\u1112\u1161\u11ab" * 10 + "/" + "n\u0303" * 60]


def test_unicode_is_not_composed_there_and_back(tmp_path):
    profile = make_files(tmp_path / "profile",
                         {PROGRAM: FILES[PROGRAM], **{name: name.encode() for name in COMPOSED_ELSEWHERE}})
    ref = build(tmp_path / "store", profile)["ref"]
    archive = export(tmp_path / "store", ref, tmp_path / "export.tar")
    for locale in ("C", "C.UTF-8"):
        other = tmp_path / locale
        assert good_json(other, "import", "--any-profile", archive, env={**os.environ, "LC_ALL": locale})["ref"] == ref
        assert set(COMPOSED_ELSEWHERE) <= set(manifests(other)[ref]["objects"])


def test_all_formats_of_unicode_names_give_the_same(tmp_path):
    profile = make_files(tmp_path / "profile",
                         {PROGRAM: FILES[PROGRAM], **{name: name.encode() for name in COMPOSED_ELSEWHERE}})
    (profile / "firmware/link").symlink_to(NFD.removeprefix("firmware/"))
    found = []
    for number, writer in enumerate((["tar", "--format=pax"], ["tar", "--format=gnu"],
                                     ["bsdtar", "--format=gnutar"], [])):
        archive = tmp_path / f"{number}.tar"
        if writer:
            subprocess.run([*writer, "-cf", archive, "-C", profile, "."], check=True,
                           env={**os.environ, "LC_ALL": "C.UTF-8"})
        else:
            with tarfile.open(archive, "w", format=tarfile.PAX_FORMAT) as opened:
                opened.add(profile, ".")
        found.append(objects_of(tmp_path / f"s{number}", archive))
    assert found == [found[0]] * len(found)
    assert found[0]["firmware/link"] == found[0][NFD] != found[0][NFC]


@pytest.mark.parametrize("writer", [
    ["tar", "--format=v7"], ["tar", "--format=oldgnu"], ["tar", "--format=gnu", "--sparse"],
    ["tar", "--format=ustar"], ["tar", "--format=posix"], ["tar", "--format=posix", "--sparse"],
    ["bsdtar", "--format=ustar"], ["bsdtar", "--format=pax"], ["bsdtar", "--format=gnutar"],
    ["bsdtar", "--format=v7"], ["python", tarfile.USTAR_FORMAT], ["python", tarfile.GNU_FORMAT],
    ["python", tarfile.PAX_FORMAT]], ids=lambda words: "-".join(str(word) for word in words))
def test_import_of_other_programs_archives(tmp_path, profile, writer):
    """The same files from an archive and from the directory are the same objects."""
    (profile / "lib/libone.so").symlink_to("libone.so.1")
    os.link(profile / "lib/libone.so.1", profile / "lib/libone.so.0")
    with open(profile / "firmware/sparse.bin", "wb") as sparse:
        sparse.seek(300000)
        sparse.write(b"in the middle")
        sparse.truncate(2 << 20)
    archive = tmp_path / "archive.tar"
    if writer[0] == "python":
        with tarfile.open(archive, "w", format=writer[1]) as opened:
            opened.add(profile, ".")
    else:
        subprocess.run([*writer, "-cf", archive, "-C", profile, "."], check=True)
    imported = good_json(tmp_path / "imported", "import", "--profile", PROFILE, archive)
    built = build(tmp_path / "built", profile)
    one = manifests(tmp_path / "imported")[imported["ref"]]
    two = manifests(tmp_path / "built")[built["ref"]]
    for key in ("objects", "modes", "total_bytes", "name", "profile"):
        assert one[key] == two[key], key
    assert imported["objects"] == built["objects"] and imported["total_bytes"] == built["total_bytes"]
    assert_resolves(tmp_path / "imported")


def has_address_sanitizer():
    """Whether the program maps memory in amounts of its own. clang links what does that in, gcc has a library."""
    return b"__asan_init" in Path(CLI).read_bytes()


def test_import_streams(tmp_path):
    """Memory does not grow with the size of a file: 300 MB through a process of 80 MB."""
    import resource
    header = tarfile.TarInfo(PROGRAM)
    header.size, header.mode = 300 << 20, 0o755

    def limit():
        resource.setrlimit(resource.RLIMIT_DATA, (80 << 20, 80 << 20))

    if has_address_sanitizer():
        pytest.skip("AddressSanitizer's shadow is larger than the limit")
    reader, writer = os.pipe()
    with subprocess.Popen([CLI, "--root", tmp_path / "s", "import", "--profile", PROFILE, "-"], stdin=reader,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=limit) as process:
        os.close(reader)
        with open(writer, "wb") as pipe:
            pipe.write(header.tobuf())
            for _ in range(300):
                pipe.write(bytes(1 << 20))
            pipe.write(bytes(10240))
        _, errors = process.communicate()
    assert process.returncode == 0, errors


@pytest.mark.parametrize("packer, limit", [
    (["xz", "--lzma2=preset=0,dict=128MiB"], "64 MiB"),
    pytest.param(["xz", "--lzma2=preset=0,dict=64MiB"], None, marks=pytest.mark.extended),
    pytest.param(["zstd", "-1", "--long=28"], "128 MiB", marks=pytest.mark.extended),
    (["zstd", "-1", "--long=27"], None)])
def test_what_unpacking_takes_is_bounded(tmp_path, packer, limit):
    """A small archive does not make a large process: zeros, and the largest window that is read."""
    header = tarfile.TarInfo(PROGRAM)
    header.size, header.mode = 160 << 20, 0o755
    with open(tmp_path / "packed", "wb") as output:
        subprocess.run([*packer, "-c"], input=header.tobuf() + bytes(header.size + 1024), stdout=output, check=True)
    # Not by its maximum resident size: that begins with what the process had that started it.
    bound = [] if has_address_sanitizer() else ["prlimit", f"--data={256 << 20}"]
    imported = subprocess.run([*bound, CLI, "--root", tmp_path / "s", "import", "--profile", PROFILE, tmp_path / "packed"],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert (imported.returncode == 0) == (limit is None), imported.stderr
    assert limit is None or "of more than " + limit in imported.stderr


def test_a_killed_import_leaves_nothing_after_the_next(tmp_path, profile):
    """Killed while it waits for the rest of a pipe; the next import clears up."""
    (profile / "firmware/large.bin").write_bytes(os.urandom(8 << 20))
    build(tmp_path / "store", profile)
    data = run("--root", tmp_path / "store", "export", PROFILE, text=False).stdout
    other = tmp_path / "other"
    with subprocess.Popen([CLI, "--root", other, "import", "--any-profile", "-"], stdin=subprocess.PIPE) as process:
        process.stdin.write(data[:len(data) // 2])
        process.stdin.flush()
        end = time.monotonic() + 20
        while not [path for path in (other / "cas/tmp").rglob("*") if path.is_file()]:
            assert time.monotonic() < end, "nothing is staged"
            time.sleep(0.01)
        assert not manifests(other)
        process.kill()
    good("--root", other, "import", "--any-profile", "-", input=data, text=False)
    assert not leftovers(other) and verify(other)["problems"] == []
    assert_resolves(other)


def test_a_pipe_that_has_a_name(tmp_path, root):
    (ref,) = manifests(root)
    script = '"$1" --root "$2" import --any-profile <("$1" --root "$3" export "$4")'
    subprocess.run(["bash", "-c", script, "-", CLI, tmp_path / "other", root, ref], check=True, timeout=60,
                   stdout=subprocess.DEVNULL)
    assert list(manifests(tmp_path / "other")) == [ref]


def test_a_pipe_that_nobody_writes_to_is_given_up(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    bad("--root", tmp_path / "s", "--timeout", "1", "import", "--profile", PROFILE, tmp_path / "fifo",
        mentions=["the time given"], status=7, timeout=60)


def test_a_pipe_that_nobody_reads_is_given_up(tmp_path, root):
    """The library alone gave up in time; the opening did not."""
    os.mkfifo(tmp_path / "fifo")
    bad("--root", root, "--timeout", "1", "export", PROFILE, "--output", tmp_path / "fifo",
        mentions=["the time given", "a reader of the pipe"], status=7, timeout=60)
    with subprocess.Popen([CLI, "--root", root, "export", PROFILE, "--output", tmp_path / "fifo"]) as export:
        time.sleep(0.5)
        content = (tmp_path / "fifo").read_bytes()
    assert export.returncode == 0 and content == good("--root", root, "export", PROFILE, text=False)


def test_import_of_a_tar_made_in_memory_without_directories(tmp_path):
    """Directory entries are not needed."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, content in FILES.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    (tmp_path / "a.tar").write_bytes(packed.getvalue())
    good("--root", tmp_path / "s", "import", "--profile", PROFILE, tmp_path / "a.tar")
    assert_resolves(tmp_path / "s")
