/* SPDX-License-Identifier: MIT */
/* A JSON document <-> a VM. */
#include "base/error.h"
#include "base/json.h"
#include "util/export.h"
#include "vm/document.h"

int document_read(const char *text, size_t size, const char *name, bool merge, vqemu_vm *vm,
                  vqemu_error **error) {
    const char *source = name ? name : "VM description";
    _cleanup_json_ json_t *document = NULL;
    int r = json_parse_document(text, size, source, &document, error);
    if (r < 0)
        return r;
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
    _cleanup_free_ char *text = NULL;
    size_t size;
    int r = json_read_document(path, &text, &size, error);
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
    _cleanup_json_ json_t *schema = document_schema(&vm_type, "A virtual machine for volt-qemu");
    return schema ? json_to_text(schema, text, error) : error_no_memory(error);
}
