/* SPDX-License-Identifier: MIT */
#include "choice/selection.h"

#include <string.h>

#include "base/error.h"
#include "choice/profile.h"
#include "util/export.h"
#include "util/strbuf.h"

struct rejection {
    const vqemu_profile *profile;
    char *reason;
};

struct vqemu_selection {
    const vqemu_profile *profile;
    const struct arch *arch;
    char *problem; /* why the accelerator does not work on the host; NULL if it does */
    char *reason;
    struct rejection *rejected;
    size_t rejected_count;
};

enum mode { MODE_AUTO, MODE_KVM, MODE_EMULATED };

/* A request with its defaults filled in. */
struct request {
    const vqemu_host *host;
    enum mode mode;
    const struct arch *arch;
    const char *os;
    bool needs_uefi;
};

static bool is_empty(const char *text) {
    return !text || !*text;
}

static int find_arch(const char *name, const struct arch **arch, vqemu_error **error) {
    *arch = arch_find(name);
    if (*arch)
        return 0;
    _cleanup_free_ char *known = arch_list_names();
    if (!known)
        return error_no_memory(error);
    return error_set(error, VQEMU_ERR_INVALID, 0,
                     "unknown guest architecture \"%s\": the architectures are %s", name, known);
}

static int fill_request(struct request *request, const vqemu_host *host, const char *mode,
                        const char *guest_arch, const char *guest_os, vqemu_error **error) {
    request->host = host;
    request->mode = MODE_AUTO;
    if (mode && strcmp(mode, "hybrid-kvm") == 0)
        request->mode = MODE_KVM;
    else if (mode && strcmp(mode, "hybrid-emulated") == 0)
        request->mode = MODE_EMULATED;
    request->os = is_empty(guest_os) ? "linux" : guest_os;
    request->needs_uefi = strcmp(request->os, "windows") == 0 || strcmp(request->os, "uefi") == 0;
    if (!is_empty(guest_arch))
        return find_arch(guest_arch, &request->arch, error);
    request->arch = arch_find(vqemu_host_arch(host));
    if (!request->arch) /* a host that is in no table can still emulate */
        request->arch = arch_at(0);
    return 0;
}

static bool uses_kvm(const vqemu_profile *profile) {
    return vqemu_profile_abilities(profile) & VQEMU_ABILITY_KVM;
}

static char *object_to_guest(const vqemu_profile *profile, const struct request *request) {
    const char *host = vqemu_host_arch(request->host);
    _cleanup_free_ char *guests = profile_list_guests(profile, host);
    if (!guests)
        return NULL;
    if (uses_kvm(profile))
        return format_string("on this %s host it runs %s guests, not %s", host, guests,
                             request->arch->name);
    return format_string("it runs %s guests, not %s", guests, request->arch->name);
}

/* Why a KVM profile does not fit. */
static const char *object_to_kvm(const vqemu_profile *profile, const struct request *request) {
    bool has_uefi = vqemu_profile_abilities(profile) & VQEMU_ABILITY_UEFI;
    if (request->mode == MODE_EMULATED)
        return "mode hybrid-emulated asks for emulation";
    if (request->mode == MODE_AUTO && !vqemu_host_kvm_usable(request->host))
        return vqemu_host_kvm_reason(request->host);
    if (has_uefi && !request->needs_uefi)
        return "the guest needs no UEFI firmware";
    if (!has_uefi && request->needs_uefi)
        return "it has no UEFI firmware, which the guest needs";
    return NULL;
}

/*
 * Why a profile does not fit a request: *objection is NULL if it does. Returns false without
 * memory.
 */
static bool find_objection(const vqemu_profile *profile, const struct request *request,
                           char **objection) {
    const char *text = NULL;
    *objection = NULL;
    if (!uses_kvm(profile) && request->mode == MODE_KVM) {
        text = "mode hybrid-kvm asks for KVM";
    } else if (!profile_serves(profile, request->arch, vqemu_host_arch(request->host))) {
        *objection = object_to_guest(profile, request);
        return *objection;
    } else if (uses_kvm(profile)) {
        text = object_to_kvm(profile, request);
    }
    if (!text)
        return true;
    *objection = strdup(text);
    return *objection;
}

