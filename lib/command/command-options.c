/* SPDX-License-Identifier: MIT */
#include "command/command-options.h"

#include <stddef.h>
#include <string.h>

#include "base/error.h"
#include "base/options.h"
#include "store/store.h"
#include "util/export.h"

static const struct option_key keys[] = {
    {VQEMU_COMMAND_STATE_BASE, OPTION_STRING, offsetof(vqemu_command_options, state_base)},
    {VQEMU_COMMAND_RUNTIME_BASE, OPTION_STRING, offsetof(vqemu_command_options, runtime_base)},
};

static const struct options_type type = {"a command", sizeof(vqemu_command_options), keys,
                                         sizeof keys / sizeof *keys};

VQEMU_EXPORT int vqemu_command_options_new(vqemu_command_options **options, vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(options, error);
    *options = options_new(&type);
    return *options ? 0 : error_no_memory(error);
}

VQEMU_EXPORT void vqemu_command_options_free(vqemu_command_options *options) {
    if (options) {
        vqemu_policy_unref(options->policy);
        vqemu_capabilities_unref(options->capabilities);
        vqemu_store_unref(options->others);
    }
    options_free(&type, options);
}

VQEMU_EXPORT int vqemu_command_options_set_string(vqemu_command_options *options, const char *key,
                                                  const char *value, vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(options, error);
    REQUIRE_ARGUMENT(key, error);
    bool is_base =
        strcmp(key, VQEMU_COMMAND_STATE_BASE) == 0 || strcmp(key, VQEMU_COMMAND_RUNTIME_BASE) == 0;
    int r = is_base && value ? options_check_directory(key, value, error) : 0;
    return r < 0 ? r : options_set_string(&type, options, key, value, error);
}

VQEMU_EXPORT int vqemu_command_options_set_policy(vqemu_command_options *options,
                                                  vqemu_policy *policy, vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(options, error);
    vqemu_policy *former = options->policy;
    options->policy = vqemu_policy_ref(policy);
    vqemu_policy_unref(former);
    return 0;
}

VQEMU_EXPORT int vqemu_command_options_set_capabilities(vqemu_command_options *options,
                                                        vqemu_capabilities *capabilities,
                                                        vqemu_store *others, vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(options, error);
    if (others)
        REQUIRE_STORE(others, error);
    vqemu_capabilities *former = options->capabilities;
    vqemu_store *former_others = options->others;
    options->capabilities = vqemu_capabilities_ref(capabilities);
    options->others = vqemu_store_ref(others);
    vqemu_capabilities_unref(former);
    vqemu_store_unref(former_others);
    return 0;
}

struct command_settings command_settle(const vqemu_command_options *options, vqemu_call *call) {
    static const vqemu_command_options none = {0};
    const vqemu_command_options *set = options ? options : &none;
    return (struct command_settings){
        .state_base = set->state_base ? set->state_base : COMMAND_STATE_BASE,
        .runtime_base = set->runtime_base ? set->runtime_base : COMMAND_RUNTIME_BASE,
        .policy = set->policy,
        .capabilities = set->capabilities,
        .others = set->others,
        .call = call,
    };
}
