/* SPDX-License-Identifier: MIT */
#include "store/store-profile.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/options.h"
#include "choice/profile.h"
#include "store/ingest-options.h"
#include "store/revision-name.h"
#include "util/strbuf.h"

/* ---- what is put into a store ---- */

static int check_own(const vqemu_ingest_options *options, vqemu_error **error) {
    const char *key = options->accel       ? VQEMU_INGEST_ACCEL
                      : options->abilities ? VQEMU_INGEST_ABILITIES
                      : options->guests    ? VQEMU_INGEST_GUESTS
                                           : NULL;
    return key ? options_invalid(key, NULL, NULL, error,
                                 "that of profile %s is known, and cannot be set", options->profile)
               : 0;
}

static int check_described(const vqemu_ingest_options *options, vqemu_error **error) {
    const char *accel = options->accel, *guests = options->guests;
    if (!accel && !guests) {
        vqemu_profile *none;
        return profile_require(options->profile, &none, error);
    }
    if (!profile_is_name(options->profile)) {
        int r =
            options_invalid(VQEMU_INGEST_PROFILE, options->profile, NULL, error,
                            "\"%s\" cannot be the name of a profile: lower case letters, digits "
                            "and \"-\", and not eight hex digits behind the last \"-\"",
                            options->profile);
        return error_because(r, error, "bad-name", NULL);
    }
    if (!accel)
        return options_missing(VQEMU_INGEST_ACCEL, "what describes the profile", error);
    if (!guests || !*guests)
        return options_missing(VQEMU_INGEST_GUESTS, "what describes the profile", error);
    return 0;
}

int profile_check_options(const vqemu_ingest_options *options, vqemu_error **error) {
    if (!options || !options->profile)
        return options_missing(VQEMU_INGEST_PROFILE, "what is put into the store", error);
    return vqemu_profile_find(options->profile) ? check_own(options, error)
                                                : check_described(options, error);
}

/* ---- what is in a store ---- */

static bool describes_profile(const vqemu_manifest *manifest) {
    const char *accel = vqemu_manifest_string(manifest, VQEMU_MANIFEST_ACCEL);
    return accel && (strcmp(accel, "kvm") == 0 || strcmp(accel, "tcg") == 0) &&
           vqemu_manifest_guest_count(manifest) > 0;
}

int profile_of_manifest(const char *name, const vqemu_manifest *manifest, vqemu_profile **profile,
                        vqemu_error **error) {
    *profile = vqemu_profile_find(name);
    if (*profile)
        return 0;
    size_t count = vqemu_manifest_guest_count(manifest);
    if (!profile_is_name(name) || !describes_profile(manifest)) {
        int r = error_set(error, VQEMU_ERR_INVALID, 0,
                          "profile \"%.200s\" is not known, and its manifest does not describe it "
                          "(\"accel\", \"guests\")",
                          name);
        return error_because(r, error, "unknown-profile", VQEMU_DETAIL_PROFILE, name, NULL);
    }
    _cleanup_free_ const char **guests = calloc(count, sizeof *guests);
    if (!guests)
        return error_no_memory(error);
    for (size_t i = 0; i < count; i++)
        guests[i] = vqemu_manifest_guest_at(manifest, i);
    return profile_new(name, vqemu_manifest_string(manifest, VQEMU_MANIFEST_DESCRIPTION),
                       vqemu_manifest_string(manifest, VQEMU_MANIFEST_ACCEL),
                       vqemu_manifest_abilities(manifest), guests, count, profile, error);
}
