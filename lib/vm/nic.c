/* SPDX-License-Identifier: MIT */
#include "vm/nic.h"

#include "base/error.h"
#include "util/export.h"

static const struct property forward_properties[] = {
    {
        .key = "protocol",
        .kind = PROPERTY_CHOICE,
        .offset = offsetof(struct forward, protocol),
        .choices = (const char *const[]){"tcp", "udp", NULL},
        .meaning = "tcp or udp. Default: tcp.",
    },
    {
        .key = "host_address",
        .kind = PROPERTY_STRING,
        .offset = offsetof(struct forward, host_address),
        .pattern = "^[0-9]{1,3}([.][0-9]{1,3}){3}$",
        .wanted = "an IPv4 address such as 127.0.0.1",
        .meaning = "IPv4 address of the host to listen on. Default: 127.0.0.1, so that only the "
                   "host itself reaches it.",
    },
    {
        .key = "host_port",
        .kind = PROPERTY_NUMBER,
        .offset = offsetof(struct forward, host_port),
        .required = true,
        .minimum = 1,
        .maximum = 65535,
        .meaning = "Port of the host.",
    },
    {
        .key = "guest_port",
        .kind = PROPERTY_NUMBER,
        .offset = offsetof(struct forward, guest_port),
        .required = true,
        .minimum = 1,
        .maximum = 65535,
        .meaning = "Port of the guest.",
    },
};

const struct object_type forward_type = {"forward", sizeof(struct forward), forward_properties,
                                         sizeof forward_properties / sizeof *forward_properties};

static const struct property properties[] = {
    {
        .key = "backend",
        .kind = PROPERTY_CHOICE,
        .offset = offsetof(vqemu_nic, backend),
        .choices = (const char *const[]){"user", "tap", "bridge", NULL},
        .meaning = "What the device is connected to. Default: user.",
    },
    {
        .key = "model",
        .kind = PROPERTY_CHOICE,
        .offset = offsetof(vqemu_nic, model),
        .choices = (const char *const[]){"virtio", "e1000e", "e1000", "rtl8139", "vmxnet3", "pcnet",
                                         "ne2k_pci", NULL},
        .meaning = "Device model. Default: virtio, or for Windows and other systems what they have "
                   "drivers for.",
    },
    {
        .key = "mac",
        .kind = PROPERTY_STRING,
        .offset = offsetof(vqemu_nic, mac),
        .pattern = "^[0-9A-Fa-f][02468ACEace](:[0-9A-Fa-f]{2}){5}$",
        .wanted = "a MAC address of one device such as 52:54:00:12:34:56",
        .meaning = "MAC address; by default one that is derived from the VM's name and the "
                   "device's number.",
    },
    {
        .key = "forwards",
        .kind = PROPERTY_OBJECTS,
        .offset = offsetof(vqemu_nic, forwards),
        .element = &forward_type,
        .meaning = "Ports of the host that lead to the guest; only of the user backend.",
    },
    {
        .key = "isolated",
        .kind = PROPERTY_SWITCH,
        .offset = offsetof(vqemu_nic, isolated),
        .meaning = "Cut the guest off from the network but for the forwarded ports; only of the "
                   "user backend.",
    },
    {
        .key = "ifname",
        .kind = PROPERTY_STRING,
        .offset = offsetof(vqemu_nic, ifname),
        .pattern = "^[^/: \t\n\v\f\r]{1,15}$",
        .wanted =
            "the name of a network interface: 1 to 15 bytes without slashes, colons and blanks",
        .meaning = "TAP device of the host.",
    },
    {
        .key = "fd",
        .kind = PROPERTY_NUMBER,
        .offset = offsetof(vqemu_nic, fd),
        .minimum = 3,
        .maximum = 2147483647,
        .meaning = "Descriptor of a TAP device, which the caller passes on to QEMU.",
    },
    {
        .key = "vhost",
        .kind = PROPERTY_SWITCH,
        .offset = offsetof(vqemu_nic, vhost),
        .meaning = "Let the kernel move the packets of a TAP device.",
    },
    {
        .key = "vhost_fd",
        .kind = PROPERTY_NUMBER,
        .offset = offsetof(vqemu_nic, vhost_fd),
        .minimum = 3,
        .maximum = 2147483647,
        .meaning = "Descriptor of /dev/vhost-net, which the caller passes on to QEMU.",
    },
    {
        .key = "bridge",
        .kind = PROPERTY_STRING,
        .offset = offsetof(vqemu_nic, bridge),
        .pattern = "^[^/: \t\n\v\f\r]{1,15}$",
        .wanted =
            "the name of a network interface: 1 to 15 bytes without slashes, colons and blanks",
        .meaning = "Bridge of the host.",
    },
    {
        .key = "helper",
        .kind = PROPERTY_PATH,
        .offset = offsetof(vqemu_nic, helper),
        .pattern = "^/[^ \t\n\v\f\r]*$",
        .wanted = "a path without blanks, at which QEMU would split it",
        .meaning = "QEMU's bridge helper. Default: /usr/lib/qemu/qemu-bridge-helper.",
    },
    {
        .key = "boot_order",
        .kind = PROPERTY_NUMBER,
        .offset = offsetof(vqemu_nic, boot_order),
        .minimum = 1,
        .maximum = 1000,
        .meaning = "Place in the order of booting, from 1.",
    },
};

