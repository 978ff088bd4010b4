# SPDX-License-Identifier: MIT
"""Any string that a name, path, tag or serial number can be arrives in QEMU as it is, or is refused
before QEMU starts. The strings are random; PROPERTY_SEED and PROPERTY_ROUNDS change which and how many."""
import contextlib
import fcntl
import json
import os
import random
import re
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "harness"))
from library import INVALID, Refused, VmFromJson  # noqa: E402
from machines import ARCHES, Machines, open_files  # noqa: E402
from qmp import QemuFailed  # noqa: E402

SEED = int(os.environ.get("PROPERTY_SEED", random.SystemRandom().randrange(1 << 32)))
ROUNDS = int(os.environ.get("PROPERTY_ROUNDS", "15"))
IFNAME_MAX, TAG_MAX, SERIAL_MAX, SCSI_SERIAL_MAX, SOCKET_MAX, FILE_MAX = 15, 31, 20, 36, 107, 255

# What means something to QEMU, to shells, to systemd, to JSON or to printf().
PIECES = [b",", b",,", b"=", b" ", b'"', b"'", b"\n", b"\t", b"%", b"%s%n", b"$", b"$HOME", b"${x}", b"{", b"}",
          b"[0]", b"\\", b"\\n", b"-", b"--", b":", b";", b"#", b"~", b"|", b"&", b"*", b"?", b"!", b"@", b"`", b".",
          b"..", b",id=x", b",readonly=on", b"on", b"json:{", b"file:", b"nbd:", b"unix:", b"fd=0", b"a", b"B",
          b"0", b"\xc3\xa4", b"\xe2\x82\xac", b"\xf0\x9f\x98\x80", b"\xff", b"\xc3", b"\x80", b"\x01", b"\x7f",
          b"\xef\xbf\xbe"]


class Generator:
    """Random strings, from a seed that failures tell."""

    def __init__(self, seed):
        self.seed = seed
        self._random = random.Random(seed)

    def string(self, longest, but=b""):
        """1 to longest bytes, none of them NUL or one of but."""
        wanted, text = self._random.randint(1, longest), b""
        while len(text) < wanted:
            piece = self._random.choice(PIECES)
            text += piece if self._random.random() < 0.8 else bytes([self._random.randint(1, 255)])
        return bytes(byte for byte in text[:longest] if byte not in but) or b"x"

    def file_name(self, longest):
        """A name that a directory entry can have."""
        name = self.string(longest, b"/")
        return b"x" + name[1:] if name in (b".", b"..") else name

    def chance(self, probability):
        return self._random.random() < probability

    def choice(self, values):
        return self._random.choice(values)


def generators(name):
    """One for each round; a failure of pytest shows which."""
    return pytest.mark.parametrize(
        "seed", [pytest.param(f"{SEED}/{name}/{i}", id=f"{SEED}-{i}") for i in range(ROUNDS)])


@pytest.fixture(scope="module")
def machines(tmp_path_factory):
    directory = tmp_path_factory.mktemp("machines")
    yield Machines(directory)
    shutil.rmtree(directory)


@pytest.fixture
def place():
    with tempfile.TemporaryDirectory(prefix="p-") as directory:
        yield os.fsencode(directory)


def shown(text):
    """What QMP shows of bytes: those that are not UTF-8, or no character at all, are U+FFFD, however
    many; and the two bytes C0 80 are NUL, as in Java."""
    return re.sub("[\ufffd\ufffe\0]+", "\ufffd", text)


def as_shown(text):
    return shown(text.decode(errors="replace"))


def device(qmp, name, key):
    return shown(qmp.execute("qom-get", path=f"/machine/peripheral/{name}", property=key))


def make_file(place, generator, longest=FILE_MAX):
    path = place + b"/" + generator.file_name(longest)
    with open(path, "wb") as file:
        file.truncate(1 << 20)
    return path


def own_directory(place, number):
    """So that no two random names can be the same."""
    path = place + b"/%d" % number
    os.mkdir(path)
    return path


def bytes_of_open_files(process):
    return [os.fsencode(path) for path in open_files(process)]


