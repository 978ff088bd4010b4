/* SPDX-License-Identifier: MIT */
#include "registry-reference.h"

#include <stdlib.h>
#include <string.h>

#include "text.h"

/* The colon before the tag, which that of a port is not; NULL if there is none. */
static char *find_colon(char *repository) {
    char *slash = strrchr(repository, '/');
    return slash ? strchr(slash, ':') : NULL;
}

void registry_reference_split(const char *text, struct registry_reference *reference) {
    size_t length = strcspn(text, "@");
    reference->repository = format_text("%.*s", (int)length, text);
    reference->digest = text[length] ? text + length + 1 : NULL;
    char *colon = find_colon(reference->repository);
    reference->tag = colon ? text + (colon - reference->repository) + 1 : NULL;
    if (colon)
        *colon = '\0';
}

void registry_reference_release(struct registry_reference *reference) {
    free(reference->repository);
}

const char *registry_reference_profile(const struct registry_reference *reference) {
    const char *slash = strrchr(reference->repository, '/');
    return slash ? slash + 1 : reference->repository;
}
