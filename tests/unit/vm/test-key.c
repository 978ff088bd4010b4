/* SPDX-License-Identifier: MIT */
/* A VM's properties by key: what is set is what is said, and what is refused changes nothing. */
#include <volt-qemu/keys.h>

#include "base/error.h"
#include "base/json.h"
#include "cases.h"
#include "document.h"
#include "vm/nic.h"
#include "vm/share.h"
#include "vm/vm.h"

#define GOOD(call) ck_assert_int_eq(call, 0)

/* ---- key by key ---- */

/* Set all that a JSON value has, each by its key. */
static void set_all(vqemu_vm *vm, const char *key, json_t *value) {
    const char *name;
    size_t index;
    json_t *below;
    _cleanup_error_ vqemu_error *error = NULL;
    int r = 0;
    json_object_foreach(value, name, below) {
        _cleanup_free_ char *inner = format_string("%s%s%s", key, *key ? "." : "", name);
        set_all(vm, inner, below);
    }
    json_array_foreach(value, index, below) {
        _cleanup_free_ char *inner = format_string("%s[%zu]", key, index);
        set_all(vm, inner, below);
    }
    if (json_is_string(value))
        r = vqemu_vm_set_string(vm, key, json_string_value(value), &error);
    if (json_is_integer(value))
        r = vqemu_vm_set_number(vm, key, (uint64_t)json_integer_value(value), &error);
    if (json_is_boolean(value))
        r = vqemu_vm_set_switch(vm, key, json_is_true(value) ? VQEMU_SWITCH_ON : VQEMU_SWITCH_OFF,
                                &error);
    ck_assert_msg(r == 0, "%s", vqemu_error_message(error));
}

/* All that a JSON value has is what the VM says of each key. */
static void check_all(const vqemu_vm *vm, const char *key, json_t *value) {
    const char *name, *string;
    size_t index, count;
    uint64_t number;
    int32_t state;
    json_t *below;
    json_object_foreach(value, name, below) {
        _cleanup_free_ char *inner = format_string("%s%s%s", key, *key ? "." : "", name);
        check_all(vm, inner, below);
    }
    json_array_foreach(value, index, below) {
        _cleanup_free_ char *inner = format_string("%s[%zu]", key, index);
        check_all(vm, inner, below);
    }
    if (json_is_array(value)) {
        GOOD(vqemu_vm_count(vm, key, &count, NULL));
        ck_assert_uint_eq(count, json_array_size(value));
    }
    if (json_is_string(value)) {
        GOOD(vqemu_vm_get_string(vm, key, &string, NULL));
        ck_assert_pstr_eq(string, json_string_value(value));
    }
    if (json_is_integer(value)) {
        GOOD(vqemu_vm_get_number(vm, key, &number, NULL));
        ck_assert_uint_eq(number, (uint64_t)json_integer_value(value));
    }
    if (json_is_boolean(value)) {
        GOOD(vqemu_vm_get_switch(vm, key, &state, NULL));
        ck_assert_int_eq(state, json_is_true(value) ? VQEMU_SWITCH_ON : VQEMU_SWITCH_OFF);
    }
}

START_TEST(keys_set_and_say_what_json_does) {
    _cleanup_free_ char *expected = every_key();
    _cleanup_json_ json_t *document = json_loads(expected, 0, NULL);
    _cleanup_vm_ vqemu_vm *vm = NULL;
    GOOD(vqemu_vm_new("old", &vm, NULL));
    set_all(vm, "", document);
    _cleanup_free_ char *actual = write_vm(vm);
    ck_assert_str_eq(actual, expected);
    check_all(vm, "", document);
    set_all(vm, "", document); /* again: nothing is appended */
    _cleanup_free_ char *again = write_vm(vm);
    ck_assert_str_eq(again, expected);
}
END_TEST

/* Every key of a document, as text. */
static void list_keys(struct strv *keys, const char *key, json_t *value) {
    const char *name;
    size_t index;
    json_t *below;
    if (*key)
        strv_add(keys, key);
    json_object_foreach(value, name, below) {
        _cleanup_free_ char *inner = format_string("%s%s%s", key, *key ? "." : "", name);
        list_keys(keys, inner, below);
    }
    json_array_foreach(value, index, below) {
        _cleanup_free_ char *inner = format_string("%s[%zu]", key, index);
        list_keys(keys, inner, below);
    }
}

