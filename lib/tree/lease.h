/* SPDX-License-Identifier: MIT */
/*
 * A lease is a shared flock(2) on the directory of a tree. It lasts as long as some process has
 * that open file description, so a QEMU that inherits it keeps its tree.
 */
#ifndef LIB_LEASE_H
#define LIB_LEASE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Open a tree and take a lease on it. Returns a descriptor or a negative errno: -ENOENT if there is
 * none. */
int lease_take(int trees_fd, const char *name);

/*
 * Make sure that nobody has a lease on a tree, and that nobody gets one as long as the descriptor
 * is open. Returns a descriptor or a negative errno: -EWOULDBLOCK if it is leased.
 */
int lease_exclude(int trees_fd, const char *name);

/* A process that runs from a tree, or holds it open. */
struct lease_holder {
    pid_t pid;
    char command[16]; /* as in /proc/PID/comm */
    char tree[65];    /* the tree's name */
};

struct lease_holders {
    struct lease_holder *holders;
    size_t count, capacity;
};

/*
 * Find the processes, of those this one may look into, that hold a tree open or run from it; they
 * need no lease for that, such as one started by systemd. trees_path: the directory of trees.
 * Returns 0 or -ENOMEM.
 */
int lease_find_holders(const char *trees_path, int trees_fd, struct lease_holders *found);
bool lease_is_held_by_process(const struct lease_holders *found, const char *tree);
void lease_free_holders(struct lease_holders *found);

/* leftovers_sweep() for trees: one that was replaced stays as long as a process runs from it. */
void lease_sweep(const char *trees_path, int trees_fd);

#endif
