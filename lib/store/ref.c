/* SPDX-License-Identifier: MIT */
#include "store/ref.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "choice/profile.h"
#include "store/leftovers.h"
#include "store/manifest.h"
#include "util/export.h"
#include "util/fd.h"
#include "util/path.h"
#include "util/rfc3339.h"
#include "util/strbuf.h"

#define HASH_LENGTH 8
/* How often refs/ is read again that others change. */
#define LIST_ATTEMPTS 100

struct vqemu_ref {
    atomic_uint references;
    char *name, *profile, *path;
    struct digest digest; /* the manifest's; "" where it is not known */
    /* Of one whose manifest is loaded when it is asked for: */
    vqemu_store *store;
    pthread_mutex_t lock;
    bool loaded;
    /* Once it was loaded: */
    vqemu_manifest *manifest; /* NULL if it could not be loaded */
    char *problem;            /* why */
    struct stat file;
};

struct vqemu_ref_list {
    vqemu_ref **refs;
    size_t count, capacity;
    bool incomplete; /* a ref vanished between its listing and its opening */
};

/* The length of the profile in "<profile>-<8 hex digits>"; 0 if the name has another form. */
static size_t profile_length(const char *name, size_t length) {
    if (length < HASH_LENGTH + 2 || name[length - HASH_LENGTH - 1] != '-')
        return 0;
    for (size_t i = length - HASH_LENGTH; i < length; i++)
        if (!strchr("0123456789abcdef", name[i]))
            return 0;
    return length - HASH_LENGTH - 1;
}

/* The length of the ref's name in a file name of refs/; 0 if it is not that of a ref. */
static size_t ref_name_length(const char *file_name) {
    size_t length = strlen(file_name), suffix = strlen(REF_SUFFIX);
    if (length <= suffix || strcmp(file_name + length - suffix, REF_SUFFIX) != 0 ||
        *file_name == '.')
        return 0;
    return profile_length(file_name, length - suffix) ? length - suffix : 0;
}

static int new_ref(const vqemu_store *store, const char *name, size_t length, vqemu_ref **ref,
                   vqemu_error **error) {
    _cleanup_ref_ vqemu_ref *new = calloc(1, sizeof *new);
    if (!new)
        return error_no_memory(error);
    atomic_init(&new->references, 1);
    pthread_mutex_init(&new->lock, NULL);
    new->loaded = true;
    new->name = strndup(name, length);
    new->profile = strndup(name, profile_length(name, length));
    if (new->name)
        new->path = format_string("%s/%s" REF_SUFFIX, store->refs_path, new->name);
    if (!new->name || !new->profile || !new->path)
        return error_no_memory(error);
    *ref = TAKE_POINTER(new);
    return 0;
}

static int open_manifest(const vqemu_store *store, const vqemu_ref *ref, int *fd,
                         struct stat *status, vqemu_error **error) {
    *fd = open_at(store->refs_fd, base_name(ref->path),
                  O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0);
    if (*fd < 0)
        return error_system(error, -*fd, "cannot open the manifest %s", ref->path);
    if (fstat(*fd, status) < 0)
        return error_system(error, errno, "cannot look at the manifest %s", ref->path);
    if (S_ISREG(status->st_mode))
        return 0;
    return error_set(error, VQEMU_ERR_MALFORMED, 0, "the manifest %s is not a regular file",
                     ref->path);
}

static int check_manifest(const vqemu_ref *ref, const vqemu_manifest *manifest,
                          vqemu_error **error) {
    const char *profile = vqemu_manifest_profile(manifest);
    if (profile && strcmp(profile, ref->profile) != 0)
        return error_set(error, VQEMU_ERR_MALFORMED, 0,
                         "%s: \"profile\" is \"%s\", other than the name", ref->path, profile);
    if (ref->digest.hex[0] && strcmp(ref->digest.hex, vqemu_manifest_digest(manifest)) != 0)
        return error_set(error, VQEMU_ERR_CHANGED, 0,
                         "the manifest %s was changed while it was in use; try again", ref->path);
    return 0;
}

