/* SPDX-License-Identifier: MIT */
#include "store/manifest.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/call.h"
#include "base/digest.h"
#include "base/error.h"
#include "cases.h"
#include "fixture.h"

#define DIGEST "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define HEAD "{\"name\":\"n\",\"created_at\":\"2025-01-31T10:00:00Z\",\"objects\":{"

static int load(const char *text, size_t max_objects, vqemu_manifest **manifest,
                vqemu_error **error) {
    _cleanup_call_ vqemu_call *call = make_call("max_objects", max_objects);
    return vqemu_manifest_load_memory(text, strlen(text), NULL, 0, call, manifest, error);
}

START_TEST(a_case_loads_or_fails_with_its_message) {
    size_t size = 0;
    _cleanup_free_ char *text = read_case_file(_i, "input.json", &size);
    _cleanup_free_ char *expected = read_case_error(_i);
    _cleanup_manifest_ vqemu_manifest *manifest = NULL;
    _cleanup_error_ vqemu_error *error = NULL;
    ck_assert_ptr_nonnull(text);
    int r = vqemu_manifest_load_memory(text, size, "manifest", 0, NULL, &manifest, &error);
    ck_assert_msg(strcmp(vqemu_error_message(error), expected) == 0,
                  "%s: expected \"%s\", got \"%s\"", case_names[_i], expected,
                  vqemu_error_message(error));
    ck_assert_int_eq(r, *expected ? VQEMU_ERR_MALFORMED : 0);
    ck_assert((manifest == NULL) == (r < 0));
}
END_TEST

START_TEST(a_case_that_loads_survives_writing) {
    size_t size = 0;
    _cleanup_free_ char *text = read_case_file(_i, "input.json", &size);
    _cleanup_free_ char *once = NULL, *twice = NULL;
    _cleanup_manifest_ vqemu_manifest *first = NULL, *second = NULL;
    if (vqemu_manifest_load_memory(text, size, NULL, 0, NULL, &first, NULL) < 0)
        return;
    ck_assert_int_eq(vqemu_manifest_to_json(first, 0, &once, NULL), 0);
    ck_assert_int_eq(load(once, 0, &second, NULL), 0);
    ck_assert_int_eq(vqemu_manifest_to_json(second, 0, &twice, NULL), 0);
    ck_assert_str_eq(once, twice);
    ck_assert(manifest_same_content(first, second));
    ck_assert_str_eq(vqemu_manifest_string(first, VQEMU_MANIFEST_CREATED_AT),
                     vqemu_manifest_string(second, VQEMU_MANIFEST_CREATED_AT));
    struct digest digest = digest_of_bytes(once, strlen(once));
    ck_assert_str_eq(vqemu_manifest_digest(second), digest.hex);
}
END_TEST

START_TEST(fields_and_objects_are_what_the_text_says) {
    _cleanup_manifest_ vqemu_manifest *manifest = NULL;
    const char *text =
        HEAD "\"lib/b\":\"" DIGEST "\",\"bin/a\":\"" DIGEST "\",\"firmware/c\":\"" DIGEST
             "\",\"lib/a\":\"" DIGEST "\",\"library\":\"" DIGEST
             "\"},\"modes\":{\"bin/a\":\"0755\"},\"profile\":\"p\",\"qemu_version\":\"v\","
             "\"build_date\":\"d\",\"build_host\":\"h\",\"arch\":\"a\",\"total_bytes\":7}";
    ck_assert_int_eq(load(text, 0, &manifest, NULL), 0);
    ck_assert_str_eq(vqemu_manifest_string(manifest, VQEMU_MANIFEST_NAME), "n");
    ck_assert_str_eq(vqemu_manifest_string(manifest, VQEMU_MANIFEST_CREATED_AT),
                     "2025-01-31T10:00:00Z");
    ck_assert_str_eq(vqemu_manifest_string(manifest, VQEMU_MANIFEST_PROFILE), "p");
    ck_assert_str_eq(vqemu_manifest_string(manifest, VQEMU_MANIFEST_QEMU_VERSION), "v");
    ck_assert_str_eq(vqemu_manifest_string(manifest, VQEMU_MANIFEST_BUILD_DATE), "d");
    ck_assert_str_eq(vqemu_manifest_string(manifest, VQEMU_MANIFEST_BUILD_HOST), "h");
    ck_assert_str_eq(vqemu_manifest_string(manifest, VQEMU_MANIFEST_ARCH), "a");
    ck_assert_str_eq(vqemu_manifest_string(manifest, "profile"), "p");
    ck_assert_ptr_null(vqemu_manifest_string(manifest, VQEMU_MANIFEST_ACCEL)); /* absent */
    ck_assert_ptr_null(vqemu_manifest_string(manifest, "total_bytes"));
    ck_assert_ptr_null(vqemu_manifest_string(manifest, NULL));
    ck_assert_int_eq(vqemu_manifest_total_bytes(manifest), 7);
    ck_assert_uint_eq(vqemu_manifest_object_count(manifest), 5);
    ck_assert_str_eq(vqemu_manifest_object_path(manifest, 0), "bin/a");
    ck_assert_str_eq(vqemu_manifest_object_path(manifest, 4), "library");
    ck_assert_uint_eq(vqemu_manifest_object_mode(manifest, 0), 0755);
    ck_assert_uint_eq(vqemu_manifest_object_mode(manifest, 1), 0);
    ck_assert_str_eq(vqemu_manifest_object_digest(manifest, 1), DIGEST);
    ck_assert_ptr_null(vqemu_manifest_object_path(manifest, 5));
    ck_assert_ptr_null(vqemu_manifest_object_digest(manifest, 5));
    ck_assert_int_eq(vqemu_manifest_find(manifest, "lib/a"), 2);
    ck_assert_int_eq(vqemu_manifest_find(manifest, "lib"), -1);
    ck_assert_uint_eq(vqemu_manifest_count_below(manifest, "bin"), 1);
    ck_assert_uint_eq(vqemu_manifest_count_below(manifest, "lib"), 2);
    ck_assert_uint_eq(vqemu_manifest_count_below(manifest, "firmware"), 1);
}
END_TEST

