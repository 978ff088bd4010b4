# SPDX-License-Identifier: MIT
"""Revisions that come from registries: good ones, and those that have a bad day."""
import gzip
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from store_cli import (CLI, FILES, PROFILE, PROGRAM, assert_resolves, build, good, good_json, leftovers, make_files,
                       manifests, run, snapshot, verify)

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "harness"))
from fake_registry import Answer, FakeRegistry, real_registry  # noqa: E402
from shelf_registry import MANIFEST_TYPE, Shelf, digest_of, objects_of, refusal  # noqa: E402

CONNECTIONS = 8  # as many as are usual
NAME = f"volt/{PROFILE}"
BIG = "lib/libbig.so.1"
MANY = {**FILES, BIG: random.Random(1).randbytes(3 << 20), **{f"lib/lib{i}.so": b"%d" % i * 50 for i in range(20)}}


@pytest.fixture(name="root")
def make_root(tmp_path):
    build(tmp_path / "store", make_files(tmp_path / "profile", MANY))
    return tmp_path / "store"


@pytest.fixture(name="shelf")
def make_shelf(tmp_path, root):
    return Shelf(export(tmp_path, root, "layout"))


def export(tmp_path, root, name, tag="latest"):
    good("--root", root, "export", PROFILE, "--layout", tmp_path / name, "--tag", tag)
    return tmp_path / name


def environment(**variables):
    return {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "XDG_RUNTIME_DIR": "/nonexistent",
            **{name: value for name, value in os.environ.items() if "SAN" in name or name.startswith("LD_")}, **variables}


def pull(root, registry, *words, reference=NAME, **options):
    """The store is made, as that of a fresh host."""
    return run("--root", root, "--json", "pull", f"{registry.host}/{reference}", "--plain-http", *words,
               **{"timeout": 300, "env": environment(), **options})


def pulled(*arguments, **options):
    result = pull(*arguments, **options)
    assert result.returncode == 0, result
    return json.loads(result.stdout)


def refused(result, reason, status, *words):
    assert result.returncode == status and not result.stdout, result
    error = json.loads(result.stderr)["error"]
    assert error["reason"] == reason, error
    for word in words:
        assert word in error["message"], error
    return error


def objects_in(root):
    place = root / "cas/objects"
    return {path.name for path in place.iterdir()} if place.exists() else set()


def config_of(shelf, tag="latest"):
    return json.loads(shelf.manifests[tag])["config"]["digest"]


def digest_at(root, path):
    (manifest,) = manifests(root).values()
    return "sha256:" + manifest["objects"][path]


def nothing_came(root):
    assert not objects_in(root) and not leftovers(root) and not (root / "cas/refs").exists() or not manifests(root)


# ---- what comes ----

def test_a_revision_is_the_same_as_where_it_came_from(tmp_path, root, shelf):
    with shelf.serve() as registry:
        told = pulled(tmp_path / "other", registry)
    assert manifests(tmp_path / "other") == manifests(root)
    assert told["new_objects"] == len(objects_in(root)) and not told["dry_run"] and not told["unchanged"]
    assert_resolves(tmp_path / "other")
    verify(tmp_path / "other")
    assert not leftovers(tmp_path / "other")
    asked = objects_of(registry.requests, {config_of(shelf)})
    assert len(asked) == len(set(asked)) == len(objects_in(root)) - 1  # what is empty is nowhere
    assert not any("accept-encoding" in request.headers or "range" in request.headers for request in registry.requests)


def test_a_second_pull_asks_for_the_manifest_alone(tmp_path, shelf):
    with shelf.serve() as registry:
        pulled(tmp_path / "other", registry)
        before = len(registry.requests)
        told = pulled(tmp_path / "other", registry)
        assert told["unchanged"] and told["new_objects"] == 0
        assert len(registry.requests) == before + 1


def test_only_what_changed_travels(tmp_path, root, shelf):
    with shelf.serve() as registry:
        pulled(tmp_path / "other", registry)
        make_files(tmp_path / "profile", {"lib/lib3.so": b"changed"})
        build(root, tmp_path / "profile")
        shelf.load(export(tmp_path, root, "layout"))
        before = len(registry.requests)
        told = pulled(tmp_path / "other", registry)
        assert told["new_objects"] == 1
        assert objects_of(registry.requests[before:], {config_of(shelf)}) == [digest_of(b"changed")]


