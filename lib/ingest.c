/* SPDX-License-Identifier: MIT */
/* A directory -> objects and a ref. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "build-info.h"
#include "elf-file.h"
#include "error.h"
#include "leftovers.h"
#include "object.h"
#include "profile.h"
#include "progress.h"
#include "ref.h"
#include "source.h"
#include "util/export.h"
#include "util/fd.h"
#include "util/rfc3339.h"

#define READ_SIZE ((size_t)256 * 1024)
/* With fewer files, syncing each is faster than syncing the whole file system. */
#define SYNC_EACH_BELOW 8
#define PROGRAM_PREFIX "bin/qemu-system-"
#define STAGED_NAME_SIZE 24

/* A build under way: its files are staged in a directory of its own, then published. */
struct ingest {
    vqemu_store *store;
    struct source source;
    struct manifest_object *objects; /* one for each file of the source, in its order */
    const char *arch;                /* that of the programs; NULL if it is not known */
    int lock_fd, tmp_fd, stage_fd;
    char *stage_name;
    unsigned char *buffer;
    struct progress progress;
};

static void release_ingest(struct ingest *ingest) {
    if (ingest->stage_fd >= 0)
        remove_tree(ingest->tmp_fd, ingest->stage_name);
    cleanup_close(&ingest->stage_fd);
    cleanup_close(&ingest->tmp_fd);
    cleanup_close(&ingest->lock_fd);
    source_close(&ingest->source);
    free(ingest->objects);
    free(ingest->stage_name);
    free(ingest->buffer);
}

static void staged_name(size_t index, char name[STAGED_NAME_SIZE]) {
    snprintf(name, STAGED_NAME_SIZE, "%zu", index);
}

static int open_stage(struct ingest *ingest, vqemu_error **error) {
    int r = store_open_beside_objects(ingest->store, "tmp", &ingest->tmp_fd, error);
    if (r < 0)
        return r;
    leftovers_sweep(ingest->tmp_fd);
    leftovers_sweep(ingest->store->refs_fd);
    ingest->stage_name = leftovers_new_name();
    if (!ingest->stage_name)
        return error_no_memory(error);
    ingest->stage_fd = leftovers_make_directory(ingest->tmp_fd, ingest->stage_name);
    if (ingest->stage_fd < 0)
        return error_system(error, -ingest->stage_fd,
                            "cannot make a staging directory in %s/../tmp",
                            ingest->store->objects_path);
    return 0;
}

static int open_ingest(struct ingest *ingest, const char *directory, vqemu_error **error) {
    int r = store_require_writable(ingest->store, "build a profile", error);
    if (r == 0)
        r = source_open(directory, store_max_objects(ingest->store), &ingest->source, error);
    if (r == 0)
        r = store_lock_shared(ingest->store, &ingest->lock_fd, error);
    if (r == 0)
        r = open_stage(ingest, error);
    if (r < 0)
        return r;
    ingest->objects = calloc(ingest->source.count + 1, sizeof *ingest->objects);
    ingest->buffer = malloc(READ_SIZE);
    if (!ingest->objects || !ingest->buffer)
        return error_no_memory(error);
    ingest->progress.step = "hash";
    ingest->progress.total = ingest->source.total_size;
    return 0;
}

static int check_has_program(const struct source *source, vqemu_error **error) {
    for (size_t i = 0; i < source->count; i++)
        if (strncmp(source->files[i].path, PROGRAM_PREFIX, strlen(PROGRAM_PREFIX)) == 0)
            return 0;
    return error_set(error, VQEMU_ERR_INVALID, 0,
                     "%s is no profile directory: it has no " PROGRAM_PREFIX "*, as in "
                     "bin/qemu-system-x86_64",
                     source->directory);
}

/* ---- staging ---- */

static int changed(const struct ingest *ingest, const char *path, vqemu_error **error) {
    return error_set(error, VQEMU_ERR_CHANGED, 0,
                     "%s/%s changed while it was being read; build again when nothing writes to it",
                     ingest->source.directory, path);
}

