# SPDX-License-Identifier: MIT
"""The C texts of README and guide, compiled and run as they stand there."""
import json
import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest

import boots
from store_cli import CLI
from systemd_user import Unavailable, UserSystemd

SOURCE = Path(__file__).resolve().parents[2]
KEY = SOURCE / "tests/cases/signatures/signify.pub"
BUILD = Path(os.environ.get("BUILD_DIR", SOURCE / "build"))
STRICT = ["-std=c99", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]

# Calls each function of the guide: GUIDE STORE DIRECTORY COMMAND KEY
CALLER = r"""
#include <stdlib.h>
static int fail(vqemu_error *error) {
    explain(error);
    vqemu_error_free(error);
    return 1;
}
int main(int argc, char **argv) {
    static char saved[1 << 20];
    volatile sig_atomic_t interrupted = 0;
    vqemu_error *error = NULL;
    vqemu_store *store = NULL;
    vqemu_vm *vm = NULL;
    vqemu_selection *selection = NULL;
    char *json = NULL;
    if (argc != 5)
        return 2;
    if (vqemu_store_open_root(argv[1], VQEMU_STORE_CREATE, &store, &error) < 0 ||
        take_in(store, argv[2], &interrupted, &error) < 0 || describe(&vm, &error) < 0 ||
        choose(vm, store, &selection, &error) < 0 || vqemu_vm_to_json(vm, 0, &json, &error) < 0)
        return fail(error);
    printf("profile %s\n%s", vqemu_profile_name(vqemu_selection_profile(selection)), json);
    vqemu_runtime *runtime = NULL;
    vqemu_command *command = NULL;
    if (vqemu_resolve(store, selection, NULL, 0, NULL, &runtime, &error) < 0)
        return fail(error);
    if (build_for_tenant(runtime, vm, &command, &error) != VQEMU_ERR_DENIED)
        return 3;
    /* What runs in the tests of the guide may be no QEMU. */
    int checked = build_checked(runtime, store, vm, &command, &error);
    if (checked != 0 && checked != VQEMU_ERR_PROGRAM_FAILED && checked != VQEMU_ERR_SYSTEM)
        return fail(error);
    vqemu_command_unref(command);
    vqemu_runtime_unref(runtime);
    /* Nobody has signed it. */
    vqemu_store *strict = NULL;
    vqemu_runtime *unsigned_one = NULL;
    if (open_signed(argv[1], argv[4], &strict, &error) < 0)
        return fail(error);
    if (vqemu_resolve(strict, selection, NULL, 0, NULL, &unsigned_one, &error) != VQEMU_ERR_UNTRUSTED)
        return 4;
    vqemu_store_unref(strict);
    /* The errors that explain() knows. */
    vqemu_vm_set_number(vm, "memroy", 1, &error);
    explain(error);
    vqemu_revision *none = NULL;
    vqemu_store_find_revision(store, "kvm-uefi", 0, NULL, &none, &error);
    explain(error);
    /* There is no such registry: it is given up at once. */
    vqemu_call *call = NULL;
    if (vqemu_call_new(&call, &error) < 0)
        return fail(error);
    vqemu_call_cancel(call);
    if (pull(store, call, &error) != VQEMU_ERR_CANCELLED)
        return 5;
    vqemu_call_unref(call);
    vqemu_error_free(error);
    vqemu_free(json);
    vqemu_selection_free(selection);
    vqemu_vm_free(vm);
    vqemu_store_unref(store);
    error = NULL;
    FILE *file = fopen(argv[3], "r");
    size_t size = file ? fread(saved, 1, sizeof saved, file) : 0;
    if (file)
        fclose(file);
    return size > 0 && stop(saved, size, &error) < 0 ? fail(error) : 0;
}
"""

