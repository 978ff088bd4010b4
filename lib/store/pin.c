/* SPDX-License-Identifier: MIT */
/* A pin is an empty file cas/pins/<name of the revision>: the revision is not collected. */
#include "store/pin.h"

#include <volt-qemu/collect.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "store/revision.h"
#include "util/export.h"
#include "util/fd.h"

#define PINS "pins"

int pin_is_set(const vqemu_store *store, const char *name) {
    _cleanup_close_ int pins_fd = store_find_beside_objects(store, PINS);
    if (pins_fd < 0)
        return pins_fd == -ENOENT ? 0 : pins_fd;
    if (faccessat(pins_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
        return 1;
    return errno == ENOENT ? 0 : -errno;
}

static int set_pin(vqemu_store *store, const char *name, vqemu_error **error) {
    _cleanup_close_ int pins_fd = -1;
    int r = store_open_beside_objects(store, PINS, &pins_fd, error);
    if (r < 0)
        return r;
    _cleanup_close_ int fd = open_at(pins_fd, name, O_WRONLY | O_CREAT | O_NOFOLLOW, 0644);
    r = fd < 0 ? fd : sync_fd(fd);
    if (r == 0)
        r = sync_fd(pins_fd);
    return r < 0
               ? error_system(error, -r, "cannot pin %s in %s/../" PINS, name, store->objects_path)
               : 0;
}

VQEMU_EXPORT int vqemu_store_pin(vqemu_store *store, const char *name, vqemu_error **error) {
    struct vqemu_progress nobody = {.call = NULL};
    _cleanup_close_ int lock = -1;
    _cleanup_revision_ vqemu_revision *revision = NULL;
    int r = store_require_writable(store, "pin a revision", error);
    if (r == 0)
        r = store_lock_shared(store, &nobody, &lock,
                              error); /* no collection between look and pin */
    if (r == 0)
        r = revision_find(store, name, NULL, &revision, error);
    return r == 0 ? set_pin(store, name, error) : r;
}

VQEMU_EXPORT int vqemu_store_unpin(vqemu_store *store, const char *name, vqemu_error **error) {
    int r = store_require_writable(store, "unpin a revision", error);
    if (r == 0)
        r = revision_check_name(name, error);
    if (r < 0)
        return r;
    _cleanup_close_ int pins_fd = store_find_beside_objects(store, PINS);
    r = pins_fd < 0 ? pins_fd : unlinkat(pins_fd, name, 0) < 0 ? -errno : sync_fd(pins_fd);
    if (r == -ENOENT) { /* no pin to remove: that is well, unless the name is a mistake */
        _cleanup_revision_ vqemu_revision *revision = NULL;
        return revision_find(store, name, NULL, &revision, error);
    }
    return r < 0 ? error_system(error, -r, "cannot unpin %s in %s/../" PINS, name,
                                store->objects_path)
                 : 0;
}

VQEMU_EXPORT int vqemu_store_is_pinned(vqemu_store *store, const char *name, bool *pinned,
                                       vqemu_error **error) {
    *pinned = false;
    int r = revision_check_name(name, error);
    if (r < 0)
        return r;
    r = pin_is_set(store, name);
    *pinned = r == 1;
    return r < 0 ? error_system(error, -r, "cannot look into %s/../" PINS, store->objects_path) : 0;
}
