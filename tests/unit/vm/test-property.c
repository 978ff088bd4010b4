/* SPDX-License-Identifier: MIT */
/* Properties by setters, in JSON, and in the schema: three views of one table. */
#include "vm/property.h"

#include <locale.h>
#include <regex.h>

#include "base/error.h"
#include "base/json.h"
#include "cases.h"
#include "document.h"
#include "choice/arch.h"
#include "util/pattern.h"
#include "vm/disk.h"
#include "vm/identity.h"
#include "vm/nic.h"
#include "vm/share.h"
#include "vm/vm.h"

static const struct object_type *const types[] = {&vm_type,    &disk_type, &layer_type,
                                                  &share_type, &nic_type,  &forward_type};
enum { TYPE_COUNT = sizeof types / sizeof *types };

/* ---- the document with every key ---- */

static void find_key(const struct object_type *type, json_t *object, const char *key, bool *found) {
    *found = *found || json_object_get(object, key);
    (void)type;
}

/* Whether any of the objects of a type in the document has the key. */
static bool document_has(json_t *vm, const struct object_type *type, const char *key) {
    static const char *const lists[] = {NULL, "disks", "disks", "shares", "nics", "nics"},
                             *const inner[] = {NULL, NULL, "backing", NULL, NULL, "forwards"};
    bool found = false;
    for (size_t i = 0; i < TYPE_COUNT; i++) {
        if (types[i] != type)
            continue;
        if (!lists[i])
            find_key(type, vm, key, &found);
        size_t index;
        json_t *element;
        json_array_foreach(json_object_get(vm, lists[i] ? lists[i] : ""), index, element) {
            json_t *below = inner[i] ? json_object_get(element, inner[i]) : NULL;
            if (inner[i])
                for (size_t j = 0; j < json_array_size(below); j++)
                    find_key(type, json_array_get(below, j), key, &found);
            else
                find_key(type, element, key, &found);
        }
    }
    return found;
}

START_TEST(the_document_has_every_key) {
    _cleanup_free_ char *text = every_key();
    _cleanup_json_ json_t *vm = json_loads(text, 0, NULL);
    ck_assert_ptr_nonnull(vm);
    for (size_t i = 0; i < TYPE_COUNT; i++)
        for (size_t j = 0; j < types[i]->count; j++)
            ck_assert_msg(document_has(vm, types[i], types[i]->properties[j].key),
                          "no %s of the document has the key %s", types[i]->noun,
                          types[i]->properties[j].key);
}
END_TEST

START_TEST(a_document_comes_out_as_it_went_in) {
    _cleanup_free_ char *text = every_key();
    _cleanup_vm_ vqemu_vm *vm = read_vm(text);
    _cleanup_free_ char *written = write_vm(vm);
    ck_assert_str_eq(written, text);
}
END_TEST

#define GOOD(call) ck_assert_int_eq(call, 0)

/* ---- every property of every type ---- */

static int set_string(const struct object_type *type, void *object, const char *key,
                      const char *value, vqemu_error **error) {
    return property_set_string(property_find(type, key, strlen(key)), object, key, value, error);
}

static int set_number(const struct object_type *type, void *object, const char *key, uint64_t value,
                      vqemu_error **error) {
    return property_set_number(property_find(type, key, strlen(key)), object, key, value, error);
}

/* An object of a type, with a look at each of its fields. */
struct subject {
    const struct object_type *type;
    void *object;
};

static struct subject make_subject(int index) {
    struct subject subject = {types[index], calloc(1, types[index]->size)};
    ck_assert_ptr_nonnull(subject.object);
    return subject;
}

static void free_subject(struct subject *subject) {
    object_release(subject->type, subject->object);
    free(subject->object);
}

static const char *string_of(const struct subject *subject, const struct property *property) {
    return *(char *const *)property_value(property, subject->object);
}

