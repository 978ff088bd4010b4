/* SPDX-License-Identifier: MIT */
#include "vm/vm.h"

#include <string.h>

#include "base/error.h"
#include "util/export.h"
#include "vm/disk.h"
#include "vm/nic.h"
#include "vm/share.h"

static const struct property properties[] = {
    {
        .key = "name",
        .kind = PROPERTY_STRING,
        .offset = offsetof(vqemu_vm, name),
        .required = true,
        .maximum = 255,
        .meaning = "Name of the VM: 1 to 255 bytes.",
    },
    {
        .key = "uuid",
        .kind = PROPERTY_STRING,
        .offset = offsetof(vqemu_vm, uuid),
        .pattern = "^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$",
        .wanted = "a UUID such as 6ba7b810-9dad-11d1-80b4-00c04fd430c8",
        .meaning = "UUID that the guest sees; by default one that is derived from the name.",
    },
    {
        .key = "guest_os",
        .kind = PROPERTY_CHOICE,
        .offset = offsetof(vqemu_vm, guest_os),
        .choices = (const char *const[]){"linux", "windows", "other", NULL},
        .meaning = "Operating system of the guest: what devices, clock and hints it gets unless "
                   "they are set.",
    },
    {
        .key = "state_dir",
        .kind = PROPERTY_PATH,
        .offset = offsetof(vqemu_vm, state_dir),
        .meaning = "Directory of what the VM keeps: UEFI variables, TPM state. Default: "
                   "/var/lib/volt/vms/<id of the VM>.",
    },
    {
        .key = "runtime_dir",
        .kind = PROPERTY_PATH,
        .offset = offsetof(vqemu_vm, runtime_dir),
        .maximum = 80,
        .meaning = "Directory of the VM's sockets. Default: /run/volt/<id of the VM>.",
    },
    {
        .key = "user",
        .kind = PROPERTY_STRING,
        .offset = offsetof(vqemu_vm, user),
        .pattern = "^([A-Za-z_][A-Za-z0-9_.-]{0,30}|[0-9]{1,10})$",
        .wanted = "the name or number of a user",
        .meaning =
            "User that the systemd service runs QEMU as. Default: the service manager's own.",
    },
    {
        .key = "machine",
        .kind = PROPERTY_STRING,
        .offset = offsetof(vqemu_vm, machine),
        .pattern = "^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$",
        .wanted = "the name of a machine type",
        .meaning = "Machine type, such as pc-q35-7.2, which pins the devices' versions; by default "
                   "the newest one that the architecture is known to boot with.",
    },
    {
        .key = "firmware",
        .kind = PROPERTY_CHOICE,
        .offset = offsetof(vqemu_vm, firmware),
        .choices = (const char *const[]){"bios", "uefi", NULL},
        .meaning = "Firmware: bios (the machine's own, whatever that is) or uefi.",
    },
    {
        .key = "secure_boot",
        .kind = PROPERTY_SWITCH,
        .offset = offsetof(vqemu_vm, secure_boot),
        .meaning = "UEFI secure boot with the keys of the profile's variable store.",
    },
    {
        .key = "nvram",
        .kind = PROPERTY_PATH,
        .offset = offsetof(vqemu_vm, nvram),
        .meaning = "File of the VM's UEFI variables. Default: nvram.fd in the state directory.",
    },
    {
        .key = "rtc",
        .kind = PROPERTY_CHOICE,
        .offset = offsetof(vqemu_vm, rtc),
        .choices = (const char *const[]){"utc", "localtime", NULL},
        .meaning = "What the guest's clock shows. Default: local time for Windows, otherwise UTC.",
    },
    {
        .key = "memory",
        .kind = PROPERTY_NUMBER,
        .offset = offsetof(vqemu_vm, memory),
        .minimum = 1,
        .maximum = 16777216,
        .wanted = "a number of MiB: an integer, 0 or more",
        .meaning = "Memory in MiB; 0 for the architecture's default.",
    },
    {
        .key = "hugepages",
        .kind = PROPERTY_STRING,
        .offset = offsetof(vqemu_vm, hugepages),
        .pattern = "^[1-9][0-9]{0,5}[KMG]$",
        .wanted = "a size of huge pages such as 2M or 1G",
        .meaning = "Back the memory by huge pages of this size, such as 2M or 1G.",
    },
    {
        .key = "memory_shared",
        .kind = PROPERTY_SWITCH,
        .offset = offsetof(vqemu_vm, memory_shared),
        .meaning = "Share the guest's memory with other processes, as vhost-user devices need it.",
    },
    {
        .key = "cpus",
        .kind = PROPERTY_NUMBER,
        .offset = offsetof(vqemu_vm, cpus),
        .minimum = 1,
        .maximum = 4096,
        .meaning = "Virtual CPUs; 0 for the default, 1, or the product of the topology.",
    },
    {
        .key = "cpu_sockets",
        .kind = PROPERTY_NUMBER,
        .offset = offsetof(vqemu_vm, cpu_sockets),
        .minimum = 1,
        .maximum = 4096,
        .meaning = "Sockets of the CPU topology.",
    },
    {
        .key = "cpu_cores",
        .kind = PROPERTY_NUMBER,
        .offset = offsetof(vqemu_vm, cpu_cores),
        .minimum = 1,
        .maximum = 4096,
        .meaning = "Cores of each socket.",
    },
    {
        .key = "cpu_threads",
        .kind = PROPERTY_NUMBER,
        .offset = offsetof(vqemu_vm, cpu_threads),
        .minimum = 1,
        .maximum = 4096,
        .meaning = "Threads of each core.",
    },
    {
        .key = "cpu_model",
        .kind = PROPERTY_STRING,
        .offset = offsetof(vqemu_vm, cpu_model),
        .pattern = "^[A-Za-z0-9][A-Za-z0-9._+-]{0,62}$",
        .wanted = "the name of a CPU model",
        .meaning = "CPU model. Default: the host's under KVM, else the one of the "
                   "guest-architecture table.",
    },
    {
        .key = "cpu_features",
        .kind = PROPERTY_SWITCHES,
        .offset = offsetof(vqemu_vm, cpu_features),
        .pattern = "^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$",
        .wanted = "the name of a CPU feature",
        .meaning = "Features of the CPU that are switched on or off.",
    },
    {
        .key = "hyperv",
        .kind = PROPERTY_SWITCH,
        .offset = offsetof(vqemu_vm, hyperv),
        .meaning = "Hyper-V enlightenments for the guest. Default: for Windows under KVM.",
    },
    {
        .key = "rootfs",
        .kind = PROPERTY_PATH,
        .offset = offsetof(vqemu_vm, rootfs),
        .meaning =
            "Directory that becomes the guest's root file system, with the mount tag rootfs.",
    },
    {
        .key = "rootfs_driver",
        .kind = PROPERTY_CHOICE,
        .offset = offsetof(vqemu_vm, rootfs_driver),
        .choices = (const char *const[]){"9p", "virtiofs", NULL},
        .meaning = "How the root file system is shared. Default: 9p.",
    },
    {
        .key = "rootfs_writable",
        .kind = PROPERTY_SWITCH,
        .offset = offsetof(vqemu_vm, rootfs_writable),
        .meaning = "Whether the guest may write to its root file system. Default: no.",
    },
    {
        .key = "reboot",
        .kind = PROPERTY_SWITCH,
        .offset = offsetof(vqemu_vm, reboot),
        .meaning =
            "Whether the guest may reboot; otherwise QEMU ends. Default: if it has no kernel.",
    },
    {
        .key = "kernel",
        .kind = PROPERTY_PATH,
        .offset = offsetof(vqemu_vm, kernel),
        .meaning = "Kernel to boot.",
    },
    {
        .key = "initrd",
        .kind = PROPERTY_PATH,
        .offset = offsetof(vqemu_vm, initrd),
        .meaning = "Initial RAM disk; needs a kernel.",
    },
    {
        .key = "append",
        .kind = PROPERTY_STRING,
        .offset = offsetof(vqemu_vm, append),
        .may_be_empty = true,
        .meaning = "The whole kernel command line; needs a kernel.",
    },
    {
        .key = "disks",
        .kind = PROPERTY_OBJECTS,
        .offset = offsetof(vqemu_vm, disks),
        .element = &disk_type,
        .meaning = "Disks and CD-ROMs, in this order.",
    },
    {
        .key = "shares",
        .kind = PROPERTY_OBJECTS,
        .offset = offsetof(vqemu_vm, shares),
        .element = &share_type,
        .meaning = "Directories of the host that the guest can mount.",
    },
    {
        .key = "nics",
        .kind = PROPERTY_OBJECTS,
        .offset = offsetof(vqemu_vm, nics),
        .element = &nic_type,
        .meaning = "Network devices, in this order. Without one there is no network.",
    },
    {
        .key = "vsock_cid",
        .kind = PROPERTY_NUMBER,
        .offset = offsetof(vqemu_vm, vsock_cid),
        .minimum = 3,
        .maximum = 4294967294,
        .meaning = "Context id of a virtio socket device, 3 or more; needs /dev/vhost-vsock.",
    },
    {
        .key = "rng",
        .kind = PROPERTY_SWITCH,
        .offset = offsetof(vqemu_vm, rng),
        .meaning = "A virtio device that gives the guest entropy from the host's /dev/urandom.",
    },
    {
        .key = "balloon",
        .kind = PROPERTY_SWITCH,
        .offset = offsetof(vqemu_vm, balloon),
        .meaning = "A virtio balloon, so that memory can be taken back from the guest.",
    },
    {
        .key = "watchdog",
        .kind = PROPERTY_CHOICE,
        .offset = offsetof(vqemu_vm, watchdog),
        .choices = (const char *const[]){"reset", "shutdown", "poweroff", "pause", "inject-nmi",
                                         "none", "debug", NULL},
        .meaning = "A watchdog device, and what QEMU does when it expires.",
    },
    {
        .key = "tpm",
        .kind = PROPERTY_SWITCH,
        .offset = offsetof(vqemu_vm, tpm),
        .meaning = "A TPM 2.0, emulated by swtpm.",
    },
    {
        .key = "tpm_socket",
        .kind = PROPERTY_SOCKET,
        .offset = offsetof(vqemu_vm, tpm_socket),
        .meaning = "Unix socket of swtpm. Default: tpm.sock in the runtime directory.",
    },
    {
        .key = "tpm_state",
        .kind = PROPERTY_PATH,
        .offset = offsetof(vqemu_vm, tpm_state),
        .meaning = "Directory of the TPM's state. Default: tpm in the state directory.",
    },
    {
        .key = "swtpm_program",
        .kind = PROPERTY_PATH,
        .offset = offsetof(vqemu_vm, swtpm_program),
        .meaning = "The program swtpm, for the unit. Default: /usr/bin/swtpm.",
    },
    {
        .key = "virtiofsd_program",
        .kind = PROPERTY_PATH,
        .offset = offsetof(vqemu_vm, virtiofsd_program),
        .meaning = "The program virtiofsd, for the unit. Default: /usr/libexec/virtiofsd.",
    },
    {
        .key = "display",
        .kind = PROPERTY_CHOICE,
        .offset = offsetof(vqemu_vm, display),
        .choices = (const char *const[]){"none", "vnc", NULL},
        .meaning = "How the guest's screen is shown. Default: it has none.",
    },
    {
        .key = "video",
        .kind = PROPERTY_CHOICE,
        .offset = offsetof(vqemu_vm, video),
        .choices = (const char *const[]){"std", "virtio", "ramfb", NULL},
        .meaning =
            "Model of the graphics device. Default: what the guest's system has drivers for.",
    },
    {
        .key = "vnc_socket",
        .kind = PROPERTY_SOCKET,
        .offset = offsetof(vqemu_vm, vnc_socket),
        .meaning = "Unix socket of the VNC server. Default: vnc.sock in the runtime directory, "
                   "unless a port is set.",
    },
    {
        .key = "vnc_port",
        .kind = PROPERTY_NUMBER,
        .offset = offsetof(vqemu_vm, vnc_port),
        .minimum = 5900,
        .maximum = 65535,
        .meaning = "TCP port of the VNC server on the loopback address, 5900 to 65535.",
    },
    {
        .key = "vnc_password_file",
        .kind = PROPERTY_PATH,
        .offset = offsetof(vqemu_vm, vnc_password_file),
        .meaning = "File with nothing but the VNC password, no newline at its end; 8 bytes count. "
                   "So it stands in no command.",
    },
    {
        .key = "usb",
        .kind = PROPERTY_SWITCH,
        .offset = offsetof(vqemu_vm, usb),
        .meaning = "A USB controller. Default: where there is a display.",
    },
    {
        .key = "usb_tablet",
        .kind = PROPERTY_SWITCH,
        .offset = offsetof(vqemu_vm, usb_tablet),
        .meaning = "A USB tablet, whose pointer is where the user's is. Default: where there is a "
                   "display.",
    },
    {
        .key = "console",
        .kind = PROPERTY_CHOICE,
        .offset = offsetof(vqemu_vm, console),
        .choices = (const char *const[]){"stdio", "file", "socket", "pty", "none", NULL},
        .meaning =
            "Where the serial console goes. Default: stdio, with the monitor behind Ctrl-A C.",
    },
    {
        .key = "console_path",
        .kind = PROPERTY_PATH,
        .offset = offsetof(vqemu_vm, console_path),
        .meaning = "Path of the console's file or socket. Default: console.log or console.sock in "
                   "the runtime directory.",
    },
    {
        .key = "console_log",
        .kind = PROPERTY_PATH,
        .offset = offsetof(vqemu_vm, console_log),
        .meaning = "File to which all console output is appended as well.",
    },
    {
        .key = "qmp_socket",
        .kind = PROPERTY_SOCKET,
        .offset = offsetof(vqemu_vm, qmp_socket),
        .meaning = "Unix socket on which QEMU's machine protocol (QMP) listens.",
    },
    {
        .key = "qmp_fd",
        .kind = PROPERTY_NUMBER,
        .offset = offsetof(vqemu_vm, qmp_fd),
        .minimum = 3,
        .maximum = 2147483647,
        .meaning =
            "Descriptor of a listening Unix socket for QMP, which the caller passes on to QEMU.",
    },
    {
        .key = "guest_agent_socket",
        .kind = PROPERTY_SOCKET,
        .offset = offsetof(vqemu_vm, guest_agent_socket),
        .meaning = "Unix socket of the channel to the QEMU guest agent.",
    },
    {
        .key = "sandbox",
        .kind = PROPERTY_SWITCH,
        .offset = offsetof(vqemu_vm, sandbox),
        .meaning = "Whether QEMU confines itself by seccomp. Default: yes.",
    },
    {
        .key = "extra_args",
        .kind = PROPERTY_STRINGS,
        .offset = offsetof(vqemu_vm, extra_args),
        .meaning = "Arguments that are added to QEMU's, verbatim.",
    },
};

