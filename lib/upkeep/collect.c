/* SPDX-License-Identifier: MIT */
/*
 * Garbage collection: find out what must stay, plan what goes, then remove it, revisions first and
 * objects last, so that whoever is killed leaves nothing that lacks something.
 */
#include <volt-qemu/collect.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest-set.h"
#include "base/error.h"
#include "store/arrival.h"
#include "store/inodes.h"
#include "store/leftovers.h"
#include "store/program-parts.h"
#include "store/reached.h"
#include "store/revision.h"
#include "store/signatures.h"
#include "tree/lease.h"
#include "upkeep/collect-options.h"
#include "upkeep/collection.h"
#include "upkeep/keepers.h"
#include "util/dir.h"
#include "util/export.h"
#include "util/fd.h"
#include "util/join.h"
#include "util/path.h"
#include "util/sparse.h"
#include "util/strbuf.h"

#define ALT_PREFIX "alt/"

/* A collection under way. */
struct collector {
    vqemu_store *store;
    uint64_t keep;
    struct store_exclusive lock;
    vqemu_revision_list *revisions;
    struct digest_set trees;   /* the manifests of revisions that stay */
    struct digest_set objects; /* what these reach */
    struct digest_set parts;   /* of store/program-parts.h */
    struct keepers keepers;
    struct inodes doomed; /* the links that go with trees */
    int links_lock;
    struct vqemu_progress progress;
    vqemu_collection *plan;
};

static void release_collector(struct collector *collector) {
    cleanup_close(&collector->links_lock);
    store_unlock_exclusive(&collector->lock);
    keepers_release(&collector->keepers);
    vqemu_revision_list_free(collector->revisions);
    digest_set_release(&collector->trees);
    digest_set_release(&collector->objects);
    digest_set_release(&collector->parts);
    inodes_release(&collector->doomed);
    vqemu_collection_free(collector->plan);
}

static int plan_removal(struct collector *collector, enum removed_kind kind, const char *name,
                        uint64_t bytes) {
    return collection_add(collector->plan, kind, name, bytes);
}

/* ---- what stays ---- */

static int is_broken(const vqemu_revision *revision, vqemu_error **error) {
    return error_prefix(revision_broken(revision, error), error,
                        "nothing was collected, because what %s reaches cannot be told, so repair "
                        "or remove its file: ",
                        vqemu_revision_name(revision));
}

static int load_revisions(struct collector *collector, vqemu_error **error) {
    int r = revision_list_all(collector->store, NULL, collector->progress.call,
                              &collector->revisions, error);
    for (size_t i = 0; r == 0 && i < vqemu_revision_list_count(collector->revisions); i++) {
        const vqemu_revision *revision = vqemu_revision_list_at(collector->revisions, i);
        if (vqemu_revision_error(revision))
            r = is_broken(revision, error);
    }
    return r;
}

/* number: how many revisions of the profile are newer. Returns 1, 0 or a negative errno. */
static int revision_stays(const struct collector *collector, const vqemu_revision *revision,
                          size_t number) {
    _cleanup_strbuf_ struct strbuf reasons = {0};
    bool is_new = collector->keep == 0 || number < collector->keep;
    if (is_new)
        strbuf_add(&reasons, collector->keep == 0 ? "all stay" : "newest");
    int r = keepers_add_reasons(&collector->keepers, vqemu_revision_name(revision),
                                revision_digest(revision), &reasons);
    if (r < 0 || (r == 0 && !is_new))
        return r;
    r = collection_keep(collector->plan, "revision", vqemu_revision_name(revision),
                        strbuf_take(&reasons));
    return r < 0 ? r : 1;
}

static int keep_revision(struct collector *collector, const vqemu_revision *revision) {
    struct digest digest;
    digest_parse(revision_digest(revision), &digest);
    int r = digest_set_add(&collector->trees, &digest);
    if (r == 0)
        r = manifest_add_digests(vqemu_revision_manifest(revision), &collector->objects);
    return r == 0 ? program_parts_add_all(vqemu_revision_manifest(revision), &collector->parts) : r;
}

