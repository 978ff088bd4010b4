# SPDX-License-Identifier: MIT
"""Files of other users in a store of root's: their owner could change what is run, so they are not used."""
import os
import shutil
from pathlib import Path

import pytest
from store_cli import PROFILE, PROGRAM, assert_resolves, bad, build, good, make_files, manifests, resolve, verify

if os.getuid() != 0:
    pytest.skip("needs root to make files of others", allow_module_level=True)

STRANGER = 12345
NOBODY = {"user": 65534, "group": 65534, "extra_groups": []}


@pytest.fixture
def profile(tmp_path):
    return make_files(tmp_path / "profile")


@pytest.fixture
def root(tmp_path, profile):
    build(tmp_path / "store", profile)
    resolve(tmp_path / "store")
    return tmp_path / "store"


def give(path, user=STRANGER):
    os.chown(path, user, -1, follow_symlinks=False)


def program(root):
    """The object of the profile's program."""
    inode = Path(resolve(root)["tree"], PROGRAM).stat().st_ino
    (found,) = [path for path in (root / "cas/objects").iterdir() if path.stat().st_ino == inode]
    return found


def refused(root, path, *words, owner=STRANGER, **identity):
    bad("--root", root, *words, mentions=[path, f"user {owner}", "chown", "--allow-others"], **identity)


# ---- objects ----

@pytest.mark.parametrize("words", [(), ("--verify",)])
@pytest.mark.parametrize("state", ["resolved", "fresh", "forgotten"])
def test_an_object_of_another_user_is_not_put_into_a_tree(root, words, state):
    """Its owner could exchange the program in place, and set its time back."""
    found = program(root)
    if state != "resolved":
        shutil.rmtree(root / "qemu/trees")
    if state == "forgotten":
        shutil.rmtree(root / "cas/cache")
    give(found)
    refused(root, found, "resolve", "--profile", PROFILE, *words)
    good("--root", root, "--allow-others", "resolve", "--profile", PROFILE, *words)
    give(found, 0)
    assert_resolves(root, *words)


def test_a_store_of_several_users_is_as_it_was(root):
    """Who allows others takes what they have put there."""
    for path in root.rglob("*"):
        give(path)
    bad("--root", root, "resolve", "--profile", PROFILE, mentions=[f"user {STRANGER}", "--allow-others"])
    tree = resolve(root, "--allow-others")["tree"]
    before = Path(tree).stat().st_ino
    assert resolve(root, "--allow-others")["tree"] == tree and Path(tree).stat().st_ino == before


def test_a_user_trusts_root_and_himself(root, tmp_path):
    """An ordinary user looks at root's store; files of a third one are refused to him as well."""
    for directory in (tmp_path, *list(tmp_path.parents)[:3]):
        if directory != Path("/tmp"):
            directory.chmod(0o755)
    (ref,) = manifests(root)
    found = root / f"cas/refs/{ref}.json"
    words = ["resolve", "--profile", PROFILE]
    good("--root", root, *words, **NOBODY)
    give(found, 65534)
    good("--root", root, *words, **NOBODY)
    refused(root, found, *words, owner=65534)
    give(found)
    refused(root, found, *words, **NOBODY)


def test_checking_tells_and_repair_mends(root):
    found = program(root)
    give(found)
    problems = verify(root, status=1)["problems"]
    assert any(f"{found} belongs to user {STRANGER}" in problem["message"] for problem in problems), problems
    assert verify(root, "--allow-others")["problems"] == []
    good("--root", root, "verify", "--repair")
    assert found.stat().st_uid == 0 and verify(root)["problems"] == []
    assert_resolves(root, "--verify")


def test_repair_without_a_tree_keeps_the_content(root):
    found = program(root)
    shutil.rmtree(root / "qemu/trees")
    give(found)
    content = found.read_bytes()
    good("--root", root, "verify", "--repair")
    assert found.stat().st_uid == 0 and found.read_bytes() == content
    assert_resolves(root, "--verify")


@pytest.mark.parametrize("way", ["build", "import", "copy"])
def test_what_comes_again_replaces_what_is_of_another_user(root, tmp_path, profile, way):
    """Otherwise a stranger's object would become part of the new revision."""
    (ref,) = manifests(root)
    good("--root", root, "export", ref, "--output", tmp_path / "export.tar")
    found = program(root)
    shutil.copytree(root, tmp_path / "good", symlinks=True)
    give(found)
    if way == "build":
        good("--root", root, "build", "--profile", PROFILE, profile)
    elif way == "import":
        good("--root", root, "import", "--any-profile", tmp_path / "export.tar")
    else:
        good("--root", tmp_path / "good", "copy", ref, "--to", root)
    assert found.stat().st_uid == 0
    assert_resolves(root)


# ---- trees ----

