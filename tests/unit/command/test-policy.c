/* SPDX-License-Identifier: MIT */
/* What a policy allows and denies of a VM. */
#include "command/policy.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "choice/selection.h"
#include "command/command.h"
#include "command/policy-rules.h"
#include "document.h"
#include "fixture.h"
#include "run.h"
#include "tree/runtime.h"
#include "vm/disk.h"
#include "vm/nic.h"
#include "vm/share.h"
#include "vm/vm.h"

static vqemu_runtime *runtime;
static vqemu_command_options *options;

static void make_all(void) {
    make_scratch();
    _cleanup_selection_ vqemu_selection *selection = select_profile("emulate-x86", "x86_64");
    runtime = runtime_at(selection, runtime_paths("/t/qemu", "/t/firmware", NULL, NULL, NULL));
    ck_assert_int_eq(vqemu_command_options_new(&options, NULL), 0);
}

static void free_all(void) {
    vqemu_command_options_free(options);
    vqemu_runtime_unref(runtime);
    remove_scratch();
}

static vqemu_policy *read_policy(const char *text) {
    vqemu_policy *policy = NULL;
    _cleanup_error_ vqemu_error *error = NULL;
    int r = vqemu_policy_from_json(text, strlen(text), NULL, 0, &policy, &error);
    ck_assert_msg(r == 0, "%s", vqemu_error_message(error));
    return policy;
}

/* "@" in a text stands for the scratch directory. */
static char *at_scratch(const char *text) {
    struct strbuf whole = {0};
    for (; *text; text++) {
        if (*text == '@')
            strbuf_add(&whole, scratch);
        else
            strbuf_add_char(&whole, *text);
    }
    return strbuf_take(&whole);
}

static int build_under(const char *policy_text, const char *vm_text, vqemu_error **error) {
    _cleanup_free_ char *policy_json = at_scratch(policy_text), *vm_json = at_scratch(vm_text);
    _cleanup_policy_ vqemu_policy *policy = read_policy(policy_json);
    _cleanup_vm_ vqemu_vm *vm = read_vm(vm_json);
    run_firmware_alone(vm);
    _cleanup_command_ vqemu_command *command = NULL;
    ck_assert_int_eq(vqemu_command_options_set_policy(options, policy, NULL), 0);
    int r = vqemu_command_build(runtime, vm, options, 0, NULL, &command, error);
    ck_assert_int_eq(!command, r < 0);
    return r;
}

static void allows(const char *policy, const char *vm) {
    _cleanup_error_ vqemu_error *error = NULL;
    int r = build_under(policy, vm, &error);
    ck_assert_msg(r == 0, "%s\n%s\n%s", policy, vm, vqemu_error_message(error));
}

static void denies(const char *policy, const char *vm, const char *key, const char *reason) {
    _cleanup_error_ vqemu_error *error = NULL;
    int r = build_under(policy, vm, &error);
    ck_assert_msg(r == VQEMU_ERR_DENIED, "%d of %s\n%s\n%s", r, policy, vm,
                  vqemu_error_message(error));
    const char *message = vqemu_error_message(error);
    ck_assert_msg(strcmp(vqemu_error_detail(error, "key"), key) == 0, "%s", message);
    ck_assert_msg(strcmp(vqemu_error_reason(error), reason) == 0, "%s, not %s: %s", reason,
                  vqemu_error_reason(error), message);
    ck_assert_ptr_nonnull(vqemu_error_detail(error, "rule"));
    ck_assert_ptr_nonnull(strstr(vqemu_error_detail(error, "keys"), key));
}

/* ---- every key ---- */

static const struct object_type *const types[] = {&vm_type,    &disk_type, &layer_type,
                                                  &share_type, &nic_type,  &forward_type};

