/* SPDX-License-Identifier: MIT */
/* A manifest -> a tree. */
#include "tree/assemble.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "base/error.h"
#include "base/workers.h"
#include "store/guard.h"
#include "store/leftovers.h"
#include "store/manifest.h"
#include "store/object.h"
#include "store/verified.h"
#include "tree/lease.h"
#include "tree/place.h"
#include "tree/publish.h"
#include "tree/tree-users.h"
#include "tree/tree.h"
#include "util/dir.h"
#include "util/fd.h"
#include "util/path.h"
#include "util/strbuf.h"

/* Below this, a second thread costs more than it gains, unless content has to be hashed. */
#define THREADS_FROM 500
/*
 * Threads take runs of files, each in a directory of its own: two that link in one directory wait
 * for each other. Only where hashing takes most of the time, long runs are shared.
 */
#define HASHED_RUN_MAX 128

/* A thread's current directory of the tree. */
struct place {
    int fd;
    char path[MANIFEST_PATH_MAX + 1];
};

struct assembly {
    vqemu_store *store;
    vqemu_revision *revision;
    vqemu_manifest *manifest;
    int trees_fd, stage_fd;
    int tree_fd; /* of the tree, once it was assembled here */
    char *stage_name;
    bool verify;               /* hash objects that are known to be good, too */
    struct verified *verified; /* for each object */
    struct tree_file *files;   /* for each object */
    struct place *places;      /* for each thread */
    unsigned threads;
    size_t *runs; /* the first file of each run of files, and the number of files */
    size_t run_count;
    atomic_bool learned;  /* objects were hashed that were not known */
    atomic_size_t copies; /* files that are no links, though they are not empty */
    enum inode_numbers inode_numbers;
    struct vqemu_progress *progress;
};

static void release_assembly(struct assembly *assembly) {
    for (unsigned i = 0; assembly->places && i < assembly->threads; i++)
        cleanup_close(&assembly->places[i].fd);
    if (assembly->stage_fd >= 0)
        remove_tree(assembly->trees_fd, assembly->stage_name);
    cleanup_close(&assembly->stage_fd);
    cleanup_close(&assembly->tree_fd);
    free(assembly->stage_name);
    vqemu_manifest_unref(assembly->manifest);
    free(assembly->verified);
    free(assembly->files);
    free(assembly->places);
    free(assembly->runs);
}

/* ---- directories ---- */

/* How many bytes of a path are its directory. */
static size_t directory_length(const char *path) {
    size_t length = (size_t)(base_name(path) - path);
    return length > 0 ? length - 1 : 0; /* without the slash */
}

/* Make the directory of a path the current one. Paths are sorted, so it seldom changes. */
static int enter_directory(const struct assembly *assembly, struct place *place, const char *path,
                           vqemu_error **error) {
    size_t length = directory_length(path);
    if (place->fd >= 0 && strlen(place->path) == length && strncmp(place->path, path, length) == 0)
        return 0;
    cleanup_close(&place->fd);
    memcpy(place->path, path, length);
    place->path[length] = '\0';
    int fd =
        open_beneath(assembly->stage_fd, length ? place->path : ".", O_RDONLY | O_DIRECTORY, false);
    place->fd = fd < 0 ? -1 : fd;
    return fd < 0 ? error_system_at(error, -fd, "cannot open a directory of a new tree below", "%s",
                                    assembly->store->trees_path)
                  : 0;
}

static int make_directory(const char *directory, void *stage_fd) {
    return make_directory_at(*(int *)stage_fd, directory, 0755);
}

/* ---- one file ---- */

#define HELPS ", or ingest or import the profile again"

static int object_damaged(const struct assembly *assembly, const struct manifest_object *object,
                          const char *how, vqemu_error **error) {
    return revision_object_damaged(assembly->store, assembly->revision, object, how, HELPS, error);
}

static int place_failed(const struct assembly *assembly, const struct manifest_object *object,
                        int system_errno, vqemu_error **error) {
    int r = error_system_at(error, system_errno, "cannot put it into a new tree below", "%s",
                            assembly->store->trees_path);
    return error_prefix(r, error, "%s of %s: ", object->path,
                        vqemu_revision_name(assembly->revision));
}

