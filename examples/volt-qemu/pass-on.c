/* SPDX-License-Identifier: MIT */
#include "pass-on.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "message.h"
#include "parse.h"

/* The number in NAME=NUMBER; NULL if it is another name's. */
static const char *number_of(const char *text, const char *name) {
    size_t length = strlen(name);
    return strncmp(text, name, length) == 0 && text[length] == '=' ? text + length + 1 : NULL;
}

/* The last of several options for one name counts. */
static int find_named(const struct options *options, const char *key, const char *name, int *fd) {
    int64_t number = -1;
    for (size_t i = 0; i < options->setting_count; i++) {
        const struct setting *setting = &options->settings[i];
        const char *text = setting->kind == SETTING_FD ? number_of(setting->text, name) : NULL;
        if (text && !parse_number(text, INT_MAX, &number))
            return fail_usage(options->command, "option '--fd' needs NAME=NUMBER, not '%s'",
                              setting->text);
    }
    if (number < 0)
        return fail_text("%s: no descriptor is given for it: say --fd %s=NUMBER", key, name);
    *fd = (int)number;
    return 0;
}

/* Out of the way of all numbers that are still to be given. */
static int move_above(int fd, int above, const char *what) {
    int moved = fcntl(fd, F_DUPFD_CLOEXEC, above);
    if (moved < 0)
        fail_system(errno, "%s: descriptor %d cannot be passed on", what, fd);
    return moved;
}

static int move_all(const struct options *options, const vqemu_command *command, int above,
                    int *moved) {
    size_t count = vqemu_command_fd_count(command);
    for (size_t i = 0; i < count; i++) {
        const char *key = vqemu_command_fd_key(command, i);
        const char *name = vqemu_command_fd_name(command, i);
        int fd = vqemu_command_fd_at(command, i);
        int status = name ? find_named(options, key, name, &fd) : 0;
        if (status)
            return status;
        moved[i] = move_above(fd, above, key);
        if (moved[i] < 0)
            return EXIT_FAILURE;
    }
    return 0;
}

int pass_on(const struct options *options, const vqemu_command *command) {
    size_t count = vqemu_command_fd_count(command);
    _cleanup_free_ int *moved = calloc(count + 1, sizeof *moved);
    int above = STDERR_FILENO + 1;
    if (!moved)
        return fail_system(errno, "cannot pass on descriptors");
    for (size_t i = 0; i < count; i++)
        if (vqemu_command_fd_at(command, i) >= above)
            above = vqemu_command_fd_at(command, i) + 1;
    int status = move_all(options, command, above, moved);
    if (status)
        return status;
    if (close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
        return fail_system(errno, "cannot keep the caller's descriptors from QEMU");
    /* Without close-on-exec: the tree is leased as long as QEMU lives. */
    if (fcntl(vqemu_runtime_lease_fd(vqemu_command_runtime(command)), F_DUPFD, above) < 0)
        return fail_system(errno, "cannot pass on the lease of the tree");
    for (size_t i = 0; i < count; i++)
        if (dup2(moved[i], vqemu_command_fd_at(command, i)) < 0)
            return fail_system(errno, "%s: cannot be passed on", vqemu_command_fd_key(command, i));
    return 0;
}
