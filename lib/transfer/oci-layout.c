/* SPDX-License-Identifier: MIT */
#include "transfer/oci-layout.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "store/leftovers.h"
#include "util/dir.h"
#include "util/fd.h"
#include "util/path.h"
#include "util/strbuf.h"
#include "util/word.h"

#define MARKER_TEXT "{\"imageLayoutVersion\":\"1.0.0\"}"
#define MARKER_LIMIT ((size_t)64 * 1024)
#define INDEX "index.json"
#define INDEX_LIMIT OCI_MANIFEST_MAX
#define BLOBS_ABOVE "blobs"
#define BLOBS_NAME "sha256"
#define BLOBS BLOBS_ABOVE "/" BLOBS_NAME
#define TAG_KEY "org.opencontainers.image.ref.name"
#define TAG_MAX 128
#define DIGEST_SHORTEST 32 /* hex digits */

void oci_layout_close(struct oci_layout *layout) {
    cleanup_close(&layout->fd);
    cleanup_close(&layout->blobs_fd);
}

static int failed(const struct oci_layout *layout, int system_errno, const char *what,
                  const char *name, vqemu_error **error) {
    return error_system_at(error, system_errno, what, "%s/%s", layout->path, name);
}

/* ---- files of it ---- */

/* Returns 0 or a negative errno. */
static int replace_file(const struct oci_layout *layout, const char *name, const char *text) {
    int r = leftovers_replace_file(layout->fd, name, text, strlen(text));
    return r == 0 ? sync_fd(layout->fd) : r;
}

static int refuse_kind(const char *path, const char *why, vqemu_error **error) {
    return error_because(error_set(error, VQEMU_ERR_MALFORMED, 0, "%s %s", path, why), error,
                         "layout-damaged", VQEMU_DETAIL_PATH, path, NULL);
}

/* Returns 1, 0 if there is none, or an error. */
static int read_json(const struct oci_layout *layout, const char *name, size_t limit,
                     json_t **object, vqemu_error **error) {
    _cleanup_free_ char *source = join_path(layout->path, name), *text = NULL;
    size_t size;
    *object = NULL;
    if (!source)
        return error_no_memory(error);
    _cleanup_close_ int fd =
        open_at(layout->fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0);
    struct stat status;
    if (fd == -ENOENT)
        return 0;
    bool is_no_file = fd == -ELOOP || fd == -ENXIO; /* a link or a socket */
    if (!is_no_file && (fd < 0 || fstat(fd, &status) < 0))
        return failed(layout, fd < 0 ? -fd : errno, "cannot open", name, error);
    if (is_no_file || !S_ISREG(status.st_mode))
        return refuse_kind(source, "is not a regular file", error);
    int r = json_read_fd(fd, source, limit, &text, &size, error);
    if (r == 0)
        r = json_parse_object(text, size, source, object, error);
    return r < 0 ? r : 1;
}

/* ---- opening ---- */

static int check_version(const struct oci_layout *layout, const json_t *marker,
                         vqemu_error **error) {
    const char *version = json_text(marker, "imageLayoutVersion");
    if (strcmp(version, "1.0.0") == 0)
        return 0;
    int r = error_set(error, VQEMU_ERR_UNSUPPORTED, 0,
                      "%s is an OCI layout of version \"%.40s\"; this library knows 1.0.0",
                      layout->path, version);
    return error_because(r, error, "layout-version", VQEMU_DETAIL_PATH, layout->path,
                         VQEMU_DETAIL_VALUE, version, NULL);
}

static int is_foreign(int directory_fd, const char *name, void *userdata) {
    (void)directory_fd;
    (void)userdata;
    return !begins_with(name, LEFTOVER_PREFIX);
}

