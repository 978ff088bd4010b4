/* SPDX-License-Identifier: MIT */
/* The symbolic links <profile> -> tree in use, at the path where the reference layout has trees. */
#ifndef LIB_LINKS_H
#define LIB_LINKS_H

#include "base/digest.h"
#include "base/progress.h"
#include "store/revision.h"
#include "store/store.h"

/*
 * Make the profile's link point to a tree, given by its path, by one rename. A real directory that
 * stands there is moved aside to <profile>.replaced, so that nothing of it is lost. Does nothing
 * for a store that keeps no links, or where this process may not write them.
 */
int links_switch(vqemu_store *store, const char *profile, const char *tree,
                 struct vqemu_progress *progress, vqemu_error **error);

/* The links that there are. */
struct link {
    char *profile;
    struct digest digest; /* of the tree it points to */
};
struct links {
    struct link *links;
    size_t count;
};

int links_read(const vqemu_store *store, struct links *links, vqemu_error **error);
void links_release(struct links *links);

/* Whether a link points to this tree. */
bool links_point_to(const struct links *links, const char *digest);
/* Whether a link of a profile that still has revisions does. */
bool links_keep(const struct links *links, const vqemu_revision_list *revisions,
                const char *digest);

/* Make durable where links point, before trees are removed. */
int links_sync(const vqemu_store *store, vqemu_error **error);

/*
 * Lock the links against others who switch them, before anything is removed: it can fail. *lock is
 * closed to release it, and -1 if there are no links.
 */
int links_lock(const vqemu_store *store, const struct links *links, struct vqemu_progress *progress,
               int *lock, vqemu_error **error);
/* Remove the links to a tree; those to trees that are gone. */
int links_remove_to(const vqemu_store *store, const struct links *links, int lock,
                    const char *digest, vqemu_error **error);
int links_remove_dangling(const vqemu_store *store, const struct links *links, int lock,
                          int trees_fd, vqemu_error **error);

#endif
