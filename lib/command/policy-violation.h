/* SPDX-License-Identifier: MIT */
/* What is found while a VM is held against a policy. */
#ifndef LIB_POLICY_VIOLATION_H
#define LIB_POLICY_VIOLATION_H

#include <stdbool.h>

#include "command/plan.h"
#include "command/policy.h"
#include "util/strbuf.h"

/* A key of the VM against a rule of the policy. Strings are borrowed. */
struct violation {
    const char *key;             /* "nics[0].bridge" */
    const char *reason;          /* static */
    const char *rule;            /* the policy's key; NULL if it has none for it */
    const char *value, *choices; /* NULL for none */
};

/* All that is found, and the first in words. */
struct policy_check {
    const vqemu_policy *policy;
    const struct plan *plan;
    char *state_dir, *runtime_dir; /* plain paths */
    struct strbuf keys;            /* of all violations, separated by ", " */
    size_t count;
    vqemu_error *first;
    bool failed; /* an allocation has */
};

void policy_violate(struct policy_check *check, const struct violation *violation,
                    const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The result of the check, with an error if anything was found. */
int policy_conclude(struct policy_check *check, vqemu_error **error);

#endif
