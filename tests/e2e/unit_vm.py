# SPDX-License-Identifier: MIT
"""What the tests of units in a real system manager share."""
import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "harness"))
import power_guest  # noqa: E402
from installed import copy_program  # noqa: E402
from made_profile import make_profile  # noqa: E402
from qmp import Qmp  # noqa: E402
from systemd_system import SystemSystemd  # noqa: E402
from systemd_user import Unavailable, UnitFailed  # noqa: E402

CLI = Path(os.environ.get("VOLT_QEMU", HERE.parents[1] / "build/examples/volt-qemu/volt-qemu"))
DEADLINE = 60  # seconds; a start takes 0.5 s on a quiet machine
SERVICE = "volt-vm-web.service"


@pytest.fixture(scope="module")
def systemd():
    try:
        with SystemSystemd() as manager:
            yield manager
    except Unavailable as reason:
        pytest.skip(f"no systemd system manager can run here: {reason}")


@pytest.fixture(scope="module")
def cli(systemd):
    return copy_program(CLI, systemd.directory)


@pytest.fixture(scope="module")
def root(systemd, cli):
    """A store with Debian's QEMU, under emulation and for KVM."""
    profile = make_profile(systemd.directory / "profile", "x86_64")
    store = systemd.directory / "store"
    for name in ("emulate-x86", "kvm-linux"):
        volt(cli, store, "ingest", "--profile", name, profile)
    return store


@pytest.fixture(scope="module")
def guests(systemd):
    return {deaf: power_guest.build(systemd.directory / f"guest-{deaf}", deaf)
            for deaf in (False, True)}


def volt(cli, store, *words):
    result = subprocess.run([cli, "--root", store, *words], capture_output=True, text=True,
                            check=False, stdin=subprocess.DEVNULL)
    assert result.returncode == 0, result.stderr
    return result.stdout


def open_devices(systemd):
    """/dev/kvm and /dev/net/tun that everybody may open, as on many hosts, in the manager's namespace."""
    script = ("mkdir -p /run/nodes; for node in 'kvm 232 /dev/kvm' 'tun 200 /dev/net/tun'; do set -- $node; "
              "test ! -e $3 -o -e /run/nodes/$1 || { mknod -m 666 /run/nodes/$1 c 10 $2 && mount --bind /run/nodes/$1 $3; }; done")
    done = systemd.enter("sh", "-c", script, timeout=DEADLINE)
    assert done.returncode == 0, done.stderr


class Vm:
    """The units of a VM in the manager; its console is a file."""

    def __init__(self, systemd, cli, root, guests, profile="emulate-x86", deaf=False, replace=(),
                 **keys):
        self.systemd = systemd
        log = systemd.inside("/srv/log")
        log.mkdir(exist_ok=True)
        self.console = log / "web.log"
        self.console.write_text("")
        document = {"name": "web", "user": "games", "memory": 64, "kernel": str(guests[deaf]), "append": "x",
                    "console": "file", "console_path": "/srv/log/web.log", **keys}
        document = {key: value for key, value in document.items() if value is not None}
        shutil.chown(self.console, document["user"])
        self.document = systemd.directory / "web.json"
        self.document.write_text(json.dumps(document))
        # Where the manager is: who owns the directories of its files counts.
        done = systemd.enter(str(cli), "--root", str(root), "--json", "--kvm", "usable", "unit", "--profile", profile,
                             "--vm", str(self.document), timeout=DEADLINE)
        assert done.returncode == 0, done.stderr
        made = json.loads(done.stdout)
        self.texts = {}
        for unit in made["units"]:
            for old, new in replace:
                unit["text"] = unit["text"].replace(old, new)
            self.texts[unit["name"]] = unit["text"]
            systemd._write_unit(unit["name"], unit["text"].encode())

    def __enter__(self):
        done = self.systemd.systemctl("daemon-reload")
        assert done.returncode == 0, done.stderr
        self.start()
        return self

    def __exit__(self, *_):
        self.systemd.systemctl("kill", "--signal=KILL", SERVICE)
        self.systemd.systemctl("stop", SERVICE)
        self.systemd.systemctl("reset-failed")

    def start(self):
        done = self.systemd.systemctl("start", SERVICE)
        assert done.returncode == 0, done.stderr + self.systemd.log

    def wait_for(self, marker, count=1, deadline=DEADLINE):
        deadline += time.monotonic()
        while time.monotonic() < deadline:
            if self.console.exists() and self.console.read_text().count(marker) >= count:
                return
            with contextlib.suppress(UnitFailed):  # a command line that is not text is not shown
                state = self.state(SERVICE)
                assert state in ("active", "deactivating"), self.told()
            time.sleep(0.05)
        raise AssertionError(f"no {marker} on the console: {self.told()}")

    def told(self):
        text = self.console.read_text() if self.console.exists() else ""
        return f"{self.systemd.log}\n{text[-4000:]}"

    def state(self, unit):
        return self.systemd.show(unit, "ActiveState")["ActiveState"]

    def wait_for_state(self, unit, states):
        deadline = time.monotonic() + DEADLINE
        while self.state(unit) not in states:
            assert time.monotonic() < deadline, (unit, self.state(unit), self.systemd.log)
            time.sleep(0.05)

    def qmp(self, name="qmp.sock"):
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(DEADLINE)
        # By way of a descriptor: the path is longer than a socket's may be.
        directory = os.open(self.systemd.inside("/run/volt/web"), os.O_PATH)
        connection.connect(f"/proc/self/fd/{directory}/{name}")
        os.close(directory)
        return Qmp(connection)
