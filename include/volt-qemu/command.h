/* SPDX-License-Identifier: MIT */
#ifndef VOLT_QEMU_COMMAND_H
#define VOLT_QEMU_COMMAND_H

#include <stddef.h>
#include <stdint.h>

#include <volt-qemu/call.h>
#include <volt-qemu/capabilities.h>
#include <volt-qemu/error.h>
#include <volt-qemu/policy.h>
#include <volt-qemu/runtime.h>
#include <volt-qemu/store.h>
#include <volt-qemu/vm.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * What to execute to run a VM: program, arguments, environment, working directory; and what belongs
 * to it: sockets, files, descriptors, and the programs that must run beside QEMU.
 *
 * In one version of this library, the same runtime and VM always give the same command. Immutable
 * and reference counted; any number of threads may use it. It keeps its runtime, and so the lease
 * on the tree, alive.
 *
 * Between fork(2) and execve(2), a child may call vqemu_command_path(), _argv(), _envp(), _cwd(),
 * _fd_count(), _fd_at(), _fd_name() and _runtime(), and vqemu_runtime_lease_fd(): these are
 * async-signal-safe.
 *
 * Functions that cannot fail answer NULL, 0 or -1 for a command that is NULL. Since 1.0.
 */
typedef struct vqemu_command vqemu_command;

/** What a command is built with besides the VM, by keys. One owner; not to be used by two threads
 * at once. Since 1.0. */
typedef struct vqemu_command_options vqemu_command_options;

/** The directory of the state directories of VMs that name none: an absolute path. Default:
 * "/var/lib/volt/vms". A string. Since 1.0. */
#define VQEMU_COMMAND_STATE_BASE "state_base"

/** The directory of the runtime directories of VMs that name none: an absolute path. Default:
 * "/run/volt". A string. Since 1.0. */
#define VQEMU_COMMAND_RUNTIME_BASE "runtime_base"

/** New options, all unset. The caller frees them with vqemu_command_options_free(). Errors:
 * VQEMU_ERR_USAGE, VQEMU_ERR_NO_MEMORY. Since 1.0. */
int vqemu_command_options_new(vqemu_command_options **options, vqemu_error **error);

/** Free options. NULL is allowed. Since 1.0. */
void vqemu_command_options_free(vqemu_command_options *options);

/** Set one of the keys above to a string, which is copied; NULL unsets it. Errors:
 * VQEMU_ERR_UNKNOWN_KEY, VQEMU_ERR_INVALID (no absolute path of a directory), VQEMU_ERR_USAGE,
 * VQEMU_ERR_NO_MEMORY. Since 1.0. */
int vqemu_command_options_set_string(vqemu_command_options *options, const char *key,
                                     const char *value, vqemu_error **error);

/** What the VM may use of the host: see <volt-qemu/policy.h>. A reference is taken; NULL for no
 * policy, which allows all. Errors: VQEMU_ERR_USAGE. Since 1.0. */
int vqemu_command_options_set_policy(vqemu_command_options *options, vqemu_policy *policy,
                                     vqemu_error **error);

/**
 * Have the command checked against what the QEMU of the runtime can do: the answer of
 * vqemu_runtime_probe() for this runtime, or another one of the same profile and guest
 * architecture. A machine, device, property, CPU model or feature, accelerator or backend that this
 * QEMU has not, also in extra arguments, is then VQEMU_ERR_UNSUPPORTED at vqemu_command_build(),
 * with the VM's key: reasons "qemu-lacks-thing" and "qemu-lacks-property" (details "value", what is
 * missing, and "choices", what is there and has a similar name), "qemu-lacks-value",
 * "qemu-needs-property", "qemu-lacks-module" and "too-many-cpus". Extra arguments that give an id
 * twice, or name what is not there, are VQEMU_ERR_INVALID: reasons "id-twice" and "no-such-id".
 * What QEMU does not tell of itself is not checked.
 *
 * others: where to look for other profiles that have what is missing, among those whose QEMU was
 * asked before; they become the detail "profiles". NULL: nowhere. References are taken;
 * capabilities NULL: no check.
 *
 * Errors: VQEMU_ERR_USAGE, VQEMU_ERR_NO_STORE, VQEMU_ERR_SYSTEM, VQEMU_ERR_NO_MEMORY. Since 1.0.
 */