/* Copy and hash the content, which must have exactly the size that was seen. */
static int copy_hashed(struct ingest *ingest, const struct source_file *file, int from, int to,
                       struct digest *digest, vqemu_error **error) {
    struct digest_state state;
    digest_start(&state);
    uint64_t copied = 0;
    for (;;) {
        ssize_t n = read(from, ingest->buffer, READ_SIZE);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_system(error, errno, "cannot read %s/%s", ingest->source.directory,
                                file->path);
        if (n == 0)
            break;
        copied += (uint64_t)n;
        if (copied > file->size)
            return changed(ingest, file->path, error);
        digest_add(&state, ingest->buffer, (size_t)n);
        int r = write_all(to, ingest->buffer, (size_t)n);
        if (r < 0)
            return error_system(error, -r, "cannot write a copy of %s/%s into the store at %s",
                                ingest->source.directory, file->path, ingest->store->objects_path);
        ingest->progress.done += (uint64_t)n;
        r = progress_report(&ingest->progress, file->path, error);
        if (r < 0)
            return r;
    }
    *digest = digest_finish(&state);
    return copied == file->size ? 0 : changed(ingest, file->path, error);
}

static bool same_version(const struct stat *a, const struct stat *b) {
    return a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
           a->st_mtim.tv_nsec == b->st_mtim.tv_nsec && a->st_ino == b->st_ino;
}

static void note_arch(struct ingest *ingest, const char *path, int fd) {
    if (strncmp(path, PROGRAM_PREFIX, strlen(PROGRAM_PREFIX)) != 0)
        return;
    struct elf_info elf;
    elf_read(fd, &elf);
    if (elf.arch)
        ingest->arch = elf.arch;
}

static int finish_staged(struct ingest *ingest, const struct source_file *file, int fd,
                         vqemu_error **error) {
    int r = object_finish_file(fd, file->executable);
    if (r == 0 && ingest->source.count < SYNC_EACH_BELOW && fsync(fd) < 0)
        r = -errno;
    return r < 0 ? error_system(error, -r, "cannot write a copy of %s/%s into the store at %s",
                                ingest->source.directory, file->path, ingest->store->objects_path)
                 : 0;
}

static int stage_file(struct ingest *ingest, size_t index, vqemu_error **error) {
    const struct source_file *file = &ingest->source.files[index];
    struct manifest_object *object = &ingest->objects[index];
    _cleanup_close_ int from = -1, to = -1;
    int r = source_open_file(&ingest->source, file->path, &from, error);
    if (r < 0)
        return r;
    struct stat before, after;
    if (fstat(from, &before) < 0)
        return error_system(error, errno, "cannot look at %s/%s", ingest->source.directory,
                            file->path);
    if (!S_ISREG(before.st_mode) || (uint64_t)before.st_size != file->size)
        return changed(ingest, file->path, error);
    char name[STAGED_NAME_SIZE];
    staged_name(index, name);
    to = openat(ingest->stage_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (to < 0)
        return error_system(error, errno, "cannot write into the store at %s",
                            ingest->store->objects_path);
    r = copy_hashed(ingest, file, from, to, &object->digest, error);
    if (r == 0 && (fstat(from, &after) < 0 || !same_version(&before, &after)))
        r = changed(ingest, file->path, error);
    if (r == 0)
        r = finish_staged(ingest, file, to, error);
    if (r < 0)
        return r;
    note_arch(ingest, file->path, from);
    object->path = file->path;
    object->mode = file->executable ? 0755 : 0644;
    return 0;
}

static int stage_files(struct ingest *ingest, vqemu_error **error) {
    for (size_t i = 0; i < ingest->source.count; i++) {
        int r = stage_file(ingest, i, error);
        if (r < 0)
            return r;
    }
    if (ingest->source.count >= SYNC_EACH_BELOW && syncfs(ingest->stage_fd) < 0)
        return error_system(error, errno, "cannot sync the file system of %s",
                            ingest->store->objects_path);
    return 0;
}

/* ---- publishing ---- */

static int publish_objects(struct ingest *ingest, vqemu_error **error) {
    for (size_t i = 0; i < ingest->source.count; i++) {
        char name[STAGED_NAME_SIZE];
        staged_name(i, name);
        int r = object_publish(ingest->stage_fd, name, ingest->store->objects_fd,
                               &ingest->objects[i].digest);
        if (r < 0)
            return error_system(error, -r, "cannot publish object %s/%s, for %s",
                                ingest->store->objects_path, ingest->objects[i].digest.hex,
                                ingest->objects[i].path);
    }
    if (fsync(ingest->store->objects_fd) < 0)
        return error_system(error, errno, "cannot sync %s", ingest->store->objects_path);
    return 0;
}

/* Now, or just after the newest ref, so that a build is the newest even if the clock was set back.
 */
static void choose_time(const vqemu_ref *newest, char text[RFC3339_SIZE]) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (newest) {
        struct timespec next = *manifest_time(vqemu_ref_manifest(newest));
        if (++next.tv_nsec == 1000000000) {
            next.tv_sec++;
            next.tv_nsec = 0;
        }
        if (timespec_compare(&now, &next) < 0)
            now = next;
    }
    if (!rfc3339_format(&now, text))
        strcpy(text, "9999-12-31T23:59:59Z");
}

