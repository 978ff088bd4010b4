/* SPDX-License-Identifier: MIT */
/*
 * What a profile asks of its ELF files (elf(5)), of either width and byte order. They may be
 * anybody's: all is bounded, and what points out of the file is not followed.
 */
#ifndef LIB_ELF_FILE_H
#define LIB_ELF_FILE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/progress.h"
#include "util/strv.h"

struct elf_info {
    bool is_elf;
    bool is_program;  /* can be executed: fixed address, or has an interpreter */
    const char *arch; /* the host that runs it, as in the architecture table; NULL if unknown */
    char loader[PATH_MAX]; /* the interpreter (dynamic loader) it asks for; "" for none */
};

/* A file that is no ELF, or a broken one, is not an error: is_elf is false then. Returns 0 or the
 * error of a read, after which nothing is known. */
int elf_read(int fd, struct elf_info *info);

/* What the dynamic loader finds in a file; all empty for a static program. */
struct elf_needs {
    struct strv libraries; /* those it needs (DT_NEEDED), as they are written there */
    char *soname;          /* the name that others need it by (DT_SONAME); NULL for none */
    char *rpath, *runpath; /* directories separated by ":"; NULL for none */
};

/* Returns 0, -EINVAL if the file is no ELF or broken, so that it cannot be told, -ENOMEM, or the
 * error of a read. */
int elf_read_needs(int fd, struct elf_needs *needs);
void elf_needs_release(struct elf_needs *needs);

/* Of a longer one, the end is called back for. */
#define ELF_STRING_MAX 255

/* A text of at least four printable characters of ASCII. Returns 0 to go on. */
typedef int (*elf_string_fn)(const char *text, size_t length, void *userdata);

/*
 * Call back for each text in what a file has for data: a NUL follows it, and what is before it is
 * no character of a text, but may be chance. A text can be the end of another one, of which linkers
 * keep only the longer. Now and then watch is asked whether to go on; it may be NULL. Returns 0,
 * what the function returned, -EINVAL if the file is no ELF or broken, -ECANCELED, -ENOMEM, or the
 * error of a read.
 */
int elf_for_each_string(int fd, const struct watch *watch, elf_string_fn function, void *userdata);

#define _cleanup_elf_needs_ __attribute__((cleanup(elf_needs_release)))

#endif
