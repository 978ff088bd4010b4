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
/* A descriptor, which is listed among the resources as well. */
void args_claim_descriptor(struct args *args, const char *key, uint64_t fd);
/* When all is claimed: whether something was twice. */
int args_check_claims(const struct args *args, vqemu_error **error);

#endif
