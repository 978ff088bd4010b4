/* SPDX-License-Identifier: MIT */
/* A directory -> objects and a revision. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/options.h"
#include "base/workers.h"
#include "content/files.h"
#include "store/ingest.h"
#include "store/source.h"
#include "store/stage-closure.h"
#include "store/store-profile.h"
#include "util/export.h"
#include "util/path.h"
#include "util/sparse.h"

#define READ_SIZE ((size_t)256 * 1024)

/* It under way. */
struct ingest {
    vqemu_store *store;
    struct source source;
    struct stage stage;
    struct manifest_object *objects; /* one for each file of the source, in its order */
    struct staged *staged;           /* likewise */
    _Atomic(const char *) arch;      /* that of the programs; NULL if it is not known */
    unsigned threads;
    unsigned char *buffers; /* one for each thread */
    bool must_be_whole;
    vqemu_closure *closure;
    struct vqemu_progress progress;
};

static void release_ingest(struct ingest *ingest) {
    stage_close(&ingest->stage);
    source_close(&ingest->source);
    free(ingest->objects);
    free(ingest->staged);
    free(ingest->buffers);
    closure_free(ingest->closure);
}

static int open_ingest(struct ingest *ingest, const char *directory, vqemu_error **error) {
    vqemu_call *call = ingest->progress.call;
    int r = store_require_writable(ingest->store, "put a profile into it", error);
    if (r == 0)
        r = source_open(directory, call, &ingest->source, error);
    if (r == 0)
        r = stage_open(&ingest->stage, ingest->store, ingest->source.count + 1, error);
    if (r < 0)
        return r;
    ingest->threads = call_threads(call);
    ingest->objects = calloc(ingest->source.count + 1, sizeof *ingest->objects);
    ingest->staged = calloc(ingest->source.count + 1, sizeof *ingest->staged);
    ingest->buffers = malloc(ingest->threads * READ_SIZE);
    if (!ingest->objects || !ingest->staged || !ingest->buffers)
        return error_no_memory(error);
    progress_start(&ingest->progress, "hash", "bytes", ingest->source.total_size);
    return 0;
}

/* A program somewhere below; NULL if there is none. */
static const char *find_program_below(const struct manifest_object *objects, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (strstr(objects[i].path, "/" PROGRAM_PREFIX))
            return objects[i].path;
    return NULL;
}

int ingest_require_program(const struct manifest_object *objects, size_t count, const char *source,
                           vqemu_error **error) {
    for (size_t i = 0; i < count; i++)
        if (content_is_program(objects[i].path))
            return 0;
    const char *below = find_program_below(objects, count);
    int r =
        below ? error_set(error, VQEMU_ERR_INVALID, 0,
                          "%s is no profile: it has %s, but bin/ must be at the top", source, below)
              : error_set(error, VQEMU_ERR_INVALID, 0,
                          "%s is no profile: it has no " PROGRAM_PREFIX "*, as in "
                          "bin/qemu-system-x86_64",
                          source);
    return error_because(r, error, "no-program-in-source", VQEMU_DETAIL_PATH, source, NULL);
}

/* ---- staging ---- */

static int changed(const struct ingest *ingest, const char *path, vqemu_error **error) {
    int r = error_set(error, VQEMU_ERR_CHANGED, 0,
                      "%s/%s changed while it was being read; try again when nothing writes to it",
                      ingest->source.directory, path);
    return error_because(r, error, "source-changed", VQEMU_DETAIL_PATH, ingest->source.directory,
                         VQEMU_DETAIL_ENTRY, path, NULL);
}

static int write_failed(const struct ingest *ingest, const char *path, int system_errno,
                        vqemu_error **error) {
    _cleanup_free_ char *what = join_path(ingest->source.directory, path);
    return what ? stage_failed(&ingest->stage, system_errno, what, error) : error_no_memory(error);
}

static int read_failed(const struct ingest *ingest, const char *path, int system_errno,
                       vqemu_error **error) {
    return error_system_at(error, system_errno, "cannot read", "%s/%s", ingest->source.directory,
                           path);
}

