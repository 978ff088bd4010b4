/* SPDX-License-Identifier: MIT */
/* What options ask for and a QEMU has not. What real ones have: tests/e2e/test_command_check.py. */
#include <limits.h>
#include <string.h>

#include <volt-qemu/volt-qemu.h>

#include "base/error.h"
#include "base/json.h"
#include "choice/selection.h"
#include "command/option-argument.h"
#include "command/command.h"
#include "command/option-text.h"
#include "util/similar.h"
#include "fixture.h"
#include "qemu/capabilities.h"
#include "run.h"
#include "tree/runtime.h"
#include "util/word.h"
#include "vm/vm.h"

/* ---- arguments ---- */

/* As they are said again. */
static void check_said(const char *option, const char *value, const char *expected) {
    _cleanup_strv_ struct strv arguments = {0}, said = {0};
    _cleanup_options_ struct options options = {0};
    strv_add(&arguments, option);
    strv_add(&arguments, value);
    argument_options(&arguments, &options);
    options_add_text(&options, &said);
    ck_assert_uint_eq(said.count, expected ? 2 : 0);
    if (expected)
        ck_assert_str_eq(said.items[1], expected);
}

START_TEST(arguments_are_options_as_far_as_they_are_known) {
    check_said("-device", "nvme,serial=a,,b,id=", "nvme,serial=a,,b,id=");
    check_said("--device", "driver=nvme,bootindex=1", "driver=nvme,bootindex=1");
    check_said("-M", "q35,hpet=off", "q35,hpet=off");
    check_said("-netdev", "user,restrict", "user,restrict=on");
    check_said("-device", "", "");
    check_said("-device", ",,", ",");
    check_said("-device", "{\"driver\": \"nvme\"}", "driver=nvme");
    check_said("-device", "{\"driver\"", NULL);
    check_said("-blockdev",
               "{\"driver\": \"x\", \"children\": [{\"driver\": \"y\"}, {}], \"z\": 1}",
               "driver=x,children.0.driver=y,z=1");
    check_said("-no-such-option", "nvme", NULL);
    check_said("-S", "-device", NULL); /* it has no value */
}
END_TEST

/* ---- commands ---- */

#define ALL                                                                                        \
    "volt-capabilities 5\n"                                                                        \
    "set 0 avx2 vmx\n"                                                                             \
    "set 1 dump-guest-core hpet vmport\n"                                                          \
    "accel tcg -\n"                                                                                \
    "cpu max 0\n"                                                                                  \
    "device gone ?\tbroken=yes\t\n"                                                                \
    "device inner ?\tpluggable=no\t\n"                                                             \
    "device known ?\n"                                                                             \
    "machine pc-q35-7.2 1\tmax-cpus=4\t\n"                                                         \
    "machine q35 -\talias-of=pc-q35-7.2\t\n"                                                       \
    "option sandbox ?\n"                                                                           \
    "option tpmdev ?\n"                                                                            \
    "qemu 7.2.0 -\n"                                                                               \
    "tpm passthrough ?\n"

static void check_refused(const char *capabilities, const char *document, const char *reason,
                          const char *key) {
    _cleanup_capabilities_ vqemu_capabilities *told = NULL;
    _cleanup_error_ vqemu_error *error = NULL;
    _cleanup_vm_ vqemu_vm *vm = NULL;
    _cleanup_command_ vqemu_command *command = NULL;
    _cleanup_selection_ vqemu_selection *selection = select_profile("emulate-x86", "x86_64");
    _cleanup_runtime_ vqemu_runtime *runtime =
        runtime_at(selection, runtime_paths("/t/bin/qemu", "/t/firmware", NULL, NULL, NULL));
    vqemu_command_options *options = NULL;
    ck_assert_int_eq(capabilities_of_text(strdup(capabilities), "the text", &told, NULL), 0);
    ck_assert_int_eq(vqemu_vm_from_json(document, strlen(document), NULL, 0, &vm, NULL), 0);
    ck_assert_int_eq(vqemu_command_options_new(&options, NULL), 0);
    ck_assert_int_eq(vqemu_command_options_set_capabilities(options, told, NULL, NULL), 0);
    int r = vqemu_command_build(runtime, vm, options, 0, NULL, &command, &error);
    bool is_id = reason && strcmp(reason, "no-such-id") == 0;
    ck_assert_msg(r == (is_id    ? VQEMU_ERR_INVALID
                        : reason ? VQEMU_ERR_UNSUPPORTED
                                 : 0),
                  "%s: %s", document, vqemu_error_message(error));
    if (reason) {
        ck_assert_str_eq(vqemu_error_reason(error), reason);
        ck_assert_str_eq(vqemu_error_detail(error, VQEMU_DETAIL_KEY), key);
    }
    vqemu_command_options_free(options);
}

