# SPDX-License-Identifier: MIT
"""What is measured: each job, done by this library, its peers and a bare loop."""
import shutil
import subprocess
import sys
from pathlib import Path

import data
from timing import Contestant, note, nothing

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "harness"))
from fake_registry import real_registry  # noqa: E402

ASSEMBLE = "assemble, cold"
REHASH = "assemble, full rehash"
VERIFY = "verify"
RAW = "hash in memory"
INGEST = "ingest, durable"
WARM = "resolve, warm"
MANIFEST = "load a manifest"
COMMAND = "build a command"
LOAD = "start a process"
CALLS = "single calls"
BUILD_MEMORY = "memory of a build"
PULL = "pull"

RAW_MIB = 512
REFS = 1000
COMMAND_ARGUMENTS = 40
MANIFEST_ENTRIES = 10_000


def remove(path):
    """As rm does it: several times faster than shutil."""
    subprocess.run(["rm", "-rf", path], check=True)


def fixed(*command):
    return lambda _round: command


def of_threads(who, threads):
    return f"{who}, {threads} thread{'s' * (threads > 1)}"


def work_of(count):
    return f"{count:,} files"


class Profile:
    """The files of one size as a directory, in a store of ours, and in a repository of ostree."""

    def __init__(self, bench, base, count):
        self.bench = bench
        self.base = base
        self.work = work_of(count)
        self.source = base / "source"
        self.root = base / "store"
        self.objects = self.root / "cas/objects"
        self.repository = base / "ostree"
        self.plan = base / "plan"
        self.object_plan = base / "object-plan"
        self.object_list = base / "object-list"
        self.out = base / "out"
        self.out.mkdir(parents=True)
        note(f"making {self.work}")
        self.files = data.write_profile(self.source, data.list_files(count))
        self.write_lists()
        bench.output([bench.program("ours"), "build", self.root, self.source, 1])
        self.manifest = next((self.root / "cas/refs").glob("*.json"))
        self.make_repository(self.repository)
        bench.output(self.commit_to(self.repository))
        self.take_trees_away("first")

    def write_lists(self):
        files = data.by_directory(self.files)
        data.write_plan(self.plan, files)
        data.write_plan(self.object_plan, [data.File(f"./{file.digest}", file.size, file.digest)
                                           for file in files])
        self.object_list.write_text("\0".join(str(self.objects / file.digest) for file in files))

    def make_repository(self, path):
        self.bench.output(["ostree", f"--repo={path}", "init", "--mode=bare-user-only"])

    def commit_to(self, repository):
        return ["ostree", f"--repo={repository}", "commit", "--branch=profile", f"--tree=dir={self.source}",
                "--canonical-permissions", "--no-xattrs"]

    def take_trees_away(self, name):
        """Away, not deleted: that would keep the file system busy. Room for new ones is there."""
        trees = self.root / "qemu"
        if trees.exists():
            trees.rename(self.out / f"trees-{name}")
        (trees / "trees").mkdir(parents=True)

    def warm_up(self):
        """Into the page cache, should others have dropped it meanwhile."""
        floor = self.bench.program("floor")
        self.bench.output([floor, "hash", 2, self.object_plan, self.objects])
        self.bench.output([floor, "hash", 2, self.plan, self.source])
        subprocess.run(f"find {self.repository}/objects -type f -exec cat {{}} + >/dev/null", shell=True,
                       check=True)

    def on_objects(self, *command):
        """A command with every object as an argument."""
        if len(self.files) < 500:
            return [*command, *self.object_list.read_text().split("\0")]
        return ["xargs", "-0", "-a", self.object_list, *command]


# ---- assembling ----

def resolving(profile, threads, *flags):
    name = of_threads("ours", threads)
    return Contestant(name, fixed(profile.bench.program("ours"), "resolve", profile.root, threads, *flags),
                      prepare=lambda number: profile.take_trees_away(f"{name}-{number}{''.join(flags)}"))


def bare_assembly(profile, threads, *flags):
    return Contestant(of_threads("bare loop", threads), lambda number: [
        profile.bench.program("floor"), "assemble", *flags, threads, profile.plan, profile.objects,
        profile.out, f"floor-{threads}-{number}{''.join(flags)}"])


def assemble(profile, rounds):
    out, bench = profile.out, profile.bench
    contestants = [
        resolving(profile, 2),
        resolving(profile, 1),
        Contestant("Go", lambda number: [
            bench.program("peer"), "link", profile.manifest, profile.objects, out / f"go-{number}"]),
        Contestant("cp -al", lambda number: ["cp", "-al", profile.source, out / f"cp-{number}"]),
        Contestant("cp -al + sync -f", lambda number: [
            "cp", "-al", profile.source, out / f"cps-{number}", "+", "sync", "-f", out / f"cps-{number}"]),
        Contestant("ostree checkout -H", lambda number: [
            "ostree", f"--repo={profile.repository}", "checkout", "-H", "-U", "profile",
            out / f"ostree-{number}"]),
        bare_assembly(profile, 1),
        bare_assembly(profile, 2),
    ]
    profile.warm_up()
    bench.compete(ASSEMBLE, profile.work, contestants, rounds)


