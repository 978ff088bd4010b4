# SPDX-License-Identifier: MIT
"""Reading and writing what a VM is described by: values by key, and views of lists and of parts, which hold nothing
themselves but the VM and a key."""
from __future__ import annotations

import functools
import json
import os
import re
from typing import (TYPE_CHECKING, Any, Callable, Dict, Generic, Iterable, Iterator, List, Mapping, MutableMapping,
                    MutableSequence, Optional, Tuple, Type, TypeVar, Union, overload)

from ._kinds import checked_key, is_values, part_of, plain
from ._library import C, Text, encoded, flag, pointer_of, unsigned, whole
from .errors import Error, UnknownKeyError, UnsupportedError

if TYPE_CHECKING:
    from .vm import VM

E = TypeVar("E", bound="Element")
#: The class for the entries of a list, by its key.
element_classes: Dict[str, Type[Element]] = {}
#: A value by a name that is none of the library's: a feature of the CPU, on, off, or what QEMU takes as a number or
#: text; the place of a device.
Value = Union[bool, int, str]
OFF, ON = 0, 1


@functools.lru_cache(maxsize=None)
def schema_text() -> str:
    """The schema of documents, as the library has it."""
    return str(C.vqemu_vm_schema(0), "utf-8")


@functools.lru_cache(maxsize=None)
def read_schema() -> Dict[str, Any]:
    """The same, to look at only."""
    schema: Dict[str, Any] = json.loads(schema_text())
    return schema


# ---- keys ----

def steps_of(key: str) -> Optional[List[Union[str, int]]]:
    """The names and indices that a key consists of; None if it is none. The name of a value is one step, whatever it
    consists of."""
    steps: List[Union[str, int]] = []
    rest = key
    while True:
        name = re.match(r"[^.\[\]]+", rest)
        if not name:
            return None
        steps.append(name[0])
        rest = rest[name.end():]
        while (index := re.match(r"\[([0-9]{1,9})\]", rest)) is not None:
            steps.append(int(index[1]))
            rest = rest[index.end():]
        if not rest:
            return steps
        if rest[0] != "." or len(rest) == 1:
            return None
        rest = rest[1:]
        if is_values(schema_of(steps)):
            return steps + [rest]


def schema_of(steps: Iterable[Union[str, int]]) -> Optional[Dict[str, Any]]:
    """The schema of what is there; None if nothing is."""
    schema: Optional[Dict[str, Any]] = read_schema()
    for step in steps:
        if schema is None:
            return None
        schema = schema.get("items") if isinstance(step, int) else part_of(schema, step)
    return schema


def _known(vm: VM, key: str) -> Tuple[List[Union[str, int]], Dict[str, Any]]:
    """The steps of a key, and the schema of what is there; an UnknownKeyError or InvalidError if it is no key."""
    steps = steps_of(key)
    schema = None if steps is None else schema_of(steps)
    if steps is None or schema is None:
        C.vqemu_vm_get_string(vm, encoded(key, "a key"))  # which says what is wrong with it
        raise UnknownKeyError(f"{key}: no such key", reason="unknown-key", details={"key": key})
    return steps, schema


# ---- reading ----

def read(vm: VM, key: str) -> Any:
    """The value of a key: None if it is not set, a view if it is a list or a part."""
    steps, schema = _known(vm, key)
    kind = schema["type"]
    if kind == "string":
        return C.vqemu_vm_get_string(vm, encoded(key))
    if kind == "integer":
        return C.vqemu_vm_get_number(vm, encoded(key)) or None
    if kind == "boolean":
        return read_switch(vm, key)
    if isinstance(kind, list):
        return _read_value(vm, key)
    pointer_of(vm, vm._C, "vm")  # a view of a VM that is closed would be of no use
    if kind == "array" and schema["items"]["type"] == "string":
        return Strings(vm, key)
    if kind == "array":
        return Elements(vm, key, element_classes.get(str(steps[-1]), Element))
    if is_values(schema):
        return Values(vm, key)
    return read(vm, key[:key.rindex("[")])[int(steps[-1])]  # which says if there is none


def read_switch(vm: VM, key: str) -> Optional[bool]:
    """A switch; None for the default."""
    state = C.vqemu_vm_get_switch(vm, encoded(key))
    return None if state not in (OFF, ON) else bool(state == ON)


def _read_value(vm: VM, key: str) -> Optional[Value]:
    owner, name = key.split(".", 1)
    return values_of(vm, owner).get(name)


def values_of(vm: VM, key: str) -> Dict[str, Value]:
    """The values that are set below a key."""
    try:
        document = json.loads(C.vqemu_vm_to_json(vm, 0))
    except UnsupportedError:  # something else is not UTF-8: without it
        bare = C.vqemu_vm_copy(vm)
        for other in read_schema()["properties"]:
            if other not in ("name", key):
                C.vqemu_vm_unset(bare, other)
        C.vqemu_vm_set_string(bare, "name", "x")
        document = json.loads(C.vqemu_vm_to_json(bare, 0))
    values: Dict[str, Value] = document.get(key, {})
    return values


