/* SPDX-License-Identifier: MIT */
#include "content/closure.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/error.h"
#include "content/ability-rule.h"
#include "made-elf.h"
#include "qemu-texts.h"
#include "run.h"

/* ---- a profile of small files ---- */

#define X86 "bin/qemu-system-x86_64"
#define LOADER "ld-linux-x86-64.so.2"
#define STAMP "qemu_stamp_1234"
#define UEFI_CODE "firmware/edk2-x86_64-code.fd"
#define UEFI_VARS "firmware/edk2-i386-vars.fd"

struct made_file {
    const char *path;
    struct made_elf elf; /* unless there is */
    const char *text;
    int error; /* of opening it */
};

#define FILES_MAX 32
static struct made_file files[FILES_MAX];
static size_t file_count;
static vqemu_closure *closure;

static void free_closure(void) {
    closure_free(closure);
    closure = NULL;
}

static void forget(void) {
    memset(files, 0, sizeof files);
    file_count = 0;
    free_closure();
}

static void add(struct made_file file) {
    ck_assert_uint_lt(file_count, FILES_MAX);
    files[file_count++] = file;
}

static void add_text(const char *path, const char *text) {
    add((struct made_file){.path = path, .text = text});
}

static void remove_file(const char *path) {
    for (size_t i = 0; i < file_count; i++)
        if (strcmp(files[i].path, path) == 0) {
            files[i] = files[--file_count];
            return;
        }
    ck_abort_msg("%s is not there", path);
}

static int compare(const void *a, const void *b) {
    return strcmp(((const struct made_file *)a)->path, ((const struct made_file *)b)->path);
}

static int open_made(void *context, size_t index) {
    (void)context;
    const struct made_file *file = &files[index];
    if (file->error)
        return file->error;
    int fd = memfd_create("file", MFD_CLOEXEC);
    if (file->text)
        ck_assert_int_eq(write_all(fd, file->text, strlen(file->text)), 0);
    else
        write_elf(fd, &file->elf);
    ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
    return fd;
}

static void look_as(const vqemu_profile *profile, const char *host_arch) {
    const char *paths[FILES_MAX];
    struct vqemu_progress progress = {0};
    qsort(files, file_count, sizeof *files, compare);
    for (size_t i = 0; i < file_count; i++)
        paths[i] = files[i].path;
    const struct content_files content = {paths, file_count, open_made, NULL};
    free_closure();
    ck_assert_int_eq(closure_find(&content, profile, host_arch, &progress, &closure, NULL), 0);
}

static void look(void) {
    look_as(vqemu_profile_find("emulate-x86"), "x86_64");
}

/* ---- what was found ---- */

static int64_t find_entry(const char *state, const char *name) {
    for (size_t i = 0; i < vqemu_closure_count(closure); i++)
        if (strcmp(vqemu_closure_state(closure, i), state) == 0 &&
            strcmp(vqemu_closure_name(closure, i), name) == 0)
            return (int64_t)i;
    return -1;
}

static void has_entry(const char *state, const char *name, const char *kind, const char *asked_by) {
    int64_t i = find_entry(state, name);
    ck_assert_msg(i >= 0, "no %s %s", state, name);
    ck_assert_str_eq(vqemu_closure_kind(closure, (size_t)i), kind);
    ck_assert_pstr_eq(vqemu_closure_asked_by(closure, (size_t)i), asked_by);
    ck_assert_ptr_nonnull(vqemu_closure_message(closure, (size_t)i));
}

static void has_problems(size_t count) {
    ck_assert_msg(vqemu_closure_problem_count(closure) == count, "%zu problems, the first: %s",
                  vqemu_closure_problem_count(closure), vqemu_closure_message(closure, 0));
}

static void add_firmware(void) {
    add_text(UEFI_CODE, "x");
    add_text(UEFI_VARS, "x");
}

static void remove_firmware(void) {
    remove_file(UEFI_CODE);
    remove_file(UEFI_VARS);
}

/* A program with two libraries, of which one needs a third, all that x86 asks for, and VNC. */
static void make_profile(void) {
    static const char *const firmware[] = {"bios-256k.bin", "kvmvapic.bin", "vgabios-stdvga.bin"};
    static char paths[3][64];
    forget();
    add((struct made_file){.path = X86,
                           .elf = {.loader = "/lib64/" LOADER,
                                   .needed = {"liba.so.1", "libc.so.6"},
                                   .texts = {ALL_TEXTS, "firmware=bios-256k.bin",
                                             "genroms/kvmvapic.bin", "vgabios-stdvga.bin", "en-us",
                                             "slof.bin", "qboot.rom", "new-thing.bin", "imx6.rom"},
                                   .has_sections = true}});
    add((struct made_file){.path = "lib/" LOADER, .elf = {.soname = LOADER}});
    add((struct made_file){.path = "lib/liba.so.1",
                           .elf = {.soname = "liba.so.1", .needed = {"libb.so.2", "libc.so.6"}}});
    add((struct made_file){.path = "lib/libb.so.2",
                           .elf = {.soname = "libb.so.2", .needed = {"libc.so.6", LOADER}}});
    add((struct made_file){.path = "lib/libc.so.6", .elf = {.soname = "libc.so.6"}});
    for (size_t i = 0; i < 3; i++) {
        snprintf(paths[i], sizeof paths[i], "firmware/%s", firmware[i]);
        add_text(paths[i], "rom");
    }
    add_text("firmware/keymaps/en-us", "# a comment\nmap 0x409\ninclude common\n");
    add_text("firmware/keymaps/common", "include common\n");
    add_firmware();
}

