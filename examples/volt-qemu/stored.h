/* SPDX-License-Identifier: MIT */
/* What a ref that was put into the store looks like to people and programs. */
#ifndef STORED_H
#define STORED_H

#include <stdbool.h>
#include <volt-qemu/volt-qemu.h>

#include "options.h"

/* Returns the exit status. */
int print_stored(const struct options *options, const vqemu_ingest *ingest);

#endif
