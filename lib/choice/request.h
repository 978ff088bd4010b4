/* SPDX-License-Identifier: MIT */
#ifndef LIB_REQUEST_H
#define LIB_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#include <volt-qemu/profile.h>
#include <volt-qemu/request.h>

#include "choice/arch.h"
#include "util/cleanup.h"

/* What a VM's keys ask for. Some of it matters only on some machines, and these are known when the
 * architecture is. */
struct vm_needs {
    const char *guest_arch, *guest_os, *profile, *mode, *machine; /* NULL where not set */
    uint64_t abilities;
    uint64_t on_x86;        /* of machines of x86 */
    uint64_t on_pci;        /* of machines with PCI devices */
    uint64_t on_ide;        /* of those with IDE or SATA built in */
    uint64_t on_plain_disk; /* of those with a bus of disks that is known without virtio drivers, */
    uint64_t on_usb_cdrom;  /* and where CD-ROM drives are then on USB */
    uint64_t on_nic;        /* of those with a network card that is known without virtio drivers */
};

struct vqemu_request {
    char *accel, *guest_arch, *guest_os, *profile, *mode; /* NULL where not set, or "" */
    uint64_t abilities;
    struct vm_needs vm; /* its strings are owned */
    bool has_candidates;
    vqemu_profile **candidates; /* those to choose among, and profiles besides the library's own */
    size_t candidate_count;
};

/* Copies the needs of a VM; its words are checked. */
int request_set_needs(vqemu_request *request, const struct vm_needs *needs, vqemu_error **error);

/* Takes a reference to each. */
int request_set_candidates(vqemu_request *request, vqemu_profile *const *profiles, size_t count,
                           vqemu_error **error);

/* The strings with the VM's for those that are not set; NULL for none. */
const char *request_guest_arch(const vqemu_request *request);
const char *request_guest_os(const vqemu_request *request);

/* The abilities that a guest of this architecture needs. */
uint64_t request_needs(const vqemu_request *request, const struct arch *arch);

DEFINE_CLEANUP(vqemu_request, request, vqemu_request_free);
#define _cleanup_request_ _cleanup_(cleanup_request)

#endif
