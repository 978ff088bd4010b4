/* SPDX-License-Identifier: MIT */
/* Network devices, and what they are connected to. */
#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "choice/vhost-net.h"
#include "command/plan-claim.h"
#include "command/plan-nouns.h"
#include "command/plan-place.h"
#include "command/refusal.h"
#include "vm/vm-defaults.h"

#define BRIDGE_HELPER "/usr/lib/qemu/qemu-bridge-helper"
#define TUN_DEVICE "/dev/net/tun"
#define LOOPBACK "127.0.0.1"

static int nic_error(const struct nic_plan *planned, const char *key, const char *text,
                     vqemu_error **error) {
    return refuse(error, VQEMU_ERR_INVALID, "nics[%zu].%s: %s", planned->position, key, text);
}

static bool wants_msix(const struct nic_plan *planned) {
    return strcmp(planned->model.value, "vmxnet3") == 0 ||
           strcmp(planned->model.value, "e1000e") == 0;
}

/* ---- checks ---- */

static int check_model(const struct plan *plan, const struct nic_plan *planned,
                       vqemu_error **error) {
    char key[48];
    snprintf(key, sizeof key, "nics[%zu].model", planned->position);
    if (!planned->is_virtio && !plan_has_pci(plan))
        return refuse_for_machine(plan, key, "PCI cards; it has virtio", error);
    if (!plan->arch->msix && wants_msix(planned))
        return refuse_for_machine(
            plan, key, "MSI-X, which vmxnet3 and e1000e need; it has virtio and e1000", error);
    return planned->is_virtio ? 0 : refuse_without(plan, VQEMU_ABILITY_NICS, key, error);
}

static int check_forward(const struct nic_plan *planned, size_t number, vqemu_error **error) {
    const struct forward *forward = planned->nic->forwards.items[number];
    struct in_addr address;
    if (!forward->host_address || inet_pton(AF_INET, forward->host_address, &address) == 1)
        return 0;
    return refuse(error, VQEMU_ERR_INVALID,
                  "nics[%zu].forwards[%zu].host_address: \"%s\" is no IPv4 address, such as "
                  "127.0.0.1",
                  planned->position, number, forward->host_address);
}

static int check_user(const struct nic_plan *planned, vqemu_error **error) {
    const vqemu_nic *nic = planned->nic;
    for (size_t i = 0; i < nic->forwards.count; i++) {
        int r = check_forward(planned, i, error);
        if (r < 0)
            return r;
    }
    if (is_chosen(planned->backend.value, "user"))
        return 0;
    if (nic->forwards.count > 0)
        return nic_error(planned, "forwards", "only the user backend forwards ports", error);
    if (is_on(nic->isolated))
        return nic_error(planned, "isolated", "only the user backend can be", error);
    return 0;
}

/* Of what only a TAP device has, the key that is set; NULL if there is none. */
static const char *tap_key(const vqemu_nic *nic) {
    if (nic->ifname)
        return "ifname";
    if (nic->fd || nic->fd_name)
        return nic->fd ? "fd" : "fd_name";
    return nic->vhost_fd ? "vhost_fd" : nic->vhost_fd_name ? "vhost_fd_name" : NULL;
}

static int check_tap(const struct nic_plan *planned, vqemu_error **error) {
    const vqemu_nic *nic = planned->nic;
    bool is_tap = is_chosen(planned->backend.value, "tap"),
         is_bridge = is_chosen(planned->backend.value, "bridge");
    const char *key_of_tap = tap_key(nic);
    if (!is_tap && key_of_tap)
        return nic_error(planned, key_of_tap, "only the tap backend has one", error);
    if (is_tap && !!nic->ifname + !!nic->fd + !!nic->fd_name != 1)
        return nic_error(planned, "ifname",
                         "the tap backend needs either this, or an fd, or an fd_name", error);
    if (nic->vhost_fd && nic->vhost_fd_name)
        return nic_error(planned, "vhost_fd_name", "there is a vhost_fd as well", error);
    if (is_on(nic->vhost) && ((!is_tap && !is_bridge) || !planned->is_virtio))
        return nic_error(planned, "vhost", "it needs the backend tap or bridge and model virtio",
                         error);
    if ((nic->vhost_fd || nic->vhost_fd_name) && (nic->vhost == TOGGLE_OFF || !planned->is_virtio))
        return nic_error(planned, nic->vhost_fd ? "vhost_fd" : "vhost_fd_name",
                         "it needs vhost and model virtio", error);
    if (!is_bridge && (nic->bridge || nic->helper))
        return nic_error(planned, nic->bridge ? "bridge" : "helper",
                         "only the bridge backend has one", error);
    if (is_bridge && !nic->bridge)
        return nic_error(planned, "bridge", "missing: which bridge?", error);
    return 0;
}

