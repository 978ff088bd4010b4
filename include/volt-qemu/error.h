/* SPDX-License-Identifier: MIT */
#ifndef VOLT_QEMU_ERROR_H
#define VOLT_QEMU_ERROR_H

#ifdef __cplusplus
extern "C" {
#endif

/**
 * What went wrong: a stable code, the errno of the system call behind it, and a message for people.
 *
 * Every fallible function returns 0 or one of the negative codes below, and takes as its last
 * argument a `vqemu_error **`. That may be NULL. Otherwise, on failure, it is overwritten with a
 * new error that the caller frees with vqemu_error_free(); on success it is not touched, so
 * initialise it to NULL. The other out-pointers of a function that failed are set to NULL.
 *
 * An error is immutable: any thread may read it. Since 1.0.
 */
typedef struct vqemu_error vqemu_error;

/** Result codes. The numbers are part of the ABI and are never reused. Since 1.0. */
enum vqemu_result {
    /** Success. */
    VQEMU_OK = 0,
    /** Memory could not be allocated. */
    VQEMU_ERR_NO_MEMORY = -1,
    /** An argument or a value given by the caller is not acceptable. */
    VQEMU_ERR_INVALID = -2,
    /** A system call failed; vqemu_error_errno() tells how. */
    VQEMU_ERR_SYSTEM = -3,
    /** A store, ref, profile, manifest entry or file that was asked for is not there. */
    VQEMU_ERR_NOT_FOUND = -4,
    /** This host, profile or guest architecture cannot serve the request. */
    VQEMU_ERR_UNSUPPORTED = -5,
    /** A document (manifest or VM description) is malformed; the message gives the position. */
    VQEMU_ERR_MALFORMED = -6,
    /** Stored content is damaged: missing, or other than its digest says. */
    VQEMU_ERR_CORRUPT = -7,
    /** The store was opened read-only. */
    VQEMU_ERR_READ_ONLY = -8,
    /** The caller's progress callback asked to stop. */
    VQEMU_ERR_CANCELLED = -9,
    /** A source file changed while it was being read, or firmware since a VM's variable store was
     * made for it. */
    VQEMU_ERR_CHANGED = -10,
    /** A guest did not do in time what it was asked to. */
    VQEMU_ERR_TIMEOUT = -11
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
