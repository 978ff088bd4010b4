# SPDX-License-Identifier: MIT
"""What VMs may use of the host."""
from __future__ import annotations

import functools
import json
from typing import Any, Dict, Optional, Tuple, Union

from ._kinds import plain_document
from ._library import C, Text, Value, encoded
from .manifest import document_bytes

__all__ = ["Policy", "policy_schema"]


def policy_schema() -> Dict[str, Any]:
    """The JSON Schema of policies."""
    made: Dict[str, Any] = json.loads(_schema_text())
    return made


@functools.lru_cache(maxsize=None)
def _schema_text() -> str:
    return str(C.vqemu_policy_schema(0), "utf-8")


class Policy(Value):
    """What VMs may use of the host, for descriptions that come from others:

        policy = Policy(read_paths=["/srv/images"], bridges=["br0"], max_memory=4096)
        Command(runtime, vm, policy=policy)

    One with nothing set allows the least. A VM that breaks it raises DeniedError. Immutable; any thread may use it.
    Two that set the same are equal; copy.copy() and pickle work."""

    __slots__ = ()
    _C = "vqemu_policy"

    def __init__(self, **rules: Any) -> None:
        """A policy of these keys; policy_schema() tells which there are."""
        document = json.dumps(plain_document(rules, policy_schema())).encode()
        self._pointer = C.vqemu_policy_from_json(document, len(document), None, 0)

    @classmethod
    def from_json(cls, text: Union[str, bytes], source: Optional[Text] = None) -> Policy:
        """Read a policy from JSON text; messages call it source."""
        document = document_bytes(text)
        name = None if source is None else encoded(source, "source")
        return cls._of(C.vqemu_policy_from_json(document, len(document), name, 0))

    @classmethod
    def from_file(cls, path: Text) -> Policy:
        """Read a policy from a file."""
        return cls._of(C.vqemu_policy_from_file(encoded(path, "path"), 0))

    def to_json(self) -> str:
        """The keys that are set, as JSON text."""
        return str(C.vqemu_policy_to_json(self, 0), "utf-8")

    def to_dict(self) -> Dict[str, Any]:
        """The keys that are set."""
        document: Dict[str, Any] = json.loads(self.to_json())
        return document

    def _says(self) -> str:
        return json.dumps(self.to_dict(), sort_keys=True)

    def __reduce_ex__(self, _: object) -> Tuple[Any, ...]:
        return type(self).from_json, (self.to_json(),)

    def __repr__(self) -> str:
        return self._described()
