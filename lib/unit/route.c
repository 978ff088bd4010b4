/* SPDX-License-Identifier: MIT */
#include "unit/route.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/join.h"
#include "util/path.h"
#include "util/strbuf.h"

/* What is behind, without links, and what is ahead. */
struct walk {
    struct strbuf done; /* "" for the root directory */
    char *ahead;
    unsigned links;
};

static const char *behind(const struct walk *walk) {
    return walk->done.length > 0 ? walk->done.text : "";
}

/* Whether only root can exchange what is in a directory; entry is NULL if there is nothing. */
static bool is_roots(const struct stat *directory, const struct stat *entry) {
    bool by_all = directory->st_mode & S_IWOTH;
    bool by_group = directory->st_mode & S_IWGRP && directory->st_gid != 0;
    bool is_sticky = directory->st_mode & S_ISVTX && entry && entry->st_uid == 0;
    return directory->st_uid == 0 && ((!by_all && !by_group) || is_sticky);
}

static void go_up(struct walk *walk) {
    const char *slash = strrchr(behind(walk), '/');
    if (slash)
        strbuf_truncate(&walk->done, (size_t)(slash - walk->done.text));
}

/* Goes on where a link leads, and then along the rest. */
static int follow(struct walk *walk, const char *link, const char *rest) {
    char target[PATH_MAX];
    ssize_t length = readlink(link, target, sizeof target - 1);
    if (length < 0)
        return -errno;
    if (++walk->links > PATH_LINKS_MAX)
        return -ELOOP;
    target[length] = '\0';
    if (target[0] == '/')
        strbuf_truncate(&walk->done, 0);
    char *ahead = join_texts(target, rest, NULL);
    if (!ahead)
        return -ENOMEM;
    free(walk->ahead);
    walk->ahead = ahead;
    return 0;
}

static int go_on(struct walk *walk, const char *name, const char *rest) {
    if (strcmp(name, "..") == 0)
        go_up(walk);
    else if (strcmp(name, ".") != 0)
        strbuf_addf(&walk->done, "/%s", name);
    path_drop_front(walk->ahead, (size_t)(rest - walk->ahead));
    return walk->done.failed ? -ENOMEM : 0;
}

/* One component. 1 in a directory of a stranger, 0 and *ended, or 0 to go on. */
static int step(struct walk *walk, bool *ended) {
    const char *start = walk->ahead + strspn(walk->ahead, "/");
    const char *rest = start + strcspn(start, "/");
    struct stat directory, status;
    *ended = rest == start;
    if (*ended)
        return 0;
    _cleanup_free_ char *name = strndup(start, (size_t)(rest - start));
    _cleanup_free_ char *entry = name ? join_path(behind(walk), name) : NULL;
    if (!entry)
        return -ENOMEM;
    if (stat(*behind(walk) ? behind(walk) : "/", &directory) < 0)
        return -errno;
    bool is_missing = lstat(entry, &status) < 0;
    if (is_missing && errno != ENOENT && errno != ENOTDIR)
        return -errno;
    if (!is_roots(&directory, is_missing ? NULL : &status))
        return 1;
    *ended = is_missing;
    if (is_missing)
        return 0;
    return S_ISLNK(status.st_mode) ? follow(walk, entry, rest) : go_on(walk, name, rest);
}

int route_find_stranger(const char *path, char **directory) {
    struct walk walk = {.ahead = strdup(path)};
    bool ended = false;
    int r = walk.ahead ? 0 : -ENOMEM;
    while (r == 0 && !ended)
        r = step(&walk, &ended);
    if (r == 1 && walk.links > 0)
        r = -ELOOP;
    *directory = r == 1 ? strdup(*behind(&walk) ? behind(&walk) : "/") : NULL;
    if (r == 1 && !*directory)
        r = -ENOMEM;
    free(walk.ahead);
    strbuf_release(&walk.done);
    return r;
}