def test_dry_run_changes_nothing(tmp_path, root, shelf):
    (tmp_path / "other").mkdir()
    build(tmp_path / "other", make_files(tmp_path / "less", {PROGRAM: MANY[PROGRAM]}))
    before = snapshot(tmp_path / "other")
    with shelf.serve() as registry:
        told = pulled(tmp_path / "other", registry, "--dry-run")
    assert snapshot(tmp_path / "other") == before
    expected = objects_in(root) - objects_in(tmp_path / "other")
    assert told["dry_run"] and told["new_objects"] == len(expected) and not told["unchanged"]
    assert told["new_bytes"] == sum((root / "cas/objects" / name).stat().st_size for name in expected)
    assert [told["revision"]] == list(manifests(root))
    assert not objects_of(registry.requests, {config_of(shelf)})


def test_by_digests(tmp_path, root, shelf):
    (revision,) = manifests(root)
    shelf.manifests[revision] = shelf.manifests["latest"]  # as a push puts it there
    own, of_oci = config_of(shelf), digest_of(shelf.manifests["latest"])
    with shelf.serve() as registry:
        for number, digest in enumerate((own, of_oci)):
            pulled(tmp_path / f"other{number}", registry, reference=f"{NAME}@{digest}")
        pulled(tmp_path / "other2", registry, "--profile", PROFILE, reference=f"x@{own}")
        pulled(tmp_path / "other3", registry, "--digest", own.removeprefix("sha256:"), reference="x")
        refused(pull(tmp_path / "other4", registry, reference=f"x@{own}"), "no-manifest", 3)
        refused(pull(tmp_path / "other4", registry, reference=f"{NAME}@sha256:{'0' * 64}"), "no-manifest", 3)
        refused(pull(tmp_path / "other4", registry, reference=f"{NAME}@sha256:{'0' * 63}"), "tag", 5)
        refused(pull(tmp_path / "other4", registry, "--digest", "0" * 64), "digest-differs", 6)


def test_a_digest_of_a_blob_that_is_no_manifest_may_be_a_fault_of_the_server(tmp_path, root, shelf):
    """So it is for docker-registry: it is not asked for what it has under another name."""
    (revision,) = manifests(root)
    shelf.manifests[revision] = shelf.manifests["latest"]
    own, of_oci = config_of(shelf), digest_of(shelf.manifests["latest"])
    shelf.trouble = lambda request: refusal(500, "UNKNOWN") if request.path.endswith(f"/manifests/{own}") else None
    with shelf.serve() as registry:
        pulled(tmp_path / "other", registry, reference=f"{NAME}@{own}")
        # What has the beginning of its digest is another one.
        shelf.manifests[f"{PROFILE}-{of_oci[7:15]}"] = b"{}"
        pulled(tmp_path / "another", registry, reference=f"{NAME}@{of_oci}")
    assert manifests(tmp_path / "other") == manifests(tmp_path / "another") == manifests(root)


@pytest.mark.parametrize("reference, words", [("volt/x", ["name its profile"]), ("volt/kvm-linux", ["not of kvm-linux"])])
@pytest.mark.parametrize("trouble, reason, status", [(refusal(500, "UNKNOWN"), "server-failed", 9), (None, "no-manifest", 3)])
def test_of_a_revisions_digest_its_profile_is_to_be_named(tmp_path, root, shelf, reference, words, trouble, reason, status):
    (revision,) = manifests(root)
    shelf.manifests[revision] = shelf.manifests["latest"]
    own = config_of(shelf)
    shelf.trouble = lambda request: trouble if request.path.endswith(f"/manifests/{own}") else None
    with shelf.serve() as registry:
        refused(pull(tmp_path / "other", registry, reference=f"{reference}@{own}"), reason, status, *words)
        pulled(tmp_path / "other", registry, "--profile", PROFILE, reference=f"{reference}@{own}")


def test_a_digest_lets_nothing_else_pass(tmp_path, shelf):
    """Neither by its own, nor under the name that a revision would have."""
    wrong = shelf.manifests["latest"]
    shelf.manifests["sha256:" + "0" * 64] = wrong
    shelf.manifests[f"{PROFILE}-11111111"] = wrong
    with shelf.serve() as registry:
        refused(pull(tmp_path / "other", registry, reference=f"{NAME}@sha256:{'0' * 64}"), "blob-damaged", 6)
        refused(pull(tmp_path / "other", registry, reference=f"{NAME}@sha256:{'1' * 64}"), "digest-differs", 6)
    nothing_came(tmp_path / "other")


