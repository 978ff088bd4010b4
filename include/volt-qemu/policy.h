/* SPDX-License-Identifier: MIT */
#ifndef VOLT_QEMU_POLICY_H
#define VOLT_QEMU_POLICY_H

#include <stddef.h>
#include <stdint.h>

#include <volt-qemu/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * What VMs may use of the host, for descriptions of VMs that come from others: whoever writes one
 * decides which files QEMU opens and which programs run, as root as well (docs/security.md).
 *
 * Made from a JSON document; vqemu_policy_schema() has every key, what it means and its default. An
 * empty one, "{}", allows the least: no files but in the VM's own directories, no host network, no
 * programs, no arguments of one's own; but of memory, CPUs, disks and so on as much as is asked
 * for, unless the policy has a maximum. vqemu_command_options_set_policy() sets one, for units too;
 * a VM that breaks it gets no command and no units, but VQEMU_ERR_DENIED, with these details: "key"
 * of the VM and "rule" of the policy, "value" and "choices" where there are such, and "keys", those
 * of all that is denied. The reasons:
 *
 *     policy-path      a path is in none of the directories that it may be in
 *     policy-escape    it is by its words, but a link or ".." leads out
 *     policy-unclear   what it leads to, or what a key does, cannot be told
 *     policy-value     a name, user or port is none of those that are listed
 *     policy-maximum   more than there may be
 *     policy-switch    what the key asks for is not allowed
 *
 * Paths are looked at when the command is built. Nobody who is not trusted may be able to change
 * the directories that the policy names, or what is in them, between then and QEMU's start, other
 * than the content of files. What an image of a disk names in turn is not looked at.
 *
 * Immutable and reference counted; any number of threads may use it. Since 1.0.
 */
typedef struct vqemu_policy vqemu_policy;

/**
 * Read a policy from JSON text. source stands for the text in messages, such as its path; it may be
 * NULL. flags: 0. On success the caller releases *policy with vqemu_policy_unref().
 *
 * Errors: VQEMU_ERR_MALFORMED (no JSON object, or an array is missing where its key has one),
 * VQEMU_ERR_UNKNOWN_KEY, VQEMU_ERR_INVALID (a value; the detail "key" tells which),
 * VQEMU_ERR_USAGE, VQEMU_ERR_NO_MEMORY. Since 1.0.
 */
int vqemu_policy_from_json(const char *json, size_t size, const char *source, uint32_t flags,
                           vqemu_policy **policy, vqemu_error **error);

/** The same from a file. Errors: those of vqemu_policy_from_json(), VQEMU_ERR_NOT_FOUND,
 * VQEMU_ERR_SYSTEM, VQEMU_ERR_INVALID (not a regular file). Since 1.0. */
int vqemu_policy_from_file(const char *path, uint32_t flags, vqemu_policy **policy,
                           vqemu_error **error);

/**
 * The policy as JSON text, ending in a newline: the keys that are set, in the order of the schema.
 * flags: 0. The caller frees *json with vqemu_free(). Errors: VQEMU_ERR_USAGE,
 * VQEMU_ERR_NO_MEMORY. Since 1.0.
 */
int vqemu_policy_to_json(const vqemu_policy *policy, uint32_t flags, char **json,
                         vqemu_error **error);

/**
 * The JSON Schema (draft 2020-12) of policies. flags: 0. The caller frees *schema with
 * vqemu_free(). Errors: VQEMU_ERR_USAGE, VQEMU_ERR_NO_MEMORY. Since 1.0.
 */
int vqemu_policy_schema(uint32_t flags, char **schema, vqemu_error **error);

/** One more reference; returns its argument. NULL is allowed. Since 1.0. */
vqemu_policy *vqemu_policy_ref(vqemu_policy *policy);

/** Release a reference; the last one frees the policy. NULL is allowed. Since 1.0. */
void vqemu_policy_unref(vqemu_policy *policy);

#ifdef __cplusplus
}
#endif

#endif
