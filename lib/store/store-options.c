/* SPDX-License-Identifier: MIT */
#include "store/store-options.h"

#include <limits.h>

#include "base/error.h"
#include "base/options.h"
#include "trust/trust.h"
#include "util/export.h"

#define OPTION(name)                                                                               \
    { #name, OPTION_STRING, offsetof(vqemu_store_options, name) }
static const struct option_key option_keys[] = {
    OPTION(root),  OPTION(objects),
    OPTION(refs),  OPTION(trees),
    OPTION(links), {VQEMU_STORE_ROOT_FD, OPTION_NUMBER, offsetof(vqemu_store_options, root_fd)},
};

static const struct options_type options_type = {
    .noun = "a store",
    .size = sizeof(vqemu_store_options),
    .keys = option_keys,
    .key_count = sizeof option_keys / sizeof *option_keys,
};

VQEMU_EXPORT int vqemu_store_options_new(vqemu_store_options **options, vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(options, error);
    *options = options_new(&options_type);
    return *options ? 0 : error_no_memory(error);
}

VQEMU_EXPORT int vqemu_store_options_set_string(vqemu_store_options *options, const char *key,
                                                const char *value, vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(options, error);
    REQUIRE_ARGUMENT(key, error);
    if (value && !*value)
        return options_invalid(key, value, NULL, error, "the path is empty");
    return options_set_string(&options_type, options, key, value, error);
}

VQEMU_EXPORT int vqemu_store_options_set_number(vqemu_store_options *options, const char *key,
                                                uint64_t value, vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(options, error);
    REQUIRE_ARGUMENT(key, error);
    if (value > INT_MAX)
        return options_invalid(key, NULL, NULL, error, "%llu is no descriptor",
                               (unsigned long long)value);
    return options_set_number(&options_type, options, key, value + 1, error);
}

VQEMU_EXPORT int vqemu_store_options_set_trust(vqemu_store_options *options, vqemu_trust *trust,
                                               vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(options, error);
    vqemu_trust_ref(trust);
    vqemu_trust_unref(options->trust);
    options->trust = trust;
    return 0;
}

VQEMU_EXPORT void vqemu_store_options_free(vqemu_store_options *options) {
    if (options)
        vqemu_trust_unref(options->trust);
    options_free(&options_type, options);
}

bool store_options_has_root(const vqemu_store_options *options) {
    return options->root || options->root_fd;
}

int store_options_check(const vqemu_store_options *options, vqemu_error **error) {
    const char *missing = store_options_has_root(options) ? NULL
                          : !options->objects             ? VQEMU_STORE_OBJECTS
                          : !options->refs                ? VQEMU_STORE_REFS
                          : !options->trees               ? VQEMU_STORE_TREES
                                                          : NULL;
    bool is_nothing_given = !options->objects && !options->refs && !options->trees;
    if (missing && is_nothing_given)
        return options_missing(VQEMU_STORE_ROOT, "what says where the store is", error);
    return missing ? options_invalid(missing, NULL, NULL, error,
                                     "a store needs this path, if it has no root")
                   : 0;
}
