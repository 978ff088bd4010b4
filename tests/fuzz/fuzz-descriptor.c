/* SPDX-License-Identifier: MIT */
/*
 * Firmware descriptors, by themselves and in a firmware directory: what is chosen lies in that,
 * whatever a descriptor says. Each input is read for a machine of three architectures.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "content/descriptor.h"
#include "command/firmware.h"
#include "fuzz.h"
#include "util/strbuf.h"

static const struct {
    const char *arch, *machine;
} guests[] = {{"x86_64", "q35"}, {"i386", "pc-i440fx-7.2"}, {"aarch64", "virt,gic-version=max"}};

static void check_descriptor(const char *text, size_t size, const char *arch, const char *machine) {
    struct descriptor descriptor;
    vqemu_error *error = NULL;
    int r = descriptor_parse(text, size, "input", arch, machine, &descriptor, &error);
    if (fuzz_check_result(r, &error) == 0) {
        FUZZ_CHECK(descriptor.objection || (descriptor.code && descriptor.code_format &&
                                            descriptor.vars && descriptor.vars_format),
                   "neither files nor an objection");
        FUZZ_CHECK(descriptor.for_arch || !descriptor.for_machine,
                   "for a machine of another architecture");
    } else {
        FUZZ_CHECK(!descriptor.code && !descriptor.vars, "something is left of what was refused");
    }
    descriptor_release(&descriptor);
}

/* A file that is there, below the directory, by a path that does not lead up. */
static void check_file(const char *directory, const char *path) {
    size_t length = strlen(directory);
    FUZZ_CHECK(path && strncmp(path, directory, length) == 0 && path[length] == '/',
               "%s is not in the firmware directory", path);
    FUZZ_CHECK(!strstr(path, "/../"), "%s leads up", path);
    FUZZ_CHECK(access(path, R_OK) == 0, "%s is not there", path);
}

static void check_choice(const char *directory, const char *arch, const char *machine,
                         bool secure_boot) {
    struct firmware firmware;
    vqemu_error *error = NULL;
    int r = firmware_find(directory, "emulate-x86", arch, machine, secure_boot, &firmware, &error);
    if (fuzz_check_result(r, &error) == 0) {
        check_file(directory, firmware.code);
        check_file(directory, firmware.vars_template);
        FUZZ_CHECK(!secure_boot || firmware.secure_boot, "no Secure Boot");
    } else {
        FUZZ_CHECK(!firmware.code && !firmware.vars_template, "something is left of nothing");
    }
    firmware_release(&firmware);
}

static const char *make_directory(void) {
    static char *path;
    if (path)
        return path;
    path = format_string("%s/firmware", fuzz_scratch());
    FUZZ_CHECK(path, "no memory");
    static const char *const files[] = {"firmware/code.fd", "firmware/vars.fd",
                                        "firmware/edk2/code.fd", "firmware/edk2/vars.fd",
                                        "outside.fd"};
    static const char content[4096];
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        fuzz_write(files[i], content, sizeof content);
    FUZZ_CHECK(symlinkat("../outside.fd", fuzz_scratch_fd(), "firmware/link.fd") == 0,
               "cannot make a link");
    return path;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const char *directory = make_directory();
    char *text = fuzz_text(data, size);
    fuzz_begin(data, size);
    fuzz_write("firmware/firmware/50-input.json", data, size);
    for (size_t i = 0; i < sizeof guests / sizeof *guests; i++) {
        check_descriptor(text, size, guests[i].arch, guests[i].machine);
        check_choice(directory, guests[i].arch, guests[i].machine, false);
        firmware_matches_machine(text, guests[i].machine);
        firmware_matches_machine(guests[i].machine, text);
    }
    check_choice(directory, "x86_64", "q35", true);
    free(text);
    return 0;
}
