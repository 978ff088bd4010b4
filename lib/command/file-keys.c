/* SPDX-License-Identifier: MIT */
#include "command/file-keys.h"

static void note_object(struct resources *resources, const struct object_type *type,
                        const void *object, const char *prefix);

static void note_objects(struct resources *resources, const struct property *property,
                         const struct object_list *list, const char *key) {
    for (size_t i = 0; i < list->count; i++) {
        _cleanup_free_ char *prefix = format_string("%s[%zu].", key, i);
        if (prefix)
            note_object(resources, property->element, list->items[i], prefix);
        resources->failed = resources->failed || !prefix;
    }
}

static bool has_paths(const struct property *property, const void *value) {
    char *const *path = value;
    const struct object_list *list = value;
    return (property->kind == PROPERTY_PATH && *path) ||
           (property->kind == PROPERTY_OBJECTS && list->count > 0);
}

static void note_object(struct resources *resources, const struct object_type *type,
                        const void *object, const char *prefix) {
    for (size_t i = 0; i < type->count; i++) {
        const struct property *property = &type->properties[i];
        const void *value = property_value(property, object);
        if (!has_paths(property, value))
            continue;
        _cleanup_free_ char *key = format_string("%s%s", prefix, property->key);
        resources->failed = resources->failed || !key;
        if (key && property->kind == PROPERTY_PATH)
            resources_name_file(resources, *(char *const *)value, key);
        else if (key)
            note_objects(resources, property, value, key);
    }
}

void file_keys_note(struct plan *plan) {
    struct resources *resources = &plan->resources;
    const struct console_plan *console = &plan->console;
    note_object(resources, &vm_type, plan->vm, "");
    /* Of what it does not name, there are defaults. */
    if (plan->uefi)
        resources_name_file(resources, plan->firmware.nvram, "nvram");
    if (console->kind == CONSOLE_FILE)
        resources_name_file(resources, console->path.value, "console_path");
    for (size_t i = 0; i < resources->companion_count; i++) {
        const struct companion *companion = &resources->companions[i];
        bool is_swtpm = companion->kind == COMPANION_SWTPM;
        if (is_swtpm)
            resources_name_file(resources, companion->directory, "tpm_state");
        resources_name_file(resources, companion->program,
                            is_swtpm ? "swtpm_program" : "virtiofsd_program");
    }
}
