/* SPDX-License-Identifier: MIT */
#ifndef LIB_BUILD_INFO_H
#define LIB_BUILD_INFO_H

#include <volt-qemu/store.h>

struct vqemu_build_info {
    char *created_at, *qemu_version, *build_date, *build_host; /* NULL where not set */
};

#endif
