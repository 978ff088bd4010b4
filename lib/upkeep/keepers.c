/* SPDX-License-Identifier: MIT */
#include "upkeep/keepers.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/error.h"
#include "store/reached.h"
#include "tree/lease.h"
#include "upkeep/guest-name.h"
#include "util/fd.h"

int keepers_find(struct keepers *keepers, vqemu_call *call, vqemu_error **error) {
    const vqemu_store *store = keepers->store;
    int r = store_find_trees(store, &keepers->trees_fd, error);
    if (r < 0)
        return r;
    if (keepers->trees_fd < 0 && keepers->trees_fd != -ENOENT)
        return error_system_at(error, -keepers->trees_fd, "cannot open the directory", "%s",
                               store->trees_path);
    r = links_read(store, &keepers->links, error);
    if (r == 0)
        r = pins_read(store, NULL, &keepers->pins, error);
    if (r == 0)
        r = currents_read(store, &keepers->currents, error);
    if (r == 0 && keepers->trees_fd >= 0)
        r = tree_users_find(store->trees_path, keepers->trees_fd, call, &keepers->users, error);
    return r;
}

void keepers_release(struct keepers *keepers) {
    cleanup_close(&keepers->trees_fd);
    links_release(&keepers->links);
    tree_users_release(&keepers->users);
    pins_release(&keepers->pins);
    currents_release(&keepers->currents);
    keepers->trees_fd = -1;
}

static void begin_reason(struct strbuf *reasons) {
    if (reasons->length > 0)
        strbuf_add(reasons, ", ");
}

static int add_user(struct strbuf *reasons, const struct tree_user *user) {
    _cleanup_free_ char *guest = NULL;
    int r = guest_name_of_process(user->pid, &guest);
    begin_reason(reasons);
    strbuf_addf(reasons, "used by process %d (%s)", (int)user->pid, user->command);
    if (guest)
        strbuf_addf(reasons, " of VM %s", guest);
    return r;
}

int keepers_add_uses(const struct keepers *keepers, const char *tree, struct strbuf *reasons) {
    bool is_used = false;
    for (size_t i = 0; i < keepers->users.count; i++) {
        const struct tree_user *user = &keepers->users.users[i];
        if (strcmp(user->tree, tree) != 0)
            continue;
        int r = add_user(reasons, user);
        if (r < 0)
            return r;
        is_used = true;
    }
    int leased = is_used || keepers->trees_fd < 0 ? 0 : lease_is_held(keepers->trees_fd, tree);
    if (leased == 1) {
        begin_reason(reasons);
        strbuf_add(reasons, "leased");
    }
    return is_used ? 1 : leased;
}

static bool add_pins(const struct keepers *keepers, const char *revision, struct strbuf *reasons) {
    bool found = false;
    for (size_t i = 0; i < keepers->pins.count; i++) {
        const struct pin *pin = &keepers->pins.pins[i];
        if (strcmp(pin->revision, revision) != 0)
            continue;
        begin_reason(reasons);
        strbuf_add(reasons, "pinned");
        if (*pin->holder)
            strbuf_addf(reasons, " by %s", pin->holder);
        found = true;
    }
    return found;
}

int keepers_add_reasons(const struct keepers *keepers, const char *revision, const char *tree,
                        struct strbuf *reasons) {
    bool found = false;
    if (currents_have(&keepers->currents, revision)) {
        begin_reason(reasons);
        strbuf_add(reasons, "current");
        found = true;
    }
    found |= add_pins(keepers, revision, reasons);
    int used = keepers_add_uses(keepers, tree, reasons);
    if (links_point_to(&keepers->links, tree)) {
        begin_reason(reasons);
        strbuf_add(reasons, "linked");
        found = true;
    }
    return used < 0 ? used : found || used;
}
