# SPDX-License-Identifier: MIT
"""How a call that may take long is made: progress, log, deadline, threads, limits, and giving it up.

In the main thread, C runs in a thread of its own while the main thread waits for it: only so can Ctrl-C, or any
handler of a signal that raises, end a call at once, whatever it waits for, because Python runs handlers in the
main thread alone, and not while that is in C. Progress is reported in the thread that made the call, always."""
from __future__ import annotations

import _thread
import itertools
import queue
import threading
import weakref
from dataclasses import dataclass
from typing import Any, Callable, Optional, TypeVar

from ._library import LOG_FUNCTION, PROGRESS_FUNCTION, C, Handle, Pointer, milliseconds, pointer_of, unsigned
from .errors import Error

__all__ = ["Call", "LogEvent", "Progress"]

T = TypeVar("T")


@dataclass(frozen=True)
class Progress:
    """How far an operation is.

    step: "hash", "import", "export", "copy", "pull", "push", "repair", "assemble", "verify", "collect", "probe",
    "list", "wait", or one of a later version. unit: "bytes", "files", "objects", "devices", "tags", or None while it
    waits. item: the file or object at hand, or None. total: 0 if it is not known. phase, phase_count: which step this
    is, and of how many."""

    step: str
    unit: Optional[str]
    item: Optional[str]
    done: int
    total: int
    phase: int
    phase_count: int

    @classmethod
    def _copied(cls, address: int) -> Progress:
        progress = Pointer.borrow("vqemu_progress", address)
        return cls(C.vqemu_progress_step(progress), C.vqemu_progress_unit(progress),
                   C.vqemu_progress_item(progress), C.vqemu_progress_done(progress),
                   C.vqemu_progress_total(progress), C.vqemu_progress_phase(progress),
                   C.vqemu_progress_phase_count(progress))


@dataclass(frozen=True)
class LogEvent:
    """What is worth a line in a log. level: logging.INFO or logging.WARNING; event: a stable word, such as
    "tree-altered"; message: for people. path, object, revision, host: what it is about."""

    level: int
    event: str
    message: str
    path: Optional[str] = None
    object: Optional[str] = None
    revision: Optional[str] = None
    host: Optional[str] = None

    @classmethod
    def _copied(cls, address: int) -> LogEvent:
        record = Pointer.borrow("vqemu_log_record", address)
        return cls(30 if C.vqemu_log_record_level(record) >= 2 else 20, C.vqemu_log_record_event(record),
                   C.vqemu_log_record_message(record),
                   *(C.vqemu_log_record_detail(record, name) for name in ("path", "object", "revision", "host")))


ProgressFunction = Callable[[Progress], object]
LogFunction = Callable[[LogEvent], object]


class Call(Handle):
    """How calls that may take long are to be made. Each method with an argument `call` takes one; None stands for
    the defaults.

    One object may serve many calls, one after the other or at the same time, and be cancelled from any thread."""

    __slots__ = ("_progress", "_log", "_failure")
    _C = "vqemu_call"

    def __init__(self, *, threads: Optional[int] = None, timeout: Optional[float] = None,
                 lock_timeout: Optional[float] = None, max_objects: Optional[int] = None,
                 max_size: Optional[int] = None, max_layers: Optional[int] = None,
                 progress: Optional[ProgressFunction] = None, log: Optional[LogFunction] = None) -> None:
        """threads: how many it may use, 1 to 64; more are 64, and 0 is 1. timeout: seconds from now to a deadline of
        everything that is done with this object (TimedOutError). lock_timeout: seconds that a wait for others may
        take (BusyError). Both are rounded to milliseconds, and less than one, also 0, is one. max_objects, max_size:
        limits of manifests and, in bytes, imports; 0 is the default of each. max_layers: of an OCI manifest that is
        made; of a revision with more objects, the small ones go into packs; 0 is the default.

        progress(Progress): called in the thread that made the call, now and then, at most 20 times a second. Unless
        it returns None or False, the call is cancelled. log(LogEvent): may be called from any thread, never from
        two at once. What they raise cancels the call, and comes out of it."""
        for name, function in (("progress", progress), ("log", log)):
            if function is not None and not callable(function):
                raise TypeError(f"{name} must be callable, not {type(function).__name__}")
        self._pointer = C.vqemu_call_new()
        self._progress = progress
        self._log = log
        self._failure: Optional[BaseException] = None
        for key, value in (("threads", threads), ("max_objects", max_objects), ("max_size", max_size),
                           ("max_layers", max_layers)):
            if value is not None:
                C.vqemu_call_set_number(self, key, unsigned(value, key))
        for key, name, seconds in (("deadline_ms", "timeout", timeout),
                                   ("lock_timeout_ms", "lock_timeout", lock_timeout)):
            if seconds is not None:
                C.vqemu_call_set_number(self, key, milliseconds(seconds, name))
        token = next(_tokens)
        _calls[token] = self
        C.vqemu_call_set_progress(self, _on_progress, token)
        if log is not None:
            C.vqemu_call_set_log(self, _on_log, token)

    def cancel(self) -> None:
        """Make every call that is or will be made with this object fail with CancelledError. From any thread, and
        for good."""
        C.vqemu_call_cancel(self)

    @property
    def cancelled(self) -> bool:
        """Whether it was cancelled."""
        return bool(C.vqemu_call_is_cancelled(self))

    def __repr__(self) -> str:
        return self._described(*([] if self.closed or not self.cancelled else ["cancelled"]))

    def _fail(self, problem: BaseException) -> None:
        """Give up because of what a callback has raised."""
        if self._failure is None:
            self._failure = problem
        if not self.closed:
            self.cancel()

    def _take_failure(self) -> Optional[BaseException]:
        failure, self._failure = self._failure, None
        return failure

    def _report(self, progress: Progress) -> bool:
        """Tell the caller; whether it wants to give up."""
        return self._progress is not None and self._progress(progress) not in (None, False)


