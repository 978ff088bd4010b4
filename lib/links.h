/* SPDX-License-Identifier: MIT */
/* The symbolic links <profile> -> tree in use, at the path where the reference layout has trees. */
#ifndef LIB_LINKS_H
#define LIB_LINKS_H

#include "store.h"

/*
 * Make the profile's link point to a tree, by one rename. A real directory that stands there is
 * moved aside to <profile>.replaced, so that nothing of it is lost. Does nothing for a store that
 * keeps no links, or where this process may not write them.
 */
int links_switch(vqemu_store *store, const char *profile, const char *digest, vqemu_error **error);

#endif
