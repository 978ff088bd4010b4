/* SPDX-License-Identifier: MIT */
/* Handing files that were made for a VM to the user that it runs as. */
#ifndef LIB_OWNER_H
#define LIB_OWNER_H

#include <sys/types.h>

#include <volt-qemu/error.h>

struct owner {
    uid_t uid;
    gid_t gid;
};

/* Look up a user by name or number; a number need not be in any database. */
int owner_find(const char *user, struct owner *owner, vqemu_error **error);

/* Change the owner of a file or directory, but not through a link that the owner may have made. One
 * that is missing is fine. */
int owner_give(const struct owner *owner, const char *path, vqemu_error **error);

#endif
