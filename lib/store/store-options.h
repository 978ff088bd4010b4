/* SPDX-License-Identifier: MIT */
#ifndef LIB_STORE_OPTIONS_H
#define LIB_STORE_OPTIONS_H

#include <stdbool.h>

#include <volt-qemu/store.h>

struct vqemu_store_options {
    char *root, *objects, *refs, *trees, *links;
    uint64_t root_fd; /* and 1; 0 where it is not set */
    vqemu_trust *trust;
};

bool store_options_has_root(const vqemu_store_options *options);

/* Whether they say where the store is: VQEMU_ERR_INVALID with the key if not. */
int store_options_check(const vqemu_store_options *options, vqemu_error **error);

#endif
