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

#include <stdint.h>

#include "command/companion.h"
#include "util/strv.h"

/* A descriptor that the caller must pass on, and the key of the VM that names it. */
struct descriptor_use {
    int fd; /* the number that QEMU has it under */
    char *key;
    char *name;     /* that the caller knows it by; NULL: it has the number fd there as well */
    uint32_t qcow2; /* of enum qcow2_use; 0 for what is no such image */
};

/* A file, directory or device node, with the access to it: of enum vqemu_file_access. */
struct file_use {
    char *path;
    uint32_t access;
    char *key;      /* of the VM, that named it, or has the default; NULL for what no key is for */
    uint32_t qcow2; /* of enum qcow2_use; 0 for what is no such image */
};

/* A qcow2 image, and which of the other files that its header can name the VM names. */
enum qcow2_use { QCOW2_IMAGE = 1, QCOW2_WITH_BACKING = 2, QCOW2_WITH_DATA_FILE = 4 };

/* A word for each access that there is, and back; 0 for another word. */
const char *file_access_name(uint32_t access);
uint32_t file_access_find(const char *name);

struct resources {
    struct strv reads;    /* files and directories that QEMU only reads */
    struct strv writes;   /* files and directories that QEMU writes */
    struct strv sockets;  /* Unix sockets that QEMU listens on: it writes to their directory */
    struct strv connects; /* Unix sockets that QEMU connects to */
    struct strv devices;  /* device nodes that QEMU opens */
    bool internet;        /* opens Internet sockets: user networking, VNC over TCP */
    bool starts_programs; /* starts the setuid bridge helper */
    bool hugepages, pty;
    struct strv named_sockets; /* pairs: the name that callers know it by, and its path */
    struct file_use
        *files; /* all of reads, writes and devices, programs, and what companions use */
    size_t file_count, found_file; /* where the last one was found */
    struct descriptor_use *fds;
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
/* Only among files: what a companion uses, or was saved. access: of enum vqemu_file_access. */
void resources_add_file(struct resources *resources, const char *path, uint32_t access);
/* The key of the VM that names a file which is listed; the first one stays. */
void resources_name_file(struct resources *resources, const char *path, const char *key);
/* NULL for a file that no key names, or that is not listed. */
const char *resources_key_of_file(const struct resources *resources, const char *path);
/* That a file which is listed is a qcow2 image; of several uses, what all of them name counts. */
void resources_note_qcow2(struct resources *resources, const char *path, uint32_t use);
void resources_note_qcow2_fd(struct resources *resources, int fd, uint32_t use);
/* A device node with an image on it. */
void resources_add_block_device(struct resources *resources, const char *path, bool read_only);
/* name: NULL if the caller knows it by the same number. */
void resources_add_fd(struct resources *resources, int fd, const char *key, const char *name);
/* A socket that callers can ask for: see vqemu_command_socket(). */
void resources_name_socket(struct resources *resources, const char *name, const char *path);
const char *resources_find_socket(const struct resources *resources, const char *name);
/* The key of the VM that names a socket, or "runtime_dir" for one that no key is for. */
const char *resources_key_of_socket(const struct resources *resources, const char *path);
void resources_add_companion(struct resources *resources, enum companion_kind kind,
                             const char *program, const char *socket, const char *directory,
                             bool read_only, const char *directory_key, const char *socket_key);

void resources_release(struct resources *resources);

#define _cleanup_resources_ __attribute__((cleanup(resources_release)))

#endif
