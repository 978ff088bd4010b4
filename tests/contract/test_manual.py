# SPDX-License-Identifier: MIT
"""The man page knows every command, option and key."""
import json
import os
import re
import subprocess
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("BUILD_DIR", SOURCE / "build"))
CLI = os.environ.get("VOLT_QEMU", str(BUILD / "examples/volt-qemu/volt-qemu"))
MANUAL = (SOURCE / "docs/volt-qemu.1").read_text()
OUTPUT = MANUAL.split(".Sh OUTPUT")[1].split(".Sh FILES")[0]


def volt(*words):
    return subprocess.run([CLI, *words], check=True, capture_output=True, text=True).stdout


def words_of(text):
    """What is marked as literal."""
    return set(re.findall(r"\w+", " ".join(re.findall(r"Li (.*)", text))))


COMMANDS = re.findall(r"^  ([a-z]+) +\S", volt("help").split("Commands:\n")[1].split("\n\n")[0], re.M)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_and_its_options_are_explained(command):
    assert re.search(rf"^\.It Cm .*\b{command}\b", MANUAL, re.M)
    synopsis, description = MANUAL.split(".Sh SYNOPSIS")[1].split(".Sh DESCRIPTION")
    assert re.search(rf"^\.(Cm|Brq Cm) .*\b{command}\b", synopsis, re.M)
    for option in re.findall(r"^  --([a-z-]+)", volt("help", command), re.M):
        assert re.search(rf"Fl -{option}\b", description), option


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_an_example_of_the_command(command):
    (example,) = volt("help", command).split("\nExample:\n")[1:]
    assert re.match(rf"  volt-qemu {command}( |$)", example, re.M)


def keys_of(schema):
    for key, value in schema["properties"].items():
        yield key
        if "properties" in value.get("items", {}):
            yield from keys_of(value["items"])


def test_every_key_of_a_vm_is_named():
    files = MANUAL.split(".Sh FILES")[1].split(".Sh EXIT STATUS")[0]
    assert set(keys_of(json.loads(volt("schema")))) - words_of(files) == set()


# ---- JSON ----

FREE = {"objects": dict, "details": dict, "abilities": dict}  # objects of which the keys are data


def fill_store(base):
    for name in ("bin/qemu-system-x86_64", "firmware/bios.bin"):
        (base / "profile" / name).parent.mkdir(parents=True)
        (base / "profile" / name).write_text(name)
    for number in (1, 2):
        volt("--root", base / "store", "ingest", "--profile", "emulate-x86", "--build-date", str(number),
             base / "profile")
    volt("--root", base / "store", "pin", "emulate-x86", "--holder", "test:manual")
    (base / "vm.json").write_text(json.dumps({"name": "web", "tpm": True, "state_dir": f"{base}/state",
                                              "runtime_dir": f"{base}/run"}))
    (base / "other.json").write_text('{"name": "other"}')
    return base


@pytest.fixture(scope="module", name="store")
def make_store(tmp_path_factory):
    return fill_store(tmp_path_factory.mktemp("manual"))


def json_keys(value):
    for item in value if isinstance(value, list) else []:
        yield from json_keys(item)
    for key, item in value.items() if isinstance(value, dict) else []:
        yield key
        if not isinstance(item, FREE.get(key, ())):
            yield from json_keys(item)


def in_store(base, *words):
    return subprocess.run([CLI, "--root", base / "store", "--json", *words], capture_output=True, text=True,
                          check=False)


JSON = {
    "profiles": [], "select": [], "ingest": ["--profile", "emulate-x86", "{}/profile"],
    "copy": ["emulate-x86", "--to", "{}/copy"], "revisions": ["--sizes"], "show": ["emulate-x86"],
    "current": ["emulate-x86"], "pin": ["emulate-x86"], "unpin": ["emulate-x86"], "pins": [],
    "signatures": ["emulate-x86"], "uses": [],
    "verify": [], "gc": ["--keep", "1", "--dry-run"], "resolve": ["--profile", "emulate-x86", "--files"],
    "args": ["--profile", "emulate-x86", "--kernel", "/k"], "env": ["--profile", "emulate-x86", "--kernel", "/k"],
    "unit": ["--profile", "emulate-x86", "--kernel", "/k", "--set", "user=root"],
    "prepare": ["--profile", "emulate-x86", "--vm", "{}/vm.json", "--set", "firmware=bios"],
    "diff": ["{}/vm.json", "{}/other.json"], "version": []}


@pytest.mark.parametrize("command", JSON)
def test_every_key_of_json_output_is_named(store, command):
    result = in_store(store, command, *(word.format(store) for word in JSON[command]))
    assert result.returncode == 0, result
    (entry,) = [entry for entry in OUTPUT.split("\n.It ")[1:]
                if re.search(rf"^Cm .*\b{command}\b", entry.split("\n")[0])]
    if "as\n.Cm ingest" in entry:
        entry += OUTPUT.split(".It Cm ingest")[1].split("\n.It ")[0]
    assert set(json_keys(json.loads(result.stdout))) - words_of(entry.split(".El")[0]) == set()


def test_every_command_with_json_output_is_looked_at():
    assert set(COMMANDS) - JSON.keys() == {
        "import", "rm", "signature", "stop",  # as ingest; their own tests compare them whole
        "capabilities",  # of names that QEMU has: test_capabilities.py
        "complete",  # keys of VMs, which are named under FILES
        "export", "run", "schema", "help",
        "pull", "push", "tags"}  # of a registry: test_pull.py, test_push.py and test_remote.py


def test_every_key_of_a_json_error_is_named(store):
    result = in_store(store, "show", "emulate-x86-00000000")
    assert result.returncode == 3 and not result.stdout
    assert set(json_keys(json.loads(result.stderr))) - words_of(OUTPUT.split(".El")[-1]) == set()
