/* SPDX-License-Identifier: MIT */
#include "transfer/tar-archive.h"

#include <errno.h>
#include <locale.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <archive.h>
#include <archive_entry.h>

#include "base/error.h"
#include "transfer/dlopen-note.h"
#include "transfer/gunzip.h"
#include "transfer/optional-library.h"
#include "util/fd.h"

DLOPEN_NOTE(libarchive,
            "[{\"feature\":\"archive\",\"description\":\"Import and export of archives\","
            "\"priority\":\"recommended\",\"soname\":[\"libarchive.so.13\"]}]");

#define BLOCK_SIZE ((size_t)128 * 1024)
/* Zeros behind the end of an archive: GNU tar fills up records, of at most this size. */
#define PADDING_MAX ((uint64_t)1024 * 1024)

/* ---- libarchive, loaded when it is first needed ---- */

/* A process that reads and writes no archive does not pay for libarchive and what that needs. */
#define FUNCTIONS(X)                                                                               \
    X(archive_read_new)                                                                            \
    X(archive_read_support_format_tar)                                                             \
    X(archive_read_support_format_raw)                                                             \
    X(archive_read_support_filter_xz)                                                              \
    X(archive_read_support_filter_zstd)                                                            \
    X(archive_read_open)                                                                           \
    X(archive_read_next_header)                                                                    \
    X(archive_read_header_position)                                                                \
    X(archive_read_data)                                                                           \
    X(archive_read_free)                                                                           \
    X(archive_error_string)                                                                        \
    X(archive_errno)                                                                               \
    X(archive_entry_pathname)                                                                      \
    X(archive_entry_hardlink)                                                                      \
    X(archive_entry_symlink)                                                                       \
    X(archive_entry_filetype)                                                                      \
    X(archive_entry_perm)                                                                          \
    X(archive_entry_size)                                                                          \
    X(archive_entry_sparse_count)                                                                  \
    X(archive_write_new)                                                                           \
    X(archive_write_set_format_pax_restricted)                                                     \
    X(archive_write_open)                                                                          \
    X(archive_write_header)                                                                        \
    X(archive_write_data)                                                                          \
    X(archive_write_close)                                                                         \
    X(archive_write_free)                                                                          \
    X(archive_entry_new)                                                                           \
    X(archive_entry_free)                                                                          \
    X(archive_entry_set_pathname)                                                                  \
    X(archive_entry_set_filetype)                                                                  \
    X(archive_entry_set_perm)                                                                      \
    X(archive_entry_set_size)                                                                      \
    X(archive_entry_set_mtime)

#define DECLARE(function) __typeof__(function) *function;
struct library {
    FUNCTIONS(DECLARE)
};

static int load_library(struct library *lib, vqemu_error **error) {
#define LIST(function) {#function, &lib->function},
    const struct optional_function functions[] = {FUNCTIONS(LIST)};
    const char *problem;
    if (optional_library_load("libarchive.so.13", functions, sizeof functions / sizeof *functions,
                              &problem))
        return 0;
    return error_set(error, VQEMU_ERR_UNSUPPORTED, 0, "archives need libarchive: %s",
                     problem ? problem : "libarchive.so.13 lacks functions");
}

/*
 * libarchive converts names between UTF-8 and the encoding of the thread's locale. Make that UTF-8,
 * for this thread and while libarchive works, so that names stay what they are.
 */
struct utf8 {
    locale_t own, before;
};

static struct utf8 enter_utf8(void) {
    struct utf8 utf8 = {.own = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0)};
    if (utf8.own)
        utf8.before = uselocale(utf8.own);
    return utf8;
}

static void leave_utf8(const struct utf8 *utf8) {
    if (!utf8->own)
        return;
    uselocale(utf8->before);
    freelocale(utf8->own);
}
#define IN_UTF8                                                                                    \
    __attribute__((cleanup(leave_utf8), unused)) const struct utf8 utf8_locale = enter_utf8()

/* ---- pipes ---- */

/* Wait until a pipe has or takes something; a file always does. False if the caller gives up. */
static bool wait_for(int fd, short events, struct vqemu_progress *progress,
                     vqemu_error **cancelled) {
    struct pollfd poll_fd = {.fd = fd, .events = events};
    const int interval = 100; /* milliseconds */
    for (;;) {
        int r = poll(&poll_fd, 1, interval);
        if (r > 0 || (r < 0 && errno != EINTR))
            return true; /* an error is for read() or write() to tell */
        if (progress_report(progress, cancelled) < 0)
            return false;
    }
}