static int load_manifest(const vqemu_store *store, vqemu_ref *ref, vqemu_error **error) {
    _cleanup_close_ int fd = -1;
    _cleanup_manifest_ vqemu_manifest *manifest = NULL;
    int r = open_manifest(store, ref, &fd, &ref->file, error);
    if (r == 0)
        r = vqemu_manifest_load_fd(fd, ref->path, store_max_objects(store), &manifest, error);
    if (r == 0)
        r = check_manifest(ref, manifest, error);
    if (r < 0)
        return r;
    memcpy(ref->digest.hex, vqemu_manifest_digest(manifest), DIGEST_HEX_LENGTH + 1);
    ref->manifest = TAKE_POINTER(manifest);
    return 0;
}

int ref_new_unloaded(vqemu_store *store, const char *name, const struct digest *digest,
                     vqemu_ref **ref, vqemu_error **error) {
    int r = new_ref(store, name, strlen(name), ref, error);
    if (r < 0)
        return r;
    (*ref)->digest = *digest;
    (*ref)->store = vqemu_store_ref(store);
    (*ref)->loaded = false;
    return 0;
}

static int load_locked(vqemu_ref *ref, vqemu_error **error) {
    if (ref->loaded && ref->problem)
        return error_set(error, VQEMU_ERR_MALFORMED, 0, "%s", ref->problem);
    if (ref->loaded)
        return 0;
    _cleanup_error_ vqemu_error *problem = NULL;
    int r = load_manifest(ref->store, ref, &problem);
    ref->loaded = r != VQEMU_ERR_NO_MEMORY;
    if (r < 0 && ref->loaded) {
        ref->problem = strdup(vqemu_error_message(problem));
        ref->loaded = ref->problem != NULL;
    }
    if (r < 0 && error)
        *error = TAKE_POINTER(problem);
    return r;
}

int ref_load(vqemu_ref *ref, vqemu_error **error) {
    pthread_mutex_lock(&ref->lock);
    int r = load_locked(ref, error);
    pthread_mutex_unlock(&ref->lock);
    return r;
}

static int add_to_list(vqemu_ref_list *list, vqemu_ref *ref, vqemu_error **error) {
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? 2 * list->capacity : 16;
        vqemu_ref **refs = realloc(list->refs, capacity * sizeof *refs);
        if (!refs)
            return error_no_memory(error);
        list->refs = refs;
        list->capacity = capacity;
    }
    list->refs[list->count++] = vqemu_ref_ref(ref);
    return 0;
}

/* By profile; in each those that loaded first, the newest of them first. */
static int compare_refs(const void *a, const void *b) {
    const vqemu_ref *x = *(vqemu_ref *const *)a, *y = *(vqemu_ref *const *)b;
    int order = strcmp(x->profile, y->profile);
    if (order == 0)
        order = !x->manifest - !y->manifest;
    if (order == 0 && x->manifest)
        order = timespec_compare(manifest_time(y->manifest), manifest_time(x->manifest));
    return order ? order : strcmp(y->name, x->name);
}

/*
 * Load one ref into the list. One that cannot be loaded is an error if strict is set, else it is
 * listed with its problem. One that has just been deleted is passed over: there may be another one
 * that was not there yet when the directory was read.
 */
static int list_ref(const vqemu_store *store, const char *name, size_t length, bool strict,
                    vqemu_ref_list *list, vqemu_error **error) {
    _cleanup_ref_ vqemu_ref *ref = NULL;
    _cleanup_error_ vqemu_error *problem = NULL;
    int r = new_ref(store, name, length, &ref, error);
    if (r < 0)
        return r;
    r = load_manifest(store, ref, &problem);
    if (r == VQEMU_ERR_NOT_FOUND) {
        list->incomplete = true;
        return 0;
    }
    if (r < 0 && (strict || r == VQEMU_ERR_NO_MEMORY)) {
        if (error)
            *error = TAKE_POINTER(problem);
        return r;
    }
    if (r < 0) {
        ref->problem = strdup(vqemu_error_message(problem));
        if (!ref->problem)
            return error_no_memory(error);
    }
    return add_to_list(list, ref, error);
}

static int scan(const vqemu_store *store, DIR *directory, const char *profile, bool strict,
                vqemu_ref_list *list, vqemu_error **error) {
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(directory);
        if (!entry && errno)
            return error_system(error, errno, "cannot read the directory %s", store->refs_path);
        if (!entry)
            return 0;
        size_t length = ref_name_length(entry->d_name);
        if (length == 0)
            continue;
        size_t prefix = profile_length(entry->d_name, length);
        if (profile && (strlen(profile) != prefix || strncmp(entry->d_name, profile, prefix) != 0))
            continue;
        int r = list_ref(store, entry->d_name, length, strict, list, error);
        if (r < 0)
            return r;
    }
}

