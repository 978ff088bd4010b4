# SPDX-License-Identifier: MIT
"""volt-qemu as a black box: output for people and programs, exit codes, broken input."""
import contextlib
import fcntl
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
            "unpin", "pins", "uses", "rm", "verify", "gc", "resolve", "args", "env", "schema", "diff", "complete", "unit",
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


def unchecked(words):
    """The program of these stores is no QEMU, and cannot be asked what it can do."""
    command = next((i for i, word in enumerate(words) if word in ("args", "env", "prepare", "run", "unit")), None)
    return words if command is None else [*words[:command + 1], "--no-check", *words[command + 1:]]


def run(*words, **options):
    words = unchecked(words)
    if "input" not in options:
        options.setdefault("stdin", subprocess.DEVNULL)
    return subprocess.run([CLI, *words], capture_output=True, text=True, check=False, errors="replace", **options)


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
    bad(INVALID, "none of kvm, tcg", "select", "--accel", "xen")


def test_profiles():
    listed = json.loads(good("--json", "profiles"))
    assert [p["name"] for p in listed] == ["kvm-linux", "kvm-uefi", "emulate-x86", "emulate-foreign"]
    assert "kvm-uefi" in good("profiles")


def test_select():
    here = ["--host-arch", "x86_64", "--kvm", "usable"]
    chosen = json.loads(good("--json", *here, "select", "--mode", "hybrid-kvm", "--guest-os", "windows"))
    assert {"profile", "guest_arch", "accel", "message", "rejected"} <= set(chosen)
    assert chosen["profile"] == "kvm-uefi" and chosen["accel"] == "kvm"
    assert len(chosen["rejected"]) == 3
    assert chosen["host"]["kvm"] == "usable" and chosen["host"]["vhost_net"] == "unseen"
    chosen = json.loads(good("--json", *here, "--vhost-net", "private", "select"))
    assert chosen["host"]["vhost_net"] == "private" and "private" in chosen["host"]["vhost_net_message"]
    chosen = json.loads(good("--json", "--vhost-net", "absent", "select"))
    assert chosen["host"]["vhost_net"] == "absent" and chosen["host"]["kvm_message"]
    bad(INVALID, "private, unseen", *here, "--vhost-net", "present", "select")
    bad(FAILED, "aarch64", *here, "select", "--mode", "hybrid-kvm", "--guest-arch", "aarch64")
    bad(INVALID, "hybrid-kvm, hybrid-emulated", *here, "select", "--mode", "hybird-kvm")
    bad(INVALID, "linux, windows, other", *here, "select", "--guest-os", "windwos")


def test_nothing_that_is_shown_deceives(root, profile):
    """What is not printable, or reorders a line, is shown by its bytes."""
    evil = "\x1b[31m\u009b\u202e\u2066\u2028\u200fend"
    good("--root", root, "ingest", "--profile", "evil", "--accel", "tcg", "--guests", "x86_64", "--qemu-version", evil,
         "--description", evil, profile)
    for words in (["revisions"], ["show", "evil"], ["profiles"]):
        shown = good("--root", root, *words)
        assert not set(shown) & set(evil[:-3]) - set("[31m"), shown
    assert r"\x1B[31m\xC2\x9B\xE2\x80\xAE\xE2\x81\xA6\xE2\x80\xA8\xE2\x80\x8Fend" in good("--root", root, "show", "evil")


def test_no_json_deceives_who_reads_it(root, tmp_path):
    """It says the same, with such characters escaped; those of any script stay as they are."""
    evil = "a\u009b\u202e\u2066\u2028\u200f\U0001fffez\u00fc\u4e2d"
    vm, other = tmp_path / "vm.json", tmp_path / "other.json"
    document = {"name": "web", "memory": 256, "kernel": "/k", "firmware": "bios", "append": evil}
    vm.write_text(json.dumps(document))
    other.write_text(json.dumps({**document, "append": evil + evil}))
    on = ["--profile", "emulate-x86", "--vm", vm]
    for words in (["complete", *on], ["--json", "args", *on], ["--json", "args", "--explain", *on],
                  ["--json", "diff", vm, other]):
        shown = run("--root", root, *words).stdout
        assert evil in json.dumps(json.loads(shown), ensure_ascii=False) and "z\u00fc\u4e2d" in shown, words
        assert not set(shown) & set(evil[1:7]), (words, shown)
    failed = run("--root", root, "--json", "resolve", "--revision", evil)
    assert not set(failed.stderr) & set(evil[1:7]) and json.loads(failed.stderr)["error"]["message"]


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
    assert f"manifest      {manifest_path(root)}\n" in good("--root", root, "resolve", "--profile", "emulate-x86")
    assert os.path.realpath(root / "qemu/emulate-x86") == os.path.realpath(resolved["tree"])
    assert not leftovers(root)


