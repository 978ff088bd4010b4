/* SPDX-License-Identifier: MIT */
#ifndef LIB_COLLECT_OPTIONS_H
#define LIB_COLLECT_OPTIONS_H

#include <stdint.h>

#include <volt-qemu/collect.h>

struct vqemu_collect_options {
    uint64_t keep; /* newest revisions of each profile; 0: all */
};

#endif
