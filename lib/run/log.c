/* SPDX-License-Identifier: MIT */
#include "run/log.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/call.h"
#include "base/error.h"
#include "run/directory.h"
#include "util/cleanup.h"
#include "util/fd.h"
#include "util/path.h"

/* A log, and its directory. */
struct log {
    const struct owner *owner;
    const char *path, *name;
    int directory_fd;
    bool is_vms;
    vqemu_call *call;
};

static int make(const struct log *log, vqemu_error **error) {
    const struct owner *owner = log->owner;
    _cleanup_close_ int fd =
        open_at(log->directory_fd, log->name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
    bool is_to_give = owner->is_user && owner->uid != geteuid();
    struct stat status;
    if (fd < 0 || fchmod(fd, 0600) < 0 || (is_to_give && fchown(fd, owner->uid, owner->gid) < 0) ||
        fstat(fd, &status) < 0)
        return error_system_at(error, fd < 0 ? -fd : errno, "cannot make", "%s", log->path);
    if (!(status.st_mode & 077))
        return 0;
    unlinkat(log->directory_fd, log->name, 0);
    return directory_refuse_modes(log->path, error);
}

/* QEMU follows a link, which root or the caller may have made, as /dev/stdout is one. */
static int check_link(const struct log *log, const struct stat *status, vqemu_error **error) {
    if (status->st_uid == 0 || status->st_uid == geteuid())
        return 0;
    return error_because(error_set(error, VQEMU_ERR_REFUSED, 0,
                                   "%s is a symbolic link that another user has made; give the "
                                   "path that it leads to",
                                   log->path),
                         error, "symbolic-link", VQEMU_DETAIL_PATH, log->path, NULL);
}

/* Not opened to see whether somebody reads: closing it again would be the end for who does. */
static void report_fifo(const struct log *log) {
    call_log(log->call, VQEMU_LOG_WARNING, "log-is-fifo", (struct log_subject){.path = log->path},
             "%s is a FIFO: without somebody who reads from it, QEMU waits before it starts "
             "anything, and answers nobody",
             log->path);
}

static int prepare(const struct log *log, vqemu_error **error) {
    struct stat status;
    _cleanup_close_ int fd = open_at(log->directory_fd, log->name, O_PATH | O_NOFOLLOW, 0);
    if (fd == -ENOENT)
        return make(log, error);
    if (fd < 0 || fstat(fd, &status) < 0)
        return error_system_at(error, fd < 0 ? -fd : errno, "cannot look at", "%s", log->path);
    if (S_ISLNK(status.st_mode))
        return check_link(log, &status, error);
    if (S_ISDIR(status.st_mode) || S_ISSOCK(status.st_mode))
        return error_because(error_set(error, VQEMU_ERR_INVALID, 0, "%s is a %s, and no file",
                                       log->path, S_ISDIR(status.st_mode) ? "directory" : "socket"),
                             error, NULL, VQEMU_DETAIL_PATH, log->path, NULL);
    if (S_ISFIFO(status.st_mode))
        report_fifo(log);
    if (!S_ISREG(status.st_mode))
        return 0;
    return log->is_vms ? owner_give(log->owner, fd, &status, true, log->path, error)
                       : owner_check(log->owner, &status, log->path, error);
}

int log_prepare(const struct owner *owner, const char *path, vqemu_call *call,
                vqemu_error **error) {
    const char *name = base_name(path);
    size_t length = (size_t)(name - path);
    struct log log = {.owner = owner, .path = path, .name = name, .directory_fd = -1, .call = call};
    _cleanup_free_ char *directory = strndup(path, length > 1 ? length - 1 : length);
    if (!directory)
        return error_no_memory(error);
    int r = directory_prepare(owner, directory, DIRECTORY_SHARED, call, &log.directory_fd,
                              &log.is_vms, error);
    if (r == 0)
        r = prepare(&log, error);
    cleanup_close(&log.directory_fd);
    return r;
}
