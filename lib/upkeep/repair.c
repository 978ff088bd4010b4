/* SPDX-License-Identifier: MIT */
#include "upkeep/repair.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/digest-set.h"
#include "base/error.h"
#include "store/object.h"
#include "store/reached.h"
#include "store/stage.h"
#include "transfer/tar-archive.h"
#include "util/dir.h"
#include "util/fd.h"
#include "util/path.h"
#include "util/strbuf.h"

/* An object that is wanted. */
struct want {
    struct problem *problem;
    bool found;
    size_t number; /* of the staged copy */
    struct staged staged;
};

struct repair {
    vqemu_store *store;
    const vqemu_revision_list *revisions;
    struct digest_set digests; /* those that are wanted */
    struct want *wants;        /* for each of them */
    size_t left;               /* not found yet */
    uint64_t found_size;       /* of those that are found */
    size_t next_number;
    unsigned depth; /* below the source */
    struct stage stage;
    unsigned char *buffer;
    struct vqemu_progress *progress;
    vqemu_error **error; /* for what happens in callbacks */
};

static void release_repair(struct repair *repair) {
    stage_close(&repair->stage);
    digest_set_release(&repair->digests);
    free(repair->wants);
    free(repair->buffer);
}

static bool is_wanted_problem(const struct problem *problem) {
    return problem->kind <= PROBLEM_DAMAGED && !problem->repaired && !problem->alternative;
}

static int collect_wants(struct repair *repair, vqemu_check *check) {
    int r = 0;
    for (size_t i = 0; r == 0 && i < check->count; i++)
        if (is_wanted_problem(&check->problems[i]))
            r = digest_set_add(&repair->digests, &check->problems[i].digest);
    digest_set_sort(&repair->digests);
    repair->left = repair->digests.count;
    repair->wants = calloc(repair->left + 1, sizeof *repair->wants);
    if (r < 0 || !repair->wants)
        return -ENOMEM;
    for (size_t i = 0; i < check->count; i++)
        if (is_wanted_problem(&check->problems[i])) {
            int64_t index = digest_set_find(&repair->digests, check->problems[i].digest.hex);
            repair->wants[index].problem = &check->problems[i];
        }
    return 0;
}

/* ---- candidates ---- */

static struct want *find_want(const struct repair *repair, const struct digest *digest) {
    int64_t index = digest_set_find(&repair->digests, digest->hex);
    return index < 0 || repair->wants[index].found ? NULL : &repair->wants[index];
}

static void note_found(struct repair *repair, struct want *want, size_t number,
                       const struct staged *staged) {
    want->found = true;
    want->number = number;
    want->staged = *staged;
    repair->found_size += staged->file.size;
    repair->left--;
}

/* A hostile source can have files of any size: what the call does not allow is no good copy. */
static bool is_allowed(const struct repair *repair, uint64_t size) {
    uint64_t limit = call_max_size(repair->progress->call);
    return size <= limit && repair->found_size <= limit - size;
}

/* Stage the content of a file if it is what is wanted; a file that cannot be read is not. */
static int try_file(struct repair *repair, int fd, struct want *want) {
    struct staged staged = {0};
    struct stat status;
    bool reading_failed;
    if (fstat(fd, &status) < 0 || !is_allowed(repair, (uint64_t)status.st_size))
        return 0;
    size_t number = repair->next_number++;
    const struct watch watch = {.progress = repair->progress};
    int r = stage_copy(&repair->stage, number, sparse_reader_of(fd, &status),
                       (uint64_t)status.st_size, want->problem->executable, repair->buffer, &watch,
                       want->problem->digest.hex, &staged, &reading_failed);
    if (r == -ECANCELED)
        return progress_given_up(repair->progress, repair->error);
    if (r < 0 && !reading_failed)
        return stage_failed(&repair->stage, -r, want->problem->digest.hex, repair->error);
    if (r == 0 && digest_equal(&staged.digest, &want->problem->digest))
        note_found(repair, want, number, &staged);
    else
        stage_drop(&repair->stage, number);
    return progress_report(repair->progress, repair->error);
}

static int try_named(struct repair *repair, int directory_fd, const char *name, struct want *want) {
    _cleanup_close_ int fd = -1;
    struct stat status;
    if (want->found || object_open(directory_fd, name, &fd, &status) < 0)
        return 0;
    return try_file(repair, fd, want);
}

/* ---- the store itself ---- */

static const char *tree_of_place(const struct repair *repair, const struct place *place) {
    for (size_t i = 0; i < vqemu_revision_list_count(repair->revisions); i++) {
        const vqemu_revision *revision = vqemu_revision_list_at(repair->revisions, i);
        if (strcmp(vqemu_revision_name(revision), place->revision) == 0)
            return revision_digest(revision);
    }
    return "";
}

