# SPDX-License-Identifier: MIT
"""What all tests share: what is expensive runs with --extended only; the umask is the programs' under test."""
import os
import shlex
import signal
import tempfile
from pathlib import Path

# A parent that ignores SIGINT, such as `tests/run &`, must not decide what programs under test do with it.
signal.signal(signal.SIGINT, signal.default_int_handler)


# Nor does the umask that it gives decide who may write to the files that tests make. Programs under test get it.
USUAL = 0o022
CALLERS = os.umask(USUAL)


def with_umask(program, directory):
    wrapper = Path(directory) / Path(program).name
    wrapper.write_text(f'#!/bin/sh\numask {CALLERS:04o}\nexec {shlex.quote(program)} "$@"\n')
    wrapper.chmod(0o755)
    return str(wrapper)


def pytest_addoption(parser):
    parser.addoption("--extended", action="store_true", default=os.environ.get("VOLT_EXTENDED") == "1",
                     help="also the expensive variants of what is tested anyway")


def pytest_configure(config):
    config.addinivalue_line("markers", "extended: an expensive variant; runs with --extended")
    if CALLERS != USUAL and "VOLT_QEMU" in os.environ:  # tests read that when they are imported
        directory = tempfile.TemporaryDirectory(prefix="volt-umask-")
        os.chmod(directory.name, 0o755)  # also other users run it
        config.add_cleanup(directory.cleanup)
        os.environ["VOLT_QEMU"] = with_umask(os.environ["VOLT_QEMU"], directory.name)


def pytest_collection_modifyitems(config, items):
    if config.getoption("--extended"):
        return
    extended = [item for item in items if item.get_closest_marker("extended")]
    config.hook.pytest_deselected(items=extended)
    items[:] = [item for item in items if item not in extended]
