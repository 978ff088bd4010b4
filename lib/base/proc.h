/* SPDX-License-Identifier: MIT */
/* Other processes, as procfs tells of them. */
#ifndef LIB_PROC_H
#define LIB_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

#include <volt-qemu/error.h>

/* Bytes of a command's name in /proc/PID/comm, with a NUL. */
#define PROC_COMMAND_SIZE 16

/*
 * Open /proc. What else may be mounted there, or nothing at all, must not be taken for a host
 * without processes: that is VQEMU_ERR_SYSTEM, reason "no-proc".
 */
int proc_open(int *fd, vqemu_error **error);

/* Open /proc/PID. Returns a descriptor or a negative errno: -ENOENT if there is no such process. */
int proc_open_process(int proc_fd, pid_t pid);

/*
 * What a link of /proc/PID, such as exe, leads to: its type, device and inode, without asking its
 * server, if it has one, which may not answer. Returns 0 or a negative errno.
 */
int proc_look_at(int directory_fd, const char *name, struct stat *status);

/* The name of a command without its newline; "" if it cannot be read. */
void proc_read_command(int process_fd, char command[PROC_COMMAND_SIZE]);

/*
 * The arguments of a process, each with a NUL behind it, and *size bytes in all; none if they
 * cannot be read. Owned by the caller. Returns 0 or -ENOMEM.
 */
int proc_read_arguments(int process_fd, char **arguments, size_t *size);

/* The text of /proc/PID/maps; owned by the caller. Returns 0 or a negative errno. */
int proc_read_maps(int process_fd, char **maps);

/* Whether it is a thread of the kernel, or has ended: such have no program, and no files open. */
bool proc_is_hollow(int process_fd);

/* Whether there may be processes that are not in this /proc, because this one is in a PID
 * namespace of its own, or because /proc is mounted so that it hides those of others. */
bool proc_hides_processes(int proc_fd);

#endif
