/* SPDX-License-Identifier: MIT */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "kvm-state.h"
#include "message.h"
#include "option-table.h"
#include "parse.h"
#include "suggest.h"
#include "text.h"

/* What getopt_long() returns for option_rows[0]: more than any character. */
#define FIRST_ROW 256

struct parser {
    struct options *options;
    bool *given; /* by the rows of the table */
};

/* ---- values ---- */

static const char *describe_values(enum option_type type) {
    switch (type) {
    case OPTION_NUMBER:
        return "a whole number from 0 to 4294967295";
    case OPTION_MEMORY:
        return "a number of MiB, or with suffix M or G";
    case OPTION_BYTES:
        return "a number of bytes, or with suffix K, M or G";
    case OPTION_KVM_STATE:
        return "one of the words that --help lists";
    default:
        return "something else";
    }
}

static int bad_value(const struct parser *parser, const struct option_row *row, const char *value) {
    return fail_usage(parser->options->command, "option '--%s' cannot be '%s'; it is %s", row->name,
                      value, describe_values(row->type));
}

static int take_path(char **field, const char *value) {
    free(*field);
    *field = absolute_path(value);
    return *field ? 0 : fail_system(errno, "cannot tell the working directory");
}

static void take_setting(struct options *options, enum setting_kind kind, const char *text) {
    size_t count = options->setting_count++;
    options->settings = grow(options->settings, (count + 1) * sizeof *options->settings);
    options->settings[count] = (struct setting){kind, text};
}

static int take_option(struct parser *parser, const struct option_row *row, const char *value) {
    void *field = (char *)parser->options + row->field;
    bool good = true;
    parser->given[row - option_rows] = true;
    switch (row->type) {
    case OPTION_SWITCH:
        *(bool *)field = true;
        break;
    case OPTION_TEXT:
        *(const char **)field = value;
        break;
    case OPTION_ABSOLUTE_PATH:
        return take_path(field, value);
    case OPTION_NUMBER:
        good = parse_number(value, UINT32_MAX, field);
        break;
    case OPTION_MEMORY:
        good = parse_memory(value, field);
        break;
    case OPTION_BYTES:
        good = parse_bytes(value, field);
        break;
    case OPTION_KVM_STATE:
        *(int32_t *)field = kvm_state_from_name(value);
        good = *(int32_t *)field != 0;
        break;
    case OPTION_SETTING:
        take_setting(parser->options, (enum setting_kind)row->field, value);
        break;
    }
    return good ? 0 : bad_value(parser, row, value);
}

/* ---- arguments ---- */

/* The first argument that is not an option names the command, the others are its operands. */
static int take_argument(struct options *options, const char *argument) {
    if (!options->command) {
        options->command = command_find(argument);
        return options->command ? 0 : command_unknown(argument);
    }
    size_t count = options->operand_count;
    if (count >= options->command->operands)
        return fail_usage(options->command, "superfluous argument '%s'", argument);
    options->operands = grow(options->operands, (count + 1) * sizeof *options->operands);
    options->operands[options->operand_count++] = argument;
    options->operand = options->operands[0];
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

/* getopt_long() takes the beginning of an option for it, where only one begins so. */
static int refuse_unknown(const struct options *options, const char *argument) {
    _cleanup_free_ char *name = format_text("%s", argument + strspn(argument, "-"));
    name[strcspn(name, "=")] = '\0';
    struct suggestion suggestion = {.word = name};
    for (size_t i = 0; i < option_count; i++) {
        if (strncmp(option_rows[i].name, name, strlen(name)) == 0)
            return fail_usage(options->command, "ambiguous option '%s'", argument);
        if (option_rows[i].help)
            suggestion_consider(&suggestion, option_rows[i].name);
    }
    return fail_usage(options->command, "unknown option '%s'%s%s", argument,
                      suggestion.best ? "; perhaps it is --" : "",
                      suggestion.best ? suggestion.best : "");
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
    return refuse_unknown(options, argument);
}

static int take_result(struct parser *parser, int result, const char *argument) {
    if (result >= FIRST_ROW)
        return take_option(parser, &option_rows[result - FIRST_ROW], optarg);
    if (result == 1)
        return take_argument(parser->options, optarg);
    if (result != 'h')
        return refuse_option(parser->options, result, argument);
    parser->options->help = true;
    return 0;
}

static int take_arguments(struct parser *parser, int argc, char **argv) {
    _cleanup_free_ struct option *known = grow(NULL, (option_count + 1) * sizeof *known);
    memset(known, 0, (option_count + 1) * sizeof *known);
    for (size_t i = 0; i < option_count; i++) {
        known[i].name = option_rows[i].name;
        known[i].has_arg = option_rows[i].argument ? required_argument : no_argument;
        known[i].val = FIRST_ROW + (int)i;
    }
    opterr = 0; /* the messages are our own */
    int result;
    /* "-": arguments that are not options come in order, as result 1; ":": tell what is missing. */
    while ((result = getopt_long(argc, argv, "-:h", known, NULL)) != -1) {
        int status = take_result(parser, result, argv[optind - 1]);
        if (status)
            return status;
    }
    return take_rest(parser->options, argv + optind, (size_t)(argc - optind));
}

/* ---- what goes together ---- */

static int check_groups(const struct parser *parser, const struct command *command) {
    for (size_t i = 0; i < option_count; i++) {
        const struct option_row *row = &option_rows[i];
        if (parser->given[i] && !(row->groups & (OPTIONS_GLOBAL | command->option_groups)))
            return fail_usage(command, "%s has no option '--%s'", command->name, row->name);
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
    if (options->verify && options->trust)
        return fail_usage(command, "--verify excludes --trust");
    if (options->from && !options->repair)
        return fail_usage(command, "--from goes with --repair");
    return 0;
}

/* Also what is wrong with the arguments before it is told as it asks for. */
static void look_for_json(int argc, char **argv) {
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--json") == 0)
            messages_as_json();
}

int options_parse(struct options *options, int argc, char **argv) {
    int64_t *const numbers[] = {&options->memory,       &options->cpus,    &options->threads,
                                &options->max_objects,  &options->keep,    &options->max_size,
                                &options->lock_timeout, &options->timeout, &options->stop_timeout,
                                &options->max_layers};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        *numbers[i] = -1;
    look_for_json(argc, argv);
    _cleanup_free_ bool *given = grow(NULL, option_count * sizeof *given);
    memset(given, 0, option_count * sizeof *given);
    struct parser parser = {options, given};
    int status = take_arguments(&parser, argc, argv);
    if (status || options->help || options->version)
        return status;
    if (!options->command)
        return fail_usage(NULL, "no command given");
    status = check_groups(&parser, options->command);
    return status ? status : check_combinations(options);
}

void options_free(struct options *options) {
    free(options->operands);
    free(options->settings);
    free(options->rootfs);
    free(options->kernel);
    free(options->initrd);
    free(options->ca_file);
    free(options->certificate);
    free(options->certificate_key);
    vqemu_call_unref(options->call);
}

bool options_guest_is_uefi(const struct options *options) {
    return options->guest_os && strcmp(options->guest_os, "uefi") == 0;
}

bool options_name_store(const struct options *options) {
    return options->root || options->objects;
}
