/* SPDX-License-Identifier: MIT */
/* A VM as a document: read, written, put over another, and compared. */
#include "base/error.h"
#include "base/json.h"
#include "cases.h"
#include "vm/vm.h"

static const char *string_of(const vqemu_vm *vm, const char *key) {
    const char *string;
    ck_assert_int_eq(vqemu_vm_get_string(vm, key, &string, NULL), 0);
    return string;
}

static uint64_t number_of(const vqemu_vm *vm, const char *key) {
    uint64_t number;
    ck_assert_int_eq(vqemu_vm_get_number(vm, key, &number, NULL), 0);
    return number;
}

START_TEST(a_document_sets_everything) {
    const char *text =
        "{\"name\":\"n\",\"memory\":1,\"cpus\":2,\"rootfs\":\"/r\",\"kernel\":\"/k\","
        "\"initrd\":\"/i\",\"append\":\"a\",\"extra_args\":[\"x\",\"\"]}";
    _cleanup_vm_ vqemu_vm *vm = NULL;
    ck_assert_int_eq(vqemu_vm_from_json(text, strlen(text), NULL, 0, &vm, NULL), 0);
    ck_assert_str_eq(string_of(vm, "name"), "n");
    ck_assert_uint_eq(number_of(vm, "memory"), 1);
    ck_assert_uint_eq(number_of(vm, "cpus"), 2);
    ck_assert_str_eq(string_of(vm, "rootfs"), "/r");
    ck_assert_str_eq(string_of(vm, "kernel"), "/k");
    ck_assert_str_eq(string_of(vm, "initrd"), "/i");
    ck_assert_str_eq(string_of(vm, "append"), "a");
    size_t count;
    ck_assert_int_eq(vqemu_vm_count(vm, "extra_args", &count, NULL), 0);
    ck_assert_uint_eq(count, 2);
    ck_assert_str_eq(string_of(vm, "extra_args[1]"), "");
}
END_TEST

START_TEST(escapes_are_read) {
    const char *text =
        "{\"n\\u0061me\":\"\\u00e4\\ud83d\\ude00\\\"\\\\\\/\\b\\u0041\\u20ac\xc3\xa9\","
        "\"memory\":0,\"cpus\":-0,\"vnc_port\":65535}";
    _cleanup_vm_ vqemu_vm *vm = NULL;
    _cleanup_error_ vqemu_error *error = NULL;
    int r = vqemu_vm_from_json(text, strlen(text), NULL, 0, &vm, &error);
    ck_assert_msg(r == 0, "%s", vqemu_error_message(error));
    ck_assert_str_eq(string_of(vm, "name"), "\xc3\xa4\xf0\x9f\x98\x80\"\\/\b"
                                            "A\xe2\x82\xac\xc3\xa9");
}
END_TEST

/* "invalid disks[0].cache", "malformed line 2" or both: what a program is told. */
static char *blame_of(const vqemu_error *error) {
    const char *code = vqemu_result_name(vqemu_error_code(error)),
               *key = vqemu_error_detail(error, "key");
    _cleanup_free_ char *line = format_string(" line %d", (int)vqemu_error_line(error));
    return format_string("%s%s%s%s", code, vqemu_error_line(error) > 0 ? line : "", key ? " " : "",
                         key ? key : "");
}

/* The lines of the file are the message, and what a program is told. */
START_TEST(a_broken_document_fails_with_its_message) {
    size_t size = 0;
    _cleanup_free_ char *path = case_path(_i, "vm.json");
    _cleanup_free_ char *text = read_case_file(_i, "vm.json", &size);
    _cleanup_error_ vqemu_error *error = NULL, *from_file = NULL;
    vqemu_vm *vm = (vqemu_vm *)path;
    int r = vqemu_vm_from_json(text, size, "vm", 0, &vm, &error);
    ck_assert_int_eq(r, vqemu_error_code(error));
    ck_assert_ptr_null(vm);
    _cleanup_free_ char *blame = blame_of(error),
                        *actual = format_string("%s\n%s\n", vqemu_error_message(error), blame);
    if (getenv("UPDATE_GOLDEN")) {
        _cleanup_free_ char *file = case_path(_i, "error");
        FILE *stream = fopen(file, "w");
        fputs(actual, stream);
        ck_assert_int_eq(fclose(stream), 0);
    }
    _cleanup_free_ char *expected = read_case_file(_i, "error", &size);
    ck_assert_msg(expected && strcmp(actual, expected) == 0, "%s: %s; %s", case_names[_i],
                  vqemu_error_message(error), blame);
    ck_assert_int_eq(vqemu_vm_from_file(path, 0, &vm, &from_file), r);
    ck_assert_ptr_null(vm);
    ck_assert_int_eq(strncmp(vqemu_error_message(from_file), path, strlen(path)), 0);
}
END_TEST

