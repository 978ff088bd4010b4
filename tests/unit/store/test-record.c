/* SPDX-License-Identifier: MIT */
#include <stdint.h>
#include <string.h>

#include "run.h"
#include "store/record.h"

START_TEST(a_number_ends_where_it_must) {
    static const struct {
        const char *text;
        unsigned base;
        char behind;
        bool good;
        uint64_t number;
        const char *rest;
    } cases[] = {
        {"0 x", 10, ' ', true, 0, "x"},
        {"0755 x", 8, ' ', true, 0755, "x"},
        {"12", 10, '\0', true, 12, ""},
        {"18446744073709551615 ", 10, ' ', true, UINT64_MAX, ""},
        {"18446744073709551616 ", 10, ' ', false, 0, NULL},
        {"99999999999999999999999 ", 10, ' ', false, 0, NULL},
        {"", 10, '\0', false, 0, NULL},
        {" 1 ", 10, ' ', false, 0, NULL},
        {"+1 ", 10, ' ', false, 0, NULL},
        {"-1 ", 10, ' ', false, 0, NULL},
        {"0x1 ", 10, ' ', false, 0, NULL},
        {"8 ", 8, ' ', false, 0, NULL},
        {"1  ", 10, '.', false, 0, NULL},
        {"1", 10, ' ', false, 0, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *rest = cases[i].text;
        uint64_t number = 0;
        bool good = record_take_number(&rest, cases[i].base, cases[i].behind, &number);
        ck_assert_msg(good == cases[i].good, "\"%s\"", cases[i].text);
        ck_assert_uint_eq(number, cases[i].number);
        ck_assert_str_eq(rest, good ? cases[i].rest : cases[i].text);
    }
}
END_TEST

START_TEST(a_time_has_seconds_and_nanoseconds) {
    static const struct {
        const char *text;
        bool good;
        int64_t seconds, nanoseconds;
    } cases[] = {
        {"12.000000034 x", true, 12, 34},
        {"-12.999999999 x", true, -12, 999999999},
        {"9223372036854775807.0 x", true, INT64_MAX, 0},
        {"9223372036854775808.0 x", false, 0, 0},
        {"--1.0 x", false, 0, 0},
        {"1.-1 x", false, 0, 0},
        {"1.1000000000 x", false, 0, 0},
        {"1. x", false, 0, 0},
        {".1 x", false, 0, 0},
        {"1 x", false, 0, 0},
        {"1.1", false, 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *rest = cases[i].text;
        int64_t seconds = 0, nanoseconds = 0;
        bool good = record_take_time(&rest, ' ', &seconds, &nanoseconds);
        ck_assert_msg(good == cases[i].good, "\"%s\"", cases[i].text);
        ck_assert_int_eq(seconds, cases[i].seconds);
        ck_assert_int_eq(nanoseconds, cases[i].nanoseconds);
        ck_assert_str_eq(rest, good ? "x" : cases[i].text);
    }
}
END_TEST

START_TEST(a_time_is_read_as_it_was_written) {
    static const int64_t seconds[] = {0, 1, -1, 1738317600, INT64_MAX, -INT64_MAX};
    static const int64_t nanoseconds[] = {0, 1, 20, 999999999};
    for (size_t i = 0; i < sizeof seconds / sizeof *seconds; i++) {
        for (size_t j = 0; j < sizeof nanoseconds / sizeof *nanoseconds; j++) {
            _cleanup_strbuf_ struct strbuf text = {0};
            record_add_time(&text, seconds[i], nanoseconds[j], '\n');
            const char *rest = text.text;
            int64_t whole, fraction;
            ck_assert_msg(record_take_time(&rest, '\n', &whole, &fraction), "%s", text.text);
            ck_assert_int_eq(whole, seconds[i]);
            ck_assert_int_eq(fraction, nanoseconds[j]);
            ck_assert_str_eq(rest, "");
        }
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("record");
    TCase *tests = tcase_create("record");
    tcase_add_test(tests, a_number_ends_where_it_must);
    tcase_add_test(tests, a_time_has_seconds_and_nanoseconds);
    tcase_add_test(tests, a_time_is_read_as_it_was_written);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
