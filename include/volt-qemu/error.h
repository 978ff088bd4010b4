/* SPDX-License-Identifier: MIT */
#ifndef VOLT_QEMU_ERROR_H
#define VOLT_QEMU_ERROR_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * What went wrong: a stable code, the errno of the system call behind it, and a message for people.
 *
 * Every fallible function returns 0 or one of the negative codes below, and takes as its last
 * argument a `vqemu_error **`. That may be NULL. Otherwise initialise it to NULL: an error that it
 * points to when a function is entered is freed, so that one variable serves for many calls. On
 * failure it gets a new error, which the caller frees with vqemu_error_free(); on success it is
 * NULL. What is returned is the code of that error: where memory ends while it is made, both are
 * VQEMU_ERR_NO_MEMORY. The other out-pointers of a function that failed are set to NULL.
 *
 * A handle, string or out-pointer that is needed and is NULL gives VQEMU_ERR_USAGE; functions that
 * cannot fail answer NULL, 0, false or -1 for a handle that is NULL.
 *
 * Each function lists the codes that it can give. Where it lists VQEMU_ERR_SYSTEM, a system call
 * that fails because a file is not there, or a file system cannot be written to, gives
 * VQEMU_ERR_NOT_FOUND or VQEMU_ERR_READ_ONLY instead, and the path is the detail "path".
 *
 * An error is immutable: any thread may read it. Since 1.0.
 */
typedef struct vqemu_error vqemu_error;

/** Result codes. The numbers are part of the ABI and are never reused. Since 1.0. */
enum vqemu_result {
    /** Success. */
    VQEMU_OK = 0,
    /** Memory could not be allocated. While JSON is read, of whatever a function reads, jansson may
     * say instead that a good document is broken (VQEMU_ERR_MALFORMED, with a line), and version
     * 2.14 of it may crash, which its caller cannot prevent; libcurl may fail as if the network did
     * (VQEMU_ERR_NETWORK). */
    VQEMU_ERR_NO_MEMORY = -1,
    /** A value is not acceptable, wherever it came from: a setter or a document. */
    VQEMU_ERR_INVALID = -2,
    /** A system call failed; vqemu_error_errno() tells how. */
    VQEMU_ERR_SYSTEM = -3,
    /** A file, manifest entry or user that was asked for is not there. */
    VQEMU_ERR_NOT_FOUND = -4,
    /** This host, profile or guest architecture cannot serve the request. */
    VQEMU_ERR_UNSUPPORTED = -5,
    /** The syntax or structure of a document is broken: a manifest, a description of a VM, an
     * archive, what QEMU says. The message gives the position. */
    VQEMU_ERR_MALFORMED = -6,
    /** Stored content is damaged: missing, or other than its digest says. */
    VQEMU_ERR_CORRUPT = -7,
    /** The store was opened read-only, or the file system is. */
    VQEMU_ERR_READ_ONLY = -8,
    /** The caller has cancelled the call. */
    VQEMU_ERR_CANCELLED = -9,
    /** A source file changed while it was being read, or firmware since a VM's variable store was
     * made for it. */
    VQEMU_ERR_CHANGED = -10,
    /** The time that was given is over. */
    VQEMU_ERR_TIMEOUT = -11,
    /** The calling program is at fault: a NULL, an unknown flag, a handle used in a forked child.
     */
    VQEMU_ERR_USAGE = -12,
    /** Somebody else holds what is needed: a lock, a VM that runs, a revision in use. Try later. */
    VQEMU_ERR_BUSY = -13,
    /** Not trusted as it is on disk: its owner, mode, or a link in its way. */
    VQEMU_ERR_REFUSED = -14,
    /** There is no store there. */
    VQEMU_ERR_NO_STORE = -15,
    /** The store has no such revision, or none of that profile. */
    VQEMU_ERR_NO_REVISION = -16,
    /** The profile has no QEMU program for the guest's architecture. */
    VQEMU_ERR_NO_PROGRAM = -17,
    /** The VM is not running: nobody listens on its socket. */
    VQEMU_ERR_NOT_RUNNING = -18,
    /** There is no such key; vqemu_error_detail() has "key" and "choices". */
    VQEMU_ERR_UNKNOWN_KEY = -19,
    /** The network, or the other side, failed. */
    VQEMU_ERR_NETWORK = -20,
    /** Somebody who is asked says no: QEMU to a command, a policy to a VM, a registry to a
     * user. */
    VQEMU_ERR_DENIED = -21,
    /** It is not signed by anybody who is trusted. */
    VQEMU_ERR_UNTRUSTED = -22,
    /** A program that was started ended otherwise than it should, or did not answer. */
    VQEMU_ERR_PROGRAM_FAILED = -23
};

/** The code of an error, one of enum vqemu_result; 0 for NULL. Since 1.0. */
int vqemu_error_code(const vqemu_error *error);

