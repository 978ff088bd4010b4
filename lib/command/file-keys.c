/* SPDX-License-Identifier: MIT */
#include "command/file-keys.h"

/* key: what the keys of the object begin with, and again at the end. */
static void note_object(struct resources *resources, const struct object_type *type,
                        const void *object, struct strbuf *key);

static void note_objects(struct resources *resources, const struct property *property,
                         const struct object_list *list, struct strbuf *key) {
    size_t length = key->length;
    for (size_t i = 0; i < list->count; i++) {
        strbuf_addf(key, "[%zu].", i);
        note_object(resources, property->element, list->items[i], key);
        strbuf_truncate(key, length);
    }
}

static bool has_paths(const struct property *property, const void *value) {
    char *const *path = value;
    const struct object_list *list = value;
    return (property->kind == PROPERTY_PATH && *path) ||
           (property->kind == PROPERTY_OBJECTS && list->count > 0);
}

static void note_object(struct resources *resources, const struct object_type *type,
                        const void *object, struct strbuf *key) {
    size_t length = key->length;
    for (size_t i = 0; i < type->count; i++) {
        const struct property *property = &type->properties[i];
        const void *value = property_value(property, object);
        if (!has_paths(property, value))
            continue;
        strbuf_add(key, property->key);
        if (property->kind == PROPERTY_OBJECTS)
            note_objects(resources, property, value, key);
        else if (!key->failed)
            resources_name_file(resources, *(char *const *)value, key->text);
        strbuf_truncate(key, length);
    }
}

void file_keys_note(struct plan *plan) {
    struct resources *resources = &plan->resources;
    const struct console_plan *console = &plan->console;
    _cleanup_strbuf_ struct strbuf key = {0};
    note_object(resources, &vm_type, plan->vm, &key);
    resources->failed = resources->failed || key.failed;
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
