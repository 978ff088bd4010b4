# SPDX-License-Identifier: MIT
"""Signatures by the tools that people have: made, carried wherever a revision goes, and asked for."""
import contextlib
import hashlib
import io
import json
import os
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest
from store_cli import (CLI, FILES, MANIFEST_IN_ARCHIVE, PROFILE, bad, build, good, good_json, kept_files, leftovers,
                       make_files, run, verify)

UNTRUSTED, INVALID, DAMAGED, MISSING = 8, 5, 6, 3
SIGNATURE_TYPE = "application/vnd.volt-qemu.signature.v1"
needs_skopeo = pytest.mark.skipif(not shutil.which("skopeo"), reason="skopeo is not installed")


def do(*words, **options):
    return subprocess.run(words, check=True, capture_output=True, stdin=subprocess.DEVNULL, **options)


class Signify:
    kind = "signify"

    def __init__(self, directory, name):
        self.public, self.secret = directory / f"{name}.pub", directory / f"{name}.sec"
        do("signify-openbsd", "-G", "-n", "-p", self.public, "-s", self.secret)

    def sign(self, path, signature):
        do("signify-openbsd", "-S", "-s", self.secret, "-m", path, "-x", signature)


class Minisign:
    kind = "minisign"

    def __init__(self, directory, name):
        self.public, self.secret = directory / f"{name}.pub", directory / f"{name}.sec"
        do("minisign", "-G", "-W", "-p", self.public, "-s", self.secret)

    def sign(self, path, signature, legacy=True):
        do("minisign", "-S", *["-l"] * legacy, "-W", "-s", self.secret, "-m", path, "-x", signature)


class Openssl:
    kind = "openssl"

    def __init__(self, directory, name):
        self.public, self.secret = directory / f"{name}.pub", directory / f"{name}.sec"
        do("openssl", "genpkey", "-algorithm", "ed25519", "-out", self.secret)
        do("openssl", "pkey", "-in", self.secret, "-pubout", "-out", self.public)

    def sign(self, path, signature):
        do("openssl", "pkeyutl", "-sign", "-rawin", "-inkey", self.secret, "-in", path, "-out", signature)


class Ssh:
    kind = "ssh"

    def __init__(self, directory, name):
        self.secret, self.public = directory / name, directory / f"{name}.pub"
        do("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", self.secret)

    def sign(self, path, signature, namespace="volt-qemu"):
        made = subprocess.run(["ssh-keygen", "-Y", "sign", "-q", "-n", namespace, "-f", self.secret], check=True,
                              input=Path(path).read_bytes(), capture_output=True).stdout
        signature.write_bytes(made)


TOOLS = [Signify, Minisign, Openssl, Ssh]


@pytest.fixture
def root(tmp_path):
    build(tmp_path / "store", make_files(tmp_path / "profile"))
    return tmp_path / "store"


@pytest.fixture
def text(tmp_path, root):
    """The manifest, as a file that tools sign."""
    path = tmp_path / "manifest.json"
    path.write_bytes(good("--root", root, "show", "--text", PROFILE, text=False))
    return path


@pytest.fixture
def signer(tmp_path):
    return Signify(tmp_path, "builder")


def add(root, signer, text, *options):
    signature = text.parent / f"{signer.public.name}.sig"
    signer.sign(text, signature)
    good("--root", root, "signature", "add", PROFILE, signature, *options)
    return signature


def signatures(root):
    return good_json(root, "signatures", PROFILE)


def refused(root, *words, reason="unsigned", status=UNTRUSTED):
    result = run("--root", root, "--json", *words)
    error = json.loads(result.stderr)["error"]
    assert (result.returncode, error["reason"]) == (status, reason), error
    assert not leftovers(root) if Path(root).exists() else True
    return error


def nothing_in(root):
    """Nothing of what was refused: no object, manifest or signature."""
    for name in ("objects", "refs", "signatures", "arrivals"):
        assert not (root / "cas" / name).exists() or not os.listdir(root / "cas" / name), name


