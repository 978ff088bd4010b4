# SPDX-License-Identifier: MIT
"""Every system call fails once with every error that it can return."""
import errno
import os
import re

import pytest

from operations import FAILURES, OPERATIONS, Verify, check_after, check_done, has, run
from points import ALL, NEVER_REACHED, Workers, note, summary, told

ERRORS = ["ENOSPC", "EIO", "EMFILE", "ENOMEM", "EINTR"]


def says_why(message, error):
    return os.strerror(getattr(errno, error)) in message or (error == "ENOMEM" and "out of memory" in message)


def check_result(operation, result, where, error, point):
    assert result is not None, f"{where}: hangs"
    assert result.returncode in (0, *FAILURES), f"{where}: {told(result)}"
    if result.returncode == 0:
        return
    assert error not in ("EINTR", "ECONNRESET"), f"{where}: was not tried again: {result.stderr}"
    # What runs alone, in a PID namespace, may be warned that it sees no others; a collection tells what it leaves.
    lines = [line for line in result.stderr.splitlines()
             if not re.match("volt-qemu: warning: .*(may be processes that are not in /proc| stays: it cannot be told )", line)]
    assert len(lines) == 1 and lines[0].startswith("volt-qemu: "), f"{where}: {told(result)}"
    # Of a library that cannot be loaded, the dynamic loader tells what it likes.
    assert (says_why(lines[0], error) or str(point) in lines[0]
            or "cannot be loaded" in lines[0] or "archives need libarchive: " in lines[0]), f"{where}: {told(result)}"
    assert operation.reports or "pipe:" in where or not result.stdout, f"{where}: {told(result)}"


STRIDE = 12


@pytest.fixture
def turns(request):
    """In how many turns the errors share the calls: each twelfth call fails with one of them, in an order that stays."""
    return 1 if request.config.getoption("--extended") else STRIDE * len(ERRORS)


def numbers_of(error, count, turns):
    """Of that many calls, those which fail with an error: errors begin at different ones."""
    first = STRIDE * ERRORS.index(error) if error in ERRORS else 0
    return range(1 + first % turns, count + 1, turns)


def fail_everywhere(injector, disk, name, error, suffix="", step=1):
    operation = OPERATIONS[name]()
    if not has(operation.needs):
        pytest.skip(f"this volt-qemu has no command {operation.needs}")
    failed, states = [], set()

    def fail_at(point, number):
        result, where = injector.run(["error", error], f"{number}{suffix}", operation, point)
        if result and result.returncode == NEVER_REACHED:
            return
        check_result(operation, result, where, error, point)
        if result.returncode in FAILURES:
            failed.append(number)
        else:
            check_done(operation, point, where)
        check_after(operation, point, where, states)

    with Workers(operation, disk) as workers:
        count = workers.once(lambda point: injector.count(["error", error], f"{ALL}{suffix}", operation,
                                                          point))
        numbers = numbers_of(error, count, step)
        failures = workers.each(numbers, fail_at)
    note(f"{error}{suffix} {name} {len(numbers)} points, {len(failed)} of them failed, "
         f"{len(states)} different states")
    assert not failures, summary(failures)


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("error", ERRORS)
def test_any_call_can_fail(injector, disk, turns, name, error):
    fail_everywhere(injector, disk, name, error, step=turns)


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("error", ["ENOSPC", "EIO"])
def test_from_any_call_on_all_can_fail(injector, disk, turns, name, error):
    """The disk is gone, for clearing away, too."""
    fail_everywhere(injector, disk, name, error, "+", 2 * turns)


@pytest.mark.parametrize("name", ["pull", "push"])
def test_a_connection_can_be_lost_anywhere(injector, disk, turns, name):
    """Which is made up for by another."""
    fail_everywhere(injector, disk, name, "ECONNRESET", step=1 if turns == 1 else 6)


@pytest.mark.parametrize("error", ERRORS)
def test_verify_never_overlooks_damage(injector, disk, turns, error):
    operation = Verify()

    def fail_at(point, number):
        result, where = injector.run(["error", error], number, operation, point)
        assert result and result.returncode in (1, NEVER_REACHED), f"{where}: {told(result)}"
        complete = re.search(r"\b[2-9] problems", result.stdout)
        assert complete or error != "EINTR", f"{where}: {told(result)}"
        assert complete or says_why(result.stderr + result.stdout, error), f"{where}: {told(result)}"

    with Workers(operation, disk) as workers:
        count = workers.once(lambda point: injector.count(["error", error], ALL, operation, point))
        numbers = numbers_of(error, count, turns)
        failures = workers.each(numbers, fail_at)
    note(f"{error} verify {len(numbers)} points")
    assert not failures, summary(failures)


@pytest.mark.parametrize("name", OPERATIONS)
def test_few_descriptors(disk, turns, name):
    """As many as there are, not one too few at one place."""
    operation = OPERATIONS[name]()
    if not has(operation.needs):
        pytest.skip(f"this volt-qemu has no command {operation.needs}")
    failed = []

    def with_limit(point, limit):
        result = run(*operation.words(point), before=["prlimit", f"--nofile={limit}:{limit}"])
        check_result(operation, result, f"{limit} descriptors", "EMFILE", point)
        if result.returncode in FAILURES:
            failed.append(limit)
        else:
            check_done(operation, point, f"{limit} descriptors")
        check_after(operation, point, f"{limit} descriptors")

    with Workers(operation, disk) as workers:
        # Less than four is too few for the loader.
        failures = workers.each(range(4, 25) if turns == 1 else range(6, 25, 3), with_limit)
    assert not failures, summary(failures)
    assert failed and max(failed) < 20, failed
