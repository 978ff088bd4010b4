# SPDX-License-Identifier: MIT
"""Packs that come from registries: whole, or the ranges of what is missing."""
import json
import random
import sys
from pathlib import Path

import pytest
from store_cli import FILES, PROFILE, PROGRAM, build, good, leftovers, make_files, manifests, run, verify

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "harness"))
from fake_registry import Answer  # noqa: E402
from shelf_registry import Shelf, objects_of  # noqa: E402

NAME = f"volt/{PROFILE}"
KIB = 1024


def pull(root, registry, *words):
    return run("--root", root, "--json", "pull", f"{registry.host}/{NAME}", "--plain-http", *words, timeout=600)


def pulled(root, registry, *words):
    result = pull(root, registry, *words)
    assert result.returncode == 0, result
    return json.loads(result.stdout)


def export(root, layout, *options):
    good("--root", root, "export", PROFILE, "--layout", layout, "--tag", "latest", *options)
    return layout


def layers(shelf, kind):
    return [layer["digest"] for layer in json.loads(shelf.manifests["latest"])["layers"]
            if layer["mediaType"].endswith(f".{kind}.v1")]


def asked_for(shelf, requests):
    """{pack: the ranges that were asked for, or None for all}."""
    packs, found = set(layers(shelf, "pack")), {}
    for request in requests:
        for pack in packs & set(objects_of([request])):
            found.setdefault(pack, []).append(request.headers.get("range"))
    return found


def numbered(count, size=0):
    """Files of which none is like another."""
    source = random.Random(7)
    return {PROGRAM: FILES[PROGRAM], **{f"lib/many/{number}": source.randbytes(size or source.randrange(100, 6000))
                                        for number in range(count - 1)}}


class Made:
    """A store with a profile, what a registry has of it, and what a host has."""

    def __init__(self, directory, files, *options):
        self.root, self.other, self.layout = directory / "store", directory / "other", directory / "layout"
        self.profile, self.options = directory / "profile", options
        build(self.root, make_files(self.profile, files))
        self.shelf = Shelf(export(self.root, self.layout, *options))

    def change(self, files):
        make_files(self.profile, files)
        build(self.root, self.profile)
        self.shelf.load(export(self.root, self.layout, *self.options))

    def is_same(self):
        return manifests(self.root).items() <= manifests(self.other).items() and verify(self.other)["problems"] == []


@pytest.mark.parametrize("ranges", [True, False])
def test_ten_thousand_objects_of_which_one_is_changed(tmp_path, ranges):
    made = Made(tmp_path, numbered(10000))
    made.shelf.ranges = ranges
    with made.shelf.serve() as registry:
        assert pulled(made.other, registry)["new_objects"] == 10000
        packs = layers(made.shelf, "pack")
        assert asked_for(made.shelf, registry.requests) == {pack: [None] for pack in packs}
        assert len(registry.requests) == len(packs) + 3  # the OCI manifest, the manifest, the index
        made.change({"lib/many/77": b"changed"})
        before = len(registry.requests)
        dry = pulled(made.other, registry, "--dry-run")
        assert (dry["new_objects"], dry["new_bytes"]) == (1, len(b"changed"))
        assert pulled(made.other, registry)["new_objects"] == 1
        ((pack, (asked,)),) = asked_for(made.shelf, registry.requests[before:]).items()
        first, last = map(int, asked.removeprefix("bytes=").split("-"))
        assert made.shelf.blobs[pack][first:last + 1] == b"changed"
        assert len(registry.requests) - before <= 3 + 4
        before = len(registry.requests)
        assert pulled(made.other, registry)["unchanged"]
        assert len(registry.requests) - before <= 2
    assert made.is_same() and not leftovers(made.other)


