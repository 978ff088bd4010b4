# SPDX-License-Identifier: MIT
"""Linux guests of many architectures, out of Debian's packages. Nothing is installed on the host.

    python3 tests/harness/guests.py [ARCH...]      make them, and say where they are

A guest is a directory with a kernel, an initrd with the modules for everything that QEMU can give a
machine, and a root file system for 9p. What runs in it is in guest/: it says "VOLT-GUEST-READY", reports
what the kernel argument volt.report= asks for, and powers off.

Guests are made once, in the directory that VOLT_GUESTS names, else in guests/ below BUILD_DIR.
"""
import concurrent.futures
import contextlib
import fcntl
import hashlib
import io
import lzma
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zlib
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
PROGRAMS = HERE / "guest"


@dataclass(frozen=True)
class Debian:
    """Debian's name of an architecture, and of its kernel's metapackage."""
    arch: str
    kernel: str


# Debian 12 has no kernel for riscv64, and none for the others that QEMU knows.
DEBIAN = {
    "x86_64": Debian("amd64", "linux-image-amd64"),
    "i386": Debian("i386", "linux-image-686-pae"),
    "aarch64": Debian("arm64", "linux-image-arm64"),
    "arm": Debian("armhf", "linux-image-armmp"),
    "mipsel": Debian("mipsel", "linux-image-4kc-malta"),
    "mips64el": Debian("mips64el", "linux-image-5kc-malta"),
    "ppc64le": Debian("ppc64el", "linux-image-powerpc64le"),
    "s390x": Debian("s390x", "linux-image-s390x"),
}

# What may be built into one kernel is a module of the next; what a kernel does not have is left out.
MODULES = """
    virtio_pci virtio_mmio virtio_ccw virtio_blk virtio_scsi virtio_net virtio_console virtio_rng
    virtio_balloon virtio_input vmw_vsock_virtio_transport 9pnet_virtio 9p virtiofs
    nvme ahci ata_piix ata_generic pata_legacy sym53c8xx sd_mod sr_mod
    e1000 e1000e igb 8139cp 8139too pcnet32 ibmveth ibmvscsi
    i6300esb diag288_wdt tpm_tis tpm_crb tpm_tis_core tpm_ibmvtpm
    xhci_pci ehci_pci uhci_hcd ohci_pci usbhid hid_generic usb_storage
    button evdev efivarfs vfat nls_ascii nls_cp437 nls_iso8859_1
    crct10dif_generic crct10dif_common crc64_rocksoft crc64_rocksoft_generic crc32c_generic
""".split()


@dataclass(frozen=True)
class Guest:
    """The files of one guest."""
    arch: str
    directory: Path

    @property
    def kernel(self):
        """The kernel as it is packed."""
        return self.directory / "vmlinuz"

    @property
    def vmlinux(self):
        """x86_64: the kernel unpacked, which starts faster under emulation."""
        return self.directory / "vmlinux"

    @property
    def initrd(self):
        return self.directory / "initrd.img"

    @property
    def rootfs(self):
        return self.directory / "rootfs"


class GuestError(Exception):
    """A guest cannot be made; the message says why."""


def cache():
    """Where guests are kept."""
    named = os.environ.get("VOLT_GUESTS")
    return Path(named) if named else Path(os.environ.get("BUILD_DIR", HERE.parents[1] / "build"), "guests")


# ---- packages ----


