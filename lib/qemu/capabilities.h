/* SPDX-License-Identifier: MIT */
/*
 * What a QEMU can do, as a sorted text:
 *
 *     volt-capabilities 5
 *     set <number> <word> ...          properties, each set once
 *     <kind> <name> <set>[TAB {<key>=<value> TAB}]      by kind and name, with facts
 *
 * <set> is "-" for what has no properties, and "?" where they could not be told. What QEMU offers
 * and then ends itself over, or does not find, has the fact "broken=yes".
 */
#ifndef LIB_CAPABILITIES_H
#define LIB_CAPABILITIES_H

#include <stdbool.h>

#include <volt-qemu/capabilities.h>

#include "base/digest.h"
#include "util/cleanup.h"
#include "util/strbuf.h"
#include "util/strv.h"

/* The first line. */
#define CAPABILITIES_HEADER "volt-capabilities 5"

/* The kind of what the library alone uses: qemu/schema-types.h. */
#define TYPE_KIND "type"

/* What QEMU is asked for its TPM backends, of which it may have none. */
#define TPM_QUESTION "query-tpm-types"

/* What is being collected. Zeroed, it is empty; a failed allocation is remembered. */
struct capability_list {
    struct strv sets, lines;
};

/* Properties that are not there, or cannot be told. */
#define PROPERTIES_NONE (-1)
#define PROPERTIES_UNKNOWN (-2)

/*
 * A set of properties: its number. words are sorted by this. -ENOMEM is PROPERTIES_UNKNOWN, and
 * remembered by the list.
 */
int capability_list_add_set(struct capability_list *list, struct strv *words);

/* facts: of capability_add_fact(), or "". Names with blanks or control characters are passed over:
 * nobody can ask for such. */
void capability_list_add(struct capability_list *list, const char *kind, const char *name, int set,
                         const char *facts);
/* Whether there is one of a kind and name. */
bool capability_list_has(const struct capability_list *list, const char *kind, const char *name);
void capability_list_remove(struct capability_list *list, const char *kind, const char *name);
/* Add a fact to one of a kind and name, if it is there. Returns 0 or -ENOMEM. */
int capability_list_mark(struct capability_list *list, const char *kind, const char *name,
                         const char *fact, const char *value);
/* Add a fact to those of a thing; one whose value has control characters is left out. */
void capability_add_fact(struct strbuf *facts, const char *key, const char *value);

void capability_list_release(struct capability_list *list);

/* The text of the whole list. */
void capability_list_write(struct capability_list *list, struct strbuf *text);

/*
 * Capabilities of such a text, which is taken over in any case. VQEMU_ERR_MALFORMED if it is none;
 * source stands for it in the message.
 */
int capabilities_of_text(char *text, const char *source, vqemu_capabilities **capabilities,
                         vqemu_error **error);

/* Whether QEMU tells of a kind, of which it may have nothing. */
bool capabilities_tell(const vqemu_capabilities *capabilities, const char *kind);

/* What a name stands for that is an alias; otherwise the name itself. */
const char *capabilities_real_name(const vqemu_capabilities *capabilities, const char *kind,
                                   const char *name);

/* A name as the capabilities hold it, of what it stands for if it is an alias; NULL if there is no
 * such thing. */
const char *capabilities_listed_name(const vqemu_capabilities *capabilities, const char *kind,
                                     const char *name);

/* " a b c", the properties of a thing, sorted; "" for none; NULL if there is no such thing, or QEMU
 * does not tell. An alias has those of what it stands for. */
const char *capabilities_properties(const vqemu_capabilities *capabilities, const char *kind,
                                    const char *name);

/* The text they were made of. */
int capabilities_write(const vqemu_capabilities *capabilities, struct strbuf *text);

DEFINE_CLEANUP(vqemu_capabilities, capabilities, vqemu_capabilities_unref);
#define _cleanup_capabilities_ _cleanup_(cleanup_capabilities)

#endif
