/* SPDX-License-Identifier: MIT */
/* The defaults of a VM's hardware, as its plan has them, written into the VM. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <volt-qemu/keys.h>

#include "base/call.h"
#include "base/error.h"
#include "command/command-options.h"
#include "command/plan-bridge.h"
#include "command/plan-make.h"
#include "command/plan-slot.h"
#include "util/export.h"
#include "vm/vm-defaults.h"

/* The first failure stays. */
struct completion {
    const struct plan *plan;
    const vqemu_capabilities *capabilities; /* or NULL */
    vqemu_vm *vm;                           /* that is being completed */
    struct arena texts;
    int code;
    vqemu_error **error;
};

/* ---- keys ---- */

/* given: what the VM says already. */
static void set_text(struct completion *completion, const char *key, const char *given,
                     const char *value) {
    if (completion->code == 0 && !given && value)
        completion->code = vqemu_vm_set_string(completion->vm, key, value, completion->error);
}

static void set_number(struct completion *completion, const char *key, uint64_t given,
                       uint64_t value) {
    if (completion->code == 0 && !given)
        completion->code = vqemu_vm_set_number(completion->vm, key, value, completion->error);
}

static void set_switch(struct completion *completion, const char *key, enum toggle given,
                       bool value) {
    if (completion->code == 0 && given == TOGGLE_DEFAULT)
        completion->code = vqemu_vm_set_switch(
            completion->vm, key, value ? VQEMU_SWITCH_ON : VQEMU_SWITCH_OFF, completion->error);
}

static void set_in(struct completion *completion, const char *list, size_t index, const char *key,
                   const char *given, const char *value) {
    char whole[64];
    snprintf(whole, sizeof whole, "%s[%zu].%s", list, index, key);
    set_text(completion, whole, given, value);
}

/* ---- machine and processors ---- */

/* What an alias stands for in this QEMU, which another one has as another machine. */
static void complete_machine(struct completion *completion) {
    const struct plan *plan = completion->plan;
    const char *name = plan->machine_name;
    const char *versioned =
        completion->capabilities
            ? vqemu_capabilities_fact(completion->capabilities, "machine", name, "alias-of")
            : NULL;
    if (versioned && arch_find_machine(plan->arch, versioned) == plan->machine)
        set_text(completion, VQEMU_KEY_MACHINE, NULL, versioned);
    else
        set_text(completion, VQEMU_KEY_MACHINE, plan->vm->machine, name);
}

/* Settings that belong to a model of the table, "pauth-impdef=on", which is written with their
 * model; a feature that the VM has set stays. */
static void complete_cpu_settings(struct completion *completion) {
    const struct named_values *given = &completion->plan->vm->cpu_features;
    const char *settings = completion->plan->cpu.settings;
    while (settings) {
        size_t name = strcspn(settings, "="), length = strcspn(settings, ",");
        bool is_on = strncmp(settings + name, "=on", length - name) == 0;
        char key[96];
        snprintf(key, sizeof key, "cpu_features.%.*s", (int)name, settings);
        if (!named_values_find(given, key + strlen("cpu_features.")))
            set_switch(completion, key, TOGGLE_DEFAULT, is_on);
        settings = settings[length] ? settings + length + 1 : NULL;
    }
}

static void complete_cpus(struct completion *completion) {
    const struct plan *plan = completion->plan;
    const vqemu_vm *vm = plan->vm;
    const struct cpu_plan *cpu = &plan->cpu;
    set_number(completion, VQEMU_KEY_CPUS, vm->cpus, cpu->count);
    set_number(completion, VQEMU_KEY_CPU_SOCKETS, vm->cpu_sockets, cpu->sockets);
    set_number(completion, VQEMU_KEY_CPU_CORES, vm->cpu_cores, cpu->cores);
    set_number(completion, VQEMU_KEY_CPU_THREADS, vm->cpu_threads, cpu->threads);
    complete_cpu_settings(completion);
    set_text(completion, VQEMU_KEY_CPU_MODEL, vm->cpu_model, cpu->model.value);
    set_switch(completion, VQEMU_KEY_HYPERV, vm->hyperv, cpu->hyperv);
}

static void complete_board(struct completion *completion) {
    const struct plan *plan = completion->plan;
    const vqemu_vm *vm = plan->vm;
    set_text(completion, VQEMU_KEY_UUID, vm->uuid, plan->identity.uuid.value);
    set_text(completion, VQEMU_KEY_GUEST_ARCH, vm->guest_arch, plan->arch->name);
    set_text(completion, VQEMU_KEY_GUEST_OS, vm->guest_os, plan->guest_os);
    complete_machine(completion);
    set_text(completion, VQEMU_KEY_FIRMWARE, vm->firmware, plan->uefi ? "uefi" : "bios");
    set_text(completion, VQEMU_KEY_RTC, vm->rtc, plan->board.clock.value);
    set_switch(completion, VQEMU_KEY_SUSPEND, vm->suspend, false);
    set_number(completion, VQEMU_KEY_MEMORY, vm->memory, plan->memory.mib.value);
    complete_cpus(completion);
}

/* ---- devices ---- */

/* As the key calls what QEMU calls by this model. */
static const char *video_word(const char *model) {
    return !model                        ? NULL
           : strcmp(model, "VGA") == 0   ? "std"
           : strcmp(model, "ramfb") == 0 ? "ramfb"
                                         : "virtio";
}

