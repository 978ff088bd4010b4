/* SPDX-License-Identifier: MIT */
#include "command/option-nouns.h"

#define VNC_FIRST_PORT 5900

static void password_options(const struct plan *plan, struct options *options) {
    if (!plan->vm->vnc_password_file)
        return;
    option_begin(options, OPTION_OBJECT, "secret", origin_key("vnc_password_file", NULL));
    option_text(options, "id", "vnc-password");
    option_text(options, "file", plan->vm->vnc_password_file);
}

static void vnc_options(const struct plan *plan, struct options *options) {
    const struct display_plan *display = &plan->display;
    if (display->vnc == VNC_PORT) {
        option_begin(options, OPTION_VNC,
                     arena_textf(&options->texts, "127.0.0.1:%llu",
                                 (unsigned long long)plan->vm->vnc_port - VNC_FIRST_PORT),
                     origin_key("vnc_port", NULL));
    } else { /* without the key, a "=" in the path would end one */
        option_begin(options, OPTION_VNC, NULL, display->socket.origin);
        option_textf(options, "vnc", "unix:%s", display->socket.value);
    }
    if (plan->vm->vnc_password_file) {
        option_text(options, "password-secret", "vnc-password");
        option_from(options, origin_key("vnc_password_file", NULL));
    }
}

static void video_options(const struct plan *plan, struct options *options) {
    const struct display_plan *display = &plan->display;
    device_begin(options, display->video.value, &display->device, display->video.origin);
    if (display->drops_rom) {
        option_text(options, "romfile", "");
        option_from(options, origin_none("the ROM has code for x86"));
    }
    device_place(options, &display->device);
}

static void input_options(const struct plan *plan, struct options *options, const char *kind,
                          const struct device *device) {
    virtio_begin(plan, options, kind, device,
                 origin_key("display", "who sees the guest points and types"));
    device_place(options, device);
}

void display_options(const struct plan *plan, struct options *options) {
    option_begin(options, OPTION_DISPLAY, "none",
                 origin_none("no window; VNC is a display of its own"));
    if (plan->display.vnc == VNC_NONE)
        return;
    password_options(plan, options);
    vnc_options(plan, options);
    video_options(plan, options);
    if (!plan->display.virtio_input)
        return;
    input_options(plan, options, "virtio-tablet", &plan->display.tablet);
    input_options(plan, options, "virtio-keyboard", &plan->display.keyboard);
}
