/* SPDX-License-Identifier: MIT */
#include "store/source.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/call.h"
#include "base/error.h"
#include "util/fd.h"
#include "util/path.h"

/* reason: that of docs/errors.md; code: of the error that was just made. */
static int refuse(int code, const struct source *source, const char *path, const char *reason,
                  vqemu_error **error) {
    return error_because(code, error, reason, VQEMU_DETAIL_PATH, source->directory,
                         VQEMU_DETAIL_ENTRY, path, NULL);
}

static int check_name(const struct source *source, const char *path, vqemu_error **error) {
    const char *fault = manifest_find_new_path_fault(path);
    if (!fault)
        return 0;
    return refuse(error_set(error, VQEMU_ERR_INVALID, 0,
                            "%s/%s cannot be stored: a manifest cannot hold its path (%s)",
                            source->directory, path, fault),
                  source, path, "bad-path", error);
}

/* What is with a link that cannot be followed; NULL for other failures. */
static const char *find_link_fault(const struct source *source, const char *path, int r) {
    char target[1];
    if (r == -EXDEV)
        return "leaves the directory (it is absolute, or goes up by \"..\")";
    if (r == -ELOOP)
        return "leads in a circle, or by way of more than 40 links";
    return r == -ENOENT && readlinkat(source->fd, path, target, sizeof target) >= 0
               ? "leads to nothing"
               : NULL;
}

int source_open_file(const struct source *source, const char *path, int *fd, vqemu_error **error) {
    *fd = open_beneath(source->fd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, true);
    if (*fd >= 0)
        return 0;
    const char *fault = find_link_fault(source, path, *fd);
    if (fault)
        return refuse(error_set(error, *fd == -ENOENT ? VQEMU_ERR_NOT_FOUND : VQEMU_ERR_UNSUPPORTED,
                                0, "%s/%s is a symbolic link that %s; put the file itself there",
                                source->directory, path, fault),
                      source, path, *fd == -EXDEV ? "link-leads-out" : "link-broken", error);
    return error_system_at(error, -*fd, "cannot open", "%s/%s", source->directory, path);
}

/* Find out what a link leads to; *status becomes that of the file. */
static int follow_link(const struct source *source, const char *path, struct stat *status,
                       vqemu_error **error) {
    _cleanup_close_ int fd = -1;
    int r = source_open_file(source, path, &fd, error);
    if (r < 0)
        return r;
    if (fstat(fd, status) < 0)
        return error_system_at(error, errno, "cannot look at", "%s/%s", source->directory, path);
    if (S_ISREG(status->st_mode))
        return 0;
    return refuse(
        error_set(error, VQEMU_ERR_UNSUPPORTED, 0,
                  "%s/%s is a symbolic link to something other than a file; put files there",
                  source->directory, path),
        source, path, "link-broken", error);
}

static int check_size(struct source *source, const struct source_file *file, vqemu_error **error) {
    uint64_t limit = call_max_size(source->call);
    if (file->size <= limit && source->total_size <= limit - file->size) {
        source->total_size += file->size;
        return 0;
    }
    int r = error_set(error, VQEMU_ERR_INVALID, 0,
                      "%s is too large: with %s, its files have more than the %llu bytes that are "
                      "allowed",
                      source->directory, file->path, (unsigned long long)limit);
    return error_because(r, error, "too-large", VQEMU_DETAIL_PATH, source->directory, NULL);
}

