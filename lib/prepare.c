/* SPDX-License-Identifier: MIT */
/* What a command needs on disk before it is executed. */
#include <volt-qemu/prepare.h>

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "command.h"
#include "error.h"
#include "util/export.h"
#include "util/path.h"

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
    if (mkdir(path, 0700) < 0 && errno != EEXIST)
        return error_system(error, errno, "cannot make the directory %s", path);
    return 0;
}

static int make_tpm_directory(const vqemu_command *command, vqemu_error **error) {
    const struct resources *resources = command_resources(command);
    for (size_t i = 0; i < resources->companion_count; i++) {
        const struct companion *companion = &resources->companions[i];
        if (companion->kind == COMPANION_SWTPM)
            return make_private_directory(companion->directory, error);
    }
    return 0;
}

VQEMU_EXPORT int vqemu_prepare(const vqemu_command *command, uint32_t flags, vqemu_error **error) {
    const uint32_t both = VQEMU_PREPARE_KEEP_VARIABLES | VQEMU_PREPARE_RESET_VARIABLES;
    const char *state_dir = vqemu_command_state_dir(command);
    const char *runtime_dir = vqemu_command_runtime_dir(command);
    int r = 0;
    if (flags & ~both)
        return error_set(error, VQEMU_ERR_INVALID, 0, "unknown prepare flags 0x%x",
                         (unsigned)flags);
    if (flags == both)
        return error_set(error, VQEMU_ERR_INVALID, 0,
                         "UEFI variables cannot be both kept and started anew");
    if (is_used(command, state_dir))
        r = make_private_directory(state_dir, error);
    if (r == 0 && is_used(command, runtime_dir))
        r = make_private_directory(runtime_dir, error);
    if (r == 0)
        r = make_tpm_directory(command, error);
    if (r == 0 && command_nvram(command))
        r = nvram_prepare(command_nvram(command), flags, error);
    return r;
}
