/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <jansson.h>
#include <pwd.h>
#include <signal.h>
#include <stdbool.h>
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

/* Only a document can have one: there is no option for it. */
static int read_user(const struct options *options, char **user) {
    _cleanup_vm_ vqemu_vm *vm = NULL;
    _cleanup_error_ vqemu_error *error = NULL;
    _cleanup_vqemu_free_ char *text = NULL;
    if (vqemu_vm_from_file(options->vm, 0, &vm, &error) || vqemu_vm_to_json(vm, &text, &error))
        return fail(error);
    json_t *document = json_loads(text, 0, NULL);
    const char *name = json_string_value(json_object_get(document, "user"));
    *user = name ? strdup(name) : NULL;
    json_decref(document);
    return 0;
}

static bool is_caller(const char *user) {
    const struct passwd *record = getpwnam(user);
    char *end;
    unsigned long number = strtoul(user, &end, 10);
    return record ? record->pw_uid == geteuid() : !*end && number == geteuid();
}

/* This process becomes QEMU, as whom it is; as root, mostly, though the VM says otherwise. */
static int check_user(const struct options *options) {
    _cleanup_free_ char *user = NULL;
    int status = options->vm ? read_user(options, &user) : 0;
    if (status || !user || is_caller(user))
        return status;
    return fail_text("user: the VM is to run as \"%s\", and QEMU would run as you: run it as that "
                     "user (setpriv, runuser), or as a service (volt-qemu unit)",
                     user);
}

static int run(const struct options *options) {
    _cleanup_vm_ vqemu_vm *vm = NULL;
    _cleanup_selection_ vqemu_selection *selection = NULL;
    int status = vm_from_options(options, &vm);
    if (!status)
        status = check_user(options);
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
        "whose accelerator does not work on this host is refused, and a VM with a user\n"
        "other than the caller.\n",
    .example = "  volt-qemu run --kernel vmlinuz --rootfs /srv/web --memory 1G\n",
    .run = run,
};
