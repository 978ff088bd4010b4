/* SPDX-License-Identifier: MIT */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kvm-state.h"
#include "message.h"
#include "parse.h"

enum type { SWITCH, TEXT, ABSOLUTE_PATH, NUMBER, MEMORY, BYTES, KVM_STATE };

struct row {
    const char *name;
    const char *argument; /* what --help calls it; NULL for a switch */
    unsigned groups;
    enum type type;
    size_t field;
    const char *help;
};

#define FIELD(name) offsetof(struct options, name)

static const struct row rows[] = {
    {"root", "DIR", OPTIONS_GLOBAL, TEXT, FIELD(root), "the store (default " DEFAULT_ROOT ")"},
    {"objects", "DIR", OPTIONS_GLOBAL, TEXT, FIELD(objects), "instead of --root: its objects,"},
    {"refs", "DIR", OPTIONS_GLOBAL, TEXT, FIELD(refs), "  its refs,"},
    {"trees", "DIR", OPTIONS_GLOBAL, TEXT, FIELD(trees), "  its assembled trees,"},
    {"links", "DIR", OPTIONS_GLOBAL, TEXT, FIELD(links), "  and, if wanted, links to them"},
    {"read-only", NULL, OPTIONS_GLOBAL, SWITCH, FIELD(read_only), "write nothing to the store"},
    {"threads", "COUNT", OPTIONS_GLOBAL, NUMBER, FIELD(threads),
     "how many threads may work on the store (default 1)"},
    {"max-objects", "COUNT", OPTIONS_GLOBAL, NUMBER, FIELD(max_objects),
     "how many files a profile may have (default 10000)"},
    {"host-arch", "ARCH", OPTIONS_GLOBAL, TEXT, FIELD(host_arch),
     "plan for a host of this architecture (without KVM)"},
    {"kvm", "STATE", OPTIONS_GLOBAL, KVM_STATE, FIELD(kvm),
     "plan for KVM usable, absent, denied, broken or software"},
    {"json", NULL, OPTIONS_GLOBAL, SWITCH, FIELD(json), "print JSON"},
    {"help", NULL, OPTIONS_GLOBAL, SWITCH, FIELD(help), "print help"},
    {"version", NULL, OPTIONS_GLOBAL, SWITCH, FIELD(version), "print the version"},

    {"profile", "NAME", OPTIONS_PROFILE, TEXT, FIELD(profile), "the profile"},
    {"mode", "MODE", OPTIONS_WORKLOAD, TEXT, FIELD(mode),
     "hybrid-kvm or hybrid-emulated (default: KVM if it works)"},
    {"guest-arch", "ARCH", OPTIONS_WORKLOAD, TEXT, FIELD(guest_arch),
     "the guest's architecture (default: the host's)"},
    {"guest-os", "OS", OPTIONS_WORKLOAD, TEXT, FIELD(guest_os),
     "windows, other, uefi or linux (default: as the VM says, else linux)"},

    {"ref", "REF", OPTIONS_RESOLVE, TEXT, FIELD(ref), "this version of it (default: the newest)"},
    {"verify", NULL, OPTIONS_RESOLVE, SWITCH, FIELD(verify),
     "read and check every file and object"},
    {"trust", NULL, OPTIONS_RESOLVE, SWITCH, FIELD(trust),
     "use a tree that is there without looking at its files"},

    {"vm", "FILE", OPTIONS_VM, TEXT, FIELD(vm),
     "read the VM from a JSON file; the options below override it"},
    {"name", "NAME", OPTIONS_VM, TEXT, FIELD(name), "its name (default " DEFAULT_VM_NAME ")"},
    {"memory", "SIZE", OPTIONS_VM, MEMORY, FIELD(memory),
     "its memory in MiB, or with suffix M or G (0: the default)"},
    {"cpus", "COUNT", OPTIONS_VM, NUMBER, FIELD(cpus), "its CPUs (0: the default, 1)"},
    {"rootfs", "DIR", OPTIONS_VM, ABSOLUTE_PATH, FIELD(rootfs),
     "the root file system, shared read-only over 9p"},
    {"kernel", "FILE", OPTIONS_VM, ABSOLUTE_PATH, FIELD(kernel), "the kernel to boot"},
    {"initrd", "FILE", OPTIONS_VM, ABSOLUTE_PATH, FIELD(initrd), "its initial RAM disk"},
    {"append", "TEXT", OPTIONS_VM, TEXT, FIELD(append), "its whole command line"},

    {"qemu-version", "TEXT", OPTIONS_BUILD, TEXT, FIELD(qemu_version), "QEMU's version"},
    {"build-date", "TEXT", OPTIONS_BUILD, TEXT, FIELD(build_date), "when it was built"},
    {"build-host", "TEXT", OPTIONS_BUILD, TEXT, FIELD(build_host), "where it was built"},
    {"created-at", "TIME", OPTIONS_BUILD, TEXT, FIELD(created_at),
     "the ref's time, such as 2024-05-01T12:00:00Z (default: now)"},

    {"manifest", "FILE", OPTIONS_SHOW, TEXT, FIELD(manifest), "a manifest outside of the store"},
    {"files", NULL, OPTIONS_FILES, SWITCH, FIELD(files), "also list the files"},

    {"max-size", "SIZE", OPTIONS_IMPORT, BYTES, FIELD(max_size),
     "the most that its files may have together, in bytes, or with suffix K, M or G (default 4G)"},
    {"output", "PATH", OPTIONS_EXPORT | OPTIONS_UNIT, TEXT, FIELD(output),
     "file of the archive, directory of the units (default: standard output)"},
    {"user-manager", NULL, OPTIONS_USER, SWITCH, FIELD(user_manager),
     "for the manager of a user (systemctl --user)"},
    {"repair", NULL, OPTIONS_VERIFY, SWITCH, FIELD(repair), "put right what can be put right"},
    {"from", "SOURCE", OPTIONS_VERIFY, TEXT, FIELD(from),
     "where good copies are: a directory, a tar archive, or the root of another store"},
    {"holder", "KIND:NAME", OPTIONS_PIN, TEXT, FIELD(holder),
     "whose pin it is, such as unit:volt-web"},
    {"dry-run", NULL, OPTIONS_COLLECT, SWITCH, FIELD(dry_run), "remove nothing, only tell"},
    {"keep", "COUNT", OPTIONS_COLLECT, NUMBER, FIELD(keep),
     "of each profile, also remove all but the newest refs"},
    {"keep-variables", NULL, OPTIONS_PREPARE, SWITCH, FIELD(keep_variables),
     "UEFI variables of other firmware: keep them, they are good for this one"},
    {"reset-variables", NULL, OPTIONS_PREPARE, SWITCH, FIELD(reset_variables),
     "UEFI variables: start anew; the old ones stay as FILE.old"},
    {"to", "DIR", OPTIONS_COPY, TEXT, FIELD(to), "the root of the other store"},
    {"timeout", "SECONDS", OPTIONS_STOP, NUMBER, FIELD(timeout),
     "how long the guest may take (default 90)"},
};