int vqemu_command_options_set_capabilities(vqemu_command_options *options,
                                           vqemu_capabilities *capabilities, vqemu_store *others,
                                           vqemu_error **error);

/** How a command is built. Since 1.0. */
enum vqemu_command_flag {
    /** For a service: with two QMP sockets in the VM's runtime directory, qmp.sock for the caller,
     * unless the VM names another place for that, and unit.sock, by which the guest is stopped. */
    VQEMU_COMMAND_FOR_UNIT = 1,
    /** QEMU starts with the guest paused; "cont" over QMP lets it run. */
    VQEMU_COMMAND_PAUSED = 2,
    /** QEMU waits for the state of a guest that is migrated to it: "migrate-incoming" over QMP says
     * where from. */
    VQEMU_COMMAND_INCOMING = 4
};

/**
 * Build the command that runs a VM on a profile. The machine, CPU model, console and device models
 * come from the row of the guest-architecture table, and from the guest's operating system where
 * the VM does not set them. Only UEFI firmware is looked up on disk, in the runtime's firmware
 * directory. The command takes a reference to the runtime; vm and options may be changed or freed
 * afterwards. options may be NULL for the defaults. flags: an OR of enum vqemu_command_flag. On
 * success the caller releases *command with vqemu_command_unref().
 *
 * A VM that says what it runs on is refused on anything else (reason "other-runtime"): its keys
 * "guest_arch" and "profile" must be those of the runtime, and "mode" must be of its profile's
 * accelerator. A key that is not set allows any. Whoever selects something else than the VM says
 * changes the VM before.
 *
 * call: may be NULL; it has no progress, and is looked at before anything is done.
 *
 * What the command needs besides QEMU must be there when it is executed: see vqemu_prepare(),
 * vqemu_command_companion_argv(), and vqemu_command_fd_at() for descriptors.
 *
 * Errors: VQEMU_ERR_INVALID (what was asked for does not go together; the message begins with the
 * key, as "disks[0].aio", which is the detail "key", too), VQEMU_ERR_UNSUPPORTED (the profile or
 * machine cannot have it; the detail "profiles" has those which can; or its QEMU cannot, by the
 * options' capabilities), VQEMU_ERR_MALFORMED (a broken firmware descriptor in the profile),
 * VQEMU_ERR_SYSTEM (the profile's firmware cannot be read), VQEMU_ERR_DENIED (the options' policy
 * does not allow it: see vqemu_policy), VQEMU_ERR_CANCELLED, VQEMU_ERR_TIMEOUT, VQEMU_ERR_USAGE,
 * VQEMU_ERR_NO_MEMORY. Since 1.0.
 */
int vqemu_command_build(vqemu_runtime *runtime, const vqemu_vm *vm,
                        const vqemu_command_options *options, uint32_t flags, vqemu_call *call,
                        vqemu_command **command, vqemu_error **error);

/**
 * Write the defaults of a VM's hardware into it, as a command for this runtime would have them, so
 * that later versions of this library cannot change them: guest_arch, guest_os, machine, firmware,
 * uuid, rtc, suspend, memory, processors with topology and model, video, usb, usb_tablet, rng,
 * balloon, tpm; id, bus and serial number of disks; id, backend, model and MAC address of network
 * devices; id and driver of shares; and in "slots" the places of all devices that have one. What
 * the VM says stays, but for a machine that is an alias of another in the QEMU that capabilities
 * tell of: "q35" becomes "pc-q35-9.2". capabilities: the answer of vqemu_runtime_probe() for this
 * runtime; NULL: the machine keeps its name.
 *
 * The command that the VM then gives is the same as before, but for the name of the machine.
 * Devices stay what and where they are when others are taken out of the VM, with their values in
 * "slots", or added. Not held is what has no place in the command: on the machine mac99, and on a
 * Malta board with up to 4 PCI devices, QEMU numbers these in the order of the lists. docs/vm.md
 * has the rest. Under KVM, the CPU model is "host", and is so then wherever the VM runs. flags: 0.
 * call: as of vqemu_command_build(). On failure the VM is unchanged.
 *
 * Errors: as of vqemu_command_build(). Since 1.0.
 */
