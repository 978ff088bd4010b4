# SPDX-License-Identifier: MIT
"""The Python package as such: types, generated files, names, documentation."""
import ast
import inspect
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("BUILD_DIR", SOURCE / "build"))
PACKAGE = SOURCE / "examples/python/voltqemu"
MODULES = sorted(PACKAGE.glob("*.py"))
ENVIRONMENT = {**os.environ, "LD_LIBRARY_PATH": str(BUILD / "lib"), "PYTHONPATH": str(SOURCE / "examples/python")}

TYPED = '''
import asyncio
import pathlib
from typing import List, Optional
import voltqemu
from voltqemu import aio

def show(progress: voltqemu.Progress) -> None:
    print(progress.step, progress.done + 1)

def find(store: voltqemu.Store) -> Optional[voltqemu.Revision]:
    try:
        return store.find("kvm-linux")
    except voltqemu.NoRevisionError as error:
        print(error.reason, error.details)
    except (voltqemu.BusyError, voltqemu.TimedOutError, voltqemu.errors.DeniedError):
        raise
    return None

vm = voltqemu.VM("web", memory=512)
vm.disks.append({"file": "/a"})
cache: Optional[str] = vm.disks[0].cache
vm.disks[0].cache = pathlib.Path("/x")
forward: Optional[int] = vm.nics[0].forwards[-1].host_port
vm.memory = None
on: Optional[bool] = vm.tpm
arguments: List[str] = vm.extra_args[1:]
vm.extra_args = ["-d", b"x"]
with voltqemu.Store("/var/lib/volt") as store:
    runtime = store.resolve(voltqemu.select(vm=vm, store=store), "kvm-linux", call=voltqemu.Call(progress=show))
command = voltqemu.Command(runtime, vm)
command.start().wait()

async def run() -> None:
    result: voltqemu.CheckResult = await aio.run(store.check, repair=True)
    process = await command.start_async()
    await process.wait()
    async with await aio.Monitor.connect("/run/x.sock") as monitor:
        async for event in monitor.events():
            print(event["event"])

asyncio.run(run())
'''
WRONG = ['vm.memory = "512"', "vm.tpm = 1", "vm.disks[0].cash", "vm.memori = 1", "voltqemu.Command(vm, runtime)",
         "store.resolve('kvm-linux')", "voltqemu.Call(progress=7)", "x: int = vm.kernel", "vm.disks.append(7)",
         "store.pin(None)", "voltqemu.Nothing"]


def mypy(*words):
    return subprocess.run(["mypy", "--strict", *words], capture_output=True, text=True, check=False,
                          cwd=SOURCE / "examples/python")


@pytest.fixture(name="cache", scope="module")
def make_cache(tmp_path_factory):
    if not shutil.which("mypy"):
        pytest.skip("mypy is not installed")
    return f"--cache-dir={tmp_path_factory.mktemp('mypy')}"


@pytest.mark.parametrize("version", ["3.9", f"3.{sys.version_info[1]}"])
def test_types_are_whole(cache, version):
    done = mypy(cache, f"--python-version={version}", "-p", "voltqemu")
    assert done.returncode == 0, done.stdout + done.stderr


def test_types_help_users(cache, tmp_path):
    (tmp_path / "user.py").write_text(TYPED)
    done = mypy(cache, tmp_path / "user.py")
    assert done.returncode == 0, done.stdout + done.stderr
    first = TYPED.count("\n") + 1
    (tmp_path / "wrong.py").write_text(TYPED + "\n".join(WRONG) + "\n")
    done = mypy(cache, tmp_path / "wrong.py")
    lines = {int(line) for line in re.findall(r"wrong.py:(\d+): error", done.stdout)}
    assert lines == set(range(first, first + len(WRONG))), done.stdout


