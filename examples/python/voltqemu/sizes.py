# SPDX-License-Identifier: MIT
"""What revisions take on disk."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Iterator, List, Optional

from ._library import C, Pointer

__all__ = ["Sharer", "Size", "Sizes"]


@dataclass(frozen=True)
class Sharer:
    """Another revision, and what the objects take on disk that it has as well, in bytes."""

    revision: str
    bytes: int


@dataclass(frozen=True)
class Size:
    """What the objects of a revision take on disk, in bytes. own_bytes: of what no other revision has, so that
    collecting it would free that. missing: how many objects the store does not have, which are not counted. sharers:
    those with which it shares most come first. Of a broken revision only the name is known, and numbers are None."""

    revision: str
    bytes: Optional[int]
    own_bytes: Optional[int]
    shared_bytes: Optional[int]
    missing: Optional[int]
    sharers: List[Sharer]

    @classmethod
    def _of(cls, sizes: Pointer, i: int) -> Size:
        total, own, shared, missing = (
            None if number < 0 else number for number in (
                read(sizes, i) for read in (C.vqemu_size_list_bytes, C.vqemu_size_list_own_bytes,
                                            C.vqemu_size_list_shared_bytes, C.vqemu_size_list_missing_count)))
        return cls(C.vqemu_size_list_revision_name(sizes, i), total, own, shared, missing,
                   [Sharer(C.vqemu_size_list_sharer_name(sizes, i, j), C.vqemu_size_list_sharer_bytes(sizes, i, j))
                    for j in range(C.vqemu_size_list_sharer_count(sizes, i))])


@dataclass(frozen=True)
class Sizes:
    """What revisions take. total_bytes: all of the store, each object once. complete: whether all revisions of the
    store could be read; else one is broken, and may have what seems to be another's own."""

    sizes: List[Size]
    total_bytes: int
    complete: bool

    def __iter__(self) -> Iterator[Size]:
        return iter(self.sizes)

    def __len__(self) -> int:
        return len(self.sizes)
