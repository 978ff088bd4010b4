# SPDX-License-Identifier: MIT
"""The kinds of properties that a VM and its parts have, as descriptors."""
from __future__ import annotations

from typing import Any, Generic, Iterable, List, Mapping, Optional, Type, TypeVar, Union, overload

from ._library import Text
from ._views import Element, Elements, Properties, Strings, Value, Values, element_classes

E = TypeVar("E", bound=Element)
P = TypeVar("P", bound="Property")


class Property:
    """A property that is a key. Its docstring is what the schema says of it."""

    def __init__(self, doc: str) -> None:
        self.__doc__ = doc
        self._name = ""

    def __set_name__(self, _: type, name: str) -> None:
        self._name = name

    def _read(self, owner: Properties) -> Any:
        return owner[self._name]

    def __delete__(self, owner: Properties) -> None:
        owner[self._name] = None


class StringProperty(Property):
    """A string or path."""

    @overload
    def __get__(self: P, owner: None, kind: type) -> P: ...

    @overload
    def __get__(self, owner: Properties, kind: type) -> Optional[str]: ...

    def __get__(self, owner: Optional[Properties], kind: type) -> Any:
        return self if owner is None else self._read(owner)

    def __set__(self, owner: Properties, value: Optional[Text]) -> None:
        owner[self._name] = value


class NumberProperty(Property):
    """A whole number."""

    @overload
    def __get__(self: P, owner: None, kind: type) -> P: ...

    @overload
    def __get__(self, owner: Properties, kind: type) -> Optional[int]: ...

    def __get__(self, owner: Optional[Properties], kind: type) -> Any:
        return self if owner is None else self._read(owner)

    def __set__(self, owner: Properties, value: Optional[int]) -> None:
        owner[self._name] = value


class SwitchProperty(Property):
    """True, False, or None for the default."""

    @overload
    def __get__(self: P, owner: None, kind: type) -> P: ...

    @overload
    def __get__(self, owner: Properties, kind: type) -> Optional[bool]: ...

    def __get__(self, owner: Optional[Properties], kind: type) -> Any:
        return self if owner is None else self._read(owner)

    def __set__(self, owner: Properties, value: Optional[bool]) -> None:
        owner[self._name] = value


class ListProperty(Property, Generic[E]):
    """A list of parts."""

    def __init__(self, kind: Type[E], doc: str) -> None:
        super().__init__(doc)
        self._kind = kind

    def __set_name__(self, _: type, name: str) -> None:
        self._name = name
        element_classes[name] = self._kind

    @overload
    def __get__(self: P, owner: None, kind: type) -> P: ...

    @overload
    def __get__(self, owner: Properties, kind: type) -> Elements[E]: ...

    def __get__(self, owner: Optional[Properties], kind: type) -> Any:
        return self if owner is None else self._read(owner)

    def __set__(self, owner: Properties, value: Optional[Iterable[Union[E, Mapping[str, Any]]]]) -> None:
        owner[self._name] = value


class StringsProperty(Property):
    """A list of strings."""

    @overload
    def __get__(self: P, owner: None, kind: type) -> P: ...

    @overload
    def __get__(self, owner: Properties, kind: type) -> Strings: ...

    def __get__(self, owner: Optional[Properties], kind: type) -> Any:
        return self if owner is None else self._read(owner)

    def __set__(self, owner: Properties, value: Optional[Iterable[Text]]) -> None:
        owner[self._name] = value


class ValuesProperty(Property):
    """Values by name: features of the CPU, places of devices."""

    @overload
    def __get__(self: P, owner: None, kind: type) -> P: ...

    @overload
    def __get__(self, owner: Properties, kind: type) -> Values: ...

    def __get__(self, owner: Optional[Properties], kind: type) -> Any:
        return self if owner is None else self._read(owner)

    def __set__(self, owner: Properties, value: Optional[Mapping[str, Value]]) -> None:
        owner[self._name] = value
