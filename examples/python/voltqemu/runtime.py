# SPDX-License-Identifier: MIT
"""Profiles on disk, ready to run."""
from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Dict, List, Optional

from ._library import C, Handle, Text, encoded, flag, items, options
from .call import Call, perform
from .profile import Profile

if TYPE_CHECKING:
    from .selection import Selection
    from .store import Store

__all__ = ["Capabilities", "Placement", "Runtime"]


@dataclass(frozen=True)
class Placement:
    """How a file of a tree was put there: how is "link", "reflink", "copy_file_range", "copy" or "new"; message says
    why it is no link, and is None if it is one."""

    path: str
    how: str
    message: Optional[str]


class Capabilities(Handle):
    """What a QEMU can do, by its own account: things of a kind, each with a name, properties and facts. Kinds are
    "accel", "blockdev", "chardev", "command", "cpu" (whose properties are features), "device", "display", "machine",
    "netdev", "object", "option", and "qemu", which has one name, the version. Immutable; any thread may use it.
    Runtime.probe() makes it."""

    __slots__ = ()
    _C = "vqemu_capabilities"

    def names(self, kind: Text) -> List[str]:
        """All of a kind."""
        word = encoded(kind, "kind")
        return [C.vqemu_capabilities_at(self, word, i) for i in range(C.vqemu_capabilities_count(self, word))]

    def has(self, kind: Text, name: Text, property: Optional[Text] = None) -> Optional[bool]:
        """Whether there is such a thing, and whether it has a property; None if QEMU does not tell its properties."""
        wanted = None if property is None else encoded(property, "property")
        answer = C.vqemu_capabilities_has(self, encoded(kind, "kind"), encoded(name, "name"), wanted)
        return None if answer < 0 else bool(answer)

    def fact(self, kind: Text, name: Text, fact: Text) -> Optional[str]:
        """A fact about a thing, such as "max-cpus" of a machine; None if there is none."""
        said: Optional[str] = C.vqemu_capabilities_fact(
            self, encoded(kind, "kind"), encoded(name, "name"), encoded(fact, "fact"))
        return said

    def to_dict(self) -> Dict[str, Dict[str, Dict[str, Any]]]:
        """All of it: by kind and name, "properties" and facts."""
        all_of_it: Dict[str, Dict[str, Dict[str, Any]]] = json.loads(C.vqemu_capabilities_to_json(self, 0))
        return all_of_it


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

    def probe(self, store: Optional[Store] = None, *, again: bool = False,
              call: Optional[Call] = None) -> Capabilities:
        """Ask its QEMU what it can do: it is started without a guest, confined, and ended. store: the one it came
        from, which keeps the answer; again: do not take what is kept."""
        flags = int(flag(again, "again"))
        return Capabilities._of(perform(call, lambda made: C.vqemu_runtime_probe(self, store, flags, made)))

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
        name: Optional[str] = C.vqemu_runtime_revision_name(self)
        return name

    @property
    def manifest_path(self) -> Optional[str]:
        """The file of that revision's manifest; None for one that is described by hand, or of a command that was
        loaded."""
        path: Optional[str] = C.vqemu_runtime_manifest_path(self)
        return path

    @property
    def digest(self) -> Optional[str]:
        """The digest of its manifest, in hex; None for one that is described by hand."""
        digest: Optional[str] = C.vqemu_runtime_digest(self)
        return digest

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
            "vqemu_placement_list_message")]

    def __repr__(self) -> str:
        return self._described(*([] if self.closed else [self.revision or self.binary, self.guest_arch]))
