/* SPDX-License-Identifier: MIT */
#include "choice/profile.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "util/export.h"
#include "util/strbuf.h"
#include "util/word.h"

struct vqemu_profile {
    const char *name;
    const char *description;
    uint64_t abilities;
    bool (*serves)(const struct arch *guest, const char *host_arch); /* NULL: see guests */
    /* Only of one that a manifest describes: */
    atomic_uint references;
    char *own_name, *own_description;
    const struct arch **guests;
    size_t guest_count;
};

static bool serves_kvm(const struct arch *guest, const char *host_arch) {
    return arch_runs_under_kvm_of(guest, host_arch);
}

static bool serves_x86(const struct arch *guest, const char *host_arch) {
    (void)host_arch;
    return guest->x86;
}

static bool serves_foreign(const struct arch *guest, const char *host_arch) {
    (void)host_arch;
    return !guest->x86;
}

/* What emulation can do as well: a Windows guest must run where there is no KVM, too. */
#define DESKTOP_ABILITIES                                                                          \
    (VQEMU_ABILITY_DISPLAY | VQEMU_ABILITY_USB | VQEMU_ABILITY_TPM | VQEMU_ABILITY_UEFI |          \
     VQEMU_ABILITY_STORAGE | VQEMU_ABILITY_NICS)

/* In the order of preference: where several fit a workload, the first is taken. */
static const vqemu_profile profiles[] = {
    {
        "kvm-linux",
        "Linux guests under KVM: headless, virtio devices only",
        VQEMU_ABILITY_KVM,
        .serves = serves_kvm,
    },
    {
        "kvm-uefi",
        "Windows, UEFI and desktop guests under KVM: display, USB, TPM",
        VQEMU_ABILITY_KVM | VQEMU_ABILITY_HYPERV | DESKTOP_ABILITIES,
        .serves = serves_kvm,
    },
    {
        "emulate-x86",
        "x86 guests by emulation: legacy systems, hosts without KVM",
        VQEMU_ABILITY_TCG | DESKTOP_ABILITIES,
        .serves = serves_x86,
    },
    {
        "emulate-foreign",
        "guests of other architectures by emulation: ARM, RISC-V, MIPS, PowerPC and more",
        VQEMU_ABILITY_TCG | DESKTOP_ABILITIES,
        .serves = serves_foreign,
    },
};

static const struct {
    uint64_t ability;
    const char *name;
    const char *thing; /* for people: "it has no ..." */
} abilities[] = {
    {VQEMU_ABILITY_KVM, "kvm", "KVM"},
    {VQEMU_ABILITY_TCG, "tcg", "TCG"},
    {VQEMU_ABILITY_DISPLAY, "display", "display"},
    {VQEMU_ABILITY_USB, "usb", "USB"},
    {VQEMU_ABILITY_TPM, "tpm", "TPM"},
    {VQEMU_ABILITY_UEFI, "uefi", "UEFI firmware"},
    {VQEMU_ABILITY_STORAGE, "storage", "disks without virtio"},
    {VQEMU_ABILITY_NICS, "nics", "network cards without virtio"},
    {VQEMU_ABILITY_HYPERV, "hyperv", "Hyper-V enlightenments"},
};
#define ABILITY_COUNT (sizeof abilities / sizeof abilities[0])

VQEMU_EXPORT const char *vqemu_ability_name(uint64_t ability) {
    for (size_t i = 0; i < ABILITY_COUNT; i++)
        if (abilities[i].ability == ability)
            return abilities[i].name;
    return "unknown";
}

VQEMU_EXPORT uint64_t vqemu_ability_find(const char *name) {
    for (size_t i = 0; name && i < ABILITY_COUNT; i++)
        if (strcmp(abilities[i].name, name) == 0)
            return abilities[i].ability;
    return 0;
}

uint64_t abilities_known(void) {
    uint64_t all = 0;
    for (size_t i = 0; i < ABILITY_COUNT; i++)
        all |= abilities[i].ability;
    return all;
}

char *abilities_describe(uint64_t set) {
    struct strbuf text = {0};
    for (size_t i = 0; i < ABILITY_COUNT; i++) {
        if (!(set & abilities[i].ability))
            continue;
        set &= ~abilities[i].ability;
        const char *before = text.length == 0 ? "" : set ? ", " : " and ";
        strbuf_addf(&text, "%s%s", before, abilities[i].thing);
    }
    return strbuf_take(&text);
}

/* ---- the library's own ---- */

VQEMU_EXPORT size_t vqemu_profile_count(void) {
    return sizeof profiles / sizeof profiles[0];
}

VQEMU_EXPORT vqemu_profile *vqemu_profile_at(size_t index) {
    /* Not const for its users, who may count references; nobody writes to these. */
    return index < vqemu_profile_count() ? (vqemu_profile *)(uintptr_t)&profiles[index] : NULL;
}

VQEMU_EXPORT vqemu_profile *vqemu_profile_find(const char *name) {
    for (size_t i = 0; name && i < vqemu_profile_count(); i++)
        if (strcmp(profiles[i].name, name) == 0)
            return vqemu_profile_at(i);
    return NULL;
}

