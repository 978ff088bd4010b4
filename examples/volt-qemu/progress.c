/* SPDX-License-Identifier: MIT */
#include "progress.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "cleanup.h"
#include "text.h"

static const int64_t refresh_ms = 100;
static const char clear_line[] = "\r\033[K";

static volatile sig_atomic_t interrupted;

static void interrupt(int signal_number) {
    (void)signal_number;
    interrupted = 1;
}

/* Takes over a signal, except one that the parent chose to ignore. */
static void catch_signal(int signal_number, struct sigaction *old) {
    struct sigaction action = {.sa_handler = interrupt, .sa_flags = SA_RESTART};
    sigaction(signal_number, NULL, old);
    if (old->sa_handler != SIG_IGN)
        sigaction(signal_number, &action, NULL);
}

void progress_begin(struct progress *progress) {
    *progress = (struct progress){.on_terminal = isatty(STDERR_FILENO)};
    catch_signal(SIGINT, &progress->old_int);
    catch_signal(SIGTERM, &progress->old_term);
}

void progress_end(struct progress *progress) {
    if (progress->shown)
        fputs(clear_line, stderr);
    sigaction(SIGINT, &progress->old_int, NULL);
    sigaction(SIGTERM, &progress->old_term, NULL);
}

static int64_t now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* "[#########           ]  45%" */
static void show_bar(uint64_t done, uint64_t total) {
    enum { WIDTH = 20 };
    double share = done < total ? (double)done / (double)total : 1;
    char bar[WIDTH + 1];
    for (int i = 0; i < WIDTH; i++)
        bar[i] = i < share * WIDTH ? '#' : ' ';
    bar[WIDTH] = '\0';
    fprintf(stderr, " [%s] %3.0f%%", bar, 100 * share);
}

static void show(const char *step, const char *item, uint64_t done, uint64_t total) {
    _cleanup_free_ char *safe = printable(item ? item : "");
    fprintf(stderr, "%s%s", clear_line, step);
    if (total > 0)
        show_bar(done, total);
    if (text_width(safe) <= 40) /* else it could wrap, and not be cleared */
        fprintf(stderr, " %s", safe);
}

int progress_step(const char *step, const char *item, uint64_t done, uint64_t total,
                  void *userdata) {
    struct progress *progress = userdata;
    int64_t now = now_ms();
    if (progress->on_terminal && now - progress->shown_at >= refresh_ms) {
        show(step, item, done, total);
        progress->shown = true;
        progress->shown_at = now;
    }
    return interrupted;
}
