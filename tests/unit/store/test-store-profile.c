/* SPDX-License-Identifier: MIT */
/* Profiles that manifests describe, and which ones a store has. */
#include "store/store-profile.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/call.h"
#include "base/error.h"
#include "choice/host.h"
#include "choice/profile.h"
#include "choice/request.h"
#include "choice/selection.h"
#include "fixture.h"
#include "made-elf.h"
#include "qemu-texts.h"
#include "run.h"
#include "store/ingest-result.h"
#include "store/revision.h"
#include "store/store.h"
#include "tree/runtime.h"
#include "util/strbuf.h"

static vqemu_store *store;

static void make_store(void) {
    make_scratch();
    store = open_store(VQEMU_STORE_CREATE);
}

static void remove_store(void) {
    vqemu_store_unref(store);
    remove_scratch();
}

/* NULL leaves something unset. */
static int put(const char *profile, const char *accel, const char *abilities, const char *guests,
               vqemu_ingest **result, vqemu_error **error) {
    const char *const values[][2] = {{"profile", profile},
                                     {"accel", accel},
                                     {"abilities", abilities},
                                     {"guests", guests},
                                     {"description", "for routers"}};
    _cleanup_free_ char *directory = scratch_path("profile");
    vqemu_ingest_options *options = make_ingest_options(NULL, NULL);
    int r = 0;
    for (size_t i = 0; r == 0 && i < 5; i++)
        r = vqemu_ingest_options_set_string(options, values[i][0], values[i][1], error);
    if (r == 0)
        r = vqemu_store_ingest(store, directory, options, 0, NULL, result, error);
    vqemu_ingest_options_free(options);
    return r;
}

static vqemu_revision *put_router(void) {
    _cleanup_ingest_ vqemu_ingest *result = NULL;
    _cleanup_error_ vqemu_error *error = NULL;
    int r = put("router", "tcg", "display,usb", "x86_64,riscv64", &result, &error);
    ck_assert_msg(r == 0, "%s", vqemu_error_message(error));
    return vqemu_revision_ref(vqemu_ingest_revision(result));
}

START_TEST(a_manifest_describes_its_profile) {
    _cleanup_revision_ vqemu_revision *revision = put_router();
    const vqemu_manifest *manifest = vqemu_revision_manifest(revision);
    ck_assert_int_eq(strncmp(vqemu_revision_name(revision), "router-", 7), 0);
    ck_assert_str_eq(vqemu_manifest_string(manifest, VQEMU_MANIFEST_ACCEL), "tcg");
    ck_assert_str_eq(vqemu_manifest_string(manifest, VQEMU_MANIFEST_DESCRIPTION), "for routers");
    ck_assert_uint_eq(vqemu_manifest_abilities(manifest),
                      VQEMU_ABILITY_DISPLAY | VQEMU_ABILITY_USB);
    ck_assert_uint_eq(vqemu_manifest_guest_count(manifest), 2);
    ck_assert_str_eq(vqemu_manifest_guest_at(manifest, 1), "riscv64");
    ck_assert_ptr_null(vqemu_manifest_guest_at(manifest, 2));
    _cleanup_revision_ vqemu_revision *again = put_router();
    ck_assert_str_eq(vqemu_revision_name(again), vqemu_revision_name(revision));
    _cleanup_ingest_ vqemu_ingest *other = NULL;
    ck_assert_int_eq(put("router", "tcg", "display", "x86_64,riscv64", &other, NULL), 0);
    ck_assert(vqemu_ingest_is_new(other));
}
END_TEST

START_TEST(getters_know_what_is_absent) {
    _cleanup_revision_ vqemu_revision *revision = build(store, NULL);
    const vqemu_manifest *manifest = vqemu_revision_manifest(revision);
    ck_assert_ptr_null(vqemu_manifest_string(manifest, VQEMU_MANIFEST_ACCEL));
    ck_assert_ptr_null(vqemu_manifest_string(manifest, VQEMU_MANIFEST_DESCRIPTION));
    ck_assert_uint_eq(vqemu_manifest_abilities(manifest), 0);
    ck_assert_uint_eq(vqemu_manifest_guest_count(manifest), 0);
    ck_assert_ptr_null(vqemu_manifest_string(NULL, VQEMU_MANIFEST_ACCEL));
    ck_assert_ptr_null(vqemu_manifest_string(NULL, VQEMU_MANIFEST_DESCRIPTION));
    ck_assert_uint_eq(vqemu_manifest_abilities(NULL), 0);
    ck_assert_uint_eq(vqemu_manifest_guest_count(NULL), 0);
    ck_assert_ptr_null(vqemu_manifest_guest_at(NULL, 0));
}
END_TEST

