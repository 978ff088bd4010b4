# SPDX-License-Identifier: MIT
"""What tests with real guests share."""
import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "harness"))
import boots  # noqa: E402
import guests  # noqa: E402


# Of machines that differ in the size of a word or the order of bytes only, one is enough for each device.
TWINS = {"i386": "x86_64", "arm": "aarch64", "riscv32": "riscv64", "mips": "mips64el", "mipsel": "mips64el",
         "mips64": "mips64el", "ppc64": "ppc64le"}
ON_EVERY_ARCH = ["test_much_of_everything_at_once"]


def parameters_of(item):
    return getattr(getattr(item, "callspec", None), "params", {})


@pytest.hookimpl(tryfirst=True)  # before what is extended is left out
def pytest_collection_modifyitems(items):
    devices = [item for item in items if item.path.name == "test_devices.py"]
    collected = [(item.originalname, parameters_of(item)) for item in devices]
    for item in devices:
        parameters = parameters_of(item)
        twin = {**parameters, "arch": TWINS.get(parameters.get("arch"))}
        if item.originalname not in ON_EVERY_ARCH and (item.originalname, twin) in collected:
            item.add_marker(pytest.mark.extended)


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
