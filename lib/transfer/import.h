/* SPDX-License-Identifier: MIT */
/* An import under way: import.c, and how it reads an archive, import-entries.c. */
#ifndef LIB_IMPORT_H
#define LIB_IMPORT_H

#include "base/progress.h"
#include "store/ingest.h"
#include "store/manifest.h"
#include "store/stage-closure.h"
#include "transfer/tar-archive.h"
#include "trust/signature-set.h"

#define IMPORT_BUFFER_SIZE ((size_t)256 * 1024)

/* The first entry of an exported archive. */
#define ARCHIVE_MANIFEST_NAME ".volt-manifest.json"
/* Those behind it, with their SHA-256. */
#define ARCHIVE_SIGNATURE_PREFIX ".volt-signature-"

/* A file or link of the archive. */
struct entry {
    char *path;
    enum archive_kind kind;
    char *target;  /* of a link: the path in the archive; NULL if it leads out of it */
    size_t number; /* in the order of the archive */
    bool executable;
    struct staged staged; /* of a file */
};

/* An import under way. */
struct import {
    vqemu_store *store;
    const char *name; /* of the archive */
    const vqemu_ingest_options *options;
    struct archive_reader *reader;
    struct stage stage;
    struct entry *entries; /* in the order of the archive, then sorted by path */
    size_t count, capacity;
    size_t entries_seen; /* directories, too */
    uint64_t total_size, size_left;
    vqemu_manifest *manifest; /* NULL if the archive has none */
    char *manifest_text;
    struct signature_set signatures;
    bool is_judged;      /* whether it is trusted: known once something else than these comes */
    const char *profile; /* whose version it is, once that is known */
    const char *arch;
    struct manifest_object *objects; /* in the order of the sorted entries */
    size_t *numbers;                 /* likewise: of the staged objects */
    struct staged *staged;
    vqemu_closure *closure;
    unsigned char *buffer;
    bool any_profile, must_be_whole;
    uint64_t reported; /* of the archive's bytes */
    struct vqemu_progress progress;
};

/* Take in every entry: staged, and named by its path; the manifest, if the archive has one. */
int import_read_entries(struct import *import, vqemu_error **error);

/* Whether it is signed as it must be, if that is not known yet. */
int import_check_trust(struct import *import, vqemu_error **error);

/* What the entries amount to: sorted by path, then a list of objects, links as what they lead to;
 * and whether the manifest says the same. */
int import_sort_entries(struct import *import, vqemu_error **error);
int import_list_objects(struct import *import, vqemu_error **error);
int import_compare_with_manifest(const struct import *import, vqemu_error **error);

#endif
