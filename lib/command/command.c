/* SPDX-License-Identifier: MIT */
/* A runtime and a VM -> argv, environment and working directory. */
#include "command/command.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "base/error.h"
#include "command/args-claim.h"
#include "command/args-nouns.h"
#include "command/args-plan.h"
#include "command/file-keys.h"
#include "command/hardware.h"
#include "command/policy-check.h"
#include "command/qemu-opt.h"
#include "qemu/pid-file.h"
#include "qemu/program.h"
#include "util/export.h"
#include "util/path.h"

/* ---- QEMU's arguments ---- */

/* The name of the VM, and of the process: through the loader it would be the loader's. Its threads
 * are told apart as well, in top(1) and by who pins them to CPUs. */
static void add_name(struct args *args) {
    struct strbuf option = {0};
    char *name = format_string("volt-%s", args->vm->name);
    char uuid[IDENTITY_UUID_LENGTH + 1];
    if (name) {
        qemu_opt_add(&option, "guest", name);
        qemu_opt_add(&option, "process", name);
        strbuf_add(&option, ",debug-threads=on");
    }
    strv_add(&args->argv, "-name");
    strv_take_in(&args->argv, name ? strbuf_take(&option) : NULL);
    free(name);
    args_option(args, "-msg", "timestamp=on,guest-name=on"); /* for who reads several in one log */
    identity_uuid(args->vm->name, uuid);
    args_option(args, "-uuid", args->vm->uuid ? args->vm->uuid : uuid);
}

static void add_clock(struct args *args) {
    bool is_windows = args_is_windows(args);
    const char *base = args->vm->rtc ? args->vm->rtc : is_windows ? "localtime" : "utc";
    strv_add(&args->argv, "-rtc");
    /* Windows counts ticks, and must get those that were late. */
    strv_addf(&args->argv, "base=%s%s", base,
              is_windows && args->arch->x86 ? ",driftfix=slew" : "");
}

static void add_default_append(struct strbuf *append, const struct args *args) {
    const vqemu_vm *vm = args->vm;
    bool is_virtiofs = args_is_virtiofs(vm->rootfs_driver);
    const char *writable = is_on(vm->rootfs_writable) ? " rw" : "";
    const char *p9_version = args->arch->p9_version;
    if (vm->rootfs && is_virtiofs)
        strbuf_addf(append, "root=rootfs rootfstype=virtiofs%s ", writable);
    else if (vm->rootfs)
        strbuf_addf(append, "root=rootfs rootfstype=9p rootflags=trans=virtio,version=%s%s ",
                    p9_version ? p9_version : "9p2000.L", writable);
    strbuf_addf(append, "console=%s panic=1", args->arch->console);
}

static void add_kernel(struct args *args) {
    const vqemu_vm *vm = args->vm;
    struct strbuf append = {0};
    if (!vm->kernel)
        return;
    args_option(args, "-kernel", vm->kernel);
    resources_add_read(&args->resources, vm->kernel);
    if (vm->initrd) {
        args_option(args, "-initrd", vm->initrd);
        resources_add_read(&args->resources, vm->initrd);
    }
    if (vm->append)
        strbuf_add(&append, vm->append);
    else
        add_default_append(&append, args);
    args_option_buffer(args, "-append", &append);
}

/*
 * QEMU locks this file before it makes any socket (qemu_write_pidfile()), and ends if another has
 * it: a VM that runs is not disturbed by a second start, whoever starts it.
 */
static int add_pid_file(struct args *args, vqemu_error **error) {
    _cleanup_free_ char *path = args_path_or(NULL, args->runtime_dir, PID_FILE_NAME);
    if (!path)
        return error_no_memory(error);
    args_option(args, "-pidfile", path);
    args_claim(args, "the PID file", path);
    resources_add_file(&args->resources, path, VQEMU_FILE_READ | VQEMU_FILE_WRITE);
    return 0;
}

/* The order is fixed: the same VM always gives the same command. */
static int add_arguments(struct args *args, vqemu_error **error) {
    const vqemu_vm *vm = args->vm;
    add_name(args);
    int r = add_pid_file(args, error);
    strv_add(&args->argv, "-nodefaults");
    strv_add(&args->argv, "-no-user-config"); /* the host's /etc/qemu */
    args_add_sandbox(args);
    args_option(args, "-L", vqemu_runtime_firmware_dir(args->runtime));
    args_add_machine(args);
    args_add_cpus(args);
    args_add_memory(args);
    add_clock(args);
    args_add_sleep(args);
    args_add_boot(args);
    bool boots_itself = !vm->kernel && (args->uefi || vm->disks.count > 0);
    if (!is_on_by_default(vm->reboot, boots_itself))
        strv_add(&args->argv, "-no-reboot");
    args_add_firmware(args);
    if (r == 0)
        r = args_add_display(args, error);
    if (r == 0)
        r = args_add_console(args, error);
    if (r == 0)
        r = args_add_control(args, error);
    if (r == 0)
        r = args_add_disks(args, error);
    if (r == 0)
        r = args_add_shares(args, error);
    if (r == 0)
        r = args_add_nics(args, error);
    if (r == 0)
        r = args_add_devices(args, error);
    if (r == 0)
        r = args_check_bootable(args, error);
    add_kernel(args);
    if (args->flags & VQEMU_COMMAND_PAUSED)
        strv_add(&args->argv, "-S");
    if (args->flags & VQEMU_COMMAND_INCOMING)
        args_option(args, "-incoming", "defer");
    return r;
}