static void find_every_key(struct strv *keys, vqemu_vm **vm) {
    _cleanup_free_ char *text = every_key();
    _cleanup_json_ json_t *document = json_loads(text, 0, NULL);
    list_keys(keys, "", document);
    *vm = read_vm(text);
    ck_assert_uint_gt(keys->count, 120);
}

static bool is_named_value(const char *key) {
    return strncmp(key, "cpu_features.", 13) == 0 || strncmp(key, "slots.", 6) == 0;
}

/* One letter too many, too few, or another one: none is a key that there is. */
static char *misspell(const char *key, int how) {
    size_t length = strlen(key);
    char *wrong = format_string("%sx", key);
    if (how == 1)
        wrong[length - 1] = '\0';
    if (how == 2)
        strcpy(wrong + length - 1, "%");
    return wrong;
}

START_TEST(a_slip_in_any_key_is_refused) {
    _cleanup_strv_ struct strv keys = {0};
    _cleanup_vm_ vqemu_vm *vm = NULL;
    find_every_key(&keys, &vm);
    _cleanup_free_ char *before = write_vm(vm);
    for (size_t i = 0; i < keys.count; i++) {
        _cleanup_free_ char *wrong = misspell(keys.items[i], _i);
        _cleanup_error_ vqemu_error *error = NULL;
        if (is_named_value(keys.items[i]))
            continue; /* their names are not the library's */
        int r = vqemu_vm_set_string(vm, wrong, "x", &error);
        bool is_index = strchr("]", keys.items[i][strlen(keys.items[i]) - 1]);
        ck_assert_msg(r == (is_index ? VQEMU_ERR_INVALID : VQEMU_ERR_UNKNOWN_KEY), "%s: %s", wrong,
                      vqemu_error_message(error));
        ck_assert_str_eq(vqemu_error_detail(error, "key"), wrong);
        if (!is_index)
            ck_assert_ptr_nonnull(vqemu_error_detail(error, "choices"));
    }
    _cleanup_free_ char *after = write_vm(vm);
    ck_assert_str_eq(after, before);
}
END_TEST

/* Every key takes values of its kind alone, and an error changes nothing. */
START_TEST(a_value_of_another_kind_is_refused) {
    _cleanup_strv_ struct strv keys = {0};
    _cleanup_vm_ vqemu_vm *vm = NULL;
    find_every_key(&keys, &vm);
    _cleanup_free_ char *before = write_vm(vm);
    for (size_t i = 0; i < keys.count; i++) {
        const char *key = keys.items[i], *string;
        uint64_t number;
        int32_t state;
        size_t count;
        _cleanup_error_ vqemu_error *error = NULL;
        int is_string = vqemu_vm_get_string(vm, key, &string, NULL),
            is_number = vqemu_vm_get_number(vm, key, &number, NULL),
            is_switch = vqemu_vm_get_switch(vm, key, &state, NULL),
            is_list = vqemu_vm_count(vm, key, &count, NULL);
        int kinds = !is_string + !is_number + !is_switch + !is_list;
        bool is_object = kinds == 0;
        ck_assert_msg(kinds == 1 || is_object, "%s", key);
        ck_assert_msg(!is_object || key[strlen(key) - 1] == ']', "%s", key);
        if (is_named_value(key))
            continue; /* can be set to any kind */
        if (is_string != 0)
            ck_assert_int_eq(vqemu_vm_set_string(vm, key, "x", &error), VQEMU_ERR_INVALID);
        if (is_string != 0)
            ck_assert_str_eq(vqemu_error_reason(error), "wrong-kind");
        if (is_number != 0)
            ck_assert_int_eq(vqemu_vm_set_number(vm, key, 5, &error), VQEMU_ERR_INVALID);
        if (is_number != 0)
            ck_assert_str_eq(vqemu_error_reason(error), "wrong-kind");
        if (is_switch != 0)
            ck_assert_int_eq(vqemu_vm_set_switch(vm, key, VQEMU_SWITCH_ON, &error),
                             VQEMU_ERR_INVALID);
        if (is_switch != 0)
            ck_assert_str_eq(vqemu_error_reason(error), "wrong-kind");
        ck_assert_str_eq(vqemu_error_detail(error, "key"), key);
    }
    _cleanup_free_ char *after = write_vm(vm);
    ck_assert_str_eq(after, before);
}
END_TEST

