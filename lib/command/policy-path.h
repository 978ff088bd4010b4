/* SPDX-License-Identifier: MIT */
#ifndef LIB_POLICY_PATH_H
#define LIB_POLICY_PATH_H

#include "command/policy-violation.h"

/* key is the whole one, "disks[0].file". access: of enum vqemu_file_access. */
void policy_check_file(struct policy_check *check, const char *key, const char *path,
                       uint32_t access);
/* A directory that the guest gets. */
void policy_check_share(struct policy_check *check, const char *key, const char *path,
                        uint32_t access);
/* One of the VM's own directories, which it names. */
void policy_check_directory(struct policy_check *check, const char *key, const char *path);
void policy_check_socket(struct policy_check *check, const char *key, const char *path);

#endif
