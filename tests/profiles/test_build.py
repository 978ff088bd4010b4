# SPDX-License-Identifier: MIT
"""examples/profiles/build: what it says of mistakes, before it does anything."""
import fcntl
import os
import shutil
import signal
import subprocess
import time

import pytest
from recipes import NAMES, RECIPES, SOURCE

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to make files of others")


def test_a_recipe_that_is_not_there_is_told_with_those_that_are():
    run = subprocess.run([RECIPES / "build", "--profile", "kvm-linus"], capture_output=True, text=True, check=False)
    assert run.returncode == 1 and run.stderr == (
        f"profiles/build: there is no profile kvm-linus: the recipes are {' '.join(NAMES)}\n")


@pytest.mark.parametrize("words, message", [
    (["--what"], "unknown option --what; see --help"),
    (["kvm-linux"], "unknown option kvm-linux; see --help"),
    (["--profile"], "--profile needs a value; see --help"),
    (["--jobs", "many"], "--jobs takes a number, not many"),
])
def test_a_mistake_in_the_options_is_told(words, message):
    run = subprocess.run([RECIPES / "build", *words], capture_output=True, text=True, check=False)
    assert run.returncode == 1 and run.stderr == f"profiles/build: {message}\n"


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="other hosts are others elsewhere")
@pytest.mark.parametrize("words, message", [
    (["--host", "riscv64"], "--host riscv64: for hosts of other architectures than this one's, x86_64, profiles can be "
     "made if that is aarch64; build this one there"),
    (["--host", "aarch64", "--static"], "--static is for hosts of this machine's architecture, x86_64, and no others"),
    (["--host", "aarch64", "--profile", "kvm-uefi"],
     "there is no recipe of kvm-uefi for hosts of the architecture aarch64"),
])
def test_hosts_that_profiles_cannot_be_made_for_are_told(words, message):
    run = subprocess.run([RECIPES / "build", *words], capture_output=True, text=True, check=False)
    assert run.returncode == 1 and run.stderr == f"profiles/build: {message}\n"


def lint(source, work):
    run = subprocess.run([RECIPES / "build", "--lint", "--profile", "kvm-linux", "--source", source, "--work", work],
                         capture_output=True, text=True, check=False)
    assert run.returncode == 1, run
    return run.stderr


def test_source_that_is_other_than_what_is_pinned_is_refused(tmp_path):
    name = "qemu_7.2+dfsg-7+deb12u18.dsc"
    (tmp_path / name).write_text("other")
    assert f"{name} is other than what the file sources has pinned" in lint(tmp_path, tmp_path / "work")


def test_a_directory_without_source_is_told(tmp_path):
    assert lint(tmp_path, tmp_path / "work") == (
        f"profiles/build: {tmp_path} has neither a source package qemu, a .dsc, nor the source itself, a configure and "
        "a VERSION\n")
    assert lint(tmp_path / "x", tmp_path / "work") == f"profiles/build: {tmp_path}/x is no directory\n"


def test_a_path_that_qemus_build_does_not_bear_is_told(tmp_path):
    assert "its path has other letters than" in lint(tmp_path, tmp_path / "with a blank")


