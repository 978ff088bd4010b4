# SPDX-License-Identifier: MIT
"""volt-qemu as a black box: output for people and programs, exit codes, broken input."""
import json
import os
import pty
import re
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
CLI = os.environ.get("VOLT_QEMU", str(HERE.parents[1] / "build/examples/volt-qemu/volt-qemu"))
COMMANDS = ["profiles", "select", "ingest", "import", "export", "copy", "revisions", "show", "current", "pin",
            "unpin", "pins", "uses", "rm", "verify", "gc", "resolve", "args", "env", "schema", "diff", "unit",
            "prepare", "run", "stop", "version"]
FAILED, USAGE, MISSING, BUSY, INVALID, DAMAGED, GIVEN_UP = range(1, 8)  # exit statuses
BROKEN_PIPE = 141


@pytest.fixture
def profile(tmp_path):
    directory = tmp_path / "profile"
    for name, content in (("bin/qemu-system-x86_64", "#!/bin/sh\nprintf '%s\\n' \"$@\"\n"),
                          ("lib/libone.so.1", "one"), ("lib/qemu/accel.so", "module"),
                          ("firmware/bios.bin", "firmware")):
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return directory


@pytest.fixture
def root(tmp_path, profile):
    good("--root", tmp_path / "store", "ingest", "--profile", "emulate-x86", profile)
    return tmp_path / "store"


def run(*words, **options):
    return subprocess.run([CLI, *words], capture_output=True, text=True, check=False,
                          stdin=subprocess.DEVNULL, errors="replace", **options)


def good(*words, **options):
    result = run(*words, **options)
    assert result.returncode == 0 and not result.stderr, result
    return result.stdout


def bad(status, mentioned, *words, **options):
    """One line on stderr that names the culprit; nothing on stdout."""
    result = run(*words, **options)
    assert result.returncode == status and not result.stdout, result
    assert result.stderr.startswith("volt-qemu: ") and result.stderr.count("\n") <= 1 + (status == 2)
    assert mentioned in result.stderr, result.stderr
    return result.stderr


def leftovers(root):
    """What nobody needs. The empty lock file of a killed process stays until the next assembly."""
    return [path for path in root.rglob(".*")
            if path.name != ".volt-tree" and not path.name.startswith(".volt-new-lock-")] + list(
                (root / "cas/tmp").glob("*"))


def manifest_path(root):
    (path,) = (root / "cas/refs").glob("*.json")
    return path


def object_of(root, path):
    return root / "cas/objects" / json.loads(manifest_path(root).read_text())["objects"][path]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command):
    text = good(command, "--help")
    assert command in text and "volt-qemu" in text


def test_usage_errors_exit_with_2():
    assert "COMMAND" in good("--help")
    bad(USAGE, "unknown command 'frobnicate'; see volt-qemu --help", "frobnicate")
    bad(USAGE, "unknown option '--frobnicate'; see volt-qemu select --help", "select", "--frobnicate")
    bad(USAGE, "ambiguous option '--ke'", "select", "--ke")
    bad(USAGE, "nonsense", "args", "--memory", "nonsense")
    bad(USAGE, "superfluous", "profiles", "superfluous")
    bad(USAGE, "two files", "diff", "one")


@pytest.mark.parametrize("word,meant", [("slect", "select"), ("runn", "run"), ("revisoins", "revisions"),
                                        ("unpni", "unpin"), ("gcc", "gc")])
def test_a_command_that_may_be_meant_is_named(word, meant):
    bad(USAGE, f"unknown command '{word}'; perhaps it is {meant}; see", word)
    bad(USAGE, f"unknown command '{word}'; perhaps it is {meant}; see", "help", word)


@pytest.mark.parametrize("word,meant", [("--jsn", "--json"), ("--profle=x", "--profile"), ("--kernl", "--kernel"),
                                        ("--revison", "--revision"), ("--forwrad", "--forward")])
def test_an_option_that_may_be_meant_is_named(word, meant):
    bad(USAGE, f"unknown option '{word}'; perhaps it is {meant}; see", "args", word)


