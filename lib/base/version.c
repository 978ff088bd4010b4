/* SPDX-License-Identifier: MIT */
#include <volt-qemu/version.h>

#include "util/export.h"

VQEMU_EXPORT const char *vqemu_version(void) {
    return VQEMU_VERSION_STRING;
}

VQEMU_EXPORT uint32_t vqemu_version_number(void) {
    return VQEMU_VERSION_MAJOR * 1000000U + VQEMU_VERSION_MINOR * 1000U + VQEMU_VERSION_MICRO;
}
