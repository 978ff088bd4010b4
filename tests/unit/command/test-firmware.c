/* SPDX-License-Identifier: MIT */
#include "command/firmware.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "command/command.h"
#include "choice/selection.h"
#include "content/descriptor.h"
#include "fixture.h"
#include "run.h"
#include "util/cleanup.h"
#include "util/dir.h"
#include "util/fd.h"
#include "tree/runtime.h"
#include "util/strbuf.h"
#include "vm/vm.h"

#define MIB ((off_t)1024 * 1024)
#define SECURE "\"secure-boot\",\"requires-smm\""
#define ENROLLED SECURE ",\"enrolled-keys\""

/* ---- what is in the firmware directory ---- */

static void add_image(const char *name, off_t size) {
    _cleanup_free_ char *path = format_string("f/%s", name);
    _cleanup_free_ char *full = scratch_path(path);
    write_file(path, "", 0644);
    ck_assert_int_eq(truncate(full, size), 0);
}

/* A pair of images that fits x86, or the architectures of the machine virt. */
static void add_pair(const char *code, const char *vars, bool x86) {
    add_image(code, x86 ? 4 * MIB : 64 * MIB);
    add_image(vars, x86 ? MIB : 64 * MIB);
}

static void add_text(const char *name, const char *text) {
    _cleanup_free_ char *path = format_string("f/%s", name);
    write_file(path, text, 0644);
}

static void describe_as(const char *name, const char *arch, const char *machines, const char *code,
                        const char *vars, const char *format, const char *features) {
    _cleanup_free_ char *text = format_string(
        "{\"description\":\"x\",\"interface-types\":[\"bios\",\"uefi\"],\"unknown\":{},"
        "\"mapping\":{\"device\":\"flash\","
        "\"executable\":{\"filename\":\"%s\",\"format\":\"%s\"},"
        "\"nvram-template\":{\"filename\":\"%s\",\"format\":\"%s\"}},"
        "\"targets\":[{\"architecture\":\"%s\",\"machines\":[%s]}],"
        "\"features\":[\"acpi-s3\",\"unheard-of\"%s%s],\"tags\":[1]}",
        code, format, vars, format, arch, machines, *features ? "," : "", features);
    add_text(name, text);
}

static void describe(const char *name, const char *code, const char *vars, const char *features) {
    describe_as(name, "x86_64", "\"pc-i440fx-*\",\"pc-q35-*\"", code, vars, "raw", features);
}

static void make_directory(void) {
    make_scratch();
    ck_assert_int_eq(mkdirat(scratch_fd, "f", 0755), 0);
}

/* ---- looking for firmware ---- */

struct request {
    const char *arch, *machine;
    bool secure_boot;
};
static const struct request q35 = {"x86_64", "q35", false}, q35_secure = {"x86_64", "q35", true};

static void finds(const struct request *request, const char *code, const char *vars,
                  bool secure_boot, bool smm) {
    _cleanup_free_ char *directory = scratch_path("f");
    _cleanup_error_ vqemu_error *error = NULL;
    _cleanup_firmware_ struct firmware firmware;
    int r = firmware_find(directory, "kvm-uefi", request->arch, request->machine,
                          request->secure_boot, &firmware, &error);
    ck_assert_msg(r == 0, "%s", vqemu_error_message(error));
    ck_assert_ptr_null(error);
    _cleanup_free_ char *code_path = format_string("%s/%s", directory, code);
    _cleanup_free_ char *vars_path = format_string("%s/%s", directory, vars);
    ck_assert_str_eq(firmware.code, code_path);
    ck_assert_str_eq(firmware.vars_template, vars_path);
    ck_assert_int_eq(firmware.secure_boot, secure_boot);
    ck_assert_int_eq(firmware.smm, smm);
}

static void fails(const struct request *request, int code, const char *mentioned) {
    _cleanup_free_ char *directory = scratch_path("f");
    _cleanup_error_ vqemu_error *error = NULL;
    struct firmware firmware;
    int r = firmware_find(directory, "kvm-uefi", request->arch, request->machine,
                          request->secure_boot, &firmware, &error);
    ck_assert_msg(r == code, "%d instead of %d: %s", r, code, vqemu_error_message(error));
    ck_assert_msg(strstr(vqemu_error_message(error), mentioned) != NULL, "\"%s\" in \"%s\"",
                  mentioned, vqemu_error_message(error));
    ck_assert_ptr_null(firmware.code);
    ck_assert_ptr_null(firmware.vars_template);
    ck_assert_int_eq(firmware_find(directory, "kvm-uefi", request->arch, request->machine,
                                   request->secure_boot, &firmware, NULL),
                     code);
}

/* ---- machines ---- */

