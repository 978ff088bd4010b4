# SPDX-License-Identifier: MIT
"""What tests with real guests share."""
import os
import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "harness"))
import boots  # noqa: E402
import guests  # noqa: E402


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


@pytest.fixture(scope="session")
def boot_store(tmp_path_factory):
    """A store with the profiles of the installed QEMU."""
    store = boots.Store(tmp_path_factory.mktemp("boot-store"))
    yield store
    shutil.rmtree(store.root)


@pytest.fixture(scope="session")
def guest_of(request):
    """A function: architecture -> guests.Guest. Those of the tests to come are made meanwhile."""
    wanted = []
    for item in request.session.items:
        if "guest_of" in item.fixturenames:
            arch = item.callspec.params.get("arch", "x86_64") if hasattr(item, "callspec") else "x86_64"
            if arch not in wanted and arch in guests.DEBIAN:
                wanted.append(arch)
    futures = guests.make_all(wanted)
    return lambda arch: futures[arch].result()
