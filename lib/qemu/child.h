/* SPDX-License-Identifier: MIT */
/*
 * A QEMU that this process starts for itself, to ask it something: it has one socket, may read the
 * runtime's own files, and nothing else. It ends with the thread that started it.
 */
#ifndef LIB_CHILD_H
#define LIB_CHILD_H

#include <stdbool.h>
#include <stddef.h>

#include <volt-qemu/error.h>

#include "tree/runtime.h"
#include "util/strv.h"

struct child {
    int pid_fd; /* readable once it has ended */
    int socket; /* the other side of its descriptor CHILD_SOCKET */
    int output; /* a file of what it says on standard error */
    int pid;    /* also of its group and session */
};

#define CHILD_NONE ((struct child){-1, -1, -1, 0})

/* The descriptor by which the child has its socket. */
#define CHILD_SOCKET 3

/* Start it with these arguments behind those of the program. */
int child_start(const vqemu_runtime *runtime, const struct strv *arguments, struct child *child,
                vqemu_error **error);

/* What it has said on standard error, printable and cut; NULL without memory. Owned by the caller.
 */
char *child_said(const struct child *child);

/* Whether it has ended, after at most so many milliseconds. */
bool child_wait(const struct child *child, int milliseconds);
/* All that it has said, once it has ended; NULL if it is known not to have ended well, or said more
 * than so many bytes. Owned by the caller. Returns 0 or -ENOMEM. */
int child_all_said(const struct child *child, size_t limit, char **said);

/* End it, if it is there still, with what it has started in its group, and forget it. */
void child_end(struct child *child);

#define _cleanup_child_ _cleanup_(child_end)

#endif
