/* SPDX-License-Identifier: MIT */
/* Saved text (save.c) -> the same command, with a lease on its tree. */
#include <limits.h>
#include <string.h>

#include "base/call.h"
#include "base/error.h"
#include "choice/profile.h"
#include "choice/vhost-net.h"
#include "command/command.h"
#include "command/reader.h"
#include "command/saved.h"
#include "tree/runtime.h"
#include "util/export.h"

/* ---- the runtime ---- */

static uint64_t read_abilities(struct reader *reader, json_t *profile) {
    json_t *array = reader_array(reader, profile, "abilities", "runtime.profile.abilities");
    json_t *element;
    uint64_t abilities = 0;
    size_t index;
    json_array_foreach(array, index, element) {
        const char *name = json_string_value(element);
        uint64_t ability = name ? vqemu_ability_find(name) : 0;
        if (!name)
            reader_fault(reader, "runtime.profile.abilities", "an element is no string");
        else if (!ability)
            reader_unknown_word(reader, "runtime.profile.abilities", name);
        abilities |= ability;
    }
    return abilities;
}

/* One of the library's own, or one that a store had. */
static vqemu_profile *read_profile(struct reader *reader, json_t *object, const char *guest_arch) {
    json_t *saved = reader_object(reader, object, "profile", "runtime.profile");
    reader_only(reader, "runtime.profile", saved, "name", "accel", "abilities", NULL);
    const char *name = reader_text(reader, saved, "name", "runtime.profile.name", READ_TEXT);
    const char *accel = reader_text(reader, saved, "accel", "runtime.profile.accel", READ_TEXT);
    uint64_t abilities = read_abilities(reader, saved);
    if (accel && strcmp(accel, "kvm") != 0 && strcmp(accel, "tcg") != 0)
        reader_unknown_word(reader, "runtime.profile.accel", accel);
    if (reader->code < 0)
        return NULL;
    vqemu_profile *profile = vqemu_profile_ref(vqemu_profile_find(name));
    if (!profile)
        reader->code =
            profile_new(name, NULL, accel, abilities, &guest_arch, 1, &profile, reader->error);
    return profile;
}

static void read_by_hand(struct reader *reader, json_t *object, vqemu_runtime *runtime) {
    runtime->binary = reader_copy(reader, object, "binary", "runtime.binary", READ_PATH);
    runtime->firmware_dir =
        reader_copy(reader, object, "firmware_dir", "runtime.firmware_dir", READ_PATH);
    runtime->lib_dir = reader_copy(reader, object, "lib_dir", "runtime.lib_dir", READ_OPTIONAL);
    runtime->module_dir =
        reader_copy(reader, object, "module_dir", "runtime.module_dir", READ_OPTIONAL);
    runtime->loader = reader_copy(reader, object, "loader", "runtime.loader", READ_OPTIONAL);
}

static uint32_t read_store_flags(struct reader *reader, json_t *object) {
    json_t *allow_others = json_object_get(object, "allow_others");
    if (allow_others && !json_is_boolean(allow_others))
        reader_fault(reader, "runtime.allow_others", "it is neither true nor false");
    return json_is_true(allow_others) ? VQEMU_STORE_ALLOW_OTHERS : 0;
}

static vqemu_runtime *open_runtime(struct reader *reader, json_t *object, vqemu_profile *profile,
                                   const struct arch *arch) {
    vqemu_runtime *runtime = NULL;
    const char *tree = reader_text(reader, object, "tree", "runtime.tree", READ_OPTIONAL);
    if (reader->code == 0 && !tree) {
        runtime = runtime_alloc(profile, arch);
        if (runtime)
            read_by_hand(reader, object, runtime);
        else
            reader_no_memory(reader);
        return runtime;
    }
    const char *revision = reader_text(reader, object, "revision", "runtime.revision", READ_TEXT);
    uint32_t store_flags = read_store_flags(reader, object);
    if (reader->code == 0)
        reader->code = runtime_reopen(profile, arch, tree, revision, store_flags, reader->progress,
                                      &runtime, reader->error);
    return runtime;
}

static int32_t read_vhost_net(struct reader *reader, json_t *object) {
    if (!json_object_get(object, "vhost_net"))
        return VQEMU_VHOST_NET_UNSEEN;
    const char *name = reader_text(reader, object, "vhost_net", "runtime.vhost_net", READ_TEXT);
    int32_t state = name ? vhost_net_find_state(name) : 0;
    if (name && state == 0)
        reader_unknown_word(reader, "runtime.vhost_net", name);
    return state;
}

