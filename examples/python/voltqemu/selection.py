# SPDX-License-Identifier: MIT
"""Choosing the profile for a workload."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Hashable, Iterable, List, Optional, Tuple, Union

from ._library import C, Text, Value, encoded
from .call import Call, perform
from .host import Host
from .profile import Profile, ability_bits
from .store import Store
from .vm import VM

__all__ = ["Rejected", "Selection", "select"]


@dataclass(frozen=True)
class Rejected:
    """A profile that was not chosen, and why."""

    profile: str
    message: str


class Selection(Value):
    """A profile that was chosen, and why. Immutable; any thread may use it. select() makes it. Two that say the same
    are equal."""

    __slots__ = ()
    _C = "vqemu_selection"
    _ELSEWHERE = "select() there"

    @property
    def profile(self) -> Profile:
        """The profile."""
        return Profile._of(C.vqemu_selection_profile(self))

    @property
    def guest_arch(self) -> str:
        """The guest's architecture."""
        return str(C.vqemu_selection_guest_arch(self))

    @property
    def accel(self) -> str:
        """The accelerator: "kvm" or "tcg"."""
        return str(C.vqemu_selection_accel(self))

    @property
    def runnable(self) -> bool:
        """Whether the accelerator works on the host as it is now."""
        return bool(C.vqemu_selection_runnable(self))

    @property
    def problem(self) -> Optional[str]:
        """Why the accelerator does not work; None if it does."""
        problem: Optional[str] = C.vqemu_selection_problem(self)
        return problem

    @property
    def message(self) -> str:
        """Why this profile was chosen, for people."""
        return str(C.vqemu_selection_message(self))

    @property
    def rejected(self) -> List[Rejected]:
        """The profiles that were considered and not chosen."""
        return [Rejected(Profile._of(C.vqemu_selection_rejected_profile(self, i)).name,
                         C.vqemu_selection_rejected_message(self, i))
                for i in range(C.vqemu_selection_rejected_count(self))]

    def _says(self) -> Tuple[Hashable, ...]:
        return (self.profile, self.guest_arch, self.accel, self.runnable, self.problem, self.message,
                tuple(self.rejected))

    def __repr__(self) -> str:
        return self._described(*([] if self.closed else [self.profile.name, self.guest_arch, self.accel]))


def select(host: Optional[Host] = None, *, vm: Optional[VM] = None, store: Optional[Store] = None,
           profile: Optional[Union[Text, Profile]] = None, accel: Optional[Text] = None,
           guest_arch: Optional[Text] = None, guest_os: Optional[Text] = None, mode: Optional[Text] = None,
           abilities: Optional[Union[str, Iterable[str]]] = None, call: Optional[Call] = None) -> Selection:
    """Choose the profile for a workload on a host, by default this one.

    vm: all that its keys need. store: only profiles that have a revision there. The others win over what the VM
    says: profile, a name; accel, "kvm" or "tcg"; guest_arch, such as "aarch64"; guest_os, "linux", "windows" or
    "other"; mode, "hybrid-kvm" or "hybrid-emulated"; abilities, names such as ["tpm", "uefi"]. A Command refuses a
    VM whose guest_arch, profile or mode is another than what was selected: change it first."""
    if isinstance(host, VM):
        raise TypeError("host must be a Host, not VM: the VM is an argument of its own, select(vm=vm)")
    if isinstance(host, Store):
        raise TypeError("host must be a Host, not Store: the store is an argument of its own, select(store=store)")
    request = C.vqemu_request_new()
    if vm is not None:
        C.vqemu_request_set_vm(request, vm, 0)
    if store is not None:
        perform(call, lambda made: C.vqemu_request_set_store(request, store, 0, made))
    strings = {"profile": profile.name if isinstance(profile, Profile) else profile, "accel": accel,
               "guest_arch": guest_arch, "guest_os": guest_os, "mode": mode}
    for key, value in strings.items():
        if value is not None:
            C.vqemu_request_set_string(request, key, encoded(value, key))
    if abilities is not None:
        C.vqemu_request_set_abilities(request, ability_bits(abilities))
    return Selection._of(C.vqemu_select(Host.probe() if host is None else host, request, 0))
