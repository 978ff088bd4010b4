/* SPDX-License-Identifier: MIT */
/*
 * A program that must run beside QEMU, and serve a Unix socket that QEMU connects to. Whoever
 * starts it listens there, and hands the socket over as descriptor 3 (sd_listen_fds(3)).
 */
#ifndef LIB_COMPANION_H
#define LIB_COMPANION_H

#include <stdbool.h>

#include "util/strv.h"

enum companion_kind { COMPANION_SWTPM, COMPANION_VIRTIOFSD };

struct companion {
    enum companion_kind kind;
    char *program;                    /* absolute path */
    char *socket;                     /* where it listens */
    char *directory;                  /* the state of the TPM; the directory that is shared */
    bool read_only;                   /* the share is */
    char *directory_key, *socket_key; /* of the VM; NULL in a command that was loaded */
    struct strv argv;                 /* begins with the program */
    const char *cwd;                  /* the directory, or static */
};

/* Returns false, and leaves nothing, without memory. */
bool companion_init(struct companion *companion, enum companion_kind kind, const char *program,
                    const char *socket, const char *directory, bool read_only);
void companion_release(struct companion *companion);

/* "swtpm" or "virtiofsd". Static. */
const char *companion_kind_name(enum companion_kind kind);

#endif
