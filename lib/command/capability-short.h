/* SPDX-License-Identifier: MIT */
/* Character devices in the short form of -serial, -monitor and others: "tcp:localhost:1". */
#ifndef LIB_CAPABILITY_SHORT_H
#define LIB_CAPABILITY_SHORT_H

#include "command/capability-refusal.h"

/* The id in "chardev:ID", which stands for one that is told by -chardev; NULL for any other form.
 */
const char *short_form_id(const struct option *option);

/* VQEMU_ERR_UNSUPPORTED if it is none, or names a backend that QEMU has not. */
int check_short_form(const struct checker *checker, const struct option *option);

#endif