/* What is not required can be unset, and is gone from the document; elements are removed. */
START_TEST(every_key_can_be_unset_or_removed) {
    _cleanup_strv_ struct strv keys = {0};
    _cleanup_vm_ vqemu_vm *whole = NULL;
    find_every_key(&keys, &whole);
    _cleanup_free_ char *before = write_vm(whole);
    for (size_t i = 0; i < keys.count; i++) {
        const char *key = keys.items[i], *end = strrchr(key, '.');
        bool is_element = key[strlen(key) - 1] == ']';
        bool is_required = strcmp(key, "name") == 0;
        _cleanup_vm_ vqemu_vm *vm = NULL;
        _cleanup_error_ vqemu_error *error = NULL;
        for (size_t j = 0; end && j < share_type.count; j++)
            if (strncmp(key, "shares", 6) == 0 &&
                strcmp(end + 1, share_type.properties[j].key) == 0)
                is_required = share_type.properties[j].required;
        for (size_t j = 0; end && j < forward_type.count; j++)
            if (strstr(key, "forwards") && strcmp(end + 1, forward_type.properties[j].key) == 0)
                is_required = forward_type.properties[j].required;
        GOOD(vqemu_vm_copy(whole, &vm, NULL));
        ck_assert_int_eq(vqemu_vm_remove(vm, key, NULL), is_element ? 0 : VQEMU_ERR_INVALID);
        int r = is_element ? 0 : vqemu_vm_unset(vm, key, &error);
        ck_assert_msg(r == (is_required ? VQEMU_ERR_INVALID : 0), "%s: %s", key,
                      vqemu_error_message(error));
        _cleanup_free_ char *after = write_vm(vm);
        ck_assert_msg((strcmp(before, after) == 0) == is_required, "%s", key);
    }
    _cleanup_free_ char *untouched = write_vm(whole); /* a copy shares nothing */
    ck_assert_str_eq(untouched, before);
}
END_TEST

/* ---- what is refused ---- */

START_TEST(what_is_refused_appends_nothing) {
    static const struct {
        const char *key, *value, *reason;
    } cases[] = {
        {"disks[0].file", "a", "relative-path"},
        {"disks[0].file", "/dev/fdset/3", "path-of-process"},
        {"disks[0].cache", "x", "not-a-choice"},
        {"disks[1].file", "/a", "index-beyond-end"},
        {"disks[99999999999999999999999999].file", "/a", "index-beyond-end"},
        {"disks[0].fiel", "/a", "unknown-key"},
        {"disks[0]", "/a", "wrong-kind"},
        {"disks", "/a", "wrong-kind"},
        {"disks[0].fd", "5", "wrong-kind"},
        {"disks[0].id", "1a", "invalid"},
        {"shares[0].tag", "", "missing-value"},
        {"nics[1].forwards[0].protocol", "icmp", "not-a-choice"},
        {"nics[1].forwards[0].host_address", "::1", "invalid"},
        {"nics[1].forwards[1].host_address", "127.0.0.1", "index-beyond-end"},
        {"nics[0].forwards[1].host_address", "127.0.0.1", "index-beyond-end"},
        {"nics[0].backend", "slirp", "not-a-choice"},
        {"extra_args[0]", NULL, "missing-value"},
        {"extra_args[1]", "x", "index-beyond-end"},
        {"profile", "KVM", "invalid"},
        {"mode", "kvm", "not-a-choice"},
        {"guest_arch", "x86", "not-a-choice"},
        {"disks.file", "/a", "malformed-key"},
        {"disks[].file", "/a", "malformed-key"},
        {"disks[00].file", "/a", "malformed-key"},
        {"disks[-1].file", "/a", "malformed-key"},
        {"disks[x].file", "/a", "malformed-key"},
        {"disks[0.file", "/a", "malformed-key"},
        {"disks[0]file", "/a", "malformed-key"},
        {"disks[0][0].file", "/a", "malformed-key"},
        {"extra_args[0].x", "x", "malformed-key"},
        {"name[0]", "x", "malformed-key"},
        {"name.x", "x", "malformed-key"},
        {"disks[0].", "x", "unknown-key"},
        {"", "x", "unknown-key"},
        {".", "x", "unknown-key"},
        {"memory ", "x", "unknown-key"},
        {"Name", "x", "unknown-key"},
        {"$schema", "x", "unknown-key"},
    };
    _cleanup_vm_ vqemu_vm *vm = NULL;
    GOOD(vqemu_vm_new("x", &vm, NULL));
    GOOD(vqemu_vm_set_string(vm, "nics[0].backend", "user", NULL));
    _cleanup_free_ char *before = write_vm(vm);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        _cleanup_error_ vqemu_error *error = NULL;
        int r = vqemu_vm_set_string(vm, cases[i].key, cases[i].value, &error);
        bool is_unknown = strcmp(cases[i].reason, "unknown-key") == 0;
        ck_assert_msg(r == (is_unknown ? VQEMU_ERR_UNKNOWN_KEY : VQEMU_ERR_INVALID), "%s",
                      cases[i].key);
        ck_assert_msg(strcmp(vqemu_error_reason(error), cases[i].reason) == 0, "%s: %s: %s",
                      cases[i].key, vqemu_error_reason(error), vqemu_error_message(error));
        ck_assert_str_eq(vqemu_error_detail(error, "key"), cases[i].key);
        ck_assert_int_eq(strncmp(vqemu_error_message(error), cases[i].key, strlen(cases[i].key)),
                         0);
        _cleanup_free_ char *after = write_vm(vm);
        ck_assert_msg(strcmp(after, before) == 0, "%s", cases[i].key);
    }
}
END_TEST

