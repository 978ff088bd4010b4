# SPDX-License-Identifier: MIT
"""Registries, proxies and helpers that mean harm, or are far gone."""
import base64
import json
import os
import resource
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from store_cli import CLI, build, good, make_files, manifests
from test_pull import BIG, MANY, digest_at, export, make_keys, pulled  # noqa: F401
from test_pull import refused as pull_refused
from test_push import push
from test_remote import BASIC, TAGS, listed, make_certificates, one_after_the_other, refused, tags

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "harness"))
from fake_registry import Answer, FakeRegistry  # noqa: E402
from shelf_registry import Shelf, digest_of  # noqa: E402


@pytest.fixture(name="root")
def make_root(tmp_path):
    build(tmp_path / "store", make_files(tmp_path / "profile", MANY))
    return tmp_path / "store"


# ---- what is secret ----

@pytest.mark.parametrize("proxy", [
    "foo://me:secret@h:1", "http://me:secret@[::1", "http://me:secret@h:99999", "://me:secret@h", "http://me:secret@h o/",
    "http://me:sec/secret@h:1", "http://me:secret@"])
def test_a_proxy_that_can_be_none(proxy):
    result = tags("registry.example", http_proxy=proxy, https_proxy=proxy)
    refused(result, "invalid", 5, "no URL of a proxy")


def test_a_password_in_the_name():
    refused(tags("127.0.0.1:1", "--plain-http", "--user", "me:secret", "--password-stdin", stdin="x"), "invalid", 5,
            "colon")


@pytest.mark.parametrize("plain", [True, False])
@pytest.mark.parametrize("status, word", [(407, "wants a login"), (403, "status 403")])
def test_a_proxy_that_refuses(plain, status, word):
    def answer(request):
        return Answer(status, headers={"Connection": "close"}) if plain or request.method == "CONNECT" else TAGS
    with FakeRegistry(answer) as proxy:
        found = f"http://me:secret@{proxy.host}"
        result = tags("registry.example", *["--plain-http"][:plain], http_proxy=found, https_proxy=found)
    if status == 403 and plain:  # it could be the registry's own
        refused(result, "forbidden", 1)
    else:
        refused(result, "proxy-refused", 9, word, "registry.example")


# ---- where registries lead ----

