/* SPDX-License-Identifier: MIT */
/* What a command needs on disk before it is executed. */
#include <volt-qemu/prepare.h>

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/call.h"
#include "base/error.h"
#include "base/trusted.h"
#include "command/command.h"
#include "run/nvram.h"
#include "run/vnc-password.h"
#include "store/owner.h"
#include "util/export.h"
#include "util/path.h"
#include "util/strbuf.h"

static_assert((int)NVRAM_KEEP_VARIABLES == (int)VQEMU_PREPARE_KEEP_VARIABLES &&
                  (int)NVRAM_RESET_VARIABLES == (int)VQEMU_PREPARE_RESET_VARIABLES,
              "the flags are handed on");

static bool is_below(const char *path, const char *directory) {
    size_t length = strlen(directory);
    return strncmp(path, directory, length) == 0 && path[length] == '/';
}

static bool any_below(const struct strv *paths, const char *directory) {
    for (size_t i = 0; i < paths->count; i++)
        if (is_below(paths->items[i], directory))
            return true;
    return false;
}

/* Whether QEMU, or a program beside it, makes or opens something in a directory of the VM's. */
static bool is_used(const vqemu_command *command, const char *directory) {
    const struct resources *resources = command_resources(command);
    for (size_t i = 0; i < resources->companion_count; i++)
        if (is_below(resources->companions[i].directory, directory))
            return true;
    return any_below(&resources->writes, directory) || any_below(&resources->sockets, directory) ||
           any_below(&resources->connects, directory);
}

/* The directory of the TPM's state; NULL if the VM has none. */
static const char *tpm_directory(const vqemu_command *command) {
    const struct resources *resources = command_resources(command);
    for (size_t i = 0; i < resources->companion_count; i++)
        if (resources->companions[i].kind == COMPANION_SWTPM)
            return resources->companions[i].directory;
    return NULL;
}

static int check_flags(uint32_t flags, vqemu_error **error) {
    const uint32_t both = VQEMU_PREPARE_KEEP_VARIABLES | VQEMU_PREPARE_RESET_VARIABLES;
    if (flags == both)
        return error_set(error, VQEMU_ERR_USAGE, 0,
                         "UEFI variables cannot be both kept and started anew");
    return 0;
}

/* ---- directories ---- */

struct preparation {
    const vqemu_command *command;
    bool has_owner;
    struct owner owner; /* whom the VM's files are for, other than the caller */
};

static int refuse(int code, const char *reason, const char *path, vqemu_error **error) {
    return error_because(code, error, reason, "path", path, NULL);
}

/* Which key of the VM it is about, if it failed. */
static int about(int code, const char *key, vqemu_error **error) {
    if (code == 0 || code == VQEMU_ERR_NO_MEMORY)
        return code;
    return error_because(error_prefix(code, error, "%s: ", key), error, NULL, "key", key, NULL);
}

static bool is_default(const char *directory) {
    return is_below(directory, "/var/lib/volt") || is_below(directory, "/run/volt");
}

static int cannot_make(const char *path, size_t reached, int system_errno, vqemu_error **error) {
    if (system_errno == ELOOP)
        return refuse(error_set(error, VQEMU_ERR_REFUSED, ELOOP,
                                "%.*s is a symbolic link that another user may have made; give the "
                                "path that it leads to",
                                (int)reached, path),
                      "symbolic-link", path, error);
    bool is_refused = system_errno == EACCES || system_errno == EROFS;
    return error_system(error, system_errno, "cannot make the directory %.*s%s", (int)reached, path,
                        is_refused && is_default(path)
                            ? " (set state_dir and runtime_dir to directories of your own)"
                            : "");
}

static int check_directory(const char *path, const struct stat *status, vqemu_error **error) {
    if (S_ISLNK(status->st_mode))
        return refuse(error_set(error, VQEMU_ERR_REFUSED, 0,
                                "%s is a symbolic link; give the path that it leads to", path),
                      "symbolic-link", path, error);
    if (!S_ISDIR(status->st_mode))
        return error_set(error, VQEMU_ERR_INVALID, 0, "%s is no directory", path);
    return 0;
}

/* Only the VM's own user looks into it; directories above are made as usual. */
static int make_private_directory(const struct preparation *preparation, const char *path,
                                  struct stat *status, vqemu_error **error) {
    bool made;
    size_t reached;
    _cleanup_close_ int fd = trusted_make_directory(path, &made, &reached);
    if (fd < 0)
        return cannot_make(path, reached, -fd, error);
    if (fstat(fd, status) < 0)
        return error_system(error, errno, "cannot look at %s", path);
    int r = check_directory(path, status, error);
    if (r == 0 && made && preparation->has_owner)
        r = owner_give(&preparation->owner, path, error);
    return r;
}

