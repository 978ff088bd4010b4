/* SPDX-License-Identifier: MIT */
#include "choice/profile.h"

#include <string.h>

#include "base/error.h"
#include "choice/host.h"
#include "fixture.h"
#include "run.h"

#define DESKTOP                                                                                    \
    (VQEMU_ABILITY_DISPLAY | VQEMU_ABILITY_USB | VQEMU_ABILITY_TPM | VQEMU_ABILITY_UEFI |          \
     VQEMU_ABILITY_STORAGE | VQEMU_ABILITY_NICS)

START_TEST(the_four_are_what_they_are) {
    static const struct {
        const char *name, *accel;
        uint64_t abilities;
    } expected[] = {
        {"kvm-linux", "kvm", VQEMU_ABILITY_KVM},
        {"kvm-uefi", "kvm", VQEMU_ABILITY_KVM | VQEMU_ABILITY_HYPERV | DESKTOP},
        {"emulate-x86", "tcg", VQEMU_ABILITY_TCG | DESKTOP},
        {"emulate-foreign", "tcg", VQEMU_ABILITY_TCG | DESKTOP},
    };
    ck_assert_uint_eq(vqemu_profile_count(), 4);
    for (size_t i = 0; i < 4; i++) {
        vqemu_profile *profile = vqemu_profile_find(expected[i].name);
        ck_assert_ptr_nonnull(profile);
        ck_assert_str_eq(vqemu_profile_name(profile), expected[i].name);
        ck_assert_str_eq(vqemu_profile_accel(profile), expected[i].accel);
        ck_assert_uint_eq(vqemu_profile_abilities(profile), expected[i].abilities);
        ck_assert_int_gt((int)strlen(vqemu_profile_description(profile)), 10);
        ck_assert_ptr_eq(vqemu_profile_ref(profile), profile);
        vqemu_profile_unref(profile);
        vqemu_profile_unref(profile); /* counted or not, they stay */
        vqemu_profile_unref(profile);
        ck_assert_ptr_eq(vqemu_profile_find(expected[i].name), profile);
    }
    ck_assert_ptr_null(vqemu_profile_at(4));
    ck_assert_ptr_null(vqemu_profile_at(SIZE_MAX));
    ck_assert_ptr_null(vqemu_profile_find("kvm"));
    ck_assert_ptr_null(vqemu_profile_find(""));
    ck_assert_ptr_null(vqemu_profile_find(NULL));
}
END_TEST

START_TEST(nothing_is_asked_of_null) {
    vqemu_profile_unref(NULL);
    ck_assert_ptr_null(vqemu_profile_ref(NULL));
    ck_assert_ptr_null(vqemu_profile_name(NULL));
    ck_assert_ptr_null(vqemu_profile_description(NULL));
    ck_assert_ptr_null(vqemu_profile_accel(NULL));
    ck_assert_uint_eq(vqemu_profile_abilities(NULL), 0);
    _cleanup_host_ vqemu_host *host = describe_host("x86_64", VQEMU_KVM_ABSENT);
    ck_assert(!vqemu_profile_serves(NULL, "x86_64", host));
    ck_assert(!vqemu_profile_serves(vqemu_profile_at(0), NULL, host));
    ck_assert(!vqemu_profile_serves(vqemu_profile_at(0), "x86_64", NULL));
    ck_assert(!vqemu_profile_serves(vqemu_profile_find("emulate-x86"), "sparc", host));
    ck_assert(vqemu_profile_serves(vqemu_profile_find("emulate-x86"), "x86_64", host));
}
END_TEST

START_TEST(abilities_have_names) {
    static const char *const names[] = {"kvm",  "tcg",     "display", "usb",   "tpm",
                                        "uefi", "storage", "nics",    "hyperv"};
    uint64_t all = 0;
    for (size_t i = 0; i < 9; i++) {
        ck_assert_uint_eq(vqemu_ability_find(names[i]), (uint64_t)1 << i);
        ck_assert_str_eq(vqemu_ability_name((uint64_t)1 << i), names[i]);
        all |= (uint64_t)1 << i;
    }
    ck_assert_uint_eq(abilities_known(), all);
    ck_assert_str_eq(vqemu_ability_name(0), "unknown");
    ck_assert_str_eq(vqemu_ability_name(3), "unknown");
    ck_assert_str_eq(vqemu_ability_name((uint64_t)1 << 63), "unknown");
    ck_assert_uint_eq(vqemu_ability_find("KVM"), 0);
    ck_assert_uint_eq(vqemu_ability_find(""), 0);
    ck_assert_uint_eq(vqemu_ability_find(NULL), 0);
}
END_TEST

