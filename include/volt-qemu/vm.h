/* SPDX-License-Identifier: MIT */
#ifndef VOLT_QEMU_VM_H
#define VOLT_QEMU_VM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <volt-qemu/disk.h>
#include <volt-qemu/error.h>
#include <volt-qemu/nic.h>
#include <volt-qemu/share.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * A virtual machine as its user describes it: what to run, not how.
 *
 * Filled by setters, or read from a JSON document; each key of the document is named after its
 * setter. What is not set has the default that its setter tells. Whether a profile and machine can
 * have what was asked for is checked when a command is built. Mutable; one owner, one thread at a
 * time. Strings are copied. Since 1.0.
 */
typedef struct vqemu_vm vqemu_vm;

/**
 * Make a VM with the defaults: the architecture's default memory (256 MiB, more where its machine
 * needs more), 1 CPU, a serial console on standard input and output, and nothing else.
 *
 * name: 1 to 255 bytes, any but NUL. On success the caller frees *vm with vqemu_vm_free().
 *
 * Errors: VQEMU_ERR_INVALID, VQEMU_ERR_NO_MEMORY. Since 1.0.
 */
int vqemu_vm_new(const char *name, vqemu_vm **vm, vqemu_error **error);

/**
 * Read a VM from size bytes of JSON text: an object whose keys mean what the setters of the same
 * names say ("memory": vqemu_vm_set_memory()), with arrays of objects "disks", "shares" and "nics".
 * Only "name" is required. Unknown keys are refused. vqemu_vm_schema() describes it whole. source
 * stands for the document in messages; NULL means "VM description".
 *
 * Errors: VQEMU_ERR_MALFORMED (the message gives the line, or the path of the key, as in
 * "web.json: disks[0].cache"), VQEMU_ERR_NO_MEMORY. Since 1.0.
 */
int vqemu_vm_from_json(const char *text, size_t size, const char *source, vqemu_vm **vm,
                       vqemu_error **error);

/**
 * Read a VM from a JSON file of at most 1 MiB. Otherwise like vqemu_vm_from_json().
 *
 * Errors: also VQEMU_ERR_NOT_FOUND, VQEMU_ERR_SYSTEM. Since 1.0.
 */
int vqemu_vm_from_file(const char *path, vqemu_vm **vm, vqemu_error **error);

/**
 * The VM as the JSON text that vqemu_vm_from_json() reads, ending in a newline, with what is set
 * and nothing else. The caller frees *text with vqemu_free().
 *
 * Errors: VQEMU_ERR_UNSUPPORTED (a string is not UTF-8, which JSON cannot carry),
 * VQEMU_ERR_NO_MEMORY. Since 1.0.
 */
int vqemu_vm_to_json(const vqemu_vm *vm, char **text, vqemu_error **error);

/**
 * The JSON Schema (json-schema.org, draft 2020-12) of the documents that vqemu_vm_from_json()
 * reads, ending in a newline. The caller frees *text with vqemu_free(). Errors:
 * VQEMU_ERR_NO_MEMORY. Since 1.0.
 */
int vqemu_vm_schema(char **text, vqemu_error **error);

/** Free a VM with its disks, shares and network devices. NULL is allowed. Since 1.0. */
void vqemu_vm_free(vqemu_vm *vm);

/* ---- identity ---- */

/**
 * Change the name; see vqemu_vm_new(). Errors: VQEMU_ERR_INVALID, VQEMU_ERR_NO_MEMORY. Since 1.0.
 */
int vqemu_vm_set_name(vqemu_vm *vm, const char *name, vqemu_error **error);

/** The name. Borrowed until it is set again. Since 1.0. */
const char *vqemu_vm_name(const vqemu_vm *vm);

/**
 * Set the UUID that the guest's firmware tables show, as 8-4-4-4-12 hexadecimal digits. NULL means
 * the default: one that is derived from the VM's name, and so stays the same. Errors:
 * VQEMU_ERR_INVALID, VQEMU_ERR_NO_MEMORY. Since 1.0.
 */
int vqemu_vm_set_uuid(vqemu_vm *vm, const char *uuid, vqemu_error **error);

