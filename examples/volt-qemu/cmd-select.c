/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <volt-qemu/volt-qemu.h>

#include "cleanup.h"
#include "commands.h"
#include "from-options.h"
#include "json.h"
#include "kvm-state.h"
#include "option-table.h"
#include "options.h"
#include "table.h"
#include "vm-options.h"

static json_t *rejected_json(const vqemu_selection *selection) {
    json_t *list = json_array();
    for (size_t i = 0; i < vqemu_selection_rejected_count(selection); i++) {
        const vqemu_profile *profile = vqemu_selection_rejected_profile(selection, i);
        json_t *object = json_object();
        json_add_text(object, "profile", vqemu_profile_name(profile));
        json_add_text(object, "message", vqemu_selection_rejected_message(selection, i));
        json_append(list, object);
    }
    return list;
}

static json_t *host_json(const vqemu_host *host) {
    json_t *object = json_object();
    json_add_text(object, "arch", vqemu_host_arch(host));
    json_add_text(object, "kvm", kvm_state_name(vqemu_host_kvm_state(host)));
    json_add_text(object, "kvm_message", vqemu_host_kvm_message(host));
    json_add_text(object, "vhost_net",
                  vqemu_vhost_net_state_name(vqemu_host_vhost_net_state(host)));
    json_add_text(object, "vhost_net_message", vqemu_host_vhost_net_message(host));
    return object;
}

static json_t *selection_json(const vqemu_selection *selection, const vqemu_host *host) {
    json_t *object = json_object();
    json_add_text(object, "profile", vqemu_profile_name(vqemu_selection_profile(selection)));
    json_add_text(object, "guest_arch", vqemu_selection_guest_arch(selection));
    json_add_text(object, "accel", vqemu_selection_accel(selection));
    json_add_text(object, "problem", vqemu_selection_problem(selection));
    json_add(object, "runnable", json_boolean(vqemu_selection_runnable(selection)));
    json_add_text(object, "message", vqemu_selection_message(selection));
    json_add(object, "rejected", rejected_json(selection));
    json_add(object, "host", host_json(host));
    return object;
}

static void print_rejected(const vqemu_selection *selection) {
    static const struct column columns[] = {{"REJECTED", LEFT}, {"WHY", LEFT}};
    _cleanup_table_ struct table table = {.columns = columns, .column_count = 2};
    for (size_t i = 0; i < vqemu_selection_rejected_count(selection); i++) {
        const vqemu_profile *profile = vqemu_selection_rejected_profile(selection, i);
        table_add(&table, "%s", vqemu_profile_name(profile));
        table_add(&table, "%s", vqemu_selection_rejected_message(selection, i));
    }
    if (table.cell_count == 0)
        return;
    putchar('\n');
    table_print(&table);
}

static void print_selection(const vqemu_selection *selection, const vqemu_host *host) {
    print_field("profile", vqemu_profile_name(vqemu_selection_profile(selection)));
    print_field("guest arch", vqemu_selection_guest_arch(selection));
    print_field("accelerator", vqemu_selection_accel(selection));
    print_field("why", vqemu_selection_message(selection));
    if (!vqemu_selection_runnable(selection))
        printf("warning: it does not run on this host as it is: %s\n",
               vqemu_host_kvm_message(host));
    print_rejected(selection);
}

static int select_profile(const struct options *options) {
    _cleanup_way_ struct way way = {0};
    int status = vm_from_options(options, &way.vm);
    if (!status)
        status = way_to_selection(options, &way);
    if (status)
        return status;

    if (options->json)
        return print_json(selection_json(way.selection, way.host));
    print_selection(way.selection, way.host);
    return EXIT_SUCCESS;
}

const struct command command_select = {
    .name = "select",
    .option_groups = OPTIONS_PROFILE | OPTIONS_WORKLOAD | OPTIONS_VM,
    .summary = "choose the profile for a workload, and say why",
    .description =
        "Choose the profile for a workload on this host, and say why it, and why not\n"
        "the others. The workload is a VM, as of \"volt-qemu args\", or what the options\n"
        "say of it. With --root, only profiles that this store has are chosen. With\n"
        "--profile, look at one that is chosen already.\n"
        "With --json: profile, guest_arch, accel, runnable, problem, message, rejected\n"
        "(an array of profile, message), host (arch, kvm, kvm_message, vhost_net,\n"
        "vhost_net_message).\n",
    .example = "  volt-qemu select --mode hybrid-emulated --guest-arch aarch64\n"
               "  volt-qemu select --guest-os windows --kvm usable\n"
               "  volt-qemu select --vm web.json --root /var/lib/volt\n",
    .run = select_profile,
};
