# SPDX-License-Identifier: MIT
"""Virtual machines as their users describe them."""
from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Dict, List, Mapping, Optional, Tuple, Union

from ._kinds import split_document
from ._library import C, Handle, Text, encoded
from ._properties import Disk, Forward, Nic, Share, VMProperties
from ._views import Element, Elements, Strings, Values, document_of, read_schema, schema_text
from .errors import UnsupportedError
from .manifest import document_bytes

if TYPE_CHECKING:
    from .call import Call
    from .runtime import Capabilities, Runtime

__all__ = ["VM", "Change", "Disk", "Element", "Elements", "Forward", "Nic", "Share", "Strings", "Values", "schema"]


def schema() -> Dict[str, Any]:
    """The JSON Schema of documents."""
    made: Dict[str, Any] = json.loads(schema_text())
    return made


@dataclass(frozen=True)
class Change:
    """A key of which two VMs have different values; None where it is not set."""

    key: str
    before: Any
    after: Any


class VM(Handle, VMProperties):
    """A virtual machine as its user describes it.

        vm = VM("web", memory=512, nics=[{"forwards": [{"host_port": 2222, "guest_port": 22}]}])
        vm.disks.append({"file": "/srv/web.qcow2", "format": "qcow2"})
        vm.disks[0].cache = "none"
        vm["disks[0].aio"] = "native"
        vm.cpu_features["avx2"] = False

    Each key of the document (docs/vm.md) is an attribute, and by its whole name an item. None stands for the
    default. Threads that use one at the same time wait for each other. copy.copy() and pickle work.

    A VM can be changed, so == asks whether it is the same object; whether two say the same, diff() tells:
    `if not vm.diff(other):`."""

    __slots__ = ()
    _C = "vqemu_vm"

    def __init__(self, name: Text, **properties: Any) -> None:
        """A VM of this name, with properties by their keys: VM(**document) is as good as from_json()."""
        self._pointer = C.vqemu_vm_new(encoded(name, "name"))
        if properties:
            self.merge(properties)

    @classmethod
    def from_json(cls, text: Union[str, bytes], source: Optional[Text] = None) -> VM:
        """Read a VM from the text of a document; messages call it source."""
        document = document_bytes(text)
        name = None if source is None else encoded(source, "source")
        return cls._of(C.vqemu_vm_from_json(document, len(document), name, 0))

    @classmethod
    def from_file(cls, path: Text) -> VM:
        """Read a VM from a file with a document."""
        return cls._of(C.vqemu_vm_from_file(encoded(path, "path"), 0))

    def to_json(self) -> str:
        """The text of the document: what is set, and nothing else. UnsupportedError if something is not UTF-8."""
        return str(C.vqemu_vm_to_json(self, 0), "utf-8")

    def to_dict(self) -> Dict[str, Any]:
        """The document: what is set, and nothing else."""
        try:
            document: Dict[str, Any] = json.loads(self.to_json())
        except UnsupportedError:  # JSON cannot have it, but Python can
            document = document_of(self, read_schema(), "")
        return document

    def copy(self) -> VM:
        """Another VM, the same in everything."""
        return type(self)._of(C.vqemu_vm_copy(self))

    __copy__ = copy

    def __reduce_ex__(self, _: object) -> Tuple[Any, ...]:
        return type(self).from_json, (self.to_json(),)

    def merge(self, changes: Union[Mapping[str, Any], str, bytes], source: Optional[Text] = None) -> None:
        """Set all keys that a document or dict has, or none if one is refused. Lists are replaced; None or null
        unsets."""
        if isinstance(changes, (str, bytes)):
            self._merge(document_bytes(changes), source)
            return
        if not isinstance(changes, Mapping):
            raise TypeError(f"changes must be a dict or a document, not {type(changes).__name__}")
        document, late = split_document(changes, read_schema())
        if not late:
            self._merge(json.dumps(document).encode(), source)
            return
        made = self.copy()
        made._merge(json.dumps(document).encode(), source)
        for key, value in late:
            C.vqemu_vm_set_string(made, encoded(key), encoded(value, key))
        self._pointer = made._pointer

    def _merge(self, document: bytes, source: Optional[Text]) -> None:
        C.vqemu_vm_merge_json(self, document, len(document), None if source is None else encoded(source, "source"), 0)

    def update(self, **properties: Any) -> None:
        """merge(), by keywords."""
        self.merge(properties)

    def diff(self, other: VM) -> List[Change]:
        """In what the other one differs."""
        document = json.loads(C.vqemu_vm_diff(self, other, 0))
        return [Change(change["key"], change.get("from"), change.get("to")) for change in document["changes"]]

    def complete(self, runtime: Runtime, capabilities: Optional[Capabilities] = None,
                 call: Optional[Call] = None) -> None:
        """Write the defaults of its hardware into it, as a command for this runtime would have them. capabilities:
        what Runtime.probe() told, for the versioned machine."""
        C.vqemu_vm_complete(self, runtime, capabilities, 0, call)

    def _at(self) -> Tuple[VM, str]:
        return self, ""

    def __repr__(self) -> str:
        return self._described(*([] if self.closed else [repr(self.name)]))
