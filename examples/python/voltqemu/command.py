# SPDX-License-Identifier: MIT
"""Commands: what to execute to run a VM."""
from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from dataclasses import dataclass
from typing import Any, Dict, List, Mapping, Optional, Sequence, Union

from ._library import C, Handle, OpenFile, Text, decoded, descriptor, encoded, flag, invalid, items, options, pointer_of
from .call import Call, perform
from .errors import InvalidError
from .manifest import document_bytes
from .policy import Policy
from .runtime import Capabilities, Runtime
from .store import Store
from .vm import VM

__all__ = ["Command", "CommandFile", "Companion", "SOCKETS"]

#: The sockets that a command may have.
SOCKETS = ("qmp", "stop", "vnc", "console", "agent", "tpm")

# Between this process and QEMU, where descriptors get other numbers: subprocess cannot do that, and a function that
# it calls in the child (preexec_fn) is not safe in a process with threads.
_MOVER = """
import fcntl, json, os, sys
moves, lease, path = json.loads(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
above = max(max(move) for move in moves) + 1
moved = [(fcntl.fcntl(old, fcntl.F_DUPFD_CLOEXEC, above), new) for old, new in moves]
if lease >= 0:
    os.set_inheritable(fcntl.fcntl(lease, fcntl.F_DUPFD_CLOEXEC, above), True)
    os.close(lease)
for old, new in moves:
    os.close(old)
for old, new in moved:
    os.dup2(old, new)
os.execve(path, sys.argv[4:], os.environ)
"""


@dataclass(frozen=True)
class CommandFile:
    """A file or directory that QEMU opens, or a program that runs for it."""

    path: str
    read: bool
    write: bool
    execute: bool = False


@dataclass(frozen=True)
class Companion:
    """A program that must run beside QEMU: kind is "swtpm" or "virtiofsd". It expects its listening socket as
    descriptor 3; socket is the path to bind that to."""

    kind: str
    argv: List[str]
    socket: str
    cwd: str


def command_options(state_base: Optional[Text], runtime_base: Optional[Text], policy: Optional[Policy],
                    capabilities: Optional[Capabilities], others: Optional[Store]) -> Any:
    """vqemu_command_options, of a command or of units."""
    described = options("vqemu_command_options", {"state_base": state_base, "runtime_base": runtime_base})
    if policy is not None:
        C.vqemu_command_options_set_policy(described, policy)
    if capabilities is not None or others is not None:
        C.vqemu_command_options_set_capabilities(described, capabilities, others)
    return described


