/* SPDX-License-Identifier: MIT */
#include "vm/vm.h"

#include "base/error.h"
#include "cases.h"

START_TEST(a_new_vm_has_the_defaults) {
    _cleanup_vm_ vqemu_vm *vm = NULL;
    ck_assert_int_eq(vqemu_vm_new("web", &vm, NULL), 0);
    ck_assert_str_eq(vqemu_vm_name(vm), "web");
    ck_assert_uint_eq(vqemu_vm_memory(vm), 0);
    ck_assert_uint_eq(vqemu_vm_cpus(vm), 0);
    ck_assert_ptr_null(vqemu_vm_rootfs(vm));
    ck_assert_ptr_null(vqemu_vm_kernel(vm));
    ck_assert_ptr_null(vqemu_vm_initrd(vm));
    ck_assert_ptr_null(vqemu_vm_append(vm));
    ck_assert_uint_eq(vqemu_vm_extra_arg_count(vm), 0);
    vqemu_vm_free(NULL);
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
    ck_assert_int_eq(vqemu_vm_set_name(vm, "", NULL), VQEMU_ERR_INVALID);
    ck_assert_int_eq(vqemu_vm_set_name(vm, NULL, NULL), VQEMU_ERR_INVALID);
    ck_assert_str_eq(vqemu_vm_name(vm), name); /* a refused value changes nothing */
    ck_assert_int_eq(vqemu_vm_set_name(vm, "any \xff\n,=", NULL), 0);
}
END_TEST

START_TEST(numbers_are_checked) {
    _cleanup_vm_ vqemu_vm *vm = NULL;
    ck_assert_int_eq(vqemu_vm_new("x", &vm, NULL), 0);
    ck_assert_int_eq(vqemu_vm_set_memory(vm, 16777216, NULL), 0);
    ck_assert_int_eq(vqemu_vm_set_memory(vm, 16777217, NULL), VQEMU_ERR_INVALID);
    ck_assert_int_eq(vqemu_vm_set_memory(vm, UINT64_MAX, NULL), VQEMU_ERR_INVALID);
    ck_assert_uint_eq(vqemu_vm_memory(vm), 16777216);
    ck_assert_int_eq(vqemu_vm_set_cpus(vm, 4096, NULL), 0);
    ck_assert_int_eq(vqemu_vm_set_cpus(vm, 4097, NULL), VQEMU_ERR_INVALID);
    ck_assert_uint_eq(vqemu_vm_cpus(vm), 4096);
}
END_TEST

START_TEST(paths_are_absolute) {
    static int (*const setters[])(vqemu_vm *, const char *, vqemu_error **) = {
        vqemu_vm_set_rootfs, vqemu_vm_set_kernel, vqemu_vm_set_initrd};
    static const char *(*const getters[])(const vqemu_vm *) = {vqemu_vm_rootfs, vqemu_vm_kernel,
                                                               vqemu_vm_initrd};
    _cleanup_vm_ vqemu_vm *vm = NULL;
    _cleanup_error_ vqemu_error *error = NULL;
    ck_assert_int_eq(vqemu_vm_new("x", &vm, NULL), 0);
    ck_assert_int_eq(setters[_i](vm, "/a,b", NULL), 0);
    ck_assert_int_eq(setters[_i](vm, "a", &error), VQEMU_ERR_INVALID);
    ck_assert_ptr_nonnull(strstr(vqemu_error_message(error), "\"a\" is not an absolute path"));
    ck_assert_str_eq(getters[_i](vm), "/a,b");
    ck_assert_int_eq(setters[_i](vm, "", NULL), 0);
    ck_assert_ptr_null(getters[_i](vm));
}
END_TEST

START_TEST(extra_arguments_keep_their_order) {
    _cleanup_vm_ vqemu_vm *vm = NULL;
    char number[8];
    ck_assert_int_eq(vqemu_vm_new("x", &vm, NULL), 0);
    for (int i = 0; i < 100; i++) {
        snprintf(number, sizeof number, "%d", i);
        ck_assert_int_eq(vqemu_vm_add_extra_arg(vm, number, NULL), 0);
    }
    ck_assert_int_eq(vqemu_vm_add_extra_arg(vm, NULL, NULL), VQEMU_ERR_INVALID);
    ck_assert_uint_eq(vqemu_vm_extra_arg_count(vm), 100);
    ck_assert_str_eq(vqemu_vm_extra_arg(vm, 99), "99");
    ck_assert_ptr_null(vqemu_vm_extra_arg(vm, 100));
}
END_TEST