def test_args_env_unit_run_agree(root, tmp_path):
    vm = ["--profile", "emulate-x86", "--name", "web", "--memory", "1G", "--rootfs", tmp_path,
          "--set", "firmware=bios"]
    made = json.loads(good("--root", root, "--json", "args", *vm))
    assert set(made) == {"argv", "env", "cwd", "fingerprint", "digest", "hardware_digest"}
    assert made["argv"][made["argv"].index("-m") + 1] == "1024"
    assert good("--root", root, "env", *vm).splitlines() == made["env"]
    assert "ExecStart=" in good("--root", root, "unit", "--set", "user=root", *vm)
    assert good("--root", root, "run", *vm).splitlines() == made["argv"][1:]


def test_arguments_are_explained(root):
    vm = ["--profile", "emulate-x86", "--name", "web", "--memory", "1G", "--set", "firmware=bios",
          "--set", "disks[0].file=/d,1", "--", "-snapshot"]
    argv = json.loads(good("--root", root, "--json", "args", *vm))["argv"]
    arguments = json.loads(good("--root", root, "--json", "args", "--explain", *vm))["arguments"]
    assert [word for it in arguments for word in (it.get("option"), it.get("value")) if word] == argv
    assert all(it.get("key") or it.get("message") for it in arguments)
    lines = [re.split("  +", line.strip()) for line in good("--root", root, "args", "--explain", *vm).splitlines()]
    assert ["-m 1024", "memory"] in lines and ["file.filename=/d,1", "disks[0].file"] in lines
    assert ["-snapshot", "extra_args[0]"] in lines and ["-nic none", "nics"] in [line[:2] for line in lines]
    bad(USAGE, "--explain", "env", "--explain", *vm)


def test_descriptors_with_a_name_get_the_numbers_of_the_command(root, profile, tmp_path):
    program = profile / "bin/qemu-system-x86_64"
    program.write_text(program.read_text() + 'for fd in /proc/$$/fd/*; do echo "${fd##*/} $(readlink "$fd")"; done\n')
    good("--root", root, "ingest", "--profile", "emulate-x86", profile)
    words = [CLI, "--root", root, "run", "--profile", "emulate-x86", "--set", "disks[0].fd_name=root",
             "--set", "disks[1].fd_name=data", "--set", "qmp_fd=3"]
    with open(tmp_path / "root", "w+b") as first, open(tmp_path / "data", "w+b") as second:
        given = [f"--fd=root={first.fileno()}", f"--fd=data={second.fileno()}"]
        fds = [first.fileno(), second.fileno()]
        # descriptor 3 is given as such: the shell opens it
        run = subprocess.run(["sh", "-c", 'exec 3</dev/null; exec "$0" "$@"', *words, *given], pass_fds=fds,
                             capture_output=True, text=True, check=True)
        assert "fd=4,set=4" in run.stdout.splitlines() and "fd=5,set=5" in run.stdout.splitlines()
        assert {f"4 {first.name}", f"5 {second.name}", "3 /dev/null"} <= set(run.stdout.splitlines())
    for wrong, told in (([], "disks[0].fd_name: no descriptor"), (["--fd=root=x"], "NAME=NUMBER"),
                        (["--fd=root=999", "--fd=data=0"], "disks[0].fd_name: descriptor 999")):
        run = subprocess.run([*words[:-2], *wrong], stdin=subprocess.DEVNULL, capture_output=True, text=True)
        assert run.returncode != 0 and told in run.stderr and not run.stdout


def test_units_are_printed_or_written(root, tmp_path):
    document = tmp_path / "vm.json"
    document.write_text('{"name": "web", "firmware": "bios", "tpm": true}')
    bad(INVALID, "--set user=", "--root", root, "unit", "--profile", "emulate-x86", "--vm", document)
    document.write_text('{"name": "web", "user": "games", "firmware": "bios", "tpm": true}')
    words = ["--root", root, "unit", "--profile", "emulate-x86", "--vm", document]
    names = ["volt-vm-web.service", "volt-vm-swtpm@web.socket", "volt-vm-swtpm@web.service"]
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
    for words_of_writing in (words, ["--root", root, "export", "emulate-x86"]):
        message = bad(MISSING, "cannot write", *words_of_writing, "--output", tmp_path / "none/x")
        assert f"cannot write {tmp_path}/none/x" in message and ".tmp" not in message
        assert f"mkdir -p {tmp_path}/none" in message
    (tmp_path / "units" / names[0]).unlink()
    (tmp_path / "units" / names[0]).mkdir()
    bad(FAILED, "cannot write", *words, "--output", tmp_path / "units")
    assert len(list((tmp_path / "units").iterdir())) == 3


