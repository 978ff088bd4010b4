/* SPDX-License-Identifier: MIT */
#include "command/flash-image.h"

#include <errno.h>
#include <sys/stat.h>

#include "base/error.h"
#include "command/qcow2.h"

static int read_qcow2(int fd, const char *path, uint64_t *size, vqemu_error **error) {
    struct qcow2_header header;
    int r = qcow2_read_header(fd, &header);
    if (r < 0)
        return error_system_at(error, -r, "cannot read", "%s", path);
    if (r == 0)
        return error_set(error, VQEMU_ERR_MALFORMED, 0, "%s is not a qcow2 image", path);
    /* QEMU would open the other file, wherever that is. */
    if (header.has_backing || header.has_data_file)
        return error_set(error, VQEMU_ERR_INVALID, 0,
                         "the qcow2 image %s is not whole: it names another file for its content; "
                         "make one of it with qemu-img convert",
                         path);
    *size = header.size;
    return 0;
}

int flash_image_size(int fd, const char *path, bool qcow2, uint64_t *size, vqemu_error **error) {
    struct stat status;
    if (qcow2)
        return read_qcow2(fd, path, size, error);
    if (fstat(fd, &status) < 0)
        return error_system_at(error, errno, "cannot look at", "%s", path);
    *size = (uint64_t)status.st_size;
    return 0;
}
