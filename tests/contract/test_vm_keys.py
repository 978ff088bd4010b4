# SPDX-License-Identifier: MIT
"""Every key of a VM's description has a setter of its name, and its line in the documentation."""
import json
import os
import re
import subprocess
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("BUILD_DIR", SOURCE / "build"))
CLI = os.environ.get("VOLT_QEMU", str(BUILD / "examples/volt-qemu/volt-qemu"))


def schema_text():
    return subprocess.run([CLI, "schema"], check=True, capture_output=True, text=True).stdout


VM = json.loads(schema_text())


def elements(key, owner):
    return owner["properties"][key]["items"]


NOUNS = {"vm": VM, "disk": elements("disks", VM), "share": elements("shares", VM), "nic": elements("nics", VM)}
FORWARD = elements("forwards", NOUNS["nic"])


def setter_of(noun, key, kind):
    """What has many values is set, or added to, one at a time."""
    if kind == "array":
        return f"vqemu_{noun}_add_{key[:-1]}"
    return f"vqemu_{noun}_set_{key[:-1] if kind == 'object' else key}"


@pytest.mark.parametrize("noun", NOUNS)
def test_every_key_has_its_setter_and_every_setter_its_key(noun):
    symbols = re.findall(r"^\s+(vqemu_\w+);", (SOURCE / "abi.symbols").read_text(), re.M)
    setters = {name for name in symbols if re.match(rf"vqemu_{noun}_(set|add)_", name)}
    keys = NOUNS[noun]["properties"].items()
    assert setters == {setter_of(noun, key, value["type"]) for key, value in keys}


def test_the_schema_of_the_documentation_is_that_of_the_library():
    """volt-qemu schema >docs/vm.schema.json"""
    assert (SOURCE / "docs/vm.schema.json").read_text() == schema_text()


def tables_of(text):
    """The rows of each "### ..." of the section "All keys"."""
    section = text.split("\n## All keys\n")[1].split("\n## ")[0]
    return {part.split("\n")[0]: part.splitlines() for part in section.split("\n### ")[1:]}


@pytest.mark.parametrize("title,schema", [
    ("VM", VM), ("Disks", NOUNS["disk"]), ("Shares", NOUNS["share"]), ("Nics", NOUNS["nic"]),
    ("Forwards", FORWARD)], ids=lambda value: value if isinstance(value, str) else "")
def test_the_documentation_has_a_line_for_every_key(title, schema):
    rows = [line.strip("|").split("|") for line in tables_of((SOURCE / "docs/vm.md").read_text())[title]
            if line.startswith("| `")]
    assert all(len(row) == 4 and all(cell.strip() for cell in row) for row in rows)
    documented = {row[0].strip().strip("`"): row for row in rows}
    assert list(documented) == list(schema["properties"])
    for key, value in schema["properties"].items():
        assert ("required" in documented[key][2]) == (key in schema["required"] or key == "file"), key
        if "enum" in value:
            assert re.findall(r"`([^`]*)`", documented[key][1]) == value["enum"], key


def patterns_of(schema):
    """Every regular expression of a schema, with the keys that lead to it."""
    for key, value in schema.items():
        if key == "pattern" and isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            yield from patterns_of(value)


def test_patterns_mean_the_same_to_posix_and_to_the_schema():
    patterns = set(patterns_of(VM))
    assert len(patterns) > 8
    for pattern in patterns:
        assert not re.search(r"\[[:.=]\w|\\|\(\?", pattern), pattern
