/* SPDX-License-Identifier: MIT */
/* What a command needs on disk before it is executed. */
#include <volt-qemu/prepare.h>

#include <assert.h>
#include <string.h>

#include "base/call.h"
#include "base/error.h"
#include "command/command.h"
#include "run/directory.h"
#include "run/log.h"
#include "run/nvram.h"
#include "run/owner.h"
#include "run/running.h"
#include "run/sockets.h"
#include "run/vm-files.h"
#include "run/vnc-password.h"
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

/* Whether QEMU, or a program beside it, makes or opens something in there. */
static bool uses_state_dir(const vqemu_command *command) {
    const struct resources *resources = command_resources(command);
    const char *directory = command->state_dir;
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

static int check_flags(uint32_t flags, const char *function, vqemu_error **error) {
    const uint32_t both = VQEMU_PREPARE_KEEP_VARIABLES | VQEMU_PREPARE_RESET_VARIABLES;
    if (flags == both)
        return error_flags_at_odds(error, function,
                                   "UEFI variables cannot be both kept and started anew");
    return 0;
}

/* ---- directories ---- */

struct preparation {
    const vqemu_command *command;
    vqemu_call *call;
    uint32_t flags;
    struct owner owner;
};

/* The system's name service knows no deadline: what it says after it comes too late. */
static int find_owner(struct preparation *preparation, vqemu_error **error) {
    int r = owner_find(vqemu_command_user(preparation->command), &preparation->owner, error);
    int late = call_check(preparation->call, "the look-up of the VM's user", error);
    return late < 0 ? late : r;
}

/* Which key of the VM it is about, if it failed. */
static int about(int code, const char *key, vqemu_error **error) {
    if (code == 0 || code == VQEMU_ERR_NO_MEMORY)
        return code;
    return error_because(error_prefix(code, error, "%s: ", key), error, NULL, VQEMU_DETAIL_KEY, key,
                         NULL);
}

static int prepare_directory(const struct preparation *preparation, const char *key,
                             const char *path, enum directory_use use, vqemu_error **error) {
    _cleanup_close_ int fd = -1;
    bool is_vms;
    return about(
        directory_prepare(&preparation->owner, path, use, preparation->call, &fd, &is_vms, error),
        key, error);
}

/* First of all: of a VM that runs already, nothing is touched. */
static int prepare_runtime_directory(const struct preparation *preparation, vqemu_error **error) {
    const vqemu_command *command = preparation->command;
    _cleanup_close_ int fd = -1;
    bool is_vms;
    int r = about(directory_prepare(&preparation->owner, command->runtime_dir, DIRECTORY_PRIVATE,
                                    preparation->call, &fd, &is_vms, error),
                  "runtime_dir", error);
    return r == 0 ? running_check(command, &preparation->owner, fd, error) : r;
}

static int prepare_directories(const struct preparation *preparation, vqemu_error **error) {
    const vqemu_command *command = preparation->command;
    const char *tpm = tpm_directory(command);
    int r = prepare_runtime_directory(preparation, error);
    if (r == 0 && uses_state_dir(command))
        r = prepare_directory(preparation, "state_dir", command->state_dir, DIRECTORY_OWN, error);
    if (r == 0 && tpm)
        r = prepare_directory(preparation, "tpm_state", tpm, DIRECTORY_OWN, error);
    return r;
}

static int prepare_logs(const struct preparation *preparation, vqemu_error **error) {
    const struct resources *resources = command_resources(preparation->command);
    int r = 0;
    for (size_t i = 0; r == 0 && i < resources->file_count; i++) {
        const struct file_use *file = &resources->files[i];
        if (file->key && vm_files_is_log(file->key))
            r = about(log_prepare(&preparation->owner, file->path, preparation->call, error),
                      file->key, error);
    }
    return r;
}

static int prepare_nvram(const struct preparation *preparation, vqemu_error **error) {
    const struct nvram *nvram = command_nvram(preparation->command);
    const char *name = base_name(nvram->path);
    size_t length = (size_t)(name - nvram->path);
    struct nvram_home home = {.fd = -1, .owner = &preparation->owner};
    _cleanup_free_ char *path = strndup(nvram->path, length > 1 ? length - 1 : length);
    if (!path)
        return error_no_memory(error);
    int r = directory_prepare(&preparation->owner, path, DIRECTORY_SHARED, preparation->call,
                              &home.fd, &home.is_vms, error);
    if (r == 0)
        r = nvram_prepare(nvram, &home, preparation->flags, preparation->call, error);
    cleanup_close(&home.fd);
    return r;
}

VQEMU_EXPORT int vqemu_prepare(const vqemu_command *command, uint32_t flags, vqemu_call *call,
                               vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(command, error);
    REQUIRE_FLAGS(flags, VQEMU_PREPARE_KEEP_VARIABLES | VQEMU_PREPARE_RESET_VARIABLES, error);
    struct preparation preparation = {.command = command,
                                      .call = call,
                                      .flags = flags,
                                      .owner = {.vm_id = vqemu_command_vm_id(command)}};
    int r = check_flags(flags, __func__, error);
    if (r == 0)
        r = call_check(call, "the start", error);
    if (r == 0)
        r = find_owner(&preparation, error);
    if (r == 0 && command_vnc_password_file(command))
        r = vnc_password_check(command_vnc_password_file(command), &preparation.owner, error);
    if (r == 0)
        r = prepare_directories(&preparation, error);
    if (r == 0)
        r = vm_files_check(command, &preparation.owner, error);
    if (r == 0)
        r = sockets_check(command, error);
    if (r == 0)
        r = prepare_logs(&preparation, error);
    if (r == 0)
        r = call_check(call, "the making of UEFI variables", error);
    if (r == 0 && command_nvram(command))
        r = about(prepare_nvram(&preparation, error), "nvram", error);
    return r;
}