const struct object_type vm_type = {"vm", sizeof(vqemu_vm), properties,
                                    sizeof properties / sizeof *properties};

/* ---- life ---- */

VQEMU_EXPORT int vqemu_vm_new(const char *name, vqemu_vm **vm, vqemu_error **error) {
    *vm = NULL;
    _cleanup_vm_ vqemu_vm *new = calloc(1, sizeof *new);
    if (!new)
        return error_no_memory(error);
    int r = vqemu_vm_set_name(new, name, error);
    if (r < 0)
        return r;
    *vm = TAKE_POINTER(new);
    return 0;
}

VQEMU_EXPORT void vqemu_vm_free(vqemu_vm *vm) {
    if (!vm)
        return;
    object_release(&vm_type, vm);
    free(vm);
}

/* ---- parts ---- */

VQEMU_EXPORT int vqemu_vm_add_disk(vqemu_vm *vm, const char *path, vqemu_disk **disk,
                                   vqemu_error **error) {
    vqemu_disk *new = object_list_add(&vm->disks, &disk_type);
    int r = new ? vqemu_disk_set_file(new, path, error) : error_no_memory(error);
    if (new &&r < 0)
        object_list_remove_last(&vm->disks, &disk_type);
    if (disk)
        *disk = r == 0 ? new : NULL;
    return r;
}

