/* SPDX-License-Identifier: MIT */
#include "command/option-nouns.h"

static void monitor_options(struct options *options, const char *id, struct origin origin) {
    option_begin(options, OPTION_MON, NULL, origin);
    option_text(options, "chardev", id);
    option_text(options, "mode", "control");
}

static void socket_options(struct options *options, const char *id, const struct choice *path) {
    if (!path->value)
        return;
    listening_options(options, id, path);
    monitor_options(options, id, path->origin);
}

static void descriptor_options(const struct plan *plan, struct options *options) {
    const struct control_plan *control = &plan->control;
    if (!control->qmp_fd)
        return;
    option_begin(options, OPTION_CHARDEV, "socket", control->qmp_fd_origin);
    option_text(options, "id", "qmp-fd");
    option_number(options, "fd", (uint64_t)control->qmp_fd);
    option_switch(options, "server", true);
    option_switch(options, "wait", false);
    monitor_options(options, "qmp-fd", control->qmp_fd_origin);
}

static void agent_options(const struct plan *plan, struct options *options) {
    const struct choice path = {plan->vm->guest_agent_socket,
                                origin_key("guest_agent_socket", NULL)};
    if (!path.value)
        return;
    virtio_begin(plan, options, "virtio-serial", &plan->control.serial, path.origin);
    device_place(options, &plan->control.serial);
    listening_options(options, "agent", &path);
    option_begin(options, OPTION_DEVICE, "virtserialport", path.origin);
    option_text(options, "bus", "serial.0");
    option_text(options, "chardev", "agent");
    option_text(options, "name", "org.qemu.guest_agent.0");
}

void control_options(const struct plan *plan, struct options *options) {
    socket_options(options, "qmp", &plan->control.qmp);
    socket_options(options, "qmp-unit", &plan->control.stop);
    descriptor_options(plan, options);
    agent_options(plan, options);
}
