/* SPDX-License-Identifier: MIT */
#include "command/hardware.h"

#include <stdlib.h>
#include <string.h>

#include "command/option-text.h"
#include "util/strbuf.h"

#define VERSION "volt-hardware 1"

/* Options of which the guest sees something. */
static bool is_visible(enum option_name name) {
    switch (name) {
    case OPTION_MACHINE:
    case OPTION_CPU:
    case OPTION_SMP:
    case OPTION_MEMORY:
    case OPTION_DEVICE:
    case OPTION_UUID:
    case OPTION_GLOBAL:
    case OPTION_RTC:
    case OPTION_SERIAL:
        return true;
    default:
        return false;
    }
}

/* Settings that say how the host does it, and what the firmware begins with. A write cache is one
 * that the guest can switch. */
static const char *const hidden[] = {"dump-guest-core", "memory-backend", "iothread", "write-cache",
                                     "bootindex"};

/* Settings that name another option by its id; of that, the guest sees what kind it is. */
static const struct backend {
    const char *setting;
    enum option_name option;
} backends[] = {{"netdev", OPTION_NETDEV},
                {"chardev", OPTION_CHARDEV},
                {"fsdev", OPTION_FSDEV},
                {"tpmdev", OPTION_TPMDEV},
                {"rng", OPTION_OBJECT}};

static bool is_hidden(const char *name) {
    for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++)
        if (strcmp(name, hidden[i]) == 0)
            return true;
    return false;
}

/* ---- what is attached ---- */

/* What is seen is a word each, and ends with a NUL. */
static void end_word(struct strbuf *seen) {
    strbuf_add_char(seen, '\0');
}

static void add_word(struct strbuf *seen, const char *word) {
    strbuf_add(seen, word);
    end_word(seen);
}

/* "netdev=net0" as "netdev=user". Returns false if the setting is none of these. */
static bool add_backend(const struct options *options, const struct setting *setting,
                        struct strbuf *seen) {
    if (setting->kind != SETTING_TEXT)
        return false;
    for (size_t i = 0; i < sizeof backends / sizeof *backends; i++) {
        if (strcmp(setting->name, backends[i].setting) != 0)
            continue;
        const struct option *found = options_find(options, backends[i].option, "id", setting->text);
        strbuf_add(seen, setting->name);
        strbuf_add_char(seen, '=');
        add_word(seen, found && found->head ? found->head : "");
        return true;
    }
    return false;
}

/* Its medium comes and goes. */
static bool is_cd(const struct option *device) {
    return strcmp(device->head, "ide-cd") == 0 || strcmp(device->head, "scsi-cd") == 0;
}

/* Of a disk it is seen whether it can be written to. */
static void add_drive(const struct options *options, const struct option *device, const char *node,
                      struct strbuf *seen) {
    if (is_cd(device))
        return;
    const struct option *found = options_find(options, OPTION_BLOCKDEV, "node-name", node);
    const struct setting *read_only = found ? option_find(options, found, "read-only") : NULL;
    add_word(seen, read_only && read_only->number ? "drive=read-only" : "drive=writable");
}

static void add_setting(const struct options *options, const struct option *option,
                        const struct setting *setting, struct strbuf *seen) {
    if (is_hidden(setting->name))
        return;
    if (strcmp(setting->name, "drive") == 0) {
        add_drive(options, option, setting->text, seen);
    } else if (!add_backend(options, setting, seen)) {
        setting_add_text(setting, seen);
        end_word(seen);
    }
}

/* ---- what is seen of an option ---- */

bool hardware_shows(const struct option *option) {
    return is_visible(option->name) || option->name == OPTION_EXTRA;
}

/* What is said first is what it is: the head or, where there is none, the first setting. */
static void add_first(const struct option *option, const struct setting *first,
                      struct strbuf *seen) {
    if (option->name == OPTION_SERIAL) /* which port, where it is not "none" */
        strbuf_add(seen, strcmp(option->head, "none") == 0 ? "none" : "port");
    else if (option->head)
        strbuf_add(seen, option->head);
    else
        setting_add_text(first, seen);
    end_word(seen);
}

/* setting: NULL for the head. */
static void add_visible(const struct options *options, const struct option *option,
                        const struct setting *setting, struct strbuf *seen) {
    bool is_first = option->head ? !setting : setting == option_setting(options, option, 0);
    if (is_first)
        add_first(option, setting, seen);
    else if (setting)
        add_setting(options, option, setting, seen);
}

/* ---- what is seen of a backend ---- */