static void complete_display(struct completion *completion) {
    const struct plan *plan = completion->plan;
    const vqemu_vm *vm = plan->vm;
    set_text(completion, VQEMU_KEY_DISPLAY, vm->display, "none");
    set_text(completion, VQEMU_KEY_CONSOLE, vm->console, plan->console.name.value);
    set_text(completion, VQEMU_KEY_VIDEO, vm->video, video_word(plan->display.video.value));
    set_switch(completion, VQEMU_KEY_USB, vm->usb, plan->usb.controller);
    set_switch(completion, VQEMU_KEY_USB_TABLET, vm->usb_tablet, plan->usb.tablet);
    set_switch(completion, VQEMU_KEY_RNG, vm->rng, plan->extras.rng);
    set_switch(completion, VQEMU_KEY_BALLOON, vm->balloon, plan->extras.balloon);
    set_switch(completion, VQEMU_KEY_TPM, vm->tpm, plan->extras.tpm_socket.value != NULL);
}

static void complete_shares(struct completion *completion) {
    const vqemu_vm *vm = completion->plan->vm;
    if (vm->rootfs)
        set_text(completion, VQEMU_KEY_ROOTFS_DRIVER, vm->rootfs_driver, DEFAULT_SHARE_DRIVER);
    for (size_t i = 0; i < vm->shares.count; i++) {
        const struct share_plan *share = &completion->plan->shares[i];
        set_in(completion, "shares", i, "id", share->share->id, share->device.id.value);
        set_in(completion, "shares", i, "driver", share->share->driver, DEFAULT_SHARE_DRIVER);
    }
}

static void complete_lists(struct completion *completion) {
    const struct plan *plan = completion->plan;
    for (size_t i = 0; i < plan->vm->disks.count; i++) {
        const struct drive *drive = &plan->drives[i];
        set_in(completion, "disks", i, "id", drive->disk->id, drive->device.id.value);
        set_in(completion, "disks", i, "bus", drive->disk->bus, drive->bus.value);
        set_in(completion, "disks", i, "serial", drive->disk->serial, drive->serial.value);
    }
    for (size_t i = 0; i < plan->vm->nics.count; i++) {
        const struct nic_plan *nic = &plan->nics[i];
        set_in(completion, "nics", i, "id", nic->nic->id, nic->device.id.value);
        set_in(completion, "nics", i, "backend", nic->nic->backend, nic->backend.value);
        set_in(completion, "nics", i, "model", nic->nic->model, nic->model.value);
        set_in(completion, "nics", i, "mac", nic->nic->mac, nic->mac.value);
    }
    complete_shares(completion);
}

/* ---- places ---- */

static void complete_slot(struct completion *completion, const char *id,
                          const struct place *place) {
    if (completion->code < 0 || place->kind == PLACE_OF_QEMU ||
        named_values_find(&completion->plan->vm->slots, id))
        return;
    const char *key = arena_join(&completion->texts, VQEMU_KEY_SLOTS, ".", id, NULL),
               *value = slot_text(&completion->texts, place);
    if (completion->texts.failed)
        completion->code = error_no_memory(completion->error);
    else
        set_text(completion, key, NULL, value);
}

static void complete_slots(struct completion *completion) {
    const struct plan *plan = completion->plan;
    const struct device *inputs[] = {&plan->usb.tablet_device, &plan->usb.keyboard_device};
    for (size_t i = 0; i < plan->device_count; i++)
        complete_slot(completion, plan->devices[i]->id.value, &plan->devices[i]->place);
    for (size_t i = 0; i < plan->vm->disks.count; i++)
        if (plan->drives[i].device.place.kind == PLACE_UNIT)
            complete_slot(completion, plan->drives[i].device.id.value,
                          &plan->drives[i].device.place);
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++)
        complete_slot(completion, inputs[i]->id.value, &inputs[i]->place);
    for (size_t i = 0; i <= BRIDGE_MAX; i++)
        if (plan->bridges[i].is_used)
            complete_slot(completion, bridge_ids[i], &plan->bridges[i].place);
}

/* ---- all of it ---- */

static int complete(vqemu_vm *vm, const struct plan *plan, const vqemu_capabilities *capabilities,
                    vqemu_error **error) {
    struct completion completion = {
        .plan = plan, .capabilities = capabilities, .vm = vm, .error = error};
    complete_board(&completion);
    complete_display(&completion);
    complete_lists(&completion);
    complete_slots(&completion);
    arena_release(&completion.texts);
    return completion.code;
}

/* In a copy, so that a failure changes nothing; the VM has its content then. */
static int complete_copy(vqemu_vm *vm, const struct plan *plan,
                         const vqemu_capabilities *capabilities, vqemu_error **error) {
    _cleanup_vm_ vqemu_vm *copy = NULL;
    int r = vqemu_vm_copy(vm, &copy, error);
    if (r == 0)
        r = complete(copy, plan, capabilities, error);
    if (r < 0)
        return r;
    vqemu_vm old = *vm;
    *vm = *copy;
    *copy = old;
    return 0;
}

VQEMU_EXPORT int vqemu_vm_complete(vqemu_vm *vm, vqemu_runtime *runtime,
                                   const vqemu_capabilities *capabilities, uint32_t flags,
                                   vqemu_call *call, vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(vm, error);
    REQUIRE_ARGUMENT(runtime, error);
    REQUIRE_FLAGS(flags, 0, error);
    const struct command_settings settings = command_settle(NULL, call);
    struct plan plan = {.runtime = runtime,
                        .vm = vm,
                        .state_base = settings.state_base,
                        .runtime_base = settings.runtime_base};
    int r = call_check(call, "completing a VM", error);
    if (r == 0)
        r = plan_make(&plan, error);
    if (r == 0)
        r = complete_copy(vm, &plan, capabilities, error);
    plan_release(&plan);
    return r;
}
