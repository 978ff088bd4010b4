/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <volt-qemu/volt-qemu.h>

#include "cleanup.h"
#include "commands.h"
#include "from-options.h"
#include "json.h"
#include "message.h"
#include "open-patiently.h"
#include "option-table.h"
#include "options.h"
#include "patience.h"
#include "revision-name.h"
#include "table.h"
#include "text.h"

#define SIGNATURE_MAX 4096 /* of the library; one more byte shows that there are more */

/* ---- signature ---- */

static int print_change(const struct options *options, const vqemu_revision *revision, bool added) {
    const char *name = vqemu_revision_name(revision);
    if (options->json) {
        json_t *object = json_object();
        json_add_text(object, "revision", name);
        json_add(object, "added", json_boolean(added));
        return print_json(object);
    }
    printf("%s a signature of %s\n", added ? "added" : "removed", name);
    return EXIT_SUCCESS;
}

static int read_signature(const struct options *options, const char *path,
                          char bytes[SIGNATURE_MAX + 1], size_t *size) {
    bool is_input = strcmp(path, "-") == 0;
    int fd = is_input ? STDIN_FILENO : open_to_read(path);
    if (fd < 0)
        return fail_system(errno, "cannot read the signature %s", path);
    int problem = read_patiently(fd, bytes, SIGNATURE_MAX + 1, patience_end(options), size);
    if (!is_input)
        close(fd);
    if (problem < 0)
        return fail_impatient(options, "the signature");
    return problem ? fail_system(problem, "cannot read the signature %s", path) : 0;
}

static int add(const struct options *options, vqemu_store *store, const vqemu_revision *revision) {
    _cleanup_error_ vqemu_error *error = NULL;
    char bytes[SIGNATURE_MAX + 1];
    size_t size;
    int status = read_signature(options, options->operands[2], bytes, &size);
    if (status)
        return status;
    if (vqemu_store_add_signature(store, revision, bytes, size,
                                  options->any_kind ? VQEMU_SIGNATURE_ANY : 0, options->call,
                                  &error))
        return fail_request(options->command, error);
    return print_change(options, revision, true);
}

static int drop(const struct options *options, vqemu_store *store, const vqemu_revision *revision) {
    _cleanup_error_ vqemu_error *error = NULL;
    if (vqemu_store_remove_signature(store, revision, options->operands[2], 0, options->call,
                                     &error))
        return fail_request(options->command, error);
    return print_change(options, revision, false);
}

static int signature(const struct options *options) {
    _cleanup_store_ vqemu_store *store = NULL;
    _cleanup_revision_ vqemu_revision *revision = NULL;
    const char *verb = options->operand ? options->operand : "";
    bool adds = strcmp(verb, "add") == 0;
    if (!adds && strcmp(verb, "remove") != 0)
        return fail_usage(options->command, "add or remove is missing");
    if (options->operand_count != 3)
        return fail_usage(options->command, adds ? "the revision or the signature is missing"
                                                 : "the revision or the digest is missing");
    int status = store_from_options(options, 0, &store);
    if (!status)
        status = find_revision_of(options, store, options->operands[1], &revision);
    if (status)
        return status;
    return adds ? add(options, store, revision) : drop(options, store, revision);
}

const struct command command_signature = {
    .name = "signature",
    .operand = "add REVISION|PROFILE FILE | remove REVISION|PROFILE SHA256",
    .operands = 3,
    .option_groups = OPTIONS_SIGNATURE | OPTIONS_KEY,
    .summary = "add a signature that another program made, or remove one",
    .description =
        "Add a signature of a revision's manifest, from a file or (-) standard input; or\n"
        "remove the one with this digest, which \"volt-qemu signatures\" tells. Signed is\n"
        "the file that \"volt-qemu show --text\" prints, by signify, by minisign -l, by\n"
        "openssl pkeyutl -rawin, or by ssh-keygen -Y sign -n volt-qemu. With --key, only one\n"
        "that is good by these keys is added.\n"
        "With --json: revision, added.\n",
    .example = "  volt-qemu signature add emulate-x86 emulate-x86.json.sig\n"
               "  volt-qemu signature add emulate-x86 emulate-x86.json.sig --key builder.pub\n",
    .run = signature,
};

/* ---- signatures ---- */

static json_t *signatures_json(const vqemu_signature_list *list) {
    json_t *array = json_array();
    for (size_t i = 0; i < vqemu_signature_list_count(list); i++) {
        json_t *object = json_object();
        json_add_text(object, "digest", vqemu_signature_list_digest(list, i));
        json_add_text(object, "kind", vqemu_signature_list_kind(list, i));
        json_add_text(object, "key", vqemu_signature_list_key_id(list, i));
        json_add_text(object, "fault", vqemu_signature_list_fault(list, i));
        json_append(array, object);
    }
    return array;
}

static void print_signatures(const vqemu_signature_list *list) {
    static const struct column columns[] = {
        {"DIGEST", LEFT}, {"KIND", LEFT}, {"KEY", LEFT}, {"FAULT", LEFT}};
    _cleanup_table_ struct table table = {.columns = columns, .column_count = 4};
    for (size_t i = 0; i < vqemu_signature_list_count(list); i++) {
        const char *key = vqemu_signature_list_key_id(list, i);
        const char *fault = vqemu_signature_list_fault(list, i);
        table_add(&table, "%s", vqemu_signature_list_digest(list, i));
        table_add(&table, "%s", vqemu_signature_list_kind(list, i));
        table_add(&table, "%s", key ? key : "-");
        table_add(&table, "%s", fault ? fault : "-");
    }
    table_print(&table);
}

static int signatures(const struct options *options) {
    _cleanup_error_ vqemu_error *error = NULL;
    _cleanup_store_ vqemu_store *store = NULL;
    _cleanup_revision_ vqemu_revision *revision = NULL;
    _cleanup_signature_list_ vqemu_signature_list *list = NULL;
    if (!options->operand)
        return fail_usage(options->command, "the revision or profile is missing");
    int status = store_from_options(options, 0, &store);
    if (!status)
        status = find_revision_of(options, store, options->operand, &revision);
    if (status)
        return status;
    if (vqemu_store_list_signatures(store, revision, 0, options->call, &list, &error))
        return fail_request(options->command, error);
    if (options->json)
        return print_json(signatures_json(list));
    print_signatures(list);
    return EXIT_SUCCESS;
}

const struct command command_signatures = {
    .name = "signatures",
    .operand = "REVISION|PROFILE",
    .operands = 1,
    .summary = "list the signatures of a revision",
    .description =
        "List the signatures of a revision, and by which key each says that it is. Whether\n"
        "one is good by a key that you trust, \"volt-qemu verify --key\" tells.\n"
        "With --json: an array of digest, kind (signify, minisign, openssl, ssh, unknown),\n"
        "key (\"\" where it does not say), fault (why it cannot be verified, or null).\n",
    .example = "  volt-qemu signatures emulate-x86\n",
    .run = signatures,
};