def test_which_profile_it_may_be(tmp_path, shelf):
    with shelf.serve() as registry:
        refused(pull(tmp_path / "other", registry, reference="volt/kvm-linux"), "other-profile", 5)
        refused(pull(tmp_path / "other", registry, "--profile", "kvm-linux"), "other-profile", 5)
        pulled(tmp_path / "other", registry, "--any-profile", reference="volt/x")
        assert not objects_of(registry.requests[:-30], {config_of(shelf)})


def test_what_is_not_there(tmp_path, shelf):
    with shelf.serve() as registry:
        error = refused(pull(tmp_path / "other", registry, reference=f"{NAME}:other"), "no-manifest", 3, "other")
        assert "volt-qemu tags" in error["hint"]
        refused(pull(tmp_path / "other", registry, reference=f"{NAME}:-x"), "tag", 5)


# ---- bad days ----

def once(trouble, wanted):
    """trouble is the first answer to each request that is wanted."""
    seen = set()

    def answer(request):
        if not wanted(request) or request.path in seen:
            return None
        seen.add(request.path)
        return trouble(request) if callable(trouble) else trouble
    return answer


def is_object(shelf):
    return lambda request: request.path.rpartition("/")[2] in shelf.blobs and request.path.rpartition("/")[2] != config_of(shelf)


@pytest.mark.parametrize("trouble", [Answer(503), Answer(500), Answer(429), Answer(429, headers={"Retry-After": "1"}),
                                     Answer(reset=True), Answer(408), Answer(headers={"Content-Length": "50"}, cut=0)])
def test_what_may_pass_is_tried_again(tmp_path, root, shelf, trouble):
    shelf.trouble = once(trouble, lambda request: True)
    with shelf.serve() as registry:
        pulled(tmp_path / "other", registry)
    assert manifests(tmp_path / "other") == manifests(root)


def cut_at(shelf, at):
    """The first answer for each object ends early, but says how long it is."""
    def answer(request):
        content = shelf.good(request)
        return Answer(content.status, content.body, content.headers, cut=min(at, len(content.body) - 1))
    return once(answer, is_object(shelf))


@pytest.mark.parametrize("ranges", [True, False])
def test_what_is_cut_off_goes_on(tmp_path, root, shelf, ranges):
    shelf.ranges = ranges
    shelf.trouble = cut_at(shelf, 100000)
    with shelf.serve() as registry:
        told = pulled(tmp_path / "other", registry)
    assert manifests(tmp_path / "other") == manifests(root) and told["new_objects"] == len(objects_in(root))
    verify(tmp_path / "other")
    asked = [request.headers["range"] for request in registry.requests if request.path.endswith(digest_at(root, BIG))
             and "range" in request.headers]
    assert asked == [f"bytes=100000-{len(MANY[BIG]) - 1}"]


def test_a_bad_line_is_no_matter_of_tries(tmp_path, root, shelf):
    """3 MiB in pieces of 80,000 bytes: each try brings something."""
    def answer(request):
        content = shelf.good(request)
        return Answer(content.status, content.body, content.headers, cut=80000) if len(content.body) > 100000 else content
    shelf.trouble = lambda request: answer(request) if is_object(shelf)(request) else None
    with shelf.serve() as registry:
        pulled(tmp_path / "other", registry)
    assert len([request for request in registry.requests if request.path.endswith(digest_at(root, BIG))]) > 30


@pytest.mark.parametrize("refusing", [Answer(416, b"x" * 33), Answer(416, b"x" * 100, cut=33), Answer(416, b"x", cut=0)])
def test_a_server_that_cannot_go_on_is_asked_anew(tmp_path, root, shelf, refusing):
    """One of them tells how long the blob is, not what it sends."""
    cut = cut_at(shelf, 1000)
    shelf.trouble = lambda request: refusing if "range" in request.headers else cut(request)
    with shelf.serve() as registry:
        pulled(tmp_path / "other", registry)
    assert manifests(tmp_path / "other") == manifests(root)


@pytest.mark.parametrize("status, reason, code", [(404, "no-manifest", 3), (403, "forbidden", 1), (401, "login-missing", 1)])
def test_of_a_refusal_the_beginning_is_enough(tmp_path, shelf, status, reason, code):
    shelf.trouble = lambda request: Answer(status, b"x" * 100, cut=33)
    with shelf.serve() as registry:
        refused(pull(tmp_path / "other", registry), reason, code)
        assert len(registry.requests) == 1


