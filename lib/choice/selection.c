/* SPDX-License-Identifier: MIT */
#include "choice/selection.h"

#include <string.h>

#include "base/error.h"
#include "choice/profile.h"
#include "choice/wanted.h"
#include "util/export.h"
#include "util/join.h"
#include "util/strbuf.h"

struct rejection {
    vqemu_profile *profile;
    char *message;
};

struct vqemu_selection {
    vqemu_profile *profile;
    const struct arch *arch;
    char *problem; /* why the accelerator does not work on the host; NULL if it does */
    char *message;
    struct rejection *rejected;
    size_t rejected_count;
    int32_t vhost_net;
};

/* What is thought of one profile. */
struct verdict {
    vqemu_profile *profile;
    char *objection;  /* NULL: it fits */
    bool is_unstored; /* it would fit, but the store has no revision of it */
};

struct verdicts {
    struct verdict *items;
    size_t count;
    const struct verdict *best, *best_unstored; /* NULL for none */
};

static void release_verdicts(struct verdicts *verdicts) {
    for (size_t i = 0; i < verdicts->count; i++)
        free(verdicts->items[i].objection);
    free(verdicts->items);
}
#define _cleanup_verdicts_ __attribute__((cleanup(release_verdicts)))

static bool uses_kvm(const vqemu_profile *profile) {
    return vqemu_profile_abilities(profile) & VQEMU_ABILITY_KVM;
}

/* ---- objections ---- */

static char *object_to_guest(const vqemu_profile *profile, const struct wanted *wanted) {
    const char *host = vqemu_host_arch(wanted->host);
    _cleanup_free_ char *guests = profile_list_guests(profile, host);
    if (!guests)
        return NULL;
    if (uses_kvm(profile))
        return format_string("on this %s host it runs %s guests, not %s", host, guests,
                             wanted->arch->name);
    return format_string("it runs %s guests, not %s", guests, wanted->arch->name);
}

static char *object_to_abilities(uint64_t missing) {
    _cleanup_free_ char *things = abilities_describe(missing);
    return things ? format_string("it has no %s, which the guest needs", things) : NULL;
}

/* Why an accelerator does not fit; false without memory. */
static bool object_to_accel(const vqemu_profile *profile, const struct wanted *wanted,
                            char **objection) {
    const char *asked = uses_kvm(profile) ? "emulation" : "KVM";
    enum order refused = uses_kvm(profile) ? ORDER_EMULATION : ORDER_KVM;
    *objection = NULL;
    if (wanted->order == refused)
        *objection = format_string("%s asks for %s", wanted->ordered_by, asked);
    else if (uses_kvm(profile) && wanted->order == ORDER_NONE &&
             !vqemu_host_kvm_usable(wanted->host))
        *objection = strdup(vqemu_host_kvm_message(wanted->host));
    else
        return true;
    return *objection;
}

/*
 * Why a profile does not fit: *objection is NULL if it does. Returns false without memory. What can
 * never be is said before what is not now.
 */
static bool find_objection(const vqemu_profile *profile, const struct wanted *wanted,
                           char **objection) {
    bool serves = profile_serves(profile, wanted->arch, vqemu_host_arch(wanted->host));
    uint64_t missing = wanted->needs & ~profile_abilities_for(profile, wanted->arch);
    *objection = NULL;
    if (!serves && (uses_kvm(profile) || wanted->order != ORDER_KVM))
        *objection = object_to_guest(profile, wanted);
    else if (!object_to_accel(profile, wanted, objection))
        return false;
    else if (!*objection && missing)
        *objection = object_to_abilities(missing);
    else
        return true;
    return *objection;
}

/* ---- verdicts ---- */

static unsigned count_extras(const vqemu_profile *profile, uint64_t needs) {
    const uint64_t accels = VQEMU_ABILITY_KVM | VQEMU_ABILITY_TCG;
    uint64_t extras = vqemu_profile_abilities(profile) & ~needs & ~accels;
    unsigned count = 0;
    for (; extras; extras &= extras - 1)
        count++;
    return count;
}

static bool is_of_table(const vqemu_profile *profile) {
    return vqemu_profile_find(vqemu_profile_name(profile));
}

/*
 * KVM is faster. A profile that a store describes does not displace one of the table: it is there
 * for what those cannot do, and for who asks for it by name. And the less a profile has besides
 * what is needed, the less can go wrong.
 */
static bool is_better(const vqemu_profile *one, const vqemu_profile *other, uint64_t needs) {
    if (uses_kvm(one) != uses_kvm(other))
        return uses_kvm(one);
    if (is_of_table(one) != is_of_table(other))
        return is_of_table(one);
    return count_extras(one, needs) < count_extras(other, needs);
}

