/* SPDX-License-Identifier: MIT */
#include "command/option-nouns.h"

#define LIBRARY "nothing comes to the guest but by the VM's keys"

static void base_options(const struct plan *plan, struct options *options) {
    option_begin(options, OPTION_NO_DEFAULTS, NULL, origin_none(LIBRARY));
    option_begin(options, OPTION_NO_USER_CONFIG, NULL,
                 origin_none("the host's /etc/qemu is none of the VM's"));
    confinement_options(plan, options);
    option_begin(options, OPTION_FIRMWARE_DIR, vqemu_runtime_firmware_dir(plan->runtime),
                 origin_none("the firmware of the profile"));
}

static void state_options(const struct plan *plan, struct options *options) {
    if (plan->flags & VQEMU_COMMAND_PAUSED)
        option_begin(options, OPTION_PAUSED, NULL,
                     origin_none("asked for: the guest stands still until it is let go"));
    if (plan->flags & VQEMU_COMMAND_INCOMING)
        option_begin(options, OPTION_INCOMING, "defer",
                     origin_none("asked for: the guest comes from elsewhere"));
}

static void own_options(const struct plan *plan, struct options *options) {
    for (size_t i = 0; i < plan->vm->extra_args.count; i++)
        option_begin(options, OPTION_EXTRA, plan->vm->extra_args.items[i],
                     origin_in("extra_args", i, NULL, NULL));
}

/* QEMU knows a bus only by what stands before. */
static void move_bridges(const struct plan *plan, struct options *options) {
    size_t first = options->count, place = 0;
    bridge_options(plan, options);
    while (place < first && options->items[place].name != OPTION_DEVICE)
        place++;
    options_move(options, first, place);
}

static void device_options(const struct plan *plan, struct options *options) {
    static void (*const nouns[])(const struct plan *plan, struct options *options) = {
        display_options, usb_options, console_options, control_options, disk_options,
        share_options,   nic_options, extra_options,   port_options,
    };
    for (size_t i = 0; i < sizeof nouns / sizeof *nouns; i++)
        nouns[i](plan, options);
    move_bridges(plan, options);
}

void plan_add_options(const struct plan *plan, struct options *options) {
    identity_options(plan, options);
    base_options(plan, options);
    machine_options(plan, options);
    cpu_options(plan, options);
    memory_options(plan, options);
    clock_options(plan, options);
    boot_options(plan, options);
    firmware_options(plan, options);
    device_options(plan, options);
    kernel_options(plan, options);
    state_options(plan, options);
    own_options(plan, options);
}
