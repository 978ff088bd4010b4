/* SPDX-License-Identifier: MIT */
/* Ids by which options name one another: none twice, and none of what is not there. */
#ifndef LIB_CAPABILITY_ID_H
#define LIB_CAPABILITY_ID_H

#include "command/capability-refusal.h"

/*
 * The checker's options are those of the VM's extra arguments, own those of the library. Returns
 * VQEMU_ERR_INVALID for what QEMU would not start with: reasons "id-twice" and "no-such-id".
 */
int check_ids(const struct checker *checker, const struct options *own);

#endif
