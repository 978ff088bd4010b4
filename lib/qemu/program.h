/* SPDX-License-Identifier: MIT */
/* How the QEMU of a runtime is executed, whatever it is then told. */
#ifndef LIB_PROGRAM_H
#define LIB_PROGRAM_H

#include "tree/runtime.h"
#include "util/strv.h"

/* The working directory; owned by the caller, NULL without memory. */
char *program_cwd(const vqemu_runtime *runtime);

/* A path of the runtime, as the dynamic loader is to see it from that directory. */
const char *program_seen_from(const char *cwd, const char *path);

/* The beginning of argv, and the environment. */
void program_add_arguments(struct strv *argv, const vqemu_runtime *runtime, const char *cwd);
/* Why one of these arguments is there. Static. */
const char *program_argument_message(const vqemu_runtime *runtime, size_t index);
void program_add_environment(struct strv *envp, const vqemu_runtime *runtime, const char *cwd);

#endif
