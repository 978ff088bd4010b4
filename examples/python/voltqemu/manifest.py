# SPDX-License-Identifier: MIT
"""Manifests: what a revision consists of."""
from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Dict, FrozenSet, List, Optional, Union

from ._library import C, OpenFile, Text, Value, descriptor, encoded
from .call import Call, perform
from .profile import ability_names

__all__ = ["Manifest", "ManifestObject"]


@dataclass(frozen=True)
class ManifestObject:
    """A file of a revision; mode is 0 if the manifest gives it none."""

    path: str
    digest: str
    mode: int


class Manifest(Value):
    """What a revision consists of. Immutable; any thread may use it. Two of the same text are equal."""

    __slots__ = ()
    _C = "vqemu_manifest"
    _ELSEWHERE = "send to_json(), and read it there by from_json()"

    @classmethod
    def from_file(cls, path: Text, *, call: Optional[Call] = None) -> Manifest:
        """Read a manifest from a file."""
        name = encoded(path, "path")
        return cls._of(perform(call, lambda made: C.vqemu_manifest_load_file(name, 0, made)))

    @classmethod
    def from_fd(cls, file: OpenFile, name: Optional[Text] = None, *, call: Optional[Call] = None) -> Manifest:
        """Read a manifest from an open file or its descriptor; messages call it name."""
        number = descriptor(file, "file")
        text = None if name is None else encoded(name, "name")
        return cls._of(perform(call, lambda made: C.vqemu_manifest_load_fd(number, text, 0, made)))

    @classmethod
    def from_json(cls, text: Union[str, bytes], source: Optional[Text] = None, *,
                  call: Optional[Call] = None) -> Manifest:
        """Read a manifest from its text; messages call it source."""
        document = document_bytes(text)
        name = None if source is None else encoded(source, "source")
        return cls._of(perform(call, lambda made: C.vqemu_manifest_load_memory(
            document, len(document), name, 0, made)))

    def to_json(self) -> str:
        """The text that it was read from."""
        return str(C.vqemu_manifest_to_json(self, 0), "utf-8")

    def to_dict(self) -> Dict[str, Any]:
        """What the text says."""
        document: Dict[str, Any] = json.loads(self.to_json())
        return document

    def write(self, path: Text) -> None:
        """Write it to a file, whole or not at all."""
        C.vqemu_manifest_write_file(self, encoded(path, "path"), 0)

    @property
    def digest(self) -> str:
        """The SHA-256 of the text, in hex."""
        return str(C.vqemu_manifest_digest(self))

    @property
    def name(self) -> str:
        """The field "name"."""
        return str(C.vqemu_manifest_string(self, b"name"))

    @property
    def created_at(self) -> str:
        """The field "created_at", an RFC 3339 time."""
        return str(C.vqemu_manifest_string(self, b"created_at"))

    @property
    def profile(self) -> Optional[str]:
        """The field "profile", if it is there."""
        return _optional(C.vqemu_manifest_string(self, b"profile"))

    @property
    def qemu_version(self) -> Optional[str]:
        """The field "qemu_version", if it is there."""
        return _optional(C.vqemu_manifest_string(self, b"qemu_version"))

    @property
    def build_date(self) -> Optional[str]:
        """The field "build_date", if it is there."""
        return _optional(C.vqemu_manifest_string(self, b"build_date"))

    @property
    def build_host(self) -> Optional[str]:
        """The field "build_host", if it is there."""
        return _optional(C.vqemu_manifest_string(self, b"build_host"))

    @property
    def arch(self) -> Optional[str]:
        """The architecture that the programs run on, if the manifest says it."""
        return _optional(C.vqemu_manifest_string(self, b"arch"))

    @property
    def accel(self) -> Optional[str]:
        """The accelerator, if the manifest says it: "kvm" or "tcg"."""
        return _optional(C.vqemu_manifest_string(self, b"accel"))

    @property
    def description(self) -> Optional[str]:
        """What it is for, if the manifest says it."""
        return _optional(C.vqemu_manifest_string(self, b"description"))

    @property
    def abilities(self) -> FrozenSet[str]:
        """The abilities that the manifest names."""
        return ability_names(C.vqemu_manifest_abilities(self))

    @property
    def guests(self) -> List[str]:
        """The architectures of guests that the manifest names."""
        return [C.vqemu_manifest_guest_at(self, i) for i in range(C.vqemu_manifest_guest_count(self))]

    @property
    def total_bytes(self) -> Optional[int]:
        """The sum of the sizes of all files, if the manifest says it."""
        size: int = C.vqemu_manifest_total_bytes(self)
        return None if size < 0 else size

    @property
    def objects(self) -> List[ManifestObject]:
        """The files."""
        return [ManifestObject(C.vqemu_manifest_object_path(self, i), C.vqemu_manifest_object_digest(self, i),
                               C.vqemu_manifest_object_mode(self, i))
                for i in range(C.vqemu_manifest_object_count(self))]

    def find(self, path: Text) -> Optional[ManifestObject]:
        """The file of this path; None if there is none."""
        index: int = C.vqemu_manifest_find(self, encoded(path, "path"))
        if index < 0:
            return None
        return ManifestObject(C.vqemu_manifest_object_path(self, index), C.vqemu_manifest_object_digest(self, index),
                              C.vqemu_manifest_object_mode(self, index))

    @property
    def binary_count(self) -> int:
        """How many files lie below bin/."""
        return int(C.vqemu_manifest_count_below(self, b"bin"))

    @property
    def library_count(self) -> int:
        """How many files lie below lib/."""
        return int(C.vqemu_manifest_count_below(self, b"lib"))

    @property
    def firmware_count(self) -> int:
        """How many files lie below firmware/."""
        return int(C.vqemu_manifest_count_below(self, b"firmware"))

    def _says(self) -> str:
        return self.digest

    def __repr__(self) -> str:
        return self._described(*([] if self.closed else [self.name, self.digest[:12]]))


def document_bytes(text: Any) -> bytes:
    """A document, str or bytes, as C takes it."""
    if isinstance(text, str):
        return text.encode("utf-8", "surrogateescape")
    if isinstance(text, (bytes, bytearray, memoryview)):
        return bytes(text)
    raise TypeError(f"a document must be str or bytes, not {type(text).__name__}")


def _optional(text: Optional[str]) -> Optional[str]:
    return text
