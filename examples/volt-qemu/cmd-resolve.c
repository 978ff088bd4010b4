/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <volt-qemu/volt-qemu.h>

#include "cleanup.h"
#include "commands.h"
#include "from-options.h"
#include "json.h"
#include "options.h"
#include "table.h"

static json_t *runtime_json(const vqemu_runtime *runtime) {
    const vqemu_ref *ref = vqemu_runtime_source(runtime);
    json_t *object = json_object();
    json_add_text(object, "profile", vqemu_profile_name(vqemu_runtime_profile(runtime)));
    json_add_text(object, "arch", vqemu_runtime_guest_arch(runtime));
    json_add_text(object, "binary", vqemu_runtime_binary(runtime));
    json_add_text(object, "firmware_dir", vqemu_runtime_firmware_dir(runtime));
    json_add_text(object, "lib_dir", vqemu_runtime_lib_dir(runtime));
    json_add_text(object, "module_dir", vqemu_runtime_module_dir(runtime));
    json_add_text(object, "loader", vqemu_runtime_loader(runtime));
    json_add_text(object, "tree", vqemu_runtime_tree(runtime));
    json_add_text(object, "manifest", vqemu_ref_path(ref));
    json_add_text(object, "ref", vqemu_ref_name(ref));
    json_add_text(object, "digest", vqemu_runtime_digest(runtime));
    return object;
}

static void print_runtime(const vqemu_runtime *runtime) {
    const vqemu_ref *ref = vqemu_runtime_source(runtime);
    print_field("profile", vqemu_profile_name(vqemu_runtime_profile(runtime)));
    print_field("guest arch", vqemu_runtime_guest_arch(runtime));
    print_field("ref", vqemu_ref_name(ref));
    print_field("digest", vqemu_runtime_digest(runtime));
    print_field("manifest", vqemu_ref_path(ref));
    print_field("tree", vqemu_runtime_tree(runtime));
    print_field("binary", vqemu_runtime_binary(runtime));
    print_field("firmware", vqemu_runtime_firmware_dir(runtime));
    print_field("libraries", vqemu_runtime_lib_dir(runtime));
    print_field("modules", vqemu_runtime_module_dir(runtime));
    print_field("loader", vqemu_runtime_loader(runtime));
}

static int resolve(const struct options *options) {
    _cleanup_host_ vqemu_host *host = NULL;
    _cleanup_selection_ vqemu_selection *selection = NULL;
    _cleanup_runtime_ vqemu_runtime *runtime = NULL;
    int status = host_from_options(options, &host);
    if (!status)
        status = selection_from_options(options, host, &selection);
    if (!status)
        status = runtime_from_options(options, selection, &runtime);
    if (status)
        return status;

    if (options->json)
        return print_json(runtime_json(runtime));
    print_runtime(runtime);
    return EXIT_SUCCESS;
}

const struct command command_resolve = {
    .name = "resolve",
    .option_groups = OPTIONS_PROFILE | OPTIONS_WORKLOAD | OPTIONS_RESOLVE,
    .summary = "put a profile on disk, ready to run",
    .description = "Put a profile on disk, verified and ready to run, and tell where its parts\n"
                   "are. Without --profile, it is chosen as by \"volt-qemu select\".\n"
                   "With --json: profile, arch (the guest's), binary, firmware_dir, lib_dir,\n"
                   "module_dir, loader, tree, manifest, ref, digest. What it has not is null.\n",
    .example = "  volt-qemu resolve --profile emulate-x86\n"
               "  volt-qemu resolve --mode hybrid-emulated --guest-arch aarch64 --json\n",
    .run = resolve,
};
