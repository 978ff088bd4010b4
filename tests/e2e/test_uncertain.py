# SPDX-License-Identifier: MIT
"""What cannot be told is never taken for "no": hidden processes, refused calls, locks; and paths that are links."""
import contextlib
import fcntl
import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from store_cli import (CLI, PROFILE, PROGRAM, assert_resolves, bad, build, good, good_json, leftovers, make_files,
                       manifests, resolve, verify)

if os.getuid() != 0:
    pytest.skip("needs root to make namespaces", allow_module_level=True)

# A program that runs for as long as a test, started as a unit would: without a lease.
SLEEPER = Path("/bin/sleep").read_bytes()


@pytest.fixture
def profile(tmp_path):
    return make_files(tmp_path / "profile")


@pytest.fixture
def root(tmp_path, profile):
    build(tmp_path / "store", profile)
    resolve(tmp_path / "store")
    return tmp_path / "store"


# ---- processes that cannot be seen ----

@pytest.fixture(scope="module")
def used(tmp_path_factory):
    """A store of which the older of two trees runs: its root, and that tree."""
    directory = tmp_path_factory.mktemp("used")
    for path in (directory, *list(directory.parents)[:2]):
        path.chmod(0o755)
    root = directory / "store"
    profile = make_files(directory / "profile", {PROGRAM: SLEEPER, "firmware/bios.bin": b"1"})
    build(root, profile)
    tree = resolve(root)["tree"]
    with subprocess.Popen([Path(tree, PROGRAM), "600"]) as program:
        (profile / "firmware/bios.bin").write_bytes(b"2")
        build(root, profile)
        resolve(root)
        yield root, Path(tree)
        program.kill()


def gc_within(root, unshare, script):
    """gc --dry-run, so that the store stays as it is, where the script has changed what is mounted."""
    command = f'{script}; exec "$@"'
    words = [CLI, "--root", root, "gc", "--keep", "1", "--dry-run"]
    return subprocess.run(["unshare", *unshare, "sh", "-c", command, "sh", *words], capture_output=True, text=True,
                          check=False, env={**os.environ, "LD_LIBRARY_PATH": str(Path(CLI).parents[2] / "lib")})


@pytest.mark.parametrize("script", ["umount -l /proc", "mount -t tmpfs none /proc; mkdir /proc/1",
                                    "mount --bind /sys /proc"])
def test_no_proc_is_an_error(used, script):
    result = gc_within(used[0], ["-m"], script)
    assert result.returncode == 1 and "/proc is not the kernel's" in result.stderr, result


HIDDEN = "mount -t proc -o hidepid=2 none /proc; set -- setpriv --reuid 65534 --regid 65534 --clear-groups \"$@\""


@pytest.mark.parametrize("unshare,script", [(["-m", "-p", "-f", "--mount-proc"], ":"), (["-m"], HIDDEN)],
                         ids=["namespace", "hidepid"])
def test_hidden_processes_are_warned_of(used, unshare, script):
    """A tree that goes, since nobody is seen to use it, goes with a warning."""
    result = gc_within(used[0], unshare, script)
    assert result.returncode == 0 and "warning" in result.stderr, result
    assert "may be processes that are not in /proc" in result.stderr and str(used[0]) in result.stderr
    assert used[1].name in result.stdout


@pytest.mark.parametrize("unshare,script", [(["-m"], ":"), (["-p", "-f"], ":"), (["-U", "-r"], ":")])
def test_what_is_seen_to_be_used_stays(used, unshare, script):
    """Also where names differ, or nothing but the arguments can be read."""
    result = gc_within(used[0], unshare, script)
    assert result.returncode == 0 and "used by process" in result.stdout, result
    assert f"would remove tree {used[1].name}" not in result.stdout


