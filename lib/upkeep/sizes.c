/* SPDX-License-Identifier: MIT */
/*
 * What revisions take on disk. Which revisions have an object is found by sorting; what one of them
 * shares is added up for one at a time, so that memory grows with what there is to tell.
 */
#include <volt-qemu/sizes.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "choice/profile.h"
#include "store/revision.h"
#include "util/export.h"
#include "util/fd.h"
#include "util/sparse.h"

#define NOT_KNOWN (-1)

struct sharer {
    size_t revision; /* its place among the names */
    int64_t bytes;
};

struct measure {
    size_t revision;
    int64_t bytes, own_bytes, missing; /* NOT_KNOWN of one that is broken */
    struct sharer *sharers;
    size_t sharer_count;
};

struct vqemu_size_list {
    char **names; /* of all revisions of the store */
    size_t name_count;
    struct measure *measures; /* of those that are told */
    size_t count;
    int64_t total_bytes;
    bool is_complete;
};

/* That a revision has an object. Sorted, those of an object stand together. */
struct holding {
    const struct digest *digest; /* in the manifest */
    size_t revision;
    struct object *object;
    struct holding *next; /* of the same revision */
};

struct object {
    const struct holding *holdings;
    size_t holding_count;
    int64_t bytes; /* NOT_KNOWN of one that the store does not have */
};

struct measuring {
    vqemu_store *store;
    vqemu_call *call;
    vqemu_revision_list *revisions; /* all of the store */
    int lock, alt_fd;
    struct holding *holdings;
    size_t holding_count;
    struct object *objects;
    size_t object_count;
    struct holding **first; /* for each revision */
    int64_t *sums;          /* what each revision has of the one at hand; 0 in between */
    vqemu_size_list *list;
};

static void release_measuring(struct measuring *measuring) {
    cleanup_close(&measuring->lock);
    cleanup_close(&measuring->alt_fd);
    vqemu_revision_list_free(measuring->revisions);
    free(measuring->holdings);
    free(measuring->objects);
    free(measuring->first);
    free(measuring->sums);
    vqemu_size_list_free(measuring->list);
}

/* ---- who has what ---- */

static int compare_holdings(const void *a, const void *b) {
    const struct holding *x = a, *y = b;
    int order = strcmp(x->digest->hex, y->digest->hex);
    return order ? order : (x->revision > y->revision) - (x->revision < y->revision);
}

/* Several files of a revision can have the same content. */
static void sort_holdings(struct measuring *measuring) {
    struct holding *holdings = measuring->holdings;
    size_t kept = 0;
    if (measuring->holding_count == 0)
        return;
    qsort(holdings, measuring->holding_count, sizeof *holdings, compare_holdings);
    for (size_t i = 1; i < measuring->holding_count; i++)
        if (compare_holdings(&holdings[kept], &holdings[i]) != 0)
            holdings[++kept] = holdings[i];
    measuring->holding_count = kept + 1;
}

static const vqemu_manifest *manifest_at(const struct measuring *measuring, size_t revision) {
    return vqemu_revision_manifest(vqemu_revision_list_at(measuring->revisions, revision));
}

static int list_holdings(struct measuring *measuring, vqemu_error **error) {
    size_t revision_count = vqemu_revision_list_count(measuring->revisions), count = 0;
    for (size_t i = 0; i < revision_count; i++)
        count += vqemu_manifest_object_count(manifest_at(measuring, i));
    measuring->holdings = calloc(count + 1, sizeof *measuring->holdings);
    if (!measuring->holdings)
        return error_no_memory(error);
    for (size_t i = 0; i < revision_count; i++) {
        const vqemu_manifest *manifest = manifest_at(measuring, i);
        for (size_t j = 0; j < vqemu_manifest_object_count(manifest); j++)
            measuring->holdings[measuring->holding_count++] = (struct holding){
                .digest = &manifest_object(manifest, j)->digest,
                .revision = i,
            };
    }
    sort_holdings(measuring);
    return 0;
}

static int list_objects(struct measuring *measuring, vqemu_error **error) {
    measuring->objects = calloc(measuring->holding_count + 1, sizeof *measuring->objects);
    measuring->first =
        calloc(vqemu_revision_list_count(measuring->revisions) + 1, sizeof(struct holding *));
    if (!measuring->objects || !measuring->first)
        return error_no_memory(error);
    for (size_t i = 0; i < measuring->holding_count; i++) {
        struct holding *holding = &measuring->holdings[i];
        if (i == 0 || !digest_equal(holding[-1].digest, holding->digest))
            measuring->objects[measuring->object_count++].holdings = holding;
        holding->object = &measuring->objects[measuring->object_count - 1];
        holding->object->holding_count++;
        holding->next = measuring->first[holding->revision];
        measuring->first[holding->revision] = holding;
    }
    return 0;
}

/* ---- what is on disk ---- */

