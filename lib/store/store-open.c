/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/error.h"
#include "base/options.h"
#include "store/guard.h"
#include "store/reached.h"
#include "store/store-options.h"
#include "store/store.h"
#include "trust/trust.h"
#include "util/dir.h"
#include "util/export.h"
#include "util/fd.h"
#include "util/path.h"

#define STORE_FLAGS (VQEMU_STORE_CREATE | VQEMU_STORE_READ_ONLY | VQEMU_STORE_ALLOW_OTHERS)

/* Without any path yet. */
static int new_store(uint32_t flags, vqemu_store **store, vqemu_error **error) {
    vqemu_store *new = calloc(1, sizeof *new);
    if (!new)
        return error_no_memory(error);
    atomic_init(&new->references, 1);
    new->process = getpid();
    new->flags = flags;
    new->objects_fd = new->refs_fd = -1;
    new->trees = new->links = DIRECTORY_NONE;
    pthread_mutex_init(&new->memo_lock, NULL);
    *store = new;
    return 0;
}

static int check_flags(uint32_t flags, const char *function, vqemu_error **error) {
    const uint32_t both = VQEMU_STORE_CREATE | VQEMU_STORE_READ_ONLY;
    if ((flags & both) != both)
        return 0;
    return error_flags_at_odds(error, function,
                               "a store cannot be both created and opened read-only");
}

/* ---- where its parts are ---- */

/* One of its directories while the store is being opened. */
struct part {
    const char *given, *below; /* the path of its own; that below the root */
    char **path;               /* for messages, and for others to find it by */
    int base_fd;
    const char *from_base;
    struct stat status; /* once it is open, and whether its name is a link */
    bool is_link;
};

/* A store being opened. */
struct opening {
    vqemu_store *store;
    int root_fd; /* -1 without one */
    char *root;  /* its name */
    struct part objects, refs, trees, links;
};

static void release_opening(struct opening *opening) {
    cleanup_close(&opening->root_fd);
    free(opening->root);
}

static int name_absolutely(const char *path, char **absolute, vqemu_error **error) {
    *absolute = make_absolute(path);
    if (*absolute)
        return 0;
    return error_system_at(error, errno, "cannot tell the working directory for", "%s", path);
}

static int name_root(struct opening *opening, vqemu_error **error) {
    struct stat status;
    if (fstat(opening->root_fd, &status) < 0)
        return error_system(error, errno, "root_fd: cannot look at the directory");
    int r = directory_path(opening->root_fd, &status, "/", &opening->root);
    if (r == 0)
        opening->root = strdup("/"); /* for messages alone */
    return opening->root ? 0 : error_no_memory(error);
}

/* A root by descriptor may have a name, which need not lead to it. */
static int open_root(struct opening *opening, const vqemu_store_options *options,
                     vqemu_error **error) {
    if (options->root_fd) {
        int fd = opening->root_fd = duplicate_fd((int)(options->root_fd - 1));
        if (fd < 0) {
            int r = fd == -EBADF ? error_set(error, VQEMU_ERR_USAGE, EBADF,
                                             "root_fd: %d is no open descriptor",
                                             (int)(options->root_fd - 1))
                                 : error_system(error, -fd, "root_fd: cannot use the descriptor");
            return error_because(r, error, fd == -EBADF ? "bad-descriptor" : NULL, VQEMU_DETAIL_KEY,
                                 VQEMU_STORE_ROOT_FD, NULL);
        }
    }
    if (options->root)
        return name_absolutely(options->root, &opening->root, error);
    return options->root_fd ? name_root(opening, error) : 0;
}

static int set_part(const struct opening *opening, struct part *part, vqemu_error **error) {
    bool by_root_fd = !part->given && opening->root_fd >= 0;
    if (part->given) {
        int r = name_absolutely(part->given, part->path, error);
        if (r < 0)
            return r;
    } else {
        *part->path = join_path(opening->root, part->below);
    }
    part->base_fd = by_root_fd ? opening->root_fd : AT_FDCWD;
    part->from_base = by_root_fd ? part->below : *part->path;
    return *part->path ? 0 : error_no_memory(error);
}

static int set_parts(struct opening *opening, const vqemu_store_options *options,
                     vqemu_error **error) {
    vqemu_store *store = opening->store;
    opening->objects = (struct part){
        .given = options->objects, .below = "cas/objects", .path = &store->objects_path};
    opening->refs =
        (struct part){.given = options->refs, .below = "cas/refs", .path = &store->refs_path};
    opening->trees =
        (struct part){.given = options->trees, .below = "qemu/trees", .path = &store->trees_path};
    opening->links =
        (struct part){.given = options->links, .below = "qemu", .path = &store->links_path};
    store->links_beside_trees =
        store_options_has_root(options) && !options->trees && !options->links;
    int r = open_root(opening, options, error);
    if (r == 0)
        r = set_part(opening, &opening->objects, error);
    if (r == 0)
        r = set_part(opening, &opening->refs, error);
    if (r == 0)
        r = set_part(opening, &opening->trees, error);
    if (r == 0 && (store_options_has_root(options) || options->links))
        r = set_part(opening, &opening->links, error);
    return r;
}

