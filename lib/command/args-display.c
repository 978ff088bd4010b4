/* SPDX-License-Identifier: MIT */
/* The guest's screen, and what its user points and types with. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "command/args-claim.h"
#include "command/args-nouns.h"
#include "command/qemu-opt.h"

#define VNC_FIRST_PORT 5900

static bool is_shown(const vqemu_vm *vm) {
    return vm->display && strcmp(vm->display, "vnc") == 0;
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
    return args_refuse(error, VQEMU_ERR_INVALID, "%s: it needs \"display\": \"vnc\"", key);
}

/* A socket lies in a directory; a port is open to all users of the host, and by QEMU's own NAT to
 * the guests of all other VMs. */
static int check_password(const vqemu_vm *vm, vqemu_error **error) {
    bool no_password = is_on(vm->vnc_no_password);
    if (no_password && vm->vnc_password_file)
        return args_refuse(error, VQEMU_ERR_INVALID,
                           "vnc_no_password: there is a vnc_password_file as well");
    if (no_password && !vm->vnc_port)
        return args_refuse(error, VQEMU_ERR_INVALID,
                           "vnc_no_password: only a vnc_port must have a password");
    if (!vm->vnc_port || vm->vnc_password_file || no_password)
        return 0;
    int r = args_refuse(error, VQEMU_ERR_INVALID,
                        "vnc_port: it needs a vnc_password_file, for every user of the host "
                        "reaches it, and so do other guests; or \"vnc_no_password\": true");
    return error_because(r, error, "no-password", NULL);
}

static int check_display(const struct args *args, vqemu_error **error) {
    const vqemu_vm *vm = args->vm;
    if (!is_shown(vm))
        return check_without_display(vm, error);
    if (vm->vnc_socket && vm->vnc_port)
        return args_refuse(error, VQEMU_ERR_INVALID,
                           "vnc_port: there is a vnc_socket as well; VNC listens on one of them");
    int r = check_password(vm, error);
    if (r < 0)
        return r;
    if (vm->video && strcmp(vm->video, "std") == 0 && strcmp(args->arch->bus, "pci") != 0)
        return args_unsupported(args, "video", "VGA; it has virtio", error);
    if (vm->video && strcmp(vm->video, "ramfb") == 0 && !args->arch->ramfb)
        return args_unsupported(args, "video", "ramfb", error);
    return args_require(args, VQEMU_ABILITY_DISPLAY, "display", error);
}

/* ---- the screen ---- */

static const char *video_of(const struct args *args) {
    const char *video = args->vm->video;
    bool has_drivers = args_has_virtio_drivers(args);
    if (!video)
        return has_drivers || !args->arch->plain_video ? args->arch->video
                                                       : args->arch->plain_video;
    if (strcmp(video, "std") == 0)
        return "VGA";
    return strcmp(video, "virtio") == 0 ? args->arch->video : "ramfb";
}

static void add_video(struct args *args) {
    const char *video = video_of(args);
    bool has_rom = strcmp(video, "VGA") == 0 || strcmp(video, "virtio-vga") == 0;
    strv_add(&args->argv, "-device");
    /* The ROM has code for x86, so that the profiles of others need not have it. */
    strv_addf(&args->argv, "%s,id=video%s", video, has_rom && !args->arch->x86 ? ",romfile=" : "");
}

/* Returns false without memory. */
static bool add_vnc(struct args *args) {
    const vqemu_vm *vm = args->vm;
    struct strbuf vnc = {0}, secret = {0};
    _cleanup_free_ char *socket = args_path_or(vm->vnc_socket, args->runtime_dir, "vnc.sock");
    if (!socket)
        return false;
    if (vm->vnc_password_file) {
        strbuf_add(&secret, "secret,id=vnc-password");
        qemu_opt_add(&secret, "file", vm->vnc_password_file);
        args_option_buffer(args, "-object", &secret);
        resources_add_read(&args->resources, vm->vnc_password_file);
    }
    if (vm->vnc_port) {
        strbuf_addf(&vnc, "127.0.0.1:%" PRIu64, vm->vnc_port - VNC_FIRST_PORT);
        strv_add(&args->claims, "vnc_port");
        strv_addf(&args->claims, "tcp:127.0.0.1:%" PRIu64, vm->vnc_port);
        args->resources.internet = true;
    } else {
        strbuf_add(&vnc, "vnc=unix:"); /* without the key, a "=" in the path would end one */
        qemu_opt_add_value(&vnc, socket);
        args_claim(args, "vnc_socket", socket);
        resources_add_socket(&args->resources, socket);
        resources_name_socket(&args->resources, VQEMU_SOCKET_VNC, socket);
    }
    if (vm->vnc_password_file)
        strbuf_add(&vnc, ",password-secret=vnc-password");
    args_option_buffer(args, "-vnc", &vnc);
    add_video(args);
    return true;
}

/* ---- input ---- */

/* s390x has neither PCI nor USB worth having. */
static void add_virtio_input(struct args *args) {
    static const char *const kinds[] = {"virtio-tablet", "virtio-keyboard"};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        struct strbuf device = {0};
        args_virtio(args, &device, kinds[i], i == 0 ? "tablet" : "keyboard", -1);
        args_option_buffer(args, "-device", &device);
    }
}

static void add_usb_input(struct args *args, const char *model, const char *id, int port) {
    strv_add(&args->argv, "-device");
    strv_addf(&args->argv, "%s,id=%s,bus=usb.0,port=%d", model, id, port);
}

static int add_usb(struct args *args, vqemu_error **error) {
    const vqemu_vm *vm = args->vm;
    bool shown = is_shown(vm), has_pci = strcmp(args->arch->bus, "pci") == 0;
    bool tablet = is_on_by_default(vm->usb_tablet, shown && vm->usb != TOGGLE_OFF && has_pci);
    size_t disk = args_first_usb_disk(args);
    bool has_disk = disk < vm->disks.count && has_pci;
    bool controller = is_on_by_default(vm->usb, tablet || (shown && has_pci) || has_disk);
    char key[48] = "usb";
    if (tablet)
        snprintf(key, sizeof key, "usb_tablet");
    else if (vm->usb != TOGGLE_ON && !shown)
        snprintf(key, sizeof key, "disks[%zu].bus", disk);
    if (tablet && !controller)
        return args_refuse(error, VQEMU_ERR_INVALID, "usb_tablet: it needs \"usb\": true");
    if (controller && !has_pci)
        return args_unsupported(args, key, "USB", error);
    if (shown && !has_pci)
        add_virtio_input(args);
    if (!controller)
        return 0;
    int r = args_require(args, VQEMU_ABILITY_USB, key, error);
    if (r < 0)
        return r;
    strv_add(&args->argv, "-device");
    strv_addf(&args->argv, "qemu-xhci,id=usb,p2=%d,p3=%d", USB_PORTS, USB_PORTS);
    if (tablet)
        add_usb_input(args, "usb-tablet", "tablet", USB_TABLET_PORT);
    if (shown && !args->arch->x86) /* where there is no PS/2 keyboard */
        add_usb_input(args, "usb-kbd", "keyboard", USB_KEYBOARD_PORT);
    return 0;
}

int args_add_display(struct args *args, vqemu_error **error) {
    int r = check_display(args, error);
    if (r < 0)
        return r;
    args_option(args, "-display", "none"); /* no window; VNC is a display of its own */
    if (is_shown(args->vm) && !add_vnc(args))
        return error_no_memory(error);
    return add_usb(args, error);
}
