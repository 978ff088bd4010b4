/* SPDX-License-Identifier: MIT */
#include "user-directories.h"

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
    if (strncmp(old_runtime, SYSTEM_RUNTIME_DIR, strlen(SYSTEM_RUNTIME_DIR)) == 0)
        code = vqemu_vm_set_string(vm, VQEMU_KEY_RUNTIME_DIR, new_runtime, error);
    if (!code && strncmp(old_state, SYSTEM_STATE_DIR, strlen(SYSTEM_STATE_DIR)) == 0)
        code = vqemu_vm_set_string(vm, VQEMU_KEY_STATE_DIR, new_state, error);
    return code;
}