class Apt:
    """APT with a state of its own, for another architecture than the host's."""

    def __init__(self, directory, arch, sources):
        for part in ("lists/partial", "cache/archives/partial"):
            (directory / part).mkdir(parents=True, exist_ok=True)
        (directory / "status").write_text("")
        (directory / "sources.list").write_text(sources)
        self._directory = directory
        settings = {
            "Dir::State": directory, "Dir::State::status": directory / "status",
            "Dir::Cache": directory / "cache", "Dir::Etc::SourceList": directory / "sources.list",
            "Dir::Etc::SourceParts": "/dev/null", "APT::Architecture": arch, "APT::Architectures": arch,
            "APT::Sandbox::User": "root", "Acquire::Languages": "none", "Acquire::Retries": "3",
        }
        self._options = [word for key, value in settings.items() for word in ("-o", f"{key}={value}")]

    def run(self, program, *words):
        run = subprocess.run([program, "-q", *self._options, *words], cwd=self._directory, check=False,
                             stdin=subprocess.DEVNULL, capture_output=True, text=True,
                             env={**os.environ, "LC_ALL": "C"})
        if run.returncode != 0:
            raise GuestError(f"{program} {' '.join(words)} failed: {run.stdout}{run.stderr}")
        return run.stdout + run.stderr

    def _kernel(self, metapackage):
        known = self.run("apt-cache", "depends", metapackage)
        found = re.search(r"Depends: (linux-image-\d\S*)", known)
        if not found:
            raise GuestError(f"{metapackage} depends on no kernel: {known}")
        return found.group(1)

    def download(self, *packages):
        """Fetch packages, and for the metapackage of a kernel what it stands for; returns the files."""
        update = self.run("apt-get", "update")  # succeeds with warnings if a list cannot be had
        try:
            names = [self._kernel(name) if name.startswith("linux-image-") else name
                     for name in packages]
            self.run("apt-get", "download", *names)
        except GuestError as reason:
            raise GuestError(f"{reason}{update}") from None
        return [next(self._directory.glob(f"{name}_*.deb")) for name in names]


def host_sources():
    """Lines of sources.list: those of the host's that are the distribution's own."""
    release = dict(line.split("=", 1) for line in Path("/etc/os-release").read_text().splitlines()
                   if "=" in line).get("VERSION_CODENAME", "").strip('"')
    text = subprocess.run(
        ["apt-get", "indextargets", "--no-release-info", "--format",
         "$(REPO_URI) $(RELEASE) $(COMPONENT)", "Created-By: Packages"],
        check=True, capture_output=True, text=True).stdout
    found = sorted({tuple(line.split()) for line in text.splitlines() if len(line.split()) == 3})
    keys = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
    option = f"[signed-by={keys}] " if keys.exists() else ""
    lines = {suite: f"deb {option}{uri} {suite} {component}\n" for uri, suite, component in found
             if component == "main" and suite.split("-")[0] == release}
    if release not in lines:
        raise GuestError(f"apt has no source for {release} main: {found}")
    return lines, release


def download(directory, arch, *packages):
    """Packages of one of Debian's architectures. The lists of the security archive can be out of order
    for a while: then what the release itself has will do."""
    lines, release = host_sources()
    reasons = []
    for sources in ("".join(lines.values()), lines[release]):
        shutil.rmtree(directory, ignore_errors=True)
        try:
            return Apt(directory, arch, sources).download(*packages)
        except GuestError as reason:
            reasons.append(str(reason))
    raise GuestError(f"packages for {arch} cannot be downloaded: {' '.join(packages)}\n"
                     + "\n".join(reasons))


@contextlib.contextmanager
def members(package):
    """The files of a package, in turn, as (path, file of a tar archive, its contents)."""
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", package], stdout=subprocess.PIPE) as process:
        with tarfile.open(fileobj=process.stdout, mode="r|") as archive:
            yield ((entry.name.removeprefix("./"), archive.extractfile(entry))
                   for entry in archive if entry.isfile())
        process.stdout.read()
    if process.returncode != 0:
        raise GuestError(f"dpkg-deb could not read {package}")


# ---- kernel and modules ----


