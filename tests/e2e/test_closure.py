# SPDX-License-Identifier: MIT
"""A profile of the installed QEMU with each single file removed: its closure names the file, or the file is needless,
which guests prove that run without all such files."""
import hashlib
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
EXAMPLES = HERE.parents[1] / "examples"
CLI = os.environ.get("VOLT_QEMU", str(HERE.parents[1] / "build/examples/volt-qemu/volt-qemu"))
DEADLINE = 300  # seconds; a boot takes 2 to 20 on a quiet machine
MARKER = "VOLT-GUEST-READY"
ABILITIES = {"kvm", "tcg", "display", "usb", "tpm", "uefi", "storage", "nics", "hyperv"}
PROBLEMS = {"missing", "from-host", "unusable", "unknown"}


def run_volt(root, *words):
    return subprocess.run([CLI, "--root", root, *words], capture_output=True, text=True, check=False,
                          stdin=subprocess.DEVNULL, errors="replace", timeout=DEADLINE)


def volt(root, *words):
    run = run_volt(root, *words)
    assert run.returncode == 0, run.stderr + run.stdout[-3000:]
    return run.stdout


def closure_of(root, directory, profile):
    return json.loads(volt(root, "--json", "ingest", "--profile", profile, directory))["closure"]


def files_of(directory):
    return sorted(str(path.relative_to(directory)) for path in directory.rglob("*") if path.is_file())


def problems(closure):
    return [entry["message"] for entry in closure if entry["state"] in PROBLEMS]


class Made:
    """A profile of the installed QEMU, and the closure of it."""

    def __init__(self, base, profile, arches):
        self.profile = profile
        self.directory, self.root = base / "profile", base / "store"
        subprocess.run([EXAMPLES / "make-profile", self.directory, *arches], check=True, stdout=subprocess.DEVNULL)
        self.closure = closure_of(self.root, self.directory, profile)

    def needless(self):
        """What nothing asks for. Without descriptors of UEFI firmware, its images are found by their names."""
        return {entry["name"] for entry in self.closure if entry["state"] == "unused"} | {
            path for path in files_of(self.directory) if path.startswith("firmware/firmware/")}

    def closures_without_each(self):
        """path -> the closure of the profile without it: by manifests, of which the objects are hashed once."""
        refs = self.root / "cas/refs"
        text = next(refs.glob(f"{self.profile}-*.json")).read_text()
        names = {}
        for path in json.loads(text)["objects"]:
            manifest = json.loads(text)
            del manifest["objects"][path]
            manifest.get("modes", {}).pop(path, None)
            made = json.dumps(manifest)
            name = f"{self.profile}-{hashlib.sha256(made.encode()).hexdigest()[:8]}"
            (refs / f"{name}.json").write_text(made)
            names[name] = path
        run = run_volt(self.root, "--json", "verify", "--closure")
        found = {one["revision"]: one["closure"] for one in json.loads(run.stdout)["closures"]}
        return {path: found[name] for name, path in names.items()}


@pytest.fixture(scope="module")
def x86(tmp_path_factory):
    return Made(tmp_path_factory.mktemp("x86"), "emulate-x86", ["x86_64"])


def identity(entry):
    return entry["kind"], entry["state"], entry["name"]


def check_each(made):
    """What is neither named when it is missing, nor known as needless."""
    before = {identity(entry) for entry in made.closure}
    unnamed = []
    for path, closure in made.closures_without_each().items():
        name = Path(path).name
        told = {entry["name"] for entry in closure if identity(entry) not in before and entry["state"] != "unused"}
        if not told & {path, name, name.removesuffix(".so")}:
            unnamed.append(path)
    return sorted(set(unnamed) - made.needless())


def without_needless(made, directory):
    """A store with the same profile without all that is needless."""
    copy = directory / "profile"
    shutil.copytree(made.directory, copy)
    needless = made.needless()
    for path in needless:
        (copy / path).unlink()
    assert len(files_of(copy)) == len(files_of(made.directory)) - len(needless)
    volt(directory / "store", "ingest", "--whole", "--profile", made.profile, copy)
    return directory / "store"


