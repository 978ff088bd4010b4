/* SPDX-License-Identifier: MIT */
#include "transfer/arriving.h"

#include <string.h>

#include "base/error.h"
#include "choice/profile.h"
#include "store/creation-time.h"
#include "store/revision-name.h"
#include "store/signatures.h"
#include "store/store-profile.h"
#include "util/strbuf.h"

/* The reference system's manifests have no "profile", but the profile's name. */
const char *arriving_profile(const struct arriving *arriving) {
    const char *profile = vqemu_manifest_string(arriving->manifest, VQEMU_MANIFEST_PROFILE);
    const char *name = vqemu_manifest_string(arriving->manifest, VQEMU_MANIFEST_NAME);
    return profile || !vqemu_profile_find(name) ? profile : name;
}

static int check_is_wanted(const struct arriving *arriving, vqemu_error **error) {
    const vqemu_ingest_options *options = arriving->options;
    const char *wanted = options ? options->digest : NULL, *own = arriving_profile(arriving);
    const char *digest = vqemu_manifest_digest(arriving->manifest);
    if (wanted && strcmp(wanted, digest) != 0) {
        int r = error_set(error, VQEMU_ERR_CORRUPT, 0,
                          "%s %s is not the one that is wanted: its manifest has the digest %s, "
                          "not %s",
                          arriving->kind, arriving->name, digest, wanted);
        return error_because(r, error, "digest-differs", VQEMU_DETAIL_PATH, arriving->name, NULL);
    }
    if (wanted || (options && options->profile) || arriving->any_profile || !own)
        return 0;
    int r = error_set(error, VQEMU_ERR_INVALID, 0,
                      "%s %s says that it is of profile %s: name the profile that it is to be, or "
                      "its digest",
                      arriving->kind, arriving->name, own);
    return error_because(r, error, "no-profile", VQEMU_DETAIL_PATH, arriving->name,
                         VQEMU_DETAIL_PROFILE, own, NULL);
}

static int check_time(const struct arriving *arriving, vqemu_error **error) {
    _cleanup_free_ char *what = format_string("%s %s", arriving->kind, arriving->name);
    return what ? creation_time_check(manifest_time(arriving->manifest), what, error)
                : error_no_memory(error);
}

static int check_is_described_once(const struct arriving *arriving, vqemu_error **error) {
    if (!ingest_options_describe(arriving->options))
        return 0;
    int r = error_set(error, VQEMU_ERR_INVALID, 0,
                      "%s %s has a manifest, which says already what was built when and where",
                      arriving->kind, arriving->name);
    return error_because(r, error, "described-already", VQEMU_DETAIL_PATH, arriving->name, NULL);
}

static int choose_profile(const struct arriving *arriving, const char **profile,
                          vqemu_error **error) {
    const char *own = arriving_profile(arriving);
    const char *wanted = arriving->options ? arriving->options->profile : NULL;
    *profile = own ? own : wanted;
    if (own && wanted && strcmp(own, wanted) != 0) {
        int r = error_set(error, VQEMU_ERR_INVALID, 0, "%s %s is of profile %s, not of %s",
                          arriving->kind, arriving->name, own, wanted);
        return error_because(r, error, "other-profile", VQEMU_DETAIL_PATH, arriving->name,
                             VQEMU_DETAIL_PROFILE, own, NULL);
    }
    if (*profile)
        return 0;
    int r = error_set(error, VQEMU_ERR_INVALID, 0,
                      "%s %s does not say of which profile it is: name the profile", arriving->kind,
                      arriving->name);
    return error_because(r, error, "no-profile", VQEMU_DETAIL_PATH, arriving->name, NULL);
}

/* It must be one of the library's own, or described. */
static int check_profile(const struct arriving *arriving, const char *name, vqemu_error **error) {
    _cleanup_profile_ vqemu_profile *profile = NULL;
    int r = profile_of_manifest(name, arriving->manifest, &profile, error);
    if (r == 0)
        return 0;
    error_prefix(r, error, "%s %s: ", arriving->kind, arriving->name);
    return error_because(r, error, NULL, VQEMU_DETAIL_PATH, arriving->name, NULL);
}

int arriving_check(const struct arriving *arriving, const char **profile, vqemu_error **error) {
    int r = check_is_wanted(arriving, error);
    if (r == 0)
        r = check_time(arriving, error);
    if (r == 0)
        r = check_is_described_once(arriving, error);
    if (r == 0)
        r = choose_profile(arriving, profile, error);
    return r == 0 ? check_profile(arriving, *profile, error) : r;
}

/* ---- whether it is signed ---- */

static int refuse_unsigned(const struct arriving *arriving, vqemu_error **error) {
    int r =
        error_set(error, VQEMU_ERR_UNTRUSTED, 0, "%s %s has no manifest, so nobody has signed it",
                  arriving->kind, arriving->name);
    return error_because(r, error, "unsigned", VQEMU_DETAIL_PATH, arriving->name, NULL);
}

static int check_by(const vqemu_trust *trust, const struct arriving *arriving,
                    const struct arriving_proof *proof, const char *profile, const char *source,
                    vqemu_error **error) {
    if (!trust)
        return 0;
    if (!arriving->manifest)
        return refuse_unsigned(arriving, error);
    struct vqemu_evidence evidence = {.source = source,
                                      .profile = profile,
                                      .text = proof->text,
                                      .size = strlen(proof->text),
                                      .digest = vqemu_manifest_digest(arriving->manifest),
                                      .oci_digest = proof->oci_digest,
                                      .signatures = proof->signatures};
    int r = trust_check(trust, &evidence, error);
    return r < 0 ? error_because(r, error, NULL, VQEMU_DETAIL_PATH, arriving->name, NULL) : 0;
}

int arriving_check_trust(const struct arriving *arriving, const struct arriving_proof *proof,
                         const char *profile, vqemu_error **error) {
    const vqemu_trust *own = arriving->options ? arriving->options->trust : NULL;
    _cleanup_free_ char *source = format_string("%s %s", arriving->kind, arriving->name);
    int r =
        source ? check_by(own, arriving, proof, profile, source, error) : error_no_memory(error);
    return r == 0 ? check_by(proof->store->trust, arriving, proof, profile, source, error) : r;
}

int arriving_keep_signatures(const struct arriving_proof *proof, const char *profile,
                             const vqemu_manifest *manifest, const vqemu_trust *own,
                             struct vqemu_progress *progress, vqemu_error **error) {
    const char *digest = vqemu_manifest_digest(manifest);
    _cleanup_free_ char *name = revision_name_of(profile, digest);
    const struct vqemu_evidence evidence = {.profile = profile,
                                            .text = proof->text,
                                            .size = strlen(proof->text),
                                            .digest = digest,
                                            .signatures = proof->signatures};
    return name ? signatures_keep_arrived(proof->store, name, &evidence, own, progress, error)
                : error_no_memory(error);
}
