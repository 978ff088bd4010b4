# SPDX-License-Identifier: MIT
"""What can go wrong, as exceptions: one class for each of the library's codes, all of them an Error.

A value of a wrong type is none of these, but a TypeError.

Where Python has a class for the same thing, the exception is also that, so that `except TimeoutError` and
`except FileNotFoundError` work; of an OSError, filename is the path, where there is one. `reason` is a stable word to
act upon; docs/errors.md lists them."""
from __future__ import annotations

import errno as numbers
from typing import Any, Dict, Mapping, Optional, Tuple, Type


class Error(Exception):
    """What the library says went wrong.

    code: one of the numbers of enum vqemu_result. reason: a stable word, such as "profile-not-in-store".
    message: one line for people. details: facts by name, such as "key", "path", "choices". line: of the
    document at fault, or None. errno: of the system call that failed, or 0."""

    #: The code of the class.
    CODE = 0

    def __init__(self, message: str, *, code: Optional[int] = None, reason: str = "",
                 details: Optional[Mapping[str, str]] = None, line: Optional[int] = None,
                 errno: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.code = self.CODE if code is None else code
        self.reason = reason
        self.details: Dict[str, str] = dict(details or {})
        self.line = line
        self.errno: int = errno
        if isinstance(self, OSError):
            setattr(self, "filename", self.details.get("path"))  # not Error's own

    def __str__(self) -> str:
        return self.message

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.message!r}, reason={self.reason!r})"

    def __reduce__(self) -> Tuple[Any, ...]:
        fields = {"code": self.code, "reason": self.reason, "details": self.details, "line": self.line,
                  "errno": self.errno}
        return _rebuild, (type(self), self.message, fields)


def _rebuild(kind: Type[Error], message: str, fields: Dict[str, Any]) -> Error:
    return kind(message, **fields)


class NoMemoryError(Error, MemoryError):
    """Memory could not be allocated."""

    CODE = -1


class InvalidError(Error, ValueError):
    """A value is not acceptable, wherever it came from."""

    CODE = -2


class SystemCallError(Error, OSError):
    """A system call failed; errno tells how."""

    CODE = -3


class ExistsError(SystemCallError, FileExistsError):
    """A file is there already that was to be made."""


class PermissionDeniedError(SystemCallError, PermissionError):
    """The kernel does not allow it."""


class NotFoundError(Error, FileNotFoundError):
    """What was asked for is not there: a file, an entry of a manifest, a user."""

    CODE = -4


class UnsupportedError(Error):
    """This host, profile or guest architecture cannot serve the request."""

    CODE = -5


class MalformedError(Error, ValueError):
    """The syntax or structure of a document is broken."""

    CODE = -6


class CorruptError(Error):
    """Stored content is damaged."""

    CODE = -7


class ReadOnlyError(Error):
    """The store was opened read-only."""

    CODE = -8


class CancelledError(Error):
    """The call was cancelled."""

    CODE = -9


class ChangedError(Error):
    """Something changed while it was being used, or since a VM's state was made for it."""

    CODE = -10


class TimedOutError(Error, TimeoutError):
    """The time that was given is over."""

    CODE = -11


class UsageError(Error):
    """The calling program is at fault: a closed handle, or one of another process."""

    CODE = -12


class BusyError(Error):
    """Somebody else holds what is needed. Try later."""

    CODE = -13


class RefusedError(Error):
    """Not trusted as it is on disk: its owner, mode, or a link in its way."""

    CODE = -14


class NoStoreError(NotFoundError):
    """There is no store there."""

    CODE = -15


class NoRevisionError(Error, LookupError):
    """The store has no such revision, or none of that profile."""

    CODE = -16


class NoProgramError(Error, LookupError):
    """The profile has no QEMU program for the guest's architecture."""

    CODE = -17


class NotRunningError(Error):
    """The VM is not running."""

    CODE = -18


class UnknownKeyError(Error, KeyError):
    """There is no such key; details has "key" and "choices"."""

    CODE = -19


class NetworkError(Error):
    """The network, or the other side, failed."""

    CODE = -20


class DeniedError(Error):
    """The other side says no: QEMU to a command, a registry to a user."""

    CODE = -21


class UntrustedError(Error):
    """It is not signed by anybody who is trusted."""

    CODE = -22


class ProgramFailedError(Error):
    """A program that was started ended otherwise than it should, or did not answer."""

    CODE = -23


#: The class for each code.
BY_CODE: Dict[int, Type[Error]] = {
    kind.CODE: kind for kind in vars().copy().values()
    if isinstance(kind, type) and issubclass(kind, Error) and "CODE" in vars(kind) and kind is not Error}

_BY_ERRNO: Dict[int, Type[Error]] = {
    numbers.EEXIST: ExistsError, numbers.EACCES: PermissionDeniedError, numbers.EPERM: PermissionDeniedError}


def class_of(code: int, errno: int) -> Type[Error]:
    """The class for a code and, of those that stand for a system call, its errno."""
    kind = BY_CODE.get(code, Error)
    return _BY_ERRNO.get(errno, kind) if kind is SystemCallError else kind


def from_os(problem: OSError, what: str, path: str) -> Error:
    """What the library says where a system call on a path fails."""
    number = problem.errno or 0
    code = {numbers.ENOENT: NotFoundError, numbers.EROFS: ReadOnlyError}.get(number, SystemCallError).CODE
    kind = class_of(code, number)
    reason = "not-found" if kind is NotFoundError else "read-only" if kind is ReadOnlyError else "system"
    return kind(f"cannot {what} {path}: {problem.strerror}", reason=reason, details={"path": path}, errno=number)


# As it stands, so that checkers of types see what there is.
__all__ = [
    "Error", "BusyError", "CancelledError", "ChangedError", "CorruptError", "DeniedError", "ExistsError",
    "InvalidError", "MalformedError", "NetworkError", "NoMemoryError", "NoProgramError", "NoRevisionError",
    "NoStoreError", "NotFoundError", "NotRunningError", "PermissionDeniedError", "ProgramFailedError",
    "ReadOnlyError", "RefusedError", "SystemCallError", "TimedOutError", "UnknownKeyError", "UnsupportedError",
    "UntrustedError", "UsageError",
]