static void refuses(const struct subject *subject, const struct property *property,
                    const char *value, const char *message) {
    _cleanup_error_ vqemu_error *error = NULL;
    _cleanup_free_ char *before =
        string_of(subject, property) ? strdup(string_of(subject, property)) : NULL;
    int r = set_string(subject->type, subject->object, property->key, value, &error);
    ck_assert_msg(r == VQEMU_ERR_INVALID, "%s of a %s took \"%s\"", property->key,
                  subject->type->noun, value);
    ck_assert_msg(strstr(vqemu_error_message(error), message), "%s", vqemu_error_message(error));
    ck_assert_ptr_nonnull(strstr(vqemu_error_message(error), property->key));
    ck_assert_pstr_eq(string_of(subject, property), before); /* a refused value changes nothing */
}

static void takes(const struct subject *subject, const struct property *property,
                  const char *value) {
    _cleanup_error_ vqemu_error *error = NULL;
    int r = set_string(subject->type, subject->object, property->key, value, &error);
    ck_assert_msg(r == 0, "%s", vqemu_error_message(error));
    ck_assert_str_eq(string_of(subject, property), value);
}

static void check_choices(const struct subject *subject, const struct property *property) {
    const char *choice, *first = property_choice_at(property, 0);
    for (size_t i = 0; (choice = property_choice_at(property, i)); i++) {
        takes(subject, property, choice);
        ck_assert_ptr_eq(string_of(subject, property), choice); /* not a copy */
    }
    refuses(subject, property, "else", first);
    refuses(subject, property, first[0] == 'v' ? "V" : " ", "is not one of");
    GOOD(set_string(subject->type, subject->object, property->key, NULL, NULL));
    ck_assert_ptr_null(string_of(subject, property));
}

/* Of QEMU's, which it would take for descriptors, and of the kernel's. */
static const char *const of_processes[] = {
    "/dev/fdset/3",   "/dev/fdset",        "//dev/./fdset/3", "/dev/fd/0",
    "/dev/stdin",     "/dev/stdout",       "/dev/stderr/",    "/proc/self/fd/3",
    "/proc/self",     "/proc/self/root/a", "/proc//self/cwd", "/proc/thread-self/fd/3",
    "/proc/1/root/a", "/./proc/12/fd/3",   "/proc/1"};

/* What QEMU would open in other ways than a file. */
static const char *const protocols[] = {
    "fd:3",         "fdset:3", "file:/a",    "json:{}",  "nbd:host:10809", "nbd+unix:///?socket=/a",
    "host_device:", "fat:/a",  "http://a/b", "exec:cat", "unix:/a",        "-"};