int vqemu_vm_complete(vqemu_vm *vm, vqemu_runtime *runtime, const vqemu_capabilities *capabilities,
                      uint32_t flags, vqemu_call *call, vqemu_error **error);

/** One more reference; returns its argument. NULL is allowed. Since 1.0. */
vqemu_command *vqemu_command_ref(vqemu_command *command);

/** Release a reference; the last one frees the command. NULL is allowed. Since 1.0. */
void vqemu_command_unref(vqemu_command *command);

/** The runtime the command was built for, and whose lease it keeps. Borrowed. Since 1.0. */
vqemu_runtime *vqemu_command_runtime(const vqemu_command *command);

/** The program to execute: an absolute path, the same as argv[0]. Borrowed. Since 1.0. */
const char *vqemu_command_path(const vqemu_command *command);

/**
 * The arguments, argv[0] included, as a NULL-terminated array for execve(2), which wants it without
 * const; neither array nor strings may be changed. Borrowed. Since 1.0.
 */
char *const *vqemu_command_argv(const vqemu_command *command);

/**
 * The whole environment, as a NULL-terminated array of "NAME=value" for execve(2). Nothing of the
 * caller's environment belongs to it. Borrowed. Since 1.0.
 */
char *const *vqemu_command_envp(const vqemu_command *command);

/**
 * The directory to execute in. QEMU looks for firmware in its working directory before anywhere
 * else, so it must be one that nobody else writes to. Borrowed. Since 1.0.
 */
const char *vqemu_command_cwd(const vqemu_command *command);

/* ---- the VM ---- */

/** The VM's name. Borrowed. Since 1.0. */
const char *vqemu_command_vm_name(const vqemu_command *command);

/** The VM's name as it can stand in the names of files and units; it is in those of its default
 * directories. Borrowed. Since 1.0. */
const char *vqemu_command_vm_id(const vqemu_command *command);

/** The user that QEMU is to run as: a name or number; NULL for the caller's. Borrowed. Since 1.0.
 */
const char *vqemu_command_user(const vqemu_command *command);

/** The directory of what the VM keeps: its key "state_dir". Borrowed. Since 1.0. */
const char *vqemu_command_state_dir(const vqemu_command *command);

/** The directory of the VM's sockets: its key "runtime_dir". Borrowed. Since 1.0. */
const char *vqemu_command_runtime_dir(const vqemu_command *command);

/* ---- what it uses ---- */

/** QEMU's machine protocol, for vqemu_monitor_open(). Since 1.0. */
#define VQEMU_SOCKET_QMP "qmp"

/** The QMP socket of a service by which its guest is stopped. Since 1.0. */
#define VQEMU_SOCKET_STOP "stop"

/** VNC. Since 1.0. */
#define VQEMU_SOCKET_VNC "vnc"

/** The serial console. Since 1.0. */
#define VQEMU_SOCKET_CONSOLE "console"

/** The agent in the guest. Since 1.0. */
#define VQEMU_SOCKET_AGENT "agent"

/** The TPM: here a companion listens, and QEMU connects. Since 1.0. */
#define VQEMU_SOCKET_TPM "tpm"

/**
 * The path of a Unix socket by its name, one of the macros above; QEMU listens there, unless they
 * say otherwise. NULL if the command has no such socket, or it is known by a descriptor only.
 * Borrowed. Since 1.0.
 */
const char *vqemu_command_socket(const vqemu_command *command, const char *name);

/** How many such sockets the command has. Since 1.0. */
size_t vqemu_command_socket_count(const vqemu_command *command);

/** The name of one; later versions may have others. NULL beyond the count. Borrowed. Since 1.0. */
const char *vqemu_command_socket_name(const vqemu_command *command, size_t index);

/** How a file is used. Since 1.0. */
enum vqemu_file_access {
    /** It is read. */
    VQEMU_FILE_READ = 1,
    /** It is written. */
    VQEMU_FILE_WRITE = 2,
    /** A program that is executed: the helper of a bridge, a companion. */
    VQEMU_FILE_EXECUTE = 4
};

