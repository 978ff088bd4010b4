/* SPDX-License-Identifier: MIT */
#include "user-directories.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "text.h"

#define SYSTEM_RUNTIME_DIR "/run/volt/"
#define SYSTEM_STATE_DIR "/var/lib/volt/vms/"

static char *user_runtime_dir(void) {
    const char *directory = getenv("XDG_RUNTIME_DIR");
    return directory && directory[0] == '/' ? format_text("%s/volt/", directory)
                                            : format_text("/run/user/%u/volt/", (unsigned)getuid());
}

static bool is_systems(const char *runtime_dir) {
    return strncmp(runtime_dir, SYSTEM_RUNTIME_DIR, strlen(SYSTEM_RUNTIME_DIR)) == 0;
}

static char *user_state_dir(void) {
    const char *directory = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    return directory && directory[0] == '/'
               ? format_text("%s/volt/vms/", directory)
               : format_text("%s/.local/state/volt/vms/", home && home[0] == '/' ? home : "/root");
}

int user_directories_set(vqemu_runtime *runtime, vqemu_vm *vm, vqemu_error **error) {
    _cleanup_command_ vqemu_command *command = NULL;
    int code =
        vqemu_command_build(runtime, vm, NULL, 0, &command, error); /* which knows the defaults */
    if (code)
        return code;
    const char *old_runtime = vqemu_command_runtime_dir(command);
    const char *old_state = vqemu_command_state_dir(command);
    _cleanup_free_ char *user_runtime = user_runtime_dir();
    _cleanup_free_ char *user_state = user_state_dir();
    _cleanup_free_ char *new_runtime =
        format_text("%s%s", user_runtime, strrchr(old_runtime, '/') + 1);
    _cleanup_free_ char *new_state = format_text("%s%s", user_state, strrchr(old_state, '/') + 1);
    if (is_systems(old_runtime))
        code = vqemu_vm_set_string(vm, VQEMU_KEY_RUNTIME_DIR, new_runtime, error);
    if (!code && strncmp(old_state, SYSTEM_STATE_DIR, strlen(SYSTEM_STATE_DIR)) == 0)
        code = vqemu_vm_set_string(vm, VQEMU_KEY_STATE_DIR, new_state, error);
    return code;
}

/* A session's directory may be missing, as in a cron job. Nobody else can make one in /tmp that is
 * accepted. */
static char *usable_runtime_dir(void) {
    _cleanup_free_ char *directory = user_runtime_dir();
    _cleanup_free_ char *above =
        format_text("%.*s", (int)(strlen(directory) - strlen("/volt/")), directory);
    return access(above, W_OK) == 0 ? format_text("%s", directory)
                                    : format_text("/tmp/volt-%u/", (unsigned)getuid());
}

int user_directories_set_runtime(const vqemu_command *command, vqemu_vm *vm, vqemu_error **error) {
    const char *old = vqemu_command_runtime_dir(command);
    if (geteuid() == 0 || !is_systems(old) || access(old, W_OK) == 0 ||
        access(SYSTEM_RUNTIME_DIR, W_OK) == 0)
        return 0;
    _cleanup_free_ char *base = usable_runtime_dir();
    _cleanup_free_ char *new = format_text("%s%s", base, strrchr(old, '/') + 1);
    int code = vqemu_vm_set_string(vm, VQEMU_KEY_RUNTIME_DIR, new, error);
    return code ? code : 1;
}