static int read_failed(const struct assembly *assembly, const struct manifest_object *object,
                       int system_errno, vqemu_error **error) {
    return revision_object_failed(assembly->store, assembly->revision, object, system_errno, HELPS,
                                  error);
}

/* Hash an open object; *status is as it was before, so that a later write shows. */
static int verify_object(struct assembly *assembly, unsigned worker, size_t index, int fd,
                         const struct stat *status, vqemu_error **error) {
    const struct watch watch = {assembly->progress, worker};
    const struct manifest_object *object = manifest_object(assembly->manifest, index);
    struct digest digest;
    uint64_t size;
    /*
     * Who has mapped the file and made a page of it dirty can go on writing to that page without
     * moving the file's time, until it has been written back. This costs nothing for clean files.
     */
    sync_file_range(
        fd, 0, 0, SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER);
    int r = digest_of_fd(fd, &watch, &digest, &size);
    if (r == -ECANCELED)
        return progress_given_up(assembly->progress, error);
    if (r < 0)
        return read_failed(assembly, object, -r, error);
    if (digest_equal(&digest, &object->digest)) {
        assembly->verified[index] = (struct verified){.inode = status->st_ino, .size = size};
        assembly->learned = true;
        return 0;
    }
    object_mark_damaged(fd);
    _cleanup_free_ char *how =
        format_string("is damaged: its content has the digest %s", digest.hex);
    return how ? object_damaged(assembly, object, how, error) : error_no_memory(error);
}

/* Nobody may have written to the object between hashing and linking. */
static int check_unchanged(const struct assembly *assembly, const struct manifest_object *object,
                           const struct opened *opened, vqemu_error **error) {
    struct stat after;
    if (opened->fd < 0)
        return 0;
    if (fstat(opened->fd, &after) < 0)
        return place_failed(assembly, object, errno, error);
    if (after.st_size == opened->status.st_size &&
        after.st_mtim.tv_sec == opened->status.st_mtim.tv_sec &&
        after.st_mtim.tv_nsec == opened->status.st_mtim.tv_nsec)
        return 0;
    return object_damaged(assembly, object, "was written to while it was being used", error);
}

/* A tree would have a link to it, and its owner could change that at any time. */
static int check_owner(const struct assembly *assembly, const struct manifest_object *object,
                       const struct stat *status, vqemu_error **error) {
    const vqemu_store *store = assembly->store;
    if (guard_trusts_owner(store->flags, status))
        return 0;
    _cleanup_free_ char *path = join_path(store->objects_path, object->digest.hex);
    return path ? guard_refuse_file(status, path, error) : error_no_memory(error);
}

/* Make sure that the object is good, by what is known of it or by hashing it. */
static int open_good(struct assembly *assembly, unsigned worker, size_t index,
                     struct opened *opened, vqemu_error **error) {
    const struct manifest_object *object = manifest_object(assembly->manifest, index);
    int objects_fd = assembly->store->objects_fd;
    if (!assembly->verify && object->mode && assembly->verified[index].inode) {
        if (fstatat(objects_fd, object->digest.hex, &opened->status, AT_SYMLINK_NOFOLLOW) < 0)
            return read_failed(assembly, object, errno, error);
        if (verified_is(&assembly->verified[index], &opened->status))
            return check_owner(assembly, object, &opened->status, error);
    }
    int r = object_open(objects_fd, object->digest.hex, &opened->fd, &opened->status);
    if (r < 0)
        return read_failed(assembly, object, -r, error);
    r = check_owner(assembly, object, &opened->status, error);
    if (r < 0)
        return r;
    if (!assembly->verify && verified_is(&assembly->verified[index], &opened->status))
        return 0;
    return verify_object(assembly, worker, index, opened->fd, &opened->status, error);
}

static int add_opened(struct assembly *assembly, unsigned worker, size_t index,
                      struct opened *opened, vqemu_error **error) {
    const struct manifest_object *object = manifest_object(assembly->manifest, index);
    struct place *place = &assembly->places[worker];
    int r = enter_directory(assembly, place, object->path, error);
    if (r == 0)
        r = open_good(assembly, worker, index, opened, error);
    if (r < 0)
        return r;
    const struct watch watch = {assembly->progress, worker};
    struct tree_file *file = &assembly->files[index];
    r = place_object(assembly->store, assembly->inode_numbers, place->fd, object, opened, &watch,
                     file);
    if (r == -ECANCELED)
        return progress_given_up(assembly->progress, error);
    if (r == 0 && file->how != PLACED_LINK && opened->status.st_size > 0)
        assembly->copies++;
    if (r == -EBADMSG) {
        object_mark_damaged(opened->fd);
        return object_damaged(assembly, object, "is damaged: its content has another digest",
                              error);
    }
    if (r < 0)
        return place_failed(assembly, object, -r, error);
    r = check_unchanged(assembly, object, opened, error);
    return r < 0 ? r : progress_advance(assembly->progress, worker, object->path, 1, error);
}

