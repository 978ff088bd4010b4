# SPDX-License-Identifier: MIT
"""OCI image layouts: what is written, what others make of it, and what is refused."""
import fcntl
import hashlib
import json
import os
import re
import shutil
import socket
import subprocess

import pytest
from store_cli import (CLI, FILES, PROFILE, assert_resolves, bad, build, good, good_json, kept_files, leftovers, make_files,
                       manifests, mounted, run, sha256, snapshot, verify)

PROFILE_TYPE = "application/vnd.volt-qemu.profile.v1"
OBJECT_TYPE = "application/vnd.volt-qemu.object.v1"
MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
needs_skopeo = pytest.mark.skipif(not shutil.which("skopeo"), reason="skopeo is not installed")


@pytest.fixture
def root(tmp_path):
    build(tmp_path / "store", make_files(tmp_path / "profile"))
    return tmp_path / "store"


@pytest.fixture
def layout(tmp_path, root):
    good("--root", root, "export", PROFILE, "--layout", tmp_path / "layout", "--tag", "latest")
    return tmp_path / "layout"


def blob(layout, digest):
    return layout / "blobs/sha256" / digest.removeprefix("sha256:")


def index_of(layout):
    return json.loads((layout / "index.json").read_text())


def oci_manifest(layout, tag="latest"):
    (entry,) = [entry for entry in index_of(layout)["manifests"]
                if entry["annotations"]["org.opencontainers.image.ref.name"] == tag]
    return json.loads(blob(layout, entry["digest"]).read_text())


def put_blob(layout, content):
    digest = hashlib.sha256(content).hexdigest()
    blob(layout, digest).write_bytes(content)
    return {"digest": f"sha256:{digest}", "size": len(content)}


def replace_manifest(layout, manifest):
    """The index names this one instead."""
    text = manifest if isinstance(manifest, bytes) else json.dumps(manifest).encode()
    index = index_of(layout)
    index["manifests"][0].update(put_blob(layout, text))
    (layout / "index.json").write_text(json.dumps(index))


def listen_at(path):
    """By its directory, for a path like this is too long for a socket."""
    directory = os.open(path.parent, os.O_RDONLY)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"/proc/self/fd/{directory}/{path.name}")
    os.close(directory)


def take(tmp_path, layout, *options, profile=PROFILE):
    return run("--root", tmp_path / "other", "import", "--profile", profile, "--layout", layout, *options)


# ---- what is written ----

def test_a_layout_is_what_the_specification_says(root, layout):
    assert json.loads((layout / "oci-layout").read_text()) == {"imageLayoutVersion": "1.0.0"}
    manifest = oci_manifest(layout)
    assert (manifest["schemaVersion"], manifest["mediaType"], manifest["artifactType"]) == (2, MANIFEST_TYPE, PROFILE_TYPE)
    (name, revision), = manifests(root).items()
    assert manifest["config"]["mediaType"] == PROFILE_TYPE + "+json"
    assert blob(layout, manifest["config"]["digest"]).read_bytes() == (root / f"cas/refs/{name}.json").read_bytes()
    layers = {layer["digest"].removeprefix("sha256:"): layer["size"] for layer in manifest["layers"]}
    objects = {digest: (root / "cas/objects" / digest).stat().st_size for digest in revision["objects"].values()}
    assert layers == {digest: size for digest, size in objects.items() if size > 0} and len(layers) < len(objects)
    assert {layer["mediaType"] for layer in manifest["layers"]} == {OBJECT_TYPE}
    assert manifest["annotations"]["org.opencontainers.image.title"] == name
    for path in (layout / "blobs/sha256").iterdir():
        assert sha256(path) == path.name and path.stat().st_mode & 0o777 == 0o644


def test_the_same_revision_makes_the_same_layout(tmp_path, root, layout):
    before = {path: path.stat().st_ino for path in layout.rglob("*") if path.is_file() and path.name != "index.json"}
    good("--root", root, "export", PROFILE, "--layout", layout, "--tag", "latest")
    assert {path: path.stat().st_ino for path in before} == before
    told = good_json(root, "export", PROFILE, "--layout", tmp_path / "again", "--tag", "latest")
    assert told["digest"] == index_of(layout)["manifests"][0]["digest"]
    assert (tmp_path / "again/index.json").read_bytes() == (layout / "index.json").read_bytes()


