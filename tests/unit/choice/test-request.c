/* SPDX-License-Identifier: MIT */
#include "choice/request.h"

#include <string.h>

#include "base/error.h"
#include "run.h"

static vqemu_request *request;

static void make_request(void) {
    ck_assert_int_eq(vqemu_request_new(&request, NULL), 0);
}

static void free_request(void) {
    vqemu_request_free(request);
    vqemu_request_free(NULL);
}

static int set(const char *key, const char *value, vqemu_error **error) {
    return vqemu_request_set_string(request, key, value, error);
}

START_TEST(good_words_are_taken) {
    static const char *const good[][2] = {
        {VQEMU_REQUEST_ACCEL, "kvm"},
        {VQEMU_REQUEST_ACCEL, "tcg"},
        {VQEMU_REQUEST_ACCEL, ""},
        {VQEMU_REQUEST_ACCEL, NULL},
        {VQEMU_REQUEST_MODE, "hybrid-kvm"},
        {VQEMU_REQUEST_MODE, "hybrid-emulated"},
        {VQEMU_REQUEST_MODE, ""},
        {VQEMU_REQUEST_MODE, NULL},
        {VQEMU_REQUEST_GUEST_OS, "linux"},
        {VQEMU_REQUEST_GUEST_OS, "windows"},
        {VQEMU_REQUEST_GUEST_OS, "other"},
        {VQEMU_REQUEST_GUEST_OS, ""},
        {VQEMU_REQUEST_GUEST_ARCH, "s390x"},
        {VQEMU_REQUEST_GUEST_ARCH, ""},
        {VQEMU_REQUEST_GUEST_ARCH, NULL},
        {VQEMU_REQUEST_PROFILE, "my-own-1"},
        {VQEMU_REQUEST_PROFILE, NULL},
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        ck_assert_int_eq(set(good[i][0], good[i][1], NULL), 0);
}
END_TEST

START_TEST(typos_are_refused_with_the_choices) {
    static const struct {
        const char *key, *value, *choices; /* NULL: too long to repeat */
    } bad[] = {
        {"accel", "KVM", "kvm, tcg"},
        {"accel", "kvm, tcg", "kvm, tcg"},
        {"mode", "hybrid", "hybrid-kvm, hybrid-emulated"},
        {"mode", "hybrid-kvm ", "hybrid-kvm, hybrid-emulated"},
        {"mode", "auto", "hybrid-kvm, hybrid-emulated"},
        {"guest_os", "freebsd", "linux, windows, other"},
        {"guest_os", "uefi", "linux, windows, other"}, /* an ability, and no system */
        {"guest_os", "Linux", "linux, windows, other"},
        {"guest_arch", "sparc", NULL},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        _cleanup_error_ vqemu_error *error = NULL;
        ck_assert_int_eq(set(bad[i].key, bad[i].value, &error), VQEMU_ERR_INVALID);
        ck_assert_str_eq(vqemu_error_detail(error, "key"), bad[i].key);
        ck_assert_str_eq(vqemu_error_detail(error, "value"), bad[i].value);
        ck_assert_str_eq(vqemu_error_reason(error), "not-a-choice");
        ck_assert_int_eq(strncmp(vqemu_error_message(error), bad[i].key, strlen(bad[i].key)), 0);
        if (bad[i].choices)
            ck_assert_str_eq(vqemu_error_detail(error, "choices"), bad[i].choices);
        ck_assert_ptr_nonnull(strstr(vqemu_error_message(error), bad[i].value));
    }
}
END_TEST

START_TEST(an_unknown_architecture_is_named_with_the_known_ones) {
    _cleanup_error_ vqemu_error *error = NULL;
    ck_assert_int_eq(set("guest_arch", "sparc", &error), VQEMU_ERR_INVALID);
    ck_assert_str_eq(vqemu_error_message(error),
                     "guest_arch: \"sparc\" is none of x86_64, i386, "
                     "aarch64, arm, riscv64, riscv32, mips, mipsel, mips64, mips64el, ppc, ppc64, "
                     "ppc64le, s390x, loongarch64");
}
END_TEST

START_TEST(a_refused_value_changes_nothing) {
    ck_assert_int_eq(set("guest_os", "windows", NULL), 0);
    ck_assert_int_eq(set("guest_os", "windwos", NULL), VQEMU_ERR_INVALID);
    ck_assert_str_eq(request_guest_os(request), "windows");
    ck_assert_int_eq(set("guest_os", NULL, NULL), 0);
    ck_assert_ptr_null(request_guest_os(request));
}
END_TEST

static void check_usage(int code, vqemu_error **error, const char *argument) {
    ck_assert_int_eq(code, VQEMU_ERR_USAGE);
    ck_assert_str_eq(vqemu_error_detail(*error, "argument"), argument);
}

START_TEST(mistakes_of_callers_are_named) {
    _cleanup_error_ vqemu_error *error = NULL;
    check_usage(vqemu_request_new(NULL, &error), &error, "request");
    check_usage(vqemu_request_set_string(NULL, "mode", NULL, &error), &error, "request");
    check_usage(vqemu_request_set_string(request, NULL, "x", &error), &error, "key");
    check_usage(vqemu_request_set_abilities(NULL, 0, &error), &error, "request");
    ck_assert_int_eq(set("os", "linux", &error), VQEMU_ERR_UNKNOWN_KEY);
    ck_assert_str_eq(vqemu_error_detail(error, "key"), "os");
    ck_assert_str_eq(vqemu_error_detail(error, "choices"),
                     "accel, guest_arch, guest_os, profile, mode");
    ck_assert_int_eq(vqemu_request_set_abilities(request, (uint64_t)1 << 40 | 1, &error),
                     VQEMU_ERR_USAGE);
    ck_assert_str_eq(vqemu_error_reason(error), "unknown-flags");
    ck_assert_ptr_nonnull(strstr(vqemu_error_message(error), "0x10000000000"));
    ck_assert_int_eq(set("mode", "hybrid-kvm", &error), 0);
    ck_assert_ptr_null(error);
}
END_TEST

START_TEST(words_of_a_vm_are_checked_too) {
    static const struct vm_needs bad[] = {
        {.guest_arch = "sparc"}, {.guest_os = "bsd"}, {.mode = "fast"}};
    const struct vm_needs good = {.guest_os = "other", .guest_arch = "mips"};
    ck_assert_int_eq(request_set_needs(request, &good, NULL), 0);
    for (size_t i = 0; i < 3; i++)
        ck_assert_int_eq(request_set_needs(request, &bad[i], NULL), VQEMU_ERR_INVALID);
    ck_assert_str_eq(request_guest_arch(request), "mips");
    ck_assert_str_eq(request_guest_os(request), "other");
}
END_TEST

/* What depends on the machine is asked of the machine. */
START_TEST(needs_depend_on_the_machine) {
    static const struct {
        const char *arch, *machine;
        uint64_t needs;
    } cases[] = {
        {"x86_64", NULL, VQEMU_ABILITY_USB | VQEMU_ABILITY_STORAGE | VQEMU_ABILITY_NICS},
        {"x86_64", "pc", VQEMU_ABILITY_USB | VQEMU_ABILITY_STORAGE | VQEMU_ABILITY_NICS},
        {"x86_64", "virt", VQEMU_ABILITY_USB}, /* there is none: building a command refuses it */
        {"aarch64", NULL, VQEMU_ABILITY_USB},
        {"s390x", NULL, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct vm_needs needs = {.abilities = VQEMU_ABILITY_TPM,
                                       .on_pci = VQEMU_ABILITY_USB,
                                       .on_ide = VQEMU_ABILITY_STORAGE,
                                       .on_nic = VQEMU_ABILITY_NICS,
                                       .machine = cases[i].machine};
        ck_assert_int_eq(request_set_needs(request, &needs, NULL), 0);
        ck_assert_uint_eq(request_needs(request, arch_find(cases[i].arch)),
                          cases[i].needs | VQEMU_ABILITY_TPM);
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("request");
    TCase *tests = tcase_create("request");
    tcase_add_checked_fixture(tests, make_request, free_request);
    tcase_add_test(tests, good_words_are_taken);
    tcase_add_test(tests, typos_are_refused_with_the_choices);
    tcase_add_test(tests, an_unknown_architecture_is_named_with_the_known_ones);
    tcase_add_test(tests, a_refused_value_changes_nothing);
    tcase_add_test(tests, mistakes_of_callers_are_named);
    tcase_add_test(tests, words_of_a_vm_are_checked_too);
    tcase_add_test(tests, needs_depend_on_the_machine);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