static int plan_revision(struct collector *collector, const vqemu_revision *revision) {
    struct stat status;
    if (fstatat(collector->store->refs_fd, base_name(vqemu_revision_path(revision)), &status,
                AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? 0 : -errno;
    return plan_removal(collector, REMOVED_REVISION, vqemu_revision_name(revision),
                        disk_space(&status));
}

/* The list has the newest of each profile first. */
static int choose_revisions(struct collector *collector) {
    const char *profile = "";
    size_t number = 0;
    for (size_t i = 0; i < vqemu_revision_list_count(collector->revisions); i++) {
        const vqemu_revision *revision = vqemu_revision_list_at(collector->revisions, i);
        number = strcmp(profile, vqemu_revision_profile_name(revision)) == 0 ? number + 1 : 0;
        profile = vqemu_revision_profile_name(revision);
        int stays = revision_stays(collector, revision, number);
        int r = stays < 0 ? stays
                : stays   ? keep_revision(collector, revision)
                          : plan_revision(collector, revision);
        if (r < 0)
            return r;
    }
    digest_set_sort(&collector->trees);
    digest_set_sort(&collector->objects);
    digest_set_sort(&collector->parts);
    return 0;
}

/* ---- what goes ---- */

static int add_up(int directory_fd, const char *name, void *userdata);

struct weighing {
    struct inodes *doomed;
    uint64_t bytes;
};

/* Note the links of a file or directory that will go, and the space of what has no other link. */
static int weigh(int directory_fd, const char *name, struct weighing *weighing) {
    struct stat status;
    if (fstatat(directory_fd, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? 0 : -errno;
    if (S_ISDIR(status.st_mode)) {
        weighing->bytes += disk_space(&status);
        return for_each_entry(directory_fd, name, add_up, weighing);
    }
    if (status.st_nlink > 1)
        return inodes_add(weighing->doomed, status.st_ino);
    weighing->bytes += disk_space(&status);
    return 0;
}

static int add_up(int directory_fd, const char *name, void *userdata) {
    return weigh(directory_fd, name, userdata);
}

/* Why a tree without a revision stays. Returns 1, 0 or a negative errno. */
static int tree_stays(const struct collector *collector, const char *name) {
    _cleanup_strbuf_ struct strbuf reasons = {0};
    bool is_linked = links_keep(&collector->keepers.links, collector->revisions, name);
    if (is_linked)
        strbuf_add(&reasons, "linked");
    int used = keepers_add_uses(&collector->keepers, name, &reasons);
    if (used < 0 || (used == 0 && !is_linked))
        return used;
    used = collection_keep(collector->plan, "tree", name, strbuf_take(&reasons));
    return used < 0 ? used : 1;
}

/* Planning is no step that is told of, but it can be given up. */
static int check_plan(const struct collector *collector) {
    return call_check(collector->progress.call, "", NULL) < 0 ? -ECANCELED : 0;
}

static int plan_tree(int trees_fd, const char *name, void *userdata) {
    struct collector *collector = userdata;
    struct weighing weighing = {.doomed = &collector->doomed};
    struct digest digest;
    if (!digest_parse(name, &digest) || digest_set_has(&collector->trees, name))
        return 0;
    if (check_plan(collector) < 0)
        return -ECANCELED;
    int stays = tree_stays(collector, name);
    if (stays != 0)
        return stays < 0 ? stays : 0;
    int r = weigh(trees_fd, name, &weighing);
    return r == 0 ? plan_removal(collector, REMOVED_TREE, name, weighing.bytes) : r;
}

/* An object, or its inode in alt/, which is called "alt/<digest>". */
static int plan_file(struct collector *collector, int directory_fd, const char *name,
                     const char *prefix) {
    struct digest digest;
    struct stat status;
    if (!digest_parse(name, &digest) || digest_set_has(&collector->objects, name))
        return 0;
    if (check_plan(collector) < 0)
        return -ECANCELED;
    if (fstatat(directory_fd, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? 0 : -errno;
    size_t links = status.st_nlink - inodes_count(&collector->doomed, status.st_ino);
    _cleanup_free_ char *path = join_texts(prefix, name, NULL);
    return path
               ? plan_removal(collector, REMOVED_OBJECT, path, links <= 1 ? disk_space(&status) : 0)
               : -ENOMEM;
}

static int plan_object(int objects_fd, const char *name, void *collector) {
    return plan_file(collector, objects_fd, name, "");
}

static int plan_alternative(int alt_fd, const char *name, void *collector) {
    return plan_file(collector, alt_fd, name, ALT_PREFIX);
}

/* The directories in which things are made, relative to the store. */
enum { TMP, REFS, ALT, CACHE, CURRENT, TREES, LINKS, WORKSHOP_COUNT };
static const char *const workshop_names[WORKSHOP_COUNT] = {
    [TMP] = STORE_TMP,         [REFS] = "refs",   [ALT] = STORE_ALT, [CACHE] = STORE_CACHE,
    [CURRENT] = STORE_CURRENT, [TREES] = "trees", [LINKS] = "links",
};

static int open_workshop(const vqemu_store *store, int workshop) {
    switch (workshop) {
    case REFS:
        return open_at(store->refs_fd, ".", O_RDONLY | O_DIRECTORY, 0);
    case TREES: {
        int fd;
        return store_find_trees(store, &fd, NULL) < 0 ? -EPERM : fd;
    }
    case LINKS:
        return store_find_links(store);
    default:
        return store_find_beside_objects(store, workshop_names[workshop]);
    }
}

struct sweep {
    struct collector *collector;
    int workshop;
};

/* What cannot be looked at, as root's leftovers by other users, stays, and whoever may is told. */
static void tell_unreadable(const struct sweep *sweep, const char *name, int system_errno) {
    char text[128];
    call_log(sweep->collector->progress.call, VQEMU_LOG_WARNING, "leftover-unreadable",
             (struct log_subject){.path = sweep->collector->store->objects_path},
             "%s/%s of the store %s stays: it cannot be told whether a process that died left it: "
             "%s",
             workshop_names[sweep->workshop], name, sweep->collector->store->objects_path,
             strerror_r(system_errno, text, sizeof text));
}

static int plan_staging(int directory_fd, const char *name, void *userdata) {
    const struct sweep *sweep = userdata;
    struct weighing weighing = {.doomed = &sweep->collector->doomed};
    int is_one = leftovers_is_one(directory_fd, name);
    if (is_one < 0)
        tell_unreadable(sweep, name, -is_one);
    if (is_one != 1 ||
        (sweep->workshop == TREES && tree_users_of(&sweep->collector->keepers.users, name)))
        return 0;
    _cleanup_free_ char *path = join_path(workshop_names[sweep->workshop], name);
    int r = weigh(directory_fd, name, &weighing);
    if (r == 0)
        r = path ? plan_removal(sweep->collector, REMOVED_STAGING, path, weighing.bytes) : -ENOMEM;
    return r;
}

/* Whether what a record remembers is gone. */
static bool is_outdated(const struct collector *collector, const char *record) {
    if (strncmp(record, "verified-", 9) == 0)
        return !digest_set_has(&collector->trees, record + 9);
    if (strncmp(record, "capabilities-", 13) == 0)
        return !digest_set_has(&collector->parts, record + 13);
    if (strncmp(record, "newest-", 7) != 0 || !revision_is_name(record + 7))
        return false;
    return !currents_have(&collector->keepers.currents, record + 7);
}

static int plan_record(int directory_fd, const char *name, void *userdata) {
    struct collector *collector = userdata;
    struct stat status;
    if (!is_outdated(collector, name) ||
        fstatat(directory_fd, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return 0;
    _cleanup_free_ char *path = format_string(STORE_CACHE "/%s", name);
    return path ? plan_removal(collector, REMOVED_STAGING, path, disk_space(&status)) : -ENOMEM;
}

static int plan_workshops(struct collector *collector) {
    int r = 0;
    for (int i = 0; r == 0 && i < WORKSHOP_COUNT; i++) {
        struct sweep sweep = {collector, i};
        _cleanup_close_ int fd = open_workshop(collector->store, i);
        if (fd < 0 && fd != -ENOENT)
            return fd;
        if (fd >= 0)
            r = for_each_entry(fd, ".", plan_staging, &sweep);
        if (r == 0 && fd >= 0 && i == CACHE)
            r = for_each_entry(fd, ".", plan_record, collector);
    }
    return r;
}

static int plan_objects(struct collector *collector) {
    inodes_sort(&collector->doomed);
    int r = for_each_entry(collector->store->objects_fd, ".", plan_object, collector);
    _cleanup_close_ int alt_fd = store_find_beside_objects(collector->store, STORE_ALT);
    if (r == 0 && alt_fd < 0 && alt_fd != -ENOENT)
        return alt_fd;
    return r == 0 && alt_fd >= 0 ? for_each_entry(alt_fd, ".", plan_alternative, collector) : r;
}

static int make_plan(struct collector *collector, vqemu_error **error) {
    int r = load_revisions(collector, error);
    if (r == 0)
        r = keepers_find(&collector->keepers, collector->progress.call, error);
    if (r < 0)
        return r;
    r = choose_revisions(collector);
    if (r == 0 && collector->keepers.trees_fd >= 0)
        r = for_each_entry(collector->keepers.trees_fd, ".", plan_tree, collector);
    if (r == 0)
        r = plan_workshops(collector);
    if (r == 0)
        r = plan_objects(collector);
    if (r == -ECANCELED)
        return progress_given_up(&collector->progress, error);
    return r < 0 ? error_system_at(error, -r, "cannot find out what to collect in the store at",
                                   "%s", collector->store->objects_path)
                 : 0;
}

/* ---- removing ---- */

static int remove_revision(const struct collector *collector, const char *name) {
    _cleanup_free_ char *file = revision_file_name(name);
    if (!file)
        return -ENOMEM;
    return unlinkat(collector->store->refs_fd, file, 0) < 0 && errno != ENOENT ? -errno : 1;
}

/* It can be a directory, if somebody put one there. */
static int remove_object(const struct collector *collector, const char *name) {
    int r;
    if (strncmp(name, ALT_PREFIX, strlen(ALT_PREFIX)) == 0) {
        _cleanup_close_ int alt_fd = store_find_beside_objects(collector->store, STORE_ALT);
        r = alt_fd < 0 ? alt_fd : remove_tree(alt_fd, name + strlen(ALT_PREFIX));
    } else {
        r = remove_tree(collector->store->objects_fd, name);
    }
    return r < 0 ? r : 1;
}

/*
 * A build does not lock the store while it stages, so what looked like a leftover may be alive by
 * now. Records of the cache have no makers. Returns 1 if it was removed, 0 if it stays.
 */
static int remove_staging(const struct collector *collector, const char *path) {
    int workshop = 0;
    while (workshop < WORKSHOP_COUNT - 1 &&
           (strncmp(path, workshop_names[workshop], strlen(workshop_names[workshop])) != 0 ||
            path[strlen(workshop_names[workshop])] != '/'))
        workshop++;
    const char *name = path + strlen(workshop_names[workshop]) + 1;
    _cleanup_close_ int fd = open_workshop(collector->store, workshop);
    if (fd < 0)
        return fd;
    if (strncmp(name, LEFTOVER_PREFIX, strlen(LEFTOVER_PREFIX)) == 0)
        return leftovers_remove(fd, name);
    int r = remove_tree(fd, name);
    return r < 0 ? r : 1;
}

/* Returns 1 if it was removed, 0 if it stays, because it is in use by now, or a negative errno. */
static int remove_item(const struct collector *collector, const struct removed *item) {
    switch (item->kind) {
    case REMOVED_REVISION:
        return remove_revision(collector, item->name);
    case REMOVED_TREE:
        return lease_remove_tree(collector->keepers.trees_fd, item->name);
    case REMOVED_OBJECT:
        return remove_object(collector, item->name);
    default:
        return remove_staging(collector, item->name);
    }
}

static int remove_kind(struct collector *collector, enum removed_kind kind, vqemu_error **error) {
    vqemu_collection *plan = collector->plan;
    for (size_t i = 0; i < plan->count;) {
        const struct removed *item = &plan->items[i];
        if (item->kind != kind) {
            i++;
            continue;
        }
        int r = remove_item(collector, item);
        if (r < 0)
            return error_prefix(error_system_at(error, -r, "cannot remove it from the store at",
                                                "%s", collector->store->objects_path),
                                error, "%s %s: ", vqemu_collection_kind(plan, i), item->name);
        if (r == 0) {
            collection_drop(plan, i);
            continue;
        }
        r = progress_advance(&collector->progress, 0, item->name, 1, error);
        if (r < 0)
            return r;
        i++;
    }
    return 0;
}

static bool plans(const vqemu_collection *plan, enum removed_kind kind) {
    for (size_t i = 0; i < plan->count; i++)
        if (plan->items[i].kind == kind)
            return true;
    return false;
}

/*
 * Before an object goes, it must be certain, also after a power cut, that its revisions are gone:
 * those of this collection, or of one that was killed, or that somebody removed.
 */
static int sync_refs(const struct collector *collector, vqemu_error **error) {
    int r = sync_fd(collector->store->refs_fd);
    if (r == 0) {
        arrivals_sweep(collector->store);
        signatures_sweep(collector->store);
    }
    return r < 0 ? error_system_at(error, -r, "cannot sync", "%s", collector->store->refs_path) : 0;
}

static void report_unseen(const struct collector *collector) {
    if (plans(collector->plan, REMOVED_TREE))
        tree_users_report(&collector->keepers.users, collector->store->trees_path,
                          collector->progress.call);
}

/* Until the trees and the links to them are gone, nobody switches links. */
static int remove_trees(struct collector *collector, vqemu_error **error) {
    const struct keepers *keepers = &collector->keepers;
    int r = plans(collector->plan, REMOVED_TREE) ? links_sync(collector->store, error) : 0;
    if (r == 0)
        r = remove_kind(collector, REMOVED_TREE, error);
    if (r == 0)
        r = links_remove_dangling(collector->store, &keepers->links, collector->links_lock,
                                  keepers->trees_fd, error);
    cleanup_close(&collector->links_lock);
    collector->links_lock = -1;
    return r;
}

static int perform(struct collector *collector, vqemu_error **error) {
    int r = links_lock(collector->store, &collector->keepers.links, &collector->progress,
                       &collector->links_lock, error);
    if (r < 0)
        return r;
    progress_start(&collector->progress, "collect", "objects", collector->plan->count);
    r = progress_report(&collector->progress, error);
    if (r == 0)
        r = remove_kind(collector, REMOVED_REVISION, error);
    if (r == 0)
        r = sync_refs(collector, error);
    if (r == 0)
        r = remove_trees(collector, error);
    if (r == 0)
        r = remove_kind(collector, REMOVED_OBJECT, error);
    return r == 0 ? remove_kind(collector, REMOVED_STAGING, error) : r;
}

VQEMU_EXPORT int vqemu_store_collect(vqemu_store *store, const vqemu_collect_options *options,
                                     uint32_t flags, vqemu_call *call,
                                     vqemu_collection **collection, vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(collection, error);
    *collection = NULL;
    REQUIRE_STORE(store, error);
    REQUIRE_FLAGS(flags, VQEMU_COLLECT_DRY_RUN, error);
    _cleanup_(release_collector) struct collector collector = {
        .store = store,
        .keep = options ? options->keep : 0,
        .keepers = KEEPERS_NONE(store),
        .lock = {-1, -1},
        .links_lock = -1,
        .progress = {.call = call, .phase_count = 1},
        .plan = calloc(1, sizeof *collector.plan),
    };
    bool dry_run = flags & VQEMU_COLLECT_DRY_RUN;
    int r = collector.plan ? 0 : error_no_memory(error);
    if (r == 0 && !dry_run)
        r = store_require_writable(store, "collect garbage", error);
    if (r == 0)
        r = store_lock_exclusive(store, &collector.progress, &collector.lock, error);
    if (r == 0)
        r = make_plan(&collector, error);
    if (r == 0)
        report_unseen(&collector);
    if (r == 0 && !dry_run)
        r = perform(&collector, error);
    if (r < 0)
        return r;
    *collection = TAKE_POINTER(collector.plan);
    return 0;
}
