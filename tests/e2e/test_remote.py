# SPDX-License-Identifier: MIT
"""Registries: a real one, and one that does what real ones do on bad days."""
import base64
import http.client
import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "harness"))
from fake_registry import Answer, FakeRegistry, real_registry  # noqa: E402

SOURCE = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("BUILD_DIR", SOURCE / "build"))
CLI = os.environ.get("VOLT_QEMU", str(BUILD / "examples/volt-qemu/volt-qemu"))
TAGS = Answer(body=b'{"name": "a", "tags": ["two", "one", "two"]}')
LOGIN = ["--user", "me", "--password-stdin"]
BASIC = "Basic " + base64.b64encode(b"me:secret").decode()


def volt(*words, stdin="", **variables):
    """Without the files and variables of whoever runs the tests."""
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "XDG_RUNTIME_DIR": "/nonexistent", **variables}
    for name in ("LD_LIBRARY_PATH", "LD_PRELOAD", "ASAN_OPTIONS", "UBSAN_OPTIONS"):
        if name in os.environ:
            environment.setdefault(name, os.environ[name])
    return subprocess.run([CLI, *map(str, words)], input=stdin, capture_output=True, text=True, env=environment,
                          timeout=300, check=False)


def tags(host, *words, **keywords):
    return volt("tags", f"{host}/a", "--json", *words, **keywords)


def listed(result):
    assert result.returncode == 0, result
    return json.loads(result.stdout)["tags"]


def refused(result, reason, status, *words):
    """The error that is told."""
    assert result.returncode == status and not result.stdout, result
    error = json.loads(result.stderr)["error"]
    assert error["reason"] == reason, error
    for word in words:
        assert word in error["message"], error
    assert "secret" not in result.stderr and "sig=" not in result.stderr
    return error


def one_after_the_other(*answers):
    """The last one goes on."""
    left = list(answers)
    return lambda request: left.pop(0) if len(left) > 1 else left[0]


def asked(*answers, words=(), **keywords):
    with FakeRegistry(one_after_the_other(*answers)) as registry:
        return tags(registry.host, "--plain-http", *words, **keywords), registry


# ---- what comes ----

def test_tags_are_sorted_and_each_is_there_once():
    result, registry = asked(TAGS)
    assert json.loads(result.stdout) == {"repository": f"{registry.host}/a", "tags": ["one", "two"]}
    (request,) = registry.requests
    assert request.path.startswith("/v2/a/tags/list?n=")
    assert "authorization" not in request.headers and "accept-encoding" not in request.headers
    assert request.headers["user-agent"].startswith("volt-qemu/")


def test_text_is_one_tag_a_line():
    with FakeRegistry(one_after_the_other(TAGS)) as registry:
        assert volt("tags", f"{registry.host}/a", "--plain-http").stdout == "one\ntwo\n"


def test_no_tags_are_no_error():
    assert listed(asked(Answer(body=b'{"name": "a", "tags": null}'))[0]) == []


def test_that_no_socket_can_be_made_is_no_matter_of_the_registry():
    with FakeRegistry(lambda _: TAGS) as registry:
        said = {subprocess.run(["prlimit", f"--nofile={limit}:{limit}", CLI, "tags", f"{registry.host}/a", "--plain-http"],
                               capture_output=True, text=True, check=False, timeout=60).stderr for limit in range(4, 16)}
    assert any(f"cannot list the tags of {registry.host}/a: {registry.host} is not asked, since no socket can be made"
               in line for line in said), said


PAGES = 21


def a_page(request):
    number = int(re.search(r"last=(\d+)|$", request.path)[1] or 0)
    link = {"Link": f'</v2/a/tags/list?last={number + 1}>; rel="next"'} if number < PAGES - 1 else {}
    return Answer(body=b'{"tags": ["t%d"]}' % number, headers=link)


def test_pages_are_followed_by_their_links():
    with FakeRegistry(a_page) as registry:
        assert listed(tags(registry.host, "--plain-http")) == sorted(f"t{i}" for i in range(PAGES))


def test_each_answer_is_taken_when_it_comes():
    """What waits a tenth of a second for each takes 20 times as long as the peer."""
    def time_of(work):
        start = time.monotonic()
        work()
        return time.monotonic() - start

    def ask_with_the_peer(host):
        connection = http.client.HTTPConnection(host)
        for number in range(PAGES):
            connection.request("GET", f"/v2/a/tags/list?last={number}")
            connection.getresponse().read()

    with FakeRegistry(a_page) as registry:
        peer = min(time_of(lambda: ask_with_the_peer(registry.host)) for _ in range(3))
        own = min(time_of(lambda: tags(registry.host, "--plain-http")) for _ in range(3))
    assert own < 10 * peer


