/* SPDX-License-Identifier: MIT */
/* A monitor against peers that behave, flood, drip, lie, fall silent and hang up. */
#include <volt-qemu/monitor.h>

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/call.h"
#include "base/error.h"
#include "fixture.h"
#include "run.h"
#include "run/monitor.h"
#include "util/strbuf.h"

#define GREETING "{\"QMP\": {\"version\": {}, \"capabilities\": []}}\r\n"
#define OK "{\"return\": {}}\r\n"
#define RUNNING "{\"return\": {\"status\": \"running\"}}\r\n"
#define SHUTDOWN "{\"event\": \"SHUTDOWN\", \"data\": {\"guest\": true}}\r\n"
#define EVENT "{\"event\": \"RESET\", \"data\": {\"guest\": true}}\r\n"

/* ---- peers ---- */

struct fake {
    int fd;
    void (*serve)(int fd); /* until the other side hangs up */
    const char *answers;   /* or: each after a line that came in, NUL-terminated, "" at the end */
    bool stays;            /* connected after the last of them */
    pthread_t thread;
};

static bool say(int fd, const char *text) {
    return send(fd, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text);
}

/* A line; false at the end. */
static bool hear(int fd, char *line, size_t size) {
    size_t length = 0;
    char c;
    while (length + 1 < size && recv(fd, &c, 1, 0) == 1) {
        line[length++] = c;
        if (c == '\n') {
            line[length] = '\0';
            return true;
        }
    }
    return false;
}

static void wait_for_hangup(int fd) {
    char line[4096];
    while (recv(fd, line, sizeof line, 0) > 0)
        ;
}

static void *run_fake(void *userdata) {
    struct fake *fake = userdata;
    char line[4096];
    const char *next = fake->answers;
    if (fake->serve)
        fake->serve(fake->fd);
    for (bool first = true; next && *next; next += strlen(next) + 1, first = false)
        if ((!first && !hear(fake->fd, line, sizeof line)) || !say(fake->fd, next))
            break;
    if (fake->stays)
        wait_for_hangup(fake->fd);
    close(fake->fd);
    return NULL;
}

static int start_fake(struct fake *fake) {
    int fds[2];
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    fake->fd = fds[0];
    ck_assert_int_eq(pthread_create(&fake->thread, NULL, run_fake, fake), 0);
    return fds[1];
}

static void end_fake(struct fake *fake, vqemu_monitor *monitor) {
    vqemu_monitor_free(monitor);
    pthread_join(fake->thread, NULL);
}

static vqemu_call *call_of(uint64_t milliseconds) {
    vqemu_call *call = NULL;
    ck_assert_int_eq(vqemu_call_new(&call, NULL), 0);
    ck_assert_int_eq(vqemu_call_set_number(call, VQEMU_CALL_DEADLINE_MS, milliseconds, NULL), 0);
    return call;
}

static int open_fake(struct fake *fake, uint64_t milliseconds, vqemu_monitor **monitor,
                     vqemu_error **error) {
    _cleanup_call_ vqemu_call *call = call_of(milliseconds);
    int fd = start_fake(fake);
    int r = vqemu_monitor_open_fd(fd, "the fake", 0, call, monitor, error);
    close(fd); /* the monitor has a copy */
    return r;
}

static vqemu_monitor *opens(struct fake *fake) {
    _cleanup_error_ vqemu_error *error = NULL;
    vqemu_monitor *monitor = NULL;
    int r = open_fake(fake, 10000, &monitor, &error);
    ck_assert_msg(r == 0, "%s", vqemu_error_message(error));
    return monitor;
}

/* ---- one that behaves ---- */

/* Answers as QEMU does, with the id of the command. */
static void answer(int fd, const char *line, const char *key, const char *value) {
    _cleanup_json_ json_t *command = json_loads(line, 0, NULL);
    _cleanup_free_ char *text =
        format_string("{\"%s\": %s, \"id\": %d}\r\n", key, value,
                      (int)json_integer_value(json_object_get(command, "id")));
    say(fd, text);
}

/* As much as an answer can have, for class and text. */
static void answer_at_length(int fd, const char *line) {
    char words[100000];
    memset(words, 'x', sizeof words - 1);
    words[sizeof words - 1] = '\0';
    _cleanup_free_ char *refusal =
        format_string("{\"class\": \"%s\", \"desc\": \"%s\"}", words, words);
    answer(fd, line, "error", refusal);
}

static void serve_qemu(int fd) {
    char line[4096];
    say(fd, GREETING);
    while (hear(fd, line, sizeof line)) {
        if (strstr(line, "\"fail\""))
            answer(fd, line, "error", "{\"class\": \"DeviceNotFound\", \"desc\": \"none\"}");
        else if (strstr(line, "\"wordy\""))
            answer_at_length(fd, line);
        else if (strstr(line, "\"noisy\""))
            say(fd, EVENT), answer(fd, line, "return", "{}"), say(fd, SHUTDOWN);
        else if (strstr(line, "\"argued\""))
            answer(fd, line, "return",
                   strstr(line, "\"arguments\":{\"a\":[1,\"x\"]}") ? "true" : "0");
        else if (strstr(line, "\"late\""))
            usleep(300000), answer(fd, line, "return", "\"too late\"");
        else if (strstr(line, "query-status"))
            answer(fd, line, "return", "{\"status\": \"running\"}");
        else
            answer(fd, line, "return", "{}");
        if (strstr(line, "system_powerdown"))
            say(fd, SHUTDOWN);
        if (strstr(line, "\"quit\""))
            break;
    }
}

