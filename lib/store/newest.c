/* SPDX-License-Identifier: MIT */
#include "store/newest.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>

#include "base/error.h"
#include "store/guard.h"
#include "store/newest-memo.h"
#include "store/record.h"
#include "util/export.h"
#include "util/join.h"
#include "util/strbuf.h"

/*
 * The file is cas/cache/newest-<profile>, and the same for a revision that was set to be used
 * cas/cache/newest-<its name>:
 *
 *     volt-newest 1
 *     refs <device> <inode> <seconds>.<nanoseconds of the last change>
 *     file <inode> <size> <seconds>.<nanoseconds of the last change>
 *     ref <name>
 *     digest <of the manifest>
 */
#define HEADER "volt-newest 1"
#define RECORD_LIMIT 4096
#define RECORD_PREFIX "newest-"
#define KEY_MAX 200

/*
 * A change shortly after another can leave the same time: of a clock that ticks every 10 ms, or, as
 * it seems where a time has no fraction, of a file system that counts whole seconds, or every other
 * one (FAT, SFTP).
 */
#define SETTLED_NANOSECONDS 100000000
#define SETTLED_WHOLE_NANOSECONDS 2100000000

static bool can_be_remembered(const char *key) {
    return *key && !strchr(key, '/') && strlen(key) <= KEY_MAX;
}

static struct seen see_directory(const struct stat *status) {
    return (struct seen){.device = status->st_dev,
                         .inode = status->st_ino,
                         .seconds = status->st_mtim.tv_sec,
                         .nanoseconds = status->st_mtim.tv_nsec};
}

static struct seen see_file(const struct stat *status) {
    return (struct seen){.inode = status->st_ino,
                         .size = (uint64_t)status->st_size,
                         .seconds = status->st_mtim.tv_sec,
                         .nanoseconds = status->st_mtim.tv_nsec};
}

static bool is_same(const struct seen *a, const struct seen *b) {
    return a->device == b->device && a->inode == b->inode && a->size == b->size &&
           a->seconds == b->seconds && a->nanoseconds == b->nanoseconds;
}

static bool is_still(const vqemu_store *store, const struct newest_memo *memo) {
    struct stat refs, file;
    _cleanup_free_ char *name = revision_file_name(memo->name);
    if (!name || fstat(store->refs_fd, &refs) < 0 ||
        fstatat(store->refs_fd, name, &file, AT_SYMLINK_NOFOLLOW) < 0)
        return false;
    const struct seen refs_now = see_directory(&refs), file_now = see_file(&file);
    return S_ISREG(file.st_mode) && guard_trusts_file(store->flags, &file) &&
           is_same(&refs_now, &memo->refs) && is_same(&file_now, &memo->file);
}

static bool copy_text(char *to, size_t size, const char *from) {
    if (!from || strlen(from) >= size)
        return false;
    strcpy(to, from);
    return true;
}

/* Two numbers, and a time. */
static bool parse_seen(const char *line, uint64_t *first, uint64_t *second, struct seen *seen) {
    return line && record_take_number(&line, 10, ' ', first) &&
           record_take_number(&line, 10, ' ', second) &&
           record_take_time(&line, '\0', &seen->seconds, &seen->nanoseconds);
}

static bool parse(char *text, struct newest_memo *memo) {
    struct seen *refs = &memo->refs, *file = &memo->file;
    *refs = *file = (struct seen){0};
    if (!record_next(&text, HEADER) ||
        !parse_seen(record_next(&text, "refs "), &refs->device, &refs->inode, refs) ||
        !parse_seen(record_next(&text, "file "), &file->inode, &file->size, file) ||
        !copy_text(memo->name, sizeof memo->name, record_next(&text, "ref ")))
        return false;
    const char *hex = record_next(&text, "digest ");
    return hex && digest_parse(hex, &memo->digest);
}

/* A record may say anything: the name must be that of the revision, or one of the profile. */
static bool names_what_is_meant(const struct newest_memo *memo) {
    size_t length = strlen(memo->key);
    if (revision_is_name(memo->key))
        return strcmp(memo->name, memo->key) == 0;
    return strncmp(memo->name, memo->key, length) == 0 && memo->name[length] == '-' &&
           strlen(memo->name) == length + 1 + REVISION_HASH_LENGTH && !strchr(memo->name, '/');
}

static bool memo_holds(const vqemu_store *store, const struct newest_memo *memo) {
    return *memo->name && names_what_is_meant(memo) && is_still(store, memo);
}

/* Returns 1, 0, or -ENOMEM. */
static int read_record(const vqemu_store *store, struct newest_memo *memo) {
    _cleanup_free_ char *path = join_texts("../" STORE_CACHE "/" RECORD_PREFIX, memo->key, NULL);
    _cleanup_free_ char *text = NULL;
    int r =
        path ? record_read(store->objects_fd, path, store->flags, RECORD_LIMIT, &text) : -ENOMEM;
    if (r < 0)
        return r == -ENOMEM ? r : 0;
    if (parse(text, memo) && memo_holds(store, memo))
        return 1;
    memo->name[0] = '\0';
    return 0;
}