def test_what_is_worth_a_request(tmp_path):
    """One pack: neighbours that are near each other come together, others apart, and all if most is missing."""
    made = Made(tmp_path, numbered(100, 5000), "--max-layers", "2")
    (pack,) = layers(made.shelf, "pack")
    content = made.shelf.blobs[pack]
    paths = sorted(numbered(100, 5000).items(), key=lambda item: content.index(item[1]))
    paths = [(path, data) for path, data in paths if path != PROGRAM]

    def host(name, missing):
        """It has all but the objects with these places in the pack."""
        kept = {path: data for place, (path, data) in enumerate(paths) if place not in missing}
        files = {PROGRAM: FILES[PROGRAM], **kept}
        build(tmp_path / name, make_files(tmp_path / f"{name}-files", files))
        return tmp_path / name

    def expected(*pieces):
        return sorted(f"bytes={content.index(paths[first][1])}-{content.index(paths[last][1]) + 4999}"
                      for first, last in pieces)

    cases = {"apart": ({3, 40}, [(3, 3), (40, 40)]), "near": ({3, 5, 40}, [(3, 5), (40, 40)]),
             "almost": ({3, 9}, [(3, 9)]), "enough": ({3, 11}, [(3, 3), (11, 11)]),
             "half": (set(range(48)), [(0, 47)])}
    with made.shelf.serve() as registry:
        for name, (missing, pieces) in cases.items():
            before, other = len(registry.requests), host(name, missing)
            assert pulled(other, registry)["new_objects"] == len(missing)
            assert sorted(asked_for(made.shelf, registry.requests[before:])[pack]) == expected(*pieces), name
            assert verify(other)["problems"] == []
        before = len(registry.requests)
        most = host("most", set(range(60)))
        assert pulled(most, registry)["new_objects"] == 60
        assert asked_for(made.shelf, registry.requests[before:])[pack] == [None]
        assert verify(most)["problems"] == []


@pytest.mark.parametrize("ranges", [True, False])
@pytest.mark.parametrize("missing", [30, 90])
def test_a_pack_that_is_cut_off_goes_on(tmp_path, ranges, missing):
    """Whole or in ranges, in pieces of 50 kB: what was whole is not asked for again."""
    made = Made(tmp_path, numbered(100, 5000), "--max-layers", "2")
    (pack,) = layers(made.shelf, "pack")
    made.shelf.ranges = ranges
    files = numbered(100, 5000)
    build(made.other, make_files(tmp_path / "less", dict(list(files.items())[:len(files) - missing])))
    answers = []

    def cut(request):
        if not request.path.endswith(pack):
            return None
        answer = made.shelf.good(request)
        answers.append(len(answer.body))
        if len(answers) < 5:
            answer.cut = min(50000 + 20000 * len(answers), len(answer.body) - 1)
        return answer

    made.shelf.trouble = cut
    with made.shelf.serve() as registry:
        assert pulled(made.other, registry)["new_objects"] == missing
    assert made.is_same() and not leftovers(made.other)


def test_a_damaged_object_is_told_and_the_others_stay(tmp_path):
    files = numbered(100, 5000)
    made = Made(tmp_path, files, "--max-layers", "2")
    (pack,) = layers(made.shelf, "pack")
    sound = made.shelf.blobs[pack]
    at = sound.index(files["lib/many/50"])
    made.shelf.blobs[pack] = sound[:at + 100] + bytes([sound[at + 100] ^ 1]) + sound[at + 101:]
    with made.shelf.serve() as registry:
        refused = pull(made.other, registry)
        error = json.loads(refused.stderr)["error"]
        assert (refused.returncode, error["reason"]) == (6, "blob-damaged"), refused
        assert "lib/many/50" in error["message"] and registry.host in error["message"]
        came = {path.name for path in (made.other / "cas/objects").iterdir()}
        assert came and not leftovers(made.other) and not manifests(made.other)
        made.shelf.blobs[pack] = sound
        assert pulled(made.other, registry)["new_objects"] == 100 - len(came)
    assert made.is_same()


@pytest.mark.parametrize("what, word", [
    (lambda body: Answer(body=body[:-1]), "bytes instead of"), (lambda body: Answer(404), "does not have it"),
    (lambda body: Answer(206, body, headers={"Content-Range": "bytes 5-6/7"}), "another range"),
    (lambda body: Answer(body=bytes(len(body))), "another digest")])
def test_packs_of_hostile_registries(tmp_path, what, word):
    made = Made(tmp_path, numbered(100, 5000), "--max-layers", "2")
    (pack,) = layers(made.shelf, "pack")
    made.shelf.trouble = lambda request: what(made.shelf.blobs[pack]) if request.path.endswith(pack) else None
    with made.shelf.serve() as registry:
        refused = pull(made.other, registry)
        error = json.loads(refused.stderr)["error"]
        assert (refused.returncode, error["reason"]) == (6, "blob-damaged") and word in error["message"], refused
        assert not leftovers(made.other) and not manifests(made.other)
        made.shelf.trouble = lambda request: None
        pulled(made.other, registry)
    assert made.is_same()