START_TEST(an_index_that_is_the_count_appends) {
    _cleanup_vm_ vqemu_vm *vm = NULL;
    size_t count;
    const char *string;
    GOOD(vqemu_vm_new("x", &vm, NULL));
    GOOD(vqemu_vm_set_number(vm, "nics[0].forwards[0].host_port", 80, NULL)); /* two at once */
    GOOD(vqemu_vm_set_switch(vm, "disks[0].cdrom", VQEMU_SWITCH_ON, NULL));
    GOOD(vqemu_vm_set_string(vm, "disks[1].file", NULL, NULL)); /* with nothing set */
    GOOD(vqemu_vm_set_string(vm, "extra_args[0]", "a", NULL));
    GOOD(vqemu_vm_set_string(vm, "extra_args[1]", "b", NULL));
    GOOD(vqemu_vm_set_string(vm, "extra_args[0]", "c", NULL));
    GOOD(vqemu_vm_count(vm, "disks", &count, NULL));
    ck_assert_uint_eq(count, 2);
    GOOD(vqemu_vm_count(vm, "nics[0].forwards", &count, NULL));
    ck_assert_uint_eq(count, 1);
    ck_assert_int_eq(vqemu_vm_count(vm, "nics[1].forwards", &count, NULL), VQEMU_ERR_INVALID);
    ck_assert_uint_eq(count, 0);
    GOOD(vqemu_vm_get_string(vm, "extra_args[0]", &string, NULL));
    ck_assert_str_eq(string, "c");
    ck_assert_int_eq(vqemu_vm_get_string(vm, "extra_args[2]", &string, NULL), VQEMU_ERR_INVALID);
    ck_assert_ptr_null(string);
    /* asking and unsetting append nothing */
    ck_assert_int_eq(vqemu_vm_get_string(vm, "disks[2].file", &string, NULL), VQEMU_ERR_INVALID);
    ck_assert_int_eq(vqemu_vm_unset(vm, "disks[2].file", NULL), VQEMU_ERR_INVALID);
    ck_assert_int_eq(vqemu_vm_remove(vm, "disks[2]", NULL), VQEMU_ERR_INVALID);
    GOOD(vqemu_vm_count(vm, "disks", &count, NULL));
    ck_assert_uint_eq(count, 2);
}
END_TEST

START_TEST(what_is_behind_a_removed_element_moves_up) {
    _cleanup_vm_ vqemu_vm *vm = NULL;
    const char *string;
    size_t count;
    GOOD(vqemu_vm_new("x", &vm, NULL));
    for (size_t i = 0; i < 20; i++) {
        _cleanup_free_ char *key = format_string(VQEMU_KEY_DISKS_FILE(VQEMU_KEYS_ANY), i),
                            *extra = format_string(VQEMU_KEY_EXTRA_ARGS_AT(VQEMU_KEYS_ANY), i),
                            *value = format_string("/%zu", i);
        GOOD(vqemu_vm_set_string(vm, key, value, NULL));
        GOOD(vqemu_vm_set_string(vm, extra, value, NULL));
    }
    GOOD(vqemu_vm_remove(vm, "disks[0]", NULL));
    GOOD(vqemu_vm_remove(vm, "disks[18]", NULL)); /* the last */
    GOOD(vqemu_vm_remove(vm, "extra_args[3]", NULL));
    GOOD(vqemu_vm_get_string(vm, "disks[0].file", &string, NULL));
    ck_assert_str_eq(string, "/1");
    GOOD(vqemu_vm_get_string(vm, "disks[17].file", &string, NULL));
    ck_assert_str_eq(string, "/18");
    GOOD(vqemu_vm_get_string(vm, "extra_args[3]", &string, NULL));
    ck_assert_str_eq(string, "/4");
    GOOD(vqemu_vm_set_string(vm, "extra_args[19]", "end", NULL));
    GOOD(vqemu_vm_count(vm, "extra_args", &count, NULL));
    ck_assert_uint_eq(count, 20);
    GOOD(vqemu_vm_unset(vm, "disks", NULL));
    GOOD(vqemu_vm_unset(vm, "extra_args", NULL));
    _cleanup_free_ char *text = write_vm(vm);
    ck_assert_str_eq(text, "{\n  \"name\": \"x\"\n}\n");
}
END_TEST

