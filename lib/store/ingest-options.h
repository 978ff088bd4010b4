/* SPDX-License-Identifier: MIT */
#ifndef LIB_INGEST_OPTIONS_H
#define LIB_INGEST_OPTIONS_H

#include <stdbool.h>

#include <volt-qemu/ingest.h>

struct vqemu_ingest_options {
    /* NULL where not set: */
    char *profile, *digest, *created_at, *qemu_version, *build_date, *build_host;
    char *description, *accel;
    char *abilities, *guests; /* separated by commas */
    vqemu_trust *trust;
};

/* Whether they say anything but whose version it is. */
bool ingest_options_describe(const vqemu_ingest_options *options);

#endif