static void prefer(const struct verdict **best, const struct verdict *verdict, uint64_t needs) {
    if (!*best || is_better(verdict->profile, (*best)->profile, needs))
        *best = verdict;
}

/* False without memory. */
static bool judge(struct verdicts *verdicts, vqemu_profile *profile, const struct wanted *wanted) {
    struct verdict *verdict = &verdicts->items[verdicts->count++];
    verdict->profile = profile;
    if (!find_objection(profile, wanted, &verdict->objection))
        return false;
    if (verdict->objection)
        return true;
    if (wanted_has_revision(wanted->request, profile)) {
        prefer(&verdicts->best, verdict, wanted->needs);
        return true;
    }
    verdict->is_unstored = true;
    verdict->objection = strdup("the store has no revision of it");
    prefer(&verdicts->best_unstored, verdict, wanted->needs);
    return verdict->objection;
}

static bool judge_all(struct verdicts *verdicts, const struct wanted *wanted) {
    const vqemu_request *request = wanted->request;
    size_t own = vqemu_profile_count();
    verdicts->items = calloc(own + request->candidate_count, sizeof *verdicts->items);
    if (!verdicts->items)
        return false;
    for (size_t i = 0; i < own; i++)
        if (!judge(verdicts, vqemu_profile_at(i), wanted))
            return false;
    for (size_t i = 0; i < request->candidate_count; i++)
        if (!vqemu_profile_find(vqemu_profile_name(request->candidates[i])) &&
            !judge(verdicts, request->candidates[i], wanted))
            return false;
    return true;
}

/* Why another was taken than one that fits. */
static char *compare(const vqemu_profile *other, const vqemu_profile *chosen, uint64_t needs) {
    uint64_t more = vqemu_profile_abilities(other) & ~vqemu_profile_abilities(chosen) & ~needs;
    if (uses_kvm(other) != uses_kvm(chosen))
        return strdup("KVM works here and is faster");
    if (is_of_table(chosen) && !is_of_table(other))
        return format_string("%s fits, and is of the table", vqemu_profile_name(chosen));
    if (more & VQEMU_ABILITY_UEFI)
        return strdup("the guest needs no UEFI firmware");
    if (count_extras(other, needs) > count_extras(chosen, needs))
        return format_string("%s has what the guest needs, and less besides",
                             vqemu_profile_name(chosen));
    return format_string("%s fits as well", vqemu_profile_name(chosen));
}

/* ---- making a selection ---- */

static int new_selection(const struct arch *arch, vqemu_profile *profile, size_t others,
                         vqemu_selection **selection, vqemu_error **error) {
    _cleanup_selection_ vqemu_selection *new = calloc(1, sizeof *new);
    if (new)
        new->rejected = calloc(others + 1, sizeof *new->rejected);
    if (!new || !new->rejected)
        return error_no_memory(error);
    new->arch = arch;
    new->profile = vqemu_profile_ref(profile);
    *selection = TAKE_POINTER(new);
    return 0;
}

/* Note what the host is to the VM: whether the chosen accelerator works there, and vhost-net; false
 * without memory. */
static bool note_host(vqemu_selection *selection, const vqemu_host *host) {
    selection->vhost_net = vqemu_host_vhost_net_state(host);
    if (!uses_kvm(selection->profile) || vqemu_host_kvm_usable(host))
        return true;
    selection->problem =
        format_string("KVM does not work on this host now: %s", vqemu_host_kvm_message(host));
    return selection->problem;
}

/* The others, with what is against them; false without memory. */
static bool note_rejected(vqemu_selection *selection, struct verdicts *verdicts, uint64_t needs) {
    for (size_t i = 0; i < verdicts->count; i++) {
        struct verdict *verdict = &verdicts->items[i];
        if (verdict == verdicts->best)
            continue;
        char *message = TAKE_POINTER(verdict->objection);
        if (!message)
            message = compare(verdict->profile, selection->profile, needs);
        if (!message)
            return false;
        selection->rejected[selection->rejected_count++] =
            (struct rejection){vqemu_profile_ref(verdict->profile), message};
    }
    return true;
}

static char *explain_emulation(const struct wanted *wanted, const vqemu_profile *unstored) {
    const char *arch = wanted->arch->name;
    if (!vqemu_host_kvm_usable(wanted->host))
        return format_string("KVM does not work on this host (%s), so the %s guest is emulated",
                             vqemu_host_kvm_message(wanted->host), arch);
    if (unstored)
        return format_string("the store has no revision of %s, so the %s guest is emulated",
                             vqemu_profile_name(unstored), arch);
    return format_string("KVM on this %s host runs no %s guest that fits, so the guest is emulated",
                         vqemu_host_arch(wanted->host), arch);
}

