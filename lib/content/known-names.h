/* SPDX-License-Identifier: MIT */
/* Files that QEMU is known to ask for by name, who in it does, and which of the library's commands
 * lead to that. */
#ifndef LIB_KNOWN_NAMES_H
#define LIB_KNOWN_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "choice/arch.h"

struct known_name {
    const char *name;     /* of a file in firmware/, or of a module without ".so" */
    const char *programs; /* targets of the programs that can ask, between blanks; NULL for all */
    /* Whether a command that the library builds for such guests can lead to it; NULL for never. */
    bool (*needed)(const struct arch *guest, uint64_t abilities);
    const char *who; /* for people: "the device VGA" */
};

/* Firmware, ROMs and device trees, below firmware/. */
size_t known_firmware_count(void);
const struct known_name *known_firmware_at(size_t index);

/* QEMU's modules, apart from accelerators, of which each target has its own. */
size_t known_modules_count(void);
const struct known_name *known_modules_at(size_t index);

/* What begins the name of a module that has an accelerator of a target, such as "x86_64". */
#define MODULE_TCG "accel-tcg-"
#define MODULE_QTEST "accel-qtest-"

/* The keyboard that VNC loads where nobody says which (qemu_vnc's "en-us"). */
#define DEFAULT_KEYMAP "en-us"

/* Whether a name that is not known looks like that of a file in firmware/. */
bool looks_like_firmware(const char *name);

#endif