/* All else is read before: what has a fault takes no lease. */
static vqemu_runtime *read_runtime(struct reader *reader, json_t *root) {
    json_t *object = reader_object(reader, root, "runtime", "runtime");
    reader_only(reader, "runtime", object, "profile", "guest_arch", "vhost_net", "tree", "revision",
                "allow_others", "binary", "firmware_dir", "lib_dir", "module_dir", "loader", NULL);
    const char *name = reader_text(reader, object, "guest_arch", "runtime.guest_arch", READ_TEXT);
    const struct arch *arch = name ? arch_find(name) : NULL;
    if (name && !arch)
        reader_unknown_word(reader, "runtime.guest_arch", name);
    int32_t vhost_net = read_vhost_net(reader, object);
    if (reader->code < 0)
        return NULL;
    _cleanup_profile_ vqemu_profile *profile = read_profile(reader, object, arch->name);
    vqemu_runtime *runtime = reader->code < 0 ? NULL : open_runtime(reader, object, profile, arch);
    if (runtime)
        runtime->vhost_net = vhost_net;
    return runtime;
}

/* ---- the VM ---- */

static void read_vm(struct reader *reader, json_t *root, vqemu_command *command) {
    json_t *vm = reader_object(reader, root, "vm", "vm");
    reader_only(reader, "vm", vm, "name", "id", "user", "state_dir", "runtime_dir",
                "vnc_password_file", NULL);
    const char *id = reader_text(reader, vm, "id", "vm.id", READ_TEXT);
    command->vm_name = reader_copy(reader, vm, "name", "vm.name", READ_TEXT);
    command->state_dir = reader_copy(reader, vm, "state_dir", "vm.state_dir", READ_PATH);
    command->runtime_dir = reader_copy(reader, vm, "runtime_dir", "vm.runtime_dir", READ_PATH);
    command->vnc_password_file =
        reader_copy(reader, vm, "vnc_password_file", "vm.vnc_password_file", READ_OPTIONAL);
    if (json_object_get(vm, "user"))
        command->user = reader_copy(reader, vm, "user", "vm.user", READ_TEXT);
    if (id && *id && strlen(id) <= IDENTITY_ID_MAX && !strchr(id, '/'))
        strcpy(command->id, id);
    else
        reader_fault(reader, "vm.id", "it is no id");
}

static void read_nvram(struct reader *reader, json_t *root, struct nvram *nvram) {
    if (!json_object_get(root, "nvram"))
        return;
    json_t *object = reader_object(reader, root, "nvram", "nvram");
    reader_only(reader, "nvram", object, "path", "code", "template", NULL);
    nvram->path = reader_copy(reader, object, "path", "nvram.path", READ_PATH);
    nvram->code = reader_copy(reader, object, "code", "nvram.code", READ_PATH);
    nvram->template_path = reader_copy(reader, object, "template", "nvram.template", READ_PATH);
}

/* ---- what it uses ---- */

static void read_sockets(struct reader *reader, json_t *root, struct resources *resources) {
    json_t *sockets = reader_object(reader, root, "sockets", "sockets"), *value;
    const char *name;
    json_object_foreach(sockets, name, value) {
        const char *path = reader_text(reader, sockets, name, "sockets", READ_PATH);
        if (path)
            resources_name_socket(resources, name, path);
    }
}

static void read_uses(struct reader *reader, json_t *root, struct resources *resources) {
    json_t *uses = reader_object(reader, root, "uses", "uses");
    reader_only(reader, "uses", uses, "reads", "writes", "listens", "connects", "devices", NULL);
    reader_strings(reader, uses, "reads", "uses.reads", READ_PATH, &resources->reads);
    reader_strings(reader, uses, "writes", "uses.writes", READ_PATH, &resources->writes);
    reader_strings(reader, uses, "listens", "uses.listens", READ_PATH, &resources->sockets);
    reader_strings(reader, uses, "connects", "uses.connects", READ_PATH, &resources->connects);
    reader_strings(reader, uses, "devices", "uses.devices", READ_PATH, &resources->devices);
}