START_TEST(patterns_match_machines_and_their_aliases) {
    static const struct {
        const char *pattern, *machine;
        bool matches;
    } cases[] = {
        {"pc-q35-*", "q35", true},
        {"pc-q35-*", "pc-q35-7.2", true},
        {"pc-q35-*", "q35,hpet=off", true},
        {"pc-q35-*", "pc-q35-7.2,hpet=off", true},
        {"pc-q35-7.2", "pc-q35-7.2", true},
        {"pc-q35-7.2", "pc-q35-7.1", false},
        {"pc-q35-7.2", "q35", false}, /* that is the newest */
        {"pc-q35-*", "pc", false},
        {"pc-q35-*", "pc-i440fx-7.2", false},
        {"pc-q35-*", "microvm", false},
        {"pc-i440fx-*", "pc", true},
        {"pc-i440fx-*", "pc-i440fx-7.2", true},
        {"pc-i440fx-*", "q35", false},
        {"virt-*", "virt", true},
        {"virt-*", "virt-7.2", true},
        {"virt-*", "virt,gic-version=max", true},
        {"virt*", "virt", true},
        {"virt", "virt", true},
        {"virt", "virt-7.2", true},
        {"virt", "virtual", false},
        {"q35", "q35", true},
        {"q35", "pc-q35-7.2", true},
        {"q35", "pc-i440fx-7.2", false},
        {"*", "anything", true},
        {"", "q35", false},
        {"pc-q35-[", "q35", false},
    };
    char *deep = format_string("%0100d", 0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        ck_assert_msg(firmware_matches_machine(cases[i].pattern, cases[i].machine) ==
                          cases[i].matches,
                      "%s, %s", cases[i].pattern, cases[i].machine);
    ck_assert(!firmware_matches_machine(deep, deep));
    ck_assert(!firmware_matches_machine("*", deep));
    free(deep);
}
END_TEST

/* ---- descriptors ---- */

START_TEST(the_lowest_name_comes_first) {
    add_pair("a.fd", "v.fd", true);
    add_pair("b.fd", "w.fd", true);
    describe("firmware/60-b.json", "/usr/share/OVMF/b.fd", "/usr/share/OVMF/w.fd", "");
    finds(&q35, "b.fd", "w.fd", false, false);
    describe("descriptors/50-a.json", "a.fd", "v.fd", "");
    finds(&q35, "a.fd", "v.fd", false, false);
    describe("firmware/40-b.json", "/b.fd", "/w.fd", "");
    finds(&q35, "b.fd", "w.fd", false, false);
    add_text("firmware/10-not-a-descriptor.txt", "?");
    add_text("firmware/.11-hidden.json", "?");
    add_text("firmware/.json", "?");
    finds(&q35, "b.fd", "w.fd", false, false);
}
END_TEST

START_TEST(the_same_name_is_used_once) {
    add_pair("a.fd", "v.fd", true);
    add_pair("b.fd", "w.fd", true);
    describe("firmware/50-x.json", "a.fd", "v.fd", "");
    describe("descriptors/50-x.json", "b.fd", "w.fd", "");
    finds(&q35, "a.fd", "v.fd", false, false);
    add_text("firmware/50-x.json", ""); /* hides the other */
    fails(&q35, VQEMU_ERR_UNSUPPORTED, "no UEFI firmware for x86_64 guests on the machine q35");
    ck_assert_int_eq(unlinkat(scratch_fd, "f/firmware/50-x.json", 0), 0);
    finds(&q35, "b.fd", "w.fd", false, false);
}
END_TEST

START_TEST(what_does_not_suit_is_passed_over) {
    static const struct {
        const char *from, *to, *mentioned;
    } changes[] = {
        {"\"uefi\"", "\"openfirmware\"", "firmware/50-x.json is not for UEFI"},
        {"\"flash\"", "\"kernel\"", "firmware/50-x.json is not for flash"},
        {"\"flash\"", "\"of the future\"", "firmware/50-x.json is not for flash"},
        {"\"flash\",", "\"flash\",\"mode\":\"stateless\",",
         "firmware/50-x.json keeps no variables in a file of their own"},
        {"\"flash\",", "\"flash\",\"mode\":\"combined\",",
         "firmware/50-x.json keeps no variables in a file of their own"},
        {"\"x86_64\"", "\"i386\"", "; 1 descriptor is for other architectures; add"},
        {"\"pc-i440fx-*\",\"pc-q35-*\"", "\"pc-i440fx-*\"",
         "firmware/50-x.json is for other machines"},
        {"\"pc-i440fx-*\",\"pc-q35-*\"", "", "firmware/50-x.json is for other machines"},
        {"\"raw\"", "\"vmdk\"", "firmware/50-x.json has images that are neither raw nor qcow2"},
        {"a.fd", "c.fd", "firmware/50-x.json needs c.fd, which is not there"},
        {"v.fd", "w.fd", "firmware/50-x.json needs w.fd, which is not there"},
    };
    add_pair("a.fd", "v.fd", true);
    describe("firmware/50-x.json", "/x/a.fd", "/x/v.fd", "");
    finds(&q35, "a.fd", "v.fd", false, false);
    _cleanup_free_ char *text = read_file("f/firmware/50-x.json");
    const char *at = strstr(text, changes[_i].from);
    ck_assert_ptr_nonnull(at);
    _cleanup_free_ char *changed = format_string("%.*s%s%s", (int)(at - text), text, changes[_i].to,
                                                 at + strlen(changes[_i].from));
    add_text("firmware/50-x.json", changed);
    fails(&q35, VQEMU_ERR_UNSUPPORTED, changes[_i].mentioned);
    describe("firmware/60-y.json", "/x/a.fd", "/x/v.fd", "");
    finds(&q35, "a.fd", "v.fd", false, false);
}
END_TEST
#define PASSED_OVER 11

START_TEST(split_is_the_mode_that_is_meant) {
    add_pair("a.fd", "v.fd", true);
    add_text("firmware/50-x.json",
             "{\"interface-types\":[\"uefi\"],\"mapping\":{\"device\":\"flash\",\"mode\":\"split\","
             "\"executable\":{\"filename\":\"a.fd\",\"format\":\"raw\"},"
             "\"nvram-template\":{\"filename\":\"v.fd\",\"format\":\"raw\"}},"
             "\"targets\":[{\"architecture\":\"i386\",\"machines\":[]},"
             "{\"architecture\":\"x86_64\",\"machines\":[\"pc-q35-*\"]}],\"features\":[]}");
    finds(&q35, "a.fd", "v.fd", false, false);
    const struct request pinned = {"x86_64", "pc-q35-7.2", false};
    finds(&pinned, "a.fd", "v.fd", false, false);
}
END_TEST

START_TEST(a_broken_descriptor_is_named_with_its_key) {
#define FILES                                                                                      \
    "\"executable\":{\"filename\":\"a.fd\",\"format\":\"raw\"},"                                   \
    "\"nvram-template\":{\"filename\":\"v.fd\",\"format\":\"raw\"}"
#define MAPPING "\"mapping\":{\"device\":\"flash\"," FILES "}"
#define UEFI "\"interface-types\":[\"uefi\"]"
#define TARGETS "\"targets\":[]"
    static const char *const cases[][2] = {
        {"?", "50-x.json:1:1: "},
        {"[]", "50-x.json: not a JSON object"},
        {"{}", "50-x.json: \"interface-types\" is missing"},
        {"{\"interface-types\":\"uefi\"}", "50-x.json: \"interface-types\" is not an array"},
        {"{\"interface-types\":[\"uefi\",1]}", "50-x.json: \"interface-types\"[1] is not a string"},
        {"{" UEFI "}", "50-x.json: \"mapping\" is missing"},
        {"{" UEFI ",\"mapping\":[]}", "50-x.json: \"mapping\" is not an object"},
        {"{" UEFI ",\"mapping\":{}}", "50-x.json: \"mapping.device\" is missing"},
        {"{" UEFI ",\"mapping\":{\"device\":1}}", "50-x.json: \"mapping.device\" is not a string"},
        {"{" UEFI ",\"mapping\":{\"device\":\"flash\"}}",
         "50-x.json: \"mapping.executable\" is missing"},
        {"{" UEFI ",\"mapping\":{\"device\":\"flash\",\"mode\":1," FILES "}}",
         "50-x.json: \"mapping.mode\" is not a string"},
        {"{" UEFI ",\"mapping\":{\"device\":\"flash\",\"executable\":\"a.fd\"}}",
         "50-x.json: \"mapping.executable\" is not an object"},
        {"{" UEFI ",\"mapping\":{\"device\":\"flash\",\"executable\":{\"format\":\"raw\"}}}",
         "50-x.json: \"mapping.executable.filename\" is missing"},
        {"{" UEFI ",\"mapping\":{\"device\":\"flash\",\"executable\":{\"filename\":\"a.fd\"}}}",
         "50-x.json: \"mapping.executable.format\" is missing"},
        {"{" UEFI ",\"mapping\":{\"device\":\"flash\",\"executable\":{\"filename\":\"/a/..\","
         "\"format\":\"raw\"}}}",
         "50-x.json: \"mapping.executable.filename\" is \"/a/..\", which names no file"},
        {"{" UEFI ",\"mapping\":{\"device\":\"flash\",\"executable\":{\"filename\":\"/a/\","
         "\"format\":\"raw\"}}}",
         "50-x.json: \"mapping.executable.filename\" is \"/a/\", which names no file"},
        {"{" UEFI ",\"mapping\":{\"device\":\"flash\",\"executable\":{\"filename\":\"a.fd\","
         "\"format\":\"raw\"}}}",
         "50-x.json: \"mapping.nvram-template\" is missing"},
        {"{" UEFI ",\"mapping\":{\"device\":\"flash\",\"executable\":{\"filename\":\"a.fd\","
         "\"format\":\"raw\"},\"nvram-template\":{\"filename\":\".\",\"format\":\"raw\"}}}",
         "50-x.json: \"mapping.nvram-template.filename\" is \".\", which names no file"},
        {"{" UEFI "," MAPPING "}", "50-x.json: \"targets\" is missing"},
        {"{" UEFI "," MAPPING ",\"targets\":{}}", "50-x.json: \"targets\" is not an array"},
        {"{" UEFI "," MAPPING ",\"targets\":[0]}", "50-x.json: \"targets\"[0] is not an object"},
        {"{" UEFI "," MAPPING ",\"targets\":[{}]}",
         "50-x.json: \"targets[0].architecture\" is missing"},
        {"{" UEFI "," MAPPING ",\"targets\":[{\"architecture\":\"x86_64\"}]}",
         "50-x.json: \"targets[0].machines\" is missing"},
        {"{" UEFI "," MAPPING ",\"targets\":[{\"architecture\":\"x86_64\",\"machines\":[{}]}]}",
         "50-x.json: \"targets[0].machines\"[0] is not a string"},
        {"{" UEFI "," MAPPING "," TARGETS "}", "50-x.json: \"features\" is missing"},
        {"{" UEFI "," MAPPING "," TARGETS ",\"features\":[null]}",
         "50-x.json: \"features\"[0] is not a string"},
        {"{" UEFI "," UEFI "}", "50-x.json:1:"},
        {"{" UEFI ",\"mapping\":{\"device\":\"fl\\u0000ash\"}}", "50-x.json:1:"},
    };
    add_pair("OVMF_CODE_4M.fd", "OVMF_VARS_4M.fd", true);
    add_pair("a.fd", "v.fd", true);
    describe("firmware/40-a.json", "a.fd", "v.fd", "");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        add_text("firmware/50-x.json", cases[i][0]);
        fails(&q35, VQEMU_ERR_MALFORMED, cases[i][1]);
    }
}
END_TEST

