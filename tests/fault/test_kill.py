# SPDX-License-Identifier: MIT
"""
kill -9 before every system call that changes files, with --extended before every one: nothing is broken, nothing is
left, and the next run succeeds.
"""
import pytest

from operations import OPERATIONS, check_after, has
from points import ALL, KILLED, NEVER_REACHED, Workers, note, summary, told

# With threads the calls are not the same every time: some more than were counted.
SOME_MORE = 20


@pytest.fixture
def kill(request):
    return ["kill"] if request.config.getoption("--extended") else ["--changes", "kill"]


def kill_everywhere(injector, disk, kill, name, options=(), more=0):
    operation = OPERATIONS[name](*options)
    if not has(operation.needs):
        pytest.skip(f"this volt-qemu has no command {operation.needs}")
    killed, states = [], set()

    def kill_at(point, number):
        result, where = injector.run(kill, number, operation, point)
        assert result.returncode in (KILLED, NEVER_REACHED), f"{where}: {told(result)}"
        if result.returncode == KILLED:
            killed.append(number)
        check_after(operation, point, where, states)

    with Workers(operation, disk) as workers:
        count = workers.once(lambda point: injector.count(kill, ALL, operation, point))
        failures = workers.each(range(1, count + more + 1), kill_at)
    note(f"kill {' '.join([name, *options])} {len(killed)} points, {len(states)} different states")
    assert not failures, summary(failures)
    assert len(killed) >= count // 2, "many points were never reached"


@pytest.mark.parametrize("name", OPERATIONS)
def test_killed_at_any_call(injector, disk, kill, name):
    kill_everywhere(injector, disk, kill, name)


@pytest.mark.parametrize("name", ["resolve", "build"])
def test_killed_at_any_call_of_several_threads(injector, disk, kill, name):
    if not has("--threads"):
        pytest.skip("this volt-qemu has no option --threads")
    kill_everywhere(injector, disk, kill, name, ["--threads", "2"], SOME_MORE)