def test_two_builds_do_not_work_in_one_directory(tmp_path):
    with open(tmp_path / "lock", "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert lint(tmp_path, tmp_path) == f"profiles/build: another build is at work in {tmp_path}\n"


# ---- what is named ----

@pytest.mark.parametrize("name", ["../profiles/microvm", "k*", "my prof", "Ünï", "-x", ""])
def test_what_cannot_be_the_name_of_a_profile_is_refused(name):
    run = subprocess.run([RECIPES / "build", "--profile", name], capture_output=True, text=True, check=False)
    assert run.returncode == 1 and run.stderr.startswith(f"profiles/build: {name} cannot be the name of a profile")


@pytest.fixture
def copied(tmp_path):
    """The scripts, to be changed."""
    (tmp_path / "examples").mkdir()
    for name in ("profiles", "install-packages", "libraries.sh"):
        (shutil.copytree if name == "profiles" else shutil.copy)(SOURCE / "examples" / name, tmp_path / "examples" / name)
    return tmp_path / "examples/profiles"


@pytest.mark.parametrize("changed, message", [
    (lambda text: text.replace("accel kvm", ""), "which is none of the library's own, must say accel and guests"),
    (lambda text: text + "firmware seabios /usr/share/seabios/bios-256k.bin ../../x.bin\n",
     "puts firmware outside of its directory: ../../x.bin"),
    (lambda text: text + "firmware seabios /usr/share/seabios/bios-256k.bin /tmp/x.bin\n",
     "puts firmware outside of its directory: /tmp/x.bin"),
    (lambda text: text + "wheel x86_64", "has a word that is not known: wheel"),
    (lambda text: text + "machine\n", "says nothing behind machine"),
    (lambda text: text.replace("\n", "\r\n"), "has lines that end in CR LF"),
])
def test_a_mistake_in_a_recipe_is_told(copied, changed, message):
    (copied / "microvm").rename(copied / "mine")
    recipe = copied / "mine/recipe"
    recipe.write_bytes(changed(recipe.read_text()).encode())
    run = subprocess.run([copied / "build", "--lint", "--profile", "mine", "--work", copied.parent / "work"],
                         capture_output=True, text=True, check=False)
    assert run.returncode == 1 and message in run.stderr, run.stderr
    assert not (copied.parent / "work").exists()


# ---- directories ----

def test_no_directory_is_replaced_that_is_none_of_its_own(tmp_path):
    (tmp_path / "kvm-linux").mkdir()
    (tmp_path / "kvm-linux/thesis").write_text("mine")
    run = subprocess.run([RECIPES / "build", "--profile", "kvm-linux", "--output", tmp_path, "--work", tmp_path / "w"],
                         capture_output=True, text=True, check=False)
    assert run.returncode == 1 and f"{tmp_path}/kvm-linux is there, and nothing that this script has made" in run.stderr
    assert (tmp_path / "kvm-linux/thesis").exists() and not (tmp_path / "w").exists()


@pytest.mark.parametrize("option", ["--store", "--output"])
def test_where_nothing_can_be_written_is_told_first(option, tmp_path):
    run = subprocess.run([RECIPES / "build", "--profile", "kvm-linux", option, "/proc/self/x", "--work", tmp_path / "w"],
                         capture_output=True, text=True, check=False)
    assert run.returncode == 1 and f"{option} /proc/" in run.stderr and "cannot be written to" in run.stderr
    assert not (tmp_path / "w").exists()


@pytest.mark.parametrize("name", ["--", "-", "work"])
def test_the_work_directory_is_where_it_is_said(name, tmp_path):
    """cd takes one for an option, one for where it was before, and one for a directory elsewhere by CDPATH."""
    (tmp_path / "other/work").mkdir(parents=True)
    (tmp_path / "home").mkdir()
    subprocess.run([RECIPES / "build", "--lint", "--profile", "kvm-linux", "--source", tmp_path, "--work", name],
                   cwd=tmp_path, capture_output=True, check=False,
                   env={**os.environ, "CDPATH": f"{tmp_path}/other", "OLDPWD": str(tmp_path / "home"),
                        "HOME": str(tmp_path / "home")})
    assert (tmp_path / name / "lock").is_file()
    assert not list((tmp_path / "home").iterdir()) and not list((tmp_path / "other/work").iterdir())


def test_it_finds_itself_whatever_cdpath_is(tmp_path):
    run = subprocess.run(["examples/profiles/build", "--help"], cwd=SOURCE, capture_output=True, text=True, check=False,
                         env={**os.environ, "CDPATH": f".:{tmp_path}"})
    assert run.returncode == 0 and not run.stderr


@needs_root
def test_nobody_elses_code_is_run(tmp_path):
    """Others could have put a source tree there whose configure is run."""
    work = tmp_path / "work"
    (work / "source/qemu-1").mkdir(parents=True)
    shutil.chown(work / "source/qemu-1", "nobody")
    assert f"{work}/source/qemu-1 belongs to another user" in lint(tmp_path, work)
    shutil.chown(work / "source/qemu-1", "root")
    work.chmod(0o777)
    assert f"others than its owner may write to {work}" in lint(tmp_path, work)


def test_a_link_in_the_place_of_the_lock_is_not_followed(tmp_path):
    work, precious = tmp_path / "work", tmp_path / "precious"
    work.mkdir(mode=0o755)
    precious.write_text("content")
    (work / "lock").symlink_to(precious)
    assert f"{work}/lock is a link" in lint(tmp_path, work)
    assert precious.read_text() == "content"


# ---- source ----

@pytest.fixture
def tree(tmp_path):
    """What looks like QEMU's source, whose configure knows no options."""
    tree = tmp_path / "tree"
    tree.mkdir()
    for name, text in (("configure", "#!/bin/sh\n"), ("VERSION", "7.2.22\n"), ("meson.build", "x\n")):
        (tree / name).write_text(text)
    (tree / "configure").chmod(0o755)
    (tree / "link").symlink_to("VERSION")
    (tree / "configs/devices/x86_64-softmmu").mkdir(parents=True)
    return tree


def lint_tree(copied, tree, work):
    for patch in (copied / "patches/qemu").glob("*"):  # they fit the real source alone
        patch.unlink()
    run = subprocess.run([copied / "build", "--lint", "--profile", "kvm-linux", "--source", tree, "--work", work],
                         capture_output=True, text=True, check=False)
    assert run.returncode == 1
    return run.stderr


def test_a_changed_tree_is_not_taken_for_what_it_was(copied, tree, tmp_path):
    work = tmp_path / "work"
    assert "does not know the option" in lint_tree(copied, tree, work)
    kept, = (path for path in (work / "source").glob("qemu-*") if path.is_dir())
    assert "does not know the option" in lint_tree(copied, tree, work)
    (kept / "meson.build").write_text("y\n")
    assert f"the source in {kept} was changed since it was put there: remove it" in lint_tree(copied, tree, work)
    shutil.rmtree(kept)
    assert "does not know the option" in lint_tree(copied, tree, work)


@pytest.mark.parametrize("change", [
    lambda tree: (tree / "meson.build").write_text("y\n"), lambda tree: (tree / "meson.build").chmod(0o755),
    lambda tree: (tree / "other").symlink_to("VERSION"), lambda tree: (tree / "meson.build").rename(tree / "x")])
def test_trees_that_differ_are_different_sources(change, copied, tree, tmp_path):
    lint_tree(copied, tree, tmp_path / "work")
    change(tree)
    lint_tree(copied, tree, tmp_path / "work")
    assert len([path for path in (tmp_path / "work/source").glob("qemu-*") if path.is_dir()]) == 2


# ---- compilers ----

def function(script, **environment):
    start = (f"set -euo pipefail; foreign= prefix= sysroot= slirp_config= work=/nonexistent; source {RECIPES}/foreign.sh; "
             f"source {RECIPES}/compile.sh; source {RECIPES}/assemble.sh; ")
    return subprocess.Popen(["bash", "-c", start + script], stdout=subprocess.PIPE, text=True,
                            env={**os.environ, **environment})


def test_an_update_of_a_package_means_compiling_again():
    """Its files are older than what was compiled before, which ninja does not see: the versions tell."""
    with function("packages=(zlib1g-dev); tool_versions") as run:
        told = dict(line.split("\t") for line in run.stdout)
    assert {"zlib1g-dev", "libc6-dev"} <= {name.split(":")[0] for name in told}


@pytest.mark.parametrize("compiler, told", [
    (None, ""), ("gcc", ""), ("ccache gcc", ""), ("/usr/bin/ccache /usr/bin/gcc", ""), ("gcc -O0 -DX", "--cc=gcc -O0 -DX"),
    ("/opt/x/clang", "--cc=clang")])
def test_another_compiler_is_told(compiler, told):
    with function("unset CC; ${GIVEN:+eval CC='$GIVEN'}; told_compiler || true", GIVEN=compiler or "") as run:
        assert run.stdout.read().strip() == (f"option {told}" if told else "")


def test_what_is_at_work_ends_with_the_script():
    with function('clean sh -c "echo \\$\\$; exec sleep 300"') as run:
        child = int(run.stdout.readline())
        run.send_signal(signal.SIGKILL)
        for _ in range(100):
            if not os.path.exists(f"/proc/{child}"):
                break
            time.sleep(0.1)
    assert not os.path.exists(f"/proc/{child}")


@pytest.mark.parametrize("trouble", ["false", "exit 1", "fail there"])
def test_a_directory_that_cannot_be_finished_does_not_appear(trouble, tmp_path):
    """Whatever fails on the way, nothing goes on after it."""
    script = (f'set -euo pipefail; fail() {{ echo "$*"; exit 1; }}; source {RECIPES}/source.sh; '
              f'half() {{ mkdir "$1"; {trouble}; echo went on; }}; appear_as {tmp_path}/it half')
    run = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False)
    assert run.returncode == 1 and "went on" not in run.stdout
    assert not list(tmp_path.iterdir())
