/* SPDX-License-Identifier: MIT */
/* Unix sockets of QEMU: claims and resources in one. */
#include "command/plan-claim.h"
#include "command/plan-nouns.h"

void plan_listen(struct plan *plan, const char *key, const char *path) {
    plan_claim(plan, key, path);
    resources_add_socket(&plan->resources, path);
}

void plan_connect(struct plan *plan, const char *key, const char *path) {
    plan_claim(plan, key, path);
    resources_add_connect(&plan->resources, path);
}
