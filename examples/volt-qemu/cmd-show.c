/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <volt-qemu/volt-qemu.h>

#include "abilities.h"
#include "cleanup.h"
#include "commands.h"
#include "from-options.h"
#include "json.h"
#include "message.h"
#include "option-table.h"
#include "options.h"
#include "revision-name.h"
#include "table.h"
#include "text.h"

/* What is shown: a manifest, and the revision it comes from, or NULL if it comes from a file. */
struct shown {
    const char *path;
    const vqemu_revision *revision;
    const vqemu_manifest *manifest;
};

static const char *revision_name(const struct shown *shown) {
    return shown->revision ? vqemu_revision_name(shown->revision) : NULL;
}

static json_t *counts_json(const vqemu_manifest *manifest) {
    json_t *object = json_object();
    json_add_count(object, "binaries", vqemu_manifest_count_below(manifest, "bin"));
    json_add_count(object, "libraries", vqemu_manifest_count_below(manifest, "lib"));
    json_add_count(object, "firmware", vqemu_manifest_count_below(manifest, "firmware"));
    json_add_count(object, "objects", vqemu_manifest_object_count(manifest));
    return object;
}

static json_t *guests_json(const vqemu_manifest *manifest) {
    json_t *guests = json_array();
    for (size_t i = 0; i < vqemu_manifest_guest_count(manifest); i++)
        json_append_text(guests, vqemu_manifest_guest_at(manifest, i));
    return guests;
}

static json_t *objects_json(const vqemu_manifest *manifest) {
    json_t *object = json_object();
    for (size_t i = 0; i < vqemu_manifest_object_count(manifest); i++)
        json_add_text(object, vqemu_manifest_object_path(manifest, i),
                      vqemu_manifest_object_digest(manifest, i));
    return object;
}

static json_t *shown_json(const struct shown *shown) {
    const vqemu_manifest *manifest = shown->manifest;
    json_t *object = json_object();
    json_add_text(object, "revision", revision_name(shown));
    json_add_text(object, "ref", revision_name(shown));
    json_add_text(object, "path", shown->path);
    json_add_text(object, "digest", vqemu_manifest_digest(manifest));
    json_add_text(object, "name", vqemu_manifest_string(manifest, VQEMU_MANIFEST_NAME));
    json_add_text(object, "profile", vqemu_manifest_string(manifest, VQEMU_MANIFEST_PROFILE));
    json_add_text(object, "created_at", vqemu_manifest_string(manifest, VQEMU_MANIFEST_CREATED_AT));
    json_add_text(object, "qemu_version",
                  vqemu_manifest_string(manifest, VQEMU_MANIFEST_QEMU_VERSION));
    json_add_text(object, "build_date", vqemu_manifest_string(manifest, VQEMU_MANIFEST_BUILD_DATE));
    json_add_text(object, "build_host", vqemu_manifest_string(manifest, VQEMU_MANIFEST_BUILD_HOST));
    json_add_text(object, "arch", vqemu_manifest_string(manifest, VQEMU_MANIFEST_ARCH));
    json_add_text(object, "description",
                  vqemu_manifest_string(manifest, VQEMU_MANIFEST_DESCRIPTION));
    json_add_text(object, "accel", vqemu_manifest_string(manifest, VQEMU_MANIFEST_ACCEL));
    json_add(object, "abilities", ability_names(vqemu_manifest_abilities(manifest)));
    json_add(object, "guests", guests_json(manifest));
    json_add_number(object, "total_bytes", vqemu_manifest_total_bytes(manifest));
    json_add(object, "counts", counts_json(manifest));
    json_add(object, "objects", objects_json(manifest));
    return object;
}

/* Takes over the array. */
static void print_names(const char *label, json_t *names) {
    _cleanup_free_ char *text = format_text("%s", "");
    for (size_t i = 0; i < json_array_size(names); i++) {
        const char *name = json_string_value(json_array_get(names, i));
        text = append_text(text, " ", i > 0);
        text = append_text(text, name, strlen(name));
    }
    print_field(label, *text ? text : NULL);
    json_decref(names);
}

static void print_count(const char *label, size_t count) {
    _cleanup_free_ char *text = format_text("%zu", count);
    print_field(label, text);
}

