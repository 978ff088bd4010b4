/* SPDX-License-Identifier: MIT */
/*
 * Archives that are imported: plain, or compressed by gzip, xz or zstd. Of what is refused nothing
 * stays in the store; what is accepted can be exported, and imported from that.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "util/dir.h"
#include "util/fd.h"

#define OBJECTS_MAX 50
#define SIZE_MAX_OF_IMPORT (1024 * 1024)

static int make_file(const void *bytes, size_t size) {
    int fd = memfd_create("archive", MFD_CLOEXEC);
    FUZZ_CHECK(fd >= 0 && write_all(fd, bytes, size) == 0 && lseek(fd, 0, SEEK_SET) == 0,
               "cannot write the archive");
    return fd;
}

static vqemu_call *limits(void) {
    static vqemu_call *call;
    if (!call)
        FUZZ_CHECK(
            vqemu_call_new(&call, NULL) == 0 &&
                vqemu_call_set_number(call, VQEMU_CALL_MAX_OBJECTS, OBJECTS_MAX, NULL) == 0 &&
                vqemu_call_set_number(call, VQEMU_CALL_MAX_SIZE, SIZE_MAX_OF_IMPORT, NULL) == 0,
            "no memory");
    return call;
}

/* options may be NULL, for an archive that has its manifest. The caller frees the revision. */
static vqemu_revision *import(vqemu_store *store, int fd, const vqemu_ingest_options *options) {
    vqemu_ingest *ingest = NULL;
    vqemu_revision *revision = NULL;
    vqemu_error *error = NULL;
    uint32_t flags = options ? 0 : VQEMU_IMPORT_ANY_PROFILE;
    int r = vqemu_store_import(store, fd, "input", options, flags, limits(), &ingest, &error);
    FUZZ_CHECK(!ingest == (r < 0), "the result %d with something ingested, or 0 without", r);
    if (fuzz_check_result(r, &error) == 0) {
        FUZZ_CHECK(vqemu_ingest_bytes(ingest) <= SIZE_MAX_OF_IMPORT, "the limit was passed");
        revision = vqemu_revision_ref(vqemu_ingest_revision(ingest));
    }
    vqemu_ingest_free(ingest);
    return revision;
}

static void check_nothing_stayed(void) {
    static const char *const directories[] = {"store/cas/objects", "store/cas/alt",
                                              "store/cas/refs", "store/cas/tmp",
                                              "store/qemu/trees"};
    for (size_t i = 0; i < sizeof directories / sizeof *directories; i++)
        FUZZ_CHECK(fuzz_count_entries(directories[i]) == 0, "something stayed in %s",
                   directories[i]);
}

/* A store that what was exported of the other is imported into. */
static void import_elsewhere(vqemu_store *store, vqemu_revision *revision) {
    int fd = make_file("", 0);
    vqemu_error *error = NULL;
    int r = vqemu_store_export(store, revision, fd, "exported", 0, NULL, &error);
    FUZZ_CHECK(r == 0, "what was imported cannot be exported: %s", vqemu_error_message(error));
    FUZZ_CHECK(lseek(fd, 0, SEEK_SET) == 0, "cannot go back");
    vqemu_store_unref(store);
    remove_tree(fuzz_scratch_fd(), "store");
    vqemu_store *other = fuzz_open_store();
    vqemu_revision *again = import(other, fd, NULL);
    FUZZ_CHECK(again, "what was exported cannot be imported");
    FUZZ_CHECK(strcmp(vqemu_revision_digest(again), vqemu_revision_digest(revision)) == 0,
               "another manifest came back");
    vqemu_revision_unref(again);
    vqemu_store_unref(other);
    close(fd);
}

static void check_accepted(vqemu_store *store, vqemu_revision *revision) {
    const vqemu_manifest *manifest = vqemu_revision_manifest(revision);
    size_t count = vqemu_manifest_object_count(manifest);
    FUZZ_CHECK(count > 0 && count <= OBJECTS_MAX, "%zu objects", count);
    FUZZ_CHECK(fuzz_count_entries("store/cas/objects") <= count, "more objects than files");
    FUZZ_CHECK(fuzz_count_entries("store/cas/tmp") == 0, "something stayed in cas/tmp");
    import_elsewhere(store, revision);
}

/* A store without anything in it is used again. */
static void run(const uint8_t *data, size_t size, const vqemu_ingest_options *options) {
    static vqemu_store *store;
    int fd = make_file(data, size);
    if (!store)
        store = fuzz_open_store();
    vqemu_revision *revision = import(store, fd, options);
    if (revision) {
        check_accepted(store, revision);
        store = NULL;
        remove_tree(fuzz_scratch_fd(), "store");
        vqemu_revision_unref(revision);
    } else {
        check_nothing_stayed();
    }
    close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static vqemu_ingest_options *options;
    fuzz_begin(NULL, 0);
    if (!options)
        FUZZ_CHECK(vqemu_ingest_options_new(&options, NULL) == 0 &&
                       vqemu_ingest_options_set_string(options, "profile", "emulate-x86", NULL) ==
                           0,
                   "no memory");
    run(data, size, NULL);
    run(data, size, options);
    return 0;
}
