/* SPDX-License-Identifier: MIT */
/*
 * What a command tells. What a child asks between fork(2) and execve(2) only reads memory, which
 * the header promises.
 */
#include <string.h>

#include "command/command.h"
#include "util/export.h"

VQEMU_EXPORT vqemu_runtime *vqemu_command_runtime(const vqemu_command *command) {
    return command ? command->runtime : NULL;
}

VQEMU_EXPORT const char *vqemu_command_path(const vqemu_command *command) {
    return command ? command->argv.items[0] : NULL;
}

VQEMU_EXPORT char *const *vqemu_command_argv(const vqemu_command *command) {
    return command ? command->argv.items : NULL;
}

VQEMU_EXPORT char *const *vqemu_command_envp(const vqemu_command *command) {
    static char *const empty[] = {NULL};
    if (!command)
        return NULL;
    return command->envp.items ? command->envp.items : empty;
}

VQEMU_EXPORT const char *vqemu_command_cwd(const vqemu_command *command) {
    return command ? command->cwd : NULL;
}

VQEMU_EXPORT const char *vqemu_command_digest(const vqemu_command *command, const char *what) {
    if (!command || !what)
        return NULL;
    if (strcmp(what, VQEMU_DIGEST_COMMAND) == 0)
        return command->digest.hex;
    return strcmp(what, VQEMU_DIGEST_HARDWARE) == 0 ? command->hardware.hex : NULL;
}

/* ---- the VM ---- */

VQEMU_EXPORT const char *vqemu_command_vm_name(const vqemu_command *command) {
    return command ? command->vm_name : NULL;
}

VQEMU_EXPORT const char *vqemu_command_vm_id(const vqemu_command *command) {
    return command ? command->id : NULL;
}

VQEMU_EXPORT const char *vqemu_command_user(const vqemu_command *command) {
    return command ? command->user : NULL;
}

VQEMU_EXPORT const char *vqemu_command_state_dir(const vqemu_command *command) {
    return command ? command->state_dir : NULL;
}

VQEMU_EXPORT const char *vqemu_command_runtime_dir(const vqemu_command *command) {
    return command ? command->runtime_dir : NULL;
}

/* ---- what it uses ---- */

VQEMU_EXPORT const char *vqemu_command_socket(const vqemu_command *command, const char *name) {
    return command && name ? resources_find_socket(&command->resources, name) : NULL;
}

VQEMU_EXPORT size_t vqemu_command_socket_count(const vqemu_command *command) {
    return command ? command->resources.named_sockets.count / 2 : 0;
}

VQEMU_EXPORT const char *vqemu_command_socket_name(const vqemu_command *command, size_t index) {
    return index < vqemu_command_socket_count(command)
               ? command->resources.named_sockets.items[2 * index]
               : NULL;
}

VQEMU_EXPORT size_t vqemu_command_file_count(const vqemu_command *command) {
    return command ? command->resources.file_count : 0;
}

VQEMU_EXPORT const char *vqemu_command_file_path(const vqemu_command *command, size_t index) {
    return index < vqemu_command_file_count(command) ? command->resources.files[index].path : NULL;
}

VQEMU_EXPORT uint32_t vqemu_command_file_access(const vqemu_command *command, size_t index) {
    return index < vqemu_command_file_count(command) ? command->resources.files[index].access : 0;
}

VQEMU_EXPORT size_t vqemu_command_fd_count(const vqemu_command *command) {
    return command ? command->resources.fd_count : 0;
}

VQEMU_EXPORT const char *vqemu_command_fd_name(const vqemu_command *command, size_t index) {
    return index < vqemu_command_fd_count(command) ? command->resources.fds[index].name : NULL;
}

VQEMU_EXPORT int vqemu_command_fd_at(const vqemu_command *command, size_t index) {
    return index < vqemu_command_fd_count(command) ? command->resources.fds[index].fd : -1;
}

VQEMU_EXPORT const char *vqemu_command_fd_key(const vqemu_command *command, size_t index) {
    return index < vqemu_command_fd_count(command) ? command->resources.fds[index].key : NULL;
}

/* ---- the programs beside QEMU ---- */

static const struct companion *companion_at(const vqemu_command *command, size_t index) {
    if (index >= vqemu_command_companion_count(command))
        return NULL;
    return &command->resources.companions[index];
}

VQEMU_EXPORT size_t vqemu_command_companion_count(const vqemu_command *command) {
    return command ? command->resources.companion_count : 0;
}

VQEMU_EXPORT const char *vqemu_command_companion_kind(const vqemu_command *command, size_t index) {
    const struct companion *companion = companion_at(command, index);
    return companion ? companion_kind_name(companion->kind) : NULL;
}

VQEMU_EXPORT char *const *vqemu_command_companion_argv(const vqemu_command *command, size_t index) {
    const struct companion *companion = companion_at(command, index);
    return companion ? companion->argv.items : NULL;
}

VQEMU_EXPORT const char *vqemu_command_companion_socket(const vqemu_command *command,
                                                        size_t index) {
    const struct companion *companion = companion_at(command, index);
    return companion ? companion->socket : NULL;
}

VQEMU_EXPORT const char *vqemu_command_companion_cwd(const vqemu_command *command, size_t index) {
    const struct companion *companion = companion_at(command, index);
    return companion ? companion->cwd : NULL;
}

/* ---- for those who make something of it ---- */

const char *command_vnc_password_file(const vqemu_command *command) {
    return command->vnc_password_file;
}

const struct resources *command_resources(const vqemu_command *command) {
    return &command->resources;
}

const struct nvram *command_nvram(const vqemu_command *command) {
    return command->nvram.path ? &command->nvram : NULL;
}

const char *command_profile_name(const vqemu_command *command) {
    return vqemu_profile_name(vqemu_runtime_profile(command->runtime));
}