def test_generated_files_are_up_to_date():
    done = subprocess.run([SOURCE / "examples/python/generate", "--check"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_every_function_can_be_called_as_declared():
    """Each declaration is one that the package understands, of a function that the library has."""
    program = ("from voltqemu._library import C, _declared\n"
               "print(len([getattr(C, name) for name in _declared]))\n")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, env=ENVIRONMENT)
    assert int(done.stdout or 0) > 200, done.stderr


def test_it_is_the_version_of_the_library():
    version = re.search(r"version: '([\d.]+)'", (SOURCE / "meson.build").read_text())[1]
    assert f'version = "{version}"' in (SOURCE / "examples/python/pyproject.toml").read_text()


def test_all_of_it_is_installed():
    listed = (SOURCE / "examples/python/meson.build").read_text()
    assert {path.name for path in PACKAGE.iterdir() if path.is_file()} == set(
        re.findall(r"'voltqemu/([\w.]+)'", listed))
    assert (PACKAGE / "py.typed").exists()


def test_meson_installs_it_where_asked_for(tmp_path):
    build = tmp_path / "build"
    subprocess.run(["meson", "setup", build, SOURCE, f"--prefix={tmp_path}/prefix", "-Dpython=enabled", "-Dtests=disabled",
                    "-Dcli=disabled", "-Dexamples=disabled"], check=True, capture_output=True)
    subprocess.run(["meson", "install", "-C", build, "--no-rebuild", "--tags", "python-runtime"], check=True,
                   capture_output=True)
    (installed,) = (tmp_path / "prefix").rglob("voltqemu")
    assert {path.name for path in installed.iterdir()} - {"__pycache__"} == {
        path.name for path in PACKAGE.iterdir() if path.is_file()}
    subprocess.run([sys.executable, "-c", "import voltqemu; voltqemu.version()"], check=True, cwd="/",
                   env={**ENVIRONMENT, "PYTHONPATH": str(installed.parent)})


def test_everything_public_is_listed_and_documented():
    program = ("import voltqemu, voltqemu.aio, voltqemu.errors, inspect, json\n"
               "names = [n for n in dir(voltqemu) if not n.startswith('_') and not inspect.ismodule(getattr(voltqemu, n))]\n"
               "bare = []\n"
               "for name in voltqemu.__all__:\n"
               "    value = getattr(voltqemu, name)\n"
               "    bare += [name] if not inspect.getdoc(value) else []\n"
               "    for key, part in vars(value).items() if isinstance(value, type) else ():\n"
               "        if not key.startswith('_') and (callable(part) or hasattr(part, '__get__')) and not hasattr(part, '__objclass__'):\n"
               "            bare += [f'{name}.{key}'] if not getattr(getattr(value, key), '__doc__', None) else []\n"
               "print(json.dumps([sorted(set(names) - set(voltqemu.__all__)), bare, len(voltqemu.__all__),"
               " len(set(voltqemu.__all__))]))\n")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=ENVIRONMENT)
    unlisted, bare, count, different = ast.literal_eval(done.stdout)
    assert unlisted == [] and bare == [] and count == different > 60


def test_nothing_is_run_or_printed_at_import():
    done = subprocess.run([sys.executable, "-W", "error", "-X", "dev", "-c", "import voltqemu"], capture_output=True,
                          text=True, check=False, env=ENVIRONMENT)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_without_the_library_the_import_says_so(tmp_path):
    shutil.copytree(PACKAGE, tmp_path / "voltqemu")
    library = tmp_path / "voltqemu/_library.py"
    library.write_text(library.read_text().replace("libvoltqemu.so.1", "libvoltqemu.so.none"))
    done = subprocess.run([sys.executable, "-c", "import voltqemu"], capture_output=True, text=True, check=False,
                          env={**ENVIRONMENT, "PYTHONPATH": str(tmp_path)})
    assert done.stderr.splitlines()[-1].startswith("ImportError: libvoltqemu is not installed")


def test_files_are_of_reasonable_length():
    for path in MODULES:
        lines = path.read_text().splitlines()
        assert len(lines) < 600 and (path.name == "_prototypes.py" or max(map(len, lines)) <= 120), path
        assert inspect.cleandoc(ast.get_docstring(ast.parse(path.read_text())) or ""), path
