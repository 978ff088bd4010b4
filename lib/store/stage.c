/* SPDX-License-Identifier: MIT */
#include "store/stage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/call.h"
#include "base/error.h"
#include "store/creation-time.h"
#include "store/current.h"
#include "store/leftovers.h"
#include "store/newest.h"
#include "store/revision-publish.h"
#include "store/object.h"
#include "util/dir.h"
#include "util/fd.h"

/* With fewer objects, syncing each is faster than syncing the whole file system. */
#define SYNC_EACH_BELOW 8

#define STAGED_NAME_SIZE 48

/* Large files are taken one at a time; of many small ones, each thread fills its own directories.
 */
size_t stage_chunk(size_t count, unsigned threads) {
    return count >= (size_t)2 * threads * STAGE_GROUP_SIZE ? STAGE_GROUP_SIZE
           : count >= STAGE_GROUP_SIZE                     ? 128
                                                           : 1;
}

static void staged_name(size_t number, char name[STAGED_NAME_SIZE]) {
    snprintf(name, STAGED_NAME_SIZE, "%zu/%zu", number / STAGE_GROUP_SIZE, number);
}

static int make_group(struct stage *stage) {
    char name[STAGED_NAME_SIZE];
    snprintf(name, sizeof name, "%zu", stage->group_count);
    int r = make_directory_at(stage->fd, name, 0700);
    if (r == 0)
        stage->group_count++;
    return r;
}

static int make_directory(struct stage *stage, size_t count) {
    stage->fd = leftovers_make_directory(stage->tmp_fd, &stage->name);
    int r = stage->fd < 0 ? stage->fd : 0;
    while (r == 0 && stage->group_count * STAGE_GROUP_SIZE < count)
        r = make_group(stage);
    return r;
}

/* Whether two directories are of one mount, as far as the kernel tells that (since 5.8). */
static int are_of_one_mount(int a_fd, int b_fd) {
    struct statx a, b;
    const int flags = AT_EMPTY_PATH | AT_STATX_DONT_SYNC;
    if (statx(a_fd, "", flags, STATX_INO | STATX_MNT_ID, &a) < 0 ||
        statx(b_fd, "", flags, STATX_INO | STATX_MNT_ID, &b) < 0)
        return -errno;
    bool tells_mounts = a.stx_mask & b.stx_mask & STATX_MNT_ID;
    return a.stx_dev_major == b.stx_dev_major && a.stx_dev_minor == b.stx_dev_minor &&
           (!tells_mounts || a.stx_mnt_id == b.stx_mnt_id);
}

/* Objects are published by a rename, which even two mounts of one file system refuse. */
static int report_split(const struct stage *stage, vqemu_error **error) {
    int r = error_set(error, VQEMU_ERR_UNSUPPORTED, EXDEV,
                      "%s and the directory tmp beside it must be on one file system, and not be "
                      "mounted apart",
                      stage->store->objects_path);
    return error_because(r, error, "split-store", VQEMU_DETAIL_PATH, stage->store->objects_path,
                         NULL);
}

static int check_file_system(const struct stage *stage, vqemu_error **error) {
    int r = are_of_one_mount(stage->tmp_fd, stage->store->objects_fd);
    if (r < 0)
        return error_system_at(error, -r, "cannot look at", "%s", stage->store->objects_path);
    return r == 1 ? 0 : report_split(stage, error);
}

int stage_open(struct stage *stage, vqemu_store *store, size_t count, vqemu_error **error) {
    *stage = STAGE_EMPTY;
    stage->store = store;
    stage->sync_each = count > 0 && count < SYNC_EACH_BELOW;
    int r = store_open_beside_objects(store, STORE_TMP, &stage->tmp_fd, error);
    if (r < 0)
        return r;
    r = check_file_system(stage, error);
    if (r < 0)
        return r;
    leftovers_sweep(stage->tmp_fd);
    leftovers_sweep(store->refs_fd);
    r = make_directory(stage, count);
    return r < 0 ? error_system_at(error, -r, "cannot make and lock a staging directory in",
                                   "%s/tmp", store->beside_path)
                 : 0;
}

