/* SPDX-License-Identifier: MIT */
/*
 * A policy and a VM, {"policy": {...}, "vm": {...}}: of what is allowed, every file and socket is
 * where the policy says. That is found out here from the policy's JSON, apart from the library.
 */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "fuzz.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

static vqemu_runtime *runtime;

static void make_runtime(void) {
    vqemu_selection *selection = fuzz_select("x86_64", "kvm-uefi", "x86_64");
    FUZZ_CHECK(selection, "no profile for x86_64");
    runtime = fuzz_make_runtime(selection, true);
    vqemu_selection_free(selection);
}

/* ---- the documents ---- */

static vqemu_policy *read_policy(const json_t *document) {
    _cleanup_free_ char *text = json_dumps(document, 0), *written = NULL, *again = NULL;
    vqemu_policy *policy = NULL, *same = NULL;
    vqemu_error *error = NULL;
    int r = vqemu_policy_from_json(text, strlen(text), "input", 0, &policy, &error);
    FUZZ_CHECK(!policy == (r < 0), "the result %d with a policy, or 0 without", r);
    if (fuzz_check_result(r, &error) < 0)
        return NULL;
    FUZZ_CHECK(vqemu_policy_to_json(policy, 0, &written, NULL) == 0, "not written:\n%s", text);
    FUZZ_CHECK(vqemu_policy_from_json(written, strlen(written), NULL, 0, &same, NULL) == 0 &&
                   vqemu_policy_to_json(same, 0, &again, NULL) == 0 && strcmp(written, again) == 0,
               "two texts:\n%s%s", written, again ? again : "");
    vqemu_policy_unref(same);
    return policy;
}

static vqemu_vm *read_vm(const json_t *document) {
    _cleanup_free_ char *text = json_dumps(document, 0);
    vqemu_vm *vm = NULL;
    vqemu_error *error = NULL;
    fuzz_check_result(vqemu_vm_from_json(text, strlen(text), "input", 0, &vm, &error), &error);
    return vm;
}

/* ---- what must hold ---- */

/* The path without empty and "." components; it has no ".." if it is allowed. */
static char *squeezed(const char *path) {
    struct strbuf plain = {0};
    for (const char *c = path; *c;) {
        size_t length = strcspn(c, "/");
        FUZZ_CHECK(length != 2 || strncmp(c, "..", 2) != 0, "\"%s\" goes up", path);
        if (length > 0 && !(length == 1 && *c == '.')) {
            strbuf_add_char(&plain, '/');
            strbuf_add_bytes(&plain, c, length);
        }
        c += length + (c[length] == '/');
    }
    return strbuf_take(&plain);
}

static bool is_in(const char *path, const char *directory) {
    _cleanup_free_ char *inner = squeezed(path), *outer = squeezed(directory);
    size_t length = strlen(outer);
    return strncmp(inner, outer, length) == 0 && (inner[length] == '/' || !inner[length]);
}

static bool is_in_any(const char *path, const json_t *policy, const char *key) {
    size_t index;
    json_t *directory;
    json_array_foreach(json_object_get(policy, key), index, directory) {
        if (is_in(path, json_string_value(directory)))
            return true;
    }
    return false;
}

static bool is_own(const char *path, const vqemu_command *command) {
    return is_in(path, vqemu_command_state_dir(command)) ||
           is_in(path, vqemu_command_runtime_dir(command));
}

static bool is_chosen_by_library(const char *path) {
    static const char *const chosen[] = {"/dev/kvm",
                                         "/dev/urandom",
                                         "/dev/net/tun",
                                         "/dev/vhost-net",
                                         "/dev/vhost-vsock",
                                         "/dev/ptmx",
                                         "/dev/pts",
                                         "/usr/bin/swtpm",
                                         "/usr/libexec/virtiofsd",
                                         "/usr/lib/qemu/qemu-bridge-helper"};
    for (size_t i = 0; i < sizeof chosen / sizeof *chosen; i++)
        if (strcmp(path, chosen[i]) == 0)
            return true;
    return is_in(path, vqemu_runtime_firmware_dir(runtime));
}

static void check_files(const vqemu_command *command, const json_t *policy) {
    for (size_t i = 0; i < vqemu_command_file_count(command); i++) {
        const char *path = vqemu_command_file_path(command, i);
        uint32_t access = vqemu_command_file_access(command, i);
        bool is_program = access == VQEMU_FILE_EXECUTE;
        bool is_good = is_chosen_by_library(path) || is_own(path, command) ||
                       is_in_any(path, policy, "write_paths") ||
                       is_in_any(path, policy, "devices") ||
                       (is_program && json_is_true(json_object_get(policy, "programs"))) ||
                       (!(access & VQEMU_FILE_WRITE) && is_in_any(path, policy, "read_paths"));
        FUZZ_CHECK(is_good, "%s (access %u) is nowhere where the policy allows it", path, access);
    }
}

