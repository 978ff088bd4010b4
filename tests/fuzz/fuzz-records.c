/* SPDX-License-Identifier: MIT */
/*
 * What is kept in small files: what was verified, which revision is the newest, which one was set,
 * and what a VM's UEFI variables were made for; and the arguments of processes. The first byte of
 * the input tells which: 'v', 'n', 'c', 'f' or 'a'. The first two have their last line made good.
 * In those of revisions, "@R", "@F", "@N" and "@D" stand for what is right.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.h"
#include "fuzz.h"
#include "run/nvram.h"
#include "store/current.h"
#include "store/newest.h"
#include "store/record.h"
#include "store/revision.h"
#include "store/store.h"
#include "store/verified.h"
#include "upkeep/guest-name.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

static vqemu_store *store;
static vqemu_revision *revision;

static void write_sealed(const char *name, struct strbuf *text) {
    _cleanup_free_ char *path = format_string("store/cas/cache/%s", name);
    strbuf_add(text, "");
    record_seal(text);
    FUZZ_CHECK(path && !text->failed, "no memory");
    fuzz_write(path, text->text, text->length);
}

/* ---- what was verified ---- */

static void check_verified(const vqemu_manifest *manifest) {
    size_t count = vqemu_manifest_object_count(manifest);
    FUZZ_CHECK(count > 0, "a manifest without objects");
    for (size_t i = 0; i < count; i++) {
        const char *path = vqemu_manifest_object_path(manifest, i);
        const char *digest = vqemu_manifest_object_digest(manifest, i);
        FUZZ_CHECK(!manifest_find_path_fault(path), "the path \"%s\"", path);
        FUZZ_CHECK(strlen(digest) == DIGEST_HEX_LENGTH, "the digest \"%s\"", digest);
        FUZZ_CHECK(i == 0 || strcmp(vqemu_manifest_object_path(manifest, i - 1), path) < 0,
                   "\"%s\" is not in order", path);
    }
}

static void check_same(const vqemu_manifest *a, const struct verified *known_a,
                       const vqemu_manifest *b, const struct verified *known_b) {
    size_t count = vqemu_manifest_object_count(a);
    FUZZ_CHECK(count == vqemu_manifest_object_count(b), "another number of objects came back");
    for (size_t i = 0; i < count; i++) {
        const struct manifest_object *x = manifest_object(a, i), *y = manifest_object(b, i);
        FUZZ_CHECK(strcmp(x->path, y->path) == 0 && digest_equal(&x->digest, &y->digest) &&
                       x->mode == y->mode && known_a[i].inode == known_b[i].inode &&
                       known_a[i].size == known_b[i].size,
                   "another object came back: \"%s\"", x->path);
    }
}

static void run_verified(struct strbuf *text) {
    const char *digest = vqemu_revision_digest(revision);
    _cleanup_free_ char *name = format_string("verified-%s", digest);
    vqemu_manifest *manifest = NULL, *again = NULL;
    struct verified *known = NULL, *known_again = NULL;
    FUZZ_CHECK(name, "no memory");
    write_sealed(name, text);
    if (verified_load(store, digest, &manifest, &known) == 0) {
        check_verified(manifest);
        verified_save(store, manifest, known);
        int r = verified_load(store, digest, &again, &known_again);
        FUZZ_CHECK(r == 0, "what was saved cannot be loaded");
        check_same(manifest, known, again, known_again);
    }
    vqemu_manifest_unref(manifest);
    vqemu_manifest_unref(again);
    free(known);
    free(known_again);
}

/* ---- the newest ---- */

