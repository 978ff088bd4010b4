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
    vqemu_runtime *runtime = NULL;
    ck_assert_int_eq(vqemu_runtime_new(selection, "/t/bin/qemu", "/t/firmware", "/t/lib", NULL,
                                       "/t/lib/ld.so", &runtime, NULL),
                     0);
    return runtime;
}

static vqemu_vm *read_vm(const char *json) {
    _cleanup_error_ vqemu_error *error = NULL;
    vqemu_vm *vm = NULL;
    int r = vqemu_vm_from_json(json, strlen(json), "vm", &vm, &error);
    ck_assert_msg(r == 0, "%s", vqemu_error_message(error));
    return vm;
}

/* The units of a VM, as JSON, on a profile; the caller frees them. */
static vqemu_unit *build_units(const char *profile, const char *json, const char *helper,
                               uint32_t flags) {
    _cleanup_runtime_ vqemu_runtime *runtime = make_runtime(profile);
    _cleanup_vm_ vqemu_vm *vm = read_vm(json);
    _cleanup_error_ vqemu_error *error = NULL;
    vqemu_unit *unit = NULL;
    int r = vqemu_unit_build(runtime, vm, helper, flags, &unit, &error);
    ck_assert_msg(r == 0, "%s", vqemu_error_message(error));
    return unit;
}

static void is_refused(const char *json, const char *helper, uint32_t flags, int code,
                       const char *mentioned) {
    _cleanup_runtime_ vqemu_runtime *runtime = make_runtime("emulate-x86");
    _cleanup_vm_ vqemu_vm *vm = read_vm(json);
    _cleanup_error_ vqemu_error *error = NULL;
    vqemu_unit *unit = (vqemu_unit *)&error;
    ck_assert_int_eq(vqemu_unit_build(runtime, vm, helper, flags, &unit, &error), code);
    ck_assert_ptr_null(unit);
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
    vqemu_unit *unit = build_units(profile, json, "/usr/bin/volt-qemu", 0);
    const char *text = vqemu_unit_text(unit, 0);
    _cleanup_free_ char *copy = strdup(lines);
    char *next = NULL;
    for (char *line = strtok_r(copy, "\n", &next); line; line = strtok_r(NULL, "\n", &next)) {
        bool expected = line[0] != '!';
        ck_assert_msg(has_line(text, line + !expected) == expected, "%s in:\n%s", line, text);
    }
    vqemu_unit_free(unit);
}

START_TEST(names_and_texts_come_in_pairs) {
    vqemu_unit *unit = build_units("emulate-x86",
                                   "{\"name\": \"web\", \"tpm\": true, \"shares\": [{\"path\": "
                                   "\"/srv/a\", \"tag\": \"a\", \"driver\": \"virtiofs\"}]}",
                                   NULL, 0);
    static const char *const names[] = {"volt-web.service", "volt-virtiofsd@web-0.socket",
                                        "volt-virtiofsd@web-0.service", "volt-swtpm@web.socket",
                                        "volt-swtpm@web.service"};
    ck_assert_uint_eq(vqemu_unit_count(unit), 5);
    for (size_t i = 0; i < 5; i++) {
        ck_assert_str_eq(vqemu_unit_name(unit, i), names[i]);
        ck_assert_ptr_nonnull(strstr(vqemu_unit_text(unit, i), "Description=Volt VM: web"));
    }
    ck_assert_ptr_null(vqemu_unit_name(unit, 5));
    ck_assert_ptr_null(vqemu_unit_text(unit, 5));
    ck_assert_str_eq(vqemu_command_path(vqemu_unit_command(unit)), "/t/lib/ld.so");
    vqemu_unit_free(unit);
    vqemu_unit_free(NULL);
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
        _cleanup_vm_ vqemu_vm *vm = read_vm("{\"name\": \"x\"}");
        _cleanup_error_ vqemu_error *error = NULL;
        vqemu_unit *unit = NULL;
        memset(argument, 'x', cases[i].size);
        argument[cases[i].size] = '\0';
        for (size_t j = 0; j < cases[i].count; j++)
            ck_assert_int_eq(vqemu_vm_add_extra_arg(vm, argument, NULL), 0);
        int r = vqemu_unit_build(runtime, vm, NULL, 0, &unit, &error);
        ck_assert_int_eq(r, cases[i].message ? VQEMU_ERR_UNSUPPORTED : 0);
        if (cases[i].message)
            ck_assert_ptr_nonnull(strstr(vqemu_error_message(error), cases[i].message));
        vqemu_unit_free(unit);
    }
    free(argument);
}
END_TEST

