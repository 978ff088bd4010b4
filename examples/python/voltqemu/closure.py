# SPDX-License-Identifier: MIT
"""What the files of a profile ask for."""
from __future__ import annotations

from dataclasses import dataclass, field
from typing import Dict, List, Optional

from ._library import C, Pointer, items

__all__ = ["Closure", "ClosureEntry"]


@dataclass(frozen=True)
class ClosureEntry:
    """Something that a profile's files ask for, or that nothing asks for. kind is "program", "loader", "library",
    "module", "firmware", "keymap" or "ability"; state is "missing", "from-host", "unusable" or "unknown", which are
    problems, or "optional" or "unused". asked_by: the first file that asks for it, or None."""

    kind: str
    state: str
    name: str
    asked_by: Optional[str]
    message: str


@dataclass(frozen=True)
class Closure:
    """What a profile's files ask for, and what of it is not there; problems first. abilities: for each guest
    architecture, by name, the file that an ability comes from, or None if it cannot be told whether there is one."""

    entries: List[ClosureEntry]
    problem_count: int
    abilities: Dict[str, Dict[str, Optional[str]]] = field(default_factory=dict)

    @property
    def problems(self) -> List[ClosureEntry]:
        """The entries that are problems; none for a profile that is whole."""
        return self.entries[:self.problem_count]

    @classmethod
    def _of(cls, pointer: Pointer) -> Closure:
        return cls([ClosureEntry(*fields) for fields in items(
            pointer, "vqemu_closure_count", "vqemu_closure_kind", "vqemu_closure_state", "vqemu_closure_name",
            "vqemu_closure_asked_by", "vqemu_closure_message")], C.vqemu_closure_problem_count(pointer),
            _abilities(pointer))


def _abilities(closure: Pointer) -> Dict[str, Dict[str, Optional[str]]]:
    guests = (C.vqemu_guest_arch_at(i) for i in range(C.vqemu_guest_arch_count()))
    found = {guest: {C.vqemu_ability_name(1 << i): C.vqemu_closure_ability_path(closure, 1 << i, guest)
                     for i in range(64) if C.vqemu_closure_has_ability(closure, 1 << i, guest)} for guest in guests}
    return {guest: abilities for guest, abilities in found.items() if abilities}
