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
#include "transfer/oci-profile.h"
#include "util/export.h"
#include "util/fd.h"
#include "util/strbuf.h"

struct importing {
    struct oci_layout layout;
    struct oci_profile arrived;
    const char *profile; /* whose version it is */
    vqemu_closure *closure;
    struct fetch fetch;
    struct vqemu_progress progress;
};

static void release_importing(struct importing *importing) {
    fetch_release(&importing->fetch);
    oci_layout_close(&importing->layout);
    oci_profile_release(&importing->arrived);
    closure_free(importing->closure);
}

/* ---- what is there ---- */

static int read_blob(void *context, const struct oci_blob *blob, const char *what, size_t limit,
                     char **text, vqemu_error **error) {
    const struct importing *importing = context;
    return oci_layout_read_blob(&importing->layout, blob, what, limit, text, error);
}

static struct oci_source source_of(struct importing *importing) {
    return (struct oci_source){importing->layout.path, read_blob, importing};
}

static int load_profile(struct importing *importing, const char *version, vqemu_error **error) {
    const struct oci_source source = source_of(importing);
    _cleanup_free_ char *text = NULL;
    struct oci_blob blob;
    int r = oci_layout_find(&importing->layout, version, &blob, error);
    if (r == 0)
        r = oci_layout_read_blob(&importing->layout, &blob, "the OCI manifest", OCI_MANIFEST_MAX,
                                 &text, error);
    return r == 0 ? oci_profile_load(&importing->arrived, &source, text, &blob,
                                     importing->progress.call, error)
                  : r;
}

/* ---- where objects come from ---- */

static int read_failed(void *context, const struct manifest_object *object, int system_errno,
                       vqemu_error **error) {
    const struct importing *importing = context;
    struct oci_place place = {.blob.digest = object->digest};
    oci_manifest_locate(&importing->arrived.oci, &object->digest, &place);
    return oci_layout_failed(&importing->layout, &place.blob.digest, system_errno, "cannot read",
                             error);
}

static int damaged(void *context, const struct manifest_object *object, vqemu_error **error) {
    const struct importing *importing = context;
    struct oci_place place = {.blob.digest = object->digest};
    oci_manifest_locate(&importing->arrived.oci, &object->digest, &place);
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
    if (!oci_manifest_locate(&importing->arrived.oci, &object->digest, &place)) {
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
    return r == 0 ? load_profile(importing, version, error) : r;
}

/* What no signature covers is read when the rest is trusted. */
static int find_objects(struct importing *importing, vqemu_error **error) {
    const struct oci_source source = source_of(importing);
    return oci_profile_find_objects(&importing->arrived, &source, importing->progress.call, error);
}

static int require_program(const struct importing *importing, vqemu_error **error) {
    size_t count = vqemu_manifest_object_count(importing->arrived.manifest);
    return ingest_require_program(count > 0 ? manifest_object(importing->arrived.manifest, 0)
                                            : NULL,
                                  count, importing->layout.path, error);
}

static int take_objects(struct importing *importing, vqemu_error **error) {
    struct fetch *fetch = &importing->fetch;
    size_t count = vqemu_manifest_object_count(importing->arrived.manifest);
    fetch->manifest = importing->arrived.manifest;
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
                                    .manifest = importing->arrived.manifest};
    const struct stage_files files = {fetch_open_object, fetch};
    int r = stage_examine_profile(&fetch->stage, &profile, &files, must_be_whole,
                                  &importing->progress, &importing->closure, error);
    if (r == 0)
        r = fetch_publish(fetch, importing->profile, importing->arrived.text,
                          &importing->arrived.signatures, ingest, error);
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
    importing.fetch = (struct fetch){.store = store,
                                     .source = &source,
                                     .trust = options ? options->trust : NULL,
                                     .stage = STAGE_EMPTY,
                                     .progress = &importing.progress};
    int r = store_require_writable(store, "import a profile", error);
    if (r == 0)
        r = open_importing(&importing, directory, version, error);
    const struct arriving arriving = {"the OCI layout", directory, importing.arrived.manifest,
                                      options, flags & VQEMU_IMPORT_ANY_PROFILE};
    const struct arriving_proof proof = {
        store, importing.arrived.text, importing.arrived.oci_digest, &importing.arrived.signatures};
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
