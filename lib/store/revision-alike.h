/* SPDX-License-Identifier: MIT */
/* What somebody may have meant who named a revision or profile that is not in the store. */
#ifndef LIB_REVISION_ALIKE_H
#define LIB_REVISION_ALIKE_H

#include "store/store.h"

/* The name in the store that is most like this one, which the caller frees; NULL if none is, or the
 * store cannot be read. Returns 0 or -ENOMEM. */
int revision_alike(const vqemu_store *store, const char *name, char **alike);

#endif