static int add_file(void *context, unsigned worker, size_t index, vqemu_error **error) {
    struct opened opened = {.fd = -1};
    int r = add_opened(context, worker, index, &opened, error);
    cleanup_close(&opened.fd);
    return r;
}

/* ---- the tree ---- */

static int add_run(void *context, unsigned worker, size_t run, vqemu_error **error) {
    const struct assembly *assembly = context;
    int r = 0;
    for (size_t i = assembly->runs[run]; r == 0 && i < assembly->runs[run + 1]; i++)
        r = add_file(context, worker, i, error);
    return r;
}

static bool share_directory(const char *a, const char *b) {
    size_t length = directory_length(a);
    return directory_length(b) == length && strncmp(a, b, length) == 0;
}

/* Divide the files, which are sorted by path, into runs of at most max that share a directory. */
static int find_runs(struct assembly *assembly, size_t max) {
    size_t count = vqemu_manifest_object_count(assembly->manifest), begin = 0;
    assembly->runs = calloc(count + 2, sizeof *assembly->runs);
    if (!assembly->runs)
        return -ENOMEM;
    for (size_t i = 1; i <= count; i++) {
        if (i < count && i - begin < max &&
            share_directory(vqemu_manifest_object_path(assembly->manifest, begin),
                            vqemu_manifest_object_path(assembly->manifest, i)))
            continue;
        begin = i;
        assembly->runs[++assembly->run_count] = i;
    }
    return 0;
}

static int add_files(struct assembly *assembly, vqemu_error **error) {
    size_t count = vqemu_manifest_object_count(assembly->manifest);
    bool hashes = assembly->verify || (count > 0 && !assembly->verified[0].inode);
    bool few = count < THREADS_FROM;
    if (find_runs(assembly, !hashes ? SIZE_MAX : few ? 1 : HASHED_RUN_MAX) < 0)
        return error_no_memory(error);
    const struct work work = {
        .function = add_run,
        .context = assembly,
        .count = assembly->run_count,
        .progress = assembly->progress,
    };
    progress_start(assembly->progress, "assemble", "files", count);
    return workers_run(&work, few && !hashes ? 1 : assembly->threads, error);
}

static int fill_stage(struct assembly *assembly, vqemu_error **error) {
    int r = manifest_for_each_directory(assembly->manifest, make_directory, &assembly->stage_fd);
    if (r < 0)
        return error_system_at(error, -r, "cannot make the directories of a new tree below", "%s",
                               assembly->store->trees_path);
    r = add_files(assembly, error);
    if (r < 0)
        return r;
    r = tree_seal(assembly->stage_fd, assembly->manifest, assembly->files);
    if (r == 0)
        r = tree_sync_before_publishing(assembly->stage_fd, assembly->copies > 0);
    return r < 0 ? error_system_at(error, -r, "cannot complete a new tree below", "%s",
                                   assembly->store->trees_path)
                 : 0;
}

/* A tree that is in the way is the altered one. */
static int publish_stage(struct assembly *assembly, const char *digest, vqemu_error **error) {
    const vqemu_store *store = assembly->store;
    int r = publish_tree(store->trees_path, assembly->trees_fd, assembly->stage_name, digest,
                         assembly->progress, error);
    if (r < 0)
        return r;
    assembly->tree_fd = take_fd(&assembly->stage_fd);
    tree_users_sweep(store->trees_path, assembly->trees_fd);
    r = sync_fd(assembly->trees_fd);
    return r < 0 ? error_system_at(error, -r, "cannot sync the tree", "%s/%s", store->trees_path,
                                   digest)
                 : 0;
}