def test_old_names_work_and_are_not_told(root):
    (revision,) = json.loads(good("--root", root, "--json", "refs"))
    for name in ("--ref", "--revision"):
        assert json.loads(good("--root", root, "--json", "resolve", name, revision["name"]))
    assert good("build", "--help") == good("ingest", "--help")
    for words in (["help"], ["resolve", "--help"]):
        assert not re.search(r"^  (build|refs|--ref)\b", good(*words), re.M)


def test_values_that_cannot_be_exit_with_5():
    bad(INVALID, "nothing", "select", "--profile", "nothing")
    bad(INVALID, "sparc", "select", "--guest-arch", "sparc")
    bad(INVALID, "the accelerators are kvm, tcg", "select", "--accel", "xen")


def test_profiles():
    listed = json.loads(good("--json", "profiles"))
    assert [p["name"] for p in listed] == ["kvm-linux", "kvm-uefi", "emulate-x86", "emulate-foreign"]
    assert "kvm-uefi" in good("profiles")


def test_select():
    here = ["--host-arch", "x86_64", "--kvm", "usable"]
    chosen = json.loads(good("--json", *here, "select", "--mode", "hybrid-kvm", "--guest-os", "windows"))
    assert {"profile", "guest_arch", "accel", "reason", "rejected"} <= set(chosen)
    assert chosen["profile"] == "kvm-uefi" and chosen["accel"] == "kvm"
    assert len(chosen["rejected"]) == 3
    bad(FAILED, "aarch64", *here, "select", "--mode", "hybrid-kvm", "--guest-arch", "aarch64")
    bad(INVALID, "hybrid-kvm, hybrid-emulated", *here, "select", "--mode", "hybird-kvm")
    bad(INVALID, "linux, windows, other, uefi", *here, "select", "--guest-os", "windwos")


def test_ingest_revisions_show_resolve(root, profile):
    again = json.loads(good("--root", root, "--json", "ingest", "--profile", "emulate-x86", profile))
    assert again["unchanged"] is True
    (listed,) = json.loads(good("--root", root, "--json", "revisions"))
    assert listed["name"] == again["revision"]
    shown = json.loads(good("--root", root, "--json", "show", again["revision"]))
    assert shown["objects"].keys() == {"bin/qemu-system-x86_64", "lib/libone.so.1",
                                       "lib/qemu/accel.so", "firmware/bios.bin"}
    resolved = json.loads(good("--root", root, "--json", "resolve", "--profile", "emulate-x86"))
    assert {"binary", "firmware_dir", "lib_dir", "arch", "tree", "manifest"} <= set(resolved)
    assert os.access(resolved["binary"], os.X_OK) and resolved["arch"] == "x86_64"
    assert Path(resolved["manifest"]) == manifest_path(root)
    assert os.path.realpath(root / "qemu/emulate-x86") == os.path.realpath(resolved["tree"])
    assert not leftovers(root)


def test_args_env_unit_run_agree(root, tmp_path):
    vm = ["--profile", "emulate-x86", "--name", "web", "--memory", "1G", "--rootfs", tmp_path]
    made = json.loads(good("--root", root, "--json", "args", *vm))
    assert set(made) == {"argv", "env", "cwd", "fingerprint", "digest", "hardware_digest"}
    assert made["argv"][made["argv"].index("-m") + 1] == "1024"
    assert good("--root", root, "env", *vm).splitlines() == made["env"]
    assert "ExecStart=" in good("--root", root, "unit", *vm)
    assert good("--root", root, "run", *vm).splitlines() == made["argv"][1:]


