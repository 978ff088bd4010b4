/* SPDX-License-Identifier: MIT */
/* Preloaded: the allocation whose number is in FAIL_MALLOC fails, and exit status 77 says it was
 * never reached. */
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);

static atomic_long remaining = -1;

static int fails(void) {
    if (remaining < 0)
        return 0;
    return atomic_fetch_sub(&remaining, 1) == 1;
}

__attribute__((constructor)) static void start(void) {
    const char *number = getenv("FAIL_MALLOC");
    remaining = number ? atol(number) : -1;
}

__attribute__((destructor)) static void end(void) {
    if (remaining > 0)
        _exit(77);
}

void *malloc(size_t size) {
    return fails() ? (errno = ENOMEM, NULL) : __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
    return fails() ? (errno = ENOMEM, NULL) : __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size) {
    return fails() ? (errno = ENOMEM, NULL) : __libc_realloc(memory, size);
}
