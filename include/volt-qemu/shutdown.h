/* SPDX-License-Identifier: MIT */
#ifndef VOLT_QEMU_SHUTDOWN_H
#define VOLT_QEMU_SHUTDOWN_H

#include <stdint.h>

#include <volt-qemu/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Shut a VM down in order: press its power button, wait for the guest to switch itself off, and for
 * QEMU to end. qmp_socket is the path of a QMP socket of that VM, of at most 107 bytes. QEMU serves
 * one client at a time on each of its sockets, so it must be one that nobody else holds, such as
 * the one that a unit has for this (unit.sock in the VM's runtime directory).
 *
 * The button is pressed again every ten seconds, for guests that were still booting. A guest that
 * has not switched itself off after timeout_seconds is ended as by a loss of power, which is the
 * error VQEMU_ERR_TIMEOUT: it may have lost data, but QEMU has ended. With 0 that happens at once,
 * and is no error. A guest that does not run (paused, or never started) cannot hear of the button:
 * it is ended at once, too. QEMU writes out its disks in any case.
 *
 * Blocks for up to timeout_seconds + 40 seconds. 0 means that QEMU has closed its socket, which is
 * the last but its exit. Uses no signals; safe from any thread.
 *
 * Errors: VQEMU_ERR_TIMEOUT (see above), VQEMU_ERR_NOT_FOUND (nobody listens: the VM is not
 * running), VQEMU_ERR_INVALID (the path is too long), VQEMU_ERR_MALFORMED (what listens is no
 * QEMU), VQEMU_ERR_SYSTEM (with ETIMEDOUT: QEMU does not answer, or does not end),
 * VQEMU_ERR_NO_MEMORY. Since 1.0.
 */
int vqemu_shutdown(const char *qmp_socket, uint32_t timeout_seconds, vqemu_error **error);

#ifdef __cplusplus
}
#endif

#endif
