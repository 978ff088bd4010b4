/* SPDX-License-Identifier: MIT */
#include "util/path.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/fd.h"
#include "util/join.h"

/* How often an opening is tried again that others disturb. */
#define OPEN_ATTEMPTS 10000

char *join_path(const char *directory, const char *name) {
    return join_texts(directory, "/", name, NULL);
}

static char *join_working_directory(const char *path) {
    _cleanup_free_ char *cwd = getcwd(NULL, 0);
    return cwd ? join_path(strcmp(cwd, "/") == 0 ? "" : cwd, path) : NULL;
}

char *make_absolute(const char *path) {
    char *absolute = *path == '/' ? strdup(path) : join_working_directory(path);
    if (!absolute)
        return NULL;
    size_t length = strlen(absolute);
    while (length > 1 && absolute[length - 1] == '/')
        absolute[--length] = '\0';
    return absolute;
}

static int make_directory(int base_fd, const char *path) {
    int r = make_directory_at(base_fd, path, 0755);
    return r == -EEXIST ? 0 : r;
}

int make_directories(int base_fd, const char *path) {
    _cleanup_free_ char *copy = strdup(path);
    int refused = 0;
    if (!copy)
        return -ENOMEM;
    if (!*path)
        return -ENOENT;
    for (char *slash = strchr(copy + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        int r = make_directory(base_fd, copy);
        /* A directory that cannot be made may be there all the same, above what is one's own. */
        if (r == -EROFS || r == -EACCES)
            refused = refused ? refused : r;
        else if (r < 0)
            return r == -ENOENT && refused ? refused : r;
        *slash = '/';
    }
    int r = make_directory(base_fd, copy);
    return r == -ENOENT && refused ? refused : r;
}

const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* Byte by byte: valgrind takes a memmove() in a buffer of known size for an overlapping memcpy().
 */
void path_drop_front(char *path, size_t length) {
    char *to = path;
    for (const char *from = path + length; *from; from++)
        *to++ = *from;
    *to = '\0';
}

/* ---- without openat2(2): kernels before 5.6, and sandboxes that refuse it ---- */

#define DEPTH_MAX 128

/*
 * One component at a time; ".." is the directory that was left open on the way down.
 *
 * One of three walks, which have only their loop in common. This one does what openat2(2) does: it
 * cannot leave a directory, and does not ask whose the parts are. trusted.c asks just that of
 * absolute paths, with the rights of the process, makes what is missing, and opens what is at the
 * end. route.c opens nothing: it tells on which directory of a path, as systemd will follow it
 * later, others than root have a say.
 */
struct walk {
    int fds[DEPTH_MAX]; /* from the root of the walk to where it is */
    size_t depth;
    unsigned links;
    char rest[PATH_MAX];
};

static void end_walk(struct walk *walk) {
    while (walk->depth > 0)
        close(walk->fds[--walk->depth]);
}

static int here(const struct walk *walk) {
    return walk->fds[walk->depth - 1];
}

/* Takes the descriptor, which may be an error. */
static int enter(struct walk *walk, int fd) {
    if (fd < 0)
        return fd;
    if (walk->depth == DEPTH_MAX) {
        close(fd);
        return -ENAMETOOLONG;
    }
    walk->fds[walk->depth++] = fd;
    return 0;
}

static int leave(struct walk *walk) {
    if (walk->depth == 1)
        return -EXDEV;
    close(walk->fds[--walk->depth]);
    return 0;
}

static int set_rest(struct walk *walk, const char *path, const char *behind) {
    char joined[PATH_MAX];
    if (*path == '/')
        return -EXDEV;
    if (*path == '\0')
        return -ENOENT;
    int length = snprintf(joined, sizeof joined, "%s%s", path, behind);
    if (length < 0 || (size_t)length >= sizeof joined)
        return -ENAMETOOLONG;
    memcpy(walk->rest, joined, (size_t)length + 1);
    return 0;
}

/* Cut the first component off the rest; what is left begins with a slash or is empty. */
static int take_component(struct walk *walk, char component[NAME_MAX + 1]) {
    size_t length = strcspn(walk->rest, "/");
    if (length > NAME_MAX)
        return -ENAMETOOLONG;
    memcpy(component, walk->rest, length);
    component[length] = '\0';
    path_drop_front(walk->rest, length);
    return 0;
}

/* Put a link's target in front of the rest. Returns 1, 0 for what is no link, or a negative errno.
 */
static int expand_link(struct walk *walk, const char *name, bool follow) {
    char target[PATH_MAX], behind[PATH_MAX];
    ssize_t length = readlinkat(here(walk), name, target, sizeof target - 1);
    if (length < 0)
        return errno == EINVAL ? 0 : -errno;
    if (!follow || ++walk->links > PATH_LINKS_MAX)
        return -ELOOP;
    target[length] = '\0';
    strcpy(behind, walk->rest);
    int r = set_rest(walk, target, behind);
    return r < 0 ? r : 1;
}

/* Go on by one component that is not the last. */
static int step(struct walk *walk, const char *component) {
    if (strcmp(component, ".") == 0)
        return 0;
    if (strcmp(component, "..") == 0)
        return leave(walk);
    return enter(walk, open_at(here(walk), component, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0));
}

static int open_last(struct walk *walk, const char *component, int flags) {
    if (strcmp(component, "..") != 0)
        return open_at(here(walk), component, flags | O_NOFOLLOW, 0);
    int r = leave(walk);
    return r < 0 ? r : open_at(here(walk), ".", flags, 0);
}

static int walk_on(struct walk *walk, int flags, bool follow) {
    for (;;) {
        char component[NAME_MAX + 1];
        int r = take_component(walk, component);
        if (r == 0)
            r = expand_link(walk, component, follow);
        if (r < 0)
            return r;
        if (r == 1)
            continue;
        bool has_slash = *walk->rest == '/';
        path_drop_front(walk->rest, strspn(walk->rest, "/"));
        if (!*walk->rest)
            return open_last(walk, component, has_slash ? flags | O_DIRECTORY : flags);
        r = step(walk, component);
        if (r < 0)
            return r;
    }
}

static int open_by_components(int directory_fd, const char *path, int flags, bool follow) {
    struct walk walk;
    walk.depth = walk.links = 0;
    int r = set_rest(&walk, path, "");
    if (r == 0)
        r = enter(&walk, duplicate_fd(directory_fd));
    if (r == 0)
        r = walk_on(&walk, flags, follow);
    end_walk(&walk);
    return r;
}

/*
 * Whether an error can be one of a sandbox or of an old kernel. If it is of the file itself, the
 * other way finds it, too.
 */
static bool may_be_refused(int system_errno) {
    switch (system_errno) {
    case ENOENT:
    case ENOTDIR:
    case ELOOP:
    case EXDEV:
    case ENAMETOOLONG:
    case ENOMEM:
    case EMFILE:
    case ENFILE:
        return false;
    default:
        return true;
    }
}

/* Returns a descriptor or a negative errno. */
static int open_resolved(int directory_fd, const char *path, int flags, uint64_t resolve) {
    struct open_how how = {.flags = (unsigned)flags | O_CLOEXEC, .resolve = resolve};
    long fd;
    int attempts = 0;
    struct low_fds low;
    low_fds_hold(&low, flags);
    do /* a rename anywhere on the machine can disturb the resolution of ".." (openat2(2)) */
        fd = syscall(SYS_openat2, directory_fd, path, &how, sizeof how);
    while (fd < 0 && (errno == EINTR || errno == EAGAIN) && ++attempts < OPEN_ATTEMPTS);
    low_fds_release(&low);
    return fd >= 0 ? fd_above_stdio((int)fd) : -errno;
}

int open_beneath(int directory_fd, const char *path, int flags, bool follow) {
    uint64_t resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
    if (!follow)
        resolve |= RESOLVE_NO_SYMLINKS;
    int fd = open_resolved(directory_fd, path, flags, resolve);
    return fd < 0 && may_be_refused(-fd) ? open_by_components(directory_fd, path, flags, follow)
                                         : fd;
}

int open_without_links(const char *path, int flags) {
    int fd = open_resolved(AT_FDCWD, path, flags, RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
    if (fd >= 0 || !may_be_refused(-fd))
        return fd;
    _cleanup_close_ int root_fd = open_at(AT_FDCWD, "/", O_PATH | O_DIRECTORY, 0);
    const char *below = path + strspn(path, "/");
    return root_fd < 0 ? root_fd : open_by_components(root_fd, *below ? below : ".", flags, false);
}
