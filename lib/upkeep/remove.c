/* SPDX-License-Identifier: MIT */
/*
 * Removing one revision: the manifest first, so that whoever is killed leaves a tree and objects
 * that the next collection takes, but no revision that lacks something.
 */
#include <volt-qemu/collect.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "store/arrival.h"
#include "store/revision.h"
#include "store/signatures.h"
#include "tree/lease.h"
#include "upkeep/guest-name.h"
#include "upkeep/keepers.h"
#include "util/dir.h"
#include "util/export.h"
#include "util/fd.h"
#include "util/strbuf.h"
#include "util/word.h"

struct removal {
    vqemu_store *store;
    const char *name; /* of the revision */
    char *file;       /* in refs/ */
    vqemu_call *call;
    struct store_exclusive lock;
    struct keepers keepers;
    struct digest tree; /* "" if there is none */
    int links_lock;
};

static void release_removal(struct removal *removal) {
    cleanup_close(&removal->links_lock);
    store_unlock_exclusive(&removal->lock);
    keepers_release(&removal->keepers);
    free(removal->file);
}

/* ---- whether it may go ---- */

static int refuse_pinned(const struct removal *removal, vqemu_error **error) {
    const struct pin *pin = pins_of(&removal->keepers.pins, removal->name);
    if (!pin)
        return 0;
    int r = error_set(error, VQEMU_ERR_BUSY, 0, "revision %s cannot be removed: it is pinned%s%s",
                      removal->name, *pin->holder ? " by " : "", pin->holder);
    return error_because(r, error, "pinned", VQEMU_DETAIL_REVISION, removal->name,
                         VQEMU_DETAIL_HOLDER, null_if_empty(pin->holder), NULL);
}

static int refuse_current(const struct removal *removal, vqemu_error **error) {
    if (!currents_have(&removal->keepers.currents, removal->name))
        return 0;
    int r = error_set(error, VQEMU_ERR_BUSY, 0,
                      "revision %s cannot be removed: it is the one that was set to be used",
                      removal->name);
    return error_because(r, error, "current", VQEMU_DETAIL_REVISION, removal->name, NULL);
}

static int refuse_used(const struct removal *removal, vqemu_error **error) {
    _cleanup_strbuf_ struct strbuf uses = {0};
    const char *tree = removal->tree.hex;
    int used = *tree ? keepers_add_uses(&removal->keepers, tree, &uses) : 0;
    if (used == 0)
        return 0;
    if (used < 0)
        return error_system_at(error, -used, "cannot find out who uses the tree", "%s/%s",
                               removal->store->trees_path, tree);
    const struct tree_user *user = tree_users_of(&removal->keepers.users, tree);
    _cleanup_free_ char *vm = NULL;
    _cleanup_free_ char *process = user ? format_string("%d", (int)user->pid) : NULL;
    if (uses.failed || (user && (!process || guest_name_of_process(user->pid, &vm) < 0)))
        return error_no_memory(error);
    int r = error_set(error, VQEMU_ERR_BUSY, 0, "revision %s cannot be removed: its tree is %s",
                      removal->name, uses.text);
    return error_because(r, error, "in-use", VQEMU_DETAIL_REVISION, removal->name,
                         VQEMU_DETAIL_PROCESS, process, VQEMU_DETAIL_PROCESS_NAME,
                         user ? user->command : NULL, VQEMU_DETAIL_VM, vm, NULL);
}

/* ---- its tree ---- */

/* What is left of one that is broken: the first digits in its name. */
static int match_tree(int trees_fd, const char *tree, void *userdata) {
    (void)trees_fd;
    struct removal *removal = userdata;
    const char *digits = removal->name + strlen(removal->name) - REVISION_HASH_LENGTH;
    return strncmp(tree, digits, REVISION_HASH_LENGTH) == 0 && digest_parse(tree, &removal->tree);
}

