/* SPDX-License-Identifier: MIT */
#include "qemu/kept.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "store/manifest.h"
#include "store/program-parts.h"
#include "store/record.h"
#include "store/revision.h"
#include "store/store.h"
#include "store/verified.h"
#include "tree/runtime.h"
#include "util/cleanup.h"

#define RECORD_LIMIT ((size_t)16 * 1024 * 1024)

/* ---- which record ---- */

/* What the store has noted of the manifest is read far faster than itself. */
static int load_manifest(vqemu_store *store, const vqemu_runtime *runtime,
                         vqemu_manifest **manifest, vqemu_error **error) {
    _cleanup_free_ struct verified *verified = NULL;
    int r = verified_load(store, runtime->digest.hex, manifest, &verified);
    if (r != -ENOENT)
        return r == 0 ? 1 : error_no_memory(error);
    _cleanup_error_ vqemu_error *why = NULL;
    _cleanup_revision_ vqemu_revision *revision = NULL;
    r = vqemu_store_find_revision(store, runtime->revision, 0, NULL, &revision, &why);
    if (r < 0)
        return error_ends_call(r) ? error_copy(why, error) : 0;
    *manifest = vqemu_manifest_ref(vqemu_revision_manifest(revision));
    return *manifest && strcmp(vqemu_manifest_digest(*manifest), runtime->digest.hex) == 0;
}

int kept_find(vqemu_store *store, const vqemu_runtime *runtime, struct kept *kept,
              vqemu_error **error) {
    _cleanup_manifest_ vqemu_manifest *manifest = NULL;
    *kept = (struct kept){.store = store};
    if (!store || !runtime->tree)
        return 0;
    int r = load_manifest(store, runtime, &manifest, error);
    if (r <= 0)
        return r;
    r = program_parts_digest(manifest, runtime->binary + strlen(runtime->tree) + 1, &kept->parts);
    return r < 0 ? error_no_memory(error) : r;
}

/* ---- the record ---- */

static char *record_name(const struct kept *kept) {
    return format_string("capabilities-%s", kept->parts.hex);
}

int kept_load(const struct kept *kept, vqemu_capabilities **capabilities, vqemu_error **error) {
    _cleanup_close_ int cache_fd = store_find_beside_objects(kept->store, STORE_CACHE);
    _cleanup_free_ char *name = record_name(kept), *text = NULL;
    _cleanup_error_ vqemu_error *why = NULL;
    *capabilities = NULL;
    if (!name)
        return error_no_memory(error);
    int r = cache_fd < 0 ? -ENOENT
                         : record_read(cache_fd, name, kept->store->flags, RECORD_LIMIT, &text);
    if (r < 0)
        return r == -ENOMEM ? error_no_memory(error) : 0;
    r = capabilities_of_text(TAKE_POINTER(text), name, capabilities, &why);
    return r == VQEMU_ERR_MALFORMED ? 0 : r;
}

void kept_save(const struct kept *kept, const vqemu_capabilities *capabilities) {
    _cleanup_close_ int cache_fd = -1;
    _cleanup_free_ char *name = record_name(kept);
    _cleanup_strbuf_ struct strbuf text = {0};
    if (!name || store_require_writable(kept->store, "keep this", NULL) < 0 ||
        store_open_beside_objects(kept->store, STORE_CACHE, &cache_fd, NULL) < 0)
        return;
    if (capabilities_write(capabilities, &text) == 0)
        record_replace(cache_fd, name, &text);
}

/* ---- other profiles ---- */

static bool has(const vqemu_store *store, const vqemu_revision *revision, const char *program,
                const struct capability_name *name) {
    _cleanup_capabilities_ vqemu_capabilities *capabilities = NULL;
    struct kept kept = {.store = store};
    if (program_parts_digest(vqemu_revision_manifest(revision), program, &kept.parts) <= 0 ||
        kept_load(&kept, &capabilities, NULL) < 0 || !capabilities)
        return false;
    return vqemu_capabilities_has(capabilities, name->kind, name->name, name->property) == 1 &&
           !vqemu_capabilities_fact(capabilities, name->kind, name->name, "broken");
}

void kept_list_profiles(vqemu_store *store, const char *program, const struct capability_name *name,
                        struct strbuf *profiles) {
    vqemu_revision_list *revisions = NULL;
    _cleanup_free_ char *path = format_string("bin/%s", program);
    const char *former = "";
    if (!path || vqemu_store_list_revisions(store, NULL, 0, NULL, &revisions, NULL) < 0)
        return;
    for (size_t i = 0; i < vqemu_revision_list_count(revisions); i++) {
        const vqemu_revision *revision = vqemu_revision_list_at(revisions, i);
        const char *profile = vqemu_revision_profile_name(revision);
        bool is_newest = strcmp(profile, former) != 0;
        former = profile;
        if (is_newest && has(store, revision, path, name))
            strbuf_addf(profiles, "%s%s", profiles->length ? ", " : "", profile);
    }
    vqemu_revision_list_free(revisions);
}
