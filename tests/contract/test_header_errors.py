# SPDX-License-Identifier: MIT
"""The lists of errors in the headers: each function that can fail has one, and what must be in it is. Reasons and
details are those that the library gives, and docs/errors.md has them all."""
import re

import pytest
from test_house import SOURCE, arguments_of, calls_in, sources
from test_null import HEADERS, PROTOTYPES, fallible

FALLIBLE = sorted(name for name in PROTOTYPES if fallible(name))
CODES = set(re.findall(r"^ +(VQEMU_ERR_\w+) =", next(
    path for path in HEADERS if path.name == "error.h").read_text(), re.M))
RESERVED = set()  # no function returns them yet
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


# ---- reasons and details ----

DOCUMENT = (SOURCE / "docs/errors.md").read_text()
DETAILS = dict(re.findall(r'#define (VQEMU_DETAIL_\w+) "(\w+)"', next(
    path for path in HEADERS if path.name == "error.h").read_text()))
WORD = re.compile(r'"([a-z0-9]+(?:-[a-z0-9]+)*)"')
BRACKETS = r"(?:[^()]|\([^()]*\))*"


def names_in(text):
    """"key, and choices (similar ones) if there are any" -> key, choices."""
    parts = re.split(r",? (?:and|or) |, ", re.sub(r"\([^()]*\)", "", text))
    words = [part.split()[0] for part in parts if part.split()]
    return {word for word in words if word not in ("if", "where")}


def rows():
    """reason -> its codes and its details, by the table of the library's."""
    found, before = {}, set()
    for reason, codes, meaning in re.findall(r"^\| ([a-z0-9-]+) \| ([A-Z_, ]+) \| (.*) \|$", DOCUMENT, re.M):
        text = meaning.partition("details: ")[2]
        like = re.match(r"as (?:of (\S+)|above)", text)
        before = (found[like[1]][1] if like[1] else before) if like else names_in(text)
        found[reason] = set(codes.split(", ")), before
    return found


ROWS = rows()


# Where structs have a reason among their members.
RECORDS = ((r"struct violation \w+ = \{", 1), (r"\{(?=json_error_)", 2))


def passers():
    """The functions that get a reason from others, and pass it on to an error: the beginning of the places where they
    may be called, and where it is among their arguments."""
    for path in sources(SOURCE):
        for scope, name, parameters, body in re.findall(
                rf"^(static |)int (\w+)\(({BRACKETS})\) {{\n(.*?)^}}", path.read_text(), re.M | re.S):
            words = [word.split("*")[-1] for word in arguments_of(parameters + ")", 0)]
            for i, word in enumerate(words):
                if word.endswith("reason") and "error_because(" in body and name != "error_because":
                    yield f"{path.relative_to(SOURCE)}:" if scope else "", name, i


def given():
    """reason -> the places that give it, and the details that each gives with it."""
    found = {}

    def note(where, text, details):
        for reason in WORD.findall(text):
            found.setdefault(reason, []).append((where, details))

    for where, arguments in calls_in(SOURCE, "error_because"):
        if arguments[0] != "int code":
            note(where, arguments[2], {DETAILS[name] for name in arguments[3::2] if name != "NULL"})
    for scope, name, index in passers():
        for where, arguments in calls_in(SOURCE, name):
            if where.startswith(scope):
                note(where, arguments[index], set())
    for path in sources(SOURCE):
        text, where = path.read_text(), str(path.relative_to(SOURCE))
        for value in re.findall(r"\breason = ([^;,}]+)", text):
            note(where, value, set())
        for pattern, index in RECORDS:
            for match in re.finditer(pattern, text):
                note(where, "".join(arguments_of(text, match.end())[index:index + 1]), set())
    return found


GIVEN = given()


def test_the_tables_are_sorted_by_name():
    """Who looks for a word finds it."""
    tables = [re.findall(r"^\| ([^|]+) \|", table, re.M) for table in re.findall(r"^\|---.*\n((?:\|.*\n)+)", DOCUMENT, re.M)]
    assert len(tables) == 3 and len(tables[0]) >= len(ROWS)
    for names in tables:
        assert names == sorted(names)


def test_each_reason_that_the_library_gives_is_documented():
    assert len(GIVEN) > 120
    unknown = {reason: [where for where, _ in places] for reason, places in GIVEN.items() if reason not in ROWS}
    assert not unknown, f"docs/errors.md lacks {unknown}"


def test_each_reason_that_is_documented_is_given():
    names = {code.removeprefix("VQEMU_ERR_").lower().replace("_", "-") for code in CODES}  # where there is no better word
    assert sorted(ROWS.keys() - GIVEN.keys() - names) == [], "docs/errors.md has them, and the library does not"
    assert {code for codes, _ in ROWS.values() for code in codes} <= CODES - RESERVED


def test_the_details_of_a_reason_are_documented():
    for reason, places in GIVEN.items():
        for where, details in places:
            assert details <= ROWS[reason][1], f"{where}: docs/errors.md lacks details of {reason}"


def test_each_detail_is_one_that_there_is():
    code = "".join(path.read_text() for path in sources(SOURCE))
    named = {name for _, details in ROWS.values() for name in details}
    assert sorted(named - set(DETAILS.values())) == [], "docs/errors.md has them, and <volt-qemu/error.h> does not"
    for constant, name in DETAILS.items():
        assert constant in code, f"nothing gives the detail {name}"
        assert re.search(rf"\b{name}\b", DOCUMENT), f"docs/errors.md does not name the detail {name}"


@pytest.mark.parametrize("name", [name for name in FALLIBLE if '"' in COMMENTS[name].partition("Errors:")[2]])
def test_words_in_a_list_of_errors_are_reasons_and_details(name):
    """"VQEMU_ERR_BUSY (reason "locked": ...)": there is such a reason, and it comes with that code."""
    errors = COMMENTS[name].partition("Errors:")[2]
    for word in WORD.findall(errors):
        assert word in ROWS or word in DETAILS.values(), f"{name}(): {word} is neither a reason nor a detail"
    for code, text in re.findall(rf"(VQEMU_ERR_\w+) \(({BRACKETS})\)", errors):
        for word in WORD.findall(text):
            assert word not in ROWS or code in ROWS[word][0], f"{name}(): docs/errors.md has {word} without {code}"


def test_headers_name_reasons_and_details_that_there_are():
    for header in HEADERS:
        text = re.sub(r"\s+\*?\s*", " ", header.read_text())
        for word in re.findall(r'\breasons? "([a-z-]+)"', text):
            assert word in ROWS, f"{header.name}: there is no reason {word}"
        for word in re.findall(r'\bdetails? "([a-z_]+)"', text):
            assert word in DETAILS.values(), f"{header.name}: there is no detail {word}"