START_TEST(a_store_tells_its_profiles) {
    vqemu_profile_list *list = NULL;
    ck_assert_int_eq(vqemu_store_list_profiles(store, 0, NULL, &list, NULL), 0);
    ck_assert_uint_eq(vqemu_profile_list_count(list), 0);
    vqemu_profile_list_free(list);
    vqemu_revision_unref(put_router());
    vqemu_revision_unref(build(store, NULL));
    /* What cannot be told, or describes nothing, is passed over. */
    write_file("store/cas/refs/broken-00000001.json", "{", 0644);
    write_file("store/cas/refs/silent-00000001.json",
               "{\"name\":\"x\",\"created_at\":\"2025-01-01T00:00:00Z\",\"objects\":{}}", 0644);
    ck_assert_int_eq(vqemu_store_list_profiles(store, 0, NULL, &list, NULL), 0);
    ck_assert_uint_eq(vqemu_profile_list_count(list), 2);
    ck_assert_ptr_eq(vqemu_profile_list_at(list, 0), vqemu_profile_find("emulate-x86"));
    vqemu_profile *router = vqemu_profile_ref(vqemu_profile_list_at(list, 1));
    ck_assert_ptr_null(vqemu_profile_list_at(list, 2));
    vqemu_profile_list_free(list);
    ck_assert_str_eq(vqemu_profile_name(router), "router"); /* lives on */
    ck_assert_str_eq(vqemu_profile_accel(router), "tcg");
    _cleanup_host_ vqemu_host *host = describe_host("x86_64", VQEMU_KVM_ABSENT);
    ck_assert(vqemu_profile_serves(router, "riscv64", host));
    ck_assert(!vqemu_profile_serves(router, "aarch64", host));
    vqemu_profile_unref(router);
    vqemu_profile_list_free(NULL);
    ck_assert_uint_eq(vqemu_profile_list_count(NULL), 0);
    ck_assert_ptr_null(vqemu_profile_list_at(NULL, 0));
}
END_TEST

static void hear(const vqemu_log_record *record, void *userdata) {
    ck_assert_int_eq(vqemu_log_record_level(record), VQEMU_LOG_WARNING);
    ck_assert_str_eq(vqemu_log_record_event(record), "revision-broken");
    ck_assert_ptr_nonnull(strstr(vqemu_log_record_message(record), "broken-00000001.json"));
    (*(int *)userdata)++;
}

START_TEST(misuse_is_refused_and_lists_can_be_given_up) {
    _cleanup_call_ vqemu_call *cancelled = make_call(NULL, 0), *late = make_call("deadline_ms", 1),
                              *call = make_call(NULL, 0);
    vqemu_profile_list *list = NULL;
    vqemu_revision_list *revisions = NULL;
    int heard = 0;
    vqemu_revision_unref(put_router());
    ck_assert_int_eq(vqemu_store_list_profiles(NULL, 0, NULL, &list, NULL), VQEMU_ERR_USAGE);
    ck_assert_int_eq(vqemu_store_list_profiles(store, 1, NULL, &list, NULL), VQEMU_ERR_USAGE);
    ck_assert_int_eq(vqemu_store_list_profiles(store, 0, NULL, NULL, NULL), VQEMU_ERR_USAGE);
    vqemu_call_cancel(cancelled);
    usleep(2000);
    ck_assert_int_eq(vqemu_store_list_profiles(store, 0, cancelled, &list, NULL),
                     VQEMU_ERR_CANCELLED);
    ck_assert_int_eq(vqemu_store_list_profiles(store, 0, late, &list, NULL), VQEMU_ERR_TIMEOUT);
    ck_assert_ptr_null(list);
    ck_assert_int_eq(vqemu_store_list_revisions(store, NULL, 0, cancelled, &revisions, NULL),
                     VQEMU_ERR_CANCELLED);
    ck_assert_int_eq(vqemu_store_list_revisions(store, NULL, 0, late, &revisions, NULL),
                     VQEMU_ERR_TIMEOUT);
    write_file("store/cas/refs/broken-00000001.json", "{", 0644);
    ck_assert_int_eq(vqemu_call_set_log(call, hear, &heard, NULL), 0);
    ck_assert_int_eq(vqemu_store_list_profiles(store, 0, call, &list, NULL), 0);
    ck_assert_int_eq(heard, 1);
    vqemu_profile_list_free(list);
}
END_TEST

