/* SPDX-License-Identifier: MIT */
#include "asserts.h"
#include "qemu/capabilities.h"
#include "qemu/device-lines.h"
#include "qemu/help.h"
#include "qemu/schema.h"

#include <stdlib.h>
#include <string.h>
#include <volt-qemu/volt-qemu.h>

#include "base/error.h"
#include "qemu/wide-number.h"
#include "run.h"

#define HEADER "volt-capabilities 5\n"

static int read_text(const char *text, vqemu_capabilities **capabilities) {
    return capabilities_of_text(strdup(text), "the text", capabilities, NULL);
}

static vqemu_capabilities *capabilities_of(const char *text) {
    vqemu_capabilities *capabilities = NULL;
    ck_assert_int_eq(read_text(text, &capabilities), 0);
    return capabilities;
}

static int add_words(struct capability_list *list, const char *first, const char *second) {
    _cleanup_strv_ struct strv words = {0};
    strv_add(&words, first);
    strv_add(&words, second);
    return capability_list_add_set(list, &words);
}

START_TEST(what_was_collected_is_found) {
    struct capability_list list = {0};
    _cleanup_strbuf_ struct strbuf facts = {0}, text = {0};
    int set = add_words(&list, "mac", "netdev");
    ck_assert_int_eq(add_words(&list, "netdev", "mac"), set);
    capability_add_fact(&facts, "max-cpus", "288");
    capability_add_fact(&facts, "package", "a b");
    capability_add_fact(&facts, "odd", "a\nb");
    capability_list_add(&list, "machine", "pc-q35-7.2", add_words(&list, "hpet", "smm"),
                        facts.text);
    capability_list_add(&list, "machine", "q35", PROPERTIES_NONE, "alias-of=pc-q35-7.2\t");
    capability_list_add(&list, "device", "virtio-net-pci", set, "");
    capability_list_add(&list, "device", "virtio-net-pci", set, "");
    capability_list_add(&list, "device", "virtio-blk-pci", PROPERTIES_UNKNOWN, "");
    capability_list_add(&list, "device", "two words", set, "");
    capability_list_write(&list, &text);
    _cleanup_capabilities_ vqemu_capabilities *told = capabilities_of(text.text);
    ck_assert_uint_eq(vqemu_capabilities_count(told, "device"), 2);
    ck_assert_str_eq(vqemu_capabilities_at(told, "device", 0), "virtio-blk-pci");
    ck_assert_ptr_null(vqemu_capabilities_at(told, "device", 2));
    ck_assert_int_eq(vqemu_capabilities_has(told, "device", "virtio-net-pci", "mac"), 1);
    ck_assert_int_eq(vqemu_capabilities_has(told, "device", "virtio-net-pci", "ma"), 0);
    ck_assert_int_eq(vqemu_capabilities_has(told, "device", "virtio-net-pci", ""), 0);
    ck_assert_int_eq(vqemu_capabilities_has(told, "device", "virtio-net", NULL), 0);
    ck_assert_int_eq(vqemu_capabilities_has(told, "device", "virtio-blk-pci", NULL), 1);
    ck_assert_int_eq(vqemu_capabilities_has(told, "device", "virtio-blk-pci", "mac"), -1);
    ck_assert_int_eq(vqemu_capabilities_has(told, "machine", "q35", "smm"), 1);
    ck_assert_int_eq(vqemu_capabilities_has(told, "devcie", "virtio-net-pci", NULL), -1);
    ck_assert_int_eq(vqemu_capabilities_has(told, "virtio-net-pci", "device", NULL), -1);
    ck_assert_int_eq(vqemu_capabilities_has(told, "device", NULL, NULL), -1);
    ck_assert_int_eq(vqemu_capabilities_has(NULL, "device", "virtio-net-pci", NULL), -1);
    ck_assert_str_eq(vqemu_capabilities_fact(told, "machine", "pc-q35-7.2", "max-cpus"), "288");
    ck_assert_str_eq(vqemu_capabilities_fact(told, "machine", "pc-q35-7.2", "package"), "a b");
    ck_assert_ptr_null(vqemu_capabilities_fact(told, "machine", "pc-q35-7.2", "odd"));
    ck_assert_ptr_null(vqemu_capabilities_fact(told, "device", "virtio-net-pci", "max-cpus"));
    capability_list_release(&list);
}
END_TEST

