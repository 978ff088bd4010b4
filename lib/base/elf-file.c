/* SPDX-License-Identifier: MIT */
#include "base/elf-file.h"

#include <elf.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

static bool read_at(int fd, void *bytes, size_t size, uint64_t offset) {
    return offset <= INT64_MAX && pread(fd, bytes, size, (off_t)offset) == (ssize_t)size;
}

static const char *arch_of(uint16_t machine, bool is64, bool little_endian) {
    switch (machine) {
    case EM_X86_64:
        return "x86_64";
    case EM_386:
        return "i386";
    case EM_AARCH64:
        return "aarch64";
    case EM_ARM:
        return "arm";
    case EM_RISCV:
        return is64 ? "riscv64" : "riscv32";
    case EM_MIPS:
        if (is64)
            return little_endian ? "mips64el" : "mips64";
        return little_endian ? "mipsel" : "mips";
    case EM_PPC:
        return "ppc";
    case EM_PPC64:
        return little_endian ? "ppc64le" : "ppc64";
    case EM_S390:
        return "s390x";
    case EM_LOONGARCH:
        return "loongarch64";
    default:
        return NULL;
    }
}

static void read_loader(int fd, uint64_t offset, uint64_t size, struct elf_info *info) {
    if (size == 0 || size > sizeof info->loader || !read_at(fd, info->loader, size, offset) ||
        info->loader[size - 1] != '\0')
        info->loader[0] = '\0';
}

/* Only programs of this machine's own width and byte order are looked into: others cannot run. */
#if UINTPTR_MAX > 0xffffffff
typedef Elf64_Ehdr native_header;
typedef Elf64_Phdr native_segment;
#define NATIVE_CLASS ELFCLASS64
#else
typedef Elf32_Ehdr native_header;
typedef Elf32_Phdr native_segment;
#define NATIVE_CLASS ELFCLASS32
#endif
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define NATIVE_DATA ELFDATA2LSB
#else
#define NATIVE_DATA ELFDATA2MSB
#endif

static void read_segments(int fd, const native_header *header, struct elf_info *info) {
    for (uint16_t i = 0; i < header->e_phnum; i++) {
        native_segment segment;
        if (!read_at(fd, &segment, sizeof segment, header->e_phoff + i * sizeof segment))
            return;
        if (segment.p_type == PT_INTERP) {
            read_loader(fd, segment.p_offset, segment.p_filesz, info);
            return;
        }
    }
}

void elf_read(int fd, struct elf_info *info) {
    native_header header;
    memset(info, 0, sizeof *info);
    if (!read_at(fd, &header, sizeof header, 0) || memcmp(header.e_ident, ELFMAG, SELFMAG) != 0)
        return;
    info->is_elf = true;
    bool is64 = header.e_ident[EI_CLASS] == ELFCLASS64;
    bool little_endian = header.e_ident[EI_DATA] == ELFDATA2LSB;
    bool native_order = header.e_ident[EI_DATA] == NATIVE_DATA;
    /* e_type and e_machine lie at the same place in both widths. */
    uint16_t machine = native_order ? header.e_machine : __builtin_bswap16(header.e_machine);
    uint16_t type = native_order ? header.e_type : __builtin_bswap16(header.e_type);
    info->arch = arch_of(machine, is64, little_endian);
    if (native_order && header.e_ident[EI_CLASS] == NATIVE_CLASS &&
        header.e_phentsize == sizeof(native_segment))
        read_segments(fd, &header, info);
    info->is_program = type == ET_EXEC || (type == ET_DYN && info->loader[0]);
}