/* ---- opening them ---- */

static int make_part(const struct part *part, bool *made, vqemu_error **error) {
    if (exists_at(part->base_fd, part->from_base) == 1)
        return 0;
    *made = true;
    int r = make_directories(part->base_fd, part->from_base);
    return r < 0 ? error_system_at(error, -r, "cannot make the store directory", "%s", *part->path)
                 : 0;
}

static int sync_part(const struct part *part, vqemu_error **error) {
    _cleanup_close_ int fd = open_at(part->base_fd, part->from_base, O_RDONLY | O_DIRECTORY, 0);
    int r = fd < 0 ? fd : sync_file_system(fd);
    return r < 0 ? error_system_at(error, -r, "cannot sync the store directory", "%s", *part->path)
                 : 0;
}

/* What is made must outlive a power cut, for what is put there later to do so. */
static int make_store(const struct opening *opening, vqemu_error **error) {
    const struct part *const parts[] = {&opening->objects, &opening->refs, &opening->trees};
    bool made = false;
    int r = 0;
    for (size_t i = 0; r == 0 && i < sizeof parts / sizeof *parts; i++)
        r = make_part(parts[i], &made, error);
    for (size_t i = 0; r == 0 && made && i < sizeof parts / sizeof *parts; i++)
        r = sync_part(parts[i], error);
    return r;
}

static int open_part(struct part *part, int *fd, vqemu_error **error) {
    const char *path = *part->path;
    *fd = directory_open_at(part->base_fd, part->from_base, &part->is_link);
    if (*fd == -ENOENT)
        return error_because(
            error_set(error, VQEMU_ERR_NO_STORE, 0, "there is no store here: %s is missing", path),
            error, NULL, VQEMU_DETAIL_PATH, path, NULL);
    if (*fd < 0)
        return error_system_at(error, -*fd, "cannot open the store directory", "%s", path);
    return fstat(*fd, &part->status) < 0
               ? error_system_at(error, errno, "cannot look at the store directory", "%s", path)
               : 0;
}

/* Trees and links are opened when they are needed. */
static int find_part(const struct part *part, struct directory *directory, vqemu_error **error) {
    int r = *part->path ? directory_find(directory, part->base_fd, part->from_base) : 0;
    return r < 0 ? error_system_at(error, -r, "cannot find the store directory", "%s", *part->path)
                 : 0;
}

/* Where objects/ lies: not where its path says so if that is a link. */
static int name_beside(vqemu_store *store, bool is_link, vqemu_error **error) {
    const char *path = store->objects_path, *name = base_name(path);
    bool is_plain =
        !is_link && name > path && *name && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
    store->beside_path =
        is_plain ? strndup(path, (size_t)(name - path - 1)) : join_path(path, "..");
    return store->beside_path ? 0 : error_no_memory(error);
}

static int check_part(const struct part *part, int fd, vqemu_error **error) {
    return guard_check_place(fd, &part->status, *part->path, part->base_fd,
                             part->is_link ? part->from_base : NULL, error);
}

static int check_root(const struct opening *opening, vqemu_error **error) {
    struct stat status;
    const char *root = opening->root;
    if (!root)
        return 0;
    int r = opening->root_fd >= 0 ? fstat(opening->root_fd, &status) : stat(root, &status);
    if (r < 0 && errno == ENOENT) /* each part has a path of its own */
        return 0;
    return r < 0 ? error_system_at(error, errno, "cannot look at", "%s", root)
                 : guard_check_above(&status, root, error);
}

/* Those beside the objects decide what is used and what is kept. Where one cannot be opened, its
 * use tells why. */
static int check_beside(const vqemu_store *store, vqemu_error **error) {
    static const char *const paths[] = {
        "../" STORE_ALT,  "../" STORE_ARRIVALS,   "../" STORE_CACHE, "../" STORE_CURRENT,
        "../" STORE_PINS, "../" STORE_SIGNATURES, "../" STORE_TMP};
    int r = 0;
    for (size_t i = 0; r == 0 && i < sizeof paths / sizeof *paths; i++) {
        struct stat status;
        if (fstatat(store->objects_fd, paths[i], &status, 0) < 0 || !S_ISDIR(status.st_mode) ||
            guard_trusts(&status))
            continue;
        _cleanup_free_ char *path = join_path(store->beside_path, base_name(paths[i]));
        r = path ? guard_check(&status, path, error) : error_no_memory(error);
    }
    return r;
}