VQEMU_EXPORT int vqemu_vm_add_share(vqemu_vm *vm, const char *directory, const char *tag,
                                    vqemu_share **share, vqemu_error **error) {
    vqemu_share *new = object_list_add(&vm->shares, &share_type);
    int r = new ? vqemu_share_set_path(new, directory, error) : error_no_memory(error);
    if (r == 0)
        r = vqemu_share_set_tag(new, tag, error);
    if (new &&r < 0)
        object_list_remove_last(&vm->shares, &share_type);
    if (share)
        *share = r == 0 ? new : NULL;
    return r;
}

VQEMU_EXPORT int vqemu_vm_add_nic(vqemu_vm *vm, const char *backend, vqemu_nic **nic,
                                  vqemu_error **error) {
    vqemu_nic *new = object_list_add(&vm->nics, &nic_type);
    int r = new ? vqemu_nic_set_backend(new, backend, error) : error_no_memory(error);
    if (new &&r < 0)
        object_list_remove_last(&vm->nics, &nic_type);
    if (nic)
        *nic = r == 0 ? new : NULL;
    return r;
}

/* ---- properties ---- */

VQEMU_EXPORT int vqemu_vm_set_name(vqemu_vm *vm, const char *name, vqemu_error **error) {
    return object_set_string(&vm_type, vm, "name", name, error);
}

