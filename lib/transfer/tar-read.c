/* SPDX-License-Identifier: MIT */
/*
 * Tar archives are read here and not by libarchive: that composes Unicode names, has the thread's
 * locale judge of names and owners, passes over the end of an archive, and sets no bound to what
 * unpacking takes. Of all that an archive says, only what a profile holds is looked at.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "transfer/archive-input.h"
#include "transfer/tar-archive.h"
#include "transfer/tar-foreign.h"
#include "transfer/tar-header.h"
#include "transfer/tar-pax.h"

/* Of an extended header, which is read into memory. */
#define EXTENDED_MAX ((int64_t)1024 * 1024)
/* Zeros behind the end of an archive: GNU tar fills up records, of at most this size. */
#define PADDING_MAX ((uint64_t)1024 * 1024)

struct archive_reader {
    struct archive_input input;
    union {
        char bytes[TAR_BLOCK_SIZE];
        struct tar_header header;
        struct tar_gnu_header gnu;
        struct tar_sparse_block sparse;
    } block;
    bool has_next;  /* the block is the header of the next entry already */
    bool has_begun; /* a header was sound: it is a tar archive */
    struct tar_extended extended;
    char *long_path, *long_link; /* GNU's */
    char *path, *target;         /* those of the entry */
    uint64_t stored_left;        /* of the entry's bytes in the archive, with their padding */
    uint64_t size, at;           /* of its content */
    bool is_sparse;
    size_t piece; /* of a sparse file: the one at hand, or that comes next */
};

static void set_text(char **member, char *text) {
    free(*member);
    *member = text;
}

static void forget_entry(struct archive_reader *reader) {
    tar_extended_release(&reader->extended);
    set_text(&reader->long_path, NULL);
    set_text(&reader->long_link, NULL);
    set_text(&reader->path, NULL);
    set_text(&reader->target, NULL);
    reader->size = reader->at = 0;
    reader->is_sparse = false;
    reader->piece = 0;
}

int archive_open(int fd, const char *name, struct vqemu_progress *progress,
                 struct archive_reader **reader, vqemu_error **error) {
    *reader = NULL;
    struct archive_reader *new = calloc(1, sizeof *new);
    if (!new)
        return error_no_memory(error);
    tar_extended_init(&new->extended);
    new->input.fd = fd;
    new->input.name = name;
    new->input.progress = progress;
    int r = archive_input_open(&new->input, error);
    if (r == 0)
        *reader = new;
    else
        archive_close(new);
    return r;
}

void archive_close(struct archive_reader *reader) {
    if (!reader)
        return;
    forget_entry(reader);
    archive_input_close(&reader->input);
    free(reader);
}

uint64_t archive_position(const struct archive_reader *reader) {
    return reader->input.position;
}

/* ---- bytes ---- */

/* All of them must be there. */
static int read_exactly(struct archive_reader *reader, void *bytes, size_t size,
                        vqemu_error **error) {
    size_t got = size;
    int r = archive_input_read(&reader->input, bytes, &got, error);
    return r < 0 || got == size ? r : archive_is_cut_off(&reader->input, error);
}

/* A block of what is stored of the entry. */
static int read_stored_block(struct archive_reader *reader, vqemu_error **error) {
    if (reader->stored_left < TAR_BLOCK_SIZE)
        return archive_is_broken(&reader->input, error, "its sparse map is incomplete");
    reader->stored_left -= TAR_BLOCK_SIZE;
    return read_exactly(reader, reader->block.bytes, TAR_BLOCK_SIZE, error);
}

static int skip_stored(struct archive_reader *reader, vqemu_error **error) {
    char bytes[16 * 1024];
    while (reader->stored_left > 0) {
        size_t n = reader->stored_left < sizeof bytes ? (size_t)reader->stored_left : sizeof bytes;
        int r = read_exactly(reader, bytes, n, error);
        if (r < 0)
            return r;
        reader->stored_left -= n;
    }
    return 0;
}

