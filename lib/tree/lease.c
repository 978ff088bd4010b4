/* SPDX-License-Identifier: MIT */
#include "tree/lease.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.h"
#include "store/leftovers.h"
#include "util/cleanup.h"
#include "util/dir.h"
#include "util/fd.h"

static int open_locked(int trees_fd, const char *name, int operation) {
    for (;;) {
        _cleanup_close_ int fd = open_at(trees_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
        int r = fd < 0 ? fd : lock_fd(fd, operation);
        if (r == 0)
            r = same_file(fd, trees_fd, name);
        if (r != 0) /* else it was removed or replaced before it was locked */
            return r < 0 ? r : take_fd(&fd);
    }
}

int lease_take(int trees_fd, const char *name) {
    return open_locked(trees_fd, name, LOCK_SH);
}

int lease_exclude(int trees_fd, const char *name) {
    return open_locked(trees_fd, name, LOCK_EX | LOCK_NB);
}

/* ---- processes ---- */

struct search {
    const char *prefix; /* the directory of trees with a slash, as the kernel names it */
    size_t prefix_length;
    struct lease_holders *found;
};

/*
 * The name of the tree that a path is, or lies in; false for other paths. A tree that was replaced
 * has the name of a leftover.
 */
static bool find_tree(const struct search *search, const char *path, char tree[65]) {
    struct digest digest;
    if (strncmp(path, search->prefix, search->prefix_length) != 0)
        return false;
    path += search->prefix_length;
    size_t length = strcspn(path, "/ ");
    if (length > DIGEST_HEX_LENGTH)
        return false;
    memcpy(tree, path, length);
    tree[length] = '\0';
    return digest_parse(tree, &digest) ||
           strncmp(tree, LEFTOVER_PREFIX, strlen(LEFTOVER_PREFIX)) == 0;
}

static int add_holder(struct lease_holders *found, const struct lease_holder *holder) {
    for (size_t i = 0; i < found->count; i++)
        if (found->holders[i].pid == holder->pid &&
            strcmp(found->holders[i].tree, holder->tree) == 0)
            return 0;
    if (found->count == found->capacity) {
        size_t capacity = found->capacity ? 2 * found->capacity : 8;
        struct lease_holder *holders = realloc(found->holders, capacity * sizeof *holders);
        if (!holders)
            return -ENOMEM;
        found->holders = holders;
        found->capacity = capacity;
    }
    found->holders[found->count++] = *holder;
    return 0;
}

static void read_command(int process_fd, struct lease_holder *holder) {
    _cleanup_close_ int fd = open_at(process_fd, "comm", O_RDONLY, 0);
    ssize_t n = fd < 0 ? -1 : read(fd, holder->command, sizeof holder->command - 1);
    holder->command[n > 0 ? n : 0] = '\0';
    holder->command[strcspn(holder->command, "\n")] = '\0';
}

/* Look at one link of /proc/PID: exe, cwd, fd/N. */
static int look_at_link(const struct search *search, int process_fd, int directory_fd,
                        const char *name, pid_t pid) {
    char path[PATH_MAX];
    struct lease_holder holder = {.pid = pid};
    ssize_t length = readlinkat(directory_fd, name, path, sizeof path - 1);
    if (length < 0)
        return 0;
    path[length] = '\0';
    if (!find_tree(search, path, holder.tree))
        return 0;
    read_command(process_fd, &holder);
    return add_holder(search->found, &holder);
}

/* A process whose descriptors are looked at. */
struct process {
    const struct search *search;
    int fd; /* of /proc/PID */
    pid_t pid;
};

static int look_at_descriptor(int directory_fd, const char *name, void *userdata) {
    const struct process *process = userdata;
    return look_at_link(process->search, process->fd, directory_fd, name, process->pid);
}

static int look_at_process(int proc_fd, const char *name, void *userdata) {
    struct process process = {.search = userdata, .pid = atoi(name)};
    if (process.pid <= 0 || process.pid == getpid())
        return 0;
    _cleanup_close_ int fd = open_at(proc_fd, name, O_RDONLY | O_DIRECTORY, 0);
    if (fd < 0)
        return 0;
    process.fd = fd;
    int r = look_at_link(process.search, fd, fd, "exe", process.pid);
    if (r == 0)
        r = look_at_link(process.search, fd, fd, "cwd", process.pid);
    if (r == 0)
        r = for_each_entry(fd, "fd", look_at_descriptor, &process);
    return r == -ENOMEM ? r : 0; /* others may not be looked into, or have ended */
}

int lease_find_holders(const char *trees_path, int trees_fd, struct lease_holders *found) {
    char link[sizeof "/proc/self/fd/" + 12], prefix[PATH_MAX + 1];
    *found = (struct lease_holders){0};
    /* The kernel's name for the directory: links in trees_path are resolved in it. */
    snprintf(link, sizeof link, "/proc/self/fd/%d", trees_fd);
    ssize_t length = readlink(link, prefix, PATH_MAX - 1);
    if (length < 0)
        length = snprintf(prefix, PATH_MAX, "%s", trees_path);
    if (length >= PATH_MAX)
        return 0;
    prefix[length++] = '/';
    prefix[length] = '\0';
    struct search search = {.prefix = prefix, .prefix_length = (size_t)length, .found = found};
    int r = for_each_entry(AT_FDCWD, "/proc", look_at_process, &search);
    if (r != -ENOMEM)
        return 0;
    lease_free_holders(found);
    return r;
}

bool lease_is_held_by_process(const struct lease_holders *found, const char *tree) {
    for (size_t i = 0; i < found->count; i++)
        if (strcmp(found->holders[i].tree, tree) == 0)
            return true;
    return false;
}

void lease_free_holders(struct lease_holders *found) {
    free(found->holders);
    *found = (struct lease_holders){0};
}

/* ---- what was left ---- */

struct tree_sweep {
    const char *trees_path;
    bool searched;
    struct lease_holders holders;
};

static int sweep_tree(int trees_fd, const char *name, void *userdata) {
    struct tree_sweep *sweep = userdata;
    if (!leftovers_is_one(trees_fd, name))
        return 0;
    if (!sweep->searched && lease_find_holders(sweep->trees_path, trees_fd, &sweep->holders) < 0)
        return -ENOMEM;
    sweep->searched = true;
    if (!lease_is_held_by_process(&sweep->holders, name))
        leftovers_remove(trees_fd, name);
    return 0;
}

void lease_sweep(const char *trees_path, int trees_fd) {
    struct tree_sweep sweep = {.trees_path = trees_path};
    for_each_entry(trees_fd, ".", sweep_tree, &sweep);
    lease_free_holders(&sweep.holders);
}
