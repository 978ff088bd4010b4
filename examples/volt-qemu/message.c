/* SPDX-License-Identifier: MIT */
#include "message.h"

#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "exit-status.h"
#include "text.h"
#include "way-out.h"

/* What is told of a failure. */
struct failure {
    const char *code, *reason, *message;
    const char *hint;         /* NULL: the message says all */
    const vqemu_error *error; /* for its details; may be NULL */
};

static bool as_json;

void messages_as_json(void) {
    as_json = true;
}

/* ---- as JSON ---- */

/* Not the functions of json.h, which report their failures here. Text is printable(), so UTF-8. */
static void set_text(json_t *object, const char *key, const char *text) {
    _cleanup_free_ char *safe = text ? printable(text) : NULL;
    json_object_set_new(object, key, safe ? json_string(safe) : json_null());
}

static json_t *details_of(const vqemu_error *error) {
    json_t *details = json_object();
    const char *name;
    for (size_t i = 0; (name = vqemu_error_detail_name(error, i)); i++)
        set_text(details, name, vqemu_error_detail(error, name));
    return details;
}

/* Takes over the value. */
static void print_object(const char *kind, json_t *value) {
    json_t *object = json_object();
    json_object_set_new(object, kind, value);
    _cleanup_free_ char *text = json_dumps(object, 0);
    json_decref(object);
    if (!text)
        fail_memory();
    _cleanup_free_ char *safe = printable_json(text);
    fprintf(stderr, "%s\n", safe);
}

static json_t *failure_json(const struct failure *failure) {
    int64_t line = vqemu_error_line(failure->error);
    json_t *object = json_object();
    set_text(object, "code", failure->code);
    set_text(object, "reason", failure->reason);
    set_text(object, "message", failure->message);
    set_text(object, "hint", failure->hint);
    json_object_set_new(object, "details", details_of(failure->error));
    json_object_set_new(object, "line", line > 0 ? json_integer(line) : json_null());
    return object;
}

/* ---- for people ---- */

static void print_line(const char *prefix, const char *message, const char *hint) {
    _cleanup_free_ char *safe = printable(message);
    _cleanup_free_ char *safe_hint = printable(hint ? hint : "");
    fprintf(stderr, "volt-qemu: %s%s%s%s\n", prefix, safe, hint ? "; " : "", safe_hint);
}

static void print_failure(const struct failure *failure) {
    if (as_json)
        print_object("error", failure_json(failure));
    else
        print_line("", failure->message, failure->hint);
}

/* ---- errors of the library ---- */

static struct failure failure_of(const vqemu_error *error, const char *hint) {
    return (struct failure){
        .code = vqemu_result_name(vqemu_error_code(error)),
        .reason = vqemu_error_reason(error),
        .message = vqemu_error_message(error),
        .hint = hint,
        .error = error,
    };
}

static int fail_with_hint(const vqemu_error *error, const char *hint) {
    _cleanup_free_ char *way = way_out_of(error);
    const struct failure failure = failure_of(error, way ? way : hint);
    print_failure(&failure);
    return exit_status_of(error);
}

json_t *error_json(const vqemu_error *error) {
    _cleanup_free_ char *way = way_out_of(error);
    const struct failure failure = failure_of(error, way);
    return failure_json(&failure);
}

int fail(const vqemu_error *error) {
    return fail_with_hint(error, NULL);
}

int fail_about(const char *from, const vqemu_error *error) {
    _cleanup_free_ char *message = format_text("%s: %s", from, vqemu_error_message(error));
    struct failure failure = failure_of(error, NULL);
    failure.message = message;
    print_failure(&failure);
    return exit_status_of(error);
}

static char *help_of(const struct command *command) {
    return format_text("see volt-qemu %s%s--help", command ? command->name : "",
                       command ? " " : "");
}

int fail_request(const struct command *command, const vqemu_error *error) {
    _cleanup_free_ char *help = help_of(command);
    return fail_with_hint(error, vqemu_error_code(error) == VQEMU_ERR_INVALID ? help : NULL);
}

int fail_vm(const vqemu_error *error) {
    bool is_of_document = exit_status_of(error) == STATUS_INVALID;
    return fail_with_hint(error, is_of_document ? "see volt-qemu schema, and docs/vm.md" : NULL);
}

int fail_policy(const vqemu_error *error) {
    bool is_of_document = exit_status_of(error) == STATUS_INVALID;
    return fail_with_hint(error, is_of_document ? "see volt-qemu schema policy" : NULL);
}

/* ---- failures of the program's own ---- */

__attribute__((format(printf, 4, 0))) static void print_own(const char *code, const char *reason,
                                                            const char *hint, const char *format,
                                                            va_list arguments) {
    _cleanup_free_ char *message = format_text_va(format, arguments);
    print_failure(&(struct failure){code, reason, message, hint, NULL});
}

int fail_text(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    print_own("failed", "failed", NULL, format, arguments);
    va_end(arguments);
    return STATUS_FAILED;
}

static int fail_errno(int error_number, const char *what, const char *hint) {
    bool is_missing = error_number == ENOENT || error_number == ENOTDIR;
    const char *code = vqemu_result_name(is_missing ? VQEMU_ERR_NOT_FOUND : VQEMU_ERR_SYSTEM);
    _cleanup_free_ char *message = format_text("%s: %s", what, strerror(error_number));
    print_failure(&(struct failure){code, code, message, hint, NULL});
    return is_missing ? STATUS_MISSING : STATUS_FAILED;
}

int fail_system(int error_number, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    _cleanup_free_ char *what = format_text_va(format, arguments);
    va_end(arguments);
    return fail_errno(error_number, what, NULL);
}

int fail_writing(int error_number, const char *path) {
    const char *slash = strrchr(path, '/');
    _cleanup_free_ char *what = format_text("cannot write %s", path);
    _cleanup_free_ char *hint =
        error_number == ENOENT && slash && slash > path
            ? format_text("its directory must be there: mkdir -p %.*s", (int)(slash - path), path)
            : NULL;
    return fail_errno(error_number, what, hint);
}

int fail_invalid(const char *reason, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    print_own(vqemu_result_name(VQEMU_ERR_INVALID), reason, NULL, format, arguments);
    va_end(arguments);
    return STATUS_INVALID;
}

int fail_late(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    print_own(vqemu_result_name(VQEMU_ERR_TIMEOUT), "deadline", "--timeout gives it more", format,
              arguments);
    va_end(arguments);
    return STATUS_GIVEN_UP;
}

int fail_usage(const struct command *command, const char *format, ...) {
    const char *code = vqemu_result_name(VQEMU_ERR_USAGE);
    _cleanup_free_ char *help = help_of(command);
    va_list arguments;
    va_start(arguments, format);
    print_own(code, code, help, format, arguments);
    va_end(arguments);
    return STATUS_USAGE;
}

void fail_memory(void) {
    fputs(as_json ? "{\"error\": {\"code\": \"no-memory\", \"reason\": \"no-memory\", "
                    "\"message\": \"out of memory\", \"hint\": null, \"details\": {}, "
                    "\"line\": null}}\n"
                  : "volt-qemu: out of memory\n",
          stderr);
    exit(STATUS_FAILED);
}

void warn(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    _cleanup_free_ char *message = format_text_va(format, arguments);
    va_end(arguments);
    if (!as_json) {
        print_line("warning: ", message, NULL);
        return;
    }
    json_t *object = json_object();
    set_text(object, "message", message);
    print_object("warning", object);
}
