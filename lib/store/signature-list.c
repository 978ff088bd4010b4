/* SPDX-License-Identifier: MIT */
/* Signatures of revisions, for those who add, remove and look at them. */
#include <volt-qemu/signature.h>

#include <errno.h>
#include <stdlib.h>

#include "base/error.h"
#include "store/signatures.h"
#include "trust/signature.h"
#include "util/export.h"
#include "util/word.h"

struct vqemu_signature_list {
    struct signature_set set;
    struct signature read[SIGNATURES_MAX];
};

/* ---- changing ---- */

static int refuse(const char *what, vqemu_error **error) {
    int r = error_set(error, VQEMU_ERR_INVALID, 0, "this cannot be a signature: it %s", what);
    return error_because(r, error, "not-a-signature", NULL);
}

static int take(const char *bytes, size_t size, uint32_t flags, struct signature_set *set,
                vqemu_error **error) {
    struct signature signature;
    int r = signature_set_add(set, bytes, size);
    if (r == -EMSGSIZE)
        return refuse(size == 0 ? "is empty" : "has more than 4096 bytes", error);
    if (r < 0)
        return error_no_memory(error);
    signature_read(bytes, size, &signature);
    return signature.fault && !(flags & VQEMU_SIGNATURE_ANY) ? refuse(signature.fault, error) : 0;
}

/* Under the lock of the store: it is not collected from now on. */
static int find_again(const vqemu_store *store, const vqemu_revision *revision, vqemu_call *call,
                      vqemu_error **error) {
    _cleanup_revision_ vqemu_revision *found = NULL;
    return revision_find(store, vqemu_revision_name(revision), call, &found, error);
}

static int begin(vqemu_store *store, const vqemu_revision *revision, const char *what,
                 vqemu_call *call, vqemu_error **error) {
    int r = store_require_writable(store, what, error);
    if (r == 0)
        r = revision_check_store(store, revision, error);
    return r == 0 ? call_check(call, "the start", error) : r;
}

VQEMU_EXPORT int vqemu_store_add_signature(vqemu_store *store, const vqemu_revision *revision,
                                           const char *signature, size_t size, uint32_t flags,
                                           vqemu_call *call, vqemu_error **error) {
    error_begin(error);
    REQUIRE_STORE(store, error);
    REQUIRE_ARGUMENT(revision, error);
    REQUIRE_ARGUMENT(signature, error);
    REQUIRE_FLAGS(flags, VQEMU_SIGNATURE_ANY, error);
    _cleanup_signature_set_ struct signature_set set = {0};
    _cleanup_close_ int lock = -1;
    struct vqemu_progress progress = {.call = call};
    int32_t key;
    int r = begin(store, revision, "add a signature", call, error);
    if (r == 0)
        r = take(signature, size, flags, &set, error);
    if (r == 0)
        r = store_lock_shared(store, &progress, &lock, error);
    if (r == 0)
        r = find_again(store, revision, call, error);
    if (r == 0 && store->trust)
        r = signatures_check_these(store, revision, &set, store->trust, &key, error);
    return r == 0 ? signatures_keep(store, vqemu_revision_name(revision), &set, &progress, error)
                  : r;
}

VQEMU_EXPORT int vqemu_store_remove_signature(vqemu_store *store, const vqemu_revision *revision,
                                              const char *digest, uint32_t flags, vqemu_call *call,
                                              vqemu_error **error) {
    error_begin(error);
    REQUIRE_STORE(store, error);
    REQUIRE_ARGUMENT(revision, error);
    REQUIRE_ARGUMENT(digest, error);
    REQUIRE_FLAGS(flags, 0, error);
    _cleanup_close_ int lock = -1;
    struct vqemu_progress progress = {.call = call};
    struct digest parsed;
    int r = begin(store, revision, "remove a signature", call, error);
    if (r == 0 && !digest_parse(digest, &parsed))
        r = error_set(error, VQEMU_ERR_INVALID, 0,
                      "\"%.200s\" is no SHA-256 of 64 lower case hex digits", digest);
    if (r == 0)
        r = store_lock_shared(store, &progress, &lock, error);
    if (r == 0)
        r = revision_require_there(store, revision, error);
    return r == 0 ? signatures_drop(store, vqemu_revision_name(revision), digest, &progress, error)
                  : r;
}

