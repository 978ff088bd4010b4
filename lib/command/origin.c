/* SPDX-License-Identifier: MIT */
#include "command/origin.h"

#include <string.h>

bool origin_is_default(const struct origin *origin) {
    return origin->message && strncmp(origin->message, "default", strlen("default")) == 0;
}

void origin_add_key(const struct origin *origin, struct strbuf *text) {
    if (origin->list)
        strbuf_addf(text, "%s[%u]", origin->list, (unsigned)origin->index);
    if (origin->inner)
        strbuf_addf(text, ".%s[%u]", origin->inner, (unsigned)origin->inner_index);
    if (origin->key)
        strbuf_addf(text, "%s%s", origin->list ? "." : "", origin->key);
    if (origin->name)
        strbuf_addf(text, ".%s", origin->name);
}
