/* SPDX-License-Identifier: MIT */
/* How the files of a runtime's tree were made. */
#include <errno.h>
#include <stdlib.h>

#include <volt-qemu/runtime.h>

#include "base/error.h"
#include "tree/runtime.h"
#include "tree/stamp.h"
#include "util/export.h"

struct placed_file {
    const char *path; /* in the text */
    enum placement how;
    const char *reason;
};

struct vqemu_placement_list {
    char *text; /* the stamp */
    struct placed_file *files;
    size_t count, capacity;
};

static const char *explain(const struct tree_file *file) {
    if (file->how == PLACED_NEW)
        return "empty files are not linked";
    if (file->alternative)
        return "a link to the object's copy with the other mode, in alt/";
    switch (file->reason) {
    case 0:
        return NULL;
    case EXDEV:
        return "the objects are on another file system (EXDEV)";
    case EMLINK:
        return "the object has all the links it can have (EMLINK)";
    case EPERM:
        return "linking is not permitted: the object is another user's "
               "(fs.protected_hardlinks), immutable, or has the wrong mode (EPERM)";
    case EACCES:
        return "linking is not permitted (EACCES)";
    case EOPNOTSUPP:
        return "the file system has no hard links (EOPNOTSUPP)";
    case ENOSYS:
        return "the file system has no hard links (ENOSYS)";
    case ENOENT:
        return "the object could not be linked (ENOENT)";
    default:
        return "the object could not be linked";
    }
}

static int add_file(vqemu_placement_list *list, const struct stamp_line *line) {
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? 2 * list->capacity : 64;
        struct placed_file *files = realloc(list->files, capacity * sizeof *files);
        if (!files)
            return -ENOMEM;
        list->files = files;
        list->capacity = capacity;
    }
    list->files[list->count++] =
        (struct placed_file){line->path, line->file.how, explain(&line->file)};
    return 0;
}

static int fill_list(const vqemu_runtime *runtime, vqemu_placement_list *list) {
    struct layout layout;
    struct stamp_line line;
    bool broken;
    int r = stamp_read(vqemu_runtime_lease_fd(runtime), runtime->store_flags, false, &list->text);
    if (r < 0)
        return r;
    char *text = list->text;
    if (!stamp_take_layout(&text, runtime->digest.hex, "", &layout))
        return -EBADMSG;
    while (stamp_take_line(&text, &line, &broken))
        if (!line.is_directory && add_file(list, &line) < 0)
            return -ENOMEM;
    return broken ? -EBADMSG : 0;
}

VQEMU_EXPORT int vqemu_runtime_list_placements(const vqemu_runtime *runtime, uint32_t flags,
                                               vqemu_placement_list **list, vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(list, error);
    *list = NULL;
    REQUIRE_ARGUMENT(runtime, error);
    REQUIRE_FLAGS(flags, 0, error);
    if (!vqemu_runtime_tree(runtime))
        return error_set(error, VQEMU_ERR_INVALID, 0,
                         "a runtime that was described by hand has no tree");
    vqemu_placement_list *new = calloc(1, sizeof *new);
    int r = new ? fill_list(runtime, new) : -ENOMEM;
    if (r == 0) {
        *list = new;
        return 0;
    }
    vqemu_placement_list_free(new);
    if (r == -ENOMEM)
        return error_no_memory(error);
    return error_set(error, VQEMU_ERR_CORRUPT, 0, "the stamp %s/" TREE_STAMP_NAME " was altered",
                     vqemu_runtime_tree(runtime));
}

VQEMU_EXPORT size_t vqemu_placement_list_count(const vqemu_placement_list *list) {
    return list ? list->count : 0;
}

VQEMU_EXPORT const char *vqemu_placement_list_path(const vqemu_placement_list *list, size_t index) {
    return list && index < list->count ? list->files[index].path : NULL;
}

VQEMU_EXPORT const char *vqemu_placement_list_how(const vqemu_placement_list *list, size_t index) {
    return list && index < list->count ? placement_name(list->files[index].how) : NULL;
}

VQEMU_EXPORT const char *vqemu_placement_list_message(const vqemu_placement_list *list,
                                                      size_t index) {
    return list && index < list->count ? list->files[index].reason : NULL;
}

VQEMU_EXPORT void vqemu_placement_list_free(vqemu_placement_list *list) {
    if (!list)
        return;
    free(list->text);
    free(list->files);
    free(list);
}