/** The errno of the system call that failed, or 0 where none did; 0 for NULL. Since 1.0. */
int vqemu_error_errno(const vqemu_error *error);

/**
 * The message: one line of printable text without a final full stop or newline, naming the file,
 * object or JSON key at fault and, where there is something to do about it, what. Control bytes
 * that came in with a path appear as \xHH. Borrowed from the error; "" for NULL. Since 1.0.
 */
const char *vqemu_error_message(const vqemu_error *error);

/**
 * Why, as a stable word for programs, such as "profile-not-in-store": what code and message leave
 * to be told apart, for a caller that adds its own way out. The code's name where there is no
 * better word. docs/errors.md lists them. Static; "" for NULL. Since 1.0.
 */
const char *vqemu_error_reason(const vqemu_error *error);

/* ---- facts ---- */

/** A key of a VM or an option, such as "disks[0].cache". Since 1.0. */
#define VQEMU_DETAIL_KEY "key"

/** The value that it was given. Since 1.0. */
#define VQEMU_DETAIL_VALUE "value"

/** What there is to choose from, separated by ", ". Since 1.0. */
#define VQEMU_DETAIL_CHOICES "choices"

/** The key, revision or profile that may be meant. Since 1.0. */
#define VQEMU_DETAIL_SUGGESTION "suggestion"

/** A path. Since 1.0. */
#define VQEMU_DETAIL_PATH "path"

/** The path of a file in a directory or archive, whose own path is VQEMU_DETAIL_PATH. Since 1.0. */
#define VQEMU_DETAIL_ENTRY "entry"

/** The digest of an object. Since 1.0. */
#define VQEMU_DETAIL_OBJECT "object"

/** The name of a revision. Since 1.0. */
#define VQEMU_DETAIL_REVISION "revision"

/** The name of a profile. Since 1.0. */
#define VQEMU_DETAIL_PROFILE "profile"

/** The profiles that can do what was asked for, separated by ", ". Since 1.0. */
#define VQEMU_DETAIL_PROFILES "profiles"

/** Of VQEMU_ERR_USAGE: the function that was called. Since 1.0. */
#define VQEMU_DETAIL_FUNCTION "function"

/** Of VQEMU_ERR_USAGE: its argument at fault. Since 1.0. */
#define VQEMU_DETAIL_ARGUMENT "argument"

/** Who has a lock or a pin. Since 1.0. */
#define VQEMU_DETAIL_HOLDER "holder"

/** The number of a process that has or uses what is needed, in decimal. Since 1.0. */
#define VQEMU_DETAIL_PROCESS "process"

/** The name of that process, as ps(1) shows it. Since 1.0. */
#define VQEMU_DETAIL_PROCESS_NAME "process_name"

/** The name of a VM. Since 1.0. */
#define VQEMU_DETAIL_VM "vm"

/** The key of a policy that does not allow it. Since 1.0. */
#define VQEMU_DETAIL_RULE "rule"

/** All keys that are at fault, separated by ", ". Since 1.0. */
#define VQEMU_DETAIL_KEYS "keys"

/** The host at the other end of a network. Since 1.0. */
#define VQEMU_DETAIL_HOST "host"

/** QEMU's word for why it refuses a command. Since 1.0. */
#define VQEMU_DETAIL_CLASS "class"

/** The keys that have signed, separated by ", ": "signify 9C1A...", "ssh SHA256:...". Since 1.0. */
#define VQEMU_DETAIL_SIGNERS "signers"

/** The keys that are trusted, in the same way. Since 1.0. */
#define VQEMU_DETAIL_TRUSTED "trusted"

/**
 * One fact of the error by its name: one of the macros above, or another that docs/errors.md lists.
 * Borrowed from the error; NULL if it has no such fact. Since 1.0.
 */
const char *vqemu_error_detail(const vqemu_error *error, const char *name);

/**
 * The name of the fact at an index, for a binding that takes over all of them; NULL beyond the
 * last. Borrowed from the error. Since 1.0.
 */
const char *vqemu_error_detail_name(const vqemu_error *error, size_t index);

/** The line of the document at fault, from 1; 0 where none is. Since 1.0. */
int64_t vqemu_error_line(const vqemu_error *error);

/** The name of a code, such as "not-found", for logs; "unknown" for other numbers. Static.
 * Since 1.0. */
const char *vqemu_result_name(int code);

/** Free an error. NULL is allowed. Since 1.0. */
void vqemu_error_free(vqemu_error *error);

/**
 * Free a string that a function of this library handed out through a `char **`. NULL is allowed.
 * Foreign-language bindings must use this, not a free() of their own. Since 1.0.
 */
void vqemu_free(void *memory);

#ifdef __cplusplus
}
#endif

#endif