static int list_once(const vqemu_store *store, const char *profile, bool strict,
                     vqemu_ref_list **list, vqemu_error **error) {
    _cleanup_ref_list_ vqemu_ref_list *new = calloc(1, sizeof *new);
    if (!new)
        return error_no_memory(error);
    int fd = open_at(store->refs_fd, ".", O_RDONLY | O_DIRECTORY, 0);
    DIR *directory = fd < 0 ? NULL : fdopendir(fd);
    if (!directory) {
        int r = error_system(error, fd < 0 ? -fd : errno, "cannot read the directory %s",
                             store->refs_path);
        cleanup_close(&fd);
        return r;
    }
    int r = scan(store, directory, profile, strict, new, error);
    closedir(directory);
    if (r < 0)
        return r;
    if (new->count > 0)
        qsort(new->refs, new->count, sizeof(vqemu_ref *), compare_refs);
    *list = TAKE_POINTER(new);
    return 0;
}

static int list_refs(const vqemu_store *store, const char *profile, bool strict,
                     vqemu_ref_list **list, vqemu_error **error) {
    *list = NULL;
    for (int attempt = 1;; attempt++) {
        int r = list_once(store, profile, strict, list, error);
        if (r < 0 || !(*list)->incomplete || attempt == LIST_ATTEMPTS)
            return r;
        vqemu_ref_list_free(TAKE_POINTER(*list));
    }
}

VQEMU_EXPORT int vqemu_store_list_refs(vqemu_store *store, const char *profile,
                                       vqemu_ref_list **list, vqemu_error **error) {
    return list_refs(store, profile, false, list, error);
}

int ref_list_sound(vqemu_store *store, const char *profile, vqemu_ref_list **list,
                   vqemu_error **error) {
    return list_refs(store, profile, true, list, error);
}

int ref_not_in_store(const vqemu_store *store, const char *profile, vqemu_error **error) {
    return error_set(error, VQEMU_ERR_NOT_FOUND, 0,
                     "profile %s is not in the store (no %s-*.json in %s); put it there with "
                     "\"volt-qemu build --profile %s DIR\", \"volt-qemu import\" or "
                     "vqemu_store_build()",
                     profile, profile, store->refs_path, profile);
}

int ref_check_name(const char *name, vqemu_error **error) {
    size_t length = name ? strlen(name) : 0;
    if (name && !strchr(name, '/') && *name != '.' && length <= NAME_MAX - strlen(REF_SUFFIX) &&
        profile_length(name, length) > 0)
        return 0;
    return error_set(error, VQEMU_ERR_INVALID, 0,
                     "\"%s\" is not the name of a ref, such as kvm-linux-8e1e73bc",
                     name ? name : "");
}

VQEMU_EXPORT int vqemu_store_find_ref(vqemu_store *store, const char *name, vqemu_ref **ref,
                                      vqemu_error **error) {
    *ref = NULL;
    int r = ref_check_name(name, error);
    if (r < 0)
        return r;
    _cleanup_ref_ vqemu_ref *found = NULL;
    r = new_ref(store, name, strlen(name), &found, error);
    if (r == 0 &&
        faccessat(store->refs_fd, base_name(found->path), F_OK, AT_SYMLINK_NOFOLLOW) < 0 &&
        errno == ENOENT)
        return error_set(error, VQEMU_ERR_NOT_FOUND, 0,
                         "ref %s is not in the store: there is no %s", name, found->path);
    if (r == 0)
        r = load_manifest(store, found, error);
    if (r < 0)
        return r;
    *ref = TAKE_POINTER(found);
    return 0;
}

static int list_one(vqemu_ref *ref, vqemu_ref_list **list, vqemu_error **error) {
    _cleanup_ref_list_ vqemu_ref_list *new = calloc(1, sizeof *new);
    int r = new ? add_to_list(new, ref, error) : error_no_memory(error);
    if (r == 0)
        *list = TAKE_POINTER(new);
    return r;
}

