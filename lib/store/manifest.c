/* SPDX-License-Identifier: MIT */
#include "store/manifest.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/call.h"
#include "base/error.h"
#include "store/manifest-parts.h"
#include "util/export.h"
#include "util/fd.h"
#include "util/rfc3339.h"
#include "util/strbuf.h"
#include "util/word.h"

#define TEXT_LIMIT ((size_t)4 * 1024 * 1024) /* for each so many objects: */
#define OBJECTS_OF_TEXT_LIMIT 10000

static const char *const words_keys[WORDS_COUNT] = {
    [ABILITIES] = "abilities",
    [GUESTS] = "guests",
};

/* ---- paths ---- */

/* The faults of manifest_find_path_fault() read "is ..." or name what the path has. */
static int check_path(const char *path, const char *source, vqemu_error **error) {
    const char *fault = manifest_find_path_fault(path);
    if (!fault)
        return 0;
    const char *verb =
        strncmp(fault, "is ", 3) == 0 || strncmp(fault, "has ", 4) == 0 ? "" : "has ";
    return error_set(error, VQEMU_ERR_MALFORMED, 0, "%s: \"objects\": path \"%.*s%s\" %s%s", source,
                     200, path, strlen(path) > 200 ? "..." : "", verb, fault);
}

/* Whether two paths, one after the other in the order of paths, are in the same directory. */
static bool shares_directory(const char *a, const char *b) {
    const char *slash = strrchr(b, '/');
    size_t length = slash ? (size_t)(slash - b) + 1 : 0;
    return strncmp(a, b, length) == 0 && !strchr(a + length, '/');
}

/* No file may lie below another file. */
static int check_parents(const vqemu_manifest *manifest, const char *source, vqemu_error **error) {
    char parent[MANIFEST_PATH_MAX + 1];
    for (size_t i = 0; i < manifest->object_count; i++) {
        const char *path = manifest->objects[i].path;
        if (i > 0 && shares_directory(manifest->objects[i - 1].path, path))
            continue;
        for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
            size_t length = (size_t)(slash - path);
            memcpy(parent, path, length);
            parent[length] = '\0';
            if (manifest_find_object(manifest, parent) >= 0)
                return error_set(error, VQEMU_ERR_MALFORMED, 0,
                                 "%s: \"objects\": \"%s\" lies below the file \"%s\"", source, path,
                                 parent);
        }
    }
    return 0;
}

static bool has_capitals(const char *path) {
    for (; *path; path++)
        if (*path >= 'A' && *path <= 'Z')
            return true;
    return false;
}

static int compare_folded_names(const void *a, const void *b) {
    return compare_folded(*(const char *const *)a, *(const char *const *)b);
}

static int check_case(const vqemu_manifest *manifest, const char *source, vqemu_error **error) {
    size_t count = manifest->object_count, capitals = 0;
    for (size_t i = 0; i < count; i++)
        capitals += has_capitals(manifest->objects[i].path);
    if (capitals == 0) /* then sorting could find nothing */
        return 0;
    _cleanup_free_ const char **paths = calloc(count + 1, sizeof *paths);
    if (!paths)
        return error_no_memory(error);
    for (size_t i = 0; i < count; i++)
        paths[i] = manifest->objects[i].path;
    qsort(paths, count, sizeof *paths, compare_folded_names);
    for (size_t i = 1; i < count; i++)
        if (compare_folded(paths[i - 1], paths[i]) == 0)
            return error_set(error, VQEMU_ERR_MALFORMED, 0,
                             "%s: \"objects\": \"%s\" and \"%s\" differ only in case", source,
                             paths[i - 1], paths[i]);
    return 0;
}

/* ---- reading ---- */

/* Move an optional list of strings from root to *value. */
static int take_words(json_t *root, const char *key, const char *source, json_t **value,
                      vqemu_error **error) {
    json_t *field = json_object_get(root, key);
    size_t index;
    const json_t *word;
    if (!field)
        return 0;
    bool good = json_is_array(field);
    json_array_foreach(field, index, word) good = good && json_is_string(word);
    if (!good)
        return error_set(error, VQEMU_ERR_MALFORMED, 0, "%s: \"%s\" is not an array of strings",
                         source, key);
    *value = json_incref(field);
    json_object_del(root, key);
    return 0;
}

/* Move an optional string field from root to *value. */
static int take_string(json_t *root, const char *key, const char *source, char **value,
                       vqemu_error **error) {
    const json_t *field = json_object_get(root, key);
    if (!field)
        return 0;
    if (!json_is_string(field))
        return error_set(error, VQEMU_ERR_MALFORMED, 0, "%s: \"%s\" is not a string", source, key);
    *value = strdup(json_string_value(field));
    if (!*value)
        return error_no_memory(error);
    json_object_del(root, key);
    return 0;
}

