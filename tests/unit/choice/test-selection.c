/* SPDX-License-Identifier: MIT */
#include "choice/selection.h"

#include <string.h>

#include "base/error.h"
#include "choice/arch.h"
#include "choice/host.h"
#include "fixture.h"
#include "run.h"

/* Host architectures with what their KVM runs, written down apart from the table under test. */
static const struct {
    const char *host, *guests[3];
} native[] = {
    {"x86_64", {"x86_64", "i386"}}, {"i386", {"i386"}},
    {"aarch64", {"aarch64"}},       {"ppc64le", {"ppc64le", "ppc64"}},
    {"s390x", {"s390x"}},           {"riscv64", {"riscv64"}},
    {"mips64el", {NULL}},
};
#define HOSTS (sizeof native / sizeof native[0])

static bool is_native(const char *host, const char *guest) {
    for (size_t i = 0; i < HOSTS; i++)
        for (size_t j = 0; strcmp(native[i].host, host) == 0 && native[i].guests[j]; j++)
            if (strcmp(native[i].guests[j], guest) == 0)
                return true;
    return false;
}

static bool is_x86(const char *guest) {
    return strcmp(guest, "x86_64") == 0 || strcmp(guest, "i386") == 0;
}

static bool has_uefi(const char *guest) {
    static const char *const with[] = {"x86_64", "i386",    "aarch64",
                                       "arm",    "riscv64", "loongarch64"};
    for (size_t i = 0; i < sizeof with / sizeof with[0]; i++)
        if (strcmp(with[i], guest) == 0)
            return true;
    return false;
}

/* The profile that must come out; NULL for a refusal. */
static const char *expect(const char *host, bool kvm_usable, const char *mode, const char *guest,
                          const char *os) {
    bool uefi = strcmp(os, "windows") == 0 || strcmp(os, "uefi") == 0;
    const char *kvm = !is_native(host, guest) ? NULL
                      : !uefi                 ? "kvm-linux"
                      : has_uefi(guest)       ? "kvm-uefi"
                                              : NULL;
    const char *emulated = is_x86(guest) ? "emulate-x86" : "emulate-foreign";
    if (strcmp(mode, "hybrid-kvm") == 0)
        return kvm;
    if (strcmp(mode, "hybrid-emulated") == 0)
        return emulated;
    return kvm && kvm_usable ? kvm : emulated;
}

static void check_selection(const vqemu_selection *selection, const char *expected,
                            const char *guest, bool kvm_usable) {
    const char *name = vqemu_profile_name(vqemu_selection_profile(selection));
    ck_assert_str_eq(name, expected);
    ck_assert_str_eq(vqemu_selection_guest_arch(selection), guest);
    bool kvm = strncmp(expected, "kvm-", 4) == 0;
    ck_assert_str_eq(vqemu_selection_accel(selection), kvm ? "kvm" : "tcg");
    ck_assert(vqemu_selection_runnable(selection) == (!kvm || kvm_usable));
    ck_assert((vqemu_selection_problem(selection) == NULL) == vqemu_selection_runnable(selection));
    ck_assert_int_gt((int)strlen(vqemu_selection_reason(selection)), 10);
    ck_assert_uint_eq(vqemu_selection_rejected_count(selection), vqemu_profile_count() - 1);
    for (size_t i = 0; i < vqemu_selection_rejected_count(selection); i++) {
        const vqemu_profile *rejected = vqemu_selection_rejected_profile(selection, i);
        ck_assert_ptr_ne(rejected, vqemu_selection_profile(selection));
        ck_assert_int_gt((int)strlen(vqemu_selection_rejected_reason(selection, i)), 5);
        for (size_t j = 0; j < i; j++)
            ck_assert_ptr_ne(rejected, vqemu_selection_rejected_profile(selection, j));
    }
}

static void check_one(const char *host_arch, int32_t kvm, const char *mode, const char *guest,
                      const char *os) {
    _cleanup_host_ vqemu_host *host = describe_host(host_arch, kvm);
    _cleanup_selection_ vqemu_selection *selection = NULL;
    _cleanup_error_ vqemu_error *error = NULL;
    const char *expected = expect(host_arch, kvm == VQEMU_KVM_USABLE, mode, guest, os);
    int r = vqemu_select(host, mode, guest, os, &selection, &error);
    if (expected) {
        ck_assert_msg(r == 0, "%s", vqemu_error_message(error));
        check_selection(selection, expected, guest, kvm == VQEMU_KVM_USABLE);
        return;
    }
    ck_assert_int_eq(r, VQEMU_ERR_UNSUPPORTED);
    ck_assert_ptr_null(selection);
    ck_assert_ptr_nonnull(strstr(vqemu_error_message(error), guest));
    ck_assert_ptr_nonnull(strstr(vqemu_error_message(error), host_arch));
    ck_assert_ptr_nonnull(strstr(vqemu_error_message(error), "hybrid-emulated can emulate it"));
}

