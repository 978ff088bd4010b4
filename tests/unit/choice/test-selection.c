/* SPDX-License-Identifier: MIT */
#include "choice/selection.h"

#include <string.h>

#include "base/error.h"
#include "choice/arch.h"
#include "choice/host.h"
#include "choice/profile.h"
#include "choice/request.h"
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

enum order { NONE, KVM, EMULATION };

static const struct {
    const char *key, *value;
    enum order order;
} orders[] = {
    {"mode", "hybrid-kvm", KVM}, {"mode", "hybrid-emulated", EMULATION},
    {"mode", "", NONE},          {"mode", NULL, NONE},
    {"accel", "kvm", KVM},       {"accel", "tcg", EMULATION},
    {"accel", "", NONE},
};
#define ORDERS (sizeof orders / sizeof orders[0])

/* The profile that must come out; NULL for a refusal. */
static const char *expect(const char *host, bool kvm_usable, enum order order, const char *guest,
                          const char *os) {
    bool uefi = strcmp(os, "windows") == 0 || strcmp(os, "uefi") == 0;
    const char *kvm = !is_native(host, guest) ? NULL
                      : !uefi                 ? "kvm-linux"
                      : has_uefi(guest)       ? "kvm-uefi"
                                              : NULL;
    const char *emulated = is_x86(guest) ? "emulate-x86" : "emulate-foreign";
    if (order != NONE)
        return order == KVM ? kvm : emulated;
    return kvm && kvm_usable ? kvm : emulated;
}

static vqemu_request *make_request(const char *key, const char *value, const char *guest,
                                   const char *os) {
    vqemu_request *request = NULL;
    ck_assert_int_eq(vqemu_request_new(&request, NULL), 0);
    ck_assert_int_eq(vqemu_request_set_string(request, key, value, NULL), 0);
    ck_assert_int_eq(vqemu_request_set_string(request, "guest_arch", guest, NULL), 0);
    bool is_ability = os && strcmp(os, "uefi") == 0;
    if (is_ability)
        ck_assert_int_eq(vqemu_request_set_abilities(request, VQEMU_ABILITY_UEFI, NULL), 0);
    else
        ck_assert_int_eq(vqemu_request_set_string(request, "guest_os", os, NULL), 0);
    return request;
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
    ck_assert_int_gt((int)strlen(vqemu_selection_message(selection)), 10);
    ck_assert_uint_eq(vqemu_selection_rejected_count(selection), vqemu_profile_count() - 1);
    for (size_t i = 0; i < vqemu_selection_rejected_count(selection); i++) {
        const vqemu_profile *rejected = vqemu_selection_rejected_profile(selection, i);
        ck_assert_ptr_ne(rejected, vqemu_selection_profile(selection));
        ck_assert_int_gt((int)strlen(vqemu_selection_rejected_message(selection, i)), 5);
        for (size_t j = 0; j < i; j++)
            ck_assert_ptr_ne(rejected, vqemu_selection_rejected_profile(selection, j));
    }
}

static void check_refusal(const vqemu_error *error, size_t order, const char *guest,
                          const char *host_arch) {
    const char *message = vqemu_error_message(error);
    ck_assert_str_eq(vqemu_error_reason(error), "no-profile-fits");
    ck_assert_ptr_nonnull(strstr(message, guest));
    ck_assert_ptr_nonnull(strstr(message, host_arch));
    ck_assert_ptr_nonnull(strstr(message, strcmp(orders[order].key, "mode") == 0
                                              ? "mode hybrid-emulated can emulate it"
                                              : "accel tcg can emulate it"));
}

static void check_one(const vqemu_host *host, size_t order, const char *guest, const char *os) {
    const char *host_arch = vqemu_host_arch(host);
    bool usable = vqemu_host_kvm_usable(host);
    _cleanup_request_ vqemu_request *request =
        make_request(orders[order].key, orders[order].value, guest, os);
    _cleanup_selection_ vqemu_selection *selection = NULL;
    _cleanup_error_ vqemu_error *error = NULL;
    const char *expected = expect(host_arch, usable, orders[order].order, guest, os);
    int r = vqemu_select(host, request, 0, &selection, &error);
    if (expected) {
        ck_assert_msg(r == 0, "%s", vqemu_error_message(error));
        check_selection(selection, expected, guest, usable);
        return;
    }
    ck_assert_int_eq(r, VQEMU_ERR_UNSUPPORTED);
    ck_assert_ptr_null(selection);
    check_refusal(error, order, guest, host_arch);
}