static int take_fields(vqemu_manifest *manifest, json_t *root, const char *source,
                       vqemu_error **error) {
    for (int i = 0; i < FIELD_COUNT; i++) {
        int r = take_string(root, manifest_field_keys[i], source, &manifest->fields[i], error);
        if (r < 0)
            return r;
    }
    for (int i = 0; i < WORDS_COUNT; i++) {
        int r = take_words(root, words_keys[i], source, &manifest->words[i], error);
        if (r < 0)
            return r;
    }
    if (!manifest->fields[NAME] || !*manifest->fields[NAME])
        return error_set(error, VQEMU_ERR_MALFORMED, 0, "%s: \"name\" is missing", source);
    if (!manifest->fields[CREATED_AT])
        return error_set(error, VQEMU_ERR_MALFORMED, 0, "%s: \"created_at\" is missing", source);
    if (!rfc3339_parse(manifest->fields[CREATED_AT], &manifest->created_at))
        return error_set(error, VQEMU_ERR_MALFORMED, 0,
                         "%s: \"created_at\" is \"%s\", not a time like 2025-01-31T10:00:00Z",
                         source, manifest->fields[CREATED_AT]);
    return 0;
}

static int take_total_bytes(vqemu_manifest *manifest, json_t *root, const char *source,
                            vqemu_error **error) {
    const json_t *total = json_object_get(root, "total_bytes");
    manifest->total_bytes = -1;
    if (!total)
        return 0;
    if (!json_is_integer(total) || json_integer_value(total) < 0)
        return error_set(error, VQEMU_ERR_MALFORMED, 0,
                         "%s: \"total_bytes\" is not an integer of 0 or more", source);
    manifest->total_bytes = json_integer_value(total);
    json_object_del(root, "total_bytes");
    return 0;
}

static int take_object(vqemu_manifest *manifest, const char *path, const json_t *value,
                       const char *source, vqemu_error **error) {
    int r = check_path(path, source, error);
    if (r < 0)
        return r;
    struct manifest_object *object = &manifest->objects[manifest->object_count];
    if (!json_is_string(value) || !digest_parse(json_string_value(value), &object->digest))
        return error_set(error, VQEMU_ERR_MALFORMED, 0,
                         "%s: \"objects\": the digest of \"%s\" is not 64 lowercase hex digits",
                         source, path);
    object->path = strdup(path);
    if (!object->path)
        return error_no_memory(error);
    manifest->object_count++;
    return 0;
}

/* What this library writes is sorted already. */
static void sort_objects(vqemu_manifest *manifest) {
    for (size_t i = 1; i < manifest->object_count; i++)
        if (manifest_compare_objects(&manifest->objects[i - 1], &manifest->objects[i]) > 0) {
            qsort(manifest->objects, manifest->object_count, sizeof *manifest->objects,
                  manifest_compare_objects);
            return;
        }
}

static int take_objects(vqemu_manifest *manifest, json_t *root, const char *source,
                        size_t max_objects, vqemu_error **error) {
    json_t *objects = json_object_get(root, "objects");
    if (!objects)
        return error_set(error, VQEMU_ERR_MALFORMED, 0, "%s: \"objects\" is missing", source);
    if (!json_is_object(objects))
        return error_set(error, VQEMU_ERR_MALFORMED, 0,
                         "%s: \"objects\" is not an object of paths and digests", source);
    size_t count = json_object_size(objects);
    if (count > max_objects)
        return error_set(error, VQEMU_ERR_MALFORMED, 0,
                         "%s: %zu objects, more than the limit of %zu", source, count, max_objects);
    manifest->objects = calloc(count + 1, sizeof *manifest->objects);
    if (!manifest->objects)
        return error_no_memory(error);
    const char *path;
    json_t *value;
    json_object_foreach(objects, path, value) {
        int r = take_object(manifest, path, value, source, error);
        if (r < 0)
            return r;
    }
    sort_objects(manifest);
    json_object_del(root, "objects");
    return 0;
}

/* An octal permission mode such as "0755" or "755"; 0 if text is something else. */
static uint16_t parse_mode(const char *text) {
    size_t length = strlen(text);
    if (length < 3 || length > 4 || strspn(text, "01234567") != length)
        return 0;
    unsigned long mode = strtoul(text, NULL, 8);
    return mode <= 0777 ? (uint16_t)mode : 0;
}