def test_objects_may_be_elsewhere(tmp_path, root, shelf):
    """At URLs that are good for one time only: who is cut off asks the registry again."""
    used, halved, numbers = set(), set(), iter(range(100000))

    def elsewhere(request):
        path = request.path.partition("?")[0]
        content = shelf.good(request)
        if request.path in used:
            return Answer(403)
        used.add(request.path)
        if path not in halved:
            content.cut = len(content.body) // 2
        halved.add(path)
        return content

    with FakeRegistry(elsewhere) as other:
        shelf.trouble = lambda request: Answer(307, headers={
            "Location": f"http://{other.host}{request.path}?{next(numbers)}"}) if is_object(shelf)(request) else None
        with shelf.serve() as registry:
            pulled(tmp_path / "other", registry)
    assert manifests(tmp_path / "other") == manifests(root) and len(used) > len(halved)


WRONG = {
    "wrong byte": (lambda body: Answer(body=b"\0" + body[1:] if body[:1] != b"\0" else b"\1" + body[1:]), "another digest"),
    "short": (lambda body: Answer(body=body[:-1]), "bytes instead of"),
    "long": (lambda body: Answer(body=body + b"x"), "bytes instead of"),
    "page": (lambda body: Answer(body=b"<html>Log in</html>", headers={"Content-Type": "text/html"}), "a web page"),
    "compressed": (lambda body: Answer(body=gzip.compress(body), headers={"Content-Encoding": "gzip"}), "compressed"),
    "missing": (lambda body: refusal(404, "BLOB_UNKNOWN"), "does not have it"),
    "empty": (lambda body: Answer(body=b""), "bytes instead of"),
    "endless": (lambda body: Answer(body=body + b"x" * 100000, headers={"Content-Length": None, "Connection": "close"},
                                    cut=1 << 30), "more than"),
    "other range": (lambda body: Answer(206, body, headers={"Content-Range": "bytes 5-6/7"}), "another range"),
}


@pytest.mark.parametrize("what", WRONG)
@pytest.mark.parametrize("which", ["object", "config"])
def test_what_is_not_what_its_digest_says(tmp_path, root, shelf, what, which):
    make, word = WRONG[what]
    digest = digest_at(root, "lib/lib3.so") if which == "object" else config_of(shelf)
    shelf.trouble = lambda request: make(shelf.blobs[digest]) if request.path.endswith(digest) else None
    with shelf.serve() as registry:
        error = refused(pull(tmp_path / "other", registry), "blob-damaged", 6, word, registry.host)
    assert ("lib/lib3.so" if which == "object" else "the manifest") in error["message"]
    assert not leftovers(tmp_path / "other")
    # What was whole and right before too much came is good.
    assert what == "endless" or digest.removeprefix("sha256:") not in objects_in(tmp_path / "other")
    shelf.trouble = lambda request: None
    with shelf.serve() as registry:
        pulled(tmp_path / "other", registry)
        verify(tmp_path / "other")


@pytest.mark.parametrize("what", WRONG)
@pytest.mark.parametrize("which", ["object", "big", "config"])
def test_what_is_damaged_once_is_asked_for_once_more(tmp_path, root, shelf, what, which):
    """As of a mirror, of which one is damaged. That it is not there is no damage."""
    make, _ = WRONG[what]
    digest = config_of(shelf) if which == "config" else digest_at(root, {"object": "lib/lib3.so", "big": BIG}[which])
    shelf.trouble = once(lambda request: make(shelf.blobs[digest]), lambda request: request.path.endswith(digest))
    with shelf.serve() as registry:
        result = pull(tmp_path / "other", registry)
        asked = [request for request in registry.requests if request.path.endswith(digest)]
    if what == "missing" and which != "config":
        refused(result, "blob-damaged", 6, "does not have it")
        return
    assert result.returncode == 0 and len(asked) == 2, result
    assert manifests(tmp_path / "other") == manifests(root) and not leftovers(tmp_path / "other")
    verify(tmp_path / "other")


def test_a_manifest_that_is_damaged_once(tmp_path, root, shelf):
    shelf.trouble = once(Answer(body=b"{}", headers={"Docker-Content-Digest": digest_of(shelf.manifests["latest"])}),
                         lambda request: "/manifests/" in request.path)
    with shelf.serve() as registry:
        pulled(tmp_path / "other", registry)
    assert manifests(tmp_path / "other") == manifests(root)


