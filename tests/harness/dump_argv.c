/*
 * Writes what a process was given, byte for byte, for tests to compare:
 * argv, the environment and the working directory.
 *
 * The file is DUMP_FILE if that was defined when compiling
 * (-DDUMP_FILE='"/path"'), else "argv.out" beside the executable itself, found
 * through /proc/self/exe, because neither argv nor the environment can be relied on.
 * Started through another ld.so, /proc/self/exe is that ld.so: define DUMP_FILE then.
 *
 * The format is a sequence of strings, each ended by a NUL byte:
 *     "dump_argv 1"
 *     the number of arguments (decimal), then argv[0], argv[1], ...
 *     the number of variables (decimal), then "NAME=value", ...
 *     the number 1, then the working directory ("" if it cannot be known)
 *     "end"
 * The file appears under its name only when it is whole. The exit status is 0, or
 * 120 and a message on standard error.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OUTPUT_NAME "argv.out"
#define FAILED 120

extern char **environ;

static void die(const char *what) {
    fprintf(stderr, "dump_argv: %s: %s\n", what, strerror(errno));
    exit(FAILED);
}

/* Gives the output's path in memory that is never freed. */
static const char *output_path(void) {
#ifdef DUMP_FILE
    return DUMP_FILE;
#else
    static char path[PATH_MAX + sizeof OUTPUT_NAME];
    ssize_t length = readlink("/proc/self/exe", path, PATH_MAX);
    if (length < 0)
        die("/proc/self/exe");
    if (length == PATH_MAX) {
        errno = ENAMETOOLONG;
        die("/proc/self/exe");
    }
    path[length] = '\0';
    char *slash = strrchr(path, '/');
    if (slash == NULL) {
        errno = ENOENT;
        die("/proc/self/exe");
    }
    strcpy(slash + 1, OUTPUT_NAME);
    return path;
#endif
}

static void put(FILE *file, const char *string) {
    fwrite(string, 1, strlen(string) + 1, file);
}

static void put_count(FILE *file, size_t count) {
    fprintf(file, "%zu", count);
    fputc('\0', file);
}

static void put_list(FILE *file, char **strings) {
    size_t count = 0;
    while (strings[count] != NULL)
        count++;
    put_count(file, count);
    for (size_t i = 0; i < count; i++)
        put(file, strings[i]);
}

static void put_working_directory(FILE *file) {
    char *directory = getcwd(NULL, 0);
    put_count(file, 1);
    put(file, directory != NULL ? directory : "");
    free(directory);
}

int main(int argc, char **argv) {
    (void)argc;
    const char *path = output_path();
    char *temporary;
    if (asprintf(&temporary, "%s.%ld", path, (long)getpid()) < 0)
        die("memory");
    FILE *file = fopen(temporary, "we");
    if (file == NULL)
        die(temporary);
    put(file, "dump_argv 1");
    put_list(file, argv);
    put_list(file, environ);
    put_working_directory(file);
    put(file, "end");
    if (ferror(file) || fclose(file) != 0)
        die(temporary);
    if (rename(temporary, path) != 0)
        die(path);
    free(temporary);
    return 0;
}
