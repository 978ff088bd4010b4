/* SPDX-License-Identifier: MIT */
/* What an ability takes of QEMU for guests of an architecture, and by what that is known. */
#ifndef LIB_ABILITY_RULE_H
#define LIB_ABILITY_RULE_H

#include <stddef.h>
#include <stdint.h>

#include "choice/arch.h"

/* A part of QEMU's. */
struct ability_part {
    /* As <volt-qemu/capabilities.h> names it; no kind for what QEMU does not tell of. */
    const char *kind, *name;
    /* The name of the module that it is in where QEMU was built so; one that ends in "-" goes on
     * with the program's target. NULL: it is part of every program that has it. */
    const char *module;
    /* The name of its type, which every program that has it contains, and others may as well: they
     * have a list of old settings, say. NULL if that is too short to be a text (elf-file.h). */
    const char *type;
    /* Texts of its own source files, which only programs that have it contain, as of QEMU 7.2 and
     * 10.0; NULL behind the last. */
    const char *texts[2];
};

/* Parts of which one will do; NULL behind the last. */
#define ABILITY_CHOICES_MAX 6
struct ability_need {
    const struct ability_part *parts[ABILITY_CHOICES_MAX + 1];
};

#define ABILITY_NEEDS_MAX 4

/*
 * What an ability takes for such guests, all of it; returns how much that is. 0: such guests cannot
 * have it, or, for VQEMU_ABILITY_UEFI, it is not a matter of QEMU's.
 */
size_t ability_needs(uint64_t ability, const struct arch *guest,
                     struct ability_need needs[ABILITY_NEEDS_MAX]);

/* Whether there is a part: 1 or 0; -1 if that cannot be told. */
typedef int (*ability_part_fn)(const struct ability_part *part, void *userdata);

/*
 * Whether there is all that is needed: 1 or 0; -1 if that cannot be told. *decided by: the need
 * that is lacking or cannot be told, otherwise the last.
 */
int ability_judge(const struct ability_need *needs, size_t count, ability_part_fn has,
                  void *userdata, const struct ability_need **decided_by);

/* All parts that an ability can take. */
size_t ability_parts_count(void);
const struct ability_part *ability_part_at(size_t index);

#endif
