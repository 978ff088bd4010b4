# SPDX-License-Identifier: MIT
"""What real QEMUs say that they can do; where it is kept; and what is asked of a program that is hostile."""
import ctypes
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from store_cli import CLI, bad, build, good, good_json, make_files, resolve, run

BUILD = Path(os.environ.get("BUILD_DIR", Path(__file__).resolve().parents[2] / "build"))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "examples/python"))
ctypes.CDLL(str(BUILD / "lib/libvoltqemu.so.1"))  # the package finds it under its SONAME

import voltqemu  # noqa: E402

MODULES = "/usr/lib/x86_64-linux-gnu/qemu"

ARCHES = {
    "x86_64": ("q35", "qemu64", "sse4.2", "virtio-net-pci"),
    "aarch64": ("virt", "cortex-a57", "pmu", "virtio-net-pci"),
    "s390x": ("s390-ccw-virtio", "qemu", "vx", "virtio-net-ccw"),
    "riscv64": ("virt", "rv64", "c", "virtio-net-pci"),
}


def ask(root, arch="x86_64", *words):
    profile = "emulate-x86" if arch == "x86_64" else "emulate-foreign"
    return good_json(root, "capabilities", "--profile", profile, "--guest-arch", arch, *words)


@pytest.mark.parametrize("arch", ARCHES)
def test_what_a_real_qemu_can_do(boot_store, arch):
    machine, model, feature, device = ARCHES[arch]
    told = ask(boot_store.root, arch)
    program = shutil.which(f"qemu-system-{arch}")
    (version,) = told["qemu"]
    assert f"version {version}" in subprocess.run([program, "-version"], capture_output=True, text=True,
                                                  check=True).stdout
    assert machine in told["machine"] and int(told["machine"][machine].get("max-cpus", "9")) > 1
    assert feature in told["cpu"][model]["properties"]
    assert {"mac", "netdev"} <= set(told["device"][device]["properties"])
    assert "no-such-device" not in told["device"]
    assert "tcg" in told["accel"] and {"user", "tap", "bridge"} <= set(told["netdev"])
    assert {"socket", "file", "stdio"} <= set(told["chardev"]) and {"raw", "qcow2"} <= set(told["blockdev"])
    assert "discard" in told["blockdev"]["file"]["properties"]
    assert "size" in told["object"]["memory-backend-file"]["properties"]
    assert "path" in told["option"]["chardev"]["properties"] and "query-status" in told["command"]


def records_of(root):
    return set((root / "cas/cache").glob("capabilities-*"))


def record_of(root):
    (record,) = records_of(root)
    return record


def executions(log):
    return sum("execve(" in line for line in log.read_text().splitlines())


@pytest.fixture
def own_store(boot_store, tmp_path):
    """A copy: with one profile, and nothing kept yet."""
    root = tmp_path / "store"
    good("--root", boot_store.root, "copy", "--to", root, "emulate-x86")
    return root


def test_it_is_asked_once(own_store, tmp_path):
    first = ask(own_store)
    record = record_of(own_store)
    log = tmp_path / "log"
    again = subprocess.run(["strace", "-f", "-o", log, "-e", "trace=execve", CLI, "--root", own_store, "--json",
                            "capabilities", "--profile", "emulate-x86"], capture_output=True, check=True)
    assert json.loads(again.stdout) == first and executions(log) == 1
    # A record that was altered is of no use.
    for damage in (lambda text: text.replace(b"virtio-net-pci", b"virtio-net-pcj"), lambda text: b""):
        record.write_bytes(damage(record.read_bytes()))
        assert ask(own_store) == first
    # What another user can write to is not believed.
    record.write_bytes(record.read_bytes())
    os.chmod(record, 0o666)
    assert ask(own_store) == first and record.stat().st_mode & 0o777 == 0o644
    # Once no revision has the program, nobody can ask for it.
    name = good_json(own_store, "revisions")[0]["name"]
    good("--root", own_store, "rm", name)
    good("--root", own_store, "gc")
    assert not records_of(own_store)


