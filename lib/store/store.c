/* SPDX-License-Identifier: MIT */
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include "base/call.h"
#include "base/error.h"
#include "base/options.h"
#include "store/newest-memo.h"
#include "util/export.h"
#include "util/fd.h"
#include "util/path.h"
#include "util/strbuf.h"

/* Without any path yet. */
static int new_store(uint32_t flags, vqemu_store **store, vqemu_error **error) {
    vqemu_store *new = calloc(1, sizeof *new);
    if (!new)
        return error_no_memory(error);
    atomic_init(&new->references, 1);
    new->process = getpid();
    new->flags = flags;
    new->objects_fd = new->refs_fd = -1;
    atomic_init(&new->trees_fd, -1);
    pthread_mutex_init(&new->memo_lock, NULL);
    *store = new;
    return 0;
}

static int open_directory(const char *path, int *fd, vqemu_error **error) {
    *fd = open_at(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0);
    if (*fd == -ENOENT)
        return error_because(
            error_set(error, VQEMU_ERR_NO_STORE, 0, "there is no store here: %s is missing", path),
            error, NULL, "path", path, NULL);
    if (*fd < 0)
        return error_system(error, -*fd, "cannot open the store directory %s", path);
    return 0;
}

/* What is made must outlive a power cut, for what is put there later to do so. */
static int make_store(const vqemu_store *store, vqemu_error **error) {
    const char *const paths[] = {store->objects_path, store->refs_path, store->trees_path};
    bool made = false;
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        if (access(paths[i], F_OK) == 0)
            continue;
        int r = make_directories(paths[i]);
        if (r < 0)
            return error_system(error, -r, "cannot make the store directory %s", paths[i]);
        made = true;
    }
    for (size_t i = 0; made && i < sizeof paths / sizeof *paths; i++) {
        _cleanup_close_ int fd = open_at(AT_FDCWD, paths[i], O_RDONLY | O_DIRECTORY, 0);
        int r = fd < 0 ? fd : sync_file_system(fd);
        if (r < 0)
            return error_system(error, -r, "cannot sync the store directory %s", paths[i]);
    }
    return 0;
}

/* Takes the store's paths as they are set; trees and links are opened when they are needed. */
static int open_store(vqemu_store *store, vqemu_error **error) {
    int r = store->flags & VQEMU_STORE_CREATE ? make_store(store, error) : 0;
    if (r == 0)
        r = open_directory(store->objects_path, &store->objects_fd, error);
    return r == 0 ? open_directory(store->refs_path, &store->refs_fd, error) : r;
}

/* ---- where its parts are ---- */

struct vqemu_store_options {
    char *root, *objects, *refs, *trees, *links;
};

