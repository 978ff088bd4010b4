/* SPDX-License-Identifier: MIT */
#include "tree.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "error.h"
#include "object.h"
#include "util/fd.h"
#include "util/strbuf.h"

/*
 * The stamp is text:
 *
 *     volt-tree 1 <digest of the manifest>
 *     d <path>                                          a directory
 *     f <mode> <size> <inode> <seconds>.<nanoseconds> <path>
 *     end <digest of all lines before>
 */
#define HEADER "volt-tree 1 "
#define FOOTER "end "
#define STAMP_LIMIT ((size_t)256 * 1024 * 1024)

/* ---- writing ---- */

/* Call back for each directory that a path is the first to need: "lib", "lib/qemu". */
static int for_each_new_directory(const char *previous, const char *path,
                                  int (*function)(const char *directory, void *userdata),
                                  void *userdata) {
    char directory[MANIFEST_PATH_MAX + 1];
    for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
        size_t length = (size_t)(slash - path);
        /* Paths are sorted, so what has this directory in front comes in one run. */
        if (previous && strncmp(previous, path, length + 1) == 0)
            continue;
        memcpy(directory, path, length);
        directory[length] = '\0';
        int r = function(directory, userdata);
        if (r < 0)
            return r;
    }
    return 0;
}

static int for_each_directory(const vqemu_manifest *manifest,
                              int (*function)(const char *directory, void *userdata),
                              void *userdata) {
    const char *previous = NULL;
    for (size_t i = 0; i < vqemu_manifest_object_count(manifest); i++) {
        const char *path = vqemu_manifest_object_path(manifest, i);
        int r = for_each_new_directory(previous, path, function, userdata);
        if (r < 0)
            return r;
        previous = path;
    }
    return 0;
}

static int add_directory_line(const char *directory, void *stamp) {
    strbuf_addf(stamp, "d %s\n", directory);
    return 0;
}