def test_revisions_of_one_program_with_other_modules_have_records_of_their_own(own_store, tmp_path):
    """Each is asked once, and stays known while the other is used; what no revision has goes with it."""
    files = tmp_path / "files"
    shutil.copytree(resolve(own_store)["tree"], files, ignore=shutil.ignore_patterns(".volt-*"))
    (gone,) = files.glob("lib/**/hw-display-virtio-vga.so")
    gone.unlink()
    old = good_json(own_store, "revisions")[0]["name"]
    ask(own_store)
    (first,) = records_of(own_store)
    build(own_store, files)
    ask(own_store)
    assert len(records_of(own_store)) == 2 and first in records_of(own_store)
    (second,) = records_of(own_store) - {first}
    good("--root", own_store, "gc")
    assert records_of(own_store) == {first, second}
    good("--root", own_store, "rm", old)
    good("--root", own_store, "gc")
    assert records_of(own_store) == {second}


def test_nothing_is_kept_in_a_store_that_is_read_only(own_store):
    assert ask(own_store)
    record_of(own_store).unlink()
    assert good_json(own_store, "--read-only", "capabilities", "--profile", "emulate-x86")["machine"]
    assert not records_of(own_store)


# ---- programs that are no QEMU ----

def hostile(tmp_path, script):
    files = make_files(tmp_path / "profile")
    (files / "bin/qemu-system-x86_64").write_text("#!/bin/sh\n" + script)
    build(tmp_path / "store", files)
    return tmp_path / "store"


def test_it_opens_no_file_of_the_host_and_has_no_privileges(tmp_path):
    secret, place = tmp_path / "secret", tmp_path / "place"
    secret.write_text("TOLD")
    secret.chmod(0o644)
    place.mkdir(mode=0o777)
    place.chmod(0o777)
    root = hostile(tmp_path, f"read -r line <{secret} && echo $line >&2; : >{place}/x && echo WRITTEN >&2\n"
                             f"chown 1:1 {place} && echo CHOWNED >&2; kill -0 {os.getpid()} && echo KILLS >&2\n"
                             "for fd in /usr/bin/../../proc/self/fd/*; do :; done; env >&2; exit 3\n")
    message = bad("--root", root, "capabilities", "--profile", "emulate-x86",
                  mentions=["ends instead of telling what it can do", "qemu-system-x86_64"])
    for word in ("TOLD", "WRITTEN", "CHOWNED"):
        assert word not in message
    assert not list(place.iterdir()) and place.stat().st_uid == os.geteuid()
    assert "HOME=" not in message and "VOLT" not in message


@pytest.mark.parametrize("script", ["exec sleep 1000\n", "while :; do :; done\n",
                                    "trap '' TERM INT HUP; exec sleep 1000\n",
                                    "while :; do echo '{}'; done >&3\n"])
def test_one_that_does_not_answer_has_its_time_and_no_more(tmp_path, script):
    root = hostile(tmp_path, script)
    started = time.monotonic()
    result = run("--root", root, "--timeout", "2", "capabilities", "--profile", "emulate-x86")
    assert result.returncode != 0 and time.monotonic() - started < 60
    assert "QEMU" in result.stderr or "qemu" in result.stderr
    assert "another client" not in result.stderr  # nobody else can reach it
    left = subprocess.run(["pgrep", "-f", str(root)], capture_output=True, text=True, check=False).stdout.split()
    assert left == []


def test_one_that_ends_has_failed_and_one_that_is_late_is_not_known_to_have(tmp_path):
    selection = voltqemu.select(voltqemu.Host("x86_64", "usable"), profile="emulate-x86", guest_arch="x86_64")
    program = tmp_path / "qemu-system-x86_64"
    program.write_text("#!/bin/sh\nexit 3\n")
    program.chmod(0o755)
    runtime = voltqemu.Runtime(selection, program, tmp_path)
    with pytest.raises(voltqemu.ProgramFailedError) as failed:
        runtime.probe()
    assert (failed.value.reason, failed.value.details) == ("does-not-answer", {"path": str(program)})
    program.write_text("#!/bin/sh\nexec sleep 1000\n")
    with pytest.raises(voltqemu.TimedOutError) as late:
        runtime.probe(call=voltqemu.Call(timeout=1))
    assert late.value.reason == "deadline"


@pytest.mark.parametrize("script", [
    "sleep 1234.5678 & exit 3\n",
    pytest.param("setsid --fork sleep 1234.5678; sleep 1; exit 3\n",
                 marks=pytest.mark.skipif(os.geteuid() != 0, reason="needs root to have PIDs of its own"))])