def assemble_rehashing(profile, rounds):
    out = profile.out
    contestants = [
        resolving(profile, 2, "verify"),
        Contestant("openssl dgst + cp -al", lambda number: [
            *profile.on_objects("openssl", "dgst", "-sha256"), "+", "cp", "-al", profile.source,
            out / f"dgst-cp-{number}"]),
        bare_assembly(profile, 1, "--verify"),
        bare_assembly(profile, 2, "--verify"),
    ]
    profile.warm_up()
    profile.bench.compete(REHASH, profile.work, contestants, rounds)


# ---- hashing ----

def bare_hash(profile, threads):
    return Contestant(of_threads("bare loop", threads), fixed(
        profile.bench.program("floor"), "hash", threads, profile.object_plan, profile.objects))


def verifying(profile, threads):
    return Contestant(of_threads("ours", threads), fixed(
        profile.bench.program("ours"), "verify", profile.root, threads))


def verify(profile, rounds):
    bench = profile.bench
    profile.warm_up()
    bench.compete(VERIFY, profile.work, [
        verifying(profile, 2),
        verifying(profile, 1),
        Contestant("Go", fixed(bench.program("peer"), "verify", profile.manifest, profile.objects)),
        Contestant("ostree fsck", fixed("ostree", f"--repo={profile.repository}", "fsck", "-q")),
        Contestant("sha256sum", fixed(*profile.on_objects("sha256sum"))),
        Contestant("openssl dgst", fixed(*profile.on_objects("openssl", "dgst", "-sha256"))),
        bare_hash(profile, 1),
        bare_hash(profile, 2),
    ], rounds)


def hash_in_memory(bench, rounds):
    bench.compete(RAW, f"{RAW_MIB} MiB", [
        Contestant(of_threads("EVP", threads),
                   fixed(bench.program("floor"), "raw", threads, RAW_MIB), prints_time=True)
        for threads in (1, 2)], rounds)


# ---- ingest ----

def ingest(profile, rounds):
    bench, target = profile.bench, profile.base / "ingested"

    def into_target(name, *command, prepare=nothing):
        return Contestant(name, fixed(*command), prepare, lambda _round: remove(target))

    def ours(threads):
        return into_target(of_threads("ours", threads), bench.program("ours"), "build", target,
                           profile.source, threads)

    def bare(name, threads, *flags):
        return into_target(name, bench.program("floor"), "ingest", *flags, threads, profile.plan,
                           profile.source, target)

    contestants = [
        ours(2),
        ours(1),
        into_target("ostree commit", *profile.commit_to(target),
                    prepare=lambda _round: profile.make_repository(target)),
        bare(of_threads("bare loop", 1), 1),
        bare(of_threads("bare loop", 2), 2),
    ]
    if len(profile.files) == data.SMALL_COUNT:
        contestants.append(bare("bare loop, fsync each", 1, "--fsync-each"))
    profile.warm_up()
    bench.compete(INGEST, profile.work, contestants, rounds)


# ---- from a registry ----

def pull(bench, rounds):
    """Into a new store, which is on disk when it is done; skopeo leaves that to the system."""
    missing = [name for name in ("skopeo", "docker-registry") if not shutil.which(name)]
    if missing:
        bench.skipped.append(f"{PULL}: {' and '.join(missing)} not installed")
        return
    base = bench.mount / "pull"
    ours, store, directory = bench.program("ours"), base / "pulled", base / "directory"
    data.write_profile(base / "source", data.travelling_profile())
    bench.output([ours, "build", base / "store", base / "source", 1])
    with real_registry(base / "registry") as host:
        repository = f"{host}/volt/emulate-x86"
        bench.output([ours, "push", base / "store", repository])
        bench.compete(PULL, work_of(data.TRAVELLING_COUNT), [
            Contestant("ours", fixed(ours, "pull", store, repository), clean=lambda _round: remove(store)),
            Contestant("skopeo copy", fixed("skopeo", "copy", "-q", "--src-tls-verify=false",
                                            f"docker://{repository}:latest", f"dir:{directory}"),
                       clean=lambda _round: remove(directory)),
        ], rounds)
    remove(base)


# ---- warm ----

def resolve_warm(bench, profile, rounds):
    """The same profile in a store with one ref and in one with a thousand."""
    ours, passes = bench.program("ours"), 300
    crowded = profile.base / "crowded"
    bench.output([ours, "build", crowded, profile.source, 1])
    data.write_refs(crowded / "cas/refs", profile.files, REFS - 1)
    for root in (profile.root, crowded):
        bench.output([ours, "resolve", root, 1])
    (tree,) = (profile.root / "qemu/trees").iterdir()
    paths, ten_paths = profile.base / "paths", profile.base / "ten-paths"
    paths.write_text("".join(f"{file.path}\n" for file in profile.files))
    ten_paths.write_text("".join(f"{file.path}\n" for file in profile.files[:10]))

    def ours_at(name, root, *flags, command="warm"):
        return Contestant(name, fixed(ours, command, passes, root, *flags), prints_time=True)

    def bare(name, list_of_paths):
        return Contestant(name, fixed(bench.program("micro"), "stat", passes, tree, list_of_paths),
                          prints_time=True)

    contestants = [
        ours_at("ours, each file checked", profile.root),
        ours_at(f"ours, each file checked, {REFS:,} refs", crowded),
        ours_at("ours, each file checked, store opened", profile.root, command="open-warm"),
        bare("70 bare statx", paths),
        bare("10 bare statx", ten_paths),
        ours_at("ours, trusting", profile.root, "trust"),
        ours_at(f"ours, trusting, {REFS:,} refs", crowded, "trust"),
    ]
    bench.compete(WARM, profile.work, contestants, rounds)
    single_calls(bench, tree, crowded / "cas/refs", rounds)
    remove(crowded)


