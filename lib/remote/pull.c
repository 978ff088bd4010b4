/* SPDX-License-Identifier: MIT */
/* A repository of a registry -> objects and a revision. */
#include <volt-qemu/pull.h>

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "remote/blob.h"
#include "remote/download.h"
#include "store/ingest.h"
#include "store/revision.h"
#include "store/signatures.h"
#include "store/stage-closure.h"
#include "transfer/arriving.h"
#include "transfer/oci-profile.h"
#include "util/export.h"
#include "util/strbuf.h"

#define ROUNDS_MAX 3
#define KEEP_WAIT 3000 /* milliseconds for a lock, when all is over */

struct pulling {
    const vqemu_ingest_options *options; /* or NULL */
    const char *version;
    char *name; /* of what is pulled, for messages */
    struct session session;
    struct oci_profile arrived;
    const char *profile;        /* whose version it is */
    const char *profile_digest; /* that its manifest must have; NULL for any */
    /* What the store has of it already: */
    bool has_looked;
    vqemu_revision *known;
    struct signature_set known_signatures;
    vqemu_closure *closure;
    struct fetch fetch;
    struct vqemu_progress progress;
};

static void release_pulling(struct pulling *pulling) {
    fetch_release(&pulling->fetch);
    session_close(&pulling->session);
    oci_profile_release(&pulling->arrived);
    vqemu_revision_unref(pulling->known);
    signature_set_release(&pulling->known_signatures);
    closure_free(pulling->closure);
    free(pulling->name);
}

/* ---- which one ---- */

/* The profile that is expected: what the repository is called, if nobody says it. NULL if that can
 * be none. */
static const char *expected_profile(const struct pulling *pulling) {
    const char *name = pulling->session.remote->name, *slash = strrchr(name, '/');
    const char *last = slash ? slash + 1 : name;
    if (pulling->options && pulling->options->profile)
        return pulling->options->profile;
    return profile_is_name(last) ? last : NULL;
}

static bool is_of_profile(const char *text, const struct oci_blob *blob, const char *digest) {
    _cleanup_oci_manifest_ struct oci_manifest oci = {0};
    return oci_manifest_load(text, (size_t)blob->size, "", SIZE_MAX, UINT64_MAX, &oci, NULL) == 0 &&
           strcmp(oci.config.digest.hex, digest) == 0;
}

/* By the digest of the profile's manifest, which is under the name of the revision. */
static int fetch_by_profile(struct pulling *pulling, char **text, struct oci_blob *blob,
                            vqemu_error **error) {
    const char *profile = expected_profile(pulling);
    const char *digest = pulling->version + strlen(OCI_DIGEST_ALGORITHM);
    _cleanup_error_ vqemu_error *other = NULL;
    _cleanup_free_ char *tag = profile ? revision_name_of(profile, digest) : NULL;
    if (!profile)
        return VQEMU_ERR_NOT_FOUND;
    int r = tag ? blob_fetch_manifest(&pulling->session, tag, text, blob, &other)
                : error_no_memory(&other);
    return r < 0 && r != VQEMU_ERR_NOT_FOUND ? error_copy(other, error) : r;
}

/* By the digest of a blob that is no manifest, a registry finds nothing, or fails. */
static int explain_digest(const struct pulling *pulling, int code, vqemu_error **error) {
    const char *profile = expected_profile(pulling);
    const char *reason = error ? vqemu_error_reason(*error) : "";
    if (code != VQEMU_ERR_NOT_FOUND && strcmp(reason, "server-failed") != 0)
        return code;
    return error_prefix(code, error, "if %s is the digest of a revision%s%s, name its profile: ",
                        pulling->version, profile ? ", but not of " : "", profile ? profile : "");
}

/*
 * Of a digest, it is asked first whether it is a profile's: registries may answer what is neither
 * good nor "not found" to who asks for a manifest by the digest of another blob. Where there is
 * another profile under that name, and no manifest of that digest, it is told of that.
 */
