/* SPDX-License-Identifier: MIT */
/* A command -> text that a later process makes the same command of (load.c). */
#include "base/error.h"
#include "base/json.h"
#include "command/command.h"
#include "command/saved.h"
#include "tree/runtime.h"
#include "util/export.h"
#include "util/utf8.h"

/* What is being written. The first failure stays. */
struct writer {
    vqemu_error **error;
    int code;
};

static void add(struct writer *writer, json_t *object, const char *key, json_t *value) {
    int r = json_object_set_new(object, key, value); /* also for NULL */
    if (writer->code == 0 && r < 0)
        writer->code = error_no_memory(writer->error);
}

/* NULL is left out. */
static void add_string(struct writer *writer, json_t *object, const char *key, const char *text) {
    if (!text || writer->code < 0)
        return;
    if (utf8_is_valid(text)) {
        add(writer, object, key, json_string(text));
        return;
    }
    writer->code = error_set(writer->error, VQEMU_ERR_UNSUPPORTED, 0,
                             "%s: it is not UTF-8, which JSON cannot carry", key);
    error_because(writer->code, writer->error, "not-utf-8", VQEMU_DETAIL_KEY, key, NULL);
}

static json_t *add_object(struct writer *writer, json_t *object, const char *key) {
    json_t *new = json_object();
    add(writer, object, key, new);
    return new;
}

static json_t *append_object(struct writer *writer, json_t *array) {
    json_t *new = json_object();
    if (json_array_append_new(array, new) < 0 && writer->code == 0)
        writer->code = error_no_memory(writer->error);
    return new;
}

static json_t *add_array(struct writer *writer, json_t *object, const char *key) {
    json_t *new = json_array();
    add(writer, object, key, new);
    return new;
}

static void add_strings(struct writer *writer, json_t *object, const char *key,
                        const struct strv *strings) {
    json_t *array = add_array(writer, object, key);
    for (size_t i = 0; writer->code == 0 && i < strings->count; i++) {
        if (!utf8_is_valid(strings->items[i])) {
            writer->code = error_set(writer->error, VQEMU_ERR_UNSUPPORTED, 0,
                                     "%s[%zu]: it is not UTF-8, which JSON cannot carry", key, i);
            error_because(writer->code, writer->error, "not-utf-8", VQEMU_DETAIL_KEY, key, NULL);
        } else if (json_array_append_new(array, json_string(strings->items[i])) < 0) {
            writer->code = error_no_memory(writer->error);
        }
    }
}

/* ---- the parts ---- */

static void add_vm(struct writer *writer, json_t *root, const vqemu_command *command) {
    json_t *vm = add_object(writer, root, "vm");
    add_string(writer, vm, "name", command->vm_name);
    add_string(writer, vm, "id", command->id);
    add_string(writer, vm, "user", command->user);
    add_string(writer, vm, "state_dir", command->state_dir);
    add_string(writer, vm, "runtime_dir", command->runtime_dir);
    add_string(writer, vm, "vnc_password_file", command->vnc_password_file);
    if (!command->nvram.path)
        return;
    json_t *nvram = add_object(writer, root, "nvram");
    add_string(writer, nvram, "path", command->nvram.path);
    add_string(writer, nvram, "code", command->nvram.code);
    add_string(writer, nvram, "template", command->nvram.template_path);
}

static void add_abilities(struct writer *writer, json_t *profile, uint64_t abilities) {
    json_t *array = add_array(writer, profile, "abilities");
    for (unsigned bit = 0; writer->code == 0 && bit < 64; bit++) {
        const char *name = vqemu_ability_name(UINT64_C(1) << bit);
        if (abilities >> bit & 1 && vqemu_ability_find(name) != 0 &&
            json_array_append_new(array, json_string(name)) < 0)
            writer->code = error_no_memory(writer->error);
    }
}

/* A runtime of a store is found again by its tree; one by hand is what its paths are. */
static void add_runtime(struct writer *writer, json_t *root, const vqemu_runtime *runtime) {
    const vqemu_profile *profile = vqemu_runtime_profile(runtime);
    json_t *object = add_object(writer, root, "runtime");
    json_t *named = add_object(writer, object, "profile");
    add_string(writer, named, "name", vqemu_profile_name(profile));
    add_string(writer, named, "accel", vqemu_profile_accel(profile));
    add_abilities(writer, named, vqemu_profile_abilities(profile));
    add_string(writer, object, "guest_arch", vqemu_runtime_guest_arch(runtime));
    if (runtime->vhost_net != VQEMU_VHOST_NET_UNSEEN)
        add_string(writer, object, "vhost_net", vqemu_vhost_net_state_name(runtime->vhost_net));
    add_string(writer, object, "tree", vqemu_runtime_tree(runtime));
    add_string(writer, object, "revision", vqemu_runtime_revision_name(runtime));
    if (runtime->store_flags & VQEMU_STORE_ALLOW_OTHERS)
        add(writer, object, "allow_others", json_true());
    if (vqemu_runtime_tree(runtime))
        return;
    add_string(writer, object, "binary", vqemu_runtime_binary(runtime));
    add_string(writer, object, "firmware_dir", vqemu_runtime_firmware_dir(runtime));
    add_string(writer, object, "lib_dir", vqemu_runtime_lib_dir(runtime));
    add_string(writer, object, "module_dir", vqemu_runtime_module_dir(runtime));
    add_string(writer, object, "loader", vqemu_runtime_loader(runtime));
}

