# SPDX-License-Identifier: MIT
"""The installed library, as its users meet it: pkg-config, C, Python, Go."""
import contextlib
import json
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("BUILD_DIR", SOURCE / "build"))
CASES = SOURCE / "tests/cases/commands"

TEN_LINES = r"""
#include <stdio.h>
#include <volt-qemu/volt-qemu.h>
int main(int argc, char **argv) {
    vqemu_host *host = NULL; vqemu_request *request = NULL; vqemu_selection *selection = NULL;
    vqemu_store *store = NULL; vqemu_runtime *runtime = NULL; vqemu_error *error = NULL;
    if (argc != 2 || vqemu_host_probe(0, &host, &error) < 0 ||
        vqemu_request_new(&request, &error) < 0 ||
        vqemu_request_set_string(request, VQEMU_REQUEST_PROFILE, "emulate-x86", &error) < 0 ||
        vqemu_select(host, request, 0, &selection, &error) < 0 ||
        vqemu_store_open_root(argv[1], 0, &store, &error) < 0 ||
        vqemu_resolve(store, selection, NULL, 0, NULL, &runtime, &error) < 0)
        return fprintf(stderr, "%s\n", vqemu_error_message(error)), 1;
    return puts(vqemu_runtime_binary(runtime)) < 0;
}
"""


# Where the code that is compiled is not what the test is about.
QUICK = ("-Dtests=disabled", "-Dexamples=disabled")


def run(*words, **options):
    result = subprocess.run(words, capture_output=True, text=True, check=False, **options)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@contextlib.contextmanager
def built(*options):
    """A build directory, gone afterwards: nothing that was installed may refer to it. The same code is compiled with
    the same options in several, and ccache does so once if they lie beside the one of all tests, since the compiler is
    called with paths from there."""
    cached = {**os.environ, "CCACHE_NOHASHDIR": "1", "CCACHE_DEPEND": "1",
              "CC": "ccache gcc" if shutil.which("ccache") else "gcc"}
    with tempfile.TemporaryDirectory(prefix="build-", dir=BUILD.parent) as directory:
        run("meson", "setup", "-Dwerror=true", directory, SOURCE, *options, env=cached)
        run("meson", "compile", "-C", directory, env=cached)
        yield directory


@pytest.fixture(scope="module")
def prefix(tmp_path_factory):
    """A build, installed below a prefix of its own."""
    base = tmp_path_factory.mktemp("install")
    with built(f"--prefix={base}/prefix", "--libdir=lib", "-Dtests=disabled") as build:
        run("meson", "install", "--no-rebuild", "-C", build)
    return base / "prefix"


@pytest.fixture(scope="module")
def environment(prefix):
    return {**os.environ, "PKG_CONFIG_PATH": str(prefix / "lib/pkgconfig"),
            "LD_LIBRARY_PATH": str(prefix / "lib")}


@pytest.fixture(scope="module")
def root(prefix, environment, tmp_path_factory):
    """A store with a profile whose QEMU prints what it was started with."""
    base = tmp_path_factory.mktemp("store")
    (base / "profile/bin").mkdir(parents=True)
    (base / "profile/firmware").mkdir()
    (base / "profile/firmware/bios.bin").write_text("firmware")
    program = base / "profile/bin/qemu-system-x86_64"
    program.write_text('#!/bin/sh\nprintf "%s\\n" "$@" ${PKG_CONFIG_PATH+"the caller\'s environment"}\n')
    run(prefix / "bin/volt-qemu", "--root", base / "store", "build", "--profile", "emulate-x86",
        base / "profile", env=environment)
    return base / "store"


def files_below(directory):
    return [path for path in directory.rglob("*") if path.is_file()]


