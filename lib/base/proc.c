/* SPDX-License-Identifier: MIT */
#include "base/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/error.h"
#include "util/fd.h"

#define MAPS_MAX ((size_t)64 << 20)
#define ARGUMENTS_MAX ((size_t)4 << 20)
/* The first PID namespace has this inode number in every kernel (PROC_PID_INIT_INO). */
#define FIRST_PID_NAMESPACE "pid:[4026531836]"
#define KERNEL_THREAD 0x00200000 /* PF_KTHREAD of /proc/PID/stat */

int proc_open(int *fd, vqemu_error **error) {
    struct statfs status;
    _cleanup_close_ int opened = open_at(AT_FDCWD, "/proc", O_RDONLY | O_DIRECTORY, 0);
    int r = opened < 0 ? opened : fstatfs(opened, &status) < 0 ? -errno : 0;
    if (r == 0 && status.f_type == PROC_SUPER_MAGIC) {
        *fd = take_fd(&opened);
        return 0;
    }
    r = error_set(error, VQEMU_ERR_SYSTEM, -r,
                  "/proc is not the kernel's (procfs), so that the processes that use the store "
                  "cannot be found");
    return error_because(r, error, "no-proc", VQEMU_DETAIL_PATH, "/proc", NULL);
}

int proc_open_process(int proc_fd, pid_t pid) {
    char name[16];
    snprintf(name, sizeof name, "%d", (int)pid);
    return open_at(proc_fd, name, O_RDONLY | O_DIRECTORY, 0);
}

/* A filter of system calls that is older than statx(2) refuses it: then the server is asked. */
int proc_look_at(int directory_fd, const char *name, struct stat *status) {
    struct statx known;
    if (statx(directory_fd, name, AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, STATX_TYPE | STATX_INO,
              &known) == 0) {
        *status = (struct stat){
            .st_mode = known.stx_mode,
            .st_dev = makedev(known.stx_dev_major, known.stx_dev_minor),
            .st_ino = (ino_t)known.stx_ino,
        };
        return 0;
    }
    if (errno != EPERM && errno != ENOSYS && errno != EINVAL) /* the last by libc, in its place */
        return -errno;
    return fstatat(directory_fd, name, status, AT_NO_AUTOMOUNT) < 0 ? -errno : 0;
}

/* As text, "" if it cannot be read. Returns 0 or a negative errno. */
static int read_start(int process_fd, const char *name, char *buffer, size_t size) {
    _cleanup_close_ int fd = open_at(process_fd, name, O_RDONLY, 0);
    ssize_t n = fd < 0 ? fd : read_some(fd, buffer, size - 1);
    int r = n < 0 ? (int)n : 0;
    buffer[n > 0 ? n : 0] = '\0';
    return r;
}

void proc_read_command(int process_fd, char command[PROC_COMMAND_SIZE]) {
    char text[PROC_COMMAND_SIZE + 1];
    read_start(process_fd, "comm", text, sizeof text);
    text[strcspn(text, "\n")] = '\0';
    memcpy(command, text, PROC_COMMAND_SIZE - 1);
    command[PROC_COMMAND_SIZE - 1] = '\0';
}

int proc_read_arguments(int process_fd, char **arguments, size_t *size) {
    _cleanup_close_ int fd = open_at(process_fd, "cmdline", O_RDONLY, 0);
    *arguments = NULL;
    *size = 0;
    int r = fd < 0 ? fd : read_all(fd, ARGUMENTS_MAX, arguments, size);
    return r == -ENOMEM ? r : 0;
}

int proc_read_maps(int process_fd, char **maps) {
    _cleanup_close_ int fd = open_at(process_fd, "maps", O_RDONLY, 0);
    size_t size;
    *maps = NULL;
    return fd < 0 ? fd : read_all(fd, MAPS_MAX, maps, &size);
}

/* "123 (any name) S 1 ...": the state, and the flags five fields on (proc(5)). */
bool proc_is_hollow(int process_fd) {
    char text[512], state;
    unsigned flags;
    int r = read_start(process_fd, "stat", text, sizeof text);
    if (r == -ENOENT || r == -ESRCH) /* of a process that has been waited for */
        return true;
    const char *rest = strrchr(text, ')');
    if (!rest || sscanf(rest, ") %c %*d %*d %*d %*d %*d %u", &state, &flags) != 2)
        return false;
    return state == 'Z' || state == 'X' || flags & KERNEL_THREAD;
}

bool proc_hides_processes(int proc_fd) {
    char name[64];
    ssize_t length = readlinkat(proc_fd, "self/ns/pid", name, sizeof name - 1);
    name[length > 0 ? length : 0] = '\0';
    return strcmp(name, FIRST_PID_NAMESPACE) != 0 || faccessat(proc_fd, "1", F_OK, 0) < 0;
}
