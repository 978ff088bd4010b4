/* SPDX-License-Identifier: MIT */
/*
 * What only one part of a VM can have. QEMU would take a socket away from the part that listened
 * there first without a word, and say little about the others.
 */
#ifndef LIB_ARGS_CLAIM_H
#define LIB_ARGS_CLAIM_H

#include "command/args.h"

/* The key of the VM takes something: the path of a socket, "TAP device tap0". */
void args_claim(struct args *args, const char *key, const char *what);
/* The same for a file that others may read as well, but not write to. */
void args_claim_reading(struct args *args, const char *key, const char *path);
/* A path that stands in an extra argument: several may name it, as long as the VM does not. */
void args_claim_mention(struct args *args, size_t argument, const char *path);
/*
 * A descriptor, by its number or, if that is 0, by its name; it is listed among the resources as
 * well. key is that of the number, such as "disks[0].fd". Returns the number that QEMU has it
 * under.
 */
int args_claim_descriptor(struct args *args, const char *key, uint64_t fd, const char *name);
/* When all is claimed: whether something was twice. */
int args_check_claims(const struct args *args, vqemu_error **error);

#endif
