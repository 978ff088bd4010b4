/* SPDX-License-Identifier: MIT */
#include "tree/tree-users.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "store/leftovers.h"
#include "tree/tree-inodes.h"
#include "util/dir.h"
#include "util/fd.h"
#include "util/strv.h"

struct search {
    const char *trees_path;
    int trees_fd;
    char kernel_path[PATH_MAX]; /* what the kernel calls the same directory */
    struct tree_inodes inodes;
    struct tree_users *users;
    size_t unseen; /* processes that could not be looked into */
    bool is_init_unseen;
    vqemu_call *call;
    vqemu_error **error;
    int failure; /* what ended the search: a result code, or -ENOMEM as an errno */
};

/* A process that is being looked at. */
struct process {
    struct search *search;
    int fd; /* of /proc/PID */
    pid_t pid;
    bool is_denied;
    /* Of a stranger that only holds a tree open: found, but not taken for a user yet. */
    bool is_probed;
    struct strv probed;
};

static int add_user(struct process *process, const char *tree) {
    struct tree_users *users = process->search->users;
    if (process->is_probed) {
        strv_add(&process->probed, tree);
        return process->probed.failed ? -ENOMEM : 0;
    }
    for (size_t i = users->count; i > 0 && users->users[i - 1].pid == process->pid; i--)
        if (strcmp(users->users[i - 1].tree, tree) == 0)
            return 0;
    if (users->count == users->capacity) {
        size_t capacity = users->capacity ? 2 * users->capacity : 8;
        struct tree_user *larger = realloc(users->users, capacity * sizeof *larger);
        if (!larger)
            return -ENOMEM;
        users->users = larger;
        users->capacity = capacity;
    }
    struct tree_user *user = &users->users[users->count++];
    *user = (struct tree_user){.pid = process->pid};
    snprintf(user->tree, sizeof user->tree, "%s", tree);
    proc_read_command(process->fd, user->command);
    return 0;
}

/* ---- by name ---- */

static bool is_name_of_tree(const char *name) {
    struct digest digest;
    return digest_parse(name, &digest) ||
           strncmp(name, LEFTOVER_PREFIX, strlen(LEFTOVER_PREFIX)) == 0;
}

/* The name of the tree that a path is, or lies in; false for other paths. */
static bool find_tree(const char *trees_path, const char *path, char tree[DIGEST_HEX_LENGTH + 1]) {
    size_t prefix = strlen(trees_path);
    if (prefix == 0 || strncmp(path, trees_path, prefix) != 0 || path[prefix] != '/')
        return false;
    path += prefix + 1;
    size_t length = strcspn(path, "/ "); /* " (deleted)" */
    if (length > DIGEST_HEX_LENGTH)
        return false;
    memcpy(tree, path, length);
    tree[length] = '\0';
    return is_name_of_tree(tree);
}

/* ---- by inode ---- */

