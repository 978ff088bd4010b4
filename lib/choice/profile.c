/* SPDX-License-Identifier: MIT */
#include "choice/profile.h"

#include <string.h>

#include "base/error.h"
#include "util/export.h"
#include "util/strbuf.h"

struct vqemu_profile {
    const char *name;
    const char *description;
    uint32_t abilities;
    bool (*serves)(const struct arch *guest, const char *host_arch);
};

static bool serves_kvm(const struct arch *guest, const char *host_arch) {
    return arch_runs_under_kvm_of(guest, host_arch);
}

static bool serves_kvm_uefi(const struct arch *guest, const char *host_arch) {
    return guest->uefi && arch_runs_under_kvm_of(guest, host_arch);
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
    (VQEMU_ABILITY_DISPLAY | VQEMU_ABILITY_USB | VQEMU_ABILITY_TPM | VQEMU_ABILITY_UEFI)

/* In the order of preference: where several fit a workload, the first is taken. */
static const vqemu_profile profiles[] = {
    {
        "kvm-linux",
        "Linux guests under KVM: headless, virtio devices only",
        VQEMU_ABILITY_KVM,
        serves_kvm,
    },
    {
        "kvm-uefi",
        "Windows and other UEFI guests under KVM: display, USB, TPM",
        VQEMU_ABILITY_KVM | DESKTOP_ABILITIES,
        serves_kvm_uefi,
    },
    {
        "emulate-x86",
        "x86 guests by emulation: legacy systems, hosts without KVM",
        VQEMU_ABILITY_TCG | DESKTOP_ABILITIES,
        serves_x86,
    },
    {
        "emulate-foreign",
        "guests of other architectures by emulation: ARM, RISC-V, MIPS, PowerPC and more",
        VQEMU_ABILITY_TCG | DESKTOP_ABILITIES,
        serves_foreign,
    },
};

VQEMU_EXPORT const char *vqemu_ability_name(uint32_t ability) {
    switch (ability) {
    case VQEMU_ABILITY_KVM:
        return "kvm";
    case VQEMU_ABILITY_TCG:
        return "tcg";
    case VQEMU_ABILITY_DISPLAY:
        return "display";
    case VQEMU_ABILITY_USB:
        return "usb";
    case VQEMU_ABILITY_TPM:
        return "tpm";
    case VQEMU_ABILITY_UEFI:
        return "uefi";
    default:
        return "unknown";
    }
}

VQEMU_EXPORT size_t vqemu_profile_count(void) {
    return sizeof profiles / sizeof profiles[0];
}

VQEMU_EXPORT const vqemu_profile *vqemu_profile_at(size_t index) {
    return index < vqemu_profile_count() ? &profiles[index] : NULL;
}

VQEMU_EXPORT const vqemu_profile *vqemu_profile_find(const char *name) {
    for (size_t i = 0; name && i < vqemu_profile_count(); i++)
        if (strcmp(profiles[i].name, name) == 0)
            return &profiles[i];
    return NULL;
}

VQEMU_EXPORT const char *vqemu_profile_name(const vqemu_profile *profile) {
    return profile->name;
}

VQEMU_EXPORT const char *vqemu_profile_description(const vqemu_profile *profile) {
    return profile->description;
}

VQEMU_EXPORT uint32_t vqemu_profile_abilities(const vqemu_profile *profile) {
    return profile->abilities;
}

VQEMU_EXPORT const char *vqemu_profile_accel(const vqemu_profile *profile) {
    return profile->abilities & VQEMU_ABILITY_KVM ? "kvm" : "tcg";
}

bool profile_serves(const vqemu_profile *profile, const struct arch *guest, const char *host_arch) {
    return profile->serves(guest, host_arch);
}

VQEMU_EXPORT bool vqemu_profile_serves(const vqemu_profile *profile, const char *guest_arch,
                                       const char *host_arch) {
    const struct arch *guest = arch_find(guest_arch);
    return guest && arch_find(host_arch) && profile_serves(profile, guest, host_arch);
}

int profile_require(const char *name, const vqemu_profile **profile, vqemu_error **error) {
    *profile = vqemu_profile_find(name);
    if (*profile)
        return 0;
    return error_set(error, VQEMU_ERR_INVALID, 0,
                     "unknown profile \"%s\": the profiles are kvm-linux, kvm-uefi, emulate-x86 "
                     "and emulate-foreign",
                     name ? name : "");
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
