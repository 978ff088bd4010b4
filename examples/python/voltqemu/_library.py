# SPDX-License-Identifier: MIT
"""Calling C: every function by its declaration in _prototypes.py, with arguments that are checked before they
get there.

`C.vqemu_version()` takes Python's values and gives Python's values. A handle of C is a Pointer, which frees it when
the last reference to it goes: a call keeps one for as long as it takes, so that a handle which is closed
meanwhile, by another thread say, is freed when the call is over. A function that fails raises an Error."""
from __future__ import annotations

import ctypes
import operator
import os
import re
import threading
from ctypes import c_bool, c_char_p, c_int, c_int32, c_int64, c_size_t, c_uint32, c_uint64, c_void_p
from typing import Any, Callable, Dict, Hashable, List, Optional, Protocol, Sequence, Tuple, Type, TypeVar, Union

from ._prototypes import PROTOTYPES
from .errors import BusyError, Error, InvalidError, UsageError, class_of

H = TypeVar("H", bound="Handle")
#: What is taken for a string: text is encoded as file names are, bytes are taken as they are.
Text = Union[str, bytes, "os.PathLike[str]", "os.PathLike[bytes]"]



class HasDescriptor(Protocol):
    """An open file or socket."""

    def fileno(self) -> int:
        """Its descriptor."""
        ...


#: An open file, or a descriptor.
OpenFile = Union[int, HasDescriptor]

SONAME = "libvoltqemu.so.1"
PROGRESS_FUNCTION = ctypes.CFUNCTYPE(c_int, c_void_p, c_void_p)
VERIFIER_FUNCTION = ctypes.CFUNCTYPE(c_int, c_void_p, c_void_p)
LOG_FUNCTION = ctypes.CFUNCTYPE(None, c_void_p, c_void_p)

#: What belongs to one thread at a time; a lock makes threads of Python wait for each other.
_EXCLUSIVE = ("vqemu_vm", "vqemu_monitor")
#: How long that is, in seconds.
_PATIENCE = 60.0

try:
    _library = ctypes.CDLL(SONAME)
except OSError as _problem:
    raise ImportError(f"libvoltqemu is not installed where the dynamic linker looks for it: {_problem}") from None


# ---- what Python's values are to C: of a wrong type they are a TypeError, else an Error ----

def invalid(message: str, reason: str, what: str, value: Any, **details: str) -> InvalidError:
    """What to raise for a value that is of the right type."""
    return InvalidError(message, reason=reason, details={"key": what, "value": str(value), **details})


def encoded(value: Any, what: str = "a string") -> bytes:
    """The bytes of a string, a path or bytes. C would take a NUL for their end."""
    try:
        value = os.fsencode(value)
    except UnicodeEncodeError:
        raise invalid(f"{what} cannot be encoded: {value!r}", "not-encodable", what, value) from None
    except TypeError:
        raise TypeError(f"{what} must be str, bytes or a path, not {_kind(value)}") from None
    if b"\0" in value:
        raise invalid(f"{what} has a NUL byte in it: {value!r}", "nul", what, value)
    return bytes(value)


def decoded(value: Optional[bytes]) -> Optional[str]:
    """The other way; bytes that are not UTF-8 survive both."""
    return None if value is None else os.fsdecode(value)


def whole(value: Any, what: str = "a number") -> int:
    """A whole number; a truth value is none."""
    if isinstance(value, bool):
        raise TypeError(f"{what} must be a whole number, not {value!r}")
    try:
        return operator.index(value)
    except TypeError:
        raise TypeError(f"{what} must be a whole number, not {_kind(value)}") from None


def unsigned(value: Any, what: str, bits: int = 64) -> int:
    """A whole number of so many bits."""
    number = whole(value, what)
    if number < 0:
        raise invalid(f"{what} must be 0 or more, not {number}", "out-of-range", what, number)
    if number >> bits:
        raise invalid(f"{what} is too large: {number}", "out-of-range", what, number)
    return number


def flag(value: Any, what: str) -> bool:
    """True or False, and nothing that only counts as one."""
    if not isinstance(value, bool):
        raise TypeError(f"{what} must be True or False, not {_kind(value)}")
    return value


