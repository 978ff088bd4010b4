/* SPDX-License-Identifier: MIT */
#include "user-directories.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "text.h"

#define SYSTEM_RUNTIME_DIR "/run/volt/"

char *user_runtime_base(void) {
    const char *directory = getenv("XDG_RUNTIME_DIR");
    return directory && directory[0] == '/' ? format_text("%s/volt", directory)
                                            : format_text("/run/user/%u/volt", (unsigned)getuid());
}

char *user_state_base(void) {
    const char *directory = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    return directory && directory[0] == '/'
               ? format_text("%s/volt/vms", directory)
               : format_text("%s/.local/state/volt/vms", home && home[0] == '/' ? home : "/root");
}

/* A session's directory may be missing, as in a cron job. Nobody else can make one in /tmp that is
 * accepted. */
static char *usable_runtime_base(void) {
    _cleanup_free_ char *base = user_runtime_base();
    _cleanup_free_ char *above = format_text("%.*s", (int)(strlen(base) - strlen("/volt")), base);
    return access(above, W_OK) == 0 ? format_text("%s", base)
                                    : format_text("/tmp/volt-%u", (unsigned)getuid());
}

char *user_runtime_base_instead(const vqemu_command *command) {
    const char *directory = vqemu_command_runtime_dir(command);
    bool is_systems = strncmp(directory, SYSTEM_RUNTIME_DIR, strlen(SYSTEM_RUNTIME_DIR)) == 0;
    if (geteuid() == 0 || !is_systems || access(directory, W_OK) == 0 ||
        access(SYSTEM_RUNTIME_DIR, W_OK) == 0)
        return NULL;
    return usable_runtime_base();
}
