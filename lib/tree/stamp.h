/* SPDX-License-Identifier: MIT */
/*
 * The stamp of an assembled tree: the file that is written last, and says what the tree is for and
 * what every file and directory of it looked like then.
 */
#ifndef LIB_STAMP_H
#define LIB_STAMP_H

#include <stdbool.h>
#include <sys/stat.h>

#include "store/manifest.h"
#include "util/strbuf.h"

/* How a file came into a tree, best first. */
enum placement {
    PLACED_LINK,
    PLACED_REFLINK,
    PLACED_COPY_FILE_RANGE,
    PLACED_COPY,
    PLACED_NEW, /* an empty file */
    PLACEMENT_COUNT
};

/* Stands for an errno of link(2) that has no word of its own. */
#define PLACEMENT_OTHER (-1)

/* A file of a tree. */
struct tree_file {
    uint32_t mode;  /* permission bits */
    uint64_t inode; /* 0 where the file system has no lasting numbers */
    int64_t size, seconds;
    int64_t nanoseconds;
    enum placement how;
    /* Why it is no link to the object: an errno, as link(2) gave it; 0 for a link. */
    int reason;
    /* A link to the object's inode of the other mode class. */
    bool alternative;
};

/* Where the parts of a tree are, relative to it. What it has not is NULL. */
struct layout {
    bool has_lib;
    const char *module_dir;
    bool has_program; /* the one that was asked for */
    const char *loader;
};

void tree_file_set(struct tree_file *file, const struct stat *status);

/* The names "link", "copy" ... and of an errno, such as "EXDEV", or "other"; "" for none. */
const char *placement_name(enum placement how);
const char *placement_reason_name(int reason);

/* The stamp's text for a tree whose files are complete. Returns 0, -ENOMEM or another error. */
int stamp_make(int tree_fd, const vqemu_manifest *manifest, const struct tree_file *files,
               struct strbuf *text);

/*
 * Read the stamp of a tree, or with start_only just what lies before the list of files, which is
 * not checked then. store_flags: those of its store; what others can write to is -EPERM. *text is
 * owned by the caller. Returns 0 or a negative errno.
 */
int stamp_read(int tree_fd, uint32_t store_flags, bool start_only, char **text);

/* How much of the text of a stamp lies before the list of files: all of it if that is not there. */
size_t stamp_start_length(const char *text);

/*
 * Take apart the lines before the list of files, for one program below bin/. *text moves on behind
 * them; the layout lies in it. False if they are not those of a stamp, or of another manifest, or
 * name what is not below lib/.
 */
bool stamp_take_layout(char **text, const char *digest, const char *binary, struct layout *layout);

/* One line of the list; false at its end, *broken if that comes too early. */
struct stamp_line {
    const char *path;
    bool is_directory;
    struct tree_file file; /* where it is no directory */
};
bool stamp_take_line(char **text, struct stamp_line *line, bool *broken);

/* The names of a tree's programs, separated by ", ", after stamp_read(); NULL without memory. */
char *stamp_list_programs(const char *text);

/* Call back for each directory that the paths of a manifest need, parents first. */
typedef int (*directory_fn)(const char *directory, void *userdata);
int manifest_for_each_directory(const vqemu_manifest *manifest, directory_fn function,
                                void *userdata);

#endif
