/* SPDX-License-Identifier: MIT */
#include "store/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/trusted.h"
#include "util/cleanup.h"
#include "util/path.h"

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

bool guard_trusts(const struct stat *directory) {
    return trusted_own(directory->st_uid) && !trusted_others_write(directory);
}

int guard_check(const struct stat *directory, const char *path, vqemu_error **error) {
    if (!trusted_own(directory->st_uid))
        return refuse_owner(directory, path, error);
    return trusted_others_write(directory) ? refuse_mode(directory, path, error) : 0;
}

bool guard_trusts_above(const struct stat *directory) {
    return trusted_own(directory->st_uid) &&
           (!trusted_others_write(directory) || directory->st_mode & S_ISVTX);
}

int guard_check_above(const struct stat *directory, const char *path, vqemu_error **error) {
    return guard_trusts_above(directory) ? 0 : guard_check(directory, path, error);
}

/* ---- where a directory lies ---- */

/* Where a directory lies: as its path says, unless that is a link. */
static char *name_above(const char *path, const struct stat *above) {
    size_t length = (size_t)(base_name(path) - path);
    char *plain = strndup(path, length > 1 ? length - 1 : length);
    struct stat named;
    if (!plain || (fstatat(AT_FDCWD, plain, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
                   named.st_dev == above->st_dev && named.st_ino == above->st_ino))
        return plain;
    free(plain);
    return join_path(path, "..");
}

int guard_check_containing(const struct stat *above, const char *path, vqemu_error **error) {
    if (guard_trusts_above(above))
        return 0;
    _cleanup_free_ char *name = name_above(path, above);
    return name ? guard_check_above(above, name, error) : error_no_memory(error);
}

static int check_link(int base_fd, const char *name, const char *path, vqemu_error **error) {
    struct stat link, above;
    size_t length = (size_t)(base_name(name) - name);
    _cleanup_free_ char *directory = length > 0 ? strndup(name, length) : strdup(".");
    if (!directory)
        return error_no_memory(error);
    if (fstatat(base_fd, name, &link, AT_SYMLINK_NOFOLLOW) < 0 ||
        fstatat(base_fd, directory, &above, 0) < 0)
        return error_system_at(error, errno, "cannot look at the link", "%s", path);
    return trusted_own(link.st_uid) ? guard_check_containing(&above, path, error)
                                    : refuse_owner(&link, path, error);
}

int guard_check_place(int fd, const struct stat *directory, const char *path, int base_fd,
                      const char *link, vqemu_error **error) {
    struct stat above;
    int r = guard_check(directory, path, error);
    if (r < 0)
        return r;
    if (fstatat(fd, "..", &above, 0) < 0)
        return error_system_at(error, errno, "cannot look at", "%s/..", path);
    r = guard_check_containing(&above, path, error);
    return r == 0 && link ? check_link(base_fd, link, path, error) : r;
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
