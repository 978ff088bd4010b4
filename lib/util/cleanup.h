/* SPDX-License-Identifier: MIT */
/* Automatic release of locals at the end of their scope, for early returns without goto ladders. */
#ifndef UTIL_CLEANUP_H
#define UTIL_CLEANUP_H

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(function) __attribute__((cleanup(function), unused))

static inline void cleanup_free(void *pointer) {
    free(*(void **)pointer);
}
#define _cleanup_free_ _cleanup_(cleanup_free)

static inline void cleanup_close(const int *fd) {
    if (*fd >= 0) {
        int saved = errno;
        close(*fd);
        errno = saved;
    }
}
#define _cleanup_close_ _cleanup_(cleanup_close)

/* Defines cleanup_<name>() from a NULL-safe function that releases one <type> pointer. */
#define DEFINE_CLEANUP(type, name, release)                                                        \
    static inline void cleanup_##name(type **pointer) {                                            \
        release(*pointer);                                                                         \
    }                                                                                              \
    struct cleanup_##name##_needs_semicolon

/* Hand a pointer over: the cleanup of the local it is taken from then releases nothing. */
#define TAKE_POINTER(pointer)                                                                      \
    __extension__({                                                                                \
        __typeof__(pointer) taken_ = (pointer);                                                    \
        (pointer) = NULL;                                                                          \
        taken_;                                                                                    \
    })

static inline int take_fd(int *fd) {
    int taken = *fd;
    *fd = -1;
    return taken;
}

#endif
