/* SPDX-License-Identifier: MIT */
/* A JSON document <-> a VM. */
#include "base/error.h"
#include "base/json.h"
#include "util/export.h"
#include "util/strbuf.h"
#include "vm/vm.h"

#define SCHEMA_KEY "$schema"
#define TEXT_LIMIT ((size_t)1024 * 1024)

/* What a property refused is a fault of the document. */
static int blame_document(int code, vqemu_error *fault, vqemu_error **error) {
    if (code == VQEMU_ERR_NO_MEMORY)
        return error_no_memory(error);
    return error_set(error, VQEMU_ERR_MALFORMED, 0, "%s", vqemu_error_message(fault));
}

/* By "$schema" editors find what completes and checks a document. */
static int drop_schema(json_t *document, const char *source, vqemu_error **error) {
    const json_t *schema = json_object_get(document, SCHEMA_KEY);
    if (!schema)
        return 0;
    if (!json_is_string(schema))
        return error_set(error, VQEMU_ERR_MALFORMED, 0, "%s: " SCHEMA_KEY ": not a string", source);
    json_object_del(document, SCHEMA_KEY);
    return 0;
}

static int read_vm(vqemu_vm *vm, const char *source, json_t *document, vqemu_error **error) {
    _cleanup_error_ vqemu_error *fault = NULL;
    _cleanup_free_ char *prefix = format_string("%s: ", source);
    if (!prefix)
        return error_no_memory(error);
    int r = object_from_json(&vm_type, vm, prefix, document, &fault);
    return r < 0 ? blame_document(r, fault, error) : 0;
}

VQEMU_EXPORT int vqemu_vm_from_json(const char *text, size_t size, const char *name, vqemu_vm **vm,
                                    vqemu_error **error) {
    *vm = NULL;
    const char *source = name ? name : "VM description";
    if (size > TEXT_LIMIT)
        return error_set(error, VQEMU_ERR_MALFORMED, 0, "%s: larger than %zu bytes", source,
                         TEXT_LIMIT);
    _cleanup_json_ json_t *document = NULL;
    _cleanup_vm_ vqemu_vm *new = NULL;
    int r = json_parse_object(text, size, source, &document, error);
    if (r == 0)
        r = drop_schema(document, source, error);
    if (r == 0)
        r = vqemu_vm_new("unnamed", &new, error);
    if (r == 0)
        r = read_vm(new, source, document, error);
    if (r < 0)
        return r;
    *vm = TAKE_POINTER(new);
    return 0;
}

VQEMU_EXPORT int vqemu_vm_from_file(const char *path, vqemu_vm **vm, vqemu_error **error) {
    *vm = NULL;
    _cleanup_close_ int fd = -1;
    _cleanup_free_ char *text = NULL;
    size_t size;
    int r = json_open_file(path, &fd, error);
    if (r == 0)
        r = json_read_fd(fd, path, TEXT_LIMIT, &text, &size, error);
    if (r < 0)
        return r;
    return vqemu_vm_from_json(text, size, path, vm, error);
}

VQEMU_EXPORT int vqemu_vm_to_json(const vqemu_vm *vm, char **text, vqemu_error **error) {
    *text = NULL;
    _cleanup_json_ json_t *document = NULL;
    int r = object_to_json(&vm_type, vm, &document, error);
    return r < 0 ? r : json_to_text(document, text, error);
}

VQEMU_EXPORT int vqemu_vm_schema(char **text, vqemu_error **error) {
    *text = NULL;
    _cleanup_json_ json_t *schema = object_schema(&vm_type);
    if (!schema || /* not one of the properties: no setter is called like that */
        json_object_set_new(schema, "patternProperties",
                            json_pack("{s:{s:s}}", "^\\$schema$", "type", "string")) < 0 ||
        json_object_set_new(schema, SCHEMA_KEY,
                            json_string("https://json-schema.org/draft/2020-12/schema")) < 0 ||
        json_object_set_new(schema, "title", json_string("A virtual machine for volt-qemu")) < 0)
        return error_no_memory(error);
    return json_to_text(schema, text, error);
}