START_TEST(commands_are_executed) {
    struct fake fake = {.serve = serve_qemu};
    vqemu_monitor *monitor = opens(&fake);
    vqemu_error *error = NULL;
    char *result = NULL;
    ck_assert_int_eq(vqemu_monitor_execute(monitor, "query-status", NULL, 0, NULL, &result, &error),
                     0);
    ck_assert_str_eq(result, "{\"status\":\"running\"}");
    free(result);
    ck_assert_int_eq(
        vqemu_monitor_execute(monitor, "argued", "{\"a\": [1, \"x\"]}", 0, NULL, &result, &error),
        0);
    ck_assert_str_eq(result, "true");
    free(result);
    ck_assert_int_eq(vqemu_monitor_execute(monitor, "any", NULL, 0, NULL, NULL, &error), 0);
    ck_assert_int_eq(vqemu_monitor_execute(monitor, "fail", NULL, 0, NULL, &result, &error),
                     VQEMU_ERR_DENIED);
    ck_assert_ptr_null(result);
    ck_assert_str_eq(vqemu_error_reason(error), "qmp-error");
    ck_assert_str_eq(vqemu_error_detail(error, "class"), "DeviceNotFound");
    ck_assert_str_eq(vqemu_error_message(error), "QEMU at the fake refuses fail: none");
    ck_assert_int_eq(vqemu_monitor_execute(monitor, "wordy", NULL, 0, NULL, &result, &error),
                     VQEMU_ERR_DENIED);
    ck_assert_uint_lt(strlen(vqemu_error_message(error)), 1100);
    ck_assert_uint_lt(strlen(vqemu_error_detail(error, "class")), 1100);
    ck_assert_int_eq(vqemu_monitor_execute(monitor, "any", "[]", 0, NULL, NULL, &error),
                     VQEMU_ERR_MALFORMED);
    ck_assert_int_eq(vqemu_monitor_execute(monitor, "any", "{", 0, NULL, NULL, &error),
                     VQEMU_ERR_MALFORMED);
    ck_assert_int_eq(vqemu_monitor_execute(monitor, "", NULL, 0, NULL, NULL, &error),
                     VQEMU_ERR_INVALID);
    ck_assert_int_eq(vqemu_monitor_execute(monitor, "\xff", NULL, 0, NULL, NULL, &error),
                     VQEMU_ERR_INVALID);
    ck_assert_int_eq(vqemu_monitor_execute(monitor, "any", NULL, 0, NULL, NULL, &error), 0);
    ck_assert_ptr_null(error);
    end_fake(&fake, monitor);
}
END_TEST

START_TEST(a_late_answer_is_passed_over) {
    struct fake fake = {.serve = serve_qemu};
    vqemu_monitor *monitor = opens(&fake);
    _cleanup_error_ vqemu_error *error = NULL;
    _cleanup_call_ vqemu_call *call = call_of(50);
    char *result = NULL;
    ck_assert_int_eq(vqemu_monitor_execute(monitor, "late", NULL, 0, call, &result, &error),
                     VQEMU_ERR_TIMEOUT);
    ck_assert_str_eq(vqemu_error_reason(error), "deadline");
    ck_assert_ptr_null(strstr(vqemu_error_message(error), "another client"));
    ck_assert_int_eq(vqemu_monitor_execute(monitor, "query-status", NULL, 0, NULL, &result, &error),
                     0);
    ck_assert_str_eq(result, "{\"status\":\"running\"}");
    free(result);
    end_fake(&fake, monitor);
}
END_TEST

static void event_is(vqemu_monitor *monitor, vqemu_call *call, const char *beginning) {
    _cleanup_error_ vqemu_error *error = NULL;
    char *event = NULL;
    int r = vqemu_monitor_next_event(monitor, 0, call, &event, &error);
    ck_assert_msg(r == 0, "%s", vqemu_error_message(error));
    ck_assert_msg(strncmp(event, beginning, strlen(beginning)) == 0, "%s", event);
    free(event);
}

START_TEST(events_are_kept) {
    struct fake fake = {.serve = serve_qemu};
    vqemu_monitor *monitor = opens(&fake);
    _cleanup_error_ vqemu_error *error = NULL;
    _cleanup_call_ vqemu_call *call = call_of(100);
    char *event = (char *)monitor;
    ck_assert_int_eq(vqemu_monitor_execute(monitor, "noisy", NULL, 0, NULL, NULL, NULL), 0);
    ck_assert_int_eq(vqemu_monitor_execute(monitor, "any", NULL, 0, NULL, NULL, NULL), 0);
    event_is(monitor, call, "{\"event\":\"RESET\"");
    event_is(monitor, call, "{\"event\":\"SHUTDOWN\",\"data\":{\"guest\":true}}");
    ck_assert_int_eq(vqemu_monitor_next_event(monitor, 0, call, &event, &error), VQEMU_ERR_TIMEOUT);
    ck_assert_ptr_null(event);
    ck_assert_str_eq(vqemu_error_reason(error), "deadline");
    /* The time is over, and what has come in is there all the same. */
    ck_assert(say(vqemu_monitor_fd(monitor), "{\"execute\": \"noisy\"}\r\n"));
    usleep(200000);
    event_is(monitor, call, "{\"event\":\"RESET\"");
    end_fake(&fake, monitor);
}
END_TEST

START_TEST(an_event_is_taken_without_a_wait) {
    struct fake fake = {.serve = serve_qemu};
    vqemu_monitor *monitor = opens(&fake);
    _cleanup_error_ vqemu_error *error = NULL;
    char *event = NULL;
    int64_t start = call_now();
    ck_assert_int_eq(vqemu_monitor_next_event(monitor, VQEMU_EVENT_NOWAIT, NULL, &event, &error),
                     VQEMU_ERR_TIMEOUT);
    ck_assert_str_eq(vqemu_error_reason(error), "no-event");
    ck_assert_int_lt(call_now() - start, 5000); /* without a call it would be 30 seconds */
    ck_assert(say(vqemu_monitor_fd(monitor), "{\"execute\": \"noisy\"}\r\n"));
    usleep(200000);
    ck_assert_int_eq(vqemu_monitor_next_event(monitor, VQEMU_EVENT_NOWAIT, NULL, &event, NULL), 0);
    ck_assert_ptr_nonnull(strstr(event, "RESET"));
    free(event);
    end_fake(&fake, monitor);
}
END_TEST

