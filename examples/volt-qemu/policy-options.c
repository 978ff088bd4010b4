/* SPDX-License-Identifier: MIT */
#include "policy-options.h"

#include "cleanup.h"
#include "message.h"

int policy_from_options(const struct options *options, vqemu_policy **policy) {
    _cleanup_error_ vqemu_error *error = NULL;
    if (!options->policy)
        return 0;
    return vqemu_policy_from_file(options->policy, 0, policy, &error) ? fail_policy(error) : 0;
}