static int find_tree(struct removal *removal, vqemu_call *call, vqemu_error **error) {
    _cleanup_revision_ vqemu_revision *revision = NULL;
    int trees_fd = removal->keepers.trees_fd;
    int r = revision_find(removal->store, removal->name, call, &revision, error);
    if (r == 0)
        snprintf(removal->tree.hex, sizeof removal->tree.hex, "%s", revision_digest(revision));
    if (r != VQEMU_ERR_MALFORMED)
        return r;
    error_begin(error);
    r = trees_fd < 0 ? 0 : for_each_entry(trees_fd, ".", match_tree, removal);
    return r < 0 ? error_system_at(error, -r, "cannot read", "%s", removal->store->trees_path) : 0;
}

/* ---- removing ---- */

static int remove_manifest(const struct removal *removal, vqemu_error **error) {
    const vqemu_store *store = removal->store;
    int r = remove_tree(store->refs_fd, removal->file); /* of a broken one, be it a directory */
    if (r == 0)
        r = sync_fd(store->refs_fd);
    if (r == 0) {
        arrivals_sweep(store);
        signatures_sweep(store);
    }
    return r < 0 ? error_system_at(error, -r, "cannot remove the revision", "%s/%s",
                                   store->refs_path, removal->file)
                 : 0;
}

/*
 * Whoever leases it from now on, keeps it; it goes at the next collection then. The links go first,
 * so that none leads nowhere.
 */
static int remove_its_tree(const struct removal *removal, vqemu_error **error) {
    const char *tree = removal->tree.hex;
    int trees_fd = removal->keepers.trees_fd;
    if (!*tree || trees_fd < 0)
        return 0;
    if (exists_at(trees_fd, tree) != 0)
        tree_users_report(&removal->keepers.users, removal->store->trees_path, removal->call);
    int r =
        links_remove_to(removal->store, &removal->keepers.links, removal->links_lock, tree, error);
    if (r == 0)
        r = links_sync(removal->store, error);
    if (r < 0)
        return r;
    r = lease_remove_tree(trees_fd, tree);
    if (r >= 0)
        return 0;
    r = error_system_at(error, -r, "cannot remove its tree", "%s/%s", removal->store->trees_path,
                        tree);
    return error_prefix(r, error, "revision %s was removed: ", removal->name);
}

static int prepare(struct removal *removal, struct vqemu_progress *progress, vqemu_error **error) {
    int r = revision_check_name(removal->name, error);
    if (r == 0)
        r = store_require_writable(removal->store, "remove a revision", error);
    if (r == 0)
        r = call_check(progress->call, "the start", error);
    if (r == 0)
        r = store_lock_exclusive(removal->store, progress, &removal->lock, error);
    if (r == 0)
        r = keepers_find(&removal->keepers, progress->call, error);
    if (r == 0)
        r = find_tree(removal, progress->call, error);
    if (r < 0)
        return r;
    removal->file = revision_file_name(removal->name);
    return removal->file ? 0 : error_no_memory(error);
}

VQEMU_EXPORT int vqemu_store_remove_revision(vqemu_store *store, const char *name, uint32_t flags,
                                             vqemu_call *call, vqemu_error **error) {
    error_begin(error);
    REQUIRE_STORE(store, error);
    REQUIRE_ARGUMENT(name, error);
    REQUIRE_FLAGS(flags, 0, error);
    _cleanup_(release_removal) struct removal removal = {
        .store = store,
        .name = name,
        .call = call,
        .lock = {-1, -1},
        .keepers = KEEPERS_NONE(store),
        .links_lock = -1,
    };
    struct vqemu_progress progress = {.call = call};
    int r = prepare(&removal, &progress, error);
    if (r == 0)
        r = refuse_pinned(&removal, error);
    if (r == 0)
        r = refuse_current(&removal, error);
    if (r == 0)
        r = refuse_used(&removal, error);
    if (r == 0)
        r = links_lock(store, &removal.keepers.links, &progress, &removal.links_lock, error);
    if (r == 0)
        r = remove_manifest(&removal, error);
    return r == 0 ? remove_its_tree(&removal, error) : r;
}