START_TEST(of_tpm_backends_there_may_be_none) {
    _cleanup_capabilities_ vqemu_capabilities *one =
        capabilities_of(HEADER "command query-tpm-types -\ntpm emulator ?\n");
    _cleanup_capabilities_ vqemu_capabilities *none =
        capabilities_of(HEADER "command query-tpm-types -\n");
    _cleanup_capabilities_ vqemu_capabilities *nothing = capabilities_of(HEADER "accel kvm -\n");
    ck_assert_int_eq(vqemu_capabilities_has(one, "tpm", "emulator", NULL), 1);
    ck_assert_int_eq(vqemu_capabilities_has(one, "tpm", "passthrough", NULL), 0);
    ck_assert_int_eq(vqemu_capabilities_has(none, "tpm", "emulator", NULL), 0);
    ck_assert_int_eq(vqemu_capabilities_has(nothing, "tpm", "emulator", NULL), -1);
}
END_TEST

static const char *const malformed[] = {
    "",
    "volt-capabilities 1\n",
    HEADER "set 1 a\n",
    HEADER "set 0a\n",
    HEADER "device\n",
    HEADER "device \n",
    HEADER "device a\n",
    HEADER "device a 0\n",
    HEADER "device a -1\n",
    HEADER "set 0 x\ndevice a 1\n",
    HEADER "set 0 x\ndevice a 0x\n",
    HEADER "device b -\ndevice a -\n",
    HEADER "device a -\ndevice a -\n",
    HEADER "device a -",
    HEADER "device a -\nset 0 x\n",
};

START_TEST(what_is_no_such_text_is_refused) {
    vqemu_capabilities *capabilities = NULL;
    ck_assert_int_eq(read_text(malformed[_i], &capabilities), VQEMU_ERR_MALFORMED);
    ck_assert_ptr_null(capabilities);
}
END_TEST

static const struct {
    const char *text, *new; /* NULL: it stays */
} numbers[] = {
    {"{\"a\": 18446744073709551615}", "{\"a\": 18446744073709551615.0}"},
    {"[9223372036854775807, 9223372036854775808]", "[9223372036854775807, 9223372036854775808.0]"},
    {"[-9223372036854775809]", "[-9223372036854775809.0]"},
    {"[9223372036854775807, -9223372036854775808]", NULL},
    {"[\"18446744073709551615\", \"\\\"18446744073709551615\"]", NULL},
    {"[1e400, 18446744073709551615.5, 1844674407370955161518446744073709551615]", NULL},
    {"\"18446744073709551615", NULL},
    {"\"\\", NULL},
    {"", NULL},
};

START_TEST(only_numbers_that_are_too_large_become_real) {
    size_t size;
    const char *text = numbers[_i].text;
    _cleanup_free_ char *new = wide_numbers_to_reals(text, strlen(text), &size);
    ck_assert_pstr_eq(new, numbers[_i].new);
    ck_assert(!new || size == strlen(new));
}
END_TEST

START_TEST(lines_about_devices_are_read) {
    _cleanup_json_ json_t *index = device_lines_index(
        "Network devices:\r\n"
        "name \"e1000\", bus PCI, alias \"e1000-82540em\", desc \"Intel Gigabit Ethernet\"\r\n"
        "name \"mch\", bus PCI, desc \"Host bridge\", no-user\r\n"
        "name \"odd\", desc \", alias \"no\", no-user, \"\r\n"
        "name \"cut\nname \r\nname\n");
    json_t *mch = json_object_get(index, "mch"), *odd = json_object_get(index, "odd");
    ck_assert_uint_eq(json_object_size(index), 4); /* "" is one */
    ck_assert_str_eq(json_text(json_object_get(index, "e1000"), "alias"), "e1000-82540em");
    ck_assert(json_is_false(json_object_get(mch, "pluggable")) && !json_object_get(mch, "alias"));
    ck_assert(odd && json_object_size(odd) == 0);
    _cleanup_json_ json_t *nothing = device_lines_index("");
    ck_assert_uint_eq(json_object_size(nothing), 0);
}
END_TEST

/* ---- the schema ---- */