def test_what_others_put_there_stays_and_a_tag_moves(tmp_path, root, layout):
    index = index_of(layout)
    foreign = {"mediaType": MANIFEST_TYPE, "digest": "sha256:" + "0" * 64, "size": 7}
    index["manifests"].insert(0, foreign)
    index["annotations"] = {"a": "b"}
    (layout / "index.json").write_text(json.dumps(index))
    (tmp_path / "profile/lib/new.so").write_text("new")
    build(root, tmp_path / "profile")
    good("--root", root, "export", PROFILE, "--layout", layout, "--tag", "latest")
    after = index_of(layout)
    assert after["annotations"] == {"a": "b"} and after["manifests"][0] == foreign and len(after["manifests"]) == 2
    assert after["manifests"][1]["digest"] != index["manifests"][1]["digest"]


def test_a_damaged_blob_is_written_anew(root, layout):
    digest = oci_manifest(layout)["layers"][0]["digest"]
    path = blob(layout, digest)
    path.write_bytes(bytes(path.stat().st_size))
    good("--root", root, "export", PROFILE, "--layout", layout, "--tag", "latest")
    assert sha256(path) == path.name


def test_a_damaged_object_is_not_exported(tmp_path, root):
    victim = root / "cas/objects" / next(iter(manifests(root).values()))["objects"]["lib/libone.so.1"]
    victim.chmod(0o644)
    victim.write_bytes(bytes(victim.stat().st_size))
    refused = run("--root", root, "export", PROFILE, "--layout", tmp_path / "layout")
    assert refused.returncode == 6 and "lib/libone.so.1" in refused.stderr
    assert not (tmp_path / "layout/index.json").exists()
    assert not [path for path in (tmp_path / "layout/blobs/sha256").iterdir() if path.name.startswith(".")]


def test_what_a_killed_export_left_is_cleared_away(root, layout):
    left = [layout / ".volt-new-0123456789abcdef", layout / "blobs/sha256/.volt-new-0123456789abcdef"]
    for path in left:
        path.write_text("half")
    good("--root", root, "export", PROFILE, "--layout", layout, "--tag", "latest")
    assert not [path for path in left if path.exists()]


@pytest.mark.parametrize("tag", ["", "a b", "-a", "a" * 129, "a/b"])
def test_tags_that_cannot_be(tmp_path, root, tag):
    assert "a tag " in bad("--root", root, "export", PROFILE, "--layout", tmp_path / "layout", "--tag", tag)
    assert not (tmp_path / "layout").exists()


def test_a_directory_of_somebody_is_left_alone(tmp_path, root):
    (tmp_path / "files").mkdir()
    (tmp_path / "files/mine").write_text("mine")
    assert "is no OCI layout" in bad("--root", root, "export", PROFILE, "--layout", tmp_path / "files")
    assert os.listdir(tmp_path / "files") == ["mine"]


# ---- who else can write there ----

@pytest.mark.parametrize("name", ["blobs", "blobs/sha256"])
def test_nothing_is_written_where_a_link_leads(tmp_path, root, layout, name):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / ".volt-new-0123456789abcdef").write_text("somebody's")
    shutil.rmtree(layout / name)
    (layout / name).symlink_to(elsewhere)
    before = snapshot(elsewhere)
    bad("--root", root, "export", PROFILE, "--layout", layout, mentions=[layout / "blobs/sha256", "symbolic link"])
    assert snapshot(elsewhere) == before


@pytest.mark.parametrize("name", ["index.json", "oci-layout"])
@pytest.mark.parametrize("make", [lambda path: path.symlink_to("/etc/passwd"), os.mkfifo, listen_at])
def test_what_is_no_file_is_not_replaced(root, layout, name, make):
    (layout / name).unlink()
    make(layout / name)
    before = (layout / name).lstat()
    bad("--root", root, "export", PROFILE, "--layout", layout, mentions=[layout / name, "not a regular file"])
    assert (layout / name).lstat().st_ino == before.st_ino


