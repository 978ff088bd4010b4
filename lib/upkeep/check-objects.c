/* SPDX-License-Identifier: MIT */
/* Is every object as its digest says? */
#include "upkeep/checker.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/workers.h"
#include "store/guard.h"
#include "store/object.h"
#include "util/dir.h"
#include "util/fd.h"
#include "util/strbuf.h"

#define MANY_OBJECTS 1000
#define CHUNK 64

/* ---- what there is to check ---- */

static int add_name(int directory_fd, const char *name, void *set) {
    struct digest digest;
    (void)directory_fd;
    return digest_parse(name, &digest) ? digest_set_add(set, &digest) : 0;
}

int checker_list_objects(struct checker *checker) {
    int r = 0;
    for (size_t i = 0; r == 0 && i < vqemu_revision_list_count(checker->revisions); i++) {
        const vqemu_revision *revision = vqemu_revision_list_at(checker->revisions, i);
        const vqemu_error *broken = vqemu_revision_error(revision);
        if (broken)
            r = report_add(checker->report, PROBLEM_REVISION, "",
                           strdup(vqemu_error_message(broken)));
        else
            r = manifest_add_digests(vqemu_revision_manifest(revision), &checker->objects);
    }
    if (r == 0 && !checker->name)
        r = for_each_entry(checker->store->objects_fd, ".", add_name, &checker->objects);
    if (r == 0 && checker->alt_fd >= 0)
        r = for_each_entry(checker->alt_fd, ".", add_name, &checker->alternatives);
    for (size_t i = 0; r == 0 && !checker->name && i < checker->alternatives.count; i++)
        r = digest_set_add(&checker->objects, &checker->alternatives.digests[i]);
    digest_set_sort(&checker->objects);
    digest_set_sort(&checker->alternatives);
    checker->report->objects = checker->objects.count;
    return r;
}

/* ---- hashing ---- */

/* Find out the state of one file. */
static int examine(struct checker *checker, unsigned worker, int directory_fd,
                   const struct digest *digest, struct finding *finding, vqemu_error **error) {
    _cleanup_close_ int fd = -1;
    struct stat status;
    uint64_t size = 0;
    const struct watch watch = {&checker->progress, worker};
    int r = object_open(directory_fd, digest->hex, &fd, &status);
    if (r == 0)
        r = digest_of_fd_by(fd, checker->buffers + worker * DIGEST_READ_SIZE, &watch,
                            &finding->actual, &size);
    if (r == -ECANCELED)
        return progress_given_up(&checker->progress, error);
    if (r == -ENOMEM)
        return error_no_memory(error);
    if (r == 0 && !digest_equal(&finding->actual, digest) &&
        !(checker->store->flags & VQEMU_STORE_READ_ONLY))
        object_mark_damaged(fd);
    finding->system_errno = -r;
    finding->inode = fd < 0 ? 0 : status.st_ino;
    finding->owner = fd < 0 ? 0 : (unsigned)status.st_uid;
    finding->state = r == -ENOENT                                          ? MISSING
                     : r == -ELOOP || r == -ENXIO                          ? NO_FILE
                     : r < 0                                               ? UNREADABLE
                     : !digest_equal(&finding->actual, digest)             ? DAMAGED
                     : !guard_trusts_owner(checker->store->flags, &status) ? ANOTHERS
                                                                           : GOOD;
    checker->bytes += size;
    return 0;
}

static int check_object(void *context, unsigned worker, size_t index, vqemu_error **error) {
    struct checker *checker = context;
    const struct digest *digest = &checker->objects.digests[index];
    int r = examine(checker, worker, checker->store->objects_fd, digest, &checker->findings[index],
                    error);
    if (r == 0 && digest_set_has(&checker->alternatives, digest->hex))
        r = examine(checker, worker, checker->alt_fd, digest, &checker->alt_findings[index], error);
    return r == 0 ? progress_advance(&checker->progress, worker, digest->hex, 1, error) : r;
}

int checker_hash_all(struct checker *checker, vqemu_error **error) {
    size_t count = checker->objects.count;
    const struct work work = {
        .function = check_object,
        .context = checker,
        .count = count,
        .chunk = count >= MANY_OBJECTS ? CHUNK : 1,
        .progress = &checker->progress,
    };
    checker->threads = call_threads(checker->progress.call);
    checker->findings = calloc(count + 1, sizeof *checker->findings);
    checker->alt_findings = calloc(count + 1, sizeof *checker->alt_findings);
    checker->buffers = malloc(checker->threads * DIGEST_READ_SIZE);
    if (!checker->findings || !checker->alt_findings || !checker->buffers)
        return error_no_memory(error);
    progress_start(&checker->progress, "verify", "objects", count);
    return workers_run(&work, checker->threads, error);
}

