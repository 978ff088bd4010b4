/* SPDX-License-Identifier: MIT */
#include "command/args-plan.h"

#include <string.h>

#include "base/error.h"
#include "command/args-nouns.h"

static int plan_directories(struct args *args, vqemu_error **error) {
    const vqemu_vm *vm = args->vm;
    identity_id(vm->name, args->id);
    args->state_dir = args_path_or(vm->state_dir, args->state_base, args->id);
    args->runtime_dir = args_path_or(vm->runtime_dir, args->runtime_base, args->id);
    return args->state_dir && args->runtime_dir ? 0 : error_no_memory(error);
}

static int plan_machine(struct args *args, vqemu_error **error) {
    const char *name = args->vm->machine;
    args->machine = name ? arch_find_machine(args->arch, name) : args->arch->machines;
    if (!args->machine) {
        _cleanup_free_ char *known = arch_list_machines(args->arch);
        if (!known)
            return error_no_memory(error);
        int r = args_refuse(error, VQEMU_ERR_UNSUPPORTED,
                            "machine: %s guests have no machine \"%s\"; they have %s",
                            args->arch->name, name, known);
        return error_because(r, error, "no-such-machine", VQEMU_DETAIL_VALUE, name,
                             VQEMU_DETAIL_CHOICES, known, NULL);
    }
    args->machine_name = name ? name : args->machine->name;
    return 0;
}

static int other_runtime(const struct args *args, const char *key, const char *said, const char *is,
                         vqemu_error **error) {
    int r = args_refuse(error, VQEMU_ERR_INVALID, "%s: the VM is for %s, the runtime for %s", key,
                        said, is);
    return error_because(r, error, "other-runtime", VQEMU_DETAIL_VALUE, said, VQEMU_DETAIL_PROFILE,
                         vqemu_profile_name(args->profile), NULL);
}

/* What the VM says that it runs on is what it runs on. Where it says nothing, it runs on all. */
static int check_runtime(const struct args *args, vqemu_error **error) {
    const vqemu_vm *vm = args->vm;
    const char *profile = vqemu_profile_name(args->profile);
    if (vm->guest_arch && strcmp(vm->guest_arch, args->arch->name) != 0)
        return other_runtime(args, "guest_arch", vm->guest_arch, args->arch->name, error);
    if (vm->profile && strcmp(vm->profile, profile) != 0)
        return other_runtime(args, "profile", vm->profile, profile, error);
    if (vm->mode && args->kvm != (strcmp(vm->mode, "hybrid-kvm") == 0))
        return other_runtime(args, "mode", vm->mode, args->kvm ? "KVM" : "emulation", error);
    return 0;
}

int args_plan(struct args *args, vqemu_error **error) {
    args->profile = vqemu_runtime_profile(args->runtime);
    args->arch = runtime_arch(args->runtime);
    args->kvm = vqemu_profile_abilities(args->profile) & VQEMU_ABILITY_KVM;
    args->guest_os = args->vm->guest_os ? args->vm->guest_os : "linux";
    args->shared_memory = is_on(args->vm->memory_shared) || args_has_virtiofs(args->vm);
    int r = object_check_required(&vm_type, args->vm, error);
    if (r == 0)
        r = check_runtime(args, error);
    if (r == 0)
        r = plan_directories(args, error);
    if (r == 0)
        r = plan_machine(args, error);
    if (r == 0)
        r = args_check_machine(args, error);
    if (r == 0)
        r = args_plan_firmware(args, error);
    return r;
}