@pytest.mark.parametrize("error", ["EPERM", "ENOSYS"])
def test_who_is_known_by_the_inode_alone_is_seen_without_statx(tmp_path, error):
    """Filters of system calls that are older than statx(2) refuse it. The store has another name to the process."""
    root, profile = tmp_path / "store", make_files(tmp_path / "profile", {PROGRAM: SLEEPER, "firmware/bios.bin": b"1"})
    (tmp_path / "elsewhere").mkdir()
    build(root, profile)
    tree = Path(resolve(root)["tree"])
    script = 'mount --bind "$1" "$2" && exec -a program "$2/$3" 600'
    words = [root, tmp_path / "elsewhere", tree.relative_to(root) / PROGRAM]
    words = ["unshare", "-m", "bash", "-c", script, "bash", *words]
    with subprocess.Popen(words) as program, contextlib.ExitStack() as stack:
        stack.callback(program.kill)
        for _ in range(600):
            if Path(f"/proc/{program.pid}/cmdline").read_bytes().startswith(b"program"):
                break
            time.sleep(0.05)
        (profile / "firmware/bios.bin").write_bytes(b"2")
        build(root, profile)
        resolve(root)
        with refused("statx", error, root, "gc", "--keep", "1") as gc:
            output = gc.communicate(timeout=300)[0]
        assert gc.returncode == 0 and f"used by process {program.pid}" in output and tree.exists(), output


@pytest.mark.parametrize("umask", ["077", "000"])
def test_a_store_is_made_without_proc(tmp_path, profile, umask):
    command = f'umount -l /proc; umask {umask}; exec "$@"'
    words = [CLI, "--root", tmp_path / "store", "ingest", "--profile", PROFILE, profile]
    result = subprocess.run(["unshare", "-m", "sh", "-c", command, "sh", *words], capture_output=True, text=True,
                            check=False, env={**os.environ, "LD_LIBRARY_PATH": str(Path(CLI).parents[2] / "lib")})
    assert result.returncode == 0, result
    assert {(tmp_path / "store" / name).stat().st_mode & 0o777 for name in ("cas", "cas/objects", "qemu/trees")} == {0o755}
    assert_resolves(tmp_path / "store")


# ---- calls that a sandbox refuses ----

@pytest.mark.parametrize("error", ["EPERM", "ENOSYS", "EIO"])
def test_access_is_not_what_tells_whether_something_is_there(tmp_path, profile, error):
    """Those that look whether a file may be used say nothing of whether it is there."""
    for words in (["build", "--profile", PROFILE, profile], ["resolve", "--profile", PROFILE],
                  ["verify", "--repair"], ["gc"], ["resolve", "--profile", PROFILE]):
        result = subprocess.run(["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=faccessat2,faccessat", "-e",
                                 f"inject=faccessat2,faccessat:error={error}", CLI, "--root", tmp_path / "store",
                                 *words], capture_output=True, text=True, check=False)
        assert result.returncode == 0 and not result.stderr, result
    assert_resolves(tmp_path / "store")


