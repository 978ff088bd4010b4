# SPDX-License-Identifier: MIT
"""The real QEMU of every architecture accepts the machine, CPU, console and share it is given."""
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "harness"))
from machines import FOREIGN, WITHOUT_FIRMWARE, X86, find_program, program_name  # noqa: E402
from made_profile import make_profile, purpose_built  # noqa: E402
from qmp import QemuFailed, stopped_machine  # noqa: E402

CLI = os.environ.get("VOLT_QEMU", str(HERE.parents[1] / "build/examples/volt-qemu/volt-qemu"))
MACHINES = {
    "x86_64": "pc-q35", "i386": "pc-i440fx", "aarch64": "virt", "arm": "virt", "riscv64": "virt",
    "riscv32": "virt", "mips": "malta", "mipsel": "malta", "mips64": "malta", "mips64el": "malta",
    "ppc": "mac99", "ppc64": "pseries", "ppc64le": "pseries", "s390x": "s390-ccw-virtio",
    "loongarch64": "virt",
}
# The processors of both are the same.
X86_ONCE = ["x86_64", pytest.param("i386", marks=pytest.mark.extended)]
FIRMWARE_DIRECTORIES = ["/usr/share/qemu", "/usr/share/seabios", "/usr/lib/riscv64-linux-gnu/opensbi",
                        "/usr/share/slof", "/usr/share/openbios"]


def gather(directory, arches):
    (directory / "bin").mkdir(parents=True)
    (directory / "firmware").mkdir()
    (directory / "lib/qemu").mkdir(parents=True)
    for arch in arches:
        name = program_name(arch)
        shutil.copy(find_program(name), directory / "bin" / name)
    for source in FIRMWARE_DIRECTORIES:
        for path in Path(source).glob("*"):
            if path.is_file() and path.stat().st_size < 5_000_000:
                shutil.copy(path, directory / "firmware")
    for module in Path("/usr/lib/x86_64-linux-gnu/qemu").glob("accel-*.so"):
        shutil.copy(module, directory / "lib/qemu")


def volt(root, *words):
    run = subprocess.run([CLI, "--root", root, *words], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return run.stdout


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    base = tmp_path_factory.mktemp("arches")
    for profile, arches in (("emulate-x86", X86), ("emulate-foreign", FOREIGN)):
        if purpose_built(profile):
            make_profile(base / profile, *arches)
        else:
            gather(base / profile, arches)
        volt(base / "store", "build", "--profile", profile, base / profile)
        shutil.rmtree(base / profile)
    yield base / "store"
    shutil.rmtree(base / "store")


def command(root, arch, share, *options):
    def make(extra):
        profile = "emulate-x86" if arch in X86 else "emulate-foreign"
        text = volt(root, "--json", "args", "--profile", profile, "--guest-arch", arch, "--name",
                    f"a,b={arch}", "--set", f"runtime_dir={tempfile.mkdtemp(dir=root.parent)}",
                    "--rootfs", share, *options, "--",
                    *WITHOUT_FIRMWARE.get(arch, []), *extra)
        made = json.loads(text)
        return made["argv"], dict(v.split("=", 1) for v in made["env"]), made["cwd"]
    return make


@pytest.mark.parametrize("arch", X86 + FOREIGN)
def test_qemu_realizes_the_machine(root, arch, tmp_path):
    share = tmp_path / "a,b c"
    share.mkdir()
    with stopped_machine(command(root, arch, share)) as qmp:
        assert qmp.execute("query-status")["status"] == "prelaunch"
        assert qmp.execute("query-name")["name"] == f"volt-a,b={arch}"
        assert len(qmp.execute("query-cpus-fast")) == 1
        memory = qmp.execute("query-memory-size-summary")["base-memory"]
        assert memory == (1024 if arch == "loongarch64" else 256) << 20
        assert MACHINES[arch] in qmp.execute("qom-get", path="/machine", property="type")
        devices = json.dumps(qmp.execute("qom-list", path="/machine/peripheral"))
        assert "virtio-9p" in devices and "rootfs" in devices
        labels = {chardev["label"] for chardev in qmp.execute("query-chardev")}
        assert any(label.startswith("console") for label in labels), labels


MEMORY = {"mips": 2048, "mipsel": 2048, "mips64": 2048, "mips64el": 2048, "ppc": 2047, "arm": 3072, "riscv32": 10240,
          "x86_64": 1001472, "i386": 62464}


def shared(memory):
    """Memory that is not there until it is used, so that much more can be had than the host has."""
    return {"memory": memory, "memory_shared": True}


def description(tmp_path, keys):
    path = tmp_path / "vm.json"
    path.write_text(json.dumps({"name": "x", **keys}))
    return "--vm", path


@pytest.mark.parametrize("arch, machine", [*((arch, None) for arch in X86 + FOREIGN), ("x86_64", "pc"), ("i386", "q35")])
def test_the_machine_takes_as_much_as_the_library_allows(root, arch, machine, tmp_path):
    memory = {"pc": 1033216, "q35": 30720}.get(machine, MEMORY.get(arch, 3072))
    keys = shared(memory) | ({"machine": machine} if machine else {})
    with stopped_machine(command(root, arch, tmp_path, *description(tmp_path, keys))) as qmp:
        assert qmp.execute("query-memory-size-summary")["base-memory"] == memory << 20
    if memory != 3072 or arch == "arm":
        with pytest.raises(AssertionError, match=f"memory: {memory + 1} MiB are too much"):
            command(root, arch, tmp_path, *description(tmp_path, keys | {"memory": memory + 1}))([])


@pytest.mark.parametrize("arch", X86_ONCE)
@pytest.mark.parametrize("topology, fits", [((4, 33, 1), True), ((3, 64, 1), True), ((64, 4, 1), False),
                                            ((5, 40, 1), False), ((85, 3, 1), False)])
def test_emulated_cpus_have_room_for_their_apic_ids(root, arch, topology, fits, tmp_path):
    keys = dict(zip(("cpu_sockets", "cpu_cores", "cpu_threads"), topology))
    make = command(root, arch, tmp_path, *description(tmp_path, keys))
    if not fits:
        with pytest.raises(AssertionError, match="APIC ids|too many"):
            make([])
        return
    with stopped_machine(make) as qmp:
        assert len(qmp.execute("query-cpus-fast")) == topology[0] * topology[1]


# loongarch64: 256 from QEMU 8.0 on; 7.2 has 4.
@pytest.mark.parametrize("arch", X86_ONCE + FOREIGN)
def test_the_machine_takes_as_many_cpus_as_the_library_allows(root, arch, tmp_path):
    limits = {"x86_64": 255, "i386": 255, "arm": 8, "mips": 1, "mipsel": 1, "mips64": 1, "mips64el": 1,
              "ppc": 1, "s390x": 248, "loongarch64": 4}
    cpus = limits.get(arch, 32)
    with stopped_machine(command(root, arch, tmp_path, "--cpus", str(cpus))) as qmp:
        assert len(qmp.execute("query-cpus-fast")) == cpus
    if arch in limits and arch != "loongarch64":
        with pytest.raises(AssertionError, match=f"{cpus + 1} CPUs are too many"):
            command(root, arch, tmp_path, "--cpus", str(cpus + 1))([])


def test_a_missing_share_is_named_by_qemu(root, tmp_path):
    missing = tmp_path / "not,there"
    with pytest.raises(QemuFailed, match="not,there"):
        with stopped_machine(command(root, "x86_64", missing)):
            pass
