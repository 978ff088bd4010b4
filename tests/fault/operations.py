# SPDX-License-Identifier: MIT
"""
The operations that are disturbed: what lies on the disk before, the command, and what must hold after.

Stores are looked at by the command line and, independently, by the functions here.
"""
import contextlib
import fcntl
import functools
import hashlib
import io
import json
import os
import re
import shutil
import stat
import subprocess
import sys
import tarfile
from pathlib import Path

from state import state_of

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "harness"))
from shelf_registry import Shelves, objects_of  # noqa: E402

CLI = os.environ.get("VOLT_QEMU", str(HERE.parents[1] / "build/examples/volt-qemu/volt-qemu"))
PROFILE = "emulate-x86"
OTHER_PROFILE = "kvm-linux"

# More than one block, so that a disk can be full in the midst of it.
LIBRARY = "one\n" * 5000
HELPER = "#!/bin/sh\n" + "#\n" * 5000
PROGRAM = "#!/bin/sh\nprintf '%s\\n' \"$@\"\n"
# path: content, executable
FILES = {
    "bin/qemu-system-x86_64": (PROGRAM, True),
    "firmware/bios.bin": ("firmware", False),
    "lib/empty": ("", False),
    "lib/helper": (HELPER, False),
    "lib/libone.so.1": (LIBRARY, False),
}
# The store has it already when FILES come: with two of their objects, and one of them as an
# executable, so that a tree needs that object's inode of the other mode class.
OTHER_FILES = {
    "bin/qemu-system-x86_64": (PROGRAM, True),
    "lib/helper": (HELPER, True),
    "lib/libtwo.so.1": ("two", False),
}
OLD_FILES = {**FILES, "firmware/bios.bin": ("old firmware", False), "lib/old.so": ("old", False)}


# Exit statuses: whatever a failure does, it is no wrong usage.
FAILURES = (1, 3, 4, 5, 6, 7)


def environment():
    """Leak detection of sanitizers does not work in a traced process. Registries are asked directly, by nobody known."""
    kept = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    return {**kept, "ASAN_OPTIONS": "detect_leaks=0", "HOME": "/nonexistent", "XDG_RUNTIME_DIR": "/nonexistent"}


def run(*words, before=()):
    return subprocess.run([*before, CLI, *words], capture_output=True, text=True, check=False,
                          stdin=subprocess.DEVNULL, errors="replace", timeout=60, env=environment())


def good(*words):
    result = run(*words)
    assert result.returncode == 0 and not result.stderr, f"{words[2:]}: {result.stderr!r}, {result.stdout!r}"
    return result.stdout


@functools.cache
def has(command):
    return re.search(rf"^  {command} ", good("--help"), re.MULTILINE) is not None


# ---- what is put into stores ----

def write_directory(directory, files):
    for path, (content, executable) in files.items():
        file = directory / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
        file.chmod(0o755 if executable else 0o644)


def write_archive(path, files):
    with tarfile.open(path, "w:gz") as archive:
        for name, (content, executable) in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(content), 0o755 if executable else 0o644
            archive.addfile(member, io.BytesIO(content.encode()))


def build(root, profile, files, *options):
    directory = root.parent / "source-of-build"
    write_directory(directory, files)
    good("--root", root, "ingest", "--profile", profile, *options, directory)
    shutil.rmtree(directory)


def resolve(root, profile, *options):
    return json.loads(good("--root", root, "--json", "--kvm", "usable", "--host-arch", "x86_64", "resolve",
                           "--profile", profile, *options))


def object_of(root, content):
    return root / "cas/objects" / hashlib.sha256(content.encode()).hexdigest()


def write_object(root, content, actual_content):
    path = object_of(root, content)
    path.write_text(actual_content)
    path.chmod(0o444)
    os.utime(path, (1, 1))


def damage(path):
    """Write to it as root can, and as happens through a tree's link."""
    mode = stat.S_IMODE(path.stat().st_mode)
    path.chmod(0o644)
    path.write_text("damaged")
    path.chmod(mode)


