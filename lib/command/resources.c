/* SPDX-License-Identifier: MIT */
#include "command/resources.h"

#include <stdlib.h>
#include <string.h>

static void add_once(struct resources *resources, struct strv *list, const char *path) {
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i], path) == 0)
            return;
    strv_add(list, path);
    resources->failed = resources->failed || list->failed;
}

void resources_add_read(struct resources *resources, const char *path) {
    add_once(resources, &resources->reads, path);
}

void resources_add_write(struct resources *resources, const char *path) {
    add_once(resources, &resources->writes, path);
}

void resources_add_socket(struct resources *resources, const char *path) {
    add_once(resources, &resources->sockets, path);
}

void resources_add_connect(struct resources *resources, const char *path) {
    add_once(resources, &resources->connects, path);
}

void resources_add_device(struct resources *resources, const char *path) {
    add_once(resources, &resources->devices, path);
}

void resources_add_fd(struct resources *resources, int fd) {
    for (size_t i = 0; i < resources->fd_count; i++)
        if (resources->fds[i] == fd)
            return;
    int *fds = reallocarray(resources->fds, resources->fd_count + 1, sizeof *fds);
    if (!fds) {
        resources->failed = true;
        return;
    }
    resources->fds = fds;
    fds[resources->fd_count++] = fd;
}

static void release_companion(struct companion *companion) {
    free(companion->program);
    free(companion->socket);
    free(companion->directory);
}

void resources_add_companion(struct resources *resources, enum companion_kind kind,
                             const char *program, const char *socket, const char *directory,
                             bool read_only) {
    struct companion *companions =
        reallocarray(resources->companions, resources->companion_count + 1, sizeof *companions);
    if (!companions) {
        resources->failed = true;
        return;
    }
    resources->companions = companions;
    struct companion new = {.kind = kind,
                            .program = strdup(program),
                            .socket = strdup(socket),
                            .directory = strdup(directory),
                            .read_only = read_only};
    if (new.program &&new.socket &&new.directory) {
        companions[resources->companion_count++] = new;
    } else {
        release_companion(&new);
        resources->failed = true;
    }
}

void resources_release(struct resources *resources) {
    strv_release(&resources->reads);
    strv_release(&resources->writes);
    strv_release(&resources->sockets);
    strv_release(&resources->connects);
    strv_release(&resources->devices);
    free(resources->fds);
    for (size_t i = 0; i < resources->companion_count; i++)
        release_companion(&resources->companions[i]);
    free(resources->companions);
    *resources = (struct resources){0};
}
