/* SPDX-License-Identifier: MIT */
#include "qemu/ask.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/call.h"
#include "base/error.h"

/* QEMU ends itself over some questions, such as those about a device whose module is missing. */
#define ENDS_MAX 64

#define RUN_INTERVAL 50 /* ms in which a cancelled call is noticed */

/*
 * Ways to start it, the best first. Not every QEMU has TCG; one that has KVM alone may be asked
 * where there is none, and runs no guest then. Nor can each filter its own system calls.
 */
static const struct way {
    const char *accel;
    bool is_sandboxed;
} ways[] = {{"tcg", true},  {"kvm", true},  {"qtest", true},
            {"tcg", false}, {"kvm", false}, {"qtest", false}};

#define SANDBOX "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"

const char *asked_accel(const struct asked *asked) {
    return ways[asked->way].accel;
}

bool asked_is_sandboxed(const struct asked *asked) {
    return ways[asked->way].is_sandboxed;
}

static void add_arguments(struct strv *arguments, const struct way *way) {
    static const char *const always[] = {"-S",   "-no-user-config", "-nodefaults", "-display",
                                         "none", "-machine",        "none",        "-accel"};
    for (size_t i = 0; i < sizeof always / sizeof *always; i++)
        strv_add(arguments, always[i]);
    strv_add(arguments, way->accel);
    if (way->is_sandboxed) {
        strv_add(arguments, "-sandbox");
        strv_add(arguments, SANDBOX);
    }
    strv_add(arguments, "-chardev");
    strv_addf(arguments, "socket,id=qmp,fd=%d", CHILD_SOCKET);
    strv_add(arguments, "-mon");
    strv_add(arguments, "chardev=qmp,mode=control");
}

static struct qmp_limit limit_of(const struct asked *asked) {
    return (struct qmp_limit){.call = asked->progress->call, .deadline = asked->deadline};
}

static int ignore_event(json_t *event, void *userdata, vqemu_error **error) {
    (void)event, (void)userdata, (void)error;
    return 0;
}

static void end(struct asked *asked) {
    qmp_close(&asked->qmp);
    child_end(&asked->child);
}

/* One way: QMP_DONE, or what else qmp_start() says. */
static int try_way(struct asked *asked, const struct way *way, vqemu_error **error) {
    _cleanup_strv_ struct strv arguments = {0};
    add_arguments(&arguments, way);
    int r = child_start(asked->runtime, &arguments, &asked->child, error);
    if (r < 0)
        return r;
    asked->qmp = (struct qmp){.name = vqemu_runtime_binary(asked->runtime),
                              .fd = take_fd(&asked->child.socket),
                              .peer = PEER_NONE,
                              .on_event = ignore_event};
    struct qmp_limit limit = limit_of(asked);
    return qmp_start(&asked->qmp, &limit, error);
}

/* A child that nobody else can talk to. */
static int no_answer(const struct asked *asked, vqemu_error **error) {
    const char *program = vqemu_runtime_binary(asked->runtime);
    const char *reason = call_late_reason(asked->progress->call, asked->deadline, "no-answer");
    bool is_callers = strcmp(reason, "no-answer") != 0;
    int r = error_set(error, is_callers ? VQEMU_ERR_TIMEOUT : VQEMU_ERR_PROGRAM_FAILED, 0,
                      "%s does not tell what it can do in the time that it is given", program);
    return error_because(r, error, reason, VQEMU_DETAIL_PATH, program, NULL);
}

static int does_not_answer(const struct asked *asked, const char *said, vqemu_error **error) {
    const char *program = vqemu_runtime_binary(asked->runtime);
    int r = error_set(error, VQEMU_ERR_PROGRAM_FAILED, 0,
                      "%s ends instead of telling what it can do: %s", program,
                      *said ? said : "it does not say why");
    return error_because(r, error, "does-not-answer", VQEMU_DETAIL_PATH, program, NULL);
}

/* What ways are for is no fault of a program's that lacks it: what it says besides is. */
static bool is_about_way(const char *said) {
    return strstr(said, "-sandbox") || strstr(said, "invalid accelerator");
}

/* Of what it says the first that tells why it does not start. */
static void note_said(char **said, char *now) {
    bool is_better = !*said || (is_about_way(*said) && now && !is_about_way(now));
    if (!is_better) {
        free(now);
        return;
    }
    free(*said);
    *said = now;
}