START_TEST(abilities_are_listed_for_people) {
    static const struct {
        uint64_t abilities;
        const char *text;
    } cases[] = {
        {0, ""},
        {VQEMU_ABILITY_UEFI, "UEFI firmware"},
        {VQEMU_ABILITY_USB | VQEMU_ABILITY_TPM, "USB and TPM"},
        {VQEMU_ABILITY_DISPLAY | VQEMU_ABILITY_USB | VQEMU_ABILITY_TPM, "display, USB and TPM"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        _cleanup_free_ char *text = abilities_describe(cases[i].abilities);
        ck_assert_str_eq(text, cases[i].text);
    }
}
END_TEST

START_TEST(an_unknown_profile_is_named_with_the_known_ones) {
    _cleanup_error_ vqemu_error *error = NULL;
    vqemu_profile *profile;
    ck_assert_int_eq(profile_require("kvm", &profile, &error), VQEMU_ERR_INVALID);
    ck_assert_ptr_null(profile);
    ck_assert_str_eq(vqemu_error_message(error),
                     "unknown profile \"kvm\": the profiles are kvm-linux, kvm-uefi, emulate-x86 "
                     "and emulate-foreign; any other needs its accel and its guests to be "
                     "said when it is ingested");
    ck_assert_str_eq(vqemu_error_reason(error), "unknown-profile");
    ck_assert_str_eq(vqemu_error_detail(error, "profile"), "kvm");
    ck_assert_str_eq(vqemu_error_detail(error, "choices"),
                     "kvm-linux, kvm-uefi, emulate-x86, emulate-foreign");
}
END_TEST

START_TEST(a_manifest_describes_a_profile) {
    _cleanup_host_ vqemu_host *x86 = describe_host("x86_64", VQEMU_KVM_USABLE);
    _cleanup_host_ vqemu_host *arm = describe_host("aarch64", VQEMU_KVM_USABLE);
    char name[] = "edge-kvm";
    const char *guests[] = {"x86_64", "of-the-future", "aarch64"};
    vqemu_profile *profile = NULL;
    ck_assert_int_eq(profile_new(name, NULL, "kvm", VQEMU_ABILITY_TPM | VQEMU_ABILITY_TCG, guests,
                                 3, &profile, NULL),
                     0);
    name[0] = 'x';
    guests[0] = "s390x";
    ck_assert_str_eq(vqemu_profile_name(profile), "edge-kvm");
    ck_assert_ptr_null(vqemu_profile_description(profile));
    ck_assert_str_eq(vqemu_profile_accel(profile), "kvm");
    ck_assert_uint_eq(vqemu_profile_abilities(profile), VQEMU_ABILITY_KVM | VQEMU_ABILITY_TPM);
    ck_assert(vqemu_profile_serves(profile, "x86_64", x86));
    ck_assert(vqemu_profile_serves(profile, "aarch64", arm));
    ck_assert(!vqemu_profile_serves(profile, "aarch64", x86));
    ck_assert(!vqemu_profile_serves(profile, "i386", x86));
    ck_assert_ptr_eq(vqemu_profile_ref(profile), profile);
    vqemu_profile_unref(profile);
    ck_assert_str_eq(vqemu_profile_name(profile), "edge-kvm");
    vqemu_profile_unref(profile);
}
END_TEST

START_TEST(an_emulator_runs_everywhere) {
    _cleanup_host_ vqemu_host *x86 = describe_host("x86_64", VQEMU_KVM_USABLE);
    _cleanup_host_ vqemu_host *s390 = describe_host("s390x", VQEMU_KVM_ABSENT);
    static const char *const guests[] = {"riscv64"};
    _cleanup_profile_ vqemu_profile *profile = NULL;
    ck_assert_int_eq(profile_new("tiny", "RISC-V only", "tcg", 0, guests, 1, &profile, NULL), 0);
    ck_assert_str_eq(vqemu_profile_description(profile), "RISC-V only");
    ck_assert_uint_eq(vqemu_profile_abilities(profile), VQEMU_ABILITY_TCG);
    ck_assert(vqemu_profile_serves(profile, "riscv64", x86));
    ck_assert(vqemu_profile_serves(profile, "riscv64", s390));
    ck_assert(!vqemu_profile_serves(profile, "x86_64", x86));
}
END_TEST

START_TEST(machines_of_an_architecture_are_counted) {
    ck_assert_uint_eq(vqemu_guest_arch_machine_count("x86_64"), 2);
    ck_assert_str_eq(vqemu_guest_arch_machine_at("x86_64", 0), "q35");
    ck_assert_str_eq(vqemu_guest_arch_machine_at("x86_64", 1), "pc");
    ck_assert_ptr_null(vqemu_guest_arch_machine_at("x86_64", 2));
    ck_assert_ptr_null(vqemu_guest_arch_machine_at("x86_64", SIZE_MAX));
    ck_assert_uint_eq(vqemu_guest_arch_machine_count("s390x"), 1);
    ck_assert_uint_eq(vqemu_guest_arch_machine_count("sparc"), 0);
    ck_assert_uint_eq(vqemu_guest_arch_machine_count(NULL), 0);
    ck_assert_ptr_null(vqemu_guest_arch_machine_at("sparc", 0));
    ck_assert_ptr_null(vqemu_guest_arch_machine_at(NULL, 0));
    ck_assert_str_eq(vqemu_guest_arch_binary_name("ppc64le"), "qemu-system-ppc64");
    ck_assert_ptr_null(vqemu_guest_arch_binary_name(NULL));
}
END_TEST

int main(void) {
    Suite *suite = suite_create("profile");
    TCase *tests = tcase_create("profile");
    tcase_add_test(tests, the_four_are_what_they_are);
    tcase_add_test(tests, nothing_is_asked_of_null);
    tcase_add_test(tests, abilities_have_names);
    tcase_add_test(tests, abilities_are_listed_for_people);
    tcase_add_test(tests, an_unknown_profile_is_named_with_the_known_ones);
    tcase_add_test(tests, a_manifest_describes_a_profile);
    tcase_add_test(tests, an_emulator_runs_everywhere);
    tcase_add_test(tests, machines_of_an_architecture_are_counted);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
