# SPDX-License-Identifier: MIT
"""Every key of a VM's description has its constant in keys.h, and its line in the documentation."""
import importlib.machinery
import importlib.util
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


def test_the_header_of_keys_is_made_of_the_tables():
    """tests/contract/update-keys"""
    loader = importlib.machinery.SourceFileLoader("update_keys", str(SOURCE / "tests/contract/update-keys"))
    update_keys = importlib.util.module_from_spec(importlib.util.spec_from_loader("update_keys", loader))
    loader.exec_module(update_keys)
    assert (SOURCE / "include/volt-qemu/keys.h").read_text() == update_keys.make(VM)


def test_the_header_of_keys_says_what_it_should(tmp_path):
    """Also with an index that is a macro, or only known when the program runs, and in C++."""
    expected = {
        "VQEMU_KEY_MEMORY": "memory", "VQEMU_KEY_DISKS": "disks", "VQEMU_KEY_DISKS_AT(0)": "disks[0]",
        "VQEMU_KEY_DISKS_CACHE(12)": "disks[12].cache", "VQEMU_KEY_DISKS_CACHE(THIRD)": "disks[2].cache",
        "VQEMU_KEY_NICS_FORWARDS_HOST_PORT(0, 3)": "nics[0].forwards[3].host_port",
        "VQEMU_KEY_DISKS_FILE(VQEMU_KEYS_ANY)": "disks[%zu].file", "VQEMU_KEY_EXTRA_ARGS_AT(1)": "extra_args[1]",
        'VQEMU_KEY_CPU_FEATURES_NAMED("sse4.1")': "cpu_features.sse4.1",
    }
    source = tmp_path / "keys.c"
    source.write_text("#include <stdio.h>\n#include <volt-qemu/keys.h>\n#define THIRD 2\nint main(void) {\n"
                      + "".join(f"    puts({key});\n" for key in expected) + "    return 0;\n}\n")
    for compiler in (["cc", "-std=c99"], ["c++", "-x", "c++", "-std=c++11"]):
        subprocess.run([*compiler, "-Wall", "-Wextra", "-Wpedantic", "-Werror", f"-I{SOURCE / 'include'}",
                        str(source), "-o", str(tmp_path / "keys")], check=True)
        printed = subprocess.run([tmp_path / "keys"], check=True, capture_output=True, text=True).stdout
        assert printed.splitlines() == list(expected.values())


def test_the_schema_of_the_documentation_is_that_of_the_library():
    """volt-qemu schema >docs/vm.schema.json"""
    assert (SOURCE / "docs/vm.schema.json").read_text() == schema_text()


def test_the_schema_of_policies_is_that_of_the_library():
    """volt-qemu schema policy >docs/policy.schema.json"""
    made = subprocess.run([CLI, "schema", "policy"], check=True, capture_output=True, text=True).stdout
    assert (SOURCE / "docs/policy.schema.json").read_text() == made


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
