/* SPDX-License-Identifier: MIT */
#include "base/elf-file.h"

#include <elf.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/fd.h"

/* Real files have a dozen segments, at most some hundred sections and libraries. */
#define SEGMENTS_MAX 512
#define SECTIONS_MAX 4096
#define DYNAMIC_MAX 65536
#define NEEDED_MAX 1024
#define CHUNK ((size_t)256 * 1024)

/* The header of a file, as numbers. */
struct elf {
    int fd;
    int *failure; /* the error of a read: what follows from it is not so */
    bool is64, big_endian;
    uint16_t type, machine, segment_size, segments, section_size, sections;
    uint64_t segments_at, sections_at;
};

struct part {
    uint32_t type;
    uint64_t flags, address, offset, size; /* in the file */
};

/* ---- numbers ---- */

static ssize_t read_some_of(const struct elf *elf, void *bytes, size_t size, uint64_t offset) {
    ssize_t n = offset <= INT64_MAX ? read_some_at(elf->fd, bytes, size, (off_t)offset) : 0;
    if (n < 0)
        *elf->failure = (int)n;
    return n;
}

static bool read_at(const struct elf *elf, void *bytes, size_t size, uint64_t offset) {
    return read_some_of(elf, bytes, size, offset) == (ssize_t)size;
}

static uint64_t number(const struct elf *elf, const unsigned char *bytes, unsigned size) {
    uint64_t value = 0;
    for (unsigned i = 0; i < size; i++)
        value = value << 8 | bytes[elf->big_endian ? i : size - 1 - i];
    return value;
}

