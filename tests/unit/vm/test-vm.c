/* SPDX-License-Identifier: MIT */
#include "vm/vm.h"

#include <volt-qemu/volt-qemu.h>

#include "base/error.h"
#include <stdlib.h>
#include <string.h>

#include "run.h"

static const char *string_of(const vqemu_vm *vm, const char *key) {
    const char *string;
    ck_assert_int_eq(vqemu_vm_get_string(vm, key, &string, NULL), 0);
    return string;
}

static uint64_t number_of(const vqemu_vm *vm, const char *key) {
    uint64_t number;
    ck_assert_int_eq(vqemu_vm_get_number(vm, key, &number, NULL), 0);
    return number;
}

START_TEST(a_new_vm_has_the_defaults) {
    static const char *const strings[] = {"rootfs", "kernel",   "initrd",
                                          "append", "guest_os", "profile"};
    _cleanup_vm_ vqemu_vm *vm = NULL;
    size_t count = 1;
    ck_assert_int_eq(vqemu_vm_new("web", &vm, NULL), 0);
    ck_assert_str_eq(string_of(vm, "name"), "web");
    ck_assert_uint_eq(number_of(vm, "memory"), 0);
    for (size_t i = 0; i < sizeof strings / sizeof *strings; i++)
        ck_assert_ptr_null(string_of(vm, strings[i]));
    ck_assert_int_eq(vqemu_vm_count(vm, "extra_args", &count, NULL), 0);
    ck_assert_uint_eq(count, 0);
    vqemu_vm_free(NULL);
}
END_TEST

/* What the table has, the key takes. */
START_TEST(every_architecture_can_be_named) {
    _cleanup_vm_ vqemu_vm *vm = NULL;
    _cleanup_error_ vqemu_error *error = NULL;
    ck_assert_int_eq(vqemu_vm_new("web", &vm, NULL), 0);
    for (size_t i = 0; i < vqemu_guest_arch_count(); i++)
        ck_assert_int_eq(
            vqemu_vm_set_string(vm, VQEMU_KEY_GUEST_ARCH, vqemu_guest_arch_at(i), NULL), 0);
    ck_assert_int_eq(vqemu_vm_set_string(vm, VQEMU_KEY_GUEST_ARCH, "vax", &error),
                     VQEMU_ERR_INVALID);
    size_t named = 1;
    for (const char *c = vqemu_error_detail(error, "choices"); *c; c++)
        named += *c == ',';
    ck_assert_uint_eq(named, vqemu_guest_arch_count());
}
END_TEST

START_TEST(names_are_checked) {
    char name[257];
    _cleanup_vm_ vqemu_vm *vm = NULL;
    vqemu_vm *none = (vqemu_vm *)name;
    memset(name, 'x', 256);
    name[256] = '\0';
    ck_assert_int_eq(vqemu_vm_new(name, &none, NULL), VQEMU_ERR_INVALID);
    ck_assert_ptr_null(none);
    name[255] = '\0';
    ck_assert_int_eq(vqemu_vm_new(name, &vm, NULL), 0);
    ck_assert_int_eq(vqemu_vm_set_string(vm, "name", "", NULL), VQEMU_ERR_INVALID);
    ck_assert_int_eq(vqemu_vm_set_string(vm, "name", NULL, NULL), VQEMU_ERR_INVALID);
    ck_assert_int_eq(vqemu_vm_unset(vm, "name", NULL), VQEMU_ERR_INVALID);
    ck_assert_str_eq(string_of(vm, "name"), name); /* a refused value changes nothing */
    ck_assert_int_eq(vqemu_vm_set_string(vm, "name", "any \xff\n,=", NULL), 0);
}
END_TEST

