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

#include "base/dlopen-note.h"
#include "base/error.h"
#include "base/optional-library.h"
#include "transfer/archive-input.h"
#include "transfer/tar-foreign.h"
#include "transfer/wait-fd.h"
#include "util/fd.h"

DLOPEN_NOTE(libarchive,
            "[{\"feature\":\"archive\",\"description\":\"Import and export of archives\","
            "\"priority\":\"recommended\",\"soname\":[\"libarchive.so.13\"]}]");

#define BLOCK_SIZE ((size_t)128 * 1024)
#define TAR_BLOCK_SIZE 512
/* Zeros behind the end of an archive: GNU tar fills up records, of at most this size. */
#define PADDING_MAX ((uint64_t)1024 * 1024)

/* ---- libarchive, loaded when it is first needed ---- */

/* A process that reads and writes no archive does not pay for libarchive and what that needs. */
#define FUNCTIONS(X)                                                                               \
    X(archive_read_new)                                                                            \
    X(archive_read_support_format_tar)                                                             \
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

static int load_library(struct library *lib, const char *name, vqemu_error **error) {
#define LIST(function) {#function, &lib->function},
    const struct optional_function functions[] = {FUNCTIONS(LIST)};
    const char *problem;
    if (optional_library_load("libarchive.so.13", functions, sizeof functions / sizeof *functions,
                              &problem))
        return 0;
    int r = error_set(error, VQEMU_ERR_UNSUPPORTED, 0, "archives need libarchive: %s",
                      problem ? problem : "libarchive.so.13 lacks functions");
    return error_because(r, error, "library-missing", VQEMU_DETAIL_PATH, name, NULL);
}

/*
 * libarchive converts names between UTF-8, which those of pax are, and the encoding of the thread's
 * locale. This chooses the locale, for this thread and while libarchive works.
 */
struct encoding {
    locale_t own, before;
};

static struct encoding enter_encoding(const char *locale) {
    struct encoding encoding = {.own = newlocale(LC_CTYPE_MASK, locale, (locale_t)0)};
    if (encoding.own)
        encoding.before = uselocale(encoding.own);
    return encoding;
}

static void leave_encoding(const struct encoding *encoding) {
    if (!encoding->own)
        return;
    uselocale(encoding->before);
    freelocale(encoding->own);
}
#define IN_LOCALE(name)                                                                            \
    __attribute__((cleanup(leave_encoding), unused)) const struct encoding chosen_encoding =       \
        enter_encoding(name)

/*
 * For reading: in UTF-8, libarchive composes the characters of names (normalization form C), so
 * that they are other bytes than in the archive. Where it cannot convert a name, it hands out the
 * bytes as they are, with a warning; in the encoding of "C", ASCII, that is each name for which it
 * matters.
 */
#define READING IN_LOCALE("C")
/* For writing: bytes that are UTF-8 already stay what they are. */
#define WRITING IN_LOCALE("C.UTF-8")

/* ---- reading ---- */

/*
 * The bytes are unpacked before libarchive sees them: its filters set no bounds to the memory that
 * they take. Between the two it can be seen whether the archive ends as it should, which libarchive
 * does not tell.
 */
struct archive_reader {
    struct library lib;
    struct archive_input input;
    struct archive *tar;
    unsigned char plain[BLOCK_SIZE];
    size_t plain_ahead;                /* unpacked to see what it is, not yet handed on */
    uint64_t plain_size, last_nonzero; /* so many bytes; the position behind the last not 0 */
    vqemu_error *failed;               /* the error that a callback could not hand on */
    uint64_t content_left;
    bool is_sparse;
};

static void look_for_zeros(struct archive_reader *reader, size_t size) {
    size_t end = size;
    while (end > 0 && reader->plain[end - 1] == 0)
        end--;
    if (end > 0)
        reader->last_nonzero = reader->plain_size + end;
    reader->plain_size += size;
}

/* The next plain bytes, into plain: *size of them, 0 at the end. */
static int read_plain(struct archive_reader *reader, size_t *size, vqemu_error **error) {
    int r = 0;
    *size = reader->plain_ahead;
    reader->plain_ahead = 0;
    if (*size == 0) {
        *size = BLOCK_SIZE;
        r = archive_input_read(&reader->input, reader->plain, size, error);
    }
    if (r == 0)
        look_for_zeros(reader, *size);
    return r;
}

