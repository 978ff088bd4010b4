/* SPDX-License-Identifier: MIT */
#include "tree/links.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>

#include "base/error.h"
#include "store/current.h"
#include "store/leftovers.h"
#include "store/revision.h"
#include "store/store-profile.h"
#include "util/dir.h"
#include "util/fd.h"
#include "util/path.h"
#include "util/strbuf.h"

static bool points_to(int links_fd, const char *profile, const char *target) {
    char current[PATH_MAX];
    ssize_t length = readlinkat(links_fd, profile, current, sizeof current);
    return length == (ssize_t)strlen(target) && strncmp(current, target, (size_t)length) == 0;
}

/*
 * Exchange a real directory, as the reference system makes it, for a link. The link is made under
 * the name that the directory has in the end, so that it is not taken for a leftover at any moment.
 */
static int replace_directory(int links_fd, const char *profile, const char *target) {
    for (int i = 1; i < 1000; i++) {
        _cleanup_free_ char *aside = i == 1 ? format_string("%s.replaced", profile)
                                            : format_string("%s.replaced-%d", profile, i);
        if (!aside)
            return -ENOMEM;
        /* One that is there already may be ours, left when this was interrupted. */
        if (symlinkat(target, links_fd, aside) < 0 && errno == EEXIST &&
            !points_to(links_fd, aside, target))
            continue;
        if (renameat2(links_fd, aside, links_fd, profile, RENAME_EXCHANGE) == 0)
            return 0;
        int r = -errno;
        unlinkat(links_fd, aside, 0);
        return r;
    }
    return -EEXIST;
}

static int switch_link(int links_fd, const char *profile, const char *target) {
    _cleanup_free_ char *staged = leftovers_new_name();
    if (!staged)
        return -ENOMEM;
    if (symlinkat(target, links_fd, staged) < 0)
        return -errno;
    if (renameat(links_fd, staged, links_fd, profile) == 0)
        return 0;
    int r = -errno;
    unlinkat(links_fd, staged, 0);
    if (r == -EISDIR || r == -ENOTEMPTY || r == -EEXIST)
        return replace_directory(links_fd, profile, target);
    return r;
}

static bool may_not_write(int system_errno) {
    return system_errno == EROFS || system_errno == EACCES || system_errno == EPERM;
}

/*
 * Whether the link points already to what is used by now: whoever looked for it before a newer one
 * was published, or another one set, must not switch back.
 */
static bool is_current(vqemu_store *store, int links_fd, const char *profile, vqemu_call *call) {
    _cleanup_revision_ vqemu_revision *used = NULL;
    if (current_find(store, profile, call, &used, NULL) < 0)
        return false;
    _cleanup_free_ char *target = format_string("%s/%s", store->link_prefix, revision_digest(used));
    return target && points_to(links_fd, profile, target);
}

static int switch_locked(vqemu_store *store, int links_fd, const char *profile, const char *target,
                         vqemu_call *call) {
    int r = lock_fd(links_fd, LOCK_EX);
    if (r < 0 || points_to(links_fd, profile, target) || is_current(store, links_fd, profile, call))
        return r;
    leftovers_sweep(links_fd);
    return switch_link(links_fd, profile, target);
}

/* The common case, in one system call. */
static bool is_switched(const vqemu_store *store, const char *profile, const char *target) {
    char path[PATH_MAX];
    return snprintf(path, sizeof path, "%s/%s", store->links_path, profile) < (int)sizeof path &&
           points_to(AT_FDCWD, path, target);
}

int links_switch(vqemu_store *store, const char *profile, const char *digest, vqemu_call *call,
                 vqemu_error **error) {
    if (!store->links_path || store->flags & VQEMU_STORE_READ_ONLY)
        return 0;
    _cleanup_free_ char *target = format_string("%s/%s", store->link_prefix, digest);
    if (!target)
        return error_no_memory(error);
    if (is_switched(store, profile, target))
        return 0;
    _cleanup_close_ int links_fd = open_at(AT_FDCWD, store->links_path, O_RDONLY | O_DIRECTORY, 0);
    int r = links_fd;
    if (r == -ENOENT) {
        r = make_directories(store->links_path);
        if (r == 0)
            r = links_fd = open_at(AT_FDCWD, store->links_path, O_RDONLY | O_DIRECTORY, 0);
    }
    if (r >= 0)
        r = points_to(links_fd, profile, target)
                ? 0
                : switch_locked(store, links_fd, profile, target, call);
    if (r == 0 || may_not_write(-r))
        return 0;
    return error_system(error, -r, "cannot make the link %s/%s point to the tree in use",
                        store->links_path, profile);
}

/* ---- those that there are ---- */

struct reading {
    const vqemu_store *store;
    struct links *links;
};

/* The tree that a link points to. Returns 1, 0 if it is no link to one, or a negative errno. */
static int read_link(const vqemu_store *store, int links_fd, const char *name,
                     struct digest *digest) {
    char target[PATH_MAX];
    size_t prefix = strlen(store->link_prefix);
    ssize_t length = readlinkat(links_fd, name, target, sizeof target - 1);
    if (length < 0)
        return errno == EINVAL || errno == ENOENT ? 0 : -errno;
    target[length] = '\0';
    return strncmp(target, store->link_prefix, prefix) == 0 && target[prefix] == '/' &&
           digest_parse(target + prefix + 1, digest);
}