/* ---- vhost-net ---- */

/*
 * By default where the host has it for whoever runs the VM: QEMU aborts where it cannot open it.
 * Under emulation the CPU is what a network waits for. Who opens the TAP device for it may have
 * QEMU where there is no such node, and can open that as well.
 */
static bool opens_vhost(const struct plan *plan, const struct nic_plan *planned) {
    const vqemu_nic *nic = planned->nic;
    int32_t state = plan->runtime->vhost_net;
    if (nic->vhost_fd || nic->vhost_fd_name)
        return false;
    if (nic->vhost != TOGGLE_DEFAULT)
        return is_on(nic->vhost);
    return plan->kvm && !nic->fd && !nic->fd_name && !is_chosen(planned->backend.value, "user") &&
           planned->is_virtio &&
           (state == VQEMU_VHOST_NET_USABLE ||
            (state == VQEMU_VHOST_NET_PRIVATE && !plan->vm->user));
}

static int check_vhost(const struct plan *plan, const struct nic_plan *planned,
                       vqemu_error **error) {
    int32_t state = plan->runtime->vhost_net;
    if (!planned->opens_vhost ||
        (state != VQEMU_VHOST_NET_ABSENT && state != VQEMU_VHOST_NET_BROKEN))
        return 0;
    int r = refuse(error, VQEMU_ERR_UNSUPPORTED, "nics[%zu].vhost: %s", planned->position,
                   state == VQEMU_VHOST_NET_ABSENT
                       ? "the host has no " VHOST_NET_DEVICE
                         ", which the kernel's module vhost_net makes (modprobe vhost_net)"
                       : "the host's " VHOST_NET_DEVICE " does not work");
    return error_because(r, error, "host-lacks-device", VQEMU_DETAIL_PATH, VHOST_NET_DEVICE, NULL);
}

static struct origin origin_of_vhost(const struct nic_plan *planned) {
    const vqemu_nic *nic = planned->nic;
    return origin_in("nics", planned->position, "vhost",
                     nic->vhost != TOGGLE_DEFAULT
                         ? NULL
                         : "default: the host has vhost-net for whoever runs the VM");
}

/* ---- the choice ---- */

static struct origin origin_at(const struct nic_plan *planned, const char *key,
                               const char *message) {
    return origin_in("nics", planned->position, key, message);
}

static void choose_model(const struct plan *plan, struct nic_plan *planned) {
    const char *model = planned->nic->model, *plain = plan->machine->plain_nic;
    bool is_plain = !plan_has_virtio_drivers(plan) && plain;
    planned->model =
        (struct choice){model      ? model
                        : is_plain ? plain
                                   : "virtio",
                        origin_at(planned, "model",
                                  model      ? NULL
                                  : is_plain ? "default: systems without virtio drivers know it"
                                             : "default: the fastest")};
    planned->is_virtio = strcmp(planned->model.value, "virtio") == 0;
}

static void make_lower(char *mac) {
    for (char *c = mac; *c; c++)
        if (*c >= 'A' && *c <= 'F')
            *c = (char)(*c - 'A' + 'a');
}

