/* SPDX-License-Identifier: MIT */
#include "store/ingest-options.h"

#include <stddef.h>
#include <string.h>

#include "base/error.h"
#include "base/options.h"
#include "util/export.h"
#include "util/rfc3339.h"
#include "util/utf8.h"

#define OPTION(name)                                                                               \
    { #name, OPTION_STRING, offsetof(struct vqemu_ingest_options, name) }
static const struct option_key keys[] = {
    OPTION(profile),    OPTION(created_at), OPTION(qemu_version),
    OPTION(build_date), OPTION(build_host), OPTION(description),
    OPTION(accel),      OPTION(abilities),  OPTION(guests),
};

static const struct options_type type = {
    .noun = "what is put into a store",
    .size = sizeof(struct vqemu_ingest_options),
    .keys = keys,
    .key_count = sizeof keys / sizeof *keys,
};

VQEMU_EXPORT int vqemu_ingest_options_new(vqemu_ingest_options **options, vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(options, error);
    *options = options_new(&type);
    return *options ? 0 : error_no_memory(error);
}

static int check_value(const char *key, const char *value, vqemu_error **error) {
    struct timespec parsed;
    if (strcmp(key, VQEMU_INGEST_CREATED_AT) == 0 && !rfc3339_parse(value, &parsed))
        return options_invalid(key, value, NULL, error,
                               "\"%s\" is not a time like 2025-01-31T10:00:00Z", value);
    if (!utf8_is_valid(value))
        return options_invalid(key, value, NULL, error, "it is not UTF-8 text");
    return 0;
}

VQEMU_EXPORT int vqemu_ingest_options_set_string(vqemu_ingest_options *options, const char *key,
                                                 const char *value, vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(options, error);
    REQUIRE_ARGUMENT(key, error);
    int r = value ? check_value(key, value, error) : 0;
    return r < 0 ? r : options_set_string(&type, options, key, value, error);
}

VQEMU_EXPORT void vqemu_ingest_options_free(vqemu_ingest_options *options) {
    options_free(&type, options);
}

bool ingest_options_describe(const vqemu_ingest_options *options) {
    return options && (options->created_at || options->qemu_version || options->build_date ||
                       options->build_host || options->description || options->accel ||
                       options->abilities || options->guests);
}
