/* SPDX-License-Identifier: MIT */
#include "store/revision-publish.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "store/arrival.h"
#include "store/leftovers.h"
#include "util/fd.h"
#include "util/rfc3339.h"

/* A revision being written. */
struct publishing {
    const vqemu_store *store;
    const char *profile;
    char *name, *file; /* of the revision, and of its file in refs/ */
    vqemu_manifest *manifest;
    vqemu_call *call;
};

static void release_publishing(struct publishing *publishing) {
    free(publishing->name);
    free(publishing->file);
}

void published_release(struct published *published) {
    vqemu_revision_unref(published->revision);
    vqemu_revision_unref(published->displaced);
    *published = (struct published){0};
}

static int failed(const struct publishing *publishing, int system_errno, vqemu_error **error) {
    return error_system_at(error, system_errno, "cannot write the revision", "%s/%s",
                           publishing->store->refs_path, publishing->file);
}

/* ---- its text ---- */

/* Stage the text beside its final name; locked, so that nobody takes it for a leftover. */
static int stage_text(const vqemu_store *store, const char *staged, const char *text, int *fd) {
    cleanup_close(fd);
    *fd = open_at(store->refs_fd, staged, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0644);
    if (*fd < 0)
        return *fd;
    int r = leftovers_lock(*fd, store->refs_fd, staged);
    if (r == 0)
        r = write_all(*fd, text, strlen(text));
    if (r == 0 && fchmod(*fd, 0644) < 0)
        r = -errno;
    return r == 0 ? sync_fd(*fd) : r;
}

/* Stage the text under a new name, also if it is taken for a leftover before it is locked. */
static int stage_anew(const vqemu_store *store, const char *text, char **staged, int *fd) {
    for (;;) {
        free(*staged);
        *staged = leftovers_new_name();
        int r = *staged ? stage_text(store, *staged, text, fd) : -ENOMEM;
        if (r != -EAGAIN)
            return r;
    }
}

/* ---- when it came ---- */

/* The revision of a list, which has the newest first, that came last: it may be a broken one. */
static size_t find_latest(const vqemu_revision_list *list) {
    size_t latest = 0;
    for (size_t i = 1; i < vqemu_revision_list_count(list); i++)
        if (timespec_compare(revision_list_order(list, latest), revision_list_order(list, i)) < 0)
            latest = i;
    return latest;
}

/* Before the revision appears, so that there is none of which nobody knows when it came. */
static int note_arrival(const struct publishing *publishing, struct published *published,
                        vqemu_error **error) {
    _cleanup_revision_list_ vqemu_revision_list *list = NULL;
    int r =
        revision_list_all(publishing->store, publishing->profile, publishing->call, &list, error);
    if (r < 0)
        return r;
    vqemu_revision *newest = vqemu_revision_list_at(list, 0);
    size_t latest = find_latest(list);
    r = arrival_note(publishing->store, publishing->name,
                     vqemu_revision_name(vqemu_revision_list_at(list, latest)),
                     newest ? revision_list_order(list, latest) : NULL, error);
    if (r == 0 && vqemu_revision_manifest(newest))
        published->displaced = vqemu_revision_ref(newest);
    return r;
}

/* ---- its name ---- */

/*
 * The name is taken. 0 if it is by this very manifest; a file that is no sound manifest is
 * replaced; -EEXIST if it is by another manifest.
 */
static int settle_name(const struct publishing *publishing, const char *staged, bool *is_new) {
    const vqemu_store *store = publishing->store;
    _cleanup_revision_ vqemu_revision *there = NULL;
    if (revision_find(store, publishing->name, publishing->call, &there, NULL) == 0) {
        *is_new = false;
        return strcmp(revision_digest(there), vqemu_manifest_digest(publishing->manifest)) == 0
                   ? 0
                   : -EEXIST;
    }
    return renameat(store->refs_fd, staged, store->refs_fd, publishing->file) < 0 ? -errno : 0;
}

/* Whoever has time to try can make a manifest with the digits of another. */
static int refuse_name(const struct publishing *publishing, vqemu_error **error) {
    int r = error_set(error, VQEMU_ERR_SYSTEM, EEXIST,
                      "the store has another revision %s, whose digest is not %s, but begins with "
                      "the same 8 digits: remove that one if it is not wanted",
                      publishing->name, vqemu_manifest_digest(publishing->manifest));
    return error_because(r, error, "name-taken", VQEMU_DETAIL_REVISION, publishing->name, NULL);
}

static int name_text(const struct publishing *publishing, const char *staged, bool *is_new,
                     vqemu_error **error) {
    const vqemu_store *store = publishing->store;
    int r = rename_noreplace(store->refs_fd, staged, store->refs_fd, publishing->file);
    if (r == -EEXIST)
        r = settle_name(publishing, staged, is_new);
    if (r == -EEXIST)
        return refuse_name(publishing, error);
    if (r == 0)
        r = sync_fd(store->refs_fd);
    return r < 0 ? failed(publishing, -r, error) : 0;
}

/* ---- all of it ---- */

static int publish_text(const struct publishing *publishing, const char *text,
                        struct published *published, vqemu_error **error) {
    const vqemu_store *store = publishing->store;
    _cleanup_close_ int fd = -1;
    _cleanup_free_ char *staged = NULL;
    int r = stage_anew(store, text, &staged, &fd);
    int is_there = r == 0 ? exists_at(store->refs_fd, publishing->file) : r;
    r = is_there < 0 ? failed(publishing, -is_there, error) : 0;
    /* One that is broken, and made good, keeps its place. */
    if (r == 0 && !is_there)
        r = note_arrival(publishing, published, error);
    if (r == 0)
        r = name_text(publishing, staged, &published->is_new, error);
    if (staged)
        unlinkat(store->refs_fd, staged, 0);
    return r;
}

int revision_publish(const vqemu_store *store, const char *profile, vqemu_manifest *manifest,
                     const char *text, vqemu_call *call, struct published *published,
                     vqemu_error **error) {
    _cleanup_free_ char *made = NULL;
    *published = (struct published){.is_new = true};
    int r = text ? 0 : vqemu_manifest_to_json(manifest, 0, &made, error);
    if (r < 0)
        return r;
    _cleanup_(release_publishing) struct publishing publishing = {
        .store = store,
        .profile = profile,
        .name = revision_name_of(profile, vqemu_manifest_digest(manifest)),
        .manifest = manifest,
        .call = call,
    };
    if (publishing.name)
        publishing.file = revision_file_name(publishing.name);
    if (!publishing.file)
        return error_no_memory(error);
    r = publish_text(&publishing, text ? text : made, published, error);
    return r == 0 ? revision_new_of_manifest(store, publishing.name, manifest, &published->revision,
                                             error)
                  : r;
}
