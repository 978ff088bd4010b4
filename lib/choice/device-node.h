/* SPDX-License-Identifier: MIT */
/* What it says of a device of the host that its node cannot be opened. */
#ifndef LIB_DEVICE_NODE_H
#define LIB_DEVICE_NODE_H

#include <stdbool.h>

enum device_node { NODE_ABSENT, NODE_DENIED, NODE_BROKEN };

/* That this process has run out of something says nothing of the device. */
bool device_node_is_shortage(int system_errno);

/* hint: behind the sentence that there is none, or "". *message is NULL without memory; owned by
 * the caller. */
enum device_node device_node_judge(int system_errno, const char *device, const char *hint,
                                   char **message);

#endif
