/* SPDX-License-Identifier: MIT */
/*
 * What the guest boots from: the places of disks and network devices in the order of booting.
 * Without them firmware goes by its own order of buses, in which a disk on another bus can come
 * before the VM's first.
 */
#include <inttypes.h>

#include "base/error.h"
#include "command/args-nouns.h"

static size_t device_count(const vqemu_vm *vm) {
    return vm->disks.count + vm->nics.count;
}

/* The place that the VM gives a disk or, behind them, a network device; 0 if it gives none. */
static uint64_t place_of(const vqemu_vm *vm, size_t index) {
    if (index < vm->disks.count)
        return ((const vqemu_disk *)vm->disks.items[index])->boot_order;
    return ((const vqemu_nic *)vm->nics.items[index - vm->disks.count])->boot_order;
}

static bool gives_places(const vqemu_vm *vm) {
    bool found = false;
    for (size_t i = 0; i < device_count(vm); i++)
        found = found || place_of(vm, i);
    return found;
}

/* ---- checks ---- */

/* Two devices cannot both be the first to boot from. */
static int same_place(const vqemu_vm *vm, size_t i, size_t j, vqemu_error **error) {
    size_t disks = vm->disks.count;
    return args_refuse(error, VQEMU_ERR_INVALID,
                       "%s[%zu].boot_order: %s[%zu] has the place %" PRIu64 " as well",
                       i < disks ? "disks" : "nics", i < disks ? i : i - disks,
                       j < disks ? "disks" : "nics", j < disks ? j : j - disks, place_of(vm, i));
}

int args_check_boot_order(const struct args *args, vqemu_error **error) {
    const vqemu_vm *vm = args->vm;
    for (size_t i = 0; i < device_count(vm); i++)
        for (size_t j = 0; place_of(vm, i) != 0 && j < i; j++)
            if (place_of(vm, i) == place_of(vm, j))
                return same_place(vm, i, j, error);
    return 0;
}

/* A drive without a medium gets one later, and cannot be booted now. */
static bool has_medium(const vqemu_vm *vm) {
    bool found = false;
    for (size_t i = 0; i < vm->disks.count; i++) {
        const vqemu_disk *disk = vm->disks.items[i];
        found = found || disk->file || disk->fd || disk->fd_name;
    }
    return found;
}

static bool boots_from_network(const vqemu_vm *vm) {
    bool found = false;
    for (size_t i = 0; i < vm->nics.count; i++)
        found = found || ((const vqemu_nic *)vm->nics.items[i])->boot_order;
    return found;
}

/* Firmware that is asked for by name may be all that is wanted; extra arguments can bring anything;
 * and a guest that comes from elsewhere, or stands still until the caller lets it go, is not booted
 * as it is here. */
int args_check_bootable(const struct args *args, vqemu_error **error) {
    const vqemu_vm *vm = args->vm;
    bool is_anybodys_guess =
        vm->firmware || vm->extra_args.count > 0 ||
        (args->flags & (uint32_t)(VQEMU_COMMAND_PAUSED | VQEMU_COMMAND_INCOMING));
    if (vm->kernel || has_medium(vm) || boots_from_network(vm) || is_anybodys_guess)
        return 0;
    int r = args_refuse(error, VQEMU_ERR_INVALID,
                        "kernel: missing, and there is no disk, no CD, no network device with a "
                        "boot_order: nothing can be booted. To run the firmware alone, set "
                        "\"firmware\"");
    return error_because(r, error, "nothing-to-boot", NULL);
}

/* ---- the order ---- */

static bool goes_by_bootindex(const struct args *args) {
    return args->uefi || args->machine->bootindex;
}

static bool boots_in_order_of_list(const struct args *args) {
    return !args->vm->kernel && !gives_places(args->vm) && goes_by_bootindex(args);
}

/* The disks as they are listed, and behind them the CD-ROM drives: what was installed from a CD is
 * booted, and before that the CD, since firmware passes over a disk that is empty. */
static uint64_t place_in_list(const vqemu_vm *vm, size_t number) {
    bool is_cdrom = is_on(((const vqemu_disk *)vm->disks.items[number])->cdrom);
    uint64_t place = 1;
    for (size_t i = 0; i < vm->disks.count; i++) {
        bool other_is_cdrom = is_on(((const vqemu_disk *)vm->disks.items[i])->cdrom);
        place += other_is_cdrom == is_cdrom ? i < number : is_cdrom;
    }
    return place;
}

uint64_t args_disk_bootindex(const struct args *args, size_t number) {
    return boots_in_order_of_list(args) ? place_in_list(args->vm, number)
                                        : place_of(args->vm, number);
}

void args_add_boot(struct args *args) {
    bool is_booted = gives_places(args->vm) || !args->vm->kernel;
    if (is_booted && goes_by_bootindex(args))
        args_option(args, "-boot", "strict=on"); /* nothing else is tried */
}
