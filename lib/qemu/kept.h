/* SPDX-License-Identifier: MIT */
/*
 * What QEMUs have told, in the store's cache: capabilities-<digest of all that the answer depends
 * on>, a record of the text of the capabilities.
 */
#ifndef LIB_KEPT_H
#define LIB_KEPT_H

#include "qemu/capabilities.h"

/* Which record is about a runtime. */
struct kept {
    const vqemu_store *store;
    struct digest parts; /* of store/program-parts.h */
};

/* Returns 1; 0 if nothing can be kept of this runtime: it is of no store, or of another one; or an
 * error. */
int kept_find(vqemu_store *store, const vqemu_runtime *runtime, struct kept *kept,
              vqemu_error **error);

/* *capabilities is NULL if there is no such record, or one that is of no use. */
int kept_load(const struct kept *kept, vqemu_capabilities **capabilities, vqemu_error **error);

/* Something that a QEMU can have: a thing, or, with property not NULL, a property of it. */
struct capability_name {
    const char *kind, *name, *property;
};

/*
 * The profiles of a store whose newest revision has a program, of which is kept that it has
 * something: "a, b". Those of which nothing is kept, or that cannot be looked at, are passed over:
 * this is for people, beside an error.
 */
void kept_list_profiles(vqemu_store *store, const char *program, const struct capability_name *name,
                        struct strbuf *profiles);

/* Failures do not matter: QEMU is asked again then. */
void kept_save(const struct kept *kept, const vqemu_capabilities *capabilities);

#endif