/**
 * Set the guest's operating system, which decides the defaults: "linux" (the default) has virtio
 * disks and network devices. "windows" has UEFI firmware, SATA disks and an Intel network device,
 * for which Windows brings drivers, a clock of local time, and under KVM the Hyper-V
 * enlightenments. "other" has IDE or SATA disks and an Intel or Realtek network device, where the
 * machine can have them, for legacy systems. Errors: VQEMU_ERR_INVALID. Since 1.0.
 */
int vqemu_vm_set_guest_os(vqemu_vm *vm, const char *guest_os, vqemu_error **error);

/** The guest's operating system; NULL if the default is to be used. Static. Since 1.0. */
const char *vqemu_vm_guest_os(const vqemu_vm *vm);

/**
 * Set the directory of what the VM keeps from run to run: UEFI variables and the TPM's state. NULL
 * means the default, /var/lib/volt/vms/<id>. The id is the VM's name where that has only letters,
 * digits, "_", "." and "-", begins with a letter or digit, and is no longer than 48 bytes;
 * otherwise it is made of the name's beginning and its digest. Errors: VQEMU_ERR_INVALID,
 * VQEMU_ERR_NO_MEMORY. Since 1.0.
 */
int vqemu_vm_set_state_dir(vqemu_vm *vm, const char *directory, vqemu_error **error);

/**
 * Set the directory of the VM's sockets, for those that have no path of their own. NULL means the
 * default, /run/volt/<id>; see vqemu_vm_set_state_dir() for the id. Errors: VQEMU_ERR_INVALID,
 * VQEMU_ERR_NO_MEMORY. Since 1.0.
 */
int vqemu_vm_set_runtime_dir(vqemu_vm *vm, const char *directory, vqemu_error **error);

/**
 * Set the user, a name or number, that the systemd service runs QEMU and its companions as. NULL
 * means the service manager's own, which for the system manager is root. Only a service is run as
 * that user, and what vqemu_prepare() makes belongs to it: who executes a command must become the
 * user before. Errors: VQEMU_ERR_INVALID, VQEMU_ERR_NO_MEMORY. Since 1.0.
 */
int vqemu_vm_set_user(vqemu_vm *vm, const char *user, vqemu_error **error);

/* ---- machine ---- */

/**
 * Set QEMU's machine type: one with a version, such as "pc-q35-7.2", so that a newer QEMU shows
 * the guest the same hardware, or another kind, such as "pc" instead of "q35". NULL means the
 * guest-architecture table's, without a version. See vqemu_guest_arch_machine_at(). Errors:
 * VQEMU_ERR_INVALID, VQEMU_ERR_NO_MEMORY. Since 1.0.
 */
int vqemu_vm_set_machine(vqemu_vm *vm, const char *machine, vqemu_error **error);

/**
 * Set the firmware: "bios" for the machine's own, whatever that is, or "uefi". NULL means the
 * default: UEFI for Windows; for Linux without a kernel, UEFI where the machine has no firmware of
 * its own that boots from a disk, and on the profile kvm-uefi; otherwise the machine's own. Errors:
 * VQEMU_ERR_INVALID. Since 1.0.
 */
int vqemu_vm_set_firmware(vqemu_vm *vm, const char *firmware, vqemu_error **error);

/**
 * Boot only what is signed for the keys in the profile's variable store. Needs UEFI firmware that
 * can do it; on x86 it is guarded by system management mode, which needs the machine q35. Since
 * 1.0.
 */
void vqemu_vm_set_secure_boot(vqemu_vm *vm, bool on);

/**
 * Set the file of the VM's UEFI variables, which vqemu_prepare() makes from the profile's
 * template. NULL means nvram.fd in the state directory. Errors: VQEMU_ERR_INVALID,
 * VQEMU_ERR_NO_MEMORY. Since 1.0.
 */
int vqemu_vm_set_nvram(vqemu_vm *vm, const char *path, vqemu_error **error);

/**
 * Set what the guest's real-time clock shows: "utc" or "localtime". NULL means local time for
 * Windows, otherwise UTC. Errors: VQEMU_ERR_INVALID. Since 1.0.
 */
int vqemu_vm_set_rtc(vqemu_vm *vm, const char *base, vqemu_error **error);

