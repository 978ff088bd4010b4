# SPDX-License-Identifier: MIT
"""QEMU's machine protocol (QMP): commands, events, and an orderly end."""
from __future__ import annotations

import enum
import json
import select
import time
from typing import Any, Dict, Iterator, Mapping, Optional

from ._library import (
    C, Handle, OpenFile, Pointer, Text, decoded, descriptor, encoded, flag, milliseconds, pointer_of)
from .call import Call, perform
from .errors import NotRunningError, TimedOutError

__all__ = ["Monitor", "ShutdownEnd"]

_NOWAIT = 2  # VQEMU_EVENT_NOWAIT

#: How long anything may take unless told otherwise, in seconds.
PATIENCE = 30.0


class ShutdownEnd(enum.IntEnum):
    """How a VM has ended. POWERED_OFF: the guest has switched itself off. FORCED: it did not, and may have lost data.
    GONE: QEMU had ended already, or by itself. IDLE: the guest did not run, and so could not hear."""

    POWERED_OFF = 1
    FORCED = 2
    GONE = 3
    IDLE = 4


class Monitor(Handle):
    """A connection to the QMP socket of a VM.

    Threads that use one at the same time wait for each other; next_event() and events() let others pass while
    there is no event. See voltqemu.aio.Monitor for asyncio."""

    __slots__ = ("_name",)
    _C = "vqemu_monitor"
    _ELSEWHERE = "connect there by the path of the socket"

    def __init__(self, path: Text, *, wait: bool = False, timeout: float = PATIENCE,
                 call: Optional[Call] = None) -> None:
        """Connect to the socket of this path. NotRunningError if nobody listens there; with wait, of a QEMU that was
        started just now, TimedOutError if nobody does in time. timeout: seconds, unless call has one. Whoever sees the
        process end cancels the call, as Call.cancel() does."""
        socket = encoded(path, "path")
        self._name = decoded(socket)
        flags = int(flag(wait, "wait"))  # VQEMU_MONITOR_WAIT
        self._pointer = perform(_limited(call, timeout), lambda made: C.vqemu_monitor_open(socket, flags, made))

    @classmethod
    def from_fd(cls, file: OpenFile, name: Text = "monitor", *, timeout: float = PATIENCE,
                call: Optional[Call] = None) -> Monitor:
        """Use a connected socket, which stays open and the caller's; messages call it name."""
        number = descriptor(file, "file")
        text = encoded(name, "name")
        monitor = cls._of(perform(_limited(call, timeout), lambda made: C.vqemu_monitor_open_fd(
            number, text, 0, made)))
        monitor._name = decoded(text)
        return monitor

    def execute(self, command: str, arguments: Optional[Mapping[str, Any]] = None, *, timeout: float = PATIENCE,
                call: Optional[Call] = None) -> Any:
        """Execute a QMP command and return what QEMU says: execute("query-status"). DeniedError if QEMU refuses."""
        name = encoded(command, "command")
        if arguments is not None and not isinstance(arguments, Mapping):
            raise TypeError(f"arguments must be a mapping, not {type(arguments).__name__}")
        text = None if arguments is None else json.dumps(dict(arguments)).encode()
        result: Optional[bytes] = perform(_limited(call, timeout), lambda made: C.vqemu_monitor_execute(
            self, name, text, 0, made))
        return None if result is None else json.loads(result)

    def next_event(self, timeout: Optional[float] = None) -> Dict[str, Any]:
        """The next event, as QEMU sends it: {"event": "RESET", "data": {...}, "timestamp": {...}}. timeout: seconds
        until a TimedOutError; None: wait for ever. NotRunningError when QEMU has ended."""
        end = None if timeout is None else time.monotonic() + milliseconds(timeout, "timeout") / 1000
        while True:
            event = self._take_event()
            if event is not None:
                return event
            left = 0.1 if end is None else min(0.1, end - time.monotonic())
            if left <= 0:
                raise TimedOutError("no event in time", reason="no-event")
            self._wait(left)

    def events(self) -> Iterator[Dict[str, Any]]:
        """All events until QEMU ends."""
        while True:
            try:
                event = self.next_event()
            except NotRunningError:
                return
            yield event

    def shut_down(self, timeout: float = 90, *, call: Optional[Call] = None) -> ShutdownEnd:
        """Shut the guest down in order, and end QEMU if it has not within so many seconds; with 0, at once. Returns
        when the process is gone, and how that came."""
        patience = milliseconds(timeout, "timeout") if timeout != 0 else 0
        return ShutdownEnd(perform(call, lambda made: C.vqemu_monitor_shut_down(self, patience, 0, made)))

    def fileno(self) -> int:
        """The descriptor, for event loops: readable when there is something. It is the monitor's."""
        return int(C.vqemu_monitor_fd(self))

    @property
    def pid(self) -> Optional[int]:
        """The process behind the socket; None if it is not known."""
        pid: int = C.vqemu_monitor_pid(self)
        return pid or None

    def _take_event(self) -> Optional[Dict[str, Any]]:
        """An event that is there already."""
        try:
            text: bytes = C.vqemu_monitor_next_event(self, _NOWAIT, None)
        except TimedOutError:
            return None
        event: Dict[str, Any] = json.loads(text)
        return event

    def _wait(self, seconds: float) -> None:
        """Until there is something to read."""
        held: Pointer = pointer_of(self, self._C, "monitor")  # so that the descriptor stays what it is
        poll = select.poll()
        poll.register(C.vqemu_monitor_fd(held), select.POLLIN)
        poll.poll(seconds * 1000)

    def __repr__(self) -> str:
        return self._described(*([] if self.closed else [repr(getattr(self, "_name", None)), f"pid {self.pid}"]))


def _limited(call: Optional[Call], timeout: float) -> Call:
    """One with a deadline, where the caller has none."""
    return Call(timeout=timeout) if call is None else call