def descriptor(value: Any, what: str = "a descriptor") -> int:
    """The number of a descriptor, or of an open file's."""
    if not isinstance(value, int) and hasattr(value, "fileno"):
        value = value.fileno()
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{what} must be an open file or its descriptor, not {_kind(value)}")
    number = value
    if not 0 <= number < 1 << 31:
        raise UsageError(f"{what} must be a descriptor, not {number}", reason="bad-descriptor", details={"key": what})
    return number


def milliseconds(value: Any, what: str) -> int:
    """Of seconds; never 0, which would mean something else."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{what} must be a number of seconds, not {_kind(value)}")
    if not 0 <= value < 1 << 32:
        raise invalid(f"{what} must be a number of seconds, not {value!r}", "out-of-range", what, value)
    return max(1, round(value * 1000))


def _kind(value: Any) -> str:
    return "None" if value is None else type(value).__name__


# ---- handles ----

class Pointer(c_void_p):
    """A handle of C's, released when nothing refers to it any more."""

    kind: str
    lock: Any
    _release: Optional[Callable[[int], Any]] = None

    @classmethod
    def own(cls, kind: str, address: int) -> Pointer:
        """Take over a handle."""
        pointer = cls(address)
        pointer.kind = kind
        pointer.lock = threading.RLock() if kind in _EXCLUSIVE else None
        pointer._release = _releasing(kind)
        return pointer

    @classmethod
    def borrow(cls, kind: str, address: int) -> Pointer:
        """Refer to what somebody else releases."""
        pointer = cls(address)
        pointer.kind = kind
        pointer.lock = None
        return pointer

    def __reduce_ex__(self, _: object) -> Any:
        raise TypeError("a handle cannot be copied")

    def __del__(self) -> None:
        release, address = self._release, self.value
        if release is not None and address:
            self.value = None
            release(address)


class Handle:
    """Base of what is a handle in C.

    Close it, use it in a with statement, or leave it to the garbage collector. It may be closed while another thread
    uses it: that thread's call ends first. Unless it is a Value, it is equal to itself alone, and cannot be copied."""

    __slots__ = ("_pointer", "__weakref__")

    #: C's name of the type.
    _C = ""
    #: How another process gets one like it; for the message of what cannot be pickled.
    _ELSEWHERE = "make another one there"
    _pointer: Optional[Pointer]

    def __init__(self, *_: object, **__: object) -> None:
        raise TypeError(f"a {type(self).__name__} cannot be made directly")

    @classmethod
    def _of(cls: Type[H], pointer: Optional[Pointer]) -> H:
        """An object of this class for a pointer."""
        handle = cls.__new__(cls)
        handle._pointer = pointer
        return handle

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return getattr(self, "_pointer", None) is None

    def close(self) -> None:
        """Release it. Twice does no harm; anything else afterwards is a UsageError."""
        self._pointer = None

    def __enter__(self: H) -> H:
        pointer_of(self, self._C, "it")
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __copy__(self) -> Any:
        raise TypeError(f"a {type(self).__name__} cannot be copied: it stands for something that there is once. Use "
                        "the same one everywhere, also in other threads")

    def __deepcopy__(self, _: object) -> Any:
        return self.__copy__()

    def __reduce_ex__(self, _: object) -> Any:
        raise TypeError(f"a {type(self).__name__} cannot be pickled, since it belongs to this process: for another "
                        f"one, {self._ELSEWHERE}")

    def _described(self, *fields: str) -> str:
        """For repr()."""
        name = type(self).__name__
        if self.closed:
            return f"<{name} closed>"
        return f"<{name} {', '.join(fields)}>" if fields else f"<{name}>"

    def __repr__(self) -> str:
        return self._described()


class Value(Handle):
    """Base of handles that never change: two are equal if they say the same, and a copy is the same thing once more,
    which is closed apart. One that is closed is equal to itself alone, and has no hash."""

    __slots__ = ()

    def _says(self) -> Hashable:
        """What makes two of a class equal."""
        raise NotImplementedError

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, Value) or self._C != other._C:
            return NotImplemented
        return not self.closed and not other.closed and self._says() == other._says()

    def __hash__(self) -> int:
        return hash((self._C, self._says()))

    def __copy__(self) -> Any:
        return self._of(pointer_of(self, self._C, "it"))


