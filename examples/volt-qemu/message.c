/* SPDX-License-Identifier: MIT */
#include "message.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "cleanup.h"
#include "text.h"

static void print_line(const char *prefix, const char *message, const char *suffix) {
    _cleanup_free_ char *safe = printable(message);
    fprintf(stderr, "volt-qemu: %s%s%s\n", prefix, safe, suffix);
}

int fail(const vqemu_error *error) {
    print_line("", vqemu_error_message(error), "");
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
