// SPDX-License-Identifier: MIT
/*
 * The floors: bare loops of the system calls that each job cannot do without. No checks, no
 * messages, nothing that survives a crash in between; whoever does the job properly is compared
 * with them.
 *
 *     floor assemble [--verify] THREADS PLAN OBJECTS TREES NAME
 *     floor hash THREADS PLAN DIRECTORY
 *     floor ingest [--fsync-each] THREADS PLAN DIRECTORY STORE
 *     floor raw THREADS MIB             prints nanoseconds; the others are timed from outside
 *
 * A plan has a line "<64 hex digits> <size> <path>" for each file, sorted by directory.
 */
#include "bench.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>

#define BUFFER_SIZE ((size_t)256 * 1024)
#define RAW_SIZE ((size_t)64 * 1024) /* stays in the cache */
#define MAX_THREADS 16
#define HEX_LENGTH 64
/* With fewer files a job is a file, else a directory: threads in one directory wait for each other.
 */
#define FEW_FILES 500

struct entry {
    char *digest, *path, *name;
    size_t size, directory;
};

/* Entries first to end - 1 lie in this directory. */
struct directory {
    char *path;
    size_t first, end;
    int fd;
};

struct plan {
    struct entry *entries;
    size_t count;
    struct directory *directories;
    size_t directory_count;
};

struct work;

struct worker {
    struct work *work;
    size_t number;
    unsigned char *buffer;
    EVP_MD_CTX *context;
    int stage_fd; /* of an ingest: each thread has a directory of its own */
};

struct work {
    struct plan plan;
    void (*job)(struct worker *worker, size_t index);
    size_t jobs;
    atomic_size_t next;
    EVP_MD *algorithm;
    int files_fd; /* the directory that paths or digests are relative to */
    int stages_fd;
    size_t *stage_of; /* which worker staged an entry */
    bool verify, fsync_each;
};

/* ---- plans ---- */

static void enter_directory(struct plan *plan, const char *path, size_t length) {
    struct directory *last = plan->directories + plan->directory_count;
    if (plan->directory_count > 0 && strlen(last[-1].path) == length &&
        memcmp(last[-1].path, path, length) == 0)
        return;
    *last = (struct directory){.path = strndup(path, length), .first = plan->count, .fd = -1};
    plan->directory_count++;
}

static void add_entry(struct plan *plan, char *line) {
    struct entry *entry = &plan->entries[plan->count];
    char *end;
    entry->digest = line;
    line[HEX_LENGTH] = '\0';
    entry->size = strtoul(line + HEX_LENGTH + 1, &end, 10);
    entry->path = end + 1;
    char *slash = strrchr(entry->path, '/');
    if (!slash)
        die_text(entry->path, "is not in a directory");
    entry->name = slash + 1;
    enter_directory(plan, entry->path, (size_t)(slash - entry->path));
    entry->directory = plan->directory_count - 1;
    plan->directories[entry->directory].end = ++plan->count;
}

static struct plan load_plan(const char *path) {
    size_t size, lines = 0;
    char *text = read_file(path, &size), *rest;
    for (size_t i = 0; i < size; i++)
        lines += text[i] == '\n';
    struct plan plan = {.entries = allocate(lines, sizeof *plan.entries),
                        .directories = allocate(lines, sizeof *plan.directories)};
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
        add_entry(&plan, line);
    return plan;
}

static int larger_first(const void *a, const void *b) {
    size_t left = ((const struct entry *)a)->size, right = ((const struct entry *)b)->size;
    return (left < right) - (left > right);
}

/* With few files, a large one that comes last would leave the other threads idle. */
static void sort_for_hashing(struct plan *plan) {
    if (plan->count < FEW_FILES)
        qsort(plan->entries, plan->count, sizeof *plan->entries, larger_first);
}

