# SPDX-License-Identifier: MIT
"""Services of a real system manager: QEMU runs in its confinement, and reaches nothing else."""
import contextlib
import json
import os
import pwd
import shlex
import shutil
import subprocess
import threading
import time
from pathlib import Path

import pytest

# Fixtures are found by their names.
from unit_vm import DEADLINE, SERVICE, Vm, cli, guests, open_devices, root, systemd, volt  # noqa: F401
import guests as guests_of_linux
import power_guest
from boots import Console
from systemd_user import UserSystemd

VIRTIOFSD = Path("/usr/lib/qemu/virtiofsd")


@pytest.fixture
def make(systemd, cli, root, guests):
    return lambda **keys: Vm(systemd, cli, root, guests, **keys)


def result_of(systemd, unit=SERVICE):
    return systemd.show(unit, "Result")["Result"]


def test_stopping_the_service_shuts_the_guest_down(systemd, make):
    with make() as vm:
        vm.wait_for(power_guest.READY)
        assert vm.qmp().execute("query-status")["status"] == "running"
        systemd.stop(SERVICE)
        vm.wait_for(power_guest.SEEN)
        assert result_of(systemd) == "success"
        assert not systemd.inside("/run/volt/web/qemu.pid").exists()


def test_a_deaf_guest_is_ended(systemd, make):
    with make(deaf=True, replace=[("--timeout 90", "--timeout 2")]) as vm:
        vm.wait_for(power_guest.READY)
        systemd.stop(SERVICE)
        assert power_guest.IGNORED in vm.console.read_text()
        assert result_of(systemd) == "success"


def test_a_guest_that_ends_by_itself_is_no_failure(systemd, make):
    with make() as vm:
        vm.wait_for(power_guest.READY)
        vm.qmp().execute("system_powerdown")
        vm.wait_for_state(SERVICE, ("inactive", "failed"))
        assert result_of(systemd) == "success"


@pytest.fixture
def kvm(guests):
    """A KVM may be there, and run nothing."""
    words = ["qemu-system-x86_64", "-nodefaults", "-machine", "q35", "-accel", "kvm",
             "-cpu", "qemu64", "-display", "none", "-serial", "stdio", "-kernel", guests[False]]
    with subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, text=True) as process:
        late = threading.Timer(40, process.kill)
        late.start()
        works = any(power_guest.READY in line for line in process.stdout)
        late.cancel()
        process.kill()
    if not works:
        pytest.skip("KVM runs no guest here")


def test_kvm_needs_no_memory_that_is_writable_and_executable(systemd, make, kvm):
    with make(profile="kvm-linux", cpu_model="qemu64", user="root") as vm:
        assert "\nMemoryDenyWriteExecute=yes\n" in vm.texts[SERVICE]
        vm.wait_for(power_guest.READY)
        assert vm.qmp().execute("query-kvm") == {"enabled": True, "present": True}
        systemd.stop(SERVICE)
        vm.wait_for(power_guest.SEEN)


# Everything that is derived from use, at once.
RICH = {
    "disks": [{"file": "/home/me/disk.raw", "cache": "none", "aio": "io_uring"},
              {"file": "/srv/read-only.raw", "read_only": True, "bus": "scsi",
               "iothread": "one"}],
    "shares": [{"path": "/srv/share", "tag": "share", "writable": True}],
    "nics": [{"forwards": [{"host_port": 8080, "guest_port": 80}]}],
    "rng": True, "balloon": True, "display": "vnc", "vnc_port": 5999, "vnc_no_password": True,
    "guest_agent_socket": "/run/volt/web/agent.sock", "usb_tablet": False, "usb": False,
    "tpm": True,
}


@pytest.fixture
def files(systemd):
    """What RICH needs."""
    for name in ("/home/me", "/srv/share", "/srv/log"):
        systemd.inside(name).mkdir(exist_ok=True)
    for name in ("/home/me/disk.raw", "/srv/read-only.raw"):
        systemd.inside(name).write_bytes(bytes(1 << 20))
    for name in ("/home/me/disk.raw", "/srv/share"):
        shutil.chown(systemd.inside(name), "games")


needs_swtpm = pytest.mark.skipif(not shutil.which("swtpm"), reason="swtpm is not installed")