class Command(Handle):
    """What to execute to run a VM. Immutable; any thread may use it. It keeps the lease on its profile.

    Text is decoded as file names are: os.fsencode() gives the bytes."""

    __slots__ = ()
    _C = "vqemu_command"
    _ELSEWHERE = "send what save() returns, and load() it there"

    def __init__(self, runtime: Runtime, vm: VM, *, for_unit: bool = False, paused: bool = False,
                 incoming: bool = False, state_base: Optional[Text] = None,
                 runtime_base: Optional[Text] = None, policy: Optional[Policy] = None,
                 capabilities: Optional[Capabilities] = None, others: Optional[Store] = None,
                 call: Optional[Call] = None) -> None:
        """for_unit: with the sockets of a systemd unit. paused: do not start the CPUs (-S). incoming: wait for a
        migration (-incoming defer). state_base, runtime_base: where the directories of VMs are. policy: what the VM
        may use of the host, all by default. capabilities: what Runtime.probe() told, which the command is checked
        against. others: a store whose profiles are told if they have what that QEMU has not."""
        flags = flag(for_unit, "for_unit") | flag(paused, "paused") << 1 | flag(incoming, "incoming") << 2
        self._pointer = C.vqemu_command_build(
            runtime, vm, command_options(state_base, runtime_base, policy, capabilities, others), flags, call)

    @classmethod
    def load(cls, text: Union[str, bytes], source: Optional[Text] = None, *, call: Optional[Call] = None) -> Command:
        """What save() has written, in another process; takes the lease on its profile again."""
        document = document_bytes(text)
        name = None if source is None else encoded(source, "source")
        return cls._of(perform(call, lambda made: C.vqemu_command_load(document, len(document), name, 0, made)))

    def save(self) -> str:
        """The command as JSON, for load()."""
        return str(C.vqemu_command_save(self, 0), "utf-8")

    def explain(self) -> List[Dict[str, Any]]:
        """Where each argument comes from: "index" in argv, "option", "value"; "key" of the VM, "default" if the VM
        could say it by that and does not, "message" in words where the VM does not say it; and "settings", the parts
        that come from elsewhere. Not of what load() gave."""
        return list(json.loads(C.vqemu_command_explain(self, 0))["arguments"])

    def diff(self, other: Command) -> Dict[str, Any]:
        """In what the other one differs: "same_command", "same_hardware", and "changes": a list of "option", "id",
        "setting", "guest" (whether the guest sees it), "from" and "to" ("value", "key", "default", "message", or
        None). Not of what load() gave."""
        return dict(json.loads(C.vqemu_command_diff(self, other, 0)))

    @property
    def runtime(self) -> Runtime:
        """The runtime that it was built for."""
        return Runtime._of(C.vqemu_command_runtime(self))

    @property
    def path(self) -> str:
        """The program; the same as argv[0]."""
        return str(C.vqemu_command_path(self))

    @property
    def argv(self) -> List[str]:
        """The arguments, the program's name included."""
        return list(C.vqemu_command_argv(self))

    @property
    def env(self) -> Dict[str, str]:
        """The whole environment; nothing of the caller's belongs to it."""
        pairs = (variable.partition("=") for variable in C.vqemu_command_envp(self))
        return {name: value for name, _, value in pairs}

    @property
    def cwd(self) -> str:
        """The directory to execute in."""
        return str(C.vqemu_command_cwd(self))

    @property
    def state_dir(self) -> str:
        """The directory of what the VM keeps."""
        return str(C.vqemu_command_state_dir(self))

    @property
    def runtime_dir(self) -> str:
        """The directory of the VM's sockets."""
        return str(C.vqemu_command_runtime_dir(self))

    @property
    def vm_name(self) -> str:
        """The name of the VM."""
        return str(C.vqemu_command_vm_name(self))

    @property
    def vm_id(self) -> str:
        """The id of the VM, from which its directories have their names."""
        return str(C.vqemu_command_vm_id(self))

    @property
    def user(self) -> Optional[str]:
        """Whom QEMU runs as; None for the caller."""
        user: Optional[str] = C.vqemu_command_user(self)
        return user

    def socket(self, name: str) -> Optional[str]:
        """The path of a socket, "qmp", "stop", "vnc", "console", "agent" or "tpm"; None if there is none."""
        if decoded(encoded(name, "name")) not in SOCKETS:
            raise _not_one_of(SOCKETS, name, "name")
        path: Optional[str] = C.vqemu_command_socket(self, name)
        return path

    @property
    def sockets(self) -> Dict[str, str]:
        """The paths of all sockets, by their names."""
        names = [C.vqemu_command_socket_name(self, i) for i in range(C.vqemu_command_socket_count(self))]
        return {name: C.vqemu_command_socket(self, name) for name in names}

    @property
    def files(self) -> List[CommandFile]:
        """The files that QEMU opens, the directories that it shares, and the programs that run for it."""
        return [CommandFile(path, bool(access & 1), bool(access & 2), bool(access & 4)) for path, access in items(
            self._open(), "vqemu_command_file_count", "vqemu_command_file_path", "vqemu_command_file_access")]

    @property
    def companions(self) -> List[Companion]:
        """The programs that must run beside QEMU."""
        return [Companion(*fields) for fields in items(
            self._open(), "vqemu_command_companion_count", "vqemu_command_companion_kind",
            "vqemu_command_companion_argv", "vqemu_command_companion_socket", "vqemu_command_companion_cwd")]

    @property
    def fds(self) -> Dict[str, int]:
        """The descriptors that the VM names, by its keys: the numbers that QEMU must have them under."""
        return {key: fd for key, fd in items(
            self._open(), "vqemu_command_fd_count", "vqemu_command_fd_key", "vqemu_command_fd_at")}

    @property
    def fd_names(self) -> Dict[str, int]:
        """Those of them that the VM knows by a name (fd_name), by that: the numbers that QEMU must have them under.
        start() takes them by these names."""
        return {name: fd for name, fd in items(
            self._open(), "vqemu_command_fd_count", "vqemu_command_fd_name", "vqemu_command_fd_at") if name}

    def digest(self, what: str = "command") -> str:
        """A digest in hex, of the whole "command", or of the "hardware" that the guest sees."""
        digest: Optional[str] = C.vqemu_command_digest(self, encoded(what, "what"))
        if digest is None:
            raise _not_one_of(("command", "hardware"), what, "what")
        return digest

    def to_shell(self) -> str:
        """The command as text for a shell."""
        return decoded(C.vqemu_command_to_shell(self, 0)) or ""

    def to_dict(self) -> Dict[str, Any]:
        """The command as what its JSON text says."""
        document: Dict[str, Any] = json.loads(self.to_json())
        return document

    def to_json(self) -> str:
        """The command as JSON text."""
        return str(C.vqemu_command_to_json(self, 0), "utf-8")

    def prepare(self, *, keep_variables: bool = False, reset_variables: bool = False,
                call: Optional[Call] = None) -> None:
        """Make what the command needs on disk. The arguments say what to do about UEFI variables that were made for
        other firmware."""
        flags = flag(keep_variables, "keep_variables") | flag(reset_variables, "reset_variables") << 1
        perform(call, lambda made: C.vqemu_prepare(self, flags, made))

    def start(self, fds: Optional[Mapping[str, OpenFile]] = None, **options: Any) -> "subprocess.Popen[Any]":
        """Start QEMU with exactly this environment and directory, with the lease on its profile and the VM's
        descriptors, no others, and umask 077. fds: those that the VM knows by a name, as open files or numbers:
        start({"root": file}); they stay the caller's. options: of subprocess.Popen, such as stdin and stdout."""
        held = self._open()  # keeps the lease open meanwhile, whoever closes the command
        try:
            return subprocess.Popen(**self._started(fds, options))
        finally:
            del held

    async def start_async(self, fds: Optional[Mapping[str, OpenFile]] = None,
                          **options: Any) -> asyncio.subprocess.Process:
        """The same as an asyncio process. options: of asyncio.create_subprocess_exec()."""
        held = self._open()
        try:
            started = self._started(fds, options)
            return await asyncio.create_subprocess_exec(*started.pop("args"), **started)
        finally:
            del held

    def _started(self, fds: Optional[Mapping[str, OpenFile]], options: Dict[str, Any]) -> Dict[str, Any]:
        """The arguments and options of a process of this command."""
        for name in ("executable", "env", "cwd", "shell", "close_fds"):
            if name in options:
                raise TypeError(f"{name} is what the command says")
        if fds is not None and not isinstance(fds, Mapping):
            raise TypeError(f"fds must be a dict of names and open files, not {type(fds).__name__}")
        moves = self._moves({} if fds is None else fds)
        passed = {fd for fd in (self.runtime.lease_fd, *self.fds.values()) if fd >= 0} - set(self.fd_names.values())
        passed |= set(moves) | {descriptor(fd, "pass_fds") for fd in options.pop("pass_fds", ())}
        argv, path = self.argv, self.path
        if moves:
            argv = [sys.executable, "-I", "-S", "-c", _MOVER, json.dumps(list(moves.items())),
                    str(self.runtime.lease_fd), path, *argv]
            path = sys.executable
        return {"args": argv, "executable": path, "env": self.env, "cwd": self.cwd,
                "pass_fds": tuple(sorted(passed)), "umask": 0o077, **options}

    def _moves(self, fds: Mapping[str, OpenFile]) -> Dict[int, int]:
        """From the caller's numbers to QEMU's."""
        wanted = self.fd_names
        names: Dict[int, str] = {}
        for name in sorted(wanted.keys() - fds.keys()):
            raise _mismatch(f"the VM names a descriptor {name!r}: fds has none", name)
        for name in fds.keys() - wanted.keys():
            raise _mismatch(f"fds has a descriptor {name!r}, which the VM does not name", name)
        for name in wanted:
            number = descriptor(fds[name], f"fds[{name!r}]")
            if number in names:
                raise _mismatch(f"fds gives one descriptor two names, {names[number]!r} and {name!r}", name)
            names[number] = name
        return {number: wanted[name] for number, name in names.items()}

    def _open(self) -> Any:
        return pointer_of(self, self._C, "command")

    def __repr__(self) -> str:
        return self._described(*([] if self.closed else [repr(self.vm_name), self.path]))


def _not_one_of(choices: Sequence[str], value: Text, what: str) -> InvalidError:
    words = ", ".join(choices)
    return invalid(f"{what} must be one of {words}, not {value!r}", "not-a-choice", what, value, choices=words)


def _mismatch(message: str, name: str) -> InvalidError:
    return invalid(message, "descriptor-mismatch", "fds", name)
