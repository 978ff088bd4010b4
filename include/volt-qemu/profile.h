/* SPDX-License-Identifier: MIT */
#ifndef VOLT_QEMU_PROFILE_H
#define VOLT_QEMU_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <volt-qemu/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * A QEMU profile: a row of a fixed table. Profiles are static; they are never freed, and may be
 * compared by address. Since 1.0.
 */
typedef struct vqemu_profile vqemu_profile;

/** What a profile can do: bits of vqemu_profile_abilities(). Since 1.0. */
enum vqemu_ability {
    /** Runs guests by KVM, and by nothing else. */
    VQEMU_ABILITY_KVM = 1,
    /** Runs guests by TCG, QEMU's software emulation. */
    VQEMU_ABILITY_TCG = 2,
    /** Has graphical display devices and VNC. */
    VQEMU_ABILITY_DISPLAY = 4,
    /** Has USB controllers and devices. */
    VQEMU_ABILITY_USB = 8,
    /** Has TPM devices. */
    VQEMU_ABILITY_TPM = 16,
    /** Has UEFI firmware. */
    VQEMU_ABILITY_UEFI = 32
};

/** The name of one ability, such as "display"; "unknown" for other numbers. Static. Since 1.0. */
const char *vqemu_ability_name(uint32_t ability);

/** How many profiles there are. Since 1.0. */
size_t vqemu_profile_count(void);

/** The profile at an index below vqemu_profile_count(); NULL beyond. The order is fixed. Since 1.0.
 */
const vqemu_profile *vqemu_profile_at(size_t index);

/** The profile of this exact name, such as "kvm-linux"; NULL if there is none. Since 1.0. */
const vqemu_profile *vqemu_profile_find(const char *name);

/** The profile's name. Static. Since 1.0. */
const char *vqemu_profile_name(const vqemu_profile *profile);

/** What the profile is for, in one line for people. Static. Since 1.0. */
const char *vqemu_profile_description(const vqemu_profile *profile);

/** What the profile can do: an OR of enum vqemu_ability. Since 1.0. */
uint32_t vqemu_profile_abilities(const vqemu_profile *profile);

/** The accelerator the profile runs guests with: "kvm" or "tcg". Static. Since 1.0. */
const char *vqemu_profile_accel(const vqemu_profile *profile);

/**
 * Whether the profile runs guests of this architecture on a host of that architecture. Whether KVM
 * works at the moment plays no part. False for names that are not in the table. Since 1.0.
 */
bool vqemu_profile_serves(const vqemu_profile *profile, const char *guest_arch,
                          const char *host_arch);

/** How many guest architectures are known. Since 1.0. */
size_t vqemu_guest_arch_count(void);

/** The name of the guest architecture at an index below the count; NULL beyond. Static. Since 1.0.
 */
const char *vqemu_guest_arch_at(size_t index);

/**
 * The name of the QEMU program for a guest architecture: "qemu-system-x86_64" and so on;
 * "qemu-system-ppc64" for ppc64le. NULL if the architecture is not known. Static. Since 1.0.
 */
const char *vqemu_guest_arch_binary(const char *guest_arch);

/**
 * A kind of machine of a guest architecture, such as "q35", by an index from 0; the first is the
 * default. NULL beyond the last, or if the architecture is not known. vqemu_vm_set_machine() also
 * takes their names with a version, such as "pc-q35-7.2". Static. Since 1.0.
 */
const char *vqemu_guest_arch_machine(const char *guest_arch, size_t index);

#ifdef __cplusplus
}
#endif

#endif
