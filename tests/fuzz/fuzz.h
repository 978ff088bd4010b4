/* SPDX-License-Identifier: MIT */
/*
 * What targets share. A target is one file that defines LLVMFuzzerTestOneInput(): libFuzzer calls
 * it with what it made up, and replay.c with the files of a corpus. What must hold is checked by
 * FUZZ_CHECK(), so that a broken promise shows like a crash.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <volt-qemu/volt-qemu.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Print why and abort. */
void fuzz_fail(const char *file, int line, const char *format, ...)
    __attribute__((noreturn, format(printf, 3, 4)));

/* The condition, then a format and what goes into it, for the message. */
#define FUZZ_CHECK(condition, ...)                                                                 \
    do {                                                                                           \
        if (!(condition))                                                                          \
            fuzz_fail(__FILE__, __LINE__, __VA_ARGS__);                                            \
    } while (0)

/* What a target begins with: what is run, for the checks below. NULL if that does not show what
 * can come into a message, because it is compressed. */
void fuzz_begin(const uint8_t *data, size_t size);

/* Whether text is UTF-8 without anything that ends a line, reorders it or moves a cursor; found
 * out apart from the library. */
bool fuzz_is_printable(const char *text);
bool fuzz_is_utf8(const char *text);

/*
 * A result and its error agree; the message is one printable line that does not end in a full stop
 * or a blank, unless the input does; the reason is a word. Frees the error, and sets it to NULL.
 * Returns the result.
 */
int fuzz_check_result(int result, vqemu_error **error);

/* A directory for the time of the process, in memory if possible; both forms. */
int fuzz_scratch_fd(void);
const char *fuzz_scratch(void);

/* Make a file anew; directories in its path, which is relative to the scratch directory, too. */
void fuzz_write(const char *path, const void *bytes, size_t size);

/* How many entries a directory below the scratch directory has; 0 if it is missing. */
size_t fuzz_count_entries(const char *path);

/* A copy of the input with a NUL behind it, freed by the caller. */
char *fuzz_text(const uint8_t *data, size_t size);

/* ---- the library, as targets need it ---- */

/* A selection; NULL where there is none of these words. Freed by vqemu_selection_free(). */
vqemu_selection *fuzz_select(const char *host_arch, const char *profile, const char *guest_arch);

/* A runtime described by hand, never NULL. With plain, it has a loader and modules, and all paths
 * are plain; otherwise it has just libraries, in a directory with an odd name. */
vqemu_runtime *fuzz_make_runtime(const vqemu_selection *selection, bool plain);

/* The store in the scratch directory's store/, made if it is missing. Never NULL. */
vqemu_store *fuzz_open_store(void);

/* A store with one small revision of emulate-x86, and the name of that. Never NULL. */
vqemu_store *fuzz_fill_store(vqemu_revision **revision);

#endif
