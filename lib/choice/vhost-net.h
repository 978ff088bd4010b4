/* SPDX-License-Identifier: MIT */
#ifndef LIB_VHOST_NET_H
#define LIB_VHOST_NET_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include <volt-qemu/error.h>

#define VHOST_NET_DEVICE "/dev/vhost-net"

/*
 * Whether the kernel's vhost-net can be used, one of enum vqemu_vhost_net_state, and why; *message
 * is owned by the caller. kvm_device: the node that whoever runs a VM under KVM can open. Fails
 * where it cannot be tried for want of descriptors or memory.
 */
int vhost_net_probe(const char *device, const char *kvm_device, int32_t *state, char **message,
                    vqemu_error **error);

/* Whether everybody who can open one node can open the other, as far as their modes tell. */
bool vhost_net_is_as_open(const struct stat *node, const struct stat *kvm);

/* The state of a name, 0 if there is none. */
int32_t vhost_net_find_state(const char *name);

#endif