/* What else has a path in /proc is no file of a disk. */
static bool may_be_of_disk(const char *path) {
    static const char *const others[] = {"/dev/", "/proc/", "/sys/", "/memfd:"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (strncmp(path, others[i], strlen(others[i])) == 0)
            return false;
    return *path == '/';
}

/* Whether a path has a component. */
static bool names(const char *path, const char *component) {
    size_t length = strlen(component);
    for (const char *at = strstr(path, component); at; at = strstr(at + 1, component))
        if (at > path && at[-1] == '/' && strchr("/ ", at[length]))
            return true;
    return false;
}

/*
 * Trees share the inodes of their files: of those that have one, the tree that is named in the path
 * is meant, or it may be any of them.
 */
static int add_users_of_inode(struct process *process, const char *path, dev_t device,
                              ino_t inode) {
    const struct tree_inodes *inodes = &process->search->inodes;
    char *const *trees = inodes->trees.items;
    size_t count;
    const struct tree_inode *found = tree_inodes_find(inodes, device, inode, &count);
    for (size_t i = 0; i < count; i++)
        if (names(path, trees[found[i].tree]))
            return add_user(process, trees[found[i].tree]);
    int r = 0;
    for (size_t i = 0; r == 0 && i < count; i++)
        r = add_user(process, trees[found[i].tree]);
    return r;
}

/* Another mount namespace, or another mount in this one, can have the trees under other names. */
static int look_at_inode(struct process *process, int directory_fd, const char *name,
                         const char *path, bool may_be_file) {
    struct stat status;
    if (!may_be_of_disk(path))
        return 0;
    int r = proc_look_at(directory_fd, name, &status);
    bool is_meant = r == 0 && (S_ISDIR(status.st_mode) || (may_be_file && S_ISREG(status.st_mode)));
    if (!is_meant)
        return r == -ENOMEM ? r : 0; /* what may not be looked at is of no file system of ours */
    return add_users_of_inode(process, path, status.st_dev, status.st_ino);
}

/* ---- a process ---- */

/*
 * What an error in /proc/PID means: that the process may not be looked into, which is noted, or
 * that it has ended. Else it cannot be told what the process uses: the search fails.
 */
static int settle(struct process *process, int r) {
    if (r == -EACCES || r == -EPERM)
        process->is_denied = true;
    return r == -EACCES || r == -EPERM || r == -ENOENT || r == -ESRCH ? 0 : r;
}

/* Look at one link of /proc/PID: exe, cwd, fd/N. */
static int look_at_link(struct process *process, int directory_fd, const char *name,
                        bool may_be_file) {
    char path[PATH_MAX] = "/", tree[DIGEST_HEX_LENGTH + 1];
    ssize_t length = readlinkat(directory_fd, name, path, sizeof path - 1);
    if (length < 0 && errno != ENAMETOOLONG)
        return settle(process, -errno);
    if (length >= 0)
        path[length] = '\0';
    if (find_tree(process->search->kernel_path, path, tree))
        return add_user(process, tree);
    return look_at_inode(process, directory_fd, name, path, may_be_file);
}

static int look_at_descriptor(int directory_fd, const char *name, void *userdata) {
    return look_at_link(userdata, directory_fd, name, false);
}

/* Anybody may read what a process was started with. */
static int look_at_arguments(struct process *process, bool *found) {
    const struct search *search = process->search;
    _cleanup_free_ char *arguments = NULL;
    char tree[DIGEST_HEX_LENGTH + 1];
    size_t size;
    int r = proc_read_arguments(process->fd, &arguments, &size);
    *found = false;
    for (size_t at = 0; r == 0 && at < size; at += strlen(arguments + at) + 1) {
        if (!find_tree(search->kernel_path, arguments + at, tree) &&
            !find_tree(search->trees_path, arguments + at, tree))
            continue;
        *found = true;
        r = add_user(process, tree);
    }
    return r;
}

static int look_at_denied(struct process *process) {
    bool found;
    int r = look_at_arguments(process, &found);
    if (r == 0 && !found && !proc_is_hollow(process->fd)) {
        process->search->unseen++;
        process->search->is_init_unseen |= process->pid == 1;
    }
    return r;
}

/* What a process can hold open without running from it. */
static int look_at_open_files(struct process *process) {
    int r = look_at_link(process, process->fd, "cwd", false);
    return r == 0 ? settle(process, for_each_entry(process->fd, "fd", look_at_descriptor, process))
                  : r;
}

/*
 * Any local user can go into a tree, which is for all to read, and would keep it for ever. So one
 * who is neither root nor the caller uses it only if a file of it is mapped as well, as it is to
 * who runs a program of it by a loader from elsewhere.
 */
static int look_at_stranger(struct process *process) {
    _cleanup_free_ char *maps = NULL;
    process->is_probed = true;
    int r = look_at_open_files(process);
    process->is_probed = false;
    if (r < 0 || process->probed.count == 0)
        return r;
    bool can_tell = proc_read_maps(process->fd, &maps) == 0;
    for (size_t i = 0; r == 0 && i < process->probed.count; i++)
        if (!can_tell || names(maps, process->probed.items[i]))
            r = add_user(process, process->probed.items[i]);
    return r;
}

/* One that may not be looked into belongs to root, as far as /proc tells. */
static bool is_stranger(const struct process *process) {
    struct stat status;
    return fstat(process->fd, &status) == 0 && status.st_uid != 0 && status.st_uid != geteuid();
}

static int look_into(struct process *process) {
    int r = look_at_link(process, process->fd, "exe", true);
    if (r == 0)
        r = is_stranger(process) ? look_at_stranger(process) : look_at_open_files(process);
    return r == 0 && process->is_denied ? look_at_denied(process) : r;
}

static int look_at_process(int proc_fd, const char *name, void *userdata) {
    struct search *search = userdata;
    struct process process = {.search = search, .pid = atoi(name)};
    if (process.pid <= 0 || process.pid == getpid())
        return 0;
    search->failure = call_check(search->call, "the search for users of trees", search->error);
    if (search->failure < 0)
        return 1;
    _cleanup_close_ int fd = proc_open_process(proc_fd, process.pid);
    int r = fd < 0 ? settle(&process, fd) : 0;
    search->unseen += process.is_denied;
    if (r < 0 || fd < 0)
        return r;
    process.fd = fd;
    r = look_into(&process);
    strv_release(&process.probed);
    return r;
}

/* ---- all of them ---- */

/* The first process of a host, which a container around it may keep from being looked into, runs no
 * VM. */
static void judge_unseen(struct search *search, int proc_fd) {
    struct tree_users *users = search->users;
    users->is_hidden = proc_hides_processes(proc_fd);
    users->unseen = search->unseen - (search->is_init_unseen && !users->is_hidden);
    users->is_complete = users->unseen == 0 && !users->is_hidden;
}

void tree_users_report(const struct tree_users *users, const char *trees_path, vqemu_call *call) {
    if (users->unseen > 0)
        call_log(call, VQEMU_LOG_WARNING, "process-unreadable",
                 (struct log_subject){.path = trees_path},
                 "%zu processes may not be looked into: whether they use what is in %s cannot be "
                 "told, but for leases",
                 users->unseen, trees_path);
    if (users->is_hidden)
        call_log(call, VQEMU_LOG_WARNING, "processes-hidden",
                 (struct log_subject){.path = trees_path},
                 "there may be processes that are not in /proc here (a PID namespace, or hidepid): "
                 "whether they use what is in %s cannot be told, but for leases",
                 trees_path);
}

static int look_at_all(struct search *search, int proc_fd) {
    int r = tree_inodes_read(&search->inodes, search->trees_fd);
    if (r < 0)
        return error_system_at(search->error, -r, "cannot look through", "%s", search->trees_path);
    r = for_each_entry(proc_fd, ".", look_at_process, search);
    if (search->failure < 0)
        return search->failure;
    if (r < 0)
        return error_system_at(search->error, -r, "cannot look through", "/proc");
    judge_unseen(search, proc_fd);
    return 0;
}

/* The kernel's name for a directory: links in its path are resolved in it. */
static void name_as_kernel(struct search *search, int proc_fd) {
    char link[sizeof "self/fd/" + 12];
    snprintf(link, sizeof link, "self/fd/%d", search->trees_fd);
    ssize_t length = readlinkat(proc_fd, link, search->kernel_path, sizeof search->kernel_path - 1);
    search->kernel_path[length > 0 ? length : 0] = '\0'; /* then inodes must do */
}

int tree_users_find(const char *trees_path, int trees_fd, vqemu_call *call,
                    struct tree_users *users, vqemu_error **error) {
    struct search search = {.trees_path = trees_path,
                            .trees_fd = trees_fd,
                            .users = users,
                            .call = call,
                            .error = error};
    _cleanup_close_ int proc_fd = -1;
    *users = (struct tree_users){0};
    int r = proc_open(&proc_fd, error);
    if (r < 0)
        return r;
    name_as_kernel(&search, proc_fd);
    r = look_at_all(&search, proc_fd);
    tree_inodes_release(&search.inodes);
    if (r < 0)
        tree_users_release(users);
    return r;
}

const struct tree_user *tree_users_of(const struct tree_users *users, const char *tree) {
    for (size_t i = 0; i < users->count; i++)
        if (strcmp(users->users[i].tree, tree) == 0)
            return &users->users[i];
    return NULL;
}

void tree_users_release(struct tree_users *users) {
    free(users->users);
    *users = (struct tree_users){0};
}

/* ---- what was left ---- */

struct sweep {
    const char *trees_path;
    bool is_searched;
    struct tree_users users;
};

/* A leftover of which it cannot be told stays. */
static int sweep_tree(int trees_fd, const char *name, void *userdata) {
    struct sweep *sweep = userdata;
    if (leftovers_is_one(trees_fd, name) != 1)
        return 0;
    if (!sweep->is_searched &&
        tree_users_find(sweep->trees_path, trees_fd, NULL, &sweep->users, NULL) < 0)
        return -ECANCELED;
    sweep->is_searched = true;
    if (!tree_users_of(&sweep->users, name))
        leftovers_remove(trees_fd, name);
    return 0;
}

void tree_users_sweep(const char *trees_path, int trees_fd) {
    struct sweep sweep = {.trees_path = trees_path};
    for_each_entry(trees_fd, ".", sweep_tree, &sweep);
    tree_users_release(&sweep.users);
}