/* ---- reading ---- */

/*
 * The bytes pass through two stages: decompression (zlib for gzip; libarchive's filters, with its
 * "raw" format, for the others) and tar. Between the two it can be seen whether the archive ends as
 * it should, which libarchive does not tell.
 */
struct archive_reader {
    struct library lib;
    int fd;
    const char *name;
    struct vqemu_progress *progress;
    vqemu_error *cancelled; /* what the caller's wish to stop became */
    struct gunzip *gunzip;
    struct archive *filters; /* where it is not gzip */
    struct archive *tar;
    unsigned char input[BLOCK_SIZE], plain[BLOCK_SIZE];
    size_t input_size;                 /* read ahead, not yet handed on */
    uint64_t position;                 /* of the input */
    uint64_t plain_size, last_nonzero; /* so many bytes; the position behind the last not 0 */
    int read_errno;                    /* of the descriptor */
    const char *problem;               /* of the compressed data */
    char path[64];                     /* the entry at hand, for messages */
    uint64_t content_left;
    bool is_sparse;
};

static ssize_t read_input(struct archive_reader *reader) {
    for (;;) {
        if (!wait_for(reader->fd, POLLIN, reader->progress, &reader->cancelled))
            return -ECANCELED;
        ssize_t n = read(reader->fd, reader->input, BLOCK_SIZE);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            reader->read_errno = errno;
        else
            reader->position += (uint64_t)n;
        return n < 0 ? -errno : n;
    }
}

/* The next bytes as they are in the file. */
static ssize_t next_input(void *userdata, const unsigned char **bytes) {
    struct archive_reader *reader = userdata;
    ssize_t n = reader->input_size > 0 ? (ssize_t)reader->input_size : read_input(reader);
    reader->input_size = 0;
    *bytes = reader->input;
    return n;
}

static la_ssize_t feed_filters(struct archive *filters, void *userdata, const void **bytes) {
    (void)filters;
    const unsigned char *input;
    ssize_t n = next_input(userdata, &input);
    *bytes = input;
    return n < 0 ? -1 : n;
}

static ssize_t decompress(struct archive_reader *reader) {
    if (reader->gunzip)
        return gunzip_read(reader->gunzip, reader->plain, BLOCK_SIZE, &reader->problem);
    la_ssize_t n = reader->lib.archive_read_data(reader->filters, reader->plain, BLOCK_SIZE);
    if (n < 0)
        reader->problem = reader->lib.archive_error_string(reader->filters);
    return n;
}

static void look_for_zeros(struct archive_reader *reader, size_t size) {
    size_t end = size;
    while (end > 0 && reader->plain[end - 1] == 0)
        end--;
    if (end > 0)
        reader->last_nonzero = reader->plain_size + end;
    reader->plain_size += size;
}

static la_ssize_t feed_tar(struct archive *tar, void *userdata, const void **bytes) {
    (void)tar;
    struct archive_reader *reader = userdata;
    ssize_t n = decompress(reader);
    *bytes = reader->plain;
    if (n < 0)
        return -1;
    look_for_zeros(reader, (size_t)n);
    return n;
}

/* The error that a callback could not hand on. */
static int cancelled(vqemu_error **why, vqemu_error **error) {
    _cleanup_error_ vqemu_error *taken = TAKE_POINTER(*why);
    int code = vqemu_error_code(taken);
    if (error)
        *error = TAKE_POINTER(taken);
    return code;
}

/* The entry that was read last, for messages. */
static const char *last_place(const struct archive_reader *reader) {
    return *reader->path ? reader->path : "its beginning";
}

/* What went wrong, from the inside out: the descriptor, the compressed data, the archive. */
static int reading_failed(struct archive_reader *reader, vqemu_error **error) {
    if (reader->cancelled)
        return cancelled(&reader->cancelled, error);
    const char *where = last_place(reader);
    if (reader->read_errno)
        return error_system(error, reader->read_errno, "cannot read the archive %s", reader->name);
    if (reader->problem)
        return error_set(error, VQEMU_ERR_MALFORMED, 0, "the archive %s is broken at %s: %s",
                         reader->name, where, reader->problem);
    if (reader->lib.archive_errno(reader->tar) == ENOMEM)
        return error_no_memory(error);
    const char *text = reader->lib.archive_error_string(reader->tar);
    if (!text)
        text = "it makes no sense";
    size_t length = strlen(text);
    length -= length > 0 && text[length - 1] == '.'; /* some are sentences, most are not */
    return error_set(error, VQEMU_ERR_MALFORMED, 0, "the archive %s is broken at %s: %.*s",
                     reader->name, where, (int)length, text);
}

