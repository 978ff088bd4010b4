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


def volt(*words):
    return subprocess.run([CLI, *words], check=True, capture_output=True, text=True).stdout


COMMANDS = re.findall(r"^  ([a-z]+) +\S", volt("help").split("Commands:\n")[1].split("\n\n")[0], re.M)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_and_its_options_are_explained(command):
    assert re.search(rf"^\.It Cm .*\b{command}\b", MANUAL, re.M)
    synopsis, description = MANUAL.split(".Sh SYNOPSIS")[1].split(".Sh DESCRIPTION")
    assert re.search(rf"^\.(Cm|Brq Cm) .*\b{command}\b", synopsis, re.M)
    for option in re.findall(r"^  --([a-z-]+)", volt("help", command), re.M):
        assert re.search(rf"Fl -{option}\b", description), option


def keys_of(schema):
    for key, value in schema["properties"].items():
        yield key
        if "properties" in value.get("items", {}):
            yield from keys_of(value["items"])


def test_every_key_of_a_vm_is_named():
    files = MANUAL.split(".Sh FILES")[1].split(".Sh EXIT STATUS")[0]
    named = set(re.findall(r"\b\w+\b", " ".join(re.findall(r"Li (.*)", files))))
    assert set(keys_of(json.loads(volt("schema")))) - named == set()
