/* SPDX-License-Identifier: MIT */
/* Network devices, and what they are connected to. */
#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "choice/vhost-net.h"
#include "command/args-claim.h"
#include "command/args-nouns.h"
#include "command/qemu-opt.h"
#include "vm/nic.h"

#define BRIDGE_HELPER "/usr/lib/qemu/qemu-bridge-helper"
#define TUN_DEVICE "/dev/net/tun"
#define LOOPBACK "127.0.0.1"

/* One device as it is being added, with its defaults filled in. */
struct connection {
    const vqemu_nic *nic;
    size_t number;
    const char *backend, *model;
    bool opens_vhost; /* QEMU opens /dev/vhost-net for it */
};

static bool is(const struct connection *connection, const char *backend) {
    return strcmp(connection->backend, backend) == 0;
}

static int nic_error(const struct connection *connection, const char *key, const char *text,
                     vqemu_error **error) {
    return args_refuse(error, VQEMU_ERR_INVALID, "nics[%zu].%s: %s", connection->number, key, text);
}

static bool is_virtio(const struct connection *connection) {
    return strcmp(connection->model, "virtio") == 0;
}

static bool wants_msix(const struct connection *connection) {
    return strcmp(connection->model, "vmxnet3") == 0 || strcmp(connection->model, "e1000e") == 0;
}

static const char *default_model(const struct args *args) {
    bool has_drivers = args_has_virtio_drivers(args);
    return has_drivers || !args->machine->plain_nic ? "virtio" : args->machine->plain_nic;
}

/* ---- checks ---- */

static int check_model(const struct args *args, const struct connection *connection,
                       vqemu_error **error) {
    char key[48];
    snprintf(key, sizeof key, "nics[%zu].model", connection->number);
    if (!is_virtio(connection) && strcmp(args->arch->bus, "pci") != 0)
        return args_unsupported(args, key, "PCI cards; it has virtio", error);
    if (!args->arch->msix && wants_msix(connection))
        return args_unsupported(
            args, key, "MSI-X, which vmxnet3 and e1000e need; it has virtio and e1000", error);
    return 0;
}

static int check_forward(const struct connection *connection, size_t number, vqemu_error **error) {
    const struct forward *forward = connection->nic->forwards.items[number];
    struct in_addr address;
    if (!forward->host_address || inet_pton(AF_INET, forward->host_address, &address) == 1)
        return 0;
    return args_refuse(error, VQEMU_ERR_INVALID,
                       "nics[%zu].forwards[%zu].host_address: \"%s\" is no IPv4 address, such as "
                       "127.0.0.1",
                       connection->number, number, forward->host_address);
}

