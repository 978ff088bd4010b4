/* SPDX-License-Identifier: MIT */
#include "command/option-nouns.h"
#include "command/plan-nouns.h"

static void input_options(struct options *options, const char *model, const struct device *device,
                          struct origin origin) {
    device_begin(options, model, device, origin);
    option_text(options, "bus", "usb.0");
    option_number(options, "port", device->place.unit);
    option_from(options, place_origin(options, &device->place));
}

void usb_options(const struct plan *plan, struct options *options) {
    const struct usb_plan *usb = &plan->usb;
    if (!usb->controller)
        return;
    device_begin(options, "qemu-xhci", &usb->device, usb->controller_origin);
    option_number(options, "p2", USB_PORTS);
    option_number(options, "p3", USB_PORTS);
    device_place(options, &usb->device);
    if (usb->tablet)
        input_options(options, "usb-tablet", &usb->tablet_device, usb->tablet_origin);
    if (usb->keyboard)
        input_options(options, "usb-kbd", &usb->keyboard_device,
                      origin_key("display", "the machine has no other keyboard"));
}