static vqemu_selection *select_in_store(const char *profile, const char *arch, int code) {
    _cleanup_host_ vqemu_host *host = describe_host("x86_64", VQEMU_KVM_ABSENT);
    _cleanup_request_ vqemu_request *request = NULL;
    _cleanup_error_ vqemu_error *error = NULL;
    vqemu_selection *selection = NULL;
    ck_assert_int_eq(vqemu_request_new(&request, NULL), 0);
    ck_assert_int_eq(vqemu_request_set_string(request, "profile", profile, NULL), 0);
    ck_assert_int_eq(vqemu_request_set_string(request, "guest_arch", arch, NULL), 0);
    ck_assert_int_eq(vqemu_request_set_store(request, store, 0, NULL, &error), 0);
    int r = vqemu_select(host, request, 0, &selection, &error);
    ck_assert_msg(r == code, "%d: %s", r, vqemu_error_message(error));
    return selection;
}

START_TEST(what_a_store_has_is_looked_at_as_any_call_is) {
    _cleanup_request_ vqemu_request *request = request_profile("emulate-x86", NULL);
    _cleanup_host_ vqemu_host *host = describe_host("x86_64", VQEMU_KVM_ABSENT);
    _cleanup_selection_ vqemu_selection *selection = NULL;
    _cleanup_error_ vqemu_error *error = NULL;
    vqemu_call *call = NULL;
    ck_assert_int_eq(vqemu_call_new(&call, NULL), 0);
    vqemu_call_cancel(call);
    ck_assert_int_eq(vqemu_request_set_store(NULL, store, 0, NULL, &error), VQEMU_ERR_USAGE);
    ck_assert_int_eq(vqemu_request_set_store(request, NULL, 0, NULL, &error), VQEMU_ERR_USAGE);
    vqemu_revision_unref(put_router());
    ck_assert_int_eq(vqemu_request_set_store(request, store, 0, call, &error), VQEMU_ERR_CANCELLED);
    vqemu_call_unref(call);
    /* nothing of these was taken: any profile may still be chosen */
    ck_assert_int_eq(vqemu_select(host, request, 0, &selection, &error), 0);
}
END_TEST

START_TEST(such_a_profile_is_selected_and_resolved) {
    vqemu_revision_unref(put_router());
    _cleanup_selection_ vqemu_selection *selection = select_in_store("router", "x86_64", 0);
    _cleanup_selection_ vqemu_selection *any = select_in_store(NULL, "x86_64", 0);
    _cleanup_runtime_ vqemu_runtime *runtime = NULL;
    ck_assert_str_eq(vqemu_profile_name(vqemu_selection_profile(any)), "router");
    select_in_store("emulate-x86", "x86_64", VQEMU_ERR_NO_REVISION);
    ck_assert_int_eq(vqemu_resolve(store, selection, NULL, 0, NULL, &runtime, NULL), 0);
    ck_assert_str_eq(vqemu_profile_name(vqemu_runtime_profile(runtime)), "router");
    ck_assert(exists("store/qemu/router/bin/qemu-system-x86_64"));
    vqemu_check *check = NULL;
    ck_assert_int_eq(vqemu_store_check(store, "router", 0, NULL, NULL, &check, NULL), 0);
    ck_assert_uint_eq(vqemu_check_object_count(check), 5);
    ck_assert_uint_eq(vqemu_check_problem_count(check), 0);
    vqemu_check_free(check);
}
END_TEST

/* The link of such a profile keeps its tree, as those of the others do. */
START_TEST(such_a_profile_is_collected_like_the_others) {
    vqemu_revision_unref(put_router());
    _cleanup_selection_ vqemu_selection *selection = select_in_store("router", "x86_64", 0);
    vqemu_runtime *runtime = NULL;
    ck_assert_int_eq(vqemu_resolve(store, selection, NULL, 0, NULL, &runtime, NULL), 0);
    vqemu_runtime_unref(runtime);
    write_file("profile/firmware/bios.bin", "newer", 0644);
    vqemu_revision_unref(put_router());
    vqemu_collection *collection = NULL;
    ck_assert_int_eq(collect_keeping(store, 1, 0, NULL, &collection, NULL), 0);
    ck_assert_uint_eq(vqemu_collection_count(collection), 0);
    vqemu_collection_free(collection);
}
END_TEST

