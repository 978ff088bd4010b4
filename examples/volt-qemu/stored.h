/* SPDX-License-Identifier: MIT */
/* What is put into a store: checked before, and told afterwards. */
#ifndef STORED_H
#define STORED_H

#include <jansson.h>
#include <volt-qemu/volt-qemu.h>

#include "options.h"

/* Whether --profile can be one: before anything is made. Returns the exit status. */
int check_new_profile(const struct options *options);

json_t *stored_json(const vqemu_ingest *ingest);

/* Which revision is used, if it is not the one that was put in. */
void print_used(const vqemu_ingest *ingest);

/* Returns the exit status. */
int print_stored(const struct options *options, const vqemu_ingest *ingest);

#endif
