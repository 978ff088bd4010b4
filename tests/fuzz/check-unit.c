/* SPDX-License-Identifier: MIT */
/*
 * A reader of unit files, by systemd.syntax(7), systemd.service(5) and systemd's own (version 252:
 * src/shared/conf-parser.c, src/basic/extract-word.c, src/basic/escape.c). Stricter: what systemd
 * would warn of or pass over fails.
 */
#include "check-unit.h"

#include <stdlib.h>
#include <string.h>

#include <volt-qemu/volt-qemu.h>

#include "fuzz.h"
#include "util/cleanup.h"
#include "util/strbuf.h"
#include "util/strv.h"

#define BLANKS " \t\n\r"

static const char *const sections[] = {"[Unit]", "[Service]", "[Socket]", "[Install]"};

/* What lib/unit writes; of those with a star, more than one in a section. */
static const char *const directives[] = {
    "After*",
    "BindPaths*",
    "BindReadOnlyPaths*",
    "CapabilityBoundingSet",
    "Description",
    "DeviceAllow*",
    "DevicePolicy",
    "Environment*",
    "ExecStart",
    "ExecStartPre",
    "ExecStop",
    "IPAddressAllow",
    "IPAddressDeny",
    "InaccessiblePaths",
    "KeyringMode",
    "KillMode",
    "LimitCORE",
    "LimitMEMLOCK",
    "LimitNOFILE",
    "ListenStream",
    "LockPersonality",
    "MemoryDenyWriteExecute",
    "MountAPIVFS",
    "NoNewPrivileges",
    "PartOf",
    "PrivateDevices",
    "PrivateNetwork",
    "PrivateTmp",
    "PrivateUsers",
    "ProcSubset",
    "ProtectClock",
    "ProtectControlGroups",
    "ProtectHostname",
    "ProtectKernelLogs",
    "ProtectKernelModules",
    "ProtectKernelTunables",
    "ProtectProc",
    "ProtectSystem",
    "ReadOnlyPaths",
    "ReadWritePaths*",
    "RemoveOnStop",
    "Requires*",
    "Restart",
    "RestrictAddressFamilies",
    "RestrictNamespaces",
    "RestrictRealtime",
    "RestrictSUIDSGID",
    "RuntimeDirectory",
    "RuntimeDirectoryMode",
    "RuntimeDirectoryPreserve",
    "SocketMode",
    "StateDirectory",
    "StateDirectoryMode",
    "StopWhenUnneeded",
    "SystemCallArchitectures",
    "SystemCallErrorNumber",
    "SystemCallFilter",
    "TemporaryFileSystem",
    "TimeoutStopSec",
    "Type",
    "UMask",
    "UnsetEnvironment",
    "User",
    "WantedBy",
    "WorkingDirectory",
};

/* The values that can be anything; all others are plain words. */
static const char *const free_values[] = {
    "BindPaths", "BindReadOnlyPaths", "Description",  "DeviceAllow",    "Environment",
    "ExecStart", "ExecStop",          "ListenStream", "ReadWritePaths", "WorkingDirectory"};

/* What is not confined: the only comments. */
static const char *const comments[] = {
    "# extra_args can make QEMU use anything: this service sees all files, devices and networks.",
    "# This service can become root, as the bridge helper does: it has no system call filter.",
    "# QEMU is root: whoever takes it over is root, in this service.",
    "# virtiofsd is root: whoever takes it over is root, in this service.",
    "# A share is the root directory: this service sees all files."};

static bool is_known_comment(const char *line, size_t length) {
    for (size_t i = 0; i < sizeof comments / sizeof *comments; i++)
        if (strlen(comments[i]) == length && strncmp(line, comments[i], length) == 0)
            return true;
    return false;
}

static bool is_one_of(const char *const *list, size_t count, const char *word, bool *may_repeat) {
    for (size_t i = 0; i < count; i++) {
        size_t length = strcspn(list[i], "*");
        if (strlen(word) == length && strncmp(word, list[i], length) == 0) {
            *may_repeat = list[i][length] == '*';
            return true;
        }
    }
    return false;
}

#define IS_ONE_OF(list, word, may_repeat)                                                          \
    is_one_of(list, sizeof(list) / sizeof *(list), word, may_repeat)

/* ---- lines ---- */

