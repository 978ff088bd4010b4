/* SPDX-License-Identifier: MIT */
#include "qemu/capabilities.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "util/export.h"
#include "util/word.h"

struct capability {
    const char *kind, *name;
    const char *properties; /* " a b c", sorted; "" for none; NULL if it cannot be told */
    const char *facts; /* "key=value", each with a NUL behind it, and an empty one at the end */
};

struct vqemu_capabilities {
    atomic_uint references;
    char *text, *cut; /* as it was, and with NULs in it */
    struct capability *items;
    size_t count;
};

/* ---- the text ---- */

static size_t count_lines(const char *text) {
    size_t count = 0;
    for (const char *c = text; (c = strchr(c, '\n')); c++)
        count++;
    return count;
}

/* The next line, cut off; NULL at the end. */
static char *take_line(char **text) {
    char *line = *text, *end = strchr(line, '\n');
    if (!end)
        return NULL;
    *end = '\0';
    *text = end + 1;
    return line;
}

/* The next word, cut off at a separator that must be there; NULL if it is not. */
static char *take_word(char **line, char separator) {
    char *word = *line, *end = strchr(word, separator);
    if (!end || end == word)
        return NULL;
    *end = '\0';
    *line = end + 1;
    return word;
}

/* "set 0 a b c": its words, with the space before each; NULL if it is not the one that is due. */
static const char *read_set(char *line, size_t due) {
    char *end;
    if (strncmp(line, "set ", 4) != 0 || strtoul(line + 4, &end, 10) != due)
        return NULL;
    return *end == '\0' || *end == ' ' ? end : NULL;
}

/* Each fact ends in a tab, which becomes a NUL; then comes the line's own. */
static const char *cut_facts(char *rest) {
    for (char *c = rest; *c; c++)
        if (*c == '\t')
            *c = '\0';
    return rest;
}

static bool read_item(char *line, const char *const *sets, size_t set_count,
                      struct capability *item) {
    item->kind = take_word(&line, ' ');
    item->name = item->kind ? take_word(&line, ' ') : NULL;
    if (!item->name)
        return false;
    char *end = line + strcspn(line, "\t");
    bool has_facts = *end == '\t';
    *end = '\0';
    item->facts = has_facts ? cut_facts(end + 1) : "";
    if (strcmp(line, "-") == 0 || strcmp(line, "?") == 0) {
        item->properties = *line == '-' ? "" : NULL;
        return true;
    }
    char *rest;
    unsigned long number = strtoul(line, &rest, 10);
    if (*line == '\0' || *rest || number >= set_count)
        return false;
    item->properties = sets[number];
    return true;
}

static int compare_items(const char *kind, const char *name, const struct capability *item) {
    int order = strcmp(kind, item->kind);
    return order ? order : strcmp(name, item->name);
}

static bool read_items(vqemu_capabilities *capabilities, char *text, const char **sets) {
    size_t set_count = 0;
    for (char *line; (line = take_line(&text));) {
        const char *set = capabilities->count == 0 ? read_set(line, set_count) : NULL;
        if (set) {
            sets[set_count++] = set;
            continue;
        }
        struct capability *item = &capabilities->items[capabilities->count];
        if (!read_item(line, sets, set_count, item) ||
            (capabilities->count > 0 && compare_items(item->kind, item->name, item - 1) <= 0))
            return false;
        capabilities->count++;
    }
    return *text == '\0';
}

static int read_text(vqemu_capabilities *capabilities, const char *source, vqemu_error **error) {
    size_t lines = count_lines(capabilities->text);
    capabilities->cut = strdup(capabilities->text);
    capabilities->items = calloc(lines + 1, sizeof *capabilities->items);
    _cleanup_free_ const char **sets = calloc(lines + 1, sizeof *sets);
    if (!capabilities->cut || !capabilities->items || !sets)
        return error_no_memory(error);
    char *rest = capabilities->cut;
    const char *header = take_line(&rest);
    if (header && strcmp(header, CAPABILITIES_HEADER) == 0 && read_items(capabilities, rest, sets))
        return 0;
    return error_set(error, VQEMU_ERR_MALFORMED, 0, "%s is no list of what a QEMU can do", source);
}

int capabilities_of_text(char *text, const char *source, vqemu_capabilities **capabilities,
                         vqemu_error **error) {
    _cleanup_free_ char *owned = text;
    _cleanup_capabilities_ vqemu_capabilities *new = calloc(1, sizeof *new);
    *capabilities = NULL;
    if (!new)
        return error_no_memory(error);
    atomic_init(&new->references, 1);
    new->text = TAKE_POINTER(owned);
    int r = read_text(new, source, error);
    if (r == 0)
        *capabilities = TAKE_POINTER(new);
    return r;
}

int capabilities_write(const vqemu_capabilities *capabilities, struct strbuf *text) {
    strbuf_add(text, capabilities->text);
    return text->failed ? -ENOMEM : 0;
}

VQEMU_EXPORT vqemu_capabilities *vqemu_capabilities_ref(vqemu_capabilities *capabilities) {
    if (capabilities)
        atomic_fetch_add_explicit(&capabilities->references, 1, memory_order_relaxed);
    return capabilities;
}

VQEMU_EXPORT void vqemu_capabilities_unref(vqemu_capabilities *capabilities) {
    if (!capabilities ||
        atomic_fetch_sub_explicit(&capabilities->references, 1, memory_order_acq_rel) != 1)
        return;
    free(capabilities->text);
    free(capabilities->cut);
    free(capabilities->items);
    free(capabilities);
}

