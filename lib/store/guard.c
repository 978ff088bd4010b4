/* SPDX-License-Identifier: MIT */
#include "store/guard.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/trusted.h"

static int refuse_owner(const struct stat *status, const char *path, vqemu_error **error) {
    return error_because(
        error_set(error, VQEMU_ERR_REFUSED, 0,
                  "the store directory %s belongs to user %u, who could have programs of his own "
                  "run from it; give it to root or to yourself, or allow it when the store is "
                  "opened",
                  path, (unsigned)status->st_uid),
        error, "untrusted-store", VQEMU_DETAIL_PATH, path, NULL);
}

static const char *others(const struct stat *status) {
    return status->st_mode & S_IWOTH ? "all users" : "the users of a group";
}

static int refuse_mode(const struct stat *status, const char *path, vqemu_error **error) {
    return error_because(
        error_set(error, VQEMU_ERR_REFUSED, 0,
                  "%s may write to the store directory %s, and could have programs of their own "
                  "run from it; take that right away, or allow it when the store is opened",
                  others(status), path),
        error, "untrusted-store", VQEMU_DETAIL_PATH, path, NULL);
}

static int check_status(const struct stat *status, const char *path, bool may_be_sticky,
                        vqemu_error **error) {
    if (!trusted_own(status->st_uid))
        return refuse_owner(status, path, error);
    if (trusted_others_write(status) && !(may_be_sticky && status->st_mode & S_ISVTX))
        return refuse_mode(status, path, error);
    return 0;
}

static int check(int fd, const char *path, bool may_be_sticky, vqemu_error **error) {
    struct stat status;
    if (fstat(fd, &status) < 0)
        return error_system_at(error, errno, "cannot look at the store directory", "%s", path);
    return check_status(&status, path, may_be_sticky, error);
}

int guard_check_status(const struct stat *directory, const char *path, vqemu_error **error) {
    return check_status(directory, path, false, error);
}

int guard_check(int fd, const char *path, vqemu_error **error) {
    return check(fd, path, false, error);
}

int guard_check_above(int fd, const char *path, vqemu_error **error) {
    return check(fd, path, true, error);
}

/* ---- files and trees ---- */

bool guard_trusts_owner(uint32_t store_flags, const struct stat *file) {
    return store_flags & VQEMU_STORE_ALLOW_OTHERS || trusted_own(file->st_uid);
}

bool guard_trusts_file(uint32_t store_flags, const struct stat *file) {
    return guard_trusts_owner(store_flags, file) &&
           (store_flags & VQEMU_STORE_ALLOW_OTHERS || !trusted_others_write(file));
}

int guard_refuse_file(const struct stat *file, const char *path, vqemu_error **error) {
    int r = trusted_own(file->st_uid)
                ? error_set(error, VQEMU_ERR_REFUSED, 0,
                            "%s may write to %s of the store, and could have programs of their "
                            "own run from it; take that right away, or allow it when the store is "
                            "opened",
                            others(file), path)
                : error_set(error, VQEMU_ERR_REFUSED, 0,
                            "%s of the store belongs to user %u, who could change it and have "
                            "programs of his own run from it; give it to root or to yourself "
                            "(chown), or allow it when the store is opened",
                            path, (unsigned)file->st_uid);
    return error_because(r, error, "untrusted-store", VQEMU_DETAIL_PATH, path, NULL);
}

int guard_check_file(uint32_t store_flags, const struct stat *file, const char *path,
                     vqemu_error **error) {
    return guard_trusts_file(store_flags, file) ? 0 : guard_refuse_file(file, path, error);
}
