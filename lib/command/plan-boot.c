/* SPDX-License-Identifier: MIT */
/*
 * What the guest boots from: the places of disks and network devices in the order of booting.
 * Without them firmware goes by its own order of buses, in which a disk on another bus can come
 * before the VM's first.
 */
#include <inttypes.h>

#include "base/error.h"
#include "command/plan-nouns.h"
#include "command/refusal.h"
#include "vm/vm-defaults.h"

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
    return refuse(error, VQEMU_ERR_INVALID,
                  "%s[%zu].boot_order: %s[%zu] has the place %" PRIu64 " as well",
                  i < disks ? "disks" : "nics", i < disks ? i : i - disks,
                  j < disks ? "disks" : "nics", j < disks ? j : j - disks, place_of(vm, i));
}

int plan_check_boot_order(const struct plan *plan, vqemu_error **error) {
    const vqemu_vm *vm = plan->vm;
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
int plan_check_bootable(const struct plan *plan, vqemu_error **error) {
    const vqemu_vm *vm = plan->vm;
    bool is_anybodys_guess =
        vm->firmware || vm->extra_args.count > 0 ||
        (plan->flags & (uint32_t)(VQEMU_COMMAND_PAUSED | VQEMU_COMMAND_INCOMING));
    if (vm->kernel || has_medium(vm) || boots_from_network(vm) || is_anybodys_guess)
        return 0;
    int r = refuse(error, VQEMU_ERR_INVALID,
                   "kernel: missing, and there is no disk, no CD, no network device with a "
                   "boot_order: nothing can be booted. To run the firmware alone, set "
                   "\"firmware\"");
    return error_because(r, error, "nothing-to-boot", NULL);
}

/* ---- the order ---- */

static bool goes_by_bootindex(const struct plan *plan) {
    return plan->uefi || plan->machine->bootindex;
}

static bool boots_in_order_of_list(const struct plan *plan) {
    return !plan->vm->kernel && !gives_places(plan->vm) && goes_by_bootindex(plan);
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

uint64_t plan_disk_bootindex(const struct plan *plan, size_t number) {
    return boots_in_order_of_list(plan) ? place_in_list(plan->vm, number)
                                        : place_of(plan->vm, number);
}

static struct origin origin_of_reboot(const vqemu_vm *vm, bool boots_itself) {
    const char *message = vm->reboot != TOGGLE_DEFAULT ? NULL
                          : boots_itself ? "default: the guest is booted by its firmware"
                                         : "default: a guest without boot firmware of its own ends";
    return origin_key("reboot", message);
}

/* What the kernel is told of its root file system, with a space behind it. */
static const char *describe_root(struct plan *plan) {
    const vqemu_vm *vm = plan->vm;
    const char *end = is_on(vm->rootfs_writable) ? " rw " : " ";
    const char *p9_version = plan->arch->p9_version;
    if (!vm->rootfs)
        return "";
    if (vm_shares_by_virtiofs(vm->rootfs_driver))
        return arena_join(&plan->texts, "root=rootfs rootfstype=virtiofs", end, NULL);
    return arena_join(&plan->texts, "root=rootfs rootfstype=9p rootflags=trans=virtio,version=",
                      p9_version ? p9_version : "9p2000.L", end, NULL);
}

static struct choice choose_append(struct plan *plan) {
    if (!plan->vm->kernel)
        return (struct choice){0};
    if (plan->vm->append)
        return (struct choice){plan->vm->append, origin_key("append", NULL)};
    return (struct choice){
        arena_join(&plan->texts, describe_root(plan), "console=", plan->arch->console, " panic=1",
                   NULL),
        origin_key("append", "default: the root file system, if the VM has one, the console, and "
                             "an end of the guest when its kernel panics")};
}

void plan_boot(struct plan *plan) {
    const vqemu_vm *vm = plan->vm;
    bool is_booted = gives_places(vm) || !vm->kernel;
    bool boots_itself = !vm->kernel && (plan->uefi || vm->disks.count > 0);
    plan->boot = (struct boot_plan){
        .strict = is_booted && goes_by_bootindex(plan),
        .strict_origin = origin_none("nothing is tried but what has a place in the boot order"),
        .reboot = is_on_by_default(vm->reboot, boots_itself),
        .reboot_origin = origin_of_reboot(vm, boots_itself),
        .append = choose_append(plan),
    };
}

void plan_use_kernel(struct plan *plan) {
    if (plan->vm->kernel)
        resources_add_read(&plan->resources, plan->vm->kernel);
    if (plan->vm->kernel && plan->vm->initrd)
        resources_add_read(&plan->resources, plan->vm->initrd);
}
