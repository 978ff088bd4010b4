/* SPDX-License-Identifier: MIT */
#include "qemu/pid-file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/fd.h"
#include "util/path.h"
#include "util/strbuf.h"

int pid_file_is_locked(int fd, pid_t *pid) {
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(fd, F_OFD_GETLK, &lock) < 0)
        return -errno;
    *pid = lock.l_pid;
    return lock.l_type != F_UNLCK;
}

int pid_file_is_locked_beside(const char *socket_path, pid_t *pid) {
    int length = (int)(base_name(socket_path) - socket_path);
    _cleanup_free_ char *path = format_string("%.*s" PID_FILE_NAME, length, socket_path);
    if (!path)
        return -ENOMEM;
    _cleanup_close_ int fd =
        open_at(AT_FDCWD, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0);
    if (fd == -ENOENT || fd == -ENOTDIR)
        return 0;
    return fd < 0 ? fd : pid_file_is_locked(fd, pid);
}