int ref_list_named(vqemu_store *store, const char *name, vqemu_ref_list **list,
                   vqemu_error **error) {
    *list = NULL;
    _cleanup_ref_ vqemu_ref *ref = NULL;
    if (name && !vqemu_profile_find(name)) {
        int r = vqemu_store_find_ref(store, name, &ref, error);
        return r < 0 ? r : list_one(ref, list, error);
    }
    int r = vqemu_store_list_refs(store, name, list, error);
    if (r < 0 || !name || (*list)->count > 0)
        return r;
    vqemu_ref_list_free(TAKE_POINTER(*list));
    return ref_not_in_store(store, name, error);
}

bool ref_exists(const vqemu_store *store, const vqemu_ref *ref) {
    return faccessat(store->refs_fd, base_name(ref->path), F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

int ref_read_text(const vqemu_store *store, const vqemu_ref *ref, char **text, size_t *size,
                  vqemu_error **error) {
    _cleanup_close_ int fd = -1;
    _cleanup_free_ char *read = NULL;
    struct stat status;
    int r = open_manifest(store, ref, &fd, &status, error);
    if (r < 0)
        return r;
    r = read_all_sized(fd, (size_t)status.st_size, SIZE_MAX - 2, &read, size);
    if (r < 0)
        return error_system(error, -r, "cannot read the manifest %s", ref->path);
    struct digest digest = digest_of_bytes(read, *size);
    if (!digest_equal(&digest, &ref->digest))
        return error_set(error, VQEMU_ERR_CHANGED, 0,
                         "the manifest %s was changed while it was in use; try again", ref->path);
    *text = TAKE_POINTER(read);
    return 0;
}

int ref_object_damaged(const vqemu_store *store, const vqemu_ref *ref,
                       const struct manifest_object *object, const char *how, const char *helps,
                       vqemu_error **error) {
    return error_set(
        error, VQEMU_ERR_CORRUPT, 0,
        "object %s/%s, for %s of %s, %s; put it right with \"volt-qemu verify --repair "
        "--from SOURCE\"%s",
        store->objects_path, object->digest.hex, object->path, ref->name, how, helps);
}

int ref_object_failed(const vqemu_store *store, const vqemu_ref *ref,
                      const struct manifest_object *object, int system_errno, const char *helps,
                      vqemu_error **error) {
    if (system_errno == ENOENT)
        return ref_object_damaged(store, ref, object, "is missing", helps, error);
    if (system_errno == ELOOP || system_errno == ENXIO)
        return ref_object_damaged(store, ref, object, "is not a regular file", helps, error);
    return error_system(error, system_errno, "cannot read object %s/%s, for %s of %s",
                        store->objects_path, object->digest.hex, object->path, ref->name);
}

/* ---- writing ---- */

/* Stage the text beside its final name; locked, so that nobody takes it for a leftover. */
static int stage_text(vqemu_store *store, const char *staged, const char *text, int *fd) {
    cleanup_close(fd);
    *fd = open_at(store->refs_fd, staged, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0644);
    if (*fd < 0)
        return *fd;
    int r = leftovers_lock(*fd, store->refs_fd, staged);
    if (r == 0)
        r = write_all(*fd, text, strlen(text));
    if (r == 0 && fchmod(*fd, 0644) < 0)
        r = -errno;
    return r == 0 ? sync_fd(*fd) : r;
}

/*
 * The name is taken. 0 if it is by this very manifest; a file that is no sound manifest is
 * replaced; -EEXIST if it is by another manifest.
 */
static int settle_name(vqemu_store *store, vqemu_ref *ref, const char *staged,
                       const vqemu_manifest *manifest) {
    const char *name = base_name(ref->path);
    if (load_manifest(store, ref, NULL) == 0)
        return strcmp(ref->digest.hex, vqemu_manifest_digest(manifest)) == 0 ? 0 : -EEXIST;
    return renameat(store->refs_fd, staged, store->refs_fd, name) < 0 ? -errno : 0;
}

/* Stage the text under a new name, also if it is taken for a leftover before it is locked. */
static int stage_anew(vqemu_store *store, const char *text, char **staged, int *fd) {
    for (;;) {
        free(*staged);
        *staged = leftovers_new_name();
        int r = *staged ? stage_text(store, *staged, text, fd) : -ENOMEM;
        if (r != -EAGAIN)
            return r;
    }
}

static int publish_text(vqemu_store *store, vqemu_ref *ref, const char *text,
                        const vqemu_manifest *manifest, vqemu_error **error) {
    _cleanup_close_ int fd = -1;
    _cleanup_free_ char *staged = NULL;
    int r = stage_anew(store, text, &staged, &fd);
    if (r == 0) {
        r = rename_noreplace(store->refs_fd, staged, store->refs_fd, base_name(ref->path));
        if (r == -EEXIST)
            r = settle_name(store, ref, staged, manifest);
        if (r == -EEXIST)
            error_set(error, VQEMU_ERR_SYSTEM, EEXIST,
                      "cannot write the ref %s, which is another one with the same 8 digits",
                      ref->path);
    }
    if (staged)
        unlinkat(store->refs_fd, staged, 0);
    if (r == -EEXIST)
        return VQEMU_ERR_SYSTEM;
    if (r == 0)
        r = sync_fd(store->refs_fd);
    return r < 0 ? error_system(error, -r, "cannot write the ref %s", ref->path) : 0;
}

int ref_publish(vqemu_store *store, const char *profile, vqemu_manifest *manifest, const char *text,
                vqemu_ref **ref, vqemu_error **error) {
    *ref = NULL;
    _cleanup_free_ char *made = NULL;
    _cleanup_ref_ vqemu_ref *new = NULL;
    int r = text ? 0 : vqemu_manifest_to_json(manifest, &made, error);
    if (r < 0)
        return r;
    _cleanup_free_ char *name =
        format_string("%s-%.*s", profile, HASH_LENGTH, vqemu_manifest_digest(manifest));
    if (!name)
        return error_no_memory(error);
    r = new_ref(store, name, strlen(name), &new, error);
    if (r == 0)
        r = publish_text(store, new, text ? text : made, manifest, error);
    if (r < 0)
        return r;
    vqemu_manifest_unref(new->manifest);
    new->manifest = vqemu_manifest_ref(manifest);
    memcpy(new->digest.hex, vqemu_manifest_digest(manifest), DIGEST_HEX_LENGTH + 1);
    *ref = TAKE_POINTER(new);
    return 0;
}

/* ---- life and access ---- */

VQEMU_EXPORT vqemu_ref *vqemu_ref_ref(vqemu_ref *ref) {
    if (ref)
        atomic_fetch_add_explicit(&ref->references, 1, memory_order_relaxed);
    return ref;
}

VQEMU_EXPORT void vqemu_ref_unref(vqemu_ref *ref) {
    if (!ref || atomic_fetch_sub_explicit(&ref->references, 1, memory_order_acq_rel) != 1)
        return;
    free(ref->name);
    free(ref->profile);
    free(ref->path);
    free(ref->problem);
    vqemu_manifest_unref(ref->manifest);
    vqemu_store_unref(ref->store);
    pthread_mutex_destroy(&ref->lock);
    free(ref);
}

VQEMU_EXPORT const char *vqemu_ref_name(const vqemu_ref *ref) {
    return ref->name;
}

VQEMU_EXPORT const char *vqemu_ref_profile(const vqemu_ref *ref) {
    return ref->profile;
}

VQEMU_EXPORT const char *vqemu_ref_path(const vqemu_ref *ref) {
    return ref->path;
}

/* A ref is immutable for its users: that its manifest is read late is not for them to see. */
static vqemu_ref *unlocked(const vqemu_ref *ref) {
    return (vqemu_ref *)(uintptr_t)ref;
}

VQEMU_EXPORT vqemu_manifest *vqemu_ref_manifest(const vqemu_ref *ref) {
    ref_load(unlocked(ref), NULL);
    return ref->manifest;
}

VQEMU_EXPORT const char *vqemu_ref_problem(const vqemu_ref *ref) {
    ref_load(unlocked(ref), NULL);
    return ref->problem;
}

const char *ref_digest(const vqemu_ref *ref) {
    return ref->digest.hex;
}

const struct stat *ref_file_status(const vqemu_ref *ref) {
    return &ref->file;
}

VQEMU_EXPORT size_t vqemu_ref_list_count(const vqemu_ref_list *list) {
    return list->count;
}

VQEMU_EXPORT vqemu_ref *vqemu_ref_list_at(const vqemu_ref_list *list, size_t index) {
    return index < list->count ? list->refs[index] : NULL;
}

VQEMU_EXPORT void vqemu_ref_list_free(vqemu_ref_list *list) {
    if (!list)
        return;
    for (size_t i = 0; i < list->count; i++)
        vqemu_ref_unref(list->refs[i]);
    free(list->refs);
    free(list);
}