static char *explain_choice(const struct request *request, const vqemu_selection *selection) {
    const char *arch = request->arch->name;
    const char *kvm_reason = vqemu_host_kvm_reason(request->host);
    const char *firmware = request->needs_uefi ? "needs UEFI firmware" : "needs no UEFI firmware";
    if (request->mode == MODE_EMULATED)
        return format_string("mode hybrid-emulated asks for emulation, and the guest is %s", arch);
    if (request->mode == MODE_KVM)
        return format_string("mode hybrid-kvm asks for KVM, and the guest %s%s%s", firmware,
                             selection->problem ? "; but " : "",
                             selection->problem ? selection->problem : "");
    if (uses_kvm(selection->profile))
        return format_string("KVM works on this host (%s) and runs %s guests; the guest %s",
                             kvm_reason, arch, firmware);
    if (!vqemu_host_kvm_usable(request->host))
        return format_string("KVM does not work on this host (%s), so the %s guest is emulated",
                             kvm_reason, arch);
    return format_string("KVM on this %s host runs no %s guest that fits, so the guest is emulated",
                         vqemu_host_arch(request->host), arch);
}

static int new_selection(const struct arch *arch, vqemu_selection **selection,
                         vqemu_error **error) {
    vqemu_selection *new = calloc(1, sizeof *new);
    if (new)
        new->rejected = calloc(vqemu_profile_count(), sizeof *new->rejected);
    if (!new || !new->rejected) {
        free(new);
        return error_no_memory(error);
    }
    new->arch = arch;
    *selection = new;
    return 0;
}

/* Takes ownership of reason; false if that is NULL. */
static bool reject(vqemu_selection *selection, const vqemu_profile *profile, char *reason) {
    if (!reason)
        return false;
    selection->rejected[selection->rejected_count++] = (struct rejection){profile, reason};
    return true;
}

/* Take the first profile without an objection; false without memory. */
static bool choose(vqemu_selection *selection, const struct request *request) {
    for (size_t i = 0; i < vqemu_profile_count(); i++) {
        const vqemu_profile *profile = vqemu_profile_at(i);
        char *objection = NULL;
        if (!find_objection(profile, request, &objection))
            return false;
        if (objection) {
            if (!reject(selection, profile, objection))
                return false;
        } else if (!selection->profile) {
            selection->profile = profile;
        } else if (!reject(selection, profile, strdup("KVM works here and is faster"))) {
            return false;
        }
    }
    return true;
}

static int refuse(const vqemu_selection *selection, const struct request *request,
                  vqemu_error **error) {
    _cleanup_strbuf_ struct strbuf why = {0};
    for (size_t i = 0; i < selection->rejected_count; i++) {
        const struct rejection *rejected = &selection->rejected[i];
        if (request->mode != MODE_KVM || uses_kvm(rejected->profile))
            strbuf_addf(&why, "%s%s: %s", why.length ? "; " : ": ",
                        vqemu_profile_name(rejected->profile), rejected->reason);
    }
    if (why.failed)
        return error_no_memory(error);
    return error_set(
        error, VQEMU_ERR_UNSUPPORTED, 0,
        "no profile fits %s, guest architecture %s and guest OS %s on this %s host%s%s",
        request->mode == MODE_KVM ? "mode hybrid-kvm" : "this mode", request->arch->name,
        request->os, vqemu_host_arch(request->host), why.text,
        request->mode == MODE_KVM ? "; mode hybrid-emulated can emulate it" : "");
}

/* Note whether the chosen accelerator works on the host; false without memory. */
static bool note_problem(vqemu_selection *selection, const vqemu_host *host) {
    if (!uses_kvm(selection->profile) || vqemu_host_kvm_usable(host))
        return true;
    selection->problem =
        format_string("KVM does not work on this host now: %s", vqemu_host_kvm_reason(host));
    return selection->problem;
}

VQEMU_EXPORT int vqemu_select(const vqemu_host *host, const char *mode, const char *guest_arch,
                              const char *guest_os, vqemu_selection **selection,
                              vqemu_error **error) {
    *selection = NULL;
    struct request request;
    int r = fill_request(&request, host, mode, guest_arch, guest_os, error);
    if (r < 0)
        return r;
    _cleanup_selection_ vqemu_selection *new = NULL;
    r = new_selection(request.arch, &new, error);
    if (r < 0)
        return r;
    if (!choose(new, &request))
        return error_no_memory(error);
    if (!new->profile)
        return refuse(new, &request, error);
    if (note_problem(new, host))
        new->reason = explain_choice(&request, new);
    if (!new->reason)
        return error_no_memory(error);
    *selection = TAKE_POINTER(new);
    return 0;
}