class Modules:
    """The modules of a kernel package: packages carry no modules.dep, the modules say it themselves."""

    def __init__(self):
        self.version = None
        self._contents = {}

    def add(self, path, contents):
        found = re.fullmatch(r"(?:usr/)?lib/modules/([^/]+)/.*/([^/]+)\.ko(\.xz)?", path)
        self.version = found.group(1)
        name = found.group(2).replace("-", "_")
        self._contents[name] = lzma.decompress(contents) if found.group(3) else contents

    def _info(self, name, key):
        pattern = rb"(?<=\0)" + key.encode() + rb"=([^\0]*)\0"
        return [value.decode() for value in re.findall(pattern, b"\0" + self._contents[name])]

    def _needs(self, name):
        return [need.replace("-", "_") for line in self._info(name, "depends")
                for need in line.split(",") if need]

    def _load_order(self, name):
        """A module, behind all that must be loaded before it."""
        order = []

        def visit(module):
            if module not in self._contents:
                raise GuestError(f"the module {name} needs {module}, which is nowhere looked for")
            for need in self._needs(module):
                if need not in order:
                    visit(need)
            order.append(module)
        visit(name)
        return order

    def write(self, directory, names):
        """The chosen ones that exist, with what they need, and the files that modprobe wants."""
        chosen = {}
        for name in names:
            if name in self._contents:
                for module in self._load_order(name):
                    chosen[module] = self._load_order(module)[:-1]
        target = directory / "lib/modules" / self.version
        target.mkdir(parents=True)
        with (target / "modules.dep").open("w") as dep, (target / "modules.alias").open("w") as alias:
            for name, needs in chosen.items():
                (target / f"{name}.ko").write_bytes(self._contents[name])
                # modprobe begins at the end.
                dep.write(f"{name}.ko: {' '.join(need + '.ko' for need in reversed(needs))}\n")
                for pattern in self._info(name, "alias"):
                    alias.write(f"alias {pattern} {name}\n")


# Parts of a kernel package that no module of the list comes from: most of it.
OF_INTEREST = re.compile(
    r"kernel/(arch|block|lib|crypto|fs/(9p|fuse|netfs|fscache|fat|nls|efivarfs)|net/(9p|vmw_vsock|core|802)|"
    r"drivers/(virtio|block|scsi|nvme|ata|cdrom|char|watchdog|usb|hid|input|acpi|s390|"
    r"net/(net_failover|virtio_net|mii|phy|mdio|ethernet/(intel|realtek|amd|ibm))|"
    r"net/[^/]+|ptp|pps|dca|i2c|s390))")


def read_kernel(package):
    """(the kernel, its modules)"""
    kernel, modules = None, Modules()
    with members(package) as files:
        for path, file in files:
            if re.match(r"boot/vmlinu[xz]-", path):
                kernel = file.read()
            elif re.search(r"\.ko(\.xz)?$", path) and OF_INTEREST.search(path):
                modules.add(path, file.read())
    if not kernel or not modules.version:
        raise GuestError(f"{package} holds no kernel, or no modules")
    return kernel, modules


def read_busybox(package):
    with members(package) as files:
        for path, file in files:
            if path.endswith("bin/busybox"):
                return file.read()
    raise GuestError(f"{package} holds no busybox")


def unpack_x86(image):
    """A bzImage has its kernel compressed inside; the header says where (boot.rst of Linux:
    setup_sects, payload_offset, payload_length)."""
    start = (image[0x1f1] + 1) * 512 + int.from_bytes(image[0x248:0x24c], "little")
    payload = image[start:start + int.from_bytes(image[0x24c:0x250], "little")]
    if payload[:2] == b"\x1f\x8b":
        return zlib.decompressobj(31).decompress(payload)
    if payload[:6] == b"\xfd7zXZ\0":
        return lzma.LZMADecompressor().decompress(payload)
    # Behind the compressed data stands its size.
    program = {b"\x28\xb5\x2f\xfd": "zstd", b"\x02\x21\x4c\x18": "lz4"}.get(payload[:4])
    if not program:
        raise GuestError(f"the kernel is compressed in a way that is not known here ({payload[:6]!r})")
    return subprocess.run([program, "-dc"], input=payload[:-4], check=True, capture_output=True).stdout


# ---- the guest ----


def cpio(directory):
    """An archive of the kind that initrds are (newc), owned by root. Not compressed: emulation is slow."""
    archive = io.BytesIO()

    def add(name, mode, contents):
        encoded = name.encode() + b"\0"
        fields = [0, mode, 0, 0, 1, 0, len(contents), 0, 0, 0, 0, len(encoded), 0]
        archive.write(b"070701" + b"".join(b"%08X" % field for field in fields))
        for data in (encoded, contents):
            archive.write(data)
            archive.write(b"\0" * (-archive.tell() % 4))

    for path in sorted(directory.rglob("*")):
        mode = path.lstat().st_mode
        contents = os.readlink(path).encode() if path.is_symlink() else \
            path.read_bytes() if path.is_file() else b""
        add(str(path.relative_to(directory)), mode, contents)
    add("TRAILER!!!", 0, b"")
    return archive.getvalue()


