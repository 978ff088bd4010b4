/* SPDX-License-Identifier: MIT */
#include "content/descriptor.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "util/path.h"
#include "util/word.h"

/* A long pattern with many stars would keep fnmatch(3) busy. */
#define PATTERN_LENGTH_MAX 64
#define MACHINE_LENGTH_MAX 64

/* ---- machines ---- */

/* Aliases stand for the newest version of a family. */
static const struct {
    const char *alias, *family;
} aliases[] = {{"q35", "pc-q35-"}, {"pc", "pc-i440fx-"}, {"virt", "virt-"}};

static const char *family_of(const char *alias) {
    for (size_t i = 0; i < sizeof aliases / sizeof aliases[0]; i++)
        if (strcmp(alias, aliases[i].alias) == 0)
            return aliases[i].family;
    return NULL;
}

bool firmware_matches_machine(const char *pattern, const char *machine) {
    char type[MACHINE_LENGTH_MAX], some_version[MACHINE_LENGTH_MAX];
    size_t length = strcspn(machine, ",");
    if (length >= sizeof type || strlen(pattern) > PATTERN_LENGTH_MAX)
        return false;
    memcpy(type, machine, length);
    type[length] = '\0';
    if (fnmatch(pattern, type, 0) == 0)
        return true;
    const char *family = family_of(type);
    if (family) {
        snprintf(some_version, sizeof some_version, "%s9.0", family);
        return fnmatch(pattern, some_version, 0) == 0;
    }
    family = family_of(pattern); /* not in QEMU's rules, but it can only mean this */
    return family && strncmp(type, family, strlen(family)) == 0;
}

/* ---- places ---- */

bool descriptor_is_path(const char *path) {
    const char *name = base_name(path);
    size_t directory = (size_t)(name - path);
    bool is_there =
        (directory == strlen("firmware/") && strncmp(path, "firmware/", directory) == 0) ||
        (directory == strlen("descriptors/") && strncmp(path, "descriptors/", directory) == 0);
    return is_there && *name != '.' && ends_with(name, ".json");
}

/* The part behind the last slash but one; the whole path if it has no two. */
static const char *last_two_components(const char *path) {
    const char *name = base_name(path);
    const char *start = name > path ? name - 1 : path;
    while (start > path && start[-1] != '/')
        start--;
    return *start == '/' ? start + 1 : start;
}

const char *descriptor_place(const char *path, int place) {
    const char *tail = place == 0 ? last_two_components(path) : base_name(path);
    return strncmp(tail, "../", 3) == 0 || strncmp(tail, "./", 2) == 0 ? NULL : tail;
}

/* ---- JSON ---- */

/* The document, and what it is asked for. */
struct reading {
    const char *source, *arch, *machine;
    struct descriptor *descriptor;
};

static int wrong_type(const char *source, const char *key, const char *wanted,
                      vqemu_error **error) {
    return error_set(error, VQEMU_ERR_MALFORMED, 0, "%s: \"%s\" is not %s", source, key, wanted);
}

static int missing(const char *source, const char *key, vqemu_error **error) {
    return error_set(error, VQEMU_ERR_MALFORMED, 0, "%s: \"%s\" is missing", source, key);
}

/* The last part of a key such as "mapping.executable.format" is the one in its object. */
static const char *last_part(const char *key) {
    const char *dot = strrchr(key, '.');
    return dot ? dot + 1 : key;
}

static int get_string(const char *source, const json_t *object, const char *key, const char **text,
                      vqemu_error **error) {
    const json_t *value = json_object_get(object, last_part(key));
    if (!value)
        return missing(source, key, error);
    if (!json_is_string(value))
        return wrong_type(source, key, "a string", error);
    *text = json_string_value(value);
    return 0;
}

static int get_object(const char *source, const json_t *parent, const char *key,
                      const json_t **object, vqemu_error **error) {
    *object = json_object_get(parent, last_part(key));
    if (!*object)
        return missing(source, key, error);
    return json_is_object(*object) ? 0 : wrong_type(source, key, "an object", error);
}

static int get_array(const char *source, const json_t *parent, const char *key,
                     const json_t **array, vqemu_error **error) {
    *array = json_object_get(parent, last_part(key));
    if (!*array)
        return missing(source, key, error);
    return json_is_array(*array) ? 0 : wrong_type(source, key, "an array", error);
}

/* Called for each string of an array. */
typedef void (*string_fn)(const char *text, void *userdata);

static int for_each_string(const char *source, const json_t *parent, const char *key,
                           string_fn function, void *userdata, vqemu_error **error) {
    const json_t *array;
    int r = get_array(source, parent, key, &array, error);
    if (r < 0)
        return r;
    for (size_t i = 0; i < json_array_size(array); i++) {
        const json_t *item = json_array_get(array, i);
        if (!json_is_string(item))
            return error_set(error, VQEMU_ERR_MALFORMED, 0, "%s: \"%s\"[%zu] is not a string",
                             source, key, i);
        function(json_string_value(item), userdata);
    }
    return 0;
}

/* ---- the parts ---- */

static void look_for_uefi(const char *interface, void *found) {
    if (strcmp(interface, "uefi") == 0)
        *(bool *)found = true;
}

