/* SPDX-License-Identifier: MIT */
#ifndef LIB_PROFILE_H
#define LIB_PROFILE_H

#include <volt-qemu/profile.h>

#include "choice/arch.h"

bool profile_serves(const vqemu_profile *profile, const struct arch *guest, const char *host_arch);

/* vqemu_profile_find() for callers that must have one: the error lists the names there are. */
int profile_require(const char *name, const vqemu_profile **profile, vqemu_error **error);

/* The architectures a profile serves on a host, separated by ", ", or "no"; NULL without memory. */
char *profile_list_guests(const vqemu_profile *profile, const char *host_arch);

#endif