START_TEST(each_key_of_a_vm_has_a_reach) {
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        for (size_t j = 0; j < types[i]->count; j++) {
            const struct property *property = &types[i]->properties[j];
            ck_assert_msg(property->reach != REACH_UNSAID,
                          "%s of a %s: say what it reaches (enum property_reach), so that "
                          "policies can deny it",
                          property->key, types[i]->noun);
            ck_assert_msg(property->reach != REACH_RULE || policy_has_rule(types[i], property->key),
                          "%s of a %s: there is no rule for it in policy-rules.c", property->key,
                          types[i]->noun);
            bool is_path = property->kind == PROPERTY_PATH || property->kind == PROPERTY_SOCKET;
            ck_assert_msg(!is_path ||
                              (property->reach != REACH_NOTHING && property->reach != REACH_RULE),
                          "%s of a %s is a path of the host", property->key, types[i]->noun);
            ck_assert_msg(!property->is_descriptor || property->reach == REACH_DESCRIPTOR,
                          "%s of a %s is a descriptor", property->key, types[i]->noun);
        }
    }
}
END_TEST

/* A VM that uses a key, which nothing but the key's own rule of the policy denies. */
static const struct use {
    const char *key, *vm, *reason;
    const char *allowed; /* by this */
} uses[] = {
    {"name", "{\"name\":\"x\"}", "policy-value", "{\"name_prefix\":\"x\"}"},
    {"user", "{\"name\":\"x\",\"user\":\"u\"}", "policy-value", "{\"users\":[\"v\",\"u\"]}"},
    {"state_dir", "{\"name\":\"x\",\"state_dir\":\"@/s\"}", "policy-path",
     "{\"write_paths\":[\"@\"]}"},
    {"runtime_dir", "{\"name\":\"x\",\"runtime_dir\":\"@/r\"}", "policy-path",
     "{\"write_paths\":[\"@\"]}"},
    {"memory", "{\"name\":\"x\",\"memory\":512}", "policy-maximum", "{\"max_memory\":512}"},
    {"cpus", "{\"name\":\"x\",\"cpus\":4}", "policy-maximum", "{\"max_cpus\":4}"},
    {"cpus", "{\"name\":\"x\",\"cpu_sockets\":3}", "policy-maximum", "{\"max_cpus\":3}"},
    {"cpus", "{\"name\":\"x\",\"cpu_cores\":3}", "policy-maximum", "{\"max_cpus\":3}"},
    {"cpus", "{\"name\":\"x\",\"cpu_threads\":3}", "policy-maximum", "{\"max_cpus\":3}"},
    {"disks", "{\"name\":\"x\",\"disks\":[{\"cdrom\":true},{\"cdrom\":true}]}", "policy-maximum",
     "{\"max_disks\":2}"},
    {"nics",
     "{\"name\":\"x\",\"nics\":[{\"isolated\":true},{\"isolated\":true},{\"isolated\":true}]}",
     "policy-maximum", "{\"max_nics\":3}"},
    {"hugepages", "{\"name\":\"x\",\"hugepages\":\"2M\"}", "policy-switch", "{\"hugepages\":true}"},
    {"vsock_cid", "{\"name\":\"x\",\"vsock_cid\":3}", "policy-switch", "{\"vsock\":true}"},
    {"tpm_socket", "{\"name\":\"x\",\"tpm\":true,\"tpm_socket\":\"/s/t\"}", "policy-path", NULL},
    {"tpm_state", "{\"name\":\"x\",\"tpm\":true,\"tpm_state\":\"@/t\"}", "policy-path",
     "{\"write_paths\":[\"@\"]}"},
    {"swtpm_program", "{\"name\":\"x\",\"tpm\":true,\"swtpm_program\":\"/bin/sh\"}",
     "policy-switch", "{\"programs\":true}"},
    {"vnc_socket", "{\"name\":\"x\",\"display\":\"vnc\",\"vnc_socket\":\"@/v\"}", "policy-path",
     "{\"sockets\":[\"@\"]}"},
    {"vnc_password_file", "{\"name\":\"x\",\"display\":\"vnc\",\"vnc_password_file\":\"@/secret\"}",
     "policy-path", "{\"read_paths\":[\"@\"]}"},
    {"console", "{\"name\":\"x\",\"console\":\"file\"}", "policy-switch",
     "{\"console_file\":true}"},
    {"console_log", "{\"name\":\"x\",\"console_log\":\"/run/volt/x/log\"}", "policy-switch",
     "{\"console_file\":true}"},
    {"console_path", "{\"name\":\"x\",\"console\":\"socket\",\"console_path\":\"@/c\"}",
     "policy-path", "{\"sockets\":[\"@\"]}"},
    {"qmp_socket", "{\"name\":\"x\",\"qmp_socket\":\"@/q\"}", "policy-path",
     "{\"sockets\":[\"@\"]}"},
    {"nics",
     "{\"name\":\"x\",\"console\":\"pty\",\"nics\":[{\"isolated\":true},{\"isolated\":true}]}",
     "policy-maximum", "{}"},
    {"qmp_fd", "{\"name\":\"x\",\"qmp_fd\":7}", "policy-switch", "{\"descriptors\":true}"},
    {"guest_agent_socket", "{\"name\":\"x\",\"guest_agent_socket\":\"@/a\"}", "policy-path",
     "{\"sockets\":[\"@\"]}"},
    {"sandbox", "{\"name\":\"x\",\"sandbox\":false}", "policy-switch", "{\"sandbox_off\":true}"},
    {"extra_args", "{\"name\":\"x\",\"extra_args\":[\"-S\"]}", "policy-switch",
     "{\"extra_args\":true}"},
    {"disks[0].file", "{\"name\":\"x\",\"disks\":[{\"file\":\"@/d\"}]}", "policy-path",
     "{\"write_paths\":[\"@\"]}"},
    {"disks[0].fd", "{\"name\":\"x\",\"disks\":[{\"fd\":3}]}", "policy-switch",
     "{\"descriptors\":true}"},
    {"disks[0].format",
     "{\"name\":\"x\",\"disks\":[{\"file\":\"/run/volt/x/d\",\"format\":\"qcow2\"}]}",
     "policy-switch", "{\"qcow2\":true}"},
    {"console_monitor", "{\"name\":\"x\",\"console_monitor\":true}", "policy-switch",
     "{\"console_monitor\":true}"},
    {"disks[0].backing[0].file",
     "{\"name\":\"x\",\"disks\":[{\"file\":\"/run/volt/x/d\",\"format\":\"qcow2\","
     "\"backing\":[{\"file\":\"@/b\"}]}]}",
     "policy-path", "{\"qcow2\":true,\"read_paths\":[\"@\"]}"},
    {"disks[0].data_file",
     "{\"name\":\"x\",\"disks\":[{\"file\":\"/run/volt/x/d\",\"format\":\"qcow2\","
     "\"data_file\":\"@/b\"}]}",
     "policy-path", "{\"qcow2\":true,\"write_paths\":[\"@\"]}"},
    {"vnc_no_password",
     "{\"name\":\"x\",\"display\":\"vnc\",\"vnc_port\":5900,\"vnc_no_password\":true}",
     "policy-switch", "{\"vnc_no_password\":true,\"vnc_ports\":[{\"first\":5900,\"last\":5900}]}"},
    {"nics[0].isolated", "{\"name\":\"x\",\"nics\":[{}]}", "policy-switch",
     "{\"user_network\":\"host\"}"},
    {"nics[0].bridge", "{\"name\":\"x\",\"nics\":[{\"backend\":\"bridge\",\"bridge\":\"br0\"}]}",
     "policy-value", "{\"bridges\":[\"br1\",\"br0\"]}"},
    {"nics[0].ifname", "{\"name\":\"x\",\"nics\":[{\"backend\":\"tap\",\"ifname\":\"vm7\"}]}",
     "policy-value", "{\"taps\":[\"vm*\"]}"},
    {"nics[0].fd", "{\"name\":\"x\",\"nics\":[{\"backend\":\"tap\",\"fd\":3}]}", "policy-switch",
     "{\"descriptors\":true}"},
};