START_TEST(such_a_profile_travels) {
    _cleanup_revision_ vqemu_revision *revision = put_router();
    _cleanup_free_ char *path = scratch_path("archive.tar"), *root = scratch_path("other");
    _cleanup_store_ vqemu_store *other = NULL;
    _cleanup_ingest_ vqemu_ingest *result = NULL, *copy = NULL;
    _cleanup_close_ int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    ck_assert_int_eq(vqemu_store_export(store, revision, fd, NULL, 0, NULL, NULL), 0);
    ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
    ck_assert_int_eq(vqemu_store_open_root(root, VQEMU_STORE_CREATE, &other, NULL), 0);
    ck_assert_int_eq(
        vqemu_store_import(other, fd, NULL, NULL, VQEMU_IMPORT_ANY_PROFILE, NULL, &result, NULL),
        0);
    ck_assert_str_eq(vqemu_revision_name(vqemu_ingest_revision(result)),
                     vqemu_revision_name(revision));
    ck_assert_int_eq(vqemu_store_copy(store, revision, other, 0, NULL, &copy, NULL), 0);
    ck_assert(!vqemu_ingest_is_new(copy));
}
END_TEST

/* ---- abilities by files ---- */

/* In place of the fixture's script. */
static void write_program(const char *const *texts) {
    struct made_elf program = {.has_sections = true};
    _cleanup_free_ char *path = scratch_path("profile/bin/qemu-system-x86_64");
    for (size_t i = 0; texts[i]; i++)
        program.texts[i] = texts[i];
    _cleanup_close_ int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    write_elf(fd, &program);
}

static uint64_t put_found(const char *abilities, const char *guests) {
    _cleanup_ingest_ vqemu_ingest *result = NULL;
    _cleanup_error_ vqemu_error *error = NULL;
    int r = put("router", "tcg", abilities, guests, &result, &error);
    ck_assert_msg(r == 0, "%s", vqemu_error_message(error));
    return vqemu_manifest_abilities(vqemu_revision_manifest(vqemu_ingest_revision(result)));
}

START_TEST(a_profile_can_do_what_its_files_have) {
    static const char *const some[] = {QEMU, TCG_TEXTS, USB_TEXTS, NICS_TEXTS, NULL};
    write_program(some);
    ck_assert_uint_eq(put_found(NULL, "x86_64"), VQEMU_ABILITY_USB | VQEMU_ABILITY_NICS);
    ck_assert_uint_eq(put_found("display", "x86_64"), VQEMU_ABILITY_DISPLAY); /* who says it */
    ck_assert_uint_eq(put_found("", "x86_64"), 0);
    write_file("profile/firmware/edk2-x86_64-code.fd", "x", 0644);
    write_file("profile/firmware/edk2-i386-vars.fd", "x", 0644);
    ck_assert_uint_eq(put_found(NULL, "x86_64"),
                      VQEMU_ABILITY_USB | VQEMU_ABILITY_NICS | VQEMU_ABILITY_UEFI);
    /* Both guests must have it; that of s390x has no USB. */
    write_file("profile/bin/qemu-system-s390x", "#!/bin/sh\n", 0755);
    ck_assert_uint_eq(put_found(NULL, "x86_64,s390x"),
                      VQEMU_ABILITY_USB | VQEMU_ABILITY_NICS | VQEMU_ABILITY_UEFI);
    write_file("profile/bin/qemu-system-aarch64", "#!/bin/sh\n", 0755);
    ck_assert_uint_eq(put_found(NULL, "x86_64,aarch64"), VQEMU_ABILITY_UEFI);
}
END_TEST

START_TEST(of_a_script_it_is_not_said_what_it_can_do) {
    _cleanup_ingest_ vqemu_ingest *result = NULL;
    char *json = NULL;
    ck_assert_int_eq(put("router", "tcg", NULL, "x86_64", &result, NULL), 0);
    const vqemu_manifest *manifest = vqemu_revision_manifest(vqemu_ingest_revision(result));
    ck_assert_int_eq(vqemu_manifest_to_json(manifest, 0, &json, NULL), 0);
    ck_assert_ptr_null(strstr(json, "abilities"));
    vqemu_free(json);
    const vqemu_closure *closure = vqemu_ingest_closure(result);
    ck_assert_int_eq(vqemu_closure_has_ability(closure, VQEMU_ABILITY_USB, "x86_64"), -1);
}
END_TEST

