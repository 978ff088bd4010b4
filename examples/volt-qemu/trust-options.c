/* SPDX-License-Identifier: MIT */
#include "trust-options.h"

#include "cleanup.h"
#include "message.h"

int trust_from_options(const struct options *options, vqemu_trust **trust) {
    _cleanup_error_ vqemu_error *error = NULL;
    _cleanup_trust_ vqemu_trust *new = NULL;
    int code = 0;
    for (size_t i = 0; !code && i < options->setting_count; i++) {
        if (options->settings[i].kind != SETTING_SIGNER)
            continue;
        if (!new)
            code = vqemu_trust_new(&new, &error);
        if (!code)
            code = vqemu_trust_add_key_file(new, options->settings[i].text, 0, &error);
    }
    if (code)
        return fail_request(options->command, error);
    *trust = new;
    new = NULL;
    return 0;
}
