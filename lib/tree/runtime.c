/* SPDX-License-Identifier: MIT */
#include "tree/runtime.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/digest.h"
#include "base/error.h"
#include "choice/selection.h"
#include "store/current.h"
#include "store/guard.h"
#include "store/manifest.h"
#include "store/reached.h"
#include "store/signatures.h"
#include "store/tree-memo.h"
#include "tree/assemble.h"
#include "tree/lease.h"
#include "tree/links.h"
#include "tree/tree.h"
#include "util/export.h"
#include "util/join.h"
#include "util/path.h"
#include "util/word.h"

/* A tree that is altered again and again while it is being assembled is given up after so many
 * times. */
#define ATTEMPTS 4

vqemu_runtime *runtime_alloc(vqemu_profile *profile, const struct arch *arch) {
    vqemu_runtime *new = calloc(1, sizeof *new);
    if (!new)
        return NULL;
    atomic_init(&new->references, 1);
    new->profile = vqemu_profile_ref(profile);
    new->arch = arch;
    new->vhost_net = VQEMU_VHOST_NET_UNSEEN;
    new->lease_fd = -1;
    return new;
}

static int new_runtime(const vqemu_selection *selection, vqemu_runtime **runtime,
                       vqemu_error **error) {
    vqemu_runtime *new =
        runtime_alloc(vqemu_selection_profile(selection), selection_arch(selection));
    if (!new)
        return error_no_memory(error);
    new->vhost_net = selection_vhost_net(selection);
    *runtime = new;
    return 0;
}

/* ---- by hand ---- */

/* False without memory. */
static bool copy_path(char **field, const char *path) {
    *field = path ? strdup(path) : NULL;
    return *field || !path;
}

int runtime_new_of_paths(const vqemu_selection *selection, const struct runtime_paths *paths,
                         vqemu_runtime **runtime, vqemu_error **error) {
    _cleanup_runtime_ vqemu_runtime *new = NULL;
    int r = new_runtime(selection, &new, error);
    if (r < 0)
        return r;
    if (!copy_path(&new->binary, paths->binary) ||
        !copy_path(&new->firmware_dir, paths->firmware_dir) ||
        !copy_path(&new->lib_dir, paths->lib_dir) ||
        !copy_path(&new->module_dir, paths->module_dir) || !copy_path(&new->loader, paths->loader))
        return error_no_memory(error);
    *runtime = TAKE_POINTER(new);
    return 0;
}

/* ---- paths in a tree ---- */

int runtime_set_paths(vqemu_runtime *runtime, const char *trees_path, const struct layout *layout) {
    runtime->tree = join_path(trees_path, runtime->digest.hex);
    if (!runtime->tree)
        return -ENOMEM;
    runtime->binary = join_texts(runtime->tree, "/bin/", runtime->arch->binary, NULL);
    runtime->firmware_dir = join_path(runtime->tree, "firmware");
    if (layout->has_lib)
        runtime->lib_dir = join_path(runtime->tree, "lib");
    if (layout->module_dir)
        runtime->module_dir = join_path(runtime->tree, layout->module_dir);
    if (layout->loader)
        runtime->loader = join_path(runtime->tree, layout->loader);
    bool complete =
        runtime->binary && runtime->firmware_dir && !layout->has_lib == !runtime->lib_dir &&
        !layout->module_dir == !runtime->module_dir && !layout->loader == !runtime->loader;
    return complete ? 0 : -ENOMEM;
}

static int no_program(const vqemu_revision *revision, const struct arch *arch, const char *programs,
                      vqemu_error **error) {
    int r = error_set(error, VQEMU_ERR_NO_PROGRAM, 0,
                      "%s has no bin/%s, which %s guests need; it has %s",
                      vqemu_revision_name(revision), arch->binary, arch->name, programs);
    return error_because(r, error, NULL, VQEMU_DETAIL_REVISION, vqemu_revision_name(revision),
                         VQEMU_DETAIL_CHOICES, programs, NULL);
}

/* ---- resolving ---- */

/* What a runtime is to be made of. */
struct resolution {
    vqemu_store *store;
    vqemu_revision *revision;
    const struct reached *trees;
    uint32_t flags;
    struct vqemu_progress *progress;
    vqemu_runtime *runtime; /* gets the lease and the paths */
};

/* A tree that is not as it should be: remember how, so that it is assembled anew. Returns 0. */
static int differs(struct difference *difference, const char *path, const char *how,
                   vqemu_error **error) {
    *difference = (struct difference){.path = strdup(path), .how = how};
    return difference->path ? 0 : error_no_memory(error);
}

