# SPDX-License-Identifier: MIT
"""Revisions that go to registries: good ones, and those that have a bad day."""
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.parse
from pathlib import Path

import pytest
from store_cli import CLI, PROFILE, build, good, make_files, manifests, run, verify
from test_pull import BIG, CONNECTIONS, MANY, config_of, environment, export, pull, pulled, refused

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "harness"))
from fake_registry import Answer, FakeRegistry, free_port, proxy_before, real_registry  # noqa: E402
from shelf_registry import Shelf, digest_of, objects_of, refusal  # noqa: E402

NAME = f"volt/{PROFILE}"
needs_skopeo = pytest.mark.skipif(not shutil.which("skopeo"), reason="skopeo is not installed")


class Host:
    def __init__(self, host):
        self.host = host


@pytest.fixture(name="root")
def make_root(tmp_path):
    build(tmp_path / "store", make_files(tmp_path / "profile", MANY))
    return tmp_path / "store"


def push(root, registry, *words, reference=NAME, what=PROFILE, plain=("--plain-http",), **options):
    return run("--root", root, "--json", "push", what, f"{registry.host}/{reference}", *plain, *words, env=environment(),
               **{"timeout": 300, **options})


def pushed(*arguments, **options):
    result = push(*arguments, **options)
    assert result.returncode == 0, result
    return json.loads(result.stdout)


def blobs_of(manifest):
    return [blob["digest"] for blob in [manifest["config"], *manifest["layers"]]]


def sizes_sent(registry):
    return [len(request.body) for request in registry.requests if request.method == "PUT" and "/uploads/" in request.path]


# ---- what goes ----

def test_what_is_pushed_is_what_a_layout_has(tmp_path, root):
    shelf = Shelf()
    with shelf.serve() as registry:
        told = pushed(root, registry)
        layout = Shelf(export(tmp_path, root, "layout"))
        (revision,) = manifests(root)
        assert shelf.manifests["latest"] == shelf.manifests[revision] == layout.manifests["latest"]
        assert {**shelf.blobs, told["digest"]: shelf.manifests["latest"]} == layout.blobs
        manifest = json.loads(shelf.manifests["latest"])
        assert told == {"revision": revision, "digest": digest_of(shelf.manifests["latest"]), "unchanged": False,
                        "blobs": len(blobs_of(manifest)), "new_blobs": len(blobs_of(manifest)),
                        "total_bytes": sum(map(len, shelf.blobs.values())), "dry_run": False,
                        "new_bytes": sum(map(len, shelf.blobs.values()))}
        asked = [match[1] for match in (re.search(r"/blobs/(sha256:.*)", request.path) for request in registry.requests) if match]
        assert digest_of(MANY[BIG]) in asked[:CONNECTIONS] and len(shelf.blobs[asked[-1]]) <= 100
        before = len(registry.requests)
        told = pushed(root, registry)
        assert told["unchanged"] and told["new_blobs"] == 0
        assert [request.method for request in registry.requests[before:]] == ["HEAD"]
        pulled(tmp_path / "other", registry)
        pulled(tmp_path / "another", registry, reference=f"{NAME}@{manifest['config']['digest']}")
    assert manifests(tmp_path / "other") == manifests(root)


def test_only_what_it_lacks_travels(tmp_path, root):
    shelf = Shelf()
    with shelf.serve() as registry:
        pushed(root, registry, reference=f"{NAME}:one")
        make_files(tmp_path / "profile", {"lib/lib3.so": b"changed"})
        build(root, tmp_path / "profile")
        dry = pushed(root, registry, "--dry-run", reference=f"{NAME}:two")
        assert dry["new_blobs"] == 2 and dry["dry_run"] and "two" not in shelf.manifests
        before = len(sizes_sent(registry))
        told = pushed(root, registry, reference=f"{NAME}:two")
        assert told == {**dry, "dry_run": False} and len(sizes_sent(registry)) == before + 2
        assert pushed(root, registry, reference=f"{NAME}:three")["new_blobs"] == 0
        assert {"one", "two", "three", *manifests(root)} < set(shelf.manifests)


