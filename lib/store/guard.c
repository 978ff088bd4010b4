/* SPDX-License-Identifier: MIT */
#include "store/guard.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"

int guard_check(int fd, const char *path, vqemu_error **error) {
    struct stat status;
    if (fstat(fd, &status) < 0)
        return error_system(error, errno, "cannot look at the store directory %s", path);
    if (status.st_uid != 0 && status.st_uid != geteuid())
        return error_because(
            error_set(error, VQEMU_ERR_REFUSED, 0,
                      "the store directory %s belongs to user %u, who could have programs of his "
                      "own run from it; give it to root or to yourself, or allow it when the store "
                      "is opened",
                      path, (unsigned)status.st_uid),
            error, "untrusted-store", "path", path, NULL);
    if (status.st_mode & (S_IWGRP | S_IWOTH))
        return error_because(
            error_set(error, VQEMU_ERR_REFUSED, 0,
                      "%s may write to the store directory %s, and could have programs of their "
                      "own run from it; take that right away, or allow it when the store is opened",
                      status.st_mode & S_IWOTH ? "all users" : "the users of a group", path),
            error, "untrusted-store", "path", path, NULL);
    return 0;
}

bool guard_trusts(uint32_t store_flags, int tree_fd) {
    return store_flags & VQEMU_STORE_ALLOW_OTHERS || guard_check(tree_fd, "", NULL) == 0;
}
