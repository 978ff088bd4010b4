/* SPDX-License-Identifier: MIT */
/* What two VMs differ in, by their documents. */
#include "base/error.h"
#include "base/json.h"
#include "util/export.h"
#include "vm/vm.h"

/* The changes so far, and the key at which they are being looked for. */
struct changes {
    json_t *list;
    struct strbuf path;
    bool failed; /* no memory */
};

static void compare(struct changes *changes, json_t *from, json_t *to);

/* NULL stands for what is not set. */
static void add_change(struct changes *changes, json_t *from, json_t *to) {
    json_t *change = changes->path.failed
                         ? NULL
                         : json_pack("{s:s, s:o, s:o}", "key", changes->path.text, "from",
                                     from ? json_incref(from) : json_null(), "to",
                                     to ? json_incref(to) : json_null());
    if (json_array_append_new(changes->list, change) < 0)
        changes->failed = true;
}

static void compare_key(struct changes *changes, const char *key, json_t *from, json_t *to) {
    size_t length = changes->path.length;
    strbuf_addf(&changes->path, "%s%s", length > 0 ? "." : "", key);
    compare(changes, from, to);
    strbuf_truncate(&changes->path, length);
}

/* Keys in the order of the first, and behind them those that only the second has. */
static void compare_objects(struct changes *changes, json_t *from, json_t *to) {
    const char *key;
    json_t *value;
    json_object_foreach(from, key, value)
        compare_key(changes, key, value, json_object_get(to, key));
    json_object_foreach(to, key, value) if (!json_object_get(from, key))
        compare_key(changes, key, NULL, value);
}

/* An element that only one has is one change, whatever is in it. */
static void compare_arrays(struct changes *changes, json_t *from, json_t *to) {
    size_t length = changes->path.length;
    for (size_t i = 0; i < json_array_size(from) || i < json_array_size(to); i++) {
        json_t *old = json_array_get(from, i), *new = json_array_get(to, i);
        strbuf_addf(&changes->path, "[%zu]", i);
        if (old && new)
            compare(changes, old, new);
        else
            add_change(changes, old, new);
        strbuf_truncate(&changes->path, length);
    }
}

/* A list, or all values of an object, that only one has is compared to an empty one. */
static void compare(struct changes *changes, json_t *from, json_t *to) {
    const json_t *any = from ? from : to;
    if (json_is_object(any))
        compare_objects(changes, from, to);
    else if (json_is_array(any))
        compare_arrays(changes, from, to);
    else if (!from || !to || !json_equal(from, to))
        add_change(changes, from, to);
}

static int write_changes(json_t *from, json_t *to, char **text, vqemu_error **error) {
    _cleanup_json_ json_t *list = json_array();
    _cleanup_json_ json_t *document = json_pack("{s:O}", "changes", list);
    struct changes changes = {.list = list};
    if (!list || !document)
        return error_no_memory(error);
    compare(&changes, from, to);
    bool failed = changes.failed || changes.path.failed;
    strbuf_release(&changes.path);
    return failed ? error_no_memory(error) : json_to_text(document, text, error);
}

VQEMU_EXPORT int vqemu_vm_diff(const vqemu_vm *from, const vqemu_vm *to, uint32_t flags,
                               char **json, vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(json, error);
    *json = NULL;
    REQUIRE_ARGUMENT(from, error);
    REQUIRE_ARGUMENT(to, error);
    REQUIRE_FLAGS(flags, 0, error);
    _cleanup_json_ json_t *old = NULL;
    _cleanup_json_ json_t *new = NULL;
    int r = object_to_json(&vm_type, from, &old, error);
    if (r == 0)
        r = object_to_json(&vm_type, to, &new, error);
    return r < 0 ? r : write_changes(old, new, json, error);
}
