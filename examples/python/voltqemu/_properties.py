# SPDX-License-Identifier: MIT
# Written by examples/python/generate; do not edit.
"""The properties of VMs, from the schema of their documents."""
from ._descriptors import (ListProperty, NumberProperty, StringProperty, StringsProperty,
                           SwitchProperty, ValuesProperty)
from ._views import Element, Properties


class Disk(Element):
    """An entry of a VM's list of disks: Disks and CD-ROM drives, in this order."""

    __slots__ = ()

    id = StringProperty("QEMU's id of the device, by which QMP and the key slots name it; no "
                        "other device of the VM can have it. Default: what it is, and the number "
                        "that it has in its list (drive0, share0, nic0), which vqemu_vm_complete() "
                        "writes.")
    file = StringProperty("Image file, block device, or CD-ROM drive of the host. Only a CD-ROM "
                          "drive without a medium, or a disk with a descriptor, has none.")
    fd = NumberProperty("Descriptor of the image, which the caller has opened and passes on to "
                        "QEMU, instead of a file: 3 or more. It must be open for exactly what the "
                        "disk does: for reading and writing, or, if the disk is read-only or a "
                        "CD-ROM, only for reading. From 0 to 2147483647.")
    fd_name = StringProperty("Name of such a descriptor, instead of its number: the command "
                             "numbers it for the process that becomes QEMU.")
    format = StringProperty("Format of the image, raw (the default) or qcow2. It is never "
                            "guessed, since a guest could write another format's header into a raw "
                            "image. One of raw, qcow2.")
    backing = StringsProperty("Layers below a qcow2 image, which have what it does not: its "
                              "backing file, the backing file of that, and so on, each with its "
                              "format; QEMU only reads them. A backing file that only the image's "
                              "header names is not opened, and preparing refuses such an image. "
                              "Default: none.")
    data_file = StringProperty("File with the content of a qcow2 image that has an external data "
                               "file. Without it, QEMU opens the file that the image's header "
                               "names, and writes to it: preparing refuses such an image. Default: "
                               "none.")
    bus = StringProperty("What the disk is attached to: virtio (virtio-blk), scsi (virtio-scsi), "
                         "nvme, ide (IDE or SATA, whatever the machine has), or usb. Default: "
                         "virtio for Linux; for Windows and other systems ide where the machine "
                         "has it, and nvme on Arm. CD-ROM drives are on ide where the machine has "
                         "it, on Arm for Windows and other systems on usb, else on scsi. One of "
                         "virtio, scsi, nvme, ide, usb.")
    cdrom = SwitchProperty("A CD-ROM drive, which is always read-only. Default: no.")
    read_only = SwitchProperty("Whether the guest can only read (QEMU: read-only=on). Default: "
                               "no, but for CD-ROM drives.")
    block_device = SwitchProperty("Whether the file is a block device of the host. Default: where "
                                  "its path begins with /dev/.")
    cache = StringProperty("How writes are cached (QEMU: -drive cache=). writeback (the default): "
                           "in the host's page cache; on disk when the guest flushes. none: past "
                           "the host's page cache (O_DIRECT), for images that move to another "
                           "host. writethrough: each write is on disk before it ends, for guests "
                           "that never flush; slow. directsync: both of these. unsafe: flushes are "
                           "ignored, and the image is lost with the host; for what can be made "
                           "again. One of writeback, none, writethrough, directsync, unsafe.")
    aio = StringProperty("How QEMU does input and output (QEMU: -drive aio=). threads (the "
                         "default): a pool of threads; with every file system and cache mode. "
                         "native: Linux AIO; less work for the CPU; needs cache none or "
                         "directsync. io_uring: the kernel's newer queue, with every cache mode; "
                         "needs a kernel and a seccomp policy that allow it. One of threads, "
                         "native, io_uring.")
    discard = SwitchProperty("Whether what the guest discards is given back to the host's file "
                             "system (QEMU: discard=unmap). Default: no.")
    serial = StringProperty("Serial number that the guest sees, and with bus scsi the id of the "
                            "device as well: up to 20 bytes, with bus scsi 36. Default: disk and "
                            "the number of the disk.")
    boot_order = NumberProperty("Place in the order of booting, from 1, among disks and nics; two "
                                "devices cannot have the same, and what has no place is not "
                                "booted. Default, where no device has one and there is no kernel: "
                                "the disks in the order of the list, and behind them the CD-ROM "
                                "drives. From 0 to 1000.")
    iothread = StringProperty("Name of an I/O thread that serves the disk; disks with the same "
                              "name share one. Only for bus virtio and scsi. Default: QEMU's main "
                              "thread.")