static int try_trees(struct repair *repair, int trees_fd, struct want *want) {
    int r = 0;
    for (size_t i = 0; r == 0 && !want->found && i < want->problem->place_count; i++) {
        const struct place *place = &want->problem->places[i];
        _cleanup_free_ char *path = join_path(tree_of_place(repair, place), place->path);
        _cleanup_close_ int fd =
            path ? open_beneath(trees_fd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, false) : -ENOMEM;
        struct stat status;
        if (fd == -ENOMEM)
            return error_no_memory(repair->error);
        if (fd >= 0 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode))
            r = try_file(repair, fd, want);
    }
    return r;
}

static int look_in_store(struct repair *repair) {
    _cleanup_close_ int alt_fd = store_find_beside_objects(repair->store, STORE_ALT);
    _cleanup_close_ int trees_fd = -1;
    int r = store_find_trees(repair->store, &trees_fd, repair->error);
    for (size_t i = 0; r == 0 && i < repair->digests.count; i++) {
        struct want *want = &repair->wants[i];
        if (want->problem->is_content_good)
            r = try_named(repair, repair->store->objects_fd, want->problem->digest.hex, want);
        if (r == 0 && alt_fd >= 0)
            r = try_named(repair, alt_fd, want->problem->digest.hex, want);
        if (r == 0 && trees_fd >= 0)
            r = try_trees(repair, trees_fd, want);
    }
    return r;
}

/* ---- a source ---- */

static int look_in_other_store(struct repair *repair, const char *root) {
    _cleanup_store_ vqemu_store *other = NULL;
    /* Whoever it is of: what is taken from it is known by its digest. */
    int r = vqemu_store_open_root(root, VQEMU_STORE_READ_ONLY | VQEMU_STORE_ALLOW_OTHERS, &other,
                                  repair->error);
    for (size_t i = 0; r == 0 && i < repair->digests.count; i++)
        r = try_named(repair, other->objects_fd, repair->digests.digests[i].hex, &repair->wants[i]);
    return r;
}

