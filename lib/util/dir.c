/* SPDX-License-Identifier: MIT */
#include "util/dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/fd.h"

static int visit_entries(DIR *directory, entry_fn function, void *userdata) {
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(directory);
        if (!entry)
            return -errno;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        int r = function(dirfd(directory), entry->d_name, userdata);
        if (r != 0)
            return r;
    }
}

int for_each_entry(int directory_fd, const char *path, entry_fn function, void *userdata) {
    _cleanup_close_ int fd = open_at(directory_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    DIR *directory = fd < 0 ? NULL : fdopendir(fd);
    if (!directory)
        return fd < 0 ? fd : -errno;
    take_fd(&fd); /* closed with the directory */
    int r = visit_entries(directory, function, userdata);
    closedir(directory);
    return r;
}

static int remove_entry(int directory_fd, const char *name, void *unused) {
    (void)unused;
    return remove_tree(directory_fd, name);
}

int remove_tree(int directory_fd, const char *name) {
    if (unlinkat(directory_fd, name, 0) == 0 || errno == ENOENT)
        return 0;
    if (errno != EISDIR && errno != EPERM)
        return -errno;
    int r = for_each_entry(directory_fd, name, remove_entry, NULL);
    if (r == -ENOTDIR) /* a file that may not be removed */
        return -EPERM;
    if (r < 0)
        return r == -ENOENT ? 0 : r;
    return unlinkat(directory_fd, name, AT_REMOVEDIR) < 0 && errno != ENOENT ? -errno : 0;
}