START_TEST(every_request_gets_the_profile_it_should) {
    static const char *const systems[] = {"", "linux", "windows", "uefi", "other"};
    static const int32_t states[] = {VQEMU_KVM_USABLE, VQEMU_KVM_ABSENT, VQEMU_KVM_SOFTWARE,
                                     VQEMU_KVM_UNSEEN};
    for (size_t s = 0; s < 4; s++) {
        _cleanup_host_ vqemu_host *host = describe_host(native[_i].host, states[s]);
        for (size_t m = 0; m < ORDERS; m++)
            for (size_t o = 0; o < 5; o++)
                for (size_t g = 0; g < vqemu_guest_arch_count(); g++)
                    check_one(host, m, vqemu_guest_arch_at(g), systems[o]);
    }
}
END_TEST

/* What one request gives on one host, or NULL; and the error, if it is wanted. */
static vqemu_selection *choose(const vqemu_request *request, const char *host_arch, int32_t kvm,
                               vqemu_error **error) {
    _cleanup_host_ vqemu_host *host = describe_host(host_arch, kvm);
    vqemu_selection *selection = (vqemu_selection *)&host;
    int r = vqemu_select(host, request, 0, &selection, error);
    ck_assert_int_eq(r == 0, selection != NULL);
    ck_assert(!error || vqemu_error_code(*error) == r);
    return selection;
}

static void gives(const vqemu_request *request, const char *host_arch, const char *profile,
                  const char *guest) {
    _cleanup_error_ vqemu_error *error = NULL;
    _cleanup_selection_ vqemu_selection *selection =
        choose(request, host_arch, VQEMU_KVM_USABLE, &error);
    ck_assert_msg(selection != NULL, "%s", vqemu_error_message(error));
    ck_assert_str_eq(vqemu_profile_name(vqemu_selection_profile(selection)), profile);
    ck_assert_str_eq(vqemu_selection_guest_arch(selection), guest);
}

static void refused(const vqemu_request *request, int code, const char *reason,
                    const char *mentioned) {
    _cleanup_error_ vqemu_error *error = NULL;
    ck_assert_ptr_null(choose(request, "x86_64", VQEMU_KVM_USABLE, &error));
    ck_assert_int_eq(vqemu_error_code(error), code);
    ck_assert_str_eq(vqemu_error_reason(error), reason);
    ck_assert_msg(strstr(vqemu_error_message(error), mentioned) != NULL, "%s",
                  vqemu_error_message(error));
}

static void set(vqemu_request *request, const char *key, const char *value) {
    ck_assert_int_eq(vqemu_request_set_string(request, key, value, NULL), 0);
}