static uint64_t padded(uint64_t size) {
    return (size + TAR_BLOCK_SIZE - 1) / TAR_BLOCK_SIZE * TAR_BLOCK_SIZE;
}

/* ---- headers ---- */

/* Behind the end there may be zeros, as on a tape. */
static int check_end(struct archive_reader *reader, vqemu_error **error) {
    uint64_t total = 0;
    for (;;) {
        size_t n = TAR_BLOCK_SIZE;
        int r = archive_input_read(&reader->input, reader->block.bytes, &n, error);
        if (r < 0 || n == 0)
            return r;
        total += n;
        memset(reader->block.bytes + n, 0, TAR_BLOCK_SIZE - n);
        if (tar_block_is_zero(reader->block.bytes) && total <= PADDING_MAX)
            continue;
        r = error_set(error, VQEMU_ERR_MALFORMED, 0,
                      "the archive %s has data after its end, behind %s", reader->input.name,
                      *reader->input.place ? reader->input.place : "its beginning");
        return error_because(r, error, "data-after-end", "path", reader->input.name, NULL);
    }
}

/* The next header, into the block. Returns 1, 0 at the sound end, or an error. */
static int next_header(struct archive_reader *reader, vqemu_error **error) {
    size_t n = TAR_BLOCK_SIZE;
    int r = skip_stored(reader, error);
    if (r == 0 && !reader->has_next)
        r = archive_input_read(&reader->input, reader->block.bytes, &n, error);
    if (r < 0)
        return r;
    reader->has_next = false;
    bool is_whole = n == TAR_BLOCK_SIZE;
    if (is_whole && tar_block_is_zero(reader->block.bytes))
        return check_end(reader, error);
    bool is_sound = is_whole && tar_header_is_sound(&reader->block.header);
    if (!is_sound && !reader->has_begun)
        return tar_not_an_archive(reader->input.name, reader->block.bytes, n, error);
    if (!is_whole)
        return archive_is_cut_off(&reader->input, error);
    if (!is_sound)
        return archive_is_broken(&reader->input, error,
                                 "what follows is no header, or a damaged one");
    reader->has_begun = true;
    return 1;
}

static int header_size(struct archive_reader *reader, int64_t *size, vqemu_error **error) {
    const struct tar_header *header = &reader->block.header;
    if (tar_number(header->size, sizeof header->size, size) && *size >= 0 &&
        *size <= INT64_MAX - (int64_t)TAR_BLOCK_SIZE)
        return 0;
    return archive_is_broken(&reader->input, error, "its size makes no sense");
}

/* The content of an extended header, with a NUL behind it. */
static int read_extended(struct archive_reader *reader, char **text, size_t *size,
                         vqemu_error **error) {
    int64_t length;
    int r = header_size(reader, &length, error);
    if (r < 0)
        return r;
    if (length > EXTENDED_MAX)
        return archive_is_broken(&reader->input, error,
                                 "what follows has an extended header of more than 1 MiB");
    *size = (size_t)length;
    *text = calloc(1, *size + 1);
    if (!*text)
        return error_no_memory(error);
    reader->stored_left = padded(*size) - *size;
    return read_exactly(reader, *text, *size, error);
}

static int read_long_name(struct archive_reader *reader, char **member, vqemu_error **error) {
    char *text = NULL;
    size_t size;
    int r = read_extended(reader, &text, &size, error);
    set_text(member, text);
    return r;
}

static int read_pax(struct archive_reader *reader, struct tar_extended *extended,
                    vqemu_error **error) {
    _cleanup_free_ char *text = NULL;
    size_t size;
    const char *problem = NULL;
    int r = read_extended(reader, &text, &size, error);
    if (r < 0)
        return r;
    r = tar_pax_parse(text, size, extended, &problem);
    if (r == -EBADMSG)
        return archive_is_broken(&reader->input, error, "of what follows, %s", problem);
    return r < 0 ? error_no_memory(error) : 0;
}