# ---- made and found ----

@pytest.mark.parametrize("tool", TOOLS)
def test_each_tool_signs(tmp_path, root, text, tool):
    signer, other = tool(tmp_path, "builder"), tool(tmp_path, "other")
    assert text.read_bytes() == Path(good_json(root, "show", PROFILE)["path"]).read_bytes()
    refused(root, "resolve", "--profile", PROFILE, "--key", signer.public)
    signature = add(root, signer, text, "--key", signer.public)
    (listed,) = signatures(root)
    assert (listed["kind"], listed["fault"]) == (signer.kind, None)
    assert listed["digest"] == hashlib.sha256(signature.read_bytes()).hexdigest()
    kept = root / "cas/signatures" / good_json(root, "show", PROFILE)["revision"] / listed["digest"]
    assert kept.read_bytes() == signature.read_bytes() and kept.stat().st_mode & 0o777 == 0o644
    good("--root", root, "resolve", "--profile", PROFILE, "--key", signer.public)
    good("--root", root, "resolve", "--profile", PROFILE, "--key", other.public, "--key", signer.public)
    verify(root, "--key", signer.public)
    reason = "bad-signature" if tool is Openssl else "untrusted-key"  # which says nothing of its key
    error = refused(root, "resolve", "--profile", PROFILE, "--key", other.public, reason=reason)
    assert error["details"]["trusted"] and (listed["key"] is None) == (tool is Openssl)
    assert listed["key"] is None or listed["key"] in error["details"]["signers"]
    (problem,) = verify(root, "--key", other.public, status=1)["problems"]
    assert problem["kind"] == "signature" and PROFILE in problem["message"]
    refused(root, "signature", "add", PROFILE, signature, "--key", other.public, reason=reason)
    good("--root", root, "signature", "remove", PROFILE, listed["digest"])
    assert signatures(root) == []
    refused(root, "signature", "remove", PROFILE, listed["digest"], reason="no-such-signature", status=MISSING)


def test_keys_follow_each_other(tmp_path, root, text):
    old, new = Signify(tmp_path, "old"), Signify(tmp_path, "new")
    both = tmp_path / "both.pub"
    both.write_bytes(old.public.read_bytes() + new.public.read_bytes())
    for signer in (old, new):
        add(root, signer, text)
        good("--root", root, "resolve", "--profile", PROFILE, "--key", both)
    assert len(signatures(root)) == 2
    for signer in (old, new):
        good("--root", root, "resolve", "--profile", PROFILE, "--key", signer.public)


def test_lines_of_allowed_signers_are_keys(tmp_path, root, text):
    signer = Ssh(tmp_path, "builder")
    allowed = tmp_path / "allowed_signers"
    allowed.write_text(f"# who builds\nbuilder@example namespaces=\"volt-qemu\" {signer.public.read_text()}")
    add(root, signer, text)
    good("--root", root, "resolve", "--profile", PROFILE, "--key", allowed)


def test_what_is_no_signature_is_not_added(tmp_path, root, text, signer):
    signature = tmp_path / "x.sig"
    for content, words in ((b"", "empty"), (b"x" * 4097, "4096"), (text.read_bytes(), "no kind"),
                           (signer.public.read_bytes(), "cut off"), (signer.secret.read_bytes(), "cut off")):
        signature.write_bytes(content)
        bad("--root", root, "signature", "add", PROFILE, signature, status=INVALID, mentions=[words])
    hashed = Minisign(tmp_path, "hashed")
    hashed.sign(text, signature, legacy=False)
    bad("--root", root, "signature", "add", PROFILE, signature, status=INVALID, mentions=["minisign -S -l"])
    ssh = Ssh(tmp_path, "ssh")
    ssh.sign(text, signature, namespace="git")
    bad("--root", root, "signature", "add", PROFILE, signature, status=INVALID, mentions=["-n volt-qemu"])
    assert signatures(root) == []
    good("--root", root, "signature", "add", PROFILE, signature, "--any-kind")
    assert [row["fault"] is None for row in signatures(root)] == [False]
    bad("--root", root, "signature", "add", PROFILE, tmp_path / "no-such-file", mentions=["no-such-file"])


