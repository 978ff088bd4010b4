/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <pwd.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <volt-qemu/volt-qemu.h>

#include "cleanup.h"
#include "commands.h"
#include "from-options.h"
#include "message.h"
#include "option-table.h"
#include "options.h"
#include "pass-on.h"
#include "vm-options.h"

/* Becomes the VM; returns only if that fails. */
static int execute(const struct options *options, const vqemu_command *command) {
    const char *directory = vqemu_command_cwd(command);
    const char *path = vqemu_command_path(command);
    int status = pass_on(options, command);
    if (status)
        return status;
    if (chdir(directory))
        return fail_system(errno, "cannot change to the directory %s", directory);
    umask(077);               /* QEMU's sockets and logs are for nobody else */
    signal(SIGPIPE, SIG_DFL); /* main() ignores it; a program that is executed inherits that */
    execve(path, vqemu_command_argv(command), vqemu_command_envp(command));
    return fail_system(errno, "cannot execute %s", path);
}

static bool is_caller(const char *user) {
    const struct passwd *record = getpwnam(user);
    char *end;
    unsigned long number = strtoul(user, &end, 10);
    return record ? record->pw_uid == geteuid() : !*end && number == geteuid();
}

static const char *string_of(const vqemu_vm *vm, const char *key) {
    const char *value = NULL;
    vqemu_vm_get_string(vm, key, &value, NULL);
    return value;
}

/* This process becomes QEMU, as whom it is; as root, mostly, though the VM says otherwise. */
static int check_user(const vqemu_vm *vm) {
    const char *user = string_of(vm, VQEMU_KEY_USER);
    if (!user || is_caller(user))
        return 0;
    return fail_text("user: the VM is to run as \"%s\", and QEMU would run as you: run it as that "
                     "user (setpriv, runuser), or as a service (volt-qemu unit)",
                     user);
}

static int check_runnable(const vqemu_selection *selection) {
    if (vqemu_selection_runnable(selection))
        return 0;
    return fail_text("profile %s does not run on this host: %s",
                     vqemu_profile_name(vqemu_selection_profile(selection)),
                     vqemu_selection_problem(selection));
}

static bool is_here(const vqemu_vm *vm) {
    const char *console = string_of(vm, VQEMU_KEY_CONSOLE);
    return (!console || strcmp(console, "stdio") == 0) && isatty(STDIN_FILENO);
}

/* Ctrl-C goes to the guest; whose terminal it is, is who runs QEMU. */
static int offer_monitor(vqemu_vm *vm) {
    _cleanup_error_ vqemu_error *error = NULL;
    int32_t monitor = VQEMU_SWITCH_DEFAULT;
    vqemu_vm_get_switch(vm, VQEMU_KEY_CONSOLE_MONITOR, &monitor, NULL);
    if (!is_here(vm) || monitor != VQEMU_SWITCH_DEFAULT)
        return 0;
    if (vqemu_vm_set_switch(vm, VQEMU_KEY_CONSOLE_MONITOR, VQEMU_SWITCH_ON, &error) < 0)
        return fail(error);
    return 0;
}

static void tell_how_to_leave(const vqemu_vm *vm) {
    int32_t monitor = VQEMU_SWITCH_DEFAULT;
    vqemu_vm_get_switch(vm, VQEMU_KEY_CONSOLE_MONITOR, &monitor, NULL);
    if (is_here(vm) && monitor == VQEMU_SWITCH_ON && isatty(STDERR_FILENO))
        fputs("volt-qemu: this is the guest's console: Ctrl-A X ends the guest, Ctrl-A C leads to "
              "QEMU's monitor and back, Ctrl-A H tells more\n",
              stderr);
}

static int run(const struct options *options) {
    _cleanup_way_ struct way way = {0};
    int status = vm_from_options(options, &way.vm);
    if (!status)
        status = check_user(way.vm);
    if (!status)
        status = offer_monitor(way.vm);
    if (!status)
        status = store_from_options(options, 0, &way.store);
    if (!status)
        status = way_to_selection(options, &way);
    if (!status)
        status = check_runnable(way.selection);
    if (!status)
        status = way_to_command(options, &way);
    if (!status)
        status = prepare_from_options(options, way.command);
    if (status)
        return status;
    tell_how_to_leave(way.vm);
    return execute(options, way.command);
}

const struct command command_run = {
    .name = "run",
    .option_groups = OPTIONS_PROFILE | OPTIONS_WORKLOAD | OPTIONS_RESOLVE | OPTIONS_VM |
                     OPTIONS_RUN | OPTIONS_POLICY,
    .summary = "run a VM on this terminal",
    .description =
        "Run a VM: this process becomes QEMU, with the guest's console on standard\n"
        "input and output unless the VM says otherwise. Its directories, and its UEFI\n"
        "variables, are made before, as by \"volt-qemu prepare\". A VM that runs already is\n"
        "refused. Of the caller's descriptors it gets those alone that the VM names: those\n"
        "that have a name, by --fd. Options as of \"volt-qemu args\". A profile whose\n"
        "accelerator does not work on this host is refused, and a VM with a user other\n"
        "than the caller. On a terminal, Ctrl-A X ends the guest: the VM gets\n"
        "console_monitor, unless it says otherwise.\n",
    .example = "  volt-qemu run --kernel vmlinuz --rootfs /srv/web --memory 1G\n",
    .run = run,
};
