/* SPDX-License-Identifier: MIT */
/* Machine and accelerator, sleep states, clock, and QEMU's own confinement. */
#include <string.h>

#include "base/error.h"
#include "command/plan-nouns.h"
#include "command/refusal.h"
#include "vm/vm-defaults.h"

int plan_machine(struct plan *plan, vqemu_error **error) {
    const char *name = plan->vm->machine;
    plan->machine = name ? arch_find_machine(plan->arch, name) : plan->arch->machines;
    if (plan->machine) {
        plan->machine_name = name ? name : plan->machine->name;
        return 0;
    }
    _cleanup_free_ char *known = arch_list_machines(plan->arch);
    if (!known)
        return error_no_memory(error);
    int r = refuse(error, VQEMU_ERR_UNSUPPORTED,
                   "machine: %s guests have no machine \"%s\"; they have %s", plan->arch->name,
                   name, known);
    return error_because(r, error, "no-such-machine", VQEMU_DETAIL_VALUE, name,
                         VQEMU_DETAIL_CHOICES, known, NULL);
}

/* ---- the board ---- */

static int check_board(const struct plan *plan, vqemu_error **error) {
    const vqemu_vm *vm = plan->vm;
    if (is_on(vm->suspend) && !plan->machine->sleep)
        return refuse_for_machine(plan, "suspend", "sleep states", error);
    if (vm->memory_shared == TOGGLE_OFF && plan->shared_memory)
        return refuse(error, VQEMU_ERR_INVALID,
                      "memory_shared: a share over virtiofs needs it; it cannot be false");
    if (!vm->kernel && vm->initrd)
        return refuse(error, VQEMU_ERR_INVALID, "initrd: it needs a kernel");
    if (!vm->kernel && vm->append)
        return refuse(error, VQEMU_ERR_INVALID, "append: a kernel command line needs a kernel");
    return 0;
}

/* The bridge helper is a program that is setuid root, which elevateprivileges=deny prevents. */
static bool starts_programs(const vqemu_vm *vm) {
    for (size_t i = 0; i < vm->nics.count; i++) {
        const vqemu_nic *nic = vm->nics.items[i];
        if (strcmp(vm_nic_backend(nic), "bridge") == 0)
            return true;
    }
    return false;
}

static struct choice choose_clock(const struct plan *plan) {
    if (plan->vm->rtc)
        return (struct choice){plan->vm->rtc, origin_key("rtc", NULL)};
    if (plan_is_windows(plan))
        return (struct choice){"localtime",
                               origin_key("rtc", "default: Windows takes it for local time")};
    return (struct choice){"utc",
                           origin_key("rtc", "default: all systems but Windows take it for UTC")};
}

int plan_board(struct plan *plan, vqemu_error **error) {
    const vqemu_vm *vm = plan->vm;
    plan->board = (struct machine_plan){
        /* a guest that suspends, as a desktop does by itself, would look as if it hung */
        .sleep = is_on(vm->suspend) ? NULL : plan->machine->sleep,
        .sleep_origin = origin_key("suspend", vm->suspend == TOGGLE_OFF
                                                  ? NULL
                                                  : "default: a guest that sleeps seems to hang"),
        .sandbox = vm_is_sandboxed(vm),
        .starts_programs = starts_programs(vm),
        .clock = choose_clock(plan),
        .catches_up = plan_is_windows(plan) && plan->arch->x86,
    };
    return check_board(plan, error);
}

void plan_use_machine(struct plan *plan) {
    if (plan->kvm)
        resources_add_device(&plan->resources, "/dev/kvm");
    plan->resources.hugepages = plan->vm->hugepages != NULL;
}