/* Into an empty directory only: what is in another one is somebody's. */
static int make_layout(const struct oci_layout *layout, bool create, vqemu_error **error) {
    int r = create ? for_each_entry(layout->fd, ".", is_foreign, NULL) : 1;
    if (r < 0)
        return failed(layout, -r, "cannot read", ".", error);
    if (r == 0) {
        r = replace_file(layout, OCI_LAYOUT_MARKER, MARKER_TEXT);
        return r < 0 ? failed(layout, -r, "cannot write", OCI_LAYOUT_MARKER, error) : 0;
    }
    r = error_set(error, VQEMU_ERR_MALFORMED, 0,
                  "%s is no OCI layout: it has no file " OCI_LAYOUT_MARKER "%s", layout->path,
                  create ? ", and is not empty" : "");
    return error_because(r, error, "no-layout", VQEMU_DETAIL_PATH, layout->path, NULL);
}

static int make_and_open(int directory_fd, const char *name) {
    int r = make_directory_at(directory_fd, name, 0755);
    return r == 0 || r == -EEXIST
               ? open_at(directory_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0)
               : r;
}

/* Step by step: a link that others have put there would lead what is written elsewhere. */
static int make_blobs(const struct oci_layout *layout) {
    _cleanup_close_ int above_fd = make_and_open(layout->fd, BLOBS_ABOVE);
    return above_fd < 0 ? above_fd : make_and_open(above_fd, BLOBS_NAME);
}

static int open_blobs(struct oci_layout *layout, bool create, vqemu_error **error) {
    int fd = layout->blobs_fd =
        create ? make_blobs(layout) : open_at(layout->fd, BLOBS, O_RDONLY | O_DIRECTORY, 0);
    if (fd >= 0)
        return 0;
    _cleanup_free_ char *path = format_string("%s/" BLOBS, layout->path);
    if (!path)
        return error_no_memory(error);
    return fd == -ENOTDIR || fd == -ELOOP
               ? refuse_kind(path, "is no directory, or goes by a symbolic link", error)
               : error_system_at(error, -fd, "cannot open", "%s", path);
}

static int open_directory(const char *path, bool create, struct oci_layout *layout,
                          vqemu_error **error) {
    *layout = OCI_LAYOUT_NONE;
    layout->path = path;
    if (!*path)
        return error_set(error, VQEMU_ERR_INVALID, 0, "the path of the OCI layout is empty");
    int r = create ? make_directories(AT_FDCWD, path) : 0;
    layout->fd = r < 0 ? r : open_at(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0);
    return layout->fd < 0
               ? error_system_at(error, -layout->fd, "cannot open the OCI layout", "%s", path)
               : 0;
}

int oci_layout_open(const char *path, bool create, struct vqemu_progress *progress,
                    struct oci_layout *layout, vqemu_error **error) {
    _cleanup_json_ json_t *marker = NULL;
    int r = open_directory(path, create, layout, error);
    /* Who reads needs no lock: files get their names when they are whole. */
    if (r == 0 && create)
        r = progress_lock(progress, layout->fd, LOCK_EX, 0, path, error);
    if (r == 0)
        r = read_json(layout, OCI_LAYOUT_MARKER, MARKER_LIMIT, &marker, error);
    layout->is_new = r == 0 && create;
    if (r >= 0)
        r = r == 1 ? check_version(layout, marker, error) : make_layout(layout, create, error);
    if (r == 0)
        r = open_blobs(layout, create, error);
    if (r == 0 && create) {
        leftovers_sweep(layout->fd);
        leftovers_sweep(layout->blobs_fd);
    }
    if (r < 0)
        oci_layout_close(layout);
    return r;
}

/* ---- the index ---- */

/* An index with nothing in it where there is none yet. */
static int read_index(const struct oci_layout *layout, json_t **index, vqemu_error **error) {
    int r = read_json(layout, INDEX, INDEX_LIMIT, index, error);
    if (r < 0)
        return r;
    if (r == 0)
        *index = json_pack("{s:i, s:s, s:[]}", "schemaVersion", 2, "mediaType", OCI_INDEX_TYPE,
                           "manifests");
    if (!*index)
        return error_no_memory(error);
    if (json_is_array(json_object_get(*index, "manifests")))
        return 0;
    return error_set(error, VQEMU_ERR_MALFORMED, 0, "%s/" INDEX ": \"manifests\" is not an array",
                     layout->path);
}

static const char *tag_of(const json_t *descriptor) {
    return json_text(json_object_get(descriptor, "annotations"), TAG_KEY);
}