/* Over another VM it is refused as well, unless it is that something is missing, and nothing of it
 * is taken. */
START_TEST(nothing_of_a_broken_document_is_merged) {
    static const char whole[] = "{\"name\": \"x\", \"memory\": 7, \"disks\": [{\"file\": \"/a\"}]}";
    size_t size = 0;
    _cleanup_free_ char *text = read_case_file(_i, "vm.json", &size);
    _cleanup_free_ char *before = NULL, *after = NULL;
    _cleanup_vm_ vqemu_vm *vm = NULL;
    ck_assert_int_eq(vqemu_vm_from_json(whole, sizeof whole - 1, NULL, 0, &vm, NULL), 0);
    ck_assert_int_eq(vqemu_vm_to_json(vm, 0, &before, NULL), 0);
    int r = vqemu_vm_merge_json(vm, text, size, NULL, 0, NULL);
    bool can_be =
        strcmp(case_names[_i], "no-name") == 0 || strcmp(case_names[_i], "kernel-is-null") == 0;
    ck_assert_msg((r == 0) == can_be, "%s: %d", case_names[_i], r);
    ck_assert_int_eq(vqemu_vm_to_json(vm, 0, &after, NULL), 0);
    ck_assert(can_be || strcmp(before, after) == 0);
}
END_TEST

START_TEST(an_editor_finds_the_schema) {
    static const char text[] = "{\"$schema\": \"vm.schema.json\", \"name\": \"x\"}";
    _cleanup_vm_ vqemu_vm *vm = NULL;
    _cleanup_free_ char *written = NULL;
    ck_assert_int_eq(vqemu_vm_from_json(text, sizeof text - 1, NULL, 0, &vm, NULL), 0);
    ck_assert_int_eq(vqemu_vm_to_json(vm, 0, &written, NULL), 0);
    ck_assert_ptr_null(strstr(written, "schema"));
}
END_TEST

START_TEST(a_file_must_be_a_file) {
    vqemu_vm *vm = NULL;
    ck_assert_int_eq(vqemu_vm_from_file("/", 0, &vm, NULL), VQEMU_ERR_INVALID);
    ck_assert_int_eq(vqemu_vm_from_file("/dev/zero", 0, &vm, NULL), VQEMU_ERR_INVALID);
    ck_assert_int_eq(vqemu_vm_from_file("/nonexistent", 0, &vm, NULL), VQEMU_ERR_NOT_FOUND);
}
END_TEST

/* ---- a second document over a VM ---- */

static vqemu_vm *read_vm(const char *text) {
    vqemu_vm *vm = NULL;
    _cleanup_error_ vqemu_error *error = NULL;
    int r = vqemu_vm_from_json(text, strlen(text), NULL, 0, &vm, &error);
    ck_assert_msg(r == 0, "%s", vqemu_error_message(error));
    return vm;
}

/* As one line, in the order of the tables. */
static char *line_of(const vqemu_vm *vm) {
    _cleanup_free_ char *text = NULL;
    ck_assert_int_eq(vqemu_vm_to_json(vm, 0, &text, NULL), 0);
    _cleanup_json_ json_t *json = json_loads(text, 0, NULL);
    return json_dumps(json, JSON_COMPACT);
}

