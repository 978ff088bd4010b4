/* SPDX-License-Identifier: MIT */
/* The service of QEMU itself. */
#include "unit/service.h"

#include <string.h>

#include "base/error.h"
#include "unit/companion.h"
#include "unit/environment.h"
#include "unit/harden.h"
#include "unit/quote.h"
#include "vm/property.h"

/*
 * The longest line that systemd reads: LONG_LINE_MAX, 1 MiB, with its end (src/basic/fileio.h). One
 * that is longer makes the whole unit fail.
 */
#define LINE_LENGTH_MAX ((size_t)1024 * 1024 - 1)

/* Runs "$2" with its arguments in the directory "$1". */
#define WRAPPER_SCRIPT "cd \"$1\" && shift && exec \"$@\""

/* Seconds. Without a program that stops the guest; and what such a program needs besides the time
 * of the guest: 10 to reach QEMU, 30 for QEMU to end (vqemu_monitor_shut_down()), and some. */
#define TERM_TIMEOUT 30
#define STOP_EXTRA 60

/* ---- what systemd refuses ---- */

static bool needs_wrapper(const struct unit_plan *plan) {
    const vqemu_command *command = plan->command;
    for (char *const *variable = vqemu_command_envp(command); *variable; variable++)
        if (!unit_is_text(*variable))
            return true;
    /* What Environment= sets, ExecStop= gets as well; its program has libraries of its own. */
    if (unit_stop_program(plan) && unit_sets_variable(command, "LD_LIBRARY_PATH"))
        return true;
    return !unit_is_plain_program(vqemu_command_path(command)) ||
           !unit_is_plain_directory(vqemu_command_cwd(command));
}

static int check_argument_lengths(const vqemu_command *command, vqemu_error **error) {
    char *const *argv = vqemu_command_argv(command);
    for (size_t i = 0; argv[i]; i++)
        if (strlen(argv[i]) > (size_t)ARGUMENT_MAX)
            return error_set(
                error, VQEMU_ERR_UNSUPPORTED, 0,
                "argument %zu has %zu bytes; Linux executes no argument of more than %zu", i,
                strlen(argv[i]), (size_t)ARGUMENT_MAX);
    return 0;
}

static int check_line_length(size_t length, vqemu_error **error) {
    if (length <= LINE_LENGTH_MAX)
        return 0;
    return error_set(error, VQEMU_ERR_UNSUPPORTED, 0,
                     "the command takes %zu bytes in a unit; systemd reads lines of %zu", length,
                     LINE_LENGTH_MAX);
}

/* ---- starting ---- */

/* One option with its value on a line, as people read them. */
static void add_words(struct strbuf *line, char *const *words) {
    for (size_t i = 0; words[i]; i++) {
        bool is_value = i > 0 && words[i][0] != '-' && words[i - 1][0] == '-';
        strbuf_add(line, is_value ? " " : " \\\n  ");
        unit_add_word(line, words[i]);
    }
}

/* ExecStart= of the command itself; environment and directory are directives of their own. */
static void add_plain_start(struct strbuf *text, const vqemu_command *command) {
    strbuf_add(text, "ExecStart=:");
    unit_add_word(text, vqemu_command_path(command));
    add_words(text, vqemu_command_argv(command) + 1);
}

/* ExecStart= of a shell that executes the command: to it, paths and values are just words. */
static void add_wrapped_start(struct strbuf *text, const vqemu_command *command) {
    strbuf_add(text, "ExecStart=:/usr/bin/env --");
    add_words(text, vqemu_command_envp(command));
    strbuf_add(text, " /bin/sh -c ");
    unit_add_word(text, WRAPPER_SCRIPT);
    strbuf_add(text, " sh ");
    unit_add_word(text, vqemu_command_cwd(command));
    add_words(text, vqemu_command_argv(command));
}