/* Takes ownership of path. */
static int add_file(struct source *source, char *path, const struct stat *status,
                    vqemu_error **error) {
    if (source->count == call_max_objects(source->call)) {
        free(path);
        int r = error_set(error, VQEMU_ERR_INVALID, 0, "%s has more than %zu files",
                          source->directory, source->count);
        return error_because(r, error, "too-many-files", VQEMU_DETAIL_PATH, source->directory,
                             NULL);
    }
    if (source->count == source->capacity) {
        size_t capacity = source->capacity ? 2 * source->capacity : 64;
        struct source_file *files = realloc(source->files, capacity * sizeof *files);
        if (!files) {
            free(path);
            return error_no_memory(error);
        }
        source->files = files;
        source->capacity = capacity;
    }
    struct source_file *file = &source->files[source->count++];
    file->path = path;
    file->size = (uint64_t)status->st_size;
    file->executable = (status->st_mode & 0111) || strncmp(path, "bin/", 4) == 0;
    return check_size(source, file, error);
}

static int walk(struct source *source, int parent_fd, const char *name, const char *path,
                vqemu_error **error);

static int visit(struct source *source, int directory_fd, const char *name, const char *parent,
                 vqemu_error **error) {
    char *path = *parent ? join_path(parent, name) : strdup(name);
    if (!path)
        return error_no_memory(error);
    struct stat status;
    int r = call_check(source->call, path, error);
    if (r == 0)
        r = check_name(source, path, error);
    if (r == 0 && fstatat(directory_fd, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        r = error_system_at(error, errno, "cannot look at", "%s/%s", source->directory, path);
    if (r == 0 && S_ISLNK(status.st_mode))
        r = follow_link(source, path, &status, error);
    if (r == 0 && S_ISREG(status.st_mode))
        return add_file(source, path, &status, error);
    if (r == 0 && S_ISDIR(status.st_mode))
        r = walk(source, directory_fd, name, path, error);
    else if (r == 0)
        r = refuse(error_set(error, VQEMU_ERR_UNSUPPORTED, 0,
                             "%s/%s is a device, socket or FIFO; a profile holds only files",
                             source->directory, path),
                   source, path, "special-file", error);
    free(path);
    return r;
}

static int visit_entries(struct source *source, DIR *directory, const char *path,
                         vqemu_error **error) {
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(directory);
        if (!entry && errno)
            return error_system_at(error, errno, "cannot read the directory", "%s/%s",
                                   source->directory, path);
        if (!entry)
            return 0;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        int r = visit(source, dirfd(directory), entry->d_name, path, error);
        if (r < 0)
            return r;
    }
}

/* The depth of the recursion is limited by that of a manifest's paths. */
static int walk(struct source *source, int parent_fd, const char *name, const char *path,
                vqemu_error **error) {
    int fd = open_at(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    DIR *directory = fd < 0 ? NULL : fdopendir(fd);
    if (!directory) {
        int r = error_system_at(error, fd < 0 ? -fd : errno, "cannot read the directory", "%s%s%s",
                                source->directory, *path ? "/" : "", path);
        cleanup_close(&fd);
        return r;
    }
    int r = visit_entries(source, directory, path, error);
    closedir(directory);
    return r;
}

static int compare_files(const void *a, const void *b) {
    return strcmp(((const struct source_file *)a)->path, ((const struct source_file *)b)->path);
}

int source_open(const char *directory, vqemu_call *call, struct source *source,
                vqemu_error **error) {
    *source = (struct source){.fd = -1, .directory = directory, .call = call};
    if (!*directory)
        return error_set(error, VQEMU_ERR_INVALID, 0, "the path of the profile directory is empty");
    source->fd = open_at(AT_FDCWD, directory, O_RDONLY | O_DIRECTORY, 0);
    if (source->fd < 0)
        return error_system_at(error, -source->fd, "cannot open the profile directory", "%s",
                               directory);
    int r = walk(source, source->fd, ".", "", error);
    if (r < 0) {
        source_close(source);
        return r;
    }
    if (source->count > 0)
        qsort(source->files, source->count, sizeof *source->files, compare_files);
    return 0;
}

void source_close(struct source *source) {
    cleanup_close(&source->fd);
    for (size_t i = 0; i < source->count; i++)
        free(source->files[i].path);
    free(source->files);
    *source = (struct source){.fd = -1};
}
