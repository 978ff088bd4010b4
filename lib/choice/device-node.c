/* SPDX-License-Identifier: MIT */
#include "choice/device-node.h"

#include <errno.h>
#include <string.h>

#include "util/strbuf.h"

bool device_node_is_shortage(int system_errno) {
    return system_errno == EMFILE || system_errno == ENFILE || system_errno == ENOMEM;
}

enum device_node device_node_judge(int system_errno, const char *device, const char *hint,
                                   char **message) {
    char text[128];
    switch (system_errno) {
    case ENOENT:
    case ENODEV:
    case ENXIO:
        *message = format_string("there is no %s%s", device, hint);
        return NODE_ABSENT;
    case EACCES:
    case EPERM:
        *message =
            format_string("%s may not be opened by this user: join the group that owns it", device);
        return NODE_DENIED;
    default:
        *message = format_string("%s cannot be opened: %s", device,
                                 strerror_r(system_errno, text, sizeof text));
        return NODE_BROKEN;
    }
}