def own_address():
    """Of this host, on its network."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            pytest.skip("this host has no network")
        address = probe.getsockname()[0]
    if address.startswith("127."):
        pytest.skip("this host has no network")
    return address


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.1", "0x7f000001", "[::ffff:127.0.0.1]", "0.0.0.0"])
def test_a_registry_elsewhere_leads_to_nothing_of_this_host(host):
    with FakeRegistry(lambda _: TAGS) as service:
        move = Answer(302, headers={"Location": f"http://{host}:{service.port}/"})
        follow = Answer(body=TAGS.body, headers={"Link": f'<http://{host}:{service.port}/>; rel="next"'})
        for answer in (move, follow):
            with FakeRegistry(one_after_the_other(answer), address=own_address()) as registry:
                refused(tags(registry.host, "--plain-http"), "local-address", 1, host, "elsewhere")
        assert not service.requests


def test_nor_does_an_upload(root):
    with FakeRegistry(lambda _: Answer(201)) as service:
        shelf = Shelf()
        shelf.trouble = lambda request: Answer(202, headers={"Location": f"http://{service.host}/containers/x/kill"}) \
            if request.method == "POST" else None
        with FakeRegistry(shelf, address=own_address()) as registry:
            pull_refused(push(root, registry), "local-address", 1)
        assert not service.requests


def test_but_one_that_is_here_may():
    """By whatever name."""
    with FakeRegistry(lambda _: TAGS) as storage:
        move = Answer(302, headers={"Location": f"http://localhost:{storage.port}/"})
        with FakeRegistry(one_after_the_other(move)) as registry:
            assert listed(tags(registry.host, "--plain-http")) == ["one", "two"]
    

def test_no_page_over_plain_http(tmp_path):
    keys = make_certificates(tmp_path / "keys")
    with FakeRegistry(lambda _: TAGS) as plain:
        answer = Answer(body=TAGS.body, headers={"Link": f'<http://{plain.host}/>; rel="next"'})
        with FakeRegistry(one_after_the_other(answer), (keys / "server.crt", keys / "server.key")) as registry:
            refused(tags(registry.host, "--ca-file", keys / "ca.crt"), "not-a-registry", 5, "plain HTTP")
        assert not plain.requests


# ---- how much they take ----

def test_pages_full_of_tags_do_not_fill_the_memory():
    page = b'{"tags": [' + b",".join([b'"a"'] * 900000) + b"]}"
    limit = 512 << 20
    more = {"Link": '</v2/a/tags/list?last=a>; rel="next"'}
    with FakeRegistry(lambda request: Answer(body=page, headers=more)) as registry:
        result = subprocess.run([CLI, "--json", "tags", f"{registry.host}/a", "--plain-http"], capture_output=True,
                                text=True, check=False, timeout=300,
                                preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_DATA, (limit, limit)))
        refused(result, "not-a-registry", 5, "more tags")
        assert len(registry.requests) == 2


def test_an_end_that_does_not_come_is_not_waited_for_again(tmp_path, root):
    """All bytes are there; only the chunk that ends them is not."""
    shelf = Shelf(export(tmp_path, root, "layout"))
    big = digest_at(root, BIG)
    body = b"%x\r\n" % len(shelf.blobs[big]) + shelf.blobs[big] + b"\r\n"
    headers = {"Content-Length": None, "Transfer-Encoding": "chunked", "Connection": "close"}
    shelf.trouble = lambda request: Answer(body=body, cut=1 << 30, headers=headers) if request.path.endswith(big) else None
    with shelf.serve() as registry:
        pulled(tmp_path / "other", registry)
    assert len([request for request in registry.requests if request.path.endswith(big)]) == 1


# ---- signatures that nobody asked for ----

def with_signatures(layout, signatures):
    shelf = Shelf(layout)
    manifest = json.loads(shelf.manifests["latest"])
    layers = []
    for content in signatures:
        shelf.blobs[digest_of(content)] = content
        layers.append({"mediaType": "application/vnd.volt-qemu.signature.v1", "digest": digest_of(content),
                       "size": len(content)})
    manifest["layers"] = layers + manifest["layers"]
    shelf.manifests["latest"] = json.dumps(manifest).encode()
    return shelf


def signature_by(root, key):
    (revision,) = manifests(root)
    path = root.parent / "signature"
    subprocess.run(["signify-openbsd", "-S", "-s", f"{key}.sec", "-m", root / f"cas/refs/{revision}.json", "-x", path],
                   check=True)
    return path.read_bytes()


@pytest.mark.parametrize("trusting", [True, False])
def test_junk_keeps_no_signature_out(tmp_path, root, keys, trusting):
    old, new = keys
    layout, other = export(tmp_path, root, "layout"), tmp_path / "other"
    by_old, by_new = signature_by(root, old), signature_by(root, new)
    comment, _, rest = by_old.partition(b"\n")
    junk = [[by_old, *(b"junk %d" % i for i in range(15))], [comment + b"%d\n" % i + rest for i in range(16)]]
    for signatures in junk:
        with with_signatures(layout, signatures).serve() as registry:
            pulled(other, registry, *["--key", f"{old}.pub"][:2 * trusting])
    with with_signatures(layout, [by_old, by_new]).serve() as registry:
        pulled(other, registry, "--key", f"{old}.pub", "--key", f"{new}.pub")
    good("--root", other, "verify", "--key", f"{new}.pub")
    good("--root", other, "verify", "--key", f"{old}.pub")
    assert sum(1 for _ in other.glob("cas/signatures/*/*")) == 16


# ---- what tells logins ----

@pytest.fixture(name="registry")
def make_registry():
    def wants_basic(request):
        good = request.headers.get("authorization") == BASIC
        return TAGS if good else Answer(401, headers={"WWW-Authenticate": "Basic realm=r"})
    with FakeRegistry(wants_basic) as registry:
        yield registry


ANSWER = """echo '{"Username": "me", "Secret": "secret"}'\n"""


@pytest.mark.parametrize("script, code, word", [
    ("exec sleep 100", 7, "waiting for docker-credential-test"),
    (ANSWER + "exec >&-\nexec sleep 100", 1, "does not end"),
    (f"trap '' PIPE\nwhile :; do echo {'x' * 60} 2>&-; done", 1, "answers without end"),
    ("exec yes", 1, "answers without end"),
    ("kill -SEGV $$", 1, "signal 11"),
    ("printf 'the store \\033[31m is locked\\nx'; exit 3", 1, "with status 3: the store \\x1B[31m is locked"),
    ("echo '[1]'", 5, "has no login"), ("echo '{\"Username\": 1}'", 5, "has no login"), ("echo x", 1, "no JSON"),
])
def test_helpers_that_are_far_gone(registry, tmp_path, script, code, word):
    helper = tmp_path / "docker-credential-test"
    helper.write_text(f"#!/bin/sh\n{script}\n")
    helper.chmod(0o755)
    (tmp_path / "auth.json").write_text('{"credsStore": "test"}')
    start = time.monotonic()
    result = tags(registry.host, "--plain-http", "--authfile", tmp_path / "auth.json", "--timeout",
                  "3" if code == 7 else "60", PATH=f"{tmp_path}:{os.environ['PATH']}")
    assert result.returncode == code, result
    assert word in json.loads(result.stderr.splitlines()[-1])["error"]["message"] and "secret" not in result.stderr
    assert time.monotonic() - start < 50


@pytest.mark.parametrize("option", ["--ca-file", "--cert"])
def test_a_fifo_of_certificates_is_not_waited_for(tmp_path, option):
    """Within the TLS library nobody could end it."""
    os.mkfifo(tmp_path / "fifo")
    with FakeRegistry(lambda _: TAGS) as registry:
        result = tags(registry.host, option, tmp_path / "fifo", "--timeout", "60")
    refused(result, "certificate", 9, "is no regular file", f"{tmp_path}/fifo")


@pytest.mark.parametrize("option", ["--authfile", "--login-file"])
def test_a_fifo_that_nobody_writes_is_waited_for_as_long_as_there_is_time(registry, tmp_path, option):
    os.mkfifo(tmp_path / "fifo")
    refused(tags(registry.host, "--plain-http", option, tmp_path / "fifo", "--timeout", "2"), "deadline", 7, "fifo")
    login = "me:secret\n" if option == "--login-file" else json.dumps(
        {"auths": {registry.host: {"auth": base64.b64encode(b"me:secret").decode()}}})
    with subprocess.Popen(["sh", "-c", 'printf %s "$1" >"$2"', "sh", login, tmp_path / "fifo"]):
        result = tags(registry.host, "--plain-http", option, tmp_path / "fifo", "--timeout", "60")
        assert listed(result) == ["one", "two"]


def test_no_login_is_cut_off(registry, tmp_path):
    (tmp_path / "login").write_text("me:secret" + "x" * 70000)
    assert "more than 65536 bytes" in tags(registry.host, "--plain-http", "--login-file", tmp_path / "login").stderr
    result = tags(registry.host, "--plain-http", "--user", "me", "--password-stdin", stdin="secret" + "x" * 70000)
    assert result.returncode == 5 and "more than 65536 bytes" in result.stderr
