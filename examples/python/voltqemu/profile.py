# SPDX-License-Identifier: MIT
"""Profiles: what purpose-built QEMUs can do, and which guests they run."""
from __future__ import annotations

from typing import TYPE_CHECKING, FrozenSet, Iterable, List, Optional, Union

from ._library import C, Text, Value, decoded, encoded
from .errors import UnknownKeyError

if TYPE_CHECKING:
    from .host import Host

__all__ = ["GuestArch", "Profile", "guest_archs", "profiles"]


class Profile(Value):
    """A kind of purpose-built QEMU. Immutable; any thread may use it. Two of the same name are equal."""

    __slots__ = ()
    _C = "vqemu_profile"
    _ELSEWHERE = "send its name"

    def __init__(self, name: Text) -> None:
        """The built-in profile of this name."""
        pointer = C.vqemu_profile_find(encoded(name, "name"))
        if pointer is None:
            raise UnknownKeyError(f"there is no built-in profile {decoded(encoded(name))!r}", reason="unknown-profile",
                                  details={"choices": ", ".join(profile.name for profile in profiles())})
        self._pointer = pointer

    @property
    def name(self) -> str:
        """The name, such as "kvm-linux"."""
        return str(C.vqemu_profile_name(self))

    @property
    def description(self) -> Optional[str]:
        """What it is for, for people; None where nobody has said."""
        description: Optional[str] = C.vqemu_profile_description(self)
        return description

    @property
    def accel(self) -> str:
        """The accelerator that it runs guests with: "kvm" or "tcg"."""
        return str(C.vqemu_profile_accel(self))

    @property
    def abilities(self) -> FrozenSet[str]:
        """What it can do, such as {"kvm", "display", "usb", "tpm", "uefi"}."""
        return ability_names(C.vqemu_profile_abilities(self))

    def serves(self, guest_arch: Text, host: Host) -> bool:
        """Whether it runs such guests on hosts of the architecture of this one."""
        return bool(C.vqemu_profile_serves(self, encoded(guest_arch, "guest_arch"), host))

    def _says(self) -> str:
        return self.name

    def __repr__(self) -> str:
        return self._described(*([] if self.closed else [self.name]))


def profiles() -> List[Profile]:
    """The built-in profiles."""
    return [Profile._of(C.vqemu_profile_at(i)) for i in range(C.vqemu_profile_count())]


def ability_names(bits: int) -> FrozenSet[str]:
    """The names of abilities, without those that this library does not know."""
    names = (C.vqemu_ability_name(1 << i) for i in range(64) if bits >> i & 1)
    return frozenset(str(name) for name in names if name != "unknown")


def ability_bits(names: Optional[Union[str, Iterable[str]]]) -> int:
    """The other way; one that is not known is a LookupError."""
    bits = 0
    for name in [names] if isinstance(names, str) else names or ():
        bit = int(C.vqemu_ability_find(encoded(name, "an ability")))
        if not bit:
            raise UnknownKeyError(f"there is no ability {name!r}", reason="unknown-ability",
                                  details={"choices": ", ".join(sorted(ability_names((1 << 64) - 1)))})
        bits |= bit
    return bits


class GuestArch:
    """An architecture of guests: its QEMU program, and its machine types, of which the first is the default. Two of
    the same name are equal."""

    __slots__ = ("name", "binary", "machines")

    def __init__(self, name: Text) -> None:
        text = encoded(name, "name")
        self.name = decoded(text)
        self.binary: str = C.vqemu_guest_arch_binary_name(text)
        if self.binary is None:
            raise UnknownKeyError(f"there is no guest architecture {self.name!r}", reason="unknown-guest-arch",
                                  details={"choices": ", ".join(_arch_names())})
        self.machines: List[str] = [C.vqemu_guest_arch_machine_at(text, i)
                                    for i in range(C.vqemu_guest_arch_machine_count(text))]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, GuestArch) and self.name == other.name

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return f"<GuestArch {self.name}>"


def guest_archs() -> List[GuestArch]:
    """The architectures of guests that are known."""
    return [GuestArch(name) for name in _arch_names()]


def _arch_names() -> List[str]:
    return [C.vqemu_guest_arch_at(i) for i in range(C.vqemu_guest_arch_count())]