/* It says something of all entries: a comment, or an owner, but not their name or size. */
static int read_global(struct archive_reader *reader, vqemu_error **error) {
    struct tar_extended extended;
    tar_extended_init(&extended);
    int r = read_pax(reader, &extended, error);
    if (r == 0 && tar_extended_says(&extended))
        r = archive_is_broken(&reader->input, error,
                              "a header gives one name or size to all that follow");
    tar_extended_release(&extended);
    return r;
}

/* What comes before the header of an entry. Returns 1 if it was that, 0, or an error. */
static int read_before(struct archive_reader *reader, vqemu_error **error) {
    int64_t size;
    int r;
    switch (reader->block.header.type) {
    case 'L':
        r = read_long_name(reader, &reader->long_path, error);
        break;
    case 'K':
        r = read_long_name(reader, &reader->long_link, error);
        break;
    case 'x':
    case 'X': /* Solaris, before there was a standard */
        r = read_pax(reader, &reader->extended, error);
        break;
    case 'g':
        r = read_global(reader, error);
        break;
    case 'V': /* the label of a tape */
    case 'A': /* access rights, on Solaris */
        r = header_size(reader, &size, error);
        reader->stored_left = r == 0 ? padded((uint64_t)size) : 0;
        break;
    default:
        return 0;
    }
    return r < 0 ? r : 1;
}

/* ---- entries ---- */

static char *copy_first(const char *a, const char *b, const char *c) {
    const char *text = a ? a : b ? b : c;
    return text ? strdup(text) : NULL;
}

static int name_entry(struct archive_reader *reader, vqemu_error **error) {
    const struct tar_extended *extended = &reader->extended;
    _cleanup_free_ char *name = tar_header_name(&reader->block.header);
    _cleanup_free_ char *link = tar_header_link(&reader->block.header);
    const char *path = extended->path ? extended->path : reader->long_path;
    reader->path = copy_first(extended->sparse_path, path, name);
    reader->target = copy_first(extended->link, reader->long_link, link);
    if (!reader->path || !reader->target)
        return error_no_memory(error);
    snprintf(reader->input.place, sizeof reader->input.place, "%s", reader->path);
    return 0;
}

static bool is_directory_name(const char *path) {
    size_t length = strlen(path);
    return length > 0 && path[length - 1] == '/';
}

/* POSIX: what is of an unknown type is a file. A few other letters have had a meaning. */
static int kind_of_entry(const struct archive_reader *reader, enum archive_kind *kind,
                         vqemu_error **error) {
    switch (reader->block.header.type) {
    case '1':
        *kind = ARCHIVE_HARDLINK;
        return 0;
    case '2':
        *kind = ARCHIVE_SYMLINK;
        return 0;
    case '3':
    case '4':
    case '6':
        *kind = ARCHIVE_SPECIAL;
        return 0;
    case '5':
    case 'D':
        *kind = ARCHIVE_DIRECTORY;
        return 0;
    case 'M':
        return archive_is_broken(&reader->input, error,
                                 "it is the rest of a file that begins in another volume");
    case 'N':
    case 'E':
    case 'I':
        return archive_is_broken(&reader->input, error, "it is of a kind that files are not of");
    default: /* as old programs write directories */
        *kind = is_directory_name(reader->path) ? ARCHIVE_DIRECTORY : ARCHIVE_FILE;
        return 0;
    }
}

/*
 * A size of what is no file is only a remark to some programs, while others store something. What
 * follows tells: a header or the end, or that.
 */
static int settle_stored(struct archive_reader *reader, uint64_t size, vqemu_error **error) {
    reader->stored_left = 0;
    if (size == 0)
        return 0;
    int r = read_exactly(reader, reader->block.bytes, TAR_BLOCK_SIZE, error);
    if (r < 0)
        return r;
    reader->has_next =
        tar_block_is_zero(reader->block.bytes) || tar_header_is_sound(&reader->block.header);
    reader->stored_left = reader->has_next ? 0 : padded(size) - TAR_BLOCK_SIZE;
    return 0;
}

/* ---- sparse files ---- */

