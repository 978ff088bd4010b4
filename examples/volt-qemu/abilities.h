/* SPDX-License-Identifier: MIT */
#ifndef ABILITIES_H
#define ABILITIES_H

#include <jansson.h>
#include <stdint.h>

/* The names of the abilities in an OR of enum vqemu_ability: a new array. */
json_t *ability_names(uint64_t abilities);

#endif
