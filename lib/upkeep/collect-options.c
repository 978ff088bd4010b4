/* SPDX-License-Identifier: MIT */
#include "upkeep/collect-options.h"

#include <stddef.h>

#include "base/error.h"
#include "base/options.h"
#include "util/export.h"

static const struct option_key keys[] = {
    {VQEMU_COLLECT_KEEP, OPTION_NUMBER, offsetof(vqemu_collect_options, keep)},
};

static const struct options_type options_type = {"a collection", sizeof(vqemu_collect_options),
                                                 keys, sizeof keys / sizeof *keys};

VQEMU_EXPORT int vqemu_collect_options_new(vqemu_collect_options **options, vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(options, error);
    *options = options_new(&options_type);
    return *options ? 0 : error_no_memory(error);
}

VQEMU_EXPORT void vqemu_collect_options_free(vqemu_collect_options *options) {
    options_free(&options_type, options);
}

VQEMU_EXPORT int vqemu_collect_options_set_number(vqemu_collect_options *options, const char *key,
                                                  uint64_t value, vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(options, error);
    REQUIRE_ARGUMENT(key, error);
    return options_set_number(&options_type, options, key, value, error);
}
