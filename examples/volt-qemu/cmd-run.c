/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <volt-qemu/volt-qemu.h>

#include "cleanup.h"
#include "commands.h"
#include "from-options.h"
#include "message.h"
#include "options.h"

/* Becomes the VM; returns only if that fails. */
static int execute(const vqemu_command *command) {
    const char *directory = vqemu_command_cwd(command);
    const char *path = vqemu_command_path(command);
    /* A copy without close-on-exec: the tree is leased as long as QEMU lives. */
    if (dup(vqemu_runtime_lease_fd(vqemu_command_runtime(command))) < 0)
        return fail_text("cannot pass on the lease of the tree: %s", strerror(errno));
    if (chdir(directory))
        return fail_text("cannot change to the directory %s: %s", directory, strerror(errno));
    signal(SIGPIPE, SIG_DFL); /* main() ignores it; a program that is executed inherits that */
    execve(path, vqemu_command_argv(command), vqemu_command_envp(command));
    return fail_text("cannot execute %s: %s", path, strerror(errno));
}

static int run(const struct options *options) {
    _cleanup_vm_ vqemu_vm *vm = NULL;
    _cleanup_selection_ vqemu_selection *selection = NULL;
    int status = vm_from_options(options, &vm);
    if (!status)
        status = selection_for_vm(options, vm, &selection);
    if (status)
        return status;
    if (!vqemu_selection_runnable(selection))
        return fail_text("profile %s does not run on this host: %s",
                         vqemu_profile_name(vqemu_selection_profile(selection)),
                         vqemu_selection_problem(selection));

    _cleanup_command_ vqemu_command *command = NULL;
    status = command_from_selection(options, selection, vm, &command);
    if (!status)
        status = prepare_from_options(options, command);
    return status ? status : execute(command);
}

const struct command command_run = {
    .name = "run",
    .option_groups = OPTIONS_PROFILE | OPTIONS_WORKLOAD | OPTIONS_RESOLVE | OPTIONS_VM,
    .summary = "run a VM on this terminal",
    .description =
        "Run a VM: this process becomes QEMU, with the guest's console on standard\n"
        "input and output unless the VM says otherwise. Its directories, and its UEFI\n"
        "variables, are made before, as by \"volt-qemu prepare\". Descriptors that the VM\n"
        "names are inherited from the caller. Options as of \"volt-qemu args\". A profile\n"
        "whose accelerator does not work on this host is refused.\n",
    .example = "  volt-qemu run --kernel vmlinuz --rootfs /srv/web --memory 1G\n",
    .run = run,
};
