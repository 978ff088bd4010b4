/* SPDX-License-Identifier: MIT */
/* UEFI firmware in flash, with the VM's own variables. */
#include <string.h>

#include "base/error.h"
#include "command/args-claim.h"
#include "command/args-image.h"
#include "command/args-nouns.h"

/* An older kind, such as pc, is chosen for systems that know no UEFI. */
static bool is_default_machine(const struct args *args) {
    return args->machine == args->arch->machines;
}

static bool wants_uefi(const struct args *args) {
    const vqemu_vm *vm = args->vm;
    if (vm->firmware)
        return strcmp(vm->firmware, "uefi") == 0;
    if (args_is_windows(args))
        return true;
    if (vm->kernel || strcmp(args->guest_os, "other") == 0)
        return false;
    bool from_disk = vm->disks.count > 0;
    if (!args->machine->boots_disks)
        return from_disk && args->arch->uefi;
    return args->kvm && args->arch->uefi && is_default_machine(args) &&
           (vqemu_profile_abilities(args->profile) & VQEMU_ABILITY_UEFI);
}

/* Otherwise nothing would ever appear on the console. */
static int check_bootable(const struct args *args, vqemu_error **error) {
    const vqemu_vm *vm = args->vm;
    if (args->uefi || vm->kernel || vm->firmware || vm->disks.count == 0 ||
        args->machine->boots_disks)
        return 0;
    return args_refuse(
        error, VQEMU_ERR_INVALID,
        "kernel: missing; the machine %s of %s guests has no firmware that boots from "
        "a disk. If an extra argument brings one, set \"firmware\": \"bios\"",
        args->machine_name, args->arch->name);
}

/* What checks signatures goes by keys in flash. Unless only system management mode can write there,
 * a guest that was broken into changes them, and its next start checks nothing. */
static int refuse_unguarded(const struct args *args, vqemu_error **error) {
    int r =
        args_refuse(error, VQEMU_ERR_UNSUPPORTED,
                    "secure_boot: nothing keeps %s guests from rewriting its keys%s; "
                    "\"secure_boot_unguarded\": true takes it as it is",
                    args->arch->name,
                    args->arch->x86 ? ": the firmware makes no use of system management mode" : "");
    return error_because(r, error, "secure-boot-unguarded", NULL);
}

static bool may_be_unguarded(const struct args *args) {
    return is_on(args->vm->secure_boot_unguarded);
}

static int check_secure_boot(const struct args *args, vqemu_error **error) {
    if (!is_on(args->vm->secure_boot) && may_be_unguarded(args))
        return args_refuse(error, VQEMU_ERR_INVALID,
                           "secure_boot_unguarded: it needs \"secure_boot\": true");
    if (!is_on(args->vm->secure_boot))
        return 0;
    if (!args->uefi)
        return args_refuse(error, VQEMU_ERR_INVALID,
                           "secure_boot: it needs \"firmware\": \"uefi\"");
    if (args->arch->x86 && !args->machine->smm)
        return args_unsupported(args, "secure_boot",
                                "system management mode, which guards secure boot; q35 has", error);
    return args->arch->x86 || may_be_unguarded(args) ? 0 : refuse_unguarded(args, error);
}

int args_plan_firmware(struct args *args, vqemu_error **error) {
    bool secure_boot = is_on(args->vm->secure_boot);
    args->uefi = wants_uefi(args);
    int r = check_secure_boot(args, error);
    if (r == 0)
        r = check_bootable(args, error);
    if (r == 0 && !args->uefi && args->vm->nvram)
        r = args_refuse(error, VQEMU_ERR_INVALID, "nvram: it needs \"firmware\": \"uefi\"");
    if (r < 0 || !args->uefi)
        return r;
    if (!args->arch->uefi)
        return args_unsupported(args, "firmware", "UEFI firmware", error);
    r = args_require(args, VQEMU_ABILITY_UEFI, "firmware", error);
    if (r < 0)
        return r;
    args->nvram = args_path_or(args->vm->nvram, args->state_dir, "nvram.fd");
    if (!args->nvram)
        return error_no_memory(error);
    int found =
        firmware_find(vqemu_runtime_firmware_dir(args->runtime), vqemu_profile_name(args->profile),
                      args->arch->name, args->machine_name, secure_boot, &args->firmware, error);
    if (found == 0 && args->firmware.smm && is_on(args->vm->suspend))
        return args_refuse(error, VQEMU_ERR_INVALID,
                           "suspend: firmware with system management mode, as that of secure boot, "
                           "does not wake up again");
    if (found == 0 && secure_boot && !args->firmware.smm && !may_be_unguarded(args))
        return refuse_unguarded(args, error);
    if (found == 0 || found == VQEMU_ERR_NO_MEMORY)
        return found;
    return error_because(error_prefix(found, error, "firmware: "), error, NULL, VQEMU_DETAIL_KEY,
                         "firmware", VQEMU_DETAIL_PROFILE, vqemu_profile_name(args->profile), NULL);
}

static void add_flash(struct args *args, const char *node, const char *format, const char *path,
                      bool read_only) {
    const struct image image = {
        .node = node, .format = format, .file = {"file", path}, .read_only = read_only};
    args_add_image(args, &image);
}

void args_add_firmware(struct args *args) {
    if (!args->uefi)
        return;
    add_flash(args, "firmware", args->firmware.code_format, args->firmware.code, true);
    args_claim(args, "nvram", args->nvram);
    add_flash(args, "nvram", args->firmware.vars_format, args->nvram, false);
    resources_add_read(&args->resources, args->firmware.code);
    resources_add_write(&args->resources, args->nvram);
    if (args->firmware.smm) /* OVMF's README, "SMM support": only SMM may write the variables */
        args_option(args, "-global", "driver=cfi.pflash01,property=secure,value=on");
}
