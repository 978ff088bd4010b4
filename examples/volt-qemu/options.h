/* SPDX-License-Identifier: MIT */
/* The command line: one table of all options, in options.c. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <volt-qemu/volt-qemu.h>

#include "commands.h"

/* Which options belong together; each command says which of these groups it takes. */
enum option_group {
    OPTIONS_GLOBAL = 1,   /* every command takes them */
    OPTIONS_PROFILE = 2,  /* --profile */
    OPTIONS_WORKLOAD = 4, /* what vqemu_select() chooses a profile by */
    OPTIONS_RESOLVE = 8,
    OPTIONS_VM = 16, /* also arguments for QEMU after "--" */
    OPTIONS_BUILD = 32,
    OPTIONS_SHOW = 64,
    OPTIONS_FILES = 128, /* --files */
    OPTIONS_IMPORT = 256,
    OPTIONS_EXPORT = 512,
    OPTIONS_VERIFY = 1024,
    OPTIONS_COLLECT = 2048,
    OPTIONS_COPY = 4096,
    OPTIONS_STOP = 8192,
    OPTIONS_PREPARE = 16384,
    OPTIONS_UNIT = 32768,
    OPTIONS_USER = 65536, /* --user-manager */
    OPTIONS_PIN = 131072
};

#define DEFAULT_ROOT "/var/lib/volt"
#define DEFAULT_VM_NAME "vm"
#define DEFAULT_STOP_TIMEOUT 90 /* seconds */

/* What was given; NULL, false, 0 or -1 for what was not. Strings belong to argv. */
struct options {
    const struct command *command;
    const char *operand;
    bool help, version, json;

    const char *root, *objects, *refs, *trees, *links;
    bool read_only;
    int64_t threads, max_objects; /* -1 if not given */

    const char *host_arch;
    int32_t kvm; /* enum vqemu_kvm_state */

    const char *profile, *mode, *guest_arch, *guest_os;
    const char *ref;
    bool verify, trust;

    const char *vm, *name, *append;
    int64_t memory, cpus;           /* -1 if not given: 0 asks for the default */
    char *rootfs, *kernel, *initrd; /* made absolute; allocated */
    char *const *extra_args;
    size_t extra_arg_count;

    const char *qemu_version, *build_date, *build_host, *created_at;
    const char *manifest;
    bool files;

    int64_t max_size;   /* bytes; -1 if not given */
    const char *output; /* file of an export, directory of units */
    bool repair;
    bool keep_variables, reset_variables; /* of UEFI */
    const char *from;                     /* where good copies are */
    bool dry_run;
    const char *holder; /* of a pin */
    int64_t keep;       /* -1 if not given */
    const char *to;     /* the root of another store */
    int64_t timeout;    /* seconds; -1 if not given */
    bool user_manager;

    vqemu_call *call; /* made of them: see call_from_options() */
};

/*
 * Read the command line into *options, which must be zero and be freed in any case. Returns 0, or
 * the exit status of a fault that has been reported.
 */
int options_parse(struct options *options, int argc, char **argv);

void options_free(struct options *options);

/* Print the --help of the options of some groups. */
void options_print_help(unsigned groups);

#endif
