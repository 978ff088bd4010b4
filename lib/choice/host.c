/* SPDX-License-Identifier: MIT */
#include "choice/host.h"

#include <errno.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/error.h"
#include "base/options.h"
#include "choice/arch.h"
#include "choice/vhost-net.h"
#include "util/export.h"
#include "util/join.h"
#include "util/strbuf.h"

struct vqemu_host {
    char *arch;
    int32_t kvm_state;
    char *kvm_message;
    int32_t vhost_net_state;
    char *vhost_net_message;
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

static int new_host(const char *arch, vqemu_host **host, vqemu_error **error) {
    _cleanup_host_ vqemu_host *new = calloc(1, sizeof *new);
    if (!new)
        return error_no_memory(error);
    new->arch = strdup(arch);
    if (!new->arch)
        return error_no_memory(error);
    *host = TAKE_POINTER(new);
    return 0;
}

/* ---- this host ---- */

int host_probe_at(const struct kvm_paths *paths, const char *vhost_net, vqemu_host **host,
                  vqemu_error **error) {
    struct utsname name;
    if (uname(&name) < 0)
        return error_system(error, errno, "cannot find out the architecture of this host");
    const char *arch_name = host_arch_from_uname(name.machine);
    const struct arch *arch = arch_find(arch_name);
    _cleanup_host_ vqemu_host *new = NULL;
    int r = new_host(arch_name, &new, error);
    if (r == 0)
        r = kvm_probe(paths, arch && arch->x86, &new->kvm_state, &new->kvm_message, error);
    if (r == 0)
        r = vhost_net_probe(vhost_net, paths->device, &new->vhost_net_state,
                            &new->vhost_net_message, error);
    if (r < 0)
        return r;
    *host = TAKE_POINTER(new);
    return 0;
}

VQEMU_EXPORT int vqemu_host_probe(uint32_t flags, vqemu_host **host, vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(host, error);
    *host = NULL;
    REQUIRE_FLAGS(flags, 0, error);
    return host_probe_at(&kvm_paths, VHOST_NET_DEVICE, host, error);
}

/* ---- one that is described ---- */

struct vqemu_host_options {
    char *arch, *kvm, *vhost_net;
};

static const struct option_key option_keys[] = {
    {VQEMU_HOST_ARCH, OPTION_STRING, offsetof(vqemu_host_options, arch)},
    {VQEMU_HOST_KVM, OPTION_STRING, offsetof(vqemu_host_options, kvm)},
    {VQEMU_HOST_VHOST_NET, OPTION_STRING, offsetof(vqemu_host_options, vhost_net)},
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

/* The name of a state, and "unknown" for the first number that is none. */
typedef const char *state_name_fn(int32_t state);

static bool is_state(const char *name, state_name_fn *state_name) {
    int32_t state = 1;
    while (strcmp(state_name(state), "unknown") != 0 && strcmp(state_name(state), name) != 0)
        state++;
    return strcmp(state_name(state), "unknown") != 0;
}

static char *list_states(state_name_fn *state_name) {
    struct strbuf names = {0};
    for (int32_t state = 1; strcmp(state_name(state), "unknown") != 0; state++)
        strbuf_addf(&names, "%s%s", state > 1 ? ", " : "", state_name(state));
    return strbuf_take(&names);
}

static int check_state(const char *key, const char *name, state_name_fn *state_name,
                       vqemu_error **error) {
    if (is_state(name, state_name))
        return 0;
    _cleanup_free_ char *choices = list_states(state_name);
    return choices ? options_not_a_choice(key, name, choices, error) : error_no_memory(error);
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
        r = check_state(key, value, vqemu_kvm_state_name, error);
    else if (value && strcmp(key, VQEMU_HOST_VHOST_NET) == 0)
        r = check_state(key, value, vqemu_vhost_net_state_name, error);
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
    _cleanup_host_ vqemu_host *new = NULL;
    int r = new_host(options->arch, &new, error);
    if (r < 0)
        return r;
    new->kvm_state = find_state(options->kvm);
    new->kvm_message = strdup(states[new->kvm_state].description);
    new->vhost_net_state =
        options->vhost_net ? vhost_net_find_state(options->vhost_net) : VQEMU_VHOST_NET_UNSEEN;
    new->vhost_net_message = join_texts("the host is described with a vhost-net that is ",
                                        vqemu_vhost_net_state_name(new->vhost_net_state), NULL);
    if (!new->kvm_message || !new->vhost_net_message)
        return error_no_memory(error);
    *host = TAKE_POINTER(new);
    return 0;
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

VQEMU_EXPORT const char *vqemu_host_kvm_message(const vqemu_host *host) {
    return host ? host->kvm_message : NULL;
}

VQEMU_EXPORT int32_t vqemu_host_vhost_net_state(const vqemu_host *host) {
    return host ? host->vhost_net_state : -1;
}

VQEMU_EXPORT const char *vqemu_host_vhost_net_message(const vqemu_host *host) {
    return host ? host->vhost_net_message : NULL;
}

VQEMU_EXPORT void vqemu_host_free(vqemu_host *host) {
    if (!host)
        return;
    free(host->arch);
    free(host->vhost_net_message);
    free(host->kvm_message);
    free(host);
}
