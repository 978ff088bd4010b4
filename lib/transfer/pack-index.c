/* SPDX-License-Identifier: MIT */
#include "transfer/pack-index.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "util/strbuf.h"

#define FIRST_LINE "volt-pack-index 1"
#define LAST_LINE "end"
#define PACK "pack "
#define DIGITS_MAX 19 /* of a size, which is an int64_t elsewhere */
#define LINE_MAX_SIZE (sizeof PACK + DIGEST_HEX_LENGTH + sizeof " " + DIGITS_MAX)

void pack_index_release(struct pack_index *index) {
    free(index->packs);
    free(index->objects);
    *index = (struct pack_index){0};
}

static int compare_objects(const void *a, const void *b) {
    const struct packed_object *x = a, *y = b;
    return strcmp(x->digest.hex, y->digest.hex);
}

const struct packed_object *pack_index_find(const struct pack_index *index,
                                            const struct digest *digest) {
    const struct packed_object wanted = {.digest = *digest};
    return index->object_count == 0 ? NULL
                                    : bsearch(&wanted, index->objects, index->object_count,
                                              sizeof wanted, compare_objects);
}

size_t pack_index_text_limit(size_t object_max) {
    const size_t others = PACK_COUNT_MAX + 2;
    return object_max < SIZE_MAX / LINE_MAX_SIZE - others ? (object_max + others) * LINE_MAX_SIZE
                                                          : SIZE_MAX - 2;
}

/* ---- writing ---- */

static void add_line(struct strbuf *text, const char *word, const struct digest *digest,
                     uint64_t size) {
    strbuf_add(text, word);
    strbuf_add(text, digest->hex);
    strbuf_add_char(text, ' ');
    strbuf_add_number(text, size, 10, 1);
    strbuf_add_char(text, '\n');
}

char *pack_index_to_text(const struct pack_index *index) {
    struct strbuf text = {0};
    size_t next = 0;
    strbuf_add(&text, FIRST_LINE "\n");
    for (size_t pack = 0; pack < index->pack_count; pack++) {
        add_line(&text, PACK, &index->packs[pack].digest, index->packs[pack].size);
        for (; next < index->object_count && index->objects[next].pack == pack; next++)
            add_line(&text, "", &index->objects[next].digest, index->objects[next].size);
    }
    strbuf_add(&text, LAST_LINE "\n");
    return strbuf_take(&text);
}

/* ---- reading ---- */

struct reading {
    const char *source;
    const char *at, *end;
    int64_t line; /* its number */
    size_t object_max;
    uint64_t left; /* of the pack at hand: bytes that no object has claimed yet */
    struct pack_index *index;
    vqemu_error **error;
};

static int malformed(const struct reading *reading, const char *fault) {
    int r = error_set(reading->error, VQEMU_ERR_MALFORMED, 0, "%s:%lld: %s", reading->source,
                      (long long)reading->line, fault);
    return error_at_line(r, reading->error, reading->line);
}

static int refuse_count(const struct reading *reading) {
    int r = error_set(reading->error, VQEMU_ERR_INVALID, 0,
                      "%s lists more objects than are allowed", reading->source);
    return error_because(r, reading->error, "too-many-files", VQEMU_DETAIL_PATH, reading->source,
                         NULL);
}

/* A line without its end. */
struct line {
    const char *text;
    size_t length;
};

static int next_line(struct reading *reading, struct line *line) {
    size_t left = (size_t)(reading->end - reading->at);
    const char *newline = left > 0 ? memchr(reading->at, '\n', left) : NULL;
    reading->line++;
    if (!newline)
        return malformed(reading, "it ends before its line \"" LAST_LINE "\"");
    *line = (struct line){reading->at, (size_t)(newline - reading->at)};
    reading->at = newline + 1;
    return 0;
}

static bool is_line(const struct line *line, const char *text) {
    return line->length == strlen(text) && memcmp(line->text, text, line->length) == 0;
}

/* Without zeros in front, so that there is one text of an index. */
static bool parse_size(const char *digits, size_t length, uint64_t *size) {
    *size = 0;
    if (length == 0 || length > DIGITS_MAX || digits[0] == '0')
        return false;
    for (size_t i = 0; i < length; i++) {
        if (digits[i] < '0' || digits[i] > '9')
            return false;
        *size = 10 * *size + (uint64_t)(digits[i] - '0');
    }
    return *size <= INT64_MAX;
}

