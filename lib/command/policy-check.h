/* SPDX-License-Identifier: MIT */
#ifndef LIB_POLICY_CHECK_H
#define LIB_POLICY_CHECK_H

#include "command/plan.h"
#include "command/policy.h"

/*
 * Whether the policy allows the VM that arguments were made of. Otherwise the error is
 * VQEMU_ERR_DENIED, and tells the first violation, and the keys of all.
 */
int policy_check(const vqemu_policy *policy, const struct plan *plan, vqemu_error **error);

#endif
