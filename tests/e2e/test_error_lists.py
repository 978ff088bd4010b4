# SPDX-License-Identifier: MIT
"""The lists of errors in the headers hold: what the library says of stores that are damaged, or in part another user's,
is in the list of the function that says it."""
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "contract"), str(TESTS / "harness")]
from damaged_store import DAMAGES, FUNCTIONS  # noqa: E402
from test_header_errors import listed  # noqa: E402
from test_null import BUILD, HEADERS, PROTOTYPES, fallible  # noqa: E402

if os.getuid() != 0:
    pytest.skip("needs root to make files of others", allow_module_level=True)

CODES = {int(number): name for name, number in re.findall(r"^ +(VQEMU_ERR_\w+) = (-\d+)", next(
    path for path in HEADERS if path.name == "error.h").read_text(), re.M)}
# What a system call gives in place of VQEMU_ERR_SYSTEM, as error.h has it.
OF_SYSTEM = {"VQEMU_ERR_NOT_FOUND", "VQEMU_ERR_READ_ONLY"}
OF_CURRENT = {"vqemu_resolve", "vqemu_request_set_store"} | {f"vqemu_store_{verb}" for verb in (
    "find_revision", "list_profiles", "list_uses", "collect", "remove_revision")}
OF_MANIFEST = OF_CURRENT | {f"vqemu_store_{verb}" for verb in (
    "export", "export_layout", "copy", "push", "pin", "unpin", "verify_revision", "add_signature", "check",
    "set_current")}
REFUSED = {
    "manifests of another user": OF_MANIFEST, "manifests for all": OF_MANIFEST,
    "current of another user": OF_CURRENT, "current for all": OF_CURRENT,
    "tree of another user": {"vqemu_command_load"}, "tree for all": {"vqemu_command_load"},
    "stamp of another user": {"vqemu_command_load"},
}


def answers(damage, directory, functions):
    """(function, the name of its code), of those that fail."""
    words = [TESTS / "harness/damaged_store.py", BUILD / "lib/libvoltqemu.so", directory, damage, *functions]
    run = subprocess.run([sys.executable, *words], input=json.dumps(PROTOTYPES), capture_output=True, text=True,
                         timeout=120, check=False)
    assert run.returncode == 0, run.stderr
    return {(function, CODES[code]) for function, code in json.loads(run.stdout).items() if code != 0}


def test_every_function_that_takes_a_store_is_called():
    takers = {name for name in PROTOTYPES if fallible(name) and any(
        parameter["type"] == "vqemu_store *" for parameter in PROTOTYPES[name]["parameters"])}
    assert takers - set(FUNCTIONS) == {"vqemu_command_options_set_capabilities"}  # which opens nothing of it


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_is_said_of_a_store_is_in_the_list_of_who_says_it(damage, tmp_path):
    """Backwards as well: what is called first may mend it for those that follow."""
    said = answers(damage, tmp_path / "d", FUNCTIONS) | answers(damage, tmp_path / "e", FUNCTIONS[::-1])
    unlisted = {(function, code) for function, code in said if code not in listed(function)
                and not (code in OF_SYSTEM and "VQEMU_ERR_SYSTEM" in listed(function))}
    assert unlisted == set()
    refused = {function for function, code in said if code == "VQEMU_ERR_REFUSED"}
    assert REFUSED.get(damage, set()) <= refused