def test_an_answer_that_never_has_a_body(tmp_path, root, shelf):
    """Though it tells how long it is."""
    lost = digest_at(root, "lib/lib3.so")
    shelf.trouble = lambda request: Answer(body=b"x" * 50, cut=0) if request.path.endswith(lost) else None
    with shelf.serve() as registry:
        refused(pull(tmp_path / "other", registry), "unreachable", 9, "lib/lib3.so", "has broken off", "tried 6 times")


@pytest.mark.parametrize("body, headers, reason, status", [
    (b"<html>", {"Content-Type": "text/html"}, "not-a-registry", 5), (b"", {}, "malformed", 5), (b"x" * (5 << 20), {}, "not-a-registry", 5),
    (b'{"schemaVersion": 2, "manifests": []}', {}, "not-a-profile", 1),
    (json.dumps({"schemaVersion": 2, "config": {"mediaType": "application/vnd.oci.image.config.v1+json"}}).encode(), {},
     "not-a-profile", 1),
    (b"{}", {"Docker-Content-Digest": "sha256:" + "0" * 64}, "blob-damaged", 6),
], ids=["page", "empty", "large", "index", "image", "digest"])
def test_what_is_no_manifest(tmp_path, shelf, body, headers, reason, status):
    shelf.trouble = lambda request: Answer(body=body, headers=headers) if "/manifests/" in request.path else None
    with shelf.serve() as registry:
        result = pull(tmp_path / "other", registry)
        assert result.returncode == status and json.loads(result.stderr)["error"]["reason"] == reason, result
        assert not objects_of(registry.requests)
    nothing_came(tmp_path / "other")


def change(shelf, how):
    """Under the tag is another OCI manifest."""
    manifest = json.loads(shelf.manifests["latest"])
    how(manifest)
    shelf.manifests["latest"] = json.dumps(manifest).encode()


@pytest.mark.parametrize("how, reason, status", [
    (lambda manifest: manifest["layers"].pop(), "malformed", 5),
    (lambda manifest: manifest["layers"].append(dict(manifest["layers"][0])), "malformed", 5),
    (lambda manifest: manifest["layers"].append({"mediaType": "application/x", "digest": "sha256:" + "0" * 64, "size": 1}),
     "unknown-layer", 1),
    (lambda manifest: manifest["layers"][0].update(size=1 << 40), "too-large", 5),
    (lambda manifest: manifest["layers"][0].update(size=-1), "malformed", 5),
    (lambda manifest: manifest["config"].update(size=1 << 31), "malformed", 5),
    (lambda manifest: manifest["config"].update(size=manifest["config"]["size"] + 1), "blob-damaged", 6),
    (lambda manifest: manifest["config"].update(digest=manifest["layers"][0]["digest"], size=manifest["layers"][0]["size"]),
     "out-of-range", 5),  # what is in it is taken for JSON
])
def test_a_manifest_that_lies_is_refused_before_anything_is_fetched(tmp_path, root, shelf, how, reason, status):
    change(shelf, how)
    with shelf.serve() as registry:
        result = pull(tmp_path / "other", registry)
        assert result.returncode == status and json.loads(result.stderr)["error"]["reason"] == reason, result
        assert len(set(objects_of(registry.requests))) <= 1
    nothing_came(tmp_path / "other")


def test_a_size_that_lies(tmp_path, root, shelf):
    big = digest_at(root, BIG)

    def lie(manifest):
        (layer,) = [layer for layer in manifest["layers"] if layer["digest"] == big]
        layer["size"] -= 1
    change(shelf, lie)
    with shelf.serve() as registry:
        refused(pull(tmp_path / "other", registry), "blob-damaged", 6, BIG)


def test_limits_are_the_callers(tmp_path, shelf):
    with shelf.serve() as registry:
        refused(pull(tmp_path / "other", registry, "--max-objects", "5"), "too-many-files", 5)
        refused(pull(tmp_path / "other", registry, "--max-size", "1M"), "too-large", 5)
        assert not objects_of(registry.requests)
    nothing_came(tmp_path / "other")


# ---- breaking off ----

