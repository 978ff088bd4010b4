/* SPDX-License-Identifier: MIT */
#include "command/option-nouns.h"

void confinement_options(const struct plan *plan, struct options *options) {
    const char *message = "default: QEMU is kept from what no guest needs";
    if (!plan->board.sandbox)
        return;
    option_begin(options, OPTION_SANDBOX, "on",
                 origin_key("sandbox", is_on(plan->vm->sandbox) ? NULL : message));
    option_text(options, "obsolete", "deny");
    if (!plan->board.starts_programs) {
        option_text(options, "elevateprivileges", "deny");
        option_text(options, "spawn", "deny");
    }
    option_text(options, "resourcecontrol", "deny");
}

static struct origin origin_of_machine(const struct plan *plan) {
    return origin_key("machine", plan->vm->machine ? NULL : "default: the first of such guests");
}

void machine_options(const struct plan *plan, struct options *options) {
    option_begin(options, OPTION_MACHINE, plan->machine_name, origin_of_machine(plan));
    if (plan->machine->options)
        option_list(options, plan->machine->options,
                    origin_none("every guest of this machine is better off with it"));
    if (!plan->kvm && plan->arch->tcg_options)
        option_list(options, plan->arch->tcg_options,
                    origin_none("emulation has not what the machine asks for by default"));
    if (plan->uefi && plan->firmware.files.smm) {
        option_switch(options, "smm", true);
        option_from(options, origin_none("the firmware guards its variables by it"));
    }
    if (plan->uefi) {
        option_text(options, "pflash0", "firmware");
        option_from(options, plan->firmware.origin);
        option_text(options, "pflash1", "nvram");
        option_from(options, plan->firmware.nvram_origin);
    }
    if (plan->memory.has_backend) {
        option_text(options, "memory-backend", "memory");
        option_from(options, plan->memory.backend_origin);
    }
    option_switch(options, "dump-guest-core", false);
    option_from(options, origin_none("a crash must not write the guest's secrets"));
    option_begin(options, OPTION_ACCEL, plan->kvm ? "kvm" : "tcg",
                 origin_key("profile", "the accelerator of the profile"));
}

void clock_options(const struct plan *plan, struct options *options) {
    const struct choice *clock = &plan->board.clock;
    option_begin(options, OPTION_RTC, NULL, clock->origin);
    option_text(options, "base", clock->value);
    if (plan->board.catches_up) {
        option_text(options, "driftfix", "slew");
        option_from(options, origin_key("guest_os", "Windows counts ticks, and gets late ones"));
    }
    static const char *const states[] = {".disable_s3", ".disable_s4"};
    for (size_t i = 0; plan->board.sleep && i < sizeof states / sizeof *states; i++) {
        option_begin(options, OPTION_GLOBAL, NULL, plan->board.sleep_origin);
        option_number(options, arena_join(&options->texts, plan->board.sleep, states[i], NULL), 1);
    }
}
