/* SPDX-License-Identifier: MIT */
#include "store/marker.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "util/cleanup.h"
#include "util/fd.h"

int marker_make(int directory_fd, const char *name) {
    _cleanup_close_ int fd =
        create_at(directory_fd, name, O_WRONLY | O_NOFOLLOW | O_NONBLOCK, 0644);
    if (fd < 0)
        return fd;
    int r = fchmod(fd, 0644) < 0 && errno != EPERM ? -errno : sync_fd(fd);
    if (r == 0)
        r = sync_fd(directory_fd);
    return r == 0 ? sync_path(directory_fd, "..") : r;
}
