/* SPDX-License-Identifier: MIT */
#include "links.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>

#include "error.h"
#include "leftovers.h"
#include "ref.h"
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
        if (symlinkat(target, links_fd, aside) < 0 && errno == EEXIST)
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
 * Whether the link points already to what is the newest by now: whoever looked for it before a
 * newer one was published must not switch back.
 */
static bool is_newest(vqemu_store *store, int links_fd, const char *profile) {
    _cleanup_ref_ vqemu_ref *newest = NULL;
    if (ref_find_newest(store, profile, &newest, NULL) < 0)
        return false;
    _cleanup_free_ char *target = format_string("%s/%s", store->link_prefix, ref_digest(newest));
    return target && points_to(links_fd, profile, target);
}

static int switch_locked(vqemu_store *store, int links_fd, const char *profile,
                         const char *target) {
    int r = lock_fd(links_fd, LOCK_EX);
    if (r < 0 || points_to(links_fd, profile, target) || is_newest(store, links_fd, profile))
        return r;
    leftovers_sweep(links_fd);
    return switch_link(links_fd, profile, target);
}

int links_switch(vqemu_store *store, const char *profile, const char *digest, vqemu_error **error) {
    if (!store->links_path || store->flags & VQEMU_STORE_READ_ONLY)
        return 0;
    _cleanup_free_ char *target = format_string("%s/%s", store->link_prefix, digest);
    if (!target)
        return error_no_memory(error);
    _cleanup_close_ int links_fd = open_at(AT_FDCWD, store->links_path, O_RDONLY | O_DIRECTORY, 0);
    int r = links_fd;
    if (r == -ENOENT) {
        r = make_directories(store->links_path);
        if (r == 0)
            r = links_fd = open_at(AT_FDCWD, store->links_path, O_RDONLY | O_DIRECTORY, 0);
    }
    if (r >= 0)
        r = points_to(links_fd, profile, target) ? 0
                                                 : switch_locked(store, links_fd, profile, target);
    if (r == 0 || may_not_write(-r))
        return 0;
    return error_system(error, -r, "cannot make the link %s/%s point to the tree in use",
                        store->links_path, profile);
}
