/* SPDX-License-Identifier: MIT */
#include "command/args.h"

#include <stdarg.h>
#include <string.h>

#include "base/error.h"
#include "choice/profile.h"

bool args_is_virtiofs(const char *driver) {
    return driver && strcmp(driver, "virtiofs") == 0;
}

bool args_has_virtiofs(const vqemu_vm *vm) {
    bool found = vm->rootfs && args_is_virtiofs(vm->rootfs_driver);
    for (size_t i = 0; i < vm->shares.count; i++)
        found = found || args_is_virtiofs(((const vqemu_share *)vm->shares.items[i])->driver);
    return found;
}

bool args_is_windows(const struct args *args) {
    return strcmp(args->guest_os, "windows") == 0;
}

bool args_has_virtio_drivers(const struct args *args) {
    return strcmp(args->guest_os, "linux") == 0;
}

void args_release(struct args *args) {
    free(args->state_dir);
    free(args->runtime_dir);
    free(args->nvram);
    firmware_release(&args->firmware);
    strv_release(&args->argv);
    strv_release(&args->claims);
    strv_release(&args->readings);
    strv_release(&args->mentions);
    resources_release(&args->resources);
}

/* ---- what cannot be had ---- */

/* The key that a message begins with, as its own string; NULL if it begins with none. */
static char *key_of(const char *message) {
    static const char characters[] = "abcdefghijklmnopqrstuvwxyz0123456789_.[]";
    size_t length = strspn(message, characters);
    return length > 0 && strncmp(message + length, ": ", 2) == 0 ? strndup(message, length) : NULL;
}

int args_refuse(vqemu_error **error, int code, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int r = error_set_va(error, code, 0, format, arguments);
    va_end(arguments);
    _cleanup_free_ char *key = error ? key_of(vqemu_error_message(*error)) : NULL;
    return error_because(r, error, NULL, VQEMU_DETAIL_KEY, key, NULL);
}

/* The profiles that have an ability and run such guests somewhere; NULL without memory. */
static char *list_able(const struct args *args, enum vqemu_ability ability) {
    struct strbuf names = {0};
    const char *kvm_host = args->arch->kvm_hosts[0];
    for (size_t i = 0; i < vqemu_profile_count(); i++) {
        const vqemu_profile *profile = vqemu_profile_at(i);
        if ((vqemu_profile_abilities(profile) & ability) &&
            profile_serves(profile, args->arch, kvm_host ? kvm_host : args->arch->name))
            strbuf_addf(&names, "%s%s", names.length ? ", " : "", vqemu_profile_name(profile));
    }
    return strbuf_take(&names);
}

int args_require(const struct args *args, enum vqemu_ability ability, const char *key,
                 vqemu_error **error) {
    if (vqemu_profile_abilities(args->profile) & ability)
        return 0;
    _cleanup_free_ char *able = list_able(args, ability);
    if (!able)
        return error_no_memory(error);
    int r = args_refuse(error, VQEMU_ERR_UNSUPPORTED,
                        "%s: the profile %s has no %s; for %s guests, these have: %s", key,
                        vqemu_profile_name(args->profile), vqemu_ability_name(ability),
                        args->arch->name, *able ? able : "none");
    return error_because(r, error, "profile-lacks-ability", VQEMU_DETAIL_PROFILE,
                         vqemu_profile_name(args->profile), VQEMU_DETAIL_PROFILES, able, NULL);
}

int args_unsupported(const struct args *args, const char *key, const char *what,
                     vqemu_error **error) {
    int r = args_refuse(error, VQEMU_ERR_UNSUPPORTED, "%s: the machine %s of %s guests has no %s",
                        key, args->machine_name, args->arch->name, what);
    return error_because(r, error, "machine-lacks-device", NULL);
}

/* ---- making options ---- */

void args_option(struct args *args, const char *option, const char *value) {
    strv_add(&args->argv, option);
    strv_add(&args->argv, value);
}

void args_option_buffer(struct args *args, const char *option, struct strbuf *value) {
    strv_add(&args->argv, option);
    strv_take_in(&args->argv, strbuf_take(value));
}

void args_virtio(const struct args *args, struct strbuf *device, const char *kind, const char *id,
                 int number) {
    strbuf_addf(device, "%s-%s,id=%s", kind, args->arch->bus, id);
    if (number >= 0)
        strbuf_addf(device, "%d", number);
}

char *args_path_or(const char *path, const char *directory, const char *name) {
    return path ? strdup(path) : format_string("%s/%s", directory, name);
}
