/* SPDX-License-Identifier: MIT */
#include "content/closure-walk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const char *walk_path(const struct walk *walk, size_t file) {
    return walk->files->paths[file];
}

void walk_use(struct walk *walk, size_t file) {
    if (walk->used[file])
        return;
    walk->used[file] = true;
    walk->queue[walk->queued++] = file;
}

int walk_find(const struct walk *walk, const char *directory, const char *name, int64_t *file) {
    char path[512];
    *file = -1;
    if (strlen(directory) + strlen(name) >= sizeof path)
        return 0;
    stpcpy(stpcpy(path, directory), name);
    *file = content_find(walk->files, path);
    return 0;
}

/* ---- programs and guests ---- */

#define BINARY_PREFIX "qemu-system-"

targets targets_of(const char *target) {
    targets bits = 0;
    for (size_t i = 0; i < arch_count(); i++)
        if (strcmp(arch_at(i)->binary + strlen(BINARY_PREFIX), target) == 0)
            bits |= (targets)1 << i;
    return bits;
}

bool walk_serves(const struct walk *walk, const struct arch *guest) {
    int64_t file = -1;
    return profile_serves(walk->profile, guest, walk->host_arch ? walk->host_arch : "") &&
           walk_find(walk, "bin/", guest->binary, &file) == 0 && file >= 0;
}

bool walk_needs(const struct walk *walk, const struct known_name *known, targets asked) {
    for (size_t i = 0; known->needed && i < arch_count(); i++) {
        const struct arch *guest = arch_at(i);
        if (asked & (targets)1 << i && walk_serves(walk, guest) &&
            known->needed(guest, profile_abilities_for(walk->profile, guest)))
            return true;
    }
    return false;
}

/* ---- names ---- */

int walk_add_name(struct walk *walk, const char *text) {
    struct name *names = realloc(walk->names, (walk->name_count + 1) * sizeof *names);
    if (!names)
        return -ENOMEM;
    walk->names = names;
    names[walk->name_count] = (struct name){.text = strdup(text), .length = strlen(text)};
    return names[walk->name_count++].text ? 0 : -ENOMEM;
}
