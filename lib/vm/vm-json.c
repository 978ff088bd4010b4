/* SPDX-License-Identifier: MIT */
/* A JSON document <-> a VM. */
#include "base/error.h"
#include "base/json.h"
#include "util/export.h"
#include "vm/document.h"

#define SCHEMA_KEY "$schema"
#define TEXT_LIMIT ((size_t)1024 * 1024)

/* By "$schema" editors find what completes and checks a document. */
static int drop_schema(json_t *document, vqemu_error **error) {
    const json_t *schema = json_object_get(document, SCHEMA_KEY);
    if (!schema)
        return 0;
    if (!json_is_string(schema)) {
        int r = error_set(error, VQEMU_ERR_INVALID, 0, SCHEMA_KEY ": not a string");
        return error_because(r, error, "wrong-kind", VQEMU_DETAIL_KEY, SCHEMA_KEY, NULL);
    }
    json_object_del(document, SCHEMA_KEY);
    return 0;
}

int document_read(const char *text, size_t size, const char *name, bool merge, vqemu_vm *vm,
                  vqemu_error **error) {
    const char *source = name ? name : "VM description";
    if (size > TEXT_LIMIT)
        return error_set(error, VQEMU_ERR_MALFORMED, 0, "%s: larger than %zu bytes", source,
                         TEXT_LIMIT);
    _cleanup_json_ json_t *document = NULL;
    int r = json_parse_object(text, size, source, &document, error);
    if (r < 0)
        return r;
    r = drop_schema(document, error);
    if (r == 0)
        r = object_from_json(&vm_type, vm, merge, document, error);
    return r < 0 ? error_prefix(r, error, "%s: ", source) : 0;
}

VQEMU_EXPORT int vqemu_vm_from_json(const char *text, size_t size, const char *source,
                                    uint32_t flags, vqemu_vm **vm, vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(vm, error);
    *vm = NULL;
    REQUIRE_ARGUMENT(text, error);
    REQUIRE_FLAGS(flags, 0, error);
    _cleanup_vm_ vqemu_vm *new = calloc(1, sizeof *new);
    int r = new ? document_read(text, size, source, false, new, error) : error_no_memory(error);
    if (r < 0)
        return r;
    *vm = TAKE_POINTER(new);
    return 0;
}

VQEMU_EXPORT int vqemu_vm_from_file(const char *path, uint32_t flags, vqemu_vm **vm,
                                    vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(vm, error);
    *vm = NULL;
    REQUIRE_ARGUMENT(path, error);
    REQUIRE_FLAGS(flags, 0, error);
    _cleanup_close_ int fd = -1;
    _cleanup_free_ char *text = NULL;
    size_t size;
    int r = json_open_file(path, &fd, error);
    if (r == 0)
        r = json_read_fd(fd, path, TEXT_LIMIT, &text, &size, error);
    return r < 0 ? r : vqemu_vm_from_json(text, size, path, 0, vm, error);
}

VQEMU_EXPORT int vqemu_vm_to_json(const vqemu_vm *vm, uint32_t flags, char **text,
                                  vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(text, error);
    *text = NULL;
    REQUIRE_ARGUMENT(vm, error);
    REQUIRE_FLAGS(flags, 0, error);
    _cleanup_json_ json_t *document = NULL;
    int r = object_to_json(&vm_type, vm, &document, error);
    return r < 0 ? r : json_to_text(document, text, error);
}

VQEMU_EXPORT int vqemu_vm_schema(uint32_t flags, char **text, vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(text, error);
    REQUIRE_FLAGS(flags, 0, error);
    *text = NULL;
    _cleanup_json_ json_t *schema = object_schema(&vm_type);
    if (!schema || /* not one of the properties: it cannot be set */
        json_object_set_new(schema, "patternProperties",
                            json_pack("{s:{s:s}}", "^\\$schema$", "type", "string")) < 0 ||
        json_object_set_new(schema, SCHEMA_KEY,
                            json_string("https://json-schema.org/draft/2020-12/schema")) < 0 ||
        json_object_set_new(schema, "title", json_string("A virtual machine for volt-qemu")) < 0)
        return error_no_memory(error);
    return json_to_text(schema, text, error);
}