static la_ssize_t feed_tar(struct archive *tar, void *userdata, const void **bytes) {
    (void)tar;
    struct archive_reader *reader = userdata;
    size_t size;
    *bytes = reader->plain;
    return read_plain(reader, &size, &reader->failed) < 0 ? -1 : (la_ssize_t)size;
}

/* Hand on what a callback could not. */
static int hand_on(vqemu_error **why, vqemu_error **error) {
    _cleanup_error_ vqemu_error *taken = TAKE_POINTER(*why);
    int code = vqemu_error_code(taken);
    if (error)
        *error = TAKE_POINTER(taken);
    return code;
}

/* What went wrong: the bytes, or what they say. */
static int reading_failed(struct archive_reader *reader, vqemu_error **error) {
    if (reader->failed)
        return hand_on(&reader->failed, error);
    if (reader->lib.archive_errno(reader->tar) == ENOMEM)
        return error_no_memory(error);
    const char *text = reader->lib.archive_error_string(reader->tar);
    if (!text)
        text = "it makes no sense";
    if (strncmp(text, "Truncated", strlen("Truncated")) == 0)
        return archive_is_cut_off(&reader->input, error);
    size_t length = strlen(text);
    length -= length > 0 && text[length - 1] == '.'; /* some are sentences, most are not */
    return archive_is_broken(&reader->input, error, "%.*s", (int)length, text);
}

/* What fails before an entry is known may be no archive at all. */
static int first_failed(struct archive_reader *reader, vqemu_error **error) {
    if (reader->failed || *reader->input.place || reader->plain_size > BLOCK_SIZE ||
        reader->lib.archive_errno(reader->tar) == ENOMEM)
        return reading_failed(reader, error);
    return tar_not_an_archive(reader->input.name, (const char *)reader->plain,
                              (size_t)reader->plain_size, error);
}

static int open_tar(struct archive_reader *reader, vqemu_error **error) {
    reader->tar = reader->lib.archive_read_new();
    if (!reader->tar || reader->lib.archive_read_support_format_tar(reader->tar) != ARCHIVE_OK)
        return error_no_memory(error);
    return reader->lib.archive_read_open(reader->tar, reader, NULL, feed_tar, NULL) == ARCHIVE_OK
               ? 0
               : first_failed(reader, error);
}

static int open_reader(struct archive_reader *reader, vqemu_error **error) {
    int r = load_library(&reader->lib, reader->input.name, error);
    if (r == 0)
        r = archive_input_open(&reader->input, error);
    reader->plain_ahead = BLOCK_SIZE;
    if (r == 0)
        r = archive_input_read(&reader->input, reader->plain, &reader->plain_ahead, error);
    return r < 0 ? r : open_tar(reader, error);
}

const char *archive_name(const char *given, int fd, char number[ARCHIVE_NAME_SIZE]) {
    if (given)
        return given;
    snprintf(number, ARCHIVE_NAME_SIZE, "/dev/fd/%d", fd);
    return number;
}

int archive_open(int fd, const char *name, struct vqemu_progress *progress,
                 struct archive_reader **reader, vqemu_error **error) {
    *reader = NULL;
    READING;
    struct archive_reader *new = calloc(1, sizeof *new);
    if (!new)
        return error_no_memory(error);
    new->input.fd = fd;
    new->input.name = name;
    new->input.progress = progress;
    int r = open_reader(new, error);
    if (r == 0)
        *reader = new;
    else
        archive_close(new);
    return r;
}

void archive_close(struct archive_reader *reader) {
    if (!reader)
        return;
    READING;
    if (reader->tar)
        reader->lib.archive_read_free(reader->tar);
    archive_input_close(&reader->input);
    vqemu_error_free(reader->failed);
    free(reader);
}

static int data_after_end(const struct archive_reader *reader, vqemu_error **error) {
    const struct archive_input *input = &reader->input;
    int r =
        error_set(error, VQEMU_ERR_MALFORMED, 0, "the archive %s has data after its end, behind %s",
                  input->name, *input->place ? input->place : "its beginning");
    return error_because(r, error, "data-after-end", VQEMU_DETAIL_PATH, input->name, NULL);
}

