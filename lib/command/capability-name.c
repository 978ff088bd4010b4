/* SPDX-License-Identifier: MIT */
#include "command/capability-name.h"

#include <stdio.h>
#include <string.h>

#include "util/word.h"

#define NAME_MAX_LENGTH 128

/* Names that are in no list of QEMU's; newer ones tell the aliases of devices. */
static const struct other_name {
    const char *kind, *name, *listed;
} other_names[] = {
    {"blockdev", "iser", "iscsi"},   {"chardev", "parport", "parallel"},
    {"chardev", "tty", "serial"},    {"device", "ac97", "AC97"},
    {"device", "ahci", "ich9-ahci"}, {"device", "e1000-82540em", "e1000"},
    {"device", "es1370", "ES1370"},  {"device", "lsi", "lsi53c895a"},
};

/* Settings that QEMU takes apart, or another way, before they become properties. */
static const struct other_name other_properties[] = {
    {"cpu", "tsc-freq", "tsc-frequency"},
};

bool capability_name_is_help(const char *name) {
    return strcmp(name, "help") == 0 || strcmp(name, "?") == 0;
}

/* ---- CPU models ---- */

/* Of which family a CPU model is, by the name of its type: "-powerpc64-cpu" is of "powerpc". */
static bool is_family(const vqemu_capabilities *capabilities, const char *model,
                      const char *family) {
    const char *type = vqemu_capabilities_fact(capabilities, "cpu", model, "type");
    return type && strstr(type, family);
}

static bool is_x86(const vqemu_capabilities *capabilities, const char *model) {
    return is_family(capabilities, model, "-x86_64-cpu") ||
           is_family(capabilities, model, "-i386-cpu");
}

/* A PowerPC is also named by its processor version register: eight digits. */
static bool is_version_register(const char *name) {
    name += name[0] == '0' && name[1] == 'x' ? 2 : 0;
    return strspn(name, "0123456789abcdefABCDEF") == 8 && name[8] == '\0';
}

/* PowerPCs are named in any case, LoongArchs by their types, too. */
static int find_model(const vqemu_capabilities *capabilities, const char *name,
                      const char **listed) {
    const char *model;
    for (size_t i = 0; (model = vqemu_capabilities_at(capabilities, "cpu", i)) != NULL; i++) {
        const char *type = vqemu_capabilities_fact(capabilities, "cpu", model, "type");
        bool is_powerpc = is_family(capabilities, model, "-powerpc");
        if ((is_powerpc && compare_folded(name, model) == 0) ||
            (is_family(capabilities, model, "-loongarch-cpu") && strcmp(name, type) == 0)) {
            *listed = model;
            return 1;
        }
        if (is_powerpc && is_version_register(name))
            return -1;
    }
    return 0;
}

/* ---- things ---- */

/* "virtio-blk" is virtio-blk-pci, -ccw or -device. */
static const char *find_virtio(const vqemu_capabilities *capabilities, const char *name) {
    static const char *const buses[] = {"pci", "ccw", "device"};
    char full[NAME_MAX_LENGTH];
    for (size_t i = 0; i < sizeof buses / sizeof *buses; i++) {
        snprintf(full, sizeof full, "%s-%s", name, buses[i]);
        const char *listed = strncmp(name, "virtio-", strlen("virtio-")) == 0
                                 ? capabilities_listed_name(capabilities, "device", full)
                                 : NULL;
        if (listed)
            return listed;
    }
    return NULL;
}

static const char *find_other(const vqemu_capabilities *capabilities, const char *kind,
                              const char *name) {
    for (size_t i = 0; i < sizeof other_names / sizeof *other_names; i++)
        if (strcmp(kind, other_names[i].kind) == 0 && strcmp(name, other_names[i].name) == 0)
            return capabilities_listed_name(capabilities, kind, other_names[i].listed);
    return strcmp(kind, "device") == 0 ? find_virtio(capabilities, name) : NULL;
}

int capability_name_find(const vqemu_capabilities *capabilities, const char *kind, const char *name,
                         const char **listed) {
    *listed = name;
    if (!capabilities_tell(capabilities, kind))
        return -1;
    if (vqemu_capabilities_has(capabilities, kind, name, NULL))
        return 1;
    const char *other = find_other(capabilities, kind, name);
    if (other) {
        *listed = other;
        return 1;
    }
    return strcmp(kind, "cpu") == 0 ? find_model(capabilities, name, listed) : 0;
}

/* ---- properties ---- */

/* "reserved-regions[0]" is of an array, whose length is a property. */
static bool is_of_array(const char *properties, const char *property) {
    const char *bracket = strchr(property, '[');
    char length[NAME_MAX_LENGTH];
    if (!bracket)
        return false;
    snprintf(length, sizeof length, "len-%.*s", (int)(bracket - property), property);
    return has_word(properties, length);
}

/* Machines, accelerators and x86 CPUs take "sse4_1" for "sse4-1". */
static bool folds_underscores(const vqemu_capabilities *capabilities, const char *kind,
                              const char *name) {
    return strcmp(kind, "machine") == 0 || strcmp(kind, "accel") == 0 ||
           (strcmp(kind, "cpu") == 0 && is_x86(capabilities, name));
}

static const char *other_property(const char *kind, const char *property) {
    for (size_t i = 0; i < sizeof other_properties / sizeof *other_properties; i++)
        if (strcmp(kind, other_properties[i].kind) == 0 &&
            strcmp(property, other_properties[i].name) == 0)
            return other_properties[i].listed;
    return property;
}

bool capability_name_has_property(const vqemu_capabilities *capabilities, const char *kind,
                                  const char *name, const char *properties, const char *property) {
    char first[NAME_MAX_LENGTH];
    bool folds = folds_underscores(capabilities, kind, name);
    property = other_property(kind, property);
    if (folds && strcmp(kind, "cpu") == 0) /* x86: "+avx2", "-avx2" */
        property += *property == '+' || *property == '-';
    /* of "cache.direct", "cache" is one */
    size_t length = strcspn(property, ".");
    if (length >= sizeof first || has_word(properties, property) ||
        is_of_array(properties, property))
        return true;
    memcpy(first, property, length);
    first[length] = '\0';
    if (has_word(properties, first))
        return true;
    for (char *c = first; folds && *c; c++)
        *c = *c == '_' ? '-' : *c;
    return folds && has_word(properties, first);
}
