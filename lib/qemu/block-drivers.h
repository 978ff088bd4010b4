/* SPDX-License-Identifier: MIT */
/* Which block drivers QEMU cannot load. */
#ifndef LIB_BLOCK_DRIVERS_H
#define LIB_BLOCK_DRIVERS_H

#include "qemu/ask.h"
#include "qemu/capabilities.h"

/*
 * The schema of QMP has the drivers of modules that are not there, too. Each is asked for once,
 * with settings that QEMU refuses before it opens anything; those that it does not know then become
 * "broken".
 */
int block_drivers_mark(struct capability_list *list, struct asked *asked, const json_t *schema,
                       vqemu_error **error);

#endif
