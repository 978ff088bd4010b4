# SPDX-License-Identifier: MIT
"""UEFI firmware: what make-profile takes from the distribution, and what the library chooses of it."""
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
EXAMPLES = HERE.parents[1] / "examples"
sys.path.insert(0, str(HERE.parent / "harness"))
from firmware_tool import compile_tool  # noqa: E402

NEVER_REACHED = 77
MIB = 1 << 20


@pytest.fixture(scope="module")
def tool(tmp_path_factory):
    return compile_tool(tmp_path_factory.mktemp("tool"))


@pytest.fixture(scope="module")
def shim(tmp_path_factory):
    path = tmp_path_factory.mktemp("shim") / "fail_malloc.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", path, HERE.parent / "harness/fail_malloc.c"],
                   check=True)
    return path


def make_profile(directory, *archs):
    subprocess.run([EXAMPLES / "make-profile", directory, *archs], check=True)
    return directory / "firmware"


@pytest.fixture(scope="module")
def x86(tmp_path_factory):
    return make_profile(tmp_path_factory.mktemp("x86") / "profile", "x86_64", "i386")


@pytest.fixture(scope="module")
def arm(tmp_path_factory):
    return make_profile(tmp_path_factory.mktemp("arm") / "profile", "aarch64", "arm")


def find(tool, directory, arch, machine, secure_boot):
    return subprocess.run([tool, "find", directory, arch, machine, secure_boot], capture_output=True, text=True,
                          check=False, timeout=30)


def finds(tool, directory, arch, machine, secure_boot, code, template, features):
    result = find(tool, directory, arch, machine, secure_boot)
    assert result.stdout.splitlines() == [f"{directory}/{code}", f"{directory}/{template}", features], result


def images(directory):
    return {path.name for path in directory.iterdir() if path.name.startswith(("OVMF", "AAVMF"))}


def test_x86_has_ovmf(tool, x86):
    assert images(x86) == {"OVMF_CODE_4M.fd", "OVMF_CODE_4M.ms.fd", "OVMF_CODE_4M.secboot.fd", "OVMF_VARS_4M.fd",
                           "OVMF_VARS_4M.ms.fd"}
    for machine in ("q35", "pc", "pc-q35-7.2", "pc-i440fx-7.2"):
        finds(tool, x86, "x86_64", machine, "false", "OVMF_CODE_4M.fd", "OVMF_VARS_4M.fd",
              "secure_boot=0 smm=0")
    finds(tool, x86, "x86_64", "q35", "true", "OVMF_CODE_4M.ms.fd", "OVMF_VARS_4M.ms.fd", "secure_boot=1 smm=1")


def test_x86_has_nothing_for_others(tool, x86):
    result = find(tool, x86, "x86_64", "pc", "true")
    assert result.returncode == 1 and "40-edk2-x86_64-secure-enrolled.json is for other" in result.stderr, result
    assert find(tool, x86, "aarch64", "virt", "false").returncode == 1
    # OVMF_CODE_4M.fd is 64-bit code.
    assert find(tool, x86, "i386", "q35", "false").returncode == 1
    assert not [path for path in (x86 / "firmware").iterdir() if "x86_64" not in path.name]


def test_arm_has_aavmf(tool, arm):
    assert images(arm) == {"AAVMF_CODE.fd", "AAVMF_CODE.ms.fd", "AAVMF_VARS.fd", "AAVMF_VARS.ms.fd",
                           "AAVMF32_CODE.fd", "AAVMF32_VARS.fd"}
    for path in (arm / name for name in images(arm)):
        assert path.stat().st_size == 64 * MIB and not path.is_symlink(), path
        assert path.stat().st_blocks * 512 <= 8 * MIB, path  # nearly all of it is zeros
    for machine in ("virt", "virt-7.2", "virt,gic-version=max"):
        finds(tool, arm, "aarch64", machine, "false", "AAVMF_CODE.fd", "AAVMF_VARS.fd", "secure_boot=0 smm=0")
    finds(tool, arm, "aarch64", "virt", "true", "AAVMF_CODE.ms.fd", "AAVMF_VARS.ms.fd", "secure_boot=1 smm=0")
    finds(tool, arm, "arm", "virt", "false", "AAVMF32_CODE.fd", "AAVMF32_VARS.fd", "secure_boot=0 smm=0")
    assert "has no Secure Boot" in find(tool, arm, "arm", "virt", "true").stderr


