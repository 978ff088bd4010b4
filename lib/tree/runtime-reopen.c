/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/error.h"
#include "store/directory.h"
#include "store/guard.h"
#include "tree/lease.h"
#include "tree/runtime.h"
#include "util/fd.h"
#include "util/path.h"

static int is_gone(const char *tree, const char *how, vqemu_error **error) {
    int r = error_set(error, VQEMU_ERR_CHANGED, 0,
                      "the tree %s %s: the profile has to be resolved again", tree, how);
    return error_because(r, error, "tree-gone", VQEMU_DETAIL_PATH, tree, NULL);
}

static int is_others(const char *tree, vqemu_error **error) {
    int r = error_set(error, VQEMU_ERR_REFUSED, 0,
                      "the tree %s is another user's, or others may write to it: the profile has "
                      "to be resolved again",
                      tree);
    return error_because(r, error, "untrusted-store", VQEMU_DETAIL_PATH, tree, NULL);
}

/* The arguments that were saved have the path: what others could have lead elsewhere is no good. */
static int check_way(int fd, const struct stat *trees, const char *path, vqemu_error **error) {
    _cleanup_free_ char *now = NULL;
    int r = directory_path(fd, trees, path, &now);
    if (r < 0)
        return error_no_memory(error);
    if (r == 1 && strcmp(now, path) == 0)
        return 0;
    r = error_set(error, VQEMU_ERR_REFUSED, 0,
                  "%s is reached by links that others could change: the profile has to be resolved "
                  "again",
                  path);
    return error_because(r, error, "untrusted-store", VQEMU_DETAIL_PATH, path, NULL);
}

/* The directory of trees: a descriptor or an error. */
static int open_trees(const char *tree, uint32_t store_flags, char **trees_path, int *fd,
                      vqemu_error **error) {
    const char *name = base_name(tree);
    bool is_link;
    struct stat status;
    *trees_path = strndup(tree, name - tree > 1 ? (size_t)(name - tree - 1) : 1);
    if (!*trees_path)
        return error_no_memory(error);
    *fd = directory_open_at(AT_FDCWD, *trees_path, &is_link);
    if (*fd == -ENOENT || *fd == -ENOTDIR)
        return is_gone(tree, "is gone", error);
    if (*fd < 0)
        return error_system_at(error, -*fd, "cannot open", "%s", *trees_path);
    if (fstat(*fd, &status) < 0)
        return error_system_at(error, errno, "cannot look at", "%s", *trees_path);
    if (store_flags & VQEMU_STORE_ALLOW_OTHERS)
        return 0;
    int r =
        guard_check_place(*fd, &status, *trees_path, AT_FDCWD, is_link ? *trees_path : NULL, error);
    return r == 0 ? check_way(*fd, &status, *trees_path, error) : r;
}

/* The stamp says what the tree is for, and what it has. */
static int use_stamp(vqemu_runtime *runtime, const char *trees_path, const char *tree,
                     vqemu_error **error) {
    _cleanup_free_ char *text = NULL;
    struct layout layout;
    int r = stamp_read(runtime->lease_fd, runtime->store_flags, true, &text);
    if (r == -ENOMEM)
        return error_no_memory(error);
    if (r == -EPERM)
        return is_others(tree, error);
    char *list = text;
    if (r < 0 || !stamp_take_layout(&list, runtime->digest.hex, runtime->arch->binary, &layout) ||
        !layout.has_program)
        return is_gone(tree, "is not that of the profile any more", error);
    return runtime_set_paths(runtime, trees_path, &layout) < 0 ? error_no_memory(error) : 0;
}

int runtime_reopen(vqemu_profile *profile, const struct arch *arch, const char *tree,
                   const char *revision, uint32_t store_flags, struct vqemu_progress *progress,
                   vqemu_runtime **runtime, vqemu_error **error) {
    _cleanup_runtime_ vqemu_runtime *new = runtime_alloc(profile, arch);
    _cleanup_free_ char *trees_path = NULL;
    _cleanup_close_ int trees_fd = -1;
    struct stat status;
    if (!new)
        return error_no_memory(error);
    if (!digest_parse(base_name(tree), &new->digest))
        return error_set(error, VQEMU_ERR_MALFORMED, 0, "%s is no path of a tree", tree);
    new->store_flags = store_flags;
    new->revision = strdup(revision);
    int r = new->revision ? open_trees(tree, store_flags, &trees_path, &trees_fd, error)
                          : error_no_memory(error);
    if (r < 0)
        return r;
    r = lease_take(trees_fd, trees_path, new->digest.hex, progress, &new->lease_fd, &status, error);
    if (r <= 0)
        return r < 0 ? r : is_gone(tree, "is gone", error);
    if (!guard_trusts_file(store_flags, &status))
        return is_others(tree, error);
    r = use_stamp(new, trees_path, tree, error);
    if (r == 0)
        *runtime = TAKE_POINTER(new);
    return r;
}
