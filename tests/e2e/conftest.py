# SPDX-License-Identifier: MIT
"""What tests with real guests share."""
import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "harness"))
import boots  # noqa: E402
import guests  # noqa: E402


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
