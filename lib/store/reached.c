/* SPDX-License-Identifier: MIT */
#include "store/reached.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "store/guard.h"
#include "util/fd.h"
#include "util/path.h"

/* One of the two, for those who reach it. */
struct wanted {
    const struct directory *directory;
    const char *path; /* as it was given */
    bool is_guarded;  /* refused if others could put something into it */
    bool by_path;     /* others than this library reach it, too */
    bool by_root;     /* the directory that it lies in is below the root */
};

static struct wanted wanted_trees(const vqemu_store *store) {
    return (struct wanted){.directory = &store->trees,
                           .path = store->trees_path,
                           .is_guarded = !(store->flags & VQEMU_STORE_ALLOW_OTHERS),
                           .by_path = true,
                           .by_root = store->links_beside_trees};
}

/* Links that lie beside the trees are in a directory that is looked at for the trees. */
static struct wanted wanted_links(const vqemu_store *store) {
    return (struct wanted){.directory = &store->links,
                           .path = store->links_path,
                           .is_guarded = !(store->flags & VQEMU_STORE_ALLOW_OTHERS) &&
                                         !store->links_beside_trees};
}

/* qemu/ may be a link, and lie elsewhere than in the root, which is looked at. */
static int check_above(int fd, const char *path, vqemu_error **error) {
    struct stat above;
    if (fstatat(fd, "../..", &above, 0) < 0)
        return error_system_at(error, errno, "cannot look at", "%s/../..", path);
    if (guard_trusts_above(&above))
        return 0;
    _cleanup_free_ char *parent = strndup(path, (size_t)(base_name(path) - path - 1));
    return parent ? guard_check_containing(&above, parent, error) : error_no_memory(error);
}

static int look_at(const struct wanted *wanted, int fd, bool is_link, const struct stat *status,
                   vqemu_error **error) {
    const struct directory *directory = wanted->directory;
    if (!wanted->is_guarded)
        return 0;
    int r = guard_check_place(fd, status, wanted->path, directory->anchor_fd,
                              is_link ? directory->rest : NULL, error);
    return r == 0 && wanted->by_root && !is_link ? check_above(fd, wanted->path, error) : r;
}

/* Returns 0, also with a negative errno in *fd, or an error. */
static int open_looked_at(const struct wanted *wanted, bool create, int *fd, struct stat *status,
                          vqemu_error **error) {
    bool is_link;
    _cleanup_close_ int opened = directory_open(wanted->directory, create, &is_link);
    *fd = opened < 0 ? opened : -1;
    if (opened < 0)
        return 0;
    if (fstat(opened, status) < 0)
        return error_system_at(error, errno, "cannot look at the store directory", "%s",
                               wanted->path);
    int r = look_at(wanted, opened, is_link, status, error);
    if (r == 0)
        *fd = take_fd(&opened);
    return r;
}

static int find_path(int fd, const struct wanted *wanted, const struct stat *status, char **path,
                     vqemu_error **error) {
    int r = directory_path(fd, status, wanted->path, path);
    if (r != 0)
        return r < 0 ? error_no_memory(error) : 0;
    r = error_set(error, VQEMU_ERR_REFUSED, 0,
                  "no path leads to the store directory %s but by links that others could change, "
                  "and the kernel has no name for it: is /proc mounted?",
                  wanted->path);
    return error_because(r, error, "untrusted-store", VQEMU_DETAIL_PATH, wanted->path, NULL);
}

static int reach(const struct wanted *wanted, struct directory *directory, bool create,
                 struct reached *reached, vqemu_error **error) {
    *reached = REACHED_NONE;
    int r = directory_recall(directory, wanted->path, &reached->fd, &reached->status,
                             wanted->by_path ? &reached->path : NULL);
    if (r < 0)
        return error_no_memory(error);
    if (r == 1)
        return wanted->is_guarded ? guard_check(&reached->status, wanted->path, error) : 0;
    _cleanup_close_ int fd = -1;
    r = open_looked_at(wanted, create, &fd, &reached->status, error);
    reached->fd = fd;
    if (r < 0 || fd < 0)
        return r;
    r = wanted->by_path ? find_path(fd, wanted, &reached->status, &reached->path, error) : 0;
    if (r < 0)
        return r;
    reached->fd = directory_keep(directory, &fd, &reached->opened);
    return 0;
}

int reach_trees(vqemu_store *store, bool create, struct reached *reached, vqemu_error **error) {
    const struct wanted wanted = wanted_trees(store);
    return reach(&wanted, &store->trees, create, reached, error);
}

int reach_links(vqemu_store *store, bool create, struct reached *reached, vqemu_error **error) {
    const struct wanted wanted = wanted_links(store);
    return reach(&wanted, &store->links, create, reached, error);
}

void reached_release(struct reached *reached) {
    cleanup_close(&reached->opened);
    free(reached->path);
    *reached = REACHED_NONE;
}

char *reach_trees_path(const vqemu_store *store) {
    char *path = NULL;
    struct stat status;
    int fd, r = directory_recall(&store->trees, store->trees_path, &fd, &status, &path);
    return r == 0 ? strdup(store->trees_path) : path;
}

int store_find_trees(const vqemu_store *store, int *fd, vqemu_error **error) {
    const struct wanted wanted = wanted_trees(store);
    _cleanup_free_ char *path = NULL;
    struct stat status;
    int kept, r = directory_recall(wanted.directory, wanted.path, &kept, &status, &path);
    *fd = -1;
    if (r < 0)
        return error_no_memory(error);
    if (r == 0)
        return open_looked_at(&wanted, false, fd, &status, error);
    r = wanted.is_guarded ? guard_check(&status, wanted.path, error) : 0;
    if (r == 0)
        *fd = open_at(kept, ".", O_RDONLY | O_DIRECTORY, 0);
    return r;
}

int store_find_links(const vqemu_store *store) {
    bool is_link;
    return store->links_path ? directory_open(&store->links, false, &is_link) : -ENOENT;
}