def test_everything_is_installed_where_it_belongs(prefix):
    installed = {str(path.relative_to(prefix)) for path in prefix.rglob("*") if not path.is_dir()}
    headers = {f"include/volt-qemu/{path.name}"
               for path in (SOURCE / "include/volt-qemu").glob("*.h")}
    assert installed == headers | {
        "include/volt-qemu/version.h", "bin/volt-qemu", "lib/libvoltqemu.so",
        "lib/libvoltqemu.so.1", "lib/libvoltqemu.so.1.0.0", "lib/pkgconfig/volt-qemu.pc",
        "share/man/man1/volt-qemu.1", "share/doc/volt-qemu/LICENSE",
        "share/doc/volt-qemu/docs/policy.schema.json", "share/doc/volt-qemu/docs/vm.schema.json",
        "share/doc/volt-qemu/examples/daemon/daemon.c", "share/doc/volt-qemu/examples/make-profile",
        "share/doc/volt-qemu/examples/libraries.sh", "share/doc/volt-qemu/examples/install-packages",
        *(f"share/doc/volt-qemu/{path.relative_to(SOURCE)}"
          for path in [*SOURCE.glob("docs/*.md"), *SOURCE.glob("examples/vms/*.json"),
                       *SOURCE.glob("examples/policies/*.json"), *files_below(SOURCE / "examples/profiles")]),
        "share/bash-completion/completions/volt-qemu"}


@pytest.mark.extended  # compiles all of the library with every optimization
@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_a_release_build_has_no_warnings(compiler, tmp_path):
    """With more optimization, compilers see more, and suspect more."""
    run("meson", "setup", "--buildtype=release", "-Dwerror=true", "-Dtests=disabled", tmp_path, SOURCE,
        env={**os.environ, "CC": compiler})
    run("meson", "compile", "-C", tmp_path)


def test_a_packager_installs_parts_by_their_tags(tmp_path):
    run("meson", "setup", tmp_path / "build", SOURCE, "-Dpython=enabled", *QUICK)
    plan = json.loads(run("meson", "introspect", "--install-plan", tmp_path / "build"))
    tags = {name: entry["tag"] for entries in plan.values() for name, entry in entries.items()}
    assert set(tags.values()) == {"runtime", "devel", "doc", "man", "python-runtime"}, tags


def test_what_headers_and_documents_name_is_installed(prefix, environment):
    """Also what documents link to; what is QEMU's own is not ours."""
    base = Path(run("pkg-config", "--variable=docdir", "volt-qemu", env=environment).strip())
    assert base == prefix / "share/doc/volt-qemu"
    texts = {path: path.read_text() for path in [
        *prefix.glob("include/volt-qemu/*.h"), prefix / "share/man/man1/volt-qemu.1", *base.glob("docs/*.md")]}
    named = {name.rstrip(".") for text in texts.values()
             for name in re.findall(r"\b(?:docs|examples)/[\w./-]+", text)}
    assert {"docs/errors.md", "docs/vm.md", "examples/vms"} <= named
    assert [name for name in named if not re.match("docs/(interop|system|specs)/", name) and not (base / name).exists()] == []
    links = [(path, link) for path, text in texts.items() if path.suffix == ".md"
             for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text)]
    assert len(links) > 4 and [link for path, link in links if not (path.parent / link).exists()] == []
    assert all(os.access(base / "examples" / name, os.X_OK) for name in ("make-profile", "install-packages", "profiles/build"))


def test_ten_lines_of_c_resolve_a_profile(environment, root, tmp_path):
    flags = run("pkg-config", "--cflags", "--libs", "volt-qemu", env=environment).split()
    assert "-lvoltqemu" in flags and "-ljansson" not in flags
    (tmp_path / "ten-lines.c").write_text(TEN_LINES)
    run("cc", "-Wall", "-Wextra", "-Werror", "-o", tmp_path / "ten-lines", tmp_path / "ten-lines.c",
        *flags)
    binary = run(tmp_path / "ten-lines", root, env=environment).strip()
    assert binary.startswith(f"{root}/qemu/trees/") and os.access(binary, os.X_OK)
    failed = subprocess.run([tmp_path / "ten-lines", tmp_path], capture_output=True, text=True,
                            env=environment, check=False)
    assert failed.returncode == 1 and f"{tmp_path}/cas/objects is missing" in failed.stderr


