/* SPDX-License-Identifier: MIT */
/* Units: what they say for what a VM uses, and what is refused. */
#include <volt-qemu/unit.h>

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "choice/selection.h"
#include "fixture.h"
#include "run.h"
#include "tree/runtime.h"
#include "unit/quote.h"
#include "vm/vm.h"

static vqemu_runtime *make_runtime(const char *profile) {
    _cleanup_selection_ vqemu_selection *selection = select_profile(profile, "x86_64");
    return runtime_at(selection,
                      runtime_paths("/t/bin/qemu", "/t/firmware", "/t/lib", NULL, "/t/lib/ld.so"));
}

static vqemu_vm *read_vm(const char *json) {
    _cleanup_error_ vqemu_error *error = NULL;
    vqemu_vm *vm = NULL;
    int r = vqemu_vm_from_json(json, strlen(json), "vm", 0, &vm, &error);
    ck_assert_msg(r == 0, "%s", vqemu_error_message(error));
    run_firmware_alone(vm);
    return vm;
}

/* Options with a program that stops guests; NULL for NULL. */
static vqemu_unit_options *stopping_by(const char *helper) {
    const char *const words[] = {helper, "stop", NULL};
    vqemu_unit_options *options = NULL;
    ck_assert_int_eq(vqemu_unit_options_new(&options, NULL), 0);
    if (helper)
        ck_assert_int_eq(vqemu_unit_options_set_stop_command(options, words, NULL), 0);
    return options;
}

/* The units of a VM, as JSON, on a profile; the caller frees them. */
static vqemu_units *build_units(const char *profile, const char *json, const char *helper,
                                uint32_t flags) {
    _cleanup_runtime_ vqemu_runtime *runtime = make_runtime(profile);
    _cleanup_vm_ vqemu_vm *vm = read_vm(json);
    _cleanup_error_ vqemu_error *error = NULL;
    vqemu_units *unit = NULL;
    vqemu_unit_options *options = stopping_by(helper);
    int r = vqemu_units_build(runtime, vm, NULL, options, flags, NULL, &unit, &error);
    vqemu_unit_options_free(options);
    ck_assert_msg(r == 0, "%s", vqemu_error_message(error));
    return unit;
}

static void is_refused(const char *json, uint32_t flags, int code, const char *key,
                       const char *mentioned) {
    _cleanup_runtime_ vqemu_runtime *runtime = make_runtime("emulate-x86");
    _cleanup_vm_ vqemu_vm *vm = read_vm(json);
    _cleanup_error_ vqemu_error *error = NULL;
    vqemu_units *unit = NULL;
    ck_assert_int_eq(vqemu_units_build(runtime, vm, NULL, NULL, flags, NULL, &unit, NULL), code);
    ck_assert_int_eq(vqemu_units_build(runtime, vm, NULL, NULL, flags, NULL, &unit, &error), code);
    ck_assert_ptr_null(unit);
    ck_assert_pstr_eq(vqemu_error_detail(error, "key"), key);
    ck_assert_msg(strstr(vqemu_error_message(error), mentioned), "%s", vqemu_error_message(error));
}

/* Whether the text has a line that begins so. */
static bool has_line(const char *text, const char *line) {
    for (const char *found = text; (found = strstr(found, line)); found++)
        if (found == text || found[-1] == '\n')
            return true;
    return false;
}

static void service_says(const char *profile, const char *json, const char *lines) {
    vqemu_units *unit = build_units(profile, json, "/usr/bin/volt-qemu", 0);
    const char *text = vqemu_units_text(unit, 0);
    _cleanup_free_ char *copy = strdup(lines);
    char *next = NULL;
    for (char *line = strtok_r(copy, "\n", &next); line; line = strtok_r(NULL, "\n", &next)) {
        bool expected = line[0] != '!';
        ck_assert_msg(has_line(text, line + !expected) == expected, "%s in:\n%s", line, text);
    }
    vqemu_units_free(unit);
}

START_TEST(names_and_texts_come_in_pairs) {
    vqemu_units *unit =
        build_units("emulate-x86",
                    "{\"name\": \"web\", \"user\": \"vm\", \"tpm\": true, \"shares\": [{\"path\": "
                    "\"/srv/a\", \"tag\": \"a\", \"driver\": \"virtiofs\"}]}",
                    NULL, 0);
    static const char *const names[] = {"volt-vm-web.service", "volt-vm-virtiofsd@web-0.socket",
                                        "volt-vm-virtiofsd@web-0.service",
                                        "volt-vm-swtpm@web.socket", "volt-vm-swtpm@web.service"};
    ck_assert_uint_eq(vqemu_units_count(unit), 5);
    for (size_t i = 0; i < 5; i++) {
        ck_assert_str_eq(vqemu_units_name(unit, i), names[i]);
        ck_assert_ptr_nonnull(strstr(vqemu_units_text(unit, i), "Description=Volt VM: web"));
    }
    ck_assert_ptr_null(vqemu_units_name(unit, 5));
    ck_assert_ptr_null(vqemu_units_text(unit, 5));
    ck_assert_str_eq(vqemu_command_path(vqemu_units_command(unit)), "/t/lib/ld.so");
    vqemu_units_free(unit);
    vqemu_units_free(NULL);
}
END_TEST

