/* SPDX-License-Identifier: MIT */
#ifndef VOLT_QEMU_CALL_H
#define VOLT_QEMU_CALL_H

#include <stdbool.h>
#include <stdint.h>

#include <volt-qemu/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * How a call that may take long is to be made: who hears of its progress, how it is given up, and
 * what it may use.
 *
 * Every function that may take long or wait takes one; NULL means the defaults. One object may
 * serve any number of calls, one after the other or at the same time. Reference counted; set it up
 * before it is used, after that only vqemu_call_cancel() and the references may be touched, from
 * any thread.
 *
 * A deadline and cancelling are looked at between system calls, and end every wait for locks,
 * pipes, QEMU and programs. They cannot end a system call on a file system that does not answer,
 * such as NFS or FUSE without its server: that returns when the file system does, or when the
 * process is killed. Who must go on meanwhile makes such calls in a thread, or process, of its own.
 * Since 1.0.
 */
typedef struct vqemu_call vqemu_call;

/** Make one with the defaults. The caller releases *call with vqemu_call_unref(). Errors:
 * VQEMU_ERR_USAGE, VQEMU_ERR_NO_MEMORY. Since 1.0. */
int vqemu_call_new(vqemu_call **call, vqemu_error **error);

/** One more reference; returns its argument. NULL is allowed. Since 1.0. */
vqemu_call *vqemu_call_ref(vqemu_call *call);

/** Release a reference; the last one frees it. NULL is allowed. Since 1.0. */
void vqemu_call_unref(vqemu_call *call);

/* ---- numbers ---- */

/** How many threads a call may use, the calling one included: 1 (the default) to 64; 0 counts as 1,
 * and more than 64 as 64. The library's threads have all signals blocked, and have ended when the
 * call returns. Since 1.0. */
#define VQEMU_CALL_THREADS "threads"

/** Milliseconds from now to a deadline, of all calls together that are made with this object; 0 for
 * none, the default; INT64_MAX at most, so that a time below 0 is refused. Past it, calls fail with
 * VQEMU_ERR_TIMEOUT. Without one, waiting for locks, QEMU and registries ends all the same; a pipe
 * or socket of the caller's own, as of vqemu_store_import(), is waited for as long as it takes.
 * Since 1.0. */
#define VQEMU_CALL_DEADLINE_MS "deadline_ms"

/** Milliseconds that one wait for somebody else's lock may take: 1 or more; 0 sets the default of
 * 120,000; INT64_MAX at most. Then the call fails with VQEMU_ERR_BUSY, and names who holds the lock
 * if that can be told. Since 1.0. */
#define VQEMU_CALL_LOCK_TIMEOUT_MS "lock_timeout_ms"

/** The most objects (files) that a manifest may list; 0 sets the default of 10,000. Since 1.0. */
#define VQEMU_CALL_MAX_OBJECTS "max_objects"

/** The most bytes that the files of an ingest, import, copy or pull may have together, as far as
 * they come into the store, and what a repair takes in; holes count. 0 sets the default of 4 GiB.
 * Error reason "too-large"; a repair passes over what is larger. Since 1.0. */
#define VQEMU_CALL_MAX_SIZE "max_size"

/** The most layers that an OCI manifest may have which is made for a layout or registry; 0 sets the
 * default of 400, since there are registries that take no more than 500; 20,000 at most, and more
 * counts as that. Of a revision with more objects the small ones go into packs. Error reason
 * "too-many-layers". Since 1.0. */
#define VQEMU_CALL_MAX_LAYERS "max_layers"

/**
 * Set a number by its key, one of the macros above. Errors: VQEMU_ERR_UNKNOWN_KEY,
 * VQEMU_ERR_INVALID (reason "out-of-range": a time), VQEMU_ERR_USAGE. Since 1.0.
 */
int vqemu_call_set_number(vqemu_call *call, const char *key, uint64_t value, vqemu_error **error);

/* ---- progress ---- */

/** How far an operation is. It lives for the duration of the callback only. Since 1.0. */
typedef struct vqemu_progress vqemu_progress;

/**
 * Called from the thread that made the call: when a step begins, at most 20 times a second while it
 * goes on, and when its end is reached. Return 0 to go on; anything else cancels as
 * vqemu_call_cancel() does.
 *
 * What is worked on may be locked meanwhile: a store, an OCI layout, directories of a VM. So the
 * function may call the library, but with none of these, by this handle or another one: that would
 * wait for its own process, until VQEMU_ERR_BUSY or for ever. What it calls takes another call, or
 * NULL: with the same one, the function would be called from within itself. It must return: not
 * leave by longjmp(3) or an exception. Since 1.0.
 */
