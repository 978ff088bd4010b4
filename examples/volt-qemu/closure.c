/* SPDX-License-Identifier: MIT */
#include "closure.h"

#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "json.h"
#include "message.h"
#include "text.h"

/* A profile without its libraries has dozens. */
#define WARNINGS_MAX 10

json_t *closure_json(const vqemu_closure *closure) {
    json_t *list = json_array();
    for (size_t i = 0; i < vqemu_closure_count(closure); i++) {
        json_t *entry = json_object();
        json_add_text(entry, "kind", vqemu_closure_kind(closure, i));
        json_add_text(entry, "state", vqemu_closure_state(closure, i));
        json_add_text(entry, "name", vqemu_closure_name(closure, i));
        json_add_text(entry, "asked_by", vqemu_closure_asked_by(closure, i));
        json_add_text(entry, "message", vqemu_closure_message(closure, i));
        json_append(list, entry);
    }
    return list;
}

static bool is(const vqemu_closure *closure, size_t entry, const char *state) {
    return strcmp(vqemu_closure_state(closure, entry), state) == 0;
}

/* That a program is a script, which cannot be looked into, is not that something is missing. */
void warn_of_closure(const vqemu_closure *closure) {
    size_t told = 0, more = 0;
    for (size_t i = 0; i < vqemu_closure_problem_count(closure); i++) {
        if (is(closure, i, "unknown"))
            continue;
        if (told == WARNINGS_MAX) {
            more++;
            continue;
        }
        warn("not whole: %s", vqemu_closure_message(closure, i));
        told++;
    }
    if (more > 0)
        warn("not whole: %zu more, which --json lists", more);
}

void print_closure_remarks(const vqemu_closure *closure) {
    size_t i = vqemu_closure_problem_count(closure), count = vqemu_closure_count(closure);
    for (; i < count && !is(closure, i, "unused"); i++) {
        _cleanup_free_ char *message = printable(vqemu_closure_message(closure, i));
        printf("  %s: %s\n", vqemu_closure_state(closure, i), message);
    }
    for (size_t first = i; i < count; i++) {
        _cleanup_free_ char *name = printable(vqemu_closure_name(closure, i));
        printf("%s%s", i == first ? "  unused, as nothing in it asks for them: " : ", ", name);
    }
    if (count > 0 && is(closure, count - 1, "unused"))
        putchar('\n');
}
