/* SPDX-License-Identifier: MIT */
#ifndef LIB_UNIT_HARDEN_H
#define LIB_UNIT_HARDEN_H

#include "unit/plan.h"

/* The directives that leave a service with nothing but what it uses. Fail for what a unit cannot
 * name; failed allocations are remembered in text. */
int unit_confine_qemu(const struct unit_plan *plan, struct strbuf *text, vqemu_error **error);
int unit_confine_companion(const struct unit_plan *plan, const struct companion *companion,
                           struct strbuf *text, vqemu_error **error);

#endif
