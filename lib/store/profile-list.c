/* SPDX-License-Identifier: MIT */
/* The profiles that a store has. */
#include <volt-qemu/store.h>

#include <stdlib.h>
#include <string.h>

#include "base/call.h"
#include "base/error.h"
#include "choice/profile.h"
#include "choice/request.h"
#include "store/current.h"
#include "store/revision.h"
#include "store/store-profile.h"
#include "util/dir.h"
#include "util/export.h"
#include "util/strv.h"

struct vqemu_profile_list {
    vqemu_profile **profiles;
    size_t count;
};

/* ---- their names, by those of files ---- */

static bool has_name(const struct strv *names, const char *name) {
    for (size_t i = 0; i < names->count; i++)
        if (strcmp(names->items[i], name) == 0)
            return true;
    return false;
}

static int look_at_file(int refs_fd, const char *file_name, void *userdata) {
    struct strv *names = userdata;
    (void)refs_fd;
    size_t length = revision_profile_length(file_name);
    if (length == 0)
        return 0;
    char *name = strndup(file_name, length);
    if (!name)
        return -ENOMEM;
    if (has_name(names, name))
        free(name);
    else
        strv_take_in(names, name);
    return names->failed ? -ENOMEM : 0;
}

/* Sorted, each once. */
static int list_names(const vqemu_store *store, struct strv *names, vqemu_error **error) {
    int r = for_each_entry(store->refs_fd, ".", look_at_file, names);
    if (r < 0)
        return error_system_at(error, -r, "cannot read the directory", "%s", store->refs_path);
    strv_sort(names, 0);
    return 0;
}

/* ---- the profiles ---- */

/* The library's own need no look into a manifest. */
static int find_profile(vqemu_store *store, const char *name, vqemu_call *call,
                        vqemu_profile **profile, vqemu_error **error) {
    _cleanup_revision_ vqemu_revision *used = NULL;
    *profile = vqemu_profile_find(name);
    if (*profile)
        return 0;
    int r = current_load(store, name, call, &used, error);
    return r < 0 ? r : profile_of_manifest(name, vqemu_revision_manifest(used), profile, error);
}

/* One that cannot be told is passed over: it must not stand in the way of the others. */
static int add_profile(vqemu_store *store, const char *name, vqemu_call *call,
                       vqemu_profile_list *list, vqemu_error **error) {
    _cleanup_error_ vqemu_error *problem = NULL;
    int r = call_check(call, "listing profiles", error);
    if (r < 0)
        return r;
    r = find_profile(store, name, call, &list->profiles[list->count], &problem);
    if (r == 0)
        list->count++;
    if (r == VQEMU_ERR_MALFORMED)
        call_log_problem(call, "revision-broken", problem);
    if (r == 0 || r == VQEMU_ERR_MALFORMED || r == VQEMU_ERR_INVALID || r == VQEMU_ERR_NO_REVISION)
        return 0;
    if (error)
        *error = TAKE_POINTER(problem);
    return r;
}

static int list_profiles(vqemu_store *store, vqemu_call *call, vqemu_profile_list **list,
                         vqemu_error **error) {
    _cleanup_strv_ struct strv names = {0};
    int r = list_names(store, &names, error);
    if (r < 0)
        return r;
    vqemu_profile_list *new = calloc(1, sizeof *new);
    if (new)
        new->profiles = calloc(names.count + 1, sizeof(vqemu_profile *));
    if (!new || !new->profiles)
        r = error_no_memory(error);
    for (size_t i = 0; r == 0 && i < names.count; i++)
        r = add_profile(store, names.items[i], call, new, error);
    if (r == 0)
        *list = new;
    else
        vqemu_profile_list_free(new);
    return r;
}

VQEMU_EXPORT int vqemu_store_list_profiles(vqemu_store *store, uint32_t flags, vqemu_call *call,
                                           vqemu_profile_list **list, vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(list, error);
    *list = NULL;
    REQUIRE_STORE(store, error);
    REQUIRE_FLAGS(flags, 0, error);
    return list_profiles(store, call, list, error);
}

VQEMU_EXPORT size_t vqemu_profile_list_count(const vqemu_profile_list *list) {
    return list ? list->count : 0;
}

VQEMU_EXPORT vqemu_profile *vqemu_profile_list_at(const vqemu_profile_list *list, size_t index) {
    return list && index < list->count ? list->profiles[index] : NULL;
}

VQEMU_EXPORT void vqemu_profile_list_free(vqemu_profile_list *list) {
    if (!list)
        return;
    for (size_t i = 0; list->profiles && i < list->count; i++)
        vqemu_profile_unref(list->profiles[i]);
    free(list->profiles);
    free(list);
}

/* ---- for a request ---- */

VQEMU_EXPORT int vqemu_request_set_store(vqemu_request *request, vqemu_store *store, uint32_t flags,
                                         vqemu_call *call, vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(request, error);
    REQUIRE_FLAGS(flags, 0, error);
    REQUIRE_STORE(store, error);
    vqemu_profile_list *list = NULL;
    int r = list_profiles(store, call, &list, error);
    if (r == 0)
        r = request_set_candidates(request, list->profiles, list->count, error);
    vqemu_profile_list_free(list);
    return r;
}
