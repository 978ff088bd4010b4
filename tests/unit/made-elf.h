/* SPDX-License-Identifier: MIT */
/* Small ELF files of any width and byte order, as a linker would have made them. */
#ifndef MADE_ELF_H
#define MADE_ELF_H

#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "asserts.h"
#include "util/fd.h"

#define MADE_ADDRESS 0x10000u
#define MADE_STRINGS 0x200u
#define MADE_DYNAMIC 0x500u
#define MADE_DATA 0x800u
#define MADE_SECTIONS 0x1d00u
#define MADE_SIZE 0x2000u
#define MADE_TEXTS_MAX 64

struct made_elf {
    bool is32, big_endian, has_sections;
    uint16_t machine;
    const char *loader, *soname, *rpath, *runpath;
    const char *needed[8];
    const char *texts[MADE_TEXTS_MAX]; /* its data, each with a NUL behind it */
    const char *symbol;                /* the name of one that it defines */
};

struct elf_maker {
    const struct made_elf *made;
    unsigned char bytes[MADE_SIZE];
    size_t strings_used, segments, dynamics;
};

static inline void put_number(struct elf_maker *maker, size_t at, size_t size, uint64_t value) {
    for (size_t i = 0; i < size; i++)
        maker->bytes[at + (maker->made->big_endian ? size - 1 - i : i)] =
            (unsigned char)(value >> (8 * i));
}

#define PUT(maker, at, type, field, value)                                                         \
    ((maker)->made->is32 ? put_number(maker, (at) + offsetof(Elf32_##type, field),                 \
                                      sizeof((Elf32_##type *)NULL)->field, value)                  \
                         : put_number(maker, (at) + offsetof(Elf64_##type, field),                 \
                                      sizeof((Elf64_##type *)NULL)->field, value))
#define SIZE(maker, type) ((maker)->made->is32 ? sizeof(Elf32_##type) : sizeof(Elf64_##type))

static inline size_t put_string(struct elf_maker *maker, const char *text) {
    size_t at = maker->strings_used, size = strlen(text) + 1;
    ck_assert_uint_lt(MADE_STRINGS + at + size, MADE_DYNAMIC);
    memcpy(maker->bytes + MADE_STRINGS + at, text, size);
    maker->strings_used += size;
    return at;
}

static inline void put_segment(struct elf_maker *maker, uint32_t type, size_t offset, size_t size) {
    size_t at = 64 + maker->segments++ * SIZE(maker, Phdr);
    PUT(maker, at, Phdr, p_type, type);
    PUT(maker, at, Phdr, p_offset, offset);
    PUT(maker, at, Phdr, p_vaddr, MADE_ADDRESS + offset);
    PUT(maker, at, Phdr, p_filesz, size);
}

static inline void put_dynamic(struct elf_maker *maker, uint64_t tag, uint64_t value) {
    size_t at = MADE_DYNAMIC + maker->dynamics++ * SIZE(maker, Dyn);
    PUT(maker, at, Dyn, d_tag, tag);
    PUT(maker, at, Dyn, d_un, value);
}

static inline void put_section(struct elf_maker *maker, size_t number, uint32_t type,
                               uint64_t flags, size_t offset, size_t size) {
    size_t at = MADE_SECTIONS + number * SIZE(maker, Shdr);
    PUT(maker, at, Shdr, sh_type, type);
    PUT(maker, at, Shdr, sh_flags, flags);
    PUT(maker, at, Shdr, sh_offset, offset);
    PUT(maker, at, Shdr, sh_size, size);
}

static inline void put_header(struct elf_maker *maker) {
    const struct made_elf *made = maker->made;
    memcpy(maker->bytes, ELFMAG, SELFMAG);
    maker->bytes[EI_CLASS] = made->is32 ? ELFCLASS32 : ELFCLASS64;
    maker->bytes[EI_DATA] = made->big_endian ? ELFDATA2MSB : ELFDATA2LSB;
    maker->bytes[EI_VERSION] = EV_CURRENT;
    PUT(maker, 0, Ehdr, e_type, ET_DYN);
    PUT(maker, 0, Ehdr, e_machine, made->machine ? made->machine : EM_X86_64);
    PUT(maker, 0, Ehdr, e_phoff, 64);
    PUT(maker, 0, Ehdr, e_phentsize, SIZE(maker, Phdr));
    PUT(maker, 0, Ehdr, e_phnum, maker->segments);
    if (made->has_sections) {
        PUT(maker, 0, Ehdr, e_shoff, MADE_SECTIONS);
        PUT(maker, 0, Ehdr, e_shentsize, SIZE(maker, Shdr));
        PUT(maker, 0, Ehdr, e_shnum, 4);
    }
}

static inline void put_needs(struct elf_maker *maker) {
    const struct made_elf *made = maker->made;
    bool is_dynamic = made->needed[0] || made->soname || made->rpath || made->runpath;
    put_string(maker, "");
    for (size_t i = 0; i < 8 && made->needed[i]; i++)
        put_dynamic(maker, DT_NEEDED, put_string(maker, made->needed[i]));
    if (made->soname)
        put_dynamic(maker, DT_SONAME, put_string(maker, made->soname));
    if (made->rpath)
        put_dynamic(maker, DT_RPATH, put_string(maker, made->rpath));
    if (made->runpath)
        put_dynamic(maker, DT_RUNPATH, put_string(maker, made->runpath));
    if (made->symbol)
        put_string(maker, made->symbol);
    if (!is_dynamic)
        return;
    put_dynamic(maker, DT_STRTAB, MADE_ADDRESS + MADE_STRINGS);
    put_dynamic(maker, DT_STRSZ, maker->strings_used);
    put_dynamic(maker, DT_NULL, 0);
    put_segment(maker, PT_DYNAMIC, MADE_DYNAMIC, maker->dynamics * SIZE(maker, Dyn));
}

static inline void put_texts(struct elf_maker *maker) {
    size_t at = MADE_DATA + 1; /* behind a NUL */
    for (size_t i = 0; i < MADE_TEXTS_MAX && maker->made->texts[i]; i++) {
        size_t size = strlen(maker->made->texts[i]) + 1;
        ck_assert_uint_lt(at + size, MADE_SECTIONS);
        memcpy(maker->bytes + at, maker->made->texts[i], size);
        at += size;
    }
}

static inline void make_elf(const struct made_elf *made, struct elf_maker *maker) {
    memset(maker, 0, sizeof *maker);
    maker->made = made;
    put_segment(maker, PT_LOAD, 0, MADE_SIZE);
    put_needs(maker);
    if (made->loader)
        put_segment(maker, PT_INTERP, MADE_STRINGS + put_string(maker, made->loader),
                    strlen(made->loader) + 1);
    put_texts(maker);
    if (made->has_sections) {
        put_section(maker, 1, SHT_PROGBITS, SHF_ALLOC, MADE_DATA, MADE_SECTIONS - MADE_DATA);
        put_section(maker, 2, SHT_STRTAB, SHF_ALLOC, MADE_STRINGS, maker->strings_used);
        put_section(maker, 3, SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR, 0, MADE_STRINGS);
    }
    put_header(maker);
}

static inline void write_elf(int fd, const struct made_elf *made) {
    static struct elf_maker maker;
    make_elf(made, &maker);
    ck_assert_int_eq(write_all(fd, maker.bytes, sizeof maker.bytes), 0);
}

#endif