/* Copy and hash the content, which must have exactly the size that was seen. */
static int copy_content(struct ingest *ingest, unsigned worker, const struct source_file *source,
                        int from, const struct stat *status, struct staged_file *file,
                        vqemu_error **error) {
    unsigned char *buffer = ingest->buffers + worker * READ_SIZE;
    struct sparse_reader reader = sparse_reader_of(from, status);
    for (;;) {
        ssize_t n = read_sparsely(&reader, buffer, READ_SIZE);
        if (n < 0)
            return read_failed(ingest, source->path, (int)-n, error);
        if (n == 0)
            break;
        if (file->size + (uint64_t)n > source->size)
            return changed(ingest, source->path, error);
        int r = stage_write(file, buffer, (size_t)n);
        if (r < 0)
            return write_failed(ingest, source->path, -r, error);
        r = progress_advance(&ingest->progress, worker, source->path, (uint64_t)n, error);
        if (r < 0)
            return r;
        /* Less than was asked for, when all is there, is the end of the file. */
        if (file->size == source->size && (size_t)n < READ_SIZE)
            break;
    }
    return file->size == source->size ? 0 : changed(ingest, source->path, error);
}

static bool same_version(const struct stat *a, const struct stat *b) {
    return a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
           a->st_mtim.tv_nsec == b->st_mtim.tv_nsec && a->st_ino == b->st_ino;
}

static int open_source(const struct ingest *ingest, const struct source_file *source, int *fd,
                       struct stat *status, vqemu_error **error) {
    int r = source_open_file(&ingest->source, source->path, fd, error);
    if (r < 0)
        return r;
    if (fstat(*fd, status) < 0)
        return error_system_at(error, errno, "cannot look at", "%s/%s", ingest->source.directory,
                               source->path);
    if (!S_ISREG(status->st_mode) || (uint64_t)status->st_size != source->size)
        return changed(ingest, source->path, error);
    return 0;
}

int ingest_find_arch(const char *path, int fd, const char **arch) {
    struct elf_info elf;
    *arch = NULL;
    if (!content_is_program(path))
        return 0;
    int r = elf_read(fd, &elf);
    *arch = elf.arch;
    return r;
}

static int note_arch(struct ingest *ingest, const char *path, int fd, vqemu_error **error) {
    const char *arch;
    int r = ingest_find_arch(path, fd, &arch);
    if (r < 0)
        return read_failed(ingest, path, -r, error);
    if (arch)
        ingest->arch = arch;
    return 0;
}

static int stage_source(struct ingest *ingest, unsigned worker, size_t index,
                        struct staged_file *file, vqemu_error **error) {
    const struct source_file *source = &ingest->source.files[index];
    _cleanup_close_ int from = -1;
    struct stat before, after;
    int r = open_source(ingest, source, &from, &before, error);
    if (r < 0)
        return r;
    r = stage_begin(&ingest->stage, index, source->executable, file);
    if (r < 0)
        return write_failed(ingest, source->path, -r, error);
    r = copy_content(ingest, worker, source, from, &before, file, error);
    if (r < 0)
        return r;
    if (fstat(from, &after) < 0 || !same_version(&before, &after))
        return changed(ingest, source->path, error);
    r = stage_complete(&ingest->stage, file, &ingest->staged[index]);
    if (r < 0)
        return write_failed(ingest, source->path, -r, error);
    return note_arch(ingest, source->path, from, error);
}

static int stage_one(void *context, unsigned worker, size_t index, vqemu_error **error) {
    struct ingest *ingest = context;
    struct staged_file file = {.fd = -1};
    int r = stage_source(ingest, worker, index, &file, error);
    stage_end(&file);
    return r;
}

static int stage_files(struct ingest *ingest, vqemu_error **error) {
    size_t count = ingest->source.count;
    const struct work work = {
        .function = stage_one,
        .context = ingest,
        .count = count,
        .chunk = stage_chunk(count, ingest->threads),
        .progress = &ingest->progress,
    };
    int r = workers_run(&work, ingest->threads, error);
    return r < 0 ? r : stage_sync(&ingest->stage, error);
}