def test_pages_without_end_are_refused():
    endless = Answer(body=b'{"tags": ["a"]}', headers={"Link": "</v2/a/tags/list?x>; rel=next"})
    result, registry = asked(endless)
    refused(result, "not-a-registry", 5, "more pages")
    assert len(registry.requests) == 100


@pytest.mark.parametrize("answer", [
    Answer(body=b"<html>Log in</html>", headers={"Content-Type": "text/html"}),
    Answer(body=b'{"tags": "a"}'), Answer(body=b'{"tags": [1]}'), Answer(body=b'{"tags": ["../a"]}'), Answer(body=b""),
    Answer(body=b'{"tags": ["\x1b[2J"]}'), Answer(body=b"{}"), Answer(body=b'{"tags": ["a"], "tags": ["b"]}'),
    Answer(body=b"x" * (4 << 20) + b"x"), Answer(body=b"", headers={"Content-Length": str(1 << 40)}, cut=0),
    Answer(headers={"X-Long": ["x" * 8000] * 12}), Answer(headers={"X-Long": "x" * 200000}),
    Answer(words="x" * 200000), Answer(404, headers={"X-Long": "x" * 200000}),
])
def test_what_is_no_list_of_tags_is_refused(answer):
    refused(asked(answer)[0], "not-a-registry", 5, "127.0.0.1:")


@pytest.mark.parametrize("answer", [Answer(headers={"X-Long": "x" * 200000}), Answer(words="x" * 200000)])
def test_a_long_line_is_no_lack_of_memory(answer):
    """libcurl may say so. As memory can lack for a moment, it is asked once more, and no further."""
    result, registry = asked(answer)
    refused(result, "not-a-registry", 5, "cannot list the tags of", "a header line that is too long")
    assert len(registry.requests) == 2
    assert listed(asked(answer, TAGS)[0]) == ["one", "two"]


# ---- refusals and second tries ----

def test_what_is_not_there():
    error = {"errors": [{"code": "NAME_UNKNOWN", "message": "no \x1b[2J such"}]}
    result, _ = asked(Answer(404, json.dumps(error).encode()))
    refused(result, "no-repository", 3, "NAME_UNKNOWN: no \\x1B[2J such", "not logged in")


def test_a_refusal_may_be_endless():
    refused(asked(Answer(403, b"x" * 200000))[0], "forbidden", 1)


@pytest.mark.parametrize("trouble", [
    Answer(503), Answer(500), Answer(502), Answer(504), Answer(408), Answer(429), Answer(reset=True),
    Answer(body=TAGS.body, cut=5), Answer(429, headers={"Retry-After": "1"}),
])
def test_what_may_pass_is_tried_again(trouble):
    result, registry = asked(trouble, trouble, TAGS)
    assert listed(result) == ["one", "two"]
    assert len(registry.requests) == 3


def test_the_pause_that_is_asked_for_is_kept():
    begin = time.monotonic()
    assert listed(asked(Answer(503, headers={"Retry-After": "3"}), TAGS)[0]) == ["one", "two"]
    assert time.monotonic() - begin >= 2.9


def test_so_is_that_until_a_time():
    later = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 4))
    begin = time.monotonic()
    assert listed(asked(Answer(429, headers={"Retry-After": later}), TAGS)[0]) == ["one", "two"]
    assert time.monotonic() - begin >= 1.5


def test_a_long_pause_is_told_at_once():
    result, registry = asked(Answer(429, headers={"Retry-After": "3600"}))
    refused(result, "throttled", 9, "a pause of 3600 s")
    assert len(registry.requests) == 1


def test_a_403_can_be_about_rates():
    refused(asked(Answer(403, b'{"message": "secondary rate limit"}'))[0], "throttled", 9)


def test_it_is_not_tried_for_ever():
    result, registry = asked(Answer(503, b'{"errors": [{"message": "maintenance"}]}'))
    refused(result, "server-failed", 9, "status 503", "tried 6 times", "maintenance")
    assert len(registry.requests) == 6


def test_nobody_there():
    refused(tags("127.0.0.1:1", "--plain-http"), "unreachable", 9, "127.0.0.1:1", "tried 6 times")