/* Add what a file takes. Returns 1, 0 if there is none, or a negative errno. */
static int add_file(int directory_fd, const char *name, int64_t *bytes) {
    struct stat status;
    if (fstatat(directory_fd, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? 0 : -errno;
    if (!S_ISREG(status.st_mode))
        return 0;
    *bytes += (int64_t)disk_space(&status);
    return 1;
}

static int weigh(const struct measuring *measuring, struct object *object, vqemu_error **error) {
    const char *name = object->holdings->digest->hex;
    const vqemu_store *store = measuring->store;
    int r = add_file(store->objects_fd, name, &object->bytes);
    if (r < 0)
        return error_system_at(error, -r, "cannot look at the object", "%s/%s", store->objects_path,
                               name);
    if (r == 0)
        object->bytes = NOT_KNOWN;
    if (r == 0 || measuring->alt_fd < 0)
        return 0;
    r = add_file(measuring->alt_fd, name, &object->bytes);
    return r < 0 ? error_system_at(error, -r, "cannot look at the object", "%s/" STORE_ALT "/%s",
                                   store->beside_path, name)
                 : 0;
}

/* In a store that is removed meanwhile, all objects seem to be missing. */
static int weigh_all(struct measuring *measuring, vqemu_error **error) {
    const vqemu_store *store = measuring->store;
    measuring->alt_fd = store_find_beside_objects(store, STORE_ALT);
    if (measuring->alt_fd < 0 && measuring->alt_fd != -ENOENT)
        return error_system_at(error, -measuring->alt_fd, "cannot open the directory",
                               "%s/" STORE_ALT, store->beside_path);
    for (size_t i = 0; i < measuring->object_count; i++) {
        struct object *object = &measuring->objects[i];
        int r = call_check(measuring->call, "looking at the objects", error);
        if (r == 0)
            r = weigh(measuring, object, error);
        if (r < 0)
            return r;
        if (object->bytes != NOT_KNOWN)
            measuring->list->total_bytes += object->bytes;
    }
    return store_require_there(store, error);
}

/* ---- adding up ---- */

static int compare_sharers(const void *a, const void *b) {
    const struct sharer *x = a, *y = b;
    if (x->bytes != y->bytes)
        return x->bytes < y->bytes ? 1 : -1;
    return (x->revision > y->revision) - (x->revision < y->revision);
}

/* Take what is not 0 out of the sums. */
static int take_sharers(struct measuring *measuring, struct measure *measure) {
    size_t count = 0, name_count = measuring->list->name_count;
    measuring->sums[measure->revision] = 0;
    for (size_t i = 0; i < name_count; i++)
        count += measuring->sums[i] != 0;
    measure->sharers = calloc(count + 1, sizeof *measure->sharers);
    if (!measure->sharers)
        return -ENOMEM;
    for (size_t i = 0; i < name_count; i++) {
        if (measuring->sums[i] != 0)
            measure->sharers[measure->sharer_count++] = (struct sharer){i, measuring->sums[i]};
        measuring->sums[i] = 0;
    }
    qsort(measure->sharers, count, sizeof *measure->sharers, compare_sharers);
    return 0;
}

static void add_object(struct measuring *measuring, const struct object *object,
                       struct measure *measure) {
    if (object->bytes == NOT_KNOWN) {
        measure->missing++;
        return;
    }
    measure->bytes += object->bytes;
    if (object->holding_count == 1)
        measure->own_bytes += object->bytes;
    for (size_t i = 0; i < object->holding_count; i++)
        measuring->sums[object->holdings[i].revision] += object->bytes;
}

static int add_measure(struct measuring *measuring, size_t revision, vqemu_error **error) {
    struct measure *measure = &measuring->list->measures[measuring->list->count++];
    measure->revision = revision;
    if (!manifest_at(measuring, revision)) {
        measure->bytes = measure->own_bytes = measure->missing = NOT_KNOWN;
        return 0;
    }
    for (const struct holding *holding = measuring->first[revision]; holding;
         holding = holding->next) {
        int r = call_check(measuring->call, "adding up what revisions share", error);
        if (r < 0)
            return r;
        add_object(measuring, holding->object, measure);
    }
    return take_sharers(measuring, measure) < 0 ? error_no_memory(error) : 0;
}

static int add_measures(struct measuring *measuring, const char *profile, vqemu_error **error) {
    int r = 0;
    for (size_t i = 0; r == 0 && i < measuring->list->name_count; i++) {
        const vqemu_revision *revision = vqemu_revision_list_at(measuring->revisions, i);
        if (!profile || strcmp(vqemu_revision_profile_name(revision), profile) == 0)
            r = add_measure(measuring, i, error);
    }
    return r;
}

static int prepare_list(struct measuring *measuring, vqemu_error **error) {
    vqemu_size_list *list = measuring->list;
    size_t count = vqemu_revision_list_count(measuring->revisions);
    list->names = calloc(count + 1, sizeof *list->names);
    list->measures = calloc(count + 1, sizeof *list->measures);
    measuring->sums = calloc(count + 1, sizeof *measuring->sums);
    if (!list->names || !list->measures || !measuring->sums)
        return error_no_memory(error);
    list->is_complete = true;
    for (size_t i = 0; i < count; i++) {
        const vqemu_revision *revision = vqemu_revision_list_at(measuring->revisions, i);
        list->names[list->name_count] = strdup(vqemu_revision_name(revision));
        if (!list->names[list->name_count++])
            return error_no_memory(error);
        if (!vqemu_revision_manifest(revision))
            list->is_complete = false;
    }
    return 0;
}

static int measure_all(struct measuring *measuring, const char *profile, vqemu_error **error) {
    int r =
        revision_list_all(measuring->store, NULL, measuring->call, &measuring->revisions, error);
    if (r == 0)
        r = prepare_list(measuring, error);
    if (r == 0)
        r = list_holdings(measuring, error);
    if (r == 0)
        r = list_objects(measuring, error);
    if (r == 0)
        r = weigh_all(measuring, error);
    return r == 0 ? add_measures(measuring, profile, error) : r;
}

VQEMU_EXPORT int vqemu_store_list_sizes(vqemu_store *store, const char *profile, uint32_t flags,
                                        vqemu_call *call, vqemu_size_list **list,
                                        vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(list, error);
    *list = NULL;
    REQUIRE_STORE(store, error);
    REQUIRE_FLAGS(flags, 0, error);
    struct vqemu_progress progress = {.call = call};
    _cleanup_(release_measuring) struct measuring measuring = {
        .store = store,
        .call = call,
        .lock = -1,
        .alt_fd = -1,
        .list = calloc(1, sizeof *measuring.list),
    };
    int r = measuring.list ? 0 : error_no_memory(error);
    if (r == 0 && profile)
        r = profile_check_name(profile, error);
    if (r == 0)
        r = call_check(call, "the start", error);
    if (r == 0) /* what a collection removes would be missing */
        r = store_lock_shared(store, &progress, &measuring.lock, error);
    if (r == 0)
        r = measure_all(&measuring, profile, error);
    if (r < 0)
        return r;
    *list = TAKE_POINTER(measuring.list);
    return 0;
}

/* ---- access ---- */

static const struct measure *measure_at(const vqemu_size_list *list, size_t index) {
    return list && index < list->count ? &list->measures[index] : NULL;
}

static const struct sharer *sharer_at(const vqemu_size_list *list, size_t index, size_t sharer) {
    const struct measure *measure = measure_at(list, index);
    return measure && sharer < measure->sharer_count ? &measure->sharers[sharer] : NULL;
}

VQEMU_EXPORT size_t vqemu_size_list_count(const vqemu_size_list *list) {
    return list ? list->count : 0;
}

VQEMU_EXPORT bool vqemu_size_list_is_complete(const vqemu_size_list *list) {
    return list && list->is_complete;
}

VQEMU_EXPORT int64_t vqemu_size_list_total_bytes(const vqemu_size_list *list) {
    return list ? list->total_bytes : NOT_KNOWN;
}

VQEMU_EXPORT const char *vqemu_size_list_revision_name(const vqemu_size_list *list, size_t index) {
    const struct measure *measure = measure_at(list, index);
    return measure ? list->names[measure->revision] : NULL;
}

VQEMU_EXPORT int64_t vqemu_size_list_bytes(const vqemu_size_list *list, size_t index) {
    const struct measure *measure = measure_at(list, index);
    return measure ? measure->bytes : NOT_KNOWN;
}

VQEMU_EXPORT int64_t vqemu_size_list_own_bytes(const vqemu_size_list *list, size_t index) {
    const struct measure *measure = measure_at(list, index);
    return measure ? measure->own_bytes : NOT_KNOWN;
}

VQEMU_EXPORT int64_t vqemu_size_list_shared_bytes(const vqemu_size_list *list, size_t index) {
    const struct measure *measure = measure_at(list, index);
    return measure && measure->bytes != NOT_KNOWN ? measure->bytes - measure->own_bytes : NOT_KNOWN;
}

VQEMU_EXPORT int64_t vqemu_size_list_missing_count(const vqemu_size_list *list, size_t index) {
    const struct measure *measure = measure_at(list, index);
    return measure ? measure->missing : NOT_KNOWN;
}

VQEMU_EXPORT size_t vqemu_size_list_sharer_count(const vqemu_size_list *list, size_t index) {
    const struct measure *measure = measure_at(list, index);
    return measure ? measure->sharer_count : 0;
}

VQEMU_EXPORT const char *vqemu_size_list_sharer_name(const vqemu_size_list *list, size_t index,
                                                     size_t sharer) {
    const struct sharer *found = sharer_at(list, index, sharer);
    return found ? list->names[found->revision] : NULL;
}

VQEMU_EXPORT int64_t vqemu_size_list_sharer_bytes(const vqemu_size_list *list, size_t index,
                                                  size_t sharer) {
    const struct sharer *found = sharer_at(list, index, sharer);
    return found ? found->bytes : NOT_KNOWN;
}

VQEMU_EXPORT void vqemu_size_list_free(vqemu_size_list *list) {
    if (!list)
        return;
    for (size_t i = 0; i < list->name_count; i++)
        free(list->names[i]);
    for (size_t i = 0; i < list->count; i++)
        free(list->measures[i].sharers);
    free(list->names);
    free(list->measures);
    free(list);
}
