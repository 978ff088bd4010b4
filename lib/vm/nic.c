/* SPDX-License-Identifier: MIT */
#include "vm/nic.h"

static const struct property forward_properties[] = {
    {
        .key = "protocol",
        .reach = REACH_NOTHING,
        .kind = PROPERTY_CHOICE,
        .offset = offsetof(struct forward, protocol),
        .choices = (const char *const[]){"tcp", "udp", NULL},
        .meaning = "tcp (the default) or udp.",
    },
    {
        .key = "host_address",
        .reach = REACH_RULE,
        .kind = PROPERTY_STRING,
        .offset = offsetof(struct forward, host_address),
        .pattern = "^[0-9]{1,3}([.][0-9]{1,3}){3}$",
        .wanted = "an IPv4 address such as 127.0.0.1",
        .meaning = "IPv4 address of the host to listen on. Default: 127.0.0.1, which only the host "
                   "itself reaches.",
    },
    {
        .key = "host_port",
        .reach = REACH_RULE,
        .kind = PROPERTY_NUMBER,
        .offset = offsetof(struct forward, host_port),
        .required = true,
        .minimum = 1,
        .maximum = 65535,
        .meaning = "Port of the host.",
    },
    {
        .key = "guest_port",
        .reach = REACH_NOTHING,
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
        .key = "id",
        .reach = REACH_NOTHING,
        .kind = PROPERTY_STRING,
        .offset = offsetof(vqemu_nic, id),
        .pattern = DEVICE_ID_PATTERN,
        .wanted = DEVICE_ID_WANTED,
        .meaning = DEVICE_ID_MEANING,
    },
    {
        .key = "backend",
        .reach = REACH_RULE,
        .kind = PROPERTY_CHOICE,
        .offset = offsetof(vqemu_nic, backend),
        .choices = (const char *const[]){"user", "tap", "bridge", NULL},
        .meaning =
            "What the device is connected to: user (the default: QEMU's own NAT, without "
            "privileges), tap (a TAP device of the host, by name or descriptor) or bridge (a "
            "bridge of the host, by QEMU's bridge helper).",
    },
    {
        .key = "model",
        .reach = REACH_NOTHING,
        .kind = PROPERTY_CHOICE,
        .offset = offsetof(vqemu_nic, model),
        .choices = (const char *const[]){"virtio", "e1000e", "e1000", "rtl8139", "vmxnet3", "pcnet",
                                         "ne2k_pci", NULL},
        .meaning =
            "Device model. Default: virtio for Linux; for Windows and other systems one that "
            "they have drivers for.",
    },
    {
        .key = "mac",
        .reach = REACH_NOTHING,
        .kind = PROPERTY_STRING,
        .offset = offsetof(vqemu_nic, mac),
        .pattern = "^[0-9A-Fa-f][02468ACEace](:[0-9A-Fa-f]{2}){5}$",
        .wanted = "a MAC address of one device such as 52:54:00:12:34:56",
        .meaning =
            "MAC address, six pairs of hexadecimal digits; not a multicast one. Default: one "
            "that follows from the VM's UUID, or if that is not set from its name, and the "
            "number of the device, and so stays the same. VMs of the same name on several "
            "hosts need UUIDs to have different ones.",
    },
    {
        .key = "forwards",
        .reach = REACH_RULE,
        .kind = PROPERTY_OBJECTS,
        .offset = offsetof(vqemu_nic, forwards),
        .element = &forward_type,
        .meaning = "Ports of the host that lead to the guest (QEMU: hostfwd=); only of the user "
                   "backend.",
    },
    {
        .key = "isolated",
        .reach = REACH_RULE,
        .kind = PROPERTY_SWITCH,
        .offset = offsetof(vqemu_nic, isolated),
        .meaning = "Cut the guest off from host and network, but for the forwarded ports (QEMU: "
                   "restrict=on); only of the user backend. Default: no.",
    },
    {
        .key = "ifname",
        .reach = REACH_RULE,
        .kind = PROPERTY_STRING,
        .offset = offsetof(vqemu_nic, ifname),
        .pattern = "^[^/:% \t\n\v\f\r]{1,15}$",
        .wanted =
            "the name of a network interface: 1 to 15 bytes without slashes, colons, blanks and %",
        .meaning = "Name of the TAP device, which the host has set up.",
    },
    {
        .key = "fd",
        .reach = REACH_DESCRIPTOR,
        .is_descriptor = true,
        .kind = PROPERTY_NUMBER,
        .offset = offsetof(vqemu_nic, fd),
        .minimum = 3,
        .maximum = 2147483647,
        .meaning =
            "Descriptor of a TAP device, which the caller has opened and passes on to QEMU: 3 "
            "or more.",
    },
    {
        .key = "fd_name",
        .reach = REACH_DESCRIPTOR,
        .kind = PROPERTY_STRING,
        .offset = offsetof(vqemu_nic, fd_name),
        .pattern = DESCRIPTOR_NAME_PATTERN,
        .wanted = DESCRIPTOR_NAME_WANTED,
        .meaning = "Name of such a descriptor, instead of its number: the command numbers it for "
                   "the process that becomes QEMU.",
    },
    {
        .key = "vhost",
        .reach = REACH_NOTHING,
        .kind = PROPERTY_SWITCH,
        .offset = offsetof(vqemu_nic, vhost),
        .meaning =
            "Let the kernel move the packets, by /dev/vhost-net (vhost-net), which QEMU's user "
            "must be able to open; only of the backends tap and bridge with the model virtio. "
            "Default: under KVM, where the host that the profile was selected for has it for all "
            "who can open /dev/kvm.",
    },
    {
        .key = "vhost_fd",
        .reach = REACH_DESCRIPTOR,
        .is_descriptor = true,
        .kind = PROPERTY_NUMBER,
        .offset = offsetof(vqemu_nic, vhost_fd),
        .minimum = 3,
        .maximum = 2147483647,
        .meaning =
            "Descriptor of /dev/vhost-net, which the caller has opened and passes on to QEMU: "
            "3 or more; only with a TAP device. Default: QEMU opens it.",
    },
    {
        .key = "vhost_fd_name",
        .reach = REACH_DESCRIPTOR,
        .kind = PROPERTY_STRING,
        .offset = offsetof(vqemu_nic, vhost_fd_name),
        .pattern = DESCRIPTOR_NAME_PATTERN,
        .wanted = DESCRIPTOR_NAME_WANTED,
        .meaning = "Name of such a descriptor, instead of its number: the command numbers it for "
                   "the process that becomes QEMU.",
    },
    {
        .key = "bridge",
        .reach = REACH_RULE,
        .kind = PROPERTY_STRING,
        .offset = offsetof(vqemu_nic, bridge),
        .pattern = "^[^/:% \t\n\v\f\r]{1,15}$",
        .wanted =
            "the name of a network interface: 1 to 15 bytes without slashes, colons, blanks and %",
        .meaning = "Name of the host's bridge.",
    },
    {
        .key = "helper",
        .reach = REACH_PROGRAM,
        .kind = PROPERTY_PATH,
        .offset = offsetof(vqemu_nic, helper),
        .pattern = "^/[^ \t\n\v\f\r]*$",
        .wanted = "a path without blanks, at which QEMU would split it",
        .meaning =
            "QEMU's bridge helper, a program of the host that is setuid root; its path has no "
            "blanks. Default: /usr/lib/qemu/qemu-bridge-helper.",
    },
    {
        .key = "boot_order",
        .reach = REACH_NOTHING,
        .kind = PROPERTY_NUMBER,
        .offset = offsetof(vqemu_nic, boot_order),
        .minimum = 1,
        .maximum = 1000,
        .meaning =
            "Place in the order of booting, from 1, among disks and nics; two devices cannot "
            "have the same, and what has no place is not booted. Default: none.",
    },
};

const struct object_type nic_type = {"nic", sizeof(vqemu_nic), properties,
                                     sizeof properties / sizeof *properties};
