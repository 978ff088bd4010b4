/* SPDX-License-Identifier: MIT */
/* What a child of ours may do between its birth and the program it becomes. */
#ifndef LIB_CONFINE_H
#define LIB_CONFINE_H

#include "tree/runtime.h"

/*
 * A set of rules by which a process can read and execute the files of a runtime, and open no others
 * (landlock(7)). -1 if the kernel has no Landlock; else a descriptor or a negative errno below
 * that.
 */
int confine_make_rules(const vqemu_runtime *runtime);

/*
 * For the child, after fork(2): only calls that are safe there. Its limits are set, it gains no
 * privileges by what it executes, and loses those it has. rules: of confine_make_rules().
 * Returns 0 or an errno.
 */
int confine_self(int rules);

#endif
