/* SPDX-License-Identifier: MIT */
/* Is every tree as it was assembled, and who runs from it? */
#include "upkeep/checker.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "tree/lease.h"
#include "tree/stamp.h"
#include "tree/tree.h"
#include "util/dir.h"
#include "util/fd.h"
#include "util/strbuf.h"

/* Not the caller's thread, as far as progress goes: it has been told of the end of the step. */
#define SILENT 1

vqemu_revision *checker_revision_of_tree(const struct checker *checker, const char *digest) {
    for (size_t i = 0; i < vqemu_revision_list_count(checker->revisions); i++) {
        vqemu_revision *revision = vqemu_revision_list_at(checker->revisions, i);
        if (!vqemu_revision_error(revision) && strcmp(revision_digest(revision), digest) == 0)
            return revision;
    }
    return NULL;
}

/* Whether a file of a tree is the very inode of its object, which has been hashed. */
static bool is_object(const struct checker *checker, int tree_fd,
                      const struct manifest_object *object) {
    struct stat status;
    int64_t index = digest_set_find(&checker->objects, object->digest.hex);
    return index >= 0 && fstatat(tree_fd, object->path, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
           status.st_dev == checker->objects_device && status.st_nlink > 1 &&
           status.st_ino == checker->findings[index].inode;
}

/*
 * Copies, and links to an inode that is the object's no more, have not been hashed yet. Times and
 * inodes are others in a store that was copied; they do not matter where all is hashed.
 */
static int check_content(struct checker *checker, int tree_fd, const vqemu_manifest *manifest,
                         struct difference *difference) {
    const struct watch watch = {&checker->progress, SILENT};
    int r = tree_check_shape(tree_fd, checker->store->flags, manifest, difference);
    for (size_t i = 0; r == 1 && i < vqemu_manifest_object_count(manifest); i++)
        if (!is_object(checker, tree_fd, manifest_object(manifest, i)))
            r = tree_check_one(tree_fd, manifest, vqemu_manifest_object_path(manifest, i), &watch,
                               difference);
    return r;
}

/* Returns 1 if a tree is as it should be, 0 with how it differs, -ENOMEM or -ECANCELED. */
static int examine_tree(struct checker *checker, const char *name, struct difference *difference) {
    _cleanup_close_ int fd =
        open_at(checker->trees_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    _cleanup_free_ char *text = NULL;
    const vqemu_revision *revision = checker_revision_of_tree(checker, name);
    struct layout layout;
    int r = fd < 0 ? fd : stamp_read(fd, checker->store->flags, false, &text);
    if (r == -ENOMEM)
        return r;
    char *list = text;
    if (r < 0 || !stamp_take_layout(&list, name, "", &layout)) {
        *difference = (struct difference){
            .path = strdup(TREE_STAMP_NAME),
            .how = "is missing, broken, another user's or that of another manifest"};
        return difference->path ? 0 : -ENOMEM;
    }
    return revision ? check_content(checker, fd, vqemu_revision_manifest(revision), difference)
                    : tree_check(fd, checker->store->flags, list, difference);
}

static int check_tree(int trees_fd, const char *name, void *userdata) {
    struct checker *checker = userdata;
    struct digest digest;
    (void)trees_fd;
    if (!digest_parse(name, &digest) || (checker->name && !checker_revision_of_tree(checker, name)))
        return 0;
    _cleanup_difference_ struct difference difference = {0};
    const struct watch watch = {&checker->progress, SILENT};
    int r = watch_poll(&watch);
    if (r == 0)
        r = examine_tree(checker, name, &difference);
    if (r == -ECANCELED)
        return r;
    if (r != 0)
        return r == 1 ? 0 : r;
    r = report_add(checker->report, PROBLEM_TREE, name,
                   format_string("tree %s/%s is not as it was assembled: %s %s",
                                 checker->store->trees_path, name, difference.path,
                                 difference.how));
    const vqemu_revision *revision = checker_revision_of_tree(checker, name);
    return r == 0 && revision
               ? report_add_place(&checker->report->problems[checker->report->count - 1],
                                  vqemu_revision_name(revision), difference.path)
               : r;
}

int checker_report_trees(struct checker *checker) {
    return checker->trees_fd >= 0 ? for_each_entry(checker->trees_fd, ".", check_tree, checker) : 0;
}

/* ---- who uses them ---- */

static int add_users(struct problem *problem, const struct tree_users *users,
                     const struct checker *checker, const char *tree) {
    bool seen = false;
    for (size_t i = 0; i < users->count; i++) {
        if (strcmp(users->users[i].tree, tree) != 0)
            continue;
        int r = report_add_lease(problem, &users->users[i]);
        if (r < 0)
            return r;
        seen = true;
    }
    if (seen || lease_is_held(checker->trees_fd, tree) != 1)
        return 0;
    struct tree_user unknown = {0};
    memcpy(unknown.tree, tree, DIGEST_HEX_LENGTH);
    return report_add_lease(problem, &unknown);
}

/* The trees that a problem touches: itself, or those of the revisions that use the object. */
static int report_leases_of(const struct checker *checker, struct problem *problem,
                            const struct tree_users *users) {
    int r = 0;
    if (problem->kind == PROBLEM_TREE)
        return add_users(problem, users, checker, problem->digest.hex);
    for (size_t i = 0; r == 0 && i < problem->place_count; i++) {
        if (i > 0 && strcmp(problem->places[i - 1].revision, problem->places[i].revision) == 0)
            continue;
        for (size_t j = 0; r == 0 && j < vqemu_revision_list_count(checker->revisions); j++) {
            const vqemu_revision *revision = vqemu_revision_list_at(checker->revisions, j);
            if (strcmp(vqemu_revision_name(revision), problem->places[i].revision) == 0)
                r = add_users(problem, users, checker, revision_digest(revision));
        }
    }
    return r;
}

/* Where the processes cannot be found, leases are told all the same. */
int checker_report_leases(struct checker *checker) {
    _cleanup_tree_users_ struct tree_users users = {0};
    if (checker->report->count == 0 || checker->trees_fd < 0)
        return 0;
    int r = tree_users_find(checker->store->trees_path, checker->trees_fd, NULL, &users, NULL);
    r = r == VQEMU_ERR_NO_MEMORY ? -ENOMEM : 0;
    for (size_t i = 0; r == 0 && i < checker->report->count; i++)
        r = report_leases_of(checker, &checker->report->problems[i], &users);
    return r;
}
