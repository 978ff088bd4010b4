/* SPDX-License-Identifier: MIT */
#include "command/flash-image.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"

/* The header of a qcow2 image, in big-endian numbers (docs/interop/qcow2.txt in QEMU's sources). */
#define MAGIC "QFI\xfb"
#define MAGIC_SIZE 4
#define VERSION_AT 4
#define BACKING_FILE_AT 8
#define SIZE_AT 24
#define INCOMPATIBLE_FEATURES_AT 72 /* from version 3 on */
#define HEADER_SIZE 80
#define EXTERNAL_DATA_FILE 4 /* of the incompatible features */

/* Up to size bytes from the start of a file. Returns how many there were, or a negative errno. */
static ssize_t read_start(int fd, unsigned char *bytes, size_t size) {
    ssize_t n;
    do
        n = pread(fd, bytes, size, 0);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

int flash_image_is_qcow2(int fd) {
    unsigned char start[MAGIC_SIZE];
    ssize_t n = read_start(fd, start, sizeof start);
    if (n < 0)
        return (int)n;
    return n == MAGIC_SIZE && memcmp(start, MAGIC, MAGIC_SIZE) == 0;
}

static uint64_t number_at(const unsigned char *bytes, int size) {
    uint64_t number = 0;
    for (int i = 0; i < size; i++)
        number = number << 8 | bytes[i];
    return number;
}

static int read_qcow2(int fd, const char *path, uint64_t *size, vqemu_error **error) {
    unsigned char header[HEADER_SIZE] = {0};
    ssize_t n = read_start(fd, header, sizeof header);
    if (n < 0)
        return error_system(error, (int)-n, "cannot read %s", path);
    if (n < INCOMPATIBLE_FEATURES_AT || memcmp(header, MAGIC, MAGIC_SIZE) != 0)
        return error_set(error, VQEMU_ERR_MALFORMED, 0, "%s is not a qcow2 image", path);
    bool has_features = number_at(header + VERSION_AT, 4) >= 3;
    /* QEMU would open the other file, wherever that is. */
    if (number_at(header + BACKING_FILE_AT, 8) != 0 ||
        (has_features && number_at(header + INCOMPATIBLE_FEATURES_AT, 8) & EXTERNAL_DATA_FILE))
        return error_set(error, VQEMU_ERR_INVALID, 0,
                         "the qcow2 image %s is not whole: it names another file for its content; "
                         "make one of it with qemu-img convert",
                         path);
    *size = number_at(header + SIZE_AT, 8);
    return 0;
}

int flash_image_size(int fd, const char *path, bool qcow2, uint64_t *size, vqemu_error **error) {
    struct stat status;
    if (qcow2)
        return read_qcow2(fd, path, size, error);
    if (fstat(fd, &status) < 0)
        return error_system(error, errno, "cannot look at %s", path);
    *size = (uint64_t)status.st_size;
    return 0;
}