#define USE_COUNT (sizeof uses / sizeof *uses)

START_TEST(each_use_has_its_own_rule) {
    const struct use *use = &uses[_i];
    const char *const tightest =
        "{\"name_prefix\":\"no-such\",\"max_memory\":256,\"max_cpus\":1,\"max_disks\":1,"
        "\"max_nics\":1}";
    bool is_maximum = strcmp(use->reason, "policy-maximum") == 0 || strcmp(use->key, "name") == 0;
    const char *const beside = strcmp(use->key, "disks[0].backing[0].file") == 0 ||
                                       strcmp(use->key, "disks[0].data_file") == 0
                                   ? "{\"qcow2\":true}"
                               : strcmp(use->key, "vnc_no_password") == 0
                                   ? "{\"vnc_ports\":[{\"first\":1,\"last\":65535}]}"
                                   : "{}";
    denies(is_maximum && strcmp(use->key, "name") != 0
               ? "{\"max_memory\":256,\"max_cpus\":1,\"max_disks\":1,\"max_nics\":1}"
           : is_maximum ? tightest
                        : beside,
           use->vm, use->key, use->reason);
    if (use->allowed)
        allows(use->allowed, use->vm);
}
END_TEST

/* ---- paths ---- */

static void make_link(const char *target, const char *path) {
    _cleanup_free_ char *place = scratch_path(path), *to = at_scratch(target);
    ck_assert_int_eq(symlink(to, place), 0);
}

