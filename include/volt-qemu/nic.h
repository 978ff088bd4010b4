/* SPDX-License-Identifier: MIT */
#ifndef VOLT_QEMU_NIC_H
#define VOLT_QEMU_NIC_H

#include <stdbool.h>
#include <stdint.h>

#include <volt-qemu/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * A network device of a VM, made by vqemu_vm_add_nic(). It belongs to its VM, and is used by one
 * thread at a time, like that. Since 1.0.
 */
typedef struct vqemu_nic vqemu_nic;

/**
 * Set what the device is connected to: "user" (the default: QEMU's own NAT, without privileges),
 * "tap" (a TAP device of the host, by name or descriptor) or "bridge" (a bridge of the host, by
 * QEMU's bridge helper). Errors: VQEMU_ERR_INVALID. Since 1.0.
 */
int vqemu_nic_set_backend(vqemu_nic *nic, const char *backend, vqemu_error **error);

/**
 * Set the device model: "virtio", "e1000e", "e1000", "rtl8139", "vmxnet3", "pcnet" or "ne2k_pci".
 * NULL means virtio for Linux; for Windows and other systems one that they have drivers for.
 * Errors: VQEMU_ERR_INVALID. Since 1.0.
 */
int vqemu_nic_set_model(vqemu_nic *nic, const char *model, vqemu_error **error);

/**
 * Set the MAC address, six pairs of hexadecimal digits; not a multicast one. NULL means one that
 * follows from the VM's UUID, or if that is not set from its name, and the number of the device,
 * and so stays the same. VMs of the same name on several hosts need UUIDs to have different ones.
 * Errors: VQEMU_ERR_INVALID, VQEMU_ERR_NO_MEMORY. Since 1.0.
 */
int vqemu_nic_set_mac(vqemu_nic *nic, const char *mac, vqemu_error **error);

/**
 * Forward a port of the host to the guest (QEMU: hostfwd=); only of the user backend.
 *
 * protocol: "tcp" or "udp"; NULL for tcp. host_address: the IPv4 address to listen on; NULL for
 * 127.0.0.1, which only the host itself reaches. Ports: 1 to 65535.
 *
 * Errors: VQEMU_ERR_INVALID, VQEMU_ERR_NO_MEMORY. Since 1.0.
 */
int vqemu_nic_add_forward(vqemu_nic *nic, const char *protocol, const char *host_address,
                          uint32_t host_port, uint32_t guest_port, vqemu_error **error);

/**
 * Cut the guest off from host and network, but for the forwarded ports (QEMU: restrict=on). Only of
 * the user backend. Since 1.0.
 */
void vqemu_nic_set_isolated(vqemu_nic *nic, bool on);

/**
 * Set the name of the TAP device, which the host has set up. Errors: VQEMU_ERR_INVALID,
 * VQEMU_ERR_NO_MEMORY. Since 1.0.
 */
int vqemu_nic_set_ifname(vqemu_nic *nic, const char *ifname, vqemu_error **error);

/**
 * Use a TAP device by a descriptor that the caller has opened and passes on to QEMU: 3 or more; -1
 * for none. See vqemu_command_fd(). Errors: VQEMU_ERR_INVALID. Since 1.0.
 */
int vqemu_nic_set_fd(vqemu_nic *nic, int fd, vqemu_error **error);

/**
 * Let the kernel move the packets (vhost-net). Only of the tap and bridge backends with the model
 * virtio. Since 1.0.
 */
void vqemu_nic_set_vhost(vqemu_nic *nic, bool on);

/**
 * Use vhost-net by a descriptor of /dev/vhost-net that the caller has opened and passes on to
 * QEMU: 3 or more; -1 for none. Only with a TAP device. Errors: VQEMU_ERR_INVALID. Since 1.0.
 */
int vqemu_nic_set_vhost_fd(vqemu_nic *nic, int fd, vqemu_error **error);

/**
 * Set the name of the host's bridge. Errors: VQEMU_ERR_INVALID, VQEMU_ERR_NO_MEMORY. Since 1.0.
 */
int vqemu_nic_set_bridge(vqemu_nic *nic, const char *bridge, vqemu_error **error);

/**
 * Set QEMU's bridge helper, a program of the host that is setuid root; its path has no blanks. NULL
 * means /usr/lib/qemu/qemu-bridge-helper. Errors: VQEMU_ERR_INVALID, VQEMU_ERR_NO_MEMORY.
 * Since 1.0.
 */
int vqemu_nic_set_helper(vqemu_nic *nic, const char *path, vqemu_error **error);

/**
 * Set the place in the order of booting, from 1; 0 for none. Errors: VQEMU_ERR_INVALID. Since 1.0.
 */
int vqemu_nic_set_boot_order(vqemu_nic *nic, uint32_t order, vqemu_error **error);

#ifdef __cplusplus
}
#endif

#endif
