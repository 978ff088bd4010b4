/* SPDX-License-Identifier: MIT */
/* Values of settings, and what there is within them, compared with the types of QMP's schema. */
#ifndef LIB_CAPABILITY_VALUE_H
#define LIB_CAPABILITY_VALUE_H

#include <stdbool.h>

#include "command/capability-refusal.h"

struct value_check {
    const struct missing *thing; /* whose settings they are */
    const char *type;            /* of the kind "type": what the thing's settings must be */
    const char *also[9];         /* settings that are in no type */
    bool is_loose;               /* whether names that are not in the type can be good */
};

/* Whether there is such a type. */
bool value_type_is_known(const vqemu_capabilities *capabilities, const char *type);

/* VQEMU_ERR_UNSUPPORTED for the first name, value or missing setting that QEMU would refuse. */
int check_values(const struct checker *checker, const struct value_check *check);

/* One word that is the value of a property, which is in the type. */
int check_word(const struct checker *checker, const struct value_check *check, const char *property,
               const char *word);

#endif
