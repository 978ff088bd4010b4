/* SPDX-License-Identifier: MIT */
#include "store/signatures.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "store/leftovers.h"
#include "store/signature-choice.h"
#include "util/dir.h"
#include "util/fd.h"
#include "util/strbuf.h"

static int failed(const vqemu_store *store, const char *revision, int system_errno,
                  const char *what, vqemu_error **error) {
    return error_system_at(error, system_errno, what, "%s/" STORE_SIGNATURES "/%s",
                           store->beside_path, revision);
}

static int refuse_count(const vqemu_store *store, const char *revision, vqemu_error **error) {
    int r = error_set(error, VQEMU_ERR_INVALID, 0,
                      "revision %s would have more than %d signatures, in %s/" STORE_SIGNATURES
                      "/%s: remove what is not needed any more",
                      revision, SIGNATURES_MAX, store->beside_path, revision);
    return error_because(r, error, "too-many-signatures", VQEMU_DETAIL_REVISION, revision, NULL);
}

/* The directory of those of a revision: a descriptor or a negative errno. */
static int open_directory(const vqemu_store *store, const char *revision) {
    _cleanup_close_ int fd = store_find_beside_objects(store, STORE_SIGNATURES);
    return fd < 0 ? fd : open_at(fd, revision, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
}

/* ---- reading ---- */

struct loading {
    struct signature_set *set;
    struct strv damaged; /* names of files */
};

/* Returns 1, 0 if it is damaged, or a negative errno. */
static int read_signature(int directory_fd, const char *name, struct signature_set *set) {
    _cleanup_close_ int fd =
        open_at(directory_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0);
    _cleanup_free_ char *bytes = NULL;
    struct stat status;
    size_t size;
    if (fd < 0 || fstat(fd, &status) < 0)
        return fd == -ENOENT || fd == -ELOOP || fd == -ENXIO ? 0 : fd < 0 ? fd : -errno;
    if (!S_ISREG(status.st_mode))
        return 0;
    int r = read_all(fd, SIGNATURE_SIZE_MAX, &bytes, &size);
    if (r < 0)
        return r == -EFBIG ? 0 : r;
    const struct digest digest = digest_of_bytes(bytes, size);
    if (strcmp(digest.hex, name) != 0)
        return 0;
    r = signature_set_add(set, bytes, size);
    return r == -EMSGSIZE ? 0 : r < 0 ? r : 1;
}

/* What has another name, as what is being made, is passed over. */
static int load_one(int directory_fd, const char *name, void *userdata) {
    struct loading *loading = userdata;
    struct digest digest;
    if (!digest_parse(name, &digest))
        return 0;
    int r = read_signature(directory_fd, name, loading->set);
    if (r == 0)
        strv_add(&loading->damaged, name);
    return r < 0 ? r : 0;
}

/* In a directory that is open; -1 where there is none. */
static int load_all(const vqemu_store *store, int fd, const char *revision, struct loading *loading,
                    vqemu_error **error) {
    int r = fd < 0 ? 0 : for_each_entry(fd, ".", load_one, loading);
    if (r == -E2BIG)
        return refuse_count(store, revision, error);
    if (r < 0)
        return failed(store, revision, -r, "cannot read", error);
    return loading->damaged.failed ? error_no_memory(error) : 0;
}

static int tell_damaged(const vqemu_store *store, const char *revision, const struct strv *names,
                        vqemu_call *call, struct strv *damaged) {
    for (size_t i = 0; i < names->count; i++) {
        _cleanup_free_ char *path = format_string("%s/" STORE_SIGNATURES "/%s/%s",
                                                  store->beside_path, revision, names->items[i]);
        if (!path)
            return -ENOMEM;
        if (damaged)
            strv_add(damaged, path);
        else
            call_log(call, VQEMU_LOG_WARNING, "signature-damaged",
                     (struct log_subject){.path = path, .revision = revision},
                     "the signature %s is damaged, and counts for nothing", path);
    }
    return damaged && damaged->failed ? -ENOMEM : 0;
}

int signatures_load(const vqemu_store *store, const char *revision, vqemu_call *call,
                    struct signature_set *set, struct strv *damaged, vqemu_error **error) {
    _cleanup_close_ int fd = open_directory(store, revision);
    struct loading loading = {.set = set};
    if (fd < 0 && fd != -ENOENT)
        return failed(store, revision, -fd, "cannot open", error);
    int r = load_all(store, fd, revision, &loading, error);
    if (r == 0 && tell_damaged(store, revision, &loading.damaged, call, damaged) < 0)
        r = error_no_memory(error);
    strv_release(&loading.damaged);
    return r;
}

/* ---- writing ---- */

/* Locked, so that two who add do not exceed the limit together. */
static int open_locked(const vqemu_store *store, const char *revision, bool create,
                       struct vqemu_progress *progress, int *fd, vqemu_error **error) {
    _cleanup_close_ int all_fd = -1;
    int r = store_open_beside_objects(store, STORE_SIGNATURES, &all_fd, error);
    if (r < 0)
        return r;
    r = create ? make_directory_at(all_fd, revision, 0755) : -EEXIST;
    if (r == 0 || r == -EEXIST)
        r = *fd = open_at(all_fd, revision, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    if (r < 0)
        return failed(store, revision, -r, "cannot make or open", error);
    return progress_lock(progress, *fd, LOCK_EX, 0, revision, error);
}

/* The directory, and those above it, may have been made just now. */
static int sync_directory(int fd) {
    int r = sync_fd(fd);
    if (r == 0)
        r = sync_path(fd, "..");
    return r == 0 ? sync_path(fd, "../..") : r;
}

/* The files become those of another set; what goes makes room first. */
static int change(const vqemu_store *store, int fd, const char *revision,
                  const struct signature_set *there, const struct signature_set *wanted,
                  vqemu_error **error) {
    int r = 0;
    for (size_t i = 0; r == 0 && i < there->count; i++)
        if (!signature_set_has(wanted, &there->items[i].digest))
            r = unlinkat(fd, there->items[i].digest.hex, 0) < 0 ? -errno : 0;
    for (size_t i = 0; r == 0 && i < wanted->count; i++) {
        const struct signed_by *item = &wanted->items[i];
        if (!signature_set_has(there, &item->digest))
            r = leftovers_replace_file(fd, item->digest.hex, item->bytes, item->size);
    }
    if (r == 0)
        r = sync_directory(fd);
    return r < 0 ? failed(store, revision, -r, "cannot write a signature into", error) : 0;
}

/* With its directory, locked. What is damaged counts for nothing: added, it is made good. */
static int load_locked(const vqemu_store *store, const char *revision,
                       struct vqemu_progress *progress, int *fd, struct signature_set *there,
                       vqemu_error **error) {
    struct loading loading = {.set = there};
    int r = open_locked(store, revision, true, progress, fd, error);
    if (r < 0)
        return r;
    leftovers_sweep(*fd);
    r = load_all(store, *fd, revision, &loading, error);
    strv_release(&loading.damaged);
    return r;
}

static int add_all(struct signature_set *wanted, const struct signature_set *set) {
    int r = 0;
    for (size_t i = 0; r >= 0 && i < set->count; i++)
        r = signature_set_add(wanted, set->items[i].bytes, set->items[i].size);
    return r < 0 ? r : 0;
}

int signatures_keep(const vqemu_store *store, const char *revision, const struct signature_set *set,
                    struct vqemu_progress *progress, vqemu_error **error) {
    _cleanup_signature_set_ struct signature_set there = {0}, wanted = {0};
    _cleanup_close_ int fd = -1;
    int r = load_locked(store, revision, progress, &fd, &there, error);
    if (r < 0)
        return r;
    r = add_all(&wanted, &there);
    if (r == 0)
        r = add_all(&wanted, set);
    if (r == -E2BIG)
        return refuse_count(store, revision, error);
    return r < 0 ? error_no_memory(error) : change(store, fd, revision, &there, &wanted, error);
}

static void tell_left_out(const char *revision, size_t count, vqemu_call *call) {
    if (count > 0)
        call_log(call, VQEMU_LOG_WARNING, "signatures-left-out",
                 (struct log_subject){.revision = revision},
                 "of the signatures of revision %s, %zu are not kept: it can have %d", revision,
                 count, SIGNATURES_MAX);
}

int signatures_keep_arrived(const vqemu_store *store, const char *revision,
                            const struct vqemu_evidence *evidence, const vqemu_trust *own,
                            struct vqemu_progress *progress, vqemu_error **error) {
    _cleanup_signature_set_ struct signature_set there = {0}, wanted = {0};
    const vqemu_trust *const trusts[] = {own, store->trust};
    _cleanup_close_ int fd = -1;
    size_t left_out;
    if (evidence->signatures->count == 0)
        return 0;
    int r = load_locked(store, revision, progress, &fd, &there, error);
    if (r < 0)
        return r;
    if (signatures_choose(&there, evidence, trusts, &wanted, &left_out) < 0)
        return error_no_memory(error);
    tell_left_out(revision, left_out, progress->call);
    return change(store, fd, revision, &there, &wanted, error);
}

static int no_such(const vqemu_store *store, const char *revision, const char *digest,
                   vqemu_error **error) {
    int r = error_set(error, VQEMU_ERR_NOT_FOUND, 0,
                      "revision %s has no signature %s in %s/" STORE_SIGNATURES, revision, digest,
                      store->beside_path);
    return error_because(r, error, "no-such-signature", VQEMU_DETAIL_REVISION, revision,
                         VQEMU_DETAIL_VALUE, digest, NULL);
}

int signatures_drop(const vqemu_store *store, const char *revision, const char *digest,
                    struct vqemu_progress *progress, vqemu_error **error) {
    _cleanup_close_ int there = open_directory(store, revision), fd = -1;
    if (there == -ENOENT)
        return no_such(store, revision, digest, error);
    int r = there < 0 ? failed(store, revision, -there, "cannot open", error)
                      : open_locked(store, revision, false, progress, &fd, error);
    if (r < 0)
        return r;
    r = unlinkat(fd, digest, 0) < 0 ? -errno : sync_fd(fd);
    return r == -ENOENT ? no_such(store, revision, digest, error)
           : r < 0      ? failed(store, revision, -r, "cannot remove a signature from", error)
                        : 0;
}

static int sweep_one(int directory_fd, const char *name, void *userdata) {
    const vqemu_store *store = userdata;
    _cleanup_free_ char *file = revision_file_name(name);
    int is_there = file && revision_is_name(name) ? exists_at(store->refs_fd, file) : -ENOMEM;
    if (is_there == 0)
        remove_tree(directory_fd, name);
    _cleanup_close_ int fd =
        is_there == 1 ? open_at(directory_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0) : -1;
    if (fd >= 0)
        leftovers_sweep(fd);
    return 0;
}

void signatures_sweep(const vqemu_store *store) {
    _cleanup_close_ int fd = store_find_beside_objects(store, STORE_SIGNATURES);
    if (fd >= 0)
        for_each_entry(fd, ".", sweep_one, (void *)(uintptr_t)store);
}

/* ---- whether they are good ---- */

int signatures_check_these(const vqemu_store *store, const vqemu_revision *revision,
                           const struct signature_set *set, const vqemu_trust *trust, int32_t *key,
                           vqemu_error **error) {
    const char *name = vqemu_revision_name(revision);
    _cleanup_free_ char *text = NULL, *source = format_string("revision %s", name);
    size_t size;
    if (!source)
        return error_no_memory(error);
    int r = revision_read_text(store, revision, &text, &size, error);
    if (r < 0)
        return r;
    struct vqemu_evidence evidence = {.source = source,
                                      .profile = vqemu_revision_profile_name(revision),
                                      .text = text,
                                      .size = size,
                                      .digest = revision_digest(revision),
                                      .signatures = set};
    r = trust_check(trust, &evidence, error);
    *key = evidence.key;
    return r < 0 ? error_because(r, error, NULL, VQEMU_DETAIL_REVISION, name, NULL) : 0;
}

int signatures_check(const vqemu_store *store, const vqemu_revision *revision,
                     const vqemu_trust *trust, vqemu_call *call, int32_t *key,
                     vqemu_error **error) {
    _cleanup_signature_set_ struct signature_set set = {0};
    int r = signatures_load(store, vqemu_revision_name(revision), call, &set, NULL, error);
    return r == 0 ? signatures_check_these(store, revision, &set, trust, key, error) : r;
}