def test_units_are_printed_or_written(root, tmp_path):
    document = tmp_path / "vm.json"
    document.write_text('{"name": "web", "tpm": true}')
    words = ["--root", root, "unit", "--profile", "emulate-x86", "--vm", document]
    names = ["volt-web.service", "volt-swtpm@web.socket", "volt-swtpm@web.service"]
    units = json.loads(good(*words, "--json"))
    assert [unit["name"] for unit in units["units"]] == names
    assert units["units"][0]["text"] == units["unit"]
    assert f"ExecStop=-:{os.path.realpath(CLI)} stop " in units["unit"]
    printed = "\n".join(f"# {unit['name']}\n{unit['text']}" for unit in units["units"])
    assert good(*words) == printed
    (tmp_path / "units").mkdir()
    assert good(*words, "--output", tmp_path / "units").splitlines() == names
    assert {path.name: path.read_text() for path in (tmp_path / "units").iterdir()} == {
        unit["name"]: unit["text"] for unit in units["units"]}
    bad(MISSING, "cannot write", *words, "--output", tmp_path / "none")
    (tmp_path / "units" / names[0]).unlink()
    (tmp_path / "units" / names[0]).mkdir()
    bad(FAILED, "cannot write", *words, "--output", tmp_path / "units")
    assert len(list((tmp_path / "units").iterdir())) == 3


def test_a_users_units_are_in_the_users_directories(root, tmp_path):
    places = {**os.environ, "XDG_RUNTIME_DIR": f"{tmp_path}/run", "XDG_STATE_HOME": f"{tmp_path}/state"}
    words = ["--root", root, "--profile", "emulate-x86", "--name", "web", "--user-manager"]
    text = good("unit", *words, env=places)
    assert f"path={tmp_path}/run/volt/web/unit.sock," in text and "default.target" in text
    made = json.loads(good("prepare", "--json", *words, env=places))
    assert made == {"state_dir": f"{tmp_path}/state/volt/vms/web", "runtime_dir": f"{tmp_path}/run/volt/web"}


def test_a_vm_can_come_from_a_file(root, tmp_path):
    (tmp_path / "vm.json").write_text('{"name": "from-file", "memory": 300, "cpus": 2}')
    words = ["--root", root, "--json", "args", "--profile", "emulate-x86", "--vm", tmp_path / "vm.json"]
    argv = json.loads(good(*words, "--cpus", "3"))["argv"]
    assert "guest=volt-from-file,process=volt-from-file" in argv
    assert argv[argv.index("-m") + 1] == "300" and argv[argv.index("-smp") + 1].startswith("3,")
    (tmp_path / "vm.json").write_text('{"name": "x", "memroy": 1}')
    words.remove("--json")
    bad(INVALID, 'memroy: a VM has no such key; perhaps it is memory', *words)


def test_a_vm_of_another_user_is_not_run(root, tmp_path):
    document = tmp_path / "vm.json"
    words = ["--root", root, "run", "--profile", "emulate-x86", "--vm", document]
    for user in ("no-such-user", str(os.geteuid() + 1)):
        document.write_text(json.dumps({"name": "web", "user": user, "rootfs": str(tmp_path)}))
        bad(FAILED, f'user: the VM is to run as "{user}", and QEMU would run as you', *words)
    document.write_text(json.dumps({"name": "web", "user": str(os.geteuid()), "rootfs": str(tmp_path)}))
    assert "-nodefaults" in good(*words)


def test_a_faulty_document_is_told_what_there_is(root, tmp_path):
    document = tmp_path / "vm.json"
    document.write_text('{"name": "web", "initrd": "/initrd"}')
    bad(INVALID, "; see volt-qemu schema, and docs/vm.md", "--root", root, "args", "--profile", "emulate-x86", "--vm",
        document)


def test_a_profile_that_cannot_run_here_is_not_run(tmp_path, profile):
    good("--root", tmp_path / "s", "ingest", "--profile", "kvm-linux", profile)
    bad(FAILED, "KVM does not work", "--root", tmp_path / "s", "--kvm", "absent", "run", "--profile",
        "kvm-linux")


@pytest.mark.parametrize("command", ["revisions", "resolve", "args", "unit", "run"])
def test_a_missing_store_is_named(tmp_path, command):
    words = [] if command == "revisions" else ["--profile", "emulate-x86"]
    bad(MISSING, str(tmp_path / "none"), "--root", tmp_path / "none", command, *words)
    assert not (tmp_path / "none").exists()


def test_a_missing_profile_is_named(root):
    bad(MISSING, "profile kvm-linux is not in the store", "--root", root, "--kvm", "usable", "resolve",
        "--profile", "kvm-linux")


