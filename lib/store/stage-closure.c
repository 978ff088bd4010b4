/* SPDX-License-Identifier: MIT */
#include "store/stage-closure.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "choice/profile.h"
#include "store/revision-closure.h"
#include "util/strbuf.h"

/* ---- abilities ---- */

/* Names with commas between; the accelerator is said by its own key. NULL without memory. */
static char *list_names(uint64_t abilities) {
    struct strbuf names = {0};
    abilities &= ~(uint64_t)(VQEMU_ABILITY_KVM | VQEMU_ABILITY_TCG);
    for (unsigned bit = 0; bit < 64; bit++)
        if (abilities & (uint64_t)1 << bit)
            strbuf_addf(&names, "%s%s", names.length ? "," : "",
                        vqemu_ability_name((uint64_t)1 << bit));
    return strbuf_take(&names);
}

static bool is_any_unclear(const vqemu_closure *closure) {
    for (size_t i = 0; i < closure->ability_count; i++)
        if (closure->abilities[i].state < 0)
            return true;
    return false;
}

static int find_abilities(struct stage_profile *profile, const struct stage_files *files,
                          struct vqemu_progress *progress, vqemu_error **error) {
    _cleanup_closure_ vqemu_closure *closure = NULL;
    _cleanup_manifest_ vqemu_manifest *manifest = NULL;
    if (vqemu_profile_find(profile->name) || !profile->options || profile->options->abilities)
        return 0;
    int r = stage_make_manifest(profile, progress->call, &manifest, error);
    if (r == 0)
        r = manifest_closure(profile->name, manifest, files->open, files->context, progress,
                             &closure, error);
    if (r < 0)
        return r;
    uint64_t abilities = closure_abilities(closure);
    if (abilities == 0 && is_any_unclear(closure))
        return 0;
    profile->abilities = list_names(abilities);
    return profile->abilities ? 0 : error_no_memory(error);
}

/* ---- closure ---- */

static int not_whole(const char *source, const vqemu_closure *closure, vqemu_error **error) {
    size_t more = vqemu_closure_problem_count(closure) - 1;
    _cleanup_free_ char *rest = more ? format_string("; and %zu more", more) : strdup("");
    if (!rest)
        return error_no_memory(error);
    int r = error_set(error, VQEMU_ERR_INVALID, 0, "%s is not whole: %s%s", source,
                      vqemu_closure_message(closure, 0), rest);
    return error_because(r, error, "not-whole", VQEMU_DETAIL_PATH, source, VQEMU_DETAIL_ENTRY,
                         vqemu_closure_name(closure, 0), NULL);
}

int stage_examine_profile(const struct stage *stage, struct stage_profile *profile,
                          const struct stage_files *files, bool must_be_whole,
                          struct vqemu_progress *progress, vqemu_closure **closure,
                          vqemu_error **error) {
    int r = 0;
    if (!profile->manifest) {
        r = find_abilities(profile, files, progress, error);
        if (r == 0)
            r = stage_describe_profile(stage, profile, progress->call, error);
    }
    if (r == 0)
        r = manifest_closure(profile->name, profile->manifest, files->open, files->context,
                             progress, closure, error);
    if (r == 0 && must_be_whole && vqemu_closure_problem_count(*closure) > 0)
        r = not_whole(profile->source, *closure, error);
    return r;
}
