/* SPDX-License-Identifier: MIT */
/* The entries of a tar archive, and the objects that they amount to. */
#include "transfer/import.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "store/store-profile.h"
#include "transfer/arriving.h"
#include "trust/signature-set.h"
#include "util/fd.h"
#include "util/path.h"
#include "util/rfc3339.h"
#include "util/strbuf.h"
#include "util/word.h"

/* ---- paths ---- */

/*
 * tar(1) writes "./a" for a file of the directory that it packs, and "a/" for a directory; "" is
 * the directory itself. No more is put right: what plain_path() makes of paths of the host, such as
 * "a//b" and "a/./b", is refused here by the rule of manifests, which hold one name for a file.
 */
static char *entry_path(const char *path) {
    while (path[0] == '.' && path[1] == '/') {
        path++;
        while (*path == '/')
            path++;
    }
    if (strcmp(path, ".") == 0)
        path++;
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/')
        length--;
    return strndup(path, length);
}

/*
 * Where a symbolic link leads, as a path in the archive; NULL if that is out of it, or nowhere. A
 * trailing slash asks for a directory, which no link may lead to.
 */
static char *resolve_target(const char *link, const char *target) {
    char path[2 * MANIFEST_PATH_MAX + 2];
    const char *slash = strrchr(link, '/');
    size_t length = slash ? (size_t)(slash - link) : 0;
    if (*target == '/' || strlen(target) > MANIFEST_PATH_MAX)
        return NULL;
    memcpy(path, link, length);
    while (*target) {
        size_t component = strcspn(target, "/");
        if (component == 2 && strncmp(target, "..", 2) == 0) {
            if (length == 0)
                return NULL;
            while (length > 0 && path[--length] != '/')
                ;
        } else if (component > 1 || (component == 1 && *target != '.')) {
            if (length > 0)
                path[length++] = '/';
            memcpy(path + length, target, component);
            length += component;
        }
        target += component;
        while (*target == '/')
            target++;
    }
    return length > 0 ? strndup(path, length) : NULL;
}

/* ---- entries ---- */

/* reason: that of docs/errors.md. */
static int refuse_entry(const struct import *import, const char *path, int code, const char *reason,
                        const char *why, vqemu_error **error) {
    int r = error_set(error, code, 0, "the archive %s has an entry \"%.200s\" %s", import->name,
                      path, why);
    return error_because(r, error, reason, VQEMU_DETAIL_PATH, import->name, VQEMU_DETAIL_ENTRY,
                         path, NULL);
}

static int check_path(const struct import *import, const char *path, vqemu_error **error) {
    const char *fault = manifest_find_new_path_fault(path);
    if (!fault)
        return 0;
    _cleanup_free_ char *why =
        format_string("that cannot be stored: a manifest cannot hold its path (%s)", fault);
    return why ? refuse_entry(import, path, VQEMU_ERR_INVALID, "bad-path", why, error)
               : error_no_memory(error);
}

static int report(struct import *import, vqemu_error **error) {
    uint64_t position = archive_position(import->reader);
    uint64_t more = position - import->reported;
    import->reported = position;
    return progress_advance(&import->progress, 0, import->name, more, error);
}

/* The path belongs to the entry then, also on failure. */
static int add_entry(struct import *import, char *path, const struct archive_item *item,
                     struct entry **added, vqemu_error **error) {
    if (import->count == call_max_objects(import->progress.call)) {
        int r = error_set(error, VQEMU_ERR_INVALID, 0,
                          "the archive %s has more than %zu files; \"%.200s\" is one too many",
                          import->name, import->count, path);
        free(path);
        return error_because(r, error, "too-many-files", VQEMU_DETAIL_PATH, import->name, NULL);
    }
    if (import->count == import->capacity) {
        size_t capacity = import->capacity ? 2 * import->capacity : 64;
        struct entry *entries = realloc(import->entries, capacity * sizeof *entries);
        if (!entries) {
            free(path);
            return error_no_memory(error);
        }
        import->entries = entries;
        import->capacity = capacity;
    }
    struct entry *entry = &import->entries[import->count];
    *entry = (struct entry){
        .path = path,
        .kind = item->kind,
        .number = import->count++,
        .executable = item->executable || strncmp(path, "bin/", 4) == 0,
    };
    *added = entry;
    return 0;
}

static int check_size(struct import *import, const char *path, uint64_t size, vqemu_error **error) {
    if (size <= import->size_left) {
        import->size_left -= size;
        import->total_size += size;
        return 0;
    }
    int r = error_set(
        error, VQEMU_ERR_INVALID, 0,
        "the archive %s is too large: with \"%.200s\" its files have more than the %llu bytes that "
        "are allowed",
        import->name, path, (unsigned long long)call_max_size(import->progress.call));
    return error_because(r, error, "too-large", VQEMU_DETAIL_PATH, import->name, NULL);
}

