/* SPDX-License-Identifier: MIT */
/* Objects that a store lacks come from a registry: several at a time, each verified. */
#ifndef LIB_DOWNLOAD_H
#define LIB_DOWNLOAD_H

#include "remote/session.h"
#include "transfer/fetch.h"
#include "transfer/oci-manifest.h"

/* How many bytes would travel, for how many objects: as far as fetch_find_missing() has found. Of
 * packs, more is asked for than is missing. Returns 0 or -ENOMEM. */
int download_measure(const struct fetch *fetch, const struct oci_manifest *oci, size_t *objects,
                     uint64_t *bytes);

/*
 * Stage what is missing, the largest first; the stage is open and not locked. Every few seconds,
 * what is whole is published, so that it is not lost if the process is killed.
 */
int download_missing(struct session *session, struct fetch *fetch, const struct oci_manifest *oci,
                     vqemu_error **error);

/* Publish what is whole, whether the caller has given up or not. What others hold for longer than
 * some milliseconds is not waited for. */
void download_keep(struct fetch *fetch, uint64_t milliseconds);

#endif
