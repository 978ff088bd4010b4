# SPDX-License-Identifier: MIT
"""The systemd units that run a VM."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Iterator, Optional, Sequence

from ._library import C, Handle, Text, flag, options, whole
from .call import Call
from .command import Command, command_options
from .policy import Policy
from .runtime import Capabilities, Runtime
from .store import Store
from .vm import VM

_USER_MANAGER = 8  # VQEMU_UNIT_USER_MANAGER

__all__ = ["Unit", "Units"]


@dataclass(frozen=True)
class Unit:
    """A unit: the name of its file, and the text."""

    name: str
    text: str


class Units(Handle):
    """The systemd units that run a VM: first its service, then those of the programs beside it. Immutable."""

    __slots__ = ()
    _C = "vqemu_units"
    _ELSEWHERE = "send what is in it, their names and texts"

    def __init__(self, runtime: Runtime, vm: VM, *, user: bool = False, name_prefix: Optional[Text] = None,
                 stop_directory: Optional[Text] = None,
                 state_base: Optional[Text] = None, runtime_base: Optional[Text] = None,
                 stop_timeout: Optional[int] = None, stop_command: Optional[Sequence[Text]] = None,
                 policy: Optional[Policy] = None, capabilities: Optional[Capabilities] = None,
                 others: Optional[Store] = None, call: Optional[Call] = None) -> None:
        """user: for systemctl --user. name_prefix: of the units' names, "volt-vm-" by default. stop_directory: what
        the stop command needs besides /usr, such as where its libraries are. state_base, runtime_base:
        where the directories of VMs are. stop_timeout: seconds that the guest gets to shut down. stop_command: what
        shuts it down, a program with its arguments, to which the unit adds --timeout N and the socket. policy: what the
        VM may use of the host, all by default. capabilities: what Runtime.probe() told, which the command is checked
        against. others: a store whose profiles are told if they have what that QEMU has not."""
        described = options("vqemu_unit_options", {"name_prefix": name_prefix, "stop_directory": stop_directory},
                            {"stop_seconds": stop_timeout})
        if stop_command is not None:
            C.vqemu_unit_options_set_stop_command(described, stop_command)
        self._pointer = C.vqemu_units_build(
            runtime, vm, command_options(state_base, runtime_base, policy, capabilities, others), described,
            _USER_MANAGER if flag(user, "user") else 0, call)

    @property
    def command(self) -> Command:
        """What the VM's service executes."""
        return Command._of(C.vqemu_units_command(self))

    def __len__(self) -> int:
        return int(C.vqemu_units_count(self))

    def __getitem__(self, index: int) -> Unit:
        count = len(self)
        number = whole(index, "an index")
        if not -count <= number < count:
            raise IndexError(f"there are {count} units")
        number %= count
        return Unit(C.vqemu_units_name(self, number), C.vqemu_units_text(self, number))

    def __iter__(self) -> Iterator[Unit]:
        return (self[i] for i in range(len(self)))

    def __repr__(self) -> str:
        return self._described(*([] if self.closed else [unit.name for unit in self]))
