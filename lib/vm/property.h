/* SPDX-License-Identifier: MIT */
/*
 * What a VM is described by: objects with properties. One table for each type of object serves its
 * setters, its JSON and its JSON Schema, so that these cannot differ.
 */
#ifndef LIB_PROPERTY_H
#define LIB_PROPERTY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/un.h>

#include <volt-qemu/error.h>

#include "base/json.h"
#include "util/strv.h"

enum property_kind {
    PROPERTY_STRING,   /* char * */
    PROPERTY_PATH,     /* char *: absolute, for QEMU does not run in the caller's directory */
    PROPERTY_SOCKET,   /* char *: a path that fits into a Unix socket's address */
    PROPERTY_CHOICE,   /* const char *: one of choices */
    PROPERTY_NUMBER,   /* uint64_t: minimum to maximum; 0 if it is not set */
    PROPERTY_SWITCH,   /* enum toggle */
    PROPERTY_STRINGS,  /* struct strv */
    PROPERTY_SWITCHES, /* struct strv of "name=on" and "name=off" */
    PROPERTY_OBJECTS,  /* struct object_list of elements */
};

#define SOCKET_PATH_MAX (sizeof((struct sockaddr_un *)NULL)->sun_path - 1) /* unix(7) */

/* A switch that nobody set leaves the choice to the library. */
enum toggle { TOGGLE_DEFAULT, TOGGLE_OFF, TOGGLE_ON };

struct object_type;

/*
 * A pattern is one of util/pattern.h, and stands in the schema as ECMAScript's: it must mean the
 * same as both.
 */
struct property {
    const char *key; /* in JSON; a setter is named after it */
    enum property_kind kind;
    size_t offset; /* of the field in the object */
    bool required;
    bool may_be_empty;          /* "" is a value of its own, not none */
    const char *const *choices; /* NULL-terminated */
    uint64_t minimum, maximum;  /* of a number; the maximum is also that of a string's bytes */
    const char *pattern;        /* what a string matches, or NULL; see above */
    const char *wanted; /* what matches it, as "a MAC address such as ..."; or a number's unit */
    const struct object_type *element;
    const char *meaning; /* one sentence, for the schema */
};

struct object_type {
    const char *noun; /* "disk" */
    size_t size;
    const struct property *properties;
    size_t count;
};

struct object_list {
    void **items;
    size_t count;
};

/*
 * Set a property by its key, which must be one of the type's. A refused value changes nothing; NULL
 * or "" unsets a string that is not required.
 */
int object_set_string(const struct object_type *type, void *object, const char *key,
                      const char *value, vqemu_error **error);
int object_set_number(const struct object_type *type, void *object, const char *key, uint64_t value,
                      vqemu_error **error);
/* -1 unsets the property. */
int object_set_descriptor(const struct object_type *type, void *object, const char *key, int fd,
                          vqemu_error **error);
int object_add_string(const struct object_type *type, void *object, const char *key,
                      const char *value, vqemu_error **error);
int object_set_switch(const struct object_type *type, void *object, const char *key,
                      const char *name, bool on, vqemu_error **error);

static inline enum toggle toggle(bool on) {
    return on ? TOGGLE_ON : TOGGLE_OFF;
}

static inline bool is_on(enum toggle toggle) {
    return toggle == TOGGLE_ON;
}

static inline bool is_on_by_default(enum toggle toggle, bool otherwise) {
    return toggle == TOGGLE_DEFAULT ? otherwise : toggle == TOGGLE_ON;
}

/* Add an empty element, which the list owns; NULL without memory. */
void *object_list_add(struct object_list *list, const struct object_type *element);

/* Take the last element away again, and free it. */
void object_list_remove_last(struct object_list *list, const struct object_type *element);

/* Free what the properties hold, not the object itself. */
void object_release(const struct object_type *type, void *object);

/* ---- the same with a prefix for messages, for the JSON reader ---- */

int property_set_string(const struct property *property, void *object, const char *prefix,
                        const char *value, vqemu_error **error);
int property_set_number(const struct property *property, void *object, const char *prefix,
                        uint64_t value, vqemu_error **error);
int property_add_string(const struct property *property, void *object, const char *prefix,
                        const char *value, vqemu_error **error);
int property_set_switch(const struct property *property, void *object, const char *prefix,
                        const char *name, bool on, vqemu_error **error);

/* How many bytes a string can have; 0 for any number. */
static inline uint64_t property_longest(const struct property *property) {
    return property->kind == PROPERTY_SOCKET ? SOCKET_PATH_MAX : property->maximum;
}

static inline void *property_field(const struct property *property, void *object) {
    return (char *)object + property->offset;
}

static inline const void *property_value(const struct property *property, const void *object) {
    return (const char *)object + property->offset;
}

/* ---- JSON (property-json.c, schema.c) ---- */

/*
 * Set properties from a JSON object. prefix stands before keys in messages: "vm.json: ". Unknown
 * keys and values of another type are refused.
 */
int object_from_json(const struct object_type *type, void *object, const char *prefix, json_t *json,
                     vqemu_error **error);

/* Those that are set, as a new JSON object. */
int object_to_json(const struct object_type *type, const void *object, json_t **json,
                   vqemu_error **error);

/* The JSON Schema of the type's documents; NULL without memory. */
json_t *object_schema(const struct object_type *type);

#endif