/* Of whichever algorithm. */
static bool is_digest(const char *version) {
    const char *colon = strrchr(version, ':');
    size_t length = colon ? strlen(colon + 1) : 0;
    return length >= DIGEST_SHORTEST && strspn(colon + 1, "0123456789abcdefABCDEF") == length;
}

/* A tag that looks like a digest must not pass for one. */
static bool is_meant(const json_t *descriptor, const char *version) {
    if (!version)
        return true;
    const char *own = is_digest(version) ? json_text(descriptor, "digest") : tag_of(descriptor);
    return strcmp(version, own) == 0;
}

/* What there is instead, "latest, 7.2"; of those that a tag fits, their digests. */
static char *list_choices(const json_t *manifests, const char *tag_of_all) {
    struct strbuf text = {0};
    size_t i;
    const json_t *descriptor;
    json_array_foreach(manifests, i, descriptor) {
        const char *tag = tag_of_all ? "" : tag_of(descriptor);
        const char *name = *tag ? tag : json_text(descriptor, "digest");
        if (text.length < 200 && is_meant(descriptor, tag_of_all))
            strbuf_addf(&text, "%s%.*s", text.length > 0 ? ", " : "", TAG_MAX,
                        *name ? name : "one without a name");
    }
    strbuf_add(&text, "");
    return strbuf_take(&text);
}

static int refuse_version(const struct oci_layout *layout, const char *version,
                          const json_t *manifests, bool is_there, vqemu_error **error) {
    _cleanup_free_ char *tags = list_choices(manifests, is_there ? version : NULL);
    if (!tags)
        return error_no_memory(error);
    int r = is_there ? error_set(error, VQEMU_ERR_INVALID, 0,
                                 "%s has several manifests%s%.200s: name one of %s", layout->path,
                                 version ? " with the tag " : "", version ? version : "", tags)
            : version
                ? error_set(error, VQEMU_ERR_NOT_FOUND, 0, "%s has no manifest %.200s; it has %s",
                            layout->path, version, *tags ? tags : "none")
                : error_set(error, VQEMU_ERR_NOT_FOUND, 0, "%s has no manifest", layout->path);
    return error_because(r, error, is_there ? "which-one" : "no-manifest", VQEMU_DETAIL_PATH,
                         layout->path, VQEMU_DETAIL_VALUE, version, NULL);
}

int oci_layout_find(const struct oci_layout *layout, const char *version, struct oci_blob *blob,
                    vqemu_error **error) {
    _cleanup_json_ json_t *index = NULL;
    _cleanup_free_ char *source = format_string("%s/" INDEX, layout->path);
    const json_t *descriptor, *found = NULL;
    size_t i;
    int r = source ? read_index(layout, &index, error) : error_no_memory(error);
    if (r < 0)
        return r;
    const json_t *manifests = json_object_get(index, "manifests");
    json_array_foreach(manifests, i, descriptor) {
        if (!is_meant(descriptor, version))
            continue;
        bool is_same =
            found && strcmp(json_text(found, "digest"), json_text(descriptor, "digest")) == 0;
        if (found && !is_same)
            return refuse_version(layout, version, manifests, true, error);
        found = descriptor;
    }
    return found ? oci_descriptor_load(found, source, "manifests", blob, error)
                 : refuse_version(layout, version, manifests, false, error);
}

/* ---- reading blobs ---- */

int oci_layout_failed(const struct oci_layout *layout, const struct digest *digest,
                      int system_errno, const char *what, vqemu_error **error) {
    return error_system_at(error, system_errno, what, "%s/" BLOBS "/%s", layout->path, digest->hex);
}

int oci_layout_damaged(const struct oci_layout *layout, const struct digest *digest,
                       const char *what, const char *how, vqemu_error **error) {
    int r = error_set(error, VQEMU_ERR_CORRUPT, 0, "%s/" BLOBS "/%s, %s, %s", layout->path,
                      digest->hex, what, how);
    return error_because(r, error, "blob-damaged", VQEMU_DETAIL_PATH, layout->path,
                         VQEMU_DETAIL_VALUE, digest->hex, NULL);
}