/* ---- memory and processors ---- */

/**
 * Set the memory in MiB, 1 to 16777216 (16 TiB); 0 means the default. What a machine can have is
 * checked when a command is built. Errors: VQEMU_ERR_INVALID. Since 1.0.
 */
int vqemu_vm_set_memory(vqemu_vm *vm, uint64_t mib, vqemu_error **error);

/** The memory in MiB; 0 if the default is to be used. Since 1.0. */
uint64_t vqemu_vm_memory(const vqemu_vm *vm);

/**
 * Back the guest's memory by huge pages of a size that the host has reserved, such as "2M" or "1G"
 * (Linux, Documentation/admin-guide/mm/hugetlbpage.rst). NULL for none. Errors: VQEMU_ERR_INVALID,
 * VQEMU_ERR_NO_MEMORY. Since 1.0.
 */
int vqemu_vm_set_hugepages(vqemu_vm *vm, const char *size, vqemu_error **error);

/**
 * Put the guest's memory into a memfd that other processes can map, as vhost-user devices need it.
 * Done without being asked where a share goes over virtiofs. Since 1.0.
 */
void vqemu_vm_set_memory_shared(vqemu_vm *vm, bool on);

/**
 * Set the number of virtual CPUs, 1 to 4096; 0 means the default: the product of sockets, cores
 * and threads where these are set, else 1. Errors: VQEMU_ERR_INVALID. Since 1.0.
 */
int vqemu_vm_set_cpus(vqemu_vm *vm, uint32_t cpus, vqemu_error **error);

/** The number of virtual CPUs; 0 if the default is to be used. Since 1.0. */
uint32_t vqemu_vm_cpus(const vqemu_vm *vm);

/**
 * Set the sockets of the topology; 0 means those that are left over. Sockets, cores and threads
 * together must give the number of CPUs. Errors: VQEMU_ERR_INVALID. Since 1.0.
 */
int vqemu_vm_set_cpu_sockets(vqemu_vm *vm, uint32_t sockets, vqemu_error **error);

/**
 * Set the cores of each socket; see vqemu_vm_set_cpu_sockets(). Errors: VQEMU_ERR_INVALID. Since
 * 1.0.
 */
int vqemu_vm_set_cpu_cores(vqemu_vm *vm, uint32_t cores, vqemu_error **error);

/**
 * Set the threads of each core; see vqemu_vm_set_cpu_sockets(). Errors: VQEMU_ERR_INVALID. Since
 * 1.0.
 */
int vqemu_vm_set_cpu_threads(vqemu_vm *vm, uint32_t threads, vqemu_error **error);

/**
 * Set QEMU's CPU model. NULL means "host" under KVM, else the guest-architecture table's. Errors:
 * VQEMU_ERR_INVALID, VQEMU_ERR_NO_MEMORY. Since 1.0.
 */
int vqemu_vm_set_cpu_model(vqemu_vm *vm, const char *model, vqemu_error **error);

/**
 * Switch a feature of the CPU on or off, by QEMU's name for it. Errors: VQEMU_ERR_INVALID,
 * VQEMU_ERR_NO_MEMORY. Since 1.0.
 */
int vqemu_vm_set_cpu_feature(vqemu_vm *vm, const char *feature, bool on, vqemu_error **error);

/**
 * Give the guest the Hyper-V enlightenments that spare Windows costly ways to wait and to count
 * time, as QEMU's documentation describes them (docs/system/i386/hyperv.rst). By default Windows
 * gets them under KVM; emulation cannot have them. Since 1.0.
 */
void vqemu_vm_set_hyperv(vqemu_vm *vm, bool on);

/* ---- what is booted ---- */

/**
 * Set the directory that becomes the guest's root file system, shared with the mount tag "rootfs".
 * An absolute path; NULL or "" for none. Errors: VQEMU_ERR_INVALID, VQEMU_ERR_NO_MEMORY. Since
 * 1.0.
 */
int vqemu_vm_set_rootfs(vqemu_vm *vm, const char *directory, vqemu_error **error);