START_TEST(a_profile_that_is_whole_has_no_problems) {
    look();
    has_problems(0);
    has_entry("optional", "qboot.rom", "firmware", X86);
    has_entry("optional", "new-thing.bin", "firmware", X86);
    has_entry("optional", "qemu-system-i386", "program", NULL);
    ck_assert_int_eq(find_entry("optional", "slof.bin"), -1);
    ck_assert_int_eq(find_entry("optional", "imx6.rom"), -1);
}
END_TEST

START_TEST(each_file_that_is_missing_is_named) {
    static const struct {
        const char *path, *state, *name, *kind, *asked_by;
    } missing[] = {
        {"lib/" LOADER, "from-host", LOADER, "loader", X86},
        {"lib/liba.so.1", "from-host", "liba.so.1", "library", X86},
        {"lib/libb.so.2", "from-host", "libb.so.2", "library", "lib/liba.so.1"},
        {"lib/libc.so.6", "from-host", "libc.so.6", "library", X86},
        {"firmware/bios-256k.bin", "missing", "bios-256k.bin", "firmware", X86},
        {"firmware/kvmvapic.bin", "missing", "kvmvapic.bin", "firmware", X86},
        {"firmware/vgabios-stdvga.bin", "missing", "vgabios-stdvga.bin", "firmware", X86},
        {"firmware/keymaps/en-us", "missing", "en-us", "keymap", X86},
        {"firmware/keymaps/common", "missing", "common", "keymap", "firmware/keymaps/en-us"},
        {X86, "missing", "qemu-system-x86_64", "program", NULL},
    };
    for (size_t i = 0; i < sizeof missing / sizeof missing[0]; i++) {
        make_profile();
        remove_file(missing[i].path);
        look();
        has_entry(missing[i].state, missing[i].name, missing[i].kind, missing[i].asked_by);
    }
}
END_TEST

START_TEST(what_nothing_asks_for_is_unused) {
    add_text("firmware/petalogix-ml605.dtb", "x");
    add_text("firmware/slof.bin", "x");
    add_text("firmware/new-thing.bin", "x");
    add_text("firmware/keymaps/de", "x");
    add_text("licenses/GPL-2", "x");
    add((struct made_file){.path = "lib/libz.so.1"});
    look();
    has_problems(0);
    has_entry("unused", "firmware/petalogix-ml605.dtb", "firmware", NULL);
    has_entry("unused", "firmware/slof.bin", "firmware", NULL);
    has_entry("unused", "firmware/keymaps/de", "keymap", NULL);
    has_entry("unused", "lib/libz.so.1", "library", NULL);
    ck_assert_int_eq(find_entry("unused", "firmware/new-thing.bin"), -1);
    ck_assert_int_eq(find_entry("unused", "licenses/GPL-2"), -1);
}
END_TEST

/* ---- libraries ---- */

START_TEST(a_library_beside_the_others_is_found_by_its_origin) {
    remove_file("lib/liba.so.1");
    add((struct made_file){.path = "lib/liba.so.1",
                           .elf = {.runpath = "/nowhere:$ORIGIN/./x/../y:${ORIGIN}/../../../z",
                                   .needed = {"libd.so.1", "libe.so.1"}}});
    add((struct made_file){.path = "lib/y/libd.so.1",
                           .elf = {.rpath = "$ORIGIN", .needed = {"libf.so"}}});
    add((struct made_file){.path = "lib/y/libf.so"});
    remove_file("lib/libb.so.2");
    look();
    has_problems(1);
    has_entry("from-host", "libe.so.1", "library", "lib/liba.so.1");
}
END_TEST

START_TEST(directories_and_paths_of_the_host_are_named) {
    remove_file("lib/libb.so.2");
    add((struct made_file){
        .path = "lib/libb.so.2",
        .elf = {.rpath = "$ORIGIN:/opt/x", .needed = {"libc.so.6", "/usr/lib/libg.so"}}});
    look();
    has_problems(2);
    has_entry("from-host", "/opt/x", "library", "lib/libb.so.2");
    has_entry("from-host", "/usr/lib/libg.so", "library", "lib/libb.so.2");
}
END_TEST

