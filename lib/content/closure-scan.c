/* SPDX-License-Identifier: MIT */
/* Files are looked into: what they are linked with, and the names among their texts. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/elf-file.h"
#include "content/closure-walk.h"
#include "util/strbuf.h"

#define STAMP "qemu_stamp_"
/* Names in programs that are none of the known ones: a real one has none or a few. */
#define OTHERS_MAX 256

/* ---- texts ---- */

static int add_other(struct walk *walk, const char *text, size_t file) {
    for (size_t i = 0; i < walk->other_count; i++)
        if (strcmp(walk->others[i].text, text) == 0)
            return 0;
    if (walk->other_count == OTHERS_MAX)
        return 0;
    struct other *others = realloc(walk->others, (walk->other_count + 1) * sizeof *others);
    if (!others)
        return -ENOMEM;
    walk->others = others;
    others[walk->other_count] = (struct other){strdup(text), file};
    return others[walk->other_count++].text ? 0 : -ENOMEM;
}

/* The texts of a file. */
struct scan {
    struct walk *walk;
    size_t file;
    targets asking; /* 0 for a library, which asks for libraries only */
    bool is_qemu;
    char *stamp;
};

static bool looks_like_library(const char *text) {
    static const char characters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                     "0123456789._+-";
    const char *suffix = strstr(text, ".so");
    if (strncmp(text, "lib", 3) != 0 || !suffix || text[strspn(text, characters)])
        return false;
    const char *version = suffix + strlen(".so");
    return !*version || (*version == '.' && version[1] >= '0' && version[1] <= '9');
}

/* Linkers keep of two texts that end alike the longer. */
static bool find_name(struct scan *scan, const char *text, size_t length) {
    struct walk *walk = scan->walk;
    bool found = false;
    for (size_t i = 0; i < walk->name_count; i++) {
        struct name *name = &walk->names[i];
        if (name->length > length || text[length - 1] != name->text[name->length - 1] ||
            memcmp(text + length - name->length, name->text, name->length) != 0)
            continue;
        if (!name->asked)
            name->by = scan->file;
        name->asked |= scan->asking;
        found = true;
    }
    return found;
}

static int take_text(const char *text, size_t length, void *userdata) {
    struct scan *scan = userdata;
    if (scan->is_qemu && !scan->stamp && strncmp(text, STAMP, strlen(STAMP)) == 0) {
        scan->stamp = strdup(text);
        return scan->stamp ? 0 : -ENOMEM;
    }
    if (looks_like_library(text))
        return walk_library_name(scan->walk, scan->file, text);
    if (scan->is_qemu)
        walk_take_sign(scan->walk, scan->file, scan->asking, text, length);
    if (scan->is_qemu && !find_name(scan, text, length) && looks_like_firmware(text))
        return add_other(scan->walk, text, scan->file);
    return 0;
}

static int unknown(const struct scan *scan, enum closure_kind kind, const char *why) {
    struct walk *walk = scan->walk;
    const char *path = walk_path(walk, scan->file);
    walk->unread |= scan->asking;
    return closure_add(walk->closure, kind, CLOSURE_UNKNOWN, path, "",
                       format_string("what %s needs cannot be told: %s", path, why));
}

static int look_into(struct scan *scan, enum closure_kind kind, struct elf_info *elf) {
    struct walk *walk = scan->walk;
    const struct watch watch = {walk->progress, 0};
    _cleanup_close_ int fd = walk->files->open(walk->files->context, scan->file);
    if (fd == -ENOMEM)
        return fd;
    if (fd < 0)
        return unknown(scan, kind, "it cannot be read");
    int r = elf_read(fd, elf);
    if (r < 0)
        return r == -ENOMEM ? r : unknown(scan, kind, "it cannot be read");
    if (!elf->is_elf)
        return unknown(scan, kind, "it is no ELF file");
    r = walk_libraries(walk, scan->file, fd, elf);
    if (r == 0)
        r = elf_for_each_string(fd, &watch, take_text, scan);
    if (r < 0 && r != -ENOMEM && r != -ECANCELED)
        r = unknown(scan, kind, "it is a broken ELF file, or cannot be read to its end");
    return r;
}

static bool goes_on(struct walk *walk) {
    return watch_poll(&(struct watch){walk->progress, 0}) == 0;
}