def test_libraries_go_where_the_packager_says(tmp_path):
    run("meson", "setup", tmp_path / "build", SOURCE, "--prefix=/usr", "--libdir=/usr/lib/triplet",
        "-Dtests=disabled", "-Dexamples=disabled")
    lines = (tmp_path / "build/volt-qemu.pc").read_text().splitlines()
    assert "libdir=${prefix}/lib/triplet" in lines and "includedir=${prefix}/include" in lines


def test_directories_outside_of_the_prefix_are_kept(tmp_path):
    run("meson", "setup", tmp_path / "build", SOURCE, "--prefix=/usr", "--includedir=/opt/headers",
        "--libdir=/opt/lib", "-Dtests=disabled", "-Dexamples=disabled", "-Dcli=disabled")
    lines = (tmp_path / "build/volt-qemu.pc").read_text().splitlines()
    assert "libdir=/opt/lib" in lines and "includedir=/opt/headers" in lines and "volt_qemu=" in lines


def test_a_tree_that_was_moved_finds_itself(tmp_path):
    with built("--prefix=/opt/volt", "--libdir=lib/triplet", *QUICK, "-Dpkgconfig.relocatable=true", "-Dcli=disabled",
               "-Ddocs=disabled") as build:
        run("meson", "install", "--no-rebuild", "-C", build, env={**os.environ, "DESTDIR": str(tmp_path / "packed")})
    moved = tmp_path / "packed/opt/volt"
    shutil.move(moved, tmp_path / "elsewhere")
    environment = {**os.environ, "PKG_CONFIG_PATH": str(tmp_path / "elsewhere/lib/triplet/pkgconfig")}
    flags = run("pkg-config", "--cflags", "--libs", "volt-qemu", env=environment).split()
    (tmp_path / "ten-lines.c").write_text(TEN_LINES)
    run("cc", "-o", tmp_path / "ten-lines", tmp_path / "ten-lines.c", *flags)
    failed = subprocess.run([tmp_path / "ten-lines", tmp_path], capture_output=True, text=True, check=False,
                            env={**environment, "LD_LIBRARY_PATH": str(tmp_path / "elsewhere/lib/triplet")})
    assert failed.returncode == 1 and "cas/objects is missing" in failed.stderr


def test_a_relocatable_tree_is_one(tmp_path):
    refused = subprocess.run(["meson", "setup", tmp_path / "build", SOURCE, "--prefix=/opt/volt", "--libdir=/usr/lib",
                              "-Dpkgconfig.relocatable=true", "-Dtests=disabled"], capture_output=True, text=True, check=False)
    assert refused.returncode != 0 and "needs a libdir below the prefix" in refused.stdout


def test_pkg_config_names_the_command_line_and_nothing_private(prefix, environment):
    ask = ["pkg-config", "volt-qemu"]
    assert run(*ask, "--variable=volt_qemu", env=environment).strip() == f"{prefix}/bin/volt-qemu"
    assert run(*ask, "--print-requires-private", env=environment) == ""


def test_a_static_library_can_be_asked_for_and_linked(tmp_path):
    with built(f"--prefix={tmp_path}/prefix", "--libdir=lib", *QUICK, "-Ddefault_library=static") as build:
        run("meson", "install", "--no-rebuild", "-C", build)
    assert not list((tmp_path / "prefix/lib").glob("*.so*"))
    environment = {**os.environ, "PKG_CONFIG_PATH": str(tmp_path / "prefix/lib/pkgconfig")}
    flags = run("pkg-config", "--static", "--cflags", "--libs", "volt-qemu", env=environment).split()
    # Only the public names are the library's: a program may use all others.
    (tmp_path / "ten-lines.c").write_text(TEN_LINES + "void options_free(void) {}\nvoid error_set(void) {}\n")
    run("cc", "-o", tmp_path / "ten-lines", tmp_path / "ten-lines.c", *flags)
    linked = run("ldd", tmp_path / "ten-lines")
    assert "libjansson" in linked and "voltqemu" not in linked
    assert run(tmp_path / "prefix/bin/volt-qemu", "version").startswith("volt-qemu")


