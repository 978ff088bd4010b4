"""A real systemd user manager for tests, shut off from the rest of the machine.

    with UserSystemd() as systemd:
        result = systemd.run("x.service", "[Service]\nType=oneshot\nExecStart=...\n")

The manager runs as an ordinary user that need not exist, in a cgroup, a mount
namespace and a PID namespace of its own. A user manager moves every process
that it finds in the root of its cgroup hierarchy: here a cgroup namespace makes
that root our own cgroup, the other hierarchies are not mounted, and the manager
has no privilege, so no other process can be reached. Killing the first process
of the PID namespace ends all of them, also when the test itself is killed.

Root, a mounted cgroup2 hierarchy and systemd's programs are needed; without
them entering the context raises Unavailable, whose text is a reason to skip.
Enter it from a thread that outlives the context: the manager dies with it.

What differs from a system manager: `User=` of another user cannot be had,
MainPID and other PIDs are those of the PID namespace, /run is private and empty,
and there is neither D-Bus nor a journal (StandardOutput=journal goes nowhere).
Every directive that takes capabilities away (CapabilityBoundingSet=,
PrivateDevices=, ProtectClock=, ...) makes the start fail with 218/CAPABILITIES.
"""

import contextlib
import dataclasses
import itertools
import os
import pathlib
import pty
import re
import shutil
import subprocess
import tempfile
import threading
import time
import tty
from collections.abc import Callable, Iterator
from typing import Self

DEADLINE = 60.0  # seconds; a start takes 0.1 s on a quiet machine
TIMED_OUT = 124  # timeout's exit status
PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
UNUSED_UID = 61987  # not in any range that Debian or systemd gives out
PROGRAMS = (
    "unshare", "nsenter", "setpriv", "timeout", "mount", "umount", "systemctl",
)  # fmt: skip
MANAGERS = ("/usr/lib/systemd/systemd", "/lib/systemd/systemd")
CGROUP_PREFIX = "volt-test-"

# Arguments: cgroup.procs, the program to run in that cgroup and its arguments.
ENTER_CGROUP = 'echo $$ >"$1" || exit 1; shift; exec "$@"'

# The first process of the namespaces. Arguments: base directory, uid, terminal,
# the manager's command. It refuses to go on if any process that it did not start
# could be touched. A user manager logs to /dev/console, not to stderr.
FIRST_PROCESS = r"""
set -eu
base=$1; shift
uid=$1; shift
terminal=$1; shift
mount --bind "$terminal" /dev/console
mount -t tmpfs -o mode=755 tmpfs /run
mount -t tmpfs -o "mode=700,uid=$uid,gid=$uid" tmpfs "$base/run"
mkdir -p /run/systemd/system /run/systemd/user.conf.d
cp "$base/user.conf" /run/systemd/user.conf.d/harness.conf
for generators in /usr/lib/systemd/user-generators \
                  /usr/lib/systemd/user-environment-generators; do
    if [ -d "$generators" ]; then mount -t tmpfs tmpfs "$generators"; fi
done
umount -R /sys/fs/cgroup
mount -t cgroup2 cgroup2 /sys/fs/cgroup
while read -r pid; do
    # 0 is a process outside of the PID namespace: only unshare itself may be one
    case $pid in 0) outside=${outside:+too many}${outside:-one} ;; esac
done </sys/fs/cgroup/cgroup.procs
if [ "${outside:-one}" != one ]; then echo "not alone in the cgroup"; exit 1; fi
if [ "$uid" -eq 0 ]; then echo "refusing to run the manager as root"; exit 1; fi
cd /
"$@" </dev/null &
wait $!
"""

USER_CONF = """[Manager]
DefaultTimeoutStartSec=50s
DefaultTimeoutStopSec=5s
DefaultStartLimitIntervalSec=0
"""

BASE_TARGET = "basic.target"
BASE_UNITS = {
    BASE_TARGET: "[Unit]\nDescription=Basic System\n",
    "shutdown.target": "[Unit]\nDescription=Shutdown\nDefaultDependencies=no\n",
}


class Unavailable(Exception):
    """This machine cannot run a user manager; the text says why."""


