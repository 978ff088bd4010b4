/* SPDX-License-Identifier: MIT */
#include <volt-qemu/version.h>

#include <stddef.h>
#include <string.h>

#include "util/export.h"

VQEMU_EXPORT const char *vqemu_version(void) {
    return VQEMU_VERSION_STRING;
}

VQEMU_EXPORT uint32_t vqemu_version_number(void) {
    return VQEMU_VERSION_NUMBER;
}

VQEMU_EXPORT bool vqemu_has_feature(const char *name) {
    static const char *const features[] = {"archives",   "capabilities", "closure",  "layouts",
                                           "monitor",    "policies",     "profiles", "registries",
                                           "signatures", "units"};
    for (size_t i = 0; name && i < sizeof features / sizeof features[0]; i++)
        if (strcmp(features[i], name) == 0)
            return true;
    return false;
}
