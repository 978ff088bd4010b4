/* SPDX-License-Identifier: MIT */
#include "command/option-nouns.h"

static void tpm_options(const struct plan *plan, struct options *options) {
    const struct choice *socket = &plan->extras.tpm_socket;
    if (!socket->value)
        return;
    connecting_options(options, "tpm", socket);
    option_begin(options, OPTION_TPMDEV, "emulator", origin_key("tpm", NULL));
    option_text(options, "id", "tpm");
    option_text(options, "chardev", "tpm");
    option_begin(options, OPTION_DEVICE, plan->arch->tpm, origin_key("tpm", NULL));
    option_text(options, "tpmdev", "tpm");
}

static void watchdog_options(const struct plan *plan, struct options *options) {
    if (!plan->vm->watchdog)
        return;
    device_begin(options, plan->arch->watchdog, &plan->extras.watchdog,
                 origin_key("watchdog", NULL));
    device_place(options, &plan->extras.watchdog);
    option_begin(options, OPTION_ACTION, NULL, origin_key("watchdog", NULL));
    option_text(options, "watchdog", plan->vm->watchdog);
}

static void rng_options(const struct plan *plan, struct options *options) {
    if (!plan->extras.rng)
        return;
    option_begin(options, OPTION_OBJECT, "rng-random", origin_key("rng", NULL));
    option_text(options, "id", "rng");
    option_text(options, "filename", "/dev/urandom");
    virtio_begin(plan, options, "virtio-rng", &plan->extras.rng_device, origin_key("rng", NULL));
    option_text(options, "rng", "rng");
    device_place(options, &plan->extras.rng_device);
}

static void balloon_options(const struct plan *plan, struct options *options) {
    if (!plan->extras.balloon)
        return;
    virtio_begin(plan, options, "virtio-balloon", &plan->extras.balloon_device,
                 origin_key("balloon", NULL));
    option_switch(options, "deflate-on-oom", true);
    option_switch(options, "free-page-reporting", true);
    device_place(options, &plan->extras.balloon_device);
}

static void vsock_options(const struct plan *plan, struct options *options) {
    if (!plan->vm->vsock_cid)
        return;
    virtio_begin(plan, options, "vhost-vsock", &plan->extras.vsock, origin_key("vsock_cid", NULL));
    option_number(options, "guest-cid", plan->vm->vsock_cid);
    device_place(options, &plan->extras.vsock);
}

void extra_options(const struct plan *plan, struct options *options) {
    tpm_options(plan, options);
    watchdog_options(plan, options);
    rng_options(plan, options);
    balloon_options(plan, options);
    vsock_options(plan, options);
}
