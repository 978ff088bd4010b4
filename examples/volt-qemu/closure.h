/* SPDX-License-Identifier: MIT */
/* What a profile's files ask for, and what of it is not there: for people and for programs. */
#ifndef CLOSURE_H
#define CLOSURE_H

#include <jansson.h>
#include <volt-qemu/volt-qemu.h>

json_t *closure_json(const vqemu_closure *closure);

/* An object of guests, each an object of abilities, each the file that has it, or null if it cannot
 * be told whether one has. */
json_t *closure_abilities_json(const vqemu_closure *closure);

/* A warning for each problem, up to some; who wants all is told how. */
void warn_of_closure(const vqemu_closure *closure);

/* Lines on what it can do, and on what is no problem. */
void print_closure_remarks(const vqemu_closure *closure);

#endif
