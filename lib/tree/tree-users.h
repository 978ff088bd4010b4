/* SPDX-License-Identifier: MIT */
/*
 * The processes that run from a tree or hold it open. They need no lease for that, such as one
 * that systemd started.
 */
#ifndef LIB_TREE_USERS_H
#define LIB_TREE_USERS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/call.h"
#include "base/digest.h"
#include "base/proc.h"
#include "util/cleanup.h"

struct tree_user {
    pid_t pid;
    char command[PROC_COMMAND_SIZE];
    char tree[DIGEST_HEX_LENGTH + 1]; /* its name; that of a leftover if it was replaced */
};

struct tree_users {
    struct tree_user *users;
    size_t count, capacity;
    size_t unseen;    /* processes that could not be looked into */
    bool is_hidden;   /* there may be processes that /proc does not show */
    bool is_complete; /* every process could be looked into, and there are no others */
};

/*
 * Find them, but for this process itself. By the names of their program, working directory and open
 * files; where a process knows those by other names, by inodes; where they may not be read, by what
 * its arguments name. Who is neither root nor the caller does not use a tree by just having it
 * open. trees_path: the directory of trees.
 *
 * Errors: VQEMU_ERR_SYSTEM with the reason "no-proc", and what call_check() gives.
 */
int tree_users_find(const char *trees_path, int trees_fd, vqemu_call *call,
                    struct tree_users *users, vqemu_error **error);

/* The first process that uses a tree; NULL if none does. */
const struct tree_user *tree_users_of(const struct tree_users *users, const char *tree);

/* Tell the log if there are processes of which it is not known what they use, such as before trees
 * are removed. */
void tree_users_report(const struct tree_users *users, const char *trees_path, vqemu_call *call);

void tree_users_release(struct tree_users *users);
#define _cleanup_tree_users_ _cleanup_(tree_users_release)

/* leftovers_sweep() for trees: one that was replaced stays as long as a process runs from it. */
void tree_users_sweep(const char *trees_path, int trees_fd);

#endif