/* Of enum qcow2_use; 0 without, and for what is a fault. place: "files[].qcow2". */
static uint32_t read_qcow2(struct reader *reader, json_t *element, const char *place) {
    if (!json_object_get(element, "qcow2"))
        return 0;
    json_t *object = reader_object(reader, element, "qcow2", place);
    json_t *backing = json_object_get(object, "backing");
    json_t *data_file = json_object_get(object, "data_file");
    reader_only(reader, place, object, "backing", "data_file", NULL);
    if (!json_is_boolean(backing) || !json_is_boolean(data_file)) {
        reader_fault(reader, place, "true or false is missing");
        return 0;
    }
    return QCOW2_IMAGE | (json_is_true(backing) ? QCOW2_WITH_BACKING : 0) |
           (json_is_true(data_file) ? QCOW2_WITH_DATA_FILE : 0);
}

static void read_files(struct reader *reader, json_t *root, struct resources *resources) {
    json_t *array = reader_array(reader, root, "files", "files"), *element;
    size_t index;
    json_array_foreach(array, index, element) {
        reader_only(reader, "files[]", element, "path", "access", "key", "qcow2", NULL);
        const char *path = reader_text(reader, element, "path", "files[].path", READ_PATH);
        const char *access = reader_text(reader, element, "access", "files[].access", READ_TEXT);
        uint32_t meant = access ? file_access_find(access) : 0;
        if (access && !meant)
            reader_unknown_word(reader, "files[].access", access);
        const char *key = json_object_get(element, "key")
                              ? reader_text(reader, element, "key", "files[].key", READ_TEXT)
                              : NULL;
        if (!path || !meant)
            continue;
        resources_add_file(resources, path, meant);
        if (key)
            resources_name_file(resources, path, key);
        uint32_t qcow2 = read_qcow2(reader, element, "files[].qcow2");
        if (qcow2)
            resources_note_qcow2(resources, path, qcow2);
    }
}

static void read_descriptors(struct reader *reader, json_t *root, struct resources *resources) {
    json_t *array = reader_array(reader, root, "fds", "fds"), *element;
    size_t index;
    json_array_foreach(array, index, element) {
        reader_only(reader, "fds[]", element, "fd", "key", "name", "qcow2", NULL);
        const char *key = reader_text(reader, element, "key", "fds[].key", READ_TEXT);
        const char *name = json_object_get(element, "name")
                               ? reader_text(reader, element, "name", "fds[].name", READ_TEXT)
                               : NULL;
        uint32_t qcow2 = read_qcow2(reader, element, "fds[].qcow2");
        json_t *number = json_object_get(element, "fd");
        json_int_t fd = json_integer_value(number);
        if (!json_is_integer(number) || fd < 0 || fd > INT_MAX)
            reader_fault(reader, "fds[].fd", "it is no descriptor");
        else if (key)
            resources_add_fd(resources, (int)fd, key, name);
        if (reader->code == 0 && qcow2)
            resources_note_qcow2_fd(resources, (int)fd, qcow2);
    }
}

static void read_companion(struct reader *reader, json_t *element, struct resources *resources) {
    reader_only(reader, "companions[]", element, "kind", "program", "socket", "directory",
                "read_only", NULL);
    const char *kind = reader_text(reader, element, "kind", "companions[].kind", READ_TEXT);
    const char *program =
        reader_text(reader, element, "program", "companions[].program", READ_PATH);
    const char *socket = reader_text(reader, element, "socket", "companions[].socket", READ_PATH);
    const char *directory =
        reader_text(reader, element, "directory", "companions[].directory", READ_PATH);
    bool is_swtpm = kind && strcmp(kind, "swtpm") == 0;
    if (kind && !is_swtpm && strcmp(kind, "virtiofsd") != 0)
        reader_unknown_word(reader, "companions[].kind", kind);
    if (!json_is_boolean(json_object_get(element, "read_only")))
        reader_fault(reader, "companions[].read_only", "true or false is missing");
    if (reader->code == 0)
        resources_add_companion(resources, is_swtpm ? COMPANION_SWTPM : COMPANION_VIRTIOFSD,
                                program, socket, directory,
                                json_is_true(json_object_get(element, "read_only")), NULL, NULL);
}

static void read_resources(struct reader *reader, json_t *root, struct resources *resources) {
    json_t *element;
    size_t index;
    read_uses(reader, root, resources);
    read_sockets(reader, root, resources);
    read_files(reader, root, resources);
    read_descriptors(reader, root, resources);
    json_array_foreach(reader_array(reader, root, "companions", "companions"), index, element)
        read_companion(reader, element, resources);
    if (resources->failed)
        reader_no_memory(reader);
}

/* ---- all of it ---- */