static int not_an_archive(const struct archive_reader *reader, vqemu_error **error) {
    return error_set(error, VQEMU_ERR_MALFORMED, 0,
                     "%s is not a tar archive, plain or compressed by gzip, xz or zstd",
                     reader->name);
}

static int open_gunzip(struct archive_reader *reader, vqemu_error **error) {
    const char *problem;
    reader->gunzip = gunzip_new(next_input, reader, &problem);
    if (reader->gunzip)
        return 0;
    return problem ? error_set(error, VQEMU_ERR_UNSUPPORTED, 0, "%s", problem)
                   : error_no_memory(error);
}

/* A filter that libarchive lacks would be run as a program, which it answers with a warning. */
static int open_filters(struct archive_reader *reader, vqemu_error **error) {
    struct archive_entry *entry;
    reader->filters = reader->lib.archive_read_new();
    if (!reader->filters)
        return error_no_memory(error);
    if (reader->lib.archive_read_support_format_raw(reader->filters) != ARCHIVE_OK ||
        reader->lib.archive_read_support_filter_xz(reader->filters) != ARCHIVE_OK ||
        reader->lib.archive_read_support_filter_zstd(reader->filters) != ARCHIVE_OK)
        return error_set(error, VQEMU_ERR_UNSUPPORTED, 0,
                         "this libarchive cannot read xz and zstd by itself");
    if (reader->lib.archive_read_open(reader->filters, reader, NULL, feed_filters, NULL) !=
            ARCHIVE_OK ||
        reader->lib.archive_read_next_header(reader->filters, &entry) != ARCHIVE_OK) {
        if (reader->read_errno || reader->cancelled)
            return reading_failed(reader, error);
        return not_an_archive(reader, error);
    }
    return 0;
}

static int open_tar(struct archive_reader *reader, vqemu_error **error) {
    reader->tar = reader->lib.archive_read_new();
    if (!reader->tar || reader->lib.archive_read_support_format_tar(reader->tar) != ARCHIVE_OK)
        return error_no_memory(error);
    return reader->lib.archive_read_open(reader->tar, reader, NULL, feed_tar, NULL) == ARCHIVE_OK
               ? 0
               : reading_failed(reader, error);
}

static int open_reader(struct archive_reader *reader, vqemu_error **error) {
    ssize_t n = read_input(reader);
    if (n < 0)
        return reading_failed(reader, error);
    reader->input_size = (size_t)n;
    int r = gunzip_knows(reader->input, reader->input_size) ? open_gunzip(reader, error)
                                                            : open_filters(reader, error);
    return r < 0 ? r : open_tar(reader, error);
}

int archive_open(int fd, const char *name, struct vqemu_progress *progress,
                 struct archive_reader **reader, vqemu_error **error) {
    *reader = NULL;
    IN_UTF8;
    struct archive_reader *new = calloc(1, sizeof *new);
    if (!new)
        return error_no_memory(error);
    new->fd = fd;
    new->name = name;
    new->progress = progress;
    int r = load_library(&new->lib, error);
    if (r == 0)
        r = open_reader(new, error);
    if (r == 0)
        *reader = new;
    else
        archive_close(new);
    return r;
}

void archive_close(struct archive_reader *reader) {
    if (!reader)
        return;
    IN_UTF8;
    if (reader->tar)
        reader->lib.archive_read_free(reader->tar);
    if (reader->filters)
        reader->lib.archive_read_free(reader->filters);
    gunzip_free(reader->gunzip);
    vqemu_error_free(reader->cancelled);
    free(reader);
}

/*
 * libarchive takes the end of the data for the end of the archive, too, and does not look behind
 * the end. tar(5): two blocks of zeros; one is accepted, as GNU tar does.
 */
