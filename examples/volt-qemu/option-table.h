/* SPDX-License-Identifier: MIT */
/* All options of all commands: one table. */
#ifndef OPTION_TABLE_H
#define OPTION_TABLE_H

#include <stddef.h>

/* Which options belong together; each command says which of these groups it takes. */
enum option_group {
    OPTIONS_GLOBAL = 1 << 0,   /* every command takes them */
    OPTIONS_PROFILE = 1 << 1,  /* --profile */
    OPTIONS_WORKLOAD = 1 << 2, /* what vqemu_select() chooses a profile by */
    OPTIONS_RESOLVE = 1 << 3,
    OPTIONS_VM = 1 << 4, /* also arguments for QEMU after "--" */
    OPTIONS_INGEST = 1 << 5,
    OPTIONS_SHOW = 1 << 6,
    OPTIONS_FILES = 1 << 7, /* --files */
    OPTIONS_IMPORT = 1 << 8,
    OPTIONS_EXPORT = 1 << 9,
    OPTIONS_VERIFY = 1 << 10,
    OPTIONS_COLLECT = 1 << 11,
    OPTIONS_COPY = 1 << 12,
    OPTIONS_PIN = 1 << 13,
    OPTIONS_PREPARE = 1 << 14,
    OPTIONS_UNIT = 1 << 15,
    OPTIONS_USER = 1 << 16, /* --user-manager */
    OPTIONS_RUN = 1 << 17,
    OPTIONS_POLICY = 1 << 18,
    OPTIONS_EXPLAIN = 1 << 19,  /* --explain */
    OPTIONS_WHOLE = 1 << 20,    /* --whole */
    OPTIONS_COMMANDS = 1 << 21, /* --commands */
    OPTIONS_SIZES = 1 << 22,    /* --sizes */
    OPTIONS_LAYOUT = 1 << 23,   /* --layout, --tag */
    OPTIONS_KEY = 1 << 24,      /* --key */
    OPTIONS_SIGNATURE = 1 << 25,
    OPTIONS_REMOTE = 1 << 26, /* how a registry is talked to */
    OPTIONS_PULL = 1 << 27,   /* --dry-run, --max-size */
    OPTIONS_PUSH = 1 << 28,   /* --dry-run, --force, --mount-from */
    OPTIONS_TAGS = 1 << 29    /* --delete */
};

enum option_type {
    OPTION_SWITCH,
    OPTION_TEXT,
    OPTION_ABSOLUTE_PATH,
    OPTION_NUMBER,
    OPTION_MEMORY,
    OPTION_BYTES,
    OPTION_KVM_STATE,
    OPTION_SETTING /* field is an enum setting_kind */
};

struct option_row {
    const char *name;
    const char *argument; /* what --help calls it; NULL for a switch */
    unsigned groups;
    enum option_type type;
    size_t field;     /* its offset in struct options */
    const char *help; /* NULL: an old name, which is not told */
};

extern const struct option_row option_rows[];
extern const size_t option_count;

/* Print the --help of the options of some groups. */
void options_print_help(unsigned groups);

#endif