VQEMU_EXPORT int vqemu_vm_set_uuid(vqemu_vm *vm, const char *uuid, vqemu_error **error) {
    return object_set_string(&vm_type, vm, "uuid", uuid, error);
}

VQEMU_EXPORT int vqemu_vm_set_guest_os(vqemu_vm *vm, const char *guest_os, vqemu_error **error) {
    return object_set_string(&vm_type, vm, "guest_os", guest_os, error);
}

VQEMU_EXPORT int vqemu_vm_set_state_dir(vqemu_vm *vm, const char *directory, vqemu_error **error) {
    return object_set_string(&vm_type, vm, "state_dir", directory, error);
}

VQEMU_EXPORT int vqemu_vm_set_runtime_dir(vqemu_vm *vm, const char *directory,
                                          vqemu_error **error) {
    return object_set_string(&vm_type, vm, "runtime_dir", directory, error);
}

VQEMU_EXPORT int vqemu_vm_set_user(vqemu_vm *vm, const char *user, vqemu_error **error) {
    return object_set_string(&vm_type, vm, "user", user, error);
}

VQEMU_EXPORT int vqemu_vm_set_machine(vqemu_vm *vm, const char *machine, vqemu_error **error) {
    return object_set_string(&vm_type, vm, "machine", machine, error);
}

