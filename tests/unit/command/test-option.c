/* SPDX-License-Identifier: MIT */
/* What QEMU is told, as data, and how that is spelled. */
#include "command/option-text.h"
#include "command/option.h"
#include "fixture.h"
#include "run.h"
#include "util/cleanup.h"

/* The arguments of options, each on a line of its own. */
static char *spell(const struct options *options) {
    _cleanup_strv_ struct strv argv = {0};
    struct strbuf text = {0};
    options_add_text(options, &argv);
    ck_assert(!argv.failed);
    for (size_t i = 0; i < argv.count; i++)
        strbuf_addf(&text, "%s\n", argv.items[i]);
    return strbuf_take(&text);
}

START_TEST(commas_are_doubled) {
    _cleanup_options_ struct options options = {0};
    option_begin(&options, OPTION_DEVICE, NULL, origin_key("a", NULL));
    option_text(&options, "a", "x,y,,z");
    option_text(&options, "b", "=\n\xff");
    option_text(&options, "c", "");
    option_text(&options, "d", ",");
    _cleanup_free_ char *text = spell(&options);
    ck_assert_str_eq(text, "-device\na=x,,y,,,,z,b==\n\xff,c=,d=,,\n");
}
END_TEST

START_TEST(a_head_stands_as_it_is) {
    _cleanup_options_ struct options options = {0};
    option_begin(&options, OPTION_KERNEL, "/a,b", origin_key("kernel", NULL));
    option_begin(&options, OPTION_PAUSED, NULL, origin_none("asked for"));
    option_begin(&options, OPTION_EXTRA, "-x", origin_in("extra_args", 0, NULL, NULL));
    _cleanup_free_ char *text = spell(&options);
    ck_assert_str_eq(text, "-kernel\n/a,b\n-S\n-x\n");
}
END_TEST

START_TEST(every_kind_of_value_has_its_text) {
    _cleanup_options_ struct options options = {0};
    option_begin(&options, OPTION_DEVICE, "d", origin_key("a", NULL));
    option_textf(&options, "t", "%s%d", "disk", 7);
    option_number(&options, "n", UINT64_MAX);
    option_hex(&options, "h", 0x1fff);
    option_switch(&options, "on", true);
    option_switch(&options, "off", false);
    option_add(&options, "size", SETTING_MEBIBYTES, 256);
    option_add(&options, "addr", SETTING_FUNCTION, 0x1f << 3 | 4);
    option_add(&options, "devno", SETTING_CHANNEL, 0x3001);
    _cleanup_free_ char *text = spell(&options);
    ck_assert_str_eq(text, "-device\nd,t=disk7,n=18446744073709551615,h=0x1fff,on=on,off=off,"
                           "size=256M,addr=0x1f.4,devno=fe.0.3001\n");
}
END_TEST

/* As JSON has it: a backslash and a quote are escaped, and a comma is a comma. */
START_TEST(what_names_no_backing_is_in_json) {
    _cleanup_options_ struct options options = {0};
    option_begin(&options, OPTION_BLOCKDEV, NULL, origin_key("a", NULL));
    option_text(&options, "driver", "q\"\\,\n");
    option_switch(&options, "read-only", false);
    option_switch(&options, "cache.direct", true);
    option_number(&options, "n", 3);
    option_add(&options, "backing", SETTING_NULL, 0);
    _cleanup_free_ char *text = spell(&options);
    ck_assert_str_eq(text, "-blockdev\n{\"driver\":\"q\\\"\\\\,\\u000a\",\"read-only\":false,"
                           "\"cache\":{\"direct\":true},\"n\":3,\"backing\":null}\n");
}
END_TEST

START_TEST(a_list_becomes_settings) {
    _cleanup_options_ struct options options = {0};
    option_begin(&options, OPTION_MACHINE, "q35", origin_key("machine", NULL));
    option_list(&options, "hpet=off,gic-version=max,smm=on", origin_none("better"));
    _cleanup_free_ char *text = spell(&options);
    ck_assert_str_eq(text, "-machine\nq35,hpet=off,gic-version=max,smm=on\n");
    const struct setting *hpet = option_find(&options, &options.items[0], "hpet");
    ck_assert_ptr_nonnull(hpet);
    ck_assert_int_eq(hpet->kind, SETTING_SWITCH);
    ck_assert_str_eq(setting_origin(&options.items[0], hpet)->message, "better");
    ck_assert_ptr_null(option_find(&options, &options.items[0], "no"));
}
END_TEST

START_TEST(options_are_moved) {
    _cleanup_options_ struct options options = {0};
    static const char *const heads[] = {"0", "1", "2", "3", "4"};
    for (size_t i = 0; i < 5; i++) {
        option_begin(&options, OPTION_EXTRA, heads[i], origin_key("a", NULL));
        option_number(&options, "n", i);
    }
    options_move(&options, 3, 1);
    options_move(&options, 5, 0); /* none */
    _cleanup_free_ char *text = spell(&options);
    ck_assert_str_eq(text, "0,n=0\n3,n=3\n4,n=4\n1,n=1\n2,n=2\n");
}
END_TEST

START_TEST(options_are_found_by_what_they_say) {
    _cleanup_options_ struct options options = {0};
    option_begin(&options, OPTION_NETDEV, "user", origin_key("a", NULL));
    option_text(&options, "id", "net0");
    option_begin(&options, OPTION_NETDEV, "tap", origin_key("a", NULL));
    option_text(&options, "id", "net1");
    ck_assert_ptr_eq(options_find(&options, OPTION_NETDEV, "id", "net1"), &options.items[1]);
    ck_assert_ptr_null(options_find(&options, OPTION_NETDEV, "id", "net"));
    ck_assert_ptr_null(options_find(&options, OPTION_DEVICE, "id", "net1"));
}
END_TEST

static char *key_of(struct origin origin) {
    struct strbuf text = {0};
    origin_add_key(&origin, &text);
    return strbuf_take(&text);
}

START_TEST(origins_name_keys) {
    struct origin layer = origin_in("disks", 2, "file", NULL);
    layer.inner = "backing";
    layer.inner_index = 1;
    const struct {
        struct origin origin;
        const char *key;
    } cases[] = {
        {origin_key("memory", "default"), "memory"},
        {origin_in("disks", 0, "cache", NULL), "disks[0].cache"},
        {origin_in("extra_args", 3, NULL, NULL), "extra_args[3]"},
        {layer, "disks[2].backing[1].file"},
        {origin_none("so it is"), ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        _cleanup_free_ char *key = key_of(cases[i].origin);
        ck_assert_str_eq(key, cases[i].key);
        ck_assert_int_eq(origin_has_key(&cases[i].origin), *cases[i].key != '\0');
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("option");
    TCase *tests = tcase_create("option");
    tcase_add_test(tests, commas_are_doubled);
    tcase_add_test(tests, a_head_stands_as_it_is);
    tcase_add_test(tests, every_kind_of_value_has_its_text);
    tcase_add_test(tests, what_names_no_backing_is_in_json);
    tcase_add_test(tests, a_list_becomes_settings);
    tcase_add_test(tests, options_are_moved);
    tcase_add_test(tests, options_are_found_by_what_they_say);
    tcase_add_test(tests, origins_name_keys);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