def test_a_truncated_manifest_is_named(root):
    path = manifest_path(root)
    path.write_text(path.read_text()[:50])
    bad(DAMAGED, str(path), "--root", root, "resolve", "--profile", "emulate-x86")
    result = run("--root", root, "revisions")
    assert result.returncode == 0 and str(path) in result.stderr


def test_a_wrong_digest_is_named(root):
    path = object_of(root, "firmware/bios.bin")
    os.chmod(path, 0o644)
    path.write_text("Firmware")
    message = bad(DAMAGED, str(path), "--root", root, "resolve", "--profile", "emulate-x86")
    assert "firmware/bios.bin" in message and "is damaged" in message
    assert not list((root / "qemu/trees").iterdir())


def test_a_missing_object_is_named(root):
    object_of(root, "lib/libone.so.1").unlink()
    bad(DAMAGED, "lib/libone.so.1", "--root", root, "resolve", "--profile", "emulate-x86")
    assert not list((root / "qemu/trees").iterdir())


def test_an_unreadable_directory_is_named(tmp_path, profile):
    if os.getuid() != 0:
        pytest.skip("needs root to become another user")
    os.chmod(profile / "lib", 0o700)
    directory = tmp_path / "s"
    directory.mkdir()
    for path in (tmp_path, *list(tmp_path.parents)[:3]):
        if path != Path("/tmp"):
            os.chmod(path, 0o755)
    os.chown(directory, 65534, 65534)
    bad(FAILED, str(profile / "lib"), "--root", directory / "store", "ingest", "--profile", "emulate-x86",
        profile, user=65534, group=65534, extra_groups=[])


def test_a_full_disk_leaves_nothing_half_made(tmp_path, profile):
    if os.getuid() != 0:
        pytest.skip("needs root to mount a small file system")
    (profile / "firmware/large.bin").write_bytes(os.urandom(3 << 20))
    small = tmp_path / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "none", small], check=True)
    try:
        bad(FAILED, "No space left on device", "--root", small, "ingest", "--profile", "emulate-x86", profile)
        assert not leftovers(small) and not list((small / "cas/refs").iterdir())
        (profile / "firmware/large.bin").unlink()
        good("--root", small, "ingest", "--profile", "emulate-x86", profile)
        good("--root", small, "resolve", "--profile", "emulate-x86", "--verify")
    finally:
        subprocess.run(["umount", small], check=True)


def test_a_full_disk_behind_stdout_is_an_error():
    with open("/dev/full", "w", encoding="utf-8") as full:
        result = subprocess.run([CLI, "profiles"], stdout=full, stderr=subprocess.PIPE, text=True,
                                check=False)
    assert result.returncode == 1 and "No space left" in result.stderr


KILL_POINTS = [("renameat2", 4), ("renameat", 3), ("linkat", 4), ("mkdirat", 2), ("openat", 40),
               ("fsync", 4), ("fchmod", 6), ("utimensat", 6), ("write", 6), ("unlinkat", 4)]


@pytest.mark.parametrize("call,count", KILL_POINTS, ids=[call for call, _ in KILL_POINTS])
def test_killed_at_any_call_the_next_run_succeeds(tmp_path, profile, call, count):
    """Each build and resolve is killed at the n-th such call, and done again."""
    for command in (["ingest", "--profile", "emulate-x86", profile],
                    ["resolve", "--profile", "emulate-x86"]):
        for number in range(1, count + 1):
            store = tmp_path / f"{command[0]}-{number}"
            if command[0] == "resolve":
                good("--root", store, "ingest", "--profile", "emulate-x86", profile)
            subprocess.run(["strace", "-f", "-o", "/dev/null", "-e",
                            f"inject={call}:signal=KILL:when={number}", CLI, "--root", store,
                            *command], capture_output=True, check=False, stdin=subprocess.DEVNULL,
                           env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"})
            good("--root", store, "ingest", "--profile", "emulate-x86", profile)
            good("--root", store, "resolve", "--profile", "emulate-x86", "--verify")
            assert not leftovers(store), leftovers(store)