START_TEST(one_request_serves_for_several_hosts) {
    _cleanup_request_ vqemu_request *request = make_request("mode", NULL, NULL, NULL);
    for (int i = 0; i < 2; i++) {
        set(request, "guest_arch", i ? "" : NULL);
        for (size_t h = 0; h < HOSTS; h++)
            gives(request, native[h].host,
                  expect(native[h].host, true, NONE, native[h].host, "linux"), native[h].host);
    }
    set(request, "guest_arch", "aarch64");
    gives(request, "aarch64", "kvm-linux", "aarch64");
    gives(request, "x86_64", "emulate-foreign", "aarch64");
    gives(request, "aarch64", "kvm-linux", "aarch64");
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
        {"aarch64", "emulate-x86", "", "x86_64"},    {"s390x", "kvm-uefi", "", "s390x"},
        {"mips64el", "kvm-linux", "", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        _cleanup_request_ vqemu_request *request =
            request_profile(cases[i].profile, cases[i].guest);
        _cleanup_error_ vqemu_error *error = NULL;
        _cleanup_selection_ vqemu_selection *selection =
            choose(request, cases[i].host, VQEMU_KVM_ABSENT, &error);
        if (!cases[i].expected) {
            ck_assert_int_eq(vqemu_error_code(error), VQEMU_ERR_UNSUPPORTED);
            ck_assert_str_eq(vqemu_error_detail(error, "profile"), cases[i].profile);
            continue;
        }
        ck_assert_str_eq(vqemu_selection_guest_arch(selection), cases[i].expected);
        ck_assert_uint_eq(vqemu_selection_rejected_count(selection), 0);
        bool kvm = strncmp(cases[i].profile, "kvm-", 4) == 0;
        ck_assert(vqemu_selection_runnable(selection) == !kvm);
        ck_assert((vqemu_selection_problem(selection) != NULL) == kvm);
        ck_assert_ptr_nonnull(strstr(vqemu_selection_message(selection), "asked for by name"));
    }
}
END_TEST

START_TEST(a_name_is_an_order) {
    _cleanup_request_ vqemu_request *request = request_profile("kvm-linux", NULL);
    set(request, "guest_os", "windows");
    gives(request, "x86_64", "kvm-linux", "x86_64");
    ck_assert_int_eq(vqemu_request_set_abilities(request, VQEMU_ABILITY_TPM, NULL), 0);
    refused(request, VQEMU_ERR_UNSUPPORTED, "no-profile-fits", "profile kvm-linux has no TPM");
    set(request, "profile", "kvm-uefi");
    gives(request, "x86_64", "kvm-uefi", "x86_64");
}
END_TEST

START_TEST(an_unknown_profile_is_refused) {
    static const char *const names[] = {"kvm", "kvm-linux-", "KVM-LINUX", ""};
    for (size_t i = 0; i < 4; i++) {
        _cleanup_request_ vqemu_request *request = request_profile(names[i], NULL);
        refused(request, VQEMU_ERR_INVALID, "unknown-profile", "emulate-foreign");
    }
}
END_TEST

