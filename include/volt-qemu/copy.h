/* SPDX-License-Identifier: MIT */
#ifndef VOLT_QEMU_COPY_H
#define VOLT_QEMU_COPY_H

#include <stdint.h>

#include <volt-qemu/call.h>
#include <volt-qemu/error.h>
#include <volt-qemu/ingest.h>
#include <volt-qemu/revision.h>
#include <volt-qemu/store.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Copy a revision and the objects that it needs into another store. Only what that store lacks, or
 * has damaged, travels; every object is verified on the way. The revision is the same there: same
 * name, same digest. Its signatures travel, too.
 *
 * revision: of the store from. flags: 0. call: may be NULL; its progress has the step "copy", in
 * bytes of the profile. On success the caller frees *ingest with vqemu_ingest_free(); the objects
 * that are new in it are those that travelled.
 *
 * Errors: VQEMU_ERR_CORRUPT (an object of the store from is missing or damaged), VQEMU_ERR_INVALID
 * (both are the same store; reason "too-many-signatures"; reason "other-store": the revision is not
 * of the store from; more objects than the call allows; reason "from-the-future": created more than
 * a day from now), VQEMU_ERR_UNTRUSTED (the store to asks for a signature:
 * vqemu_store_options_set_trust()), VQEMU_ERR_NO_REVISION (the revision was removed),
 * VQEMU_ERR_CHANGED (the revision's file is not what was loaded), VQEMU_ERR_REFUSED (reason
 * "untrusted-store": the revision's manifest is another user's, or others may write to it),
 * VQEMU_ERR_MALFORMED, VQEMU_ERR_UNSUPPORTED (reason "split-store"), VQEMU_ERR_READ_ONLY,
 * VQEMU_ERR_CANCELLED, VQEMU_ERR_TIMEOUT, VQEMU_ERR_BUSY, VQEMU_ERR_NO_STORE (it was removed),
 * VQEMU_ERR_USAGE, VQEMU_ERR_SYSTEM, VQEMU_ERR_NO_MEMORY. Safe from any thread. Since 1.0.
 */
int vqemu_store_copy(vqemu_store *from, const vqemu_revision *revision, vqemu_store *to,
                     uint32_t flags, vqemu_call *call, vqemu_ingest **ingest, vqemu_error **error);

#ifdef __cplusplus
}
#endif

#endif
