/* SPDX-License-Identifier: MIT */
/*
 * A VM's UEFI variable store: a file of its own, made from the firmware's template. Beside it, in
 * <path>.firmware, is recorded what it was made for, because variables of one firmware do not suit
 * another:
 *
 *     {"firmware": "<SHA-256 of the code image>", "template": "<SHA-256 of the template>"}
 */
#ifndef LIB_NVRAM_H
#define LIB_NVRAM_H

#include <stdint.h>

#include <volt-qemu/call.h>

#include "command/firmware.h"

/* With the values of enum vqemu_prepare_flag. */
enum nvram_flag {
    NVRAM_KEEP_VARIABLES = 1,  /* a store of other firmware: it is for this one from now on */
    NVRAM_RESET_VARIABLES = 2, /* start anew; the old store becomes <path>.old,
                                  in place of an earlier one */
};

/*
 * Make the variable store with mode 0600 unless it is there, and make sure that it belongs to the
 * firmware: to code image and template with these contents, whatever their paths are. The directory
 * must exist. A store appears whole, with its record, or not at all, and survives a power loss.
 * Any number of processes may do this at once.
 *
 * Errors: VQEMU_ERR_CHANGED if the store was made for other firmware, or has no record, and no flag
 * says what to do; VQEMU_ERR_CORRUPT if its size is another than the template's; VQEMU_ERR_USAGE
 * for unknown or contradicting flags; VQEMU_ERR_INVALID or, for a link, VQEMU_ERR_REFUSED for a
 * path at which no store can be; VQEMU_ERR_BUSY if a process has it open with locks, as QEMU does,
 * when it is to be reset, or others prepare it for longer than the call waits.
 */
int nvram_prepare(const struct nvram *nvram, uint32_t flags, vqemu_call *call, vqemu_error **error);

#endif