static int add_link(int links_fd, const char *name, void *userdata) {
    const struct reading *reading = userdata;
    struct links *links = reading->links;
    struct link link;
    int r = read_link(reading->store, links_fd, name, &link.digest);
    if (r != 1)
        return r;
    struct link *larger = realloc(links->links, (links->count + 1) * sizeof *larger);
    if (!larger)
        return -ENOMEM;
    links->links = larger;
    link.profile = strdup(name);
    if (!link.profile)
        return -ENOMEM;
    links->links[links->count++] = link;
    return 0;
}

int links_read(const vqemu_store *store, struct links *links, vqemu_error **error) {
    struct reading reading = {store, links};
    *links = (struct links){0};
    if (!store->links_path)
        return 0;
    int r = for_each_entry(AT_FDCWD, store->links_path, add_link, &reading);
    return r < 0 && r != -ENOENT
               ? error_system(error, -r, "cannot read the directory %s", store->links_path)
               : 0;
}

void links_release(struct links *links) {
    for (size_t i = 0; i < links->count; i++)
        free(links->links[i].profile);
    free(links->links);
    *links = (struct links){0};
}

/* Others were left behind when a real directory was being replaced. */
static bool is_of_profile(const struct link *link) {
    return profile_is_name(link->profile);
}

bool links_point_to(const struct links *links, const char *digest) {
    for (size_t i = 0; i < links->count; i++)
        if (is_of_profile(&links->links[i]) && strcmp(links->links[i].digest.hex, digest) == 0)
            return true;
    return false;
}

static bool has_revision(const vqemu_revision_list *revisions, const char *profile) {
    for (size_t i = 0; i < vqemu_revision_list_count(revisions); i++)
        if (strcmp(vqemu_revision_profile(vqemu_revision_list_at(revisions, i)), profile) == 0)
            return true;
    return false;
}

bool links_keep(const struct links *links, const vqemu_revision_list *revisions,
                const char *digest) {
    for (size_t i = 0; i < links->count; i++)
        if (strcmp(links->links[i].digest.hex, digest) == 0 &&
            has_revision(revisions, links->links[i].profile))
            return true;
    return false;
}

int links_sync(const vqemu_store *store, vqemu_error **error) {
    int r = store->links_path ? sync_path(AT_FDCWD, store->links_path) : 0;
    return r < 0 && r != -ENOENT ? error_system(error, -r, "cannot sync %s", store->links_path) : 0;
}

static int remove_link(int links_fd, const char *name) {
    return unlinkat(links_fd, name, 0) < 0 && errno != ENOENT ? -errno : 0;
}

static int remove_dangling(const vqemu_store *store, const struct links *links, int links_fd,
                           int trees_fd) {
    int r = lock_fd(links_fd, LOCK_EX);
    for (size_t i = 0; r == 0 && i < links->count; i++) {
        struct digest digest;
        const char *profile = links->links[i].profile;
        r = read_link(store, links_fd, profile, &digest);
        if (r != 1)
            continue;
        bool is_wanted =
            is_of_profile(&links->links[i]) &&
            (faccessat(trees_fd, digest.hex, F_OK, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT);
        r = is_wanted ? 0 : remove_link(links_fd, profile);
    }
    return r;
}

int links_remove_dangling(const vqemu_store *store, const struct links *links, int trees_fd,
                          vqemu_error **error) {
    if (links->count == 0 || trees_fd < 0)
        return 0;
    _cleanup_close_ int links_fd = open_at(AT_FDCWD, store->links_path, O_RDONLY | O_DIRECTORY, 0);
    int r = links_fd < 0 ? links_fd : remove_dangling(store, links, links_fd, trees_fd);
    return r < 0 && !may_not_write(-r)
               ? error_system(error, -r, "cannot remove a link of %s", store->links_path)
               : 0;
}

static int remove_to(const vqemu_store *store, const struct links *links, int links_fd,
                     const char *tree) {
    int r = lock_fd(links_fd, LOCK_EX);
    for (size_t i = 0; r == 0 && i < links->count; i++) {
        struct digest digest;
        const char *profile = links->links[i].profile;
        r = read_link(store, links_fd, profile, &digest);
        if (r == 1)
            r = strcmp(digest.hex, tree) == 0 ? remove_link(links_fd, profile) : 0;
    }
    return r;
}

int links_remove_to(const vqemu_store *store, const struct links *links, const char *digest,
                    vqemu_error **error) {
    if (links->count == 0)
        return 0;
    _cleanup_close_ int links_fd = open_at(AT_FDCWD, store->links_path, O_RDONLY | O_DIRECTORY, 0);
    int r = links_fd < 0 ? links_fd : remove_to(store, links, links_fd, digest);
    return r < 0 && !may_not_write(-r)
               ? error_system(error, -r, "cannot remove a link of %s", store->links_path)
               : 0;
}