def test_a_deadline_tells_what_was_in_the_way():
    error = refused(tags("127.0.0.1:1", "--plain-http", "--timeout", "2"), "deadline", 7, "127.0.0.1: ", "list the tags")
    assert "onnect" in error["message"]


def test_a_deadline_ends_a_stall():
    begin = time.monotonic()
    refused(asked(Answer(body=TAGS.body, pause=20), words=["--timeout", "2"])[0], "deadline", 7)
    assert time.monotonic() - begin < 15


# ---- redirects ----

@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_followed_without_the_login(status):
    with FakeRegistry(lambda _: TAGS) as other:
        def answer(request):
            if "authorization" not in request.headers:
                return Answer(401, headers={"WWW-Authenticate": 'Basic realm="r"'})
            return Answer(status, headers={"Location": f"http://{other.host}/elsewhere?sig=secret"})
        with FakeRegistry(answer) as registry:
            assert listed(tags(registry.host, "--plain-http", *LOGIN, stdin="secret\n")) == ["one", "two"]
        assert registry.requests[-1].headers["authorization"] == BASIC
        assert [request.path for request in other.requests] == ["/elsewhere?sig=secret"]
        assert "authorization" not in other.requests[0].headers


@pytest.mark.parametrize("location", ["file:///etc/passwd", "ftp://127.0.0.1/", "//", "", "http://a b/", None,
                                      "gopher://127.0.0.1:1/x", "http://me:secret@127.0.0.1/"])
def test_a_redirect_elsewhere_is_refused(location):
    result, _ = asked(Answer(302, headers={"Location": location}))
    if location == "":  # it means the same place
        refused(result, "not-a-registry", 5)
    else:
        refused(result, "not-a-registry", 5, "no URL of HTTP")


def test_redirects_without_end_are_refused():
    result, registry = asked(Answer(302, headers={"Location": "/v2/a/tags/list"}))
    refused(result, "not-a-registry", 5, "one redirect after the other")
    assert len(registry.requests) == 6


def test_a_next_page_of_another_host_sees_no_login():
    with FakeRegistry(lambda _: TAGS) as other:
        def answer(request):
            if "authorization" not in request.headers:
                return Answer(401, headers={"WWW-Authenticate": "Basic realm=r"})
            return Answer(body=b'{"tags": []}', headers={"Link": f"<http://{other.host}/next>; rel=next"})
        with FakeRegistry(answer) as registry:
            assert listed(tags(registry.host, "--plain-http", *LOGIN, stdin="secret")) == ["one", "two"]
        assert "authorization" not in other.requests[0].headers


# ---- logins ----

class Tokens:
    """A registry that wants tokens, and the server that gives them, which are good for so many requests."""

    def __init__(self, uses=1000, challenge=True, **fields):
        self.uses, self.left, self.given, self.fields = uses, 0, 0, fields
        self.realm, self.challenge = None, challenge

    def __call__(self, request):
        if request.path.startswith("/token"):
            self.given, self.left = self.given + 1, self.uses
            return Answer(body=json.dumps(self.fields or {"token": f"t{self.given}"}).encode())
        if request.headers.get("authorization") == f"Bearer t{self.given}" and self.left > 0:
            self.left -= 1
            number = int(re.search(r"last=(\d+)|$", request.path)[1] or 0)
            link = {"Link": f"</v2/a/tags/list?last={number + 1}>; rel=next"} if number < 5 else {}
            return Answer(body=b'{"tags": ["t%d"]}' % number, headers=link)
        realm = self.realm or f"http://{request.headers['host']}/token"
        return Answer(401, headers={"WWW-Authenticate": f'Bearer realm="{realm}",service="s&x"'
                                    + (',scope="repository:a:pull"' if self.challenge else "")})


@pytest.mark.parametrize("challenge", [True, False])
def test_a_token_for_nobody(challenge):
    with FakeRegistry(Tokens(challenge=challenge)) as registry:
        assert len(listed(tags(registry.host, "--plain-http"))) == 6
    (asking,) = [request for request in registry.requests if request.path.startswith("/token")]
    assert asking.path == "/token?service=s%26x&scope=repository%3Aa%3Apull"
    assert asking.method == "GET" and "authorization" not in asking.headers