START_TEST(descriptors_that_are_none_are_refused) {
    static const char *const keys[] = {VQEMU_KEY_QMP_FD, VQEMU_KEY_DISKS_FD(0),
                                       VQEMU_KEY_NICS_FD(0), VQEMU_KEY_NICS_VHOST_FD(0)};
    static const uint64_t bad[] = {0, 1, 2, (uint64_t)-1, 2147483648};
    for (size_t k = 0; k < sizeof keys / sizeof *keys; k++) {
        _cleanup_vm_ vqemu_vm *vm = NULL;
        uint64_t number;
        GOOD(vqemu_vm_new("x", &vm, NULL));
        for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
            ck_assert_int_eq(vqemu_vm_set_number(vm, keys[k], bad[i], NULL), VQEMU_ERR_INVALID);
        GOOD(vqemu_vm_set_number(vm, keys[k], 5, NULL));
        GOOD(vqemu_vm_get_number(vm, keys[k], &number, NULL));
        ck_assert_uint_eq(number, 5);
        GOOD(vqemu_vm_unset(vm, keys[k], NULL));
        GOOD(vqemu_vm_get_number(vm, keys[k], &number, NULL));
        ck_assert_uint_eq(number, 0);
    }
}
END_TEST

START_TEST(lists_have_an_end) {
    _cleanup_vm_ vqemu_vm *vm = NULL;
    _cleanup_error_ vqemu_error *error = NULL;
    GOOD(vqemu_vm_new("x", &vm, NULL));
    for (size_t i = 0; i <= LIST_MAX; i++) {
        _cleanup_free_ char *disk = format_string(VQEMU_KEY_DISKS_FILE(VQEMU_KEYS_ANY), i),
                            *extra = format_string(VQEMU_KEY_EXTRA_ARGS_AT(VQEMU_KEYS_ANY), i),
                            *feature = format_string("cpu_features.f%zu", i);
        int expected = i < LIST_MAX ? 0 : VQEMU_ERR_INVALID;
        ck_assert_int_eq(vqemu_vm_set_string(vm, extra, "x", NULL), expected);
        ck_assert_int_eq(vqemu_vm_set_number(vm, feature, 1, NULL), expected);
        ck_assert_int_eq(vqemu_vm_set_string(vm, disk, "/x", &error), expected);
    }
    ck_assert_str_eq(vqemu_error_reason(error), "too-many");
    ck_assert_str_eq(vqemu_error_detail(error, "key"), "disks[1000].file");
}
END_TEST

/* In a document they are counted before they are read. */
START_TEST(a_document_with_very_long_lists_is_refused_at_once) {
    static const char *const elements[] = {"{}", "\"\""};
    static const char *const lists[] = {"disks", "extra_args"};
    struct strbuf text = {0};
    _cleanup_error_ vqemu_error *error = NULL;
    vqemu_vm *vm = NULL;
    strbuf_addf(&text, "{\"name\":\"x\",\"%s\":[", lists[_i]);
    for (int i = 0; i < 60000; i++)
        strbuf_addf(&text, "%s%s", i > 0 ? "," : "", elements[_i]);
    strbuf_add(&text, "]}");
    ck_assert_int_eq(vqemu_vm_from_json(text.text, text.length, NULL, 0, &vm, &error),
                     VQEMU_ERR_INVALID);
    ck_assert_str_eq(vqemu_error_detail(error, "key"), lists[_i]);
    strbuf_release(&text);
}
END_TEST

