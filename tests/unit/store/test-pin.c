/* SPDX-License-Identifier: MIT */
/* Pins and their holders. */
#include <volt-qemu/pin.h>

#include <string.h>
#include <sys/stat.h>

#include "base/call.h"
#include "base/error.h"
#include "fixture.h"
#include "run.h"
#include "store/revision.h"
#include "store/store.h"
#include "util/strbuf.h"

static vqemu_store *store;
static vqemu_revision *revision;
static const char *name;

static void make_store(void) {
    make_scratch();
    store = open_store(VQEMU_STORE_CREATE);
    revision = build(store, "2025-01-31T10:00:00Z");
    name = vqemu_revision_name(revision);
}

static void remove_store(void) {
    vqemu_revision_unref(revision);
    vqemu_store_unref(store);
    remove_scratch();
}

static void pin(const char *holder) {
    _cleanup_error_ vqemu_error *error = NULL;
    int r = vqemu_store_pin(store, name, holder, 0, NULL, &error);
    ck_assert_msg(r == 0, "%s", vqemu_error_message(error));
}

static void unpin(const char *holder) {
    _cleanup_error_ vqemu_error *error = NULL;
    int r = vqemu_store_unpin(store, name, holder, 0, NULL, &error);
    ck_assert_msg(r == 0, "%s", vqemu_error_message(error));
}

/* The holders of all pins of a revision, each followed by a space. */
static char *holders(const char *of) {
    _cleanup_error_ vqemu_error *error = NULL;
    vqemu_pin_list *list = NULL;
    struct strbuf text = {0};
    int r = vqemu_store_list_pins(store, of, 0, NULL, &list, &error);
    ck_assert_msg(r == 0, "%s", vqemu_error_message(error));
    size_t count = vqemu_pin_list_count(list);
    for (size_t i = 0; i < count; i++) {
        const char *holder = vqemu_pin_list_holder(list, i);
        strbuf_addf(&text, "%s ", holder ? holder : "nobody");
    }
    ck_assert_ptr_null(vqemu_pin_list_holder(list, count));
    ck_assert_ptr_null(vqemu_pin_list_revision_name(list, count));
    vqemu_pin_list_free(list);
    return strbuf_take(&text);
}

static void holders_are(const char *of, const char *expected) {
    _cleanup_free_ char *text = holders(of);
    ck_assert_str_eq(text, expected);
}

START_TEST(each_holder_has_a_pin_of_its_own) {
    holders_are(NULL, "");
    pin("unit:volt-web");
    pin("unit:volt-db");
    pin(NULL);
    holders_are(name, "nobody unit:volt-db unit:volt-web ");
    unpin("unit:volt-db");
    holders_are(name, "nobody unit:volt-web ");
    unpin(NULL);
    holders_are(NULL, "unit:volt-web ");
    unpin("unit:volt-web");
    holders_are(NULL, "");
}
END_TEST

START_TEST(no_text_is_no_holder) {
    pin("");
    pin(NULL);
    holders_are(name, "nobody ");
    unpin("");
    holders_are(name, "");
}
END_TEST

START_TEST(all_that_are_listed_can_be_taken_back) {
    vqemu_pin_list *list = NULL;
    pin(NULL);
    pin("unit:volt-web");
    ck_assert_int_eq(vqemu_store_list_pins(store, NULL, 0, NULL, &list, NULL), 0);
    for (size_t i = 0; i < vqemu_pin_list_count(list); i++) {
        ck_assert_str_eq(vqemu_pin_list_revision_name(list, i), name);
        unpin(vqemu_pin_list_holder(list, i));
    }
    vqemu_pin_list_free(list);
    holders_are(NULL, "");
}
END_TEST

START_TEST(pins_lie_where_the_format_says) {
    _cleanup_free_ char *anonymous = format_string("store/cas/pins/%s", name),
                        *held = format_string("store/cas/pins/%s~unit:volt-web", name);
    mode_t mask = umask(077);
    pin(NULL);
    pin("unit:volt-web");
    umask(mask);
    ck_assert_int_eq(count_entries("store/cas/pins"), 2);
    ck_assert_uint_eq(stat_of(anonymous).st_mode, S_IFREG | 0644);
    ck_assert_int_eq(stat_of(held).st_size, 0);
    ck_assert_uint_eq(stat_of(held).st_mode, S_IFREG | 0644);
}
END_TEST

START_TEST(to_pin_twice_is_to_pin_once) {
    pin("a:b");
    pin("a:b");
    holders_are(name, "a:b ");
    unpin("a:b");
    holders_are(name, "");
    unpin("a:b"); /* it is not pinned, which is no error */
}
END_TEST

