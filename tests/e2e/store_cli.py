# SPDX-License-Identifier: MIT
"""What the tests of stores share: the command line, profiles, and a look at a store from outside."""
import contextlib
import hashlib
import json
import os
import stat
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent
CLI = os.environ.get("VOLT_QEMU", str(HERE.parents[1] / "build/examples/volt-qemu/volt-qemu"))
PROFILE = "emulate-x86"
PROGRAM = "bin/qemu-system-x86_64"
MANIFEST_IN_ARCHIVE = ".volt-manifest.json"

FILES = {
    PROGRAM: b"#!/bin/sh\nprintf '%s\\n' \"$@\"\n",
    "lib/libone.so.1": b"one" * 3000,
    "lib/qemu/accel.so": b"a module",
    "firmware/bios.bin": b"firmware" * 20000,
    "firmware/empty.bin": b"",
}


# ---- the command line ----

def run(*words, **options):
    if "input" not in options:
        options.setdefault("stdin", subprocess.DEVNULL)
    if options.setdefault("text", True):
        options["errors"] = "replace"
    options = {"stdout": subprocess.PIPE, "timeout": 120, **options}
    return subprocess.run([CLI, *words], stderr=subprocess.PIPE, check=False, **options)


def good(*words, **options):
    """The standard output of a command that must succeed without a word on standard error."""
    result = run(*words, **options)
    assert result.returncode == 0 and not result.stderr, result
    return result.stdout


def good_json(root, *words, **options):
    return json.loads(good("--root", root, "--json", *words, **options))


FAILURES = {1, 3, 4, 5, 6, 7, 8}  # any but wrong usage: test_cli.py has which is for what


def bad(*words, mentions=(), status=None, **options):
    """One line on stderr that mentions what is wrong; nothing on stdout."""
    result = run(*words, **options)
    assert result.returncode in (FAILURES if status is None else {status}) and not result.stdout, result
    assert result.stderr.startswith("volt-qemu: "), result.stderr
    assert result.stderr.count("\n") == 1 and result.stderr.endswith("\n"), result.stderr
    for text in mentions:
        assert str(text) in result.stderr, (text, result.stderr)
    return result.stderr


def build(root, directory, *options, profile=PROFILE):
    return good_json(root, "build", "--profile", profile, directory, *options)


def resolve(root, *options, profile=PROFILE):
    return good_json(root, "resolve", "--profile", profile, *options)


def verify(root, *words, status=0):
    """The report of verify; its exit status must be the one that is expected."""
    result = run("--root", root, "--json", "verify", *words)
    assert result.returncode == status, result
    return json.loads(result.stdout)


# ---- what there is on disk ----

def make_files(directory, files=None):
    """Make a directory of files: {path: content}, or (content, mode)."""
    for name, content in (FILES if files is None else files).items():
        path = Path(directory, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        content, mode = content if isinstance(content, tuple) else (content, None)
        path.write_bytes(content)
        if mode is not None:
            path.chmod(mode)
    return Path(directory)


def sha256(path):
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def kept_files(root):
    """All that a store keeps, with digests. What is in cas/cache comes and goes."""
    return {path: sha256(path) for path in (root / "cas").rglob("*") if path.is_file() and path.parent.name != "cache"}


def manifests(root):
    """{name of the ref: manifest} of all refs."""
    return {path.stem: json.loads(path.read_text()) for path in Path(root, "cas/refs").glob("*.json")}


def object_path(root, name, ref=None):
    """The object of a file of a ref; without one, of the only ref."""
    refs = manifests(root)
    manifest = refs[ref] if ref else list(refs.values())[0]
    assert ref or len(refs) == 1, refs.keys()
    return Path(root, "cas/objects", manifest["objects"][name])


def is_executable(path):
    return bool(os.lstat(path).st_mode & 0o111)


def tree_faults(tree, manifest):
    """How a tree differs from a manifest: the content of every file, what is missing, what is too much."""
    faults = []
    found = {str(path.relative_to(tree)) for path in Path(tree).rglob("*")
             if not path.is_dir() or path.is_symlink()} - {".volt-tree"}
    for name in sorted(found ^ manifest["objects"].keys()):
        faults.append(f"{name} is {'too much' if name in found else 'missing'}")
    for name in sorted(found & manifest["objects"].keys()):
        path = Path(tree, name)
        status = path.lstat()
        if not stat.S_ISREG(status.st_mode):
            faults.append(f"{name} is not a file")
        elif sha256(path) != manifest["objects"][name]:
            faults.append(f"{name} has other content")
        elif is_executable(path) != bool(int(manifest["modes"][name], 8) & 0o111):
            faults.append(f"{name} has mode {status.st_mode:o}")
    return faults


def assert_resolves(root, *options, profile=PROFILE):
    """Resolve, and see for oneself that the tree is what the manifest says. Returns what resolve says."""
    resolved = resolve(root, *options, profile=profile)
    faults = tree_faults(resolved["tree"], json.loads(Path(resolved["manifest"]).read_text()))
    assert not faults, faults
    return resolved


def leftovers(root):
    """What nobody needs. The lock file of a tree whose maker was killed stays until the next assembly."""
    return [path for path in Path(root).rglob(".volt-new-*")
            if not path.name.startswith(".volt-new-lock-")] + list(Path(root, "cas/tmp").glob("*"))


def snapshot(directory):
    """Everything about a directory that must not change when nothing is to be changed."""
    facts = {}
    for path in [Path(directory), *Path(directory).rglob("*")]:
        status = path.lstat()
        content = os.readlink(path) if path.is_symlink() else path.is_file() and sha256(path)
        facts[str(path)] = (status.st_ino, oct(status.st_mode), status.st_mtime_ns, status.st_nlink, content)
    return facts


# ---- file systems ----

@contextlib.contextmanager
def mounted(where, *words):
    """Mount something on a new directory; words are those of mount(8) before the directory."""
    where.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", *words, where], check=True)
    try:
        yield where
    finally:
        subprocess.run(["umount", where], check=True)


@contextlib.contextmanager
def overlay_mounted(directory, lower=None, options=""):
    """An overlay with layers of its own below the directory; what was changed stays for the next mount."""
    for name in ("lower", "upper", "work"):
        (directory / name).mkdir(parents=True, exist_ok=True)
    layers = f"lowerdir={lower or directory / 'lower'},upperdir={directory / 'upper'}"
    with mounted(directory / "mnt", "-t", "overlay", "-o", f"{layers},workdir={directory / 'work'}{options}",
                 "none") as where:
        yield where