static void serve_many_events(int fd) {
    char line[4096];
    say(fd, GREETING);
    for (bool first = true; hear(fd, line, sizeof line); first = false) {
        for (int i = 0; !first && i < 1200; i++) {
            _cleanup_free_ char *event = format_string("{\"event\": \"E%d\"}\r\n", i);
            say(fd, event);
        }
        answer(fd, line, "return", "{}");
    }
}

START_TEST(the_oldest_events_are_dropped_and_it_is_said) {
    struct fake fake = {.serve = serve_many_events};
    vqemu_monitor *monitor = opens(&fake);
    ck_assert_int_eq(vqemu_monitor_execute(monitor, "any", NULL, 0, NULL, NULL, NULL), 0);
    event_is(monitor, NULL, "{\"event\":\"E200\",\"lost\":200}");
    event_is(monitor, NULL, "{\"event\":\"E201\"}");
    end_fake(&fake, monitor);
}
END_TEST

/* ---- those that do not ---- */

static void serve_floods_of_events(int fd) {
    char line[4096];
    say(fd, GREETING);
    hear(fd, line, sizeof line);
    say(fd, OK);
    while (say(fd, EVENT))
        ;
}

static void serve_an_endless_line(int fd) {
    char line[4096];
    say(fd, GREETING);
    hear(fd, line, sizeof line);
    say(fd, OK "{\"event\": \"");
    while (say(fd, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"))
        ;
}

static void serve_drips(int fd) {
    char line[4096];
    say(fd, GREETING);
    hear(fd, line, sizeof line);
    say(fd, OK);
    while (say(fd, "x"))
        usleep(5000);
}

static void serve_lies(int fd) {
    char line[4096];
    say(fd, GREETING);
    hear(fd, line, sizeof line);
    say(fd, OK);
    while (say(fd, "{\"return\": {}, \"id\": 77}\r\n{\"return\": {}, \"id\": \"2\"}\r\n"))
        usleep(1000);
}

static void serve_silence_after_the_greeting(int fd) {
    char line[4096];
    say(fd, GREETING);
    hear(fd, line, sizeof line);
    say(fd, OK);
    wait_for_hangup(fd);
}

static void (*const bad[])(int) = {serve_floods_of_events, serve_an_endless_line, serve_drips,
                                   serve_lies, serve_silence_after_the_greeting};

START_TEST(no_peer_makes_a_command_last_longer) {
    struct fake fake = {.serve = bad[_i]};
    vqemu_monitor *monitor = opens(&fake);
    _cleanup_error_ vqemu_error *error = NULL;
    _cleanup_call_ vqemu_call *call = call_of(300);
    int64_t started = call_now();
    int r = vqemu_monitor_execute(monitor, "any", NULL, 0, call, NULL, &error);
    ck_assert_msg(r == VQEMU_ERR_TIMEOUT || r == VQEMU_ERR_MALFORMED, "%s",
                  vqemu_error_message(error));
    ck_assert_int_lt(call_now() - started, 1500);
    end_fake(&fake, monitor);
}
END_TEST

START_TEST(no_peer_makes_a_shutdown_last_longer) {
    struct fake fake = {.serve = bad[_i]};
    vqemu_monitor *monitor = opens(&fake);
    _cleanup_error_ vqemu_error *error = NULL;
    _cleanup_call_ vqemu_call *call = call_of(400);
    int32_t end = 7;
    int64_t started = call_now();
    int r = vqemu_monitor_shut_down(monitor, 60000, 0, call, &end, &error);
    ck_assert_msg(r == VQEMU_ERR_TIMEOUT || r == VQEMU_ERR_MALFORMED, "%s",
                  vqemu_error_message(error));
    ck_assert_int_eq(end, 0);
    ck_assert_int_lt(call_now() - started, 2000);
    end_fake(&fake, monitor);
}
END_TEST

/* Its time is not over, but the number of messages. */
START_TEST(a_flood_is_an_error) {
    struct fake fake = {.serve = serve_floods_of_events};
    vqemu_monitor *monitor = opens(&fake);
    _cleanup_call_ vqemu_call *call = call_of(600000);
    _cleanup_error_ vqemu_error *error = NULL;
    ck_assert_int_eq(vqemu_monitor_execute(monitor, "any", NULL, 0, call, NULL, &error),
                     VQEMU_ERR_MALFORMED);
    ck_assert_str_eq(vqemu_error_reason(error), "flood");
    end_fake(&fake, monitor);
}
END_TEST

START_TEST(what_is_no_qemu_is_told) {
    static const struct {
        const char *answers, *message;
        int code;
    } cases[] = {
        {"220 ready\r\n\0", "the fake:1", VQEMU_ERR_MALFORMED},
        {"{}\r\n\0", "is no QEMU", VQEMU_ERR_MALFORMED},
        {"\"QMP\"\r\n\0", "the fake:1", VQEMU_ERR_MALFORMED},
        {"{\xff}\r\n\0", "the fake:1", VQEMU_ERR_MALFORMED},
        {"{\"QMP\": [[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]}\r\n\0", "nested deeper",
         VQEMU_ERR_MALFORMED},
        {GREETING "\0{\"error\": {\"desc\": \"no way\"}}\r\n\0", "refuses qmp_capabilities: no way",
         VQEMU_ERR_DENIED},
        {"{\"QMP\0", "does not answer", VQEMU_ERR_TIMEOUT},
    };
    struct fake fake = {.answers = cases[_i].answers, .stays = true};
    _cleanup_error_ vqemu_error *error = NULL;
    vqemu_monitor *monitor = (vqemu_monitor *)&fake;
    uint64_t time = cases[_i].code == VQEMU_ERR_TIMEOUT ? 200 : 10000;
    ck_assert_int_eq(open_fake(&fake, time, &monitor, &error), cases[_i].code);
    ck_assert_ptr_null(monitor);
    ck_assert_msg(strstr(vqemu_error_message(error), cases[_i].message), "%s",
                  vqemu_error_message(error));
    end_fake(&fake, NULL);
}
END_TEST

static void serve_a_nul(int fd) {
    ck_assert_int_eq(send(fd, "\0\r\n", 3, MSG_NOSIGNAL), 3);
    wait_for_hangup(fd);
}

START_TEST(a_nul_byte_is_no_qemu) {
    struct fake fake = {.serve = serve_a_nul};
    vqemu_monitor *monitor = NULL;
    ck_assert_int_eq(open_fake(&fake, 5000, &monitor, NULL), VQEMU_ERR_MALFORMED);
    end_fake(&fake, NULL);
}
END_TEST

/* By default, SIGPIPE would end this test. */
START_TEST(an_end_at_any_time_is_told) {
    struct fake fake = {.answers = GREETING "\0" OK "\0"};
    vqemu_monitor *monitor = opens(&fake);
    vqemu_error *error = NULL;
    char *event = NULL;
    pthread_join(fake.thread, NULL);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(vqemu_monitor_execute(monitor, "any", NULL, 0, NULL, NULL, &error),
                         VQEMU_ERR_NOT_RUNNING);
        ck_assert_str_eq(vqemu_error_reason(error), "ended");
    }
    ck_assert_int_eq(vqemu_monitor_next_event(monitor, 0, NULL, &event, &error),
                     VQEMU_ERR_NOT_RUNNING);
    vqemu_error_free(error);
    vqemu_monitor_free(monitor);
}
END_TEST

START_TEST(an_event_before_the_end_is_handed_out) {
    struct fake fake = {.answers = GREETING "\0" OK SHUTDOWN "\0"};
    vqemu_monitor *monitor = opens(&fake);
    char *event = NULL;
    pthread_join(fake.thread, NULL);
    event_is(monitor, NULL, "{\"event\":\"SHUTDOWN\"");
    ck_assert_int_eq(vqemu_monitor_next_event(monitor, 0, NULL, &event, NULL),
                     VQEMU_ERR_NOT_RUNNING);
    vqemu_monitor_free(monitor);
}
END_TEST

static void *cancel_soon(void *call) {
    usleep(100000);
    vqemu_call_cancel(call);
    return NULL;
}

START_TEST(a_wait_can_be_cancelled) {
    struct fake fake = {.serve = serve_silence_after_the_greeting};
    vqemu_monitor *monitor = opens(&fake);
    _cleanup_call_ vqemu_call *call = NULL;
    _cleanup_error_ vqemu_error *error = NULL;
    char *event = NULL;
    int32_t end;
    pthread_t thread;
    ck_assert_int_eq(vqemu_call_new(&call, NULL), 0);
    ck_assert_int_eq(pthread_create(&thread, NULL, cancel_soon, call), 0);
    int64_t started = call_now();
    ck_assert_int_eq(vqemu_monitor_next_event(monitor, 0, call, &event, &error),
                     VQEMU_ERR_CANCELLED);
    ck_assert_int_lt(call_now() - started, 1000);
    pthread_join(thread, NULL);
    ck_assert_int_eq(vqemu_monitor_shut_down(monitor, 1000, 0, call, &end, &error),
                     VQEMU_ERR_CANCELLED);
    end_fake(&fake, monitor);
}
END_TEST

/* ---- the end of a VM ---- */

static void ends_as(struct fake *fake, uint32_t timeout, int32_t expected) {
    vqemu_monitor *monitor = opens(fake);
    _cleanup_error_ vqemu_error *error = NULL;
    int32_t end = 0;
    int r = vqemu_monitor_shut_down(monitor, timeout, 0, NULL, &end, &error);
    ck_assert_msg(r == 0, "%s", vqemu_error_message(error));
    ck_assert_int_eq(end, expected);
    end_fake(fake, monitor);
}

START_TEST(it_is_told_how_a_vm_ended) {
    static const struct {
        const char *answers;
        uint32_t timeout;
        int32_t end;
    } cases[] = {
        {RUNNING "\0" OK SHUTDOWN "\0" OK "\0", 5000, VQEMU_SHUTDOWN_POWERED_OFF},
        {RUNNING "\0" OK SHUTDOWN "\0", 5000, VQEMU_SHUTDOWN_POWERED_OFF},
        {RUNNING "\0" OK EVENT "\0" OK "\0", 100, VQEMU_SHUTDOWN_FORCED},
        {OK "\0", 0, VQEMU_SHUTDOWN_FORCED},
        {"{\"return\": {\"status\": \"paused\"}}\r\n\0" OK "\0", 5000, VQEMU_SHUTDOWN_IDLE},
        {"{\"return\": {\"status\": 7}}\r\n\0" OK "\0", 5000, VQEMU_SHUTDOWN_IDLE},
        {"{\"return\": {\"status\": \"suspended\"}}\r\n\0" OK "\0" OK SHUTDOWN "\0" OK "\0", 5000,
         VQEMU_SHUTDOWN_POWERED_OFF},
        {"\0", 5000, VQEMU_SHUTDOWN_GONE},
        {"\0", 0, VQEMU_SHUTDOWN_GONE}, /* it had ended before it could be told */
        {RUNNING "\0", 5000, VQEMU_SHUTDOWN_GONE},
        {RUNNING "\0" OK "\0", 5000, VQEMU_SHUTDOWN_GONE},
        {RUNNING "\0" OK "{\"event\": \"SHUTDOWN\", \"data\": {\"guest\": false}}\r\n\0" OK "\0",
         5000, VQEMU_SHUTDOWN_GONE},
    };
    char answers[1024], *end = answers;
    static const char *const first[] = {GREETING, OK};
    for (size_t i = 0; i < 2; i++)
        end = stpcpy(end, first[i]) + 1;
    for (const char *next = cases[_i].answers; *next; next += strlen(next) + 1)
        end = stpcpy(end, next) + 1;
    *end = '\0';
    ends_as(&(struct fake){.answers = answers}, cases[_i].timeout, cases[_i].end);
}
END_TEST

START_TEST(a_guest_that_behaves_is_powered_off) {
    ends_as(&(struct fake){.serve = serve_qemu}, 5000, VQEMU_SHUTDOWN_POWERED_OFF);
}
END_TEST

/* ---- processes ---- */

enum { HANG_UP_AND_LIVE, HANG_UP_AND_END_LATER, END };

static _Noreturn void be_qemu(int listener, int what) {
    char line[4096];
    int fd = accept(listener, NULL, NULL);
    close(listener);
    say(fd, GREETING);
    hear(fd, line, sizeof line);
    say(fd, OK);
    hear(fd, line, sizeof line); /* the command that it never answers */
    if (what == END)
        _exit(0);
    close(fd);
    if (what == HANG_UP_AND_END_LATER)
        usleep(400000);
    else
        pause();
    _exit(0);
}

/* Does not return if it cannot. */
static int listen_at(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    strcpy(address.sun_path, path);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0 || listen(listener, 1) < 0)
        _exit(1);
    return listener;
}