/* A digest, a blank and a size. */
static bool parse_blob(const char *text, size_t length, struct oci_blob *blob) {
    char hex[DIGEST_HEX_LENGTH + 1] = "";
    if (length < sizeof hex || text[DIGEST_HEX_LENGTH] != ' ')
        return false;
    memcpy(hex, text, DIGEST_HEX_LENGTH);
    return digest_parse(hex, &blob->digest) &&
           parse_size(text + sizeof hex, length - sizeof hex, &blob->size);
}

static int finish_pack(const struct reading *reading) {
    return reading->left == 0 ? 0
                              : malformed(reading, "the objects of the pack before it are smaller "
                                                   "than that");
}

static int add_pack(struct reading *reading, const struct oci_blob *pack) {
    struct pack_index *index = reading->index;
    int r = finish_pack(reading);
    if (r < 0)
        return r;
    if (index->pack_count == PACK_COUNT_MAX)
        return malformed(reading, "there are more than 256 packs");
    for (size_t i = 0; i < index->pack_count; i++)
        if (digest_equal(&index->packs[i].digest, &pack->digest))
            return malformed(reading, "two packs have the same digest");
    index->packs[index->pack_count++] = *pack;
    reading->left = pack->size;
    return 0;
}

static int add_object(struct reading *reading, const struct oci_blob *object) {
    struct pack_index *index = reading->index;
    size_t count = index->object_count;
    if (index->pack_count == 0)
        return malformed(reading, "an object comes before the first pack");
    if (count == reading->object_max)
        return refuse_count(reading);
    if (count > 0 && strcmp(index->objects[count - 1].digest.hex, object->digest.hex) >= 0)
        return malformed(reading, "its digest does not come behind that of the object before it");
    if (object->size > reading->left)
        return malformed(reading, "the objects of the pack are larger than that");
    size_t pack = index->pack_count - 1;
    index->objects[index->object_count++] = (struct packed_object){
        object->digest, index->packs[pack].size - reading->left, object->size, pack};
    reading->left -= object->size;
    return 0;
}

static int read_line(struct reading *reading, const struct line *line) {
    struct oci_blob blob;
    size_t word = strlen(PACK);
    if (line->length > word && memcmp(line->text, PACK, word) == 0)
        return parse_blob(line->text + word, line->length - word, &blob)
                   ? add_pack(reading, &blob)
                   : malformed(reading, "it is no \"pack\" with a digest and a size");
    return parse_blob(line->text, line->length, &blob)
               ? add_object(reading, &blob)
               : malformed(reading, "it is no object with a digest and a size of 1 or more");
}

static int read_lines(struct reading *reading) {
    struct line line = {0};
    int r = next_line(reading, &line);
    if (r == 0 && !is_line(&line, FIRST_LINE))
        return malformed(reading, "it is no \"" FIRST_LINE "\"");
    if (r == 0)
        r = next_line(reading, &line);
    while (r == 0 && !is_line(&line, LAST_LINE)) {
        r = read_line(reading, &line);
        if (r == 0)
            r = next_line(reading, &line);
    }
    if (r == 0)
        r = finish_pack(reading);
    return r == 0 && reading->at < reading->end
               ? malformed(reading, "something comes behind its line \"" LAST_LINE "\"")
               : r;
}

static size_t count_lines(const char *text, size_t size) {
    size_t count = 0;
    for (size_t i = 0; i < size; i++)
        count += text[i] == '\n';
    return count;
}

int pack_index_load(const char *text, size_t size, const char *source, size_t object_max,
                    struct pack_index *index, vqemu_error **error) {
    struct reading reading = {.source = source,
                              .at = text,
                              .end = text + size,
                              .object_max = object_max,
                              .index = index,
                              .error = error};
    *index = (struct pack_index){
        .packs = calloc(PACK_COUNT_MAX, sizeof *index->packs),
        .objects = calloc(count_lines(text, size) + 1, sizeof *index->objects),
    };
    int r = index->packs && index->objects ? read_lines(&reading) : error_no_memory(error);
    if (r < 0)
        pack_index_release(index);
    return r;
}
