/* SPDX-License-Identifier: MIT */
#include "message.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "text.h"

static void print_line(const char *prefix, const char *message, const char *suffix) {
    _cleanup_free_ char *safe = printable(message);
    fprintf(stderr, "volt-qemu: %s%s%s\n", prefix, safe, suffix);
}

/* The way out, in the words of the command line; "" where the message says all. */
static const char *find_way_out(const vqemu_error *error) {
    static const char *const ways[][2] = {
        {"object-damaged", " (\"volt-qemu verify --repair --from SOURCE\")"},
        {"profile-not-in-store", "; put it there with \"volt-qemu build --profile PROFILE DIR\" or "
                                 "\"volt-qemu import\""},
        {"no-store", "; \"volt-qemu build\" and \"volt-qemu import\" make one"},
    };
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        if (strcmp(vqemu_error_reason(error), ways[i][0]) == 0)
            return ways[i][1];
    return "";
}

int fail(const vqemu_error *error) {
    print_line("", vqemu_error_message(error), find_way_out(error));
    return EXIT_FAILURE;
}

int fail_request(const struct command *command, const vqemu_error *error) {
    if (vqemu_error_code(error) == VQEMU_ERR_INVALID)
        return fail_usage(command, "%s", vqemu_error_message(error));
    return fail(error);
}

int fail_text(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    _cleanup_free_ char *message = format_text_va(format, arguments);
    va_end(arguments);
    print_line("", message, "");
    return EXIT_FAILURE;
}

int fail_usage(const struct command *command, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    _cleanup_free_ char *message = format_text_va(format, arguments);
    va_end(arguments);
    const char *name = command ? command->name : "";
    _cleanup_free_ char *hint = format_text("; see volt-qemu %s%s--help", name, command ? " " : "");
    print_line("", message, hint);
    return EXIT_USAGE;
}

void warn(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    _cleanup_free_ char *message = format_text_va(format, arguments);
    va_end(arguments);
    print_line("warning: ", message, "");
}