static int add_piece(struct archive_reader *reader, int64_t offset, int64_t size,
                     vqemu_error **error) {
    int r = tar_sparse_add(&reader->extended.sparse, offset, size);
    if (r == -ENOMEM)
        return error_no_memory(error);
    if (r < 0)
        return archive_is_broken(&reader->input, error,
                                 r == -EFBIG ? "it is sparse, in too many pieces"
                                             : "its sparse map makes no sense");
    return 0;
}

static int add_fields(struct archive_reader *reader, const struct tar_sparse_field *fields,
                      size_t count, vqemu_error **error) {
    for (size_t i = 0; i < count && fields[i].offset[0]; i++) {
        int64_t offset, size;
        if (!tar_number(fields[i].offset, sizeof fields[i].offset, &offset) ||
            !tar_number(fields[i].size, sizeof fields[i].size, &size))
            return archive_is_broken(&reader->input, error, "its sparse map makes no sense");
        int r = add_piece(reader, offset, size, error);
        if (r < 0)
            return r;
    }
    return 0;
}

/* GNU's old kind: the map is in the header, and in blocks that do not count as stored. */
static int read_gnu_map(struct archive_reader *reader, vqemu_error **error) {
    const struct tar_gnu_header header = reader->block.gnu;
    bool goes_on = header.is_extended;
    if (!tar_number(header.real_size, sizeof header.real_size, &reader->extended.sparse_size))
        reader->extended.sparse_size = -1;
    int r = add_fields(reader, header.sparse, TAR_SPARSE_IN_HEADER, error);
    while (r == 0 && goes_on) {
        size_t before = reader->extended.sparse.count;
        r = read_exactly(reader, reader->block.bytes, TAR_BLOCK_SIZE, error);
        if (r == 0)
            r = add_fields(reader, reader->block.sparse.sparse, TAR_SPARSE_IN_BLOCK, error);
        goes_on = r == 0 && reader->block.sparse.is_extended;
        if (goes_on && reader->extended.sparse.count == before)
            r = archive_is_broken(&reader->input, error, "its sparse map makes no sense");
    }
    return r;
}

/* One of the numbers, each on its line, that a file of format 1.0 begins with. */
static int next_number(struct archive_reader *reader, size_t *at, int64_t *number,
                       vqemu_error **error) {
    *number = 0;
    for (size_t digits = 0;; digits++) {
        if (*at == TAR_BLOCK_SIZE) {
            int r = read_stored_block(reader, error);
            if (r < 0)
                return r;
            *at = 0;
        }
        char c = reader->block.bytes[(*at)++];
        if (c == '\n' && digits > 0)
            return 0;
        if (c < '0' || c > '9' || __builtin_mul_overflow(*number, 10, number) ||
            __builtin_add_overflow(*number, c - '0', number) || digits == 20)
            return archive_is_broken(&reader->input, error, "its sparse map makes no sense");
    }
}

static int read_map_1_0(struct archive_reader *reader, uint64_t *stored, vqemu_error **error) {
    size_t at = TAR_BLOCK_SIZE;
    uint64_t before = reader->stored_left;
    int64_t count, offset, size;
    int r = next_number(reader, &at, &count, error);
    for (int64_t i = 0; r == 0 && i < count; i++) {
        r = next_number(reader, &at, &offset, error);
        if (r == 0)
            r = next_number(reader, &at, &size, error);
        if (r == 0)
            r = add_piece(reader, offset, size, error);
    }
    uint64_t map = before - reader->stored_left;
    *stored = *stored > map ? *stored - map : 0;
    return r;
}

static bool is_sparse(const struct archive_reader *reader) {
    return reader->block.header.type == 'S' || reader->extended.has_map ||
           reader->extended.sparse_major >= 0;
}