static void check_paths(const struct subject *subject, const struct property *property) {
    char longest[SOCKET_PATH_MAX + 2];
    memset(longest, '/', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    takes(subject, property, property->pattern ? "/a=\xff%\\" : "/a,b=\xff%\\");
    takes(subject, property, "/..a/b../...");
    refuses(subject, property, "/..", "\"/..\" has a \"..\"");
    refuses(subject, property, "/...a/../b", "has a \"..\"");
    refuses(subject, property, "/a/..b//..", "has a \"..\"");
    refuses(subject, property, "relative", "\"relative\" is not an absolute path");
    refuses(subject, property, "./a", "is not an absolute path");
    for (size_t i = 0; i < sizeof of_processes / sizeof *of_processes; i++)
        refuses(subject, property, of_processes[i], "leads each process elsewhere");
    for (size_t i = 0; i < sizeof protocols / sizeof *protocols; i++)
        refuses(subject, property, protocols[i], "is not an absolute path");
    takes(subject, property, "/dev/fds/1");
    takes(subject, property, "/srv/dev/fd/1");
    takes(subject, property, "/proc/selfish");
    takes(subject, property, "/proc/1a");
    if (property->kind == PROPERTY_SOCKET)
        refuses(subject, property, longest, "has 108 bytes; it can have 107");
    takes(subject, property, property->kind == PROPERTY_SOCKET ? longest + 1 : "/");
}

static void check_numbers(const struct subject *subject, const struct property *property) {
    const uint64_t good[] = {property->minimum, property->maximum},
                   bad[] = {property->minimum - 1, property->maximum + 1, UINT64_MAX};
    const uint64_t *field = property_value(property, subject->object);
    for (size_t i = 0; i < 2; i++) {
        GOOD(set_number(subject->type, subject->object, property->key, good[i], NULL));
        ck_assert_uint_eq(*field, good[i]);
    }
    for (size_t i = 0; i < 3; i++) {
        if (bad[i] == 0 && !property->required)
            continue;
        ck_assert_int_eq(set_number(subject->type, subject->object, property->key, bad[i], NULL),
                         VQEMU_ERR_INVALID);
        ck_assert_uint_eq(*field, property->maximum);
    }
    int r = set_number(subject->type, subject->object, property->key, 0, NULL);
    ck_assert_int_eq(r, property->required ? VQEMU_ERR_INVALID : 0);
}

/* NULL and "" unset a string, but for those that must be there or may be empty. */
static void check_unsetting(const struct subject *subject, const struct property *property) {
    for (size_t i = 0; i < 2; i++) {
        const char *none = i == 0 ? NULL : "";
        int r = set_string(subject->type, subject->object, property->key, none, NULL);
        ck_assert_int_eq(r, property->required ? VQEMU_ERR_INVALID : 0);
        if (property->required)
            ck_assert_ptr_nonnull(string_of(subject, property));
        else if (none && property->may_be_empty)
            ck_assert_str_eq(string_of(subject, property), "");
        else
            ck_assert_ptr_null(string_of(subject, property));
    }
}

START_TEST(every_property_takes_what_its_table_says) {
    struct subject subject = make_subject(_i);
    for (size_t i = 0; i < subject.type->count; i++) {
        const struct property *property = &subject.type->properties[i];
        bool is_path = property->kind == PROPERTY_PATH || property->kind == PROPERTY_SOCKET;
        if (is_path)
            check_paths(&subject, property);
        if (property->kind == PROPERTY_CHOICE)
            check_choices(&subject, property);
        if (property->kind == PROPERTY_NUMBER)
            check_numbers(&subject, property);
        if (is_path || property->kind == PROPERTY_CHOICE)
            check_unsetting(&subject, property);
    }
    free_subject(&subject);
}
END_TEST

START_TEST(every_property_says_what_it_means) {
    for (size_t i = 0; i < types[_i]->count; i++) {
        const struct property *property = &types[_i]->properties[i];
        size_t length = strlen(property->meaning);
        ck_assert_msg(length > 10 && property->meaning[length - 1] == '.', "%s", property->key);
        bool is_number = property->kind == PROPERTY_NUMBER; /* wants its unit */
        ck_assert_msg(is_number || !property->pattern == !property->wanted, "%s", property->key);
        for (size_t j = 0; j < i; j++)
            ck_assert_str_ne(property->key, types[_i]->properties[j].key);
    }
}
END_TEST

static const struct {
    const struct object_type *type;
    const char *key;
    const char *good[6], *bad[8];
} patterns[] = {
    {&vm_type,
     "uuid",
     {"6ba7b810-9dad-11d1-80b4-00c04fd430c8", "6BA7B810-9DAD-11D1-80B4-00C04FD430C8"},
     {"6ba7b810-9dad-11d1-80b4-00c04fd430c", "{6ba7b810-9dad-11d1-80b4-00c04fd430c8}",
      "6ba7b810-9dad-11d1-80b4-00c04fd430c8\n", "x"}},
    {&vm_type,
     "user",
     {"root", "_apt", "0", "4294967295", "a.b-c_d"},
     {"-a", "a b", "12345678901", "a:b", "a%u", "\xc3\xa4", "0x1"}},
    {&vm_type,
     "machine",
     {"q35", "pc-q35-7.2", "s390-ccw-virtio"},
     {"q35,x=y", "-q35", "q35 ", "q 35", "q35\n"}},
    {&vm_type,
     "hugepages",
     {"2M", "1G", "64K", "999999K"},
     {"2", "0M", "2m", "1T", "2M ", "-2M", "1000000K"}},
    {&vm_type, "cpu_model", {"max", "EPYC-v1", "power8_v2.0", "sh7750r+"}, {"max,x", "max ", "-x"}},
    {&disk_type, "iothread", {"a", "A.b_c-1"}, {"1", "a,b", "a b", "-a", "a=b", "a/b"}},
    {&disk_type,
     "serial",
     {" ", "a,b=c\n", "123456789012345678901234567890123456"},
     {"1234567890123456789012345678901234567"}},
    {&share_type,
     "tag",
     {",", "123456789012345678901234567890123456"},
     {"1234567890123456789012345678901234567"}},
    {&nic_type,
     "mac",
     {"52:54:00:12:34:56", "02:AB:cd:ef:00:00"},
     {"53:54:00:12:34:56", "52-54-00-12-34-56", "52:54:00:12:34", "52:54:00:12:34:567",
      "52:54:00:12:34:5g", "52:54:00:12:34:56,x"}},
    {&nic_type,
     "ifname",
     {"tap0", "a,b=c", "123456789012345", "\xff",
      "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4"},
     {"1234567890123456", "a/b", "a:b", "a b", "a\tb", "a\n",
      "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4"}},
    {&nic_type, "bridge", {"br0", "br,0"}, {"br 0", "br/0", "1234567890123456"}},
    {&vm_type, "initrd", {"/a;b=c\n", "/\xff"}, {"/a,b", "/a b", "/a,,b", "/,", "a"}},
    {&nic_type, "helper", {"/a,b", "/\xff"}, {"/a b", "/a\tb", "a"}},
    {&forward_type,
     "host_address",
     {"127.0.0.1", "0.0.0.0"},
     {"localhost", "::1", "1.2.3", "1.2.3.4 ", "1.2.3.4-"}},
};

/* Whatever the caller's locale is: in C.UTF-8, \xff is no character, and \xc3\xa4 is one. */
START_TEST(patterns_take_what_they_should) {
    static const char *const locales[] = {"C", "C.UTF-8"};
    ck_assert_ptr_nonnull(setlocale(LC_ALL, locales[_i]));
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        int index = 0;
        while (types[index] != patterns[i].type)
            index++;
        struct subject subject = make_subject(index);
        const struct property *property = types[index]->properties;
        while (strcmp(property->key, patterns[i].key) != 0)
            property++;
        for (size_t j = 0; j < 6 && patterns[i].good[j]; j++)
            takes(&subject, property, patterns[i].good[j]);
        for (size_t j = 0; j < 8 && patterns[i].bad[j]; j++)
            refuses(&subject, property, patterns[i].bad[j], "\"");
        free_subject(&subject);
    }
    ck_assert_str_eq(setlocale(LC_ALL, NULL), locales[_i]);
    setlocale(LC_ALL, "C"); /* tests may run in one process */
}
END_TEST