/* ---- looking ---- */

VQEMU_EXPORT int vqemu_store_verify_revision(vqemu_store *store, const vqemu_revision *revision,
                                             const vqemu_trust *trust, uint32_t flags,
                                             vqemu_call *call, int32_t *key, vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(key, error);
    *key = -1;
    REQUIRE_STORE(store, error);
    REQUIRE_ARGUMENT(revision, error);
    REQUIRE_ARGUMENT(trust, error);
    REQUIRE_FLAGS(flags, 0, error);
    int r = revision_check_store(store, revision, error);
    if (r == 0)
        r = call_check(call, "the start", error);
    if (r == 0 && vqemu_revision_error(revision))
        r = revision_broken(revision, error);
    return r == 0 ? signatures_check(store, revision, trust, call, key, error) : r;
}

VQEMU_EXPORT int vqemu_store_list_signatures(vqemu_store *store, const vqemu_revision *revision,
                                             uint32_t flags, vqemu_call *call,
                                             vqemu_signature_list **list, vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(list, error);
    *list = NULL;
    REQUIRE_STORE(store, error);
    REQUIRE_ARGUMENT(revision, error);
    REQUIRE_FLAGS(flags, 0, error);
    int r = revision_check_store(store, revision, error);
    if (r == 0)
        r = call_check(call, "the start", error);
    if (r < 0)
        return r;
    vqemu_signature_list *new = calloc(1, sizeof *new);
    if (!new)
        return error_no_memory(error);
    r = signatures_load(store, vqemu_revision_name(revision), call, &new->set, NULL, error);
    if (r == 0) /* looked at last: its signatures go after it */
        r = revision_require_there(store, revision, error);
    if (r < 0) {
        vqemu_signature_list_free(new);
        return r;
    }
    for (size_t i = 0; i < new->set.count; i++)
        signature_read(new->set.items[i].bytes, new->set.items[i].size, &new->read[i]);
    *list = new;
    return 0;
}

VQEMU_EXPORT size_t vqemu_signature_list_count(const vqemu_signature_list *list) {
    return list ? list->set.count : 0;
}

static const struct signature *signature_at(const vqemu_signature_list *list, size_t index) {
    return list && index < list->set.count ? &list->read[index] : NULL;
}

VQEMU_EXPORT const char *vqemu_signature_list_digest(const vqemu_signature_list *list,
                                                     size_t index) {
    return signature_at(list, index) ? list->set.items[index].digest.hex : NULL;
}

VQEMU_EXPORT const char *vqemu_signature_list_bytes(const vqemu_signature_list *list, size_t index,
                                                    size_t *size) {
    const struct signature *signature = signature_at(list, index);
    if (size)
        *size = signature ? list->set.items[index].size : 0;
    return signature ? list->set.items[index].bytes : NULL;
}

VQEMU_EXPORT const char *vqemu_signature_list_kind(const vqemu_signature_list *list, size_t index) {
    const struct signature *signature = signature_at(list, index);
    return signature ? signature_kind_name(signature->kind) : NULL;
}

VQEMU_EXPORT const char *vqemu_signature_list_key_id(const vqemu_signature_list *list,
                                                     size_t index) {
    const struct signature *signature = signature_at(list, index);
    return signature ? null_if_empty(signature->id) : NULL;
}

VQEMU_EXPORT const char *vqemu_signature_list_fault(const vqemu_signature_list *list,
                                                    size_t index) {
    const struct signature *signature = signature_at(list, index);
    return signature ? signature->fault : NULL;
}

VQEMU_EXPORT void vqemu_signature_list_free(vqemu_signature_list *list) {
    if (!list)
        return;
    signature_set_release(&list->set);
    free(list);
}