# ---- x86 ----

def test_a_profile_of_the_distribution_is_whole(x86):
    assert not problems(x86.closure)
    assert len(files_of(x86.directory)) > 100


def test_each_single_file_of_a_profile_is_named_or_needless(x86):
    assert not check_each(x86)
    # Real ones of every kind are among what is named.
    assert {"lib/libz.so.1", "lib/qemu/accel-tcg-x86_64.so", "firmware/bios-256k.bin", "firmware/efi-virtio.rom",
            "firmware/OVMF_VARS_4M.fd", "firmware/keymaps/en-us"} <= set(files_of(x86.directory)) - x86.needless()


VIDEOS = {"bios": "std", "uefi": "virtio"}


@pytest.mark.parametrize("firmware", ["bios", pytest.param("uefi", marks=pytest.mark.extended)])
def test_guests_run_without_all_that_is_needless(x86, guest_of, tmp_path, firmware):
    """With what asks for modules and ROMs: graphics, VNC, USB, every network card that can boot."""
    root = without_needless(x86, tmp_path)
    guest = guest_of("x86_64")
    models = ["virtio", "e1000", "e1000e", "rtl8139", "vmxnet3", "pcnet", "ne2k_pci"]
    disk = tmp_path / "disk.img"
    disk.write_bytes(bytes(1 << 20))
    document = {
        "name": "lean", "memory": 512, "rootfs": str(guest.rootfs), "kernel": str(guest.kernel),
        "initrd": str(guest.initrd), "runtime_dir": str(tmp_path / "run"), "state_dir": str(tmp_path / "state"),
        "display": "vnc", "video": VIDEOS[firmware], "usb": True, "firmware": firmware, "rng": True,
        "disks": [{"file": str(disk)}],
        "nics": [{"backend": "user", "model": model, "boot_order": number}
                 for number, model in enumerate(models, 1)],
    }
    (tmp_path / "vm.json").write_text(json.dumps(document))
    words = ["--profile", "emulate-x86", "--guest-arch", "x86_64", "--vm", tmp_path / "vm.json"]
    volt(root, "prepare", *words)
    run = run_volt(root, "run", *words)
    assert MARKER in run.stdout, run.stdout[-3000:] + run.stderr
    assert "could not" not in run.stderr.lower() and "failed" not in run.stderr.lower(), run.stderr


# ---- abilities ----

def read_abilities(root, revision):
    """{architecture: {ability: file}} by the files."""
    run = run_volt(root, "--json", "verify", "--closure", revision)
    (closure,) = json.loads(run.stdout)["closures"]
    return closure["abilities"]


def check_abilities(root, profile):
    for arch, read in read_abilities(root, profile).items():
        told = json.loads(volt(root, "--json", "capabilities", "--profile", profile, "--guest-arch", arch))
        assert set(read) - {"uefi"} == set(told["ability"]), arch
        assert all((path or "").startswith(("bin/", "lib/qemu/", "firmware/")) for path in read.values()), read


def test_abilities_by_files_are_those_that_qemu_tells(x86, tmp_path):
    volt(tmp_path / "store", "ingest", "--profile", "emulate-x86", x86.directory)
    check_abilities(tmp_path / "store", "emulate-x86")


@pytest.mark.extended
def test_abilities_of_foreign_profiles_are_those_that_qemu_tells(boot_store):
    check_abilities(boot_store.root, "emulate-foreign")


def test_abilities_of_a_profile_for_kvm(x86, tmp_path):
    root = tmp_path / "store"
    stored = json.loads(volt(root, "--json", "ingest", "--whole", "--profile", "kvm-linux", x86.directory))
    assert set(stored["abilities"]["x86_64"]) == ABILITIES
    told = json.loads(volt(root, "--json", "capabilities", "--profile", "kvm-linux", "--guest-arch", "x86_64", "--kvm",
                           "usable"))
    assert set(told["ability"]) == ABILITIES - {"uefi"}


