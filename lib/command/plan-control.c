/* SPDX-License-Identifier: MIT */
/* The sockets by which QEMU and the guest's agent are controlled. */
#include "base/error.h"
#include "command/plan-claim.h"
#include "command/plan-nouns.h"
#include "command/plan-place.h"
#include "command/refusal.h"

/* A service has a socket for the caller in any case, and a second one to stop the guest by. */
static void choose_sockets(struct plan *plan) {
    const char *path = plan->vm->qmp_socket, *runtime_dir = plan->identity.runtime_dir;
    bool for_unit = plan->flags & VQEMU_COMMAND_FOR_UNIT;
    struct control_plan *control = &plan->control;
    if (path || for_unit)
        control->qmp =
            (struct choice){plan_path_or(plan, path, runtime_dir, "qmp.sock"),
                            origin_key("qmp_socket", path ? NULL : "default: a service has one")};
    if (for_unit)
        control->stop = (struct choice){plan_path_or(plan, NULL, runtime_dir, "unit.sock"),
                                        origin_none("the service stops the guest by it")};
}

static void use_sockets(struct plan *plan) {
    struct control_plan *control = &plan->control;
    if (control->qmp.value) {
        plan_listen(plan, "qmp_socket", control->qmp.value);
        resources_name_socket(&plan->resources, VQEMU_SOCKET_QMP, control->qmp.value);
    }
    if (control->stop.value) {
        plan_listen(plan, "the unit's QMP socket", control->stop.value);
        resources_name_socket(&plan->resources, VQEMU_SOCKET_STOP, control->stop.value);
    }
}

static void plan_guest_agent(struct plan *plan) {
    const char *path = plan->vm->guest_agent_socket;
    if (!path)
        return;
    plan_device(plan, &plan->control.serial, "serial", -1);
    plan_attach(plan, &plan->control.serial);
    plan_listen(plan, "guest_agent_socket", path);
    resources_name_socket(&plan->resources, VQEMU_SOCKET_AGENT, path);
}

int plan_control(struct plan *plan, vqemu_error **error) {
    const vqemu_vm *vm = plan->vm;
    if (vm->qmp_fd && vm->qmp_fd_name)
        return refuse(error, VQEMU_ERR_INVALID, "qmp_fd_name: there is a qmp_fd as well");
    choose_sockets(plan);
    use_sockets(plan);
    if (vm->qmp_fd || vm->qmp_fd_name) {
        plan->control.qmp_fd = plan_claim_descriptor(plan, "qmp_fd", vm->qmp_fd, vm->qmp_fd_name);
        plan->control.qmp_fd_origin = origin_key(vm->qmp_fd ? "qmp_fd" : "qmp_fd_name", NULL);
    }
    plan_guest_agent(plan);
    return 0;
}
