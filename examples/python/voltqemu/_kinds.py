# SPDX-License-Identifier: MIT
"""Of what kind the value of each key is, as a schema says it: a value of another kind is a TypeError, however it is
given."""
from __future__ import annotations

import os
from collections.abc import Iterable as _Iterable
from collections.abc import Mapping as _Mapping
from collections.abc import Set as _Set
from typing import Any, Dict, List, Mapping, Optional, Protocol, Tuple, runtime_checkable

from ._library import encoded, flag, unsigned

Schema = Optional[Dict[str, Any]]


@runtime_checkable
class HasDocument(Protocol):
    """A VM, or a part of one."""

    def to_dict(self) -> Dict[str, Any]:
        """What is set, as in a document."""
        ...


# ---- schemas ----

def is_values(schema: Schema) -> bool:
    """Whether it is that of an object whose names are free."""
    return schema is not None and schema.get("type") == "object" and "properties" not in schema


def part_of(schema: Schema, name: str) -> Schema:
    """The schema of what an object has by a name; None if it can have no such thing."""
    if schema is None:
        return None
    part: Schema = schema["additionalProperties"] if is_values(schema) else schema.get("properties", {}).get(name)
    return part


def checked_key(key: Any, of: str = "") -> str:
    """A key, if it can be one; of: what it is a key of, unless that is the VM."""
    if not isinstance(key, str):
        what = f"a key of {of} must be str" if of else "a key must be str, such as \"disks[0].cache\""
        raise TypeError(f"{what}, not {type(key).__name__}")
    return key


# ---- values ----

def plain(value: Any, key: str, schema: Schema) -> Any:
    """A value as JSON has it; strings of bytes that are not UTF-8 are as os.fsdecode() makes them. Without a schema,
    which is for what the library will refuse, any kind will do."""
    kind = None if schema is None else schema["type"]
    if kind == "string":
        return _text(value, key)
    if kind == "integer":
        return _number(value, key)
    if kind == "boolean":
        return flag(value, key)
    if kind == "array" and schema is not None:
        return [plain(part, f"{key}[{i}]", schema["items"]) for i, part in enumerate(_listed(value, key))]
    if kind == "object":
        return _object(value, key, schema)
    return _of_any_kind(value, key, kind is None)


def plain_document(document: Mapping[str, Any], schema: Schema) -> Dict[str, Any]:
    """The same for a whole document; None stays, for a key that is to be unset."""
    return {checked_key(name): None if value is None else plain(value, name, part_of(schema, name))
            for name, value in document.items()}


def _text(value: Any, key: str) -> str:
    return os.fsdecode(encoded(value, key))


def _number(value: Any, key: str) -> int:
    return unsigned(value, key, 63)  # what JSON's reader takes


def _listed(value: Any, key: str) -> List[Any]:
    if isinstance(value, _Set):
        raise TypeError(f"{key} must be a list, which has an order, not a set")
    if isinstance(value, (str, bytes, _Mapping, HasDocument)) or not isinstance(value, _Iterable):
        raise TypeError(f"{key} must be a list, not {type(value).__name__}")
    return list(value)


def _object(value: Any, key: str, schema: Schema) -> Dict[str, Any]:
    if isinstance(value, HasDocument):
        return value.to_dict()
    if not isinstance(value, _Mapping):
        raise TypeError(f"{key} must be a dict, not {type(value).__name__}")
    return {checked_key(name, key): plain(part, f"{key}.{name}", part_of(schema, name))
            for name, part in value.items() if part is not None}


def _of_any_kind(value: Any, key: str, compound: bool) -> Any:
    """A named value, or, if it may be compound, what has no schema."""
    if isinstance(value, bool):
        return value
    if isinstance(value, (str, bytes, os.PathLike)):
        return _text(value, key)
    if compound and isinstance(value, (_Mapping, HasDocument)):
        return _object(value, key, None)
    if compound and isinstance(value, _Iterable):
        return [plain(part, f"{key}[{i}]", None) for i, part in enumerate(_listed(value, key))]
    return _number(value, key)


# ---- what JSON cannot carry ----

def split_document(document: Mapping[str, Any], schema: Schema) -> Tuple[Dict[str, Any], List[Tuple[str, str]]]:
    """What JSON can carry of a document, and strings that are to be set by their keys afterwards."""
    late: List[Tuple[str, str]] = []

    def strip(value: Any, key: str) -> Any:
        if isinstance(value, str):
            if any(0xdc80 <= ord(letter) <= 0xdcff for letter in value):
                late.append((key, value))
                return "/"  # holds the place of an entry of a list
            return value
        if isinstance(value, dict):
            return without_late(value, f"{key}.")
        if isinstance(value, list):
            return [strip(part, f"{key}[{i}]") for i, part in enumerate(value)]
        return value

    def without_late(parts: Dict[str, Any], prefix: str) -> Dict[str, Any]:
        stripped = {name: strip(part, prefix + name) for name, part in parts.items()}
        postponed = {key for key, _ in late}
        return {name: part for name, part in stripped.items() if prefix + name not in postponed}

    return without_late(plain_document(document, schema), ""), late