/* Modes come in the order of objects, as a rule. */
static int64_t find_object_near(const vqemu_manifest *manifest, const char *path, int64_t guess) {
    if ((size_t)guess < manifest->object_count && strcmp(manifest->objects[guess].path, path) == 0)
        return guess;
    return manifest_find_object(manifest, path);
}

static int take_modes(vqemu_manifest *manifest, json_t *root, const char *source,
                      vqemu_error **error) {
    json_t *modes = json_object_get(root, "modes");
    if (modes && !json_is_object(modes))
        return error_set(error, VQEMU_ERR_MALFORMED, 0,
                         "%s: \"modes\" is not an object of paths and modes", source);
    const char *path;
    json_t *value;
    int64_t index = -1;
    json_object_foreach(modes, path, value) {
        index = find_object_near(manifest, path, index + 1);
        if (index < 0)
            return error_set(error, VQEMU_ERR_MALFORMED, 0,
                             "%s: \"modes\": \"%.200s\" is not in \"objects\"", source, path);
        uint16_t mode = json_is_string(value) ? parse_mode(json_string_value(value)) : 0;
        if (mode == 0)
            return error_set(error, VQEMU_ERR_MALFORMED, 0,
                             "%s: \"modes\": the mode of \"%s\" is not one like \"0755\"", source,
                             path);
        manifest->objects[index].mode = mode;
    }
    json_object_del(root, "modes");
    return 0;
}

static int new_manifest(vqemu_manifest **manifest, vqemu_error **error) {
    *manifest = calloc(1, sizeof **manifest);
    if (!*manifest)
        return error_no_memory(error);
    atomic_init(&(*manifest)->references, 1);
    return 0;
}

size_t manifest_text_limit(size_t max_objects) {
    size_t shares = (max_objects - 1) / OBJECTS_OF_TEXT_LIMIT;
    return shares < SIZE_MAX / TEXT_LIMIT - 2 ? (shares + 1) * TEXT_LIMIT : SIZE_MAX - 2;
}

/* Takes the fields out of root; those that remain are unknown to this library. */
static int from_json(json_t *root, const char *source, size_t max_objects,
                     vqemu_manifest **manifest, vqemu_error **error) {
    _cleanup_manifest_ vqemu_manifest *new = NULL;
    int r = new_manifest(&new, error);
    if (r == 0)
        r = take_fields(new, root, source, error);
    if (r == 0)
        r = take_total_bytes(new, root, source, error);
    if (r == 0)
        r = take_objects(new, root, source, max_objects, error);
    if (r == 0)
        r = take_modes(new, root, source, error);
    if (r == 0)
        r = check_parents(new, source, error);
    if (r == 0)
        r = check_case(new, source, error);
    if (r < 0)
        return r;
    new->unknown = json_incref(root);
    *manifest = TAKE_POINTER(new);
    return 0;
}

int manifest_load_memory(const void *text, size_t size, const char *source, size_t max_objects,
                         vqemu_manifest **manifest, vqemu_error **error) {
    *manifest = NULL;
    size_t limit = manifest_text_limit(max_objects);
    if (size > limit)
        return error_set(error, VQEMU_ERR_MALFORMED, 0, "%s: larger than %zu bytes", source, limit);
    _cleanup_json_ json_t *root = NULL;
    int r = json_parse_object(text, size, source, &root, error);
    if (r == 0)
        r = from_json(root, source, max_objects, manifest, error);
    if (r == 0)
        (*manifest)->digest = digest_of_bytes(text, size);
    return r;
}

int manifest_load_fd(int fd, const char *source, vqemu_call *call, vqemu_manifest **manifest,
                     vqemu_error **error) {
    size_t max_objects = call_max_objects(call);
    *manifest = NULL;
    _cleanup_free_ char *text = NULL;
    size_t size;
    int r = json_read_pipe(fd, source, manifest_text_limit(max_objects), call, &text, &size, error);
    return r < 0 ? r : manifest_load_memory(text, size, source, max_objects, manifest, error);
}

VQEMU_EXPORT int vqemu_manifest_load_memory(const void *text, size_t size, const char *name,
                                            uint32_t flags, vqemu_call *call,
                                            vqemu_manifest **manifest, vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(manifest, error);
    *manifest = NULL;
    REQUIRE_ARGUMENT(text, error);
    REQUIRE_FLAGS(flags, 0, error);
    const char *source = name ? name : "manifest";
    int r = call_check(call, source, error);
    return r < 0
               ? r
               : manifest_load_memory(text, size, source, call_max_objects(call), manifest, error);
}