def test_a_qemu_that_can_do_little_is_known_as_such(x86, tmp_path):
    """One that was built for small guests under KVM alone; only it itself says what it has."""
    small = shutil.which("qemu-system-x86_64-microvm")
    devices = subprocess.run([small, "-machine", "none", "-device", "help"], capture_output=True, text=True, check=True)
    assert not {"nvme", "qemu-xhci", "e1000", "VGA", "virtio-vga", "tpm-crb"} & set(
        re.findall(r'^name "([^"]+)"', devices.stdout, re.M))
    copy, root = tmp_path / "profile", tmp_path / "store"
    shutil.copytree(x86.directory, copy)
    (copy / "bin/qemu-system-x86_64").unlink()
    shutil.copy(small, copy / "bin/qemu-system-x86_64")
    stored = json.loads(volt(root, "--json", "ingest", "--profile", "kvm-uefi", copy))
    assert set(stored["abilities"]["x86_64"]) == {"kvm", "uefi"}
    lacking = [entry for entry in stored["closure"] if entry["kind"] == "ability"]
    assert {(entry["name"], entry["state"]) for entry in lacking} == {
        (name, "missing") for name in ABILITIES - {"kvm", "uefi", "tcg"}}
    assert "bin/qemu-system-x86_64 has no qemu-xhci" in " ".join(entry["message"] for entry in lacking)
    volt(root, "ingest", "--whole", "--profile", "kvm-linux", copy)


def test_a_profile_without_uefi_firmware_is_not_whole(x86, tmp_path):
    copy = tmp_path / "profile"
    shutil.copytree(x86.directory, copy)
    shutil.rmtree(copy / "firmware/firmware")
    for image in copy.glob("firmware/OVMF_*"):
        image.unlink()
    for profile in ("kvm-uefi", "emulate-x86"):
        refused = run_volt(tmp_path / "store", "ingest", "--whole", "--profile", profile, copy)
        assert refused.returncode != 0
        assert "the profile is to have UEFI firmware, and has none for guests of x86_64" in refused.stderr
    volt(tmp_path / "store", "ingest", "--whole", "--profile", "kvm-linux", copy)


def test_a_profile_of_ones_own_can_do_what_it_holds(x86, tmp_path):
    root, own = tmp_path / "store", ["--profile", "mine", "--accel", "tcg", "--guests", "x86_64"]

    def abilities():
        return set(json.loads(volt(root, "--json", "show", "mine"))["abilities"])

    volt(root, "ingest", "--whole", *own, x86.directory)
    assert abilities() == ABILITIES - {"kvm", "tcg"}
    assert json.loads(volt(root, "--json", "ingest", *own, x86.directory))["unchanged"]
    volt(root, "ingest", *own, "--abilities", "usb", x86.directory)
    assert abilities() == {"usb"}
    archive = tmp_path / "profile.tar"
    subprocess.run(["tar", "-C", x86.directory, "-cf", archive, "."], check=True)
    volt(tmp_path / "other", "import", "--whole", *own, archive)
    assert set(json.loads(volt(tmp_path / "other", "--json", "show", "mine"))["abilities"]) == ABILITIES - {"kvm", "tcg"}


def test_ingest_warns_and_refuses_and_verify_tells(x86, tmp_path):
    copy, root = tmp_path / "profile", tmp_path / "store"
    shutil.copytree(x86.directory, copy)
    (copy / "lib/libz.so.1").unlink()
    (copy / "firmware/pvh.bin").unlink()
    refused = run_volt(root, "--json", "ingest", "--whole", "--profile", "emulate-x86", copy)
    error = json.loads(refused.stderr)["error"]
    assert refused.returncode != 0 and error["reason"] == "not-whole", refused.stderr
    assert "firmware/pvh.bin is missing" in error["message"] and "and 1 more" in error["message"]
    assert not list((root / "cas/refs").iterdir()) and not list((root / "cas/objects").iterdir())

    warned = run_volt(root, "ingest", "--profile", "emulate-x86", copy)
    lines = warned.stderr.splitlines()
    assert warned.returncode == 0 and len(lines) == 2, warned.stderr
    assert "firmware/pvh.bin is missing: bin/qemu-system-x86_64 needs it" in lines[0]
    assert "lib/libz.so.1 is not there" in lines[1] and "takes the host's" in lines[1]

    assert run_volt(root, "verify").returncode == 0
    told = run_volt(root, "verify", "--closure", "emulate-x86")
    assert told.returncode == 1 and told.stdout.count("problem: ") == 2, told.stdout
    assert "ingest that again" in told.stderr and "--repair" not in told.stderr


