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
#include "store/reached.h"
#include "store/revision.h"
#include "store/revision-name.h"
#include "util/dir.h"
#include "util/fd.h"
#include "util/path.h"
#include "util/strbuf.h"

static bool is_same_file(int fd, const char *name, const char *path) {
    struct stat a, b;
    return fstatat(fd, name, &a, 0) == 0 && stat(path, &b) == 0 && a.st_dev == b.st_dev &&
           a.st_ino == b.st_ino;
}

/* What a link to a tree has in front of the digest. trees: the path of the directory of trees by
 * now. Links beside it go by its name there, as long as that leads to it. */
static const char *prefix_of(const vqemu_store *store, int links_fd, const char *trees) {
    bool is_beside = store->links_beside_trees && (strcmp(trees, store->trees_path) == 0 ||
                                                   is_same_file(links_fd, "trees", trees));
    return is_beside ? "trees" : trees;
}

static bool points_to(int links_fd, const char *profile, const char *target) {
    char current[PATH_MAX];
    ssize_t length = readlinkat(links_fd, profile, current, sizeof current);
    return length == (ssize_t)strlen(target) && strncmp(current, target, (size_t)length) == 0;
}

/* Where the file system cannot exchange it: what interrupts this leaves the rest of it in place. */
static int move_directory(int links_fd, const char *profile, const char *aside,
                          const char *target) {
    int r = renameat2(links_fd, profile, links_fd, aside, RENAME_NOREPLACE) < 0
                ? move_entries(links_fd, profile, links_fd, aside)
                : 0;
    return r == 0 && symlinkat(target, links_fd, profile) < 0 ? -errno : r;
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
        unlinkat(links_fd, aside, 0);
        return move_directory(links_fd, profile, aside, target);
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
    if (is_directory(links_fd, profile))
        return replace_directory(links_fd, profile, target);
    return r;
}

/* Links are for people: who may not make them, or has a file system without any, goes without. */
static bool may_not_write(int system_errno) {
    return system_errno == EROFS || system_errno == EACCES || system_errno == EPERM ||
           system_errno == ENOSYS || system_errno == EOPNOTSUPP;
}

/*
 * Whether the link points already to what is used by now: whoever looked for it before a newer one
 * was published, or another one set, must not switch back.
 */
static bool is_current(vqemu_store *store, int links_fd, const char *profile, const char *prefix,
                       vqemu_call *call) {
    _cleanup_revision_ vqemu_revision *used = NULL;
    if (current_find(store, profile, call, &used, NULL) < 0)
        return false;
    _cleanup_free_ char *target = join_path(prefix, revision_digest(used));
    return target && points_to(links_fd, profile, target);
}

static int link_failed(const vqemu_store *store, const char *profile, int r, vqemu_error **error) {
    if (r == 0 || may_not_write(-r))
        return 0;
    return error_system_at(error, -r, "cannot switch the link", "%s/%s", store->links_path,
                           profile);
}

/* The lock needs a descriptor of its own. */
static int switch_locked(vqemu_store *store, const char *profile, const char *prefix,
                         const char *target, struct vqemu_progress *progress, vqemu_error **error) {
    _cleanup_close_ int links_fd = store_find_links(store);
    if (links_fd < 0)
        return link_failed(store, profile, links_fd, error);
    int r = progress_lock(progress, links_fd, LOCK_EX, 0, store->links_path, error);
    if (r < 0 || points_to(links_fd, profile, target) ||
        is_current(store, links_fd, profile, prefix, progress->call))
        return r;
    leftovers_sweep(links_fd);
    r = switch_link(links_fd, profile, target);
    return link_failed(store, profile, r == 0 ? sync_fd(links_fd) : r, error);
}

int links_switch(vqemu_store *store, const char *profile, const char *tree,
                 struct vqemu_progress *progress, vqemu_error **error) {
    if (!store->links_path || store->flags & VQEMU_STORE_READ_ONLY)
        return 0;
    _cleanup_reached_ struct reached links = REACHED_NONE;
    int r = reach_links(store, true, &links, error);
    if (r < 0 || links.fd < 0)
        return r < 0 ? r : link_failed(store, profile, links.fd, error);
    const char *digest = base_name(tree);
    _cleanup_free_ char *trees = strndup(tree, (size_t)(digest - tree - 1));
    const char *prefix = trees ? prefix_of(store, links.fd, trees) : "";
    _cleanup_free_ char *target = join_path(prefix, digest);
    if (!trees || !target)
        return error_no_memory(error);
    return points_to(links.fd, profile, target)
               ? 0
               : switch_locked(store, profile, prefix, target, progress, error);
}

/* ---- those that there are ---- */

/* What links can have in front of the name of a tree: by now, and when the store was opened. */
struct prefixes {
    char *now;
    const char *given;
};

static int find_prefixes(const vqemu_store *store, struct prefixes *prefixes) {
    prefixes->now = reach_trees_path(store);
    prefixes->given = store->links_beside_trees ? "trees" : store->trees_path;
    return prefixes->now ? 0 : -ENOMEM;
}

