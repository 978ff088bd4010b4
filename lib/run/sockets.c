/* SPDX-License-Identifier: MIT */
#include "run/sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/error.h"
#include "command/command.h"
#include "qemu/peer.h"
#include "util/fd.h"
#include "util/path.h"
#include "util/strbuf.h"

/* A socket that is going to be made. */
struct wanted {
    const char *key, *path;
};

static int about(const struct wanted *wanted, int code, const char *reason, vqemu_error **error) {
    return error_because(code, error, reason, VQEMU_DETAIL_KEY, wanted->key, VQEMU_DETAIL_PATH,
                         wanted->path, NULL);
}

static int refuse_other(const struct wanted *wanted, const char *kind, vqemu_error **error) {
    int r = error_set(error, VQEMU_ERR_REFUSED, 0,
                      "%s: %s is %s, which would be removed to make the socket: choose another "
                      "path, or remove it yourself",
                      wanted->key, wanted->path, kind);
    return about(wanted, r, "not-a-socket", error);
}

static int refuse_used(const struct wanted *wanted, int fd, vqemu_error **error) {
    struct peer peer = fd >= 0 ? peer_of(fd) : PEER_NONE;
    _cleanup_free_ char *process =
        peer.pid > 0 ? format_string("process %d", (int)peer.pid) : strdup("another program");
    peer_close(&peer);
    if (!process)
        return error_no_memory(error);
    int r = error_set(error, VQEMU_ERR_BUSY, 0,
                      "%s: %s listens at %s, and nobody would reach it any more: stop it, or "
                      "choose another path",
                      wanted->key, process, wanted->path);
    return about(wanted, r, "socket-in-use", error);
}

/* ---- who listens ---- */

/* One that nobody listens at is left from before, and may go. */
static int check_listener(const struct wanted *wanted, vqemu_error **error) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(wanted->path) >= sizeof address.sun_path)
        return 0; /* nobody could have made it */
    strcpy(address.sun_path, wanted->path);
    _cleanup_close_ int fd =
        fd_above_stdio(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (fd < 0)
        return about(wanted, error_system(error, -fd, "%s: cannot make a socket", wanted->key),
                     NULL, error);
    if (connect(fd, (const struct sockaddr *)&address, sizeof address) == 0)
        return refuse_used(wanted, fd, error);
    switch (errno) {
    case ECONNREFUSED:
    case ENOENT: /* gone meanwhile */
        return 0;
    case EAGAIN:     /* too many wait to be served */
    case EPROTOTYPE: /* it is of another type */
        return refuse_used(wanted, -1, error);
    default:
        return about(wanted,
                     error_system(error, errno, "%s: cannot tell whether somebody listens at %s",
                                  wanted->key, wanted->path),
                     NULL, error);
    }
}

/* ---- what is there ---- */

static const char *kind_of(mode_t mode) {
    return S_ISREG(mode)   ? "a file"
           : S_ISDIR(mode) ? "a directory"
           : S_ISLNK(mode) ? "a symbolic link"
                           : "a device or FIFO";
}

/* The caller may see less than the VM's user. */
static int check_directory(const struct wanted *wanted, vqemu_error **error) {
    struct stat status;
    size_t length = (size_t)(base_name(wanted->path) - wanted->path);
    _cleanup_free_ char *directory = strndup(wanted->path, length > 1 ? length - 1 : length);
    if (!directory)
        return error_no_memory(error);
    if (stat(directory, &status) == 0 || errno == EACCES)
        return 0;
    return about(wanted,
                 error_system(error, errno, "%s: the directory %s, in which the socket is to be",
                              wanted->key, directory),
                 NULL, error);
}

/* Returns 1 if it is a socket, 0 if nothing is there. */
static int check_place(const struct wanted *wanted, vqemu_error **error) {
    struct stat status;
    if (lstat(wanted->path, &status) < 0)
        return errno == ENOENT || errno == ENOTDIR ? check_directory(wanted, error)
               : errno == EACCES                   ? 0
                                                   : about(wanted,
                                                           error_system(error, errno, "%s: cannot look at %s",
                                                                        wanted->key, wanted->path),
                                                           NULL, error);
    return S_ISSOCK(status.st_mode) ? 1 : refuse_other(wanted, kind_of(status.st_mode), error);
}

int sockets_check(const vqemu_command *command, vqemu_error **error) {
    const struct resources *resources = command_resources(command);
    int r = 0;
    for (size_t i = 0; r >= 0 && i < resources->sockets.count; i++) {
        const char *path = resources->sockets.items[i];
        const struct wanted wanted = {resources_key_of_socket(resources, path), path};
        r = check_place(&wanted, error);
        if (r == 1)
            r = check_listener(&wanted, error);
    }
    /* Who serves these may listen already. */
    for (size_t i = 0; r >= 0 && i < resources->companion_count; i++) {
        const char *path = resources->companions[i].socket;
        const struct wanted wanted = {resources_key_of_socket(resources, path), path};
        r = check_place(&wanted, error);
    }
    return r < 0 ? r : 0;
}
