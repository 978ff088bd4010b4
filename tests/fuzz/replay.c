/* SPDX-License-Identifier: MIT */
/*
 * Runs a target on files, without libFuzzer, so that any compiler and checker can: the main() of
 * the unit tests that are called like targets. Arguments are files and directories, which are gone
 * through with all that is below. Where a directory has a file "selection", as cases have, it is
 * put in front of each other one: the targets that take a VM understand that.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz.h"
#include "util/cleanup.h"
#include "util/fd.h"
#include "util/strbuf.h"

#define FILE_LIMIT ((size_t)16 * 1024 * 1024)
#define PREFIX_FILE "selection"

static size_t count;

/* The file that is being run, for whoever reads the log of a crash. */
static void run_file(const char *path, const char *prefix) {
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
    _cleanup_free_ char *bytes = NULL;
    _cleanup_strbuf_ struct strbuf whole = {0};
    size_t size;
    FUZZ_CHECK(fd >= 0 && read_all(fd, FILE_LIMIT, &bytes, &size) == 0, "cannot read %s", path);
    strbuf_add(&whole, prefix);
    strbuf_add_bytes(&whole, bytes, size);
    FUZZ_CHECK(!whole.failed, "no memory");
    printf("# %s\n", path);
    /* Of its own, and no larger than it is, so that reading beyond its end shows. */
    _cleanup_free_ uint8_t *data = malloc(whole.length ? whole.length : 1);
    FUZZ_CHECK(data, "no memory");
    if (whole.length)
        memcpy(data, whole.text, whole.length);
    LLVMFuzzerTestOneInput(data, whole.length);
    count++;
}

static char *read_prefix(const char *directory) {
    _cleanup_free_ char *path = format_string("%s/" PREFIX_FILE, directory);
    _cleanup_close_ int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    char *text = NULL;
    size_t size;
    return fd >= 0 && read_all(fd, FILE_LIMIT, &text, &size) == 0 ? text : strdup("");
}

static void run_path(const char *path, const char *prefix);

static void run_directory(const char *path) {
    struct dirent **entries;
    _cleanup_free_ char *prefix = read_prefix(path);
    int entry_count = scandir(path, &entries, NULL, alphasort);
    FUZZ_CHECK(prefix && entry_count >= 0, "cannot read %s", path);
    for (int i = 0; i < entry_count; i++) {
        _cleanup_free_ char *name = format_string("%s/%s", path, entries[i]->d_name);
        bool is_input =
            entries[i]->d_name[0] != '.' && strcmp(entries[i]->d_name, PREFIX_FILE) != 0;
        free(entries[i]);
        if (is_input)
            run_path(name, prefix);
    }
    free(entries);
}

static void run_path(const char *path, const char *prefix) {
    struct stat status;
    FUZZ_CHECK(path && stat(path, &status) == 0, "cannot find %s", path ? path : "");
    if (S_ISDIR(status.st_mode))
        run_directory(path);
    else
        run_file(path, prefix);
}

int main(int argc, char **argv) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
    for (int i = 1; i < argc; i++)
        run_path(argv[i], "");
    printf("%zu inputs\n", count);
    return count > 0 ? 0 : 1;
}