/* A monitor of a process that listens by itself. */
static vqemu_monitor *open_process(int what, pid_t *pid) {
    _cleanup_free_ char *path = scratch_path("qmp.sock");
    _cleanup_error_ vqemu_error *error = NULL;
    vqemu_monitor *monitor = NULL;
    int ready[2];
    char byte;
    ck_assert_int_eq(pipe(ready), 0);
    *pid = fork();
    ck_assert_int_ge(*pid, 0);
    if (*pid == 0) {
        int listener = listen_at(path);
        if (write(ready[1], "", 1) != 1)
            _exit(1);
        be_qemu(listener, what);
    }
    ck_assert_int_eq(read(ready[0], &byte, 1), 1);
    int r = vqemu_monitor_open(path, 0, NULL, &monitor, &error);
    ck_assert_msg(r == 0, "%s", vqemu_error_message(error));
    ck_assert_int_eq(vqemu_monitor_pid(monitor), *pid);
    return monitor;
}

static void end_process(vqemu_monitor *monitor, pid_t pid) {
    vqemu_monitor_free(monitor);
    kill(pid, SIGKILL);
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}

/* A child that has locked this file when it is returned. */
static pid_t fork_locking(const char *pid_file) {
    int ready[2];
    char byte;
    ck_assert_int_eq(pipe(ready), 0);
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
        int fd = open(pid_file, O_RDWR | O_CREAT, 0600);
        if (fcntl(fd, F_SETLK, &lock) < 0 || write(ready[1], "", 1) != 1)
            _exit(1);
        return 0;
    }
    close(ready[1]);
    ck_assert_int_eq(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    return pid;
}

