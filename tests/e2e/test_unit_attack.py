# SPDX-License-Identifier: MIT
"""An attacker who has taken over what a service runs finds nothing but what is the VM's."""
import json
import os
import shutil
import time
from pathlib import Path

import pytest

# Fixtures are found by their names.
from unit_vm import DEADLINE, HERE, Vm, cli, guests, open_devices, systemd, volt  # noqa: F401

ATTACKER = HERE.parent / "harness/attacker.py"
VICTIM = HERE.parent / "harness/victim.py"

pytestmark = pytest.mark.skipif(os.uname().machine != "x86_64", reason="the attacker knows the calls of x86_64")


@pytest.fixture(scope="module")
def store(systemd, cli):
    """Profiles whose QEMU is the attacker."""
    profile = systemd.directory / "attacker"
    for name in ("bin", "firmware"):
        (profile / name).mkdir(parents=True)
    (profile / "firmware/bios.bin").write_text("firmware")
    shutil.copy(ATTACKER, profile / "bin/qemu-system-x86_64")
    (profile / "bin/qemu-system-x86_64").chmod(0o755)
    store = systemd.directory / "attackers"
    for name in ("emulate-x86", "kvm-linux"):
        volt(cli, store, "ingest", "--profile", name, profile)
    return store


def wait_for(condition, systemd):
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline, systemd.log
        time.sleep(0.05)


@pytest.fixture(scope="module")
def victims(systemd):
    """Two other VMs, "same" of the same user, and what a host has besides."""
    for name in ("/home/me", "/srv/log", "/srv/share", "/run/dbus"):
        systemd.inside(name).mkdir(exist_ok=True)
    for name in ("/srv/other.raw", "/home/me/secret", "/srv/used"):
        systemd.inside(name).write_text("x")
        systemd.inside(name).chmod(0o600)
        shutil.chown(systemd.inside(name), "games")
    systemd.inside("/srv/log").chmod(0o777)
    shutil.copy("/usr/bin/id", systemd.inside("/srv/share/id"))
    systemd.inside("/srv/share/id").chmod(0o4755)
    open_devices(systemd)
    systemd.enter("ip", "link", "set", "lo", "up", timeout=DEADLINE)
    shutil.copy(VICTIM, systemd.directory)
    listen = ("import socket, time; s = socket.socket(socket.AF_UNIX); s.bind('/run/dbus/system_bus_socket');"
              "__import__('os').chmod('/run/dbus/system_bus_socket', 0o777); s.listen(100); time.sleep(100000)")
    systemd.start("dbus.service", f'[Service]\nExecStart=/usr/bin/python3 -c "{listen}"\n')
    found = {}
    for name, user in (("same", "games"), ("other", "nobody")):
        path = systemd.inside(f"/srv/log/{name}.json")
        systemd.start(f"victim-{name}.service", f"[Service]\nUser={user}\nRuntimeDirectory=volt/{name}\n"
                      f"StateDirectory=volt/vms/{name}\nRuntimeDirectoryMode=0700\nStateDirectoryMode=0700\n"
                      f"ExecStart=/usr/bin/python3 {systemd.directory}/victim.py {name} /srv/log/{name}.json\n")
        wait_for(path.exists, systemd)
        found[name] = json.loads(path.read_text())
        path.unlink()
    yield found
    Path("/dev/shm/volt-victim-same").unlink(missing_ok=True)


def read_result(systemd, log="/srv/log/web.log"):
    log = systemd.inside(log)
    wait_for(lambda: log.read_text().endswith("\ndone\n"), systemd)
    return json.loads(log.read_text().splitlines()[1])


def attack(systemd, cli, store, guests, victims, **keys):
    """What the attacker reaches in QEMU's place."""
    keys = {"profile": "emulate-x86", "kernel": None, "append": None, "disks": [{"file": "/srv/used"}], **keys}
    vm = Vm(systemd, cli, store, guests, replace=[("ExecStop=", "#ExecStop=")], **keys)
    vm.console.write_text(json.dumps(victims) + "\n")
    with vm:
        result = read_result(systemd)
    print(json.dumps(result["tried"], indent=1))
    return set(result["reached"]), result["seen"]