VQEMU_EXPORT int vqemu_vm_set_firmware(vqemu_vm *vm, const char *firmware, vqemu_error **error) {
    return object_set_string(&vm_type, vm, "firmware", firmware, error);
}

VQEMU_EXPORT void vqemu_vm_set_secure_boot(vqemu_vm *vm, bool on) {
    vm->secure_boot = toggle(on);
}

VQEMU_EXPORT int vqemu_vm_set_nvram(vqemu_vm *vm, const char *path, vqemu_error **error) {
    return object_set_string(&vm_type, vm, "nvram", path, error);
}

VQEMU_EXPORT int vqemu_vm_set_rtc(vqemu_vm *vm, const char *base, vqemu_error **error) {
    return object_set_string(&vm_type, vm, "rtc", base, error);
}

VQEMU_EXPORT int vqemu_vm_set_memory(vqemu_vm *vm, uint64_t mib, vqemu_error **error) {
    return object_set_number(&vm_type, vm, "memory", mib, error);
}

VQEMU_EXPORT int vqemu_vm_set_hugepages(vqemu_vm *vm, const char *size, vqemu_error **error) {
    return object_set_string(&vm_type, vm, "hugepages", size, error);
}

VQEMU_EXPORT void vqemu_vm_set_memory_shared(vqemu_vm *vm, bool on) {
    vm->memory_shared = toggle(on);
}

VQEMU_EXPORT int vqemu_vm_set_cpus(vqemu_vm *vm, uint32_t cpus, vqemu_error **error) {
    return object_set_number(&vm_type, vm, "cpus", cpus, error);
}

VQEMU_EXPORT int vqemu_vm_set_cpu_sockets(vqemu_vm *vm, uint32_t sockets, vqemu_error **error) {
    return object_set_number(&vm_type, vm, "cpu_sockets", sockets, error);
}

VQEMU_EXPORT int vqemu_vm_set_cpu_cores(vqemu_vm *vm, uint32_t cores, vqemu_error **error) {
    return object_set_number(&vm_type, vm, "cpu_cores", cores, error);
}

