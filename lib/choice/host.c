/* SPDX-License-Identifier: MIT */
#include "choice/host.h"

#include <errno.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/error.h"
#include "base/options.h"
#include "choice/arch.h"
#include "util/export.h"
#include "util/strbuf.h"

struct vqemu_host {
    char *arch;
    int32_t kvm_state;
    char *kvm_reason;
};

const char *host_arch_from_uname(const char *machine) {
    static const struct {
        const char *machine, *arch;
    } names[] = {
        {"i486", "i386"},
        {"i586", "i386"},
        {"i686", "i386"},
        {"arm64", "aarch64"},
        {"armv8l", "aarch64"}, /* a 32-bit process on an aarch64 kernel */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
        {"mips", "mipsel"},
        {"mips64", "mips64el"},
#endif
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(machine, names[i].machine) == 0)
            return names[i].arch;
    return strncmp(machine, "armv", 4) == 0 ? "arm" : machine;
}

/* Takes ownership of kvm_reason; NULL stands for a failed allocation. */
static int new_host(const char *arch, int32_t kvm_state, char *kvm_reason, vqemu_host **host,
                    vqemu_error **error) {
    _cleanup_host_ vqemu_host *new = calloc(1, sizeof *new);
    if (!new) {
        free(kvm_reason);
        return error_no_memory(error);
    }
    new->kvm_state = kvm_state;
    new->kvm_reason = kvm_reason;
    new->arch = strdup(arch);
    if (!new->arch || !new->kvm_reason)
        return error_no_memory(error);
    *host = TAKE_POINTER(new);
    return 0;
}

/* ---- this host ---- */

int host_probe_at(const struct kvm_paths *paths, vqemu_host **host, vqemu_error **error) {
    struct utsname name;
    if (uname(&name) < 0)
        return error_system(error, errno, "cannot find out the architecture of this host");
    const char *arch_name = host_arch_from_uname(name.machine);
    const struct arch *arch = arch_find(arch_name);
    int32_t state;
    char *reason;
    int r = kvm_probe(paths, arch && arch->x86, &state, &reason, error);
    return r < 0 ? r : new_host(arch_name, state, reason, host, error);
}

VQEMU_EXPORT int vqemu_host_probe(uint32_t flags, vqemu_host **host, vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(host, error);
    *host = NULL;
    REQUIRE_FLAGS(flags, 0, error);
    return host_probe_at(&kvm_paths, host, error);
}

/* ---- one that is described ---- */

struct vqemu_host_options {
    char *arch, *kvm;
};

static const struct option_key option_keys[] = {
    {VQEMU_HOST_ARCH, OPTION_STRING, offsetof(vqemu_host_options, arch)},
    {VQEMU_HOST_KVM, OPTION_STRING, offsetof(vqemu_host_options, kvm)},
};
static const struct options_type options_type = {
    .noun = "a host",
    .size = sizeof(vqemu_host_options),
    .keys = option_keys,
    .key_count = sizeof option_keys / sizeof option_keys[0],
};

static const struct {
    const char *name, *description;
} states[] = {
    [VQEMU_KVM_USABLE] = {"usable", "the host is described as having a usable KVM"},
    [VQEMU_KVM_ABSENT] = {"absent", "the host is described as having no KVM"},
    [VQEMU_KVM_DENIED] = {"denied", "the host is described as denying access to KVM"},
    [VQEMU_KVM_BROKEN] = {"broken", "the host is described as having a broken KVM"},
    [VQEMU_KVM_SOFTWARE] = {"software", "the host is described as having a software KVM"},
    [VQEMU_KVM_UNSEEN] = {"unseen", "the host is described as having a KVM of which it cannot be "
                                    "seen what serves it"},
};
#define STATE_END ((int32_t)(sizeof states / sizeof states[0]))

VQEMU_EXPORT const char *vqemu_kvm_state_name(int32_t state) {
    return state > 0 && state < STATE_END ? states[state].name : "unknown";
}

/* 0 if there is no such state. */
static int32_t find_state(const char *name) {
    for (int32_t state = 1; state < STATE_END; state++)
        if (strcmp(states[state].name, name) == 0)
            return state;
    return 0;
}

static int check_arch(const char *name, vqemu_error **error) {
    if (arch_find(name))
        return 0;
    _cleanup_free_ char *choices = arch_list_names();
    if (!choices)
        return error_no_memory(error);
    return options_not_a_choice(VQEMU_HOST_ARCH, name, choices, error);
}

static int check_state(const char *name, vqemu_error **error) {
    struct strbuf names = {0};
    if (find_state(name))
        return 0;
    for (int32_t state = 1; state < STATE_END; state++)
        strbuf_addf(&names, "%s%s", state > 1 ? ", " : "", states[state].name);
    _cleanup_free_ char *choices = strbuf_take(&names);
    if (!choices)
        return error_no_memory(error);
    return options_not_a_choice(VQEMU_HOST_KVM, name, choices, error);
}

VQEMU_EXPORT int vqemu_host_options_new(vqemu_host_options **options, vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(options, error);
    *options = options_new(&options_type);
    return *options ? 0 : error_no_memory(error);
}

VQEMU_EXPORT int vqemu_host_options_set_string(vqemu_host_options *options, const char *key,
                                               const char *value, vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(options, error);
    REQUIRE_ARGUMENT(key, error);
    int r = 0;
    if (value && strcmp(key, VQEMU_HOST_ARCH) == 0)
        r = check_arch(value, error);
    else if (value && strcmp(key, VQEMU_HOST_KVM) == 0)
        r = check_state(value, error);
    return r < 0 ? r : options_set_string(&options_type, options, key, value, error);
}

VQEMU_EXPORT void vqemu_host_options_free(vqemu_host_options *options) {
    options_free(&options_type, options);
}

VQEMU_EXPORT int vqemu_host_new(const vqemu_host_options *options, uint32_t flags,
                                vqemu_host **host, vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(host, error);
    *host = NULL;
    REQUIRE_ARGUMENT(options, error);
    REQUIRE_FLAGS(flags, 0, error);
    const char *missing = !options->arch ? VQEMU_HOST_ARCH : !options->kvm ? VQEMU_HOST_KVM : NULL;
    if (missing)
        return options_missing(missing, "the description of a host", error);
    int32_t state = find_state(options->kvm);
    return new_host(options->arch, state, strdup(states[state].description), host, error);
}

/* ---- access ---- */

VQEMU_EXPORT const char *vqemu_host_arch(const vqemu_host *host) {
    return host ? host->arch : NULL;
}

VQEMU_EXPORT int32_t vqemu_host_kvm_state(const vqemu_host *host) {
    return host ? host->kvm_state : -1;
}

VQEMU_EXPORT bool vqemu_host_kvm_usable(const vqemu_host *host) {
    return host && (host->kvm_state == VQEMU_KVM_USABLE || host->kvm_state == VQEMU_KVM_UNSEEN);
}

VQEMU_EXPORT const char *vqemu_host_kvm_reason(const vqemu_host *host) {
    return host ? host->kvm_reason : NULL;
}

VQEMU_EXPORT void vqemu_host_free(vqemu_host *host) {
    if (!host)
        return;
    free(host->arch);
    free(host->kvm_reason);
    free(host);
}
