/* SPDX-License-Identifier: MIT */
/*
 * A pin is an empty file cas/pins/<name of the revision>~<holder>, or without "~<holder>" for the
 * one that has no holder. Neither of the two has a "~" in it.
 */
#include "store/pin.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/call.h"
#include "base/error.h"
#include "store/marker.h"
#include "store/revision.h"
#include "util/dir.h"
#include "util/export.h"
#include "util/fd.h"
#include "util/pattern.h"
#include "util/strbuf.h"
#include "util/word.h"

#define HOLDER_MARK '~'
#define HOLDER_MAX 128
#define HOLDER_PATTERN "^[A-Za-z0-9._@-][A-Za-z0-9._@-]*:[A-Za-z0-9._@:-][A-Za-z0-9._@:-]*$"

struct vqemu_pin_list {
    struct pins pins;
};

/* ---- reading ---- */

static int add_pin(struct pins *pins, const char *revision, size_t length, const char *holder) {
    if (pins->count == pins->capacity) {
        size_t capacity = pins->capacity ? 2 * pins->capacity : 16;
        struct pin *larger = realloc(pins->pins, capacity * sizeof *larger);
        if (!larger)
            return -ENOMEM;
        pins->pins = larger;
        pins->capacity = capacity;
    }
    struct pin *pin = &pins->pins[pins->count];
    *pin = (struct pin){strndup(revision, length), strdup(holder)};
    pins->count++; /* also if it is half made: it is released with the others */
    return pin->revision && pin->holder ? 0 : -ENOMEM;
}

struct reading {
    const char *revision; /* NULL for all */
    struct pins *pins;
};

/*
 * A holder of another form counts, too: a later version may allow it, and to take it for no pin
 * would lose what is pinned.
 */
static int read_pin(int directory_fd, const char *name, void *userdata) {
    (void)directory_fd;
    const struct reading *reading = userdata;
    char revision[NAME_MAX + 1];
    const char *mark = strchr(name, HOLDER_MARK);
    size_t length = mark ? (size_t)(mark - name) : strlen(name);
    memcpy(revision, name, length);
    revision[length] = '\0';
    if (!revision_is_name(revision) ||
        (reading->revision && strcmp(revision, reading->revision) != 0))
        return 0;
    return add_pin(reading->pins, revision, length, mark ? mark + 1 : "");
}

static int compare_pins(const void *a, const void *b) {
    const struct pin *x = a, *y = b;
    int order = strcmp(x->revision, y->revision);
    return order ? order : strcmp(x->holder, y->holder);
}

int pins_read(const vqemu_store *store, const char *revision, struct pins *pins,
              vqemu_error **error) {
    struct reading reading = {revision, pins};
    *pins = (struct pins){0};
    _cleanup_close_ int pins_fd = store_find_beside_objects(store, STORE_PINS);
    if (pins_fd == -ENOENT)
        return 0;
    int r = pins_fd < 0 ? pins_fd : for_each_entry(pins_fd, ".", read_pin, &reading);
    if (r < 0) {
        pins_release(pins);
        return error_system_at(error, -r, "cannot read", "%s/" STORE_PINS, store->beside_path);
    }
    if (pins->count > 0)
        qsort(pins->pins, pins->count, sizeof *pins->pins, compare_pins);
    return 0;
}

const struct pin *pins_of(const struct pins *pins, const char *revision) {
    for (size_t i = 0; i < pins->count; i++)
        if (strcmp(pins->pins[i].revision, revision) == 0)
            return &pins->pins[i];
    return NULL;
}

void pins_release(struct pins *pins) {
    for (size_t i = 0; i < pins->count; i++) {
        free(pins->pins[i].revision);
        free(pins->pins[i].holder);
    }
    free(pins->pins);
    *pins = (struct pins){0};
}

/* ---- setting and unsetting ---- */

static int check_holder(const char *holder, vqemu_error **error) {
    if (!holder || (strlen(holder) <= HOLDER_MAX && pattern_matches(HOLDER_PATTERN, holder)))
        return 0;
    int r = error_set(error, VQEMU_ERR_INVALID, 0,
                      "\"%s\" is no holder of a pin: that is <kind>:<name>, such as unit:volt-web, "
                      "of letters, digits and ._@-:, and at most %d bytes",
                      holder, HOLDER_MAX);
    return error_because(r, error, "bad-holder", VQEMU_DETAIL_HOLDER, holder, NULL);
}

/* The name of the file. */
static int name_pin(const char *revision, const char *given, char **name, vqemu_error **error) {
    const char *holder = null_if_empty(given);
    int r = revision_check_name(revision, error);
    if (r == 0)
        r = check_holder(holder, error);
    if (r < 0)
        return r;
    *name = holder ? format_string("%s%c%s", revision, HOLDER_MARK, holder) : strdup(revision);
    if (!*name)
        return error_no_memory(error);
    if (strlen(*name) <= NAME_MAX)
        return 0;
    r = error_set(error, VQEMU_ERR_INVALID, 0,
                  "the holder %s is too long for a pin of %s: together they can have %d bytes",
                  holder ? holder : "", revision, NAME_MAX - 1);
    return error_because(r, error, "bad-holder", VQEMU_DETAIL_HOLDER, holder, NULL);
}

