# SPDX-License-Identifier: MIT
"""The same for asyncio:

    runtime = await aio.run(store.resolve, selection, call=Call(progress=show))
    process = await command.start_async()
    async with await aio.Monitor.connect(command.socket("qmp"), wait=True) as monitor:
        async for event in monitor.events():
            ...

A task that is cancelled cancels its call, and waits until that has ended. Progress is reported in the thread of
the event loop."""
from __future__ import annotations

import asyncio
import contextvars
import functools
import threading
from typing import Any, AsyncIterator, Callable, Dict, Mapping, Optional, TypeVar

from ._library import Text, pointer_of
from .call import Call, Progress, relayed
from .errors import NotRunningError, UsageError
from .monitor import PATIENCE, ShutdownEnd
from .monitor import Monitor as _Monitor

__all__ = ["Monitor", "run"]

T = TypeVar("T")


async def run(function: Callable[..., T], *arguments: Any, call: Optional[Call] = None, **keywords: Any) -> T:
    """Run what takes a call in a thread of its own, and wait for it: run(store.check, repair=True). If the task is
    cancelled, so is the call. What is run is a function of this package or one that passes its argument `call` on."""
    if not callable(function):
        raise TypeError(f"function must be callable, as in run(store.check), not {type(function).__name__}: what was "
                        "called already has run already")
    if asyncio.iscoroutinefunction(function):
        raise TypeError("function must not be a coroutine function: await that itself")
    made = Call() if call is None else call
    pointer_of(made, Call._C, "call")
    loop = asyncio.get_running_loop()
    done: "asyncio.Future[T]" = loop.create_future()
    work = functools.partial(contextvars.copy_context().run, function, *arguments, call=made, **keywords)
    thread = threading.Thread(target=_work, args=(loop, done, made, work), name="voltqemu")
    thread.start()
    cancelled: Optional[asyncio.CancelledError] = None
    while not done.done():
        try:
            await asyncio.wait([done])
        except asyncio.CancelledError as problem:
            cancelled = problem
            made.cancel()
    done.exception()  # or else, where another is raised, asyncio says that nobody has asked for it
    if cancelled is not None:
        raise cancelled
    failure = made._take_failure()  # of progress that was reported when C was done already
    if failure is not None:
        raise failure
    return done.result()


def _work(loop: asyncio.AbstractEventLoop, done: "asyncio.Future[T]", call: Call, work: Callable[[], T]) -> None:
    """In the thread."""
    def finish(result: Optional[T], problem: Optional[BaseException]) -> None:
        if problem is not None:
            done.set_exception(problem)
        else:
            done.set_result(result)  # type: ignore[arg-type]

    try:
        outcome = (relayed(functools.partial(_relay, loop, call), work), None)
    except BaseException as problem:
        outcome = (None, problem)  # type: ignore[assignment]
    try:
        loop.call_soon_threadsafe(finish, *outcome)
    except RuntimeError:  # the loop was closed: nobody waits any more
        pass


def _relay(loop: asyncio.AbstractEventLoop, call: Call, progress: Progress) -> bool:
    """Have the loop's thread report; its answer comes as cancelling the call."""
    def report() -> None:
        try:
            if not call.closed and call._report(progress):
                call.cancel()
        except Exception as problem:
            call._fail(problem)

    try:
        loop.call_soon_threadsafe(report)
    except RuntimeError:
        return True
    return False


class Monitor:
    """A connection to the QMP socket of a VM, for one event loop. Tasks may use it at the same time."""

    def __init__(self, monitor: _Monitor) -> None:
        """Use a connection that is there already, and is closed with this."""
        pointer_of(monitor, _Monitor._C, "monitor")
        self._monitor = monitor
        self._lock = asyncio.Lock()
        self._news = asyncio.Event()
        self._listening = False

    @classmethod
    async def connect(cls, path: Text, *, wait: bool = False, timeout: float = PATIENCE,
                      call: Optional[Call] = None) -> Monitor:
        """Connect to the socket of this path. NotRunningError if nobody listens there; with wait, for a QEMU that was
        started just now, somebody who does is waited for."""
        return cls(await run(_Monitor, path, wait=wait, call=_limited(call, timeout)))

    async def execute(self, command: str, arguments: Optional[Mapping[str, Any]] = None, *,
                      timeout: float = PATIENCE, call: Optional[Call] = None) -> Any:
        """Execute a QMP command and return what QEMU says."""
        async with self._lock:
            try:
                return await run(self._monitor.execute, command, arguments, call=_limited(call, timeout))
            finally:
                self._news.set()  # events may have come in before the answer

    async def events(self) -> AsyncIterator[Dict[str, Any]]:
        """All events until QEMU ends, for one task at a time."""
        if self._listening:
            raise UsageError("another task listens to the events already", reason="used-by-task")
        self._listening = True
        try:
            while True:
                self._news.clear()
                async with self._lock:
                    try:
                        event = self._monitor._take_event()
                    except NotRunningError:
                        return
                if event is None:
                    await self._wait()
                else:
                    yield event
        finally:
            self._listening = False

    async def _wait(self) -> None:
        """Until there may be an event."""
        loop = asyncio.get_running_loop()
        held = pointer_of(self._monitor, _Monitor._C, "monitor")  # so that the descriptor stays what it is
        number = self._monitor.fileno()
        loop.add_reader(number, self._readable)
        try:
            await self._news.wait()
        finally:
            loop.remove_reader(number)
            del held

    def _readable(self) -> None:
        """Have the events looked at, unless somebody reads an answer."""
        if not self._lock.locked():
            self._news.set()

    async def shut_down(self, timeout: float = 90, *, call: Optional[Call] = None) -> ShutdownEnd:
        """Shut the guest down in order, and end QEMU if it has not within so many seconds."""
        async with self._lock:
            try:
                return await run(self._monitor.shut_down, timeout, call=call)
            finally:
                self._news.set()

    @property
    def pid(self) -> Optional[int]:
        """The process behind the socket; None if it is not known."""
        return self._monitor.pid

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return self._monitor.closed

    def close(self) -> None:
        """Close the connection. events() ends with a UsageError."""
        self._monitor.close()
        self._news.set()

    async def __aenter__(self) -> Monitor:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<aio.{repr(self._monitor)[1:]}"


def _limited(call: Optional[Call], timeout: float) -> Call:
    return Call(timeout=timeout) if call is None else call