def test_what_it_starts_ends_with_it(tmp_path, script):
    root = hostile(tmp_path, script)
    bad("--root", root, "capabilities", "--profile", "emulate-x86", mentions=["ends instead"])
    assert subprocess.run(["pgrep", "-f", "sleep 1234.5678"], check=False, capture_output=True).stdout == b""


def test_one_that_has_kvm_alone_is_asked_where_there_is_none(tmp_path):
    """Debian's QEMU for microvm has no TCG, and no filter of system calls."""
    selection = voltqemu.select(voltqemu.Host("x86_64", "usable"), profile="kvm-uefi", guest_arch="x86_64")
    told = voltqemu.Runtime(selection, shutil.which("qemu-system-x86_64-microvm"), "/usr/share/qemu").probe()
    (version,) = told.names("qemu")
    assert told.fact("qemu", version, "asked-with") == ("kvm" if os.access("/dev/kvm", os.R_OK | os.W_OK) else "qtest")
    assert told.has("machine", "q35") and not told.has("accel", "tcg") and told.has("machine", "pc") is False


def test_one_that_knows_no_getrandom_has_the_device_of_random_bytes(tmp_path):
    """As in an emulated processor: QEMU does not start without random bytes."""
    selection = voltqemu.select(voltqemu.Host("x86_64", "usable"), profile="emulate-x86", guest_arch="x86_64")
    program = tmp_path / "qemu-system-x86_64"
    program.write_text('#!/bin/sh\n: </dev/urandom || exit 1\nexec /usr/bin/qemu-system-x86_64 "$@"\n')
    program.chmod(0o755)
    assert voltqemu.Runtime(selection, program, "/usr/share/qemu").probe().has("machine", "q35")


def test_what_it_says_of_the_ways_it_is_tried_is_not_why_it_does_not_start(tmp_path):
    root = hostile(tmp_path, 'case "$*" in *sandbox*) echo "qemu: -sandbox: no such option" >&2; exit 1;; esac\n'
                             'case "$*" in *"-accel tcg"*) echo "qemu: invalid accelerator tcg" >&2; exit 1;; esac\n'
                             'echo "Could not access KVM kernel module" >&2; exit 1\n')
    message = bad("--root", root, "capabilities", "--profile", "emulate-x86",
                  mentions=["ends instead of telling", "Could not access KVM kernel module"])
    assert "sandbox" not in message


# ---- in somebody's process ----

def open_descriptors():
    return set(os.listdir("/proc/self/fd"))


@pytest.mark.parametrize("disposition", [signal.SIG_DFL, signal.SIG_IGN])
def test_nothing_of_it_stays_in_the_process_that_asks(disposition):
    before = signal.signal(signal.SIGCHLD, disposition)
    try:
        selection = voltqemu.select(voltqemu.Host("x86_64", "absent"), profile="emulate-x86")
        runtime = voltqemu.Runtime(selection, shutil.which("qemu-system-x86_64"), "/usr/share/qemu",
                                   module_dir=MODULES)
        runtime.probe()  # what the binding itself opens, once
        descriptors = open_descriptors()
        told = runtime.probe()
        assert open_descriptors() == descriptors
        with pytest.raises(ChildProcessError):
            os.waitpid(-1, os.WNOHANG)
    finally:
        signal.signal(signal.SIGCHLD, before)
    assert told.has("machine", "q35") and told.has("machine", "q35", "hpet") and not told.has("machine", "virt")
    assert told.has("device", "virtio-blk-pci", "serial") and not told.has("device", "virtio-blk-pci", "serials")
    assert told.has("device", "no-such-device", "x") is False
    assert told.fact("machine", "q35", "alias-of").startswith("pc-q35-")
    assert "q35" in told.names("machine") and told.names("nonsense") == []
    assert told.to_dict()["machine"]["q35"] == {"alias-of": told.fact("machine", "q35", "alias-of")}


def test_one_that_is_not_there_is_named(tmp_path):
    selection = voltqemu.select(voltqemu.Host("x86_64", "absent"), profile="emulate-x86")
    runtime = voltqemu.Runtime(selection, tmp_path / "qemu", "/usr/share/qemu")
    with pytest.raises(voltqemu.NotFoundError, match="to ask it what it can do") as refused:
        runtime.probe()
    assert refused.value.reason == "not-started" and refused.value.details["path"] == str(tmp_path / "qemu")
