# SPDX-License-Identifier: MIT
"""Every public function is used by each binding, or there is a reason why not."""
import json
import re
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2]
EXCEPTIONS = json.loads((SOURCE / "tests/contract/binding-exceptions.json").read_text())
FUNCTIONS = set(re.findall(r"^\s+(vqemu_\w+);", (SOURCE / "abi.symbols").read_text(), re.M))


def used_by_go():
    """What the package's sources call or take the address of; comments do not count."""
    names = set()
    for path in (SOURCE / "examples/go").glob("*.go"):
        if not path.name.endswith("_test.go"):
            names |= set(re.findall(r"(?<![\w/])(?:C\.)?(vqemu_\w+)\(", re.sub(r"//.*", "", path.read_text())))
    return names


USED = {"go": used_by_go}


@pytest.mark.parametrize("binding", sorted(EXCEPTIONS))
def test_what_a_binding_does_not_use_has_a_reason(binding):
    used, excepted = USED[binding](), EXCEPTIONS[binding]
    assert len(used) > 100
    assert sorted(used - FUNCTIONS) == [], "the library does not have them"
    assert sorted(FUNCTIONS - used - set(excepted)) == [], "not used, and no reason why"
    assert sorted(set(excepted) & used) == [], "used after all"
    assert sorted(set(excepted) - FUNCTIONS) == [], "there are no such functions"
    assert all(len(reason) > 10 for reason in excepted.values())