@needs_swtpm
def test_a_vm_with_everything_runs_as_an_ordinary_user(systemd, make, files):
    with make(**RICH) as vm:
        vm.wait_for(power_guest.READY)
        qmp = vm.qmp()
        assert {block["device"] or block["qdev"] for block in qmp.execute("query-block")}
        assert qmp.execute("query-tpm")
        main = systemd.show(SERVICE, "MainPID")["MainPID"]
        status = systemd.enter("cat", f"/proc/{main}/status", timeout=DEADLINE).stdout
        assert f"\nUid:\t{pwd.getpwnam('games').pw_uid}\t" in status and "\nNoNewPrivs:\t1\n" in status
        assert "\nCapBnd:\t0000000000000000\n" in status
        systemd.stop(SERVICE)
        vm.wait_for(power_guest.SEEN)
        assert result_of(systemd) == "success"
        assert systemd.inside("/var/lib/volt/vms/web/tpm/tpm2-00.permall").exists()
        for unit in vm.texts:
            vm.wait_for_state(unit, ("inactive",))
            assert result_of(systemd, unit) == "success"
        assert not systemd.inside("/run/volt/web/tpm.sock").exists()


@needs_swtpm
def test_companions_start_and_end_with_the_vm(systemd, make):
    with make(tpm=True) as vm:
        tpm = ("volt-vm-swtpm@web.socket", "volt-vm-swtpm@web.service")
        vm.wait_for(power_guest.READY)
        assert [vm.state(unit) for unit in tpm] == ["active", "active"]
        done = systemd.systemctl("restart", SERVICE)
        assert done.returncode == 0, done.stderr + systemd.log
        vm.wait_for(power_guest.READY, count=2)
        assert vm.qmp().execute("query-tpm") and vm.state(tpm[1]) == "active"
        vm.qmp().execute("quit")
        for unit in (SERVICE, *tpm):
            vm.wait_for_state(unit, ("inactive", "failed"))
            assert result_of(systemd, unit) == "success", systemd.log
        vm.start()
        vm.wait_for(power_guest.READY, count=3)
        assert vm.qmp().execute("query-tpm")


@needs_swtpm
def test_a_state_directory_of_ones_own(systemd, make):
    """With all that swtpm's options cannot escape."""
    directory = "/srv/tpms/a,b =c'\"%d\\ \u00fc"
    systemd.inside(directory).mkdir(parents=True)
    shutil.chown(systemd.inside(directory), "games")
    with make(tpm=True, tpm_state=directory) as vm:
        vm.wait_for(power_guest.READY)
        systemd.stop(SERVICE)
        assert (systemd.inside(directory) / "tpm2-00.permall").exists()


def test_a_companion_that_cannot_start_is_told(systemd, make):
    vm = make(tpm=True, swtpm_program="/usr/bin/missing")
    with pytest.raises(AssertionError, match="dependency"):
        vm.__enter__()
    assert "volt-vm-swtpm@web.service: Failed" in systemd.log
    vm.__exit__()


@pytest.mark.skipif(not VIRTIOFSD.exists(), reason="virtiofsd is not installed")
@pytest.mark.parametrize("writable", [False, True])
def test_virtiofsd_serves_the_share(systemd, make, files, writable):
    share = {"path": "/srv/share", "tag": "t", "driver": "virtiofs", "writable": writable}
    with make(shares=[share], virtiofsd_program=str(VIRTIOFSD), virtiofsd_root=True) as vm:
        vm.wait_for(power_guest.READY)
        name = "volt-vm-virtiofsd@web-0.service"
        assert vm.state(name) == "active"
        # As virtiofsd sees its share: its root, in a namespace of its own.
        main = systemd.show(name, "MainPID")["MainPID"]
        children = systemd.enter("cat", f"/proc/{main}/task/{main}/children",
                                 timeout=DEADLINE).stdout.split()
        mounts = systemd.enter("cat", f"/proc/{children[0]}/mounts", timeout=DEADLINE).stdout
        options = next(line.split()[3] for line in mounts.splitlines() if line.split()[1] == "/")
        assert ("rw" if writable else "ro") in options.split(","), mounts
        systemd.stop(SERVICE)
        vm.wait_for(power_guest.SEEN)
        for unit in vm.texts:
            vm.wait_for_state(unit, ("inactive", "failed"))
            assert result_of(systemd, unit) == "success", systemd.log


def test_uefi_variables_of_a_user_can_be_written(systemd, cli, root, make):
    keys = {"firmware": "uefi", "kernel": None, "append": None}
    vm = make(**keys)
    words = ["prepare", "--kvm", "usable", "--profile", "emulate-x86", "--vm", str(vm.document)]
    done = systemd.enter(str(cli), "--root", str(root), *words, timeout=DEADLINE)
    assert done.returncode == 0, done.stderr
    with vm:
        variables = systemd.inside("/var/lib/volt/vms/web/nvram.fd")
        before = variables.stat().st_mtime_ns
        deadline = time.monotonic() + 3 * DEADLINE
        while variables.stat().st_mtime_ns == before:  # the firmware writes down what it found
            assert time.monotonic() < deadline, vm.told()
            time.sleep(0.1)
        assert vm.qmp().execute("query-status")["status"] == "running"
        assert variables.owner() == "games"


