/* SPDX-License-Identifier: MIT */
#include "run/vm-files.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/error.h"
#include "command/command.h"
#include "run/qcow2-check.h"

/* Not in all versions of linux/magic.h. */
#define CIFS_MAGIC 0xFF534D42
#define SMB2_MAGIC 0xFE534D42
#define CEPH_MAGIC 0x00C36400

bool vm_files_is_log(const char *key) {
    return strcmp(key, "console_path") == 0 || strcmp(key, "console_log") == 0;
}

/* What prepare makes, or looks at more closely. */
static bool is_prepared(const char *key) {
    return vm_files_is_log(key) || strcmp(key, "nvram") == 0 || strcmp(key, "tpm_state") == 0 ||
           strcmp(key, "vnc_password_file") == 0;
}

static bool is_share(const char *key) {
    return strcmp(key, "rootfs") == 0 || strncmp(key, "shares[", strlen("shares[")) == 0;
}

/* A program beside QEMU, and as another user, opens it. */
static bool is_companions(const struct resources *resources, const char *path) {
    for (size_t i = 0; i < resources->companion_count; i++)
        if (strcmp(resources->companions[i].directory, path) == 0)
            return true;
    return false;
}

static bool is_program(const struct file_use *file) {
    return file->access == VQEMU_FILE_EXECUTE;
}

/* A program beside QEMU that somebody has started already, from wherever it is. */
static bool is_served(const struct resources *resources, const char *program) {
    bool is_one = false;
    for (size_t i = 0; i < resources->companion_count; i++) {
        const struct companion *companion = &resources->companions[i];
        struct stat status;
        if (strcmp(companion->program, program) != 0)
            continue;
        if (stat(companion->socket, &status) < 0 || !S_ISSOCK(status.st_mode))
            return false;
        is_one = true;
    }
    return is_one;
}

static int about(const struct file_use *file, int code, const char *reason, vqemu_error **error) {
    return error_because(code, error, reason, VQEMU_DETAIL_KEY, file->key, VQEMU_DETAIL_PATH,
                         file->path, NULL);
}

/* QEMU copies these into memory as a whole. */
static bool is_loaded(const char *key) {
    return strcmp(key, "kernel") == 0 || strcmp(key, "initrd") == 0;
}

/* What is wrong with the type of a file; NULL if it is good. From a FIFO, QEMU would wait for data
 * before it answers anybody. */
static const char *wrong_type(const struct file_use *file, mode_t mode) {
    if (is_share(file->key))
        return S_ISDIR(mode) ? NULL : "no directory";
    if (S_ISDIR(mode))
        return "a directory";
    if (S_ISFIFO(mode) || S_ISSOCK(mode))
        return S_ISFIFO(mode) ? "a FIFO, and no file" : "a socket, and no file";
    return is_loaded(file->key) && !S_ISREG(mode) ? "a device, and no file" : NULL;
}

static int check_kind(const struct file_use *file, const struct stat *status, vqemu_error **error) {
    const char *wrong = wrong_type(file, status->st_mode);
    if (!wrong)
        return 0;
    return about(
        file, error_set(error, VQEMU_ERR_INVALID, 0, "%s: %s is %s", file->key, file->path, wrong),
        NULL, error);
}

/* ---- who may open it ---- */

/* There the server, or another program, decides. */
static bool has_modes_of_others(const char *path) {
    static const uint32_t foreign[] = {FUSE_SUPER_MAGIC, NFS_SUPER_MAGIC, V9FS_MAGIC,
                                       AFS_SUPER_MAGIC,  CIFS_MAGIC,      SMB2_MAGIC,
                                       CEPH_MAGIC};
    struct statfs status;
    if (statfs(path, &status) < 0)
        return true;
    for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++)
        if ((uint32_t)status.f_type == foreign[i])
            return true;
    return false;
}

/* The rights, as those of others (S_IROTH), that a user has not got, whatever his groups are. An
 * access control list grants no more than the bits of the group say (acl(5)). */
static mode_t missing_rights(const struct stat *status, uid_t uid, mode_t wanted) {
    if (uid == 0)
        return 0;
    if (status->st_uid == uid)
        return wanted & ~(status->st_mode >> 6);
    return wanted & ~(status->st_mode >> 3) & ~status->st_mode;
}

static const char *deed(const struct file_use *file, bool writes) {
    return is_program(file) ? "execute" : writes ? "write" : "read";
}

static int check_of_other(const struct file_use *file, const struct stat *status, uid_t uid,
                          vqemu_error **error) {
    mode_t wanted = is_program(file) ? S_IXOTH
                                     : S_IROTH | (file->access & VQEMU_FILE_WRITE ? S_IWOTH : 0) |
                                           (S_ISDIR(status->st_mode) ? S_IXOTH : 0);
    mode_t missing = missing_rights(status, uid, wanted);
    if (missing == 0 || has_modes_of_others(file->path))
        return 0;
    int r = error_set(error, VQEMU_ERR_SYSTEM, EACCES,
                      "%s: the VM's user %ju cannot %s %s, which belongs to user %ju and has mode "
                      "%04o: give it to that user (chown)",
                      file->key, (uintmax_t)uid, deed(file, !(missing & S_IROTH)), file->path,
                      (uintmax_t)status->st_uid, (unsigned)(status->st_mode & 07777));
    return about(file, r, "no-access", error);
}

/* What the kernel says of the caller is exact; what else it may answer does not concern the file.
 */
static int check_own(const struct file_use *file, vqemu_error **error) {
    bool writes = file->access & VQEMU_FILE_WRITE;
    int wanted = is_program(file) ? X_OK : R_OK | (writes ? W_OK : 0);
    if (faccessat(AT_FDCWD, file->path, wanted, AT_EACCESS) == 0 ||
        (errno != EACCES && errno != EROFS))
        return 0;
    return about(
        file,
        error_system(error, errno, "%s: cannot %s %s", file->key, deed(file, writes), file->path),
        "no-access", error);
}

/* ---- all of them ---- */

static int check(const struct file_use *file, const struct owner *owner, bool is_companions_own,
                 vqemu_error **error) {
    struct stat status;
    bool is_caller = owner->uid == geteuid();
    if (stat(file->path, &status) < 0) {
        if (errno == EACCES && !is_caller && !file->qcow2) /* its user may see more */
            return 0;
        return about(file, error_system(error, errno, "%s: %s", file->key, file->path), NULL,
                     error);
    }
    int r = check_kind(file, &status, error);
    if (r < 0 || is_companions_own)
        return r;
    r = is_caller ? check_own(file, error) : check_of_other(file, &status, owner->uid, error);
    return r == 0 && file->qcow2 ? qcow2_check(file, error) : r;
}

int vm_files_check(const vqemu_command *command, const struct owner *owner, vqemu_error **error) {
    const struct resources *resources = command_resources(command);
    int r = 0;
    for (size_t i = 0; r == 0 && i < resources->file_count; i++) {
        const struct file_use *file = &resources->files[i];
        bool is_started = is_program(file) && is_served(resources, file->path);
        if (file->key && !is_prepared(file->key) && !is_started)
            r = check(file, owner, is_companions(resources, file->path), error);
    }
    for (size_t i = 0; r == 0 && i < resources->fd_count; i++)
        if (resources->fds[i].qcow2 && !resources->fds[i].name)
            r = qcow2_check_fd(&resources->fds[i], error);
    return r;
}
