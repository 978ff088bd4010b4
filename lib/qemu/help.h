/* SPDX-License-Identifier: MIT */
/* What QEMU's program says when it is asked for help on its command line: what it does not tell
 * over QMP. */
#ifndef LIB_QEMU_HELP_H
#define LIB_QEMU_HELP_H

#include "qemu/ask.h"
#include "qemu/capabilities.h"

/*
 * Add what the helps tell, after what QMP has told: the kind "argument", the options of the command
 * line; drivers of sound; and "broken" of displays and drivers of sound that the program was made
 * for, and cannot load. Network backends that the program was made without are taken away: QMP's
 * schema has all. A help that cannot be had, or looks different, tells nothing.
 */
int help_add(struct capability_list *list, const struct asked *asked, vqemu_error **error);

/* What the program has said; each may be NULL. */
struct helps {
    const char *arguments, *displays, *sound, *networks;
};

/* The same of texts of such helps. Returns 0 or -ENOMEM. */
int help_add_texts(struct capability_list *list, const struct helps *helps);

#endif