typedef int (*vqemu_progress_fn)(const vqemu_progress *progress, void *userdata);

/** Have progress reported; NULL for nobody. userdata must be there as long as calls are made with
 * this object. Errors: VQEMU_ERR_USAGE. Since 1.0. */
int vqemu_call_set_progress(vqemu_call *call, vqemu_progress_fn function, void *userdata,
                            vqemu_error **error);

/**
 * What is being done, a stable word: "hash", "import", "export", "copy", "pull", "push", "repair",
 * "assemble", "verify", "collect", "probe", "list", or "wait" for others that use the store. Later
 * versions may have more. Static. Since 1.0.
 */
const char *vqemu_progress_step(const vqemu_progress *progress);

/** What the numbers count: "bytes", "files", "objects", "devices", "tags"; NULL while waiting.
 * Static. Since 1.0. */
const char *vqemu_progress_unit(const vqemu_progress *progress);

/** The file or object at hand; NULL at times. Borrowed for the callback. Since 1.0. */
const char *vqemu_progress_item(const vqemu_progress *progress);

/** How many units are done. Since 1.0. */
uint64_t vqemu_progress_done(const vqemu_progress *progress);

/** How many units there are in all; 0 where that is not known. Since 1.0. */
uint64_t vqemu_progress_total(const vqemu_progress *progress);

/** Which step of the operation this is, from 1. Since 1.0. */
uint32_t vqemu_progress_phase(const vqemu_progress *progress);

/** How many steps the operation has, as far as is known; never below the phase. Since 1.0. */
uint32_t vqemu_progress_phase_count(const vqemu_progress *progress);

/* ---- what is worth a line in a log ---- */

/** How grave an event is. Since 1.0. */
enum vqemu_log_level {
    /** It was expected to happen at times. */
    VQEMU_LOG_INFO = 1,
    /** Somebody should look at it. */
    VQEMU_LOG_WARNING = 2
};

/** An event that is worth a line in a log. It lives for the callback only. Since 1.0. */
typedef struct vqemu_log_record vqemu_log_record;

/** How grave it is, one of enum vqemu_log_level. Since 1.0. */
int32_t vqemu_log_record_level(const vqemu_log_record *record);

/** A stable word, such as "tree-altered", "tree-by-content", "object-replaced", "placed-by-copy",
 * "revision-broken"; later versions have more. NULL for NULL. Static. Since 1.0. */
const char *vqemu_log_record_event(const vqemu_log_record *record);

/** One printable line for people. NULL for NULL. Borrowed. Since 1.0. */
const char *vqemu_log_record_message(const vqemu_log_record *record);

/** What the event is about, by a name that errors have as well (VQEMU_DETAIL_PATH and others);
 * NULL if it has nothing by this name. Borrowed. Since 1.0. */
const char *vqemu_log_record_detail(const vqemu_log_record *record, const char *name);

/**
 * Told of an event. It may come from a thread of the library, but never from two at once.
 *
 * What is worked on may be locked meanwhile: a store, an OCI layout, directories of a VM. So the
 * function may call the library, but with none of these, by this handle or another one: that would
 * wait for its own process, until VQEMU_ERR_BUSY or for ever. What it calls takes another call, or
 * NULL: with the same one, threads of the library's could wait for this function, and it for them.
 * vqemu_call_cancel() is always good. It must return: not leave by longjmp(3) or an exception.
 * Since 1.0.
 */
typedef void (*vqemu_log_fn)(const vqemu_log_record *record, void *userdata);

/** Have events reported; NULL for nobody. userdata: as of vqemu_call_set_progress(). Errors:
 * VQEMU_ERR_USAGE. Since 1.0. */
int vqemu_call_set_log(vqemu_call *call, vqemu_log_fn function, void *userdata,
                       vqemu_error **error);

/* ---- giving up ---- */

/**
 * Make every call that is being made or will be made with this object fail with
 * VQEMU_ERR_CANCELLED, and leave nothing half-made behind. It cannot be taken back. From any
 * thread, and from a signal handler. NULL is allowed. Since 1.0.
 */
void vqemu_call_cancel(vqemu_call *call);

/** Whether it was cancelled. False for NULL. Since 1.0. */
bool vqemu_call_is_cancelled(const vqemu_call *call);

#ifdef __cplusplus
}
#endif

#endif