/* A line as systemd puts it together from those that end in a backslash; NULL at the end. */
static char *take_line(const char **text) {
    struct strbuf line = {0};
    bool goes_on = true, any = false;
    while (**text && goes_on) {
        size_t length = strcspn(*text, "\n");
        const char *start = *text + strspn(*text, " \t");
        bool is_comment = *start == '#' || *start == ';';
        FUZZ_CHECK((*text)[length] == '\n', "the last line has no end");
        FUZZ_CHECK(!is_comment || (!any && is_known_comment(*text, length)), "a comment: %.*s",
                   (int)length, *text);
        size_t backslashes = 0;
        while (backslashes < length && (*text)[length - 1 - backslashes] == '\\')
            backslashes++;
        goes_on = backslashes % 2 == 1;
        strbuf_add_bytes(&line, *text, goes_on ? length - 1 : length);
        if (goes_on)
            strbuf_add_char(&line, ' ');
        *text += length + 1;
        any = true;
    }
    FUZZ_CHECK(!any || !goes_on, "the text ends in the middle of a line");
    strbuf_add(&line, "");
    char *taken = strbuf_take(&line);
    FUZZ_CHECK(taken, "no memory");
    if (any)
        return taken;
    free(taken);
    return NULL;
}

/* U+FFFE and its like, which systemd does not take for text. */
static bool has_noncharacter(const char *text) {
    for (const unsigned char *c = (const unsigned char *)text; *c; c++)
        if ((c[0] == 0xef &&
             ((c[1] == 0xb7 && c[2] >= 0x90 && c[2] <= 0xaf) || (c[1] == 0xbf && c[2] >= 0xbe))) ||
            (c[0] >= 0xf0 && (c[1] & 0x0f) == 0x0f && c[2] == 0xbf && c[3] >= 0xbe))
            return true;
    return false;
}

static void check_bytes(const char *name, const char *text) {
    for (const char *c = text; *c; c++)
        FUZZ_CHECK((unsigned char)*c >= 0x20 || *c == '\n', "%s: the byte 0x%02x", name,
                   (unsigned)(unsigned char)*c);
    FUZZ_CHECK(!strchr(text, 0x7f), "%s: the byte 0x7f", name);
    FUZZ_CHECK(fuzz_is_utf8(text) && !has_noncharacter(text), "%s is no text", name);
    FUZZ_CHECK(text[strlen(text) - 1] == '\n', "%s does not end in a newline", name);
}

/* ---- words ---- */

static int hex_digit(char c) {
    const char *digits = "0123456789abcdef";
    const char *found = c ? strchr(digits, c) : NULL;
    FUZZ_CHECK(found, "\"%c\" is no hex digit", c);
    return (int)(found - digits);
}

/* Behind a backslash; *text moves behind all of it. */
static char take_escape(const char **text) {
    char c = *(*text)++;
    if (c == 'n')
        return '\n';
    if (c == 'x') {
        int high = hex_digit((*text)[0]), low = hex_digit((*text)[1]);
        *text += 2;
        return (char)(unsigned char)(high * 16 + low);
    }
    FUZZ_CHECK(c == '\\' || c == '"', "the escape \"\\%c\"", c);
    return c;
}

/* A specifier would be replaced: only "%%" may come. */
static char take_percent(const char **text) {
    FUZZ_CHECK(*(*text)++ == '%', "a specifier: %%%.1s", *text - 1);
    return '%';
}

static char take_character(const char **text) {
    char c = *(*text)++;
    return c == '%' ? take_percent(text) : c == '\\' ? take_escape(text) : c;
}

/* Words with quotes and escapes, as of a command line. */
static void split(const char *text, struct strv *words) {
    for (text += strspn(text, BLANKS); *text; text += strspn(text, BLANKS)) {
        struct strbuf word = {0};
        FUZZ_CHECK(!(*text == ';' && (!text[1] || strchr(BLANKS, text[1]))), "a second command");
        strbuf_add(&word, "");
        while (*text && !strchr(BLANKS, *text)) {
            bool is_quoted = *text == '"';
            FUZZ_CHECK(*text != '\'', "a single quote");
            text += is_quoted;
            while (*text && (is_quoted ? *text != '"' : !strchr(BLANKS "\"'", *text)))
                strbuf_add_char(&word, take_character(&text));
            FUZZ_CHECK(!is_quoted || *text == '"', "a quote without an end");
            text += is_quoted;
        }
        strv_take_in(words, strbuf_take(&word));
    }
    FUZZ_CHECK(!words->failed, "no memory");
}

/* Free text to the end of the line, of which only % is special. */
static char *read_text(const char *text) {
    struct strbuf read = {0};
    strbuf_add(&read, "");
    while (*text) {
        char c = *text++;
        strbuf_add_char(&read, c == '%' ? take_percent(&text) : c);
    }
    char *taken = strbuf_take(&read);
    FUZZ_CHECK(taken, "no memory");
    return taken;
}

/* ---- a unit ---- */

