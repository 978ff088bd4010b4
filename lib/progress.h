/* SPDX-License-Identifier: MIT */
#ifndef LIB_PROGRESS_H
#define LIB_PROGRESS_H

#include <volt-qemu/store.h>

/* A caller's progress callback and how far the operation is. */
struct progress {
    vqemu_progress_fn function; /* may be NULL */
    void *userdata;
    const char *step;
    uint64_t done, total;
};

/* Tell the caller; VQEMU_ERR_CANCELLED if it wants to stop. */
int progress_report(const struct progress *progress, const char *item, vqemu_error **error);

#endif
