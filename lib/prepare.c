/* SPDX-License-Identifier: MIT */
/* What a command needs on disk before it is executed. */
#include <volt-qemu/prepare.h>

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "command.h"
#include "error.h"
#include "owner.h"
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

/* Only the VM's own user looks into it; directories above are made as usual. */
static int make_private_directory(const char *path, vqemu_error **error) {
    _cleanup_free_ char *parent = strndup(path, (size_t)(base_name(path) - path));
    if (!parent)
        return error_no_memory(error);
    int r = make_directories(parent);
    if (r < 0)
        return error_system(error, -r, "cannot make the directory %s", parent);
    if (mkdir(path, 0700) == 0)
        return 0;
    struct stat status;
    if (errno != EEXIST || stat(path, &status) < 0)
        return error_system(error, errno, "cannot make the directory %s", path);
    if (!S_ISDIR(status.st_mode))
        return error_set(error, VQEMU_ERR_INVALID, 0, "%s is no directory", path);
    return 0;
}

/* The directory of the TPM's state; NULL if the VM has none. */
static const char *tpm_directory(const vqemu_command *command) {
    const struct resources *resources = command_resources(command);
    for (size_t i = 0; i < resources->companion_count; i++)
        if (resources->companions[i].kind == COMPANION_SWTPM)
            return resources->companions[i].directory;
    return NULL;
}

static int make_tpm_directory(const vqemu_command *command, vqemu_error **error) {
    const char *directory = tpm_directory(command);
    return directory ? make_private_directory(directory, error) : 0;
}

static int check_flags(uint32_t flags, vqemu_error **error) {
    const uint32_t both = VQEMU_PREPARE_KEEP_VARIABLES | VQEMU_PREPARE_RESET_VARIABLES;
    if (flags & ~both)
        return error_set(error, VQEMU_ERR_INVALID, 0, "unknown prepare flags 0x%x",
                         (unsigned)flags);
    if (flags == both)
        return error_set(error, VQEMU_ERR_INVALID, 0,
                         "UEFI variables cannot be both kept and started anew");
    return 0;
}

static int make_directories_of(const vqemu_command *command, vqemu_error **error) {
    const char *directories[] = {vqemu_command_state_dir(command),
                                 vqemu_command_runtime_dir(command)};
    for (size_t i = 0; i < sizeof directories / sizeof *directories; i++) {
        int r =
            is_used(command, directories[i]) ? make_private_directory(directories[i], error) : 0;
        if (r < 0)
            return r;
    }
    return make_tpm_directory(command, error);
}

/* What was made belongs to the caller, which is mostly root; QEMU runs as another user. */
static int give_to_user(const vqemu_command *command, vqemu_error **error) {
    const struct nvram *nvram = command_nvram(command);
    const char *tpm = tpm_directory(command);
    struct owner owner;
    if (!command_user(command))
        return 0;
    _cleanup_free_ char *record = nvram ? format_string("%s.firmware", nvram->path) : NULL;
    if (nvram && !record)
        return error_no_memory(error);
    int r = owner_find(command_user(command), &owner, error);
    if (r == 0 && is_used(command, vqemu_command_state_dir(command)))
        r = owner_give(&owner, vqemu_command_state_dir(command), error);
    if (r == 0 && is_used(command, vqemu_command_runtime_dir(command)))
        r = owner_give(&owner, vqemu_command_runtime_dir(command), error);
    if (r == 0 && tpm)
        r = owner_give(&owner, tpm, error);
    if (r == 0 && nvram)
        r = owner_give(&owner, nvram->path, error);
    if (r == 0 && nvram)
        r = owner_give(&owner, record, error);
    return r;
}

VQEMU_EXPORT int vqemu_prepare(const vqemu_command *command, uint32_t flags, vqemu_error **error) {
    int r = check_flags(flags, error);
    if (r == 0)
        r = make_directories_of(command, error);
    if (r == 0 && command_nvram(command))
        r = nvram_prepare(command_nvram(command), flags, error);
    return r < 0 ? r : give_to_user(command, error);
}