class Share(Element):
    """An entry of a VM's list of shares: Directories of the host that the guest can mount."""

    __slots__ = ()

    id = StringProperty("QEMU's id of the device, by which QMP and the key slots name it; no "
                        "other device of the VM can have it. Default: what it is, and the number "
                        "that it has in its list (drive0, share0, nic0), which vqemu_vm_complete() "
                        "writes.")
    path = StringProperty("Directory of the host.")
    tag = StringProperty("Mount tag by which the guest names it: up to 31 bytes over 9p, 36 over "
                         "virtiofs.")
    driver = StringProperty("How the directory is shared: 9p (the default; QEMU serves it) or "
                            "virtiofs (a virtiofsd serves it: the systemd unit starts one, other "
                            "callers start it themselves before QEMU). One of 9p, virtiofs.")
    writable = SwitchProperty("Whether the guest may write (QEMU: readonly=off). Default: no.")
    security_model = StringProperty("How 9p stores owners, modes and special files (qemu(1), "
                                    "-fsdev). none (the default of read-only shares): like "
                                    "passthrough, but failures to change owners are ignored. "
                                    "mapped-xattr is the default of writable ones. One of none, "
                                    "mapped-xattr, mapped-file, passthrough.")
    multidevs = StringProperty("What 9p does about inode numbers where the directory spans "
                               "several file systems (qemu(1), -fsdev). Default: remap. One of "
                               "remap, forbid, warn.")
    socket = StringProperty("Unix socket on which virtiofsd listens for QEMU. Default: "
                            "virtiofsd-<number>.sock in the runtime directory, numbered from 0 in "
                            "the order of the shares over virtiofs.")


class Forward(Element):
    """An entry of a VM's list of forwards: Ports of the host that lead to the guest (QEMU:
    hostfwd=); only of the user backend."""

    __slots__ = ()

    protocol = StringProperty("tcp (the default) or udp. One of tcp, udp.")
    host_address = StringProperty("IPv4 address of the host to listen on. Default: 127.0.0.1, "
                                  "which only the host itself reaches.")
    host_port = NumberProperty("Port of the host. From 1 to 65535.")
    guest_port = NumberProperty("Port of the guest. From 1 to 65535.")


