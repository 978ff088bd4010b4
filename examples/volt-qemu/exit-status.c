/* SPDX-License-Identifier: MIT */
#include "exit-status.h"

#include <string.h>

/* Documents of the store itself, which nobody has given. */
static bool is_about_the_store(const vqemu_error *error) {
    const char *reason = vqemu_error_reason(error);
    return strcmp(reason, "revision-broken") == 0 || strcmp(reason, "current-broken") == 0;
}

int exit_status_of(const vqemu_error *error) {
    switch (vqemu_error_code(error)) {
    case VQEMU_OK:
        return STATUS_DONE;
    case VQEMU_ERR_NOT_FOUND:
    case VQEMU_ERR_NO_STORE:
    case VQEMU_ERR_NO_REVISION:
    case VQEMU_ERR_NO_PROGRAM:
    case VQEMU_ERR_NOT_RUNNING:
        return STATUS_MISSING;
    case VQEMU_ERR_BUSY:
        return STATUS_BUSY;
    case VQEMU_ERR_MALFORMED:
        return is_about_the_store(error) ? STATUS_DAMAGED : STATUS_INVALID;
    case VQEMU_ERR_INVALID:
    case VQEMU_ERR_UNKNOWN_KEY:
        return STATUS_INVALID;
    case VQEMU_ERR_CORRUPT:
        return STATUS_DAMAGED;
    case VQEMU_ERR_UNTRUSTED:
        return STATUS_UNTRUSTED;
    case VQEMU_ERR_TIMEOUT:
    case VQEMU_ERR_CANCELLED:
        return STATUS_GIVEN_UP;
    case VQEMU_ERR_NETWORK:
        return STATUS_UNREACHED;
    default:
        return STATUS_FAILED;
    }
}
