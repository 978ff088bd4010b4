/* SPDX-License-Identifier: MIT */
#include "upkeep/guest-name.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/proc.h"
#include "util/cleanup.h"
#include "util/path.h"
#include "util/strbuf.h"

#define PREFIX "volt-"

/*
 * Take one value from an option of QEMU, up to a comma; two commas stand for one of the value.
 * *rest is what is behind, NULL at the end.
 */
static void take_value(const char *text, struct strbuf *value, const char **rest) {
    for (; *text; text++) {
        if (*text == ',' && text[1] != ',') {
            *rest = text + 1;
            return;
        }
        text += *text == ',';
        strbuf_add_char(value, *text);
    }
    *rest = NULL;
}

/* The value of "guest=" in an option, or of the first key if that is not named. */
static int find_in_option(const char *option, char **name) {
    const char *key = "guest=";
    for (bool first = true; option; first = false) {
        _cleanup_strbuf_ struct strbuf value = {0};
        take_value(option, &value, &option);
        if (value.failed)
            return -ENOMEM;
        const char *text = value.text ? value.text : "";
        bool is_named = strncmp(text, key, strlen(key)) == 0;
        if (!is_named && (!first || !*text || strchr(text, '=')))
            continue;
        text += is_named ? strlen(key) : 0;
        *name = strdup(strncmp(text, PREFIX, strlen(PREFIX)) == 0 ? text + strlen(PREFIX) : text);
        return *name ? 0 : -ENOMEM;
    }
    return 0;
}

/* Others, such as find, have an option of that name, too. */
static bool is_qemu(const char *argument) {
    return strncmp(base_name(argument), "qemu-system-", strlen("qemu-system-")) == 0;
}

int guest_name_of_arguments(const char *arguments, size_t size, char **name) {
    bool is_of_qemu = false, is_next = false;
    *name = NULL;
    for (size_t at = 0; at < size; at += strnlen(arguments + at, size - at) + 1) {
        const char *argument = arguments + at;
        if (is_next)
            return find_in_option(argument, name);
        is_of_qemu = is_of_qemu || is_qemu(argument);
        is_next = is_of_qemu && (strcmp(argument, "-name") == 0 || strcmp(argument, "--name") == 0);
    }
    return 0;
}

int guest_name_of_process(pid_t pid, char **name) {
    _cleanup_close_ int proc_fd = -1, process_fd = -1;
    _cleanup_free_ char *arguments = NULL;
    size_t size;
    *name = NULL;
    if (proc_open(&proc_fd, NULL) < 0)
        return 0;
    process_fd = proc_open_process(proc_fd, pid);
    if (process_fd < 0)
        return 0;
    int r = proc_read_arguments(process_fd, &arguments, &size);
    return r == 0 && arguments ? guest_name_of_arguments(arguments, size, name) : r;
}
