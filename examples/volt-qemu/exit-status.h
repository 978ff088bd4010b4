/* SPDX-License-Identifier: MIT */
/* What the exit status of the program tells of a failure. */
#ifndef EXIT_STATUS_H
#define EXIT_STATUS_H

#include <volt-qemu/volt-qemu.h>

enum exit_status {
    STATUS_DONE = 0,
    STATUS_FAILED = 1,
    STATUS_USAGE = 2,   /* of the command line itself */
    STATUS_MISSING = 3, /* a store, revision, program, file, or a VM that does not run */
    STATUS_BUSY = 4,
    STATUS_INVALID = 5, /* a value or document */
    STATUS_DAMAGED = 6,
    STATUS_GIVEN_UP = 7,      /* the time was over, or the program was interrupted */
    STATUS_UNTRUSTED = 8,     /* not signed by whom it must be */
    STATUS_UNREACHED = 9,     /* the network, or who is at its other end: later it may work */
    STATUS_BROKEN_PIPE = 141, /* nobody reads the output: as a shell says of SIGPIPE */
};

int exit_status_of(const vqemu_error *error);

#endif
