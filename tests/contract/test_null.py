# SPDX-License-Identifier: MIT
"""No NULL crashes, and no unknown flag is taken: every public function, a NULL for each pointer in turn, in processes
of their own."""
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("BUILD_DIR", SOURCE / "build"))
HEADERS = sorted((SOURCE / "include/volt-qemu").glob("*.h")) + [BUILD / "include/volt-qemu/version.h"]
USAGE = -12

# Where NULL is an answer of its own: "function parameter".
OPTIONAL = {
    "error", "call", "userdata", "function", "holder", "value", "source", "arguments_json", "result_json", "revision",
    "from", "options", "command_options", "profile", "name", "argv", "policy", "keeper", "capabilities", "others", "tag",
    "version", "trust",
}
# Parameters of the names above that are needed all the same.
NEEDED = {
    "vqemu_vm_new name", "vqemu_vm_get_string value", "vqemu_vm_get_number value", "vqemu_vm_get_switch value",
    "vqemu_vm_diff from", "vqemu_command_diff from", "vqemu_store_find_revision name", "vqemu_store_pin revision", "vqemu_store_unpin revision",
    "vqemu_store_export revision", "vqemu_store_copy revision", "vqemu_store_copy from", "vqemu_store_push revision",
    "vqemu_store_remove_revision name", "vqemu_store_set_current name", "vqemu_store_open options",
    "vqemu_policy_to_json policy", "vqemu_policy_from_json policy", "vqemu_policy_from_file policy",
    "vqemu_capabilities_to_json capabilities", "vqemu_runtime_probe capabilities", "vqemu_host_new options", "vqemu_runtime_new options", "vqemu_store_ingest options",
    "vqemu_trust_new trust", "vqemu_trust_add_key trust", "vqemu_trust_add_key_file trust", "vqemu_trust_set_verifier trust",
    "vqemu_store_add_signature revision", "vqemu_store_remove_signature revision", "vqemu_store_list_signatures revision",
    "vqemu_store_verify_revision revision", "vqemu_store_verify_revision trust",
}


def prototypes():
    """name -> {"result", "parameters": [{"type", "name"}]}"""
    found = {}
    for header in HEADERS:
        text = re.sub(r"/\*.*?\*/", "", header.read_text(), flags=re.S)
        text = re.sub(r"^#.*$", "", text, flags=re.M)
        for result, name, parameters in re.findall(r"^((?:const )?\w+ (?:\*(?:const \*)?)?)(vqemu_\w+)\(([^;]*)\);", text, re.M):
            listed = []
            for parameter in re.sub(r"\s+", " ", parameters).split(","):
                parameter = parameter.strip()
                if parameter == "void":
                    continue
                kind, word = re.fullmatch(r"(.*?)(\w+)", parameter).groups()
                listed.append({"type": kind.strip(), "name": word})
            found[name] = {"result": result.strip(), "parameters": listed}
    return found


PROTOTYPES = prototypes()


def test_every_exported_function_was_read():
    mapped = set(re.findall(r"^\s+(vqemu_\w+);", (SOURCE / "abi.symbols").read_text(), re.M))
    assert set(PROTOTYPES) == mapped


def fallible(name):
    parameters = PROTOTYPES[name]["parameters"]
    return PROTOTYPES[name]["result"] == "int" and parameters and parameters[-1]["type"] == "vqemu_error **"


def must_be_usage(name, word):
    """Whether NULL for a parameter of this name is the caller's mistake."""
    if not fallible(name):
        return False
    if word == "all":
        return any(must_be_usage(name, parameter["name"]) for parameter in PROTOTYPES[name]["parameters"]
                   if parameter["type"].endswith("*"))
    return word not in OPTIONAL or f"{name} {word}" in NEEDED


def call(functions, directory):
    """Call functions in one process; returns {function: [(parameter, result)]}. The last result is None if it ended
    the process."""
    run = subprocess.run([sys.executable, SOURCE / "tests/contract/null_calls.py", BUILD / "lib/libvoltqemu.so",
                          directory, *functions], input=json.dumps(PROTOTYPES), capture_output=True, text=True,
                         timeout=600, check=False)
    results = {}
    for line in run.stdout.splitlines():
        word, *rest = line.split()
        if word == "call":
            results.setdefault(rest[0], []).append((rest[1], None))
            last = results[rest[0]]
        elif word == "got":
            last[-1] = (last[-1][0], int(rest[0]))
    assert results, run.stderr
    assert run.returncode == 0 or last[-1][1] is None, run.stderr
    return results


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Of all functions. A process that was ended is followed by one for those that are left."""
    found, left = {}, sorted(PROTOTYPES)
    while left:
        found.update(call(left, tmp_path_factory.mktemp("null")))
        left = [name for name in left if name not in found]
    return found


@pytest.mark.parametrize("name", sorted(PROTOTYPES))
def test_null_is_no_crash(name, results):
    for word, result in results[name]:
        assert result is not None, f"{name}({word} = NULL) ended the process"
        if must_be_usage(name, word):
            assert result == USAGE, f"{name}({word} = NULL) returned {result}"
