/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "content/closure-walk.h"
#include "util/strbuf.h"

/* Below lib/ and firmware/; what else a profile has, such as licences, is nobody's to ask for. */
static int add_unused(struct walk *walk) {
    int r = 0;
    for (size_t i = 0; r == 0 && i < walk->files->count; i++) {
        const char *path = walk_path(walk, i);
        bool is_library = strncmp(path, LIBRARY_PREFIX, strlen(LIBRARY_PREFIX)) == 0;
        bool is_keymap = strncmp(path, KEYMAP_PREFIX, strlen(KEYMAP_PREFIX)) == 0;
        if (walk->used[i] ||
            (!is_library && strncmp(path, FIRMWARE_PREFIX, strlen(FIRMWARE_PREFIX)) != 0))
            continue;
        enum closure_kind kind = content_is_module(path) ? CLOSURE_MODULE
                                 : is_library            ? CLOSURE_LIBRARY
                                 : is_keymap             ? CLOSURE_KEYMAP
                                                         : CLOSURE_FIRMWARE;
        r = closure_add(walk->closure, kind, CLOSURE_UNUSED, path, "",
                        format_string("%s is not used: nothing in the profile asks for it", path));
    }
    return r;
}

static int walk_all(struct walk *walk) {
    size_t count = walk->files->count + 1;
    walk->closure = calloc(1, sizeof *walk->closure);
    walk->used = calloc(count, sizeof *walk->used);
    walk->queue = calloc(count, sizeof *walk->queue);
    walk->programs = calloc(count, sizeof *walk->programs);
    if (!walk->closure || !walk->used || !walk->queue || !walk->programs)
        return -ENOMEM;
    int r = walk_programs(walk);
    if (r == 0)
        r = walk_modules(walk);
    if (r == 0)
        r = walk_queue(walk);
    if (r == 0)
        r = walk_firmware(walk);
    if (r == 0)
        r = walk_uefi(walk);
    if (r == 0)
        r = walk_abilities(walk);
    return r == 0 ? add_unused(walk) : r;
}

static void release_walk(struct walk *walk) {
    for (size_t i = 0; i < walk->program_count; i++)
        free(walk->programs[i].stamp);
    for (size_t i = 0; i < walk->name_count; i++)
        free(walk->names[i].text);
    for (size_t i = 0; i < walk->other_count; i++)
        free(walk->others[i].text);
    free(walk->programs);
    free(walk->names);
    free(walk->others);
    free(walk->used);
    free(walk->queue);
    free(walk->module_dir);
    free(walk->signs);
    closure_free(walk->closure);
}

int closure_find(const struct content_files *files, const vqemu_profile *profile,
                 const char *host_arch, struct vqemu_progress *progress, vqemu_closure **closure,
                 vqemu_error **error) {
    _cleanup_(release_walk) struct walk walk = {
        .files = files,
        .profile = profile,
        .host_arch = host_arch,
        .progress = progress,
    };
    int r = walk_all(&walk);
    if (r == -ECANCELED)
        return progress_given_up(progress, error);
    if (r < 0)
        return error_no_memory(error);
    closure_sort(walk.closure);
    *closure = TAKE_POINTER(walk.closure);
    return 0;
}