# ---- what C calls: two functions that live as long as the module, and find the Call by a number ----

_tokens = itertools.count(1)
_calls: "weakref.WeakValueDictionary[int, Call]" = weakref.WeakValueDictionary()
_current = threading.local()


def _progressed(address: int, token: Optional[int]) -> int:
    call = _calls.get(token or 0)
    if call is None:
        return 1
    try:
        relay: Optional[Callable[[Progress], bool]] = getattr(_current, "relay", None)
        if call._progress is None:
            return 0
        return int((relay or call._report)(Progress._copied(address)))
    except BaseException as problem:  # whatever it is, C cannot carry it
        call._fail(problem)
        return 1


def _logged(address: int, token: Optional[int]) -> None:
    call = _calls.get(token or 0)
    if call is None or call._log is None:
        return
    try:
        call._log(LogEvent._copied(address))
    except BaseException as problem:
        call._fail(problem)


_on_progress = PROGRESS_FUNCTION(_progressed)
_on_log = LOG_FUNCTION(_logged)


# ---- making calls ----

def perform(call: Optional[Call], function: Callable[[Call], Any]) -> Any:
    """Run what makes one call of C's, so that it can be interrupted; what callbacks raise comes out of it."""
    made = Call() if call is None else call
    pointer_of(made, Call._C, "call")
    try:
        if threading.current_thread() is threading.main_thread():
            result = _Errand(made, lambda: function(made)).run()
        else:
            result = function(made)
    except Error:
        failure = made._take_failure()
        if failure is None:
            raise
    else:
        failure = made._take_failure()
        if failure is None:
            return result
    raise failure


def relayed(relay: Callable[[Progress], bool], function: Callable[[], T]) -> T:
    """Run a function in this thread, whose calls report to somebody else."""
    _current.relay = relay
    try:
        return function()
    finally:
        _current.relay = None


class _Errand:
    """A function that runs in another thread, while this one does what it wants done here: report progress.

    A handler of a signal may raise anywhere here, also between getting a message and keeping it. So no side waits
    for a single message: both look again whether the other has ended or given up."""

    def __init__(self, call: Call, function: Callable[[], Any]) -> None:
        self._call = call
        self._pointer = pointer_of(call, Call._C, "call")  # it may be closed meanwhile
        self._function = function
        self._reports: "queue.SimpleQueue[Optional[Progress]]" = queue.SimpleQueue()
        self._answers: "queue.SimpleQueue[bool]" = queue.SimpleQueue()
        self._result: Any = None
        self._problem: Optional[BaseException] = None
        self._begun = threading.Lock()
        self._over = False

    def run(self) -> Any:
        """What the function returns or raises, or what a handler of a signal raises here meanwhile. It is over by
        then in any case."""
        interrupt: Optional[BaseException] = None
        try:
            try:
                _thread.start_new_thread(self._work, ())
            except RuntimeError:  # no more threads, or Python is ending: then without interrupts
                return self._function()
            except BaseException as problem:
                if self._begun.acquire(blocking=False):  # it has not, and will not any more
                    self._over = True
                    raise
                interrupt = problem
                C.vqemu_call_cancel(self._pointer)
            while not self._over:
                try:
                    self._serve(interrupt is not None)
                except BaseException as problem:
                    interrupt = interrupt or problem
                    C.vqemu_call_cancel(self._pointer)
        finally:
            if not self._over:
                C.vqemu_call_cancel(self._pointer)
        if interrupt is not None:
            raise interrupt
        if self._problem is not None:
            raise self._problem
        return self._result

    def _work(self) -> None:
        """In the other thread. Not a threading.Thread: to start one is to wait for it, which can be interrupted."""
        if not self._begun.acquire(blocking=False):
            return
        try:
            self._result = relayed(self._relay, self._function)
        except BaseException as problem:
            self._problem = problem
        self._over = True
        self._reports.put(None)

    def _relay(self, progress: Progress) -> bool:
        """In the thread of the errand: have the other one report, and wait for its answer."""
        self._reports.put(progress)
        while True:
            try:
                return self._answers.get(timeout=0.1)
            except queue.Empty:
                if C.vqemu_call_is_cancelled(self._pointer):
                    return True

    def _serve(self, stop: bool) -> None:
        try:
            progress = self._reports.get(timeout=0.5)
        except queue.Empty:
            return
        if progress is None:
            return
        try:
            stop = stop or self._call._report(progress)
        except BaseException as problem:
            self._call._fail(problem)
            stop = True
        self._answers.put(stop)
