/* SPDX-License-Identifier: MIT */
/* A runtime and a VM -> argv, environment and working directory. */
#include "command/command.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/call.h"
#include "base/digest.h"
#include "base/error.h"
#include "command/capability-check.h"
#include "command/file-keys.h"
#include "command/hardware.h"
#include "command/option-nouns.h"
#include "command/option-text.h"
#include "command/plan-make.h"
#include "command/policy-check.h"
#include "qemu/program.h"
#include "tree/runtime.h"
#include "util/export.h"

/* ---- the command ---- */

static void hash_vector(struct digest_state *state, const struct strv *vector) {
    char count[24];
    snprintf(count, sizeof count, "%zu", vector->count);
    digest_add_text(state, count);
    for (size_t i = 0; i < vector->count;) { /* words that lie in a row as one */
        const char *first = vector->items[i], *end = first;
        while (i < vector->count && vector->items[i] == end)
            end += strlen(vector->items[i++]) + 1;
        digest_add(state, first, (size_t)(end - first));
    }
}

struct digest command_digest(const vqemu_command *command) {
    struct digest_state state;
    digest_start(&state);
    hash_vector(&state, &command->argv);
    hash_vector(&state, &command->envp);
    digest_add_text(&state, command->runtime->digest.hex);
    return digest_finish(&state);
}

/* Move what a unit or a preparation needs from the plan to the command. */
static int keep(vqemu_command *command, struct plan *plan, vqemu_error **error) {
    const char *user = plan->vm->user, *password = plan->vm->vnc_password_file;
    const char *nvram = plan->firmware.nvram;
    struct firmware *firmware = &plan->firmware.files;
    command->vm_name = strdup(plan->vm->name);
    command->user = user ? strdup(user) : NULL;
    command->vnc_password_file = password ? strdup(password) : NULL;
    memcpy(command->id, plan->identity.id, sizeof command->id);
    command->state_dir = strdup(plan->identity.state_dir);
    command->runtime_dir = strdup(plan->identity.runtime_dir);
    command->nvram = (struct nvram){nvram ? strdup(nvram) : NULL, TAKE_POINTER(firmware->code),
                                    TAKE_POINTER(firmware->vars_template)};
    command->resources = plan->resources;
    plan->resources = (struct resources){0};
    bool is_complete = command->vm_name && command->state_dir && command->runtime_dir &&
                       (!user || command->user) && (!password || command->vnc_password_file) &&
                       (!nvram || command->nvram.path);
    return is_complete ? 0 : error_no_memory(error);
}

vqemu_command *command_new(vqemu_runtime *runtime) {
    vqemu_command *new = calloc(1, sizeof *new);
    if (!new)
        return NULL;
    atomic_init(&new->references, 1);
    new->runtime = vqemu_runtime_ref(runtime);
    new->argv.arena = new->envp.arena = &new->options.texts;
    return new;
}

/* The plan as words, and what is made of them. */
static int say(vqemu_command *command, const struct plan *plan,
               const struct command_settings *settings, vqemu_error **error) {
    program_add_arguments(&command->argv, plan->runtime, command->cwd);
    program_add_environment(&command->envp, plan->runtime, command->cwd);
    plan_add_options(plan, &command->options);
    options_add_text(&command->options, &command->argv);
    if (settings->capabilities && !command->argv.failed) {
        int r = capability_check(plan, &command->options, settings->capabilities, settings->others,
                                 error);
        if (r < 0)
            return r;
    }
    if (command->argv.failed || command->envp.failed ||
        !hardware_digest(plan->arch->name, &command->options, &command->hardware))
        return error_no_memory(error);
    command->digest = command_digest(command);
    return 0;
}

int command_require_origins(const vqemu_command *command, vqemu_error **error) {
    if (command->options.count > 0)
        return 0;
    int r = error_set(error, VQEMU_ERR_UNSUPPORTED, 0,
                      "a command that was loaded does not tell where its arguments come from: "
                      "build it of its VM");
    return error_because(r, error, "loaded-command", NULL);
}

size_t command_program_word_count(const vqemu_command *command) {
    size_t count = command->argv.count;
    for (size_t i = 0; i < command->options.count; i++)
        count -= option_argument_count(&command->options.items[i]);
    return count;
}

static int new_command(vqemu_runtime *runtime, struct plan *plan,
                       const struct command_settings *settings, vqemu_command **command,
                       vqemu_error **error) {
    _cleanup_command_ vqemu_command *new = command_new(runtime);
    if (!new)
        return error_no_memory(error);
    new->cwd = program_cwd(runtime);
    int r = new->cwd ? say(new, plan, settings, error) : error_no_memory(error);
    if (r == 0)
        r = keep(new, plan, error);
    if (r < 0)
        return r;
    *command = TAKE_POINTER(new);
    return 0;
}

int command_build(vqemu_runtime *runtime, const vqemu_vm *vm,
                  const struct command_settings *settings, uint32_t flags, vqemu_command **command,
                  vqemu_error **error) {
    struct plan plan = {.runtime = runtime,
                        .vm = vm,
                        .flags = flags,
                        .state_base = settings->state_base,
                        .runtime_base = settings->runtime_base};
    int r = call_check(settings->call, "building a command", error);
    if (r == 0)
        r = plan_make(&plan, error);
    if (r == 0 && settings->policy)
        r = policy_check(settings->policy, &plan, error);
    if (r == 0)
        file_keys_note(&plan);
    if (r == 0 && plan.resources.failed)
        r = error_no_memory(error);
    if (r == 0)
        r = new_command(runtime, &plan, settings, command, error);
    plan_release(&plan);
    return r;
}

VQEMU_EXPORT int vqemu_command_build(vqemu_runtime *runtime, const vqemu_vm *vm,
                                     const vqemu_command_options *options, uint32_t flags,
                                     vqemu_call *call, vqemu_command **command,
                                     vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(command, error);
    *command = NULL;
    REQUIRE_ARGUMENT(runtime, error);
    REQUIRE_ARGUMENT(vm, error);
    REQUIRE_FLAGS(flags, VQEMU_COMMAND_FOR_UNIT | VQEMU_COMMAND_PAUSED | VQEMU_COMMAND_INCOMING,
                  error);
    const struct command_settings settings = command_settle(options, call);
    return command_build(runtime, vm, &settings, flags, command, error);
}

VQEMU_EXPORT vqemu_command *vqemu_command_ref(vqemu_command *command) {
    if (command)
        atomic_fetch_add_explicit(&command->references, 1, memory_order_relaxed);
    return command;
}

VQEMU_EXPORT void vqemu_command_unref(vqemu_command *command) {
    if (!command || atomic_fetch_sub_explicit(&command->references, 1, memory_order_acq_rel) != 1)
        return;
    strv_release(&command->argv);
    strv_release(&command->envp);
    options_release(&command->options);
    free(command->cwd);
    free(command->vm_name);
    free(command->user);
    free(command->vnc_password_file);
    free(command->state_dir);
    free(command->runtime_dir);
    free(command->nvram.path);
    free(command->nvram.code);
    free(command->nvram.template_path);
    resources_release(&command->resources);
    vqemu_runtime_unref(command->runtime);
    free(command);
}
