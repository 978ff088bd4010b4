/* SPDX-License-Identifier: MIT */
#include "transfer/tar-foreign.h"

#include <string.h>

#include "base/error.h"

#define WHAT_IS_READ "a tar archive, plain or compressed by gzip, xz or zstd"

/* As file(1) knows them. */
static const struct {
    const char *what, *magic;
    size_t size;
} known[] = {
    {"compressed by bzip2", "BZh", 3},
    {"compressed by lzip", "LZIP", 4},
    {"compressed by lzop", "\x89LZO", 4},
    {"compressed by lz4", "\x04\x22\x4d\x18", 4},
    {"compressed by lrzip", "LRZI", 4},
    {"compressed by compress", "\x1f\x9d", 2},
    {"compressed by lzma", "\x5d\0\0", 3},
    {"a zip archive", "PK\x03\x04", 4},
    {"a zip archive", "PK\x05\x06", 4},
    {"a 7-zip archive", "7z\xbc\xaf\x27\x1c", 6},
    {"a rar archive", "Rar!", 4},
    {"a cpio archive", "0707", 4},
    {"a cpio archive", "\xc7\x71", 2},
    {"a cpio archive", "\x71\xc7", 2},
    {"an ar archive or Debian package", "!<arch>\n", 8},
    {"an RPM package", "\xed\xab\xee\xdb", 4},
    {"a squashfs image", "hsqs", 4},
    {"a qcow2 image", "QFI\xfb", 4},
    {"a program",
     "\x7f"
     "ELF",
     4},
};

static const char *find_known(const char *bytes, size_t size) {
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (size >= known[i].size && memcmp(bytes, known[i].magic, known[i].size) == 0)
            return known[i].what;
    return size == 0 ? "empty" : NULL;
}

int tar_not_an_archive(const char *name, const char *bytes, size_t size, vqemu_error **error) {
    const char *what = find_known(bytes, size);
    int r = what ? error_set(error, VQEMU_ERR_MALFORMED, 0, "%s is %s, and not " WHAT_IS_READ, name,
                             what)
                 : error_set(error, VQEMU_ERR_MALFORMED, 0, "%s is not " WHAT_IS_READ, name);
    return error_because(r, error, "not-an-archive", VQEMU_DETAIL_PATH, name, NULL);
}
