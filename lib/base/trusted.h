/* SPDX-License-Identifier: MIT */
/*
 * Paths that are used with the caller's rights, mostly root's, though parts of them belong to the
 * user that a VM runs as. Whoever can exchange a directory on the way decides where the path leads:
 * each must be root's, the caller's or that user's, and not writable by others unless it is sticky.
 * A link on the way is followed only if it and its directory are root's or the caller's, and where
 * it leads is walked likewise. One at the end is never followed. (The other walks over paths, and
 * why they are others: util/path.c.)
 */
#ifndef LIB_TRUSTED_H
#define LIB_TRUSTED_H

#include <limits.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <sys/types.h>

/* What a walk ended at. */
enum distrust {
    DISTRUST_NOTHING,
    DISTRUST_LINK,  /* another user's link, or one where others can put theirs */
    DISTRUST_OWNER, /* a directory of somebody else */
    DISTRUST_MODE,  /* a directory that others can write to */
};

struct trusted_walk {
    uid_t user; /* whose directories are trusted besides root's and the caller's */
    bool makes_directories;

    /* What came of it: */
    bool made;              /* the directory at the end */
    enum distrust distrust; /* if it failed with -EACCES or -ELOOP */
    struct stat status;     /* of the directory that is not trusted */
    char place[PATH_MAX];   /* how far it came, with links resolved: where it failed, if it did */
};

/* Root, or who calls. */
bool trusted_own(uid_t owner);

/* Whether a file of this owner is nobody else's than root's, the caller's or the user's. */
bool trusted_owner(uid_t owner, uid_t user);

/* Whether others than its owner can put files into a directory: by the bits of group and others. */
bool trusted_others_write(const struct stat *directory);

/*
 * Walk to an absolute path, and open it with O_PATH: a file, directory or link. With
 * makes_directories, missing directories are made: the last with mode 0700, those above it with
 * 0755. Returns a descriptor or a negative errno.
 */
int trusted_open(const char *path, struct trusted_walk *walk);

#endif
