/* SPDX-License-Identifier: MIT */
/* volt-qemu: the command line of libvoltqemu, and an example of how to call it. */
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "message.h"
#include "options.h"
#include "progress.h"

const struct command *const commands[] = {
    &command_profiles,
    &command_select,
    &command_build,
    &command_import,
    &command_export,
    &command_copy,
    &command_refs,
    &command_uses,
    &command_show,
    &command_current,
    &command_pin,
    &command_unpin,
    &command_rm,
    &command_verify,
    &command_gc,
    &command_resolve,
    &command_args,
    &command_env,
    &command_schema,
    &command_unit,
    &command_prepare,
    &command_run,
    &command_stop,
    &command_version,
    &command_help,
    NULL,
};

const struct command *command_find(const char *name) {
    for (size_t i = 0; commands[i]; i++) {
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    }
    return NULL;
}

/* Else a file of the store could become descriptor 1 or 2, and messages be written into it. */
static void open_standard_descriptors(void) {
    for (int fd = 0; fd <= 2; fd++) {
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDONLY) != fd)
            _exit(EXIT_FAILURE);
    }
}

static int run_command(struct options *options) {
    if (options->help) {
        options->operand = options->command ? options->command->name : NULL;
        options->command = &command_help;
    } else if (options->version) {
        options->command = &command_version;
    }
    return options->command->run(options);
}

/* Output that nobody could read is a failure: a full disk, a closed pipe. */
static int close_output(int status) {
    errno = 0;
    int failed = ferror(stdout);
    if (fclose(stdout) == 0 && !failed)
        return status;
    return fail_text("cannot write the output: %s", strerror(errno ? errno : EIO));
}

int main(int argc, char **argv) {
    open_standard_descriptors();
    signal(SIGPIPE, SIG_IGN);       /* writing fails instead */
    setlocale(LC_CTYPE, "C.UTF-8"); /* for text.c: what is a printable character */
    struct options options = {0};
    int status = options_parse(&options, argc, argv);
    if (!status)
        status = call_from_options(&options);
    if (!status)
        status = run_command(&options);
    options_free(&options);
    return close_output(status);
}
