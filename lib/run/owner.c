/* SPDX-License-Identifier: MIT */
#include "run/owner.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/trusted.h"
#include "util/cleanup.h"

#define RECORD_SIZE_MAX ((size_t)1024 * 1024)

/* Look a user up with a buffer that is made larger until the record fits. Returns 1, 0 if there is
 * no such user, or a negative errno. */
static int look_up(const char *name, uid_t uid, bool by_name, struct owner *owner) {
    for (size_t size = 1024; size <= RECORD_SIZE_MAX; size *= 2) {
        _cleanup_free_ char *buffer = malloc(size);
        struct passwd record, *found = NULL;
        if (!buffer)
            return -ENOMEM;
        int code = by_name ? getpwnam_r(name, &record, buffer, size, &found)
                           : getpwuid_r(uid, &record, buffer, size, &found);
        if (code == ERANGE)
            continue;
        if (found) {
            owner->uid = found->pw_uid;
            owner->gid = found->pw_gid;
        }
        return found ? 1 : -(code == ENOENT ? 0 : code);
    }
    return -ERANGE;
}

static int find_user(const char *user, struct owner *owner, vqemu_error **error) {
    char *end;
    unsigned long number = strtoul(user, &end, 10);
    bool by_name = *end != '\0';
    if (!by_name && (number > UINT32_MAX - 1))
        return error_set(error, VQEMU_ERR_INVALID, 0, "user: %s is no number of a user", user);
    if (!by_name && (uid_t)number == owner->uid) /* whom nothing is given, nor to the group */
        return 0;
    if (!by_name) {
        owner->uid = (uid_t)number;
        owner->gid = (gid_t)number;
    }
    int r = look_up(user, (uid_t)number, by_name, owner);
    if (r < 0)
        return error_system(error, -r, "user: cannot look up \"%s\"", user);
    if (r == 0 && by_name)
        return error_because(
            error_set(error, VQEMU_ERR_NOT_FOUND, 0, "user: this host has no user \"%s\"", user),
            error, "no-such-user", VQEMU_DETAIL_KEY, "user", VQEMU_DETAIL_VALUE, user, NULL);
    return 0;
}

int owner_find(const char *user, struct owner *owner, vqemu_error **error) {
    owner->is_user = user != NULL;
    owner->uid = geteuid();
    owner->gid = getegid();
    return user ? find_user(user, owner, error) : 0;
}

int owner_check(const struct owner *owner, const struct stat *status, const char *path,
                vqemu_error **error) {
    if (trusted_owner(status->st_uid, owner->uid))
        return 0;
    bool is_directory = S_ISDIR(status->st_mode);
    return error_because(
        error_set(error, VQEMU_ERR_REFUSED, 0,
                  "%s belongs to user %ju, who is neither you nor the user of the "
                  "VM: choose another %s, or, if %s this VM's alone, give it to "
                  "the VM's user (chown%s)",
                  path, (uintmax_t)status->st_uid, is_directory ? "directory" : "file",
                  is_directory ? "all that is in it is" : "it is", is_directory ? " -R" : ""),
        error, "wrong-owner", VQEMU_DETAIL_PATH, path, NULL);
}

/* ---- giving ---- */

int owner_refuse(const struct owner *owner, const struct stat *status, const char *path,
                 vqemu_error **error) {
    bool is_directory = S_ISDIR(status->st_mode);
    return error_because(
        error_set(error, VQEMU_ERR_REFUSED, 0,
                  "%s belongs to user %ju, and %s, so it is not given to user %ju, as whom the VM "
                  "runs: choose another %s, or, if %s this VM's alone, give it to that user "
                  "yourself (chown%s)",
                  path, (uintmax_t)status->st_uid,
                  is_directory ? "has files in it that are not known to be this VM's"
                               : "nothing says that it is this VM's",
                  (uintmax_t)owner->uid, is_directory ? "directory" : "file",
                  is_directory ? "all that is in it is" : "it is", is_directory ? " -R" : ""),
        error, "not-the-vms", VQEMU_DETAIL_PATH, path, NULL);
}

int owner_give(const struct owner *owner, int fd, const struct stat *status, bool is_vms,
               const char *path, vqemu_error **error) {
    int r = owner_check(owner, status, path, error);
    if (r < 0 || !owner->is_user || status->st_uid == owner->uid)
        return r;
    if (!is_vms)
        return owner_refuse(owner, status, path, error);
    if (S_ISREG(status->st_mode) && status->st_nlink > 1)
        return error_because(error_set(error, VQEMU_ERR_REFUSED, 0,
                                       "%s has another name, and is not given to the user that the "
                                       "VM runs as",
                                       path),
                             error, "hard-link", VQEMU_DETAIL_PATH, path, NULL);
    if (fchownat(fd, "", owner->uid, owner->gid, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW) == 0)
        return 0;
    return error_system_at(error, errno, "cannot chown to the VM's user", "%s", path);
}
