/* SPDX-License-Identifier: MIT */
#include "args.h"

#include <string.h>

#include "error.h"
#include "profile.h"
#include "qemu-opt.h"

#define STATE_PARENT "/var/lib/volt/vms"
#define RUNTIME_PARENT "/run/volt"

/* ---- planning ---- */

char *args_path_or(const char *path, const char *directory, const char *name) {
    return path ? strdup(path) : format_string("%s/%s", directory, name);
}

static int plan_directories(struct args *args, vqemu_error **error) {
    const vqemu_vm *vm = args->vm;
    identity_id(vm->name, args->id);
    args->state_dir = args_path_or(vm->state_dir, STATE_PARENT, args->id);
    args->runtime_dir = args_path_or(vm->runtime_dir, RUNTIME_PARENT, args->id);
    return args->state_dir && args->runtime_dir ? 0 : error_no_memory(error);
}

static int plan_machine(struct args *args, vqemu_error **error) {
    const char *name = args->vm->machine;
    args->machine = name ? arch_find_machine(args->arch, name) : args->arch->machines;
    if (!args->machine) {
        _cleanup_free_ char *known = arch_list_machines(args->arch);
        if (!known)
            return error_no_memory(error);
        return error_set(error, VQEMU_ERR_UNSUPPORTED, 0,
                         "machine: %s guests have no machine \"%s\"; they have %s",
                         args->arch->name, name, known);
    }
    args->machine_name = name ? name : args->machine->name;
    return 0;
}

bool args_is_virtiofs(const char *driver) {
    return driver && strcmp(driver, "virtiofs") == 0;
}

bool args_has_virtiofs(const vqemu_vm *vm) {
    bool found = vm->rootfs && args_is_virtiofs(vm->rootfs_driver);
    for (size_t i = 0; i < vm->shares.count; i++)
        found = found || args_is_virtiofs(((const vqemu_share *)vm->shares.items[i])->driver);
    return found;
}

bool args_is_windows(const struct args *args) {
    return strcmp(args->guest_os, "windows") == 0;
}

bool args_has_virtio_drivers(const struct args *args) {
    return strcmp(args->guest_os, "linux") == 0;
}

uint64_t args_boot_order(const vqemu_vm *vm, size_t index) {
    if (index < vm->disks.count)
        return ((const vqemu_disk *)vm->disks.items[index])->boot_order;
    return ((const vqemu_nic *)vm->nics.items[index - vm->disks.count])->boot_order;
}

int args_plan(struct args *args, vqemu_error **error) {
    args->profile = vqemu_runtime_profile(args->runtime);
    args->arch = runtime_arch(args->runtime);
    args->kvm = vqemu_profile_abilities(args->profile) & VQEMU_ABILITY_KVM;
    args->guest_os = args->vm->guest_os ? args->vm->guest_os : "linux";
    args->shared_memory = is_on(args->vm->memory_shared) || args_has_virtiofs(args->vm);
    int r = plan_directories(args, error);
    if (r == 0)
        r = plan_machine(args, error);
    if (r == 0)
        r = args_check_machine(args, error);
    if (r == 0)
        r = args_plan_firmware(args, error);
    return r;
}

void args_release(struct args *args) {
    free(args->state_dir);
    free(args->runtime_dir);
    free(args->nvram);
    free(args->stop_socket);
    firmware_release(&args->firmware);
    strv_release(&args->argv);
    strv_release(&args->claims);
    resources_release(&args->resources);
}

/* ---- what cannot be had ---- */

/* The profiles that have an ability and run such guests somewhere; NULL without memory. */
static char *list_able(const struct args *args, enum vqemu_ability ability) {
    struct strbuf names = {0};
    const char *kvm_host = args->arch->kvm_hosts[0];
    for (size_t i = 0; i < vqemu_profile_count(); i++) {
        const vqemu_profile *profile = vqemu_profile_at(i);
        if ((vqemu_profile_abilities(profile) & ability) &&
            profile_serves(profile, args->arch, kvm_host ? kvm_host : args->arch->name))
            strbuf_addf(&names, "%s%s", names.length ? ", " : "", vqemu_profile_name(profile));
    }
    return strbuf_take(&names);
}

int args_require(const struct args *args, enum vqemu_ability ability, const char *key,
                 vqemu_error **error) {
    if (vqemu_profile_abilities(args->profile) & ability)
        return 0;
    _cleanup_free_ char *able = list_able(args, ability);
    if (!able)
        return error_no_memory(error);
    return error_set(error, VQEMU_ERR_UNSUPPORTED, 0,
                     "%s: the profile %s has no %s; for %s guests, these have: %s", key,
                     vqemu_profile_name(args->profile), vqemu_ability_name(ability),
                     args->arch->name, *able ? able : "none");
}

int args_unsupported(const struct args *args, const char *key, const char *what,
                     vqemu_error **error) {
    return error_set(error, VQEMU_ERR_UNSUPPORTED, 0, "%s: the machine %s of %s guests has no %s",
                     key, args->machine_name, args->arch->name, what);
}

/* ---- making options ---- */

void args_option(struct args *args, const char *option, const char *value) {
    strv_add(&args->argv, option);
    strv_add(&args->argv, value);
}

void args_option_buffer(struct args *args, const char *option, struct strbuf *value) {
    strv_add(&args->argv, option);
    strv_take_in(&args->argv, strbuf_take(value));
}

void args_virtio(const struct args *args, struct strbuf *device, const char *kind, const char *id,
                 int number) {
    strbuf_addf(device, "%s-%s,id=%s", kind, args->arch->bus, id);
    if (number >= 0)
        strbuf_addf(device, "%d", number);
}

void args_listen(struct args *args, const char *id, const char *key, const char *path) {
    struct strbuf chardev = {0};
    strbuf_addf(&chardev, "socket,id=%s", id);
    qemu_opt_add(&chardev, "path", path);
    strbuf_add(&chardev, ",server=on,wait=off");
    args_option_buffer(args, "-chardev", &chardev);
    args_claim(args, key, path);
    resources_add_socket(&args->resources, path);
}

void args_connect(struct args *args, const char *id, const char *key, const char *path) {
    struct strbuf chardev = {0};
    strbuf_addf(&chardev, "socket,id=%s", id);
    qemu_opt_add(&chardev, "path", path);
    args_option_buffer(args, "-chardev", &chardev);
    args_claim(args, key, path);
    resources_add_connect(&args->resources, path);
}
