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
#include "store/inodes.h"
#include "store/leftovers.h"
#include "store/pin.h"
#include "store/revision.h"
#include "tree/lease.h"
#include "tree/links.h"
#include "util/dir.h"
#include "util/export.h"
#include "util/fd.h"
#include "util/path.h"
#include "util/strbuf.h"

enum kind { KIND_REVISION, KIND_TREE, KIND_OBJECT, KIND_STAGING };

struct item {
    enum kind kind;
    char *name;
    uint64_t bytes;
};

#define ALT_PREFIX "alt/"

struct vqemu_collection {
    struct item *items;
    size_t count, capacity;
    uint64_t freed;
};

/* A collection under way. */
struct collector {
    vqemu_store *store;
    uint32_t keep;
    int trees_fd; /* -1 if there is no such directory */
    struct store_exclusive lock;
    vqemu_revision_list *revisions;
    struct digest_set trees;   /* the manifests of revisions that stay */
    struct digest_set objects; /* what these reach */
    struct links links;
    struct lease_holders holders;
    struct inodes doomed; /* the links that go with trees */
    struct vqemu_progress progress;
    vqemu_collection *plan;
};

static void release_collector(struct collector *collector) {
    store_unlock_exclusive(&collector->lock);
    cleanup_close(&collector->trees_fd);
    vqemu_revision_list_free(collector->revisions);
    digest_set_release(&collector->trees);
    digest_set_release(&collector->objects);
    links_release(&collector->links);
    lease_free_holders(&collector->holders);
    inodes_release(&collector->doomed);
    vqemu_collection_free(collector->plan);
}

static int plan_removal(struct collector *collector, enum kind kind, const char *name,
                        uint64_t bytes) {
    vqemu_collection *plan = collector->plan;
    char *copy = strdup(name);
    if (plan->count == plan->capacity && copy) {
        size_t capacity = plan->capacity ? 2 * plan->capacity : 64;
        struct item *items = realloc(plan->items, capacity * sizeof *items);
        if (items) {
            plan->items = items;
            plan->capacity = capacity;
        }
    }
    if (!copy || plan->count == plan->capacity) {
        free(copy);
        return -ENOMEM;
    }
    plan->items[plan->count++] = (struct item){kind, copy, bytes};
    plan->freed += bytes;
    return 0;
}

/* The space that a file takes on disk. */
static uint64_t disk_space(const struct stat *status) {
    return (uint64_t)status->st_blocks * 512;
}

/* ---- what stays ---- */

static int load_revisions(struct collector *collector, vqemu_error **error) {
    int r = revision_list_all(collector->store, NULL, collector->progress.call,
                              &collector->revisions, error);
    for (size_t i = 0; r == 0 && i < vqemu_revision_list_count(collector->revisions); i++) {
        const vqemu_revision *revision = vqemu_revision_list_at(collector->revisions, i);
        if (vqemu_revision_problem(revision))
            r = error_set(error, VQEMU_ERR_MALFORMED, 0,
                          "nothing was collected, because what %s reaches cannot be told: %s; "
                          "repair or remove that file",
                          vqemu_revision_name(revision), vqemu_revision_problem(revision));
    }
    return r;
}

static int find_users(struct collector *collector, vqemu_error **error) {
    collector->trees_fd =
        open_at(AT_FDCWD, collector->store->trees_path, O_RDONLY | O_DIRECTORY, 0);
    if (collector->trees_fd < 0 && collector->trees_fd != -ENOENT)
        return error_system(error, -collector->trees_fd, "cannot open the directory %s",
                            collector->store->trees_path);
    int r = links_read(collector->store, &collector->links, error);
    if (r < 0 || collector->trees_fd < 0)
        return r;
    r = lease_find_holders(collector->store->trees_path, collector->trees_fd, &collector->holders);
    return r < 0 ? error_no_memory(error) : 0;
}

/* Returns 1, 0 or a negative errno. What cannot be told must not be taken for unused. */
static int tree_is_used(const struct collector *collector, const char *digest) {
    if (collector->trees_fd < 0)
        return 0;
    _cleanup_close_ int fd = lease_exclude(collector->trees_fd, digest);
    if (fd == -EWOULDBLOCK || lease_is_held_by_process(&collector->holders, digest))
        return 1;
    return fd >= 0 || fd == -ENOENT || fd == -ENOTDIR || fd == -ELOOP ? 0 : fd;
}

