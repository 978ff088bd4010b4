# SPDX-License-Identifier: MIT
"""What all tests share: what is expensive runs with --extended only; the umask is that of programs."""
import os
import signal
import subprocess

# A parent that ignores SIGINT, such as `tests/run &`, must not decide what programs under test do with it.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Nor does the umask that it gives decide who may write to the files that tests make: only programs get it.
CALLERS_UMASK = os.umask(0o022)
START = subprocess.Popen.__init__


def start(process, *arguments, umask=CALLERS_UMASK, **options):
    START(process, *arguments, umask=umask, **options)


subprocess.Popen.__init__ = start


def pytest_addoption(parser):
    parser.addoption("--extended", action="store_true", default=os.environ.get("VOLT_EXTENDED") == "1",
                     help="also the expensive variants of what is tested anyway")


def pytest_configure(config):
    config.addinivalue_line("markers", "extended: an expensive variant; runs with --extended")


def pytest_collection_modifyitems(config, items):
    if config.getoption("--extended"):
        return
    extended = [item for item in items if item.get_closest_marker("extended")]
    config.hook.pytest_deselected(items=extended)
    items[:] = [item for item in items if item not in extended]
