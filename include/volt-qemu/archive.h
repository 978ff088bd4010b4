/* SPDX-License-Identifier: MIT */
#ifndef VOLT_QEMU_ARCHIVE_H
#define VOLT_QEMU_ARCHIVE_H

#include <stdint.h>

#include <volt-qemu/call.h>
#include <volt-qemu/error.h>
#include <volt-qemu/ingest.h>
#include <volt-qemu/revision.h>
#include <volt-qemu/store.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Flags of vqemu_store_import(). Since 1.0. */
enum vqemu_import_flag {
    /** As VQEMU_INGEST_WHOLE: refuse a profile whose closure has problems, before anything of it is
     * published. */
    VQEMU_IMPORT_WHOLE = 1,
    /** An archive with a manifest may say itself of which profile it is. Who made it then chooses
     * what it displaces. */
    VQEMU_IMPORT_ANY_PROFILE = 2
};

/**
 * Put a tar archive into the store as a revision of a profile, in one pass and without unpacking it
 * elsewhere first.
 *
 * fd: the archive (ustar, pax, GNU or v7; plain, or compressed by gzip, xz or zstd) from its
 * current offset: a file, a pipe or a socket. It stays open. name stands for it in messages; NULL
 * means "/dev/fd/N". Zeros behind the packed data, as on tapes, are passed over.
 *
 * Names and targets of links are taken byte for byte. Owners, times and attributes are not stored.
 *
 * An archive of vqemu_store_export() begins with the profile's manifest, and its signatures: then
 * every file must be as that says, and the revision is the same one as in the store it came from.
 * Which profile it may be is for the caller to say: by options with VQEMU_INGEST_PROFILE, or with
 * VQEMU_INGEST_DIGEST, or both; or by the flag VQEMU_IMPORT_ANY_PROFILE, and then options may be
 * NULL. For any other archive, options are as for vqemu_store_ingest(), and the files are taken as
 * that takes those of a directory: links to files of the archive are stored as the file.
 *
 * What the files ask for, and what of it is not there, is found out as for a directory:
 * vqemu_ingest_closure().
 *
 * Refused, with the entry named: paths that a manifest cannot hold, such as "../x"; links that lead
 * out of the archive, to a directory or nowhere; devices, FIFOs and sockets; two entries of one
 * name; more than VQEMU_CALL_MAX_OBJECTS files, or more than VQEMU_CALL_MAX_SIZE bytes; archives
 * that are cut off or damaged, or have something behind their end; what takes more memory to unpack
 * than a dictionary of 64 MiB (xz) or a window of 128 MiB (zstd) does. Nothing of a refused archive
 * stays in the store.
 *
 * flags: an OR of enum vqemu_import_flag. call: may be NULL; its progress has the step "import", in
 * bytes of the archive. On success the caller frees *ingest with vqemu_ingest_free().
 *
 * Errors: VQEMU_ERR_MALFORMED (broken archive or manifest), VQEMU_ERR_INVALID (an entry that cannot
 * be stored; no QEMU program; unknown or missing profile; reason "not-whole": VQEMU_IMPORT_WHOLE;
 * reason "from-the-future": created more than a day from now; reason "too-many-signatures"; reason
 * "packed-layout": see vqemu_store_import_layout()),
 * VQEMU_ERR_UNTRUSTED (see vqemu_trust), VQEMU_ERR_CORRUPT (a file is other
 * than the manifest says; reason "digest-differs": the manifest is another one),
 * VQEMU_ERR_UNSUPPORTED (a kind of entry that a profile cannot have; reason "window-too-large";
 * reason "library-missing": libarchive, zlib, liblzma or libzstd, which it needs, is not
 * installed), VQEMU_ERR_READ_ONLY, VQEMU_ERR_CANCELLED, VQEMU_ERR_TIMEOUT, VQEMU_ERR_BUSY,
 * VQEMU_ERR_NO_STORE (it was removed), VQEMU_ERR_USAGE, VQEMU_ERR_SYSTEM, VQEMU_ERR_NO_MEMORY. Safe
 * from any thread. Since 1.0.
 */
int vqemu_store_import(vqemu_store *store, int fd, const char *name,
                       const vqemu_ingest_options *options, uint32_t flags, vqemu_call *call,
                       vqemu_ingest **ingest, vqemu_error **error);

/**
 * Write a revision and its objects to a descriptor as a plain tar archive, which any tar can read.
 *
 * It holds the manifest as ".volt-manifest.json", its signatures, then the files by path, all owned
 * by 0:0, with mode 0755 or 0644 and the manifest's "created_at" as their time, so that the same
 * manifest, with the same signatures, gives the same bytes. Each object is verified while it is
 * written; if one is damaged, the archive is left without its end, so that nobody takes it for
 * whole.
 *
 * fd: a file, pipe or socket; it stays open and is not synced. name stands for it in messages; NULL
 * means "/dev/fd/N". flags: 0. call: may be NULL; its progress has the step "export", in bytes.
 *
 * Errors: VQEMU_ERR_CORRUPT (an object is missing or damaged), VQEMU_ERR_MALFORMED (broken
 * manifest), VQEMU_ERR_INVALID (reason "other-store": the revision is of another store; reason
 * "too-many-signatures"), VQEMU_ERR_NO_REVISION (the revision was removed), VQEMU_ERR_CHANGED (the
 * revision's file is not what was loaded), VQEMU_ERR_REFUSED (reason "untrusted-store": the
 * revision's manifest is another user's, or others may write to it), VQEMU_ERR_UNSUPPORTED (reason
 * "library-missing": libarchive is not installed), VQEMU_ERR_CANCELLED, VQEMU_ERR_TIMEOUT,
 * VQEMU_ERR_BUSY, VQEMU_ERR_NO_STORE (it was removed), VQEMU_ERR_USAGE, VQEMU_ERR_SYSTEM,
 * VQEMU_ERR_NO_MEMORY. Safe from any thread. Since 1.0.
 */
int vqemu_store_export(vqemu_store *store, const vqemu_revision *revision, int fd, const char *name,
                       uint32_t flags, vqemu_call *call, vqemu_error **error);

#ifdef __cplusplus
}
#endif

#endif
