/* SPDX-License-Identifier: MIT */
#include "store/revision-alike.h"

#include <errno.h>
#include <string.h>

#include "store/revision-name.h"
#include "util/cleanup.h"
#include "util/dir.h"
#include "util/similar.h"
#include "util/strv.h"
#include "util/word.h"

/* Those of other digits are other revisions, however alike their names are. */
#define WRONG_DIGITS_MAX 2

static int add_names(int directory_fd, const char *file_name, void *userdata) {
    struct strv *names = userdata;
    size_t length = revision_name_length(file_name);
    (void)directory_fd;
    if (length > 0) {
        strv_addf(names, "%.*s", (int)length, file_name);
        strv_addf(names, "%.*s", (int)revision_profile_length(file_name), file_name);
    }
    return names->failed;
}

static bool may_be_meant(const char *wanted, const char *name) {
    return !revision_is_name(name) || begins_with(name, wanted) ||
           word_distance(wanted, name) <= WRONG_DIGITS_MAX;
}

int revision_alike(const vqemu_store *store, const char *name, char **alike) {
    _cleanup_strv_ struct strv names = {0};
    struct similar similar = {.wanted = name};
    *alike = NULL;
    for_each_entry(store->refs_fd, ".", add_names, &names);
    if (names.failed)
        return -ENOMEM;
    for (size_t i = 0; i < names.count; i++)
        if (may_be_meant(name, names.items[i]))
            similar_look_at(&similar, names.items[i]);
    if (similar.count == 0)
        return 0;
    *alike = strdup(similar.words[0]);
    return *alike ? 0 : -ENOMEM;
}
