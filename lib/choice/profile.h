/* SPDX-License-Identifier: MIT */
#ifndef LIB_PROFILE_H
#define LIB_PROFILE_H

#include <volt-qemu/profile.h>

#include <volt-qemu/error.h>

#include "choice/arch.h"
#include "util/cleanup.h"

bool profile_serves(const vqemu_profile *profile, const struct arch *guest, const char *host_arch);

/* vqemu_profile_find() for callers that must have one: the error lists the names there are. */
int profile_require(const char *name, vqemu_profile **profile, vqemu_error **error);

/*
 * A profile that a manifest describes, with one reference. description may be NULL. accel is "kvm"
 * or "tcg", and decides about these bits of the abilities. guests are names of architectures; those
 * that are not known are passed over. Under KVM it serves those of them that the host's KVM runs.
 */
int profile_new(const char *name, const char *description, const char *accel, uint64_t abilities,
                const char *const *guests, size_t guest_count, vqemu_profile **profile,
                vqemu_error **error);

/* The abilities that it has for guests of an architecture: of the library's own for KVM, that for
 * desktops runs also those for which there is no UEFI firmware. */
uint64_t profile_abilities_for(const vqemu_profile *profile, const struct arch *guest);

/* All abilities that there are. */
uint64_t abilities_known(void);

/* Abilities as things for people: "display, USB and TPM"; "" for none. NULL without memory. */
char *abilities_describe(uint64_t abilities);

/* The architectures a profile serves on a host, separated by ", ", or "no"; NULL without memory. */
char *profile_list_guests(const vqemu_profile *profile, const char *host_arch);

DEFINE_CLEANUP(vqemu_profile, profile, vqemu_profile_unref);
#define _cleanup_profile_ _cleanup_(cleanup_profile)

#endif
