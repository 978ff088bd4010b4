/* SPDX-License-Identifier: MIT */
/* A command -> a systemd service. */
#include <volt-qemu/unit.h>

#include <string.h>

#include "command.h"
#include "error.h"
#include "unit-quote.h"
#include "util/export.h"
#include "util/strbuf.h"

/*
 * The longest line that systemd reads: LONG_LINE_MAX, 1 MiB, with its end (src/basic/fileio.h). One
 * that is longer makes the whole unit fail.
 */
#define LINE_LENGTH_MAX ((size_t)1024 * 1024 - 1)
/* The longest argument or variable that Linux executes: MAX_ARG_STRLEN, with its NUL (execve(2)).
 */
#define ARGUMENT_LENGTH_MAX ((size_t)128 * 1024 - 1)

/* Runs "$2" with its arguments in the directory "$1". */
#define WRAPPER_SCRIPT "cd \"$1\" && shift && exec \"$@\""

/* Variables that would change the program, should the service manager have them. */
static const char *const dangerous_variables[] = {
    "LD_AUDIT", "LD_LIBRARY_PATH", "LD_PRELOAD", "GLIBC_TUNABLES", "QEMU_MODULE_DIR",
};

/* ---- what systemd refuses ---- */

static bool needs_wrapper(const vqemu_command *command) {
    for (char *const *variable = vqemu_command_envp(command); *variable; variable++)
        if (!unit_is_text(*variable))
            return true;
    return !unit_is_plain_program(vqemu_command_path(command)) ||
           !unit_is_plain_directory(vqemu_command_cwd(command));
}

static int check_argument_lengths(const vqemu_command *command, vqemu_error **error) {
    char *const *argv = vqemu_command_argv(command);
    for (size_t i = 0; argv[i]; i++)
        if (strlen(argv[i]) > ARGUMENT_LENGTH_MAX)
            return error_set(
                error, VQEMU_ERR_UNSUPPORTED, 0,
                "argument %zu has %zu bytes; Linux executes no argument of more than %zu", i,
                strlen(argv[i]), ARGUMENT_LENGTH_MAX);
    return 0;
}

static int check_line_length(size_t length, vqemu_error **error) {
    if (length <= LINE_LENGTH_MAX)
        return 0;
    return error_set(error, VQEMU_ERR_UNSUPPORTED, 0,
                     "the command takes %zu bytes in a unit; systemd reads lines of %zu", length,
                     LINE_LENGTH_MAX);
}

/* ---- the unit ---- */

/* One option with its value on a line, as people read them. */
static void add_words(struct strbuf *line, char *const *words) {
    for (size_t i = 0; words[i]; i++) {
        bool is_value = i > 0 && words[i][0] != '-' && words[i - 1][0] == '-';
        strbuf_add(line, is_value ? " " : " \\\n  ");
        unit_add_word(line, words[i]);
    }
}

/* ExecStart= of the command itself; environment and directory are directives of their own. */
static void add_plain_start(struct strbuf *unit, const vqemu_command *command) {
    strbuf_add(unit, "ExecStart=:");
    unit_add_word(unit, vqemu_command_path(command));
    add_words(unit, vqemu_command_argv(command) + 1);
}

/* ExecStart= of a shell that executes the command: to it, paths and values are just words. */
static void add_wrapped_start(struct strbuf *unit, const vqemu_command *command) {
    strbuf_add(unit, "ExecStart=:/usr/bin/env --");
    add_words(unit, vqemu_command_envp(command));
    strbuf_add(unit, " /bin/sh -c ");
    unit_add_word(unit, WRAPPER_SCRIPT);
    strbuf_add(unit, " sh ");
    unit_add_word(unit, vqemu_command_cwd(command));
    add_words(unit, vqemu_command_argv(command));
}

static bool sets_variable(const vqemu_command *command, const char *name) {
    size_t length = strlen(name);
    for (char *const *variable = vqemu_command_envp(command); *variable; variable++)
        if (strncmp(*variable, name, length) == 0 && (*variable)[length] == '=')
            return true;
    return false;
}

static void add_environment(struct strbuf *unit, const vqemu_command *command, bool wrapped) {
    /* UnsetEnvironment= would also remove what Environment= sets. */
    strbuf_add(unit, "UnsetEnvironment=");
    size_t count = sizeof dangerous_variables / sizeof dangerous_variables[0];
    const char *separator = "";
    for (size_t i = 0; i < count; i++) {
        if (!sets_variable(command, dangerous_variables[i])) {
            strbuf_addf(unit, "%s%s", separator, dangerous_variables[i]);
            separator = " ";
        }
    }
    strbuf_add_char(unit, '\n');
    if (wrapped)
        return;
    for (char *const *variable = vqemu_command_envp(command); *variable; variable++) {
        strbuf_add(unit, "Environment=");
        unit_add_word(unit, *variable);
        strbuf_add_char(unit, '\n');
    }
}

static void add_directory(struct strbuf *unit, const vqemu_command *command, bool wrapped) {
    strbuf_add(unit, "WorkingDirectory=");
    if (wrapped)
        strbuf_add_char(unit, '/');
    else
        unit_add_text(unit, vqemu_command_cwd(command));
    strbuf_add_char(unit, '\n');
}

static void add_unit_section(struct strbuf *unit, const vqemu_command *command) {
    strbuf_add(unit, "[Unit]\nDescription=Volt VM: ");
    unit_add_text(unit, command_vm_name(command));
    strbuf_addf(unit, " (QEMU %s)\nAfter=network.target\n\n", command_profile_name(command));
}

VQEMU_EXPORT int vqemu_unit_text(const vqemu_command *command, char **text, vqemu_error **error) {
    *text = NULL;
    int r = check_argument_lengths(command, error);
    if (r < 0)
        return r;
    bool wrapped = needs_wrapper(command);
    _cleanup_strbuf_ struct strbuf start = {0}, unit = {0};
    if (wrapped)
        add_wrapped_start(&start, command);
    else
        add_plain_start(&start, command);
    r = check_line_length(start.length, error);
    if (r < 0)
        return r;
    add_unit_section(&unit, command);
    /* Type=exec: a program that cannot be executed fails the start, not only the service. */
    strbuf_add(&unit, "[Service]\nType=exec\n");
    add_environment(&unit, command, wrapped);
    add_directory(&unit, command, wrapped);
    if (!start.failed)
        strbuf_add_bytes(&unit, start.text, start.length);
    strbuf_add(&unit, "\nKillMode=mixed\nTimeoutStopSec=30\nRestart=no\n\n"
                      "[Install]\nWantedBy=multi-user.target\n");
    unit.failed = unit.failed || start.failed;
    *text = strbuf_take(&unit);
    return *text ? 0 : error_no_memory(error);
}