/* mac: in small letters. */
static bool is_mac_given(const vqemu_vm *vm, const char *mac) {
    char given[IDENTITY_MAC_LENGTH + 1];
    for (size_t i = 0; i < vm->nics.count; i++) {
        const vqemu_nic *nic = vm->nics.items[i];
        snprintf(given, sizeof given, "%s", nic->mac ? nic->mac : "");
        make_lower(given);
        if (strcmp(given, mac) == 0)
            return true;
    }
    return false;
}

/* A device that had the number before may have kept its address. */
static void choose_mac(struct plan *plan, struct nic_plan *planned) {
    const vqemu_vm *vm = plan->vm;
    char derived[IDENTITY_MAC_LENGTH + 1];
    if (planned->nic->mac) {
        planned->mac = (struct choice){planned->nic->mac, origin_at(planned, "mac", NULL)};
        return;
    }
    const char *source = vm->uuid ? vm->uuid : vm->name;
    unsigned number = (unsigned)planned->device.number;
    identity_mac(source, number, derived);
    while (is_mac_given(vm, derived))
        identity_mac(source, number += LIST_MAX, derived);
    planned->mac = (struct choice){
        arena_text(&plan->texts, derived),
        origin_at(planned, "mac",
                  vm->uuid ? "default: made of the VM's uuid and the number of the device"
                           : "default: made of the VM's name and the number of the device")};
}

/* Where nothing is booted from the network, the profile need not have the boot ROMs, which have
 * code for x86. */
static bool boots_by_rom(const struct plan *plan, const vqemu_nic *nic) {
    return plan->arch->x86 && nic->boot_order;
}

static struct origin origin_of_forward(const struct nic_plan *planned, size_t index,
                                       const char *key, const char *message) {
    struct origin origin = origin_at(planned, key, message);
    origin.inner = "forwards";
    origin.inner_index = (uint32_t)index;
    return origin;
}

static void choose_forwards(struct plan *plan, struct nic_plan *planned) {
    const struct object_list *forwards = &planned->nic->forwards;
    planned->forwards = arena_add(&plan->texts, forwards->count * sizeof *planned->forwards);
    for (size_t i = 0; planned->forwards && i < forwards->count; i++) {
        const struct forward *forward = forwards->items[i];
        const char *protocol = forward->protocol, *address = forward->host_address;
        planned->forwards[i] = (struct forward_plan){
            .forward = forward,
            .protocol = {protocol ? protocol : "tcp",
                         origin_of_forward(planned, i, "protocol",
                                           protocol ? NULL : "default: the usual one")},
            .address = {address ? address : LOOPBACK,
                        origin_of_forward(planned, i, "host_address",
                                          address ? NULL : "default: only the host itself")},
        };
    }
}

static void choose(struct plan *plan, struct nic_plan *planned) {
    const vqemu_nic *nic = planned->nic;
    planned->backend =
        (struct choice){vm_nic_backend(nic),
                        origin_at(planned, "backend",
                                  nic->backend ? NULL : "default: it needs nothing of the host")};
    planned->helper = (struct choice){
        nic->helper ? nic->helper : BRIDGE_HELPER,
        origin_at(planned, "helper", nic->helper ? NULL : "default: where distributions have it")};
    choose_model(plan, planned);
    planned->opens_vhost = opens_vhost(plan, planned);
    planned->vhost_origin = origin_of_vhost(planned);
    choose_forwards(plan, planned);
    planned->drops_rom = plan_has_pci(plan) && !boots_by_rom(plan, nic);
}

/* ---- what is used ---- */

/* "nics[0].fd" as the first half of a claim. */
static void begin_claim(struct plan *plan, const struct nic_plan *planned, const char *key) {
    strv_addf(&plan->claims, "nics[%zu].%s", planned->position, key);
}

static int claim_descriptor(struct plan *plan, const struct nic_plan *planned, const char *key,
                            uint64_t fd, const char *name) {
    char whole[48];
    if (!fd && !name)
        return 0;
    snprintf(whole, sizeof whole, "nics[%zu].%s", planned->position, key);
    return plan_claim_descriptor(plan, whole, fd, name);
}