START_TEST(numbers_are_checked) {
    _cleanup_vm_ vqemu_vm *vm = NULL;
    ck_assert_int_eq(vqemu_vm_new("x", &vm, NULL), 0);
    ck_assert_int_eq(vqemu_vm_set_number(vm, "memory", 16777216, NULL), 0);
    ck_assert_int_eq(vqemu_vm_set_number(vm, "memory", 16777217, NULL), VQEMU_ERR_INVALID);
    ck_assert_int_eq(vqemu_vm_set_number(vm, "memory", UINT64_MAX, NULL), VQEMU_ERR_INVALID);
    ck_assert_uint_eq(number_of(vm, "memory"), 16777216);
    ck_assert_int_eq(vqemu_vm_set_number(vm, "cpus", 4096, NULL), 0);
    ck_assert_int_eq(vqemu_vm_set_number(vm, "cpus", 4097, NULL), VQEMU_ERR_INVALID);
    ck_assert_uint_eq(number_of(vm, "cpus"), 4096);
    ck_assert_int_eq(vqemu_vm_set_number(vm, "cpus", 0, NULL), 0);
    ck_assert_uint_eq(number_of(vm, "cpus"), 0);
}
END_TEST

START_TEST(switches_have_three_states) {
    static const int32_t states[] = {VQEMU_SWITCH_ON, VQEMU_SWITCH_OFF, VQEMU_SWITCH_DEFAULT};
    _cleanup_vm_ vqemu_vm *vm = NULL;
    int32_t state = VQEMU_SWITCH_ON;
    ck_assert_int_eq(vqemu_vm_new("x", &vm, NULL), 0);
    ck_assert_int_eq(vqemu_vm_get_switch(vm, "rng", &state, NULL), 0);
    ck_assert_int_eq(state, VQEMU_SWITCH_DEFAULT);
    for (size_t i = 0; i < 3; i++) {
        ck_assert_int_eq(vqemu_vm_set_switch(vm, "rng", states[i], NULL), 0);
        ck_assert_int_eq(vqemu_vm_get_switch(vm, "rng", &state, NULL), 0);
        ck_assert_int_eq(state, states[i]);
    }
    _cleanup_error_ vqemu_error *error = NULL;
    ck_assert_int_eq(vqemu_vm_set_switch(vm, "rng", 3, &error), VQEMU_ERR_INVALID);
    ck_assert_str_eq(vqemu_error_message(error),
                     "rng: 3 is no state of a switch: -1 is the default, 0 off, 1 on");
    ck_assert_str_eq(vqemu_error_detail(error, VQEMU_DETAIL_VALUE), "3");
    ck_assert_int_eq(vqemu_vm_set_switch(vm, "rng", -2, NULL), VQEMU_ERR_INVALID);
    ck_assert_int_eq(vqemu_vm_set_switch(vm, "cpu_features.x", 3, NULL), VQEMU_ERR_INVALID);
}
END_TEST

START_TEST(paths_are_absolute) {
    static const char *const keys[] = {"rootfs", "kernel", "initrd"};
    _cleanup_vm_ vqemu_vm *vm = NULL;
    _cleanup_error_ vqemu_error *error = NULL;
    ck_assert_int_eq(vqemu_vm_new("x", &vm, NULL), 0);
    ck_assert_int_eq(vqemu_vm_set_string(vm, keys[_i], "/a;b", NULL), 0);
    ck_assert_int_eq(vqemu_vm_set_string(vm, keys[_i], "a", &error), VQEMU_ERR_INVALID);
    ck_assert_ptr_nonnull(strstr(vqemu_error_message(error), "\"a\" is not an absolute path"));
    ck_assert_str_eq(vqemu_error_detail(error, "value"), "a");
    ck_assert_str_eq(string_of(vm, keys[_i]), "/a;b");
    ck_assert_int_eq(vqemu_vm_set_string(vm, keys[_i], "", &error), 0);
    ck_assert_ptr_null(error); /* the old one is gone */
    ck_assert_ptr_null(string_of(vm, keys[_i]));
}
END_TEST

