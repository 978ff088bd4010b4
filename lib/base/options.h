/* SPDX-License-Identifier: MIT */
/*
 * An options object: a struct of strings (char *) and numbers (uint64_t) that callers set by key.
 * Its public functions check their handle and pass on to these.
 */
#ifndef LIB_OPTIONS_H
#define LIB_OPTIONS_H

#include <stddef.h>
#include <stdint.h>

#include <volt-qemu/error.h>

/* A secret is a string that is wiped when it is freed. */
enum option_kind { OPTION_STRING, OPTION_SECRET, OPTION_NUMBER };

struct option_key {
    const char *key;
    enum option_kind kind;
    size_t offset; /* of the field, a char * or uint64_t */
};

struct options_type {
    const char *noun; /* "a store", for "a store has no such key" */
    size_t size;      /* of the struct */
    const struct option_key *keys;
    size_t key_count;
};

/* All unset: NULL and 0. NULL without memory. */
void *options_new(const struct options_type *type);

/* The strings of the object and itself; NULL is allowed. */
void options_free(const struct options_type *type, void *options);

/* The value is copied; NULL unsets. key may not be NULL. */
int options_set_string(const struct options_type *type, void *options, const char *key,
                       const char *value, vqemu_error **error);
int options_set_number(const struct options_type *type, void *options, const char *key,
                       uint64_t value, vqemu_error **error);

/* The error for a value of a key that there is, with the words it can be (separated by ", ", or
 * NULL) in its details: "<key>: <text>". Returns the code. With choices the reason is
 * "not-a-choice". */
int options_invalid(const char *key, const char *value, const char *choices, vqemu_error **error,
                    const char *format, ...) __attribute__((format(printf, 5, 6)));

/* A value that is none of the choices. */
int options_not_a_choice(const char *key, const char *value, const char *choices,
                         vqemu_error **error);

/* A time of more milliseconds than it can have: what is below 0 in the caller's program arrives as
 * that. Reason "out-of-range". */
int options_check_time(const char *key, uint64_t milliseconds, uint64_t most, vqemu_error **error);

/* No value, or an empty one, where there must be one; of: "the description of a host". */
int options_missing(const char *key, const char *of, vqemu_error **error);

/* Whether a value is the absolute path of a directory, without a slash at its end. */
int options_check_directory(const char *key, const char *path, vqemu_error **error);

/* A path that does not begin with a slash. */
int options_relative_path(const char *key, const char *path, vqemu_error **error);

#endif