static char *list_names(const char *last) {
    struct strbuf names = {0};
    size_t count = vqemu_profile_count();
    for (size_t i = 0; i < count; i++)
        strbuf_addf(&names, "%s%s", i == 0 ? "" : i + 1 < count ? ", " : last, profiles[i].name);
    return strbuf_take(&names);
}

int profile_require(const char *name, vqemu_profile **profile, vqemu_error **error) {
    *profile = vqemu_profile_find(name);
    if (*profile)
        return 0;
    _cleanup_free_ char *names = list_names(" and "), *choices = list_names(", ");
    if (!names || !choices)
        return error_no_memory(error);
    int r =
        error_set(error, VQEMU_ERR_INVALID, 0,
                  "unknown profile \"%s\": the profiles are %s; any other needs its accel and its "
                  "guests to be said when it is ingested",
                  name ? name : "", names);
    return error_because(r, error, "unknown-profile", VQEMU_DETAIL_PROFILE, name,
                         VQEMU_DETAIL_CHOICES, choices, NULL);
}

/* ---- those of manifests ---- */

static bool is_static(const vqemu_profile *profile) {
    return profile->serves;
}

/* Architectures that this version does not know are passed over. */
static bool copy_guests(vqemu_profile *profile, const char *const *guests, size_t count) {
    profile->guests = calloc(count ? count : 1, sizeof *profile->guests);
    for (size_t i = 0; profile->guests && i < count; i++) {
        const struct arch *arch = arch_find(guests[i]);
        if (arch)
            profile->guests[profile->guest_count++] = arch;
    }
    return profile->guests;
}

int profile_new(const char *name, const char *description, const char *accel, uint64_t set,
                const char *const *guests, size_t guest_count, vqemu_profile **profile,
                vqemu_error **error) {
    bool kvm = strcmp(accel, "kvm") == 0;
    const uint64_t accels = VQEMU_ABILITY_KVM | VQEMU_ABILITY_TCG;
    _cleanup_profile_ vqemu_profile *new = calloc(1, sizeof *new);
    if (!new)
        return error_no_memory(error);
    atomic_init(&new->references, 1);
    new->abilities = (set & ~accels) | (kvm ? VQEMU_ABILITY_KVM : VQEMU_ABILITY_TCG);
    new->name = new->own_name = strdup(name);
    new->description = new->own_description = strdup(description ? description : "");
    if (!new->name || !new->description || !copy_guests(new, guests, guest_count))
        return error_no_memory(error);
    *profile = TAKE_POINTER(new);
    return 0;
}

VQEMU_EXPORT vqemu_profile *vqemu_profile_ref(vqemu_profile *profile) {
    if (profile && !is_static(profile))
        atomic_fetch_add_explicit(&profile->references, 1, memory_order_relaxed);
    return profile;
}

VQEMU_EXPORT void vqemu_profile_unref(vqemu_profile *profile) {
    if (!profile || is_static(profile) ||
        atomic_fetch_sub_explicit(&profile->references, 1, memory_order_acq_rel) != 1)
        return;
    free(profile->own_name);
    free(profile->own_description);
    free(profile->guests);
    free(profile);
}

/* ---- access ---- */

VQEMU_EXPORT const char *vqemu_profile_name(const vqemu_profile *profile) {
    return profile ? profile->name : NULL;
}

VQEMU_EXPORT const char *vqemu_profile_description(const vqemu_profile *profile) {
    return profile ? null_if_empty(profile->description) : NULL;
}

VQEMU_EXPORT uint64_t vqemu_profile_abilities(const vqemu_profile *profile) {
    return profile ? profile->abilities : 0;
}

VQEMU_EXPORT const char *vqemu_profile_accel(const vqemu_profile *profile) {
    if (!profile)
        return NULL;
    return profile->abilities & VQEMU_ABILITY_KVM ? "kvm" : "tcg";
}

uint64_t profile_abilities_for(const vqemu_profile *profile, const struct arch *guest) {
    uint64_t lacks = guest->x86 ? 0 : VQEMU_ABILITY_HYPERV;
    if (is_static(profile) && (profile->abilities & VQEMU_ABILITY_KVM) && !guest->uefi)
        lacks |= VQEMU_ABILITY_UEFI;
    return profile->abilities & ~lacks;
}

bool profile_serves(const vqemu_profile *profile, const struct arch *guest, const char *host_arch) {
    if (is_static(profile))
        return profile->serves(guest, host_arch);
    for (size_t i = 0; i < profile->guest_count; i++)
        if (profile->guests[i] == guest)
            return !(profile->abilities & VQEMU_ABILITY_KVM) ||
                   arch_runs_under_kvm_of(guest, host_arch);
    return false;
}

VQEMU_EXPORT bool vqemu_profile_serves(const vqemu_profile *profile, const char *guest_arch,
                                       const vqemu_host *host) {
    const struct arch *guest = arch_find(guest_arch);
    return profile && guest && host && profile_serves(profile, guest, vqemu_host_arch(host));
}

char *profile_list_guests(const vqemu_profile *profile, const char *host_arch) {
    struct strbuf names = {0};
    for (size_t i = 0; i < arch_count(); i++)
        if (profile_serves(profile, arch_at(i), host_arch))
            strbuf_addf(&names, "%s%s", names.length ? ", " : "", arch_at(i)->name);
    if (names.length == 0)
        strbuf_add(&names, "no");
    return strbuf_take(&names);
}