/* ---- reporting objects ---- */

static char *describe(const char *directory, const struct digest *digest,
                      const struct finding *finding) {
    char text[128];
    switch (finding->state) {
    case MISSING:
        return format_string("object %s/%s is missing", directory, digest->hex);
    case NO_FILE:
        return format_string("object %s/%s is not a regular file", directory, digest->hex);
    case UNREADABLE:
        return format_string("object %s/%s cannot be read: %s", directory, digest->hex,
                             strerror_r(finding->system_errno, text, sizeof text));
    case ANOTHERS:
        return format_string("object %s/%s belongs to user %u, who can change it", directory,
                             digest->hex, finding->owner);
    default:
        return format_string("object %s/%s is damaged: its content has the digest %s", directory,
                             digest->hex, finding->actual.hex);
    }
}

static int report_object(struct checker *checker, size_t index) {
    vqemu_check *report = checker->report;
    const struct digest *digest = &checker->objects.digests[index];
    const struct finding *finding = &checker->findings[index];
    if (finding->state == GOOD)
        return 0;
    int r = report_add(report, finding->state == MISSING ? PROBLEM_MISSING : PROBLEM_DAMAGED,
                       digest->hex, describe(checker->store->objects_path, digest, finding));
    if (r == 0)
        report->problems[report->count - 1].is_content_good = finding->state == ANOTHERS;
    return r;
}

/* An inode of the other mode class is only ever a second copy: it is made again when needed. */
static int report_alternative(struct checker *checker, size_t index, bool repair) {
    const struct digest *digest = &checker->objects.digests[index];
    const struct finding *finding = &checker->alt_findings[index];
    if (finding->state == GOOD || finding->state == MISSING)
        return 0;
    _cleanup_free_ char *path = format_string("%s/alt", checker->store->beside_path);
    if (!path)
        return -ENOMEM;
    int r =
        report_add(checker->report, PROBLEM_DAMAGED, digest->hex, describe(path, digest, finding));
    if (r < 0)
        return r;
    struct problem *problem = &checker->report->problems[checker->report->count - 1];
    problem->alternative = true;
    problem->repaired = repair && remove_tree(checker->alt_fd, digest->hex) == 0;
    return 0;
}

static int report_states(struct checker *checker, bool repair) {
    int r = 0;
    for (size_t i = 0; r == 0 && i < checker->objects.count; i++) {
        r = report_object(checker, i);
        if (r == 0 && checker->alt_fd >= 0)
            r = report_alternative(checker, i, repair);
    }
    for (size_t i = 0; r == 0 && i < checker->report->count; i++) {
        struct problem *problem = &checker->report->problems[i];
        int64_t index = digest_set_find(&checker->objects, problem->digest.hex);
        if (index >= 0)
            (problem->alternative ? checker->alt_findings : checker->findings)[index].problem =
                problem;
    }
    return r;
}

static int report_use(struct problem *problem, const vqemu_revision *revision,
                      const struct manifest_object *object) {
    if (!problem)
        return 0;
    problem->executable |=
        object->mode ? (object->mode & 0111) != 0 : strncmp(object->path, "bin/", 4) == 0;
    return report_add_place(problem, vqemu_revision_name(revision), object->path);
}

static int report_uses_of(struct checker *checker, const vqemu_revision *revision) {
    const vqemu_manifest *manifest = vqemu_revision_manifest(revision);
    int r = 0;
    for (size_t i = 0; r == 0 && manifest && i < vqemu_manifest_object_count(manifest); i++) {
        const struct manifest_object *object = manifest_object(manifest, i);
        int64_t index = digest_set_find(&checker->objects, object->digest.hex);
        r = report_use(checker->findings[index].problem, revision, object);
        if (r == 0)
            r = report_use(checker->alt_findings[index].problem, revision, object);
    }
    return r;
}

static int report_uses(struct checker *checker) {
    int r = 0;
    for (size_t i = 0; r == 0 && i < vqemu_revision_list_count(checker->revisions); i++)
        r = report_uses_of(checker, vqemu_revision_list_at(checker->revisions, i));
    return r;
}

int checker_report_objects(struct checker *checker, bool repair) {
    int r = report_states(checker, repair);
    return r == 0 ? report_uses(checker) : r;
}
