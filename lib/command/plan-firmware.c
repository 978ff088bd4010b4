/* SPDX-License-Identifier: MIT */
/* UEFI firmware in flash, with the VM's own variables. */
#include <string.h>

#include "base/error.h"
#include "command/plan-claim.h"
#include "command/plan-nouns.h"
#include "command/refusal.h"

/* An older kind, such as pc, is chosen for systems that know no UEFI. */
static bool is_default_machine(const struct plan *plan) {
    return plan->machine == plan->arch->machines;
}

static bool wants_uefi(const struct plan *plan) {
    const vqemu_vm *vm = plan->vm;
    if (vm->firmware)
        return strcmp(vm->firmware, "uefi") == 0;
    if (plan_is_windows(plan))
        return true;
    if (vm->kernel || strcmp(plan->guest_os, "other") == 0)
        return false;
    bool from_disk = vm->disks.count > 0;
    if (!plan->machine->boots_disks)
        return from_disk && plan->arch->uefi;
    return plan->kvm && plan->arch->uefi && is_default_machine(plan) &&
           (vqemu_profile_abilities(plan->profile) & VQEMU_ABILITY_UEFI);
}

/* Otherwise nothing would ever appear on the console. */
static int check_firmware(const struct plan *plan, vqemu_error **error) {
    const vqemu_vm *vm = plan->vm;
    if (plan->uefi || vm->kernel || vm->firmware || vm->disks.count == 0 ||
        plan->machine->boots_disks)
        return 0;
    return refuse(error, VQEMU_ERR_INVALID,
                  "kernel: missing; the machine %s of %s guests has no firmware that boots from "
                  "a disk. If an extra argument brings one, set \"firmware\": \"bios\"",
                  plan->machine_name, plan->arch->name);
}

/* What checks signatures goes by keys in flash. Unless only system management mode can write there,
 * a guest that was broken into changes them, and its next start checks nothing. */
static int refuse_unguarded(const struct plan *plan, vqemu_error **error) {
    int r = refuse(error, VQEMU_ERR_UNSUPPORTED,
                   "secure_boot: nothing keeps %s guests from rewriting its keys%s; "
                   "\"secure_boot_unguarded\": true takes it as it is",
                   plan->arch->name,
                   plan->arch->x86 ? ": the firmware makes no use of system management mode" : "");
    return error_because(r, error, "secure-boot-unguarded", NULL);
}

static bool may_be_unguarded(const struct plan *plan) {
    return is_on(plan->vm->secure_boot_unguarded);
}

static int check_secure_boot(const struct plan *plan, vqemu_error **error) {
    if (!is_on(plan->vm->secure_boot) && may_be_unguarded(plan))
        return refuse(error, VQEMU_ERR_INVALID,
                      "secure_boot_unguarded: it needs \"secure_boot\": true");
    if (!is_on(plan->vm->secure_boot))
        return 0;
    if (!plan->uefi)
        return refuse(error, VQEMU_ERR_INVALID, "secure_boot: it needs \"firmware\": \"uefi\"");
    if (plan->arch->x86 && !plan->machine->smm)
        return refuse_for_machine(plan, "secure_boot",
                                  "system management mode, which guards secure boot; q35 has",
                                  error);
    return plan->arch->x86 || may_be_unguarded(plan) ? 0 : refuse_unguarded(plan, error);
}

/* ---- the choice ---- */

static struct origin origin_of_uefi(const struct plan *plan) {
    const char *message = plan->vm->firmware      ? NULL
                          : plan_is_windows(plan) ? "default: Windows boots by UEFI"
                          : plan->machine->boots_disks
                              ? "default: under KVM, guests boot by the UEFI of the profile"
                              : "default: the machine boots disks by UEFI alone";
    return origin_key("firmware", message);
}

static int find_files(struct plan *plan, vqemu_error **error) {
    struct firmware *files = &plan->firmware.files;
    const char *profile = vqemu_profile_name(plan->profile);
    bool secure_boot = is_on(plan->vm->secure_boot);
    int r = firmware_find(vqemu_runtime_firmware_dir(plan->runtime), profile, plan->arch->name,
                          plan->machine_name, secure_boot, files, error);
    if (r == 0 && files->smm && is_on(plan->vm->suspend))
        return refuse(error, VQEMU_ERR_INVALID,
                      "suspend: firmware with system management mode, as that of secure boot, "
                      "does not wake up again");
    if (r == 0 && secure_boot && !files->smm && !may_be_unguarded(plan))
        return refuse_unguarded(plan, error);
    if (r == 0 || r == VQEMU_ERR_NO_MEMORY)
        return r;
    return error_because(error_prefix(r, error, "firmware: "), error, NULL, VQEMU_DETAIL_KEY,
                         "firmware", VQEMU_DETAIL_PROFILE, profile, NULL);
}

int plan_firmware(struct plan *plan, vqemu_error **error) {
    const char *nvram = plan->vm->nvram;
    plan->uefi = wants_uefi(plan);
    int r = check_secure_boot(plan, error);
    if (r == 0)
        r = check_firmware(plan, error);
    if (r == 0 && !plan->uefi && nvram)
        r = refuse(error, VQEMU_ERR_INVALID, "nvram: it needs \"firmware\": \"uefi\"");
    if (r < 0 || !plan->uefi)
        return r;
    if (!plan->arch->uefi)
        return refuse_for_machine(plan, "firmware", "UEFI firmware", error);
    r = refuse_without(plan, VQEMU_ABILITY_UEFI, "firmware", error);
    if (r < 0)
        return r;
    plan->firmware.origin = origin_of_uefi(plan);
    plan->firmware.nvram = plan_path_or(plan, nvram, plan->identity.state_dir, "nvram.fd");
    plan->firmware.nvram_origin =
        origin_key("nvram", nvram ? NULL : "default: in the VM's state directory");
    return find_files(plan, error);
}

void plan_use_firmware(struct plan *plan) {
    if (!plan->uefi)
        return;
    plan_claim(plan, "nvram", plan->firmware.nvram);
    resources_add_read(&plan->resources, plan->firmware.files.code);
    resources_add_write(&plan->resources, plan->firmware.nvram);
}
