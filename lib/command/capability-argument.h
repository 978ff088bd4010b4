/* SPDX-License-Identifier: MIT */
/* The names of the options among a VM's extra arguments. */
#ifndef LIB_CAPABILITY_ARGUMENT_H
#define LIB_CAPABILITY_ARGUMENT_H

#include "command/capability-refusal.h"

/* VQEMU_ERR_UNSUPPORTED for the first that QEMU has not. */
int check_arguments(const struct checker *checker);

#endif
