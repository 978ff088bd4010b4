/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <volt-qemu/volt-qemu.h>

#include "cleanup.h"
#include "commands.h"
#include "from-options.h"
#include "json.h"
#include "message.h"
#include "option-table.h"
#include "options.h"
#include "revision-name.h"
#include "sizes.h"
#include "table.h"
#include "text.h"

/* What is told of the revisions of a store. */
struct listing {
    vqemu_revision_list *revisions;
    vqemu_pin_list *pins;
    vqemu_use_list *uses;   /* NULL: it cannot be told */
    vqemu_size_list *sizes; /* NULL: nobody asked */
};

static void listing_free(struct listing *listing) {
    vqemu_revision_list_free(listing->revisions);
    vqemu_pin_list_free(listing->pins);
    vqemu_use_list_free(listing->uses);
    vqemu_size_list_free(listing->sizes);
}

/* ---- pins and uses of one of them ---- */

static bool is_use(const struct listing *listing, size_t index, const char *kind,
                   const vqemu_revision *revision) {
    const char *used = vqemu_use_list_revision_name(listing->uses, index);
    return strcmp(vqemu_use_list_kind(listing->uses, index), kind) == 0 && used &&
           strcmp(used, vqemu_revision_name(revision)) == 0;
}

/* Programs that run from its tree, or hold a lease on it. */
static bool is_running(const struct listing *listing, size_t index,
                       const vqemu_revision *revision) {
    return is_use(listing, index, "process", revision) || is_use(listing, index, "lease", revision);
}

static json_t *holders_json(const struct listing *listing, const vqemu_revision *revision) {
    json_t *holders = json_array();
    for (size_t i = 0; i < vqemu_pin_list_count(listing->pins); i++)
        if (strcmp(vqemu_pin_list_revision_name(listing->pins, i), vqemu_revision_name(revision)) ==
            0)
            json_append_text(holders, vqemu_pin_list_holder(listing->pins, i));
    return holders;
}

static bool is_current(const struct listing *listing, const vqemu_revision *revision) {
    for (size_t i = 0; i < vqemu_use_list_count(listing->uses); i++)
        if (is_use(listing, i, "current", revision))
            return true;
    return false;
}

static bool is_used(const struct listing *listing, const vqemu_revision *revision) {
    for (size_t i = 0; i < vqemu_use_list_count(listing->uses); i++)
        if (is_running(listing, i, revision))
            return true;
    return false;
}

/* ---- for programs ---- */

static json_t *revision_json(const struct listing *listing, const vqemu_revision *revision) {
    const vqemu_manifest *manifest = vqemu_revision_manifest(revision); /* NULL if it is broken */
    const vqemu_error *broken = vqemu_revision_error(revision);
    json_t *object = json_object(), *holders = holders_json(listing, revision);
    json_add_text(object, "name", vqemu_revision_name(revision));
    json_add_text(object, "profile", vqemu_revision_profile_name(revision));
    json_add_text(object, "path", vqemu_revision_path(revision));
    json_add_text(object, "created_at", vqemu_manifest_string(manifest, VQEMU_MANIFEST_CREATED_AT));
    json_add_text(object, "arrived_at", vqemu_revision_arrived_at(revision));
    json_add_text(object, "digest", vqemu_manifest_digest(manifest));
    json_add_number(object, "objects",
                    manifest ? (int64_t)vqemu_manifest_object_count(manifest) : -1);
    json_add_number(object, "total_bytes", manifest ? vqemu_manifest_total_bytes(manifest) : -1);
    json_add_text(object, "qemu_version",
                  vqemu_manifest_string(manifest, VQEMU_MANIFEST_QEMU_VERSION));
    json_add(object, "pinned", json_boolean(json_array_size(holders) > 0));
    json_add(object, "pinned_by", holders);
    bool is_known = listing->uses;
    json_add(object, "current",
             is_known ? json_boolean(is_current(listing, revision)) : json_null());
    json_add(object, "in_use", is_known ? json_boolean(is_used(listing, revision)) : json_null());
    if (listing->sizes)
        json_add(object, "sizes", sizes_json(listing->sizes, vqemu_revision_name(revision)));
    json_add(object, "error", broken ? error_json(broken) : json_null());
    return object;
}