def refused(call, error, root, *words):
    """The command where a call always fails with this error, or its start: a Popen."""
    return subprocess.Popen(["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e",
                             f"inject={call}:error={error}", CLI, "--root", root, *words],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("error", ["ENOTTY", "EACCES", "EOVERFLOW", "EIO"])
def test_what_the_kernel_does_not_copy_is_read_and_written(tmp_path, profile, error):
    with refused("copy_file_range,ioctl", error, tmp_path / "store", "ingest", "--profile", PROFILE, profile) as ingest:
        assert ingest.communicate()[1] == "" and ingest.returncode == 0
    assert_resolves(tmp_path / "store", "--verify")


def test_names_are_new_without_random_numbers(tmp_path, profile):
    """Two at once, of which each has a name of its own for what it makes."""
    both = [refused("getrandom", "EPERM", tmp_path / "store", "--threads", "1", "ingest", "--profile", name, profile)
            for name in (PROFILE, "kvm-linux") for _ in range(3)]
    for ingest in both:
        assert ingest.communicate()[1] == "" and ingest.returncode == 0
    assert_resolves(tmp_path / "store", "--verify")


@pytest.mark.parametrize("call", ["flock", "fsync"])
def test_a_call_that_is_only_interrupted_is_given_up(tmp_path, profile, call):
    with refused(call, "EINTR", tmp_path / "store", "ingest", "--profile", PROFILE, profile) as ingest:
        error = ingest.communicate(timeout=300)[1]
    assert ingest.returncode == 1 and "Interrupted system call" in error and error.count("\n") == 1, error


PROGRAM_OF_THE_HOST = {PROGRAM: SLEEPER, "lib/ld-linux-x86-64.so.2": b"a loader", "firmware/bios.bin": b"1"}


@pytest.mark.parametrize("command", ["ingest", "import", "resolve"])
def test_what_a_program_is_is_not_told_without_reading_it(tmp_path, command):
    """For which host it is built, and which loader it asks for, are written down for good."""
    source = make_files(tmp_path / "profile", PROGRAM_OF_THE_HOST)
    build(tmp_path / "base", source)
    good("--root", tmp_path / "base", "export", PROFILE, "--output", tmp_path / "export.tar")
    subprocess.run(["tar", "-xf", tmp_path / "export.tar", "-C", tmp_path, "--one-top-level=unpacked"], check=True)
    (tmp_path / "unpacked/.volt-manifest.json").unlink()
    subprocess.run(["tar", "-cf", tmp_path / "foreign.tar", "-C", tmp_path / "unpacked", "."], check=True)
    words = {"ingest": ["ingest", "--profile", PROFILE, source], "resolve": ["resolve", "--profile", PROFILE],
             "import": ["import", "--profile", PROFILE, tmp_path / "foreign.tar"]}[command]
    failed = 0
    for number in range(1, 25):
        root = tmp_path / f"store-{number}"
        if command == "resolve":
            subprocess.run(["cp", "-r", tmp_path / "base", root], check=True)
        with refused("pread64", f"EIO:when={number}", root, *words) as process:
            error = process.communicate(timeout=300)[1]
        failed += process.returncode
        assert process.returncode in (0, 1, 6, 127), (number, error)  # 127: the loader of volt-qemu itself could not read
        if process.returncode == 0 or command == "resolve":
            assert resolve(root)["loader"], (number, error)
            assert [manifest["arch"] for manifest in manifests(root).values()] == ["x86_64"], (number, error)
    assert failed > 1


def test_directories_that_cannot_be_synced_alone(tmp_path, profile):
    """Some file systems have no fsync(2) for directories, or for nothing."""
    for words in (["ingest", "--profile", PROFILE, profile], ["resolve", "--profile", PROFILE], ["pin", PROFILE],
                  ["current", PROFILE], ["copy", "--to", tmp_path / "copy", PROFILE], ["gc"],
                  ["export", PROFILE, "--output", tmp_path / "export.tar"]):
        with refused("fsync", "EINVAL", tmp_path / "store", *words) as process:
            assert process.communicate(timeout=300)[1] == "" and process.returncode == 0, words
    with refused("fsync,syncfs", "EINVAL", tmp_path / "other", "ingest", "--profile", PROFILE, profile) as process:
        assert "Invalid argument" in process.communicate(timeout=300)[1] and process.returncode == 1


# ---- locks ----

@pytest.mark.parametrize("words", [["rm"], ["gc", "--keep", "1"]], ids=["rm", "gc"])
def test_nothing_is_removed_while_the_links_are_locked(root, profile, words):
    """All locks are had before anything goes."""
    (old,) = manifests(root)
    (profile / "firmware/new.bin").write_bytes(b"new")
    build(root, profile)
    command = words + [old] if words == ["rm"] else words
    tree = os.readlink(root / "qemu" / PROFILE)
    if words != ["rm"]:
        resolve(root)
    before = (sorted(manifests(root)), sorted(os.listdir(root / "qemu/trees")))
    lock = os.open(root / "qemu", os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    bad("--root", root, *command, "--lock-timeout", "0", mentions=["locked", root / "qemu"])
    assert before == (sorted(manifests(root)), sorted(os.listdir(root / "qemu/trees"))) and tree
    os.close(lock)
    good("--root", root, *command)
    assert old not in manifests(root) and not leftovers(root)


# ---- links as paths ----

def move_and_link(path, elsewhere):
    elsewhere.mkdir(exist_ok=True)
    shutil.move(path, elsewhere / path.name)
    path.symlink_to(elsewhere / path.name)


PARTS = ["qemu", "qemu/trees", "cas", "cas/objects", "cas/refs", "cas/tmp", "cas/alt", "cas/cache"]


@pytest.mark.parametrize("part", PARTS)
def test_a_part_of_the_store_is_a_link(root, tmp_path, profile, part):
    twins = {"lib/twin": (b"#!/bin/sh\n", 0o755), "firmware/twin.txt": (b"#!/bin/sh\n", 0o644)}
    make_files(profile, twins)
    build(root, profile)
    resolve(root)
    move_and_link(root / part, tmp_path / "elsewhere")
    if part in ("cas", "cas/objects"):  # what is beside the objects goes with them
        for name in ("tmp", "alt", "cache"):
            if not (tmp_path / "elsewhere" / name).exists() and (root / "cas" / name).exists():
                shutil.move(root / "cas" / name, tmp_path / "elsewhere" / name)
    assert_resolves(root)
    (profile / "firmware/new.bin").write_bytes(b"new")
    build(root, profile)
    assert_resolves(root)
    verify(root)
    verify(root, "--repair")
    report = good_json(root, "gc", "--keep", "1")
    assert report["removed"] and len(manifests(root)) == 1
    assert_resolves(root, "--verify")


def test_a_directory_of_links_that_is_a_link(root, tmp_path):
    (tmp_path / "links").mkdir()
    (tmp_path / "to-links").symlink_to("links")
    words = ["--objects", root / "cas/objects", "--refs", root / "cas/refs", "--trees", root / "qemu/trees",
             "--links", tmp_path / "to-links"]
    good(*words, "resolve", "--profile", PROFILE)
    good(*words, "gc")
    assert (tmp_path / "links" / PROFILE).is_symlink()


@pytest.mark.parametrize("kind", ["directory", "store", "archive"])
def test_a_source_of_good_copies_that_is_a_link(root, tmp_path, profile, kind):
    source = {"directory": profile, "store": tmp_path / "copy", "archive": tmp_path / "export.tar"}[kind]
    subprocess.run(["cp", "-a", root, tmp_path / "copy"], check=True)
    good("--root", root, "export", PROFILE, "--output", tmp_path / "export.tar")
    (tmp_path / "link").symlink_to(source)
    (manifest,) = manifests(root).values()
    for name in ("firmware/bios.bin", "lib/libone.so.1"):
        (root / "cas/objects" / manifest["objects"][name]).unlink()
        Path(resolve(root, "--trust")["tree"], name).unlink()
    report = verify(root, "--repair", "--from", tmp_path / "link")
    assert report["problems"] and all(problem["repaired"] for problem in report["problems"])
    assert_resolves(root, "--verify")


# ---- where the store is ----

def test_a_relative_root_in_a_directory_that_is_gone(tmp_path):
    (tmp_path / "gone").mkdir()
    command = f'cd {tmp_path}/gone; rmdir {tmp_path}/gone; exec {CLI} --root here revisions'
    result = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert result.returncode in {1, 3, 4, 5, 6, 7} and "working directory" in result.stderr, result
    assert "memory" not in result.stderr


def test_objects_that_are_a_mount_alone(root, profile, tmp_path):
    """The device is the same, but nothing can be renamed into it."""
    subprocess.run(["mount", "--bind", root / "cas/objects", root / "cas/objects"], check=True)
    try:
        (profile / "firmware/new.bin").write_bytes(b"new")
        bad("--root", root, "build", "--profile", PROFILE, profile,
            mentions=["tmp beside it must be on one file system", root / "cas/objects"])
        assert not leftovers(root)
    finally:
        subprocess.run(["umount", root / "cas/objects"], check=True)
    build(root, profile)


# ---- whose store it is ----

NOBODY = {"user": 65534, "group": 65534, "extra_groups": []}
PARTS_TO_GUARD = ["cas/objects", "cas/refs", "qemu/trees"]


def open_to_all(path):
    for directory in (path, *list(path.parents)[:3]):
        if directory != Path("/tmp"):
            directory.chmod(0o755)


@pytest.mark.parametrize("part", PARTS_TO_GUARD)
@pytest.mark.parametrize("mode,who", [(0o775, "group"), (0o757, "all users"), (0o1777, "all users")])
def test_a_store_that_others_may_write_to_is_refused(root, part, mode, who):
    (root / part).chmod(mode)
    for words in (["resolve", "--profile", PROFILE], ["verify"], ["gc"], ["--read-only", "revisions"]):
        bad("--root", root, *words, mentions=[root / part, who, "--allow-others"])
        good("--root", root, "--allow-others", *words)
    (root / part).chmod(0o755)
    assert_resolves(root)


@pytest.mark.parametrize("part", PARTS_TO_GUARD)
def test_a_store_of_another_user_is_refused(root, tmp_path, part):
    """Root does not run what somebody else may have put there; that user himself, and root's, are trusted."""
    open_to_all(tmp_path)
    os.chown(root / part, 65534, 65534)
    bad("--root", root, "resolve", "--profile", PROFILE, mentions=[root / part, "user 65534"])
    good("--root", root, "--allow-others", "resolve", "--profile", PROFILE)
    good("--root", root, "revisions", **NOBODY)
    os.chown(root / part, 1234, 65534)
    bad("--root", root, "revisions", mentions=[root / part, "user 1234"], **NOBODY)


def test_trees_that_others_make_later_are_refused(tmp_path, profile):
    """They are not there when the store is opened: whoever may make them makes them."""
    build(tmp_path / "store", profile)
    shutil.rmtree(tmp_path / "store/qemu/trees")
    good("--root", tmp_path / "store", "revisions")
    (tmp_path / "store/qemu/trees").mkdir()
    os.chown(tmp_path / "store/qemu/trees", 65534, 65534)
    bad("--root", tmp_path / "store", "resolve", "--profile", PROFILE, mentions=["qemu/trees"])


# ---- strangers in trees ----

def test_a_stranger_in_a_tree_does_not_keep_it(root, tmp_path, profile):
    """Anybody may go there; only who runs from it keeps it, or root and the caller."""
    open_to_all(tmp_path)
    old = Path(resolve(root)["tree"])
    (profile / "firmware/new.bin").write_bytes(b"new")
    build(root, profile)
    resolve(root)
    with subprocess.Popen(["sleep", "600"], cwd=old, **NOBODY) as stranger, \
            subprocess.Popen(["sleep", "600"], cwd=old) as own:
        assert "used by process" in good("--root", root, "gc", "--keep", "1") and old.exists()
        own.kill()
        own.wait()
        assert "used by process" not in good("--root", root, "gc", "--keep", "1")
        assert not old.exists()
        stranger.kill()


def test_a_stranger_who_runs_from_a_tree_keeps_it(tmp_path):
    """As the user that a VM runs as is one, by a program of the tree, or by a loader from elsewhere."""
    open_to_all(tmp_path)
    root, profile = tmp_path / "store", tmp_path / "profile"
    make_files(profile, {PROGRAM: SLEEPER, "firmware/bios.bin": b"1"})
    build(root, profile)
    old = Path(resolve(root)["tree"])
    (profile / "firmware/bios.bin").write_bytes(b"2")
    build(root, profile)
    resolve(root)
    loader = next(path for path in ("/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1")
                  if os.path.exists(path))
    for command in ([old / PROGRAM, "600"], [loader, old / PROGRAM, "600"]):
        with subprocess.Popen(command, cwd=old, **NOBODY) as program:
            for _ in range(100):  # until it has called execve() and its loader has mapped it
                if str(old) in Path(f"/proc/{program.pid}/maps").read_text():
                    break
                time.sleep(0.05)
            assert "used by process" in good("--root", root, "gc", "--keep", "1") and old.exists()
            program.kill()
    good("--root", root, "gc", "--keep", "1")
    assert not old.exists()


# ---- forged stamps ----

@pytest.mark.parametrize("line", ["modules ../../../elsewhere", "modules /tmp", "modules lib/../../elsewhere",
                                  "modules firmware"])
def test_a_forged_stamp_names_nothing_outside(root, line):
    """Also where nothing but its beginning is read."""
    resolved = resolve(root, "--trust")
    stamp = Path(resolved["tree"], ".volt-tree")
    assert "modules lib/qemu" in stamp.read_text()
    stamp.chmod(0o644)
    stamp.write_text(stamp.read_text().replace("modules lib/qemu", line))
    assert resolve(root, "--trust")["module_dir"] == resolved["module_dir"] == resolved["tree"] + "/lib/qemu"
