/* SPDX-License-Identifier: MIT */
/* The guest's screen. */
#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "command/plan-claim.h"
#include "command/plan-nouns.h"
#include "command/plan-place.h"
#include "command/refusal.h"

static bool is_shown(const vqemu_vm *vm) {
    return is_chosen(vm->display, "vnc");
}

/* ---- checks ---- */

static int check_without_display(const vqemu_vm *vm, vqemu_error **error) {
    const char *key = vm->video                    ? "video"
                      : vm->vnc_socket             ? "vnc_socket"
                      : vm->vnc_port               ? "vnc_port"
                      : vm->vnc_password_file      ? "vnc_password_file"
                      : is_on(vm->vnc_no_password) ? "vnc_no_password"
                                                   : NULL;
    if (!key)
        return 0;
    return refuse(error, VQEMU_ERR_INVALID, "%s: it needs \"display\": \"vnc\"", key);
}

/* A socket lies in a directory; a port is open to all users of the host, and by QEMU's own NAT to
 * the guests of all other VMs. */
static int check_password(const vqemu_vm *vm, vqemu_error **error) {
    bool no_password = is_on(vm->vnc_no_password);
    if (no_password && vm->vnc_password_file)
        return refuse(error, VQEMU_ERR_INVALID,
                      "vnc_no_password: there is a vnc_password_file as well");
    if (no_password && !vm->vnc_port)
        return refuse(error, VQEMU_ERR_INVALID,
                      "vnc_no_password: only a vnc_port must have a password");
    if (!vm->vnc_port || vm->vnc_password_file || no_password)
        return 0;
    int r = refuse(error, VQEMU_ERR_INVALID,
                   "vnc_port: it needs a vnc_password_file, for every user of the host "
                   "reaches it, and so do other guests; or \"vnc_no_password\": true");
    return error_because(r, error, "no-password", NULL);
}

static int check_display(const struct plan *plan, vqemu_error **error) {
    const vqemu_vm *vm = plan->vm;
    if (!is_shown(vm))
        return check_without_display(vm, error);
    if (vm->vnc_socket && vm->vnc_port)
        return refuse(error, VQEMU_ERR_INVALID,
                      "vnc_port: there is a vnc_socket as well; VNC listens on one of them");
    int r = check_password(vm, error);
    if (r < 0)
        return r;
    if (vm->video && strcmp(vm->video, "std") == 0 && !plan_has_pci(plan))
        return refuse_for_machine(plan, "video", "VGA; it has virtio", error);
    if (vm->video && strcmp(vm->video, "ramfb") == 0 && !plan->arch->ramfb)
        return refuse_for_machine(plan, "video", "ramfb", error);
    return refuse_without(plan, VQEMU_ABILITY_DISPLAY, "display", error);
}

/* ---- the screen ---- */

static struct choice choose_video(const struct plan *plan) {
    const char *video = plan->vm->video;
    bool is_plain = !plan_has_virtio_drivers(plan) && plan->arch->plain_video;
    if (!video && is_plain)
        return (struct choice){
            plan->arch->plain_video,
            origin_key("video", "default: systems without virtio drivers know it")};
    if (!video)
        return (struct choice){plan->arch->video,
                               origin_key("video", "default: the fastest of this machine")};
    const char *model = strcmp(video, "std") == 0      ? "VGA"
                        : strcmp(video, "virtio") == 0 ? plan->arch->video
                                                       : "ramfb";
    return (struct choice){model, origin_key("video", NULL)};
}

static void plan_video(struct plan *plan) {
    struct display_plan *display = &plan->display;
    display->video = choose_video(plan);
    const char *model = display->video.value;
    bool has_rom = strcmp(model, "VGA") == 0 || strcmp(model, "virtio-vga") == 0;
    /* The ROM has code for x86, so that the profiles of others need not have it. */
    display->drops_rom = has_rom && !plan->arch->x86;
    plan_device(plan, &display->device, "video", -1);
    if (strcmp(model, "ramfb") != 0) /* which is no PCI device */
        plan_attach(plan, &display->device);
}

/* ---- VNC ---- */

static void plan_port(struct plan *plan) {
    plan->display.vnc = VNC_PORT;
    strv_add(&plan->claims, "vnc_port");
    strv_addf(&plan->claims, "tcp:127.0.0.1:%" PRIu64, plan->vm->vnc_port);
    plan->resources.internet = true;
}

static void plan_socket(struct plan *plan) {
    const char *path = plan->vm->vnc_socket;
    struct choice *socket = &plan->display.socket;
    plan->display.vnc = VNC_SOCKET;
    *socket = (struct choice){
        plan_path_or(plan, path, plan->identity.runtime_dir, "vnc.sock"),
        origin_key("vnc_socket", path ? NULL : "default: in the VM's runtime directory")};
    plan_listen(plan, "vnc_socket", socket->value);
    resources_name_socket(&plan->resources, VQEMU_SOCKET_VNC, socket->value);
}

/* s390x has neither PCI nor USB worth having. */
static void plan_input(struct plan *plan) {
    struct display_plan *display = &plan->display;
    display->virtio_input = !plan_has_pci(plan);
    if (!display->virtio_input)
        return;
    plan_device(plan, &display->tablet, "tablet", -1);
    plan_attach(plan, &display->tablet);
    plan_device(plan, &display->keyboard, "keyboard", -1);
    plan_attach(plan, &display->keyboard);
}

int plan_display(struct plan *plan, vqemu_error **error) {
    const vqemu_vm *vm = plan->vm;
    int r = check_display(plan, error);
    if (r < 0 || !is_shown(vm))
        return r;
    if (vm->vnc_password_file)
        resources_add_read(&plan->resources, vm->vnc_password_file);
    if (vm->vnc_port)
        plan_port(plan);
    else
        plan_socket(plan);
    plan_video(plan);
    plan_input(plan);
    return 0;
}