static int make_manifest(const struct ingest *ingest, const char *profile,
                         const vqemu_build_info *info, const vqemu_ref *newest,
                         vqemu_manifest **manifest, vqemu_error **error) {
    static const vqemu_build_info nothing = {0};
    char now[RFC3339_SIZE];
    choose_time(newest, now);
    if (!info)
        info = &nothing;
    const struct manifest_fields fields = {
        .name = profile,
        .created_at = info->created_at ? info->created_at : now,
        .profile = profile,
        .qemu_version = info->qemu_version,
        .build_date = info->build_date,
        .build_host = info->build_host,
        .arch = ingest->arch,
        .total_bytes = (int64_t)ingest->source.total_size,
    };
    return manifest_new(&fields, ingest->objects, ingest->source.count,
                        store_max_objects(ingest->store), manifest, error);
}

static int publish_ref(struct ingest *ingest, const char *profile, const vqemu_build_info *info,
                       vqemu_ref **ref, vqemu_error **error) {
    _cleanup_ref_ vqemu_ref *newest = NULL;
    _cleanup_manifest_ vqemu_manifest *manifest = NULL;
    /* A broken or missing one is no hindrance to a new one. */
    vqemu_store_newest_ref(ingest->store, profile, &newest, NULL);
    int r = make_manifest(ingest, profile, info, newest, &manifest, error);
    if (r < 0)
        return r;
    bool keeps_time = !info || !info->created_at;
    if (newest && keeps_time && manifest_same_content(manifest, vqemu_ref_manifest(newest))) {
        *ref = TAKE_POINTER(newest);
        return 0;
    }
    return ref_publish(ingest->store, profile, manifest, ref, error);
}

VQEMU_EXPORT int vqemu_store_build(vqemu_store *store, const char *profile_name,
                                   const char *directory, const vqemu_build_info *info,
                                   vqemu_progress_fn progress, void *userdata, vqemu_ref **ref,
                                   vqemu_error **error) {
    *ref = NULL;
    const vqemu_profile *profile;
    int r = profile_require(profile_name, &profile, error);
    if (r < 0)
        return r;
    _cleanup_(release_ingest) struct ingest ingest = {
        .store = store,
        .source = {.fd = -1},
        .lock_fd = -1,
        .tmp_fd = -1,
        .stage_fd = -1,
        .progress = {.function = progress, .userdata = userdata},
    };
    r = open_ingest(&ingest, directory, error);
    if (r == 0)
        r = check_has_program(&ingest.source, error);
    if (r == 0)
        r = stage_files(&ingest, error);
    if (r == 0)
        r = publish_objects(&ingest, error);
    if (r == 0)
        r = publish_ref(&ingest, vqemu_profile_name(profile), info, ref, error);
    return r;
}
