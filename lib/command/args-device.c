/* SPDX-License-Identifier: MIT */
/* TPM, watchdog, entropy, memory balloon, virtio sockets. */
#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "command/args-bridge.h"
#include "command/args-claim.h"
#include "command/args-nouns.h"
#include "command/args-socket.h"

#define SWTPM "/usr/bin/swtpm"

static int check_tpm(const struct args *args, vqemu_error **error) {
    const vqemu_vm *vm = args->vm;
    const char *key = vm->tpm_socket      ? "tpm_socket"
                      : vm->tpm_state     ? "tpm_state"
                      : vm->swtpm_program ? "swtpm_program"
                                          : NULL;
    if (!is_on(vm->tpm) && key)
        return args_refuse(error, VQEMU_ERR_INVALID, "%s: it needs \"tpm\": true", key);
    if (!is_on(vm->tpm))
        return 0;
    int r = args_require(args, VQEMU_ABILITY_TPM, "tpm", error);
    if (r == 0 && !args->arch->tpm)
        r = args_unsupported(args, "tpm", "TPM", error);
    return r;
}

static int add_tpm(struct args *args, vqemu_error **error) {
    const vqemu_vm *vm = args->vm;
    int r = check_tpm(args, error);
    if (r < 0 || !is_on(vm->tpm))
        return r;
    _cleanup_free_ char *socket = args_path_or(vm->tpm_socket, args->runtime_dir, "tpm.sock");
    _cleanup_free_ char *state = args_path_or(vm->tpm_state, args->state_dir, "tpm");
    if (!socket || !state)
        return error_no_memory(error);
    args_connect(args, "tpm", "tpm_socket", socket);
    resources_name_socket(&args->resources, VQEMU_SOCKET_TPM, socket);
    args_option(args, "-tpmdev", "emulator,id=tpm,chardev=tpm");
    strv_add(&args->argv, "-device");
    strv_addf(&args->argv, "%s,tpmdev=tpm", args->arch->tpm);
    resources_add_companion(&args->resources, COMPANION_SWTPM,
                            vm->swtpm_program ? vm->swtpm_program : SWTPM, socket, state, false,
                            "tpm_state", "tpm_socket");
    return 0;
}

static void add_watchdog(struct args *args) {
    if (!args->vm->watchdog)
        return;
    strv_add(&args->argv, "-device");
    strv_addf(&args->argv, "%s,id=watchdog", args->arch->watchdog);
    strv_add(&args->argv, "-action");
    strv_addf(&args->argv, "watchdog=%s", args->vm->watchdog);
}

static void add_rng(struct args *args) {
    struct strbuf device = {0};
    if (!is_on(args->vm->rng))
        return;
    args_option(args, "-object", "rng-random,id=rng,filename=/dev/urandom");
    args_virtio(args, &device, "virtio-rng", "rng-device", -1);
    strbuf_add(&device, ",rng=rng");
    args_option_buffer(args, "-device", &device);
    resources_add_device(&args->resources, "/dev/urandom");
}

static void add_balloon(struct args *args) {
    struct strbuf device = {0};
    if (!is_on(args->vm->balloon))
        return;
    args_virtio(args, &device, "virtio-balloon", "balloon", -1);
    strbuf_add(&device, ",deflate-on-oom=on,free-page-reporting=on");
    args_option_buffer(args, "-device", &device);
}

static void add_vsock(struct args *args) {
    struct strbuf device = {0};
    if (!args->vm->vsock_cid)
        return;
    args_virtio(args, &device, "vhost-vsock", "vsock", -1);
    strbuf_addf(&device, ",guest-cid=%" PRIu64, args->vm->vsock_cid);
    args_option_buffer(args, "-device", &device);
    resources_add_device(&args->resources, "/dev/vhost-vsock");
    resources_name_file(&args->resources, "/dev/vhost-vsock", "vsock_cid");
}

int args_add_devices(struct args *args, vqemu_error **error) {
    int r = add_tpm(args, error);
    if (r < 0)
        return r;
    add_watchdog(args);
    add_rng(args);
    add_balloon(args);
    add_vsock(args);
    r = args_add_ports(args, error);
    if (r == 0)
        r = args_place_devices(args, error);
    if (r == 0)
        r = args_give_ids(args, error);
    if (r == 0)
        r = args_check_extra(args, error);
    return r < 0 ? r : args_check_claims(args, error);
}