def test_a_project_of_meson_can_have_it_as_a_subproject(tmp_path, request):
    """Compiled, too, with --extended."""
    (tmp_path / "subprojects").mkdir()
    (tmp_path / "subprojects/volt-qemu").symlink_to(SOURCE)
    (tmp_path / "meson.build").write_text(
        "project('user', 'c')\n"
        "executable('user', 'user.c', dependencies: dependency('volt-qemu',\n"
        "  fallback: ['volt-qemu'], default_options: ['tests=disabled', 'examples=disabled', 'cli=disabled']))\n")
    (tmp_path / "user.c").write_text(
        "#include <volt-qemu/volt-qemu.h>\nint main(void) { return vqemu_version_number() == 0; }\n")
    run("meson", "setup", "--force-fallback-for=volt-qemu", "--buildtype=debug", tmp_path / "build", tmp_path)
    assert "subprojects/volt-qemu/lib/libvoltqemu.so" in run("ninja", "-C", tmp_path / "build", "-t", "query", "user")
    if request.config.getoption("--extended"):
        run("meson", "compile", "-C", tmp_path / "build")
        run(tmp_path / "build/user")


def test_another_c_library_is_refused_plainly(tmp_path):
    result = subprocess.run(["meson", "setup", tmp_path / "build", SOURCE, "-Dtests=disabled"], capture_output=True,
                            text=True, check=False, env={**os.environ, "CC": "musl-gcc"})
    assert result.returncode != 0 and "needs the GNU C library (glibc)" in result.stdout


def check_binding(printed, ran):
    command = json.loads(printed)
    assert command["profile"] == "emulate-x86" and command["message"]
    assert "guest=volt-web,,1,process=volt-web,,1,debug-threads=on" in command["argv"]
    assert command["digest"]
    assert ran.splitlines() == command["argv"][1:]


def test_the_python_example_builds_and_runs_a_command(environment, root):
    words = ["/usr/bin/python3", SOURCE / "examples/python/run_vm.py", "--root", root, "--profile",
             "emulate-x86", "--name", "web,1", "--memory", "512", "--kernel", SOURCE / "LICENSE"]
    check_binding(run(*words, env=environment), run(*words, "--run", env=environment))


def test_the_python_example_reports_errors(environment, root, tmp_path):
    result = subprocess.run(
        ["/usr/bin/python3", SOURCE / "examples/python/run_vm.py", "--root", tmp_path, "--name", "x"],
        capture_output=True, text=True, env=environment, check=False)
    assert result.returncode == 1 and result.stderr.startswith("run_vm.py: there is no store here")


@pytest.fixture(scope="module")
def go(environment, tmp_path_factory):
    """Runs the go command on the module."""
    base = tmp_path_factory.mktemp("go")
    settings = {**environment, "GOFLAGS": "-mod=mod", "GOPROXY": "off", "GOCACHE": str(base)}

    def go(*words, cwd=SOURCE / "examples/go"):
        return run("go", *words, cwd=cwd, env=settings)

    return go


@pytest.fixture(scope="module")
def go_program(go, tmp_path_factory):
    program = tmp_path_factory.mktemp("program") / "run-vm"
    go("build", "-o", program, "./cmd/run-vm")
    return program


def test_the_go_package_passes_its_tests(go):
    assert run("gofmt", "-l", SOURCE / "examples/go") == ""
    # All of vet's checks, while the tests are compiled: by itself it compiles all that is C once more.
    output = go("test", "-vet=all", "-count=1", "-v", "./...")
    written = sum(path.read_text().count("\nfunc Test") for path in (SOURCE / "examples/go").glob("*_test.go"))
    assert output.count("--- PASS") == written > 50 and "--- SKIP" not in output


@pytest.mark.extended  # compiles all of Go's library once more
def test_the_go_package_has_no_races(go):
    if not list(Path(run("go", "env", "GOROOT").strip()).glob("src/runtime/race/**/race_linux_*.syso")):
        pytest.skip("this Go has no race detector")
    go("test", "-race", "-count=1", "./...")