START_TEST(contradictions_are_refused) {
    static const char *const cases[][4] = {
        {"accel", "kvm", "mode", "hybrid-emulated"},
        {"accel", "tcg", "mode", "hybrid-kvm"},
        {"accel", "tcg", "profile", "kvm-linux"},
        {"accel", "kvm", "profile", "emulate-x86"},
        {"mode", "hybrid-emulated", "profile", "kvm-uefi"},
        {"mode", "hybrid-kvm", "profile", "emulate-foreign"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        _cleanup_request_ vqemu_request *request =
            make_request(cases[i][0], cases[i][1], NULL, NULL);
        set(request, cases[i][2], cases[i][3]);
        refused(request, VQEMU_ERR_INVALID, "contradiction", cases[i][3]);
        set(request, cases[i][2], NULL);
        ck_assert_int_eq(vqemu_request_set_string(request, cases[i][0], cases[i][1], NULL), 0);
    }
    _cleanup_request_ vqemu_request *request = make_request("accel", "kvm", NULL, NULL);
    set(request, "mode", "hybrid-kvm");
    set(request, "profile", "kvm-uefi");
    gives(request, "x86_64", "kvm-uefi", "x86_64");
}
END_TEST

/* ---- abilities ---- */

static const char *message_against(const vqemu_selection *selection, const char *profile) {
    for (size_t i = 0; i < vqemu_selection_rejected_count(selection); i++)
        if (strcmp(vqemu_profile_name(vqemu_selection_rejected_profile(selection, i)), profile) ==
            0)
            return vqemu_selection_rejected_message(selection, i);
    return "";
}

START_TEST(each_ability_leads_to_a_profile_that_has_it) {
    static const struct {
        uint64_t abilities;
        const char *profile, *why_not_kvm_linux;
    } cases[] = {
        {0, "kvm-linux", ""},
        {VQEMU_ABILITY_KVM, "kvm-linux", ""},
        {VQEMU_ABILITY_TCG, "emulate-x86", "it has no TCG, which the guest needs"},
        {VQEMU_ABILITY_DISPLAY, "kvm-uefi", "it has no display, which the guest needs"},
        {VQEMU_ABILITY_USB, "kvm-uefi", "it has no USB, which the guest needs"},
        {VQEMU_ABILITY_TPM, "kvm-uefi", "it has no TPM, which the guest needs"},
        {VQEMU_ABILITY_UEFI, "kvm-uefi", "it has no UEFI firmware, which the guest needs"},
        {VQEMU_ABILITY_STORAGE, "kvm-uefi",
         "it has no disks without virtio, which the guest "
         "needs"},
        {VQEMU_ABILITY_NICS | VQEMU_ABILITY_USB, "kvm-uefi",
         "it has no USB and network cards without virtio, which the guest needs"},
        {VQEMU_ABILITY_HYPERV, "kvm-uefi",
         "it has no Hyper-V enlightenments, which the guest needs"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        _cleanup_request_ vqemu_request *request = make_request("accel", NULL, NULL, NULL);
        ck_assert_int_eq(vqemu_request_set_abilities(request, cases[i].abilities, NULL), 0);
        _cleanup_selection_ vqemu_selection *selection =
            choose(request, "x86_64", VQEMU_KVM_USABLE, NULL);
        ck_assert_str_eq(vqemu_profile_name(vqemu_selection_profile(selection)), cases[i].profile);
        ck_assert_str_eq(message_against(selection, "kvm-linux"), cases[i].why_not_kvm_linux);
    }
}
END_TEST

START_TEST(messages_are_those_that_people_know) {
    _cleanup_request_ vqemu_request *request = make_request("mode", NULL, NULL, "windows");
    _cleanup_selection_ vqemu_selection *windows =
        choose(request, "x86_64", VQEMU_KVM_USABLE, NULL);
    ck_assert_ptr_nonnull(strstr(vqemu_selection_message(windows), "; the guest needs UEFI firm"));
    ck_assert_str_eq(message_against(windows, "emulate-x86"), "KVM works here and is faster");
    set(request, "guest_os", "linux");
    _cleanup_selection_ vqemu_selection *plain = choose(request, "x86_64", VQEMU_KVM_USABLE, NULL);
    ck_assert_ptr_nonnull(strstr(vqemu_selection_message(plain), "the guest needs no UEFI firmw"));
    ck_assert_str_eq(message_against(plain, "kvm-uefi"), "the guest needs no UEFI firmware");
    set(request, "accel", "tcg");
    _cleanup_selection_ vqemu_selection *emulated =
        choose(request, "x86_64", VQEMU_KVM_USABLE, NULL);
    ck_assert_str_eq(vqemu_selection_message(emulated),
                     "accel tcg asks for emulation, and the guest is x86_64");
    ck_assert_str_eq(message_against(emulated, "kvm-linux"), "accel tcg asks for emulation");
}
END_TEST

/* ---- a VM ---- */

START_TEST(what_is_set_by_key_wins_over_the_vm) {
    const struct vm_needs needs = {.guest_arch = "aarch64", .guest_os = "windows"};
    for (int vm_first = 0; vm_first < 2; vm_first++) {
        _cleanup_request_ vqemu_request *request = make_request("mode", NULL, NULL, NULL);
        if (vm_first)
            ck_assert_int_eq(request_set_needs(request, &needs, NULL), 0);
        set(request, "guest_arch", "x86_64");
        set(request, "guest_os", "linux");
        if (!vm_first)
            ck_assert_int_eq(request_set_needs(request, &needs, NULL), 0);
        gives(request, "x86_64", "kvm-linux", "x86_64");
        set(request, "guest_os", NULL);
        gives(request, "x86_64", "kvm-uefi", "x86_64");
        set(request, "guest_arch", NULL);
        gives(request, "aarch64", "kvm-uefi", "aarch64");
        set(request, "guest_arch", ""); /* the host's */
        gives(request, "x86_64", "kvm-uefi", "x86_64");
    }
}
END_TEST

START_TEST(an_order_by_key_replaces_those_of_the_vm) {
    _cleanup_request_ vqemu_request *request = make_request("mode", NULL, NULL, NULL);
    struct vm_needs needs = {.profile = "kvm-uefi"};
    ck_assert_int_eq(request_set_needs(request, &needs, NULL), 0);
    gives(request, "x86_64", "kvm-uefi", "x86_64");
    set(request, "accel", "tcg");
    gives(request, "x86_64", "emulate-x86", "x86_64");
    set(request, "accel", "kvm");
    gives(request, "x86_64", "kvm-uefi", "x86_64");
    set(request, "accel", NULL);
    set(request, "profile", "emulate-x86");
    gives(request, "x86_64", "emulate-x86", "x86_64");
    needs = (struct vm_needs){.mode = "hybrid-emulated"};
    ck_assert_int_eq(request_set_needs(request, &needs, NULL), 0);
    set(request, "profile", "kvm-linux");
    gives(request, "x86_64", "kvm-linux", "x86_64");
    set(request, "profile", NULL);
    gives(request, "x86_64", "emulate-x86", "x86_64");
    set(request, "mode", "");
    gives(request, "x86_64", "kvm-linux", "x86_64");
    set(request, "mode", NULL);
    needs = (struct vm_needs){.mode = "hybrid-emulated", .profile = "kvm-linux"};
    ck_assert_int_eq(request_set_needs(request, &needs, NULL), 0);
    refused(request, VQEMU_ERR_INVALID, "contradiction", "kvm-linux");
}
END_TEST

/* ---- a store's profiles ---- */

static vqemu_profile *make_profile(const char *name, const char *accel, uint64_t abilities) {
    static const char *const guests[] = {"x86_64", "riscv64"};
    vqemu_profile *profile = NULL;
    ck_assert_int_eq(profile_new(name, NULL, accel, abilities, guests, 2, &profile, NULL), 0);
    return profile;
}

static void set_candidates(vqemu_request *request, vqemu_profile *first, vqemu_profile *second) {
    vqemu_profile *const profiles[] = {first, second};
    size_t count = second ? 2 : first ? 1 : 0;
    ck_assert_int_eq(request_set_candidates(request, profiles, count, NULL), 0);
}

START_TEST(only_what_is_stored_is_chosen) {
    _cleanup_request_ vqemu_request *request = make_request("mode", NULL, NULL, NULL);
    set_candidates(request, vqemu_profile_find("kvm-uefi"), vqemu_profile_find("emulate-x86"));
    gives(request, "x86_64", "kvm-uefi", "x86_64"); /* it has more than is needed */
    set_candidates(request, vqemu_profile_find("emulate-x86"), NULL);
    _cleanup_selection_ vqemu_selection *selection =
        choose(request, "x86_64", VQEMU_KVM_USABLE, NULL);
    ck_assert_str_eq(vqemu_profile_name(vqemu_selection_profile(selection)), "emulate-x86");
    ck_assert_str_eq(vqemu_selection_message(selection),
                     "the store has no revision of kvm-linux, so the x86_64 guest is emulated");
    ck_assert_str_eq(message_against(selection, "kvm-linux"), "the store has no revision of it");
}
END_TEST

START_TEST(what_would_fit_but_is_not_stored_is_named) {
    static const struct {
        const char *mode, *os, *stored, *profile;
    } cases[] = {
        {NULL, NULL, NULL, "kvm-linux"},
        {NULL, "windows", "kvm-linux", "kvm-uefi"},
        {"hybrid-emulated", NULL, "kvm-linux", "emulate-x86"},
        {"hybrid-kvm", NULL, "emulate-x86", "kvm-linux"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        _cleanup_request_ vqemu_request *request =
            make_request("mode", cases[i].mode, NULL, cases[i].os);
        _cleanup_error_ vqemu_error *error = NULL;
        set_candidates(request, vqemu_profile_find(cases[i].stored), NULL);
        ck_assert_ptr_null(choose(request, "x86_64", VQEMU_KVM_USABLE, &error));
        ck_assert_int_eq(vqemu_error_code(error), VQEMU_ERR_NO_REVISION);
        ck_assert_str_eq(vqemu_error_reason(error), "profile-not-in-store");
        ck_assert_str_eq(vqemu_error_detail(error, "profile"), cases[i].profile);
    }
    _cleanup_request_ vqemu_request *named = request_profile("kvm-uefi", NULL);
    set_candidates(named, vqemu_profile_find("kvm-linux"), NULL);
    refused(named, VQEMU_ERR_NO_REVISION, "profile-not-in-store", "profile kvm-uefi; it has kvm-");
    set(named, "profile", "of-another-store");
    refused(named, VQEMU_ERR_NO_REVISION, "profile-not-in-store", "of-another-store");
    _cleanup_request_ vqemu_request *impossible = make_request("accel", "kvm", "aarch64", NULL);
    set_candidates(impossible, vqemu_profile_find("kvm-linux"), NULL);
    refused(impossible, VQEMU_ERR_UNSUPPORTED, "no-profile-fits", "aarch64");
}
END_TEST

START_TEST(a_profile_of_a_manifest_displaces_none_of_the_table) {
    _cleanup_request_ vqemu_request *request = make_request("accel", "tcg", "x86_64", NULL);
    vqemu_profile *mine = make_profile("mine", "tcg", 0); /* it has less than emulate-x86 */
    set_candidates(request, mine, vqemu_profile_find("emulate-x86"));
    vqemu_profile_unref(mine);
    _cleanup_selection_ vqemu_selection *selection =
        choose(request, "x86_64", VQEMU_KVM_ABSENT, NULL);
    ck_assert_str_eq(vqemu_profile_name(vqemu_selection_profile(selection)), "emulate-x86");
    ck_assert_str_eq(message_against(selection, "mine"), "emulate-x86 fits, and is of the table");
    set(request, "accel", NULL);
    set(request, "profile", "mine");
    gives(request, "x86_64", "mine", "x86_64");
}
END_TEST

START_TEST(profiles_of_manifests_are_like_the_four) {
    _cleanup_request_ vqemu_request *request = make_request("accel", NULL, NULL, NULL);
    vqemu_profile *edge = make_profile("edge", "kvm", VQEMU_ABILITY_TPM);
    vqemu_profile *tiny = make_profile("tiny", "tcg", 0);
    set_candidates(request, edge, tiny);
    vqemu_profile_unref(edge);
    vqemu_profile_unref(tiny);
    gives(request, "x86_64", "edge", "x86_64");
    ck_assert_int_eq(vqemu_request_set_abilities(request, VQEMU_ABILITY_USB, NULL), 0);
    refused(request, VQEMU_ERR_NO_REVISION, "profile-not-in-store", "kvm-uefi");
    ck_assert_int_eq(vqemu_request_set_abilities(request, 0, NULL), 0);
    set(request, "guest_arch", "riscv64");
    gives(request, "x86_64", "tiny", "riscv64");
    set(request, "profile", "edge");
    set(request, "guest_arch", NULL);
    gives(request, "x86_64", "edge", "x86_64");
    set(request, "accel", "tcg");
    refused(request, VQEMU_ERR_INVALID, "contradiction", "edge");
    _cleanup_request_ vqemu_request *without = request_profile("edge", NULL);
    refused(without, VQEMU_ERR_INVALID, "unknown-profile", "edge");
}
END_TEST

START_TEST(a_selection_outlives_its_request) {
    vqemu_request *request = make_request("accel", NULL, NULL, NULL);
    vqemu_profile *edge = make_profile("edge", "kvm", 0), *tiny = make_profile("tiny", "tcg", 0);
    set_candidates(request, edge, tiny);
    vqemu_profile_unref(edge);
    vqemu_profile_unref(tiny);
    _cleanup_selection_ vqemu_selection *selection =
        choose(request, "x86_64", VQEMU_KVM_USABLE, NULL);
    vqemu_request_free(request);
    ck_assert_str_eq(vqemu_profile_name(vqemu_selection_profile(selection)), "edge");
    ck_assert_str_eq(message_against(selection, "tiny"), "KVM works here and is faster");
    ck_assert_uint_eq(vqemu_selection_rejected_count(selection), 5);
}
END_TEST

/* ---- mistakes ---- */

static void check_usage(int code, vqemu_error **error, const char *reason, const char *argument) {
    ck_assert_int_eq(code, VQEMU_ERR_USAGE);
    ck_assert_str_eq(vqemu_error_reason(*error), reason);
    ck_assert_str_eq(vqemu_error_detail(*error, "function"), "vqemu_select");
    if (argument)
        ck_assert_str_eq(vqemu_error_detail(*error, "argument"), argument);
}

START_TEST(mistakes_of_callers_are_named) {
    _cleanup_host_ vqemu_host *host = describe_host("x86_64", VQEMU_KVM_USABLE);
    _cleanup_request_ vqemu_request *request = make_request("mode", NULL, NULL, NULL);
    _cleanup_error_ vqemu_error *error = NULL;
    vqemu_selection *selection = (vqemu_selection *)&error;
    check_usage(vqemu_select(NULL, request, 0, &selection, &error), &error, "null-argument",
                "host");
    ck_assert_ptr_null(selection);
    check_usage(vqemu_select(host, NULL, 0, &selection, &error), &error, "null-argument",
                "request");
    check_usage(vqemu_select(host, request, 0, NULL, &error), &error, "null-argument", "selection");
    check_usage(vqemu_select(host, request, 1, &selection, &error), &error, "unknown-flags", NULL);
    ck_assert_int_eq(vqemu_select(host, request, 0, &selection, &error), 0);
    ck_assert_ptr_null(error);
    ck_assert_ptr_null(vqemu_selection_rejected_profile(selection, 3));
    ck_assert_ptr_null(vqemu_selection_rejected_message(selection, SIZE_MAX));
    vqemu_selection_free(selection);
}
END_TEST

START_TEST(nothing_is_asked_of_null) {
    ck_assert_ptr_null(vqemu_selection_profile(NULL));
    ck_assert_ptr_null(vqemu_selection_guest_arch(NULL));
    ck_assert_ptr_null(vqemu_selection_accel(NULL));
    ck_assert(!vqemu_selection_runnable(NULL));
    ck_assert_ptr_null(vqemu_selection_problem(NULL));
    ck_assert_ptr_null(vqemu_selection_message(NULL));
    ck_assert_uint_eq(vqemu_selection_rejected_count(NULL), 0);
    ck_assert_ptr_null(vqemu_selection_rejected_profile(NULL, 0));
    ck_assert_ptr_null(vqemu_selection_rejected_message(NULL, 0));
    vqemu_selection_free(NULL);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("selection");
    TCase *tests = tcase_create("selection");
    tcase_add_loop_test(tests, every_request_gets_the_profile_it_should, 0, HOSTS);
    tcase_add_test(tests, one_request_serves_for_several_hosts);
    tcase_add_test(tests, a_profile_can_be_chosen_by_name);
    tcase_add_test(tests, a_name_is_an_order);
    tcase_add_test(tests, an_unknown_profile_is_refused);
    tcase_add_test(tests, contradictions_are_refused);
    tcase_add_test(tests, each_ability_leads_to_a_profile_that_has_it);
    tcase_add_test(tests, messages_are_those_that_people_know);
    tcase_add_test(tests, what_is_set_by_key_wins_over_the_vm);
    tcase_add_test(tests, an_order_by_key_replaces_those_of_the_vm);
    tcase_add_test(tests, only_what_is_stored_is_chosen);
    tcase_add_test(tests, what_would_fit_but_is_not_stored_is_named);
    tcase_add_test(tests, a_profile_of_a_manifest_displaces_none_of_the_table);
    tcase_add_test(tests, profiles_of_manifests_are_like_the_four);
    tcase_add_test(tests, a_selection_outlives_its_request);
    tcase_add_test(tests, mistakes_of_callers_are_named);
    tcase_add_test(tests, nothing_is_asked_of_null);
    tcase_set_timeout(tests, 60);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
