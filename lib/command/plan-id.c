/* SPDX-License-Identifier: MIT */
#include "command/plan-id.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "command/refusal.h"

static const struct list {
    const char *key, *noun;
} lists[DEVICE_LIST_COUNT] = {
    [LIST_OF_DISKS] = {"disks", "drive"},
    [LIST_OF_SHARES] = {"shares", "share"},
    [LIST_OF_NICS] = {"nics", "nic"},
};

static size_t count_of(const vqemu_vm *vm, enum device_list list) {
    return list == LIST_OF_DISKS    ? vm->disks.count
           : list == LIST_OF_SHARES ? vm->shares.count
                                    : vm->nics.count;
}

/* NULL: the library's. */
static const char *id_at(const vqemu_vm *vm, enum device_list list, size_t position) {
    if (list == LIST_OF_DISKS)
        return ((const vqemu_disk *)vm->disks.items[position])->id;
    if (list == LIST_OF_SHARES)
        return ((const vqemu_share *)vm->shares.items[position])->id;
    return ((const vqemu_nic *)vm->nics.items[position])->id;
}

/* ---- numbers ---- */

/* Whether an id is one that the library gives to an element of this list, and which. */
static bool find_number(const char *id, enum device_list list, unsigned *number) {
    const char *noun = lists[list].noun, *digits = id ? id + strlen(noun) : NULL;
    if (!id || strncmp(id, noun, strlen(noun)) != 0 || (digits[0] == '0' && digits[1]))
        return false;
    size_t length = strspn(digits, "0123456789");
    if (length == 0 || length > 3 || digits[length])
        return false;
    *number = 0;
    for (size_t i = 0; i < length; i++)
        *number = *number * 10 + (unsigned)(digits[i] - '0');
    return true;
}
_Static_assert(LIST_MAX == 1000, "numbers have three digits");

/* Those that their ids say come first, then all who have their position left, and the rest. */
static void number_list(const vqemu_vm *vm, enum device_list list, unsigned *numbers) {
    bool taken[LIST_MAX] = {false}, is_numbered[LIST_MAX] = {false};
    size_t count = count_of(vm, list);
    for (size_t i = 0; i < count; i++)
        if ((is_numbered[i] = find_number(id_at(vm, list, i), list, &numbers[i])))
            taken[numbers[i]] = true;
    for (size_t i = 0; i < count; i++)
        if (!is_numbered[i] && !taken[i]) {
            numbers[i] = (unsigned)i;
            is_numbered[i] = taken[i] = true;
        }
    for (size_t i = 0, next = 0; i < count; i++) {
        if (is_numbered[i])
            continue;
        while (next < LIST_MAX - 1 && taken[next])
            next++;
        numbers[i] = (unsigned)next;
        taken[next] = true;
    }
}

/* ---- checks ---- */

/* Whether the part of an id before the dot is a noun and a number. */
static bool is_numbered(const char *id, const char *noun) {
    size_t length = strcspn(id, "."), stem = strlen(noun);
    return length > stem && strncmp(noun, id, stem) == 0 &&
           strspn(id + stem, "0123456789") == length - stem;
}

/* Whether the library gives such an id to some device or bus of some VM: another key that is set
 * later must not be what makes this one wrong. A device "usb" has the bus "usb.0". That all of them
 * are here is tested with the golden commands. */
static bool is_reserved(const char *id) {
    static const char *const fixed[] = {
        "video",   "usb",   "tablet", "keyboard", "serial", "agent", "watchdog", "rng-device",
        "balloon", "vsock", "rootfs", "scsi",     "ide",    "tpm",   "pci",      "pcie",
    };
    size_t length = strcspn(id, ".");
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
        if (strlen(fixed[i]) == length && strncmp(fixed[i], id, length) == 0)
            return true;
    for (enum device_list list = 0; list < DEVICE_LIST_COUNT; list++)
        if (is_numbered(id, lists[list].noun))
            return true;
    if (is_numbered(id, "bridge") || is_numbered(id, "port"))
        return true;
    /* the controller for an I/O thread, the bridge of a CD-ROM drive */
    return strncmp(id, "scsi-", strlen("scsi-")) == 0 || strncmp(id, "usb-", strlen("usb-")) == 0;
}

/* An element of a list of the VM's. */
struct element {
    enum device_list list;
    size_t position;
};

static int refuse_id(const vqemu_vm *vm, struct element device, const char *why,
                     const struct element *other, vqemu_error **error) {
    char key[48], that[48] = "";
    const char *id = id_at(vm, device.list, device.position);
    snprintf(key, sizeof key, "%s[%zu].id", lists[device.list].key, device.position);
    if (other)
        snprintf(that, sizeof that, "%s[%zu]", lists[other->list].key, other->position);
    int r = refuse(error, VQEMU_ERR_INVALID, "%s: \"%s\" is %s%s", key, id, why, that);
    return error_because(r, error, other ? "id-twice" : "reserved-id", VQEMU_DETAIL_KEY, key,
                         VQEMU_DETAIL_VALUE, id, NULL);
}

/* Whether an element before it has the same id. */
static bool find_twin(const vqemu_vm *vm, struct element device, struct element *twin) {
    const char *id = id_at(vm, device.list, device.position);
    for (enum device_list list = 0; list <= device.list; list++) {
        size_t end = list == device.list ? device.position : count_of(vm, list);
        for (size_t i = 0; i < end; i++) {
            const char *other = id_at(vm, list, i);
            *twin = (struct element){list, i};
            if (other && strcmp(other, id) == 0)
                return true;
        }
    }
    return false;
}

static int check_id(const vqemu_vm *vm, struct element device, vqemu_error **error) {
    const char *id = id_at(vm, device.list, device.position);
    struct element twin;
    unsigned number;
    if (!id)
        return 0;
    if (is_reserved(id) && !find_number(id, device.list, &number))
        return refuse_id(vm, device, "one of the ids that the library gives itself", NULL, error);
    return find_twin(vm, device, &twin) ? refuse_id(vm, device, "that of ", &twin, error) : 0;
}

int plan_number_devices(struct plan *plan, vqemu_error **error) {
    const vqemu_vm *vm = plan->vm;
    for (enum device_list list = 0; list < DEVICE_LIST_COUNT; list++) {
        size_t count = count_of(vm, list);
        for (size_t i = 0; i < count; i++) {
            int r = check_id(vm, (struct element){list, i}, error);
            if (r < 0)
                return r;
        }
        plan->numbers[list] = arena_add(&plan->texts, count * sizeof *plan->numbers[list]);
        if (count > 0 && !plan->numbers[list])
            return error_no_memory(error);
        if (count > 0)
            number_list(vm, list, plan->numbers[list]);
    }
    return 0;
}

/* ---- devices ---- */

void plan_device(struct plan *plan, struct device *device, const char *noun, int number) {
    const char *id = number < 0 ? noun : arena_textf(&plan->texts, "%s%d", noun, number);
    *device = (struct device){.noun = noun,
                              .number = number,
                              .id = {id, origin_none("the library's own name of the device")},
                              .place = {.bridge = -1}};
}

void plan_listed_device(struct plan *plan, struct device *device, enum device_list list,
                        size_t position) {
    const char *id = id_at(plan->vm, list, position);
    int number = (int)plan->numbers[list][position];
    if (id)
        *device = (struct device){
            .noun = lists[list].noun, .number = number, .id.value = id, .place = {.bridge = -1}};
    else
        plan_device(plan, device, lists[list].noun, number);
    device->id.origin = origin_in(lists[list].key, position, "id",
                                  id ? NULL : "default: what it is, and its number");
}
