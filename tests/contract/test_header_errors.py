# SPDX-License-Identifier: MIT
"""The lists of errors in the headers: each function that can fail has one, and what must be in it is."""
import re

import pytest
from test_null import HEADERS, PROTOTYPES, fallible

FALLIBLE = sorted(name for name in PROTOTYPES if fallible(name))
CODES = set(re.findall(r"^ +(VQEMU_ERR_\w+) =", next(
    path for path in HEADERS if path.name == "error.h").read_text(), re.M))
RESERVED = {"VQEMU_ERR_NETWORK", "VQEMU_ERR_UNTRUSTED"}  # no function returns them yet
# "as of vqemu_vm_set_string()", "those of ...", "Otherwise like ...": that one's list holds here as well.
OTHERS = re.compile(r"(?:as of|those of|[Oo]therwise like) (vqemu_\w+)\(\)")


def comments():
    """name -> its comment, on one line."""
    found = {}
    for header in HEADERS:
        for comment, name in re.findall(r"/\*\*((?:(?!\*/).)*)\*/\s*\nint\s+(vqemu_\w+)\(", header.read_text(), re.S):
            found[name] = re.sub(r"\s+\*?\s*", " ", comment)
    return found


COMMENTS = comments()


def listed(name, users=()):
    """The codes that a function can give by its comment, and by those that it refers to."""
    assert name not in users, f"{' -> '.join(users)} -> {name}"
    comment = COMMENTS[name]
    errors = comment.partition("Errors:")[2]
    codes = set(re.findall(r"VQEMU_ERR_\w+", errors))
    for other in OTHERS.findall(comment if "therwise like" in comment else errors):
        codes |= listed(other, (*users, name))
    return codes


def takes(name, kind):
    return any(parameter["type"] == kind for parameter in PROTOTYPES[name]["parameters"])


def makes(name):
    """Whether it hands out something that it must make."""
    return any(parameter["type"].endswith("**") and not parameter["type"].startswith(("const char", "vqemu_error"))
               for parameter in PROTOTYPES[name]["parameters"])


@pytest.mark.parametrize("name", FALLIBLE)
def test_a_function_that_can_fail_says_how(name):
    codes = listed(name)
    assert codes, f"{name}(): its comment has no list of errors"
    assert codes <= CODES - RESERVED
    needed = {"VQEMU_ERR_USAGE"}
    if takes(name, "vqemu_call *") and not name.startswith("vqemu_call_"):
        needed |= {"VQEMU_ERR_CANCELLED", "VQEMU_ERR_TIMEOUT"}
    if takes(name, "vqemu_store *"):
        needed |= {"VQEMU_ERR_NO_STORE", "VQEMU_ERR_SYSTEM"}
    if takes(name, "vqemu_store *") or makes(name):
        needed |= {"VQEMU_ERR_NO_MEMORY"}
    assert needed <= codes, f"{name}(): its list lacks {', '.join(sorted(needed - codes))}"


def test_functions_that_cannot_fail_list_no_errors():
    for name in PROTOTYPES.keys() - set(FALLIBLE):
        assert "Errors:" not in COMMENTS.get(name, "")


def test_what_reads_json_can_find_it_malformed():
    readers = [name for name in FALLIBLE if re.search(r"_(from_json|from_file|merge_json|load\w*)$", name)]
    assert len(readers) > 6
    for name in readers:
        assert {"VQEMU_ERR_MALFORMED"} <= listed(name), name


def test_what_sets_by_key_can_know_it_not():
    setters = [name for name in FALLIBLE if re.search(r"_(set|get)_(string|number|switch)$", name)]
    assert len(setters) > 10
    for name in setters:
        assert "VQEMU_ERR_UNKNOWN_KEY" in listed(name), name
