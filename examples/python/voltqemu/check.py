# SPDX-License-Identifier: MIT
"""What a check of a store has found."""
from __future__ import annotations

from dataclasses import dataclass, field
from typing import Dict, List, Optional

from ._library import C, Pointer
from .closure import Closure

__all__ = ["CheckPlace", "CheckProblem", "CheckProcess", "CheckResult"]


@dataclass(frozen=True)
class CheckPlace:
    """Where a damaged object is used."""

    revision: str
    path: str


@dataclass(frozen=True)
class CheckProcess:
    """A process that runs from a damaged tree or holds it; pid is None for one that may not be looked into, name
    where it is not known."""

    tree: str
    pid: Optional[int]
    name: Optional[str]


@dataclass(frozen=True)
class CheckProblem:
    """What a check has found. digest: of the object, or of the tree's manifest; None for other kinds."""

    kind: str
    digest: Optional[str]
    message: str
    repaired: bool
    places: List[CheckPlace]
    processes: List[CheckProcess]


@dataclass(frozen=True)
class CheckResult:
    """What a check has looked at and found. unrepaired: how many problems are left. closures: of revisions, by their
    names, if they were asked for."""

    objects: int
    bytes: int
    unrepaired: int
    problems: List[CheckProblem]
    closures: Dict[str, Closure] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether all is well now."""
        return self.unrepaired == 0

    @classmethod
    def _of(cls, check: Pointer) -> CheckResult:
        return cls(C.vqemu_check_object_count(check), C.vqemu_check_bytes(check),
                   C.vqemu_check_unrepaired_count(check),
                   [_problem(check, i) for i in range(C.vqemu_check_problem_count(check))],
                   {C.vqemu_check_closure_revision_name(check, i): Closure._of(C.vqemu_check_closure(check, i))
                    for i in range(C.vqemu_check_closure_count(check))})


def _problem(check: Pointer, i: int) -> CheckProblem:
    return CheckProblem(
        C.vqemu_check_problem_kind(check, i), C.vqemu_check_problem_digest(check, i),
        C.vqemu_check_problem_message(check, i), C.vqemu_check_problem_repaired(check, i),
        [CheckPlace(C.vqemu_check_place_revision_name(check, i, j), C.vqemu_check_place_path(check, i, j))
         for j in range(C.vqemu_check_place_count(check, i))],
        [CheckProcess(C.vqemu_check_process_tree_name(check, i, j), C.vqemu_check_process_pid(check, i, j) or None,
                      C.vqemu_check_process_name(check, i, j))
         for j in range(C.vqemu_check_process_count(check, i))])