static int fetch_by_digest(struct pulling *pulling, char **text, struct oci_blob *blob,
                           vqemu_error **error) {
    const char *digest = pulling->version + strlen(OCI_DIGEST_ALGORITHM);
    _cleanup_free_ char *by_name = NULL;
    struct oci_blob named;
    int r = fetch_by_profile(pulling, &by_name, &named, error);
    if (r < 0 && r != VQEMU_ERR_NOT_FOUND)
        return r;
    bool is_there = r == 0, is_it = is_there && is_of_profile(by_name, &named, digest);
    if (!is_it)
        r = blob_fetch_manifest(&pulling->session, pulling->version, text, blob, error);
    if (r < 0 && !is_there)
        return explain_digest(pulling, r, error);
    if (!is_it && r != VQEMU_ERR_NOT_FOUND)
        return r;
    if (error)
        error_begin(error);
    pulling->profile_digest = digest;
    *text = TAKE_POINTER(by_name);
    *blob = named;
    return 0;
}

static int fetch_manifest(struct pulling *pulling, char **text, struct oci_blob *blob,
                          vqemu_error **error) {
    return blob_is_digest(pulling->version)
               ? fetch_by_digest(pulling, text, blob, error)
               : blob_fetch_manifest(&pulling->session, pulling->version, text, blob, error);
}

/* ---- its manifest and signatures ---- */

/* A revision that the store has already need not travel. */
static void find_known(struct pulling *pulling, const struct digest *digest) {
    const char *profile = expected_profile(pulling);
    const vqemu_store *store = pulling->fetch.store;
    vqemu_call *call = pulling->progress.call;
    _cleanup_revision_ vqemu_revision *revision = NULL;
    _cleanup_free_ char *name = profile ? revision_name_of(profile, digest->hex) : NULL;
    if (!name || revision_find(store, name, call, &revision, NULL) < 0 ||
        strcmp(revision_digest(revision), digest->hex) != 0)
        return;
    if (signatures_load(store, name, call, &pulling->known_signatures, NULL, NULL) < 0)
        signature_set_release(&pulling->known_signatures);
    pulling->known = TAKE_POINTER(revision);
}

static const struct signed_by *find_signature(const struct pulling *pulling,
                                              const struct digest *digest) {
    const struct signature_set *set = &pulling->known_signatures;
    for (size_t i = 0; i < set->count; i++)
        if (digest_equal(&set->items[i].digest, digest))
            return &set->items[i];
    return NULL;
}

static char *copy_bytes(const char *bytes, size_t size) {
    char *copy = malloc(size + 1);
    if (copy) {
        memcpy(copy, bytes, size);
        copy[size] = '\0';
    }
    return copy;
}

/* NULL if the store has no such text, of this size. The first that is asked for is the manifest. */
static char *read_known(struct pulling *pulling, const struct oci_blob *blob) {
    char *text = NULL;
    size_t size;
    if (!pulling->has_looked)
        find_known(pulling, &blob->digest);
    pulling->has_looked = true;
    const struct signed_by *signature = find_signature(pulling, &blob->digest);
    if (signature && signature->size == blob->size)
        return copy_bytes(signature->bytes, signature->size);
    if (!pulling->known || strcmp(revision_digest(pulling->known), blob->digest.hex) != 0 ||
        revision_read_text(pulling->fetch.store, pulling->known, &text, &size, NULL) < 0)
        return NULL;
    if (size == blob->size)
        return text;
    free(text);
    return NULL;
}

static int read_blob(void *context, const struct oci_blob *blob, const char *what, size_t limit,
                     char **text, vqemu_error **error) {
    struct pulling *pulling = context;
    *text = read_known(pulling, blob);
    return *text ? 0 : blob_fetch_text(&pulling->session, blob, what, limit, text, error);
}

static int check_profile_digest(const struct pulling *pulling, vqemu_error **error) {
    const char *digest = vqemu_manifest_digest(pulling->arrived.manifest);
    const char *wanted = pulling->profile_digest;
    if (!wanted || strcmp(digest, wanted) == 0)
        return 0;
    int r = error_set(error, VQEMU_ERR_CORRUPT, 0,
                      "%s is not the one that is wanted: its manifest has the digest %s",
                      pulling->name, digest);
    return error_because(r, error, "digest-differs", VQEMU_DETAIL_PATH, pulling->name, NULL);
}

static struct oci_source source_of(struct pulling *pulling) {
    return (struct oci_source){pulling->name, read_blob, pulling};
}

