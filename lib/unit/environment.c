/* SPDX-License-Identifier: MIT */
#include "unit/environment.h"

#include <string.h>

#include "unit/quote.h"

/* Variables that would change the program, should the service manager have them. */
static const char *const dangerous_variables[] = {
    "LD_AUDIT", "LD_LIBRARY_PATH", "LD_PRELOAD", "GLIBC_TUNABLES", "QEMU_MODULE_DIR",
};

bool unit_sets_variable(const vqemu_command *command, const char *name) {
    size_t length = strlen(name);
    for (char *const *variable = vqemu_command_envp(command); *variable; variable++)
        if (strncmp(*variable, name, length) == 0 && (*variable)[length] == '=')
            return true;
    return false;
}

void unit_add_clean_environment(struct strbuf *text) {
    strbuf_add(text, "UnsetEnvironment=");
    for (size_t i = 0; i < sizeof dangerous_variables / sizeof *dangerous_variables; i++)
        strbuf_addf(text, "%s%s", i > 0 ? " " : "", dangerous_variables[i]);
    strbuf_add_char(text, '\n');
}

void unit_add_environment(struct strbuf *text, const vqemu_command *command) {
    /* UnsetEnvironment= would also remove what Environment= sets. */
    const char *separator = "";
    strbuf_add(text, "UnsetEnvironment=");
    for (size_t i = 0; i < sizeof dangerous_variables / sizeof *dangerous_variables; i++) {
        if (!unit_sets_variable(command, dangerous_variables[i])) {
            strbuf_addf(text, "%s%s", separator, dangerous_variables[i]);
            separator = " ";
        }
    }
    strbuf_add_char(text, '\n');
    for (char *const *variable = vqemu_command_envp(command); *variable; variable++) {
        strbuf_add(text, "Environment=");
        unit_add_word(text, *variable);
        strbuf_add_char(text, '\n');
    }
}