@pytest.mark.parametrize("part", [".", "bin", PROGRAM, ".volt-tree"])
def test_a_tree_of_another_user_is_made_anew(root, part):
    tree = Path(resolve(root)["tree"])
    if part == PROGRAM:  # no link to the object, of which it would be the owner's, too
        content = (tree / part).read_bytes()
        status = (tree / part).stat()
        (tree / part).unlink()
        (tree / part).write_bytes(content)
        os.chmod(tree / part, status.st_mode)
        os.utime(tree / part, (1, 1))
        os.utime((tree / part).parent, (1, 1))
    give(tree / part)
    assert_resolves(root)
    assert (tree / part).stat().st_uid == 0


def test_a_read_only_store_uses_no_tree_of_another_user(root):
    tree = Path(resolve(root)["tree"])
    give(tree / "bin")
    bad("--root", root, "--read-only", "resolve", "--profile", PROFILE, mentions=[tree, "another user"])
    good("--root", root, "--read-only", "--allow-others", "resolve", "--profile", PROFILE)


@pytest.mark.parametrize("part", [".", ".volt-tree"])
def test_trusting_a_tree_does_not_trust_its_owner(root, part):
    """No file is looked at then, but the stamp is read."""
    tree = Path(resolve(root)["tree"])
    give(tree / part)
    assert_resolves(root, "--trust")
    assert (tree / part).stat().st_uid == 0


# ---- what is written down ----

@pytest.mark.parametrize("words", [("resolve", "--profile", PROFILE), ("gc",), ("pin", None),
                                   ("export", PROFILE, "--output", "/dev/null")])
def test_a_manifest_of_another_user_is_refused(root, words):
    (ref,) = manifests(root)
    give(root / f"cas/refs/{ref}.json")
    refused(root, root / f"cas/refs/{ref}.json", *[word or ref for word in words])


@pytest.mark.parametrize("mode,who", [(0o664, "group"), (0o666, "all users")])
def test_a_manifest_that_others_may_write_to_is_refused(root, mode, who):
    (ref,) = manifests(root)
    path = root / f"cas/refs/{ref}.json"
    path.chmod(mode)
    bad("--root", root, "resolve", "--profile", PROFILE, mentions=[path, who, "--allow-others"])
    good("--root", root, "--allow-others", "resolve", "--profile", PROFILE)


def test_a_choice_of_another_user_is_refused(root, profile):
    """Who can write that file decides which revision is run."""
    (ref,) = manifests(root)
    (profile / "firmware/new.bin").write_bytes(b"new")
    build(root, profile)
    good("--root", root, "current", ref)
    path = root / f"cas/current/{PROFILE}"
    give(path)
    for words in (("resolve", "--profile", PROFILE), ("gc", "--keep", "1")):
        refused(root, path, *words)
    give(path, 0)
    assert resolve(root)["revision"] == ref


@pytest.mark.parametrize("record", ["verified-*", "newest-*"])
def test_what_another_user_remembers_is_found_out_again(root, record):
    """A record can say of a damaged object that it is good."""
    shutil.rmtree(root / "qemu/trees")
    found = next(path for path in (root / "cas/objects").iterdir() if path.stat().st_mode & 0o111)
    content = found.read_bytes()
    found.chmod(0o755)
    found.write_bytes(bytes(len(content)))
    found.chmod(0o555)
    os.utime(found, (1, 1))
    for path in (root / "cas/cache").glob(record):
        give(path)
    if record == "verified-*":
        bad("--root", root, "resolve", "--profile", PROFILE, mentions=["is damaged"])
    else:
        good("--root", root, "resolve", "--profile", PROFILE)


# ---- directories ----

@pytest.mark.parametrize("part", ["alt", "arrivals", "cache", "current", "pins", "tmp"])
def test_directories_of_others_beside_the_objects_are_refused(root, part):
    path = root / "cas" / part
    path.mkdir(exist_ok=True)
    path.chmod(0o777)
    bad("--root", root, "revisions", mentions=[path, "all users", "--allow-others"])
    path.chmod(0o755)
    give(path)
    bad("--root", root, "revisions", mentions=[path, f"user {STRANGER}", "--allow-others"])
    good("--root", root, "--allow-others", "revisions")


def test_a_directory_of_links_of_its_own(root, tmp_path):
    (tmp_path / "links").mkdir()
    give(tmp_path / "links")
    words = ["--objects", root / "cas/objects", "--refs", root / "cas/refs", "--trees", root / "qemu/trees",
             "--links", tmp_path / "links", "resolve", "--profile", PROFILE]
    bad(*words, mentions=[tmp_path / "links", f"user {STRANGER}"])
    give(tmp_path / "links", 0)
    good(*words)
    assert (tmp_path / "links" / PROFILE).is_symlink()