START_TEST(a_command_is_refused_for_what_is_missing) {
    static const struct {
        const char *document, *reason, *key;
    } cases[] = {
        {"{\"name\":\"a\",\"kernel\":\"/k\"}", NULL, NULL},
        {"{\"name\":\"a\",\"kernel\":\"/k\",\"machine\":\"pc\"}", "qemu-lacks-thing", "machine"},
        {"{\"name\":\"a\",\"kernel\":\"/k\",\"cpu_features\":{\"avx3\":true}}",
         "qemu-lacks-property", "cpu_features.avx3"},
        {"{\"name\":\"a\",\"kernel\":\"/k\",\"cpus\":5}", "too-many-cpus", "cpus"},
        {"{\"name\":\"a\",\"kernel\":\"/k\",\"rng\":true}", "qemu-lacks-thing", "rng"},
        {"{\"name\":\"a\",\"kernel\":\"/k\",\"tpm\":true}", "qemu-lacks-thing", "tpm"},
        {"{\"name\":\"a\",\"kernel\":\"/k\",\"extra_args\":[\"-tpmdev\",\"passthrough,id=t\"]}",
         NULL, NULL},
        {"{\"name\":\"a\",\"kernel\":\"/k\",\"extra_args\":[\"-device\",\"gone\"]}",
         "qemu-lacks-module", "extra_args[1]"},
        {"{\"name\":\"a\",\"kernel\":\"/k\",\"extra_args\":[\"-device\",\"inner\"]}",
         "not-pluggable", "extra_args[1]"},
        {"{\"name\":\"a\",\"kernel\":\"/k\",\"extra_args\":[\"-device\",\"help\"]}", NULL, NULL},
        {"{\"name\":\"a\",\"kernel\":\"/k\",\"extra_args\":[\"-device\",\"known,any=1\"]}", NULL,
         NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_refused(ALL, cases[i].document, cases[i].reason, cases[i].key);
}
END_TEST

/* What is within values. */
#define TYPES                                                                                      \
    "volt-capabilities 5\n"                                                                        \
    "set 0 data-file?:1 driver:9 file:1 node-name?:s read-only?:b size?:i\n"                       \
    "set 1 blockdev s\n"                                                                           \
    "set 2 driver:9 node-name?:s\n"                                                                \
    "set 3 aio?:4 driver:9 filename:s hosts?:[5 locks?:a node-name?:s\n"                           \
    "set 4 native threads\n"                                                                       \
    "set 5 host:s port?:i\n"                                                                       \
    "set 6 file raw\n"                                                                             \
    "set 7 shift?:s sleep?:b\n"                                                                    \
    "set 8 shift sleep\n"                                                                          \
    "argument blockdev -\n"                                                                        \
    "argument icount -\n"                                                                          \
    "argument new -\n"                                                                             \
    "argument serial -\n"                                                                          \
    "blockdev file ?\n"                                                                            \
    "blockdev raw ?\n"                                                                             \
    "blockdev rbd ?\tbroken=yes\t\n"                                                               \
    "chardev null ?\n"                                                                             \
    "option icount 8\n"                                                                            \
    "option sandbox ?\n"                                                                           \
    "qemu 7.2.0 -\n"                                                                               \
    "type 1 1\tis=either\t\n"                                                                      \
    "type 4 4\tis=enum\t\n"                                                                        \
    "type 5 5\tis=struct\t\n"                                                                      \
    "type 9 6\tis=enum\t\n"                                                                        \
    "type blockdev 2\tis=union\ttag=driver\t\n"                                                    \
    "type blockdev.file 3\tis=struct\t\n"                                                          \
    "type blockdev.raw 0\tis=struct\t\n"                                                           \
    "type option.icount 7\tis=struct\t\n"

static const struct {
    const char *option, *value, *reason, *detail;
} values[] = {
    {"-blockdev", "raw,node-name=n,file=n,read-only=y,size=0x10K", NULL, NULL},
    {"-blockdev", "raw,file=n", "no-such-id", "n"},
    {"-blockdev", "raw,file.driver=file,file.filename=/x,file.aio=native", NULL, NULL},
    {"-blockdev", "raw,file.driver=raw,file.file.driver=raw,file.file.file=n", NULL, NULL},
    {"-blockdev", "file,filename=/x,hosts.0.host=a,hosts.1.host=b,locks.any.thing=1", NULL, NULL},
    {"-blockdev",
     "{\"driver\":\"raw\",\"file\":{\"driver\":\"file\",\"filename\":\"/x\"},\"size\":-1}", NULL,
     NULL},
    {"-blockdev", "raw,file=n,read-onyl=on", "qemu-lacks-property", "read-onyl"},
    {"-blockdev", "raw,file=n,size.x=1", "qemu-lacks-property", "size.x"},
    {"-blockdev", "raw,file.driver=file,file.filenam=/x,file.filename=/x", "qemu-lacks-property",
     "file.filenam"},
    {"-blockdev", "raw,file.driver=flie,file.filename=/x", "qemu-lacks-thing", "flie"},
    {"-blockdev", "raw,file.driver=rbd,file.pool=x", "qemu-lacks-module", "rbd"},
    {"-blockdev", "rbd,pool=x", "qemu-lacks-module", "rbd"},
    {"-blockdev", "file,filename=/x,aio=natvie", "qemu-lacks-value", "natvie"},
    {"-blockdev", "raw,file=n,read-only=maybe", "qemu-lacks-value", "maybe"},
    {"-blockdev", "raw,file=n,size=much", "qemu-lacks-value", "much"},
    {"-blockdev", "file,filename=/x,hosts=a", "qemu-lacks-value", "a"},
    {"-blockdev", "file,filename=/x,hosts.one.host=a", "qemu-lacks-property", "hosts.one.host"},
    {"-blockdev", "file,filename=/x,hosts.0.port=1", "qemu-needs-property", "hosts.0.host"},
    {"-blockdev", "{\"driver\":\"raw\",\"file\":\"n\",\"size\":\"1\"}", "qemu-lacks-value", "1"},
    {"-blockdev", "{\"driver\":\"raw\",\"file\":1}", "qemu-lacks-value", "1"},
    {"-blockdev", "{\"driver\":\"file\",\"filename\":null}", "qemu-lacks-value", "null"},
    {"-blockdev", "file", "qemu-needs-property", "filename"},
    {"-blockdev", "raw,file.driver=file", "qemu-needs-property", "file.filename"},
    {"-icount", "3,sleep=perhaps", "qemu-lacks-value", "perhaps"},
    {"-icount", "3,sleep=off", NULL, NULL},
    {"-serial", "nulll", "qemu-lacks-value", "nulll"},
    {"-serial", "pty", "qemu-lacks-thing", "pty"},
    {"-serial", "mon:null", NULL, NULL},
    {"-icuont", "3", "qemu-lacks-thing", "icuont"},
    {"-new", "-x", NULL, NULL},
    {"-serial", "chardev:mine", "no-such-id", "mine"},
};

START_TEST(values_are_compared_with_their_types) {
    _cleanup_free_ char *value = NULL;
    _cleanup_json_ json_t *text = json_string(values[_i].value);
    ck_assert_int_eq(json_to_line(text, &value, NULL), 0);
    _cleanup_free_ char *document = format_string(
        "{\"name\":\"a\",\"kernel\":\"/k\",\"console\":\"none\",\"extra_args\":[\"%s\",%s]}",
        values[_i].option, value);
    bool is_name = values[_i].detail && strcmp(values[_i].option + 1, values[_i].detail) == 0;
    check_refused(TYPES, document, values[_i].reason, is_name ? "extra_args[0]" : "extra_args[1]");
}
END_TEST

/* Of what an unknown version has, only what it tells is known. */
START_TEST(newer_versions_may_have_what_is_not_known) {
    _cleanup_free_ char *text = strdup(TYPES);
    memcpy(strstr(text, "qemu 7.2.0"), "qemu 11.00", 10);
    check_refused(text,
                  "{\"name\":\"a\",\"kernel\":\"/"
                  "k\",\"console\":\"none\",\"extra_args\":[\"-newest\",\"1\",\"-serial\",\"x\"]}",
                  NULL, NULL);
}
END_TEST

/* Such as one that was asked by an older version. */
START_TEST(what_is_not_told_is_no_objection) {
    check_refused("volt-capabilities 5\n",
                  "{\"name\":\"a\",\"kernel\":\"/k\",\"cpu_model\":\"x\",\"rng\":true}", NULL,
                  NULL);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("capability-check");
    TCase *tests = tcase_create("capability-check");
    tcase_add_test(tests, arguments_are_options_as_far_as_they_are_known);
    tcase_add_test(tests, a_command_is_refused_for_what_is_missing);
    tcase_add_loop_test(tests, values_are_compared_with_their_types, 0,
                        sizeof values / sizeof *values);
    tcase_add_test(tests, newer_versions_may_have_what_is_not_known);
    tcase_add_test(tests, what_is_not_told_is_no_objection);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