START_TEST(what_a_unit_cannot_do_is_refused) {
    is_refused("{\"name\": \"x\"}", "volt-qemu", 0, VQEMU_ERR_INVALID, "no absolute path");
    is_refused("{\"name\": \"x\"}", NULL, 2, VQEMU_ERR_INVALID, "unknown flags 0x2");
    is_refused("{\"name\": \"x\", \"disks\": [{\"fd\": 7}]}", NULL, 0, VQEMU_ERR_UNSUPPORTED,
               "descriptor 7");
    is_refused("{\"name\": \"x\"}", NULL, VQEMU_UNIT_USER, VQEMU_ERR_INVALID,
               "runtime_dir: a user cannot write to /run/volt/x");
    is_refused("{\"name\": \"x\", \"user\": \"vm\", \"runtime_dir\": \"/run/user/1/x\"}", NULL,
               VQEMU_UNIT_USER, VQEMU_ERR_INVALID, "user: ");
    is_refused("{\"name\": \"x\", \"runtime_dir\": \"/run/user/1/x\", \"rootfs\": \"/a\", "
               "\"rootfs_driver\": \"virtiofs\"}",
               NULL, VQEMU_UNIT_USER, VQEMU_ERR_UNSUPPORTED, "cannot keep virtiofsd from writing");
}
END_TEST

START_TEST(what_a_companion_cannot_be_given_is_refused) {
    static const char *const paths[] = {"/a,b", "/a=b", "/a\\\\b"};
    for (size_t i = 0; i < 3; i++) {
        _cleanup_free_ char *json = format_string(
            "{\"name\": \"x\", \"rootfs\": \"%s\", \"rootfs_driver\": \"virtiofs\"}", paths[i]);
        is_refused(json, NULL, 0, VQEMU_ERR_UNSUPPORTED, "virtiofsd cannot be given the path /a");
    }
    is_refused("{\"name\": \"x\", \"tpm\": true, \"tpm_socket\": \"/run/a\\nb\"}", NULL, 0,
               VQEMU_ERR_UNSUPPORTED, "systemd cannot listen at /run/a");
}
END_TEST

#define VM(more) "{\"name\": \"web\"" more "}"

START_TEST(stopping_asks_the_helper) {
    service_says("emulate-x86", VM(""),
                 "ExecStop=-:/usr/bin/volt-qemu stop --timeout 90 /run/volt/web/unit.sock\n"
                 "KillMode=mixed\nTimeoutStopSec=150\nType=exec\nRestart=no\n"
                 "WantedBy=multi-user.target");
    vqemu_unit *unit = build_units("emulate-x86", VM(""), NULL, 0);
    ck_assert(!strstr(vqemu_unit_text(unit, 0), "ExecStop="));
    ck_assert(has_line(vqemu_unit_text(unit, 0), "TimeoutStopSec=30\n"));
    vqemu_unit_free(unit);
    unit = build_units("emulate-x86", VM(""), "/opt/a b'c/volt-qemu", 0);
    ck_assert(has_line(vqemu_unit_text(unit, 0),
                       "ExecStop=-:/usr/bin/env -- \"/opt/a b'c/volt-qemu\" stop "));
    vqemu_unit_free(unit);
}
END_TEST

START_TEST(the_directories_are_made_by_systemd_where_it_can) {
    service_says("emulate-x86", VM(""),
                 "RuntimeDirectory=volt/web\nRuntimeDirectoryMode=0700\n"
                 "!RuntimeDirectoryPreserve=\n!StateDirectory=");
    service_says("emulate-x86", VM(", \"runtime_dir\": \"/run/elsewhere\""),
                 "!RuntimeDirectory=\nReadWritePaths=\"-/run/elsewhere\"");
    service_says("emulate-x86", VM(", \"tpm\": true"),
                 "RuntimeDirectoryPreserve=yes\nStateDirectory=volt/vms/web\n"
                 "Requires=volt-swtpm@web.socket volt-swtpm@web.service\n"
                 "After=volt-swtpm@web.socket volt-swtpm@web.service");
    vqemu_unit *unit = build_units("emulate-x86", VM(", \"runtime_dir\": \"/run/user/7/volt/web\""),
                                   NULL, VQEMU_UNIT_USER);
    ck_assert(has_line(vqemu_unit_text(unit, 0), "RuntimeDirectory=volt/web\n"));
    ck_assert(has_line(vqemu_unit_text(unit, 0), "WantedBy=default.target\n"));
    ck_assert(!strstr(vqemu_unit_text(unit, 0), "Protect"));
    vqemu_unit_free(unit);
}
END_TEST

START_TEST(files_are_confined) {
    service_says("emulate-x86",
                 VM(", \"disks\": [{\"file\": \"/srv/a\"}, {\"file\": \"/srv/b\", \"read_only\": "
                    "true}], \"console_log\": \"/var/log/volt/web.log\""),
                 "ProtectSystem=strict\nReadWritePaths=\"-/srv/a\"\n!ReadWritePaths=\"-/srv/b\"\n"
                 "ReadWritePaths=\"-/var/log/volt\"\nProtectHome=yes\nPrivateTmp=yes\nUMask=0077");
    service_says("emulate-x86", VM(", \"disks\": [{\"file\": \"/home/me/a\"}]"),
                 "ProtectHome=read-only\nReadWritePaths=\"-/home/me/a\"\nPrivateTmp=yes");
    service_says("emulate-x86", VM(", \"kernel\": \"/tmp/vmlinuz\""),
                 "!PrivateTmp\nProtectHome=yes\nProtectSystem=strict");
    service_says("emulate-x86", VM(", \"kernel\": \"/usr/lib/modules/6/vmlinuz\""),
                 "!ProtectKernelModules");
    service_says("emulate-x86", VM(", \"disks\": [{\"file\": \"/srv/a\\nb/c\"}]"),
                 "ProtectSystem=strict\nReadWritePaths=\"-/srv\"");
    service_says("emulate-x86", VM(", \"disks\": [{\"file\": \"/a\\nb\"}]"),
                 "!ProtectSystem\n!ReadWritePaths");
    service_says("emulate-x86", VM(", \"disks\": [{\"file\": \"/none/../a\"}]"),
                 "!ProtectSystem\n!ReadWritePaths");
    service_says("emulate-x86", VM(", \"disks\": [{\"file\": \"/a \\\"\\\\%b\"}]"),
                 "ReadWritePaths=\"-/a \\\"\\\\%%b\"");
}
END_TEST