static void use_device(struct plan *plan, const struct nic_plan *planned, const char *device,
                       const char *key) {
    char whole[48];
    resources_add_device(&plan->resources, device);
    snprintf(whole, sizeof whole, "nics[%zu].%s", planned->position, key);
    resources_name_file(&plan->resources, device, whole);
}

static void use_vhost(struct plan *plan, const struct nic_plan *planned) {
    if (planned->opens_vhost)
        use_device(plan, planned, VHOST_NET_DEVICE, "vhost");
}

static void use_user(struct plan *plan, const struct nic_plan *planned) {
    for (size_t i = 0; planned->forwards && i < planned->nic->forwards.count; i++) {
        const struct forward_plan *forward = &planned->forwards[i];
        begin_claim(plan, planned, "forwards");
        strv_addf(&plan->claims, "%s:%s:%" PRIu64, forward->protocol.value, forward->address.value,
                  forward->forward->host_port);
    }
    plan->resources.internet = true;
}

static void use_tap(struct plan *plan, struct nic_plan *planned) {
    const vqemu_nic *nic = planned->nic;
    planned->fd = claim_descriptor(plan, planned, "fd", nic->fd, nic->fd_name);
    if (!planned->fd) {
        begin_claim(plan, planned, "ifname");
        strv_addf(&plan->claims, "the TAP device %s", nic->ifname);
        use_device(plan, planned, TUN_DEVICE, "ifname");
    }
    planned->vhost_fd =
        claim_descriptor(plan, planned, "vhost_fd", nic->vhost_fd, nic->vhost_fd_name);
    use_vhost(plan, planned);
}

static void use_bridge(struct plan *plan, const struct nic_plan *planned) {
    const char *helper = planned->helper.value;
    char key[48];
    resources_add_device(&plan->resources, TUN_DEVICE); /* which the helper opens, as root */
    use_vhost(plan, planned);
    resources_add_file(&plan->resources, helper, VQEMU_FILE_EXECUTE);
    snprintf(key, sizeof key, "nics[%zu].helper", planned->position);
    resources_name_file(&plan->resources, helper, key);
    plan->resources.starts_programs = true;
}

static void claim_mac(struct plan *plan, const struct nic_plan *planned) {
    char key[48], what[48];
    snprintf(key, sizeof key, "nics[%zu].mac", planned->position);
    snprintf(what, sizeof what, "MAC address %s", planned->mac.value);
    make_lower(what + strlen("MAC address "));
    plan_claim(plan, key, what);
}

static void use_all(struct plan *plan, struct nic_plan *planned) {
    if (is_chosen(planned->backend.value, "user"))
        use_user(plan, planned);
    else if (is_chosen(planned->backend.value, "tap"))
        use_tap(plan, planned);
    else
        use_bridge(plan, planned);
    claim_mac(plan, planned);
}

/* ---- all of them ---- */

static int plan_nic(struct plan *plan, size_t position, vqemu_error **error) {
    const vqemu_nic *nic = plan->vm->nics.items[position];
    struct nic_plan *planned = &plan->nics[position];
    *planned = (struct nic_plan){.nic = nic, .position = position};
    plan_listed_device(plan, &planned->device, LIST_OF_NICS, position);
    choose(plan, planned);
    int r = check_model(plan, planned, error);
    if (r == 0)
        r = check_user(planned, error);
    if (r == 0)
        r = check_tap(planned, error);
    if (r == 0)
        r = check_vhost(plan, planned, error);
    if (r < 0)
        return r;
    choose_mac(plan, planned);
    plan_attach(plan, &planned->device);
    use_all(plan, planned);
    return 0;
}

int plan_nics(struct plan *plan, vqemu_error **error) {
    size_t count = plan->vm->nics.count;
    int r = 0;
    plan->nics = arena_add(&plan->texts, count * sizeof *plan->nics);
    if (count > 0 && !plan->nics)
        return error_no_memory(error);
    for (size_t i = 0; r == 0 && i < count; i++)
        r = plan_nic(plan, i, error);
    return r;
}
