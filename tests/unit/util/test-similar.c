/* SPDX-License-Identifier: MIT */
#include "util/similar.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "run.h"
#include "util/cleanup.h"
#include "util/word.h"

START_TEST(what_is_most_alike_comes_first) {
    static const char *const words[] = {"pc-q35-7.1", "pc-q35-7.2", "q35", "pc-q35-2.1", "microvm"};
    struct similar similar = {.wanted = "pc-q35-7.3"};
    _cleanup_strbuf_ struct strbuf text = {0};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        similar_look_at(&similar, words[i]);
    similar_add(&similar, &text);
    ck_assert_str_eq(text.text, "pc-q35-7.1, pc-q35-7.2, pc-q35-2.1");
}
END_TEST

START_TEST(only_the_best_are_kept) {
    struct similar similar = {.wanted = "abcdefghijkl"};
    static const char *const words[] = {"abcdefghijxx", "abcdefghijkx", "abcdefghijkk",
                                        "abcdefghijyy", "abcdefghizzz", "bcdefghijkl",
                                        "abcdefghijk",  "abcdefghijkl", "abcdefghijlk"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        similar_look_at(&similar, words[i]);
    ck_assert_uint_eq(similar.count, SIMILAR_MAX);
    ck_assert_str_eq(similar.words[0], "abcdefghijkx");
    ck_assert_str_eq(similar.words[SIMILAR_MAX - 1], "abcdefghijxx");
}
END_TEST

START_TEST(a_word_that_goes_on_is_alike) {
    static const char *const words[] = {"Skylake-Server-v1", "Skylake-Server", "EPYC-Rome", "EPYC",
                                        "Skylake-Client"};
    static const struct {
        const char *wanted, *text;
    } cases[] = {{"Skylake", "Skylake-Server, Skylake-Client, Skylake-Server-v1"},
                 {"epyc", "EPYC, EPYC-Rome"},
                 {"EPYC", "EPYC-Rome"},
                 {"sk", NULL},
                 {"lake", NULL}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct similar similar = {.wanted = cases[i].wanted};
        _cleanup_strbuf_ struct strbuf text = {0};
        for (size_t j = 0; j < sizeof words / sizeof *words; j++)
            similar_look_at(&similar, words[j]);
        similar_add(&similar, &text);
        ck_assert_pstr_eq(text.text, cases[i].text);
    }
}
END_TEST

START_TEST(words_differ_by_letters) {
    char most[WORD_COMPARED_MAX + 2];
    memset(most, 'a', sizeof most);
    most[WORD_COMPARED_MAX] = '\0';
    ck_assert_uint_eq(word_distance("", ""), 0);
    ck_assert_uint_eq(word_distance("abc", "acb"), 1);
    ck_assert_uint_eq(word_distance("abc", "abcd"), 1);
    ck_assert_uint_eq(word_distance("", most), WORD_COMPARED_MAX);
    most[WORD_COMPARED_MAX] = 'a';
    most[WORD_COMPARED_MAX + 1] = '\0';
    ck_assert_uint_eq(word_distance("", most), UINT_MAX);
}
END_TEST

START_TEST(the_most_alike_of_a_list) {
    static const char list[] = "threads, timeout, lock_timeout";
    static const struct {
        const char *wanted, *nearest;
    } cases[] = {{"theads", "threads"},
                 {"Timeout", "timeout"},
                 {"lock-timeout", "lock_timeout"},
                 {"zebra", NULL},
                 {"", NULL},
                 {"threads", NULL}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        _cleanup_free_ char *nearest = NULL;
        ck_assert_int_eq(similar_in_list(cases[i].wanted, list, &nearest), 0);
        ck_assert_pstr_eq(nearest, cases[i].nearest);
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("similar");
    TCase *tests = tcase_create("similar");
    tcase_add_test(tests, what_is_most_alike_comes_first);
    tcase_add_test(tests, only_the_best_are_kept);
    tcase_add_test(tests, a_word_that_goes_on_is_alike);
    tcase_add_test(tests, words_differ_by_letters);
    tcase_add_test(tests, the_most_alike_of_a_list);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