# ---- writing ----

def write(vm: VM, key: str, value: Any) -> None:
    """Set a key; None unsets it. All of a list or of a part is written at once or not at all."""
    if value is None:
        C.vqemu_vm_unset(vm, encoded(key, "a key"))
        return
    _, schema = _known(vm, key)
    kind = schema["type"]
    if isinstance(kind, list):  # a named value, which may be any of these
        kind = "boolean" if isinstance(value, bool) else \
            "string" if isinstance(value, (str, bytes, os.PathLike)) else "integer"
    if kind == "boolean":
        C.vqemu_vm_set_switch(vm, encoded(key), ON if flag(value, key) else OFF)
    elif kind == "string":
        C.vqemu_vm_set_string(vm, encoded(key), encoded(value, key))
    elif kind == "integer":
        C.vqemu_vm_set_number(vm, encoded(key), unsigned(value, key))
    else:
        _write_whole(vm, key, value)


def _write_whole(vm: VM, key: str, value: Any) -> None:
    """Lists are replaced as a whole, so: the outermost one with the value in its place."""
    steps = steps_of(key)
    if steps is None or len(steps) == 1:
        vm.merge({key: value})
        return
    top = str(steps[0])
    document = {top: plain(read(vm, top), top, schema_of([top]))}
    place: Any = document
    for step in steps[:-1]:
        place = place.setdefault(step, []) if isinstance(place, dict) else place[step]
    if isinstance(place, list) and steps[-1] == len(place):
        place.append(value)
    else:
        place[steps[-1]] = value
    vm.merge(document)


# ---- views ----

def _shown(value: Callable[[], Any]) -> str:
    """For repr(), which does not raise."""
    try:
        return repr(value())
    except Error as problem:
        return f"({problem})"


def document_of(vm: VM, schema: Dict[str, Any], prefix: str) -> Dict[str, Any]:
    """What is set of the properties of a VM or of a part of one."""
    document = {}
    for name, part in schema["properties"].items():
        value = read(vm, prefix + name)
        value = None if value is None else plain(value, name, part)
        if value is not None and value not in ([], {}):
            document[name] = value
    return document


class Properties:
    """What has properties by keys: a VM, or a part of one."""

    __slots__ = ()

    def _at(self) -> Tuple[VM, str]:
        """The VM, and what comes before a key."""
        raise NotImplementedError

    def to_dict(self) -> Dict[str, Any]:
        """What is set, as in a document."""
        raise NotImplementedError

    def __getitem__(self, key: str) -> Any:
        vm, prefix = self._at()
        return read(vm, prefix + checked_key(key))

    def __setitem__(self, key: str, value: Any) -> None:
        vm, prefix = self._at()
        write(vm, prefix + checked_key(key), value)

    def __delitem__(self, key: str) -> None:
        vm, prefix = self._at()
        full = prefix + checked_key(key)
        if full.endswith("]"):
            C.vqemu_vm_remove(vm, encoded(full))
        else:
            write(vm, full, None)

    def __contains__(self, key: object) -> bool:
        return key in self.to_dict()

    def __iter__(self) -> Iterator[str]:
        return iter(self.to_dict())

    def keys(self) -> List[str]:
        """The keys that are set."""
        return list(self.to_dict())


class Element(Properties):
    """A place in a list of a VM, such as vm.disks[0]: a view, which shows what is there now."""

    __slots__ = ("_vm", "_key")

    def __init__(self, vm: VM, key: str) -> None:
        self._vm = vm
        self._key = key

    def _at(self) -> Tuple[VM, str]:
        return self._vm, f"{self._key}."

    def to_dict(self) -> Dict[str, Any]:
        """What is set, as in a document."""
        _, schema = _known(self._vm, self._key)
        return document_of(self._vm, schema, f"{self._key}.")

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Element):
            return self.to_dict() == other.to_dict()
        return self.to_dict() == other

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._key} {_shown(self.to_dict)}>"


