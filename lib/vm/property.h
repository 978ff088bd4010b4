/* SPDX-License-Identifier: MIT */
/*
 * What a VM is described by: objects with properties. One table for each type of object serves the
 * access by key, its JSON and its JSON Schema, so that these cannot differ.
 */
#ifndef LIB_PROPERTY_H
#define LIB_PROPERTY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/un.h>

#include <volt-qemu/error.h>

#include "base/json.h"
#include "util/strbuf.h"
#include "util/strv.h"
#include "vm/named-value.h"

enum property_kind {
    PROPERTY_STRING, /* char * */
    /* char *: absolute, for QEMU does not run in the caller's directory; no "..", nothing of a
     * process's own, as in /proc/self */
    PROPERTY_PATH,
    PROPERTY_SOCKET,  /* char *: a path that fits into a Unix socket's address */
    PROPERTY_CHOICE,  /* const char *: one of choices */
    PROPERTY_NUMBER,  /* uint64_t: minimum to maximum; 0 if it is not set */
    PROPERTY_SWITCH,  /* enum toggle */
    PROPERTY_STRINGS, /* struct strv */
    PROPERTY_VALUES,  /* struct named_values */
    PROPERTY_OBJECTS, /* struct object_list of elements */
};

#define SOCKET_PATH_MAX (sizeof((struct sockaddr_un *)NULL)->sun_path - 1) /* unix(7) */

/* Bytes of one argument of a program, as the kernel has it: MAX_ARG_STRLEN (execve(2)). */
#define ARGUMENT_MAX (32 * 4096 - 1)

/* No machine has room for as many devices, no command line for as many arguments. */
#define LIST_MAX 1000

/* A switch that nobody set leaves the choice to the library. As enum vqemu_switch. */
enum toggle { TOGGLE_DEFAULT, TOGGLE_OFF, TOGGLE_ON };

/*
 * What a key of a VM reaches besides the guest, and so what of a policy it is under. Each has one
 * (command/policy-check.c); the keys of other documents have none.
 */
enum property_reach {
    REACH_UNSAID,
    REACH_NOTHING,    /* only the guest, and what every VM may */
    REACH_FILE,       /* a file; the command tells whether it is written */
    REACH_SHARE,      /* a directory that the guest gets */
    REACH_SOCKET,     /* a Unix socket */
    REACH_DIRECTORY,  /* where the VM has its files and sockets */
    REACH_PROGRAM,    /* a program of the host that is executed */
    REACH_DESCRIPTOR, /* what the caller has open */
    REACH_RULE,       /* there is a rule of its own for it (command/policy-rules.c) */
};

struct object_type;

/*
 * A pattern is one of util/pattern.h, and stands in the schema as ECMAScript's: it must mean the
 * same as both.
 */
