/* SPDX-License-Identifier: MIT */
#ifndef LIB_PLAN_MAKE_H
#define LIB_PLAN_MAKE_H

#include "command/plan.h"

/* Decide it all; what was given is there. On failure, too, it is to be released. */
int plan_make(struct plan *plan, vqemu_error **error);

#endif
