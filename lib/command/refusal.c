/* SPDX-License-Identifier: MIT */
#include "command/refusal.h"

#include <stdarg.h>
#include <string.h>

#include "base/error.h"
#include "choice/profile.h"
#include "util/strbuf.h"

/* The key that a message begins with, as its own string; NULL if it begins with none. Capitals and
 * hyphens are those of ids, "slots.rng-device". */
static char *key_of(const char *message) {
    static const char characters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.[]";
    size_t length = strspn(message, characters);
    return length > 0 && strncmp(message + length, ": ", 2) == 0 ? strndup(message, length) : NULL;
}

int refuse(vqemu_error **error, int code, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int r = error_set_va(error, code, 0, format, arguments);
    va_end(arguments);
    _cleanup_free_ char *key = error ? key_of(vqemu_error_message(*error)) : NULL;
    return error_because(r, error, NULL, VQEMU_DETAIL_KEY, key, NULL);
}

/* The profiles that have an ability and run such guests somewhere; NULL without memory. */
static char *list_able(const struct plan *plan, enum vqemu_ability ability) {
    struct strbuf names = {0};
    const char *kvm_host = plan->arch->kvm_hosts[0];
    for (size_t i = 0; i < vqemu_profile_count(); i++) {
        const vqemu_profile *profile = vqemu_profile_at(i);
        if ((vqemu_profile_abilities(profile) & ability) &&
            profile_serves(profile, plan->arch, kvm_host ? kvm_host : plan->arch->name))
            strbuf_addf(&names, "%s%s", names.length ? ", " : "", vqemu_profile_name(profile));
    }
    return strbuf_take(&names);
}

int refuse_without(const struct plan *plan, enum vqemu_ability ability, const char *key,
                   vqemu_error **error) {
    if (vqemu_profile_abilities(plan->profile) & ability)
        return 0;
    _cleanup_free_ char *able = list_able(plan, ability), *thing = abilities_describe(ability);
    if (!able || !thing)
        return error_no_memory(error);
    int r = refuse(
        error, VQEMU_ERR_UNSUPPORTED, "%s: the profile %s has no %s; for %s guests, these have: %s",
        key, vqemu_profile_name(plan->profile), thing, plan->arch->name, *able ? able : "none");
    return error_because(r, error, "profile-lacks-ability", VQEMU_DETAIL_PROFILE,
                         vqemu_profile_name(plan->profile), VQEMU_DETAIL_PROFILES, able, NULL);
}

int refuse_for_machine(const struct plan *plan, const char *key, const char *what,
                       vqemu_error **error) {
    int r = refuse(error, VQEMU_ERR_UNSUPPORTED, "%s: the machine %s of %s guests has no %s", key,
                   plan->machine_name, plan->arch->name, what);
    return error_because(r, error, "machine-lacks-device", NULL);
}
