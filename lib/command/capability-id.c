/* SPDX-License-Identifier: MIT */
#include "command/capability-id.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "command/capability-short.h"
#include "command/option-text.h"
#include "util/similar.h"
#include "util/word.h"

/* Names that are looked for among each other. */
enum space {
    CHARDEVS,
    DEVICES,
    FSDEVS,
    NETDEVS,
    NODES, /* of blocks, and drives */
    OBJECTS,
    SOUND,
    TPMS,
    SPACE_COUNT,
};

static const char *const nouns[SPACE_COUNT] = {
    [CHARDEVS] = "character device", [DEVICES] = "device",   [FSDEVS] = "file system",
    [NETDEVS] = "network backend",   [NODES] = "drive",      [OBJECTS] = "object",
    [SOUND] = "driver of sound",     [TPMS] = "TPM backend",
};

/* Settings by which something gets its id. */
static const struct giver {
    enum option_name option;
    const char *setting;
    enum space space;
    bool is_once; /* QEMU takes it once only */
} givers[] = {
    {OPTION_AUDIODEV, "id", SOUND, false},  {OPTION_BLOCKDEV, "node-name", NODES, true},
    {OPTION_CHARDEV, "id", CHARDEVS, true}, {OPTION_DEVICE, "id", DEVICES, true},
    {OPTION_DRIVE, "id", NODES, true},      {OPTION_DRIVE, "node-name", NODES, true},
    {OPTION_NET, "id", NETDEVS, false},     {OPTION_NETDEV, "id", NETDEVS, true},
    {OPTION_NIC, "id", NETDEVS, false},     {OPTION_OBJECT, "id", OBJECTS, true},
    {OPTION_TPMDEV, "id", TPMS, true},      {OPTION_FSDEV, "id", FSDEVS, true},
};

/* Settings that name something by its id. Of block nodes: BlockdevRef in QEMU's schema. */
static const struct taker {
    enum option_name option;
    const char *setting;
    enum space space;
} takers[] = {
    {OPTION_BLOCKDEV, "backing", NODES},
    {OPTION_BLOCKDEV, "data-file", NODES},
    {OPTION_BLOCKDEV, "file", NODES},
    {OPTION_DEVICE, "audiodev", SOUND},
    {OPTION_DEVICE, "chardev", CHARDEVS},
    {OPTION_DEVICE, "drive", NODES},
    {OPTION_DEVICE, "iothread", OBJECTS},
    {OPTION_DEVICE, "fsdev", FSDEVS},
    {OPTION_DEVICE, "memdev", OBJECTS},
    {OPTION_DEVICE, "netdev", NETDEVS},
    {OPTION_DEVICE, "rng", OBJECTS},
    {OPTION_DEVICE, "tpmdev", TPMS},
    {OPTION_MACHINE, "memory-backend", OBJECTS},
    {OPTION_MON, "chardev", CHARDEVS},
    {OPTION_NET, "netdev", NETDEVS},
    {OPTION_NETDEV, "chardev", CHARDEVS},
    {OPTION_OBJECT, "chardev", CHARDEVS},
    {OPTION_OBJECT, "netdev", NETDEVS},
    {OPTION_TPMDEV, "chardev", CHARDEVS},
};

struct id {
    enum space space;
    const char *text;
    const struct origin *origin;
    bool is_once;
};

struct ids {
    const struct checker *checker;
    struct id *items;
    size_t count;
    bool are_all[SPACE_COUNT]; /* whether there are no others */
};

/* ---- which there are ---- */

/* "node-name", and that of a node within: "file.node-name". */
static bool is_named(const char *name, const char *wanted) {
    size_t length = strlen(name), size = strlen(wanted);
    return strcmp(name, wanted) == 0 || (strcmp(wanted, "node-name") == 0 &&
                                         ends_with(name, wanted) && name[length - size - 1] == '.');
}

static void add_given(struct ids *ids, const struct options *options, const struct option *option,
                      const struct giver *giver) {
    for (size_t i = 0; i < option->count; i++) {
        const struct setting *setting = option_setting(options, option, i);
        if (setting->kind == SETTING_TEXT && is_named(setting->name, giver->setting))
            ids->items[ids->count++] = (struct id){giver->space, setting->text,
                                                   setting_origin(option, setting), giver->is_once};
    }
}

/* What makes QEMU give something an id of its own. */
static void note_others(struct ids *ids, const struct options *options,
                        const struct option *option) {
    bool has_id =
        option_find_text(options, option, "id") || option_find_text(options, option, "node-name");
    if (option->name == OPTION_DRIVE && !has_id)
        ids->are_all[NODES] = false;
    if (option->name == OPTION_AUDIO)
        ids->are_all[SOUND] = false;
    if (option->name == OPTION_VIRTFS)
        ids->are_all[FSDEVS] = false;
}

static void add_options(struct ids *ids, const struct options *options) {
    for (size_t i = 0; i < options->count; i++) {
        const struct option *option = &options->items[i];
        for (size_t k = 0; k < sizeof givers / sizeof *givers; k++)
            if (givers[k].option == option->name)
                add_given(ids, options, option, &givers[k]);
        note_others(ids, options, option);
    }
}

