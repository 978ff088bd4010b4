/* SPDX-License-Identifier: MIT */
/* A manifest -> a tree. */
#include "assemble.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "elf-file.h"
#include "error.h"
#include "leftovers.h"
#include "manifest.h"
#include "object.h"
#include "tree.h"
#include "util/fd.h"
#include "util/path.h"
#include "util/strbuf.h"

struct assembly {
    vqemu_store *store;
    const vqemu_ref *ref;
    const vqemu_manifest *manifest;
    int trees_fd, stage_fd;
    char *stage_name;
    int parent_fd; /* the directory of the file at hand */
    char parent[MANIFEST_PATH_MAX + 1];
    struct progress *progress;
};

static void release_assembly(struct assembly *assembly) {
    cleanup_close(&assembly->parent_fd);
    if (assembly->stage_fd >= 0)
        remove_tree(assembly->trees_fd, assembly->stage_name);
    cleanup_close(&assembly->stage_fd);
    free(assembly->stage_name);
}

/* ---- directories ---- */

/* mkdir -p below the staging directory; nothing but directories can be on the way. */
static int make_parents(const struct assembly *assembly, const char *directory) {
    char path[MANIFEST_PATH_MAX + 1];
    for (size_t i = 0; i <= strlen(directory); i++) {
        if (directory[i] == '/' || directory[i] == '\0') {
            memcpy(path, directory, i);
            path[i] = '\0';
            if (mkdirat(assembly->stage_fd, path, 0755) < 0 && errno != EEXIST)
                return -errno;
        }
    }
    return 0;
}

/* Make the directory of a path the current one. Paths are sorted, so it seldom changes. */
static int enter_parent(struct assembly *assembly, const char *path, vqemu_error **error) {
    size_t length = (size_t)(base_name(path) - path);
    if (length > 0)
        length--; /* the slash */
    if (assembly->parent_fd >= 0 && strlen(assembly->parent) == length &&
        strncmp(assembly->parent, path, length) == 0)
        return 0;
    cleanup_close(&assembly->parent_fd);
    memcpy(assembly->parent, path, length);
    assembly->parent[length] = '\0';
    int r = length ? make_parents(assembly, assembly->parent) : 0;
    if (r == 0) {
        int fd = open_beneath(assembly->stage_fd, length ? assembly->parent : ".",
                              O_RDONLY | O_DIRECTORY, false);
        assembly->parent_fd = fd;
        r = fd < 0 ? fd : 0;
    }
    return r < 0 ? error_system(error, -r, "cannot make the directory %s in a new tree below %s",
                                assembly->parent, assembly->store->trees_path)
                 : 0;
}

/* ---- one file ---- */

static int object_damaged(const struct assembly *assembly, const struct manifest_object *object,
                          const char *how, vqemu_error **error) {
    return error_set(error, VQEMU_ERR_CORRUPT, 0,
                     "object %s/%s, for %s of %s, %s; build the profile again to put it right",
                     assembly->store->objects_path, object->digest.hex, object->path,
                     vqemu_ref_name(assembly->ref), how);
}

static int place_failed(const struct assembly *assembly, const struct manifest_object *object,
                        int system_errno, vqemu_error **error) {
    return error_system(error, system_errno, "cannot put %s of %s into a new tree below %s",
                        object->path, vqemu_ref_name(assembly->ref), assembly->store->trees_path);
}

/* Open an object and hash it; *status is as it was before, so that a later write shows. */
static int open_verified(const struct assembly *assembly, const struct manifest_object *object,
                         int *fd, struct stat *status, vqemu_error **error) {
    struct digest digest;
    uint64_t size;
    int r = object_open(assembly->store->objects_fd, object->digest.hex, fd, status);
    if (r == -ENOENT)
        return object_damaged(assembly, object, "is missing", error);
    if (r == -ELOOP || r == -ENXIO)
        return object_damaged(assembly, object, "is not a regular file", error);
    if (r == 0)
        r = digest_of_fd(*fd, &digest, &size);
    if (r < 0)
        return error_system(error, -r, "cannot read object %s/%s, for %s of %s",
                            assembly->store->objects_path, object->digest.hex, object->path,
                            vqemu_ref_name(assembly->ref));
    if (digest_equal(&digest, &object->digest))
        return 0;
    _cleanup_free_ char *how =
        format_string("is damaged: its content has the digest %s", digest.hex);
    return how ? object_damaged(assembly, object, how, error) : error_no_memory(error);
}

