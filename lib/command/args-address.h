/* SPDX-License-Identifier: MIT */
/* The address of a PCI device in its argument. */
#ifndef LIB_ARGS_ADDRESS_H
#define LIB_ARGS_ADDRESS_H

#include <stdbool.h>

#define NO_SLOT 32 /* a bus has so many slots, and this is none of them */

/* The number behind a noun in the id of a device: 7 for "drive" of ",id=drive7". */
bool args_device_number(const char *device, const char *noun, unsigned long *number);

/* Add the address; bus: NULL for the machine's own. False without memory. */
bool args_add_address(char **device, const char *bus, unsigned slot, unsigned function,
                      bool multifunction);

#endif
