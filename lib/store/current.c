/* SPDX-License-Identifier: MIT */
/* The file cas/current/<profile> holds the name of the revision that was set, and a newline. */
#include "store/current.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/call.h"
#include "base/error.h"
#include "store/guard.h"
#include "store/leftovers.h"
#include "store/newest.h"
#include "util/dir.h"
#include "util/export.h"
#include "util/fd.h"
#include "util/path.h"
#include "util/strbuf.h"

#define LOAD_ATTEMPTS 10

/* ---- reading ---- */

static int report_broken(const vqemu_store *store, const char *profile, vqemu_error **error) {
    _cleanup_free_ char *path =
        format_string("%s/" STORE_CURRENT "/%s", store->beside_path, profile);
    int r = error_set(error, VQEMU_ERR_MALFORMED, 0,
                      "which revision of %s is to be used cannot be told: %s does not hold the "
                      "name of one; set it again, or remove that file for the newest",
                      profile, path ? path : profile);
    return error_because(r, error, "current-broken", VQEMU_DETAIL_PROFILE, profile,
                         VQEMU_DETAIL_PATH, path, NULL);
}

static bool is_revision_of(const char *name, const char *profile) {
    size_t length = strlen(profile);
    return revision_is_name(name) && strncmp(name, profile, length) == 0 && name[length] == '-' &&
           strlen(name) == length + 1 + REVISION_HASH_LENGTH;
}

/* path is relative to directory_fd. Returns 1 and the name, 0 if there is none, or a negative
 * errno: -EBADMSG for a file that does not hold one. */