VQEMU_EXPORT int vqemu_vm_set_cpu_threads(vqemu_vm *vm, uint32_t threads, vqemu_error **error) {
    return object_set_number(&vm_type, vm, "cpu_threads", threads, error);
}

VQEMU_EXPORT int vqemu_vm_set_cpu_model(vqemu_vm *vm, const char *model, vqemu_error **error) {
    return object_set_string(&vm_type, vm, "cpu_model", model, error);
}

VQEMU_EXPORT void vqemu_vm_set_hyperv(vqemu_vm *vm, bool on) {
    vm->hyperv = toggle(on);
}

VQEMU_EXPORT int vqemu_vm_set_rootfs(vqemu_vm *vm, const char *directory, vqemu_error **error) {
    return object_set_string(&vm_type, vm, "rootfs", directory, error);
}

VQEMU_EXPORT int vqemu_vm_set_rootfs_driver(vqemu_vm *vm, const char *driver, vqemu_error **error) {
    return object_set_string(&vm_type, vm, "rootfs_driver", driver, error);
}

VQEMU_EXPORT void vqemu_vm_set_rootfs_writable(vqemu_vm *vm, bool on) {
    vm->rootfs_writable = toggle(on);
}

VQEMU_EXPORT void vqemu_vm_set_reboot(vqemu_vm *vm, bool on) {
    vm->reboot = toggle(on);
}

VQEMU_EXPORT int vqemu_vm_set_kernel(vqemu_vm *vm, const char *path, vqemu_error **error) {
    return object_set_string(&vm_type, vm, "kernel", path, error);
}

VQEMU_EXPORT int vqemu_vm_set_initrd(vqemu_vm *vm, const char *path, vqemu_error **error) {
    return object_set_string(&vm_type, vm, "initrd", path, error);
}

VQEMU_EXPORT int vqemu_vm_set_vsock_cid(vqemu_vm *vm, uint32_t cid, vqemu_error **error) {
    return object_set_number(&vm_type, vm, "vsock_cid", cid, error);
}

VQEMU_EXPORT void vqemu_vm_set_rng(vqemu_vm *vm, bool on) {
    vm->rng = toggle(on);
}

VQEMU_EXPORT void vqemu_vm_set_balloon(vqemu_vm *vm, bool on) {
    vm->balloon = toggle(on);
}

VQEMU_EXPORT int vqemu_vm_set_watchdog(vqemu_vm *vm, const char *action, vqemu_error **error) {
    return object_set_string(&vm_type, vm, "watchdog", action, error);
}

VQEMU_EXPORT void vqemu_vm_set_tpm(vqemu_vm *vm, bool on) {
    vm->tpm = toggle(on);
}

VQEMU_EXPORT int vqemu_vm_set_tpm_socket(vqemu_vm *vm, const char *path, vqemu_error **error) {
    return object_set_string(&vm_type, vm, "tpm_socket", path, error);
}

VQEMU_EXPORT int vqemu_vm_set_tpm_state(vqemu_vm *vm, const char *directory, vqemu_error **error) {
    return object_set_string(&vm_type, vm, "tpm_state", directory, error);
}

VQEMU_EXPORT int vqemu_vm_set_swtpm_program(vqemu_vm *vm, const char *path, vqemu_error **error) {
    return object_set_string(&vm_type, vm, "swtpm_program", path, error);
}

VQEMU_EXPORT int vqemu_vm_set_virtiofsd_program(vqemu_vm *vm, const char *path,
                                                vqemu_error **error) {
    return object_set_string(&vm_type, vm, "virtiofsd_program", path, error);
}

VQEMU_EXPORT int vqemu_vm_set_display(vqemu_vm *vm, const char *display, vqemu_error **error) {
    return object_set_string(&vm_type, vm, "display", display, error);
}

VQEMU_EXPORT int vqemu_vm_set_video(vqemu_vm *vm, const char *model, vqemu_error **error) {
    return object_set_string(&vm_type, vm, "video", model, error);
}

VQEMU_EXPORT int vqemu_vm_set_vnc_socket(vqemu_vm *vm, const char *path, vqemu_error **error) {
    return object_set_string(&vm_type, vm, "vnc_socket", path, error);
}