# A command that was built by another program, kept for a later one.
SAVER = r"""
#include <stdio.h>
#include <volt-qemu/volt-qemu.h>
int main(int argc, char **argv) {
    vqemu_error *error = NULL;
    vqemu_host *host = NULL;
    vqemu_vm *vm = NULL;
    vqemu_request *request = NULL;
    vqemu_selection *selection = NULL;
    vqemu_store *store = NULL;
    vqemu_runtime *runtime = NULL;
    vqemu_command *command = NULL;
    char *text = NULL;
    if (argc != 3 || vqemu_host_probe(0, &host, &error) < 0 || vqemu_vm_from_file(argv[2], 0, &vm, &error) < 0 ||
        vqemu_request_new(&request, &error) < 0 || vqemu_request_set_vm(request, vm, 0, &error) < 0 ||
        vqemu_select(host, request, 0, &selection, &error) < 0 ||
        vqemu_store_open_root(argv[1], 0, &store, &error) < 0 ||
        vqemu_resolve(store, selection, NULL, 0, NULL, &runtime, &error) < 0 ||
        vqemu_command_build(runtime, vm, NULL, 0, NULL, &command, &error) < 0 ||
        vqemu_command_save(command, 0, &text, &error) < 0)
        return fprintf(stderr, "%s\n", vqemu_error_message(error)), 1;
    return fputs(text, stdout) < 0;
}
"""


def c_texts(document):
    return re.findall(r"^```c\n(.*?)^```$", (SOURCE / document).read_text(), re.M | re.S)


DISTRIBUTION = (SOURCE / "docs/distribution.md").read_text()


def shell_lines():
    """The commands of the page, as they are typed, and of its units."""
    lines = re.findall(r"^    (volt-qemu .*)$", DISTRIBUTION, re.M)
    return lines + re.findall(r"^ExecStart=/usr/bin/(volt-qemu .*)$", DISTRIBUTION, re.M)


@pytest.mark.parametrize("line", shell_lines())
def test_the_commands_of_the_page_about_distribution_have_these_options(line):
    words = shlex.split(line.partition(">")[0])
    told = subprocess.run([CLI, words[1], "--help"], capture_output=True, text=True, check=True).stdout
    for option in [word for word in words if word.startswith("--")]:
        assert re.search(rf"{re.escape(option)}\b", told), option


def test_the_units_of_the_page_about_distribution_are_good(tmp_path):
    units = dict(re.findall(r"^```systemd (\S+)\n(.*?)^```$", DISTRIBUTION, re.M | re.S))
    assert units.keys() == {"volt-pull@.service", "volt-pull@.timer"}
    for name, text in units.items():
        (tmp_path / name).write_text(text.replace("/usr/bin/volt-qemu", str(CLI)))
    links = [tmp_path / name.replace("@", "@kvm-linux") for name in units]
    for link, name in zip(links, units):
        link.symlink_to(name)
    try:
        verdict = UserSystemd.verify_files(links)
    except Unavailable as reason:
        pytest.skip(str(reason))
    assert verdict.good, verdict


