/* SPDX-License-Identifier: MIT */
#include "base/json.h"

#include <string.h>

#include "base/error.h"
#include "base/json-key.h"
#include "run.h"
#include "util/strbuf.h"

START_TEST(the_key_of_a_place_is_spelled_as_a_vm_spells_it) {
    static const struct {
        const char *text, *key;
    } cases[] = {
        {"", ""},
        {"  12", ""},
        {"{", ""},
        {"{\"a\"", "a"},
        {"{\"a\" : 12", "a"},
        {"{\"a\": 1, ", ""},
        {"{\"a\": \"b\"", "a"},
        {"{\"a\": \"b\", \"c\"", "c"},
        {"{\"a\": {\"b\": {}, \"c\": [", "a.c[0]"},
        {"{\"a\": [{\"b\": 1}, {\"c\": [1, [2, 3], 4", "a[1].c[2]"},
        {"{\"a\": [{\"b\": 1}], \"d\": 5", "d"},
        {"[1, 2", "[1]"},
        {"[{\"a\\\"]}\": 1", "[0].a\\\"]}"},
        {"{\"\": 1", ""},
        {"{\"a\": {\"x.y\": 1", "a.x.y"},
        {"{\"a\": \"\\\\\", \"b\"", "b"},
        {"[[[[[[[[[[[[[[[[1", "[0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0]"},
        {"{\"a", ""}, /* not good: only that nothing is read beyond it */
        {"{\"a\\", ""},
        {"]}]", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t size = strlen(cases[i].text);
        _cleanup_free_ char *copy = malloc(size + 1); /* for who looks beyond */
        memcpy(copy, cases[i].text, size);
        _cleanup_free_ char *key = json_key_at_end(copy, size);
        if (i < sizeof cases / sizeof cases[0] - 3)
            ck_assert_str_eq(key, cases[i].key);
        ck_assert_ptr_nonnull(key);
    }
}
END_TEST

/* What people write, and what machines write: the values differ in their code. */
static const struct fault {
    const char *text;
    int code;
    const char *reason, *key, *value, *message;
    int64_t line;
} faults[] = {
    {"{\"memory\": 18446744073709551616}", VQEMU_ERR_INVALID, "out-of-range", "memory",
     "18446744073709551616",
     "x:1:31: memory: 18446744073709551616 is beyond the numbers of 64 bits", 1},
    {"{\"disks\": [{},\n {\"size\":-9223372036854775809 }]}", VQEMU_ERR_INVALID, "out-of-range",
     "disks[1].size", "-9223372036854775809",
     "x:2:29: disks[1].size: -9223372036854775809 is beyond the numbers of 64 bits", 2},
    {"{\"a\": [1e999]}", VQEMU_ERR_INVALID, "out-of-range", "a[0]", "1e999",
     "x:1:12: a[0]: 1e999 is beyond the numbers of 64 bits", 1},
    {"{\"a\": 123456789012345678901234567890123456789012}", VQEMU_ERR_INVALID, "out-of-range", "a",
     "123456789012345678901234567890123456789012",
     "x:1:48: a: 1234567890123456789012345678901234567890... is beyond the numbers of 64 bits", 1},
    {"{\"a\": 1,\n\"b\": {\"c\": 1,\n\"c\": 2}}", VQEMU_ERR_MALFORMED, "key-twice", "b.c", NULL,
     "x:3:3: b.c: the key is there twice", 3},
    {"{\"a\": [\"b\", \"\\u0000\"]}", VQEMU_ERR_INVALID, "nul", "a[1]", NULL,
     "x:1:20: a[1]: a text cannot have \\u0000", 1},
    {"{\"a\\u0000b\": 1}", VQEMU_ERR_MALFORMED, "nul", "a\\u0000b", NULL,
     "x:1:11: a\\u0000b: a key cannot have \\u0000", 1},
};

static void is_fault(const struct fault *fault, int code, const vqemu_error *error) {
    ck_assert_str_eq(vqemu_error_message(error), fault->message);
    ck_assert_int_eq(vqemu_error_code(error), code);
    ck_assert_str_eq(vqemu_error_reason(error), fault->reason);
    ck_assert_str_eq(vqemu_error_detail(error, "key"), fault->key);
    ck_assert_pstr_eq(vqemu_error_detail(error, "value"), fault->value);
    ck_assert_int_eq(vqemu_error_line(error), fault->line);
}

START_TEST(a_fault_of_a_key_names_the_key) {
    const struct fault *fault = &faults[_i];
    _cleanup_error_ vqemu_error *error = NULL;
    json_t *json = (json_t *)&error;
    int r = json_parse_document(fault->text, strlen(fault->text), "x", &json, &error);
    ck_assert_int_eq(r, fault->code);
    ck_assert_ptr_null(json);
    is_fault(fault, fault->code, error);
    r = json_parse_object(fault->text, strlen(fault->text), "x", &json, &error);
    ck_assert_int_eq(r, VQEMU_ERR_MALFORMED);
    ck_assert_ptr_null(json);
    is_fault(fault, VQEMU_ERR_MALFORMED, error);
}
END_TEST

START_TEST(numbers_of_64_bits_are_read) {
    const char *text = "{\"most\": 9223372036854775807, \"least\": -9223372036854775808}";
    _cleanup_json_ json_t *json = NULL;
    ck_assert_int_eq(json_parse_object(text, strlen(text), "x", &json, NULL), 0);
    ck_assert_int_eq(json_integer_value(json_object_get(json, "most")), INT64_MAX);
    ck_assert_int_eq(json_integer_value(json_object_get(json, "least")), INT64_MIN);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("json");
    TCase *tests = tcase_create("json");
    tcase_add_test(tests, the_key_of_a_place_is_spelled_as_a_vm_spells_it);
    tcase_add_loop_test(tests, a_fault_of_a_key_names_the_key, 0, sizeof faults / sizeof faults[0]);
    tcase_add_test(tests, numbers_of_64_bits_are_read);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
