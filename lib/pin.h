/* SPDX-License-Identifier: MIT */
#ifndef LIB_PIN_H
#define LIB_PIN_H

#include <stdbool.h>

#include "ref.h"

bool pin_is_set(const vqemu_store *store, const vqemu_ref *ref);

#endif
