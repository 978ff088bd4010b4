/* SPDX-License-Identifier: MIT */
/*
 * Keys of a VM, set one after the other. The input has lines: an operation, a key and, behind the
 * first "=", a value. What a setter accepts, the getter of the same kind gives back; what it
 * refuses, changes nothing; and what has become of the VM survives JSON, and goes into units.
 */
#include <stdlib.h>
#include <string.h>

#include "check-unit.h"
#include "fuzz.h"
#include "util/cleanup.h"

#define LINES_MAX 24

/* NULL if it has something that JSON cannot carry. */
static char *to_json(const vqemu_vm *vm) {
    char *text = NULL;
    vqemu_error *error = NULL;
    int r = fuzz_check_result(vqemu_vm_to_json(vm, 0, &text, &error), &error);
    FUZZ_CHECK(!text == (r < 0), "the result %d with a text, or 0 without", r);
    FUZZ_CHECK(r == 0 || r == VQEMU_ERR_UNSUPPORTED, "%d of writing", r);
    return text;
}

static bool is_same(const char *a, const char *b) {
    return (!a && !b) || (a && b && strcmp(a, b) == 0);
}

/* ---- one line each ---- */

static int set_string(vqemu_vm *vm, const char *key, const char *value, vqemu_error **error) {
    const char *got = NULL;
    vqemu_error *fault = NULL;
    int r = vqemu_vm_set_string(vm, key, value, error);
    if (r == 0) {
        int asked = vqemu_vm_get_string(vm, key, &got, &fault);
        /* "on" of a named value is a switch. */
        FUZZ_CHECK(asked == 0 || asked == VQEMU_ERR_INVALID, "%s: what was set cannot be asked for",
                   key);
        FUZZ_CHECK(asked < 0 || is_same(got, value) || (!got && !*value),
                   "%s: \"%s\" is \"%s\" now", key, value, got ? got : "");
        fuzz_check_result(asked, &fault);
    }
    return r;
}

static int set_number(vqemu_vm *vm, const char *key, const char *text, vqemu_error **error) {
    uint64_t value = strtoull(text, NULL, 0), got = ~value;
    vqemu_error *fault = NULL;
    int r = vqemu_vm_set_number(vm, key, value, error);
    if (r == 0) {
        FUZZ_CHECK(fuzz_check_result(vqemu_vm_get_number(vm, key, &got, &fault), &fault) == 0,
                   "%s: what was set cannot be asked for", key);
        FUZZ_CHECK(got == value, "%s: %ju is %ju now", key, (uintmax_t)value, (uintmax_t)got);
    }
    return r;
}

static int set_switch(vqemu_vm *vm, const char *key, const char *text, vqemu_error **error) {
    int32_t value = (int32_t)strtol(text, NULL, 0), got = -1;
    vqemu_error *fault = NULL;
    int r = vqemu_vm_set_switch(vm, key, value, error);
    if (r == 0) {
        FUZZ_CHECK(value >= VQEMU_SWITCH_DEFAULT && value <= VQEMU_SWITCH_ON, "the state %d",
                   value);
        FUZZ_CHECK(fuzz_check_result(vqemu_vm_get_switch(vm, key, &got, &fault), &fault) == 0,
                   "%s: what was set cannot be asked for", key);
        FUZZ_CHECK(got == value, "%s: %d is %d now", key, value, got);
    }
    return r;
}

static int get_all(const vqemu_vm *vm, const char *key, vqemu_error **error) {
    const char *string = NULL;
    uint64_t number = 0;
    int32_t state = 0;
    size_t count = 0;
    fuzz_check_result(vqemu_vm_get_string(vm, key, &string, error), error);
    fuzz_check_result(vqemu_vm_get_number(vm, key, &number, error), error);
    fuzz_check_result(vqemu_vm_get_switch(vm, key, &state, error), error);
    FUZZ_CHECK(!string || strlen(string) < 1024 * 1024, "a long string");
    return vqemu_vm_count(vm, key, &count, error);
}

/* A whole document over the VM. */
static int merge(vqemu_vm *vm, const char *text, vqemu_error **error) {
    return vqemu_vm_merge_json(vm, text, strlen(text), "input", 0, error);
}

