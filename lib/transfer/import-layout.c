/* SPDX-License-Identifier: MIT */
/* An OCI layout -> objects and a revision. */
#include <volt-qemu/archive.h>
#include <volt-qemu/layout.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "store/ingest.h"
#include "store/stage-closure.h"
#include "transfer/arriving.h"
#include "transfer/fetch.h"
#include "transfer/oci-layout.h"
#include "util/export.h"
#include "util/fd.h"
#include "util/strbuf.h"

struct importing {
    struct oci_layout layout;
    struct oci_manifest oci;
    vqemu_manifest *manifest;
    char *text;          /* of the manifest */
    const char *profile; /* whose version it is */
    char oci_digest[OCI_DIGEST_SIZE];
    struct signature_set signatures;
    vqemu_closure *closure;
    struct fetch fetch;
    struct vqemu_progress progress;
};

static void release_importing(struct importing *importing) {
    fetch_release(&importing->fetch);
    oci_layout_close(&importing->layout);
    oci_manifest_release(&importing->oci);
    vqemu_manifest_unref(importing->manifest);
    free(importing->text);
    signature_set_release(&importing->signatures);
    closure_free(importing->closure);
}

/* ---- what is there ---- */

static int load_oci_manifest(struct importing *importing, const char *version,
                             vqemu_error **error) {
    vqemu_call *call = importing->progress.call;
    const char *path = importing->layout.path;
    _cleanup_free_ char *text = NULL;
    struct oci_blob blob;
    int r = oci_layout_find(&importing->layout, version, &blob, error);
    if (r == 0)
        r = oci_layout_read_blob(&importing->layout, &blob, "the OCI manifest", OCI_MANIFEST_MAX,
                                 &text, error);
    if (r == 0)
        oci_digest_to_text(&blob.digest, importing->oci_digest);
    return r == 0 ? oci_manifest_load(text, (size_t)blob.size, path, call_max_objects(call),
                                      call_max_size(call), &importing->oci, error)
                  : r;
}

/* The config is the manifest of a revision. */
static int load_manifest(struct importing *importing, vqemu_error **error) {
    size_t max_objects = call_max_objects(importing->progress.call);
    const struct oci_blob *config = &importing->oci.config;
    _cleanup_free_ char *source = format_string("%s: manifest", importing->layout.path);
    int r = source ? oci_layout_read_blob(&importing->layout, config, "the manifest",
                                          manifest_text_limit(max_objects), &importing->text, error)
                   : error_no_memory(error);
    return r == 0 ? manifest_load_memory(importing->text, (size_t)config->size, source, max_objects,
                                         &importing->manifest, error)
                  : r;
}

static int load_signatures(struct importing *importing, vqemu_error **error) {
    for (size_t i = 0; i < importing->oci.signature_count; i++) {
        const struct oci_blob *blob = &importing->oci.signatures[i];
        _cleanup_free_ char *text = NULL;
        int r = oci_layout_read_blob(&importing->layout, blob, "a signature", SIGNATURE_SIZE_MAX,
                                     &text, error);
        if (r < 0)
            return r;
        if (signature_set_add(&importing->signatures, text, (size_t)blob->size) < 0)
            return error_no_memory(error);
    }
    return 0;
}

/* What the index of packs says, if there are any. */
static int load_packs(struct importing *importing, vqemu_error **error) {
    const struct oci_blob *blob = &importing->oci.pack_index;
    size_t max_objects = call_max_objects(importing->progress.call);
    if (blob->size == 0)
        return 0;
    _cleanup_free_ char *text = NULL;
    _cleanup_free_ char *source = format_string("%s: index of packs", importing->layout.path);
    int r = source ? oci_layout_read_blob(&importing->layout, blob, "the index of packs",
                                          pack_index_text_limit(max_objects), &text, error)
                   : error_no_memory(error);
    return r == 0 ? oci_manifest_load_packs(&importing->oci, text, source, max_objects, error) : r;
}

/* Each object has a layer or is in a pack, but what is empty. */
static int check_layers(const struct importing *importing, vqemu_error **error) {
    const struct digest empty = digest_of_bytes("", 0);
    struct oci_place place;
    for (size_t i = 0; i < vqemu_manifest_object_count(importing->manifest); i++) {
        const struct manifest_object *object = manifest_object(importing->manifest, i);
        if (digest_equal(&object->digest, &empty) ||
            oci_manifest_locate(&importing->oci, &object->digest, &place))
            continue;
        return error_set(error, VQEMU_ERR_MALFORMED, 0, "%s: there is no layer of %s, sha256:%s",
                         importing->layout.path, object->path, object->digest.hex);
    }
    return 0;
}

/* ---- where objects come from ---- */

static int read_failed(void *context, const struct manifest_object *object, int system_errno,
                       vqemu_error **error) {
    const struct importing *importing = context;
    struct oci_place place = {.blob.digest = object->digest};
    oci_manifest_locate(&importing->oci, &object->digest, &place);
    return oci_layout_failed(&importing->layout, &place.blob.digest, system_errno, "cannot read",
                             error);
}

