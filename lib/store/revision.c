/* SPDX-License-Identifier: MIT */
#include "store/revision.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "choice/profile.h"
#include "store/arrival.h"
#include "store/guard.h"
#include "store/leftovers.h"
#include "store/manifest.h"
#include "store/revision-alike.h"
#include "util/export.h"
#include "util/fd.h"
#include "util/join.h"
#include "util/path.h"
#include "util/rfc3339.h"

/* How often refs/ is read again that others change. */
#define LIST_ATTEMPTS 100

struct vqemu_revision {
    atomic_uint references;
    char *name, *profile, *path;
    dev_t store_device; /* those of refs/ */
    ino_t store_inode;
    struct digest digest;          /* the manifest's; "" where it is not known */
    vqemu_manifest *manifest;      /* NULL if it could not be loaded, or was not yet */
    vqemu_error *error;            /* why it could not */
    struct stat file;              /* as it was loaded */
    struct timespec order;         /* its place among those of its profile */
    char arrived_at[RFC3339_SIZE]; /* "" where it was not written down */
};

struct vqemu_revision_list {
    vqemu_revision **revisions;
    size_t count, capacity;
    bool incomplete; /* a revision vanished between its listing and its opening */
};

static int new_revision(const vqemu_store *store, const char *name, size_t length,
                        vqemu_revision **revision, vqemu_error **error) {
    _cleanup_revision_ vqemu_revision *new = calloc(1, sizeof *new);
    if (!new)
        return error_no_memory(error);
    atomic_init(&new->references, 1);
    new->store_device = store->refs_device;
    new->store_inode = store->refs_inode;
    new->name = strndup(name, length);
    new->profile = strndup(name, revision_profile_part(name, length));
    if (new->name)
        new->path = join_texts(store->refs_path, "/", new->name, REVISION_SUFFIX, NULL);
    if (!new->name || !new->profile || !new->path)
        return error_no_memory(error);
    *revision = TAKE_POINTER(new);
    return 0;
}

int revision_check_store(const vqemu_store *store, const vqemu_revision *revision,
                         vqemu_error **error) {
    if (store->refs_device == revision->store_device && store->refs_inode == revision->store_inode)
        return 0;
    int r = error_set(error, VQEMU_ERR_INVALID, 0,
                      "revision %s is one of another store: it is %s, and not in %s",
                      revision->name, revision->path, store->refs_path);
    return error_because(r, error, "other-store", VQEMU_DETAIL_REVISION, revision->name,
                         VQEMU_DETAIL_PATH, revision->path, NULL);
}

/* It never was in the store, or was removed since. */
static int no_such_revision(const vqemu_store *store, const vqemu_revision *named,
                            vqemu_error **error) {
    _cleanup_free_ char *alike = NULL;
    int r = store_require_there(store, error);
    if (r < 0)
        return r;
    if (revision_alike(store, named->name, &alike) < 0)
        return error_no_memory(error);
    r = error_set(error, VQEMU_ERR_NO_REVISION, 0,
                  "revision %s is not in the store: there is no %s%s%s", named->name, named->path,
                  alike ? "; perhaps it is " : "", alike ? alike : "");
    return error_because(r, error, "no-such-revision", VQEMU_DETAIL_REVISION, named->name,
                         VQEMU_DETAIL_PATH, named->path, VQEMU_DETAIL_SUGGESTION, alike, NULL);
}

static int open_manifest(const vqemu_store *store, const vqemu_revision *revision, int *fd,
                         struct stat *status, vqemu_error **error) {
    *fd = open_at(store->refs_fd, base_name(revision->path),
                  O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0);
    if (*fd == -ENOENT)
        return no_such_revision(store, revision, error);
    if (*fd == -ELOOP)
        return error_set(error, VQEMU_ERR_MALFORMED, 0, "the manifest %s is a symbolic link",
                         revision->path);
    if (*fd < 0)
        return error_system_at(error, -*fd, "cannot open the manifest", "%s", revision->path);
    if (fstat(*fd, status) < 0)
        return error_system_at(error, errno, "cannot look at the manifest", "%s", revision->path);
    if (S_ISREG(status->st_mode))
        return guard_check_file(store->flags, status, revision->path, error);
    return error_set(error, VQEMU_ERR_MALFORMED, 0, "the manifest %s is not a regular file",
                     revision->path);
}

