/* SPDX-License-Identifier: MIT */
#include "qemu/help.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "util/word.h"

#define HELP_MAX ((size_t)1024 * 1024)

/* Lines between which there are the options, and before the names of drivers. */
#define ARGUMENTS_BEGIN "usage:"
#define ARGUMENTS_END "During emulation, the following keys are useful:"
#define DISPLAYS_BEGIN "Available display backend types:"
#define SOUND_BEGIN "Available audio drivers:"
#define NETWORKS_BEGIN "Available netdev backend types:"

#define NAME_BYTES "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"

/* ---- texts ---- */

/* The line behind this one; NULL if it is the last. */
static const char *next_line(const char *line) {
    const char *end = strchr(line, '\n');
    return end ? end + 1 : NULL;
}

/* The line behind one that begins so; NULL if there is none. */
static const char *find_behind(const char *text, const char *beginning) {
    const char *line = text;
    while (line && !begins_with(line, beginning))
        line = next_line(line);
    return line ? next_line(line) : NULL;
}

/* "qemu-system-x86_64: failed to open module": both of its outputs are in one file. */
static bool is_message(const char *line) {
    size_t length = strspn(line, NAME_BYTES);
    return begins_with(line, "qemu") && begins_with(line + length, ": ");
}

/* Lines of one word each, up to an empty one. What is not just that is not understood: nothing is
 * taken from it. */
static void read_names(const char *text, const char *beginning, struct strv *names) {
    const char *line = text ? find_behind(text, beginning) : NULL;
    while (line && *line && *line != '\n') {
        size_t length = strspn(line, NAME_BYTES), whole = strcspn(line, "\n");
        bool is_name = length > 0 && length == whole && line[whole] == '\n';
        if (!is_name && !is_message(line)) {
            strv_release(names);
            return;
        }
        if (is_name)
            strv_addf(names, "%.*s", (int)length, line);
        line += whole + (line[whole] == '\n');
    }
}

/* "-hda/-hdb file", "--preconfig", "-h or -help" */
static void add_arguments_of(struct capability_list *list, const char *line) {
    while (*line == '-') {
        line += strspn(line, "-");
        size_t length = strspn(line, NAME_BYTES);
        _cleanup_free_ char *name = strndup(line, length);
        list->lines.failed = list->lines.failed || !name;
        if (name)
            capability_list_add(list, "argument", name, PROPERTIES_NONE, "");
        line += length;
        line += begins_with(line, " or -") ? strlen(" or ") : *line == '/';
    }
}

static void add_arguments(struct capability_list *list, const char *text) {
    const char *line = find_behind(text, ARGUMENTS_BEGIN);
    const char *end = line ? strstr(line, "\n" ARGUMENTS_END) : NULL;
    while (end && line && line < end) {
        add_arguments_of(list, line);
        line = next_line(line);
    }
}

/* ---- things ---- */

static bool is_among(const struct strv *names, const char *name, size_t size) {
    for (size_t i = 0; i < names->count; i++)
        if (strlen(names->items[i]) == size && strncmp(names->items[i], name, size) == 0)
            return true;
    return false;
}

/* What there is of a kind that is not among the names. */
static void find_missing(const struct capability_list *list, const char *kind,
                         const struct strv *names, struct strv *missing) {
    size_t length = strlen(kind);
    for (size_t i = 0; i < list->lines.count; i++) {
        const char *line = list->lines.items[i];
        if (strncmp(line, kind, length) != 0 || line[length] != ' ')
            continue;
        const char *name = line + length + 1;
        size_t size = strcspn(name, " ");
        if (!is_among(names, name, size))
            strv_addf(missing, "%.*s", (int)size, name);
    }
}

/* Those that QMP's schema has are compiled in; what is not among the names cannot be loaded. */
static int mark_missing(struct capability_list *list, const char *kind, const struct strv *names) {
    _cleanup_strv_ struct strv missing = {0};
    find_missing(list, kind, names, &missing);
    int r = missing.failed ? -ENOMEM : 0;
    for (size_t i = 0; r == 0 && i < missing.count; i++)
        r = capability_list_mark(list, kind, missing.items[i], "broken", "yes");
    return r;
}

static int add_sound(struct capability_list *list, const char *text) {
    _cleanup_strv_ struct strv names = {0};
    read_names(text, SOUND_BEGIN, &names);
    int r = names.failed ? -ENOMEM : 0;
    if (r == 0 && names.count > 0)
        r = mark_missing(list, "audiodev", &names);
    for (size_t i = 0; r == 0 && i < names.count; i++)
        if (!capability_list_has(list, "audiodev", names.items[i]))
            capability_list_add(list, "audiodev", names.items[i], PROPERTIES_UNKNOWN, "");
    return r;
}

static int mark_displays(struct capability_list *list, const char *text) {
    _cleanup_strv_ struct strv names = {0};
    read_names(text, DISPLAYS_BEGIN, &names);
    if (names.count > 0)
        strv_add(&names, "default"); /* whichever there is */
    if (names.failed)
        return -ENOMEM;
    return names.count > 0 ? mark_missing(list, "display", &names) : 0;
}

/* Of backends, the schema has those that are not compiled in as well. */
static int remove_networks(struct capability_list *list, const char *text) {
    _cleanup_strv_ struct strv names = {0}, missing = {0};
    read_names(text, NETWORKS_BEGIN, &names);
    if (names.count > 0) { /* of -net, and not told */
        strv_add(&names, "nic");
        strv_add(&names, "none");
        find_missing(list, "netdev", &names, &missing);
    }
    for (size_t i = 0; i < missing.count; i++)
        capability_list_remove(list, "netdev", missing.items[i]);
    return names.failed || missing.failed ? -ENOMEM : 0;
}

int help_add_texts(struct capability_list *list, const struct helps *helps) {
    if (helps->arguments)
        add_arguments(list, helps->arguments);
    int r = helps->displays ? mark_displays(list, helps->displays) : 0;
    if (r == 0 && helps->sound)
        r = add_sound(list, helps->sound);
    if (r == 0 && helps->networks)
        r = remove_networks(list, helps->networks);
    return r;
}

/* ---- the program ---- */

int help_add(struct capability_list *list, const struct asked *asked, vqemu_error **error) {
    static const char *const questions[][2] = {
        {"-help", NULL}, {"-display", "help"}, {"-audiodev", "help"}, {"-netdev", "help"}};
    char *texts[sizeof questions / sizeof *questions] = {NULL};
    int r = 0;
    for (size_t i = 0; r == 0 && i < sizeof questions / sizeof *questions; i++)
        r = asked_run(asked, questions[i][0], questions[i][1], HELP_MAX, &texts[i], error);
    const struct helps helps = {texts[0], texts[1], texts[2], texts[3]};
    if (r == 0 && help_add_texts(list, &helps) < 0)
        r = error_no_memory(error);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        free(texts[i]);
    return r;
}
