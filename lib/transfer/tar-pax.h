/* SPDX-License-Identifier: MIT */
/* Extended headers of tar archives (pax in POSIX.1-2001), as far as they matter to files. */
#ifndef LIB_TAR_PAX_H
#define LIB_TAR_PAX_H

#include "transfer/tar-sparse.h"
#include "util/strbuf.h"

/* What is said of the entry that follows. All 0 but for tar_extended_init(). */
struct tar_extended {
    char *path, *link; /* NULL where it is not said */
    int64_t size;      /* -1 likewise, and below */
    /* GNU's sparse files: */
    char *sparse_path;
    int64_t sparse_major, sparse_size, sparse_offset;
    struct tar_sparse sparse;
    bool has_map; /* of sparse files of the formats 0.0 and 0.1 */
};

void tar_extended_init(struct tar_extended *extended);
void tar_extended_release(struct tar_extended *extended);
/* Whether anything is said. */
bool tar_extended_says(const struct tar_extended *extended);

/*
 * Read the records of a header: "<length> <key>=<value>\n". A value is taken byte for byte, up to a
 * NUL. Returns 0, -ENOMEM, or -EBADMSG with *problem, a static text.
 */
int tar_pax_parse(const char *text, size_t size, struct tar_extended *extended,
                  const char **problem);

/* Add a record. */
void tar_pax_add(struct strbuf *text, const char *key, const char *value);

#endif