/**
 * The files, directories and device nodes that the VM is made of: images, kernel, firmware and its
 * variables, logs, shares, the state of a TPM, the devices that QEMU opens, and the programs of the
 * host that run for it. Not what is in the profile's tree, nor what these programs open in turn,
 * nor sockets, nor what only extra arguments or a disk image name. Since 1.0.
 */
size_t vqemu_command_file_count(const vqemu_command *command);

/** The path of one; NULL beyond the count. Borrowed. Since 1.0. */
const char *vqemu_command_file_path(const vqemu_command *command, size_t index);

/** How it is used: an OR of enum vqemu_file_access; 0 beyond the count. What is written is read as
 * well. Since 1.0. */
uint32_t vqemu_command_file_access(const vqemu_command *command, size_t index);

/**
 * The descriptors that the VM names, and that the caller must pass on to QEMU: open in the child
 * under the numbers of vqemu_command_fd_at(), and without close-on-exec.
 *
 * One that the VM names by number ("fd") has that number in the caller as well. One that it names
 * by name ("fd_name") may have any there; the command gives it the lowest number from 3 up that is
 * free in the child, so that nothing in the command depends on the caller's own numbers. A child
 * first moves what it is about to pass on, and the runtime's lease, out of the way (fcntl(2) with
 * F_DUPFD and a minimum above all of these numbers), and then to its numbers, by dup2(2).
 * Since 1.0.
 */
size_t vqemu_command_fd_count(const vqemu_command *command);

/** The number that such a descriptor has in QEMU; -1 beyond the count. Since 1.0. */
int vqemu_command_fd_at(const vqemu_command *command, size_t index);

/** The name that the VM gives it; NULL if it is named by number, and beyond the count. Borrowed.
 * Since 1.0. */
const char *vqemu_command_fd_name(const vqemu_command *command, size_t index);

/** The key that named it, such as "disks[0].fd"; NULL beyond the count. Borrowed. Since 1.0. */
const char *vqemu_command_fd_key(const vqemu_command *command, size_t index);

/**
 * The programs that must run beside QEMU, before it starts and until it has ended: swtpm for a TPM,
 * virtiofsd for each share over virtiofs. Since 1.0.
 */
size_t vqemu_command_companion_count(const vqemu_command *command);

/** "swtpm" or "virtiofsd"; later versions may have more. NULL beyond the count. Static. Since 1.0.
 */
const char *vqemu_command_companion_kind(const vqemu_command *command, size_t index);

/**
 * Its arguments, as a NULL-terminated array for execve(2), the absolute path of the program first.
 * It expects a Unix stream socket that listens at vqemu_command_companion_socket() as descriptor 3,
 * and ends when QEMU has hung up (swtpm, virtiofsd). virtiofsd acts as whoever in the guest uses a
 * file, and needs to be root for that; swtpm needs to be the user that owns the state. NULL beyond
 * the count. Borrowed. Since 1.0.
 */
char *const *vqemu_command_companion_argv(const vqemu_command *command, size_t index);

/** The path of the socket, to which the user of QEMU must be able to connect. NULL beyond the
 * count. Borrowed. Since 1.0. */
const char *vqemu_command_companion_socket(const vqemu_command *command, size_t index);

/** The directory to execute it in, which vqemu_prepare() makes. NULL beyond the count. Borrowed.
 * Since 1.0. */
const char *vqemu_command_companion_cwd(const vqemu_command *command, size_t index);

/* ---- digests ---- */

/**
 * The same exactly if arguments, environment and profile are. In this version of the library it is
 * the SHA-256 of the decimal number of arguments, each argument, the decimal number of variables,
 * each variable, and the profile's digest, each followed by a NUL byte. Since 1.0.
 */
#define VQEMU_DIGEST_COMMAND "command"

