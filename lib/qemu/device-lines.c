/* SPDX-License-Identifier: MIT */
#include "qemu/device-lines.h"

#include <string.h>

#include "util/cleanup.h"
#include "util/word.h"

#define NAME "name \""
#define ALIAS ", alias \""
#define DESCRIPTION ", desc \""
#define NOT_FOR_USERS ", no-user"

/* What is quoted behind a mark; "" if it is not there. It is cut off. */
static const char *take_quoted(char *line, const char *mark) {
    char *start = strstr(line, mark);
    if (!start)
        return "";
    start += strlen(mark);
    char *end = strchr(start, '"');
    if (!end)
        return "";
    *end = '\0';
    return start;
}

/* Whether a line ends so, which is cut off. */
static bool take_end(char *line, const char *end) {
    if (!ends_with(line, end))
        return false;
    line[strlen(line) - strlen(end)] = '\0';
    return true;
}

static int add_line(json_t *index, char *line) {
    if (strncmp(line, NAME, strlen(NAME)) != 0)
        return 0;
    bool is_pluggable = !take_end(line, NOT_FOR_USERS);
    char *description = strstr(line, DESCRIPTION);
    if (description)
        *description = '\0'; /* anything can be in it */
    const char *alias = take_quoted(line, ALIAS), *name = take_quoted(line, NAME);
    json_t *device = json_object();
    if (json_object_set_new(index, name, device) < 0)
        return -1;
    if (*alias && json_object_set_new(device, "alias", json_string(alias)) < 0)
        return -1;
    return is_pluggable ? 0 : json_object_set_new(device, "pluggable", json_false());
}

json_t *device_lines_index(const char *text) {
    _cleanup_free_ char *lines = strdup(text);
    json_t *index = json_object();
    int r = lines && index ? 0 : -1;
    char *rest;
    for (char *line = r == 0 ? strtok_r(lines, "\r\n", &rest) : NULL; r == 0 && line;
         line = strtok_r(NULL, "\r\n", &rest))
        r = add_line(index, line);
    if (r == 0)
        return index;
    json_decref(index);
    return NULL;
}
