/* SPDX-License-Identifier: MIT */
#include "store/revision-name.h"

#include <limits.h>
#include <string.h>

#include "base/error.h"
#include "util/join.h"
#include "util/strbuf.h"

#define NAME_LENGTH_MAX 63

char *revision_name_of(const char *profile, const char *digest) {
    return format_string("%s-%.*s", profile, REVISION_HASH_LENGTH, digest);
}

char *revision_file_name(const char *name) {
    return join_texts(name, REVISION_SUFFIX, NULL);
}

size_t revision_profile_part(const char *name, size_t length) {
    if (length < REVISION_HASH_LENGTH + 2 || name[length - REVISION_HASH_LENGTH - 1] != '-')
        return 0;
    for (size_t i = length - REVISION_HASH_LENGTH; i < length; i++)
        if (!strchr("0123456789abcdef", name[i]))
            return 0;
    return length - REVISION_HASH_LENGTH - 1;
}

size_t revision_name_length(const char *file_name) {
    size_t length = strlen(file_name), suffix = strlen(REVISION_SUFFIX);
    if (length <= suffix || strcmp(file_name + length - suffix, REVISION_SUFFIX) != 0 ||
        *file_name == '.')
        return 0;
    return revision_profile_part(file_name, length - suffix) ? length - suffix : 0;
}

size_t revision_profile_length(const char *file_name) {
    size_t length = revision_name_length(file_name);
    return length ? revision_profile_part(file_name, length) : 0;
}

bool revision_is_name(const char *name) {
    size_t length = strlen(name);
    return !strchr(name, '/') && *name != '.' && length <= NAME_MAX - strlen(REVISION_SUFFIX) &&
           revision_profile_part(name, length) > 0;
}

int revision_check_any_name(const char *name, vqemu_error **error) {
    if (*name && *name != '.' && !strchr(name, '/'))
        return 0;
    int r = error_set(error, VQEMU_ERR_INVALID, 0,
                      "\"%s\" is neither the name of a revision nor of a profile", name);
    return error_because(r, error, "bad-name", VQEMU_DETAIL_VALUE, name, NULL);
}

int revision_check_name(const char *name, vqemu_error **error) {
    if (revision_is_name(name))
        return 0;
    int r = error_set(error, VQEMU_ERR_INVALID, 0,
                      "\"%s\" is not the name of a revision, such as kvm-linux-8e1e73bc", name);
    return error_because(r, error, "bad-name", VQEMU_DETAIL_VALUE, name, NULL);
}

bool profile_is_name(const char *name) {
    size_t length = strlen(name);
    return length > 0 && length <= NAME_LENGTH_MAX && *name != '-' &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == length &&
           !revision_is_name(name);
}

int profile_check_name(const char *profile, vqemu_error **error) {
    if (profile_is_name(profile))
        return 0;
    int r = error_set(error, VQEMU_ERR_INVALID, 0, "\"%.200s\" cannot be the name of a profile",
                      profile);
    return error_because(r, error, "bad-name", VQEMU_DETAIL_VALUE, profile, NULL);
}