START_TEST(a_name_cannot_pretend_to_be_another) {
    vqemu_units *units =
        build_units("emulate-x86",
                    "{\"name\": \"a\\u009b\\u202eb\\u00e4\\n%\", \"tpm\": true, \"user\": \"vm\", "
                    "\"kernel\": \"/k\", \"rootfs\": \"/r\\u2066\", "
                    "\"rootfs_driver\": \"virtiofs\"}",
                    NULL, 0);
    ck_assert_uint_eq(vqemu_units_count(units), 5);
    for (size_t i = 0; i < 5; i++)
        ck_assert_ptr_nonnull(
            strstr(vqemu_units_text(units, i), "Description=Volt VM: a??b\xc3\xa4?%%"));
    ck_assert_ptr_nonnull(strstr(vqemu_units_text(units, 2), "(virtiofsd for /r?)"));
    vqemu_units_free(units);
}
END_TEST

START_TEST(a_unit_that_systemd_cannot_read_is_refused) {
    static const struct {
        size_t size, count;
        const char *message;
    } cases[] = {
        {131072, 1, "has 131072 bytes; Linux executes no argument of more than 131071"},
        {131071, 9, "bytes in a unit; systemd reads lines of 1048575"},
        {131071, 7, NULL},
    };
    _cleanup_runtime_ vqemu_runtime *runtime = make_runtime("emulate-x86");
    char *argument = malloc(131073);
    for (size_t i = 0; i < 3; i++) {
        _cleanup_vm_ vqemu_vm *vm = read_vm("{\"name\": \"x\", \"user\": \"vm\"}");
        _cleanup_error_ vqemu_error *error = NULL;
        vqemu_units *unit = NULL;
        memset(argument, 'x', cases[i].size);
        argument[cases[i].size] = '\0';
        bool is_too_long = cases[i].size > 131071; /* only a path can be */
        *argument = is_too_long ? '/' : 'x';
        for (size_t j = 0; j < cases[i].count; j++) {
            _cleanup_free_ char *key =
                is_too_long ? strdup(VQEMU_KEY_KERNEL)
                            : format_string(VQEMU_KEY_EXTRA_ARGS_AT(VQEMU_KEYS_ANY), j);
            ck_assert_int_eq(vqemu_vm_set_string(vm, key, argument, NULL), 0);
        }
        int r = vqemu_units_build(runtime, vm, NULL, NULL, 0, NULL, &unit, &error);
        ck_assert_int_eq(r, cases[i].message ? VQEMU_ERR_UNSUPPORTED : 0);
        if (cases[i].message)
            ck_assert_ptr_nonnull(strstr(vqemu_error_message(error), cases[i].message));
        vqemu_units_free(unit);
    }
    free(argument);
}
END_TEST

START_TEST(what_a_unit_cannot_do_is_refused) {
    is_refused("{\"name\": \"x\"}", 2, VQEMU_ERR_USAGE, NULL, "0x2");
    is_refused("{\"name\": \"x\"}", 0, VQEMU_ERR_INVALID, "user", "user: missing");
    is_refused("{\"name\": \"x\", \"user\": \"vm\", \"nics\": [{\"backend\": \"bridge\", "
               "\"bridge\": \"br0\"}]}",
               0, VQEMU_ERR_UNSUPPORTED, "nics[0].backend", "make a TAP device for that user");
    is_refused("{\"name\": \"x\", \"user\": \"vm\", \"disks\": [{\"fd\": 7}]}", 0,
               VQEMU_ERR_UNSUPPORTED, "disks[0].fd",
               "disks[0].fd: a unit cannot pass on descriptor 7");
    is_refused("{\"name\": \"x\"}", VQEMU_UNIT_USER_MANAGER, VQEMU_ERR_INVALID, "runtime_dir",
               "runtime_dir: a user cannot write to /run/volt/x");
    is_refused("{\"name\": \"x\", \"user\": \"vm\", \"runtime_dir\": \"/run/user/1/x\"}",
               VQEMU_UNIT_USER_MANAGER, VQEMU_ERR_INVALID, "user", "user: ");
    is_refused("{\"name\": \"x\", \"runtime_dir\": \"/run/user/1/x\", \"rootfs\": \"/a\", "
               "\"rootfs_driver\": \"virtiofs\"}",
               VQEMU_UNIT_USER_MANAGER, VQEMU_ERR_UNSUPPORTED, "rootfs",
               "cannot keep virtiofsd from writing");
}
END_TEST