@pytest.mark.parametrize("make", [lambda path: path.symlink_to("/etc/passwd"), os.mkfifo, listen_at])
def test_a_blob_that_is_no_file_is_written_anew(root, layout, make):
    path = blob(layout, oci_manifest(layout)["layers"][0]["digest"])
    path.unlink()
    make(path)
    good("--root", root, "export", PROFILE, "--layout", layout, "--tag", "latest")
    assert sha256(path) == path.name and not path.is_symlink()


def test_who_reads_waits_for_no_lock(tmp_path, layout):
    directory = os.open(layout, os.O_RDONLY)
    fcntl.flock(directory, fcntl.LOCK_EX)
    taken = take(tmp_path, layout, "--lock-timeout", "1")
    os.close(directory)
    assert taken.returncode == 0, taken


def test_a_tag_cannot_pass_for_a_digest(tmp_path, layout):
    index = index_of(layout)
    wanted = "sha256:" + "a" * 64
    index["manifests"][0]["annotations"]["org.opencontainers.image.ref.name"] = wanted
    (layout / "index.json").write_text(json.dumps(index))
    refused = take(tmp_path, layout, "--tag", wanted)
    assert refused.returncode == 3 and "has no manifest" in refused.stderr and "volt-qemu tags" not in refused.stderr, refused


def test_of_one_tag_for_several_the_digests_are_told(tmp_path, root, layout):
    (tmp_path / "profile/lib/new.so").write_text("new")
    build(root, tmp_path / "profile")
    good("--root", root, "export", PROFILE, "--layout", layout, "--tag", "next")
    index = index_of(layout)
    index["manifests"][1]["annotations"] = index["manifests"][0]["annotations"]
    (layout / "index.json").write_text(json.dumps(index))
    digests = [entry["digest"] for entry in index["manifests"]]
    refused = take(tmp_path, layout, "--tag", "latest")
    assert f"has several manifests with the tag latest: name one of {', '.join(digests)}" in refused.stderr, refused
    assert take(tmp_path, layout, "--tag", digests[0]).returncode == 0
    good("--root", root, "export", PROFILE, "--layout", layout, "--tag", "latest")
    assert [entry["digest"] for entry in index_of(layout)["manifests"]] == digests[1:]


def test_a_layout_that_is_mounted_read_only_is_read(tmp_path, root, layout):
    with mounted(tmp_path / "mnt", "--bind", layout) as where:
        subprocess.run(["mount", "-o", "remount,bind,ro", where], check=True)
        told = bad("--root", root, "export", PROFILE, "--layout", where, mentions=["Read-only file system"])
        assert "--read-only" not in told
        assert take(tmp_path, where).returncode == 0


def test_no_path_is_none(tmp_path, root):
    assert "the path of the OCI layout is empty" in bad("--root", root, "export", PROFILE, "--layout", "")
    assert "the path of the OCI layout is empty" in take(tmp_path, "").stderr


# ---- what comes back ----

def test_the_same_revision_comes_back(tmp_path, root, layout):
    assert take(tmp_path, layout).returncode == 0
    other = tmp_path / "other"
    assert manifests(other) == manifests(root) and verify(other)["problems"] == []
    assert_resolves(other)
    again = json.loads(good("--root", other, "--json", "import", "--any-profile", "--layout", layout))
    assert again["new_objects"] == 0


def test_by_tag_and_by_digest(tmp_path, root, layout):
    digest = index_of(layout)["manifests"][0]["digest"]
    (tmp_path / "profile/lib/new.so").write_text("new")
    build(root, tmp_path / "profile")
    good("--root", root, "export", PROFILE, "--layout", layout, "--tag", "next")
    assert "name one of latest, next" in take(tmp_path, layout).stderr
    assert "it has latest, next" in take(tmp_path, layout, "--tag", "other").stderr
    assert take(tmp_path, layout, "--tag", digest).returncode == 0
    assert len(manifests(tmp_path / "other")) == 1
    assert take(tmp_path, layout, "--tag", "next").returncode == 0
    assert len(manifests(tmp_path / "other")) == 2


@needs_skopeo
def test_skopeo_carries_it_there_and_back(tmp_path, root, layout):
    for source, target in ((f"oci:{layout}:latest", f"dir:{tmp_path}/dir"), (f"dir:{tmp_path}/dir", f"oci:{tmp_path}/back:v1")):
        subprocess.run(["skopeo", "copy", "--preserve-digests", source, target], check=True, capture_output=True)
    assert take(tmp_path, tmp_path / "back", "--tag", "v1").returncode == 0
    assert manifests(tmp_path / "other") == manifests(root)


