/* SPDX-License-Identifier: MIT */
/* What the dynamic loader looks for (ld.so(8)), when it is called as lib/qemu/program.c does. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/elf-file.h"
#include "content/closure-walk.h"
#include "util/path.h"
#include "util/strbuf.h"

/* ---- where it looks ---- */

#define ORIGIN "$ORIGIN"
#define ORIGIN_BRACED "${ORIGIN}"

/* The part behind $ORIGIN of a directory that begins with it; NULL for another. */
static const char *behind_origin(const char *directory) {
    if (strncmp(directory, ORIGIN_BRACED, strlen(ORIGIN_BRACED)) == 0)
        return directory + strlen(ORIGIN_BRACED);
    if (strncmp(directory, ORIGIN, strlen(ORIGIN)) == 0)
        return directory + strlen(ORIGIN);
    return NULL;
}

/* Cut the last part off a path that ends in no slash; "" afterwards for the top. */
static bool cut_last(char *path) {
    char *slash = strrchr(path, '/');
    if (!*path)
        return false;
    *(slash ? slash : path) = '\0';
    return true;
}

/* Follow the parts of a path from a directory of the profile; false if it leads out of it. */
static bool follow(char *directory, size_t size, const char *path) {
    while (*path) {
        size_t length = strcspn(path, "/");
        bool is_up = length == 2 && strncmp(path, "..", 2) == 0;
        bool is_none = length == 0 || (length == 1 && *path == '.');
        size_t used = strlen(directory);
        if (is_up ? !cut_last(directory) : !is_none && used + length + 2 > size)
            return false;
        if (!is_up && !is_none) {
            if (used > 0)
                directory[used++] = '/';
            memcpy(directory + used, path, length);
            directory[used + length] = '\0';
        }
        path += length + (path[length] == '/');
    }
    return true;
}

/* A library in a directory that is named from that of a file of the profile. */
static int find_from_origin(const struct walk *walk, size_t file, const char *way, const char *name,
                            int64_t *found) {
    char directory[512];
    const char *path = walk_path(walk, file);
    size_t length = (size_t)(base_name(path) - path);
    *found = -1;
    if (length >= sizeof directory)
        return 0;
    memcpy(directory, path, length);
    directory[length ? length - 1 : 0] = '\0';
    if (!follow(directory, sizeof directory - 1, way))
        return 0;
    if (*directory)
        strcat(directory, "/");
    return walk_find(walk, directory, name, found);
}

/* Directories of a list, of which "lib/" is none. */
static int find_in_list(const struct walk *walk, size_t file, const char *list, const char *name,
                        int64_t *found) {
    *found = -1;
    while (list && *list && *found < 0) {
        size_t length = strcspn(list, ":");
        _cleanup_free_ char *directory = strndup(list, length);
        if (!directory)
            return -ENOMEM;
        const char *way = behind_origin(directory);
        int r = way ? find_from_origin(walk, file, way, name, found) : 0;
        if (r < 0)
            return r;
        list += length + (list[length] == ':');
    }
    return 0;
}

static int find_library(const struct walk *walk, size_t file, const struct elf_needs *needs,
                        const char *name, int64_t *found) {
    int r = walk_find(walk, LIBRARY_PREFIX, name, found);
    if (r == 0 && *found < 0)
        r = find_in_list(walk, file, needs->runpath ? needs->runpath : needs->rpath, name, found);
    return r;
}

/* ---- what it finds ---- */

/* The loader passes over what it cannot use, and goes on to the host's. */
static int check_found(struct walk *walk, size_t file, const struct elf_info *elf, const char *name,
                       size_t found) {
    const char *path = walk_path(walk, found);
    _cleanup_close_ int fd = walk->files->open(walk->files->context, found);
    struct elf_info info;
    if (fd < 0)
        return fd == -ENOMEM ? fd : 0; /* told when it is looked into */
    int r = elf_read(fd, &info);
    if (r < 0)
        return r == -ENOMEM ? r : 0;
    bool is_same =
        info.arch == elf->arch || (info.arch && elf->arch && strcmp(info.arch, elf->arch) == 0);
    if (info.is_elf && is_same)
        return 0;
    char *message =
        info.is_elf ? format_string("%s is for %s, and %s, which needs it, for %s", path,
                                    info.arch ? info.arch : "another machine",
                                    walk_path(walk, file), elf->arch ? elf->arch : "another one")
                    : format_string("%s is no library (no ELF file); %s needs it", path,
                                    walk_path(walk, file));
    return closure_add(walk->closure, CLOSURE_LIBRARY, CLOSURE_UNUSABLE, name,
                       walk_path(walk, file), message);
}