/* stored: the bytes that the archive has of it. */
static int prepare_sparse(struct archive_reader *reader, uint64_t stored, vqemu_error **error) {
    const struct tar_extended *extended = &reader->extended;
    int r = 0;
    if (reader->block.header.type == 'S')
        r = read_gnu_map(reader, error);
    else if (!extended->has_map)
        r = read_map_1_0(reader, &stored, error);
    if (r < 0)
        return r;
    if (extended->sparse_size < 0 ||
        !tar_sparse_fits(&extended->sparse, (uint64_t)extended->sparse_size, stored))
        return archive_is_broken(&reader->input, error, "its sparse map makes no sense");
    reader->is_sparse = true;
    reader->size = (uint64_t)extended->sparse_size;
    return 0;
}

/* ---- one entry ---- */

static int prepare_content(struct archive_reader *reader, enum archive_kind kind,
                           vqemu_error **error) {
    int64_t size;
    int r = header_size(reader, &size, error);
    if (r < 0)
        return r;
    if (reader->extended.size >= 0)
        size = reader->extended.size;
    if (size > INT64_MAX - (int64_t)TAR_BLOCK_SIZE)
        return archive_is_broken(&reader->input, error, "its size makes no sense");
    if (kind != ARCHIVE_FILE && is_sparse(reader))
        return archive_is_broken(&reader->input, error, "it is sparse, but no file");
    if (kind != ARCHIVE_FILE)
        return settle_stored(reader, (uint64_t)size, error);
    reader->stored_left = padded((uint64_t)size);
    reader->size = (uint64_t)size;
    return is_sparse(reader) ? prepare_sparse(reader, (uint64_t)size, error) : 0;
}

static int describe(struct archive_reader *reader, struct archive_item *item, vqemu_error **error) {
    int64_t mode;
    const struct tar_header *header = &reader->block.header;
    int r = name_entry(reader, error);
    *item = (struct archive_item){.path = reader->path ? reader->path : ""};
    item->executable = tar_number(header->mode, sizeof header->mode, &mode) && mode & 0111;
    if (r == 0)
        r = kind_of_entry(reader, &item->kind, error);
    if (r == 0)
        r = prepare_content(reader, item->kind, error);
    bool is_link = item->kind == ARCHIVE_HARDLINK || item->kind == ARCHIVE_SYMLINK;
    item->target = is_link ? reader->target : NULL;
    item->size = reader->size;
    return r < 0 ? r : 1;
}

int archive_next(struct archive_reader *reader, struct archive_item *item, vqemu_error **error) {
    forget_entry(reader);
    bool is_half = false;
    for (;;) {
        int r = next_header(reader, error);
        if (r == 0 && is_half)
            return archive_is_broken(&reader->input, error,
                                     "an extended header is followed by nothing");
        if (r <= 0)
            return r;
        char type = reader->block.header.type;
        r = read_before(reader, error);
        if (r < 0)
            return r;
        if (r == 0)
            return describe(reader, item, error);
        is_half = is_half || (type != 'g' && type != 'V');
    }
}

/* ---- content ---- */

/* How much of the next bytes there is in one go, and whether they are stored or zeros. */
static uint64_t next_stretch(struct archive_reader *reader, bool *is_stored) {
    const struct tar_sparse *sparse = &reader->extended.sparse;
    *is_stored = true;
    if (!reader->is_sparse)
        return reader->size - reader->at;
    for (; reader->piece < sparse->count; reader->piece++) {
        const struct tar_piece *piece = &sparse->pieces[reader->piece];
        *is_stored = reader->at >= piece->offset;
        if (!*is_stored)
            return piece->offset - reader->at;
        if (reader->at < piece->offset + piece->size)
            return piece->offset + piece->size - reader->at;
    }
    *is_stored = false;
    return reader->size - reader->at;
}

int archive_read_content(struct archive_reader *reader, void *bytes, size_t *size,
                         vqemu_error **error) {
    bool is_stored;
    uint64_t stretch = next_stretch(reader, &is_stored);
    if (*size > stretch)
        *size = (size_t)stretch;
    if (!is_stored)
        memset(bytes, 0, *size);
    int r = is_stored ? read_exactly(reader, bytes, *size, error) : 0;
    if (r < 0)
        return r;
    reader->at += *size;
    reader->stored_left -= is_stored ? *size : 0;
    return 0;
}