/* There is no such directory, or none that the caller could use; what is there by then is looked at
 * when it is opened. */
static bool is_absent(int r) {
    return r == -ENOENT || r == -ENOTDIR || r == -ELOOP || r == -EACCES;
}

/* A directory that is not there yet will lie in what is there. */
static int check_anchor(const struct directory *directory, const char *path, vqemu_error **error) {
    struct stat above;
    if (strchr(directory->rest, '/'))
        return 0;
    if (fstat(directory->anchor_fd, &above) < 0)
        return error_system_at(error, errno, "cannot look at where to find", "%s", path);
    return guard_check_containing(&above, path, error);
}

static int check_reached(const struct reached *reached, const struct directory *directory,
                         const char *path, vqemu_error **error) {
    if (reached->fd >= 0)
        return 0;
    return is_absent(reached->fd) ? check_anchor(directory, path, error)
                                  : error_system_at(error, -reached->fd,
                                                    "cannot open the store directory", "%s", path);
}

/* They stay open: whoever opens a store mostly uses them. */
static int check_trees(vqemu_store *store, vqemu_error **error) {
    _cleanup_reached_ struct reached trees;
    int r = reach_trees(store, false, &trees, error);
    return r == 0 ? check_reached(&trees, &store->trees, store->trees_path, error) : r;
}

/* In a directory of their own, others could have links lead to programs of theirs. */
static int check_links(vqemu_store *store, vqemu_error **error) {
    _cleanup_reached_ struct reached links = REACHED_NONE;
    if (!store->links_path || store->links_beside_trees)
        return 0;
    int r = reach_links(store, false, &links, error);
    return r == 0 ? check_reached(&links, &store->links, store->links_path, error) : r;
}

static int check_guarded(const struct opening *opening, vqemu_error **error) {
    vqemu_store *store = opening->store;
    if (store->flags & VQEMU_STORE_ALLOW_OTHERS)
        return 0;
    int r = check_part(&opening->objects, store->objects_fd, error);
    if (r == 0)
        r = check_part(&opening->refs, store->refs_fd, error);
    if (r == 0)
        r = check_trees(store, error);
    if (r == 0)
        r = check_beside(store, error);
    if (r == 0)
        r = check_links(store, error);
    return r == 0 ? check_root(opening, error) : r;
}

static int open_parts(struct opening *opening, vqemu_error **error) {
    vqemu_store *store = opening->store;
    int r = store->flags & VQEMU_STORE_CREATE ? make_store(opening, error) : 0;
    if (r == 0)
        r = open_part(&opening->objects, &store->objects_fd, error);
    if (r == 0)
        r = name_beside(store, opening->objects.is_link, error);
    if (r == 0)
        r = open_part(&opening->refs, &store->refs_fd, error);
    if (r == 0)
        r = find_part(&opening->trees, &store->trees, error);
    if (r == 0)
        r = find_part(&opening->links, &store->links, error);
    if (r < 0)
        return r;
    store->refs_device = opening->refs.status.st_dev;
    store->refs_inode = opening->refs.status.st_ino;
    return check_guarded(opening, error);
}

static int open_with(const vqemu_store_options *options, uint32_t flags, const char *function,
                     vqemu_store **store, vqemu_error **error) {
    _cleanup_store_ vqemu_store *new = NULL;
    int r = check_flags(flags, function, error);
    if (r == 0)
        r = store_options_check(options, error);
    if (r == 0)
        r = new_store(flags, &new, error);
    if (r < 0)
        return r;
    _cleanup_(release_opening) struct opening opening = {.store = new, .root_fd = -1};
    r = set_parts(&opening, options, error);
    if (r == 0)
        r = open_parts(&opening, error);
    if (r < 0)
        return r;
    new->trust = vqemu_trust_ref(options->trust);
    *store = TAKE_POINTER(new);
    return 0;
}

VQEMU_EXPORT int vqemu_store_open(const vqemu_store_options *options, uint32_t flags,
                                  vqemu_store **store, vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(store, error);
    *store = NULL;
    REQUIRE_ARGUMENT(options, error);
    REQUIRE_FLAGS(flags, STORE_FLAGS, error);
    return open_with(options, flags, __func__, store, error);
}

VQEMU_EXPORT int vqemu_store_open_root(const char *root, uint32_t flags, vqemu_store **store,
                                       vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(store, error);
    *store = NULL;
    REQUIRE_ARGUMENT(root, error);
    REQUIRE_FLAGS(flags, STORE_FLAGS, error);
    if (!*root)
        return options_invalid(VQEMU_STORE_ROOT, root, NULL, error, "the path is empty");
    const vqemu_store_options options = {.root = (char *)(uintptr_t)root};
    return open_with(&options, flags, __func__, store, error);
}