static json_t *listing_json(const struct listing *listing) {
    json_t *array = json_array();
    for (size_t i = 0; i < vqemu_revision_list_count(listing->revisions); i++)
        json_append(array, revision_json(listing, vqemu_revision_list_at(listing->revisions, i)));
    return array;
}

/* ---- for people ---- */

/* A new text, with one word more behind a comma. */
static char *add_word(char *text, const char *word) {
    text = append_text(text, ", ", *text ? 2 : 0);
    return append_text(text, word, strlen(word));
}

static void add_holders(struct table *table, const struct listing *listing,
                        const vqemu_revision *revision) {
    _cleanup_free_ char *text = format_text("%s", "");
    json_t *holders = holders_json(listing, revision);
    for (size_t i = 0; i < json_array_size(holders); i++) {
        const char *holder = json_string_value(json_array_get(holders, i));
        text = add_word(text, *holder ? holder : "pinned");
    }
    json_decref(holders);
    table_add(table, "%s", *text ? text : "-");
}

/* The VM, or else the process. */
static void add_users(struct table *table, const struct listing *listing,
                      const vqemu_revision *revision) {
    _cleanup_free_ char *text = format_text("%s", "");
    for (size_t i = 0; i < vqemu_use_list_count(listing->uses); i++) {
        if (!is_running(listing, i, revision))
            continue;
        const char *vm = vqemu_use_list_vm_name(listing->uses, i);
        long long pid = (long long)vqemu_use_list_pid(listing->uses, i);
        _cleanup_free_ char *user = vm    ? format_text("VM %s", vm)
                                    : pid ? format_text("process %lld", pid)
                                          : format_text("a lease");
        if (!strstr(text, user)) /* a VM runs from its tree, and has a lease on it */
            text = add_word(text, user);
    }
    table_add(table, "%s", *text ? text : listing->uses ? "-" : "?");
}

static void add_revision(struct table *table, const struct listing *listing,
                         const vqemu_revision *revision) {
    const vqemu_manifest *manifest = vqemu_revision_manifest(revision);
    const char *qemu_version = vqemu_manifest_string(manifest, VQEMU_MANIFEST_QEMU_VERSION);
    table_add(table, "%s", vqemu_revision_name(revision));
    if (manifest) {
        _cleanup_free_ char *size = format_size(vqemu_manifest_total_bytes(manifest));
        table_add(table, "%s", vqemu_manifest_string(manifest, VQEMU_MANIFEST_CREATED_AT));
        table_add(table, "%zu", vqemu_manifest_object_count(manifest));
        table_add(table, "%s", size);
    }
    for (int i = 0; !manifest && i < 3; i++)
        table_add(table, "-");
    table_add(table, "%s", qemu_version ? qemu_version : "-");
    table_add(table, "%s", is_current(listing, revision) ? "set" : "-");
    add_holders(table, listing, revision);
    add_users(table, listing, revision);
}

static void print_listing(const struct listing *listing) {
    static const struct column columns[] = {
        {"NAME", LEFT}, {"CREATED", LEFT}, {"OBJECTS", RIGHT},  {"SIZE", RIGHT},
        {"QEMU", LEFT}, {"CURRENT", LEFT}, {"PINNED BY", LEFT}, {"USED BY", LEFT}};
    _cleanup_table_ struct table table = {.columns = columns, .column_count = 8};
    for (size_t i = 0; i < vqemu_revision_list_count(listing->revisions); i++)
        add_revision(&table, listing, vqemu_revision_list_at(listing->revisions, i));
    table_print(&table);
}