def test_a_token_for_somebody_which_expires():
    with FakeRegistry(Tokens(uses=2)) as registry:
        assert len(listed(tags(registry.host, "--plain-http", *LOGIN, stdin="secret"))) == 6
    asking = [request for request in registry.requests if request.path.startswith("/token")]
    assert len(asking) == 3 and {request.headers["authorization"] for request in asking} == {BASIC}
    assert not any(request.headers.get("authorization") == BASIC for request in registry.requests
                   if not request.path.startswith("/token"))


def test_an_identity_token_is_posted(tmp_path):
    with FakeRegistry(Tokens(access_token="t1")) as registry:
        (tmp_path / "auth.json").write_text(json.dumps({"auths": {registry.host: {"identitytoken": "se/cret"}}}))
        assert listed(tags(registry.host, "--plain-http", "--authfile", tmp_path / "auth.json"))
    (asking,) = [request for request in registry.requests if request.path.startswith("/token")]
    assert asking.method == "POST" and asking.path == "/token" and "authorization" not in asking.headers
    assert asking.body == (b"grant_type=refresh_token&client_id=volt-qemu&service=s%26x&"
                           b"scope=repository%3Aa%3Apull&refresh_token=se%2Fcret")


@pytest.mark.parametrize("fields", [{"token": ""}, {"token": "a\r\nX: y"}, {"token": "a b"}, {"token": 1},
                                    {"token": "x" * 20000}, {"other": "x"}, {"token": "x" * 100000}])
def test_a_token_that_can_be_none_is_refused(fields):
    with FakeRegistry(Tokens(**fields)) as registry:
        refused(tags(registry.host, "--plain-http"), "not-a-registry", 5)


def test_a_server_without_tokens_says_nothing_of_the_repository():
    def answer(request):
        if request.path.startswith("/token"):
            return Answer(404)
        return Answer(401, headers={"WWW-Authenticate": f'Bearer realm="http://{request.headers["host"]}/token"'})
    with FakeRegistry(answer) as registry:
        refused(tags(registry.host, "--plain-http"), "not-a-registry", 5, "404 when it is asked for a token")


def test_a_token_that_does_not_help_is_tried_once():
    with FakeRegistry(Tokens(token="other")) as registry:
        refused(tags(registry.host, "--plain-http"), "login-missing", 1)
        assert len(registry.requests) == 3


def test_a_wrong_password():
    result, registry = asked(Answer(401, headers={"WWW-Authenticate": "Basic realm=r"}), words=LOGIN, stdin="secret")
    refused(result, "login-refused", 1, "the login of me")
    assert len(registry.requests) == 2


def test_a_login_is_missing():
    error = refused(asked(Answer(401, headers={"WWW-Authenticate": "Basic realm=r"}))[0], "login-missing", 1)
    assert "skopeo login 127.0.0.1:" in error["hint"]


def test_a_challenge_that_cannot_be_met():
    refused(asked(Answer(401, headers={"WWW-Authenticate": "Negotiate"}), words=LOGIN, stdin="secret")[0],
            "login-refused", 1)
    refused(asked(Answer(401))[0], "login-missing", 1)
    refused(asked(Answer(401, headers={"WWW-Authenticate": "Bearer service=x"}))[0], "not-a-registry", 5, "no server")


@pytest.mark.parametrize("realm", ["http://169.254.169.254/token", "http://10.0.0.1/token", "http://[fe80::1]/token"])
def test_a_login_does_not_go_in_the_clear_to_another_host(realm):
    tokens = Tokens()
    tokens.realm = realm
    with FakeRegistry(tokens) as registry:
        refused(tags(registry.host, "--plain-http", *LOGIN, stdin="secret"), "token-server", 1, "plain HTTP")


def test_nobody_logs_in_in_the_clear_elsewhere():
    refused(volt("tags", "registry.example/a", "--plain-http", "--json", *LOGIN, stdin="secret"), "plain-login", 5)


def test_a_server_for_tokens_is_not_followed_elsewhere():
    def answer(request):
        if request.path.startswith("/token"):
            return Answer(302, headers={"Location": "/other"})
        return Answer(401, headers={"WWW-Authenticate": f'Bearer realm="http://{request.headers["host"]}/token"'})
    with FakeRegistry(answer) as registry:
        refused(tags(registry.host, "--plain-http", *LOGIN, stdin="secret"), "not-a-registry", 5, "redirect")
    assert not any(request.path == "/other" for request in registry.requests)


# ---- where logins are ----

def wants_basic(request):
    good = request.headers.get("authorization") == BASIC
    return TAGS if good else Answer(401, headers={"WWW-Authenticate": "Basic realm=r"})


