/* SPDX-License-Identifier: MIT */
#include "base/error.h"

#include <errno.h>
#include <string.h>

#include "run.h"

START_TEST(message_carries_code_errno_and_text) {
    _cleanup_error_ vqemu_error *error = NULL;
    int r = error_set(&error, VQEMU_ERR_SYSTEM, EACCES, "cannot open %s", "/x");
    ck_assert_int_eq(r, VQEMU_ERR_SYSTEM);
    ck_assert_int_eq(vqemu_error_code(error), VQEMU_ERR_SYSTEM);
    ck_assert_int_eq(vqemu_error_errno(error), EACCES);
    ck_assert_str_eq(vqemu_error_message(error), "cannot open /x: Permission denied");
}
END_TEST

START_TEST(message_is_one_printable_line) {
    _cleanup_error_ vqemu_error *error = NULL;
    error_set(&error, VQEMU_ERR_INVALID, 0, "bad %s", "a\nb\033[1m\x7f");
    ck_assert_str_eq(vqemu_error_message(error), "bad a\\x0Ab\\x1B[1m\\x7F");
}
END_TEST

START_TEST(message_is_text_that_shows_what_it_is) {
    static const struct {
        const char *text, *shown;
    } cases[] = {
        {"\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80", "\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80"},
        {"\xff"
         "a\xc3",
         "\\xFFa\\xC3"},                     /* not UTF-8, as file names can be */
        {"\xed\xa0\x80", "\\xED\\xA0\\x80"}, /* a surrogate */
        {"\xe2\x82", "\\xE2\\x82"},          /* cut off */
        {"\x9b"
         "31m",
         "\\x9B31m"}, /* CSI in eight bits */
        {"\xc2\x80\xc2\x9b\xc2\x9f", "\\u{0080}\\u{009B}\\u{009F}"},
        {"\xc2\xa0", "\xc2\xa0"},
        {"\xe2\x80\xa8\xe2\x80\xa9", "\\u{2028}\\u{2029}"}, /* ends of lines */
        {"\xe2\x80\xaa\xe2\x80\xae", "\\u{202A}\\u{202E}"}, /* right to left, and so on */
        {"\xe2\x81\xa6\xe2\x81\xa9", "\\u{2066}\\u{2069}"},
        {"\xe2\x80\x8e\xe2\x80\x8f\xd8\x9c", "\\u{200E}\\u{200F}\\u{061C}"},
        {"\xe2\x80\x8d\xe2\x80\xaf\xe2\x81\xa5", "\xe2\x80\x8d\xe2\x80\xaf\xe2\x81\xa5"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        _cleanup_error_ vqemu_error *error = NULL;
        error_set(&error, VQEMU_ERR_INVALID, 0, "%s", cases[i].text);
        ck_assert_str_eq(vqemu_error_message(error), cases[i].shown);
        error_prefix(VQEMU_ERR_INVALID, &error, "%s", "");
        ck_assert_str_eq(vqemu_error_message(error), cases[i].shown);
    }
}
END_TEST

START_TEST(nobody_has_to_want_the_error) {
    ck_assert_int_eq(error_set(NULL, VQEMU_ERR_INVALID, 0, "x"), VQEMU_ERR_INVALID);
    ck_assert_int_eq(error_no_memory(NULL), VQEMU_ERR_NO_MEMORY);
}
END_TEST

START_TEST(null_is_no_error) {
    ck_assert_int_eq(vqemu_error_code(NULL), VQEMU_OK);
    ck_assert_int_eq(vqemu_error_errno(NULL), 0);
    ck_assert_str_eq(vqemu_error_message(NULL), "");
    vqemu_error_free(NULL);
    vqemu_free(NULL);
}
END_TEST

START_TEST(system_errors_get_the_code_that_fits) {
    static const struct {
        int system_errno, code;
    } cases[] = {
        {ENOENT, VQEMU_ERR_NOT_FOUND}, {ENOMEM, VQEMU_ERR_NO_MEMORY}, {EIO, VQEMU_ERR_SYSTEM}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        _cleanup_error_ vqemu_error *error = NULL;
        ck_assert_int_eq(error_system(&error, cases[i].system_errno, "x"), cases[i].code);
        ck_assert_int_eq(vqemu_error_code(error), cases[i].code);
    }
}
END_TEST

START_TEST(the_error_for_no_memory_can_be_freed_and_made_again) {
    for (int i = 0; i < 3; i++) {
        vqemu_error *error = NULL;
        error_no_memory(&error);
        ck_assert_int_eq(vqemu_error_code(error), VQEMU_ERR_NO_MEMORY);
        ck_assert_str_eq(vqemu_error_message(error), "out of memory");
        vqemu_error_free(error);
    }
}
END_TEST

START_TEST(every_code_has_a_name_of_its_own) {
    for (int a = VQEMU_ERR_PROGRAM_FAILED; a <= 0; a++) {
        ck_assert_str_ne(vqemu_result_name(a), "unknown");
        for (int b = a + 1; b <= 0; b++)
            ck_assert_str_ne(vqemu_result_name(a), vqemu_result_name(b));
    }
    ck_assert_str_eq(vqemu_result_name(1), "unknown");
    ck_assert_str_eq(vqemu_result_name(-1000), "unknown");
}
END_TEST

START_TEST(details_can_be_told_one_by_one) {
    _cleanup_error_ vqemu_error *error = NULL;
    int r = error_set(&error, VQEMU_ERR_INVALID, 0, "x");
    ck_assert_ptr_null(vqemu_error_detail_name(error, 0));
    error_because(r, &error, "why", "key", "memory", "path", NULL, "value", "7", NULL);
    ck_assert_str_eq(vqemu_error_detail_name(error, 0), "key");
    ck_assert_str_eq(vqemu_error_detail_name(error, 1), "value");
    ck_assert_ptr_null(vqemu_error_detail_name(error, 2));
    ck_assert_ptr_null(vqemu_error_detail_name(error, SIZE_MAX));
    ck_assert_ptr_null(vqemu_error_detail_name(NULL, 0));
}
END_TEST

START_TEST(a_copy_says_the_same) {
    _cleanup_error_ vqemu_error *error = NULL, *copy = NULL;
    int r = error_set(&error, VQEMU_ERR_MALFORMED, EIO, "x%%");
    error_at_line(error_because(r, &error, "why", "key", "memory", "value", "7", NULL), &error, 3);
    ck_assert_int_eq(error_copy(error, &copy), VQEMU_ERR_MALFORMED);
    ck_assert_int_eq(error_copy(error, NULL), VQEMU_ERR_MALFORMED);
    ck_assert_int_eq(vqemu_error_code(copy), VQEMU_ERR_MALFORMED);
    ck_assert_int_eq(vqemu_error_errno(copy), EIO);
    ck_assert_str_eq(vqemu_error_message(copy), vqemu_error_message(error));
    ck_assert_str_eq(vqemu_error_reason(copy), "why");
    ck_assert_int_eq(vqemu_error_line(copy), 3);
    ck_assert_str_eq(vqemu_error_detail(copy, "key"), "memory");
    ck_assert_str_eq(vqemu_error_detail(copy, "value"), "7");
    ck_assert_ptr_null(vqemu_error_detail_name(copy, 2));
}
END_TEST

int main(void) {
    Suite *suite = suite_create("error");
    TCase *tests = tcase_create("error");
    tcase_add_test(tests, message_carries_code_errno_and_text);
    tcase_add_test(tests, message_is_one_printable_line);
    tcase_add_test(tests, message_is_text_that_shows_what_it_is);
    tcase_add_test(tests, nobody_has_to_want_the_error);
    tcase_add_test(tests, null_is_no_error);
    tcase_add_test(tests, system_errors_get_the_code_that_fits);
    tcase_add_test(tests, the_error_for_no_memory_can_be_freed_and_made_again);
    tcase_add_test(tests, every_code_has_a_name_of_its_own);
    tcase_add_test(tests, details_can_be_told_one_by_one);
    tcase_add_test(tests, a_copy_says_the_same);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