class UnitFailed(Exception):
    """A unit could not be loaded or started; the text is systemd's."""


@dataclasses.dataclass(frozen=True)
class Result:
    """What became of a unit that ran to its end."""

    status: int | None  # exit status, -N for signal N, None if nothing ran
    result: str  # systemd's word: success, exit-code, ...; not-started if it said none
    message: str  # what systemctl said
    log: str  # what the manager said meanwhile
    output: bytes | None  # the output file, None if there is none


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What `systemd-analyze verify` says; it is good if status is 0 and stderr empty."""

    status: int
    stderr: str

    @property
    def good(self) -> bool:
        return self.status == 0 and not self.stderr


@dataclasses.dataclass(frozen=True)
class Dump:
    """What dump_argv.c wrote."""

    argv: list[bytes]
    environ: list[bytes]
    directory: bytes

    @classmethod
    def parse(cls, data: bytes) -> Self:
        strings = iter(data.split(b"\0"))

        def expect(word: bytes) -> None:
            if next(strings) != word:
                raise ValueError(f"not a whole dump: {word!r} is missing")

        def take_list() -> list[bytes]:
            return [next(strings) for _ in range(int(next(strings)))]

        expect(b"dump_argv 1")
        dump = cls(take_list(), take_list(), take_list()[0])
        expect(b"end")
        return dump


def build_dump_argv(program: str | bytes | pathlib.Path) -> None:
    """Compile dump_argv.c to this path, executable for everybody."""
    source = pathlib.Path(__file__).with_name("dump_argv.c")
    compiler = os.environ.get("CC", "cc")
    subprocess.run([compiler, "-o", os.fspath(program), str(source)], check=True)
    os.chmod(program, 0o755)


class UserSystemd:
    """A context manager around one private `systemd --user`.

    `directory` is the user's own, for results and for programs that units start;
    it is gone when the context ends.
    """

    _base_units = BASE_UNITS
    _parent = "/tmp"

    def __init__(
        self,
        uid: int = UNUSED_UID,
        environment: dict[str, str] | None = None,
        user_conf: str = "",
        log_level: str = "info",
    ) -> None:
        """environment: what the manager inherits; user_conf: lines of [Manager]."""
        if uid == 0:
            raise ValueError("a user manager must not run as root")
        self.uid = uid
        self._environment = environment or {}
        self._user_conf = USER_CONF + user_conf
        self._log_level = log_level
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Self:
        manager = _require()
        with contextlib.ExitStack() as stack:
            self._base = stack.enter_context(_directory(self._parent))
            self._make_tree()
            self._console = stack.enter_context(_console(self.uid))
            cgroup = stack.enter_context(_cgroup(self.uid))
            self._process = stack.enter_context(self._manager(manager, cgroup))
            self._wait_ready()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def directory(self) -> pathlib.Path:
        return self._base / "shared"

    def inside(self, path: str) -> pathlib.Path:
        """How the caller reaches a path of the units' view, such as one in /run."""
        return pathlib.Path(f"/proc/{self._process.pid}/root{path}")

    @property
    def runtime_directory(self) -> pathlib.Path:
        """$XDG_RUNTIME_DIR, where RuntimeDirectory= is, as the caller reaches it."""
        return self.inside(str(self._base / "run"))

    @property
    def log(self) -> str:
        """All that the manager has said."""
        errors = (self._base / "manager.err").read_text(errors="backslashreplace")
        return errors + self._console.text()

    def start(self, name: str, unit_text: str | bytes, timeout: float = DEADLINE) -> None:
        """Start a unit and return when its start job is done."""
        before = len(self.log)
        self._load(name, unit_text)
        done = self.systemctl("start", name, timeout=timeout)
        if done.returncode:
            raise UnitFailed(f"{name}: {done.stderr}{self.log[before:]}")

    def run(
        self,
        name: str,
        unit_text: str | bytes,
        output: str = "argv.out",
        timeout: float = DEADLINE,
    ) -> Result:
        """Start a unit, wait for its end, and read the file it left in `directory`.

        The unit must end by itself, without RemainAfterExit=. A unit that fails is
        no error here.
        """
        before = len(self.log)
        output_file = self.directory / output
        output_file.unlink(missing_ok=True)
        self._load(name, unit_text)
        done = self.systemctl("start", name, timeout=timeout)
        self._wait_end(name, timeout)
        log = self.log[before:]
        return Result(
            status=_main_status(name, log, done.returncode == 0),
            result=_unit_result(name, log, done.returncode == 0),
            message=done.stderr,
            log=log,
            output=output_file.read_bytes() if output_file.exists() else None,
        )

    def _wait_end(self, name: str, timeout: float) -> None:
        """`systemctl start --wait` would need D-Bus."""

        def ended() -> bool:
            state = self.systemctl("is-active", name).stdout.strip()
            return state in ("inactive", "failed")

        if not _wait_for(ended, timeout):
            raise TimeoutError(f"{name} has not ended in {timeout} s: {self.log}")

    def stop(self, name: str, timeout: float = DEADLINE) -> None:
        done = self.systemctl("stop", name, timeout=timeout)
        if done.returncode:
            raise UnitFailed(f"{name}: {done.stderr}")

    def show(self, name: str, *properties: str) -> dict[str, str]:
        """Properties of a loaded unit, as `systemctl show` prints them.

        This fails for a unit that has a command line that is not UTF-8.
        """
        wanted = [f"--property={word}" for word in properties]
        done = self.systemctl("show", *wanted, name)
        if done.returncode:
            raise UnitFailed(f"{name}: {done.stderr}")
        pairs = (line.partition("=") for line in done.stdout.splitlines())
        return {key: value for key, _, value in pairs}

    def systemctl(
        self, *arguments: str, timeout: float = DEADLINE
    ) -> subprocess.CompletedProcess[str]:
        """Run `systemctl --user` as the manager's user, in its namespaces.

        The manager hangs up on clients whose PID it cannot see. TimeoutError is
        raised when it takes longer; what it began goes on.
        """
        proc = f"/proc/{self._process.pid}/ns"
        enter = [
            "nsenter", f"--mount={proc}/mnt", f"--cgroup={proc}/cgroup",
            f"--pid={proc}/pid_for_children", "--",
        ]  # fmt: skip
        user = ["setpriv", *self._user_options(), "--"]
        command = ["timeout", str(timeout), "systemctl", "--user", "--no-pager", *arguments]
        done = subprocess.run(
            [*enter, *user, *command],
            env=self._client_environment(),
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="backslashreplace",
        )
        if done.returncode == TIMED_OUT:
            raise TimeoutError(f"systemctl {arguments} took {timeout} s: {self.log}")
        return done

    @classmethod
    def verify(
        cls, unit_text: str | bytes, name: str = "test.service", user: bool = False
    ) -> Verdict:
        """Let `systemd-analyze verify` judge a unit; this needs no manager and no root."""
        with tempfile.TemporaryDirectory() as place:
            path = pathlib.Path(place, name)
            path.write_bytes(_as_bytes(unit_text))
            return cls.verify_files([path], user)

    @staticmethod
    def verify_files(paths: list[pathlib.Path], user: bool = False) -> Verdict:
        """The same for units that need each other."""
        if not shutil.which("systemd-analyze"):
            raise Unavailable("systemd-analyze is not installed")
        scope = ["--user"] if user else []
        with tempfile.TemporaryDirectory() as place:
            done = subprocess.run(
                ["systemd-analyze", "verify", "--man=no", *scope, *map(str, paths)],
                env={"PATH": PATH, "LC_ALL": "C", "XDG_RUNTIME_DIR": place},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                timeout=DEADLINE,
            )
        return Verdict(done.returncode, done.stderr.decode(errors="backslashreplace"))

    def _make_tree(self) -> None:
        for name in ("units", "run", "shared"):
            (self._base / name).mkdir(mode=0o755)
        os.chown(self.directory, self.uid, self.uid)
        (self._base / "user.conf").write_text(self._user_conf)
        for name, text in self._base_units.items():
            self._write_unit(name, text.encode())

    def _user_options(self) -> list[str]:
        return [f"--reuid={self.uid}", f"--regid={self.uid}", "--clear-groups"]

    def _client_environment(self) -> dict[str, str]:
        messages = {"LC_ALL": "C", "SYSTEMD_COLORS": "0"}
        return self._manager_environment() | messages

    def _manager_environment(self) -> dict[str, str]:
        return {
            "PATH": PATH,
            "HOME": str(self.directory),
            "XDG_RUNTIME_DIR": str(self._base / "run"),
            "SYSTEMD_UNIT_PATH": str(self._base / "units"),
        }

    @contextlib.contextmanager
    def _manager(
        self, manager: str, cgroup: pathlib.Path
    ) -> Iterator[subprocess.Popen[bytes]]:
        log_options = [
            "--log-target=console", f"--log-level={self._log_level}", "--log-color=no",
            "--show-status=no",
        ]  # fmt: skip
        environment = self._manager_environment() | self._environment
        settings = [f"{key}={value}" for key, value in environment.items()]
        command = ["env", "-i", *settings, manager, "--user", f"--unit={BASE_TARGET}"]
        become = ["setpriv", *self._user_options(), "--inh-caps=-all", "--"]
        arguments = [str(self._base), str(self.uid), self._console.path]
        first = ["sh", "-c", FIRST_PROCESS, "sh", *arguments, *become, *command, *log_options]
        namespaces = [
            "unshare", "--mount", "--cgroup", "--pid", "--fork", "--kill-child=KILL",
            "--mount-proc", "--",
        ]  # fmt: skip
        enter = ["sh", "-c", ENTER_CGROUP, "sh", str(cgroup / "cgroup.procs")]
        mortal = ["setpriv", "--pdeathsig", "KILL", "--"]
        with (self._base / "manager.err").open("wb") as log:
            process = subprocess.Popen(
                [*enter, *mortal, *namespaces, *first],
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

    def _wait_ready(self) -> None:
        private = str(self._base / "run/systemd/private")

        def ready() -> bool:
            if self._process.poll() is not None:
                raise Unavailable(f"the user manager did not start: {self.log.strip()}")
            if not self.inside(private).exists():
                return False
            return self.systemctl("is-active", BASE_TARGET).returncode == 0

        if not _wait_for(ready):
            raise Unavailable(f"the user manager is not ready in time: {self.log.strip()}")

    def _write_unit(self, name: str, text: bytes) -> None:
        (self._base / "units" / name).write_bytes(text)

    def _load(self, name: str, unit_text: str | bytes) -> None:
        self._write_unit(name, _as_bytes(unit_text))
        done = self.systemctl("daemon-reload")
        if done.returncode:
            raise UnitFailed(f"daemon-reload: {done.stderr}")


class _Console:
    """A terminal that collects what is written to it."""

    def __init__(self, uid: int) -> None:
        self._master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        self.path = os.ttyname(self._slave)
        os.chown(self.path, uid, -1)
        self._bytes = b""
        self._marks = itertools.count()
        self._thread = threading.Thread(target=self._collect, daemon=True)
        self._thread.start()

    def text(self) -> str:
        """What has been written until now: a mark of our own comes in after it."""
        mark = b"\0%d\n" % next(self._marks)
        os.write(self._slave, mark)
        _wait_for(lambda: mark in self._lines())
        text = self._lines().decode(errors="backslashreplace")
        return re.sub("\0\\d+\n", "", text)

    def _lines(self) -> bytes:
        return self._bytes.replace(b"\r\n", b"\n")

    def close(self) -> None:
        os.close(self._slave)
        self._thread.join()
        os.close(self._master)

    def _collect(self) -> None:
        with contextlib.suppress(OSError):  # EIO: the last writer is gone
            while got := os.read(self._master, 65536):
                self._bytes += got


@contextlib.contextmanager
def _console(uid: int) -> Iterator[_Console]:
    console = _Console(uid)
    try:
        yield console
    finally:
        console.close()


def _require() -> str:
    """Return the manager's path, or say what is missing."""
    if os.geteuid() != 0:
        raise Unavailable("a private user manager needs root")
    for program in PROGRAMS:
        if not shutil.which(program, path=PATH):
            raise Unavailable(f"{program} is not installed")
    for path in MANAGERS:
        if os.access(path, os.X_OK):
            return path
    raise Unavailable("systemd is not installed")


def _as_bytes(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode(errors="surrogateescape")


def _main_status(name: str, log: str, started: bool) -> int | None:
    """The main process's status in the manner of subprocess.

    It comes from the log: `systemctl show` cannot tell it of every unit.
    """
    pattern = rf"^{re.escape(name)}: Main process exited, code=(\w+), status=(\d+)/"
    if exits := re.findall(pattern, log, re.MULTILINE):
        code, status = exits[-1]
        return int(status) if code == "exited" else -int(status)
    return 0 if started else None


def _unit_result(name: str, log: str, started: bool) -> str:
    pattern = rf"^{re.escape(name)}: Failed with result '([\w-]+)'"
    if results := re.findall(pattern, log, re.MULTILINE):
        return results[-1]
    return "success" if started else "not-started"


def _wait_for(condition: Callable[[], bool], seconds: float = DEADLINE) -> bool:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.005)
    return True


@contextlib.contextmanager
def _directory(parent: str) -> Iterator[pathlib.Path]:
    """A directory that every user can reach, which $TMPDIR need not be."""
    with tempfile.TemporaryDirectory(prefix="volt-systemd-", dir=parent) as name:
        path = pathlib.Path(name)
        path.chmod(0o755)
        yield path


def _own_cgroup() -> pathlib.Path:
    """Where this process is in the cgroup2 hierarchy."""
    mounts = [line.split() for line in pathlib.Path("/proc/self/mountinfo").open()]
    points = [m[4] for m in mounts if m[m.index("-") + 1] == "cgroup2" and m[3] == "/"]
    lines = pathlib.Path("/proc/self/cgroup").read_text().splitlines()
    names = [line[3:] for line in lines if line.startswith("0::")]
    if not points or not names:
        raise Unavailable("no cgroup2 hierarchy is mounted")
    return pathlib.Path(points[0] + names[0].rstrip("/"))


@contextlib.contextmanager
def _cgroup(uid: int) -> Iterator[pathlib.Path]:
    """A new cgroup below our own that the user may divide further."""
    parent = _own_cgroup()
    _sweep(parent)
    try:
        cgroup = _new_cgroup(parent)
        for name in (".", "cgroup.procs", "cgroup.subtree_control", "cgroup.threads"):
            os.chown(cgroup / name, uid, uid)
    except OSError as error:
        raise Unavailable(f"no cgroup can be made: {error}") from error
    try:
        yield cgroup
    finally:
        _kill_cgroup(cgroup)
        if not _wait_for(lambda: _remove_cgroup(cgroup)):
            raise RuntimeError(f"{cgroup} cannot be removed")


def _new_cgroup(parent: pathlib.Path) -> pathlib.Path:
    for number in itertools.count():
        cgroup = parent / f"{CGROUP_PREFIX}{os.getpid()}-{number}"
        with contextlib.suppress(FileExistsError):
            cgroup.mkdir()
            return cgroup
    raise AssertionError


def _kill_cgroup(cgroup: pathlib.Path) -> None:
    """End what is left; kernels before 5.14 rely on the PID namespace alone."""
    with contextlib.suppress(OSError):
        (cgroup / "cgroup.kill").write_text("1")


def _remove_cgroup(cgroup: pathlib.Path) -> bool:
    """Remove a cgroup and those below it, unless there are processes in them."""
    for place, _, _ in os.walk(cgroup, topdown=False):
        with contextlib.suppress(OSError):
            os.rmdir(place)
    return not cgroup.exists()


def _sweep(parent: pathlib.Path) -> None:
    """Remove the empty cgroups of tests that were killed."""
    for cgroup in parent.glob(f"{CGROUP_PREFIX}*-*"):
        pid = cgroup.name.removeprefix(CGROUP_PREFIX).partition("-")[0]
        if not os.path.exists(f"/proc/{pid}"):
            _remove_cgroup(cgroup)