static void make_directory(const char *path) {
    _cleanup_free_ char *place = scratch_path(path);
    ck_assert_int_eq(mkdir(place, 0755), 0);
}

static void disk_is(const char *policy, const char *file, bool read_only, const char *reason) {
    _cleanup_free_ char *vm =
        format_string("{\"name\":\"x\",\"disks\":[{\"file\":\"%s\",\"read_only\":%s}]}", file,
                      read_only ? "true" : "false");
    if (reason)
        denies(policy, vm, "disks[0].file", reason);
    else
        allows(policy, vm);
}

START_TEST(a_link_may_not_lead_out) {
    const char *const policy = "{\"write_paths\":[\"@/in\"]}";
    make_directory("in");
    make_directory("in/sub");
    make_directory("out");
    write_file("in/disk", "", 0644);
    write_file("out/disk", "", 0644);
    make_link("sub/../disk", "in/inside");
    make_link("@/out/disk", "in/absolute");
    make_link("../out/disk", "in/relative");
    make_link("../out", "in/directory");
    make_link("@/nowhere", "in/dangling");
    make_link("nowhere", "in/sub/dangling");
    disk_is(policy, "@/in/disk", false, NULL);
    disk_is(policy, "@/in/inside", false, NULL);
    disk_is(policy, "@/in//.//disk", false, NULL);
    disk_is(policy, "@/in/not-yet", false, NULL);
    disk_is(policy, "@/in/sub/not/yet", false, NULL);
    disk_is(policy, "@/in/absolute", false, "policy-escape");
    disk_is(policy, "@/in/relative", false, "policy-escape");
    disk_is(policy, "@/in/directory/disk", false, "policy-escape");
    disk_is(policy, "@/in/directory/not-yet", false, "policy-escape");
    disk_is(policy, "@/in/dangling", false, "policy-escape");
    disk_is(policy, "@/in/sub/dangling", false, "policy-escape");
    disk_is(policy, "@/in/sub/dangling/more", false, "policy-escape");
    disk_is(policy, "@/inside", false, "policy-path");
    disk_is(policy, "@/out/disk", false, "policy-path");
}
END_TEST

START_TEST(what_may_be_read_may_not_be_written) {
    write_file("image", "", 0644);
    disk_is("{\"read_paths\":[\"@\"]}", "@/image", true, NULL);
    disk_is("{\"read_paths\":[\"@\"]}", "@/image", false, "policy-path");
    disk_is("{\"write_paths\":[\"@\"]}", "@/image", true, NULL);
    disk_is("{\"read_paths\":[\"@/image\"]}", "@/image", true, NULL);
    disk_is("{\"read_paths\":[\"/\"]}", "@/image", true, NULL);
    disk_is("{\"read_paths\":[\"@/im\"]}", "@/image", true, "policy-path");
}
END_TEST

START_TEST(what_cannot_be_told_is_denied) {
    make_directory("in");
    disk_is("{\"write_paths\":[\"@/gone\"]}", "@/gone/disk", false, "policy-unclear");
    write_file("in/file", "", 0644);
    disk_is("{\"write_paths\":[\"@/in\"]}", "@/in/file/disk", false, "policy-unclear");
}
END_TEST

