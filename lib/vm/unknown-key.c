/* SPDX-License-Identifier: MIT */
/* Keys that are not in a table: which one may have been meant. */
#include <string.h>

#include "base/error.h"
#include "util/cleanup.h"
#include "util/similar.h"
#include "vm/property.h"

/* What other programs call it: QEMU, libvirt, cloud-hypervisor, container tools. */
static const char *const other_names[][2] = {
    {"ram", "memory"},         {"mem", "memory"},         {"vcpus", "cpus"},
    {"vcpu", "cpus"},          {"smp", "cpus"},           {"cpu", "cpu_model"},
    {"arch", "guest_arch"},    {"os", "guest_os"},        {"cmdline", "append"},
    {"kernel_args", "append"}, {"initramfs", "initrd"},   {"ramdisk", "initrd"},
    {"drives", "disks"},       {"volumes", "disks"},      {"cdroms", "disks"},
    {"network", "nics"},       {"networks", "nics"},      {"interfaces", "nics"},
    {"net", "nics"},           {"filesystems", "shares"}, {"mounts", "shares"},
    {"graphics", "display"},   {"vnc", "display"},        {"serial", "console"},
    {"qmp", "qmp_socket"},     {"args", "extra_args"},    {"image", "file"},
    {"path", "file"},          {"source", "file"},        {"source", "path"},
    {"directory", "path"},     {"dir", "path"},           {"target", "tag"},
    {"readonly", "read_only"}, {"ro", "read_only"},       {"bootindex", "boot_order"},
    {"interface", "bus"},      {"ports", "forwards"},     {"hostfwd", "forwards"},
    {"mac_address", "mac"},    {"restrict", "isolated"},  {"type", "backend"},
    {"type", "format"},
};

const struct property *property_find(const struct object_type *type, const char *key,
                                     size_t length) {
    for (size_t i = 0; i < type->count; i++) {
        const struct property *property = &type->properties[i];
        if (strncmp(property->key, key, length) == 0 && property->key[length] == '\0')
            return property;
    }
    return NULL;
}

static const char *suggest(const struct object_type *type, const char *name) {
    for (size_t i = 0; i < sizeof other_names / sizeof *other_names; i++)
        if (strcmp(other_names[i][0], name) == 0 &&
            property_find(type, other_names[i][1], strlen(other_names[i][1])))
            return other_names[i][1];
    struct similar similar = {.wanted = name};
    for (size_t i = 0; i < type->count; i++)
        similar_look_at(&similar, type->properties[i].key);
    return similar.count > 0 ? similar.words[0] : NULL;
}

static char *list_keys(const struct object_type *type) {
    struct strbuf keys = {0};
    for (size_t i = 0; i < type->count; i++)
        strbuf_addf(&keys, "%s%s", i > 0 ? ", " : "", type->properties[i].key);
    return strbuf_take(&keys);
}

/* The whole key with what was meant in the place of what is unknown; NULL without memory. */
static char *mend(const char *key, size_t at, size_t length, const char *meant) {
    struct strbuf text = {0};
    strbuf_addf(&text, "%.*s%s%s", (int)at, key, meant, key + at + length);
    return strbuf_take(&text);
}

int property_unknown(const struct object_type *type, const char *key, size_t at, size_t length,
                     bool of_document, vqemu_error **error) {
    static const char newer[] = "one of a newer version of the library";
    _cleanup_free_ char *choices = list_keys(type), *name = strndup(key + at, length);
    if (!choices || !name)
        return error_no_memory(error);
    const char *meant = suggest(type, name);
    _cleanup_free_ char *whole = meant ? mend(key, at, length, meant) : NULL;
    if (meant && !whole)
        return error_no_memory(error);
    int r =
        error_set(error, VQEMU_ERR_UNKNOWN_KEY, 0, "%.200s: a %s has no such key%s%.200s%s%s", key,
                  type->noun, whole || of_document ? "; perhaps it is " : "", whole ? whole : "",
                  whole && of_document ? ", or " : "", of_document ? newer : "");
    return error_because(r, error, NULL, VQEMU_DETAIL_KEY, key, VQEMU_DETAIL_CHOICES, choices,
                         VQEMU_DETAIL_SUGGESTION, whole, NULL);
}