static int open_directory(int beneath, const char *path) {
    int fd = openat(beneath, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        die(path);
    return fd;
}

static int make_directory(int beneath, const char *path) {
    if (mkdirat(beneath, path, 0755) < 0)
        die(path);
    return open_directory(beneath, path);
}

/* ---- threads ---- */

static void *run_worker(void *argument) {
    struct worker *worker = argument;
    struct work *work = worker->work;
    worker->buffer = allocate(BUFFER_SIZE, 1);
    worker->context = EVP_MD_CTX_new();
    for (;;) {
        size_t index = atomic_fetch_add_explicit(&work->next, 1, memory_order_relaxed);
        if (index >= work->jobs)
            break;
        work->job(worker, index);
    }
    EVP_MD_CTX_free(worker->context);
    free(worker->buffer);
    return NULL;
}

static void name_stage(size_t number, char name[static 24]) {
    snprintf(name, 24, "stage-%zu", number);
}

static void run_threads(struct work *work, size_t threads) {
    struct worker workers[MAX_THREADS];
    pthread_t ids[MAX_THREADS];
    if (threads > MAX_THREADS)
        die_text("threads", "too many");
    for (size_t i = 0; i < threads; i++) {
        workers[i] = (struct worker){.work = work, .number = i, .stage_fd = -1};
        if (work->stages_fd >= 0) {
            char name[24];
            name_stage(i, name);
            workers[i].stage_fd = make_directory(work->stages_fd, name);
        }
    }
    for (size_t i = 1; i < threads; i++)
        if ((errno = pthread_create(&ids[i], NULL, run_worker, &workers[i])))
            die("thread");
    run_worker(&workers[0]);
    for (size_t i = 1; i < threads; i++)
        pthread_join(ids[i], NULL);
    for (size_t i = 0; i < threads && work->stages_fd >= 0; i++)
        close(workers[i].stage_fd);
}

static void start_hashing(struct work *work) {
    work->algorithm = EVP_MD_fetch(NULL, "SHA256", NULL);
    if (!work->algorithm)
        die_text("SHA256", "not in libcrypto");
}

/* ---- hashing ---- */

/* Read to the end, hash, and copy to another file if there is one. */
static void hash_fd(struct worker *worker, int fd, int copy_fd) {
    unsigned char digest[EVP_MAX_MD_SIZE];
    ssize_t n;
    EVP_DigestInit_ex2(worker->context, worker->work->algorithm, NULL);
    while ((n = read(fd, worker->buffer, BUFFER_SIZE)) > 0) {
        EVP_DigestUpdate(worker->context, worker->buffer, (size_t)n);
        if (copy_fd >= 0 && write(copy_fd, worker->buffer, (size_t)n) != n)
            die("write");
    }
    if (n < 0)
        die("read");
    EVP_DigestFinal_ex(worker->context, digest, NULL);
}

static int open_file(int beneath, const char *path) {
    int fd = openat(beneath, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        die(path);
    return fd;
}

static void hash_entry(struct worker *worker, size_t index) {
    int fd = open_file(worker->work->files_fd, worker->work->plan.entries[index].path);
    hash_fd(worker, fd, -1);
    close(fd);
}

static void hash(size_t threads, const char *plan, const char *directory) {
    struct work work = {.plan = load_plan(plan),
                        .job = hash_entry,
                        .files_fd = open_directory(AT_FDCWD, directory),
                        .stages_fd = -1};
    sort_for_hashing(&work.plan);
    work.jobs = work.plan.count;
    start_hashing(&work);
    run_threads(&work, threads);
}

static void hash_buffer(struct worker *worker, size_t index) {
    unsigned char digest[EVP_MAX_MD_SIZE];
    (void)index;
    EVP_DigestInit_ex2(worker->context, worker->work->algorithm, NULL);
    for (size_t done = 0; done < (size_t)1 << 20; done += RAW_SIZE)
        EVP_DigestUpdate(worker->context, worker->buffer, RAW_SIZE);
    EVP_DigestFinal_ex(worker->context, digest, NULL);
}

/* What the processors can hash if nothing has to be read. */
static void raw(size_t threads, size_t mib) {
    struct work work = {.job = hash_buffer, .jobs = mib, .stages_fd = -1};
    start_hashing(&work);
    uint64_t start = now_ns();
    run_threads(&work, threads);
    printf("%ju\n", (uintmax_t)(now_ns() - start));
}

/* ---- assembling ---- */

static void link_entry(struct worker *worker, const struct entry *entry) {
    const struct work *work = worker->work;
    int directory_fd = work->plan.directories[entry->directory].fd;
    if (!work->verify) {
        if (linkat(work->files_fd, entry->digest, directory_fd, entry->name, 0) < 0)
            die(entry->path);
        return;
    }
    int fd = open_file(work->files_fd, entry->digest);
    hash_fd(worker, fd, -1);
    if (linkat(fd, "", directory_fd, entry->name, AT_EMPTY_PATH) < 0)
        die(entry->path);
    close(fd);
}

static void link_one(struct worker *worker, size_t index) {
    link_entry(worker, &worker->work->plan.entries[index]);
}

static void link_directory(struct worker *worker, size_t index) {
    const struct directory *directory = &worker->work->plan.directories[index];
    for (size_t i = directory->first; i < directory->end; i++)
        link_entry(worker, &worker->work->plan.entries[i]);
}

/* Make and open every directory; parents are made on the way to their first child. */
static void make_directories(const struct plan *plan, int stage_fd) {
    char path[4096];
    for (size_t i = 0; i < plan->directory_count; i++) {
        struct directory *directory = &plan->directories[i];
        for (size_t j = 1; j <= strlen(directory->path); j++) {
            if (directory->path[j] != '/' && directory->path[j] != '\0')
                continue;
            snprintf(path, sizeof path, "%.*s", (int)j, directory->path);
            if (mkdirat(stage_fd, path, 0755) < 0 && errno != EEXIST)
                die(path);
        }
        directory->fd = open_directory(stage_fd, directory->path);
    }
}

static void sync_fd(int fd) {
    if (fsync(fd) < 0)
        die("fsync");
}

static int write_stamp(int stage_fd) {
    static const char stamp[200];
    int fd = openat(stage_fd, ".stamp", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
    if (fd < 0 || write(fd, stamp, sizeof stamp) != sizeof stamp)
        die("stamp");
    return fd;
}

/*
 * Atomic and durable: staged, renamed, synced. The rename comes first, since on file systems whose
 * journal keeps the order it gets there together with the links or after them, in one commit.
 */
static void assemble(bool verify, size_t threads, char **arguments) {
    struct work work = {.plan = load_plan(arguments[0]),
                        .files_fd = open_directory(AT_FDCWD, arguments[1]),
                        .stages_fd = -1,
                        .verify = verify};
    int trees_fd = open_directory(AT_FDCWD, arguments[2]);
    int stage_fd = make_directory(trees_fd, ".stage");
    bool few = work.plan.count < FEW_FILES;
    work.job = few ? link_one : link_directory;
    work.jobs = few ? work.plan.count : work.plan.directory_count;
    if (verify)
        start_hashing(&work);
    make_directories(&work.plan, stage_fd);
    if (few && verify)
        sort_for_hashing(&work.plan);
    run_threads(&work, threads);
    int stamp_fd = write_stamp(stage_fd);
    if (renameat(trees_fd, ".stage", trees_fd, arguments[3]) < 0)
        die(arguments[3]);
    sync_fd(stamp_fd);
    for (size_t i = 0; i < work.plan.directory_count; i++)
        sync_fd(work.plan.directories[i].fd);
    sync_fd(stage_fd);
    sync_fd(trees_fd);
}

/* ---- ingest ---- */

static void stage_entry(struct worker *worker, size_t index) {
    static const struct timespec times[2] = {{.tv_sec = 1}, {.tv_sec = 1}};
    struct work *work = worker->work;
    const struct entry *entry = &work->plan.entries[index];
    int from = open_file(work->files_fd, entry->path);
    int to = openat(worker->stage_fd, entry->digest, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (to < 0)
        die(entry->path);
    hash_fd(worker, from, to);
    if (fchmod(to, 0444) < 0 || futimens(to, times) < 0)
        die(entry->path);
    if (work->fsync_each)
        sync_fd(to);
    work->stage_of[index] = worker->number;
    close(to);
    close(from);
}

static void publish_objects(const struct work *work, int objects_fd) {
    for (size_t i = 0; i < work->plan.count; i++) {
        const char *digest = work->plan.entries[i].digest;
        char staged[24 + HEX_LENGTH + 2];
        name_stage(work->stage_of[i], staged);
        snprintf(staged + strlen(staged), HEX_LENGTH + 2, "/%s", digest);
        if (renameat2(work->stages_fd, staged, objects_fd, digest, RENAME_NOREPLACE) < 0)
            die(digest);
    }
    sync_fd(objects_fd);
}

/* Stage, hash on the way, sync, publish by rename, sync the renames. */
static void ingest(bool fsync_each, size_t threads, char **arguments) {
    struct work work = {.plan = load_plan(arguments[0]),
                        .job = stage_entry,
                        .files_fd = open_directory(AT_FDCWD, arguments[1]),
                        .stages_fd = make_directory(AT_FDCWD, arguments[2]),
                        .fsync_each = fsync_each};
    int objects_fd = make_directory(work.stages_fd, "objects");
    sort_for_hashing(&work.plan);
    work.jobs = work.plan.count;
    work.stage_of = allocate(work.plan.count, sizeof *work.stage_of);
    start_hashing(&work);
    run_threads(&work, threads);
    if (!fsync_each && syncfs(objects_fd) < 0)
        die("syncfs");
    publish_objects(&work, objects_fd);
}

int main(int argc, char **argv) {
    const char *command = argc > 1 ? argv[1] : "";
    bool option = argc > 2 && strncmp(argv[2], "--", 2) == 0;
    char **arguments = argv + 2 + option;
    int count = argc - 2 - option;
    size_t threads = count > 0 ? parse_count(arguments[0]) : 1;
    if (strcmp(command, "assemble") == 0 && count == 5)
        assemble(option, threads, arguments + 1);
    else if (strcmp(command, "hash") == 0 && count == 3)
        hash(threads, arguments[1], arguments[2]);
    else if (strcmp(command, "ingest") == 0 && count == 4)
        ingest(option, threads, arguments + 1);
    else if (strcmp(command, "raw") == 0 && count == 2)
        raw(threads, parse_count(arguments[1]));
    else
        die_text("usage", "floor assemble|hash|ingest|raw ...; see the top of floor.c");
    return 0;
}