int stage_lock(struct stage *stage, struct vqemu_progress *progress, vqemu_error **error) {
    stage->progress = progress;
    return store_lock_shared(stage->store, progress, &stage->lock_fd, error);
}

void stage_unlock(struct stage *stage) {
    cleanup_close(&stage->lock_fd);
    stage->lock_fd = -1;
}

void stage_close(struct stage *stage) {
    if (stage->fd >= 0)
        remove_tree(stage->tmp_fd, stage->name);
    cleanup_close(&stage->fd);
    cleanup_close(&stage->tmp_fd);
    cleanup_close(&stage->lock_fd);
    free(stage->name);
    *stage = STAGE_EMPTY;
}

/* ---- staging ---- */

int stage_begin(struct stage *stage, size_t number, bool executable, struct staged_file *file) {
    char name[STAGED_NAME_SIZE];
    staged_name(number, name);
    *file = (struct staged_file){.fd = -1, .executable = executable};
    digest_start(&file->state);
    while (number / STAGE_GROUP_SIZE >= stage->group_count) {
        int r = make_group(stage);
        if (r < 0)
            return r;
    }
    int fd = open_at(stage->fd, name, O_WRONLY | O_CREAT | O_EXCL, executable ? 0555 : 0444);
    if (fd < 0)
        return fd;
    file->fd = fd;
    return 0;
}

int stage_write(struct staged_file *file, const void *bytes, size_t size) {
    digest_add(&file->state, bytes, size);
    int r = write_sparsely(file->fd, bytes, size);
    file->size += size;
    file->ends_in_hole = r == 1;
    return r < 0 ? r : 0;
}

int stage_complete(const struct stage *stage, struct staged_file *file, struct staged *staged) {
    struct stat status;
    int r = file->ends_in_hole ? set_file_size(file->fd, (off_t)file->size) : 0;
    if (r == 0)
        r = object_finish_and_stat(file->fd, file->executable, &status);
    if (r == 0 && stage->sync_each)
        r = sync_fd(file->fd);
    if (r < 0)
        return r;
    staged->digest = digest_finish(&file->state);
    staged->file = (struct verified){.inode = status.st_ino, .size = file->size};
    return 0;
}

void stage_end(struct staged_file *file) {
    cleanup_close(&file->fd);
    file->fd = -1;
}

static int copy_content(struct sparse_reader *from, uint64_t size, struct staged_file *file,
                        unsigned char *buffer, const struct watch *watch, const char *item,
                        bool *reading_failed) {
    for (;;) {
        ssize_t n = read_sparsely(from, buffer, DIGEST_READ_SIZE);
        *reading_failed = n < 0;
        if (n <= 0)
            return (int)n;
        if (file->size + (uint64_t)n > size) {
            *reading_failed = true;
            return -EFBIG; /* it grows, perhaps for ever */
        }
        int r = stage_write(file, buffer, (size_t)n);
        if (r < 0)
            return r;
        if (progress_advance(watch->progress, watch->worker, item, (uint64_t)n, NULL) < 0)
            return -ECANCELED;
    }
}

int stage_copy(struct stage *stage, size_t number, struct sparse_reader from, uint64_t size,
               bool executable, unsigned char *buffer, const struct watch *watch, const char *item,
               struct staged *staged, bool *reading_failed) {
    struct staged_file file;
    *reading_failed = false;
    int r = stage_begin(stage, number, executable, &file);
    if (r == 0)
        r = copy_content(&from, size, &file, buffer, watch, item, reading_failed);
    if (r == 0)
        r = stage_complete(stage, &file, staged);
    stage_end(&file);
    return r;
}

int stage_reopen(const struct stage *stage, size_t number) {
    char name[STAGED_NAME_SIZE];
    staged_name(number, name);
    return open_at(stage->fd, name, O_RDONLY | O_NOFOLLOW, 0);
}