@generators("identity")
def test_names(machines, seed):
    generator = Generator(seed)
    arch = generator.choice(ARCHES)
    name = generator.string(255)
    with machines.start(arch, {"name": name, "console": "none"}) as qmp:
        assert shown(qmp.execute("query-name")["name"]) == as_shown(b"volt-" + name)
        command = Path(f"/proc/{qmp.process.pid}/comm").read_bytes()
        assert command == (b"volt-" + name)[:15] + b"\n"


@generators("disks")
def test_disks(machines, place, seed):
    generator = Generator(seed)
    disks = []
    for i, bus in enumerate(("virtio", "scsi", "nvme", "ide", "scsi")):
        disk = {"file": make_file(own_directory(place, i), generator), "bus": bus}
        if generator.chance(0.8):
            disk["serial"] = generator.string(SCSI_SERIAL_MAX if bus == "scsi" else SERIAL_MAX)
        disks.append(disk)
    disks[-1]["cdrom"] = True
    with machines.start("x86_64", {"disks": disks}) as qmp:
        nodes = {node["node-name"]: node for node in qmp.execute("query-named-block-nodes")}
        opened = bytes_of_open_files(qmp.process)
        for i, disk in enumerate(disks):
            assert shown(nodes[f"disk{i}"]["file"]) == as_shown(disk["file"])
            assert disk["file"] in opened
            if "serial" in disk:
                assert device(qmp, f"drive{i}", "serial") == as_shown(disk["serial"])


@generators("shares")
def test_shares(machines, place, seed):
    generator = Generator(seed)
    paths, tags = [], {b"rootfs"}
    for i in range(4):
        paths.append(own_directory(place, i) + b"/" + generator.file_name(FILE_MAX))
        os.mkdir(paths[-1])
        while len(tags) < i + 1:
            tags.add(generator.string(TAG_MAX))
    tags = sorted(tags - {b"rootfs"})
    shares = [{"path": path, "tag": tag, "writable": generator.chance(0.5)} for path, tag in zip(paths[1:], tags)]
    with machines.start("x86_64", {"rootfs": paths[0], "shares": shares}) as qmp:
        opened = bytes_of_open_files(qmp.process)
        assert paths[0] in opened
        for i, share in enumerate(shares):
            assert share["path"] in opened
            assert device(qmp, f"share{i}", "mount_tag") == as_shown(share["tag"])


def socket_path(place, number, generator):
    directory = own_directory(place, number)
    return directory + b"/" + generator.file_name(SOCKET_MAX - len(directory) - 1)


def answers(path, beginning):
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(60)
        client.connect(path)
        return client.recv(len(beginning)) == beginning


@generators("sockets")
def test_sockets_and_logs(machines, place, seed):
    generator = Generator(seed)
    console, qmp_socket, agent, vnc = (socket_path(place, i, generator) for i in range(4))
    log, password = (make_file(own_directory(place, i), generator) for i in (4, 5))
    Path(os.fsdecode(password)).write_bytes(b"secret")
    kind = generator.choice(["socket", "file"])
    vm = {"console": kind, "console_path": console, "console_log": log, "qmp_socket": qmp_socket,
          "guest_agent_socket": agent, "display": "vnc", "vnc_socket": vnc, "vnc_password_file": password}
    with machines.start("x86_64", vm) as qmp:
        assert answers(qmp_socket, b'{"QMP"')
        assert answers(vnc, b"RFB 003.")
        assert qmp.execute("query-vnc")["auth"] == "vnc"
        names = {chardev["label"]: shown(chardev["filename"]) for chardev in qmp.execute("query-chardev")}
        assert f"unix:{as_shown(agent)}," in names["agent"]
        assert kind == "file" or f"unix:{as_shown(console)}," in names["console"]
        opened = bytes_of_open_files(qmp.process)
        assert log in opened
        assert kind == "socket" or console in opened
        for path in (console, agent):
            assert os.listdir(os.path.dirname(path)) == [os.path.basename(path)]


@generators("connections")
def test_sockets_that_qemu_connects_to(machines, place, seed):
    """Nobody listens there: QEMU tells where it looked."""
    generator = Generator(seed)
    path = socket_path(place, 0, generator)
    vm = generator.choice([{"tpm": True, "tpm_socket": path},
                           {"shares": [{"path": "/", "tag": "t", "driver": "virtiofs", "socket": path}]}])
    with pytest.raises(QemuFailed) as failed:
        with machines.start("x86_64", vm):
            pass
    assert f"Failed to connect to '{path.decode(errors='replace')}'" in str(failed.value)


