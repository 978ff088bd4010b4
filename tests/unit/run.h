/* SPDX-License-Identifier: MIT */
/* Runs one suite and reports in TAP, which meson counts test by test. */
#ifndef TEST_RUN_H
#define TEST_RUN_H

#include "asserts.h"

static inline int run_suite(Suite *suite) {
    SRunner *runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}

#endif
