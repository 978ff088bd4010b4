/* SPDX-License-Identifier: MIT */
/* The little of an ELF header that a profile needs (elf(5)). */
#ifndef LIB_ELF_FILE_H
#define LIB_ELF_FILE_H

#include <limits.h>
#include <stdbool.h>

struct elf_info {
    bool is_elf;
    bool is_program;  /* can be executed: fixed address, or has an interpreter */
    const char *arch; /* the host that runs it, as in the architecture table; NULL if unknown */
    char loader[PATH_MAX]; /* the interpreter (dynamic loader) it asks for; "" for none */
};

/* A file that is no ELF, or a broken one, is not an error: is_elf is false then. */
void elf_read(int fd, struct elf_info *info);

#endif