/* What is longer, the kernel executes with no program at all. */
START_TEST(an_argument_has_an_end) {
    static const char *const keys[] = {"append", "extra_args[0]"};
    static char text[32 * 4096 + 1];
    memset(text, 'x', sizeof text - 1);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        _cleanup_error_ vqemu_error *error = NULL;
        _cleanup_vm_ vqemu_vm *vm = NULL;
        ck_assert_int_eq(vqemu_vm_new("web", &vm, NULL), 0);
        ck_assert_int_eq(vqemu_vm_set_string(vm, keys[i], text + 1, NULL), 0);
        ck_assert_int_eq(vqemu_vm_set_string(vm, keys[i], text, &error), VQEMU_ERR_INVALID);
        ck_assert_str_eq(vqemu_error_reason(error), "too-long");
        ck_assert_str_eq(vqemu_error_detail(error, "key"), keys[i]);
    }
}
END_TEST

START_TEST(keys_that_may_be_meant_are_named) {
    static const char *const cases[][2] = {
        {"ram", "memory"},
        {"memroy", "memory"},
        {"Memory", "memory"},
        {"vcpus", "cpus"},
        {"network", "nics"},
        {"cmdline", "append"},
        {"disks[0].image", "disks[0].file"},
        {"disks[0].path", "disks[0].file"},
        {"disks[0].readonly", "disks[0].read_only"},
        {"disks[0].cahce", "disks[0].cache"},
        {"dsiks[0].cache", "disks[0].cache"},
        {"shares[0].source", "shares[0].path"},
        {"nics[0].forwards[0].hostport", "nics[0].forwards[0].host_port"},
        {"zzzzzz", NULL},
        {"x", NULL},
        {"nics[0].memory", NULL},
        {"an_absurdly_long_key_that_nobody_can_have_meant_to_write", NULL},
    };
    _cleanup_vm_ vqemu_vm *vm = NULL;
    _cleanup_error_ vqemu_error *error = NULL;
    ck_assert_int_eq(vqemu_vm_new("x", &vm, NULL), 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ck_assert_int_eq(vqemu_vm_set_string(vm, cases[i][0], "x", &error), VQEMU_ERR_UNKNOWN_KEY);
        ck_assert_pstr_eq(vqemu_error_detail(error, "suggestion"), cases[i][1]);
        ck_assert(!cases[i][1] || strstr(vqemu_error_message(error), cases[i][1]));
        ck_assert_str_eq(vqemu_error_detail(error, "key"), cases[i][0]);
    }
    ck_assert_int_eq(vqemu_vm_set_string(vm, "nics[0].forwards[0].x", "x", &error),
                     VQEMU_ERR_UNKNOWN_KEY);
    ck_assert_str_eq(vqemu_error_detail(error, "choices"),
                     "protocol, host_address, host_port, guest_port");
}
END_TEST

