/* SPDX-License-Identifier: MIT */
#include "check-argv.h"

#include <stdlib.h>
#include <string.h>

#include <volt-qemu/volt-qemu.h>

#include "fuzz.h"
#include "util/cleanup.h"
#include "util/strbuf.h"
#include "util/strv.h"

enum form {
    FLAG,  /* has no value */
    PLAIN, /* has one that QEMU does not take apart */
    FIRST, /* key=value pairs behind a value without a key */
    PAIRS, /* all are pairs */
};

/*
 * What lib/command writes; a key or option that is missing here is what this is about. Of keys with
 * a star at their end, any that begin like that.
 */
static const struct option {
    const char *name;
    enum form form;
    const char *keys; /* between blanks */
} options[] = {
    {"-S", FLAG, NULL},
    {"-accel", FIRST, ""},
    {"-action", PAIRS, "watchdog"},
    {"-add-fd", PAIRS, "fd set"},
    {"-append", PLAIN, NULL},
    {"-blockdev", PAIRS,
     "driver node-name read-only file.driver file.filename file.aio cache.direct cache.no-flush "
     "discard file.cache.direct file.cache.no-flush file.discard filename aio"},
    {"-boot", PAIRS, "strict"},
    {"-chardev", FIRST, "id fd mux signal path append server wait logfile logappend"},
    {"-cpu", FIRST, "pauth-impdef hv-*"}, /* and the document's */
    {"-device", FIRST,
     "id bus addr multifunction chassis chassis_nr shpc port p2 p3 devno scsi-id unit iothread "
     "serial device_id drive "
     "write-cache "
     "bootindex netdev "
     "mac "
     "romfile fsdev mount_tag chardev queue-size tag name tpmdev rng deflate-on-oom "
     "free-page-reporting guest-cid"},
    {"-display", FIRST, ""},
    {"-fsdev", FIRST, "id path security_model multidevs readonly"},
    {"-global", PAIRS, "driver property value ICH9-LPC.disable_s* PIIX4_PM.disable_s*"},
    {"-incoming", PLAIN, NULL},
    {"-initrd", PLAIN, NULL},
    {"-kernel", PLAIN, NULL},
    {"-L", PLAIN, NULL},
    {"-m", FIRST, ""},
    {"-machine", FIRST,
     "hpet vmport gic-version via cap-* smm pflash0 pflash1 memory-backend dump-guest-core"},
    {"-mon", PAIRS, "chardev mode"},
    {"-msg", PAIRS, "timestamp guest-name"},
    {"-name", PAIRS, "guest process debug-threads"},
    {"-netdev", FIRST, "id restrict hostfwd fd ifname script downscript vhost vhostfd br helper"},
    {"-nic", FIRST, ""},
    {"-no-reboot", FLAG, NULL},
    {"-no-user-config", FLAG, NULL},
    {"-nodefaults", FLAG, NULL},
    {"-object", FIRST, "id size share hugetlb hugetlbsize prealloc file filename"},
    {"-pidfile", PLAIN, NULL},
    {"-rtc", PAIRS, "base driftfix"},
    {"-sandbox", FIRST, "obsolete elevateprivileges spawn resourcecontrol"},
    {"-serial", PLAIN, NULL},
    {"-smp", FIRST, "sockets cores threads"},
    {"-tpmdev", FIRST, "id chardev"},
    {"-uuid", PLAIN, NULL},
    {"-vnc", FIRST, "vnc password-secret"},
};

static const struct option *find_option(const char *name) {
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        if (strcmp(options[i].name, name) == 0)
            return &options[i];
    return NULL;
}

/* ---- QEMU's option syntax ---- */

/* What has been found: "-blockdev file.filename=/a", without escapes. */
static void add_pair(struct strv *pairs, const char *option, const char *key, const char *value) {
    strv_addf(pairs, "%s %s=%s", option, key, value);
    FUZZ_CHECK(!pairs->failed, "no memory");
}

/* Up to a comma that is not doubled; *text moves behind it. */
static char *take_value(const char **text) {
    struct strbuf value = {0};
    strbuf_add(&value, "");
    for (; **text && (**text != ',' || (*text)[1] == ','); (*text)++) {
        strbuf_add_char(&value, **text);
        if (**text == ',')
            (*text)++;
    }
    *text += **text == ',';
    char *taken = strbuf_take(&value);
    FUZZ_CHECK(taken, "no memory");
    return taken;
}

static bool is_listed(const char *keys, const char *key) {
    size_t length = strlen(key);
    for (const char *word = keys; *word; word += strcspn(word, " "), word += *word == ' ') {
        size_t word_length = strcspn(word, " ");
        bool is_stem = word[word_length - 1] == '*';
        if (is_stem ? strncmp(word, key, word_length - 1) == 0
                    : word_length == length && strncmp(word, key, length) == 0)
            return true;
    }
    return false;
}

static bool is_cpu_feature(const json_t *document, const char *key) {
    return json_object_get(json_object_get(document, "cpu_features"), key) != NULL;
}