START_TEST(a_descriptor_is_a_small_file_of_the_profile) {
    char *large = format_string("%070000d", 0);
    add_pair("a.fd", "v.fd", true);
    add_text("firmware/50-x.json", large);
    free(large);
    fails(&q35, VQEMU_ERR_MALFORMED, "f/firmware/50-x.json: larger than 65536 bytes");
    ck_assert_int_eq(unlinkat(scratch_fd, "f/firmware/50-x.json", 0), 0);
    ck_assert_int_eq(mkdirat(scratch_fd, "f/firmware/50-x.json", 0755), 0);
    fails(&q35, VQEMU_ERR_MALFORMED, "f/firmware/50-x.json is not a regular file");
    ck_assert_int_eq(unlinkat(scratch_fd, "f/firmware/50-x.json", AT_REMOVEDIR), 0);
    ck_assert_int_eq(mkfifoat(scratch_fd, "f/firmware/50-x.json", 0644), 0);
    fails(&q35, VQEMU_ERR_MALFORMED, "f/firmware/50-x.json is not a regular file");
    ck_assert_int_eq(unlinkat(scratch_fd, "f/firmware/50-x.json", 0), 0);
    describe("../outside.json", "a.fd", "v.fd", "");
    ck_assert_int_eq(symlinkat("../../outside.json", scratch_fd, "f/firmware/50-x.json"), 0);
    fails(&q35, VQEMU_ERR_MALFORMED, "f/firmware/50-x.json is not a regular file in the firmware");
    ck_assert_int_eq(unlinkat(scratch_fd, "f/firmware/50-x.json", 0), 0);
    describe("inside.json", "a.fd", "v.fd", "");
    ck_assert_int_eq(symlinkat("../inside.json", scratch_fd, "f/firmware/50-x.json"), 0);
    finds(&q35, "a.fd", "v.fd", false, false);
}
END_TEST

