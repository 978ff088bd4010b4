/* SPDX-License-Identifier: MIT */
#include "run/directory.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/progress.h"
#include "base/trusted.h"
#include "command/command.h"
#include "util/cleanup.h"
#include "util/dir.h"
#include "util/fd.h"
#include "util/path.h"

/* A directory as it is being prepared. */
struct directory {
    const struct owner *owner;
    const char *path;
    enum directory_use use;
    vqemu_call *call;
    struct trusted_walk walk;
    struct stat status;
    int fd;
    bool is_vms;
};

/* ---- what is refused ---- */

static int refuse(int code, const char *reason, const char *path, vqemu_error **error) {
    return error_because(code, error, reason, VQEMU_DETAIL_PATH, path, NULL);
}

static bool is_below(const char *path, const char *directory) {
    size_t length = strlen(directory);
    return strncmp(path, directory, length) == 0 && path[length] == '/';
}

static bool is_default(const char *path) {
    return is_below(path, "/var/lib/volt") || is_below(path, COMMAND_RUNTIME_BASE);
}

static int refuse_writable(const char *path, const struct stat *status, vqemu_error **error) {
    bool by_all = status->st_mode & S_IWOTH;
    /* One that is sticky is to be for all, as /tmp is. */
    const char *change = status->st_mode & S_ISVTX ? NULL : by_all ? "o-w" : "g-w";
    return refuse(error_set(error, VQEMU_ERR_REFUSED, 0,
                            "%s can write to %s: choose another directory%s%s",
                            by_all ? "everybody" : "a whole group", path,
                            change ? ", or chmod " : ", such as one in it", change ? change : ""),
                  by_all ? "writable-by-all" : "writable-by-group", path, error);
}

static int cannot_open(const struct trusted_walk *walk, const char *path, int system_errno,
                       vqemu_error **error) {
    const char *place = *walk->place ? walk->place : "/";
    bool is_refused = system_errno == EACCES || system_errno == EROFS;
    switch (walk->distrust) {
    case DISTRUST_LINK:
        return refuse(error_set(error, VQEMU_ERR_REFUSED, ELOOP,
                                "%s is a symbolic link that another user may have made; give the "
                                "path that it leads to",
                                place),
                      "symbolic-link", place, error);
    case DISTRUST_OWNER:
        return refuse(error_set(error, VQEMU_ERR_REFUSED, 0,
                                "%s, which is above %s, belongs to user %ju, who is neither you "
                                "nor the user of the VM, and can put another directory there: "
                                "choose another place",
                                place, path, (uintmax_t)walk->status.st_uid),
                      "wrong-owner", place, error);
    case DISTRUST_MODE:
        return refuse_writable(place, &walk->status, error);
    default:
        return error_because(
            error_system(error, system_errno, "cannot make the directory %s%s", place,
                         is_refused && is_default(path)
                             ? " (set state_dir and runtime_dir to directories of your own)"
                             : ""),
            error, NULL, VQEMU_DETAIL_PATH, place, NULL);
    }
}

static int check_kind(const struct directory *directory, vqemu_error **error) {
    const char *path = directory->path;
    if (S_ISLNK(directory->status.st_mode))
        return refuse(error_set(error, VQEMU_ERR_REFUSED, 0,
                                "%s is a symbolic link; give the path that it leads to", path),
                      "symbolic-link", path, error);
    if (!S_ISDIR(directory->status.st_mode))
        return refuse(error_set(error, VQEMU_ERR_INVALID, 0, "%s is no directory", path), NULL,
                      path, error);
    return 0;
}

/* Who else can write to it decides what QEMU reads from it, and what its sockets lead to. */
static int check_trust(const struct directory *directory, vqemu_error **error) {
    const struct stat *status = &directory->status;
    bool keeps_apart = directory->use == DIRECTORY_SHARED && status->st_mode & S_ISVTX;
    int r = owner_check(directory->owner, status, directory->path, error);
    if (r == 0 && trusted_others_write(status) && !keeps_apart)
        r = refuse_writable(directory->path, status, error);
    return r;
}

/* ---- whose it is ---- */

static int note_other(int directory_fd, const char *name, void *unused) {
    (void)directory_fd;
    (void)name;
    (void)unused;
    return 1;
}

/* Only root's or the caller's word counts. What cannot be read says nothing. */
static bool has_marker(const struct directory *directory, int fd) {
    char text[IDENTITY_ID_MAX + 2] = "";
    const char *id = directory->owner->vm_id;
    struct stat status;
    _cleanup_close_ int marker =
        open_at(fd, DIRECTORY_MARKER, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0);
    if (marker < 0 || fstat(marker, &status) < 0 || !S_ISREG(status.st_mode) ||
        (status.st_uid != 0 && status.st_uid != geteuid()))
        return false;
    ssize_t size = read_some_at(marker, text, sizeof text, 0);
    size_t length = strlen(id);
    return size == (ssize_t)length + 1 && memcmp(text, id, length) == 0 && text[length] == '\n';
}

/* By its name, which no other VM has: see identity_id(). */
static bool is_named_for(const struct directory *directory) {
    static const char *const bases[] = {COMMAND_STATE_BASE "/", COMMAND_RUNTIME_BASE "/"};
    const char *place = directory->walk.place, *id = directory->owner->vm_id;
    for (size_t i = 0; i < sizeof bases / sizeof *bases; i++) {
        size_t length = strlen(bases[i]);
        if (strncmp(place, bases[i], length) != 0 || strncmp(place + length, id, strlen(id)) != 0)
            continue;
        char end = place[length + strlen(id)];
        if (end == '\0' || end == '/')
            return true;
    }
    return false;
}