def slow(shelf, seconds=0.2):
    def answer(request):
        content = shelf.good(request)
        content.pause = seconds
        return content
    shelf.trouble = lambda request: answer(request) if is_object(shelf)(request) else None


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_what_has_come_is_kept(tmp_path, root, shelf, how):
    slow(shelf)
    other = tmp_path / "other"
    with shelf.serve() as registry:
        process = subprocess.Popen([CLI, "--root", other, "pull", f"{registry.host}/{NAME}", "--plain-http"],
                                   stderr=subprocess.PIPE, stdout=subprocess.PIPE)
        while len(objects_of(registry.requests)) < 20:
            time.sleep(0.01)
        process.send_signal(how)
        process.communicate(timeout=60)
        assert process.returncode not in (0, None)
        kept = objects_in(other)
        assert len(kept) >= 8 and not leftovers(other) and not manifests(other)
        shelf.trouble = lambda request: None
        before = len(registry.requests)
        told = pulled(other, registry)
        assert told["new_objects"] == len(objects_in(root)) - len(kept)
        asked = {digest.removeprefix("sha256:") for digest in objects_of(registry.requests[before:], {config_of(shelf)})}
        assert not asked & kept
    verify(other)


def test_what_has_come_is_kept_when_it_is_killed(tmp_path, shelf):
    """But for what came in the last seconds."""
    slow(shelf, 1)
    other = tmp_path / "other"
    with shelf.serve() as registry:
        process = subprocess.Popen([CLI, "--root", other, "pull", f"{registry.host}/{NAME}", "--plain-http"])
        end = time.monotonic() + 120
        while len(objects_in(other)) < 8 and time.monotonic() < end:
            time.sleep(0.05)
        process.kill()
        process.wait()
        assert len(objects_in(other)) >= 8 and not manifests(other)
        shelf.trouble = lambda request: None
        pulled(other, registry)
    verify(other)
    assert not leftovers(other)


def test_a_registry_that_goes_away(tmp_path, root, shelf):
    """Without an object that it has not, all others are kept."""
    lost = digest_at(root, "lib/lib3.so")
    shelf.trouble = lambda request: Answer(503) if request.path.endswith(lost) else None
    with shelf.serve() as registry:
        error = refused(pull(tmp_path / "other", registry), "server-failed", 9, "lib/lib3.so", "tried 6 times")
        assert "503" in error["message"]
        assert objects_in(root) - objects_in(tmp_path / "other") == {lost.removeprefix("sha256:")}
        shelf.trouble = lambda request: None
        assert pulled(tmp_path / "other", registry)["new_objects"] == 1


def test_a_deadline(tmp_path, shelf):
    slow(shelf, 30)
    with shelf.serve() as registry:
        begin = time.monotonic()
        refused(pull(tmp_path / "other", registry, "--timeout", "2"), "deadline", 7)
        assert time.monotonic() - begin < 25


def test_a_collection_may_come_by(tmp_path, root, shelf):
    """What was there is fetched, if it went meanwhile."""
    other = tmp_path / "other"
    build(other, make_files(tmp_path / "less", {name: MANY[name] for name in (PROGRAM, BIG)}), profile="kvm-linux")
    (gone,) = manifests(other)
    slow(shelf, 0.3)
    with shelf.serve() as registry:
        process = subprocess.Popen([CLI, "--root", other, "pull", f"{registry.host}/{NAME}", "--plain-http"],
                                   stdout=subprocess.PIPE)
        while not objects_of(registry.requests, {config_of(shelf)}):
            time.sleep(0.01)
        good("--root", other, "rm", gone)
        good("--root", other, "gc")
        assert process.wait(60) == 0
        process.stdout.close()
        assert digest_at(root, BIG) in objects_of(registry.requests)
    verify(other)
    assert_resolves(other)


def test_nobody_waits_for_the_network(tmp_path, shelf):
    slow(shelf, 1)
    other = tmp_path / "other"
    with shelf.serve() as registry:
        with subprocess.Popen([CLI, "--root", other, "pull", f"{registry.host}/{NAME}", "--plain-http"],
                              stdout=subprocess.PIPE) as process:
            while not objects_of(registry.requests, {config_of(shelf)}):
                time.sleep(0.01)
            good("--root", other, "gc", "--lock-timeout", "3")
            assert process.poll() is None and process.wait(120) == 0