def pointer_of(value: Any, kind: str, what: str) -> Pointer:
    """The open handle of this kind that a value is."""
    if isinstance(value, Pointer) and value.kind == kind:
        return value
    if not isinstance(value, Handle) or value._C != kind:
        raise TypeError(f"{what} must be {_article(_python_name(kind))}, not {_kind(value)}")
    pointer: Optional[Pointer] = getattr(value, "_pointer", None)
    if pointer is None:
        raise UsageError(f"the {type(value).__name__} is closed", reason="closed", details={"argument": what})
    return pointer


def _python_name(kind: str) -> str:
    """The class for a type of C's."""
    todo = list(Handle.__subclasses__())
    for found in todo:
        if found._C == kind:
            return found.__name__
        todo += found.__subclasses__()
    return kind


def _article(word: str) -> str:
    return f"an {word}" if word[0] in "AEIO" else f"a {word}"


# ---- declarations ----

_INTEGERS = {"int": (c_int, -1 << 31, (1 << 31) - 1), "int32_t": (c_int32, -1 << 31, (1 << 31) - 1),
             "uint32_t": (c_uint32, 0, (1 << 32) - 1), "int64_t": (c_int64, -1 << 63, (1 << 63) - 1),
             "uint64_t": (c_uint64, 0, (1 << 64) - 1), "size_t": (c_size_t, 0, (1 << 64) - 1)}
_DECLARATION = re.compile(r"(.*[\s*])(vqemu_\w+)\((.*)\);")
_declared = {found[2]: (found[1].strip(), found[3])
             for found in map(_DECLARATION.fullmatch, PROTOTYPES.splitlines()) if found}

Converter = Callable[[Any], Any]
_Result = Callable[[Any], Any]


def _split(parameter: str) -> Tuple[str, str]:
    """Type and name."""
    found = re.fullmatch(r"(.*?[\s*])(\w+)", parameter)
    assert found, parameter
    return re.sub(r"\s*\*\s*", "*", found[1].strip()), found[2]


def _integer(kind: str, what: str) -> Converter:
    _, low, high = _INTEGERS[kind]

    def convert(value: Any) -> int:
        number = whole(value, what)
        if not low <= number <= high:
            raise invalid(f"{what} must be from {low} to {high}, not {number}", "out-of-range", what, number)
        return number

    return convert


def _string(value: Any, what: str) -> Optional[bytes]:
    return None if value is None else encoded(value, what)


def _bytes(value: Any, what: str) -> bytes:
    if not isinstance(value, (bytes, bytearray)):
        raise TypeError(f"{what} must be bytes, not {_kind(value)}")
    return bytes(value)


def _strings(value: Optional[Sequence[Any]], what: str) -> Any:
    """An array with NULL at its end."""
    if value is None:
        return None
    if isinstance(value, (str, bytes)):
        raise TypeError(f"{what} must be a list of strings, not {_kind(value)}")
    texts = [encoded(text, what) for text in value]
    return (c_char_p * (len(texts) + 1))(*texts, None)


def _argument(kind: str, what: str) -> Tuple[Any, Converter]:
    """What ctypes is told of an argument, and what makes it from a value."""
    if kind in _INTEGERS:
        return _INTEGERS[kind][0], _integer(kind, what)
    if kind == "bool":
        return c_bool, lambda value: flag(value, what)
    if what == "signature":  # bytes of any kind
        return c_char_p, lambda value: _bytes(value, what)
    if kind in ("const char*", "const void*"):
        return c_char_p, lambda value: _string(value, what)
    if kind == "const char*const*":
        return ctypes.POINTER(c_char_p), lambda value: _strings(value, what)
    if kind == "vqemu_progress_fn":
        return PROGRESS_FUNCTION, lambda value: value
    if kind == "vqemu_log_fn":
        return LOG_FUNCTION, lambda value: value
    if kind == "vqemu_verifier_fn":
        return VERIFIER_FUNCTION, lambda value: value
    if kind == "void*":
        return c_void_p, lambda value: value
    found = re.fullmatch(r"(?:const )?(vqemu_\w+)\*", kind)
    assert found, kind
    handle = found[1]
    # Of all handles, these may be NULL.
    if what in ("call", "options", "command_options", "revision", "keeper", "capabilities", "others"):
        return c_void_p, lambda value: None if value is None else pointer_of(value, handle, what)
    return c_void_p, lambda value: pointer_of(value, handle, what)


