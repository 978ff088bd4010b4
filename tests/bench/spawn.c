// SPDX-License-Identifier: MIT
/*
 * Time whole processes, from before they are started until they are reaped:
 *
 *     spawn [--repeat N] PROGRAM ARG... [+ PROGRAM ARG...]
 *
 * Several programs, separated by "+", run one after the other and are timed together. Prints the
 * median in nanoseconds and, each on a line of its own, the largest resident set in KiB and the
 * processors' time of them all in nanoseconds. A program of its own, because an interpreter would
 * add a millisecond to each, and a shell another.
 */
#include "bench.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>

extern char **environ;

static posix_spawn_file_actions_t quiet;

static void run(char **argv, long *peak_kib) {
    pid_t pid;
    int status;
    struct rusage usage;
    errno = posix_spawnp(&pid, argv[0], &quiet, NULL, argv, environ);
    if (errno)
        die(argv[0]);
    if (wait4(pid, &status, 0, &usage) != pid)
        die("wait4");
    if (status != 0)
        die_text(argv[0], "failed");
    if (usage.ru_maxrss > *peak_kib)
        *peak_kib = usage.ru_maxrss;
}

/* Each command ends in a NULL, the last one in two. */
static void split_commands(char **argv) {
    for (; *argv; argv++)
        if (strcmp(*argv, "+") == 0)
            *argv = NULL;
}

static void run_all(char **argv, char **end, long *peak_kib) {
    while (argv < end) {
        run(argv, peak_kib);
        while (argv < end && *argv)
            argv++;
        argv++;
    }
}

static unsigned long long nanoseconds(struct timeval time) {
    return (unsigned long long)time.tv_sec * 1000000000U + (unsigned long long)time.tv_usec * 1000U;
}

/* Of all that has ended. */
static unsigned long long processor_ns(void) {
    struct rusage usage;
    getrusage(RUSAGE_CHILDREN, &usage);
    return nanoseconds(usage.ru_utime) + nanoseconds(usage.ru_stime);
}

int main(int argc, char **argv) {
    size_t repeat = 1;
    char **command = argv + 1;
    if (argc > 3 && strcmp(argv[1], "--repeat") == 0) {
        repeat = parse_count(argv[2]);
        command = argv + 3;
    }
    if (command >= argv + argc)
        die_text("usage", "spawn [--repeat N] PROGRAM ARG... [+ PROGRAM ARG...]");
    posix_spawn_file_actions_init(&quiet);
    posix_spawn_file_actions_addopen(&quiet, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", O_WRONLY, 0);
    split_commands(command);

    struct samples samples = samples_of(repeat);
    long peak_kib = 0;
    for (size_t i = 0; i < repeat; i++) {
        sample_start(&samples);
        run_all(command, argv + argc, &peak_kib);
        sample_end(&samples);
    }
    samples_print(&samples);
    printf("%ld\n%llu\n", peak_kib, processor_ns());
    return 0;
}
