/* SPDX-License-Identifier: MIT */
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "util/export.h"
#include "util/strbuf.h"

struct vqemu_error {
    int code;
    int system_errno;
    char *message;
};

/* Handed out when there is no memory for an error; vqemu_error_free() knows it. */
static char out_of_memory_message[] = "out of memory";
static vqemu_error out_of_memory = {VQEMU_ERR_NO_MEMORY, ENOMEM, out_of_memory_message};

/* One line, safe for terminals and logs, whatever bytes came in with a path. */
static char *make_printable(const char *text) {
    struct strbuf buffer = {0};
    for (const char *c = text; *c; c++) {
        unsigned char byte = (unsigned char)*c;
        if (byte < 0x20 || byte == 0x7f)
            strbuf_addf(&buffer, "\\x%02X", byte);
        else
            strbuf_add_char(&buffer, *c);
    }
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

__attribute__((format(printf, 4, 0))) static void
set_va(vqemu_error **error, int code, int system_errno, const char *format, va_list arguments) {
    if (!error)
        return;
    struct strbuf buffer = {0};
    strbuf_addv(&buffer, format, arguments);
    if (system_errno)
        add_errno(&buffer, system_errno);
    *error = new_error(code, system_errno, strbuf_take(&buffer));
}

int error_set(vqemu_error **error, int code, int system_errno, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    set_va(error, code, system_errno, format, arguments);
    va_end(arguments);
    return code;
}

int error_system(vqemu_error **error, int system_errno, const char *format, ...) {
    if (system_errno == ENOMEM)
        return error_no_memory(error);
    int code = system_errno == ENOENT  ? VQEMU_ERR_NOT_FOUND
               : system_errno == EROFS ? VQEMU_ERR_READ_ONLY
                                       : VQEMU_ERR_SYSTEM;
    va_list arguments;
    va_start(arguments, format);
    set_va(error, code, system_errno, format, arguments);
    va_end(arguments);
    return code;
}

int error_no_memory(vqemu_error **error) {
    if (error)
        *error = &out_of_memory;
    return VQEMU_ERR_NO_MEMORY;
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
    default:
        return "unknown";
    }
}

VQEMU_EXPORT void vqemu_error_free(vqemu_error *error) {
    if (!error || error == &out_of_memory)
        return;
    free(error->message);
    free(error);
}

VQEMU_EXPORT void vqemu_free(void *memory) {
    free(memory);
}