@generators("directories")
def test_directories_with_default_names(machines, place, seed):
    """The runtime directory stands before names that the library chooses."""
    generator = Generator(seed)
    directory = place + b"/" + generator.file_name(80 - len(place) - 1)
    os.mkdir(directory)
    vm = {"runtime_dir": directory, "console": "socket", "display": "vnc"}
    with machines.start("aarch64", vm):
        assert sorted(os.listdir(directory)) == [b"console.sock", b"qemu.pid", b"vnc.sock"]


@generators("kernels")
def test_kernels(machines, place, seed):
    """On aarch64 any file is a kernel; the command line is in the device tree."""
    generator = Generator(seed)
    kernel, initrd = (make_file(own_directory(place, i), generator) for i in (0, 1))
    plain = re.sub(b"[ ,]", b"_", initrd)  # of which QEMU makes several for some kernels
    os.rename(initrd, plain)
    initrd = plain
    append = generator.string(1000)
    tree = place + b"/tree"
    vm = {"kernel": kernel, "initrd": initrd, "append": append}
    with machines.start("aarch64", vm) as qmp:
        qmp.execute("human-monitor-command", **{"command-line": f"dumpdtb {os.fsdecode(tree)}"})
        content = Path(os.fsdecode(tree)).read_bytes()
        assert append + b"\0" in content
        assert b"linux,initrd-start" in content


needs_tap = pytest.mark.skipif(os.geteuid() != 0 or not os.path.exists("/dev/net/tun"),
                               reason="TAP devices need root and /dev/net/tun")
TUNSETIFF, TUNSETPERSIST, IFF_TAP_NO_PI_VNET_HDR = 0x400454CA, 0x400454CB, 0x0002 | 0x1000 | 0x4000


@contextlib.contextmanager
def tap_device(name):
    fd = os.open("/dev/net/tun", os.O_RDWR | os.O_CLOEXEC)
    try:
        fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", name, IFF_TAP_NO_PI_VNET_HDR))
        fcntl.ioctl(fd, TUNSETPERSIST, 1)
    finally:
        os.close(fd)
    try:
        yield
    finally:
        subprocess.run([b"ip", b"tuntap", b"del", name, b"mode", b"tap"], check=True)


@needs_tap
@generators("interfaces")
def test_network_interfaces(machines, seed):
    """A name with % is a pattern of which the kernel makes one."""
    generator = Generator(seed)
    name = b"vq" + generator.string(IFNAME_MAX - 2, b"/:% \t\n\v\f\r\xa0\x85")
    with tap_device(name):
        with machines.start("x86_64", {"nics": [{"backend": "tap", "ifname": name}]}) as qmp:
            network = qmp.execute("human-monitor-command", **{"command-line": "info network"})
            assert f"ifname={as_shown(name)},script=no" in shown(network)
            assert "/dev/net/tun" in open_files(qmp.process)


LIMITED = [
    ("name", {"name": b"%s"}, 255), ("qmp_socket", {"qmp_socket": b"/%s"}, SOCKET_MAX - 1),
    ("runtime_dir", {"runtime_dir": b"/%s"}, 79),
    ("console_path", {"console": "socket", "console_path": b"/%s"}, SOCKET_MAX - 1),
    ("disks[0].serial", {"disks": [{"cdrom": True, "serial": b"%s"}]}, SERIAL_MAX),
    ("disks[0].serial", {"disks": [{"cdrom": True, "bus": "scsi", "serial": b"%s"}]}, SCSI_SERIAL_MAX),
    ("shares[0].tag", {"shares": [{"path": "/", "tag": b"%s"}]}, TAG_MAX),
    ("shares[0].tag", {"shares": [{"path": "/", "tag": b"%s", "driver": "virtiofs"}]}, 36),
    ("nics[0].ifname", {"nics": [{"backend": "tap", "ifname": b"%s"}]}, IFNAME_MAX),
    ("nics[0].bridge", {"nics": [{"backend": "bridge", "bridge": b"%s"}]}, IFNAME_MAX),
]


def fill(template, text):
    if isinstance(template, bytes):
        return template.replace(b"%s", text)
    if isinstance(template, dict):
        return {key: fill(value, text) for key, value in template.items()}
    return [fill(value, text) for value in template] if isinstance(template, list) else template