START_TEST(a_descriptor_that_may_not_be_read_is_an_error) {
    int status;
    describe("firmware/50-x.json", "a.fd", "v.fd", "");
    ck_assert_int_eq(fchmodat(scratch_fd, "f/firmware/50-x.json", 0, 0), 0);
    pid_t child = fork();
    if (child == 0) {
        _cleanup_free_ char *directory = scratch_path("f");
        struct firmware firmware;
        if (getuid() == 0 && setuid(65534) < 0)
            _exit(1);
        int r = firmware_find(directory, "p", "x86_64", "q35", false, &firmware, NULL);
        _exit(r == VQEMU_ERR_SYSTEM ? 0 : 1);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
}
END_TEST

START_TEST(a_directory_of_descriptors_stays_in_the_profile) {
    add_pair("a.fd", "v.fd", true);
    describe("../elsewhere/50-x.json", "a.fd", "v.fd", "");
    ck_assert_int_eq(symlinkat("../elsewhere", scratch_fd, "f/firmware"), 0);
    fails(&q35, VQEMU_ERR_SYSTEM, "cannot read the directory");
    ck_assert_int_eq(unlinkat(scratch_fd, "f/firmware", 0), 0);
    add_text("firmware", "this is firmware, too");
    describe("descriptors/50-x.json", "a.fd", "v.fd", "");
    finds(&q35, "a.fd", "v.fd", false, false);
}
END_TEST

/* ---- paths ---- */

START_TEST(paths_are_looked_for_by_their_tails) {
    add_pair("OVMF/a.fd", "OVMF/v.fd", true);
    describe("firmware/50-x.json", "/usr/share/OVMF/a.fd", "/usr/share/OVMF/v.fd", "");
    finds(&q35, "OVMF/a.fd", "OVMF/v.fd", false, false);
    add_pair("a.fd", "v.fd", true); /* less exact */
    finds(&q35, "OVMF/a.fd", "OVMF/v.fd", false, false);
    describe("firmware/50-x.json", "/usr/share/edk2/a.fd", "OVMF/v.fd", "");
    finds(&q35, "a.fd", "OVMF/v.fd", false, false);
    describe("firmware/50-x.json", "/a.fd", "v.fd", "");
    finds(&q35, "a.fd", "v.fd", false, false);
    describe("firmware/50-x.json", "//OVMF//a.fd", "./v.fd", "");
    finds(&q35, "a.fd", "v.fd", false, false);
}
END_TEST

START_TEST(no_path_leaves_the_profile) {
    add_pair("v.fd", "../a.fd", true);
    add_image("../OVMF/a.fd", 4 * MIB);
    describe("firmware/50-x.json", "/usr/../a.fd", "v.fd", "");
    fails(&q35, VQEMU_ERR_UNSUPPORTED, "needs a.fd, which is not there");
    _cleanup_free_ char *outside = scratch_path("OVMF/a.fd");
    describe("firmware/50-x.json", outside, "v.fd", "");
    fails(&q35, VQEMU_ERR_UNSUPPORTED, "needs a.fd, which is not there");
    ck_assert_int_eq(symlinkat("../a.fd", scratch_fd, "f/a.fd"), 0);
    ck_assert_int_eq(symlinkat("../OVMF", scratch_fd, "f/OVMF"), 0);
    fails(&q35, VQEMU_ERR_UNSUPPORTED, "needs a.fd, which is not there");
    ck_assert_int_eq(unlinkat(scratch_fd, "f/a.fd", 0), 0);
    ck_assert_int_eq(symlinkat(outside, scratch_fd, "f/a.fd"), 0);
    fails(&q35, VQEMU_ERR_UNSUPPORTED, "needs a.fd, which is not there");
    ck_assert_int_eq(unlinkat(scratch_fd, "f/a.fd", 0), 0);
    add_image("b.fd", 4 * MIB);
    ck_assert_int_eq(symlinkat("b.fd", scratch_fd, "f/a.fd"), 0); /* as Debian has them */
    finds(&q35, "a.fd", "v.fd", false, false);
}
END_TEST

START_TEST(an_image_is_a_regular_file) {
    add_image("v.fd", MIB);
    describe("firmware/50-x.json", "/OVMF/a.fd", "v.fd", "");
    ck_assert_int_eq(mkdirat(scratch_fd, "f/a.fd", 0755), 0);
    fails(&q35, VQEMU_ERR_UNSUPPORTED, "needs a.fd, which is not there");
    ck_assert_int_eq(unlinkat(scratch_fd, "f/a.fd", AT_REMOVEDIR), 0);
    ck_assert_int_eq(mkfifoat(scratch_fd, "f/a.fd", 0644), 0);
    fails(&q35, VQEMU_ERR_UNSUPPORTED, "needs a.fd, which is not there");
    ck_assert_int_eq(unlinkat(scratch_fd, "f/a.fd", 0), 0);
    ck_assert_int_eq(symlinkat("a.fd", scratch_fd, "f/a.fd"), 0);
    fails(&q35, VQEMU_ERR_UNSUPPORTED, "needs a.fd, which is not there");
    add_text("OVMF", "not a directory");
    fails(&q35, VQEMU_ERR_UNSUPPORTED, "needs a.fd, which is not there");
}
END_TEST

START_TEST(a_name_too_long_is_an_error) {
    _cleanup_free_ char *name = format_string("%0300d", 0);
    describe("firmware/50-x.json", name, "v.fd", "");
    fails(&q35, VQEMU_ERR_SYSTEM, "cannot open");
}
END_TEST

/* ---- Secure Boot ---- */

START_TEST(secure_boot_wants_keys) {
    add_pair("ms.fd", "ms-vars.fd", true);
    add_pair("secure.fd", "vars.fd", true);
    add_pair("plain.fd", "vars.fd", true);
    describe("firmware/30-plain.json", "plain.fd", "vars.fd", "");
    fails(&q35_secure, VQEMU_ERR_UNSUPPORTED, "; firmware/30-plain.json has no Secure Boot");
    describe("firmware/40-secure.json", "secure.fd", "vars.fd", SECURE);
    fails(&q35_secure, VQEMU_ERR_UNSUPPORTED,
          "; firmware/40-secure.json has a variable store without keys, with which Secure Boot "
          "would check nothing");
    describe("firmware/50-ms.json", "ms.fd", "ms-vars.fd", ENROLLED);
    finds(&q35_secure, "ms.fd", "ms-vars.fd", true, true);
    describe("firmware/45-ms.json", "plain.fd", "ms-vars.fd", "\"enrolled-keys\",\"secure-boot\"");
    finds(&q35_secure, "plain.fd", "ms-vars.fd", true, false);
}
END_TEST

/* Of a VM with a document and the firmware in f/; 0 or the error's code. */
static int build_command(const char *json, vqemu_error **error) {
    _cleanup_free_ char *firmware_dir = scratch_path("f");
    _cleanup_selection_ vqemu_selection *selection = select_profile("emulate-x86", "x86_64");
    _cleanup_runtime_ vqemu_runtime *runtime =
        runtime_at(selection, runtime_paths("/t/qemu", firmware_dir, NULL, NULL, NULL));
    _cleanup_vm_ vqemu_vm *vm = NULL;
    _cleanup_command_ vqemu_command *command = NULL;
    ck_assert_int_eq(vqemu_vm_from_json(json, strlen(json), "vm", 0, &vm, NULL), 0);
    return vqemu_command_build(runtime, vm, NULL, 0, NULL, &command, error);
}

#define SECURE_VM(more) "{\"name\": \"x\", \"firmware\": \"uefi\", \"secure_boot\": true" more "}"

START_TEST(secure_boot_is_guarded_or_said_not_to_be) {
    _cleanup_error_ vqemu_error *error = NULL;
    add_pair("ms.fd", "ms-vars.fd", true);
    describe("firmware/50-ms.json", "ms.fd", "ms-vars.fd", "\"enrolled-keys\",\"secure-boot\"");
    ck_assert_int_eq(build_command(SECURE_VM(""), &error), VQEMU_ERR_UNSUPPORTED);
    ck_assert_str_eq(vqemu_error_reason(error), "secure-boot-unguarded");
    ck_assert_str_eq(vqemu_error_detail(error, "key"), "secure_boot");
    ck_assert_ptr_nonnull(strstr(vqemu_error_message(error), "system management mode"));
    ck_assert_int_eq(build_command(SECURE_VM(", \"secure_boot_unguarded\": true"), NULL), 0);
    describe("firmware/50-ms.json", "ms.fd", "ms-vars.fd", ENROLLED);
    ck_assert_int_eq(build_command(SECURE_VM(""), NULL), 0);
}
END_TEST

START_TEST(without_secure_boot_the_plain_one_is_taken) {
    add_pair("ms.fd", "ms-vars.fd", true);
    add_pair("secure.fd", "vars.fd", true);
    add_pair("plain.fd", "vars.fd", true);
    describe("firmware/40-ms.json", "ms.fd", "ms-vars.fd", ENROLLED);
    fails(
        &q35, VQEMU_ERR_UNSUPPORTED,
        "; firmware/40-ms.json has keys in its variable store, with which Secure Boot would be on");
    describe("firmware/50-secure.json", "secure.fd", "vars.fd", SECURE);
    finds(&q35, "secure.fd", "vars.fd", true, true);
    describe("firmware/55-secure.json", "ms.fd", "vars.fd", SECURE); /* not better */
    finds(&q35, "secure.fd", "vars.fd", true, true);
    add_pair("OVMF_CODE_4M.fd", "OVMF_VARS_4M.fd", true); /* without a descriptor */
    finds(&q35, "OVMF_CODE_4M.fd", "OVMF_VARS_4M.fd", false, false);
    describe("firmware/60-plain.json", "plain.fd", "vars.fd", "");
    finds(&q35, "plain.fd", "vars.fd", false, false);
}
END_TEST

/* ---- well-known names ---- */

START_TEST(well_known_names_need_no_descriptor) {
    static const struct {
        struct request request;
        const char *code, *vars;
        bool secure_boot, smm;
    } cases[] = {
        {{"x86_64", "q35", false}, "OVMF_CODE_4M.fd", "OVMF_VARS_4M.fd", false, false},
        {{"x86_64", "pc", false}, "OVMF_CODE_4M.fd", "OVMF_VARS_4M.fd", false, false},
        {{"x86_64", "q35", false}, "OVMF_CODE.fd", "OVMF_VARS.fd", false, false},
        {{"x86_64", "q35", false}, "edk2-x86_64-code.fd", "edk2-i386-vars.fd", false, false},
        {{"x86_64", "q35", false}, "OVMF_CODE_4M.secboot.fd", "OVMF_VARS_4M.fd", true, true},
        {{"x86_64", "q35", false}, "edk2-x86_64-secure-code.fd", "edk2-i386-vars.fd", true, true},
        {{"x86_64", "q35", true}, "OVMF_CODE_4M.ms.fd", "OVMF_VARS_4M.ms.fd", true, true},
        {{"x86_64", "pc-q35-7.2", true},
         "OVMF_CODE_4M.secboot.fd",
         "OVMF_VARS_4M.ms.fd",
         true,
         true},
        {{"x86_64", "q35", true}, "OVMF_CODE.secboot.fd", "OVMF_VARS.secboot.fd", true, true},
        {{"i386", "pc", false}, "edk2-i386-code.fd", "edk2-i386-vars.fd", false, false},
        {{"i386", "q35", false}, "edk2-i386-secure-code.fd", "edk2-i386-vars.fd", true, true},
        {{"i386", "q35", false}, "OVMF32_CODE_4M.secboot.fd", "OVMF32_VARS_4M.fd", true, true},
        {{"aarch64", "virt", false}, "AAVMF_CODE.fd", "AAVMF_VARS.fd", false, false},
        {{"aarch64", "virt-7.2", false}, "AAVMF_CODE.no-secboot.fd", "AAVMF_VARS.fd", false, false},
        {{"aarch64", "virt", true}, "AAVMF_CODE.ms.fd", "AAVMF_VARS.ms.fd", true, false},
        {{"aarch64", "virt", true}, "AAVMF_CODE.secboot.fd", "AAVMF_VARS.ms.fd", true, false},
        {{"aarch64", "virt", false}, "edk2-aarch64-code.fd", "edk2-arm-vars.fd", false, false},
        {{"aarch64", "virt", false}, "edk2-aarch64-code.fd", "edk2-aarch64-vars.fd", false, false},
        {{"aarch64", "virt", false},
         "QEMU_EFI-pflash.raw",
         "vars-template-pflash.raw",
         false,
         false},
        {{"arm", "virt", false}, "AAVMF32_CODE.fd", "AAVMF32_VARS.fd", false, false},
        {{"arm", "virt", false}, "edk2-arm-code.fd", "edk2-arm-vars.fd", false, false},
        {{"riscv64", "virt", false}, "RISCV_VIRT_CODE.fd", "RISCV_VIRT_VARS.fd", false, false},
        {{"riscv64", "virt", false}, "edk2-riscv-code.fd", "edk2-riscv-vars.fd", false, false},
        {{"loongarch64", "virt", false},
         "edk2-loongarch64-code.fd",
         "edk2-loongarch64-vars.fd",
         false,
         false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct request *request = &cases[i].request;
        bool x86 =
            strcmp(request->machine, "virt") != 0 && strcmp(request->machine, "virt-7.2") != 0;
        fails(request, VQEMU_ERR_UNSUPPORTED, cases[i].code);
        fails(request, VQEMU_ERR_UNSUPPORTED, "add such a pair of files to the profile");
        add_pair(cases[i].code, cases[i].vars, x86);
        if (strcmp(request->arch, "riscv64") == 0) {
            add_image(cases[i].code, 32 * MIB);
            add_image(cases[i].vars, 32 * MIB);
        }
        finds(request, cases[i].code, cases[i].vars, cases[i].secure_boot, cases[i].smm);
        _cleanup_free_ char *directory = scratch_path("f");
        ck_assert_int_eq(remove_tree(AT_FDCWD, directory), 0);
        ck_assert_int_eq(mkdir(directory, 0755), 0);
    }
}
END_TEST

START_TEST(the_first_of_several_pairs_is_taken) {
    add_pair("edk2-x86_64-code.fd", "edk2-i386-vars.fd", true);
    add_pair("edk2-x86_64-secure-code.fd", "edk2-i386-vars.fd", true);
    finds(&q35, "edk2-x86_64-code.fd", "edk2-i386-vars.fd", false, false);
    fails(&q35_secure, VQEMU_ERR_UNSUPPORTED, "; edk2-x86_64-code.fd has no Secure Boot");
    fails(&q35_secure, VQEMU_ERR_UNSUPPORTED,
          "; edk2-x86_64-secure-code.fd has a variable store without keys");
    add_pair("OVMF_CODE_4M.secboot.fd", "OVMF_VARS_4M.fd", true);
    add_pair("OVMF_CODE_4M.secboot.fd", "OVMF_VARS_4M.ms.fd", true);
    finds(&q35, "edk2-x86_64-code.fd", "edk2-i386-vars.fd", false, false);
    finds(&q35_secure, "OVMF_CODE_4M.secboot.fd", "OVMF_VARS_4M.ms.fd", true, true);
    add_pair("OVMF_CODE_4M.fd", "OVMF_VARS_4M.fd", true);
    finds(&q35, "OVMF_CODE_4M.fd", "OVMF_VARS_4M.fd", false, false);
    describe("firmware/90-x.json", "edk2-x86_64-code.fd", "edk2-i386-vars.fd", "");
    finds(&q35, "edk2-x86_64-code.fd", "edk2-i386-vars.fd", false, false);
}
END_TEST

START_TEST(a_machine_without_flash_for_it_has_none) {
    static const struct request requests[] = {
        {"x86_64", "microvm", false}, {"x86_64", "pc", true},      {"aarch64", "raspi3b", false},
        {"mips", "malta", false},     {"ppc64", "pseries", false},
    };
    static const char *const mentioned[] = {
        "OVMF_CODE_4M.fd is for other machines",
        "OVMF_CODE_4M.ms.fd is for other machines",
        "AAVMF_CODE.fd is for other machines",
        "no UEFI firmware for mips guests on the machine",
        "add firmware with its descriptor to the profile",
    };
    add_pair("OVMF_CODE_4M.fd", "OVMF_VARS_4M.fd", true);
    add_pair("OVMF_CODE_4M.ms.fd", "OVMF_VARS_4M.ms.fd", true);
    add_pair("AAVMF_CODE.fd", "AAVMF_VARS.fd", false);
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++)
        fails(&requests[i], VQEMU_ERR_UNSUPPORTED, mentioned[i]);
}
END_TEST

/* ---- sizes and formats ---- */

START_TEST(arm_flash_has_64_mebibytes) {
    static const struct request requests[] = {
        {"aarch64", "virt", false}, {"arm", "virt-7.2", false}, {"riscv64", "virt", false}};
    static const off_t sizes[] = {64 * MIB, 64 * MIB, 32 * MIB};
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        describe_as("firmware/50-x.json", requests[i].arch, "\"virt*\"", "c.fd", "v.fd", "raw", "");
        add_image("c.fd", 2 * MIB);
        add_image("v.fd", sizes[i]);
        fails(&requests[i], VQEMU_ERR_UNSUPPORTED,
              "f/c.fd has 2097152 bytes; a flash chip of the machine");
        add_image("c.fd", sizes[i]);
        add_image("v.fd", sizes[i] + 1);
        fails(&requests[i], VQEMU_ERR_UNSUPPORTED,
              i < 2 ? "f/v.fd has 67108865 bytes" : "f/v.fd has 33554433 bytes");
        fails(&requests[i], VQEMU_ERR_UNSUPPORTED,
              i < 2 ? "has 67108864: bring the image to that size (truncate -s 64M)"
                    : "(truncate -s 32M)");
        add_image("v.fd", sizes[i]);
        finds(&requests[i], "c.fd", "v.fd", false, false);
    }
    const struct request other = {"aarch64", "sbsa-revision", false};
    describe_as("firmware/50-x.json", "aarch64", "\"sbsa-revision\"", "c.fd", "v.fd", "raw", "");
    finds(&other, "c.fd", "v.fd", false, false);
}
END_TEST