def test_force_sends_all(root):
    shelf = Shelf()
    with shelf.serve() as registry:
        told = pushed(root, registry)
        assert pushed(root, registry, "--force")["new_blobs"] == told["blobs"]


def test_mounts(root):
    """Of another repository there: what that has need not travel."""
    shelf = Shelf()
    theirs = set()

    def mount(request):
        match = re.search(r"\?mount=sha256%3A([0-9a-f]+)&from=volt/other$", request.path)
        if not match or f"sha256:{match[1]}" not in theirs:
            return None
        shelf.blobs[f"sha256:{match[1]}"] = b""
        return Answer(201)
    shelf.trouble = mount
    with shelf.serve() as registry:
        told = pushed(root, registry)
        theirs.update(sorted(shelf.blobs)[:10])
        shelf.blobs, shelf.manifests = {}, {}
        again = pushed(root, registry, "--mount-from", "volt/other")
        assert again["new_blobs"] == told["blobs"] - 10
        result = push(root, registry, "--mount-from", "no such")
        refused(result, "repository", 5)


@pytest.mark.parametrize("words", [["r/a@sha256:" + "0" * 64], ["r/a", "b"], []])
def test_wrong_words(root, words):
    assert run("--root", root, "push", PROFILE, *words).returncode == 2


def test_a_tag_that_cannot_be(root):
    with Shelf().serve() as registry:
        refused(push(root, registry, reference=f"{NAME}:-x"), "tag", 5)
        assert not registry.requests


def test_signatures_go_along(tmp_path, root):
    subprocess.run(["signify-openbsd", "-G", "-n", "-p", tmp_path / "k.pub", "-s", tmp_path / "k.sec"], check=True,
                   capture_output=True)
    (revision,) = manifests(root)
    shelf = Shelf()
    with shelf.serve() as registry:
        first = pushed(root, registry)
        subprocess.run(["signify-openbsd", "-S", "-s", tmp_path / "k.sec", "-m", root / f"cas/refs/{revision}.json", "-x",
                        tmp_path / "sig"], check=True)
        good("--root", root, "signature", "add", revision, tmp_path / "sig")
        second = pushed(root, registry)
        assert second["new_blobs"] == 1 and second["digest"] != first["digest"]
        pulled(tmp_path / "other", registry, "--key", tmp_path / "k.pub")
        # One that has the revision already gets the signature.
        pulled(tmp_path / "third", registry, reference=f"{NAME}@{first['digest']}")
        pulled(tmp_path / "third", registry, "--key", tmp_path / "k.pub")
        good("--root", tmp_path / "third", "verify", "--key", tmp_path / "k.pub")


def test_packs_travel(tmp_path, root):
    """With few layers, small objects are sent together, and come together."""
    shelf = Shelf()
    with shelf.serve() as registry:
        told = pushed(root, registry, "--max-layers", "8")
        assert told["blobs"] <= 9 and b"pack-index" in shelf.manifests["latest"]
        pulled(tmp_path / "other", registry)
        asked = objects_of([request for request in registry.requests if request.method == "GET"])
        assert sorted(asked) == sorted(blobs_of(json.loads(shelf.manifests["latest"])))
        shelf.ranges = False
        pulled(tmp_path / "another", registry)
    assert manifests(tmp_path / "other") == manifests(tmp_path / "another") == manifests(root)
    verify(tmp_path / "other")
    assert pushed_of(root, shelf) == set(shelf.blobs)


def pushed_of(root, shelf):
    (revision,) = manifests(root)
    return set(blobs_of(json.loads(shelf.manifests[revision])))


# ---- bad days ----

def once(trouble, wanted):
    seen = set()

    def answer(request):
        key = request.method, request.path.rpartition("digest=")[2]  # not the number of an upload
        if not wanted(request) or key in seen:
            return None
        seen.add(key)
        return trouble
    return answer


@pytest.mark.parametrize("trouble", [Answer(503), Answer(500), Answer(429), Answer(reset=True)])
@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT"])
def test_what_may_pass_is_tried_again(root, trouble, method):
    """An upload that broke off is begun anew."""
    shelf = Shelf()
    shelf.trouble = once(trouble, lambda request: request.method == method)
    with shelf.serve() as registry:
        pushed(root, registry, timeout=600)
    assert all(digest_of(content) == digest for digest, content in shelf.blobs.items())
    assert set(blobs_of(json.loads(shelf.manifests["latest"]))) == set(shelf.blobs)


