/* SPDX-License-Identifier: MIT */
#ifndef VOLT_QEMU_PREPARE_H
#define VOLT_QEMU_PREPARE_H

#include <stdint.h>

#include <volt-qemu/call.h>
#include <volt-qemu/command.h>
#include <volt-qemu/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Flags for preparing: what to do about UEFI variables that were made for other firmware. Since
 * 1.0. */
enum vqemu_prepare_flag {
    /** Keep the variables, and note that they belong to the firmware of now. */
    VQEMU_PREPARE_KEEP_VARIABLES = 1,
    /** Start anew from the profile's template; the old variables stay beside it, as <file>.old. */
    VQEMU_PREPARE_RESET_VARIABLES = 2
};

/**
 * Make what a command needs on disk before it is executed: the VM's runtime directory, its state
 * directory where it uses that, the directory of its TPM's state, and for a UEFI guest the file of
 * its variables, a copy of the profile's template, and the files that the console is written to
 * (mode 0600), with their directories. Directories get mode 0700, those above them 0755. What is
 * there already stays as it is. The directories of sockets outside of the runtime directory are the
 * caller's to make.
 *
 * What the VM is made of must be there: images, kernel, initrd, shares. Otherwise the message is
 * such as "disks[0].file: /srv/web.raw: No such file or directory". A file that QEMU's user
 * certainly cannot read, or write where it is written, is an error as well (reason "no-access"):
 * for the caller that is known; for another user it is told by the file's owner and mode, where
 * these decide and no group can change it. A qcow2 image whose header names a backing file or an
 * external data file that the VM does not is refused (reasons "unnamed-backing" and
 * "unnamed-data-file"): QEMU would open what its author wants. So is one by descriptor, if this
 * process has a qcow2 image under that number; else descriptors are not looked at.
 *
 * What QEMU removes to make its sockets must be nobody's: anything but a socket at such a path is
 * refused (reason "not-a-socket"), also where a companion's is to be, and so is a socket at which
 * another program listens, such as one of another VM (VQEMU_ERR_BUSY, reason "socket-in-use"). That
 * is found out by connecting to it. One that nobody listens at is left from before, and may stay.
 *
 * Of a VM that runs already nothing is touched: that is VQEMU_ERR_BUSY, reason "runs-already", with
 * the details "vm", "path", and as far as they are known "process" and "process_name". Each QEMU
 * locks the file qemu.pid in the runtime directory before it makes a socket, and as long as it
 * lives (its option -pidfile, which is in every command); one that is started beside it all the
 * same ends at once, and leaves the other's sockets alone.
 *
 * A VNC password file that is empty, has a newline in the 8 bytes that count, or can be opened by
 * everybody is refused.
 *
 * Directories and files belong to the caller, or, where the VM has a user (key "user"), to that.
 * From root or the caller to that user goes only what is known to be the VM's: what this call
 * makes, a directory that is empty, the VM's own below /var/lib/volt/vms and /run/volt, and what
 * was made for it before. That is told by a file ".volt-vm" with the VM's id in a directory, and by
 * the record beside UEFI variables. All else is refused (reason "not-the-vms"): who wants it so
 * gives it to the user himself.
 *
 * These directories must be directories, not links, of root, the caller or the VM's user, and so
 * must all those above them be; others, also a group, may write to none of them, except to one
 * above that is sticky, as /tmp is. Links above them are followed if they and their directories are
 * of root or the caller. The runtime directory must have mode 0700, for the sockets in it: where
 * that is wider, it is set back if the directory is known to be the VM's, and refused otherwise.
 * What was checked is used by its descriptor, so that nobody can exchange it meanwhile.
 *
 * Beside the variables a record is kept of the firmware they belong to. Variables of other firmware
 * are refused, unless flags say what to do: an OR of enum vqemu_prepare_flag.
 *
 * A user is looked up by the system's name service (nsswitch.conf(5)), by number only for the group
 * that goes with it, and not at all if it is the caller's own number. A name service that does not
 * answer takes as long as it does, whatever the deadline: then it is VQEMU_ERR_TIMEOUT.
 *
 * Modes do not depend on the umask. While others prepare the same VM, they are waited for as long
 * as the call allows (VQEMU_CALL_LOCK_TIMEOUT_MS); call may be NULL.
 *
 * Errors: VQEMU_ERR_CHANGED (reason "other-firmware": the variables belong to other firmware; the
 * message tells the ways out), VQEMU_ERR_REFUSED (not trusted: a link, an owner, a mode, an
 * image's header; somebody else's), VQEMU_ERR_BUSY (it runs already; another program listens at a
 * socket of it; locked by others for too long;
 * variables to be reset that a running VM has open), VQEMU_ERR_CORRUPT (variables of another size
 * than the firmware's), VQEMU_ERR_INVALID (a password that nobody can type; something else where a
 * directory is to be), VQEMU_ERR_NOT_FOUND (a file, the user), VQEMU_ERR_MALFORMED (the template of
 * the variables is no qcow2 image, though its descriptor says so), VQEMU_ERR_READ_ONLY,
 * VQEMU_ERR_SYSTEM, VQEMU_ERR_CANCELLED, VQEMU_ERR_TIMEOUT, VQEMU_ERR_USAGE, VQEMU_ERR_NO_MEMORY.
 * The detail "key" tells which key of the VM it is about, "path" which path. Safe from any thread,
 * and from several processes at once. Since 1.0.
 */
int vqemu_prepare(const vqemu_command *command, uint32_t flags, vqemu_call *call,
                  vqemu_error **error);

#ifdef __cplusplus
}
#endif

#endif
