/* SPDX-License-Identifier: MIT */
/* Questions to a QEMU that runs for nothing else. */
#ifndef LIB_ASK_H
#define LIB_ASK_H

#include <stdbool.h>

#include "base/json.h"
#include "base/progress.h"
#include "qemu/child.h"
#include "qemu/qmp.h"

struct asked {
    const vqemu_runtime *runtime;
    struct vqemu_progress *progress;
    int64_t deadline; /* of call_now() */
    struct child child;
    struct qmp qmp;
    size_t way;    /* of starting it that it has answered to */
    unsigned ends; /* how often it has ended itself over a question */
};

/* Start it, by the first way that it understands. asked_end() in any case. */
int asked_start(struct asked *asked, const vqemu_runtime *runtime, struct vqemu_progress *progress,
                int64_t deadline, vqemu_error **error);

/* The accelerator it was started with, and whether it filters system calls. */
const char *asked_accel(const struct asked *asked);
bool asked_is_sandboxed(const struct asked *asked);

/*
 * What a command returns; arguments are taken over, and may be NULL. *answer is NULL if QEMU
 * refuses the command, or ends itself over it: then *is_broken is true, and it is started again.
 */
int ask(struct asked *asked, const char *command, json_t *arguments, json_t **answer,
        bool *is_broken, vqemu_error **error);

/* The same for a command that is to be refused: *why is what QEMU says then, NULL if it does not
 * refuse, or ends itself. The caller frees it. */
int ask_refused(struct asked *asked, const char *command, json_t *arguments, char **why,
                vqemu_error **error);

/*
 * Run the program for itself with an option and its value, which may be NULL, and wait for its end.
 * *said is all that it has said, as child_all_said() has it. The caller frees it.
 */
int asked_run(const struct asked *asked, const char *option, const char *value, size_t limit,
              char **said, vqemu_error **error);

void asked_end(struct asked *asked);

#endif