START_TEST(every_request_gets_the_profile_it_should) {
    static const char *const modes[] = {"hybrid-kvm", "hybrid-emulated", "", "auto", "HYBRID-KVM"};
    static const char *const systems[] = {"", "linux", "windows", "uefi", "freebsd"};
    static const int32_t states[] = {VQEMU_KVM_USABLE, VQEMU_KVM_ABSENT, VQEMU_KVM_SOFTWARE};
    for (size_t s = 0; s < 3; s++)
        for (size_t m = 0; m < 5; m++)
            for (size_t o = 0; o < 5; o++)
                for (size_t g = 0; g < vqemu_guest_arch_count(); g++)
                    check_one(native[_i].host, states[s], modes[m], vqemu_guest_arch_at(g),
                              systems[o]);
}
END_TEST

START_TEST(the_default_guest_is_the_host) {
    _cleanup_host_ vqemu_host *host = describe_host(native[_i].host, VQEMU_KVM_USABLE);
    for (int i = 0; i < 2; i++) {
        _cleanup_selection_ vqemu_selection *selection = NULL;
        ck_assert_int_eq(vqemu_select(host, NULL, i ? "" : NULL, NULL, &selection, NULL), 0);
        ck_assert_str_eq(vqemu_selection_guest_arch(selection), native[_i].host);
    }
}
END_TEST

START_TEST(an_unknown_architecture_is_named_with_the_known_ones) {
    _cleanup_host_ vqemu_host *host = describe_host("x86_64", VQEMU_KVM_USABLE);
    _cleanup_error_ vqemu_error *error = NULL;
    vqemu_selection *selection = (vqemu_selection *)&error;
    ck_assert_int_eq(vqemu_select(host, NULL, "sparc", NULL, &selection, &error),
                     VQEMU_ERR_INVALID);
    ck_assert_ptr_null(selection);
    ck_assert_str_eq(vqemu_error_message(error),
                     "unknown guest architecture \"sparc\": the architectures are x86_64, i386, "
                     "aarch64, arm, riscv64, riscv32, mips, mipsel, mips64, mips64el, ppc, ppc64, "
                     "ppc64le, s390x, loongarch64");
}
END_TEST

START_TEST(a_profile_can_be_chosen_by_name) {
    static const struct {
        const char *host, *profile, *guest, *expected; /* guest that comes out, NULL if refused */
    } cases[] = {
        {"x86_64", "kvm-linux", NULL, "x86_64"},     {"x86_64", "kvm-linux", "i386", "i386"},
        {"x86_64", "kvm-linux", "aarch64", NULL},    {"x86_64", "emulate-x86", "", "x86_64"},
        {"x86_64", "emulate-x86", "aarch64", NULL},  {"x86_64", "emulate-foreign", "", "aarch64"},
        {"x86_64", "emulate-foreign", "i386", NULL}, {"aarch64", "kvm-uefi", "", "aarch64"},
        {"aarch64", "emulate-x86", "", "x86_64"},    {"s390x", "kvm-uefi", "", NULL},
        {"mips64el", "kvm-linux", "", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        _cleanup_host_ vqemu_host *host = describe_host(cases[i].host, VQEMU_KVM_ABSENT);
        _cleanup_selection_ vqemu_selection *selection = NULL;
        int r = vqemu_select_profile(host, cases[i].profile, cases[i].guest, &selection, NULL);
        ck_assert_int_eq(r, cases[i].expected ? 0 : VQEMU_ERR_UNSUPPORTED);
        if (cases[i].expected)
            ck_assert_str_eq(vqemu_selection_guest_arch(selection), cases[i].expected);
    }
}
END_TEST

START_TEST(an_unknown_profile_is_refused) {
    static const char *const names[] = {"kvm", "kvm-linux-", "KVM-LINUX", "", NULL};
    _cleanup_host_ vqemu_host *host = describe_host("x86_64", VQEMU_KVM_USABLE);
    for (size_t i = 0; i < 5; i++) {
        _cleanup_error_ vqemu_error *error = NULL;
        vqemu_selection *selection = NULL;
        ck_assert_int_eq(vqemu_select_profile(host, names[i], NULL, &selection, &error),
                         VQEMU_ERR_INVALID);
        ck_assert_ptr_nonnull(strstr(vqemu_error_message(error), "emulate-foreign"));
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("selection");
    TCase *tests = tcase_create("selection");
    tcase_add_loop_test(tests, every_request_gets_the_profile_it_should, 0, HOSTS);
    tcase_add_loop_test(tests, the_default_guest_is_the_host, 0, HOSTS);
    tcase_add_test(tests, an_unknown_architecture_is_named_with_the_known_ones);
    tcase_add_test(tests, a_profile_can_be_chosen_by_name);
    tcase_add_test(tests, an_unknown_profile_is_refused);
    tcase_set_timeout(tests, 60);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