static int stage_content(struct import *import, const struct entry *entry, struct staged_file *file,
                         vqemu_error **error) {
    for (;;) {
        size_t size = IMPORT_BUFFER_SIZE;
        int r = archive_read_content(import->reader, import->buffer, &size, error);
        if (r < 0 || size == 0)
            return r;
        r = stage_write(file, import->buffer, size);
        if (r < 0)
            return stage_failed(&import->stage, -r, entry->path, error);
        r = report(import, error);
        if (r < 0)
            return r;
    }
}

/* What the manifest says of a file counts, if there is one. */
static bool is_executable(const struct import *import, const struct entry *entry) {
    int64_t index = import->manifest ? vqemu_manifest_find(import->manifest, entry->path) : -1;
    uint32_t mode = index < 0 ? 0 : vqemu_manifest_object_mode(import->manifest, (size_t)index);
    return mode ? mode & 0111 : entry->executable;
}

static int note_arch(struct import *import, const struct entry *entry, vqemu_error **error) {
    _cleanup_close_ int fd = stage_reopen(&import->stage, entry->number);
    const char *arch = NULL;
    int r = fd < 0 ? fd : ingest_find_arch(entry->path, fd, &arch);
    if (r < 0)
        return stage_failed(&import->stage, -r, entry->path, error);
    if (arch)
        import->arch = arch;
    return 0;
}

static int stage_file(struct import *import, struct entry *entry, vqemu_error **error) {
    struct staged_file file;
    int r = stage_begin(&import->stage, entry->number, is_executable(import, entry), &file);
    if (r < 0)
        return stage_failed(&import->stage, -r, entry->path, error);
    r = stage_content(import, entry, &file, error);
    if (r == 0) {
        r = stage_complete(&import->stage, &file, &entry->staged);
        if (r < 0)
            r = stage_failed(&import->stage, -r, entry->path, error);
    }
    stage_end(&file);
    return r == 0 ? note_arch(import, entry, error) : r;
}

/* The whole content of an entry, with a NUL behind. */
static int read_text(struct import *import, const struct archive_item *item, char **text,
                     size_t *length, vqemu_error **error) {
    _cleanup_free_ char *read = malloc(item->size + 1);
    size_t size;
    if (!read)
        return error_no_memory(error);
    *length = 0;
    do {
        size = item->size - *length;
        int r = archive_read_content(import->reader, read + *length, &size, error);
        if (r < 0)
            return r;
        *length += size;
    } while (size > 0);
    read[*length] = '\0';
    *text = TAKE_POINTER(read);
    return 0;
}

/* The manifest of an export, which must come before all else. */
static int read_manifest(struct import *import, const struct archive_item *item,
                         vqemu_error **error) {
    size_t limit = manifest_text_limit(call_max_objects(import->progress.call));
    if (import->manifest || import->count > 0 || item->kind != ARCHIVE_FILE)
        return refuse_entry(import, item->path, VQEMU_ERR_MALFORMED, "manifest-misplaced",
                            "that is not a file at its beginning; pack it first, or leave it out "
                            "and name the profile",
                            error);
    if (item->size > limit)
        return refuse_entry(import, item->path, VQEMU_ERR_MALFORMED, "manifest-too-large",
                            "that is too large", error);
    size_t length = 0;
    int r = read_text(import, item, &import->manifest_text, &length, error);
    if (r < 0)
        return r;
    _cleanup_free_ char *source = format_string("%s: " ARCHIVE_MANIFEST_NAME, import->name);
    if (!source)
        return error_no_memory(error);
    r = manifest_load_memory(import->manifest_text, length, source,
                             call_max_objects(import->progress.call), &import->manifest, error);
    return r == VQEMU_ERR_MALFORMED
               ? error_because(r, error, "manifest-broken", VQEMU_DETAIL_PATH, import->name, NULL)
               : r;
}

static struct arriving arriving_of(const struct import *import) {
    return (struct arriving){"the archive", import->name, import->manifest, import->options,
                             import->any_profile};
}

static int check_manifest(struct import *import, vqemu_error **error) {
    const struct arriving arriving = arriving_of(import);
    return arriving_check(&arriving, &import->profile, error);
}

/* ---- signatures, behind the manifest ---- */

static bool is_signature(const char *path) {
    struct digest digest;
    return begins_with(path, ARCHIVE_SIGNATURE_PREFIX) &&
           digest_parse(path + strlen(ARCHIVE_SIGNATURE_PREFIX), &digest);
}

