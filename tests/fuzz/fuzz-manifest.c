/* SPDX-License-Identifier: MIT */
/* Manifests: what is accepted is what a tree may be made of, and survives writing and reading. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "store/manifest.h"
#include "tree/stamp.h"

#define OBJECTS_MAX 100

static vqemu_manifest *load(const void *text, size_t size) {
    vqemu_manifest *manifest = NULL;
    vqemu_error *error = NULL;
    vqemu_call *call = NULL;
    FUZZ_CHECK(vqemu_call_new(&call, NULL) == 0 &&
                   vqemu_call_set_number(call, VQEMU_CALL_MAX_OBJECTS, OBJECTS_MAX, NULL) == 0,
               "no memory");
    int r = vqemu_manifest_load_memory(text, size, "input", 0, call, &manifest, &error);
    vqemu_call_unref(call);
    fuzz_check_result(r, &error);
    FUZZ_CHECK(!manifest == (r < 0), "the result %d with a manifest, or 0 without", r);
    return manifest;
}

static char *to_json(const vqemu_manifest *manifest) {
    char *text = NULL;
    vqemu_error *error = NULL;
    int r = fuzz_check_result(vqemu_manifest_to_json(manifest, 0, &text, &error), &error);
    FUZZ_CHECK(r == 0 && text, "a manifest that cannot be written");
    return text;
}

/* What a file below a directory can be called, whoever reads the path. */
static bool is_harmless(const char *path) {
    for (const char *part = path;; part += strcspn(part, "/") + 1) {
        size_t length = strcspn(part, "/");
        bool is_dots = strncmp(part, "..", length) == 0;
        if (length == 0 || length > 255 || (is_dots && length <= 2))
            return false;
        if (!part[length])
            break;
    }
    for (const char *c = path; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f || *c == '\\')
            return false;
    return strlen(path) <= 1024;
}

static void check_objects(const vqemu_manifest *manifest) {
    size_t count = vqemu_manifest_object_count(manifest);
    FUZZ_CHECK(count <= OBJECTS_MAX, "%zu objects", count);
    for (size_t i = 0; i < count; i++) {
        const char *path = vqemu_manifest_object_path(manifest, i);
        const char *digest = vqemu_manifest_object_digest(manifest, i);
        FUZZ_CHECK(is_harmless(path), "the path \"%s\"", path);
        FUZZ_CHECK(i == 0 || strcmp(vqemu_manifest_object_path(manifest, i - 1), path) < 0,
                   "\"%s\" is not in order", path);
        FUZZ_CHECK(vqemu_manifest_find(manifest, path) == (int64_t)i, "\"%s\" is not found", path);
        FUZZ_CHECK(strlen(digest) == 64 && strspn(digest, "0123456789abcdef") == 64,
                   "the digest \"%s\"", digest);
        FUZZ_CHECK(vqemu_manifest_object_mode(manifest, i) <= 0777, "the mode of \"%s\"", path);
    }
    FUZZ_CHECK(!vqemu_manifest_object_path(manifest, count), "more paths than objects");
    FUZZ_CHECK(*vqemu_manifest_string(manifest, VQEMU_MANIFEST_NAME), "no name");
    FUZZ_CHECK(vqemu_manifest_total_bytes(manifest) >= -1, "negative bytes");
}

/* Parents first, and each once. */
struct walk {
    char last[64][1025];
    size_t count;
};

static int check_directory(const char *directory, void *userdata) {
    struct walk *walk = userdata;
    const char *slash = strrchr(directory, '/');
    size_t parent = slash ? (size_t)(slash - directory) : 0;
    bool has_parent = parent == 0;
    for (size_t i = 0; i < walk->count; i++) {
        FUZZ_CHECK(strcmp(walk->last[i], directory) != 0, "the directory \"%s\" twice", directory);
        has_parent = has_parent || (strlen(walk->last[i]) == parent &&
                                    strncmp(walk->last[i], directory, parent) == 0);
    }
    if (walk->count == sizeof walk->last / sizeof *walk->last)
        return -1;
    FUZZ_CHECK(has_parent, "the directory \"%s\" before its parent", directory);
    strcpy(walk->last[walk->count++], directory);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct walk walk;
    fuzz_begin(data, size);
    vqemu_manifest *manifest = load(data, size);
    if (!manifest)
        return 0;
    check_objects(manifest);
    walk.count = 0;
    manifest_for_each_directory(manifest, check_directory, &walk);
    char *text = to_json(manifest);
    vqemu_manifest *again = load(text, strlen(text));
    FUZZ_CHECK(again, "what was written is not read:\n%s", text);
    FUZZ_CHECK(manifest_same_content(manifest, again), "what was written says something else");
    char *text_again = to_json(again);
    FUZZ_CHECK(strcmp(text, text_again) == 0, "two texts:\n%s%s", text, text_again);
    free(text_again);
    free(text);
    vqemu_manifest_unref(again);
    vqemu_manifest_unref(manifest);
    return 0;
}
