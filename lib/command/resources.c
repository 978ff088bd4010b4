/* SPDX-License-Identifier: MIT */
#include "command/resources.h"

#include <stdlib.h>
#include <string.h>

#include <volt-qemu/command.h>

/* What is written is read as well. */
static const struct {
    uint32_t access;
    const char *name;
} access_names[] = {
    {VQEMU_FILE_READ, "read"},
    {VQEMU_FILE_READ | VQEMU_FILE_WRITE, "write"},
    {VQEMU_FILE_EXECUTE, "execute"},
    {VQEMU_FILE_READ | VQEMU_FILE_EXECUTE, "read, execute"},
    {VQEMU_FILE_READ | VQEMU_FILE_WRITE | VQEMU_FILE_EXECUTE, "write, execute"},
};

#define ACCESS_NAME_COUNT (sizeof access_names / sizeof *access_names)

const char *file_access_name(uint32_t access) {
    for (size_t i = 0; i < ACCESS_NAME_COUNT; i++)
        if (access_names[i].access == access)
            return access_names[i].name;
    return NULL;
}

uint32_t file_access_find(const char *name) {
    for (size_t i = 0; i < ACCESS_NAME_COUNT; i++)
        if (strcmp(access_names[i].name, name) == 0)
            return access_names[i].access;
    return 0;
}

static void add_once(struct resources *resources, struct strv *list, const char *path) {
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i], path) == 0)
            return;
    strv_add(list, path);
    resources->failed = resources->failed || list->failed;
}

/* What is used twice is used in both ways. */
void resources_add_file(struct resources *resources, const char *path, uint32_t access) {
    for (size_t i = 0; i < resources->file_count; i++) {
        if (strcmp(resources->files[i].path, path) == 0) {
            resources->files[i].access |= access;
            return;
        }
    }
    struct file_use *files =
        reallocarray(resources->files, resources->file_count + 1, sizeof *files);
    char *copy = files ? strdup(path) : NULL;
    if (files)
        resources->files = files;
    if (copy)
        files[resources->file_count++] = (struct file_use){.path = copy, .access = access};
    else
        resources->failed = true;
}

/* They are mostly asked for in the order in which they are listed. NULL if it is not. */
static struct file_use *find_file(struct resources *resources, const char *path) {
    for (size_t i = 0; i < resources->file_count; i++) {
        size_t index = (resources->found_file + i) % resources->file_count;
        if (strcmp(resources->files[index].path, path) != 0)
            continue;
        resources->found_file = index;
        return &resources->files[index];
    }
    return NULL;
}

void resources_name_file(struct resources *resources, const char *path, const char *key) {
    struct file_use *file = find_file(resources, path);
    if (file && !file->key)
        file->key = strdup(key);
    resources->failed = resources->failed || (file && !file->key);
}

void resources_note_qcow2(struct resources *resources, const char *path, uint32_t use) {
    struct file_use *file = find_file(resources, path);
    if (file)
        file->qcow2 = (file->qcow2 ? file->qcow2 & use : use) | QCOW2_IMAGE;
}

void resources_note_qcow2_fd(struct resources *resources, int fd, uint32_t use) {
    for (size_t i = 0; i < resources->fd_count; i++)
        if (resources->fds[i].fd == fd)
            resources->fds[i].qcow2 = use | QCOW2_IMAGE;
}

void resources_add_read(struct resources *resources, const char *path) {
    add_once(resources, &resources->reads, path);
    resources_add_file(resources, path, VQEMU_FILE_READ);
}

void resources_add_write(struct resources *resources, const char *path) {
    add_once(resources, &resources->writes, path);
    resources_add_file(resources, path, VQEMU_FILE_READ | VQEMU_FILE_WRITE);
}

void resources_add_socket(struct resources *resources, const char *path) {
    add_once(resources, &resources->sockets, path);
}

void resources_add_connect(struct resources *resources, const char *path) {
    add_once(resources, &resources->connects, path);
}

void resources_add_device(struct resources *resources, const char *path) {
    resources_add_block_device(resources, path, false);
}

void resources_add_block_device(struct resources *resources, const char *path, bool read_only) {
    add_once(resources, &resources->devices, path);
    resources_add_file(resources, path,
                       read_only ? VQEMU_FILE_READ : VQEMU_FILE_READ | VQEMU_FILE_WRITE);
}

