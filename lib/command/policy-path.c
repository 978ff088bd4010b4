/* SPDX-License-Identifier: MIT */
/* Where a VM may have files: in its own directories, and in those that the policy names. */
#include "command/policy-path.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "util/beneath.h"

#define DEVICES "/dev"

enum whereabouts {
    PLACE_OWN = 1,
    PLACE_READ = 2,
    PLACE_WRITE = 4,
    PLACE_SOCKETS = 8,
    PLACE_DEVICES = 16
};

/* A path that is looked at, and what was found so far. */
struct search {
    const char *path; /* plain */
    bool is_inside;   /* where a directory that was looked at says so by its words and links */
    int problem;      /* why not, though the words say so: a negative errno */
    mode_t mode;      /* the type of what is there; 0 for nothing */
};

static void consider(struct policy_check *check, struct search *search, const char *directory,
                     bool may_be_missing) {
    mode_t mode;
    if (search->is_inside || !is_worded_beneath(search->path, directory))
        return;
    int r = check_beneath(search->path, directory, &mode);
    check->failed = check->failed || r == -ENOMEM;
    search->is_inside = r == 0 || (r == -ENOENT && may_be_missing);
    if (search->is_inside)
        search->mode = mode;
    else
        search->problem = r;
}

/* Device nodes have links to each other everywhere in /dev, where only root can make them. */
static void consider_device(struct policy_check *check, struct search *search, const char *node) {
    bool is_in_dev = is_worded_beneath(node, DEVICES) && strcmp(node, DEVICES) != 0;
    if (is_worded_beneath(search->path, node))
        consider(check, search, is_in_dev ? DEVICES : node, false);
}

static void consider_list(struct policy_check *check, struct search *search,
                          const struct strv *list, bool of_devices) {
    for (size_t i = 0; i < list->count && !search->is_inside; i++) {
        _cleanup_free_ char *directory = plain_path(list->items[i]);
        if (!directory)
            check->failed = true;
        else if (of_devices)
            consider_device(check, search, directory);
        else
            consider(check, search, directory, false);
    }
}

/* Its own directories may not have been made yet. */
static void look(struct policy_check *check, struct search *search, unsigned places) {
    const vqemu_policy *policy = check->policy;
    if (places & PLACE_OWN) {
        consider(check, search, check->state_dir, true);
        consider(check, search, check->runtime_dir, true);
    }
    if (places & PLACE_WRITE)
        consider_list(check, search, &policy->write_paths, false);
    if (places & PLACE_READ)
        consider_list(check, search, &policy->read_paths, false);
    if (places & PLACE_SOCKETS)
        consider_list(check, search, &policy->sockets, false);
    if (places & PLACE_DEVICES)
        consider_list(check, search, &policy->devices, true);
}

/* ---- in words ---- */

static bool is_listed(const struct strv *list, const char *word) {
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i], word) == 0)
            return true;
    return false;
}

static char *list_choices(const struct strv *list, const struct strv *more) {
    struct strbuf names = {0};
    for (size_t i = 0; i < list->count; i++)
        strbuf_addf(&names, "%s%s", names.length ? ", " : "", list->items[i]);
    for (size_t i = 0; more && i < more->count; i++)
        if (!is_listed(list, more->items[i]))
            strbuf_addf(&names, "%s%s", names.length ? ", " : "", more->items[i]);
    return strbuf_take(&names);
}

static void refuse(struct policy_check *check, const struct search *search,
                   struct violation violation) {
    if (search->problem == -EXDEV || search->problem == -ELOOP) {
        violation.reason = "policy-escape";
        policy_violate(check, &violation,
                       "%s leads out of where the policy allows it, or to nothing, by a link "
                       "(only those that lead down or aside, by a relative path, are followed)",
                       violation.value);
    } else if (search->problem) {
        char text[128];
        violation.reason = "policy-unclear";
        policy_violate(check, &violation,
                       "whether %s is where the policy allows it cannot be told: %s",
                       violation.value, strerror_r(-search->problem, text, sizeof text));
    } else {
        violation.reason = "policy-path";
        policy_violate(check, &violation, "%s is not where the policy allows it (%s)%s%s",
                       violation.value, violation.rule,
                       violation.choices && *violation.choices ? "; it allows " : "",
                       violation.choices ? violation.choices : "");
    }
}

/* ---- the rules ---- */

/* Whether it is in one of the places, otherwise said to the check; what is there in *mode. */
static bool require(struct policy_check *check, const char *key, const char *path, unsigned places,
                    const char *rule, const struct strv *list, mode_t *mode) {
    _cleanup_free_ char *plain = plain_path(path);
    _cleanup_free_ char *choices =
        list_choices(list, places & PLACE_READ ? &check->policy->read_paths : NULL);
    *mode = 0;
    if (!plain || !choices) {
        check->failed = true;
        return false;
    }
    struct search search = {.path = plain};
    look(check, &search, places);
    *mode = search.mode;
    if (!search.is_inside)
        refuse(check, &search,
               (struct violation){.key = key, .rule = rule, .value = path, .choices = choices});
    return search.is_inside;
}

static void require_path(struct policy_check *check, const char *key, const char *path,
                         uint32_t access, unsigned places) {
    const vqemu_policy *policy = check->policy;
    bool writes = access & VQEMU_FILE_WRITE;
    _cleanup_free_ char *plain = plain_path(path);
    mode_t mode = 0;
    if (!plain) {
        check->failed = true;
        return;
    }
    places |= writes ? PLACE_WRITE : PLACE_WRITE | PLACE_READ;
    bool is_device = is_worded_beneath(plain, DEVICES);
    bool is_good =
        is_device || require(check, key, path, places, writes ? "write_paths" : "read_paths",
                             &policy->write_paths, &mode);
    is_device = is_device || (is_good && (S_ISBLK(mode) || S_ISCHR(mode)));
    if (is_good && is_device)
        require(check, key, path, PLACE_DEVICES, "devices", &policy->devices, &mode);
}

void policy_check_file(struct policy_check *check, const char *key, const char *path,
                       uint32_t access) {
    require_path(check, key, path, access, PLACE_OWN);
}

/* What a guest may do to the VM's own directories, the host does not expect. */
void policy_check_share(struct policy_check *check, const char *key, const char *path,
                        uint32_t access) {
    require_path(check, key, path, access, 0);
}

void policy_check_directory(struct policy_check *check, const char *key, const char *path) {
    mode_t mode;
    require(check, key, path, PLACE_WRITE, "write_paths", &check->policy->write_paths, &mode);
}

void policy_check_socket(struct policy_check *check, const char *key, const char *path) {
    mode_t mode;
    require(check, key, path, PLACE_OWN | PLACE_SOCKETS, "sockets", &check->policy->sockets, &mode);
}