static int check_content(const struct resolution *resolution, int tree_fd,
                         struct difference *difference, vqemu_error **error) {
    vqemu_call *call = resolution->progress->call;
    int r = revision_load(resolution->store, resolution->revision, call, error);
    if (r < 0)
        return r;
    return tree_check_content(tree_fd, resolution->store->flags,
                              vqemu_revision_manifest(resolution->revision), call_threads(call),
                              resolution->progress, difference, error);
}

static int use_layout(const struct resolution *resolution, int tree_fd, const struct layout *layout,
                      vqemu_error **error) {
    vqemu_runtime *runtime = resolution->runtime;
    if (!layout->has_program) {
        _cleanup_free_ char *text = NULL, *programs = NULL;
        if (stamp_read(tree_fd, resolution->store->flags, true, &text) == 0)
            programs = stamp_list_programs(text);
        return programs ? no_program(resolution->revision, runtime->arch, programs, error)
                        : error_no_memory(error);
    }
    return runtime_set_paths(runtime, resolution->trees->path, layout) < 0 ? error_no_memory(error)
                                                                           : 0;
}

/* By its content if that is to be verified; else by what the stamp says. */
static int check_files(const struct resolution *resolution, int tree_fd, char *list,
                       struct difference *difference, vqemu_error **error) {
    int r = tree_check_mount(tree_fd, resolution->store->trees_path, error);
    if (r < 0)
        return r;
    if (resolution->flags & VQEMU_RESOLVE_VERIFY)
        return check_content(resolution, tree_fd, difference, error);
    r = tree_check(tree_fd, resolution->store->flags, list, difference);
    return r == -ENOMEM ? error_no_memory(error) : r;
}

/* Its start, where the files are trusted unseen. Returns 0 or a negative errno. */
static int read_start(vqemu_store *store, const char *digest, int tree_fd, const struct stat *tree,
                      char **text) {
    pthread_mutex_lock(&store->memo_lock);
    *text = tree_memo_recall(store->tree_memo, digest, tree);
    pthread_mutex_unlock(&store->memo_lock);
    if (*text)
        return 0;
    int r = stamp_read(tree_fd, store->flags, true, text);
    if (r < 0)
        return r;
    pthread_mutex_lock(&store->memo_lock);
    tree_memo_keep(&store->tree_memo, digest, tree, *text, stamp_start_length(*text));
    pthread_mutex_unlock(&store->memo_lock);
    return 0;
}

/* Check a leased tree, which is like that. Returns 1 if it is good, 0 with how it differs, or an
 * error. */
static int check_tree(const struct resolution *resolution, int tree_fd, const struct stat *tree,
                      struct difference *difference, vqemu_error **error) {
    bool trust = resolution->flags & VQEMU_RESOLVE_TRUST;
    const char *digest = resolution->runtime->digest.hex;
    _cleanup_free_ char *text = NULL;
    struct layout layout;
    int r = trust ? read_start(resolution->store, digest, tree_fd, tree, &text)
                  : stamp_read(tree_fd, resolution->store->flags, false, &text);
    if (r == -ENOMEM)
        return error_no_memory(error);
    if (r < 0)
        return differs(difference, TREE_STAMP_NAME,
                       r == -EPERM ? "is another user's, or others may write to it"
                                   : "is missing or broken",
                       error);
    char *list = text;
    if (!stamp_take_layout(&list, digest, resolution->runtime->arch->binary, &layout))
        return differs(difference, TREE_STAMP_NAME, "is that of another manifest", error);
    r = trust ? 1 : check_files(resolution, tree_fd, list, difference, error);
    if (r != 1)
        return r;
    r = use_layout(resolution, tree_fd, &layout, error);
    return r < 0 ? r : 1;
}

/* Lease the tree if it is as it should be. Returns 1, 0 with how it differs, or an error. */
static int lease_checked(const struct resolution *resolution, struct difference *difference,
                         vqemu_error **error) {
    _cleanup_close_ int fd = -1;
    struct stat status;
    int r = lease_take(resolution->trees->fd, resolution->store->trees_path,
                       resolution->runtime->digest.hex, resolution->progress, &fd, &status, error);
    if (r == 0) {
        r = differs(difference, "it", "is missing", error);
        difference->no_tree = true;
        return r;
    }
    if (r < 0)
        return r;
    if (!guard_trusts_file(resolution->store->flags, &status))
        return differs(difference, "it", "is another user's, or others may write to it", error);
    r = check_tree(resolution, fd, &status, difference, error);
    if (r == 1)
        resolution->runtime->lease_fd = take_fd(&fd);
    return r;
}