/* QEMU locks its PID file some time before it makes its sockets. */
START_TEST(a_qemu_that_begins_is_waited_for) {
    _cleanup_free_ char *path = scratch_path("qmp.sock"), *pid_file = scratch_path("qemu.pid");
    _cleanup_error_ vqemu_error *error = NULL;
    _cleanup_call_ vqemu_call *call = call_of(100);
    vqemu_monitor *monitor = NULL;
    pid_t pid = fork_locking(pid_file);
    if (pid == 0) {
        usleep(1500000);
        be_qemu(listen_at(path), END);
    }
    ck_assert_int_eq(vqemu_monitor_open(path, 0, call, &monitor, &error), VQEMU_ERR_TIMEOUT);
    int r = vqemu_monitor_open(path, 0, NULL, &monitor, &error);
    ck_assert_msg(r == 0, "%s", vqemu_error_message(error));
    end_process(monitor, pid);
}
END_TEST

/* A link is not opened, so that the lock behind it is not known. */
START_TEST(what_cannot_be_told_is_not_taken_for_no) {
    _cleanup_free_ char *path = scratch_path("qmp.sock"), *pid_file = scratch_path("qemu.pid");
    _cleanup_error_ vqemu_error *error = NULL;
    vqemu_monitor *monitor = NULL;
    ck_assert_int_eq(symlink("other.pid", pid_file), 0);
    ck_assert_int_eq(vqemu_monitor_open(path, 0, NULL, &monitor, &error), VQEMU_ERR_SYSTEM);
    ck_assert_ptr_nonnull(strstr(vqemu_error_message(error), "cannot be told"));
    ck_assert_ptr_nonnull(strstr(vqemu_error_message(error), pid_file));
}
END_TEST

/* With nothing to be seen of it before. */
START_TEST(a_qemu_that_was_started_is_waited_for) {
    _cleanup_free_ char *path = scratch_path("qmp.sock");
    _cleanup_error_ vqemu_error *error = NULL;
    vqemu_monitor *monitor = NULL;
    ck_assert_int_eq(vqemu_monitor_open(path, 0, NULL, &monitor, &error), VQEMU_ERR_NOT_RUNNING);
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        usleep(700000);
        be_qemu(listen_at(path), END);
    }
    int r = vqemu_monitor_open(path, VQEMU_MONITOR_WAIT, NULL, &monitor, &error);
    ck_assert_msg(r == 0, "%s", vqemu_error_message(error));
    end_process(monitor, pid);
}
END_TEST

START_TEST(a_qemu_that_has_begun_and_ended_is_not_waited_for) {
    _cleanup_free_ char *path = scratch_path("qmp.sock"), *pid_file = scratch_path("qemu.pid");
    _cleanup_error_ vqemu_error *error = NULL;
    vqemu_monitor *monitor = NULL;
    int64_t started = call_now();
    pid_t pid = fork_locking(pid_file);
    if (pid == 0) {
        usleep(2000000);
        _exit(0);
    }
    int r = vqemu_monitor_open(path, VQEMU_MONITOR_WAIT, NULL, &monitor, &error);
    ck_assert_int_eq(r, VQEMU_ERR_NOT_RUNNING);
    ck_assert_str_eq(vqemu_error_reason(error), "not-running");
    ck_assert_int_lt(call_now() - started, 25000);
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}
END_TEST