/* ---- the command ---- */

static void hash_string(struct digest_state *state, const char *text) {
    digest_add(state, text, strlen(text) + 1);
}

static void hash_vector(struct digest_state *state, const struct strv *vector) {
    char count[24];
    snprintf(count, sizeof count, "%zu", vector->count);
    hash_string(state, count);
    for (size_t i = 0; i < vector->count; i++)
        hash_string(state, vector->items[i]);
}

struct digest command_digest(const vqemu_command *command) {
    struct digest_state state;
    digest_start(&state);
    hash_vector(&state, &command->argv);
    hash_vector(&state, &command->envp);
    hash_string(&state, vqemu_runtime_digest(command->runtime));
    return digest_finish(&state);
}

/* Move what a unit or a preparation needs from the arguments to the command. */
static int keep(vqemu_command *command, struct args *args, vqemu_error **error) {
    const char *user = args->vm->user, *password = args->vm->vnc_password_file;
    command->vm_name = strdup(args->vm->name);
    command->user = user ? strdup(user) : NULL;
    command->vnc_password_file = password ? strdup(password) : NULL;
    memcpy(command->id, args->id, sizeof command->id);
    command->state_dir = TAKE_POINTER(args->state_dir);
    command->runtime_dir = TAKE_POINTER(args->runtime_dir);
    command->nvram = (struct nvram){TAKE_POINTER(args->nvram), TAKE_POINTER(args->firmware.code),
                                    TAKE_POINTER(args->firmware.vars_template)};
    command->resources = args->resources;
    args->resources = (struct resources){0};
    bool is_complete =
        command->vm_name && (!user || command->user) && (!password || command->vnc_password_file);
    return is_complete ? 0 : error_no_memory(error);
}

vqemu_command *command_new(vqemu_runtime *runtime) {
    vqemu_command *new = calloc(1, sizeof *new);
    if (!new)
        return NULL;
    atomic_init(&new->references, 1);
    new->runtime = vqemu_runtime_ref(runtime);
    return new;
}

static int new_command(vqemu_runtime *runtime, struct args *args, vqemu_command **command,
                       vqemu_error **error) {
    const struct strv *extra = &args->vm->extra_args;
    _cleanup_command_ vqemu_command *new = command_new(runtime);
    if (!new)
        return error_no_memory(error);
    new->cwd = program_cwd(runtime);
    if (!new->cwd)
        return error_no_memory(error);
    program_add_arguments(&new->argv, runtime, new->cwd);
    for (size_t i = 0; i < args->argv.count; i++)
        strv_add(&new->argv, args->argv.items[i]);
    for (size_t i = 0; i < extra->count; i++)
        strv_add(&new->argv, extra->items[i]);
    program_add_environment(&new->envp, runtime, new->cwd);
    int r = keep(new, args, error);
    if (r < 0)
        return r;
    if (args->argv.failed || new->argv.failed || new->envp.failed || new->resources.failed ||
        !hardware_digest(args->arch->name, &args->argv, extra, &new->hardware))
        return error_no_memory(error);
    new->digest = command_digest(new);
    *command = TAKE_POINTER(new);
    return 0;
}

int command_build(vqemu_runtime *runtime, const vqemu_vm *vm,
                  const struct command_settings *settings, uint32_t flags, vqemu_command **command,
                  vqemu_error **error) {
    struct args args = {.runtime = runtime,
                        .vm = vm,
                        .flags = flags,
                        .state_base = settings->state_base,
                        .runtime_base = settings->runtime_base};
    int r = args_plan(&args, error);
    if (r == 0)
        r = add_arguments(&args, error);
    if (r == 0 && settings->policy)
        r = policy_check(settings->policy, &args, error);
    if (r == 0)
        file_keys_note(&args);
    if (r == 0)
        r = new_command(runtime, &args, command, error);
    args_release(&args);
    return r;
}

VQEMU_EXPORT int vqemu_command_build(vqemu_runtime *runtime, const vqemu_vm *vm,
                                     const vqemu_command_options *options, uint32_t flags,
                                     vqemu_command **command, vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(command, error);
    *command = NULL;
    REQUIRE_ARGUMENT(runtime, error);
    REQUIRE_ARGUMENT(vm, error);
    REQUIRE_FLAGS(flags, VQEMU_COMMAND_FOR_UNIT | VQEMU_COMMAND_PAUSED | VQEMU_COMMAND_INCOMING,
                  error);
    const struct command_settings settings = command_settle(options);
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