static int mark(const struct directory *directory, int fd, vqemu_error **error) {
    char text[IDENTITY_ID_MAX + 2];
    size_t length = strlen(directory->owner->vm_id);
    memcpy(text, directory->owner->vm_id, length);
    text[length] = '\n';
    _cleanup_close_ int marker =
        open_at(fd, DIRECTORY_MARKER, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
    if (marker == -EEXIST)
        return 0;
    int r = marker < 0 ? marker : fchmod(marker, 0600) < 0 ? -errno : 0;
    if (r == 0)
        r = write_all(marker, text, length + 1);
    if (r == 0)
        return 0;
    unlinkat(fd, DIRECTORY_MARKER, 0); /* a part of it would say that it is another's */
    return error_system_at(error, -r, "cannot make", "%s/" DIRECTORY_MARKER, directory->path);
}

/* The directory is locked. That it was made by this call says nothing: whom the one above belongs
 * to can have put another there since. */
static int find_out(struct directory *directory, int fd, vqemu_error **error) {
    bool is_empty = for_each_entry(fd, ".", note_other, NULL) == 0;
    bool is_wanted = directory->walk.made || directory->use != DIRECTORY_SHARED;
    directory->is_vms = is_empty || is_named_for(directory) || has_marker(directory, fd);
    return is_empty && is_wanted ? mark(directory, fd, error) : 0;
}

/* ---- what is done ---- */

static int give(const struct directory *directory, vqemu_error **error) {
    if (directory->use == DIRECTORY_SHARED && !directory->walk.made)
        return 0;
    return owner_give(directory->owner, directory->fd, &directory->status, directory->is_vms,
                      directory->path, error);
}

/* FAT and the like say that they do. */
int directory_refuse_modes(const char *path, vqemu_error **error) {
    return refuse(error_set(error, VQEMU_ERR_UNSUPPORTED, 0,
                            "the file system of %s keeps no modes, so that others could open it: "
                            "mount it for one user (umask=077), or choose another directory",
                            path),
                  "modes-not-kept", path, error);
}

/* Whose umask is 0 makes sockets that everybody may connect to. */
static int make_private(struct directory *directory, int fd, vqemu_error **error) {
    const char *path = directory->path;
    mode_t mode = directory->status.st_mode & 07777;
    if (directory->use != DIRECTORY_PRIVATE || (mode & 077) == 0)
        return 0;
    if (!directory->is_vms)
        return refuse(error_set(error, VQEMU_ERR_REFUSED, 0,
                                "others than its owner can open %s, which has mode %04o, and then "
                                "the sockets in it: chmod 700, or choose another directory",
                                path, (unsigned)mode),
                      "open-to-others", path, error);
    if (fchmod(fd, mode & ~(mode_t)077) < 0 || fstat(fd, &directory->status) < 0)
        return error_system_at(error, errno, "cannot make private (chmod 700)", "%s", path);
    return directory->status.st_mode & 077 ? directory_refuse_modes(path, error) : 0;
}

/* Others that prepare the VM meanwhile must not find it half marked. */
static int lock(struct directory *directory, int fd, vqemu_error **error) {
    struct vqemu_progress progress = {.call = directory->call};
    int r = progress_lock(&progress, fd, LOCK_EX, 0, directory->path, error);
    if (r == 0 && fstat(fd, &directory->status) < 0)
        r = error_system_at(error, errno, "cannot look at", "%s", directory->path);
    return r;
}

/* What is as it must be is not even locked. */
static bool is_settled(const struct directory *directory) {
    const struct stat *status = &directory->status;
    bool is_to_give = directory->owner->is_user && status->st_uid != directory->owner->uid;
    return !directory->walk.made && !is_to_give &&
           !(directory->use == DIRECTORY_PRIVATE && status->st_mode & 077);
}

static int settle(struct directory *directory, vqemu_error **error) {
    _cleanup_close_ int fd = open_at(directory->fd, ".", O_RDONLY | O_DIRECTORY, 0);
    if (fd < 0)
        return error_system_at(error, -fd, "cannot open", "%s", directory->path);
    int r = lock(directory, fd, error);
    if (r == 0)
        r = check_trust(directory, error);
    if (r == 0)
        r = find_out(directory, fd, error);
    if (r == 0)
        r = give(directory, error);
    return r == 0 ? make_private(directory, fd, error) : r;
}

int directory_prepare(const struct owner *owner, const char *path, enum directory_use use,
                      vqemu_call *call, int *fd, bool *is_vms, vqemu_error **error) {
    struct directory directory = {
        .owner = owner,
        .path = path,
        .use = use,
        .call = call,
        .walk = {.user = owner->uid, .makes_directories = true},
    };
    _cleanup_close_ int opened = directory.fd = trusted_open(path, &directory.walk);
    if (opened < 0)
        return cannot_open(&directory.walk, path, -opened, error);
    if (fstat(opened, &directory.status) < 0)
        return error_system_at(error, errno, "cannot look at", "%s", path);
    int r = check_kind(&directory, error);
    if (r == 0)
        r = check_trust(&directory, error);
    if (r == 0 && is_settled(&directory)) {
        _cleanup_close_ int readable = open_at(opened, ".", O_RDONLY | O_DIRECTORY, 0);
        directory.is_vms =
            is_named_for(&directory) || (readable >= 0 && has_marker(&directory, readable));
    } else if (r == 0) {
        r = settle(&directory, error);
    }
    if (r < 0)
        return r;
    *is_vms = directory.is_vms;
    *fd = take_fd(&opened);
    return 0;
}
