/* SPDX-License-Identifier: MIT */
/*
 * Names of descriptors that the caller opens: what it calls them does not depend on the numbers
 * that they have in its process. They may be those of a service's sockets
 * (sd_listen_fds_with_names(3)), and stand in messages and in JSON.
 */
#ifndef LIB_DESCRIPTOR_NAME_H
#define LIB_DESCRIPTOR_NAME_H

#define DESCRIPTOR_NAME_PATTERN "^[A-Za-z0-9_.@-]{1,255}$"
#define DESCRIPTOR_NAME_WANTED "1 to 255 of letters, digits, \"_\", \".\", \"@\" and \"-\""

#endif