def single_calls(bench, tree, refs, rounds):
    stamp, path = bench.mount / "stamp", bench.mount / "one-path"
    stamp.write_bytes(bytes(200))
    path.write_text(f"{data.PROGRAM}\n")
    micro = bench.program("micro")
    bench.compete(CALLS, "1 call", [
        Contestant("Go os.Stat", fixed(bench.program("peer"), "stat", 2000, tree / data.PROGRAM),
                   prints_time=True),
        Contestant("statx by directory", fixed(micro, "stat", 2000, tree, path), prints_time=True),
        Contestant("read of 200 bytes", fixed(micro, "read", 2000, stamp), prints_time=True),
        Contestant("linkat", fixed(micro, "link", 500, bench.mount), prints_time=True),
    ], rounds)
    bench.compete(CALLS, f"{REFS:,} refs", [
        Contestant("scan of refs", fixed(micro, "scan", 20, refs), prints_time=True),
        Contestant("scan and open each", fixed(micro, "open-each", 20, refs), prints_time=True),
    ], rounds)


# ---- without a store ----

def load_manifest(bench, rounds):
    path = bench.mount / "manifest.json"
    data.write_manifest(path, MANIFEST_ENTRIES)
    bench.compete(MANIFEST, f"{MANIFEST_ENTRIES:,} entries", [
        Contestant("ours", fixed(bench.program("ours"), "manifest", 15, path), prints_time=True),
        Contestant("json_loadb", fixed(bench.program("micro"), "json", 15, path), prints_time=True),
    ], rounds)


def manifest_memory(bench):
    """Bytes that each entry holds beyond its path, from two sizes, so that fixed costs cancel out."""
    bytes_held, path_bytes = [], []
    for count in (MANIFEST_ENTRIES, 2 * MANIFEST_ENTRIES):
        path = bench.mount / f"manifest-{count}.json"
        path_bytes.append(data.write_manifest(path, count))
        bytes_held.append(int(bench.output([bench.program("ours"), "memory", path])))
    return (bytes_held[1] - bytes_held[0] - path_bytes[1] + path_bytes[0]) / MANIFEST_ENTRIES


def libvirt_contestants(bench):
    """None, with the reason, where libvirt or its QEMU driver is not installed, or does not start."""
    command = [bench.program("libvirt"), 200, bench.mount / "libvirt"]
    if not (bench.programs / "libvirt").exists():
        bench.skipped.append("libvirt: not installed (libvirt-dev, libvirt-daemon-driver-qemu)")
        return []
    try:
        bench.output(command)
    except RuntimeError as error:
        bench.skipped.append(f"libvirt: {str(error).strip().splitlines()[-1]}")
        return []
    return [Contestant("libvirt, in process", fixed(*command), prints_time=True)]


def build_command(bench, rounds):
    ours = Contestant("ours", fixed(bench.program("ours"), "command", 2000, COMMAND_ARGUMENTS),
                      prints_time=True)
    bench.compete(COMMAND, f"{COMMAND_ARGUMENTS} arguments", [ours, *libvirt_contestants(bench)], rounds)


def start_process(bench, profile, rounds):
    """From fork to exit, with the shared libraries that have to be loaded."""
    repeat = max(1, 200 // rounds)

    def repeated(name, *command):
        return Contestant(name, fixed(bench.program("spawn"), "--repeat", repeat, *command),
                          prints_time=True)

    bench.output([bench.program("ours"), "resolve", profile.root, 1])
    bench.compete(LOAD, "1 process", [
        repeated("jansson alone", bench.program("plain")),
        repeated("ours, resolves", bench.program("ours"), "resolve", profile.root, 1),
    ], rounds)


def build_memory(bench, largest_mib, rounds):
    """The same number of files; in one of the two directories one of them is large."""
    target = bench.mount / "built"

    def building(name, source):
        return Contestant(name, fixed(bench.program("ours"), "build", target, source, 2),
                          clean=lambda _round: remove(target))

    contestants = []
    for mib in (1, largest_mib):
        source = bench.mount / f"largest-{mib}"
        data.write_even_profile(source, mib)
        contestants.append(building(f"ours, largest object {mib} MiB", source))
    bench.compete(BUILD_MEMORY, work_of(data.SMALL_COUNT), contestants, rounds)
    for mib in (1, largest_mib):
        remove(bench.mount / f"largest-{mib}")