AUTH = {"auth": base64.b64encode(b"me:secret").decode()}


@pytest.fixture(name="registry")
def make_registry():
    with FakeRegistry(wants_basic) as registry:
        yield registry


def test_the_files_of_podman_and_docker(registry, tmp_path):
    places = {"run/containers/auth.json": {"XDG_RUNTIME_DIR": "run"}, "config/containers/auth.json":
              {"XDG_CONFIG_HOME": "config"}, "home/.config/containers/auth.json": {"HOME": "home"},
              "home2/.docker/config.json": {"HOME": "home2"}, "docker/config.json": {"DOCKER_CONFIG": "docker"},
              "only.json": {"REGISTRY_AUTH_FILE": "only.json"}}
    for place, variables in places.items():
        path = tmp_path / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"auths": {registry.host: AUTH}}))
        found = {name: str(tmp_path / value) for name, value in variables.items()}
        assert listed(tags(registry.host, "--plain-http", **found)) == ["one", "two"], place


@pytest.mark.parametrize("entries", [
    {"{}/a": AUTH, "{}": {"auth": "eDp5"}}, {"https://{}/v1/": AUTH}, {"{}": AUTH, "other": {"auth": "eDp5"}}])
def test_the_nearest_entry_counts(registry, tmp_path, entries):
    named = {key.format(registry.host): value for key, value in entries.items()}
    (tmp_path / "auth.json").write_text(json.dumps({"auths": named}))
    assert listed(tags(registry.host, "--plain-http", "--authfile", tmp_path / "auth.json")) == ["one", "two"]


@pytest.mark.parametrize("document, status, word", [
    ("{", 5, "broken in line 1"), ('{"auths": {"HOST": {"auth": "eA=="}}}', 5, "NAME:PASSWORD"), (None, 3, "cannot open")])
def test_a_broken_file_of_logins(registry, tmp_path, document, status, word):
    path = tmp_path / "auth.json"
    if document:
        path.write_text(document.replace("HOST", registry.host))
    result = tags(registry.host, "--plain-http", "--authfile", path)
    assert result.returncode == status and word in json.loads(result.stderr)["error"]["message"]


@pytest.mark.parametrize("login", [{"auth": base64.b64encode(b"m\ne:secret").decode()}, {"identitytoken": "a\nb"},
                                   {"auth": base64.b64encode(b"me:sec\rret").decode()}])
def test_a_login_that_cannot_be_names_the_file(registry, tmp_path, login):
    path = tmp_path / "auth.json"
    path.write_text(json.dumps({"auths": {registry.host: login}}))
    result = tags(registry.host, "--plain-http", "--authfile", path)
    assert result.returncode == 5 and json.loads(result.stderr)["error"]["message"].startswith(f"{path}: ")
    assert "sec" not in result.stderr


def test_a_login_that_cannot_be_names_where_it_is_from(registry, tmp_path):
    (tmp_path / "login").write_text("m\te:secret\n")
    (tmp_path / "auth.json").write_text('{"credsStore": "test"}')
    helper = tmp_path / "docker-credential-test"
    helper.write_text('#!/bin/sh\necho \'{"Username": "m:e", "Secret": "secret"}\'\n')
    helper.chmod(0o755)
    search = f"{tmp_path}:{os.environ['PATH']}"
    for words, begin in ((["--login-file", tmp_path / "login"], f"{tmp_path}/login: "),
                         (["--authfile", tmp_path / "auth.json"], "docker-credential-test: ")):
        result = tags(registry.host, "--plain-http", *words, PATH=search)
        assert result.returncode == 5 and json.loads(result.stderr)["error"]["message"].startswith(begin)


@pytest.mark.parametrize("key", ["credHelpers", "credsStore"])
def test_a_helper_is_asked(registry, tmp_path, key):
    helper = tmp_path / "docker-credential-test"
    helper.write_text('#!/bin/sh\n[ "$1" = get ] && [ "$(cat)" = %s ] &&\n'
                      'echo \'{"ServerURL": "x", "Username": "me", "Secret": "secret"}\'\n' % registry.host)
    helper.chmod(0o755)
    path = tmp_path / "auth.json"
    path.write_text(json.dumps({key: {registry.host: "test"} if key == "credHelpers" else "test"}))
    search = f"{tmp_path}:{os.environ['PATH']}"
    assert listed(tags(registry.host, "--plain-http", "--authfile", path, PATH=search)) == ["one", "two"]
    helper.write_text("#!/bin/sh\necho credentials not found in native keychain; exit 1\n")
    refused(tags(registry.host, "--plain-http", "--authfile", path, PATH=search), "login-missing", 1)
    helper.write_text("#!/bin/sh\nexit 1\n")
    assert tags(registry.host, "--plain-http", "--authfile", path, PATH=search).returncode == 1
    path.write_text(json.dumps({"credsStore": "../../x"}))
    assert tags(registry.host, "--plain-http", "--authfile", path, PATH=search).returncode == 5