/*
 * Under the lock of the store: what the revision needs is not collected from now on. A tree that
 * this call assembles is leased and needs no check.
 */
static int assemble_locked(const struct resolution *resolution, int *lease_fd,
                           vqemu_error **error) {
    int r = revision_require_there(resolution->store, resolution->revision, error);
    if (r < 0)
        return r;
    return assemble_tree(resolution->store, resolution->revision, resolution->trees->fd,
                         resolution->flags & VQEMU_RESOLVE_VERIFY, resolution->progress, lease_fd,
                         error);
}

static int use_assembled(const struct resolution *resolution, int *lease_fd, vqemu_error **error) {
    struct resolution trusting = *resolution;
    trusting.flags = VQEMU_RESOLVE_TRUST;
    _cleanup_difference_ struct difference difference = {0};
    struct stat status;
    if (fstat(*lease_fd, &status) < 0)
        return error_system_at(error, errno, "cannot look at the tree", "%s/%s",
                               resolution->store->trees_path, resolution->runtime->digest.hex);
    int r = check_tree(&trusting, *lease_fd, &status, &difference, error);
    if (r == 1)
        resolution->runtime->lease_fd = take_fd(lease_fd);
    return r;
}

/* A read-only store whose tree is missing or altered: say which, and what is with it. */
static int cannot_renew(const struct resolution *resolution, const struct difference *difference,
                        vqemu_error **error) {
    error_begin(error);
    return error_set(error, VQEMU_ERR_READ_ONLY, 0,
                     "the tree %s/%s cannot be assembled (%s %s): the store at %s is read-only; "
                     "resolve it once where it can be written to",
                     resolution->store->trees_path, resolution->runtime->digest.hex,
                     difference->path, difference->how, resolution->store->objects_path);
}

/* Whether a tree might do as it is, though it could not be assembled anew for this error. */
static bool may_do_as_it_is(const struct resolution *resolution, int code,
                            const struct difference *difference) {
    return !difference->no_tree && resolution->flags == 0 && code != VQEMU_ERR_CANCELLED &&
           code != VQEMU_ERR_TIMEOUT && code != VQEMU_ERR_NO_MEMORY && code != VQEMU_ERR_CHANGED &&
           code != VQEMU_ERR_NO_REVISION;
}

static struct log_subject subject_of(const struct resolution *resolution) {
    return (struct log_subject){.path = resolution->store->trees_path,
                                .object = resolution->runtime->digest.hex,
                                .revision = vqemu_revision_name(resolution->revision)};
}

/*
 * A tree that was copied, or is on another file system by now, has other inodes and times than its
 * stamp says. Where it cannot be assembled anew, its content decides. Returns 1 if it is leased, 0
 * with how it differs, or an error.
 */
static int lease_by_content(const struct resolution *resolution, struct difference *difference,
                            vqemu_error **error) {
    struct resolution verifying = *resolution;
    verifying.flags = VQEMU_RESOLVE_VERIFY;
    difference_release(difference);
    int r = lease_checked(&verifying, difference, error);
    if (r == 1)
        call_log(resolution->progress->call, VQEMU_LOG_INFO, "tree-by-content",
                 subject_of(resolution),
                 "the tree %s/%s has other inodes or times than when it was assembled, and cannot "
                 "be assembled anew; its content is right",
                 resolution->store->trees_path, resolution->runtime->digest.hex);
    return r;
}

/* The tree could not be assembled anew, for the error of this code, which is in *problem. */
static int use_as_it_is(const struct resolution *resolution, int code,
                        struct difference *difference, vqemu_error **problem, vqemu_error **error) {
    int r = may_do_as_it_is(resolution, code, difference)
                ? lease_by_content(resolution, difference, error)
                : 0;
    if (r != 0)
        return r < 0 ? r : 0;
    if (code == VQEMU_ERR_READ_ONLY)
        return cannot_renew(resolution, difference, error);
    if (error)
        *error = TAKE_POINTER(*problem);
    return code;
}

static void log_altered(const struct resolution *resolution, const struct difference *difference) {
    call_log(resolution->progress->call, VQEMU_LOG_WARNING, "tree-altered", subject_of(resolution),
             "the tree %s/%s was not as it was assembled, and has been assembled anew: %s %s",
             resolution->store->trees_path, resolution->runtime->digest.hex, difference->path,
             difference->how);
}

