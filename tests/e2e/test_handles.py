# SPDX-License-Identifier: MIT
"""A store's handle stays open while others do things to its directories."""
import ctypes
import os
import sys
from pathlib import Path

import pytest
from store_cli import PROFILE, make_files, mounted

SOURCE = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("BUILD_DIR", SOURCE / "build"))
ctypes.CDLL(str(BUILD / "lib/libvoltqemu.so.1"))  # the package finds it under its SONAME
sys.path.insert(0, str(SOURCE / "examples/python"))
import voltqemu  # noqa: E402

if os.getuid() != 0:
    pytest.skip("needs root to mount file systems and to be robbed", allow_module_level=True)


@pytest.fixture
def root(tmp_path):
    with voltqemu.Store(tmp_path / "store", create=True) as store:
        store.ingest(make_files(tmp_path / "profile"), profile=PROFILE)
    return tmp_path / "store"


def select():
    return voltqemu.select(voltqemu.Host("x86_64", "absent"), profile=PROFILE)


def assert_usable(store, root, runtime):
    assert os.access(runtime.binary, os.X_OK)
    assert Path(root, "qemu", PROFILE, "bin").samefile(Path(runtime.binary).parent)
    assert ("lease", Path(runtime.binary).parents[1].name[:8]) in [(use.kind, use.revision[-8:])
                                                                    for use in store.uses()]


@pytest.mark.parametrize("was_used", [False, True])
def test_what_is_mounted_over_the_trees_is_used(root, was_used):
    """A daemon that was started before the mount."""
    with voltqemu.Store(root) as store:
        before = store.resolve(select()) if was_used else None
        with mounted(root / "qemu/trees", "-t", "tmpfs", "-o", "mode=755", "none"):
            with store.resolve(select()) as runtime:
                assert_usable(store, root, runtime)
        with store.resolve(select()) as runtime:
            assert_usable(store, root, runtime)
        if before:
            before.close()


def test_trees_that_are_removed_are_made_anew(root):
    with voltqemu.Store(root) as store:
        (root / "qemu/trees").rmdir()
        with store.resolve(select()) as runtime:
            assert_usable(store, root, runtime)


@pytest.mark.parametrize("how", ["all may write", "another user", "a link that another user made"])
def test_trees_that_come_later_are_looked_at(root, tmp_path, how):
    """The one who makes them, or may exchange them, has programs of his own run."""
    (root / "qemu/trees").rmdir()
    with voltqemu.Store(root) as store:
        if how == "all may write":
            (root / "qemu").chmod(0o777)
        elif how == "another user":
            os.chown(root / "qemu", 65534, -1)
        else:
            (tmp_path / "good").mkdir()
            (root / "qemu/trees").symlink_to(tmp_path / "good")
            (root / "qemu").chmod(0o1777)
            os.chown(root / "qemu/trees", 65534, -1, follow_symlinks=False)
        assert_refused(lambda: store.resolve(select()))
        for use in (store.uses, lambda: store.collect(1), store.check, lambda: store.resolve(select())):
            assert_refused(use)  # resolving has made the directory


def assert_refused(use):
    with pytest.raises(voltqemu.RefusedError) as refused:
        use()
    assert refused.value.reason == "untrusted-store"