def attack_freely(systemd, victims, user):
    log = systemd.inside("/srv/log/web.log")
    log.write_text(json.dumps(victims) + "\n")
    shutil.chown(log, user)
    shutil.copy(ATTACKER, systemd.directory / "attacker.py")
    systemd.start("free.service", f"[Service]\nUser={user}\nEnvironment=ATTACKER=free\n"
                  f"ExecStart=/usr/bin/python3 {systemd.directory}/attacker.py\n")
    return read_result(systemd)


def test_without_confinement_the_attacker_reaches_everything(systemd, victims):
    as_user, as_root = (attack_freely(systemd, victims, user) for user in ("games", "root"))
    missed = (set(as_user["tried"]) - set(as_root["reached"])) & set(as_root["tried"])
    assert missed == set(), as_root["tried"]


# What is in sight of a VM with a disk and a console log, besides the programs of the host and its profile.
SETTINGS = {"/etc/ld.so.cache", "/etc/passwd", "/etc/group", "/etc/nsswitch.conf", "/etc/localtime"}
OWN = {"/srv/used", "/srv/log/web.log", "/run/volt/web/", "/tmp/", "/var/tmp/"}


def is_of_the_host(path, systemd):
    """The program that stops the VM with its library, and what systemd puts there."""
    return path.startswith((str(systemd.directory / "install"), "/run/systemd/incoming", "/etc/alternatives",
                            str(systemd.directory / "attackers/qemu/trees")))


def test_a_vm_of_its_own_user_reaches_nothing(systemd, cli, store, guests, victims):
    """Others of the same user can be ended: there is no namespace of processes. So there is to be one user for each."""
    reached, seen = attack(systemd, cli, store, guests, victims)
    assert reached == {"signal-same"}
    assert {path for path in seen if not is_of_the_host(path, systemd)} == SETTINGS | OWN


# With each thing that a VM can have, what more is reached is just that.
MORE = {
    "kvm": ({"profile": "kvm-linux"}, {"open-/dev/kvm"}),
    "user networking": ({"nics": [{}]}, {"connect-to-abstract"}),
    "isolated": ({"nics": [{"isolated": True}]}, set()),
    "forwards": ({"nics": [{"forwards": [{"host_port": 8080, "guest_port": 80}]}]},
                 {"connect-to-abstract", "connect-to-loopback", "connect-to-loopback-6"}),
    "io_uring": ({"disks": [{"file": "/srv/used", "aio": "io_uring"}]}, {"use-io-uring"}),
    "tap": ({"nics": [{"backend": "tap", "ifname": "tap0"}]}, {"connect-to-abstract", "open-/dev/net/tun"}),
    "share": ({"shares": [{"path": "/srv/share", "tag": "t", "writable": True}]}, set()),
}


@pytest.mark.parametrize("name", MORE)
def test_what_a_vm_has_is_all_that_is_reached(systemd, cli, store, guests, victims, name):
    if name == "kvm" and not os.path.exists("/dev/kvm"):
        pytest.skip("this host has no /dev/kvm")
    keys, more = MORE[name]
    reached, _ = attack(systemd, cli, store, guests, victims, **keys)
    assert reached == {"signal-same"} | more


def test_with_extra_arguments_only_the_kernel_is_confined(systemd, cli, store, guests, victims):
    """They may use anything, and the unit says so."""
    reached, _ = attack(systemd, cli, store, guests, victims, extra_args=["-x"])
    assert {"read-other-disk", "connect-to-other-qmp", "see-same"} <= reached
    assert not reached & {"mount", "make-user-namespace", "write-to-sys", "use-keyring", "read-memory-by-call-same",
                          "trace-same", "become-root-by-a-program", "dump-core"}


