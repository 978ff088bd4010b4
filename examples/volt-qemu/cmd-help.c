/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>

#include "commands.h"
#include "option-table.h"
#include "options.h"

static void print_program_help(void) {
    puts("Usage: volt-qemu [OPTION]... COMMAND [ARGUMENT]...\n"
         "Run virtual machines on QEMU profiles kept in a content-addressed store.\n"
         "\n"
         "Commands:");
    for (size_t i = 0; commands[i]; i++)
        printf("  %-13s%s\n", commands[i]->name, commands[i]->summary);
    puts("\nOptions, before or after the command:");
    options_print_help(OPTIONS_GLOBAL);
    puts("\n"
         "Exit status: 0 done, 1 failed, 2 wrong usage, 3 not found or not running, 4 busy,\n"
         "5 invalid value or document, 6 damaged, 7 time over or interrupted.\n"
         "\n"
         "Example:\n"
         "  volt-qemu ingest --profile emulate-x86 /srv/qemu\n"
         "  volt-qemu run --profile emulate-x86 --kernel vmlinuz --rootfs /srv/web\n"
         "\n"
         "volt-qemu COMMAND --help tells more of a command.");
}

static void print_command_help(const struct command *command) {
    unsigned groups = command->option_groups;
    printf("Usage: volt-qemu %s [OPTION]...%s%s%s\n", command->name, command->operand ? " " : "",
           command->operand ? command->operand : "",
           groups & OPTIONS_VM ? " [-- QEMU-ARGUMENT...]" : "");
    printf("%s\n", command->description);
    if (groups) {
        puts("Options:");
        options_print_help(groups);
        putchar('\n');
    }
    puts("Options of all commands:");
    options_print_help(OPTIONS_GLOBAL);
    printf("\nExample:\n%s", command->example);
}

static int help(const struct options *options) {
    if (!options->operand) {
        print_program_help();
        return EXIT_SUCCESS;
    }
    const struct command *command = command_find(options->operand);
    if (!command)
        return command_unknown(options->operand);
    print_command_help(command);
    return EXIT_SUCCESS;
}

const struct command command_help = {
    .name = "help",
    .operand = "[COMMAND]",
    .operands = 1,
    .summary = "explain a command",
    .description = "Explain a command, or list the commands.\n",
    .example = "  volt-qemu help ingest\n",
    .run = help,
};