/**
 * The same as long as the guest sees the same hardware: for telling whether a VM can be migrated
 * from one command to another, or has changed under its guest. Compare only digests of the same
 * version of the library: in this one, it is the SHA-256 of these strings, each followed by a NUL
 * byte: "volt-hardware 1"; the guest architecture; for each of the options -machine, -cpu, -smp,
 * -m, -device, -uuid, -global, -rtc, -smbios and -serial among the arguments, in their order, the
 * option, the first part of its value, and the other parts (as commas separate them) sorted by
 * their bytes; and the VM's extra arguments as they are, for it is not known what these do.
 *
 * Left out of values is what only the host sees: dump-guest-core, memory-backend and iothread; the
 * order of booting, bootindex; and write-cache, which the guest can switch itself. For the backend
 * that a device names stands its kind: netdev=user or netdev=tap, chardev=socket, fsdev=local,
 * tpmdev=emulator, rng=rng-random; drive=read-only or drive=writable, and nothing for a CD-ROM
 * drive, whose medium comes and goes. For -serial, "none" or "port".
 *
 * So it does not depend on paths, image formats, caches, forwarded ports, sockets, the accelerator
 * or the profile's revision. Nor does it show what another QEMU makes of the same words: pin the
 * machine ("pc-q35-7.2", not "q35") and the CPU model where that matters. Since 1.0.
 */
#define VQEMU_DIGEST_HARDWARE "hardware"

/**
 * A digest in hex digits; do not size buffers by it. what: VQEMU_DIGEST_COMMAND or
 * VQEMU_DIGEST_HARDWARE; NULL for another word. Borrowed. Since 1.0.
 */
const char *vqemu_command_digest(const vqemu_command *command, const char *what);

/* ---- as text ---- */

/**
 * The command as text for a POSIX shell, over several lines, ending in a newline: a
 * subshell that changes directory and executes with exactly this environment. What a terminal would
 * obey is written as printf(1) makes it. The caller frees *text with vqemu_free(). flags: 0.
 * Errors: VQEMU_ERR_USAGE, VQEMU_ERR_NO_MEMORY. Since 1.0.
 */
int vqemu_command_to_shell(const vqemu_command *command, uint32_t flags, char **text,
                           vqemu_error **error);

/**
 * The command as JSON text, ending in a newline: an object with "argv" and "env" (arrays of
 * strings), "cwd", "digest" and "hardware_digest" (see vqemu_command_digest()); "fingerprint" is
 * the same as "digest". flags: 0. The caller frees *text with vqemu_free().
 *
 * Errors: VQEMU_ERR_UNSUPPORTED (a string is not UTF-8, which JSON cannot carry), VQEMU_ERR_USAGE,
 * VQEMU_ERR_NO_MEMORY. Since 1.0.
 */
int vqemu_command_to_json(const vqemu_command *command, uint32_t flags, char **text,
                          vqemu_error **error);

/** How a command is explained. Since 1.0. */
enum vqemu_explain_flag {
    /** Lines for people instead of JSON, whose form is none to rely on. */
    VQEMU_EXPLAIN_AS_TEXT = 1
};

/**
 * Where each argument of a command comes from, as JSON text ending in a newline:
 *
 *     {"arguments": [{"index": 31, "option": "-device", "value": "virtio-blk-pci,id=...,...",
 *                     "key": "disks[0].bus", "default": true, "message": "default: the fastest",
 *                     "settings": [{"name": "serial", "value": "a", "key": "disks[0].serial"}]}]}
 *
 * "index" is the place in vqemu_command_argv() of the option and, where it has one, of the value
 * behind it; the program, what executes it, and the VM's own arguments are a "value" alone. "key"
 * is the key of the VM that says it or, with "default", which is true or missing, would. "message"
 * tells in words why it is so where the VM does not say it: words for people, which change from
 * version to version. Each argument has a "key" or a "message". "settings" are the parts of a value
 * that come from elsewhere than the argument itself.
 *
 * A command that was loaded is not explained: what was saved does not tell it. flags: 0 or
 * VQEMU_EXPLAIN_AS_TEXT. The caller frees *text with vqemu_free().
 *
 * Errors: VQEMU_ERR_UNSUPPORTED (reason "loaded-command": build it of its VM; reason "not-utf-8":
 * an argument is not, and JSON cannot carry it), VQEMU_ERR_USAGE, VQEMU_ERR_NO_MEMORY. Since 1.0.
 */
int vqemu_command_explain(const vqemu_command *command, uint32_t flags, char **text,
                          vqemu_error **error);