int stage_set_executable(const struct stage *stage, size_t number) {
    char name[STAGED_NAME_SIZE];
    staged_name(number, name);
    return fchmodat(stage->fd, name, 0555, 0) < 0 ? -errno : 0;
}

int stage_drop(const struct stage *stage, size_t number) {
    char name[STAGED_NAME_SIZE];
    staged_name(number, name);
    return unlinkat(stage->fd, name, 0) < 0 ? -errno : 0;
}

int stage_failed(const struct stage *stage, int system_errno, const char *what,
                 vqemu_error **error) {
    int r = error_system_at(error, system_errno, "cannot write a copy into the store at", "%s",
                            stage->store->objects_path);
    return error_prefix(r, error, "%s: ", what);
}

/* ---- publishing ---- */

int stage_sync(const struct stage *stage, vqemu_error **error) {
    int r = stage->sync_each ? 0 : sync_file_system(stage->fd);
    return r < 0 ? error_system_at(error, -r, "cannot sync the file system of", "%s",
                                   stage->store->objects_path)
                 : 0;
}

int stage_publish(struct stage *stage, size_t number, struct staged *staged, const char *what,
                  vqemu_error **error) {
    char name[STAGED_NAME_SIZE];
    const vqemu_store *store = stage->store;
    struct stat status;
    staged_name(number, name);
    const struct watch watch = {.progress = stage->progress};
    int r =
        object_publish(stage->fd, name, store, &staged->digest, stage->progress ? &watch : NULL);
    if (r == -ECANCELED)
        return progress_given_up(stage->progress, error);
    if (r == 0 || r == OBJECT_REPLACED) {
        stage->new_count++;
        stage->new_bytes += staged->file.size;
    }
    if (r == OBJECT_REPLACED && stage->progress)
        call_log(
            stage->progress->call, VQEMU_LOG_WARNING, "object-replaced",
            (struct log_subject){.path = store->objects_path, .object = staged->digest.hex},
            "object %s/%s, for %s, was damaged or another user's, and was replaced by a good copy",
            store->objects_path, staged->digest.hex, what);
    if (r == OBJECT_WAS_THERE) {
        r = fstatat(store->objects_fd, staged->digest.hex, &status, AT_SYMLINK_NOFOLLOW);
        staged->file.inode = r == 0 ? status.st_ino : 0;
        r = r < 0 ? -errno : 0;
    }
    if (r == -EXDEV) /* one of them is a bind mount */
        return report_split(stage, error);
    if (r >= 0)
        return 0;
    r = error_system_at(error, -r, "cannot publish object", "%s/%s", store->objects_path,
                        staged->digest.hex);
    return error_prefix(r, error, "%s: ", what);
}

int stage_sync_objects(const struct stage *stage, vqemu_error **error) {
    int r = sync_fd(stage->store->objects_fd);
    return r < 0 ? error_system_at(error, -r, "cannot sync", "%s", stage->store->objects_path) : 0;
}

void stage_release_profile(struct stage_profile *profile) {
    vqemu_manifest_unref(profile->manifest);
    vqemu_revision_unref(profile->same);
    free(profile->abilities);
}

int stage_make_manifest(const struct stage_profile *profile, vqemu_call *call,
                        vqemu_manifest **manifest, vqemu_error **error) {
    static const vqemu_ingest_options nothing = {0};
    const vqemu_ingest_options *options = profile->options ? profile->options : &nothing;
    char now[RFC3339_SIZE] = "";
    int r = options->created_at ? 0 : creation_time_now(now, error);
    if (r < 0)
        return r;
    const struct manifest_fields fields = {
        .name = profile->name,
        .created_at = options->created_at ? options->created_at : now,
        .profile = profile->name,
        .qemu_version = options->qemu_version,
        .build_date = options->build_date,
        .build_host = options->build_host,
        .arch = profile->arch,
        .description = options->description,
        .accel = options->accel,
        .abilities = options->abilities ? options->abilities : profile->abilities,
        .guests = options->guests,
        .total_bytes = (int64_t)profile->total_size,
    };
    r = manifest_new(&fields, profile->source, profile->objects, profile->count,
                     call_max_objects(call), manifest, error);
    return r == VQEMU_ERR_MALFORMED
               ? error_because(r, error, "names-collide", VQEMU_DETAIL_PATH, profile->source, NULL)
               : r;
}

