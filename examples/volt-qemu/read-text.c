/* SPDX-License-Identifier: MIT */
#include "read-text.h"

#include "message.h"
#include "patience.h"
#include "text.h"

int read_text(const struct options *options, int fd, const char *what, size_t max, char **text) {
    size_t length;
    *text = grow(NULL, max + 2);
    int problem = read_patiently(fd, *text, max + 1, patience_end(options), &length);
    (*text)[length] = '\0';
    if (problem < 0)
        return fail_impatient(options, what);
    if (!problem && length > max)
        return fail_invalid("invalid", "%s: there are more than %zu bytes", what, max);
    return problem ? fail_system(problem, "cannot read %s", what) : 0;
}