static void take_apart(const struct option *option, const char *text, const json_t *document,
                       struct strv *pairs) {
    const char *whole = text;
    bool is_first = option->form == FIRST;
    bool is_cpu = strcmp(option->name, "-cpu") == 0;
    while (*text || is_first) {
        size_t length = strcspn(text, "=,");
        bool has_key = text[length] == '=';
        FUZZ_CHECK(has_key || is_first, "%s: \"%.*s\" has no value in \"%s\"", option->name,
                   (int)length, text, whole);
        _cleanup_free_ char *key = has_key ? strndup(text, length) : strdup("");
        FUZZ_CHECK(key, "no memory");
        text += has_key ? length + 1 : 0;
        _cleanup_free_ char *value = take_value(&text);
        FUZZ_CHECK(!has_key || is_listed(option->keys, key) ||
                       (is_cpu && is_cpu_feature(document, key)),
                   "%s: the key \"%s\" in \"%s\"", option->name, key, whole);
        add_pair(pairs, option->name, key, value);
        is_first = false;
    }
}

/* ---- places ---- */

/* The value of a key of the last option, whose pairs are from first on; "" if it has none. */
static const char *value_of(const struct strv *pairs, size_t first, const char *key) {
    _cleanup_free_ char *wanted = format_string("-device %s=", key);
    FUZZ_CHECK(wanted, "no memory");
    for (size_t i = first; i < pairs->count; i++)
        if (strncmp(pairs->items[i], wanted, strlen(wanted)) == 0)
            return pairs->items[i] + strlen(wanted);
    return "";
}

/* No two devices are in one place: of PCI, of channels, of SCSI, IDE or USB. */
static void check_place(const struct strv *pairs, size_t first, struct strv *places) {
    const char *bus = value_of(pairs, first, "bus"), *address = value_of(pairs, first, "addr");
    size_t length = strlen(address);
    bool is_first = length > 2 && strcmp(address + length - 2, ".0") == 0;
    _cleanup_free_ char *numbers =
        format_string("%.*s/%s/%s/%s/%s", (int)(is_first ? length - 2 : length), address,
                      value_of(pairs, first, "devno"), value_of(pairs, first, "scsi-id"),
                      value_of(pairs, first, "unit"), value_of(pairs, first, "port"));
    _cleanup_free_ char *place = format_string("%s/%s", bus, numbers ? numbers : "");
    FUZZ_CHECK(numbers && place, "no memory");
    if (strcmp(numbers, "////") == 0 && strncmp(bus, "ide.", strlen("ide.")) != 0)
        return;
    for (size_t i = 0; i < places->count; i++)
        FUZZ_CHECK(strcmp(places->items[i], place) != 0, "two devices are at %s", place);
    strv_add(places, place);
    FUZZ_CHECK(!places->failed, "no memory");
}

