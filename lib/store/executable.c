/* SPDX-License-Identifier: MIT */
#include "store/executable.h"

#include <stdbool.h>
#include <string.h>

#include "base/elf-file.h"
#include "util/fd.h"
#include "util/path.h"

/* ld-linux-x86-64.so.2, ld.so.1, ld64.so.2 ... */
static bool is_loader_name(const char *name) {
    return strncmp(name, "ld-", 3) == 0 || strncmp(name, "ld.so", 5) == 0 ||
           strncmp(name, "ld64.so", 7) == 0;
}

int executable_is_wanted(const struct manifest_object *object, int fd) {
    char start[2];
    struct elf_info elf;
    if (object->mode)
        return (object->mode & 0111) != 0;
    if (strncmp(object->path, "bin/", 4) == 0 || is_loader_name(base_name(object->path)))
        return 1;
    if (fd < 0)
        return 0;
    ssize_t n = read_some_at(fd, start, sizeof start, 0);
    if (n < 0)
        return (int)n;
    if (n == sizeof start && memcmp(start, "#!", sizeof start) == 0)
        return 1;
    int r = elf_read(fd, &elf);
    return r < 0 ? r : elf.is_program;
}
