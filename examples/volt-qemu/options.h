/* SPDX-License-Identifier: MIT */
/* What was given on the command line. The table of all options is in option-table.c. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <volt-qemu/volt-qemu.h>

#include "commands.h"

#define DEFAULT_ROOT "/var/lib/volt"
#define DEFAULT_VM_NAME "vm"
#define DEFAULT_STOP_TIMEOUT 90 /* seconds */

/* What is set, mostly of a VM, by options that can come several times, in their order. */
enum setting_kind {
    SETTING_KEY,
    SETTING_DISK,
    SETTING_FORWARD,
    SETTING_SHARE,
    SETTING_FD,
    SETTING_SIGNER
};

struct setting {
    enum setting_kind kind;
    const char *text;
};

/* NULL, false, 0 or -1 for what was not given. Strings belong to argv. */
struct options {
    const struct command *command;
    const char *operand;   /* the first of them; NULL if there is none */
    const char **operands; /* allocated */
    size_t operand_count;
    bool help, version, json;

    const char *root, *objects, *refs, *trees, *links;
    bool read_only, allow_others;
    int64_t threads, max_objects;  /* -1 if not given */
    int64_t timeout, lock_timeout; /* seconds; -1 if not given */

    const char *host_arch;
    int32_t kvm; /* enum vqemu_kvm_state */
    const char *vhost_net;

    const char *profile, *mode, *accel, *guest_arch, *guest_os;
    const char *revision;
    bool verify, trust, any_profile;
    bool explain, commands;

    const char *vm, *name, *append, *policy;
    bool no_check;
    int64_t memory, cpus;           /* -1 if not given: 0 asks for the default */
    char *rootfs, *kernel, *initrd; /* made absolute; allocated */
    struct setting *settings;       /* allocated */
    size_t setting_count;
    char *const *extra_args;
    size_t extra_arg_count;

    const char *qemu_version, *build_date, *build_host, *created_at, *digest;
    const char *guests, *abilities, *description;
    bool whole;
    const char *manifest;
    bool files, sizes, text;
    bool any_kind; /* of a signature */

    int64_t max_size;         /* bytes; -1 if not given */
    int64_t max_layers;       /* of OCI; -1 if not given */
    const char *output;       /* file of an export, directory of units */
    const char *layout, *tag; /* of OCI */
    bool repair, closure;
    bool keep_variables, reset_variables; /* of UEFI */
    const char *from;                     /* where good copies are */
    bool dry_run;
    int64_t keep;       /* -1 if not given */
    const char *to;     /* the root of another store */
    const char *holder; /* of a pin */
    bool user_manager;

    /* of registries: */
    const char *authfile, *user, *login_file;
    bool password_stdin, plain_http, force;
    const char *mount_from, *deleted;              /* a repository, a tag */
    char *ca_file, *certificate, *certificate_key; /* made absolute; allocated */

    int64_t stop_timeout; /* seconds; -1 if not given */

    vqemu_call *call; /* made of them: see call_from_options() */
};

/*
 * Read the command line into *options, which must be zero and be freed in any case. Returns 0, or
 * the exit status of a fault that has been reported.
 */
int options_parse(struct options *options, int argc, char **argv);

void options_free(struct options *options);

/* Whether it was said where the store is. */
bool options_name_store(const struct options *options);
/* Whether --guest-os is "uefi": no system, but the firmware that the guest needs. */
bool options_guest_is_uefi(const struct options *options);

#endif