START_TEST(own_directories_need_no_word_but_no_link_leads_out_of_them) {
    make_directory("vms");
    make_directory("vms/x");
    _cleanup_free_ char *base = scratch_path("vms");
    ck_assert_int_eq(vqemu_command_options_set_string(options, "state_base", base, NULL), 0);
    make_link("/etc/passwd", "vms/x/link");
    disk_is("{}", "@/vms/x/disk", false, NULL);
    disk_is("{}", "@/vms/x/link", false, "policy-escape");
    disk_is("{}", "@/vms/y/disk", false, "policy-path");
    disk_is("{}", "/run/volt/x/disk", false, NULL);
    disk_is("{}", "/run/volt/xy/disk", false, "policy-path");
    denies("{\"share_9p\":true}",
           "{\"name\":\"x\",\"shares\":[{\"path\":\"@/vms/x\",\"tag\":\"t\"}]}", "shares[0].path",
           "policy-path");
}
END_TEST

START_TEST(devices_are_named_one_by_one) {
    make_directory("in");
    disk_is("{\"write_paths\":[\"/\"]}", "/dev/null", false, "policy-path");
    disk_is("{\"write_paths\":[\"/dev\"]}", "/dev/null", false, "policy-path");
    disk_is("{\"devices\":[\"/dev/null\"]}", "/dev/null", false, NULL);
    disk_is("{\"devices\":[\"/dev\"]}", "/dev/null", false, NULL);
    disk_is("{\"devices\":[\"/dev/nul\"]}", "/dev/null", false, "policy-path");
    _cleanup_free_ char *link = scratch_path("in/link");
    ck_assert_int_eq(symlink("/proc/self/fd/0", link), 0);
    disk_is("{\"write_paths\":[\"@/in\"]}", "@/in/link", false, "policy-escape");
    _cleanup_free_ char *node = scratch_path("in/node");
    if (mknod(node, S_IFCHR | 0600, (dev_t)(1 << 8 | 3)) == 0) {
        disk_is("{\"write_paths\":[\"@/in\"]}", "@/in/node", false, "policy-path");
        disk_is("{\"write_paths\":[\"@/in\"],\"devices\":[\"@/in/node\"]}", "@/in/node", false,
                NULL);
    }
}
END_TEST

/* ---- shares and ports ---- */

