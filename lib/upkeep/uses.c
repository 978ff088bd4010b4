/* SPDX-License-Identifier: MIT */
#include <volt-qemu/uses.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/lock-holder.h"
#include "base/proc.h"
#include "store/revision.h"
#include "tree/lease.h"
#include "upkeep/guest-name.h"
#include "upkeep/keepers.h"
#include "util/dir.h"
#include "util/export.h"
#include "util/fd.h"
#include "util/word.h"

/* More processes than that with a lease of their own are not told for one tree. */
#define LEASES_MAX 64

struct use {
    const char *kind;
    char *tree, *revision, *command, *vm, *holder;
    int64_t pid;
};

struct vqemu_use_list {
    struct use *uses;
    size_t count, capacity;
    bool is_complete;
};

/* Who is being looked for. */
struct lookup {
    struct keepers keepers;
    vqemu_revision_list *revisions; /* those that are meant */
    bool is_for_all;
    vqemu_use_list *list;
};

static void release_lookup(struct lookup *lookup) {
    keepers_release(&lookup->keepers);
    vqemu_revision_list_free(lookup->revisions);
    vqemu_use_list_free(lookup->list);
}

/* ---- adding ---- */

static char *copy(const char *text) {
    return strdup(text ? text : "");
}

/* NULL stands for "". */
static int add(struct lookup *lookup, const char *kind, const char *tree, const char *revision,
               const struct tree_user *user, const char *holder) {
    vqemu_use_list *list = lookup->list;
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? 2 * list->capacity : 16;
        struct use *larger = realloc(list->uses, capacity * sizeof *larger);
        if (!larger)
            return -ENOMEM;
        list->uses = larger;
        list->capacity = capacity;
    }
    char *vm = NULL;
    if (user && guest_name_of_process(user->pid, &vm) < 0)
        return -ENOMEM;
    struct use *use = &list->uses[list->count++];
    *use = (struct use){.kind = kind,
                        .tree = copy(tree),
                        .revision = copy(revision),
                        .command = copy(user ? user->command : NULL),
                        .vm = vm ? vm : copy(NULL),
                        .holder = copy(holder),
                        .pid = user ? user->pid : 0};
    return use->tree && use->revision && use->command && use->vm && use->holder ? 0 : -ENOMEM;
}

static const vqemu_revision *revision_of_tree(const struct lookup *lookup, const char *tree) {
    for (size_t i = 0; i < vqemu_revision_list_count(lookup->revisions); i++) {
        const vqemu_revision *revision = vqemu_revision_list_at(lookup->revisions, i);
        if (strcmp(revision_digest(revision), tree) == 0)
            return revision;
    }
    return NULL;
}

static const vqemu_revision *find_revision(const struct lookup *lookup, const char *name) {
    for (size_t i = 0; i < vqemu_revision_list_count(lookup->revisions); i++) {
        const vqemu_revision *revision = vqemu_revision_list_at(lookup->revisions, i);
        if (strcmp(vqemu_revision_name(revision), name) == 0)
            return revision;
    }
    return NULL;
}

/* A use of a tree, if that is meant. */
static int add_of_tree(struct lookup *lookup, const char *kind, const char *tree,
                       const struct tree_user *user) {
    const vqemu_revision *revision = revision_of_tree(lookup, tree);
    if (!revision && !lookup->is_for_all)
        return 0;
    return add(lookup, kind, tree, revision ? vqemu_revision_name(revision) : NULL, user, NULL);
}

/* A use of a revision, which can be gone. */
static int add_of_revision(struct lookup *lookup, const char *kind, const char *name,
                           const char *holder) {
    const vqemu_revision *revision = find_revision(lookup, name);
    if (!revision && !lookup->is_for_all)
        return 0;
    return add(lookup, kind, revision ? revision_digest(revision) : NULL, name, NULL, holder);
}

/* ---- leases ---- */

