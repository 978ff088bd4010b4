/* SPDX-License-Identifier: MIT */
/* A JSON document -> a VM. */
#include <string.h>

#include "error.h"
#include "json.h"
#include "util/export.h"
#include "vm.h"

#define TEXT_LIMIT ((size_t)1024 * 1024)

typedef int (*set_string_fn)(vqemu_vm *vm, const char *value, vqemu_error **error);

static const struct {
    const char *key;
    set_string_fn set;
} string_keys[] = {
    {"name", vqemu_vm_set_name},     {"rootfs", vqemu_vm_set_rootfs},
    {"kernel", vqemu_vm_set_kernel}, {"initrd", vqemu_vm_set_initrd},
    {"append", vqemu_vm_set_append},
};

static int wrong_type(const char *source, const char *key, const char *wanted,
                      vqemu_error **error) {
    return error_set(error, VQEMU_ERR_MALFORMED, 0, "%s: \"%s\" is not %s", source, key, wanted);
}

/* What a setter refused is a fault of the document. */
static int blame_document(int code, const char *source, const char *key, vqemu_error *fault,
                          vqemu_error **error) {
    if (code == VQEMU_ERR_NO_MEMORY)
        return error_no_memory(error);
    return error_set(error, VQEMU_ERR_MALFORMED, 0, "%s: \"%s\": %s", source, key,
                     vqemu_error_message(fault));
}

static int read_string(vqemu_vm *vm, const char *source, const char *key, set_string_fn set,
                       const json_t *value, vqemu_error **error) {
    if (!json_is_string(value))
        return wrong_type(source, key, "a string", error);
    _cleanup_error_ vqemu_error *fault = NULL;
    int r = set(vm, json_string_value(value), &fault);
    return r < 0 ? blame_document(r, source, key, fault, error) : 0;
}

static int read_memory(vqemu_vm *vm, const char *source, const json_t *value, vqemu_error **error) {
    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return wrong_type(source, "memory", "an integer of MiB, 0 or more", error);
    _cleanup_error_ vqemu_error *fault = NULL;
    int r = vqemu_vm_set_memory(vm, (uint64_t)json_integer_value(value), &fault);
    return r < 0 ? blame_document(r, source, "memory", fault, error) : 0;
}

static int read_cpus(vqemu_vm *vm, const char *source, const json_t *value, vqemu_error **error) {
    if (!json_is_integer(value) || json_integer_value(value) < 0 ||
        json_integer_value(value) > UINT32_MAX)
        return wrong_type(source, "cpus", "an integer, 0 or more", error);
    _cleanup_error_ vqemu_error *fault = NULL;
    int r = vqemu_vm_set_cpus(vm, (uint32_t)json_integer_value(value), &fault);
    return r < 0 ? blame_document(r, source, "cpus", fault, error) : 0;
}

static int read_extra_args(vqemu_vm *vm, const char *source, const json_t *value,
                           vqemu_error **error) {
    if (!json_is_array(value))
        return wrong_type(source, "extra_args", "an array of strings", error);
    for (size_t i = 0; i < json_array_size(value); i++) {
        const json_t *argument = json_array_get(value, i);
        if (!json_is_string(argument))
            return error_set(error, VQEMU_ERR_MALFORMED, 0,
                             "%s: \"extra_args\"[%zu] is not a string", source, i);
        int r = vqemu_vm_add_extra_arg(vm, json_string_value(argument), error);
        if (r < 0)
            return r;
    }
    return 0;
}

static int read_key(vqemu_vm *vm, const char *source, const char *key, const json_t *value,
                    vqemu_error **error) {
    for (size_t i = 0; i < sizeof string_keys / sizeof string_keys[0]; i++)
        if (strcmp(key, string_keys[i].key) == 0)
            return read_string(vm, source, key, string_keys[i].set, value, error);
    if (strcmp(key, "memory") == 0)
        return read_memory(vm, source, value, error);
    if (strcmp(key, "cpus") == 0)
        return read_cpus(vm, source, value, error);
    if (strcmp(key, "extra_args") == 0)
        return read_extra_args(vm, source, value, error);
    return error_set(error, VQEMU_ERR_MALFORMED, 0,
                     "%s: unknown key \"%.200s\": a VM has name, memory, cpus, rootfs, kernel, "
                     "initrd, append and extra_args",
                     source, key);
}

VQEMU_EXPORT int vqemu_vm_from_json(const char *text, size_t size, const char *name, vqemu_vm **vm,
                                    vqemu_error **error) {
    *vm = NULL;
    const char *source = name ? name : "VM description";
    if (size > TEXT_LIMIT)
        return error_set(error, VQEMU_ERR_MALFORMED, 0, "%s: larger than %zu bytes", source,
                         TEXT_LIMIT);
    _cleanup_json_ json_t *root = NULL;
    int r = json_parse_object(text, size, source, &root, error);
    if (r < 0)
        return r;
    if (!json_object_get(root, "name"))
        return error_set(error, VQEMU_ERR_MALFORMED, 0, "%s: \"name\" is missing", source);
    _cleanup_vm_ vqemu_vm *new = NULL;
    r = vqemu_vm_new("unnamed", &new, error);
    if (r < 0)
        return r;
    const char *key;
    json_t *value;
    json_object_foreach(root, key, value) {
        r = read_key(new, source, key, value, error);
        if (r < 0)
            return r;
    }
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