static int lease_tree(const struct resolution *resolution, vqemu_error **error) {
    const vqemu_store *store = resolution->store;
    _cleanup_close_ int lock = -1;
    for (int attempt = 1;; attempt++) {
        _cleanup_difference_ struct difference difference = {0};
        _cleanup_error_ vqemu_error *problem = NULL;
        _cleanup_close_ int lease_fd = -1;
        int r = lease_checked(resolution, &difference, error);
        if (r != 0)
            return r < 0 ? r : 0;
        if (attempt == ATTEMPTS)
            return error_set(error, VQEMU_ERR_CORRUPT, 0,
                             "the tree %s/%s does not stay as it was assembled: %s %s",
                             store->trees_path, resolution->runtime->digest.hex, difference.path,
                             difference.how);
        if (lock < 0)
            r = store_lock_shared(store, resolution->progress, &lock, error);
        if (r < 0)
            return r;
        r = assemble_locked(resolution, &lease_fd, &problem);
        if (r < 0)
            return use_as_it_is(resolution, r, &difference, &problem, error);
        if (!difference.no_tree)
            log_altered(resolution, &difference);
        if (lease_fd >= 0)
            r = use_assembled(resolution, &lease_fd, error);
        if (r != 0)
            return r < 0 ? r : 0;
    }
}

/* Each time: a tree that is there already may be that of a revision which is trusted no more. */
static int check_trust(const vqemu_store *store, const vqemu_revision *revision, vqemu_call *call,
                       vqemu_error **error) {
    int32_t key;
    return store->trust ? signatures_check(store, revision, store->trust, call, &key, error) : 0;
}

static int find_trees(vqemu_store *store, struct reached *trees, vqemu_error **error) {
    bool create = !(store->flags & VQEMU_STORE_READ_ONLY);
    int r = reach_trees(store, create, trees, error);
    if (r < 0 || trees->fd >= 0)
        return r;
    return error_system_at(error, -trees->fd,
                           create ? "cannot make or open the directory"
                                  : "cannot open the directory",
                           "%s", store->trees_path);
}

static int from_revision(vqemu_store *store, const vqemu_selection *selection,
                         vqemu_revision *revision, uint32_t flags, struct vqemu_progress *progress,
                         vqemu_runtime **runtime, vqemu_error **error) {
    _cleanup_runtime_ vqemu_runtime *new = NULL;
    _cleanup_reached_ struct reached trees = REACHED_NONE;
    int r = check_trust(store, revision, progress->call, error);
    if (r == 0)
        r = find_trees(store, &trees, error);
    if (r == 0)
        r = new_runtime(selection, &new, error);
    if (r < 0 || !new)
        return r;
    const struct resolution resolution = {store, revision, &trees, flags, progress, new};
    memcpy(new->digest.hex, revision_digest(revision), sizeof new->digest.hex);
    new->store_flags = store->flags &VQEMU_STORE_ALLOW_OTHERS;
    new->revision = strdup(vqemu_revision_name(revision));
    new->manifest_path = strdup(vqemu_revision_path(revision));
    if (!new->revision || !new->manifest_path)
        return error_no_memory(error);
    r = lease_tree(&resolution, error);
    if (r < 0)
        return r;
    *runtime = TAKE_POINTER(new);
    return 0;
}

static int check_revision_profile(const vqemu_revision *revision, const char *profile,
                                  vqemu_error **error) {
    if (!vqemu_revision_manifest(revision))
        return revision_broken(revision, error);
    if (strcmp(vqemu_revision_profile_name(revision), profile) == 0)
        return 0;
    return error_set(error, VQEMU_ERR_INVALID, 0, "revision %s is not one of profile %s",
                     vqemu_revision_name(revision), profile);
}

static int check_flags(uint32_t flags, const char *function, vqemu_error **error) {
    const uint32_t both = VQEMU_RESOLVE_VERIFY | VQEMU_RESOLVE_TRUST;
    if (flags == both)
        return error_flags_at_odds(error, function,
                                   "a tree cannot be both verified and trusted unseen");
    return 0;
}

/* The revision that is used can be collected, being used no more, before it is leased: then try
 * again. */
static int from_current(vqemu_store *store, const vqemu_selection *selection, const char *profile,
                        uint32_t flags, struct vqemu_progress *progress, vqemu_runtime **runtime,
                        vqemu_error **error) {
    for (int attempt = 1;; attempt++) {
        _cleanup_revision_ vqemu_revision *current = NULL;
        _cleanup_error_ vqemu_error *problem = NULL;
        int r = current_find(store, profile, progress->call, &current, &problem);
        if (r == 0)
            r = from_revision(store, selection, current, flags, progress, runtime, &problem);
        if (r == 0)
            return links_switch(store, profile, vqemu_runtime_tree(*runtime), progress, error);
        bool is_gone = r == VQEMU_ERR_CHANGED || r == VQEMU_ERR_NO_REVISION;
        if (current && is_gone && attempt < ATTEMPTS)
            continue;
        if (error)
            *error = TAKE_POINTER(problem);
        return r;
    }
}