static int take_library(struct walk *walk, size_t file, const struct elf_info *elf,
                        const struct elf_needs *needs, const char *name) {
    const char *path = walk_path(walk, file);
    int64_t found = -1;
    int r = strchr(name, '/') ? 0 : find_library(walk, file, needs, name, &found);
    if (r < 0)
        return r;
    if (found < 0)
        return closure_add(
            walk->closure, CLOSURE_LIBRARY, CLOSURE_FROM_HOST, name, path,
            strchr(name, '/')
                ? format_string("%s needs %s by its path, on the host", path, name)
                : format_string("lib/%s is not there: %s takes the host's", name, path));
    if (!walk->used[found])
        r = check_found(walk, file, elf, name, (size_t)found);
    walk_use(walk, (size_t)found);
    return r;
}

/* Of a list of directories, one that is on the host; owned by the caller, NULL for none. */
static int find_host_directory(const char *list, char **directory) {
    *directory = NULL;
    while (list && *list) {
        size_t length = strcspn(list, ":");
        if (*list == '/') {
            *directory = strndup(list, length);
            return *directory ? 0 : -ENOMEM;
        }
        list += length + (list[length] == ':');
    }
    return 0;
}

/* DT_RPATH goes before --library-path, unless there is DT_RUNPATH, which goes behind it. */
static int check_rpath(struct walk *walk, size_t file, const struct elf_needs *needs) {
    _cleanup_free_ char *directory = NULL;
    const char *path = walk_path(walk, file);
    if (!needs->rpath || needs->runpath || needs->libraries.count == 0)
        return 0;
    int r = find_host_directory(needs->rpath, &directory);
    if (r < 0 || !directory)
        return r;
    return closure_add(
        walk->closure, CLOSURE_LIBRARY, CLOSURE_FROM_HOST, directory, path,
        format_string("%s looks for its libraries in %s of the host first (DT_RPATH)", path,
                      directory));
}

int walk_libraries(struct walk *walk, size_t file, int fd, const struct elf_info *elf) {
    _cleanup_elf_needs_ struct elf_needs needs;
    int r = elf_read_needs(fd, &needs);
    if (r == 0)
        r = check_rpath(walk, file, &needs);
    for (size_t i = 0; r == 0 && i < needs.libraries.count; i++)
        r = take_library(walk, file, elf, &needs, needs.libraries.items[i]);
    return r;
}

int walk_loader(struct walk *walk, size_t file, const struct elf_info *elf) {
    const char *name = base_name(elf->loader);
    int64_t found;
    int r = walk_find(walk, LIBRARY_PREFIX, name, &found);
    if (r < 0)
        return r;
    if (found < 0)
        return closure_add(walk->closure, CLOSURE_LOADER, CLOSURE_FROM_HOST, name,
                           walk_path(walk, file),
                           format_string("lib/%s is not there: %s is started by the host's "
                                         "dynamic loader",
                                         name, walk_path(walk, file)));
    if (!walk->used[found])
        r = check_found(walk, file, elf, name, (size_t)found);
    walk_use(walk, (size_t)found);
    return r;
}

/* The names of those that it is linked with are among the texts of a file, too. */
int walk_library_name(struct walk *walk, size_t file, const char *name) {
    const char *path = walk_path(walk, file);
    int64_t found;
    int r = walk_find(walk, LIBRARY_PREFIX, name, &found);
    if (r == 0 && found >= 0)
        walk_use(walk, (size_t)found);
    if (r < 0 || found >= 0 || closure_has(walk->closure, CLOSURE_LIBRARY, CLOSURE_FROM_HOST, name))
        return r;
    return closure_add(walk->closure, CLOSURE_LIBRARY, CLOSURE_OPTIONAL, name, path,
                       format_string("lib/%s is not there: %s has its name, and may ask for it "
                                     "while it runs",
                                     name, path));
}