def _out(kind: str) -> Optional[Tuple[Any, _Result]]:
    """What ctypes is told of an out-parameter, and what makes a value of it; None if it is none."""
    plain = kind[:-1]
    if not kind.endswith("*") or plain.startswith("const vqemu"):
        return None
    if plain in _INTEGERS:
        return _INTEGERS[plain][0], lambda box: box.value
    if plain == "bool":
        return c_bool, lambda box: box.value
    if plain == "const char*":
        return c_char_p, lambda box: decoded(box.value)
    if plain == "char*":
        return c_void_p, _taken
    if re.fullmatch(r"vqemu_\w+\*", plain):
        return c_void_p, lambda box: Pointer.own(plain[:-1], box.value) if box.value else None
    return None


def _taken(box: c_void_p) -> Optional[bytes]:
    """The string that a function handed out."""
    if not box.value:
        return None
    try:
        return ctypes.string_at(box.value)
    finally:
        _raw("vqemu_free")(box)


def _result(kind: str) -> Tuple[Any, _Result]:
    """What ctypes is told of a result, and what makes a value of it."""
    if kind in _INTEGERS:
        return _INTEGERS[kind][0], lambda value: value
    if kind == "bool":
        return c_bool, lambda value: value
    if kind == "void":
        return None, lambda _: None
    if kind == "const char*":
        return c_char_p, decoded
    if kind in ("char*const*", "const char*const*"):
        return ctypes.POINTER(c_char_p), _listed
    found = re.fullmatch(r"(?:const )?(vqemu_\w+)\*", kind)
    assert found, kind
    handle = found[1]
    if handle == "vqemu_error":
        return c_void_p, lambda address: _exception(Pointer.borrow(handle, address)) if address else None
    if handle == "vqemu_closure":  # its list is taken over at once, while what lends it is there
        return c_void_p, lambda address: Pointer.borrow(handle, address) if address else None
    return c_void_p, lambda address: _shared(handle, address)


def _listed(array: Any) -> List[Optional[str]]:
    texts: List[Optional[str]] = []
    while array and array[len(texts)] is not None:
        texts.append(decoded(array[len(texts)]))
    return texts


def _shared(kind: str, address: Optional[int]) -> Optional[Pointer]:
    """A reference of our own to what a handle only lends; made while the handle is in use."""
    if not address:
        return None
    _raw(f"{kind}_ref")(address)
    return Pointer.own(kind, address)


def _symbol(name: str) -> Any:
    try:
        return getattr(_library, name)
    except AttributeError:
        raise NotImplementedError(f"the libvoltqemu that is loaded has no {name}: it does not go with this "
                                  "package") from None


def _raw(name: str) -> Any:
    """A function that takes one pointer, as ctypes has it."""
    found = _raw_functions.get(name)
    if found is None:
        _symbol(name)
        found = _library[name]  # apart from what C has under the same name
        found.argtypes = [c_void_p]
        found.restype = c_void_p if name.endswith("_ref") else None
        _raw_functions[name] = found
    return found


_raw_functions: Dict[str, Any] = {}


def _releasing(kind: str) -> Callable[[int], Any]:
    function: Callable[[int], Any] = _raw(f"{kind}_unref" if f"{kind}_unref" in _declared else f"{kind}_free")
    return function


# ---- errors ----

def _error_of(code: int, box: c_void_p) -> Error:
    """The exception for an error of C's, which is freed."""
    if not box.value:
        return class_of(code, 0)("there is no memory for saying what went wrong", code=code)
    return _exception(Pointer.own("vqemu_error", box.value))


def _exception(error: Pointer) -> Error:
    """The exception that says the same as an error of C's."""
    code: int = C.vqemu_error_code(error)
    details: Dict[str, str] = {}
    while (name := C.vqemu_error_detail_name(error, len(details))) is not None:
        details[name] = C.vqemu_error_detail(error, name)
    message: str = C.vqemu_error_message(error).replace(f"{details.get('function')}(): ", "", 1)  # C's name for it
    errno: int = C.vqemu_error_errno(error)
    return class_of(code, errno)(message, code=code, reason=C.vqemu_error_reason(error), details=details,
                                 line=C.vqemu_error_line(error) or None, errno=errno)


