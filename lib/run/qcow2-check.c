/* SPDX-License-Identifier: MIT */
#include "run/qcow2-check.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "command/qcow2.h"
#include "util/cleanup.h"
#include "util/fd.h"

static int about(const struct file_use *file, int code, const char *reason, const char *value,
                 vqemu_error **error) {
    return error_because(code, error, reason, VQEMU_DETAIL_KEY, file->key, VQEMU_DETAIL_PATH,
                         file->path, VQEMU_DETAIL_VALUE, value, NULL);
}

/* The key of what the file is an image of: "disks[0]" of "disks[0].backing[1].file". */
static int disk_length(const char *key) {
    return (int)strcspn(key, ".");
}

static int refuse_backing(const struct file_use *file, const char *name, vqemu_error **error) {
    int r = error_set(error, VQEMU_ERR_REFUSED, 0,
                      "%s: the header of %s names a backing file, \"%.200s\", and the VM does not: "
                      "name it, and its format, in %.*s.backing, or convert the image to one that "
                      "is whole (qemu-img convert -O qcow2)",
                      file->key, file->path, name, disk_length(file->key), file->key);
    return about(file, r, "unnamed-backing", name, error);
}

static int refuse_data_file(const struct file_use *file, const char *name, vqemu_error **error) {
    int length = (int)(strrchr(file->key, '.') - file->key);
    int r = error_set(error, VQEMU_ERR_REFUSED, 0,
                      "%s: %s has its content in another file, \"%.200s\", which the VM does not "
                      "name: name it in %.*s.data_file, or convert the image to one that is whole "
                      "(qemu-img convert -O qcow2)",
                      file->key, file->path, name, length, file->key);
    return about(file, r, "unnamed-data-file", name, error);
}

static int check_names(const struct file_use *file, const struct qcow2_header *header,
                       vqemu_error **error) {
    if (header->has_backing && !(file->qcow2 & QCOW2_WITH_BACKING))
        return refuse_backing(file, header->backing, error);
    if (header->has_data_file && !(file->qcow2 & QCOW2_WITH_DATA_FILE))
        return refuse_data_file(file, header->data_file, error);
    return 0;
}

int qcow2_check(const struct file_use *file, vqemu_error **error) {
    struct qcow2_header header;
    _cleanup_close_ int fd = open_at(AT_FDCWD, file->path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
    int r = fd < 0 ? fd : qcow2_read_header(fd, &header);
    if (r < 0)
        return about(
            file,
            error_system(error, -r, "%s: cannot read the header of %s", file->key, file->path),
            NULL, NULL, error);
    if (r == 0)
        return about(file,
                     error_set(error, VQEMU_ERR_INVALID, 0, "%s: %s is no qcow2 image", file->key,
                               file->path),
                     "no-qcow2", NULL, error);
    return check_names(file, &header, error);
}

int qcow2_check_fd(const struct descriptor_use *use, vqemu_error **error) {
    struct qcow2_header header;
    char path[sizeof "/dev/fd/" + 12];
    snprintf(path, sizeof path, "/dev/fd/%d", use->fd);
    const struct file_use file = {.path = path, .key = use->key, .qcow2 = use->qcow2};
    /* Another process may be the one that has it. */
    return qcow2_read_header(use->fd, &header) == 1 ? check_names(&file, &header, error) : 0;
}