static int add_file_line(struct strbuf *stamp, int tree_fd, const char *path) {
    struct stat status;
    if (fstatat(tree_fd, path, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return -errno;
    strbuf_addf(stamp, "f %o %jd %ju %jd.%09ld %s\n", (unsigned)(status.st_mode & 07777),
                (intmax_t)status.st_size, (uintmax_t)status.st_ino, (intmax_t)status.st_mtim.tv_sec,
                status.st_mtim.tv_nsec, path);
    return 0;
}

/* The text of the stamp; -ENOMEM or another negative errno. */
static int make_stamp(int tree_fd, const vqemu_manifest *manifest, char **text) {
    _cleanup_strbuf_ struct strbuf stamp = {0};
    strbuf_addf(&stamp, HEADER "%s\n", vqemu_manifest_digest(manifest));
    for_each_directory(manifest, add_directory_line, &stamp);
    for (size_t i = 0; i < vqemu_manifest_object_count(manifest); i++) {
        int r = add_file_line(&stamp, tree_fd, vqemu_manifest_object_path(manifest, i));
        if (r < 0)
            return r;
    }
    if (stamp.failed)
        return -ENOMEM;
    struct digest digest = digest_of_bytes(stamp.text, stamp.length);
    strbuf_addf(&stamp, FOOTER "%s\n", digest.hex);
    *text = strbuf_take(&stamp);
    return *text ? 0 : -ENOMEM;
}

static int write_stamp(int tree_fd, const char *text) {
    _cleanup_close_ int fd =
        openat(tree_fd, TREE_STAMP_NAME, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
    int r = fd < 0 ? -errno : write_all(fd, text, strlen(text));
    if (r == 0)
        r = object_finish_file(fd, false);
    if (r == 0 && fsync(fd) < 0)
        r = -errno;
    return r;
}

static int seal_directory(const char *directory, void *userdata) {
    const struct timespec times[2] = {{.tv_sec = TREE_DIRECTORY_MTIME},
                                      {.tv_sec = TREE_DIRECTORY_MTIME}};
    _cleanup_close_ int fd =
        openat(*(int *)userdata, directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || fchmod(fd, 0755) < 0 || futimens(fd, times) < 0 || fsync(fd) < 0)
        return -errno;
    return 0;
}

int tree_seal(int tree_fd, const vqemu_manifest *manifest, const char *path, vqemu_error **error) {
    _cleanup_free_ char *text = NULL;
    int r = make_stamp(tree_fd, manifest, &text);
    if (r == 0)
        r = write_stamp(tree_fd, text);
    if (r == 0)
        r = for_each_directory(manifest, seal_directory, &tree_fd);
    if (r == 0)
        r = seal_directory(".", &tree_fd);
    return r < 0 ? error_system(error, -r, "cannot complete the tree %s", path) : 0;
}

/* ---- checking ---- */

/* A tree that differs from its stamp: remember how. */
static int differs(char **difference, const char *path, const char *how) {
    *difference = format_string("%s %s", path, how);
    return *difference ? 0 : -ENOMEM;
}

static int check_directory(int tree_fd, const char *path, char **difference) {
    struct stat status;
    if (fstatat(tree_fd, path, &status, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISDIR(status.st_mode))
        return differs(difference, path, "is missing");
    if (status.st_mtim.tv_sec != TREE_DIRECTORY_MTIME || status.st_mtim.tv_nsec != 0)
        return differs(difference, path, "had an entry added or removed");
    if ((status.st_mode & 07777) != 0755)
        return differs(difference, path, "has another mode");
    return 1;
}

static int check_file(int tree_fd, const char *line, char **difference) {
    unsigned mode;
    intmax_t size, seconds;
    uintmax_t inode;
    long nanoseconds;
    int path_offset = 0;
    if (sscanf(line, "f %o %jd %ju %jd.%9ld%n", &mode, &size, &inode, &seconds, &nanoseconds,
               &path_offset) < 5 ||
        line[path_offset] != ' ')
        return differs(difference, TREE_STAMP_NAME, "is broken");
    const char *path = line + path_offset + 1;
    struct stat status;
    if (fstatat(tree_fd, path, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return differs(difference, path, "is missing");
    if (!S_ISREG(status.st_mode) || (uintmax_t)status.st_ino != inode)
        return differs(difference, path, "was replaced");
    if ((intmax_t)status.st_size != size || (intmax_t)status.st_mtim.tv_sec != seconds ||
        status.st_mtim.tv_nsec != nanoseconds)
        return differs(difference, path, "was written to");
    if ((status.st_mode & 07777) != mode)
        return differs(difference, path, "has another mode");
    return 1;
}

/* Check and cut off the last line; text is what the digest covers then. */
static bool cut_footer(char *text, size_t size) {
    const size_t footer = strlen(FOOTER) + DIGEST_HEX_LENGTH + 1;
    if (size < footer || text[size - 1] != '\n' ||
        strncmp(text + size - footer, FOOTER, strlen(FOOTER)) != 0)
        return false;
    struct digest digest = digest_of_bytes(text, size - footer);
    bool intact = strncmp(text + size - DIGEST_HEX_LENGTH - 1, digest.hex, DIGEST_HEX_LENGTH) == 0;
    text[size - footer] = '\0';
    return intact;
}

static int read_stamp(int tree_fd, char **text) {
    _cleanup_close_ int fd = -1;
    struct stat status;
    size_t size;
    int r = object_open(tree_fd, TREE_STAMP_NAME, &fd, &status);
    if (r == 0)
        r = read_all(fd, STAMP_LIMIT, text, &size);
    if (r < 0)
        return r;
    return cut_footer(*text, size) ? 0 : -EBADMSG;
}

static int check_lines(int tree_fd, char *lines, char **difference) {
    char *rest = NULL;
    for (char *line = strtok_r(lines, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        int r = *line == 'd' ? check_directory(tree_fd, line + 2, difference)
                             : check_file(tree_fd, line, difference);
        if (r != 1)
            return r;
    }
    return 1;
}

int tree_check(int tree_fd, const vqemu_manifest *manifest, char **difference) {
    *difference = NULL;
    _cleanup_free_ char *text = NULL;
    int r = read_stamp(tree_fd, &text);
    if (r == -ENOMEM)
        return r;
    if (r < 0)
        return differs(difference, TREE_STAMP_NAME, "is missing or broken");
    char *newline = strchr(text, '\n');
    size_t header = strlen(HEADER);
    if (!newline || strncmp(text, HEADER, header) != 0 ||
        newline != text + header + DIGEST_HEX_LENGTH ||
        strncmp(text + header, vqemu_manifest_digest(manifest), DIGEST_HEX_LENGTH) != 0)
        return differs(difference, TREE_STAMP_NAME, "is that of another manifest");
    r = check_directory(tree_fd, ".", difference);
    return r == 1 ? check_lines(tree_fd, newline + 1, difference) : r;
}

static int check_content(int tree_fd, const struct manifest_object *object, char **difference) {
    _cleanup_close_ int fd = -1;
    struct stat status;
    struct digest digest;
    uint64_t size;
    int r = object_open(tree_fd, object->path, &fd, &status);
    if (r == 0)
        r = digest_of_fd(fd, &digest, &size);
    if (r == -ENOMEM)
        return r;
    if (r < 0)
        return differs(difference, object->path, "cannot be read");
    if (!digest_equal(&digest, &object->digest))
        return differs(difference, object->path, "has other content");
    return 1;
}

int tree_check_content(int tree_fd, const vqemu_manifest *manifest, char **difference) {
    *difference = NULL;
    for (size_t i = 0; i < vqemu_manifest_object_count(manifest); i++) {
        int r = check_content(tree_fd, manifest_object(manifest, i), difference);
        if (r != 1)
            return r;
    }
    return 1;
}