START_TEST(an_ability_that_is_said_and_not_there_is_a_problem) {
    static const char *const some[] = {QEMU, TCG_TEXTS, NICS_TEXTS, NULL};
    _cleanup_ingest_ vqemu_ingest *result = NULL;
    _cleanup_error_ vqemu_error *error = NULL;
    write_program(some);
    ck_assert_int_eq(put("router", "tcg", "nics,tpm", "x86_64", &result, NULL), 0);
    const vqemu_closure *closure = vqemu_ingest_closure(result);
    ck_assert_uint_eq(vqemu_closure_problem_count(closure), 1);
    ck_assert_str_eq(vqemu_closure_kind(closure, 0), "ability");
    ck_assert_str_eq(vqemu_closure_name(closure, 0), "tpm");

    _cleanup_free_ char *directory = scratch_path("profile");
    vqemu_ingest_options *options = make_ingest_options("description", "again");
    vqemu_ingest *refused = NULL;
    ck_assert_int_eq(
        vqemu_store_ingest(store, directory, options, VQEMU_INGEST_WHOLE, NULL, &refused, &error),
        VQEMU_ERR_INVALID);
    ck_assert_str_eq(vqemu_error_reason(error), "not-whole");
    ck_assert_str_eq(vqemu_error_detail(error, "entry"), "display");
    vqemu_ingest_options_free(options);
}
END_TEST

START_TEST(words_are_checked_when_they_are_set) {
    static const char *const cases[][4] = {
        {"accel", "kmv", "kmv", "kvm, tcg"},
        {"accel", "", "", "kvm, tcg"},
        {"abilities", "usb,dispaly", "dispaly", "display, usb"},
        {"abilities", "usb, tpm", " tpm", "usb, tpm"},
        {"guests", "x86", "x86", "x86_64, i386"},
    };
    _cleanup_error_ vqemu_error *error = NULL;
    vqemu_ingest_options *options = make_ingest_options(NULL, NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *key = cases[i][0];
        ck_assert_int_eq(vqemu_ingest_options_set_string(options, key, cases[i][1], &error),
                         VQEMU_ERR_INVALID);
        ck_assert_str_eq(vqemu_error_reason(error), "not-a-choice");
        ck_assert_str_eq(vqemu_error_detail(error, "key"), key);
        ck_assert_str_eq(vqemu_error_detail(error, "value"), cases[i][2]);
        ck_assert_ptr_nonnull(strstr(vqemu_error_detail(error, "choices"), cases[i][3]));
        ck_assert_int_eq(strncmp(vqemu_error_message(error), key, strlen(key)), 0);
    }
    vqemu_ingest_options_free(options);
}
END_TEST