const struct object_type nic_type = {"nic", sizeof(vqemu_nic), properties,
                                     sizeof properties / sizeof *properties};

VQEMU_EXPORT int vqemu_nic_set_backend(vqemu_nic *nic, const char *backend, vqemu_error **error) {
    return object_set_string(&nic_type, nic, "backend", backend, error);
}

VQEMU_EXPORT int vqemu_nic_set_model(vqemu_nic *nic, const char *model, vqemu_error **error) {
    return object_set_string(&nic_type, nic, "model", model, error);
}

VQEMU_EXPORT int vqemu_nic_set_mac(vqemu_nic *nic, const char *mac, vqemu_error **error) {
    return object_set_string(&nic_type, nic, "mac", mac, error);
}

VQEMU_EXPORT void vqemu_nic_set_isolated(vqemu_nic *nic, bool on) {
    nic->isolated = toggle(on);
}

VQEMU_EXPORT int vqemu_nic_set_ifname(vqemu_nic *nic, const char *ifname, vqemu_error **error) {
    return object_set_string(&nic_type, nic, "ifname", ifname, error);
}

VQEMU_EXPORT int vqemu_nic_set_fd(vqemu_nic *nic, int fd, vqemu_error **error) {
    return object_set_descriptor(&nic_type, nic, "fd", fd, error);
}

VQEMU_EXPORT void vqemu_nic_set_vhost(vqemu_nic *nic, bool on) {
    nic->vhost = toggle(on);
}

VQEMU_EXPORT int vqemu_nic_set_vhost_fd(vqemu_nic *nic, int fd, vqemu_error **error) {
    return object_set_descriptor(&nic_type, nic, "vhost_fd", fd, error);
}

VQEMU_EXPORT int vqemu_nic_set_bridge(vqemu_nic *nic, const char *bridge, vqemu_error **error) {
    return object_set_string(&nic_type, nic, "bridge", bridge, error);
}

VQEMU_EXPORT int vqemu_nic_set_helper(vqemu_nic *nic, const char *path, vqemu_error **error) {
    return object_set_string(&nic_type, nic, "helper", path, error);
}

VQEMU_EXPORT int vqemu_nic_set_boot_order(vqemu_nic *nic, uint32_t order, vqemu_error **error) {
    return object_set_number(&nic_type, nic, "boot_order", order, error);
}

/* All or nothing: what is half set goes away again. */
VQEMU_EXPORT int vqemu_nic_add_forward(vqemu_nic *nic, const char *protocol,
                                       const char *host_address, uint32_t host_port,
                                       uint32_t guest_port, vqemu_error **error) {
    struct forward *forward = object_list_add(&nic->forwards, &forward_type);
    if (!forward)
        return error_no_memory(error);
    int r = object_set_string(&forward_type, forward, "protocol", protocol, error);
    if (r == 0)
        r = object_set_string(&forward_type, forward, "host_address", host_address, error);
    if (r == 0)
        r = object_set_number(&forward_type, forward, "host_port", host_port, error);
    if (r == 0)
        r = object_set_number(&forward_type, forward, "guest_port", guest_port, error);
    if (r < 0)
        object_list_remove_last(&nic->forwards, &forward_type);
    return r;
}
