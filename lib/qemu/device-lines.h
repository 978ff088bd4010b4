/* SPDX-License-Identifier: MIT */
/*
 * What QEMU's monitor for people lists of devices, which it tells nowhere else:
 *
 *     name "e1000", bus PCI, alias "e1000-82540em", desc "Intel Gigabit Ethernet"
 *     name "mch", bus PCI, desc "Host bridge", no-user
 */
#ifndef LIB_DEVICE_LINES_H
#define LIB_DEVICE_LINES_H

#include "base/json.h"

/* By their names: {"alias": "e1000-82540em"}, {"pluggable": false}, each as far as it is said.
 * Lines that are none are passed over. NULL if there is no memory for it. */
json_t *device_lines_index(const char *text);

#endif