# ---- Linux ----

@pytest.fixture(scope="module")
def linux(systemd):
    """A guest with drivers for all that it is given; its files are where services see them."""
    try:
        made = guests_of_linux.make("x86_64")
    except guests_of_linux.GuestError as reason:
        pytest.skip(str(reason))
    shutil.copytree(made.rootfs, systemd.directory / "rootfs", symlinks=True)
    return {"kernel": str(shutil.copy(made.kernel, systemd.directory)), "memory": 256,
            "initrd": str(shutil.copy(made.initrd, systemd.directory)),
            "rootfs": str(systemd.directory / "rootfs")}


@pytest.mark.extended
@needs_swtpm
@pytest.mark.skipif(not VIRTIOFSD.exists(), reason="virtiofsd is not installed")
def test_linux_has_all_its_devices_and_hears_of_its_power_button(systemd, make, files, linux):
    keys = RICH | linux | {
        "rootfs_driver": "virtiofs", "virtiofsd_program": str(VIRTIOFSD), "virtiofsd_root": True,
        "append": "root=rootfs rootfstype=virtiofs console=ttyS0 panic=1 "
                  "volt.report=disk:2,nic:1,dhcp,tpm:1,rng:1,share:1,port:1,powerbutton:1"}
    with make(**keys) as vm:
        vm.wait_for("REPORT waiting", deadline=200)
        systemd.stop(SERVICE, timeout=200)
        console = Console(vm.console.read_text(), 0)
        assert console.ready()["root"] == "virtiofs"
        assert {disk["name"]: disk["ro"] for disk in console.reports("disk")} == {"sda": "1", "vda": "0"}
        assert console.reports("dhcp")[0]["address"] == "10.0.2.15"
        assert console.reports("tpm")[0]["version"] == "2"
        assert [share["tag"] for share in console.reports("share")] == ["share"]
        assert console.reports("powerbutton")[0]["pressed"] == "yes"
        for unit in vm.texts:
            vm.wait_for_state(unit, ("inactive", "failed"))
            assert result_of(systemd, unit) == "success", systemd.log


# ---- files ----

HOSTILE = ["two words", " lead and trail ", "comma,,equals=", "quotes\"'`", "back\\slash\\", "%n%%i%",
           "$HOME${X}", "semi; #hash", "-dash", "+plus:colon", "*?[a]", "\u00fc\u20ac\U0001f600",
           "..hidden"]


@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
def test_disks_on_hostile_paths_can_be_written(systemd, make, name):
    path = f"/srv/{name}/disk"
    place = systemd.inside(path)
    place.parent.mkdir(exist_ok=True)
    place.write_bytes(bytes(1 << 20))
    shutil.chown(place, "games")
    with make(disks=[{"file": path}]) as vm:
        vm.wait_for(power_guest.READY)
        (block,) = vm.qmp().execute("query-block")
        assert not block["inserted"]["ro"]


@pytest.mark.parametrize("user", [False, True])
def test_systemd_has_nothing_to_say(systemd, cli, root, guests, user, tmp_path):
    keys = {"runtime_dir": "/run/user/7/volt/web"} if user else {"user": "games"}
    keys |= {"tpm": True, "disks": [{"file": "/srv/a b%c"}]}
    document = tmp_path / "vm.json"
    document.write_text(json.dumps({"name": "web", "kernel": str(guests[False]), **keys}))
    words = ["--user-manager"] if user else []
    volt(cli, root, "unit", "--profile", "emulate-x86", "--vm", document, "--output", tmp_path, *words)
    units = sorted(path for path in tmp_path.iterdir() if path.name.startswith("volt-"))
    assert len(units) == 3 and len(list(tmp_path.iterdir())) == 4
    verdict = UserSystemd.verify_files(units, user=user)
    assert verdict.good, verdict.stderr


# ---- what an ordinary user has goes on working ----

def test_kvm_as_an_ordinary_user(systemd, make, kvm):
    open_devices(systemd)
    with make(profile="kvm-linux", cpu_model="qemu64") as vm:
        vm.wait_for(power_guest.READY)
        assert vm.qmp().execute("query-kvm") == {"enabled": True, "present": True}
        systemd.stop(SERVICE)
        vm.wait_for(power_guest.SEEN)


def ip(systemd, *words):
    done = systemd.enter("ip", *words, timeout=DEADLINE)
    if done.returncode:
        pytest.skip(f"no network devices can be made here: {done.stderr}")


