# SPDX-License-Identifier: MIT
"""The Python package with a real QEMU: started, watched and ended, by threads and by asyncio."""
import asyncio
import ctypes
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("BUILD_DIR", SOURCE / "build"))
ctypes.CDLL(str(BUILD / "lib/libvoltqemu.so.1"))  # the package finds it under its SONAME
sys.path.insert(0, str(SOURCE / "examples/python"))
import voltqemu  # noqa: E402
from voltqemu import aio  # noqa: E402


@pytest.fixture(name="command")
def make_command(tmp_path):
    """A VM that only has firmware, which waits to be told to begin."""
    selection = voltqemu.select(voltqemu.Host("x86_64", "absent"), profile="emulate-x86")
    runtime = voltqemu.Runtime(selection, shutil.which("qemu-system-x86_64"), "/usr/share/qemu")
    vm = voltqemu.VM("web", qmp_socket=tmp_path / "qmp.sock", console="none", state_dir=tmp_path / "state",
                     runtime_dir=tmp_path / "run", disks=[{"cdrom": True}])
    command = voltqemu.Command(runtime, vm, paused=True)
    command.prepare()
    return command


async def connected(command):
    """QEMU needs a moment to listen."""
    for _ in range(200):
        try:
            return await aio.Monitor.connect(command.socket("qmp"))
        except voltqemu.NotRunningError:
            await asyncio.sleep(0.05)
    raise AssertionError("nobody listens")


def test_a_vm_is_watched_by_asyncio(command):
    async def run():
        process = await command.start_async()
        seen = []
        async with await connected(command) as monitor:
            async def watch():
                async for event in monitor.events():
                    seen.append(event["event"])

            watcher = asyncio.create_task(watch())
            assert monitor.pid == process.pid
            assert (await monitor.execute("query-status"))["status"] == "prelaunch"
            await monitor.execute("cont")
            with pytest.raises(voltqemu.DeniedError) as denied:
                await monitor.execute("device_del", {"id": "nothing"})
            assert denied.value.details["class"] == "DeviceNotFound"
            end = await monitor.shut_down(timeout=1)
            await asyncio.wait_for(watcher, 30)
        assert end == voltqemu.ShutdownEnd.FORCED and await process.wait() == 0
        assert seen[0] == "RESUME" and seen[-1] == "SHUTDOWN"

    asyncio.run(run())


def test_a_vm_is_stopped_by_its_monitor(command):
    process = command.start()
    asyncio.run(connected(command)).close()
    with voltqemu.Monitor(command.socket("qmp")) as monitor:
        assert monitor.execute("query-name") == {"name": "volt-web"} and monitor.pid == process.pid
        assert monitor.shut_down(timeout=60) == voltqemu.ShutdownEnd.IDLE  # it was never told to begin
    assert process.wait(30) == 0
    with pytest.raises(voltqemu.NotRunningError):
        voltqemu.Monitor(command.socket("qmp"))


def test_a_second_start_is_refused_and_the_first_goes_on(command):
    process = command.start()
    asyncio.run(connected(command)).close()
    with pytest.raises(voltqemu.BusyError) as busy:
        command.prepare()
    assert busy.value.reason == "runs-already" and busy.value.details["process"] == str(process.pid)
    second = command.start(stderr=subprocess.PIPE)  # by who does not prepare
    assert b"PID file" in second.communicate(timeout=60)[1] and second.returncode == 1
    with voltqemu.Monitor(command.socket("qmp")) as monitor:
        assert monitor.pid == process.pid
        monitor.shut_down(timeout=60)
    assert process.wait(30) == 0
