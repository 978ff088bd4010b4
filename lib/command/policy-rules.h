/* SPDX-License-Identifier: MIT */
#ifndef LIB_POLICY_RULES_H
#define LIB_POLICY_RULES_H

#include "command/policy-violation.h"

/* The rules for what is no path, of one object of the VM. prefix is its key with a point,
 * "nics[0].", or "" for the VM itself. */
void policy_check_rules(struct policy_check *check, const struct object_type *type,
                        const void *object, const char *prefix);

/* Whether there is a rule for a key of such objects. */
bool policy_has_rule(const struct object_type *type, const char *key);

#endif
