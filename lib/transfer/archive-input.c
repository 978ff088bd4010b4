/* SPDX-License-Identifier: MIT */
#include "transfer/archive-input.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <unistd.h>

#include "base/error.h"
#include "transfer/wait-fd.h"
#include "util/strbuf.h"

static const char *place(const struct archive_input *input) {
    return *input->place ? input->place : "its beginning";
}

int archive_is_broken(const struct archive_input *input, vqemu_error **error, const char *format,
                      ...) {
    va_list arguments;
    va_start(arguments, format);
    int r = error_set_va(error, VQEMU_ERR_MALFORMED, 0, format, arguments);
    va_end(arguments);
    error_prefix(r, error, "the archive %s is broken at %s: ", input->name, place(input));
    return error_because(r, error, "archive-broken", VQEMU_DETAIL_PATH, input->name, NULL);
}

int archive_is_cut_off(const struct archive_input *input, vqemu_error **error) {
    int r = error_set(error, VQEMU_ERR_MALFORMED, 0, "the archive %s is cut off at %s: get it anew",
                      input->name, place(input));
    return error_because(r, error, "archive-cut-off", VQEMU_DETAIL_PATH, input->name, NULL);
}

/* ---- reading ---- */

static ssize_t read_raw(struct archive_input *input, size_t offset) {
    for (;;) {
        if (!wait_fd(input->fd, POLLIN, input->progress, &input->given_up))
            return -ECANCELED;
        ssize_t n = read(input->fd, input->raw + offset, sizeof input->raw - offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            input->read_errno = errno;
        else
            input->position += (uint64_t)n;
        return n < 0 ? -errno : n;
    }
}

static ssize_t next_raw(void *userdata, const unsigned char **bytes) {
    struct archive_input *input = userdata;
    ssize_t n = input->raw_size > 0 ? (ssize_t)input->raw_size : read_raw(input, 0);
    input->raw_size = 0;
    *bytes = input->raw;
    return n;
}

/* What went wrong, from the inside out: the caller, the descriptor, the compressed data. */
static int reading_failed(struct archive_input *input, int system_errno, const char *problem,
                          vqemu_error **error) {
    if (input->given_up) {
        int code = vqemu_error_code(input->given_up);
        if (error)
            *error = TAKE_POINTER(input->given_up);
        return code;
    }
    if (input->read_errno)
        return error_system_at(error, input->read_errno, "cannot read the archive", "%s",
                               input->name);
    if (system_errno == ENOMEM || !problem)
        return error_no_memory(error);
    if (system_errno == ENODATA)
        return archive_is_cut_off(input, error);
    if (system_errno != ENOSYS && system_errno != EFBIG)
        return archive_is_broken(input, error, "%s", problem);
    int r = error_set(error, VQEMU_ERR_UNSUPPORTED, 0, "the archive %s cannot be unpacked: %s",
                      input->name, problem);
    return error_because(r, error, system_errno == ENOSYS ? "library-missing" : "window-too-large",
                         VQEMU_DETAIL_PATH, input->name, NULL);
}

int archive_input_open(struct archive_input *input, vqemu_error **error) {
    const char *problem = NULL;
    ssize_t n = 1;
    while (n > 0 && input->raw_size < UNPACK_MAGIC_MAX) {
        n = read_raw(input, input->raw_size);
        input->raw_size += n > 0 ? (size_t)n : 0;
    }
    int r = n < 0 ? (int)n
                  : unpack_open(input->raw, input->raw_size, next_raw, input, &input->unpacker,
                                &problem);
    return r < 0 ? reading_failed(input, -r, problem, error) : 0;
}

void archive_input_close(struct archive_input *input) {
    unpack_close(input->unpacker);
    vqemu_error_free(input->given_up);
}

int archive_input_read(struct archive_input *input, void *bytes, size_t *size,
                       vqemu_error **error) {
    size_t done = 0;
    while (done < *size) {
        const char *problem;
        ssize_t n = unpack_read(input->unpacker, (char *)bytes + done, *size - done, &problem);
        if (n < 0)
            return reading_failed(input, (int)-n, problem, error);
        if (n == 0)
            break;
        done += (size_t)n;
    }
    *size = done;
    return 0;
}