/* "[Service]ExecStart=:/bin/true" and so on, each logical line. */
static void read_unit(const char *name, const char *text, struct strv *lines) {
    const char *section = NULL;
    bool may_repeat;
    char *line;
    check_bytes(name, text);
    for (; (line = take_line(&text)); free(line)) {
        if (!*line || *line == '#')
            continue;
        if (*line == '[') {
            FUZZ_CHECK(IS_ONE_OF(sections, line, &may_repeat), "%s: the section %s", name, line);
            for (size_t i = 0; i < sizeof sections / sizeof *sections; i++)
                if (strcmp(sections[i], line) == 0)
                    section = sections[i];
            continue;
        }
        FUZZ_CHECK(section, "%s: a line before any section: %s", name, line);
        strv_addf(lines, "%s%s", section, line);
    }
    FUZZ_CHECK(!lines->failed, "no memory");
}

/* How many lines begin like the first so many bytes of one. */
static size_t count_like(const struct strv *lines, const char *line, size_t length) {
    size_t count = 0;
    for (size_t i = 0; i < lines->count; i++)
        count += strncmp(lines->items[i], line, length) == 0;
    return count;
}

/* Values that the library made itself are words without anything odd. */
static void check_value(const char *name, const char *directive, const char *value) {
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                " _-./:@~";
    bool ignored;
    if (!IS_ONE_OF(free_values, directive, &ignored))
        FUZZ_CHECK(strspn(value, plain) == strlen(value), "%s: %s=%s", name, directive, value);
    else
        free(read_text(value));
}

static void check_directives(const char *name, const struct strv *lines) {
    for (size_t i = 0; i < lines->count; i++) {
        const char *line = lines->items[i], *start = strchr(line, ']') + 1;
        const char *sign = strchr(start, '=');
        bool may_repeat = false;
        FUZZ_CHECK(sign, "%s: no directive: %s", name, line);
        _cleanup_free_ char *directive = strndup(start, (size_t)(sign - start));
        FUZZ_CHECK(directive, "no memory");
        FUZZ_CHECK(IS_ONE_OF(directives, directive, &may_repeat), "%s: the directive %s", name,
                   line);
        FUZZ_CHECK(may_repeat || count_like(lines, line, (size_t)(sign + 1 - line)) == 1,
                   "%s: %s more than once", name, directive);
        check_value(name, directive, sign + 1);
    }
}

/* The value of the only line of a directive; NULL if there is none. */
static const char *value_of(const struct strv *lines, const char *directive) {
    size_t length = strlen(directive);
    for (size_t i = 0; i < lines->count; i++) {
        const char *start = strchr(lines->items[i], ']') + 1;
        if (strncmp(start, directive, length) == 0 && start[length] == '=')
            return start + length + 1;
    }
    return NULL;
}

/* ---- against the command ---- */

static void add_all(struct strv *words, char *const *more) {
    for (; *more; more++)
        strv_add(words, *more);
}

static void check_words(const char *name, const struct strv *words, const struct strv *expected) {
    FUZZ_CHECK(!expected->failed, "no memory");
    for (size_t i = 0; i < words->count && i < expected->count; i++)
        FUZZ_CHECK(strcmp(words->items[i], expected->items[i]) == 0,
                   "%s: the word %zu is \"%s\", not \"%s\"", name, i, words->items[i],
                   expected->items[i]);
    FUZZ_CHECK(words->count == expected->count, "%s: %zu words, not %zu", name, words->count,
               expected->count);
}

/* With the prefix by which variables are not replaced. */
static void split_command(const char *name, const char *value, const char *prefix,
                          struct strv *words) {
    FUZZ_CHECK(value && strncmp(value, prefix, strlen(prefix)) == 0, "%s: ExecStart=%s", name,
               value ? value : "");
    split(value + strlen(prefix), words);
    FUZZ_CHECK(words->count > 0 && words->items[0][0] == '/', "%s: no program", name);
}

static bool is_word(const struct strv *words, size_t index, const char *word) {
    return index < words->count && strcmp(words->items[index], word) == 0;
}

static void check_environment(const char *name, const struct strv *lines, char *const *envp) {
    _cleanup_strv_ struct strv found = {0}, expected = {0};
    add_all(&expected, envp);
    for (size_t i = 0; i < lines->count; i++) {
        const char *start = strchr(lines->items[i], ']') + 1;
        if (strncmp(start, "Environment=", strlen("Environment=")) == 0)
            split(start + strlen("Environment="), &found);
    }
    check_words(name, &found, &expected);
}