static int load_profile(struct pulling *pulling, vqemu_error **error) {
    const struct oci_source source = source_of(pulling);
    vqemu_call *call = pulling->progress.call;
    _cleanup_free_ char *text = NULL;
    struct oci_blob blob;
    int r = fetch_manifest(pulling, &text, &blob, error);
    if (r == 0)
        r = oci_profile_load(&pulling->arrived, &source, text, &blob, call, error);
    return r == 0 ? check_profile_digest(pulling, error) : r;
}

/* Before any of its objects is fetched. */
static int check_arrived(struct pulling *pulling, bool any_profile, vqemu_error **error) {
    struct oci_profile *arrived = &pulling->arrived;
    const struct oci_source source = source_of(pulling);
    const struct arriving arriving = {"the artifact", pulling->name, arrived->manifest,
                                      pulling->options, any_profile};
    const struct arriving_proof proof = {pulling->fetch.store, arrived->text, arrived->oci_digest,
                                         &arrived->signatures};
    size_t count = vqemu_manifest_object_count(arrived->manifest);
    int r = arriving_check(&arriving, &pulling->profile, error);
    if (r == 0)
        r = arriving_check_trust(&arriving, &proof, pulling->profile, error);
    if (r == 0)
        r = oci_profile_find_objects(arrived, &source, pulling->progress.call, error);
    return r == 0 ? ingest_require_program(count > 0 ? manifest_object(arrived->manifest, 0) : NULL,
                                           count, pulling->name, error)
                  : r;
}

/* ---- its objects ---- */

static bool is_any_missing(const struct fetch *fetch) {
    for (size_t i = 0; i < vqemu_manifest_object_count(fetch->manifest); i++)
        if (fetch->missing[i])
            return true;
    return false;
}

static int collected_meanwhile(const struct pulling *pulling, vqemu_error **error) {
    int r = error_set(error, VQEMU_ERR_BUSY, 0,
                      "%s: objects of it that were there are collected again and again; pull when "
                      "nobody collects",
                      pulling->name);
    return error_because(r, error, "collected-meanwhile", VQEMU_DETAIL_PATH,
                         pulling->fetch.store->objects_path, NULL);
}

/* With the lock, all is looked for again: a collection may have come by while nobody held it. */
static int fetch_and_lock(struct pulling *pulling, vqemu_error **error) {
    struct fetch *fetch = &pulling->fetch;
    for (int round = 0; round < ROUNDS_MAX; round++) {
        int r = download_missing(&pulling->session, fetch, &pulling->arrived.oci, error);
        if (r == 0)
            r = stage_lock(&fetch->stage, &pulling->progress, error);
        if (r == 0)
            r = fetch_find_missing(fetch, error);
        if (r < 0 || !is_any_missing(fetch))
            return r;
        stage_unlock(&fetch->stage);
    }
    return collected_meanwhile(pulling, error);
}

/* If it fails in the middle, what is whole by then is not lost. */
static int take_objects(struct pulling *pulling, vqemu_error **error) {
    struct fetch *fetch = &pulling->fetch;
    size_t count = vqemu_manifest_object_count(fetch->manifest);
    int r = stage_open(&fetch->stage, fetch->store, count + 1, error);
    if (r == 0)
        r = fetch_find_missing(fetch, error);
    if (r == 0)
        r = fetch_and_lock(pulling, error);
    if (r < 0) {
        stage_unlock(&fetch->stage);
        download_keep(fetch, KEEP_WAIT);
    }
    return r;
}

/* ---- the end of it ---- */

static int publish(struct pulling *pulling, bool must_be_whole, vqemu_ingest **ingest,
                   vqemu_error **error) {
    struct fetch *fetch = &pulling->fetch;
    struct stage_profile profile = {
        .name = pulling->profile, .source = pulling->name, .manifest = pulling->arrived.manifest};
    const struct stage_files files = {fetch_open_object, fetch};
    int r = stage_examine_profile(&fetch->stage, &profile, &files, must_be_whole,
                                  &pulling->progress, &pulling->closure, error);
    if (r == 0)
        r = fetch_publish(fetch, pulling->profile, pulling->arrived.text,
                          &pulling->arrived.signatures, ingest, error);
    if (r == 0)
        (*ingest)->closure = TAKE_POINTER(pulling->closure);
    return r;
}

