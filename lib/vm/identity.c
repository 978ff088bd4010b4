/* SPDX-License-Identifier: MIT */
#include "vm/identity.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/digest.h"

#define ID_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-"
#define DIGEST_LENGTH 16 /* hex digits that tell apart names whose beginnings look the same */
#define DIGEST_LIKE 8    /* so few at the end of a name already look like them */
#define HEX_DIGITS "0123456789abcdef"

/* Names for different purposes have different digests. */
static struct digest digest_of(const char *purpose, const char *name) {
    struct digest_state state;
    digest_start(&state);
    digest_add_text(&state, purpose);
    digest_add(&state, name, strlen(name));
    return digest_finish(&state);
}

/* Nobody can name a VM so that it has what is derived from another's name. */
static bool looks_derived(const char *name) {
    const char *dash = strrchr(name, '-');
    size_t digits = dash ? strspn(dash + 1, HEX_DIGITS) : 0;
    return digits >= DIGEST_LIKE && digits <= DIGEST_LENGTH && !dash[1 + digits];
}

static bool is_plain(const char *name) {
    size_t length = strlen(name);
    return length <= IDENTITY_ID_MAX && strspn(name, ID_CHARACTERS) == length &&
           !strchr("_.-", name[0]) && !looks_derived(name);
}

void identity_id(const char *name, char id[static IDENTITY_ID_MAX + 1]) {
    if (is_plain(name)) {
        strcpy(id, name);
        return;
    }
    const struct digest digest = digest_of("id", name);
    size_t length = 0;
    for (const char *c = name; *c && length < IDENTITY_ID_MAX - DIGEST_LENGTH - 1; c++)
        id[length++] = strchr(ID_CHARACTERS, *c) ? *c : '_';
    if (strchr("_.-", id[0])) /* hidden files, and options */
        id[0] = 'x';
    snprintf(id + length, DIGEST_LENGTH + 2, "-%.*s", DIGEST_LENGTH, digest.hex);
}

/* RFC 9562, 5.8: version 8, for UUIDs made in a way of one's own. */
void identity_uuid(const char *name, char uuid[static IDENTITY_UUID_LENGTH + 1]) {
    const struct digest digest = digest_of("uuid", name);
    const char *h = digest.hex;
    snprintf(uuid, IDENTITY_UUID_LENGTH + 1, "%.8s-%.4s-8%.3s-8%.3s-%.12s", h, h + 8, h + 13,
             h + 17, h + 20);
}

/* 52:54:00 is the prefix that QEMU's and libvirt's addresses have; it is a locally administered
 * one. */
void identity_mac(const char *name, size_t number, char mac[static IDENTITY_MAC_LENGTH + 1]) {
    char purpose[32];
    snprintf(purpose, sizeof purpose, "mac %zu", number);
    const struct digest digest = digest_of(purpose, name);
    const char *h = digest.hex;
    snprintf(mac, IDENTITY_MAC_LENGTH + 1, "52:54:00:%.2s:%.2s:%.2s", h, h + 2, h + 4);
}