/* A manifest with count objects. */
static char *make_text(size_t count) {
    struct strbuf text = {0};
    strbuf_add(&text, HEAD);
    for (size_t i = 0; i < count; i++)
        strbuf_addf(&text, "%s\"lib/%zu\":\"" DIGEST "\"", i ? "," : "", i);
    strbuf_add(&text, "}}");
    return strbuf_take(&text);
}

START_TEST(the_number_of_objects_is_limited) {
    static const struct {
        size_t count, limit;
        bool good;
    } cases[] = {{10000, 0, true}, {10001, 0, false},    {5, 5, true},
                 {6, 5, false},    {20000, 20000, true}, {20001, 20000, false}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        _cleanup_free_ char *text = make_text(cases[i].count);
        _cleanup_manifest_ vqemu_manifest *manifest = NULL;
        _cleanup_error_ vqemu_error *error = NULL;
        int r = load(text, cases[i].limit, &manifest, &error);
        ck_assert_int_eq(r, cases[i].good ? 0 : VQEMU_ERR_MALFORMED);
        if (!cases[i].good)
            ck_assert_ptr_nonnull(strstr(vqemu_error_message(error), "more than the limit of"));
    }
}
END_TEST

START_TEST(the_size_of_the_text_is_limited) {
    const size_t limit = (size_t)4 * 1024 * 1024;
    char *text = malloc(limit + 1);
    memset(text, ' ', limit + 1);
    memcpy(text, HEAD "}}", strlen(HEAD "}}"));
    _cleanup_manifest_ vqemu_manifest *manifest = NULL, *too_large = NULL;
    _cleanup_error_ vqemu_error *error = NULL;
    ck_assert_int_eq(vqemu_manifest_load_memory(text, limit, NULL, 0, NULL, &manifest, NULL), 0);
    ck_assert_int_eq(vqemu_manifest_load_memory(text, limit + 1, NULL, 0, NULL, &too_large, &error),
                     VQEMU_ERR_MALFORMED);
    ck_assert_str_eq(vqemu_error_message(error), "manifest: larger than 4194304 bytes");
    free(text);
}
END_TEST

/* Whether a path of that many components of that length each is taken. */
static bool takes_path(size_t components, size_t length) {
    struct strbuf path = {0};
    for (size_t i = 0; i < components; i++) {
        strbuf_add(&path, i ? "/" : "");
        for (size_t j = 0; j < length; j++)
            strbuf_add_char(&path, 'x');
    }
    char *text = strbuf_take(&path);
    bool taken = manifest_find_path_fault(text) == NULL;
    free(text);
    return taken;
}

START_TEST(the_lengths_of_paths_are_limited) {
    ck_assert(takes_path(1, 255));
    ck_assert(!takes_path(1, 256));
    ck_assert(takes_path(16, 10));
    ck_assert(!takes_path(17, 10));
    ck_assert(takes_path(5, 204)); /* 1024 bytes */
    ck_assert(!takes_path(5, 205));
}
END_TEST

START_TEST(a_pipe_can_be_read) {
    int pipe_fds[2];
    _cleanup_manifest_ vqemu_manifest *manifest = NULL;
    ck_assert_int_eq(pipe(pipe_fds), 0);
    ck_assert_int_eq(write_all(pipe_fds[1], HEAD "}}", strlen(HEAD "}}")), 0);
    close(pipe_fds[1]);
    ck_assert_int_eq(vqemu_manifest_load_fd(pipe_fds[0], NULL, 0, NULL, &manifest, NULL), 0);
    ck_assert_int_eq(close(pipe_fds[0]), 0); /* it is still open */
}
END_TEST

