/* SPDX-License-Identifier: MIT */
/* What cannot be had: errors about a key of the VM. */
#ifndef LIB_REFUSAL_H
#define LIB_REFUSAL_H

#include "command/plan.h"

/* An error whose message begins with the key of the VM that it is about, such as
 * "disks[0].aio: ...", which becomes its detail. Returns the code. */
int refuse(vqemu_error **error, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* What the profile must have for a key of the VM; otherwise the error tells which has. */
int refuse_without(const struct plan *plan, enum vqemu_ability ability, const char *key,
                   vqemu_error **error);
/* The machine of this architecture has no such thing. */
int refuse_for_machine(const struct plan *plan, const char *key, const char *what,
                       vqemu_error **error);

#endif
