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
    if (pipe2(in, O_CLOEXEC) < 0)
        return errno;
    if (pipe2(out, O_CLOEXEC) < 0) {
        int problem = errno;
        close(in[0]), close(in[1]);
        return problem;
    }
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
    int problem = posix_spawnp(&helper->pid, helper->program, &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(in[0]), close(out[1]);
    helper->in = in[1];
    helper->out = out[0];
    return problem;
}

/* Whatever it says, up to its end. Returns whether it came in time. */
static bool listen_to(const struct helper *helper, char **text) {
    int64_t end = patience_end(helper->options);
    size_t length;
    *text = grow(NULL, ANSWER_MAX + 1);
    int problem = read_patiently(helper->out, *text, ANSWER_MAX, end, &length);
    (*text)[length] = '\0';
    return problem >= 0;
}

/* With an answer it has status 0; "credentials not found" is an answer with another. */
static int converse(struct helper *helper, const char *registry, json_t **answer) {
    _cleanup_free_ char *text = NULL;
    int status = 0;
    ssize_t written = write(helper->in, registry, strlen(registry)); /* SIGPIPE is ignored */
    (void)written;
    close(helper->in);
    bool in_time = listen_to(helper, &text);
    close(helper->out);
    if (!in_time)
        kill(helper->pid, SIGKILL);
    while (waitpid(helper->pid, &status, 0) < 0 && errno == EINTR)
        continue;
    if (!in_time)
        return fail_impatient(helper->options, helper->program);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        *answer = json_loads(text, 0, NULL);
    else if (strstr(text, "not found"))
        return 0;
    explicit_bzero(text, strlen(text));
    return *answer ? 0
                   : fail_text("%s, which has the login for %s, fails", helper->program, registry);
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