START_TEST(features_are_checked_and_the_last_word_counts) {
    static const char *const bad[] = {"", "a,b", "a=b", "-a", "a b"};
    static const char *const bad_values[] = {"a,b", "a\nb", ","};
    _cleanup_vm_ vqemu_vm *vm = NULL;
    int32_t state;
    uint64_t number;
    const char *string;
    GOOD(vqemu_vm_new("x", &vm, NULL));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        _cleanup_free_ char *key = format_string("cpu_features.%s", bad[i]);
        ck_assert_int_eq(vqemu_vm_set_switch(vm, key, VQEMU_SWITCH_ON, NULL), VQEMU_ERR_INVALID);
    }
    for (size_t i = 0; i < sizeof bad_values / sizeof *bad_values; i++)
        ck_assert_int_eq(vqemu_vm_set_string(vm, "cpu_features.a", bad_values[i], NULL),
                         VQEMU_ERR_INVALID);
    ck_assert_int_eq(vqemu_vm_set_number(vm, "cpu_features.a", UINT64_MAX, NULL),
                     VQEMU_ERR_INVALID);
    GOOD(vqemu_vm_set_switch(vm, VQEMU_KEY_CPU_FEATURES_NAMED("sse4.1"), VQEMU_SWITCH_ON, NULL));
    GOOD(vqemu_vm_set_switch(vm, "cpu_features.sse4", VQEMU_SWITCH_ON, NULL)); /* a beginning */
    GOOD(vqemu_vm_set_switch(vm, "cpu_features.sse4", VQEMU_SWITCH_OFF, NULL));
    GOOD(vqemu_vm_set_string(vm, "cpu_features.hv-spinlocks", "off", NULL));
    GOOD(vqemu_vm_get_switch(vm, "cpu_features.hv-spinlocks", &state, NULL));
    ck_assert_int_eq(state, VQEMU_SWITCH_OFF);
    GOOD(vqemu_vm_set_string(vm, "cpu_features.hv-spinlocks", "0x1fff", NULL));
    GOOD(vqemu_vm_get_string(vm, "cpu_features.hv-spinlocks", &string, NULL));
    ck_assert_str_eq(string, "0x1fff");
    ck_assert_int_eq(vqemu_vm_get_number(vm, "cpu_features.hv-spinlocks", &number, NULL),
                     VQEMU_ERR_INVALID);
    ck_assert_int_eq(vqemu_vm_get_switch(vm, "cpu_features.hv-spinlocks", &state, NULL),
                     VQEMU_ERR_INVALID);
    GOOD(vqemu_vm_set_number(vm, "cpu_features.level", 0, NULL)); /* a value, here */
    GOOD(vqemu_vm_get_string(vm, "cpu_features.none", &string, NULL));
    ck_assert_ptr_null(string);
    _cleanup_free_ char *text = write_vm(vm);
    ck_assert_str_eq(text, "{\n  \"name\": \"x\",\n  \"cpu_features\": {\n    \"sse4.1\": true,\n"
                           "    \"sse4\": false,\n    \"hv-spinlocks\": \"0x1fff\",\n"
                           "    \"level\": 0\n  }\n}\n");
    GOOD(vqemu_vm_set_switch(vm, "cpu_features.sse4.1", VQEMU_SWITCH_DEFAULT, NULL));
    GOOD(vqemu_vm_set_string(vm, "cpu_features.hv-spinlocks", "", NULL));
    GOOD(vqemu_vm_unset(vm, "cpu_features.level", NULL));
    ck_assert_uint_eq(vm->cpu_features.count, 1);
    ck_assert_str_eq(vm->cpu_features.items[0].name, "sse4");
}
END_TEST

int main(void) {
    Suite *suite = suite_create("key");
    TCase *tests = tcase_create("key");
    tcase_add_test(tests, keys_set_and_say_what_json_does);
    tcase_add_loop_test(tests, a_slip_in_any_key_is_refused, 0, 3);
    tcase_add_test(tests, a_value_of_another_kind_is_refused);
    tcase_add_test(tests, every_key_can_be_unset_or_removed);
    tcase_add_test(tests, what_is_refused_appends_nothing);
    tcase_add_test(tests, an_index_that_is_the_count_appends);
    tcase_add_test(tests, what_is_behind_a_removed_element_moves_up);
    tcase_add_test(tests, lists_have_an_end);
    tcase_add_loop_test(tests, a_document_with_very_long_lists_is_refused_at_once, 0, 2);
    tcase_add_test(tests, descriptors_that_are_none_are_refused);
    tcase_add_test(tests, features_are_checked_and_the_last_word_counts);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
