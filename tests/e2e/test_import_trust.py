# SPDX-License-Identifier: MIT
"""What comes from elsewhere does not choose alone what it displaces, nor for how long."""
import hashlib
import io
import json
import os
import shutil
import subprocess
import tarfile
from datetime import datetime, timedelta, timezone

import pytest
from store_cli import (PROFILE, assert_resolves, bad, build, good, good_json, leftovers, make_files, manifests,
                       resolve, run, sha256)

END_OF_TIME = "9999-12-31T23:59:59.999999999Z"


def hours_from_now(hours):
    return (datetime.now(timezone.utc) + timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ")


def write_revision(root, created_at, **changes):
    """As another program may: a manifest of the files that the store has."""
    fields = {**next(iter(manifests(root).values())), "created_at": created_at, **changes}
    text = json.dumps(fields)
    (root / "written").write_text(text)
    name = f"{fields['profile']}-{sha256(root / 'written')[:8]}"
    (root / "written").rename(root / f"cas/refs/{name}.json")
    return name


@pytest.fixture
def root(tmp_path):
    build(tmp_path / "store", make_files(tmp_path / "profile"))
    return tmp_path / "store"


@pytest.fixture
def exported(tmp_path, root):
    (ref,) = manifests(root)
    good("--root", root, "export", ref, "--output", tmp_path / "export.tar")
    return ref, tmp_path / "export.tar"


# ---- time ----

@pytest.mark.parametrize("created_at", [END_OF_TIME, hours_from_now(25)])
def test_a_revision_from_the_future_is_neither_imported_nor_copied(tmp_path, root, created_at):
    name = write_revision(root, created_at)
    good("--root", root, "export", name, "--output", tmp_path / "future.tar")
    other = tmp_path / "other"
    bad("--root", other, "import", "--profile", PROFILE, tmp_path / "future.tar",
        mentions=[tmp_path / "future.tar", created_at[:19], "more than a day from now"])
    bad("--root", root, "copy", name, "--to", other, mentions=[name, created_at[:19], "more than a day from now"])
    assert not (other / "cas/refs").exists() or not manifests(other)
    assert not leftovers(other)


def test_clocks_may_differ_by_hours(tmp_path, root):
    name = write_revision(root, hours_from_now(23))
    good("--root", root, "export", name, "--output", tmp_path / "a.tar")
    good("--root", tmp_path / "imported", "import", "--profile", PROFILE, tmp_path / "a.tar")
    good("--root", root, "copy", name, "--to", tmp_path / "copied")
    assert list(manifests(tmp_path / "imported")) == list(manifests(tmp_path / "copied")) == [name]


def test_an_ingest_cannot_be_of_the_future(tmp_path, root):
    bad("--root", root, "ingest", "--profile", PROFILE, "--created-at", hours_from_now(25), tmp_path / "profile",
        mentions=["created_at", "more than a day from now"])


def test_an_ingest_is_newer_than_what_others_wrote_into_the_store(tmp_path, root):
    write_revision(root, "2999-01-01T00:00:00Z")
    (tmp_path / "profile/firmware/new").write_text("new")
    made = build(root, tmp_path / "profile")
    assert made["current"] == made["revision"] == resolve(root)["ref"]


def test_a_claim_of_the_end_of_time_does_not_last(tmp_path, root):
    write_revision(root, END_OF_TIME)
    for number in range(3):
        (tmp_path / "profile/firmware/new").write_text(f"{number}")
        made = build(root, tmp_path / "profile")
        assert made["current"] == made["revision"] == resolve(root)["ref"]
    kept = good_json(root, "gc", "--keep", "1")
    assert list(manifests(root)) == [made["revision"]], kept


def test_nothing_comes_after_the_end_of_all_times(tmp_path, root):
    """That is an error, and not a revision that nobody uses."""
    (name,) = manifests(root)
    (root / f"cas/arrivals/{name}~999999999999.999999999").touch()
    (tmp_path / "profile/firmware/new").write_text("new")
    bad("--root", root, "ingest", "--profile", PROFILE, tmp_path / "profile", mentions=[name, "remove it"])
    assert list(manifests(root)) == [name] and not leftovers(root)
    good("--root", root, "rm", name)
    assert not list((root / "cas/arrivals").iterdir())
    assert build(root, tmp_path / "profile")["revision"] == resolve(root)["ref"]


def older_archive(tmp_path, root):
    """Of a revision that says that it was created long ago."""
    (tmp_path / "old-profile").mkdir()
    shutil.copytree(tmp_path / "profile", tmp_path / "old-profile", dirs_exist_ok=True)
    (tmp_path / "old-profile/firmware/old").write_text("old")
    made = build(tmp_path / "makers", tmp_path / "old-profile", "--created-at", "2001-01-01T00:00:00Z")
    good("--root", tmp_path / "makers", "export", made["revision"], "--output", tmp_path / "old.tar")
    return made["revision"]


@pytest.mark.parametrize("command", ["import", "copy"])
def test_what_comes_last_is_used_and_what_it_displaces_is_told(tmp_path, root, command):
    (newer,) = manifests(root)
    created_at = manifests(root)[newer]["created_at"]
    older = older_archive(tmp_path, root)
    words = {"import": ["--root", root, "import", "--profile", PROFILE, tmp_path / "old.tar"],
             "copy": ["--root", tmp_path / "makers", "copy", older, "--to", root]}[command]
    assert f"this one, instead of {newer}, which was created at {created_at}" in good(*words)
    assert assert_resolves(root)["ref"] == older
    listed = good_json(root, "revisions")
    assert [revision["name"] for revision in listed] == [older, newer]
    assert listed[0]["arrived_at"] > listed[1]["arrived_at"] and listed[0]["created_at"] < listed[1]["created_at"]
    good("--root", root, "current", newer)
    assert assert_resolves(root)["ref"] == newer
    good("--root", root, "current", PROFILE)
    assert resolve(root)["ref"] == older
    good("--root", root, "gc", "--keep", "1")
    assert list(manifests(root)) == [older]
    assert [path.name.split("~")[0] for path in (root / "cas/arrivals").iterdir()] == [older]


@pytest.mark.parametrize("command", ["import", "copy"])
def test_what_is_there_already_does_not_come_again(tmp_path, root, exported, command):
    """Who imports all versions at each start of a machine changes nothing by that."""
    ref, archive = exported
    other = tmp_path / "other"
    good("--root", other, "import", "--profile", PROFILE, archive)
    (tmp_path / "profile/firmware/new").write_text("new")
    newer = build(other, tmp_path / "profile")["revision"]
    words = {"import": ["--root", other, "import", "--profile", PROFILE, archive],
             "copy": ["--root", root, "copy", ref, "--to", other]}[command]
    told = good(*words)
    assert f"not this one: {newer} is newer" in told
    made = json.loads(good(*words[:2], "--json", *words[2:]))
    assert made["current"] == newer != made["revision"] == ref and made["displaced"] is None
    assert assert_resolves(other)["ref"] == newer


def test_one_that_was_removed_comes_anew(tmp_path, root, exported):
    ref, archive = exported
    (tmp_path / "profile/firmware/new").write_text("new")
    other = build(root, tmp_path / "profile")["revision"]
    good("--root", root, "rm", ref)
    made = good_json(root, "import", "--profile", PROFILE, archive)
    assert made["current"] == ref and made["displaced"] == other and assert_resolves(root)["ref"] == ref


def test_a_broken_one_that_is_made_good_keeps_its_place(tmp_path, root, exported):
    ref, archive = exported
    (tmp_path / "profile/firmware/new").write_text("new")
    newer = build(root, tmp_path / "profile")["revision"]
    path = root / f"cas/refs/{ref}.json"
    path.write_text("{")
    good("--root", root, "import", "--profile", PROFILE, archive)
    assert assert_resolves(root)["ref"] == newer
    assert [revision["name"] for revision in good_json(root, "revisions")] == [newer, ref]


def test_a_clock_that_was_set_back(tmp_path, root):
    """Also where one that came while the clock was ahead is broken."""
    (ref,) = manifests(root)
    for path in (root / "cas/arrivals").iterdir():
        path.rename(path.with_name(f"{ref}~5000000000.999999999"))
    (root / f"cas/refs/{PROFILE}-00000000.json").write_text("{")
    (root / f"cas/arrivals/{PROFILE}-00000000~6000000000.999999999").touch()
    (tmp_path / "profile/firmware/new").write_text("new")
    made = build(root, tmp_path / "profile")["revision"]
    assert (root / f"cas/arrivals/{made}~6000000001.000000000").exists()
    (root / f"cas/refs/{PROFILE}-00000000.json").unlink()
    assert assert_resolves(root)["ref"] == made


def test_an_old_store_is_ordered_by_time_of_creation(tmp_path, root):
    """As before there were arrivals; what comes now is newer than all of it."""
    (ref,) = manifests(root)
    for path in (root / "cas/arrivals").iterdir():
        path.unlink()
    (root / "cas/arrivals").rmdir()
    newer = write_revision(root, hours_from_now(1))
    assert assert_resolves(root)["ref"] == newer
    assert [revision["arrived_at"] for revision in good_json(root, "revisions")] == [None, None]
    older = older_archive(tmp_path, root)
    good("--root", root, "import", "--profile", PROFILE, tmp_path / "old.tar")
    assert [revision["name"] for revision in good_json(root, "revisions")] == [older, newer, ref]
    assert assert_resolves(root)["ref"] == older
    good("--root", root, "gc", "--keep", "2")
    assert set(manifests(root)) == {older, newer}


def test_copied_files_keep_their_order(tmp_path, root):
    """With times of files that say nothing, and read-only."""
    older = older_archive(tmp_path, root)
    good("--root", root, "import", "--profile", PROFILE, tmp_path / "old.tar")
    subprocess.run(["cp", "-r", root, tmp_path / "copy"], check=True)
    assert resolve(tmp_path / "copy")["ref"] == older
    assert good_json(tmp_path / "copy", "--read-only", "revisions")[0]["name"] == older


# ---- which profile ----

def test_an_archive_does_not_choose_its_profile(tmp_path, exported):
    _, archive = exported
    result = run("--root", tmp_path / "other", "--json", "import", archive)
    assert result.returncode != 0
    assert json.loads(result.stderr)["error"]["reason"] == "no-profile"
    bad("--root", tmp_path / "other", "import", archive, mentions=[archive, PROFILE, "--profile", "--any-profile"])
    assert not manifests(tmp_path / "other") and not leftovers(tmp_path / "other")


@pytest.mark.parametrize("words", [["--profile", PROFILE], ["--any-profile"], ["--digest", "DIGEST"],
                                   ["--digest", "DIGEST", "--profile", PROFILE]])
def test_what_says_which_profile_it_is(tmp_path, root, exported, words):
    ref, archive = exported
    digest = sha256(root / f"cas/refs/{ref}.json")
    words = [digest if word == "DIGEST" else word for word in words]
    assert good_json(tmp_path / "other", "import", *words, archive)["digest"] == digest


def test_another_digest(tmp_path, exported):
    _, archive = exported
    wanted = "0123456789abcdef" * 4
    bad("--root", tmp_path / "other", "import", "--digest", wanted, archive, mentions=[archive, wanted, "not the one"])
    bad("--root", tmp_path / "other", "import", "--digest", "0123", archive, mentions=["digest", "0123"])
    assert not manifests(tmp_path / "other") and not leftovers(tmp_path / "other")


# ---- what is wrong with a directory ----

@pytest.mark.parametrize("reason, entry, spoil", [
    ("special-file", "lib/x", lambda path: os.mkfifo(path)),
    ("bad-path", "lib/a\\b", lambda path: path.write_text("x")),
    ("link-leads-out", "lib/x", lambda path: path.symlink_to("/etc/passwd")),
    ("link-broken", "lib/x", lambda path: path.symlink_to("missing")),
    ("link-broken", "lib/x", lambda path: path.symlink_to("../lib")),
    ("link-broken", "lib/x", lambda path: path.symlink_to("x"))])
def test_a_directory_that_cannot_be_stored_has_a_reason(tmp_path, reason, entry, spoil):
    profile = make_files(tmp_path / "profile")
    spoil(profile / entry)
    result = run("--root", tmp_path / "s", "--json", "ingest", "--profile", PROFILE, profile)
    error = json.loads(result.stderr)["error"]
    assert (error["reason"], error["details"]) == (reason, {"path": str(profile), "entry": entry})


@pytest.mark.parametrize("reason, names", [
    ("names-collide", ["lib/a", "lib/A"]), ("no-program-in-source", ["qemu/bin/qemu-system-arm"])])
def test_files_that_make_no_profile(tmp_path, reason, names):
    profile = make_files(tmp_path / "profile", {name: b"x" for name in names + (
        ["bin/qemu-system-arm"] if reason == "names-collide" else [])})
    result = run("--root", tmp_path / "s", "--json", "ingest", "--profile", PROFILE, profile)
    error = json.loads(result.stderr)["error"]
    assert (error["reason"], error["details"]) == (reason, {"path": str(profile)})
    assert reason != "no-program-in-source" or "bin/ must be at the top" in error["message"]


def test_a_manifest_that_tells_no_profile(tmp_path):
    """What it says there is not told as if it were something."""
    text = b"#!/bin/sh\n"
    manifest = {"name": "mine", "created_at": "2025-01-31T10:00:00Z",
                "objects": {"bin/qemu-system-x86_64": hashlib.sha256(text).hexdigest()}}
    with tarfile.open(tmp_path / "mine.tar", "w") as archive:
        for name, content in ((".volt-manifest.json", json.dumps(manifest).encode()), ("bin/qemu-system-x86_64", text)):
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(content), 0o755
            archive.addfile(member, io.BytesIO(content))
    for words in ([], ["--any-profile"]):
        assert "does not say of which profile it is" in bad("--root", tmp_path / "s", "import", *words, tmp_path / "mine.tar")
