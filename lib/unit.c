/* SPDX-License-Identifier: MIT */
/* A command -> a systemd service. */
#include <volt-qemu/unit.h>

#include <string.h>

#include "command.h"
#include "error.h"
#include "util/export.h"
#include "util/strbuf.h"
#include "util/utf8.h"

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

/* ---- quoting ---- */

/* U+FFFE, U+FFFF and the like: UTF-8, but systemd does not take them for text. */
static bool is_noncharacter(const char *sequence, int length) {
    const unsigned char *b = (const unsigned char *)sequence;
    if (length == 3)
        return b[0] == 0xef &&
               ((b[1] == 0xb7 && b[2] >= 0x90 && b[2] <= 0xaf) || (b[1] == 0xbf && b[2] >= 0xbe));
    return length == 4 && (b[1] & 0x0f) == 0x0f && b[2] == 0xbf && b[3] >= 0xbe;
}

/* The length of the character at text as systemd sees it; 0 if it sees none. */
static int character_length(const char *text) {
    int length = utf8_sequence_length(text);
    return is_noncharacter(text, length) ? 0 : length;
}

static bool is_text(const char *text) {
    while (*text) {
        int length = character_length(text);
        if (length == 0)
            return false;
        text += length;
    }
    return true;
}

static bool is_control(char c) {
    return (unsigned char)c < 0x20 || c == 0x7f;
}

/*
 * A word of a command line or of Environment= (systemd.syntax(7), "Quoting"). $ needs no escape in
 * either: ExecStart= is written with the prefix ":".
 */
static void add_word(struct strbuf *line, const char *word) {
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "_-./,:=+@";
    if (*word && strspn(word, plain) == strlen(word)) {
        strbuf_add(line, word);
        return;
    }
    strbuf_add_char(line, '"');
    for (const char *c = word; *c; c++) {
        if (*c == '\\' || *c == '"')
            strbuf_addf(line, "\\%c", *c);
        else if (*c == '%')
            strbuf_add(line, "%%");
        else if (*c == '\n')
            strbuf_add(line, "\\n");
        else if (is_control(*c) || (unsigned char)*c >= 0x80)
            strbuf_addf(line, "\\x%02x", (unsigned)(unsigned char)*c);
        else
            strbuf_add_char(line, *c);
    }
    strbuf_add_char(line, '"');
}

/* Free text to the end of the line: only % is special. What cannot stand there becomes "?". */
static void add_description(struct strbuf *line, const char *text) {
    while (*text) {
        int length = character_length(text);
        if (length == 0 || is_control(*text))
            strbuf_add_char(line, '?');
        else if (*text == '%')
            strbuf_add(line, "%%");
        else
            strbuf_add_bytes(line, text, (size_t)length);
        text += length ? length : 1;
    }
}

/* ---- what systemd refuses ---- */

static bool is_plain_program(const char *path) {
    for (const char *c = path; *c; c++)
        if (is_control(*c) || strchr("\"'\\", *c))
            return false;
    return true;
}

/* A directory is written without quotes, so blanks and a backslash at the end would be lost. */
static bool is_plain_directory(const char *path) {
    for (const char *c = path; *c; c++)
        if (is_control(*c))
            return false;
    return is_text(path) && !strchr(" \\", path[strlen(path) - 1]);
}

static bool needs_wrapper(const vqemu_command *command) {
    for (char *const *variable = vqemu_command_envp(command); *variable; variable++)
        if (!is_text(*variable))
            return true;
    return !is_plain_program(vqemu_command_path(command)) ||
           !is_plain_directory(vqemu_command_cwd(command));
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
        add_word(line, words[i]);
    }
}

/* ExecStart= of the command itself; environment and directory are directives of their own. */
static void add_plain_start(struct strbuf *unit, const vqemu_command *command) {
    strbuf_add(unit, "ExecStart=:");
    add_word(unit, vqemu_command_path(command));
    add_words(unit, vqemu_command_argv(command) + 1);
}

/* ExecStart= of a shell that executes the command: to it, paths and values are just words. */
static void add_wrapped_start(struct strbuf *unit, const vqemu_command *command) {
    strbuf_add(unit, "ExecStart=:/usr/bin/env --");
    add_words(unit, vqemu_command_envp(command));
    strbuf_add(unit, " /bin/sh -c ");
    add_word(unit, WRAPPER_SCRIPT);
    strbuf_add(unit, " sh ");
    add_word(unit, vqemu_command_cwd(command));
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
        add_word(unit, *variable);
        strbuf_add_char(unit, '\n');
    }
}

static void add_directory(struct strbuf *unit, const vqemu_command *command, bool wrapped) {
    strbuf_add(unit, "WorkingDirectory=");
    if (wrapped)
        strbuf_add_char(unit, '/');
    else
        add_description(unit, vqemu_command_cwd(command));
    strbuf_add_char(unit, '\n');
}

static void add_unit_section(struct strbuf *unit, const vqemu_command *command) {
    strbuf_add(unit, "[Unit]\nDescription=Volt VM: ");
    add_description(unit, command_vm_name(command));
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