/* A string that is close to matching: pieces that patterns are made of, and some that are not. */
static void make_near_match(char text[static 64], unsigned *seed) {
    static const char *const pieces[] = {"a",
                                         "Z",
                                         "0",
                                         "9",
                                         "f",
                                         "52:",
                                         ":54",
                                         "1.",
                                         ".2",
                                         "-",
                                         "_",
                                         "K",
                                         "M",
                                         "/",
                                         " ",
                                         "\n",
                                         "\t",
                                         "\xff",
                                         "\xc3\xa4",
                                         "127.0.0.1",
                                         "6ba7b810",
                                         "-9dad",
                                         "-11d1",
                                         "-80b4",
                                         "-00c04fd430c8",
                                         "+",
                                         "00:",
                                         "52:54:00:12:34:56",
                                         "q35",
                                         "$",
                                         "|",
                                         "(",
                                         "]"};
    text[0] = '\0';
    int count = rand_r(seed) % 6;
    for (int i = 0; i < count; i++)
        strncat(text, pieces[(size_t)rand_r(seed) % (sizeof pieces / sizeof *pieces)],
                63 - strlen(text));
}

START_TEST(patterns_mean_what_posix_says) {
    unsigned seed = 1;
    size_t matches = 0;
    for (size_t i = 0; i < types[_i]->count; i++) {
        const struct property *property = &types[_i]->properties[i];
        regex_t expression;
        if (!property->pattern)
            continue;
        ck_assert_int_eq(regcomp(&expression, property->pattern, REG_EXTENDED | REG_NOSUB), 0);
        for (int j = 0; j < 4000; j++) {
            char text[64];
            make_near_match(text, &seed);
            bool expected = regexec(&expression, text, 0, NULL, 0) == 0;
            ck_assert_msg(pattern_matches(property->pattern, text) == expected, "%s: \"%s\"",
                          property->pattern, text);
            matches += expected;
        }
        regfree(&expression);
    }
    ck_assert(matches > 0 || types[_i] == &share_type || types[_i] == &layer_type);
}
END_TEST