VQEMU_EXPORT int vqemu_resolve(vqemu_store *store, const vqemu_selection *selection,
                               const vqemu_revision *revision, uint32_t flags, vqemu_call *call,
                               vqemu_runtime **runtime, vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(runtime, error);
    *runtime = NULL;
    REQUIRE_STORE(store, error);
    REQUIRE_ARGUMENT(selection, error);
    REQUIRE_FLAGS(flags, VQEMU_RESOLVE_VERIFY | VQEMU_RESOLVE_TRUST, error);
    const char *profile = vqemu_profile_name(vqemu_selection_profile(selection));
    struct vqemu_progress progress = {.call = call};
    _cleanup_runtime_ vqemu_runtime *new = NULL;
    int r = check_flags(flags, __func__, error);
    if (r == 0)
        r = call_check(call, "the start", error);
    if (r == 0 && revision)
        r = revision_check_store(store, revision, error);
    if (r == 0 && revision)
        r = check_revision_profile(revision, profile, error);
    if (r == 0 && revision)
        /* Only one that was not loaded would be changed. */
        r = from_revision(store, selection, (vqemu_revision *)(uintptr_t)revision, flags, &progress,
                          &new, error);
    else if (r == 0)
        r = from_current(store, selection, profile, flags, &progress, &new, error);
    if (r < 0)
        return r;
    *runtime = TAKE_POINTER(new);
    return 0;
}

/* ---- life and access ---- */

VQEMU_EXPORT vqemu_runtime *vqemu_runtime_ref(vqemu_runtime *runtime) {
    if (runtime)
        atomic_fetch_add_explicit(&runtime->references, 1, memory_order_relaxed);
    return runtime;
}

VQEMU_EXPORT void vqemu_runtime_unref(vqemu_runtime *runtime) {
    if (!runtime || atomic_fetch_sub_explicit(&runtime->references, 1, memory_order_acq_rel) != 1)
        return;
    cleanup_close(&runtime->lease_fd);
    vqemu_profile_unref(runtime->profile);
    free(runtime->binary);
    free(runtime->firmware_dir);
    free(runtime->lib_dir);
    free(runtime->module_dir);
    free(runtime->loader);
    free(runtime->tree);
    free(runtime->revision);
    free(runtime->manifest_path);
    free(runtime);
}

const struct arch *runtime_arch(const vqemu_runtime *runtime) {
    return runtime->arch;
}

VQEMU_EXPORT vqemu_profile *vqemu_runtime_profile(const vqemu_runtime *runtime) {
    return runtime ? runtime->profile : NULL;
}

VQEMU_EXPORT const char *vqemu_runtime_guest_arch(const vqemu_runtime *runtime) {
    return runtime ? runtime->arch->name : NULL;
}

VQEMU_EXPORT const char *vqemu_runtime_binary(const vqemu_runtime *runtime) {
    return runtime ? runtime->binary : NULL;
}

VQEMU_EXPORT const char *vqemu_runtime_firmware_dir(const vqemu_runtime *runtime) {
    return runtime ? runtime->firmware_dir : NULL;
}

VQEMU_EXPORT const char *vqemu_runtime_lib_dir(const vqemu_runtime *runtime) {
    return runtime ? runtime->lib_dir : NULL;
}

VQEMU_EXPORT const char *vqemu_runtime_module_dir(const vqemu_runtime *runtime) {
    return runtime ? runtime->module_dir : NULL;
}

VQEMU_EXPORT const char *vqemu_runtime_loader(const vqemu_runtime *runtime) {
    return runtime ? runtime->loader : NULL;
}

VQEMU_EXPORT const char *vqemu_runtime_tree(const vqemu_runtime *runtime) {
    return runtime ? runtime->tree : NULL;
}

VQEMU_EXPORT const char *vqemu_runtime_revision_name(const vqemu_runtime *runtime) {
    return runtime ? runtime->revision : NULL;
}

VQEMU_EXPORT const char *vqemu_runtime_manifest_path(const vqemu_runtime *runtime) {
    return runtime ? runtime->manifest_path : NULL;
}

VQEMU_EXPORT const char *vqemu_runtime_digest(const vqemu_runtime *runtime) {
    return runtime ? null_if_empty(runtime->digest.hex) : NULL;
}

VQEMU_EXPORT int vqemu_runtime_lease_fd(const vqemu_runtime *runtime) {
    return runtime ? runtime->lease_fd : -1;
}