def test_an_upload_that_is_forgotten_is_begun_anew(root):
    shelf = Shelf()
    shelf.trouble = once(refusal(404, "BLOB_UPLOAD_UNKNOWN"), lambda request: request.method == "PUT" and "/uploads/1?" in request.path)
    with shelf.serve() as registry:
        pushed(root, registry)


def test_what_it_says_to_have_and_has_not(root):
    """As some do when they have collected: HEAD finds what is gone."""
    shelf = Shelf()
    with shelf.serve() as registry:
        pushed(root, registry)
        gone = sorted(shelf.blobs)[:3]
        for digest in gone:
            del shelf.blobs[digest]
        shelf.manifests = {}
        shelf.trouble = lambda request: Answer(200) if request.method == "HEAD" and "/blobs/" in request.path else None
        told = pushed(root, registry)
        assert told["new_blobs"] == 3 and set(gone) < set(shelf.blobs)


def test_a_refusal_that_does_not_say_which(root):
    shelf = Shelf()
    shelf.trouble = lambda request: Answer(200) if request.method == "HEAD" and "/blobs/" in request.path else \
        refusal(400, "MANIFEST_BLOB_UNKNOWN") if "/manifests/" in request.path and request.method == "PUT" and not shelf.blobs \
        else None
    with shelf.serve() as registry:
        told = pushed(root, registry)
        assert told["new_blobs"] == told["blobs"]


class ScopedTokens:
    """Each is good for what it was asked for, the first for so many requests. Who writes is told so when he does."""

    def __init__(self, uses):
        self.uses, self.given, self.asked = uses, {}, []

    def __call__(self, request):
        path, _, query = request.path.partition("?")
        if path == "/token":
            self.asked.append(" ".join(urllib.parse.parse_qs(query)["scope"]))
            self.given[f"Bearer t{len(self.asked)}"] = self.asked[-1]
            return Answer(body=json.dumps({"token": f"t{len(self.asked)}"}).encode())
        needed = [f"repository:{NAME}:{'pull,push' if request.method in ('POST', 'PUT') else 'pull'}",
                  *(["repository:volt/from:pull"] if "from=" in query else [])]
        given = request.headers.get("authorization")
        self.uses -= given == "Bearer t1"
        has = self.given.get(given, "").split() if given != "Bearer t1" or self.uses >= 0 else []
        if all(any(one.startswith(wanted) for one in has) for wanted in needed):
            return None
        return Answer(401, headers={"WWW-Authenticate": f'Bearer realm="http://{request.headers["host"]}/token",service="s",'
                                    f'scope="{" ".join(needed)}"'})


@pytest.mark.parametrize("words", [[], ["--mount-from", "volt/from"]])
def test_a_token_is_for_all_that_is_to_be_done(root, words):
    """One that expires in the middle is replaced, whoever of those that work at the same time finds out."""
    scope = f"repository:{NAME}:pull,push" + (" repository:volt/from:pull" if words else "")
    for uses in (10, 13, 17, 22, 28, 1000):
        shelf, tokens = Shelf(), ScopedTokens(uses)
        shelf.trouble = tokens
        with shelf.serve() as registry:
            pushed(root, registry, *words)
        assert tokens.asked == [scope] * (1 if uses == 1000 else 2), uses


def test_it_is_not_sent_for_ever(root):
    shelf = Shelf()
    shelf.trouble = lambda request: refusal(400, "MANIFEST_BLOB_UNKNOWN") if request.method == "PUT" and "/manifests/" in \
        request.path else None
    with shelf.serve() as registry:
        refused(push(root, registry), "manifest-refused", 1, "MANIFEST_BLOB_UNKNOWN")
        assert len([request for request in registry.requests if "/manifests/" in request.path]) == 3


