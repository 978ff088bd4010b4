/* SPDX-License-Identifier: MIT */
/* A VM -> the systemd units that run it. */
#include <volt-qemu/unit.h>

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "unit/companion.h"
#include "unit/service.h"
#include "util/export.h"
#include "util/strv.h"

struct vqemu_unit {
    vqemu_command *command;
    struct strv names, texts;
};

DEFINE_CLEANUP(vqemu_unit, unit, vqemu_unit_free);
#define _cleanup_unit_ _cleanup_(cleanup_unit)

/* ---- what cannot be had ---- */

static int check_plan(const struct unit_plan *plan, vqemu_error **error) {
    const char *runtime_dir = vqemu_command_runtime_dir(plan->command);
    if (plan->uses->fd_count > 0)
        return error_set(error, VQEMU_ERR_UNSUPPORTED, 0,
                         "a unit cannot pass on descriptor %d of its caller: name a file, socket "
                         "or interface instead",
                         plan->uses->fds[0].fd);
    if (plan->for_user && vqemu_command_user(plan->command))
        return error_set(error, VQEMU_ERR_INVALID, 0,
                         "user: the manager of a user runs everything as that user");
    if (plan->for_user && unit_is_below(runtime_dir, "/run/volt"))
        return error_set(error, VQEMU_ERR_INVALID, 0,
                         "runtime_dir: a user cannot write to %s; set it to a directory such as "
                         "/run/user/1000/volt/%s",
                         runtime_dir, vqemu_command_vm_id(plan->command));
    for (size_t i = 0; i < plan->uses->companion_count; i++) {
        int r = unit_check_companion(plan, i, error);
        if (r < 0)
            return r;
    }
    return 0;
}

/* ---- the units ---- */

static int add_service(vqemu_unit *unit, const struct unit_plan *plan, vqemu_error **error) {
    _cleanup_strbuf_ struct strbuf text = {0};
    int r = unit_add_service(plan, &text, error);
    if (r < 0)
        return r;
    strv_addf(&unit->names, "volt-%s.service", vqemu_command_vm_id(plan->command));
    strv_take_in(&unit->texts, strbuf_take(&text));
    return 0;
}

static void add_companion(vqemu_unit *unit, const struct unit_plan *plan, size_t index) {
    struct strbuf socket = {0}, service = {0}, name = {0};
    unit_add_companion_name(plan, index, &name);
    strbuf_add(&name, ".socket");
    strv_take_in(&unit->names, strbuf_take(&name));
    unit_add_companion_socket(plan, index, &socket);
    strv_take_in(&unit->texts, strbuf_take(&socket));

    unit_add_companion_name(plan, index, &name);
    strbuf_add(&name, ".service");
    strv_take_in(&unit->names, strbuf_take(&name));
    unit_add_companion_service(plan, index, &service);
    strv_take_in(&unit->texts, strbuf_take(&service));
}

static int write_units(vqemu_unit *unit, struct unit_plan *plan, vqemu_error **error) {
    plan->command = unit->command;
    plan->uses = command_resources(unit->command);
    unit_plan_directories(plan);
    int r = check_plan(plan, error);
    if (r == 0)
        r = add_service(unit, plan, error);
    for (size_t i = 0; r == 0 && i < plan->uses->companion_count; i++)
        add_companion(unit, plan, i);
    if (r == 0 && (unit->names.failed || unit->texts.failed))
        return error_no_memory(error);
    return r;
}

VQEMU_EXPORT int vqemu_unit_build(vqemu_runtime *runtime, const vqemu_vm *vm, const char *helper,
                                  uint32_t flags, vqemu_unit **unit, vqemu_error **error) {
    *unit = NULL;
    if (flags & ~(uint32_t)VQEMU_UNIT_USER)
        return error_set(error, VQEMU_ERR_INVALID, 0, "unknown flags 0x%x for a unit",
                         (unsigned)flags);
    if (helper && helper[0] != '/')
        return error_set(error, VQEMU_ERR_INVALID, 0,
                         "the program that stops the VM is no absolute path: %s", helper);
    _cleanup_unit_ vqemu_unit *new = calloc(1, sizeof *new);
    if (!new)
        return error_no_memory(error);
    struct unit_plan plan = {.vm = vm, .helper = helper, .for_user = flags & VQEMU_UNIT_USER};
    int r = vqemu_command_build(runtime, vm, VQEMU_COMMAND_FOR_UNIT, &new->command, error);
    if (r == 0)
        r = write_units(new, &plan, error);
    if (r < 0)
        return r;
    *unit = TAKE_POINTER(new);
    return 0;
}

VQEMU_EXPORT void vqemu_unit_free(vqemu_unit *unit) {
    if (!unit)
        return;
    vqemu_command_unref(unit->command);
    strv_release(&unit->names);
    strv_release(&unit->texts);
    free(unit);
}

VQEMU_EXPORT const vqemu_command *vqemu_unit_command(const vqemu_unit *unit) {
    return unit->command;
}

VQEMU_EXPORT size_t vqemu_unit_count(const vqemu_unit *unit) {
    return unit->names.count;
}

VQEMU_EXPORT const char *vqemu_unit_name(const vqemu_unit *unit, size_t index) {
    return index < unit->names.count ? unit->names.items[index] : NULL;
}

VQEMU_EXPORT const char *vqemu_unit_text(const vqemu_unit *unit, size_t index) {
    return index < unit->texts.count ? unit->texts.items[index] : NULL;
}