START_TEST(a_library_that_the_loader_passes_over_is_unusable) {
    remove_file("lib/libc.so.6");
    add((struct made_file){.path = "lib/libc.so.6", .elf = {.machine = EM_AARCH64}});
    remove_file("lib/libb.so.2");
    add_text("lib/libb.so.2", "INPUT(libb.so.2.1)");
    look();
    has_entry("unusable", "libc.so.6", "library", X86);
    has_entry("unusable", "libb.so.2", "library", "lib/liba.so.1");
}
END_TEST

START_TEST(what_a_library_may_load_while_it_runs_is_optional) {
    remove_file("lib/libc.so.6");
    add((struct made_file){
        .path = "lib/libc.so.6",
        .elf = {.texts = {"libgcc_s.so.1", "libh.so.3", "libnss_%s.so.2", "library.so.x"},
                .has_sections = true}});
    add((struct made_file){.path = "lib/libh.so.3", .elf = {.needed = {"libi.so"}}});
    look();
    has_problems(1);
    has_entry("from-host", "libi.so", "library", "lib/libh.so.3");
    has_entry("optional", "libgcc_s.so.1", "library", "lib/libc.so.6");
    ck_assert_int_eq(find_entry("unused", "lib/libh.so.3"), -1);
    ck_assert_int_eq(find_entry("optional", "library.so.x"), -1);
}
END_TEST

/* A file can ask for a library by any bytes. */
START_TEST(what_is_told_is_text) {
    remove_file("lib/libb.so.2");
    add((struct made_file){
        .path = "lib/libb.so.2",
        .elf = {.needed = {"lib\xff.so.1", "lib\x1b[31m.so", "lib\xc3\xa9.so"}}});
    look();
    has_problems(3);
    has_entry("from-host", "lib\\xFF.so.1", "library", "lib/libb.so.2");
    has_entry("from-host", "lib\x1b[31m.so", "library", "lib/libb.so.2");
    has_entry("from-host", "lib\xc3\xa9.so", "library", "lib/libb.so.2");
    for (size_t i = 0; i < 3; i++)
        ck_assert_ptr_null(strpbrk(vqemu_closure_message(closure, i), "\x1b\xff"));
    ck_assert_ptr_nonnull(strstr(vqemu_closure_message(closure, 0), "lib/lib\\x1B[31m.so"));
}
END_TEST

START_TEST(a_program_that_cannot_be_looked_into_is_told) {
    static const struct made_file programs[] = {
        {.path = X86, .text = "#!/bin/sh\n"},
        {.path = X86, .text = ""},
        {.path = X86, .error = -EACCES},
    };
    for (size_t i = 0; i < 3; i++) {
        make_profile();
        remove_file(X86);
        add(programs[i]);
        look();
        has_problems(1);
        has_entry("unknown", X86, "program", NULL);
    }
    add_text("bin/helper", "#!/bin/sh\n"); /* is nobody's business */
    look();
    has_problems(1);
}
END_TEST

START_TEST(a_static_program_needs_no_libraries) {
    forget();
    add_firmware();
    add((struct made_file){.path = X86,
                           .elf = {.texts = {ALL_TEXTS, "pvh.bin"}, .has_sections = true}});
    look();
    has_problems(1);
    has_entry("missing", "pvh.bin", "firmware", X86);
}
END_TEST

/* ---- modules ---- */

#define TCG "lib/qemu/accel-tcg-x86_64.so"

static void make_modular(void) {
    forget();
    add((struct made_file){
        .path = X86,
        .elf = {.texts = {ALL_TEXTS, KVM_TEXTS, HYPERV_TEXTS, STAMP, "accel-tcg-x86_64",
                          "accel-tcg-i386", "hw-display-virtio-vga", "hw-display-virtio-gpu",
                          "hw-usb-host", "block-commit"},
                .has_sections = true}});
    add((struct made_file){.path = TCG,
                           .elf = {.soname = "x", .symbol = STAMP, .has_sections = true}});
    add((struct made_file){.path = "lib/qemu/hw-display-virtio-gpu.so",
                           .elf = {.symbol = STAMP, .has_sections = true}});
    add((struct made_file){
        .path = "lib/qemu/hw-display-virtio-vga.so",
        .elf = {.symbol = STAMP, .texts = {"vgabios-virtio.bin"}, .has_sections = true}});
    add_text("firmware/vgabios-virtio.bin", "x");
    add_firmware();
}

START_TEST(modules_are_found_by_their_names_in_programs) {
    make_modular();
    add((struct made_file){.path = "lib/qemu/accel-tcg-i386.so"});
    look();
    has_problems(0);
    has_entry("optional", "hw-usb-host", "module", X86);
    has_entry("unused", "lib/qemu/accel-tcg-i386.so", "module", NULL);
    ck_assert_int_eq(find_entry("optional", "block-commit"), -1);

    remove_file(TCG);
    look();
    has_problems(1);
    has_entry("missing", "accel-tcg-x86_64", "module", X86);
    look_as(vqemu_profile_find("kvm-uefi"), "x86_64");
    has_problems(0);
    has_entry("optional", "accel-tcg-x86_64", "module", X86);
    look_as(vqemu_profile_find("kvm-linux"), "x86_64"); /* has no display */
    remove_file("lib/qemu/hw-display-virtio-vga.so");
    look_as(vqemu_profile_find("kvm-linux"), "x86_64");
    has_entry("optional", "hw-display-virtio-vga", "module", X86);
    look_as(vqemu_profile_find("kvm-uefi"), "x86_64");
    has_entry("missing", "hw-display-virtio-vga", "module", X86);
}
END_TEST