/* Whether a device is attached to an option of this name and id. */
static bool is_attached_by(const struct setting *setting, const struct option *device,
                           enum option_name name, const char *id) {
    if (setting->kind != SETTING_TEXT || strcmp(setting->text, id) != 0)
        return false;
    if (name == OPTION_BLOCKDEV)
        return strcmp(setting->name, "drive") == 0 && !is_cd(device);
    for (size_t i = 0; i < sizeof backends / sizeof *backends; i++)
        if (backends[i].option == name && strcmp(setting->name, backends[i].setting) == 0)
            return true;
    return false;
}

static bool is_attached(const struct options *options, const struct option *backend) {
    const char *id_name = backend->name == OPTION_BLOCKDEV ? "node-name" : "id";
    const struct setting *id = option_find(options, backend, id_name);
    for (size_t i = 0; id && id->kind == SETTING_TEXT && i < options->count; i++) {
        const struct option *device = &options->items[i];
        for (size_t j = 0; device->name == OPTION_DEVICE && j < device->count; j++)
            if (is_attached_by(option_setting(options, device, j), device, backend->name, id->text))
                return true;
    }
    return false;
}

/* Its kind, and whether it can be written to: see add_backend() and add_drive(). */
static void add_attached(const struct options *options, const struct option *backend,
                         const struct setting *setting, struct strbuf *seen) {
    bool is_read_only = setting && backend->name == OPTION_BLOCKDEV && setting->number &&
                        strcmp(setting->name, "read-only") == 0;
    bool is_kind = !setting && backend->head;
    if ((is_kind || is_read_only) && is_attached(options, backend))
        add_word(seen, is_kind ? backend->head : "read-only");
}

char *hardware_seen(const struct options *options, const struct option *option,
                    const struct setting *setting) {
    struct strbuf seen = {0};
    if (is_visible(option->name))
        add_visible(options, option, setting, &seen);
    else if (option->name == OPTION_EXTRA)
        add_word(&seen, option->head);
    else
        add_attached(options, option, setting, &seen);
    return strbuf_take(&seen);
}

/* ---- the digest ---- */

struct word {
    const char *text;
    size_t size; /* with its NUL */
};

/* What an option shows, and room to sort it in; used for one option after the other. */
struct view {
    struct strbuf seen;
    struct word *words;
    size_t count;
};

static int compare_words(const void *a, const void *b) {
    return strcmp(((const struct word *)a)->text, ((const struct word *)b)->text);
}

/* A word, or none, of a setting; NULL for the head. */
static void look_at_setting(struct view *view, const struct options *options,
                            const struct option *option, const struct setting *setting) {
    size_t start = view->seen.length;
    add_visible(options, option, setting, &view->seen);
    if (view->seen.length > start)
        view->words[view->count++].size = view->seen.length - start;
}

static void look_at(struct view *view, const struct options *options, const struct option *option) {
    strbuf_truncate(&view->seen, 0);
    view->count = 0;
    look_at_setting(view, options, option, NULL);
    for (size_t i = 0; i < option->count; i++)
        look_at_setting(view, options, option, option_setting(options, option, i));
    const char *text = view->seen.text; /* which stays where it is from here on */
    for (size_t i = 0; i < view->count; text += view->words[i++].size)
        view->words[i].text = text;
}

/* The order of all but the first means nothing. */
static void hash_option(struct digest_state *state, struct view *view,
                        const struct options *options, const struct option *option) {
    look_at(view, options, option);
    if (view->count > 2)
        qsort(view->words + 1, view->count - 1, sizeof *view->words, compare_words);
    digest_add_text(state, option_spelling(option->name));
    for (size_t i = 0; i < view->count; i++)
        digest_add(state, view->words[i].text, view->words[i].size);
}

bool hardware_digest(const char *arch, const struct options *options, struct digest *digest) {
    size_t most = options->setting_count + 1; /* and a head */
    struct view view = {.words = calloc(most, sizeof *view.words)};
    struct digest_state state;
    digest_start(&state);
    digest_add_text(&state, VERSION);
    digest_add_text(&state, arch);
    for (size_t i = 0; view.words && i < options->count; i++)
        if (is_visible(options->items[i].name))
            hash_option(&state, &view, options, &options->items[i]);
    for (size_t i = 0; i < options->count; i++)
        if (options->items[i].name == OPTION_EXTRA)
            digest_add_text(&state, options->items[i].head);
    *digest = digest_finish(&state);
    bool is_whole = view.words && !view.seen.failed;
    strbuf_release(&view.seen);
    free(view.words);
    return is_whole;
}
