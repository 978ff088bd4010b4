/* SPDX-License-Identifier: MIT */
/* A VM -> the systemd units that run it. */
#include <volt-qemu/unit.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "unit/companion.h"
#include "unit/service.h"
#include "util/export.h"
#include "util/strv.h"
#include "vm/nic.h"
#include "vm/vm-defaults.h"

struct vqemu_units {
    vqemu_command *command;
    struct strv names, texts;
};

DEFINE_CLEANUP(vqemu_units, units, vqemu_units_free);
#define _cleanup_units_ _cleanup_(cleanup_units)

/* ---- what cannot be had ---- */

static int refuse(int code, const char *reason, const char *key, vqemu_error **error) {
    return error_because(code, error, reason, VQEMU_DETAIL_KEY, key, NULL);
}

static int check_for_user(const struct unit_plan *plan, vqemu_error **error) {
    const char *runtime_dir = vqemu_command_runtime_dir(plan->command);
    if (vqemu_command_user(plan->command))
        return refuse(error_set(error, VQEMU_ERR_INVALID, 0,
                                "user: the manager of a user runs everything as that user"),
                      NULL, "user", error);
    if (unit_is_below(runtime_dir, COMMAND_RUNTIME_BASE))
        return refuse(error_set(error, VQEMU_ERR_INVALID, 0,
                                "runtime_dir: a user cannot write to %s; set it to a directory "
                                "such as /run/user/1000/volt/%s",
                                runtime_dir, vqemu_command_vm_id(plan->command)),
                      NULL, "runtime_dir", error);
    return 0;
}

static int refuse_descriptor(const struct descriptor_use *use, vqemu_error **error) {
    char number[16];
    snprintf(number, sizeof number, "%d", use->fd);
    int r = error_set(error, VQEMU_ERR_UNSUPPORTED, 0,
                      "%s: a unit cannot pass on descriptor %s of its caller: name a file, socket "
                      "or interface instead",
                      use->key, use->name ? use->name : number);
    return refuse(r, "descriptor-in-unit", use->key, error);
}

/* To make a socket is to write to its directory, in which others may have something; and who may
 * connect to one of a companion is decided by who reaches it. */
static int check_sockets(const struct unit_plan *plan, const struct strv *sockets,
                         vqemu_error **error) {
    for (size_t i = 0; i < sockets->count; i++) {
        if (unit_is_own(plan, sockets->items[i]))
            continue;
        const char *key = resources_key_of_socket(plan->uses, sockets->items[i]);
        int r = refuse(error_set(error, VQEMU_ERR_UNSUPPORTED, 0,
                                 "%s: a service makes sockets only in the directories of its VM, "
                                 "and %s is in neither of %s and %s",
                                 key, sockets->items[i], vqemu_command_runtime_dir(plan->command),
                                 vqemu_command_state_dir(plan->command)),
                       "socket-outside", key, error);
        return error_because(r, error, NULL, VQEMU_DETAIL_PATH, sockets->items[i], NULL);
    }
    return 0;
}

/* QEMU's seccomp filter, as any of a process that is not root, keeps programs from being setuid
 * (prctl(2), PR_SET_NO_NEW_PRIVS). */
static int check_bridges(const struct unit_plan *plan, vqemu_error **error) {
    if (unit_is_root(plan) || !vm_is_sandboxed(plan->vm))
        return 0;
    for (size_t i = 0; i < plan->vm->nics.count; i++) {
        const vqemu_nic *nic = plan->vm->nics.items[i];
        char key[48];
        snprintf(key, sizeof key, "nics[%zu].backend", i);
        if (strcmp(vm_nic_backend(nic), "bridge") == 0)
            return refuse(error_set(error, VQEMU_ERR_UNSUPPORTED, 0,
                                    "%s: QEMU's sandbox keeps the bridge helper from becoming root "
                                    "for an ordinary user: make a TAP device for that user, and "
                                    "name it (backend tap, ifname); or set sandbox to false",
                                    key),
                          NULL, key, error);
    }
    return 0;
}

/* Whoever takes over a QEMU that is root has the host. */
static int check_for_system(const struct unit_plan *plan, vqemu_error **error) {
    if (!vqemu_command_user(plan->command))
        return refuse(error_set(error, VQEMU_ERR_INVALID, 0,
                                "user: missing: a service of the system would run QEMU as root; "
                                "name a user, if possible one for each VM, who may open its files, "
                                "or \"root\""),
                      "no-user", "user", error);
    int r = check_bridges(plan, error);
    if (r == 0)
        r = check_sockets(plan, &plan->uses->connects, error);
    if (r == 0 && plan->vm->extra_args.count == 0)
        r = check_sockets(plan, &plan->uses->sockets, error);
    return r;
}