int oci_layout_open_blob(const struct oci_layout *layout, const struct oci_blob *blob,
                         const char *what, int *fd, vqemu_error **error) {
    struct stat status;
    _cleanup_close_ int opened = open_at(layout->blobs_fd, blob->digest.hex,
                                         O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0);
    if (opened == -ENOENT)
        return oci_layout_damaged(layout, &blob->digest, what, "is missing", error);
    if (opened == -ELOOP)
        return oci_layout_damaged(layout, &blob->digest, what, "is a link", error);
    if (opened == -ENXIO)
        return oci_layout_damaged(layout, &blob->digest, what, "is a socket", error);
    if (opened < 0 || fstat(opened, &status) < 0)
        return oci_layout_failed(layout, &blob->digest, opened < 0 ? -opened : errno, "cannot open",
                                 error);
    if (!S_ISREG(status.st_mode))
        return oci_layout_damaged(layout, &blob->digest, what, "is not a regular file", error);
    if ((uint64_t)status.st_size != blob->size)
        return oci_layout_damaged(layout, &blob->digest, what,
                                  "has another size than is told of it", error);
    *fd = opened;
    opened = -1;
    return 0;
}

int oci_layout_read_blob(const struct oci_layout *layout, const struct oci_blob *blob,
                         const char *what, size_t limit, char **text, vqemu_error **error) {
    _cleanup_close_ int fd = -1;
    _cleanup_free_ char *read = NULL;
    size_t size;
    if (blob->size > limit)
        return error_set(error, VQEMU_ERR_MALFORMED, 0, "%s: %s is larger than %zu bytes",
                         layout->path, what, limit);
    int r = oci_layout_open_blob(layout, blob, what, &fd, error);
    if (r < 0)
        return r;
    r = json_read_fd(fd, what, limit, &read, &size, error);
    if (r < 0)
        return r;
    const struct digest digest = digest_of_bytes(read, size);
    /* Others can have changed it since its size was looked at. */
    if (size != blob->size || !digest_equal(&digest, &blob->digest))
        return oci_layout_damaged(layout, &blob->digest, what, "has another digest than its name",
                                  error);
    *text = TAKE_POINTER(read);
    return 0;
}

/* ---- writing blobs ---- */

int oci_layout_has(const struct oci_layout *layout, const struct oci_blob *blob,
                   const struct watch *watch) {
    struct stat status;
    struct digest digest;
    uint64_t size;
    _cleanup_close_ int fd = open_at(layout->blobs_fd, blob->digest.hex,
                                     O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0);
    if (fd < 0)
        return fd == -ENOENT || fd == -ELOOP || fd == -ENXIO ? 0 : fd;
    if (fstat(fd, &status) < 0)
        return -errno;
    if (!S_ISREG(status.st_mode) || (uint64_t)status.st_size != blob->size)
        return 0;
    int r = digest_of_fd(fd, watch, &digest, &size);
    return r < 0 ? r : digest_equal(&digest, &blob->digest);
}

int oci_layout_begin(const struct oci_layout *layout, struct oci_new_blob *blob) {
    *blob = OCI_NEW_BLOB_NONE;
    blob->fd = leftovers_make_file(layout->blobs_fd, &blob->name);
    return blob->fd < 0 ? blob->fd : 0;
}

int oci_layout_complete(const struct oci_layout *layout, struct oci_new_blob *blob,
                        const struct digest *digest) {
    int r = sync_fd(blob->fd);
    if (r == 0 && renameat(layout->blobs_fd, blob->name, layout->blobs_fd, digest->hex) < 0)
        r = -errno;
    if (r < 0)
        return r;
    free(blob->name);
    blob->name = NULL;
    oci_layout_drop(layout, blob);
    return 0;
}

void oci_layout_drop(const struct oci_layout *layout, struct oci_new_blob *blob) {
    if (blob->name && blob->fd >= 0)
        unlinkat(layout->blobs_fd, blob->name, 0);
    free(blob->name);
    cleanup_close(&blob->fd);
    *blob = OCI_NEW_BLOB_NONE;
}

