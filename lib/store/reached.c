/* SPDX-License-Identifier: MIT */
#include "store/reached.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "store/guard.h"
#include "util/fd.h"

/* One of the two, for those who reach it. */
struct wanted {
    const struct directory *directory;
    const char *path; /* as it was given */
    bool is_guarded;  /* refused if others could put something into it */
    bool by_path;     /* others than this library reach it, too */
};

static struct wanted wanted_trees(const vqemu_store *store) {
    return (struct wanted){&store->trees, store->trees_path,
                           !(store->flags & VQEMU_STORE_ALLOW_OTHERS), true};
}

/* Links that lie beside the trees are in a directory that is looked at for the trees. */
static struct wanted wanted_links(const vqemu_store *store) {
    return (struct wanted){&store->links, store->links_path,
                           !(store->flags & VQEMU_STORE_ALLOW_OTHERS) && !store->links_beside_trees,
                           false};
}

/* Returns 0, also with a negative errno in *fd, or an error. */
static int open_looked_at(const struct wanted *wanted, bool create, int *fd, struct stat *status,
                          vqemu_error **error) {
    bool by_link;
    _cleanup_close_ int opened = directory_open(wanted->directory, create, &by_link);
    *fd = opened < 0 ? opened : -1;
    if (opened < 0)
        return 0;
    if (fstat(opened, status) < 0)
        return error_system_at(error, errno, "cannot look at the store directory", "%s",
                               wanted->path);
    int r =
        wanted->is_guarded ? guard_check_place(opened, status, wanted->path, by_link, error) : 0;
    if (r == 0)
        *fd = take_fd(&opened);
    return r;
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
    if (wanted->by_path)
        reached->path = directory_path(fd, &reached->status, wanted->path);
    if (wanted->by_path && !reached->path)
        return error_no_memory(error);
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
    if (r == 0)
        return open_looked_at(&wanted, false, fd, &status, error);
    *fd = r == 1 ? open_at(kept, ".", O_RDONLY | O_DIRECTORY, 0) : r;
    return 0;
}

int store_find_links(const vqemu_store *store) {
    bool by_link;
    return store->links_path ? directory_open(&store->links, false, &by_link) : -ENOENT;
}
