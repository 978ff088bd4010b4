/* SPDX-License-Identifier: MIT */
#include "run/nvram.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/call.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/json.h"
#include "base/progress.h"
#include "base/trusted.h"
#include "command/flash-image.h"
#include "command/qcow2.h"
#include "store/leftovers.h"
#include "util/fd.h"
#include "util/path.h"
#include "util/sparse.h"
#include "util/strbuf.h"

#define RECORD_LIMIT ((size_t)4096)
#define COPY_SIZE ((size_t)256 * 1024)
#define COPYING "the copy of UEFI variables"
#define SHORT_DIGEST 12 /* hex digits in messages */

/* What the store belongs to. */
struct identity {
    struct digest firmware, template;
    bool is_vms; /* it is of this VM */
};

/* A store in its directory, which is locked, and what it is to be made of. */
struct place {
    const struct nvram *nvram;
    const struct nvram_home *home;
    vqemu_call *call; /* may be NULL */
    char *directory;  /* for messages */
    int fd;
    const char *store;                  /* file names in the directory */
    char *record, *old;                 /* ditto */
    char *staged_store, *staged_record; /* nobody else uses these while the directory is locked */
    int template_fd;
    bool qcow2; /* the template is, and so the store */
    struct identity wanted;
};

/* ---- opening ---- */