static const char schema[] =
    "[{'name': 'blockdev-add', 'meta-type': 'command', 'arg-type': '1', 'ret-type': '0'},"
    " {'name': 'query-display-options', 'meta-type': 'command', 'arg-type': '0', 'ret-type': '9'},"
    " {'name': '0', 'meta-type': 'object', 'members': []},"
    " {'name': '1', 'meta-type': 'object', 'tag': 'driver', 'members': [{'name': 'driver', 'type': "
    "'2'},"
    " {'name': 'node-name', 'type': 'str', 'default': null}],"
    " 'variants': [{'case': 'raw', 'type': '3'}, {'case': 'null-co', 'type': '0'}]},"
    " {'name': '2', 'meta-type': 'enum', 'values': ['raw', 'null-co']},"
    " {'name': '3', 'meta-type': 'object', 'members': [{'name': 'file', 'type': '4'},"
    " {'name': 'sizes', 'type': '[int]', 'default': null}, {'name': 'odd', 'type': 'gone'}]},"
    " {'name': '4', 'meta-type': 'alternate', 'members': [{'type': '1'}, {'type': 'str'}]},"
    " {'name': '[int]', 'meta-type': 'array', 'element-type': 'int'},"
    " {'name': 'int', 'meta-type': 'builtin', 'json-type': 'int'},"
    " {'name': 'str', 'meta-type': 'builtin', 'json-type': 'string'},"
    " {'name': '9', 'meta-type': 'object', 'tag': 'type', 'members': [{'name': 'type', 'type': "
    "'10'}],"
    " 'variants': [{'case': 'none', 'type': '0'}]},"
    " {'name': '10', 'meta-type': 'enum', 'members': [{'name': 'none'}], 'values': ['none', "
    "'old']}]";

static json_t *parse(const char *text) {
    _cleanup_free_ char *copy = strdup(text);
    for (char *c = copy; *c; c++)
        *c = *c == '\'' ? '"' : *c;
    json_t *value = json_loads(copy, 0, NULL);
    ck_assert_ptr_nonnull(value);
    return value;
}

START_TEST(types_of_values_are_taken_from_the_schema) {
    _cleanup_json_ json_t *parsed = parse(schema);
    _cleanup_strbuf_ struct strbuf text = {0};
    struct capability_list list = {0};
    ck_assert_int_eq(schema_add(&list, parsed), 0);
    capability_list_write(&list, &text);
    _cleanup_capabilities_ vqemu_capabilities *told = capabilities_of(text.text);
    ck_assert_str_eq(capabilities_properties(told, "blockdev", "raw"),
                     " driver file node-name odd sizes");
    ck_assert_str_eq(vqemu_capabilities_fact(told, "type", "blockdev", "tag"), "driver");
    const char *raw = capabilities_properties(told, "type", "blockdev.raw");
    ck_assert_ptr_nonnull(raw);
    const char *file = strstr(raw, " file:");
    ck_assert(file && strstr(raw, " node-name?:s") && strstr(raw, " sizes?:[i") &&
              strstr(raw, " odd:a"));
    char name[2] = {file[strlen(" file:")], '\0'};
    ck_assert_str_eq(vqemu_capabilities_fact(told, "type", name, "is"), "either");
    ck_assert_str_eq(capabilities_properties(told, "type", name), " blockdev s");
    ck_assert_ptr_nonnull(capabilities_properties(told, "type", "display.none"));
    ck_assert_int_eq(vqemu_capabilities_has(told, "type", "blockdev.gone", NULL), 0);
    capability_list_release(&list);
}
END_TEST

/* Each in the next one: a program may say anything. */
START_TEST(types_may_lie_as_deep_as_they_want) {
    enum { DEPTH = 20000 };
    _cleanup_json_ json_t *deep = json_array();
    json_array_append_new(deep, json_pack("{s:s, s:s, s:s}", "name", "netdev_add", "meta-type",
                                          "command", "arg-type", "t0"));
    for (int i = 0; i < DEPTH; i++) {
        _cleanup_free_ char *name = format_string("t%d", i), *next = format_string("t%d", i + 1);
        json_array_append_new(deep,
                              json_pack("{s:s, s:s, s:[{s:s, s:s}]}", "name", name, "meta-type",
                                        "object", "members", "name", "m", "type", next));
    }
    struct capability_list list = {0};
    ck_assert_int_eq(schema_add(&list, deep), 0);
    ck_assert(capability_list_has(&list, "type", "netdev"));
    capability_list_release(&list);
}
END_TEST

/* ---- helps ---- */

static vqemu_capabilities *with_helps(const struct helps *helps) {
    _cleanup_strbuf_ struct strbuf text = {0};
    struct capability_list list = {0};
    capability_list_add(&list, "display", "gtk", PROPERTIES_NONE, "");
    capability_list_add(&list, "display", "none", PROPERTIES_UNKNOWN, "a=b\t");
    capability_list_add(&list, "display", "default", PROPERTIES_NONE, "");
    capability_list_add(&list, "netdev", "none", PROPERTIES_NONE, "");
    capability_list_add(&list, "netdev", "user", PROPERTIES_NONE, "");
    capability_list_add(&list, "netdev", "vde", PROPERTIES_NONE, "");
    ck_assert_int_eq(help_add_texts(&list, helps), 0);
    capability_list_write(&list, &text);
    capability_list_release(&list);
    return capabilities_of(text.text);
}