static int recall_locked(vqemu_store *store, const char *key, vqemu_revision **revision,
                         vqemu_error **error) {
    struct newest_memo *memo = newest_memo_make(&store->memo, key);
    if (!memo)
        return error_no_memory(error);
    int r = memo_holds(store, memo) ? 1 : read_record(store, memo);
    if (r != 1)
        return r < 0 ? error_no_memory(error) : 0;
    r = revision_new_unloaded(store, memo->name, &memo->digest, revision, error);
    return r < 0 ? r : 1;
}

/*
 * The newest revision of a profile, or that of a name, as it was found before, if nothing was added
 * to refs/, removed or renamed since, and its file is the same. Its manifest has not been loaded.
 * Returns 1 and *revision, 0 if it is not known, or an error.
 */
static int recall(vqemu_store *store, const char *key, vqemu_revision **revision,
                  vqemu_error **error) {
    if (!can_be_remembered(key))
        return 0;
    pthread_mutex_lock(&store->memo_lock);
    int r = recall_locked(store, key, revision, error);
    pthread_mutex_unlock(&store->memo_lock);
    return r;
}

/* The state of refs/ before it is read. */
struct scan {
    struct timespec begin;
    struct stat refs;
};

static void begin_scan(const vqemu_store *store, struct scan *scan) {
    clock_gettime(CLOCK_REALTIME, &scan->begin);
    if (fstat(store->refs_fd, &scan->refs) < 0)
        scan->refs.st_mtim = scan->begin; /* then nothing is remembered */
}

static bool is_settled(const struct timespec *begin, const struct timespec *change) {
    int64_t seconds = (int64_t)begin->tv_sec - change->tv_sec;
    int64_t enough = change->tv_nsec == 0 ? SETTLED_WHOLE_NANOSECONDS : SETTLED_NANOSECONDS;
    if (seconds < 0 || seconds > 3)
        return seconds > 3;
    return seconds * 1000000000 + begin->tv_nsec - change->tv_nsec >= enough;
}

/* See parse_seen(). */
static void add_seen(struct strbuf *text, const char *word, uint64_t first, uint64_t second,
                     const struct seen *seen) {
    strbuf_add(text, word);
    record_add_number(text, first, 10, ' ');
    record_add_number(text, second, 10, ' ');
    record_add_time(text, seen->seconds, seen->nanoseconds, '\n');
}

/* Remember what a reading of refs/ found. Failures do not matter. */
static void remember(const vqemu_store *store, const char *key, const struct scan *scan,
                     const vqemu_revision *revision) {
    const struct stat *file = revision_file_status(revision);
    if (store->flags & VQEMU_STORE_READ_ONLY || !can_be_remembered(key) ||
        !is_settled(&scan->begin, &scan->refs.st_mtim) || !is_settled(&scan->begin, &file->st_mtim))
        return;
    _cleanup_close_ int cache_fd = -1;
    _cleanup_free_ char *name = join_texts(RECORD_PREFIX, key, NULL);
    _cleanup_strbuf_ struct strbuf text = {0};
    const struct seen refs = see_directory(&scan->refs), seen = see_file(file);
    if (!name || store_open_beside_objects(store, STORE_CACHE, &cache_fd, NULL) < 0)
        return;
    strbuf_add(&text, HEADER "\n");
    add_seen(&text, "refs ", refs.device, refs.inode, &refs);
    add_seen(&text, "file ", seen.inode, seen.size, &seen);
    strbuf_addf(&text, "ref %s\ndigest %s\n", vqemu_revision_name(revision),
                revision_digest(revision));
    record_replace(cache_fd, name, &text);
}

int newest_find(vqemu_store *store, const char *profile, vqemu_call *call,
                vqemu_revision **revision, vqemu_error **error) {
    *revision = NULL;
    int r = recall(store, profile, revision, error);
    if (r != 0)
        return r < 0 ? r : 0;
    struct scan scan;
    _cleanup_revision_list_ vqemu_revision_list *list = NULL;
    begin_scan(store, &scan);
    r = revision_list_sound(store, profile, call, &list, error);
    if (r < 0)
        return r;
    if (vqemu_revision_list_count(list) == 0)
        return revision_not_in_store(store, profile, error);
    *revision = vqemu_revision_ref(vqemu_revision_list_at(list, 0));
    remember(store, profile, &scan, *revision);
    return 0;
}

int newest_load(vqemu_store *store, const char *profile, vqemu_call *call,
                vqemu_revision **revision, vqemu_error **error) {
    *revision = NULL;
    _cleanup_revision_ vqemu_revision *newest = NULL;
    int r = newest_find(store, profile, call, &newest, error);
    if (r == 0)
        r = revision_load(store, newest, call, error);
    if (r < 0)
        return r;
    *revision = TAKE_POINTER(newest);
    return 0;
}

int newest_find_named(vqemu_store *store, const char *name, vqemu_call *call,
                      vqemu_revision **revision, vqemu_error **error) {
    *revision = NULL;
    int r = recall(store, name, revision, error);
    if (r != 0)
        return r < 0 ? r : 0;
    struct scan scan;
    begin_scan(store, &scan);
    r = revision_find(store, name, call, revision, error);
    if (r == 0)
        remember(store, name, &scan, *revision);
    return r;
}