/* NULL without memory. */
static char *explain_choice(const struct wanted *wanted, const vqemu_selection *selection,
                            const struct verdict *unstored) {
    const char *arch = wanted->arch->name, *problem = selection->problem;
    _cleanup_free_ char *needs = abilities_describe(wanted->needs);
    if (!needs)
        return NULL;
    const char *what = *needs ? needs : "no UEFI firmware";
    if (wanted->order == ORDER_EMULATION)
        return format_string("%s asks for emulation, and the guest is %s", wanted->ordered_by,
                             arch);
    if (wanted->order == ORDER_KVM)
        return format_string("%s asks for KVM, and the guest needs %s%s%s", wanted->ordered_by,
                             what, problem ? "; but " : "", problem ? problem : "");
    if (uses_kvm(selection->profile))
        return format_string("KVM works on this host (%s) and runs %s guests; the guest needs %s",
                             vqemu_host_kvm_message(wanted->host), arch, what);
    return explain_emulation(wanted, unstored ? unstored->profile : NULL);
}

/* ---- refusing ---- */

static int refuse_unstored(const char *name, const char *fits, const vqemu_request *request,
                           vqemu_error **error) {
    struct strbuf text = {0};
    for (size_t i = 0; i < request->candidate_count; i++)
        strbuf_addf(&text, "%s%s", i ? ", " : "", vqemu_profile_name(request->candidates[i]));
    _cleanup_free_ char *names = strbuf_take(&text);
    if (!names)
        return error_no_memory(error);
    int r = error_set(error, VQEMU_ERR_NO_REVISION, 0,
                      "the store has no revision of profile %s%s; it has %s", name, fits,
                      *names ? names : "none of any");
    return error_because(r, error, "profile-not-in-store", VQEMU_DETAIL_PROFILE, name,
                         VQEMU_DETAIL_CHOICES, names, NULL);
}

static int refuse(const struct verdicts *verdicts, const struct wanted *wanted,
                  vqemu_error **error) {
    _cleanup_strbuf_ struct strbuf why = {0};
    bool kvm = wanted->order == ORDER_KVM;
    for (size_t i = 0; i < verdicts->count; i++) {
        const struct verdict *verdict = &verdicts->items[i];
        if (!kvm || uses_kvm(verdict->profile))
            strbuf_addf(&why, "%s%s: %s", why.length ? "; " : ": ",
                        vqemu_profile_name(verdict->profile), verdict->objection);
    }
    if (why.failed)
        return error_no_memory(error);
    int r = error_set(error, VQEMU_ERR_UNSUPPORTED, 0,
                      "no profile fits %s%sguest architecture %s and guest OS %s on this %s "
                      "host%s%s%s%s",
                      wanted->ordered_by ? wanted->ordered_by : "", wanted->ordered_by ? ", " : "",
                      wanted->arch->name, wanted->os, vqemu_host_arch(wanted->host),
                      why.text ? why.text : "", kvm ? "; " : "", kvm ? wanted->way_out : "",
                      kvm ? " can emulate it" : "");
    return error_because(r, error, "no-profile-fits", NULL);
}

/* ---- by what the guest needs ---- */

static int select_fitting(const struct wanted *wanted, vqemu_selection **selection,
                          vqemu_error **error) {
    _cleanup_verdicts_ struct verdicts verdicts = {0};
    _cleanup_selection_ vqemu_selection *new = NULL;
    if (!judge_all(&verdicts, wanted))
        return error_no_memory(error);
    if (!verdicts.best && verdicts.best_unstored)
        return refuse_unstored(vqemu_profile_name(verdicts.best_unstored->profile),
                               ", which fits the guest", wanted->request, error);
    if (!verdicts.best)
        return refuse(&verdicts, wanted, error);
    int r = new_selection(wanted->arch, verdicts.best->profile, verdicts.count, &new, error);
    if (r < 0)
        return r;
    if (note_rejected(new, &verdicts, wanted->needs) && note_host(new, wanted->host))
        new->message = explain_choice(wanted, new, verdicts.best_unstored);
    if (!new->message)
        return error_no_memory(error);
    *selection = TAKE_POINTER(new);
    return 0;
}

/* ---- by name ---- */

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
    int r = error_set(error, VQEMU_ERR_UNSUPPORTED, 0,
                      "profile %s runs %s guests on this %s host%s%s", vqemu_profile_name(profile),
                      guests, host_arch, arch ? ", not " : "", arch ? arch->name : "");
    return error_because(r, error, "no-profile-fits", VQEMU_DETAIL_PROFILE,
                         vqemu_profile_name(profile), NULL);
}

