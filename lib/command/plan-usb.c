/* SPDX-License-Identifier: MIT */
/* The USB controller, and what the guest's user points and types with. */
#include <stdio.h>

#include "base/error.h"
#include "command/plan-nouns.h"
#include "command/plan-place.h"
#include "command/plan-bus.h"
#include "command/refusal.h"

/* What it is wanted for, if nobody asks for it by its own key. */
struct wants {
    bool shown, tablet;
    size_t disk; /* the first on USB; the number of disks if there is none */
};

static struct wants find_wants(const struct plan *plan) {
    const vqemu_vm *vm = plan->vm;
    bool shown = plan->display.vnc != VNC_NONE;
    bool by_default = shown && vm->usb != TOGGLE_OFF && plan_has_pci(plan);
    return (struct wants){shown, is_on_by_default(vm->usb_tablet, by_default),
                          plan_first_usb_disk(plan)};
}

static bool wants_controller(const struct plan *plan, const struct wants *wants) {
    bool has_pci = plan_has_pci(plan), has_disk = wants->disk < plan->vm->disks.count;
    return is_on_by_default(plan->vm->usb,
                            wants->tablet || ((wants->shown || has_disk) && has_pci));
}

static int check_usb(const struct plan *plan, const struct wants *wants, vqemu_error **error) {
    const vqemu_vm *vm = plan->vm;
    char key[48] = "usb";
    if (wants->tablet)
        snprintf(key, sizeof key, "usb_tablet");
    else if (vm->usb != TOGGLE_ON && !wants->shown)
        snprintf(key, sizeof key, "disks[%zu].bus", wants->disk);
    if (wants->tablet && !plan->usb.controller)
        return refuse(error, VQEMU_ERR_INVALID, "usb_tablet: it needs \"usb\": true");
    if (plan->usb.controller && !plan_has_pci(plan))
        return refuse_for_machine(plan, key, "USB", error);
    return plan->usb.controller ? refuse_without(plan, VQEMU_ABILITY_USB, key, error) : 0;
}

static struct origin origin_of_controller(const vqemu_vm *vm, const struct wants *wants) {
    if (is_on(vm->usb))
        return origin_key("usb", NULL);
    return origin_key("usb", wants->tablet  ? "default: the tablet is attached to it"
                             : wants->shown ? "default: a guest with a display has one"
                                            : "default: a disk is attached to it");
}

static int take_given_ports(struct plan *plan, vqemu_error **error) {
    struct usb_plan *usb = &plan->usb;
    int r = 0;
    numbered_bus_begin(plan, &usb->ports, "usb", 1, USB_PORTS + 1);
    plan_device(plan, &usb->tablet_device, "tablet", -1);
    plan_device(plan, &usb->keyboard_device, "keyboard", -1);
    if (plan->texts.failed)
        return error_no_memory(error);
    if (usb->tablet)
        r = numbered_bus_take_given(plan, &usb->ports, &usb->tablet_device, error);
    if (r == 0 && usb->keyboard)
        r = numbered_bus_take_given(plan, &usb->ports, &usb->keyboard_device, error);
    return r;
}

int plan_usb(struct plan *plan, vqemu_error **error) {
    const vqemu_vm *vm = plan->vm;
    const struct wants wants = find_wants(plan);
    bool has_tablet_key = is_on(vm->usb_tablet);
    plan->usb = (struct usb_plan){
        .controller = wants_controller(plan, &wants),
        .tablet = wants.tablet,
        .keyboard = wants.shown && !plan->arch->x86, /* where there is no PS/2 keyboard */
        .controller_origin = origin_of_controller(vm, &wants),
        .tablet_origin = origin_key(
            "usb_tablet", has_tablet_key ? NULL : "default: a display is pointed at by a tablet"),
    };
    int r = check_usb(plan, &wants, error);
    if (r < 0 || !plan->usb.controller)
        return r;
    plan_device(plan, &plan->usb.device, "usb", -1);
    plan_attach(plan, &plan->usb.device);
    return take_given_ports(plan, error);
}

static int take_free_port(struct plan *plan, struct device *device, unsigned from, const char *key,
                          vqemu_error **error) {
    if (numbered_bus_take_free(&plan->usb.ports, device, from))
        return 0;
    return refuse(error, VQEMU_ERR_UNSUPPORTED,
                  "%s: the slots of disks leave no USB port for the %s", key, device->id.value);
}

int plan_inputs(struct plan *plan, vqemu_error **error) {
    struct usb_plan *usb = &plan->usb;
    int r = 0;
    if (usb->controller && usb->tablet)
        r = take_free_port(plan, &usb->tablet_device, USB_TABLET_PORT, "usb_tablet", error);
    if (r == 0 && usb->controller && usb->keyboard)
        r = take_free_port(plan, &usb->keyboard_device, USB_KEYBOARD_PORT, "display", error);
    return r;
}
