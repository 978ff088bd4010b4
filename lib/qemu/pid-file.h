/* SPDX-License-Identifier: MIT */
/* The file in the runtime directory of a VM that its QEMU locks as long as it lives. */
#ifndef LIB_PID_FILE_H
#define LIB_PID_FILE_H

#include <sys/types.h>

#define PID_FILE_NAME "qemu.pid"

/* Whether it is locked: 1, 0 or a negative errno. *pid is the process that has locked it, or not
 * above 0 where that is in another PID namespace. */
int pid_file_is_locked(int fd, pid_t *pid);

/* The same of one that lies beside a socket; 0 also if there is none. */
int pid_file_is_locked_beside(const char *socket_path, pid_t *pid);

#endif