# ---- functions ----

class _Function:
    """A function of C's as one of Python's."""

    def __init__(self, name: str) -> None:
        result, parameters = _declared[name]
        self._name = name
        self._function = _symbol(name)
        kinds = [] if parameters == "void" else [_split(text) for text in parameters.split(", ")]
        self._fallible = bool(kinds) and kinds[-1][0] == "vqemu_error**"
        if self._fallible:
            kinds.pop()
        self._converters: List[Converter] = []
        self._outs: List[Tuple[Any, _Result]] = []
        types = []
        for kind, what in kinds:
            out = _out(kind)
            assert out or not self._outs, name  # these come last
            if out:
                self._outs.append(out)
                types.append(ctypes.POINTER(out[0]))
            else:
                told, convert = _argument(kind, what)
                types.append(told)
                self._converters.append(convert)
        self._function.argtypes = types + ([ctypes.POINTER(c_void_p)] if self._fallible else [])
        self._function.restype, self._made = _result(re.sub(r"\s*\*\s*", "*", result))
        self._is_sized = not self._fallible and bool(self._outs)  # bytes, whose number comes out
        if self._is_sized:
            self._function.restype = c_void_p

    def __call__(self, *values: Any) -> Any:
        if len(values) != len(self._converters):
            raise TypeError(f"{self._name} takes {len(self._converters)} arguments, not {len(values)}")
        arguments = [convert(value) for convert, value in zip(self._converters, values)]
        locks = [argument.lock for argument in arguments if isinstance(argument, Pointer) and argument.lock]
        if not locks:
            return self._call(arguments)
        with _Locked(locks):
            return self._call(arguments)

    def _call(self, arguments: List[Any]) -> Any:
        boxes = [told() for told, _ in self._outs]
        references = [ctypes.byref(box) for box in boxes]
        if self._is_sized:
            address = self._function(*arguments, *references)
            return ctypes.string_at(address, boxes[0].value) if address else None
        if not self._fallible:
            return self._made(self._function(*arguments, *references))
        error = c_void_p()
        code = self._function(*arguments, *references, ctypes.byref(error))
        if code != 0:
            raise _error_of(code, error)
        values = [make(box) for (_, make), box in zip(self._outs, boxes)]
        return values[0] if len(values) == 1 else values or None


class _Locked:
    """Holds the locks of handles, in one order everywhere."""

    def __init__(self, locks: List[Any]) -> None:
        self._locks = sorted(set(locks), key=id)
        self._held: List[Any] = []

    def __enter__(self) -> None:
        for lock in self._locks:
            if not lock.acquire(timeout=_PATIENCE):
                self.__exit__()
                raise BusyError("another thread has been using it for too long", reason="used-by-thread")
            self._held.append(lock)

    def __exit__(self, *_: object) -> None:
        while self._held:
            self._held.pop().release()


class _Functions:
    """All functions, made when they are first asked for."""

    def __getattr__(self, name: str) -> Any:
        if name not in _declared:
            raise AttributeError(name)
        function = _Function(name)
        setattr(self, name, function)
        return function


C: Any = _Functions()


# ---- options ----

def options(kind: str, strings: Dict[str, Any], numbers: Optional[Dict[str, Any]] = None) -> Pointer:
    """An options object; what is None is not set."""
    made: Pointer = getattr(C, f"{kind}_new")()
    for key, value in strings.items():
        if value is not None:
            getattr(C, f"{kind}_set_string")(made, key, encoded(value, key))
    for key, value in (numbers or {}).items():
        if value is not None:
            getattr(C, f"{kind}_set_number")(made, key, unsigned(value, key))
    return made


def items(pointer: Pointer, count: str, *functions: str) -> List[List[Any]]:
    """What the functions say of each item."""
    readers = [getattr(C, name) for name in functions]
    return [[read(pointer, i) for read in readers] for i in range(getattr(C, count)(pointer))]
