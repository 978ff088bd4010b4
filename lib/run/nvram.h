/* SPDX-License-Identifier: MIT */
/*
 * A VM's UEFI variable store: a file of its own, made from the firmware's template. Beside it, in
 * <path>.firmware, is recorded what it was made for, because variables of one firmware do not suit
 * another:
 *
 *     {"firmware": "<SHA-256 of the code image>", "template": "<SHA-256 of the template>",
 *      "vm": "<the id of the VM>"}
 */
#ifndef LIB_NVRAM_H
#define LIB_NVRAM_H

#include <stdint.h>

#include <volt-qemu/call.h>

#include "command/firmware.h"
#include "run/owner.h"

/* One of them or none. With the values of enum vqemu_prepare_flag. */
enum nvram_flag {
    NVRAM_KEEP_VARIABLES = 1,  /* a store of other firmware: it is for this one from now on */
    NVRAM_RESET_VARIABLES = 2, /* start anew; the old store becomes <path>.old,
                                  in place of an earlier one */
};

/* Where a variable store is, and whose. */
struct nvram_home {
    int fd;                    /* its directory; O_PATH is enough */
    bool is_vms;               /* the directory is known to be the VM's own */
    const struct owner *owner; /* the store becomes the user's */
};

/*
 * Make the variable store with mode 0600 unless it is there, and make sure that it belongs to the
 * firmware: to code image and template with these contents, whatever their paths are. A store
 * appears whole, with its record, or not at all, and survives a power loss. Any number of processes
 * may do this at once. No path to the directory is walked. A store that was there before is taken
 * from root only if its directory or its record says that it is this VM's.
 *
 * Errors: VQEMU_ERR_CHANGED if the store was made for other firmware, or has no record, and no flag
 * says what to do; VQEMU_ERR_CORRUPT if its size is another than the template's; VQEMU_ERR_USAGE
 * for unknown or contradicting flags; VQEMU_ERR_INVALID for a path at which no store can be;
 * VQEMU_ERR_REFUSED for a link, or what is somebody else's; VQEMU_ERR_BUSY if a process has it open
 * with locks, as QEMU does, when it is to be reset, or others prepare it for longer than the call
 * waits.
 */
int nvram_prepare(const struct nvram *nvram, const struct nvram_home *home, uint32_t flags,
                  vqemu_call *call, vqemu_error **error);

#endif
