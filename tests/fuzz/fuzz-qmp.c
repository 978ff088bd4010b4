/* SPDX-License-Identifier: MIT */
/*
 * Whoever is on the other side of a QMP socket. The input is all that it says before it closes the
 * connection; behind a first line "open" it does not close it, and the calls' time runs out.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/json.h"
#include "fuzz.h"

#define OPEN "open\n"
#define EVENTS_MAX 2000
#define PATIENCE 20     /* ms */
#define PATIENCE_MAX 60 /* s: for everything, on a machine that has much else to do */

/* What came from QEMU and is handed on: JSON on one line. */
static void check_json(char *text) {
    json_error_t fault;
    json_t *value = json_loads(text, JSON_DECODE_ANY, &fault);
    FUZZ_CHECK(value, "no JSON: %s", text);
    FUZZ_CHECK(!strchr(text, '\n') && fuzz_is_utf8(text), "not one line of text: %s", text);
    json_decref(value);
    vqemu_free(text);
}

static vqemu_call *patience(void) {
    vqemu_call *call = NULL;
    FUZZ_CHECK(vqemu_call_new(&call, NULL) == 0 &&
                   vqemu_call_set_number(call, VQEMU_CALL_DEADLINE_MS, PATIENCE, NULL) == 0,
               "no memory");
    return call;
}

static void execute(vqemu_monitor *monitor, const char *command, const char *arguments,
                    vqemu_call *call) {
    char *result = NULL;
    vqemu_error *error = NULL;
    int r = vqemu_monitor_execute(monitor, command, arguments, 0, call, &result, &error);
    FUZZ_CHECK(!result == (r < 0), "the result %d with a text, or 0 without", r);
    fuzz_check_result(r, &error);
    if (result)
        check_json(result);
}

static void take_events(vqemu_monitor *monitor, vqemu_call *call) {
    vqemu_error *error = NULL;
    int r = 0;
    for (int i = 0; r == 0 && i < EVENTS_MAX; i++) {
        char *event = NULL;
        r = vqemu_monitor_next_event(monitor, 0, call, &event, &error);
        FUZZ_CHECK(!event == (r < 0), "the result %d with an event, or 0 without", r);
        fuzz_check_result(r, &error);
        if (event)
            check_json(event);
    }
}

static void talk(int fd, vqemu_call *call) {
    vqemu_monitor *monitor = NULL;
    vqemu_error *error = NULL;
    int32_t end = 0;
    int r = vqemu_monitor_open_fd(fd, "input", 0, call, &monitor, &error);
    FUZZ_CHECK(!monitor == (r < 0), "the result %d with a monitor, or 0 without", r);
    if (fuzz_check_result(r, &error) < 0)
        return;
    execute(monitor, "query-status", NULL, call);
    execute(monitor, "device_del", "{\"id\": \"a\\nb\"}", call);
    take_events(monitor, call);
    r = vqemu_monitor_shut_down(monitor, PATIENCE, 0, call, &end, &error);
    fuzz_check_result(r, &error);
    FUZZ_CHECK(r < 0 || (end >= VQEMU_SHUTDOWN_POWERED_OFF && end <= VQEMU_SHUTDOWN_IDLE),
               "the end %d", end);
    vqemu_monitor_free(monitor);
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    int fds[2];
    vqemu_call *call = patience();
    size_t prefix = strlen(OPEN);
    bool stays_open = size >= prefix && memcmp(data, OPEN, prefix) == 0;
    double start = now();
    fuzz_begin(data, size);
    FUZZ_CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0, "no sockets");
    if (stays_open)
        data += prefix, size -= prefix;
    /* What does not fit into the socket's buffer is lost, as if QEMU had ended. */
    if (size > 0)
        send(fds[1], data, size, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (!stays_open)
        shutdown(fds[1], SHUT_WR);
    talk(fds[0], call);
    FUZZ_CHECK(now() - start < PATIENCE_MAX, "it took %.1f s", now() - start);
    close(fds[0]);
    close(fds[1]);
    vqemu_call_unref(call);
    return 0;
}
