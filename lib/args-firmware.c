/* SPDX-License-Identifier: MIT */
/* UEFI firmware in flash, with the VM's own variables. */
#include <string.h>

#include "args.h"
#include "error.h"
#include "qemu-opt.h"

static bool wants_uefi(const struct args *args) {
    const vqemu_vm *vm = args->vm;
    if (vm->firmware)
        return strcmp(vm->firmware, "uefi") == 0;
    if (strcmp(args->guest_os, "windows") == 0)
        return true;
    return args->kvm && !vm->kernel &&
           (vqemu_profile_abilities(args->profile) & VQEMU_ABILITY_UEFI);
}

static int check_secure_boot(const struct args *args, vqemu_error **error) {
    if (!is_on(args->vm->secure_boot))
        return 0;
    if (!args->uefi)
        return error_set(error, VQEMU_ERR_INVALID, 0,
                         "secure_boot: it needs \"firmware\": \"uefi\"");
    if (args->arch->x86 && !args->machine->smm)
        return args_unsupported(args, "secure_boot",
                                "system management mode, which guards secure boot; q35 has", error);
    return 0;
}

int args_plan_firmware(struct args *args, vqemu_error **error) {
    bool secure_boot = is_on(args->vm->secure_boot);
    args->uefi = wants_uefi(args);
    int r = check_secure_boot(args, error);
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
    return firmware_find(vqemu_runtime_firmware_dir(args->runtime),
                         vqemu_profile_name(args->profile), args->arch->name, args->machine_name,
                         secure_boot, &args->firmware, error);
}

static void add_flash(struct args *args, const char *node, const char *format, const char *path,
                      bool read_only) {
    struct strbuf flash = {0};
    strbuf_addf(&flash, "driver=%s,node-name=%s,read-only=%s,file.driver=file", format, node,
                read_only ? "on" : "off");
    qemu_opt_add(&flash, "file.filename", path);
    args_option_buffer(args, "-blockdev", &flash);
}

void args_add_firmware(struct args *args) {
    if (!args->uefi)
        return;
    add_flash(args, "firmware", args->firmware.code_format, args->firmware.code, true);
    add_flash(args, "nvram", args->firmware.vars_format, args->nvram, false);
    resources_add_read(&args->resources, args->firmware.code);
    resources_add_write(&args->resources, args->nvram);
    if (args->firmware.smm) { /* OVMF's README, "SMM support": only SMM may write the variables */
        args_option(args, "-global", "driver=cfi.pflash01,property=secure,value=on");
        args_option(args, "-global", "ICH9-LPC.disable_s3=1");
    }
}