START_TEST(x86_flash_has_8_mebibytes) {
    static const struct {
        off_t code, vars;
        const char *mentioned; /* NULL: it is well */
    } cases[] = {
        {7 * MIB, MIB, NULL},
        {4096, 4096, NULL},
        {7 * MIB + 4096, MIB, "f/c.fd has 7344128 bytes and "},
        {8 * MIB + 4096, 4096, "takes 8388608 of both together"},
        {4096, 8 * MIB, "f/v.fd 8388608; flash of x86 machines takes 8388608"},
        {0, MIB, "f/c.fd has 0 bytes; flash of x86 machines takes multiples of 4096"},
        {MIB, 0, "f/v.fd has 0 bytes"},
        {4095, MIB, "f/c.fd has 4095 bytes"},
        {MIB, 4097, "f/v.fd has 4097 bytes"},
        {100, 100, "f/c.fd has 100 bytes"},
    };
    describe("firmware/50-x.json", "c.fd", "v.fd", "");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        add_image("c.fd", cases[i].code);
        add_image("v.fd", cases[i].vars);
        if (cases[i].mentioned)
            fails(&q35, VQEMU_ERR_UNSUPPORTED, cases[i].mentioned);
        else
            finds(&q35, "c.fd", "v.fd", false, false);
    }
}
END_TEST

