/* SPDX-License-Identifier: MIT */
#ifndef LIB_PIN_H
#define LIB_PIN_H

#include <volt-qemu/pin.h>

#include "store/store.h"

struct pin {
    char *revision;
    char *holder; /* "" for the pin without one */
};

struct pins {
    struct pin *pins; /* by revision and holder */
    size_t count, capacity;
};

/* The pins of one revision, or all if that is NULL. */
int pins_read(const vqemu_store *store, const char *revision, struct pins *pins,
              vqemu_error **error);

/* The first pin of a revision; NULL if nobody pins it. */
const struct pin *pins_of(const struct pins *pins, const char *revision);

void pins_release(struct pins *pins);

#endif
