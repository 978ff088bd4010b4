/* SPDX-License-Identifier: MIT */
#include <volt-qemu/version.h>

#include <stdio.h>

#include "run.h"

#if VQEMU_VERSION_NUMBER < 1000000
#error "the version is no number that the preprocessor compares"
#endif

START_TEST(the_version_is_text_and_number) {
    char text[32];
    ck_assert_uint_eq(vqemu_version_number(), VQEMU_VERSION_NUMBER);
    snprintf(text, sizeof text, "%u.%u.%u", vqemu_version_number() / 1000000,
             vqemu_version_number() / 1000 % 1000, vqemu_version_number() % 1000);
    ck_assert_str_eq(vqemu_version(), text);
    ck_assert_str_eq(vqemu_version(), VQEMU_VERSION_STRING);
}
END_TEST

START_TEST(features_have_names) {
    static const char *const names[] = {"archives",   "capabilities", "closure",  "layouts",
                                        "monitor",    "policies",     "profiles", "registries",
                                        "signatures", "units"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        ck_assert(vqemu_has_feature(names[i]));
    ck_assert(!vqemu_has_feature("unit"));
    ck_assert(!vqemu_has_feature(""));
    ck_assert(!vqemu_has_feature(NULL));
}
END_TEST

int main(void) {
    Suite *suite = suite_create("version");
    TCase *tests = tcase_create("version");
    tcase_add_test(tests, the_version_is_text_and_number);
    tcase_add_test(tests, features_have_names);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