START_TEST(a_module_asks_for_libraries_and_firmware) {
    make_modular();
    remove_file(TCG);
    add((struct made_file){.path = TCG,
                           .elf = {.needed = {"libj.so"}, .symbol = STAMP, .has_sections = true}});
    remove_file("firmware/vgabios-virtio.bin");
    look();
    has_problems(2);
    has_entry("from-host", "libj.so", "library", TCG);
    has_entry("missing", "vgabios-virtio.bin", "firmware", "lib/qemu/hw-display-virtio-vga.so");
}
END_TEST

START_TEST(a_module_of_another_build_is_unusable) {
    static const char *const symbols[] = {"qemu_stamp_5678", NULL};
    for (size_t i = 0; i < 2; i++) {
        make_modular();
        remove_file(TCG);
        add((struct made_file){.path = TCG,
                               .elf = {.soname = "x", .symbol = symbols[i], .has_sections = true}});
        look();
        has_problems(1);
        has_entry("unusable", TCG, "module", X86);
    }
}
END_TEST

START_TEST(a_program_without_modules_asks_for_none) {
    make_modular();
    remove_file(X86);
    add((struct made_file){
        .path = X86,
        .elf = {.texts = {ALL_TEXTS, "accel-tcg-x86_64", "ui-sdl"}, .has_sections = true}});
    look();
    has_problems(0);
    has_entry("unused", TCG, "module", NULL);
    ck_assert_int_eq(find_entry("optional", "ui-sdl"), -1);
}
END_TEST

/* ---- guests ---- */

START_TEST(a_profile_of_ones_own_needs_the_programs_that_it_says) {
    static const char *const guests[] = {"x86_64", "aarch64"};
    _cleanup_profile_ vqemu_profile *own = NULL;
    ck_assert_int_eq(profile_new("own", NULL, "tcg", VQEMU_ABILITY_NICS, guests, 2, &own, NULL), 0);
    look_as(own, "x86_64");
    has_problems(1);
    has_entry("missing", "qemu-system-aarch64", "program", NULL);
    remove_file("firmware/vgabios-stdvga.bin"); /* for a display, which it has not */
    remove_file("firmware/keymaps/en-us");
    look_as(own, "x86_64");
    has_problems(1);
    has_entry("optional", "vgabios-stdvga.bin", "firmware", X86);
    has_entry("optional", "en-us", "keymap", X86);
}
END_TEST

START_TEST(programs_that_the_library_does_not_know_are_looked_into) {
    add((struct made_file){
        .path = "bin/qemu-system-sparc",
        .elf = {.needed = {"libk.so"}, .texts = {"openbios-sparc32"}, .has_sections = true}});
    add_text("firmware/openbios-sparc32", "x");
    look();
    has_problems(1);
    has_entry("from-host", "libk.so", "library", "bin/qemu-system-sparc");
    ck_assert_int_eq(find_entry("unused", "firmware/openbios-sparc32"), -1);
}
END_TEST

/* ---- UEFI ---- */

#define DESCRIPTOR(arch)                                                                           \
    "{\"interface-types\": [\"uefi\"], \"features\": [], \"mapping\": {\"device\": \"flash\","     \
    "\"executable\": {\"filename\": \"/usr/share/a/code.fd\", \"format\": \"raw\"},"               \
    "\"nvram-template\": {\"filename\": \"/usr/share/a/vars.fd\", \"format\": \"raw\"}},"          \
    "\"targets\": [{\"architecture\": \"" arch "\", \"machines\": [\"pc-q35-*\"]}]}"

START_TEST(descriptors_name_images) {
    remove_firmware();
    add_text("firmware/firmware/50.json", DESCRIPTOR("x86_64"));
    add_text("firmware/code.fd", "x");
    add_text("firmware/a/vars.fd", "x");
    look();
    has_problems(0);
    ck_assert_int_eq(find_entry("unused", "firmware/a/vars.fd"), -1);
    ck_assert_int_eq(find_entry("optional", "UEFI firmware for x86_64"), -1);
    remove_file("firmware/a/vars.fd");
    look();
    has_problems(1);
    has_entry("missing", "vars.fd", "firmware", "firmware/firmware/50.json");
    remove_file("firmware/firmware/50.json");
    add_text("firmware/firmware/50.json", DESCRIPTOR("aarch64"));
    look();
    has_problems(1);
    has_entry("missing", "uefi", "ability", NULL);
    has_entry("optional", "vars.fd", "firmware", "firmware/firmware/50.json");
    remove_file("firmware/firmware/50.json");
    add_text("firmware/firmware/50.json", "{");
    look();
    has_problems(2);
    has_entry("missing", "uefi", "ability", NULL);
    has_entry("unusable", "firmware/firmware/50.json", "firmware", NULL);
}
END_TEST