/**
 * What two commands differ in, by the keys of their VMs, as JSON text ending in a newline:
 *
 *     {"same_command": false, "same_hardware": false,
 *      "changes": [{"option": "-device", "id": "drive0", "setting": "serial", "guest": true,
 *                   "from": {"value": "a", "key": "disks[0].serial"}, "to": null}]}
 *
 * Options of the same id belong together and, of those without one, those that are equal or in the
 * same place among the options of their name. A change is of one setting of such an option; without
 * a "setting", it is of what the value begins with, such as the model of a device, or of an option
 * that only one command has, with all its settings. Without an "option" it is of the program, of
 * what executes it, or of an argument of the VM's own.
 *
 * "from" and "to" have the "value", and "key", "default" and "message" as vqemu_command_explain()
 * tells them; null is what a command has not. What has the same value on both sides is no change,
 * wherever it comes from. "guest": whether the guest sees this change, as VQEMU_DIGEST_HARDWARE has
 * it. "same_command" and "same_hardware" compare the digests, and so what is no change of a setting
 * as well: the order of arguments, environment and profile; of the hardware, the order of devices
 * and the guest architecture.
 *
 * A command that was loaded is not compared: what was saved does not tell where it comes from. Its
 * digests can be. flags: 0. The caller frees *json with vqemu_free().
 *
 * Errors: VQEMU_ERR_UNSUPPORTED (reason "loaded-command": build it of its VM; reason "not-utf-8":
 * what differs is not, and JSON cannot carry it), VQEMU_ERR_USAGE, VQEMU_ERR_NO_MEMORY. Since 1.0.
 */
int vqemu_command_diff(const vqemu_command *from, const vqemu_command *to, uint32_t flags,
                       char **json, vqemu_error **error);

/* ---- for a later process ---- */

/**
 * The command as text for vqemu_command_load(): a JSON object whose "format" is "volt-command 1",
 * with all that the functions above tell. For a daemon that is to find its VMs again after it was
 * restarted. flags: 0. The caller frees *json with vqemu_free().
 *
 * Errors: VQEMU_ERR_UNSUPPORTED (reason "not-utf-8": a string is not, and JSON cannot carry it; the
 * detail "key" tells which), VQEMU_ERR_USAGE, VQEMU_ERR_NO_MEMORY. Since 1.0.
 */
int vqemu_command_save(const vqemu_command *command, uint32_t flags, char **json,
                       vqemu_error **error);

/**
 * The command that was saved, with its runtime, whose tree it leases again: from then on it is not
 * collected, whoever held it until then. Nothing is assembled. source stands for the text in
 * messages, such as its path; it may be NULL. flags: 0. On success the caller releases *command
 * with vqemu_command_unref().
 *
 * Errors: VQEMU_ERR_CHANGED (reason "tree-gone": the tree is not there any more, or is another;
 * resolve, and build the command anew), VQEMU_ERR_CORRUPT (reason "digest-differs": arguments,
 * environment or profile are not those that were saved), VQEMU_ERR_MALFORMED (not what
 * vqemu_command_save() writes; the detail "key" tells where), VQEMU_ERR_UNKNOWN_KEY (a later
 * version may have written it), VQEMU_ERR_UNSUPPORTED (reason "newer-format": a later version has
 * written it; reason "newer-value": of a word among several, such as a companion's kind, an ability
 * or a guest architecture, a later version may have written the one that is there; the details
 * "key" and "value" tell which), VQEMU_ERR_REFUSED (reason "untrusted-store": the tree, or the
 * stamp in it, is another user's, or others may write to it; resolve anew), VQEMU_ERR_CANCELLED,
 * VQEMU_ERR_TIMEOUT, VQEMU_ERR_BUSY (reason "locked": another process has locked the tree),
 * VQEMU_ERR_SYSTEM, VQEMU_ERR_USAGE, VQEMU_ERR_NO_MEMORY. Since 1.0.
 */
int vqemu_command_load(const char *json, size_t size, const char *source, uint32_t flags,
                       vqemu_call *call, vqemu_command **command, vqemu_error **error);

#ifdef __cplusplus
}
#endif

#endif