# ---- what is refused ----

@needs_skopeo
@pytest.mark.parametrize("options", [[], ["--profile", PROFILE], ["--any-profile"]])
def test_a_packed_layout_is_told_as_that(tmp_path, layout, options):
    packed = tmp_path / "packed.tar"
    subprocess.run(["skopeo", "copy", "--quiet", f"oci:{layout}:latest", f"oci-archive:{packed}"], check=True)
    bad("--root", tmp_path / "other", "import", *options, packed,
        mentions=("packed.tar is a packed OCI layout", "unpack it", "import --layout"))
    (tmp_path / "unpacked").mkdir()
    subprocess.run(["tar", "-C", tmp_path / "unpacked", "-xf", packed], check=True)
    good("--root", tmp_path / "other", "import", "--layout", tmp_path / "unpacked", "--profile", PROFILE)
    verify(tmp_path / "other")


def of(change):
    """A manifest with something changed."""
    def damage(layout):
        manifest = oci_manifest(layout)
        change(manifest)
        replace_manifest(layout, manifest)
    return damage


def spoil(layout, how):
    how(blob(layout, oci_manifest(layout)["layers"][0]["digest"]))


def config_of(content):
    def damage(layout):
        manifest = oci_manifest(layout)
        manifest["config"].update(put_blob(layout, content))
        replace_manifest(layout, manifest)
    return damage


def image(manifest):
    manifest["config"]["mediaType"] = "application/vnd.oci.image.config.v1+json"