def test_a_revision_has_16_signatures(tmp_path, root, signer):
    signature = tmp_path / "x.sig"
    for i in range(16):
        signature.write_bytes(bytes([i]) * 4096)
        good("--root", root, "signature", "add", PROFILE, signature, "--any-kind")
    good("--root", root, "signature", "add", PROFILE, signature, "--any-kind")  # which is there
    signature.write_bytes(b"x")
    refused(root, "signature", "add", PROFILE, signature, "--any-kind", reason="too-many-signatures", status=INVALID)
    assert len(signatures(root)) == 16
    refused(root, "resolve", "--profile", PROFILE, "--key", signer.public, reason="bad-signature")


@pytest.mark.parametrize("how", ["secret", "nothing", "rsa", "missing"])
def test_what_is_no_key_is_refused(tmp_path, root, signer, how):
    key = tmp_path / "key"
    status, reason = {"secret": (INVALID, "secret-key"), "nothing": (INVALID, "bad-key"), "rsa": (1, "key-kind"),
                      "missing": (MISSING, "not-found")}[how]
    if how == "secret":
        key = signer.secret
    elif how == "nothing":
        key.write_text("")
    elif how == "rsa":
        do("openssl", "genrsa", "-out", tmp_path / "rsa", "2048")
        do("openssl", "rsa", "-in", tmp_path / "rsa", "-pubout", "-out", key)
    refused(root, "resolve", "--profile", PROFILE, "--key", key, reason=reason, status=status)


# ---- altered ----

def test_an_altered_manifest_is_not_resolved(tmp_path, root, text, signer):
    add(root, signer, text)
    good("--root", root, "resolve", "--profile", PROFILE, "--key", signer.public)
    path = Path(good_json(root, "show", PROFILE)["path"])
    for altered in (text.read_bytes() + b" ", text.read_bytes().replace(b"\n", b"\r\n")):
        path.write_bytes(altered)
        refused(root, "resolve", "--profile", PROFILE, "--key", signer.public, reason="bad-signature")
    path.write_bytes(text.read_bytes())
    good("--root", root, "resolve", "--profile", PROFILE, "--key", signer.public)


def test_a_damaged_signature_counts_for_nothing_and_is_told(tmp_path, root, text, signer):
    signature = add(root, signer, text)
    other = add(root, Ssh(tmp_path, "ssh"), text)
    (kept,) = [path for path in (root / "cas/signatures").rglob("*")
               if path.is_file() and path.read_bytes() == signature.read_bytes()]
    kept.write_bytes(signature.read_bytes()[:-1])
    (problem,) = verify(root, status=1)["problems"]
    assert problem["kind"] == "signature" and str(kept) in problem["message"]
    refused(root, "resolve", "--profile", PROFILE, "--key", signer.public, reason="untrusted-key")
    good("--root", root, "resolve", "--profile", PROFILE, "--key", tmp_path / "ssh.pub")
    good("--root", root, "signature", "add", PROFILE, signature)
    verify(root, "--key", signer.public)
    kept.unlink()
    kept.symlink_to(other)
    assert [p["kind"] for p in verify(root, status=1)["problems"]] == ["signature"]
    good("--root", root, "signature", "remove", PROFILE, kept.name)
    verify(root)


# ---- carried ----

def carry_by_copy(tmp_path, root, to, *options):
    return run("--root", root, "copy", PROFILE, "--to", to, *options)


def carry_by_archive(tmp_path, root, to, *options):
    good("--root", root, "export", PROFILE, "--output", tmp_path / "x.tar")
    return run("--root", to, "import", "--profile", PROFILE, tmp_path / "x.tar", *options)


def carry_by_layout(tmp_path, root, to, *options):
    good("--root", root, "export", PROFILE, "--layout", tmp_path / "layout", "--tag", "latest")
    return run("--root", to, "import", "--profile", PROFILE, "--layout", tmp_path / "layout", "--tag", "latest",
               *options)