START_TEST(what_a_second_document_says_counts) {
    static const struct {
        const char *first, *second, *result;
    } cases[] = {
        {"{\"name\":\"x\"}", "{}", "{\"name\":\"x\"}"},
        {"{\"name\":\"x\"}", "{\"$schema\":\"s\",\"name\":\"y\",\"memory\":5}",
         "{\"name\":\"y\",\"memory\":5}"},
        {"{\"name\":\"x\",\"memory\":5,\"rng\":true,\"kernel\":\"/k\",\"firmware\":\"bios\"}",
         "{\"memory\":null,\"rng\":null,\"kernel\":null,\"firmware\":null}", "{\"name\":\"x\"}"},
        {"{\"name\":\"x\",\"rng\":true}", "{\"rng\":false}", "{\"name\":\"x\",\"rng\":false}"},
        {"{\"name\":\"x\",\"disks\":[{\"file\":\"/a\"},{\"file\":\"/"
         "b\"}],\"extra_args\":[\"a\",\"b\"]}",
         "{\"disks\":[{\"file\":\"/c\"}],\"extra_args\":[\"c\"]}",
         "{\"name\":\"x\",\"disks\":[{\"file\":\"/c\"}],\"extra_args\":[\"c\"]}"},
        {"{\"name\":\"x\",\"disks\":[{\"file\":\"/a\"}],\"nics\":[{}],\"extra_args\":[\"a\"]}",
         "{\"disks\":[],\"nics\":null,\"extra_args\":null}", "{\"name\":\"x\"}"},
        {"{\"name\":\"x\",\"cpu_features\":{\"a\":true,\"b\":1,\"c\":\"t\"}}",
         "{\"cpu_features\":{\"b\":null,\"c\":false,\"d\":2,\"none\":null}}",
         "{\"name\":\"x\",\"cpu_features\":{\"a\":true,\"c\":false,\"d\":2}}"},
        {"{\"name\":\"x\",\"cpu_features\":{\"a\":true}}", "{\"cpu_features\":null}",
         "{\"name\":\"x\"}"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        _cleanup_vm_ vqemu_vm *vm = read_vm(cases[i].first);
        _cleanup_error_ vqemu_error *error = NULL;
        int r = vqemu_vm_merge_json(vm, cases[i].second, strlen(cases[i].second), "s", 0, &error);
        ck_assert_msg(r == 0, "%s", vqemu_error_message(error));
        _cleanup_free_ char *line = line_of(vm);
        ck_assert_str_eq(line, cases[i].result);
    }
}
END_TEST

START_TEST(what_a_second_document_cannot_say_is_refused) {
    static const struct {
        const char *document, *message;
        int code;
    } cases[] = {
        {"{\"name\":null}", "s: name: it is empty", VQEMU_ERR_INVALID},
        {"{\"memory\":1,\"rng\":1}", "s: rng: not true or false", VQEMU_ERR_INVALID},
        {"{\"memory\":1,\"disks\":[{\"file\":null}]}", "s: disks[0].file: not a string",
         VQEMU_ERR_INVALID},
        {"{\"memory\":\"5\"}", "s: memory: not ", VQEMU_ERR_INVALID},
        {"{\"memory\":1.5}", "s: memory: not ", VQEMU_ERR_INVALID},
        {"{\"memory\":[]}", "s: memory: not ", VQEMU_ERR_INVALID},
        {"{\"disks\":5}", "s: disks: not an array of objects", VQEMU_ERR_MALFORMED},
        {"{\"disks\":[5]}", "s: disks[0]: not an object", VQEMU_ERR_MALFORMED},
        {"{\"cpu_features\":[]}", "s: cpu_features: not an object of names and values",
         VQEMU_ERR_MALFORMED},
        {"{\"extra_args\":[5]}", "s: extra_args[0]: not a string", VQEMU_ERR_INVALID},
        {"{\"memory\":1,\"shares\":[{\"tag\":\"t\"}]}", "s: shares[0].path: missing",
         VQEMU_ERR_INVALID},
        {"{\"memory\":1,\"cpu_features\":{\"a\":[]}}",
         "s: cpu_features.a: not true, false, an integer from 0 up, or text", VQEMU_ERR_INVALID},
        {"{\"memory\":1,\"cpu_features\":{\"a\":\"b,c\"}}",
         "s: cpu_features.a: \"b,c\" is not text", VQEMU_ERR_INVALID},
        {"{\"memory\":1,\"zzz\":1}",
         "s: zzz: a VM has no such key; perhaps it is one of a newer version of the library",
         VQEMU_ERR_UNKNOWN_KEY},
        {"{\"memory\":1,\"shares\":[{\"pth\":\"/srv\"}]}",
         "s: shares[0].pth: a share has no such key; perhaps it is shares[0].path",
         VQEMU_ERR_UNKNOWN_KEY},
        {"[]", "s: not a JSON object", VQEMU_ERR_MALFORMED},
    };
    _cleanup_vm_ vqemu_vm *vm = read_vm("{\"name\":\"x\",\"memory\":7,\"nics\":[{}]}");
    _cleanup_error_ vqemu_error *error = NULL;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int r =
            vqemu_vm_merge_json(vm, cases[i].document, strlen(cases[i].document), "s", 0, &error);
        ck_assert_int_eq(r, cases[i].code);
        ck_assert_msg(strstr(vqemu_error_message(error), cases[i].message) ==
                          vqemu_error_message(error),
                      "%s", vqemu_error_message(error));
        _cleanup_free_ char *line = line_of(vm);
        ck_assert_str_eq(line, "{\"name\":\"x\",\"memory\":7,\"nics\":[{}]}");
    }
}
END_TEST