START_TEST(devices_are_confined) {
    service_says("emulate-x86", VM(""), "PrivateDevices=yes\n!DevicePolicy\n!DeviceAllow");
    service_says("kvm-linux", VM(", \"rng\": true"),
                 "!PrivateDevices\nDevicePolicy=closed\nDeviceAllow=\"/dev/kvm\" rw\n"
                 "!DeviceAllow=\"/dev/urandom\"\nProtectClock=yes");
    service_says("emulate-x86", VM(", \"disks\": [{\"file\": \"/dev/mapper/a b\"}]"),
                 "DeviceAllow=\"/dev/mapper/a b\" rw\n!ReadWritePaths");
    service_says("emulate-x86",
                 VM(", \"disks\": [{\"file\": \"/none/a\", \"block_device\": true}]"),
                 "!PrivateDevices\n!DevicePolicy\n!DeviceAllow\n!ProtectClock");
}
END_TEST

START_TEST(network_and_rights_are_confined) {
    service_says("kvm-linux", VM(""),
                 "PrivateNetwork=yes\nRestrictAddressFamilies=AF_UNIX\n"
                 "MemoryDenyWriteExecute=yes\nNoNewPrivileges=yes\nRestrictSUIDSGID=yes\n"
                 "CapabilityBoundingSet=CAP_DAC_OVERRIDE CAP_DAC_READ_SEARCH\n!LimitMEMLOCK");
    service_says("emulate-x86", VM(", \"user\": \"vm\", \"nics\": [{}]"),
                 "User=vm\n!PrivateNetwork\nRestrictAddressFamilies=AF_UNIX AF_INET AF_INET6\n"
                 "!MemoryDenyWriteExecute\nCapabilityBoundingSet=\n");
    service_says("emulate-x86",
                 VM(", \"nics\": [{\"backend\": \"tap\", \"ifname\": \"tap0\"}], \"shares\": "
                    "[{\"path\": \"/srv\", \"tag\": \"a\", \"writable\": true}]"),
                 "!PrivateNetwork\n!RestrictSUIDSGID\nReadWritePaths=\"-/srv\"\n"
                 "CapabilityBoundingSet=CAP_DAC_OVERRIDE CAP_DAC_READ_SEARCH CAP_CHOWN CAP_FOWNER "
                 "CAP_FSETID CAP_NET_ADMIN");
    service_says("emulate-x86", VM(", \"nics\": [{\"backend\": \"bridge\", \"bridge\": \"br0\"}]"),
                 "!NoNewPrivileges\n!SystemCall\n!Restrict\n!CapabilityBoundingSet\n"
                 "!PrivateNetwork\nProtectSystem=strict\nDeviceAllow=\"/dev/net/tun\" rw");
    service_says("emulate-x86", VM(", \"hugepages\": \"2M\""), "LimitMEMLOCK=infinity");
}
END_TEST

START_TEST(extra_arguments_may_use_anything) {
    service_says(
        "kvm-linux", VM(", \"extra_args\": [\"-snapshot\"]"),
        "!ProtectSystem\n!ProtectHome\n!PrivateTmp\n!PrivateDevices\n!DevicePolicy\n"
        "!PrivateNetwork\n!RestrictAddressFamilies\n!CapabilityBoundingSet\n!ProtectClock\n"
        "!MemoryDenyWriteExecute\nProtectKernelTunables=yes\nNoNewPrivileges=yes");
    service_says("kvm-linux", VM(", \"extra_args\": [\"-snapshot\"], \"sandbox\": false"),
                 "!NoNewPrivileges\n!SystemCallFilter\nProtectKernelTunables=yes");
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
    tcase_add_test(tests, a_unit_that_systemd_cannot_read_is_refused);
    tcase_add_test(tests, what_a_unit_cannot_do_is_refused);
    tcase_add_test(tests, what_a_companion_cannot_be_given_is_refused);
    tcase_add_test(tests, stopping_asks_the_helper);
    tcase_add_test(tests, the_directories_are_made_by_systemd_where_it_can);
    tcase_add_test(tests, files_are_confined);
    tcase_add_test(tests, devices_are_confined);
    tcase_add_test(tests, network_and_rights_are_confined);
    tcase_add_test(tests, extra_arguments_may_use_anything);
    tcase_add_test(tests, paths_are_quoted_for_lists);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
