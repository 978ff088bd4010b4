/* SPDX-License-Identifier: MIT */
#ifndef LIB_UNIT_SERVICE_H
#define LIB_UNIT_SERVICE_H

#include "unit/plan.h"

/* The VM's own service. A failed allocation is remembered in text. */
int unit_add_service(const struct unit_plan *plan, struct strbuf *text, vqemu_error **error);

#endif