WAYS = [carry_by_copy, carry_by_archive, carry_by_layout]


@pytest.mark.parametrize("carry", WAYS)
def test_signatures_travel_with_their_revision(tmp_path, root, text, signer, carry):
    for tool in TOOLS:
        add(root, tool(tmp_path, tool.kind), text)
    result = carry(tmp_path, root, tmp_path / "other", "--key", tmp_path / "ssh.pub")
    assert result.returncode == 0 and not result.stderr, result
    assert signatures(tmp_path / "other") == signatures(root) and len(signatures(root)) == 4
    for tool in TOOLS:
        verify(tmp_path / "other", "--key", tmp_path / f"{tool.kind}.pub")
    # Those that it gets later come as well, also to a revision that is there.
    add(root, signer, text)
    result = carry(tmp_path, root, tmp_path / "other", "--key", signer.public)
    assert result.returncode == 0, result
    assert len(signatures(tmp_path / "other")) == 5


@pytest.mark.parametrize("carry", WAYS)
def test_what_is_not_trusted_does_not_arrive(tmp_path, root, text, signer, carry):
    for signed in (False, True):
        result = carry(tmp_path, root, tmp_path / "other", "--key", signer.public)
        assert result.returncode == UNTRUSTED and result.stderr.count("\n") == 1, result
        assert ("is signed by" if signed else "is not signed") in result.stderr
        nothing_in(tmp_path / "other")
        add(root, Signify(tmp_path, f"other{signed}"), text)
    assert carry(tmp_path, root, tmp_path / "other").returncode == 0
    refused(tmp_path / "other", "resolve", "--profile", PROFILE, "--key", signer.public, reason="untrusted-key")