/* Who else can write to it decides what QEMU reads from it, and what its sockets lead to. */
static int make_own_directory(const struct preparation *preparation, const char *path,
                              vqemu_error **error) {
    struct stat status;
    int r = make_private_directory(preparation, path, &status, error);
    if (r < 0)
        return r;
    bool is_owned = status.st_uid == 0 || status.st_uid == geteuid() ||
                    (preparation->has_owner && status.st_uid == preparation->owner.uid);
    if (!is_owned)
        return refuse(error_set(error, VQEMU_ERR_REFUSED, 0,
                                "%s belongs to user %ju, who is neither you nor the user of the "
                                "VM: give it to that user with what is in it (chown -R), or choose "
                                "another directory",
                                path, (uintmax_t)status.st_uid),
                      "wrong-owner", path, error);
    if (status.st_mode & S_IWOTH)
        return refuse(error_set(error, VQEMU_ERR_REFUSED, 0,
                                "everybody can write to %s: chmod o-w, or choose another directory",
                                path),
                      "writable-by-all", path, error);
    return 0;
}

static int make_directory_of_nvram(const struct preparation *preparation, vqemu_error **error) {
    const struct nvram *nvram = command_nvram(preparation->command);
    struct stat status;
    _cleanup_free_ char *directory =
        strndup(nvram->path, (size_t)(base_name(nvram->path) - nvram->path));
    return directory ? make_private_directory(preparation, directory, &status, error)
                     : error_no_memory(error);
}

static int make_directories_of(const struct preparation *preparation, vqemu_error **error) {
    const vqemu_command *command = preparation->command;
    const char *state = command->state_dir, *runtime = command->runtime_dir;
    const char *tpm = tpm_directory(command);
    struct stat status;
    int r = 0;
    if (is_used(command, state))
        r = about(make_own_directory(preparation, state, error), "state_dir", error);
    if (r == 0 && is_used(command, runtime))
        r = about(make_own_directory(preparation, runtime, error), "runtime_dir", error);
    if (r == 0 && tpm)
        r = about(make_private_directory(preparation, tpm, &status, error), "tpm_state", error);
    if (r == 0 && command_nvram(command))
        r = about(make_directory_of_nvram(preparation, error), "nvram", error);
    return r;
}

/* What was made belongs to the caller, which is mostly root; QEMU runs as another user. */
static int give_to_user(const struct preparation *preparation, vqemu_error **error) {
    const vqemu_command *command = preparation->command;
    const struct nvram *nvram = command_nvram(command);
    _cleanup_free_ char *record = nvram ? format_string("%s.firmware", nvram->path) : NULL;
    if (nvram && !record)
        return error_no_memory(error);
    const char *state = vqemu_command_state_dir(command);
    const char *runtime = vqemu_command_runtime_dir(command);
    const char *paths[] = {is_used(command, state) ? state : NULL,
                           is_used(command, runtime) ? runtime : NULL, tpm_directory(command),
                           nvram ? nvram->path : NULL, record};
    int r = 0;
    for (size_t i = 0; r == 0 && i < sizeof paths / sizeof *paths; i++)
        r = paths[i] ? owner_give(&preparation->owner, paths[i], error) : 0;
    return r;
}

VQEMU_EXPORT int vqemu_prepare(const vqemu_command *command, uint32_t flags, vqemu_call *call,
                               vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(command, error);
    REQUIRE_FLAGS(flags, VQEMU_PREPARE_KEEP_VARIABLES | VQEMU_PREPARE_RESET_VARIABLES, error);
    struct preparation preparation = {.command = command, .has_owner = vqemu_command_user(command)};
    int r = check_flags(flags, error);
    if (r == 0)
        r = call_check(call, "the start", error);
    if (r == 0 && command_vnc_password_file(command))
        r = vnc_password_check(command_vnc_password_file(command), error);
    if (r == 0 && preparation.has_owner)
        r = owner_find(vqemu_command_user(command), &preparation.owner, error);
    if (r == 0)
        r = make_directories_of(&preparation, error);
    if (r == 0)
        r = call_check(call, "the making of UEFI variables", error);
    if (r == 0 && command_nvram(command))
        r = about(nvram_prepare(command_nvram(command), flags, call, error), "nvram", error);
    if (r == 0 && preparation.has_owner)
        r = give_to_user(&preparation, error);
    return r;
}