START_TEST(images_are_pairs) {
    remove_firmware();
    add_text("firmware/OVMF_CODE_4M.fd", "x");
    add_text("firmware/OVMF_VARS_4M.fd", "x");
    add_text("firmware/edk2-arm-vars.fd", "x"); /* for guests that are not served */
    look();
    has_problems(0);
    ck_assert_int_eq(find_entry("unused", "firmware/OVMF_VARS_4M.fd"), -1);
    remove_file("firmware/OVMF_VARS_4M.fd");
    look();
    has_problems(1);
    has_entry("missing", "OVMF_VARS_4M.fd", "firmware", "firmware/OVMF_CODE_4M.fd");
    remove_file("firmware/OVMF_CODE_4M.fd");
    add_text("firmware/OVMF_VARS_4M.fd", "x");
    look();
    has_problems(1);
    has_entry("missing", "OVMF_CODE_4M.fd", "firmware", "firmware/OVMF_VARS_4M.fd");
}
END_TEST

/* ---- abilities ---- */

#define FOREIGN "bin/qemu-system-aarch64"

static void add_program(const char *path, const char *const *texts) {
    struct made_file program = {.path = path, .elf = {.has_sections = true}};
    for (size_t i = 0; texts[i]; i++)
        program.elf.texts[i] = texts[i];
    add(program);
}

/* A profile of one's own with nothing but a program. */
static void look_at_program(const char *const *texts, uint64_t abilities) {
    static const char *const guests[] = {"x86_64"};
    _cleanup_profile_ vqemu_profile *own = NULL;
    ck_assert_int_eq(profile_new("own", NULL, "tcg", abilities, guests, 1, &own, NULL), 0);
    forget();
    add_program(X86, texts);
    look_as(own, "x86_64");
}

static void has_ability(int state, uint64_t ability, const char *guest, const char *path) {
    const char *name = vqemu_ability_name(ability);
    int has = vqemu_closure_has_ability(closure, ability, guest);
    const char *in = vqemu_closure_ability_path(closure, ability, guest);
    ck_assert_msg(has == state, "%s: %d", name, has);
    ck_assert_msg(path ? in && strcmp(in, path) == 0 : !in, "%s: %s", name, in);
}

START_TEST(abilities_are_found_in_files) {
    static const uint64_t of_program[] = {VQEMU_ABILITY_TCG,     VQEMU_ABILITY_DISPLAY,
                                          VQEMU_ABILITY_USB,     VQEMU_ABILITY_TPM,
                                          VQEMU_ABILITY_STORAGE, VQEMU_ABILITY_NICS};
    look();
    for (size_t i = 0; i < sizeof of_program / sizeof of_program[0]; i++) {
        has_ability(1, of_program[i], "x86_64", X86);
        has_ability(1, of_program[i], NULL, X86);
        has_ability(0, of_program[i], "i386", NULL); /* whose program is not there */
        has_ability(0, of_program[i], "pdp11", NULL);
    }
    has_ability(1, VQEMU_ABILITY_UEFI, "x86_64", UEFI_CODE);
    has_ability(0, VQEMU_ABILITY_KVM, "x86_64", NULL);
    has_ability(0, 0, NULL, NULL);
    has_ability(0, UINT64_C(1) << 63, "x86_64", NULL);
    ck_assert_int_eq(vqemu_closure_has_ability(NULL, VQEMU_ABILITY_USB, NULL), -1);
    ck_assert_ptr_null(vqemu_closure_ability_path(NULL, VQEMU_ABILITY_USB, NULL));
}
END_TEST

