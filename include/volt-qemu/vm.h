/* SPDX-License-Identifier: MIT */
#ifndef VOLT_QEMU_VM_H
#define VOLT_QEMU_VM_H

#include <stddef.h>
#include <stdint.h>

#include <volt-qemu/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * A virtual machine as its user describes it: what to run, not how.
 *
 * A description is code: it names files that QEMU reads and writes, programs that run, as root in
 * units, and with "extra_args" anything. Take one from others only under a policy
 * (<volt-qemu/policy.h>), or only single values that you have checked (docs/security.md).
 *
 * It is a document: an object with keys, lists of objects below some of them, and the same whether
 * it is read from JSON or set key by key. What is not set has its default. Every key, with its
 * values, its default and what it needs, stands in docs/vm.md, and in the JSON Schema that
 * vqemu_vm_schema() gives; <volt-qemu/keys.h> has a constant for each, so that a compiler finds a
 * slip.
 *
 * Keys are written as the way to a value:
 *
 * - "memory": of the VM itself.
 * - "disks[0].cache": of an element of a list. Numbers are decimal, from 0. An index that is the
 *   number of elements there are appends one, when something of it is set, and only if the value is
 *   accepted; a larger one is refused ("index-beyond-end"). A list has at most 1,000 elements. One
 *   of which nothing is set, as a network device with the defaults, is appended by giving any of
 * its keys NULL.
 * - "nics[0].forwards[1].host_port": of an element of a list in an element of a list.
 * - "extra_args[2]": an element of a list of strings.
 * - "cpu_features.sse4.1": a value whose name is QEMU's. All behind the first full stop is the
 *   name. It can be a switch, a number (0 is one as well) or a string, and is asked for as what it
 *   was set; "on" and "off" are switches.
 * - "slots.nic0": a value whose name is the id of a device, which in the same way can be a number
 * or a string.
 *
 * A key has one kind, and is set and asked for by the functions of that kind; another one is
 * refused ("wrong-kind"). Strings: NULL and "" are as good as not set, but "" is a value of
 * "append" and of "extra_args[0]". Numbers: 0 is as good as not set; for the key of a descriptor it
 * is refused. Switches have three states: on, off, and the default that nobody has changed.
 *
 * A refused value changes nothing. What a value itself can be is checked when it is set; what does
 * not go together, is missing, or the profile and machine cannot have, when a command is built.
 * Each error has the whole key in front of its message and as its detail "key"; where they are
 * there to be chosen from, detail "choices" has all.
 *
 * Mutable; one owner, one thread at a time. Strings are copied in. What is handed out as a
 * `const char *` is borrowed until the VM is changed or freed. Since 1.0.
 */
typedef struct vqemu_vm vqemu_vm;

/** The states of a switch. Since 1.0. */
enum vqemu_switch {
    /** Not set: what the library would do. */
    VQEMU_SWITCH_DEFAULT = -1,
    /** Off, whatever the default is. */
    VQEMU_SWITCH_OFF = 0,
    /** On, whatever the default is. */
    VQEMU_SWITCH_ON = 1
};

/* ---- life ---- */

/**
 * Make a VM with the defaults: the architecture's default memory (256 MiB, more where its machine
 * needs more), 1 CPU, a serial console on standard input and output, and nothing else.
 *
 * name: 1 to 255 bytes, any but NUL. On success the caller frees *vm with vqemu_vm_free().
 *
 * Errors: VQEMU_ERR_INVALID, VQEMU_ERR_USAGE, VQEMU_ERR_NO_MEMORY. Since 1.0.
 */
int vqemu_vm_new(const char *name, vqemu_vm **vm, vqemu_error **error);

/** A VM with all that another one has. The caller frees *copy with vqemu_vm_free(). Errors:
 * VQEMU_ERR_USAGE, VQEMU_ERR_NO_MEMORY. Since 1.0. */
int vqemu_vm_copy(const vqemu_vm *vm, vqemu_vm **copy, vqemu_error **error);

/** Free a VM. NULL is allowed. Since 1.0. */
void vqemu_vm_free(vqemu_vm *vm);

/* ---- by key ---- */

/**
 * Set a string. NULL unsets it.
 *
 * Errors: VQEMU_ERR_UNKNOWN_KEY (detail "choices" has the keys that there are, "suggestion" the
 * whole key that may be meant), VQEMU_ERR_INVALID (the value; or the key: reasons "wrong-kind",
 * "index-beyond-end", "malformed-key", "too-many"), VQEMU_ERR_USAGE, VQEMU_ERR_NO_MEMORY. Since
 * 1.0.
 */
int vqemu_vm_set_string(vqemu_vm *vm, const char *key, const char *value, vqemu_error **error);

/** Set a number, in the unit that the key has. 0 unsets it, but below "cpu_features" and
 * "slots". Errors: as of vqemu_vm_set_string(). Since 1.0. */
int vqemu_vm_set_number(vqemu_vm *vm, const char *key, uint64_t value, vqemu_error **error);

/** Set a switch to one of enum vqemu_switch. Errors: as of vqemu_vm_set_string(). Since 1.0. */
int vqemu_vm_set_switch(vqemu_vm *vm, const char *key, int32_t value, vqemu_error **error);

/**
 * Give a key of any kind its default back; a whole list ("disks") becomes empty. What must be
 * there, as "name", is refused, and so is an element of a list, which vqemu_vm_remove() takes away.
 * Errors: as of vqemu_vm_set_string(). Since 1.0.
 */