static const struct arch *default_arch(const vqemu_profile *profile, const char *host_arch) {
    const struct arch *host = arch_find(host_arch);
    if (host && profile_serves(profile, host, host_arch))
        return host;
    for (size_t i = 0; i < arch_count(); i++)
        if (profile_serves(profile, arch_at(i), host_arch))
            return arch_at(i);
    return NULL;
}

static int check_serves(const vqemu_profile *profile, const struct arch *arch,
                        const char *host_arch, vqemu_error **error) {
    if (arch && profile_serves(profile, arch, host_arch))
        return 0;
    _cleanup_free_ char *guests = profile_list_guests(profile, host_arch);
    if (!guests)
        return error_no_memory(error);
    return error_set(error, VQEMU_ERR_UNSUPPORTED, 0,
                     "profile %s runs %s guests on this %s host%s%s", vqemu_profile_name(profile),
                     guests, host_arch, arch ? ", not " : "", arch ? arch->name : "");
}

VQEMU_EXPORT int vqemu_select_profile(const vqemu_host *host, const char *profile_name,
                                      const char *guest_arch, vqemu_selection **selection,
                                      vqemu_error **error) {
    *selection = NULL;
    vqemu_profile *profile;
    int r = profile_require(profile_name, &profile, error);
    if (r < 0)
        return r;
    const char *host_arch = vqemu_host_arch(host);
    const struct arch *arch = default_arch(profile, host_arch);
    if (!is_empty(guest_arch))
        r = find_arch(guest_arch, &arch, error);
    if (r == 0)
        r = check_serves(profile, arch, host_arch, error);
    if (r < 0)
        return r;
    _cleanup_selection_ vqemu_selection *new = NULL;
    r = new_selection(arch, &new, error);
    if (r < 0)
        return r;
    new->profile = profile;
    if (note_problem(new, host))
        new->reason = format_string("the profile was asked for by name%s%s",
                                    new->problem ? "; but " : "", new->problem ? new->problem : "");
    if (!new->reason)
        return error_no_memory(error);
    *selection = TAKE_POINTER(new);
    return 0;
}

const struct arch *selection_arch(const vqemu_selection *selection) {
    return selection->arch;
}

VQEMU_EXPORT const vqemu_profile *vqemu_selection_profile(const vqemu_selection *selection) {
    return selection->profile;
}

VQEMU_EXPORT const char *vqemu_selection_guest_arch(const vqemu_selection *selection) {
    return selection->arch->name;
}

VQEMU_EXPORT const char *vqemu_selection_accel(const vqemu_selection *selection) {
    return vqemu_profile_accel(selection->profile);
}

VQEMU_EXPORT bool vqemu_selection_runnable(const vqemu_selection *selection) {
    return !selection->problem;
}

VQEMU_EXPORT const char *vqemu_selection_problem(const vqemu_selection *selection) {
    return selection->problem;
}

VQEMU_EXPORT const char *vqemu_selection_reason(const vqemu_selection *selection) {
    return selection->reason;
}

VQEMU_EXPORT size_t vqemu_selection_rejected_count(const vqemu_selection *selection) {
    return selection->rejected_count;
}

VQEMU_EXPORT const vqemu_profile *vqemu_selection_rejected_profile(const vqemu_selection *selection,
                                                                   size_t index) {
    return index < selection->rejected_count ? selection->rejected[index].profile : NULL;
}

VQEMU_EXPORT const char *vqemu_selection_rejected_reason(const vqemu_selection *selection,
                                                         size_t index) {
    return index < selection->rejected_count ? selection->rejected[index].reason : NULL;
}

VQEMU_EXPORT void vqemu_selection_free(vqemu_selection *selection) {
    if (!selection)
        return;
    for (size_t i = 0; i < selection->rejected_count; i++)
        free(selection->rejected[i].reason);
    free(selection->rejected);
    free(selection->problem);
    free(selection->reason);
    free(selection);
}