def test_an_import_warns_and_refuses(x86, tmp_path):
    copy, root, archive = tmp_path / "profile", tmp_path / "store", tmp_path / "profile.tar"
    shutil.copytree(x86.directory, copy)
    (copy / "lib/libz.so.1").unlink()
    (copy / "lib/libm.so.6").unlink()
    (copy / "lib/libm.so.6").symlink_to("libc.so.6")  # a link of an archive is looked into as what it leads to
    (copy / "firmware/pvh.bin").unlink()
    subprocess.run(["tar", "-C", copy, "-cf", archive, "."], check=True)
    refused = run_volt(root, "--json", "import", "--whole", "--profile", "emulate-x86", archive)
    error = json.loads(refused.stderr)["error"]
    assert refused.returncode != 0 and error["reason"] == "not-whole", refused.stderr
    assert "firmware/pvh.bin is missing" in error["message"] and "and 1 more" in error["message"]
    assert error["details"] == {"path": str(archive), "entry": "pvh.bin"}
    for part in ("refs", "objects", "tmp"):
        assert not list((root / "cas" / part).iterdir())
    warned = run_volt(root, "import", "--profile", "emulate-x86", archive)
    lines = warned.stderr.splitlines()
    assert warned.returncode == 0 and len(lines) == 2, warned.stderr
    assert "firmware/pvh.bin is missing" in lines[0] and "lib/libz.so.1 is not there" in lines[1]
    # So it is with what was exported, which has its manifest.
    volt(root, "export", "--output", tmp_path / "export.tar", "emulate-x86")
    refused = run_volt(tmp_path / "other", "import", "--whole", "--any-profile", tmp_path / "export.tar")
    assert refused.returncode != 0 and "is not whole: firmware/pvh.bin" in refused.stderr
    told = json.loads(volt(tmp_path / "other", "--json", "import", "--any-profile", tmp_path / "export.tar"))
    assert len(problems(told["closure"])) == 2 and set(told["abilities"]["x86_64"]) == ABILITIES


def test_many_warnings_are_cut_short(x86, tmp_path):
    copy = tmp_path / "profile"
    shutil.copytree(x86.directory, copy)
    shutil.rmtree(copy / "lib")
    run = run_volt(tmp_path / "store", "ingest", "--profile", "emulate-x86", copy)
    lines = run.stderr.splitlines()
    assert run.returncode == 0 and len(lines) == 11 and "more, which --json lists" in lines[-1], run.stderr


# ---- other architectures ----

@pytest.mark.extended
@pytest.mark.parametrize("arch", ["aarch64", "s390x"])
def test_each_single_file_of_a_foreign_profile_is_named_or_needless(arch, guest_of, tmp_path):
    made = Made(tmp_path, "emulate-foreign", [arch])
    assert not problems(made.closure)
    assert not check_each(made)
    (tmp_path / "lean").mkdir()
    root = without_needless(made, tmp_path / "lean")
    files = guest_of(arch)
    words = ["--profile", "emulate-foreign", "--guest-arch", arch, "--name", "lean", "--memory", "512",
             "--rootfs", files.rootfs, "--kernel", files.kernel, "--initrd", files.initrd,
             "--set", f"runtime_dir={tmp_path / 'run'}", "--set", "display=vnc"]
    run = run_volt(root, "run", *words)
    assert MARKER in run.stdout, run.stdout[-3000:] + run.stderr