/* What would travel. */
static int tell(struct pulling *pulling, vqemu_ingest **ingest, vqemu_error **error) {
    struct fetch *fetch = &pulling->fetch;
    _cleanup_ingest_ vqemu_ingest *new = calloc(1, sizeof *new);
    _cleanup_revision_ vqemu_revision *there = NULL;
    _cleanup_free_ char *name =
        revision_name_of(pulling->profile, vqemu_manifest_digest(fetch->manifest));
    int r = new &&name ? fetch_find_missing(fetch, error) : error_no_memory(error);
    if (r == 0)
        r = revision_new_of_manifest(fetch->store, name, fetch->manifest, &new->revision, error);
    if (r < 0)
        return r;
    new->is_new = revision_find(fetch->store, name, pulling->progress.call, &there, NULL) < 0;
    new->object_count = vqemu_manifest_object_count(fetch->manifest);
    if (download_measure(fetch, &pulling->arrived.oci, &new->new_object_count, &new->new_bytes) < 0)
        return error_no_memory(error);
    for (size_t i = 0; i < new->object_count; i++) {
        struct oci_place place = {.size = 0};
        bool is_missing = fetch->missing[fetch->owner[i]];
        oci_manifest_locate(&pulling->arrived.oci, &manifest_object(fetch->manifest, i)->digest,
                            &place);
        new->bytes += is_missing ? place.size : fetch->staged[fetch->owner[i]].file.size;
    }
    *ingest = TAKE_POINTER(new);
    return 0;
}

static int pull(struct pulling *pulling, uint32_t flags, vqemu_ingest **ingest,
                vqemu_error **error) {
    struct fetch *fetch = &pulling->fetch;
    int r = session_open(&pulling->session, "pull", error);
    if (r == 0)
        r = load_profile(pulling, error);
    if (r == 0)
        r = check_arrived(pulling, flags & VQEMU_PULL_ANY_PROFILE, error);
    fetch->manifest = pulling->arrived.manifest;
    if (r == 0)
        r = fetch_check_count(fetch, error);
    if (r == 0 && (flags & VQEMU_PULL_DRY_RUN))
        return tell(pulling, ingest, error);
    if (r == 0)
        r = take_objects(pulling, error);
    return r == 0 ? publish(pulling, flags & VQEMU_PULL_WHOLE, ingest, error) : r;
}

VQEMU_EXPORT int vqemu_store_pull(vqemu_store *store, const vqemu_remote *remote,
                                  const char *version, const vqemu_ingest_options *options,
                                  uint32_t flags, vqemu_call *call, vqemu_ingest **ingest,
                                  vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(ingest, error);
    *ingest = NULL;
    REQUIRE_STORE(store, error);
    REQUIRE_ARGUMENT(remote, error);
    REQUIRE_FLAGS(flags, VQEMU_PULL_ANY_PROFILE | VQEMU_PULL_WHOLE | VQEMU_PULL_DRY_RUN, error);
    version = version ? version : USUAL_TAG;
    _cleanup_(release_pulling) struct pulling pulling = {
        .options = options,
        .version = version,
        .name = format_string("%s%c%s", remote->repository, blob_is_digest(version) ? '@' : ':',
                              version),
        .session = {.remote = remote,
                    .doing = "fetch the objects from",
                    .progress = &pulling.progress},
        .progress = {.call = call, .phase_count = 3},
    };
    const struct fetch_source source = {.name = pulling.name};
    pulling.fetch = (struct fetch){.store = store,
                                   .source = &source,
                                   .trust = options ? options->trust : NULL,
                                   .stage = STAGE_EMPTY,
                                   .only_looks = flags & VQEMU_PULL_DRY_RUN,
                                   .progress = &pulling.progress};
    int r = pulling.name ? blob_check_reference(version, error) : error_no_memory(error);
    if (r == 0 && !(flags & VQEMU_PULL_DRY_RUN))
        r = store_require_writable(store, "pull a profile", error);
    return r == 0 ? pull(&pulling, flags, ingest, error) : r;
}