def test_a_users_units_are_in_the_users_directories(root, tmp_path):
    places = {**os.environ, "XDG_RUNTIME_DIR": f"{tmp_path}/run", "XDG_STATE_HOME": f"{tmp_path}/state"}
    words = ["--root", root, "--profile", "emulate-x86", "--name", "web", "--user-manager",
             "--set", "firmware=bios"]
    text = good("unit", *words, env=places)
    assert f"path={tmp_path}/run/volt/web/unit.sock," in text and "default.target" in text
    made = json.loads(good("prepare", "--json", *words, env=places))
    assert made == {"state_dir": f"{tmp_path}/state/volt/vms/web", "runtime_dir": f"{tmp_path}/run/volt/web"}


def test_a_policy_denies_what_it_does_not_allow(root, tmp_path):
    policy = tmp_path / "policy.json"
    policy.write_text(json.dumps({"read_paths": [str(tmp_path)], "kernel": True}))
    allowed = ["--kernel", tmp_path / "kernel", "--policy", policy]
    assert run("--root", root, "args", *allowed).stdout
    for command in ("args", "env", "unit", "prepare", "run"):
        for words, key in ((["--kernel", "/etc/shadow"], "kernel"), (["--set", "sandbox=off", "--set", "firmware=bios"], "sandbox"),
                           (["--", "-S"], "extra_args")):
            if command != "unit" or words[0] != "--":
                message = bad(1, key, "--root", root, command, "--policy", policy, *words)
                assert "policy" in message
    policy.write_text('{"kernels": true}')
    bad(5, "kernels", "--root", root, "args", "--policy", policy)
    bad(3, "gone.json", "--root", root, "args", "--policy", tmp_path / "gone.json")
    bad(2, "--policy", "--root", root, "select", "--policy", policy)
    assert json.loads(good("schema", "policy")) != json.loads(good("schema", "vm"))
    bad(2, "disk", "schema", "disk")


def test_a_policy_goes_with_the_manager_of_a_user(root, tmp_path):
    policy = tmp_path / "policy.json"
    policy.write_text("{}")
    assert "RuntimeDirectory" in good("--root", root, "unit", "--user-manager", "--policy", policy, "--set", "firmware=bios",
                                      env={**os.environ, "XDG_RUNTIME_DIR": "/run/user/1000"})


def test_a_vm_can_come_from_a_file(root, tmp_path):
    (tmp_path / "vm.json").write_text('{"name": "from-file", "firmware": "bios", "memory": 300, "cpus": 2}')
    words = ["--root", root, "--json", "args", "--profile", "emulate-x86", "--vm", tmp_path / "vm.json"]
    argv = json.loads(good(*words, "--cpus", "3"))["argv"]
    assert "guest=volt-from-file,process=volt-from-file,debug-threads=on" in argv
    assert argv[argv.index("-m") + 1] == "300" and argv[argv.index("-smp") + 1].startswith("3,")
    (tmp_path / "vm.json").write_text('{"name": "x", "memroy": 1}')
    words.remove("--json")
    bad(INVALID, 'memroy: a VM has no such key; perhaps it is memory', *words)


def test_a_vm_of_another_user_is_not_run(root, tmp_path):
    document = tmp_path / "vm.json"
    words = ["--root", root, "run", "--profile", "emulate-x86", "--vm", document]
    for user in ("no-such-user", str(os.geteuid() + 1)):
        document.write_text(json.dumps({"name": "web", "user": user, "rootfs": str(tmp_path), "firmware": "bios"}))
        bad(FAILED, f'user: the VM is to run as "{user}", and QEMU would run as you', *words)
    document.write_text(json.dumps({"name": "web", "user": str(os.geteuid()), "rootfs": str(tmp_path), "firmware": "bios"}))
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
    for path in (profile, *profile.iterdir(), tmp_path, *list(tmp_path.parents)[:3]):
        if path not in (Path("/tmp"), profile / "lib"):
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


# ---- exit statuses, errors as JSON, broken pipes ----