START_TEST(shares_have_rules_of_their_own) {
    const char *const share =
        "{\"name\":\"x\",\"shares\":[{\"path\":\"@\",\"tag\":\"t\",\"driver\":\"%s\"%s}]}";
    const struct {
        const char *driver, *more, *policy, *key, *reason;
    } cases[] = {
        {"9p", "", "{\"share_9p\":true,\"read_paths\":[\"@\"]}", NULL, NULL},
        {"9p", "", "{\"share_virtiofs\":true,\"read_paths\":[\"@\"]}", "shares[0].driver",
         "policy-switch"},
        {"9p", "", "{\"share_9p\":true}", "shares[0].path", "policy-path"},
        {"virtiofs", "", "{\"share_9p\":true,\"read_paths\":[\"@\"]}", "shares[0].driver",
         "policy-switch"},
        {"virtiofs", "", "{\"share_virtiofs\":true,\"read_paths\":[\"@\"]}", NULL, NULL},
        {"virtiofs", ",\"writable\":true", "{\"share_virtiofs\":true,\"read_paths\":[\"@\"]}",
         "shares[0].path", "policy-path"},
        {"virtiofs", ",\"socket\":\"@/s\"", "{\"share_virtiofs\":true,\"write_paths\":[\"@\"]}",
         "shares[0].socket", "policy-path"},
        {"9p", ",\"writable\":true,\"security_model\":\"passthrough\"",
         "{\"share_9p\":true,\"write_paths\":[\"@\"]}", "shares[0].security_model",
         "policy-switch"},
        {"9p", ",\"writable\":true,\"security_model\":\"mapped-file\"",
         "{\"share_9p\":true,\"write_paths\":[\"@\"]}", NULL, NULL},
        {"9p", "", "{\"share_9p\":true,\"read_paths\":[\"@\"],\"max_shares\":1}", NULL, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct strbuf text = {0};
        strbuf_addf(&text, share, cases[i].driver, cases[i].more);
        _cleanup_free_ char *vm = strbuf_take(&text);
        if (cases[i].reason)
            denies(cases[i].policy, vm, cases[i].key, cases[i].reason);
        else
            allows(cases[i].policy, vm);
    }
    denies("{\"share_virtiofs\":true,\"read_paths\":[\"/\"]}", "{\"name\":\"x\",\"rootfs\":\"/r\"}",
           "rootfs_driver", "policy-switch");
    denies("{\"share_9p\":true}", "{\"name\":\"x\",\"rootfs\":\"/r\"}", "rootfs", "policy-path");
    denies("{\"share_9p\":true,\"read_paths\":[\"/\"],\"max_shares\":1}",
           "{\"name\":\"x\",\"rootfs\":\"/r\",\"shares\":[{\"path\":\"/q\",\"tag\":\"q\"}]}",
           "shares", "policy-maximum");
    denies("{\"share_virtiofs\":true,\"read_paths\":[\"/\"]}",
           "{\"name\":\"x\",\"virtiofsd_program\":\"/bin/sh\",\"rootfs\":\"/r\","
           "\"rootfs_driver\":\"virtiofs\"}",
           "virtiofsd_program", "policy-switch");
    denies("{\"share_virtiofs\":true,\"read_paths\":[\"/\"]}",
           "{\"name\":\"x\",\"virtiofsd_root\":true,\"rootfs\":\"/r\","
           "\"rootfs_driver\":\"virtiofs\"}",
           "virtiofsd_root", "policy-switch");
}
END_TEST

START_TEST(kernels_need_a_word_and_a_path) {
    const char *const vm = "{\"name\":\"x\",\"kernel\":\"@/k\",\"initrd\":\"@/i\"}";
    write_file("k", "", 0644);
    write_file("i", "", 0644);
    denies("{\"read_paths\":[\"@\"]}", vm, "kernel", "policy-switch");
    denies("{\"kernel\":true,\"read_paths\":[\"@/k\"]}", vm, "initrd", "policy-path");
    allows("{\"kernel\":true,\"read_paths\":[\"@/k\",\"@/i\"]}", vm);
}
END_TEST

START_TEST(ports_are_in_ranges) {
    const char *const policy =
        "{\"forwards\":[{\"first\":1,\"last\":1},{\"first\":8000,\"last\":8099},"
        "{\"host_address\":\"0.0.0.0\",\"first\":9000,\"last\":9000}],"
        "\"vnc_ports\":[{\"first\":5900,\"last\":5901}]}";
    const struct {
        const char *host;
        bool good;
    } cases[] = {
        {"\"host_port\":8000", true},
        {"\"host_port\":8099", true},
        {"\"host_port\":8100", false},
        {"\"host_port\":9000", false},
        {"\"host_port\":8000,\"host_address\":\"127.0.0.1\"", true},
        {"\"host_port\":8000,\"host_address\":\"0.0.0.0\"", false},
        {"\"host_port\":9000,\"host_address\":\"0.0.0.0\"", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        _cleanup_free_ char *vm = format_string(
            "{\"name\":\"x\",\"nics\":[{\"isolated\":true,\"forwards\":[{\"guest_port\":1,%s}]}]}",
            cases[i].host);
        if (cases[i].good)
            allows(policy, vm);
        else
            denies(policy, vm, "nics[0].forwards[0].host_port", "policy-value");
    }
    denies(policy, "{\"name\":\"x\",\"nics\":[{\"backend\":\"bridge\",\"bridge\":\"b\"}]}",
           "nics[0].bridge", "policy-value");
    denies("{\"user_network\":\"none\"}", "{\"name\":\"x\",\"nics\":[{\"isolated\":true}]}",
           "nics[0].backend", "policy-switch");
    denies("{\"bridges\":[\"b\"]}",
           "{\"name\":\"x\",\"nics\":[{\"backend\":\"bridge\",\"bridge\":\"b\",\"helper\":"
           "\"/bin/sh\"}]}",
           "nics[0].helper", "policy-switch");
}
END_TEST

/* ---- what is told ---- */

/* A kernel breaks the rule about kernels, and that about files. */
START_TEST(a_key_is_told_once) {
    _cleanup_error_ vqemu_error *error = NULL;
    ck_assert_int_eq(
        build_under("{}", "{\"name\":\"x\",\"kernel\":\"/k\",\"console_log\":\"/l\"}", &error),
        VQEMU_ERR_DENIED);
    ck_assert_str_eq(vqemu_error_detail(error, "keys"), "kernel, console_log");
}
END_TEST

START_TEST(all_keys_that_are_denied_are_told) {
    _cleanup_error_ vqemu_error *error = NULL;
    ck_assert_int_eq(build_under("{\"bridges\":[\"br0\"]}",
                                 "{\"name\":\"x\",\"sandbox\":false,\"extra_args\":[\"-S\"],"
                                 "\"nics\":[{\"backend\":\"bridge\",\"bridge\":\"br1\"}]}",
                                 &error),
                     VQEMU_ERR_DENIED);
    ck_assert_str_eq(vqemu_error_message(error),
                     "sandbox: the policy wants QEMU to confine itself; denied in all: sandbox, "
                     "extra_args, nics[0].bridge");
    ck_assert_str_eq(vqemu_error_detail(error, "keys"), "sandbox, extra_args, nics[0].bridge");
    ck_assert_str_eq(vqemu_error_detail(error, "rule"), "sandbox_off");
    ck_assert_str_eq(vqemu_error_detail(error, "value"), "false");
    ck_assert_int_eq(build_under("{\"bridges\":[\"br0\"]}",
                                 "{\"name\":\"x\",\"nics\":[{\"backend\":\"bridge\","
                                 "\"bridge\":\"br1\"}]}",
                                 &error),
                     VQEMU_ERR_DENIED);
    ck_assert_str_eq(vqemu_error_message(error), "nics[0].bridge: the policy does not allow the "
                                                 "bridge \"br1\"; it allows br0");
    ck_assert_str_eq(vqemu_error_detail(error, "choices"), "br0");
}
END_TEST

START_TEST(units_are_under_it_as_well) {
    _cleanup_policy_ vqemu_policy *policy = read_policy("{\"users\":[\"root\"]}");
    _cleanup_vm_ vqemu_vm *vm =
        read_vm("{\"name\":\"x\",\"user\":\"root\",\"firmware\":\"bios\",\"sandbox\":false}");
    _cleanup_error_ vqemu_error *error = NULL;
    vqemu_command_options *of_command = NULL;
    vqemu_units *units = NULL;
    ck_assert_int_eq(vqemu_command_options_new(&of_command, NULL), 0);
    ck_assert_int_eq(vqemu_units_build(runtime, vm, of_command, NULL, 0, NULL, &units, NULL), 0);
    vqemu_units_free(units);
    ck_assert_int_eq(vqemu_command_options_set_policy(of_command, policy, NULL), 0);
    ck_assert_int_eq(vqemu_units_build(runtime, vm, of_command, NULL, 0, NULL, &units, &error),
                     VQEMU_ERR_DENIED);
    ck_assert_str_eq(vqemu_error_detail(error, "key"), "sandbox");
    ck_assert_int_eq(vqemu_command_options_set_policy(of_command, NULL, NULL), 0);
    ck_assert_int_eq(vqemu_units_build(runtime, vm, of_command, NULL, 0, NULL, &units, NULL), 0);
    vqemu_units_free(units);
    vqemu_command_options_free(of_command);
}
END_TEST

/* ---- documents ---- */

START_TEST(a_policy_comes_out_as_it_went_in) {
    const char *const text =
        "{\n  \"users\": [\n    \"u\"\n  ],\n  \"read_paths\": [\n    \"/r\"\n  ],\n"
        "  \"kernel\": true,\n  \"share_9p\": false,\n  \"user_network\": \"host\",\n"
        "  \"forwards\": [\n    {\n      \"host_address\": \"0.0.0.0\",\n      \"first\": 1,\n"
        "      \"last\": 2\n    }\n  ],\n  \"max_memory\": 512\n}\n";
    _cleanup_policy_ vqemu_policy *policy = read_policy(text), *empty = read_policy("{}");
    _cleanup_free_ char *written = NULL, *nothing = NULL;
    ck_assert_int_eq(vqemu_policy_to_json(policy, 0, &written, NULL), 0);
    ck_assert_str_eq(written, text);
    ck_assert_int_eq(vqemu_policy_to_json(empty, 0, &nothing, NULL), 0);
    ck_assert_str_eq(nothing, "{}\n");
}
END_TEST

START_TEST(bad_policies_are_refused) {
    const struct {
        const char *text, *key;
        int code;
    } cases[] = {
        {"[]", NULL, VQEMU_ERR_MALFORMED},
        {"{\"read_path\":[]}", "read_path", VQEMU_ERR_UNKNOWN_KEY},
        {"{\"read_paths\":\"/\"}", "read_paths", VQEMU_ERR_MALFORMED},
        {"{\"read_paths\":[\"images\"]}", "read_paths[0]", VQEMU_ERR_INVALID},
        {"{\"write_paths\":[\"/a\",\"/a/../b\"]}", "write_paths[1]", VQEMU_ERR_INVALID},
        {"{\"devices\":[\"\"]}", "devices[0]", VQEMU_ERR_INVALID},
        {"{\"bridges\":[\"a/b\"]}", "bridges[0]", VQEMU_ERR_INVALID},
        {"{\"forwards\":[{\"first\":2,\"last\":1}]}", "forwards[0].last", VQEMU_ERR_INVALID},
        {"{\"forwards\":[{\"first\":2}]}", "forwards[0].last", VQEMU_ERR_INVALID},
        {"{\"kernel\":1}", "kernel", VQEMU_ERR_INVALID},
        {"{\"kernel\":true,\"max_disks\":0}", "max_disks", VQEMU_ERR_INVALID},
        {"{\"max_memory\":0}", "max_memory", VQEMU_ERR_INVALID},
        {"{\"user_network\":\"any\"}", "user_network", VQEMU_ERR_INVALID},
        {"{\"$schema\":\"policy.schema.json\",\"kernel\":null}", "kernel", VQEMU_ERR_INVALID},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        _cleanup_error_ vqemu_error *error = NULL;
        vqemu_policy *policy = NULL;
        int r = vqemu_policy_from_json(cases[i].text, strlen(cases[i].text), "p.json", 0, &policy,
                                       &error);
        ck_assert_msg(r == cases[i].code, "%s: %d, %s", cases[i].text, r,
                      vqemu_error_message(error));
        ck_assert_ptr_null(policy);
        ck_assert_int_eq(strncmp(vqemu_error_message(error), "p.json:", 7), 0);
        const char *key = vqemu_error_detail(error, "key");
        ck_assert_msg(cases[i].key ? key && strcmp(key, cases[i].key) == 0 : !key, "%s: %s",
                      cases[i].text, key ? key : "");
    }
}
END_TEST

START_TEST(a_file_is_read) {
    write_file("policy.json", "{\"max_cpus\": 2}", 0644);
    _cleanup_free_ char *path = scratch_path("policy.json"), *gone = scratch_path("gone.json");
    _cleanup_policy_ vqemu_policy *policy = NULL;
    ck_assert_int_eq(vqemu_policy_from_file(path, 0, &policy, NULL), 0);
    ck_assert_uint_eq(policy->max_cpus, 2);
    vqemu_policy *none = NULL;
    ck_assert_int_eq(vqemu_policy_from_file(gone, 0, &none, NULL), VQEMU_ERR_NOT_FOUND);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("policy");
    TCase *tests = tcase_create("policy");
    tcase_add_checked_fixture(tests, make_all, free_all);
    tcase_add_test(tests, each_key_of_a_vm_has_a_reach);
    tcase_add_loop_test(tests, each_use_has_its_own_rule, 0, USE_COUNT);
    tcase_add_test(tests, a_link_may_not_lead_out);
    tcase_add_test(tests, what_may_be_read_may_not_be_written);
    tcase_add_test(tests, what_cannot_be_told_is_denied);
    tcase_add_test(tests, own_directories_need_no_word_but_no_link_leads_out_of_them);
    tcase_add_test(tests, devices_are_named_one_by_one);
    tcase_add_test(tests, shares_have_rules_of_their_own);
    tcase_add_test(tests, kernels_need_a_word_and_a_path);
    tcase_add_test(tests, ports_are_in_ranges);
    tcase_add_test(tests, a_key_is_told_once);
    tcase_add_test(tests, all_keys_that_are_denied_are_told);
    tcase_add_test(tests, units_are_under_it_as_well);
    tcase_add_test(tests, a_policy_comes_out_as_it_went_in);
    tcase_add_test(tests, bad_policies_are_refused);
    tcase_add_test(tests, a_file_is_read);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