@pytest.mark.parametrize("name", ["keymaps/en-us", "bios-256k.bin", "vgabios-stdvga.bin", "vgabios-virtio.bin", "efi-virtio.rom",
                                  "efi-e1000.rom", "efi-e1000e.rom"])
def test_roms_are_there(x86, name):
    assert (x86 / name).stat().st_size > 0


def test_a_store_is_made_of_each_template(tool, arm, tmp_path):
    """Of 64 MiB, it takes what is not zeros."""
    store = tmp_path / "nvram.fd"
    subprocess.run([tool, "prepare", store, arm / "AAVMF_CODE.fd", arm / "AAVMF_VARS.fd", "0"], check=True)
    assert store.read_bytes() == (arm / "AAVMF_VARS.fd").read_bytes()
    assert store.stat().st_blocks * 512 <= 8 * MIB and store.stat().st_mode & 0o777 == 0o600


# ---- memory ----

DESCRIPTOR = {
    "interface-types": ["uefi"],
    "mapping": {"device": "flash", "executable": {"filename": "/usr/share/OVMF/code.fd", "format": "raw"},
                "nvram-template": {"filename": "/usr/share/OVMF/vars.fd", "format": "raw"}},
    "targets": [{"architecture": "x86_64", "machines": ["pc-q35-*"]}],
    "features": [],
}


def every_allocation(shim, words, documents, prepare, check):
    """
    Fail each in turn. jansson itself crashes once for each document that it parses, as test_memory.py tells, and
    sometimes takes a failure for broken JSON.
    """
    failed, crashed = 0, []
    for number in range(1, 2000):
        prepare()
        result = subprocess.run(words, capture_output=True, text=True, check=False, timeout=30, env={
            **os.environ, "LD_PRELOAD": str(shim), "FAIL_MALLOC": str(number)})
        if result.returncode == NEVER_REACHED:
            break
        if result.returncode in (-signal.SIGSEGV, -signal.SIGABRT):
            crashed.append(number)
        else:
            assert result.returncode == 0 or (
                result.returncode == 1 and result.stderr.startswith("firmware_tool: ")), (number, result)
            failed += "out of memory" in result.stderr
        check(number)
    else:
        raise AssertionError("there was no end")
    assert failed > 3 and len(crashed) <= documents, (failed, crashed)


@pytest.mark.parametrize("secure_boot", ["true", "false"])
def test_every_allocation_of_a_search_can_fail(tool, shim, tmp_path, secure_boot):
    (tmp_path / "descriptors").mkdir()
    for name in ("50-a.json", "60-b.json"):
        (tmp_path / "descriptors" / name).write_text(json.dumps(DESCRIPTOR))
    (tmp_path / "code.fd").write_bytes(bytes(4096))
    (tmp_path / "vars.fd").write_bytes(bytes(4096))
    words = [tool, "find", tmp_path, "x86_64", "q35", secure_boot]
    assert subprocess.run(words, check=False, capture_output=True).returncode == (secure_boot == "true")
    # With Secure Boot it ends in a message that is made of many parts.
    every_allocation(shim, words, 2, lambda: None, lambda number: None)


@pytest.mark.parametrize("flags", ["0", "1", "2"])
def test_every_allocation_of_a_store_can_fail(tool, shim, tmp_path, flags):
    code, template, store = tmp_path / "code.fd", tmp_path / "vars.fd", tmp_path / "state/nvram.fd"
    record = tmp_path / "state/nvram.fd.firmware"
    code.write_bytes(b"code")
    template.write_bytes(b"vars")
    store.parent.mkdir()

    def prepare():
        for path in store.parent.iterdir():
            path.unlink()
        if flags != "0":
            store.write_bytes(b"VARS")
            record.write_text(json.dumps({"firmware": "0" * 64, "template": "0" * 64}))

    def check(number):
        assert {path.name for path in store.parent.iterdir()} <= {store.name, record.name, "nvram.fd.old"}, number
        kept = [path.read_bytes() for path in store.parent.glob("nvram.fd*")]
        assert flags == "0" or b"VARS" in kept, number

    every_allocation(shim, [tool, "prepare", store, code, template, flags], 1, prepare, check)
