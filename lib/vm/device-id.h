/* SPDX-License-Identifier: MIT */
/* The key "id" of disks, shares and network devices. */
#ifndef LIB_DEVICE_ID_H
#define LIB_DEVICE_ID_H

#define DEVICE_ID_PATTERN "^[A-Za-z][A-Za-z0-9_.-]{0,63}$"
#define DEVICE_ID_WANTED                                                                           \
    "a name of letters, digits, \"-\", \"_\" and \".\" that begins with a letter, of up to 64 "    \
    "bytes"
#define DEVICE_ID_MEANING                                                                          \
    "QEMU's id of the device, by which QMP and the guest agent name it; no other device of the "   \
    "VM "                                                                                          \
    "can have it. Default: one of the library's, which may be another in its next version."

#endif