static int read_file(int directory_fd, const char *path, const char *profile,
                     char name[NAME_MAX + 1], struct stat *status) {
    char text[NAME_MAX + 2];
    _cleanup_close_ int fd = open_at(directory_fd, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
    if (fd == -ENOENT)
        return 0;
    if (fd < 0)
        return fd == -ELOOP || fd == -ENXIO ? -EBADMSG : fd;
    ssize_t n = fstat(fd, status) < 0      ? -errno
                : S_ISREG(status->st_mode) ? read_some(fd, text, sizeof text - 1)
                                           : 0;
    if (n < 0)
        return (int)n;
    text[n] = '\0';
    text[strcspn(text, "\n")] = '\0';
    if (!is_revision_of(text, profile))
        return -EBADMSG;
    memcpy(name, text, strlen(text) + 1);
    return 1;
}

static int report_unread(const vqemu_store *store, const char *profile, int system_errno,
                         vqemu_error **error) {
    if (system_errno == EBADMSG)
        return report_broken(store, profile, error);
    return error_system_at(error, system_errno, "cannot read", "%s/" STORE_CURRENT "/%s",
                           store->beside_path, profile);
}

/* Who can write to the file chooses what is run. */
static int check_file(const vqemu_store *store, const char *profile, const struct stat *status,
                      vqemu_error **error) {
    if (guard_trusts_file(store->flags, status))
        return 0;
    _cleanup_free_ char *path =
        format_string("%s/" STORE_CURRENT "/%s", store->beside_path, profile);
    return path ? guard_refuse_file(status, path, error) : error_no_memory(error);
}

/* Returns 1 and the name of the revision that was set, 0 if none was, or an error. */
static int read_current(const vqemu_store *store, const char *profile, char name[NAME_MAX + 1],
                        vqemu_error **error) {
    struct stat status;
    if (strchr(profile, '/') || strlen(profile) > NAME_MAX)
        return 0;
    _cleanup_free_ char *path = join_path("../" STORE_CURRENT, profile);
    if (!path)
        return error_no_memory(error);
    int r = read_file(store->objects_fd, path, profile, name, &status);
    if (r <= 0)
        return r < 0 ? report_unread(store, profile, -r, error) : 0;
    r = check_file(store, profile, &status, error);
    return r < 0 ? r : 1;
}

static int report_gone(const vqemu_store *store, const char *profile, const char *name,
                       vqemu_error **error) {
    int r = error_set(error, VQEMU_ERR_NO_REVISION, 0,
                      "revision %s, which %s/" STORE_CURRENT
                      "/%s says is to be used, is not in the store; set another one, or remove "
                      "that file for the newest",
                      name, store->beside_path, profile);
    return error_because(r, error, "current-gone", VQEMU_DETAIL_PROFILE, profile,
                         VQEMU_DETAIL_REVISION, name, NULL);
}

int current_find(vqemu_store *store, const char *profile, vqemu_call *call,
                 vqemu_revision **revision, vqemu_error **error) {
    char name[NAME_MAX + 1], before[NAME_MAX + 1] = "";
    *revision = NULL;
    for (;;) {
        _cleanup_error_ vqemu_error *problem = NULL;
        int r = read_current(store, profile, name, error);
        if (r < 0)
            return r;
        if (r == 0)
            return newest_find(store, profile, call, revision, error);
        r = newest_find_named(store, name, call, revision, &problem);
        if (r == VQEMU_ERR_NO_REVISION) {
            if (strcmp(name, before) == 0)
                return report_gone(store, profile, name, error);
            memcpy(before, name,
                   sizeof before); /* another one may have been set, and this removed */
            continue;
        }
        if (r < 0 && error)
            *error = TAKE_POINTER(problem);
        return r;
    }
}

/* It can be collected, being used no more, before it is loaded: then try again. */
int current_load(vqemu_store *store, const char *profile, vqemu_call *call,
                 vqemu_revision **revision, vqemu_error **error) {
    for (int attempt = 1;; attempt++) {
        _cleanup_revision_ vqemu_revision *found = NULL;
        _cleanup_error_ vqemu_error *problem = NULL;
        int r = current_find(store, profile, call, &found, &problem);
        if (r == 0)
            r = revision_load(store, found, call, &problem);
        if (r == 0)
            *revision = TAKE_POINTER(found);
        if (found && r == VQEMU_ERR_NO_REVISION && attempt < LOAD_ATTEMPTS)
            continue;
        if (r < 0 && error)
            *error = TAKE_POINTER(problem);
        return r;
    }
}

VQEMU_EXPORT int vqemu_store_find_revision(vqemu_store *store, const char *name, uint32_t flags,
                                           vqemu_call *call, vqemu_revision **revision,
                                           vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(revision, error);
    *revision = NULL;
    REQUIRE_STORE(store, error);
    REQUIRE_ARGUMENT(name, error);
    REQUIRE_FLAGS(flags, 0, error);
    int r = revision_check_any_name(name, error);
    if (r == 0)
        r = call_check(call, "the start", error);
    if (r < 0)
        return r;
    return revision_is_name(name) ? revision_find(store, name, call, revision, error)
                                  : current_load(store, name, call, revision, error);
}

/* ---- all of them ---- */

struct reading {
    const vqemu_store *store;
    struct currents *currents;
    vqemu_error **error;
    int failure;
};

static int add_current(struct currents *currents, const char *profile, const char *revision) {
    if (currents->count == currents->capacity) {
        size_t capacity = currents->capacity ? 2 * currents->capacity : 4;
        struct current *larger = realloc(currents->currents, capacity * sizeof *larger);
        if (!larger)
            return -ENOMEM;
        currents->currents = larger;
        currents->capacity = capacity;
    }
    struct current *current = &currents->currents[currents->count++];
    *current = (struct current){strdup(profile), strdup(revision)};
    return current->profile && current->revision ? 0 : -ENOMEM;
}

static int add_file(int directory_fd, const char *name, void *userdata) {
    struct reading *reading = userdata;
    char revision[NAME_MAX + 1];
    struct stat status;
    if (*name == '.')
        return 0;
    int r = read_file(directory_fd, name, name, revision, &status);
    if (r == -EBADMSG) {
        reading->failure = report_broken(reading->store, name, reading->error);
        return 1;
    }
    if (r == 1)
        reading->failure = check_file(reading->store, name, &status, reading->error);
    if (reading->failure < 0)
        return 1;
    return r == 1 ? add_current(reading->currents, name, revision) : r;
}

int currents_read(const vqemu_store *store, struct currents *currents, vqemu_error **error) {
    struct reading reading = {.store = store, .currents = currents, .error = error};
    *currents = (struct currents){0};
    _cleanup_close_ int fd = store_find_beside_objects(store, STORE_CURRENT);
    if (fd == -ENOENT)
        return 0;
    int r = fd < 0 ? fd : for_each_entry(fd, ".", add_file, &reading);
    if (r == 0)
        return 0;
    currents_release(currents);
    return reading.failure < 0
               ? reading.failure
               : error_system_at(error, -r, "cannot read", "%s/" STORE_CURRENT, store->beside_path);
}

bool currents_have(const struct currents *currents, const char *revision) {
    for (size_t i = 0; i < currents->count; i++)
        if (strcmp(currents->currents[i].revision, revision) == 0)
            return true;
    return false;
}

void currents_release(struct currents *currents) {
    for (size_t i = 0; i < currents->count; i++) {
        free(currents->currents[i].profile);
        free(currents->currents[i].revision);
    }
    free(currents->currents);
    *currents = (struct currents){0};
}

/* ---- setting ---- */

static int write_current(const vqemu_store *store, const char *profile, const char *revision,
                         vqemu_error **error) {
    _cleanup_free_ char *line = format_string("%s\n", revision);
    _cleanup_close_ int fd = -1;
    int r =
        line ? store_open_beside_objects(store, STORE_CURRENT, &fd, error) : error_no_memory(error);
    if (r < 0)
        return r;
    leftovers_sweep(fd);
    r = leftovers_replace_file(fd, profile, line, strlen(line));
    if (r == 0)
        r = sync_fd(fd);
    if (r == 0) /* the directory may have been made just now */
        r = sync_path(fd, "..");
    return r < 0 ? error_system_at(error, -r, "cannot write", "%s/" STORE_CURRENT "/%s",
                                   store->beside_path, profile)
                 : 0;
}

static int set_revision(const vqemu_store *store, const char *name, vqemu_call *call,
                        vqemu_error **error) {
    _cleanup_revision_ vqemu_revision *revision = NULL;
    int r = revision_find(store, name, call, &revision, error);
    return r == 0 ? write_current(store, vqemu_revision_profile_name(revision), name, error) : r;
}

/* Nothing was set: that is well, unless there is no such profile. */
static int require_profile(const vqemu_store *store, const char *profile, vqemu_call *call,
                           vqemu_error **error) {
    _cleanup_revision_list_ vqemu_revision_list *list = NULL;
    int r = revision_list_all(store, profile, call, &list, error);
    if (r < 0 || vqemu_revision_list_count(list) > 0)
        return r;
    return revision_not_in_store(store, profile, error);
}

static int unset(const vqemu_store *store, const char *profile, vqemu_call *call,
                 vqemu_error **error) {
    _cleanup_close_ int fd = store_find_beside_objects(store, STORE_CURRENT);
    int r = *profile == '.' || strchr(profile, '/') ? -ENOENT
            : fd < 0                                ? fd
            : unlinkat(fd, profile, 0) < 0          ? -errno
                                                    : sync_fd(fd);
    if (r == -ENOENT)
        return require_profile(store, profile, call, error);
    return r < 0 ? error_system_at(error, -r, "cannot remove", "%s/" STORE_CURRENT "/%s",
                                   store->beside_path, profile)
                 : 0;
}

VQEMU_EXPORT int vqemu_store_set_current(vqemu_store *store, const char *name, uint32_t flags,
                                         vqemu_call *call, vqemu_error **error) {
    error_begin(error);
    REQUIRE_STORE(store, error);
    REQUIRE_ARGUMENT(name, error);
    REQUIRE_FLAGS(flags, 0, error);
    struct vqemu_progress progress = {.call = call};
    _cleanup_close_ int lock = -1; /* it is not removed between look and write */
    int r = revision_check_any_name(name, error);
    if (r == 0)
        r = store_require_writable(store, "choose the revision that is used", error);
    if (r == 0)
        r = call_check(call, "the start", error);
    if (r == 0)
        r = store_lock_shared(store, &progress, &lock, error);
    if (r < 0)
        return r;
    return revision_is_name(name) ? set_revision(store, name, call, error)
                                  : unset(store, name, call, error);
}