VQEMU_EXPORT int vqemu_manifest_load_fd(int fd, const char *name, uint32_t flags, vqemu_call *call,
                                        vqemu_manifest **manifest, vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(manifest, error);
    *manifest = NULL;
    REQUIRE_FLAGS(flags, 0, error);
    REQUIRE_DESCRIPTOR(fd, error);
    const char *source = name ? name : "manifest";
    int r = call_check(call, source, error);
    return r < 0 ? r : manifest_load_fd(fd, source, call, manifest, error);
}

VQEMU_EXPORT int vqemu_manifest_load_file(const char *path, uint32_t flags, vqemu_call *call,
                                          vqemu_manifest **manifest, vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(manifest, error);
    *manifest = NULL;
    REQUIRE_ARGUMENT(path, error);
    REQUIRE_FLAGS(flags, 0, error);
    _cleanup_close_ int fd = -1;
    int r = call_check(call, path, error);
    if (r == 0)
        r = json_open_file(path, &fd, error);
    return r < 0 ? r : manifest_load_fd(fd, path, call, manifest, error);
}

/* ---- writing ---- */

static bool set_string(json_t *root, const char *key, const char *value) {
    return !value || json_object_set_new(root, key, json_string(value)) == 0;
}

static bool set_objects(json_t *root, const struct manifest_object *objects, size_t count) {
    json_t *digests = json_object(), *modes = json_object();
    bool ok = json_object_set_new(root, "objects", digests) == 0;
    bool has_modes = false;
    for (size_t i = 0; ok && i < count; i++) {
        ok = set_string(digests, objects[i].path, objects[i].digest.hex);
        if (ok && objects[i].mode) {
            char mode[8];
            snprintf(mode, sizeof mode, "%04o", (unsigned)objects[i].mode);
            ok = set_string(modes, objects[i].path, mode);
            has_modes = true;
        }
    }
    if (ok && has_modes)
        return json_object_set_new(root, "modes", modes) == 0;
    json_decref(modes);
    return ok;
}

/* A new JSON object of the parts of a manifest; NULL without memory. */
static json_t *to_json(const char *const fields[FIELD_COUNT], json_t *const words[WORDS_COUNT],
                       int64_t total_bytes, json_t *unknown, const struct manifest_object *objects,
                       size_t count) {
    json_t *root = json_object();
    bool ok = root;
    for (int i = 0; ok && i < FIELD_COUNT; i++)
        ok = set_string(root, manifest_field_keys[i], fields[i]);
    for (int i = 0; ok && i < WORDS_COUNT; i++)
        ok = !words[i] || json_object_set(root, words_keys[i], words[i]) == 0;
    if (ok && total_bytes >= 0)
        ok = json_object_set_new(root, "total_bytes", json_integer(total_bytes)) == 0;
    if (ok && unknown)
        ok = json_object_update(root, unknown) == 0;
    if (ok && set_objects(root, objects, count))
        return root;
    json_decref(root);
    return NULL;
}

VQEMU_EXPORT int vqemu_manifest_to_json(const vqemu_manifest *manifest, uint32_t flags, char **text,
                                        vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(text, error);
    *text = NULL;
    REQUIRE_ARGUMENT(manifest, error);
    REQUIRE_FLAGS(flags, 0, error);
    const char *fields[FIELD_COUNT];
    for (int i = 0; i < FIELD_COUNT; i++)
        fields[i] = manifest->fields[i];
    _cleanup_json_ json_t *root =
        to_json(fields, manifest->words, manifest->total_bytes, manifest->unknown,
                manifest->objects, manifest->object_count);
    if (!root)
        return error_no_memory(error);
    return json_to_text(root, text, error);
}

/* An array of the words of a list that is separated by commas; NULL for NULL or without memory. */
static json_t *split_words(const char *list) {
    json_t *array = list ? json_array() : NULL;
    while (array && *list) {
        size_t length = strcspn(list, ",");
        if (json_array_append_new(array, json_stringn(list, length)) < 0) {
            json_decref(array);
            return NULL;
        }
        list += length + (list[length] == ',');
    }
    return array;
}