static int check_user(const struct connection *connection, vqemu_error **error) {
    const vqemu_nic *nic = connection->nic;
    for (size_t i = 0; i < nic->forwards.count; i++) {
        int r = check_forward(connection, i, error);
        if (r < 0)
            return r;
    }
    if (is(connection, "user"))
        return 0;
    if (nic->forwards.count > 0)
        return nic_error(connection, "forwards", "only the user backend forwards ports", error);
    if (is_on(nic->isolated))
        return nic_error(connection, "isolated", "only the user backend can be", error);
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

static int check_tap(const struct connection *connection, vqemu_error **error) {
    const vqemu_nic *nic = connection->nic;
    bool is_tap = is(connection, "tap"), is_bridge = is(connection, "bridge");
    const char *key_of_tap = tap_key(nic);
    if (!is_tap && key_of_tap)
        return nic_error(connection, key_of_tap, "only the tap backend has one", error);
    if (is_tap && !!nic->ifname + !!nic->fd + !!nic->fd_name != 1)
        return nic_error(connection, "ifname",
                         "the tap backend needs either this, or an fd, or an fd_name", error);
    if (nic->vhost_fd && nic->vhost_fd_name)
        return nic_error(connection, "vhost_fd_name", "there is a vhost_fd as well", error);
    if (is_on(nic->vhost) && ((!is_tap && !is_bridge) || !is_virtio(connection)))
        return nic_error(connection, "vhost", "it needs the backend tap or bridge and model virtio",
                         error);
    if ((nic->vhost_fd || nic->vhost_fd_name) &&
        (nic->vhost == TOGGLE_OFF || !is_virtio(connection)))
        return nic_error(connection, nic->vhost_fd ? "vhost_fd" : "vhost_fd_name",
                         "it needs vhost and model virtio", error);
    if (!is_bridge && (nic->bridge || nic->helper))
        return nic_error(connection, nic->bridge ? "bridge" : "helper",
                         "only the bridge backend has one", error);
    if (is_bridge && !nic->bridge)
        return nic_error(connection, "bridge", "missing: which bridge?", error);
    return 0;
}

/* ---- vhost-net ---- */

/*
 * By default where the host has it for whoever runs the VM: QEMU aborts where it cannot open it.
 * Under emulation the CPU is what a network waits for. Who opens the TAP device for it may have
 * QEMU where there is no such node, and can open that as well.
 */
static bool opens_vhost(const struct args *args, const struct connection *connection) {
    const vqemu_nic *nic = connection->nic;
    int32_t state = args->runtime->vhost_net;
    if (nic->vhost_fd || nic->vhost_fd_name)
        return false;
    if (nic->vhost != TOGGLE_DEFAULT)
        return is_on(nic->vhost);
    return args->kvm && !nic->fd && !nic->fd_name && !is(connection, "user") &&
           is_virtio(connection) &&
           (state == VQEMU_VHOST_NET_USABLE ||
            (state == VQEMU_VHOST_NET_PRIVATE && !args->vm->user));
}

static int check_vhost(const struct args *args, const struct connection *connection,
                       vqemu_error **error) {
    int32_t state = args->runtime->vhost_net;
    if (!connection->opens_vhost ||
        (state != VQEMU_VHOST_NET_ABSENT && state != VQEMU_VHOST_NET_BROKEN))
        return 0;
    int r = args_refuse(error, VQEMU_ERR_UNSUPPORTED, "nics[%zu].vhost: %s", connection->number,
                        state == VQEMU_VHOST_NET_ABSENT
                            ? "the host has no " VHOST_NET_DEVICE
                              ", which the kernel's module vhost_net makes (modprobe vhost_net)"
                            : "the host's " VHOST_NET_DEVICE " does not work");
    return error_because(r, error, "host-lacks-device", VQEMU_DETAIL_PATH, VHOST_NET_DEVICE, NULL);
}

static void add_vhost(struct args *args, struct strbuf *netdev,
                      const struct connection *connection) {
    char key[48];
    if (!connection->opens_vhost)
        return;
    snprintf(key, sizeof key, "nics[%zu].vhost", connection->number);
    strbuf_add(netdev, ",vhost=on");
    resources_add_device(&args->resources, VHOST_NET_DEVICE);
    resources_name_file(&args->resources, VHOST_NET_DEVICE, key);
}

/* ---- the arguments ---- */

/* "nics[0].fd" as the first half of a claim. */
static void begin_claim(struct args *args, const struct connection *connection, const char *key) {
    strv_addf(&args->claims, "nics[%zu].%s", connection->number, key);
}

static int claim_descriptor(struct args *args, const struct connection *connection, const char *key,
                            uint64_t fd, const char *name) {
    char whole[48];
    snprintf(whole, sizeof whole, "nics[%zu].%s", connection->number, key);
    return args_claim_descriptor(args, whole, fd, name);
}

static void add_user(struct args *args, struct strbuf *netdev,
                     const struct connection *connection) {
    const vqemu_nic *nic = connection->nic;
    if (is_on(nic->isolated))
        strbuf_add(netdev, ",restrict=on");
    for (size_t i = 0; i < nic->forwards.count; i++) {
        const struct forward *forward = nic->forwards.items[i];
        const char *protocol = forward->protocol ? forward->protocol : "tcp";
        const char *address = forward->host_address ? forward->host_address : LOOPBACK;
        strbuf_addf(netdev, ",hostfwd=%s:%s:%" PRIu64 "-:%" PRIu64, protocol, address,
                    forward->host_port, forward->guest_port);
        begin_claim(args, connection, "forwards");
        strv_addf(&args->claims, "%s:%s:%" PRIu64, protocol, address, forward->host_port);
    }
    args->resources.internet = true;
}

static void add_tap(struct args *args, struct strbuf *netdev, const struct connection *connection) {
    const vqemu_nic *nic = connection->nic;
    char key[48];
    if (nic->fd || nic->fd_name) {
        strbuf_addf(netdev, ",fd=%d",
                    claim_descriptor(args, connection, "fd", nic->fd, nic->fd_name));
    } else { /* it is set up already: no script of the host is run */
        qemu_opt_add(netdev, "ifname", nic->ifname);
        strbuf_add(netdev, ",script=no,downscript=no");
        begin_claim(args, connection, "ifname");
        strv_addf(&args->claims, "the TAP device %s", nic->ifname);
        resources_add_device(&args->resources, TUN_DEVICE);
        snprintf(key, sizeof key, "nics[%zu].ifname", connection->number);
        resources_name_file(&args->resources, TUN_DEVICE, key);
    }
    if (nic->vhost_fd || nic->vhost_fd_name) {
        strbuf_addf(
            netdev, ",vhost=on,vhostfd=%d",
            claim_descriptor(args, connection, "vhost_fd", nic->vhost_fd, nic->vhost_fd_name));
    }
    add_vhost(args, netdev, connection);
}

/* -netdev bridge has no vhost; -netdev tap with br= and helper= is the same and has. */
static void add_bridge(struct args *args, struct strbuf *netdev,
                       const struct connection *connection) {
    const vqemu_nic *nic = connection->nic;
    char key[48];
    const char *helper = nic->helper ? nic->helper : BRIDGE_HELPER;
    qemu_opt_add(netdev, "br", nic->bridge);
    qemu_opt_add(netdev, "helper", helper);
    resources_add_device(&args->resources, TUN_DEVICE); /* which the helper opens, as root */
    add_vhost(args, netdev, connection);
    resources_add_file(&args->resources, helper, VQEMU_FILE_EXECUTE);
    snprintf(key, sizeof key, "nics[%zu].helper", connection->number);
    resources_name_file(&args->resources, helper, key);
    args->resources.starts_programs = true;
}

/* Where nothing is booted from the network, the profile need not have the boot ROMs, which have
 * code for x86. */
static bool boots_by_rom(const struct args *args, const vqemu_nic *nic) {
    return args->arch->x86 && nic->boot_order;
}

static void claim_mac(struct args *args, const struct connection *connection, const char *mac) {
    char key[48], what[48];
    snprintf(key, sizeof key, "nics[%zu].mac", connection->number);
    snprintf(what, sizeof what, "MAC address %s", mac);
    for (char *c = what + strlen("MAC address "); *c; c++)
        if (*c >= 'A' && *c <= 'F')
            *c = (char)(*c - 'A' + 'a');
    args_claim(args, key, what);
}

static void add_device(struct args *args, const struct connection *connection) {
    const vqemu_nic *nic = connection->nic;
    char derived[IDENTITY_MAC_LENGTH + 1];
    struct strbuf device = {0};
    if (is_virtio(connection))
        args_virtio(args, &device, "virtio-net", "nic", (int)connection->number);
    else
        strbuf_addf(&device, "%s,id=nic%zu", connection->model, connection->number);
    identity_mac(args->vm->uuid ? args->vm->uuid : args->vm->name, connection->number, derived);
    strbuf_addf(&device, ",netdev=net%zu,mac=%s", connection->number,
                nic->mac ? nic->mac : derived);
    claim_mac(args, connection, nic->mac ? nic->mac : derived);
    if (nic->boot_order)
        strbuf_addf(&device, ",bootindex=%" PRIu64, nic->boot_order);
    if (strcmp(args->arch->bus, "pci") == 0 && !boots_by_rom(args, nic))
        strbuf_add(&device, ",romfile=");
    args_option_buffer(args, "-device", &device);
}

static void add_nic(struct args *args, const struct connection *connection) {
    struct strbuf netdev = {0};
    strbuf_addf(&netdev, "%s,id=net%zu", is(connection, "user") ? "user" : "tap",
                connection->number);
    if (is(connection, "user"))
        add_user(args, &netdev, connection);
    else if (is(connection, "tap"))
        add_tap(args, &netdev, connection);
    else
        add_bridge(args, &netdev, connection);
    args_option_buffer(args, "-netdev", &netdev);
    add_device(args, connection);
}

int args_add_nics(struct args *args, vqemu_error **error) {
    if (args->vm->nics.count == 0)
        args_option(args, "-nic", "none");
    for (size_t i = 0; i < args->vm->nics.count; i++) {
        const vqemu_nic *nic = args->vm->nics.items[i];
        struct connection connection = {.nic = nic,
                                        .number = i,
                                        .backend = nic->backend ? nic->backend : "user",
                                        .model = nic->model ? nic->model : default_model(args)};
        connection.opens_vhost = opens_vhost(args, &connection);
        int r = check_model(args, &connection, error);
        if (r == 0)
            r = check_user(&connection, error);
        if (r == 0)
            r = check_tap(&connection, error);
        if (r == 0)
            r = check_vhost(args, &connection, error);
        if (r < 0)
            return r;
        add_nic(args, &connection);
    }
    return 0;
}