/* number: how many revisions of the profile are newer. Returns 1, 0 or a negative errno. */
static int revision_stays(const struct collector *collector, const vqemu_revision *revision,
                          size_t number) {
    const char *digest = revision_digest(revision);
    if (collector->keep == 0 || number < collector->keep ||
        links_point_to(&collector->links, digest))
        return 1;
    int pinned = pin_is_set(collector->store, vqemu_revision_name(revision));
    return pinned ? pinned : tree_is_used(collector, digest);
}

static int keep_revision(struct collector *collector, const vqemu_revision *revision) {
    struct digest digest;
    digest_parse(revision_digest(revision), &digest);
    int r = digest_set_add(&collector->trees, &digest);
    return r == 0 ? manifest_add_digests(vqemu_revision_manifest(revision), &collector->objects)
                  : r;
}

static int plan_revision(struct collector *collector, const vqemu_revision *revision) {
    struct stat status;
    if (fstatat(collector->store->refs_fd, base_name(vqemu_revision_path(revision)), &status,
                AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? 0 : -errno;
    return plan_removal(collector, KIND_REVISION, vqemu_revision_name(revision),
                        disk_space(&status));
}

/* The list has the newest of each profile first. */
static int choose_revisions(struct collector *collector) {
    const char *profile = "";
    size_t number = 0;
    for (size_t i = 0; i < vqemu_revision_list_count(collector->revisions); i++) {
        const vqemu_revision *revision = vqemu_revision_list_at(collector->revisions, i);
        number = strcmp(profile, vqemu_revision_profile(revision)) == 0 ? number + 1 : 0;
        profile = vqemu_revision_profile(revision);
        int stays = revision_stays(collector, revision, number);
        int r = stays < 0 ? stays
                : stays   ? keep_revision(collector, revision)
                          : plan_revision(collector, revision);
        if (r < 0)
            return r;
    }
    digest_set_sort(&collector->trees);
    digest_set_sort(&collector->objects);
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

static int plan_tree(int trees_fd, const char *name, void *userdata) {
    struct collector *collector = userdata;
    struct weighing weighing = {.doomed = &collector->doomed};
    struct digest digest;
    if (!digest_parse(name, &digest) || digest_set_has(&collector->trees, name) ||
        links_keep(&collector->links, collector->revisions, name))
        return 0;
    int used = tree_is_used(collector, name);
    if (used != 0)
        return used < 0 ? used : 0;
    int r = weigh(trees_fd, name, &weighing);
    return r == 0 ? plan_removal(collector, KIND_TREE, name, weighing.bytes) : r;
}

/* An object, or its inode in alt/, which is called "alt/<digest>". */
static int plan_file(struct collector *collector, int directory_fd, const char *name,
                     const char *prefix) {
    struct digest digest;
    struct stat status;
    if (!digest_parse(name, &digest) || digest_set_has(&collector->objects, name))
        return 0;
    if (fstatat(directory_fd, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? 0 : -errno;
    size_t links = status.st_nlink - inodes_count(&collector->doomed, status.st_ino);
    _cleanup_free_ char *path = format_string("%s%s", prefix, name);
    return path ? plan_removal(collector, KIND_OBJECT, path, links <= 1 ? disk_space(&status) : 0)
                : -ENOMEM;
}

static int plan_object(int objects_fd, const char *name, void *collector) {
    return plan_file(collector, objects_fd, name, "");
}

static int plan_alternative(int alt_fd, const char *name, void *collector) {
    return plan_file(collector, alt_fd, name, ALT_PREFIX);
}

/* The directories in which things are made, relative to the store. */
enum { TMP, REFS, ALT, CACHE, TREES, LINKS, WORKSHOP_COUNT };
static const char *const workshop_names[WORKSHOP_COUNT] = {
    [TMP] = "tmp",         [REFS] = "refs",   [ALT] = "alt",
    [CACHE] = STORE_CACHE, [TREES] = "trees", [LINKS] = "links"};

static int open_workshop(const vqemu_store *store, int workshop) {
    switch (workshop) {
    case REFS:
        return open_at(store->refs_fd, ".", O_RDONLY | O_DIRECTORY, 0);
    case TREES:
        return open_at(AT_FDCWD, store->trees_path, O_RDONLY | O_DIRECTORY, 0);
    case LINKS:
        return store->links_path ? open_at(AT_FDCWD, store->links_path, O_RDONLY | O_DIRECTORY, 0)
                                 : -ENOENT;
    default:
        return store_find_beside_objects(store, workshop_names[workshop]);
    }
}

struct sweep {
    struct collector *collector;
    int workshop;
};

static int plan_staging(int directory_fd, const char *name, void *userdata) {
    const struct sweep *sweep = userdata;
    struct weighing weighing = {.doomed = &sweep->collector->doomed};
    if (!leftovers_is_one(directory_fd, name) ||
        (sweep->workshop == TREES && lease_is_held_by_process(&sweep->collector->holders, name)))
        return 0;
    _cleanup_free_ char *path = format_string("%s/%s", workshop_names[sweep->workshop], name);
    int r = weigh(directory_fd, name, &weighing);
    if (r == 0)
        r = path ? plan_removal(sweep->collector, KIND_STAGING, path, weighing.bytes) : -ENOMEM;
    return r;
}

/* What is remembered of manifests and profiles that go is forgotten. */
static int plan_record(int directory_fd, const char *name, void *userdata) {
    struct collector *collector = userdata;
    struct stat status;
    const char *digest = strncmp(name, "verified-", 9) == 0 ? name + 9 : NULL;
    if (!digest || digest_set_has(&collector->trees, digest) ||
        fstatat(directory_fd, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return 0;
    _cleanup_free_ char *path = format_string(STORE_CACHE "/%s", name);
    return path ? plan_removal(collector, KIND_STAGING, path, disk_space(&status)) : -ENOMEM;
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
    _cleanup_close_ int alt_fd = store_find_beside_objects(collector->store, "alt");
    if (r == 0 && alt_fd < 0 && alt_fd != -ENOENT)
        return alt_fd;
    return r == 0 && alt_fd >= 0 ? for_each_entry(alt_fd, ".", plan_alternative, collector) : r;
}

static int make_plan(struct collector *collector, vqemu_error **error) {
    int r = load_revisions(collector, error);
    if (r == 0)
        r = find_users(collector, error);
    if (r < 0)
        return r;
    r = choose_revisions(collector);
    if (r == 0 && collector->trees_fd >= 0)
        r = for_each_entry(collector->trees_fd, ".", plan_tree, collector);
    if (r == 0)
        r = plan_workshops(collector);
    if (r == 0)
        r = plan_objects(collector);
    return r < 0 ? error_system(error, -r, "cannot find out what to collect in the store at %s",
                                collector->store->objects_path)
                 : 0;
}

/* ---- removing ---- */

static int remove_revision(const struct collector *collector, const char *name) {
    _cleanup_free_ char *file = format_string("%s" REVISION_SUFFIX, name);
    if (!file)
        return -ENOMEM;
    return unlinkat(collector->store->refs_fd, file, 0) < 0 && errno != ENOENT ? -errno : 1;
}

/*
 * Take a tree away under the name of a leftover, locked, and only if nobody has leased it by now.
 * Returns 1 if it was removed, 0 if it stays.
 */
static int remove_unleased_tree(const struct collector *collector, const char *name) {
    _cleanup_free_ char *trash = leftovers_new_name();
    _cleanup_close_ int fd = lease_exclude(collector->trees_fd, name);
    if (!trash)
        return -ENOMEM;
    if (fd == -EWOULDBLOCK || fd == -ENOENT)
        return 0;
    if (fd < 0 && fd != -ENOTDIR && fd != -ELOOP)
        return fd;
    if (renameat(collector->trees_fd, name, collector->trees_fd, trash) < 0)
        return -errno;
    int r = remove_tree(collector->trees_fd, trash);
    return r < 0 ? r : 1;
}

/* It can be a directory, if somebody put one there. */
static int remove_object(const struct collector *collector, const char *name) {
    int r;
    if (strncmp(name, ALT_PREFIX, strlen(ALT_PREFIX)) == 0) {
        _cleanup_close_ int alt_fd = store_find_beside_objects(collector->store, "alt");
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
static int remove_item(const struct collector *collector, const struct item *item) {
    switch (item->kind) {
    case KIND_REVISION:
        return remove_revision(collector, item->name);
    case KIND_TREE:
        return remove_unleased_tree(collector, item->name);
    case KIND_OBJECT:
        return remove_object(collector, item->name);
    default:
        return remove_staging(collector, item->name);
    }
}

/* What stays is not reported. */
static void unplan(vqemu_collection *plan, size_t index) {
    plan->freed -= plan->items[index].bytes;
    free(plan->items[index].name);
    plan->count--;
    memmove(&plan->items[index], &plan->items[index + 1],
            (plan->count - index) * sizeof *plan->items);
}

static int remove_kind(struct collector *collector, enum kind kind, vqemu_error **error) {
    vqemu_collection *plan = collector->plan;
    for (size_t i = 0; i < plan->count;) {
        const struct item *item = &plan->items[i];
        if (item->kind != kind) {
            i++;
            continue;
        }
        int r = remove_item(collector, item);
        if (r < 0)
            return error_system(error, -r, "cannot remove the %s %s of the store at %s",
                                vqemu_collection_kind(plan, i), item->name,
                                collector->store->objects_path);
        if (r == 0) {
            unplan(plan, i);
            continue;
        }
        r = progress_advance(&collector->progress, 0, item->name, 1, error);
        if (r < 0)
            return r;
        i++;
    }
    return 0;
}

static bool plans(const vqemu_collection *plan, enum kind kind) {
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
    int r = collector->plan->count > 0 ? sync_fd(collector->store->refs_fd) : 0;
    return r < 0 ? error_system(error, -r, "cannot sync %s", collector->store->refs_path) : 0;
}

static int perform(struct collector *collector, vqemu_error **error) {
    progress_start(&collector->progress, "collect", "objects", collector->plan->count);
    int r = progress_report(&collector->progress, error);
    if (r == 0)
        r = remove_kind(collector, KIND_REVISION, error);
    if (r == 0)
        r = sync_refs(collector, error);
    if (r == 0 && plans(collector->plan, KIND_TREE))
        r = links_sync(collector->store, error);
    if (r == 0)
        r = remove_kind(collector, KIND_TREE, error);
    if (r == 0)
        r = links_remove_dangling(collector->store, &collector->links, collector->trees_fd, error);
    if (r == 0)
        r = remove_kind(collector, KIND_OBJECT, error);
    return r == 0 ? remove_kind(collector, KIND_STAGING, error) : r;
}

VQEMU_EXPORT int vqemu_store_collect(vqemu_store *store, uint32_t keep, uint32_t flags,
                                     vqemu_call *call, vqemu_collection **collection,
                                     vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(collection, error);
    *collection = NULL;
    REQUIRE_STORE(store, error);
    REQUIRE_FLAGS(flags, VQEMU_COLLECT_DRY_RUN, error);
    _cleanup_(release_collector) struct collector collector = {
        .store = store,
        .keep = keep,
        .trees_fd = -1,
        .lock = {-1, -1},
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
    if (r == 0 && !dry_run)
        r = perform(&collector, error);
    if (r < 0)
        return r;
    *collection = TAKE_POINTER(collector.plan);
    return 0;
}

/* ---- access ---- */

VQEMU_EXPORT size_t vqemu_collection_count(const vqemu_collection *collection) {
    return collection ? collection->count : 0;
}

VQEMU_EXPORT const char *vqemu_collection_kind(const vqemu_collection *collection, size_t index) {
    static const char *const names[] = {
        [KIND_REVISION] = "revision",
        [KIND_TREE] = "tree",
        [KIND_OBJECT] = "object",
        [KIND_STAGING] = "staging",
    };
    return collection && index < collection->count ? names[collection->items[index].kind] : NULL;
}

VQEMU_EXPORT const char *vqemu_collection_name(const vqemu_collection *collection, size_t index) {
    return collection && index < collection->count ? collection->items[index].name : NULL;
}

VQEMU_EXPORT uint64_t vqemu_collection_bytes(const vqemu_collection *collection, size_t index) {
    return collection && index < collection->count ? collection->items[index].bytes : 0;
}

VQEMU_EXPORT uint64_t vqemu_collection_freed_bytes(const vqemu_collection *collection) {
    return collection ? collection->freed : 0;
}

VQEMU_EXPORT void vqemu_collection_free(vqemu_collection *collection) {
    if (!collection)
        return;
    for (size_t i = 0; i < collection->count; i++)
        free(collection->items[i].name);
    free(collection->items);
    free(collection);
}
