/* SPDX-License-Identifier: MIT */
#include "command/option-nouns.h"

void boot_options(const struct plan *plan, struct options *options) {
    if (plan->boot.strict) {
        option_begin(options, OPTION_BOOT, NULL, plan->boot.strict_origin);
        option_switch(options, "strict", true);
    }
    if (!plan->boot.reboot)
        option_begin(options, OPTION_NO_REBOOT, NULL, plan->boot.reboot_origin);
}

void kernel_options(const struct plan *plan, struct options *options) {
    const vqemu_vm *vm = plan->vm;
    if (!vm->kernel)
        return;
    option_begin(options, OPTION_KERNEL, vm->kernel, origin_key("kernel", NULL));
    if (vm->initrd)
        option_begin(options, OPTION_INITRD, vm->initrd, origin_key("initrd", NULL));
    option_begin(options, OPTION_APPEND, plan->boot.append.value, plan->boot.append.origin);
}