static int look_at_entry(int directory_fd, const char *name, void *userdata) {
    struct repair *repair = userdata;
    _cleanup_close_ int fd = -1;
    struct stat status;
    struct digest digest;
    uint64_t size;
    const struct watch watch = {.progress = repair->progress};
    if (fstatat(directory_fd, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return 0;
    if (S_ISDIR(status.st_mode)) {
        if (repair->depth == DIRECTORY_DEPTH_MAX)
            return 0;
        repair->depth++;
        int r = for_each_entry(directory_fd, name, look_at_entry, repair);
        repair->depth--;
        return r == -EACCES ? 0 : r;
    }
    if (!S_ISREG(status.st_mode) || !is_allowed(repair, (uint64_t)status.st_size) ||
        object_open(directory_fd, name, &fd, &status) < 0 ||
        digest_of_fd_by(fd, repair->buffer, &watch, &digest, &size) < 0)
        return 0;
    struct want *want = find_want(repair, &digest);
    if (!want || lseek(fd, 0, SEEK_SET) < 0)
        return progress_advance(repair->progress, 0, "", size, repair->error);
    return try_file(repair, fd, want);
}

/* The path is the caller's, and may be a link; those in the directory are not followed. */
static int look_in_directory(struct repair *repair, const char *path) {
    _cleanup_close_ int fd = open_at(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0);
    int r = fd < 0 ? fd : for_each_entry(fd, ".", look_at_entry, repair);
    /* A callback's failure comes with an error; that of reading the directory does not. */
    if (r < 0 && !*repair->error)
        return error_system_at(repair->error, -r, "cannot read the directory", "%s", path);
    return r;
}

static int stage_item(struct repair *repair, struct archive_reader *reader, size_t number,
                      struct staged *staged) {
    struct staged_file file;
    int r = stage_begin(&repair->stage, number, false, &file);
    size_t size = 1;
    while (r == 0 && size > 0) {
        size = DIGEST_READ_SIZE;
        int failed = archive_read_content(reader, repair->buffer, &size, repair->error);
        if (failed < 0) {
            stage_end(&file);
            return failed;
        }
        r = stage_write(&file, repair->buffer, size);
    }
    if (r == 0)
        r = stage_complete(&repair->stage, &file, staged);
    stage_end(&file);
    return r < 0 ? stage_failed(&repair->stage, -r, "a file of the archive", repair->error) : 0;
}

static int look_at_item(struct repair *repair, struct archive_reader *reader,
                        const struct archive_item *item) {
    struct staged staged;
    if (item->kind != ARCHIVE_FILE || !is_allowed(repair, item->size))
        return 0;
    size_t number = repair->next_number++;
    int r = stage_item(repair, reader, number, &staged);
    if (r < 0)
        return r;
    struct want *want = find_want(repair, &staged.digest);
    if (want && want->problem->executable) {
        r = stage_set_executable(&repair->stage, number);
        if (r < 0)
            return stage_failed(&repair->stage, -r, staged.digest.hex, repair->error);
    }
    if (want)
        note_found(repair, want, number, &staged);
    else
        stage_drop(&repair->stage, number);
    return progress_advance(repair->progress, 0, "", item->size, repair->error);
}

static int look_in_archive(struct repair *repair, const char *path) {
    _cleanup_close_ int fd = open_at(AT_FDCWD, path, O_RDONLY | O_NOCTTY, 0);
    struct archive_reader *reader = NULL;
    struct archive_item item;
    if (fd < 0)
        return error_system_at(repair->error, -fd, "cannot open the archive", "%s", path);
    int r = archive_open(fd, path, repair->progress, &reader, repair->error);
    while (r == 0 && repair->left > 0) {
        r = archive_next(reader, &item, repair->error);
        if (r == 0)
            break;
        if (r == 1)
            r = look_at_item(repair, reader, &item);
    }
    archive_close(reader);
    return r;
}

/* Whether a path, which may be a link, is that of a directory: 1, 0, or a negative errno. */
static int leads_to_directory(const char *path) {
    struct stat status;
    if (stat(path, &status) == 0)
        return S_ISDIR(status.st_mode);
    return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
}

static int is_store(const char *path) {
    _cleanup_free_ char *objects = format_string("%s/cas/objects", path);
    _cleanup_free_ char *refs = format_string("%s/cas/refs", path);
    if (!objects || !refs)
        return -ENOMEM;
    int r = leads_to_directory(objects);
    return r == 1 ? leads_to_directory(refs) : r;
}

static int look_in_source(struct repair *repair, const char *from) {
    int r = leads_to_directory(from);
    if (r == 0)
        return look_in_archive(repair, from);
    if (r == 1)
        r = is_store(from);
    if (r < 0)
        return error_system_at(repair->error, -r, "cannot look at the source of good copies", "%s",
                               from);
    return r == 1 ? look_in_other_store(repair, from) : look_in_directory(repair, from);
}

int repair_check_source(const char *from, vqemu_error **error) {
    struct stat status;
    if (stat(from, &status) < 0)
        return error_system_at(error, errno, "cannot look at the source of good copies", "%s",
                               from);
    if (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode)) /* a pipe is opened but once */
        return 0;
    _cleanup_close_ int fd = open_at(AT_FDCWD, from, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
    return fd < 0 ? error_system_at(error, -fd, "cannot open the source of good copies", "%s", from)
                  : 0;
}

/* ---- publishing ---- */

static int publish_wants(struct repair *repair, vqemu_error **error) {
    int r = stage_sync(&repair->stage, error);
    for (size_t i = 0; r == 0 && i < repair->digests.count; i++) {
        struct want *want = &repair->wants[i];
        if (!want->found)
            continue;
        r = stage_publish(&repair->stage, want->number, &want->staged, "a repair", error);
        want->problem->repaired = r == 0;
    }
    return r == 0 ? stage_sync_objects(&repair->stage, error) : r;
}

int repair_objects(vqemu_store *store, const vqemu_revision_list *revisions, vqemu_check *check,
                   const char *from, struct vqemu_progress *progress, vqemu_error **error) {
    _cleanup_error_ vqemu_error *problem = NULL;
    _cleanup_(release_repair) struct repair repair = {
        .store = store,
        .revisions = revisions,
        .stage = STAGE_EMPTY,
        .buffer = malloc(DIGEST_READ_SIZE),
        .progress = progress,
        .error = &problem,
    };
    if (!repair.buffer || collect_wants(&repair, check) < 0)
        return error_no_memory(error);
    if (repair.left == 0)
        return 0;
    progress_start(progress, "repair", "bytes", 0);
    int r = stage_open(&repair.stage, store, 0, repair.error);
    repair.stage.progress = progress;
    if (r == 0)
        r = look_in_store(&repair);
    if (r == 0 && from && repair.left > 0)
        r = look_in_source(&repair, from);
    if (r == 0)
        r = publish_wants(&repair, repair.error);
    if (r < 0 && error)
        *error = TAKE_POINTER(problem);
    return r;
}
