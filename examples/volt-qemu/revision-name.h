/* SPDX-License-Identifier: MIT */
/* Names: of a revision, or of a profile for the revision of it that is used. */
#ifndef REVISION_NAME_H
#define REVISION_NAME_H

#include <stdbool.h>
#include <volt-qemu/volt-qemu.h>

#include "options.h"

/* By its form: with a "-" and eight hex digits at its end. */
bool is_revision_name(const char *name);

/* Both return 0, or the exit status of a failure that has been reported. */
int find_revision_of(const struct options *options, vqemu_store *store, const char *name,
                     vqemu_revision **revision);

/* Only its name, new: a revision that is named itself may also be broken, or gone. */
int find_name_of(const struct options *options, vqemu_store *store, const char *name,
                 char **revision_name);

#endif
