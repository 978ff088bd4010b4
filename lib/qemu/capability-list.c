/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "qemu/capabilities.h"

/* Whether it can be a word of the text, and of a command line. */
static bool is_word(const char *text) {
    for (const unsigned char *c = (const unsigned char *)text; *c; c++)
        if (*c <= ' ' || *c >= 0x7f)
            return false;
    return *text != '\0';
}

/* All sorted, without those that are there twice. */
static char *join(struct strv *words) {
    struct strbuf text = {0};
    strv_sort(words, 0);
    for (size_t i = 0; i < words->count; i++)
        if (is_word(words->items[i]) &&
            (i == 0 || strcmp(words->items[i - 1], words->items[i]) != 0))
            strbuf_addf(&text, " %s", words->items[i]);
    return strbuf_take(&text);
}

int capability_list_add_set(struct capability_list *list, struct strv *words) {
    char *text = words->failed ? NULL : words->count == 0 ? strdup("") : join(words);
    if (!text) {
        list->sets.failed = true;
        return PROPERTIES_UNKNOWN;
    }
    for (size_t i = 0; i < list->sets.count; i++)
        if (strcmp(list->sets.items[i], text) == 0) {
            free(text);
            return (int)i;
        }
    strv_take_in(&list->sets, text);
    return (int)list->sets.count - 1;
}

void capability_list_add(struct capability_list *list, const char *kind, const char *name, int set,
                         const char *facts) {
    if (!is_word(name))
        return;
    char number[16];
    snprintf(number, sizeof number, "%d", set);
    const char *properties = set >= 0 ? number : set == PROPERTIES_NONE ? "-" : "?";
    strv_addf(&list->lines, "%s %s %s%s%s", kind, name, properties, *facts ? "\t" : "", facts);
}

void capability_add_fact(struct strbuf *facts, const char *key, const char *value) {
    for (const unsigned char *c = (const unsigned char *)value; *c; c++)
        if (*c < ' ' || *c == 0x7f)
            return;
    strbuf_addf(facts, "%s=%s\t", key, value);
}

/* The line of one of a kind and name; NULL if there is none. */
static char **find(const struct capability_list *list, const char *kind, const char *name) {
    size_t length = strlen(kind), size = strlen(name);
    for (size_t i = 0; i < list->lines.count; i++) {
        const char *line = list->lines.items[i];
        if (strncmp(line, kind, length) == 0 && line[length] == ' ' &&
            strncmp(line + length + 1, name, size) == 0 && line[length + 1 + size] == ' ')
            return &list->lines.items[i];
    }
    return NULL;
}

bool capability_list_has(const struct capability_list *list, const char *kind, const char *name) {
    return find(list, kind, name) != NULL;
}

void capability_list_remove(struct capability_list *list, const char *kind, const char *name) {
    char **line = find(list, kind, name);
    if (line)
        strv_remove(&list->lines, (size_t)(line - list->lines.items));
}

/* Behind the last of those facts that are there is a tab. */
int capability_list_mark(struct capability_list *list, const char *kind, const char *name,
                         const char *fact, const char *value) {
    char **line = find(list, kind, name);
    if (!line)
        return 0;
    char *new = format_string("%s%s%s=%s\t", *line, strchr(*line, '\t') ? "" : "\t", fact, value);
    if (!new)
        return -ENOMEM;
    free(*line);
    *line = new;
    return 0;
}

void capability_list_release(struct capability_list *list) {
    strv_release(&list->sets);
    strv_release(&list->lines);
}

/* The name ends where the line's second space is. */
static size_t key_length(const char *line) {
    const char *name = strchr(line, ' ') + 1;
    return (size_t)(strchr(name, ' ') - line);
}

static bool has_same_key(const char *line, const char *other) {
    size_t length = key_length(line);
    return length == key_length(other) && strncmp(line, other, length) == 0;
}

void capability_list_write(struct capability_list *list, struct strbuf *text) {
    text->failed = text->failed || list->sets.failed || list->lines.failed;
    strbuf_add(text, CAPABILITIES_HEADER "\n");
    for (size_t i = 0; i < list->sets.count; i++)
        strbuf_addf(text, "set %zu%s\n", i, list->sets.items[i]);
    strv_sort(&list->lines, 0);
    for (size_t i = 0; i < list->lines.count; i++)
        if (i == 0 || !has_same_key(list->lines.items[i - 1], list->lines.items[i]))
            strbuf_addf(text, "%s\n", list->lines.items[i]);
}
