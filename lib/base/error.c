/* SPDX-License-Identifier: MIT */
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"
#include "util/export.h"
#include "util/similar.h"
#include "util/strbuf.h"
#include "util/utf8.h"

#define DETAILS_MAX 8

struct detail {
    const char *name; /* static */
    char *value;
};

struct vqemu_error {
    int code;
    int system_errno;
    char *message;
    const char *reason; /* static; NULL: the code's name */
    int64_t line;
    size_t detail_count;
    struct detail details[DETAILS_MAX];
};

/* Handed out when there is no memory for an error; vqemu_error_free() knows it. */
static char out_of_memory_message[] = "out of memory";
static vqemu_error out_of_memory = {
    .code = VQEMU_ERR_NO_MEMORY, .system_errno = ENOMEM, .message = out_of_memory_message};

/* Add the character at text, or how it is written where it is none that can be shown. Returns its
 * length. */
static int add_printable(struct strbuf *buffer, const char *text) {
    unsigned char byte = (unsigned char)*text;
    int length = utf8_sequence_length(text);
    uint32_t point = utf8_decode(text, length);
    if (length == 0 || byte < 0x20 || byte == 0x7f)
        strbuf_addf(buffer, "\\x%02X", byte);
    else if (utf8_is_deceptive(point))
        strbuf_addf(buffer, "\\u{%04X}", (unsigned)point);
    else
        strbuf_add_bytes(buffer, text, (size_t)length);
    return length ? length : 1;
}

char *make_printable(const char *text) {
    struct strbuf buffer = {0};
    while (*text)
        text += add_printable(&buffer, text);
    return strbuf_take(&buffer);
}

static void add_errno(struct strbuf *buffer, int system_errno) {
    char text[128];
    /* The GNU strerror_r(): thread-safe, and returns its text. */
    strbuf_addf(buffer, ": %s", strerror_r(system_errno, text, sizeof text));
}

static vqemu_error *new_error(int code, int system_errno, char *raw_message) {
    vqemu_error *error = calloc(1, sizeof *error);
    char *message = raw_message ? make_printable(raw_message) : NULL;
    free(raw_message);
    if (!error || !message) {
        free(error);
        free(message);
        return &out_of_memory;
    }
    error->code = code;
    error->system_errno = system_errno;
    error->message = message;
    return error;
}

/* What is returned of an error that was made for this code: memory may have ended meanwhile. */
static int code_made(int code, vqemu_error *const *error) {
    return error && *error == &out_of_memory ? VQEMU_ERR_NO_MEMORY : code;
}

int error_set_va(vqemu_error **error, int code, int system_errno, const char *format,
                 va_list arguments) {
    if (!error)
        return code;
    struct strbuf buffer = {0};
    strbuf_addv(&buffer, format, arguments);
    if (system_errno)
        add_errno(&buffer, system_errno);
    vqemu_error *new = new_error(code, system_errno, strbuf_take(&buffer));
    vqemu_error_free(*error); /* only now: its text may be part of the new one's */
    *error = new;
    return code_made(code, error);
}

int error_set(vqemu_error **error, int code, int system_errno, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int r = error_set_va(error, code, system_errno, format, arguments);
    va_end(arguments);
    return r;
}

int error_system(vqemu_error **error, int system_errno, const char *format, ...) {
    if (system_errno == ENOMEM)
        return error_no_memory(error);
    int code = system_errno == ENOENT  ? VQEMU_ERR_NOT_FOUND
               : system_errno == EROFS ? VQEMU_ERR_READ_ONLY
                                       : VQEMU_ERR_SYSTEM;
    va_list arguments;
    va_start(arguments, format);
    int r = error_set_va(error, code, system_errno, format, arguments);
    va_end(arguments);
    return r;
}

int error_system_at(vqemu_error **error, int system_errno, const char *failure, const char *format,
                    ...) {
    struct strbuf buffer = {0};
    va_list arguments;
    va_start(arguments, format);
    strbuf_addv(&buffer, format, arguments);
    va_end(arguments);
    _cleanup_free_ char *path = strbuf_take(&buffer);
    if (!path)
        return error_no_memory(error);
    int r = error_system(error, system_errno, "%s %s", failure, path);
    return error_because(r, error, NULL, VQEMU_DETAIL_PATH, path, NULL);
}

