# SPDX-License-Identifier: MIT
"""OCI layouts of revisions with more objects than registries take layers: the small ones are in packs."""
import base64
import hashlib
import json
import os
import shutil
import subprocess

import pytest
from store_cli import (FILES, PROFILE, PROGRAM, assert_resolves, bad, build, good_json, is_executable, kept_files,
                       leftovers, make_files, manifests, object_path, run, sha256, verify)

TYPE = "application/vnd.volt-qemu."
needs_skopeo = pytest.mark.skipif(not shutil.which("skopeo"), reason="skopeo is not installed")

# With --max-layers 4: the large one is a layer, and all else is in one pack.
PACKED = {**FILES, "firmware/large.bin": bytes(range(256)) * 2000, "lib/helper": b"#!/bin/sh\nexit 0\n"}


def many_files(count):
    return {PROGRAM: FILES[PROGRAM], **{f"lib/many/{number}": f"number {number}\n".encode() * 20
                                        for number in range(count - 1)}}


def export(root, layout, *options, tag="latest"):
    return good_json(root, "export", PROFILE, "--layout", layout, "--tag", tag, *options)["digest"]


def take(tmp_path, layout, *options):
    return run("--root", tmp_path / "other", "import", "--profile", PROFILE, "--layout", layout, *options)


@pytest.fixture
def root(tmp_path):
    build(tmp_path / "store", make_files(tmp_path / "profile", PACKED))
    return tmp_path / "store"


@pytest.fixture
def layout(tmp_path, root):
    export(root, tmp_path / "layout", "--max-layers", "4")
    return tmp_path / "layout"


def blob(layout, digest):
    return layout / "blobs/sha256" / digest.removeprefix("sha256:")


def oci_manifest(layout):
    (entry,) = json.loads((layout / "index.json").read_text())["manifests"]
    return json.loads(blob(layout, entry["digest"]).read_text())


def layers(layout, kind):
    return [layer for layer in oci_manifest(layout)["layers"] if layer["mediaType"] == f"{TYPE}{kind}.v1"]


def read_objects(layout):
    """{digest: content} of all that is in layers or packs, read as the format says, and not by the library."""
    found = {layer["digest"].removeprefix("sha256:"): blob(layout, layer["digest"]).read_bytes()
             for layer in layers(layout, "object")}
    (index,) = layers(layout, "pack-index")
    first, *lines, last = blob(layout, index["digest"]).read_text().splitlines()
    assert (first, last) == ("volt-pack-index 1", "end")
    sizes = {}
    for words in map(str.split, lines):
        if words[0] == "pack":
            content, at = blob(layout, words[1]).read_bytes(), 0
            sizes[f"sha256:{words[1]}"] = len(content)
            assert int(words[2]) == len(content)
        else:
            found[words[0]] = content[at:at + int(words[1])]
            at += int(words[1])
    assert sizes == {layer["digest"]: layer["size"] for layer in layers(layout, "pack")}
    return found


def assert_has_all(root, layout):
    objects = read_objects(layout)
    assert all(hashlib.sha256(content).hexdigest() == digest for digest, content in objects.items())
    wanted = {digest for manifest in manifests(root).values() for digest in manifest["objects"].values()}
    assert objects.keys() == wanted - {hashlib.sha256(b"").hexdigest()}
    for path in (layout / "blobs/sha256").iterdir():
        assert sha256(path) == path.name


# ---- what is written ----

def test_small_objects_are_in_a_pack(root, layout):
    assert_has_all(root, layout)
    kinds = [layer["mediaType"].removeprefix(TYPE) for layer in oci_manifest(layout)["layers"]]
    assert kinds == ["object.v1", "pack-index.v1", "pack.v1"]
    (large,) = layers(layout, "object")
    assert large["size"] == len(PACKED["firmware/large.bin"])


def test_as_many_as_are_allowed_are_not_packed(tmp_path, root):
    export(root, tmp_path / "layout", "--max-layers", "6")
    assert len(layers(tmp_path / "layout", "object")) == 6 and not layers(tmp_path / "layout", "pack")
    export(root, tmp_path / "packed", "--max-layers", "5")
    assert layers(tmp_path / "packed", "pack")


def test_the_same_again_is_not_written_again(tmp_path, root, layout):
    before = {path: path.stat().st_ino for path in layout.rglob("*") if path.is_file() and path.name != "index.json"}
    digest = export(root, layout, "--max-layers", "4")
    assert {path: path.stat().st_ino for path in before} == before
    assert export(root, tmp_path / "again", "--max-layers", "4") == digest


def test_a_damaged_pack_is_written_anew(root, layout):
    path = blob(layout, layers(layout, "pack")[0]["digest"])
    path.write_bytes(bytes(path.stat().st_size))
    export(root, layout, "--max-layers", "4")
    assert sha256(path) == path.name