/* ---- publishing ---- */

static int publish_objects(struct ingest *ingest, vqemu_error **error) {
    for (size_t i = 0; i < ingest->source.count; i++) {
        int r = stage_publish(&ingest->stage, i, &ingest->staged[i], ingest->source.files[i].path,
                              error);
        if (r < 0)
            return r;
    }
    return stage_sync_objects(&ingest->stage, error);
}

static void describe_objects(struct ingest *ingest) {
    for (size_t i = 0; i < ingest->source.count; i++) {
        ingest->objects[i].path = ingest->source.files[i].path;
        ingest->objects[i].mode = ingest->source.files[i].executable ? 0755 : 0644;
    }
}

/* Both the source and the manifest are in the order of paths. */
static int open_staged(void *context, size_t index) {
    const struct ingest *ingest = context;
    return stage_reopen(&ingest->stage, index);
}

static int publish(struct ingest *ingest, const vqemu_ingest_options *options,
                   vqemu_ingest **result, vqemu_error **error) {
    vqemu_call *call = ingest->progress.call;
    for (size_t i = 0; i < ingest->source.count; i++)
        ingest->objects[i].digest = ingest->staged[i].digest;
    _cleanup_(stage_release_profile) struct stage_profile staged = {
        .name = options->profile,
        .source = ingest->source.directory,
        .options = options,
        .arch = ingest->arch,
        .objects = ingest->objects,
        .staged = ingest->staged,
        .count = ingest->source.count,
        .total_size = ingest->source.total_size,
    };
    const struct stage_files files = {open_staged, ingest};
    int r = stage_lock(&ingest->stage, &ingest->progress, error);
    if (r == 0)
        r = stage_examine_profile(&ingest->stage, &staged, &files, ingest->must_be_whole,
                                  &ingest->progress, &ingest->closure, error);
    if (r == 0)
        r = publish_objects(ingest, error);
    if (r == 0)
        r = stage_publish_profile(&ingest->stage, &staged, call, result, error);
    if (r == 0)
        (*result)->closure = TAKE_POINTER(ingest->closure);
    return r;
}

VQEMU_EXPORT int vqemu_store_ingest(vqemu_store *store, const char *directory,
                                    const vqemu_ingest_options *options, uint32_t flags,
                                    vqemu_call *call, vqemu_ingest **ingest, vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(ingest, error);
    *ingest = NULL;
    REQUIRE_STORE(store, error);
    REQUIRE_ARGUMENT(directory, error);
    REQUIRE_ARGUMENT(options, error);
    REQUIRE_FLAGS(flags, VQEMU_INGEST_WHOLE, error);
    int r = profile_check_options(options, error);
    if (r == 0 && options->digest)
        r = options_invalid(
            VQEMU_INGEST_DIGEST, options->digest, NULL, error,
            "a directory has no digest before it is in the store; it is for archives");
    if (r == 0 && options->trust)
        r = error_because(error_set(error, VQEMU_ERR_UNTRUSTED, 0,
                                    "the directory %s cannot be signed before it is in the store: "
                                    "take it in first, and sign its revision",
                                    directory),
                          error, "unsigned", VQEMU_DETAIL_PATH, directory, NULL);
    if (r < 0)
        return r;
    _cleanup_(release_ingest) struct ingest work = {
        .store = store,
        .source = {.fd = -1},
        .stage = STAGE_EMPTY,
        .must_be_whole = flags & VQEMU_INGEST_WHOLE,
        .progress = {.call = call, .phase_count = 1},
    };
    r = open_ingest(&work, directory, error);
    if (r < 0)
        return r;
    describe_objects(&work);
    r = ingest_require_program(work.objects, work.source.count, directory, error);
    if (r == 0)
        r = stage_files(&work, error);
    return r == 0 ? publish(&work, options, ingest, error) : r;
}