#define ROW_COUNT (sizeof rows / sizeof *rows)

/* What getopt_long() returns for rows[0]: more than any character. */
#define FIRST_ROW 256

struct parser {
    struct options *options;
    bool given[ROW_COUNT];
};

static int bad_value(const struct parser *parser, const struct row *row, const char *value) {
    return fail_usage(parser->options->command, "option '--%s' cannot be '%s'", row->name, value);
}

static int take_path(char **field, const char *value) {
    free(*field);
    *field = absolute_path(value);
    if (!*field)
        return fail_text("cannot tell the working directory: %s", strerror(errno));
    return 0;
}

static int take_option(struct parser *parser, const struct row *row, const char *value) {
    void *field = (char *)parser->options + row->field;
    bool good = true;
    parser->given[row - rows] = true;
    switch (row->type) {
    case SWITCH:
        *(bool *)field = true;
        break;
    case TEXT:
        *(const char **)field = value;
        break;
    case ABSOLUTE_PATH:
        return take_path(field, value);
    case NUMBER:
        good = parse_number(value, UINT32_MAX, field);
        break;
    case MEMORY:
        good = parse_memory(value, field);
        break;
    case BYTES:
        good = parse_bytes(value, field);
        break;
    case KVM_STATE:
        *(int32_t *)field = kvm_state_from_name(value);
        good = *(int32_t *)field != 0;
        break;
    }
    return good ? 0 : bad_value(parser, row, value);
}

