/* SPDX-License-Identifier: MIT */
#include "base/lock-holder.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "util/cleanup.h"
#include "util/fd.h"
#include "util/strbuf.h"

#define LOCKS_MAX ((size_t)4 << 20)

static char *read_proc(const char *path, size_t limit) {
    char *text = NULL;
    size_t size;
    _cleanup_close_ int fd = open_at(AT_FDCWD, path, O_RDONLY, 0);
    return fd >= 0 && read_all(fd, limit, &text, &size) == 0 ? text : NULL;
}

/* "1: FLOCK  ADVISORY  WRITE 1234 08:02:5678 0 EOF" (proc(5)); 0 for another lock. */
static int holder_in_line(const char *line, const struct stat *file) {
    int pid;
    unsigned device_major, device_minor;
    unsigned long long inode;
    /* "1: -> FLOCK" waits for the lock. */
    if (sscanf(line, "%*d: FLOCK %*s %*s %d %x:%x:%llu", &pid, &device_major, &device_minor,
               &inode) != 4)
        return 0;
    bool same = device_major == major(file->st_dev) && device_minor == minor(file->st_dev) &&
                inode == file->st_ino;
    return same && pid > 0 ? pid : 0;
}

char *lock_describe_holder(int fd) {
    struct stat file;
    _cleanup_free_ char *locks = fstat(fd, &file) == 0 ? read_proc("/proc/locks", LOCKS_MAX) : NULL;
    int pid = 0;
    char *rest = NULL;
    for (char *line = locks ? strtok_r(locks, "\n", &rest) : NULL; line && pid == 0;
         line = strtok_r(NULL, "\n", &rest))
        pid = holder_in_line(line, &file);
    if (pid == 0)
        return NULL;
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/comm", pid);
    _cleanup_free_ char *name = read_proc(path, 4096);
    if (!name)
        return format_string("process %d", pid);
    name[strcspn(name, "\n")] = '\0';
    return format_string("process %d (%s)", pid, name);
}
