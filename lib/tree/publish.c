/* SPDX-License-Identifier: MIT */
#include "tree/publish.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>

#include "base/error.h"
#include "base/lock-holder.h"
#include "store/leftovers.h"
#include "tree/lease.h"
#include "tree/tree-users.h"
#include "util/fd.h"
#include "util/strbuf.h"

/* Others look into a tree for so long at the most, in milliseconds; a longer lease is that of a VM.
 */
#define LOOK_TIME 2000

struct publishing {
    const char *trees_path;
    int trees_fd;
    const char *staged, *digest;
    struct vqemu_progress *progress;
    vqemu_error **error;
};

static int move(const struct publishing *publishing, const char *from, const char *to) {
    return renameat(publishing->trees_fd, from, publishing->trees_fd, to) < 0 ? -errno : 0;
}

/* For a moment there is no tree, never half a one. */
static int move_aside(const struct publishing *publishing) {
    _cleanup_free_ char *aside = leftovers_new_name();
    int r = aside ? move(publishing, publishing->digest, aside) : -ENOMEM;
    if (r < 0)
        return r;
    r = move(publishing, publishing->staged, publishing->digest);
    if (r < 0)
        move(publishing, aside, publishing->digest);
    return r;
}

/* ---- where directories cannot be renamed ---- */

static int refuse_used(const struct publishing *publishing, const char *process,
                       vqemu_error **error) {
    return error_set(error, VQEMU_ERR_BUSY, 0,
                     "the tree %s/%s, which is not as it was assembled, cannot be replaced as long "
                     "as it is in use by %s: the file system cannot rename it",
                     publishing->trees_path, publishing->digest, process);
}

/* A process that needs no lease, such as one that systemd started. */
static int check_users(const struct publishing *publishing) {
    _cleanup_tree_users_ struct tree_users users = {0};
    vqemu_error **error = publishing->error;
    int r = tree_users_find(publishing->trees_path, publishing->trees_fd,
                            publishing->progress->call, &users, error);
    const struct tree_user *user = r < 0 ? NULL : tree_users_of(&users, publishing->digest);
    if (!user)
        return r;
    char number[16];
    _cleanup_free_ char *process = format_string("process %d (%s)", (int)user->pid, user->command);
    if (!process)
        return error_no_memory(error);
    snprintf(number, sizeof number, "%d", (int)user->pid);
    return error_because(refuse_used(publishing, process, error), error, "in-use",
                         VQEMU_DETAIL_PROCESS, number, VQEMU_DETAIL_PROCESS_NAME, user->command,
                         NULL);
}

/* Wait until nobody looks into the tree any more; *fd keeps others out. */
static int exclude(const struct publishing *publishing, int *fd) {
    vqemu_error **error = publishing->error;
    const uint64_t limit = call_lock_timeout(publishing->progress->call);
    *fd = open_at(publishing->trees_fd, publishing->digest, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    if (*fd == -ENOTDIR || *fd == -ELOOP || *fd == -ENOENT) /* no tree: nobody leases that */
        return 0;
    if (*fd < 0)
        return error_system_at(error, -*fd, "cannot open the tree", "%s/%s", publishing->trees_path,
                               publishing->digest);
    int r =
        progress_lock(publishing->progress, *fd, LOCK_EX,
                      limit < LOOK_TIME ? (int)limit : LOOK_TIME, publishing->trees_path, error);
    if (r <= 0)
        return r;
    _cleanup_free_ char *holder = lock_describe_holder(*fd);
    return error_because(refuse_used(publishing, holder ? holder : "another process", error), error,
                         "in-use", NULL);
}

static int clear_and_move(const struct publishing *publishing) {
    _cleanup_close_ int fd = -1;
    int r = exclude(publishing, &fd);
    if (r == 0)
        r = check_users(publishing);
    if (r < 0)
        return r;
    r = lease_clear_tree(publishing->trees_fd, publishing->digest);
    if (r == 0)
        r = move(publishing, publishing->staged, publishing->digest);
    return r < 0 ? error_system_at(publishing->error, -r, "cannot publish the tree", "%s/%s",
                                   publishing->trees_path, publishing->digest)
                 : 0;
}

/* File systems differ in what they say of a name that is taken, so that is looked at. */
int publish_tree(const char *trees_path, int trees_fd, const char *staged, const char *digest,
                 struct vqemu_progress *progress, vqemu_error **error) {
    const struct publishing publishing = {trees_path, trees_fd, staged, digest, progress, error};
    int r = move(&publishing, staged, digest);
    if (r == 0)
        return 0;
    if (exists_at(trees_fd, digest) != 1)
        return error_system_at(error, -r, "cannot publish the tree", "%s/%s", trees_path, digest);
    if (renameat2(trees_fd, staged, trees_fd, digest, RENAME_EXCHANGE) == 0 ||
        move_aside(&publishing) == 0)
        return 0;
    return clear_and_move(&publishing);
}