int asked_start(struct asked *asked, const vqemu_runtime *runtime, struct vqemu_progress *progress,
                int64_t deadline, vqemu_error **error) {
    *asked = (struct asked){.runtime = runtime,
                            .progress = progress,
                            .deadline = deadline,
                            .child = CHILD_NONE,
                            .qmp = {.fd = -1, .peer = PEER_NONE}};
    _cleanup_free_ char *said = NULL;
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        int r = try_way(asked, &ways[i], error);
        asked->way = i;
        if (r == QMP_LATE)
            return no_answer(asked, error);
        if (r != QMP_ENDED)
            return r;
        note_said(&said, child_said(&asked->child));
        end(asked);
    }
    return said ? does_not_answer(asked, said, error) : error_no_memory(error);
}

void asked_end(struct asked *asked) {
    end(asked);
}

/* ---- questions ---- */

static int ends_too_often(const struct asked *asked, const char *command, vqemu_error **error) {
    const char *program = vqemu_runtime_binary(asked->runtime);
    int r = error_set(error, VQEMU_ERR_PROGRAM_FAILED, 0,
                      "%s ended more than %d times while it was asked; the last time by %s",
                      program, ENDS_MAX, command);
    return error_because(r, error, "does-not-answer", VQEMU_DETAIL_PATH, program, NULL);
}

static int start_again(struct asked *asked, const char *command, vqemu_error **error) {
    end(asked);
    if (++asked->ends > ENDS_MAX)
        return ends_too_often(asked, command, error);
    int r = try_way(asked, &ways[asked->way], error);
    if (r == QMP_LATE)
        return no_answer(asked, error);
    return r == QMP_ENDED ? does_not_answer(asked, "it did before", error) : r;
}

/* refusal: what QEMU says if it refuses the command. */
static int execute(struct asked *asked, const char *command, json_t *arguments, json_t **answer,
                   bool *is_broken, vqemu_error **refusal, vqemu_error **error) {
    _cleanup_json_ json_t *owned = arguments;
    struct qmp_limit limit = limit_of(asked);
    *answer = NULL;
    *is_broken = false;
    int r = qmp_execute(&asked->qmp, command, owned, &limit, answer, refusal);
    if (r == VQEMU_ERR_DENIED)
        return 0;
    if (r < 0)
        return error_copy(*refusal, error);
    if (r == QMP_LATE)
        return no_answer(asked, error);
    if (r != QMP_ENDED)
        return 0;
    *is_broken = true;
    return start_again(asked, command, error);
}

int ask(struct asked *asked, const char *command, json_t *arguments, json_t **answer,
        bool *is_broken, vqemu_error **error) {
    _cleanup_error_ vqemu_error *refusal = NULL;
    return execute(asked, command, arguments, answer, is_broken, &refusal, error);
}

int ask_refused(struct asked *asked, const char *command, json_t *arguments, char **why,
                vqemu_error **error) {
    _cleanup_error_ vqemu_error *refusal = NULL;
    _cleanup_json_ json_t *answer = NULL;
    bool is_broken;
    *why = NULL;
    int r = execute(asked, command, arguments, &answer, &is_broken, &refusal, error);
    if (r < 0 || !refusal)
        return r;
    *why = strdup(vqemu_error_message(refusal));
    return *why ? 0 : error_no_memory(error);
}

/* ---- the program alone ---- */

/* QEMU is not to be waited for without a limit, whatever it does. */
static int wait_for_end(const struct asked *asked, const struct child *child, vqemu_error **error) {
    for (;;) {
        int r = progress_report(asked->progress, error);
        if (r < 0)
            return r;
        if (child_wait(child, RUN_INTERVAL))
            return 0;
        if (call_now() >= asked->deadline)
            return no_answer(asked, error);
    }
}

int asked_run(const struct asked *asked, const char *option, const char *value, size_t limit,
              char **said, vqemu_error **error) {
    _cleanup_strv_ struct strv arguments = {0};
    struct child child;
    *said = NULL;
    strv_add(&arguments, option);
    if (value)
        strv_add(&arguments, value);
    int r = child_start(asked->runtime, &arguments, &child, error);
    if (r < 0)
        return r;
    r = wait_for_end(asked, &child, error);
    if (r == 0 && child_all_said(&child, limit, said) == -ENOMEM)
        r = error_no_memory(error);
    child_end(&child);
    return r;
}