def compile_program(directory, name, text):
    source = directory / f"{name}.c"
    source.write_text(text)
    run = subprocess.run(
        ["cc", *STRICT, "-o", directory / name, source, f"-I{SOURCE}/include", f"-I{BUILD}/include",
         f"-L{BUILD}/lib", "-lvoltqemu", f"-Wl,-rpath,{BUILD}/lib"], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return directory / name


@pytest.fixture(scope="module")
def guide(tmp_path_factory):
    """A program of all the guide's texts, and a main() that calls them."""
    texts = c_texts("docs/guide.md")
    assert len(texts) >= 6
    return compile_program(tmp_path_factory.mktemp("guide"), "guide", "\n".join(texts) + CALLER)


def document(boot_store, guest, directory, **more):
    """A VM that boots from a directory, and its file."""
    vm = boots.Vm(boot_store, "x86_64", directory, {
        "kernel": str(guest.kernel), "initrd": str(guest.initrd), "rootfs": str(guest.rootfs),
        "profile": "emulate-x86", "guest_arch": "x86_64", **more})
    path = directory / "document.json"
    path.write_text(json.dumps(vm.document))
    return vm, path


def test_the_program_of_the_readme_boots_a_guest(boot_store, guest_of, tmp_path):
    (text,) = c_texts("README.md")
    program = compile_program(tmp_path, "run-vm", text)
    _, path = document(boot_store, guest_of("x86_64"), tmp_path)
    run = subprocess.run([program, boot_store.root, path], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                         timeout=300, check=False, errors="replace")
    ready = boots.Console(run.stdout, run.returncode).ready()
    assert 400 << 10 < int(ready["memory"]) <= 512 << 10, "the README's memory is the guest's"


def test_the_program_of_the_readme_says_what_is_wrong(tmp_path):
    (text,) = c_texts("README.md")
    program = compile_program(tmp_path, "run-vm", text)
    (tmp_path / "vm.json").write_text('{"name": "web", "profile": "emulate-x86", "disks": [{"fiel": "/x"}]}')
    for words, status, said in [([], 2, "usage:"), (["/nowhere", tmp_path / "vm.json"], 1, "disks[0].fiel"),
                                (["/nowhere", tmp_path / "none.json"], 1, f"{tmp_path}/none.json")]:
        run = subprocess.run([program, *words], capture_output=True, text=True, check=False)
        assert run.returncode == status and said in run.stderr, run.stderr
    (tmp_path / "vm.json").write_text('{"name": "web", "profile": "emulate-x86"}')
    run = subprocess.run([program, tmp_path, tmp_path / "vm.json"], capture_output=True, text=True, check=False)
    assert run.returncode == 1 and f"{tmp_path}/cas/objects" in run.stderr, run.stderr


def test_the_texts_of_the_guide_do_what_they_are_for(guide, tmp_path):
    profile = tmp_path / "profile"
    for path, text in {"bin/qemu-system-x86_64": "#!/bin/sh\n", "firmware/bios.bin": "bios"}.items():
        (profile / path).parent.mkdir(parents=True, exist_ok=True)
        (profile / path).write_text(text)
    run = subprocess.run([guide, tmp_path / "store", profile, "/nowhere", KEY], capture_output=True, text=True,
                         check=False)
    assert run.returncode == 0, run.stderr
    printed = run.stdout.splitlines()
    assert re.fullmatch(r"emulate-x86-[0-9a-f]{8}: 2 of 2 objects are new", printed[0])
    assert printed[1] == "profile emulate-x86"
    described = json.loads("\n".join(printed[2:]))
    assert described == {"name": "web", "memory": 512, "rng": True,
                         "disks": [{"file": "/srv/web.qcow2", "format": "qcow2"}],
                         "nics": [{"forwards": [{"host_port": 2222, "guest_port": 22}]}]}
    assert re.search(r"^hash \d+ of \d+ bytes$", run.stderr, re.M)
    assert re.search(r"^instead of memroy there are: .*memory", run.stderr, re.M)
    assert "put kvm-uefi into the store first" in run.stderr
    denied = re.search(r"^the tenant may not have: (.*)$", run.stderr, re.M)[1].split(", ")
    assert set(denied) == {"name", "disks[0].file", "disks[0].format", "nics[0].isolated",
                           "nics[0].forwards[0].host_port"}


def test_the_guide_stops_a_guest_of_another_program(guide, boot_store, guest_of, tmp_path):
    vm, path = document(boot_store, guest_of("x86_64"), tmp_path, qmp_socket=str(tmp_path / "qmp.sock"))
    saver = compile_program(tmp_path, "saver", SAVER)
    saved = subprocess.run([saver, boot_store.root, path], capture_output=True, text=True, check=False)
    assert saved.returncode == 0, saved.stderr
    (tmp_path / "web.command").write_text(saved.stdout)
    with vm.ask("powerbutton:1").started() as running:
        running.wait_for("REPORT waiting event", 300)
        (tmp_path / "profile/bin").mkdir(parents=True)
        (tmp_path / "profile/bin/qemu-system-x86_64").write_text("#!/bin/sh\n")
        run = subprocess.run([guide, tmp_path / "store", tmp_path / "profile", tmp_path / "web.command", KEY],
                             capture_output=True, text=True, check=False, timeout=300)
        assert run.returncode == 0, run.stderr
        console = running.wait(60)
    assert [report["pressed"] for report in console.reports("powerbutton")] == ["yes"]
