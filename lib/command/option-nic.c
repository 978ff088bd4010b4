/* SPDX-License-Identifier: MIT */
#include "command/option-nouns.h"

static struct origin origin_of(const struct nic_plan *nic, const char *key) {
    return origin_in("nics", nic->position, key, NULL);
}

/* ---- the backend ---- */

static void user_settings(struct options *options, const struct nic_plan *nic) {
    if (is_on(nic->nic->isolated)) {
        option_switch(options, "restrict", true);
        option_from(options, origin_of(nic, "isolated"));
    }
    for (size_t i = 0; i < nic->nic->forwards.count; i++) {
        const struct forward_plan *forward = &nic->forwards[i];
        struct origin origin = forward->address.origin;
        option_textf(options, "hostfwd", "%s:%s:%llu-:%llu", forward->protocol.value,
                     forward->address.value, (unsigned long long)forward->forward->host_port,
                     (unsigned long long)forward->forward->guest_port);
        option_from(options, origin_beside(origin, NULL, NULL));
    }
}

static void descriptor_setting(struct options *options, const struct nic_plan *nic,
                               const char *name, int fd, const char *key) {
    option_number(options, name, (uint64_t)fd);
    option_from(options, origin_of(nic, key));
}

static void vhost_setting(struct options *options, const struct nic_plan *nic) {
    if (!nic->opens_vhost)
        return;
    option_switch(options, "vhost", true);
    option_from(options, nic->vhost_origin);
}

static void tap_settings(struct options *options, const struct nic_plan *nic) {
    const vqemu_nic *given = nic->nic;
    if (nic->fd) {
        descriptor_setting(options, nic, "fd", nic->fd, given->fd ? "fd" : "fd_name");
    } else { /* it is set up already: no script of the host is run */
        option_text(options, "ifname", given->ifname);
        option_from(options, origin_of(nic, "ifname"));
        option_text(options, "script", "no");
        option_from(options, origin_none("the device is set up already"));
        option_text(options, "downscript", "no");
        option_from(options, origin_none("the device is set up already"));
    }
    if (nic->vhost_fd) {
        const char *key = given->vhost_fd ? "vhost_fd" : "vhost_fd_name";
        option_switch(options, "vhost", true);
        option_from(options, origin_of(nic, key));
        descriptor_setting(options, nic, "vhostfd", nic->vhost_fd, key);
    }
    vhost_setting(options, nic);
}

/* -netdev bridge has no vhost; -netdev tap with br= and helper= is the same and has. */
static void bridge_settings(struct options *options, const struct nic_plan *nic) {
    option_text(options, "br", nic->nic->bridge);
    option_from(options, origin_of(nic, "bridge"));
    option_text(options, "helper", nic->helper.value);
    option_from(options, nic->helper.origin);
    vhost_setting(options, nic);
}

static void netdev_options(struct options *options, const struct nic_plan *nic) {
    option_begin(options, OPTION_NETDEV, is_chosen(nic->backend.value, "user") ? "user" : "tap",
                 nic->backend.origin);
    option_textf(options, "id", "net%d", nic->device.number);
    if (is_chosen(nic->backend.value, "user"))
        user_settings(options, nic);
    else if (is_chosen(nic->backend.value, "tap"))
        tap_settings(options, nic);
    else
        bridge_settings(options, nic);
}

/* ---- the device ---- */

static void device_options(const struct plan *plan, struct options *options,
                           const struct nic_plan *nic) {
    if (nic->is_virtio)
        virtio_begin(plan, options, "virtio-net", &nic->device, nic->model.origin);
    else
        device_begin(options, nic->model.value, &nic->device, nic->model.origin);
    option_textf(options, "netdev", "net%d", nic->device.number);
    option_from(options, origin_of(nic, NULL));
    option_text(options, "mac", nic->mac.value);
    option_from(options, nic->mac.origin);
    if (nic->nic->boot_order) {
        option_number(options, "bootindex", nic->nic->boot_order);
        option_from(options, origin_of(nic, "boot_order"));
    }
    if (nic->drops_rom) {
        option_text(options, "romfile", "");
        option_from(options, origin_none("nothing is booted from the network by a ROM"));
    }
    device_place(options, &nic->device);
}

void nic_options(const struct plan *plan, struct options *options) {
    size_t count = plan->vm->nics.count;
    if (count == 0)
        option_begin(options, OPTION_NIC, "none",
                     origin_key("nics", "default: no network, if the VM has no NIC"));
    for (size_t i = 0; i < count; i++) {
        netdev_options(options, &plan->nics[i]);
        device_options(plan, options, &plan->nics[i]);
    }
}
