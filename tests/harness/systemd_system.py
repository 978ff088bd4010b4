# SPDX-License-Identifier: MIT
"""A real systemd *system* manager for tests, as PID 1 of namespaces of its own.

    with SystemSystemd() as systemd:
        systemd.start("x.service", "[Service]\nExecStart=...\n")

It is used like UserSystemd, whose confinement it shares: the root of its cgroup hierarchy is a new
cgroup, and killing it ends all that it started. Since it is root, there is more: it has no
capability for the kernel itself (modules, clock, reboot), /proc/sys and /sys are read-only, and so
is the whole file system but `directory`. Host name, network and System V IPC are its own. /home,
/root, /run, /srv, /tmp, /var/lib and /var/tmp are empty and private; reach them by inside().
"""

import contextlib
import os
import pathlib
import subprocess
from collections.abc import Iterator

from systemd_user import (
    BASE_TARGET, BASE_UNITS, ENTER_CGROUP, PATH, TIMED_OUT, Unavailable, UserSystemd, _wait_for,
)  # fmt: skip

# Becomes PID 1. Arguments: base directory, terminal, the manager's command.
FIRST_PROCESS = r"""
set -eu
base=$1; shift
terminal=$1; shift
mount --bind "$base" "$base"
mount --bind "$terminal" /dev/console
mount --bind /dev/null /dev/kmsg
umount -R /sys/fs/cgroup
mount -o remount,bind,ro /
mount --bind /proc/sys /proc/sys
mount -o remount,bind,ro /proc/sys
if [ -w /proc/sysrq-trigger ]; then mount --bind /dev/null /proc/sysrq-trigger; fi
mount -o remount,bind,ro /sys
mount -t cgroup2 cgroup2 /sys/fs/cgroup
for place in /home /root /run /srv /tmp /var/lib /var/tmp; do
    mount -t tmpfs -o mode=755 tmpfs "$place"
done
chmod 1777 /tmp /var/tmp
mkdir -p /run/systemd/system.conf.d
cp "$base/user.conf" /run/systemd/system.conf.d/harness.conf
for generators in /usr/lib/systemd/system-generators \
                  /usr/lib/systemd/system-environment-generators; do
    if [ -d "$generators" ]; then mount -t tmpfs tmpfs "$generators"; fi
done
while read -r pid; do
    # 0 is a process outside of the PID namespace: only unshare itself may be one
    case $pid in 0) outside=${outside:+too many}${outside:-one} ;; esac
done </sys/fs/cgroup/cgroup.procs
if [ "${outside:-one}" != one ]; then echo "not alone in the cgroup"; exit 1; fi
if [ $$ != 1 ]; then echo "not in a PID namespace of its own"; exit 1; fi
cd /
exec "$@" </dev/null
"""

# What would reach beyond the namespaces.
DROPPED = "-sys_module,-sys_rawio,-sys_boot,-sys_time,-syslog,-mac_admin,-mac_override,-wake_alarm"


class SystemSystemd(UserSystemd):
    """A context manager around one private `systemd --system`."""

    _parent = "/var/cache"  # not /tmp, which units have for themselves
    _base_units = BASE_UNITS | {
        name: f"[Unit]\nDescription={name}\nDefaultDependencies=no\n"
        for name in ("sysinit.target", "sockets.target", "network.target", "multi-user.target")
    }

    def __init__(self, environment: dict[str, str] | None = None, log_level: str = "info") -> None:
        super().__init__(environment=environment, log_level=log_level)
        self.uid = 0

    @contextlib.contextmanager
    def _manager(
        self, manager: str, cgroup: pathlib.Path
    ) -> Iterator[subprocess.Popen[bytes]]:
        log_options = [
            "--log-target=console", f"--log-level={self._log_level}", "--log-color=no",
            "--show-status=no",
        ]  # fmt: skip
        # container=: systemd then leaves alone what a container shares with its host.
        environment = self._manager_environment() | {"container": "volt"} | self._environment
        settings = [f"{key}={value}" for key, value in environment.items()]
        become = ["setpriv", f"--bounding-set={DROPPED}", "--inh-caps=-all", "--"]
        command = ["env", "-i", *settings, manager, "--system", f"--unit={BASE_TARGET}"]
        first = ["sh", "-c", FIRST_PROCESS, "sh", str(self._base), self._console.path]
        namespaces = [
            "unshare", "--mount", "--cgroup", "--pid", "--uts", "--ipc", "--net", "--fork",
            "--kill-child=KILL", "--mount-proc", "--",
        ]  # fmt: skip
        enter = ["sh", "-c", ENTER_CGROUP, "sh", str(cgroup / "cgroup.procs")]
        mortal = ["setpriv", "--pdeathsig", "KILL", "--"]
        with (self._base / "manager.err").open("wb") as log:
            process = subprocess.Popen(
                [*enter, *mortal, *namespaces, *first, *become, *command, *log_options],
                env={"PATH": PATH, "LC_ALL": "C"},
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        try:
            yield process
        finally:
            process.kill()
            process.wait()

    def _manager_environment(self) -> dict[str, str]:
        return {"PATH": PATH, "SYSTEMD_UNIT_PATH": str(self._base / "units")}

    @property
    def _pid_1(self) -> int:
        """unshare's child."""
        children = pathlib.Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        return int(children.read_text().split()[0])

    def inside(self, path: str) -> pathlib.Path:
        return pathlib.Path(f"/proc/{self._pid_1}/root{path}")

    def _wait_ready(self) -> None:
        def ready() -> bool:
            if self._process.poll() is not None:
                raise Unavailable(f"the system manager did not start: {self.log.strip()}")
            with contextlib.suppress(OSError, IndexError):
                if self.inside("/run/systemd/private").exists():
                    return self.systemctl("is-active", BASE_TARGET).returncode == 0
            return False

        if not _wait_for(ready):
            raise Unavailable(f"the system manager is not ready in time: {self.log.strip()}")

    def enter(self, *command: str, timeout: float) -> subprocess.CompletedProcess[str]:
        """Run a command where the manager is."""
        spaces = ["nsenter", f"--target={self._pid_1}", "--mount", "--cgroup", "--pid", "--net", "--"]
        return subprocess.run(
            [*spaces, "timeout", str(timeout), *command],
            env=self._client_environment(),
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="backslashreplace",
        )

    def systemctl(
        self, *arguments: str, timeout: float = 60.0
    ) -> subprocess.CompletedProcess[str]:
        done = self.enter("systemctl", "--no-pager", *arguments, timeout=timeout)
        if done.returncode == TIMED_OUT:
            raise TimeoutError(f"systemctl {arguments} took {timeout} s: {self.log}")
        return done
