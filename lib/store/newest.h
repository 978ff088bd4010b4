/* SPDX-License-Identifier: MIT */
/* Which ref of a profile is the newest, without reading them all again. */
#ifndef LIB_NEWEST_H
#define LIB_NEWEST_H

#include "store/ref.h"

/* The newest ref of a profile; its manifest need not be loaded. */
int newest_find(vqemu_store *store, const char *profile, vqemu_ref **ref, vqemu_error **error);

#endif