/* What was required, not what is guessed of the guest: the name is an order. */
static int check_abilities(const vqemu_profile *profile, uint64_t required, vqemu_error **error) {
    uint64_t missing = required & ~vqemu_profile_abilities(profile);
    if (!missing)
        return 0;
    _cleanup_free_ char *things = abilities_describe(missing);
    if (!things)
        return error_no_memory(error);
    int r =
        error_set(error, VQEMU_ERR_UNSUPPORTED, 0, "profile %s has no %s, which the guest needs",
                  vqemu_profile_name(profile), things);
    return error_because(r, error, "no-profile-fits", VQEMU_DETAIL_PROFILE,
                         vqemu_profile_name(profile), NULL);
}

static int find_named(const struct wanted *wanted, vqemu_profile **profile, vqemu_error **error) {
    const vqemu_request *request = wanted->request;
    *profile = wanted_find_profile(request, wanted->profile);
    if (request->has_candidates && (!*profile || !wanted_has_revision(request, *profile)))
        return refuse_unstored(wanted->profile, "", request, error);
    return *profile ? 0 : profile_require(wanted->profile, profile, error);
}

static int select_named(const struct wanted *wanted, vqemu_selection **selection,
                        vqemu_error **error) {
    const char *host_arch = vqemu_host_arch(wanted->host);
    vqemu_profile *profile;
    int r = find_named(wanted, &profile, error);
    if (r < 0)
        return r;
    const struct arch *arch =
        wanted->arch_is_given ? wanted->arch : default_arch(profile, host_arch);
    _cleanup_selection_ vqemu_selection *new = NULL;
    r = check_serves(profile, arch, host_arch, error);
    if (r == 0)
        r = check_abilities(profile, wanted->request->abilities, error);
    if (r == 0)
        r = new_selection(arch, profile, 0, &new, error);
    if (r < 0)
        return r;
    if (note_host(new, wanted->host))
        new->message = join_texts("the profile was asked for by name", new->problem ? "; but " : "",
                                  new->problem, NULL);
    if (!new->message)
        return error_no_memory(error);
    *selection = TAKE_POINTER(new);
    return 0;
}

VQEMU_EXPORT int vqemu_select(const vqemu_host *host, const vqemu_request *request, uint32_t flags,
                              vqemu_selection **selection, vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(selection, error);
    *selection = NULL;
    REQUIRE_ARGUMENT(host, error);
    REQUIRE_ARGUMENT(request, error);
    REQUIRE_FLAGS(flags, 0, error);
    struct wanted wanted;
    int r = wanted_fill(&wanted, host, request, error);
    if (r < 0)
        return r;
    return wanted.profile ? select_named(&wanted, selection, error)
                          : select_fitting(&wanted, selection, error);
}

/* ---- access ---- */

const struct arch *selection_arch(const vqemu_selection *selection) {
    return selection->arch;
}

int32_t selection_vhost_net(const vqemu_selection *selection) {
    return selection->vhost_net;
}

VQEMU_EXPORT vqemu_profile *vqemu_selection_profile(const vqemu_selection *selection) {
    return selection ? selection->profile : NULL;
}

VQEMU_EXPORT const char *vqemu_selection_guest_arch(const vqemu_selection *selection) {
    return selection ? selection->arch->name : NULL;
}

VQEMU_EXPORT const char *vqemu_selection_accel(const vqemu_selection *selection) {
    return selection ? vqemu_profile_accel(selection->profile) : NULL;
}

VQEMU_EXPORT bool vqemu_selection_runnable(const vqemu_selection *selection) {
    return selection && !selection->problem;
}

VQEMU_EXPORT const char *vqemu_selection_problem(const vqemu_selection *selection) {
    return selection ? selection->problem : NULL;
}

VQEMU_EXPORT const char *vqemu_selection_message(const vqemu_selection *selection) {
    return selection ? selection->message : NULL;
}

VQEMU_EXPORT size_t vqemu_selection_rejected_count(const vqemu_selection *selection) {
    return selection ? selection->rejected_count : 0;
}

VQEMU_EXPORT vqemu_profile *vqemu_selection_rejected_profile(const vqemu_selection *selection,
                                                             size_t index) {
    bool has = index < vqemu_selection_rejected_count(selection);
    return has ? selection->rejected[index].profile : NULL;
}

VQEMU_EXPORT const char *vqemu_selection_rejected_message(const vqemu_selection *selection,
                                                          size_t index) {
    bool has = index < vqemu_selection_rejected_count(selection);
    return has ? selection->rejected[index].message : NULL;
}

VQEMU_EXPORT void vqemu_selection_free(vqemu_selection *selection) {
    if (!selection)
        return;
    for (size_t i = 0; i < selection->rejected_count; i++) {
        vqemu_profile_unref(selection->rejected[i].profile);
        free(selection->rejected[i].message);
    }
    free(selection->rejected);
    vqemu_profile_unref(selection->profile);
    free(selection->problem);
    free(selection->message);
    free(selection);
}
