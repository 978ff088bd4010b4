/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <volt-qemu/volt-qemu.h>

#include "cleanup.h"
#include "closure.h"
#include "commands.h"
#include "from-options.h"
#include "json.h"
#include "message.h"
#include "option-table.h"
#include "options.h"
#include "progress.h"
#include "text.h"

/* ---- for programs ---- */

static json_t *problem_json(const vqemu_check *check, size_t problem) {
    json_t *object = json_object(), *places = json_array(), *leases = json_array();
    for (size_t i = 0; i < vqemu_check_place_count(check, problem); i++) {
        json_t *place = json_object();
        json_add_text(place, "revision", vqemu_check_place_revision_name(check, problem, i));
        json_add_text(place, "ref", vqemu_check_place_revision_name(check, problem, i));
        json_add_text(place, "path", vqemu_check_place_path(check, problem, i));
        json_append(places, place);
    }
    for (size_t i = 0; i < vqemu_check_process_count(check, problem); i++) {
        json_t *lease = json_object();
        json_add_text(lease, "tree", vqemu_check_process_tree_name(check, problem, i));
        json_add_process(lease, "pid", vqemu_check_process_pid(check, problem, i));
        json_add_text(lease, "process_name", vqemu_check_process_name(check, problem, i));
        json_append(leases, lease);
    }
    json_add_text(object, "kind", vqemu_check_problem_kind(check, problem));
    json_add_text(object, "digest", vqemu_check_problem_digest(check, problem));
    json_add_text(object, "message", vqemu_check_problem_message(check, problem));
    json_add(object, "repaired", json_boolean(vqemu_check_problem_repaired(check, problem)));
    json_add(object, "places", places);
    json_add(object, "leases", leases);
    return object;
}

static json_t *closures_json(const vqemu_check *check) {
    json_t *closures = json_array();
    for (size_t i = 0; i < vqemu_check_closure_count(check); i++) {
        json_t *one = json_object();
        json_add_text(one, "revision", vqemu_check_closure_revision_name(check, i));
        json_add(one, "closure", closure_json(vqemu_check_closure(check, i)));
        json_add(one, "abilities", closure_abilities_json(vqemu_check_closure(check, i)));
        json_append(closures, one);
    }
    return closures;
}

static json_t *check_json(const struct options *options, const vqemu_check *check) {
    json_t *object = json_object(), *problems = json_array();
    for (size_t i = 0; i < vqemu_check_problem_count(check); i++)
        json_append(problems, problem_json(check, i));
    json_add_count(object, "objects", vqemu_check_object_count(check));
    json_add_number(object, "bytes", (int64_t)vqemu_check_bytes(check));
    json_add_count(object, "left", vqemu_check_unrepaired_count(check));
    json_add(object, "problems", problems);
    if (options->closure)
        json_add(object, "closures", closures_json(check));
    return object;
}

/* ---- for people ---- */

static void print_safe(const char *label, const char *text) {
    _cleanup_free_ char *safe = printable(text);
    printf("%s%s\n", label, safe);
}

/* Else the message has all that there is to tell. */
static bool is_about_objects(const char *kind) {
    return strcmp(kind, "closure") != 0 && strcmp(kind, "signature") != 0;
}

static void print_problem(const vqemu_check *check, size_t problem) {
    bool repaired = vqemu_check_problem_repaired(check, problem);
    print_safe(repaired ? "repaired: " : "problem: ", vqemu_check_problem_message(check, problem));
    bool tells_all = !is_about_objects(vqemu_check_problem_kind(check, problem));
    for (size_t i = 0; !tells_all && i < vqemu_check_place_count(check, problem); i++) {
        _cleanup_free_ char *use =
            format_text("%s of %s", vqemu_check_place_path(check, problem, i),
                        vqemu_check_place_revision_name(check, problem, i));
        print_safe("  is ", use);
    }
    for (size_t i = 0; i < vqemu_check_process_count(check, problem); i++) {
        long long pid = (long long)vqemu_check_process_pid(check, problem, i);
        const char *name = vqemu_check_process_name(check, problem, i);
        _cleanup_free_ char *process =
            pid ? format_text("process %lld (%s)", pid, name ? name : "?")
                : format_text("a process that cannot be looked into");
        _cleanup_free_ char *lease =
            format_text("%s, %s", vqemu_check_process_tree_name(check, problem, i), process);
        print_safe("  in use: tree ", lease);
    }
}