def error_of(*words, **options):
    """The error that is the only thing printed, and the exit status."""
    result = run("--json", *words, **options)
    assert not result.stdout and result.stderr.count("\n") == 1, result
    error = json.loads(result.stderr)["error"]
    assert set(error) == {"code", "reason", "message", "hint", "details", "line"}
    return result.returncode, error


@pytest.mark.parametrize("status,code,reason,words", [
    (USAGE, "usage", "usage", ["frobnicate"]),
    (USAGE, "usage", "usage", ["select", "--frobnicate"]),
    (MISSING, "no-store", "no-store", ["--root", "/nowhere", "revisions"]),
    (MISSING, "no-revision", "no-such-revision", ["--root", "ROOT", "show", "emulate-x86-00000000"]),
    (MISSING, "no-revision", "profile-not-in-store", ["--root", "ROOT", "show", "kvm-linux"]),
    (MISSING, "no-program", "no-program", ["--root", "ROOT", "args", "--profile", "emulate-x86", "--guest-arch", "i386"]),
    (MISSING, "not-found", "not-found", ["--root", "ROOT", "args", "--vm", "/nowhere/vm.json"]),
    (MISSING, "not-found", "not-found", ["--root", "ROOT", "import", "/nowhere/x.tar"]),
    (MISSING, "not-running", "not-running", ["stop", "/nowhere/qmp.sock"]),
    (INVALID, "unknown-key", "unknown-key", ["--root", "ROOT", "args", "--set", "memroy=1"]),
    (INVALID, "invalid", "wrong-kind", ["--root", "ROOT", "args", "--set", "memory=much"]),
    (INVALID, "invalid", "unknown-profile", ["--root", "ROOT", "ingest", "--profile", "mine", "/"]),
    (INVALID, "invalid", "bad-holder", ["--root", "ROOT", "pin", "emulate-x86", "--holder", "me"]),
    (FAILED, "read-only", "read-only", ["--root", "ROOT", "--read-only", "pin", "emulate-x86"]),
])
def test_each_class_of_errors_has_a_status_and_a_code(root, status, code, reason, words):
    got, error = error_of(*(root if word == "ROOT" else word for word in words))
    assert (got, error["code"], error["reason"]) == (status, code, reason), error


def test_the_way_out_is_told_in_options(root, profile, tmp_path):
    subprocess.run(["tar", "-C", profile, "-cf", tmp_path / "x.tar", "."], check=True)
    for reason, option, words in (
            ("no-profile", "--profile", ["import", tmp_path / "x.tar"]),
            ("too-large", "--max-size", ["import", "--profile", "kvm-linux", "--max-size", "9", tmp_path / "x.tar"]),
            ("too-many-files", "--max-objects",
             ["import", "--profile", "kvm-linux", "--max-objects", "2", tmp_path / "x.tar"]),
            ("too-many-layers", "--max-layers",
             ["export", "emulate-x86", "--layout", tmp_path / "layout", "--max-layers", "1"]),
            ("too-many-files", "--max-objects", ["ingest", "--profile", "kvm-linux", "--max-objects", "2", profile])):
        status, error = error_of("--root", root, *words)
        assert (status, error["reason"]) == (INVALID, reason) and option in error["hint"], error