def test_a_file_of_one_login(registry, tmp_path):
    (tmp_path / "login").write_text("me:secret\n")
    assert listed(tags(registry.host, "--plain-http", "--login-file", tmp_path / "login")) == ["one", "two"]
    (tmp_path / "login").write_text("secret\n")
    assert tags(registry.host, "--plain-http", "--login-file", tmp_path / "login").returncode == 5


def test_a_user_needs_a_password(registry):
    assert tags(registry.host, "--plain-http", "--user", "me").returncode == 2


# ---- proxies and the environment ----

def test_a_proxy_of_the_environment():
    with FakeRegistry(lambda _: TAGS) as proxy:
        found = {"http_proxy": f"http://{proxy.host}"}
        assert listed(tags("registry.example:80", "--plain-http", **found)) == ["one", "two"]
        assert proxy.requests[0].path.startswith("http://registry.example/v2/")
        with FakeRegistry(lambda _: TAGS) as registry:
            for excepted in ("127.0.0.1", "x, .0.0.1", "*"):
                assert listed(tags(registry.host, "--plain-http", no_proxy=excepted, **found))
            assert len(registry.requests) == 3 and len(proxy.requests) == 1


def test_the_library_looks_at_no_environment(registry):
    """Python's own process has a proxy that leads nowhere."""
    script = ("import sys, voltqemu\n"
              "print(voltqemu.Remote(sys.argv[1], user='me', password='secret', plain_http=True, tries=1).tags())\n")
    found = {**os.environ, "PYTHONPATH": str(SOURCE / "examples/python"), "LD_LIBRARY_PATH": str(BUILD / "lib"),
             **{name: "http://127.0.0.1:1" for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY")}}
    result = subprocess.run([sys.executable, "-c", script, f"{registry.host}/a"], env=found, capture_output=True,
                            text=True, check=False, timeout=120)
    assert result.stdout == "['one', 'two']\n", result


def test_nobody_loads_libcurl_but_who_asks_a_registry():
    result = volt("select", LD_DEBUG="libs")
    assert "libvoltqemu" in result.stderr and "libcurl" not in result.stderr


@pytest.mark.skipif(not shutil.which("strace"), reason="no strace")
def test_sockets_are_close_on_exec(registry, tmp_path):
    trace = tmp_path / "trace"
    subprocess.run(["strace", "-f", "-qq", "-e", "trace=socket", "-o", trace, CLI, "tags", f"{registry.host}/a",
                    "--plain-http"], capture_output=True, check=False, timeout=120)
    sockets = [line for line in trace.read_text().splitlines() if "AF_INET" in line and "SOCK_STREAM" in line]
    assert sockets and all("SOCK_CLOEXEC" in line for line in sockets), sockets


# ---- the real thing ----

def make_certificates(directory):
    """An authority, and certificates that it signed for localhost and for a client."""
    directory.mkdir(parents=True, exist_ok=True)

    def openssl(*words):
        subprocess.run(["openssl", *words], cwd=directory, check=True, capture_output=True)

    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj",
            "/CN=authority", "-keyout", "ca.key", "-out", "ca.crt")
    (directory / "names").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
    for name in ("server", "client"):
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}", "-keyout",
                f"{name}.key", "-out", f"{name}.csr")
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days",
                "30", "-extfile", "names", "-out", f"{name}.crt")
    return directory


def push_something(directory, host, *words):
    """Two tags of an artifact, by skopeo."""
    subprocess.run(["/usr/bin/python3", "-c", PUSHED, directory / "layout"], check=True)
    for tag in ("one", "two"):
        subprocess.run(["skopeo", "copy", *words, f"oci:{directory}/layout:t", f"docker://{host}/a:{tag}"], check=True,
                       capture_output=True, timeout=120)