int vqemu_vm_unset(vqemu_vm *vm, const char *key, vqemu_error **error);

/**
 * Take an element out of its list: "disks[1]", "nics[0].forwards[0]", "extra_args[2]". Those behind
 * it move up. Errors: as of vqemu_vm_set_string(). Since 1.0.
 */
int vqemu_vm_remove(vqemu_vm *vm, const char *key, vqemu_error **error);

/**
 * Ask for a string; *value is NULL if it is not set. Borrowed until the VM is changed. Errors:
 * VQEMU_ERR_UNKNOWN_KEY, VQEMU_ERR_INVALID (the key; reasons as of vqemu_vm_set_string()),
 * VQEMU_ERR_USAGE, VQEMU_ERR_NO_MEMORY. Since 1.0.
 */
int vqemu_vm_get_string(const vqemu_vm *vm, const char *key, const char **value,
                        vqemu_error **error);

/** Ask for a number; *value is 0 if it is not set. Errors: as of vqemu_vm_get_string(). Since
 * 1.0. */
int vqemu_vm_get_number(const vqemu_vm *vm, const char *key, uint64_t *value, vqemu_error **error);

/** Ask for a switch: *value is one of enum vqemu_switch. Errors: as of vqemu_vm_get_string(). Since
 * 1.0. */
int vqemu_vm_get_switch(const vqemu_vm *vm, const char *key, int32_t *value, vqemu_error **error);

/** How many elements a list has ("disks", "nics[0].forwards", "extra_args"), or how many values
 * "cpu_features" or "slots". Errors: as of vqemu_vm_get_string(). Since 1.0. */
int vqemu_vm_count(const vqemu_vm *vm, const char *key, size_t *count, vqemu_error **error);

/* ---- as JSON ---- */

/**
 * Read a VM from size bytes of JSON text, at most 1 MiB: an object with the keys above, of which
 * only "name" is required. "$schema" is passed over. source stands for the document in messages;
 * NULL means "VM description". flags: 0.
 *
 * Errors: VQEMU_ERR_INVALID (a value, also of another kind than the key has, or one that is
 * missing), VQEMU_ERR_UNKNOWN_KEY (a document for a newer version of the library can have such),
 * VQEMU_ERR_MALFORMED (the syntax, with vqemu_error_line(); no array or object where the key has
 * one, with detail "key"), VQEMU_ERR_USAGE, VQEMU_ERR_NO_MEMORY. Messages begin with source and
 * key: "web.json: disks[0].cache: ...". Since 1.0.
 */
int vqemu_vm_from_json(const char *text, size_t size, const char *source, uint32_t flags,
                       vqemu_vm **vm, vqemu_error **error);

/**
 * Read a VM from a JSON file. Otherwise like vqemu_vm_from_json().
 *
 * Errors: also VQEMU_ERR_NOT_FOUND, VQEMU_ERR_SYSTEM, VQEMU_ERR_INVALID (not a regular file). Since
 * 1.0.
 */
int vqemu_vm_from_file(const char *path, uint32_t flags, vqemu_vm **vm, vqemu_error **error);

/**
 * Put a document over a VM, as one for all VMs of a host and one for each. What it has counts, and
 * what it has not stays; null unsets a key; a list replaces the whole list; "cpu_features" and
 * "slots" are merged by their names (RFC 7396). All of it is taken, or nothing. "name" need not be
 * there. Otherwise like vqemu_vm_from_json(). Since 1.0.
 */
int vqemu_vm_merge_json(vqemu_vm *vm, const char *text, size_t size, const char *source,
                        uint32_t flags, vqemu_error **error);

/**
 * The VM as the JSON text that vqemu_vm_from_json() reads, ending in a newline, with what is set
 * and nothing else. flags: 0. The caller frees *text with vqemu_free().
 *
 * Errors: VQEMU_ERR_UNSUPPORTED (a string is not UTF-8, which JSON cannot carry; reason
 * "not-utf-8"), VQEMU_ERR_USAGE, VQEMU_ERR_NO_MEMORY. Since 1.0.
 */
int vqemu_vm_to_json(const vqemu_vm *vm, uint32_t flags, char **text, vqemu_error **error);

/**
 * What is set differently in two VMs, as JSON text ending in a newline:
 *
 *     {"changes": [{"key": "disks[0].cache", "from": "none", "to": null}]}
 *
 * null is what is not set. Elements of lists are compared by their place; one that only one of the
 * VMs has is one change, with all that is in it. Without a difference the array is empty. flags:
 * 0. The caller frees *json with vqemu_free(). Errors: as of vqemu_vm_to_json(). Since 1.0.
 */
int vqemu_vm_diff(const vqemu_vm *from, const vqemu_vm *to, uint32_t flags, char **json,
                  vqemu_error **error);

/**
 * The JSON Schema (json-schema.org, draft 2020-12) of the documents that vqemu_vm_from_json()
 * reads, ending in a newline; the "description" of each key says what it means. flags: 0. The
 * caller frees *text with vqemu_free(). Errors: VQEMU_ERR_USAGE, VQEMU_ERR_NO_MEMORY. Since 1.0.
 */
int vqemu_vm_schema(uint32_t flags, char **text, vqemu_error **error);

#ifdef __cplusplus
}
#endif

#endif