START_TEST(the_architectures_are_those_of_the_table) {
    const struct property *property = property_find(&vm_type, "guest_arch", strlen("guest_arch"));
    for (size_t i = 0; i < arch_count(); i++)
        ck_assert_pstr_eq(property_choice_at(property, i), arch_at(i)->name);
    ck_assert_ptr_null(property_choice_at(property, arch_count()));
}
END_TEST

START_TEST(what_json_cannot_carry_is_named) {
    for (int i = 0; i < 3; i++) {
        _cleanup_vm_ vqemu_vm *vm = NULL;
        _cleanup_error_ vqemu_error *error = NULL;
        char *text = (char *)&vm;
        GOOD(vqemu_vm_new(i == 0 ? "\xff" : "x", &vm, NULL));
        if (i == 1)
            GOOD(vqemu_vm_set_string(vm, "extra_args[0]", "\xff", NULL));
        if (i == 2)
            GOOD(vqemu_vm_set_string(vm, "shares[0].path", "/\xff", NULL));
        ck_assert_int_eq(vqemu_vm_to_json(vm, 0, &text, &error), VQEMU_ERR_UNSUPPORTED);
        ck_assert_ptr_null(text);
        static const char *const keys[] = {"name", "extra_args[0]", "shares[0].path"};
        ck_assert_str_eq(vqemu_error_detail(error, "key"), keys[i]);
        ck_assert_str_eq(vqemu_error_reason(error), "not-utf-8");
    }
}
END_TEST

/* ---- the schema ---- */

START_TEST(the_schema_has_every_property) {
    _cleanup_json_ json_t *schema = object_schema(types[_i]);
    json_t *properties = json_object_get(schema, "properties");
    ck_assert_uint_eq(json_object_size(properties), types[_i]->count);
    for (size_t i = 0; i < types[_i]->count; i++) {
        const struct property *property = &types[_i]->properties[i];
        json_t *own = json_object_get(properties, property->key);
        ck_assert_str_eq(json_string_value(json_object_get(own, "description")), property->meaning);
        ck_assert_ptr_nonnull(json_object_get(own, "type"));
    }
    ck_assert(json_is_false(json_object_get(schema, "additionalProperties")));
}
END_TEST

/* ---- what follows from the name ---- */

START_TEST(ids_can_stand_in_names_of_files_and_units) {
    static const struct {
        const char *name, *id; /* without the "-" and 16 digits that others than plain names get */
    } cases[] = {
        {"123456789012345678901234567890123456789012345678x", "1234567890123456789012345678901"},
        {"bank_server-2ca1bcaa", "bank_server-2ca1bcaa"},
        {"a-0123456789abcdef", "a-0123456789abcdef"},
        {"a-0123456789", "a-0123456789"},
        {"-rf", "xrf"},
        {".hidden", "xhidden"},
        {"_", "x"},
        {"a b/c", "a_b_c"},
        {"\xc3\xa4", "x_"},
        {"a\nb%n$x", "a_b_n_x"},
    };
    static const char *const plain[] = {
        "web",          "0.A_b-c",         "123456789012345678901234567890123456789012345678",
        "web-0123456",  "web-0123456x",    "web-0123456789abcdef0",
        "web-ABCDEF01", "0123456789abcdef"};
    char id[IDENTITY_ID_MAX + 1];
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
        identity_id(plain[i], id);
        ck_assert_str_eq(id, plain[i]);
    }
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t length = strlen(cases[i].id);
        identity_id(cases[i].name, id);
        ck_assert_msg(strncmp(id, cases[i].id, length) == 0 && id[length] == '-', "%s", id);
        ck_assert_uint_eq(strspn(id + length + 1, "0123456789abcdef"), 16);
        ck_assert_uint_eq(strlen(id), length + 17);
        ck_assert_uint_le(strlen(id), IDENTITY_ID_MAX);
    }
}
END_TEST