def test_too_many_are_refused_before_the_first_byte(tmp_path, root):
    words = ["--root", root, "export", PROFILE, "--layout", tmp_path / "layout"]
    told = bad(*words, "--max-layers", "1", mentions=["at least 2 layers", "more than the 1 that"])
    assert told.endswith("; --max-layers allows more\n")
    assert not (tmp_path / "layout").exists()
    assert "--max-layers needs --layout" in run("--root", root, "export", PROFILE, "--output", tmp_path / "x",
                                                "--max-layers", "9").stderr


@pytest.mark.parametrize("damage", [lambda path: path.write_bytes(bytes(path.stat().st_size)),
                                    lambda path: path.write_bytes(path.read_bytes() + b"x"),
                                    lambda path: path.write_bytes(b""), os.unlink])
@pytest.mark.parametrize("packed", [True, False])
def test_a_damaged_object_is_not_exported(tmp_path, root, damage, packed):
    victim = object_path(root, "lib/libone.so.1")
    victim.chmod(0o644)
    damage(victim)
    options = ["--max-layers", "4"] if packed else []
    refused = run("--root", root, "export", PROFILE, "--layout", tmp_path / "layout", *options)
    assert refused.returncode == 6 and "lib/libone.so.1" in refused.stderr
    assert not (tmp_path / "layout/index.json").exists()
    assert not packed or not (tmp_path / "layout").exists()


# ---- many ----

@pytest.mark.parametrize("count", [1000, 10000])
def test_many_objects(tmp_path, count):
    root, layout, other = tmp_path / "store", tmp_path / "layout", tmp_path / "other"
    build(root, make_files(tmp_path / "profile", many_files(count)))
    digest = export(root, layout)
    assert_has_all(root, layout)
    assert len(oci_manifest(layout)["layers"]) <= 400
    assert export(root, tmp_path / "again", "--threads", "4") == digest
    taken = good_json(other, "import", "--any-profile", "--layout", layout)
    assert taken["new_objects"] == count and manifests(other) == manifests(root)
    assert verify(other)["problems"] == []
    assert_resolves(other)


def test_of_many_one_is_changed(tmp_path):
    root, layout, other = tmp_path / "store", tmp_path / "layout", tmp_path / "other"
    files = {path: content * 100 for path, content in many_files(2000).items() if path != PROGRAM}
    build(root, make_files(tmp_path / "profile", {PROGRAM: FILES[PROGRAM], **files}))
    export(root, layout)
    assert len(layers(layout, "pack")) > 8
    assert take(tmp_path, layout).returncode == 0
    before = {path.name for path in (layout / "blobs/sha256").iterdir()}
    (tmp_path / "profile/lib/many/7").write_text("changed")
    build(root, tmp_path / "profile")
    export(root, layout)
    new = {path.name for path in (layout / "blobs/sha256").iterdir()} - before
    packs = {layer["digest"].removeprefix("sha256:") for layer in layers(layout, "pack")}
    assert len(new & packs) in (1, 2)  # that which it was in, and that which it is in now
    assert len(new - packs) == 3  # the index, the revision's manifest, the OCI manifest
    taken = good_json(other, "import", "--any-profile", "--layout", layout)
    assert taken["new_objects"] == 1 and verify(other)["problems"] == []


# ---- what comes back ----

def test_the_same_revision_comes_back(tmp_path, root, layout):
    assert take(tmp_path, layout).returncode == 0
    assert manifests(tmp_path / "other") == manifests(root) and verify(tmp_path / "other")["problems"] == []
    assert_resolves(tmp_path / "other")


def test_what_the_manifest_does_not_say_is_found_in_the_pack(tmp_path, layout):
    """Manifests of others have no modes: a script in a pack is executable all the same."""
    manifest = oci_manifest(layout)
    config = json.loads(blob(layout, manifest["config"]["digest"]).read_text())
    del config["modes"]
    replace(layout, manifest, config=json.dumps(config).encode())
    assert take(tmp_path, layout).returncode == 0
    other = tmp_path / "other"
    assert is_executable(object_path(other, "lib/helper")) and is_executable(object_path(other, PROGRAM))
    assert not is_executable(object_path(other, "lib/libone.so.1"))


def test_what_the_store_has_is_not_read(tmp_path, root, layout):
    others = {path: content for path, content in PACKED.items() if path != "lib/libone.so.1"}
    build(tmp_path / "other", make_files(tmp_path / "others", others))
    path = blob(layout, layers(layout, "pack")[0]["digest"])
    content, wanted = path.read_bytes(), PACKED["lib/libone.so.1"]
    at = content.index(wanted)
    path.write_bytes(bytes(at) + wanted + bytes(len(content) - at - len(wanted)))
    assert take(tmp_path, layout).returncode == 0
    assert verify(tmp_path / "other")["problems"] == []


@needs_skopeo
def test_skopeo_carries_packs_there_and_back(tmp_path, root, layout):
    names = [f"oci:{layout}:latest", f"dir:{tmp_path}/dir", f"oci:{tmp_path}/back:v1"]
    for source, target in zip(names, names[1:]):
        subprocess.run(["skopeo", "copy", "--preserve-digests", source, target], check=True, capture_output=True)
    assert take(tmp_path, tmp_path / "back", "--tag", "v1").returncode == 0
    assert manifests(tmp_path / "other") == manifests(root)