int manifest_new(const struct manifest_fields *fields, const char *source,
                 const struct manifest_object *objects, size_t count, size_t max_objects,
                 vqemu_manifest **manifest, vqemu_error **error) {
    const char *const values[FIELD_COUNT] = {
        [NAME] = fields->name,
        [CREATED_AT] = fields->created_at,
        [PROFILE] = fields->profile,
        [QEMU_VERSION] = fields->qemu_version,
        [BUILD_DATE] = fields->build_date,
        [BUILD_HOST] = fields->build_host,
        [ARCH] = fields->arch,
        [DESCRIPTION] = fields->description,
        [ACCEL] = fields->accel,
    };
    *manifest = NULL;
    struct manifest_object *sorted = calloc(count + 1, sizeof *sorted);
    if (!sorted)
        return error_no_memory(error);
    if (count > 0)
        memcpy(sorted, objects, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, manifest_compare_objects);
    _cleanup_json_ json_t *abilities = split_words(fields->abilities),
                          *guests = split_words(fields->guests);
    json_t *const words[WORDS_COUNT] = {[ABILITIES] = abilities, [GUESTS] = guests};
    _cleanup_json_ json_t *root =
        !abilities == !fields->abilities && !guests == !fields->guests
            ? to_json(values, words, fields->total_bytes, NULL, sorted, count)
            : NULL;
    free(sorted);
    if (!root)
        return error_no_memory(error);
    _cleanup_free_ char *text = NULL;
    int r = json_to_text(root, &text, error);
    if (r < 0)
        return r;
    return manifest_load_memory(text, strlen(text), source, max_objects, manifest, error);
}

vqemu_manifest *manifest_of_objects(const char *digest, struct manifest_object *objects,
                                    size_t count, char *text) {
    vqemu_manifest *manifest = NULL;
    if (new_manifest(&manifest, NULL) < 0)
        return NULL;
    strncpy(manifest->digest.hex, digest, DIGEST_HEX_LENGTH);
    manifest->total_bytes = -1;
    manifest->objects = objects;
    manifest->object_count = count;
    manifest->text = text;
    return manifest;
}

/* Write a new file beside the target, to be renamed over it. */
static int write_new_file(const char *path, const char *text, vqemu_error **error) {
    _cleanup_close_ int fd =
        open_at(AT_FDCWD, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0644);
    if (fd < 0)
        return error_system_at(error, -fd, "cannot create", "%s", path);
    int r = write_all(fd, text, strlen(text));
    if (r == 0 && fchmod(fd, 0644) < 0)
        r = -errno;
    if (r == 0)
        r = sync_fd(fd);
    if (r == 0)
        return 0;
    unlink(path);
    return error_system_at(error, -r, "cannot write", "%s", path);
}

static int sync_parent(const char *path, vqemu_error **error) {
    const char *slash = strrchr(path, '/');
    _cleanup_free_ char *parent = slash == path ? strdup("/")
                                  : slash       ? strndup(path, (size_t)(slash - path))
                                                : strdup(".");
    if (!parent)
        return error_no_memory(error);
    int r = sync_path(AT_FDCWD, parent);
    return r < 0 ? error_system_at(error, -r, "cannot sync directory", "%s", parent) : 0;
}

VQEMU_EXPORT int vqemu_manifest_write_file(const vqemu_manifest *manifest, const char *path,
                                           uint32_t flags, vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(manifest, error);
    REQUIRE_ARGUMENT(path, error);
    REQUIRE_FLAGS(flags, 0, error);
    _cleanup_free_ char *text = NULL;
    int r = vqemu_manifest_to_json(manifest, 0, &text, error);
    if (r < 0)
        return r;
    /* Named by process and thread, so that concurrent writers do not meet. */
    _cleanup_free_ char *staged = format_string("%s.%d-%d.tmp", path, (int)getpid(), (int)gettid());
    if (!staged)
        return error_no_memory(error);
    r = write_new_file(staged, text, error);
    if (r < 0)
        return r;
    if (rename(staged, path) < 0) {
        r = error_system_at(error, errno, "cannot rename the new file to", "%s", path);
        unlink(staged);
        return r;
    }
    return sync_parent(path, error);
}

bool manifest_same_content(const vqemu_manifest *a, const vqemu_manifest *b) {
    for (int i = 0; i < FIELD_COUNT; i++) {
        const char *x = a->fields[i], *y = b->fields[i];
        if (i != CREATED_AT && (!x != !y || (x && strcmp(x, y) != 0)))
            return false;
    }
    for (int i = 0; i < WORDS_COUNT; i++)
        if (!a->words[i] != !b->words[i] || (a->words[i] && !json_equal(a->words[i], b->words[i])))
            return false;
    if (a->total_bytes != b->total_bytes || a->object_count != b->object_count ||
        !json_equal(a->unknown, b->unknown))
        return false;
    for (size_t i = 0; i < a->object_count; i++) {
        const struct manifest_object *x = &a->objects[i], *y = &b->objects[i];
        if (strcmp(x->path, y->path) != 0 || !digest_equal(&x->digest, &y->digest) ||
            x->mode != y->mode)
            return false;
    }
    return true;
}
