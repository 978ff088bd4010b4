/* SPDX-License-Identifier: MIT */
#include "run/running.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/proc.h"
#include "command/command.h"
#include "qemu/pid-file.h"
#include "util/cleanup.h"
#include "util/fd.h"
#include "util/strbuf.h"

/* Its command's name, or "" if that cannot be told. */
static void read_command(pid_t pid, char command[PROC_COMMAND_SIZE]) {
    _cleanup_close_ int proc_fd = -1, process_fd = -1;
    *command = '\0';
    if (proc_open(&proc_fd, NULL) == 0 && (process_fd = proc_open_process(proc_fd, pid)) >= 0)
        proc_read_command(process_fd, command);
}

/* The kernel tells who has a lock, but not if that is in another PID namespace. */
static int refuse_running(const vqemu_command *command, const char *path, pid_t pid,
                          vqemu_error **error) {
    const char *name = vqemu_command_vm_name(command);
    char program[PROC_COMMAND_SIZE] = "";
    if (pid <= 0)
        return error_because(error_set(error, VQEMU_ERR_BUSY, 0,
                                       "the VM \"%s\" runs already: a process has locked %s; stop "
                                       "it first",
                                       name, path),
                             error, "runs-already", VQEMU_DETAIL_VM, name, VQEMU_DETAIL_PATH, path,
                             NULL);
    _cleanup_free_ char *process = format_string("%d", (int)pid);
    if (!process)
        return error_no_memory(error);
    read_command(pid, program);
    int r = error_set(error, VQEMU_ERR_BUSY, 0,
                      "the VM \"%s\" runs already: process %s%s%s%s has locked %s; stop it first",
                      name, process, *program ? " (" : "", program, *program ? ")" : "", path);
    return error_because(r, error, "runs-already", VQEMU_DETAIL_VM, name, VQEMU_DETAIL_PROCESS,
                         process, VQEMU_DETAIL_PROCESS_NAME, *program ? program : NULL,
                         VQEMU_DETAIL_PATH, path, NULL);
}

static int check_lock(const vqemu_command *command, const char *path, int fd, vqemu_error **error) {
    pid_t pid;
    int r = pid_file_is_locked(fd, &pid);
    if (r < 0)
        return error_system_at(error, -r, "cannot look at the locks of", "%s", path);
    return r == 0 ? 0 : refuse_running(command, path, pid, error);
}

/* Locked meanwhile, so that a QEMU that starts just now does not go on without it. */
static int remove_stale(const vqemu_command *command, const char *path, int directory_fd,
                        vqemu_error **error) {
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    _cleanup_close_ int fd =
        open_at(directory_fd, PID_FILE_NAME, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0);
    if (fd == -ENOENT)
        return 0;
    if (fd >= 0 && fcntl(fd, F_OFD_SETLK, &lock) < 0)
        return errno == EAGAIN || errno == EACCES
                   ? check_lock(command, path, fd, error)
                   : error_system_at(error, errno, "cannot lock", "%s", path);
    if (fd < 0 || unlinkat(directory_fd, PID_FILE_NAME, 0) < 0)
        return error_system_at(error, fd < 0 ? -fd : errno,
                               "cannot remove what another user's QEMU has left,", "%s", path);
    return 0;
}

int running_check(const vqemu_command *command, const struct owner *owner, int directory_fd,
                  vqemu_error **error) {
    struct stat status;
    _cleanup_free_ char *path =
        format_string("%s/" PID_FILE_NAME, vqemu_command_runtime_dir(command));
    if (!path)
        return error_no_memory(error);
    _cleanup_close_ int fd =
        open_at(directory_fd, PID_FILE_NAME, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0);
    if (fd == -ENOENT)
        return 0;
    if (fd < 0 && fd != -ELOOP)
        return error_system_at(error, -fd, "cannot tell whether the VM runs: cannot open", "%s",
                               path);
    if (fd >= 0 && fstat(fd, &status) < 0)
        return error_system_at(error, errno, "cannot look at", "%s", path);
    if (fd < 0 || !S_ISREG(status.st_mode))
        return error_because(
            error_set(error, VQEMU_ERR_INVALID, 0, "%s is no regular file: remove it", path), error,
            NULL, VQEMU_DETAIL_PATH, path, NULL);
    int r = check_lock(command, path, fd, error);
    return r == 0 && status.st_uid != owner->uid ? remove_stale(command, path, directory_fd, error)
                                                 : r;
}