def test_what_others_hold_is_told_with_status_4(root):
    good("--root", root, "pin", "emulate-x86", "--holder", "unit:volt-web")
    status, error = error_of("--root", root, "rm", "emulate-x86")
    assert (status, error["code"], error["reason"]) == (BUSY, "busy", "pinned")
    assert error["details"]["holder"] == "unit:volt-web"
    assert error["hint"] == f"let go of it: volt-qemu unpin {error['details']['revision']} --holder unit:volt-web"
    good(*error["hint"].split(": volt-qemu ")[1].split(), "--root", root)
    lock = os.open(root / "cas/objects", os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    status, error = error_of("--root", root, "--lock-timeout", "0", "gc")
    assert (status, error["reason"]) == (BUSY, "locked") and "--lock-timeout" in error["hint"]
    status, error = error_of("--root", root, "--timeout", "1", "gc")
    assert (status, error["code"]) == (GIVEN_UP, "timeout") and "--timeout" in error["hint"]
    os.close(lock)


def test_damage_is_told_with_status_6(root):
    path = object_of(root, "firmware/bios.bin")
    path.unlink()
    status, error = error_of("--root", root, "resolve", "--profile", "emulate-x86")
    assert (status, error["code"], error["reason"]) == (DAMAGED, "corrupt", "object-damaged")
    assert error["details"]["object"] == path.name and "verify --repair" in error["hint"]
    manifest_path(root).write_text("{")
    status, error = error_of("--root", root, "show", manifest_path(root).stem)
    assert (status, error["reason"]) == (DAMAGED, "revision-broken")
    assert error["hint"].endswith(f"volt-qemu rm {manifest_path(root).stem}")


def test_an_error_in_a_document_has_its_line():
    status, error = error_of("diff", "-", "/dev/null", input='{"name":\n\n}')
    assert (status, error["code"], error["line"]) == (INVALID, "malformed", 3)
    status, error = error_of("diff", "-", "/dev/null", input='{"name": "x", "disks": [{"cache": "no"}]}')
    assert error["details"]["key"] == "disks[0].cache" and "writeback" in error["details"]["choices"]


def test_warnings_are_json_as_well(root):
    manifest_path(root).write_text("{")
    result = run("--root", root, "--json", "revisions")
    assert result.returncode == 0 and json.loads(result.stdout)[0]["error"]["reason"] == "revision-broken"
    assert "is broken" in json.loads(result.stderr.splitlines()[0])["warning"]["message"]


@pytest.mark.parametrize("words", [["schema"], ["profiles", "--json"], ["help"], ["export", "emulate-x86"]], ids=str)
def test_nobody_who_reads_is_no_error(root, words):
    reader, writer = os.pipe()
    os.close(reader)
    result = subprocess.run([CLI, "--root", root, *words], stdout=writer, stderr=subprocess.PIPE, check=False)
    os.close(writer)
    assert (result.returncode, result.stderr) == (BROKEN_PIPE, b"")


# ---- VMs by options ----

def argv(root, *words, **options):
    return json.loads(good("--root", root, "--json", "args", "--profile", "emulate-x86", "--set", "firmware=bios",
                           *words, **options))["argv"]


def test_devices_by_options(root, tmp_path):
    (tmp_path / "vm.json").write_text(json.dumps({"name": "web", "disks": [
        {"file": f"{tmp_path}/a.raw"}, {"file": f"{tmp_path}/b,c.qcow2", "format": "qcow2", "cache": "none"}],
        "shares": [{"path": f"{tmp_path}/d", "tag": "share0"}, {"path": "/srv", "tag": "home", "writable": True}],
        "nics": [{"forwards": [{"host_port": 8080, "guest_port": 80},
                               {"protocol": "udp", "host_address": "127.0.0.2", "host_port": 53, "guest_port": 5353}]}],
        "rng": True, "memory": 300, "cpu_features": {"avx2": False, "phys-bits": "40"}, "kernel": "/k", "append": "a=b c"}))
    assert argv(root, "--vm", "vm.json", cwd=tmp_path) == argv(
        root, "--name", "web", "--disk", "a.raw", "--disk", "x,format=qcow2,cache=none", "--set",
        f"disks[1].file={tmp_path}/b,c.qcow2", "--share", "d", "--share", "/srv:home:rw", "--forward", "8080:80",
        "--forward", "udp:127.0.0.2:53:5353", "--set", "rng=on", "--set", "memory=300", "--set",
        "cpu_features.avx2=off", "--set", "cpu_features.phys-bits=40", "--kernel", "/k", "--set", "append=a=b c", cwd=tmp_path)


def test_a_setting_without_a_value_is_the_default(root):
    assert argv(root, "--memory", "300", "--set", "rng=on", "--set", "memory=", "--set", "rng=") == argv(root)


def test_a_vm_can_come_from_standard_input(root, tmp_path):
    (tmp_path / "vm.json").write_text('{"name": "web", "memory": 300}')
    text = (tmp_path / "vm.json").read_text()
    assert argv(root, "--vm", "-", input=text) == argv(root, "--vm", tmp_path / "vm.json")
    assert "standard input" in error_of("--root", root, "args", "--vm", "-", input="[]")[1]["message"]
    assert error_of("--root", root, "args", "--vm", "-", input=" " * (2 << 20))[0] == INVALID
    for option, wanted in {"--memory": "a number of MiB", "--timeout": "a whole number", "--kvm": "one of the words"}.items():
        bad(2, f"'{option}' cannot be 'much'; it is {wanted}", "--root", root, option, "much", "args")


@pytest.mark.parametrize("awaited,words", [
    ("the VM from standard input", ["args", "--vm", "-"]),
    ("the signature", ["signature", "add", "emulate-x86", "-"]),
    ("the password from standard input", ["tags", "localhost:1/a", "--user", "me", "--password-stdin"])])
def test_standard_input_is_waited_for_as_long_as_there_is_time(root, awaited, words):
    silent, writer = os.pipe()
    bad(7, f"1 s, was over waiting for {awaited}", "--root", root, "--timeout", "1", *words, stdin=silent)
    os.close(silent)
    os.close(writer)


@pytest.mark.parametrize("words,mentioned", [
    (["--set", "memory"], "KEY=VALUE, not 'memory'"), (["--set", "=1"], "KEY=VALUE"),
    (["--disk", "/a,b"], "--set disks[0].file=FILE"), (["--forward", "80"], "not '80'"),
    (["--forward", "x:80"], "not 'x:80'"), (["--forward", "sctp:1:2"], "")])
def test_wrong_settings_are_usage_errors(root, words, mentioned):
    status = INVALID if words[1].startswith("sctp") else USAGE
    bad(status, mentioned, "--root", root, "args", "--profile", "emulate-x86", *words)


def test_diff(tmp_path):
    (tmp_path / "a").write_text('{"name": "web", "memory": 300, "disks": [{"file": "/a", "cache": "none"}]}')
    (tmp_path / "b").write_text('{"name": "web", "rng": true, "disks": [{"file": "/b"}]}')
    assert set(good("diff", tmp_path / "a", tmp_path / "b").splitlines()) == {
        "memory: 300 -> -", "rng: - -> true", "disks[0].file: /a -> /b", "disks[0].cache: none -> -"}
    assert good("diff", "-", tmp_path / "a", input=(tmp_path / "a").read_text()) == ""
    changes = json.loads(good("--json", "diff", tmp_path / "a", tmp_path / "b"))["changes"]
    assert {"key": "memory", "from": 300, "to": None} in changes


def test_commands_are_compared(root, tmp_path):
    (tmp_path / "a").write_text('{"name": "x", "firmware": "bios", "disks": [{"file": "/a", "cache": "none"}]}')
    (tmp_path / "b").write_text('{"name": "x", "firmware": "bios", "disks": [{"file": "/b", "cache": "none"}],'
                                ' "memory": 3000}')
    words = ["--root", root, "diff", "--commands", "--profile", "emulate-x86", tmp_path / "a"]
    lines = good(*words, tmp_path / "b").splitlines()
    assert [line for line in lines if re.fullmatch(r"memory: -m \d+ \(default: .*\) -> 3000; the guest sees it", line)]
    assert [line for line in lines if re.fullmatch(r"disks\[0\]\.file: -blockdev \S+ \S*filename /a -> /b", line)]
    told = json.loads(good("--json", *words, tmp_path / "b"))
    assert not told["same_hardware"] and len(told["changes"]) == len(lines)
    assert good(*words, tmp_path / "a") == ""
    assert json.loads(good("--json", *words, tmp_path / "a"))["same_command"]
    bad(USAGE, "--commands", "diff", "--profile", "emulate-x86", tmp_path / "a", tmp_path / "b")


def test_a_vm_is_completed(root, tmp_path):
    words = ["--root", root, "complete", "--profile", "emulate-x86", "--vm"]
    (tmp_path / "a").write_text('{"name": "x", "firmware": "bios", "nics": [{}], "disks": [{"file": "/a"}]}')
    result = run(*words, tmp_path / "a")
    text, vm = result.stdout, json.loads(result.stdout)
    # its program is a script, which is not asked
    assert result.returncode == 0 and "machine: q35 is written without a version" in result.stderr
    assert vm["memory"] and vm["cpus"] == 1 and vm["nics"][0]["mac"]
    assert vm["disks"] == [{"id": "drive0", "file": "/a", "bus": "virtio", "serial": "disk0"}]
    assert vm["slots"] == {"nic0": "0x10", "drive0": "0x18"}
    (tmp_path / "b").write_text(text)
    assert run(*words, tmp_path / "b").stdout == text
    assert good("--root", root, "diff", "--commands", "--profile", "emulate-x86", tmp_path / "a", tmp_path / "b") == ""
    (tmp_path / "c").write_text('{"name": "x", "firmware": "bios", "machine": "pc-q35-7.2"}')
    assert json.loads(good(*words, tmp_path / "c"))["machine"] == "pc-q35-7.2"


def test_the_place_of_what_is_gone_is_taken_out(root, tmp_path):
    (tmp_path / "vm").write_text('{"name": "x", "firmware": "bios", "nics": [{}], "slots": {"nic0": "0x5", "nic1": "0x6"}}')
    words = ["--root", root, "args", "--profile", "emulate-x86", "--vm", tmp_path / "vm"]
    message = bad(INVALID, "", *words)
    assert "slots.nic1: the VM has no such device" in message and "--set slots.nic1=" in message
    assert "addr=0x5" in good(*words, "--set", "slots.nic1=")
    assert "addr=0x7" in good(*words, "--set", "slots.nic1=", "--set", "slots.nic0=0x7")


# ---- which profile ----

def test_only_profiles_that_the_store_has_are_chosen(root):
    chosen = json.loads(good("--root", root, "--kvm", "usable", "--json", "select"))
    assert chosen["profile"] == "emulate-x86" and "no revision of kvm-linux" in chosen["message"]
    assert json.loads(good("--kvm", "usable", "--json", "select"))["profile"] == "kvm-linux"
    for command in ("select", "args", "unit", "run", "resolve"):
        message = bad(MISSING, "", "--root", root, "--kvm", "usable", command, "--guest-arch", "aarch64")
        assert "no revision of profile emulate-foreign, which fits the guest; it has emulate-x86" in message
        assert "volt-qemu ingest --profile emulate-foreign DIR" in message


def test_a_vm_says_what_it_runs_on(tmp_path):
    document = tmp_path / "vm.json"
    words = ["--kvm", "usable", "--host-arch", "x86_64", "--json", "select", "--vm", document]
    for vm, profile in (({}, "kvm-linux"), ({"disks": [{"file": "/x", "bus": "nvme"}]}, "kvm-uefi"),
                        ({"guest_os": "windows"}, "kvm-uefi"), ({"mode": "hybrid-emulated"}, "emulate-x86"),
                        ({"guest_arch": "s390x"}, "emulate-foreign"), ({"profile": "emulate-x86"}, "emulate-x86")):
        document.write_text(json.dumps({"name": "x", **vm}))
        assert json.loads(good(*words))["profile"] == profile
    assert json.loads(good(*words, "--accel", "kvm", "--profile", "kvm-uefi"))["profile"] == "kvm-uefi"


@pytest.mark.parametrize("vm", [{"profile": "kvm-linux"}, {"mode": "hybrid-kvm"}, {"guest_arch": "aarch64"},
                                {"profile": "kvm-uefi", "mode": "hybrid-kvm", "guest_arch": "aarch64"}])
@pytest.mark.parametrize("command", ["args", "unit"])
def test_options_win_over_what_a_vm_says_it_runs_on(root, tmp_path, vm, command):
    """The library builds no command of a VM on another runtime than the VM is for."""
    (tmp_path / "vm.json").write_text(json.dumps({"name": "x", "user": "1000", "kernel": "/k", **vm}))
    words = ["--root", root, "--kvm", "usable", "--host-arch", "x86_64", command, "--vm", tmp_path / "vm.json"]
    assert "qemu-system-x86_64" in good(*words, "--profile", "emulate-x86", "--guest-arch", "x86_64")
    assert "qemu-system-x86_64" in good(*words, "--revision", "emulate-x86", "--guest-arch", "x86_64")


def test_a_name_of_a_revision_or_profile_is_good_everywhere(root, tmp_path):
    revision = manifest_path(root).stem
    for name in (revision, "emulate-x86"):
        for words in (["show"], ["pin"], ["pins"], ["uses"], ["verify"], ["unpin"], ["current"],
                      ["resolve", "--revision"], ["resolve", "--profile"], ["args", "--kernel", "/k", "--profile"],
                      ["env", "--kernel", "/k", "--revision"], ["copy", "--to", tmp_path / "other"],
                      ["export", "--output", tmp_path / "x.tar"]):
            assert run("--root", root, *words, name).returncode == 0, words
    good("--root", root, "current", "emulate-x86")
    assert json.loads(good("--root", root, "--json", "rm", "emulate-x86")) == {"removed": [revision]}


def test_a_profile_with_several_revisions_is_not_removed_by_its_name(root, profile):
    good("--root", root, "ingest", "--profile", "emulate-x86", "--build-date", "later", profile)
    bad(USAGE, "has 2 revisions", "--root", root, "rm", "emulate-x86")
    names = [entry["name"] for entry in json.loads(good("--root", root, "--json", "revisions"))]
    assert good("--root", root, "rm", *names) == "".join(f"removed {name}\n" for name in names)


def test_a_profile_of_ones_own(tmp_path, profile):
    words = ["--root", tmp_path / "s"]
    message = bad(INVALID, "--accel and --guests", *words, "ingest", "--profile", "mine", profile)
    assert "unknown profile 'mine'" in message and not (tmp_path / "s").exists()
    told = run(*words, "ingest", "--profile", "mine", "--accel", "tcg", "--guests", "x86_64,i386", "--abilities",
               "display,usb", "--description", "my own", profile)
    assert told.returncode == 0 and "bin/qemu-system-i386 is missing: i386 guests need it" in told.stderr
    (mine,) = [entry for entry in json.loads(good(*words, "--json", "profiles")) if entry["stored"]]
    assert (mine["name"], mine["description"], mine["accel"]) == ("mine", "my own", "tcg")
    assert mine["abilities"] == ["tcg", "display", "usb"] and mine["guest_arches"] == ["x86_64", "i386"]
    assert all(entry["stored"] is None for entry in json.loads(good("--json", "profiles")))
    shown = json.loads(good(*words, "--json", "show", "mine"))
    assert (shown["accel"], shown["guests"], shown["description"]) == ("tcg", ["x86_64", "i386"], "my own")
    assert json.loads(good(*words, "--json", "--kvm", "absent", "select"))["profile"] == "mine"
    assert json.loads(good(*words, "--json", "--kvm", "absent", "args", "--set",
                           "firmware=bios"))["argv"][0].startswith(str(tmp_path / "s"))


# ---- a terminal ----

def on_terminal(*words):
    """What the program says on a terminal of its own."""
    process, terminal = pty.fork()
    if process == 0:
        os.execv(CLI, [CLI, *map(str, words)])
    said = b""
    with contextlib.suppress(OSError):  # EIO at the end
        while more := os.read(terminal, 4096):
            said += more
    os.close(terminal)
    os.waitpid(process, 0)
    return said.decode()


def test_how_to_leave_the_console_is_told(root):
    words = ["--root", root, "run", "--profile", "emulate-x86", "--set", "firmware=bios"]
    assert "Ctrl-A X ends the guest" in on_terminal(*words)
    assert "Ctrl-A" not in on_terminal(*words, "--set", "console=none")
    assert "Ctrl-A" not in on_terminal(*words, "--set", "console_monitor=false")
    good(*words)  # nothing, where there is no terminal


# ---- completion ----

@pytest.mark.parametrize("words,expected", [
    (["re"], {"revisions", "resolve"}), (["--root", "ROOT", "sho"], {"show"}), (["args", "--rev"], {"--revision"}),
    (["select", "--guest-os", "wi"], {"windows"}), (["--root", "ROOT", "rm", "emulate-x86-"], {"REVISION"}),
    (["--root", "ROOT", "resolve", "--profile", "emulate-x"], {"emulate-x86", "REVISION"}), (["run", "--kernel", ""], set()),
    (["select", "--guest-arch", "mips64"], {"mips64", "mips64el"}), (["--host-arch", "s3"], {"s390x"}),
    (["select", "--guest-arch", "=", "aar"], {"aarch64"}), (["select", "--accel", "="], {"kvm", "tcg"}),
    (["select", "--accel=k"], {"--accel=kvm"}), (["--root=ROOT", "rm", "emulate-x86-"], {"REVISION"}),
    (["--root", "=", "ROOT", "rm", "emulate-x86-"], {"REVISION"}), (["--root", "=", "ROOT", "sho"], {"show"}),
    (["--root", "ROOT", "revisions", "--sizes", "emulate-x86-"], {"REVISION"}), (["revisions", "--si"], {"--sizes"}),
    (["--root", "ROOT", "uses", "--no-such", "emulate-x86-"], {"REVISION"}), (["--root", "ROOT", "rm", "--timeout", ""], set()),
    (["--root", "ROOT", "show", "--files", "emulate-x86-"], {"REVISION"}), (["run", "--share", ""], set())])
def test_completion(root, words, expected):
    words = [word.replace("ROOT", str(root)) for word in words]
    script = f"""
        source {HERE.parents[1]}/examples/volt-qemu/completion.bash
        COMP_WORDS=(volt-qemu "$@"); COMP_CWORD=$#
        _volt_qemu {CLI} "${{COMP_WORDS[COMP_CWORD]}}" "${{COMP_WORDS[COMP_CWORD-1]}}"
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    said = subprocess.run(["bash", "-c", script, "bash", *words], capture_output=True, text=True, check=True)
    assert not said.stderr
    assert set(said.stdout.split()) == {manifest_path(root).stem if word == "REVISION" else word for word in expected}