static int revision_changed(const vqemu_revision *revision, vqemu_error **error) {
    int r = error_set(error, VQEMU_ERR_CHANGED, 0,
                      "the manifest %s was changed while it was in use; try again", revision->path);
    return error_because(r, error, "revision-changed", VQEMU_DETAIL_REVISION, revision->name,
                         VQEMU_DETAIL_PATH, revision->path, NULL);
}

static int check_manifest(const vqemu_revision *revision, const vqemu_manifest *manifest,
                          vqemu_error **error) {
    const char *profile = vqemu_manifest_string(manifest, VQEMU_MANIFEST_PROFILE);
    if (profile && strcmp(profile, revision->profile) != 0)
        return error_set(error, VQEMU_ERR_MALFORMED, 0,
                         "%s: \"profile\" is \"%s\", other than the name", revision->path, profile);
    if (revision->digest.hex[0] &&
        strcmp(revision->digest.hex, vqemu_manifest_digest(manifest)) != 0)
        return revision_changed(revision, error);
    return 0;
}

static int load_manifest(const vqemu_store *store, vqemu_revision *revision, vqemu_call *call,
                         vqemu_error **error) {
    _cleanup_close_ int fd = -1;
    _cleanup_manifest_ vqemu_manifest *manifest = NULL;
    int r = open_manifest(store, revision, &fd, &revision->file, error);
    if (r == 0)
        r = manifest_load_fd(fd, revision->path, call, &manifest, error);
    if (r == 0)
        r = check_manifest(revision, manifest, error);
    if (r == VQEMU_ERR_MALFORMED)
        return error_because(r, error, "revision-broken", VQEMU_DETAIL_REVISION, revision->name,
                             VQEMU_DETAIL_PATH, revision->path, NULL);
    if (r < 0)
        return r;
    memcpy(revision->digest.hex, vqemu_manifest_digest(manifest), DIGEST_HEX_LENGTH + 1);
    revision->manifest = TAKE_POINTER(manifest);
    return 0;
}

/*
 * The one rule of what is newer. What was written by a program that notes no arrivals, such as the
 * reference system, takes its place among the others by what its manifest claims.
 */
static void place_revision(vqemu_revision *revision, const struct arrivals *arrivals) {
    const struct timespec *arrival = arrivals_of(arrivals, revision->name);
    if (arrival)
        revision->order = *arrival;
    else if (revision->manifest)
        revision->order = *manifest_time(revision->manifest);
    if (!arrival || !rfc3339_format(arrival, revision->arrived_at))
        revision->arrived_at[0] = '\0';
}

static int find_arrival(const vqemu_store *store, vqemu_revision *revision, vqemu_error **error) {
    struct arrivals arrivals;
    int r = arrivals_read(store, &arrivals, error);
    if (r < 0)
        return r;
    place_revision(revision, &arrivals);
    arrivals_release(&arrivals);
    return 0;
}

int revision_new_unloaded(const vqemu_store *store, const char *name, const struct digest *digest,
                          vqemu_revision **revision, vqemu_error **error) {
    int r = new_revision(store, name, strlen(name), revision, error);
    if (r < 0)
        return r;
    (*revision)->digest = *digest;
    return 0;
}

int revision_new_of_manifest(const vqemu_store *store, const char *name, vqemu_manifest *manifest,
                             vqemu_revision **revision, vqemu_error **error) {
    _cleanup_revision_ vqemu_revision *new = NULL;
    int r = new_revision(store, name, strlen(name), &new, error);
    if (r < 0)
        return r;
    new->manifest = vqemu_manifest_ref(manifest);
    memcpy(new->digest.hex, vqemu_manifest_digest(manifest), DIGEST_HEX_LENGTH + 1);
    r = find_arrival(store, new, error);
    if (r < 0)
        return r;
    *revision = TAKE_POINTER(new);
    return 0;
}

int revision_load(const vqemu_store *store, vqemu_revision *revision, vqemu_call *call,
                  vqemu_error **error) {
    if (revision->error)
        return revision_broken(revision, error);
    if (revision->manifest)
        return 0;
    int r = load_manifest(store, revision, call, error);
    return r == 0 ? find_arrival(store, revision, error) : r;
}

int revision_broken(const vqemu_revision *revision, vqemu_error **error) {
    return error_copy(revision->error, error);
}

static int add_to_list(vqemu_revision_list *list, vqemu_revision *revision, vqemu_error **error) {
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? 2 * list->capacity : 16;
        vqemu_revision **revisions = realloc(list->revisions, capacity * sizeof *revisions);
        if (!revisions)
            return error_no_memory(error);
        list->revisions = revisions;
        list->capacity = capacity;
    }
    list->revisions[list->count++] = vqemu_revision_ref(revision);
    return 0;
}

