# SPDX-License-Identifier: MIT
"""Profiles that examples/profiles/build made, which VOLT_PROFILES names the directory of (--output): what is in them,
what they say of themselves, and that their QEMUs have all that the library can ask them for."""
import ctypes
import hashlib
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import asked
import pytest
import recipes
from asked import SOURCE

BUILD = Path(os.environ.get("BUILD_DIR", SOURCE / "build"))
CLI = os.environ.get("VOLT_QEMU", str(SOURCE / "build/examples/volt-qemu/volt-qemu"))
sys.path.insert(0, str(SOURCE / "examples/python"))
ctypes.CDLL(str(BUILD / "lib/libvoltqemu.so.1"))  # the package finds it under its SONAME

import emulated  # noqa: E402
import voltqemu  # noqa: E402
from made_profile import purpose_built  # noqa: E402

NAMES = sorted(path.name for path in purpose_built().iterdir() if (path / "share/build.json").exists()) \
    if purpose_built() else []
LIBRARYS_OWN = [name for name in NAMES if name in recipes.LIBRARYS_OWN]
needs_kvm = pytest.mark.skipif(not os.access("/dev/kvm", os.R_OK | os.W_OK), reason="no KVM here")


def recipe_of(name):
    return recipes.recipe(name, emulated.host_of(purpose_built(name)))


def marks(name):
    """Of a test of a profile: one that has KVM alone does not even start without it."""
    if not emulated.can_run(purpose_built(name)):
        return [pytest.mark.skip(reason="its programs cannot be run here")]
    return [needs_kvm] if "--disable-tcg" in recipe_of(name).all("option") else []


GUESTS = [pytest.param(name, arch, marks=marks(name))
          for name in LIBRARYS_OWN for arch in recipe_of(name).programs()]
X86 = [pytest.param(name, marks=marks(name)) for name in LIBRARYS_OWN
       if "x86_64" in recipe_of(name).targets and not emulated.is_foreign(purpose_built(name))]


@pytest.fixture(params=NAMES)
def made(request):
    return purpose_built() / request.param


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    root = tmp_path_factory.mktemp("made") / "store"
    for name in LIBRARYS_OWN:
        subprocess.run([CLI, "--root", root, "ingest", "--whole", "--profile", name, purpose_built() / name],
                       check=True, stdout=subprocess.DEVNULL)
    return voltqemu.Store(root)


def document(made, name):
    return json.loads((made / "share" / name).read_text())


def files_of(made):
    return {str(path.relative_to(made)) for path in made.rglob("*") if path.is_file()}


# ---- what it says of itself ----


def test_it_says_what_it_was_made_of(made):
    told, recipe = document(made, "build.json"), recipe_of(made.name)
    assert told["profile"] == made.name and re.fullmatch("[0-9a-f]{64}", told["recipe"])
    assert set(recipe.all("option")) <= set(told["configure"])
    assert {target: about["devices"] for target, about in told["targets"].items()} == {
        target: sorted(recipe.devices(target)) for target in recipe.targets}
    assert all(about["kconfig"] == recipe.symbols(target) for target, about in told["targets"].items())
    kind = f"-{told['arch']}-linux-gnu" if emulated.is_foreign(made) else ""
    assert re.match(r"([a-z0-9_]+-linux-gnu-)?gcc ", told["compiler"])
    assert {f"gcc{kind}", f"binutils{kind}", "libc6-dev"} <= set(told["toolchain"])
    patches = sorted((recipes.RECIPES / "patches/qemu").glob("*.patch"))
    assert patches and told["source"]["patches"] == [
        {"name": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()} for path in patches]


def test_its_source_is_the_one_that_is_pinned(made):
    pinned = [line.split(" ") for line in (recipes.RECIPES / "sources").read_text().splitlines()]
    assert {(file["sha256"], file["name"]) for file in document(made, "build.json")["source"]["files"]} == {
        (words[2], words[3]) for words in pinned if words[0] == "qemu"}


