/* SPDX-License-Identifier: MIT */
#ifndef VOLT_QEMU_PROFILE_H
#define VOLT_QEMU_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <volt-qemu/host.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * A QEMU profile: what a build of QEMU is for, can do and runs.
 *
 * Four are known to the library (vqemu_profile_at()); a store may have others, which their
 * manifests describe. Immutable and reference counted; any number of threads may use it. The
 * library's own four are static: references to them need not be counted, but may. Profiles are
 * compared by name, not by address. Since 1.0.
 */
typedef struct vqemu_profile vqemu_profile;

/** One more reference; returns its argument. NULL is allowed. Since 1.0. */
vqemu_profile *vqemu_profile_ref(vqemu_profile *profile);

/** Release a reference. NULL is allowed. Since 1.0. */
void vqemu_profile_unref(vqemu_profile *profile);

/** What a profile can do: bits of vqemu_profile_abilities(), which has room for 64. Since 1.0. */
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
    VQEMU_ABILITY_UEFI = 32,
    /** Has disks that guests need no virtio drivers for: NVMe, IDE and SATA. (IDE or SATA that a
     * machine has built in is there without.) */
    VQEMU_ABILITY_STORAGE = 64,
    /** Has network cards that guests need no virtio drivers for. */
    VQEMU_ABILITY_NICS = 128,
    /** Has Hyper-V's enlightenments, for guests of x86 under KVM. */
    VQEMU_ABILITY_HYPERV = 256
};

/** The name of one ability, such as "display"; "unknown" for other numbers. Static. Since 1.0. */
const char *vqemu_ability_name(uint64_t ability);

/** The ability of a name; 0 if there is none, and for NULL. Since 1.0. */
uint64_t vqemu_ability_find(const char *name);

/** How many profiles the library knows by itself. Since 1.0. */
size_t vqemu_profile_count(void);

/**
 * One of these, at an index below vqemu_profile_count(); NULL beyond. Their order is unspecified.
 * Static. Since 1.0.
 */
vqemu_profile *vqemu_profile_at(size_t index);

/** That of these with this exact name, such as "kvm-linux"; NULL if there is none, and for NULL.
 * Static. Since 1.0. */
vqemu_profile *vqemu_profile_find(const char *name);

/** The profile's name. Borrowed from the profile; NULL for NULL. Since 1.0. */
const char *vqemu_profile_name(const vqemu_profile *profile);

/** What the profile is for, in one line for people; NULL where nobody has said, and for NULL.
 * Borrowed from the profile. Since 1.0. */
const char *vqemu_profile_description(const vqemu_profile *profile);

/** What the profile can do: an OR of enum vqemu_ability, and of bits that are added later. 0 for
 * NULL. Since 1.0. */
uint64_t vqemu_profile_abilities(const vqemu_profile *profile);

/** The accelerator the profile runs guests with: "kvm" or "tcg". Static; NULL for NULL. Since 1.0.
 */
const char *vqemu_profile_accel(const vqemu_profile *profile);

/**
 * Whether the profile runs guests of this architecture on hosts of the architecture of this one.
 * Whether KVM works there at the moment plays no part. False for a name that is not in the table of
 * architectures, and for NULL. Since 1.0.
 */
bool vqemu_profile_serves(const vqemu_profile *profile, const char *guest_arch,
                          const vqemu_host *host);

/** How many guest architectures are known. Since 1.0. */
size_t vqemu_guest_arch_count(void);

/** The name of the guest architecture at an index below the count; NULL beyond. Static. Since 1.0.
 */
const char *vqemu_guest_arch_at(size_t index);

/**
 * The name of the QEMU program for a guest architecture: "qemu-system-x86_64" and so on;
 * "qemu-system-ppc64" for ppc64le. NULL if the architecture is not known. Static. Since 1.0.
 */
const char *vqemu_guest_arch_binary_name(const char *guest_arch);

/** How many kinds of machine a guest architecture has; 0 if it is not known. Since 1.0. */
size_t vqemu_guest_arch_machine_count(const char *guest_arch);

/**
 * A kind of machine of a guest architecture, such as "q35", by an index below the count; the first
 * is the default. NULL beyond, or if the architecture is not known. A VM's key "machine" also takes
 * their names with a version, such as "pc-q35-7.2". Static. Since 1.0.
 */
const char *vqemu_guest_arch_machine_at(const char *guest_arch, size_t index);

#ifdef __cplusplus
}
#endif

#endif