@pytest.mark.parametrize("status", [405, 501])
def test_who_takes_no_questions_is_sent_all(root, status):
    """A proxy can be in the way that lets no HEAD pass."""
    shelf = Shelf()
    shelf.trouble = lambda request: Answer(status) if request.method == "HEAD" else None
    with shelf.serve() as registry:
        told = pushed(root, registry)
        assert told["new_blobs"] == told["blobs"] and "latest" in shelf.manifests
        assert delete(registry, "latest").returncode == 0
        assert not shelf.manifests


@pytest.mark.parametrize("answer, reason, status, word", [
    (refusal(405, "UNSUPPORTED"), "manifest-refused", 1, "405: UNSUPPORTED"),
    (refusal(400, "MANIFEST_INVALID"), "manifest-refused", 1, "MANIFEST_INVALID"),
    (Answer(413), "request-too-large", 1, "proxy"), (Answer(403), "forbidden", 1, ""), (Answer(401), "login-missing", 1, ""),
    (Answer(507), "server-failed", 9, "507"),
])
def test_who_takes_no_manifest(root, answer, reason, status, word):
    shelf = Shelf()
    shelf.trouble = lambda request: answer if request.method == "PUT" and "/manifests/" in request.path else None
    with shelf.serve() as registry:
        refused(push(root, registry), reason, status, word, "set the tag")


@pytest.mark.parametrize("answer", [Answer(200), Answer(204), Answer(201, b"<html>", {"Content-Type": "text/html"})])
def test_who_says_yes_to_everything_is_no_registry(root, answer):
    with FakeRegistry(lambda request: Answer() if request.method == "HEAD" else answer) as registry:
        refused(push(root, registry), "not-a-registry", 5, "no registry")


def test_who_has_stored_another_manifest(root):
    shelf = Shelf()
    other = Answer(201, headers={"Docker-Content-Digest": digest_of(b"")})
    shelf.trouble = lambda request: other if request.method == "PUT" and "/manifests/" in request.path else None
    with shelf.serve() as registry:
        refused(push(root, registry), "not-a-registry", 5, "another digest")


@pytest.mark.parametrize("answer, reason, status", [
    (Answer(413, b"<html>"), "request-too-large", 1), (Answer(403), "forbidden", 1), (refusal(404, "NAME_UNKNOWN"), "no-repository", 3),
    (refusal(400, "DIGEST_INVALID"), "server-failed", 9)])
def test_who_takes_no_blobs(root, answer, reason, status):
    shelf = Shelf()
    shelf.trouble = lambda request: answer if request.method in ("POST", "PUT") else None
    with shelf.serve() as registry:
        refused(push(root, registry), reason, status, "send ")


@pytest.mark.parametrize("location", ["file:///etc/passwd", "ftp://127.0.0.1/", None, "//", "http://a b/"])
def test_uploads_go_to_no_other_scheme(root, location):
    shelf = Shelf()
    shelf.trouble = lambda request: Answer(202, headers={"Location": location}) if request.method == "POST" else None
    with shelf.serve() as registry:
        refused(push(root, registry), "not-a-registry", 5, "no URL of HTTP")


def test_uploads_elsewhere_see_no_login(root):
    shelf = Shelf()
    with FakeRegistry(shelf.good) as other:
        def answer(request):
            if "authorization" not in request.headers:
                return Answer(401, headers={"WWW-Authenticate": "Basic realm=r"})
            content = shelf.good(request)
            if request.method == "POST":
                content.headers["Location"] = f"http://{other.host}{content.headers['Location']}"
            return content
        shelf.trouble = answer
        with shelf.serve() as registry:
            pushed(root, registry, "--user", "me", "--password-stdin", input="secret", stdin=None)
        assert other.requests and not any("authorization" in request.headers for request in other.requests)


def test_a_damaged_object_is_not_sent(root):
    (manifest,) = manifests(root).values()
    path = root / "cas/objects" / manifest["objects"]["lib/lib3.so"]
    path.chmod(0o644)
    path.write_bytes(b"x" * path.stat().st_size)
    shelf = Shelf()
    with shelf.serve() as registry:
        refused(push(root, registry), "object-damaged", 6, "lib/lib3.so")
        assert not shelf.manifests and digest_of(path.read_bytes()) not in shelf.blobs
        path.unlink()
        refused(push(root, registry), "object-damaged", 6, "lib/lib3.so")