/* Other options of the VM's, which the library does not take apart, may make anything. */
static void note_arguments(struct ids *ids) {
    static const char drives[] = "cdrom fda fdb hda hdb hdc hdd mtdblock pflash sd";
    const struct strv *arguments = &ids->checker->plan->vm->extra_args;
    for (size_t i = 0; i < arguments->count; i++) {
        const char *word = option_word(arguments->items[i]);
        bool is_known = word && option_has_value(word) >= 0;
        if (!word || has_word(drives, word))
            ids->are_all[NODES] = false;
        if (word && (!is_known || strcmp(word, "preconfig") == 0))
            memset(ids->are_all, false, sizeof ids->are_all);
        i += is_known && option_has_value(word) == 1;
    }
}

/* ---- errors ---- */

static int refuse_twin(const struct ids *ids, const struct id *id, const struct id *twin) {
    _cleanup_strbuf_ struct strbuf key = {0}, other = {0};
    vqemu_error **error = ids->checker->error;
    origin_add_key(id->origin, &key);
    origin_add_key(twin->origin, &other);
    if (key.failed || other.failed)
        return error_no_memory(error);
    error_set(error, VQEMU_ERR_INVALID, 0, "%s: the id \"%s\" of the %s is that of %s", key.text,
              id->text, nouns[id->space], other.length ? other.text : "another one already");
    return error_because(VQEMU_ERR_INVALID, error, "id-twice", VQEMU_DETAIL_KEY, key.text,
                         VQEMU_DETAIL_VALUE, id->text, NULL);
}

static int refuse_unknown(const struct ids *ids, enum space space, const char *text,
                          const struct origin *origin) {
    _cleanup_strbuf_ struct strbuf key = {0}, alike = {0};
    vqemu_error **error = ids->checker->error;
    struct similar similar = {.wanted = text};
    for (size_t i = 0; i < ids->count; i++)
        if (ids->items[i].space == space)
            similar_look_at(&similar, ids->items[i].text);
    similar_add(&similar, &alike);
    origin_add_key(origin, &key);
    if (key.failed || alike.failed)
        return error_no_memory(error);
    error_set(error, VQEMU_ERR_INVALID, 0, "%s: there is no %s with the id \"%s\"%s%s", key.text,
              nouns[space], text, alike.length ? "; similar there: " : "",
              alike.length ? alike.text : "");
    return error_because(VQEMU_ERR_INVALID, error, "no-such-id", VQEMU_DETAIL_KEY, key.text,
                         VQEMU_DETAIL_VALUE, text, VQEMU_DETAIL_CHOICES,
                         alike.length ? alike.text : NULL, NULL);
}

/* ---- the checks ---- */

static bool is_extra(const struct id *id) {
    return id->origin->list && strcmp(id->origin->list, "extra_args") == 0;
}

static int compare(const void *a, const void *b) {
    const struct id *first = a, *second = b;
    if (first->space != second->space)
        return first->space < second->space ? -1 : 1;
    int order = strcmp(first->text, second->text);
    if (order != 0)
        return order;
    return (int)is_extra(first) - (int)is_extra(second);
}

/* What the library itself says has been checked where it comes from. */
static int check_twins(const struct ids *ids) {
    for (size_t i = 1; i < ids->count; i++) {
        const struct id *id = &ids->items[i], *before = id - 1;
        if (id->space == before->space && strcmp(id->text, before->text) == 0 && id->is_once &&
            before->is_once && is_extra(id))
            return refuse_twin(ids, id, before);
    }
    return 0;
}

/* Paths of objects, and names that QEMU makes up itself, are none of the VM's ids. */
static bool is_own_name(enum space space, const char *text) {
    static const char *const labels[] = {"compat_monitor", "debugcon", "gdb", "parallel", "serial"};
    bool is = !*text || *text == '#' || begins_with(text, "__org.qemu.") ||
              (space == OBJECTS && strpbrk(text, "/."));
    for (size_t i = 0; !is && space == CHARDEVS && i < sizeof labels / sizeof *labels; i++)
        is = begins_with(text, labels[i]);
    return is;
}

static int check_known_id(const struct ids *ids, enum space space, const char *text,
                          const struct origin *origin) {
    if (!text || !ids->are_all[space] || is_own_name(space, text))
        return 0;
    for (size_t i = 0; i < ids->count; i++)
        if (ids->items[i].space == space && strcmp(ids->items[i].text, text) == 0)
            return 0;
    return refuse_unknown(ids, space, text, origin);
}

static int check_taken(const struct ids *ids, const struct option *option) {
    int r = check_known_id(ids, CHARDEVS, short_form_id(option), &option->origin);
    for (size_t i = 0; r == 0 && i < sizeof takers / sizeof *takers; i++) {
        const struct setting *setting =
            takers[i].option == option->name
                ? option_find_text(ids->checker->options, option, takers[i].setting)
                : NULL;
        if (setting)
            r = check_known_id(ids, takers[i].space, setting->text,
                               setting_origin(option, setting));
    }
    return r;
}

int check_ids(const struct checker *checker, const struct options *own) {
    const struct options *extra = checker->options;
    struct ids ids = {.checker = checker};
    memset(ids.are_all, true, sizeof ids.are_all);
    if (extra->count == 0)
        return 0;
    ids.items = calloc(own->setting_count + extra->setting_count + 1, sizeof *ids.items);
    if (!ids.items)
        return error_no_memory(checker->error);
    note_arguments(&ids);
    add_options(&ids, own);
    add_options(&ids, extra);
    qsort(ids.items, ids.count, sizeof *ids.items, compare);
    int r = check_twins(&ids);
    for (size_t i = 0; r == 0 && i < extra->count; i++)
        r = check_taken(&ids, &extra->items[i]);
    free(ids.items);
    return r;
}
