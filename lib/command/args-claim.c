/* SPDX-License-Identifier: MIT */
#include "command/args-claim.h"

#include <string.h>

#include "base/error.h"

/* A path without what means nothing in it: "//" and "/./". Links cannot be known. */
static char *plain_path(const char *path) {
    char *plain = strdup(path), *end = plain;
    for (const char *c = path; plain && *c; c++) {
        bool is_dot = c[0] == '.' && end > plain && end[-1] == '/' && (c[1] == '/' || !c[1]);
        bool is_slash = c[0] == '/' && end > plain && end[-1] == '/';
        if (!is_dot && !is_slash)
            *end++ = *c;
    }
    if (plain)
        *end = '\0';
    return plain;
}

/* Claims are pairs: a key and what it takes. */
void args_claim(struct args *args, const char *key, const char *what) {
    strv_add(&args->claims, key);
    strv_take_in(&args->claims, *what == '/' ? plain_path(what) : strdup(what));
}

void args_claim_descriptor(struct args *args, const char *key, uint64_t fd) {
    strv_add(&args->claims, key);
    strv_addf(&args->claims, "descriptor %d", (int)fd);
    resources_add_fd(&args->resources, (int)fd, key);
}

/* What has no key of the VM, such as a socket of the service, does not begin the message. */
static int taken_twice(const char *a, const char *b, const char *what, vqemu_error **error) {
    bool is_key = !strchr(a, ' ');
    return args_refuse(error, VQEMU_ERR_INVALID, "%s: %s is that of %s as well", is_key ? a : b,
                       what, is_key ? b : a);
}

int args_check_claims(const struct args *args, vqemu_error **error) {
    const struct strv *claims = &args->claims;
    if (claims->failed)
        return error_no_memory(error);
    for (size_t i = 0; i < claims->count; i += 2)
        for (size_t j = 0; j < i; j += 2)
            if (strcmp(claims->items[i + 1], claims->items[j + 1]) == 0)
                return taken_twice(claims->items[i], claims->items[j], claims->items[i + 1], error);
    return 0;
}