def test_a_deadline(root):
    shelf = Shelf()
    shelf.trouble = lambda request: Answer(202, pause=30, body=b"x") if request.method == "POST" else None
    with shelf.serve() as registry:
        begin = time.monotonic()
        refused(push(root, registry, "--timeout", "2"), "deadline", 7)
        assert time.monotonic() - begin < 25


def test_a_deadline_says_what_was_being_done(root):
    """All objects are there by then."""
    shelf = Shelf()
    shelf.trouble = lambda request: Answer(201, pause=30, body=b"x") if request.method == "PUT" and (
        "/manifests/" in request.path) else None
    with shelf.serve() as registry:
        refused(push(root, registry, "--timeout", "10"), "deadline", 7, "cannot set the tag emulate-x86-")


# ---- deleting ----

def delete(registry, reference):
    return run("--json", "tags", f"{registry.host}/{NAME}", "--plain-http", "--delete", reference, env=environment())


def test_deleting(root):
    shelf = Shelf()
    with shelf.serve() as registry:
        digest = pushed(root, registry)["digest"]
        result = delete(registry, "latest")
        assert json.loads(result.stdout) == {"repository": f"{registry.host}/{NAME}", "deleted": "latest"}
        assert not shelf.manifests
        refused(delete(registry, "latest"), "no-manifest", 3, "latest")
        refused(delete(registry, digest), "no-manifest", 3)
        pushed(root, registry)
        assert delete(registry, digest).returncode == 0 and not shelf.manifests
        pushed(root, registry)
        for status in (400, 405):
            shelf.trouble = lambda request: refusal(status, "UNSUPPORTED") if request.method == "DELETE" else None
            refused(delete(registry, "latest"), "deletes-nothing", 1, "UNSUPPORTED")


# ---- the real thing ----

def test_a_real_registry(tmp_path, root):
    with real_registry(tmp_path / "registry", "", "") as host:
        told = pushed(root, Host(host))
        assert told["new_blobs"] == told["blobs"] and pushed(root, Host(host))["unchanged"]
        pulled(tmp_path / "other", Host(host))
        assert manifests(tmp_path / "other") == manifests(root)
        # A repository beside takes what is there already.
        mounted = pushed(root, Host(host), "--mount-from", NAME, reference="volt/beside")
        assert mounted["new_blobs"] == 0 and not mounted["unchanged"]
        refused(delete(Host(host), "latest"), "deletes-nothing", 1)
    verify(tmp_path / "other")


@pytest.mark.parametrize("limit", [None, "64k"])
def test_a_proxy_that_limits_requests(tmp_path, root, limit):
    """As they are before many registries, with 1 MiB unless somebody has set more."""
    with real_registry(tmp_path / "registry") as host, proxy_before(tmp_path / "proxy", host, limit) as proxy:
        refused(push(root, Host(proxy)), "request-too-large", 1, "proxy before the registry", "limit", "send ", proxy)
        refused(pull(tmp_path / "other", Host(proxy)), "no-manifest", 3)  # nothing that is half there has a name


def test_a_proxy_that_was_told_to_let_them_pass(tmp_path, root):
    with real_registry(tmp_path / "registry") as host, proxy_before(tmp_path / "proxy", host, "4g") as proxy:
        pushed(root, Host(proxy))
        pulled(tmp_path / "other", Host(proxy))
        assert pulled(tmp_path / "other", Host(host))["unchanged"]
    assert manifests(tmp_path / "other") == manifests(root)


@needs_skopeo
def test_skopeo_there_and_back(tmp_path, root):
    with real_registry(tmp_path / "registry") as host:
        told = pushed(root, Host(host))
        copied = ["skopeo", "copy", "--src-tls-verify=false", "--dest-tls-verify=false"]
        subprocess.run([*copied, f"docker://{host}/{NAME}:latest", f"docker://{host}/copy/{PROFILE}:latest"], check=True,
                       capture_output=True, timeout=300)
        pulled(tmp_path / "other", Host(host), reference=f"copy/{PROFILE}@{told['digest']}")
        subprocess.run([*copied, f"docker://{host}/{NAME}:latest", f"oci:{tmp_path}/layout:latest"], check=True,
                       capture_output=True, timeout=300)
    good("--root", tmp_path / "third", "import", "--profile", PROFILE, "--layout", tmp_path / "layout")
    assert manifests(tmp_path / "other") == manifests(tmp_path / "third") == manifests(root)


