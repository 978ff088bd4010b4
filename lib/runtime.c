/* SPDX-License-Identifier: MIT */
#include "runtime.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "assemble.h"
#include "elf-file.h"
#include "error.h"
#include "links.h"
#include "manifest.h"
#include "selection.h"
#include "tree.h"
#include "util/export.h"
#include "util/fd.h"
#include "util/path.h"
#include "util/strbuf.h"

/* A tree that is altered again and again while it is being assembled is given up after so many
 * times. */
#define ATTEMPTS 4

struct vqemu_runtime {
    atomic_uint references;
    const vqemu_profile *profile;
    const struct arch *arch;
    char *binary, *firmware_dir, *lib_dir, *module_dir, *loader;
    /* Only of a runtime from a store: */
    char *tree;
    vqemu_ref *ref;
    int lease_fd; /* holds a shared flock on the tree */
};

static int new_runtime(const vqemu_selection *selection, vqemu_runtime **runtime,
                       vqemu_error **error) {
    vqemu_runtime *new = calloc(1, sizeof *new);
    if (!new)
        return error_no_memory(error);
    atomic_init(&new->references, 1);
    new->profile = vqemu_selection_profile(selection);
    new->arch = selection_arch(selection);
    new->lease_fd = -1;
    *runtime = new;
    return 0;
}

/* ---- by hand ---- */

static int set_path(char **field, const char *what, const char *path, bool required,
                    vqemu_error **error) {
    if (!path && !required)
        return 0;
    if (!path || *path != '/')
        return error_set(error, VQEMU_ERR_INVALID, 0, "the %s \"%s\" is not an absolute path", what,
                         path ? path : "");
    *field = strdup(path);
    return *field ? 0 : error_no_memory(error);
}

VQEMU_EXPORT int vqemu_runtime_new(const vqemu_selection *selection, const char *binary,
                                   const char *firmware_dir, const char *lib_dir,
                                   const char *module_dir, const char *loader,
                                   vqemu_runtime **runtime, vqemu_error **error) {
    *runtime = NULL;
    _cleanup_runtime_ vqemu_runtime *new = NULL;
    int r = new_runtime(selection, &new, error);
    if (r == 0)
        r = set_path(&new->binary, "binary", binary, true, error);
    if (r == 0)
        r = set_path(&new->firmware_dir, "firmware directory", firmware_dir, true, error);
    if (r == 0)
        r = set_path(&new->lib_dir, "library directory", lib_dir, false, error);
    if (r == 0)
        r = set_path(&new->module_dir, "module directory", module_dir, false, error);
    if (r == 0)
        r = set_path(&new->loader, "loader", loader, false, error);
    if (r == 0 && loader && !lib_dir)
        r = error_set(error, VQEMU_ERR_INVALID, 0, "a loader needs a library directory");
    if (r < 0)
        return r;
    *runtime = TAKE_POINTER(new);
    return 0;
}

/* ---- paths in a tree ---- */

static bool has_directory(const vqemu_manifest *manifest, const char *directory) {
    size_t length = strlen(directory);
    for (size_t i = 0; i < vqemu_manifest_object_count(manifest); i++) {
        const char *path = vqemu_manifest_object_path(manifest, i);
        if (strncmp(path, directory, length) == 0 && path[length] == '/')
            return true;
    }
    return false;
}

/* Whether a path is a QEMU module where distributions put them: lib/qemu/, lib/<triplet>/qemu/. */
static bool is_module(const char *path) {
    const char *name = base_name(path);
    size_t length = strlen(path);
    return strncmp(path, "lib/", 4) == 0 && name - path > 6 &&
           strncmp(name - 6, "/qemu/", 6) == 0 && length > 3 &&
           strcmp(path + length - 3, ".so") == 0;
}

/* The tree's directory of QEMU modules. */
static int find_module_dir(vqemu_runtime *runtime, const vqemu_manifest *manifest) {
    for (size_t i = 0; i < vqemu_manifest_object_count(manifest); i++) {
        const char *path = vqemu_manifest_object_path(manifest, i);
        if (!is_module(path))
            continue;
        runtime->module_dir =
            format_string("%s/%.*s", runtime->tree, (int)(base_name(path) - path - 1), path);
        return runtime->module_dir ? 0 : -ENOMEM;
    }
    return 0;
}