static int apply(vqemu_vm *vm, char operation, const char *key, const char *value,
                 vqemu_error **error) {
    switch (operation) {
    case 's':
        return set_string(vm, key, value, error);
    case 'n':
        return set_number(vm, key, value, error);
    case 'w':
        return set_switch(vm, key, value, error);
    case 'u':
        return vqemu_vm_unset(vm, key, error);
    case 'r':
        return vqemu_vm_remove(vm, key, error);
    case 'm':
        return merge(vm, key, error);
    default:
        return get_all(vm, key, error);
    }
}

static void run_line(vqemu_vm *vm, char *line) {
    _cleanup_free_ char *before = to_json(vm);
    vqemu_error *error = NULL;
    char operation = *line, *key = operation ? line + 1 : line;
    char *sign = operation == 'm' ? NULL : strchr(key, '=');
    if (sign)
        *sign = '\0';
    int r = apply(vm, operation, key, sign ? sign + 1 : "", &error);
    if (fuzz_check_result(r, &error) < 0) {
        _cleanup_free_ char *after = to_json(vm);
        FUZZ_CHECK(is_same(before, after), "%s: what was refused has changed the VM:\n%s%s", key,
                   before ? before : "(no text)\n", after ? after : "(no text)\n");
    }
}

/* ---- the VM in the end ---- */

static void check_copy(const vqemu_vm *vm, const char *text) {
    _cleanup_free_ char *copied = NULL, *difference = NULL;
    vqemu_vm *copy = NULL;
    vqemu_error *error = NULL;
    FUZZ_CHECK(fuzz_check_result(vqemu_vm_copy(vm, &copy, &error), &error) == 0, "no copy");
    copied = to_json(copy);
    FUZZ_CHECK(is_same(text, copied), "a copy is another:\n%s%s", text ? text : "",
               copied ? copied : "");
    int r = fuzz_check_result(vqemu_vm_diff(vm, copy, 0, &difference, &error), &error);
    FUZZ_CHECK(r < 0 || strcmp(difference, "{\n  \"changes\": []\n}\n") == 0, "a copy differs: %s",
               difference);
    vqemu_vm_free(copy);
}

/* Only what is missing can stand in the way: setters do not ask for that. */
static void check_round_trip(const char *text) {
    _cleanup_free_ char *again = NULL;
    vqemu_vm *vm = NULL;
    vqemu_error *error = NULL;
    int r = vqemu_vm_from_json(text, strlen(text), "written", 0, &vm, &error);
    FUZZ_CHECK(r == 0 || strcmp(vqemu_error_reason(error), "missing-value") == 0,
               "what was written is not read: %s\n%s", vqemu_error_message(error), text);
    fuzz_check_result(r, &error);
    if (r < 0)
        return;
    again = to_json(vm);
    FUZZ_CHECK(is_same(text, again), "two texts:\n%s%s", text, again ? again : "");
    vqemu_vm_free(vm);
}

static void check_copies(const vqemu_vm *vm) {
    _cleanup_free_ char *text = to_json(vm);
    check_copy(vm, text);
    if (text)
        check_round_trip(text);
}

/* Setters take bytes that no document has. */
static void check_units_of(vqemu_vm *vm) {
    static vqemu_runtime *runtime;
    vqemu_units *units = NULL;
    vqemu_error *error = NULL;
    if (!runtime) {
        vqemu_selection *selection = fuzz_select("x86_64", "emulate-x86", "x86_64");
        FUZZ_CHECK(selection, "no selection");
        runtime = fuzz_make_runtime(selection, true);
        vqemu_selection_free(selection);
    }
    const char *user = NULL;
    if (vqemu_vm_get_string(vm, "user", &user, NULL) == 0 && !user)
        FUZZ_CHECK(vqemu_vm_set_string(vm, "user", "vm", NULL) == 0, "no user");
    int r = vqemu_units_build(runtime, vm, NULL, NULL, 0, NULL, &units, &error);
    if (fuzz_check_result(r, &error) == 0)
        check_units(units, NULL);
    vqemu_units_free(units);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    _cleanup_free_ char *text = fuzz_text(data, size);
    vqemu_vm *vm = NULL;
    char *place = text;
    fuzz_begin(data, size);
    FUZZ_CHECK(vqemu_vm_new("fuzz", &vm, NULL) == 0, "no memory");
    for (int i = 0; place && i < LINES_MAX; i++) {
        char *line = strsep(&place, "\n");
        run_line(vm, line);
    }
    check_copies(vm);
    check_units_of(vm);
    vqemu_vm_free(vm);
    return 0;
}
