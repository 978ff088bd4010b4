/* SPDX-License-Identifier: MIT */
/* Where a profile has what, by the paths of its files. */
#ifndef LIB_FILES_H
#define LIB_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROGRAM_PREFIX "bin/qemu-system-"
#define LIBRARY_PREFIX "lib/"
#define FIRMWARE_PREFIX "firmware/"
#define KEYMAP_PREFIX FIRMWARE_PREFIX "keymaps/"

bool content_is_program(const char *path);

/* Whether it is a QEMU module where distributions put them: lib/qemu/, lib/<triplet>/qemu/. */
bool content_is_module(const char *path);

/* The files of a profile, wherever they are. */
struct content_files {
    const char *const *paths; /* sorted */
    size_t count;
    /* Open one for reading: a descriptor, which the caller closes, or a negative errno. */
    int (*open)(void *context, size_t index);
    void *context;
};

/* The index of a path; -1 if there is none. */
int64_t content_find(const struct content_files *files, const char *path);

#endif
