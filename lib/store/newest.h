/* SPDX-License-Identifier: MIT */
/* Which revision of a profile is the newest, without reading them all again. */
#ifndef LIB_NEWEST_H
#define LIB_NEWEST_H

#include "store/revision.h"

/* The newest revision of a profile; its manifest need not be loaded. */
int newest_find(vqemu_store *store, const char *profile, vqemu_call *call,
                vqemu_revision **revision, vqemu_error **error);

/* A revision by its name, remembered in the same way. */
int newest_find_named(vqemu_store *store, const char *name, vqemu_call *call,
                      vqemu_revision **revision, vqemu_error **error);

/* The newest with its manifest. */
int newest_load(vqemu_store *store, const char *profile, vqemu_call *call,
                vqemu_revision **revision, vqemu_error **error);

#endif