static void check_socket(const char *path, const vqemu_command *command, const json_t *policy) {
    FUZZ_CHECK(is_own(path, command) || is_in_any(path, policy, "sockets"),
               "the socket %s is nowhere where the policy allows it", path);
}

static void check_sockets(const vqemu_command *command, const json_t *policy) {
    for (size_t i = 0; i < vqemu_command_socket_count(command); i++)
        check_socket(vqemu_command_socket(command, vqemu_command_socket_name(command, i)), command,
                     policy);
    for (size_t i = 0; i < vqemu_command_companion_count(command); i++)
        check_socket(vqemu_command_companion_socket(command, i), command, policy);
}

/* The own directories themselves, if they are not the default ones. */
static void check_directories(const vqemu_command *command, const json_t *policy) {
    const char *state = vqemu_command_state_dir(command);
    const char *run = vqemu_command_runtime_dir(command);
    FUZZ_CHECK(is_in(state, "/var/lib/volt/vms") || is_in_any(state, policy, "write_paths"),
               "the state directory %s", state);
    FUZZ_CHECK(is_in(run, "/run/volt") || is_in_any(run, policy, "write_paths"),
               "the runtime directory %s", run);
}

static bool allows(const json_t *policy, const char *key) {
    return json_is_true(json_object_get(policy, key));
}

static void check_arguments(const vqemu_command *command, const json_t *policy) {
    const char *network = json_string_value(json_object_get(policy, "user_network"));
    bool is_confined = false, is_host = network && strcmp(network, "host") == 0;
    for (char *const *argument = vqemu_command_argv(command); *argument; argument++) {
        is_confined = is_confined || strcmp(*argument, "-sandbox") == 0;
        FUZZ_CHECK(is_host || strncmp(*argument, "user,id=net", strlen("user,id=net")) != 0 ||
                       strstr(*argument, ",restrict=on"),
                   "%s reaches the host", *argument);
        FUZZ_CHECK(allows(policy, "console_monitor") || !strstr(*argument, "mode=readline"),
                   "%s is a monitor", *argument);
    }
    FUZZ_CHECK(is_confined || allows(policy, "sandbox_off"), "QEMU does not confine itself");
    FUZZ_CHECK(vqemu_command_fd_count(command) == 0 || allows(policy, "descriptors"),
               "a descriptor is passed on");
}

/* With extra arguments, all but the files may be otherwise. */
static void check_allowed(const vqemu_command *command, const json_t *policy) {
    check_directories(command, policy);
    check_files(command, policy);
    check_sockets(command, policy);
    if (!allows(policy, "extra_args"))
        check_arguments(command, policy);
}

static void check_denied(const vqemu_error *error) {
    static const char *const details[] = {VQEMU_DETAIL_KEY, VQEMU_DETAIL_KEYS, VQEMU_DETAIL_RULE};
    for (size_t i = 0; i < sizeof details / sizeof *details; i++)
        FUZZ_CHECK(vqemu_error_detail(error, details[i]), "denied, without the detail %s",
                   details[i]);
    FUZZ_CHECK(strncmp(vqemu_error_reason(error), "policy-", strlen("policy-")) == 0,
               "denied, because of %s", vqemu_error_reason(error));
}

static void check_together(vqemu_policy *policy, const vqemu_vm *vm, const json_t *rules) {
    vqemu_command_options *options = NULL;
    vqemu_command *command = NULL, *free_command = NULL;
    vqemu_error *error = NULL;
    FUZZ_CHECK(vqemu_command_options_new(&options, NULL) == 0 &&
                   vqemu_command_options_set_policy(options, policy, NULL) == 0,
               "no memory");
    int r = vqemu_command_build(runtime, vm, options, 0, NULL, &command, &error);
    if (r == VQEMU_ERR_DENIED)
        check_denied(error);
    fuzz_check_result(r, &error);
    int without = vqemu_command_build(runtime, vm, NULL, 0, NULL, &free_command, NULL);
    FUZZ_CHECK(without == r || (without == 0 && r == VQEMU_ERR_DENIED),
               "%d without the policy, and %d with it", without, r);
    if (r == 0)
        check_allowed(command, rules);
    vqemu_command_unref(free_command);
    vqemu_command_unref(command);
    vqemu_command_options_free(options);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_begin(data, size);
    if (!runtime)
        make_runtime();
    _cleanup_json_ json_t *both =
        json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, NULL);
    const json_t *rules = json_object_get(both, "policy"), *described = json_object_get(both, "vm");
    vqemu_policy *policy = json_is_object(rules) ? read_policy(rules) : NULL;
    vqemu_vm *vm = policy && json_is_object(described) ? read_vm(described) : NULL;
    if (vm)
        check_together(policy, vm, rules);
    vqemu_vm_free(vm);
    vqemu_policy_unref(policy);
    return 0;
}
