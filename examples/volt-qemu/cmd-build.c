/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <volt-qemu/volt-qemu.h>

#include "cleanup.h"
#include "commands.h"
#include "from-options.h"
#include "json.h"
#include "message.h"
#include "options.h"
#include "progress.h"
#include "table.h"
#include "text.h"

static int build_info_from_options(const struct options *options, vqemu_build_info **info) {
    _cleanup_error_ vqemu_error *error = NULL;
    int code = vqemu_build_info_new(info, &error);
    if (!code && options->created_at)
        code = vqemu_build_info_set_created_at(*info, options->created_at, &error);
    if (!code && options->qemu_version)
        code = vqemu_build_info_set_qemu_version(*info, options->qemu_version, &error);
    if (!code && options->build_date)
        code = vqemu_build_info_set_build_date(*info, options->build_date, &error);
    if (!code && options->build_host)
        code = vqemu_build_info_set_build_host(*info, options->build_host, &error);
    return code ? fail_request(options->command, error) : 0;
}

static bool is_among(const vqemu_ref_list *list, const vqemu_ref *wanted) {
    for (size_t i = 0; i < vqemu_ref_list_count(list); i++) {
        const vqemu_ref *ref = vqemu_ref_list_at(list, i);
        if (strcmp(vqemu_ref_name(ref), vqemu_ref_name(wanted)) == 0)
            return vqemu_ref_problem(ref) == NULL;
    }
    return false;
}

/* *unchanged: the ref was there before. */
static int build_ref(const struct options *options, vqemu_ref **ref, bool *unchanged) {
    _cleanup_error_ vqemu_error *error = NULL;
    _cleanup_store_ vqemu_store *store = NULL;
    _cleanup_build_info_ vqemu_build_info *info = NULL;
    _cleanup_ref_list_ vqemu_ref_list *before = NULL;
    int status = build_info_from_options(options, &info);
    if (!status)
        status = store_from_options(options, VQEMU_STORE_CREATE, &store);
    if (status)
        return status;
    if (vqemu_store_list_refs(store, options->profile, &before, &error))
        return fail(error);

    struct progress progress;
    progress_begin(&progress);
    int code = vqemu_store_build(store, options->profile, options->operand, info, progress_step,
                                 &progress, ref, &error);
    progress_end(&progress);
    if (code)
        return fail(error);
    *unchanged = is_among(before, *ref);
    return EXIT_SUCCESS;
}

static json_t *build_json(const vqemu_ref *ref, bool unchanged) {
    const vqemu_manifest *manifest = vqemu_ref_manifest(ref);
    json_t *object = json_object();
    json_add_text(object, "ref", vqemu_ref_name(ref));
    json_add_text(object, "profile", vqemu_ref_profile(ref));
    json_add_text(object, "path", vqemu_ref_path(ref));
    json_add_text(object, "digest", vqemu_manifest_digest(manifest));
    json_add_count(object, "objects", vqemu_manifest_object_count(manifest));
    json_add_count(object, "binaries", vqemu_manifest_count_binaries(manifest));
    json_add_count(object, "libraries", vqemu_manifest_count_libraries(manifest));
    json_add_count(object, "firmware", vqemu_manifest_count_firmware(manifest));
    json_add_number(object, "total_bytes", vqemu_manifest_total_bytes(manifest));
    json_add(object, "unchanged", json_boolean(unchanged));
    return object;
}

static void print_build(const vqemu_ref *ref, bool unchanged) {
    const vqemu_manifest *manifest = vqemu_ref_manifest(ref);
    _cleanup_free_ char *size = format_size(vqemu_manifest_total_bytes(manifest));
    _cleanup_free_ char *files = format_text(
        "%zu (bin %zu, lib %zu, firmware %zu)", vqemu_manifest_object_count(manifest),
        vqemu_manifest_count_binaries(manifest), vqemu_manifest_count_libraries(manifest),
        vqemu_manifest_count_firmware(manifest));
    print_field("ref", vqemu_ref_name(ref));
    print_field("state", unchanged ? "unchanged: the store has it already" : "new");
    print_field("digest", vqemu_manifest_digest(manifest));
    print_field("path", vqemu_ref_path(ref));
    print_field("files", files);
    print_field("size", size);
}

static int build(const struct options *options) {
    if (!options->profile)
        return fail_usage(options->command, "--profile is missing");
    if (!options->operand)
        return fail_usage(options->command, "the directory is missing");
    /* The library would tell these two as well, but only after the store has been made. */
    if (!vqemu_profile_find(options->profile))
        return fail_usage(options->command, "unknown profile '%s'", options->profile);
    if (access(options->operand, R_OK | X_OK))
        return fail_text("cannot read the directory %s: %s", options->operand, strerror(errno));

    _cleanup_ref_ vqemu_ref *ref = NULL;
    bool unchanged;
    int status = build_ref(options, &ref, &unchanged);
    if (status)
        return status;
    if (options->json)
        return print_json(build_json(ref, unchanged));
    print_build(ref, unchanged);
    return EXIT_SUCCESS;
}

const struct command command_build = {
    .name = "build",
    .operand = "DIR",
    .option_groups = OPTIONS_PROFILE | OPTIONS_BUILD,
    .summary = "put a directory into the store as a profile",
    .description = "Put a directory with bin/, lib/ and firmware/ into the store as a new version\n"
                   "of a profile, which must be named with --profile. The store is made if it is\n"
                   "not there. If the newest version is the same already, nothing is written.\n"
                   "With --json: ref, profile, path, digest, objects, binaries, libraries,\n"
                   "firmware, total_bytes, unchanged.\n",
    .example = "  volt-qemu build --profile emulate-x86 --qemu-version 7.2 /srv/qemu\n",
    .run = build,
};
