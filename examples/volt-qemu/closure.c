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

static json_t *guest_abilities_json(const vqemu_closure *closure, const char *guest) {
    json_t *object = json_object();
    for (uint64_t bit = 1; bit; bit <<= 1)
        if (vqemu_closure_has_ability(closure, bit, guest) != 0)
            json_add_text(object, vqemu_ability_name(bit),
                          vqemu_closure_ability_path(closure, bit, guest));
    return object;
}

json_t *closure_abilities_json(const vqemu_closure *closure) {
    json_t *object = json_object();
    for (size_t i = 0; i < vqemu_guest_arch_count(); i++) {
        json_t *abilities = guest_abilities_json(closure, vqemu_guest_arch_at(i));
        if (json_object_size(abilities) > 0)
            json_add(object, vqemu_guest_arch_at(i), abilities);
        else
            json_decref(abilities);
    }
    return object;
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

/* Those that a guest has, state being 1, or of which it cannot be told. */
static void print_abilities_of(const vqemu_closure *closure, const char *guest, int state,
                               const char *before) {
    for (uint64_t bit = 1; bit; bit <<= 1) {
        if (vqemu_closure_has_ability(closure, bit, guest) != state)
            continue;
        printf("%s%s", before, vqemu_ability_name(bit));
        before = " ";
    }
}

static void print_abilities(const vqemu_closure *closure) {
    json_t *all = closure_abilities_json(closure), *one;
    const char *guest;
    json_object_foreach(all, guest, one) {
        printf("  abilities for %s:", guest);
        print_abilities_of(closure, guest, 1, " ");
        print_abilities_of(closure, guest, -1, " cannot be told: ");
        putchar('\n');
    }
    json_decref(all);
}

void print_closure_remarks(const vqemu_closure *closure) {
    size_t i = vqemu_closure_problem_count(closure), count = vqemu_closure_count(closure);
    print_abilities(closure);
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