/* ---- access ---- */

/* The first that is not before a kind and name. */
static size_t find_place(const vqemu_capabilities *capabilities, const char *kind,
                         const char *name) {
    size_t low = 0, high = capabilities->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_items(kind, name, &capabilities->items[middle]) > 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static const struct capability *find(const vqemu_capabilities *capabilities, const char *kind,
                                     const char *name) {
    if (!capabilities || !kind || !name)
        return NULL;
    size_t place = find_place(capabilities, kind, name);
    if (place == capabilities->count || compare_items(kind, name, &capabilities->items[place]) != 0)
        return NULL;
    return &capabilities->items[place];
}

static const char *find_fact(const struct capability *item, const char *fact) {
    size_t length = strlen(fact);
    for (const char *text = item->facts; *text; text += strlen(text) + 1)
        if (strncmp(text, fact, length) == 0 && text[length] == '=')
            return text + length + 1;
    return NULL;
}

VQEMU_EXPORT size_t vqemu_capabilities_count(const vqemu_capabilities *capabilities,
                                             const char *kind) {
    if (!capabilities || !kind)
        return 0;
    size_t first = find_place(capabilities, kind, ""), count = 0;
    while (first + count < capabilities->count &&
           strcmp(capabilities->items[first + count].kind, kind) == 0)
        count++;
    return count;
}

VQEMU_EXPORT const char *vqemu_capabilities_at(const vqemu_capabilities *capabilities,
                                               const char *kind, size_t index) {
    size_t first = capabilities && kind ? find_place(capabilities, kind, "") : 0;
    if (!capabilities || !kind || index >= capabilities->count - first)
        return NULL;
    const struct capability *item = &capabilities->items[first + index];
    return strcmp(item->kind, kind) == 0 ? item->name : NULL;
}

const char *capabilities_real_name(const vqemu_capabilities *capabilities, const char *kind,
                                   const char *name) {
    const char *other = vqemu_capabilities_fact(capabilities, kind, name, "alias-of");
    return other ? other : name;
}

const char *capabilities_listed_name(const vqemu_capabilities *capabilities, const char *kind,
                                     const char *name) {
    const struct capability *item =
        find(capabilities, kind, capabilities_real_name(capabilities, kind, name));
    return item ? item->name : NULL;
}

const char *capabilities_properties(const vqemu_capabilities *capabilities, const char *kind,
                                    const char *name) {
    const struct capability *item =
        find(capabilities, kind, capabilities_real_name(capabilities, kind, name));
    return item ? item->properties : NULL;
}

bool capabilities_tell(const vqemu_capabilities *capabilities, const char *kind) {
    return vqemu_capabilities_count(capabilities, kind) > 0 ||
           (strcmp(kind, "tpm") == 0 && find(capabilities, "command", TPM_QUESTION));
}

VQEMU_EXPORT int vqemu_capabilities_has(const vqemu_capabilities *capabilities, const char *kind,
                                        const char *name, const char *property) {
    const struct capability *item = find(capabilities, kind, name);
    if (!item)
        return capabilities && kind && name && capabilities_tell(capabilities, kind) ? 0 : -1;
    if (!property)
        return 1;
    const char *properties = capabilities_properties(capabilities, kind, name);
    return properties ? has_word(properties, property) : -1;
}

VQEMU_EXPORT const char *vqemu_capabilities_fact(const vqemu_capabilities *capabilities,
                                                 const char *kind, const char *name,
                                                 const char *fact) {
    const struct capability *item = find(capabilities, kind, name);
    return item && fact ? find_fact(item, fact) : NULL;
}

/* ---- JSON ---- */

static json_t *words_json(const char *words) {
    json_t *array = json_array();
    while (array && *words) {
        words += *words == ' ';
        size_t length = strcspn(words, " ");
        if (json_array_append_new(array, json_stringn(words, length)) < 0) {
            json_decref(array);
            return NULL;
        }
        words += length;
    }
    return array;
}

static int add_facts(json_t *object, const struct capability *item) {
    int r = 0;
    for (const char *text = item->facts; r == 0 && *text; text += strlen(text) + 1) {
        size_t length = strcspn(text, "=");
        _cleanup_free_ char *key = strndup(text, length);
        r = key ? json_object_set_new(object, key, json_string(text + length + 1)) : -1;
    }
    return r;
}

static int add_item(json_t *all, const struct capability *item) {
    json_t *kind = json_object_get(all, item->kind);
    json_t *object = json_object();
    if (!kind && json_object_set_new(all, item->kind, kind = json_object()) < 0) {
        json_decref(object);
        return -1;
    }
    if (json_object_set_new(kind, item->name, object) < 0 || add_facts(object, item) < 0)
        return -1;
    if (!item->properties)
        return json_object_set_new(object, "properties", json_null());
    return *item->properties
               ? json_object_set_new(object, "properties", words_json(item->properties))
               : 0;
}

VQEMU_EXPORT int vqemu_capabilities_to_json(const vqemu_capabilities *capabilities, uint32_t flags,
                                            char **json, vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(json, error);
    *json = NULL;
    REQUIRE_ARGUMENT(capabilities, error);
    REQUIRE_FLAGS(flags, 0, error);
    _cleanup_json_ json_t *all = json_object();
    for (size_t i = 0; all && i < capabilities->count; i++)
        if (strcmp(capabilities->items[i].kind, TYPE_KIND) != 0 &&
            add_item(all, &capabilities->items[i]) < 0)
            return error_no_memory(error);
    return all ? json_to_text(all, json, error) : error_no_memory(error);
}