START_TEST(pins_of_other_revisions_are_others) {
    write_file("profile/firmware/bios.bin", "newer", 0644);
    _cleanup_revision_ vqemu_revision *newer = build(store, NULL);
    pin("a:b");
    ck_assert_int_eq(vqemu_store_pin(store, vqemu_revision_name(newer), "c:d", 0, NULL, NULL), 0);
    holders_are(name, "a:b ");
    holders_are(vqemu_revision_name(newer), "c:d ");
}
END_TEST

START_TEST(what_is_not_there_cannot_be_pinned) {
    _cleanup_error_ vqemu_error *error = NULL;
    const char *none = "emulate-x86-00000000";
    ck_assert_int_eq(vqemu_store_pin(store, none, NULL, 0, NULL, &error), VQEMU_ERR_NO_REVISION);
    ck_assert_str_eq(vqemu_error_reason(error), "no-such-revision");
    ck_assert_int_eq(vqemu_store_unpin(store, none, NULL, 0, NULL, &error), VQEMU_ERR_NO_REVISION);
    ck_assert_int_eq(vqemu_store_unpin(store, none, "a:b", 0, NULL, &error), VQEMU_ERR_NO_REVISION);
    ck_assert_int_eq(vqemu_store_pin(store, "../x", NULL, 0, NULL, &error), VQEMU_ERR_INVALID);
    ck_assert_int_eq(vqemu_store_unpin(store, "../x", NULL, 0, NULL, &error), VQEMU_ERR_INVALID);
    ck_assert_int_eq(vqemu_store_pin(store, "emulate-x86", NULL, 0, NULL, &error),
                     VQEMU_ERR_INVALID);
    ck_assert_int_eq(count_entries("store/cas/pins"), 0);
}
END_TEST

START_TEST(a_pin_outlives_its_revision) {
    pin("a:b");
    ck_assert_int_eq(unlink(vqemu_revision_path(revision)), 0);
    holders_are(NULL, "a:b ");
    unpin("a:b");
    holders_are(NULL, "");
    ck_assert_int_eq(vqemu_store_unpin(store, name, "a:b", 0, NULL, NULL), VQEMU_ERR_NO_REVISION);
}
END_TEST

START_TEST(a_broken_revision_can_be_unpinned) {
    pin("a:b");
    write_file(vqemu_revision_path(revision), "{", 0644);
    unpin("a:b");
    unpin("a:b");
    ck_assert_int_eq(vqemu_store_pin(store, name, "a:b", 0, NULL, NULL), VQEMU_ERR_MALFORMED);
}
END_TEST

START_TEST(holders_have_a_form) {
    static const char *const bad[] = {"unit",     ":web", "unit:", "a b:c", "a/b:c",
                                      "a:b/../c", "a~:b", "a:b~c", "a:b\n"};
    _cleanup_error_ vqemu_error *error = NULL;
    char longest[130];
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ck_assert_msg(vqemu_store_pin(store, name, bad[i], 0, NULL, &error) == VQEMU_ERR_INVALID,
                      "%s", bad[i]);
        ck_assert_str_eq(vqemu_error_reason(error), "bad-holder");
        ck_assert_str_eq(vqemu_error_detail(error, "holder"), bad[i]);
        ck_assert_int_eq(vqemu_store_unpin(store, name, bad[i], 0, NULL, &error),
                         VQEMU_ERR_INVALID);
    }
    memset(longest, 'x', sizeof longest);
    longest[1] = ':';
    longest[128] = '\0';
    pin(longest);
    memcpy(longest + 127, "xx", 3);
    ck_assert_int_eq(vqemu_store_pin(store, name, longest, 0, NULL, &error), VQEMU_ERR_INVALID);
    ck_assert_int_eq(count_entries("store/cas/pins"), 1);
    pin(".@_-:.@_-:");
}
END_TEST

/* Of a later version, or set by hand: not to know its form is not to know of no pin. */
START_TEST(a_holder_of_another_form_counts) {
    _cleanup_free_ char *path = format_string("store/cas/pins/%s~some holder", name);
    write_file(path, "", 0644);
    write_file("store/cas/pins/README~a:b", "", 0644);
    holders_are(NULL, "some holder ");
}
END_TEST