static void print_check(const vqemu_check *check) {
    _cleanup_free_ char *size = format_size((int64_t)vqemu_check_bytes(check));
    size_t count = vqemu_check_problem_count(check), left = vqemu_check_unrepaired_count(check);
    for (size_t i = 0; i < count; i++)
        print_problem(check, i);
    for (size_t i = 0; i < vqemu_check_closure_count(check); i++) {
        print_safe("closure: revision ", vqemu_check_closure_revision_name(check, i));
        print_closure_remarks(vqemu_check_closure(check, i));
    }
    printf("%zu objects, %s: %zu problems, %zu repaired\n", vqemu_check_object_count(check), size,
           count, count - left);
}

/* Whether objects are left that are missing or damaged. */
static bool lacks_objects(const vqemu_check *check) {
    for (size_t i = 0; i < vqemu_check_problem_count(check); i++) {
        const char *kind = vqemu_check_problem_kind(check, i);
        if (!vqemu_check_problem_repaired(check, i) &&
            (strcmp(kind, "missing") == 0 || strcmp(kind, "damaged") == 0))
            return true;
    }
    return false;
}

/* Whether nothing is left but problems of this kind. */
static bool is_only(const vqemu_check *check, const char *kind) {
    for (size_t i = 0; i < vqemu_check_problem_count(check); i++)
        if (!vqemu_check_problem_repaired(check, i) &&
            strcmp(vqemu_check_problem_kind(check, i), kind) != 0)
            return false;
    return true;
}

/* The first problem that is left. */
static const char *first_left(const vqemu_check *check) {
    size_t i = 0;
    while (vqemu_check_problem_repaired(check, i))
        i++;
    return vqemu_check_problem_message(check, i);
}

/* One line on what is left, and what an operator can do about it. */
static void advise(const struct options *options, const vqemu_check *check) {
    if (vqemu_check_unrepaired_count(check) == 0)
        return;
    if (is_only(check, "signature"))
        warn("no repair signs a revision, nor opens what cannot be read (%s): volt-qemu signature "
             "add REVISION FILE, or import it again from where it is signed",
             first_left(check));
    else if (is_only(check, "closure"))
        warn("no repair adds what was never in a profile: add it to the directory that the profile "
             "came from, and ingest that again");
    else if (!options->repair)
        warn("put it right with: volt-qemu verify --repair [--from SOURCE]");
    else if (!lacks_objects(check))
        warn("%zu problems are left, such as: %s", vqemu_check_unrepaired_count(check),
             first_left(check));
    else if (!options->from)
        warn("the store itself has no good copy of the rest: name a directory, a tar archive or "
             "another store with --from, or ingest or import the profile again");
    else
        warn("%s has no good copy of the rest", options->from);
}

static int verify(const struct options *options) {
    _cleanup_error_ vqemu_error *error = NULL;
    _cleanup_store_ vqemu_store *store = NULL;
    _cleanup_check_ vqemu_check *check = NULL;
    int status = store_from_options(options, 0, &store);
    if (status)
        return status;

    progress_begin(options);
    uint32_t flags =
        (options->repair ? VQEMU_CHECK_REPAIR : 0) | (options->closure ? VQEMU_CHECK_CLOSURE : 0);
    int code = vqemu_store_check(store, options->operand, flags, options->from, options->call,
                                 &check, &error);
    progress_end();
    if (code)
        return fail_request(options->command, error);
    if (!options->json)
        print_check(check);
    else if (print_json(check_json(options, check)))
        return EXIT_FAILURE;
    advise(options, check);
    return vqemu_check_unrepaired_count(check) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

const struct command command_verify = {
    .name = "verify",
    .operand = "[REVISION|PROFILE]",
    .operands = 1,
    .option_groups = OPTIONS_VERIFY | OPTIONS_KEY,
    .summary = "read and check everything, and repair it",
    .description =
        "Hash all objects of the store, or those of a revision or profile, and compare\n"
        "assembled trees with what they were. Names what is damaged or missing, which\n"
        "files of which revisions that is, and the processes that run from such trees.\n"
        "With --closure, also reads what the files of each revision ask for: libraries,\n"
        "modules, firmware, and what they can do; names what is missing or would come\n"
        "from the host, and tells what only other guests would ask for, and what nothing\n"
        "asks for.\n"
        "With --key, also names revisions that are not signed by one of these keys.\n"
        "Exit status 1 if a problem is left.\n"
        "With --json: objects, bytes, left, problems (kind, digest, message, repaired,\n"
        "uses (revision, ref (the same), path), leases (tree, pid, command));\n"
        "with --closure also closures (revision, closure (kind, state, name, asked_by,\n"
        "message), abilities (by guest architecture and name: the file that has it, or\n"
        "null if that cannot be told)).\n",
    .example = "  volt-qemu verify --threads 4\n"
               "  volt-qemu verify emulate-x86 --repair --from /mnt/volt\n",
    .run = verify,
};
