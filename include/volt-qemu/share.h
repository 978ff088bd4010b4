/* SPDX-License-Identifier: MIT */
#ifndef VOLT_QEMU_SHARE_H
#define VOLT_QEMU_SHARE_H

#include <stdbool.h>

#include <volt-qemu/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * A directory of the host that the guest of a VM can mount, made by vqemu_vm_add_share(). It
 * belongs to its VM, and is used by one thread at a time, like that. Since 1.0.
 */
typedef struct vqemu_share vqemu_share;

/**
 * Set the directory of the host. An absolute path. Errors: VQEMU_ERR_INVALID, VQEMU_ERR_NO_MEMORY.
 * Since 1.0.
 */
int vqemu_share_set_path(vqemu_share *share, const char *path, vqemu_error **error);

/**
 * Set the mount tag by which the guest names it: up to 31 bytes over 9p, 36 over virtiofs. Errors:
 * VQEMU_ERR_INVALID, VQEMU_ERR_NO_MEMORY. Since 1.0.
 */
int vqemu_share_set_tag(vqemu_share *share, const char *tag, vqemu_error **error);

/**
 * Set how the directory is shared: "9p" (the default; QEMU serves it) or "virtiofs" (a virtiofsd
 * serves it: the systemd unit starts one, other callers start it themselves before QEMU). Errors:
 * VQEMU_ERR_INVALID. Since 1.0.
 */
int vqemu_share_set_driver(vqemu_share *share, const char *driver, vqemu_error **error);

/**
 * Let the guest write (QEMU: readonly=off). Since 1.0.
 */
void vqemu_share_set_writable(vqemu_share *share, bool on);

/**
 * Set how 9p stores owners, modes and special files (qemu(1), -fsdev): "none" (the default of
 * read-only shares: like passthrough, but failures to change owners are ignored), "mapped-xattr"
 * (the default of writable ones), "mapped-file" or "passthrough". Errors: VQEMU_ERR_INVALID. Since
 * 1.0.
 */
int vqemu_share_set_security_model(vqemu_share *share, const char *model, vqemu_error **error);

/**
 * Set what 9p does about inode numbers where the directory spans several file systems (qemu(1),
 * -fsdev): "remap" (the default), "forbid" or "warn". Errors: VQEMU_ERR_INVALID. Since 1.0.
 */
int vqemu_share_set_multidevs(vqemu_share *share, const char *mode, vqemu_error **error);

/**
 * Set the Unix socket on which virtiofsd listens for QEMU. NULL means virtiofsd-<number>.sock in
 * the runtime directory, numbered from 0 in the order of the shares over virtiofs. Errors:
 * VQEMU_ERR_INVALID, VQEMU_ERR_NO_MEMORY. Since 1.0.
 */
int vqemu_share_set_socket(vqemu_share *share, const char *path, vqemu_error **error);

#ifdef __cplusplus
}
#endif

#endif