struct property {
    const char *key;
    enum property_kind kind;
    size_t offset; /* of the field in the object */
    enum property_reach reach;
    bool required;
    bool is_never_zero;                     /* 0 is refused, and does not stand for no number */
    bool may_be_empty;                      /* "" is a value of its own, not none */
    bool are_paths;                         /* each string of a list is absolute */
    bool is_descriptor;                     /* a number that a caller has by mistake when it is 0 */
    const char *const *choices;             /* NULL-terminated */
    const char *(*choice_at)(size_t index); /* instead, where another noun has the words */
    uint64_t minimum, maximum; /* of a number, also a named one; the maximum is also that of a
                                * string's bytes */
    const char
        *pattern;       /* what a string, also of a list, or the name of a value matches, or NULL */
    const char *wanted; /* what matches it, as "a MAC address such as ..."; or a number's unit */
    /* The same of named values that are text; with it, none is a switch. NULL: what QEMU takes. */
    const char *value_pattern, *value_wanted;
    const struct object_type *element;
    const char *meaning; /* for the schema: what it is, its default, and what it needs */
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

/* The words of a choice one by one, static; NULL beyond the last. */
const char *property_choice_at(const struct property *property, size_t index);

/* Of a property that is a choice: NULL is none. */
static inline bool is_chosen(const char *choice, const char *value) {
    return choice && strcmp(choice, value) == 0;
}

static inline bool is_on(enum toggle toggle) {
    return toggle == TOGGLE_ON;
}

static inline bool is_on_by_default(enum toggle toggle, bool otherwise) {
    return toggle == TOGGLE_DEFAULT ? otherwise : toggle == TOGGLE_ON;
}

static inline bool property_is_string(const struct property *property) {
    return property->kind == PROPERTY_STRING || property->kind == PROPERTY_PATH ||
           property->kind == PROPERTY_SOCKET || property->kind == PROPERTY_CHOICE;
}

/* Absolute, without "..", and maybe with a pattern of its own. */
static inline bool property_is_path(const struct property *property) {
    return property->kind == PROPERTY_PATH || property->kind == PROPERTY_SOCKET ||
           property->are_paths;
}

static inline void *property_field(const struct property *property, void *object) {
    return (char *)object + property->offset;
}

static inline const void *property_value(const struct property *property, const void *object) {
    return (const char *)object + property->offset;
}

/* How many bytes a string can have; 0 for any number. */
static inline uint64_t property_longest(const struct property *property) {
    return property->kind == PROPERTY_SOCKET ? SOCKET_PATH_MAX : property->maximum;
}

/* Whether it has a value of its own. */
bool property_is_set(const struct property *property, const void *object);

/* How many elements or values a list has, or an object of values. */
size_t property_count(const struct property *property, const void *object);

/*
 * Setting. key is the whole one, "disks[0].cache", for the error. A refused value changes nothing.
 * NULL or "" unsets a string that is not required, 0 such a number.
 */
int property_set_string(const struct property *property, void *object, const char *key,
                        const char *value, vqemu_error **error);
int property_set_number(const struct property *property, void *object, const char *key,
                        uint64_t value, vqemu_error **error);
/* Of a list of strings: an index that is the count appends. */
int property_set_element(const struct property *property, void *object, const char *key,
                         size_t index, const char *value, vqemu_error **error);
/* Whether a named value can have the name. */
int property_check_name(const struct property *property, const char *key, const char *name,
                        vqemu_error **error);
/* Of named values. A NULL value takes the name away. */
int property_set_value(const struct property *property, void *object, const char *key,
                       const char *name, const struct value *value, vqemu_error **error);
/* Back to the default, of any kind. */
int property_unset(const struct property *property, void *object, const char *key,
                   vqemu_error **error);
/* One more element for a list that has so many. */
int property_check_room(const char *key, size_t count, vqemu_error **error);

/* Add an empty element, which the list owns; NULL without memory. */
void *object_list_add(struct object_list *list, const struct object_type *element);
void object_list_remove(struct object_list *list, const struct object_type *element, size_t index);

/* Free what the properties hold, not the object itself. */
void object_release(const struct object_type *type, void *object);

/* Into an object without anything set; what is there after a failure must be released. */
int object_copy(const struct object_type *type, const void *from, void *to, vqemu_error **error);

/* Whether all that is required is set, in elements as well: it may have been made key by key. */
int object_check_required(const struct object_type *type, const void *object, vqemu_error **error);

/* ---- keys that are not there (unknown-key.c) ---- */

/* Of a type's table; NULL if it has no such key. */
const struct property *property_find(const struct object_type *type, const char *key,
                                     size_t length);

/* key: the whole one, of which the bytes at, of some length, are unknown. A document may be for a
 * newer library. */
int property_unknown(const struct object_type *type, const char *key, size_t at, size_t length,
                     bool of_document, vqemu_error **error);

/* ---- JSON (property-json.c, schema.c) ---- */

/*
 * Set properties from a JSON object. Unknown keys and values of another type are refused. With
 * merge, the object may have values already: null unsets one, and nothing is required.
 */
int object_from_json(const struct object_type *type, void *object, bool merge, json_t *json,
                     vqemu_error **error);

/* Those that are set, as a new JSON object. */
int object_to_json(const struct object_type *type, const void *object, json_t **json,
                   vqemu_error **error);

/* The JSON Schema of the type's documents; NULL without memory. */
json_t *object_schema(const struct object_type *type);

/* The same of whole documents, which may name their schema. */
json_t *document_schema(const struct object_type *type, const char *title);

#endif