# ---- what is refused ----

def put_blob(layout, content):
    digest = hashlib.sha256(content).hexdigest()
    blob(layout, digest).write_bytes(content)
    return {"digest": f"sha256:{digest}", "size": len(content)}


def replace(layout, manifest, config=None):
    """The OCI index names this manifest instead."""
    if config is not None:
        manifest["config"].update(put_blob(layout, config))
    index = json.loads((layout / "index.json").read_text())
    index["manifests"][0].update(put_blob(layout, json.dumps(manifest).encode()))
    (layout / "index.json").write_text(json.dumps(index))


def of_index(change):
    """The lines of the index of packs with something changed; all digests fit."""
    def damage(layout):
        manifest = oci_manifest(layout)
        (layer,) = [layer for layer in manifest["layers"] if layer["mediaType"] == f"{TYPE}pack-index.v1"]
        lines = blob(layout, layer["digest"]).read_text().splitlines(keepends=True)
        layer.update(put_blob(layout, "".join(change(lines)).encode()))
        replace(layout, manifest)
    return damage


def of_manifest(change):
    def damage(layout):
        manifest = oci_manifest(layout)
        change(manifest["layers"])
        replace(layout, manifest)
    return damage


def swap_sizes(lines):
    """Of two objects: all sums are right, and all digests are of other bytes."""
    one, other = lines[2].split(), lines[3].split()
    assert one[1] != other[1]
    return [*lines[:2], f"{one[0]} {other[1]}\n", f"{other[0]} {one[1]}\n", *lines[4:]]


def spoil(kind, how):
    return lambda layout: how(blob(layout, layers(layout, kind)[0]["digest"]))


REFUSED = {
    "pack-missing": (spoil("pack", os.unlink), "is missing"),
    "pack-shorter": (spoil("pack", lambda path: os.truncate(path, path.stat().st_size - 1)), "another size"),
    "pack-longer": (spoil("pack", lambda path: os.truncate(path, path.stat().st_size + 1)), "another size"),
    "pack-altered": (spoil("pack", lambda path: path.write_bytes(bytes(path.stat().st_size))),
                     "another digest in this pack"),
    "pack-is-a-link": (spoil("pack", lambda path: (path.rename(f"{path}x"), path.symlink_to(f"{path.name}x"))),
                       "is a link"),
    "pack-is-a-fifo": (spoil("pack", lambda path: (path.unlink(), os.mkfifo(path))), "not a regular file"),
    "index-missing": (spoil("pack-index", os.unlink), "is missing"),
    "index-altered": (spoil("pack-index", lambda path: path.write_bytes(bytes(path.stat().st_size))), "another digest"),
    "index-lies": (of_index(swap_sizes), "another digest in this pack"),
    "index-cut": (of_index(lambda lines: lines[:-1]), "it ends before"),
    "index-of-nothing": (of_index(lambda lines: [lines[0], lines[-1]]), "a layer is a pack that it lacks"),
    "index-of-another-version": (of_index(lambda lines: ["volt-pack-index 2\n", *lines[1:]]), ":1: it is no"),
    "an-object-less": (of_index(lambda lines: [*lines[:-2], lines[-1]]), "are smaller"),
    "an-object-twice": (of_index(lambda lines: [*lines[:3], *lines[2:]]), "does not come behind"),
    "huge-size": (of_index(lambda lines: [*lines[:2], f"{'0' * 64} {2 ** 63 - 1}\n", *lines[2:]]), "are larger"),
    "other-object": (of_index(lambda lines: [*lines[:2], "0" * 64 + lines[2][64:], *lines[3:]]),
                     "there is no layer of"),
    "no-index": (of_manifest(lambda layers: layers.pop(1)), "one is missing"),
    "no-pack": (of_manifest(lambda layers: layers.pop(2)), "one is missing"),
    "two-indexes": (of_manifest(lambda layers: layers.append(layers[1])), "there is another index"),
    "a-pack-twice": (of_manifest(lambda layers: layers.append(layers[2])), "two layers have the same digest"),
    "huge-index": (of_manifest(lambda layers: layers[1].update(size=2 ** 31)), "more than the 10000 objects"),
    "huge-pack": (of_manifest(lambda layers: layers[2].update(size=2 ** 62)), "too large"),
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


def test_packed_objects_count(tmp_path, layout):
    refused = take(tmp_path, layout, "--max-objects", "6")
    assert refused.returncode not in (0, 2) and "the limit of 6" in refused.stderr, refused
    assert take(tmp_path, layout, "--max-objects", "7").returncode == 0


def test_what_is_unsigned_is_not_looked_into(tmp_path, layout):
    """The index of packs, which no signature covers, is not read before the rest is trusted."""
    (tmp_path / "key.pub").write_text(f"untrusted comment: nobody\n{base64.b64encode(b'Ed' + bytes(40)).decode()}\n")
    spoil("pack-index", os.unlink)(layout)
    refused = take(tmp_path, layout, "--key", tmp_path / "key.pub")
    assert "missing" not in refused.stderr and "sign" in refused.stderr, refused
