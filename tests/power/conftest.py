# SPDX-License-Identifier: MIT
"""Rounds of power losses: how many, and the seed that they are chosen by."""
import ctypes
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "fault"))  # how stores are looked at, and commands cut off


def pytest_addoption(parser):
    parser.addoption("--rounds", type=int, default=100, help="how many (default 100)")
    parser.addoption("--round", type=int, help="only that round of the seed")
    parser.addoption("--seed", type=int, default=int(time.time()), help="the same for the same rounds (default: the time)")


def pytest_report_header(config):
    return f"power losses: --seed {config.getoption('--seed')}"


def pytest_generate_tests(metafunc):
    if "number" in metafunc.fixturenames:
        only = metafunc.config.getoption("--round")
        metafunc.parametrize("number", [only] if only is not None else range(metafunc.config.getoption("--rounds")))


@pytest.fixture(scope="session")
def seed(pytestconfig):
    return pytestconfig.getoption("--seed")


@pytest.fixture(scope="session")
def inject(tmp_path_factory):
    program = tmp_path_factory.mktemp("inject") / "inject"
    subprocess.run(["cc", "-std=c11", "-O2", "-o", program, HERE.parent / "harness/inject.c"], check=True)
    return program


@pytest.fixture(scope="session")
def own_mounts():
    """Of this process and its children only: no other process keeps a file system that is gone."""
    if os.getuid() != 0:
        pytest.skip("needs root to mount file systems")
    new_mount_namespace = 0x20000
    if ctypes.CDLL(None, use_errno=True).unshare(new_mount_namespace) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)
