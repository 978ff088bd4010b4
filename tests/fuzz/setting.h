/* SPDX-License-Identifier: MIT */
/* What a VM is for: a runtime of each combination of host, profile and guest that there is. */
#ifndef FUZZ_SETTING_H
#define FUZZ_SETTING_H

#include <volt-qemu/volt-qemu.h>

struct setting {
    const char *host_arch, *guest_arch, *profile;
    vqemu_runtime *plain, *odd; /* fuzz_make_runtime() */
};

/*
 * By words as in the file "selection" of a case: host architecture, profile, guest architecture,
 * and a number of flags; anything else stands for one of those that there are. Never NULL.
 */
const struct setting *setting_choose(const char *text, unsigned *flags);

#endif