/* The directory of a tree that is leased, and who may be the one that has the lease. */
struct leased {
    struct lookup *lookup;
    const char *tree;
    struct stat status;
    int proc_fd;
    bool is_told;
};

static int is_leased_file(int directory_fd, const char *name, void *userdata) {
    const struct leased *leased = userdata;
    struct stat status;
    return proc_look_at(directory_fd, name, &status) == 0 &&
           status.st_ino == leased->status.st_ino && status.st_dev == leased->status.st_dev;
}

/*
 * A lock is known by the process that took it. That can have ended, or closed its descriptor, when
 * another one has inherited it. Of one that may not be looked into, it is believed.
 */
static int add_holder(struct leased *leased, pid_t pid) {
    struct tree_user holder = {.pid = pid};
    _cleanup_close_ int process_fd = proc_open_process(leased->proc_fd, pid);
    int r = process_fd < 0 ? process_fd : for_each_entry(process_fd, "fd", is_leased_file, leased);
    if (r == 0 || r == -ENOENT || r == -ESRCH)
        return 0;
    proc_read_command(process_fd, holder.command);
    leased->is_told = true;
    return add_of_tree(leased->lookup, "lease", leased->tree, &holder);
}

static bool has(const pid_t *pids, int count, pid_t pid) {
    for (int i = 0; i < count; i++)
        if (pids[i] == pid)
            return true;
    return false;
}

static int add_holders(struct leased *leased) {
    const struct tree_users *users = &leased->lookup->keepers.users;
    pid_t pids[LEASES_MAX];
    int count = lock_find_holders(&leased->status, pids, LEASES_MAX);
    int r = count < 0 ? count : 0;
    for (int i = 0; r == 0 && i < count; i++)
        if (!has(pids, i, pids[i])) /* it may have several leases */
            r = add_holder(leased, pids[i]);
    for (size_t i = 0; r == 0 && !leased->is_told && i < users->count; i++)
        if (strcmp(users->users[i].tree, leased->tree) == 0)
            r = add_holder(leased, users->users[i].pid);
    return r;
}

