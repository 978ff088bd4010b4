/* SPDX-License-Identifier: MIT */
#include "verified.h"

#include <inttypes.h>
#include <stdlib.h>

#include "object.h"
#include "record.h"

/*
 * The file is cas/cache/verified-<digest of the manifest>:
 *
 *     volt-verified 1
 *     <inode> <size>            for each object of the manifest, in the order of its paths
 */
#define HEADER "volt-verified 1"
#define RECORD_LIMIT ((size_t)256 * 1024 * 1024)

static char *record_name(const vqemu_manifest *manifest) {
    return format_string("verified-%s", vqemu_manifest_digest(manifest));
}

/* Read "<inode> <size>"; false if it is something else. */
static bool parse_line(const char *line, struct verified *verified) {
    char *end;
    verified->inode = strtoull(line, &end, 10);
    if (*end != ' ')
        return false;
    verified->size = strtoull(end + 1, &end, 10);
    return *end == '\0';
}

static bool parse(char *text, struct verified *verified, size_t count) {
    if (!record_next(&text, HEADER))
        return false;
    for (size_t i = 0; i < count; i++) {
        const char *line = record_next(&text, "");
        if (!line || !parse_line(line, &verified[i]))
            return false;
    }
    return *text == '\0';
}

struct verified *verified_load(const vqemu_store *store, const vqemu_manifest *manifest) {
    size_t count = vqemu_manifest_object_count(manifest);
    struct verified *verified = calloc(count + 1, sizeof *verified);
    _cleanup_close_ int cache_fd = store_find_beside_objects(store, STORE_CACHE);
    _cleanup_free_ char *name = record_name(manifest), *text = NULL;
    if (!verified || !name || cache_fd < 0 ||
        record_read(cache_fd, name, RECORD_LIMIT, &text) < 0 || parse(text, verified, count))
        return verified;
    free(verified);
    return calloc(count + 1, sizeof *verified);
}

void verified_save(const vqemu_store *store, const vqemu_manifest *manifest,
                   const struct verified *verified) {
    _cleanup_close_ int cache_fd = -1;
    _cleanup_free_ char *name = record_name(manifest);
    _cleanup_strbuf_ struct strbuf text = {0};
    if (!name || store_open_beside_objects(store, STORE_CACHE, &cache_fd, NULL) < 0)
        return;
    strbuf_add(&text, HEADER "\n");
    for (size_t i = 0; i < vqemu_manifest_object_count(manifest); i++)
        strbuf_addf(&text, "%" PRIu64 " %" PRIu64 "\n", verified[i].inode, verified[i].size);
    record_replace(cache_fd, name, &text);
}

bool verified_is(const struct verified *verified, const struct stat *status) {
    return verified->inode != 0 && verified->inode == (uint64_t)status->st_ino &&
           verified->size == (uint64_t)status->st_size && object_is_own(status);
}