START_TEST(who_waits_for_a_qemu_does_not_wait_for_ever) {
    _cleanup_free_ char *path = scratch_path("qmp.sock"), *file = scratch_path("file");
    _cleanup_error_ vqemu_error *error = NULL;
    _cleanup_call_ vqemu_call *call = call_of(300), *endless = call_of(0);
    vqemu_monitor *monitor = NULL;
    pthread_t thread;
    ck_assert_int_eq(vqemu_monitor_open(path, VQEMU_MONITOR_WAIT, call, &monitor, &error),
                     VQEMU_ERR_TIMEOUT);
    ck_assert_str_eq(vqemu_error_reason(error), "deadline");
    ck_assert_str_eq(vqemu_error_detail(error, "path"), path);
    ck_assert_ptr_nonnull(strstr(vqemu_error_message(error), "no QEMU has begun to listen"));
    ck_assert_int_eq(pthread_create(&thread, NULL, cancel_soon, endless), 0);
    ck_assert_int_eq(vqemu_monitor_open(path, VQEMU_MONITOR_WAIT, endless, &monitor, &error),
                     VQEMU_ERR_CANCELLED);
    pthread_join(thread, NULL);
    int fd = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    ck_assert_int_ge(fd, 0);
    close(fd);
    ck_assert_int_eq(vqemu_monitor_open(file, VQEMU_MONITOR_WAIT, NULL, &monitor, &error),
                     VQEMU_ERR_INVALID);
    ck_assert_str_eq(vqemu_error_reason(error), "not-a-socket");
    ck_assert_ptr_null(monitor);
}
END_TEST

START_TEST(who_merely_hangs_up_has_not_ended) {
    pid_t pid;
    vqemu_monitor *monitor = open_process(HANG_UP_AND_LIVE, &pid);
    _cleanup_error_ vqemu_error *error = NULL;
    _cleanup_call_ vqemu_call *call = call_of(300);
    int32_t end = 0;
    ck_assert_int_eq(vqemu_monitor_execute(monitor, "any", NULL, 0, NULL, NULL, &error),
                     VQEMU_ERR_SYSTEM);
    ck_assert_str_eq(vqemu_error_reason(error), "hung-up");
    ck_assert_int_eq(vqemu_monitor_shut_down(monitor, 1000, 0, call, &end, &error),
                     VQEMU_ERR_TIMEOUT);
    ck_assert_int_eq(end, 0);
    end_process(monitor, pid);
}
END_TEST

START_TEST(a_shutdown_waits_for_the_process) {
    pid_t pid;
    vqemu_monitor *monitor = open_process(HANG_UP_AND_END_LATER, &pid);
    int32_t end = 0;
    int64_t started = call_now();
    ck_assert_int_eq(vqemu_monitor_shut_down(monitor, 5000, 0, NULL, &end, NULL), 0);
    ck_assert_int_ge(call_now() - started, 300);
    ck_assert_int_eq(end, VQEMU_SHUTDOWN_GONE);
    ck_assert_int_eq(waitpid(pid, NULL, WNOHANG), pid); /* it has ended */
    vqemu_monitor_free(monitor);
}
END_TEST

/* Where Linux has no pidfd. */
START_TEST(the_end_is_seen_without_a_pidfd) {
    pid_t pid;
    vqemu_monitor *monitor = open_process(HANG_UP_AND_END_LATER, &pid);
    int32_t end = 0;
    peer_close(&monitor->qmp.peer);
    ck_assert_int_eq(vqemu_monitor_shut_down(monitor, 5000, 0, NULL, &end, NULL), 0);
    ck_assert_int_eq(end, VQEMU_SHUTDOWN_GONE);
    ck_assert_int_eq(waitpid(pid, NULL, WNOHANG), pid);
    vqemu_monitor_free(monitor);
}
END_TEST

START_TEST(the_end_of_a_process_is_told) {
    pid_t pid;
    vqemu_monitor *monitor = open_process(END, &pid);
    _cleanup_error_ vqemu_error *error = NULL;
    ck_assert_int_eq(vqemu_monitor_execute(monitor, "any", NULL, 0, NULL, NULL, &error),
                     VQEMU_ERR_NOT_RUNNING);
    end_process(monitor, pid);
}
END_TEST

/* Takes events until there is another error than that there is none now; how often there was none
 * after the connection was closed. */
static int take_events_until(vqemu_monitor *monitor, int code, const char *reason) {
    for (int times = 0;; times++) {
        _cleanup_error_ vqemu_error *error = NULL;
        _cleanup_free_ char *event = NULL;
        struct pollfd poller = {.fd = vqemu_monitor_fd(monitor), .events = POLLIN};
        ck_assert_int_eq(poll(&poller, 1, 5000), 1);
        int r = vqemu_monitor_next_event(monitor, VQEMU_EVENT_NOWAIT, NULL, &event, &error);
        if (r == VQEMU_ERR_TIMEOUT) {
            ck_assert_str_eq(vqemu_error_reason(error), "no-event");
            usleep(10000);
            continue;
        }
        ck_assert_msg(r == code, "%s", vqemu_error_message(error));
        ck_assert_str_eq(vqemu_error_reason(error), reason);
        return times;
    }
}

START_TEST(who_does_not_wait_is_told_of_the_end) {
    pid_t pid;
    vqemu_monitor *monitor = open_process(HANG_UP_AND_END_LATER, &pid);
    ck_assert(say(vqemu_monitor_fd(monitor), "{\"execute\": \"any\"}\r\n"));
    ck_assert_int_ge(take_events_until(monitor, VQEMU_ERR_NOT_RUNNING, "ended"), 1);
    end_process(monitor, pid);
}
END_TEST

