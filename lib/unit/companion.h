/* SPDX-License-Identifier: MIT */
/*
 * The programs beside QEMU: those of plan->uses->companions, known by their index. Failed
 * allocations are remembered in text and name.
 */
#ifndef LIB_UNIT_COMPANION_H
#define LIB_UNIT_COMPANION_H

#include "unit/plan.h"

/* Whether units can be written for it; otherwise the error says what is in the way. */
int unit_check_companion(const struct unit_plan *plan, size_t index, vqemu_error **error);
/* The name without ".socket" or ".service". */
void unit_add_companion_name(const struct unit_plan *plan, size_t index, struct strbuf *name);
void unit_add_companion_socket(const struct unit_plan *plan, size_t index, struct strbuf *text);
int unit_add_companion_service(const struct unit_plan *plan, size_t index, struct strbuf *text,
                               vqemu_error **error);

#endif