/* Each pointer that is needed, in turn. */
START_TEST(nothing_works_without_its_arguments) {
    _cleanup_vm_ vqemu_vm *vm = NULL;
    _cleanup_error_ vqemu_error *error = NULL;
    const char *string = "x";
    uint64_t number = 1;
    int32_t state = 1;
    size_t count = 1;
    char *text = NULL;
    vqemu_vm *other = NULL;
    ck_assert_int_eq(vqemu_vm_new("x", &vm, NULL), 0);
    const int results[] = {
        vqemu_vm_new(NULL, &other, NULL),
        vqemu_vm_new("x", NULL, NULL),
        vqemu_vm_copy(NULL, &other, NULL),
        vqemu_vm_copy(vm, NULL, NULL),
        vqemu_vm_set_string(NULL, "name", "x", NULL),
        vqemu_vm_set_string(vm, NULL, "x", NULL),
        vqemu_vm_set_number(NULL, "memory", 1, NULL),
        vqemu_vm_set_number(vm, NULL, 1, NULL),
        vqemu_vm_set_switch(NULL, "rng", 1, NULL),
        vqemu_vm_set_switch(vm, NULL, 1, NULL),
        vqemu_vm_unset(NULL, "rng", NULL),
        vqemu_vm_unset(vm, NULL, NULL),
        vqemu_vm_remove(NULL, "disks[0]", NULL),
        vqemu_vm_remove(vm, NULL, NULL),
        vqemu_vm_get_string(NULL, "name", &string, NULL),
        vqemu_vm_get_string(vm, NULL, &string, NULL),
        vqemu_vm_get_string(vm, "name", NULL, NULL),
        vqemu_vm_get_number(NULL, "memory", &number, NULL),
        vqemu_vm_get_number(vm, NULL, &number, NULL),
        vqemu_vm_get_number(vm, "memory", NULL, NULL),
        vqemu_vm_get_switch(NULL, "rng", &state, NULL),
        vqemu_vm_get_switch(vm, NULL, &state, NULL),
        vqemu_vm_get_switch(vm, "rng", NULL, NULL),
        vqemu_vm_count(NULL, "disks", &count, NULL),
        vqemu_vm_count(vm, NULL, &count, NULL),
        vqemu_vm_count(vm, "disks", NULL, NULL),
        vqemu_vm_from_json(NULL, 0, NULL, 0, &other, NULL),
        vqemu_vm_from_json("{}", 2, NULL, 0, NULL, NULL),
        vqemu_vm_from_json("{\"name\":\"x\"}", 12, NULL, 1, &other, NULL),
        vqemu_vm_from_file(NULL, 0, &other, NULL),
        vqemu_vm_from_file("/x", 0, NULL, NULL),
        vqemu_vm_from_file("/x", 4, &other, NULL),
        vqemu_vm_merge_json(NULL, "{}", 2, NULL, 0, NULL),
        vqemu_vm_merge_json(vm, NULL, 0, NULL, 0, NULL),
        vqemu_vm_merge_json(vm, "{}", 2, NULL, 2, NULL),
        vqemu_vm_to_json(NULL, 0, &text, NULL),
        vqemu_vm_to_json(vm, 0, NULL, NULL),
        vqemu_vm_diff(NULL, vm, 0, &text, NULL),
        vqemu_vm_diff(vm, NULL, 0, &text, NULL),
        vqemu_vm_diff(vm, vm, 0, NULL, NULL),
        vqemu_vm_schema(0, NULL, NULL),
    };
    for (size_t i = 0; i < sizeof results / sizeof *results; i++)
        ck_assert_msg(results[i] == VQEMU_ERR_USAGE, "%zu: %d", i, results[i]);
    ck_assert_ptr_null(string);
    ck_assert_uint_eq(number + count, 0);
    ck_assert_int_eq(state, VQEMU_SWITCH_DEFAULT);
    ck_assert_ptr_null(text);
    ck_assert_ptr_null(other);
    ck_assert_int_eq(vqemu_vm_set_string(vm, NULL, "x", &error), VQEMU_ERR_USAGE);
    ck_assert_str_eq(vqemu_error_detail(error, "function"), "vqemu_vm_set_string");
    ck_assert_str_eq(vqemu_error_detail(error, "argument"), "key");
}
END_TEST

int main(void) {
    Suite *suite = suite_create("vm");
    TCase *tests = tcase_create("vm");
    tcase_add_test(tests, a_new_vm_has_the_defaults);
    tcase_add_test(tests, every_architecture_can_be_named);
    tcase_add_test(tests, names_are_checked);
    tcase_add_test(tests, numbers_are_checked);
    tcase_add_test(tests, switches_have_three_states);
    tcase_add_loop_test(tests, paths_are_absolute, 0, 3);
    tcase_add_test(tests, an_argument_has_an_end);
    tcase_add_test(tests, keys_that_may_be_meant_are_named);
    tcase_add_test(tests, nothing_works_without_its_arguments);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
