/* SPDX-License-Identifier: MIT */
#include "vm/vm.h"

#include <string.h>

#include <volt-qemu/profile.h>

#include "base/error.h"
#include "util/export.h"
#include "vm/descriptor-name.h"
#include "vm/device-id.h"
#include "vm/disk.h"
#include "vm/nic.h"
#include "vm/share.h"

static const struct property properties[] = {
    {
        .key = "name",
        .reach = REACH_RULE,
        .kind = PROPERTY_STRING,
        .offset = offsetof(vqemu_vm, name),
        .required = true,
        .maximum = 255,
        .meaning =
            "Name of the VM: 1 to 255 bytes, any but NUL. UUID and MAC addresses follow from "
            "it unless they are set, and so do the default directories.",
    },
    {
        .key = "uuid",
        .reach = REACH_NOTHING,
        .kind = PROPERTY_STRING,
        .offset = offsetof(vqemu_vm, uuid),
        .pattern = "^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$",
        .wanted = "a UUID such as 6ba7b810-9dad-11d1-80b4-00c04fd430c8",
        .meaning = "UUID that the guest's firmware tables show, as 8-4-4-4-12 hexadecimal digits. "
                   "Default: one that is derived from the name, and so stays the same.",
    },
    {
        .key = "guest_os",
        .reach = REACH_NOTHING,
        .kind = PROPERTY_CHOICE,
        .offset = offsetof(vqemu_vm, guest_os),
        .choices = (const char *const[]){"linux", "windows", "other", NULL},
        .meaning =
            "Operating system of the guest, which decides the defaults of devices, clock and "
            "hints. linux (the default): virtio disks and network devices. windows: UEFI "
            "firmware, SATA disks and an Intel network device, on Arm NVMe disks, for which "
            "Windows "
            "brings drivers, a clock of local time, and under KVM the Hyper-V enlightenments. "
            "other: for legacy systems, IDE or SATA disks and an Intel or Realtek network device, "
            "where the machine can have them.",
    },
    {
        .key = "guest_arch",
        .reach = REACH_NOTHING,
        .kind = PROPERTY_CHOICE,
        .offset = offsetof(vqemu_vm, guest_arch),
        .choice_at = vqemu_guest_arch_at,
        .meaning = "Architecture of the guest, which chooses the QEMU program and the machine. "
                   "Default: the host's. A runtime for another architecture is refused.",
    },
    {
        .key = "profile",
        .reach = REACH_NOTHING,
        .kind = PROPERTY_STRING,
        .offset = offsetof(vqemu_vm, profile),
        .pattern = "^[a-z0-9][a-z0-9-]{0,62}$",
        .wanted = "the name of a profile: small letters, digits and \"-\"",
        .meaning =
            "Name of the profile that the VM runs on. Default: the best one that has all that "
            "the VM needs. A runtime of another profile is refused.",
    },
    {
        .key = "mode",
        .reach = REACH_NOTHING,
        .kind = PROPERTY_CHOICE,
        .offset = offsetof(vqemu_vm, mode),
        .choices = (const char *const[]){"hybrid-kvm", "hybrid-emulated", NULL},
        .meaning =
            "Mode of the reference system: hybrid-kvm orders KVM, hybrid-emulated emulation. "
            "Default: whichever is best. A runtime of the other accelerator is refused.",
    },
    {
        .key = "state_dir",
        .reach = REACH_DIRECTORY,
        .kind = PROPERTY_PATH,
        .offset = offsetof(vqemu_vm, state_dir),
        .meaning =
            "Directory of what the VM keeps from run to run: UEFI variables and the TPM's "
            "state. Default: /var/lib/volt/vms/<id>. The id is the VM's name where that has "
            "only letters, digits, \"_\", \".\" and \"-\", begins with a letter or digit, and "
            "is no longer than 48 bytes; otherwise it is made of the name's beginning and its "
            "digest.",
    },
    {
        .key = "runtime_dir",
        .reach = REACH_DIRECTORY,
        .kind = PROPERTY_PATH,
        .offset = offsetof(vqemu_vm, runtime_dir),
        .maximum = 80,
        .meaning =
            "Directory of the VM's sockets, for those that have no path of their own; up to 80 "
            "bytes. Default: /run/volt/<id>; see state_dir for the id.",
    },
    {
        .key = "user",
        .reach = REACH_RULE,
        .kind = PROPERTY_STRING,
        .offset = offsetof(vqemu_vm, user),
        .pattern = "^([A-Za-z_][A-Za-z0-9_.-]{0,30}|[0-9]{1,10})$",
        .wanted = "the name or number of a user",
        .meaning = "User, by name or number, that the systemd service runs QEMU and its companions "
                   "as, and to whom belongs what is prepared. Give each VM a user of its own: "
                   "processes of one user can end each other. A service of the system needs one; "
                   "root must be asked for by its name. Default: who executes the command, or "
                   "has the service manager. Only a service is run as that user: who executes a "
                   "command must become the user before.",
    },
    {
        .key = "machine",
        .reach = REACH_NOTHING,
        .kind = PROPERTY_STRING,
        .offset = offsetof(vqemu_vm, machine),
        .pattern = "^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$",
        .wanted = "the name of a machine type",
        .meaning =
            "QEMU's machine type: one with a version, such as pc-q35-7.2, or of a distribution's "
            "QEMU pc-q35-rhel9.4.0, so that a newer QEMU shows the guest the same hardware, or "
            "another kind, such as pc instead of q35. "
            "Default: the newest of the kind that the architecture's guests usually have.",
    },
    {
        .key = "firmware",
        .reach = REACH_NOTHING,
        .kind = PROPERTY_CHOICE,
        .offset = offsetof(vqemu_vm, firmware),
        .choices = (const char *const[]){"bios", "uefi", NULL},
        .meaning =
            "Firmware: bios (the machine's own, whatever that is) or uefi. Default: UEFI for "
            "Windows; for Linux without a kernel, UEFI where the machine has no firmware of "
            "its own that boots from a disk, and on the profile kvm-uefi; otherwise the "
            "machine's own.",
    },
    {
        .key = "secure_boot",
        .reach = REACH_NOTHING,
        .kind = PROPERTY_SWITCH,
        .offset = offsetof(vqemu_vm, secure_boot),
        .meaning =
            "Boot only what is signed for the keys in the profile's variable store. Needs UEFI "
            "firmware that can do it; on x86 it is guarded by system management mode, which "
            "needs the machine q35. Default: no.",
    },
    {
        .key = "secure_boot_unguarded",
        .reach = REACH_NOTHING,
        .kind = PROPERTY_SWITCH,
        .offset = offsetof(vqemu_vm, secure_boot_unguarded),
        .meaning = "Take secure boot where the guest itself can rewrite the keys in flash, since "
                   "the machine has no system management mode (all but x86) or the firmware makes "
                   "no use of it: it checks what is booted until the guest is broken into. "
                   "Default: no.",
    },
    {
        .key = "nvram",
        .reach = REACH_FILE,
        .kind = PROPERTY_PATH,
        .offset = offsetof(vqemu_vm, nvram),
        .meaning =
            "File of the VM's UEFI variables, which is made from the profile's template when "
            "the VM is prepared. Default: nvram.fd in the state directory.",
    },
    {
        .key = "rtc",
        .reach = REACH_NOTHING,
        .kind = PROPERTY_CHOICE,
        .offset = offsetof(vqemu_vm, rtc),
        .choices = (const char *const[]){"utc", "localtime", NULL},
        .meaning = "What the guest's real-time clock shows. Default: local time for Windows, "
                   "otherwise UTC.",
    },
    {
        .key = "suspend",
        .reach = REACH_NOTHING,
        .kind = PROPERTY_SWITCH,
        .offset = offsetof(vqemu_vm, suspend),
        .meaning =
            "Whether the guest is offered to suspend to memory and to disk (ACPI's S3 and S4; only "
            "of the machines q35 and pc). One that does sleeps until QMP's system_wakeup, or the "
            "next start. Not with secure boot, whose firmware does not wake up again. Default: no.",
    },
    {
        .key = "memory",
        .reach = REACH_RULE,
        .kind = PROPERTY_NUMBER,
        .offset = offsetof(vqemu_vm, memory),
        .minimum = 1,
        .maximum = 16777216,
        .wanted = "a number of MiB: an integer, 0 or more",
        .meaning = "Memory in MiB, up to 16 TiB. Default: 256, or more where the machine needs it. "
                   "What a machine can have is checked when a command is built.",
    },
    {
        .key = "hugepages",
        .reach = REACH_RULE,
        .kind = PROPERTY_STRING,
        .offset = offsetof(vqemu_vm, hugepages),
        .pattern = "^[1-9][0-9]{0,5}[KMG]$",
        .wanted = "a size of huge pages such as 2M or 1G",
        .meaning =
            "Back the memory by huge pages of this size, such as 2M or 1G, which the host has "
            "reserved (Linux: Documentation/admin-guide/mm/hugetlbpage.rst). Default: none.",
    },
    {
        .key = "memory_shared",
        .reach = REACH_NOTHING,
        .kind = PROPERTY_SWITCH,
        .offset = offsetof(vqemu_vm, memory_shared),
        .meaning =
            "Put the guest's memory into a memfd that other processes can map, as vhost-user "
            "devices need it. Default: no; where a share goes over virtiofs it is done without "
            "being asked.",
    },
    {
        .key = "cpus",
        .reach = REACH_RULE,
        .kind = PROPERTY_NUMBER,
        .offset = offsetof(vqemu_vm, cpus),
        .minimum = 1,
        .maximum = 4096,
        .meaning =
            "Virtual CPUs. Default: the product of sockets, cores and threads where these are "
            "set, else 1.",
    },
    {
        .key = "cpu_sockets",
        .reach = REACH_RULE,
        .kind = PROPERTY_NUMBER,
        .offset = offsetof(vqemu_vm, cpu_sockets),
        .minimum = 1,
        .maximum = 4096,
        .meaning = "Sockets of the CPU topology; sockets, cores and threads together must give the "
                   "number of CPUs. Default: those that are left over.",
    },
    {
        .key = "cpu_cores",
        .reach = REACH_RULE,
        .kind = PROPERTY_NUMBER,
        .offset = offsetof(vqemu_vm, cpu_cores),
        .minimum = 1,
        .maximum = 4096,
        .meaning = "Cores of each socket; see cpu_sockets. Default: 1.",
    },
    {
        .key = "cpu_threads",
        .reach = REACH_RULE,
        .kind = PROPERTY_NUMBER,
        .offset = offsetof(vqemu_vm, cpu_threads),
        .minimum = 1,
        .maximum = 4096,
        .meaning = "Threads of each core; see cpu_sockets. Default: 1.",
    },
    {
        .key = "cpu_model",
        .reach = REACH_NOTHING,
        .kind = PROPERTY_STRING,
        .offset = offsetof(vqemu_vm, cpu_model),
        .pattern = "^[A-Za-z0-9][A-Za-z0-9._+-]{0,62}$",
        .wanted = "the name of a CPU model",
        .meaning = "QEMU's CPU model. Default: host under KVM, else one of the guest architecture.",
    },
    {
        .key = "cpu_features",
        .reach = REACH_NOTHING,
        .kind = PROPERTY_VALUES,
        .offset = offsetof(vqemu_vm, cpu_features),
        .pattern = "^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$",
        .wanted = "the name of a CPU feature",
        .meaning =
            "Features of the CPU by QEMU's names for them (-cpu): true and false switch one on "
            "and off, an integer from 0 up or text is its value, as in {\"hv-spinlocks\": "
            "\"0x1fff\", \"phys-bits\": 40, \"aes\": true}.",
    },
    {
        .key = "hyperv",
        .reach = REACH_NOTHING,
        .kind = PROPERTY_SWITCH,
        .offset = offsetof(vqemu_vm, hyperv),
        .meaning =
            "Hyper-V enlightenments, which spare Windows costly ways to wait and to count time "
            "(QEMU: docs/system/i386/hyperv.rst). Emulation cannot have them. Default: for "
            "Windows under KVM.",
    },
    {
        .key = "rootfs",
        .reach = REACH_SHARE,
        .kind = PROPERTY_PATH,
        .offset = offsetof(vqemu_vm, rootfs),
        .meaning =
            "Directory of the host that becomes the guest's root file system, shared with the "
            "mount tag rootfs. Default: none.",
    },
    {
        .key = "rootfs_driver",
        .reach = REACH_RULE,
        .kind = PROPERTY_CHOICE,
        .offset = offsetof(vqemu_vm, rootfs_driver),
        .choices = (const char *const[]){"9p", "virtiofs", NULL},
        .meaning =
            "How the root file system is shared: 9p (the default; QEMU serves it) or virtiofs "
            "(see the driver of shares).",
    },
    {
        .key = "rootfs_writable",
        .reach = REACH_NOTHING,
        .kind = PROPERTY_SWITCH,
        .offset = offsetof(vqemu_vm, rootfs_writable),
        .meaning = "Whether the guest may write to its root file system (QEMU: readonly=off). "
                   "Default: no.",
    },
    {
        .key = "reboot",
        .reach = REACH_NOTHING,
        .kind = PROPERTY_SWITCH,
        .offset = offsetof(vqemu_vm, reboot),
        .meaning =
            "Whether the guest may reboot, as installers do; otherwise QEMU ends when it wants "
            "to. Default: guests that boot from a disk or by UEFI may, those with a kernel may "
            "not.",
    },
    {
        .key = "kernel",
        .reach = REACH_FILE,
        .kind = PROPERTY_PATH,
        .offset = offsetof(vqemu_vm, kernel),
        .meaning = "Kernel to boot. Default: none.",
    },
    {
        .key = "initrd",
        .reach = REACH_FILE,
        .kind = PROPERTY_PATH,
        .offset = offsetof(vqemu_vm, initrd),
        .pattern = "^/[^ ,]*$",
        .wanted = "a path without commas and spaces, at which QEMU splits it for some kernels",
        .meaning =
            "Initial RAM disk; needs a kernel. Its path has no commas and no spaces: for a "
            "multiboot kernel, QEMU would take what is between them for other files. Default: "
            "none.",
    },
    {
        .key = "append",
        .reach = REACH_NOTHING,
        .kind = PROPERTY_STRING,
        .offset = offsetof(vqemu_vm, append),
        .may_be_empty = true,
        .maximum = ARGUMENT_MAX,
        .meaning =
            "The whole kernel command line; needs a kernel. A kernel whose root is on a disk "
            "must be told so here: root=/dev/vda and so on. An empty one is a value of its "
            "own. Default: console=<the machine's> panic=1, with a root file system behind "
            "root=rootfs rootfstype=9p rootflags=trans=virtio,version=9p2000.L, or root=rootfs "
            "rootfstype=virtiofs, and rw where it is writable.",
    },
    {
        .key = "disks",
        .reach = REACH_RULE,
        .kind = PROPERTY_OBJECTS,
        .offset = offsetof(vqemu_vm, disks),
        .element = &disk_type,
        .meaning = "Disks and CD-ROM drives, in this order.",
    },
    {
        .key = "shares",
        .reach = REACH_RULE,
        .kind = PROPERTY_OBJECTS,
        .offset = offsetof(vqemu_vm, shares),
        .element = &share_type,
        .meaning = "Directories of the host that the guest can mount.",
    },
    {
        .key = "nics",
        .reach = REACH_RULE,
        .kind = PROPERTY_OBJECTS,
        .offset = offsetof(vqemu_vm, nics),
        .element = &nic_type,
        .meaning =
            "Network devices, in this order. Without one there is no network; one with nothing "
            "set is connected by QEMU's own NAT, which lets nothing in.",
    },
    {
        .key = "vsock_cid",
        .reach = REACH_RULE,
        .kind = PROPERTY_NUMBER,
        .offset = offsetof(vqemu_vm, vsock_cid),
        .minimum = 3,
        .maximum = 4294967294,
        .meaning = "Context id of a virtio socket device (vsock(7)), 3 or more; needs "
                   "/dev/vhost-vsock. Default: no such device.",
    },
    {
        .key = "rng",
        .reach = REACH_NOTHING,
        .kind = PROPERTY_SWITCH,
        .offset = offsetof(vqemu_vm, rng),
        .meaning =
            "A virtio device that gives the guest entropy of the host's /dev/urandom. Default: "
            "no.",
    },
    {
        .key = "balloon",
        .reach = REACH_NOTHING,
        .kind = PROPERTY_SWITCH,
        .offset = offsetof(vqemu_vm, balloon),
        .meaning =
            "A virtio balloon, so that memory can be taken back from the guest. Default: no.",
    },
    {
        .key = "hotplug_slots",
        .reach = REACH_NOTHING,
        .kind = PROPERTY_NUMBER,
        .offset = offsetof(vqemu_vm, hotplug_slots),
        .minimum = 1,
        .maximum = 32,
        .meaning = "PCI Express ports that are left free, up to 32, into which devices are plugged "
                   "while the guest runs (QMP's device_add with the bus port0, port1, ...); of the "
                   "machines q35 and virt. Default: none.",
    },
    {
        .key = "slots",
        .reach = REACH_NOTHING,
        .kind = PROPERTY_VALUES,
        .offset = offsetof(vqemu_vm, slots),
        .maximum = 65535,
        .pattern = DEVICE_ID_OF_ANY_PATTERN,
        .wanted = "the id of a device",
        .value_pattern = "^(0x[0-9A-Fa-f]{1,2}([.][0-7]){0,1}|bridge[0-3]:0x[0-9A-Fa-f]{1,2}|"
                         "fe[.]0[.][0-9A-Fa-f]{1,4}|(scsi|ide|usb):[0-9]{1,3})$",
        .value_wanted = "the place of a device, such as \"0x10\", \"0x1f.0\", "
                        "\"bridge0:0x3\", \"fe.0.2000\", \"scsi:5\", \"ide:1\" or \"usb:4\"",
        .meaning =
            "Places of devices by their ids, so that none moves when others come and go: a slot "
            "of PCI, with its function where it has several (\"0x10\", or as a number 16; "
            "\"0x1f.0\"), or one behind a bridge (\"bridge0:0x3\"); on s390x a device number "
            "(\"fe.0.2000\"); and where a drive is on another bus, its SCSI id, IDE drive or USB "
            "port (\"scsi:5\", \"ide:1\", \"usb:4\"). vqemu_vm_complete() writes those that the VM "
            "has without them. Default: each kind of device has places of its own.",
    },
    {
        .key = "watchdog",
        .reach = REACH_NOTHING,
        .kind = PROPERTY_CHOICE,
        .offset = offsetof(vqemu_vm, watchdog),
        .choices = (const char *const[]){"reset", "shutdown", "poweroff", "pause", "inject-nmi",
                                         "none", "debug", NULL},
        .meaning = "A watchdog device, i6300esb or on s390x diag288, and what QEMU does when it "
                   "expires. Default: no such device.",
    },
    {
        .key = "tpm",
        .reach = REACH_NOTHING,
        .kind = PROPERTY_SWITCH,
        .offset = offsetof(vqemu_vm, tpm),
        .meaning =
            "A TPM 2.0, emulated by swtpm, which must listen on its socket when QEMU starts. "
            "The systemd unit starts one; other callers start it themselves. Default: no.",
    },
    {
        .key = "tpm_socket",
        .reach = REACH_SOCKET,
        .kind = PROPERTY_SOCKET,
        .offset = offsetof(vqemu_vm, tpm_socket),
        .meaning = "Unix socket of swtpm. Default: tpm.sock in the runtime directory.",
    },
    {
        .key = "tpm_state",
        .reach = REACH_FILE,
        .kind = PROPERTY_PATH,
        .offset = offsetof(vqemu_vm, tpm_state),
        .meaning = "Directory in which swtpm keeps the TPM's state. Default: tpm in the state "
                   "directory.",
    },
    {
        .key = "swtpm_program",
        .reach = REACH_PROGRAM,
        .kind = PROPERTY_PATH,
        .offset = offsetof(vqemu_vm, swtpm_program),
        .meaning = "The program swtpm that the systemd unit starts. Default: /usr/bin/swtpm.",
    },
    {
        .key = "virtiofsd_program",
        .reach = REACH_PROGRAM,
        .kind = PROPERTY_PATH,
        .offset = offsetof(vqemu_vm, virtiofsd_program),
        .meaning =
            "The program virtiofsd that the systemd unit starts for each share over virtiofs. "
            "Default: /usr/libexec/virtiofsd.",
    },
    {
        .key = "virtiofsd_root",
        .reach = REACH_RULE,
        .kind = PROPERTY_SWITCH,
        .offset = offsetof(vqemu_vm, virtiofsd_root),
        .meaning =
            "Whether virtiofsd is root in the systemd units of a VM with another user: then it "
            "acts as whoever in the guest accesses a file, and the guest can leave files of any "
            "owner, also setuid ones, in a writable share. Otherwise it is the VM's user, for "
            "which it must be the virtiofsd in Rust: QEMU's own, of before 8.0, must be root. "
            "Default: off.",
    },
    {
        .key = "display",
        .reach = REACH_NOTHING,
        .kind = PROPERTY_CHOICE,
        .offset = offsetof(vqemu_vm, display),
        .choices = (const char *const[]){"none", "vnc", NULL},
        .meaning = "How the guest's screen is shown: none (the default), or vnc.",
    },
    {
        .key = "video",
        .reach = REACH_NOTHING,
        .kind = PROPERTY_CHOICE,
        .offset = offsetof(vqemu_vm, video),
        .choices = (const char *const[]){"std", "virtio", "ramfb", NULL},
        .meaning = "Model of the graphics device: std (VGA), virtio, or ramfb. Default: what the "
                   "guest's system has drivers for, where there is a display.",
    },
    {
        .key = "vnc_socket",
        .reach = REACH_SOCKET,
        .kind = PROPERTY_SOCKET,
        .offset = offsetof(vqemu_vm, vnc_socket),
        .meaning =
            "Unix socket of the VNC server. Default: vnc.sock in the runtime directory, unless "
            "a port is set.",
    },
    {
        .key = "vnc_port",
        .reach = REACH_RULE,
        .kind = PROPERTY_NUMBER,
        .offset = offsetof(vqemu_vm, vnc_port),
        .minimum = 5900,
        .maximum = 65535,
        .meaning = "TCP port of the loopback address 127.0.0.1 on which the VNC server listens, "
                   "instead of a Unix socket; with a password, or vnc_no_password. Default: none.",
    },
    {
        .key = "vnc_password_file",
        .reach = REACH_FILE,
        .kind = PROPERTY_PATH,
        .offset = offsetof(vqemu_vm, vnc_password_file),
        .meaning =
            "File that holds the password of the VNC server, so that it stands in no command. "
            "All of the file is the password, a newline at its end as well; the protocol uses "
            "8 bytes of it. Default: none.",
    },
    {
        .key = "vnc_no_password",
        .reach = REACH_RULE,
        .kind = PROPERTY_SWITCH,
        .offset = offsetof(vqemu_vm, vnc_no_password),
        .meaning = "Let a vnc_port have no password: all users of the host have the screen then, "
                   "and guests of other VMs that reach the host's loopback. Default: no.",
    },
    {
        .key = "usb",
        .reach = REACH_NOTHING,
        .kind = PROPERTY_SWITCH,
        .offset = offsetof(vqemu_vm, usb),
        .meaning = "A USB 3 controller. Default: where there is a display.",
    },
    {
        .key = "usb_tablet",
        .reach = REACH_NOTHING,
        .kind = PROPERTY_SWITCH,
        .offset = offsetof(vqemu_vm, usb_tablet),
        .meaning = "A USB tablet, whose pointer is where the user's is. Default: where there is a "
                   "display.",
    },
    {
        .key = "console",
        .reach = REACH_RULE,
        .kind = PROPERTY_CHOICE,
        .offset = offsetof(vqemu_vm, console),
        .choices = (const char *const[]){"stdio", "file", "socket", "pty", "none", NULL},
        .meaning =
            "Where the serial console goes. stdio (the default): QEMU's standard input and "
            "output. file: only output. socket: a Unix socket that QEMU listens on. pty: a new "
            "pseudo-terminal, whose name QMP's query-chardev tells. none: nowhere.",
    },
    {
        .key = "console_path",
        .reach = REACH_FILE,
        .kind = PROPERTY_PATH,
        .offset = offsetof(vqemu_vm, console_path),
        .meaning = "Path of the console's file or socket. Default: console.log in the state "
                   "directory, or console.sock in the "
                   "runtime directory.",
    },
    {
        .key = "console_log",
        .reach = REACH_FILE,
        .kind = PROPERTY_PATH,
        .offset = offsetof(vqemu_vm, console_log),
        .meaning = "File to which all output of the console is appended as well, wherever it goes. "
                   "Default: none.",
    },
    {
        .key = "console_monitor",
        .reach = REACH_RULE,
        .kind = PROPERTY_SWITCH,
        .offset = offsetof(vqemu_vm, console_monitor),
        .meaning =
            "Put QEMU's human monitor behind the console: Ctrl-A C leads to it and back, Ctrl-A "
            "X ends QEMU. Who types there reads and writes files of the host as QEMU's user, so "
            "it is not for a console that somebody else is given. Not for a console of kind "
            "file or none. Default: no.",
    },
    {
        .key = "qmp_socket",
        .reach = REACH_SOCKET,
        .kind = PROPERTY_SOCKET,
        .offset = offsetof(vqemu_vm, qmp_socket),
        .meaning = "Unix socket on which QEMU listens for the caller's connection of its machine "
                   "protocol (QMP). The systemd unit has a second one of its own. Default: none.",
    },
    {
        .key = "qmp_fd",
        .reach = REACH_DESCRIPTOR,
        .is_descriptor = true,
        .kind = PROPERTY_NUMBER,
        .offset = offsetof(vqemu_vm, qmp_fd),
        .minimum = 3,
        .maximum = 2147483647,
        .meaning =
            "Descriptor for QMP, of a Unix socket that the caller has bound and listened on, "
            "and passes on to QEMU: 3 or more. Default: none.",
    },
    {
        .key = "qmp_fd_name",
        .reach = REACH_DESCRIPTOR,
        .kind = PROPERTY_STRING,
        .offset = offsetof(vqemu_vm, qmp_fd_name),
        .pattern = DESCRIPTOR_NAME_PATTERN,
        .wanted = DESCRIPTOR_NAME_WANTED,
        .meaning = "Name of such a descriptor, instead of its number: the command numbers it for "
                   "the process that becomes QEMU.",
    },
    {
        .key = "guest_agent_socket",
        .reach = REACH_SOCKET,
        .kind = PROPERTY_SOCKET,
        .offset = offsetof(vqemu_vm, guest_agent_socket),
        .meaning =
            "A channel to the QEMU guest agent, and the Unix socket on which QEMU listens for "
            "its users. Default: none.",
    },
    {
        .key = "sandbox",
        .reach = REACH_RULE,
        .kind = PROPERTY_SWITCH,
        .offset = offsetof(vqemu_vm, sandbox),
        .meaning = "Whether QEMU confines itself by seccomp (-sandbox), as far as what the VM asks "
                   "for allows it; false is for a QEMU that was built without. Default: yes.",
    },
    {
        .key = "extra_args",
        .reach = REACH_RULE,
        .kind = PROPERTY_STRINGS,
        .offset = offsetof(vqemu_vm, extra_args),
        .maximum = ARGUMENT_MAX,
        .meaning =
            "Arguments that are added to the end of QEMU's, verbatim. They can undo any of the "
            "defaults. Refused are -pidfile, -daemonize, -chroot, -runas, -run-with with chroot or "
            "user, and -readconfig, and paths of the VM's own sockets and files. Nothing else "
            "checks what they do.",
    },
};

