/* SPDX-License-Identifier: MIT */
/*
 * QEMU's modules. A program that was built with modules has the names of all of them, and a stamp,
 * which a module must have, too (util/module.c in QEMU's sources).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "content/closure-walk.h"
#include "util/join.h"
#include "util/path.h"
#include "util/strbuf.h"

#define SUFFIX ".so"

/* The name of a module of the profile, in a buffer. */
static const char *name_of(const char *path, char name[256]) {
    const char *base = base_name(path);
    size_t length = strlen(base) - strlen(SUFFIX);
    if (length >= 256)
        length = 255;
    memcpy(name, base, length);
    name[length] = '\0';
    return name;
}

static const struct name *find_name(const struct walk *walk, const char *text) {
    for (size_t i = known_firmware_count(); i < walk->name_count; i++)
        if (strcmp(walk->names[i].text, text) == 0)
            return &walk->names[i];
    return NULL;
}

/* ---- names ---- */

static int add_once(struct walk *walk, const char *text) {
    return find_name(walk, text) ? 0 : walk_add_name(walk, text);
}

static int add_accelerators(struct walk *walk, const char *program) {
    static const char *const starts[] = {MODULE_TCG, MODULE_QTEST};
    int r = 0;
    for (size_t i = 0; r == 0 && i < 2; i++) {
        _cleanup_free_ char *name = join_texts(starts[i], program + strlen(PROGRAM_PREFIX), NULL);
        r = name ? add_once(walk, name) : -ENOMEM;
    }
    return r;
}

/* QEMU is told one directory, that of the first (lib/tree/stamp.c). */
static int set_directory(struct walk *walk, const char *path) {
    if (walk->module_dir)
        return 0;
    walk->module_dir = strndup(path, (size_t)(base_name(path) - path));
    return walk->module_dir ? 0 : -ENOMEM;
}

static int add_module_name(struct walk *walk, const char *path) {
    char name[256];
    int r = set_directory(walk, path);
    return r == 0 ? add_once(walk, name_of(path, name)) : r;
}

int walk_add_module_names(struct walk *walk) {
    int r = 0;
    for (size_t i = 0; r == 0 && i < known_modules_count(); i++)
        r = walk_add_name(walk, known_modules_at(i)->name);
    for (size_t i = 0; r == 0 && i < walk->files->count; i++) {
        const char *path = walk_path(walk, i);
        if (content_is_program(path))
            r = add_accelerators(walk, path);
        else if (content_is_module(path))
            r = add_module_name(walk, path);
    }
    return r == 0 ? walk_add_name(walk, DEFAULT_KEYMAP) : r;
}

/* ---- who can load them ---- */

/* Of the targets, those whose programs were built with modules. */
static targets with_modules(const struct walk *walk, targets asked) {
    targets can = 0;
    for (size_t i = 0; i < walk->program_count; i++)
        if (walk->programs[i].stamp)
            can |= walk->programs[i].target;
    return asked & can;
}

/* The target of an accelerator's module; NULL for another module. All programs have the names of
 * all accelerators. */
static const char *target_of(const char *name) {
    if (strncmp(name, MODULE_TCG, strlen(MODULE_TCG)) == 0)
        return name + strlen(MODULE_TCG);
    if (strncmp(name, MODULE_QTEST, strlen(MODULE_QTEST)) == 0)
        return name + strlen(MODULE_QTEST);
    return NULL;
}

static targets loaded_by(const struct walk *walk, const struct name *name) {
    const char *target = target_of(name->text);
    targets possible = target ? targets_of(target) : (targets)-1;
    if (target && !possible)
        possible = OTHER_TARGETS;
    return with_modules(walk, name->asked & possible);
}

targets walk_module_targets(const struct walk *walk, size_t file) {
    char text[256];
    const struct name *name = find_name(walk, name_of(walk_path(walk, file), text));
    return name ? loaded_by(walk, name) : 0;
}

/* The file of a module; -1 if there is none. */
static int64_t find_file(const struct walk *walk, const char *name) {
    char file_name[280];
    int64_t file = -1;
    if (!walk->module_dir || strlen(name) + sizeof SUFFIX > sizeof file_name)
        return -1;
    stpcpy(stpcpy(file_name, name), SUFFIX);
    return walk_find(walk, walk->module_dir, file_name, &file) < 0 ? -1 : file;
}

int walk_find_module(const struct walk *walk, targets target, const char *name, size_t *file) {
    const struct name *asked = find_name(walk, name);
    if (!asked || !(loaded_by(walk, asked) & target))
        return -1;
    int64_t found = find_file(walk, name);
    *file = found < 0 ? 0 : (size_t)found;
    return found >= 0;
}

int walk_stamp(struct walk *walk, size_t file, const char *stamp) {
    const char *path = walk_path(walk, file);
    targets asked = walk_module_targets(walk, file);
    for (size_t i = 0; i < walk->program_count; i++) {
        const struct program *program = &walk->programs[i];
        if (!(program->target & asked) || !program->stamp ||
            (stamp && strcmp(stamp, program->stamp) == 0))
            continue;
        return closure_add(walk->closure, CLOSURE_MODULE, CLOSURE_UNUSABLE, path,
                           walk_path(walk, program->file),
                           format_string("%s is of another build of QEMU than %s, which refuses it",
                                         path, walk_path(walk, program->file)));
    }
    return 0;
}

/* ---- what is there ---- */

static bool is_for_emulation(const struct arch *guest, uint64_t abilities) {
    (void)guest;
    return abilities & VQEMU_ABILITY_TCG;
}

/* An accelerator as a row of the table; false for another module. */
static bool describe_accelerator(const char *name, struct known_name *row) {
    if (!target_of(name))
        return false;
    bool is_tcg = strncmp(name, MODULE_TCG, strlen(MODULE_TCG)) == 0;
    *row = (struct known_name){
        .name = name,
        .needed = is_tcg ? is_for_emulation : NULL,
        .who = is_tcg ? "emulation" : "QEMU's own tests",
    };
    return true;
}

static bool describe(const char *name, struct known_name *row) {
    for (size_t i = 0; i < known_modules_count(); i++) {
        if (strcmp(known_modules_at(i)->name, name) == 0) {
            *row = *known_modules_at(i);
            return true;
        }
    }
    return describe_accelerator(name, row);
}

static int add_missing(struct walk *walk, const struct name *name) {
    struct known_name row;
    targets asked = loaded_by(walk, name);
    if (!asked || !describe(name->text, &row))
        return 0;
    const char *directory = walk->module_dir ? walk->module_dir : "lib/qemu/";
    bool is_needed = walk_needs(walk, &row, asked);
    return closure_add(walk->closure, CLOSURE_MODULE,
                       is_needed ? CLOSURE_MISSING : CLOSURE_OPTIONAL, name->text,
                       walk_path(walk, name->by),
                       format_string(is_needed ? "%s%s.so is missing: %s needs it for %s"
                                               : "%s%s.so is not there: %s needs it only for %s",
                                     directory, name->text, walk_path(walk, name->by), row.who));
}

static int walk_module(struct walk *walk, const struct name *name) {
    int64_t file = find_file(walk, name->text);
    if (!name->asked)
        return 0;
    if (file < 0)
        return add_missing(walk, name);
    if (loaded_by(walk, name))
        walk_use(walk, (size_t)file);
    return 0;
}

/* Those that the programs have the names of; the last name is that of the keymap. */
int walk_modules(struct walk *walk) {
    int r = 0;
    for (size_t i = known_firmware_count(); r == 0 && i + 1 < walk->name_count; i++)
        r = walk_module(walk, &walk->names[i]);
    return r;
}
