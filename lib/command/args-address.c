/* SPDX-License-Identifier: MIT */
#include "command/args-address.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/strbuf.h"

bool args_device_number(const char *device, const char *noun, unsigned long *number) {
    const char *id = strstr(device, ",id=");
    size_t length = strlen(noun);
    if (!id || strncmp(id + strlen(",id="), noun, length) != 0)
        return false;
    const char *rest = id + strlen(",id=") + length;
    if (*rest < '0' || *rest > '9')
        return false;
    *number = strtoul(rest, NULL, 10);
    return true;
}

bool args_add_address(char **device, const char *bus, unsigned slot, unsigned function,
                      bool multifunction) {
    char address[16] = "";
    if (function > 0 || multifunction)
        snprintf(address, sizeof address, ".%u", function);
    char *placed =
        format_string("%s%s%s,addr=0x%x%s%s", *device, bus ? ",bus=" : "", bus ? bus : "", slot,
                      address, multifunction ? ",multifunction=on" : "");
    if (!placed)
        return false;
    free(*device);
    *device = placed;
    return true;
}
