# SPDX-License-Identifier: MIT
"""One word, one meaning: a reason is a word for programs, which an error gives and docs/errors.md explains. Text for
people, which may change from version to version, is a message."""
import json
import re

import pytest
import test_manual
from test_header_errors import CODES, DOCUMENT
from test_house import SOURCE
from test_null import HEADERS

TABLES = "".join(re.findall(r"^\| reason \|.*\n\|---.*\n((?:\|.*\n)+)", DOCUMENT, re.M))
KNOWN = {name for names in re.findall(r"^\| ([^|]+) \|", TABLES, re.M) for name in names.split(", ")}
KNOWN |= {code.removeprefix("VQEMU_ERR_").lower().replace("_", "-") for code in CODES}  # where there is no better word
KNOWN |= {"failed"}  # of the program: its man page has it
ERROR = {"code", "reason", "message", "hint", "details", "line"}

UNCHECKED = ["--profile", "emulate-x86", "--no-check"]  # the program of the store is no QEMU
OUTPUTS = {command: [command, *words] for command, words in test_manual.JSON.items()} | {
    "args --explain": ["args", *UNCHECKED, "--kernel", "/k", "--explain"],
    "diff --commands": ["diff", *UNCHECKED, "--commands", "{}/one.json", "{}/two.json"],
}


@pytest.fixture(scope="module", name="store")
def make_store(tmp_path_factory):
    base = test_manual.fill_store(tmp_path_factory.mktemp("reason"))
    for name, memory in (("one", 256), ("two", 512)):
        (base / f"{name}.json").write_text(json.dumps({"name": name, "memory": memory, "kernel": "/k"}))
    return base


def with_a_reason(value):
    """The objects that have one, or a key with this word in it, at any depth."""
    if isinstance(value, dict) and any("reason" in key for key in value):
        yield value
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else []:
        yield from with_a_reason(item)


def errors_in(text):
    """Whatever has a reason is an error, and the reason is documented."""
    errors = list(with_a_reason(json.loads(text)))
    for error in errors:
        assert error.keys() == ERROR, f"text for people is a message: {error}"
        assert error["reason"] in KNOWN, f"docs/errors.md lacks {error['reason']}"
    return errors


@pytest.mark.parametrize("name", OUTPUTS)
def test_no_output_has_a_reason(store, name):
    result = test_manual.in_store(store, *(word.format(store) for word in OUTPUTS[name]))
    assert result.returncode == 0, result
    assert errors_in(result.stdout) == []


@pytest.mark.parametrize("name", ["args --explain", "diff --commands", "gc", "resolve", "select"])
def test_what_says_why_has_messages(store, name):
    """Else the test above would look at nothing."""
    result = test_manual.in_store(store, *(word.format(store) for word in OUTPUTS[name]))
    assert '"message": ' in result.stdout, result


def test_an_error_has_one(store):
    for words in ("show emulate-x86-00000000", "select --accel xen", "gc --keep 0", "diff one"):
        result = test_manual.in_store(store, *words.split())
        assert len(errors_in(result.stderr)) == 1, result
    broken = next((store / "store/cas/refs").glob("*.json"))
    text = broken.read_text()
    broken.write_text("{")
    assert len(errors_in(test_manual.in_store(store, "revisions").stdout)) == 1
    broken.write_text(text)


def test_the_library_gives_them_by_one_function():
    named = {name for header in HEADERS for name in re.findall(r"\b(vqemu_\w*reason\w*)\(", header.read_text())}
    assert named == {"vqemu_error_reason"}


def texts_of(directory, suffix):
    return {path.name: path.read_text() for path in (SOURCE / directory).rglob(f"*.{suffix}")
            if not path.name.endswith("_test.go")}


GO, PYTHON = texts_of("examples/go", "go"), texts_of("examples/python/voltqemu", "py")


@pytest.mark.parametrize("texts, name, where", [
    (GO, r"^\s*(\w+, )*\w*Reason\b[ ,\w]* string|struct{.*Reason|\) \w*Reason\(", "errors.go"),
    (PYTHON, r"^    (def )?\w*reason\b[:(]|self\.\w*reason\b", "errors.py")])
def test_in_bindings_errors_alone_have_one(texts, name, where):
    assert {file for file, text in texts.items() if re.search(name, text, re.M)} == {where}


@pytest.mark.parametrize("texts, given", [
    (GO, r'Reason: *"([^"]+)"'), (PYTHON, r'\breason="([^"]+)"'),
    (texts_of("examples/volt-qemu", "c"), r'fail_invalid\("([^"]+)"')])
def test_what_bindings_and_program_give_is_documented(texts, given):
    words = {word for text in texts.values() for word in re.findall(given, text)}
    assert words and words - KNOWN == set()