def test_damage_in_the_store_is_made_good(tmp_path, root, shelf):
    other = tmp_path / "other"
    with shelf.serve() as registry:
        pulled(other, registry)
        path = other / "cas/objects" / digest_at(root, BIG).removeprefix("sha256:")
        path.chmod(0o644)
        path.write_bytes(b"damaged")
        told = pulled(other, registry)
        assert told["new_objects"] == 1 and told["unchanged"]
    verify(other)


# ---- signatures ----

@pytest.fixture(name="keys")
def make_keys(tmp_path):
    def key(name):
        subprocess.run(["signify-openbsd", "-G", "-n", "-p", tmp_path / f"{name}.pub", "-s", tmp_path / f"{name}.sec"],
                       check=True, capture_output=True)
        return tmp_path / name
    return key("ours"), key("theirs")


def sign(root, key):
    (revision,) = manifests(root)
    signature = root.parent / "sig"
    subprocess.run(["signify-openbsd", "-S", "-s", f"{key}.sec", "-m", root / f"cas/refs/{revision}.json", "-x", signature],
                   check=True)
    good("--root", root, "signature", "add", revision, signature)


def test_who_signed_it_is_asked_for_before_any_object(tmp_path, root, keys):
    ours, theirs = keys
    unsigned = Shelf(export(tmp_path, root, "unsigned"))
    sign(root, ours)
    signed = Shelf(export(tmp_path, root, "signed"))
    other = tmp_path / "other"
    for shelf, key, reason in ((unsigned, ours, "unsigned"), (signed, theirs, "untrusted-key")):
        with shelf.serve() as registry:
            refused(pull(other, registry, "--key", f"{key}.pub"), reason, 8)
            assert len(objects_of(registry.requests)) <= 2  # the manifest and the signature
        nothing_came(other)
    with signed.serve() as registry:
        pulled(other, registry, "--key", f"{ours}.pub")
        good("--root", other, "verify", "--key", f"{ours}.pub")
        before = len(registry.requests)
        pulled(other, registry, "--key", f"{ours}.pub")
        assert len(registry.requests) == before + 1


# ---- the real thing ----

@pytest.mark.skipif(not shutil.which("skopeo"), reason="skopeo is not installed")
def test_a_real_registry(tmp_path, root):
    layout = export(tmp_path, root, "layout")

    class Host:
        host = None
    with real_registry(tmp_path / "registry") as Host.host:
        subprocess.run(["skopeo", "copy", "--dest-tls-verify=false", f"oci:{layout}:latest",
                        f"docker://{Host.host}/{NAME}:latest"], check=True, capture_output=True, timeout=300)
        pulled(tmp_path / "other", Host)
        assert manifests(tmp_path / "other") == manifests(root)
        assert pulled(tmp_path / "other", Host)["unchanged"]
        refused(pull(tmp_path / "other", Host, reference=f"{NAME}:none"), "no-manifest", 3)
        refused(pull(tmp_path / "other", Host, reference=f"volt/none/{PROFILE}"), "no-manifest", 3)
    refused(pull(tmp_path / "other", Host), "unreachable", 9)


def test_the_library_pulls_alone(tmp_path, root, shelf):
    """By Python, with progress in bytes of what travels."""
    script = ("import sys, voltqemu\n"
              "seen = []\n"
              "store = voltqemu.Store(sys.argv[1], create=True)\n"
              "call = voltqemu.Call(progress=lambda p: seen.append((p.step, p.unit, p.done, p.total)))\n"
              "got = store.pull(voltqemu.Remote(sys.argv[2], plain_http=True), profile=sys.argv[3], call=call)\n"
              "print(got.revision.name, got.new_objects, seen)\n")
    build_directory = Path(os.environ.get("BUILD_DIR", Path(__file__).resolve().parents[2] / "build"))
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2] / "examples/python"),
                   "LD_LIBRARY_PATH": str(build_directory / "lib")}
    with shelf.serve() as registry:
        result = subprocess.run([sys.executable, "-c", script, tmp_path / "other", f"{registry.host}/{NAME}", PROFILE],
                                env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert result.returncode == 0, result
    (revision,) = manifests(root)
    total = sum(len(content) for content in {hashlib.sha256(c).digest(): c for c in MANY.values()}.values())
    assert result.stdout.startswith(f"{revision} {len(objects_in(root))} ")
    assert f"('pull', 'bytes', {total}, {total})" in result.stdout, result.stdout
    assert MANIFEST_TYPE in registry.requests[0].headers["accept"]
    assert good_json(tmp_path / "other", "revisions")
