/* SPDX-License-Identifier: MIT */
/* The ids that the VM gives its devices. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "command/plan-place.h"
#include "command/refusal.h"

/* A device of the VM: the list it is in, its number there, and its ids. */
struct named {
    const char *list;
    size_t number;
    const char *id; /* NULL: the library's */
};

static size_t device_count(const vqemu_vm *vm) {
    return vm->disks.count + vm->shares.count + vm->nics.count;
}

static struct named device_at(const vqemu_vm *vm, size_t i) {
    size_t shares = i - vm->disks.count, nics = shares - vm->shares.count;
    if (i < vm->disks.count)
        return (struct named){"disks", i, ((const vqemu_disk *)vm->disks.items[i])->id};
    if (shares < vm->shares.count)
        return (struct named){"shares", shares,
                              ((const vqemu_share *)vm->shares.items[shares])->id};
    return (struct named){"nics", nics, ((const vqemu_nic *)vm->nics.items[nics])->id};
}

/* ---- checks ---- */

/* Whether the library gives such an id to some device or bus of some VM: another key that is set
 * later must not be what makes this one wrong. A device "usb" has the bus "usb.0". */
static bool is_reserved(const char *id) {
    static const char *const fixed[] = {
        "video",   "usb",   "tablet", "keyboard", "serial", "agent", "watchdog", "rng-device",
        "balloon", "vsock", "rootfs", "scsi",     "ide",    "tpm",   "pci",      "pcie",
    };
    static const char *const numbered[] = {"drive", "share", "nic", "bridge", "port"};
    size_t length = strcspn(id, ".");
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
        if (strlen(fixed[i]) == length && strncmp(fixed[i], id, length) == 0)
            return true;
    for (size_t i = 0; i < sizeof numbered / sizeof *numbered; i++) {
        size_t stem = strlen(numbered[i]);
        if (length > stem && strncmp(numbered[i], id, stem) == 0 &&
            strspn(id + stem, "0123456789") == length - stem)
            return true;
    }
    /* the controller for an I/O thread, the bridge of a CD-ROM drive */
    return strncmp(id, "scsi-", strlen("scsi-")) == 0 || strncmp(id, "usb-", strlen("usb-")) == 0;
}

static int refuse_id(const struct named *device, const char *why, const struct named *other,
                     vqemu_error **error) {
    char key[48], that[48] = "";
    snprintf(key, sizeof key, "%s[%zu].id", device->list, device->number);
    if (other)
        snprintf(that, sizeof that, "%s[%zu]", other->list, other->number);
    int r = refuse(error, VQEMU_ERR_INVALID, "%s: \"%s\" is %s%s", key, device->id, why, that);
    return error_because(r, error, other ? "id-twice" : "reserved-id", VQEMU_DETAIL_KEY, key,
                         VQEMU_DETAIL_VALUE, device->id, NULL);
}

static int check(const vqemu_vm *vm, size_t index, vqemu_error **error) {
    const struct named device = device_at(vm, index);
    if (is_reserved(device.id))
        return refuse_id(&device, "one of the ids that the library gives itself", NULL, error);
    for (size_t i = 0; i < index; i++) {
        const struct named other = device_at(vm, i);
        if (other.id && strcmp(other.id, device.id) == 0)
            return refuse_id(&device, "that of ", &other, error);
    }
    return 0;
}

int plan_check_ids(const struct plan *plan, vqemu_error **error) {
    int r = 0;
    for (size_t i = 0; r == 0 && i < device_count(plan->vm); i++)
        if (device_at(plan->vm, i).id)
            r = check(plan->vm, i, error);
    return r;
}
