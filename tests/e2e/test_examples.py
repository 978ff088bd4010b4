# SPDX-License-Identifier: MIT
"""The VMs to begin with: they are as the schema says, and a command comes of each."""
import json
import os
import re
import subprocess
from pathlib import Path

import jsonschema
import pytest
from made_profile import make_profile

SOURCE = Path(__file__).resolve().parents[2]
CLI = os.environ.get("VOLT_QEMU", str(SOURCE / "build/examples/volt-qemu/volt-qemu"))
EXAMPLES = sorted((SOURCE / "examples/vms").glob("*.json"))
# What an example is there to show.
SHOWN = {
    "container": ["mount_tag=data", "tag=fast", "guest-cid=42"],
    "legacy": ["-vnc", "rtl8139", "ide-cd"],
    "server": ["hostfwd=tcp:127.0.0.1:2222-:22", "iothread", "virtio-balloon", "i6300esb"],
    "windows-11": ["pflash", "tpm-crb", "smm=on", "br=br0"],
}


def volt(root, *words):
    run = subprocess.run([CLI, "--root", root, *words], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return run.stdout


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A store with a profile of the distribution's QEMU, UEFI firmware included."""
    base = tmp_path_factory.mktemp("examples")
    make_profile(base / "profile", "x86_64")
    volt(base / "store", "build", "--profile", "emulate-x86", base / "profile")
    return base / "store"


@pytest.fixture(scope="module")
def schema():
    text = subprocess.run([CLI, "schema"], check=True, capture_output=True, text=True).stdout
    jsonschema.Draft202012Validator.check_schema(json.loads(text))
    return jsonschema.Draft202012Validator(json.loads(text))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_as_the_schema_says(schema, path):
    assert [error.message for error in schema.iter_errors(json.loads(path.read_text()))] == []


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_a_command_comes_of_an_example(root, path):
    command = json.loads(volt(root, "args", "--profile", "emulate-x86", "--vm", path, "--json"))
    arguments = " ".join(command["argv"])
    for part in SHOWN[path.stem]:
        assert part in arguments, part


POLICIES = sorted((SOURCE / "examples/policies").glob("*.json"))


@pytest.mark.parametrize("path", POLICIES, ids=lambda path: path.stem)
def test_a_policy_to_begin_with_is_one(root, path):
    schema = json.loads(subprocess.run([CLI, "schema", "policy"], check=True, capture_output=True, text=True).stdout)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert [error.message for error in jsonschema.Draft202012Validator(schema).iter_errors(
        json.loads(path.read_text()))] == []
    volt(root, "args", "--profile", "emulate-x86", "--policy", path, "--name", "tenant1-web",
         "--set", "firmware=bios")


GOLDEN = sorted((SOURCE / "tests/cases/commands").glob("*/vm.json"))
BROKEN = sorted((SOURCE / "tests/cases/vms").glob("*/vm.json"))


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.parent.name)
def test_the_schema_takes_what_the_library_takes(schema, path):
    assert [error.message for error in schema.iter_errors(json.loads(path.read_text()))] == []


BEYOND_A_SCHEMA = {"duplicate-key", "key-twice-in-a-disk", "nul-in-an-argument", "nul-in-name"}


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.parent.name)
def test_the_schema_refuses_what_the_library_refuses(schema, path):
    try:
        document = json.loads(path.read_text())
    except ValueError:  # no JSON at all
        return
    if path.parent.name not in BEYOND_A_SCHEMA:
        assert list(schema.iter_errors(document))


SCRIPTS = ["examples/install-packages", "examples/make-guest", "examples/make-profile", "examples/profiles/build",
           "examples/profiles/measure", "examples/quickstart", "tests/bench/run", "tests/fuzz/run", "tests/run"]


@pytest.mark.parametrize("script", SCRIPTS)
def test_scripts_tell_how_they_are_used_and_do_nothing_else(script, tmp_path):
    # As scripts start that are found by CDPATH, with which cd says where it went.
    asked = subprocess.run([script, "--help"], cwd=SOURCE, capture_output=True, text=True, check=False,
                           env={**os.environ, "CDPATH": f".:{tmp_path}"})
    assert asked.returncode == 0 and not asked.stderr
    assert re.search(rf"\b{Path(script).name} [\[A-Z]", asked.stdout)
    wrong = subprocess.run([SOURCE / script, "--no-such"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert wrong.returncode in (1, 2) and not wrong.stdout and wrong.stderr
    assert not list(tmp_path.iterdir())
