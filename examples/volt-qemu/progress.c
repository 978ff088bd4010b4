/* SPDX-License-Identifier: MIT */
#include "progress.h"

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cleanup.h"
#include "message.h"
#include "text.h"

static const int64_t refresh_ms = 100;
static const char clear_line[] = "\r\033[K";

/* The one operation that is going on. */
static struct {
    bool on_terminal;
    bool shown;
    int64_t shown_at; /* milliseconds */
    uint32_t phase;   /* since when: */
    int64_t phase_began;
    struct sigaction old_int, old_term;
} progress;

static vqemu_call *interruptible; /* for the handler; it outlives that */

static void interrupt(int signal_number) {
    (void)signal_number;
    vqemu_call_cancel(interruptible);
}

/* Takes over a signal, except one that the parent chose to ignore. */
static void catch_signal(int signal_number, struct sigaction *old) {
    struct sigaction action = {.sa_handler = interrupt, .sa_flags = SA_RESTART};
    sigaction(signal_number, NULL, old);
    if (old->sa_handler != SIG_IGN)
        sigaction(signal_number, &action, NULL);
}

void progress_begin(const struct options *options) {
    progress.on_terminal = isatty(STDERR_FILENO);
    progress.shown = false;
    progress.phase = 0;
    interruptible = options->call;
    catch_signal(SIGINT, &progress.old_int);
    catch_signal(SIGTERM, &progress.old_term);
}

void progress_end(void) {
    if (progress.shown)
        fputs(clear_line, stderr);
    sigaction(SIGINT, &progress.old_int, NULL);
    sigaction(SIGTERM, &progress.old_term, NULL);
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

static void show_time(int64_t seconds) {
    if (seconds < 60)
        fprintf(stderr, ", %d s left", (int)seconds);
    else if (seconds < 3600)
        fprintf(stderr, ", %d min left", (int)((seconds + 59) / 60));
    else
        fprintf(stderr, ", more than an hour left");
}

/* "5.2 MiB/s, 9 s left": of what travels, when it has been under way for a second. */
static void show_rate(const vqemu_progress *state) {
    uint64_t done = vqemu_progress_done(state), total = vqemu_progress_total(state);
    int64_t now = now_ms();
    if (progress.phase != vqemu_progress_phase(state)) {
        progress.phase = vqemu_progress_phase(state);
        progress.phase_began = now;
    }
    int64_t passed = now - progress.phase_began;
    if (passed < 1000 || done == 0 || done >= total)
        return;
    double rate = (double)done * 1000 / (double)passed;
    _cleanup_free_ char *text = format_size((int64_t)rate);
    fprintf(stderr, " %s/s", text);
    show_time((int64_t)((double)(total - done) / rate) + 1);
}

static bool is_travelling(const vqemu_progress *state) {
    const char *step = vqemu_progress_step(state);
    return strcmp(step, "pull") == 0 || strcmp(step, "push") == 0;
}

static void show(const vqemu_progress *state) {
    const char *item = vqemu_progress_item(state);
    _cleanup_free_ char *safe = printable(item ? item : "");
    uint64_t total = vqemu_progress_total(state);
    fprintf(stderr, "%s%s", clear_line, vqemu_progress_step(state));
    if (total > 0)
        show_bar(vqemu_progress_done(state), total);
    if (total > 0 && is_travelling(state))
        show_rate(state);
    if (text_width(safe) <= 40) /* else it could wrap, and not be cleared */
        fprintf(stderr, " %s", safe);
}

static int show_now_and_then(const vqemu_progress *state, void *unused) {
    (void)unused;
    int64_t now = now_ms();
    if (progress.on_terminal && now - progress.shown_at >= refresh_ms) {
        show(state);
        progress.shown = true;
        progress.shown_at = now;
    }
    return 0;
}

/* Milliseconds, in which the library counts. A lock that is not to be waited for still takes one.
 */
static int64_t milliseconds(int64_t seconds) {
    return seconds == 0 ? 1 : 1000 * seconds;
}

/* The time of "stop" is the guest's. */
static bool has_deadline(const struct options *options) {
    return options->timeout > 0 && options->command != &command_stop;
}

static int set_numbers(const struct options *options, vqemu_error **error) {
    const struct {
        const char *key;
        int64_t value; /* -1 if not given */
    } numbers[] = {
        {VQEMU_CALL_THREADS, options->threads},
        {VQEMU_CALL_MAX_SIZE, options->max_size},
        {VQEMU_CALL_MAX_OBJECTS, options->max_objects},
        {VQEMU_CALL_MAX_LAYERS, options->max_layers},
        {VQEMU_CALL_DEADLINE_MS, has_deadline(options) ? milliseconds(options->timeout) : -1},
        {VQEMU_CALL_LOCK_TIMEOUT_MS,
         options->lock_timeout >= 0 ? milliseconds(options->lock_timeout) : -1},
    };
    int code = 0;
    for (size_t i = 0; !code && i < sizeof numbers / sizeof *numbers; i++)
        if (numbers[i].value > 0)
            code = vqemu_call_set_number(options->call, numbers[i].key, (uint64_t)numbers[i].value,
                                         error);
    return code;
}

int call_from_options(struct options *options) {
    _cleanup_error_ vqemu_error *error = NULL;
    int code = vqemu_call_new(&options->call, &error);
    if (!code)
        code = set_numbers(options, &error);
    if (!code)
        code = vqemu_call_set_progress(options->call, show_now_and_then, NULL, &error);
    return code ? fail_request(options->command, error) : 0;
}

/* Of the rest, such as a broken manifest, the error tells. */
static void show_warning(const vqemu_log_record *record, void *userdata) {
    (void)userdata;
    static const char *const events[] = {"leftover-unreadable", "process-unreadable",
                                         "processes-hidden"};
    for (size_t i = 0; i < sizeof events / sizeof *events; i++)
        if (strcmp(vqemu_log_record_event(record), events[i]) == 0)
            warn("%s", vqemu_log_record_message(record));
}

int show_warnings(const struct options *options) {
    _cleanup_error_ vqemu_error *error = NULL;
    int code = vqemu_call_set_log(options->call, show_warning, NULL, &error);
    return code ? fail_request(options->command, error) : 0;
}
