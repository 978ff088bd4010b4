/* SPDX-License-Identifier: MIT */
/*
 * The UEFI firmware of a profile: which of the files in its firmware directory belong together, and
 * suit a machine.
 */
#ifndef LIB_FIRMWARE_H
#define LIB_FIRMWARE_H

#include <stdbool.h>

#include <volt-qemu/error.h>

struct firmware {
    char *code, *code_format;          /* absolute path, and "raw" or "qcow2" */
    char *vars_template, *vars_format; /* what a VM's variable store starts as */
    bool secure_boot; /* it can check signatures; with smm: only SMM may write to the variables */
    bool smm;         /* the machine must have System Management Mode */
};

/* A VM's own variable store, and what it is made of and for. */
struct nvram {
    char *path;          /* of the variable store; absolute */
    char *code;          /* of the firmware's code image */
    char *template_path; /* what a new store is a copy of */
};

/*
 * Choose UEFI firmware in a firmware directory, the one that QEMU is given by -L. arch is a guest
 * architecture ("x86_64"), machine a machine type, pinned ("pc-q35-7.2") or an alias ("q35").
 *
 * QEMU's firmware descriptors come first: firmware/<name>.json and descriptors/<name>.json below
 * the directory, in the order of their names; one in firmware/ hides that of the same name in
 * descriptors/, and itself if it is empty. Paths in them are looked for below the directory by
 * their last two components, and by the last. Then pairs of files with well-known names.
 *
 * secure_boot demands firmware with Secure Boot and a template that has keys: without keys nothing
 * would be checked. Otherwise firmware without Secure Boot and SMM is preferred, and firmware whose
 * template has keys not taken.
 *
 * Errors: VQEMU_ERR_UNSUPPORTED if there is none that suits, or its files do not suit the machine's
 * flash; VQEMU_ERR_MALFORMED for a broken descriptor. profile is for messages. On failure *firmware
 * is empty.
 */
int firmware_find(const char *firmware_dir, const char *profile, const char *arch,
                  const char *machine, bool secure_boot, struct firmware *firmware,
                  vqemu_error **error);
void firmware_release(struct firmware *firmware);

#define _cleanup_firmware_ __attribute__((cleanup(firmware_release)))

#endif
