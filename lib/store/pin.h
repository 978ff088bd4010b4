/* SPDX-License-Identifier: MIT */
#ifndef LIB_PIN_H
#define LIB_PIN_H

#include "store/store.h"

/* Whether the revision with a name is pinned: 1, 0, or a negative errno if that cannot be told. */
int pin_is_set(const vqemu_store *store, const char *name);

#endif
