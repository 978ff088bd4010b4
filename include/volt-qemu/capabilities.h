/* SPDX-License-Identifier: MIT */
#ifndef VOLT_QEMU_CAPABILITIES_H
#define VOLT_QEMU_CAPABILITIES_H

#include <stddef.h>
#include <stdint.h>

#include <volt-qemu/call.h>
#include <volt-qemu/error.h>
#include <volt-qemu/runtime.h>
#include <volt-qemu/store.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * What the QEMU of a runtime can do, by its own account: a table of things, each with a kind, a
 * name and properties. Immutable, reference-counted, safe from any thread. Functions that cannot
 * fail answer NULL, 0 or -1 for NULL. Since 1.0.
 *
 * The kinds are "ability" (names of vqemu_ability_name(): those that follow from the rest, as
 * vqemu_closure_has_ability() says, for guests of the runtime's architecture; not "uefi", which is
 * a matter of firmware), "accel", "argument" (all options of the command line), "audiodev" (drivers
 * of sound), "blockdev" (drivers), "chardev" (backends), "command" (of QMP), "cpu" (models; their
 * properties are features), "device", "display", "machine", "netdev", "object", "option" (of the
 * command line, those that have parameters), "qemu", which has one name, the version, "tpm"
 * (backends), and "type", in which the library keeps for itself which values properties take. Later
 * versions may have more.
 */
typedef struct vqemu_capabilities vqemu_capabilities;

/** Flags for asking. Since 1.0. */
enum vqemu_probe_flag {
    /** Ask QEMU, even if it is known what it would say. */
    VQEMU_PROBE_AGAIN = 1
};

/**
 * Tell what the QEMU of a runtime can do. It is started, without a guest, asked over QMP and by
 * options that ask for help, and ended. It may read the runtime's own files and open no others,
 * where the kernel has Landlock; it gets no privileges, whoever calls; it has at most the time of
 * the call, without one 60 seconds. It is a child of the caller, so that SIGCHLD comes at its end;
 * that the caller ignores this signal, or waits for all children itself, does no harm. What it
 * starts ends with it: all of that if the caller may make PID namespaces, as root; else what stays
 * in its process group, and the rest goes on with the caller's user and what else it was confined
 * to.
 *
 * keeper: the store it came from, which keeps what was told, by the digests of the program, its
 * libraries and its modules; NULL: it is asked each time. A runtime described by hand, or one of
 * another store, is always asked, and nothing is kept of it. In a store that is read-only, nothing
 * is kept either. flags: an OR of enum vqemu_probe_flag. call: may be NULL; its progress has the
 * step "probe". On success the caller releases *capabilities with vqemu_capabilities_unref().
 *
 * Errors: VQEMU_ERR_NOT_FOUND or VQEMU_ERR_SYSTEM (reason "not-started": the program cannot be
 * executed), VQEMU_ERR_PROGRAM_FAILED (reason "does-not-answer": it ended instead of answering, and
 * what it said is in the message; reason "no-answer": it said nothing in the 60 seconds),
 * VQEMU_ERR_MALFORMED (what answers is no QEMU), VQEMU_ERR_DENIED (QEMU refuses a question),
 * VQEMU_ERR_TIMEOUT (that of the call), VQEMU_ERR_CANCELLED, VQEMU_ERR_NO_STORE (it was removed),
 * VQEMU_ERR_USAGE, VQEMU_ERR_NO_MEMORY. Safe from any thread. Since 1.0.
 */
int vqemu_runtime_probe(const vqemu_runtime *runtime, vqemu_store *keeper, uint32_t flags,
                        vqemu_call *call, vqemu_capabilities **capabilities, vqemu_error **error);

/** How many things of a kind there are. Since 1.0. */
size_t vqemu_capabilities_count(const vqemu_capabilities *capabilities, const char *kind);

/** The name of one of them, in the order of their bytes; NULL beyond the count. Borrowed. Since
 * 1.0. */
const char *vqemu_capabilities_at(const vqemu_capabilities *capabilities, const char *kind,
                                  size_t index);

/**
 * Whether there is a thing of a kind and name, and, with property not NULL, whether it has that
 * property: 1 or 0; -1 if it cannot be told: QEMU does not tell which properties it has, or tells
 * nothing of that kind, as of a kind that is misspelled; also for NULL. Machines are found by their
 * aliases, too.
 * Since 1.0.
 */
int vqemu_capabilities_has(const vqemu_capabilities *capabilities, const char *kind,
                           const char *name, const char *property);

/**
 * A fact about a thing; NULL if there is none. Machines have "max-cpus" and, for an alias, its
 * "alias-of"; CPU models "type"; "qemu" has "package"; whatever QEMU lists, and cannot make, has
 * "broken". Borrowed. Since 1.0.
 */
const char *vqemu_capabilities_fact(const vqemu_capabilities *capabilities, const char *kind,
                                    const char *name, const char *fact);

/**
 * All of it as JSON: an object of kinds, each an object of names, each an object of facts, which
 * has "properties", too: an array, or null if QEMU does not tell them; without, there are none.
 * The kind "type" is left out.
 * flags: 0. The caller frees *json with vqemu_free().
 *
 * Errors: VQEMU_ERR_USAGE, VQEMU_ERR_NO_MEMORY. Since 1.0.
 */
int vqemu_capabilities_to_json(const vqemu_capabilities *capabilities, uint32_t flags, char **json,
                               vqemu_error **error);

/** One more reference; returns its argument. NULL is allowed. Since 1.0. */
vqemu_capabilities *vqemu_capabilities_ref(vqemu_capabilities *capabilities);

/** Release a reference. NULL is allowed. Since 1.0. */
void vqemu_capabilities_unref(vqemu_capabilities *capabilities);

#ifdef __cplusplus
}
#endif

#endif