class Nic(Element):
    """An entry of a VM's list of nics: Network devices, in this order. Without one there is no
    network; one with nothing set is connected by QEMU's own NAT, which lets nothing in."""

    __slots__ = ()

    id = StringProperty("QEMU's id of the device, by which QMP and the key slots name it; no "
                        "other device of the VM can have it. Default: what it is, and the number "
                        "that it has in its list (drive0, share0, nic0), which vqemu_vm_complete() "
                        "writes.")
    backend = StringProperty("What the device is connected to: user (the default: QEMU's own NAT, "
                             "without privileges), tap (a TAP device of the host, by name or "
                             "descriptor) or bridge (a bridge of the host, by QEMU's bridge "
                             "helper). One of user, tap, bridge.")
    model = StringProperty("Device model. Default: virtio for Linux; for Windows and other "
                           "systems one that they have drivers for. One of virtio, e1000e, e1000, "
                           "rtl8139, vmxnet3, pcnet, ne2k_pci.")
    mac = StringProperty("MAC address, six pairs of hexadecimal digits; not a multicast one. "
                         "Default: one that follows from the VM's UUID, or if that is not set from "
                         "its name, and the number of the device, and so stays the same. VMs of "
                         "the same name on several hosts need UUIDs to have different ones.")
    forwards = ListProperty(Forward, "Ports of the host that lead to the guest (QEMU: hostfwd=); "
                                     "only of the user backend.")
    isolated = SwitchProperty("Cut the guest off from host and network, but for the forwarded "
                              "ports (QEMU: restrict=on); only of the user backend. Default: no.")
    ifname = StringProperty("Name of the TAP device, which the host has set up.")
    fd = NumberProperty("Descriptor of a TAP device, which the caller has opened and passes on to "
                        "QEMU: 3 or more. From 0 to 2147483647.")
    fd_name = StringProperty("Name of such a descriptor, instead of its number: the command "
                             "numbers it for the process that becomes QEMU.")
    vhost = SwitchProperty("Let the kernel move the packets, by /dev/vhost-net (vhost-net), which "
                           "QEMU's user must be able to open; only of the backends tap and bridge "
                           "with the model virtio. Default: under KVM, where the host that the "
                           "profile was selected for has it for all who can open /dev/kvm.")
    vhost_fd = NumberProperty("Descriptor of /dev/vhost-net, which the caller has opened and "
                              "passes on to QEMU: 3 or more; only with a TAP device. Default: QEMU "
                              "opens it. From 0 to 2147483647.")
    vhost_fd_name = StringProperty("Name of such a descriptor, instead of its number: the command "
                                   "numbers it for the process that becomes QEMU.")
    bridge = StringProperty("Name of the host's bridge.")
    helper = StringProperty("QEMU's bridge helper, a program of the host that is setuid root; its "
                            "path has no blanks. Default: /usr/lib/qemu/qemu-bridge-helper.")
    boot_order = NumberProperty("Place in the order of booting, from 1, among disks and nics; two "
                                "devices cannot have the same, and what has no place is not "
                                "booted. Default: none. From 0 to 1000.")


