# SPDX-License-Identifier: MIT
"""A store that is removed while it is open: every function that is given its handle says so."""
import json
import subprocess
import sys

import pytest
from test_null import BUILD, PROTOTYPES, SOURCE, fallible

NO_STORE = -15
TAKERS = sorted(name for name in PROTOTYPES if fallible(name) and any(
    parameter["type"] == "vqemu_store *" for parameter in PROTOTYPES[name]["parameters"]))


@pytest.mark.parametrize("part", [".", "cas/refs", "cas/objects"])
def test_every_function_that_takes_a_store_says_that_it_was_removed(part, tmp_path):
    assert len(TAKERS) > 15
    run = subprocess.run([sys.executable, SOURCE / "tests/contract/null_calls.py", "--removed", part,
                          BUILD / "lib/libvoltqemu.so", tmp_path, *TAKERS], input=json.dumps(PROTOTYPES),
                         capture_output=True, text=True, timeout=600, check=False)
    lines = run.stdout.splitlines()
    got = {call.split()[1]: int(result.split()[1]) for call, result in zip(lines[::2], lines[1::2])}
    assert got == dict.fromkeys(TAKERS, NO_STORE), run.stderr
    assert run.returncode == 0, run.stderr