START_TEST(who_does_not_wait_is_not_told_too_early_that_it_goes_on) {
    pid_t pid;
    vqemu_monitor *monitor = open_process(HANG_UP_AND_LIVE, &pid);
    ck_assert(say(vqemu_monitor_fd(monitor), "{\"execute\": \"any\"}\r\n"));
    ck_assert_int_ge(take_events_until(monitor, VQEMU_ERR_SYSTEM, "hung-up"), 1);
    end_process(monitor, pid);
}
END_TEST

START_TEST(in_too_short_a_time_it_is_not_told_whether_it_goes_on) {
    pid_t pid;
    vqemu_monitor *monitor = open_process(HANG_UP_AND_LIVE, &pid);
    _cleanup_error_ vqemu_error *error = NULL;
    _cleanup_call_ vqemu_call *call = call_of(200);
    ck_assert_int_eq(vqemu_monitor_execute(monitor, "any", NULL, 0, call, NULL, &error),
                     VQEMU_ERR_TIMEOUT);
    ck_assert_str_eq(vqemu_error_reason(error), "deadline");
    vqemu_call_cancel(call);
    ck_assert_int_eq(vqemu_monitor_execute(monitor, "any", NULL, 0, call, NULL, &error),
                     VQEMU_ERR_CANCELLED);
    end_process(monitor, pid);
}
END_TEST

START_TEST(a_child_cannot_use_it) {
    struct fake fake = {.serve = serve_qemu};
    vqemu_monitor *monitor = opens(&fake);
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        vqemu_error *error = NULL;
        char *event = NULL;
        int32_t end;
        bool good =
            vqemu_monitor_execute(monitor, "any", NULL, 0, NULL, NULL, &error) == VQEMU_ERR_USAGE &&
            strcmp(vqemu_error_reason(error), "forked") == 0 &&
            vqemu_monitor_next_event(monitor, 0, NULL, &event, &error) == VQEMU_ERR_USAGE &&
            vqemu_monitor_shut_down(monitor, 0, 0, NULL, &end, &error) == VQEMU_ERR_USAGE;
        vqemu_error_free(error);
        vqemu_monitor_free(monitor);
        _exit(good ? 0 : 1);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    ck_assert_int_eq(vqemu_monitor_execute(monitor, "any", NULL, 0, NULL, NULL, NULL), 0);
    end_fake(&fake, monitor);
}
END_TEST

/* ---- arguments and descriptors ---- */

START_TEST(arguments_are_checked) {
    _cleanup_error_ vqemu_error *error = NULL;
    _cleanup_free_ char *path = scratch_path("absent");
    vqemu_monitor *monitor = NULL;
    char long_path[120], *event = NULL;
    int32_t end;
    memset(long_path, 'x', sizeof long_path - 1);
    long_path[sizeof long_path - 1] = '\0';
    ck_assert_int_eq(vqemu_monitor_open(path, 0, NULL, &monitor, &error), VQEMU_ERR_NOT_RUNNING);
    ck_assert_str_eq(vqemu_error_reason(error), "not-running");
    ck_assert_str_eq(vqemu_error_detail(error, "path"), path);
    ck_assert_int_eq(vqemu_monitor_open("", 0, NULL, &monitor, &error), VQEMU_ERR_INVALID);
    ck_assert_int_eq(vqemu_monitor_open(long_path, 0, NULL, &monitor, &error), VQEMU_ERR_INVALID);
    ck_assert_int_eq(vqemu_monitor_open(path, 2, NULL, &monitor, &error), VQEMU_ERR_USAGE);
    ck_assert_int_eq(vqemu_monitor_open(NULL, 0, NULL, &monitor, &error), VQEMU_ERR_USAGE);
    ck_assert_int_eq(vqemu_monitor_open(path, 0, NULL, NULL, &error), VQEMU_ERR_USAGE);
    ck_assert_int_eq(vqemu_monitor_open_fd(-1, "x", 0, NULL, &monitor, &error), VQEMU_ERR_USAGE);
    ck_assert_int_eq(vqemu_monitor_open_fd(scratch_fd, "x", 0, NULL, &monitor, &error),
                     VQEMU_ERR_INVALID);
    ck_assert_int_eq(vqemu_monitor_open_fd(scratch_fd, NULL, 0, NULL, &monitor, &error),
                     VQEMU_ERR_INVALID);
    ck_assert_ptr_nonnull(strstr(vqemu_error_message(error), "descriptor "));
    ck_assert_ptr_null(monitor);
    ck_assert_int_eq(vqemu_monitor_execute(NULL, "x", NULL, 0, NULL, NULL, &error),
                     VQEMU_ERR_USAGE);
    ck_assert_int_eq(vqemu_monitor_next_event(NULL, 0, NULL, &event, &error), VQEMU_ERR_USAGE);
    ck_assert_int_eq(vqemu_monitor_shut_down(NULL, 0, 0, NULL, &end, &error), VQEMU_ERR_USAGE);
    ck_assert_int_eq(vqemu_monitor_fd(NULL), -1);
    ck_assert_int_eq(vqemu_monitor_pid(NULL), 0);
    vqemu_monitor_free(NULL);
    struct fake fake = {.serve = serve_qemu};
    monitor = opens(&fake);
    ck_assert_int_eq(vqemu_monitor_shut_down(monitor, 0, 1, NULL, &end, &error), VQEMU_ERR_USAGE);
    ck_assert_int_eq(vqemu_monitor_shut_down(monitor, 0, 0, NULL, NULL, &error), VQEMU_ERR_USAGE);
    ck_assert_int_eq(vqemu_monitor_shut_down(monitor, (uint32_t)-1, 0, NULL, &end, &error),
                     VQEMU_ERR_INVALID);
    ck_assert_str_eq(vqemu_error_reason(error), "out-of-range");
    ck_assert_str_eq(vqemu_error_detail(error, "key"), "timeout_ms");
    ck_assert_int_eq(vqemu_monitor_execute(monitor, NULL, NULL, 0, NULL, NULL, &error),
                     VQEMU_ERR_USAGE);
    ck_assert_int_eq(vqemu_monitor_next_event(monitor, 0, NULL, NULL, &error), VQEMU_ERR_USAGE);
    ck_assert_int_eq(vqemu_monitor_pid(monitor), 0); /* the pair was made here */
    end_fake(&fake, monitor);
}
END_TEST