class VMProperties(Properties):
    """The keys of a VM. None stands for the default."""

    __slots__ = ()

    name = StringProperty("Name of the VM: 1 to 255 bytes, any but NUL. UUID and MAC addresses "
                          "follow from it unless they are set, and so do the default directories.")
    uuid = StringProperty("UUID that the guest's firmware tables show, as 8-4-4-4-12 hexadecimal "
                          "digits. Default: one that is derived from the name, and so stays the "
                          "same.")
    guest_os = StringProperty("Operating system of the guest, which decides the defaults of "
                              "devices, clock and hints. linux (the default): virtio disks and "
                              "network devices. windows: UEFI firmware, SATA disks and an Intel "
                              "network device, on Arm NVMe disks, for which Windows brings "
                              "drivers, a clock of local time, and under KVM the Hyper-V "
                              "enlightenments. other: for legacy systems, IDE or SATA disks and an "
                              "Intel or Realtek network device, where the machine can have them. "
                              "One of linux, windows, other.")
    guest_arch = StringProperty("Architecture of the guest, which chooses the QEMU program and "
                                "the machine. Default: the host's. A runtime for another "
                                "architecture is refused. One of x86_64, i386, aarch64, arm, "
                                "riscv64, riscv32, mips, mipsel, mips64, mips64el, ppc, ppc64, "
                                "ppc64le, s390x, loongarch64.")
    profile = StringProperty("Name of the profile that the VM runs on. Default: the best one that "
                             "has all that the VM needs. A runtime of another profile is refused.")
    mode = StringProperty("Mode of the reference system: hybrid-kvm orders KVM, hybrid-emulated "
                          "emulation. Default: whichever is best. A runtime of the other "
                          "accelerator is refused. One of hybrid-kvm, hybrid-emulated.")
    state_dir = StringProperty("Directory of what the VM keeps from run to run: UEFI variables "
                               "and the TPM's state. Default: /var/lib/volt/vms/<id>. The id is "
                               "the VM's name where that has only letters, digits, \"_\", \".\" "
                               "and \"-\", begins with a letter or digit, and is no longer than 48 "
                               "bytes; otherwise it is made of the name's beginning and its digest.")
    runtime_dir = StringProperty("Directory of the VM's sockets, for those that have no path of "
                                 "their own; up to 80 bytes. Default: /run/volt/<id>; see "
                                 "state_dir for the id.")
    user = StringProperty("User, by name or number, that the systemd service runs QEMU and its "
                          "companions as, and to whom belongs what is prepared. Give each VM a "
                          "user of its own: processes of one user can end each other. A service of "
                          "the system needs one; root must be asked for by its name. Default: who "
                          "executes the command, or has the service manager. Only a service is run "
                          "as that user: who executes a command must become the user before.")
    machine = StringProperty("QEMU's machine type: one with a version, such as pc-q35-7.2, or of "
                             "a distribution's QEMU pc-q35-rhel9.4.0, so that a newer QEMU shows "
                             "the guest the same hardware, or another kind, such as pc instead of "
                             "q35. Default: the newest of the kind that the architecture's guests "
                             "usually have.")
    firmware = StringProperty("Firmware: bios (the machine's own, whatever that is) or uefi. "
                              "Default: UEFI for Windows; for Linux without a kernel, UEFI where "
                              "the machine has no firmware of its own that boots from a disk, and "
                              "on the profile kvm-uefi; otherwise the machine's own. One of bios, "
                              "uefi.")
    secure_boot = SwitchProperty("Boot only what is signed for the keys in the profile's variable "
                                 "store. Needs UEFI firmware that can do it; on x86 it is guarded "
                                 "by system management mode, which needs the machine q35. Default: "
                                 "no.")
    secure_boot_unguarded = SwitchProperty("Take secure boot where the guest itself can rewrite "
                                           "the keys in flash, since the machine has no system "
                                           "management mode (all but x86) or the firmware makes no "
                                           "use of it: it checks what is booted until the guest is "
                                           "broken into. Default: no.")
    nvram = StringProperty("File of the VM's UEFI variables, which is made from the profile's "
                           "template when the VM is prepared. Default: nvram.fd in the state "
                           "directory.")
    rtc = StringProperty("What the guest's real-time clock shows. Default: local time for "
                         "Windows, otherwise UTC. One of utc, localtime.")
    suspend = SwitchProperty("Whether the guest is offered to suspend to memory and to disk "
                             "(ACPI's S3 and S4; only of the machines q35 and pc). One that does "
                             "sleeps until QMP's system_wakeup, or the next start. Not with secure "
                             "boot, whose firmware does not wake up again. Default: no.")
    memory = NumberProperty("Memory in MiB, up to 16 TiB. Default: 256, or more where the machine "
                            "needs it. What a machine can have is checked when a command is built. "
                            "From 0 to 16777216.")
    hugepages = StringProperty("Back the memory by huge pages of this size, such as 2M or 1G, "
                               "which the host has reserved (Linux: "
                               "Documentation/admin-guide/mm/hugetlbpage.rst). Default: none.")
    memory_shared = SwitchProperty("Put the guest's memory into a memfd that other processes can "
                                   "map, as vhost-user devices need it. Default: no; where a share "
                                   "goes over virtiofs it is done without being asked.")
    cpus = NumberProperty("Virtual CPUs. Default: the product of sockets, cores and threads where "
                          "these are set, else 1. From 0 to 4096.")
    cpu_sockets = NumberProperty("Sockets of the CPU topology; sockets, cores and threads "
                                 "together must give the number of CPUs. Default: those that are "
                                 "left over. From 0 to 4096.")
    cpu_cores = NumberProperty("Cores of each socket; see cpu_sockets. Default: 1. From 0 to 4096.")
    cpu_threads = NumberProperty("Threads of each core; see cpu_sockets. Default: 1. From 0 to "
                                 "4096.")
    cpu_model = StringProperty("QEMU's CPU model. Default: host under KVM, else one of the guest "
                               "architecture.")
    cpu_features = ValuesProperty("Features of the CPU by QEMU's names for them (-cpu): true and "
                                  "false switch one on and off, an integer from 0 up or text is "
                                  "its value, as in {\"hv-spinlocks\": \"0x1fff\", \"phys-bits\": "
                                  "40, \"aes\": true}.")
    hyperv = SwitchProperty("Hyper-V enlightenments, which spare Windows costly ways to wait and "
                            "to count time (QEMU: docs/system/i386/hyperv.rst). Emulation cannot "
                            "have them. Default: for Windows under KVM.")
    rootfs = StringProperty("Directory of the host that becomes the guest's root file system, "
                            "shared with the mount tag rootfs. Default: none.")
    rootfs_driver = StringProperty("How the root file system is shared: 9p (the default; QEMU "
                                   "serves it) or virtiofs (see the driver of shares). One of 9p, "
                                   "virtiofs.")
    rootfs_writable = SwitchProperty("Whether the guest may write to its root file system (QEMU: "
                                     "readonly=off). Default: no.")
    reboot = SwitchProperty("Whether the guest may reboot, as installers do; otherwise QEMU ends "
                            "when it wants to. Default: guests that boot from a disk or by UEFI "
                            "may, those with a kernel may not.")
    kernel = StringProperty("Kernel to boot. Default: none.")
    initrd = StringProperty("Initial RAM disk; needs a kernel. Its path has no commas and no "
                            "spaces: for a multiboot kernel, QEMU would take what is between them "
                            "for other files. Default: none.")
    append = StringProperty("The whole kernel command line; needs a kernel. A kernel whose root "
                            "is on a disk must be told so here: root=/dev/vda and so on. An empty "
                            "one is a value of its own. Default: console=<the machine's> panic=1, "
                            "with a root file system behind root=rootfs rootfstype=9p "
                            "rootflags=trans=virtio,version=9p2000.L, or root=rootfs "
                            "rootfstype=virtiofs, and rw where it is writable.")
    disks = ListProperty(Disk, "Disks and CD-ROM drives, in this order.")
    shares = ListProperty(Share, "Directories of the host that the guest can mount.")
    nics = ListProperty(Nic, "Network devices, in this order. Without one there is no network; "
                             "one with nothing set is connected by QEMU's own NAT, which lets "
                             "nothing in.")
    vsock_cid = NumberProperty("Context id of a virtio socket device (vsock(7)), 3 or more; needs "
                               "/dev/vhost-vsock. Default: no such device. From 0 to 4294967294.")
    rng = SwitchProperty("A virtio device that gives the guest entropy of the host's "
                         "/dev/urandom. Default: no.")
    balloon = SwitchProperty("A virtio balloon, so that memory can be taken back from the guest. "
                             "Default: no.")
    hotplug_slots = NumberProperty("PCI Express ports that are left free, up to 32, into which "
                                   "devices are plugged while the guest runs (QMP's device_add "
                                   "with the bus port0, port1, ...); of the machines q35 and virt. "
                                   "Default: none. From 0 to 32.")
    slots = ValuesProperty("Places of devices by their ids, so that none moves when others come "
                           "and go: a slot of PCI, with its function where it has several "
                           "(\"0x10\", or as a number 16; \"0x1f.0\"), or one behind a bridge "
                           "(\"bridge0:0x3\"); on s390x a device number (\"fe.0.2000\"); and where "
                           "a drive is on another bus, its SCSI id, IDE drive or USB port "
                           "(\"scsi:5\", \"ide:1\", \"usb:4\"). vqemu_vm_complete() writes those "
                           "that the VM has without them. Default: each kind of device has places "
                           "of its own.")
    watchdog = StringProperty("A watchdog device, i6300esb or on s390x diag288, and what QEMU "
                              "does when it expires. Default: no such device. One of reset, "
                              "shutdown, poweroff, pause, inject-nmi, none, debug.")
    tpm = SwitchProperty("A TPM 2.0, emulated by swtpm, which must listen on its socket when QEMU "
                         "starts. The systemd unit starts one; other callers start it themselves. "
                         "Default: no.")
    tpm_socket = StringProperty("Unix socket of swtpm. Default: tpm.sock in the runtime directory.")
    tpm_state = StringProperty("Directory in which swtpm keeps the TPM's state. Default: tpm in "
                               "the state directory.")
    swtpm_program = StringProperty("The program swtpm that the systemd unit starts. Default: "
                                   "/usr/bin/swtpm.")
    virtiofsd_program = StringProperty("The program virtiofsd that the systemd unit starts for "
                                       "each share over virtiofs. Default: /usr/libexec/virtiofsd.")
    virtiofsd_root = SwitchProperty("Whether virtiofsd is root in the systemd units of a VM with "
                                    "another user: then it acts as whoever in the guest accesses a "
                                    "file, and the guest can leave files of any owner, also setuid "
                                    "ones, in a writable share. Otherwise it is the VM's user, for "
                                    "which it must be the virtiofsd in Rust: QEMU's own, of before "
                                    "8.0, must be root. Default: off.")
    display = StringProperty("How the guest's screen is shown: none (the default), or vnc. One of "
                             "none, vnc.")
    video = StringProperty("Model of the graphics device: std (VGA), virtio, or ramfb. Default: "
                           "what the guest's system has drivers for, where there is a display. One "
                           "of std, virtio, ramfb.")
    vnc_socket = StringProperty("Unix socket of the VNC server. Default: vnc.sock in the runtime "
                                "directory, unless a port is set.")
    vnc_port = NumberProperty("TCP port of the loopback address 127.0.0.1 on which the VNC server "
                              "listens, instead of a Unix socket; with a password, or "
                              "vnc_no_password. Default: none. From 0 to 65535.")
    vnc_password_file = StringProperty("File that holds the password of the VNC server, so that "
                                       "it stands in no command. All of the file is the password, "
                                       "a newline at its end as well; the protocol uses 8 bytes of "
                                       "it. Default: none.")
    vnc_no_password = SwitchProperty("Let a vnc_port have no password: all users of the host have "
                                     "the screen then, and guests of other VMs that reach the "
                                     "host's loopback. Default: no.")
    usb = SwitchProperty("A USB 3 controller. Default: where there is a display.")
    usb_tablet = SwitchProperty("A USB tablet, whose pointer is where the user's is. Default: "
                                "where there is a display.")
    console = StringProperty("Where the serial console goes. stdio (the default): QEMU's standard "
                             "input and output. file: only output. socket: a Unix socket that QEMU "
                             "listens on. pty: a new pseudo-terminal, whose name QMP's "
                             "query-chardev tells. none: nowhere. One of stdio, file, socket, pty, "
                             "none.")
    console_path = StringProperty("Path of the console's file or socket. Default: console.log in "
                                  "the state directory, or console.sock in the runtime directory.")
    console_log = StringProperty("File to which all output of the console is appended as well, "
                                 "wherever it goes. Default: none.")
    console_monitor = SwitchProperty("Put QEMU's human monitor behind the console: Ctrl-A C leads "
                                     "to it and back, Ctrl-A X ends QEMU. Who types there reads "
                                     "and writes files of the host as QEMU's user, so it is not "
                                     "for a console that somebody else is given. Not for a console "
                                     "of kind file or none. Default: no.")
    qmp_socket = StringProperty("Unix socket on which QEMU listens for the caller's connection of "
                                "its machine protocol (QMP). The systemd unit has a second one of "
                                "its own. Default: none.")
    qmp_fd = NumberProperty("Descriptor for QMP, of a Unix socket that the caller has bound and "
                            "listened on, and passes on to QEMU: 3 or more. Default: none. From 0 "
                            "to 2147483647.")
    qmp_fd_name = StringProperty("Name of such a descriptor, instead of its number: the command "
                                 "numbers it for the process that becomes QEMU.")
    guest_agent_socket = StringProperty("A channel to the QEMU guest agent, and the Unix socket "
                                        "on which QEMU listens for its users. Default: none.")
    sandbox = SwitchProperty("Whether QEMU confines itself by seccomp (-sandbox), as far as what "
                             "the VM asks for allows it; false is for a QEMU that was built "
                             "without. Default: yes.")
    extra_args = StringsProperty("Arguments that are added to the end of QEMU's, verbatim. They "
                                 "can undo any of the defaults. Refused are -pidfile, -daemonize, "
                                 "-chroot, -runas, -run-with with chroot or user, and -readconfig, "
                                 "and paths of the VM's own sockets and files. Nothing else checks "
                                 "what they do.")
