/* SPDX-License-Identifier: MIT */
#include "store/verified.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/object.h"
#include "store/record.h"

/*
 * The file is cas/cache/verified-<digest of the manifest>:
 *
 *     volt-verified 1 <number of objects>
 *     <inode> <size> <octal mode> <digest> <path>      for each object, by path
 */
#define HEADER "volt-verified 1 "
#define RECORD_LIMIT ((size_t)1024 * 1024 * 1024)

static char *record_name(const char *digest) {
    return format_string("verified-%s", digest);
}

/* Read one line; the path stays in it. */
static bool parse_line(char *line, struct manifest_object *object, struct verified *verified) {
    const char *rest = line;
    uint64_t mode;
    if (!record_take_number(&rest, 10, ' ', &verified->inode) ||
        !record_take_number(&rest, 10, ' ', &verified->size) ||
        !record_take_number(&rest, 8, ' ', &mode) || mode > 0777 ||
        strlen(rest) < DIGEST_HEX_LENGTH + 2 || rest[DIGEST_HEX_LENGTH] != ' ')
        return false;
    char *digest = line + (rest - line);
    digest[DIGEST_HEX_LENGTH] = '\0';
    object->mode = (uint16_t)mode;
    object->path = digest + DIGEST_HEX_LENGTH + 1;
    return digest_parse(digest, &object->digest);
}

static bool parse_lines(char *text, size_t count, struct manifest_object *objects,
                        struct verified *verified) {
    for (size_t i = 0; i < count; i++) {
        char *line = text;
        if (!record_next(&text, "") || !parse_line(line, &objects[i], &verified[i]) ||
            manifest_find_path_fault(objects[i].path) ||
            (i > 0 && strcmp(objects[i - 1].path, objects[i].path) >= 0))
            return false;
    }
    return *text == '\0';
}

/* Takes ownership of the text, in which the paths lie. */
static int parse(char *text, const char *digest, vqemu_manifest **manifest,
                 struct verified **verified) {
    _cleanup_free_ char *owned = text;
    const char *number = record_next(&text, HEADER);
    uint64_t count;
    if (!number || !record_take_number(&number, 10, '\0', &count) || count == 0 ||
        count > strlen(text))
        return -ENOENT;
    _cleanup_free_ struct manifest_object *objects = calloc(count, sizeof *objects);
    _cleanup_free_ struct verified *files = calloc(count, sizeof *files);
    if (!objects || !files)
        return -ENOMEM;
    if (!parse_lines(text, count, objects, files))
        return -ENOENT;
    *manifest = manifest_of_objects(digest, objects, count, owned);
    if (!*manifest)
        return -ENOMEM;
    objects = NULL;
    owned = NULL;
    *verified = TAKE_POINTER(files);
    return 0;
}

int verified_load(const vqemu_store *store, const char *digest, vqemu_manifest **manifest,
                  struct verified **verified) {
    _cleanup_close_ int cache_fd = store_find_beside_objects(store, STORE_CACHE);
    _cleanup_free_ char *name = record_name(digest);
    char *text;
    if (!name)
        return -ENOMEM;
    int r = cache_fd < 0 ? -ENOENT : record_read(cache_fd, name, store->flags, RECORD_LIMIT, &text);
    if (r < 0)
        return r == -ENOMEM ? r : -ENOENT;
    return parse(text, digest, manifest, verified);
}

void verified_save(const vqemu_store *store, const vqemu_manifest *manifest,
                   const struct verified *verified) {
    size_t count = vqemu_manifest_object_count(manifest);
    _cleanup_close_ int cache_fd = -1;
    _cleanup_free_ char *name = record_name(vqemu_manifest_digest(manifest));
    _cleanup_strbuf_ struct strbuf text = {0};
    if (!name || store_open_beside_objects(store, STORE_CACHE, &cache_fd, NULL) < 0)
        return;
    strbuf_addf(&text, HEADER "%zu\n", count);
    for (size_t i = 0; i < count; i++) {
        const struct manifest_object *object = manifest_object(manifest, i);
        record_add_number(&text, verified[i].inode, 10, ' ');
        record_add_number(&text, verified[i].size, 10, ' ');
        record_add_number(&text, object->mode, 8, ' ');
        strbuf_add_bytes(&text, object->digest.hex, DIGEST_HEX_LENGTH);
        strbuf_add_char(&text, ' ');
        strbuf_add(&text, object->path);
        strbuf_add_char(&text, '\n');
    }
    record_replace(cache_fd, name, &text);
}

bool verified_is(const struct verified *verified, const struct stat *status) {
    return verified->inode != 0 && verified->inode == (uint64_t)status->st_ino &&
           verified->size == (uint64_t)status->st_size && object_is_own(status);
}