int error_no_memory(vqemu_error **error) {
    if (error) {
        vqemu_error_free(*error);
        *error = &out_of_memory;
    }
    return VQEMU_ERR_NO_MEMORY;
}

/* ---- the caller's mistakes ---- */

int error_null_argument(vqemu_error **error, const char *function, const char *argument) {
    int r = error_set(error, VQEMU_ERR_USAGE, 0, "%s(): %s is NULL", function, argument);
    return error_because(r, error, "null-argument", VQEMU_DETAIL_FUNCTION, function,
                         VQEMU_DETAIL_ARGUMENT, argument, NULL);
}

int error_unknown_flags(vqemu_error **error, const char *function, uint32_t flags) {
    int r = error_set(error, VQEMU_ERR_USAGE, 0, "%s(): unknown flags in 0x%x", function,
                      (unsigned)flags);
    return error_because(r, error, "unknown-flags", VQEMU_DETAIL_FUNCTION, function, NULL);
}

int error_flags_at_odds(vqemu_error **error, const char *function, const char *text) {
    int r = error_set(error, VQEMU_ERR_USAGE, 0, "%s(): %s", function, text);
    return error_because(r, error, "flags-at-odds", VQEMU_DETAIL_FUNCTION, function, NULL);
}

int error_forked(vqemu_error **error, const char *function) {
    int r = error_set(error, VQEMU_ERR_USAGE, 0,
                      "%s(): the handle was opened by another process, of which this one is a "
                      "child",
                      function);
    return error_because(r, error, "forked", VQEMU_DETAIL_FUNCTION, function, NULL);
}

int error_bad_descriptor(vqemu_error **error, const char *function, int fd) {
    int r = error_set(error, VQEMU_ERR_USAGE, 0, "%s(): %d is no open descriptor", function, fd);
    return error_because(r, error, "bad-descriptor", VQEMU_DETAIL_FUNCTION, function, NULL);
}

int error_unknown_key(vqemu_error **error, const char *noun, const char *key, const char *choices) {
    _cleanup_free_ char *meant = NULL;
    if (similar_in_list(key, choices, &meant) < 0)
        return error_no_memory(error);
    int r = error_set(error, VQEMU_ERR_UNKNOWN_KEY, 0, "%.200s: %s has no such key%s%s; it has %s",
                      key, noun, meant ? "; perhaps it is " : "", meant ? meant : "", choices);
    return error_because(r, error, NULL, VQEMU_DETAIL_KEY, key, VQEMU_DETAIL_CHOICES, choices,
                         VQEMU_DETAIL_SUGGESTION, meant, NULL);
}

/* ---- reason and details ---- */

/* The error that was just made, if it can be added to. */
static vqemu_error *made(int code, vqemu_error **error) {
    return error && *error && *error != &out_of_memory && (*error)->code == code ? *error : NULL;
}

/* The one of this name; the end if there is none yet. */
static struct detail *find_detail(vqemu_error *error, const char *name) {
    struct detail *detail = error->details;
    while (detail < error->details + error->detail_count && strcmp(detail->name, name) != 0)
        detail++;
    return detail;
}

/* In place of what was said before: who knows more adds to an error later. */
static void add_detail(vqemu_error *error, const char *name, const char *value) {
    struct detail *detail = find_detail(error, name);
    bool is_new = detail == error->details + error->detail_count;
    char *copy = value && (!is_new || error->detail_count < DETAILS_MAX) ? strdup(value) : NULL;
    if (!copy)
        return;
    if (is_new)
        error->detail_count++;
    else
        free(detail->value);
    *detail = (struct detail){name, copy};
}

int error_because(int code, vqemu_error **error, const char *reason, ...) {
    vqemu_error *target = made(code, error);
    va_list arguments;
    if (!target)
        return code_made(code, error);
    if (reason)
        target->reason = reason;
    va_start(arguments, reason);
    for (const char *name; (name = va_arg(arguments, const char *));)
        add_detail(target, name, va_arg(arguments, const char *));
    va_end(arguments);
    return code;
}

int error_copy(const vqemu_error *from, vqemu_error **error) {
    int r = error_set(error, from->code, 0, "%s", from->message);
    vqemu_error *target = made(r, error);
    if (!target)
        return r;
    target->system_errno = from->system_errno;
    target->reason = from->reason;
    target->line = from->line;
    for (size_t i = 0; i < from->detail_count; i++)
        add_detail(target, from->details[i].name, from->details[i].value);
    return r;
}