PUSHED = """
import hashlib, json, pathlib, sys
root = pathlib.Path(sys.argv[1])
(root / "blobs/sha256").mkdir(parents=True)
def put(kind, data):
    name = hashlib.sha256(data).hexdigest()
    (root / "blobs/sha256" / name).write_bytes(data)
    return {"mediaType": kind, "digest": "sha256:" + name, "size": len(data)}
kind = "application/vnd.oci.image.manifest.v1+json"
manifest = {"schemaVersion": 2, "mediaType": kind, "config": put("application/x.config", b"{}"),
            "layers": [put("application/x.layer", b"hello")]}
entry = put(kind, json.dumps(manifest).encode())
entry["annotations"] = {"org.opencontainers.image.ref.name": "t"}
(root / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [entry]}))
(root / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
"""


def test_a_real_registry(tmp_path):
    with real_registry(tmp_path / "registry") as host:
        refused(tags(host, "--plain-http"), "no-repository", 3)
        push_something(tmp_path, host, "--dest-tls-verify=false")
        assert listed(tags(host, "--plain-http")) == ["one", "two"]
        refused(tags(host), "no-tls", 9, "perhaps it talks plain HTTP")


def test_a_real_registry_with_tls_and_logins(tmp_path):
    keys = make_certificates(tmp_path / "keys")
    (tmp_path / "htpasswd").write_text(subprocess.run(["htpasswd", "-nbB", "me", "secret"], check=True,
                                                      capture_output=True, text=True).stdout)
    tls = f"  tls: {{certificate: {keys}/server.crt, key: {keys}/server.key}}\n"
    auth = f"auth:\n  htpasswd: {{realm: r, path: {tmp_path}/htpasswd}}\n"
    with real_registry(tmp_path / "registry", tls, auth) as host:
        (tmp_path / "authorities").mkdir()
        shutil.copy(keys / "ca.crt", tmp_path / "authorities")
        push_something(tmp_path, host, "--dest-cert-dir", tmp_path / "authorities", "--dest-creds", "me:secret")
        trusted = ["--ca-file", keys / "ca.crt"]
        assert listed(tags(host, *trusted, *LOGIN, stdin="secret")) == ["one", "two"]
        refused(tags(host, *trusted), "login-missing", 1)
        refused(tags(host, *trusted, *LOGIN, stdin="wrong"), "login-refused", 1)
        error = refused(tags(host, *LOGIN, stdin="secret"), "certificate", 9, "not trusted")
        assert "--ca-file" in error["hint"]
        refused(tags(host, "--plain-http"), "server-failed", 9, "status 400", "does not talk plain HTTP")
        # As podman has it.
        place = tmp_path / f"home/.config/containers/certs.d/{host}"
        place.mkdir(parents=True)
        shutil.copy(keys / "ca.crt", place)
        assert listed(tags(host, *LOGIN, stdin="secret", HOME=str(tmp_path / "home"))) == ["one", "two"]


def test_client_certificates(tmp_path):
    keys = make_certificates(tmp_path / "keys")
    tls = (f"  tls:\n    certificate: {keys}/server.crt\n    key: {keys}/server.key\n"
           f"    clientcas: [{keys}/ca.crt]\n")
    with real_registry(tmp_path / "registry", tls) as host:
        trusted = ["--ca-file", keys / "ca.crt"]
        refused(tags(host, *trusted), "no-tls", 9, "client certificate")
        refused(tags(host, *trusted, "--cert", keys / "client.crt", "--cert-key", keys / "client.key"),
                "no-repository", 3)
        refused(tags(host, *trusted, "--cert", tmp_path / "none"), "certificate", 9, "cannot be used")


def certs_d(directory, host, **files):
    """As podman has them: what is there under which name; its home."""
    place = directory / f"home/.config/containers/certs.d/{host}"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    for name, content in files.items():
        (place / name.replace("_", ".")).write_bytes(content if isinstance(content, bytes) else content.read_bytes())
    return {"HOME": str(directory / "home")}


