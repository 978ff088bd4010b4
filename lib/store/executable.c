/* SPDX-License-Identifier: MIT */
#include "store/executable.h"

#include <string.h>
#include <unistd.h>

#include "base/elf-file.h"
#include "util/path.h"

/* ld-linux-x86-64.so.2, ld.so.1, ld64.so.2 ... */
static bool is_loader_name(const char *name) {
    return strncmp(name, "ld-", 3) == 0 || strncmp(name, "ld.so", 5) == 0 ||
           strncmp(name, "ld64.so", 7) == 0;
}

bool executable_is_wanted(const struct manifest_object *object, int fd) {
    char start[2];
    struct elf_info elf;
    if (object->mode)
        return object->mode & 0111;
    if (strncmp(object->path, "bin/", 4) == 0 || is_loader_name(base_name(object->path)))
        return true;
    if (fd < 0)
        return false;
    if (pread(fd, start, 2, 0) == 2 && memcmp(start, "#!", 2) == 0)
        return true;
    elf_read(fd, &elf);
    return elf.is_program;
}