/* The header of a qcow2 image of 1 MiB. */
static void add_qcow2(const char *name, unsigned char version, unsigned char backing_file,
                      unsigned char features, size_t size) {
    unsigned char header[104] = {'Q', 'F', 'I', 0xfb};
    header[7] = version;
    header[15] = backing_file;
    header[29] = 0x10;
    header[79] = features;
    _cleanup_free_ char *path = format_string("%s/f/%s", scratch, name);
    _cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write_all(fd, header, size), 0);
}

START_TEST(qcow2_images_are_whole) {
    describe_as("firmware/50-x.json", "x86_64", "\"pc-q35-*\"", "c.qcow2", "v.qcow2", "qcow2", "");
    add_qcow2("c.qcow2", 3, 0, 0, 104);
    add_qcow2("v.qcow2", 2, 0, 4, 72); /* that version has no features */
    finds(&q35, "c.qcow2", "v.qcow2", false, false);
    _cleanup_free_ char *directory = scratch_path("f");
    _cleanup_firmware_ struct firmware firmware;
    ck_assert_int_eq(firmware_find(directory, "p", "x86_64", "q35", false, &firmware, NULL), 0);
    ck_assert_str_eq(firmware.code_format, "qcow2");
    ck_assert_str_eq(firmware.vars_format, "qcow2");
    add_qcow2("c.qcow2", 3, 0, 4, 104);
    fails(&q35, VQEMU_ERR_INVALID, "the qcow2 image");
    add_qcow2("c.qcow2", 3, 1, 0, 104);
    fails(&q35, VQEMU_ERR_INVALID, "f/c.qcow2 is not whole: it names another file");
    add_qcow2("c.qcow2", 3, 0, 0, 71);
    fails(&q35, VQEMU_ERR_MALFORMED, "f/c.qcow2 is not a qcow2 image");
    add_image("c.qcow2", MIB);
    fails(&q35, VQEMU_ERR_MALFORMED, "f/c.qcow2 is not a qcow2 image");
    const struct request virt = {"aarch64", "virt", false};
    add_qcow2("c.qcow2", 3, 0, 0, 104);
    describe_as("firmware/50-x.json", "aarch64", "\"virt-*\"", "c.qcow2", "v.qcow2", "qcow2", "");
    fails(&virt, VQEMU_ERR_UNSUPPORTED, "f/c.qcow2 has 1048576 bytes; a flash chip");
}
END_TEST