def test_a_tap_device_of_the_user(systemd, make):
    open_devices(systemd)
    ip(systemd, "tuntap", "add", "tap7", "mode", "tap", "user", "games")
    with make(nics=[{"backend": "tap", "ifname": "tap7"}]) as vm:
        vm.wait_for(power_guest.READY)
        assert "tap7" in str(vm.qmp().execute("human-monitor-command", **{"command-line": "info network"}))


@pytest.mark.parametrize("user", ["games", "root"])
def test_a_bridge(systemd, make, user):
    """By QEMU's helper, which is setuid root, and may use the bridges that /etc/qemu lists."""
    open_devices(systemd)
    ip(systemd, "link", "add", f"br-{user}", "type", "bridge")
    helper = systemd.inside("/srv/helper")
    shutil.copy("/usr/lib/qemu/qemu-bridge-helper", helper)
    helper.chmod(0o4755)
    systemd.enter("sh", "-c", "mkdir -p /run/etc-qemu && echo 'allow all' >/run/etc-qemu/bridge.conf && "
                  "mount --bind /run/etc-qemu /etc/qemu", timeout=DEADLINE)
    nic = {"backend": "bridge", "bridge": f"br-{user}", "helper": "/srv/helper"}
    with make(user=user, sandbox=user == "root", nics=[nic]) as vm:
        vm.wait_for(power_guest.READY)
        assert "tap" in systemd.enter("ip", "link", "show", "master", f"br-{user}", timeout=DEADLINE).stdout


def test_a_backing_store_in_the_users_own_directory(systemd, make):
    """All of the directory is in sight, and only the disk is writable."""
    own = systemd.inside("/srv/users-own")
    own.mkdir()
    (own / "disk").write_bytes(bytes(1 << 20))
    for path in (own, own / "disk"):
        shutil.chown(path, "games")
    with make(disks=[{"file": "/srv/users-own/disk"}]) as vm:
        assert 'BindReadOnlyPaths="-/srv/users-own"\n' in vm.texts[SERVICE]
        vm.wait_for(power_guest.READY)
        (block,) = vm.qmp().execute("query-block")
        assert not block["inserted"]["ro"]


# ---- a VM runs once ----

BUSY = 4
SOCKET = "/run/volt/web/qmp.sock"


def run_words(cli, root, vm, command="run"):
    return [str(cli), "--root", str(root), "--json", command, "--profile", "emulate-x86", "--vm", str(vm.document)]


@contextlib.contextmanager
def run_beside(systemd, cli, root, vm):
    """The VM by "volt-qemu run", where the manager is. Yields the number of its process there."""
    words = " ".join(map(shlex.quote, run_words(cli, root, vm)))
    done = systemd.enter("sh", "-c", f"{words} </dev/null >/dev/null 2>/srv/log/run.log & echo $!", timeout=DEADLINE)
    assert done.returncode == 0, done.stderr
    process = done.stdout.strip()
    try:
        yield process
    finally:
        systemd.enter("kill", "-KILL", process, timeout=DEADLINE)


def test_a_service_that_runs_is_not_started_again(systemd, cli, root, make):
    with make(user="root") as vm:
        vm.wait_for(power_guest.READY)
        main = systemd.show(SERVICE, "MainPID")["MainPID"]
        before = os.stat(systemd.inside(SOCKET))
        for command in ("run", "prepare"):
            refused = systemd.enter(*run_words(cli, root, vm, command), timeout=DEADLINE)
            assert refused.returncode == BUSY, refused
            told = json.loads(refused.stderr)["error"]
            assert told["reason"] == "runs-already" and told["details"]["process"] == main
        assert os.stat(systemd.inside(SOCKET)).st_ino == before.st_ino
        assert vm.qmp().execute("query-status")["running"]


def test_what_runs_is_not_started_as_a_service(systemd, cli, root, make):
    """QEMU itself finds that it is locked, whatever the manager has done before."""
    vm = make(user="root", qmp_socket=SOCKET)
    assert systemd.systemctl("daemon-reload").returncode == 0
    with run_beside(systemd, cli, root, vm) as process:
        deadline = time.monotonic() + DEADLINE
        while power_guest.READY not in vm.console.read_text():
            assert time.monotonic() < deadline, systemd.inside("/srv/log/run.log").read_text()
            time.sleep(0.05)
        before = os.stat(systemd.inside(SOCKET))
        systemd.systemctl("start", SERVICE)
        vm.wait_for_state(SERVICE, ["failed"])
        assert result_of(systemd) == "exit-code"
        assert os.stat(systemd.inside(SOCKET)).st_ino == before.st_ino
        assert vm.qmp().execute("query-status")["running"]
        assert systemd.inside(f"/proc/{process}").exists()
    systemd.systemctl("reset-failed")
