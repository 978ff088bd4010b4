# SPDX-License-Identifier: MIT
"""A real Linux guest boots from a profile made of the distribution's QEMU, on that profile alone."""
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
EXAMPLES = HERE.parents[1] / "examples"
sys.path.insert(0, str(HERE.parent / "harness"))
from made_profile import make_profile  # noqa: E402
from systemd_user import Unavailable, UserSystemd  # noqa: E402

CLI = os.environ.get("VOLT_QEMU", str(HERE.parents[1] / "build/examples/volt-qemu/volt-qemu"))
DEADLINE = 300  # seconds; a boot takes 2 to 10 on a quiet machine
GREETING = "hello from a directory of the host"
MARKER = "VOLT-GUEST-READY"


@pytest.fixture(scope="module")
def profile(tmp_path_factory):
    return make_profile(tmp_path_factory.mktemp("boot") / "profile", "x86_64", "i386")


@pytest.fixture(scope="module")
def guest(tmp_path_factory):
    directory = tmp_path_factory.mktemp("boot") / "guest"
    subprocess.run([EXAMPLES / "make-guest", directory], check=True)
    return directory


@pytest.fixture(scope="module")
def root(tmp_path_factory, profile):
    directory = tmp_path_factory.mktemp("boot") / "store"
    volt(directory, "build", "--profile", "emulate-x86", profile)
    return directory


def volt(root, *words, **options):
    run = subprocess.run([CLI, "--root", root, *words], capture_output=True, text=True, check=False,
                         stdin=subprocess.DEVNULL, errors="replace", **options)
    assert run.returncode == 0, run.stderr
    return run.stdout


def vm(guest, **changes):
    options = {"name": "boot", "memory": "512", "rootfs": guest / "rootfs",
               "kernel": guest / "vmlinux", "initrd": guest / "initrd.img", **changes}
    words = ["--profile", "emulate-x86", "--set", f"runtime_dir={guest / 'run'}"]
    for key, value in options.items():
        words += [f"--{key.replace('_', '-')}", str(value)]
    return words


def args(root, words):
    made = json.loads(volt(root, "--json", "args", *words))
    return made["argv"], dict(v.split("=", 1) for v in made["env"]), made["cwd"]


def assert_booted(console):
    assert GREETING in console, console[-3000:]
    assert MARKER in console and "root=9p" in console, console[-3000:]


def test_run_boots_to_user_space(root, guest):
    assert_booted(volt(root, "run", *vm(guest), timeout=DEADLINE))


def test_the_packed_kernel_and_two_cpus_boot(root, guest):
    console = volt(root, "run", *vm(guest, kernel=guest / "vmlinuz", cpus=2, guest_arch="x86_64"),
                   timeout=DEADLINE)
    assert_booted(console)


def test_the_shell_text_boots(root, guest):
    text = volt(root, "args", *vm(guest))
    volt(root, "prepare", *vm(guest))
    run = subprocess.run(["sh", "-c", text], capture_output=True, text=True, errors="replace",
                         stdin=subprocess.DEVNULL, timeout=DEADLINE, check=False)
    assert_booted(run.stdout)


# All at once, and, where that fails, which it is.
HOSTILE = ["with blanks", "co:lon;semi$LIB", "com,ma=equals", "quo'te\"s\\"]


@pytest.mark.parametrize("name", ["".join(HOSTILE), *[pytest.param(name, marks=pytest.mark.extended) for name in HOSTILE]])
def test_hostile_store_paths_boot(tmp_path, profile, guest, name):
    directory = tmp_path / name
    volt(directory, "build", "--profile", "emulate-x86", profile)
    share = tmp_path / (name + "-rootfs")
    shutil.copytree(guest / "rootfs", share, symlinks=True)
    assert_booted(volt(directory, "run", *vm(guest, rootfs=share, name=name), timeout=DEADLINE))


