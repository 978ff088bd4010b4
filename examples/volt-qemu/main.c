/* SPDX-License-Identifier: MIT */
/* volt-qemu: the command line of libvoltqemu, and an example of how to call it. */
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "broken-pipe.h"
#include "commands.h"
#include "exit-status.h"
#include "message.h"
#include "options.h"
#include "progress.h"

/* Else a file of the store could become descriptor 1 or 2, and messages be written into it. */
static void open_standard_descriptors(void) {
    for (int fd = 0; fd <= 2; fd++) {
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDONLY) != fd)
            _exit(STATUS_FAILED);
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

/* Output that could not be written, as to a full disk, is a failure. That its reader has left is
 * nothing to talk about. */
static int close_output(int status) {
    errno = 0;
    int failed = fflush(stdout) != 0 || ferror(stdout);
    if (failed && output_is_broken())
        return STATUS_BROKEN_PIPE;
    if (fclose(stdout) == 0 && !failed)
        return status;
    return errno ? fail_system(errno, "cannot write the output")
                 : fail_text("cannot write all of the output"); /* some of it, long before */
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