START_TEST(a_document_sets_everything) {
    const char *text =
        "{\"name\":\"n\",\"memory\":1,\"cpus\":2,\"rootfs\":\"/r\",\"kernel\":\"/k\","
        "\"initrd\":\"/i\",\"append\":\"a\",\"extra_args\":[\"x\",\"\"]}";
    _cleanup_vm_ vqemu_vm *vm = NULL;
    ck_assert_int_eq(vqemu_vm_from_json(text, strlen(text), NULL, &vm, NULL), 0);
    ck_assert_str_eq(vqemu_vm_name(vm), "n");
    ck_assert_uint_eq(vqemu_vm_memory(vm), 1);
    ck_assert_uint_eq(vqemu_vm_cpus(vm), 2);
    ck_assert_str_eq(vqemu_vm_rootfs(vm), "/r");
    ck_assert_str_eq(vqemu_vm_kernel(vm), "/k");
    ck_assert_str_eq(vqemu_vm_initrd(vm), "/i");
    ck_assert_str_eq(vqemu_vm_append(vm), "a");
    ck_assert_uint_eq(vqemu_vm_extra_arg_count(vm), 2);
    ck_assert_str_eq(vqemu_vm_extra_arg(vm, 1), "");
}
END_TEST

START_TEST(escapes_are_read) {
    const char *text =
        "{\"n\\u0061me\":\"\\u00e4\\ud83d\\ude00\\\"\\\\\\/\\b\\u0041\\u20ac\xc3\xa9\","
        "\"memory\":0,\"cpus\":-0,\"vnc_port\":65535}";
    _cleanup_vm_ vqemu_vm *vm = NULL;
    _cleanup_error_ vqemu_error *error = NULL;
    int r = vqemu_vm_from_json(text, strlen(text), NULL, &vm, &error);
    ck_assert_msg(r == 0, "%s", vqemu_error_message(error));
    ck_assert_str_eq(vqemu_vm_name(vm), "\xc3\xa4\xf0\x9f\x98\x80\"\\/\b"
                                        "A\xe2\x82\xac\xc3\xa9");
}
END_TEST

START_TEST(a_broken_document_fails_with_its_message) {
    size_t size = 0;
    _cleanup_free_ char *path = case_path(_i, "vm.json");
    _cleanup_free_ char *text = read_case_file(_i, "vm.json", &size);
    _cleanup_free_ char *expected = read_case_error(_i);
    _cleanup_error_ vqemu_error *error = NULL, *from_file = NULL;
    vqemu_vm *vm = (vqemu_vm *)path;
    ck_assert_int_eq(vqemu_vm_from_json(text, size, "vm", &vm, &error), VQEMU_ERR_MALFORMED);
    ck_assert_ptr_null(vm);
    ck_assert_msg(strcmp(vqemu_error_message(error), expected) == 0,
                  "%s: expected \"%s\", got \"%s\"", case_names[_i], expected,
                  vqemu_error_message(error));
    ck_assert_int_eq(vqemu_vm_from_file(path, &vm, &from_file), VQEMU_ERR_MALFORMED);
    ck_assert_ptr_nonnull(strstr(vqemu_error_message(from_file), path));
}
END_TEST

START_TEST(an_editor_finds_the_schema) {
    static const char text[] = "{\"$schema\": \"vm.schema.json\", \"name\": \"x\"}";
    _cleanup_vm_ vqemu_vm *vm = NULL;
    _cleanup_free_ char *written = NULL;
    ck_assert_int_eq(vqemu_vm_from_json(text, sizeof text - 1, NULL, &vm, NULL), 0);
    ck_assert_int_eq(vqemu_vm_to_json(vm, &written, NULL), 0);
    ck_assert_ptr_null(strstr(written, "schema"));
}
END_TEST

START_TEST(a_file_must_be_a_file) {
    vqemu_vm *vm = NULL;
    ck_assert_int_eq(vqemu_vm_from_file("/", &vm, NULL), VQEMU_ERR_INVALID);
    ck_assert_int_eq(vqemu_vm_from_file("/dev/zero", &vm, NULL), VQEMU_ERR_INVALID);
    ck_assert_int_eq(vqemu_vm_from_file("/nonexistent", &vm, NULL), VQEMU_ERR_NOT_FOUND);
}
END_TEST

int main(void) {
    find_cases("vms");
    Suite *suite = suite_create("vm");
    TCase *tests = tcase_create("vm");
    tcase_add_test(tests, a_new_vm_has_the_defaults);
    tcase_add_test(tests, names_are_checked);
    tcase_add_test(tests, numbers_are_checked);
    tcase_add_loop_test(tests, paths_are_absolute, 0, 3);
    tcase_add_test(tests, extra_arguments_keep_their_order);
    tcase_add_test(tests, a_document_sets_everything);
    tcase_add_test(tests, escapes_are_read);
    tcase_add_loop_test(tests, a_broken_document_fails_with_its_message, 0, case_count);
    tcase_add_test(tests, an_editor_finds_the_schema);
    tcase_add_test(tests, a_file_must_be_a_file);
    suite_add_tcase(suite, tests);
    int status = run_suite(suite);
    forget_cases();
    return status;
}
