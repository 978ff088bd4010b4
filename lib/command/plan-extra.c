/* SPDX-License-Identifier: MIT */
/* TPM, watchdog, entropy, memory balloon, virtio sockets. */
#include "base/error.h"
#include "command/plan-nouns.h"
#include "command/plan-place.h"
#include "command/refusal.h"

#define SWTPM "/usr/bin/swtpm"

static int check_tpm(const struct plan *plan, vqemu_error **error) {
    const vqemu_vm *vm = plan->vm;
    const char *key = vm->tpm_socket      ? "tpm_socket"
                      : vm->tpm_state     ? "tpm_state"
                      : vm->swtpm_program ? "swtpm_program"
                                          : NULL;
    if (!is_on(vm->tpm) && key)
        return refuse(error, VQEMU_ERR_INVALID, "%s: it needs \"tpm\": true", key);
    if (!is_on(vm->tpm))
        return 0;
    int r = refuse_without(plan, VQEMU_ABILITY_TPM, "tpm", error);
    if (r == 0 && !plan->arch->tpm)
        r = refuse_for_machine(plan, "tpm", "TPM", error);
    return r;
}

static void use_tpm(struct plan *plan) {
    const vqemu_vm *vm = plan->vm;
    const char *socket = plan->extras.tpm_socket.value;
    const char *state = plan_path_or(plan, vm->tpm_state, plan->identity.state_dir, "tpm");
    plan_connect(plan, "tpm_socket", socket);
    resources_name_socket(&plan->resources, VQEMU_SOCKET_TPM, socket);
    resources_add_companion(&plan->resources, COMPANION_SWTPM,
                            vm->swtpm_program ? vm->swtpm_program : SWTPM, socket, state, false,
                            "tpm_state", "tpm_socket");
}

static int plan_tpm(struct plan *plan, vqemu_error **error) {
    const char *path = plan->vm->tpm_socket;
    int r = check_tpm(plan, error);
    if (r < 0 || !is_on(plan->vm->tpm))
        return r;
    plan->extras.tpm_socket = (struct choice){
        plan_path_or(plan, path, plan->identity.runtime_dir, "tpm.sock"),
        origin_key("tpm_socket", path ? NULL : "default: in the VM's runtime directory")};
    use_tpm(plan);
    return 0;
}

/* That of s390x is on no bus. */
static void plan_watchdog(struct plan *plan) {
    if (!plan->vm->watchdog)
        return;
    plan_device(plan, &plan->extras.watchdog, "watchdog", -1);
    if (plan_has_pci(plan))
        plan_attach(plan, &plan->extras.watchdog);
}

static void plan_virtio(struct plan *plan, struct device *device, const char *noun,
                        bool is_wanted) {
    if (!is_wanted)
        return;
    plan_device(plan, device, noun, -1);
    plan_attach(plan, device);
}

int plan_extras(struct plan *plan, vqemu_error **error) {
    const vqemu_vm *vm = plan->vm;
    struct extras_plan *extras = &plan->extras;
    int r = plan_tpm(plan, error);
    if (r < 0)
        return r;
    extras->rng = is_on(vm->rng);
    extras->balloon = is_on(vm->balloon);
    plan_watchdog(plan);
    plan_virtio(plan, &extras->rng_device, "rng-device", extras->rng);
    plan_virtio(plan, &extras->balloon_device, "balloon", extras->balloon);
    plan_virtio(plan, &extras->vsock, "vsock", vm->vsock_cid);
    if (extras->rng)
        resources_add_device(&plan->resources, "/dev/urandom");
    if (vm->vsock_cid) {
        resources_add_device(&plan->resources, "/dev/vhost-vsock");
        resources_name_file(&plan->resources, "/dev/vhost-vsock", "vsock_cid");
    }
    return 0;
}
