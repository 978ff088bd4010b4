/* SPDX-License-Identifier: MIT */
/* A tar archive -> objects and a revision. */
#include <volt-qemu/archive.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/options.h"
#include "store/store-profile.h"
#include "transfer/arriving.h"
#include "transfer/import.h"
#include "transfer/oci-layout.h"
#include "util/export.h"

static void release_import(struct import *import) {
    archive_close(import->reader);
    stage_close(&import->stage);
    for (size_t i = 0; i < import->count; i++) {
        free(import->entries[i].path);
        free(import->entries[i].target);
    }
    free(import->entries);
    vqemu_manifest_unref(import->manifest);
    free(import->manifest_text);
    signature_set_release(&import->signatures);
    closure_free(import->closure);
    free(import->objects);
    free(import->numbers);
    free(import->staged);
    free(import->buffer);
}

/* ---- publishing ---- */

static int publish_objects(struct import *import, vqemu_error **error) {
    int r = stage_sync(&import->stage, error);
    for (size_t i = 0; r == 0 && i < import->count; i++) {
        struct entry *entry = &import->entries[i];
        if (entry->kind == ARCHIVE_FILE)
            r = stage_publish(&import->stage, entry->number, &import->staged[i], entry->path,
                              error);
    }
    return r == 0 ? stage_sync_objects(&import->stage, error) : r;
}

/* The entries are in the order of paths, as the manifest is. */
static int open_staged(void *context, size_t index) {
    const struct import *import = context;
    return stage_reopen(&import->stage, import->numbers[index]);
}

static int publish(struct import *import, vqemu_ingest **ingest, vqemu_error **error) {
    vqemu_call *call = import->progress.call;
    _cleanup_(stage_release_profile) struct stage_profile staged = {
        .name = import->profile,
        .source = import->name,
        .options = import->options,
        .arch = import->arch,
        .objects = import->objects,
        .staged = import->staged,
        .count = import->count,
        .total_size = import->total_size,
        .manifest = vqemu_manifest_ref(import->manifest),
        .text = import->manifest_text,
    };
    const struct stage_files files = {open_staged, import};
    const struct arriving_proof proof = {
        .store = import->store, .text = import->manifest_text, .signatures = &import->signatures};
    const vqemu_trust *own = import->options ? import->options->trust : NULL;
    int r = stage_lock(&import->stage, &import->progress, error);
    if (r == 0)
        r = stage_examine_profile(&import->stage, &staged, &files, import->must_be_whole,
                                  &import->progress, &import->closure, error);
    if (r == 0 && import->manifest)
        r = arriving_keep_signatures(&proof, import->profile, import->manifest, own,
                                     &import->progress, error);
    if (r == 0)
        r = publish_objects(import, error);
    if (r == 0)
        r = stage_publish_profile(&import->stage, &staged, call, ingest, error);
    if (r == 0)
        (*ingest)->closure = TAKE_POINTER(import->closure);
    return r;
}

/* As others pack them; its files would make a profile of blobs. */
static int refuse_packed_layout(const struct import *import, vqemu_error **error) {
    for (size_t i = 0; i < import->count; i++)
        if (strcmp(import->entries[i].path, OCI_LAYOUT_MARKER) == 0) {
            int r = error_set(error, VQEMU_ERR_INVALID, 0,
                              "the archive %s is a packed OCI layout: unpack it, and import the "
                              "directory as a layout",
                              import->name);
            return error_because(r, error, "packed-layout", VQEMU_DETAIL_PATH, import->name, NULL);
        }
    return 0;
}

/* Of an archive without a manifest, the caller says whose version it is. */
static int describe(struct import *import, vqemu_error **error) {
    const vqemu_ingest_options *options = import->options;
    if (import->manifest)
        return 0;
    int r = refuse_packed_layout(import, error);
    if (r < 0)
        return r;
    if (options && options->digest)
        return options_invalid(VQEMU_INGEST_DIGEST, options->digest, NULL, error,
                               "the archive %s has no manifest, so it has no digest yet",
                               import->name);
    import->profile = options ? options->profile : NULL;
    if (import->profile)
        return profile_check_options(options, error);
    r = error_set(error, VQEMU_ERR_INVALID, 0,
                  "the archive %s does not say of which profile it is: name the profile",
                  import->name);
    return error_because(r, error, "no-profile", VQEMU_DETAIL_PATH, import->name, NULL);
}

static int open_import(struct import *import, int fd, vqemu_error **error) {
    struct stat status;
    bool is_file = fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
    progress_start(&import->progress, "import", "bytes", is_file ? (uint64_t)status.st_size : 0);
    int r = store_require_writable(import->store, "import a profile", error);
    if (r == 0)
        r = archive_open(fd, import->name, &import->progress, &import->reader, error);
    if (r == 0)
        r = stage_open(&import->stage, import->store, 0, error);
    if (r < 0)
        return r;
    import->size_left = call_max_size(import->progress.call);
    import->buffer = malloc(IMPORT_BUFFER_SIZE);
    if (!import->buffer)
        return error_no_memory(error);
    return 0;
}

VQEMU_EXPORT int vqemu_store_import(vqemu_store *store, int fd, const char *name,
                                    const vqemu_ingest_options *options, uint32_t flags,
                                    vqemu_call *call, vqemu_ingest **ingest, vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(ingest, error);
    *ingest = NULL;
    REQUIRE_STORE(store, error);
    REQUIRE_FLAGS(flags, VQEMU_IMPORT_ANY_PROFILE | VQEMU_IMPORT_WHOLE, error);
    REQUIRE_DESCRIPTOR(fd, error);
    char number[ARCHIVE_NAME_SIZE];
    _cleanup_(release_import) struct import import = {
        .store = store,
        .name = archive_name(name, fd, number),
        .options = options,
        .any_profile = flags & VQEMU_IMPORT_ANY_PROFILE,
        .must_be_whole = flags & VQEMU_IMPORT_WHOLE,
        .stage = STAGE_EMPTY,
        .progress = {.call = call, .phase_count = 1},
    };
    int r = open_import(&import, fd, error);
    if (r == 0)
        r = import_read_entries(&import, error);
    if (r == 0)
        r = import_check_trust(&import, error);
    if (r == 0)
        r = describe(&import, error);
    if (r == 0)
        r = import_sort_entries(&import, error);
    if (r == 0)
        r = import_list_objects(&import, error);
    if (r == 0 && import.manifest)
        r = import_compare_with_manifest(&import, error);
    if (r == 0)
        r = ingest_require_program(import.objects, import.count, import.name, error);
    return r == 0 ? publish(&import, ingest, error) : r;
}
