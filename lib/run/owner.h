/* SPDX-License-Identifier: MIT */
/* Whom the directories and files of a VM are for, and whom they may be taken over from. */
#ifndef LIB_OWNER_H
#define LIB_OWNER_H

#include <stdbool.h>
#include <sys/stat.h>
#include <sys/types.h>

#include <volt-qemu/error.h>

struct owner {
    const char *vm_id; /* borrowed */
    bool is_user;      /* the VM names one; otherwise it is the caller */
    uid_t uid;
    gid_t gid;
};

/* Look up a user by name or number; a number need not be in any database. NULL for the caller. */
int owner_find(const char *user, struct owner *owner, vqemu_error **error);

/* Whether a directory or file is root's, the caller's or the VM's user's; what is somebody else's
 * is refused. */
int owner_check(const struct owner *owner, const struct stat *status, const char *path,
                vqemu_error **error);

/* The refusal to give away what is not known to be the VM's. */
int owner_refuse(const struct owner *owner, const struct stat *status, const char *path,
                 vqemu_error **error);

/*
 * Give what is open, with O_PATH or otherwise, to the VM's user, unless there is none or it is that
 * user's already. What root has and is not the VM's is refused, and so is a file with another name.
 */
int owner_give(const struct owner *owner, int fd, const struct stat *status, bool is_vms,
               const char *path, vqemu_error **error);

#endif
