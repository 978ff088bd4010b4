/* SPDX-License-Identifier: MIT */
/*
 * What only one part of a VM can have. QEMU would take a socket away from the part that listened
 * there first without a word, and say little about the others.
 */
#ifndef LIB_PLAN_CLAIM_H
#define LIB_PLAN_CLAIM_H

#include "command/plan.h"

/* The key of the VM takes something: the path of a socket, "TAP device tap0". */
void plan_claim(struct plan *plan, const char *key, const char *what);
/* The same for a file that others may read as well, but not write to. */
void plan_claim_reading(struct plan *plan, const char *key, const char *path);
/* A path that stands in an extra argument: several may name it, as long as the VM does not. */
void plan_claim_mention(struct plan *plan, size_t argument, const char *path);
/*
 * A descriptor, by its number or, if that is 0, by its name; it is listed among the resources as
 * well. key is that of the number, such as "disks[0].fd". Returns the number that QEMU has it
 * under.
 */
int plan_claim_descriptor(struct plan *plan, const char *key, uint64_t fd, const char *name);
/* When all is claimed: whether something was twice. */
int plan_check_claims(const struct plan *plan, vqemu_error **error);

#endif
