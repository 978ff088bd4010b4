/* SPDX-License-Identifier: MIT */
#include "choice/wanted.h"

#include <string.h>

#include "base/error.h"
#include "choice/profile.h"

static bool is_empty(const char *text) {
    return !text || !*text;
}

/* ---- profiles ---- */

vqemu_profile *wanted_find_profile(const vqemu_request *request, const char *name) {
    vqemu_profile *profile = vqemu_profile_find(name);
    for (size_t i = 0; !profile && i < request->candidate_count; i++)
        if (strcmp(vqemu_profile_name(request->candidates[i]), name) == 0)
            profile = request->candidates[i];
    return profile;
}

bool wanted_has_revision(const vqemu_request *request, const vqemu_profile *profile) {
    for (size_t i = 0; i < request->candidate_count; i++)
        if (strcmp(vqemu_profile_name(request->candidates[i]), vqemu_profile_name(profile)) == 0)
            return true;
    return !request->has_candidates;
}

/* ---- orders ---- */

static const struct {
    const char *word; /* of the accelerator or the mode */
    enum order order;
    const char *ordered_by, *way_out;
} orders[] = {
    {"kvm", ORDER_KVM, "accel kvm", "accel tcg"},
    {"tcg", ORDER_EMULATION, "accel tcg", "accel kvm"},
    {"hybrid-kvm", ORDER_KVM, "mode hybrid-kvm", "mode hybrid-emulated"},
    {"hybrid-emulated", ORDER_EMULATION, "mode hybrid-emulated", "mode hybrid-kvm"},
};

static enum order order_of(const char *word) {
    for (size_t i = 0; word && i < sizeof orders / sizeof orders[0]; i++)
        if (strcmp(orders[i].word, word) == 0)
            return orders[i].order;
    return ORDER_NONE;
}

static void take_order(struct wanted *wanted, const char *word) {
    for (size_t i = 0; word && i < sizeof orders / sizeof orders[0]; i++) {
        if (strcmp(orders[i].word, word) == 0) {
            wanted->order = orders[i].order;
            wanted->ordered_by = orders[i].ordered_by;
            wanted->way_out = orders[i].way_out;
        }
    }
}

static bool profile_contradicts(const vqemu_request *request, const char *name, enum order order) {
    const vqemu_profile *profile = name ? wanted_find_profile(request, name) : NULL;
    return profile && order != ORDER_NONE && order != order_of(vqemu_profile_accel(profile));
}

static int contradiction(vqemu_error **error, const char *key, const char *value,
                         const char *other_key, const char *other) {
    int r = error_set(error, VQEMU_ERR_INVALID, 0, "%s: %s contradicts %s %s", key, value,
                      other_key, other);
    return error_because(r, error, "contradiction", VQEMU_DETAIL_KEY, key, VQEMU_DETAIL_VALUE,
                         value, NULL);
}

/* What is set by key, and what the VM says, must each make sense by itself. */
static int check_contradictions(const vqemu_request *request, vqemu_error **error) {
    const struct vm_needs *vm = &request->vm;
    enum order accel = order_of(request->accel), mode = order_of(request->mode);
    if (accel != ORDER_NONE && mode != ORDER_NONE && accel != mode)
        return contradiction(error, VQEMU_REQUEST_ACCEL, request->accel, VQEMU_REQUEST_MODE,
                             request->mode);
    if (profile_contradicts(request, request->profile, accel))
        return contradiction(error, VQEMU_REQUEST_ACCEL, request->accel, VQEMU_REQUEST_PROFILE,
                             request->profile);
    if (profile_contradicts(request, request->profile, mode))
        return contradiction(error, VQEMU_REQUEST_MODE, request->mode, VQEMU_REQUEST_PROFILE,
                             request->profile);
    if (!request->accel && !request->mode && !request->profile &&
        profile_contradicts(request, vm->profile, order_of(vm->mode)))
        return contradiction(error, VQEMU_REQUEST_MODE, vm->mode, VQEMU_REQUEST_PROFILE,
                             vm->profile);
    return 0;
}

/* By key wins: also over what of the VM contradicts it. */
static void choose_words(struct wanted *wanted, const vqemu_request *request) {
    const struct vm_needs *vm = &request->vm;
    if (!is_empty(request->accel))
        take_order(wanted, request->accel);
    else if (!is_empty(request->mode))
        take_order(wanted, request->mode);
    else if (!request->accel && !request->mode && !request->profile)
        take_order(wanted, vm->mode);
    if (request->profile)
        wanted->profile = request->profile;
    else if (!profile_contradicts(request, vm->profile, wanted->order))
        wanted->profile = vm->profile;
}

/* ---- the whole ---- */

int wanted_fill(struct wanted *wanted, const vqemu_host *host, const vqemu_request *request,
                vqemu_error **error) {
    *wanted = (struct wanted){.host = host, .request = request};
    int r = check_contradictions(request, error);
    if (r < 0)
        return r;
    choose_words(wanted, request);
    const char *os = request_guest_os(request), *name = request_guest_arch(request);
    wanted->os = is_empty(os) ? "linux" : os;
    wanted->arch_is_given = !is_empty(name);
    wanted->arch = arch_find(wanted->arch_is_given ? name : vqemu_host_arch(host));
    if (!wanted->arch) /* a host that is in no table can still emulate */
        wanted->arch = arch_at(0);
    wanted->needs = request_needs(request, wanted->arch);
    return 0;
}