START_TEST(mistakes_of_callers_are_told) {
    _cleanup_error_ vqemu_error *error = NULL;
    vqemu_pin_list *list = (vqemu_pin_list *)&error; /* must become NULL */
    ck_assert_int_eq(vqemu_store_pin(NULL, name, NULL, 0, NULL, &error), VQEMU_ERR_USAGE);
    ck_assert_str_eq(vqemu_error_detail(error, "argument"), "store");
    ck_assert_int_eq(vqemu_store_pin(store, NULL, NULL, 0, NULL, &error), VQEMU_ERR_USAGE);
    ck_assert_str_eq(vqemu_error_detail(error, "argument"), "revision");
    ck_assert_int_eq(vqemu_store_pin(store, name, NULL, 1, NULL, &error), VQEMU_ERR_USAGE);
    ck_assert_str_eq(vqemu_error_reason(error), "unknown-flags");
    ck_assert_int_eq(vqemu_store_unpin(NULL, name, NULL, 0, NULL, &error), VQEMU_ERR_USAGE);
    ck_assert_int_eq(vqemu_store_unpin(store, NULL, NULL, 0, NULL, &error), VQEMU_ERR_USAGE);
    ck_assert_int_eq(vqemu_store_unpin(store, name, NULL, 1, NULL, &error), VQEMU_ERR_USAGE);
    ck_assert_int_eq(vqemu_store_list_pins(NULL, NULL, 0, NULL, &list, &error), VQEMU_ERR_USAGE);
    ck_assert_ptr_null(list);
    ck_assert_int_eq(vqemu_store_list_pins(store, NULL, 1, NULL, &list, &error), VQEMU_ERR_USAGE);
    ck_assert_int_eq(vqemu_store_list_pins(store, NULL, 0, NULL, NULL, &error), VQEMU_ERR_USAGE);
    ck_assert_int_eq(vqemu_store_list_pins(store, "x", 0, NULL, &list, &error), VQEMU_ERR_INVALID);
    ck_assert_uint_eq(vqemu_pin_list_count(NULL), 0);
    ck_assert_ptr_null(vqemu_pin_list_holder(NULL, 0));
    vqemu_pin_list_free(NULL);
}
END_TEST

START_TEST(a_store_that_is_read_only_has_pins) {
    pin("a:b");
    _cleanup_store_ vqemu_store *reader = open_store(VQEMU_STORE_READ_ONLY);
    vqemu_pin_list *list = NULL;
    ck_assert_int_eq(vqemu_store_pin(reader, name, NULL, 0, NULL, NULL), VQEMU_ERR_READ_ONLY);
    ck_assert_int_eq(vqemu_store_unpin(reader, name, "a:b", 0, NULL, NULL), VQEMU_ERR_READ_ONLY);
    ck_assert_int_eq(vqemu_store_list_pins(reader, NULL, 0, NULL, &list, NULL), 0);
    ck_assert_uint_eq(vqemu_pin_list_count(list), 1);
    ck_assert_str_eq(vqemu_pin_list_revision_name(list, 0), name);
    vqemu_pin_list_free(list);
}
END_TEST

START_TEST(a_call_that_was_cancelled_pins_nothing) {
    _cleanup_call_ vqemu_call *call = NULL;
    vqemu_pin_list *list = NULL;
    pin("a:b");
    ck_assert_int_eq(vqemu_call_new(&call, NULL), 0);
    vqemu_call_cancel(call);
    ck_assert_int_eq(vqemu_store_pin(store, name, NULL, 0, call, NULL), VQEMU_ERR_CANCELLED);
    ck_assert_int_eq(vqemu_store_unpin(store, name, "a:b", 0, call, NULL), VQEMU_ERR_CANCELLED);
    ck_assert_int_eq(vqemu_store_list_pins(store, NULL, 0, call, &list, NULL), VQEMU_ERR_CANCELLED);
    holders_are(NULL, "a:b ");
}
END_TEST

int main(void) {
    Suite *suite = suite_create("pin");
    TCase *tests = tcase_create("pin");
    tcase_add_checked_fixture(tests, make_store, remove_store);
    tcase_add_test(tests, each_holder_has_a_pin_of_its_own);
    tcase_add_test(tests, no_text_is_no_holder);
    tcase_add_test(tests, all_that_are_listed_can_be_taken_back);
    tcase_add_test(tests, pins_lie_where_the_format_says);
    tcase_add_test(tests, to_pin_twice_is_to_pin_once);
    tcase_add_test(tests, pins_of_other_revisions_are_others);
    tcase_add_test(tests, what_is_not_there_cannot_be_pinned);
    tcase_add_test(tests, a_pin_outlives_its_revision);
    tcase_add_test(tests, a_broken_revision_can_be_unpinned);
    tcase_add_test(tests, holders_have_a_form);
    tcase_add_test(tests, a_holder_of_another_form_counts);
    tcase_add_test(tests, mistakes_of_callers_are_told);
    tcase_add_test(tests, a_store_that_is_read_only_has_pins);
    tcase_add_test(tests, a_call_that_was_cancelled_pins_nothing);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