class _List:
    """What lists have in common."""

    __slots__ = ("_vm", "_key")

    def __init__(self, vm: VM, key: str) -> None:
        self._vm = vm
        self._key = key

    def __len__(self) -> int:
        return int(C.vqemu_vm_count(self._vm, encoded(self._key)))

    def _index(self, index: Any) -> int:
        number, count = whole(index, "an index"), len(self)
        if not -count <= number < count:
            raise IndexError(f"{self._key} has no entry {number}: there are {count}")
        return number % count

    def _delete(self, index: Union[int, slice]) -> None:
        if not isinstance(index, slice):
            C.vqemu_vm_remove(self._vm, encoded(f"{self._key}[{self._index(index)}]"))
            return
        entries = self._plain()
        del entries[index]
        self._replace(entries)

    def _plain(self) -> List[Any]:
        return [self._entry(entry) for entry in iter(self)]  # type: ignore[call-overload]

    def _entry(self, value: Any) -> Any:
        _, schema = _known(self._vm, self._key)
        return plain(value, f"an entry of {self._key}", schema["items"])

    def _replace(self, entries: List[Any]) -> None:
        _write_whole(self._vm, self._key, entries)

    def _changed(self, index: Union[int, slice], value: Any) -> None:
        entries = self._plain()
        if isinstance(index, slice):
            entries[index] = [self._entry(entry) for entry in value]
        else:
            entries[self._index(index)] = self._entry(value)
        self._replace(entries)

    def _inserted(self, index: int, value: Any) -> None:
        entries = self._plain()
        entries.insert(whole(index, "an index"), self._entry(value))
        self._replace(entries)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, _List):
            return self._plain() == other._plain()
        return self._plain() == other

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<{self._key} {_shown(self._plain)}>"


class Elements(_List, MutableSequence[E], Generic[E]):
    """A list of a VM's parts, such as vm.disks, which takes dicts and gives views. A view shows what is at its place
    now: to move a part, take to_dict() of it."""

    __slots__ = ("_class",)

    def __init__(self, vm: VM, key: str, kind: Type[E]) -> None:
        super().__init__(vm, key)
        self._class = kind

    def add(self, **properties: Any) -> E:
        """Append one, by keywords: vm.disks.add(file="/srv/web.qcow2", format="qcow2")."""
        self.append(properties)
        return self[-1]

    @overload
    def __getitem__(self, index: int) -> E: ...

    @overload
    def __getitem__(self, index: slice) -> List[E]: ...

    def __getitem__(self, index: Union[int, slice]) -> Union[E, List[E]]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        return self._class(self._vm, f"{self._key}[{self._index(index)}]")

    def __setitem__(self, index: Union[int, slice], value: Any) -> None:
        self._changed(index, value)

    def __delitem__(self, index: Union[int, slice]) -> None:
        self._delete(index)

    def insert(self, index: int, value: Union[E, Mapping[str, Any]]) -> None:
        """Insert one before an index."""
        self._inserted(index, value)

    def append(self, value: Union[E, Mapping[str, Any]]) -> None:
        """Append one."""
        self.insert(len(self), value)

    def pop(self, index: int = -1) -> Dict[str, Any]:  # type: ignore[override]
        """Take one out, and return what it had, as a dict: a view would show another one, or nothing."""
        properties = self[index].to_dict()
        del self[index]
        return properties

    def reverse(self) -> None:
        """Turn the order round."""
        self._replace(self._plain()[::-1])


class Strings(_List, MutableSequence[str]):
    """A list of a VM's strings, such as vm.extra_args."""

    __slots__ = ()

    @overload
    def __getitem__(self, index: int) -> str: ...

    @overload
    def __getitem__(self, index: slice) -> List[str]: ...

    def __getitem__(self, index: Union[int, slice]) -> Union[str, List[str]]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        return str(C.vqemu_vm_get_string(self._vm, encoded(f"{self._key}[{self._index(index)}]")))

    def __setitem__(self, index: Union[int, slice], value: Any) -> None:
        self._changed(index, value)

    def __delitem__(self, index: Union[int, slice]) -> None:
        self._delete(index)

    def insert(self, index: int, value: Text) -> None:
        """Insert one before an index."""
        self._inserted(index, value)


class Values(MutableMapping[str, Value]):
    """Values by name: vm.cpu_features["avx2"] = False, vm.slots["nic0"] = "0x10"."""

    __slots__ = ("_vm", "_key")

    def __init__(self, vm: VM, key: str) -> None:
        self._vm = vm
        self._key = key

    def __getitem__(self, name: str) -> Value:
        return values_of(self._vm, self._key)[checked_key(name)]

    def __setitem__(self, name: str, value: Value) -> None:
        if value is None:
            raise TypeError("a value is on, off, a number or a string; delete it to have the default")
        write(self._vm, f"{self._key}.{checked_key(name)}", value)

    def __delitem__(self, name: str) -> None:
        if name not in self:
            raise KeyError(name)
        write(self._vm, f"{self._key}.{name}", None)

    def __iter__(self) -> Iterator[str]:
        return iter(values_of(self._vm, self._key))

    def __len__(self) -> int:
        return len(values_of(self._vm, self._key))

    def __repr__(self) -> str:
        return f"<{self._key} {_shown(lambda: values_of(self._vm, self._key))}>"