/** The root file system's directory; NULL for none. Borrowed until it is set again. Since 1.0. */
const char *vqemu_vm_rootfs(const vqemu_vm *vm);

/**
 * Set how the root file system is shared: "9p" (the default) or "virtiofs"; see
 * vqemu_share_set_driver(). Errors: VQEMU_ERR_INVALID. Since 1.0.
 */
int vqemu_vm_set_rootfs_driver(vqemu_vm *vm, const char *driver, vqemu_error **error);

/**
 * Let the guest write to its root file system (QEMU: readonly=off). Since 1.0.
 */
void vqemu_vm_set_rootfs_writable(vqemu_vm *vm, bool on);

/**
 * Let the guest reboot, as installers do; otherwise QEMU ends when it wants to. By default guests
 * that boot from a disk or by UEFI may, and those with a kernel may not. Since 1.0.
 */
void vqemu_vm_set_reboot(vqemu_vm *vm, bool on);

/**
 * Set the kernel to boot. An absolute path; NULL or "" for none. Errors: VQEMU_ERR_INVALID,
 * VQEMU_ERR_NO_MEMORY. Since 1.0.
 */
int vqemu_vm_set_kernel(vqemu_vm *vm, const char *path, vqemu_error **error);

/** The kernel; NULL for none. Borrowed until it is set again. Since 1.0. */
const char *vqemu_vm_kernel(const vqemu_vm *vm);

/**
 * Set the initial RAM disk; needs a kernel when a command is built. An absolute path; NULL or ""
 * for none. Errors: VQEMU_ERR_INVALID, VQEMU_ERR_NO_MEMORY. Since 1.0.
 */
int vqemu_vm_set_initrd(vqemu_vm *vm, const char *path, vqemu_error **error);

/** The initial RAM disk; NULL for none. Borrowed until it is set again. Since 1.0. */
const char *vqemu_vm_initrd(const vqemu_vm *vm);

/**
 * Set the whole kernel command line; needs a kernel when a command is built. NULL means the
 * default: "console=<the machine's> panic=1", with a root file system behind "root=rootfs
 * rootfstype=9p rootflags=trans=virtio,version=9p2000.L" or "root=rootfs rootfstype=virtiofs", and
 * "rw" where it is writable. A kernel whose root is on a disk must be told so here: "root=/dev/vda
 * ...". "" means an empty command line. Errors: VQEMU_ERR_NO_MEMORY. Since 1.0.
 */
int vqemu_vm_set_append(vqemu_vm *vm, const char *command_line, vqemu_error **error);

/** The kernel command line; NULL for the default. Borrowed until it is set again. Since 1.0. */
const char *vqemu_vm_append(const vqemu_vm *vm);

/* ---- devices ---- */

/**
 * Add a disk or CD-ROM drive, with the defaults of disk.h. path: its image, or NULL; see
 * vqemu_disk_set_file(). If disk is not NULL, *disk is the new disk, to be described further; it
 * belongs to the VM, and lives as long. Errors: VQEMU_ERR_INVALID, VQEMU_ERR_NO_MEMORY. Since 1.0.
 */
int vqemu_vm_add_disk(vqemu_vm *vm, const char *path, vqemu_disk **disk, vqemu_error **error);

/**
 * Add a directory of the host that the guest can mount by its tag, with the defaults of share.h:
 * read-only, over 9p. If share is not NULL, *share is the new share, which belongs to the VM.
 * Errors: VQEMU_ERR_INVALID, VQEMU_ERR_NO_MEMORY. Since 1.0.
 */
int vqemu_vm_add_share(vqemu_vm *vm, const char *directory, const char *tag, vqemu_share **share,
                       vqemu_error **error);

/**
 * Add a network device, with the defaults of nic.h: connected by QEMU's own NAT, which lets nothing
 * in. If nic is not NULL, *nic is the new device, which belongs to the VM. Errors:
 * VQEMU_ERR_INVALID, VQEMU_ERR_NO_MEMORY. Since 1.0.
 */
int vqemu_vm_add_nic(vqemu_vm *vm, const char *backend, vqemu_nic **nic, vqemu_error **error);

/**
 * Add a virtio socket device with this context id (vsock(7)), 3 to 4294967294; 0 for none. Errors:
 * VQEMU_ERR_INVALID. Since 1.0.
 */