@pytest.mark.parametrize("right, other", [("a_crt", "b_crt"), ("b_crt", "a_crt")])
def test_each_authority_of_certs_d_is_one(tmp_path, right, other):
    keys, others = make_certificates(tmp_path / "keys"), make_certificates(tmp_path / "others")
    with FakeRegistry(lambda _: TAGS, (keys / "server.crt", keys / "server.key")) as registry:
        found = certs_d(tmp_path, registry.host, **{right: keys / "ca.crt", other: (others / "ca.crt").read_bytes().rstrip()})
        assert listed(tags(registry.host, **found)) == ["one", "two"]
        # What is none is left out, and told.
        result = tags(registry.host, **certs_d(tmp_path, registry.host, **{right: keys / "ca.crt", other: b"\x30\x82\0"}))
        assert listed(result) == ["one", "two"] and "no certificate as PEM" in result.stderr
        refused(tags(registry.host, **certs_d(tmp_path, registry.host, **{other: others / "ca.crt"})), "certificate", 9)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can have other authorities of the system")
def test_authorities_of_certs_d_are_besides_the_systems(tmp_path):
    """To one of which the registry leads."""
    keys, others = make_certificates(tmp_path / "keys"), make_certificates(tmp_path / "others")
    systems = Path("/etc/ssl/certs/ca-certificates.crt")
    if not systems.exists():
        pytest.skip("those of the system are elsewhere")
    with FakeRegistry(lambda _: TAGS, (others / "server.crt", others / "server.key")) as other:
        move = Answer(307, headers={"Location": f"https://{other.host}/"})
        with FakeRegistry(lambda _: move, (keys / "server.crt", keys / "server.key")) as registry:
            found = certs_d(tmp_path, registry.host, ca_crt=keys / "ca.crt")
            result = subprocess.run(
                ["unshare", "-m", "sh", "-c", 'mount --bind "$0" "$1" && shift && exec "$@"', others / "ca.crt", systems,
                 CLI, "tags", f"{registry.host}/a", "--json"], env={**os.environ, **found}, capture_output=True, text=True,
                check=False, timeout=120)
    assert listed(result) == ["one", "two"]


def test_client_certificates_of_certs_d(tmp_path):
    keys = make_certificates(tmp_path / "keys")
    with FakeRegistry(lambda _: TAGS, (keys / "server.crt", keys / "server.key"), clients=keys / "ca.crt") as registry:
        files = {"ca_crt": keys / "ca.crt", "me_cert": keys / "client.crt", "me_key": keys / "client.key"}
        assert listed(tags(registry.host, **certs_d(tmp_path, registry.host, **files))) == ["one", "two"]
        assert registry.requests[0].certificate
        result = tags(registry.host, **certs_d(tmp_path, registry.host, **files, you_cert=b"", you_key=b""))
        assert listed(result) == ["one", "two"] and "you.cert is left out" in result.stderr
        for lone, name in (("me_cert", "me.key"), ("me_key", "me.cert")):
            some = {key: value for key, value in files.items() if key in ("ca_crt", lone)}
            refused(tags(registry.host, **certs_d(tmp_path, registry.host, **some)), "invalid", 5, f"no {name} beside it")


def test_a_client_certificate_is_for_the_registry_alone(tmp_path):
    keys = make_certificates(tmp_path / "keys")
    own, clients = (keys / "server.crt", keys / "server.key"), keys / "ca.crt"
    with FakeRegistry(lambda _: TAGS, own, clients=clients) as other:
        move = Answer(307, headers={"Location": f"https://{other.host}/v2/a/tags/list"})
        with FakeRegistry(lambda _: move, own, clients=clients) as registry:
            result = tags(registry.host, "--ca-file", clients, "--cert", keys / "client.crt", "--cert-key",
                          keys / "client.key")
        assert listed(result) == ["one", "two"]
        assert registry.requests[0].certificate and other.requests[0].certificate is None


def test_a_certificate_for_another_name(tmp_path):
    keys = make_certificates(tmp_path / "keys")
    with FakeRegistry(lambda _: TAGS, (keys / "server.crt", keys / "server.key"), "127.0.0.2") as registry:
        refused(tags(registry.host, "--ca-file", keys / "ca.crt"), "certificate", 9, "not trusted")


def test_https_is_not_left(tmp_path):
    keys = make_certificates(tmp_path / "keys")
    with FakeRegistry(lambda _: TAGS) as plain:
        move = Answer(302, headers={"Location": f"http://{plain.host}/"})
        ask = Answer(401, headers={"WWW-Authenticate": f'Bearer realm="http://{plain.host}/"'})
        for answer, reason, status in ((move, "not-a-registry", 5), (ask, "token-server", 1)):
            with FakeRegistry(one_after_the_other(answer), (keys / "server.crt", keys / "server.key")) as registry:
                refused(tags(registry.host, "--ca-file", keys / "ca.crt"), reason, status)
        assert not plain.requests
