/* SPDX-License-Identifier: MIT */
/* What revisions take on disk, and what of it they share. */
#ifndef SIZES_H
#define SIZES_H

#include <jansson.h>
#include <volt-qemu/volt-qemu.h>

/* Of one revision; null if the list does not tell of it. */
json_t *sizes_json(const vqemu_size_list *sizes, const char *revision_name);

/* A table of all, and what the store takes. */
void sizes_print(const vqemu_size_list *sizes);

/* Warn of what is not there, or cannot be told. */
void sizes_warn(const vqemu_size_list *sizes);

#endif