static int check_end(struct archive_reader *reader, vqemu_error **error) {
    uint64_t end = (uint64_t)reader->lib.archive_read_header_position(reader->tar);
    ssize_t n;
    while ((n = decompress(reader)) > 0) {
        look_for_zeros(reader, (size_t)n);
        if (reader->last_nonzero > end || reader->plain_size - end > PADDING_MAX)
            break;
    }
    if (n < 0)
        return reading_failed(reader, error);
    if (reader->last_nonzero > end || reader->plain_size - end > PADDING_MAX)
        return error_set(error, VQEMU_ERR_MALFORMED, 0,
                         "the archive %s has data after its end, behind %s", reader->name,
                         last_place(reader));
    if (reader->plain_size < end + 512)
        return error_set(error, VQEMU_ERR_MALFORMED, 0,
                         "the archive %s is cut off behind %s: its end is missing", reader->name,
                         last_place(reader));
    return 0;
}

static enum archive_kind kind_of(const struct archive_reader *reader, struct archive_entry *entry) {
    if (reader->lib.archive_entry_hardlink(entry))
        return ARCHIVE_HARDLINK;
    switch (reader->lib.archive_entry_filetype(entry)) {
    case AE_IFREG:
        return ARCHIVE_FILE;
    case AE_IFDIR:
        return ARCHIVE_DIRECTORY;
    case AE_IFLNK:
        return ARCHIVE_SYMLINK;
    default:
        return ARCHIVE_SPECIAL;
    }
}

static void describe(struct archive_reader *reader, struct archive_entry *entry,
                     struct archive_item *item) {
    const char *path = reader->lib.archive_entry_pathname(entry);
    int64_t size = reader->lib.archive_entry_size(entry);
    *item = (struct archive_item){.path = path ? path : "", .kind = kind_of(reader, entry)};
    if (item->kind == ARCHIVE_HARDLINK)
        item->target = reader->lib.archive_entry_hardlink(entry);
    else if (item->kind == ARCHIVE_SYMLINK)
        item->target = reader->lib.archive_entry_symlink(entry);
    item->size = item->kind == ARCHIVE_FILE && size > 0 ? (uint64_t)size : 0;
    item->executable = reader->lib.archive_entry_perm(entry) & 0111;
    reader->content_left = item->size;
    reader->is_sparse = reader->lib.archive_entry_sparse_count(entry) > 0;
    snprintf(reader->path, sizeof reader->path, "%s", item->path);
}

int archive_next(struct archive_reader *reader, struct archive_item *item, vqemu_error **error) {
    IN_UTF8;
    struct archive_entry *entry;
    int r = reader->lib.archive_read_next_header(reader->tar, &entry);
    if (r == ARCHIVE_EOF)
        return check_end(reader, error);
    if (r != ARCHIVE_OK && r != ARCHIVE_WARN && !*reader->path && !reader->read_errno &&
        !reader->problem && !reader->cancelled)
        return not_an_archive(reader, error);
    if (r != ARCHIVE_OK) {
        if (r == ARCHIVE_WARN) /* there is an entry, and something is odd about it */
            describe(reader, entry, item);
        return reading_failed(reader, error);
    }
    describe(reader, entry, item);
    return 1;
}

int archive_read_content(struct archive_reader *reader, void *bytes, size_t *size,
                         vqemu_error **error) {
    IN_UTF8;
    if (*size > reader->content_left)
        *size = (size_t)reader->content_left;
    if (*size == 0)
        return 0;
    la_ssize_t n = reader->lib.archive_read_data(reader->tar, bytes, *size);
    if (n < 0)
        return reading_failed(reader, error);
    if (n == 0 && !reader->is_sparse)
        return error_set(error, VQEMU_ERR_MALFORMED, 0,
                         "the archive %s has less of %s than it says", reader->name, reader->path);
    if (n == 0) /* a hole at the end */
        memset(bytes, 0, *size);
    else
        *size = (size_t)n;
    reader->content_left -= *size;
    return 0;
}

uint64_t archive_position(const struct archive_reader *reader) {
    return reader->position;
}

/* ---- writing ---- */

struct archive_writer {
    struct library lib;
    int fd;
    const char *name;
    struct archive *tar;
    struct vqemu_progress *progress;
    vqemu_error *cancelled; /* what the caller's wish to stop became */
    bool can_block;         /* a pipe, whose reader may be slow */
    int write_errno;        /* of the first write that failed */
    bool abandoned;         /* nothing is written any more, not even an end */
};

/* Once poll(2) says so, a pipe takes this much without blocking (pipe(7)). */
#define PIPE_SHARE ((size_t)4096)