START_TEST(what_a_companion_cannot_be_given_is_refused) {
    static const char *const paths[] = {"/a,b", "/a=b", "/a\\\\b"};
    for (size_t i = 0; i < 3; i++) {
        _cleanup_free_ char *json = format_string(
            "{\"name\": \"x\", \"rootfs\": \"%s\", \"rootfs_driver\": \"virtiofs\"}", paths[i]);
        is_refused(json, 0, VQEMU_ERR_UNSUPPORTED, "rootfs",
                   "rootfs: virtiofsd cannot be given the path /a");
    }
    is_refused(
        "{\"name\": \"x\", \"user\": \"vm\", \"tpm\": true, \"tpm_socket\": \"/run/volt/x/a\\nb\"}",
        0, VQEMU_ERR_UNSUPPORTED, "tpm_socket",
        "tpm_socket: systemd cannot listen at /run/volt/x/a");
}
END_TEST

#define VM(more) "{\"name\": \"web\", \"user\": \"vm\"" more "}"
#define USERS_VM(more) "{\"name\": \"web\"" more "}"

START_TEST(stopping_asks_the_helper) {
    service_says("emulate-x86", VM(""),
                 "ExecStop=-:/usr/bin/volt-qemu stop --timeout 90 /run/volt/web/unit.sock\n"
                 "KillMode=mixed\nTimeoutStopSec=150\nType=exec\nRestart=no\n"
                 "WantedBy=multi-user.target");
    vqemu_units *unit = build_units("emulate-x86", VM(""), NULL, 0);
    ck_assert(!strstr(vqemu_units_text(unit, 0), "ExecStop="));
    ck_assert(has_line(vqemu_units_text(unit, 0), "TimeoutStopSec=30\n"));
    vqemu_units_free(unit);
    unit = build_units("emulate-x86", VM(""), "/opt/a b'c/volt-qemu", 0);
    ck_assert(has_line(vqemu_units_text(unit, 0),
                       "ExecStop=-:/usr/bin/env -- \"/opt/a b'c/volt-qemu\" stop "));
    vqemu_units_free(unit);
}
END_TEST

/* Units of which an option is set by key, or one of their command. */
static int build_with(const char *key, const char *value, uint64_t number, vqemu_units **units,
                      vqemu_error **error) {
    _cleanup_runtime_ vqemu_runtime *runtime = make_runtime("emulate-x86");
    _cleanup_vm_ vqemu_vm *vm = read_vm(VM(", \"tpm\": true"));
    vqemu_command_options *command_options = NULL;
    vqemu_unit_options *options = stopping_by("/opt/stopper");
    ck_assert_int_eq(vqemu_command_options_new(&command_options, NULL), 0);
    int r = strstr(key, "_base")
                ? vqemu_command_options_set_string(command_options, key, value, error)
            : value ? vqemu_unit_options_set_string(options, key, value, error)
                    : vqemu_unit_options_set_number(options, key, number, error);
    if (r == 0)
        r = vqemu_units_build(runtime, vm, command_options, options, 0, NULL, units, error);
    vqemu_unit_options_free(options);
    vqemu_command_options_free(command_options);
    return r;
}

static void with_option(const char *key, const char *value, uint64_t number, size_t index,
                        const char *name, const char *lines) {
    vqemu_units *units = NULL;
    ck_assert_int_eq(build_with(key, value, number, &units, NULL), 0);
    ck_assert_str_eq(vqemu_units_name(units, index), name);
    _cleanup_free_ char *copy = strdup(lines);
    char *next = NULL;
    for (char *line = strtok_r(copy, "\n", &next); line; line = strtok_r(NULL, "\n", &next))
        ck_assert_msg(has_line(vqemu_units_text(units, index), line), "%s in:\n%s", line,
                      vqemu_units_text(units, index));
    vqemu_units_free(units);
}

START_TEST(options_name_and_place_the_units) {
    with_option("name_prefix", "acme_", 0, 0, "acme_web.service",
                "Requires=acme_swtpm@web.socket acme_swtpm@web.service");
    with_option("name_prefix", "acme_", 0, 2, "acme_swtpm@web.service",
                "PartOf=acme_web.service\nRequires=acme_swtpm@web.socket");
    with_option("state_base", "/var/lib/acme", 0, 0, "volt-vm-web.service",
                "StateDirectory=acme/web\nRuntimeDirectory=volt/web");
    with_option("state_base", "/var/lib/acme", 0, 2, "volt-vm-swtpm@web.service",
                "StateDirectory=acme/web/tpm\nWorkingDirectory=/var/lib/acme/web/tpm");
    with_option("runtime_base", "/run/acme/vms", 0, 0, "volt-vm-web.service",
                "RuntimeDirectory=acme/vms/web\n"
                "ExecStop=-:/opt/stopper stop --timeout 90 /run/acme/vms/web/unit.sock");
    with_option("stop_seconds", NULL, 600, 0, "volt-vm-web.service",
                "ExecStop=-:/opt/stopper stop --timeout 600 /run/volt/web/unit.sock\n"
                "TimeoutStopSec=660");
    with_option("stop_seconds", NULL, 0, 0, "volt-vm-web.service", "TimeoutStopSec=150");
}
END_TEST

