/* SPDX-License-Identifier: MIT */
#ifndef LIB_FILE_KEYS_H
#define LIB_FILE_KEYS_H

#include "command/plan.h"

/* When all files are listed among the resources: which key of the VM named each of them. */
void file_keys_note(struct plan *plan);

#endif