/* Of a whole tree one event: there can be thousands of files. */
static void log_copies(const struct assembly *assembly) {
    size_t count = vqemu_manifest_object_count(assembly->manifest), first = 0;
    while (first < count &&
           (assembly->files[first].how == PLACED_LINK || assembly->files[first].how == PLACED_NEW))
        first++;
    if (first < count)
        call_log(assembly->progress->call, VQEMU_LOG_INFO, "placed-by-copy",
                 (struct log_subject){.revision = vqemu_revision_name(assembly->revision)},
                 "%zu of %zu files of %s are no links to objects, such as %s (%s)",
                 (size_t)assembly->copies, count, vqemu_revision_name(assembly->revision),
                 manifest_object(assembly->manifest, first)->path,
                 placement_reason_name(assembly->files[first].reason));
}

/* The directory of a new tree is for nobody else; FAT and the like keep no modes. */
static int check_modes(const struct assembly *assembly, vqemu_error **error) {
    struct stat status;
    if (fstat(assembly->stage_fd, &status) < 0)
        return error_system_at(error, errno, "cannot look at a new tree below", "%s",
                               assembly->store->trees_path);
    if ((status.st_mode & 0777) == 0700)
        return 0;
    return error_set(error, VQEMU_ERR_UNSUPPORTED, 0,
                     "the file system of %s keeps no modes of files, so that no tree can be run "
                     "from it as it was assembled; keep trees elsewhere",
                     assembly->store->trees_path);
}

static int build_tree(struct assembly *assembly, vqemu_error **error) {
    const char *digest = vqemu_manifest_digest(assembly->manifest);
    assembly->stage_fd = leftovers_make_directory(assembly->trees_fd, &assembly->stage_name);
    if (assembly->stage_fd == -ENOMEM)
        return error_no_memory(error);
    if (assembly->stage_fd < 0)
        return error_system_at(error, -assembly->stage_fd, "cannot make and lock a new tree below",
                               "%s", assembly->store->trees_path);
    int r = check_modes(assembly, error);
    if (r == 0)
        r = fill_stage(assembly, error);
    if (r < 0)
        return r;
    if (assembly->copies > 0)
        log_copies(assembly);
    return publish_stage(assembly, digest, error);
}

/* Whether another process has built the tree while this one waited for the lock: 1, 0 or an error.
 */