#define OPTION(name)                                                                               \
    { #name, OPTION_STRING, offsetof(struct vqemu_store_options, name) }
static const struct option_key option_keys[] = {
    OPTION(root), OPTION(objects), OPTION(refs), OPTION(trees), OPTION(links),
};

static const struct options_type options_type = {
    .noun = "a store",
    .size = sizeof(struct vqemu_store_options),
    .keys = option_keys,
    .key_count = sizeof option_keys / sizeof *option_keys,
};

VQEMU_EXPORT int vqemu_store_options_new(vqemu_store_options **options, vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(options, error);
    *options = options_new(&options_type);
    return *options ? 0 : error_no_memory(error);
}

VQEMU_EXPORT int vqemu_store_options_set_string(vqemu_store_options *options, const char *key,
                                                const char *value, vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(options, error);
    REQUIRE_ARGUMENT(key, error);
    if (value && !*value)
        return options_invalid(key, value, NULL, error, "the path is empty");
    return options_set_string(&options_type, options, key, value, error);
}

VQEMU_EXPORT void vqemu_store_options_free(vqemu_store_options *options) {
    options_free(&options_type, options);
}

static int check_flags(uint32_t flags, vqemu_error **error) {
    const uint32_t both = VQEMU_STORE_CREATE | VQEMU_STORE_READ_ONLY;
    if ((flags & both) != both)
        return 0;
    return error_set(error, VQEMU_ERR_USAGE, 0,
                     "a store cannot be both created and opened read-only");
}

static int check_options(const vqemu_store_options *options, vqemu_error **error) {
    const char *missing = options->root       ? NULL
                          : !options->objects ? VQEMU_STORE_OBJECTS
                          : !options->refs    ? VQEMU_STORE_REFS
                          : !options->trees   ? VQEMU_STORE_TREES
                                              : NULL;
    return missing ? options_invalid(missing, NULL, NULL, error,
                                     "a store needs this path, if it has no root")
                   : 0;
}

/* The path that was given, or that below the root; NULL without memory. */
static char *path_of(const char *given, const char *root, const char *below) {
    return given ? make_absolute(given) : format_string("%s/%s", root, below);
}

static int set_paths(vqemu_store *store, const vqemu_store_options *options, vqemu_error **error) {
    _cleanup_free_ char *root = options->root ? make_absolute(options->root) : NULL;
    bool beside = options->root && !options->trees && !options->links;
    bool has_links = options->root || options->links;
    if (options->root && !root)
        return error_no_memory(error);
    store->objects_path = path_of(options->objects, root, "cas/objects");
    store->refs_path = path_of(options->refs, root, "cas/refs");
    store->trees_path = path_of(options->trees, root, "qemu/trees");
    if (has_links)
        store->links_path = path_of(options->links, root, "qemu");
    if (store->trees_path)
        store->link_prefix = strdup(beside ? "trees" : store->trees_path);
    return store->objects_path && store->refs_path && store->link_prefix &&
                   has_links == (store->links_path != NULL)
               ? 0
               : error_no_memory(error);
}

static int open_with(const vqemu_store_options *options, uint32_t flags, vqemu_store **store,
                     vqemu_error **error) {
    _cleanup_store_ vqemu_store *new = NULL;
    int r = check_flags(flags, error);
    if (r == 0)
        r = check_options(options, error);
    if (r == 0)
        r = new_store(flags, &new, error);
    if (r == 0)
        r = set_paths(new, options, error);
    if (r == 0)
        r = open_store(new, error);
    if (r < 0)
        return r;
    *store = TAKE_POINTER(new);
    return 0;
}

VQEMU_EXPORT int vqemu_store_open(const vqemu_store_options *options, uint32_t flags,
                                  vqemu_store **store, vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(store, error);
    *store = NULL;
    REQUIRE_ARGUMENT(options, error);
    REQUIRE_FLAGS(flags, VQEMU_STORE_CREATE | VQEMU_STORE_READ_ONLY, error);
    return open_with(options, flags, store, error);
}

VQEMU_EXPORT int vqemu_store_open_root(const char *root, uint32_t flags, vqemu_store **store,
                                       vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(store, error);
    *store = NULL;
    REQUIRE_ARGUMENT(root, error);
    REQUIRE_FLAGS(flags, VQEMU_STORE_CREATE | VQEMU_STORE_READ_ONLY, error);
    if (!*root)
        return options_invalid(VQEMU_STORE_ROOT, root, NULL, error, "the path is empty");
    const vqemu_store_options options = {.root = (char *)(uintptr_t)root};
    return open_with(&options, flags, store, error);
}

bool store_is_forked(const vqemu_store *store) {
    return store->process != getpid();
}

VQEMU_EXPORT vqemu_store *vqemu_store_ref(vqemu_store *store) {
    if (store)
        atomic_fetch_add_explicit(&store->references, 1, memory_order_relaxed);
    return store;
}

VQEMU_EXPORT void vqemu_store_unref(vqemu_store *store) {
    if (!store || atomic_fetch_sub_explicit(&store->references, 1, memory_order_acq_rel) != 1)
        return;
    cleanup_close(&store->objects_fd);
    cleanup_close(&store->refs_fd);
    int trees_fd = atomic_load(&store->trees_fd);
    cleanup_close(&trees_fd);
    newest_memo_forget(store->memo);
    pthread_mutex_destroy(&store->memo_lock);
    free(store->objects_path);
    free(store->refs_path);
    free(store->trees_path);
    free(store->links_path);
    free(store->link_prefix);
    free(store);
}

int store_require_writable(const vqemu_store *store, const char *what, vqemu_error **error) {
    if (!(store->flags & VQEMU_STORE_READ_ONLY))
        return 0;
    return error_set(error, VQEMU_ERR_READ_ONLY, 0,
                     "cannot %s: the store at %s was opened read-only; do it once with a handle "
                     "that may write",
                     what, store->objects_path);
}

/*
 * Two locks, each a descriptor of its own: threads that share one would share, and drop, one lock.
 * flock(2) alone lets a stream of shared holders keep an exclusive one waiting for ever, so
 * everybody passes the gate first, and who wants the store for himself shuts it: for a while only,
 * since among the holders there may be one that takes for ever, and others must not wait for that.
 */
#define GATE_SHUT 1000 /* milliseconds */
#define GATE_OPEN 100

static int open_and_lock(const vqemu_store *store, int directory_fd, int operation,
                         int milliseconds, struct vqemu_progress *progress, int *fd,
                         vqemu_error **error) {
    _cleanup_close_ int opened = open_at(directory_fd, ".", O_RDONLY | O_DIRECTORY, 0);
    if (opened < 0)
        return error_system(error, -opened, "cannot open the store at %s", store->objects_path);
    int r = progress_lock(progress, opened, operation, milliseconds, store->objects_path, error);
    if (r == 0)
        *fd = take_fd(&opened);
    return r;
}

int store_lock_shared(const vqemu_store *store, struct vqemu_progress *progress, int *lock,
                      vqemu_error **error) {
    _cleanup_close_ int gate = -1;
    int r = open_and_lock(store, store->refs_fd, LOCK_SH, 0, progress, &gate, error);
    return r == 0 ? open_and_lock(store, store->objects_fd, LOCK_SH, 0, progress, lock, error) : r;
}

int store_lock_exclusive(const vqemu_store *store, struct vqemu_progress *progress,
                         struct store_exclusive *lock, vqemu_error **error) {
    const struct timespec pause = {.tv_nsec = GATE_OPEN * 1000000L};
    const uint64_t limit = call_lock_timeout(progress->call);
    const int shut = limit < GATE_SHUT ? (int)limit : GATE_SHUT;
    *lock = (struct store_exclusive){-1, -1};
    for (int64_t start = call_now();;) {
        int r = open_and_lock(store, store->refs_fd, LOCK_EX, 0, progress, &lock->gate_fd, error);
        if (r == 0)
            r = open_and_lock(store, store->objects_fd, LOCK_EX, shut, progress, &lock->lock_fd,
                              error);
        if (r == 0)
            return 0;
        store_unlock_exclusive(lock);
        if (r < 0)
            return r;
        if ((uint64_t)(call_now() - start) >= limit)
            return progress_busy(store->objects_fd, store->objects_path, limit, error);
        nanosleep(&pause, NULL);
    }
}

void store_unlock_exclusive(struct store_exclusive *lock) {
    cleanup_close(&lock->lock_fd);
    cleanup_close(&lock->gate_fd);
    *lock = (struct store_exclusive){-1, -1};
}

static char *path_beside_objects(const vqemu_store *store, const char *name) {
    return format_string("%s/../%s", store->objects_path, name);
}

int store_find_beside_objects(const vqemu_store *store, const char *name) {
    _cleanup_free_ char *path = path_beside_objects(store, name);
    return path ? open_at(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0) : -ENOMEM;
}

int store_open_beside_objects(const vqemu_store *store, const char *name, int *fd,
                              vqemu_error **error) {
    _cleanup_free_ char *path = path_beside_objects(store, name);
    if (!path)
        return error_no_memory(error);
    int r = *fd = open_at(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    if (r == -ENOENT) {
        r = mkdir(path, 0755) < 0 && errno != EEXIST ? -errno : 0;
        if (r == 0)
            r = *fd = open_at(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    }
    return r < 0 ? error_system(error, -r, "cannot make or open %s", path) : 0;
}

static int open_trees_path(const vqemu_store *store, bool create, int *fd, vqemu_error **error) {
    const int flags = O_RDONLY | O_DIRECTORY;
    *fd = open_at(AT_FDCWD, store->trees_path, flags, 0);
    if (*fd == -ENOENT && create) {
        int r = make_directories(store->trees_path);
        if (r < 0)
            return error_system(error, -r, "cannot make the directory %s", store->trees_path);
        *fd = open_at(AT_FDCWD, store->trees_path, flags, 0);
    }
    if (*fd < 0)
        return error_system(error, -*fd, "cannot open the directory %s", store->trees_path);
    return 0;
}

/* Whether a directory that was opened once has been removed since. */
static bool is_removed(int fd) {
    struct stat status;
    return fstat(fd, &status) < 0 || status.st_nlink == 0;
}

/* The first descriptor stays with the handle, until it is closed. */
int store_open_trees(vqemu_store *store, bool create, int *fd, int *opened, vqemu_error **error) {
    *opened = -1;
    *fd = atomic_load(&store->trees_fd);
    if (*fd >= 0 && !is_removed(*fd))
        return 0;
    int r = open_trees_path(store, create, fd, error);
    int none = -1;
    if (r == 0 && !atomic_compare_exchange_strong(&store->trees_fd, &none, *fd))
        *opened = *fd;
    return r;
}