static int add_start(struct strbuf *text, const struct unit_plan *plan, vqemu_error **error) {
    bool wrapped = needs_wrapper(plan);
    _cleanup_strbuf_ struct strbuf start = {0};
    if (wrapped) {
        add_wrapped_start(&start, plan->command);
        unit_add_clean_environment(text);
        strbuf_add(text, "WorkingDirectory=/\n");
    } else {
        add_plain_start(&start, plan->command);
        unit_add_environment(text, plan->command);
        strbuf_add(text, "WorkingDirectory=");
        unit_add_text(text, vqemu_command_cwd(plan->command));
        strbuf_add_char(text, '\n');
    }
    if (start.failed)
        return error_no_memory(error);
    strbuf_add_bytes(text, start.text, start.length);
    strbuf_add_char(text, '\n');
    return check_line_length(start.length, error);
}

/* ---- stopping ---- */

/*
 * Without a program for it, QEMU gets SIGTERM, and ends its guest as by a loss of power. What the
 * program says of a guest that did not obey, or that has ended already, must not fail the unit
 * ("-").
 */
static void add_stop(struct strbuf *text, const struct unit_plan *plan) {
    const struct strv *stop = plan->settings.stop;
    unsigned long long timeout = plan->settings.stop_seconds;
    const char *socket = vqemu_command_socket(plan->command, VQEMU_SOCKET_STOP);
    strbuf_add(text, "KillMode=mixed\n");
    if (stop->count == 0) {
        strbuf_addf(text, "TimeoutStopSec=%d\n", TERM_TIMEOUT);
        return;
    }
    strbuf_add(text, "ExecStop=-:");
    if (!unit_is_plain_program(stop->items[0]))
        strbuf_add(text, "/usr/bin/env -- ");
    for (size_t i = 0; i < stop->count; i++) {
        unit_add_word(text, stop->items[i]);
        strbuf_add_char(text, ' ');
    }
    strbuf_addf(text, "--timeout %llu ", timeout);
    unit_add_word(text, socket);
    strbuf_addf(text, "\nTimeoutStopSec=%llu\n", timeout + STOP_EXTRA);
}

/* ---- the unit ---- */

static void add_unit_section(struct strbuf *text, const struct unit_plan *plan) {
    strbuf_add(text, "[Unit]\nDescription=Volt VM: ");
    unit_add_title(text, vqemu_command_vm_name(plan->command));
    strbuf_addf(text, " (QEMU %s)\n", command_profile_name(plan->command));
    if (!plan->for_user)
        strbuf_add(text, "After=network.target\n");
    for (size_t i = 0; i < plan->uses->companion_count; i++) {
        _cleanup_strbuf_ struct strbuf name = {0};
        unit_add_companion_name(plan, i, &name);
        text->failed = text->failed || name.failed;
        if (!name.failed)
            strbuf_addf(text, "Requires=%s.socket %s.service\nAfter=%s.socket %s.service\n",
                        name.text, name.text, name.text, name.text);
    }
}

static void add_directories(struct strbuf *text, const struct unit_plan *plan) {
    if (plan->runtime_directory)
        strbuf_addf(text, "RuntimeDirectory=%s\nRuntimeDirectoryMode=0700\n",
                    plan->runtime_directory);
    /* Not this service's alone: the sockets of companions are in there; and where the VM runs
     * outside of it, so that this start fails, all that the running one has. */
    if (plan->runtime_directory)
        strbuf_add(text, "RuntimeDirectoryPreserve=yes\n");
    if (plan->state_directory)
        strbuf_addf(text, "StateDirectory=%s\nStateDirectoryMode=0700\n", plan->state_directory);
}

int unit_add_service(const struct unit_plan *plan, struct strbuf *text, vqemu_error **error) {
    int r = check_argument_lengths(plan->command, error);
    if (r < 0)
        return r;
    add_unit_section(text, plan);
    /* Type=exec: a program that cannot be executed fails the start, not only the service. */
    strbuf_add(text, "\n[Service]\nType=exec\n");
    unit_add_user(plan, text);
    r = add_start(text, plan, error);
    if (r < 0)
        return r;
    add_stop(text, plan);
    strbuf_add(text, "Restart=no\n");
    add_directories(text, plan);
    r = unit_confine_qemu(plan, text, error);
    if (r < 0)
        return r;
    strbuf_addf(text, "\n[Install]\nWantedBy=%s.target\n",
                plan->for_user ? "default" : "multi-user");
    return 0;
}