START_TEST(directories_elsewhere_are_the_callers) {
    static const char *const bases[] = {"/srv/acme", "/var/lib/a b", "/var/lib/50%"};
    for (size_t i = 0; i < sizeof bases / sizeof *bases; i++) {
        vqemu_units *units = NULL;
        ck_assert_int_eq(build_with("state_base", bases[i], 0, &units, NULL), 0);
        ck_assert(!has_line(vqemu_units_text(units, 0), "StateDirectory="));
        vqemu_units_free(units);
    }
}
END_TEST

START_TEST(bad_options_are_refused) {
    static const struct {
        const char *key, *value;
        uint64_t number;
    } cases[] = {
        {"name_prefix", "", 0},     {"name_prefix", "a b", 0}, {"name_prefix", "a@", 0},
        {"name_prefix", "../", 0},  {"name_prefix", "a/b", 0}, {"stop_seconds", NULL, 604801},
        {"stop_directory", "a", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        _cleanup_error_ vqemu_error *error = NULL;
        vqemu_unit_options *options = NULL;
        ck_assert_int_eq(vqemu_unit_options_new(&options, NULL), 0);
        int r = cases[i].value
                    ? vqemu_unit_options_set_string(options, cases[i].key, cases[i].value, &error)
                    : vqemu_unit_options_set_number(options, cases[i].key, cases[i].number, &error);
        vqemu_unit_options_free(options);
        ck_assert_int_eq(r, VQEMU_ERR_INVALID);
        ck_assert_str_eq(vqemu_error_detail(error, "key"), cases[i].key);
        ck_assert_int_eq(strncmp(vqemu_error_message(error), cases[i].key, strlen(cases[i].key)),
                         0);
    }
}
END_TEST

START_TEST(options_are_checked_when_they_are_set) {
    static const char *const relative[] = {"volt-qemu", "stop", NULL}, *const empty[] = {NULL};
    vqemu_unit_options *options = NULL;
    vqemu_error *error = NULL;
    ck_assert_int_eq(vqemu_unit_options_new(NULL, &error), VQEMU_ERR_USAGE);
    ck_assert_int_eq(vqemu_unit_options_new(&options, &error), 0);
    ck_assert_ptr_null(error);
    ck_assert_int_eq(vqemu_unit_options_set_string(options, "prefix", "x", &error),
                     VQEMU_ERR_UNKNOWN_KEY);
    ck_assert_ptr_nonnull(strstr(vqemu_error_detail(error, "choices"), "name_prefix"));
    ck_assert_int_eq(vqemu_unit_options_set_number(options, "name_prefix", 1, &error),
                     VQEMU_ERR_INVALID);
    ck_assert_int_eq(vqemu_unit_options_set_string(options, NULL, "x", &error), VQEMU_ERR_USAGE);
    ck_assert_int_eq(vqemu_unit_options_set_string(NULL, "name_prefix", "x", &error),
                     VQEMU_ERR_USAGE);
    ck_assert_int_eq(vqemu_unit_options_set_stop_command(NULL, NULL, &error), VQEMU_ERR_USAGE);
    ck_assert_int_eq(vqemu_unit_options_set_stop_command(options, relative, &error),
                     VQEMU_ERR_INVALID);
    ck_assert_ptr_nonnull(
        strstr(vqemu_error_message(error), "stop_command: \"volt-qemu\" is not an absolute path"));
    ck_assert_int_eq(vqemu_unit_options_set_stop_command(options, empty, &error),
                     VQEMU_ERR_INVALID);
    ck_assert_int_eq(vqemu_unit_options_set_stop_command(options, NULL, &error), 0);
    vqemu_unit_options_free(options);
    vqemu_unit_options_free(NULL);
}
END_TEST

START_TEST(a_time_for_stopping_needs_a_command) {
    _cleanup_runtime_ vqemu_runtime *runtime = make_runtime("emulate-x86");
    _cleanup_vm_ vqemu_vm *vm = NULL;
    _cleanup_error_ vqemu_error *error = NULL;
    vqemu_unit_options *options = NULL;
    vqemu_units *units = NULL;
    ck_assert_int_eq(vqemu_vm_new("web", &vm, NULL), 0);
    ck_assert_int_eq(vqemu_unit_options_new(&options, NULL), 0);
    ck_assert_int_eq(vqemu_unit_options_set_number(options, "stop_seconds", 7, NULL), 0);
    ck_assert_int_eq(vqemu_units_build(runtime, vm, NULL, options, 0, NULL, &units, &error),
                     VQEMU_ERR_USAGE);
    ck_assert_ptr_null(units);
    ck_assert_str_eq(vqemu_error_reason(error), "flags-at-odds");
    ck_assert_ptr_nonnull(strstr(vqemu_error_message(error), "stop_seconds"));
    vqemu_unit_options_free(options);
}
END_TEST

START_TEST(nothing_crashes_without_units) {
    _cleanup_runtime_ vqemu_runtime *runtime = make_runtime("emulate-x86");
    _cleanup_error_ vqemu_error *error = NULL;
    vqemu_units *units = NULL;
    ck_assert_int_eq(vqemu_units_build(runtime, NULL, NULL, NULL, 0, NULL, &units, &error),
                     VQEMU_ERR_USAGE);
    ck_assert_int_eq(vqemu_units_build(NULL, NULL, NULL, NULL, 0, NULL, &units, &error),
                     VQEMU_ERR_USAGE);
    ck_assert_int_eq(vqemu_units_build(runtime, NULL, NULL, NULL, 0, NULL, NULL, &error),
                     VQEMU_ERR_USAGE);
    ck_assert_uint_eq(vqemu_units_count(NULL), 0);
    ck_assert_ptr_null(vqemu_units_name(NULL, 0));
    ck_assert_ptr_null(vqemu_units_text(NULL, 0));
    ck_assert_ptr_null(vqemu_units_command(NULL));
}
END_TEST

START_TEST(the_directories_are_made_by_systemd_where_it_can) {
    service_says("emulate-x86", VM(""),
                 "RuntimeDirectory=volt/web\nRuntimeDirectoryMode=0700\n"
                 "RuntimeDirectoryPreserve=yes\n!StateDirectory=");
    service_says("emulate-x86", VM(", \"runtime_dir\": \"/run/elsewhere\""),
                 "!RuntimeDirectory=\nBindPaths=\"-/run/elsewhere\"");
    service_says("emulate-x86", VM(", \"tpm\": true"),
                 "RuntimeDirectoryPreserve=yes\nStateDirectory=volt/vms/web\n"
                 "Requires=volt-vm-swtpm@web.socket volt-vm-swtpm@web.service\n"
                 "After=volt-vm-swtpm@web.socket volt-vm-swtpm@web.service");
    vqemu_units *unit =
        build_units("emulate-x86", USERS_VM(", \"runtime_dir\": \"/run/user/7/volt/web\""), NULL,
                    VQEMU_UNIT_USER_MANAGER);
    ck_assert(has_line(vqemu_units_text(unit, 0), "RuntimeDirectory=volt/web\n"));
    ck_assert(has_line(vqemu_units_text(unit, 0), "WantedBy=default.target\n"));
    ck_assert(!strstr(vqemu_units_text(unit, 0), "Protect"));
    vqemu_units_free(unit);
}
END_TEST

START_TEST(only_what_is_used_is_in_sight) {
    service_says("emulate-x86",
                 VM(", \"disks\": [{\"file\": \"/srv/a\"}, {\"file\": \"/srv/b\", \"read_only\": "
                    "true}], \"console_log\": \"/var/log/volt/web.log\""),
                 "TemporaryFileSystem=/:ro /run:ro /dev/shm:ro /dev/pts:ro\nMountAPIVFS=yes\n"
                 "BindPaths=\"-/srv/a\"\nBindReadOnlyPaths=\"-/srv/b\"\n!BindPaths=\"-/srv/b\"\n"
                 "BindPaths=\"-/var/log/volt/web.log\"\n!BindPaths=\"-/var/log/volt\"\n"
                 "BindReadOnlyPaths=\"-/t/firmware\"\nPrivateTmp=yes\nUMask=0077\n"
                 "PrivateUsers=yes\nProtectProc=invisible\nProcSubset=pid\nKeyringMode=private\n"
                 "LimitCORE=0");
    service_says("emulate-x86",
                 VM(", \"disks\": [{\"file\": \"/none/a\", \"read_only\": true, \"bus\": \"scsi\"}"
                    "], \"shares\": [{\"path\": \"/none/a\", \"tag\": \"t\", \"writable\": true}]"),
                 "BindPaths=\"-/none/a\"\n!BindReadOnlyPaths=\"-/none/a\"");
    service_says("emulate-x86", VM(", \"console\": \"pty\""),
                 "TemporaryFileSystem=/:ro /run:ro /dev/shm:ro\n");
    service_says("emulate-x86",
                 VM(", \"shares\": [{\"path\": \"/tmp\", \"tag\": \"t\", \"writable\": true}]"),
                 "!PrivateTmp\nBindPaths=\"-/tmp\"");
    service_says("emulate-x86", VM(", \"kernel\": \"/usr/lib/modules/6/vmlinuz\""),
                 "!ProtectKernelModules");
    service_says("emulate-x86", VM(", \"disks\": [{\"file\": \"/a \\\"\\\\%b\"}]"),
                 "BindPaths=\"-/a \\\"\\\\%%b\"");
    service_says("emulate-x86", VM(", \"rootfs\": \"/\", \"disks\": [{\"file\": \"/srv/a\"}]"),
                 "# A share is the root directory\n!TemporaryFileSystem\nProtectSystem=strict\n"
                 "ReadWritePaths=\"-/srv/a\"");
    service_says("emulate-x86", VM(", \"rootfs\": \"/\", \"rootfs_writable\": true"),
                 "# A share is the root directory\n!TemporaryFileSystem\n!ProtectSystem");
}
END_TEST

START_TEST(what_a_unit_cannot_name_is_refused) {
    static const char *const paths[] = {"/srv/a\\nb/c", "/a\\u007f", "/\\uffff"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        _cleanup_free_ char *json = format_string(
            "{\"name\": \"x\", \"user\": \"vm\", \"disks\": [{\"file\": \"%s\"}]}", paths[i]);
        is_refused(json, 0, VQEMU_ERR_UNSUPPORTED, "disks[0].file",
                   "disks[0].file: a unit cannot name the path /");
    }
}
END_TEST

START_TEST(sockets_are_made_in_the_directories_of_the_vm) {
    static const char *const keys[] = {"qmp_socket", "vnc_socket", "guest_agent_socket",
                                       "console_path", "tpm_socket"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        _cleanup_free_ char *json = format_string(
            "{\"name\": \"x\", \"user\": \"vm\", \"tpm\": true, \"display\": \"vnc\", \"console\": "
            "\"socket\", \"%s\": \"/run/x.sock\"}",
            keys[i]);
        is_refused(json, 0, VQEMU_ERR_UNSUPPORTED, keys[i], "/run/x.sock is in neither of");
    }
    service_says("emulate-x86", VM(", \"qmp_socket\": \"/run/volt/web/a/b\""), "!BindPaths=");
    service_says("emulate-x86", VM(", \"qmp_socket\": \"/var/lib/volt/vms/web/b\""),
                 "!BindPaths=\nStateDirectory=volt/vms/web");
    service_says("emulate-x86", VM(", \"qmp_socket\": \"/a/b\", \"extra_args\": [\"-S\"]"),
                 "# extra_args can make QEMU use anything");
}
END_TEST

START_TEST(devices_are_confined) {
    service_says("emulate-x86", VM(""), "PrivateDevices=yes\n!DevicePolicy\n!DeviceAllow");
    service_says("kvm-linux", VM(", \"rng\": true"),
                 "PrivateDevices=yes\n!DevicePolicy\nDeviceAllow=\"/dev/kvm\" rw\n"
                 "BindPaths=\"-/dev/kvm\"\n!DeviceAllow=\"/dev/urandom\"\nProtectClock=yes");
    service_says("emulate-x86", VM(", \"disks\": [{\"file\": \"/dev/mapper/a b\"}]"),
                 "DeviceAllow=\"/dev/mapper/a b\" rw\nBindPaths=\"-/dev/mapper/a b\"");
    service_says("emulate-x86", VM(", \"disks\": [{\"file\": \"/dev/sdx\", \"read_only\": true}]"),
                 "DeviceAllow=\"/dev/sdx\" r\n");
    service_says("emulate-x86",
                 VM(", \"disks\": [{\"file\": \"/none/a\", \"block_device\": true}]"),
                 "PrivateDevices=yes\nDeviceAllow=block-* rw\nBindPaths=\"-/none/a\"");
}
END_TEST

START_TEST(network_and_rights_are_confined) {
    service_says("kvm-linux", VM(""),
                 "PrivateNetwork=yes\nRestrictAddressFamilies=AF_UNIX\n!IPAddress\n"
                 "MemoryDenyWriteExecute=yes\nNoNewPrivileges=yes\nRestrictSUIDSGID=yes\n"
                 "CapabilityBoundingSet=\n!LimitMEMLOCK");
    service_says("emulate-x86", VM(", \"nics\": [{}]"),
                 "User=vm\n!PrivateNetwork\nRestrictAddressFamilies=AF_UNIX AF_INET AF_INET6\n"
                 "!MemoryDenyWriteExecute\nCapabilityBoundingSet=\n"
                 "IPAddressDeny=localhost link-local\nIPAddressAllow=127.0.0.53 127.0.0.54\n"
                 "BindReadOnlyPaths=-/etc/resolv.conf");
    service_says("emulate-x86", VM(", \"nics\": [{\"isolated\": true}]"), "PrivateNetwork=yes");
    service_says("emulate-x86",
                 VM(", \"display\": \"vnc\", \"vnc_port\": 5900, \"vnc_no_password\": true"),
                 "!PrivateNetwork\nIPAddressDeny=any\nIPAddressAllow=localhost");
    service_says("emulate-x86",
                 VM(", \"nics\": [{\"forwards\": [{\"host_port\": 1, \"guest_port\": 1}]}]"),
                 "!PrivateNetwork\nIPAddressDeny=link-local\n!IPAddressAllow");
    service_says("emulate-x86",
                 VM(", \"nics\": [{\"isolated\": true, \"forwards\": [{\"host_address\": "
                    "\"0.0.0.0\", \"host_port\": 1, \"guest_port\": 1}]}]"),
                 "!PrivateNetwork\nIPAddressDeny=link-local\n!IPAddressAllow");
    service_says("emulate-x86", VM(", \"nics\": [{\"backend\": \"tap\", \"ifname\": \"tap0\"}]"),
                 "!PrivateNetwork\nIPAddressDeny=any\nPrivateUsers=yes\nCapabilityBoundingSet=\n"
                 "DeviceAllow=\"/dev/net/tun\" rw");
    service_says(
        "emulate-x86",
        VM(", \"sandbox\": false, \"nics\": [{\"backend\": \"bridge\", \"bridge\": \"br0\"}]"),
        "# This service can become root\n!NoNewPrivileges\n!SystemCall\n!Restrict\n"
        "!PrivateDevices\n!ProtectKernel\n!ProtectClock\n!ProtectHostname\n"
        "DevicePolicy=closed\nReadOnlyPaths=/sys\n"
        "CapabilityBoundingSet=CAP_SETGID CAP_SETPCAP CAP_SETUID CAP_NET_ADMIN\n"
        "!PrivateUsers\n!PrivateNetwork\nDeviceAllow=\"/dev/net/tun\" rw\n"
        "BindReadOnlyPaths=-/etc/qemu");
    service_says("emulate-x86",
                 VM(", \"sandbox\": false, \"nics\": [{\"backend\": \"bridge\", \"bridge\": "
                    "\"br0\", \"helper\": "
                    "\"/opt/q/libexec/h\"}]"),
                 "BindReadOnlyPaths=\"-/opt/q\"");
    service_says("emulate-x86", VM(", \"hugepages\": \"2M\""), "LimitMEMLOCK=infinity");
}
END_TEST

START_TEST(root_is_said_to_be_root) {
    service_says("kvm-linux", "{\"name\": \"web\", \"user\": \"root\"}",
                 "User=root\n# QEMU is root\n!PrivateUsers\nTemporaryFileSystem=/:ro\n"
                 "CapabilityBoundingSet=CAP_DAC_OVERRIDE CAP_DAC_READ_SEARCH");
    service_says("kvm-linux", "{\"name\": \"web\", \"user\": \"00\"}",
                 "# QEMU is root\n!PrivateUsers\n"
                 "CapabilityBoundingSet=CAP_DAC_OVERRIDE CAP_DAC_READ_SEARCH");
    service_says("emulate-x86",
                 "{\"name\": \"web\", \"user\": \"0\", \"nics\": [{\"backend\": \"tap\", "
                 "\"ifname\": \"tap0\"}], \"shares\": [{\"path\": \"/srv\", \"tag\": \"a\", "
                 "\"writable\": true}]}",
                 "!PrivateNetwork\n!RestrictSUIDSGID\nBindPaths=\"-/srv\"\n"
                 "CapabilityBoundingSet=CAP_DAC_OVERRIDE CAP_DAC_READ_SEARCH CAP_CHOWN CAP_FOWNER "
                 "CAP_FSETID CAP_NET_ADMIN");
}
END_TEST

static void unit_says(const char *json, size_t index, const char *lines) {
    vqemu_units *unit = build_units("emulate-x86", json, NULL, 0);
    _cleanup_free_ char *copy = strdup(lines);
    char *next = NULL;
    for (char *line = strtok_r(copy, "\n", &next); line; line = strtok_r(NULL, "\n", &next)) {
        bool expected = line[0] != '!';
        ck_assert_msg(has_line(vqemu_units_text(unit, index), line + !expected) == expected,
                      "%s in:\n%s", line, vqemu_units_text(unit, index));
    }
    vqemu_units_free(unit);
}

START_TEST(companions_are_the_users_too) {
    const char *with_tpm = VM(", \"tpm\": true, \"tpm_state\": \"/srv/tpms/web\"");
    const char *with_share = VM(", \"rootfs\": \"/srv/web\", \"rootfs_driver\": \"virtiofs\"");
    unit_says(with_tpm, 1,
              "SocketMode=0666\n!SocketUser\nUser=vm\nRuntimeDirectory=volt/web\n"
              "RuntimeDirectoryMode=0700\nRuntimeDirectoryPreserve=yes\nExecStartPre=:/bin/true");
    unit_says(with_tpm, 2,
              "User=vm\nBindPaths=\"-/srv/tpms/web\"\n!BindPaths=\"-/srv/tpms\"\nPrivateUsers=yes\n"
              "CapabilityBoundingSet=\n");
    unit_says(with_share, 2,
              "User=vm\nExecStart=:/usr/libexec/virtiofsd --fd=3 --rlimit-nofile=0 -o "
              "source=/srv/web --sandbox=none\nBindReadOnlyPaths=\"-/srv/web\"\nPrivateUsers=yes\n"
              "CapabilityBoundingSet=\nRestrictNamespaces=yes\n");
    unit_says("{\"name\": \"web\", \"user\": \"root\", \"tpm\": true}", 1,
              "SocketMode=0600\n!ExecStartPre");
    unit_says(VM(", \"virtiofsd_root\": true, \"rootfs\": \"/srv/web\", \"rootfs_driver\": "
                 "\"virtiofs\""),
              2,
              "!User=\n# virtiofsd is root\nExecStart=:/usr/libexec/virtiofsd --fd=3 "
              "--rlimit-nofile=0 -o source=/srv/web\nBindReadOnlyPaths=\"-/srv/web\"\n"
              "!PrivateUsers\nDevicePolicy=closed");
}
END_TEST

START_TEST(extra_arguments_may_use_anything) {
    service_says(
        "kvm-linux", VM(", \"extra_args\": [\"-snapshot\"]"),
        "# extra_args can make QEMU use "
        "anything\n!TemporaryFileSystem\n!PrivateTmp\n!PrivateDevices\n!DevicePolicy\n"
        "!PrivateNetwork\n!RestrictAddressFamilies\n!CapabilityBoundingSet\n!ProtectClock\n"
        "!MemoryDenyWriteExecute\nProtectKernelTunables=yes\nNoNewPrivileges=yes");
    service_says("kvm-linux", VM(", \"extra_args\": [\"-snapshot\"], \"sandbox\": false"),
                 "!NoNewPrivileges\n!SystemCallFilter\nReadOnlyPaths=/sys");
}
END_TEST

START_TEST(paths_are_quoted_for_lists) {
    static const struct {
        const char *path, *word;
    } cases[] = {
        {"/a", "\"/a\""},
        {"/a \"b\"\\%c", "\"/a \\\"b\\\"\\\\%%c\""},
        {"/\xc3\xbc", "\"/\xc3\xbc\""},
        {"/..a", "\"/..a\""},
        {"/a\n", NULL},
        {"/a\x7f", NULL},
        {"/\xff", NULL},
        {"/\xef\xbf\xbf", NULL},
        {"/a/../b", NULL},
        {"/a/..", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        _cleanup_strbuf_ struct strbuf line = {0};
        ck_assert_int_eq(unit_add_path(&line, cases[i].path), cases[i].word != NULL);
        if (cases[i].word)
            ck_assert_str_eq(line.text, cases[i].word);
        else
            ck_assert_uint_eq(line.length, 0);
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("unit");
    TCase *tests = tcase_create("unit");
    tcase_add_test(tests, names_and_texts_come_in_pairs);
    tcase_add_test(tests, a_name_cannot_pretend_to_be_another);
    tcase_add_test(tests, a_unit_that_systemd_cannot_read_is_refused);
    tcase_add_test(tests, what_a_unit_cannot_do_is_refused);
    tcase_add_test(tests, what_a_companion_cannot_be_given_is_refused);
    tcase_add_test(tests, stopping_asks_the_helper);
    tcase_add_test(tests, options_name_and_place_the_units);
    tcase_add_test(tests, directories_elsewhere_are_the_callers);
    tcase_add_test(tests, bad_options_are_refused);
    tcase_add_test(tests, options_are_checked_when_they_are_set);
    tcase_add_test(tests, a_time_for_stopping_needs_a_command);
    tcase_add_test(tests, nothing_crashes_without_units);
    tcase_add_test(tests, the_directories_are_made_by_systemd_where_it_can);
    tcase_add_test(tests, only_what_is_used_is_in_sight);
    tcase_add_test(tests, what_a_unit_cannot_name_is_refused);
    tcase_add_test(tests, sockets_are_made_in_the_directories_of_the_vm);
    tcase_add_test(tests, devices_are_confined);
    tcase_add_test(tests, network_and_rights_are_confined);
    tcase_add_test(tests, root_is_said_to_be_root);
    tcase_add_test(tests, companions_are_the_users_too);
    tcase_add_test(tests, extra_arguments_may_use_anything);
    tcase_add_test(tests, paths_are_quoted_for_lists);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
