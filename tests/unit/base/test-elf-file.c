/* SPDX-License-Identifier: MIT */
#include "base/elf-file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>

#include "made-elf.h"
#include "run.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

/* Both widths in both byte orders. */
static const struct kind {
    bool is32, big_endian;
    uint16_t machine;
    const char *arch;
} kinds[] = {
    {false, false, EM_X86_64, "x86_64"}, {true, false, EM_386, "i386"},
    {false, true, EM_S390, "s390x"},     {true, true, EM_PPC, "ppc"},
    {false, false, EM_PPC64, "ppc64le"}, {false, true, EM_PPC64, "ppc64"},
    {true, false, EM_MIPS, "mipsel"},    {false, true, EM_MIPS, "mips64"},
    {true, false, EM_RISCV, "riscv32"},  {false, false, EM_RISCV, "riscv64"},
};
#define KINDS ((int)(sizeof kinds / sizeof kinds[0]))

static int file_of(const struct made_elf *made) {
    int fd = memfd_create("elf", MFD_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    write_elf(fd, made);
    return fd;
}

static int file_of_kind(const struct kind *kind, const struct made_elf *made) {
    struct made_elf of_kind = *made;
    of_kind.is32 = kind->is32;
    of_kind.big_endian = kind->big_endian;
    of_kind.machine = kind->machine;
    return file_of(&of_kind);
}

static int list_text(const char *text, size_t length, void *list) {
    ck_assert_uint_eq(strlen(text), length);
    strbuf_addf(list, "%s;", text);
    return 0;
}

static char *texts_of(int fd) {
    struct strbuf list = {0};
    ck_assert_int_eq(elf_for_each_string(fd, NULL, list_text, &list), 0);
    return strbuf_take(&list);
}

START_TEST(every_width_and_byte_order_is_read) {
    const struct kind *kind = &kinds[_i];
    const struct made_elf made = {
        .loader = "/lib/ld.so.1",
        .needed = {"libc.so.6", "libz.so.1"},
        .soname = "libx.so.1",
        .rpath = "/opt/lib",
        .runpath = "$ORIGIN/x:/usr/lib",
        .texts = {"bios-256k.bin", "abc", "qemu_stamp_1"},
        .has_sections = true,
    };
    _cleanup_close_ int fd = file_of_kind(kind, &made);
    struct elf_info info;
    elf_read(fd, &info);
    ck_assert(info.is_elf && info.is_program);
    ck_assert_str_eq(info.arch, kind->arch);
    ck_assert_str_eq(info.loader, made.loader);

    _cleanup_elf_needs_ struct elf_needs needs;
    ck_assert_int_eq(elf_read_needs(fd, &needs), 0);
    ck_assert_uint_eq(needs.libraries.count, 2);
    ck_assert_str_eq(needs.libraries.items[0], "libc.so.6");
    ck_assert_str_eq(needs.libraries.items[1], "libz.so.1");
    ck_assert_str_eq(needs.soname, made.soname);
    ck_assert_str_eq(needs.rpath, made.rpath);
    ck_assert_str_eq(needs.runpath, made.runpath);

    _cleanup_free_ char *texts = texts_of(fd);
    ck_assert_str_eq(texts, "bios-256k.bin;qemu_stamp_1;libc.so.6;libz.so.1;libx.so.1;/opt/lib;"
                            "$ORIGIN/x:/usr/lib;/lib/ld.so.1;");
}
END_TEST

START_TEST(a_static_program_needs_nothing) {
    const struct made_elf made = {.texts = {"text"}};
    _cleanup_close_ int fd = file_of_kind(&kinds[_i], &made);
    _cleanup_elf_needs_ struct elf_needs needs;
    ck_assert_int_eq(elf_read_needs(fd, &needs), 0);
    ck_assert_uint_eq(needs.libraries.count, 0);
    ck_assert(!needs.soname && !needs.rpath && !needs.runpath);
}
END_TEST

START_TEST(without_sections_all_that_is_loaded_has_texts) {
    const struct made_elf made = {.texts = {"kvmvapic.bin"}, .needed = {"libc.so.6"}};
    _cleanup_close_ int fd = file_of(&made);
    _cleanup_free_ char *texts = texts_of(fd);
    ck_assert_ptr_nonnull(strstr(texts, "kvmvapic.bin;"));
    ck_assert_ptr_nonnull(strstr(texts, "libc.so.6;"));
}
END_TEST

static int stop(const char *text, size_t length, void *count) {
    (void)text;
    (void)length;
    return ++*(int *)count == 2 ? 7 : 0;
}

START_TEST(a_search_can_end_early) {
    const struct made_elf made = {.texts = {"first", "second", "third"}, .has_sections = true};
    _cleanup_close_ int fd = file_of(&made);
    int count = 0;
    ck_assert_int_eq(elf_for_each_string(fd, NULL, stop, &count), 7);
    ck_assert_int_eq(count, 2);
}
END_TEST

START_TEST(reading_can_be_cancelled) {
    const struct made_elf made = {.texts = {"first"}, .has_sections = true};
    _cleanup_close_ int fd = file_of(&made);
    _cleanup_strbuf_ struct strbuf list = {0};
    vqemu_call *call = NULL;
    ck_assert_int_eq(vqemu_call_new(&call, NULL), 0);
    vqemu_call_cancel(call);
    struct vqemu_progress progress = {.call = call};
    const struct watch watch = {&progress, 0};
    ck_assert_int_eq(elf_for_each_string(fd, &watch, list_text, &list), -ECANCELED);
    ck_assert_uint_eq(list.length, 0);
    vqemu_call_unref(call);
}
END_TEST

/* The reader takes a quarter of a MiB at a time: this one lies across. */
START_TEST(a_text_across_two_reads_is_whole) {
    static char padding[256 * 1024 - 10];
    struct elf_maker maker;
    make_elf(&(struct made_elf){.has_sections = true}, &maker);
    PUT(&maker, MADE_SECTIONS + SIZE(&maker, Shdr), Shdr, sh_offset, MADE_SIZE);
    PUT(&maker, MADE_SECTIONS + SIZE(&maker, Shdr), Shdr, sh_size, sizeof padding + 21);
    _cleanup_close_ int fd = memfd_create("elf", MFD_CLOEXEC);
    ck_assert_int_eq(write_all(fd, maker.bytes, sizeof maker.bytes), 0);
    ck_assert_int_eq(write_all(fd, padding, sizeof padding), 0);
    ck_assert_int_eq(write_all(fd, "vgabios-virtio.bin\0x", 21), 0);
    _cleanup_free_ char *texts = texts_of(fd);
    ck_assert_str_eq(texts, "vgabios-virtio.bin;");
}
END_TEST

START_TEST(of_a_long_text_there_is_the_end) {
    char text[1000];
    memset(text, 'x', sizeof text);
    memcpy(text + sizeof text - 10, "/slof.bin", 10);
    const struct made_elf made = {.texts = {text}, .has_sections = true};
    _cleanup_close_ int fd = file_of(&made);
    _cleanup_free_ char *texts = texts_of(fd);
    ck_assert_uint_eq(strlen(texts), ELF_STRING_MAX + 1);
    ck_assert_ptr_nonnull(strstr(texts, "x/slof.bin;"));
}
END_TEST

/* ---- broken ones ---- */

static int break_at(size_t at, size_t size, uint64_t value, struct elf_needs *needs) {
    static const struct made_elf made = {
        .needed = {"libc.so.6"}, .texts = {"text"}, .has_sections = true};
    struct elf_maker maker;
    make_elf(&made, &maker);
    put_number(&maker, at, size, value);
    int fd = memfd_create("elf", MFD_CLOEXEC);
    ck_assert_int_eq(write_all(fd, maker.bytes, sizeof maker.bytes), 0);
    *needs = (struct elf_needs){0};
    return fd;
}

/* An entry of the dynamic section: needed, table, its size, end. */
#define ENTRY(number) (MADE_DYNAMIC + (number) * sizeof(Elf64_Dyn))

START_TEST(what_cannot_be_told_is_said) {
    static const struct {
        size_t at, size;
        uint64_t value;
    } breaks[] = {
        {ENTRY(0) + 8, 8, 1u << 20},   /* a name outside of the table, */
        {ENTRY(0) + 8, 8, UINT64_MAX}, /* far outside, */
        {ENTRY(1) + 8, 8, 1},          /* a table that is not loaded, */
        {ENTRY(1) + 8, 8, UINT64_MAX},
        {ENTRY(1), 8, DT_NULL},                           /* none, */
        {ENTRY(2) + 8, 8, 5},                             /* a name without an end, */
        {64 + sizeof(Elf64_Phdr) + 8, 8, UINT64_MAX - 8}, /* an offset beyond all files, */
        {64 + sizeof(Elf64_Phdr) + 8, 8, INT64_MAX - 8},
        {64 + sizeof(Elf64_Phdr) + 8, 8, 1u << 30},
        {offsetof(Elf64_Ehdr, e_phentsize), 2, 1}, /* segments of another size, */
        {offsetof(Elf64_Ehdr, e_phnum), 2, 60000}, /* too many, */
        {offsetof(Elf64_Ehdr, e_phoff), 8, UINT64_MAX - 60},
        {offsetof(Elf64_Ehdr, e_phoff), 8, 1u << 30},
    };
    for (size_t i = 0; i < sizeof breaks / sizeof breaks[0]; i++) {
        struct elf_needs needs;
        _cleanup_close_ int fd = break_at(breaks[i].at, breaks[i].size, breaks[i].value, &needs);
        ck_assert_msg(elf_read_needs(fd, &needs) == -EINVAL, "break %zu", i);
        ck_assert_uint_eq(needs.libraries.count, 0);
    }
}
END_TEST

START_TEST(texts_of_broken_files_are_bounded) {
    static const struct {
        size_t at, size;
        uint64_t value;
        int expected;
    } breaks[] = {
        /* A section larger than the file, sections that overlap, and the end of numbers. */
        {MADE_SECTIONS + sizeof(Elf64_Shdr) + 32, 8, 1u << 30, -EINVAL},
        {MADE_SECTIONS + 2 * sizeof(Elf64_Shdr) + 32, 8, MADE_SIZE, -EINVAL},
        {MADE_SECTIONS + sizeof(Elf64_Shdr) + 24, 8, UINT64_MAX, -EINVAL},
        {MADE_SECTIONS + sizeof(Elf64_Shdr) + 24, 8, MADE_SIZE + 1, -EINVAL},
        {offsetof(Elf64_Ehdr, e_shoff), 8, UINT64_MAX - 8, -EINVAL},
        {offsetof(Elf64_Ehdr, e_shoff), 8, 1u << 30, -EINVAL},
    };
    for (size_t i = 0; i < sizeof breaks / sizeof breaks[0]; i++) {
        struct elf_needs needs;
        _cleanup_strbuf_ struct strbuf list = {0};
        _cleanup_close_ int fd = break_at(breaks[i].at, breaks[i].size, breaks[i].value, &needs);
        int r = elf_for_each_string(fd, NULL, list_text, &list);
        ck_assert_msg(r == breaks[i].expected, "break %zu: %d", i, r);
    }
}
END_TEST

START_TEST(no_elf_has_no_needs_and_no_texts) {
    static const char script[] = "#!/bin/sh\nexec \"$@\"; # and more, so that there is a header to "
                                 "read, if it were one\n";
    _cleanup_close_ int fd = memfd_create("script", MFD_CLOEXEC);
    _cleanup_elf_needs_ struct elf_needs needs;
    _cleanup_strbuf_ struct strbuf list = {0};
    ck_assert_int_eq(elf_read_needs(fd, &needs), -EINVAL);
    ck_assert_int_eq(elf_for_each_string(fd, NULL, list_text, &list), -EINVAL);
    ck_assert_int_eq(write_all(fd, script, sizeof script), 0);
    ck_assert_int_eq(elf_read_needs(fd, &needs), -EINVAL);
    ck_assert_int_eq(elf_for_each_string(fd, NULL, list_text, &list), -EINVAL);
    ck_assert_uint_eq(list.length, 0);
}
END_TEST

START_TEST(what_cannot_be_read_is_not_taken_for_no_elf) {
    const struct made_elf made = {.loader = "/lib/ld.so.1", .needed = {"libc.so.6"}};
    _cleanup_close_ int fd = file_of(&made);
    char path[sizeof "/proc/self/fd/" + 12];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    _cleanup_close_ int unreadable = open(path, O_WRONLY | O_CLOEXEC);
    struct elf_info info;
    _cleanup_elf_needs_ struct elf_needs needs;
    _cleanup_strbuf_ struct strbuf list = {0};
    ck_assert_int_ge(unreadable, 0);
    ck_assert_int_eq(elf_read(fd, &info), 0);
    ck_assert(info.is_elf);
    ck_assert_int_eq(elf_read(unreadable, &info), -EBADF);
    ck_assert(!info.is_elf && !info.is_program && !info.arch && !*info.loader);
    ck_assert_int_eq(elf_read_needs(unreadable, &needs), -EBADF);
    ck_assert_int_eq(elf_for_each_string(unreadable, NULL, list_text, &list), -EBADF);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("elf-file");
    TCase *tests = tcase_create("elf-file");
    tcase_add_loop_test(tests, every_width_and_byte_order_is_read, 0, KINDS);
    tcase_add_loop_test(tests, a_static_program_needs_nothing, 0, KINDS);
    tcase_add_test(tests, without_sections_all_that_is_loaded_has_texts);
    tcase_add_test(tests, a_search_can_end_early);
    tcase_add_test(tests, reading_can_be_cancelled);
    tcase_add_test(tests, a_text_across_two_reads_is_whole);
    tcase_add_test(tests, of_a_long_text_there_is_the_end);
    tcase_add_test(tests, what_cannot_be_told_is_said);
    tcase_add_test(tests, texts_of_broken_files_are_bounded);
    tcase_add_test(tests, no_elf_has_no_needs_and_no_texts);
    tcase_add_test(tests, what_cannot_be_read_is_not_taken_for_no_elf);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
