/* SPDX-License-Identifier: MIT */
#include "checked.h"

#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "message.h"
#include "progress.h"

/* What is no program of the kernel's, such as a script around QEMU, has no say, and would do who
 * knows what when it is asked. */
static bool is_elf(const char *path) {
    char magic[4] = "";
    FILE *file = fopen(path, "re");
    size_t size = file ? fread(magic, 1, sizeof magic, file) : 0;
    if (file)
        fclose(file);
    return size == sizeof magic && memcmp(magic, "\177ELF", sizeof magic) == 0;
}

/* The program ends, whatever could be told. */
static bool ends_all(const struct options *options, int code) {
    return code == VQEMU_ERR_CANCELLED || code == VQEMU_ERR_NO_MEMORY ||
           (code == VQEMU_ERR_TIMEOUT && options->timeout >= 0);
}

int capabilities_to_check(const struct options *options, const struct way *way,
                          vqemu_capabilities **capabilities) {
    _cleanup_error_ vqemu_error *error = NULL;
    if (options->no_check || !is_elf(vqemu_runtime_binary(way->runtime)))
        return 0;
    progress_begin(options);
    int code =
        vqemu_runtime_probe(way->runtime, way->store, 0, options->call, capabilities, &error);
    progress_end();
    if (!code)
        return 0;
    if (ends_all(options, code))
        return fail(error);
    /* What cannot be executed here, such as what is for another kind of host, is nothing to ask. */
    const char *reason = vqemu_error_reason(error);
    if (reason && strcmp(reason, "not-started") == 0)
        return 0;
    warn("not checked: QEMU cannot be asked what it can do: %s", vqemu_error_message(error));
    return 0;
}