VQEMU_EXPORT int vqemu_vm_set_vnc_port(vqemu_vm *vm, uint32_t port, vqemu_error **error) {
    return object_set_number(&vm_type, vm, "vnc_port", port, error);
}

VQEMU_EXPORT int vqemu_vm_set_vnc_password_file(vqemu_vm *vm, const char *path,
                                                vqemu_error **error) {
    return object_set_string(&vm_type, vm, "vnc_password_file", path, error);
}

VQEMU_EXPORT void vqemu_vm_set_usb(vqemu_vm *vm, bool on) {
    vm->usb = toggle(on);
}

VQEMU_EXPORT void vqemu_vm_set_usb_tablet(vqemu_vm *vm, bool on) {
    vm->usb_tablet = toggle(on);
}

VQEMU_EXPORT int vqemu_vm_set_console(vqemu_vm *vm, const char *kind, vqemu_error **error) {
    return object_set_string(&vm_type, vm, "console", kind, error);
}

VQEMU_EXPORT int vqemu_vm_set_console_path(vqemu_vm *vm, const char *path, vqemu_error **error) {
    return object_set_string(&vm_type, vm, "console_path", path, error);
}

VQEMU_EXPORT int vqemu_vm_set_console_log(vqemu_vm *vm, const char *path, vqemu_error **error) {
    return object_set_string(&vm_type, vm, "console_log", path, error);
}

VQEMU_EXPORT int vqemu_vm_set_qmp_socket(vqemu_vm *vm, const char *path, vqemu_error **error) {
    return object_set_string(&vm_type, vm, "qmp_socket", path, error);
}

VQEMU_EXPORT int vqemu_vm_set_qmp_fd(vqemu_vm *vm, int fd, vqemu_error **error) {
    return object_set_descriptor(&vm_type, vm, "qmp_fd", fd, error);
}

VQEMU_EXPORT int vqemu_vm_set_guest_agent_socket(vqemu_vm *vm, const char *path,
                                                 vqemu_error **error) {
    return object_set_string(&vm_type, vm, "guest_agent_socket", path, error);
}

VQEMU_EXPORT void vqemu_vm_set_sandbox(vqemu_vm *vm, bool on) {
    vm->sandbox = toggle(on);
}

VQEMU_EXPORT int vqemu_vm_set_append(vqemu_vm *vm, const char *command_line, vqemu_error **error) {
    return object_set_string(&vm_type, vm, "append", command_line, error);
}

VQEMU_EXPORT int vqemu_vm_set_cpu_feature(vqemu_vm *vm, const char *feature, bool on,
                                          vqemu_error **error) {
    return object_set_switch(&vm_type, vm, "cpu_features", feature, on, error);
}

VQEMU_EXPORT int vqemu_vm_add_extra_arg(vqemu_vm *vm, const char *argument, vqemu_error **error) {
    return object_add_string(&vm_type, vm, "extra_args", argument, error);
}

VQEMU_EXPORT const char *vqemu_vm_name(const vqemu_vm *vm) {
    return vm->name;
}

VQEMU_EXPORT const char *vqemu_vm_guest_os(const vqemu_vm *vm) {
    return vm->guest_os;
}

VQEMU_EXPORT uint64_t vqemu_vm_memory(const vqemu_vm *vm) {
    return vm->memory;
}

VQEMU_EXPORT uint32_t vqemu_vm_cpus(const vqemu_vm *vm) {
    return (uint32_t)vm->cpus;
}

VQEMU_EXPORT const char *vqemu_vm_rootfs(const vqemu_vm *vm) {
    return vm->rootfs;
}

VQEMU_EXPORT const char *vqemu_vm_kernel(const vqemu_vm *vm) {
    return vm->kernel;
}

VQEMU_EXPORT const char *vqemu_vm_initrd(const vqemu_vm *vm) {
    return vm->initrd;
}

VQEMU_EXPORT const char *vqemu_vm_append(const vqemu_vm *vm) {
    return vm->append;
}

VQEMU_EXPORT size_t vqemu_vm_extra_arg_count(const vqemu_vm *vm) {
    return vm->extra_args.count;
}

VQEMU_EXPORT const char *vqemu_vm_extra_arg(const vqemu_vm *vm, size_t index) {
    return index < vm->extra_args.count ? vm->extra_args.items[index] : NULL;
}