REFUSED = {
    "no-marker": (lambda layout: (layout / "oci-layout").unlink(), "is no OCI layout"),
    "other-version": (lambda layout: (layout / "oci-layout").write_text('{"imageLayoutVersion":"2.0.0"}'), "version"),
    "marker-is-a-fifo": (lambda layout: ((layout / "oci-layout").unlink(), os.mkfifo(layout / "oci-layout")),
                         "not a regular file"),
    "no-index": (lambda layout: (layout / "index.json").unlink(), "has no manifest"),
    "broken-index": (lambda layout: (layout / "index.json").write_text("{"), "index.json:1"),
    "index-without-manifests": (lambda layout: (layout / "index.json").write_text("{}"), "not an array"),
    "index-is-a-link": (lambda layout: ((layout / "index.json").unlink(),
                                        (layout / "index.json").symlink_to("/etc/passwd")), "not a regular file"),
    "no-manifest": (lambda layout: blob(layout, index_of(layout)["manifests"][0]["digest"]).unlink(), "is missing"),
    "manifest-is-no-json": (lambda layout: replace_manifest(layout, b"x"), ":1:1: "),
    "of-an-image": (of(image), "a container image"),
    "of-something-else": (of(lambda m: m.update(artifactType="application/x")), "an artifact of another kind"),
    "an-index": (of(lambda m: m.update(manifests=[])), "an index of several manifests"),
    "schema": (of(lambda m: m.update(schemaVersion=1)), "schemaVersion"),
    "unknown-layer": (of(lambda m: m["layers"][0].update(mediaType="application/vnd.volt-qemu.object.v9")), "a newer one"),
    "negative-size": (of(lambda m: m["layers"][0].update(size=-1)), "layers[0]: its size"),
    "fractional-size": (of(lambda m: m["layers"][0].update(size=1.5)), "layers[0]: its size"),
    "huge-size": (of(lambda m: m["layers"][0].update(size=2 ** 62)), "too large"),
    "no-digest": (of(lambda m: m["layers"][0].pop("digest")), "layers[0]: its digest"),
    "upper-case-digest": (of(lambda m: m["layers"][0].update(digest="sha256:" + "A" * 64)), "its digest"),
    "sha512": (of(lambda m: m["layers"][0].update(digest="sha512:" + "a" * 128)), "its digest"),
    "path-in-digest": (of(lambda m: m["layers"][0].update(digest="sha256:../../../etc/passwd")), "its digest"),
    "layer-twice": (of(lambda m: m["layers"].append(m["layers"][0])), "two layers have the same digest"),
    "layer-missing": (of(lambda m: m["layers"].pop()), "there is no layer of"),
    "layers-are-no-array": (of(lambda m: m.update(layers={})), "layers: it is not an array"),
    "other-config": (config_of(b"{}"), "is missing"),
    "config-is-no-manifest": (config_of(b'{"name": 1}'), "manifest"),
    "blob-missing": (lambda layout: spoil(layout, lambda path: path.unlink()), "is missing"),
    "blob-is-a-link": (lambda layout: spoil(layout, lambda path: (path.rename(str(path) + "x"),
                                                                  path.symlink_to(path.name + "x"))), "is a link"),
    "blob-is-a-directory": (lambda layout: spoil(layout, lambda path: (path.unlink(), path.mkdir())), "not a regular file"),
    "blob-is-a-fifo": (lambda layout: spoil(layout, lambda path: (path.unlink(), os.mkfifo(path))), "not a regular file"),
    "blob-is-a-socket": (lambda layout: spoil(layout, lambda path: (path.unlink(), listen_at(path))), "is a socket"),
    "blob-longer": (lambda layout: spoil(layout, lambda path: path.write_bytes(path.read_bytes() + b"x")), "another size"),
    "blob-altered": (lambda layout: spoil(layout, lambda path: path.write_bytes(bytes(path.stat().st_size))),
                     "another digest"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused_leaves_nothing(tmp_path, layout, case):
    damage, words = REFUSED[case]
    damage(layout)
    others = {path: b"#!/bin/sh\n# other\n" + content for path, content in FILES.items()}
    build(tmp_path / "other", make_files(tmp_path / "others", others))
    before = kept_files(tmp_path / "other")
    refused = take(tmp_path, layout)
    assert refused.returncode not in (0, 2) and words in refused.stderr, refused
    assert refused.stderr.count("\n") == 1 and str(layout) in refused.stderr
    assert kept_files(tmp_path / "other") == before and not leftovers(tmp_path / "other")


def test_of_another_profile(tmp_path, layout):
    assert "is of profile emulate-x86, not of kvm-linux" in take(tmp_path, layout, profile="kvm-linux").stderr
    assert "name the profile" in bad("--root", tmp_path / "other", "import", "--layout", layout)
    assert "not the one that is wanted" in run("--root", tmp_path / "other", "import", "--layout", layout, "--digest",
                                               "0" * 64).stderr
    assert not manifests(tmp_path / "other")


def find_same_digits(text):
    """Two manifests, of different times, whose digests begin with the same 8 digits."""
    seen = {}
    for number in range(10 ** 6):
        other = re.sub(r'("created_at": ?")[^"]*', rf"\g<1>2024-01-01T00:00:00.{number:09}Z", text).encode()
        former = seen.setdefault(hashlib.sha256(other).hexdigest()[:8], other)
        if former != other:
            return former, other
    raise AssertionError("a million digests without two alike")


def test_of_two_revisions_with_the_same_digits_the_first_stays(tmp_path, layout):
    former, other = find_same_digits(blob(layout, oci_manifest(layout)["config"]["digest"]).read_text())
    config_of(former)(layout)
    assert take(tmp_path, layout).returncode == 0
    before = kept_files(tmp_path / "other")
    config_of(other)(layout)
    refused = take(tmp_path, layout)
    name = f"{PROFILE}-{hashlib.sha256(other).hexdigest()[:8]}"
    assert refused.returncode == 1 and f"has another revision {name}" in refused.stderr, refused
    assert refused.stderr.endswith(f"volt-qemu rm {name}\n")
    assert kept_files(tmp_path / "other") == before and not leftovers(tmp_path / "other")


def test_two_who_write_do_not_lose_a_tag(tmp_path, root):
    words = ["--root", root, "export", PROFILE, "--layout", tmp_path / "layout", "--tag"]
    started = [subprocess.Popen([CLI, *words, f"t{number}"], stdout=subprocess.DEVNULL) for number in range(8)]
    assert [process.wait(60) for process in started] == [0] * 8
    tags = [entry["annotations"]["org.opencontainers.image.ref.name"] for entry in index_of(tmp_path / "layout")["manifests"]]
    assert sorted(tags) == [f"t{number}" for number in range(8)]