static int write_text(const struct oci_layout *layout, const char *text, size_t size,
                      const struct digest *digest) {
    struct oci_new_blob new;
    int r = oci_layout_begin(layout, &new);
    if (r == 0)
        r = write_all(new.fd, text, size);
    if (r == 0)
        r = oci_layout_complete(layout, &new, digest);
    oci_layout_drop(layout, &new);
    return r;
}

int oci_layout_add_text(const struct oci_layout *layout, const char *text, size_t size,
                        struct oci_blob *blob, vqemu_error **error) {
    *blob = (struct oci_blob){digest_of_bytes(text, size), size};
    int r = oci_layout_has(layout, blob, NULL);
    if (r == 0)
        r = write_text(layout, text, size, &blob->digest);
    return r < 0 ? oci_layout_failed(layout, &blob->digest, -r, "cannot write", error) : 0;
}

/* ---- tags ---- */

const char *oci_layout_find_tag_fault(const char *tag) {
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_";
    size_t length = strlen(tag);
    if (length == 0 || length > TAG_MAX)
        return "has from 1 to 128 bytes";
    if (!strchr(letters, tag[0]))
        return "begins with a letter, digit or \"_\"";
    for (size_t i = 0; i < length; i++)
        if (!strchr(letters, tag[i]) && tag[i] != '.' && tag[i] != '-')
            return "has letters, digits, \"_\", \".\" and \"-\" only";
    return NULL;
}

int oci_layout_check_tag(const char *tag, vqemu_error **error) {
    const char *fault = tag ? oci_layout_find_tag_fault(tag) : NULL;
    if (!fault)
        return 0;
    int r = error_set(error, VQEMU_ERR_INVALID, 0, "the tag \"%.200s\" cannot be: a tag %s", tag,
                      fault);
    return error_because(r, error, "tag", VQEMU_DETAIL_VALUE, tag, NULL);
}

/* NULL without memory. */
static json_t *entry_json(const struct oci_blob *manifest, const char *tag) {
    json_t *entry = oci_descriptor_to_json(OCI_MANIFEST_TYPE, manifest);
    if (json_object_set_new(entry, "artifactType", json_string(OCI_PROFILE_TYPE)) == 0 &&
        json_object_set_new(entry, "annotations", json_pack("{s:s}", TAG_KEY, tag)) == 0)
        return entry;
    json_decref(entry);
    return NULL;
}

/* In the place of the one that has the tag, or behind all others. Where several have it, no tool
 * can tell which is meant: it leaves them all. */
static int set_entry(json_t *manifests, const char *tag, json_t *entry) {
    size_t place = json_array_size(manifests);
    for (size_t i = place; i-- > 0;) {
        if (strcmp(tag_of(json_array_get(manifests, i)), tag) != 0)
            continue;
        json_array_remove(manifests, i);
        place = i;
    }
    return json_array_insert_new(manifests, place, entry);
}

static int refuse_size(const struct oci_layout *layout, vqemu_error **error) {
    int r = error_set(error, VQEMU_ERR_INVALID, 0,
                      "%s/" INDEX " would be larger than %zu bytes: take another layout",
                      layout->path, INDEX_LIMIT);
    return error_because(r, error, "layout-too-large", VQEMU_DETAIL_PATH, layout->path, NULL);
}

int oci_layout_tag(const struct oci_layout *layout, const struct oci_blob *manifest,
                   const char *tag, vqemu_error **error) {
    _cleanup_json_ json_t *index = NULL;
    _cleanup_free_ char *text = NULL;
    int r = read_index(layout, &index, error);
    if (r < 0)
        return r;
    if (set_entry(json_object_get(index, "manifests"), tag, entry_json(manifest, tag)) < 0)
        return error_no_memory(error);
    r = json_to_line(index, &text, error);
    if (r == 0 && strlen(text) > INDEX_LIMIT)
        r = refuse_size(layout, error);
    if (r < 0)
        return r;
    r = layout->is_new ? sync_file_system(layout->fd) : sync_fd(layout->blobs_fd);
    if (r == 0)
        r = replace_file(layout, INDEX, text);
    return r < 0 ? failed(layout, -r, "cannot write", INDEX, error) : 0;
}
