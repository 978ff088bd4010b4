/* SPDX-License-Identifier: MIT */
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>

#include "base/error.h"
#include "store/guard.h"
#include "store/newest-memo.h"
#include "store/tree-memo.h"
#include "trust/trust.h"
#include "util/dir.h"
#include "util/export.h"
#include "util/fd.h"
#include "util/strbuf.h"

/* ---- life ---- */

VQEMU_EXPORT vqemu_store *vqemu_store_ref(vqemu_store *store) {
    if (store)
        atomic_fetch_add_explicit(&store->references, 1, memory_order_relaxed);
    return store;
}

VQEMU_EXPORT void vqemu_store_unref(vqemu_store *store) {
    if (!store || atomic_fetch_sub_explicit(&store->references, 1, memory_order_acq_rel) != 1)
        return;
    cleanup_close(&store->objects_fd);
    cleanup_close(&store->refs_fd);
    directory_release(&store->trees);
    directory_release(&store->links);
    newest_memo_forget(store->memo);
    tree_memo_forget(store->tree_memo);
    pthread_mutex_destroy(&store->memo_lock);
    vqemu_trust_unref(store->trust);
    free(store->objects_path);
    free(store->beside_path);
    free(store->refs_path);
    free(store->trees_path);
    free(store->links_path);
    free(store);
}

/* ---- what is asked of it first ---- */

bool store_is_forked(const vqemu_store *store) {
    return store->process != getpid();
}

int store_require_there(const vqemu_store *store, vqemu_error **error) {
    const char *gone = is_removed_directory(store->refs_fd)      ? store->refs_path
                       : is_removed_directory(store->objects_fd) ? store->objects_path
                                                                 : NULL;
    if (!gone)
        return 0;
    int r = error_set(error, VQEMU_ERR_NO_STORE, 0, "the store was removed: %s is gone", gone);
    return error_because(r, error, NULL, VQEMU_DETAIL_PATH, gone, NULL);
}

int store_require_writable(const vqemu_store *store, const char *what, vqemu_error **error) {
    if (!(store->flags & VQEMU_STORE_READ_ONLY))
        return 0;
    return error_set(error, VQEMU_ERR_READ_ONLY, 0,
                     "cannot %s: the store at %s was opened read-only; do it once with a handle "
                     "that may write",
                     what, store->objects_path);
}

/* ---- its directories ---- */

/* The kernel's "..", not that of a path: it is the same directory whatever its name is by now. */
static char *name_beside_objects(const char *name) {
    return format_string("../%s", name);
}

int store_find_beside_objects(const vqemu_store *store, const char *name) {
    _cleanup_free_ char *beside = name_beside_objects(name);
    return beside ? open_at(store->objects_fd, beside, O_RDONLY | O_DIRECTORY, 0) : -ENOMEM;
}

int store_open_beside_objects(const vqemu_store *store, const char *name, int *fd,
                              vqemu_error **error) {
    _cleanup_free_ char *beside = name_beside_objects(name);
    if (!beside)
        return error_no_memory(error);
    int r = *fd = store_find_beside_objects(store, name);
    if (r == -ENOENT) {
        r = make_directory_at(store->objects_fd, beside, 0755);
        if (r == 0 || r == -EEXIST)
            r = *fd = store_find_beside_objects(store, name);
    }
    return r < 0 ? error_system_at(error, -r, "cannot make or open", "%s/%s", store->beside_path,
                                   name)
                 : 0;
}
