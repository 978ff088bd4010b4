/* SPDX-License-Identifier: MIT */
/*
 * A firmware descriptor: a JSON file that says what a UEFI or other firmware is made of, and which
 * machines it is for (docs/interop/firmware.json in QEMU's sources).
 */
#ifndef LIB_DESCRIPTOR_H
#define LIB_DESCRIPTOR_H

#include <stdbool.h>
#include <stddef.h>

#include <volt-qemu/error.h>

/* Features that decide a choice; there are more. */
enum firmware_feature {
    FIRMWARE_SECURE_BOOT = 1,   /* checks signatures, once there are keys */
    FIRMWARE_ENROLLED_KEYS = 2, /* the template has keys, and Secure Boot turned on */
    FIRMWARE_REQUIRES_SMM = 4,  /* the machine must have System Management Mode */
};

struct descriptor {
    bool for_arch, for_machine; /* whether it is for those that were asked for */
    unsigned features;          /* of enum firmware_feature */
    /* Set only for UEFI that lies in flash, with the variables in a chip of their own: */
    char *code, *code_format, *vars, *vars_format; /* paths of the machine it was built for */
    /* Otherwise what it is instead: "is not for UEFI", "..." */
    const char *objection;
};

/*
 * Read a descriptor for a guest architecture and a machine (firmware_matches_machine()). source
 * stands for it in messages. What is known must be as QEMU defines it; what is not known is
 * ignored.
 */
int descriptor_parse(const char *text, size_t size, const char *source, const char *arch,
                     const char *machine, struct descriptor *descriptor, vqemu_error **error);
void descriptor_release(struct descriptor *descriptor);

#define _cleanup_descriptor_ __attribute__((cleanup(descriptor_release)))

/* A longer one is refused. */
#define DESCRIPTOR_LIMIT ((size_t)64 * 1024)

/* Whether a path in the firmware directory is one: firmware/NAME.json or descriptors/NAME.json. Of
 * two with the same name that in firmware/ holds. */
bool descriptor_is_path(const char *path);

/*
 * Where a file that a descriptor names can be in the firmware directory: below its own directory,
 * and at the top. A part of the path, or NULL where that makes no place.
 */
#define DESCRIPTOR_PLACES 2
const char *descriptor_place(const char *path, int place);

/*
 * Whether a pattern of machine types, such as "pc-q35-*", is for a machine. The machine can be an
 * alias, such as "q35", and have options: "q35,hpet=off".
 */
bool firmware_matches_machine(const char *pattern, const char *machine);

#endif