/* ---- what two differ in ---- */

START_TEST(differences_are_named_by_their_keys) {
    static const struct {
        const char *from, *to, *changes;
    } cases[] = {
        {"{\"name\":\"x\"}", "{\"name\":\"x\"}", "[]"},
        {"{\"name\":\"x\",\"rng\":true}", "{\"name\":\"y\",\"memory\":5}",
         "[{\"key\":\"name\",\"from\":\"x\",\"to\":\"y\"},{\"key\":\"rng\",\"from\":true,\"to\":"
         "null},"
         "{\"key\":\"memory\",\"from\":null,\"to\":5}]"},
        {"{\"name\":\"x\",\"disks\":[{\"file\":\"/a\",\"cache\":\"none\"}]}",
         "{\"name\":\"x\",\"disks\":[{\"file\":\"/a\"},{\"file\":\"/b\"}]}",
         "[{\"key\":\"disks[0].cache\",\"from\":\"none\",\"to\":null},"
         "{\"key\":\"disks[1]\",\"from\":null,\"to\":{\"file\":\"/b\"}}]"},
        {"{\"name\":\"x\",\"nics\":[{\"forwards\":[{\"host_port\":1,\"guest_port\":2}]}]}",
         "{\"name\":\"x\",\"nics\":[{\"forwards\":[{\"host_port\":1,\"guest_port\":3}]}]}",
         "[{\"key\":\"nics[0].forwards[0].guest_port\",\"from\":2,\"to\":3}]"},
        {"{\"name\":\"x\",\"extra_args\":[\"a\",\"b\"]}", "{\"name\":\"x\"}",
         "[{\"key\":\"extra_args[0]\",\"from\":\"a\",\"to\":null},"
         "{\"key\":\"extra_args[1]\",\"from\":\"b\",\"to\":null}]"},
        {"{\"name\":\"x\"}", "{\"name\":\"x\",\"nics\":[{}],\"cpu_features\":{\"a.b\":\"1\"}}",
         "[{\"key\":\"cpu_features.a.b\",\"from\":null,\"to\":\"1\"},"
         "{\"key\":\"nics[0]\",\"from\":null,\"to\":{}}]"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        _cleanup_vm_ vqemu_vm *from = read_vm(cases[i].from), *to = read_vm(cases[i].to);
        _cleanup_free_ char *text = NULL;
        ck_assert_int_eq(vqemu_vm_diff(from, to, 0, &text, NULL), 0);
        _cleanup_json_ json_t *json = json_loads(text, 0, NULL);
        _cleanup_free_ char *changes = json_dumps(json_object_get(json, "changes"), JSON_COMPACT);
        ck_assert_str_eq(changes, cases[i].changes);
    }
}
END_TEST

int main(void) {
    find_cases("vms");
    Suite *suite = suite_create("document");
    TCase *tests = tcase_create("document");
    tcase_add_test(tests, a_document_sets_everything);
    tcase_add_test(tests, escapes_are_read);
    tcase_add_loop_test(tests, a_broken_document_fails_with_its_message, 0, case_count);
    tcase_add_loop_test(tests, nothing_of_a_broken_document_is_merged, 0, case_count);
    tcase_add_test(tests, an_editor_finds_the_schema);
    tcase_add_test(tests, a_file_must_be_a_file);
    tcase_add_test(tests, what_a_second_document_says_counts);
    tcase_add_test(tests, what_a_second_document_cannot_say_is_refused);
    tcase_add_test(tests, differences_are_named_by_their_keys);
    suite_add_tcase(suite, tests);
    int status = run_suite(suite);
    forget_cases();
    return status;
}