static int set_pin(vqemu_store *store, const char *name, vqemu_error **error) {
    _cleanup_close_ int pins_fd = -1;
    int r = store_open_beside_objects(store, STORE_PINS, &pins_fd, error);
    if (r < 0)
        return r;
    r = marker_make(pins_fd, name);
    return r < 0 ? error_system_at(error, -r, "cannot make the pin", "%s/" STORE_PINS "/%s",
                                   store->beside_path, name)
                 : 0;
}

VQEMU_EXPORT int vqemu_store_pin(vqemu_store *store, const char *revision, const char *holder,
                                 uint32_t flags, vqemu_call *call, vqemu_error **error) {
    error_begin(error);
    REQUIRE_STORE(store, error);
    REQUIRE_ARGUMENT(revision, error);
    REQUIRE_FLAGS(flags, 0, error);
    struct vqemu_progress progress = {.call = call};
    _cleanup_free_ char *name = NULL;
    _cleanup_close_ int lock = -1; /* no collection between look and pin */
    _cleanup_revision_ vqemu_revision *found = NULL;
    int r = name_pin(revision, holder, &name, error);
    if (r == 0)
        r = store_require_writable(store, "pin a revision", error);
    if (r == 0)
        r = call_check(call, "the start", error);
    if (r == 0)
        r = store_lock_shared(store, &progress, &lock, error);
    if (r == 0)
        r = revision_find(store, revision, call, &found, error);
    return r == 0 ? set_pin(store, name, error) : r;
}

/* There was no pin to remove: that is well, unless the name is a mistake. */
static int require_revision(const vqemu_store *store, const char *name, vqemu_call *call,
                            vqemu_error **error) {
    _cleanup_revision_ vqemu_revision *found = NULL;
    int r = revision_find(store, name, call, &found, error);
    if (r != VQEMU_ERR_MALFORMED)
        return r;
    error_begin(error);
    return 0;
}

VQEMU_EXPORT int vqemu_store_unpin(vqemu_store *store, const char *revision, const char *holder,
                                   uint32_t flags, vqemu_call *call, vqemu_error **error) {
    error_begin(error);
    REQUIRE_STORE(store, error);
    REQUIRE_ARGUMENT(revision, error);
    REQUIRE_FLAGS(flags, 0, error);
    _cleanup_free_ char *name = NULL;
    int r = name_pin(revision, holder, &name, error);
    if (r == 0)
        r = store_require_writable(store, "unpin a revision", error);
    if (r == 0)
        r = call_check(call, "the removal of a pin", error);
    if (r < 0)
        return r;
    _cleanup_close_ int pins_fd = store_find_beside_objects(store, STORE_PINS);
    r = pins_fd < 0 ? pins_fd : unlinkat(pins_fd, name, 0) < 0 ? -errno : sync_fd(pins_fd);
    if (r == -ENOENT)
        return require_revision(store, revision, call, error);
    return r < 0 ? error_system_at(error, -r, "cannot remove the pin", "%s/" STORE_PINS "/%s",
                                   store->beside_path, name)
                 : 0;
}

/* ---- listing ---- */

VQEMU_EXPORT int vqemu_store_list_pins(vqemu_store *store, const char *revision, uint32_t flags,
                                       vqemu_call *call, vqemu_pin_list **list,
                                       vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(list, error);
    *list = NULL;
    REQUIRE_STORE(store, error);
    REQUIRE_FLAGS(flags, 0, error);
    int r = revision ? revision_check_name(revision, error) : 0;
    if (r == 0)
        r = call_check(call, "the listing of pins", error);
    if (r < 0)
        return r;
    vqemu_pin_list *new = calloc(1, sizeof *new);
    r = new ? pins_read(store, revision, &new->pins, error) : error_no_memory(error);
    if (r < 0) {
        free(new);
        return r;
    }
    *list = new;
    return 0;
}

VQEMU_EXPORT size_t vqemu_pin_list_count(const vqemu_pin_list *list) {
    return list ? list->pins.count : 0;
}

static const struct pin *pin_at(const vqemu_pin_list *list, size_t index) {
    return list && index < list->pins.count ? &list->pins.pins[index] : NULL;
}

VQEMU_EXPORT const char *vqemu_pin_list_revision_name(const vqemu_pin_list *list, size_t index) {
    const struct pin *pin = pin_at(list, index);
    return pin ? pin->revision : NULL;
}

VQEMU_EXPORT const char *vqemu_pin_list_holder(const vqemu_pin_list *list, size_t index) {
    const struct pin *pin = pin_at(list, index);
    return pin ? null_if_empty(pin->holder) : NULL;
}

VQEMU_EXPORT void vqemu_pin_list_free(vqemu_pin_list *list) {
    if (!list)
        return;
    pins_release(&list->pins);
    free(list);
}