int vqemu_vm_set_vsock_cid(vqemu_vm *vm, uint32_t cid, vqemu_error **error);

/**
 * Add a virtio device that gives the guest entropy of the host. Since 1.0.
 */
void vqemu_vm_set_rng(vqemu_vm *vm, bool on);

/**
 * Add a virtio balloon, by which memory can be taken back from the guest. Since 1.0.
 */
void vqemu_vm_set_balloon(vqemu_vm *vm, bool on);

/**
 * Add the machine's watchdog device, and set what QEMU does when it expires: "reset", "shutdown",
 * "poweroff", "pause", "inject-nmi", "none" or "debug" (QEMU: -action watchdog=). NULL for none.
 * Errors: VQEMU_ERR_INVALID. Since 1.0.
 */
int vqemu_vm_set_watchdog(vqemu_vm *vm, const char *action, vqemu_error **error);

/**
 * Add a TPM 2.0, which swtpm emulates. The systemd unit starts one; other callers start it
 * themselves, listening on vqemu_vm_set_tpm_socket(), before QEMU. Since 1.0.
 */
void vqemu_vm_set_tpm(vqemu_vm *vm, bool on);

/**
 * Set the Unix socket on which swtpm listens for QEMU (swtpm's --ctrl). NULL means tpm.sock in the
 * runtime directory. Errors: VQEMU_ERR_INVALID, VQEMU_ERR_NO_MEMORY. Since 1.0.
 */
int vqemu_vm_set_tpm_socket(vqemu_vm *vm, const char *path, vqemu_error **error);

/**
 * Set the directory of the TPM's state, for the unit that starts swtpm. NULL means the directory
 * tpm in the state directory. Errors: VQEMU_ERR_INVALID, VQEMU_ERR_NO_MEMORY. Since 1.0.
 */
int vqemu_vm_set_tpm_state(vqemu_vm *vm, const char *directory, vqemu_error **error);

/**
 * Set the program that the unit starts for the TPM. NULL means /usr/bin/swtpm. Errors:
 * VQEMU_ERR_INVALID, VQEMU_ERR_NO_MEMORY. Since 1.0.
 */
int vqemu_vm_set_swtpm_program(vqemu_vm *vm, const char *path, vqemu_error **error);

/**
 * Set the program that the unit starts for each share over virtiofs. NULL means
 * /usr/libexec/virtiofsd. Errors: VQEMU_ERR_INVALID, VQEMU_ERR_NO_MEMORY. Since 1.0.
 */
int vqemu_vm_set_virtiofsd_program(vqemu_vm *vm, const char *path, vqemu_error **error);

/* ---- display and input ---- */

/**
 * Set how the guest's screen is shown: "none" (the default; there is no graphics device), or
 * "vnc". A VM with a display also gets a USB controller with tablet and keyboard, unless that is
 * switched off. Errors: VQEMU_ERR_INVALID. Since 1.0.
 */
int vqemu_vm_set_display(vqemu_vm *vm, const char *display, vqemu_error **error);

/**
 * Set the graphics device: "std" (a VGA that every system knows), "virtio", or "ramfb" (a frame
 * buffer for UEFI). NULL means the machine's default for the guest's system. Errors:
 * VQEMU_ERR_INVALID. Since 1.0.
 */
int vqemu_vm_set_video(vqemu_vm *vm, const char *model, vqemu_error **error);

/**
 * Set the Unix socket on which the VNC server listens. NULL means vnc.sock in the runtime
 * directory, unless a port is set. Errors: VQEMU_ERR_INVALID, VQEMU_ERR_NO_MEMORY. Since 1.0.
 */
int vqemu_vm_set_vnc_socket(vqemu_vm *vm, const char *path, vqemu_error **error);

/**
 * Let the VNC server listen on this TCP port of the loopback address 127.0.0.1, 5900 to 65535,
 * instead of a Unix socket; 0 for none. Errors: VQEMU_ERR_INVALID. Since 1.0.
 */
int vqemu_vm_set_vnc_port(vqemu_vm *vm, uint32_t port, vqemu_error **error);