static void add_qcow2(struct writer *writer, json_t *file, uint32_t use) {
    json_t *object = add_object(writer, file, "qcow2");
    add(writer, object, "backing", json_boolean(use & QCOW2_WITH_BACKING));
    add(writer, object, "data_file", json_boolean(use & QCOW2_WITH_DATA_FILE));
}

static void add_files(struct writer *writer, json_t *root, const struct resources *resources) {
    json_t *array = add_array(writer, root, "files");
    for (size_t i = 0; i < resources->file_count; i++) {
        const struct file_use *file = &resources->files[i];
        json_t *object = append_object(writer, array);
        add_string(writer, object, "path", file->path);
        add_string(writer, object, "access", file_access_name(file->access));
        add_string(writer, object, "key", file->key);
        if (file->qcow2)
            add_qcow2(writer, object, file->qcow2);
    }
}

static void add_descriptors(struct writer *writer, json_t *root,
                            const struct resources *resources) {
    json_t *array = add_array(writer, root, "fds");
    for (size_t i = 0; i < resources->fd_count; i++) {
        json_t *object = append_object(writer, array);
        add(writer, object, "fd", json_integer(resources->fds[i].fd));
        add_string(writer, object, "key", resources->fds[i].key);
        if (resources->fds[i].name)
            add_string(writer, object, "name", resources->fds[i].name);
        if (resources->fds[i].qcow2)
            add_qcow2(writer, object, resources->fds[i].qcow2);
    }
}

static void add_companions(struct writer *writer, json_t *root, const struct resources *resources) {
    json_t *array = add_array(writer, root, "companions");
    for (size_t i = 0; i < resources->companion_count; i++) {
        const struct companion *companion = &resources->companions[i];
        json_t *object = append_object(writer, array);
        add_string(writer, object, "kind", companion_kind_name(companion->kind));
        add_string(writer, object, "program", companion->program);
        add_string(writer, object, "socket", companion->socket);
        add_string(writer, object, "directory", companion->directory);
        add(writer, object, "read_only", json_boolean(companion->read_only));
    }
}

static void add_uses(struct writer *writer, json_t *root, const struct resources *resources) {
    json_t *uses = add_object(writer, root, "uses");
    add_strings(writer, uses, "reads", &resources->reads);
    add_strings(writer, uses, "writes", &resources->writes);
    add_strings(writer, uses, "listens", &resources->sockets);
    add_strings(writer, uses, "connects", &resources->connects);
    add_strings(writer, uses, "devices", &resources->devices);
    json_t *sockets = add_object(writer, root, "sockets");
    for (size_t i = 0; i + 1 < resources->named_sockets.count; i += 2)
        add_string(writer, sockets, resources->named_sockets.items[i],
                   resources->named_sockets.items[i + 1]);
}

VQEMU_EXPORT int vqemu_command_save(const vqemu_command *command, uint32_t flags, char **json,
                                    vqemu_error **error) {
    struct writer writer = {.error = error};
    error_begin(error);
    REQUIRE_ARGUMENT(json, error);
    *json = NULL;
    REQUIRE_ARGUMENT(command, error);
    REQUIRE_FLAGS(flags, 0, error);
    _cleanup_json_ json_t *root = json_object();
    add_string(&writer, root, "format", SAVED_FORMAT);
    add_vm(&writer, root, command);
    add_runtime(&writer, root, command->runtime);
    add_strings(&writer, root, "argv", &command->argv);
    add_strings(&writer, root, "env", &command->envp);
    add_string(&writer, root, "cwd", command->cwd);
    add_uses(&writer, root, &command->resources);
    add_files(&writer, root, &command->resources);
    add_descriptors(&writer, root, &command->resources);
    add_companions(&writer, root, &command->resources);
    add_string(&writer, root, "digest", command->digest.hex);
    add_string(&writer, root, "hardware_digest", command->hardware.hex);
    return writer.code < 0 ? writer.code : json_to_text(root, json, error);
}