/* By profile; in each those that loaded first, the newest of them first. */
static int compare_revisions(const void *a, const void *b) {
    const vqemu_revision *x = *(vqemu_revision *const *)a, *y = *(vqemu_revision *const *)b;
    int order = strcmp(x->profile, y->profile);
    if (order == 0)
        order = !x->manifest - !y->manifest;
    if (order == 0)
        order = timespec_compare(&y->order, &x->order);
    return order ? order : strcmp(y->name, x->name);
}

/* Arrivals are read after the manifests: each was noted before its manifest appeared. */
static int sort_list(const vqemu_store *store, vqemu_revision_list *list, vqemu_error **error) {
    struct arrivals arrivals;
    int r = list->count > 0 ? arrivals_read(store, &arrivals, error) : 0;
    if (r < 0 || list->count == 0)
        return r;
    for (size_t i = 0; i < list->count; i++)
        place_revision(list->revisions[i], &arrivals);
    arrivals_release(&arrivals);
    qsort(list->revisions, list->count, sizeof(vqemu_revision *), compare_revisions);
    return 0;
}

/* What is to be listed. */
struct listing {
    const vqemu_store *store;
    const char *profile; /* NULL for all */
    bool strict;         /* one that cannot be loaded is an error */
    vqemu_call *call;
};

/*
 * Load one revision into the list. One that cannot be loaded is listed with its error. One that
 * has just been deleted is passed over: there may be another one that was not there yet when the
 * directory was read.
 */
static int list_revision(const struct listing *listing, const char *name, size_t length,
                         vqemu_revision_list *list, vqemu_error **error) {
    _cleanup_revision_ vqemu_revision *revision = NULL;
    _cleanup_error_ vqemu_error *problem = NULL;
    int r = call_check(listing->call, "reading the manifests", error);
    if (r == 0)
        r = new_revision(listing->store, name, length, &revision, error);
    if (r < 0)
        return r;
    r = load_manifest(listing->store, revision, listing->call, &problem);
    if (r == VQEMU_ERR_NO_REVISION || r == VQEMU_ERR_NO_STORE) {
        list->incomplete = true;
        return 0;
    }
    if (r < 0 && (listing->strict || error_ends_call(vqemu_error_code(problem)))) {
        r = vqemu_error_code(problem);
        if (error)
            *error = TAKE_POINTER(problem);
        return r;
    }
    if (r < 0) {
        revision->error = TAKE_POINTER(problem);
        call_log_problem(listing->call, "revision-broken", revision->error);
    }
    return add_to_list(list, revision, error);
}

static int scan(const struct listing *listing, DIR *directory, vqemu_revision_list *list,
                vqemu_error **error) {
    const char *profile = listing->profile;
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(directory);
        if (!entry && errno)
            return error_system_at(error, errno, "cannot read the directory", "%s",
                                   listing->store->refs_path);
        if (!entry)
            return 0;
        size_t length = revision_name_length(entry->d_name);
        if (length == 0)
            continue;
        size_t prefix = revision_profile_part(entry->d_name, length);
        if (profile && (strlen(profile) != prefix || strncmp(entry->d_name, profile, prefix) != 0))
            continue;
        int r = list_revision(listing, entry->d_name, length, list, error);
        if (r < 0)
            return r;
    }
}

static int list_once(const struct listing *listing, vqemu_revision_list **list,
                     vqemu_error **error) {
    _cleanup_revision_list_ vqemu_revision_list *new = calloc(1, sizeof *new);
    if (!new)
        return error_no_memory(error);
    int fd = open_at(listing->store->refs_fd, ".", O_RDONLY | O_DIRECTORY, 0);
    DIR *directory = fd < 0 ? NULL : fdopendir(fd);
    if (!directory) {
        int r = error_system_at(error, fd < 0 ? -fd : errno, "cannot read the directory", "%s",
                                listing->store->refs_path);
        cleanup_close(&fd);
        return r;
    }
    int r = scan(listing, directory, new, error);
    closedir(directory);
    if (r == 0 && new->count == 0)
        r = store_require_there(listing->store, error);
    if (r == 0)
        r = sort_list(listing->store, new, error);
    if (r < 0)
        return r;
    *list = TAKE_POINTER(new);
    return 0;
}