static int damaged(void *context, const struct manifest_object *object, vqemu_error **error) {
    const struct importing *importing = context;
    struct oci_place place = {.blob.digest = object->digest};
    oci_manifest_locate(&importing->oci, &object->digest, &place);
    return oci_layout_damaged(&importing->layout, &place.blob.digest, object->path,
                              place.is_packed ? "has another digest in this pack than is told of it"
                                              : "has another digest than its name",
                              error);
}

/* Something to read nothing from. */
static int open_empty(vqemu_error **error) {
    int fd = make_memory_file("empty");
    return fd < 0 ? error_system(error, -fd, "cannot make a file in memory") : fd;
}

static int open_object(void *context, const struct manifest_object *object,
                       struct fetch_content *content, vqemu_error **error) {
    const struct importing *importing = context;
    struct oci_place place;
    if (!oci_manifest_locate(&importing->oci, &object->digest, &place)) {
        content->fd = open_empty(error);
        return content->fd < 0 ? content->fd : 0;
    }
    content->is_part = place.is_packed;
    content->offset = place.offset;
    content->size = place.size;
    return oci_layout_open_blob(&importing->layout, &place.blob, object->path, &content->fd, error);
}

/* ---- the whole ---- */

static int open_importing(struct importing *importing, const char *directory, const char *version,
                          vqemu_error **error) {
    int r = oci_layout_open(directory, false, &importing->progress, &importing->layout, error);
    if (r == 0)
        r = load_oci_manifest(importing, version, error);
    if (r == 0)
        r = load_manifest(importing, error);
    return r == 0 ? load_signatures(importing, error) : r;
}

/* What no signature covers is read when the rest is trusted. */
static int find_objects(struct importing *importing, vqemu_error **error) {
    int r = load_packs(importing, error);
    return r == 0 ? check_layers(importing, error) : r;
}

static int require_program(const struct importing *importing, vqemu_error **error) {
    size_t count = vqemu_manifest_object_count(importing->manifest);
    return ingest_require_program(count > 0 ? manifest_object(importing->manifest, 0) : NULL, count,
                                  importing->layout.path, error);
}

static int take_objects(struct importing *importing, vqemu_error **error) {
    struct fetch *fetch = &importing->fetch;
    size_t count = vqemu_manifest_object_count(importing->manifest);
    fetch->manifest = importing->manifest;
    int r = fetch_check_count(fetch, error);
    if (r == 0)
        r = stage_open(&fetch->stage, fetch->store, count + 1, error);
    if (r == 0)
        r = stage_lock(&fetch->stage, &importing->progress, error);
    return r == 0 ? fetch_objects(fetch, "import", error) : r;
}

static int publish(struct importing *importing, bool must_be_whole, vqemu_ingest **ingest,
                   vqemu_error **error) {
    struct fetch *fetch = &importing->fetch;
    struct stage_profile profile = {.name = importing->profile,
                                    .source = importing->layout.path,
                                    .manifest = importing->manifest};
    const struct stage_files files = {fetch_open_object, fetch};
    int r = stage_examine_profile(&fetch->stage, &profile, &files, must_be_whole,
                                  &importing->progress, &importing->closure, error);
    if (r == 0)
        r = fetch_publish(fetch, importing->profile, importing->text, &importing->signatures,
                          ingest, error);
    if (r == 0)
        (*ingest)->closure = TAKE_POINTER(importing->closure);
    return r;
}

VQEMU_EXPORT int vqemu_store_import_layout(vqemu_store *store, const char *directory,
                                           const char *version, const vqemu_ingest_options *options,
                                           uint32_t flags, vqemu_call *call, vqemu_ingest **ingest,
                                           vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(ingest, error);
    *ingest = NULL;
    REQUIRE_STORE(store, error);
    REQUIRE_ARGUMENT(directory, error);
    REQUIRE_FLAGS(flags, VQEMU_IMPORT_ANY_PROFILE | VQEMU_IMPORT_WHOLE, error);
    _cleanup_(release_importing) struct importing importing = {
        .layout = OCI_LAYOUT_NONE,
        .progress = {.call = call, .phase_count = 1},
    };
    const struct fetch_source source = {open_object, read_failed, damaged, &importing, directory};
    importing.fetch = (struct fetch){
        .store = store, .source = &source, .stage = STAGE_EMPTY, .progress = &importing.progress};
    int r = store_require_writable(store, "import a profile", error);
    if (r == 0)
        r = open_importing(&importing, directory, version, error);
    const struct arriving arriving = {"the OCI layout", directory, importing.manifest, options,
                                      flags & VQEMU_IMPORT_ANY_PROFILE};
    const struct arriving_proof proof = {store, importing.text, importing.oci_digest,
                                         &importing.signatures};
    if (r == 0)
        r = arriving_check(&arriving, &importing.profile, error);
    if (r == 0)
        r = arriving_check_trust(&arriving, &proof, importing.profile, error);
    if (r == 0)
        r = find_objects(&importing, error);
    if (r == 0)
        r = require_program(&importing, error);
    if (r == 0)
        r = take_objects(&importing, error);
    return r == 0 ? publish(&importing, flags & VQEMU_IMPORT_WHOLE, ingest, error) : r;
}
