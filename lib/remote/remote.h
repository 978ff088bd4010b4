/* SPDX-License-Identifier: MIT */
#ifndef LIB_REMOTE_H
#define LIB_REMOTE_H

#include <volt-qemu/remote.h>

#include <stdbool.h>

#define REMOTE_CONNECTIONS_MAX 32

struct vqemu_remote {
    char *repository; /* as it was given */
    char *authority;  /* whom to ask: "host" or "host:port" */
    char *host;       /* of it */
    char *name;       /* of the repository there */
    char *user, *password, *identity_token, *ca_file, *certificate, *key, *proxy, *token_host,
        *mount_from;
    uint64_t plain_http, connect_seconds, stall_seconds, connections, tries;
};

/* Defaults filled in. */
uint64_t remote_connect_seconds(const vqemu_remote *remote);
uint64_t remote_stall_seconds(const vqemu_remote *remote);
unsigned remote_connections(const vqemu_remote *remote);
unsigned remote_tries(const vqemu_remote *remote);

/* Whether somebody is to log in. */
bool remote_has_login(const vqemu_remote *remote);

/* Whether what is set goes together. */
int remote_check(const vqemu_remote *remote, vqemu_error **error);

#endif