static int is_built(const struct assembly *assembly, vqemu_error **error) {
    const char *digest = vqemu_manifest_digest(assembly->manifest);
    _cleanup_close_ int fd =
        open_at(assembly->trees_fd, digest, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    _cleanup_free_ char *text = NULL;
    _cleanup_difference_ struct difference difference = {0};
    struct layout layout;
    struct stat status;
    if (fd < 0 || fstat(fd, &status) < 0 || !guard_trusts_file(assembly->store->flags, &status) ||
        stamp_read(fd, assembly->store->flags, false, &text) < 0)
        return 0;
    char *list = text;
    if (!stamp_take_layout(&list, digest, "", &layout))
        return 0;
    if (assembly->verify)
        return tree_check_content(fd, assembly->store->flags, assembly->manifest, assembly->threads,
                                  assembly->progress, &difference, error);
    int r = tree_check(fd, assembly->store->flags, list, &difference);
    return r == -ENOMEM ? error_no_memory(error) : r;
}

/*
 * Take the lock for one tree: a file that is removed by who holds it. The lock is good only if the
 * file is still there under its name.
 */
static int lock_tree(const struct assembly *assembly, const char *name, int *lock,
                     vqemu_error **error) {
    _cleanup_free_ char *path = join_path(assembly->store->trees_path, name);
    if (!path)
        return error_no_memory(error);
    for (;;) {
        _cleanup_close_ int fd = create_at(assembly->trees_fd, name, O_RDWR | O_NOFOLLOW, 0600);
        if (fd < 0)
            return error_system_at(error, -fd, "cannot lock", "%s", path);
        int r = progress_lock(assembly->progress, fd, LOCK_EX, 0, path, error);
        if (r < 0)
            return r;
        r = same_file(fd, assembly->trees_fd, name);
        if (r == 1)
            *lock = take_fd(&fd);
        if (r != 0)
            return r < 0 ? error_system_at(error, -r, "cannot lock", "%s", path) : 0;
    }
}

/* A tree that nothing could be run from is refused before it is made. */
static int check_mount(const struct assembly *assembly, vqemu_error **error) {
    struct statvfs status;
    if (fstatvfs(assembly->trees_fd, &status) < 0)
        return 0;
    if (status.f_flag & ST_RDONLY)
        return error_set(error, VQEMU_ERR_READ_ONLY, EROFS,
                         "the tree of %s is not assembled yet, and %s cannot be written to",
                         vqemu_revision_name(assembly->revision), assembly->store->trees_path);
    return tree_check_mount(assembly->trees_fd, assembly->store->trees_path, error);
}

/* By what was remembered of the manifest, or, to verify all, by the manifest itself. */
static int load_objects(struct assembly *assembly, vqemu_error **error) {
    int r = verified_load(assembly->store, revision_digest(assembly->revision), &assembly->manifest,
                          &assembly->verified);
    if (r == -ENOMEM)
        return error_no_memory(error);
    if (r == 0 && !assembly->verify)
        return 0;
    vqemu_manifest_unref(TAKE_POINTER(assembly->manifest));
    free(TAKE_POINTER(assembly->verified));
    r = revision_load(assembly->store, assembly->revision, assembly->progress->call, error);
    if (r < 0)
        return r;
    assembly->manifest = vqemu_manifest_ref(vqemu_revision_manifest(assembly->revision));
    assembly->verified =
        calloc(vqemu_manifest_object_count(assembly->manifest) + 1, sizeof *assembly->verified);
    return assembly->verified ? 0 : error_no_memory(error);
}

static int prepare(struct assembly *assembly, vqemu_error **error) {
    int r = load_objects(assembly, error);
    if (r < 0)
        return r;
    assembly->inode_numbers = place_find_inode_numbers(assembly->trees_fd);
    assembly->threads = call_threads(assembly->progress->call);
    assembly->files =
        calloc(vqemu_manifest_object_count(assembly->manifest) + 1, sizeof *assembly->files);
    assembly->places = calloc(assembly->threads, sizeof *assembly->places);
    if (!assembly->files || !assembly->places)
        return error_no_memory(error);
    for (unsigned i = 0; i < assembly->threads; i++)
        assembly->places[i].fd = -1;
    return 0;
}

/*
 * From the maker's exclusive lock to a lease. Between the two another can lock the tree (flock(2)),
 * such as who looks whether it is leased: then it is leased like any other.
 */
static int lease_built(struct assembly *assembly, int *lease_fd) {
    int r = lock_fd(assembly->tree_fd, LOCK_SH | LOCK_NB);
    if (r == 0)
        *lease_fd = take_fd(&assembly->tree_fd);
    return r == -EWOULDBLOCK ? 0 : r;
}

static int build_locked(struct assembly *assembly, int *lease_fd, vqemu_error **error) {
    int r = is_built(assembly, error);
    if (r != 0)
        return r < 0 ? r : 0;
    r = build_tree(assembly, error);
    if (r < 0 || !lease_fd)
        return r;
    r = lease_built(assembly, lease_fd);
    return r < 0 ? error_system_at(error, -r, "cannot lease the tree", "%s/%s",
                                   assembly->store->trees_path, revision_digest(assembly->revision))
                 : 0;
}

int assemble_tree(vqemu_store *store, vqemu_revision *revision, int trees_fd, bool verify,
                  struct vqemu_progress *progress, int *lease_fd, vqemu_error **error) {
    _cleanup_(release_assembly) struct assembly assembly = {
        .store = store,
        .revision = revision,
        .trees_fd = trees_fd,
        .stage_fd = -1,
        .tree_fd = -1,
        .verify = verify,
        .progress = progress,
    };
    int r = store_require_writable(store, "assemble a tree", error);
    if (r == 0)
        r = check_mount(&assembly, error);
    if (r == 0)
        r = prepare(&assembly, error);
    if (r < 0)
        return r;
    _cleanup_free_ char *lock_name =
        format_string(LEFTOVER_PREFIX "lock-%s", revision_digest(revision));
    if (!lock_name)
        return error_no_memory(error);
    _cleanup_close_ int lock = -1;
    r = lock_tree(&assembly, lock_name, &lock, error);
    if (r < 0)
        return r;
    r = build_locked(&assembly, lease_fd, error);
    unlinkat(trees_fd, lock_name, 0);
    if (r == 0 && assembly.learned)
        verified_save(store, assembly.manifest, assembly.verified);
    return r;
}
