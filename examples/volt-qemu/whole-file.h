/* SPDX-License-Identifier: MIT */
/*
 * A file that appears under its name when it is whole, and then is on the disk. Until then it is
 * beside that, hidden, under the name .NAME.XXXXXXXXXXXXXXXX.tmp; what programs that died left of
 * such names is removed by the next one that writes the file.
 */
#ifndef WHOLE_FILE_H
#define WHOLE_FILE_H

#include <stddef.h>

struct whole_file {
    char *path, *name, *staged; /* the last two are in its directory */
    int directory_fd, fd;       /* fd: what is to be written to */
};

/* Returns 0, or an exit status after the failure was reported; whole_file_end() is due in any case.
 */
int whole_file_begin(struct whole_file *file, const char *path);

/* The next bytes of it. Returns 0, or the exit status of a fault that has been reported. */
int whole_file_write(const struct whole_file *file, const char *bytes, size_t size);

/* All of it to a descriptor. Returns 0, or -1 with errno. */
int write_whole(int fd, const char *bytes, size_t size);

/* What was written to a file that began well is to stay on the disk, still hidden. */
int whole_file_sync(const struct whole_file *file);

/* With status 0, give a synced file its name; else drop it. Returns status, or that of a failure
 * that was reported. */
int whole_file_end(struct whole_file *file, int status);

#endif