def test_each_library_and_firmware_has_its_package(made):
    told = document(made, "build.json")
    packages = told["packages"]
    assert set(told["compiled"]) == {f"firmware/opensbi-{arch}-generic-fw_dynamic.bin"
                                     for arch in recipe_of(made.name).all("opensbi")}
    files = [path for package in packages for path in package["files"]] + list(told["compiled"])
    assert sorted(files) == sorted(path for path in files_of(made) if path.startswith(("lib/", "firmware/")))
    assert all(package["version"] and package["source"] for package in packages)
    assert [package["name"] for package in packages if package["license"] == "NOASSERTION"] == []


def test_its_licences_travel_with_it(made):
    names = {path.name for path in (made / "share/licenses").iterdir()}
    assert {"qemu.txt", "GPL-2"} <= names and {"libc6.txt", "libc6-dev.txt"} & names
    assert {f"{line.split()[0]}.txt" for line in recipe_of(made.name).all("firmware")} <= names
    assert ("opensbi.txt" in names) == bool(recipe_of(made.name).all("opensbi"))
    assert all((made / "share/licenses" / name).stat().st_size for name in names)


def test_nothing_of_it_tells_where_it_was_made(made):
    for path in made.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert b"/b/" + made.name.encode() not in content and b"/source/qemu-" not in content, path


def test_its_bill_of_materials_is_complete(made):
    """What SPDX 2.3 demands, and the digest of every file but itself."""
    bill = document(made, "sbom.spdx.json")
    assert (bill["spdxVersion"], bill["dataLicense"], bill["SPDXID"]) == ("SPDX-2.3", "CC0-1.0", "SPDXRef-DOCUMENT")
    created = bill["creationInfo"]
    assert created["creators"] and re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", created["created"])
    assert {file["fileName"].removeprefix("./") for file in bill["files"]} == files_of(made) - {"share/sbom.spdx.json"}
    for file in bill["files"]:
        sums = {sum["algorithm"]: sum["checksumValue"] for sum in file["checksums"]}
        content = (made / file["fileName"]).read_bytes()
        assert sums == {"SHA1": hashlib.sha1(content).hexdigest(), "SHA256": hashlib.sha256(content).hexdigest()}
    identifiers = [thing["SPDXID"] for thing in bill["packages"] + bill["files"]]
    assert len(identifiers) == len(set(identifiers))
    assert all(re.fullmatch(r"SPDXRef-[A-Za-z0-9.-]+", identifier) for identifier in identifiers)
    known = {*identifiers, "SPDXRef-DOCUMENT"}
    for relation in bill["relationships"]:
        assert {relation["spdxElementId"], relation["relatedSpdxElement"]} <= known
    for package in bill["packages"]:
        assert package["name"] and package["downloadLocation"] and package["licenseDeclared"]


# ---- what it can do ----


@pytest.mark.parametrize("name", LIBRARYS_OWN)
def test_a_store_finds_nothing_missing_and_nothing_needless(name, tmp_path):
    run = subprocess.run([CLI, "--root", tmp_path, "--json", "ingest", "--whole", "--profile", name,
                          purpose_built() / name], capture_output=True, text=True, check=True)
    closure = json.loads(run.stdout)["closure"]
    needless = {entry["name"] for entry in closure if entry["state"] == "unused"}
    assert {path for path in needless if not path.startswith("share/")} == set()


@pytest.mark.parametrize("name", LIBRARYS_OWN)
def test_it_is_of_the_architecture_of_its_hosts(name):
    """Each program and library, the loader among them."""
    machines = {"x86_64": 62, "aarch64": 183}  # elf(5): e_machine
    made = purpose_built(name)
    for path in [*made.glob("bin/*"), *made.glob("lib/*")]:
        header = path.read_bytes()[:20]
        assert header[:4] == b"\x7fELF" and int.from_bytes(header[18:20], "little") == machines[emulated.host_of(made)]


def shape_of(argv):
    """A command without the values of its options: what a QEMU has to have for it."""
    return tuple(re.sub(r"(=|: ?)[^,}]*", "", word) if "," in word or "{" in word else "" for word in argv)


def runtime_of(store, name, arch, directory):
    """One of the store; for hosts of another architecture one by hand, with a program that this machine can run."""
    made = purpose_built(name)
    host = voltqemu.Host(emulated.host_of(made), kvm="usable")
    selection = voltqemu.select(host, profile=name, guest_arch=arch)
    if not emulated.is_foreign(made):
        return store.resolve(selection)
    target = recipe_of(name).programs()[arch]
    return voltqemu.Runtime(selection, emulated.write_program(made, target, directory), made / "firmware",
                            module_dir=made)  # which is to be read