/* QEMU's, as it is, or through env and a shell. */
static void check_start(const char *name, const struct strv *lines, const vqemu_command *command) {
    static char *const nothing[] = {NULL};
    _cleanup_strv_ struct strv words = {0}, expected = {0};
    const char *directory = value_of(lines, "WorkingDirectory");
    split_command(name, value_of(lines, "ExecStart"), ":", &words);
    bool wrapped = is_word(&words, 0, "/usr/bin/env");
    if (wrapped) {
        strv_add(&expected, "/usr/bin/env");
        strv_add(&expected, "--");
        add_all(&expected, vqemu_command_envp(command));
        strv_add(&expected, "/bin/sh");
        strv_add(&expected, "-c");
        strv_add(&expected, "cd \"$1\" && shift && exec \"$@\"");
        strv_add(&expected, "sh");
        strv_add(&expected, vqemu_command_cwd(command));
    }
    add_all(&expected, vqemu_command_argv(command));
    check_words(name, &words, &expected);
    check_environment(name, lines, wrapped ? nothing : vqemu_command_envp(command));
    _cleanup_free_ char *read = read_text(directory ? directory : "");
    FUZZ_CHECK(strcmp(read, wrapped ? "/" : vqemu_command_cwd(command)) == 0,
               "%s: it runs in \"%s\"", name, read);
}

static void check_stop(const char *name, const struct strv *lines, const vqemu_command *command,
                       const char *const *stop) {
    _cleanup_strv_ struct strv words = {0}, expected = {0};
    const char *value = value_of(lines, "ExecStop");
    if (!stop) {
        FUZZ_CHECK(!value, "%s: a command that nobody gave", name);
        return;
    }
    split_command(name, value, "-:", &words);
    for (; *stop; stop++)
        strv_add(&expected, *stop);
    strv_add(&expected, "--timeout");
    strv_add(&expected, "90");
    strv_add(&expected, vqemu_command_socket(command, "stop"));
    check_words(name, &words, &expected);
}

/* A companion's, as it is, through env, or through a shell that makes its directory. */
static void check_companion(const char *name, const struct strv *lines,
                            const vqemu_command *command, size_t index) {
    _cleanup_strv_ struct strv words = {0}, expected = {0};
    split_command(name, value_of(lines, "ExecStart"), ":", &words);
    if (is_word(&words, 0, "/usr/bin/env")) {
        strv_add(&expected, "/usr/bin/env");
        strv_add(&expected, "--");
    } else if (is_word(&words, 0, "/bin/sh") && is_word(&words, 1, "-c")) {
        strv_add(&expected, "/bin/sh");
        strv_add(&expected, "-c");
        bool makes_it = strncmp(words.items[2], "mkdir", strlen("mkdir")) == 0;
        strv_add(&expected, makes_it ? "mkdir -p -m 700 -- \"$1\" && cd -- \"$1\" && shift && "
                                       "exec \"$@\""
                                     : "cd -- \"$1\" && shift && exec \"$@\"");
        strv_add(&expected, "sh");
        strv_add(&expected, vqemu_command_companion_cwd(command, index));
    }
    add_all(&expected, vqemu_command_companion_argv(command, index));
    if (is_word(&words, words.count - 1, "--sandbox=none"))
        strv_add(&expected, "--sandbox=none");
    check_words(name, &words, &expected);
    check_environment(name, lines, (char *const[]){NULL});
}

static void check_socket(const char *name, const struct strv *lines, const vqemu_command *command,
                         size_t index) {
    const char *value = value_of(lines, "ListenStream");
    _cleanup_free_ char *path = read_text(value ? value : "");
    FUZZ_CHECK(strcmp(path, vqemu_command_companion_socket(command, index)) == 0,
               "%s: it listens at \"%s\"", name, path);
    FUZZ_CHECK(!value_of(lines, "ExecStart"), "%s: a socket that executes something", name);
}

/* A name that is a file's, and means nothing to a shell. */
static void check_name(const char *name) {
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "_.-@";
    FUZZ_CHECK(strspn(name, plain) == strlen(name) && strlen(name) < 256 && *name != '.' &&
                   *name != '-',
               "the name %s", name);
}

void check_units(const vqemu_units *units, const char *const *stop) {
    const vqemu_command *command = vqemu_units_command(units);
    size_t count = vqemu_units_count(units);
    FUZZ_CHECK(count == 1 + 2 * vqemu_command_companion_count(command), "%zu units", count);
    for (size_t i = 0; i < count; i++) {
        _cleanup_strv_ struct strv lines = {0};
        const char *name = vqemu_units_name(units, i);
        check_name(name);
        read_unit(name, vqemu_units_text(units, i), &lines);
        check_directives(name, &lines);
        if (i == 0) {
            check_start(name, &lines, command);
            check_stop(name, &lines, command, stop);
        } else if (i % 2 == 1) {
            check_socket(name, &lines, command, i / 2);
        } else {
            check_companion(name, &lines, command, i / 2 - 1);
        }
    }
}