def restamp(root):
    """The stamps of a copied store's trees have inode numbers: of the files that were copied."""
    for stamp in (root / "qemu/trees").glob("*/.volt-tree"):
        lines = stamp.read_text().splitlines()[:-1]
        for number, line in enumerate(lines):
            if line.startswith("f "):
                _, mode, size, _, rest = line.split(" ", 4)
                path = stamp.parent / rest.split(" ", 2)[2]
                inode = path.lstat().st_ino if path.exists() else 0
                lines[number] = f"f {mode} {size} {inode} {rest}"
        text = "".join(line + "\n" for line in lines)
        stamp.chmod(0o644)
        stamp.write_text(f"{text}end {hashlib.sha256(text.encode()).hexdigest()}\n")
        stamp.chmod(0o444)
        os.utime(stamp, (1, 1))


def copy_of(base, point):
    subprocess.run(["cp", "-a", base, point], check=True)  # links between files stay links
    for root in (point / "store", point / "other"):
        restamp(root)


# ---- looking at stores ----

def digest_of(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def is_new(name):
    return name.startswith(".volt-new-")


def entries(directory):
    return [path for path in directory.iterdir() if not is_new(path.name)] if directory.is_dir() else []


def check_objects(directory):
    for path in entries(directory):
        status = path.lstat()
        assert stat.S_ISREG(status.st_mode) and path.name == digest_of(path), f"{path} is damaged"
        assert stat.S_IMODE(status.st_mode) in (0o444, 0o555), f"{path} has mode {status.st_mode:o}"


def manifests(root):
    """{digest: manifest}: every ref must be whole, and have its objects."""
    found = {}
    for path in entries(root / "cas/refs"):
        if path.suffix != ".json":
            continue
        digest = digest_of(path)
        assert path.stem.endswith("-" + digest[:8]), f"{path} has the digest {digest}"
        found[digest] = json.loads(path.read_text())
        for name, wanted in found[digest]["objects"].items():
            assert (root / "cas/objects" / wanted).exists(), f"{path} lacks the object of {name}"
    return found


def check_tree(tree, manifest):
    seen = {str(path.relative_to(tree)): digest_of(path) for path in tree.rglob("*")
            if path.is_file() and path.name != ".volt-tree"}
    assert seen == manifest["objects"], f"{tree} differs from its manifest"
    for path in seen:
        wanted = 0o555 if int(manifest["modes"][path], 8) & 0o111 else 0o444
        assert stat.S_IMODE((tree / path).stat().st_mode) == wanted, f"{tree / path} has another mode"


def check_store(root):
    """Nothing half made has a name that counts. Does not use volt-qemu."""
    check_objects(root / "cas/objects")
    check_objects(root / "cas/alt")
    known = manifests(root)
    for tree in entries(root / "qemu/trees"):
        assert (tree / ".volt-tree").read_text().splitlines()[-1].startswith("end "), f"{tree} is not whole"
        if tree.name in known:
            check_tree(tree, known[tree.name])
    for link in entries(root / "qemu"):
        assert not link.is_symlink() or (link / ".volt-tree").exists(), f"{link} leads nowhere"


def leftovers(root):
    """What nobody needs, when nothing runs."""
    return [path for path in root.rglob(".*") if path.name != ".volt-tree"] + list(
        (root / "cas/tmp").glob("*"))


def has_files(root, files=None):
    """Whether a ref of the profile has these files."""
    wanted = {path: hashlib.sha256(content.encode()).hexdigest()
              for path, (content, _) in (files or FILES).items()}
    return any(manifest["objects"] == wanted for manifest in manifests(root).values()
               if manifest["profile"] == PROFILE)


def is_resolved(root, files=None):
    """Whether the profile's link leads to a tree with exactly these files."""
    link = root / "qemu" / PROFILE
    if not link.is_symlink():
        return False
    tree = Path(os.path.realpath(link))
    seen = {str(path.relative_to(tree)): path.read_text() for path in tree.rglob("*")
            if path.is_file() and path.name != ".volt-tree"}
    return seen == {path: content for path, (content, _) in (files or FILES).items()}


# ---- the operations ----

class Operation:
    """`needs` is the command that must exist. Everything is below one directory, which is copied."""

    needs = "ingest"
    root = "store"  # that which is changed, and looked at afterwards
    files = FILES  # those of the profile, when it is done
    status = 0  # that of the command if nothing fails
    alone = False  # whether it looks at all processes, of which there should be no others
    publishes = False  # new versions
    reports = False  # whether standard output tells what is wrong, even with exit status 1
    may_be_unclean = False  # whether verify finds something before the operation is done

    def __init__(self, *options):
        self.options = options  # of all commands

    def prepare(self, base):
        """What is there before."""

    def warm_up(self, point):
        """What cannot be copied: the store remembers inodes, which are others in a copy."""

    def finish(self, point):
        """The opposite of warm_up()."""

    def command(self, point):
        raise NotImplementedError

    def check_kept(self, point):
        """What must be there whatever fails."""

    def is_done(self, point):
        """Whether what the command promises has come true."""
        raise NotImplementedError

    def words(self, point):
        return ["--root", point / "store", *self.options, *self.command(point)]

    def do_again(self, point):
        good(*self.words(point))

    def state_elsewhere(self, _point):
        """What is not in the directory and may differ after a fault; comparable."""
        return ()

    def close(self):
        """The last of all."""


def prepare_old(root):
    """A store with some of the objects, and an old version of the profile in use."""
    build(root, OTHER_PROFILE, OTHER_FILES)
    build(root, PROFILE, OLD_FILES, "--created-at", "2020-02-02T00:00:00Z")
    resolve(root, PROFILE)


class Build(Operation):
    """A new version; the store knows the old one as the newest."""

    publishes = True

    def prepare(self, base):
        prepare_old(base / "store")
        write_directory(base / "source", FILES)

    def warm_up(self, point):
        resolve(point / "store", PROFILE)

    def command(self, point):
        return ["ingest", "--profile", PROFILE, point / "source"]

    def is_done(self, point):
        return has_files(point / "store")


class BuildNew(Build):
    """Into a store that is not there yet."""

    def prepare(self, base):
        write_directory(base / "source", FILES)

    def warm_up(self, point):
        pass


class BuildMend(Build):
    """Over an object that is damaged, which the build puts right."""

    publishes = False  # not before it is done
    may_be_unclean = True

    def prepare(self, base):
        super().prepare(base)
        write_object(base / "store", FILES["firmware/bios.bin"][0], "damaged")


class Import(Build):
    needs = "import"

    def prepare(self, base):
        prepare_old(base / "store")
        write_archive(base / "archive.tar.gz", FILES)

    def command(self, point):
        return ["import", "--profile", PROFILE, point / "archive.tar.gz"]


class ImportLayout(Import):
    """From an OCI layout, of which the store has some objects."""

    layers = ()  # options

    def prepare(self, base):
        prepare_old(base / "store")
        build(base / "made", PROFILE, FILES)
        good("--root", base / "made", "export", PROFILE, "--layout", base / "layout", *self.layers)
        shutil.rmtree(base / "made")

    def command(self, point):
        return ["import", "--profile", PROFILE, "--layout", point / "layout"]


class ImportPacks(ImportLayout):
    """From one with all of its objects in a pack."""

    layers = ("--max-layers", "2")


def sign(root, base, *names):
    """Signatures that nobody verifies: what is a signature is told by its form."""
    for name in names:
        (base / name).write_bytes(hashlib.sha512(name.encode()).digest())
        good("--root", root, "signature", "add", PROFILE, base / name)


def signatures(root):
    """The names of those that the profile has. Each is whole, or has no such name."""
    found = set()
    for path in (root / "cas/signatures").glob(f"{PROFILE}-*/*"):
        if not is_new(path.name):
            assert path.name == digest_of(path), f"{path} is damaged"
            found.add(path.name)
    return found


class ImportSigned(Import):
    """Two signatures come with it."""

    def prepare(self, base):
        prepare_old(base / "store")
        build(base / "made", PROFILE, FILES)
        sign(base / "made", base, "one", "two")
        good("--root", base / "made", "export", PROFILE, "--output", base / "archive.tar.gz")
        shutil.rmtree(base / "made")

    def is_done(self, point):
        wanted = {digest_of(point / name) for name in ("one", "two")}
        return super().is_done(point) and signatures(point / "store") == wanted


class WithRegistry(Operation):
    """Each point has a repository of its own, in one registry."""

    def __init__(self, *options):
        super().__init__(*options)
        self.shelves = Shelves()
        self.registry = self.shelves.serve()

    def name(self, point):
        return f"{point.name}/{PROFILE}"

    def shelf(self, point):
        return self.shelves[self.name(point)]

    def asked(self, point):
        """The digests of blobs that were asked for."""
        with self.registry.lock:
            return {digest.removeprefix("sha256:") for digest in objects_of(
                request for request in self.registry.requests if request.path.startswith(f"/v2/{self.name(point)}/"))}

    def forget(self, point):
        """What was asked for."""
        with self.registry.lock:
            self.registry.requests[:] = [request for request in self.registry.requests
                                         if not request.path.startswith(f"/v2/{self.name(point)}/")]

    def warm_up(self, point):
        layout = point / "layout"
        self.shelves.put(self.name(point), layout if layout.exists() else None)

    def finish(self, point):
        self.forget(point)

    def close(self):
        self.registry.__exit__()


class Pull(WithRegistry, Build):
    """The store has some of the objects; what has come before is not asked for again."""

    needs = "pull"
    layers = ()  # options

    def prepare(self, base):
        prepare_old(base / "store")
        build(base / "made", PROFILE, FILES)
        good("--root", base / "made", "export", PROFILE, "--layout", base / "layout", "--tag", "latest", *self.layers)
        shutil.rmtree(base / "made")

    def warm_up(self, point):
        WithRegistry.warm_up(self, point)
        Build.warm_up(self, point)

    def command(self, point):
        return ["pull", f"{self.registry.host}/{self.name(point)}", "--plain-http"]

    def do_again(self, point):
        place = point / "store/cas/objects"
        had, wanted = ({path.name for path in entries(place)}, {object_of(point, content).name
                                                                for content, _ in FILES.values() if content})
        self.forget(point)
        super().do_again(point)
        asked = self.asked(point) & wanted
        assert asked == wanted - had, f"{asked & had} came twice, {wanted - had - asked} from nowhere"


class Push(WithRegistry):
    """To a registry that has nothing: what it has is whole, whatever fails here."""

    needs = "push"

    def prepare(self, base):
        build(base / "store", OTHER_PROFILE, OTHER_FILES)
        build(base / "store", PROFILE, FILES)

    def command(self, point):
        return ["push", PROFILE, f"{self.registry.host}/{self.name(point)}", "--plain-http"]

    def check_kept(self, point):
        shelf = self.shelf(point)
        for digest, content in shelf.blobs.items():
            assert digest == f"sha256:{hashlib.sha256(content).hexdigest()}", f"{digest} is damaged there"
        for content in shelf.manifests.values():
            manifest = json.loads(content)
            for blob in [manifest["config"], *manifest["layers"]]:
                assert len(shelf.blobs[blob["digest"]]) == blob["size"]

    def is_done(self, point):
        self.check_kept(point)
        (revision,) = [path.stem for path in (point / "store/cas/refs").glob(f"{PROFILE}-*.json")]
        return {"latest", revision} <= self.shelf(point).manifests.keys()

    def state_elsewhere(self, point):
        shelf = self.shelf(point)
        return (*sorted(shelf.blobs), *sorted(shelf.manifests))


class Sign(Operation):
    """Beside a signature that is there."""

    needs = "signature"

    def prepare(self, base):
        build(base / "store", PROFILE, FILES)
        sign(base / "store", base, "one")
        (base / "two").write_bytes(hashlib.sha512(b"two").digest())

    def command(self, point):
        return ["signature", "add", PROFILE, point / "two"]

    def check_kept(self, point):
        assert digest_of(point / "one") in signatures(point / "store"), "a signature is gone"

    def is_done(self, point):
        return digest_of(point / "two") in signatures(point / "store")


class Resolve(Operation):
    """The first assembly, which needs the other inode of an object."""

    needs = "resolve"

    def prepare(self, base):
        build(base / "store", OTHER_PROFILE, OTHER_FILES)
        build(base / "store", PROFILE, FILES)

    def command(self, point):
        return ["resolve", "--profile", PROFILE]

    def is_done(self, point):
        return is_resolved(point / "store")


class ResolveWarm(Resolve):
    """The objects are known to be good. The link leads to an old tree."""

    def prepare(self, base):
        prepare_old(base / "store")
        write_directory(base / "source", FILES)

    def warm_up(self, point):
        good("--root", point / "store", "ingest", "--profile", PROFILE, point / "source")


class Replace(Resolve):
    """A tree that was altered is exchanged for a new one."""

    alone = True
    may_be_unclean = True

    def prepare(self, base):
        super().prepare(base)
        tree = Path(resolve(base / "store", PROFILE)["tree"])
        (tree / "lib/libone.so.1").unlink()
        (tree / "lib/alien").write_text("alien")


class ResolveAgain(Resolve):
    """The tree is there and good."""

    def prepare(self, base):
        prepare_old(base / "store")
        build(base / "store", PROFILE, FILES)

    def warm_up(self, point):
        resolve(point / "store", PROFILE)


class Pin(Operation):
    needs = "pin"

    def prepare(self, base):
        build(base / "store", PROFILE, FILES)

    def command(self, point):
        return ["pin", next((point / "store/cas/refs").glob("*.json")).stem]

    def is_done(self, point):
        (ref,) = json.loads(good("--root", point / "store", "--json", "revisions"))
        return ref["pinned"]


class PinByHolder(Operation):
    """The pin of another is there already."""

    needs = "pin"

    def prepare(self, base):
        build(base / "store", PROFILE, FILES)
        good("--root", base / "store", "pin", "--holder", "unit:volt-db", self.ref(base))

    def ref(self, point):
        return next((point / "store/cas/refs").glob("*.json")).stem

    def command(self, point):
        return ["pin", "--holder", "unit:volt-web", self.ref(point)]

    def check_kept(self, point):
        assert (point / f"store/cas/pins/{self.ref(point)}~unit:volt-db").exists(), "another's pin is gone"

    def is_done(self, point):
        return {path.name.partition("~")[2] for path in entries(point / "store/cas/pins")} == {
            "unit:volt-db", "unit:volt-web"}


class Unpin(PinByHolder):
    """The pin of another stays."""

    def prepare(self, base):
        super().prepare(base)
        good("--root", base / "store", "pin", "--holder", "unit:volt-web", self.ref(base))

    def command(self, point):
        """Once it is gone, there is nothing to do but to look."""
        gone = self.is_done(point)
        return ["pins"] if gone else ["unpin", "--holder", "unit:volt-web", self.ref(point)]

    def is_done(self, point):
        return not (point / f"store/cas/pins/{self.ref(point)}~unit:volt-web").exists()


class Current(Operation):
    """Back to the old version, which the link does not lead to yet; then, for what follows, forward again."""

    needs = "current"

    def prepare(self, base):
        prepare_old(base / "store")
        build(base / "store", PROFILE, FILES)
        resolve(base / "store", PROFILE)

    def old(self, point):
        (ref,) = [path.stem for path in (point / "store/cas/refs").glob("*.json") if "old.so" in path.read_text()]
        return ref

    def command(self, point):
        return ["current", self.old(point)]

    def check_kept(self, point):
        for file in entries(point / "store/cas/current"):
            assert file.read_text() == f"{self.old(point)}\n", "it is half written"
        resolve(point / "store", PROFILE)

    def is_done(self, point):
        root = point / "store"
        done = (root / "cas/current" / PROFILE).exists()
        resolve(root, PROFILE)
        assert is_resolved(root, OLD_FILES if done else FILES), "another version is resolved than was chosen"
        if done:
            good("--root", root, "current", PROFILE)
        return done


class CurrentNewest(Current):
    """Forward again: the newest is used from now on, whichever that is."""

    def prepare(self, base):
        super().prepare(base)
        good("--root", base / "store", "current", self.old(base))

    def command(self, point):
        return ["current", PROFILE]

    def is_done(self, point):
        root = point / "store"
        done = not (root / "cas/current" / PROFILE).exists()
        resolve(root, PROFILE)
        assert is_resolved(root, FILES if done else OLD_FILES), "another version is resolved than was chosen"
        return done


class Remove(Operation):
    """A version with a tree that the link leads to; another one is newer."""

    needs = "rm"
    alone = True

    def prepare(self, base):
        prepare_old(base / "store")
        build(base / "store", PROFILE, FILES)

    def command(self, point):
        """Once it is gone, what is left of it is for a collection."""
        refs = [path.stem for path in (point / "store/cas/refs").glob("*.json") if "old.so" in path.read_text()]
        return ["rm", *refs] if refs else ["gc"]

    def check_kept(self, point):
        assert has_files(point / "store"), "another one is gone"

    def is_done(self, point):
        """A tree that the link still leads to stays until that is switched."""
        root = point / "store"
        trees = len(entries(root / "qemu/trees"))
        return not has_files(root, OLD_FILES) and trees == (root / "qemu" / PROFILE).is_symlink()


class Collect(Operation):
    """
    Old refs, of which one is in use and one is pinned; trees and objects of none; staging. Everything
    that goes, and everything that must stay whatever fails.
    """

    needs = "gc"
    alone = True
    LEASED_FILES = {**FILES, "lib/leased.so": ("leased", False)}
    PINNED_FILES = {**FILES, "lib/pinned.so": ("pinned", False)}

    def __init__(self, *options):
        super().__init__(*options)
        self.leases = {}  # descriptors, by point

    def prepare(self, base):
        root = base / "store"
        prepare_old(root)
        build(root, PROFILE, self.PINNED_FILES, "--created-at", "2021-01-01T00:00:00Z")
        (ref,) = [path.stem for path in (root / "cas/refs").glob("*.json") if "pinned.so" in path.read_text()]
        good("--root", root, "pin", ref)
        build(root, PROFILE, self.LEASED_FILES, "--created-at", "2022-02-02T00:00:00Z")
        resolve(root, PROFILE)
        build(root, PROFILE, FILES)
        resolve(root, PROFILE)
        write_object(root, "nobody's", "nobody's")
        staging = root / "cas/tmp/.volt-new-0123456789abcdef"
        staging.mkdir()
        (staging / "0").write_text("half")

    def warm_up(self, point):
        (tree,) = [tree for tree in entries(point / "store/qemu/trees") if (tree / "lib/leased.so").exists()]
        self.leases[point] = lease = os.open(tree, os.O_RDONLY)
        fcntl.flock(lease, fcntl.LOCK_SH)

    def finish(self, point):
        os.close(self.leases.pop(point))

    def command(self, point):
        return ["gc", "--keep", "1"]

    def check_kept(self, point):
        root = point / "store"
        for files in (FILES, self.PINNED_FILES, self.LEASED_FILES):
            assert has_files(root, files), f"the ref of {files.keys() - FILES.keys() or 'the newest'} is gone"
        (tree,) = [tree for tree in entries(root / "qemu/trees") if (tree / "lib/leased.so").exists()]
        assert os.path.samestat(os.fstat(self.leases[point]), tree.stat()), "the leased tree was exchanged"

    def is_done(self, point):
        root = point / "store"
        used = {digest for manifest in manifests(root).values() for digest in manifest["objects"].values()}
        return ({path.name for path in entries(root / "cas/objects")} == used
                and len(entries(root / "qemu/trees")) == 2
                and not has_files(root, OLD_FILES))


class Copy(Operation):
    """To a store that has some of the objects."""

    publishes = True
    needs = "copy"
    root = "other"

    def prepare(self, base):
        build(base / "store", PROFILE, FILES)
        prepare_old(base / "other")

    def warm_up(self, point):
        resolve(point / "other", PROFILE)

    def command(self, point):
        return ["copy", PROFILE, "--to", point / "other"]

    def is_done(self, point):
        return has_files(point / "other")


class Export(Operation):
    """To a file, which is whole or not there."""

    needs = "export"

    def prepare(self, base):
        build(base / "store", PROFILE, FILES)

    def command(self, point):
        return ["export", PROFILE, "--output", point / "exported.tar"]

    def check_kept(self, point):
        archive = point / "exported.tar"
        if archive.exists():
            with tarfile.open(archive) as members:
                seen = {member.name: members.extractfile(member).read().decode()
                        for member in members if member.name in FILES}
            assert seen == {path: content for path, (content, _) in FILES.items()}, "it is not whole"

    def is_done(self, point):
        return (point / "exported.tar").exists()


def read_blob(layout, descriptor):
    """What has a name is whole."""
    blob = layout / "blobs" / descriptor["digest"].replace(":", "/")
    content = blob.read_bytes()
    assert f"sha256:{hashlib.sha256(content).hexdigest()}" == descriptor["digest"], f"{blob} is damaged"
    assert len(content) == descriptor["size"], f"{blob} has another size"
    return content


def read_packs(index, content):
    """{digest: content} of the objects in packs, which are in `content` by their digests."""
    found = {}
    for words in map(str.split, index.splitlines()[1:-1]):
        if words[0] == "pack":
            left = content[words[1]]
            assert len(left) == int(words[2]), f"the pack {words[1]} has another size"
        else:
            found[words[0]], left = left[:int(words[1])], left[int(words[1]):]
            assert hashlib.sha256(found[words[0]].encode()).hexdigest() == words[0], f"{words[0]} is damaged"
    return found


def read_layout(layout):
    """{tag: the files of its profile}: all that the index names is there. Does not use volt-qemu."""
    assert json.loads((layout / "oci-layout").read_text()) == {"imageLayoutVersion": "1.0.0"}
    found = {}
    for descriptor in json.loads((layout / "index.json").read_text())["manifests"]:
        manifest = json.loads(read_blob(layout, descriptor))
        profile = json.loads(read_blob(layout, manifest["config"]))
        content = {layer["digest"].removeprefix("sha256:"): read_blob(layout, layer).decode()
                   for layer in manifest["layers"]}
        for layer in manifest["layers"]:
            if layer["mediaType"].endswith(".pack-index.v1"):
                content.update(read_packs(read_blob(layout, layer).decode(), content))
        found[descriptor["annotations"]["org.opencontainers.image.ref.name"]] = {
            path: content.get(digest, "") for path, digest in profile["objects"].items()}
    return found


class ExportLayout(Operation):
    """Into an OCI layout that has another profile, and keeps it."""

    needs = "export"
    layers = ()  # options

    def prepare(self, base):
        build(base / "store", OTHER_PROFILE, OTHER_FILES)
        build(base / "store", PROFILE, FILES)
        good("--root", base / "store", "export", OTHER_PROFILE, "--layout", base / "layout", "--tag", "other")

    def command(self, point):
        return ["export", PROFILE, "--layout", point / "layout", "--tag", "new", *self.layers]

    def check_kept(self, point):
        wanted = {tag: {path: content for path, (content, _) in files.items()}
                  for tag, files in (("other", OTHER_FILES), ("new", FILES))}
        seen = read_layout(point / "layout")
        assert seen.items() <= wanted.items() and "other" in seen, f"the layout has {list(seen)}"

    def is_done(self, point):
        layout = point / "layout"
        return "new" in read_layout(layout) and not [path for path in layout.rglob("*") if is_new(path.name)]


class ExportPacks(ExportLayout):
    """All of its objects are in a pack."""

    layers = ("--max-layers", "2")


class ForVm(Operation):
    """What is made for a UEFI guest from an assembled tree."""

    VARIABLES = "v" * 8192  # flash of x86 machines takes multiples of 4096
    files = {**FILES, "firmware/OVMF_CODE.fd": ("c" * 8192, False), "firmware/OVMF_VARS.fd": (VARIABLES, False)}

    def prepare(self, base):
        build(base / "store", PROFILE, self.files)
        resolve(base / "store", PROFILE)

    def warm_up(self, point):
        resolve(point / "store", PROFILE)

    def of_vm(self, command, point):
        document = point / "vm.json"
        document.write_text(json.dumps({"name": "web", "user": "root", "firmware": "uefi", "state_dir": str(point / "state"),
                                        "runtime_dir": str(point / "run")}))
        return [command, "--no-check", "--profile", PROFILE, "--guest-arch", "x86_64", "--vm", document]


class Prepare(ForVm):
    """The file of its variables, which is whole or not there; never without the record of its firmware."""

    needs = "prepare"

    def command(self, point):
        return self.of_vm("prepare", point)

    def check_kept(self, point):
        variables = point / "state/nvram.fd"
        if variables.exists():
            assert variables.read_text() == self.VARIABLES, "it is half made"
            record = json.loads(variables.with_name("nvram.fd.firmware").read_text())
            assert record["template"] == hashlib.sha256(self.VARIABLES.encode()).hexdigest()

    def is_done(self, point):
        self.check_kept(point)
        assert not [path for path in (point / "state").glob(".*") if is_new(path.name)], "something is left behind"
        return (point / "state/nvram.fd").exists()


class Units(ForVm):
    """Files of units, each whole or not there."""

    needs = "unit"

    def command(self, point):
        (point / "units").mkdir(exist_ok=True)
        return [*self.of_vm("unit", point), "--output", point / "units"]

    def check_kept(self, point):
        for path in (point / "units").glob("[!.]*"):
            assert path.read_text().endswith("\n") and "[Service]" in path.read_text(), f"{path} is half written"

    def is_done(self, point):
        assert not list((point / "units").glob(".*")), "something is left behind"
        return bool(list((point / "units").glob("*.service")))


class Repair(Operation):
    """One object is missing, one is damaged, which shows in the tree."""

    needs = "verify"
    alone = True
    reports = True
    may_be_unclean = True

    def prepare(self, base):
        root = base / "store"
        build(root, OTHER_PROFILE, OTHER_FILES)
        build(root, PROFILE, FILES)
        shutil.copytree(root, base / "other")
        resolve(root, PROFILE)
        object_of(root, LIBRARY).unlink()
        damage(object_of(root, FILES["firmware/bios.bin"][0]))

    def command(self, point):
        return ["verify", "--repair", "--from", point / "other"]

    def is_done(self, point):
        check_store(point / "store")
        return True


class Verify(Repair):
    """Of a damaged store, which it is to tell, not to change."""

    status = 1

    def command(self, point):
        return ["verify"]


OPERATIONS = {
    "build": Build,
    "build-new": BuildNew,
    "build-mend": BuildMend,
    "import": Import,
    "import-layout": ImportLayout,
    "import-packs": ImportPacks,
    "import-signed": ImportSigned,
    "pull": Pull,
    "push": Push,
    "sign": Sign,
    "resolve": Resolve,
    "resolve-warm": ResolveWarm,
    "resolve-again": ResolveAgain,
    "replace": Replace,
    "pin": Pin,
    "pin-holder": PinByHolder,
    "unpin": Unpin,
    "current": Current,
    "current-newest": CurrentNewest,
    "rm": Remove,
    "gc": Collect,
    "copy": Copy,
    "export": Export,
    "export-layout": ExportLayout,
    "export-packs": ExportPacks,
    "prepare": Prepare,
    "units": Units,
    "repair": Repair,
}


# ---- after a fault ----

def check_clean(root):
    """In the opinion of verify, and of check_store()."""
    if not (root / "cas/objects").is_dir() or not (root / "cas/refs").is_dir():
        return  # there is no store yet
    if has("verify"):
        good("--root", root, "verify")
    check_store(root)


def check_newest(root):
    """What the profile resolves to, if it is there: the new version if that has been published."""
    if has_files(root):
        resolve(root, PROFILE)
        assert is_resolved(root), "the new version is there, and another was resolved"
    elif has_files(root, OLD_FILES):
        resolve(root, PROFILE)
        assert is_resolved(root, OLD_FILES), "the old version was not resolved"


def check_recovery(operation, point):
    root = point / operation.root
    if not operation.may_be_unclean:
        check_clean(root)
    if operation.publishes:
        check_newest(root)
    operation.do_again(point)
    operation.check_kept(point)
    assert operation.is_done(point), "it was done again, but is not done"
    resolve(root, PROFILE, "--verify")
    assert is_resolved(root, operation.files), "the tree is not as it should be"
    if has("gc"):
        good("--root", root, "gc")
        assert not leftovers(root), f"left behind: {leftovers(root)}"
    check_clean(root)


@contextlib.contextmanager
def named(where):
    try:
        yield
    except AssertionError as error:
        raise AssertionError(f"{where}: {error}") from error


def check_done(operation, point, where):
    """After exit status 0."""
    with named(where):
        assert operation.is_done(point), "exit status 0, but it is not done"


def check_after(operation, point, where, known=None):
    """
    The store is clean, the operation can be done again, and nothing is left behind. `known` has the
    states for which that is known.
    """
    with named(where):
        operation.check_kept(point)
        state = [state_of(point / directory) for directory in ("store", "other", "state", "units", "layout")]
        state.append(operation.state_elsewhere(point))
        if known is None or tuple(state) not in known:
            check_recovery(operation, point)
        if known is not None:
            known.add(tuple(state))
