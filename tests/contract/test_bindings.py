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


def used_by_python():
    """The functions that the package names, and those that follow from the types that it has to do with: what it gets
    is released, what is lent to it is referred to, options are made and set."""
    package = SOURCE / "examples/python/voltqemu"
    text = "".join(path.read_text() for path in package.glob("*.py") if path.name != "_prototypes.py")
    declared = re.findall(r"^(.*[ *])(vqemu_\w+)\((.*)\);$", (package / "_prototypes.py").read_text(), re.M)
    types = set(re.findall(r"\b(vqemu_\w+) \*", "".join(result + arguments for result, _, arguments in declared)))
    named = set(re.findall(r"(?:\bC\.|\")(vqemu_\w+)", text))
    made, lent = set(), set()
    for result, name, arguments in declared:
        if name in named:
            made |= set(re.findall(r"\b(vqemu_\w+) \*\*", arguments))
            lent |= set(re.findall(r"\b(vqemu_\w+) \*$", result))
    options = {name for name in named if name.endswith("_options")}
    follow = ({f"{kind}_{end}" for kind in made | lent | options for end in ("free", "unref")}
              | {f"{kind}_ref" for kind in lent}
              | {f"{kind}_{end}" for kind in options for end in ("new", "set_string", "set_number")})
    named -= types | {"vqemu_progress_fn", "vqemu_log_fn", "vqemu_verifier_fn"}
    return named | (follow & {name for _, name, _ in declared})


USED = {"go": used_by_go, "python": used_by_python}


@pytest.mark.parametrize("binding", sorted(EXCEPTIONS))
def test_what_a_binding_does_not_use_has_a_reason(binding):
    used, excepted = USED[binding](), EXCEPTIONS[binding]
    assert len(used) > 100
    assert sorted(used - FUNCTIONS) == [], "the library does not have them"
    assert sorted(FUNCTIONS - used - set(excepted)) == [], "not used, and no reason why"
    assert sorted(set(excepted) & used) == [], "used after all"
    assert sorted(set(excepted) - FUNCTIONS) == [], "there are no such functions"
    assert all(len(reason) > 10 for reason in excepted.values())