/* The first argument that is not an option names the command, the second is its operand. */
static int take_argument(struct options *options, const char *argument) {
    if (!options->command) {
        options->command = command_find(argument);
        if (!options->command)
            return fail_usage(NULL, "unknown command '%s'", argument);
        return 0;
    }
    if (options->operand || !options->command->operand)
        return fail_usage(options->command, "superfluous argument '%s'", argument);
    options->operand = argument;
    return 0;
}

/* What stands after "--". */
static int take_rest(struct options *options, char *const *arguments, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (options->command && options->command->option_groups & OPTIONS_VM) {
            options->extra_args = arguments + i;
            options->extra_arg_count = count - i;
            return 0;
        }
        int status = take_argument(options, arguments[i]);
        if (status)
            return status;
    }
    return 0;
}

/* optopt is the row's number if getopt_long() knows the option, and a letter or 0 if it does not.
 */
static int refuse_option(const struct options *options, int result, const char *argument) {
    if (optopt >= FIRST_ROW && result == ':')
        return fail_usage(options->command, "option '%s' needs an argument", argument);
    if (optopt >= FIRST_ROW)
        return fail_usage(options->command, "option '%s' takes no argument", argument);
    if (optopt)
        return fail_usage(options->command, "unknown option '-%c'", optopt);
    return fail_usage(options->command, "unknown or ambiguous option '%s'", argument);
}

static int take_arguments(struct parser *parser, int argc, char **argv) {
    struct option long_options[ROW_COUNT + 1] = {0};
    for (size_t i = 0; i < ROW_COUNT; i++) {
        long_options[i].name = rows[i].name;
        long_options[i].has_arg = rows[i].argument ? required_argument : no_argument;
        long_options[i].val = FIRST_ROW + (int)i;
    }
    opterr = 0; /* the messages are our own */
    int result;
    /* "-": arguments that are not options come in order, as result 1; ":": tell what is missing. */
    while ((result = getopt_long(argc, argv, "-:h", long_options, NULL)) != -1) {
        int status = 0;
        if (result >= FIRST_ROW)
            status = take_option(parser, &rows[result - FIRST_ROW], optarg);
        else if (result == 1)
            status = take_argument(parser->options, optarg);
        else if (result == 'h')
            parser->options->help = true;
        else
            status = refuse_option(parser->options, result, argv[optind - 1]);
        if (status)
            return status;
    }
    return take_rest(parser->options, argv + optind, (size_t)(argc - optind));
}

static int check_groups(const struct parser *parser, const struct command *command) {
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if (parser->given[i] && !(rows[i].groups & (OPTIONS_GLOBAL | command->option_groups)))
            return fail_usage(command, "%s has no option '--%s'", command->name, rows[i].name);
    }
    return 0;
}

static int check_combinations(const struct options *options) {
    const struct command *command = options->command;
    bool any_directory = options->objects || options->refs || options->trees || options->links;
    if (options->root && any_directory)
        return fail_usage(command, "--root excludes --objects, --refs, --trees and --links");
    if (any_directory && !(options->objects && options->refs && options->trees))
        return fail_usage(command, "--objects, --refs and --trees must be given together");
    if (options->profile && (options->mode || options->guest_os))
        return fail_usage(command, "--profile excludes --mode and --guest-os");
    if (options->verify && options->trust)
        return fail_usage(command, "--verify excludes --trust");
    if (options->from && !options->repair)
        return fail_usage(command, "--from goes with --repair");
    return 0;
}

int options_parse(struct options *options, int argc, char **argv) {
    struct parser parser = {.options = options};
    options->memory = -1;
    options->cpus = -1;
    options->threads = -1;
    options->max_objects = -1;
    options->max_size = -1;
    options->keep = -1;
    options->timeout = -1;
    int status = take_arguments(&parser, argc, argv);
    if (status || options->help || options->version)
        return status;
    if (!options->command)
        return fail_usage(NULL, "no command given");
    status = check_groups(&parser, options->command);
    return status ? status : check_combinations(options);
}

void options_free(struct options *options) {
    free(options->rootfs);
    free(options->kernel);
    free(options->initrd);
    vqemu_call_unref(options->call);
}

void options_print_help(unsigned groups) {
    for (size_t i = 0; i < ROW_COUNT; i++) {
        const struct row *row = &rows[i];
        if (!(row->groups & groups))
            continue;
        const char *argument = row->argument ? row->argument : "";
        int width = printf("  --%s %s", row->name, argument);
        printf("%*s%s\n", 24 - width, "", row->help);
    }
}