START_TEST(each_ability_that_is_missing_is_named) {
    static const struct {
        uint64_t ability;
        const char *texts[MADE_TEXTS_MAX], *looked_for;
    } cases[] = {
        {VQEMU_ABILITY_TCG,
         {QEMU, DISPLAY_TEXTS, USB_TEXTS, TPM_TEXTS, STORAGE_TEXTS, NICS_TEXTS},
         X86 " has no tcg"},
        {VQEMU_ABILITY_DISPLAY,
         {QEMU, TCG_TEXTS, USB_TEXTS, TPM_TEXTS, STORAGE_TEXTS, NICS_TEXTS},
         X86 " has no vnc"},
        {VQEMU_ABILITY_USB,
         {QEMU, TCG_TEXTS, DISPLAY_TEXTS, TPM_TEXTS, STORAGE_TEXTS, NICS_TEXTS},
         X86 " has no qemu-xhci"},
        {VQEMU_ABILITY_TPM,
         {QEMU, TCG_TEXTS, DISPLAY_TEXTS, USB_TEXTS, STORAGE_TEXTS, NICS_TEXTS},
         X86 " has no emulator"},
        {VQEMU_ABILITY_STORAGE,
         {QEMU, TCG_TEXTS, DISPLAY_TEXTS, USB_TEXTS, TPM_TEXTS, NICS_TEXTS},
         X86 " has no ide-hd"},
        {VQEMU_ABILITY_NICS,
         {QEMU, TCG_TEXTS, DISPLAY_TEXTS, USB_TEXTS, TPM_TEXTS, STORAGE_TEXTS},
         X86 " has no e1000, rtl8139, pcnet, ne2k_pci, e1000e or vmxnet3"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        forget();
        add_firmware();
        add_program(X86, cases[i].texts);
        look();
        has_problems(1);
        has_entry("missing", vqemu_ability_name(cases[i].ability), "ability", X86);
        const char *message = vqemu_closure_message(closure, 0);
        ck_assert_msg(strstr(message, cases[i].looked_for), "%s", message);
        ck_assert_msg(strstr(message, "for guests of x86_64"), "%s", message);
    }
    make_profile();
    remove_firmware();
    look();
    has_problems(1);
    has_entry("missing", "uefi", "ability", NULL);
    ck_assert_int_eq(find_entry("optional", "UEFI firmware for x86_64"), -1);
    look_as(vqemu_profile_find("kvm-uefi"), "x86_64");
    has_entry("missing", "kvm", "ability", X86);
}
END_TEST

/* The parts of an ability are needed together, and of network cards one. */
START_TEST(a_part_of_an_ability_is_not_enough) {
    static const struct {
        uint64_t ability;
        int state;
        const char *texts[16];
    } cases[] = {
        {VQEMU_ABILITY_USB, 0, {QEMU, "usb-tablet", "QEMU USB Tablet", "usb-ptr"}},
        {VQEMU_ABILITY_TPM, 0, {QEMU, "tpm-crb", "tpm-crb-cmd", "tpm-crb-mmio"}},
        {VQEMU_ABILITY_TCG, 0, {QEMU, "tcg-accel", "CPU %d/TCG"}},
        {VQEMU_ABILITY_DISPLAY, 0, {QEMU, "pci-vga", "vga.mmio"}},
        {VQEMU_ABILITY_DISPLAY, 1, {QEMU, DISPLAY_TEXTS}},
        {VQEMU_ABILITY_NICS, 1, {QEMU, "pcnet", "pcnet-mmio", "pcnet-io"}},
        /* Lists of old settings have names, and not what else there is of a device. */
        {VQEMU_ABILITY_NICS, 0, {QEMU, "e1000", "e1000e", "vmxnet3", "pcnet"}},
        {VQEMU_ABILITY_NICS, 0, {QEMU, "pcnet-mmio", "pcnet-io"}},
        /* A linker kept the longer of two texts that end alike. */
        {VQEMU_ABILITY_NICS, 1, {QEMU, "the-pcnet", "the pcnet-mmio", "a pcnet-io"}},
        {VQEMU_ABILITY_NICS, -1, {QEMU, "pcnet", "pcnet-mmio"}},
        {VQEMU_ABILITY_NICS, 1, {QEMU, "pcnet", "pcnet-mmio", NICS_TEXTS}},
        {VQEMU_ABILITY_HYPERV, 1, {QEMU, HYPERV_TEXTS}},
        {VQEMU_ABILITY_HYPERV, 0, {QEMU, "hyperv-synic", "hv-synic"}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        look_at_program(cases[i].texts, 0);
        has_ability(cases[i].state, cases[i].ability, "x86_64", cases[i].state == 1 ? X86 : NULL);
    }
}
END_TEST

START_TEST(what_cannot_be_told_of_an_ability_is_told_so) {
    static const char *const some[] = {QEMU, TCG_TEXTS, "pcnet", "pcnet-mmio", NULL};
    static const char *const no_qemu[] = {"hello", "world", NULL};
    look_at_program(some, VQEMU_ABILITY_NICS);
    has_problems(1);
    has_entry("unknown", "nics", "ability", X86);
    look_at_program(some, VQEMU_ABILITY_USB);
    has_problems(1);
    has_entry("missing", "usb", "ability", X86);
    look_at_program(no_qemu, VQEMU_ABILITY_USB | VQEMU_ABILITY_NICS);
    has_problems(1);
    has_entry("unknown", X86, "program", NULL);
    has_ability(-1, VQEMU_ABILITY_USB, "x86_64", NULL);
    has_ability(-1, VQEMU_ABILITY_USB, NULL, NULL);
    forget();
    add_text(X86, "#!/bin/sh\n");
    look();
    has_problems(1);
    has_entry("unknown", X86, "program", NULL);
    has_ability(-1, VQEMU_ABILITY_TCG, "x86_64", NULL);
    has_ability(0, VQEMU_ABILITY_UEFI, "x86_64", NULL);
    remove_file(X86);
    static const char *const all[] = {ALL_TEXTS, NULL};
    add_program(X86, all);
    add((struct made_file){.path = "firmware/firmware/50.json", .error = -EACCES});
    look();
    has_problems(0);
    has_ability(-1, VQEMU_ABILITY_UEFI, "x86_64", NULL);
}
END_TEST

START_TEST(modules_have_abilities) {
    make_modular();
    look();
    has_ability(1, VQEMU_ABILITY_TCG, "x86_64", TCG);
    has_ability(1, VQEMU_ABILITY_DISPLAY, "x86_64", "lib/qemu/hw-display-virtio-vga.so");
    remove_file(TCG); /* which is told once */
    look();
    has_problems(1);
    has_entry("missing", "accel-tcg-x86_64", "module", X86);
    has_ability(0, VQEMU_ABILITY_TCG, "x86_64", NULL);
    add((struct made_file){.path = TCG, .elf = {.soname = "x", .has_sections = true}});
    look();
    has_problems(1);
    has_entry("unusable", TCG, "module", X86);
    has_ability(0, VQEMU_ABILITY_TCG, "x86_64", NULL);
    remove_file(TCG);
    add_text(TCG, "no module");
    look();
    has_problems(1);
    has_entry("unknown", TCG, "module", NULL);
    has_ability(-1, VQEMU_ABILITY_TCG, "x86_64", NULL);
}
END_TEST

START_TEST(abilities_are_those_of_all_guests_that_can_have_them) {
    static const char *const guests[] = {"x86_64", "aarch64", "s390x"};
    static const char *const all[] = {ALL_TEXTS, NULL};
    static const char *const arm[] = {QEMU, TCG_TEXTS, NICS_TEXTS, NULL};
    const uint64_t abilities = VQEMU_ABILITY_USB | VQEMU_ABILITY_NICS | VQEMU_ABILITY_UEFI;
    _cleanup_profile_ vqemu_profile *own = NULL;
    ck_assert_int_eq(profile_new("own", NULL, "tcg", abilities, guests, 3, &own, NULL), 0);
    forget();
    add_firmware();
    add_program(X86, all);
    add_program(FOREIGN, arm);
    add_program("bin/qemu-system-s390x", all);
    look_as(own, "x86_64");
    has_problems(1);
    has_entry("missing", "usb", "ability", FOREIGN);
    ck_assert_ptr_nonnull(strstr(vqemu_closure_message(closure, 0), "guests of aarch64:"));
    has_ability(1, VQEMU_ABILITY_USB, "x86_64", X86);
    has_ability(0, VQEMU_ABILITY_USB, "aarch64", NULL);
    has_ability(0, VQEMU_ABILITY_USB, "s390x", NULL); /* its machine has none */
    has_ability(0, VQEMU_ABILITY_USB, NULL, NULL);
    has_ability(1, VQEMU_ABILITY_NICS, "aarch64", FOREIGN);
    has_ability(1, VQEMU_ABILITY_NICS, NULL, X86);
    has_ability(0, VQEMU_ABILITY_UEFI, "aarch64", NULL);
    has_ability(1, VQEMU_ABILITY_UEFI, NULL, UEFI_CODE); /* not for each guest */
    has_entry("optional", "UEFI firmware for aarch64", "firmware", NULL);
    ck_assert_uint_eq(closure_abilities(closure),
                      VQEMU_ABILITY_TCG | VQEMU_ABILITY_NICS | VQEMU_ABILITY_UEFI);
}
END_TEST

static bool has_part_of_device(const struct ability_need *needs, size_t count, const char *name) {
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; needs[i].parts[j]; j++)
            if (strcmp(needs[i].parts[j]->name, name) == 0)
                return true;
    return false;
}

START_TEST(every_architecture_has_its_devices_among_the_parts) {
    struct ability_need needs[ABILITY_NEEDS_MAX];
    for (size_t i = 0; i < arch_count(); i++) {
        const struct arch *guest = arch_at(i);
        size_t count = ability_needs(VQEMU_ABILITY_DISPLAY, guest, needs);
        ck_assert_msg(has_part_of_device(needs, count, guest->video), "%s", guest->name);
        ck_assert_msg(!guest->plain_video || has_part_of_device(needs, count, guest->plain_video),
                      "%s", guest->name);
        count = ability_needs(VQEMU_ABILITY_TPM, guest, needs);
        ck_assert_msg(!guest->tpm || has_part_of_device(needs, count, guest->tpm), "%s",
                      guest->name);
    }
    for (size_t i = 0; i < ability_parts_count(); i++) {
        const struct ability_part *part = ability_part_at(i);
        ck_assert_ptr_nonnull(part->texts[0]);
        for (size_t j = 0; j < 2 && part->texts[j]; j++)
            ck_assert_uint_ge(strlen(part->texts[j]), 4);
        ck_assert(!part->type || strlen(part->type) >= 4);
    }
}
END_TEST

/* As the plan refuses them: without MSI-X there is no NVMe. */
START_TEST(what_guests_cannot_have_is_part_of_no_ability_of_theirs) {
    struct ability_need needs[ABILITY_NEEDS_MAX];
    static const char *const nics_with_msix[] = {"e1000e", "vmxnet3"};
    for (size_t i = 0; i < arch_count(); i++) {
        const struct arch *guest = arch_at(i);
        size_t storage = ability_needs(VQEMU_ABILITY_STORAGE, guest, needs);
        ck_assert_msg(has_part_of_device(needs, storage, "nvme") == (storage > 0 && guest->msix),
                      "%s", guest->name);
        size_t nics = ability_needs(VQEMU_ABILITY_NICS, guest, needs);
        for (size_t j = 0; j < sizeof nics_with_msix / sizeof *nics_with_msix; j++)
            ck_assert_msg(has_part_of_device(needs, nics, nics_with_msix[j]) ==
                              (nics > 0 && guest->msix),
                          "%s", guest->name);
    }
}
END_TEST

/* ---- limits ---- */

START_TEST(a_list_has_an_end) {
    char name[16];
    vqemu_closure list = {0};
    for (int i = 0; i < 10000; i++) {
        snprintf(name, sizeof name, "%d", i);
        ck_assert_int_eq(closure_add(&list, CLOSURE_LIBRARY,
                                     i % 2 ? CLOSURE_FROM_HOST : CLOSURE_OPTIONAL, name, "",
                                     strdup("x")),
                         0);
    }
    ck_assert_uint_eq(list.count, 8192);
    ck_assert_uint_eq(list.problems, 4096);
    for (size_t i = 0; i < list.count; i++) {
        free(list.entries[i].name);
        free(list.entries[i].asked_by);
        free(list.entries[i].message);
    }
    free(list.entries);
    ck_assert_ptr_null(vqemu_closure_kind(closure, 1u << 20));
    ck_assert_ptr_null(vqemu_closure_name(NULL, 0));
    ck_assert_uint_eq(vqemu_closure_count(NULL), 0);
}
END_TEST

START_TEST(it_can_be_cancelled) {
    vqemu_call *call = NULL;
    _cleanup_error_ vqemu_error *error = NULL;
    const char *const paths[] = {X86};
    ck_assert_int_eq(vqemu_call_new(&call, NULL), 0);
    vqemu_call_cancel(call);
    struct vqemu_progress progress = {.call = call};
    const struct content_files content = {paths, 1, open_made, NULL};
    ck_assert_int_eq(closure_find(&content, vqemu_profile_find("emulate-x86"), "x86_64", &progress,
                                  &closure, &error),
                     VQEMU_ERR_CANCELLED);
    vqemu_call_unref(call);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("closure");
    TCase *tests = tcase_create("closure");
    tcase_add_checked_fixture(tests, make_profile, free_closure);
    tcase_add_test(tests, a_profile_that_is_whole_has_no_problems);
    tcase_add_test(tests, each_file_that_is_missing_is_named);
    tcase_add_test(tests, what_nothing_asks_for_is_unused);
    tcase_add_test(tests, a_library_beside_the_others_is_found_by_its_origin);
    tcase_add_test(tests, directories_and_paths_of_the_host_are_named);
    tcase_add_test(tests, a_library_that_the_loader_passes_over_is_unusable);
    tcase_add_test(tests, what_a_library_may_load_while_it_runs_is_optional);
    tcase_add_test(tests, what_is_told_is_text);
    tcase_add_test(tests, a_program_that_cannot_be_looked_into_is_told);
    tcase_add_test(tests, a_static_program_needs_no_libraries);
    tcase_add_test(tests, modules_are_found_by_their_names_in_programs);
    tcase_add_test(tests, a_module_asks_for_libraries_and_firmware);
    tcase_add_test(tests, a_module_of_another_build_is_unusable);
    tcase_add_test(tests, a_program_without_modules_asks_for_none);
    tcase_add_test(tests, a_profile_of_ones_own_needs_the_programs_that_it_says);
    tcase_add_test(tests, programs_that_the_library_does_not_know_are_looked_into);
    tcase_add_test(tests, descriptors_name_images);
    tcase_add_test(tests, images_are_pairs);
    tcase_add_test(tests, abilities_are_found_in_files);
    tcase_add_test(tests, each_ability_that_is_missing_is_named);
    tcase_add_test(tests, a_part_of_an_ability_is_not_enough);
    tcase_add_test(tests, what_cannot_be_told_of_an_ability_is_told_so);
    tcase_add_test(tests, modules_have_abilities);
    tcase_add_test(tests, abilities_are_those_of_all_guests_that_can_have_them);
    tcase_add_test(tests, every_architecture_has_its_devices_among_the_parts);
    tcase_add_test(tests, what_guests_cannot_have_is_part_of_no_ability_of_theirs);
    tcase_add_test(tests, a_list_has_an_end);
    tcase_add_test(tests, it_can_be_cancelled);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
