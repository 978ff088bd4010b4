/* SPDX-License-Identifier: MIT */
#ifndef LIB_ARGS_PLAN_H
#define LIB_ARGS_PLAN_H

#include "command/args.h"

/* Choose machine, firmware and directories; nothing is added yet. */
int args_plan(struct args *args, vqemu_error **error);

#endif