void resources_add_fd(struct resources *resources, int fd, const char *key, const char *name) {
    for (size_t i = 0; i < resources->fd_count; i++)
        if (resources->fds[i].fd == fd)
            return;
    struct descriptor_use *fds = reallocarray(resources->fds, resources->fd_count + 1, sizeof *fds);
    if (!fds) {
        resources->failed = true;
        return;
    }
    resources->fds = fds;
    struct descriptor_use *added = &fds[resources->fd_count++];
    *added = (struct descriptor_use){fd, strdup(key), name ? strdup(name) : NULL, 0};
    if (!added->key || (name && !added->name))
        resources->failed = true;
}

void resources_name_socket(struct resources *resources, const char *name, const char *path) {
    strv_add(&resources->named_sockets, name);
    strv_add(&resources->named_sockets, path);
    resources->failed = resources->failed || resources->named_sockets.failed;
}

const char *resources_find_socket(const struct resources *resources, const char *name) {
    const struct strv *sockets = &resources->named_sockets;
    for (size_t i = 0; i + 1 < sockets->count; i += 2)
        if (strcmp(sockets->items[i], name) == 0)
            return sockets->items[i + 1];
    return NULL;
}

const char *resources_key_of_file(const struct resources *resources, const char *path) {
    for (size_t i = 0; i < resources->file_count; i++)
        if (strcmp(resources->files[i].path, path) == 0)
            return resources->files[i].key;
    return NULL;
}

const char *resources_key_of_socket(const struct resources *resources, const char *path) {
    static const char *const keys[][2] = {{VQEMU_SOCKET_QMP, "qmp_socket"},
                                          {VQEMU_SOCKET_VNC, "vnc_socket"},
                                          {VQEMU_SOCKET_CONSOLE, "console_path"},
                                          {VQEMU_SOCKET_AGENT, "guest_agent_socket"}};
    for (size_t i = 0; i < resources->companion_count; i++)
        if (resources->companions[i].socket_key &&
            strcmp(resources->companions[i].socket, path) == 0)
            return resources->companions[i].socket_key;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const char *named = resources_find_socket(resources, keys[i][0]);
        if (named && strcmp(named, path) == 0)
            return keys[i][1];
    }
    return "runtime_dir";
}

void resources_add_companion(struct resources *resources, enum companion_kind kind,
                             const char *program, const char *socket, const char *directory,
                             bool read_only, const char *directory_key, const char *socket_key) {
    struct companion *companions =
        reallocarray(resources->companions, resources->companion_count + 1, sizeof *companions);
    if (!companions) {
        resources->failed = true;
        return;
    }
    resources->companions = companions;
    struct companion *added = &companions[resources->companion_count];
    if (!companion_init(added, kind, program, socket, directory, read_only)) {
        resources->failed = true;
        return;
    }
    resources->companion_count++;
    added->directory_key = directory_key ? strdup(directory_key) : NULL;
    added->socket_key = socket_key ? strdup(socket_key) : NULL;
    if ((directory_key && !added->directory_key) || (socket_key && !added->socket_key))
        resources->failed = true;
    resources_add_file(resources, program, VQEMU_FILE_EXECUTE);
    resources_add_file(resources, directory,
                       read_only ? VQEMU_FILE_READ : VQEMU_FILE_READ | VQEMU_FILE_WRITE);
}

void resources_release(struct resources *resources) {
    strv_release(&resources->reads);
    strv_release(&resources->writes);
    strv_release(&resources->sockets);
    strv_release(&resources->connects);
    strv_release(&resources->devices);
    strv_release(&resources->named_sockets);
    for (size_t i = 0; i < resources->file_count; i++) {
        free(resources->files[i].path);
        free(resources->files[i].key);
    }
    free(resources->files);
    for (size_t i = 0; i < resources->fd_count; i++) {
        free(resources->fds[i].key);
        free(resources->fds[i].name);
    }
    free(resources->fds);
    for (size_t i = 0; i < resources->companion_count; i++)
        companion_release(&resources->companions[i]);
    free(resources->companions);
    *resources = (struct resources){0};
}