/* A block node in JSON has no text of the document's. */
static void check_node(const char *text) {
    static const char keys[] = "driver node-name read-only cache discard file data-file backing";
    json_error_t fault;
    _cleanup_json_ json_t *node = json_loads(text, JSON_REJECT_DUPLICATES, &fault);
    const char *key;
    json_t *value;
    FUZZ_CHECK(json_is_object(node), "the node %s", text);
    FUZZ_CHECK(json_object_get(node, "backing"), "%s does not say what is below", text);
    json_object_foreach(node, key, value) {
        const char *word = json_string_value(value);
        FUZZ_CHECK(is_listed(keys, key), "the key \"%s\" in %s", key, text);
        FUZZ_CHECK(!word || strspn(word, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(word),
                   "\"%s\" in %s", word, text);
    }
}

/* ---- the document ---- */

static bool has_pair(const struct strv *pairs, const char *option, const char *key,
                     const char *value) {
    _cleanup_free_ char *wanted = format_string("%s %s=%s", option, key, value);
    FUZZ_CHECK(wanted, "no memory");
    for (size_t i = 0; i < pairs->count; i++)
        if (strcmp(pairs->items[i], wanted) == 0)
            return true;
    return false;
}

/* What an object has for a key is what an option has for one. */
static void check_text(const json_t *object, const char *key, const struct strv *pairs,
                       const char *option, const char *option_key) {
    const char *value = json_string_value(json_object_get(object, key));
    FUZZ_CHECK(!value || has_pair(pairs, option, option_key, value),
               "%s: \"%s\" is not what %s has for \"%s\"", key, value, option, option_key);
}

static void check_list(const json_t *document, const char *list, const char *key,
                       const struct strv *pairs, const char *option, const char *option_key) {
    const json_t *array = json_object_get(document, list);
    for (size_t i = 0; i < json_array_size(array); i++)
        check_text(json_array_get(array, i), key, pairs, option, option_key);
}

static void check_shares(const json_t *document, const struct strv *pairs) {
    const json_t *array = json_object_get(document, "shares");
    for (size_t i = 0; i < json_array_size(array); i++) {
        const json_t *share = json_array_get(array, i);
        const char *driver = json_string_value(json_object_get(share, "driver"));
        bool is_virtiofs = driver && strcmp(driver, "virtiofs") == 0;
        check_text(share, "tag", pairs, "-device", is_virtiofs ? "tag" : "mount_tag");
        if (!is_virtiofs)
            check_text(share, "path", pairs, "-fsdev", "path");
    }
}

static bool has_layers(const json_t *image) {
    const char *format = json_string_value(json_object_get(image, "format"));
    return format && strcmp(format, "qcow2") == 0;
}

static void check_image(const json_t *image, const struct strv *pairs) {
    check_text(image, "file", pairs, "-blockdev", has_layers(image) ? "filename" : "file.filename");
    check_text(image, "data_file", pairs, "-blockdev", "filename");
}

static void check_disks(const json_t *document, const struct strv *pairs) {
    const json_t *disks = json_object_get(document, "disks");
    for (size_t i = 0; i < json_array_size(disks); i++) {
        const json_t *disk = json_array_get(disks, i), *layers = json_object_get(disk, "backing");
        check_image(disk, pairs);
        for (size_t j = 0; j < json_array_size(layers); j++)
            check_image(json_array_get(layers, j), pairs);
    }
}

static void check_document(const json_t *document, const struct strv *pairs) {
    const char *name = json_string_value(json_object_get(document, "name"));
    _cleanup_free_ char *guest = format_string("volt-%s", name);
    FUZZ_CHECK(name && guest && has_pair(pairs, "-name", "guest", guest),
               "\"%s\" is not the guest's name", name);
    check_text(document, "uuid", pairs, "-uuid", "");
    check_text(document, "kernel", pairs, "-kernel", "");
    check_text(document, "initrd", pairs, "-initrd", "");
    check_text(document, "append", pairs, "-append", "");
    check_text(document, "console_log", pairs, "-chardev", "logfile");
    check_text(document, "console_path", pairs, "-chardev", "path");
    check_text(document, "qmp_socket", pairs, "-chardev", "path");
    check_text(document, "guest_agent_socket", pairs, "-chardev", "path");
    check_text(document, "tpm_socket", pairs, "-chardev", "path");
    check_text(document, "vnc_password_file", pairs, "-object", "file");
    check_disks(document, pairs);
    check_list(document, "disks", "serial", pairs, "-device", "serial");
    check_list(document, "disks", "id", pairs, "-device", "id");
    check_list(document, "nics", "ifname", pairs, "-netdev", "ifname");
    check_list(document, "nics", "bridge", pairs, "-netdev", "br");
    check_list(document, "nics", "helper", pairs, "-netdev", "helper");
    check_shares(document, pairs);
}

/* ---- the arguments ---- */

static void take_option(const struct option *option, const char *text, const json_t *document,
                        struct strv *pairs, struct strv *places) {
    size_t first = pairs->count;
    take_apart(option, text, document, pairs);
    if (strcmp(option->name, "-device") == 0)
        check_place(pairs, first, places);
}

static void check_extra(char *const *argv, const json_t *document) {
    const json_t *extra = json_object_get(document, "extra_args");
    for (size_t i = 0; i < json_array_size(extra); i++)
        FUZZ_CHECK(argv[i] && strcmp(argv[i], json_string_value(json_array_get(extra, i))) == 0,
                   "the extra argument %zu is \"%s\"", i, argv[i] ? argv[i] : "");
    FUZZ_CHECK(!argv[json_array_size(extra)], "more arguments than there are");
}

void check_argv(const vqemu_command *command, const json_t *document) {
    const vqemu_runtime *runtime = vqemu_command_runtime(command);
    char *const *argv = vqemu_command_argv(command);
    size_t count = 0, extra = json_array_size(json_object_get(document, "extra_args"));
    size_t program = vqemu_runtime_loader(runtime) ? 4 : 0;
    _cleanup_strv_ struct strv pairs = {0}, places = {0};
    while (argv[count])
        count++;
    FUZZ_CHECK(count >= program + 1 + extra, "%zu arguments", count);
    FUZZ_CHECK(strcmp(argv[program], vqemu_runtime_binary(runtime)) == 0, "the program is \"%s\"",
               argv[program]);
    for (size_t i = program + 1; i < count - extra; i++) {
        const struct option *option = find_option(argv[i]);
        FUZZ_CHECK(option, "the argument \"%s\"", argv[i]);
        if (option->form == FLAG)
            continue;
        FUZZ_CHECK(++i < count - extra, "%s has no value", option->name);
        if (option->form == PLAIN)
            add_pair(&pairs, option->name, "", argv[i]);
        else if (strcmp(option->name, "-blockdev") == 0 && *argv[i] == '{')
            check_node(argv[i]);
        else
            take_option(option, argv[i], document, &pairs, &places);
    }
    check_document(document, &pairs);
    check_extra(argv + count - extra, document);
}