/* A field of a structure that lies at one place in 64 bits and at another in 32. */
#define FIELD(elf, bytes, type, field)                                                             \
    ((elf)->is64 ? number(elf, (bytes) + offsetof(Elf64_##type, field),                            \
                          sizeof((Elf64_##type *)NULL)->field)                                     \
                 : number(elf, (bytes) + offsetof(Elf32_##type, field),                            \
                          sizeof((Elf32_##type *)NULL)->field))
#define SIZE_OF(elf, type) ((elf)->is64 ? sizeof(Elf64_##type) : sizeof(Elf32_##type))

static bool open_elf(int fd, int *failure, struct elf *elf) {
    unsigned char header[sizeof(Elf64_Ehdr)];
    *failure = 0;
    *elf = (struct elf){.fd = fd, .failure = failure};
    if (!read_at(elf, header, sizeof header, 0) || memcmp(header, ELFMAG, SELFMAG) != 0)
        return false;
    elf->is64 = header[EI_CLASS] == ELFCLASS64;
    elf->big_endian = header[EI_DATA] == ELFDATA2MSB;
    elf->type = (uint16_t)FIELD(elf, header, Ehdr, e_type);
    elf->machine = (uint16_t)FIELD(elf, header, Ehdr, e_machine);
    elf->segments_at = FIELD(elf, header, Ehdr, e_phoff);
    elf->segment_size = (uint16_t)FIELD(elf, header, Ehdr, e_phentsize);
    elf->segments = (uint16_t)FIELD(elf, header, Ehdr, e_phnum);
    elf->sections_at = FIELD(elf, header, Ehdr, e_shoff);
    elf->section_size = (uint16_t)FIELD(elf, header, Ehdr, e_shentsize);
    elf->sections = (uint16_t)FIELD(elf, header, Ehdr, e_shnum);
    return true;
}

static bool has_segments(const struct elf *elf) {
    return elf->segments <= SEGMENTS_MAX && elf->segment_size == SIZE_OF(elf, Phdr);
}

static bool has_sections(const struct elf *elf) {
    return elf->sections > 0 && elf->sections <= SECTIONS_MAX &&
           elf->section_size == SIZE_OF(elf, Shdr);
}

static bool read_segment(const struct elf *elf, size_t index, struct part *part) {
    unsigned char bytes[sizeof(Elf64_Phdr)];
    size_t size = SIZE_OF(elf, Phdr);
    if (elf->segments_at > INT64_MAX / 2 ||
        !read_at(elf, bytes, size, elf->segments_at + index * size))
        return false;
    *part = (struct part){
        .type = (uint32_t)FIELD(elf, bytes, Phdr, p_type),
        .flags = FIELD(elf, bytes, Phdr, p_flags),
        .address = FIELD(elf, bytes, Phdr, p_vaddr),
        .offset = FIELD(elf, bytes, Phdr, p_offset),
        .size = FIELD(elf, bytes, Phdr, p_filesz),
    };
    return true;
}

static bool read_section(const struct elf *elf, size_t index, struct part *part) {
    unsigned char bytes[sizeof(Elf64_Shdr)];
    size_t size = SIZE_OF(elf, Shdr);
    if (elf->sections_at > INT64_MAX / 2 ||
        !read_at(elf, bytes, size, elf->sections_at + index * size))
        return false;
    *part = (struct part){
        .type = (uint32_t)FIELD(elf, bytes, Shdr, sh_type),
        .flags = FIELD(elf, bytes, Shdr, sh_flags),
        .address = FIELD(elf, bytes, Shdr, sh_addr),
        .offset = FIELD(elf, bytes, Shdr, sh_offset),
        .size = FIELD(elf, bytes, Shdr, sh_size),
    };
    return true;
}

static bool find_segment(const struct elf *elf, uint32_t type, struct part *part) {
    for (size_t i = 0; has_segments(elf) && i < elf->segments; i++) {
        if (!read_segment(elf, i, part))
            return false;
        if (part->type == type)
            return true;
    }
    return false;
}

/* ---- what it is ---- */

static const char *arch_of(const struct elf *elf) {
    switch (elf->machine) {
    case EM_X86_64:
        return "x86_64";
    case EM_386:
        return "i386";
    case EM_AARCH64:
        return "aarch64";
    case EM_ARM:
        return "arm";
    case EM_RISCV:
        return elf->is64 ? "riscv64" : "riscv32";
    case EM_MIPS:
        if (elf->is64)
            return elf->big_endian ? "mips64" : "mips64el";
        return elf->big_endian ? "mips" : "mipsel";
    case EM_PPC:
        return "ppc";
    case EM_PPC64:
        return elf->big_endian ? "ppc64" : "ppc64le";
    case EM_S390:
        return "s390x";
    case EM_LOONGARCH:
        return "loongarch64";
    default:
        return NULL;
    }
}

static void read_loader(const struct elf *elf, struct elf_info *info) {
    struct part part;
    if (!find_segment(elf, PT_INTERP, &part) || part.size == 0 || part.size > sizeof info->loader ||
        !read_at(elf, info->loader, part.size, part.offset) || info->loader[part.size - 1] != '\0')
        info->loader[0] = '\0';
}

int elf_read(int fd, struct elf_info *info) {
    struct elf elf;
    int failure;
    memset(info, 0, sizeof *info);
    if (!open_elf(fd, &failure, &elf))
        return failure;
    info->is_elf = true;
    info->arch = arch_of(&elf);
    read_loader(&elf, info);
    info->is_program = elf.type == ET_EXEC || (elf.type == ET_DYN && info->loader[0]);
    if (failure < 0)
        memset(info, 0, sizeof *info);
    return failure;
}

/* ---- what the loader finds in it ---- */

/* Where an address of the running program lies in the file. */
static bool find_address(const struct elf *elf, uint64_t address, uint64_t *offset) {
    struct part part;
    for (size_t i = 0; i < elf->segments; i++) {
        if (!read_segment(elf, i, &part))
            return false;
        if (part.type == PT_LOAD && address >= part.address && address - part.address < part.size) {
            *offset = part.offset + (address - part.address);
            return true;
        }
    }
    return false;
}

/* The entries of a dynamic section that are looked at, in the order of the file. */
struct dynamic {
    uint64_t needed[NEEDED_MAX];
    size_t needed_count;
    uint64_t soname, rpath, runpath, strings, strings_size;
    bool has_soname, has_rpath, has_runpath, has_strings;
};

static bool take_entry(struct dynamic *dynamic, uint64_t tag, uint64_t value) {
    switch (tag) {
    case DT_NEEDED:
        if (dynamic->needed_count == NEEDED_MAX)
            return false;
        dynamic->needed[dynamic->needed_count++] = value;
        break;
    case DT_SONAME:
        dynamic->soname = value;
        dynamic->has_soname = true;
        break;
    case DT_RPATH:
        dynamic->rpath = value;
        dynamic->has_rpath = true;
        break;
    case DT_RUNPATH:
        dynamic->runpath = value;
        dynamic->has_runpath = true;
        break;
    case DT_STRTAB:
        dynamic->strings = value;
        dynamic->has_strings = true;
        break;
    case DT_STRSZ:
        dynamic->strings_size = value;
        break;
    }
    return true;
}

static bool take_entries(const struct elf *elf, const struct part *part, struct dynamic *dynamic) {
    unsigned char bytes[sizeof(Elf64_Dyn)];
    size_t size = SIZE_OF(elf, Dyn);
    for (uint64_t i = 0; i < part->size / size && i < DYNAMIC_MAX / size; i++) {
        if (part->offset > INT64_MAX / 2 || !read_at(elf, bytes, size, part->offset + i * size))
            return false;
        uint64_t tag = FIELD(elf, bytes, Dyn, d_tag);
        if (tag == DT_NULL)
            return true;
        if (!take_entry(dynamic, tag, FIELD(elf, bytes, Dyn, d_un)))
            return false;
    }
    return part->size <= DYNAMIC_MAX;
}

/* A text of the table of strings. Returns 0, -EINVAL or -ENOMEM. */
static int read_text(const struct elf *elf, const struct dynamic *dynamic, uint64_t strings_at,
                     uint64_t index, char **text) {
    char buffer[PATH_MAX];
    if (index >= dynamic->strings_size || strings_at > INT64_MAX / 2 || index > INT64_MAX / 2)
        return -EINVAL;
    uint64_t left = dynamic->strings_size - index;
    ssize_t n = read_some_of(elf, buffer, left < sizeof buffer ? (size_t)left : sizeof buffer,
                             strings_at + index);
    if (n <= 0 || !memchr(buffer, '\0', (size_t)n))
        return -EINVAL;
    *text = strdup(buffer);
    return *text ? 0 : -ENOMEM;
}

static int read_texts(const struct elf *elf, const struct dynamic *dynamic,
                      struct elf_needs *needs) {
    uint64_t at;
    int r = 0;
    if (dynamic->needed_count == 0 && !dynamic->has_soname && !dynamic->has_rpath &&
        !dynamic->has_runpath)
        return 0;
    if (!dynamic->has_strings || !find_address(elf, dynamic->strings, &at))
        return -EINVAL;
    for (size_t i = 0; r == 0 && i < dynamic->needed_count; i++) {
        char *name;
        r = read_text(elf, dynamic, at, dynamic->needed[i], &name);
        if (r == 0)
            strv_take_in(&needs->libraries, name);
    }
    if (r == 0 && dynamic->has_soname)
        r = read_text(elf, dynamic, at, dynamic->soname, &needs->soname);
    if (r == 0 && dynamic->has_rpath)
        r = read_text(elf, dynamic, at, dynamic->rpath, &needs->rpath);
    if (r == 0 && dynamic->has_runpath)
        r = read_text(elf, dynamic, at, dynamic->runpath, &needs->runpath);
    return needs->libraries.failed ? -ENOMEM : r;
}

static int read_needs(const struct elf *elf, struct elf_needs *needs) {
    struct part part;
    if (!has_segments(elf))
        return -EINVAL;
    if (!find_segment(elf, PT_DYNAMIC, &part))
        return elf->segments == 0 || read_segment(elf, elf->segments - 1u, &part) ? 0 : -EINVAL;
    struct dynamic *dynamic = calloc(1, sizeof *dynamic);
    if (!dynamic)
        return -ENOMEM;
    int r = take_entries(elf, &part, dynamic) ? read_texts(elf, dynamic, needs) : -EINVAL;
    free(dynamic);
    return r;
}

int elf_read_needs(int fd, struct elf_needs *needs) {
    struct elf elf;
    int failure;
    *needs = (struct elf_needs){0};
    int r = open_elf(fd, &failure, &elf) ? read_needs(&elf, needs) : -EINVAL;
    if (failure < 0)
        r = failure;
    if (r < 0)
        elf_needs_release(needs);
    return r;
}

void elf_needs_release(struct elf_needs *needs) {
    strv_release(&needs->libraries);
    free(needs->soname);
    free(needs->rpath);
    free(needs->runpath);
    *needs = (struct elf_needs){0};
}

/* ---- strings ---- */

/* What is read, behind the end of what was read before, which a text can begin in. */
struct text_reader {
    const struct watch *watch;
    elf_string_fn function;
    void *userdata;
    char *buffer; /* of ELF_STRING_MAX + CHUNK */
    size_t kept;
};

static bool is_text(char c) {
    return c >= ' ' && c <= '~';
}

static int find_texts(const struct text_reader *reader, size_t size) {
    const char *buffer = reader->buffer;
    for (size_t end = reader->kept; end < size; end++) {
        if (buffer[end] != '\0' || end < 4 || !is_text(buffer[end - 1]))
            continue;
        size_t start = end;
        while (start > 0 && end - start < ELF_STRING_MAX && is_text(buffer[start - 1]))
            start--;
        int r =
            end - start >= 4 ? reader->function(buffer + start, end - start, reader->userdata) : 0;
        if (r != 0)
            return r;
    }
    return 0;
}

/* A part may claim to be longer than the file. */
static int read_texts_of(const struct elf *elf, const struct part *part,
                         struct text_reader *reader) {
    reader->kept = 0;
    for (uint64_t done = 0; done < part->size && part->offset + done <= INT64_MAX;) {
        uint64_t left = part->size - done;
        int r = watch_poll(reader->watch);
        if (r < 0)
            return r;
        ssize_t n = read_some_of(elf, reader->buffer + reader->kept,
                                 left < CHUNK ? (size_t)left : CHUNK, part->offset + done);
        if (n <= 0)
            return (int)n;
        size_t size = reader->kept + (size_t)n;
        r = find_texts(reader, size);
        if (r != 0)
            return r;
        reader->kept = size < ELF_STRING_MAX ? size : ELF_STRING_MAX;
        memmove(reader->buffer, reader->buffer + size - reader->kept, reader->kept);
        done += (uint64_t)n;
    }
    return 0;
}

/* Data that is in memory when the program runs, and the names of symbols. */
static bool is_data_section(const struct part *part) {
    return (part->type == SHT_PROGBITS || part->type == SHT_STRTAB) && part->flags & SHF_ALLOC &&
           !(part->flags & SHF_EXECINSTR);
}

/* Parts that are in the file; they may overlap, but together they are no larger than it. */
static bool spend(uint64_t *left, const struct part *part, uint64_t file_size) {
    if (part->offset > file_size || part->size > *left)
        return false;
    *left -= part->size;
    return true;
}

/* A file whose sections were stripped has segments only. */
static int read_all_texts(const struct elf *elf, struct text_reader *reader, uint64_t file_size) {
    uint64_t left = file_size;
    bool by_section = has_sections(elf);
    size_t count = by_section ? elf->sections : has_segments(elf) ? elf->segments : 0;
    struct part part;
    int r = count > 0 ? 0 : -EINVAL;
    for (size_t i = 0; r == 0 && i < count; i++) {
        if (!(by_section ? read_section(elf, i, &part) : read_segment(elf, i, &part)))
            return -EINVAL;
        if (by_section ? !is_data_section(&part) : part.type != PT_LOAD)
            continue;
        r = spend(&left, &part, file_size) ? read_texts_of(elf, &part, reader) : -EINVAL;
    }
    return r;
}

int elf_for_each_string(int fd, const struct watch *watch, elf_string_fn function, void *userdata) {
    struct elf elf;
    struct stat status;
    int failure;
    if (fstat(fd, &status) < 0)
        return -errno;
    if (!open_elf(fd, &failure, &elf))
        return failure < 0 ? failure : -EINVAL;
    struct text_reader reader = {watch, function, userdata, malloc(ELF_STRING_MAX + CHUNK), 0};
    if (!reader.buffer)
        return -ENOMEM;
    int r = read_all_texts(&elf, &reader, (uint64_t)status.st_size);
    free(reader.buffer);
    return failure < 0 ? failure : r;
}
