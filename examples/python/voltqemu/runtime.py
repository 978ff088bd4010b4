# SPDX-License-Identifier: MIT
"""Profiles on disk, ready to run."""
from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, List, Optional

from ._library import C, Handle, Text, items, options
from .profile import Profile

if TYPE_CHECKING:
    from .selection import Selection

__all__ = ["Placement", "Runtime"]


@dataclass(frozen=True)
class Placement:
    """How a file of a tree was put there: how is "link", "reflink", "copy_file_range", "copy" or "new"; reason says
    why it is no link, and is "" if it is one."""

    path: str
    how: str
    reason: str


class Runtime(Handle):
    """A profile on disk, ready to run. Immutable; any thread may use it. While it lives, a lease keeps its tree
    from being collected. Store.resolve() makes it."""

    __slots__ = ()
    _C = "vqemu_runtime"
    _ELSEWHERE = "resolve() its revision there"

    def __init__(self, selection: Selection, binary: Text, firmware_dir: Text, *, lib_dir: Optional[Text] = None,
                 module_dir: Optional[Text] = None, loader: Optional[Text] = None) -> None:
        """Describe one by hand, without a store, by absolute paths: QEMU's program, its firmware, and, where they are
        not the host's, its shared libraries, its modules, and the dynamic loader."""
        described = options("vqemu_runtime_options", {
            "binary": binary, "firmware_dir": firmware_dir, "lib_dir": lib_dir, "module_dir": module_dir,
            "loader": loader})
        self._pointer = C.vqemu_runtime_new(selection, described, 0)

    @property
    def profile(self) -> Profile:
        """The profile."""
        return Profile._of(C.vqemu_runtime_profile(self))

    @property
    def guest_arch(self) -> str:
        """The guest's architecture."""
        return str(C.vqemu_runtime_guest_arch(self))

    @property
    def binary(self) -> str:
        """QEMU's program."""
        return str(C.vqemu_runtime_binary(self))

    @property
    def firmware_dir(self) -> str:
        """The directory of firmware."""
        return str(C.vqemu_runtime_firmware_dir(self))

    @property
    def lib_dir(self) -> Optional[str]:
        """The directory of shared libraries; None if the profile has none."""
        path: Optional[str] = C.vqemu_runtime_lib_dir(self)
        return path

    @property
    def module_dir(self) -> Optional[str]:
        """The directory of QEMU's modules; None if the profile has none."""
        path: Optional[str] = C.vqemu_runtime_module_dir(self)
        return path

    @property
    def loader(self) -> Optional[str]:
        """The profile's dynamic loader; None if the host's is used."""
        path: Optional[str] = C.vqemu_runtime_loader(self)
        return path

    @property
    def tree(self) -> Optional[str]:
        """The directory of it all; None for one that is described by hand."""
        path: Optional[str] = C.vqemu_runtime_tree(self)
        return path

    @property
    def revision(self) -> Optional[str]:
        """The name of its revision; None for one that is described by hand."""
        name: Optional[str] = C.vqemu_runtime_revision(self)
        return name

    @property
    def digest(self) -> Optional[str]:
        """The digest of its manifest, in hex; None for one that is described by hand."""
        digest: Optional[str] = C.vqemu_runtime_digest(self)
        return digest or None

    @property
    def lease_fd(self) -> int:
        """A descriptor that keeps the tree from being collected for as long as any process has it open; -1 for
        none. It is the runtime's, and closed with it. Command.start() passes it on."""
        return int(C.vqemu_runtime_lease_fd(self))

    def placements(self) -> List[Placement]:
        """How the files of the tree were put there."""
        found = C.vqemu_runtime_list_placements(self, 0)
        return [Placement(*fields) for fields in items(
            found, "vqemu_placement_list_count", "vqemu_placement_list_path", "vqemu_placement_list_how",
            "vqemu_placement_list_reason")]

    def __repr__(self) -> str:
        return self._described(*([] if self.closed else [self.revision or self.binary, self.guest_arch]))