static int list_revisions(const struct listing *listing, vqemu_revision_list **list,
                          vqemu_error **error) {
    *list = NULL;
    for (int attempt = 1;; attempt++) {
        int r = list_once(listing, list, error);
        if (r < 0 || !(*list)->incomplete || attempt == LIST_ATTEMPTS)
            return r;
        vqemu_revision_list_free(TAKE_POINTER(*list));
    }
}

int revision_list_all(const vqemu_store *store, const char *profile, vqemu_call *call,
                      vqemu_revision_list **list, vqemu_error **error) {
    return list_revisions(&(struct listing){store, profile, false, call}, list, error);
}

int revision_list_sound(const vqemu_store *store, const char *profile, vqemu_call *call,
                        vqemu_revision_list **list, vqemu_error **error) {
    return list_revisions(&(struct listing){store, profile, true, call}, list, error);
}

VQEMU_EXPORT int vqemu_store_list_revisions(vqemu_store *store, const char *profile, uint32_t flags,
                                            vqemu_call *call, vqemu_revision_list **list,
                                            vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(list, error);
    *list = NULL;
    REQUIRE_STORE(store, error);
    REQUIRE_FLAGS(flags, 0, error);
    int r = profile ? profile_check_name(profile, error) : 0;
    return r < 0 ? r : revision_list_all(store, profile, call, list, error);
}

int revision_not_in_store(const vqemu_store *store, const char *profile, vqemu_error **error) {
    _cleanup_free_ char *alike = NULL;
    int r = store_require_there(store, error);
    if (r < 0)
        return r;
    if (!vqemu_profile_find(profile) && revision_alike(store, profile, &alike) < 0)
        return error_no_memory(error);
    r = error_set(error, VQEMU_ERR_NO_REVISION, 0,
                  "profile %s is not in the store: there is no %s-*.json in %s%s%s", profile,
                  profile, store->refs_path, alike ? "; perhaps it is " : "", alike ? alike : "");
    return error_because(r, error, "profile-not-in-store", VQEMU_DETAIL_PROFILE, profile,
                         VQEMU_DETAIL_PATH, store->refs_path, VQEMU_DETAIL_SUGGESTION, alike, NULL);
}

int revision_find(const vqemu_store *store, const char *name, vqemu_call *call,
                  vqemu_revision **revision, vqemu_error **error) {
    *revision = NULL;
    int r = revision_check_name(name, error);
    if (r < 0)
        return r;
    _cleanup_revision_ vqemu_revision *found = NULL;
    r = new_revision(store, name, strlen(name), &found, error);
    if (r == 0)
        r = revision_load(store, found, call, error);
    if (r < 0)
        return r;
    *revision = TAKE_POINTER(found);
    return 0;
}

static int list_one(vqemu_revision *revision, vqemu_revision_list **list, vqemu_error **error) {
    _cleanup_revision_list_ vqemu_revision_list *new = calloc(1, sizeof *new);
    int r = new ? add_to_list(new, revision, error) : error_no_memory(error);
    if (r == 0)
        *list = TAKE_POINTER(new);
    return r;
}

int revision_list_named(const vqemu_store *store, const char *name, vqemu_call *call,
                        vqemu_revision_list **list, vqemu_error **error) {
    *list = NULL;
    _cleanup_revision_ vqemu_revision *revision = NULL;
    if (name && revision_is_name(name)) {
        int r = revision_find(store, name, call, &revision, error);
        return r < 0 ? r : list_one(revision, list, error);
    }
    int r = name ? revision_check_any_name(name, error) : 0;
    if (r == 0)
        r = revision_list_all(store, name, call, list, error);
    if (r < 0 || !name || (*list)->count > 0)
        return r;
    vqemu_revision_list_free(TAKE_POINTER(*list));
    return revision_not_in_store(store, name, error);
}

int revision_require_there(const vqemu_store *store, const vqemu_revision *revision,
                           vqemu_error **error) {
    int r = exists_at(store->refs_fd, base_name(revision->path));
    if (r < 0)
        return error_system_at(error, -r, "cannot look at the manifest", "%s", revision->path);
    return r == 0 ? no_such_revision(store, revision, error) : 0;
}