/* The loader that the program asks for, if the profile brings it along in lib/. */
static int find_loader(vqemu_runtime *runtime, const vqemu_manifest *manifest) {
    _cleanup_close_ int fd = open(runtime->binary, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return -errno;
    struct elf_info elf;
    elf_read(fd, &elf);
    if (!elf.loader[0])
        return 0;
    _cleanup_free_ char *path = format_string("lib/%s", base_name(elf.loader));
    if (!path)
        return -ENOMEM;
    if (vqemu_manifest_find(manifest, path) < 0)
        return 0;
    runtime->loader = format_string("%s/%s", runtime->tree, path);
    return runtime->loader ? 0 : -ENOMEM;
}

static int find_paths(vqemu_runtime *runtime, vqemu_error **error) {
    const vqemu_manifest *manifest = vqemu_ref_manifest(runtime->ref);
    runtime->binary = format_string("%s/bin/%s", runtime->tree, runtime->arch->binary);
    runtime->firmware_dir = format_string("%s/firmware", runtime->tree);
    if (!runtime->binary || !runtime->firmware_dir)
        return error_no_memory(error);
    if (has_directory(manifest, "lib")) {
        runtime->lib_dir = format_string("%s/lib", runtime->tree);
        if (!runtime->lib_dir)
            return error_no_memory(error);
    }
    int r = find_module_dir(runtime, manifest);
    if (r == 0)
        r = find_loader(runtime, manifest);
    return r < 0 ? error_system(error, -r, "cannot look at %s", runtime->binary) : 0;
}

/* ---- resolving ---- */

static int check_has_binary(const vqemu_ref *ref, const struct arch *arch, vqemu_error **error) {
    const vqemu_manifest *manifest = vqemu_ref_manifest(ref);
    _cleanup_free_ char *path = format_string("bin/%s", arch->binary);
    if (!path)
        return error_no_memory(error);
    if (vqemu_manifest_find(manifest, path) >= 0)
        return 0;
    _cleanup_strbuf_ struct strbuf programs = {0};
    for (size_t i = 0; i < vqemu_manifest_object_count(manifest); i++) {
        const char *other = vqemu_manifest_object_path(manifest, i);
        if (strncmp(other, "bin/", 4) == 0)
            strbuf_addf(&programs, "%s%s", programs.length ? ", " : "", other);
    }
    if (programs.failed)
        return error_no_memory(error);
    return error_set(error, VQEMU_ERR_NOT_FOUND, 0, "%s has no %s, which %s guests need; it has %s",
                     vqemu_ref_name(ref), path, arch->name,
                     programs.length ? programs.text : "no programs");
}

/* Open a tree and take a lease on it. -ENOENT if there is none. */
static int open_leased(int trees_fd, const char *name) {
    for (;;) {
        _cleanup_close_ int fd =
            openat(trees_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
            return -errno;
        int r = lock_fd(fd, LOCK_SH);
        if (r < 0)
            return r;
        if (same_file(fd, trees_fd, name)) /* not removed or replaced before it was locked */
            return take_fd(&fd);
    }
}

/*
 * Lease the tree if it is as it should be. Returns 1 and *lease_fd; 0 with how it differs; or a
 * negative errno.
 */
static int lease_checked(int trees_fd, const vqemu_manifest *manifest, bool verify, int *lease_fd,
                         char **difference) {
    *difference = NULL;
    _cleanup_close_ int fd = open_leased(trees_fd, vqemu_manifest_digest(manifest));
    if (fd == -ENOENT || fd == -ENOTDIR || fd == -ELOOP) {
        *difference = strdup("it is missing");
        return *difference ? 0 : -ENOMEM;
    }
    if (fd < 0)
        return fd;
    int r = tree_check(fd, manifest, difference);
    if (r == 1 && verify)
        r = tree_check_content(fd, manifest, difference);
    if (r == 1)
        *lease_fd = take_fd(&fd);
    return r;
}

static int lease_tree(vqemu_store *store, const vqemu_ref *ref, int trees_fd, bool verify,
                      struct progress *progress, int *lease_fd, vqemu_error **error) {
    const vqemu_manifest *manifest = vqemu_ref_manifest(ref);
    for (int attempt = 1;; attempt++) {
        _cleanup_free_ char *difference = NULL;
        int r = lease_checked(trees_fd, manifest, verify, lease_fd, &difference);
        if (r < 0)
            return error_system(error, -r, "cannot check the tree %s/%s", store->trees_path,
                                vqemu_manifest_digest(manifest));
        if (r == 1)
            return 0;
        if (attempt == ATTEMPTS)
            return error_set(error, VQEMU_ERR_CORRUPT, 0,
                             "the tree %s/%s does not stay as it was assembled: %s",
                             store->trees_path, vqemu_manifest_digest(manifest), difference);
        r = assemble_tree(store, ref, trees_fd, verify, progress, error);
        if (r < 0)
            return r;
    }
}

static int from_ref(vqemu_store *store, const vqemu_selection *selection, vqemu_ref *ref,
                    uint32_t flags, struct progress *progress, vqemu_runtime **runtime,
                    vqemu_error **error) {
    _cleanup_runtime_ vqemu_runtime *new = NULL;
    _cleanup_close_ int lock = -1, trees_fd = -1;
    bool create = !(store->flags & VQEMU_STORE_READ_ONLY);
    int r = check_has_binary(ref, selection_arch(selection), error);
    if (r == 0)
        r = store_lock_shared(store, &lock, error);
    if (r == 0)
        r = store_open_trees(store, create, &trees_fd, error);
    if (r == 0)
        r = new_runtime(selection, &new, error);
    if (r == 0)
        r = lease_tree(store, ref, trees_fd, flags & VQEMU_RESOLVE_VERIFY, progress, &new->lease_fd,
                       error);
    if (r < 0)
        return r;
    new->ref = vqemu_ref_ref(ref);
    new->tree =
        format_string("%s/%s", store->trees_path, vqemu_manifest_digest(vqemu_ref_manifest(ref)));
    if (!new->tree)
        return error_no_memory(error);
    r = find_paths(new, error);
    if (r < 0)
        return r;
    *runtime = TAKE_POINTER(new);
    return 0;
}

static int check_ref_profile(const vqemu_ref *ref, const char *profile, vqemu_error **error) {
    if (!vqemu_ref_manifest(ref))
        return error_set(error, VQEMU_ERR_MALFORMED, 0, "%s", vqemu_ref_problem(ref));
    if (strcmp(vqemu_ref_profile(ref), profile) == 0)
        return 0;
    return error_set(error, VQEMU_ERR_INVALID, 0, "ref %s is not one of profile %s",
                     vqemu_ref_name(ref), profile);
}

VQEMU_EXPORT int vqemu_resolve_ref(vqemu_store *store, const vqemu_selection *selection,
                                   vqemu_ref *ref, uint32_t flags, vqemu_progress_fn progress_fn,
                                   void *userdata, vqemu_runtime **runtime, vqemu_error **error) {
    *runtime = NULL;
    if (flags & ~(uint32_t)VQEMU_RESOLVE_VERIFY)
        return error_set(error, VQEMU_ERR_INVALID, 0, "unknown resolve flags 0x%x",
                         (unsigned)flags);
    const char *profile = vqemu_profile_name(vqemu_selection_profile(selection));
    _cleanup_ref_ vqemu_ref *wanted = vqemu_ref_ref(ref);
    struct progress progress = {.function = progress_fn, .userdata = userdata};
    _cleanup_runtime_ vqemu_runtime *new = NULL;
    int r = wanted ? check_ref_profile(wanted, profile, error)
                   : vqemu_store_newest_ref(store, profile, &wanted, error);
    if (r == 0)
        r = from_ref(store, selection, wanted, flags, &progress, &new, error);
    if (r == 0 && !ref)
        r = links_switch(store, profile, vqemu_runtime_digest(new), error);
    if (r < 0)
        return r;
    *runtime = TAKE_POINTER(new);
    return 0;
}

VQEMU_EXPORT int vqemu_resolve(vqemu_store *store, const vqemu_selection *selection, uint32_t flags,
                               vqemu_runtime **runtime, vqemu_error **error) {
    return vqemu_resolve_ref(store, selection, NULL, flags, NULL, NULL, runtime, error);
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
    free(runtime->binary);
    free(runtime->firmware_dir);
    free(runtime->lib_dir);
    free(runtime->module_dir);
    free(runtime->loader);
    free(runtime->tree);
    vqemu_ref_unref(runtime->ref);
    free(runtime);
}

const struct arch *runtime_arch(const vqemu_runtime *runtime) {
    return runtime->arch;
}

VQEMU_EXPORT const vqemu_profile *vqemu_runtime_profile(const vqemu_runtime *runtime) {
    return runtime->profile;
}

VQEMU_EXPORT const char *vqemu_runtime_guest_arch(const vqemu_runtime *runtime) {
    return runtime->arch->name;
}

VQEMU_EXPORT const char *vqemu_runtime_binary(const vqemu_runtime *runtime) {
    return runtime->binary;
}

VQEMU_EXPORT const char *vqemu_runtime_firmware_dir(const vqemu_runtime *runtime) {
    return runtime->firmware_dir;
}

VQEMU_EXPORT const char *vqemu_runtime_lib_dir(const vqemu_runtime *runtime) {
    return runtime->lib_dir;
}

VQEMU_EXPORT const char *vqemu_runtime_module_dir(const vqemu_runtime *runtime) {
    return runtime->module_dir;
}

VQEMU_EXPORT const char *vqemu_runtime_loader(const vqemu_runtime *runtime) {
    return runtime->loader;
}

VQEMU_EXPORT const char *vqemu_runtime_tree(const vqemu_runtime *runtime) {
    return runtime->tree;
}

VQEMU_EXPORT vqemu_ref *vqemu_runtime_source(const vqemu_runtime *runtime) {
    return runtime->ref;
}

VQEMU_EXPORT const char *vqemu_runtime_digest(const vqemu_runtime *runtime) {
    return runtime->ref ? vqemu_manifest_digest(vqemu_ref_manifest(runtime->ref)) : "";
}

VQEMU_EXPORT int vqemu_runtime_lease_fd(const vqemu_runtime *runtime) {
    return runtime->lease_fd;
}