static void add_right(struct strbuf *text, char letter) {
    struct stat status;
    switch (letter) {
    case 'R':
        FUZZ_CHECK(fstat(store->refs_fd, &status) == 0, "no refs/");
        strbuf_addf(text, "%ju %ju %jd.%09ld", (uintmax_t)status.st_dev, (uintmax_t)status.st_ino,
                    (intmax_t)status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
        break;
    case 'F':
        FUZZ_CHECK(stat(vqemu_revision_path(revision), &status) == 0, "no revision");
        strbuf_addf(text, "%ju %jd %jd.%09ld", (uintmax_t)status.st_ino, (intmax_t)status.st_size,
                    (intmax_t)status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
        break;
    case 'N':
        strbuf_add(text, vqemu_revision_name(revision));
        break;
    case 'D':
        strbuf_add(text, vqemu_revision_digest(revision));
        break;
    default:
        strbuf_addf(text, "@%c", letter);
    }
}

static void fill_in(const struct strbuf *input, struct strbuf *text) {
    for (size_t i = 0; i < input->length; i++) {
        if (input->text[i] == '@' && i + 1 < input->length)
            add_right(text, input->text[++i]);
        else
            strbuf_add_char(text, input->text[i]);
    }
    strbuf_add(text, "");
    FUZZ_CHECK(!text->failed, "no memory");
}

/* It is the revision that there is, whatever a record says. */
static void check_found(int r, vqemu_revision *found, vqemu_error **error) {
    FUZZ_CHECK(!found == (r < 0), "the result %d with a revision, or 0 without", r);
    if (fuzz_check_result(r, error) == 0)
        FUZZ_CHECK(strcmp(vqemu_revision_name(found), vqemu_revision_name(revision)) == 0 &&
                       strcmp(vqemu_revision_digest(found), vqemu_revision_digest(revision)) == 0,
                   "%s is taken for what there is", vqemu_revision_name(found));
    vqemu_revision_unref(found);
}

/* By a handle of its own, which remembers nothing. */
static void run_newest(const struct strbuf *input) {
    _cleanup_strbuf_ struct strbuf text = {0};
    vqemu_revision *newest = NULL;
    vqemu_error *error = NULL;
    fill_in(input, &text);
    write_sealed("newest-emulate-x86", &text);
    vqemu_store *fresh = fuzz_open_store();
    int r = newest_load(fresh, "emulate-x86", NULL, &newest, &error);
    check_found(r, newest, &error);
    vqemu_store_unref(fresh);
}

static void run_current(const struct strbuf *input) {
    _cleanup_strbuf_ struct strbuf text = {0};
    vqemu_revision *current = NULL;
    vqemu_error *error = NULL;
    struct currents all = {0};
    fill_in(input, &text);
    fuzz_write("store/cas/current/emulate-x86", text.text, text.length);
    int r = current_load(store, "emulate-x86", NULL, &current, &error);
    check_found(r, current, &error);
    fuzz_check_result(currents_read(store, &all, &error), &error);
    currents_release(&all);
    unlinkat(fuzz_scratch_fd(), "store/cas/current/emulate-x86", 0);
}

/* ---- arguments ---- */

/* As /proc has them: each has a NUL behind it. */
static void run_arguments(const uint8_t *data, size_t size) {
    char *name = NULL, *text = fuzz_text(data, size);
    FUZZ_CHECK(guest_name_of_arguments(text, size + 1, &name) == 0, "no memory");
    FUZZ_CHECK(!name || strlen(name) <= size, "a name that is longer than all");
    free(name);
    free(text);
}

/* ---- what UEFI variables were made for ---- */

static int prepare_variables(const struct nvram *nvram, uint32_t flags, vqemu_error **error) {
    struct owner owner = {.vm_id = "vm"};
    _cleanup_free_ char *directory = format_string("%s/vm", fuzz_scratch());
    FUZZ_CHECK(directory && owner_find(NULL, &owner, NULL) == 0, "no memory");
    const struct nvram_home home = {.fd = open(directory, O_PATH | O_CLOEXEC), .owner = &owner};
    int r = nvram_prepare(nvram, &home, flags, NULL, error);
    close(home.fd);
    return r;
}

static void run_firmware(const uint8_t *data, size_t size) {
    _cleanup_free_ char *path = format_string("%s/vm/nvram", fuzz_scratch());
    _cleanup_free_ char *image = format_string("%s/vm/image", fuzz_scratch());
    vqemu_error *error = NULL;
    FUZZ_CHECK(path && image, "no memory");
    const struct nvram nvram = {.path = path, .code = image, .template_path = image};
    fuzz_write("vm/image", "image", 5);
    fuzz_write("vm/nvram", "image", 5);
    fuzz_write("vm/nvram.firmware", data, size);
    int r = fuzz_check_result(prepare_variables(&nvram, 0, &error), &error);
    FUZZ_CHECK(r == 0 || r == VQEMU_ERR_CHANGED, "the result %d of a record", r);
    r = fuzz_check_result(prepare_variables(&nvram, NVRAM_KEEP_VARIABLES, &error), &error);
    FUZZ_CHECK(r == 0, "variables are not kept that may be");
    FUZZ_CHECK(fuzz_check_result(prepare_variables(&nvram, 0, &error), &error) == 0,
               "variables that were kept are not known");
    FUZZ_CHECK(fuzz_count_entries("vm") == 3, "something stayed beside the variables");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    _cleanup_strbuf_ struct strbuf text = {0};
    fuzz_begin(data, size);
    if (!store)
        store = fuzz_fill_store(&revision);
    if (size == 0)
        return 0;
    strbuf_add_bytes(&text, data + 1, size - 1);
    FUZZ_CHECK(!text.failed, "no memory");
    if (*data == 'v')
        run_verified(&text);
    else if (*data == 'n')
        run_newest(&text);
    else if (*data == 'c')
        run_current(&text);
    else if (*data == 'a')
        run_arguments(data + 1, size - 1);
    else if (*data == 'f')
        run_firmware(data + 1, size - 1);
    return 0;
}