static int add_leases(int trees_fd, const char *tree, void *userdata) {
    struct digest digest;
    struct leased leased = {.lookup = userdata, .tree = tree, .proc_fd = -1};
    int r = digest_parse(tree, &digest) ? lease_is_held(trees_fd, tree) : 0;
    if (r != 1)
        return r;
    if (fstatat(trees_fd, tree, &leased.status, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? 0 : -errno;
    r = proc_open(&leased.proc_fd, NULL) == 0 ? add_holders(&leased) : 0;
    cleanup_close(&leased.proc_fd);
    return r == 0 && !leased.is_told ? add_of_tree(leased.lookup, "lease", tree, NULL) : r;
}

/* ---- all kinds ---- */

static int add_processes(struct lookup *lookup) {
    const struct tree_users *users = &lookup->keepers.users;
    int r = 0;
    for (size_t i = 0; r == 0 && i < users->count; i++)
        r = add_of_tree(lookup, "process", users->users[i].tree, &users->users[i]);
    return r;
}

static int add_others(struct lookup *lookup) {
    const struct keepers *keepers = &lookup->keepers;
    int r = 0;
    for (size_t i = 0; r == 0 && i < keepers->pins.count; i++)
        r = add_of_revision(lookup, "pin", keepers->pins.pins[i].revision,
                            keepers->pins.pins[i].holder);
    for (size_t i = 0; r == 0 && i < keepers->currents.count; i++)
        r = add_of_revision(lookup, "current", keepers->currents.currents[i].revision, NULL);
    for (size_t i = 0; r == 0 && i < keepers->links.count; i++)
        r = add_of_tree(lookup, "link", keepers->links.links[i].digest.hex, NULL);
    return r;
}

static int add_all(struct lookup *lookup, vqemu_error **error) {
    int trees_fd = lookup->keepers.trees_fd;
    int r = add_processes(lookup);
    if (r == 0 && trees_fd >= 0)
        r = for_each_entry(trees_fd, ".", add_leases, lookup);
    if (r == 0)
        r = add_others(lookup);
    lookup->list->is_complete = trees_fd < 0 || lookup->keepers.users.is_complete;
    return r < 0 ? error_system_at(error, -r, "cannot find out what uses the trees in", "%s",
                                   lookup->keepers.store->trees_path)
                 : 0;
}

VQEMU_EXPORT int vqemu_store_list_uses(vqemu_store *store, const char *name, uint32_t flags,
                                       vqemu_call *call, vqemu_use_list **list,
                                       vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(list, error);
    *list = NULL;
    REQUIRE_STORE(store, error);
    REQUIRE_FLAGS(flags, 0, error);
    struct vqemu_progress progress = {.call = call};
    _cleanup_close_ int lock = -1; /* a collection would take what is asked here for a lease */
    _cleanup_(release_lookup) struct lookup lookup = {
        .keepers = KEEPERS_NONE(store),
        .is_for_all = !name,
        .list = calloc(1, sizeof *lookup.list),
    };
    int r = lookup.list ? 0 : error_no_memory(error);
    if (r == 0)
        r = call_check(call, "the start", error);
    if (r == 0)
        r = store_lock_shared(store, &progress, &lock, error);
    if (r == 0)
        r = revision_list_named(store, name, call, &lookup.revisions, error);
    if (r == 0)
        r = keepers_find(&lookup.keepers, call, error);
    if (r == 0)
        tree_users_report(&lookup.keepers.users, store->trees_path, call);
    if (r == 0)
        r = add_all(&lookup, error);
    if (r < 0)
        return r;
    *list = TAKE_POINTER(lookup.list);
    return 0;
}

/* ---- access ---- */

static const struct use *use_at(const vqemu_use_list *list, size_t index) {
    return list && index < list->count ? &list->uses[index] : NULL;
}

VQEMU_EXPORT size_t vqemu_use_list_count(const vqemu_use_list *list) {
    return list ? list->count : 0;
}

VQEMU_EXPORT bool vqemu_use_list_is_complete(const vqemu_use_list *list) {
    return list && list->is_complete;
}

VQEMU_EXPORT const char *vqemu_use_list_kind(const vqemu_use_list *list, size_t index) {
    const struct use *use = use_at(list, index);
    return use ? use->kind : NULL;
}

VQEMU_EXPORT const char *vqemu_use_list_tree_name(const vqemu_use_list *list, size_t index) {
    const struct use *use = use_at(list, index);
    return use ? null_if_empty(use->tree) : NULL;
}

VQEMU_EXPORT const char *vqemu_use_list_revision_name(const vqemu_use_list *list, size_t index) {
    const struct use *use = use_at(list, index);
    return use ? null_if_empty(use->revision) : NULL;
}

VQEMU_EXPORT int64_t vqemu_use_list_pid(const vqemu_use_list *list, size_t index) {
    const struct use *use = use_at(list, index);
    return use ? use->pid : 0;
}

VQEMU_EXPORT const char *vqemu_use_list_process_name(const vqemu_use_list *list, size_t index) {
    const struct use *use = use_at(list, index);
    return use ? null_if_empty(use->command) : NULL;
}

VQEMU_EXPORT const char *vqemu_use_list_vm_name(const vqemu_use_list *list, size_t index) {
    const struct use *use = use_at(list, index);
    return use ? null_if_empty(use->vm) : NULL;
}

VQEMU_EXPORT const char *vqemu_use_list_holder(const vqemu_use_list *list, size_t index) {
    const struct use *use = use_at(list, index);
    return use ? null_if_empty(use->holder) : NULL;
}

VQEMU_EXPORT void vqemu_use_list_free(vqemu_use_list *list) {
    if (!list)
        return;
    for (size_t i = 0; i < list->count; i++) {
        struct use *use = &list->uses[i];
        free(use->tree);
        free(use->revision);
        free(use->command);
        free(use->vm);
        free(use->holder);
    }
    free(list->uses);
    free(list);
}