int revision_read_text(const vqemu_store *store, const vqemu_revision *revision, char **text,
                       size_t *size, vqemu_error **error) {
    _cleanup_close_ int fd = -1;
    _cleanup_free_ char *read = NULL;
    struct stat status;
    int r = open_manifest(store, revision, &fd, &status, error);
    if (r < 0)
        return r;
    r = read_all_sized(fd, (size_t)status.st_size, SIZE_MAX - 2, &read, size);
    if (r < 0)
        return error_system_at(error, -r, "cannot read the manifest", "%s", revision->path);
    struct digest digest = digest_of_bytes(read, *size);
    if (!digest_equal(&digest, &revision->digest))
        return revision_changed(revision, error);
    *text = TAKE_POINTER(read);
    return 0;
}

int revision_object_damaged(const vqemu_store *store, const vqemu_revision *revision,
                            const struct manifest_object *object, const char *how,
                            const char *helps, vqemu_error **error) {
    int r = error_set(error, VQEMU_ERR_CORRUPT, 0,
                      "object %s/%s, for %s of %s, %s; repair the store from a good copy%s",
                      store->objects_path, object->digest.hex, object->path, revision->name, how,
                      helps);
    return error_because(r, error, "object-damaged", VQEMU_DETAIL_OBJECT, object->digest.hex,
                         VQEMU_DETAIL_PATH, object->path, VQEMU_DETAIL_REVISION, revision->name,
                         NULL);
}

int revision_object_failed(const vqemu_store *store, const vqemu_revision *revision,
                           const struct manifest_object *object, int system_errno,
                           const char *helps, vqemu_error **error) {
    if (system_errno == ENOENT)
        return revision_object_damaged(store, revision, object, "is missing", helps, error);
    if (system_errno == ELOOP || system_errno == ENXIO)
        return revision_object_damaged(store, revision, object, "is not a regular file", helps,
                                       error);
    int r = error_system_at(error, system_errno, "cannot read object", "%s/%s", store->objects_path,
                            object->digest.hex);
    return error_prefix(r, error, "%s of %s: ", object->path, revision->name);
}

/* ---- life and access ---- */

VQEMU_EXPORT vqemu_revision *vqemu_revision_ref(vqemu_revision *revision) {
    if (revision)
        atomic_fetch_add_explicit(&revision->references, 1, memory_order_relaxed);
    return revision;
}

VQEMU_EXPORT void vqemu_revision_unref(vqemu_revision *revision) {
    if (!revision || atomic_fetch_sub_explicit(&revision->references, 1, memory_order_acq_rel) != 1)
        return;
    free(revision->name);
    free(revision->profile);
    free(revision->path);
    vqemu_error_free(revision->error);
    vqemu_manifest_unref(revision->manifest);
    free(revision);
}

VQEMU_EXPORT const char *vqemu_revision_name(const vqemu_revision *revision) {
    return revision ? revision->name : NULL;
}

VQEMU_EXPORT const char *vqemu_revision_profile_name(const vqemu_revision *revision) {
    return revision ? revision->profile : NULL;
}

VQEMU_EXPORT const char *vqemu_revision_path(const vqemu_revision *revision) {
    return revision ? revision->path : NULL;
}

VQEMU_EXPORT const char *vqemu_revision_digest(const vqemu_revision *revision) {
    return revision && revision->digest.hex[0] ? revision->digest.hex : NULL;
}

VQEMU_EXPORT vqemu_manifest *vqemu_revision_manifest(const vqemu_revision *revision) {
    return revision ? revision->manifest : NULL;
}

VQEMU_EXPORT const vqemu_error *vqemu_revision_error(const vqemu_revision *revision) {
    return revision ? revision->error : NULL;
}

VQEMU_EXPORT const char *vqemu_revision_arrived_at(const vqemu_revision *revision) {
    return revision && *revision->arrived_at ? revision->arrived_at : NULL;
}

const char *revision_digest(const vqemu_revision *revision) {
    return revision->digest.hex;
}

const struct stat *revision_file_status(const vqemu_revision *revision) {
    return &revision->file;
}

VQEMU_EXPORT size_t vqemu_revision_list_count(const vqemu_revision_list *list) {
    return list ? list->count : 0;
}

VQEMU_EXPORT vqemu_revision *vqemu_revision_list_at(const vqemu_revision_list *list, size_t index) {
    return list && index < list->count ? list->revisions[index] : NULL;
}

const struct timespec *revision_list_order(const vqemu_revision_list *list, size_t index) {
    return &list->revisions[index]->order;
}

VQEMU_EXPORT void vqemu_revision_list_free(vqemu_revision_list *list) {
    if (!list)
        return;
    for (size_t i = 0; i < list->count; i++)
        vqemu_revision_unref(list->revisions[i]);
    free(list->revisions);
    free(list);
}