/**
 * Set the file that holds the password of the VNC server, so that it stands in no command. All of
 * the file is the password, a newline at its end as well; the protocol uses 8 bytes of it. NULL for
 * none. Errors: VQEMU_ERR_INVALID, VQEMU_ERR_NO_MEMORY. Since 1.0.
 */
int vqemu_vm_set_vnc_password_file(vqemu_vm *vm, const char *path, vqemu_error **error);

/**
 * Add a USB 3 controller, or, if false, leave it out where a display would bring one. Since 1.0.
 */
void vqemu_vm_set_usb(vqemu_vm *vm, bool on);

/**
 * Add a USB tablet, whose pointer is where the user's is, or, if false, leave it out where a
 * display would bring one. Since 1.0.
 */
void vqemu_vm_set_usb_tablet(vqemu_vm *vm, bool on);

/* ---- control ---- */

/**
 * Set where the serial console goes: "stdio" (the default: QEMU's standard input and output, with
 * the human monitor behind Ctrl-A C), "file" (only output), "socket" (a Unix socket that QEMU
 * listens on), "pty" (a new pseudo-terminal; QMP's query-chardev tells its name) or "none". File
 * and socket take their path from vqemu_vm_set_console_path(). Errors: VQEMU_ERR_INVALID. Since
 * 1.0.
 */
int vqemu_vm_set_console(vqemu_vm *vm, const char *kind, vqemu_error **error);

/**
 * Set the path of the console's file or socket. NULL means console.log or console.sock in the
 * runtime directory. Errors: VQEMU_ERR_INVALID, VQEMU_ERR_NO_MEMORY. Since 1.0.
 */
int vqemu_vm_set_console_path(vqemu_vm *vm, const char *path, vqemu_error **error);

/**
 * Set a file to which all output of the console is appended as well, wherever it goes. NULL for
 * none. Errors: VQEMU_ERR_INVALID, VQEMU_ERR_NO_MEMORY. Since 1.0.
 */
int vqemu_vm_set_console_log(vqemu_vm *vm, const char *path, vqemu_error **error);

/**
 * Set the Unix socket on which QEMU listens for the caller's QMP connection. NULL for none. The
 * systemd unit has a second one of its own. Errors: VQEMU_ERR_INVALID, VQEMU_ERR_NO_MEMORY. Since
 * 1.0.
 */
int vqemu_vm_set_qmp_socket(vqemu_vm *vm, const char *path, vqemu_error **error);

/**
 * Let QMP listen on a descriptor that the caller has bound and listened on, and passes on to QEMU:
 * 3 or more; -1 for none. See vqemu_command_fd(). Errors: VQEMU_ERR_INVALID. Since 1.0.
 */
int vqemu_vm_set_qmp_fd(vqemu_vm *vm, int fd, vqemu_error **error);

/**
 * Add a channel to the QEMU guest agent, and set the Unix socket on which QEMU listens for its
 * users. NULL for none. Errors: VQEMU_ERR_INVALID, VQEMU_ERR_NO_MEMORY. Since 1.0.
 */
int vqemu_vm_set_guest_agent_socket(vqemu_vm *vm, const char *path, vqemu_error **error);

/**
 * Let QEMU confine itself by seccomp (-sandbox), as far as what the VM asks for allows it. That is
 * the default; switch it off for a QEMU that was built without. Since 1.0.
 */
void vqemu_vm_set_sandbox(vqemu_vm *vm, bool on);

/**
 * Add one argument to the end of QEMU's, verbatim. Nothing checks what it does: it can undo any of
 * the defaults. Errors: VQEMU_ERR_INVALID (NULL), VQEMU_ERR_NO_MEMORY. Since 1.0.
 */
int vqemu_vm_add_extra_arg(vqemu_vm *vm, const char *argument, vqemu_error **error);

/** How many extra arguments there are. Since 1.0. */
size_t vqemu_vm_extra_arg_count(const vqemu_vm *vm);

/** An extra argument; NULL beyond the count. Borrowed. Since 1.0. */
const char *vqemu_vm_extra_arg(const vqemu_vm *vm, size_t index);

#ifdef __cplusplus
}
#endif

#endif