bool error_ends_call(int code) {
    return code == VQEMU_ERR_CANCELLED || code == VQEMU_ERR_TIMEOUT || code == VQEMU_ERR_NO_MEMORY;
}

int error_at_line(int code, vqemu_error **error, int64_t line) {
    vqemu_error *target = made(code, error);
    if (target)
        target->line = line;
    return code_made(code, error);
}

int error_prefix(int code, vqemu_error **error, const char *format, ...) {
    vqemu_error *target = made(code, error);
    struct strbuf buffer = {0};
    va_list arguments;
    if (!target)
        return code_made(code, error);
    va_start(arguments, format);
    strbuf_addv(&buffer, format, arguments);
    va_end(arguments);
    strbuf_add(&buffer, target->message);
    char *raw = strbuf_take(&buffer);
    char *message = raw ? make_printable(raw) : NULL;
    free(raw);
    if (message) {
        free(target->message);
        target->message = message;
    }
    return code;
}

VQEMU_EXPORT int vqemu_error_code(const vqemu_error *error) {
    return error ? error->code : VQEMU_OK;
}

VQEMU_EXPORT int vqemu_error_errno(const vqemu_error *error) {
    return error ? error->system_errno : 0;
}

VQEMU_EXPORT const char *vqemu_error_message(const vqemu_error *error) {
    return error ? error->message : "";
}

VQEMU_EXPORT const char *vqemu_error_reason(const vqemu_error *error) {
    if (!error)
        return "";
    return error->reason ? error->reason : vqemu_result_name(error->code);
}

VQEMU_EXPORT const char *vqemu_error_detail(const vqemu_error *error, const char *name) {
    for (size_t i = 0; error && name && i < error->detail_count; i++)
        if (strcmp(error->details[i].name, name) == 0)
            return error->details[i].value;
    return NULL;
}

VQEMU_EXPORT const char *vqemu_error_detail_name(const vqemu_error *error, size_t index) {
    return error && index < error->detail_count ? error->details[index].name : NULL;
}

VQEMU_EXPORT int64_t vqemu_error_line(const vqemu_error *error) {
    return error ? error->line : 0;
}

VQEMU_EXPORT const char *vqemu_result_name(int code) {
    switch (code) {
    case VQEMU_OK:
        return "ok";
    case VQEMU_ERR_NO_MEMORY:
        return "no-memory";
    case VQEMU_ERR_INVALID:
        return "invalid";
    case VQEMU_ERR_SYSTEM:
        return "system";
    case VQEMU_ERR_NOT_FOUND:
        return "not-found";
    case VQEMU_ERR_UNSUPPORTED:
        return "unsupported";
    case VQEMU_ERR_MALFORMED:
        return "malformed";
    case VQEMU_ERR_CORRUPT:
        return "corrupt";
    case VQEMU_ERR_READ_ONLY:
        return "read-only";
    case VQEMU_ERR_CANCELLED:
        return "cancelled";
    case VQEMU_ERR_CHANGED:
        return "changed";
    case VQEMU_ERR_TIMEOUT:
        return "timeout";
    case VQEMU_ERR_USAGE:
        return "usage";
    case VQEMU_ERR_BUSY:
        return "busy";
    case VQEMU_ERR_REFUSED:
        return "refused";
    case VQEMU_ERR_NO_STORE:
        return "no-store";
    case VQEMU_ERR_NO_REVISION:
        return "no-revision";
    case VQEMU_ERR_NO_PROGRAM:
        return "no-program";
    case VQEMU_ERR_NOT_RUNNING:
        return "not-running";
    case VQEMU_ERR_UNKNOWN_KEY:
        return "unknown-key";
    case VQEMU_ERR_NETWORK:
        return "network";
    case VQEMU_ERR_DENIED:
        return "denied";
    case VQEMU_ERR_UNTRUSTED:
        return "untrusted";
    case VQEMU_ERR_PROGRAM_FAILED:
        return "program-failed";
    default:
        return "unknown";
    }
}

VQEMU_EXPORT void vqemu_error_free(vqemu_error *error) {
    if (!error || error == &out_of_memory)
        return;
    for (size_t i = 0; i < error->detail_count; i++)
        free(error->details[i].value);
    free(error->message);
    free(error);
}

VQEMU_EXPORT void vqemu_free(void *memory) {
    free(memory);
}