static void print_shown(const struct shown *shown) {
    const vqemu_manifest *manifest = shown->manifest;
    _cleanup_free_ char *size = format_size(vqemu_manifest_total_bytes(manifest));
    print_field("revision", revision_name(shown));
    print_field("path", shown->path);
    print_field("digest", vqemu_manifest_digest(manifest));
    print_field("name", vqemu_manifest_string(manifest, VQEMU_MANIFEST_NAME));
    print_field("profile", vqemu_manifest_string(manifest, VQEMU_MANIFEST_PROFILE));
    print_field("created at", vqemu_manifest_string(manifest, VQEMU_MANIFEST_CREATED_AT));
    print_field("qemu version", vqemu_manifest_string(manifest, VQEMU_MANIFEST_QEMU_VERSION));
    print_field("build date", vqemu_manifest_string(manifest, VQEMU_MANIFEST_BUILD_DATE));
    print_field("build host", vqemu_manifest_string(manifest, VQEMU_MANIFEST_BUILD_HOST));
    print_field("arch", vqemu_manifest_string(manifest, VQEMU_MANIFEST_ARCH));
    print_field("description", vqemu_manifest_string(manifest, VQEMU_MANIFEST_DESCRIPTION));
    print_field("accelerator", vqemu_manifest_string(manifest, VQEMU_MANIFEST_ACCEL));
    print_names("abilities", ability_names(vqemu_manifest_abilities(manifest)));
    print_names("guests", guests_json(manifest));
    print_field("size", size);
    print_count("binaries", vqemu_manifest_count_below(manifest, "bin"));
    print_count("libraries", vqemu_manifest_count_below(manifest, "lib"));
    print_count("firmware", vqemu_manifest_count_below(manifest, "firmware"));
    print_count("objects", vqemu_manifest_object_count(manifest));
}

static void print_files(const vqemu_manifest *manifest) {
    static const struct column columns[] = {{"MODE", LEFT}, {"DIGEST", LEFT}, {"PATH", LEFT}};
    _cleanup_table_ struct table table = {.columns = columns, .column_count = 3};
    for (size_t i = 0; i < vqemu_manifest_object_count(manifest); i++) {
        uint32_t mode = vqemu_manifest_object_mode(manifest, i);
        if (mode)
            table_add(&table, "%04o", mode);
        else
            table_add(&table, "-");
        table_add(&table, "%s", vqemu_manifest_object_digest(manifest, i));
        table_add(&table, "%s", vqemu_manifest_object_path(manifest, i));
    }
    putchar('\n');
    table_print(&table);
}

/* As it is: a newline more, or one less, and no signature fits. */
static int print_text(const struct shown *shown) {
    char bytes[4096];
    size_t size;
    FILE *file = fopen(shown->path, "re");
    if (!file)
        return fail_system(errno, "cannot open %s", shown->path);
    while ((size = fread(bytes, 1, sizeof bytes, file)) > 0)
        fwrite(bytes, 1, size, stdout);
    int status = ferror(file) ? fail_system(errno, "cannot read %s", shown->path) : EXIT_SUCCESS;
    fclose(file);
    return status;
}

static int print(const struct options *options, const struct shown *shown) {
    if (options->text)
        return print_text(shown);
    if (options->json)
        return print_json(shown_json(shown));
    print_shown(shown);
    if (options->files)
        print_files(shown->manifest);
    return EXIT_SUCCESS;
}

static int show_file(const struct options *options) {
    _cleanup_error_ vqemu_error *error = NULL;
    _cleanup_manifest_ vqemu_manifest *manifest = NULL;
    if (vqemu_manifest_load_file(options->manifest, 0, options->call, &manifest, &error))
        return fail(error);
    struct shown shown = {.path = options->manifest, .manifest = manifest};
    return print(options, &shown);
}

static int show_revision(const struct options *options) {
    _cleanup_store_ vqemu_store *store = NULL;
    _cleanup_revision_ vqemu_revision *revision = NULL;
    const char *name = options->operand ? options->operand : options->profile;
    int status = store_from_options(options, 0, &store);
    if (!status)
        status = find_revision_of(options, store, name, &revision);
    if (status)
        return status;
    struct shown shown = {.path = vqemu_revision_path(revision),
                          .revision = revision,
                          .manifest = vqemu_revision_manifest(revision)};
    return print(options, &shown);
}

static int show(const struct options *options) {
    int sources = !!options->operand + !!options->profile + !!options->manifest;
    if (sources != 1)
        return fail_usage(options->command, "one of REVISION, --profile and --manifest is needed");
    return options->manifest ? show_file(options) : show_revision(options);
}

const struct command command_show = {
    .name = "show",
    .operand = "[REVISION|PROFILE]",
    .operands = 1,
    .option_groups = OPTIONS_PROFILE | OPTIONS_SHOW | OPTIONS_FILES,
    .summary = "show what a manifest says",
    .description =
        "Show the manifest of a revision, of the one that is used of a profile, or of a\n"
        "file. With --text, the very bytes of it.\n"
        "With --json: revision, ref (the same), path, digest, name, profile,\n"
        "created_at, qemu_version, build_date, build_host, arch, description, accel,\n"
        "abilities, guests, total_bytes, counts (binaries, libraries, firmware,\n"
        "objects), objects (path: digest). What it does not say is null.\n",
    .example = "  volt-qemu show emulate-x86-8e1e73bc\n"
               "  volt-qemu show --profile emulate-x86 --files\n",
    .run = show,
};
