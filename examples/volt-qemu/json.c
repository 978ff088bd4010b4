/* SPDX-License-Identifier: MIT */
#include "json.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "cleanup.h"
#include "message.h"
#include "text.h"

/* Whether something could not be added. */
static bool incomplete;

void json_add(json_t *object, const char *key, json_t *value) {
    if (json_object_set_new(object, key, value))
        incomplete = true;
}

static json_t *text_or_null(const char *text) {
    return text ? json_string(text) : json_null();
}

void json_add_text(json_t *object, const char *key, const char *text) {
    json_add(object, key, text_or_null(text));
}

void json_add_number(json_t *object, const char *key, int64_t number) {
    json_add(object, key, number == -1 ? json_null() : json_integer(number));
}

void json_add_process(json_t *object, const char *key, int64_t pid) {
    json_add(object, key, pid ? json_integer(pid) : json_null());
}

void json_add_count(json_t *object, const char *key, size_t count) {
    json_add(object, key, json_integer((json_int_t)count));
}

void json_append(json_t *array, json_t *value) {
    if (json_array_append_new(array, value))
        incomplete = true;
}

void json_append_text(json_t *array, const char *text) {
    json_append(array, text_or_null(text));
}

void print_json_text(const char *json) {
    _cleanup_free_ char *safe = printable_json(json);
    fputs(safe, stdout);
}

int print_json(json_t *value) {
    _cleanup_free_ char *text = json_dumps(value, JSON_INDENT(2));
    json_decref(value);
    if (incomplete)
        return fail_text("cannot print this as JSON: a name or path in it is not UTF-8");
    if (!text)
        return fail_text("cannot print this as JSON: out of memory");
    print_json_text(text);
    putchar('\n');
    return EXIT_SUCCESS;
}
