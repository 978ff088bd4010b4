/* SPDX-License-Identifier: MIT */
/* The key "id" of disks, shares and network devices. */
#ifndef LIB_DEVICE_ID_H
#define LIB_DEVICE_ID_H

#define DEVICE_ID_PATTERN "^[A-Za-z][A-Za-z0-9_.-]{0,63}$"
#define DEVICE_ID_WANTED                                                                           \
    "a name of letters, digits, \"-\", \"_\" and \".\" that begins with a letter, of up to 64 "    \
    "bytes"
#define DEVICE_ID_MEANING                                                                          \
    "QEMU's id of the device, by which QMP and the key slots name it; no other device of the VM "  \
    "can have it. Default: what it is, and the number that it has in its list (drive0, share0, "   \
    "nic0), which vqemu_vm_complete() writes."

/* Also that of a controller which the library makes for an I/O thread, "scsi-<name>". */
#define DEVICE_ID_OF_ANY_PATTERN "^[A-Za-z][A-Za-z0-9_.-]{0,67}$"

#endif
