/* SPDX-License-Identifier: MIT */
/*
 * Long operations: shows how far they are if stderr is a terminal, and cancels them, so that they
 * can clean up, when the program is interrupted.
 */
#ifndef PROGRESS_H
#define PROGRESS_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

struct progress {
    bool on_terminal;
    bool shown;
    int64_t shown_at; /* milliseconds */
    struct sigaction old_int, old_term;
};

void progress_begin(struct progress *progress);
void progress_end(struct progress *progress);

/* A vqemu_step_fn; userdata is a struct progress. */
int progress_step(const char *step, const char *item, uint64_t done, uint64_t total,
                  void *userdata);

#endif