static int read_signature(struct import *import, const char *path, const struct archive_item *item,
                          vqemu_error **error) {
    _cleanup_free_ char *text = NULL;
    size_t size = 0;
    if (!import->manifest || import->is_judged || item->kind != ARCHIVE_FILE)
        return refuse_entry(import, path, VQEMU_ERR_MALFORMED, "signature-misplaced",
                            "that is not a file between its manifest and its other files", error);
    if (item->size == 0 || item->size > SIGNATURE_SIZE_MAX)
        return refuse_entry(import, path, VQEMU_ERR_MALFORMED, "signature-misplaced",
                            "that cannot be a signature: that has from 1 to 4096 bytes", error);
    int r = read_text(import, item, &text, &size, error);
    if (r < 0)
        return r;
    const struct digest digest = digest_of_bytes(text, size);
    if (strcmp(path + strlen(ARCHIVE_SIGNATURE_PREFIX), digest.hex) != 0)
        return refuse_entry(import, path, VQEMU_ERR_CORRUPT, "entry-differs",
                            "whose content is not what its name says", error);
    r = signature_set_add(&import->signatures, text, size);
    if (r == -E2BIG)
        return refuse_entry(import, path, VQEMU_ERR_INVALID, "too-many-signatures",
                            "that is a signature more than the 16 that there can be", error);
    if (r == 0)
        return refuse_entry(import, path, VQEMU_ERR_MALFORMED, "entry-twice", "more than once",
                            error);
    return r < 0 ? error_no_memory(error) : 0;
}

int import_check_trust(struct import *import, vqemu_error **error) {
    const struct arriving arriving = arriving_of(import);
    const struct arriving_proof proof = {
        .store = import->store, .text = import->manifest_text, .signatures = &import->signatures};
    if (import->is_judged)
        return 0;
    import->is_judged = true;
    return arriving_check_trust(&arriving, &proof, import->profile, error);
}

/* What comes before the files, and is none of them. Returns 1 for another one. */
static int take_head(struct import *import, const char *path, const struct archive_item *item,
                     vqemu_error **error) {
    if (is_signature(path))
        return read_signature(import, path, item, error);
    if (strcmp(path, ARCHIVE_MANIFEST_NAME) != 0)
        return 1;
    int r = read_manifest(import, item, error);
    return r == 0 ? check_manifest(import, error) : r;
}

static int add_link(struct import *import, char *path, const struct archive_item *item,
                    vqemu_error **error) {
    struct entry *entry;
    int r = add_entry(import, path, item, &entry, error);
    if (r < 0)
        return r;
    const char *target = item->target ? item->target : "";
    entry->target =
        item->kind == ARCHIVE_HARDLINK ? entry_path(target) : resolve_target(path, target);
    if (!entry->target && item->kind == ARCHIVE_HARDLINK)
        return error_no_memory(error);
    if (!entry->target)
        return refuse_entry(import, path, VQEMU_ERR_UNSUPPORTED, "link-leads-out",
                            "that is a symbolic link out of it; put the file itself there", error);
    return 0;
}

static int check_item(struct import *import, const char *path, const struct archive_item *item,
                      vqemu_error **error) {
    if (!*path && item->kind == ARCHIVE_DIRECTORY)
        return 0;
    int r = check_path(import, path, error);
    /* Whose profile it is, if it does not say so itself: better told now than when all is read. */
    if (r == 0 && !import->manifest && import->options && import->options->profile)
        r = profile_check_options(import->options, error);
    if (r == 0 && item->kind == ARCHIVE_SPECIAL)
        r = refuse_entry(import, path, VQEMU_ERR_UNSUPPORTED, "special-file",
                         "that is a device, socket or FIFO; a profile holds only files", error);
    return r == 0 ? import_check_trust(import, error) : r;
}

static int add_item(struct import *import, const struct archive_item *item, vqemu_error **error) {
    char *path = entry_path(item->path);
    struct entry *entry;
    if (!path)
        return error_no_memory(error);
    int r = take_head(import, path, item, error);
    bool is_head = r <= 0;
    if (!is_head)
        r = check_item(import, path, item, error);
    if (r < 0 || is_head || item->kind == ARCHIVE_DIRECTORY) {
        free(path);
        return r;
    }
    if (item->kind != ARCHIVE_FILE)
        return add_link(import, path, item, error);
    r = add_entry(import, path, item, &entry, error);
    if (r == 0)
        r = check_size(import, path, item->size, error);
    return r == 0 ? stage_file(import, entry, error) : r;
}

int import_read_entries(struct import *import, vqemu_error **error) {
    struct archive_item item;
    for (;;) {
        int r = archive_next(import->reader, &item, error);
        if (r <= 0)
            return r;
        /* Each file may come with a directory. */
        if (++import->entries_seen / 2 > call_max_objects(import->progress.call))
            return refuse_entry(import, item.path, VQEMU_ERR_INVALID, "too-many-files", "too many",
                                error);
        r = add_item(import, &item, error);
        if (r == 0)
            r = report(import, error);
        if (r < 0)
            return r;
    }
}