def test_a_registry_that_lost_something(tmp_path, root):
    """Deleted and collected behind its back: it goes on saying that it has it."""
    directory = tmp_path / "registry"
    config = "  delete: {enabled: true}\n"
    with real_registry(directory, "", "", config) as host:
        pushed(root, Host(host))
        assert delete(Host(host), "latest").returncode == 0
        subprocess.run(["docker-registry", "garbage-collect", directory / "config.yml"], check=True, capture_output=True,
                       timeout=120)
        told = pushed(root, Host(host), reference=f"{NAME}:again", timeout=600)
        if told["new_blobs"] < told["blobs"]:  # it has believed itself
            pushed(root, Host(host), "--force", reference=f"{NAME}:again", timeout=600)
        pulled(tmp_path / "other", Host(host), reference=f"{NAME}:again")
    assert manifests(tmp_path / "other") == manifests(root)


def test_a_registry_that_is_restarted(tmp_path, root):
    """In the middle: what had arrived is not sent again."""
    port = free_port()
    with real_registry(tmp_path / "registry", port=port) as host:
        process = subprocess.Popen([CLI, "--root", root, "push", PROFILE, f"{host}/{NAME}", "--plain-http"],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment())
        end = time.monotonic() + 60
        while not list((tmp_path / "registry").rglob("_uploads/*")) and time.monotonic() < end:
            time.sleep(0.01)
    with real_registry(tmp_path / "registry", port=port) as host:
        out, error = process.communicate(timeout=300)
        assert process.returncode == 0, (out, error)
        pulled(tmp_path / "other", Host(host))
    assert manifests(tmp_path / "other") == manifests(root)


def test_with_tls_and_a_login(tmp_path, root):
    from test_remote import make_certificates
    keys = make_certificates(tmp_path / "keys")
    (tmp_path / "htpasswd").write_text(subprocess.run(["htpasswd", "-nbB", "me", "secret"], check=True,
                                                      capture_output=True, text=True).stdout)
    tls = f"  tls: {{certificate: {keys}/server.crt, key: {keys}/server.key}}\n"
    auth = f"auth:\n  htpasswd: {{realm: r, path: {tmp_path}/htpasswd}}\n"
    with real_registry(tmp_path / "registry", tls, auth) as host:
        words = ["--ca-file", keys / "ca.crt"]
        refused(push(root, Host(host), *words, plain=()), "login-missing", 1)
        login = [*words, "--user", "me", "--password-stdin"]
        pushed(root, Host(host), *login, plain=(), input="secret", stdin=None)
        result = run("--root", tmp_path / "other", "pull", f"{host}/{NAME}", *login, input="secret", env=environment())
        assert result.returncode == 0, result
    assert manifests(tmp_path / "other") == manifests(root)


def test_an_interrupted_push_goes_on(root):
    shelf = Shelf()

    def slow(request):
        content = shelf.good(request)
        content.pause = 0.2
        return content
    shelf.trouble = slow
    with shelf.serve() as registry:
        with subprocess.Popen([CLI, "--root", root, "push", PROFILE, f"{registry.host}/{NAME}", "--plain-http"],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()) as process:
            while len(shelf.blobs) < 5:
                time.sleep(0.01)
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=60)
    assert process.returncode != 0 and not shelf.manifests
    shelf.trouble = lambda request: None
    with shelf.serve() as registry:  # one that has not to go on with what was sent to the other
        told = pushed(root, registry)
        sent = sum(request.method == "PUT" and "/blobs/" in request.path for request in registry.requests)
        assert told["new_blobs"] == sent <= told["blobs"] - 5
    assert config_of(shelf) in shelf.blobs