#define USAGE "QEMU emulator\nusage: qemu [options] [disk_image]\n\n"
#define KEYS "\nDuring emulation, the following keys are useful:\n-x  no option\n"

START_TEST(what_helps_tell_is_taken) {
    static const struct helps helps = {
        USAGE "Standard options:\n-h or -help     display this help\n"
              "-machine [type=]name[,prop]\n                -not-this\n"
              "-hda/-hdb file  use it\n--preconfig     pause\n-D logfile  \n" KEYS,
        "qemu: odd\nAvailable display backend types:\nnone\nqemu: no gtk, sorry\nsdl\n\nSome\n",
        "Available audio drivers:\nnone\nwav\n", "Available netdev backend types:\nsocket\nuser\n"};
    _cleanup_capabilities_ vqemu_capabilities *told = with_helps(&helps);
    static const char *const names[] = {"D", "h", "hda", "hdb", "help", "machine", "preconfig"};
    ck_assert_uint_eq(vqemu_capabilities_count(told, "argument"), sizeof names / sizeof *names);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        ck_assert_str_eq(vqemu_capabilities_at(told, "argument", i), names[i]);
    ck_assert_pstr_eq(vqemu_capabilities_fact(told, "display", "gtk", "broken"), "yes");
    ck_assert_ptr_null(vqemu_capabilities_fact(told, "display", "none", "broken"));
    ck_assert_pstr_eq(vqemu_capabilities_fact(told, "display", "none", "a"), "b");
    ck_assert_ptr_null(vqemu_capabilities_fact(told, "display", "default", "broken"));
    ck_assert_int_eq(vqemu_capabilities_has(told, "audiodev", "wav", NULL), 1);
    ck_assert_int_eq(vqemu_capabilities_has(told, "audiodev", "alsa", NULL), 0);
    ck_assert_int_eq(vqemu_capabilities_has(told, "netdev", "user", NULL), 1);
    ck_assert_int_eq(vqemu_capabilities_has(told, "netdev", "none", NULL), 1);
    ck_assert_int_eq(vqemu_capabilities_has(told, "netdev", "vde", NULL), 0);
}
END_TEST

static const struct helps odd_helps[] = {
    {NULL, NULL, NULL, NULL},
    {"", "", "", ""},
    {USAGE "-machine x\n", "Available display backend types:\n",
     "Available audio drivers:", "Available netdev backend types:\n"},
    {"-machine x\n" KEYS, "none\nsdl\n", "none\n", "user\n"},
    {USAGE, "Available display backend types:\nnone\nsdl: a window\n",
     "Available audio drivers:\nnone\nwa", "Available netdev backend types:\nuser\ntap"},
};

/* That it cannot be told is not that there is nothing. */
START_TEST(helps_that_look_different_tell_nothing) {
    _cleanup_capabilities_ vqemu_capabilities *told = with_helps(&odd_helps[_i]);
    ck_assert_uint_eq(vqemu_capabilities_count(told, "argument"), 0);
    ck_assert_uint_eq(vqemu_capabilities_count(told, "audiodev"), 0);
    ck_assert_ptr_null(vqemu_capabilities_fact(told, "display", "gtk", "broken"));
    ck_assert_int_eq(vqemu_capabilities_has(told, "netdev", "vde", NULL), 1);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("capabilities");
    TCase *tests = tcase_create("capabilities");
    tcase_add_test(tests, what_was_collected_is_found);
    tcase_add_test(tests, of_tpm_backends_there_may_be_none);
    tcase_add_test(tests, lines_about_devices_are_read);
    tcase_add_loop_test(tests, what_is_no_such_text_is_refused, 0,
                        sizeof malformed / sizeof *malformed);
    tcase_add_loop_test(tests, only_numbers_that_are_too_large_become_real, 0,
                        sizeof numbers / sizeof *numbers);
    tcase_add_test(tests, types_of_values_are_taken_from_the_schema);
    tcase_add_test(tests, types_may_lie_as_deep_as_they_want);
    tcase_add_test(tests, what_helps_tell_is_taken);
    tcase_add_loop_test(tests, helps_that_look_different_tell_nothing, 0,
                        sizeof odd_helps / sizeof *odd_helps);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