START_TEST(a_descriptor_must_be_open) {
    vqemu_manifest *manifest = NULL;
    _cleanup_error_ vqemu_error *error = NULL;
    ck_assert_int_eq(vqemu_manifest_load_fd(999, NULL, 0, NULL, &manifest, &error),
                     VQEMU_ERR_USAGE);
    ck_assert_str_eq(vqemu_error_reason(error), "bad-descriptor");
    ck_assert_ptr_null(manifest);
}
END_TEST

START_TEST(only_regular_files_are_opened) {
    static const struct {
        const char *path;
        int code;
    } cases[] = {{"/dev/null", VQEMU_ERR_INVALID},
                 {"/", VQEMU_ERR_INVALID},
                 {"/nonexistent/manifest", VQEMU_ERR_NOT_FOUND}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        _cleanup_error_ vqemu_error *error = NULL;
        vqemu_manifest *manifest = (vqemu_manifest *)&error; /* must become NULL */
        ck_assert_int_eq(vqemu_manifest_load_file(cases[i].path, 0, NULL, &manifest, &error),
                         cases[i].code);
        ck_assert_ptr_null(manifest);
        ck_assert_ptr_nonnull(strstr(vqemu_error_message(error), cases[i].path));
    }
}
END_TEST

START_TEST(a_file_is_written_whole_or_not_at_all) {
    char directory[] = "/tmp/test-manifest-XXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(directory));
    _cleanup_free_ char *path = format_string("%s/m.json", directory);
    _cleanup_free_ char *below_file = format_string("%s/x", path);
    _cleanup_manifest_ vqemu_manifest *manifest = NULL, *again = NULL;
    struct stat status;
    ck_assert_int_eq(load(HEAD "}}", 0, &manifest, NULL), 0);
    ck_assert_int_eq(vqemu_manifest_write_file(manifest, path, 0, NULL), 0);
    ck_assert_int_eq(vqemu_manifest_write_file(manifest, path, 0, NULL), 0);
    ck_assert_int_eq(vqemu_manifest_load_file(path, 0, NULL, &again, NULL), 0);
    ck_assert_int_eq(stat(path, &status), 0);
    ck_assert_uint_eq(status.st_mode & 07777, 0644);
    ck_assert_int_lt(vqemu_manifest_write_file(manifest, below_file, 0, NULL), 0);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(mkdir(path, 0755), 0); /* a directory cannot be replaced */
    ck_assert_int_lt(vqemu_manifest_write_file(manifest, path, 0, NULL), 0);
    ck_assert_int_eq(rmdir(path), 0);
    ck_assert_int_eq(rmdir(directory), 0); /* and nothing else is left */
}
END_TEST

START_TEST(references_are_counted) {
    vqemu_manifest *manifest = NULL;
    ck_assert_int_eq(load(HEAD "}}", 0, &manifest, NULL), 0);
    ck_assert_ptr_eq(vqemu_manifest_ref(manifest), manifest);
    vqemu_manifest_unref(manifest);
    ck_assert_str_eq(vqemu_manifest_string(manifest, VQEMU_MANIFEST_NAME), "n");
    vqemu_manifest_unref(manifest);
    ck_assert_ptr_null(vqemu_manifest_ref(NULL));
    vqemu_manifest_unref(NULL);
}
END_TEST

START_TEST(there_are_cases) {
    ck_assert_int_ge(case_count, 50);
}
END_TEST

int main(void) {
    find_cases("manifests");
    Suite *suite = suite_create("manifest");
    TCase *tests = tcase_create("manifest");
    tcase_add_test(tests, there_are_cases);
    tcase_add_loop_test(tests, a_case_loads_or_fails_with_its_message, 0, case_count);
    tcase_add_loop_test(tests, a_case_that_loads_survives_writing, 0, case_count);
    tcase_add_test(tests, fields_and_objects_are_what_the_text_says);
    tcase_add_test(tests, the_number_of_objects_is_limited);
    tcase_add_test(tests, the_size_of_the_text_is_limited);
    tcase_add_test(tests, the_lengths_of_paths_are_limited);
    tcase_add_test(tests, a_pipe_can_be_read);
    tcase_add_test(tests, a_descriptor_must_be_open);
    tcase_add_test(tests, only_regular_files_are_opened);
    tcase_add_test(tests, a_file_is_written_whole_or_not_at_all);
    tcase_add_test(tests, references_are_counted);
    suite_add_tcase(suite, tests);
    int status = run_suite(suite);
    forget_cases();
    return status;
}
