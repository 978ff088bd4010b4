/* SPDX-License-Identifier: MIT */
#include "transfer/oci-profile.h"

#include <stdlib.h>

#include "base/error.h"
#include "util/strbuf.h"

void oci_profile_release(struct oci_profile *profile) {
    oci_manifest_release(&profile->oci);
    vqemu_manifest_unref(profile->manifest);
    free(profile->text);
    signature_set_release(&profile->signatures);
    *profile = (struct oci_profile){0};
}

/* The config is the manifest of a revision. */
static int load_manifest(struct oci_profile *profile, const struct oci_source *source,
                         size_t max_objects, vqemu_error **error) {
    const struct oci_blob *config = &profile->oci.config;
    _cleanup_free_ char *name = format_string("%s: manifest", source->name);
    int r = name ? source->read(source->context, config, "the manifest",
                                manifest_text_limit(max_objects), &profile->text, error)
                 : error_no_memory(error);
    return r == 0 ? manifest_load_memory(profile->text, (size_t)config->size, name, max_objects,
                                         &profile->manifest, error)
                  : r;
}

static int load_signatures(struct oci_profile *profile, const struct oci_source *source,
                           vqemu_error **error) {
    for (size_t i = 0; i < profile->oci.signature_count; i++) {
        const struct oci_blob *blob = &profile->oci.signatures[i];
        _cleanup_free_ char *text = NULL;
        int r =
            source->read(source->context, blob, "a signature", SIGNATURE_SIZE_MAX, &text, error);
        if (r < 0)
            return r;
        if (signature_set_add(&profile->signatures, text, (size_t)blob->size) < 0)
            return error_no_memory(error);
    }
    return 0;
}

int oci_profile_load(struct oci_profile *profile, const struct oci_source *source, const char *text,
                     const struct oci_blob *blob, vqemu_call *call, vqemu_error **error) {
    size_t max_objects = call_max_objects(call);
    oci_digest_to_text(&blob->digest, profile->oci_digest);
    int r = oci_manifest_load(text, (size_t)blob->size, source->name, max_objects,
                              call_max_size(call), &profile->oci, error);
    if (r == 0)
        r = load_manifest(profile, source, max_objects, error);
    return r == 0 ? load_signatures(profile, source, error) : r;
}

/* ---- where its objects are ---- */

/* What the index of packs says, if there are any. */
static int load_packs(struct oci_profile *profile, const struct oci_source *source,
                      size_t max_objects, vqemu_error **error) {
    const struct oci_blob *blob = &profile->oci.pack_index;
    if (blob->size == 0)
        return 0;
    _cleanup_free_ char *text = NULL, *name = format_string("%s: index of packs", source->name);
    int r = name ? source->read(source->context, blob, "the index of packs",
                                pack_index_text_limit(max_objects), &text, error)
                 : error_no_memory(error);
    return r == 0 ? oci_manifest_load_packs(&profile->oci, text, name, max_objects, error) : r;
}

/* Each object has a layer or is in a pack, but what is empty. */
static int check_layers(const struct oci_profile *profile, const char *name, vqemu_error **error) {
    const struct digest empty = digest_of_bytes("", 0);
    struct oci_place place;
    for (size_t i = 0; i < vqemu_manifest_object_count(profile->manifest); i++) {
        const struct manifest_object *object = manifest_object(profile->manifest, i);
        if (digest_equal(&object->digest, &empty) ||
            oci_manifest_locate(&profile->oci, &object->digest, &place))
            continue;
        return error_set(error, VQEMU_ERR_MALFORMED, 0, "%s: there is no layer of %s, sha256:%s",
                         name, object->path, object->digest.hex);
    }
    return 0;
}

int oci_profile_find_objects(struct oci_profile *profile, const struct oci_source *source,
                             vqemu_call *call, vqemu_error **error) {
    int r = load_packs(profile, source, call_max_objects(call), error);
    return r == 0 ? check_layers(profile, source->name, error) : r;
}