/*
 * libarchive takes the end of the data for the end of the archive, too, and does not look behind
 * the end. tar(5): two blocks of zeros; one is accepted, as GNU tar does.
 */
static int check_end(struct archive_reader *reader, vqemu_error **error) {
    uint64_t end = (uint64_t)reader->lib.archive_read_header_position(reader->tar);
    size_t size = 1;
    while (size > 0) {
        int r = read_plain(reader, &size, error);
        if (r < 0)
            return r;
        if (reader->last_nonzero > end || reader->plain_size - end > PADDING_MAX)
            return data_after_end(reader, error);
    }
    return reader->plain_size < end + TAR_BLOCK_SIZE ? archive_is_cut_off(&reader->input, error)
                                                     : 0;
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
    snprintf(reader->input.place, sizeof reader->input.place, "%s", item->path);
}

/* A name, or the name of an owner, that stays what it is in the archive: see READING. */
static bool is_unconverted(const struct archive_reader *reader) {
    const char *text = reader->lib.archive_error_string(reader->tar);
    return text && strstr(text, " can't be converted from ");
}

int archive_next(struct archive_reader *reader, struct archive_item *item, vqemu_error **error) {
    READING;
    struct archive_entry *entry;
    int r = reader->lib.archive_read_next_header(reader->tar, &entry);
    if (r == ARCHIVE_EOF && (*reader->input.place || reader->plain_size > 0))
        return check_end(reader, error);
    if (r != ARCHIVE_OK && r != ARCHIVE_WARN)
        return first_failed(reader, error);
    describe(reader, entry, item);
    return r == ARCHIVE_OK || is_unconverted(reader) ? 1 : reading_failed(reader, error);
}

int archive_read_content(struct archive_reader *reader, void *bytes, size_t *size,
                         vqemu_error **error) {
    READING;
    if (*size > reader->content_left)
        *size = (size_t)reader->content_left;
    if (*size == 0)
        return 0;
    la_ssize_t n = reader->lib.archive_read_data(reader->tar, bytes, *size);
    if (n < 0)
        return reading_failed(reader, error);
    if (n == 0 && !reader->is_sparse)
        return archive_is_broken(&reader->input, error, "it is shorter than it says");
    if (n == 0) /* a hole at the end */
        memset(bytes, 0, *size);
    else
        *size = (size_t)n;
    reader->content_left -= *size;
    return 0;
}

uint64_t archive_position(const struct archive_reader *reader) {
    return reader->input.position;
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
        if (!wait_fd(writer->fd, POLLOUT, writer->progress, &writer->cancelled))
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
        return hand_on(&writer->cancelled, error);
    const char *text = writer->lib.archive_error_string(writer->tar);
    if (writer->write_errno)
        return error_system_at(error, writer->write_errno, "cannot write the archive", "%s",
                               writer->name);
    if (writer->lib.archive_errno(writer->tar) == ENOMEM)
        return error_no_memory(error);
    return error_set(error, VQEMU_ERR_SYSTEM, EIO, "cannot write the archive %s: %s", writer->name,
                     text ? text : "libarchive does not say why");
}

static int open_writer(struct archive_writer *writer, vqemu_error **error) {
    int r = load_library(&writer->lib, writer->name, error);
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
    WRITING;
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
    WRITING;
    if (writer->tar) {
        writer->abandoned = true;
        writer->lib.archive_write_free(writer->tar);
    }
    vqemu_error_free(writer->cancelled);
    free(writer);
}

int archive_add_file(struct archive_writer *writer, const char *path, uint64_t size,
                     bool executable, int64_t time, vqemu_error **error) {
    WRITING;
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
    WRITING;
    la_ssize_t n = writer->lib.archive_write_data(writer->tar, bytes, size);
    return n == (la_ssize_t)size && !writer->write_errno ? 0 : writing_failed(writer, error);
}

int archive_finish(struct archive_writer *writer, vqemu_error **error) {
    WRITING;
    int r = writer->lib.archive_write_close(writer->tar);
    return r == ARCHIVE_OK && !writer->write_errno ? 0 : writing_failed(writer, error);
}
