/* SPDX-License-Identifier: MIT */
/*
 * A policy against a command in the making. By key: each key of the VM has a reach, which says what
 * it is under. By what the command uses: each file and socket must have been looked at as that of a
 * key, or be one that the library itself has chosen.
 */
#include "command/policy-check.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "command/policy-path.h"
#include "command/policy-rules.h"
#include "util/beneath.h"
#include "util/join.h"

/* ---- by key ---- */

static uint32_t access_of(const struct resources *resources, const char *path) {
    for (size_t i = 0; i < resources->file_count; i++)
        if (strcmp(resources->files[i].path, path) == 0)
            return resources->files[i].access;
    return 0;
}

static bool is_in(const struct strv *list, const char *path) {
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i], path) == 0)
            return true;
    return false;
}

/* A companion listens at a socket to which QEMU connects. */
static bool is_socket(const struct resources *resources, const char *path) {
    return is_in(&resources->sockets, path) || is_in(&resources->connects, path);
}

/* A path that the command does not use would be one that nobody has looked at. */
static void check_path(struct policy_check *check, const struct property *property, const char *key,
                       const char *path) {
    const struct resources *resources = &check->plan->resources;
    uint32_t access = access_of(resources, path);
    if (access && property->reach == REACH_SHARE)
        policy_check_share(check, key, path, access);
    else if (access)
        policy_check_file(check, key, path, access);
    if (is_socket(resources, path))
        policy_check_socket(check, key, path);
    else if (!access)
        policy_violate(check, &(struct violation){key, "policy-unclear", "read_paths", path, NULL},
                       "how %s is used cannot be told", path);
}

static void check_allowed(struct policy_check *check, enum toggle allowed, const char *key,
                          const char *rule, const char *value, const char *text) {
    if (!is_on(allowed))
        policy_violate(check, &(struct violation){key, "policy-switch", rule, value, NULL}, "%s",
                       text);
}

static void check_property(struct policy_check *check, const struct property *property,
                           const char *key, const void *object) {
    const void *field = property_value(property, object);
    const char *text = property_is_string(property) ? *(char *const *)field : NULL;
    switch (property->reach) {
    case REACH_NOTHING:
    case REACH_RULE:
        return;
    case REACH_FILE:
    case REACH_SHARE:
    case REACH_SOCKET:
        check_path(check, property, key, text);
        return;
    case REACH_DIRECTORY:
        policy_check_directory(check, key, text);
        return;
    case REACH_PROGRAM:
        check_allowed(check, check->policy->programs, key, "programs", text,
                      "the policy allows no programs");
        return;
    case REACH_DESCRIPTOR:
        check_allowed(check, check->policy->descriptors, key, "descriptors", NULL,
                      "the policy allows no descriptors");
        return;
    case REACH_UNSAID:
        break;
    }
    policy_violate(check, &(struct violation){key, "policy-unclear", NULL, text, NULL},
                   "what it reaches cannot be told");
}

static void check_object(struct policy_check *check, const struct object_type *type,
                         const void *object, const char *prefix) {
    policy_check_rules(check, type, object, prefix);
    for (size_t i = 0; i < type->count; i++) {
        const struct property *property = &type->properties[i];
        if (!property_is_set(property, object))
            continue;
        _cleanup_free_ char *key = join_texts(prefix, property->key, NULL);
        if (!key) {
            check->failed = true;
            return;
        }
        check_property(check, property, key, object);
        const struct object_list *list = property_value(property, object);
        for (size_t j = 0; property->kind == PROPERTY_OBJECTS && j < list->count; j++) {
            _cleanup_free_ char *inner = format_string("%s[%zu].", key, j);
            if (inner)
                check_object(check, property->element, list->items[j], inner);
            else
                check->failed = true;
        }
    }
}

/* ---- by what the command uses ---- */

/* Whether some key of an object is a path, which check_object() has looked at. */
static bool names_path(const struct object_type *type, const void *object, const char *path) {
    for (size_t i = 0; i < type->count; i++) {
        const struct property *property = &type->properties[i];
        const void *field = property_value(property, object);
        bool is_path = property->kind == PROPERTY_PATH || property->kind == PROPERTY_SOCKET;
        const char *text = is_path ? *(char *const *)field : NULL;
        if (text && strcmp(text, path) == 0)
            return true;
        const struct object_list *list = field;
        for (size_t j = 0; property->kind == PROPERTY_OBJECTS && j < list->count; j++)
            if (names_path(property->element, list->items[j], path))
                return true;
    }
    return false;
}

/* What the keys that they belong to are allowed for. */
static bool is_device_of_library(const char *path) {
    static const char *const nodes[] = {"/dev/kvm",        "/dev/urandom", "/dev/net/tun",
                                        "/dev/ptmx",       "/dev/pts",     "/dev/vhost-net",
                                        "/dev/vhost-vsock"};
    for (size_t i = 0; i < sizeof nodes / sizeof *nodes; i++)
        if (strcmp(nodes[i], path) == 0)
            return true;
    return false;
}

/* Which one, is a key's matter alone. */
static bool is_program(const struct file_use *file) {
    return file->access == VQEMU_FILE_EXECUTE;
}

static bool is_of_library(const struct plan *plan, const char *path) {
    bool is_firmware = plan->firmware.files.code && strcmp(plan->firmware.files.code, path) == 0;
    return is_firmware || is_device_of_library(path);
}

static void check_uses(struct policy_check *check) {
    const struct plan *plan = check->plan;
    const struct resources *resources = &plan->resources;
    for (size_t i = 0; i < resources->file_count; i++) {
        const struct file_use *file = &resources->files[i];
        if (!is_program(file) && !is_of_library(plan, file->path) &&
            !names_path(&vm_type, plan->vm, file->path))
            policy_check_file(check, file->key ? file->key : "the VM", file->path, file->access);
    }
    const struct strv *const lists[] = {&resources->sockets, &resources->connects};
    for (size_t i = 0; i < 2; i++)
        for (size_t j = 0; j < lists[i]->count; j++)
            if (!names_path(&vm_type, plan->vm, lists[i]->items[j]))
                policy_check_socket(check, "the VM", lists[i]->items[j]);
}

/* ---- all of it ---- */

int policy_check(const vqemu_policy *policy, const struct plan *plan, vqemu_error **error) {
    struct policy_check check = {.policy = policy,
                                 .plan = plan,
                                 .state_dir = plain_path(plan->identity.state_dir),
                                 .runtime_dir = plain_path(plan->identity.runtime_dir),
                                 .failed = plan->resources.failed};
    if (check.state_dir && check.runtime_dir) {
        check_object(&check, &vm_type, plan->vm, "");
        check_uses(&check);
    } else {
        check.failed = true;
    }
    int r = policy_conclude(&check, error);
    vqemu_error_free(check.first);
    strbuf_release(&check.keys);
    free(check.state_dir);
    free(check.runtime_dir);
    return r;
}
