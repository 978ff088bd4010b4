/* SPDX-License-Identifier: MIT */
#include "base/options.h"

#include <string.h>

#include "base/error.h"
#include "run.h"

struct things {
    char *name;
    uint64_t count;
    char *path;
};

static const struct option_key keys[] = {
    {"name", OPTION_STRING, offsetof(struct things, name)},
    {"count", OPTION_NUMBER, offsetof(struct things, count)},
    {"path", OPTION_STRING, offsetof(struct things, path)},
};
static const struct options_type type = {"a thing", sizeof(struct things), keys, 3};

static struct things *things;

static void make_things(void) {
    things = options_new(&type);
    ck_assert_ptr_nonnull(things);
}

static void free_things(void) {
    options_free(&type, things);
    options_free(&type, NULL);
}

START_TEST(values_are_copied_replaced_and_unset) {
    char text[] = "first";
    ck_assert_ptr_null(things->name);
    ck_assert_uint_eq(things->count, 0);
    ck_assert_int_eq(options_set_string(&type, things, "name", text, NULL), 0);
    text[0] = 'x';
    ck_assert_str_eq(things->name, "first");
    ck_assert_int_eq(options_set_string(&type, things, "path", "/p", NULL), 0);
    ck_assert_int_eq(options_set_string(&type, things, "name", "second", NULL), 0);
    ck_assert_int_eq(options_set_number(&type, things, "count", UINT64_MAX, NULL), 0);
    ck_assert_str_eq(things->name, "second");
    ck_assert_str_eq(things->path, "/p");
    ck_assert_uint_eq(things->count, UINT64_MAX);
    ck_assert_int_eq(options_set_string(&type, things, "name", NULL, NULL), 0);
    ck_assert_ptr_null(things->name);
}
END_TEST

START_TEST(an_unknown_key_is_named_with_the_known_ones) {
    static const char *const unknown[] = {"", "nam", "names", "NAME"};
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
        _cleanup_error_ vqemu_error *error = NULL;
        int r = i % 2 ? options_set_string(&type, things, unknown[i], "x", &error)
                      : options_set_number(&type, things, unknown[i], 1, &error);
        ck_assert_int_eq(r, VQEMU_ERR_UNKNOWN_KEY);
        ck_assert_str_eq(vqemu_error_detail(error, "key"), unknown[i]);
        ck_assert_str_eq(vqemu_error_detail(error, "choices"), "name, count, path");
        ck_assert_ptr_nonnull(strstr(vqemu_error_message(error), "a thing has no such key"));
        ck_assert_pstr_eq(vqemu_error_detail(error, "suggestion"), *unknown[i] ? "name" : NULL);
    }
    ck_assert_ptr_null(things->name);
}
END_TEST

START_TEST(a_value_of_the_wrong_kind_is_refused) {
    _cleanup_error_ vqemu_error *error = NULL;
    ck_assert_int_eq(options_set_string(&type, things, "count", "1", &error), VQEMU_ERR_INVALID);
    ck_assert_str_eq(vqemu_error_message(error), "count: its value is a number");
    vqemu_error_free(error);
    error = NULL;
    ck_assert_int_eq(options_set_number(&type, things, "name", 1, &error), VQEMU_ERR_INVALID);
    ck_assert_str_eq(vqemu_error_message(error), "name: its value is a string");
    ck_assert_str_eq(vqemu_error_reason(error), "wrong-kind");
    ck_assert_str_eq(vqemu_error_detail(error, "key"), "name");
    ck_assert_uint_eq(things->count, 0);
    ck_assert_ptr_null(things->name);
}
END_TEST

START_TEST(a_bad_value_is_told_with_its_key) {
    _cleanup_error_ vqemu_error *error = NULL;
    ck_assert_int_eq(options_invalid("path", "x", "a, b", &error, "\"%s\" is not absolute", "x"),
                     VQEMU_ERR_INVALID);
    ck_assert_str_eq(vqemu_error_message(error), "path: \"x\" is not absolute");
    ck_assert_str_eq(vqemu_error_detail(error, "key"), "path");
    ck_assert_str_eq(vqemu_error_detail(error, "value"), "x");
    ck_assert_str_eq(vqemu_error_detail(error, "choices"), "a, b");
    ck_assert_int_eq(options_invalid("path", NULL, NULL, NULL, "missing"), VQEMU_ERR_INVALID);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("options");
    TCase *tests = tcase_create("options");
    tcase_add_checked_fixture(tests, make_things, free_things);
    tcase_add_test(tests, values_are_copied_replaced_and_unset);
    tcase_add_test(tests, an_unknown_key_is_named_with_the_known_ones);
    tcase_add_test(tests, a_value_of_the_wrong_kind_is_refused);
    tcase_add_test(tests, a_bad_value_is_told_with_its_key);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
