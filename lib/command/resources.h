/* SPDX-License-Identifier: MIT */
/*
 * What a command uses of the host. The argument builder fills it, the unit builder makes the
 * service's restrictions of it. Allocation failure is remembered, as in strv. What is added twice
 * is listed once.
 */
#ifndef LIB_RESOURCES_H
#define LIB_RESOURCES_H

#include <stdbool.h>
#include <stddef.h>

#include "util/strv.h"

/* A program that must run beside QEMU, and serve a Unix socket that QEMU connects to. */
struct companion {
    enum companion_kind { COMPANION_SWTPM, COMPANION_VIRTIOFSD } kind;
    char *program;   /* absolute path */
    char *socket;    /* where it listens */
    char *directory; /* the state of the TPM; the directory that is shared */
    bool read_only;  /* the share is */
};

struct resources {
    struct strv reads;    /* files and directories that QEMU only reads */
    struct strv writes;   /* files and directories that QEMU writes */
    struct strv sockets;  /* Unix sockets that QEMU listens on: it writes to their directory */
    struct strv connects; /* Unix sockets that QEMU connects to */
    struct strv devices;  /* device nodes that QEMU opens */
    bool internet;        /* opens Internet sockets: user networking, VNC over TCP */
    bool starts_programs; /* starts the setuid bridge helper */
    bool hugepages, pty;
    int *fds; /* descriptors that the caller must pass on */
    size_t fd_count;
    struct companion *companions;
    size_t companion_count;
    bool failed; /* an allocation has */
};

void resources_add_read(struct resources *resources, const char *path);
void resources_add_write(struct resources *resources, const char *path);
void resources_add_socket(struct resources *resources, const char *path);
void resources_add_connect(struct resources *resources, const char *path);
void resources_add_device(struct resources *resources, const char *path);
void resources_add_fd(struct resources *resources, int fd);
void resources_add_companion(struct resources *resources, enum companion_kind kind,
                             const char *program, const char *socket, const char *directory,
                             bool read_only);

void resources_release(struct resources *resources);

#define _cleanup_resources_ __attribute__((cleanup(resources_release)))

#endif
