/* SPDX-License-Identifier: MIT */
/* Tar archives, one entry after the other. */
#ifndef LIB_TAR_ARCHIVE_H
#define LIB_TAR_ARCHIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/progress.h"

enum archive_kind {
    ARCHIVE_FILE,
    ARCHIVE_DIRECTORY,
    ARCHIVE_SYMLINK,
    ARCHIVE_HARDLINK,
    ARCHIVE_SPECIAL /* a device, FIFO or socket */
};

/* Strings live until the next entry is read. */
struct archive_item {
    const char *path; /* as it stands in the archive */
    enum archive_kind kind;
    const char *target; /* of a link */
    uint64_t size;      /* of a file */
    bool executable;
};

struct archive_reader;
struct archive_writer;

/* What an archive is called in messages: the name that the caller gave, or that of its descriptor,
 * for which there must be room. */
#define ARCHIVE_NAME_SIZE sizeof "/dev/fd/2147483647"
const char *archive_name(const char *given, int fd, char number[ARCHIVE_NAME_SIZE]);

/*
 * Read a tar archive (ustar, pax, GNU, v7), plain or compressed by gzip, xz or zstd, from a
 * descriptor. name stands for it in messages. The caller is told while it waits for a pipe, and can
 * give up. Both must live as long as the reader.
 */
int archive_open(int fd, const char *name, struct vqemu_progress *progress,
                 struct archive_reader **reader, vqemu_error **error);
void archive_close(struct archive_reader *reader);

/* The next entry. Returns 1; 0 at the sound end of the archive; or an error. */
int archive_next(struct archive_reader *reader, struct archive_item *item, vqemu_error **error);

/* The next bytes of the entry's content, *size of them, 0 at its end. */
int archive_read_content(struct archive_reader *reader, void *bytes, size_t *size,
                         vqemu_error **error);

/* How many bytes of the archive, as it is, have been read. */
uint64_t archive_position(const struct archive_reader *reader);

/*
 * Write a plain pax archive, whose bytes depend on nothing but what is added. name and progress as
 * for archive_open().
 */
int archive_create(int fd, const char *name, struct vqemu_progress *progress,
                   struct archive_writer **writer, vqemu_error **error);
/* Without archive_finish(), what was written is no whole archive. */
void archive_abandon(struct archive_writer *writer);

/* time: of last change, in seconds since the epoch. */
int archive_add_file(struct archive_writer *writer, const char *path, uint64_t size,
                     bool executable, int64_t time, vqemu_error **error);
int archive_add_content(struct archive_writer *writer, const void *bytes, size_t size,
                        vqemu_error **error);
int archive_finish(struct archive_writer *writer, vqemu_error **error);

#endif