@pytest.mark.parametrize("key, template, longest", LIMITED)
@pytest.mark.parametrize("letter", [b"x", b"\xc3\xa4", b"\xff"])
def test_what_is_too_long_is_refused(machines, letter, key, template, longest):
    with pytest.raises(Refused) as refused:
        machines.build("x86_64", fill(template, letter * (longest // len(letter) + 1)))
    assert refused.value.code == INVALID
    assert key in str(refused.value)
    machines.build("x86_64", fill(template, letter * (longest // len(letter))))


RELATIVE = ["state_dir", "runtime_dir", "nvram", "rootfs", "kernel", "initrd", "tpm_socket", "tpm_state", "swtpm_program",
            "virtiofsd_program", "vnc_socket", "vnc_password_file", "console_path", "console_log", "qmp_socket",
            "guest_agent_socket"]


@pytest.mark.parametrize("key", RELATIVE)
def test_relative_paths_are_refused(machines, key):
    generator = Generator(f"{SEED}/{key}")
    for _ in range(20):
        path = b"." + generator.string(20)
        with pytest.raises(Refused, match="is not an absolute path") as refused:
            machines.build("x86_64", {key: path})
        assert refused.value.code == INVALID and str(refused.value).startswith(f"{key}: ")


PATTERNS = {"uuid": "uuid", "user": "user", "machine": "machine", "hugepages": "hugepages", "cpu_model": "cpu_model"}


@pytest.mark.parametrize("key", PATTERNS)
def test_what_qemu_would_take_for_syntax_is_refused(machines, key):
    generator = Generator(f"{SEED}/{key}")
    for _ in range(200):
        text = generator.string(12)
        if re.fullmatch(rb"[A-Za-z0-9._+-]*", text):
            continue
        with pytest.raises(Refused) as refused:
            machines.build("x86_64", {key: text})
        assert refused.value.code == INVALID and str(refused.value).startswith(f"{key}: ")


def test_features_that_would_be_syntax_are_refused(machines):
    generator = Generator(f"{SEED}/features")
    for _ in range(200):
        text = generator.string(12)
        if not re.fullmatch(rb"[A-Za-z0-9._-]*", text):
            with pytest.raises(Refused, match="cpu_features"):
                machines.build("x86_64", {"cpu_features": {text: True}})


def random_vm(generator):
    """A description with all kinds of values, all of them UTF-8. No path climbs: that is refused (test_refusal)."""
    def text(longest, but=b""):
        string = generator.string(longest, but).decode(errors="replace")
        while len(string.encode()) > longest:
            string = string[:-1]
        return string or "x"

    def path():
        return "/" + text(60).replace("..", "._")

    vm = {"name": text(255)}
    for key in ("state_dir", "console_log", "vnc_password_file", "guest_agent_socket", "rootfs"):
        if generator.chance(0.5):
            vm[key] = path()
    switches = ["rng", "balloon", "memory_shared", "reboot", "sandbox"]
    for key in switches + (["rootfs_writable"] if "rootfs" in vm else []):
        if generator.chance(0.5):
            vm[key] = generator.chance(0.5)
    if generator.chance(0.5):
        vm["kernel"], vm["append"] = path(), text(100)
    vm["display"] = "vnc"
    vm["disks"] = [{"file": f"{path()}/{i}", "serial": text(20), "cache": generator.choice(["none", "unsafe"]),
                    "discard": generator.chance(0.5), "boot_order": i + 1} for i in range(3)]
    vm["shares"] = [{"path": path(), "tag": f"{i}{text(30)}", "writable": generator.chance(0.5)} for i in range(3)]
    vm["nics"] = [{"isolated": generator.chance(0.5), "forwards": [{"host_port": 1000, "guest_port": 65535}]}]
    vm["extra_args"] = [text(40), ""]
    vm["cpu_features"] = {"aes": generator.chance(0.5), "avx": True}
    return vm


@generators("documents")
def test_json_says_what_the_setters_say(machines, seed):
    vm = random_vm(Generator(seed))
    by_setters = machines.runtime("x86_64").build(vm)
    by_json = machines.runtime("x86_64").build(VmFromJson(json.dumps(vm).encode()))
    assert by_setters.argv == by_json.argv
