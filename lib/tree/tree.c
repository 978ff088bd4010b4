/* SPDX-License-Identifier: MIT */
#include "tree/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <pthread.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>

#include "base/error.h"
#include "base/workers.h"
#include "store/guard.h"
#include "store/object.h"
#include "util/dir.h"
#include "util/fd.h"

/* Not in every linux/magic.h. */
#ifndef XFS_SUPER_MAGIC
#define XFS_SUPER_MAGIC 0x58465342
#endif

/* ---- completing ---- */

static int write_stamp(int tree_fd, const struct strbuf *text) {
    _cleanup_close_ int fd = open_at(tree_fd, TREE_STAMP_NAME, O_WRONLY | O_CREAT | O_EXCL, 0444);
    int r = fd < 0 ? fd : write_all(fd, text->text, text->length);
    return r == 0 ? object_finish_file(fd, false) : r;
}

static int seal_directory(const char *directory, void *tree_fd) {
    const struct timespec times[2] = {{.tv_sec = TREE_DIRECTORY_MTIME},
                                      {.tv_sec = TREE_DIRECTORY_MTIME}};
    _cleanup_close_ int fd =
        open_at(*(int *)tree_fd, directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    if (fd < 0)
        return fd;
    return fchmod(fd, 0755) < 0 || futimens(fd, times) < 0 ? -errno : 0;
}

/*
 * Whether the file system has one journal for all that happens to names, in order: then a rename is
 * never durable without the links that were made before it, and one commit takes along all of them.
 */
static bool has_ordered_journal(int fd) {
    struct statfs status;
    return fstatfs(fd, &status) == 0 &&
           (status.f_type == EXT4_SUPER_MAGIC || status.f_type == XFS_SUPER_MAGIC);
}

int tree_seal(int tree_fd, const vqemu_manifest *manifest, const struct tree_file *files) {
    _cleanup_strbuf_ struct strbuf text = {0};
    int r = stamp_make(tree_fd, manifest, files, &text);
    if (r == 0)
        r = write_stamp(tree_fd, &text);
    if (r == 0)
        r = manifest_for_each_directory(manifest, seal_directory, &tree_fd);
    return r == 0 ? seal_directory(".", &tree_fd) : r;
}

/* The stamp first: a tree that has its name, and whose stamp was lost with the power, would look as
 * if somebody had altered it. */
int tree_sync_before_publishing(int tree_fd, bool has_copies) {
    bool is_stamp_enough = !has_copies && has_ordered_journal(tree_fd);
    return is_stamp_enough ? sync_path(tree_fd, TREE_STAMP_NAME) : sync_file_system(tree_fd);
}

/* ---- checking ---- */

int tree_check_mount(int fd, const char *trees_path, vqemu_error **error) {
    struct statvfs status;
    if (fstatvfs(fd, &status) < 0 || !(status.f_flag & ST_NOEXEC))
        return 0;
    return error_set(error, VQEMU_ERR_UNSUPPORTED, 0,
                     "the file system of %s is mounted noexec, so no program can be run from it; "
                     "mount it with exec, or keep trees elsewhere",
                     trees_path);
}

void difference_release(struct difference *difference) {
    free(difference->path);
    *difference = (struct difference){0};
}

/* A tree that differs from its stamp: remember how. */
static int differs(struct difference *difference, const char *path, const char *how) {
    *difference = (struct difference){.path = strdup(path), .how = how};
    return difference->path ? 0 : -ENOMEM;
}

/* Its owner can change it at any time. */
#define OF_ANOTHER "belongs to another user"

static int check_directory(int tree_fd, uint32_t store_flags, const char *path,
                           struct difference *difference) {
    struct stat status;
    if (fstatat(tree_fd, path, &status, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISDIR(status.st_mode))
        return differs(difference, path, "is missing");
    if (!guard_trusts_owner(store_flags, &status))
        return differs(difference, path, OF_ANOTHER);
    if (status.st_mtim.tv_sec != TREE_DIRECTORY_MTIME || status.st_mtim.tv_nsec != 0)
        return differs(difference, path, "had an entry added or removed");
    if ((status.st_mode & 07777) != 0755)
        return differs(difference, path, "has another mode");
    return 1;
}

static int check_file(int tree_fd, uint32_t store_flags, const char *path,
                      const struct tree_file *file, struct difference *difference) {
    struct stat status;
    struct tree_file now;
    if (fstatat(tree_fd, path, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return differs(difference, path, "is missing");
    tree_file_set(&now, &status);
    if (!S_ISREG(status.st_mode) || (file->inode != 0 && now.inode != file->inode))
        return differs(difference, path, "was replaced");
    if (!guard_trusts_owner(store_flags, &status))
        return differs(difference, path, OF_ANOTHER);
    if (now.size != file->size || now.seconds != file->seconds ||
        now.nanoseconds != file->nanoseconds)
        return differs(difference, path, "was written to");
    if (now.mode != file->mode)
        return differs(difference, path, "has another mode");
    return 1;
}

int tree_check(int tree_fd, uint32_t store_flags, char *list, struct difference *difference) {
    struct stamp_line line;
    bool broken;
    *difference = (struct difference){0};
    int r = check_directory(tree_fd, store_flags, ".", difference);
    while (r == 1 && stamp_take_line(&list, &line, &broken))
        r = line.is_directory ? check_directory(tree_fd, store_flags, line.path, difference)
                              : check_file(tree_fd, store_flags, line.path, &line.file, difference);
    if (r == 1 && broken)
        return differs(difference, TREE_STAMP_NAME, "is broken");
    return r;
}

/* ---- shape ---- */

/* A tree that is compared with a manifest, whatever inodes and times it has. */
struct shape {
    int tree_fd;
    uint32_t store_flags;
    size_t count; /* files and directories */
    struct difference *difference;
};

/* Returns 0 to go on, FOUND_DIFFERENCE or -ENOMEM. */
#define FOUND_DIFFERENCE VQEMU_ERR_CORRUPT

static int shape_differs(struct shape *shape, const char *path, const char *how) {
    return differs(shape->difference, path, how) < 0 ? -ENOMEM : FOUND_DIFFERENCE;
}

static int check_shape_of_directory(const char *directory, void *userdata) {
    struct shape *shape = userdata;
    struct stat status;
    if (fstatat(shape->tree_fd, directory, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return shape_differs(shape, directory, "is missing");
    if (!S_ISDIR(status.st_mode))
        return shape_differs(shape, directory, "is no directory");
    if (!guard_trusts_owner(shape->store_flags, &status))
        return shape_differs(shape, directory, OF_ANOTHER);
    if ((status.st_mode & 07777) != 0755)
        return shape_differs(shape, directory, "has another mode");
    shape->count++;
    return 0;
}

/* Where the manifest does not say whether a file is executable, it may be either. */
static bool has_fitting_mode(const struct stat *status, const struct manifest_object *object) {
    if (object->mode)
        return object_mode_fits(status, object->mode & 0111);
    return object_mode_fits(status, true) || object_mode_fits(status, false);
}

static int check_shape_of_file(struct shape *shape, const struct manifest_object *object) {
    struct stat status;
    if (fstatat(shape->tree_fd, object->path, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return shape_differs(shape, object->path, "is missing");
    if (!S_ISREG(status.st_mode))
        return shape_differs(shape, object->path, "is no file");
    if (!guard_trusts_owner(shape->store_flags, &status))
        return shape_differs(shape, object->path, OF_ANOTHER);
    if (!has_fitting_mode(&status, object))
        return shape_differs(shape, object->path, "has another mode");
    shape->count++;
    return 0;
}

/* Counts down; a tree that has more than it should is not read to its end. */
static int count_entry(int directory_fd, const char *name, void *userdata) {
    size_t *left = userdata;
    if (*left == 0)
        return FOUND_DIFFERENCE;
    --*left;
    return is_directory(directory_fd, name) ? for_each_entry(directory_fd, name, count_entry, left)
                                            : 0;
}

int tree_check_shape(int tree_fd, uint32_t store_flags, const vqemu_manifest *manifest,
                     struct difference *difference) {
    struct shape shape = {.tree_fd = tree_fd, .store_flags = store_flags, .difference = difference};
    *difference = (struct difference){0};
    int r = check_shape_of_directory(".", &shape);
    if (r == 0)
        r = manifest_for_each_directory(manifest, check_shape_of_directory, &shape);
    for (size_t i = 0; r == 0 && i < vqemu_manifest_object_count(manifest); i++)
        r = check_shape_of_file(&shape, manifest_object(manifest, i));
    /* All of it is there, so that only the number of entries can differ. The tree itself, which was
     * counted, stands for its stamp. */
    if (r == 0 && for_each_entry(tree_fd, ".", count_entry, &shape.count) != 0)
        r = shape_differs(&shape, "it", "has entries that are not of the profile");
    return r == 0 ? 1 : r == FOUND_DIFFERENCE ? 0 : r;
}

/* ---- content ---- */

struct content_check {
    int tree_fd;
    const vqemu_manifest *manifest;
    struct vqemu_progress *progress;
    pthread_mutex_t lock;
    struct difference *difference;
};

/* Takes what is in difference; of several, one is told. A worker that has seen one ends the work.
 */
static int note_difference(struct content_check *check, struct difference *difference) {
    pthread_mutex_lock(&check->lock);
    if (!check->difference->how) {
        *check->difference = *difference;
        *difference = (struct difference){0};
    }
    pthread_mutex_unlock(&check->lock);
    return FOUND_DIFFERENCE;
}

int tree_check_one(int tree_fd, const vqemu_manifest *manifest, const char *path,
                   const struct watch *watch, struct difference *difference) {
    int64_t index = vqemu_manifest_find(manifest, path);
    _cleanup_close_ int fd = -1;
    struct stat status;
    struct digest digest;
    uint64_t size;
    *difference = (struct difference){0};
    if (index < 0)
        return differs(difference, path, "is not in the manifest");
    int r = object_open(tree_fd, path, &fd, &status);
    if (r == 0)
        r = digest_of_fd(fd, watch, &digest, &size);
    if (r == -ENOMEM || r == -ECANCELED)
        return r;
    if (r < 0)
        return differs(difference, path, "cannot be read");
    if (!digest_equal(&digest, &manifest_object(manifest, (size_t)index)->digest))
        return differs(difference, path, "has other content");
    return 1;
}

static int check_content(void *context, unsigned worker, size_t index, vqemu_error **error) {
    struct content_check *check = context;
    const char *path = vqemu_manifest_object_path(check->manifest, index);
    const struct watch watch = {check->progress, worker};
    _cleanup_difference_ struct difference difference = {0};
    int r = tree_check_one(check->tree_fd, check->manifest, path, &watch, &difference);
    if (r == -ECANCELED)
        return progress_given_up(check->progress, error);
    if (r == -ENOMEM)
        return error_no_memory(error);
    if (r == 0)
        return note_difference(check, &difference);
    return progress_advance(check->progress, worker, path, 1, error);
}

int tree_check_content(int tree_fd, uint32_t store_flags, const vqemu_manifest *manifest,
                       unsigned threads, struct vqemu_progress *progress,
                       struct difference *difference, vqemu_error **error) {
    int r = tree_check_shape(tree_fd, store_flags, manifest, difference);
    if (r != 1)
        return r < 0 ? error_no_memory(error) : 0;
    struct content_check check = {
        .tree_fd = tree_fd,
        .manifest = manifest,
        .progress = progress,
        .lock = PTHREAD_MUTEX_INITIALIZER,
        .difference = difference,
    };
    const struct work work = {
        .function = check_content,
        .context = &check,
        .count = vqemu_manifest_object_count(manifest),
        .progress = progress,
    };
    progress_start(progress, "verify", "files", work.count);
    r = workers_run(&work, threads, error);
    if (r == FOUND_DIFFERENCE)
        return 0;
    return r < 0 ? r : 1;
}