def test_nothing_of_the_caller_reaches_qemu(root, guest):
    """Neither the environment, nor libraries that LD_PRELOAD and LD_LIBRARY_PATH name."""
    argv, environment, cwd = args(root, vm(guest) + ["--", "-S"])
    caller = {**os.environ, "LD_LIBRARY_PATH": "/nowhere", "SECRET": "1"}
    process = subprocess.Popen([CLI, "--root", root, "run", *vm(guest), "--", "-S"], env=caller,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT)
    try:
        proc = Path("/proc", str(process.pid))
        wait_for(lambda: (proc / "comm").read_text().strip() == "volt-boot")
        variables = (proc / "environ").read_bytes().split(b"\0")[:-1]
        assert dict(v.decode().split("=", 1) for v in variables) == environment
        assert os.readlink(proc / "cwd") == cwd
        assert (proc / "cmdline").read_bytes().split(b"\0")[:-1] == [os.fsencode(a) for a in argv]
        mapped = {line.split(maxsplit=5)[5] for line in (proc / "maps").read_text().splitlines()
                  if "/" in line}
        known = (str(root), str(guest), "/memfd:", "/dev/")
        foreign = [path for path in mapped if not path.startswith(known)]
        assert not foreign
    finally:
        process.kill()
        process.wait()


def wait_for(condition):
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "nothing happened in time"
        time.sleep(0.02)


HIDE_LIBRARIES = """
set -e
for directory in /lib/x86_64-linux-gnu /usr/lib/x86_64-linux-gnu /lib64 /usr/share/qemu \
    /usr/share/seabios; do
    ! [ -d "$directory" ] || "$BUSYBOX" mount -t tmpfs none "$directory"
done
cd "$CWD"
exec "$BUSYBOX" env -i "$@"
"""


def test_a_guest_boots_where_the_host_has_no_libraries_at_all(root, guest):
    """Then an older or newer libc of the host cannot matter either."""
    busybox = shutil.which("busybox")
    argv, environment, cwd = args(root, vm(guest))
    volt(root, "prepare", *vm(guest))
    run = subprocess.run(
        ["unshare", "--mount", busybox, "sh", "-c", HIDE_LIBRARIES, "sh",
         *(f"{key}={value}" for key, value in environment.items()), *argv],
        env={"BUSYBOX": busybox, "CWD": cwd, "PATH": os.environ["PATH"]}, capture_output=True,
        text=True, errors="replace", stdin=subprocess.DEVNULL, timeout=DEADLINE, check=False)
    assert_booted(run.stdout + run.stderr)


def test_a_unit_boots_the_guest(root, guest):
    try:
        with UserSystemd() as systemd:
            store, files = systemd.directory / "store", systemd.directory / "guest"
            shutil.copytree(root, store, symlinks=True)
            shutil.copytree(guest, files, symlinks=True)
            console = systemd.directory / "console"
            (files / "run").mkdir(exist_ok=True)
            os.chown(files / "run", systemd.uid, systemd.uid)
            unit = volt(store, "unit", "--user-manager", *vm(files))
            unit = unit.replace("[Service]\n", f"[Service]\nStandardOutput=file:{console}\n")
            result = systemd.run("volt-boot.service", unit, timeout=DEADLINE)
            assert result.status == 0, result
            assert_booted(console.read_text(errors="replace"))
    except Unavailable as reason:
        pytest.skip(f"no systemd user manager can run here: {reason}")


@pytest.mark.parametrize("damage", ["write", pytest.param("delete", marks=pytest.mark.extended)])
def test_an_altered_tree_is_put_right_before_it_runs(tmp_path, profile, guest, damage):
    volt(tmp_path / "store", "build", "--profile", "emulate-x86", profile)
    tree = Path(json.loads(volt(tmp_path / "store", "--json", "resolve", "--profile",
                                "emulate-x86"))["tree"])
    victim = tree / "firmware/bios-256k.bin"
    if damage == "delete":
        victim.unlink()
        assert_booted(volt(tmp_path / "store", "run", *vm(guest), timeout=DEADLINE))
        return
    with victim.open("r+b") as file:  # through the hard link, so the object is damaged as well
        file.write(b"damaged")
    run = subprocess.run([CLI, "--root", tmp_path / "store", "run", *vm(guest)],
                         capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    assert run.returncode == 6 and "is damaged" in run.stderr and "bios-256k.bin" in run.stderr
    volt(tmp_path / "store", "build", "--profile", "emulate-x86", profile)
    assert_booted(volt(tmp_path / "store", "run", *vm(guest), timeout=DEADLINE))
