/* SPDX-License-Identifier: MIT */
#include "checked.h"

#include <string.h>

#include "cleanup.h"
#include "message.h"
#include "progress.h"

/* The program ends, whatever could be told. */
static bool ends_all(int code) {
    return code == VQEMU_ERR_CANCELLED || code == VQEMU_ERR_TIMEOUT || code == VQEMU_ERR_NO_MEMORY;
}

int capabilities_to_check(const struct options *options, const struct way *way,
                          vqemu_capabilities **capabilities) {
    _cleanup_error_ vqemu_error *error = NULL;
    if (options->no_check)
        return 0;
    progress_begin(options);
    int code =
        vqemu_runtime_probe(way->runtime, way->store, 0, options->call, capabilities, &error);
    progress_end();
    if (!code)
        return 0;
    if (ends_all(code))
        return fail(error);
    /* What cannot be executed here, such as what is for another kind of host, is nothing to ask. */
    const char *reason = vqemu_error_reason(error);
    if (reason && strcmp(reason, "not-started") == 0)
        return 0;
    warn("not checked: QEMU cannot be asked what it can do: %s", vqemu_error_message(error));
    return 0;
}