/* ---- what the entries amount to ---- */

static int compare_entries(const void *a, const void *b) {
    const struct entry *x = a, *y = b;
    int order = strcmp(x->path, y->path);
    return order ? order : x->number < y->number ? -1 : x->number > y->number;
}

static struct entry *find_entry(const struct import *import, const char *path) {
    size_t low = 0, high = import->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(import->entries[middle].path, path);
        if (order == 0)
            return &import->entries[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

int import_sort_entries(struct import *import, vqemu_error **error) {
    if (import->count > 0)
        qsort(import->entries, import->count, sizeof *import->entries, compare_entries);
    for (size_t i = 1; i < import->count; i++)
        if (strcmp(import->entries[i - 1].path, import->entries[i].path) == 0)
            return refuse_entry(import, import->entries[i].path, VQEMU_ERR_MALFORMED, "entry-twice",
                                "more than once", error);
    return 0;
}

static int link_is_bad(const struct import *import, const struct entry *link, const char *why,
                       vqemu_error **error) {
    _cleanup_free_ char *what =
        format_string("that is a link to \"%.200s\", %s", link->target, why);
    return what
               ? refuse_entry(import, link->path, VQEMU_ERR_UNSUPPORTED, "link-broken", what, error)
               : error_no_memory(error);
}

/* The file that an entry is or leads to. */
static int follow(const struct import *import, const struct entry *entry, const struct entry **file,
                  vqemu_error **error) {
    const struct entry *at = entry;
    for (int links = 0; at->kind != ARCHIVE_FILE; links++) {
        const struct entry *next = find_entry(import, at->target);
        if (!next || (at->kind == ARCHIVE_HARDLINK && next->number > at->number))
            return link_is_bad(import, at,
                               at->kind == ARCHIVE_HARDLINK
                                   ? "which is no file of the archive that came before"
                                   : "which is no file of the archive",
                               error);
        if (links == PATH_LINKS_MAX)
            return link_is_bad(import, entry, "which leads on and on", error);
        at = next;
    }
    *file = at;
    return 0;
}

int import_list_objects(struct import *import, vqemu_error **error) {
    import->objects = calloc(import->count + 1, sizeof *import->objects);
    import->numbers = calloc(import->count + 1, sizeof *import->numbers);
    import->staged = calloc(import->count + 1, sizeof *import->staged);
    if (!import->objects || !import->numbers || !import->staged)
        return error_no_memory(error);
    for (size_t i = 0; i < import->count; i++) {
        struct entry *entry = &import->entries[i];
        const struct entry *file = NULL;
        int r = follow(import, entry, &file, error);
        if (r < 0)
            return r;
        bool executable = file->executable || strncmp(entry->path, "bin/", 4) == 0;
        import->numbers[i] = file->number;
        import->staged[i] = file->staged;
        import->objects[i] = (struct manifest_object){
            .path = entry->path, .digest = file->staged.digest, .mode = executable ? 0755 : 0644};
        if (file != entry && check_size(import, entry->path, file->staged.file.size, error) < 0)
            return VQEMU_ERR_INVALID;
    }
    return 0;
}

static int report_missing(const struct import *import, const char *path, vqemu_error **error) {
    int r = error_set(error, VQEMU_ERR_CORRUPT, 0,
                      "the archive %s lacks \"%s\", which its manifest lists", import->name, path);
    return error_because(r, error, "entry-missing", VQEMU_DETAIL_PATH, import->name,
                         VQEMU_DETAIL_ENTRY, path, NULL);
}

/* Every file must be as the manifest says, and none may be missing. Both are sorted by path. */
int import_compare_with_manifest(const struct import *import, vqemu_error **error) {
    size_t count = vqemu_manifest_object_count(import->manifest);
    for (size_t i = 0; i < import->count; i++) {
        const char *path = import->objects[i].path;
        int64_t index = vqemu_manifest_find(import->manifest, path);
        if (index < 0)
            return refuse_entry(import, path, VQEMU_ERR_CORRUPT, "entry-unlisted",
                                "that its manifest does not list", error);
        if (!digest_equal(&manifest_object(import->manifest, (size_t)index)->digest,
                          &import->objects[i].digest))
            return refuse_entry(import, path, VQEMU_ERR_CORRUPT, "entry-differs",
                                "whose content is not what its manifest says", error);
    }
    for (size_t i = 0; i < count; i++)
        if (!find_entry(import, vqemu_manifest_object_path(import->manifest, i)))
            return report_missing(import, vqemu_manifest_object_path(import->manifest, i), error);
    return 0;
}
