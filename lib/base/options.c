/* SPDX-License-Identifier: MIT */
#include "base/options.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "util/beneath.h"
#include "util/strbuf.h"

void *options_new(const struct options_type *type) {
    return calloc(1, type->size);
}

static void *field_of(void *options, const struct option_key *key) {
    return (char *)options + key->offset;
}

static void free_string(const struct option_key *key, char *text) {
    if (text && key->kind == OPTION_SECRET)
        explicit_bzero(text, strlen(text));
    free(text);
}

void options_free(const struct options_type *type, void *options) {
    if (!options)
        return;
    for (size_t i = 0; i < type->key_count; i++)
        if (type->keys[i].kind != OPTION_NUMBER)
            free_string(&type->keys[i], *(char **)field_of(options, &type->keys[i]));
    free(options);
}

static int unknown_key(const struct options_type *type, const char *key, vqemu_error **error) {
    struct strbuf names = {0};
    for (size_t i = 0; i < type->key_count; i++)
        strbuf_addf(&names, "%s%s", i ? ", " : "", type->keys[i].key);
    _cleanup_free_ char *choices = strbuf_take(&names);
    if (!choices)
        return error_no_memory(error);
    return error_unknown_key(error, type->noun, key, choices);
}

static int wrong_kind(const struct option_key *key, vqemu_error **error) {
    const char *kind = key->kind == OPTION_NUMBER ? "a number" : "a string";
    int r = error_set(error, VQEMU_ERR_INVALID, 0, "%s: its value is %s", key->key, kind);
    return error_because(r, error, "wrong-kind", VQEMU_DETAIL_KEY, key->key, NULL);
}

static int find(const struct options_type *type, const char *name, enum option_kind kind,
                const struct option_key **key, vqemu_error **error) {
    for (size_t i = 0; i < type->key_count; i++) {
        *key = &type->keys[i];
        if (strcmp((*key)->key, name) == 0)
            return ((*key)->kind == OPTION_NUMBER) == (kind == OPTION_NUMBER)
                       ? 0
                       : wrong_kind(*key, error);
    }
    return unknown_key(type, name, error);
}

int options_set_string(const struct options_type *type, void *options, const char *key,
                       const char *value, vqemu_error **error) {
    const struct option_key *found;
    int r = find(type, key, OPTION_STRING, &found, error);
    if (r < 0)
        return r;
    char *copy = value ? strdup(value) : NULL;
    if (value && !copy)
        return error_no_memory(error);
    char **field = field_of(options, found);
    free_string(found, *field);
    *field = copy;
    return 0;
}

int options_set_number(const struct options_type *type, void *options, const char *key,
                       uint64_t value, vqemu_error **error) {
    const struct option_key *found;
    int r = find(type, key, OPTION_NUMBER, &found, error);
    if (r == 0)
        *(uint64_t *)field_of(options, found) = value;
    return r;
}

int options_invalid(const char *key, const char *value, const char *choices, vqemu_error **error,
                    const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int r = error_set_va(error, VQEMU_ERR_INVALID, 0, format, arguments);
    va_end(arguments);
    error_prefix(r, error, "%s: ", key);
    return error_because(r, error, choices ? "not-a-choice" : NULL, VQEMU_DETAIL_KEY, key,
                         VQEMU_DETAIL_VALUE, value, VQEMU_DETAIL_CHOICES, choices, NULL);
}

int options_not_a_choice(const char *key, const char *value, const char *choices,
                         vqemu_error **error) {
    return options_invalid(key, value, choices, error, "\"%s\" is none of %s", value, choices);
}

int options_check_time(const char *key, uint64_t milliseconds, uint64_t most, vqemu_error **error) {
    char text[24];
    if (milliseconds <= most)
        return 0;
    snprintf(text, sizeof text, "%llu", (unsigned long long)milliseconds);
    int r = options_invalid(key, text, NULL, error,
                            "%s is more than the %llu milliseconds that it can have; was it "
                            "negative?",
                            text, (unsigned long long)most);
    return error_because(r, error, "out-of-range", NULL);
}

int options_missing(const char *key, const char *of, vqemu_error **error) {
    int r = options_invalid(key, NULL, NULL, error, "missing in %s", of);
    return error_because(r, error, "missing-value", NULL);
}

int options_relative_path(const char *key, const char *path, vqemu_error **error) {
    int r = options_invalid(key, path, NULL, error, "\"%s\" is not an absolute path", path);
    return error_because(r, error, "relative-path", NULL);
}

int options_check_directory(const char *key, const char *path, vqemu_error **error) {
    size_t length = strlen(path);
    if (path[0] == '/' && length > 1 && path[length - 1] != '/' && !path_climbs(path))
        return 0;
    if (path[0] && path[0] != '/')
        return options_relative_path(key, path, error);
    return options_invalid(key, path, NULL, error,
                           "\"%s\" is not the absolute path of a directory, without a slash at its "
                           "end and \"..\"",
                           path);
}
