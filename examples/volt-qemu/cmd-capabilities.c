/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <volt-qemu/volt-qemu.h>

#include "cleanup.h"
#include "commands.h"
#include "from-options.h"
#include "json.h"
#include "message.h"
#include "option-table.h"
#include "options.h"
#include "progress.h"
#include "table.h"
#include "text.h"

#define LINE_LENGTH ((size_t)78)
#define INDENT ((size_t)2)

static const struct {
    const char *kind, *title;
} kinds[] = {
    {"ability", "abilities"},
    {"accel", "accelerators"},
    {"machine", "machines"},
    {"cpu", "CPU models"},
    {"device", "devices"},
    {"netdev", "network"},
    {"chardev", "character devices"},
    {"blockdev", "disks"},
    {"display", "displays"},
    {"audiodev", "sound"},
    {"tpm", "TPM backends"},
    {"object", "objects"},
    {"option", "options"},
    {"command", "QMP commands"},
};

static void print_kind(const vqemu_capabilities *capabilities, const char *kind,
                       const char *title) {
    size_t count = vqemu_capabilities_count(capabilities, kind), column = LINE_LENGTH;
    printf("\n%s (%zu)", title, count);
    for (size_t i = 0; i < count; i++) {
        _cleanup_free_ char *name = printable(vqemu_capabilities_at(capabilities, kind, i));
        size_t length = strlen(name);
        if (column + 1 + length > LINE_LENGTH) {
            printf("\n%*s%s", (int)INDENT, "", name);
            column = INDENT + length;
        } else {
            printf(" %s", name);
            column += 1 + length;
        }
    }
    putchar('\n');
}

static void print_all(const vqemu_runtime *runtime, const vqemu_capabilities *capabilities) {
    const char *version = vqemu_capabilities_at(capabilities, "qemu", 0);
    print_field("binary", vqemu_runtime_binary(runtime));
    print_field("version", version);
    print_field("package", vqemu_capabilities_fact(capabilities, "qemu", version, "package"));
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        print_kind(capabilities, kinds[i].kind, kinds[i].title);
}

static int print_as_json(const vqemu_capabilities *capabilities) {
    _cleanup_error_ vqemu_error *error = NULL;
    char *json = NULL;
    if (vqemu_capabilities_to_json(capabilities, 0, &json, &error))
        return fail(error);
    print_json_text(json);
    vqemu_free(json);
    return EXIT_SUCCESS;
}

static int capabilities(const struct options *options) {
    _cleanup_way_ struct way way = {0};
    _cleanup_error_ vqemu_error *error = NULL;
    _cleanup_capabilities_ vqemu_capabilities *told = NULL;
    int status = way_to_runtime(options, &way);
    if (status)
        return status;
    progress_begin(options);
    int code = vqemu_runtime_probe(way.runtime, way.store, 0, options->call, &told, &error);
    progress_end();
    if (code)
        return fail(error);
    if (options->json)
        return print_as_json(told);
    print_all(way.runtime, told);
    return EXIT_SUCCESS;
}

const struct command command_capabilities = {
    .name = "capabilities",
    .option_groups = OPTIONS_PROFILE | OPTIONS_WORKLOAD | OPTIONS_RESOLVE,
    .summary = "tell what the QEMU of a profile can do",
    .description =
        "Tell which machines, CPU models, devices, back ends and options the QEMU of a\n"
        "profile has: it is started without a guest, confined to its own files, and asked.\n"
        "Which abilities of profiles follow from that is told, too, but for UEFI, which is\n"
        "firmware: \"volt-qemu verify --closure\" reads it in the files.\n"
        "What it says is kept in the store, by the digest of the program.\n"
        "With --json: an object for each kind of thing, in it an object for each name, in\n"
        "it properties (those of a CPU model are its features) and facts.\n",
    .example = "  volt-qemu capabilities --profile emulate-x86\n"
               "  volt-qemu capabilities --guest-arch aarch64 --json\n",
    .run = capabilities,
};
