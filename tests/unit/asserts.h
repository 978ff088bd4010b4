/* SPDX-License-Identifier: MIT */
/*
 * Check, but for what it does at each assertion that holds: it writes to its parent where the test
 * is, behind a lock. That took most of the time of tests with thousands of assertions, and a child
 * that was forked by a test of threads could wait for the lock for ever.
 */
#ifndef TEST_ASSERTS_H
#define TEST_ASSERTS_H

#include <check.h>

#define _mark_point(file, line) ((void)0)

#endif