# Of the samples, these are values of the VM's own, which no list of devices gives a QEMU of some architectures.
VALUES = re.compile(r'cpu_model: the QEMU .* has no CPU model "max"|cpus: the machine \S+ of this QEMU can have \d+, not 8')


@pytest.mark.parametrize("name, arch", GUESTS)
def test_its_qemu_has_all_that_the_library_can_ask_for(store, name, arch, tmp_path):
    """By its own account: each machine, device, property and backend."""
    runtime = runtime_of(store, name, arch, tmp_path)
    capabilities = runtime.probe(store)
    own = emulated.WITHOUT_SECCOMP if emulated.is_foreign(purpose_built(name)) else {}
    seen, lacking = set(), {}
    for machine in asked.machines_of(arch):
        for key, value, described in asked.documents():
            vm = asked.whole(machine, {**described, **own})
            try:
                command = voltqemu.Command(runtime, voltqemu.VM.from_json(vm))
            except voltqemu.Error:
                continue
            shape = (machine, key, str(value), shape_of(command.argv))
            if shape in seen:
                continue
            seen.add(shape)
            try:
                voltqemu.Command(runtime, voltqemu.VM.from_json(vm), capabilities=capabilities)
            except voltqemu.Error as error:
                if not VALUES.fullmatch(str(error)):
                    lacking[machine, key, str(value)] = str(error)
    assert len(seen) > 200 and lacking == {}


def mapped_files(process):
    lines = (line.split(None, 5) for line in Path(f"/proc/{process}/maps").read_text().splitlines())
    return {words[5] for words in lines if len(words) == 6 and words[5].startswith("/")}


@pytest.mark.parametrize("name", X86)
def test_it_runs_with_nothing_of_the_host(store, name, tmp_path):
    """With all that Linux guests are given mostly."""
    for disk in ("one", "other"):
        (tmp_path / disk).write_bytes(bytes(1 << 20))
    runtime = store.resolve(voltqemu.select(voltqemu.Host("x86_64"), profile=name, guest_arch="x86_64"))
    vm = voltqemu.VM(
        "made", memory=64, runtime_dir=str(tmp_path / "run"), state_dir=str(tmp_path / "state"), firmware="bios",
        disks=[{"file": str(tmp_path / "one")}, {"file": str(tmp_path / "other"), "bus": "scsi"}], nics=[{}],
        shares=[{"path": str(tmp_path), "tag": "t"}], rng=True, balloon=True, watchdog="reset", console="none",
        guest_agent_socket=str(tmp_path / "run/agent"), qmp_socket=str(tmp_path / "run/qmp"), extra_args=["-S"])
    command = voltqemu.Command(runtime, vm, capabilities=runtime.probe(store))
    command.prepare()
    process = command.start()
    try:
        end = time.monotonic() + 60
        while not (tmp_path / "run/qmp").exists():
            assert process.poll() is None and time.monotonic() < end
            time.sleep(0.05)
        own = (f"{runtime.tree}/", "/memfd:", "/dev/")
        foreign = {path for path in mapped_files(process.pid) if not path.startswith(own)}
        assert foreign == set()
    finally:
        process.kill()
        process.wait()


def test_what_it_costs_is_measured():
    """Of one that starts anywhere, beside itself."""
    directory = purpose_built("emulate-x86")
    if not directory:
        pytest.skip("emulate-x86 was not made")
    run = subprocess.run([recipes.RECIPES / "measure", "--profile", "emulate-x86", "--rounds", "1", directory,
                          directory], env={**os.environ, "VOLT_QEMU": CLI}, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    rows = dict(re.split(r"  +", line.strip(), maxsplit=1) for line in run.stdout.splitlines()[1:])
    assert set(rows) >= {"ms until it greets", "ms until ready", "MiB resident", "files", "MB", "device models"}
    assert all(re.fullmatch(r"[\d.e+-]+ +[\d.e+-]+ +[\d.]+", row) for row in rows.values()), run.stdout
