/* SPDX-License-Identifier: MIT */
/* Firmware, ROMs, device trees and keymaps that programs and modules have the names of. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "content/closure-walk.h"
#include "util/fd.h"
#include "util/strbuf.h"

/* ---- firmware ---- */

/* Some names are in programs that never come to ask. */
static targets can_ask(const struct known_name *row) {
    targets can = OTHER_TARGETS;
    if (!row->programs)
        return (targets)-1;
    for (const char *word = row->programs; *word;) {
        char target[32] = "";
        size_t length = strcspn(word, " ");
        if (length < sizeof target)
            memcpy(target, word, length);
        can |= targets_of(target);
        word += length + (word[length] == ' ');
    }
    return can;
}

static int take_known(struct walk *walk, const struct known_name *row, const struct name *name) {
    targets asked = name->asked & can_ask(row);
    int64_t file;
    int r = walk_find(walk, FIRMWARE_PREFIX, row->name, &file);
    if (r < 0 || !asked)
        return r;
    if (file >= 0) {
        walk->used[file] = true;
        return 0;
    }
    const char *by = walk_path(walk, name->by);
    bool is_needed = walk_needs(walk, row, asked);
    return closure_add(walk->closure, CLOSURE_FIRMWARE,
                       is_needed ? CLOSURE_MISSING : CLOSURE_OPTIONAL, row->name, by,
                       format_string(is_needed
                                         ? "firmware/%s is missing: %s needs it for %s"
                                         : "firmware/%s is not there: %s needs it only for %s",
                                     row->name, by, row->who));
}

static int take_other(struct walk *walk, const struct other *other) {
    int64_t file;
    int r = walk_find(walk, FIRMWARE_PREFIX, other->text, &file);
    if (r == 0 && file >= 0)
        walk->used[file] = true;
    if (r < 0 || file >= 0)
        return r;
    return closure_add(walk->closure, CLOSURE_FIRMWARE, CLOSURE_OPTIONAL, other->text,
                       walk_path(walk, other->by),
                       format_string("firmware/%s is not there: %s has its name, and may ask for "
                                     "it",
                                     other->text, walk_path(walk, other->by)));
}

/* ---- keymaps ---- */

#define KEYMAP_LIMIT ((size_t)64 * 1024)
#define INCLUDE "include "
/* Files that include each other. */
#define KEYMAPS_MAX 64

static int use_keymap(struct walk *walk, const char *name, const char *by, bool is_needed,
                      unsigned depth);

/* The lines "include NAME". */
static int use_included(struct walk *walk, char *text, const char *by, bool is_needed,
                        unsigned depth) {
    int r = 0;
    for (char *line = text, *end; r == 0 && *line; line = end) {
        size_t length = strcspn(line, "\n");
        end = line + length + (line[length] == '\n');
        line[length] = '\0';
        if (strncmp(line, INCLUDE, strlen(INCLUDE)) == 0)
            r = use_keymap(walk, line + strlen(INCLUDE), by, is_needed, depth + 1);
    }
    return r;
}

static int read_keymap(struct walk *walk, size_t file, bool is_needed, unsigned depth) {
    _cleanup_free_ char *text = malloc(KEYMAP_LIMIT + 1);
    _cleanup_close_ int fd = walk->files->open(walk->files->context, file);
    if (!text)
        return -ENOMEM;
    ssize_t n = fd < 0 ? fd : read_some_at(fd, text, KEYMAP_LIMIT, 0);
    if (n < 0)
        return fd == -ENOMEM ? fd : 0; /* a damaged object is for the check of objects */
    text[n] = '\0';
    return use_included(walk, text, walk_path(walk, file), is_needed, depth);
}

static int use_keymap(struct walk *walk, const char *name, const char *by, bool is_needed,
                      unsigned depth) {
    int64_t file;
    int r = walk_find(walk, KEYMAP_PREFIX, name, &file);
    if (r < 0 || depth == KEYMAPS_MAX || (file >= 0 && walk->used[file]))
        return r;
    if (file < 0)
        return closure_add(
            walk->closure, CLOSURE_KEYMAP, is_needed ? CLOSURE_MISSING : CLOSURE_OPTIONAL, name, by,
            format_string(is_needed ? "firmware/keymaps/%s is missing: %s needs it for VNC"
                                    : "firmware/keymaps/%s is not there: %s needs it only for VNC",
                          name, by));
    walk->used[file] = true;
    return read_keymap(walk, (size_t)file, is_needed, depth);
}

static bool shows(const struct arch *guest, uint64_t abilities) {
    (void)guest;
    return abilities & VQEMU_ABILITY_DISPLAY;
}

static int walk_keymaps(struct walk *walk) {
    static const struct known_name row = {DEFAULT_KEYMAP, NULL, shows, "VNC"};
    const struct name *name = &walk->names[walk->name_count - 1];
    return name->asked ? use_keymap(walk, name->text, walk_path(walk, name->by),
                                    walk_needs(walk, &row, name->asked), 0)
                       : 0;
}

int walk_firmware(struct walk *walk) {
    int r = 0;
    for (size_t i = 0; r == 0 && i < known_firmware_count(); i++)
        r = take_known(walk, known_firmware_at(i), &walk->names[i]);
    for (size_t i = 0; r == 0 && i < walk->other_count; i++)
        r = take_other(walk, &walk->others[i]);
    return r == 0 ? walk_keymaps(walk) : r;
}
