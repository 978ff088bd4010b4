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

static int read_proc(const char *path, size_t limit, char **text) {
    size_t size;
    _cleanup_close_ int fd = open_at(AT_FDCWD, path, O_RDONLY, 0);
    *text = NULL;
    return fd < 0 ? fd : read_all(fd, limit, text, &size);
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

int lock_find_holders(const struct stat *file, pid_t *holders, int max) {
    _cleanup_free_ char *locks = NULL;
    int r = read_proc("/proc/locks", LOCKS_MAX, &locks), count = 0;
    char *rest = NULL;
    if (r < 0)
        return r == -ENOMEM ? r : 0;
    for (char *line = strtok_r(locks, "\n", &rest); line && count < max;
         line = strtok_r(NULL, "\n", &rest)) {
        int pid = holder_in_line(line, file);
        if (pid > 0)
            holders[count++] = pid;
    }
    return count;
}

char *lock_describe_holder(int fd) {
    struct stat file;
    pid_t pid;
    char path[64];
    _cleanup_free_ char *name = NULL;
    if (fstat(fd, &file) < 0 || lock_find_holders(&file, &pid, 1) != 1)
        return NULL;
    snprintf(path, sizeof path, "/proc/%d/comm", pid);
    if (read_proc(path, 4096, &name) < 0)
        return format_string("process %d", pid);
    name[strcspn(name, "\n")] = '\0';
    return format_string("process %d (%s)", pid, name);
}
