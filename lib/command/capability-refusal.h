/* SPDX-License-Identifier: MIT */
/* Errors about what a QEMU has not: each with the key that asks for it, and what there is instead.
 */
#ifndef LIB_CAPABILITY_REFUSAL_H
#define LIB_CAPABILITY_REFUSAL_H

#include "command/option.h"
#include "command/plan.h"
#include "qemu/capabilities.h"

/* One check of options against what a QEMU told. */
struct checker {
    const struct plan *plan;
    const struct options *options;
    const vqemu_capabilities *capabilities;
    vqemu_store *others; /* whose profiles may have what is missing; may be NULL */
    vqemu_error **error;
};

/* What is missing: a thing, or a property of one. */
struct missing {
    const char *kind, *noun, *name, *property; /* the last: NULL if it is the thing */
    const struct option *option;
    const struct origin *origin;
    const char *words; /* what may be meant, as a set of capabilities; NULL: what the thing has */
    size_t prefix;     /* of the property, before what words are about */
};

/* There is no such thing, or property. */
int refuse_missing(const struct checker *checker, const struct missing *missing);

/* QEMU lists the thing, and has it not when it is to be made: a module of it is not there. */
int refuse_broken(const struct checker *checker, const struct missing *missing);

/* The device is there as a part of machines only. */
int refuse_not_pluggable(const struct checker *checker, const struct missing *missing);

/* The machine of the VM cannot have the CPU model. */
int refuse_for_board(const struct checker *checker, const struct missing *missing);

/* The property does not take a value; takes: what it does take, for people. With words, the values
 * are named by these instead. */
int refuse_value(const struct checker *checker, const struct missing *missing, const char *value,
                 const char *takes);

/* The thing is not to be had without the property. */
int refuse_without_property(const struct checker *checker, const struct missing *missing);

#endif