def test_root_by_name_is_still_within_the_unit(systemd, cli, store, guests, victims):
    reached, seen = attack(systemd, cli, store, guests, victims, user="root")
    assert reached == {"see-same", "see-other", "have-capabilities"}
    assert {path for path in seen if not is_of_the_host(path, systemd)} == SETTINGS | OWN


# What stands beside QEMU: the key of its program, where it can write, what makes it, and what is in sight.
BESIDE = {
    "swtpm": ("swtpm_program", "/srv/tpms/web", {"tpm": True, "tpm_state": "/srv/tpms/web"}),
    "virtiofsd": ("virtiofsd_program", "/srv/shared", {
        "shares": [{"path": "/srv/shared", "tag": "t", "driver": "virtiofs", "writable": True}]}),
}


@pytest.mark.parametrize("name", BESIDE)
def test_a_program_beside_qemu_reaches_nothing(systemd, cli, store, guests, victims, name):
    key, place, keys = BESIDE[name]
    program = systemd.directory / f"{name}-attacker"
    program.write_text(ATTACKER.read_text().replace("/srv/log/web.log", f"{place}/log"))
    program.chmod(0o755)
    systemd.inside(place).mkdir(parents=True, exist_ok=True)
    systemd.inside(f"{place}/log").write_text(json.dumps(victims) + "\n")
    for path in (place, f"{place}/log"):
        shutil.chown(systemd.inside(path), "games")
    vm = Vm(systemd, cli, store, guests, replace=[("ExecStop=", "#ExecStop=")], kernel=None, append=None,
            firmware="bios", **{key: str(program)}, **keys)
    vm.console.write_text(json.dumps(victims) + "\n")
    with vm:
        result = read_result(systemd, f"{place}/log")
    assert set(result["reached"]) == {"signal-same"}
    assert {path for path in result["seen"] if not path.startswith(("/etc/", "/var/cache/", "/run/systemd/"))} == {
        f"{place}/log", "/tmp/", "/var/tmp/"}


# ---- links ----

def test_a_link_in_the_place_of_a_file_leads_nowhere(systemd, cli, store, guests, victims):
    """Who owns the directory of a disk exchanges it after the units were made, for a directory that only root enters."""
    systemd.inside("/srv/private").mkdir(mode=0o700)
    systemd.inside("/srv/private/disk").write_text("secret")
    systemd.inside("/srv/private/disk").chmod(0o666)
    own = systemd.inside("/srv/own")
    (own / "below").mkdir(parents=True)
    (own / "below/disk").write_text("disk")
    for path in (own, own / "below", own / "below/disk"):
        shutil.chown(path, "games")
    vm = Vm(systemd, cli, store, guests, replace=[("ExecStop=", "#ExecStop=")], kernel=None, append=None,
            disks=[{"file": "/srv/own/below/disk"}])
    vm.console.write_text(json.dumps(victims) + "\n")
    shutil.move(own / "below", own / "before")
    (own / "below").symlink_to("/srv/private")
    with vm:
        seen = read_result(systemd)["seen"]
    assert {path for path in seen if path.startswith("/srv/")} == {
        "/srv/log/web.log", "/srv/own/before/disk", "/srv/own/below"}


def test_a_socket_gives_nobody_a_file(systemd, cli, store, guests):
    """Its owner is not changed by its path, in whose place the VM's user may have put a link."""
    vm = Vm(systemd, cli, store, guests, kernel=None, append=None, firmware="bios", tpm=True)
    text = vm.texts["volt-vm-swtpm@web.socket"]
    assert "SocketUser" not in text and "SocketMode=0666" in text
    vm.console.write_text("{}\n")
    with vm:
        directory = systemd.inside("/run/volt/web")
        assert directory.owner() == "games" and directory.stat().st_mode & 0o777 == 0o700
        assert (directory / "tpm.sock").owner() == "root"
