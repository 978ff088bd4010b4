/* SPDX-License-Identifier: MIT */
#include "credential-helper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cleanup.h"
#include "message.h"
#include "patience.h"
#include "text.h"

#define ANSWER_MAX 65536
#define END_WAIT 10 /* seconds, for who has answered to end */

extern char **environ;

struct helper {
    const struct options *options;
    char *program;
    pid_t pid;
    int in, out; /* our ends */
};

/* Part of the name of a program that is run. */
static bool name_is_good(const char *name) {
    return *name && name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                      "0123456789-_.")] == '\0';
}

static int start(struct helper *helper) {
    char *arguments[] = {helper->program, (char *)(uintptr_t) "get", NULL};
    int in[2], out[2];
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t usual;
    if (pipe2(in, O_CLOEXEC) < 0)
        return errno;
    if (pipe2(out, O_CLOEXEC) < 0) {
        int problem = errno;
        close(in[0]), close(in[1]);
        return problem;
    }
    sigemptyset(&usual);
    sigaddset(&usual, SIGPIPE); /* else it would inherit that we ignore it */
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigdefault(&attributes, &usual);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
    int problem =
        posix_spawnp(&helper->pid, helper->program, &actions, &attributes, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    close(in[0]), close(out[1]);
    helper->in = in[1];
    helper->out = out[0];
    return problem;
}

/* Returns whether it ended by itself in time. */
static bool wait_for_end(const struct helper *helper, int64_t end, int *status) {
    pid_t ended;
    while ((ended = waitpid(helper->pid, status, WNOHANG)) == 0)
        if (!patience_wait(-1, 0, end))
            break;
    if (ended != 0)
        return ended > 0;
    kill(helper->pid, SIGKILL);
    while (waitpid(helper->pid, status, 0) < 0 && errno == EINTR)
        continue;
    return false;
}

/* By convention, what it says is why. */
static int fail_helper(const struct helper *helper, const char *registry, int status, char *text) {
    _cleanup_free_ char *how = WIFSIGNALED(status)
                                   ? format_text("is ended by signal %d", WTERMSIG(status))
                                   : format_text("fails with status %d", WEXITSTATUS(status));
    text[strcspn(text, "\r\n")] = '\0';
    return fail_text("%s, which has the login for %s, %s%s%.200s", helper->program, registry, how,
                     *text ? ": " : "", text);
}

/* With an answer it has status 0; "credentials not found" is an answer with another. */
static int read_answer(const struct helper *helper, const char *registry, int status, char *text,
                       json_t **answer) {
    bool is_good = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (!is_good)
        return strstr(text, "not found") ? 0 : fail_helper(helper, registry, status, text);
    *answer = json_loads(text, 0, NULL);
    return *answer ? 0
                   : fail_text("%s, which has the login for %s, answers with no JSON",
                               helper->program, registry);
}

/* Nobody has to wait for one that goes on when all is said. */
static int listen_to(const struct helper *helper, const char *registry, char *text, size_t *length,
                     json_t **answer) {
    int64_t end = patience_end(helper->options);
    int status = 0, problem = read_patiently(helper->out, text, ANSWER_MAX, end, length);
    bool is_whole = problem >= 0 && *length < ANSWER_MAX;
    text[*length] = '\0';
    close(helper->out);
    bool has_ended = wait_for_end(helper, is_whole ? patience_within(end, END_WAIT) : 0, &status);
    if (problem < 0)
        return fail_impatient(helper->options, helper->program);
    if (is_whole && has_ended)
        return read_answer(helper, registry, status, text, answer);
    return fail_text("%s, which has the login for %s, %s", helper->program, registry,
                     is_whole ? "has answered, and does not end" : "answers without end");
}

static int converse(const struct helper *helper, const char *registry, json_t **answer) {
    _cleanup_free_ char *text = grow(NULL, ANSWER_MAX + 1);
    size_t length;
    ssize_t written = write(helper->in, registry, strlen(registry)); /* SIGPIPE is ignored */
    (void)written;
    close(helper->in);
    int status = listen_to(helper, registry, text, &length, answer);
    explicit_bzero(text, length);
    return status;
}

int credential_helper_ask(const struct options *options, const char *name, const char *registry,
                          json_t **answer) {
    *answer = NULL;
    if (!name_is_good(name))
        return fail_invalid("invalid", "\"%s\" is no name of a helper for logins", name);
    struct helper helper = {.options = options,
                            .program = format_text("docker-credential-%s", name)};
    int problem = start(&helper);
    int status = problem ? fail_system(problem, "cannot run %s, which has the login for %s",
                                       helper.program, registry)
                         : converse(&helper, registry, answer);
    free(helper.program);
    return status;
}