START_TEST(other_names_have_other_ids_uuids_and_addresses) {
    static const char *const names[] = {"a b", "a_b", "a  b", "a\tb", "_b", "-b",
                                        ".b",  "x_b", "a",    "b",    "aa"};
    enum { COUNT = sizeof names / sizeof *names };
    char ids[COUNT][IDENTITY_ID_MAX + 1], uuids[COUNT][IDENTITY_UUID_LENGTH + 1],
        macs[COUNT][2][IDENTITY_MAC_LENGTH + 1];
    for (size_t i = 0; i < COUNT; i++) {
        identity_id(names[i], ids[i]);
        identity_uuid(names[i], uuids[i]);
        identity_mac(names[i], 0, macs[i][0]);
        identity_mac(names[i], 1, macs[i][1]);
        ck_assert_uint_eq(strlen(uuids[i]), IDENTITY_UUID_LENGTH);
        ck_assert(uuids[i][14] == '8' && strchr("89ab", uuids[i][19]));
        ck_assert_uint_eq(strlen(macs[i][1]), IDENTITY_MAC_LENGTH);
        ck_assert_int_eq(strncmp(macs[i][0], "52:54:00:", 9), 0);
        ck_assert_str_ne(macs[i][0], macs[i][1]);
        for (size_t j = 0; j < i; j++) {
            ck_assert_str_ne(ids[i], ids[j]);
            ck_assert_str_ne(uuids[i], uuids[j]);
            ck_assert_str_ne(macs[i][0], macs[j][0]);
        }
    }
}
END_TEST

/* They are in guests' configurations: another version of the library must derive the same. */
START_TEST(what_was_derived_once_stays) {
    char id[IDENTITY_ID_MAX + 1], uuid[IDENTITY_UUID_LENGTH + 1], mac[IDENTITY_MAC_LENGTH + 1];
    identity_id("my guest", id);
    identity_uuid("my guest", uuid);
    identity_mac("my guest", 3, mac);
    ck_assert_str_eq(id, "my_guest-1618e50b9ffa0514");
    ck_assert_str_eq(uuid, "57b5282b-e32c-858c-823b-f9790d4368cf");
    ck_assert_str_eq(mac, "52:54:00:90:62:d9");
}
END_TEST

int main(void) {
    Suite *suite = suite_create("property");
    TCase *tests = tcase_create("property");
    tcase_add_test(tests, the_document_has_every_key);
    tcase_add_test(tests, a_document_comes_out_as_it_went_in);
    tcase_add_loop_test(tests, every_property_takes_what_its_table_says, 0, TYPE_COUNT);
    tcase_add_loop_test(tests, every_property_says_what_it_means, 0, TYPE_COUNT);
    tcase_add_loop_test(tests, patterns_take_what_they_should, 0, 2);
    tcase_add_loop_test(tests, patterns_mean_what_posix_says, 0, TYPE_COUNT);
    tcase_add_test(tests, the_architectures_are_those_of_the_table);
    tcase_add_test(tests, what_json_cannot_carry_is_named);
    tcase_add_loop_test(tests, the_schema_has_every_property, 0, TYPE_COUNT);
    tcase_add_test(tests, ids_can_stand_in_names_of_files_and_units);
    tcase_add_test(tests, other_names_have_other_ids_uuids_and_addresses);
    tcase_add_test(tests, what_was_derived_once_stays);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
