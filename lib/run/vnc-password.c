/* SPDX-License-Identifier: MIT */
#include "run/vnc-password.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "util/cleanup.h"
#include "util/fd.h"

#define PASSWORD_LENGTH 8 /* RFC 6143, 7.2.2 */

/* Only what is a file: a pipe that is read has nothing left for QEMU. */
static int check_status(int fd, const char *path, const struct owner *owner, vqemu_error **error) {
    struct stat status;
    if (fstat(fd, &status) < 0)
        return error_system_at(error, errno, "vnc_password_file: cannot look at", "%s", path);
    if (!S_ISREG(status.st_mode))
        return error_set(error, VQEMU_ERR_INVALID, 0, "vnc_password_file: %s is no regular file",
                         path);
    if (status.st_mode & S_IRWXO)
        return error_because(error_set(error, VQEMU_ERR_REFUSED, 0,
                                       "vnc_password_file: everybody can open %s: chmod o= it",
                                       path),
                             error, "readable-by-all", NULL);
    int r = owner_check(owner, &status, path, error);
    return r < 0 ? error_prefix(r, error, "vnc_password_file: ") : 0;
}

static int check_content(int fd, const char *path, vqemu_error **error) {
    char password[PASSWORD_LENGTH];
    ssize_t size = read_some_at(fd, password, sizeof password, 0);
    if (size < 0)
        return error_system_at(error, (int)-size, "vnc_password_file: cannot read", "%s", path);
    if (size == 0)
        return error_set(error, VQEMU_ERR_INVALID, 0, "vnc_password_file: %s is empty", path);
    if (!memchr(password, '\n', (size_t)size))
        return 0;
    return error_set(error, VQEMU_ERR_INVALID, 0,
                     "vnc_password_file: %s has a newline, which would be part of the password; "
                     "write it without (printf %%s)",
                     path);
}

static int check(const char *path, const struct owner *owner, vqemu_error **error) {
    _cleanup_close_ int fd = open_at(AT_FDCWD, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
    if (fd < 0)
        return error_system_at(error, -fd, "vnc_password_file: cannot open", "%s", path);
    int r = check_status(fd, path, owner, error);
    return r < 0 ? r : check_content(fd, path, error);
}

int vnc_password_check(const char *path, const struct owner *owner, vqemu_error **error) {
    int r = check(path, owner, error);
    return r < 0 ? error_because(r, error, NULL, VQEMU_DETAIL_KEY, "vnc_password_file",
                                 VQEMU_DETAIL_PATH, path, NULL)
                 : 0;
}
