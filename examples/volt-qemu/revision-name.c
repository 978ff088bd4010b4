/* SPDX-License-Identifier: MIT */
#include "revision-name.h"

#include <string.h>

#include "cleanup.h"
#include "message.h"
#include "text.h"

bool is_revision_name(const char *name) {
    const char *dash = strrchr(name, '-');
    return dash && dash > name && strlen(dash + 1) == 8 &&
           strspn(dash + 1, "0123456789abcdef") == 8;
}

int find_revision_of(const struct options *options, vqemu_store *store, const char *name,
                     vqemu_revision **revision) {
    _cleanup_error_ vqemu_error *error = NULL;
    if (vqemu_store_find_revision(store, name, 0, options->call, revision, &error))
        return fail_request(options->command, error);
    return 0;
}

int find_name_of(const struct options *options, vqemu_store *store, const char *name,
                 char **revision_name) {
    _cleanup_revision_ vqemu_revision *revision = NULL;
    int status = is_revision_name(name) ? 0 : find_revision_of(options, store, name, &revision);
    if (!status)
        *revision_name = format_text("%s", revision ? vqemu_revision_name(revision) : name);
    return status;
}
