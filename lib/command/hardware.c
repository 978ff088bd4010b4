/* SPDX-License-Identifier: MIT */
#include "command/hardware.h"

#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"
#include "util/strbuf.h"

#define VERSION "volt-hardware 1"

/* Options of which the guest sees something. */
static const char *const visible[] = {"-machine", "-cpu",    "-smp", "-m",      "-device",
                                      "-uuid",    "-global", "-rtc", "-smbios", "-serial"};

/* Properties that say how the host does it, and what the firmware begins with. A write cache is one
 * that the guest can switch. */
static const char *const hidden[] = {
    "dump-guest-core=", "memory-backend=", "iothread=", "write-cache=", "bootindex="};

/* Properties that name another option by its id; of that, the guest sees what kind it is. */
static const struct backend {
    const char *property, *option;
} backends[] = {{"netdev=", "-netdev"},
                {"chardev=", "-chardev"},
                {"fsdev=", "-fsdev"},
                {"tpmdev=", "-tpmdev"},
                {"rng=", "-object"}};

static bool starts_with(const char *text, const char *start) {
    return strncmp(text, start, strlen(start)) == 0;
}

static bool is_visible(const char *option) {
    for (size_t i = 0; i < sizeof visible / sizeof *visible; i++)
        if (strcmp(option, visible[i]) == 0)
            return true;
    return false;
}

static bool is_hidden(const char *property) {
    for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++)
        if (starts_with(property, hidden[i]))
            return true;
    return false;
}

/* Commas separate; two of them are one that belongs to the value, and stay two. */
static void split(const char *value, struct strv *properties) {
    const char *start = value;
    for (const char *c = value;; c++) {
        if (c[0] == ',' && c[1] == ',') {
            c++;
        } else if (*c == ',' || !*c) {
            strv_addf(properties, "%.*s", (int)(c - start), start);
            start = c + 1;
        }
        if (!*c)
            return;
    }
}

/* ---- what is attached ---- */

static bool has(const struct strv *properties, const char *wanted) {
    for (size_t i = 0; i < properties->count; i++)
        if (strcmp(properties->items[i], wanted) == 0)
            return true;
    return false;
}

/* Arguments, and the one among them that is being looked at. */
struct place {
    const struct strv *argv;
    size_t index;
};

/*
 * The value of the option that has a property, such as "id=net0", split; empty if none has. It
 * stands before the device, and mostly right before it.
 */
static void find_option(const struct place *device, const char *option, const char *key,
                        const char *id, struct strv *properties) {
    char *const *items = device->argv->items;
    _cleanup_free_ char *wanted = format_string("%s=%s", key, id);
    properties->failed = !wanted;
    for (size_t i = device->index; !properties->failed && i-- > 0;) {
        if (strcmp(items[i], option) != 0 || !strstr(items[i + 1], wanted))
            continue;
        split(items[i + 1], properties);
        if (properties->failed || has(properties, wanted))
            return;
        strv_release(properties);
    }
}

/* "netdev=net0" as "netdev=user". Returns false if the property is none of these. */
static bool add_backend(const struct place *device, const char *property, struct strv *seen) {
    for (size_t i = 0; i < sizeof backends / sizeof *backends; i++) {
        _cleanup_strv_ struct strv found = {0};
        const char *name = backends[i].property;
        if (!starts_with(property, name))
            continue;
        find_option(device, backends[i].option, "id", property + strlen(name), &found);
        strv_addf(seen, "%s%s", name, found.count > 0 ? found.items[0] : "");
        seen->failed = seen->failed || found.failed;
        return true;
    }
    return false;
}

/* Of a disk it is seen whether it can be written to; a medium in a CD-ROM drive comes and goes. */
static void add_drive(const struct place *device, const char *model, const char *node,
                      struct strv *seen) {
    _cleanup_strv_ struct strv found = {0};
    if (strcmp(model, "ide-cd") == 0 || strcmp(model, "scsi-cd") == 0)
        return;
    find_option(device, "-blockdev", "node-name", node, &found);
    if (found.count == 0 && !found.failed) { /* an image with layers is in JSON, its file is not */
        _cleanup_free_ char *file = format_string("%s-file", node);
        if (file)
            find_option(device, "-blockdev", "node-name", file, &found);
        found.failed = found.failed || !file;
    }
    strv_add(seen, has(&found, "read-only=on") ? "drive=read-only" : "drive=writable");
    seen->failed = seen->failed || found.failed;
}

static void add_property(const struct place *device, const char *model, const char *property,
                         struct strv *seen) {
    if (is_hidden(property))
        return;
    if (starts_with(property, "drive="))
        add_drive(device, model, property + strlen("drive="), seen);
    else if (!add_backend(device, property, seen))
        strv_add(seen, property);
}

/* ---- the digest ---- */

static int compare(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void hash_string(struct digest_state *state, const char *text) {
    digest_add(state, text, strlen(text) + 1);
}

/* What is said first is what it is; the order of the rest means nothing. */
static bool hash_option(struct digest_state *state, const struct place *place, const char *option,
                        const char *value) {
    _cleanup_strv_ struct strv properties = {0}, seen = {0};
    split(value, &properties);
    if (properties.failed)
        return false;
    if (strcmp(option, "-serial") == 0) /* which port, where it is not "none" */
        strv_add(&seen, strcmp(value, "none") == 0 ? value : "port");
    else
        strv_add(&seen, properties.items[0]);
    for (size_t i = 1; i < properties.count; i++)
        add_property(place, properties.items[0], properties.items[i], &seen);
    if (seen.failed)
        return false;
    qsort(seen.items + 1, seen.count - 1, sizeof *seen.items, compare);
    hash_string(state, option);
    for (size_t i = 0; i < seen.count; i++)
        hash_string(state, seen.items[i]);
    return true;
}

bool hardware_digest(const char *arch, const struct strv *argv, const struct strv *extra,
                     struct digest *digest) {
    struct digest_state state;
    digest_start(&state);
    hash_string(&state, VERSION);
    hash_string(&state, arch);
    for (size_t i = 0; i + 1 < argv->count; i++) {
        const char *option = argv->items[i];
        const struct place place = {argv, i};
        if (is_visible(option) && !hash_option(&state, &place, option, argv->items[i + 1]))
            return false;
        if (is_visible(option) || strcmp(option, "-append") == 0)
            i++; /* a kernel's command line can look like an option */
    }
    for (size_t i = 0; i < extra->count; i++)
        hash_string(&state, extra->items[i]);
    *digest = digest_finish(&state);
    return true;
}