START_TEST(what_says_too_little_or_too_much_is_refused) {
    static const struct {
        const char *profile, *accel, *abilities, *guests, *key, *reason;
    } cases[] = {
        {"router", NULL, NULL, NULL, NULL, "unknown-profile"},
        {"router", "tcg", NULL, NULL, "guests", "missing-value"},
        {"router", NULL, NULL, "x86_64", "accel", "missing-value"},
        {"router", "xen", NULL, "x86_64", "accel", "not-a-choice"},
        {"router", "tcg", NULL, "", "guests", "missing-value"},
        {"router", "tcg", NULL, "x86_64,pdp11", "guests", "not-a-choice"},
        {"router", "tcg", "display,smell", "x86_64", "abilities", "not-a-choice"},
        {"Router", "tcg", NULL, "x86_64", "profile", "bad-name"},
        {"-router", "tcg", NULL, "x86_64", "profile", "bad-name"},
        {"ro/uter", "tcg", NULL, "x86_64", "profile", "bad-name"},
        {"router-12345678", "tcg", NULL, "x86_64", "profile", "bad-name"},
        {"a234567890123456789012345678901234567890123456789012345678901234", "tcg", NULL, "x86_64",
         "profile", "bad-name"},
        {"", "tcg", NULL, "x86_64", "profile", "bad-name"},
        {"kvm-linux", "tcg", NULL, NULL, "accel", "invalid"},
        {"kvm-linux", NULL, NULL, "x86_64", "guests", "invalid"},
        {"kvm-linux", NULL, "usb", NULL, "abilities", "invalid"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        _cleanup_error_ vqemu_error *error = NULL;
        vqemu_ingest *result = NULL;
        int r = put(cases[i].profile, cases[i].accel, cases[i].abilities, cases[i].guests, &result,
                    &error);
        ck_assert_msg(r == VQEMU_ERR_INVALID, "case %zu: %d", i, r);
        const char *key = vqemu_error_detail(error, "key");
        if (cases[i].key)
            ck_assert_msg(key && strcmp(key, cases[i].key) == 0, "case %zu: %s", i,
                          vqemu_error_message(error));
        ck_assert_str_eq(vqemu_error_reason(error), cases[i].reason);
        ck_assert_int_eq(count_entries("store/cas/refs"), 0);
    }
}
END_TEST

START_TEST(a_newer_writer_is_understood_as_far_as_can_be) {
    static const char text[] =
        "{\"name\":\"n\",\"created_at\":\"2025-01-01T00:00:00Z\",\"profile\":\"n\","
        "\"accel\":\"tcg\",\"abilities\":[\"usb\",\"smell\"],\"guests\":[\"pdp11\",\"x86_64\"],"
        "\"objects\":{}}";
    _cleanup_manifest_ vqemu_manifest *manifest = NULL;
    _cleanup_profile_ vqemu_profile *profile = NULL;
    ck_assert_int_eq(vqemu_manifest_load_memory(text, strlen(text), NULL, 0, NULL, &manifest, NULL),
                     0);
    ck_assert_uint_eq(vqemu_manifest_abilities(manifest), VQEMU_ABILITY_USB);
    ck_assert_int_eq(profile_of_manifest("n", manifest, &profile, NULL), 0);
    _cleanup_host_ vqemu_host *host = describe_host("aarch64", VQEMU_KVM_ABSENT);
    ck_assert(vqemu_profile_serves(profile, "x86_64", host));
    char *again = NULL;
    ck_assert_int_eq(vqemu_manifest_to_json(manifest, 0, &again, NULL), 0);
    ck_assert_ptr_nonnull(strstr(again, "smell"));
    ck_assert_ptr_nonnull(strstr(again, "pdp11"));
    vqemu_free(again);
}
END_TEST

START_TEST(lists_of_words_are_checked) {
    static const char *const values[] = {"\"usb\"", "[1]", "{}", "[\"usb\",null]"};
    for (size_t i = 0; i < 4; i++) {
        _cleanup_free_ char *text =
            format_string("{\"name\":\"n\",\"created_at\":\"2025-01-01T00:00:00Z\",\"objects\":{},"
                          "\"guests\":%s}",
                          values[i]);
        _cleanup_error_ vqemu_error *error = NULL;
        vqemu_manifest *manifest = NULL;
        ck_assert_int_eq(
            vqemu_manifest_load_memory(text, strlen(text), NULL, 0, NULL, &manifest, &error),
            VQEMU_ERR_MALFORMED);
        ck_assert_ptr_nonnull(
            strstr(vqemu_error_message(error), "\"guests\" is not an array of strings"));
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("store-profile");
    TCase *tests = tcase_create("store-profile");
    tcase_add_checked_fixture(tests, make_store, remove_store);
    tcase_add_test(tests, a_manifest_describes_its_profile);
    tcase_add_test(tests, getters_know_what_is_absent);
    tcase_add_test(tests, a_store_tells_its_profiles);
    tcase_add_test(tests, misuse_is_refused_and_lists_can_be_given_up);
    tcase_add_test(tests, what_a_store_has_is_looked_at_as_any_call_is);
    tcase_add_test(tests, such_a_profile_is_selected_and_resolved);
    tcase_add_test(tests, such_a_profile_is_collected_like_the_others);
    tcase_add_test(tests, such_a_profile_travels);
    tcase_add_test(tests, a_profile_can_do_what_its_files_have);
    tcase_add_test(tests, of_a_script_it_is_not_said_what_it_can_do);
    tcase_add_test(tests, an_ability_that_is_said_and_not_there_is_a_problem);
    tcase_add_test(tests, words_are_checked_when_they_are_set);
    tcase_add_test(tests, what_says_too_little_or_too_much_is_refused);
    tcase_add_test(tests, a_newer_writer_is_understood_as_far_as_can_be);
    tcase_add_test(tests, lists_of_words_are_checked);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