/* It is nobody else's fault then. */
START_TEST(a_call_whose_time_is_over_says_so) {
    _cleanup_error_ vqemu_error *error = NULL;
    _cleanup_free_ char *path = scratch_path("absent");
    vqemu_call *late = NULL;
    vqemu_monitor *monitor = NULL, *none = NULL;
    struct fake fake = {.serve = serve_qemu};
    monitor = opens(&fake);
    ck_assert_int_eq(vqemu_call_new(&late, NULL), 0);
    ck_assert_int_eq(vqemu_call_set_number(late, VQEMU_CALL_DEADLINE_MS, 1, NULL), 0);
    usleep(2000);
    ck_assert_int_eq(vqemu_monitor_execute(monitor, "any", NULL, 0, late, NULL, &error),
                     VQEMU_ERR_TIMEOUT);
    ck_assert_str_eq(vqemu_error_reason(error), "deadline");
    int32_t end;
    ck_assert_int_eq(vqemu_monitor_shut_down(monitor, 1000, 0, late, &end, &error),
                     VQEMU_ERR_TIMEOUT);
    ck_assert_str_eq(vqemu_error_reason(error), "deadline");
    ck_assert_int_eq(vqemu_monitor_open(path, 0, late, &none, &error), VQEMU_ERR_TIMEOUT);
    ck_assert_str_eq(vqemu_error_reason(error), "deadline");
    ck_assert_int_eq(vqemu_monitor_open_fd(vqemu_monitor_fd(monitor), NULL, 0, late, &none, &error),
                     VQEMU_ERR_TIMEOUT);
    ck_assert_str_eq(vqemu_error_reason(error), "deadline");
    ck_assert_ptr_null(none);
    vqemu_call_unref(late);
    ck_assert_int_eq(vqemu_monitor_execute(monitor, "any", NULL, 0, NULL, NULL, NULL), 0);
    end_fake(&fake, monitor);
}
END_TEST

START_TEST(descriptors_are_above_standard_error) {
    pid_t pid;
    int saved[3];
    for (int fd = 0; fd < 3; fd++) {
        saved[fd] = fcntl(fd, F_DUPFD_CLOEXEC, 10);
        close(fd);
    }
    vqemu_monitor *monitor = open_process(END, &pid);
    int fd = vqemu_monitor_fd(monitor), pidfd = monitor->qmp.peer.fd;
    for (int i = 0; i < 3; i++)
        dup2(saved[i], i);
    ck_assert_int_gt(fd, 2);
    ck_assert(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    ck_assert(pidfd < 0 || (pidfd > 2 && fcntl(pidfd, F_GETFD) & FD_CLOEXEC));
    end_process(monitor, pid);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("monitor");
    TCase *tests = tcase_create("monitor");
    tcase_set_timeout(tests, 30);
    tcase_add_checked_fixture(tests, make_scratch, remove_scratch);
    tcase_add_test(tests, commands_are_executed);
    tcase_add_test(tests, a_late_answer_is_passed_over);
    tcase_add_test(tests, events_are_kept);
    tcase_add_test(tests, an_event_is_taken_without_a_wait);
    tcase_add_test(tests, the_oldest_events_are_dropped_and_it_is_said);
    tcase_add_loop_test(tests, no_peer_makes_a_command_last_longer, 0, 5);
    tcase_add_loop_test(tests, no_peer_makes_a_shutdown_last_longer, 0, 5);
    tcase_add_test(tests, a_flood_is_an_error);
    tcase_add_loop_test(tests, what_is_no_qemu_is_told, 0, 7);
    tcase_add_test(tests, a_nul_byte_is_no_qemu);
    tcase_add_test(tests, an_end_at_any_time_is_told);
    tcase_add_test(tests, an_event_before_the_end_is_handed_out);
    tcase_add_test(tests, a_wait_can_be_cancelled);
    tcase_add_loop_test(tests, it_is_told_how_a_vm_ended, 0, 11);
    tcase_add_test(tests, a_guest_that_behaves_is_powered_off);
    tcase_add_test(tests, a_qemu_that_begins_is_waited_for);
    tcase_add_test(tests, what_cannot_be_told_is_not_taken_for_no);
    tcase_add_test(tests, a_qemu_that_was_started_is_waited_for);
    tcase_add_test(tests, a_qemu_that_has_begun_and_ended_is_not_waited_for);
    tcase_add_test(tests, who_waits_for_a_qemu_does_not_wait_for_ever);
    tcase_add_test(tests, who_merely_hangs_up_has_not_ended);
    tcase_add_test(tests, a_shutdown_waits_for_the_process);
    tcase_add_test(tests, the_end_is_seen_without_a_pidfd);
    tcase_add_test(tests, the_end_of_a_process_is_told);
    tcase_add_test(tests, who_does_not_wait_is_told_of_the_end);
    tcase_add_test(tests, who_does_not_wait_is_not_told_too_early_that_it_goes_on);
    tcase_add_test(tests, in_too_short_a_time_it_is_not_told_whether_it_goes_on);
    tcase_add_test(tests, a_child_cannot_use_it);
    tcase_add_test(tests, arguments_are_checked);
    tcase_add_test(tests, a_call_whose_time_is_over_says_so);
    tcase_add_test(tests, descriptors_are_above_standard_error);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
