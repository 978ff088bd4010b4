// SPDX-License-Identifier: MIT
/*
 * What single system calls and a bare JSON parse cost, timed inside one process. Prints the median
 * of COUNT passes in nanoseconds.
 *
 *     micro stat COUNT DIRECTORY PATHS     a pass: statx of each path listed in the file PATHS
 *     micro read COUNT FILE                open, read, close
 *     micro scan COUNT DIRECTORY           list it
 *     micro open-each COUNT DIRECTORY      list it, and read each file
 *     micro link COUNT DIRECTORY           one linkat in it
 *     micro json COUNT FILE                json_loadb of its text
 */
#include "bench.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

static int open_directory(const char *path) {
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        die(path);
    return fd;
}

static void stat_all(int directory_fd, char **paths, size_t count) {
    struct statx status;
    for (size_t i = 0; i < count; i++)
        if (statx(directory_fd, paths[i], AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &status) < 0)
            die(paths[i]);
}

static void time_stat(struct samples *samples, const char *directory, const char *list) {
    int directory_fd = open_directory(directory);
    size_t size, count = 0;
    char *text = read_file(list, &size), *rest;
    char **paths = allocate(size, sizeof *paths);
    for (char *path = strtok_r(text, "\n", &rest); path; path = strtok_r(NULL, "\n", &rest))
        paths[count++] = path;
    while (sample_more(samples)) {
        sample_start(samples);
        stat_all(directory_fd, paths, count);
        sample_end(samples);
    }
}

static void read_small(int directory_fd, const char *name) {
    char buffer[4096];
    int fd = openat(directory_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || read(fd, buffer, sizeof buffer) < 0)
        die(name);
    close(fd);
}

static void time_read(struct samples *samples, const char *file) {
    while (sample_more(samples)) {
        sample_start(samples);
        read_small(AT_FDCWD, file);
        sample_end(samples);
    }
}

static void scan(const char *directory, bool open_each) {
    DIR *stream = opendir(directory);
    if (!stream)
        die(directory);
    struct dirent *entry;
    while ((entry = readdir(stream)))
        if (open_each && entry->d_name[0] != '.')
            read_small(dirfd(stream), entry->d_name);
    closedir(stream);
}

static void time_scan(struct samples *samples, const char *directory, bool open_each) {
    while (sample_more(samples)) {
        sample_start(samples);
        scan(directory, open_each);
        sample_end(samples);
    }
}

static void time_link(struct samples *samples, const char *directory) {
    int directory_fd = open_directory(directory);
    int fd = openat(directory_fd, "linked", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        die("linked");
    close(fd);
    while (sample_more(samples)) {
        char name[32];
        snprintf(name, sizeof name, "link-%zu", samples->count);
        sample_start(samples);
        if (linkat(directory_fd, "linked", directory_fd, name, 0) < 0)
            die(name);
        sample_end(samples);
        unlinkat(directory_fd, name, 0);
    }
    unlinkat(directory_fd, "linked", 0);
}

static void time_json(struct samples *samples, const char *file) {
    size_t size;
    char *text = read_file(file, &size);
    while (sample_more(samples)) {
        json_error_t error;
        sample_start(samples);
        json_t *document = json_loadb(text, size, 0, &error);
        sample_end(samples);
        if (!document)
            die_text(file, error.text);
        json_decref(document);
    }
}

int main(int argc, char **argv) {
    if (argc < 4)
        die_text("usage", "micro stat|read|scan|open-each|link|json COUNT ...");
    const char *command = argv[1], *path = argv[3];
    struct samples samples = samples_of(parse_count(argv[2]));
    if (strcmp(command, "stat") == 0 && argc == 5)
        time_stat(&samples, path, argv[4]);
    else if (strcmp(command, "read") == 0)
        time_read(&samples, path);
    else if (strcmp(command, "scan") == 0 || strcmp(command, "open-each") == 0)
        time_scan(&samples, path, strcmp(command, "open-each") == 0);
    else if (strcmp(command, "link") == 0)
        time_link(&samples, path);
    else if (strcmp(command, "json") == 0)
        time_json(&samples, path);
    else
        die_text(command, "no such command");
    samples_print(&samples);
    return 0;
}
