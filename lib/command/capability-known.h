/* SPDX-License-Identifier: MIT */
/* What QEMU does not tell of its options, and is the same in all versions that are known. */
#ifndef LIB_CAPABILITY_KNOWN_H
#define LIB_CAPABILITY_KNOWN_H

#include <stdbool.h>

#include "command/capability-refusal.h"

/* Whether it is one of these versions; of others, only what they tell is known. */
bool known_version(const struct checker *checker);

/* Words that are values of settings of -drive, -fsdev and others, cards of -vga, models of -nic. */
int check_known(const struct checker *checker, const struct option *option);

#endif