static void warn_of_broken(const vqemu_revision_list *list) {
    for (size_t i = 0; i < vqemu_revision_list_count(list); i++) {
        const vqemu_revision *revision = vqemu_revision_list_at(list, i);
        const vqemu_error *broken = vqemu_revision_error(revision);
        if (broken)
            warn("%s is broken: %s", vqemu_revision_name(revision), vqemu_error_message(broken));
    }
}

/* ---- looking ---- */

/* Without knowing who uses them, revisions are still told. */
static int look_for_keepers(vqemu_store *store, vqemu_call *call, struct listing *listing) {
    _cleanup_error_ vqemu_error *error = NULL;
    if (vqemu_store_list_pins(store, NULL, 0, call, &listing->pins, &error))
        return fail(error);
    int code = vqemu_store_list_uses(store, NULL, 0, call, &listing->uses, &error);
    if (code == VQEMU_ERR_CANCELLED || code == VQEMU_ERR_TIMEOUT || code == VQEMU_ERR_NO_MEMORY)
        return fail(error);
    if (code)
        warn("who uses them cannot be told: %s", vqemu_error_message(error));
    return 0;
}

static int look(const struct options *options, const char *profile, struct listing *listing) {
    _cleanup_error_ vqemu_error *error = NULL;
    _cleanup_store_ vqemu_store *store = NULL;
    int status = store_from_options(options, 0, &store);
    if (status)
        return status;
    if (vqemu_store_list_revisions(store, profile, 0, options->call, &listing->revisions, &error) ||
        (options->sizes &&
         vqemu_store_list_sizes(store, profile, 0, options->call, &listing->sizes, &error)))
        return fail(error);
    bool is_table_of_sizes = options->sizes && !options->json; /* which has no keepers */
    return is_table_of_sizes ? 0 : look_for_keepers(store, options->call, listing);
}

static int revisions(const struct options *options) {
    if (options->profile && options->operand)
        return fail_usage(options->command, "the profile was given twice");
    const char *profile = options->profile ? options->profile : options->operand;
    __attribute__((cleanup(listing_free))) struct listing listing = {0};
    int status = look(options, profile, &listing);
    if (status)
        return status;
    warn_of_broken(listing.revisions);
    if (listing.sizes)
        sizes_warn(listing.sizes);
    if (options->json)
        return print_json(listing_json(&listing));
    if (listing.sizes)
        sizes_print(listing.sizes);
    else
        print_listing(&listing);
    return EXIT_SUCCESS;
}

const struct command command_revisions = {
    .name = "revisions",
    .operand = "[PROFILE]",
    .operands = 1,
    .option_groups = OPTIONS_PROFILE | OPTIONS_SIZES,
    .summary = "list the revisions of profiles that the store has",
    .description =
        "List the revisions of a profile, or of all: its versions in the store, the newest\n"
        "first, which is the one that came last; which of them was set to be used, who pins them, "
        "and who uses them. Of a\n"
        "revision that is broken only the name is known; a warning says why.\n"
        "With --sizes: what the objects of each take on disk; what of that no other revision\n"
        "has, so that collecting it would free it; what others have, too, and which, the\n"
        "three that have most of it; then what the store takes, each object once.\n"
        "With --json: an array of name, profile, path, created_at, arrived_at (null: not\n"
        "written down), digest, objects, total_bytes, qemu_version, pinned, pinned_by (an array\n"
        "of holders), current, in_use, error (of a broken one: an object of code, reason,\n"
        "message, hint, details, line, as on stderr); with --sizes also sizes: an object of\n"
        "bytes, own_bytes, shared_bytes, missing (how many objects the store does not have),\n"
        "shared_with (an array of name, bytes; the largest first), store_bytes (of all\n"
        "revisions), complete (false: one is broken, and may have what seems another's own).\n",
    .example = "  volt-qemu revisions emulate-x86\n"
               "  volt-qemu revisions --sizes\n",
    .run = revisions,
};