static int check_plan(const struct unit_plan *plan, vqemu_error **error) {
    int r = plan->uses->fd_count > 0 ? refuse_descriptor(&plan->uses->fds[0], error) : 0;
    if (r == 0)
        r = plan->for_user ? check_for_user(plan, error) : check_for_system(plan, error);
    for (size_t i = 0; r == 0 && i < plan->uses->companion_count; i++)
        r = unit_check_companion(plan, i, error);
    return r;
}

/* ---- the units ---- */

static int add_service(vqemu_units *units, const struct unit_plan *plan, vqemu_error **error) {
    _cleanup_strbuf_ struct strbuf text = {0};
    int r = unit_add_service(plan, &text, error);
    if (r < 0)
        return r;
    strv_addf(&units->names, "%s%s.service", plan->settings.name_prefix,
              vqemu_command_vm_id(plan->command));
    strv_take_in(&units->texts, strbuf_take(&text));
    return 0;
}

static int add_companion(vqemu_units *units, const struct unit_plan *plan, size_t index,
                         vqemu_error **error) {
    struct strbuf socket = {0}, name = {0};
    _cleanup_strbuf_ struct strbuf service = {0};
    unit_add_companion_name(plan, index, &name);
    strbuf_add(&name, ".socket");
    strv_take_in(&units->names, strbuf_take(&name));
    unit_add_companion_socket(plan, index, &socket);
    strv_take_in(&units->texts, strbuf_take(&socket));

    unit_add_companion_name(plan, index, &name);
    strbuf_add(&name, ".service");
    strv_take_in(&units->names, strbuf_take(&name));
    int r = unit_add_companion_service(plan, index, &service, error);
    if (r == 0)
        strv_take_in(&units->texts, strbuf_take(&service));
    return r;
}

static int write_units(vqemu_units *units, struct unit_plan *plan, vqemu_error **error) {
    plan->command = units->command;
    plan->uses = command_resources(units->command);
    unit_plan_directories(plan);
    int r = check_plan(plan, error);
    if (r == 0)
        r = add_service(units, plan, error);
    for (size_t i = 0; r == 0 && i < plan->uses->companion_count; i++)
        r = add_companion(units, plan, i, error);
    if (r == 0 && (units->names.failed || units->texts.failed))
        return error_no_memory(error);
    return r;
}

/* Nobody would keep to the time that was set. */
static int check_stop_timeout(const vqemu_unit_options *options, vqemu_error **error) {
    if (!options || options->stop_seconds == 0 || options->stop.count > 0)
        return 0;
    return error_flags_at_odds(error, "vqemu_units_build",
                               "stop_seconds is for the guest that a stop command shuts down, and "
                               "no stop command is set");
}

VQEMU_EXPORT int vqemu_units_build(vqemu_runtime *runtime, const vqemu_vm *vm,
                                   const vqemu_command_options *command_options,
                                   const vqemu_unit_options *options, uint32_t flags,
                                   vqemu_call *call, vqemu_units **units, vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(units, error);
    *units = NULL;
    REQUIRE_ARGUMENT(runtime, error);
    REQUIRE_ARGUMENT(vm, error);
    REQUIRE_FLAGS(flags, VQEMU_UNIT_USER_MANAGER, error);
    struct unit_plan plan = {.vm = vm, .for_user = flags & VQEMU_UNIT_USER_MANAGER};
    int r = check_stop_timeout(options, error);
    if (r < 0)
        return r;
    unit_settle(command_options, options, call, &plan.settings);
    _cleanup_units_ vqemu_units *new = calloc(1, sizeof *new);
    if (!new)
        return error_no_memory(error);
    r = command_build(runtime, vm, &plan.settings.command, VQEMU_COMMAND_FOR_UNIT, &new->command,
                      error);
    if (r == 0)
        r = write_units(new, &plan, error);
    if (r < 0)
        return r;
    *units = TAKE_POINTER(new);
    return 0;
}

VQEMU_EXPORT void vqemu_units_free(vqemu_units *units) {
    if (!units)
        return;
    vqemu_command_unref(units->command);
    strv_release(&units->names);
    strv_release(&units->texts);
    free(units);
}

VQEMU_EXPORT vqemu_command *vqemu_units_command(const vqemu_units *units) {
    return units ? units->command : NULL;
}

VQEMU_EXPORT size_t vqemu_units_count(const vqemu_units *units) {
    return units ? units->names.count : 0;
}

VQEMU_EXPORT const char *vqemu_units_name(const vqemu_units *units, size_t index) {
    return index < vqemu_units_count(units) ? units->names.items[index] : NULL;
}

VQEMU_EXPORT const char *vqemu_units_text(const vqemu_units *units, size_t index) {
    return index < vqemu_units_count(units) ? units->texts.items[index] : NULL;
}
