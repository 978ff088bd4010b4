/* SPDX-License-Identifier: MIT */
/* A command -> shell text, JSON. */
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "command/command.h"
#include "util/export.h"
#include "util/strbuf.h"
#include "util/utf8.h"

/* How long what stands at text is that a terminal would obey instead of showing it; 0 if it shows
 * it, as it does with lines and tabs. */
static int command_length(const char *text) {
    unsigned char byte = (unsigned char)*text;
    int length = utf8_sequence_length(text);
    bool is_control = (byte < 0x20 && byte != '\n' && byte != '\t') || byte == 0x7f;
    if (length == 0 || is_control || utf8_is_deceptive(utf8_decode(text, length)))
        return length ? length : 1;
    return 0;
}

/* Within single quotes, which it leaves and enters again. Returns what is behind it. */
static const char *add_printed(struct strbuf *text, const char *c) {
    strbuf_add(text, "'\"$(printf '");
    for (int length; *c && (length = command_length(c)) > 0;)
        for (; length > 0; length--)
            strbuf_addf(text, "\\%03o", (unsigned)(unsigned char)*c++);
    strbuf_add(text, "')\"'");
    return c;
}

/* Nothing is special to a shell within single quotes but the quote itself. */
static void add_quoted(struct strbuf *text, const char *word) {
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "_-./,:=+@%";
    if (*word && strspn(word, plain) == strlen(word)) {
        strbuf_add(text, word);
        return;
    }
    strbuf_add_char(text, '\'');
    for (const char *c = word; *c;) {
        if (command_length(c) > 0) {
            c = add_printed(text, c);
            continue;
        }
        size_t length = (size_t)utf8_sequence_length(c);
        if (*c == '\'')
            strbuf_add(text, "'\\'");
        strbuf_add_bytes(text, c, length);
        c += length;
    }
    strbuf_add_char(text, '\'');
}

/* One option with its value on a line. */
static void add_word(struct strbuf *text, const char *word, const char *previous) {
    bool starts_line = !previous || *word == '-' || *previous != '-';
    strbuf_add(text, starts_line ? " \\\n  " : " ");
    add_quoted(text, word);
}

VQEMU_EXPORT int vqemu_command_to_shell(const vqemu_command *command, uint32_t flags, char **text,
                                        vqemu_error **error) {
    struct strbuf shell = {0};
    error_begin(error);
    REQUIRE_ARGUMENT(text, error);
    *text = NULL;
    REQUIRE_ARGUMENT(command, error);
    REQUIRE_FLAGS(flags, 0, error);
    strbuf_add(&shell, "(cd ");
    add_quoted(&shell, vqemu_command_cwd(command));
    strbuf_add(&shell, " && exec env -i");
    for (char *const *variable = vqemu_command_envp(command); *variable; variable++)
        add_word(&shell, *variable, NULL);
    /* env would take a program with "=" in its path for a variable; sh does not. */
    if (strchr(vqemu_command_path(command), '='))
        strbuf_add(&shell, " \\\n  sh -c 'exec \"$@\"' sh");
    const char *previous = NULL;
    for (char *const *argument = vqemu_command_argv(command); *argument; argument++) {
        add_word(&shell, *argument, previous);
        previous = *argument;
    }
    strbuf_add(&shell, ")\n");
    *text = strbuf_take(&shell);
    return *text ? 0 : error_no_memory(error);
}

static int add_strings(json_t *object, const char *key, char *const *strings, vqemu_error **error) {
    json_t *array = json_array();
    if (json_object_set_new(object, key, array) < 0)
        return error_no_memory(error);
    for (size_t i = 0; strings[i]; i++) {
        if (!utf8_is_valid(strings[i]))
            return error_set(error, VQEMU_ERR_UNSUPPORTED, 0,
                             "%s[%zu] is not UTF-8, which JSON cannot carry; use the shell text",
                             key, i);
        if (json_array_append_new(array, json_string(strings[i])) < 0)
            return error_no_memory(error);
    }
    return 0;
}

VQEMU_EXPORT int vqemu_command_to_json(const vqemu_command *command, uint32_t flags, char **text,
                                       vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(text, error);
    *text = NULL;
    REQUIRE_ARGUMENT(command, error);
    REQUIRE_FLAGS(flags, 0, error);
    _cleanup_json_ json_t *object = json_object();
    if (!object)
        return error_no_memory(error);
    int r = add_strings(object, "argv", vqemu_command_argv(command), error);
    if (r == 0)
        r = add_strings(object, "env", vqemu_command_envp(command), error);
    if (r < 0)
        return r;
    if (!utf8_is_valid(vqemu_command_cwd(command)))
        return error_set(error, VQEMU_ERR_UNSUPPORTED, 0,
                         "the working directory is not UTF-8, which JSON cannot carry; use the "
                         "shell text");
    const char *digest = command->digest.hex, *hardware = command->hardware.hex;
    if (json_object_set_new(object, "cwd", json_string(vqemu_command_cwd(command))) < 0 ||
        json_object_set_new(object, "fingerprint", json_string(digest)) < 0 ||
        json_object_set_new(object, "digest", json_string(digest)) < 0 ||
        json_object_set_new(object, "hardware_digest", json_string(hardware)) < 0)
        return error_no_memory(error);
    return json_to_text(object, text, error);
}