/* ---- programs ---- */

static int add_names(struct walk *walk) {
    int r = 0;
    for (size_t i = 0; r == 0 && i < known_firmware_count(); i++)
        r = walk_add_name(walk, known_firmware_at(i)->name);
    if (r == 0)
        r = walk_add_module_names(walk);
    return r == 0 ? walk_add_signs(walk) : r;
}

static targets target_of_program(const char *path) {
    targets target = targets_of(path + strlen(PROGRAM_PREFIX));
    return target ? target : OTHER_TARGETS;
}

static int walk_program(struct walk *walk, size_t file) {
    struct program *program = &walk->programs[walk->program_count++];
    *program = (struct program){file, target_of_program(walk_path(walk, file)), NULL};
    struct scan scan = {walk, file, program->target, true, NULL};
    struct elf_info elf = {0};
    walk->used[file] = true;
    int r = look_into(&scan, CLOSURE_PROGRAM, &elf);
    program->stamp = scan.stamp;
    return r == 0 && elf.loader[0] ? walk_loader(walk, file, &elf) : r;
}

static bool is_program_of_others(const char *path) {
    return strncmp(path, "bin/", 4) == 0 && !content_is_program(path);
}

/* A helper that lies beside QEMU; it may be a script. */
static int walk_helper(struct walk *walk, size_t file) {
    struct scan scan = {.walk = walk, .file = file};
    struct elf_info elf;
    _cleanup_close_ int fd = walk->files->open(walk->files->context, file);
    if (fd < 0)
        return fd == -ENOMEM ? fd : 0;
    int r = elf_read(fd, &elf);
    if (r < 0 || !elf.is_elf)
        return r == -ENOMEM ? r : 0; /* a damaged object is for the check of objects */
    r = look_into(&scan, CLOSURE_PROGRAM, &elf);
    return r == 0 && elf.loader[0] ? walk_loader(walk, file, &elf) : r;
}

/* Of a profile of the library's own nobody said which of its guests it is to serve. */
static int no_program(struct walk *walk, const struct arch *guest, bool has_another) {
    bool is_own = vqemu_profile_find(vqemu_profile_name(walk->profile)) != walk->profile;
    bool is_missing = is_own || !has_another;
    return closure_add(walk->closure, CLOSURE_PROGRAM,
                       is_missing ? CLOSURE_MISSING : CLOSURE_OPTIONAL, guest->binary, "",
                       format_string("bin/%s is %s: %s guests need it", guest->binary,
                                     is_missing ? "missing" : "not there, which may be meant",
                                     guest->name));
}

static int check_programs(struct walk *walk) {
    bool has_one = false;
    int r = 0;
    for (size_t i = 0; i < arch_count(); i++)
        has_one |= walk_serves(walk, arch_at(i));
    for (size_t i = 0; r == 0 && i < arch_count(); i++)
        if (profile_serves(walk->profile, arch_at(i), walk->host_arch ? walk->host_arch : "") &&
            !walk_serves(walk, arch_at(i)))
            r = no_program(walk, arch_at(i), has_one);
    return r;
}

int walk_programs(struct walk *walk) {
    int r = add_names(walk);
    for (size_t i = 0; r == 0 && i < walk->files->count; i++) {
        if (content_is_program(walk_path(walk, i)))
            r = goes_on(walk) ? walk_program(walk, i) : -ECANCELED;
        else if (is_program_of_others(walk_path(walk, i)))
            r = goes_on(walk) ? walk_helper(walk, i) : -ECANCELED;
    }
    return r == 0 ? check_programs(walk) : r;
}

int walk_queue(struct walk *walk) {
    int r = 0;
    while (r == 0 && walk->finished < walk->queued) {
        size_t file = walk->queue[walk->finished++];
        if (!goes_on(walk))
            return -ECANCELED;
        bool is_module = content_is_module(walk_path(walk, file));
        targets asking = is_module ? walk_module_targets(walk, file) : 0;
        struct scan scan = {walk, file, asking, is_module, NULL};
        struct elf_info elf = {0};
        r = look_into(&scan, is_module ? CLOSURE_MODULE : CLOSURE_LIBRARY, &elf);
        if (r == 0 && is_module && elf.is_elf)
            r = walk_stamp(walk, file, scan.stamp);
        free(scan.stamp);
    }
    return r;
}