static void read_digest(struct reader *reader, json_t *root, const char *key,
                        struct digest *digest) {
    const char *text = reader_text(reader, root, key, key, READ_TEXT);
    if (text && !digest_parse(text, digest))
        reader_fault(reader, key, "it is not 64 lowercase hex digits");
}

static void read_words(struct reader *reader, json_t *root, vqemu_command *command) {
    reader_strings(reader, root, "argv", "argv", READ_TEXT, &command->argv);
    reader_strings(reader, root, "env", "env", READ_TEXT, &command->envp);
    command->cwd = reader_copy(reader, root, "cwd", "cwd", READ_PATH);
    if (command->argv.count == 0 || command->argv.items[0][0] != '/')
        reader_fault(reader, "argv", "it begins with no absolute path");
    for (size_t i = 0; i < command->envp.count; i++)
        if (!strchr(command->envp.items[i], '='))
            reader_fault(reader, "env", "an element is no variable");
}

static bool is_newer(const char *format) {
    size_t length = strlen(SAVED_NAME);
    if (strncmp(format, SAVED_NAME, length) != 0 || strcmp(format, SAVED_FORMAT) == 0)
        return false;
    const char *version = format + length;
    return *version >= '1' && *version <= '9' && version[strspn(version, "0123456789")] == '\0';
}

static void refuse_newer(struct reader *reader, const char *format) {
    if (reader->code < 0)
        return;
    reader->code = error_set(reader->error, VQEMU_ERR_UNSUPPORTED, 0,
                             "%s: format: \"%.200s\" is of a newer version of the library; this "
                             "one knows \"" SAVED_FORMAT "\"",
                             reader->source, format);
    error_because(reader->code, reader->error, "newer-format", VQEMU_DETAIL_KEY, "format",
                  VQEMU_DETAIL_VALUE, format, VQEMU_DETAIL_PATH, reader->source, NULL);
}

static void read_command(struct reader *reader, json_t *root, vqemu_command *command) {
    const char *format = reader_text(reader, root, "format", "format", READ_TEXT);
    if (format && is_newer(format))
        refuse_newer(reader, format);
    else if (format && strcmp(format, SAVED_FORMAT) != 0)
        reader_fault(reader, "format", "it is not \"" SAVED_FORMAT "\"");
    reader_only(reader, "", root, "format", "vm", "nvram", "runtime", "argv", "env", "cwd", "uses",
                "sockets", "files", "fds", "companions", "digest", "hardware_digest", NULL);
    read_vm(reader, root, command);
    read_nvram(reader, root, &command->nvram);
    read_words(reader, root, command);
    read_resources(reader, root, &command->resources);
    read_digest(reader, root, "digest", &command->digest);
    read_digest(reader, root, "hardware_digest", &command->hardware);
    if (reader->code == 0)
        command->runtime = read_runtime(reader, root);
}

/* Whether arguments, environment and profile are still those that were saved. */
static int check_digest(const vqemu_command *command, const char *source, vqemu_error **error) {
    const struct digest actual = command_digest(command);
    if (digest_equal(&actual, &command->digest))
        return 0;
    return error_because(error_set(error, VQEMU_ERR_CORRUPT, 0,
                                   "%s: the command was altered after it was saved: its digest is "
                                   "%s, not %s",
                                   source, actual.hex, command->digest.hex),
                         error, "digest-differs", VQEMU_DETAIL_PATH, source, NULL);
}

VQEMU_EXPORT int vqemu_command_load(const char *json, size_t size, const char *source,
                                    uint32_t flags, vqemu_call *call, vqemu_command **command,
                                    vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(command, error);
    *command = NULL;
    REQUIRE_ARGUMENT(json, error);
    REQUIRE_FLAGS(flags, 0, error);
    struct vqemu_progress progress = {.call = call};
    struct reader reader = {
        .source = source ? source : "the saved command", .progress = &progress, .error = error};
    _cleanup_json_ json_t *root = NULL;
    int r = call_check(call, "the start", error);
    if (r == 0)
        r = json_parse_object(json, size, reader.source, &root, error);
    if (r < 0)
        return r;
    _cleanup_command_ vqemu_command *new = command_new(NULL);
    if (!new)
        return error_no_memory(error);
    read_command(&reader, root, new);
    r = reader.code < 0 ? reader.code : check_digest(new, reader.source, error);
    if (r == 0)
        *command = TAKE_POINTER(new);
    return r;
}