static void add_feature(const char *name, void *userdata) {
    static const struct {
        const char *name;
        enum firmware_feature feature;
    } known[] = {{"secure-boot", FIRMWARE_SECURE_BOOT},
                 {"enrolled-keys", FIRMWARE_ENROLLED_KEYS},
                 {"requires-smm", FIRMWARE_REQUIRES_SMM}};
    unsigned *features = userdata;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strcmp(name, known[i].name) == 0)
            *features |= known[i].feature;
}

struct machine_search {
    const char *machine;
    bool matches;
};

static void look_for_machine(const char *pattern, void *userdata) {
    struct machine_search *search = userdata;
    search->matches = search->matches || firmware_matches_machine(pattern, search->machine);
}

static int read_target(const struct reading *reading, const json_t *target, size_t index,
                       vqemu_error **error) {
    struct machine_search search = {.machine = reading->machine};
    const char *arch;
    char key[64];
    if (!json_is_object(target))
        return error_set(error, VQEMU_ERR_MALFORMED, 0, "%s: \"targets\"[%zu] is not an object",
                         reading->source, index);
    snprintf(key, sizeof key, "targets[%zu].architecture", index);
    int r = get_string(reading->source, target, key, &arch, error);
    snprintf(key, sizeof key, "targets[%zu].machines", index);
    if (r == 0)
        r = for_each_string(reading->source, target, key, look_for_machine, &search, error);
    if (r == 0 && strcmp(arch, reading->arch) == 0) {
        reading->descriptor->for_arch = true;
        reading->descriptor->for_machine |= search.matches;
    }
    return r;
}

static int read_targets(const struct reading *reading, const json_t *root, vqemu_error **error) {
    const json_t *targets;
    int r = get_array(reading->source, root, "targets", &targets, error);
    for (size_t i = 0; r == 0 && i < json_array_size(targets); i++)
        r = read_target(reading, json_array_get(targets, i), i, error);
    return r;
}

/* One file of a flash mapping: "mapping.executable" with these two keys. */
static int read_file(const char *source, const json_t *mapping, const char *key,
                     const char *filename_key, const char *format_key, char **filename,
                     char **format, vqemu_error **error) {
    const json_t *file;
    const char *filename_text, *format_text;
    int r = get_object(source, mapping, key, &file, error);
    if (r == 0)
        r = get_string(source, file, filename_key, &filename_text, error);
    if (r == 0)
        r = get_string(source, file, format_key, &format_text, error);
    if (r < 0)
        return r;
    const char *name = base_name(filename_text);
    if (!*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return error_set(error, VQEMU_ERR_MALFORMED, 0,
                         "%s: \"%s\" is \"%.200s\", which names no file", source, filename_key,
                         filename_text);
    *filename = strdup(filename_text);
    *format = strdup(format_text);
    return *filename && *format ? 0 : error_no_memory(error);
}

static int read_flash(const struct reading *reading, const json_t *mapping, vqemu_error **error) {
    struct descriptor *descriptor = reading->descriptor;
    const char *mode = "split";
    int r = 0;
    if (json_object_get(mapping, "mode"))
        r = get_string(reading->source, mapping, "mapping.mode", &mode, error);
    if (r < 0)
        return r;
    if (strcmp(mode, "split") != 0) {
        descriptor->objection = "keeps no variables in a file of their own";
        return 0;
    }
    r = read_file(reading->source, mapping, "mapping.executable", "mapping.executable.filename",
                  "mapping.executable.format", &descriptor->code, &descriptor->code_format, error);
    if (r == 0)
        r = read_file(reading->source, mapping, "mapping.nvram-template",
                      "mapping.nvram-template.filename", "mapping.nvram-template.format",
                      &descriptor->vars, &descriptor->vars_format, error);
    return r;
}

static int read_mapping(const struct reading *reading, const json_t *root, vqemu_error **error) {
    const json_t *mapping;
    const char *device;
    int r = get_object(reading->source, root, "mapping", &mapping, error);
    if (r == 0)
        r = get_string(reading->source, mapping, "mapping.device", &device, error);
    if (r < 0)
        return r;
    if (strcmp(device, "flash") == 0)
        return read_flash(reading, mapping, error);
    reading->descriptor->objection = "is not for flash";
    return 0;
}

static int read_root(const struct reading *reading, const json_t *root, vqemu_error **error) {
    struct descriptor *descriptor = reading->descriptor;
    bool uefi = false;
    int r = for_each_string(reading->source, root, "interface-types", look_for_uefi, &uefi, error);
    if (r == 0)
        r = read_mapping(reading, root, error);
    if (r == 0)
        r = read_targets(reading, root, error);
    if (r == 0)
        r = for_each_string(reading->source, root, "features", add_feature, &descriptor->features,
                            error);
    if (!uefi)
        descriptor->objection = "is not for UEFI";
    return r;
}

int descriptor_parse(const char *text, size_t size, const char *source, const char *arch,
                     const char *machine, struct descriptor *descriptor, vqemu_error **error) {
    *descriptor = (struct descriptor){0};
    _cleanup_json_ json_t *root = NULL;
    int r = json_parse_object(text, size, source, &root, error);
    if (r == 0) {
        const struct reading reading = {source, arch, machine, descriptor};
        r = read_root(&reading, root, error);
    }
    if (r < 0)
        descriptor_release(descriptor);
    return r;
}

void descriptor_release(struct descriptor *descriptor) {
    free(descriptor->code);
    free(descriptor->code_format);
    free(descriptor->vars);
    free(descriptor->vars_format);
    *descriptor = (struct descriptor){0};
}