def test_it_is_found_out_before_anything_is_read(tmp_path, root, text, signer):
    """Of an archive whose end does not come, and of a layout without its objects."""
    make_files(tmp_path / "large", {**FILES, "bin/a-large-file": os.urandom(1 << 22)})
    build(tmp_path / "source", tmp_path / "large")
    good("--root", tmp_path / "source", "export", PROFILE, "--output", tmp_path / "x.tar")
    with subprocess.Popen([CLI, "--root", tmp_path / "other", "import", "--profile", PROFILE, "-",
                           "--key", signer.public],
                          stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write((tmp_path / "x.tar").read_bytes()[:1 << 20])
            process.stdin.flush()
        assert process.wait(timeout=300) == UNTRUSTED, process.stderr.read()
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()
    nothing_in(tmp_path / "other")
    good("--root", root, "export", PROFILE, "--layout", tmp_path / "layout")
    for digest in json.loads(text.read_bytes())["objects"].values():
        (tmp_path / "layout/blobs/sha256" / digest).unlink(missing_ok=True)
    refused(tmp_path / "other", "import", "--profile", PROFILE, "--layout", tmp_path / "layout", "--key", signer.public)
    nothing_in(tmp_path / "other")


def test_the_same_signatures_give_the_same_bytes(tmp_path, root, text, signer):
    def exported(store, name):
        good("--root", store, "export", PROFILE, "--output", tmp_path / name)
        made = good_json(store, "export", PROFILE, "--layout", tmp_path / f"{name}-layout")
        return (tmp_path / name).read_bytes(), made["digest"]

    before = exported(root, "before")
    add(root, Minisign(tmp_path, "minisign"), text)
    add(root, signer, text)
    after = exported(root, "after")
    assert carry_by_copy(tmp_path, root, tmp_path / "other").returncode == 0
    assert exported(tmp_path / "other", "copied") == after
    assert before[0] != after[0] and before[1] != after[1]


def test_a_layout_has_signatures_before_its_objects(tmp_path, root, text, signer):
    signature = add(root, signer, text)
    digest = good_json(root, "export", PROFILE, "--layout", tmp_path / "layout")["digest"]
    manifest = json.loads((tmp_path / "layout/blobs/sha256" / digest.removeprefix("sha256:")).read_text())
    types = [layer["mediaType"] for layer in manifest["layers"]]
    assert types[0] == SIGNATURE_TYPE and types.count(SIGNATURE_TYPE) == 1 and len(types) > 3
    blob = tmp_path / "layout/blobs/sha256" / manifest["layers"][0]["digest"].removeprefix("sha256:")
    assert blob.read_bytes() == signature.read_bytes()
    blob.write_bytes(signature.read_bytes().replace(b"R", b"S", 1))
    refused(tmp_path / "other", "import", "--profile", PROFILE, "--layout", tmp_path / "layout", reason="blob-damaged",
            status=DAMAGED)
    blob.unlink()
    refused(tmp_path / "other", "import", "--profile", PROFILE, "--layout", tmp_path / "layout", reason="blob-damaged",
            status=DAMAGED)
    nothing_in(tmp_path / "other")


@needs_skopeo
def test_skopeo_takes_signatures_along(tmp_path, root, text, signer):
    add(root, signer, text)
    good("--root", root, "export", PROFILE, "--layout", tmp_path / "layout", "--tag", "latest")
    do("skopeo", "copy", f"oci:{tmp_path}/layout:latest", f"dir:{tmp_path}/dir")
    do("skopeo", "copy", f"dir:{tmp_path}/dir", f"oci:{tmp_path}/back:latest")
    good("--root", tmp_path / "other", "import", "--profile", PROFILE, "--layout", tmp_path / "back",
         "--key", signer.public)
    assert signatures(tmp_path / "other") == signatures(root)


# ---- in archives ----

def repack(tmp_path, change):
    """The archive with other entries: change is given a list of (name, bytes), and returns one."""
    with tarfile.open(tmp_path / "x.tar") as archive:
        entries = [(member.name, archive.extractfile(member).read()) for member in archive]
    with tarfile.open(tmp_path / "changed.tar", "w") as archive:
        for name, content in change(entries):
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(content), 0o755
            archive.addfile(member, fileobj=io.BytesIO(content))
    return tmp_path / "changed.tar"


def signature_entry(content):
    return f".volt-signature-{hashlib.sha256(content).hexdigest()}", content


@pytest.mark.parametrize("change, reason, status", [
    (lambda entries: entries[1:2] + entries[:1] + entries[2:], "signature-misplaced", INVALID),
    (lambda entries: entries[:1] + entries[2:] + entries[1:2], "unsigned", UNTRUSTED),
    (lambda entries: entries[1:], "signature-misplaced", INVALID),
    (lambda entries: entries[:1] + [(entries[1][0], entries[1][1] + b"x")] + entries[2:], "entry-differs", DAMAGED),
    (lambda entries: entries[:2] + entries[1:2] + entries[2:], "entry-twice", INVALID),
    (lambda entries: entries[:1] + [signature_entry(b"x" * 4097)] + entries[2:], "signature-misplaced", INVALID),
    (lambda entries: entries[:1] + [signature_entry(b"")] + entries[2:], "signature-misplaced", INVALID),
    (lambda entries: entries[:1] + [signature_entry(bytes([i])) for i in range(17)] + entries[2:],
     "too-many-signatures", INVALID),
    (lambda entries: [(entries[0][0], entries[0][1] + b" ")] + entries[1:], "bad-signature", UNTRUSTED),
    (lambda entries: entries[:1] + entries[2:], "unsigned", UNTRUSTED),
    (lambda entries: entries[2:], "unsigned", UNTRUSTED),
], ids=["first", "last", "no-manifest", "other-name", "twice", "4097", "empty", "17", "manifest", "none", "plain"])
def test_an_archive_that_is_not_as_it_was_is_refused(tmp_path, root, text, signer, change, reason, status):
    add(root, signer, text)
    good("--root", root, "export", PROFILE, "--output", tmp_path / "x.tar")
    with tarfile.open(tmp_path / "x.tar") as archive:
        assert archive.getnames()[0] == MANIFEST_IN_ARCHIVE and archive.getnames()[1].startswith(".volt-signature-")
    refused(tmp_path / "other", "import", "--profile", PROFILE, repack(tmp_path, change), "--key", signer.public,
            reason=reason, status=status)
    nothing_in(tmp_path / "other")


def test_a_signature_behind_files_is_refused(tmp_path, root, text, signer):
    add(root, signer, text)
    good("--root", root, "export", PROFILE, "--output", tmp_path / "x.tar")
    late = repack(tmp_path, lambda entries: entries[:1] + entries[2:] + entries[1:2])
    refused(tmp_path / "other", "import", "--profile", PROFILE, late, reason="signature-misplaced", status=INVALID)
    nothing_in(tmp_path / "other")


def test_of_sixteen_signatures_and_those_that_are_there_the_latter_stay(tmp_path, root, text, signer):
    add(root, signer, text)
    good("--root", root, "export", PROFILE, "--output", tmp_path / "x.tar")
    others = [signature_entry(bytes([i])) for i in range(16)]
    many = repack(tmp_path, lambda entries: entries[:1] + others + entries[2:])
    good("--root", tmp_path / "other", "import", "--profile", PROFILE, many)
    assert len(signatures(tmp_path / "other")) == 16
    result = run("--root", root, "import", "--profile", PROFILE, many)
    assert result.returncode == 0, result
    assert len(signatures(root)) == 16
    good("--root", root, "verify", "--key", signer.public)


# ---- kept and removed ----

@pytest.mark.parametrize("how", ["rm", "gc"])
def test_signatures_go_with_their_revision(tmp_path, root, text, signer, how):
    add(root, signer, text)
    first = good_json(root, "show", PROFILE)["revision"]
    make_files(tmp_path / "profile", {**FILES, "firmware/new.bin": b"new"})
    build(root, tmp_path / "profile")
    second = good_json(root, "show", PROFILE)["revision"]
    text.write_bytes(good("--root", root, "show", "--text", PROFILE, text=False))
    add(root, signer, text)
    assert set(os.listdir(root / "cas/signatures")) == {first, second}
    good("--root", root, *{"rm": ["rm", first], "gc": ["gc", "--keep", "1"]}[how])
    assert os.listdir(root / "cas/signatures") == [second]
    good("--root", root, "resolve", "--profile", PROFILE, "--key", signer.public)


def test_what_a_killed_process_left_is_collected(root, text, signer):
    add(root, signer, text)
    revision = good_json(root, "show", PROFILE)["revision"]
    (root / "cas/signatures" / revision / ".volt-new-0123456789abcdef").write_text("half")
    gone = root / "cas/signatures/emulate-x86-00000000"
    gone.mkdir()
    (gone / ("c" * 64)).write_text("of a revision that never appeared")
    assert len(signatures(root)) == 1
    good("--root", root, "gc")
    assert not gone.exists() and not leftovers(root) and len(signatures(root)) == 1


def test_a_local_build_is_resolved_once_it_is_signed(tmp_path, root, text, signer):
    """What is ingested here may lack a signature, but is not used without."""
    refused(root, "run", "--profile", PROFILE, "--key", signer.public)
    add(root, signer, text)
    good("--root", root, "args", "--profile", PROFILE, "--kernel", "/k", "--no-check", "--key", signer.public)
    result = run("--root", root, "ingest", "--profile", PROFILE, "--key", signer.public, tmp_path / "profile")
    assert result.returncode == 2 and "no option '--key'" in result.stderr


def test_a_read_only_store_tells_its_signatures(tmp_path, root, text, signer):
    signature = add(root, signer, text)
    good("--root", root, "resolve", "--profile", PROFILE)
    before = kept_files(root)
    assert len(good_json(root, "--read-only", "signatures", PROFILE)) == 1
    good("--root", root, "--read-only", "resolve", "--profile", PROFILE, "--key", signer.public)
    bad("--root", root, "--read-only", "signature", "add", PROFILE, signature, mentions=["read-only"])
    assert kept_files(root) == before