def write_tree(directory, busybox, modules, first):
    """What initrd and root file system have in common."""
    for name in ("bin", "sbin", "etc", "lib", "proc", "sys", "dev", "run", "root"):
        (directory / name).mkdir(parents=True)
    (directory / "bin/busybox").write_bytes(busybox)
    (directory / "bin/busybox").chmod(0o755)
    (directory / "sbin/modprobe").symlink_to("../bin/busybox")
    modules.write(directory, MODULES)
    for program in ("report", "dhcp-script"):
        shutil.copy(PROGRAMS / program, directory / "sbin" / program)
    shutil.copy(PROGRAMS / first, directory / "sbin/init")


def build(arch, stage):
    """Make a guest in the directory stage."""
    debian = DEBIAN[arch]
    kernel_package, busybox_package = download(stage / "apt", debian.arch, debian.kernel,
                                               "busybox-static")
    kernel, modules = read_kernel(kernel_package)
    busybox = read_busybox(busybox_package)
    shutil.rmtree(stage / "apt")
    (stage / "vmlinuz").write_bytes(kernel)
    if arch == "x86_64":
        (stage / "vmlinux").write_bytes(unpack_x86(kernel))
    write_tree(stage / "rootfs", busybox, modules, "rootfs-init")
    (stage / "rootfs/etc/greeting").write_text("hello from a directory of the host\n")
    write_tree(stage / "initrd", busybox, modules, "init")
    (stage / "initrd/init").symlink_to("sbin/init")
    (stage / "initrd.img").write_bytes(cpio(stage / "initrd"))
    shutil.rmtree(stage / "initrd")


def make_loaders():
    """A directory with a boot loader for secure boot: shim.efi, signed by the key that firmware knows,
    and grub.efi, by Debian's, as the kernel is."""
    directory = cache() / "loaders"
    directory.parent.mkdir(parents=True, exist_ok=True)
    with (directory.parent / "loaders.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not directory.exists():
            stage = directory.with_suffix(".new")
            shutil.rmtree(stage, ignore_errors=True)
            for package in download(stage / "apt", "amd64", "shim-signed", "grub-efi-amd64-signed"):
                with members(package) as files:
                    for path, file in files:
                        found = re.search(r"/(shim|grub)x64\.efi\.signed$", path)
                        if found:
                            (stage / f"{found.group(1)}.efi").write_bytes(file.read())
            shutil.rmtree(stage / "apt")
            stage.rename(directory)
    return directory


def recipe():
    """What guests depend on: they are made anew when it changes."""
    digest = hashlib.sha256(Path(__file__).read_bytes())
    for program in sorted(PROGRAMS.iterdir()):
        digest.update(program.read_bytes())
    return digest.hexdigest()


def make(arch):
    """The guest of an architecture; made if it is not there yet. It appears complete or not at all."""
    directory = cache() / arch
    directory.parent.mkdir(parents=True, exist_ok=True)
    with (directory.parent / f"{arch}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        stamp = directory / "recipe"
        if not stamp.exists() or stamp.read_text() != recipe():
            stage = directory.with_suffix(".new")
            for path in (stage, directory):
                shutil.rmtree(path, ignore_errors=True)
            stage.mkdir()
            build(arch, stage)
            (stage / "recipe").write_text(recipe())
            stage.rename(directory)
    return Guest(arch, directory)


def make_all(arches):
    """Start making guests, two at a time, in the order given; returns {arch: future of the guest}."""
    pool = concurrent.futures.ThreadPoolExecutor(2)
    futures = {arch: pool.submit(make, arch) for arch in arches}
    pool.shutdown(wait=False)
    return futures


if __name__ == "__main__":
    for name, made in make_all(sys.argv[1:] or DEBIAN).items():
        print(name, made.result().directory)