static int write_patiently(struct archive_writer *writer, const char *bytes, size_t size) {
    if (!writer->can_block)
        return write_all(writer->fd, bytes, size);
    while (size > 0) {
        if (!wait_for(writer->fd, POLLOUT, writer->progress, &writer->cancelled))
            return -ECANCELED;
        ssize_t n = write_stream(writer->fd, bytes, size < PIPE_SHARE ? size : PIPE_SHARE);
        if (n < 0)
            return (int)n;
        bytes += n;
        size -= (size_t)n;
    }
    return 0;
}

/*
 * What cannot be written, or is not wanted any more, is dropped and told later: libarchive does not
 * free all its memory once a write has failed.
 */
static la_ssize_t write_out(struct archive *tar, void *userdata, const void *bytes, size_t size) {
    (void)tar;
    struct archive_writer *writer = userdata;
    if (!writer->write_errno && !writer->abandoned)
        writer->write_errno = -write_patiently(writer, bytes, size);
    return (la_ssize_t)size;
}

static int writing_failed(struct archive_writer *writer, vqemu_error **error) {
    if (writer->cancelled)
        return cancelled(&writer->cancelled, error);
    const char *text = writer->lib.archive_error_string(writer->tar);
    if (writer->write_errno)
        return error_system(error, writer->write_errno, "cannot write the archive %s",
                            writer->name);
    if (writer->lib.archive_errno(writer->tar) == ENOMEM)
        return error_no_memory(error);
    return error_set(error, VQEMU_ERR_SYSTEM, EIO, "cannot write the archive %s: %s", writer->name,
                     text ? text : "libarchive does not say why");
}

static int open_writer(struct archive_writer *writer, vqemu_error **error) {
    int r = load_library(&writer->lib, error);
    if (r < 0)
        return r;
    struct stat status;
    writer->can_block = fstat(writer->fd, &status) < 0 || !S_ISREG(status.st_mode);
    writer->tar = writer->lib.archive_write_new();
    if (!writer->tar)
        return error_no_memory(error);
    if (writer->lib.archive_write_set_format_pax_restricted(writer->tar) != ARCHIVE_OK ||
        writer->lib.archive_write_open(writer->tar, writer, NULL, write_out, NULL) != ARCHIVE_OK)
        return writing_failed(writer, error);
    return 0;
}

int archive_create(int fd, const char *name, struct vqemu_progress *progress,
                   struct archive_writer **writer, vqemu_error **error) {
    *writer = NULL;
    IN_UTF8;
    struct archive_writer *new = calloc(1, sizeof *new);
    if (!new)
        return error_no_memory(error);
    new->fd = fd;
    new->name = name;
    new->progress = progress;
    int r = open_writer(new, error);
    if (r == 0)
        *writer = new;
    else
        archive_abandon(new);
    return r;
}

void archive_abandon(struct archive_writer *writer) {
    if (!writer)
        return;
    IN_UTF8;
    if (writer->tar) {
        writer->abandoned = true;
        writer->lib.archive_write_free(writer->tar);
    }
    vqemu_error_free(writer->cancelled);
    free(writer);
}

int archive_add_file(struct archive_writer *writer, const char *path, uint64_t size,
                     bool executable, int64_t time, vqemu_error **error) {
    IN_UTF8;
    struct archive_entry *entry = writer->lib.archive_entry_new();
    if (!entry)
        return error_no_memory(error);
    writer->lib.archive_entry_set_pathname(entry, path);
    writer->lib.archive_entry_set_filetype(entry, AE_IFREG);
    writer->lib.archive_entry_set_perm(entry, executable ? 0755 : 0644);
    writer->lib.archive_entry_set_size(entry, (int64_t)size);
    writer->lib.archive_entry_set_mtime(entry, time, 0);
    int r = writer->lib.archive_write_header(writer->tar, entry);
    writer->lib.archive_entry_free(entry);
    return r == ARCHIVE_OK && !writer->write_errno ? 0 : writing_failed(writer, error);
}

int archive_add_content(struct archive_writer *writer, const void *bytes, size_t size,
                        vqemu_error **error) {
    IN_UTF8;
    la_ssize_t n = writer->lib.archive_write_data(writer->tar, bytes, size);
    return n == (la_ssize_t)size && !writer->write_errno ? 0 : writing_failed(writer, error);
}

int archive_finish(struct archive_writer *writer, vqemu_error **error) {
    IN_UTF8;
    int r = writer->lib.archive_write_close(writer->tar);
    return r == ARCHIVE_OK && !writer->write_errno ? 0 : writing_failed(writer, error);
}
