/* SPDX-License-Identifier: MIT */
#include "asserts.h"
#include "qemu/capabilities.h"
#include "qemu/device-lines.h"

#include <stdlib.h>
#include <string.h>
#include <volt-qemu/volt-qemu.h>

#include "base/error.h"
#include "qemu/wide-number.h"
#include "run.h"

#define HEADER "volt-capabilities 3\n"

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
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
