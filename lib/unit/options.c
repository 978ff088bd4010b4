/* SPDX-License-Identifier: MIT */
#include "unit/options.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/options.h"
#include "util/export.h"

#define DEFAULT_PREFIX "volt-vm-"
#define PREFIX_LENGTH_MAX 64
#define DEFAULT_STOP_TIMEOUT 90                /* seconds */
#define STOP_TIMEOUT_MAX ((uint64_t)7 * 86400) /* what is longer is a mistake */

static const struct option_key keys[] = {
    {VQEMU_UNIT_NAME_PREFIX, OPTION_STRING, offsetof(vqemu_unit_options, name_prefix)},
    {VQEMU_UNIT_STOP_DIRECTORY, OPTION_STRING, offsetof(vqemu_unit_options, stop_directory)},
    {VQEMU_UNIT_STOP_SECONDS, OPTION_NUMBER, offsetof(vqemu_unit_options, stop_seconds)},
};

static const struct options_type unit_options_type = {"a unit", sizeof(vqemu_unit_options), keys,
                                                      sizeof keys / sizeof *keys};

/* ---- checks ---- */

static int check_prefix(const char *prefix, vqemu_error **error) {
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "0123456789_-";
    size_t length = strlen(prefix);
    if (length > 0 && length <= PREFIX_LENGTH_MAX && strspn(prefix, allowed) == length)
        return 0;
    return options_invalid(VQEMU_UNIT_NAME_PREFIX, prefix, NULL, error,
                           "\"%s\" must be 1 to %d of the letters, digits, \"_\" and \"-\"", prefix,
                           PREFIX_LENGTH_MAX);
}

static int check_timeout(uint64_t seconds, vqemu_error **error) {
    if (seconds <= STOP_TIMEOUT_MAX)
        return 0;
    char text[24];
    snprintf(text, sizeof text, "%llu", (unsigned long long)seconds);
    int r = options_invalid(VQEMU_UNIT_STOP_SECONDS, text, NULL, error,
                            "%s seconds are too many; it can have %llu", text,
                            (unsigned long long)STOP_TIMEOUT_MAX);
    return error_because(r, error, "out-of-range", NULL);
}

static int check_string(const char *key, const char *value, vqemu_error **error) {
    if (strcmp(key, VQEMU_UNIT_NAME_PREFIX) == 0)
        return check_prefix(value, error);
    if (strcmp(key, VQEMU_UNIT_STOP_DIRECTORY) == 0)
        return options_check_directory(key, value, error);
    return 0; /* not a key, or not of a string */
}

/* ---- the object ---- */

VQEMU_EXPORT int vqemu_unit_options_new(vqemu_unit_options **options, vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(options, error);
    *options = options_new(&unit_options_type);
    return *options ? 0 : error_no_memory(error);
}

VQEMU_EXPORT void vqemu_unit_options_free(vqemu_unit_options *options) {
    if (options)
        strv_release(&options->stop);
    options_free(&unit_options_type, options);
}

VQEMU_EXPORT int vqemu_unit_options_set_string(vqemu_unit_options *options, const char *key,
                                               const char *value, vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(options, error);
    REQUIRE_ARGUMENT(key, error);
    int r = value ? check_string(key, value, error) : 0;
    return r < 0 ? r : options_set_string(&unit_options_type, options, key, value, error);
}

VQEMU_EXPORT int vqemu_unit_options_set_number(vqemu_unit_options *options, const char *key,
                                               uint64_t value, vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(options, error);
    REQUIRE_ARGUMENT(key, error);
    int r = strcmp(key, VQEMU_UNIT_STOP_SECONDS) == 0 ? check_timeout(value, error) : 0;
    return r < 0 ? r : options_set_number(&unit_options_type, options, key, value, error);
}

VQEMU_EXPORT int vqemu_unit_options_set_stop_command(vqemu_unit_options *options,
                                                     const char *const *argv, vqemu_error **error) {
    struct strv stop = {0};
    error_begin(error);
    REQUIRE_ARGUMENT(options, error);
    if (argv && !argv[0])
        return options_missing("stop_command", "the program that stops the VM", error);
    if (argv && argv[0][0] != '/')
        return options_relative_path("stop_command", argv[0], error);
    for (size_t i = 0; argv && argv[i]; i++)
        strv_add(&stop, argv[i]);
    if (stop.failed) {
        strv_release(&stop);
        return error_no_memory(error);
    }
    strv_release(&options->stop);
    options->stop = stop;
    return 0;
}

void unit_settle(const vqemu_command_options *command_options, const vqemu_unit_options *options,
                 vqemu_call *call, struct unit_settings *settings) {
    static const vqemu_unit_options none = {0};
    const vqemu_unit_options *set = options ? options : &none;
    *settings = (struct unit_settings){
        .name_prefix = set->name_prefix ? set->name_prefix : DEFAULT_PREFIX,
        .command = command_settle(command_options, call),
        .stop_directory = set->stop_directory,
        .stop_seconds = set->stop_seconds ? set->stop_seconds : DEFAULT_STOP_TIMEOUT,
        .stop = &set->stop,
    };
}