const struct object_type vm_type = {"VM", sizeof(vqemu_vm), properties,
                                    sizeof properties / sizeof *properties};

/* ---- life ---- */

VQEMU_EXPORT int vqemu_vm_new(const char *name, vqemu_vm **vm, vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(vm, error);
    *vm = NULL;
    REQUIRE_ARGUMENT(name, error);
    _cleanup_vm_ vqemu_vm *new = calloc(1, sizeof *new);
    if (!new)
        return error_no_memory(error);
    int r = property_set_string(property_find(&vm_type, "name", strlen("name")), new, "name", name,
                                error);
    if (r < 0)
        return r;
    *vm = TAKE_POINTER(new);
    return 0;
}

VQEMU_EXPORT int vqemu_vm_copy(const vqemu_vm *vm, vqemu_vm **copy, vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(copy, error);
    *copy = NULL;
    REQUIRE_ARGUMENT(vm, error);
    _cleanup_vm_ vqemu_vm *new = calloc(1, sizeof *new);
    int r = new ? object_copy(&vm_type, vm, new, error) : error_no_memory(error);
    if (r < 0)
        return r;
    *copy = TAKE_POINTER(new);
    return 0;
}

VQEMU_EXPORT void vqemu_vm_free(vqemu_vm *vm) {
    if (!vm)
        return;
    object_release(&vm_type, vm);
    free(vm);
}
