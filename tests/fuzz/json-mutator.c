/* SPDX-License-Identifier: MIT */
/*
 * A custom mutator of libFuzzer for targets whose input is a JSON document: changes a value, or
 * takes one from another input, so that it stays a document; at times only its bytes. What is in
 * front of the "{" stays. Nothing but being linked is needed.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

#define PLACES_MAX 2000
#define TEXT_MAX 400

/* libFuzzer's own. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *data1, size_t size1, const uint8_t *data2,
                                 size_t size2, uint8_t *out, size_t max_size, unsigned seed);

/* Where a value is: in an object by its key, or in an array by its index. */
struct place {
    json_t *parent;
    const char *key;
    size_t index;
};

static struct place places[PLACES_MAX];
static size_t place_count;

static void note(json_t *parent, const char *key, size_t index) {
    if (place_count < PLACES_MAX)
        places[place_count++] = (struct place){parent, key, index};
}

static void find_places(json_t *value) {
    json_t *inner;
    const char *key;
    size_t index;
    json_object_foreach(value, key, inner) {
        note(value, key, 0);
        find_places(inner);
    }
    json_array_foreach(value, index, inner) {
        note(value, NULL, index);
        find_places(inner);
    }
}

static const struct place *any_place(json_t *root) {
    place_count = 0;
    find_places(root);
    return place_count > 0 ? &places[(size_t)rand() % place_count] : NULL;
}

static json_t *value_at(const struct place *place) {
    return place->key ? json_object_get(place->parent, place->key)
                      : json_array_get(place->parent, place->index);
}

/* Takes the value over. */
static void set_at(const struct place *place, json_t *value) {
    if (place->key)
        json_object_set_new(place->parent, place->key, value);
    else
        json_array_set_new(place->parent, place->index, value);
}

/* ---- values ---- */

/* What is no UTF-8 becomes so, byte for byte: characters up to U+00FF. */
static json_t *make_text(const uint8_t *bytes, size_t size) {
    char text[2 * TEXT_MAX + 1];
    json_t *as_it_is = json_stringn((const char *)bytes, size);
    size_t length = 0;
    if (as_it_is)
        return as_it_is;
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] >= 0x80)
            text[length++] = (char)(0xc0 | bytes[i] >> 6);
        text[length++] = (char)(bytes[i] >= 0x80 ? 0x80 | (bytes[i] & 0x3f) : bytes[i]);
    }
    return json_stringn(text, length);
}

static json_t *mutate_text(const json_t *old) {
    uint8_t bytes[TEXT_MAX];
    size_t size = json_string_length(old);
    if (size > TEXT_MAX / 2)
        size = TEXT_MAX / 2;
    memcpy(bytes, json_string_value(old), size);
    return make_text(bytes, LLVMFuzzerMutate(bytes, size, TEXT_MAX));
}

static json_t *mutate_value(const json_t *old) {
    static const json_int_t numbers[] = {0,    1,     2,     3,          255,       1024,
                                         4096, 65535, 65536, 2147483647, INT64_MAX, -1};
    if (json_is_string(old) && rand() % 8 != 0)
        return mutate_text(old);
    if (json_is_boolean(old))
        return json_boolean(!json_is_true(old));
    if (json_is_integer(old) && rand() % 2 == 0)
        return json_integer(
            (json_int_t)((uint64_t)json_integer_value(old) + (uint64_t)(rand() % 5) - 2));
    switch (rand() % 8) {
    case 0:
        return json_null();
    case 1:
        return json_array();
    case 2:
        return json_object();
    case 3:
        return json_string("");
    default:
        return json_integer(numbers[(size_t)rand() % (sizeof numbers / sizeof *numbers)]);
    }
}

/* Change, remove, or repeat something. */
static void mutate(json_t *root) {
    const struct place *place = any_place(root);
    if (!place)
        return;
    json_t *value = value_at(place);
    bool is_container = json_is_object(value) || json_is_array(value);
    switch (rand() % 8) {
    case 0:
        if (place->key)
            json_object_del(place->parent, place->key);
        else
            json_array_remove(place->parent, place->index);
        break;
    case 1:
        if (!place->key)
            json_array_append_new(place->parent, json_deep_copy(value));
        break;
    default:
        if (!is_container || rand() % 8 == 0)
            set_at(place, mutate_value(value));
    }
}

/* ---- documents ---- */

static json_t *parse(const uint8_t *data, size_t size, size_t *front) {
    const uint8_t *start = size ? memchr(data, '{', size) : NULL;
    *front = start ? (size_t)(start - data) : 0;
    return start ? json_loadb((const char *)start, size - *front, 0, NULL) : NULL;
}

/* Returns the size of all; 0 if it does not fit. */
static size_t write_behind(const json_t *root, size_t front, uint8_t *data, size_t max_size) {
    size_t length = json_dumpb(root, (char *)data + front, max_size - front, JSON_COMPACT);
    return length > 0 && length <= max_size - front ? front + length : 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed) {
    size_t front;
    srand(seed);
    json_t *root = rand() % 6 == 0 ? NULL : parse(data, size, &front);
    if (!root)
        return LLVMFuzzerMutate(data, size, max_size);
    for (int i = rand() % 3; i >= 0; i--)
        mutate(root);
    size_t written = write_behind(root, front, data, max_size);
    json_decref(root);
    return written ? written : size;
}

size_t LLVMFuzzerCustomCrossOver(const uint8_t *data1, size_t size1, const uint8_t *data2,
                                 size_t size2, uint8_t *out, size_t max_size, unsigned seed) {
    size_t front, other_front, written = 0;
    srand(seed);
    json_t *root = parse(data1, size1, &front), *other = parse(data2, size2, &other_front);
    const struct place *place = other ? any_place(other) : NULL;
    if (root && place && front < max_size) {
        json_t *copy = json_deep_copy(value_at(place));
        if (place->key)
            json_object_set_new(root, place->key, copy); /* what is at home deeper, too */
        else
            json_decref(copy);
        memcpy(out, data1, front);
        written = write_behind(root, front, out, max_size);
    }
    json_decref(root);
    json_decref(other);
    return written;
}