/* ---- messages ---- */

START_TEST(a_message_tells_all) {
    describe("firmware/50-x.json", "a.fd", "v.fd", "");
    describe_as("firmware/60-arm.json", "arm", "\"virt-*\"", "a.fd", "v.fd", "raw", "");
    describe_as("firmware/61-arm.json", "arm", "\"virt-*\"", "a.fd", "v.fd", "raw", "");
    _cleanup_free_ char *expected = format_string(
        "profile kvm-uefi has no UEFI firmware with Secure Boot for x86_64 guests on the machine "
        "pc-q35-7.2: looked in %s/f for descriptors (firmware/*.json, descriptors/*.json) and for "
        "OVMF_CODE_4M.ms.fd with OVMF_VARS_4M.ms.fd, OVMF_CODE_4M.secboot.fd with "
        "OVMF_VARS_4M.ms.fd, OVMF_CODE.secboot.fd with OVMF_VARS.secboot.fd; 2 descriptors are for "
        "other architectures; firmware/50-x.json has no Secure Boot; add such a pair of files to "
        "the profile and ingest it anew",
        scratch);
    const struct request request = {"x86_64", "pc-q35-7.2", true};
    fails(&request, VQEMU_ERR_UNSUPPORTED, expected);
}
END_TEST

START_TEST(a_directory_that_is_missing_is_named) {
    ck_assert_int_eq(unlinkat(scratch_fd, "f", AT_REMOVEDIR), 0);
    fails(&q35, VQEMU_ERR_NOT_FOUND, "profile kvm-uefi: cannot open the firmware directory /");
    write_file("f", "", 0644);
    fails(&q35, VQEMU_ERR_SYSTEM, "cannot open the firmware directory");
}
END_TEST

