/* SPDX-License-Identifier: MIT */
/*
 * Preloaded: the allocation whose number is in FAIL_MALLOC fails, and exit status 77 says it was
 * never reached.
 *
 * With FAIL_MALLOC_IN, part of the path of a shared library, only what that allocates itself is
 * counted, and exit status 78 says that some of it was never freed.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <link.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STATUS_NEVER_REACHED 77
#define STATUS_LEFT_BEHIND 78

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);
extern void __libc_free(void *memory);

static atomic_long remaining = -1;
static uintptr_t begin, end_; /* of the library; 0: all count */

/* ---- what the library has ---- */

#define PLACES ((size_t)1 << 16)

static _Atomic(void *) places[PLACES];

static size_t place_of(const void *block) {
    return (size_t)(((uintptr_t)block >> 4) * UINT64_C(0x9e3779b97f4a7c15) >> 48);
}

static void *note(void *block) {
    for (size_t i = place_of(block), n = 0; block && n < PLACES; i = (i + 1) % PLACES, n++) {
        void *none = NULL;
        if (atomic_compare_exchange_strong(&places[i], &none, block))
            break;
    }
    return block;
}

/* The place stays taken by what is no block, so that those behind it are found. */
static void forget(void *block) {
    if (!begin || !block)
        return;
    for (size_t i = place_of(block), n = 0; places[i] && n < PLACES; i = (i + 1) % PLACES, n++)
        if (places[i] == block) {
            places[i] = &places;
            break;
        }
}

static size_t left_behind(void) {
    size_t count = 0;
    for (size_t i = 0; i < PLACES; i++)
        count += places[i] && places[i] != (void *)&places;
    return count;
}

/* ---- start and end ---- */

static int find(struct dl_phdr_info *info, size_t size, void *wanted) {
    (void)size;
    if (!strstr(info->dlpi_name, wanted))
        return 0;
    for (int i = 0; i < info->dlpi_phnum; i++)
        if (info->dlpi_phdr[i].p_type == PT_LOAD && info->dlpi_phdr[i].p_flags & PF_X) {
            begin = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
            end_ = begin + info->dlpi_phdr[i].p_memsz;
        }
    return 1;
}

__attribute__((constructor)) static void start(void) {
    const char *number = getenv("FAIL_MALLOC");
    char *library = getenv("FAIL_MALLOC_IN");
    if (library)
        dl_iterate_phdr(find, library);
    remaining = number ? atol(number) : -1;
}

__attribute__((destructor)) static void stop(void) {
    if (begin && left_behind() > 0)
        _exit(STATUS_LEFT_BEHIND);
    if (remaining > 0)
        _exit(STATUS_NEVER_REACHED);
}

/* ---- allocation ---- */

static int counts(const void *caller) {
    return !begin || ((uintptr_t)caller >= begin && (uintptr_t)caller < end_);
}

static int fails(const void *caller) {
    if (remaining < 0 || !counts(caller))
        return 0;
    return atomic_fetch_sub(&remaining, 1) == 1;
}

static void *noted(void *block, const void *caller) {
    return begin && counts(caller) ? note(block) : block;
}

#define CALLER __builtin_return_address(0)

void *malloc(size_t size) {
    return fails(CALLER) ? (errno = ENOMEM, NULL) : noted(__libc_malloc(size), CALLER);
}

void *calloc(size_t count, size_t size) {
    return fails(CALLER) ? (errno = ENOMEM, NULL) : noted(__libc_calloc(count, size), CALLER);
}

void *realloc(void *memory, size_t size) {
    if (fails(CALLER))
        return errno = ENOMEM, NULL;
    forget(memory);
    return noted(__libc_realloc(memory, size), CALLER);
}

void free(void *memory) {
    forget(memory);
    __libc_free(memory);
}