/* ld-linux-x86-64.so.2, ld.so.1, ld64.so.2 ... */
static bool is_loader_name(const char *name) {
    return strncmp(name, "ld-", 3) == 0 || strncmp(name, "ld.so", 5) == 0 ||
           strncmp(name, "ld64.so", 7) == 0;
}

/*
 * Whether a file of the tree is executable: as the manifest says; where it does not, programs,
 * scripts and everything below bin/ are, and the dynamic loader, which runs the program.
 */
static bool wants_executable(const struct manifest_object *object, int fd) {
    char start[2];
    struct elf_info elf;
    if (object->mode)
        return object->mode & 0111;
    if (strncmp(object->path, "bin/", 4) == 0 || is_loader_name(base_name(object->path)) ||
        (pread(fd, start, 2, 0) == 2 && memcmp(start, "#!", 2) == 0))
        return true;
    elf_read(fd, &elf);
    return elf.is_program;
}

/* Write a copy as a new file, and make sure that it is one. Returns 0 or a negative errno. */
static int write_copy(int from, int directory_fd, const char *name, const struct digest *digest,
                      bool executable) {
    _cleanup_close_ int fd =
        openat(directory_fd, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    int r = object_copy_content(from, fd);
    if (r == 0)
        r = object_finish_file(fd, executable);
    if (r == 0 && (fsync(fd) < 0 || lseek(fd, 0, SEEK_SET) < 0))
        r = -errno;
    struct digest copied;
    uint64_t size;
    if (r == 0)
        r = digest_of_fd(fd, &copied, &size);
    return r == 0 && !digest_equal(&copied, digest) ? -EIO : r;
}

/* Link an open file. Returns 0 or a negative errno. */
static int link_fd(int fd, int directory_fd, const char *name) {
    /* By descriptor, so that what was verified is what gets linked. */
    if (linkat(fd, "", directory_fd, name, AT_EMPTY_PATH) == 0)
        return 0;
    if (errno != ENOENT && errno != EPERM)
        return -errno;
    /* Older kernels allow that to CAP_DAC_READ_SEARCH only. */
    char path[sizeof "/proc/self/fd/" + 12];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return linkat(AT_FDCWD, path, directory_fd, name, AT_SYMLINK_FOLLOW) < 0 ? -errno : 0;
}

/*
 * Whether a link can be replaced by a copy: another file system; too many links; no permission
 * (fs.protected_hardlinks); a file system without links.
 */
static bool link_has_fallback(int system_errno) {
    return system_errno == EXDEV || system_errno == EMLINK || system_errno == EPERM ||
           system_errno == EACCES || system_errno == EOPNOTSUPP || system_errno == ENOENT;
}

/*
 * Make the object's other inode, with the other mode class, in alt/. It is staged in tmp/, where
 * what a crash leaves is cleared away. Returns 0 or a negative errno.
 */
static int make_alt(const struct assembly *assembly, int from, int alt_fd,
                    const struct digest *digest, bool executable) {
    _cleanup_close_ int tmp_fd = -1, stage_fd = -1;
    _cleanup_free_ char *staged = leftovers_new_name();
    if (!staged || store_open_beside_objects(assembly->store, "tmp", &tmp_fd, NULL) < 0)
        return -EPERM;
    stage_fd = leftovers_make_directory(tmp_fd, staged);
    if (stage_fd < 0)
        return stage_fd;
    int r = write_copy(from, stage_fd, digest->hex, digest, executable);
    if (r == 0)
        r = rename_noreplace(stage_fd, digest->hex, alt_fd, digest->hex);
    if (r == 0 && fsync(alt_fd) < 0)
        r = -errno;
    remove_tree(tmp_fd, staged);
    return r == -EEXIST ? 0 : r;
}

/* Open the other inode, if it is there, intact and fits. Returns a descriptor or a negative errno.
 */
static int open_alt(int alt_fd, const struct digest *digest, bool executable) {
    _cleanup_close_ int fd = -1;
    struct stat status;
    struct digest actual;
    uint64_t size;
    int r = object_open(alt_fd, digest->hex, &fd, &status);
    if (r < 0)
        return r;
    r = digest_of_fd(fd, &actual, &size);
    if (r == 0 && (!digest_equal(&actual, digest) || !object_mode_fits(&status, executable)))
        r = -EBADMSG;
    return r < 0 ? r : take_fd(&fd);
}

/*
 * Link the object's inode of the other mode class. Anything that goes wrong with it only means that
 * the tree gets a copy.
 */
static int link_alt(const struct assembly *assembly, const struct manifest_object *object, int from,
                    bool executable) {
    _cleanup_close_ int alt_fd = -1;
    int r = store_open_beside_objects(assembly->store, "alt", &alt_fd, NULL);
    if (r < 0)
        return -EPERM;
    _cleanup_close_ int fd = open_alt(alt_fd, &object->digest, executable);
    if (fd == -EBADMSG || fd == -ELOOP)
        remove_tree(alt_fd, object->digest.hex);
    if (fd < 0) {
        r = make_alt(assembly, from, alt_fd, &object->digest, executable);
        fd = r < 0 ? r : open_alt(alt_fd, &object->digest, executable);
    }
    if (fd < 0)
        return -EPERM;
    return link_fd(fd, assembly->parent_fd, base_name(object->path));
}

static int place(struct assembly *assembly, const struct manifest_object *object, int fd,
                 const struct stat *status) {
    const char *name = base_name(object->path);
    bool executable = wants_executable(object, fd);
    int r;
    /* Empty files are never linked: their one inode would soon have all the links it can have. */
    if (status->st_size == 0)
        r = -EMLINK;
    else if (object_mode_fits(status, executable))
        r = link_fd(fd, assembly->parent_fd, name);
    else
        r = link_alt(assembly, object, fd, executable);
    if (r < 0 && link_has_fallback(-r))
        r = write_copy(fd, assembly->parent_fd, name, &object->digest, executable);
    return r;
}

/* Nobody may have written to the object between hashing and linking. */
static int check_unchanged(const struct assembly *assembly, const struct manifest_object *object,
                           int fd, const struct stat *before, vqemu_error **error) {
    struct stat after;
    if (fstat(fd, &after) < 0)
        return place_failed(assembly, object, errno, error);
    if (after.st_size == before->st_size && after.st_mtim.tv_sec == before->st_mtim.tv_sec &&
        after.st_mtim.tv_nsec == before->st_mtim.tv_nsec)
        return 0;
    return object_damaged(assembly, object, "was written to while it was being used", error);
}

static int add_file(struct assembly *assembly, const struct manifest_object *object,
                    vqemu_error **error) {
    _cleanup_close_ int fd = -1;
    struct stat status;
    int r = enter_parent(assembly, object->path, error);
    if (r == 0)
        r = open_verified(assembly, object, &fd, &status, error);
    if (r < 0)
        return r;
    r = place(assembly, object, fd, &status);
    if (r < 0)
        return place_failed(assembly, object, -r, error);
    r = check_unchanged(assembly, object, fd, &status, error);
    if (r < 0)
        return r;
    assembly->progress->done++;
    return progress_report(assembly->progress, object->path, error);
}

/* ---- the tree ---- */

static int fill_stage(struct assembly *assembly, vqemu_error **error) {
    size_t count = vqemu_manifest_object_count(assembly->manifest);
    assembly->progress->step = "assemble";
    assembly->progress->done = 0;
    assembly->progress->total = count;
    for (size_t i = 0; i < count; i++) {
        int r = add_file(assembly, manifest_object(assembly->manifest, i), error);
        if (r < 0)
            return r;
    }
    return tree_seal(assembly->stage_fd, assembly->manifest, assembly->store->trees_path, error);
}

/* Put the staged tree in the place of another; that one then has a name that a leftover has. */
static int replace_tree(struct assembly *assembly, const char *digest) {
    if (renameat2(assembly->trees_fd, assembly->stage_name, assembly->trees_fd, digest,
                  RENAME_EXCHANGE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return -errno;
    /* A file system that cannot exchange: for a moment there is no tree, never half a one. */
    _cleanup_free_ char *aside = leftovers_new_name();
    if (!aside)
        return -ENOMEM;
    if (renameat(assembly->trees_fd, digest, assembly->trees_fd, aside) < 0 ||
        renameat(assembly->trees_fd, assembly->stage_name, assembly->trees_fd, digest) < 0)
        return -errno;
    return 0;
}

/*
 * Move the staged tree to its name. A tree that is in the way is the altered one: it is removed as
 * a leftover as soon as no lease holds it.
 */
static int publish_stage(struct assembly *assembly, const char *digest) {
    int r = renameat(assembly->trees_fd, assembly->stage_name, assembly->trees_fd, digest) < 0
                ? -errno
                : 0;
    if (r == -EEXIST || r == -ENOTEMPTY || r == -ENOTDIR)
        r = replace_tree(assembly, digest);
    if (r < 0)
        return r;
    cleanup_close(&assembly->stage_fd);
    assembly->stage_fd = -1;
    leftovers_sweep(assembly->trees_fd);
    return fsync(assembly->trees_fd) < 0 ? -errno : 0;
}

static int build_tree(struct assembly *assembly, vqemu_error **error) {
    const char *digest = vqemu_manifest_digest(assembly->manifest);
    assembly->stage_name = leftovers_new_name();
    if (!assembly->stage_name)
        return error_no_memory(error);
    assembly->stage_fd = leftovers_make_directory(assembly->trees_fd, assembly->stage_name);
    if (assembly->stage_fd < 0)
        return error_system(error, -assembly->stage_fd, "cannot make a new tree below %s",
                            assembly->store->trees_path);
    int r = fill_stage(assembly, error);
    if (r < 0)
        return r;
    r = publish_stage(assembly, digest);
    return r < 0 ? error_system(error, -r, "cannot publish the tree %s/%s",
                                assembly->store->trees_path, digest)
                 : 0;
}

/* Whether another process has built the tree while this one waited for the lock. */
static bool is_built(const struct assembly *assembly, bool verify) {
    _cleanup_close_ int fd = openat(assembly->trees_fd, vqemu_manifest_digest(assembly->manifest),
                                    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    _cleanup_free_ char *difference = NULL;
    if (fd < 0 || tree_check(fd, assembly->manifest, &difference) != 1)
        return false;
    if (!verify)
        return true;
    _cleanup_free_ char *content_difference = NULL;
    return tree_check_content(fd, assembly->manifest, &content_difference) == 1;
}

/*
 * Take the lock for one tree: a file that is removed by who holds it. The lock is good only if the
 * file is still there under its name.
 */
static int lock_tree(int trees_fd, const char *name) {
    for (;;) {
        int fd = openat(trees_fd, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd < 0)
            return -errno;
        int r = lock_fd(fd, LOCK_EX);
        if (r == 0 && same_file(fd, trees_fd, name))
            return fd;
        close(fd);
        if (r < 0)
            return r;
    }
}

int assemble_tree(vqemu_store *store, const vqemu_ref *ref, int trees_fd, bool verify,
                  struct progress *progress, vqemu_error **error) {
    _cleanup_(release_assembly) struct assembly assembly = {
        .store = store,
        .ref = ref,
        .manifest = vqemu_ref_manifest(ref),
        .trees_fd = trees_fd,
        .stage_fd = -1,
        .parent_fd = -1,
        .progress = progress,
    };
    int r = store_require_writable(store, "assemble a tree", error);
    if (r < 0)
        return r;
    _cleanup_free_ char *lock_name =
        format_string(LEFTOVER_PREFIX "lock-%s", vqemu_manifest_digest(assembly.manifest));
    if (!lock_name)
        return error_no_memory(error);
    _cleanup_close_ int lock = lock_tree(trees_fd, lock_name);
    if (lock < 0)
        return error_system(error, -lock, "cannot lock %s/%s", store->trees_path, lock_name);
    r = is_built(&assembly, verify) ? 0 : build_tree(&assembly, error);
    unlinkat(trees_fd, lock_name, 0);
    return r;
}
