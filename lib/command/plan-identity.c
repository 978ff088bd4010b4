/* SPDX-License-Identifier: MIT */
/* What a VM is known by: to the host's tools, to its guest, and by its directories. */
#include <string.h>

#include "command/plan-claim.h"
#include "command/plan-nouns.h"
#include "qemu/pid-file.h"

static struct choice choose_uuid(struct plan *plan) {
    char uuid[IDENTITY_UUID_LENGTH + 1];
    if (plan->vm->uuid)
        return (struct choice){plan->vm->uuid, origin_key("uuid", NULL)};
    identity_uuid(plan->vm->name, uuid);
    return (struct choice){arena_text(&plan->texts, uuid),
                           origin_key("uuid", "default: made of the VM's name")};
}

void plan_identity(struct plan *plan) {
    const vqemu_vm *vm = plan->vm;
    struct identity_plan *identity = &plan->identity;
    identity_id(vm->name, identity->id);
    identity->state_dir = plan_path_or(plan, vm->state_dir, plan->state_base, identity->id);
    identity->runtime_dir = plan_path_or(plan, vm->runtime_dir, plan->runtime_base, identity->id);
    identity->process = arena_join(&plan->texts, "volt-", vm->name, NULL);
    identity->uuid = choose_uuid(plan);
    identity->pid_file = plan_path_or(plan, NULL, identity->runtime_dir, PID_FILE_NAME);
}

/*
 * QEMU locks this file before it makes any socket (qemu_write_pidfile()), and ends if another has
 * it: a VM that runs is not disturbed by a second start, whoever starts it.
 */
void plan_use_identity(struct plan *plan) {
    const char *path = plan->identity.pid_file;
    plan_claim(plan, "the PID file", path);
    resources_add_file(&plan->resources, path, VQEMU_FILE_READ | VQEMU_FILE_WRITE);
}
