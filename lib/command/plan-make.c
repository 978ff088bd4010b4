/* SPDX-License-Identifier: MIT */
#include "command/plan-make.h"

#include <string.h>

#include "base/error.h"
#include "command/plan-claim.h"
#include "command/plan-nouns.h"
#include "command/plan-place.h"
#include "command/plan-slot.h"
#include "command/refusal.h"

#define OWN_DEVICES 16 /* more than a VM has besides its lists */

static int other_runtime(const struct plan *plan, const char *key, const char *said, const char *is,
                         vqemu_error **error) {
    int r =
        refuse(error, VQEMU_ERR_INVALID, "%s: the VM is for %s, the runtime for %s", key, said, is);
    return error_because(r, error, "other-runtime", VQEMU_DETAIL_VALUE, said, VQEMU_DETAIL_PROFILE,
                         vqemu_profile_name(plan->profile), NULL);
}

/* What the VM says that it runs on is what it runs on. Where it says nothing, it runs on all. */
static int check_runtime(const struct plan *plan, vqemu_error **error) {
    const vqemu_vm *vm = plan->vm;
    const char *profile = vqemu_profile_name(plan->profile);
    if (vm->guest_arch && strcmp(vm->guest_arch, plan->arch->name) != 0)
        return other_runtime(plan, "guest_arch", vm->guest_arch, plan->arch->name, error);
    if (vm->profile && strcmp(vm->profile, profile) != 0)
        return other_runtime(plan, "profile", vm->profile, profile, error);
    if (vm->mode && plan->kvm != (strcmp(vm->mode, "hybrid-kvm") == 0))
        return other_runtime(plan, "mode", vm->mode, plan->kvm ? "KVM" : "emulation", error);
    return 0;
}

/* What the others go by. */
static int begin(struct plan *plan, vqemu_error **error) {
    const vqemu_vm *vm = plan->vm;
    size_t most = OWN_DEVICES + 2 * vm->disks.count + vm->shares.count + vm->nics.count;
    plan->profile = vqemu_runtime_profile(plan->runtime);
    plan->arch = runtime_arch(plan->runtime);
    plan->kvm = vqemu_profile_abilities(plan->profile) & VQEMU_ABILITY_KVM;
    plan->guest_os = vm->guest_os ? vm->guest_os : "linux";
    plan->shared_memory = is_on(vm->memory_shared) || plan_has_virtiofs(vm);
    plan->devices = arena_add(&plan->texts, most * sizeof *plan->devices);
    int r = object_check_required(&vm_type, vm, error);
    if (r == 0 && plan->texts.failed)
        return error_no_memory(error);
    if (r == 0)
        r = check_runtime(plan, error);
    if (r == 0)
        r = plan_number_devices(plan, error);
    return r == 0 ? slots_begin(plan, error) : r;
}

static int plan_machine_parts(struct plan *plan, vqemu_error **error) {
    int r = plan_machine(plan, error);
    if (r == 0)
        r = plan_memory(plan, error);
    if (r == 0)
        r = plan_cpus(plan, error);
    if (r == 0)
        r = plan_board(plan, error);
    if (r == 0)
        r = plan_firmware(plan, error);
    if (r < 0)
        return r;
    plan_use_identity(plan);
    plan_use_machine(plan);
    plan_use_firmware(plan);
    plan_boot(plan);
    return 0;
}

/* In the order of QEMU's arguments, in which slots and descriptors are counted. */
static int plan_devices(struct plan *plan, vqemu_error **error) {
    static int (*const nouns[])(struct plan * plan, vqemu_error * *error) = {
        plan_display, plan_usb,    plan_console, plan_control, plan_disks,
        plan_inputs,  plan_shares, plan_nics,    plan_extras,
    };
    int r = 0;
    for (size_t i = 0; r == 0 && i < sizeof nouns / sizeof *nouns; i++)
        r = nouns[i](plan, error);
    return r;
}

/* What is to be seen only when all devices are there. */
static int conclude(struct plan *plan, vqemu_error **error) {
    int r = plan_places(plan, error);
    if (r == 0)
        r = plan_check_arguments(plan, error);
    if (r == 0)
        r = plan_check_claims(plan, error);
    if (r == 0)
        r = plan_check_bootable(plan, error);
    if (r < 0)
        return r;
    plan_use_kernel(plan);
    return plan_has_failed(plan) ? error_no_memory(error) : 0;
}

int plan_make(struct plan *plan, vqemu_error **error) {
    int r = begin(plan, error);
    if (r < 0)
        return r;
    plan_identity(plan);
    r = plan_machine_parts(plan, error);
    if (r == 0)
        r = plan_devices(plan, error);
    return r == 0 ? conclude(plan, error) : r;
}