int stage_describe_profile(const struct stage *stage, struct stage_profile *profile,
                           vqemu_call *call, vqemu_error **error) {
    _cleanup_revision_ vqemu_revision *newest = NULL;
    /* A broken or missing one is no hindrance to a new one. */
    newest_load(stage->store, profile->name, call, &newest, NULL);
    int r = stage_make_manifest(profile, call, &profile->manifest, error);
    if (r < 0)
        return r;
    bool keeps_time = !profile->options || !profile->options->created_at;
    if (!newest || !keeps_time ||
        !manifest_same_content(profile->manifest, vqemu_revision_manifest(newest)))
        return 0;
    vqemu_manifest_unref(profile->manifest);
    profile->manifest = vqemu_manifest_ref(vqemu_revision_manifest(newest));
    profile->same = TAKE_POINTER(newest);
    return 0;
}

/* It may not be durable yet, if its maker was killed. */
static int take_same(const struct stage *stage, const struct stage_profile *profile,
                     vqemu_revision **revision, vqemu_error **error) {
    int r = sync_fd(stage->store->refs_fd);
    if (r < 0)
        return error_system_at(error, -r, "cannot sync", "%s", stage->store->refs_path);
    *revision = vqemu_revision_ref(profile->same);
    return 0;
}

static void count_objects(const struct stage *stage, const struct stage_profile *profile,
                          vqemu_ingest *ingest) {
    ingest->object_count = profile->count;
    ingest->new_object_count = stage->new_count;
    ingest->new_bytes = stage->new_bytes;
    for (size_t i = 0; i < profile->count; i++)
        ingest->bytes += profile->staged[i].file.size;
}

/* Which one is used now. Where others of the profile are broken, that cannot be told. */
static int note_current(const struct stage *stage, const char *profile, vqemu_call *call,
                        vqemu_ingest *ingest, vqemu_error **error) {
    _cleanup_revision_ vqemu_revision *current = NULL;
    if (current_find(stage->store, profile, call, &current, NULL) < 0)
        return 0;
    ingest->current = strdup(vqemu_revision_name(current));
    return ingest->current ? 0 : error_no_memory(error);
}

static int publish_profile(const struct stage *stage, const struct stage_profile *profile,
                           vqemu_call *call, vqemu_ingest *ingest, vqemu_error **error) {
    _cleanup_(published_release) struct published published = {0};
    int r = profile->same ? take_same(stage, profile, &ingest->revision, error)
                          : revision_publish(stage->store, profile->name, profile->manifest,
                                             profile->text, call, &published, error);
    if (r < 0)
        return r;
    if (!profile->same)
        ingest->revision = TAKE_POINTER(published.revision);
    ingest->is_new = published.is_new;
    r = note_current(stage, profile->name, call, ingest, error);
    if (r == 0 && ingest->current &&
        strcmp(ingest->current, vqemu_revision_name(ingest->revision)) == 0)
        ingest->displaced = TAKE_POINTER(published.displaced);
    return r;
}

int stage_publish_profile(const struct stage *stage, const struct stage_profile *profile,
                          vqemu_call *call, vqemu_ingest **ingest, vqemu_error **error) {
    _cleanup_free_ struct verified *verified = calloc(profile->count + 1, sizeof *verified);
    _cleanup_ingest_ vqemu_ingest *new = calloc(1, sizeof *new);
    if (!verified || !new)
        return error_no_memory(error);
    count_objects(stage, profile, new);
    int r = publish_profile(stage, profile, call, new, error);
    if (r < 0)
        return r;
    for (size_t i = 0; i < profile->count; i++)
        verified[i] = profile->staged[i].file;
    verified_save(stage->store, profile->manifest, verified);
    *ingest = TAKE_POINTER(new);
    return 0;
}
