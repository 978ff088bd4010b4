/* SPDX-License-Identifier: MIT */
#include "tree/place.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "store/executable.h"
#include "store/guard.h"
#include "store/leftovers.h"
#include "store/object.h"
#include "util/dir.h"
#include "util/fd.h"
#include "util/path.h"

/* Not in every linux/magic.h. */
#ifndef FUSE_SUPER_MAGIC
#define FUSE_SUPER_MAGIC 0x65735546
#endif

/* Write a copy as a new file, and make sure that it is one. Returns 0 or a negative errno: -EBADMSG
 * for content with another digest. */
static int write_copy(int from, int directory_fd, const char *name, const struct digest *digest,
                      bool executable, const struct watch *watch, struct tree_file *file) {
    static const enum placement placements[] = {
        [OBJECT_REFLINK] = PLACED_REFLINK,
        [OBJECT_COPY_FILE_RANGE] = PLACED_COPY_FILE_RANGE,
        [OBJECT_COPY] = PLACED_COPY,
    };
    _cleanup_close_ int fd =
        open_at(directory_fd, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
    enum object_copy how;
    struct stat status;
    struct digest copied;
    uint64_t size;
    int r = fd < 0 ? fd : object_copy_content(from, fd, watch, &how);
    if (r == 0)
        r = object_finish_file(fd, executable);
    if (r == 0 && (fstat(fd, &status) < 0 || lseek(fd, 0, SEEK_SET) < 0))
        r = -errno;
    if (r == 0)
        r = digest_of_fd(fd, watch, &copied, &size);
    if (r < 0)
        return r;
    file->how = status.st_size == 0 ? PLACED_NEW : placements[how];
    tree_file_set(file, &status);
    return digest_equal(&copied, digest) ? 0 : -EBADMSG;
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

/* Where an object is to go. */
struct target {
    const vqemu_store *store;
    enum inode_numbers inode_numbers;
    int directory_fd;
    const char *name;
    bool executable;
    const struct watch *watch;
};

static int link_object(const struct target *target, const struct digest *digest,
                       const struct opened *opened, struct tree_file *file) {
    struct stat status = opened->status;
    int r = 0;
    if (opened->fd >= 0)
        r = link_fd(opened->fd, target->directory_fd, target->name);
    else if (linkat(target->store->objects_fd, digest->hex, target->directory_fd, target->name, 0) <
             0)
        r = -errno;
    if (r == 0 && target->inode_numbers != INODES_KNOWN &&
        fstatat(target->directory_fd, target->name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        r = -errno;
    file->how = PLACED_LINK;
    tree_file_set(file, &status);
    if (target->inode_numbers == INODES_DOUBTFUL && status.st_ino != opened->status.st_ino)
        file->inode = 0;
    return r;
}

/*
 * Make the object's other inode, with the other mode class, in alt/. It is staged in tmp/, where
 * what a crash leaves is cleared away. Returns 0 or a negative errno.
 */
static int make_alt(const struct target *target, int from, int alt_fd,
                    const struct digest *digest) {
    _cleanup_close_ int tmp_fd = -1, stage_fd = -1;
    _cleanup_free_ char *staged = NULL;
    struct tree_file file;
    if (store_open_beside_objects(target->store, STORE_TMP, &tmp_fd, NULL) < 0)
        return -EPERM;
    stage_fd = leftovers_make_directory(tmp_fd, &staged);
    if (stage_fd < 0)
        return stage_fd;
    int r =
        write_copy(from, stage_fd, digest->hex, digest, target->executable, target->watch, &file);
    if (r == 0)
        r = sync_path(stage_fd, digest->hex);
    if (r == 0)
        r = rename_noreplace(stage_fd, digest->hex, alt_fd, digest->hex);
    if (r == 0)
        r = sync_fd(alt_fd);
    remove_tree(tmp_fd, staged);
    return r == -EEXIST ? 0 : r;
}

/* Open the other inode, if it is there, intact and fits. Returns a descriptor or a negative errno.
 */
static int open_alt(const struct target *target, int alt_fd, const struct digest *digest,
                    struct stat *status) {
    _cleanup_close_ int fd = -1;
    struct digest actual;
    uint64_t size;
    int r = object_open(alt_fd, digest->hex, &fd, status);
    if (r < 0)
        return r;
    r = digest_of_fd(fd, target->watch, &actual, &size);
    if (r == 0 &&
        (!digest_equal(&actual, digest) || !object_mode_fits(status, target->executable) ||
         !guard_trusts_owner(target->store->flags, status)))
        r = -EBADMSG;
    return r < 0 ? r : take_fd(&fd);
}

/*
 * Link the object's inode of the other mode class. Anything that goes wrong with it only means that
 * the tree gets a copy.
 */
static int link_alt(const struct target *target, const struct digest *digest, int from,
                    struct tree_file *file) {
    _cleanup_close_ int alt_fd = -1;
    struct stat status;
    int r = store_open_beside_objects(target->store, STORE_ALT, &alt_fd, NULL);
    if (r < 0)
        return -EPERM;
    _cleanup_close_ int fd = open_alt(target, alt_fd, digest, &status);
    if (fd == -EBADMSG || fd == -ELOOP)
        remove_tree(alt_fd, digest->hex);
    if (fd < 0) {
        r = make_alt(target, from, alt_fd, digest);
        fd = r < 0 ? r : open_alt(target, alt_fd, digest, &status);
    }
    if (fd < 0)
        return -EPERM;
    const struct opened opened = {fd, status};
    r = link_object(target, digest, &opened, file);
    file->alternative = true;
    return r;
}

/* Open one that was known to be good, after all. */
static int open_for_reading(const vqemu_store *store, const struct digest *digest,
                            struct opened *opened) {
    return opened->fd >= 0
               ? 0
               : object_open(store->objects_fd, digest->hex, &opened->fd, &opened->status);
}

/* By a link to the object, or to its inode of the other mode class. */
static int link_fitting(const struct target *target, const struct digest *digest,
                        struct opened *opened, struct tree_file *file) {
    if (object_mode_fits(&opened->status, target->executable))
        return link_object(target, digest, opened, file);
    int r = open_for_reading(target->store, digest, opened);
    return r < 0 ? r : link_alt(target, digest, opened->fd, file);
}

static int copy_object(const struct target *target, const struct digest *digest,
                       struct opened *opened, int reason, struct tree_file *file) {
    *file = (struct tree_file){.reason = reason};
    int r = open_for_reading(target->store, digest, opened);
    if (r == 0)
        r = write_copy(opened->fd, target->directory_fd, target->name, digest, target->executable,
                       target->watch, file);
    if (target->inode_numbers == INODES_DOUBTFUL)
        file->inode = 0;
    return r;
}

enum inode_numbers place_find_inode_numbers(int fd) {
    struct statfs status;
    if (fstatfs(fd, &status) < 0 || status.f_type == FUSE_SUPER_MAGIC)
        return INODES_DOUBTFUL;
    return status.f_type == OVERLAYFS_SUPER_MAGIC ? INODES_COPIED : INODES_KNOWN;
}

/* What says nothing of links, and would happen to a copy, too. */
static bool ends_placing(int r) {
    return r == -ECANCELED || r == -ENOMEM || r == -EBADMSG;
}

int place_object(const vqemu_store *store, enum inode_numbers inode_numbers, int directory_fd,
                 const struct manifest_object *object, struct opened *opened,
                 const struct watch *watch, struct tree_file *file) {
    int executable = executable_is_wanted(object, opened->fd);
    if (executable < 0)
        return executable;
    const struct target target = {
        .store = store,
        .inode_numbers = inode_numbers,
        .directory_fd = directory_fd,
        .name = base_name(object->path),
        .executable = executable,
        .watch = watch,
    };
    /* Empty files are never linked: their one inode would soon have all the links it can have. */
    if (opened->status.st_size == 0)
        return copy_object(&target, &object->digest, opened, 0, file);
    int r = link_fitting(&target, &object->digest, opened, file);
    return r < 0 && !ends_placing(r) ? copy_object(&target, &object->digest, opened, -r, file) : r;
}