static int name_files(struct place *place, vqemu_error **error) {
    const char *path = place->nvram->path, *name = base_name(path);
    if (*path != '/' || !*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return error_set(error, VQEMU_ERR_INVALID, 0,
                         "the variable store \"%s\" is not the absolute path of a file", path);
    place->store = name;
    place->directory = strndup(path, name - path > 1 ? (size_t)(name - path - 1) : 1);
    place->record = format_string("%s.firmware", name);
    place->old = format_string("%s.old", name);
    place->staged_store = format_string(LEFTOVER_PREFIX "%s", name);
    place->staged_record = format_string(LEFTOVER_PREFIX "%s.firmware", name);
    bool complete = place->directory && place->record && place->old && place->staged_store &&
                    place->staged_record;
    return complete ? 0 : error_no_memory(error);
}

static int open_and_lock_directory(struct place *place, vqemu_error **error) {
    struct vqemu_progress progress = {.call = place->call};
    place->fd = open_at(place->home->fd, ".", O_RDONLY | O_DIRECTORY, 0);
    if (place->fd < 0)
        return error_system_at(error, -place->fd, "cannot open the directory of the variable store",
                               "%s", place->nvram->path);
    return progress_lock(&progress, place->fd, LOCK_EX, 0, place->directory, error);
}

static int digest_of_image(int fd, const char *path, struct digest *digest, vqemu_error **error) {
    uint64_t size;
    int r = digest_of_fd(fd, NULL, digest, &size);
    return r < 0 ? error_system_at(error, -r, "cannot read", "%s", path) : 0;
}

static int open_images(struct place *place, vqemu_error **error) {
    const struct nvram *nvram = place->nvram;
    _cleanup_close_ int code_fd = -1;
    int r = json_open_file(nvram->code, &code_fd, error);
    if (r == 0)
        r = digest_of_image(code_fd, nvram->code, &place->wanted.firmware, error);
    if (r == 0)
        r = json_open_file(nvram->template_path, &place->template_fd, error);
    if (r == 0)
        r = digest_of_image(place->template_fd, nvram->template_path, &place->wanted.template,
                            error);
    if (r < 0)
        return r;
    int qcow2 = qcow2_is_one(place->template_fd);
    if (qcow2 < 0)
        return error_system_at(error, -qcow2, "cannot read", "%s", nvram->template_path);
    place->qcow2 = qcow2;
    return 0;
}

static void close_place(struct place *place) {
    cleanup_close(&place->fd);
    cleanup_close(&place->template_fd);
    free(place->directory);
    free(place->record);
    free(place->old);
    free(place->staged_store);
    free(place->staged_record);
}

/* ---- the record ---- */

static int get_digest(const json_t *root, const char *source, const char *key,
                      struct digest *digest, vqemu_error **error) {
    const char *text = json_string_value(json_object_get(root, key));
    if (text && digest_parse(text, digest))
        return 0;
    return error_set(error, VQEMU_ERR_MALFORMED, 0, "%s: \"%s\" is not 64 lowercase hex digits",
                     source, key);
}

static int parse_record(int fd, const char *source, const char *vm_id, struct identity *identity,
                        vqemu_error **error) {
    _cleanup_free_ char *text = NULL;
    _cleanup_json_ json_t *root = NULL;
    size_t size;
    int r = json_read_fd(fd, source, RECORD_LIMIT, &text, &size, error);
    if (r == 0)
        r = json_parse_object(text, size, source, &root, error);
    if (r == 0)
        r = get_digest(root, source, "firmware", &identity->firmware, error);
    if (r == 0)
        r = get_digest(root, source, "template", &identity->template, error);
    const char *vm = json_string_value(json_object_get(root, "vm"));
    identity->is_vms = vm && strcmp(vm, vm_id) == 0;
    return r;
}

/* VQEMU_ERR_NOT_FOUND if there is none, VQEMU_ERR_MALFORMED if it is none, or an error of reading.
 */
static int read_record(const struct place *place, struct identity *identity, vqemu_error **error) {
    _cleanup_free_ char *source = join_path(place->directory, place->record);
    struct stat status;
    if (!source)
        return error_no_memory(error);
    _cleanup_close_ int fd =
        open_at(place->fd, place->record, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0);
    if (fd >= 0 && fstat(fd, &status) < 0)
        return error_system_at(error, errno, "cannot look at", "%s", source);
    if (fd == -ELOOP || fd == -ENXIO || (fd >= 0 && !S_ISREG(status.st_mode)))
        return error_set(error, VQEMU_ERR_MALFORMED, 0, "%s is not a regular file", source);
    if (fd < 0)
        return error_system_at(error, -fd, "cannot open", "%s", source);
    int r = parse_record(fd, source, place->home->owner->vm_id, identity, error);
    if (r == 0) /* what somebody else can write says nothing about root's files */
        identity->is_vms = identity->is_vms && trusted_own(status.st_uid);
    return r;
}

/* ---- making files ---- */

static int cannot_make(const struct place *place, const char *name, int system_errno,
                       vqemu_error **error) {
    return error_system_at(error, system_errno, "cannot make", "%s/%s", place->directory, name);
}

/* Copy a whole file into a new one, and hash it. Returns 0 or a negative errno: -ECANCELED if the
 * caller has had enough. */
static int copy_image(const vqemu_call *call, int from, int to, struct digest *digest) {
    _cleanup_free_ unsigned char *buffer = malloc(COPY_SIZE);
    struct digest_state state;
    off_t offset = 0;
    if (!buffer)
        return -ENOMEM;
    digest_start(&state);
    for (;;) {
        if (call_check(call, COPYING, NULL) < 0)
            return -ECANCELED;
        ssize_t n = pread(from, buffer, COPY_SIZE, offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0)
            break;
        digest_add(&state, buffer, (size_t)n);
        int r = write_sparsely(to, buffer, (size_t)n);
        if (r < 0)
            return r;
        offset += n;
    }
    *digest = digest_finish(&state);
    return set_file_size(to, offset); /* zeros at the end */
}

/* A new file under a name at which a process that died may have left one. A descriptor or a
 * negative errno. */
static int make_file(const struct place *place, const char *name) {
    if (unlinkat(place->fd, name, 0) < 0 && errno != ENOENT)
        return -errno;
    _cleanup_close_ int fd =
        open_at(place->fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
    if (fd >= 0 && fchmod(fd, 0600) < 0) /* whatever the umask is */
        return -errno;
    const struct owner *owner = place->home->owner;
    if (fd >= 0 && owner->is_user && owner->uid != geteuid() &&
        fchown(fd, owner->uid, owner->gid) < 0)
        return -errno;
    return take_fd(&fd);
}

static int stage_record(const struct place *place, vqemu_error **error) {
    _cleanup_free_ char *text = format_string(
        "{\n  \"firmware\": \"%s\",\n  \"template\": \"%s\",\n  \"vm\": \"%s\"\n}\n",
        place->wanted.firmware.hex, place->wanted.template.hex, place->home->owner->vm_id);
    if (!text)
        return error_no_memory(error);
    _cleanup_close_ int fd = make_file(place, place->staged_record);
    int r = fd < 0 ? fd : write_all(fd, text, strlen(text));
    if (r == 0)
        r = sync_fd(fd);
    return r < 0 ? cannot_make(place, place->record, -r, error) : 0;
}

static int stage_store(const struct place *place, vqemu_error **error) {
    struct digest copied;
    _cleanup_close_ int fd = make_file(place, place->staged_store);
    int r = fd < 0 ? fd : copy_image(place->call, place->template_fd, fd, &copied);
    if (r == 0)
        r = sync_fd(fd);
    if (r == -ECANCELED)
        return call_check(place->call, COPYING, error);
    if (r < 0)
        return cannot_make(place, place->store, -r, error);
    if (digest_equal(&copied, &place->wanted.template))
        return 0;
    return error_set(error, VQEMU_ERR_CHANGED, 0, "%s changed while it was being read",
                     place->nvram->template_path);
}

static void remove_staged(const struct place *place) {
    unlinkat(place->fd, place->staged_store, 0);
    unlinkat(place->fd, place->staged_record, 0);
}

/* What was renamed before this is on the disk after it. */
static int sync_directory(const struct place *place, vqemu_error **error) {
    int r = sync_fd(place->fd);
    return r < 0 ? error_system_at(error, -r, "cannot sync the directory", "%s", place->directory)
                 : 0;
}

static int publish_record(const struct place *place, vqemu_error **error) {
    if (renameat(place->fd, place->staged_record, place->fd, place->record) < 0)
        return cannot_make(place, place->record, errno, error);
    return sync_directory(place, error);
}

static int publish_store(const struct place *place, vqemu_error **error) {
    int r = rename_noreplace(place->fd, place->staged_store, place->fd, place->store);
    return r < 0 ? cannot_make(place, place->store, -r, error) : sync_directory(place, error);
}

/* ---- what can be done ---- */

/*
 * The record comes first: a store without one, or with that of other firmware, must not be seen,
 * not even after a power loss.
 */
static int create(const struct place *place, vqemu_error **error) {
    int r = stage_store(place, error);
    if (r == 0)
        r = stage_record(place, error);
    if (r == 0)
        r = publish_record(place, error);
    if (r == 0)
        r = publish_store(place, error);
    return r;
}

/* QEMU locks bytes of the images that it has open. */
static int check_unused(const struct place *place, vqemu_error **error) {
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    _cleanup_close_ int fd =
        open_at(place->fd, place->store, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0);
    if (fd < 0)
        return error_system_at(error, -fd, "cannot open", "%s", place->nvram->path);
    if (fcntl(fd, F_OFD_GETLK, &lock) < 0)
        return error_system_at(error, errno, "cannot look at the locks of", "%s",
                               place->nvram->path);
    if (lock.l_type == F_UNLCK)
        return 0;
    int r = error_set(error, VQEMU_ERR_BUSY, 0,
                      "the variable store %s is in use: stop the VM before its variables are reset",
                      place->nvram->path);
    return error_because(r, error, "nvram-in-use", VQEMU_DETAIL_PATH, place->nvram->path, NULL);
}

/* Nothing is moved before all is written, so that a full disk changes nothing. */
static int reset(const struct place *place, vqemu_error **error) {
    int r = check_unused(place, error);
    if (r == 0)
        r = stage_store(place, error);
    if (r == 0)
        r = stage_record(place, error);
    if (r == 0 && renameat(place->fd, place->store, place->fd, place->old) < 0)
        r = cannot_make(place, place->old, errno, error);
    if (r == 0)
        r = sync_directory(place, error);
    if (r == 0)
        r = publish_record(place, error);
    if (r == 0)
        r = publish_store(place, error);
    return r;
}

static int image_sizes(const struct place *place, uint64_t *store, uint64_t *template,
                       vqemu_error **error) {
    _cleanup_close_ int fd =
        open_at(place->fd, place->store, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0);
    if (fd < 0)
        return error_system_at(error, -fd, "cannot open", "%s", place->nvram->path);
    int r = flash_image_size(fd, place->nvram->path, place->qcow2, store, error);
    if (r == 0)
        r = flash_image_size(place->template_fd, place->nvram->template_path, place->qcow2,
                             template, error);
    return r;
}

static int check_size(const struct place *place, vqemu_error **error) {
    uint64_t store = 0, template = 0;
    int r = image_sizes(place, &store, &template, error);
    if (r < 0 || store == template)
        return r;
    r = error_set(
        error, VQEMU_ERR_CORRUPT, 0,
        "the variable store %s has %ju bytes and cannot be used: its template %s has %ju; "
        "a reset starts anew, and keeps it as %s.old",
        place->nvram->path, (uintmax_t)store, place->nvram->template_path, (uintmax_t) template,
        place->nvram->path);
    return error_because(r, error, "nvram-size", VQEMU_DETAIL_PATH, place->nvram->path, NULL);
}

static int keep(const struct place *place, vqemu_error **error) {
    int r = check_size(place, error);
    if (r == 0)
        r = stage_record(place, error);
    if (r == 0)
        r = publish_record(place, error);
    return r;
}

/* ---- the decision ---- */

static int refuse(const struct place *place, const char *why, vqemu_error **error) {
    const struct nvram *nvram = place->nvram;
    int r = error_set(error, VQEMU_ERR_CHANGED, 0,
                      "the variable store %s %s; or keep its variables for this firmware, or reset "
                      "them, which starts anew from %s and keeps it as %s.old",
                      nvram->path, why, nvram->template_path, nvram->path);
    return error_because(r, error, "other-firmware", VQEMU_DETAIL_PATH, nvram->path, NULL);
}

/* A record that is missing or broken. */
static int refuse_unknown(const struct place *place, int code, const vqemu_error *problem,
                          vqemu_error **error) {
    _cleanup_free_ char *why = NULL;
    if (code == VQEMU_ERR_NOT_FOUND)
        why =
            format_string("has no record of its firmware (%s/%s)", place->directory, place->record);
    else
        why =
            format_string("has no good record of its firmware (%s)", vqemu_error_message(problem));
    return why ? refuse(place, why, error) : error_no_memory(error);
}

static int refuse_other(const struct place *place, const struct identity *recorded,
                        vqemu_error **error) {
    const struct identity *wanted = &place->wanted;
    _cleanup_free_ char *why = NULL;
    if (!digest_equal(&recorded->firmware, &wanted->firmware))
        why = format_string(
            "belongs to firmware %.*s, and %s is %.*s: resolve the revision that it was "
            "made with",
            SHORT_DIGEST, recorded->firmware.hex, place->nvram->code, SHORT_DIGEST,
            wanted->firmware.hex);
    else
        why = format_string(
            "was made from template %.*s, and %s is %.*s, so Secure Boot and its "
            "keys may differ: resolve the revision and set \"secure_boot\" as when it "
            "was made",
            SHORT_DIGEST, recorded->template.hex, place->nvram->template_path, SHORT_DIGEST,
            wanted->template.hex);
    return why ? refuse(place, why, error) : error_no_memory(error);
}

static bool same_identity(const struct identity *a, const struct identity *b) {
    return digest_equal(&a->firmware, &b->firmware) && digest_equal(&a->template, &b->template);
}

/* Whose a store is that was there before, and whether it is known to be the VM's. */
struct present {
    int fd; /* O_PATH */
    struct stat status;
    bool is_vms;
};

/* Nothing is changed about a store that is somebody else's. */
static int check_owner(const struct place *place, const struct present *present,
                       vqemu_error **error) {
    const struct owner *owner = place->home->owner;
    int r = owner_check(owner, &present->status, place->nvram->path, error);
    if (r == 0 && owner->is_user && present->status.st_uid != owner->uid && !present->is_vms)
        r = owner_refuse(owner, &present->status, place->nvram->path, error);
    return r;
}

/* QEMU's user opens the store; the record is for who prepares as that user. */
static int give(const struct place *place, const struct present *present, vqemu_error **error) {
    struct stat status;
    const struct owner *owner = place->home->owner;
    int r = owner_give(owner, present->fd, &present->status, present->is_vms, place->nvram->path,
                       error);
    _cleanup_close_ int fd =
        r == 0 && present->is_vms ? open_at(place->fd, place->record, O_PATH | O_NOFOLLOW, 0) : -1;
    if (fd >= 0 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode))
        r = owner_give(owner, fd, &status, true, place->record, error);
    return r;
}

static int decide(const struct place *place, uint32_t flags, int read,
                  const struct identity *recorded, vqemu_error **problem, vqemu_error **error) {
    if (read == 0 && same_identity(recorded, &place->wanted))
        return check_size(place, error);
    if (read < 0 && read != VQEMU_ERR_NOT_FOUND && read != VQEMU_ERR_MALFORMED) {
        if (error)
            *error = TAKE_POINTER(*problem);
        return read;
    }
    if (flags & NVRAM_KEEP_VARIABLES)
        return keep(place, error);
    return read == 0 ? refuse_other(place, recorded, error)
                     : refuse_unknown(place, read, *problem, error);
}

static int prepare_present(const struct place *place, struct present *present, uint32_t flags,
                           vqemu_error **error) {
    _cleanup_error_ vqemu_error *problem = NULL;
    struct identity recorded = {0};
    int read = read_record(place, &recorded, &problem);
    present->is_vms = recorded.is_vms || place->home->is_vms;
    int r = check_owner(place, present, error);
    if (r == 0 && flags & NVRAM_RESET_VARIABLES)
        return reset(place, error);
    if (r == 0)
        r = decide(place, flags, read, &recorded, &problem, error);
    return r == 0 ? give(place, present, error) : r;
}

static int prepare_locked(const struct place *place, uint32_t flags, vqemu_error **error) {
    struct present present = {0};
    const char *path = place->nvram->path;
    _cleanup_close_ int fd = present.fd = open_at(place->fd, place->store, O_PATH | O_NOFOLLOW, 0);
    if (fd == -ENOENT)
        return create(place, error);
    if (fd < 0 || fstat(fd, &present.status) < 0)
        return error_system_at(error, fd < 0 ? -fd : errno, "cannot look at", "%s", path);
    if (S_ISLNK(present.status.st_mode))
        return error_because(error_set(error, VQEMU_ERR_REFUSED, 0,
                                       "the variable store %s is a symbolic link; give the path "
                                       "that it leads to",
                                       path),
                             error, "symbolic-link", VQEMU_DETAIL_PATH, path, NULL);
    if (!S_ISREG(present.status.st_mode))
        return error_set(error, VQEMU_ERR_INVALID, 0, "the variable store %s is not a regular file",
                         path);
    return prepare_present(place, &present, flags, error);
}

int nvram_prepare(const struct nvram *nvram, const struct nvram_home *home, uint32_t flags,
                  vqemu_call *call, vqemu_error **error) {
    struct place place = {.nvram = nvram, .home = home, .call = call, .fd = -1, .template_fd = -1};
    int r = name_files(&place, error);
    if (r == 0)
        r = open_images(&place, error);
    if (r == 0)
        r = open_and_lock_directory(&place, error);
    if (r == 0) {
        r = prepare_locked(&place, flags, error);
        remove_staged(&place); /* also what a process left that died */
    }
    close_place(&place);
    return r;
}