GO_USER = """
package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"volt-qemu.org/go/voltqemu"
)

func main() {
	ctx, cancel := context.WithCancel(context.Background())
	host, err := voltqemu.NewHost(voltqemu.HostOptions{Arch: "x86_64", KVM: "absent"})
	store, another := voltqemu.OpenStore(os.Args[1])
	if err != nil || another != nil {
		fmt.Println(err, another, errors.Is(another, voltqemu.ErrNoStore), errors.Is(another, fs.ErrNotExist))
		os.Exit(1)
	}
	defer store.Close()
	selection, err := voltqemu.Select(ctx, host, voltqemu.Request{Store: store})
	if err != nil {
		panic(err)
	}
	resolved, err := store.Resolve(ctx, selection, voltqemu.ResolveOptions{})
	if err != nil {
		panic(err)
	}
	fmt.Println(resolved.Binary)
	cancel()
	_, err = store.Find(ctx, "kvm-linux")
	fmt.Println(errors.Is(err, context.Canceled), errors.Is(err, voltqemu.ErrCancelled))
	_, err = store.Find(context.Background(), "kvm-linux")
	fmt.Println(errors.Is(err, voltqemu.ErrNoRevision), errors.Is(err, voltqemu.ErrBusy))
}
"""


def test_a_go_module_outside_of_the_tree_uses_the_package(environment, go, root, tmp_path):
    path = re.search(r"^module (\S+)$", (SOURCE / "examples/go/go.mod").read_text(), re.M).group(1)
    assert re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)+(/[a-z0-9-]+)+", path) and path.endswith("/voltqemu")
    module = tmp_path / "user"
    module.mkdir()
    (module / "go.mod").write_text(f"module user.test/program\n\ngo 1.19\n\nrequire {path} v0.0.0\n\n"
                                   f"replace {path} => {SOURCE}/examples/go\n")
    (module / "main.go").write_text(GO_USER)
    go("build", "-o", tmp_path / "program", ".", cwd=module)
    binary, cancelled, absent = run(tmp_path / "program", root, env=environment).splitlines()
    assert binary.startswith(f"{root}/qemu/trees/") and cancelled == "true true" and absent == "true false"
    failed = subprocess.run([tmp_path / "program", tmp_path], capture_output=True, text=True, env=environment,
                            check=False)
    assert failed.returncode == 1 and failed.stdout.endswith("true true\n")


def test_the_go_example_builds_and_runs_a_command(environment, root, go_program):
    words = [go_program, "-root", root, "-profile", "emulate-x86", "-name", "web,1", "-memory", "512",
             "-kernel", SOURCE / "LICENSE"]
    check_binding(run(*words, env=environment), run(*words, "-run", env=environment))


def test_the_go_example_reports_errors(environment, go_program, tmp_path):
    result = subprocess.run([go_program, "-root", tmp_path, "-name", "x"], capture_output=True,
                            text=True, env=environment, check=False)
    assert result.returncode == 1 and result.stderr.startswith("run-vm: there is no store here")


def for_this_host(document, directory):
    """A copy that does not insist on vhost-net: the examples look at the host that they are on."""
    vm = json.loads(Path(document).read_text())
    for nic in vm.get("nics", []):
        nic.pop("vhost", None)
    copy = directory / "vm.json"
    copy.write_text(json.dumps(vm))
    return copy


@pytest.mark.parametrize("words", [["--name", "y", "--vm", CASES / "emulate-x86-defaults/vm.json"],
                                   ["--vm", CASES / "guest-linux-server/vm.json"],
                                   ["--vm", CASES / "guest-with-everything/vm.json", "--memory", "4096"]],
                         ids=["name", "server", "everything"])
def test_both_bindings_build_the_command_of_the_cli(prefix, environment, root, go_program, words, tmp_path):
    words = ["--root", root, "--profile", "emulate-x86", *words]
    place = words.index("--vm") + 1
    words[place] = for_this_host(words[place], tmp_path)
    cli = json.loads(run(prefix / "bin/volt-qemu", "args", "--json", *words, env=environment))
    python = json.loads(run("/usr/bin/python3", SOURCE / "examples/python/run_vm.py", *words, env=environment))
    go = json.loads(run(go_program, *words, env=environment))
    assert python["digest"] == go["digest"] == cli["digest"]