static void release_prefixes(const struct prefixes *prefixes) {
    free(prefixes->now);
}

struct reading {
    const struct prefixes *prefixes;
    struct links *links;
};

/* The tree that a link points to. Returns 1, 0 if it is no link to one, or a negative errno. */
static int read_link(const struct prefixes *prefixes, int links_fd, const char *name,
                     struct digest *digest) {
    const char *const trees[] = {prefixes->now, prefixes->given};
    char target[PATH_MAX];
    ssize_t length = readlinkat(links_fd, name, target, sizeof target - 1);
    if (length < 0)
        return errno == EINVAL || errno == ENOENT ? 0 : -errno;
    target[length] = '\0';
    for (size_t i = 0; i < 2; i++) {
        size_t prefix = strlen(trees[i]);
        if (strncmp(target, trees[i], prefix) == 0 && target[prefix] == '/' &&
            digest_parse(target + prefix + 1, digest))
            return 1;
    }
    return 0;
}

static int add_link(int links_fd, const char *name, void *userdata) {
    const struct reading *reading = userdata;
    struct links *links = reading->links;
    struct link link;
    int r = read_link(reading->prefixes, links_fd, name, &link.digest);
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
    *links = (struct links){0};
    if (!store->links_path)
        return 0;
    _cleanup_(release_prefixes) struct prefixes prefixes = {0};
    if (find_prefixes(store, &prefixes) < 0)
        return error_no_memory(error);
    struct reading reading = {&prefixes, links};
    _cleanup_close_ int links_fd = store_find_links(store);
    int r = links_fd < 0 ? links_fd : for_each_entry(links_fd, ".", add_link, &reading);
    return r < 0 && r != -ENOENT
               ? error_system_at(error, -r, "cannot read the directory", "%s", store->links_path)
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
        if (strcmp(vqemu_revision_profile_name(vqemu_revision_list_at(revisions, i)), profile) == 0)
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
    _cleanup_close_ int links_fd = store_find_links(store);
    int r = links_fd < 0 ? links_fd : sync_fd(links_fd);
    return r < 0 && r != -ENOENT
               ? error_system_at(error, -r, "cannot sync", "%s", store->links_path)
               : 0;
}

static int remove_link(int links_fd, const char *name) {
    return unlinkat(links_fd, name, 0) < 0 && errno != ENOENT ? -errno : 0;
}

/* Links that are there no more as they were read have been switched. */
typedef bool (*doomed_fn)(const struct link *link, const struct digest *now, const void *userdata);

/* Under the lock of the links. */
static int remove_links(const struct prefixes *prefixes, const struct links *links, int links_fd,
                        doomed_fn is_doomed, const void *userdata) {
    int r = 0;
    for (size_t i = 0; r == 0 && i < links->count; i++) {
        struct digest digest;
        const struct link *link = &links->links[i];
        r = read_link(prefixes, links_fd, link->profile, &digest);
        if (r == 1)
            r = is_doomed(link, &digest, userdata) ? remove_link(links_fd, link->profile) : 0;
    }
    return r;
}

int links_lock(const vqemu_store *store, const struct links *links, struct vqemu_progress *progress,
               int *lock, vqemu_error **error) {
    *lock = -1;
    if (links->count == 0)
        return 0;
    _cleanup_close_ int fd = store_find_links(store);
    if (fd == -ENOENT || (fd < 0 && may_not_write(-fd)))
        return 0;
    if (fd < 0)
        return error_system_at(error, -fd, "cannot open the directory", "%s", store->links_path);
    int r = progress_lock(progress, fd, LOCK_EX, 0, store->links_path, error);
    if (r == 0)
        *lock = take_fd(&fd);
    return r;
}

static int remove_doomed(const vqemu_store *store, const struct links *links, int lock,
                         doomed_fn is_doomed, const void *userdata, vqemu_error **error) {
    _cleanup_(release_prefixes) struct prefixes prefixes = {0};
    if (lock < 0)
        return 0;
    if (find_prefixes(store, &prefixes) < 0)
        return error_no_memory(error);
    int r = remove_links(&prefixes, links, lock, is_doomed, userdata);
    return r < 0 && !may_not_write(-r)
               ? error_system_at(error, -r, "cannot remove a link of", "%s", store->links_path)
               : 0;
}

static bool is_dangling(const struct link *link, const struct digest *now, const void *trees_fd) {
    return !is_of_profile(link) || exists_at(*(const int *)trees_fd, now->hex) == 0;
}

int links_remove_dangling(const vqemu_store *store, const struct links *links, int lock,
                          int trees_fd, vqemu_error **error) {
    return trees_fd < 0 ? 0 : remove_doomed(store, links, lock, is_dangling, &trees_fd, error);
}

static bool leads_to(const struct link *link, const struct digest *now, const void *tree) {
    (void)link;
    return strcmp(now->hex, tree) == 0;
}

int links_remove_to(const vqemu_store *store, const struct links *links, int lock,
                    const char *digest, vqemu_error **error) {
    return remove_doomed(store, links, lock, leads_to, digest, error);
}