int main(void) {
    Suite *suite = suite_create("firmware");
    TCase *tests = tcase_create("firmware");
    tcase_add_checked_fixture(tests, make_directory, remove_scratch);
    tcase_add_test(tests, patterns_match_machines_and_their_aliases);
    tcase_add_test(tests, the_lowest_name_comes_first);
    tcase_add_test(tests, the_same_name_is_used_once);
    tcase_add_loop_test(tests, what_does_not_suit_is_passed_over, 0, PASSED_OVER);
    tcase_add_test(tests, split_is_the_mode_that_is_meant);
    tcase_add_test(tests, a_broken_descriptor_is_named_with_its_key);
    tcase_add_test(tests, a_descriptor_is_a_small_file_of_the_profile);
    tcase_add_test(tests, a_descriptor_that_may_not_be_read_is_an_error);
    tcase_add_test(tests, a_directory_of_descriptors_stays_in_the_profile);
    tcase_add_test(tests, paths_are_looked_for_by_their_tails);
    tcase_add_test(tests, no_path_leaves_the_profile);
    tcase_add_test(tests, an_image_is_a_regular_file);
    tcase_add_test(tests, a_name_too_long_is_an_error);
    tcase_add_test(tests, secure_boot_wants_keys);
    tcase_add_test(tests, secure_boot_is_guarded_or_said_not_to_be);
    tcase_add_test(tests, without_secure_boot_the_plain_one_is_taken);
    tcase_add_test(tests, well_known_names_need_no_descriptor);
    tcase_add_test(tests, the_first_of_several_pairs_is_taken);
    tcase_add_test(tests, a_machine_without_flash_for_it_has_none);
    tcase_add_test(tests, arm_flash_has_64_mebibytes);
    tcase_add_test(tests, x86_flash_has_8_mebibytes);
    tcase_add_test(tests, qcow2_images_are_whole);
    tcase_add_test(tests, a_message_tells_all);
    tcase_add_test(tests, a_directory_that_is_missing_is_named);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
