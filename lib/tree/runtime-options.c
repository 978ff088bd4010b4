/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/error.h"
#include "base/options.h"
#include "tree/runtime.h"
#include "util/export.h"

struct vqemu_runtime_options {
    struct runtime_paths paths;
};

static const struct option_key option_keys[] = {
    {VQEMU_RUNTIME_BINARY, OPTION_STRING, offsetof(vqemu_runtime_options, paths.binary)},
    {VQEMU_RUNTIME_FIRMWARE_DIR, OPTION_STRING,
     offsetof(vqemu_runtime_options, paths.firmware_dir)},
    {VQEMU_RUNTIME_LIB_DIR, OPTION_STRING, offsetof(vqemu_runtime_options, paths.lib_dir)},
    {VQEMU_RUNTIME_MODULE_DIR, OPTION_STRING, offsetof(vqemu_runtime_options, paths.module_dir)},
    {VQEMU_RUNTIME_LOADER, OPTION_STRING, offsetof(vqemu_runtime_options, paths.loader)},
};
static const struct options_type options_type = {
    .noun = "a runtime",
    .size = sizeof(vqemu_runtime_options),
    .keys = option_keys,
    .key_count = sizeof option_keys / sizeof option_keys[0],
};

VQEMU_EXPORT int vqemu_runtime_options_new(vqemu_runtime_options **options, vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(options, error);
    *options = options_new(&options_type);
    return *options ? 0 : error_no_memory(error);
}

VQEMU_EXPORT void vqemu_runtime_options_free(vqemu_runtime_options *options) {
    options_free(&options_type, options);
}

static bool is_key(const char *key) {
    for (size_t i = 0; i < options_type.key_count; i++)
        if (strcmp(option_keys[i].key, key) == 0)
            return true;
    return false;
}

VQEMU_EXPORT int vqemu_runtime_options_set_string(vqemu_runtime_options *options, const char *key,
                                                  const char *value, vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(options, error);
    REQUIRE_ARGUMENT(key, error);
    if (value && *value != '/' && is_key(key))
        return options_relative_path(key, value, error);
    return options_set_string(&options_type, options, key, value, error);
}

VQEMU_EXPORT int vqemu_runtime_new(const vqemu_selection *selection,
                                   const vqemu_runtime_options *options, uint32_t flags,
                                   vqemu_runtime **runtime, vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(runtime, error);
    *runtime = NULL;
    REQUIRE_ARGUMENT(selection, error);
    REQUIRE_ARGUMENT(options, error);
    REQUIRE_FLAGS(flags, 0, error);
    const struct runtime_paths *paths = &options->paths;
    const char *missing = !paths->binary         ? VQEMU_RUNTIME_BINARY
                          : !paths->firmware_dir ? VQEMU_RUNTIME_FIRMWARE_DIR
                                                 : NULL;
    if (missing)
        return options_missing(missing, "the description of a QEMU", error);
    if (paths->loader && !paths->lib_dir)
        return options_missing(VQEMU_RUNTIME_LIB_DIR, "a QEMU with a loader", error);
    return runtime_new_of_paths(selection, paths, runtime, error);
}
