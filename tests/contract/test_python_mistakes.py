# SPDX-License-Identifier: MIT
"""No natural mistake ends the Python interpreter: each is an exception that says what is wrong."""
import json
import os
import subprocess
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("BUILD_DIR", SOURCE / "build"))
EXPECTED = {"TypeError", "IndexError", "KeyError", "AttributeError", "Error", "ZeroDivisionError", "SystemExit"}
#: What Python itself says of its own things.
PYTHONS = {"vm.disks.remove({\"file\": \"/nothing\"})", "store.import_(__import__(\"io\").BytesIO(b\"\"))",
           "store.export(revision, __import__(\"io\").BytesIO())"}


@pytest.fixture(name="lines", scope="module")
def run_mistakes(tmp_path_factory):
    environment = {**os.environ, "LD_LIBRARY_PATH": str(BUILD / "lib"), "PYTHONPATH": str(SOURCE / "examples/python")}
    done = subprocess.run(
        ["/usr/bin/python3", "-X", "dev", "-W", "ignore", Path(__file__).parent / "python_mistakes.py",
         tmp_path_factory.mktemp("mistakes")],
        capture_output=True, text=True, check=False, env=environment, timeout=600, stdin=subprocess.DEVNULL)
    assert done.returncode == 0 and done.stderr == "", (done.returncode, done.stdout[-2000:] + done.stderr[-5000:])
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def test_every_mistake_is_an_exception(lines):
    mistakes = [line for line in lines if "mistake" in line and not line.get("child")]
    assert len(mistakes) > 300
    assert [line for line in mistakes if "raised" not in line] == []
    assert {line["mistake"] for line in mistakes if not EXPECTED & set(line["raised"])} == PYTHONS


def test_a_wrong_type_is_a_type_error_and_all_else_an_error(lines):
    """By the two lists of the package's documentation, so that nobody need know where a check is made."""
    for line in lines:
        raised = set(line.get("raised", ()))
        assert not {"TypeError", "Error"} <= raised, line
        assert "ValueError" not in raised or "Error" in raised or line["mistake"] in PYTHONS, line


def test_messages_speak_of_python(lines):
    """Neither ctypes nor C's functions are what a user of Python knows."""
    for line in lines:
        assert "vqemu_" not in line.get("message", ""), line
        assert "ctypes" not in line.get("message", ""), line


def test_messages_say_what_to_do_instead(lines):
    said = {line["mistake"]: line["message"] for line in lines if "mistake" in line}
    assert "select(vm=vm)" in said["voltqemu.select(vm)"] and "select(store=store)" in said["voltqemu.select(store)"]
    assert "run(store.check)" in said["asyncio.run(aio.run(store.check()))"]
    assert "await" in said['asyncio.run(aio.run(aio.Monitor.connect, "/nonexistent.sock"))']


def test_what_cannot_be_copied_or_pickled_says_what_to_do_instead(lines):
    said = {line["mistake"]: line["message"] for line in lines if "mistake" in line}
    for name, words in (("store", "by its path"), ("command", "save()"), ("runtime", "resolve()"), ("host", "probe()"),
                        ("selection", "select()"), ("revision", "find()"), ("revision.manifest", "from_json()"),
                        ("selection.profile", "name"), ("units", "texts")):
        assert "cannot be pickled" in said[f"pickle.dumps({name})"] and words in said[f"pickle.dumps({name})"]
    assert "other threads" in said["copy.copy(store)"] == said["copy.deepcopy(store)"]


def test_handles_of_another_process_are_refused(lines):
    children = [line for line in lines if line.get("child")]
    assert len(children) == 3 and all("UsageError" in line["raised"] for line in children)
    assert [line["status"] for line in lines if "status" in line] == [0]


def test_threads_may_do_what_they_like_with_the_same_handles(lines):
    assert [line["problems"] for line in lines if "problems" in line] == [[]]
